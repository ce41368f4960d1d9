//! `format` and `formatlist`.

use super::argument::{Arguments, Fault, Work, shown};
use super::json::json;
use super::result::list;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use super::verb::{Piece, Verb, pieces};
use super::{Called, later};
use crate::eval::convert::primitive;
use crate::eval::size::{MOST_TEXT, TEXT_TOO_LARGE};
use crate::eval::strict::{Open, first, strict};
use crate::eval::words;
use crate::source::Span;
use crate::value::{Data, Marks, Type, Value};

const FORMAT: Parameter = Parameter::new("format", Takes::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "format",
        group: Group::Strings,
        parameters: &[FORMAT, Parameter::repeated("values", Takes::Value)],
        gives: Gives::Text,
        doc: "The format with each verb, such as `%s`, `%d`, `%5.2f`, `%q` or `%v`, replaced by the next value, or by the one it names: `%[2]s`.",
        example: Example { call: r#"format("%s-%03d", "node", 7)"#, result: r#""node-007""# },
        body: Body::Plain(format),
    },
    Function {
        name: "formatlist",
        group: Group::Strings,
        parameters: &[FORMAT, Parameter::repeated("values", Takes::Anything)],
        gives: Gives::Texts,
        doc: "As `format`, once for each element of the lists among the values; the other values are the same each time.",
        example: Example { call: r#"formatlist("%s.%s", ["a", "b"], "mesh")"#, result: r#"tolist(["a.mesh", "b.mesh"])"# },
        body: Body::Parts(format_list),
    },
];

fn format(given: Arguments<'_>) -> Result<Value, Fault> {
    let values: Vec<&Value> = given.rest(1).iter().collect();
    Ok(Value::string(rendered(given.text(0), &values)?))
}

fn rendered(format: &str, values: &[&Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let (mut next, mut used) = (0, 0);
    for piece in pieces(format)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Verb(verb) => {
                let at = verb.index.unwrap_or(next);
                next = at + 1;
                used = used.max(next);
                let Some(value) = values.get(at) else {
                    let detail = format!("has no value {} for `{}`; {} are given", at + 1, verb.text, values.len());
                    return Err(Fault::call(detail));
                };
                out.push_str(&one(&verb, value).map_err(|what| Fault::at(at + 1, format!("does not fit `{}`: {what}", verb.text)))?);
                if out.len() > MOST_TEXT {
                    return Err(Fault::call(TEXT_TOO_LARGE));
                }
            }
        }
    }
    if used < values.len() {
        return Err(Fault::at(used + 1, format!("is left over; the format uses {used} of {} values", values.len())));
    }
    Ok(out)
}

/// One value under one verb, or what is required instead.
fn one(verb: &Verb<'_>, value: &Value) -> Result<String, String> {
    let primitive = |ty| primitive(value, &ty).map_err(|mismatch| mismatch.to_string());
    if value.is_null() && verb.letter != 'v' {
        return Err("null has no text".to_owned());
    }
    match verb.letter {
        'v' => Ok(verb.padded(any(verb, value))),
        't' => Ok(if primitive(Type::Bool)?.as_bool() == Some(true) { "true" } else { "false" }.to_owned()),
        's' => Ok(verb.padded(verb.cut(primitive(Type::String)?.as_str().unwrap_or_default()))),
        'q' => Ok(verb.padded(json(&Value::string(verb.cut(primitive(Type::String)?.as_str().unwrap_or_default()))))),
        'd' | 'b' | 'o' | 'x' | 'X' => {
            let number = primitive(Type::Number)?.as_number().unwrap_or_default();
            let whole = if number.is_integer() { i128::try_from(number).ok() } else { None };
            let whole = whole.ok_or_else(|| format!("a whole number is required, found {}", shown(value)))?;
            Ok(verb.padded(verb.integer(whole)))
        }
        _ => Ok(verb.padded(verb.decimal(primitive(Type::Number)?.as_number().unwrap_or_default()))),
    }
}

/// A value as `%v` shows it, whatever it is.
fn any(verb: &Verb<'_>, value: &Value) -> String {
    match value.data() {
        _ if verb.sharp => json(value),
        Data::Null => "null".to_owned(),
        Data::String(text) => text.to_string(),
        Data::Number(number) => verb.shown_number(*number),
        _ => json(value),
    }
}

