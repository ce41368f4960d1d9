//! The modules that are part of the binary.

/// A built-in module, called by `source = "builtin:name"`.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it is for and what it takes, in Markdown.
    pub readme: &'static str,
    /// Its files by name, sorted.
    pub files: &'static [(&'static str, &'static str)],
}

/// All built-in modules, sorted by name.
pub const LIBRARY: &[BuiltIn] = &[
    BuiltIn {
        name: "dnsmasq",
        readme: include_str!("../library/dnsmasq/README.md"),
        files: &[
            ("main.mesh.hcl", include_str!("../library/dnsmasq/main.mesh.hcl")),
            ("outputs.mesh.hcl", include_str!("../library/dnsmasq/outputs.mesh.hcl")),
            ("variables.mesh.hcl", include_str!("../library/dnsmasq/variables.mesh.hcl")),
        ],
    },
    BuiltIn {
        name: "helloworld",
        readme: include_str!("../library/helloworld/README.md"),
        files: &[
            ("main.mesh.hcl", include_str!("../library/helloworld/main.mesh.hcl")),
            ("outputs.mesh.hcl", include_str!("../library/helloworld/outputs.mesh.hcl")),
            ("variables.mesh.hcl", include_str!("../library/helloworld/variables.mesh.hcl")),
        ],
    },
    BuiltIn {
        name: "kind-lab",
        readme: include_str!("../library/kind-lab/README.md"),
        files: &[
            ("main.mesh.hcl", include_str!("../library/kind-lab/main.mesh.hcl")),
            ("outputs.mesh.hcl", include_str!("../library/kind-lab/outputs.mesh.hcl")),
            ("variables.mesh.hcl", include_str!("../library/kind-lab/variables.mesh.hcl")),
        ],
    },
    BuiltIn {
        name: "multi-primary",
        readme: include_str!("../library/multi-primary/README.md"),
        files: &[
            ("main.mesh.hcl", include_str!("../library/multi-primary/main.mesh.hcl")),
            ("outputs.mesh.hcl", include_str!("../library/multi-primary/outputs.mesh.hcl")),
            ("variables.mesh.hcl", include_str!("../library/multi-primary/variables.mesh.hcl")),
        ],
    },
    BuiltIn {
        name: "primary-remote",
        readme: include_str!("../library/primary-remote/README.md"),
        files: &[
            ("main.mesh.hcl", include_str!("../library/primary-remote/main.mesh.hcl")),
            ("outputs.mesh.hcl", include_str!("../library/primary-remote/outputs.mesh.hcl")),
            ("variables.mesh.hcl", include_str!("../library/primary-remote/variables.mesh.hcl")),
        ],
    },
];

/// A built-in module by name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    LIBRARY.iter().find(|module| module.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::config::parse;
    use engine::source::SourceTree;

    const CLASSES: &[&str] = &["cluster", "control_plane", "gateway", "intermediate", "issuer", "reader"];

    #[test]
    fn every_module_parses_and_its_readme_tells_all_it_takes_and_gives() {
        for module in LIBRARY {
            let mut tree = SourceTree::new(".");
            for (name, text) in module.files {
                let id = tree.add(name, text);
                let root = tree.root.clone();
                tree.modules.entry(root).or_default().files.push(id);
            }
            let (config, problems) = parse(&tree, CLASSES);
            assert_eq!(problems, [], "{}", module.name);
            let root = &config.modules[&config.root];
            let names = root.variables.iter().map(|(name, variable)| (name, variable.description.is_some()));
            for (name, described) in names.chain(root.outputs.iter().map(|(name, output)| (name, output.description.is_some()))) {
                assert!(described, "{name} of {}", module.name);
                assert!(module.readme.contains(&format!("| `{name}` |")), "{name} of {}", module.name);
            }
        }
    }

    #[test]
    fn modules_and_files_are_found_by_name() {
        assert!(LIBRARY.is_sorted_by_key(|module| module.name));
        assert!(LIBRARY.iter().all(|module| module.files.is_sorted_by_key(|(name, _)| *name)));
        assert!(built_in("multi-primary").is_some());
        assert!(built_in("multi").is_none());
    }
}
