//! The page of the reference about the rules of the lint, written from their tables.

use engine::schema::{Catalogue, Rule};
use std::fmt::Write as _;

/// The whole page: an index, and a section for each rule.
pub fn page(catalogue: &Catalogue) -> String {
    let mut page = String::from(concat!(
        "# Rules of the lint\n\nA plan holds what the configuration asks for against rules beyond what an apply needs: most find what the API servers ",
        "would take without complaint, and a mesh would then fail at. `validate` tells what the text alone shows. Findings carry the id of their rule in brackets, ",
        "`warning[no-shared-root]`; with `--json` it is the member `rule`. What is not known before an apply is no finding, and what a plan leaves out ",
        "(`--target`, clusters out of reach) is not taken for missing.\n\n## Exceptions\n\n",
        "A `lint` block in the root module's settings silences a rule by its id, for everything, or for what `at` names: modules, resources, or instances of either. ",
        "The reason is for whoever reads it later, and must not be empty.\n\n",
        "```hcl\nmeshplan {\n  lint {\n    ignore \"public-address-pool\" {\n      reason = \"194.89.64.0/24 is ours\"\n      at     = [\"module.lab\", \"metallb_pool.lab[\\\"c1\\\"]\"]\n    }\n  }\n}\n```\n\n",
        "An id that no rule has is an error. An exception that nothing needs is told by the plans that know everything they ask for.\n\n## Index\n\n",
        "| rule | a finding is | what it finds |\n|---|---|---|\n"
    ));
    for (_, rule) in rules(catalogue) {
        writeln!(page, "| [`{}`](#{}) | {} | {} |", rule.id, rule.id, severity(rule), rule.finds.replace('|', "\\|")).unwrap();
    }
    let mut of = "";
    for (provider, rule) in rules(catalogue) {
        if provider != of {
            write!(page, "\n## Rules of the provider `{provider}`\n").unwrap();
            of = provider;
        }
        write!(page, "\n### `{}`\n\n*{}*, {}.\n\n", rule.id, rule.summary, severity(rule)).unwrap();
        write!(page, "{}\n\n{}\n\n{}\n", rule.finds, rule.why, rule.help).unwrap();
    }
    page
}

/// Every rule with its provider.
pub fn rules(catalogue: &Catalogue) -> impl Iterator<Item = (&'static str, &'static Rule)> {
    catalogue.lints().flat_map(|(provider, lint)| lint.rules().iter().map(move |rule| (provider, *rule)))
}

fn severity(rule: &Rule) -> &'static str {
    if rule.warning { "a warning" } else { "an error" }
}
