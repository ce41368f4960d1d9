//! What an unquoted YAML scalar is: the words of YAML 1.1 for null, true and false, numbers, dates, and else text.

use super::argument::Fault;
use crate::value::{Value, parse_number};

/// The value of a plain scalar.
pub(super) fn plain(text: &str) -> Result<Value, Fault> {
    if let Some(value) = word(text) {
        return Ok(value);
    }
    if is_number(text) {
        return number(text);
    }
    if let Some((digits, base)) = prefixed(text) {
        let number = i128::from_str_radix(digits, base).map(|number| Value::number(rust_decimal::Decimal::from_i128_with_scale(number, 0)));
        return number.map_err(|_| too_precise());
    }
    if matches!(text, ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(Fault::at(0, "holds a number that is none here: numbers are finite"));
    }
    Ok(Value::string(moment(text).unwrap_or_else(|| text.to_owned())))
}

/// The value of a scalar with one of the core tags, or nothing if it has no such value.
pub(super) fn tagged(tag: &str, text: &str) -> Option<Value> {
    if matches!(tag, "str" | "binary") {
        return Some(Value::string(text));
    }
    if tag == "null" {
        return Some(Value::null());
    }
    let value = plain(text).ok()?;
    let fits = match tag {
        "bool" => value.as_bool().is_some(),
        "int" => value.as_number().is_some_and(|number| number.is_integer()),
        "float" => value.as_number().is_some(),
        "timestamp" => value.as_str().is_some(),
        _ => false,
    };
    fits.then_some(value)
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::null(),
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::bool(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::bool(false),
        _ => return None,
    })
}

fn too_precise() -> Fault {
    Fault::at(0, "holds a number that is none here: numbers hold at most 28 digits here")
}

/// `0x1F` and `0o17`.
fn prefixed(text: &str) -> Option<(&str, u32)> {
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x', _, ..] => (&text[2..], 16),
        [b'0', b'o', _, ..] => (&text[2..], 8),
        _ => return None,
    };
    digits.chars().all(|c| c.is_digit(base)).then_some((digits, base))
}

/// Whether a text is `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some = !whole.is_empty() || !fraction.is_empty();
    some && !exponent.is_empty() && digits(whole) && digits(fraction) && digits(exponent)
}

fn number(text: &str) -> Result<Value, Fault> {
    // The language's own numbers have digits on both sides of the point, and no plus.
    let (sign, unsigned) = match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    };
    let (mantissa, exponent) = unsigned.split_at(unsigned.find(['e', 'E']).unwrap_or(unsigned.len()));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (whole, fraction) = (if whole.is_empty() { "0" } else { whole }, if fraction.is_empty() { "0" } else { fraction });
    parse_number(&format!("{sign}{whole}.{fraction}{exponent}")).map(Value::number).map_err(|_| too_precise())
}

