//! A book as a file (TOML). `docs/var.md` has all keys.

use super::book::{Asset, Book, Instrument, NoBook, Position, Right};
use serde::Deserialize;
use std::ops::Range;
use thiserror::Error;
use toml::Spanned;

/// Why a file is refused.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum FileError {
    /// Something at a line, counted from 1.
    #[error("line {line}: {text}")]
    Line {
        /// Which one.
        line: usize,
        /// What is wrong there, and what would be right.
        text: String,
    },
    /// It can be read, and is no book.
    #[error(transparent)]
    Book(#[from] NoBook),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rate: f64,
    #[serde(default)]
    asset: Vec<AssetRow>,
    correlation: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    stock: Vec<StockRow>,
    #[serde(default)]
    option: Vec<OptionRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssetRow {
    name: String,
    spot: f64,
    volatility: f64,
    #[serde(default)]
    dividend: f64,
    #[serde(default)]
    drift: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StockRow {
    asset: Spanned<String>,
    quantity: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionRow {
    asset: Spanned<String>,
    kind: Kind,
    strike: f64,
    expiry: f64,
    quantity: f64,
    #[serde(default = "one")]
    multiplier: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Call,
    Put,
}

fn one() -> f64 {
    1.0
}

fn line(text: &str, at: &Range<usize>) -> usize {
    text.as_bytes()[..at.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Reads a book: stocks first, then options, in the file's order.
///
/// # Errors
/// The first thing that is wrong: of a line, or of the book as a whole.
pub fn parse(text: &str) -> Result<Book, FileError> {
    let file: File = toml::from_str(text).map_err(|error| FileError::Line {
        line: line(text, &error.span().unwrap_or_default()),
        text: error.message().trim().replace('\n', ", "),
    })?;
    let assets: Vec<Asset> = file
        .asset
        .into_iter()
        .map(|AssetRow { name, spot, volatility, dividend, drift }| Asset { name, spot, volatility, dividend, drift })
        .collect();
    let number = |name: &Spanned<String>| {
        let unknown = || FileError::Line {
            line: line(text, &name.span()),
            text: format!("there is no asset {:?}: name one of [[asset]]", name.get_ref()),
        };
        assets.iter().position(|asset| asset.name == *name.get_ref()).ok_or_else(unknown)
    };
    let mut positions = Vec::new();
    for StockRow { asset, quantity } in &file.stock {
        let instrument = Instrument::Stock;
        positions.push(Position { asset: number(asset)?, quantity: *quantity, instrument });
    }
    for row in &file.option {
        let right = match row.kind {
            Kind::Call => Right::Call,
            Kind::Put => Right::Put,
        };
        let instrument = Instrument::Option { right, strike: row.strike, expiry: row.expiry };
        positions.push(Position { asset: number(&row.asset)?, quantity: row.quantity * row.multiplier, instrument });
    }
    let correlation = match file.correlation {
        Some(rows) => rows,
        // One asset needs none; more without one would be independent by omission.
        None if assets.len() == 1 => vec![vec![1.0]],
        None => Vec::new(),
    };
    Ok(Book::new(assets, positions, file.rate, &correlation)?)
}
