//! Functions of numbers. All are exact but `log`, and `pow` with an exponent that is not whole.

use super::argument::{Arguments, Fault};
use super::result::list;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::value::{Number, Type, Value, parse_number};
use rust_decimal::prelude::ToPrimitive;

const NUMBER: Parameter = Parameter::new("number", Takes::Number);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "abs",
        group: Group::Numbers,
        parameters: &[NUMBER],
        gives: Gives::Number,
        doc: "The number without its sign.",
        example: Example { call: "abs(-12.4)", result: "12.4" },
        body: Body::Plain(|given| Ok(Value::number(given.number(0).abs()))),
    },
    Function {
        name: "ceil",
        group: Group::Numbers,
        parameters: &[NUMBER],
        gives: Gives::Number,
        doc: "The nearest whole number that is not less.",
        example: Example { call: "ceil(5.1)", result: "6" },
        body: Body::Plain(|given| Ok(Value::number(given.number(0).ceil()))),
    },
    Function {
        name: "floor",
        group: Group::Numbers,
        parameters: &[NUMBER],
        gives: Gives::Number,
        doc: "The nearest whole number that is not greater.",
        example: Example { call: "floor(-5.1)", result: "-6" },
        body: Body::Plain(|given| Ok(Value::number(given.number(0).floor()))),
    },
    Function {
        name: "log",
        group: Group::Numbers,
        parameters: &[NUMBER, Parameter::new("base", Takes::Number)],
        gives: Gives::Number,
        doc: "The logarithm of the number to the base, to about 15 digits.",
        example: Example { call: "log(16, 2)", result: "4" },
        body: Body::Plain(logarithm),
    },
    Function {
        name: "max",
        group: Group::Numbers,
        parameters: &[NUMBER, Parameter::repeated("more", Takes::Number)],
        gives: Gives::Number,
        doc: "The greatest of the numbers.",
        example: Example { call: "max(5, 12, 9)", result: "12" },
        body: Body::Plain(|given| Ok(Value::number(numbers(given).max().unwrap_or_default()))),
    },
    Function {
        name: "min",
        group: Group::Numbers,
        parameters: &[NUMBER, Parameter::repeated("more", Takes::Number)],
        gives: Gives::Number,
        doc: "The least of the numbers.",
        example: Example { call: "min([5, 3, 9]...)", result: "3" },
        body: Body::Plain(|given| Ok(Value::number(numbers(given).min().unwrap_or_default()))),
    },
    Function {
        name: "parseint",
        group: Group::Numbers,
        parameters: &[Parameter::new("text", Takes::Value), Parameter::new("base", Takes::Number)],
        gives: Gives::Number,
        doc: "The whole number that the text writes in a base from 2 to 62.",
        example: Example { call: r#"parseint("FF", 16)"#, result: "255" },
        body: Body::Plain(parse_integer),
    },
    Function {
        name: "pow",
        group: Group::Numbers,
        parameters: &[NUMBER, Parameter::new("exponent", Takes::Number)],
        gives: Gives::Number,
        doc: "The number to the power of the exponent; exact if the exponent is whole, else to about 15 digits.",
        example: Example { call: "pow(1.1, 2)", result: "1.21" },
        body: Body::Plain(power),
    },
    Function {
        name: "range",
        group: Group::Collections,
        parameters: &[
            Parameter::new("start_or_limit", Takes::Number),
            Parameter::optional("limit", Takes::Number),
            Parameter::optional("step", Takes::Number),
        ],
        gives: Gives::Numbers,
        doc: "The numbers from the start (0 if only a limit is given) up to and without the limit, at most 1024 of them.",
        example: Example { call: "range(1, 8, 2)", result: "tolist([1, 3, 5, 7])" },
        body: Body::Plain(range),
    },
    Function {
        name: "signum",
        group: Group::Numbers,
        parameters: &[NUMBER],
        gives: Gives::Number,
        doc: "-1, 0 or 1 by the sign of the number.",
        example: Example { call: "signum(-3)", result: "-1" },
        body: Body::Plain(|given| Ok(Value::number(given.whole(0)?.signum()))),
    },
    Function {
        name: "sum",
        group: Group::Numbers,
        parameters: &[Parameter::new("list", Takes::Numbers)],
        gives: Gives::Number,
        doc: "The sum of the elements of a list, set or tuple that is not empty.",
        example: Example { call: "sum([1, 2.5, 3])", result: "6.5" },
        body: Body::Plain(sum),
    },
];

