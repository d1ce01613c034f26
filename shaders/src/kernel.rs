//! The kernels, as text: parts in WGSL, joined to a shader for what a job needs.
//!
//! What the compiler of a driver must know (the size of a workgroup, of its memory, which form of an algorithm) stands before the parts as
//! constants.

use std::fmt::Write as _;

/// A workgroup's memory is for a multiple of so many sites, so that problems of about one size share a shader.
const TURN: u32 = 256;

/// What is done with a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// bSB: forces come from positions.
    Ballistic,
    /// dSB: forces come from signs.
    Discrete,
    /// dSB with couplings of one size, as bits.
    Packed,
    /// Simulated annealing.
    Annealing,
}

/// A shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// What it does.
    pub form: Form,
    /// Threads of a workgroup: a power of two.
    pub threads: u32,
    /// Sites that there is room for, in the memory of a workgroup; 0 if none of them is there.
    pub plane: u32,
    /// Are replicas held there, too? Else in the adapter's memory.
    pub near: bool,
    /// Does a link take two words, for a coupling of over 12 bits?
    pub wide: bool,
}

impl Kernel {
    /// For so many sites on an adapter whose workgroups have at most so many threads and so many bytes.
    #[must_use]
    pub fn new(form: Form, sites: u32, wide: bool, most_threads: u32, bytes: u32) -> Self {
        let wide = wide && form != Form::Packed;
        // The power of two that it is, or the next one below it.
        let most = (most_threads.max(1) + 1).next_power_of_two() / 2;
        if form == Form::Annealing {
            return Kernel { form, threads: most.min(64), plane: 0, near: false, wide };
        }
        // Four sites a thread hide what it waits for; less than a warp is never scheduled.
        let threads = sites.div_ceil(4).next_power_of_two().clamp(32, 1024).min(most);
        let mut kernel = Kernel { form, threads, plane: sites.div_ceil(TURN) * TURN, near: true, wide };
        if kernel.bytes() > u64::from(bytes) {
            kernel.near = false;
        }
        if form != Form::Packed && !kernel.near {
            kernel.plane = 0;
        }
        kernel
    }

    /// Bytes of a workgroup's memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let states = if self.near { 8 * u64::from(self.plane) } else { 0 };
        let signs = if self.form == Form::Packed { u64::from(self.plane) / 8 } else { 0 };
        let sums = if self.form == Form::Annealing { 0 } else { 8 * u64::from(self.threads) };
        states + signs + sums
    }

    /// The function that a pipeline begins with.
    #[must_use]
    pub fn entry(&self) -> &'static str {
        if self.form == Form::Annealing { "anneal" } else { "bifurcate" }
    }

    /// The shader, in WGSL.
    #[must_use]
    pub fn source(&self) -> String {
        let Kernel { form, threads, plane, near, wide } = *self;
        let mut text = String::new();
        let discrete = form != Form::Ballistic;
        // Writing to a string can't fail.
        let _ = writeln!(text, "const THREADS = {threads}u;\nconst WIDE = {wide};\nconst DISCRETE = {discrete};");
        let _ = writeln!(text, "const PLANE = {plane}u;");
        text += include_str!("wgsl/job.wgsl");
        text += include_str!("wgsl/philox.wgsl");
        if form == Form::Annealing {
            return text + include_str!("wgsl/annealing.wgsl");
        }
        text += if near { include_str!("wgsl/near.wgsl") } else { include_str!("wgsl/far.wgsl") };
        text += if form == Form::Packed { include_str!("wgsl/packed.wgsl") } else { include_str!("wgsl/sparse.wgsl") };
        text + include_str!("wgsl/bifurcation.wgsl")
    }
}

#[cfg(feature = "gpu")]
impl crate::host::Shader for Kernel {
    // Links, rows and schedule; what changes; logarithms.
    const ONLY_READ: &'static [bool] = &[true, true, true, false, false, false, false, true];

    fn source(&self) -> String {
        Kernel::source(self)
    }

    fn entry(&self) -> &'static str {
        Kernel::entry(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_held_in_a_workgroup_as_long_as_they_fit() {
        let near = |form, sites, bytes| Kernel::new(form, sites, false, 1_024, bytes).near;
        for (sites, bytes) in [(3_072, 32_768), (5_120, 49_152)] {
            for form in [Form::Ballistic, Form::Discrete] {
                assert!(near(form, sites, bytes) && !near(form, sites + 1, bytes), "{sites} in {bytes}");
            }
            assert!(!near(Form::Packed, sites, bytes), "signs take some of it");
        }
        let packed = Kernel::new(Form::Packed, 5_121, false, 1_024, 49_152);
        assert_eq!((packed.near, packed.plane, packed.bytes()), (false, 5_376, 5_376 / 8 + 8 * 1_024));
    }

    #[test]
    fn a_thread_has_four_sites_unless_there_are_too_few_or_too_many() {
        let threads = |sites, most| Kernel::new(Form::Discrete, sites, false, most, 32_768).threads;
        let some = [1, 128, 129, 2_048, 2_049, 4_096, 4_097, 1 << 20].map(|sites| threads(sites, 1_024));
        assert_eq!(some, [32, 32, 64, 512, 1_024, 1_024, 1_024, 1_024]);
        assert_eq!([1, 2, 3, 47, 64, 255, 256].map(|most| threads(4_096, most)), [1, 2, 2, 32, 64, 128, 256]);
    }
}
