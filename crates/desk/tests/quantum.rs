//! `firelane quantum` on the built program.

mod built;

use built::{Built, fits};
use serde_json::Value;
use std::path::Path;

const QUANTUM: Built = Built(&["quantum"]);

fn json(arguments: &[&str]) -> Value {
    let report = QUANTUM.json(arguments);
    assert_eq!(report["note"], "a classical simulation; no quantum advantage is claimed");
    report
}

fn close(value: &Value, expected: f64, within: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() <= within, "{value} and {expected}");
}

const RUNS: [&[&str]; 8] = [
    &["portfolio"],
    &["portfolio", "--mixer", "x", "--layers", "2"],
    &["portfolio", "--mixer", "complete", "--layers", "1"],
    &["option"],
    &["credit"],
    &["qaoa"],
    &["kernel"],
    &["kernel", "--shots", "100"],
];

#[test]
fn every_report_fits_a_terminal_says_what_it_is_and_comes_again() {
    for arguments in RUNS {
        let (code, text, error) = QUANTUM.said(arguments);
        assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
        fits(&text);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("a classical simulation; no quantum advantage is claimed."), "{text}");
        assert_eq!(QUANTUM.said(arguments).1, text, "{arguments:?}");
    }
}

#[test]
fn without_arguments_the_numbers_are_those_of_the_tutorials() {
    let portfolio = json(&["portfolio"]);
    assert_eq!(portfolio["best"]["held"], "1001");
    close(&portfolio["best"]["value"], -0.014_884_613_1, 5e-11);
    close(&portfolio["vqe"]["found"]["mean"], -0.014_884_613_1, 1e-6);
    assert_eq!(portfolio["vqe"]["likeliest"], "1001");
    assert_eq!(portfolio["choices"].as_array().unwrap().len(), 6, "the mixer keeps the budget");
    let seen: u64 =
        portfolio["choices"].as_array().unwrap().iter().map(|choice| choice["seen"].as_u64().unwrap()).sum();
    assert_eq!(seen, 1_000);

    let option = json(&["option"]);
    close(&option["payoff"]["exact"], 0.162_276_093_5, 5e-11);
    close(&option["payoff"]["amplitude"], 0.375_881_127_1, 5e-11);
    close(&option["payoff"]["aim"], 0.168_735_562_5, 5e-11);
    close(&option["delta"]["exact"], 0.809_797_399_1, 5e-11);
    for name in ["payoff", "delta"] {
        let (interval, aim) = (&option[name]["interval"], option[name]["aim"].as_f64().unwrap());
        assert!(interval["low"].as_f64().unwrap() < aim && aim < interval["high"].as_f64().unwrap(), "{name}");
    }

    let credit = json(&["credit"]);
    let pdf = [0.647_928_27, 0.104_187, 0.206_974_31, 0.040_910_42];
    credit["losses"].as_array().unwrap().iter().zip(pdf).for_each(|(ours, page)| close(ours, page, 5e-9));
    close(&credit["expected_loss"]["exact"], 0.6409, 5e-5);
    assert_eq!(
        (&credit["value_at_risk"]["exact"], &credit["value_at_risk"]["searched"]["value"]),
        (&2.into(), &2.into())
    );
    close(&credit["value_at_risk"]["not_above"], 0.9591, 5e-5);
    close(&credit["conditional_value_at_risk"]["exact"], 3.0, 1e-9);

    let cut = json(&["qaoa"]);
    close(&cut["mean"], 22.746_037_848, 1e-9);
    close(&cut["largest"], 26.0, 1e-9);
    close(&cut["mean_of_all"], 15.0, 1e-9);
    assert!(json(&["kernel"])["fidelity"]["right_tested"].as_f64().unwrap() > 0.8);
}

#[test]
fn files_are_read_and_arguments_heard() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (graph, points, assets) = (at("ring.txt"), at("points.csv"), at("assets.json"));
    std::fs::write(&graph, "4 4\n1 2\n2 3\n3 4\n4 1 1\n").unwrap();
    std::fs::write(&points, "0,0,0\n1,1,1\n0.1,0,0\n0.9,1,1\n0,0.1,0\n1,0.9,1\n").unwrap();
    std::fs::write(&assets, r#"{"mu": [0.3, 0.1, 0.2], "sigma": [[0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]}"#).unwrap();
    // Of a ring of four, two layers reach the whole cut.
    close(&json(&["qaoa", &graph, "--layers", "2"])["mean"], 4.0, 1e-6);
    let given = json(&["qaoa", &graph, "--gammas", "0.5", "--betas=-0.3"]);
    assert_eq!((&given["evaluations"], &given["angles"]["betas"]), (&0.into(), &serde_json::json!([-0.3])));
    let kernel = json(&["kernel", &points, "--train", "4"]);
    assert_eq!((&kernel["trained"], &kernel["tested"]), (&4.into(), &2.into()));
    assert_eq!(json(&["portfolio", &assets, "--budget", "1", "--risk", "0"])["best"]["held"], "100");
    let credit = json(&["credit", "--loan", "0.5:0:1", "--level", "0.6"]);
    close(&credit["losses"][1], 0.5, 1e-9);
    assert_eq!(credit["value_at_risk"]["exact"], 1);
    assert!(credit["conditional_value_at_risk"].is_null());
    let fine = json(&["option", "--epsilon", "0.001", "--interval", "chernoff", "--seed", "4"]);
    let width = fine["payoff"]["estimate"]["interval"]["high"].as_f64().unwrap()
        - fine["payoff"]["estimate"]["interval"]["low"].as_f64().unwrap();
    assert!(width <= 0.002, "{width}");
}

