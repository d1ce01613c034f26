//! Problems as files.
//!
//! | what | looks like | means |
//! |---|---|---|
//! | rudy, as the G-set is | `800 19176`, then `i j w` (or `i j`: weight 1) | the cut of a graph |
//! | COO | `i j v`, maybe after a line with the number of sites, or `# vartype=SPIN` | a function of bits, or of spins |
//! | qbsolv | `c` comments, `p qubo 0 sites diagonals couplers`, then `i j v` | a function of bits |
//!
//! Sites are counted from 0 if a 0 is among them, or if nothing says how many there are (as `dimod` writes them); otherwise from 1 if the
//! number of sites is among them or the file is a graph; otherwise from 0. A function is made small, a cut large. Numbers may have decimals: they are kept exactly as
//! long as 31 bits hold them all, and rounded to that otherwise ([`Problem::is_exact`]).

use super::problem::{Pair, Problem, Term, Unfit};
use std::str::FromStr;
use thiserror::Error;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A graph that is to be cut.
    Graph,
    /// A function of bits.
    Qubo,
    /// A function of spins, as `dimod` has it: the sum of `v s_i s_j`, and of `v s_i` where a site comes twice.
    Spins,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Graph, Format::Qubo, Format::Spins];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Graph => "gset",
            Format::Qubo => "qubo",
            Format::Spins => "spins",
        }
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unread {
    /// It ends before anything was said.
    #[error("there is nothing in it")]
    Empty,
    /// A line that is none.
    #[error("line {line}: {why}")]
    Line {
        /// Which, from 1 on.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It says how many lines follow, and others do.
    #[error("it says that it has {said} lines of numbers, and has {has}: is it whole?")]
    Count {
        /// What it says.
        said: usize,
        /// What it has.
        has: usize,
    },
    /// A site that there isn't.
    #[error("line {line}: site {site}, and the sites are {first} to {last}")]
    Site {
        /// Which line.
        line: usize,
        /// Which site.
        site: u32,
        /// The first that there is.
        first: u32,
        /// The last.
        last: u64,
    },
    /// In a graph.
    #[error("line {line}: vertex {site} has an edge to itself: if this is a function of bits, say --format qubo")]
    Loop {
        /// Which line.
        line: usize,
        /// Which vertex.
        site: u32,
    },
    /// It can't be solved.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// What it holds.
    pub problem: Problem,
    /// What it was taken for.
    pub format: Format,
    /// The number of its first site: 0 or 1.
    pub first: u32,
}

/// A number with its decimals, if they are few enough to be kept: `digits / 10^decimals`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Decimal {
    value: f64,
    exact: Option<(i64, u32)>,
}

/// So many decimals are kept of one number.
const MOST_DECIMALS: i32 = 15;

impl FromStr for Decimal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value: f64 = text.parse().map_err(|_| "the third word is no number")?;
        if !value.is_finite() {
            return Err("the third word is no finite number");
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().unwrap_or(i32::MIN)),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}").parse::<i64>();
        let decimals = (fraction.len() as i32).saturating_sub(exponent);
        let exact = match digits {
            Ok(digits) if (0..=MOST_DECIMALS).contains(&decimals) => Some((digits, decimals as u32)),
            Ok(digits) if (-9..0).contains(&decimals) => {
                digits.checked_mul(10_i64.pow(decimals.unsigned_abs())).map(|digits| (digits, 0))
            }
            _ => None,
        };
        Ok(Decimal { value, exact })
    }
}

impl Decimal {
    fn in_units_of(self, decimals: u32) -> Option<i64> {
        let (digits, own) = self.exact?;
        digits.checked_mul(10_i64.checked_pow(decimals.checked_sub(own)?)?)
    }
}

/// What the lines before the numbers say.
#[derive(Default)]
struct Heading {
    sites: Option<u64>,
    lines: Option<usize>,
    format: Option<Format>,
}

struct Row {
    line: usize,
    i: u32,
    j: u32,
    value: Decimal,
}

