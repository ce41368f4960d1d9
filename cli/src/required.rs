//! `required_version`: whether this meshplan may read a configuration.

use engine::config::Config;
use engine::diagnostic::Diagnostic;
use std::cmp::Ordering;

/// A version of three numbers; of those that a constraint leaves out it has zeros.
type Version = [u64; 3];

/// A problem for each module that this version does not fit, or whose constraint is none.
pub(crate) fn check(config: &Config, version: &str) -> Vec<Diagnostic> {
    let settings = config.modules.values().flat_map(|module| &module.settings.required_version);
    settings
        .filter_map(|(constraints, span)| {
            let problem = match fits(constraints, version) {
                Ok(true) => return None,
                Ok(false) => Diagnostic::error(
                    "another meshplan is required",
                    format!("this configuration requires meshplan `{constraints}`, and this is {version}"),
                )
                .help("Use a meshplan of such a version, or change `required_version`."),
                Err(why) => Diagnostic::error("not a version constraint", format!("`{constraints}`: {why}"))
                    .help("Write one such as `>= 0.1`, `~> 1.2` or `>= 1.0, < 2.0`."),
            };
            Some(problem.at(*span))
        })
        .collect()
}

/// Whether a version fits all constraints, which are parted by commas. An error is a fragment.
fn fits(constraints: &str, version: &str) -> Result<bool, String> {
    let (version, _) = parse(version)?;
    let mut all = true;
    for constraint in constraints.split(',') {
        all &= fits_one(constraint.trim(), version)?;
    }
    Ok(all)
}

fn fits_one(constraint: &str, version: Version) -> Result<bool, String> {
    let digits = constraint.find(|c: char| c.is_ascii_digit()).ok_or("a version such as `1.2.3` is missing")?;
    let (operator, bound) = constraint.split_at(digits);
    let (bound, given) = parse(bound)?;
    let order = version.cmp(&bound);
    match operator.trim() {
        "" | "=" => Ok(order == Ordering::Equal),
        "!=" => Ok(order != Ordering::Equal),
        ">" => Ok(order == Ordering::Greater),
        ">=" => Ok(order != Ordering::Less),
        "<" => Ok(order == Ordering::Less),
        "<=" => Ok(order != Ordering::Greater),
        // The last number that is given may grow, those before it may not.
        "~>" => Ok(order != Ordering::Less && version[..given - 1] == bound[..given - 1]),
        other => Err(format!("`{other}` is no comparison")),
    }
}

/// The version, and how many of its numbers are given. What follows `-` or `+` does not count.
fn parse(text: &str) -> Result<(Version, usize), String> {
    let text = text.trim();
    let numbers: Vec<&str> = text.split(['-', '+']).next().unwrap_or(text).split('.').collect();
    let mut version = [0; 3];
    if numbers.len() > version.len() {
        return Err(format!("`{text}` has more than three numbers"));
    }
    for (place, number) in version.iter_mut().zip(&numbers) {
        *place = number.parse().map_err(|_| format!("`{text}` is no version"))?;
    }
    Ok((version, numbers.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_fits_or_does_not() {
        for (constraints, version, expected) in [
            ("0.1.0", "0.1.0", true),
            ("= 0.1", "0.1.0", true),
            ("0.1.1", "0.1.0", false),
            (">= 0.1", "0.2.0", true),
            (">= 0.1, < 0.2", "0.2.0", false),
            (">0.1.0", "0.1.0", false),
            ("<= 1", "1.0.0", true),
            ("!= 1.2.3", "1.2.3", false),
            ("~> 1.2", "1.9.0", true),
            ("~> 1.2", "2.0.0", false),
            ("~> 1.2", "1.1.9", false),
            ("~> 1.2.3", "1.2.9", true),
            ("~> 1.2.3", "1.3.0", false),
            ("~> 1", "7.0.0", true),
            (">= 1.0.0-rc1", "1.0.0", true),
        ] {
            assert_eq!(fits(constraints, version), Ok(expected), "{constraints} {version}");
        }
    }

    #[test]
    fn what_is_no_constraint_says_why() {
        for (constraints, why) in [
            ("", "a version such as `1.2.3` is missing"),
            (">= 1,", "a version such as `1.2.3` is missing"),
            ("=> 1", "`=>` is no comparison"),
            ("1.2.3.4", "`1.2.3.4` has more than three numbers"),
            ("1.x", "`1.x` is no version"),
        ] {
            assert_eq!(fits(constraints, "1.0.0"), Err(why.to_owned()), "{constraints}");
        }
    }
}
