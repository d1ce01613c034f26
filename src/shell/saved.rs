//! A lane's state as a file: saved between two inputs, restored into a lane of the same wiring and configuration.
//!
//! ```text
//! file  = "FIRELANE" format:u32 role:u32 text_length:u32 text crc32c:u32  state
//! state = version:u32 inputs:u64 length:u64 bytes crc32c:u32              (crc over all of the state before it)
//! ```
//!
//! The frame is that of a log ([`log`](super::log)), so that the header names wiring and configuration; the bytes are what
//! [`Gateway::save`](crate::flow::Gateway::save) writes. With the log from that input on it makes the run again.

use super::lane::Lane;
use super::log::{FileHeader, FileReader, FileWriter, LogError, Role};
use crate::base::{Digest, LoadError, Reader, Writer};
use std::io::{Read, Write};

/// Version of the saved bytes: of the lists of fields in [`state!`](crate::state) and [`value!`](crate::value) all over the
/// lane. Whoever changes one raises it.
pub const VERSION: u32 = 4;

/// Why a state can't be read or restored.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file around it.
    #[error(transparent)]
    File(#[from] LogError),
    /// Saved by a build whose lanes hold other state.
    #[error("this state is of version {found}; this build restores version {VERSION}: use the build that saved it")]
    Version {
        /// The file's.
        found: u32,
    },
    /// The file ends too early.
    #[error("the state ends too early: it was not saved to its end")]
    Torn,
    /// The checksum is wrong, or something stands behind the end.
    #[error("the state is damaged: {0}")]
    Damaged(&'static str),
    /// Of another wiring.
    #[error("this state is of wiring {saved:?}; the lane is of {lane:?}")]
    Wiring {
        /// The file's.
        saved: String,
        /// The lane's.
        lane: String,
    },
    /// Of a wiring of this name that is made of other parts, or of a build whose records are others.
    #[error(
        "this state is of a wiring {wiring:?} of another shape (hash {saved}) than the lane's ({lane}): use the build that saved it"
    )]
    Shape {
        /// The name that both have.
        wiring: String,
        /// The file's hash.
        saved: String,
        /// The lane's.
        lane: String,
    },
    /// Of another configuration.
    #[error("this state was saved under another configuration (digest {saved}); the lane's has digest {lane}")]
    Config {
        /// Digest of the file's.
        saved: String,
        /// Digest of the lane's.
        lane: String,
    },
    /// The bytes do not fit the lane.
    #[error("the state does not fit this lane: {0}")]
    Load(#[from] LoadError),
    /// It fitted, and is another state now: the build that saved it has other lists of fields under the same version.
    #[error("restored, it is another state (digest {found:016x}, saved as {saved:016x}): use the build that saved it")]
    Otherwise {
        /// Digest of what was saved.
        saved: u64,
        /// Digest of the lane.
        found: u64,
    },
}

/// The state of a lane, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saved {
    /// Wiring and configuration.
    pub header: FileHeader,
    /// The input that it was taken behind.
    pub inputs: u64,
    bytes: Vec<u8>,
}

impl Saved {
    /// The state of a lane between two inputs, its outbox drained. `header` is that of its log.
    #[must_use]
    pub fn of<L: Lane + ?Sized>(lane: &L, header: &FileHeader) -> Self {
        let mut writer = Writer::default();
        lane.save(&mut writer);
        Saved { header: header.clone(), inputs: lane.inputs(), bytes: writer.0 }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What the sink says.
    pub fn save_to(&self, out: impl Write) -> Result<(), LogError> {
        let mut out = FileWriter::new(out, Role::State, &self.header)?.finish()?;
        let mut crc = 0;
        let length = self.bytes.len() as u64;
        for part in [&VERSION.to_le_bytes()[..], &self.inputs.to_le_bytes(), &length.to_le_bytes(), &self.bytes] {
            crc = crc32c::crc32c_append(crc, part);
            out.write_all(part)?;
        }
        out.write_all(&crc.to_le_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// Reads such a file, to its end.
    ///
    /// # Errors
    /// [`SavedError`]: it is none, or of another version, or damaged.
    pub fn load_from(input: impl Read) -> Result<Self, SavedError> {
        const FIXED: usize = 20;
        let (header, mut input) = FileReader::new(input)?.expect(Role::State)?.into_parts();
        let mut all = Vec::new();
        input.read_to_end(&mut all).map_err(LogError::Io)?;
        let (fixed, rest) = all.split_first_chunk::<FIXED>().ok_or(SavedError::Torn)?;
        let mut fixed = Reader(fixed);
        let found = fixed.u32()?;
        if found != VERSION {
            return Err(SavedError::Version { found });
        }
        let (inputs, length) = (fixed.u64()?, usize::try_from(fixed.u64()?).unwrap_or(usize::MAX));
        let (bytes, crc) = rest.split_at_checked(length).ok_or(SavedError::Torn)?;
        let (crc, behind) = crc.split_first_chunk::<4>().ok_or(SavedError::Torn)?;
        if crc32c::crc32c(&all[..FIXED + length]).to_le_bytes() != *crc {
            return Err(SavedError::Damaged("its checksum does not match"));
        }
        if !behind.is_empty() {
            return Err(SavedError::Damaged("something stands behind its end"));
        }
        Ok(Saved { header, inputs, bytes: bytes.to_vec() })
    }

    /// Restores it into a lane, whose log's header `header` is or would be: between inputs, its outbox empty, whatever it has
    /// been through. Inputs go on with the one behind [`inputs`](Self::inputs).
    ///
    /// # Errors
    /// [`SavedError`]: the lane is another one, and not changed; or the bytes do not fit it, and it is of no use any more.
    pub fn restore<L: Lane + ?Sized>(&self, lane: &mut L, header: &FileHeader) -> Result<(), SavedError> {
        if self.header.wiring != header.wiring {
            return Err(SavedError::Wiring { saved: self.header.wiring.clone(), lane: header.wiring.clone() });
        }
        let [saved, here] = [&self.header.wiring_hash, &header.wiring_hash];
        // A header that was made without a lane has none.
        if saved != here && !saved.is_empty() && !here.is_empty() {
            let (saved, lane) = (saved.clone(), here.clone());
            return Err(SavedError::Shape { wiring: header.wiring.clone(), saved, lane });
        }
        if self.header.config_digest != header.config_digest {
            let (saved, lane) = (self.header.config_digest.clone(), header.config_digest.clone());
            return Err(SavedError::Config { saved, lane });
        }
        let mut from = Reader(&self.bytes);
        lane.load(&mut from)?;
        from.end()?;
        let (saved, found) = (Digest::of(&self.bytes), lane.digest());
        if saved != found || lane.inputs() != self.inputs {
            return Err(SavedError::Otherwise { saved, found });
        }
        Ok(())
    }
}
