//! What is held: stocks and European options on them, and what is assumed of the stocks.

use super::cholesky::{self, Indefinite};
use thiserror::Error;

/// Most assets of a book.
pub const MOST_ASSETS: usize = 256;
/// Most positions of a book.
pub const MOST_POSITIONS: usize = 10_000;
/// Trading days of a year.
pub const DAYS: f64 = 252.0;
/// The latest expiry, in trading days.
pub const LATEST: f64 = 50.0 * DAYS;
/// The largest spot, strike and quantity.
pub const LARGEST: f64 = 1e12;
/// The least spot, strike and quantity.
pub const LEAST: f64 = 1e-6;
/// The least volatility, a year.
pub const CALMEST: f64 = 1e-4;
/// The largest volatility, a year.
pub const WILDEST: f64 = 10.0;
/// The largest rate, dividend yield and drift, a year, of either sign.
pub const STEEPEST: f64 = 10.0;

/// A stock, as it is assumed to move: `ln S(t) - ln S(0)` is normal with the mean `(drift - volatility² / 2) t` and the variance `volatility² t`.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// What it is called.
    pub name: String,
    /// What a share costs now, in units of money.
    pub spot: f64,
    /// A year, as a fraction: 0.2 is 20 %.
    pub volatility: f64,
    /// The continuous dividend yield, a year: what options are valued with.
    pub dividend: f64,
    /// How fast the price is expected to rise in the real world, a year, continuously compounded.
    pub drift: f64,
}

/// A call or a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

impl Right {
    /// 1 for a call, -1 for a put.
    #[must_use]
    pub fn sign(self) -> f64 {
        match self {
            Right::Call => 1.0,
            Right::Put => -1.0,
        }
    }
}

/// What a position is in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instrument {
    /// The stock itself.
    Stock,
    /// A European option on a share.
    Option {
        /// To buy or to sell.
        right: Right,
        /// At this price, in units of money.
        strike: f64,
        /// After so many trading days.
        expiry: f64,
    },
}

/// Something that is held, or owed.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Of which asset of the book, from 0.
    pub asset: usize,
    /// Shares, or shares that options are on; negative if they are owed.
    pub quantity: f64,
    /// What it is in.
    pub instrument: Instrument,
}

/// Why something is no book.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum NoBook {
    /// A number that is out of its range, or none.
    #[error("{what} is {value}, and must be {must}")]
    Number {
        /// Of what.
        what: String,
        /// What it is.
        value: f64,
        /// What it may be.
        must: &'static str,
    },
    /// None, or too many of something.
    #[error("it has {has} {what}, and must have 1 to {most}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        has: usize,
        /// How many there may be.
        most: usize,
    },
    /// A name that is none, or another asset's.
    #[error("the asset {0:?} has no name of its own: names are different, and of 1 to 64 characters")]
    Name(String),
    /// A position in an asset that is not there.
    #[error("a position is in asset number {asset}, and there are {assets}, numbered from 0")]
    NoAsset {
        /// Which one.
        asset: usize,
        /// How many there are.
        assets: usize,
    },
    /// A correlation matrix of another shape.
    #[error("the correlation matrix must have {assets} rows of {assets} numbers, one for each asset, in their order")]
    Shape {
        /// How many assets there are.
        assets: usize,
    },
    /// A correlation matrix that is none.
    #[error("the correlation of {a} and {b} is {ab} in one place and {ba} in the other: both must be the same")]
    Asymmetric {
        /// One asset.
        a: String,
        /// The other.
        b: String,
        /// Row of one, column of the other.
        ab: f64,
        /// Row of the other, column of one.
        ba: f64,
    },
    /// One that no random numbers can have.
    #[error(
        "no prices can have these correlations: those of {asset} contradict those of the assets before it (the matrix is not positive \
         semidefinite); take them from one period for all assets, or bring them nearer to 0"
    )]
    Indefinite {
        /// The first asset that can't be.
        asset: String,
    },
}

/// A book that can be valued: checked when it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    assets: Vec<Asset>,
    positions: Vec<Position>,
    rate: f64,
    factor: Vec<f64>,
}

