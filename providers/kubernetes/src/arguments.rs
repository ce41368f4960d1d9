//! Reading arguments through references.

use engine::address::Address;
use engine::config::seconds;
use engine::diagnostic::Diagnostic;
use engine::question::Answer;
use engine::schema::Problem;
use engine::value::Value;

/// The longest time to wait, in seconds: a day.
const LONGEST: u64 = 86_400;

/// What stands at the end of a path that starts at an argument and follows references: `["control_plane", "cluster"]` is the cluster of the
/// control plane.
pub fn through<'a>(arguments: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(arguments.get(first)?, |at, step| at.referent(step))
}

/// The same as text.
pub fn text<'a>(arguments: &'a Value, path: &[&str]) -> Option<&'a str> {
    through(arguments, path)?.as_str()
}

/// What stands at a path within an object, which holds no references.
pub fn entry<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |at, step| at.get(step)).filter(|value| !value.is_null())
}

/// The address of the instance that a path leads to.
pub fn address(arguments: &Value, path: &[&str]) -> Option<Address> {
    Some(through(arguments, path)?.instance()?.address.clone())
}

/// An error unless the argument leads to an instance, as those of a record do not.
pub fn referring(arguments: &Value, argument: &str) -> Result<(), Problem> {
    if arguments.get(argument).is_some_and(|value| value.instance().is_some() || !value.is_known()) {
        return Ok(());
    }
    Err(Problem::with(argument, "no reference", format!("`{argument}` leads to no resource")))
}

/// What is wrong with how pods are chosen: by `name` or by `label_selector`.
pub fn pods_problem(arguments: &Value) -> Option<Problem> {
    let given = |name: &str| arguments.get(name).is_some_and(|value| !value.is_null());
    let detail = "which pods are meant is said by exactly one of `name` and `label_selector`";
    if given("name") == given("label_selector") {
        return Some(Problem::new("unclear pods", detail).help("Write one of the two."));
    }
    let empty = |name: &&str| arguments.text(name).is_some_and(|text| text.trim().is_empty());
    let name = ["name", "label_selector"].into_iter().find(empty)?;
    let detail = format!("`{name}` is empty, and says of no pod that it is meant");
    Some(Problem::new("unclear pods", detail).help("Write the name of a pod, or conditions on labels."))
}

/// What is wrong with the argument `timeout`, if it is known.
pub fn timeout_problem(arguments: &Value) -> Option<Problem> {
    time_problem(arguments, "timeout")
}

/// The same of another argument that says how long is waited.
pub fn time_problem(arguments: &Value, name: &str) -> Option<Problem> {
    let text = arguments.text(name)?;
    let detail = match seconds(text) {
        Some(1..=LONGEST) => return None,
        Some(0) | None => format!("`{text}` is no time to wait; one is written as `5s` or `1m`"),
        Some(_) => format!("`{text}` is longer than `24h`, the longest time to wait"),
    };
    Some(Problem::with(name, "invalid timeout", detail).help("Write whole seconds or minutes."))
}

/// The answer to a question with such arguments, if one of the problems is an error: some show only once all is known.
pub fn refusal(problems: Vec<Problem>) -> Option<Answer> {
    let problem = problems.into_iter().find(|problem| !problem.warning)?;
    let said = Diagnostic::error(problem.summary, problem.detail);
    Some(Answer::Refused(problem.help.into_iter().fold(said, Diagnostic::help)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;

    #[test]
    fn paths_follow_references() {
        let attributes = |name: &str, value: Value| Value::object([(name, value)]);
        let cluster = Value::reference(Address::managed("k_cluster", "c1"), &["cluster"], attributes("server", Value::string("s")));
        let plane = Value::reference(Address::managed("k_plane", "p"), &["control_plane"], attributes("cluster", cluster));
        let arguments =
            Value::object([("control_plane", plane), ("of_record", Value::string("k_plane.p")), ("later", Value::unknown(Type::Any))]);
        assert_eq!(text(&arguments, &["control_plane", "cluster", "server"]), Some("s"));
        assert_eq!(address(&arguments, &["control_plane", "cluster"]), Some(Address::managed("k_cluster", "c1")));
        assert_eq!(text(&arguments, &["of_record", "cluster"]), None);
        assert!(through(&arguments, &[]).is_none() && through(&arguments, &["nothing"]).is_none());
        for (argument, refers) in [("control_plane", true), ("later", true), ("of_record", false), ("nothing", false)] {
            assert_eq!(referring(&arguments, argument).is_ok(), refers, "{argument}");
        }
    }

    #[test]
    fn a_time_to_wait_is_at_most_a_day() {
        for (text, good) in [("1s", true), ("24h", true), ("24h1s", false), ("9000000000000000h", false), ("0s", false), ("5", false)] {
            assert_eq!(timeout_problem(&Value::object([("timeout", Value::string(text))])).is_none(), good, "{text}");
        }
    }

    #[test]
    fn the_first_error_refuses() {
        let problem = |summary: &str| Problem::new(summary, "it is wrong");
        assert_eq!(refusal(vec![problem("a").warning()]), None);
        let expected = Diagnostic::error("b", "it is wrong").help("Mend it.");
        assert_eq!(refusal(vec![problem("a").warning(), problem("b").help("Mend it."), problem("c")]), Some(Answer::Refused(expected)));
    }
}
