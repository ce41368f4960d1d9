//! Durations as the language writes them.

/// The units, largest first, in seconds.
const UNITS: [(char, u64); 3] = [('h', 3600), ('m', 60), ('s', 1)];

/// The seconds that a text such as `90s`, `10m` or `1h30m` means; nothing if it means none.
pub fn seconds(text: &str) -> Option<u64> {
    let (mut rest, mut sum, mut units) = (text, 0_u64, &UNITS[..]);
    if text.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit = after.chars().next()?;
        let at = units.iter().position(|(known, _)| *known == unit)?;
        sum = sum.checked_add(digits.parse::<u64>().ok()?.checked_mul(units[at].1)?)?;
        (rest, units) = (&after[unit.len_utf8()..], &units[at + 1..]);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_units() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("1h", Some(3600)),
            ("1h30m", Some(5400)),
            ("1h0m5s", Some(3605)),
            ("2m30s", Some(150)),
            ("0s", Some(0)),
            ("", None),
            ("10", None),
            ("m", None),
            ("1d", None),
            ("30m1h", None),
            ("1m1m", None),
            ("1h 5m", None),
            ("1h5", None),
            ("-1s", None),
            ("1\u{e4}", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
