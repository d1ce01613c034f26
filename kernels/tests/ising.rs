//! The suite, against every path of the software twin that this processor has.

use firelane_kernels::ising::conformance::{Extent, Report, Verdict, run};
use firelane_kernels::ising::twin::{Path, Software};

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
