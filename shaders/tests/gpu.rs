//! The suite of Ising devices, on the best adapter that is there, and what is said where there is none.
#![cfg(feature = "gpu")]

mod adapter;

use firelane_kernels::ising::conformance::{Extent, Verdict, run};
use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::job::{Algorithm, Job};
use firelane_kernels::ising::problem::{Meaning, Problem};
use firelane_shaders::{Gpu, Unavailable, adapters, open_or_cpu};
use std::process::Command;
use std::sync::Arc;

fn gpu() -> Option<Gpu> {
    match Gpu::open(None) {
        Err(Unavailable::Nothing) => {
            adapter::skip(&Unavailable::Nothing.to_string());
            None
        }
        opened => Some(opened.unwrap()),
    }
}

#[test]
fn an_adapter_gives_the_bits_of_the_specification() {
    let Some(mut gpu) = gpu() else { return };
    let report = run(&mut gpu, &Extent::default());
    let failed: Vec<_> = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).collect();
    assert!(failed.is_empty() && report.conforms(), "{}: {failed:#?}", report.device);
    let skipped = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Skipped(_)));
    // Tempering and quantum annealing are the processor's. A sweep of the larger graph has more turns of loops than Mesa's adapter does in one go.
    let elsewhere = ["pt: ", "sqa: ", "sa: a larger complete graph"];
    let named =
        skipped.map(|case| case.name.as_str()).filter(|name| !elsewhere.iter().any(|part| name.starts_with(part)));
    // No problem that is one has a site too many.
    assert_eq!(named.collect::<Vec<_>>(), ["a problem that is too large is refused, and changes nothing"]);
}

#[test]
fn adapters_are_listed_and_opened_by_name_and_number() {
    let all = adapters();
    if gpu().is_none() {
        return assert!(all.is_empty());
    }
    for (index, adapter) in all.iter().enumerate() {
        assert_eq!(adapter.index, index);
        let by_number = Gpu::open(Some(&index.to_string())).unwrap();
        assert_eq!(by_number.adapter(), adapter);
        assert_eq!(by_number.capabilities().name, format!("gpu/{}", adapter.name));
    }
    let wanted = "an adapter that nobody makes";
    let unknown = Unavailable::Unknown { wanted: wanted.into(), found: all };
    assert_eq!(Gpu::open(Some(wanted)).unwrap_err(), unknown);
    solved_on_the_processor(wanted, &unknown);
}

/// What can't be had is the processor's, and why is said.
fn solved_on_the_processor(wanted: &str, because: &Unavailable) {
    let (mut device, why) = open_or_cpu(Some(wanted));
    assert_eq!(why.as_ref(), Some(because));
    assert!(device.capabilities().name.starts_with("cpu/"));
    device.load(&Arc::new(Problem::new(2, &[], &[3, -4], Meaning::Ising).unwrap())).unwrap();
    assert_eq!(device.solve(&Job::new(Algorithm::ALL[0], 50, 4, 1)).unwrap().best().unwrap().energy, -7);
}

#[test]
fn what_can_be_had_is_no_fallback() {
    if gpu().is_some() {
        let (device, why) = open_or_cpu(None);
        assert!(why.is_none() && device.capabilities().name.starts_with("gpu/"));
    }
}

#[test]
#[ignore = "run by `where_no_driver_is_nobody_is_left_without_words`, which hides all drivers"]
fn without_a_driver() {
    assert_eq!(adapters(), []);
    assert_eq!(Gpu::open(None).unwrap_err(), Unavailable::Nothing);
    solved_on_the_processor("0", &Unavailable::Nothing);
}

#[test]
fn where_no_driver_is_nobody_is_left_without_words() {
    let none = "/nowhere/none.json";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "without_a_driver", "--ignored"])
        .envs([("VK_ICD_FILENAMES", none), ("VK_DRIVER_FILES", none)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&child.stderr));
}
