//! The rules of the house as tests: layers, module docs, what `base` and `flow` must not touch, the dependency list.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(under: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(under)];
    if open[0].is_file() {
        return open;
    }
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{under} holds no sources: has the tree moved?");
    found
}

/// A file's code: comments gone, and everything from its unit tests on (they stand last, by custom).
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let tests = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(super) mod "];
    let end = tests.iter().filter_map(|begin| text.find(begin)).min().unwrap_or(text.len());
    let body = &text[..end];
    body.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.split("//").next().unwrap().to_owned()))
        .filter(|(_, line)| !line.trim().is_empty())
        .collect()
}

/// Every line of `under` that holds one of `banned`, except where `allowed` says that this file may hold that word.
fn offences(under: &str, banned: &[&str], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut all = Vec::new();
    for path in sources(under) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        for (number, line) in code(&path) {
            for word in banned {
                if line.contains(word) && !allowed.iter().any(|(file, w)| name == *file && w == word) {
                    all.push(format!("{name}:{number}: `{word}` in `{}`", line.trim()));
                }
            }
        }
    }
    all
}

fn assert_none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n{}", offences.join("\n"));
}

#[test]
fn arrows_point_at_the_root() {
    assert_none("base uses nothing of the crate", &offences("src/base", &["crate::flow", "crate::shell"], &[]));
    assert_none("flow uses base alone", &offences("src/flow", &["crate::shell"], &[]));
    assert_none("the gateway never uses the simulated world", &offences("src", &["firelane_sim"], &[]));
    let beyond = ["shell::", "firelane_sim", "firelane_desk"];
    assert_none("kernels use base and flow alone", &offences("kernels/src", &beyond, &[]));
    assert_none("the simulated world does not use the programs", &offences("sim/src", &["firelane_desk"], &[]));
}

#[test]
fn the_venue_keeps_its_own_books() {
    // Sharing only byte layouts (and the base words) is what makes a reconciliation between the two worth anything.
    let banned = ["flow::book", "flow::orders", "flow::risk", "flow::trading", "flow::feed", "flow::entry"];
    let journaled = ["sim/src/far_end.rs", "sim/src/far_end", "sim/src/journal.rs"];
    for part in ["sim/src/venue", "sim/src/server", "sim/src/exchange.rs"].into_iter().chain(journaled) {
        assert_none("the venue is independent of the gateway", &offences(part, &banned, &[]));
    }
}

#[test]
fn the_lane_sees_no_world_and_does_not_panic() {
    let banned = [
        "std::",
        "lazy_static",
        "OnceLock",
        "println!",
        "eprintln!",
        "format!",
        "Instant",
        "SystemTime",
        "Mutex",
        "RwLock",
        "RefCell",
        "static mut",
        "thread",
        "HashMap",
        "BTreeMap",
        "panic!",
        "assert!(",
        "assert_eq!(",
        "unreachable!",
        ".copy_from_slice_unchecked",
        "todo!",
        "unimplemented!",
        ".unwrap()",
        ".expect(",
        "f64",
        "f32",
        "unsafe",
        ".to_vec()",
        "Vec::push",
        "Rc<",
        "Arc<",
        ".split_at(",
        ".split_at_mut(",
        ".swap(",
        ".chunks_exact(",
        ".div_euclid(",
        ".rem_euclid(",
        ".step_by(",
    ];
    // `const _: () = assert!(..)`, and `const { assert!(..) }` within a generic function, is checked by the compiler; split_at and friends panic where lints do not see it.
    let found: Vec<String> = ["src/base", "src/flow"]
        .iter()
        .flat_map(|under| offences(under, &banned, &[("src/base/raw.rs", "unsafe")]))
        .filter(|line| !line.contains("const _: () = assert!") && !line.contains("const { assert!"))
        .collect();
    assert_none("banned in base and flow", &found);
}

#[test]
fn every_source_says_what_it_is_for() {
    for under in ["src", "sim/src", "kernels", "shaders", "bench", "crates", "tests/it"] {
        for path in sources(under) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} begins without a module doc", path.display());
        }
    }
}

#[test]
fn rooms_stay_small() {
    for under in ["src", "sim/src", "kernels", "shaders", "bench", "crates", "tests"] {
        for path in sources(under) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 1_000, "{} has {lines} lines: split it by what it owns", path.display());
        }
    }
}

