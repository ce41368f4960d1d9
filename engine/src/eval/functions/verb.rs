//! The verbs of a format: how they are read, and how numbers are written under them.

use super::argument::Fault;
use crate::eval::convert::number_text;
use crate::value::Number;
use rust_decimal::RoundingStrategy;
use unicode_segmentation::UnicodeSegmentation;

/// A piece of a format.
pub(super) enum Piece<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// A verb.
    Verb(Verb<'a>),
}

/// A verb, such as `%-8.2[1]f`.
#[derive(Clone, Default)]
pub(super) struct Verb<'a> {
    /// As it is written.
    pub(super) text: &'a str,
    /// Which value it names, from 0.
    pub(super) index: Option<usize>,
    /// One of `vtsqdboxXeEfgG`.
    pub(super) letter: char,
    /// `#`: with a prefix, or as JSON.
    pub(super) sharp: bool,
    /// Digits after the point, digits at all, or characters.
    pub(super) precision: Option<usize>,
    sign: Option<char>,
    left: bool,
    zero: bool,
    width: usize,
}

/// More would only serve to fill memory.
const WIDEST: usize = 1024;

/// The pieces of a format.
pub(super) fn pieces(format: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        pieces.push(Piece::Text(&rest[..at]));
        rest = &rest[at..];
        if rest.starts_with("%%") {
            pieces.push(Piece::Text("%"));
            rest = &rest[2..];
        } else {
            let verb = verb(rest)?;
            rest = &rest[verb.text.len()..];
            pieces.push(Piece::Verb(verb));
        }
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// The verb at the start of a text.
fn verb(text: &str) -> Result<Verb<'_>, Fault> {
    let mut verb = Verb::default();
    let mut rest = &text[1..];
    while let Some(flag) = rest.chars().next().filter(|c| "+ #-0".contains(*c)) {
        match flag {
            '+' => verb.sign = Some('+'),
            ' ' => verb.sign = verb.sign.or(Some(' ')),
            '#' => verb.sharp = true,
            '-' => verb.left = true,
            _ => verb.zero = true,
        }
        rest = &rest[1..];
    }
    (verb.width, rest) = digits(rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = digits(after)?;
        verb.precision = Some(precision);
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('[') {
        let (index, after) = digits(after)?;
        let Some(index) = index.checked_sub(1) else {
            return Err(Fault::at(0, "names a value `%[0]`; the first one is `[1]`"));
        };
        verb.index = Some(index);
        rest = after.strip_prefix(']').ok_or_else(|| Fault::at(0, "has a `[` in a verb that no `]` closes"))?;
    }
    let Some(letter) = rest.chars().next() else {
        return Err(Fault::at(0, "ends within a verb; a percent sign is written `%%`"));
    };
    if !"vtsqdboxXeEfgG".contains(letter) {
        return Err(Fault::at(0, format!("has no verb `%{letter}`")));
    }
    verb.letter = letter;
    verb.text = &text[..text.len() - rest.len() + letter.len_utf8()];
    Ok(verb)
}

fn digits(text: &str) -> Result<(usize, &str), Fault> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Ok((0, text));
    }
    let number = text[..end].parse().ok().filter(|number| *number <= WIDEST);
    let number = number.ok_or_else(|| Fault::at(0, format!("has a width or precision over {WIDEST}")))?;
    Ok((number, &text[end..]))
}

impl Verb<'_> {
    /// The text cut to the precision, in characters.
    pub(super) fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(most) => text.graphemes(true).take(most).collect(),
            None => text.to_owned(),
        }
    }

    /// The text filled up to the width. Zeros go between a sign and what follows.
    pub(super) fn padded(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.graphemes(true).count());
        if missing == 0 {
            text
        } else if self.left {
            text + &" ".repeat(missing)
        } else if self.zero {
            let signed = self.letter != 's' && self.letter != 'q' && text.starts_with(['-', '+', ' ']);
            let (sign, rest) = text.split_at(usize::from(signed));
            format!("{sign}{}{rest}", "0".repeat(missing))
        } else {
            " ".repeat(missing) + &text
        }
    }

    fn signed(&self, negative: bool, digits: &str) -> String {
        let sign = if negative { "-".to_owned() } else { self.sign.map(String::from).unwrap_or_default() };
        sign + digits
    }

    /// A whole number in the verb's base.
    pub(super) fn integer(&self, number: i128) -> String {
        let magnitude = number.unsigned_abs();
        let (digits, prefix) = match self.letter {
            'b' => (format!("{magnitude:b}"), "0b"),
            'o' => (format!("{magnitude:o}"), "0"),
            'x' => (format!("{magnitude:x}"), "0x"),
            'X' => (format!("{magnitude:X}"), "0X"),
            _ => (magnitude.to_string(), ""),
        };
        let zeros = "0".repeat(self.precision.unwrap_or_default().saturating_sub(digits.len()));
        let prefix = if self.sharp { prefix } else { "" };
        self.signed(number < 0, &format!("{prefix}{zeros}{digits}"))
    }

    /// A number with a point, an exponent, or whichever is shorter. Rounds halves to even.
    pub(super) fn decimal(&self, number: Number) -> String {
        let magnitude = number.abs().normalize();
        let text = match self.letter {
            'f' => fixed(magnitude, self.precision.unwrap_or(6)),
            'e' | 'E' => Scientific::of(magnitude).rounded(self.precision.unwrap_or(6) + 1).exponent(self.precision.unwrap_or(6)),
            _ => self.shortest(magnitude),
        };
        let text = if self.letter.is_uppercase() { text.to_uppercase() } else { text };
        self.signed(number.is_sign_negative() && !number.is_zero(), &text)
    }

    /// A number as `%v` writes it: as `%g` without a precision.
    pub(super) fn shown_number(&self, number: Number) -> String {
        Self { letter: 'g', precision: None, ..self.clone() }.decimal(number)
    }

    fn shortest(&self, magnitude: Number) -> String {
        let exact = Scientific::of(magnitude);
        let (digits, limit) = match self.precision {
            None => (exact, 6),
            Some(precision) => {
                let precision = precision.max(1);
                let rounded = exact.rounded(precision).trimmed();
                let whole = rounded.exponent + 1;
                let length = rounded.length();
                (rounded, if limit_of(precision) > length && length >= whole { length } else { limit_of(precision) })
            }
        };
        let places = digits.length() - 1;
        if digits.exponent < -4 || digits.exponent >= limit {
            digits.exponent(usize::try_from(places).unwrap_or_default())
        } else {
            fixed(digits.number(), usize::try_from(places - digits.exponent).unwrap_or_default())
        }
    }
}

