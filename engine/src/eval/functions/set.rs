//! Functions of sets. What they take as sets may be lists and tuples.

use super::argument::{Fault, Work};
use super::list::of_one_type;
use super::result::list;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::order::{same, set_of};
use crate::eval::size::MOST_VALUE;
use crate::eval::strict::strict;
use crate::eval::unify;
use crate::eval::unify::element_type;
use crate::value::{Data, Extent, Marks, SequenceKind, Type, Value};

const SET: Parameter = Parameter::new("set", Takes::Elements);
const MORE: Parameter = Parameter::repeated("more", Takes::Elements);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "setintersection",
        group: Group::Collections,
        parameters: &[SET, MORE],
        gives: Gives::Set,
        doc: "The elements that are in all of the sets.",
        example: Example { call: r#"setintersection(["a", "b"], ["b", "c"])"#, result: r#"toset(["b"])"# },
        body: Body::Parts(|work| filtered(work, |item, others| others.iter().all(|other| has(other, item)))),
    },
    Function {
        name: "setproduct",
        group: Group::Collections,
        parameters: &[
            Parameter::new("set", Takes::Sequence),
            Parameter::new("other", Takes::Sequence),
            Parameter::repeated("more", Takes::Sequence),
        ],
        gives: Gives::Any,
        doc: "Every combination of one element of each, as tuples: a list of them, or if a set is among the arguments a set.",
        example: Example { call: r#"setproduct(["a", "b"], [1])"#, result: r#"tolist([["a", 1], ["b", 1]])"# },
        body: Body::Parts(product),
    },
    Function {
        name: "setsubtract",
        group: Group::Collections,
        parameters: &[SET, Parameter::new("other", Takes::Elements)],
        gives: Gives::Set,
        doc: "The elements of the first set that are not in the other.",
        example: Example { call: r#"setsubtract(["a", "b", "c"], ["a"])"#, result: r#"toset(["b", "c"])"# },
        body: Body::Parts(|work| filtered(work, |item, others| !others.iter().any(|other| has(other, item)))),
    },
    Function {
        name: "setunion",
        group: Group::Collections,
        parameters: &[SET, MORE],
        gives: Gives::Set,
        doc: "The elements that are in at least one of the sets.",
        example: Example { call: r#"setunion(["a", "b"], ["b", "c"])"#, result: r#"toset(["a", "b", "c"])"# },
        body: Body::Parts(union),
    },
];

fn has(items: &[Value], item: &Value) -> bool {
    items.iter().any(|one| same(one, item) == Ok(true))
}

/// The elements of all arguments as one type.
fn alike(work: &mut Work<'_>) -> Result<(Type, Vec<Vec<Value>>), Fault> {
    let sets: Vec<_> = (0..work.values.len()).map(|at| work.items(at)).collect();
    let Some(types) = sets.iter().map(element_type).collect::<Option<Vec<_>>>() else {
        return Err(Fault::call("needs sets whose elements are of one type"));
    };
    // An empty list says nothing about the type of its elements.
    let telling: Vec<_> = types.into_iter().zip(&sets).filter(|(_, set)| !set.is_empty()).map(|(ty, _)| ty).collect();
    let Some(ty) = unify(&telling) else { return Err(Fault::call("needs sets of elements that one type takes in")) };
    let mut converted = Vec::with_capacity(sets.len());
    for (at, set) in sets.into_iter().enumerate() {
        converted.push(set.into_iter().map(|item| work.convert(at, item, &ty)).collect::<Result<Vec<_>, _>>()?);
    }
    Ok((ty, converted))
}

fn marks(work: &Work<'_>) -> Marks {
    Marks::within(&work.values)
}

fn union(work: &mut Work<'_>) -> Result<Value, Fault> {
    let (ty, sets) = alike(work)?;
    let made = set_of(ty, sets.into_iter().flatten().collect(), &mut work.arena.origins);
    Ok(made.marked(marks(work)))
}

fn filtered(work: &mut Work<'_>, keep: impl Fn(&Value, &[Vec<Value>]) -> bool) -> Result<Value, Fault> {
    let (ty, sets) = alike(work)?;
    let Some((first, others)) = sets.split_first() else { return Ok(set_of(ty, Vec::new(), &mut work.arena.origins)) };
    let kept = first.iter().filter(|item| keep(item, others)).cloned().collect();
    Ok(set_of(ty, kept, &mut work.arena.origins).marked(marks(work)))
}

/// More would only serve to fill memory.
const MOST_COMBINATIONS: usize = 1_000_000;

fn product(work: &mut Work<'_>) -> Result<Value, Fault> {
    let is_set = |value: &Value| matches!(value.data(), Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)));
    let set = work.values.iter().any(is_set);
    let values = work.values.clone();
    if let (true, Some(open)) = (set, strict(&values)) {
        return Ok(work.later(open, Type::set(Type::Any)));
    }
    let mut types = Vec::new();
    let mut combinations: Vec<Vec<Value>> = vec![Vec::new()];
    let mut copied = 0_usize;
    for at in 0..values.len() {
        let items = work.items(at);
        let (ty, items) = of_one_type(work, at, items)?;
        types.push(ty);
        if combinations.len().saturating_mul(items.len()) > MOST_COMBINATIONS {
            return Err(Fault::call(format!("would give more than {MOST_COMBINATIONS} combinations")));
        }
        copied += combinations.len() * items.len() * (at + 1);
        if copied > MOST_VALUE / Extent::VALUE {
            return Err(Fault::call(format!("would make combinations of more than {} MiB", MOST_VALUE >> 20)));
        }
        let longer =
            |head: &Vec<Value>| items.iter().map(|item| [head.as_slice(), std::slice::from_ref(item)].concat()).collect::<Vec<_>>();
        combinations = combinations.iter().flat_map(longer).collect();
    }
    let (element, items) = (Type::Tuple(types.into()), combinations.into_iter().map(Value::tuple).collect());
    let made = if set { set_of(element, items, &mut work.arena.origins) } else { list(element, items) };
    Ok(made.marked(work.marks()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn sets_are_combined_as_in_terraform() {
        check(&[
            (r#"setunion(["a"], [1])"#, r#"set["1", "a"]"#),
            ("setunion(toset([1]), [])", "set[1]"),
            ("setunion([2, 1], [1])", "set[1, 2]"),
            ("setunion()", "wrong number of arguments: `setunion` takes at least 1 argument, 0 are given"),
            ("setunion([1], [true])", "unsuitable arguments: `setunion` needs sets of elements that one type takes in"),
            (r#"setintersection(["a", "b"])"#, r#"set["a", "b"]"#),
            (r#"setintersection([1, 2], ["2"])"#, r#"set["2"]"#),
            (r#"setintersection(["a"], [])"#, "set[]"),
            (
                r#"setintersection("a", ["a"])"#,
                "unsuitable argument: the `set` of `setintersection` must be a list, set or tuple, found a string",
            ),
            (r#"setsubtract(["a"], [1])"#, r#"set["a"]"#),
            ("setsubtract([], [])", "set[]"),
            (r#"setsubtract(["a"])"#, "wrong number of arguments: `setsubtract` takes 2 arguments, 1 is given"),
            ("setsubtract([1], [[1]])", "unsuitable arguments: `setsubtract` needs sets of elements that one type takes in"),
            (r#"setproduct(["a"], [])"#, "list[]"),
            (r#"setproduct(["a", 1], [1])"#, r#"list[["a", 1], ["1", 1]]"#),
            (r#"setproduct(toset(["b", "a"]), [1])"#, r#"set[["a", 1], ["b", 1]]"#),
            ("setproduct([1, 2], [3], [4, 5])", "list[[1, 3, 4], [1, 3, 5], [2, 3, 4], [2, 3, 5]]"),
            (r#"setproduct(["a"])"#, "wrong number of arguments: `setproduct` takes at least 2 arguments, 1 is given"),
            (r#"setproduct("a", [1])"#, "unsuitable argument: the `set` of `setproduct` must be a list, set or tuple, found a string"),
            (r#"setproduct([[1], "a"], [1])"#, "unsuitable argument: the `set` of `setproduct` holds elements that no one type takes in"),
            (
                "setproduct(range(1000), range(1000), range(2))",
                "unsuitable arguments: `setproduct` would give more than 1000000 combinations",
            ),
        ]);
    }

    #[test]
    fn elements_of_combinations_keep_their_origins() {
        check_states(&[
            ("setproduct([var.a, var.b], [var.unknown])[1][0]", "\"b\"", "b"),
            ("setproduct([var.a, var.b], [var.unknown])[1][1]", "?string", "u"),
            ("setproduct(toset([var.a]), [var.unknown])", "?set(any)", "a u"),
            ("setproduct(var.list, [var.a])", "?any", "a l"),
            ("setproduct([var.secret], [var.a])[0][1]", "\"a\"", "a"),
            ("setunion([var.a], [var.b])", "set[\"a\", \"b\"]", "a b"),
            ("setunion([var.a], [var.unknown])", "?set(any)", "a u"),
            ("setsubtract([var.a, var.b], [\"a\"])", "set[\"b\"]", "b"),
            ("setunion([var.secret], [\"x\"])", "*set[*\"s\", \"x\"]", "s"),
        ]);
    }
}
