//! What all kinds of things at an Engine have in common: each is known by its name, and compared attribute by attribute.

use crate::planning::{self, Comparable};
use engine::address::Address;
use engine::schema::{Claim, Comparison, Kind, Planned, Problem, Schema};
use engine::value::Value;

/// A kind of things at an Engine that have a name of their own.
pub(crate) trait Thing: Comparable + Send + Sync {
    /// What identities begin with, such as `network`.
    const NOUN: &'static str;

    /// Every problem that the arguments alone show.
    fn problems(&self, arguments: &Value) -> Vec<Problem>;

    /// What it takes of the machine or the Engine, as far as that is known.
    fn claims(&self, arguments: &Value) -> Vec<Claim> {
        let _ = arguments;
        Vec::new()
    }

    /// Problems that show only when all are seen together, each with the one it is reported at.
    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        let _ = instances;
        Vec::new()
    }

    /// Whether several resources may have it in common.
    fn is_shared(&self, arguments: &Value) -> bool {
        let _ = arguments;
        false
    }

    /// Whether it is waited for.
    fn settles(&self, arguments: &Value) -> bool {
        let _ = arguments;
        self.schema().settles
    }
}

/// A text that may be repeated in messages; nothing if it is not known or is a secret.
pub(crate) fn plain(value: &Value) -> Option<&str> {
    if value.holds_sensitive() { None } else { value.as_str() }
}

/// The kind of such things.
#[derive(Debug, Default)]
pub(crate) struct Named<T>(pub(crate) T);

impl<T: Thing> Kind for Named<T> {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        self.0.problems(arguments)
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        Some(format!("{}/{}", T::NOUN, arguments.text("name")?))
    }

    fn is_shared(&self, arguments: &Value) -> bool {
        self.0.is_shared(arguments)
    }

    /// The id is the name.
    fn import(&self, id: &str, arguments: &Value) -> Result<(), Problem> {
        match arguments.text("name") {
            Some(name) if name == id => Ok(()),
            Some(name) => {
                let detail = format!("`id` names `{id}`, and the configuration describes `{name}`");
                Err(Problem::new("id of another object", detail).help("Let both name the same object: the id is its name."))
            }
            None => {
                let detail = "its name is known only after apply, and what is imported is looked at when the plan is made";
                Err(Problem::new("import not known yet", detail)
                    .help("Let it come from variables, locals or a data source that is read now."))
            }
        }
    }

    fn adopts(&self, arguments: &Value) -> bool {
        arguments.text("on_exists") == Some("adopt")
    }

    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        self.0.lint(instances)
    }

    fn claims(&self, arguments: &Value) -> Option<Vec<Claim>> {
        Some(self.0.claims(arguments))
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        // Whether the name is free is told with what else may stand in the way, also where part of the arguments is not known yet.
        planning::planned(&self.0, Comparison { previewable: false, ..asked })
    }

    fn stands_on(&self, observed: &Value) -> Value {
        planning::without_engine(observed)
    }

    fn settles(&self, arguments: &Value) -> bool {
        self.0.settles(arguments)
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        planning::remembered(self.0.schema(), attributes, secret_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkKind;
    use engine::value::Type;

    #[test]
    fn a_thing_is_imported_by_its_name() {
        let kind = Named(NetworkKind::default());
        let named = Value::object([("name", Value::string("mesh"))]);
        let open = Value::object([("name", Value::unknown(Type::String))]);
        for (id, arguments, expected) in
            [("mesh", &named, None), ("kind", &named, Some("id of another object")), ("mesh", &open, Some("import not known yet"))]
        {
            let summary = kind.import(id, arguments).map_err(|problem| problem.summary).err();
            assert_eq!(summary.as_deref(), expected, "{id}");
        }
        assert_eq!((kind.identity(&named).as_deref(), kind.identity(&open)), (Some("network/mesh"), None));
    }
}
