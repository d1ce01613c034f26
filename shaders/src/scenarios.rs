//! The shader that values scenarios, as text.

use std::fmt::Write as _;

/// Most assets of a book: a thread holds a number for each.
pub const MOST_ASSETS: usize = 256;

/// A shader for books of so many assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scenarios {
    /// Assets.
    pub assets: u32,
    /// Threads of a workgroup.
    pub threads: u32,
}

impl Scenarios {
    /// For so many assets, on an adapter whose workgroups have at most so many threads.
    #[must_use]
    pub fn new(assets: usize, most_threads: u32) -> Self {
        Scenarios { assets: assets as u32, threads: most_threads.clamp(1, 64) }
    }

    /// The function that a pipeline begins with.
    #[must_use]
    pub fn entry(&self) -> &'static str {
        "value"
    }

    /// The shader, in WGSL.
    #[must_use]
    pub fn source(&self) -> String {
        let Scenarios { assets, threads } = *self;
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = writeln!(text, "const ASSETS = {assets}u;\nconst THREADS = {threads}u;");
        text + include_str!("wgsl/philox.wgsl") + include_str!("wgsl/risk.wgsl")
    }

    /// Turns of loops that a thread makes at so many times, with so many options.
    #[must_use]
    pub fn turns(&self, times: usize, options: usize) -> usize {
        let assets = self.assets as usize;
        // Ten rounds to four numbers.
        let drawn = assets.div_ceil(4) * 11 + assets;
        times * (1 + drawn + assets + assets * (assets + 1) / 2 + options)
    }
}

#[cfg(feature = "gpu")]
impl crate::host::Shader for Scenarios {
    // Assets, numbers and terms; losses.
    const ONLY_READ: &'static [bool] = &[true, true, true, false];

    fn source(&self) -> String {
        Scenarios::source(self)
    }

    fn entry(&self) -> &'static str {
        Scenarios::entry(self)
    }
}
