//! The suite of Ising devices, on every adapter that is there.
use firelane_kernels::ising::conformance::{Extent, Verdict, run};
use firelane_shaders::Gpu;
#[test]
fn suite() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut gpu = Gpu::open(None).unwrap();
    let report = run(&mut gpu, &Extent { random: 0, only: &only });
    for case in &report.cases {
        eprintln!("{}: {:?}", case.name, case.verdict);
    }
    assert!(report.conforms());
    assert!(report.cases.iter().all(|c| !matches!(c.verdict, Verdict::Failed(_))));
}
