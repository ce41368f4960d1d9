//! What functions there are, what each takes and gives, and one example of each that a test runs.

use super::argument::{Arguments, Fault, Work};
use super::{Called, json, yaml};
use super::{
    charset, conversion, date, digest, encoding, file, fileset, format, list, mapping, network, number, pattern, search, set, text,
};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{FileAnswer, Surroundings};
use crate::source::Span;
use crate::value::{Type, Value};
use std::fmt;

/// One function.
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// What it has to do with.
    pub group: Group,
    /// Its parameters in order. Optional ones follow the others; a repeated one is the last.
    pub parameters: &'static [Parameter],
    /// What its result is.
    pub gives: Gives,
    /// One or two sentences for people.
    pub doc: &'static str,
    /// A call and its result.
    pub example: Example,
    pub(super) body: Body,
}

/// A call and its result, both as expressions.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The call.
    pub call: &'static str,
    /// What it gives, as an expression without anything to compute but conversions.
    pub result: &'static str,
}

/// What functions have to do with, in the order of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Text.
    Strings,
    /// Numbers.
    Numbers,
    /// Lists, sets, tuples, maps, objects.
    Collections,
    /// JSON, YAML, base64 and the like.
    Encoding,
    /// Files of the configuration.
    Files,
    /// Timestamps.
    Dates,
    /// Digests.
    Hashes,
    /// IP networks.
    Networks,
    /// Types and marks.
    Types,
    /// What is evaluated before its arguments are.
    Control,
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name in documentation and messages.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// How often it is given.
    pub need: Need,
}

/// How often an argument is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Once.
    Required,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Repeated,
}

/// What a parameter takes, and how much of it must be known before the function can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A string, known.
    Text,
    /// A number, known.
    Number,
    /// A list of strings, wholly known.
    Texts,
    /// A list of numbers, wholly known.
    Numbers,
    /// A list, set or tuple, wholly known.
    Elements,
    /// Any value, also null, wholly known.
    Value,
    /// A list or tuple of known length.
    List,
    /// A list, set or tuple of known length.
    Sequence,
    /// A map or object with known keys.
    Mapping,
    /// A string, or a collection of known shape.
    Collection,
    /// Any value in any state, also null.
    Anything,
}

/// What a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A bool.
    Bool,
    /// A list of strings.
    Texts,
    /// A list of numbers.
    Numbers,
    /// A list.
    List,
    /// A set.
    Set,
    /// A map.
    Map,
    /// It depends on the arguments.
    Any,
}

