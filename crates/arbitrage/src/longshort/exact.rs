//! All selections of few stocks, by Gray's code.

use super::Selection;

/// Stocks, at most: 2^26 selections.
pub const MOST_NAMES: usize = 26;

/// The best balanced selection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Best {
    /// What is in it: of equals, the first.
    pub chosen: Vec<bool>,
    /// Its value, in units.
    pub value: i64,
    /// Selections that were looked at.
    pub looked: u64,
}

/// Tries every one. Nothing for more than [`MOST_NAMES`] stocks.
#[must_use]
pub fn search(selection: &Selection) -> Option<Best> {
    let n = selection.names();
    if n > MOST_NAMES {
        return None;
    }
    let mut chosen = vec![false; n];
    // What putting each stock in (or taking it out again) brings.
    let mut brings: Vec<i64> = (0..n).map(|name| selection.reward(name)).collect();
    let (mut value, mut net) = (0, 0);
    let (mut best, mut at) = (0, 0_u64);
    for count in 1..1_u64 << n {
        let name = count.trailing_zeros() as usize;
        let sign = if chosen[name] { -1 } else { 1 };
        value += sign * brings[name];
        net += sign * i64::from(selection.side(name));
        chosen[name] = !chosen[name];
        for (other, brings) in brings.iter_mut().enumerate() {
            *brings -= sign * selection.cost(name, other);
        }
        if net == 0 && value > best {
            (best, at) = (value, count);
        }
    }
    let code = at ^ at >> 1;
    Some(Best { chosen: (0..n).map(|name| code >> name & 1 == 1).collect(), value: best, looked: 1 << n })
}
