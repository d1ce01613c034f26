//! `firelane ising` on the built program.

#[path = "../../../tests/it/data.rs"]
mod data;
#[path = "../../../tests/it/skip.rs"]
mod skip;

mod built;

use built::{Built, fits};
use lzma_rust2::{XzOptions, XzWriter};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const ISING: Built = Built(&["ising"]);

fn file(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A graph of 60 vertices, with weights of 1 and -1, and its edges.
fn graph() -> (String, Vec<(usize, usize, i64)>) {
    let mut edges = Vec::new();
    for i in 1..=60_usize {
        for j in 1..i {
            if (i * 7 + j * 13) % 11 < 3 {
                edges.push((j, i, if (i + 2 * j) % 5 < 2 { -1 } else { 1 }));
            }
        }
    }
    let mut text = format!("60 {}\n", edges.len());
    for (i, j, weight) in &edges {
        writeln!(text, "{i} {j} {weight}").unwrap();
    }
    (text, edges)
}

fn spins(of: &Value) -> Vec<i64> {
    of["spins"].as_array().unwrap().iter().map(|spin| spin.as_i64().unwrap()).collect()
}

fn cut(edges: &[(usize, usize, i64)], spins: &[i64]) -> i64 {
    edges.iter().map(|(i, j, weight)| weight * (1 - spins[i - 1] * spins[j - 1]) / 2).sum()
}

#[test]
fn every_solver_says_what_its_spins_are_worth() {
    let folder = tempfile::tempdir().unwrap();
    let (text, edges) = graph();
    let path = file(folder.path(), "graph.txt", text);
    let total: i64 = edges.iter().map(|edge| edge.2).sum();
    let mut cuts = Vec::new();
    for solver in ["dsb", "bsb", "sa", "pt", "sqa"] {
        let report =
            ISING.json(&["solve", &path, "--solver", solver, "--replicas", "24", "--steps", "400", "--target", "40"]);
        assert_eq!(report["solver"], solver);
        let all = report["replicas"].as_array().unwrap();
        assert_eq!(all.len(), 24);
        for found in all.iter().chain([&report]) {
            let worth = cut(&edges, &spins(found));
            assert_eq!(found["best_cut"], worth, "{solver}");
            assert_eq!(found["best_energy"], total - 2 * worth, "{solver}");
            assert!(spins(found).iter().all(|spin| spin.abs() == 1));
            let elapsed = report["elapsed_s"].as_f64().unwrap();
            assert!((0.0..=elapsed).contains(&found["time_to_best_s"].as_f64().unwrap()));
            assert_eq!(found["time_to_target_s"].is_null(), worth < 40);
        }
        let best = all.iter().map(|found| found["best_cut"].as_i64().unwrap()).max();
        assert_eq!(report["best_cut"].as_i64(), best);
        let trajectory = report["trajectory"].as_array().unwrap();
        assert_eq!(trajectory.last().unwrap()[1].as_i64(), best);
        cuts.push(best);
    }
    assert!(cuts.windows(2).all(|pair| pair[0] == pair[1]), "a small graph's largest cut is found by all: {cuts:?}");
}

#[test]
fn a_seed_has_one_answer_whatever_solves() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "graph.txt", graph().0);
    let answer = |more: &[&str]| {
        let base = ["solve", &path, "--steps", "30", "--replicas", "70"];
        let mut report = ISING.json(&[&base, more].concat());
        let all = report["replicas"].as_array_mut().unwrap();
        all.iter().map(spins).collect::<Vec<_>>()
    };
    let scalar = answer(&["--device", "cpu/scalar"]);
    assert_eq!(scalar, answer(&[]));
    assert_ne!(scalar, answer(&["--seed", "2"]));
    assert_ne!(scalar, answer(&["--time-step", "0.5"]));
}

#[test]
fn a_target_that_is_missed_is_null_and_one_that_is_met_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "graph.txt", graph().0);
    let missed = ISING.json(&["solve", &path, "--replicas", "3", "--steps", "20", "--target", "100000"]);
    assert!(missed["time_to_target_s"].is_null());
    assert!(missed["replicas"].as_array().unwrap().iter().all(|found| found["time_to_target_s"].is_null()));
    let met = ISING.json(&["solve", &path, "--steps", "1000000", "--replicas", "3", "--target", "1", "--until-target"]);
    assert_eq!(met["stopped"], "target");
    assert!(met["time_to_target_s"].is_number());
}

