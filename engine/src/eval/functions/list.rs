//! Functions that move the elements of sequences about: each element keeps its state, origin and mark.

use super::argument::{Fault, Work};
use super::result::{list, sequence};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::order::same;
use crate::eval::repeat::unordered;
use crate::eval::size::{COLLECTION_TOO_LARGE, MOST_ELEMENTS};
use crate::eval::strict::{Open, first, taken};
use crate::eval::unify::element_type;
use crate::eval::{Arena, unify, words};
use crate::value::{Data, Marks, SequenceKind, Type, Value};
use rust_decimal::prelude::ToPrimitive;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "chunklist",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Sequence), Parameter::new("size", Takes::Number)],
        gives: Gives::List,
        doc: "The elements in lists of that size, the last of which may be shorter; all in one list if the size is 0.",
        example: Example { call: r#"chunklist(["a", "b", "c"], 2)"#, result: r#"tolist([tolist(["a", "b"]), tolist(["c"])])"# },
        body: Body::Parts(chunks),
    },
    Function {
        name: "coalescelist",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Anything), Parameter::repeated("more", Takes::Anything)],
        gives: Gives::Any,
        doc: "The first of the lists and tuples that is not empty.",
        example: Example { call: r#"coalescelist([], ["a"])"#, result: r#"["a"]"# },
        body: Body::Parts(first_with_elements),
    },
    Function {
        name: "compact",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Texts)],
        gives: Gives::Texts,
        doc: "The strings that are neither null nor empty.",
        example: Example { call: r#"compact(["a", "", null, "b"])"#, result: r#"tolist(["a", "b"])"# },
        body: Body::Parts(|work| Ok(compact(work))),
    },
    Function {
        name: "concat",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::List), Parameter::repeated("more", Takes::List)],
        gives: Gives::Any,
        doc: "The elements of all the lists, one list after the other. Lists give a list, with a tuple among them the result is a tuple.",
        example: Example { call: r#"concat(["a"], ["b", 1])"#, result: r#"["a", "b", 1]"# },
        body: Body::Parts(concatenate),
    },
    Function {
        name: "distinct",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Elements)],
        gives: Gives::List,
        doc: "The elements without those that equal an earlier one.",
        example: Example { call: r#"distinct(["a", "b", "a"])"#, result: r#"tolist(["a", "b"])"# },
        body: Body::Parts(distinct),
    },
    Function {
        name: "element",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::List), Parameter::new("index", Takes::Number)],
        gives: Gives::Any,
        doc: "The element at an index, counted on from the start again after the last one, and from the end if it is negative.",
        example: Example { call: r#"element(["a", "b", "c"], 4)"#, result: r#""b""# },
        body: Body::Parts(element),
    },
    Function {
        name: "flatten",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Sequence)],
        gives: Gives::Any,
        doc: "The elements in one tuple, with those of lists, sets and tuples within in their place, however deep.",
        example: Example { call: r#"flatten([["a", ["b"]], [], ["c"]])"#, result: r#"["a", "b", "c"]"# },
        body: Body::Parts(flatten),
    },
    Function {
        name: "one",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Sequence)],
        gives: Gives::Any,
        doc: "The only element, or null of an empty list.",
        example: Example { call: r#"one(["a"])"#, result: r#""a""# },
        body: Body::Parts(one),
    },
    Function {
        name: "reverse",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Sequence)],
        gives: Gives::Any,
        doc: "The elements in reverse order.",
        example: Example { call: r#"reverse([1, "a"])"#, result: r#"["a", 1]"# },
        body: Body::Parts(|work| Ok(reverse(work))),
    },
    Function {
        name: "slice",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::List), Parameter::new("start", Takes::Number), Parameter::new("end", Takes::Number)],
        gives: Gives::Any,
        doc: "The elements from the start index up to and without the end index.",
        example: Example { call: r#"slice(["a", "b", "c"], 1, 3)"#, result: r#"["b", "c"]"# },
        body: Body::Parts(slice),
    },
];

/// The elements as one type, and the type.
pub(super) fn of_one_type(work: &mut Work<'_>, at: usize, items: Vec<Value>) -> Result<(Type, Vec<Value>), Fault> {
    let Some(ty) = element_type(&items) else { return Err(Fault::at(at, "holds elements that no one type takes in")) };
    let items = items.into_iter().map(|item| work.convert(at, item, &ty)).collect::<Result<_, _>>()?;
    Ok((ty, items))
}

