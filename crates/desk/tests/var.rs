//! `firelane var`, as a user runs it: the example, what it says, and books that are none.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BOOK: &str = "examples/risk/book.toml";

/// `firelane var`, where the example's path is right, in a terminal of 80 columns.
fn var(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).arg("var").args(arguments);
    command.env("COLUMNS", "80").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever refuses its arguments reads nothing.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn json(arguments: &[&str], input: &str) -> Value {
    let output = var(&[arguments, &["--json"]].concat(), input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(arguments: &[&str], input: &str) -> String {
    let output = var(arguments, input);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn the_example_is_estimated_with_intervals_and_parts_that_add_up() {
    let report = json(&[BOOK, "--scenarios", "65536"], "");
    let of = |figure: &str, key: &str| number(&report[figure][key]);
    for figure in ["var", "es"] {
        assert!(of(figure, "low") < of(figure, "value") && of(figure, "value") < of(figure, "high"), "{report}");
    }
    assert!(of("es", "low") > of("var", "value"));
    // 2,000 at 120, -1,500 at 45, 3,000 at 80, and what options are worth, which is less than a tenth.
    assert!((number(&report["value"]) - 412_500.0).abs() < 20_000.0);
    let parts = report["positions"].as_array().unwrap();
    let sum: f64 = parts.iter().map(|part| number(&part["es"])).sum();
    assert!((sum - of("es", "value")).abs() < 1e-6 * sum, "{sum}");
    let names: Vec<&str> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(names[..4], ["ACME", "BOLT", "CORK", "ACME put 110, 63 days"]);
    // Formulas that take the book as linear are near, and not the same.
    let linear = number(&report["delta_normal"]["var"]);
    assert!((linear / of("var", "value") - 1.0).abs() < 0.2, "{report}");
    assert_eq!((&report["deepest"], &report["exact"], &report["compared"]), (&Value::Null, &Value::Null, &Value::Null));

    // The same seed says the same, another one nearly so; Sobol sequences agree within both intervals, which are theirs narrower.
    let again = json(&[BOOK, "--scenarios", "65536"], "");
    assert_eq!((&again["var"], &again["es"]), (&report["var"], &report["es"]));
    let other = json(&[BOOK, "--scenarios", "65536", "--seed", "2"], "");
    assert_ne!(other["var"], report["var"]);
    let sobol = json(&[BOOK, "--scenarios", "65536", "--sampling", "sobol"], "");
    for figure in ["var", "es"] {
        let (low, high) = (number(&sobol[figure]["low"]), number(&sobol[figure]["high"]));
        assert!(low < of(figure, "high") && of(figure, "low") < high, "{figure}: {sobol}");
        assert!(high - low < of(figure, "high") - of(figure, "low"), "{figure}: {sobol}");
    }
}

#[test]
fn one_stock_is_what_its_formula_says() {
    let book =
        "asset = [{ name = \"A\", spot = 100.0, volatility = 0.25 }]\nstock = [{ asset = \"A\", quantity = 100 }]\n";
    let report = json(&["-", "--scenarios", "200000", "--horizon", "10"], book);
    // 1 - exp(-v²t/2 - 2.3263 v √t) of 10,000.
    let (v, t) = (0.25_f64, 10.0 / 252.0_f64);
    let var = 10_000.0 * (1.0 - (-v * v * t / 2.0 - 2.326_347_874_040_841 * v * t.sqrt()).exp());
    assert!((number(&report["exact"]["var"]) - var).abs() < 1e-6, "{report}");
    for figure in ["var", "es"] {
        let exact = number(&report["exact"][figure]);
        let (low, high) = (number(&report[figure]["low"]), number(&report[figure]["high"]));
        assert!(2.0 * low - high < exact && exact < 2.0 * high - low, "{figure}: {report}");
    }
    let steps = json(&["-", "--scenarios", "20000", "--steps", "5"], book);
    assert!(number(&steps["deepest"]["var"]["value"]) > number(&steps["var"]["value"]), "{steps}");
}

#[test]
fn a_report_fits_a_terminal() {
    for more in [&["--steps", "3"][..], &["--sampling", "sobol"], &["--scenarios", "64"]] {
        let scenarios: &[&str] = if more[0] == "--scenarios" { &[] } else { &["--scenarios", "8192"] };
        let output = var(&[&[BOOK], more, scenarios].concat(), "");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("VaR") && text.contains("CORK put 80, 5 days"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80 && line.trim_end() == line), "{text}");
        assert_eq!(text.contains("too few scenarios"), more[0] == "--scenarios", "{text}");
    }
}

#[test]
fn what_is_no_book_and_what_can_not_be_asked_is_said() {
    let stock =
        "asset = [{ name = \"A\", spot = 100.0, volatility = 0.25 }]\nstock = [{ asset = \"A\", quantity = 1 }]\n";
    for (arguments, input, expected) in [
        (&["-"][..], "", "-: it has 0 assets"),
        (&["-"], "asset = 3", "line 1:"),
        (&["-"], &stock.replace("0.25", "nan"), "volatility"),
        (
            &["-"],
            &stock.replace("stock = [{ asset = \"A\"", "stock = [{ asset = \"B\""),
            "line 2: there is no asset \"B\"",
        ),
        (&["-", "--horizon", "0"], stock, "the horizon is 0 trading days"),
        (&["-", "--steps", "0"], stock, "there are 0 steps"),
        (&["-", "--scenarios", "1"], stock, "there are 1 scenarios"),
        (&["-", "--sampling", "sobol", "--scenarios", "1000"], stock, "a power of two"),
        (&["-", "--device", "tpu"], stock, "there is no device \"tpu\"; there are cpu, gpu"),
        (&["nowhere.toml"], "", "nowhere.toml: No such file"),
        (&["examples"], "", "examples: "),
    ] {
        let error = error(arguments, input);
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert!(!error.contains("panicked"), "{error}");
    }
    for wrong in [["--confidence", "0.49"], ["--confidence", "1"], ["--seed", "-1"], ["--sampling", "lattice"]] {
        assert_eq!(var(&[&[BOOK], &wrong[..]].concat(), "").status.code(), Some(2), "{wrong:?}");
    }
    for confidence in ["0.5", "0.9999"] {
        json(&[BOOK, "--scenarios", "64", "--confidence", confidence], "");
    }
    if cfg!(not(feature = "gpu")) {
        assert!(error(&[BOOK, "--device", "gpu/any"], "").contains("--features gpu"));
    }
}
