//! What there is to say about each kind of backend: its arguments, and what its users want to know before they choose it.

/// A kind of backend.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it is, in sentences.
    pub doc: &'static str,
    /// What a block may say.
    pub arguments: &'static [Argument],
    /// What those who apply have to be allowed.
    pub rights: &'static str,
    /// How its lock works.
    pub lock: &'static str,
}

/// An argument of a `backend` block: a constant text.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What counts without it, as a fragment; nothing if it has to be given.
    pub without: Option<&'static str>,
    /// What it says.
    pub doc: &'static str,
}

const fn argument(name: &'static str, without: &'static str, doc: &'static str) -> Argument {
    Argument { name, without: Some(without), doc }
}

/// A lock that is renewed.
const RENEWED: &str = "It is renewed every twenty seconds, and ends a minute after the last time. Who takes it over from a holder that did not \
                       give it back says so, and writes its own, higher number beside the state; a holder that wakes up after that finds \
                       the number at its next write, stops with `lock lost`, and has changed nothing since. `meshplan state unlock ID` takes it \
                       away at once. Clocks that disagree can cost a living holder its lock, and never a line that was reported durable.";

/// Every kind.
pub(crate) const KINDS: [Kind; 3] = [
    Kind {
        name: "local",
        doc: "The state in a file, with its journal, lock and backup beside it. Without a `backend` block it is `meshplan.state.json` beside the \
              configuration. The history stands in `.meshplan/history`, below the configuration.",
        arguments: &[argument("path", "`meshplan.state.json`", "The file, relative to the configuration.")],
        rights: "To write the file, and make others beside it: they belong to the user who applies and are readable by nobody else.",
        lock: "The kernel's, on the lock file: it ends with its holder, and cannot be taken from one that lives. On a file system of a network \
               it is as good as that system's locks.",
    },
    Kind {
        name: "kubernetes",
        doc: "The state in Secrets of a namespace, compressed, in as many as it needs, and the history beside it. They are stored as all \
              Secrets of the cluster are: encryption at rest is the business of its API server.",
        arguments: &[
            argument("kubeconfig", "what `kubectl` would use", "The path of the kubeconfig, relative to the working directory."),
            argument("context", "the current one", "The context in it."),
            argument("namespace", "`default`", "The namespace, which has to be there."),
            argument("name", "`meshplan`", "What the names of all objects begin with: at most 40 lower-case letters, digits and dashes."),
        ],
        rights: "`get`, `list`, `create`, `update` and `delete` for Secrets, and `get`, `create` and `update` for Leases \
                 (`coordination.k8s.io`), in the namespace. Who may read those Secrets can read the state.",
        lock: RENEWED,
    },
    Kind {
        name: "s3",
        doc: "The state in objects of a bucket of S3, or of what speaks its API, and the history beside it. The bucket has to honour conditional \
              writes (`If-None-Match: *` and `If-Match`), as S3 does.",
        arguments: &[
            Argument { name: "bucket", without: None, doc: "The bucket, which has to be there." },
            argument("key", "`meshplan`", "What the names of all objects begin with, as a directory."),
            argument("region", "`AWS_REGION`", "The region of the bucket."),
            argument("endpoint", "that of S3 in the region", "The URL of another service, without user and password."),
            argument(
                "use_path_style",
                "`false`",
                "Whether the bucket stands in the path of URLs, and not in the name of the host: `true` or `false`.",
            ),
            argument("profile", "`AWS_PROFILE`, or `default`", "The profile in `~/.aws/credentials`."),
            argument("access_key", "as below", "The id of an access key."),
            argument("secret_key", "as below", "Its secret. Never kept by meshplan; better not in a configuration."),
            argument("token", "as below", "The token of temporary credentials. Never kept either."),
        ],
        rights: "To list the bucket below the key (`s3:ListBucket`), and to read, write and delete objects there (`s3:GetObject`, \
                 `s3:PutObject`, `s3:DeleteObject`). Credentials are those of the arguments, else of the environment (`AWS_ACCESS_KEY_ID` and the \
                 rest), else of the profile, else what the machine is given: a web identity, a container's role, an instance's role.",
        lock: RENEWED,
    },
];

/// Every kind of backend.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter()
}
