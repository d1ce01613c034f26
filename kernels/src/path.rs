//! What the processor has for vectors, and which of it is used: one list for all twins.

/// With what something is computed. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Plain integers, one after another: the specification.
    Scalar,
    /// Vectors of 32 bytes, on x86-64 processors with AVX2, BMI1, BMI2 and POPCNT.
    Avx2,
    /// Vectors of 64 bytes, on those with AVX-512 (F, BW, VL and DQ: Intel's servers from Skylake, AMD's from Zen 4 on).
    Avx512,
    /// Vectors of 16 bytes, on 64-bit ARM processors.
    Neon,
}

impl Path {
    /// All of them; of those that a processor has, the fastest last.
    pub const ALL: [Path; 4] = [Path::Scalar, Path::Avx2, Path::Avx512, Path::Neon];

    /// What it is called: `scalar`, `avx2`, `avx512`, `neon`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Path::Scalar => "scalar",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
            Path::Neon => "neon",
        }
    }

    /// Has this processor what it takes? Code that is compiled for a path is called after this has said so, and rests on it.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn is_here(self) -> bool {
        let base = || {
            is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2")
        };
        let avx2 = || base() && is_x86_feature_detected!("avx2");
        let avx512 = || is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        let more = || is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512dq");
        match self {
            Path::Scalar => true,
            Path::Avx2 => avx2(),
            Path::Avx512 => avx2() && avx512() && more(),
            Path::Neon => false,
        }
    }

    /// Has this processor what it takes?
    #[cfg(target_arch = "aarch64")]
    pub(crate) fn is_here(self) -> bool {
        self == Path::Scalar || (self == Path::Neon && std::arch::is_aarch64_feature_detected!("neon"))
    }

    /// Has this processor what it takes?
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn is_here(self) -> bool {
        self == Path::Scalar
    }
}
