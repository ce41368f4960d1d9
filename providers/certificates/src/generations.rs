//! A root in generations: which there are, which of them signs, and which step leads from one to the next.
//!
//! Trust has to be everywhere before anything is signed with it, and stay until nothing signed with it is left. So a step adds generations,
//! or lets another one sign that was there before, or removes one that did not sign before; each is an apply of its own.

use engine::schema::Problem;
use engine::value::Value;
use std::collections::BTreeSet;

/// The generations of a root, as arguments or a record say them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generations {
    pub(crate) names: Vec<String>,
    pub(crate) signing: String,
}

impl Generations {
    /// Those of arguments, or of a record; nothing if there are none, or if they are not known.
    pub(crate) fn of(attributes: &Value) -> Option<Self> {
        let names = attributes.present("generations")?;
        let names: Option<Vec<String>> = names.items().iter().map(|name| name.as_str().map(str::to_owned)).collect();
        Some(Self { names: names.filter(|names| !names.is_empty())?, signing: attributes.text("signing")?.to_owned() })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// As the configuration says it.
    fn line(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| format!("{name:?}")).collect();
        format!("generations = [{}], signing = {:?}", names.join(", "), self.signing)
    }

    /// Why these may not follow what there is, with the step that may.
    pub(crate) fn refused_after(&self, former: Option<&Self>) -> Option<Problem> {
        let Some(former) = former else {
            // The root that is there gets the name of the oldest.
            let first = self.names.first()?;
            if self.signing == *first {
                return None;
            }
            let next = Self { signing: first.clone(), ..self.clone() };
            let why = format!("the root that is there becomes the generation `{first}`, and still signs");
            return Some(skipped(&why, &next));
        };
        let trusts_new = former.has(&self.signing);
        let keeps_old = self.has(&former.signing);
        if trusts_new && keeps_old {
            return None;
        }
        let both = |of: &Self, more: &str| {
            if of.has(more) { of.names.clone() } else { of.names.iter().cloned().chain([more.to_owned()]).collect() }
        };
        if trusts_new {
            let next = Self { names: both(self, &former.signing), signing: self.signing.clone() };
            let why = format!(
                "`{}` signs until now, and workloads hold certificates of it: it stays until nothing of it is left",
                former.signing
            );
            return Some(skipped(&why, &next));
        }
        let next = Self { names: both(former, &self.signing), signing: former.signing.clone() };
        let why = format!("no cluster trusts `{}` yet: it is trusted everywhere before it signs", self.signing);
        Some(skipped(&why, &next))
    }
}

/// What is wrong with `generations` and `signing`.
pub(crate) fn problems(arguments: &Value) -> Vec<Problem> {
    let wrong = |attribute: &str, detail: String| vec![Problem::with(attribute, "invalid generations", detail)];
    let Some(generations) = arguments.present("generations") else {
        return match arguments.present("signing") {
            Some(_) => wrong("signing", "`signing` names one of `generations`, and there are none".to_owned()),
            None => Vec::new(),
        };
    };
    if arguments.present("certificate_pem").is_some() {
        return wrong("generations", "`generations` are of a root that is made here, and `certificate_pem` brings one along".to_owned());
    }
    if is_open(arguments) {
        return Vec::new();
    }
    let names: Vec<&str> = generations.items().iter().filter_map(Value::as_str).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    if names.is_empty() || distinct.len() < names.len() || names.contains(&"") {
        return wrong("generations", "`generations` are one or more different names, the oldest first".to_owned());
    }
    match arguments.text("signing") {
        Some(signing) if names.contains(&signing) => Vec::new(),
        Some(signing) => wrong("signing", format!("`signing` is `{signing}`, which is none of `generations`")),
        None => wrong("signing", "`signing` says which of `generations` signs, and it is missing".to_owned()),
    }
}

/// Whether generations are given that are not known yet.
fn is_open(arguments: &Value) -> bool {
    arguments.present("generations").is_some()
        && ["generations", "signing"].iter().any(|name| arguments.get(name).is_some_and(|value| !value.is_known()))
}

/// Why a root that is there cannot be planned: which step is meant is not known.
pub(crate) fn unknown(arguments: &Value) -> Option<Problem> {
    let detail = "`generations` and `signing` are known only after apply, and which step they are has to be known when planning";
    is_open(arguments).then(|| Problem::with("generations", "invalid generations", detail))
}