fn format_list(work: &mut Work<'_>) -> Result<Value, Fault> {
    let mut open = None;
    let mut length: Option<(usize, usize)> = None;
    for (at, value) in work.values.iter().enumerate().skip(1) {
        match value.data() {
            Data::Unknown(ty, _) | Data::Pending(ty) if !may_be_walked(ty) => {}
            Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => open = first(open, Open::of(value)),
            Data::Sequence(sequence) => {
                let found = sequence.items().len();
                match length {
                    Some((first, expected)) if expected != found => {
                        return Err(Fault::at(at, format!("has {found} elements, but argument {} has {expected}", first + 1)));
                    }
                    _ => length = length.or(Some((at, found))),
                }
            }
            _ => {}
        }
    }
    if let Some(open) = open {
        return Ok(work.later(open, Type::list(Type::String)));
    }
    let walked: Vec<Option<Vec<Value>>> =
        (0..work.values.len()).map(|at| matches!(work.values[at].data(), Data::Sequence(_)).then(|| work.items(at))).collect();
    let (mut items, mut length_of_all) = (Vec::new(), 0_usize);
    for index in 0..length.map_or(1, |(_, length)| length) {
        let pick = |(at, value): (usize, &Value)| walked[at].as_ref().and_then(|items| items.get(index)).unwrap_or(value).clone();
        let row: Vec<Value> = work.values.iter().enumerate().map(pick).collect();
        let text = row_text(work, row)?;
        length_of_all += text.as_str().map_or(0, str::len);
        if length_of_all > MOST_TEXT {
            return Err(Fault::call(TEXT_TOO_LARGE));
        }
        items.push(text);
    }
    Ok(list(Type::String, items).marked(work.marks()))
}

fn may_be_walked(ty: &Type) -> bool {
    matches!(ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_))
}

