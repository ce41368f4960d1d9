//! Which elements of a list stand elsewhere than before.

/// Of the positions that elements had before, in the order they have now: which of them are out of order. As few as possible: the rest are a
/// longest run that still ascends.
pub(crate) fn moved(before: &[usize]) -> Vec<bool> {
    // The last position of an ascending run of each length, by its index, and what stands before each element in its run.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous = vec![None; before.len()];
    for (at, position) in before.iter().enumerate() {
        let length = ends.partition_point(|end| before[*end] < *position);
        previous[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut moved = vec![true; before.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        moved[at] = false;
        next = previous[at];
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_as_possible_move() {
        for (before, expected) in [
            (&[][..], &[][..]),
            (&[0, 1, 2], &[]),
            (&[2, 0, 1], &[0]),
            (&[1, 2, 0], &[2]),
            (&[0, 3, 1, 2], &[1]),
            (&[2, 1, 0], &[0, 1]),
            (&[4, 9, 11], &[]),
        ] {
            let moved = moved(before);
            let places: Vec<usize> = (0..before.len()).filter(|at| moved[*at]).collect();
            assert_eq!(places, expected, "{before:?}");
        }
    }
}
