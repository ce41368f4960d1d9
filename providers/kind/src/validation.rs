//! What is wrong with a description, as far as it alone tells: what kind would refuse, and what it takes and nothing comes of.

mod networking;
mod nodes;

use engine::schema::Problem;
use engine::value::Value;

/// Every problem that the arguments show.
pub(crate) fn problems(arguments: &Value) -> Vec<Problem> {
    let mut found: Vec<Problem> = name(arguments).into_iter().collect();
    found.extend(["node_image", "network", "kubeconfig_path"].into_iter().filter_map(|argument| {
        let is_empty = arguments.text(argument) == Some("");
        is_empty.then(|| invalid(argument, "it names nothing"))
    }));
    found.extend(nodes::problems(arguments));
    found.extend(networking::problems(arguments));
    found
}

fn invalid(argument: &str, why: &str) -> Problem {
    Problem::with(argument, "invalid kind cluster", format!("`{argument}`: {why}"))
}

/// What is wrong with the name. The longest name of a node is `<name>-external-load-balancer`, and a node is a label of its host.
fn name(arguments: &Value) -> Option<Problem> {
    let name = arguments.text("name")?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    // Engines want containers to begin with a letter or a digit.
    let is_name = name.len() > 1 && name.bytes().all(fits) && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if !is_name {
        let why =
            format!("`{name}` is no name of a cluster: two or more small letters, digits, `.` and `-`, beginning with a letter or digit");
        return Some(invalid("name", &why));
    }
    let is_long = name.len() > 50;
    let detail = || format!("`{name}` has {} characters; with more than 50, names of nodes get too long for some systems", name.len());
    is_long.then(|| Problem::with("name", "long cluster name", detail()).help("Choose a shorter name.").warning())
}

/// Whether a value is a whole number within a range; one that is not there or not known is.
fn is_within(value: Option<&Value>, range: std::ops::RangeInclusive<i32>) -> bool {
    let Some(value) = value.filter(|value| value.is_known() && !value.is_null()) else { return true };
    let number = value.to_json().ok().and_then(|number| number.as_f64()).unwrap_or(f64::NAN);
    number.fract() == 0.0 && number >= f64::from(*range.start()) && number <= f64::from(*range.end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_those_that_kind_and_engines_take() {
        let long = "c".repeat(51);
        for (argument, text, expected) in [
            ("name", "test-cluster01", None),
            ("name", "c.1", None),
            ("name", "C1", Some("small letters")),
            ("name", "-c", Some("beginning with a letter")),
            ("name", "c", Some("two or more")),
            ("name", "", Some("two or more")),
            ("name", "a_b", Some("small letters")),
            ("name", &long, Some("has 51 characters")),
            ("node_image", "", Some("names nothing")),
            ("network", "", Some("names nothing")),
            ("kubeconfig_path", "", Some("names nothing")),
        ] {
            let found = problems(&Value::from_json(&json!({ argument: text })));
            match expected {
                None => assert!(found.is_empty(), "{text}: {found:?}"),
                Some(words) => assert!(found.len() == 1 && found[0].detail.contains(words), "{text}: {found:?}"),
            }
            let is_warned = found.iter().any(|problem| problem.warning);
            assert_eq!(is_warned, found.iter().any(|problem| problem.summary == "long cluster name"), "{text}");
        }
    }

    #[test]
    fn whole_numbers_have_a_range() {
        for (number, expected) in
            [(json!(-1), true), (json!(65_535), true), (json!(-2), false), (json!(65_536), false), (json!(1.5), false), (json!(null), true)]
        {
            assert_eq!(is_within(Some(&Value::from_json(&number)), -1..=65_535), expected, "{number}");
        }
        assert!(is_within(None, 0..=1));
    }
}