#[test]
fn circuits_are_written_and_files_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.qasm");
    let name = path.to_str().unwrap();
    for arguments in [&["option", "--power", "1"][..], &["credit"], &["qaoa"], &["portfolio"]] {
        let (code, _, error) = QUANTUM.said(&[arguments, &["--qasm", name]].concat());
        assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("OPENQASM 3.0;\n") && text.ends_with("c = measure q;\n"), "{text}");
        let (code, _, error) = QUANTUM.said(&[arguments, &["--qasm", name]].concat());
        assert!(code == 1 && error.contains("exists already"), "{error}");
        let (code, ..) = QUANTUM.said(&[arguments, &["--qasm", name, "--force"]].concat());
        assert_eq!(code, 0);
        std::fs::remove_file(&path).unwrap();
    }
    let (code, text, error) = QUANTUM.said(&["option", "--qasm", "-"]);
    assert!(code == 0 && text.starts_with("OPENQASM 3.0;\n") && error.contains("simulation"), "{text}");
    assert_eq!(QUANTUM.said(&["option", "--qasm", "-", "--json"]).0, 2, "standard output is one thing");
    assert_eq!(QUANTUM.said(&["option", "--power", "1"]).0, 2);
    // What fails leaves no file.
    assert_eq!(QUANTUM.said(&["option", "--strike", "9", "--qasm", name]).0, 1);
    assert!(!Path::new(name).exists() && std::fs::read_dir(folder.path()).unwrap().count() == 0);
}

#[test]
fn what_is_wrong_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let graph = folder.path().join("graph.txt");
    std::fs::write(&graph, "27 1\n1 2\n").unwrap();
    let graph = graph.to_str().unwrap();
    for (arguments, word) in [
        (&["qaoa", graph][..], "27 qubits need 2147483648 bytes"),
        (&["qaoa", "/nowhere"], "No such file"),
        (&["kernel", graph], "line 1: must end with a class"),
        (&["portfolio", graph], "a portfolio"),
        (&["portfolio", "--budget", "5"], "at most the number of assets"),
        (&["option", "--strike", "5"], "below the highest price"),
        (&["option", "--qubits", "13"], "1 to 12"),
        (&["option", "--epsilon", "0"], "epsilon"),
        (&["option", "--scale", "2"], "at most 1"),
        (&["credit", "--level", "1"], "between 0 and 1"),
        (&["credit", "--loan", "0.1:1:1"], "below 1"),
    ] {
        let (code, text, error) = QUANTUM.said(arguments);
        assert!(code == 1 && text.is_empty() && error.contains(word), "{arguments:?}: {code} {error}");
    }
    for arguments in [
        &["credit", "--loan", "0.1:0.1"][..],
        &["credit", "--loan", "0.1:0.1:1:1"],
        &["qaoa", "--gammas", "0.1"],
        &["kernel", "--train", "4"],
        &["portfolio", "--layers", "65"],
        &["bench", "--qubits", "27"],
    ] {
        assert_eq!(QUANTUM.said(arguments).0, 2, "{arguments:?}");
    }
    let (code, _, error) = QUANTUM.said(&["qaoa", graph, "--gammas", "0.1,0.2", "--betas", "0.1"]);
    assert_eq!(code, 1, "{error}");
}

#[test]
fn a_bench_times_every_path_and_finds_the_same_on_each() {
    let report = json(&["bench", "--rounds", "1", "--qubits", "4"]);
    close(&report["mean"], 22.746_037_848, 1e-9);
    let paths = report["paths"].as_array().unwrap();
    assert_eq!(paths[0]["path"], "scalar");
    for path in paths {
        for key in ["qaoa_ms", "costs_ms", "gate_ms"] {
            assert!(path[key].as_f64().unwrap() > 0.0, "{key}");
        }
    }
}
