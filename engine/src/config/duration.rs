//! Durations as the language writes them.

/// The seconds that a text such as `90s`, `10m` or `1h` means; nothing if it means none.
pub fn seconds(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_a_unit() {
        for (text, expected) in [("90s", Some(90)), ("10m", Some(600)), ("1h", Some(3600)), ("10", None), ("m", None), ("1d", None)] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
