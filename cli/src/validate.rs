//! What a configuration alone shows: unknown kinds, attributes that their kinds do not have or that are missing, values of a wrong type,
//! and what kinds say of arguments whatever else is known.

use engine::config::{Config, Module, ResourceBlock};
use engine::diagnostic::{Diagnostic, Problems};
use engine::plan::{elsewhere, foreseen, misnamed, misplaced, mistyped, reported, unknown_kind, unknown_rules, unsuited};
use engine::schema::Catalogue;

/// All that is wrong with a configuration, with what was found when it was read: in order of files and places.
pub(crate) fn all(config: &Config, catalogue: &Catalogue, mut problems: Problems) -> Problems {
    problems.extend(reported(validate(config, catalogue), config));
    problems.extend(unknown_rules(config, catalogue));
    problems.sort_by_key(|problem| problem.at.map(|at| (at.file, at.start)));
    problems
}

/// Every problem of every module.
fn validate(config: &Config, catalogue: &Catalogue) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for module in config.modules.values() {
        for (name, block) in &module.providers {
            problems.extend(unsuited(name, block, catalogue));
        }
        for block in blocks(module) {
            check(block, catalogue, &mut problems);
        }
    }
    problems.extend(mistyped(config, catalogue));
    problems.extend(probing(config, catalogue));
    problems
}

/// Every data source that asks if something works, and stands where a plan would wait for the answer.
pub(crate) fn probing(config: &Config, catalogue: &Catalogue) -> Problems {
    let blocks = config.modules.values().flat_map(|module| module.resources.values());
    blocks.filter_map(|block| misplaced(block, catalogue)).collect()
}

fn blocks(module: &Module) -> impl Iterator<Item = &ResourceBlock> {
    let within_checks = module.checks.values().flat_map(|check| &check.data);
    module.resources.values().chain(within_checks).map(|block| &**block)
}

/// Every problem of one block.
pub(crate) fn check(block: &ResourceBlock, catalogue: &Catalogue, problems: &mut Vec<Diagnostic>) {
    let name = &block.name;
    let Some(kind) = catalogue.get(name.mode, &name.kind) else { return problems.push(unknown_kind(block, catalogue)) };
    problems.extend(elsewhere(block, catalogue));
    let before = problems.len();
    problems.extend(misnamed(block, kind.schema()));
    if problems.len() == before {
        problems.extend(foreseen(block, catalogue));
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
        let lookup = "data \"dns_lookup\" \"a\" {\n  server = \"10.2.1.39\"\n  names = [\"a.test\"]\n}";
        let check_block = format!(
            "check \"names\" {{\n{lookup}\nassert {{\n  condition = length(data.dns_lookup.a.names) == 1\n  error_message = \"\"\n}}\n}}\n"
        );
        check(&check_block, &[]);
        let moved = "Move the block into a `check`, or into a run of a test, beside the condition that uses it.";
        check(&format!("{lookup}\n"), &[&format!("1:6 probe outside of a check {moved}")]);
        check("provider \"kubernets\" {}\n", &["1:10 unknown provider Did you mean `kubernetes`?"]);
        check("provider \"istio\" {\n  request_try = 1\n}\n", &["2:3 unknown argument Did you mean `request_tries`?"]);
        let elsewhere = "provider \"istio\" {\n  alias = \"a\"\n}\nresource \"kubernetes_namespace\" \"n\" {\n  provider = istio.a\n  cluster = 1\n  name = \"n\"\n}\n";
        check(elsewhere, &["5:14 wrong provider", "6:13 wrong type"]);
        check("resource \"ca_intermediate\" \"a\" {\n}\n", &["1:1 missing argument issuer: The root that signs it."]);
    }

    #[test]
    fn what_a_plan_would_say_whatever_else_is_known_is_said() {
        let plane = |installer: &str, more: &str| {
            let names = "mesh_id = \"m\"\n  cluster_name = \"c\"\n  network = \"n\"\n  hub = \"h\"\n  tag = \"1.9.1\"";
            format!(
                "variable \"a\" {{}}\nresource \"istio_operator\" \"a\" {{\n  cluster = var.a\n  namespace = var.a\n  {names}\n  installer = {installer}\n  {more}\n}}\n"
            )
        };
        let unshared = "no shared root Give an `istio_cacerts` whose intermediate the root of the mesh has issued.";
        check(&plane("\"operator\"", ""), &[&format!("2:1 {unshared}")]);
        check(&plane("var.a", "cacerts = null"), &[&format!("11:13 {unshared}")]);
        check(&plane("\"operator\"", "cacerts = var.a"), &[]);
        check(&plane("\"none\"", "cacerts = var.a"), &["10:15 unknown installer"]);
        check(&plane("var.a == 1 ? \"none\" : file(\"x\")", "cacerts = var.a"), &[]);
        check("resource \"sandbox_cluster\" \"a\" {\n  for_each = {}\n  name = each.value.name\n}\n", &[]);
    }
}
