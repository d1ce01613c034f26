//! Configuration that was checked before it is believed.

use core::fmt;

/// A configured value outside the range that its field allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfRange {
    /// The field, as the configuration names it.
    pub field: &'static str,
    /// The range, in words: `1 to 1000`.
    pub allowed: &'static str,
}

impl OutOfRange {
    /// `Ok` if `holds`, else the error that names `field` and what is `allowed`.
    ///
    /// # Errors
    /// `self`, when the condition does not hold.
    pub const fn unless(holds: bool, field: &'static str, allowed: &'static str) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(OutOfRange { field, allowed }) }
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.field, self.allowed)
    }
}

impl core::error::Error for OutOfRange {}
