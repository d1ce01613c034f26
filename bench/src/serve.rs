//! The lab as a contestant: what `lab serve` runs.

use crate::book::{Hints, Rig, Setup};
use crate::decode::{By, Decoding};
use crate::encode::Encoding;
use crate::machine::Machine;
use crate::orders::Passes;
use crate::quoting::{self, Quoting};
use crate::straight::LEFT_OUT;
use anyhow::Result;
use firelane_contest::{About, Contestant, Kind, serve};
use std::path::Path;

/// Serves the books of the lane.
///
/// # Errors
/// Those of the file, of reading and of writing.
pub fn book(setup: &Setup, file: &Path, built: usize) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let mut name = "firelane".to_owned();
    if setup.hints != Hints::Never {
        name = format!("firelane, hints {} of {}", setup.hints.word(), setup.batch);
    }
    this(&mut Rig::new(setup), Kind::L3, name, &bytes, built)
}

/// Serves decoding alone.
///
/// # Errors
/// Those of the file, of reading and of writing.
pub fn decode(by: By, file: &Path, built: usize) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let name = if by == By::Itch5 { "itch5 0.1.5" } else { "firelane" };
    this(&mut Decoding::by(by), Kind::Decode, name.to_owned(), &bytes, built)
}

/// Serves framing: of what the gate approved.
///
/// # Errors
/// Those of the file, of reading and of writing.
pub fn encode(file: &Path, built: usize) -> Result<()> {
    let bytes = std::fs::read(file)?;
    this(&mut Encoding::default(), Kind::Encode, "firelane".to_owned(), &bytes, built)
}

/// Serves the way from packets to orders: of the lane, or of the straight line.
///
/// # Errors
/// Those of the settings, of the file, of reading and of writing.
pub fn orders(settings: &str, straight: bool, file: &Path, built: usize) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let mut passes = Passes::new(settings, Machine::ask(), straight)?;
    let name = if straight { "the straight line" } else { "firelane" };
    let without = if straight { LEFT_OUT.iter().map(|what| (*what).to_owned()).collect() } else { Vec::new() };
    let about = About { kind: Kind::Orders, name: name.to_owned(), without };
    serve(&mut passes, &about, &bytes, built, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(())
}

/// Serves the whole lane with its market maker quoting.
///
/// # Errors
/// Those of the settings, of the file, of reading and of writing.
pub fn quotes(settings: &str, file: &Path, built: usize) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let without = quoting::LEFT_OUT.iter().map(|what| (*what).to_owned()).collect();
    let about = About { kind: Kind::Quotes, name: "firelane, market maker".to_owned(), without };
    let mut lane = Quoting::new(settings)?;
    serve(&mut lane, &about, &bytes, built, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(())
}

fn this(contestant: &mut dyn Contestant, kind: Kind, name: String, bytes: &[u8], built: usize) -> Result<()> {
    let about = About { kind, name, without: Vec::new() };
    serve(contestant, &about, bytes, built, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(())
}