fn number(what: impl Fn() -> String, value: f64, good: bool, must: &'static str) -> Result<(), NoBook> {
    if good { Ok(()) } else { Err(NoBook::Number { what: what(), value, must }) }
}

fn count(what: &'static str, has: usize, most: usize) -> Result<(), NoBook> {
    if (1..=most).contains(&has) { Ok(()) } else { Err(NoBook::Count { what, has, most }) }
}

/// NaN is not.
fn between(least: f64, value: f64, most: f64) -> bool {
    value >= least && value <= most
}

impl Book {
    /// Of these assets, whose returns have these correlations (rows in the assets' order), and positions. `rate` is the riskless one, a year, continuously
    /// compounded.
    ///
    /// # Errors
    /// [`NoBook`].
    pub fn new(
        assets: Vec<Asset>,
        positions: Vec<Position>,
        rate: f64,
        correlation: &[Vec<f64>],
    ) -> Result<Self, NoBook> {
        count("assets", assets.len(), MOST_ASSETS)?;
        count("positions", positions.len(), MOST_POSITIONS)?;
        number(|| "the rate".into(), rate, rate.abs() <= STEEPEST, "-10 to 10 a year")?;
        for (index, asset) in assets.iter().enumerate() {
            let name = &asset.name;
            let taken = assets[..index].iter().any(|other| other.name == *name);
            if taken || !(1..=64).contains(&name.chars().count()) {
                return Err(NoBook::Name(name.clone()));
            }
            let of = |what: &str| format!("the {what} of {name}");
            number(|| of("spot"), asset.spot, between(LEAST, asset.spot, LARGEST), "1e-6 to 1e12")?;
            let volatility = asset.volatility;
            number(|| of("volatility"), volatility, between(CALMEST, volatility, WILDEST), "0.0001 to 10 a year")?;
            for (what, value) in [("dividend", asset.dividend), ("drift", asset.drift)] {
                number(|| of(what), value, value.abs() <= STEEPEST, "-10 to 10 a year")?;
            }
        }
        for Position { asset, quantity, instrument } in &positions {
            let Some(Asset { name, .. }) = assets.get(*asset) else {
                return Err(NoBook::NoAsset { asset: *asset, assets: assets.len() });
            };
            let good = between(LEAST, quantity.abs(), LARGEST);
            number(|| format!("a quantity of {name}"), *quantity, good, "1e-6 to 1e12, of either sign")?;
            if let Instrument::Option { strike, expiry, .. } = instrument {
                let good = between(LEAST, *strike, LARGEST);
                number(|| format!("a strike of {name}"), *strike, good, "1e-6 to 1e12")?;
                let good = between(LEAST, *expiry, LATEST);
                number(|| format!("an expiry of {name}"), *expiry, good, "1e-6 to 12,600 trading days")?;
            }
        }
        let factor = factor(&assets, correlation)?;
        Ok(Book { assets, positions, rate, factor })
    }

    /// The stocks.
    #[must_use]
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// What is held.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The riskless rate, a year.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// What independent normal numbers become correlated ones with: rows of a lower triangle, `1 + 2 + ..` numbers.
    #[must_use]
    pub fn factor(&self) -> &[f64] {
        &self.factor
    }
}

fn factor(assets: &[Asset], correlation: &[Vec<f64>]) -> Result<Vec<f64>, NoBook> {
    let count = assets.len();
    if correlation.len() != count || correlation.iter().any(|row| row.len() != count) {
        return Err(NoBook::Shape { assets: count });
    }
    for (i, row) in correlation.iter().enumerate() {
        for (j, value) in row[..=i].iter().enumerate() {
            let (a, b) = (&assets[i].name, &assets[j].name);
            let what = || format!("the correlation of {a} and {b}");
            if i == j {
                number(what, *value, *value == 1.0, "1, of an asset with itself")?;
            }
            number(what, *value, value.abs() <= 1.0, "-1 to 1")?;
            let other = correlation[j][i];
            if other != *value {
                return Err(NoBook::Asymmetric { a: a.clone(), b: b.clone(), ab: *value, ba: other });
            }
        }
    }
    let indefinite = |Indefinite { row }| NoBook::Indefinite { asset: assets[row].name.clone() };
    cholesky::factor(correlation).map_err(indefinite)
}