const TOO_PRECISE: &str = "has a result that an exact number of 28 digits does not hold";

fn numbers(given: Arguments<'_>) -> impl Iterator<Item = Number> {
    given.rest(0).iter().filter_map(Value::as_number)
}

/// A number of binary floating point by its shortest text.
fn approximate(number: f64) -> Result<Value, Fault> {
    if !number.is_finite() {
        return Err(Fault::call("has no finite result for these numbers"));
    }
    parse_number(&format!("{number:e}")).map(Value::number).map_err(|_| Fault::call(TOO_PRECISE))
}

fn logarithm(given: Arguments<'_>) -> Result<Value, Fault> {
    let float = |at| given.number(at).to_f64().unwrap_or(f64::NAN);
    // The quotient of natural logarithms, as Terraform computes it, not the better rounded result.
    approximate(float(0).ln() / float(1).ln())
}

fn power(given: Arguments<'_>) -> Result<Value, Fault> {
    let (base, exponent) = (given.number(0), given.number(1));
    if !exponent.is_integer() {
        return approximate(base.to_f64().unwrap_or(f64::NAN).powf(exponent.to_f64().unwrap_or(f64::NAN)));
    }
    if exponent.is_sign_negative() && base.is_zero() {
        return Err(Fault::call("has no finite result for these numbers"));
    }
    // A base other than 0, 1 and -1 leaves the range of exact numbers long before its 200th power.
    let trivial = base.is_zero() || base.abs() == Number::ONE;
    let times = if trivial { Number::TWO - exponent.abs() % Number::TWO } else { exponent.abs() };
    let Some(times) = times.to_u64().filter(|times| *times <= 200) else { return Err(Fault::call(TOO_PRECISE)) };
    if exponent.is_zero() {
        return Ok(Value::number(1));
    }
    let mut product = Number::ONE;
    for _ in 0..times {
        product = exact_product(product, base).ok_or_else(|| Fault::call(TOO_PRECISE))?;
    }
    if exponent.is_sign_negative() {
        product = Number::ONE.checked_div(product).ok_or_else(|| Fault::call(TOO_PRECISE))?;
    }
    Ok(Value::number(product.normalize()))
}

/// The product, unless it would have to be rounded.
fn exact_product(one: Number, other: Number) -> Option<Number> {
    let (one, other) = (one.normalize(), other.normalize());
    let product = one.checked_mul(other)?;
    (product.scale() == one.scale() + other.scale() || product.is_zero()).then_some(product)
}

fn parse_integer(given: Arguments<'_>) -> Result<Value, Fault> {
    let Some(text) = given.get(0).and_then(Value::as_str) else {
        return Err(Fault::at(0, format!("must be a string, found {}", given.shown(0))));
    };
    let base = given.whole(1)?;
    let Some(base) = u32::try_from(base).ok().filter(|base| (2..=62).contains(base)) else {
        return Err(Fault::at(1, format!("must be from 2 to 62, found {}", given.shown(1))));
    };
    let malformed = || Fault::at(0, format!("must be a whole number in base {base}, found {}", given.shown(0)));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return Err(malformed());
    }
    let mut number: i128 = 0;
    for digit in digits.chars() {
        let digit = digit_value(digit, base).ok_or_else(malformed)?;
        let next = number.checked_mul(i128::from(base)).and_then(|number| number.checked_add(i128::from(digit)));
        number = next.ok_or_else(|| Fault::call(TOO_PRECISE))?;
    }
    let signed = if text.starts_with('-') { -number } else { number };
    Number::try_from_i128_with_scale(signed, 0).map(Value::number).map_err(|_| Fault::call(TOO_PRECISE))
}

