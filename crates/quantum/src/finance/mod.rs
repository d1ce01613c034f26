//! Problems of finance as circuits: what a portfolio holds, what a call option is worth, what a loan book can lose.

pub mod credit;
pub mod option;
pub mod portfolio;

use crate::error::{Error, within};
use std::f64::consts::{FRAC_PI_2, PI};

/// A value from 0 to 1 as the probability of an objective qubit: sin^2 of an angle that is linear in it, around a quarter of pi. The
/// smaller the scale, the smaller what is wrong with that line, and the more shots the same precision takes (Woerner and Egger,
/// npj Quantum Information 5, 15, 2019).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linear {
    scale: f64,
}

impl Linear {
    pub(crate) fn new(scale: f64) -> Result<Linear, Error> {
        within(scale, "the scale", "above 0 and at most 1", scale > 0.0 && scale <= 1.0)?;
        Ok(Linear { scale })
    }

    /// The `ry` of the value 0.
    pub(crate) fn base(self) -> f64 {
        FRAC_PI_2 - self.scale * FRAC_PI_2
    }

    /// The part of it that the value adds.
    pub(crate) fn of(self, value: f64) -> f64 {
        self.scale * PI * value
    }

    /// The value that an amplitude stands for, as if sin^2 were its line.
    pub(crate) fn value(self, amplitude: f64) -> f64 {
        (amplitude - 0.5) * 2.0 / (PI * self.scale) + 0.5
    }
}
