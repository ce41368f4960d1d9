//! How often something was seen, held against how often it should be.

use std::collections::BTreeMap;

/// How many standard deviations a share may be off: of a thousand right ones less than three are further off.
const DEVIATIONS: f64 = 3.0;

/// What was counted that should not have been so often, or so rarely: a sentence each. `total` is how often was looked; what was seen and is not expected at all has a
/// share of nothing.
pub(super) fn unexpected(counts: &BTreeMap<String, u64>, total: u64, expected: &BTreeMap<String, f64>) -> Vec<String> {
    let unnamed = counts.keys().filter(|name| !expected.contains_key(*name)).map(|name| (name, 0.0));
    let all: BTreeMap<&String, f64> = expected.iter().map(|(name, share)| (name, *share)).chain(unnamed).collect();
    let told = all.into_iter().filter_map(|(name, share)| {
        let seen = counts.get(name).copied().unwrap_or(0);
        let (least, most) = bounds(share, total);
        let is_within = (least..=most).contains(&seen);
        (!is_within).then(|| match (least, most) {
            (least, most) if least == most => format!("`{name}` came {seen} times of {total}, and not {least} times"),
            _ => format!("`{name}` came {seen} times of {total}, and not {least} to {most} times"),
        })
    });
    told.collect()
}

/// How often something of this share may be seen at least and at most: as a binomial distribution has it, within some standard deviations.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "totals are at most some ten thousand, and bounds lie between nothing and the total"
)]
fn bounds(share: f64, total: u64) -> (u64, u64) {
    let total = total as f64;
    let (mean, off) = (share * total, DEVIATIONS * (share * (1.0 - share) * total).sqrt());
    // A hair's breadth, as products of decimals are not exact.
    let (least, most) = ((mean - off - 1e-9).ceil().max(0.0), (mean + off + 1e-9).floor().min(total));
    (least as u64, most as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_three_standard_deviations_from_the_mean() {
        for (share, total, expected) in [
            // 3·√(0.5·0.5·100) is 15.
            (0.5, 100, (35, 65)),
            // 3·√(0.9·0.1·100) is 9.
            (0.9, 100, (81, 99)),
            (0.1, 100, (1, 19)),
            (0.0, 100, (0, 0)),
            (1.0, 100, (100, 100)),
            // 3·√(0.25·20) is 6.7.
            (0.5, 20, (4, 16)),
            (0.5, 1, (0, 1)),
        ] {
            assert_eq!(bounds(share, total), expected, "{share} of {total}");
        }
    }

    #[test]
    fn what_is_off_is_told_with_its_bounds() {
        let counts = |of: &[(&str, u64)]| of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<_, _>>();
        let shares = |of: &[(&str, f64)]| of.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect::<BTreeMap<_, _>>();
        let half = shares(&[("v1", 0.5), ("v2", 0.5)]);
        assert_eq!(unexpected(&counts(&[("v1", 40), ("v2", 60)]), 100, &half), Vec::<String>::new());
        assert_eq!(
            unexpected(&counts(&[("v1", 100), ("v3", 2)]), 102, &half),
            [
                "`v1` came 100 times of 102, and not 36 to 66 times",
                "`v2` came 0 times of 102, and not 36 to 66 times",
                "`v3` came 2 times of 102, and not 0 times"
            ]
        );
        assert_eq!(unexpected(&counts(&[("v1", 9)]), 10, &shares(&[("v1", 1.0)])), ["`v1` came 9 times of 10, and not 10 times"]);
    }
}
