//! A mandate as a file (TOML). `docs/portfolio.md` has all keys.

use super::{Costs, Count, Mandate, Own, Refused, Sector, Span};
use crate::universe::Universe;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use thiserror::Error;
use toml::Spanned;

/// What a file asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// How variance is weighed against return; 0.5 where the file does not say.
    pub lambda: f64,
    /// What must be kept to.
    pub mandate: Mandate,
}

/// Why a file is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("line {line}: {text}")]
pub struct FileError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there, and what would be right.
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lambda: Option<Spanned<f64>>,
    net: Option<Spanned<Net>>,
    gross: Option<Spanned<f64>>,
    turnover: Option<Spanned<f64>>,
    exactly: Option<Spanned<usize>>,
    at_most: Option<Spanned<usize>>,
    long: Option<Spanned<Sizes>>,
    short: Option<Spanned<Sizes>>,
    costs: Option<Spanned<Rates>>,
    #[serde(default)]
    sector: Vec<Spanned<SectorRow>>,
    #[serde(default)]
    holding: Vec<Spanned<HoldingRow>>,
    current: Option<Spanned<BTreeMap<String, f64>>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "must be a number, or { min = .., max = .. }")]
enum Net {
    Exactly(f64),
    Between(Ends),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    min: f64,
    max: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    #[serde(default)]
    min: f64,
    max: f64,
}

impl From<Sizes> for Span {
    fn from(sizes: Sizes) -> Span {
        Span { min: sizes.min, max: sizes.max }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    #[serde(default)]
    buy: f64,
    #[serde(default)]
    sell: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SectorRow {
    name: String,
    members: Vec<Spanned<String>>,
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldingRow {
    names: Vec<Spanned<String>>,
    long: Option<Sizes>,
    short: Option<Sizes>,
    #[serde(default)]
    never: bool,
}

/// A text, and where things stand in it.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn line(&self, at: &Range<usize>) -> usize {
        self.0.as_bytes()[..at.start.min(self.0.len())].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn wrong<T>(&self, at: &Range<usize>, text: impl Into<String>) -> Result<T, FileError> {
        Err(FileError { line: self.line(at), text: text.into() })
    }

    fn name(&self, universe: &Universe, name: &Spanned<String>) -> Result<usize, FileError> {
        let known = universe.index_of(name.get_ref());
        let text = || format!("there is no name `{}` in the universe", name.get_ref());
        known.map_or_else(|| self.wrong(&name.span(), text()), Ok)
    }
}

impl Asked {
    /// Reads a mandate for a universe.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line: unknown keys, names that are not there, what [`Mandate::check`] refuses.
    pub fn parse(text: &str, universe: &Universe) -> Result<Asked, FileError> {
        let at = Text(text);
        let file: File = toml::from_str(text).map_err(|error| {
            let line = at.line(&error.span().unwrap_or_default());
            FileError { line, text: error.message().trim().replace('\n', ", ") }
        })?;
        let mut places: Vec<(String, Range<usize>)> = Vec::new();
        let mandate = file.mandate(&at, universe, &mut places)?;
        let lambda = file.lambda.as_ref().map_or(0.5, |lambda| *lambda.get_ref());
        if let Some(place) = file.lambda.as_ref().filter(|_| !(0.0..=1.0).contains(&lambda)) {
            return at.wrong(
                &place.span(),
                format!("lambda is {lambda}; it must be 0 (return alone) to 1 (variance alone)"),
            );
        }
        mandate.check(universe).map_err(|refused: Refused| {
            // A key that is not in the file has a default, which nothing is wrong with.
            let of =
                |key: &str| refused.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            let place = places.iter().find(|(key, _)| of(key));
            FileError { line: place.map_or(1, |(_, place)| at.line(place)), text: refused.to_string() }
        })?;
        Ok(Asked { lambda, mandate })
    }
}

impl File {
    fn mandate(
        &self,
        at: &Text<'_>,
        universe: &Universe,
        places: &mut Vec<(String, Range<usize>)>,
    ) -> Result<Mandate, FileError> {
        let mut mandate = Mandate::default();
        let mut place = |key: &str, span: Range<usize>| places.push((key.to_owned(), span));
        if let Some(net) = &self.net {
            place("net", net.span());
            mandate.net = match net.get_ref() {
                Net::Exactly(value) => Span::exactly(*value),
                Net::Between(Ends { min, max }) => Span { min: *min, max: *max },
            };
        }
        for (key, from, to) in
            [("gross", &self.gross, &mut mandate.gross), ("turnover", &self.turnover, &mut mandate.turnover)]
        {
            if let Some(value) = from {
                place(key, value.span());
                *to = Some(*value.get_ref());
            }
        }
        match (&self.exactly, &self.at_most) {
            (Some(_), Some(second)) => return at.wrong(&second.span(), "exactly and at_most: name one of them"),
            (Some(count), None) => {
                place("count", count.span());
                mandate.count = Count::Exactly(*count.get_ref());
            }
            (None, Some(count)) => {
                place("count", count.span());
                mandate.count = Count::AtMost(*count.get_ref());
            }
            (None, None) => {}
        }
        if let Some(long) = &self.long {
            place("long", long.span());
            mandate.long = (*long.get_ref()).into();
        }
        if let Some(short) = &self.short {
            place("short", short.span());
            mandate.short = Some((*short.get_ref()).into());
        }
        if let Some(costs) = &self.costs {
            place("costs", costs.span());
            mandate.costs = Costs { buy: costs.get_ref().buy, sell: costs.get_ref().sell };
        }
        for row in &self.sector {
            let sector = row.get_ref();
            place(&format!("sector {}", sector.name), row.span());
            if sector.min.is_none() && sector.max.is_none() {
                return at.wrong(&row.span(), format!("sector {}: give it a min, a max, or both", sector.name));
            }
            let members = sector.members.iter().map(|name| at.name(universe, name)).collect::<Result<_, _>>()?;
            // What a sector does not limit, nothing that is allowed reaches.
            let net =
                Span { min: sector.min.unwrap_or(-super::MOST_WEIGHT), max: sector.max.unwrap_or(super::MOST_WEIGHT) };
            mandate.sectors.push(Sector { name: sector.name.clone(), members, net });
        }
        for row in &self.holding {
            let holding = row.get_ref();
            if holding.never && (holding.long.is_some() || holding.short.is_some()) {
                return at.wrong(&row.span(), "holding: never = true leaves nothing to limit; take long and short out");
            }
            for name in &holding.names {
                place(&format!("holding {}", name.get_ref()), name.span());
                let side = |own: Option<Sizes>, general| own.map(Span::from).or(general).filter(|_| !holding.never);
                let (long, short) = (side(holding.long, Some(mandate.long)), side(holding.short, mandate.short));
                mandate.own.push(Own { name: at.name(universe, name)?, long, short });
            }
        }
        if let Some(current) = &self.current {
            place("current", current.span());
            mandate.current = vec![0.0; universe.len()];
            for (name, weight) in current.get_ref() {
                match universe.index_of(name) {
                    Some(index) => mandate.current[index] = *weight,
                    None => {
                        return at
                            .wrong(&current.span(), format!("current: there is no name `{name}` in the universe"));
                    }
                }
            }
        }
        Ok(mandate)
    }
}