fn limit_of(precision: usize) -> i32 {
    i32::try_from(precision).unwrap_or(i32::MAX)
}

fn fixed(magnitude: Number, places: usize) -> String {
    let exact = u32::try_from(places).unwrap_or(u32::MAX).min(Number::MAX_SCALE);
    let text = number_text(magnitude.round_dp_with_strategy(exact, RoundingStrategy::MidpointNearestEven));
    if places == 0 {
        return text;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}.{fraction:0<places$}")
}

/// `d.ddd` times a power of ten.
struct Scientific {
    digits: String,
    exponent: i32,
}

impl Scientific {
    fn of(magnitude: Number) -> Self {
        let digits = magnitude.mantissa().to_string();
        let exponent = i32::try_from(digits.len()).unwrap_or_default() - 1 - i32::try_from(magnitude.scale()).unwrap_or_default();
        let made = Self { digits, exponent };
        if magnitude.is_zero() { made } else { made.trimmed() }
    }

    fn length(&self) -> i32 {
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }

    fn trimmed(mut self) -> Self {
        let length = self.digits.trim_end_matches('0').len().max(1);
        self.digits.truncate(length);
        self
    }

    /// With so many digits, rounded to them.
    fn rounded(mut self, count: usize) -> Self {
        if self.digits.len() > count {
            let (kept, cut) = self.digits.split_at(count);
            let half = cut.as_bytes()[0].cmp(&b'5').then(if cut.trim_end_matches('0').len() > 1 {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            });
            let odd = kept.bytes().last().is_some_and(|digit| (digit - b'0') % 2 == 1);
            let up = half.is_gt() || (half.is_eq() && odd);
            let number = kept.parse::<u128>().unwrap_or_default() + u128::from(up);
            let digits = number.to_string();
            if digits.len() > count {
                self.exponent += 1;
            }
            self.digits = digits.chars().take(count).collect();
        }
        self
    }

    /// `d.ddde+XX` with so many digits after the point.
    fn exponent(&self, places: usize) -> String {
        let (first, rest) = self.digits.split_at(1);
        let sign = if self.exponent < 0 { '-' } else { '+' };
        let exponent = self.exponent.unsigned_abs();
        if places == 0 {
            return format!("{first}e{sign}{exponent:02}");
        }
        format!("{first}.{rest:0<places$}e{sign}{exponent:02}")
    }

    fn number(&self) -> Number {
        let mantissa = self.digits.parse::<i128>().unwrap_or_default();
        let scale = self.length() - 1 - self.exponent;
        let (mantissa, scale) = match u32::try_from(scale) {
            Ok(scale) => (mantissa, scale),
            Err(_) => (mantissa.saturating_mul(10_i128.checked_pow(scale.unsigned_abs()).unwrap_or_default()), 0),
        };
        Number::try_from_i128_with_scale(mantissa, scale).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_number;

    fn written(format: &str, number: &str) -> String {
        let pieces = pieces(format).unwrap();
        let verb = pieces.into_iter().find_map(|piece| match piece {
            Piece::Verb(verb) => Some(verb),
            Piece::Text(_) => None,
        });
        let verb = verb.unwrap();
        verb.padded(verb.decimal(parse_number(number).unwrap()))
    }

    #[test]
    fn decimals_are_written_as_in_terraform() {
        for (format, number, expected) in [
            ("%f", "0.05", "0.050000"),
            ("%f", "10000000000000000000000000", "10000000000000000000000000.000000"),
            ("%f", "123456789012345678901", "123456789012345678901.000000"),
            ("%.0f", "0.05", "0"),
            ("%.0f", "-255", "-255"),
            ("%.2f", "0.125", "0.12"),
            ("%.2f", "0.375", "0.38"),
            ("%.30f", "0.5", "0.500000000000000000000000000000"),
            ("%e", "0.05", "5.000000e-02"),
            ("%e", "123456789012345678901", "1.234568e+20"),
            ("%e", "0", "0.000000e+00"),
            ("%.0e", "9.6", "1e+01"),
            ("%g", "0.05", "0.05"),
            ("%g", "0", "0"),
            ("%g", "123456789", "1.23456789e+08"),
            ("%g", "-255", "-255"),
            ("%.3g", "123.4", "123"),
            ("%.3g", "1234567", "1.23e+06"),
            ("%.3g", "0.00012345", "0.000123"),
            ("%10.2f|", "0.05", "      0.05"),
            ("%+08.2f", "-2.5", "-0002.50"),
        ] {
            assert_eq!(written(format, number), expected, "{format} of {number}");
        }
    }
}
