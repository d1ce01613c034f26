//! Files that went wrong once, and their right values: captures that others than the feed are in, sessions that change,
//! late lines, odd capture formats, packings, damage. The files in `trouble/` are made by hand for these tests.
//!
//! The stream in all captures is the same, if nothing else is said: R AAPL; A 1 B 100 @ 1000000; A 2 S 50 @ 1000100;
//! E 1 40; D 2 (prices x 10,000).

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trouble").join(name)
}

fn replay(file: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firelane")).arg("replay").arg(file).args(options).output().unwrap()
}

/// What `--json --strict` says, and the exit code.
fn strict(file: &Path, options: &[&str]) -> (Value, Option<i32>, String) {
    let output = replay(file, &[&["--json", "--strict"], options].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (serde_json::from_slice(&output.stdout).unwrap_or_default(), output.status.code(), told)
}

/// The lines of `--bbo`, separated by spaces.
fn bbo(file: &Path, symbol: &str) -> String {
    let output = replay(file, &["--symbol", symbol, "--bbo", "-"]);
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect::<Vec<_>>().join(" ")
}

fn errors(report: &Value) -> Vec<(&str, u64)> {
    let errors = report["errors"].as_object().unwrap();
    errors.iter().map(|(kind, n)| (kind.as_str(), n.as_u64().unwrap())).filter(|(_, n)| *n > 0).collect()
}

const FIVE: &str = "1,0,0,1000000,100 2,1000100,50,1000000,100 3,1000100,50,1000000,60 4,0,0,1000000,60";

/// All five messages, each once, and nothing wrong.
fn is_five(name: &str, skipped: u64) {
    let (report, code, told) = strict(&file(name), &[]);
    assert_eq!((code, errors(&report)), (Some(0), vec![]), "{name}: {told}{report}");
    assert_eq!(report["counts"], serde_json::json!({"R": 1, "A": 2, "E": 1, "D": 1}), "{name}");
    assert_eq!((&report["messages"], &report["live_orders"]), (&5.into(), &1.into()), "{name}");
    assert_eq!(report["skipped_packets"], skipped, "{name}: {}", report["skipped"]);
    assert_eq!(bbo(&file(name), "AAPL"), FIVE, "{name}");
}

#[test]
fn captures_of_every_format_give_their_messages() {
    is_five("n04.pcapng", 0); // obsolete Packet Blocks
    is_five("p04.pcap", 0); // checksums of frames behind them, told in the link type
    is_five("p07.pcap", 0); // modified records, big-endian
    is_five("p13.pcap", 0); // MPLS
    is_five("p21.pcap", 0); // a packet in two fragments
    is_five("c02.itch.gz", 0); // zeros behind the packing
}

#[test]
fn what_else_is_on_the_wire_is_no_line_and_is_counted() {
    is_five("m14.pcap", 2); // clocks first, then both lines
    is_five("m27.pcap", 1); // service discovery first
}

#[test]
fn whatever_has_a_missing_message_fills_the_hole() {
    is_five("m16.pcap", 0); // an answer to a re-request
    is_five("m22.pcap", 0); // the other line, a second late
}

#[test]
fn a_new_session_and_a_new_day_make_the_books_new() {
    let (report, code, _) = strict(&file("m08.pcap"), &[]);
    assert_eq!((code, errors(&report), &report["messages"]), (Some(0), vec![], &5.into()));
    assert_eq!((&report["live_orders"], &report["new_books"]), (&1.into(), &1.into()));
    let before = "1,0,0,1000000,100 2,1000100,50,1000000,100 3,0,0,0,0 4,0,0,5000,7";
    assert_eq!(bbo(&file("m08.pcap"), "AAPL"), before);

    let (report, code, _) = strict(&file("m23.pcap"), &[]);
    assert_eq!((code, errors(&report), &report["messages"]), (Some(0), vec![], &6.into()));
    assert_eq!((&report["live_orders"], &report["feed"]["lost"]), (&2.into(), &0.into()));
    assert_eq!(bbo(&file("m23.pcap"), "AAPL"), format!("{before} 5,6000,8,5000,7"));

    let (report, code, _) = strict(&file("b25.itch"), &[]);
    assert_eq!((code, errors(&report), &report["live_orders"]), (Some(0), vec![], &2.into()));
    assert!(bbo(&file("b25.itch"), "AAPL").ends_with(",0,0,0,0"));
    assert!(bbo(&file("b25.itch"), "MSFT").ends_with(",310,5,300,20"));
}

#[test]
fn an_order_is_known_by_its_reference_alone() {
    let (report, code, _) = strict(&file("l01.itch"), &[]);
    assert_eq!((code, errors(&report), &report["live_orders"]), (Some(0), vec![], &1.into()));
    assert_eq!(bbo(&file("l01.itch"), "AAPL"), "1,0,0,100,10 4,0,0,90,15");
    for options in [&[][..], &["--symbol", "AAPL"], &["--symbol", "AAPL,MSFT"]] {
        let (report, code, _) = strict(&file("b24.itch"), options);
        assert_eq!((code, errors(&report), &report["live_orders"]), (Some(0), vec![], &1.into()), "{options:?}");
    }
    assert_eq!(bbo(&file("b24.itch"), "AAPL"), "2,0,0,100,10 3,0,0,100,6");
}

#[test]
fn an_order_of_no_shares_is_an_error_when_it_comes() {
    let (report, code, _) = strict(&file("b19.itch"), &[]);
    assert_eq!((code, errors(&report), &report["live_orders"]), (Some(2), vec![("bad_field", 1)], &1.into()));
}

#[test]
fn what_is_not_read_is_named_and_fails() {
    let (report, code, told) = strict(&file("p27.pcap"), &[]);
    assert_eq!((&report["messages"], &report["skipped_packets"], code), (&0.into(), &1.into(), Some(2)));
    assert!(told.contains("TCP 1"), "{told}");
    assert_eq!(replay(&file("p27.pcap"), &[]).status.code(), Some(1));
    for (name, packing) in [("c07.itch.lzma", "lzma"), ("c08.itch.bz2", "bzip2"), ("c10.zip", "zip")] {
        let (_, code, told) = strict(&file(name), &[]);
        assert_eq!(code, Some(1), "{name}");
        assert!(told.contains(packing), "{told}");
    }
}

#[test]
fn damage_in_the_middle_is_told_with_its_place_and_what_stands_before_it() {
    for (name, messages, byte) in [("n12.pcapng", 2, 224), ("n14.pcap", 4, 330)] {
        for options in [&[][..], &["--strict"]] {
            let output = replay(&file(name), &[&["--json"], options].concat());
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((output.status.code(), &report["messages"]), (Some(2), &messages.into()), "{name}");
            assert_eq!(report["damaged"]["byte"], byte, "{name}");
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(told.contains(&format!("byte {byte}")), "{told}");
        }
    }
}
