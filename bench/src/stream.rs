//! Where messages come from: a recorded file, or a made market.

use crate::market::{Market, Stream, market};
use anyhow::{Context, Result, ensure};
use firelane_sim::capture::{self, Format};
use std::path::Path;

/// A recorded BinaryFILE, packed or not.
///
/// # Errors
/// If it can't be read, or is a packet capture.
pub fn file(path: &Path) -> Result<Stream> {
    let bytes = capture::read_all(path).with_context(|| path.display().to_string())?;
    ensure!(Format::of(&bytes) == Format::BinaryFile, "{}: not a BinaryFILE (.itch)", path.display());
    Ok(Stream { bytes, built: 0 })
}

/// The file, or without one a made market.
///
/// # Errors
/// Those of [`file()`].
pub fn of(path: Option<&Path>, otherwise: Market) -> Result<Stream> {
    path.map_or_else(|| Ok(market(otherwise)), file)
}
