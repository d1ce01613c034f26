//! Quotes of currency pairs at venues: two prices, what can be done at them, and what it costs.
//!
//! As a file: CSV with the columns of [`COLUMNS`]. Prices are of one unit of `base` in units of `quote`, sizes and lots in units of
//! `base`, fees in basis points of what is received. A side that is not quoted is left empty, price and size.

pub mod made;

use crate::decimal::Decimal;
use std::fmt::Write;
use thiserror::Error;

/// Currencies, at most.
pub const MOST_CURRENCIES: usize = 64;
/// Quotes, at most.
pub const MOST_QUOTES: usize = 10_000;
/// Money is counted in ten-thousandths of a currency's unit.
pub const MONEY_PLACES: u32 = 4;
/// What a fee is counted in: hundredths of a basis point. So many of them are all that is received.
pub const FEE_UNITS: u64 = 1_000_000;
/// Columns of a file, in this order.
pub const COLUMNS: &str = "venue,base,quote,bid,bid_size,ask,ask_size,lot,fee_bp";

/// A price, and how much of the base currency is dealt in at it at most, in money's units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// Units of `quote` for one of `base`.
    pub price: Decimal,
    /// Of `base`.
    pub size: u64,
}

/// What a venue would deal at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Who quotes.
    pub venue: String,
    /// The currency that is priced: an index.
    pub base: usize,
    /// The one that it is priced in.
    pub quote: usize,
    /// Where the base can be sold.
    pub bid: Option<Level>,
    /// Where it can be bought.
    pub ask: Option<Level>,
    /// What is dealt in at once, of `base`, in money's units.
    pub lot: u64,
    /// Of what is received, in [`FEE_UNITS`].
    pub fee: u64,
}

/// A side of a quote that is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Take {
    /// The bid: base is given, quote is got.
    Sell,
    /// The ask: quote is given, base is got.
    Buy,
}

/// One conversion of a currency into another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leg {
    /// Which quote, from 0 on.
    pub quote: usize,
    /// Which side of it.
    pub take: Take,
}

/// What one unit of the currency that is given brings of the other, after the fee: a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Above the line.
    pub numerator: u128,
    /// Below it.
    pub denominator: u128,
}

/// Why these are no quotes.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum QuotesError {
    /// Another first line.
    #[error("line 1: the columns are `{0}`, and must be `{COLUMNS}`")]
    Columns(String),
    /// Too few or too many cells.
    #[error("line {line}: {cells} cells, and there are 9 columns")]
    Cells {
        /// Counted from 1.
        line: usize,
        /// So many.
        cells: usize,
    },
    /// A cell that can't be read.
    #[error("line {line}: the {what} `{found}` {rule}")]
    Cell {
        /// Counted from 1.
        line: usize,
        /// Which.
        what: &'static str,
        /// What stands there.
        found: String,
        /// What it must be.
        rule: &'static str,
    },
    /// A price without a size, or the other way round.
    #[error("line {line}: the {side} has a price or a size alone; give both, or leave both empty")]
    Half {
        /// Counted from 1.
        line: usize,
        /// `bid` or `ask`.
        side: &'static str,
    },
    /// A bid above its own ask.
    #[error("line {line}: the bid is above the ask; a venue's own quote is never crossed: are the two swapped?")]
    Crossed {
        /// Counted from 1.
        line: usize,
    },
    /// A pair of one currency.
    #[error("line {line}: base and quote are both `{name}`; a pair has two currencies")]
    Alike {
        /// Counted from 1.
        line: usize,
        /// The currency.
        name: String,
    },
    /// No quote at all, or too many.
    #[error("there are {0} quotes; 1 to {MOST_QUOTES} can be searched")]
    Count(usize),
    /// Too many currencies.
    #[error("there are over {MOST_CURRENCIES} currencies; leave out pairs that are not traded")]
    Currencies,
}

/// Quotes that were checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quotes {
    currencies: Vec<String>,
    quotes: Vec<Quote>,
}

impl Quotes {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Quotes, QuotesError> {
        let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
        let head = lines.find(|(_, line)| !line.is_empty()).map_or("", |(_, line)| line);
        if head.split(',').map(str::trim).ne(COLUMNS.split(',')) {
            return Err(QuotesError::Columns(head.chars().take(80).collect()));
        }
        let mut quotes = Quotes { currencies: Vec::new(), quotes: Vec::new() };
        for (line, text) in lines.filter(|(_, line)| !line.is_empty()) {
            let quote = quotes.row(line, text)?;
            quotes.quotes.push(quote);
            if quotes.quotes.len() > MOST_QUOTES {
                return Err(QuotesError::Count(quotes.quotes.len()));
            }
        }
        if quotes.quotes.is_empty() { Err(QuotesError::Count(0)) } else { Ok(quotes) }
    }

