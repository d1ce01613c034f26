//! `firelane arbitrage` on the built program.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn six() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/portfolio/six.txt").display().to_string()
}

/// Exit code, standard output and standard error.
fn said(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    let output = command.env_remove("COLUMNS").arg("arbitrage").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(arguments: &[&str]) -> Value {
    let (code, text, error) = said(&[arguments, &["--json"]].concat());
    assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&text).unwrap()
}

fn table(arguments: &[&str]) -> String {
    let (code, text, error) = said(arguments);
    assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80 && line == line.trim_end(), "{line}");
    }
    text
}

const HEAD: &str = "venue,base,quote,bid,bid_size,ask,ask_size,lot,fee_bp\n";
const ROWS: &str =
    "A,EUR,USD,1.10,1000,1.11,1000,1,0\nA,USD,JPY,150,500,151,1000,1,0\nA,EUR,JPY,162,1000,163.366,1000,1,0\n";
/// Bought at A, sold at B.
const TWO: &str = "A,EUR,USD,0.99,10,1.00,10,1,0\nB,EUR,USD,1.01,7,1.02,10,1,0\n";

#[test]
fn a_cycle_is_found_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, rows: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{HEAD}{rows}")).unwrap();
        path.display().to_string()
    };
    let quotes = file("q.csv", ROWS);
    let report = json(&["cycle", &quotes]);
    assert_eq!(report["gain"], 0.010_002_081_216_409);
    assert_eq!((&report["given"], &report["legs"][2]["take"]), (&4_545_455.into(), &"buy".into()));
    let text = table(&["cycle", &quotes]);
    assert!(text.contains("454.5455 EUR") && text.contains("100.020812164 bp"), "{text}");
    let losing = file("l.csv", "A,EUR,USD,1.10,1000,1.11,1000,1,0\n");
    assert!(table(&["cycle", &losing]).contains("No cycle gains"));
    assert_eq!(json(&["cycle", &losing])["gains"], false);
    let open = file("o.csv", "A,EUR,USD,1.10,1000,,,1,0\n");
    assert!(table(&["cycle", &open]).contains("There is none"));

    let two = file("t.csv", TWO);
    let report = json(&["trades", &two, "--home", "USD", "--legs", "2"]);
    assert_eq!((&report["proved"], &report["trades"][0]["lots"]), (&true.into(), &7.into()));
    assert_eq!(report["net"][1]["net"], 700);
    let text = table(&["trades", &two, "--home", "USD"]);
    assert!(text.contains("7 of 10 lots") && text.contains("No set is worth more, to the tolerance"), "{text}");
    assert!(table(&["trades", &two, "--home", "USD", "--nodes", "0"]).contains("no bound"));

    for (arguments, code, words) in [
        (vec!["cycle", &two, "--legs", "3"], 1, "with 2 currencies it must be 2 to 2"),
        (vec!["cycle", "nowhere.csv"], 1, "nowhere.csv: No such file"),
        (vec!["trades", &two, "--home", "GBP"], 1, "no currency `GBP` in the quotes; there are EUR, USD"),
        (vec!["trades", &two, "--home", "USD", "--device", "abacus"], 1, "there is no device \"abacus\""),
        (vec!["trades", &two, "--home", "USD", "--legs", "0"], 2, "--legs"),
        (vec!["trades", &two], 2, "--home"),
    ] {
        let (found, _, error) = said(&arguments);
        assert!(found == code && error.contains(words), "{arguments:?}: {found} {error}");
    }
}

/// What the documents begin with.
#[test]
fn the_example_has_a_cycle_and_a_set_of_trades() {
    let quotes = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/arbitrage/quotes.csv");
    let report = json(&["cycle", quotes]);
    assert_eq!((&report["gains"], report["legs"].as_array().map(Vec::len)), (&true.into(), Some(3)), "{report}");
    let asked = ["trades", quotes, "--home", "USD", "--short", "5000", "--legs", "4"];
    let report = json(&asked);
    assert_eq!((&report["proved"], &report["worth"]), (&true.into(), &3_294_195.into()), "{report}");
    let text = table(&asked);
    assert!(text.contains("100 of 200 lots") && text.contains("329.4195 USD"), "{text}");
}

#[test]
fn stocks_are_paired_and_selected() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let report = json(&["pairs", &six(), "--day", "3"]);
    assert_eq!((&report["stocks"], &report["annealed"]["spins"]), (&6.into(), &30.into()));
    assert_eq!(report["annealed"]["agrees"], true);
    assert_eq!(report["annealed"]["worth"], report["pairs"][0]["worth"]);
    assert!(table(&["pairs", &six(), "--day", "3"]).contains("30 spins on cpu"));
    let report = json(&["long-short", &six(), "--day", "3", "--lambda", "0.2"]);
    let count = |side: &str| report[side].as_array().unwrap().len();
    assert_eq!((count("buy"), &report["proved"]), (count("sell"), &true.into()));
    assert!(table(&["long-short", &six()]).contains("All selections were tried"));

    let prices = file("p.csv", "name,bid,ask,reference\n1,103,103,100\n2,99,99,100\n");
    let report = json(&["pairs", &six(), "--prices", &prices]);
    assert_eq!((&report["stocks"], report["pairs"].as_array().unwrap().len() <= 1), (&2.into(), true));
    for (text, words) in [
        ("bid\n", "line 1: its columns are `bid`"),
        ("name,bid,ask,reference\n2,1,1,1\n", "line 2: `2` stands where `1` should"),
        ("name,bid,ask,reference\n1,x,1,1\n", "line 2: `x` is no price"),
        ("name,bid,ask,reference\n1,NaN,1,1\n2,1,1,1\n", "the bid of `1` is NaN"),
        ("name,bid,ask,reference\n1,1\n", "line 2: 2 cells, and 4 columns"),
        ("name,bid,ask,reference\n1,1,1,1\n", "there are 1 names"),
    ] {
        let (code, _, error) = said(&["pairs", &six(), "--prices", &file("w.csv", text)]);
        assert!(code == 1 && error.contains(words), "{error}");
    }
    let (code, _, error) = said(&["pairs", &six(), "--names", "7"]);
    assert!(code == 1 && error.contains("has 6 stocks, and --names asks for 7"), "{error}");
    for wrong in [["--lambda", "-1"], ["--lambda", "NaN"], ["--spread-bp", "1001"], ["--steps", "0"]] {
        assert_eq!(said(&[&["long-short", &six()][..], &wrong].concat()).0, 2, "{wrong:?}");
    }
}

#[test]
fn a_bench_times_what_it_says() {
    let report = json(&["bench", "--steps", "2", "--replicas", "2"]);
    let rows = report.as_array().unwrap();
    assert_eq!(rows.len(), 6);
    assert!(
        rows.iter().all(|row| row["exact_us"].as_f64().unwrap() > 0.0 && row["annealed_us"].as_f64().unwrap() > 0.0)
    );
    assert!(table(&["bench", "--steps", "2", "--replicas", "2"]).contains("exact, us"));
}
