//! How what is known only after an apply is computed, in a form that does not depend on how a program is numbered or laid out in files.

use super::digest::Secrets;
use super::{Op, Program, Slot};
use crate::config::{Expr, For, ForResult, Node, Part, Root, SlotId};
use crate::value::{Data, Marks, Thunk, TupleHash, Value, hex};
use std::collections::{BTreeMap, BTreeSet};

/// The deferred computations of a program.
pub(super) struct Deferred<'a> {
    program: &'a Program,
    secrets: Secrets<'a>,
    /// What is known of each slot that was looked at.
    known: BTreeMap<SlotId, Computed>,
}

/// What one slot computes.
struct Computed {
    /// Nothing for what cannot be told.
    hash: Option<[u8; 32]>,
    /// Whether anything ephemeral goes into it.
    is_ephemeral: bool,
}

/// A computation while it is written down.
struct Written {
    parts: TupleHash,
    is_ephemeral: bool,
}

impl<'a> Deferred<'a> {
    pub(super) fn of(program: &'a Program, secrets: Secrets<'a>) -> Self {
        Self { program, secrets, known: BTreeMap::new() }
    }

    /// A hash for every effect, output, condition and check that computes something after the plan was made, lowest first. What looks at an
    /// ephemeral value does not count: everybody who runs a plan has their own.
    pub(super) fn hashes(&mut self) -> BTreeSet<[u8; 32]> {
        let program = self.program;
        program.slots.iter().filter_map(|slot| self.deferred(&slot.op)).collect()
    }

    fn deferred(&mut self, op: &Op) -> Option<[u8; 32]> {
        let mut written = Written { parts: TupleHash::new(), is_ephemeral: false };
        match op {
            Op::Create { target, arguments, .. }
            | Op::Update { target, arguments, .. }
            | Op::Import { target, arguments, .. }
            | Op::Settle { target, arguments }
            | Op::Read { target, arguments, .. }
            | Op::Probe { target, arguments } => {
                if !self.waits(arguments) {
                    return None;
                }
                written.parts.text("arguments");
                written.parts.text(&target.address.to_string());
                self.value(arguments, &mut written);
            }
            Op::Render { address, arguments, .. } => {
                written.parts.text("set");
                written.parts.text(&address.to_string());
                self.value(arguments, &mut written);
            }
            Op::Output { name, value, .. } => {
                if !self.waits(value) {
                    return None;
                }
                written.parts.text("output");
                written.parts.text(name);
                self.value(value, &mut written);
            }
            Op::Assert { condition, address, .. } => {
                written.parts.text("condition");
                written.parts.text(&address.as_ref().map(ToString::to_string).unwrap_or_default());
                self.value(condition, &mut written);
            }
            Op::Check { name, assertions, .. } => {
                written.parts.text("check");
                written.parts.text(name);
                for (condition, _) in assertions {
                    self.value(condition, &mut written);
                }
            }
            _ => return None,
        }
        (!written.is_ephemeral).then(|| written.parts.finish_short())
    }

    /// Whether a template holds anything that is computed later. What is only referred to does not count, nor what is kept as it is.
    fn waits(&self, value: &Value) -> bool {
        if value.is_known() {
            return false;
        }
        match value.data() {
            Data::Unknown(..) => true,
            Data::Instance(instance) => {
                let slot = self.program.instances.get(&instance.address).and_then(|slot| self.program.slots.get(slot.0 as usize));
                !slot.is_some_and(|slot| matches!(slot.op, Op::Const(_)))
            }
            Data::Reference(_) => false,
            _ => value.parts().any(|part| self.waits(part)),
        }
    }

    fn value(&mut self, value: &Value, written: &mut Written) {
        if value.marks().has(Marks::EPHEMERAL) {
            written.is_ephemeral = true;
            written.parts.text("ephemeral");
            return;
        }
        if value.is_marked_sensitive() {
            // Nothing of what a secret is computed from may be guessed either.
            let mut inner = Written { parts: TupleHash::new(), is_ephemeral: false };
            self.value(&value.clone().unmarked(), &mut inner);
            written.is_ephemeral |= inner.is_ephemeral;
            self.secrets.feed(&Value::string(inner.parts.finish()).sensitive(), &mut written.parts);
            return;
        }
        match value.data() {
            Data::Unknown(_, thunk) => self.thunk(*thunk, written),
            Data::Instance(instance) | Data::Reference(instance) => {
                written.parts.nested(|parts| parts.text(&instance.address.to_string()));
            }
            _ if value.is_constant() => self.secrets.feed(value, &mut written.parts),
            Data::Mapping(mapping) => {
                for entry in mapping.entries() {
                    written.parts.text(&entry.key);
                    self.value(&entry.value, written);
                }
                written.parts.text("}");
            }
            _ => {
                for part in value.parts() {
                    self.value(part, written);
                }
                written.parts.text("]");
            }
        }
    }

    fn thunk(&mut self, thunk: Thunk, written: &mut Written) {
        let slot = SlotId(thunk.0);
        if !self.known.contains_key(&slot) {
            self.compute(slot);
        }
        if let Some(computed) = self.known.get(&slot) {
            written.is_ephemeral |= computed.is_ephemeral;
            written.parts.text(&computed.hash.map_or_else(|| "unknown".to_owned(), |hash| hex(&hash)));
        }
    }

