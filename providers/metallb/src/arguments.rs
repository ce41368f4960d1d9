//! Reading arguments through references.

use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;

/// What stands at the end of a path that starts at an argument and follows references: `["metallb", "cluster"]` is the cluster of the
/// installation.
pub(crate) fn through<'a>(arguments: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(arguments.get(first)?, |at, step| at.referent(step))
}

/// The same as text.
pub(crate) fn text<'a>(arguments: &'a Value, path: &[&str]) -> Option<&'a str> {
    through(arguments, path)?.as_str()
}

/// The address of the instance that a path leads to.
pub(crate) fn address(arguments: &Value, path: &[&str]) -> Option<Address> {
    Some(through(arguments, path)?.instance()?.address.clone())
}

/// An error unless the argument leads to an instance, as those of a record do not.
pub(crate) fn referring(arguments: &Value, argument: &str) -> Result<(), Problem> {
    if arguments.get(argument).is_some_and(|value| value.instance().is_some() || !value.is_known()) {
        return Ok(());
    }
    Err(Problem::with(argument, "no reference", format!("`{argument}` leads to no resource")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use engine::schema::{Presence, Schema};
    use engine::value::{Class, Data, Instance};
    use std::sync::Arc;

    /// A reference to an instance with these attributes.
    pub(crate) fn reference(class: &'static [Class], name: &str, attributes: Value) -> Value {
        let address = Address::managed(&format!("k_{}", class.first().unwrap_or(&"any")), name);
        Value::new(Data::Reference(Arc::new(Instance { address, classes: class, attributes })))
    }

    /// A cluster of this name.
    pub(crate) fn cluster(name: &str) -> Value {
        reference(&["cluster"], name, Value::object([("server", Value::string(format!("https://{name}.example:6443")))]))
    }

    /// The same arguments with these instead.
    pub(crate) fn with(arguments: &Value, changes: &[(&str, Value)]) -> Value {
        let given = arguments.entries().iter().map(|entry| (entry.key.to_string(), entry.value.clone()));
        Value::object(given.chain(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))))
    }

    /// The defaults of a kind.
    pub(crate) fn defaults(schema: &Schema) -> Value {
        let given = schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed);
        Value::object(given.map(|attribute| (attribute.name, attribute.default.clone().unwrap_or_else(Value::null))))
    }

    #[test]
    fn paths_follow_references() {
        let metallb = reference(&["metallb"], "m", Value::object([("cluster", cluster("c1")), ("version", Value::string("0.12.1"))]));
        let arguments = Value::object([("metallb", metallb), ("of_record", Value::string("metallb.m"))]);
        assert_eq!(text(&arguments, &["metallb", "version"]), Some("0.12.1"));
        assert_eq!(text(&arguments, &["metallb", "cluster", "server"]), Some("https://c1.example:6443"));
        assert_eq!(address(&arguments, &["metallb", "cluster"]), Some(Address::managed("k_cluster", "c1")));
        assert_eq!(text(&arguments, &["of_record", "version"]), None);
        assert!(referring(&arguments, "metallb").is_ok() && referring(&arguments, "of_record").is_err());
    }
}
