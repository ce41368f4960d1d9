//! What a block's `lifecycle` and `timeouts` say: conditions, ignored changes, triggers, waits.

use super::conditions::Verdict;
use super::inheritance::twice;
use super::instance::{Found, Subject, group_member, unobserved};
use super::tables::{Conditions, Fate, Planned, Terms};
use super::world::Seen;
use super::{Site, Walk};
use crate::address::Address;
use crate::config::{Assertion, Expr, Node, ResourceBlock, seconds};
use crate::diagnostic::{Diagnostic, Problems};
use crate::plan::{Action, Reason};
use crate::schema::{Ignored, same};
use crate::value::Value;
use std::sync::Arc;

/// An instance, and the path of an attribute of it.
type Named = (Address, Vec<Arc<str>>);

/// What preconditions come to.
pub(super) enum Held {
    /// They hold as soon as these do, which an apply will tell.
    Until(Conditions),
    /// One waits for an answer.
    Open,
    /// One looks at what could not be observed, is in error, or is left out: why.
    Unobserved(Arc<str>),
}

impl Walk<'_> {
    /// The terms on which an instance is treated.
    pub(super) fn terms(&mut self, block: &ResourceBlock, site: Site<'_>) -> Result<Terms, Problems> {
        let mut terms = Terms {
            create_before_destroy: block.lifecycle().create_before_destroy,
            prevent_destroy: block.lifecycle().prevent_destroy,
            ..Terms::default()
        };
        for (operation, expression) in &block.timeouts {
            let value = self.evaluate(expression, site)?;
            super::ephemeral::refuse(&value, &format!("the timeout of `{operation}`"), "a plan keeps it", expression.span)?;
            let seconds = value.as_str().and_then(seconds).ok_or_else(|| {
                vec![Diagnostic::error("wrong timeout", "a timeout is a text such as `90s`, `10m` or `1h30m`").at(expression.span)]
            })?;
            terms.waits().timeouts.insert(operation.clone(), seconds);
        }
        Ok(terms)
    }

    /// Decides preconditions.
    pub(super) fn preconditions(&mut self, all: &[Assertion], site: Site<'_>) -> Result<Held, Problems> {
        let (mut problems, mut later) = (Problems::new(), Conditions::new());
        for assertion in all {
            match self.assertion(assertion, site)? {
                Verdict::Holds => {}
                Verdict::Pending => return Ok(Held::Open),
                Verdict::Unobserved(why) => return Ok(Held::Unobserved(why)),
                Verdict::Fails(message) => problems.push(Diagnostic::error("precondition failed", message).at(assertion.span)),
                Verdict::Later(condition, message) => later.push((condition, message)),
            }
        }
        if problems.is_empty() { Ok(Held::Until(later)) } else { Err(problems) }
    }

    /// `ignore_changes`: what is there instead of what the configuration says, once there is something. References stay: they are where a
    /// thing lies, and not what it is.
    pub(super) fn ignoring(&self, block: &ResourceBlock, subject: &Subject<'_>) -> Value {
        let arguments = subject.arguments;
        let ignored = &block.lifecycle().ignore_changes;
        let Some(prior) = self.prior.record(subject.address).filter(|_| !ignored.is_empty()) else { return arguments.clone() };
        let seen = self.seen(subject.address, None, prior);
        let observed = match &seen {
            Seen::Present(observed) => Some(observed),
            _ => None,
        };
        let is_all = |path: &[Arc<str>]| matches!(path, [all] if &**all == "all");
        let names = || arguments.entries().iter().map(|entry| vec![entry.key.clone()]);
        let paths = ignored.iter().flat_map(|(path, _)| if is_all(path) { names().collect() } else { vec![path.clone()] });
        let refers = |path: &[Arc<str>]| path.first().and_then(|name| arguments.get(name)).is_some_and(|value| value.instance().is_some());
        let paths: Vec<_> = paths.filter(|path| !refers(path)).collect();
        subject.kind.ignoring(Ignored { arguments, paths: &paths, prior, observed })
    }

    /// Decides postconditions, which see the planned instance as `self`.
    pub(super) fn postconditions(
        &mut self,
        block: &ResourceBlock,
        site: Site<'_>,
        (address, mut planned): (&Address, Box<Planned>),
    ) -> Result<Found, Problems> {
        if block.lifecycle().postconditions.is_empty() {
            return Ok(Found::Fate(Fate::Planned(planned)));
        }
        let itself = group_member(address, &planned, &mut self.arena);
        let site = Site { itself: Some(&itself), ..site };
        let mut problems = Problems::new();
        for assertion in &block.lifecycle().postconditions {
            match self.assertion(assertion, site)? {
                Verdict::Holds => {}
                Verdict::Pending => return Ok(Found::Open),
                Verdict::Unobserved(why) => return Ok(Found::Fate(unobserved(why))),
                Verdict::Fails(message) => problems.push(Diagnostic::error("postcondition failed", message).at(assertion.span)),
                Verdict::Later(condition, message) => planned.terms.waits().postconditions.push((condition, message)),
            }
        }
        if problems.is_empty() { Ok(Found::Fate(Fate::Planned(planned))) } else { Err(problems) }
    }

    /// What in `replace_triggered_by` changes with this plan: the attribute that is named, or else the first instance behind it that does.
    pub(super) fn triggered(&mut self, block: &ResourceBlock, site: Site<'_>) -> Result<Option<String>, Problems> {
        for expression in &block.lifecycle().replace_triggered_by {
            let value = self.evaluate(expression, site)?;
            let origin = value.deep_origin(&mut self.arena.origins);
            if self.standing(origin).changes() {
                if let Some((address, path)) = self.attribute_named(expression, site)?
                    && let Some(differs) = self.differs(&address, &path)
                {
                    if differs {
                        return Ok(Some(format!("{address}.{}", path.join("."))));
                    }
                    continue;
                }
                let first = self.arena.origins.instances(origin).into_iter().next().map(ToString::to_string);
                return Ok(first.or(Some("a value".to_owned())));
            }
        }
        Ok(None)
    }

    /// The instance and the attribute of it that an expression names, if it is no more than such a name.
    fn attribute_named(&mut self, expression: &Expr, site: Site<'_>) -> Result<Option<Named>, Problems> {
        let Node::Attribute(base, name) = &expression.node else { return Ok(None) };
        if let Some(instance) = self.evaluate(base, site)?.instance() {
            return Ok(Some((instance.address.clone(), vec![name.clone()])));
        }
        let outer = self.attribute_named(base, site)?;
        Ok(outer.map(|(address, path)| (address, [path, vec![name.clone()]].concat())))
    }

    /// Whether an attribute of an instance that exists already differs after this plan.
    fn differs(&self, address: &Address, path: &[Arc<str>]) -> Option<bool> {
        let planned = self.tables.planned(address)?;
        let prior = planned.prior.as_ref()?;
        let at = |value: &Value| path.iter().try_fold(value.clone(), |value, name| value.get(name).cloned());
        let (before, after) = (at(&prior.attributes), at(&planned.attributes));
        Some(match (before, after) {
            (Some(before), Some(after)) => !same(&after, &before),
            (before, after) => before != after,
        })
    }

    /// Refuses a replacement of what is protected, and one that would have to stand beside what it replaces under the same name.
    pub(super) fn allowed(subject: &Subject<'_>, planned: &Planned) -> Result<(), Problems> {
        let address = subject.address;
        if !matches!(planned.action, Action::Replace | Action::ReplaceCreateFirst) {
            return Ok(());
        }
        if planned.terms.prevent_destroy {
            let detail = format!("`{address}` has `prevent_destroy`, and this plan would replace it: {}", planned.reason);
            let help = "Undo what replaces it, or set `prevent_destroy = false`.";
            return Err(vec![Diagnostic::error("protected resource", detail).at(subject.span).help(help)]);
        }
        if let Some(identity) = twice(planned) {
            let detail = format!("`{address}` has `create_before_destroy`, and both the old and the new one would be `{identity}`");
            let help = "Give it a name that changes with it, or leave `create_before_destroy` out.";
            return Err(vec![Diagnostic::error("same name twice", detail).at(subject.span).help(help)]);
        }
        Ok(())
    }

    /// Whether the run was asked to replace an instance; a member with its whole set.
    pub(super) fn is_to_be_replaced(&self, address: &Address) -> bool {
        let asked = &self.inputs.aims.replace;
        asked.contains(address) || address.parent().is_some_and(|set| asked.contains(&set))
    }

    /// Replaces what exists and would otherwise be kept or updated.
    pub(super) fn trigger(planned: &mut Planned, because: Reason) {
        if planned.prior.is_some() && matches!(planned.action, Action::Keep | Action::Update | Action::Settle) {
            planned.action = if planned.terms.create_before_destroy { Action::ReplaceCreateFirst } else { Action::Replace };
            planned.reason = because;
            let schema = planned.kind.schema();
            planned.attributes = crate::schema::created(schema, &planned.arguments);
            planned.unpreviewed = None;
        }
    }
}