/// What kind an ordered sequence of some of the elements of an argument is.
fn ordered(value: Option<&Value>) -> SequenceKind {
    match value.map(Value::data) {
        Some(Data::Sequence(sequence)) => match sequence.kind() {
            SequenceKind::Tuple => SequenceKind::Tuple,
            SequenceKind::List(element) | SequenceKind::Set(element) => SequenceKind::List(element.clone()),
        },
        _ => SequenceKind::Tuple,
    }
}

fn chunks(work: &mut Work<'_>) -> Result<Value, Fault> {
    let size = work.given().whole(1)?;
    let items = work.items(0);
    let (ty, items) = of_one_type(work, 0, items)?;
    let size = match usize::try_from(size) {
        Ok(0) => items.len().max(1),
        Ok(size) => size,
        Err(_) => return Err(Fault::at(1, format!("must not be negative, found {}", work.given().shown(1)))),
    };
    let chunks = items.chunks(size).map(|chunk| list(ty.clone(), chunk.to_vec())).collect();
    Ok(list(Type::list(ty), chunks).marked(work.marks()))
}

fn first_with_elements(work: &mut Work<'_>) -> Result<Value, Fault> {
    let values = work.values.clone();
    let mut marks = Marks::NONE;
    for (at, value) in values.iter().enumerate() {
        let open = values[at..].iter().fold(None, |open, value| first(open, Open::of(value)));
        if let (Some(_), Some(open)) = (Open::of(value), open) {
            return Ok(work.later(open, Type::Any));
        }
        marks |= value.marks();
        match value.data() {
            Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)) => {
                return Err(Fault::at(at, "must be a list or tuple, found a set"));
            }
            Data::Sequence(sequence) if sequence.items().is_empty() => {}
            Data::Sequence(_) => return Ok(value.clone().marked(marks)),
            _ => return Err(Fault::at(at, format!("must be a list or tuple, found {}", words(value)))),
        }
    }
    Err(Fault::call("needs a list with elements; all that are given are empty"))
}

fn compact(work: &mut Work<'_>) -> Value {
    let mut items = work.items(0);
    let marks = work.marks() | Marks::within(&items);
    items.retain(|item| item.as_str().is_some_and(|text| !text.is_empty()));
    list(Type::String, items).marked(marks)
}

fn concatenate(work: &mut Work<'_>) -> Result<Value, Fault> {
    let kinds: Vec<_> = work.values.iter().map(|value| ordered(Some(value))).collect();
    let mut items = Vec::new();
    for at in 0..work.values.len() {
        items.extend(work.items(at));
        if items.len() > MOST_ELEMENTS {
            return Err(Fault::call(COLLECTION_TOO_LARGE));
        }
    }
    let types: Option<Vec<_>> = kinds
        .into_iter()
        .map(|kind| match kind {
            SequenceKind::List(element) => Some(element),
            SequenceKind::Tuple | SequenceKind::Set(_) => None,
        })
        .collect();
    let made = match types.and_then(|types| unify(&types)) {
        Some(ty) => {
            let items = items.into_iter().map(|item| work.convert(0, item, &ty)).collect::<Result<_, _>>()?;
            list(ty, items)
        }
        None => Value::tuple(items),
    };
    Ok(made.marked(work.marks()))
}

fn distinct(work: &mut Work<'_>) -> Result<Value, Fault> {
    let items = work.items(0);
    let marks = work.marks() | Marks::within(&items);
    let (ty, items) = of_one_type(work, 0, items)?;
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.iter().any(|earlier| same(earlier, &item) == Ok(true)) {
            kept.push(item);
        }
    }
    Ok(list(ty, kept).marked(marks))
}

fn element(work: &mut Work<'_>) -> Result<Value, Fault> {
    let index = work.given().whole(1)?;
    let items = work.items(0);
    let Some(length) = i64::try_from(items.len()).ok().filter(|length| *length > 0) else {
        return Err(Fault::at(0, "must not be empty"));
    };
    let at = usize::try_from(index.rem_euclid(length)).unwrap_or_default();
    let found = items.into_iter().nth(at).unwrap_or_else(Value::null);
    Ok(found.marked(Marks::of(work.values.get(1))))
}

fn flatten(work: &mut Work<'_>) -> Result<Value, Fault> {
    let mut flat = Flat { items: Vec::new(), open: None, marks: work.marks() };
    let whole = work.values[0].clone();
    flat.add(&whole, work.arena);
    if flat.items.len() > MOST_ELEMENTS {
        return Err(Fault::call(COLLECTION_TOO_LARGE));
    }
    Ok(match flat.open {
        Some(open) => work.later(open, Type::Any),
        None => Value::tuple(flat.items).marked(flat.marks),
    })
}

struct Flat {
    items: Vec<Value>,
    /// What may yet turn out to be a sequence.
    open: Option<Open>,
    marks: Marks,
}

