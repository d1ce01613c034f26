//! `firelane portfolio` on the built program. (Tests whose names begin with p are those of processes.)

mod built;

use built::{Built, fits};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn six() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/portfolio/six.txt").display().to_string()
}

const PORTFOLIO: Built = Built(&["portfolio"]);

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_frontier_is_a_table_json_csv_and_a_picture_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (csv, svg) = (at("f.csv"), at("f.svg"));
    let asked = [
        "frontier",
        &six(),
        "--cardinality",
        "3",
        "--min",
        "0.1",
        "--max",
        "0.6",
        "--lambdas",
        "5",
        "--csv",
        &csv,
        "--svg",
        &svg,
    ];
    let (code, text, error) = PORTFOLIO.said(&asked);
    assert_eq!((code, error.as_str()), (0, ""));
    fits(&text);
    let rows: Vec<Vec<f64>> = text
        .lines()
        .filter_map(|line| line.split_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<f64>>>())
        .filter(|row| row.len() == 6)
        .collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    let table = std::fs::read_to_string(&csv).unwrap();
    assert!(table.starts_with("lambda,return,variance,objective,1,2,3,4,5,6\n"), "{table}");
    for (line, row) in table.lines().skip(1).zip(&rows) {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert!((cells[3] - row[3]).abs() < 1e-10 && (cells[4..].iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(cells[4..].iter().filter(|w| **w != 0.0).count(), 3);
        assert!(cells[4..].iter().all(|w| *w == 0.0 || (0.1 - 1e-9..=0.6 + 1e-9).contains(w)));
    }
    let drawn = std::fs::read_to_string(&svg).unwrap();
    assert!(
        drawn.starts_with("<svg") && drawn.matches("<circle").count() == 5 && drawn.contains("mean return a period, %")
    );
    // Return alone: 0.6, 0.3 and 0.1 of the largest means.
    assert!((rows[0][1] - (0.6 * 0.008 + 0.3 * 0.007 + 0.1 * 0.006)).abs() < 1e-9);
    let (code, _, error) = PORTFOLIO.said(&asked);
    assert!(code == 1 && error.contains("exists already; --force"), "{error}");
    let report =
        PORTFOLIO.json(&["frontier", &six(), "--cardinality", "3", "--min", "0.1", "--max", "0.6", "--lambdas", "5"]);
    for (point, row) in report["points"].as_array().unwrap().iter().zip(&rows) {
        assert!((point["objective"].as_f64().unwrap() - row[3]).abs() < 1e-10);
        assert_eq!(point["held"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn a_check_says_how_far_it_is_off_and_fails_where_it_is_too_far() {
    let folder = tempfile::tempdir().unwrap();
    let report = PORTFOLIO.json(&["frontier", &six(), "--lambdas", "4"]);
    let point = |n: usize, times: f64| {
        let point = &report["points"][n];
        format!("{} {}\n", point["mean"], point["variance"].as_f64().unwrap() * times)
    };
    // The unconstrained frontier is not itself's judge: a formula is in the library's tests. Here it is the command.
    for (times, code) in [(1.0, 0), (1.0 + 4e-5, 0), (1.0 + 6e-5, 1)] {
        let points = written(&folder, "points.txt", &(point(1, 1.0) + &point(2, times) + &point(3, 1.0)));
        let (found, text, error) = PORTFOLIO.said(&["frontier", &six(), "--lambdas", "2", "--check", &points]);
        assert_eq!((found, error.as_str()), (code, ""), "{text}");
        fits(&text);
        assert_eq!(text.contains("that does not agree"), code == 1, "{text}");
    }
    let high = written(&folder, "high.txt", "0.5 0.1\n");
    let (code, _, error) = PORTFOLIO.said(&["frontier", &six(), "--check", &high]);
    assert!(
        code == 1 && error.contains("point 1 of --check: no portfolio under this mandate has the mean return 0.5"),
        "{error}"
    );
}

const MANDATE: &str = "lambda = 0.6\nexactly = 3\nturnover = 0.8\ncosts = { buy = 0.001, sell = 0.002 }\n\
    current = { \"5\" = 0.7, \"6\" = 0.3 }\n[long]\nmin = 0.1\nmax = 0.7\n[[sector]]\nname = \"s\"\nmembers = [\"1\", \"2\"]\nmax = 0.25\n";

#[test]
fn weights_go_on_to_whole_lots() {
    let folder = tempfile::tempdir().unwrap();
    let mandate = written(&folder, "m.toml", MANDATE);
    let weights = folder.path().join("w.csv").display().to_string();
    let svg = folder.path().join("s.svg").display().to_string();
    let (code, text, error) =
        PORTFOLIO.said(&["solve", &six(), "--mandate", &mandate, "--csv", &weights, "--svg", &svg]);
    assert_eq!((code, error.as_str()), (0, ""));
    fits(&text);
    assert!(text.contains("3 names of 6") && text.contains("turnover") && text.contains("That is no proof"), "{text}");
    assert!(std::fs::read_to_string(&svg).unwrap().contains("best so far"));
    let report = PORTFOLIO.json(&["solve", &six(), "--mandate", &mandate]);
    let held = report["held"].as_array().unwrap();
    let weight =
        |name: &str| held.iter().find(|one| one["name"] == name).map_or(0.0, |one| one["weight"].as_f64().unwrap());
    assert!(report["turnover"].as_f64().unwrap() <= 0.8 + 1e-9 && weight("1") + weight("2") <= 0.25 + 1e-9);
    assert!(report["gap"].as_f64().unwrap().abs() < 1e-12 && report["convex"] == false);
    let prices =
        written(&folder, "p.csv", "name,price,lot\n1,12.5,10\n2,3.3333,100\n3,101,1\n4,7,10\n5,55.5,1\n6,20,5\n");
    let lots = folder.path().join("l.csv").display().to_string();
    // Without the turnover, which whole lots would miss by rounding.
    let loose = written(&folder, "loose.toml", &MANDATE.replace("turnover = 0.8\n", ""));
    let asked =
        ["lots", &six(), "--weights", &weights, "--prices", &prices, "--capital", "100000.5", "--mandate", &loose];
    let (code, text, error) = PORTFOLIO.said(&[&asked[..], &["--csv", &lots]].concat());
    assert_eq!((code, error.as_str()), (0, ""), "{text}");
    fits(&text);
    assert!(text.contains("cash") && text.contains("No other lots within the mandate track better"), "{text}");
    let report = PORTFOLIO.json(&asked);
    let held = report["held"].as_array().unwrap();
    let value: i64 = held.iter().map(|row| row["shares"].as_i64().unwrap() * row["price"].as_i64().unwrap()).sum();
    assert_eq!(value + report["costs"].as_i64().unwrap() + report["cash"].as_i64().unwrap(), 1_000_005_000);
    assert!(report["cash"].as_i64().unwrap() >= 0 && report["proved"] == true && report["violation"] == 0.0);
    assert_eq!(std::fs::read_to_string(&lots).unwrap().lines().count(), 1 + held.len());
}

#[test]
fn what_is_wrong_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let six = six();
    let with = |name: &str, text: &str| written(&folder, name, text);
    let weights = with("w.csv", "name,weight\n1,0.5\n2,0.5\n");
    let prices = with("p.csv", "name,price\n1,10\n2,20\n");
    let lots = |weights: &str, prices: &str| {
        let (code, _, error) =
            PORTFOLIO.said(&["lots", &six, "--weights", weights, "--prices", prices, "--capital", "1000"]);
        assert_eq!(code, 1, "{error}");
        error
    };
    for (file, text, words) in [
        ("w1.csv", "name,weight\n7,0.5\n", "line 2: there is no name `7` in the universe"),
        ("w2.csv", "name,weight\n1,x\n", "line 2: `x` is no weight"),
        ("w3.csv", "name,weight\n1,0.5\n1,0.5\n", "line 3: `1` is there twice"),
        ("w4.csv", "weight\n0.5\n", "line 1: its columns are `weight`, and must be name,weight"),
        ("w5.csv", "name,weight\n1\n", "line 2: 1 cells, and 2 columns"),
        ("w6.csv", "name,weight\n3,0.5\n", "there is no price of `3`, which has a weight"),
    ] {
        let error = lots(&with(file, text), &prices);
        assert!(error.contains(words), "{error}");
    }
    for (file, text, words) in [
        ("p1.csv", "name,price\n1,-10\n2,20\n", "line 2: the price must be an amount of money"),
        ("p2.csv", "name,price,lot\n1,10,0\n2,20,1\n", "line 2: `0` is no lot"),
    ] {
        let error = lots(&weights, &with(file, text));
        assert!(error.contains(words), "{error}");
    }
    let mandate = |text: &str| {
        let (code, _, error) = PORTFOLIO.said(&["solve", &six, "--mandate", &with("m.toml", text)]);
        assert_eq!(code, 1, "{error}");
        error
    };
    assert!(mandate("exactly = 3\nmaxx = 1\n").contains("m.toml: line 2: unknown field `maxx`"));
    assert!(
        mandate("exactly = 3\nlong = { max = 0.3 }\n")
            .contains("exactly 3 names, the largest size of a holding, net 1")
    );
    let (code, _, error) = PORTFOLIO.said(&["frontier", &six, "--cardinality", "7"]);
    assert!(code == 1 && error.contains("can't be met with these names: exactly 7 names; loosen it"), "{error}");
    let (code, _, error) = PORTFOLIO.said(&["qubo", &six, "--cardinality", "7", "--lambda", "0.5", "--out", "-"]);
    assert!(code == 1 && error.contains("7 of 6 names can't be chosen"), "{error}");
    let (code, _, error) = PORTFOLIO.said(&["frontier", "nowhere.txt"]);
    assert!(code == 1 && error.contains("nowhere.txt: No such file"), "{error}");
    for wrong in [["--min", "-1"], ["--lambdas", "0"], ["--seconds", "0"], ["--starts", "0"]] {
        assert_eq!(PORTFOLIO.said(&[&["frontier", &six][..], &wrong].concat()).0, 2, "{wrong:?}");
    }
    assert_eq!(PORTFOLIO.said(&["frontier", &six, "--cardinality", "2", "--at-most", "2"]).0, 2);
    assert_eq!(PORTFOLIO.said(&["frontier", "-", "--check", "-"]).0, 2, "standard input is one file");
}

#[test]
fn whoever_proposes_starts_the_best_of_a_small_universe_is_found() {
    let of = |more: &[&str]| {
        let six = six();
        let asked = ["frontier", &six, "--cardinality", "3", "--min", "0.1", "--lambdas", "4"];
        let report = PORTFOLIO.json(&[&asked[..], more].concat());
        let points = report["points"].as_array().unwrap().iter();
        points.map(|point| point["objective"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let swaps = of(&[]);
    for more in [
        &["--start-by", "random"][..],
        &["--start-by", "swaps"],
        &["--start-by", "ising"],
        &["--start-by", "ising", "--solver", "dsb", "--device", "cpu/scalar"],
    ] {
        let found = of(more);
        assert!(found.iter().zip(&swaps).all(|(one, other)| (one - other).abs() < 1e-12), "{more:?}: {found:?}");
    }
    let six = six();
    let (code, _, error) = PORTFOLIO.said(&["solve", &six, "--start-by", "ising", "--device", "cpu/none"]);
    assert!(code == 1 && error.contains("there is no device"), "{error}");
    assert_eq!(PORTFOLIO.said(&["solve", &six, "--start-by", "magic"]).0, 2);
}

#[test]
fn a_search_ends_in_time_with_what_it_has() {
    // As many starts as would take hours.
    let report = PORTFOLIO.json(&[
        "frontier",
        &six(),
        "--cardinality",
        "3",
        "--min",
        "0.1",
        "--lambdas",
        "3",
        "--starts",
        "1000000000",
        "--seconds",
        "0.3",
    ]);
    assert_eq!(report["stopped"], true);
    for point in report["points"].as_array().unwrap() {
        assert!(point["violation"].as_f64().unwrap() <= 1e-9 && point["held"].as_array().unwrap().len() == 3);
    }
}

#[test]
fn a_qubo_is_written_and_a_bench_finds_its_least_state() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("q.txt").display().to_string();
    let asked = ["qubo", &six(), "--cardinality", "2", "--lambda", "0.9", "--out", &out];
    let (code, text, error) = PORTFOLIO.said(&asked);
    assert_eq!((code, error.as_str()), (0, ""));
    fits(&text);
    let text = std::fs::read_to_string(&out).unwrap();
    let offset: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix("# offset "))
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("6"));
    let terms: Vec<(usize, usize, f64)> = lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (words[0].parse().unwrap(), words[1].parse().unwrap(), words[2].parse().unwrap())
        })
        .collect();
    let energy =
        |mask: u32| -> f64 { terms.iter().filter(|(i, j, _)| mask >> i & mask >> j & 1 == 1).map(|term| term.2).sum() };
    let least = (0..64).map(energy).fold(f64::INFINITY, f64::min);
    let report = PORTFOLIO.json(&["bench", &six(), "--cardinality", "2", "--runs", "50"]);
    let best = report["files"][0]["best"].as_f64().unwrap();
    assert!((best - (least + offset)).abs() < 1e-15, "{best} {least}");
    let (code, text, _) = PORTFOLIO.said(&["bench", &six(), "--cardinality", "2", "--runs", "50"]);
    assert_eq!(code, 0);
    fits(&text);
    assert!(text.contains("six.txt"), "{text}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_firelane"))
        .args(["portfolio", "frontier", &six(), "--lambdas", "2000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