/// Reads a file; `format` is what it is to be taken for, if it isn't to be guessed.
///
/// # Errors
/// [`Unread`].
pub fn read(text: &str, format: Option<Format>) -> Result<Read, Unread> {
    let mut heading = Heading::default();
    let mut rows: Vec<Row> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), number + 1);
        let refused = |why| Unread::Line { line: number, why };
        if line.is_empty() || line == "c" || line.starts_with("c ") {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            heading.format = match comment.trim() {
                "vartype=SPIN" => Some(Format::Spins),
                "vartype=BINARY" => Some(Format::Qubo),
                _ => heading.format,
            };
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if rows.is_empty() && heading.sites.is_none() {
            if let ["p", "qubo", _, sites, diagonals, couplers] = words[..] {
                let [sites, diagonals, couplers] = [sites, diagonals, couplers]
                    .map(|word| word.parse::<u32>().map_err(|_| refused("p qubo 0 N n m: a number is none")));
                heading.sites = Some(sites?.into());
                heading.lines = Some(diagonals? as usize + couplers? as usize);
                heading.format = Some(Format::Qubo);
                continue;
            }
            // A first line of one number or two is none of the problem's own; some of the G-set have a letter behind it.
            let counts = words.len() <= 2 || (words.len() == 3 && words[2].parse::<f64>().is_err());
            if counts {
                let number = |word: &&str| {
                    word.parse::<u32>().map_err(|_| refused("the first line is to say how many sites there are"))
                };
                heading.sites = Some(number(&words[0])?.into());
                if let Some(lines) = words.get(1) {
                    heading.lines = Some(number(lines)? as usize);
                }
                continue;
            }
        }
        let (i, j, value) = match words[..] {
            [i, j] => (i, j, "1"),
            [i, j, value] => (i, j, value),
            _ => return Err(refused("a line is two sites and a number")),
        };
        let site =
            |word: &str| word.parse::<u32>().map_err(|_| refused("the first two words are to be numbers of sites"));
        rows.push(Row { line: number, i: site(i)?, j: site(j)?, value: value.parse().map_err(refused)? });
    }
    build(heading, rows, format)
}

fn build(heading: Heading, rows: Vec<Row>, format: Option<Format>) -> Result<Read, Unread> {
    if heading.sites.is_none() && rows.is_empty() {
        return Err(Unread::Empty);
    }
    if let Some(said) = heading.lines.filter(|said| *said != rows.len()) {
        return Err(Unread::Count { said, has: rows.len() });
    }
    // Two numbers ahead are a graph's; one, or none, a function's.
    let guessed = if heading.lines.is_some() { Format::Graph } else { Format::Qubo };
    let format = format.or(heading.format).unwrap_or(guessed);
    let used = || rows.iter().flat_map(|row| [row.i, row.j]);
    let (least, most) = (used().min().unwrap_or(0), used().max().unwrap_or(0));
    let sites = heading.sites.unwrap_or(u64::from(most) + 1);
    let counted_from_one =
        least > 0 && heading.sites.is_some() && (format == Format::Graph || u64::from(most) == sites);
    let first = u32::from(counted_from_one);
    let last = sites + u64::from(first);
    for row in &rows {
        if let Some(site) = [row.i, row.j].into_iter().find(|site| u64::from(*site) >= last || *site < first) {
            return Err(Unread::Site { line: row.line, site, first, last: last.saturating_sub(1) });
        }
        if format == Format::Graph && row.i == row.j {
            return Err(Unread::Loop { line: row.line, site: row.i });
        }
    }
    let sites = usize::try_from(sites).unwrap_or(usize::MAX);
    let problem = of(format, sites, first, &rows)?;
    Ok(Read { problem, format, first })
}

fn of(format: Format, sites: usize, first: u32, rows: &[Row]) -> Result<Problem, Unread> {
    let decimals = rows.iter().filter_map(|row| Some(row.value.exact?.1)).max().unwrap_or(0);
    let pair = |row: &Row, coupling| Pair { i: row.i - first, j: row.j - first, coupling };
    let exact = || -> Option<Vec<Pair>> {
        rows.iter().map(|row| Some(pair(row, i32::try_from(row.value.in_units_of(decimals)?).ok()?))).collect()
    };
    if let Some(pairs) = exact() {
        match solvable(format, sites, &pairs) {
            Err(Unfit::TooStrong { .. }) => {}
            other => return Ok(other?.in_units_of(decimals)),
        }
    }
    let term = |row: &Row| Term { i: row.i - first, j: row.j - first, value: row.value.value };
    let terms = rows.iter().map(term).collect();
    Ok(Problem::rounded(sites, terms, |sites, pairs| solvable(format, sites, pairs))?)
}