#[test]
fn seconds_begin_again_until_they_are_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "graph.txt", graph().0);
    let report = ISING.json(&["solve", &path, "--steps", "10", "--replicas", "4", "--seconds", "0.3"]);
    assert!(report["rounds"].as_u64().unwrap() > 5);
    assert_eq!(report["replicas"].as_array().unwrap().len(), 4);
    let elapsed = report["elapsed_s"].as_f64().unwrap();
    assert!((0.3..30.0).contains(&elapsed), "{elapsed}");
}

#[test]
fn a_picture_has_all_replicas_the_best_and_the_target_and_is_never_written_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "graph.txt", graph().0);
    let svg = folder.path().join("out.svg").display().to_string();
    let asked = ["solve", &path, "--replicas", "9", "--steps", "60", "--svg", &svg];
    let (code, text, error) = ISING.said(&[&asked[..], &["--target", "30"]].concat());
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains("best cut"), "{text}");
    let drawn = std::fs::read_to_string(&svg).unwrap();
    for words in ["graph.txt: dsb, 9 replicas of 60 steps", "time, s", ">cut<", ">best so far<", ">target<"] {
        assert!(drawn.contains(words), "{words}: {drawn}");
    }
    // One in the list of names, and one replica or more in the frame.
    assert!((2..=10).contains(&drawn.matches("<circle").count()), "{drawn}");
    let (code, _, error) = ISING.said(&asked);
    assert!(code == 1 && error.contains("exists already; --force"), "{error}");
    assert_eq!(std::fs::read_to_string(&svg).unwrap(), drawn);
    assert_eq!(ISING.said(&[&asked[..], &["--force"]].concat()).0, 0);
    assert!(!std::fs::read_to_string(&svg).unwrap().contains(">target<"), "none was asked for");
    let (code, text, _) = ISING.said(&["solve", &path, "--steps", "9", "--svg", "-"]);
    assert!(code == 0 && text.starts_with("<svg"), "{text}");
    let (code, _, error) = ISING.said(&["solve", &path, "--steps", "9", "--svg", &path, "--force"]);
    assert!(code == 1 && error.contains("read or written by this command already"), "{error}");
    for wrong in [&["--svg", "-", "--json"][..], &["--force"]] {
        assert_eq!(ISING.said(&[&["solve", &path][..], wrong].concat()).0, 2, "{wrong:?}");
    }
}

#[test]
fn functions_of_bits_have_values_and_no_cut() {
    let folder = tempfile::tempdir().unwrap();
    // Two of three are wanted, the second is the dearest: (x0 + x1 + x2 - 2)^2, and 0.5 for the second.
    let text = "# by hand\n3\n0 0 -3\n1 1 -2.5\n2 2 -3\n0 1 2\n0 2 2\n1 2 2\n";
    let path = file(folder.path(), "two.qubo", text);
    let report = ISING.json(&["solve", &path, "--replicas", "8", "--steps", "60", "--target", "-4"]);
    assert!(report["best_cut"].is_null());
    let (_, text, _) = ISING.said(&["solve", &path, "--replicas", "1", "--steps", "60"]);
    assert!(text.lines().any(|line| line.split_whitespace().take(2).eq(["mean", "-4"])), "{text}");
    assert_eq!((&report["best_energy"], spins(&report)), (&Value::from(-4), vec![1, -1, 1]));
    assert!(report["time_to_target_s"].is_number());
    let as_spins = ISING.json(&["solve", &path, "--format", "spins", "--replicas", "8", "--steps", "60"]);
    // -3 + 2.5 - 3, and -2 + 2 - 2 of the pairs.
    assert_eq!((&as_spins["best_energy"], spins(&as_spins)), (&Value::from(-5.5), vec![1, -1, 1]));
}

