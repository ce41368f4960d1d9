//! Arguments: as parameters ask for them, as functions read them, and what is said when they do not fit.

use super::table::{Function, Need, Parameter, Takes};
use super::{Called, later};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::convert::{convert, number_text, primitive};
use crate::eval::instance::as_object;
use crate::eval::strict::{Open, first, from_also, strict, taken};
use crate::eval::{Arena, Mismatch, words};
use crate::source::Span;
use crate::value::{Data, Entry, Marks, Number, Origin, SequenceKind, Type, Value};
use rust_decimal::prelude::ToPrimitive;

/// Why a function has no value for its arguments.
#[derive(Debug)]
pub(super) struct Fault {
    argument: Option<usize>,
    detail: String,
}

impl Fault {
    /// One argument is to blame. The detail follows on "the `name` of `function`" and never holds a sensitive value.
    pub(super) fn at(argument: usize, detail: impl Into<String>) -> Self {
        Self { argument: Some(argument), detail: detail.into() }
    }

    /// All are. The detail follows on the function's name.
    pub(super) fn call(detail: impl Into<String>) -> Self {
        Self { argument: None, detail: detail.into() }
    }

    /// An argument is not of the type it should have.
    pub(super) fn mismatch(argument: usize, mismatch: &Mismatch) -> Self {
        Self::at(argument, format!("does not fit: {mismatch}"))
    }

    pub(super) fn problems(self, function: &Function, called: Called<'_>, arguments: &[(Value, Span)]) -> Problems {
        let named = self.argument.and_then(|at| Some((function.parameter(at)?, at, arguments.get(at)?.1)));
        let problem = match named {
            Some((parameter, at, span)) => {
                let nth = if parameter.need == Need::Repeated { format!(", argument {},", at + 1) } else { String::new() };
                let detail = format!("the `{}` of `{}`{nth} {}", parameter.name, function.name, self.detail);
                Diagnostic::error("unsuitable argument", detail).at(span)
            }
            None => Diagnostic::error("unsuitable arguments", format!("`{}` {}", function.name, self.detail)).at(called.span),
        };
        vec![problem.help(format!("call it as `{}`: {}", function.signature(), lowered(function.doc)))]
    }
}

/// A sentence as it goes on after a colon.
fn lowered(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut characters = sentence.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(characters).collect(),
        _ => sentence.to_owned(),
    }
}

/// The arguments as the parameters ask for them, and the first state that keeps the function from running. Every problem is reported.
pub(super) fn prepare(
    function: &'static Function,
    arguments: &[(Value, Span)],
    called: Called<'_>,
    arena: &mut Arena,
) -> Result<(Vec<Value>, Option<Open>), Problems> {
    let mut values = Vec::with_capacity(arguments.len());
    let mut problems = Problems::new();
    let mut open = None;
    for (at, (value, span)) in arguments.iter().enumerate() {
        let Some(parameter) = function.parameter(at) else { continue };
        match one(parameter, (at, value, *span), arena) {
            Ok((value, state)) => {
                open = first(open, state);
                values.push(value);
            }
            Err(fault) => problems.extend(fault.problems(function, called, arguments)),
        }
    }
    if problems.is_empty() { Ok((values, open)) } else { Err(problems) }
}

fn one(parameter: &Parameter, (at, value, span): (usize, &Value, Span), arena: &mut Arena) -> Result<(Value, Option<Open>), Fault> {
    let takes = parameter.takes;
    if value.is_null() && !takes.takes_null() {
        return Err(Fault::at(at, "is null here"));
    }
    let mismatch = |mismatch: Mismatch| Fault::mismatch(at, &mismatch);
    match takes {
        Takes::Text | Takes::Number => {
            let ty = if takes == Takes::Text { Type::String } else { Type::Number };
            match Open::of(value) {
                Some(open) => {
                    convert(value.clone(), &ty, arena).map_err(mismatch)?;
                    Ok((value.clone(), Some(open)))
                }
                None => Ok((primitive(value, &ty).map_err(mismatch)?, None)),
            }
        }
        Takes::Texts | Takes::Numbers => {
            let ty = Type::list(if takes == Takes::Texts { Type::String } else { Type::Number });
            let converted = convert(value.clone(), &ty, arena).map_err(mismatch)?;
            Ok((converted, strict([value])))
        }
        Takes::Value => Ok((value.clone(), strict([value]))),
        Takes::Anything => Ok((value.clone(), None)),
        Takes::Elements | Takes::List | Takes::Sequence | Takes::Mapping | Takes::Collection => {
            let value = as_object(value, span, arena);
            if let Some(open) = Open::of(&value) {
                return Ok((value, Some(open)));
            }
            let suitable = match value.data() {
                Data::Sequence(sequence) => match takes {
                    Takes::List => !matches!(sequence.kind(), SequenceKind::Set(_)),
                    _ => takes != Takes::Mapping,
                },
                Data::Mapping(_) => matches!(takes, Takes::Mapping | Takes::Collection),
                Data::String(_) => takes == Takes::Collection,
                _ => false,
            };
            if !suitable {
                return Err(Fault::at(at, format!("must be a {takes}, found {}", words(&value))));
            }
            // An unknown element of a set may turn out to equal another one, so a set has no shape before all is known.
            let set = matches!(value.data(), Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)));
            let open = if set || takes == Takes::Elements { strict([&value]) } else { None };
            Ok((value, open))
        }
    }
}

