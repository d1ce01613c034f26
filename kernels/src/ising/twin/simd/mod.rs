//! The paths of vector units, and the choice between them: with that of the spiking twin, the only folder of this package with unsafe code.

#[cfg(target_arch = "x86_64")]
mod complete;
#[cfg(target_arch = "x86_64")]
mod counted;
#[cfg(target_arch = "x86_64")]
mod dense;
#[cfg(target_arch = "x86_64")]
mod flipped;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod layout;
#[cfg(target_arch = "x86_64")]
mod philox;
#[cfg(target_arch = "x86_64")]
mod plane;
#[cfg(target_arch = "x86_64")]
mod popcount;
#[cfg(target_arch = "x86_64")]
mod words;

use super::super::plan::Plan;
#[cfg(target_arch = "x86_64")]
use super::super::plan::{Bifurcating, Temperature};
use super::super::problem::Problem;
use super::engine::Engine;
use crate::path::Path;

/// A path that this processor was found to have. There is no other way to one.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Unit(Path);

impl Unit {
    pub(in super::super) fn of(path: Path) -> Option<Unit> {
        // Nothing is written for NEON.
        (path != Path::Neon && path.is_here()).then_some(Unit(path))
    }

    pub(in super::super) fn best() -> Unit {
        Path::ALL.into_iter().rev().find_map(Unit::of).unwrap_or(Unit(Path::Scalar))
    }

    pub(in super::super) fn path(self) -> Path {
        self.0
    }

    /// What does this plan for so many replicas of this problem, if this path has something for it.
    #[cfg(target_arch = "x86_64")]
    pub(in super::super) fn engine(self, problem: &Problem, plan: &Plan, replicas: u32) -> Option<Box<dyn Engine>> {
        match (self.0, plan) {
            (Path::Scalar, _) => None,
            (Path::Avx512, Plan::Bifurcating(of)) => {
                bifurcated(problem, of, replicas).or_else(|| laned(problem, plan, replicas))
            }
            (Path::Avx512, Plan::Annealing(temperatures)) => {
                annealed(problem, temperatures, replicas).or_else(|| laned(problem, plan, replicas))
            }
            (_, plan) => laned(problem, plan, replicas),
        }
    }

    /// There is none.
    #[cfg(not(target_arch = "x86_64"))]
    pub(in super::super) fn engine(self, _: &Problem, _: &Plan, _: u32) -> Option<Box<dyn Engine>> {
        None
    }
}

/// For fewer replicas than this, a vector of them is mostly empty, and one after another is faster.
#[cfg(target_arch = "x86_64")]
const FEW: u32 = 4;

/// With AVX-512.
#[cfg(target_arch = "x86_64")]
fn bifurcated(problem: &Problem, plan: &Bifurcating, replicas: u32) -> Option<Box<dyn Engine>> {
    use std::arch::x86_64::{__m128i, __m512i};
    // A complete graph takes a replica after another as long as there are too few to fill the widest vectors of them.
    if replicas <= 256
        && is_x86_feature_detected!("avx512vpopcntdq")
        && let Some(counted) = popcount::Counted::new(problem, plan)
    {
        return Some(Box::new(counted));
    }
    // Couplings of one size are counted, many replicas at once, if there are many.
    let many = plan.discrete && replicas >= FEW && problem.one_size().is_some();
    // Larger squares of couplings do not stay near to a core: then many replicas are to share each coupling that is read.
    let small = replicas < FEW || problem.sites() <= 512;
    if !many && let Some(flipped) = flipped::Flipped::<__m512i>::new(problem, plan) {
        return Some(Box::new(flipped));
    }
    let dense = || is_x86_feature_detected!("avx512vnni").then(|| dense::Dense::new(problem, plan)).flatten();
    if !many
        && small
        && let Some(dense) = dense()
    {
        return Some(Box::new(dense));
    }
    if !plan.discrete || replicas < FEW {
        return None;
    }
    // Positions and momenta of more replicas would not stay in the caches beside a core; a complete problem's bits are read more often.
    let wide = replicas > 128 && problem.density() == 1.0;
    let layout = layout::Layout::of(problem, false, if wide { 8 } else { 2 })?;
    Some(if wide {
        Box::new(counted::Bifurcated::<__m512i>::new(problem, layout, plan))
    } else {
        Box::new(counted::Bifurcated::<__m128i>::new(problem, layout, plan))
    })
}

/// With AVX-512.
#[cfg(target_arch = "x86_64")]
fn annealed(problem: &Problem, temperatures: &[Temperature], replicas: u32) -> Option<Box<dyn Engine>> {
    use std::arch::x86_64::{__m128i, __m512i};
    if replicas < FEW {
        return None;
    }
    let wide = replicas > 128 && problem.density() > 0.1;
    let layout = layout::Layout::of(problem, true, if wide { 8 } else { 2 })?;
    Some(if wide {
        Box::new(counted::Annealed::<__m512i>::new(layout, temperatures))
    } else {
        Box::new(counted::Annealed::<__m128i>::new(layout, temperatures))
    })
}

/// With AVX2, which a processor with AVX-512 has, too.
#[cfg(target_arch = "x86_64")]
fn laned(problem: &Problem, plan: &Plan, replicas: u32) -> Option<Box<dyn Engine>> {
    // Larger squares of couplings do not stay near to a core.
    let few = replicas < FEW || problem.sites() <= 256 || problem.one_size().is_none();
    if let Plan::Bifurcating(plan) = plan
        && few
        && let Some(flipped) = flipped::Flipped::<std::arch::x86_64::__m256i>::new(problem, plan)
    {
        return Some(Box::new(flipped));
    }
    if replicas < FEW {
        return None;
    }
    if let Plan::Bifurcating(plan) = plan
        && let Some(complete) = complete::Bifurcated::new(problem, plan)
    {
        return Some(Box::new(complete));
    }
    match plan {
        Plan::Bifurcating(plan) => Some(Box::new(lanes::Bifurcated::new(problem, plan)?)),
        Plan::Annealing(temperatures) => Some(Box::new(lanes::Annealed::new(problem, temperatures)?)),
        Plan::Tempering(..) | Plan::Quantum { .. } => None,
    }
}
