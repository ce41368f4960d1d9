//! What a machine should have before clusters are made on it: each lack with the command that mends it. Looking needs no rights.

mod listeners;
mod machine;

use listeners::Listeners;
pub use machine::Machine;

use engine::schema::Problem;
use std::path::Path;

/// Limits of the kernel on watched files, with what nodes of clusters need who share a machine: each runs a kubelet, a containerd and an
/// API server's worth of watches, and kind's own advice for several nodes is these numbers.
const LIMITS: [(&str, u64); 2] = [("max_user_watches", 524_288), ("max_user_instances", 512)];

/// Whether the kernel lets enough files be watched for the nodes of several clusters. Where it does not, pods that watch files fail with `too
/// many open files`, some minutes after they were made.
pub fn inotify_limits() -> Option<Problem> {
    limits_below(Path::new("/proc/sys/fs/inotify"))
}

fn limits_below(directory: &Path) -> Option<Problem> {
    let low = LIMITS.into_iter().filter_map(|(name, enough)| {
        let now: u64 = std::fs::read_to_string(directory.join(name)).ok()?.trim().parse().ok()?;
        (now < enough).then_some((name, now, enough))
    });
    let low: Vec<_> = low.collect();
    if low.is_empty() {
        return None;
    }
    let said: Vec<_> = low.iter().map(|(name, now, enough)| format!("`fs.inotify.{name}` is {now}, and {enough} are needed")).collect();
    let settings: Vec<_> = low.iter().map(|(name, _, enough)| format!("fs.inotify.{name}={enough}")).collect();
    let help = format!("Run `sudo sysctl {}`; a file in `/etc/sysctl.d` with the same words lasts.", settings.join(" "));
    Some(Problem::new("too few files can be watched", said.join("; ")).help(help).warning())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_too_low_are_told_with_what_raises_them() {
        let directory = tempfile::tempdir().unwrap();
        let set = |name: &str, value: u64| std::fs::write(directory.path().join(name), format!("{value}\n")).unwrap();
        let rows = [
            (524_288, 512, None),
            (1_048_576, 8192, None),
            (8192, 512, Some("Run `sudo sysctl fs.inotify.max_user_watches=524288`; ")),
            (8192, 128, Some("Run `sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512`; ")),
        ];
        for (watches, instances, expected) in rows {
            set("max_user_watches", watches);
            set("max_user_instances", instances);
            let told = limits_below(directory.path());
            assert!(told.as_ref().is_none_or(|problem| problem.warning && problem.summary == "too few files can be watched"));
            let help = told.and_then(|problem| problem.help);
            assert_eq!(help.is_some(), expected.is_some(), "{watches} {instances}");
            assert!(help.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{watches} {instances}");
        }
        assert_eq!(limits_below(&directory.path().join("none")), None);
    }
}
