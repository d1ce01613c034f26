//! The suite, against every path of the software twin that this processor has.

use firelane_kernels::ising::conformance::{Extent, Report, Verdict, run};
use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::job::{Algorithm, Bifurcation, Job};
use firelane_kernels::ising::problem::{Meaning, Pair, Problem};
use firelane_kernels::ising::twin::{Path, Software};
use std::sync::Arc;

fn assert_conforms(report: &Report, skipped: usize) {
    let failed: Vec<_> = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).collect();
    assert!(failed.is_empty(), "{}: {failed:#?}", report.device);
    assert!(report.conforms());
    let left_out = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Skipped(_))).count();
    assert_eq!(left_out, skipped, "{report:#?}");
}

#[test]
fn the_specification_passes_the_suite() {
    // It holds every problem that there can be: there is none too large.
    assert_conforms(&run(&mut Software::on(Path::Scalar).unwrap(), &Extent::default()), 1);
}

#[test]
fn each_vector_path_gives_the_bits_of_the_specification() {
    for path in Path::ALL.into_iter().filter(|path| *path != Path::Scalar) {
        if let Some(mut device) = Software::on(path) {
            assert_conforms(&run(&mut device, &Extent { random: 8, only: "" }), 1);
        }
    }
}

/// A magnet: all spins want to be alike, so that sums become as large as they can.
fn magnet(sites: u32, coupling: i32, field: i32) -> Arc<Problem> {
    let pairs: Vec<Pair> = (0..sites).flat_map(|i| (0..i).map(move |j| Pair { i, j, coupling })).collect();
    let fields = vec![field; sites as usize];
    Arc::new(Problem::new(sites as usize, &pairs, &fields, Meaning::Ising).unwrap())
}

#[test]
fn what_a_kernel_of_small_dense_problems_takes_is_right_at_its_limits_and_beyond() {
    // (A complete graph of one size without fields would be counted instead.) What sites feel is within 16 bits, just, and not; couplings are of 8 bits, and not; lines are full, and there is a site more.
    let (full, rest) = (255 * 127, 32_767 - 255 * 127);
    assert_eq!(full + rest, 32_767);
    let problems = [
        magnet(256, 127, rest),
        magnet(256, 127, rest + 1),
        magnet(256, -127, -rest),
        magnet(256, -127, -rest - 1),
        magnet(257, 127, 1),
        magnet(200, 128, 1),
        magnet(200, -128, 5),
        magnet(500, 60, 1),
        magnet(500, -65, 0),
        magnet(32, 127, 20_000),
        magnet(33, 127, 1),
        magnet(3, 100, 32_567),
        magnet(3, 100, 32_568),
    ];
    let algorithm = Algorithm::Discrete(Bifurcation { time_step: Some(0.9), gain: None });
    for problem in problems {
        let solved = |device: &mut Software| {
            device.load(&problem).unwrap();
            let job = Job { look_every: 7, ..Job::new(algorithm, 40, 3, 5) };
            let replicas = device.solve(&job).unwrap().replicas;
            let seen = |replica: &firelane_kernels::ising::job::Replica| {
                assert_eq!(problem.energy(&replica.spins.signs()), replica.energy);
                (replica.spins.clone(), replica.energy, replica.best.step)
            };
            replicas.iter().map(seen).collect::<Vec<_>>()
        };
        let specified = solved(&mut Software::on(Path::Scalar).unwrap());
        for mut device in Path::ALL.into_iter().filter_map(Software::on) {
            assert_eq!(solved(&mut device), specified, "{device:?}, {} sites", problem.sites());
        }
    }
}