#[test]
fn unsafe_code_lives_in_a_few_files_by_name() {
    let mut homes = BTreeSet::new();
    for under in ["src", "sim/src", "kernels", "shaders", "bench", "crates", "tests"] {
        for path in sources(under) {
            if path.ends_with("tidy.rs") {
                continue;
            }
            if code(&path).iter().any(|(_, line)| line.contains("unsafe ")) {
                homes.insert(path.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    // The gateway has two: a hint to the processor, and the words of a mapped file (ADR 19).
    // What counts allocations is an allocator.
    let counting = ["tests/counting/mod.rs", "bench/src/raw.rs"];
    let allowed = ["src/base/raw.rs", "src/shell/raw.rs"].into_iter().chain(counting);
    let allowed = allowed.map(str::to_owned).collect::<BTreeSet<_>>();
    // Vector paths have folders (ADR 25, ADR 35, ADR 37).
    let folders = ["kernels/src/spikes/twin/simd/", "kernels/src/ising/twin/simd/", "crates/quantum/src/simd/"];
    homes.retain(|home| !folders.iter().any(|folder| home.starts_with(folder)));
    assert!(homes.is_subset(&allowed), "unsafe code outside {allowed:?}: {homes:?}");
}

/// The gateway's direct dependencies, by feature. A change here is a decision: it goes through this list.
#[test]
fn the_gateways_dependencies_are_these() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let (mut lane, mut shell) = (BTreeSet::new(), BTreeSet::new());
    for (name, spec) in manifest["dependencies"].as_table().unwrap() {
        let optional = spec.get("optional").and_then(toml::Value::as_bool).unwrap_or(false);
        if optional {
            shell.insert(name.as_str())
        } else {
            lane.insert(name.as_str())
        };
    }
    assert_eq!(lane, BTreeSet::from(["xxhash-rust", "zerocopy"]), "base and flow");
    let of_the_shell = [
        "core_affinity",
        "crc32c",
        "crossbeam-queue",
        "hdrhistogram",
        "memmap2",
        "quanta",
        "rtrb",
        "serde",
        "signal-hook",
        "socket2",
        "thiserror",
        "toml",
    ];
    assert_eq!(shell, BTreeSet::from(of_the_shell), "the shell");
}

/// The same rule as `deny.toml`, for machines without cargo-deny: every package of the tree, on every platform that is
/// fetched, offers a licence of the list.
#[test]
fn every_dependency_has_a_licence_of_the_list() {
    let deny: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let allowed: BTreeSet<&str> =
        deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "only {} packages: has the command changed?", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        // "A OR B", "A/B", "(A OR B) AND C": every conjunct must have an allowed alternative.
        let fits = licence.replace(['(', ')'], "").split(" AND ").all(|part| {
            part.split(" OR ").flat_map(|alternative| alternative.split('/')).any(|l| allowed.contains(l.trim()))
        });
        assert!(fits, "{} is under {licence}; deny.toml allows {allowed:?}", package["name"]);
    }
}

#[test]
fn the_repository_speaks_of_the_project_alone() {
    for folder in ["src", "sim/src", "kernels", "shaders", "bench", "crates", "tests", "docs"] {
        let mut open = vec![root().join(folder)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            } else if let (Ok(text), false) = (fs::read_to_string(&path), path.ends_with("tidy.rs")) {
                for word in ["/work/", "/root/", "/home/", "/tmp/"] {
                    assert!(!text.contains(word), "{} names a machine's path: {word}", path.display());
                }
            }
        }
    }
}

#[test]
fn links_of_documents_lead_somewhere() {
    let documents = |folder: &str| {
        let paths = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|e| e == "md")).collect::<Vec<_>>()
    };
    let mut seen = 0;
    let mut lost = Vec::new();
    for document in ["", "docs", "docs/adr", "bench", "fuzz"].into_iter().flat_map(documents) {
        let text = fs::read_to_string(&document).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            seen += 1;
            if !document.parent().unwrap().join(target).exists() {
                lost.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(seen > 50, "{seen} links");
    assert_none("links lead to files of the repository", &lost);
}
