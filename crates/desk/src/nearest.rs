//! "Did you mean": the known word that is next to a mistyped one.

use std::cmp::Reverse;

/// `; did you mean "..."?`, or nothing if no word is near.
pub(crate) fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map_or(String::new(), |word| format!("; did you mean {word:?}?"))
}

/// The nearest of the known words, if it is near enough: a third of it may be wrong.
pub(crate) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = typed.chars().count().div_ceil(3);
    let near = known.into_iter().map(|word| (distance(typed, word), word)).filter(|(steps, _)| *steps <= far);
    // Of two that are as near, the one that begins alike.
    let alike = |word: &str| typed.chars().zip(word.chars()).take_while(|(one, other)| one == other).count();
    near.min_by_key(|(steps, word)| (*steps, Reverse(alike(word)))).map(|(_, word)| word)
}

/// Letters put in, left out, exchanged, or swapped with the next one (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=one.len() {
        for j in 1..=other.len() {
            let changed = usize::from(one[i - 1] != other[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + changed);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_found_and_what_is_far_is_not() {
        let known = ["max_order_qty", "max_order_notional", "burst"];
        assert_eq!(nearest("max_order_quantity", known), Some("max_order_qty"));
        assert_eq!(nearest("brust", known), Some("burst"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("adorder", ["order", "add-order", "odd-order"]), Some("add-order"));
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(did_you_mean("bursts", known), "; did you mean \"burst\"?");
    }
}
