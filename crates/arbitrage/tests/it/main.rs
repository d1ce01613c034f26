//! The library from outside.

mod cycles;
mod data;
mod longshort;
mod pairs;
mod trades;

use firelane_arbitrage::annealer::Annealer;
use firelane_kernels::ising::job::Algorithm;
use firelane_kernels::ising::twin::Software;

/// An annealer on this processor.
fn on<T>(name: &str, steps: u32, replicas: u32, run: impl FnOnce(&mut Annealer<'_>) -> T) -> T {
    let mut device = Software::best();
    let algorithm = Algorithm::of(name).unwrap();
    run(&mut Annealer { device: &mut device, algorithm, steps, replicas, seed: 1 })
}