/// Up to base 36 the case of letters does not count; above, capitals come after small letters.
fn digit_value(digit: char, base: u32) -> Option<u32> {
    let value = match digit {
        'A'..='Z' if base > 36 => u32::from(digit) - u32::from('A') + 36,
        _ => digit.to_digit(36)?,
    };
    (value < base).then_some(value)
}

const MOST_NUMBERS: usize = 1024;

fn range(given: Arguments<'_>) -> Result<Value, Fault> {
    let (start, limit) = match given.get(1) {
        Some(_) => (given.number(0), given.number(1)),
        None => (Number::ZERO, given.number(0)),
    };
    let up = start <= limit;
    let step = match given.get(2) {
        Some(_) => given.number(2),
        None if up => Number::ONE,
        None => Number::NEGATIVE_ONE,
    };
    if step.is_zero() && start != limit {
        return Err(Fault::at(2, "must not be zero"));
    }
    if start != limit && up == step.is_sign_negative() {
        return Err(Fault::at(2, "leads away from the limit"));
    }
    let mut items = Vec::new();
    let mut at = start;
    while if up { at < limit } else { at > limit } {
        if items.len() == MOST_NUMBERS {
            return Err(Fault::call(format!("would give more than {MOST_NUMBERS} numbers")));
        }
        items.push(Value::number(at));
        at = at.checked_add(step).ok_or_else(|| Fault::call(TOO_PRECISE))?;
    }
    Ok(list(Type::Number, items))
}