    fn row(&mut self, line: usize, text: &str) -> Result<Quote, QuotesError> {
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        let &[venue, base, quote, bid, bid_size, ask, ask_size, lot, fee] = cells.as_slice() else {
            return Err(QuotesError::Cells { line, cells: cells.len() });
        };
        let wrong =
            |what, found: &str, rule| QuotesError::Cell { line, what, found: found.chars().take(40).collect(), rule };
        let number = |what, text: &str| text.parse::<Decimal>().map_err(|rule| wrong(what, text, rule));
        let money = |what, text: &str| match number(what, text)?.units(MONEY_PLACES) {
            Some(0) => Err(wrong(what, text, "must be above 0")),
            Some(units) if units <= 10_u64.pow(15) => Ok(units),
            _ => Err(wrong(what, text, "must have 4 digits behind its point at most, and be 100 billion at most")),
        };
        let level = |side, price: &str, size: &str, name, of| match (price.is_empty(), size.is_empty()) {
            (true, true) => Ok(None),
            (false, false) => match number(name, price)? {
                Decimal { mantissa: 0, .. } => Err(wrong(name, price, "must be above 0")),
                read => Ok(Some(Level { price: read, size: money(of, size)? })),
            },
            _ => Err(QuotesError::Half { line, side }),
        };
        let (bid, ask) =
            (level("bid", bid, bid_size, "bid", "bid_size")?, level("ask", ask, ask_size, "ask", "ask_size")?);
        if let (Some(bid), Some(ask)) = (bid, ask)
            && above(bid.price, ask.price)
        {
            return Err(QuotesError::Crossed { line });
        }
        if base == quote {
            return Err(QuotesError::Alike { line, name: base.chars().take(40).collect() });
        }
        let lot = money("lot", lot)?;
        let fee = match number("fee_bp", fee)?.units(2) {
            Some(fee) if fee < FEE_UNITS => fee,
            _ => return Err(wrong("fee_bp", fee, "must be below 10000, in steps of 0.01")),
        };
        for (what, name) in [("venue", venue), ("base", base), ("quote", quote)] {
            let fits = (1..=16).contains(&name.chars().count()) && !name.contains(|c: char| c.is_control() || c == '"');
            if !fits {
                return Err(wrong(what, name, "must be a name of 1 to 16 characters, without quotation marks"));
            }
        }
        let (base, quote) = (self.index(base)?, self.index(quote)?);
        Ok(Quote { venue: venue.to_owned(), base, quote, bid, ask, lot, fee })
    }

    fn index(&mut self, name: &str) -> Result<usize, QuotesError> {
        if let Some(at) = self.index_of(name) {
            return Ok(at);
        }
        if self.currencies.len() == MOST_CURRENCIES {
            return Err(QuotesError::Currencies);
        }
        self.currencies.push(name.to_owned());
        Ok(self.currencies.len() - 1)
    }

    /// Currencies, by index, in the order in which they were first named.
    #[must_use]
    pub fn currencies(&self) -> &[String] {
        &self.currencies
    }

    /// Where a currency stands.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.currencies.iter().position(|known| known == name)
    }

    /// All quotes.
    #[must_use]
    pub fn quotes(&self) -> &[Quote] {
        &self.quotes
    }

    /// Every side that is quoted.
    pub fn legs(&self) -> impl Iterator<Item = Leg> + '_ {
        self.quotes.iter().enumerate().flat_map(|(at, quote)| {
            let sell = quote.bid.map(|_| Leg { quote: at, take: Take::Sell });
            sell.into_iter().chain(quote.ask.map(|_| Leg { quote: at, take: Take::Buy }))
        })
    }

    /// What a leg gives and gets: currencies.
    #[must_use]
    pub fn ends(&self, leg: Leg) -> (usize, usize) {
        let quote = &self.quotes[leg.quote];
        match leg.take {
            Take::Sell => (quote.base, quote.quote),
            Take::Buy => (quote.quote, quote.base),
        }
    }

    /// The price and size that a leg takes; nothing where that side is not quoted.
    #[must_use]
    pub fn level(&self, leg: Leg) -> Option<Level> {
        let quote = &self.quotes[leg.quote];
        match leg.take {
            Take::Sell => quote.bid,
            Take::Buy => quote.ask,
        }
    }

    /// What a leg brings, after its fee; nothing where that side is not quoted.
    #[must_use]
    pub fn rate(&self, leg: Leg) -> Option<Rate> {
        let price = self.level(leg)?.price;
        let kept = u128::from(FEE_UNITS - self.quotes[leg.quote].fee);
        let (mantissa, one) = (u128::from(price.mantissa), 10_u128.pow(price.places));
        Some(match leg.take {
            Take::Sell => Rate { numerator: mantissa * kept, denominator: one * u128::from(FEE_UNITS) },
            Take::Buy => Rate { numerator: one * kept, denominator: mantissa * u128::from(FEE_UNITS) },
        })
    }

    /// As a file.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = format!("{COLUMNS}\n");
        let money = |units| Decimal { mantissa: units, places: MONEY_PLACES };
        for quote in &self.quotes {
            let level = |level: Option<Level>| {
                level.map_or(",".to_owned(), |level| format!("{},{}", level.price, money(level.size)))
            };
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{}",
                quote.venue,
                self.currencies[quote.base],
                self.currencies[quote.quote],
                level(quote.bid),
                level(quote.ask),
                money(quote.lot),
                Decimal { mantissa: quote.fee, places: 2 }
            );
        }
        text
    }
}

impl Rate {
    /// The nearest logarithm.
    #[must_use]
    pub fn log(self) -> f64 {
        (self.numerator as f64 / self.denominator as f64).ln()
    }
}

fn above(a: Decimal, b: Decimal) -> bool {
    let of = |a: Decimal, b: Decimal| u128::from(a.mantissa) * 10_u128.pow(b.places);
    of(a, b) > of(b, a)
}