/// A root that is not in generations any more.
pub(crate) fn ended(former: &Generations) -> Option<Problem> {
    if former.names.len() == 1 {
        return None;
    }
    let next = Generations { names: vec![former.signing.clone()], signing: former.signing.clone() };
    Some(skipped("without `generations` there is one root, and there are several", &next))
}

fn skipped(why: &str, next: &Generations) -> Problem {
    let help = format!("Write `{}` and apply that everywhere first.", next.line());
    Problem::with("generations", "skipped step of a rotation", why).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;

    fn generations(names: &str, signing: &str) -> Generations {
        Generations { names: names.split(' ').map(str::to_owned).collect(), signing: signing.to_owned() }
    }

    #[test]
    fn a_step_that_is_skipped_is_told_as_the_line_to_write() {
        for (before, after, line) in [
            (Some(("2024", "2024")), ("2024", "2024"), ""),
            (Some(("2024", "2024")), ("2024 2026", "2024"), ""),
            (Some(("2024 2026", "2024")), ("2024 2026", "2026"), ""),
            (Some(("2024 2026", "2026")), ("2026", "2026"), ""),
            (Some(("2024 2026", "2026")), ("2024 2026", "2024"), ""),
            (Some(("2024 2026", "2024")), ("2024", "2024"), ""),
            (Some(("2024", "2024")), ("2024 2026", "2026"), "generations = [\"2024\", \"2026\"], signing = \"2024\""),
            (Some(("2024", "2024")), ("2026", "2026"), "generations = [\"2024\", \"2026\"], signing = \"2024\""),
            (Some(("2024 2026", "2024")), ("2026", "2026"), "generations = [\"2026\", \"2024\"], signing = \"2026\""),
            (Some(("2024 2026", "2024")), ("2028", "2028"), "generations = [\"2024\", \"2026\", \"2028\"], signing = \"2024\""),
            (None, ("2024", "2024"), ""),
            (None, ("2024 2026", "2024"), ""),
            (None, ("2024 2026", "2026"), "generations = [\"2024\", \"2026\"], signing = \"2024\""),
        ] {
            let former = before.map(|(names, signing)| generations(names, signing));
            let problem = generations(after.0, after.1).refused_after(former.as_ref());
            let told = problem.and_then(|problem| problem.help).unwrap_or_default();
            assert!(told.contains(line) && told.is_empty() == line.is_empty(), "{before:?} {after:?}: {told}");
        }
    }

    #[test]
    fn generations_have_names_and_one_signs() {
        let text = |text: &str| Value::string(text);
        let list = |names: &[&str]| Value::tuple(names.iter().map(|name| text(name)).collect());
        for (entries, fits) in [
            (vec![], true),
            (vec![("generations", list(&["a"])), ("signing", text("a"))], true),
            (vec![("generations", list(&["a", "b"])), ("signing", text("b"))], true),
            (vec![("generations", list(&["a", "b"])), ("signing", text("c"))], false),
            (vec![("generations", list(&["a", "a"])), ("signing", text("a"))], false),
            (vec![("generations", list(&["a", ""])), ("signing", text("a"))], false),
            (vec![("generations", list(&[])), ("signing", text("a"))], false),
            (vec![("generations", list(&["a"]))], false),
            (vec![("signing", text("a"))], false),
            (vec![("generations", list(&["a"])), ("signing", text("a")), ("certificate_pem", text("x"))], false),
            (vec![("generations", Value::unknown(Type::list(Type::String))), ("signing", text("a"))], true),
            (vec![("generations", list(&["a"])), ("signing", Value::unknown(Type::String))], true),
        ] {
            assert_eq!(
                unknown(&Value::object(entries.clone())).is_some(),
                entries.iter().any(|(_, value)| !value.is_known()),
                "{entries:?}"
            );
            assert_eq!(problems(&Value::object(entries.clone())).is_empty(), fits, "{entries:?}");
        }
    }

    #[test]
    fn several_roots_do_not_become_one_without_a_name() {
        assert_eq!(ended(&generations("2026", "2026")), None);
        let told = ended(&generations("2024 2026", "2026")).and_then(|problem| problem.help).unwrap_or_default();
        assert!(told.contains("generations = [\"2026\"], signing = \"2026\""), "{told}");
    }
}