fn sum(given: Arguments<'_>) -> Result<Value, Fault> {
    let items = given.items(0);
    if items.is_empty() {
        return Err(Fault::at(0, "must not be empty"));
    }
    let mut sum = Number::ZERO;
    for (index, item) in items.iter().enumerate() {
        let number = item.as_number().ok_or_else(|| Fault::at(0, format!("holds null at index {index}")))?;
        sum = sum.checked_add(number).ok_or_else(|| Fault::call(TOO_PRECISE))?;
    }
    Ok(Value::number(sum))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn numbers_are_computed_as_in_terraform_but_exactly() {
        check(&[
            ("abs(3)", "3"),
            ("abs(0)", "0"),
            (r#"abs("-1")"#, "1"),
            (r#"abs("x")"#, "unsuitable argument: the `number` of `abs` does not fit: a number is required, found the string `x`"),
            ("ceil(-5.1)", "-5"),
            (r#"ceil("1.5")"#, "2"),
            ("ceil(1e20)", "100000000000000000000"),
            ("ceil(null)", "unsuitable argument: the `number` of `ceil` is null here"),
            ("floor(5.9)", "5"),
            ("floor(7)", "7"),
            ("floor(-0.5)", "-1"),
            ("floor([1])", "unsuitable argument: the `number` of `floor` does not fit: a number is required, found a tuple"),
            ("log(50, 10)", "1.6989700043360185"),
            ("log(1, 10)", "0"),
            ("log(0, 10)", "unsuitable arguments: `log` has no finite result for these numbers"),
            ("log(2)", "wrong number of arguments: `log` takes 2 arguments, 1 is given"),
            ("max([1, 2]...)", "2"),
            ("max(-1, -2)", "-1"),
            (r#"max("10", 9)"#, "10"),
            ("max()", "wrong number of arguments: `max` takes at least 1 argument, 0 are given"),
            (r#"min(5, "3", 9)"#, "3"),
            ("min(1)", "1"),
            ("min(0.1, 0.05)", "0.05"),
            (
                r#"min(1, "a")"#,
                "unsuitable argument: the `more` of `min`, argument 2, does not fit: a number is required, found the string `a`",
            ),
            ("signum(0)", "0"),
            ("signum(12)", "1"),
            ("signum(-1)", "-1"),
            ("signum(2.5)", "unsuitable argument: the `number` of `signum` must be a whole number, found `2.5`"),
        ]);
    }

    #[test]
    fn powers_sums_and_ranges_are_exact_or_say_that_they_cannot_be() {
        check(&[
            ("pow(3, 2)", "9"),
            ("pow(2, -1)", "0.5"),
            ("pow(10, 28)", "10000000000000000000000000000"),
            ("pow(10, -3)", "0.001"),
            ("pow(-2, 3)", "-8"),
            ("pow(2, 0.5)", "1.4142135623730951"),
            ("pow(1, 1e20)", "1"),
            ("pow(-1, 1000001)", "-1"),
            ("pow(0, 5)", "0"),
            ("pow(7, 0)", "1"),
            ("pow(2, 100)", "unsuitable arguments: `pow` has a result that an exact number of 28 digits does not hold"),
            ("pow(1.1, 50)", "unsuitable arguments: `pow` has a result that an exact number of 28 digits does not hold"),
            ("pow(0, -1)", "unsuitable arguments: `pow` has no finite result for these numbers"),
            ("pow(-8, 0.5)", "unsuitable arguments: `pow` has no finite result for these numbers"),
            (r#"sum([1, "2"])"#, "3"),
            ("sum(toset([1, 2]))", "3"),
            ("sum([0.1, 0.2])", "0.3"),
            ("sum([])", "unsuitable argument: the `list` of `sum` must not be empty"),
            ("sum([1, null])", "unsuitable argument: the `list` of `sum` holds null at index 1"),
            ("sum({ a = 1 })", "unsuitable argument: the `list` of `sum` does not fit: a list(number) is required, found an object"),
            ("range(3)", "list[0, 1, 2]"),
            ("range(-3)", "list[0, -1, -2]"),
            ("range(4, 1)", "list[4, 3, 2]"),
            ("range(0, 1, 0.25)", "list[0, 0.25, 0.50, 0.75]"),
            ("range(0, -3, -2)", "list[0, -2]"),
            ("range(3.5)", "list[0, 1, 2, 3]"),
            ("range(0)", "list[]"),
            ("range(1, 4, -1)", "unsuitable argument: the `step` of `range` leads away from the limit"),
            ("range(0, 1, 0)", "unsuitable argument: the `step` of `range` must not be zero"),
            ("range(2000)", "unsuitable arguments: `range` would give more than 1024 numbers"),
            ("range()", "wrong number of arguments: `range` takes 1 to 3 arguments, 0 are given"),
        ]);
    }

    #[test]
    fn integers_are_read_in_any_base() {
        check(&[
            (r#"parseint("-10", 2)"#, "-2"),
            (r#"parseint("1011111011101111", 2)"#, "48879"),
            (r#"parseint("aA", 62)"#, "656"),
            (r#"parseint("aA", 16)"#, "170"),
            (r#"parseint("+5", 10)"#, "5"),
            (r#"parseint("9999999999999999999999999999", 10)"#, "9999999999999999999999999999"),
            (r#"parseint("zz", 10)"#, "unsuitable argument: the `text` of `parseint` must be a whole number in base 10, found `zz`"),
            (r#"parseint("", 10)"#, "unsuitable argument: the `text` of `parseint` must be a whole number in base 10, found ``"),
            (r#"parseint("-", 10)"#, "unsuitable argument: the `text` of `parseint` must be a whole number in base 10, found `-`"),
            ("parseint(10, 10)", "unsuitable argument: the `text` of `parseint` must be a string, found `10`"),
            (r#"parseint("10", 1)"#, "unsuitable argument: the `base` of `parseint` must be from 2 to 62, found `1`"),
            (r#"parseint("10", 63)"#, "unsuitable argument: the `base` of `parseint` must be from 2 to 62, found `63`"),
            (
                r#"parseint("ffffffffffffffffffffffffffffffff", 16)"#,
                "unsuitable arguments: `parseint` has a result that an exact number of 28 digits does not hold",
            ),
            (
                r#"parseint(sensitive("secret"), 10)"#,
                "unsuitable argument: the `text` of `parseint` must be a whole number in base 10, found a sensitive value",
            ),
        ]);
    }
}
