//! The files of OR-Library's portfolio problems (Beasley; data of Chang, Meade, Beasley and Sharaiha, "Heuristics for
//! cardinality constrained portfolio optimisation", Computers & Operations Research 27, 2000).
//!
//! `port1` to `port5`: how many names; for each its mean return and standard deviation; then `i j ρ` for each pair with
//! `i <= j`, counted from 1. `portef1` to `portef5`: points of the unconstrained efficient frontier, return and *variance*.

use crate::universe::{MOST_NAMES, Universe, UniverseError};
use std::iter::Peekable;
use std::str::FromStr;
use thiserror::Error;

/// Points of a frontier that is read, at most.
pub const MOST_POINTS: usize = 100_000;

/// Why a file was not read.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum OrLibError {
    /// Something else stands where this should.
    #[error("line {line}: `{found}` is no {wanted}")]
    Word {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What should.
        wanted: &'static str,
    },
    /// The file ends.
    #[error("the file ends where {0} should stand")]
    Ends(&'static str),
    /// Something stands behind the end.
    #[error("line {0}: the file goes on behind its last pair; is its first number right?")]
    GoesOn(usize),
    /// Names out of range.
    #[error("line {line}: {count} names; 1 to {MOST_NAMES} can be read")]
    Names {
        /// Counted from 1.
        line: usize,
        /// So many.
        count: usize,
    },
    /// A pair of names that are not there, or for the second time.
    #[error("line {line}: the pair {i} {j} {why}")]
    Pair {
        /// Counted from 1.
        line: usize,
        /// First name.
        i: usize,
        /// Second name.
        j: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A number out of its range.
    #[error("line {line}: {value} is no {what}, which is {range}")]
    Range {
        /// Counted from 1.
        line: usize,
        /// As it was read.
        value: f64,
        /// What it should be.
        what: &'static str,
        /// Its range.
        range: &'static str,
    },
    /// More points than can be read.
    #[error("there are more than {MOST_POINTS} points")]
    Points,
    /// It is read, and no universe.
    #[error(transparent)]
    Universe(#[from] UniverseError),
}

/// A point of a frontier.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Mean return a period.
    pub mean: f64,
    /// Variance of it.
    pub variance: f64,
}

/// Words with the numbers of their lines.
struct Words<'a>(Peekable<Box<dyn Iterator<Item = (usize, &'a str)> + 'a>>);

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Words<'a> {
        let words = |(n, line): (usize, &'a str)| line.split_ascii_whitespace().map(move |word| (n + 1, word));
        let all: Box<dyn Iterator<Item = (usize, &'a str)> + 'a> = Box::new(text.lines().enumerate().flat_map(words));
        Words(all.peekable())
    }

    fn next<T: FromStr>(&mut self, wanted: &'static str) -> Result<(usize, T), OrLibError> {
        let (line, word) = self.0.next().ok_or(OrLibError::Ends(wanted))?;
        let found = || word.chars().take(40).collect();
        word.parse().map(|value| (line, value)).map_err(|_| OrLibError::Word { line, found: found(), wanted })
    }

    fn number(&mut self, what: &'static str, range: &'static str, fits: fn(f64) -> bool) -> Result<f64, OrLibError> {
        let (line, value) = self.next::<f64>(what)?;
        if fits(value) { Ok(value) } else { Err(OrLibError::Range { line, value, what, range }) }
    }
}

/// Reads `port1` to `port5`. Names are "1", "2" and so on, as the file counts them.
///
/// # Errors
/// The first thing that is wrong, with its line, or what [`Universe::new`] says.
pub fn universe(text: &str) -> Result<Universe, OrLibError> {
    let mut words = Words::of(text);
    let (line, count) = words.next::<usize>("count of names")?;
    if count == 0 || count > MOST_NAMES {
        return Err(OrLibError::Names { line, count });
    }
    let (mut mean, mut deviation) = (Vec::new(), Vec::new());
    for _ in 0..count {
        mean.push(words.number("mean return", "finite", f64::is_finite)?);
        let fits = |value: f64| value.is_finite() && value >= 0.0;
        deviation.push(words.number("standard deviation", "finite and 0 or more", fits)?);
    }
    let mut covariance = vec![0.0; count * count];
    let mut seen = vec![false; count * count];
    for _ in 0..count * (count + 1) / 2 {
        let (line, i) = words.next::<usize>("first name of a pair")?;
        let (_, j) = words.next::<usize>("second name of a pair")?;
        let wrong = |why| Err(OrLibError::Pair { line, i, j, why });
        if i == 0 || j == 0 || i > count || j > count {
            return wrong("has a name that is not there");
        }
        if std::mem::replace(&mut seen[(i.min(j) - 1) * count + i.max(j) - 1], true) {
            return wrong("is there twice");
        }
        let fits = |value: f64| (-1.0..=1.0).contains(&value);
        let correlation = words.number("correlation", "-1 to 1", fits)?;
        if i == j && correlation != 1.0 {
            return wrong("is a name with itself, whose correlation is 1");
        }
        let value = correlation * deviation[i - 1] * deviation[j - 1];
        covariance[(i - 1) * count + j - 1] = value;
        covariance[(j - 1) * count + i - 1] = value;
    }
    match words.0.next() {
        Some((line, _)) => Err(OrLibError::GoesOn(line)),
        None => Ok(Universe::new((1..=count).map(|n| n.to_string()).collect(), mean, covariance)?),
    }
}

/// Reads `portef1` to `portef5`.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn frontier(text: &str) -> Result<Vec<Point>, OrLibError> {
    let mut words = Words::of(text);
    let mut points = Vec::new();
    while points.is_empty() || words.0.peek().is_some() {
        if points.len() == MOST_POINTS {
            return Err(OrLibError::Points);
        }
        let mean = words.number("mean return", "finite", f64::is_finite)?;
        let variance = words.number("variance", "finite and 0 or more", |value| value.is_finite() && value >= 0.0)?;
        points.push(Point { mean, variance });
    }
    Ok(points)
}
