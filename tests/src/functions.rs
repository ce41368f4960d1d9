//! The page of the reference about functions, written from their table. A test of the engine runs every example on it.

use engine::eval::{Function, Gives, Group, Need, function_table};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The whole page: groups in their order, functions by name.
pub fn page() -> String {
    let mut groups: BTreeMap<Group, BTreeMap<&str, &Function>> = BTreeMap::new();
    for function in function_table() {
        groups.entry(function.group).or_default().insert(function.name, function);
    }
    let mut page = String::from(concat!(
        "# Functions\n\nFunctions have the names and the meaning that they have in Terraform. Numbers are exact decimals here, and an operation that ",
        "would have to round says so.\n\nAn argument that is known only after apply makes the result so, too, unless the function only moves it about: ",
        "`merge`, `concat`, `values` and their like need to know how many elements there are, and each element keeps what it waits for. A sensitive ",
        "argument makes the result sensitive. In a signature, `[x]` may be left out and `x...` may be given any number of times.\n"
    ));
    for (group, functions) in groups {
        write!(page, "\n## {group}\n").unwrap();
        for function in functions.values() {
            section(&mut page, function);
        }
    }
    page
}

fn section(page: &mut String, function: &Function) {
    write!(page, "\n### `{}`\n\n{}\n\n", function.signature(), function.doc).unwrap();
    let parameters = function.parameters.iter().map(|parameter| {
        let often = match parameter.need {
            Need::Required => "",
            Need::Optional => ", may be left out",
            Need::Repeated => ", any number of times",
        };
        format!("`{}` ({}{often})", parameter.name, parameter.takes)
    });
    let takes = parameters.collect::<Vec<_>>().join(", ");
    let gives = match function.gives {
        Gives::Any => "what the arguments decide".to_owned(),
        gives => gives.to_string(),
    };
    let takes = if takes.is_empty() { "nothing".to_owned() } else { takes };
    writeln!(page, "Takes {takes}; gives {gives}.\n").unwrap();
    write!(page, "```hcl\n{}\n# {}\n```\n", function.example.call, function.example.result).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_section_with_its_example() {
        let page = page();
        for function in function_table() {
            assert!(page.contains(&format!("\n### `{}(", function.name)), "{}", function.name);
            assert!(page.contains(function.example.call), "{}", function.name);
        }
        assert!(page.contains("### `lookup(map, key, [default])`"));
        assert!(page.contains("`default` (anything, may be left out); gives what the arguments decide."));
        assert!(page.contains("```hcl\nmax(5, 12, 9)\n# 12\n```\n"));
    }
}
