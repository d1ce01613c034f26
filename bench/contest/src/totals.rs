//! What a contestant says at the end, and how two of them differ.

use std::collections::BTreeMap;
use std::fmt;

/// A side of a book.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// Those who buy.
    Bid,
    /// Those who sell.
    Ask,
}

/// What a side of a book holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Prices at which there are shares.
    pub levels: u64,
    /// Shares.
    pub shares: u64,
    /// The sum of price (four decimals) times shares.
    pub value: u128,
}

impl Totals {
    /// Counts a level. One without shares is none.
    pub fn add_level(&mut self, price: u64, shares: u64) {
        self.levels += u64::from(shares > 0);
        self.shares += shares;
        self.value += u128::from(price) * u128::from(shares);
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { levels, shares, value } = self;
        write!(f, "{levels} levels, {shares} shares, {value} price times shares")
    }
}

/// What a contestant holds, or has done.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Digest {
    /// By the symbol's locate and side. A side without shares is not in it.
    pub books: BTreeMap<(u16, Side), Totals>,
    /// What else it says, in its order.
    pub lines: Vec<String>,
}

impl Digest {
    /// A level of a book.
    pub fn add_level(&mut self, locate: u16, side: Side, price: u64, shares: u64) {
        if shares > 0 {
            self.books.entry((locate, side)).or_default().add_level(price, shares);
        }
    }

    /// Takes in a line of the protocol.
    ///
    /// # Errors
    /// If it is a book's line, and not whole, or of a side that was said before.
    pub fn take(&mut self, line: &str) -> Result<(), String> {
        let Some(rest) = line.strip_prefix("book ") else {
            self.lines.push(line.to_owned());
            return Ok(());
        };
        let wrong = || format!("{line:?} is not `book LOCATE B|S LEVELS SHARES VALUE`");
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [locate, side, levels, shares, value] = words.as_slice() else { return Err(wrong()) };
        let side = match *side {
            "B" => Side::Bid,
            "S" => Side::Ask,
            _ => return Err(wrong()),
        };
        let locate = locate.parse().map_err(|_| wrong())?;
        let totals = Totals {
            levels: levels.parse().map_err(|_| wrong())?,
            shares: shares.parse().map_err(|_| wrong())?,
            value: value.parse().map_err(|_| wrong())?,
        };
        if totals == Totals::default() {
            return Ok(());
        }
        match self.books.insert((locate, side), totals) {
            Some(_) => Err(format!("{line:?}: this side of {locate} was said before")),
            None => Ok(()),
        }
    }

    /// The first thing in which another differs from this one, which is right.
    #[must_use]
    pub fn difference(&self, other: &Digest) -> Option<String> {
        let keys: std::collections::BTreeSet<_> = self.books.keys().chain(other.books.keys()).collect();
        for key in keys {
            let of = |digest: &Digest| digest.books.get(key).copied().unwrap_or_default();
            let (right, said) = (of(self), of(other));
            if right != said {
                let side = if key.1 == Side::Bid { "bids" } else { "asks" };
                return Some(format!("symbol {} {side}: {said}; right: {right}", key.0));
            }
        }
        if self.lines == other.lines {
            return None;
        }
        let at = self.lines.iter().zip(&other.lines).take_while(|(a, b)| a == b).count();
        let line = |digest: &Digest| digest.lines.get(at).cloned().unwrap_or_else(|| "nothing more".to_owned());
        Some(format!("says {}; right: {}", line(other), line(self)))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((locate, side), Totals { levels, shares, value }) in &self.books {
            let side = if *side == Side::Bid { 'B' } else { 'S' };
            writeln!(f, "book {locate} {side} {levels} {shares} {value}")?;
        }
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        let mut digest = Digest::default();
        digest.add_level(7, Side::Bid, 100, 10);
        digest.add_level(7, Side::Bid, 99, 0);
        digest.add_level(7, Side::Ask, 101, 5);
        digest.add_level(65_535, Side::Ask, u64::from(u32::MAX), u64::MAX / 2);
        digest.lines.push("read 1 2".to_owned());
        digest
    }

    #[test]
    fn what_is_said_is_read_back() {
        let (said, mut read) = (digest(), Digest::default());
        said.to_string().lines().for_each(|line| read.take(line).unwrap());
        assert_eq!(said, read);
        assert_eq!(said.difference(&read), None);
    }

    #[test]
    fn the_first_difference_is_named_in_whatever_it_lies() {
        let right = digest();
        let changed = |change: fn(&mut Digest)| {
            let mut other = right.clone();
            change(&mut other);
            right.difference(&other).unwrap()
        };
        assert_eq!(
            changed(|d| d.books.get_mut(&(7, Side::Bid)).unwrap().levels = 2),
            "symbol 7 bids: 2 levels, 10 shares, 1000 price times shares; right: 1 levels, 10 shares, 1000 price times shares"
        );
        assert!(
            changed(|d| d.books.get_mut(&(7, Side::Ask)).unwrap().shares = 6).starts_with("symbol 7 asks: 1 levels, 6")
        );
        assert!(
            changed(|d| d.books.get_mut(&(7, Side::Ask)).unwrap().value = 1).contains("asks: 1 levels, 5 shares, 1 ")
        );
        assert!(changed(|d| d.books.retain(|key, _| *key != (7, Side::Ask))).starts_with("symbol 7 asks: 0 levels"));
        assert!(changed(|d| d.add_level(8, Side::Bid, 1, 1)).starts_with("symbol 8 bids: 1 levels"));
        assert_eq!(changed(|d| d.lines[0] = "read 1 3".into()), "says read 1 3; right: read 1 2");
        assert_eq!(changed(|d| d.lines.clear()), "says nothing more; right: read 1 2");
    }

    #[test]
    fn a_line_of_a_book_is_whole_or_refused() {
        for line in ["book 7 B 1 2", "book 7 X 1 2 3", "book 70000 B 1 2 3", "book 7 B -1 2 3", "book 7 B 1 2 3 4"] {
            assert!(Digest::default().take(line).unwrap_err().contains("is not `book"), "{line}");
        }
        let mut twice = Digest::default();
        twice.take("book 7 B 1 2 3").unwrap();
        twice.take("book 7 S 0 0 0").unwrap();
        assert!(twice.take("book 7 B 1 2 3").unwrap_err().contains("said before"));
        assert_eq!(twice.books.len(), 1);
    }
}