    /// Looks at a slot after all that it takes, each after what that takes: rows of computations are longer than any stack.
    fn compute(&mut self, slot: SlotId) {
        let mut open = Vec::new();
        self.begin(slot, &mut open);
        while let Some((slot, left)) = open.last_mut() {
            if let Some((next, rest)) = left.split_first() {
                *left = rest;
                if !self.known.contains_key(next) {
                    self.begin(*next, &mut open);
                }
            } else {
                let computed = self.computed(*slot);
                self.known.insert(*slot, computed);
                open.pop();
            }
        }
    }

    fn begin(&mut self, slot: SlotId, open: &mut Vec<(SlotId, &'a [SlotId])>) {
        // A slot that leads back to itself is a circle, which is told elsewhere.
        self.known.insert(slot, Computed { hash: None, is_ephemeral: false });
        let needs = match self.program.slots.get(slot.0 as usize) {
            Some(Slot { op: Op::Eval(_) | Op::Member { .. }, needs }) => needs.as_slice(),
            _ => &[],
        };
        open.push((slot, needs));
    }

    /// What a slot computes, of which all that it takes is known.
    fn computed(&mut self, slot: SlotId) -> Computed {
        let program = self.program;
        let mut inner = Written { parts: TupleHash::new(), is_ephemeral: false };
        match program.slots.get(slot.0 as usize).map(|slot| &slot.op) {
            Some(Op::Eval(expression)) => self.expression(expression, &mut inner),
            Some(Op::Const(value)) => self.value(value, &mut inner),
            Some(Op::Render { address, .. }) => inner.parts.text(&address.to_string()),
            Some(Op::Member { render, key }) => {
                inner.parts.text(key);
                self.thunk(Thunk(render.0), &mut inner);
            }
            Some(op) => inner.parts.text(&op.target().map(|target| target.address.to_string()).unwrap_or_default()),
            None => inner.parts.text("unknown"),
        }
        Computed { hash: Some(inner.parts.finish_short()), is_ephemeral: inner.is_ephemeral }
    }

    /// An expression: its kind with its own words, then its parts.
    fn expression(&mut self, expression: &Expr, written: &mut Written) {
        match &expression.node {
            Node::Parenthesis(inner) => return self.expression(inner, written),
            Node::Literal(value) => return self.value(value, written),
            Node::Slot(slot) => return self.thunk(Thunk(slot.0), written),
            Node::Template(parts) => {
                written.parts.text("template");
                self.parts(parts, written);
            }
            node => {
                written.is_ephemeral |= matches!(node, Node::Root(Root::Variable(_)));
                own_words(node, &mut written.parts);
                expression.each_child(&mut |child| self.expression(child, written));
            }
        }
        written.parts.text(")");
    }

    fn parts(&mut self, parts: &[Part], written: &mut Written) {
        for part in parts {
            match part {
                Part::Text(text) => {
                    written.parts.text("text");
                    written.parts.text(text);
                }
                Part::Interpolation(inner) => self.expression(inner, written),
                Part::If(condition, then, otherwise) => {
                    written.parts.text("if");
                    self.expression(condition, written);
                    self.parts(then, written);
                    self.parts(otherwise, written);
                }
                Part::For { key, value, collection, body } => {
                    written.parts.text("for");
                    written.parts.text(key.as_deref().unwrap_or_default());
                    written.parts.text(value);
                    self.expression(collection, written);
                    self.parts(body, written);
                }
            }
        }
        written.parts.text("end");
    }
}

/// Feeds what tells an expression from others with the same parts.
fn own_words(node: &Node, parts: &mut TupleHash) {
    let mut say = |words: &[&str]| words.iter().for_each(|word| parts.text(word));
    match node {
        Node::Wrap(_) => say(&["wrap"]),
        Node::Tuple(_) => say(&["tuple"]),
        Node::Object(_) => say(&["object"]),
        Node::Index(..) => say(&["index"]),
        Node::Splat(..) => say(&["splat"]),
        Node::Conditional(..) => say(&["conditional"]),
        Node::Attribute(_, name) => say(&["attribute", name]),
        Node::Root(root) => say(&[&format!("{root:?}")]),
        Node::Unary(operator, _) => say(&[&format!("{operator:?}")]),
        Node::Binary(operator, ..) => say(&[&format!("{operator:?}")]),
        Node::Convert(_, ty) => say(&["convert", &ty.to_string()]),
        Node::Call(call) => say(&["call", &call.name, if call.expand { "..." } else { "" }]),
        Node::For(body) => {
            let condition = if body.condition.is_some() { "if" } else { "" };
            say(&["for", body.key.as_deref().unwrap_or_default(), &body.value, made_by(body), condition]);
        }
        Node::Literal(_) | Node::Parenthesis(_) | Node::Slot(_) | Node::Template(_) => {}
    }
}

fn made_by(body: &For) -> &'static str {
    match body.result {
        ForResult::Tuple(_) => "[",
        ForResult::Object { group: false, .. } => "{",
        ForResult::Object { group: true, .. } => "{...",
    }
}
