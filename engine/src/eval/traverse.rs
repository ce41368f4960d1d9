//! Reaching into values: attributes, elements, splats.

use super::evaluator::{Evaluator, problem, problem_with_help};
use super::instance::{as_object, looked_at};
use super::strict::{Open, first, from_also, literal, opened, strict, taken};
use super::unify::{type_of, type_words, words};
use crate::config::{Expr, Node};
use crate::diagnostic::{Problems, did_you_mean};
use crate::source::Span;
use crate::value::{Data, Entry, Mapping, MappingKind, Marks, Sequence, SequenceKind, Type, Value};
use std::sync::Arc;

impl Evaluator<'_> {
    /// `base.name`
    pub(super) fn attribute(&mut self, base: &Value, name: &Arc<str>, span: Span) -> Result<Value, Problems> {
        let (data, owner) = match base.data() {
            Data::Instance(instance) => {
                let attributes = from_also(instance.attributes.clone(), super::instance_origin(base, instance, self.arena), self.arena);
                (attributes.data().clone(), attributes.marked(base.marks()))
            }
            data => (data.clone(), base.clone()),
        };
        let path = || Expr::new(Node::Attribute(Box::new(literal(base.clone(), span)), name.clone()), span);
        match &data {
            Data::Mapping(mapping) => match mapping.get(name) {
                Some(entry) => {
                    let value = taken(entry.value.clone(), &owner, self.arena);
                    Ok(if matches!(base.data(), Data::Instance(_)) { looked_at(base, name, value, self.arena) } else { value })
                }
                None => Err(missing(base, mapping, name, span)),
            },
            Data::Unknown(ty, _) => {
                let ty = attribute_type(ty, name, span).map_err(|problems| veiled(problems, &owner, name, span))?;
                Ok(opened(Open::Unknown, ty, [&owner], self.arena, path))
            }
            Data::Pending(ty) => {
                let ty = attribute_type(ty, name, span).map_err(|problems| veiled(problems, &owner, name, span))?;
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
            return Ok(value.marked(key.marks_within()));
        }
        let value = match base.data() {
            Data::Sequence(sequence) => self.element(base, sequence, key, key_span)?,
            Data::Mapping(_) | Data::Instance(_) => {
                let name = self.scalar(key.clone(), &Type::String, "index", key_span)?;
                let Data::String(name) = name.data() else { return Err(not_indexed(base, span)) };
                let hidden = || problem("no such attribute", "the key, which is not shown, is none of its keys", key_span);
                self.attribute(base, name, span).map_err(|problems| if key.is_hidden() { hidden() } else { problems })?
            }
            _ => return Err(not_indexed(base, span)),
        };
        Ok(value.marked(key.marks()))
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
            Some(number) if !key.is_hidden() => format!("`{}`", super::convert::number_text(number)),
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
        if let Some(open) = super::repeat::unordered(base) {
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
            if let Err(too_much) = self.begin_round(span) {
                return Err(if problems.is_empty() { too_much } else { problems });
            }
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
        Ok(result.with_origin(base.origin()).marked(base.marks()))
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
                    let key = key.marked(collection.marks());
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
    veiled(unsupported(name, &what, mapping.entries().iter().map(|entry| &*entry.key), span), base, name, span)
}

/// Problems that name what a value has, unless its keys are hidden as well.
fn veiled(problems: Problems, base: &Value, name: &str, span: Span) -> Problems {
    let hidden = if base.is_marked_sensitive() { "sensitive" } else { "ephemeral" };
    match problems.first() {
        Some(first) if base.marks() != Marks::NONE => {
            problem(&first.summary.clone(), format!("this has no `{name}`; it is {hidden}, so what it has is not shown"), span)
        }
        _ => problems,
    }
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
        Some(meant) => problem_with_help("no such attribute", detail, format!("Did you mean `{meant}`?"), span),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::convert;
    use crate::eval::scene::{Scene, show};
    use crate::value::Instance;

    fn scene() -> Scene {
        let strings = Value::tuple(vec![Value::string("a"), Value::string("b")]);
        let set = convert(strings.clone(), &Type::set(Type::String), &mut crate::eval::Arena::default()).unwrap();
        let list = convert(strings, &Type::list(Type::String), &mut crate::eval::Arena::default()).unwrap();
        let known = Type::object([("name", Type::String, false)]);
        let mut scene = Scene::new([
            ("o", Value::object([("name", Value::string("x")), ("number", Value::number(1)), ("1", Value::bool(true))])),
            ("t", Value::tuple(vec![Value::number(1), Value::number(2), Value::number(3)])),
            ("s", set),
            ("l", list),
            ("u", Value::unknown(Type::Any)),
            ("uo", Value::unknown(known)),
            ("ul", Value::unknown(Type::list(Type::Number))),
            ("us", Value::unknown(Type::set(Type::Number))),
            ("p", Value::pending(Type::Any)),
            ("b", Value::blocked("why")),
            ("n", Value::null()),
            ("secret", Value::string("name").sensitive()),
        ]);
        let resource = |name: &str, attributes: Value| {
            let address = crate::address::Address::managed("k", name);
            Value::new(Data::Instance(Arc::new(Instance { address, classes: &["thing"], attributes })))
        };
        let attributes = Value::object([("id", Value::unknown(Type::String)), ("name", Value::string("i"))]);
        scene.names.resources.insert("i".to_owned(), resource("i", attributes));
        scene.names.resources.insert("new".to_owned(), resource("new", Value::unknown(Type::Any)));
        scene.names.resources.insert("asked".to_owned(), resource("asked", Value::pending(Type::Any)));
        let reference = scene.value("k.i").instance().unwrap().clone();
        scene.names.variables.insert("r".to_owned(), Value::new(Data::Reference(reference)));
        scene
    }

    #[test]
    fn elements_are_reached_as_in_terraform() {
        let mut scene = scene();
        for (text, expected) in [
            ("var.o.name", "\"x\""),
            ("var.o[\"name\"]", "\"x\""),
            ("var.o[1]", "true"),
            ("var.t[0]", "1"),
            ("var.t[\"1\"]", "2"),
            ("var.t.2", "3"),
            ("var.l[1]", "\"b\""),
            ("{ true = 2 }[true]", "2"),
            ("k.i.name", "\"i\""),
            ("k.i[\"name\"]", "\"i\""),
            ("k.i.id", "?string"),
            ("k.new.anything", "?any"),
            ("k.asked.anything", "…any"),
            ("var.u.x", "?any"),
            ("var.u[var.p]", "…any"),
            ("var.uo.name", "?string"),
            ("var.uo[\"name\"]", "?string"),
            ("var.ul[0]", "?number"),
            ("var.ul[var.u]", "?number"),
            ("var.t[var.u]", "?any"),
            ("var.l[var.u]", "?string"),
            ("var.b.x", "!why"),
            ("var.b[0]", "!why"),
            ("var.o[var.b]", "!why"),
            ("var.o[var.secret]", "*\"x\""),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_that_says_what_is() {
        let mut scene = scene();
        for (text, expected) in [
            ("var.o.nmae", "no such attribute: this object has no `nmae`; it has `1`, `name`, `number`"),
            ("{}.x", "no such attribute: this object has no `x`; it is empty"),
            ("k.i.nam", "no such attribute: the k `k.i` has no `nam`; it has `id`, `name`"),
            ("var.uo.nam", "no such attribute: this object has no `nam`; it has `name`"),
            ("var.n.x", "attribute of null: the value whose `x` is asked for is null here"),
            ("var.n[0]", "index of null: the value that is indexed is null here and has no elements"),
            ("var.t[var.n]", "null as index: the index is null here"),
            ("var.t[3]", "no such element: `3` is no index of a tuple, whose indices are 0 to 2"),
            ("var.t[-1]", "no such element: `-1` is no index of a tuple, whose indices are 0 to 2"),
            ("var.t[1.5]", "no such element: `1.5` is no index of a tuple, whose indices are 0 to 2"),
            ("[][0]", "no such element: `0` is no index of a tuple, which is empty"),
            ("var.t[\"a\"]", "unsuitable value: the index does not fit: a number is required, found the string `a`"),
            ("var.s[0]", "index of a set: the elements of a set have no places and no keys"),
            ("var.us[0]", "index of a set: the elements of a set have no places and no keys"),
            ("var.o.name[0]", "not indexable: this is a string, which has no elements"),
            ("var.o.name.x", "unsupported attribute: this is a string, which has no attribute `x`"),
            ("var.l.name", "attribute of a list: this is a list(string), which has elements but no `name`"),
            ("var.o[[]]", "unsuitable value: the index does not fit: a string is required, found a tuple"),
            (
                "var.r.name",
                "attribute of a reference: this is a reference to `k.i`: it says which one is meant and shows no attributes, so `name` \
                 is out of reach",
            ),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
        let help = |scene: &mut Scene, text: &str| scene.evaluate(text).unwrap_err().remove(0).help.unwrap();
        assert_eq!(help(&mut scene, "var.o.nmae"), "Did you mean `name`?");
        assert_eq!(help(&mut scene, "var.t.name"), "take one element, as in `[0].name`, or all of them with `[*].name`");
        let found = scene.evaluate("{ a = 1 }[var.secret]").unwrap_err();
        assert!(!found[0].detail.contains("`name`"), "{found:?}");
        scene.names.variables.insert("hidden".to_owned(), Value::object([("key", Value::null())]).sensitive());
        let found = scene.evaluate("var.hidden.kee").unwrap_err();
        assert!(!found[0].to_string().contains("`key`") && found[0].help.is_none(), "{found:?}");
    }

    #[test]
    fn splats_are_as_in_terraform() {
        let mut scene = scene();
        for (text, expected) in [
            ("[{ a = 1 }, { a = 2 }][*].a", "[1, 2]"),
            ("[{ a = [1, 2] }, { a = [3, 4] }][*].a[0]", "[1, 3]"),
            ("[{ a = [1, 2] }].*.a[0]", "[1, 2]"),
            ("null[*]", "[]"),
            ("\"x\"[*]", "[\"x\"]"),
            ("var.o[*].name", "[\"x\"]"),
            ("var.l[*]", "list[\"a\", \"b\"]"),
            ("var.s[*]", "list[\"a\", \"b\"]"),
            ("k.i[*].name", "[\"i\"]"),
            ("[{ a = [{ b = 1 }, { b = 2 }] }][*].a[*].b", "[[1, 2]]"),
            ("[1, var.u][*]", "[1, ?any]"),
            ("[{ a = 1 }, var.u][*].a", "[1, ?any]"),
            ("var.u[*].a", "?any"),
            ("var.p[*]", "…any"),
            ("var.b[*].x", "!why"),
            (
                "[{ a = 1 }, { b = 1 }, { c = 1 }][*].a",
                "no such attribute: this object has no `a`; it has `b` | no such attribute: this object has no `a`; it has `c`",
            ),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn an_element_comes_from_its_container_and_never_from_its_siblings() {
        let mut scene = scene();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| scene.from(name));
        let parts = || vec![Value::number(1).with_origin(a), Value::number(2).with_origin(b)];
        scene.names.variables.insert("t".to_owned(), Value::tuple(parts()).with_origin(c));
        scene.names.variables.insert("o".to_owned(), Value::object([("x", parts().remove(0)), ("y", parts().remove(1))]).with_origin(c));
        scene.names.variables.insert("i".to_owned(), Value::number(0).with_origin(d));
        scene.names.variables.insert("ui".to_owned(), Value::unknown(Type::Number).with_origin(d));
        for (text, expected) in [
            ("var.t[0]", "a c"),
            ("var.t[var.i]", "a c"),
            ("var.t[var.ui]", "a b c d"),
            ("var.o.y", "b c"),
            ("var.o[\"x\"]", "a c"),
            ("var.t[*]", "a b c"),
            ("[for x in var.t[*] : x if x == 2]", "b c"),
            ("k.i.name", "i"),
            ("k.i.id", "i"),
            ("k.new.id", "new"),
            ("[k.i, k.new][0].name", "i"),
            ("{ one = k.i, two = k.new }.two.x", "new"),
            ("{ for k, v in { one = k.i, two = k.new } : k => { thing = v, text = \"n-${k}\" } }.one.thing.name", "i"),
            ("{ for k, v in { one = k.i, two = k.new } : k => { thing = v, text = \"n-${k}\" } }.one.text", ""),
        ] {
            let value = scene.value(text);
            assert_eq!(scene.sources(&value), expected, "{text}");
        }
    }

    #[test]
    fn the_mark_of_a_container_falls_on_what_is_taken() {
        let mut scene = scene();
        scene.names.variables.insert("m".to_owned(), Value::tuple(vec![Value::number(1)]).sensitive());
        scene.names.variables.insert("part".to_owned(), Value::tuple(vec![Value::number(1).sensitive(), Value::number(2)]));
        for (text, expected) in [
            ("var.m[0]", "*1"),
            ("var.m[*]", "*[*1]"),
            ("[for x in var.m : x]", "*[*1]"),
            ("[for x in var.m : 0]", "*[0]"),
            ("var.part[0]", "*1"),
            ("var.part[1]", "2"),
            ("var.part[*]", "[*1, 2]"),
        ] {
            let value = scene.value(text);
            assert_eq!(show(&value), expected, "{text}");
        }
    }

    #[test]
    fn an_attribute_of_an_instance_that_is_not_there_yet_is_looked_up_in_it() {
        let mut scene = scene();
        for text in ["k.i.id", "k.new.x"] {
            let value = scene.value(text);
            let Data::Unknown(_, thunk) = value.data() else { panic!("{value:?}") };
            let Node::Attribute(base, _) = &scene.arena.thunks.get(*thunk).unwrap().node else { panic!("{text}") };
            assert!(matches!(&base.node, Node::Literal(value) if value.instance().is_some()));
        }
    }
}
