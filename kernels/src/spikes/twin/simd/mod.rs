//! The paths of vector units, and the choice between them: the one folder of this package with unsafe code.
//!
//! There are two kinds of it, and no third. A function that is compiled for instructions which not every processor has is
//! called after a [`Unit`] has asked the processor for them; and a vector is read from, or written to, an array of exactly its size.
//! On other architectures the specification is what runs, as their compiler vectorises it.

/// A path's `update_as`, by what of a rule and its population the compiler is to know.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! update_by {
    ($rule:ident, $population:ident, $fired:ident) => {{
        let plain = $rule.below.is_none() && $rule.reset == Reset::Zero;
        let whole = $fired.there.last() == Some(&u64::MAX);
        match ($rule.wraps, plain, whole) {
            (false, true, true) => update_as::<false, true, true>($rule, $population, $fired),
            (false, true, false) => update_as::<false, true, false>($rule, $population, $fired),
            (false, false, _) => update_as::<false, false, false>($rule, $population, $fired),
            (true, true, _) => update_as::<true, true, false>($rule, $population, $fired),
            (true, false, _) => update_as::<true, false, false>($rule, $population, $fired),
        }
    }};
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod small;

use super::block::Block;
use super::kernels::{Fired, Population, Rule, Sum};
use super::loaded::Layer;
use super::scalar;
use super::small::Small;
use crate::path::Path;

/// A path that this processor was found to have. There is no other way to one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit(Path);

impl Unit {
    /// If this processor has it.
    pub(super) fn of(path: Path) -> Option<Unit> {
        path.is_here().then_some(Unit(path))
    }

    pub(super) fn path(self) -> Path {
        self.0
    }
}

/// The function of this name, of the path that a [`Unit`] stands for.
macro_rules! on {
    ($unit:ident: scalar::$scalar:ident or $vector:ident($($arg:ident),*)) => {
        match $unit.0 {
            Path::Scalar => scalar::$scalar($($arg),*),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a `Unit` of this path, so that the processor has AVX2, BMI1 and POPCNT.
            Path::Avx2 => unsafe { avx2::$vector($($arg),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a `Unit` of this path, so that the processor has AVX-512 F, BW, VL and DQ, BMI1 and POPCNT.
            Path::Avx512 => unsafe { avx512::$vector($($arg),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: there is a `Unit` of this path, so that the processor has NEON.
            Path::Neon => unsafe { neon::$vector($($arg),*) },
            // There is no `Unit` of a path that is not compiled.
            #[cfg(not(target_arch = "x86_64"))]
            Path::Avx2 | Path::Avx512 => scalar::$scalar($($arg),*),
            #[cfg(not(target_arch = "aarch64"))]
            Path::Neon => scalar::$scalar($($arg),*),
        }
    };
}

impl Unit {
    pub(super) fn update(self, rule: &Rule, population: &mut Population<'_>, fired: &mut Fired<'_>) -> u64 {
        on!(self: scalar::update or update(rule, population, fired))
    }

    /// With AVX2, which a processor with AVX-512 has, too: longer vectors would be empty for the most part.
    pub(super) fn has_small(self) -> bool {
        matches!(self.0, Path::Avx2 | Path::Avx512)
    }

    #[inline]
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn small(self, small: &mut Small, layers: &mut [Layer], inputs: usize, now: usize) -> [u64; 2] {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a `Unit` of one of these paths, so that the processor has AVX2, BMI1 and POPCNT.
            Path::Avx2 | Path::Avx512 => unsafe { small::step(small, layers, inputs, now) },
            // There is no small program where there is no way for it.
            _ => [0; 2],
        }
    }

    pub(super) fn units(self, masks: &[u64], to: &mut [u32]) -> usize {
        on!(self: scalar::units or units(masks, to))
    }

    pub(super) fn gather_narrow(self, units: &[u32], rows: &[Block<i8>], how: Sum, sums: &mut [Block<i32>]) {
        on!(self: scalar::gather or gather_narrow(units, rows, how, sums));
    }

    pub(super) fn gather_wide(self, units: &[u32], rows: &[Block<i16>], how: Sum, sums: &mut [Block<i32>]) {
        on!(self: scalar::gather or gather_wide(units, rows, how, sums));
    }
}

/// The bits of one more vector of so many lanes, behind those of the ones before. One after another: four at once would be put
/// together in vectors, which takes longer.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn push<const LANES: usize>(all: u64, bits: u64) -> u64 {
    (all >> LANES) | (bits << (Block::<u8>::UNITS - LANES))
}

/// In how many vectors of so many lanes there is a unit of a block.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn filled<const LANES: usize>(there: u64) -> usize {
    (Block::<u8>::UNITS - there.leading_zeros() as usize).div_ceil(LANES)
}

/// All bits, once those of so many vectors have been put behind each other.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn pushed<const LANES: usize>(all: u64, vectors: usize) -> u64 {
    all.unbounded_shr((Block::<u8>::UNITS - LANES * vectors) as u32)
}

/// A block as vectors: always there, for the sizes fit.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn parts<const LANES: usize, const PARTS: usize>(block: &[i32; Block::<u8>::UNITS]) -> Option<&[[i32; LANES]; PARTS]> {
    block.as_chunks().0.first_chunk()
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn parts_mut<const LANES: usize, const PARTS: usize>(
    block: &mut [i32; Block::<u8>::UNITS],
) -> Option<&mut [[i32; LANES]; PARTS]> {
    block.as_chunks_mut().0.first_chunk_mut()
}
