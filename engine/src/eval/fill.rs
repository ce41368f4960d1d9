//! Templates of values, and their expressions, once the unknown is known: what an apply runs.

use super::evaluator::Evaluator;
use super::order::set_without_origins;
use super::{Arena, Scope};
use crate::address::Address;
use crate::config::Expr;
use crate::diagnostic::Problems;
use crate::value::{Data, Entry, Instance, Mapping, Sequence, SequenceKind, Thunk, Value};
use std::sync::Arc;

/// What has become known: where [`fill`] and [`run`] take values from.
pub trait Fill {
    /// The value of a deferred computation; of a program, of the slot of this number.
    fn thunk(&mut self, thunk: Thunk) -> Value;

    /// The instance at an address with its attributes as they are now (an instance, a reference or its attributes' object), if this
    /// source has it; else it is filled part by part.
    fn instance(&mut self, address: &Address) -> Option<Value>;
}

/// A template with everything in it that was unknown replaced by its value. Instances get their attributes by address; references
/// stay references, with the attributes as they are now. What the template marks sensitive stays so, and so does what is filled in.
pub fn fill(template: &Value, source: &mut dyn Fill) -> Value {
    if template.is_constant() {
        return template.clone();
    }
    let made = match template.data() {
        Data::Unknown(_, thunk) => source.thunk(*thunk),
        Data::Instance(instance) => {
            let made = source.instance(&instance.address).map(|value| present(instance, &value));
            Value::new(Data::Instance(made.unwrap_or_else(|| {
                let attributes = fill(&instance.attributes, source);
                Arc::new(Instance { attributes, ..(**instance).clone() })
            })))
        }
        Data::Reference(instance) => match source.instance(&instance.address) {
            Some(value) => Value::new(Data::Reference(present(instance, &value))),
            None => return template.clone(),
        },
        Data::Sequence(sequence) => {
            let items = sequence.items().iter().map(|item| fill(item, source)).collect();
            match sequence.kind() {
                SequenceKind::Set(element) => set_without_origins(element.clone(), items),
                kind => Value::new(Data::Sequence(Arc::new(Sequence::new(kind.clone(), items)))),
            }
        }
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| Entry { value: fill(&entry.value, source), ..entry.clone() });
            Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
        }
        _ => return template.clone(),
    };
    let origin = template.origin();
    made.with_origin(origin).marked(template.marks())
}

/// The instance that a template means, with the attributes of a value that stands for it.
fn present(instance: &Arc<Instance>, value: &Value) -> Arc<Instance> {
    match value.instance() {
        Some(present) if present.address == instance.address && present.classes == instance.classes => present.clone(),
        Some(present) => Arc::new(Instance { attributes: present.attributes.clone(), ..(**instance).clone() }),
        None => Arc::new(Instance { attributes: value.clone(), ..(**instance).clone() }),
    }
}