fn solvable(format: Format, sites: usize, pairs: &[Pair]) -> Result<Problem, Unfit> {
    match format {
        Format::Graph => Problem::max_cut(sites, pairs),
        Format::Qubo => Problem::qubo(sites, pairs),
        Format::Spins => Problem::of_spins(sites, pairs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Read, Unread> {
        read(text, None)
    }

    #[test]
    fn a_graph_is_read() {
        let read = all("3 2 J\n1 2 5\n2 3\n").unwrap();
        assert_eq!((read.format, read.first), (Format::Graph, 1));
        assert_eq!(read.problem.value(&[1, -1, 1]), 6.0);
        assert_eq!(read.problem.value(&[1, -1, -1]), 5.0);
        let from_zero = all("3 1\n0 2 -1.5\n").unwrap();
        assert_eq!((from_zero.first, from_zero.problem.value(&[1, 1, -1])), (0, -1.5));
        assert!(from_zero.problem.is_exact());
    }

    #[test]
    fn functions_of_bits_are_read_as_they_are_written() {
        let plain = all("0 0 -1\n0 2 2.5\n").unwrap();
        assert_eq!((plain.format, plain.first, plain.problem.sites()), (Format::Qubo, 0, 3));
        assert_eq!(plain.problem.value(&[1, -1, 1]), 1.5);
        let counted = all("# made by hand\n2\n0 1 3\n").unwrap();
        assert_eq!((counted.problem.sites(), counted.problem.value(&[1, 1])), (2, 3.0));
        let qbsolv = all("c a comment\np qubo 0 4 1 1\n0 0 1\n0 3 -2\n").unwrap();
        assert_eq!((qbsolv.problem.sites(), qbsolv.problem.value(&[1, -1, -1, 1])), (4, -1.0));
        let beasley = read("2 2\n1 1 4\n1 2 -3\n", Some(Format::Qubo)).unwrap();
        assert_eq!((beasley.first, beasley.problem.value(&[1, 1])), (1, 1.0));
    }

    #[test]
    fn functions_of_spins_have_dimods_signs() {
        let read = all("# vartype=SPIN\n0 0 1\n0 1 -2\n").unwrap();
        assert_eq!(read.format, Format::Spins);
        assert_eq!((read.problem.value(&[1, 1]), read.problem.value(&[-1, 1])), (-1.0, 1.0));
    }

    #[test]
    fn decimals_are_exact_where_they_fit_and_said_to_be_rounded_where_they_do_not() {
        let exact = all("0 1 0.000001\n1 1 1e2\n0 0 -2.50\n").unwrap().problem;
        assert!(exact.is_exact());
        assert_eq!(exact.value(&[1, 1]), 97.500_001);
        let long = all("0 1 0.1234567890123456789\n1 1 3e-7\n0 0 -1e5\n").unwrap().problem;
        assert!(!long.is_exact());
        assert_eq!(long.value(&[1, 1]), 0.123_456_789_012_345_68 + 3e-7 - 1e5);
        let near = long.value_of(long.energy(&[1, 1]));
        assert!((near - long.value(&[1, 1])).abs() < 1e-2, "{near}");
    }

    #[test]
    fn numbers_of_which_none_is_short_are_rounded_and_not_nothing() {
        // Fifteen decimals are kept, sixteen are not.
        for (text, exact) in [("0 1 -0.000000000000003\n", true), ("0 1 -0.0000000000000003\n", false)] {
            let problem = all(text).unwrap().problem;
            assert_eq!((problem.pairs(), problem.is_exact()), (1, exact), "{text}");
        }
        let long = all("0 0 -0.0034472049238702318\n0 1 0.0003623226025998063\n").unwrap().problem;
        assert_eq!((long.pairs(), long.is_exact()), (1, false));
        assert_eq!(long.value(&[1, -1]), -0.003_447_204_923_870_231_8);
        assert!((long.value_of(long.energy(&[1, -1])) - long.value(&[1, -1])).abs() < 1e-9);
    }

    #[test]
    fn what_can_not_be_read_says_where_and_why() {
        assert_eq!(all(""), Err(Unread::Empty));
        assert_eq!(all("# nothing\n\n"), Err(Unread::Empty));
        assert!(matches!(all("2 1\n1 2 x\n"), Err(Unread::Line { line: 2, .. })));
        assert!(matches!(all("2 1\n1 2 inf\n"), Err(Unread::Line { line: 2, .. })));
        assert!(matches!(all("2 1\n1 2 3 4\n"), Err(Unread::Line { line: 2, .. })));
        assert!(matches!(all("two 1\n"), Err(Unread::Line { line: 1, .. })));
        assert_eq!(all("2 2\n1 2 1\n"), Err(Unread::Count { said: 2, has: 1 }));
        assert_eq!(all("2 1\n1 3 1\n"), Err(Unread::Site { line: 2, site: 3, first: 1, last: 2 }));
        assert_eq!(all("2 1\n0 2 1\n"), Err(Unread::Site { line: 2, site: 2, first: 0, last: 1 }));
        assert_eq!(all("2 1\n1 1 1\n"), Err(Unread::Loop { line: 2, site: 1 }));
        assert_eq!(all("0 0\n"), Err(Unread::Unfit(Unfit::Sites { sites: 0 })));
        assert!(matches!(all("4294967295 0\n"), Err(Unread::Unfit(Unfit::Sites { .. }))));
    }
}