impl Flat {
    fn add(&mut self, whole: &Value, arena: &mut Arena) {
        self.marks |= whole.marks();
        if let (Data::Sequence(_), Some(open)) = (whole.data(), unordered(whole)) {
            self.open = first(self.open.take(), Some(open));
            return;
        }
        for item in whole.items() {
            if self.items.len() > MOST_ELEMENTS {
                return;
            }
            let item = taken(item.clone(), whole, arena);
            match item.data() {
                Data::Sequence(_) => self.add(&item, arena),
                Data::Unknown(ty, _) | Data::Pending(ty) if !may_hold_elements(ty) => self.items.push(item),
                _ => match Open::of(&item) {
                    Some(open) => self.open = first(self.open.take(), Some(open)),
                    None => self.items.push(item),
                },
            }
        }
    }
}

fn may_hold_elements(ty: &Type) -> bool {
    matches!(ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_))
}

fn one(work: &mut Work<'_>) -> Result<Value, Fault> {
    let items = work.items(0);
    match <[Value; 1]>::try_from(items) {
        Ok([only]) => Ok(only),
        Err(items) if items.is_empty() => Ok(Value::null().marked(work.marks())),
        Err(items) => Err(Fault::at(0, format!("must have no element or one, found {}", items.len()))),
    }
}

fn reverse(work: &mut Work<'_>) -> Value {
    let mut items = work.items(0);
    items.reverse();
    sequence(ordered(work.values.first()), items).marked(work.marks())
}

