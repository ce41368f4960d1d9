//! Reaching into values: attributes, elements, splats.

use super::evaluator::{Evaluator, problem, problem_with_help};
use super::instance::{anchored, as_object};
use super::strict::{Open, first, from_also, literal, opened, strict, taken};
use super::unify::{type_of, type_words, words};
use crate::config::{Expr, Node};
use crate::diagnostic::{Problems, did_you_mean};
use crate::source::Span;
use crate::value::{Data, Entry, Mapping, MappingKind, Sequence, SequenceKind, Type, Value};
use std::sync::Arc;

impl Evaluator<'_> {
    /// `base.name`
    pub(super) fn attribute(&mut self, base: &Value, name: &Arc<str>, span: Span) -> Result<Value, Problems> {
        let (data, owner) = match base.data() {
            Data::Instance(instance) => {
                let attributes = from_also(instance.attributes.clone(), super::instance_origin(base, instance, self.arena), self.arena);
                (attributes.data().clone(), attributes.sensitive_if(base.is_marked_sensitive()))
            }
            data => (data.clone(), base.clone()),
        };
        let path = || Expr::new(Node::Attribute(Box::new(literal(base.clone(), span)), name.clone()), span);
        match &data {
            Data::Mapping(mapping) => match mapping.get(name) {
                Some(entry) => {
                    let value = taken(entry.value.clone(), &owner, self.arena);
                    Ok(if matches!(base.data(), Data::Instance(_)) { anchored(value, &path(), self.arena) } else { value })
                }
                None => Err(missing(base, mapping, name, span)),
            },
            Data::Unknown(ty, _) => {
                let ty = attribute_type(ty, name, span)?;
                Ok(opened(Open::Unknown, ty, [&owner], self.arena, path))
            }
            Data::Pending(ty) => {
                let ty = attribute_type(ty, name, span)?;
                Ok(opened(Open::Pending, ty, [&owner], self.arena, path))
            }
            Data::Blocked(why) => Ok(opened(Open::Blocked(why.clone()), Type::Any, [&owner], self.arena, path)),
            _ => Err(no_attributes(base, name, span)),
        }
    }

    /// `base[key]`
    pub(super) fn index(&mut self, base: &Value, key: &Value, key_span: Span, span: Span) -> Result<Value, Problems> {
        if base.is_null() {
            return Err(problem("index of null", "the value that is indexed is null here and has no elements", span));
        }
        if key.is_null() {
            return Err(problem("null as index", "the index is null here", key_span));
        }
        let base_open = match base.data() {
            Data::Instance(instance) => Open::of(&instance.attributes),
            _ => Open::of(base),
        };
        let key_open = strict([key]);
        // A key that is not known could choose any element, so all of them count.
        let open = if key_open.is_some() { first(key_open, strict([base])) } else { base_open };
        if let Some(open) = open {
            let ty = element_type(&type_of(base), key, span)?;
            let key_origin_counts = Open::of(key).is_some();
            let parts = if key_origin_counts { vec![base, key] } else { vec![base] };
            let value = opened(open, ty, parts, self.arena, || {
                let (base, key) = (Box::new(literal(base.clone(), span)), Box::new(literal(key.clone(), key_span)));
                Expr::new(Node::Index(base, key), span)
            });
            return Ok(value.sensitive_if(key.holds_sensitive()));
        }
        let value = match base.data() {
            Data::Sequence(sequence) => self.element(base, sequence, key, key_span)?,
            Data::Mapping(_) | Data::Instance(_) => {
                let name = self.scalar(key.clone(), &Type::String, "index", key_span)?;
                let Data::String(name) = name.data() else { return Err(not_indexed(base, span)) };
                self.attribute(base, name, span)?
            }
            _ => return Err(not_indexed(base, span)),
        };
        Ok(value.sensitive_if(key.is_marked_sensitive()))
    }

    fn element(&mut self, base: &Value, sequence: &Sequence, key: &Value, span: Span) -> Result<Value, Problems> {
        if matches!(sequence.kind(), SequenceKind::Set(_)) {
            let help = "choose it with a `for` expression and a condition, or convert with `tolist`";
            return Err(problem_with_help("index of a set", "the elements of a set have no places and no keys", help, span));
        }
        let number = self.scalar(key.clone(), &Type::Number, "index", span)?;
        let length = sequence.items().len();
        let found = number.as_u64().and_then(|at| usize::try_from(at).ok()).and_then(|at| sequence.items().get(at));
        if let Some(item) = found {
            return Ok(taken(item.clone(), base, self.arena));
        }
        let shown = match number.as_number() {
            Some(number) if !key.holds_sensitive() => format!("`{}`", super::convert::number_text(number)),
            _ => "this".to_owned(),
        };
        let detail = match length {
            0 => format!("{shown} is no index of {}, which is empty", words(base)),
            _ => format!("{shown} is no index of {}, whose indices are 0 to {}", words(base), length - 1),
        };
        Err(problem("no such element", detail, span))
    }

    /// `base[*]…`: `each` for every element.
    pub(super) fn splat(&mut self, base: &Value, each: &Expr, span: Span) -> Result<Value, Problems> {
        if let Some(open) = Open::of(base) {
            let node = Node::Splat(Box::new(literal(base.clone(), span)), Box::new(each.clone()));
            return self.lazily(&Expr::new(node, span), Type::Any, Some(open));
        }
        let (items, kind) = match base.data() {
            Data::Null => (Vec::new(), SequenceKind::Tuple),
            Data::Sequence(sequence) => (sequence.items().to_vec(), sequence.kind().clone()),
            _ => (vec![base.clone()], SequenceKind::Tuple),
        };
        let mut made = Vec::with_capacity(items.len());
        let mut problems = Vec::new();
        let whole = matches!(base.data(), Data::Sequence(_));
        for item in items {
            self.elements.push(if whole { taken(item, base, self.arena) } else { item });
            match self.expression(each) {
                Ok(value) => made.push(value),
                Err(more) => more.into_iter().for_each(|one| {
                    if !problems.contains(&one) {
                        problems.push(one);
                    }
                }),
            }
            self.elements.pop();
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let result = match kind {
            SequenceKind::Tuple => Value::tuple(made),
            SequenceKind::List(_) | SequenceKind::Set(_) => match one_type(&made) {
                Some(ty) => Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(ty), made)))),
                None => Value::tuple(made),
            },
        };
        Ok(result.with_origin(base.origin()).sensitive_if(base.is_marked_sensitive()))
    }

    /// Keys and elements of what `for` walks, each as it looks from outside; or nothing if it cannot be walked yet.
    pub(super) fn pairs(&mut self, collection: &Value, span: Span) -> Result<Vec<(Value, Value)>, Problems> {
        let collection = as_object(collection, span, self.arena);
        let own = collection.origin();
        match collection.data() {
            Data::Sequence(sequence) => {
                let set = matches!(sequence.kind(), SequenceKind::Set(_));
                let pairs = sequence.items().iter().enumerate().map(|(at, item)| {
                    let item = taken(item.clone(), &collection, self.arena);
                    (if set { item.clone() } else { Value::number(at as u64) }, item)
                });
                Ok(pairs.collect())
            }
            Data::Mapping(mapping) => {
                let pairs = mapping.entries().iter().map(|Entry { key, key_origin, value }| {
                    let key = from_also(Value::string(key.clone()).with_origin(*key_origin), own, self.arena);
                    let key = key.sensitive_if(collection.is_marked_sensitive());
                    (key, taken(value.clone(), &collection, self.arena))
                });
                Ok(pairs.collect())
            }
            Data::Null => Err(problem("iteration over null", "what `for` walks is null here", span)),
            _ => {
                let detail = format!("`for` walks lists, sets, tuples, maps and objects; this is {}", words(&collection));
                Err(problem("nothing to iterate over", detail, span))
            }
        }
    }
}

