//! Every shader that the host can ask for is one: parsed, validated without any optional feature, and written as SPIR-V. No adapter is needed.

use firelane_shaders::kernel::{Form, Kernel};
use firelane_shaders::scenarios::{MOST_ASSETS, Scenarios};
use naga::back::spv;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use std::collections::BTreeSet;

/// What a workgroup can have by WebGPU's own limits, on Mesa's software adapter, and on large GPUs.
const ADAPTERS: [(u32, u32); 3] = [(256, 16_384), (1024, 32_768), (1024, 49_152)];
const SITES: [u32; 9] = [1, 128, 129, 1_000, 1_024, 2_000, 4_097, 20_000, 1 << 20];

fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for form in [Form::Ballistic, Form::Discrete, Form::Packed, Form::Annealing] {
        for sites in SITES.into_iter().filter(|sites| form != Form::Packed || *sites <= 20_000) {
            for wide in [false, true] {
                for (threads, bytes) in ADAPTERS {
                    all.push(Kernel::new(form, sites, wide, threads, bytes));
                }
            }
        }
    }
    all
}

fn validated(source: &str) -> Result<(naga::Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(source).map_err(|error| error.emit_to_string(source))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
    info.map(|info| (module, info)).map_err(|error| error.emit_to_string(source))
}

fn assert_valid(source: &str, entry: &str, threads: u32) {
    let (module, info) = validated(source).unwrap_or_else(|error| panic!("{entry}: {error}"));
    let [found] = module.entry_points.as_slice() else { panic!("{entry}: not one way in") };
    assert_eq!((found.name.as_str(), found.workgroup_size), (entry, [threads, 1, 1]));
    let words = spv::write_vec(&module, &info, &spv::Options::default(), None);
    assert!(words.is_ok_and(|words| words.len() > 1_000), "{entry}");
}

#[test]
fn every_shader_is_valid_without_optional_features() {
    let mut sources = BTreeSet::new();
    for kernel in kernels() {
        let source = kernel.source();
        if sources.insert(source.clone()) {
            assert_valid(&source, kernel.entry(), kernel.threads);
        }
    }
    assert!(sources.len() >= 40, "{} shaders", sources.len());
}

#[test]
fn books_of_any_size_have_a_valid_shader() {
    for assets in [1, 2, 3, 4, 5, 64, MOST_ASSETS] {
        for (most, threads) in [(1, 1), (32, 32), (64, 64), (1_024, 64)] {
            let shader = Scenarios::new(assets, most);
            assert_eq!(shader.threads, threads);
            assert_valid(&shader.source(), shader.entry(), threads);
        }
    }
}
