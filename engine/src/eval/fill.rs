//! Templates of values, and their expressions, once the unknown is known: what an apply runs.

use super::evaluator::Evaluator;
use super::order::set_without_origins;
use super::{Arena, Scope};
use crate::address::Address;
use crate::config::Expr;
use crate::diagnostic::Problems;
use crate::value::{Data, Entry, Flags, Instance, Mapping, Sequence, SequenceKind, Thunk, Value};
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
    made.with_origin(origin).sensitive_if(template.flags().has(Flags::SENSITIVE))
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