/// A point in time in one of the forms that Terraform reads: a date alone, which is midnight, or with a time behind `T`, which has a zone,
/// or behind a space, which has none. Whole seconds are left of it.
fn moment(text: &str) -> Option<String> {
    let (date, rest) = text.split_at(text.find(['T', 't', ' ']).unwrap_or(text.len()));
    let date = day(date)?;
    let Some(behind) = rest.chars().next() else { return Some(format!("{date}T00:00:00Z")) };
    let rest = &rest[1..];
    let (time, zone) = match behind {
        ' ' => (rest, "Z"),
        _ => rest.split_at(rest.find(['Z', '+', '-'])?),
    };
    let (time, fraction) = time.split_once(['.', ',']).map_or((time, None), |(time, fraction)| (time, Some(fraction)));
    if fraction.is_some_and(|fraction| fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let mut parts = time.splitn(3, ':').map(|part| number_of(part, 1, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (hour < 24 && minute < 60 && second < 60).then(|| Some(format!("{date}T{hour:02}:{minute:02}:{second:02}{}", self::zone(zone)?)))?
}

/// `Z` or `+01:00`; none of hours and minutes is `Z` as well.
fn zone(text: &str) -> Option<&str> {
    let Some(offset) = text.strip_prefix(['+', '-']) else { return (text == "Z").then_some(text) };
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (number_of(hours, 2, 2)?, number_of(minutes, 2, 2)?);
    (hours <= 24 && minutes < 60).then_some(if hours + minutes == 0 { "Z" } else { text })
}

fn day(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (number_of(parts.next()?, 4, 4)?, number_of(parts.next()?, 1, 2)?, number_of(parts.next()?, 1, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// A number of so many digits.
fn number_of(text: &str, shortest: usize, longest: usize) -> Option<u32> {
    let fits = (shortest..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::scene::show;

    #[test]
    fn plain_scalars_are_read_as_in_terraform() {
        for (text, expected) in [
            ("x", r#""x""#),
            ("", "null"),
            ("~", "null"),
            ("Null", "null"),
            ("yes", "true"),
            ("y", "true"),
            ("On", "true"),
            ("n", "false"),
            ("FALSE", "false"),
            ("off", "false"),
            ("12", "12"),
            ("+5", "5"),
            ("017", "17"),
            ("08", "8"),
            ("2.50", "2.5"),
            ("1.", "1"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("1E+2", "100"),
            ("12e03", "12000"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0X1F", r#""0X1F""#),
            ("-0x1", r#""-0x1""#),
            ("0x", r#""0x""#),
            ("0xZZ", r#""0xZZ""#),
            ("0b11", r#""0b11""#),
            ("1e", r#""1e""#),
            ("1.5.2", r#""1.5.2""#),
            ("1_000", r#""1_000""#),
            ("1:30", r#""1:30""#),
            (".", r#"".""#),
            ("-", r#""-""#),
            ("2020-01-01", r#""2020-01-01T00:00:00Z""#),
            ("2020-1-1", r#""2020-01-01T00:00:00Z""#),
            ("2020-02-29", r#""2020-02-29T00:00:00Z""#),
            ("2021-02-29", r#""2021-02-29""#),
            ("2020-13-01", r#""2020-13-01""#),
            ("2020-01-01T10:00:00Z", r#""2020-01-01T10:00:00Z""#),
            ("2001-12-14t21:59:43.10-05:00", r#""2001-12-14T21:59:43-05:00""#),
            ("2001-12-14T1:2:3+00:00", r#""2001-12-14T01:02:03Z""#),
            ("2001-12-14T21:59:43,5Z", r#""2001-12-14T21:59:43Z""#),
            ("2001-1-4 1:02:03", r#""2001-01-04T01:02:03Z""#),
            ("2001-1-4 1:02:03Z", r#""2001-1-4 1:02:03Z""#),
            ("2001-12-14T21:59:43", r#""2001-12-14T21:59:43""#),
            ("2001-12-14 21:59:43.10 -5", r#""2001-12-14 21:59:43.10 -5""#),
            ("2001-12-14T24:00:00Z", r#""2001-12-14T24:00:00Z""#),
            ("2001-12-14T21:59:43.Z", r#""2001-12-14T21:59:43.Z""#),
            ("2001-12-14T21:59Z", r#""2001-12-14T21:59Z""#),
            ("2001-12-14T21:59:43+0100", r#""2001-12-14T21:59:43+0100""#),
            ("2001-12-14T", r#""2001-12-14T""#),
        ] {
            assert_eq!(show(&plain(text).unwrap()), expected, "{text}");
        }
        for text in [".inf", "-.INF", ".nan", "1e400", "0xffffffffffffffffffffffffffffffffff"] {
            assert!(plain(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tags_decide_what_a_scalar_is() {
        for (tag, text, expected) in [
            ("str", "1", Some(r#""1""#)),
            ("binary", "aGk=", Some(r#""aGk=""#)),
            ("int", "0x10", Some("16")),
            ("int", "1.5", None),
            ("float", "5", Some("5")),
            ("bool", "yes", Some("true")),
            ("bool", "x", None),
            ("null", "x", Some("null")),
            ("set", "x", None),
        ] {
            assert_eq!(tagged(tag, text).map(|value| show(&value)).as_deref(), expected, "{tag} {text}");
        }
    }
}
