//! What the specification itself must not change: answers of each algorithm, as they were when it was written.

use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::job::{Algorithm, Job};
use firelane_kernels::ising::problem::{MOST_FIELD, Meaning, Pair, Problem};
use firelane_kernels::ising::twin::{Path, Software};
use std::sync::Arc;

/// Of six replicas, by algorithm as in [`Algorithm::ALL`].
const ENERGIES: [[i64; 6]; 5] = [
    [-1148, -1252, -1176, -1134, -1348, -1306],
    [-1316, -1150, -1292, -1276, -1254, -1258],
    [-1336, -1348, -1322, -1286, -1290, -1272],
    [-1354, -1352, -1352, -1354, -1352, -1354],
    [-1346, -1338, -1336, -1302, -1338, -1348],
];

fn problem() -> Arc<Problem> {
    let coupling = |i: u32, j: u32| (i * 37 + j * 101 + i * j) as i32 % 19 - 9;
    let pairs = (0..48_u32).flat_map(|i| (0..i).map(move |j| Pair { i, j, coupling: coupling(i, j) }));
    let fields: Vec<i32> = (0..48).map(|site| site % 7 - 3).collect();
    Arc::new(Problem::new(48, &pairs.collect::<Vec<_>>(), &fields, Meaning::Ising).unwrap())
}

#[test]
fn answers_are_as_they_were() {
    let problem = problem();
    for (algorithm, energies) in Algorithm::ALL.into_iter().zip(ENERGIES) {
        let mut device = Software::on(Path::Scalar).unwrap();
        device.load(&problem).unwrap();
        let answer = device.solve(&Job { look_every: 11, ..Job::new(algorithm, 11, 6, 2026) }).unwrap();
        let found: Vec<i64> = answer.replicas.iter().map(|replica| replica.energy).collect();
        assert_eq!(found, energies, "{}", algorithm.name());
    }
}

#[test]
fn the_strongest_couplings_that_there_can_be_are_solved_by_all() {
    let most = i32::try_from(MOST_FIELD).unwrap();
    let two = Arc::new(Problem::new(2, &[Pair { i: 0, j: 1, coupling: -most }], &[], Meaning::Ising).unwrap());
    for algorithm in Algorithm::ALL {
        for path in Path::ALL {
            let Some(mut device) = Software::on(path) else { continue };
            device.load(&two).unwrap();
            let answer = device.solve(&Job::new(algorithm, 40, 8, 1)).unwrap();
            assert_eq!(answer.best().unwrap().energy, -MOST_FIELD, "{} {path:?}", algorithm.name());
        }
    }
}
