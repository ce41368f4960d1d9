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
    let digits = text.strip_prefix('-').unwrap_or(text);
    let well_formed = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !well_formed {
        return Err(NotANumber::Malformed);
    }
    let parsed = if digits.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) };
    parsed.map(|number| number.normalize()).map_err(|error| match error {
        rust_decimal::Error::ErrorString(_) => NotANumber::Malformed,
        _ => NotANumber::TooPrecise,
    })
}

pub(super) fn to_u64(number: Number) -> Option<u64> {
    if number.is_integer() { number.to_u64() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_an_exact_number_or_says_why_not() {
        for (text, printed) in [("12", "12"), ("0.10", "0.1"), ("-3", "-3"), ("1.5e3", "1500"), ("9007199254740993", "9007199254740993")] {
            assert_eq!(parse_number(text).map(|number| number.to_string()), Ok(printed.to_owned()));
        }
        assert_eq!(parse_number("twelve"), Err(NotANumber::Malformed));
        assert_eq!(parse_number(""), Err(NotANumber::Malformed));
        assert_eq!(parse_number("1.2.3"), Err(NotANumber::Malformed));
        assert_eq!(parse_number("99999999999999999999999999999999999999"), Err(NotANumber::TooPrecise));
    }
}