/// The type that all of these have, if they have one.
fn one_type(values: &[Value]) -> Option<Type> {
    let mut types = values.iter().map(type_of);
    let Some(first) = types.next() else { return Some(Type::Any) };
    types.all(|ty| ty == first).then_some(first)
}

fn attribute_type(ty: &Type, name: &str, span: Span) -> Result<Type, Problems> {
    match ty {
        Type::Any => Ok(Type::Any),
        Type::Map(element) => Ok((**element).clone()),
        Type::Object(object) => match object.fields.get(name) {
            Some(field) => Ok(field.ty.clone()),
            None => Err(unsupported(name, "this object", object.fields.keys().map(|name| &**name), span)),
        },
        _ => Err(problem("unsupported attribute", format!("this is {}, which has no attribute `{name}`", type_words(ty)), span)),
    }
}

fn element_type(ty: &Type, key: &Value, span: Span) -> Result<Type, Problems> {
    match ty {
        Type::List(element) | Type::Map(element) => Ok((**element).clone()),
        Type::Object(object) => {
            let known = key.as_str().and_then(|name| object.fields.get(name));
            Ok(known.map_or(Type::Any, |field| field.ty.clone()))
        }
        Type::Any | Type::Tuple(_) => Ok(Type::Any),
        Type::Set(_) => {
            let help = "choose it with a `for` expression and a condition, or convert with `tolist`";
            Err(problem_with_help("index of a set", "the elements of a set have no places and no keys", help, span))
        }
        _ => Err(problem("not indexable", format!("this is {}, which has no elements", type_words(ty)), span)),
    }
}

