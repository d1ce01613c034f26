//! Completions, manual pages, colour and widths of the built program.

use std::process::{Command, Output};

fn firelane(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    for name in ["COLUMNS", "NO_COLOR", "CLICOLOR_FORCE", "FIRELANE_ENTRY_PASSWORD", "FIRELANE_SNAPSHOT_PASSWORD"] {
        command.env_remove(name);
    }
    command.args(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

const COMMANDS: [&[&str]; 50] = [
    &[],
    &["demo"],
    &["replay"],
    &["run"],
    &["venue"],
    &["status"],
    &["kill"],
    &["enable"],
    &["check"],
    &["completions"],
    &["man"],
    &["log"],
    &["log", "verify"],
    &["log", "stat"],
    &["log", "dump"],
    &["command"],
    &["tape"],
    &["tape", "tail"],
    &["tape", "export"],
    &["spikes"],
    &["spikes", "run"],
    &["spikes", "import"],
    &["spikes", "conformance"],
    &["spikes", "raster"],
    &["spikes", "bench"],
    &["spikes", "score"],
    &["quantum"],
    &["quantum", "portfolio"],
    &["quantum", "option"],
    &["quantum", "credit"],
    &["quantum", "qaoa"],
    &["quantum", "kernel"],
    &["quantum", "bench"],
    &["portfolio"],
    &["portfolio", "frontier"],
    &["portfolio", "solve"],
    &["portfolio", "lots"],
    &["portfolio", "qubo"],
    &["portfolio", "bench"],
    &["arbitrage"],
    &["arbitrage", "cycle"],
    &["arbitrage", "trades"],
    &["arbitrage", "pairs"],
    &["arbitrage", "long-short"],
    &["arbitrage", "bench"],
    &["ising"],
    &["ising", "solve"],
    &["ising", "conformance"],
    &["ising", "bench"],
    &["var"],
];

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = firelane(&["completions", shell], &[]);
        assert!(output.status.success());
        let script = text(&output);
        for word in COMMANDS.iter().flat_map(|words| words.iter()) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(firelane(&["completions", "nosuch"], &[]).status.code(), Some(2));
}

#[test]
fn every_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("man1");
    assert!(firelane(&["man", "--dir", into.to_str().unwrap()], &[]).status.success());
    for words in COMMANDS {
        let name = [&["firelane"], words].concat();
        let page = std::fs::read_to_string(into.join(format!("{}.1", name.join("-")))).unwrap();
        assert!(page.contains(".TH ") && page.contains("NAME"), "{name:?}");
    }
    assert_eq!(std::fs::read_dir(&into).unwrap().count(), COMMANDS.len());
    assert!(text(&firelane(&["man"], &[])).contains(".TH firelane 1"));
}

#[test]
fn help_fits_the_columns_there_are() {
    for words in COMMANDS {
        for columns in [80, 120] {
            let output = firelane(&[words, &["--help"]].concat(), &[("COLUMNS", &columns.to_string())]);
            let help = text(&output);
            let long: Vec<&str> = help.lines().filter(|line| line.chars().count() > columns).collect();
            assert!(output.status.success() && long.is_empty(), "{words:?} at {columns}: {long:#?}");
            assert!(!help.contains('\x1b'), "{words:?}: no terminal, no colour");
        }
    }
}

#[test]
fn colour_comes_by_the_usual_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, "nonsense = 1\n").unwrap();
    let check = ["check", path.to_str().unwrap()];
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        text(&firelane(&[&check, arguments].concat(), variables)).contains('\x1b')
    };
    assert!(!coloured(&[], &[]), "a pipe");
    assert!(coloured(&["--color", "always"], &[]) && coloured(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    // Its colours aside, it says the same.
    let plain = text(&firelane(&check, &[]));
    let painted = text(&firelane(&[&check[..], &["--color", "always"]].concat(), &[]));
    assert_eq!(painted.replace("\x1b[1;31m", "").replace("\x1b[0m", ""), plain);
    assert!(text(&firelane(&["--help", "--color", "always"], &[])).contains('\x1b'));
}
