//! The best way through each set of currencies, from its lowest to each other one (Held and Karp, J. SIAM 10, 1962): cycles of all
//! lengths in `2^n n^2` steps instead of `n!`.

use super::Graph;

/// Currencies, at most: the table of so many has 84 MB.
pub const MOST_CURRENCIES: usize = 20;

/// Legs to be looked at, at most.
pub(super) fn steps(n: usize) -> u64 {
    if n > MOST_CURRENCIES {
        return u64::MAX;
    }
    (0..n as u64).map(|others| (others * others + others) << others).sum()
}

/// The currencies of the best cycle of 2 to `longest` legs, and how many legs were looked at. Ways
/// into one set that are closer than [`super::CLOSE`] are one here.
///
/// # Panics
/// If there are more than [`MOST_CURRENCIES`].
#[must_use]
pub fn best(graph: &Graph<'_>, longest: usize) -> (Option<Vec<usize>>, u64) {
    let n = graph.currencies();
    assert!(n <= MOST_CURRENCIES, "{n} currencies have too many sets");
    let (mut best, mut steps) = (None, 0);
    for first in 0..n {
        let others = n - 1 - first;
        let currency = |other: usize| first + 1 + other;
        let mut value = vec![f64::NEG_INFINITY; others << others];
        (0..others).for_each(|to| value[(1 << to) * others + to] = graph.weight(first, currency(to)));
        for set in 1..1_usize << others {
            let legs = set.count_ones() as usize + 1;
            if legs > longest {
                continue;
            }
            for last in (0..others).filter(|last| set >> last & 1 == 1) {
                let here = value[set * others + last];
                if here == f64::NEG_INFINITY {
                    continue;
                }
                steps += 1;
                let log = here + graph.weight(currency(last), first);
                if log.is_finite() && best.as_ref().is_none_or(|(known, _)| log > *known - super::CLOSE) {
                    let mut through: Vec<usize> = back(graph, &value, first, set, last);
                    through.insert(0, first);
                    if graph.is_better(log, &through, &best) {
                        best = Some((log, through));
                    }
                }
                if legs == longest {
                    continue;
                }
                for next in (0..others).filter(|next| set >> next & 1 == 0) {
                    steps += 1;
                    let there = &mut value[(set | 1 << next) * others + next];
                    *there = there.max(here + graph.weight(currency(last), currency(next)));
                }
            }
        }
    }
    (best.map(|(_, through)| through), steps)
}

/// How the value of a set and its last currency came about.
fn back(graph: &Graph<'_>, value: &[f64], first: usize, mut set: usize, mut last: usize) -> Vec<usize> {
    let others = graph.currencies() - 1 - first;
    let currency = |other: usize| first + 1 + other;
    let mut through = vec![currency(last)];
    while set.count_ones() > 1 {
        let before = set & !(1 << last);
        let came = |from: usize| value[before * others + from] + graph.weight(currency(from), currency(last));
        let from = (0..others).filter(|from| before >> from & 1 == 1).max_by(|a, b| came(*a).total_cmp(&came(*b)));
        (set, last) = (before, from.unwrap_or(0));
        through.push(currency(last));
    }
    through.reverse();
    through
}
