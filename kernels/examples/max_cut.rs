//! A ring of traders, each of whom deals with two neighbours and, some of them, with one across: into which two desks are they split, so that
//! as many dealings as can be are between desks? By each algorithm, beside the truth.

use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::exhaustive;
use firelane_kernels::ising::job::{Algorithm, Job};
use firelane_kernels::ising::problem::{Pair, Problem};
use firelane_kernels::ising::twin::Software;
use std::error::Error;
use std::sync::Arc;

/// What each algorithm, by its name, has found.
type Cuts = Vec<(&'static str, f64)>;

/// The cuts that were found, and the largest that there is.
pub(crate) fn cuts() -> Result<(Cuts, f64), Box<dyn Error>> {
    let ring = (0..21).map(|i| (i, (i + 1) % 21));
    let across = (0..10).step_by(2).map(|i| (i, i + 10));
    let edges: Vec<Pair> = ring.chain(across).map(|(i, j)| Pair { i, j, coupling: 1 }).collect();
    let graph = Arc::new(Problem::max_cut(21, &edges)?);
    let truth = exhaustive::search(&graph).ok_or("too many traders to try all")?;
    let mut device = Software::best();
    device.load(&graph)?;
    let mut found = Vec::new();
    for algorithm in Algorithm::ALL {
        let answer = device.solve(&Job::new(algorithm, 100, 16, 1))?;
        let best = answer.best().ok_or("no replica was run")?;
        found.push((algorithm.name(), graph.value(&best.spins.signs())));
    }
    Ok((found, graph.value_of(truth.energy)))
}

#[allow(dead_code, clippy::print_stdout, reason = "the test runs `cuts` alone")]
fn main() -> Result<(), Box<dyn Error>> {
    let (found, truth) = cuts()?;
    for (name, cut) in found {
        println!("{name:>4}: {cut} of {truth}");
    }
    Ok(())
}
