//! Exact decimal numbers: 28 digits, parsed from source text, never through binary floating point.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::fmt;

/// An exact decimal of up to 28 significant digits.
pub type Number = Decimal;

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotANumber {
    /// The text is none.
    Malformed,
    /// It has more digits, or is larger, than an exact number holds here.
    TooPrecise,
}

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a number is required",
            Self::TooPrecise => "numbers hold at most 28 digits here",
        })
    }
}

impl std::error::Error for NotANumber {}

/// The number that a text such as `12`, `0.1` or `1.5e3` writes, exactly.
pub fn parse_number(text: &str) -> Result<Number, NotANumber> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (text, 0),
    };
    let digits = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(NotANumber::Malformed);
    }
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let number = Decimal::from_str_exact(mantissa).map_err(|_| NotANumber::TooPrecise)?;
    shifted(number.normalize(), exponent).ok_or(NotANumber::TooPrecise)
}

/// The number that a text converts to: as [`parse_number`], and with a `+` before it or digits on one side of the point only.
pub fn convert_number(text: &str) -> Result<Number, NotANumber> {
    let text = text.strip_prefix('+').filter(|text| !text.starts_with('-')).unwrap_or(text);
    let end = text.find(['e', 'E']).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(end);
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    match digits.split_once('.') {
        Some(("", fraction)) => parse_number(&format!("{sign}0.{fraction}{exponent}")),
        Some((whole, "")) => parse_number(&format!("{sign}{whole}{exponent}")),
        _ => parse_number(text),
    }
}

fn parse_exponent(text: &str) -> Result<i32, NotANumber> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotANumber::Malformed);
    }
    text.parse().map_err(|_| NotANumber::TooPrecise)
}

/// The number times a power of ten, if it holds that exactly.
fn shifted(number: Number, exponent: i32) -> Option<Number> {
    if number.is_zero() {
        return Some(number);
    }
    let scale = i32::try_from(number.scale()).ok()?.checked_sub(exponent)?;
    let mantissa = number.mantissa();
    let shifted = if scale < 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
        Decimal::try_from_i128_with_scale(mantissa.checked_mul(factor)?, 0)
    } else {
        Decimal::try_from_i128_with_scale(mantissa, scale.unsigned_abs())
    };
    shifted.ok().map(|number| number.normalize())
}

pub(super) fn to_u64(number: Number) -> Option<u64> {
    if number.is_integer() { number.to_u64() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_an_exact_number_or_says_why_not() {
        for (text, printed) in [
            ("12", "12"),
            ("0.10", "0.1"),
            ("-3", "-3"),
            ("1.50", "1.5"),
            ("100", "100"),
            ("-0", "0"),
            ("1.5e3", "1500"),
            ("1E+2", "100"),
            ("15e-1", "1.5"),
            ("0e99", "0"),
            ("9007199254740993", "9007199254740993"),
            ("1.0000000000000000000000000000000000000000", "1"),
            ("1e28", "10000000000000000000000000000"),
            ("1e-28", "0.0000000000000000000000000001"),
        ] {
            assert_eq!(parse_number(text).map(|number| number.to_string()), Ok(printed.to_owned()), "{text}");
        }
        for text in ["twelve", "", "1.2.3", "1.", ".5", "1e", "1e+", "1e1.5", "--1", "+1", " 1", "1_000", "0x10", "NaN"] {
            assert_eq!(parse_number(text), Err(NotANumber::Malformed), "{text}");
        }
        for text in ["99999999999999999999999999999999999999", "1e29", "1e-29", "1e99999999999", "0.12345678901234567890123456789012"] {
            assert_eq!(parse_number(text), Err(NotANumber::TooPrecise), "{text}");
        }
    }

    #[test]
    fn more_texts_convert_than_are_written() {
        for (text, printed) in [("+5", "5"), (".5", "0.5"), ("5.", "5"), ("-.5e1", "-5"), ("+5.e-1", "0.5"), ("1.50", "1.5"), ("-0", "0")] {
            assert_eq!(convert_number(text).map(|number| number.to_string()), Ok(printed.to_owned()), "{text}");
        }
        for text in ["", ".", "+", "-.", "+-1", "-+1", "++1", ".e1", "5.x", "Inf", "0x1", "1_0", "\u{661}"] {
            assert_eq!(convert_number(text), Err(NotANumber::Malformed), "{text}");
        }
        assert_eq!(convert_number("+99999999999999999999999999999999999999."), Err(NotANumber::TooPrecise));
    }
}
