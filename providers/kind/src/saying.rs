//! What kind says when it fails, in a few lines, with what helps.

/// Lines of the output of a failed command that are told.
const TOLD: usize = 4;

/// Why a create failed: kind's own error, the end of what the failed command wrote, and what helps, if that is known.
pub(crate) fn told(output: &str) -> String {
    let lines: Vec<&str> = output.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    let Some(at) = lines.iter().position(|line| line.starts_with("ERROR:")) else {
        let last = lines.last().copied().unwrap_or("it says nothing");
        return format!("{last}{}", hint(output));
    };
    let error = lines[at].trim_start_matches("ERROR:").trim();
    let rest = &lines[at + 1..];
    // What a stack trace adds is for kind's own developers.
    let end = rest.iter().position(|line| line.starts_with("Stack Trace")).unwrap_or(rest.len());
    let rest: Vec<&str> =
        rest[..end].iter().map(|line| line.trim_start_matches("Command Output:").trim()).filter(|line| !line.is_empty()).collect();
    let told = rest[rest.len().saturating_sub(TOLD)..].join("; ");
    let told = if told.is_empty() { told } else { format!(": {told}") };
    format!("{error}{told}{}", hint(output))
}

/// What helps, by the words of kind, docker and kubeadm.
fn hint(output: &str) -> String {
    const HINTS: [(&str, &str); 11] = [
        ("already exist for a cluster", "choose another name, or remove it with `kind delete cluster`"),
        (
            "failed to pull image",
            "check `node_image`: `docker pull` shows whether the Engine can have it, and `docker_image` or `docker load` brings one without a registry",
        ),
        (
            "port is already allocated",
            "another container holds the port: `docker ps` shows which; give `host_port` or `api_server_port` another",
        ),
        (
            "address already in use",
            "another program holds the port: `ss -tulpn` shows which; give `host_port` or `api_server_port` another",
        ),
        ("cannot assign requested address", "the host does not have the address: a `host_vip` gives it one"),
        (
            "could not find a log line",
            "the node did not boot within 30 s: its image must fit this kind, and `docker info` should say cgroup version 2",
        ),
        (
            "failed to get IPv6 address",
            "the docker network has no IPv6: name another `network`, or let a `docker_network` make one with it",
        ),
        (
            "all predefined address pools",
            "the Engine has no subnet left: remove unused networks with `docker network prune`, or name a `network`",
        ),
        (
            "failed to init node with kubeadm",
            "`/kind/kubeadm.conf` was refused or the control plane did not come up: look at patches, feature gates, memory and inotify limits",
        ),
        (
            "failed to join node with kubeadm",
            "a worker did not come up: memory and `fs.inotify.max_user_instances` are what is short most often",
        ),
        ("failed to lock config file", "a lock file beside the kubeconfig was left behind: remove it if no `kind` runs"),
    ];
    // A sentence of kind comes with those of the programs that it ran, which tell more.
    let found = HINTS.iter().filter(|(words, _)| output.contains(words));
    let order = |words: &str| usize::from(words.starts_with("failed to init") || words.starts_with("failed to join"));
    found.min_by_key(|(words, _)| order(words)).map_or_else(String::new, |(_, help)| format!(". {}", capitalized(help)))
}

fn capitalized(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), characters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_kind_comes_with_the_end_of_the_output_and_a_hint() {
        for (output, expected) in [
            (
                "Creating cluster \"c\" ...\n ✗ Ensuring node image (x:1) 🖼\nERROR: failed to create cluster: failed to pull image \"x:1\": command \"docker pull x:1\" failed with error: exit status 1\nCommand Output: Error response from daemon: no such host\n",
                vec!["failed to create cluster: failed to pull image", ": Error response from daemon: no such host. Check `node_image`"],
            ),
            (
                "ERROR: failed to create cluster: command \"docker run\" failed\nCommand Output: docker: Error response from daemon: listen tcp4 10.2.1.40:6443: bind: cannot assign requested address.\n",
                vec!["The host does not have the address: a `host_vip` gives it one"],
            ),
            (
                "ERROR: failed to create cluster: failed to init node with kubeadm: command \"docker exec\" failed\nCommand Output: 1\n2\n3\n4\n5\nStack Trace:\nmain.main\n",
                vec!["failed: 2; 3; 4; 5. `/kind/kubeadm.conf` was refused"],
            ),
            ("ERROR: node(s) already exist for a cluster with the name \"c\"\n", vec!["with the name \"c\". Choose another name"]),
            ("something else\n", vec!["something else"]),
            ("", vec!["it says nothing"]),
        ] {
            let told = told(output);
            for words in expected {
                assert!(told.contains(words), "{told}");
            }
        }
    }
}
