//! What a configuration alone shows: unknown kinds, and attributes that their kinds do not have or that are missing.

use engine::address::Mode;
use engine::config::{Config, Module, ResourceBlock};
use engine::diagnostic::{Diagnostic, did_you_mean};
use engine::plan::{elsewhere, misnamed, unsuited};
use engine::schema::Catalogue;

/// Every problem of every module.
pub(crate) fn validate(config: &Config, catalogue: &Catalogue) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for module in config.modules.values() {
        for (name, block) in &module.providers {
            problems.extend(unsuited(name, block, catalogue));
        }
        for block in blocks(module) {
            check(block, catalogue, &mut problems);
        }
    }
    problems
}

fn blocks(module: &Module) -> impl Iterator<Item = &ResourceBlock> {
    let within_checks = module.checks.values().flat_map(|check| &check.data);
    module.resources.values().chain(within_checks).map(|block| &**block)
}

/// Every problem of one block.
pub(crate) fn check(block: &ResourceBlock, catalogue: &Catalogue, problems: &mut Vec<Diagnostic>) {
    let name = &block.name;
    let Some(kind) = catalogue.get(name.mode, &name.kind) else {
        let (word, summary) = match name.mode {
            Mode::Managed => ("resource", "unknown resource kind"),
            Mode::Data => ("data source", "unknown data source kind"),
        };
        let problem = Diagnostic::error(summary, format!("no provider has a {word} kind `{}`", name.kind)).at(block.kind_span);
        problems.push(suggest(problem, &name.kind, catalogue.names(name.mode)));
        return;
    };
    problems.extend(elsewhere(block, catalogue));
    problems.extend(misnamed(block, kind.schema()));
}

fn suggest(problem: Diagnostic, name: &str, candidates: impl Iterator<Item = &'static str>) -> Diagnostic {
    match did_you_mean(name, candidates) {
        Some(near) => problem.help(format!("Did you mean `{near}`?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::config::parse;
    use engine::source::SourceTree;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn check(text: &str, expected: &[&str]) {
        let mut tree = SourceTree::new(".");
        let id = tree.add("main.mesh.hcl", text);
        tree.modules.values_mut().for_each(|module| module.files.push(id));
        let (config, problems) = parse(&tree, &[]);
        assert_eq!(problems, [], "{text}");
        let told = |problem: &Diagnostic| {
            let (line, column) = tree.position(problem.at.unwrap()).unwrap();
            format!("{line}:{column} {} {}", problem.summary, problem.help.clone().unwrap_or_default()).trim_end().to_owned()
        };
        let problems = validate(&config, crate::registry_maker(Path::new("."), &BTreeMap::new())(Path::new(".")).catalogue());
        assert_eq!(problems.iter().map(told).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn kinds_and_attributes_are_held_against_their_schemas() {
        check("resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n", &[]);
        check("resource \"meshplan_dat\" \"a\" {}\n", &["1:10 unknown resource kind Did you mean `meshplan_data`?"]);
        check("resource \"aws_vpc\" \"a\" {}\n", &["1:10 unknown resource kind"]);
        check("resource \"meshplan_data\" \"a\" {\n  output = 1\n}\n", &["2:3 computed attribute Remove it."]);
        check(
            "resource \"meshplan_data\" \"a\" {\n  inptu = 1\n  zzzzzz = 2\n}\n",
            &["2:3 unknown argument Did you mean `input`?", "3:3 unknown argument"],
        );
        check(
            "resource \"meshplan_data\" \"a\" {\n  inptu {}\n  input {}\n}\n",
            &["2:3 unknown block Did you mean `input`?", "3:3 unknown block Write `input = { … }`."],
        );
        check("provider \"kubernets\" {}\n", &["1:10 unknown provider Did you mean `kubernetes`?"]);
        check("provider \"istio\" {\n  request_try = 1\n}\n", &["2:3 unknown argument Did you mean `request_tries`?"]);
        let elsewhere = "provider \"istio\" {\n  alias = \"a\"\n}\nresource \"kubernetes_namespace\" \"n\" {\n  provider = istio.a\n  cluster = 1\n  name = \"n\"\n}\n";
        check(elsewhere, &["5:14 wrong provider"]);
        check("resource \"ca_intermediate\" \"a\" {\n}\n", &["1:1 missing argument issuer: The root that signs it."]);
    }
}
