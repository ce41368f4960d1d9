//! Where the sandbox is known to answer otherwise, and why. `docs/sandbox.md` says the same to users.

/// A difference that is there on purpose, or that would cost more than it is worth.
pub(super) struct Known {
    /// The name of the sequence, with `*` for any run of characters.
    pub(super) sequence: &'static str,
    /// The number of the step, from 1; 0 for any.
    pub(super) step: usize,
    /// Where in the answer: a path with `*` for any run of characters.
    pub(super) at: &'static str,
    /// Why it is so.
    pub(super) reason: &'static str,
}

/// Every one of these but those of generated sequences must show in the table of sequences; else it is gone, and its row goes too.
pub(super) const KNOWN: &[Known] = &[
    known("create", 7, "body/message", READERS),
    known("merge-patch", 7, "body/*message", READERS),
    known("merge-patch", 10, "body/*message", READERS),
    known("refusals", 5, "body/message", READERS),
    known("apply-workload", 3, "body/message", READERS),
    known("apply-refused", 9, "body/message", READERS),
    known("pages", 11, "body/message", READERS),
    known("forgotten", 10, "body/message", "the real message says the same in other words"),
    known("replace", 6, "body/message", "the real message names a key of etcd, and there is none"),
    known("apply-by-two", 6, "body/metadata/managedFields", NULLS),
    known("apply-by-two", 7, "body/metadata/managedFields", NULLS),
    known("definition-refused", 3, "body/*message", "the real message writes the versions as its own types are named"),
    known("kinds-workloads", 16, "body/metadata/managedFields", PODS),
    known("kinds-workloads", 16, "body/status/*", PODS),
    known("scale", 0, "body/metadata/resourceVersion", PODS),
    known("scale", 0, "body/status/replicas", PODS),
    known("scale", 8, "code", "an apply through `scale` is taken as any other write, which takes what others own"),
    known("generated-*-customresourcedefinition*", 0, "body/*message", "the real message writes the versions as its own types are named"),
    known("generated-*-deployment*", 0, "body/*message", "the real message tells a map with nothing in it from none"),
    known("found-status", 8, "body/metadata/annotations/deployment.kubernetes.io/revision", PODS),
    known("found-status", 8, "body/metadata/managedFields", PODS),
    known("found-status", 8, "body/metadata/resourceVersion", PODS),
    known("found-status", 8, "body/status/*", PODS),
];

const PODS: &str = "pods and what makes them are ready at once in a sandbox, and a Job is done";
const READERS: &str = "what cannot be read is refused with the same code and reason, in the words of another reader of JSON and YAML";
const NULLS: &str = "a null in an apply is as if it were not there, while the real server has it owned";

const fn known(sequence: &'static str, step: usize, at: &'static str, reason: &'static str) -> Known {
    Known { sequence, step, at, reason }
}

impl Known {
    /// Whether it is of sequences that are drawn, so that it may show in some of them.
    pub(super) fn is_drawn(&self) -> bool {
        self.sequence.starts_with("generated-")
    }

    /// Whether a difference is this one.
    pub(super) fn is(&self, sequence: &str, step: usize, at: &str) -> bool {
        is_like(self.sequence, sequence) && (self.step == 0 || self.step == step) && is_like(self.at, at)
    }
}

/// Whether a text is like a pattern with `*`.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| is_like(rest, &text[at..]))
        }),
    }
}

#[test]
fn patterns_stand_for_paths() {
    for (pattern, text, expected) in [
        ("body/a", "body/a", true),
        ("body/a", "body/ab", false),
        ("body/*/x", "body/a/b/x", true),
        ("body/*/x", "body/x", false),
        ("*", "", true),
        ("a*", "b", false),
    ] {
        assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
    }
}
