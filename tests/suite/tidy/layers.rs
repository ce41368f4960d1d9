//! Who may know whom.

use meshplan_tests::sources::{self, SourceFile};

/// A crate whose modules stand in an order.
struct House {
    /// Its name in `docs/architecture.md`.
    name: &'static str,
    /// Where its modules are.
    root: &'static str,
    /// At least so many files it has.
    files: usize,
}

const HOUSES: [House; 2] = [House { name: "engine", root: "engine/src/", files: 50 }, House { name: "cli", root: "cli/src/", files: 50 }];

impl House {
    /// Its modules in the order of `docs/architecture.md`: each may import from those before it.
    fn layers(&self) -> Vec<String> {
        let page = text_of("docs/architecture.md");
        let (_, table) = page.split_once(&format!("Inside `{}` each module imports only from those before it:", self.name)).unwrap();
        let rows = table.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
    }

    /// The module that a file belongs to. The roots of a crate put modules together, and stand above all.
    fn module<'a>(&self, file: &'a SourceFile) -> Option<&'a str> {
        let first = file.path.strip_prefix(self.root)?.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first)).filter(|module| !["lib", "main", "bin"].contains(module))
    }
}

/// Every name that stands after `crate::` in code, groups in braces taken apart.
fn imported(code: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let after = &code[at + "crate::".len()..];
        match after.strip_prefix('{') {
            None => names.push(name(after)),
            Some(group) => {
                let mut depth = 0_usize;
                let mut start = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            names.push(name(&group[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

#[test]
fn imports_are_found_also_in_groups() {
    assert_eq!(imported("use crate::a::B;\nuse crate::{c::{D, E}, f};\nlet x = crate::g();"), ["a", "c", "f", "g"]);
}

#[test]
fn each_module_imports_only_from_those_before_it() {
    let mut wrong = Vec::new();
    for house in HOUSES {
        let layers = house.layers();
        let rank = |name: &str| layers.iter().position(|layer| layer == name);
        let mut seen = 0;
        for file in sources::rust().into_iter().filter(|file| !file.is_for_tests()) {
            let Some(module) = house.module(&file) else { continue };
            let Some(own) = rank(module) else {
                wrong.push(format!("{}: `docs/architecture.md` does not say where `{module}` stands", file.path));
                continue;
            };
            seen += 1;
            for name in imported(&file.code()) {
                match rank(&name) {
                    Some(other) if other <= own => {}
                    _ => wrong.push(format!("{}: `{module}` must not know `{name}`", file.path)),
                }
            }
            let top = file.path.strip_prefix(house.root).is_some_and(|path| !path.contains('/'));
            if top && file.code().contains("super::") {
                wrong.push(format!("{}: names other modules by `crate::`, not `super::`", file.path));
            }
        }
        assert!(seen > house.files, "{}: {seen} files", house.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What occurs in few places only: the text, and the paths' starts.
const PLACES: &[(&str, &[&str])] = &[
    ("petgraph::", &["engine/src/graph.rs"]),
    ("hcl_edit::", &["engine/src/config/parse/"]),
    ("granit_parser::", &["engine/src/eval/functions/yaml_read.rs", "providers/kubernetes/src/document/"]),
    ("globset::", &["engine/src/eval/functions/fileset.rs"]),
    (
        "regex::",
        &["engine/src/eval/functions/pattern.rs", "providers/kubernetes/src/pod_exec.rs", "providers/sandbox/src/admission/schema.rs"],
    ),
    ("ipnet::", &["engine/src/eval/functions/network.rs", "providers/kind/src/validation/"]),
    ("rustyline::", &["cli/src/keyboard.rs"]),
    ("annotate_snippets::", &["cli/src/view/"]),
    ("similar::", &["review/", "tests/"]),
    ("indicatif::", &["cli/src/view/"]),
    ("clap::", &["cli/"]),
    ("axum::", &["providers/sandbox/", "tests/src/apiserver/"]),
    (
        "kube::",
        &[
            "providers/kubernetes/src/client/",
            "providers/kubernetes/src/fake.rs",
            "providers/sandbox/",
            "tests/src/cluster.rs",
            "tests/src/apiserver/",
        ],
    ),
    ("nix::", &["providers/host/src/", "providers/kind/src/group.rs", "tests/src/namespace.rs"]),
    ("rtnetlink::", &["providers/host/src/netlink.rs"]),
    ("hickory_proto::", &["providers/probes/src/client"]),
    ("object_store::", &["backends/src/s3.rs", "backends/src/aws.rs"]),
    ("bollard::", &["providers/docker/src/client.rs"]),
    ("rcgen::", &["providers/certificates/src/issue.rs", "providers/sandbox/", "review/src/pem.rs", "tests/src/apiserver/"]),
    ("x509_parser::", &["providers/certificates/", "review/src/certificate.rs", "review/src/pem.rs"]),
    ("println!", &["providers/sandbox/src/bin/", "tests/benches/", "tests/src/bin/"]),
    ("eprintln!", &["tests/src/bin/"]),
];

#[test]
fn foreign_crates_are_named_in_one_place() {
    let mut wrong = Vec::new();
    for file in sources::rust() {
        let code = file.code();
        for (text, places) in PLACES {
            let own_word = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let occurs = code.match_indices(text).any(|(at, _)| own_word(at));
            if occurs && !file.path.starts_with("tests/suite/tidy") && !places.iter().any(|place| file.path.starts_with(place)) {
                wrong.push(format!("{}: `{text}` belongs to {}", file.path, places.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_edge_of_the_engine_waits() {
    const EDGE: [&str; 3] = ["engine/src/observe", "engine/src/apply/drive", "engine/src/apply/request"];
    let waiting: Vec<_> = sources::rust()
        .into_iter()
        .filter(|file| file.path.starts_with("engine/src/") && !file.is_for_tests() && file.code().contains(".await"))
        .map(|file| file.path)
        .collect();
    let wrong: Vec<_> = waiting.iter().filter(|path| !EDGE.iter().any(|edge| path.starts_with(edge))).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What a file of the repository says.
fn text_of(path: &str) -> String {
    sources::all().into_iter().find(|file| file.path == path).unwrap().text
}

/// The crates of the workspace by the names that manifests depend on them by, with where they lie.
fn members() -> Vec<(String, String)> {
    let manifest = text_of("Cargo.toml");
    let lies = |line: &str| Some(line.split_once("path = \"")?.1.split_once('"')?.0.to_owned());
    manifest.lines().filter_map(|line| Some((line.split_once(" = ")?.0.to_owned(), lies(line)?))).collect()
}

/// The crates of the workspace that a crate depends on, from its manifest: where they lie.
fn dependencies(manifest: &str, members: &[(String, String)]) -> Vec<String> {
    let (_, sections) = manifest.split_once("[dependencies]").unwrap_or_default();
    let names = sections.split("\n[").next().unwrap_or_default().lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter_map(|name| members.iter().find(|(known, _)| known == name)).map(|(_, lies)| lies.clone()).collect()
}

/// Which crates may know which, by the line of `docs/architecture.md`: `a → b → c` says that `a` may know `b`, and `b` may know `c`.
struct Arrows(Vec<(String, String)>);

impl Arrows {
    fn told() -> Self {
        let page = text_of("docs/architecture.md");
        let told = page.lines().find_map(|line| line.strip_prefix("Arrows: ")).unwrap();
        let mut arrows = Vec::new();
        for chain in told.split('`').skip(1).step_by(2) {
            let ends: Vec<Vec<&str>> = chain.split(" → ").map(|end| end.split(", ").collect()).collect();
            for pair in ends.windows(2) {
                let pairs = pair[0].iter().flat_map(|from| pair[1].iter().map(move |to| ((*from).to_owned(), (*to).to_owned())));
                arrows.extend(pairs);
            }
        }
        Self(arrows)
    }

    /// Whether the crate that lies here may know the one that lies there.
    fn allow(&self, from: &str, to: &str) -> bool {
        let is = |name: &str, at: &str| {
            name == "all" || at.strip_prefix("providers/").map_or(name == at, |own| name == own || name == "providers")
        };
        let one = |from: &str, to: &str| self.0.iter().any(|(left, right)| is(left, from) && is(right, to));
        // Everything comes down to the engine, also by way of others.
        one(from, to) || (to == "engine" && self.0.iter().any(|(left, _)| is(left, from)))
    }
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_says() {
    let (members, arrows) = (members(), Arrows::told());
    assert!(arrows.allow("providers/istio", "providers/kubernetes") && !arrows.allow("providers/kubernetes", "providers/istio"));
    assert!(arrows.allow("cli", "engine") && !arrows.allow("engine", "state") && !arrows.allow("review", "state"));
    let mut seen = 0;
    for file in sources::all() {
        let Some(name) = file.path.strip_suffix("/Cargo.toml") else { continue };
        seen += 1;
        for dependency in dependencies(&file.text, &members) {
            assert!(arrows.allow(name, &dependency), "`{name}` must not depend on `{dependency}`");
        }
        assert!(file.text.contains("[lints]\nworkspace = true"), "`{name}` has not the workspace's lints");
    }
    // All but the tests are depended on by somebody.
    assert_eq!(seen, members.len() + 1);
}
