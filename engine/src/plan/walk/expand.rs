//! From `count` and `for_each` to keys.

use super::tables::{Binding, Instances, Keys, ModuleInstance};
use super::{FAILED, Site, Walk};
use crate::address::Key;
use crate::config::{Expr, Repetition};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{Arena, convert};
use crate::source::Span;
use crate::value::{Data, Flags, Marks, Origin, SequenceKind, Type, Value};
use std::sync::Arc;

impl Instances {
    /// The instances of a call in two instances of the calling module.
    pub(super) fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::Known(mut all), Self::Known(more)) => {
                all.extend(more);
                Self::Known(all)
            }
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Blocked(why), _) | (_, Self::Blocked(why)) => Self::Blocked(why),
            (Self::Open, _) | (_, Self::Open) => Self::Open,
        }
    }
}

impl Walk<'_> {
    /// Expands a `module` block in one instance of the calling module; nothing while that is open.
    pub(super) fn expand_call(&mut self, module: usize, name: &Arc<str>, instance: &ModuleInstance) -> Option<Instances> {
        let block = self.tables.skeleton.modules[module].module.clone();
        let call = &block.calls[name];
        let site = Site::of(module, &instance.path);
        if let Err(problems) = self.dependencies(&call.depends_on, site) {
            self.report(problems);
            return Some(Instances::Failed);
        }
        Some(match self.keys(&call.repetition, site) {
            Keys::Open => return None,
            Keys::Blocked(why) => Instances::Blocked(why),
            Keys::Failed => Instances::Failed,
            Keys::Known(bindings) => {
                let made = bindings.into_iter().map(|binding| {
                    let origin = self.arena.origins.join(&[instance.origin, binding.origin]);
                    ModuleInstance { path: instance.path.child(name, binding.key.clone()), binding, origin }
                });
                Instances::Known(made.collect())
            }
        })
    }

    /// The keys of a block, with errors reported.
    pub(super) fn keys(&mut self, repetition: &Repetition, site: Site<'_>) -> Keys {
        let result = match repetition {
            Repetition::Once => Ok(Keys::Known(vec![Binding { key: Key::None, value: None, origin: Origin::NONE }])),
            Repetition::Count(expression) => self.count_keys(expression, site),
            Repetition::ForEach(expression) => self.for_each_keys(expression, site),
        };
        result.unwrap_or_else(|problems| {
            self.report(problems);
            Keys::Failed
        })
    }

    fn count_keys(&mut self, expression: &Expr, site: Site<'_>) -> Result<Keys, Problems> {
        let value = self.evaluate(expression, site)?;
        shown(&value, "count", expression)?;
        if let Some(why) = self.standing(value.origin()).unread {
            return Ok(Keys::Blocked(why));
        }
        if let Some(keys) = self.undecided(&value, "count", expression)? {
            return Ok(keys);
        }
        let count = as_count(value.clone(), expression.span, &mut self.arena)?;
        Ok(Keys::Known((0..count).map(|index| Binding { key: Key::Number(index), value: None, origin: value.origin() }).collect()))
    }

    fn for_each_keys(&mut self, expression: &Expr, site: Site<'_>) -> Result<Keys, Problems> {
        let value = self.evaluate(expression, site)?;
        let wrong = |detail: &str| Err(vec![Diagnostic::error("wrong `for_each`", detail).at(expression.span)]);
        shown(&value, "for_each", expression)?;
        if value.is_marked_sensitive() {
            return wrong("`for_each` is sensitive, and its keys would be shown in addresses");
        }
        // How many there are is not decided by what is only remembered.
        if let Some(why) = self.standing(value.origin()).unread {
            return Ok(Keys::Blocked(why));
        }
        match value.data() {
            Data::Mapping(mapping) => {
                let bindings = mapping.entries().iter().map(|entry| {
                    let origin = self.arena.origins.join(&[entry.key_origin, value.origin()]);
                    let each = self.arena.origins.join(&[entry.value.origin(), value.origin()]);
                    Binding { key: Key::Text(entry.key.clone()), value: Some(entry.value.clone().with_origin(each)), origin }
                });
                Ok(Keys::Known(bindings.collect()))
            }
            Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)) => {
                if let Some(keys) = self.undecided(&value, "for_each", expression)? {
                    return Ok(keys);
                }
                let mut bindings = Vec::new();
                for item in sequence.items() {
                    let Some(text) = item.as_str() else { return wrong(NO_STRINGS) };
                    let origin = self.arena.origins.join(&[item.origin(), value.origin()]);
                    let each = item.clone().with_origin(origin);
                    bindings.push(Binding { key: Key::Text(text.into()), value: Some(each), origin });
                }
                Ok(Keys::Known(bindings))
            }
            Data::Sequence(_) | Data::Null => wrong(no_for_each(&value).unwrap_or(NO_MAP)),
            _ => match self.undecided(&value, "for_each", expression)? {
                Some(keys) => Ok(keys),
                None => wrong(NO_MAP),
            },
        }
    }

    /// What is to be said of a repetition that is not wholly known.
    fn undecided(&self, value: &Value, what: &str, expression: &Expr) -> Result<Option<Keys>, Problems> {
        let flags = value.flags();
        if flags.has(Flags::PENDING) {
            return Ok(Some(Keys::Open));
        }
        if let Some(why) = value.blocked_why() {
            return Ok(Some(if &*why == FAILED { Keys::Failed } else { Keys::Blocked(why) }));
        }
        if value.is_known() {
            return Ok(None);
        }
        let waits: Vec<_> = self.arena.origins.instances(value.origin()).into_iter().map(|address| format!("`{address}`")).collect();
        let waits = if waits.is_empty() { "an earlier change".to_owned() } else { waits.join(", ") };
        let detail = format!("`{what}` is known only after {waits} is applied, and a plan must know every address");
        let help = "Let it come from variables or locals, and use the unknown value inside the block.";
        Err(vec![Diagnostic::error(format!("`{what}` is not known yet"), detail).at(expression.span).help(help)])
    }
}

/// A known value as a `count`.
pub(super) fn as_count(value: Value, span: Span, arena: &mut Arena) -> Result<u64, Problems> {
    let count = convert(value, &Type::Number, arena).ok().and_then(|number| number.as_u64()).filter(|count| *count <= 1_000_000);
    count.ok_or_else(|| vec![Diagnostic::error("wrong `count`", "`count` takes a whole number from 0 to 1000000").at(span)])
}

const NO_MAP: &str = "`for_each` takes a map or a set of strings";
const NO_STRINGS: &str = "a set in `for_each` must hold strings; use `toset([…])` of strings or a map";

/// Why a known value is nothing to walk with `for_each`.
pub(super) fn no_for_each(value: &Value) -> Option<&'static str> {
    match value.data() {
        Data::Mapping(_) => None,
        Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)) => {
            sequence.items().iter().any(|item| item.as_str().is_none()).then_some(NO_STRINGS)
        }
        Data::Sequence(_) => Some("`for_each` takes a map or a set of strings; wrap a list in `toset(…)`"),
        Data::Null => Some("`for_each` is null"),
        _ => Some(NO_MAP),
    }
}

/// Refuses a repetition that follows from an ephemeral value. The values of its elements may be: they stand in no address.
fn shown(value: &Value, what: &str, expression: &Expr) -> Result<(), Problems> {
    let decision = if value.marks().has(Marks::EPHEMERAL) { value } else { &Value::null() };
    super::ephemeral::refuse(decision, &format!("`{what}`"), "addresses are stored in the state", expression.span)
}