fn slice(work: &mut Work<'_>) -> Result<Value, Fault> {
    let (start, end) = (work.given().whole(1)?, work.given().whole(2)?);
    let items = work.items(0);
    let shown = |at| work.given().shown(at);
    let Ok(from) = usize::try_from(start) else {
        return Err(Fault::at(1, format!("must not be negative, found {}", shown(1))));
    };
    if start > end {
        return Err(Fault::at(1, format!("must not be greater than the end, found {} and {}", shown(1), shown(2))));
    }
    match end.to_usize().and_then(|end| items.get(from..end)) {
        Some(some) => Ok(sequence(ordered(work.values.first()), some.to_vec()).marked(work.marks())),
        None => Err(Fault::at(2, format!("must not be greater than the number of elements, {}, found {}", items.len(), shown(2)))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn sequences_are_put_together_as_in_terraform() {
        check(&[
            (r#"chunklist(["a", "b"], 0)"#, r#"list[list["a", "b"]]"#),
            ("chunklist([], 2)", "list[]"),
            (r#"chunklist(["a", 1], 1)"#, r#"list[list["a"], list["1"]]"#),
            (r#"chunklist(toset(["a"]), 1)"#, r#"list[list["a"]]"#),
            (r#"chunklist(["a"], -1)"#, "unsuitable argument: the `size` of `chunklist` must not be negative, found `-1`"),
            (r#"chunklist([[1], "a"], 1)"#, "unsuitable argument: the `list` of `chunklist` holds elements that no one type takes in"),
            (r#"coalescelist([], [1, "a"])"#, r#"[1, "a"]"#),
            ("coalescelist([1], [2])", "[1]"),
            ("coalescelist([], [])", "unsuitable arguments: `coalescelist` needs a list with elements; all that are given are empty"),
            ("coalescelist(null, [1])", "unsuitable argument: the `list` of `coalescelist` must be a list or tuple, found null"),
            (
                r#"coalescelist([], toset(["a"]))"#,
                "unsuitable argument: the `more` of `coalescelist`, argument 2, must be a list or tuple, found a set",
            ),
            (r#"concat(tolist(["a"]), tolist([1]))"#, r#"list["a", "1"]"#),
            (r#"concat(tolist(["a"]), [1])"#, r#"["a", 1]"#),
            ("concat([])", "[]"),
            (r#"concat(toset(["a"]), ["b"])"#, "unsuitable argument: the `list` of `concat` must be a list or tuple, found a set(string)"),
            (r#"concat(["a"], null)"#, "unsuitable argument: the `more` of `concat`, argument 2, is null here"),
            (r#"flatten(toset(["a"]))"#, r#"["a"]"#),
            ("flatten([{ a = [1] }, [2]])", "[{a=[1]}, 2]"),
            ("flatten([null, [1]])", "[null, 1]"),
            (r#"flatten([toset(["x"]), "y"])"#, r#"["x", "y"]"#),
            (r#"flatten("a")"#, "unsuitable argument: the `list` of `flatten` must be a list, set or tuple, found a string"),
            ("reverse(tolist([1, 2]))", "list[2, 1]"),
            ("reverse(toset([1, 2]))", "list[2, 1]"),
            ("reverse([])", "[]"),
            (r#"reverse("abc")"#, "unsuitable argument: the `list` of `reverse` must be a list, set or tuple, found a string"),
        ]);
    }

    #[test]
    fn elements_are_chosen_as_in_terraform() {
        check(&[
            (r#"compact([1, ""])"#, r#"list["1"]"#),
            (r#"compact(toset(["", "a"]))"#, r#"list["a"]"#),
            ("compact([])", "list[]"),
            (
                r#"compact([["a"]])"#,
                "unsuitable argument: the `list` of `compact` does not fit: at `[0]`: a string is required, found a tuple",
            ),
            (r#"distinct([1, "1"])"#, r#"list["1"]"#),
            ("distinct([[1], [1]])", "list[[1]]"),
            (r#"distinct(toset(["a"]))"#, r#"list["a"]"#),
            ("distinct([null, null, 1])", "list[null, 1]"),
            ("distinct([1, true])", "unsuitable argument: the `list` of `distinct` holds elements that no one type takes in"),
            (r#"element(["a"], -1)"#, r#""a""#),
            (r#"element(["a", "b", "c"], -1)"#, r#""c""#),
            (r#"element(["a", 1], "1")"#, "1"),
            ("element([], 0)", "unsuitable argument: the `list` of `element` must not be empty"),
            (r#"element(["a"], 1.5)"#, "unsuitable argument: the `index` of `element` must be a whole number, found `1.5`"),
            (r#"element(toset(["a"]), 0)"#, "unsuitable argument: the `list` of `element` must be a list or tuple, found a set(string)"),
            ("one([])", "null"),
            (r#"one(toset(["a"]))"#, r#""a""#),
            ("one([null])", "null"),
            (r#"one(["a", "b"])"#, "unsuitable argument: the `list` of `one` must have no element or one, found 2"),
            ("one({ a = 1 })", "unsuitable argument: the `list` of `one` must be a list, set or tuple, found an object"),
            (r#"slice(["a", 1], 0, 2)"#, r#"["a", 1]"#),
            (r#"slice(tolist(["a"]), 0, 1)"#, r#"list["a"]"#),
            (r#"slice(["a"], 1, 1)"#, "[]"),
            (
                r#"slice(["a", "b", "c"], 1, 4)"#,
                "unsuitable argument: the `end` of `slice` must not be greater than the number of elements, 3, found `4`",
            ),
            (
                r#"slice(["a", "b", "c"], 2, 1)"#,
                "unsuitable argument: the `start` of `slice` must not be greater than the end, found `2` and `1`",
            ),
            (r#"slice(["a"], -1, 1)"#, "unsuitable argument: the `start` of `slice` must not be negative, found `-1`"),
        ]);
    }

    #[test]
    fn elements_keep_their_state_mark_and_origin() {
        check_states(&[
            ("concat([var.unknown], [var.a])", "[?string, \"a\"]", "a u"),
            ("concat([var.unknown], [var.a])[1]", "\"a\"", "a"),
            ("concat(var.list, [var.a])", "?any", "a l"),
            ("concat([var.secret], [1])[1]", "1", ""),
            ("element([var.unknown, var.a], 1)", "\"a\"", "a"),
            ("element([var.unknown, var.a], var.number)", "?any", "a n u"),
            ("element([var.a, var.b], var.one)", "\"b\"", "b"),
            ("flatten([[var.unknown], [var.a]])", "[?string, \"a\"]", "a u"),
            ("flatten([[var.a], var.list])", "?any", "a l"),
            ("flatten([[var.a], var.pending])", "…any", "a p"),
            ("flatten([[var.secret], [var.a]])[1]", "\"a\"", "a"),
            ("reverse([var.unknown, var.a])[0]", "\"a\"", "a"),
            ("slice([var.unknown, var.a, var.b], 1, 3)", "[\"a\", \"b\"]", "a b"),
            ("one([var.unknown])", "?string", "u"),
            ("one(var.list)", "?any", "l"),
            ("coalescelist([], [var.unknown], var.list)", "[?string]", "u"),
            ("coalescelist(var.list, [var.a])", "?any", "a l"),
            ("coalescelist(var.list, var.pending)", "…any", "l p"),
            ("compact([var.a, var.unknown])", "?list(string)", "a u"),
            ("compact([var.a, \"\"])[0]", "\"a\"", "a"),
            ("distinct([var.a, var.b, var.a])[1]", "\"b\"", "b"),
            ("distinct([var.a, var.blocked])", "!why", "a x"),
            ("chunklist([var.unknown, var.a], 1)[1]", "list[\"a\"]", "a"),
        ]);
    }
}