/// `format` of one row, left for later by itself if a value in it is not known.
fn row_text(work: &mut Work<'_>, row: Vec<Value>) -> Result<Value, Fault> {
    if let Some(open) = strict(&row) {
        let called = Called { name: "format", ..work.called };
        let span = |at: usize| work.arguments.get(at).map_or(called.span, |(_, span)| *span);
        let arguments: Vec<(Value, Span)> = row.into_iter().enumerate().map(|(at, value)| (value, span(at))).collect();
        return Ok(later(open, Type::String, called, &arguments, work.arena));
    }
    if let Some(walked) = row.iter().skip(1).find(|value| matches!(value.data(), Data::Sequence(_))) {
        return Err(Fault::call(format!("formats elements one by one, found {} within a list", words(walked))));
    }
    let values: Vec<&Value> = row.iter().skip(1).collect();
    let text = rendered(row[0].as_str().unwrap_or_default(), &values)?;
    let marks = Marks::within(&row);
    let origins: Vec<_> = row.iter().map(|value| value.deep_origin(&mut work.arena.origins)).collect();
    let origin = work.arena.origins.join(&origins);
    Ok(Value::string(text).with_origin(origin).marked(marks))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn values_are_written_as_in_terraform() {
        check(&[
            (r#"format("%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42)"#, r#""   42|42   |00042|+42| 42""#),
            (r#"format("%05d|%-05d|%+05d|%05.1f|% 05d", -42, -42, 42, -1.5, 42)"#, r#""-0042|-42  |+0042|-01.5| 0042""#),
            (
                r#"format("%f|%8.3f|%e|%g|%G|%E", 1.5, 3.14159, 1234.5, 1000000, 0.00001, 0.5)"#,
                r#""1.500000|   3.142|1.234500e+03|1e+06|1E-05|5.000000E-01""#,
            ),
            (
                r#"format("%.0e|%.10g|%.2g|%g|%g|%g", 12345, 1234.5, 1234.5, 100000, 0.0001, 0.00001)"#,
                r#""1e+04|1234.5|1.2e+03|100000|0.0001|1e-05""#,
            ),
            (
                r#"format("%b|%o|%x|%X|%#x|%#o|%#b|% x|%x", 10, 8, 255, 255, 255, 8, 5, 255, -1)"#,
                r#""1010|10|ff|FF|0xff|010|0b101| ff|-1""#,
            ),
            (r#"format("%.0f|%.1f|%10.2f|%-10.2f|%+.1f", -2.5, -2.5, -2.5, 255, 255)"#, r#""-2|-2.5|     -2.50|255.00    |+255.0""#),
            (r#"format("%.3d|%5t|%-6t|", 5, true, false)"#, r#""005|true|false|""#),
            (r#"format("%[2]s %[1]s", "a", "b")"#, r#""b a""#),
            (r#"format("%[2]d %d", 1, 2, 3)"#, r#""2 3""#),
            (r#"format("%5s|%-5s|%.2s|%05s|%5.1s|%5s", "a", "b", "abc", "a", "héllo", "é")"#, r#""    a|b    |ab|0000a|    h|    é""#),
            (r#"format("%s %s %s", 1.50, true, 1e25)"#, r#""1.5 true 10000000000000000000000000""#),
            (
                r#"format("%v|%v|%v|%v|%v", 0.1, 12345678901234567890123, true, 1e25, 255)"#,
                r#""0.1|1.2345678901234567890123e+22|true|1e+25|255""#,
            ),
            (
                r#"format("%v|%#v|%#v|%v", ["a", 1, null], { a = "b" }, "a<b", null)"#,
                r#""[\"a\",1,null]|{\"a\":\"b\"}|\"a\\u003cb\"|null""#,
            ),
            (r#"format("%q|%q", "a<b\n", 1)"#, r#""\"a\\u003cb\\n\"|\"1\"""#),
            (r#"format("%5v|%-5v|%05v|%.3v", 1, "a", 2, 3.14159)"#, r#""    1|a    |00002|3.14159""#),
            (r#"format("%d%%", "12")"#, r#""12%""#),
            (r#"format("%t", "true")"#, r#""true""#),
        ]);
    }

    #[test]
    fn what_cannot_be_formatted_says_so() {
        check(&[
            (
                r#"format("%d", 1.5)"#,
                "unsuitable argument: the `values` of `format`, argument 2, does not fit `%d`: a whole number is required, found `1.5`",
            ),
            (
                r#"format("%s", [1])"#,
                "unsuitable argument: the `values` of `format`, argument 2, does not fit `%s`: a string is required, found a tuple",
            ),
            (r#"format("%s", null)"#, "unsuitable argument: the `values` of `format`, argument 2, does not fit `%s`: null has no text"),
            (r#"format("%s")"#, "unsuitable arguments: `format` has no value 1 for `%s`; 0 are given"),
            (r#"format("%[3]d", 1)"#, "unsuitable arguments: `format` has no value 3 for `%[3]d`; 1 are given"),
            (
                r#"format("%s", "a", "b")"#,
                "unsuitable argument: the `values` of `format`, argument 3, is left over; the format uses 1 of 2 values",
            ),
            (r#"format("%z", 1)"#, "unsuitable argument: the `format` of `format` has no verb `%z`"),
            (r#"format("%c", 65)"#, "unsuitable argument: the `format` of `format` has no verb `%c`"),
            (r#"format("abc%")"#, "unsuitable argument: the `format` of `format` ends within a verb; a percent sign is written `%%`"),
            (r#"format("%*d", 5, 42)"#, "unsuitable argument: the `format` of `format` has no verb `%*`"),
            (r#"format("%[0]d", 1)"#, "unsuitable argument: the `format` of `format` names a value `%[0]`; the first one is `[1]`"),
            (r#"format("%99999s", 1)"#, "unsuitable argument: the `format` of `format` has a width or precision over 1024"),
            (
                r#"format("%d", sensitive("hunter2"))"#,
                "unsuitable argument: the `values` of `format`, argument 2, does not fit `%d`: a number is required, found a string",
            ),
            (
                r#"format("%x", sensitive(1.5))"#,
                "unsuitable argument: the `values` of `format`, argument 2, does not fit `%x`: a whole number is required, found a sensitive value",
            ),
        ]);
    }

    #[test]
    fn lists_are_formatted_element_by_element() {
        check(&[
            (r#"formatlist("%s-%s", ["a", "b"], "x")"#, r#"list["a-x", "b-x"]"#),
            (r#"formatlist("x")"#, r#"list["x"]"#),
            (r#"formatlist("%s", [])"#, "list[]"),
            (r#"formatlist("%s%d", toset(["b", "a"]), [1, 2])"#, r#"list["a1", "b2"]"#),
            (
                r#"formatlist("%s-%s", ["a", "b"], ["x"])"#,
                "unsuitable argument: the `values` of `formatlist`, argument 3, has 1 elements, but argument 2 has 2",
            ),
            (r#"formatlist("%s", [[1]])"#, "unsuitable arguments: `formatlist` formats elements one by one, found a tuple within a list"),
            (
                r#"formatlist("%d", ["x"])"#,
                "unsuitable argument: the `values` of `formatlist`, argument 2, does not fit `%d`: a number is required, found the string `x`",
            ),
        ]);
        check_states(&[
            ("formatlist(\"%s\", [var.unknown, var.a])", "list[?string, \"a\"]", "a u"),
            ("formatlist(\"%s\", [var.unknown, var.a])[1]", "\"a\"", "a"),
            ("formatlist(\"%s%s\", [\"x\"], var.b)", "list[\"xb\"]", "b"),
            ("formatlist(\"%s\", var.list)", "?list(string)", "l"),
            ("formatlist(\"%s\", [var.secret, \"x\"])[1]", "\"x\"", ""),
            ("format(\"%s\", var.unknown)", "?string", "u"),
            ("format(\"%s-%s\", var.a, var.secret)", "*\"a-s\"", "a s"),
        ]);
    }
}
