//! Time stamps of a few nanoseconds: the processor's own counter where there is one.

/// Counts since some moment: processor ticks on `x86_64`, nanoseconds elsewhere. Everything before it is done, and
/// nothing after it begun, when the counter is read.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[must_use]
pub fn stamp() -> u64 {
    use core::arch::x86_64::{_mm_lfence, _rdtsc};
    // SAFETY: `lfence` is part of SSE2, which every x86_64 has. It touches no memory.
    unsafe { _mm_lfence() };
    // SAFETY: every x86_64 has a time stamp counter. Reading it touches no memory; where an operating system forbids
    // it, the process is stopped, which is sound.
    let ticks = unsafe { _rdtsc() };
    // SAFETY: as above.
    unsafe { _mm_lfence() };
    ticks
}

/// Counts since some moment: processor ticks on `x86_64`, nanoseconds elsewhere.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
#[must_use]
pub fn stamp() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