/// Runs a deferred expression: [`super::evaluate`] with every literal filled from `source` first. Branches that are not taken are not
/// filled.
pub fn run(expression: &Expr, source: &mut dyn Fill, scope: &mut dyn Scope, arena: &mut Arena) -> Result<Value, Problems> {
    let mut evaluator = Evaluator::new(scope, arena);
    evaluator.source = Some(source);
    evaluator.expression(expression)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::scene::{Scene, show};
    use crate::value::{Origins, Type};

    /// Thunks by number are strings; the instances are `k.x`.
    struct Source {
        asked: Vec<u32>,
    }

    impl Fill for Source {
        fn thunk(&mut self, thunk: Thunk) -> Value {
            self.asked.push(thunk.0);
            Value::string(format!("t{}", thunk.0))
        }

        fn instance(&mut self, address: &Address) -> Option<Value> {
            let attributes = Value::object([("id", Value::string("new")), ("token", Value::string("s").sensitive())]);
            (*address.name == *"x")
                .then(|| Value::new(Data::Instance(Arc::new(Instance { address: address.clone(), classes: &[], attributes }))))
        }
    }

    fn unknown(thunk: u32) -> Value {
        Value::deferred(Type::String, Thunk(thunk))
    }

    fn instance(name: &str, attributes: Value) -> Arc<Instance> {
        Arc::new(Instance { address: Address::managed("k", name), classes: &["thing"], attributes })
    }

    fn open() -> Value {
        Value::object([("id", unknown(7))])
    }

    #[test]
    fn every_hole_is_filled_and_nothing_else_is_touched() {
        let set = |items| crate::eval::order::set_of(Type::String, items, &mut Origins::default());
        for (template, expected, asked) in [
            (Value::string("a"), "\"a\"", 0),
            (unknown(1), "\"t1\"", 1),
            (unknown(1).sensitive(), "*\"t1\"", 1),
            (Value::tuple(vec![unknown(1), Value::number(2), unknown(1)]), "[\"t1\", 2, \"t1\"]", 2),
            (Value::object([("a", unknown(1)), ("b", Value::null())]), "{a=\"t1\", b=null}", 1),
            (set(vec![unknown(1), Value::string("t0"), unknown(1), Value::string("z")]), "set[\"t0\", \"t1\", \"z\"]", 2),
            (Value::new(Data::Instance(instance("x", open()))), "<k.x>", 0),
            (Value::new(Data::Reference(instance("x", open()))), "&k.x", 0),
            (Value::pending(Type::Any), "…any", 0),
        ] {
            let mut source = Source { asked: Vec::new() };
            let value = fill(&template, &mut source);
            assert_eq!(show(&value), expected, "{template:?}");
            assert_eq!(source.asked.len(), asked, "{template:?}");
        }
    }

    #[test]
    fn instances_and_references_get_the_attributes_of_today() {
        for data in [Data::Instance(instance("x", open())), Data::Reference(instance("x", open()))] {
            let value = fill(&Value::tuple(vec![Value::new(data)]), &mut Source { asked: Vec::new() });
            let filled = &value.items()[0];
            assert_eq!(filled.referent("id"), Some(&Value::string("new")));
            assert_eq!(filled.instance().unwrap().classes, ["thing"]);
            assert!(filled.is_constant());
        }
        let value = fill(&Value::new(Data::Instance(instance("other", open()))), &mut Source { asked: Vec::new() });
        assert_eq!(value.get("id"), Some(&Value::string("t7")));
    }

    #[test]
    fn what_is_filled_in_keeps_its_own_mark() {
        let value = Value::new(Data::Instance(instance("x", Value::unknown(Type::Any))));
        let filled = fill(&Value::tuple(vec![value]), &mut Source { asked: Vec::new() });
        assert!(filled.holds_sensitive() && !filled.is_marked_sensitive());
    }

    #[test]
    fn a_branch_that_is_not_taken_is_not_filled() {
        let literal = |value| Box::new(crate::eval::strict::literal(value, crate::source::Span::new(crate::source::FileId(0), 0..1)));
        let node = crate::config::Node::Conditional(
            literal(Value::bool(true)),
            literal(Value::string("a")),
            literal(Value::tuple(vec![unknown(3)])),
        );
        let mut scene = Scene::default();
        let mut source = Source { asked: Vec::new() };
        let span = crate::source::Span::new(crate::source::FileId(0), 0..1);
        let value = run(&Expr::new(node, span), &mut source, &mut scene.names, &mut scene.arena);
        assert!(value.is_err(), "the branches do not agree");
        let node = crate::config::Node::Binary(crate::config::Binary::Or, literal(Value::bool(true)), literal(unknown(3)));
        let mut source = Source { asked: Vec::new() };
        let value = run(&Expr::new(node, span), &mut source, &mut scene.names, &mut scene.arena);
        assert_eq!((value, source.asked.len()), (Ok(Value::bool(true)), 0));
        let slot = Expr::new(crate::config::Node::Slot(crate::config::SlotId(4)), span);
        assert_eq!(run(&slot, &mut source, &mut scene.names, &mut scene.arena), Ok(Value::string("t4")));
        assert!(crate::eval::evaluate(&slot, &mut scene.names, &mut scene.arena).is_err());
    }
}
