//! What is done to amplitudes, on vector units, and the choice between them: the one folder of this crate with unsafe code.
//!
//! There are two kinds of it, and no third. A function that is compiled for instructions which not every processor has is
//! called after a [`Unit`] has asked the processor for them; and a vector is read from, or written to, an array of exactly its
//! size. [`scalar`] is the specification: the other paths give its bits.

#[cfg(target_arch = "x86_64")]
#[macro_use]
mod vector;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod scalar;

use serde::Serialize;
use std::sync::LazyLock;

/// Amplitudes that lie beside each other: real and imaginary parts apart, equally many.
pub(crate) struct Half<'a> {
    pub(crate) re: &'a mut [f64],
    pub(crate) im: &'a mut [f64],
}

/// A matrix of two by two, row by row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct General {
    pub(crate) re: [f64; 4],
    pub(crate) im: [f64; 4],
}

/// A way of computing: all of them give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// Plain Rust: the specification.
    Scalar,
    /// Vectors of four numbers.
    Avx2,
    /// Vectors of eight numbers.
    Avx512,
}

impl Path {
    /// By the width of their vectors.
    pub const ALL: [Path; 3] = [Path::Scalar, Path::Avx2, Path::Avx512];

    /// As reports call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Path::Scalar => "scalar",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
        }
    }
}

/// A path that this processor was found to have. There is no other way to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit(Path);

static BEST: LazyLock<Unit> = LazyLock::new(|| {
    // Measured: vectors of eight gain nothing on states that do not fit the first cache.
    let found = [Path::Avx2, Path::Avx512].into_iter().find_map(Unit::of);
    found.unwrap_or(Unit(Path::Scalar))
});

impl Unit {
    /// If this processor has it.
    #[must_use]
    pub fn of(path: Path) -> Option<Unit> {
        has(path).then_some(Unit(path))
    }

    /// The fastest, as measured, that this processor has.
    #[must_use]
    pub fn best() -> Unit {
        *BEST
    }

    /// Which it is.
    #[must_use]
    pub fn path(self) -> Path {
        self.0
    }
}

#[cfg(target_arch = "x86_64")]
fn has(path: Path) -> bool {
    match path {
        Path::Scalar => true,
        Path::Avx2 => is_x86_feature_detected!("avx2"),
        Path::Avx512 => is_x86_feature_detected!("avx512f"),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn has(path: Path) -> bool {
    path == Path::Scalar
}

/// The function of this name, of the path that a [`Unit`] stands for.
macro_rules! on {
    ($unit:ident: $name:ident($($arg:expr),*)) => {
        match $unit.0 {
            // SAFETY: a `Unit` of this path is made only where the processor has its instructions.
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => unsafe { avx512::$name($($arg),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => unsafe { avx2::$name($($arg),*) },
            _ => scalar::$name($($arg),*),
        }
    };
}

impl Unit {
    /// Exchanges two halves.
    pub(crate) fn swap(self, zero: &mut Half<'_>, one: &mut Half<'_>) {
        // The compiler's own copies are vectors already.
        scalar::swap(zero, one);
    }

    /// See [`scalar::turn`].
    pub(crate) fn turn(self, c: f64, s: f64, zero: &mut Half<'_>, one: &mut Half<'_>) {
        on!(self: turn(c, s, zero, one));
    }

    /// See [`scalar::real`].
    pub(crate) fn real(self, m: [f64; 4], zero: &mut Half<'_>, one: &mut Half<'_>) {
        on!(self: real(m, zero, one));
    }

    /// See [`scalar::general`].
    pub(crate) fn general(self, m: &General, zero: &mut Half<'_>, one: &mut Half<'_>) {
        on!(self: general(m, zero, one));
    }

    /// See [`scalar::phase`].
    pub(crate) fn phase(self, re: f64, im: f64, half: &mut Half<'_>) {
        on!(self: phase(re, im, half));
    }

    /// See [`scalar::phases`]. Every index is within the two tables, which are equally long.
    pub(crate) fn phases(self, index: &[u16], table_re: &[f64], table_im: &[f64], half: &mut Half<'_>) {
        on!(self: phases(index, table_re, table_im, half));
    }

    /// See [`scalar::turns`]. The half is a power of two long, and 2^(first + count) at least.
    pub(crate) fn turns(self, c: f64, s: f64, first: usize, count: usize, half: &mut Half<'_>) {
        on!(self: turns(c, s, first, count, half));
    }
}