#[test]
fn packed_files_and_standard_input_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (text, edges) = graph();
    let mut packed = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    packed.write_all(text.as_bytes()).unwrap();
    let path = file(folder.path(), "graph.xz", packed.finish().unwrap());
    let report = ISING.json(&["solve", &path, "--replicas", "2", "--steps", "20"]);
    assert_eq!(report["best_cut"], cut(&edges, &spins(&report)));
    let mut child = Command::new(env!("CARGO_BIN_EXE_firelane"))
        .args(["ising", "solve", "-", "--replicas", "2", "--steps", "20"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("60 vertices of a graph"), "{text}");
    fits(&text);
}

#[test]
fn what_can_not_be_solved_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (text, says) in [
        ("", "there is nothing in it"),
        ("3 2\n1 2 1\n", "is it whole?"),
        ("3 1\n1 4 1\n", "line 2: site 4"),
        ("3 1\n2 2 1\n", "--format qubo"),
        ("3 1\n1 2 much\n", "line 2"),
    ] {
        let path = file(folder.path(), "bad.txt", text);
        let (code, out, error) = ISING.said(&["solve", &path]);
        assert_eq!((code, out.as_str()), (1, ""), "{text:?}");
        assert!(error.contains(says) && error.contains("bad.txt"), "{text:?}: {error}");
    }
    let path = file(folder.path(), "good.txt", graph().0);
    for (arguments, says) in [
        (["solve", &path, "--device", "gpu0"], "there is no device \"gpu0\"; there are cpu"),
        #[cfg(not(feature = "gpu"))]
        (["solve", &path, "--device", "gpu"], "--features gpu"),
        (["solve", &path, "--time-step", "2"], "time_step is 2"),
    ] {
        let (code, _, error) = ISING.said(&arguments);
        assert!(code == 1 && error.contains(says), "{error}");
    }
    let (code, _, error) = ISING.said(&["solve", &path, "--solver", "sa", "--time-step", "1"]);
    assert!(code == 1 && error.contains("sa has sweeps"), "{error}");
    assert_eq!(ISING.said(&["solve", &path, "--steps", "0"]).0, 2);
    assert_eq!(ISING.said(&["solve", &path, "--until-target"]).0, 2);
}

#[test]
fn a_device_is_judged() {
    let (code, text, _) = ISING.said(&["conformance", "--device", "cpu/scalar", "--only", "sa: fields"]);
    assert!(code == 0 && text.contains("it conforms; 1 passed"), "{text}");
    let (code, _, error) = ISING.said(&["conformance", "--only", "nothing like it"]);
    assert!(code == 1 && error.contains("no case's name begins"), "{error}");
}

#[test]
fn a_bench_says_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = ISING.said(&["bench", "--gset", folder.path().to_str().unwrap()]);
    assert!(code == 1 && error.contains("has none of G1, G22"), "{error}");
    // Not the G-set's: a cut of it is nowhere near, and that is said.
    file(folder.path(), "G1.txt", graph().0);
    let report = ISING.json(&["bench", "--gset", folder.path().to_str().unwrap(), "--replicas", "4"]);
    assert_eq!(report["targets"][0]["success"], 0.0);
    assert!(report["targets"][0]["tts99_ms"].is_null());
    assert_eq!(report["missing"].as_array().unwrap().len(), 5);
    assert_eq!(report["dense"].as_array().unwrap().len(), 3);
}

/// Instances of the G-set, which are not part of this repository.
#[test]
fn cuts_of_the_g_set_come_within_a_hundredth_of_the_best_known() {
    for (name, best) in [("G1.txt", 11_624), ("G22.txt", 13_359)] {
        let Some(path) = data::shared(&format!("gset/{name}")) else { return };
        let wanted = ((best * 99 + 99) / 100_i64).to_string();
        let arguments = ["solve", path.to_str().unwrap(), "--replicas", "16", "--steps", "300", "--target", &wanted];
        let report = ISING.json(&arguments);
        assert!(report["time_to_target_s"].is_number(), "{name}: {}", report["best_cut"]);
        assert!(report["best_cut"].as_i64().unwrap() <= best, "{name}: better than the best known?");
    }
}
