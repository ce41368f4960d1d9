//! The secrets of a plan: taken out of its values and expressions, sealed all together.

use super::expressions::{ExpressionV1, Expressions, Listing};
use super::values::{At, NodeV1, Numbers, Values, Writing};
use engine::config::{Expr, Node};
use engine::plan::{Op, Program};
use engine::schema::Catalogue;
use engine::value::{Data, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Why a plan with something ephemeral is not written.
pub(super) const EPHEMERAL: &str = "it holds an ephemeral value, which is never stored: apply without a file";

/// One secret with tables of its own: a value, or the last of the expressions.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretV1 {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::values::present")]
    value: Option<At>,
    expressions: Vec<ExpressionV1>,
    values: Vec<NodeV1>,
}

/// Secrets in the making, each once.
#[derive(Default)]
pub(super) struct Secrets {
    texts: Vec<String>,
    known: BTreeMap<String, u32>,
    failed: bool,
    met_ephemeral: bool,
}

impl Secrets {
    /// Keeps a value; its number.
    pub(super) fn keep(&mut self, value: &Value, numbers: Numbers) -> u32 {
        let mut values = Writing::new(None);
        values.numbers = numbers;
        // The mark is the number's.
        let at = values.put(&value.clone().unmarked());
        self.keep_text(Some(at), Vec::new(), values)
    }

    /// Keeps an expression; its number.
    pub(super) fn keep_expression(&mut self, expression: &Expr) -> u32 {
        let (mut values, mut listing) = (Writing::new(None), Listing { expressions: Vec::new() });
        listing.put(expression, &mut values);
        self.keep_text(None, listing.expressions, values)
    }

    fn keep_text(&mut self, value: Option<At>, expressions: Vec<ExpressionV1>, values: Writing<'_>) -> u32 {
        self.met_ephemeral |= values.met_ephemeral;
        let text = serde_json::to_string(&SecretV1 { value, expressions, values: values.nodes });
        self.failed |= text.is_err();
        let text = text.unwrap_or_default();
        if let Some(known) = self.known.get(&text) {
            return *known;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.known.insert(text.clone(), number);
        self.texts.push(text);
        number
    }

    /// All of them as one text to be sealed; nothing if there are none.
    pub(super) fn text(&self) -> Result<Option<String>, &'static str> {
        if self.met_ephemeral {
            return Err(EPHEMERAL);
        }
        if self.failed {
            return Err("a secret has no JSON form");
        }
        if self.texts.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!("[{}]", self.texts.join(","))))
    }
}

/// The slots whose expressions are secret: what they compute is sensitive where it goes, and of what is sensitive in them only the result
/// may have the mark.
pub(super) fn secret_slots(program: &Program) -> BTreeSet<u32> {
    let mut tracing = Tracing::default();
    for slot in &program.slots {
        each_value(&slot.op, &mut |value| tracing.visit(value, value.is_marked_sensitive()));
    }
    while let Some(slot) = tracing.open.pop() {
        if let Some(Op::Eval(expression)) = program.slots.get(slot as usize).map(|slot| &slot.op) {
            each_literal(expression, &mut |value| tracing.visit(value, true));
        }
    }
    tracing.found
}

#[derive(Default)]
struct Tracing {
    found: BTreeSet<u32>,
    open: Vec<u32>,
    seen: BTreeSet<(usize, bool)>,
}

impl Tracing {
    fn visit(&mut self, value: &Value, within: bool) {
        if value.is_constant() {
            return;
        }
        let within = within || value.is_marked_sensitive();
        let lies_at = match value.data() {
            Data::Unknown(_, thunk) => {
                if within && !thunk.is_none() && self.found.insert(thunk.0) {
                    self.open.push(thunk.0);
                }
                return;
            }
            Data::Sequence(shared) => Arc::as_ptr(shared).cast::<()>() as usize,
            Data::Mapping(shared) => Arc::as_ptr(shared).cast::<()>() as usize,
            Data::Instance(shared) | Data::Reference(shared) => Arc::as_ptr(shared).cast::<()>() as usize,
            _ => return,
        };
        if !self.seen.insert((lies_at, within)) {
            return;
        }
        if let Data::Reference(instance) = value.data() {
            self.visit(&instance.attributes, within);
        }
        for part in value.parts() {
            self.visit(part, within);
        }
    }
}