/// How a function is computed.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// One known value of known ones; origins and marks are those of the arguments.
    Plain(fn(Arguments<'_>) -> Result<Value, Fault>),
    /// Out of parts that keep their state, origin and mark.
    Parts(fn(&mut Work<'_>) -> Result<Value, Fault>),
    /// Of the text of a file.
    File(fn(&FileAnswer, Arguments<'_>) -> Result<Value, Fault>),
    /// Of the files below a directory.
    Files(fn(&FileAnswer, Arguments<'_>) -> Result<Value, Fault>),
    /// Of where and when the plan is made.
    Planning(fn(&Surroundings, Arguments<'_>) -> Result<Value, Fault>),
    /// Of the time of day while applying.
    Applying(fn(u64) -> Value),
    /// By the evaluator, which does not evaluate all arguments first.
    Evaluator,
}

/// Every function, sorted by group, and within a group as its file lists them.
pub fn table() -> impl Iterator<Item = &'static Function> {
    [
        text::FUNCTIONS,
        format::FUNCTIONS,
        pattern::FUNCTIONS,
        number::FUNCTIONS,
        list::FUNCTIONS,
        search::FUNCTIONS,
        mapping::FUNCTIONS,
        set::FUNCTIONS,
        json::FUNCTIONS,
        yaml::FUNCTIONS,
        encoding::FUNCTIONS,
        charset::FUNCTIONS,
        file::FUNCTIONS,
        fileset::FUNCTIONS,
        date::FUNCTIONS,
        digest::FUNCTIONS,
        network::FUNCTIONS,
        conversion::FUNCTIONS,
        CONTROL,
    ]
    .into_iter()
    .flatten()
}

const CONTROL: &[Function] = &[
    Function {
        name: "can",
        group: Group::Control,
        parameters: &[Parameter::new("expression", Takes::Anything)],
        gives: Gives::Bool,
        doc: "Whether the expression has a value, rather than failing. What is known only after apply is decided then.",
        example: Example { call: "can({ a = 1 }.b)", result: "false" },
        body: Body::Evaluator,
    },
    Function {
        name: "try",
        group: Group::Control,
        parameters: &[Parameter::new("expression", Takes::Anything), Parameter::repeated("others", Takes::Anything)],
        gives: Gives::Any,
        doc: "The first of the expressions that does not fail.",
        example: Example { call: r#"try({ a = 1 }.b, "none")"#, result: r#""none""# },
        body: Body::Evaluator,
    },
    Function {
        name: "templatefile",
        group: Group::Control,
        parameters: &[Parameter::new("path", Takes::Text), Parameter::new("variables", Takes::Mapping)],
        gives: Gives::Text,
        doc: "The file rendered as a template in which the object's attributes are names. The path must be known while planning.",
        example: Example { call: r#"templatefile("greeting.tmpl", { name = "mesh" })"#, result: r#""hello, mesh""# },
        body: Body::Evaluator,
    },
    Function {
        name: "templatestring",
        group: Group::Control,
        parameters: &[Parameter::new("template", Takes::Text), Parameter::new("variables", Takes::Mapping)],
        gives: Gives::Text,
        doc: "The text rendered as a template in which the object's attributes are names.",
        example: Example { call: r#"templatestring("hello, $${name}", { name = "mesh" })"#, result: r#""hello, mesh""# },
        body: Body::Evaluator,
    },
];

impl Function {
    /// The name with its parameters, as in `lookup(map, key, [default])` and `max(numbers...)`.
    pub fn signature(&self) -> String {
        let parameters: Vec<_> = self.parameters.iter().map(ToString::to_string).collect();
        format!("{}({})", self.name, parameters.join(", "))
    }

    /// Whether whole values become text, whose length what they share says nothing of.
    pub(super) fn writes_values_out(&self) -> bool {
        matches!(self.gives, Gives::Text | Gives::Texts) && self.parameters.iter().any(|parameter| parameter.takes == Takes::Value)
    }

    /// The parameter that takes the argument at an index.
    pub(super) fn parameter(&self, at: usize) -> Option<&'static Parameter> {
        let last = self.parameters.last().filter(|parameter| parameter.need == Need::Repeated);
        self.parameters.get(at).or(last)
    }

    pub(super) fn check_count(&self, arguments: &[(Value, Span)], called: Called<'_>) -> Result<(), Problems> {
        let given = arguments.len();
        let least = self.parameters.iter().filter(|parameter| parameter.need == Need::Required).count();
        let endless = self.parameters.last().is_some_and(|parameter| parameter.need == Need::Repeated);
        let most = self.parameters.len();
        if given >= least && (endless || given <= most) {
            return Ok(());
        }
        let expected = match (least, most) {
            (least, _) if endless => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let noun = if expected == "1" || expected == "at least 1" { "argument" } else { "arguments" };
        let is = if given == 1 { "is" } else { "are" };
        let detail = format!("`{}` takes {expected} {noun}, {given} {is} given", self.name);
        Err(vec![Diagnostic::error("wrong number of arguments", detail).help(format!("call it as `{}`", self.signature())).at(called.span)])
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.signature())
    }
}

impl Parameter {
    pub(super) const fn new(name: &'static str, takes: Takes) -> Self {
        Self { name, takes, need: Need::Required }
    }

    pub(super) const fn optional(name: &'static str, takes: Takes) -> Self {
        Self { name, takes, need: Need::Optional }
    }

    pub(super) const fn repeated(name: &'static str, takes: Takes) -> Self {
        Self { name, takes, need: Need::Repeated }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.need {
            Need::Required => f.write_str(self.name),
            Need::Optional => write!(f, "[{}]", self.name),
            Need::Repeated => write!(f, "{}...", self.name),
        }
    }
}

impl Takes {
    /// Whether only the shape counts: what the elements are does not enter the result as such.
    pub(super) fn looks_at_shape_alone(self) -> bool {
        matches!(self, Self::List | Self::Sequence | Self::Mapping | Self::Collection | Self::Anything)
    }

    /// Whether null is an argument like any other.
    pub(super) fn takes_null(self) -> bool {
        matches!(self, Self::Value | Self::Anything)
    }
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "string",
            Self::Number => "number",
            Self::Texts => "list of strings",
            Self::Numbers => "list of numbers",
            Self::Elements | Self::Sequence => "list, set or tuple",
            Self::Value | Self::Anything => "anything",
            Self::List => "list or tuple",
            Self::Mapping => "map or object",
            Self::Collection => "string or collection",
        })
    }
}

impl Gives {
    /// The type of a result that is not known.
    pub(super) fn ty(self) -> Type {
        match self {
            Self::Text => Type::String,
            Self::Number => Type::Number,
            Self::Bool => Type::Bool,
            Self::Texts => Type::list(Type::String),
            Self::Numbers => Type::list(Type::Number),
            Self::List => Type::list(Type::Any),
            Self::Set => Type::set(Type::Any),
            Self::Map => Type::map(Type::Any),
            Self::Any => Type::Any,
        }
    }
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => f.write_str("list"),
            Self::Set => f.write_str("set"),
            Self::Map => f.write_str("map"),
            known => known.ty().fmt(f),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strings => "Strings",
            Self::Numbers => "Numbers",
            Self::Collections => "Collections",
            Self::Encoding => "Encoding",
            Self::Files => "Files",
            Self::Dates => "Dates and times",
            Self::Hashes => "Hashes",
            Self::Networks => "IP networks",
            Self::Types => "Types and marks",
            Self::Control => "Control",
        })
    }
}
