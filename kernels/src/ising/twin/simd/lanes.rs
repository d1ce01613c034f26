//! 64 replicas at once with AVX2, whatever the couplings are (of 16 bits): a replica is a lane of 16 bits, and what a site feels is
//! added up coupling by coupling; couplings of one size are added as bytes.

mod annealed;
mod bifurcated;
mod philox;

pub(super) use annealed::Annealed;
pub(super) use bifurcated::Bifurcated;

use super::super::super::problem::Problem;
use super::super::block::Block;
use std::arch::x86_64::*;

/// Replicas.
pub(super) const LANES: usize = 64;
/// Vectors of 16 lanes that they are.
const VECTORS: usize = LANES / 16;

/// A number of 16 bits of each replica, where vectors can be read from at once.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Lanes([i16; LANES]);

/// A sign of each replica: 1 or -1.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Signs([i8; LANES]);

impl Lanes {
    #[inline(always)]
    fn vector(&self, at: usize) -> *const __m256i {
        self.0[16 * at..16 * at + 16].as_ptr().cast()
    }

    #[inline(always)]
    fn vector_mut(&mut self, at: usize) -> *mut __m256i {
        self.0[16 * at..16 * at + 16].as_mut_ptr().cast()
    }
}

/// A coupling of a site.
#[derive(Clone, Copy)]
struct Link {
    to: u32,
    coupling: i16,
}

/// The couplings of all sites.
struct Links {
    starts: Vec<u32>,
    links: Vec<Link>,
    /// The size of all of them, if they are of one, and there are no fields.
    one_size: Option<i16>,
    fields: Vec<i32>,
}

impl Links {
    /// If couplings, and what a site feels of signs, are of 16 bits. `in_words`: what it feels may be longer.
    fn of(problem: &Problem, in_words: bool) -> Option<Links> {
        let (mut starts, mut links) = (vec![0], Vec::new());
        for site in 0..problem.sites() {
            for link in problem.links(site) {
                links.push(Link { to: link.to, coupling: i16::try_from(link.coupling).ok()? });
            }
            // Those that are with it first: bytes are added, and then taken off.
            links[starts[site] as usize..].sort_by_key(|link| link.coupling < 0);
            starts.push(links.len() as u32);
        }
        if !in_words && problem.strongest() > i64::from(i16::MAX) {
            return None;
        }
        let one_size = problem.one_size().and_then(|size| i16::try_from(size).ok());
        Some(Links { starts, links, one_size, fields: problem.fields().to_vec() })
    }

    #[inline]
    fn of_site(&self, site: usize) -> &[Link] {
        &self.links[self.starts[site] as usize..self.starts[site + 1] as usize]
    }

    fn sites(&self) -> usize {
        self.fields.len()
    }

    /// What a site feels of signs.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn felt(&self, site: usize, signs: &[Signs]) -> [__m256i; VECTORS] {
        match self.one_size {
            // SAFETY: as of this function.
            Some(size) => unsafe { self.counted(site, signs, size) },
            None => {
                let mut sums = [_mm256_set1_epi16(self.fields[site] as i16); VECTORS];
                for link in self.of_site(site) {
                    let coupling = _mm256_set1_epi16(link.coupling);
                    let signs = &signs[link.to as usize].0;
                    for (sum, signs) in sums.iter_mut().zip(signs.chunks_exact(16)) {
                        // SAFETY: sixteen bytes are half a vector.
                        let signs = unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(signs.as_ptr().cast())) };
                        *sum = _mm256_add_epi16(*sum, _mm256_sign_epi16(coupling, signs));
                    }
                }
                sums
            }
        }
    }

    /// # Safety
    /// The processor has AVX2.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    unsafe fn counted(&self, site: usize, signs: &[Signs], size: i16) -> [__m256i; VECTORS] {
        let nothing = _mm256_setzero_si256();
        let mut sums = [nothing; VECTORS];
        // A byte holds what so many add up to.
        for some in self.of_site(site).chunks(127) {
            let mut bytes = [nothing; 2];
            let with = some.partition_point(|link| link.coupling > 0);
            let (with, against) = some.split_at(with);
            for link in with {
                for (half, bytes) in bytes.iter_mut().enumerate() {
                    // SAFETY: 64 bytes are two vectors, and stand where vectors can be read from.
                    let signs = unsafe { _mm256_load_si256(signs[link.to as usize].0[32 * half..].as_ptr().cast()) };
                    *bytes = _mm256_add_epi8(*bytes, signs);
                }
            }
            for link in against {
                for (half, bytes) in bytes.iter_mut().enumerate() {
                    // SAFETY: as above.
                    let signs = unsafe { _mm256_load_si256(signs[link.to as usize].0[32 * half..].as_ptr().cast()) };
                    *bytes = _mm256_sub_epi8(*bytes, signs);
                }
            }
            for (half, bytes) in bytes.into_iter().enumerate() {
                let low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes));
                let high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256::<1>(bytes));
                sums[2 * half] = _mm256_add_epi16(sums[2 * half], low);
                sums[2 * half + 1] = _mm256_add_epi16(sums[2 * half + 1], high);
            }
        }
        if size == 1 { sums } else { sums.map(|sum| _mm256_mullo_epi16(sum, _mm256_set1_epi16(size))) }
    }
}

/// Signs as bits.
fn show(signs: &[Signs], block: &mut Block) {
    for (site, signs) in signs.iter().enumerate() {
        block.site_mut(site)[0] =
            signs.0.iter().enumerate().fold(0, |bits, (lane, sign)| bits | u64::from(*sign > 0) << lane);
    }
}