fn each_literal(expression: &Expr, visit: &mut dyn FnMut(&Value)) {
    if let Node::Literal(value) = &expression.node {
        visit(value);
    }
    expression.each_child(&mut |child| each_literal(child, visit));
}

/// Every value of a slot.
fn each_value(op: &Op, visit: &mut dyn FnMut(&Value)) {
    match op {
        Op::Const(value) | Op::Output { value, .. } | Op::Record { attributes: value, .. } => visit(value),
        Op::Eval(expression) => each_literal(expression, visit),
        Op::Render { arguments, members, placeholders, .. } => {
            visit(arguments);
            members.values().chain(placeholders.values().values()).for_each(visit);
        }
        Op::Read { arguments, .. } | Op::Probe { arguments, .. } | Op::Settle { arguments, .. } => visit(arguments),
        Op::Create { arguments, planned, .. }
        | Op::Update { arguments, planned, .. }
        | Op::Import { arguments, planned, .. }
        | Op::Look { arguments, planned, .. } => {
            visit(arguments);
            visit(planned);
        }
        Op::Assert { condition, message, .. } => {
            visit(condition);
            visit(message);
        }
        Op::Check { assertions, .. } => {
            for (condition, message) in assertions {
                visit(condition);
                visit(message);
            }
        }
        Op::Join | Op::Member { .. } | Op::Delete { .. } | Op::Forget { .. } => {}
    }
}

/// The secrets of a plan that is read.
pub(super) enum Opened {
    /// They are these.
    Secrets(Vec<Secret>),
    /// Nobody had the key: each is told from the others, and no more.
    Closed,
}

/// One of them.
pub(super) enum Secret {
    Value(Value),
    Expression(Expr),
}

impl Opened {
    /// A plan that has none.
    pub(super) fn none() -> Self {
        Self::Secrets(Vec::new())
    }

    /// Reads what was sealed.
    pub(super) fn read(text: &[u8], catalogue: &Catalogue) -> Result<Self, String> {
        let secrets: Vec<SecretV1> = serde_json::from_slice(text).map_err(|_| "what is sealed in it is damaged".to_owned())?;
        let none = Self::none();
        let secret = |secret: SecretV1| {
            let values = Values::read(secret.values, catalogue, &none)?;
            if let Some(at) = secret.value {
                return values.get(&at).map(Secret::Value);
            }
            let last = u32::try_from(secret.expressions.len().saturating_sub(1)).unwrap_or(u32::MAX);
            Expressions::read(secret.expressions, &values)?.take(last).map(Secret::Expression)
        };
        secrets.into_iter().map(secret).collect::<Result<_, _>>().map(Self::Secrets)
    }

    pub(super) fn value(&self, number: u32) -> Result<Value, String> {
        match self {
            Self::Closed => Ok(Value::string(format!("secret {number}")).sensitive()),
            Self::Secrets(secrets) => match secrets.get(number as usize) {
                Some(Secret::Value(value)) => Ok(value.clone().sensitive()),
                _ => Err(format!("there is no secret value {number}")),
            },
        }
    }

    /// What a slot does whose expression is secret.
    pub(super) fn op(&self, number: u32) -> Result<Op, String> {
        match self {
            Self::Closed => Ok(Op::Join),
            Self::Secrets(secrets) => match secrets.get(number as usize) {
                Some(Secret::Expression(expression)) => Ok(Op::Eval(expression.clone())),
                _ => Err(format!("there is no secret expression {number}")),
            },
        }
    }
}