/// Prepared arguments, as functions of known values read them. What is asked for at an index fits the parameter there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a> {
    values: &'a [Value],
}

impl<'a> Arguments<'a> {
    pub(super) fn new(values: &'a [Value]) -> Self {
        Self { values }
    }

    /// The argument, if it is given.
    pub(super) fn get(self, at: usize) -> Option<&'a Value> {
        self.values.get(at)
    }

    /// All arguments from an index on.
    pub(super) fn rest(self, from: usize) -> &'a [Value] {
        self.values.get(from..).unwrap_or_default()
    }

    /// The text of a string.
    pub(super) fn text(self, at: usize) -> &'a str {
        self.get(at).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number.
    pub(super) fn number(self, at: usize) -> Number {
        self.get(at).and_then(Value::as_number).unwrap_or_default()
    }

    /// A number that must be whole.
    pub(super) fn whole(self, at: usize) -> Result<i64, Fault> {
        let number = self.number(at);
        let whole = if number.is_integer() { number.to_i64() } else { None };
        whole.ok_or_else(|| Fault::at(at, format!("must be a whole number, found {}", self.shown(at))))
    }

    /// The elements of a list, set or tuple.
    pub(super) fn items(self, at: usize) -> &'a [Value] {
        self.get(at).map(Value::items).unwrap_or_default()
    }

    /// What is wrong with what an argument leads to, unless that would tell what it is.
    pub(super) fn reason(self, at: usize, why: &str) -> String {
        if self.get(at).is_some_and(Value::is_hidden) { String::new() } else { format!(": {why}") }
    }

    /// The argument as messages show it: nothing of a sensitive one, and not all of a long one.
    pub(super) fn shown(self, at: usize) -> String {
        self.get(at).map_or_else(|| "nothing".to_owned(), shown)
    }
}

/// A value as messages show it: nothing of a sensitive one, and not all of a long one.
pub(super) fn shown(value: &Value) -> String {
    if value.is_hidden() {
        return if value.holds_sensitive() { "a sensitive value" } else { "an ephemeral value" }.to_owned();
    }
    match value.data() {
        Data::String(text) if text.chars().count() <= 40 && !text.contains('\n') => format!("`{text}`"),
        Data::Number(number) => format!("`{}`", number_text(*number)),
        Data::Bool(truth) => format!("`{truth}`"),
        _ => words(value),
    }
}

/// What a function has that moves parts about.
pub(super) struct Work<'a> {
    /// The prepared arguments.
    pub(super) values: Vec<Value>,
    pub(super) called: Called<'a>,
    /// The arguments as they came.
    pub(super) arguments: &'a [(Value, Span)],
    pub(super) arena: &'a mut Arena,
}

impl Work<'_> {
    /// The arguments for reading.
    pub(super) fn given(&self) -> Arguments<'_> {
        Arguments::new(&self.values)
    }

    /// The elements of a sequence as they look from outside.
    pub(super) fn items(&mut self, at: usize) -> Vec<Value> {
        let Some(whole) = self.values.get(at) else { return Vec::new() };
        whole.items().iter().map(|item| taken(item.clone(), whole, self.arena)).collect()
    }

    /// The entries of a mapping as they look from outside; keys carry the mapping's origin as well.
    pub(super) fn entries(&mut self, at: usize) -> Vec<Entry> {
        let Some(whole) = self.values.get(at) else { return Vec::new() };
        let from = whole.origin();
        let entry = |entry: &Entry| {
            let value = taken(entry.value.clone(), whole, self.arena);
            let key_origin = self.arena.origins.join(&[entry.key_origin, from]);
            Entry { key: entry.key.clone(), key_origin, value }
        };
        whole.entries().iter().map(entry).collect()
    }

    /// A value from somewhere else as well.
    pub(super) fn with_source(&mut self, value: Value, origin: Origin) -> Value {
        from_also(value, origin, self.arena)
    }

    /// The marks of the arguments as a whole: what can be seen of their shapes has them, too.
    pub(super) fn marks(&self) -> Marks {
        Marks::of(&self.values)
    }

    /// The call left for later.
    pub(super) fn later(&mut self, open: Open, ty: Type) -> Value {
        later(open, ty, self.called, self.arguments, self.arena)
    }

    /// A part of an argument as a type.
    pub(super) fn convert(&mut self, at: usize, value: Value, ty: &Type) -> Result<Value, Fault> {
        convert(value, ty, self.arena).map_err(|mismatch| Fault::mismatch(at, &mismatch))
    }
}
