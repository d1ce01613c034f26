//! The suite, against every path of the software twin that this processor has; and against devices that are wrong, which it
//! must find.

use firelane_kernels::spikes::conformance::{Extent, Report, Verdict, run};
use firelane_kernels::spikes::{Path, Software};

fn assert_conforms(report: &Report) {
    let failed: Vec<_> = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).collect();
    assert!(failed.is_empty(), "{}: {failed:#?}", report.device);
    assert!(report.conforms());
    let skipped = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Skipped(_))).count();
    assert_eq!((skipped, report.cases.len()), (0, 56), "{report:#?}");
    assert!(report.updates >= 1_000_000, "{}", report.updates);
}

#[test]
fn the_specification_passes_the_suite() {
    assert_conforms(&run(&mut Software::on(Path::Scalar).unwrap(), &Extent::default()));
}

#[test]
fn each_vector_path_gives_the_bits_of_the_specification() {
    let paths: Vec<Path> = Software::paths().filter(|&path| path != Path::Scalar).collect();
    #[cfg(target_arch = "x86_64")]
    for (path, has) in [
        (Path::Avx2, is_x86_feature_detected!("avx2")),
        (Path::Avx512, is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512dq")),
    ] {
        assert_eq!(paths.contains(&path), has, "{path:?}");
    }
    #[cfg(target_arch = "aarch64")]
    assert_eq!(paths, [Path::Neon]);
    for path in paths {
        assert_conforms(&run(&mut Software::on(path).unwrap(), &Extent { updates: 1_000_000, seed: 1_000 }));
    }
}