fn not_indexed(base: &Value, span: Span) -> Problems {
    problem("not indexable", format!("this is {}, which has no elements", words(base)), span)
}

fn missing(base: &Value, mapping: &Mapping, name: &str, span: Span) -> Problems {
    let what = match (base.data(), mapping.kind()) {
        (Data::Instance(_), _) => words(base),
        (_, MappingKind::Map(_)) => "this map".to_owned(),
        (_, MappingKind::Object) => "this object".to_owned(),
    };
    unsupported(name, &what, mapping.entries().iter().map(|entry| &*entry.key), span)
}

fn unsupported<'a>(name: &str, what: &str, names: impl Iterator<Item = &'a str> + Clone, span: Span) -> Problems {
    const SHOWN: usize = 20;
    let mut shown: Vec<_> = names.clone().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = names.clone().count().saturating_sub(SHOWN);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    let has = if shown.is_empty() { "it is empty".to_owned() } else { format!("it has {}", shown.join(", ")) };
    let detail = format!("{what} has no `{name}`; {has}");
    match did_you_mean(name, names) {
        Some(meant) => problem_with_help("no such attribute", detail, format!("did you mean `{meant}`?"), span),
        None => problem("no such attribute", detail, span),
    }
}

fn no_attributes(base: &Value, name: &str, span: Span) -> Problems {
    match base.data() {
        Data::Null => problem("attribute of null", format!("the value whose `{name}` is asked for is null here"), span),
        Data::Reference(instance) => problem_with_help(
            "attribute of a reference",
            format!(
                "this is a reference to `{}`: it says which one is meant and shows no attributes, so `{name}` is out of reach",
                instance.address
            ),
            format!("pass `{name}` beside the reference, as a value of its own"),
            span,
        ),
        Data::Sequence(_) => problem_with_help(
            "attribute of a list",
            format!("this is {}, which has elements but no `{name}`", words(base)),
            format!("take one element, as in `[0].{name}`, or all of them with `[*].{name}`"),
            span,
        ),
        _ => problem("unsupported attribute", format!("this is {}, which has no attribute `{name}`", words(base)), span),
    }
}
