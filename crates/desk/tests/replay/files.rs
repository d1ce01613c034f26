//! Files as people have them: of which nothing can be used, that break off, that lack packets; and what is written.

use super::days::{opened, pack};
use super::{Desk, days, errors};
use firelane_gateway::base::Side;
use firelane_sim::capture::PcapWriter;
use serde_json::Value;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A day of one symbol, whose bid moves with each message; it never crosses.
fn moving(symbols: &[&str], orders: u32) -> days::Recording {
    let mut day = opened(symbols);
    for (at, symbol) in symbols.iter().enumerate() {
        let of = (at as u64 + 1) << 32;
        day.add(symbol, of, Side::Buy, 100, 1_000);
        day.add(symbol, of + 1, Side::Sell, 100, 1_001);
    }
    for n in 2..orders {
        for (at, symbol) in symbols.iter().enumerate() {
            let of = (at as u64 + 1) << 32;
            day.at(1_000);
            // An offer below the bid comes after the bid has gone, and the other way round.
            let (side, cents) = if n % 2 == 0 { (Side::Buy, 990) } else { (Side::Sell, 1_011) };
            day.add(symbol, of + u64::from(n), side, 10 + n, cents + i64::from(n % 7));
            day.delete(symbol, of + u64::from(n) - 2);
        }
    }
    day
}

#[test]
fn a_file_of_which_nothing_is_used_is_an_error_and_says_what_it_is() {
    let desk = Desk::new();
    let mut noise = 1u64;
    let noise: Vec<u8> = (0..100_000)
        .map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (noise >> 56) as u8
        })
        .collect();
    let mut unknown = opened(&[]);
    unknown.raw(b"z nothing that anybody knows");
    let unknown: Vec<u8> = unknown.binary_file()[42..].to_vec();
    for (name, bytes, says) in [
        ("README.md", &b"# Firelane\n\nA low-latency trading gateway.\n"[..], "it is text"),
        ("noise", &noise, "nothing in it can be used"),
        ("empty", b"", "it is empty"),
        ("page.itch", b"<!DOCTYPE html><title>404</title>", "a web page"),
        ("zeros", &[0; 5_000], "zeros"),
        ("unknown.itch", &unknown, "nothing in it can be used"),
        ("day.lz4", b"\x04\x22\x4D\x18\x64\x40\xA7", "packed with lz4"),
        ("day.7z", b"7z\xBC\xAF\x27\x1C\0\x04", "a 7z archive"),
    ] {
        let output = desk.replay(&desk.put(name, bytes), &["--json"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", told(&output));
        assert!(told(&output).contains(says) && told(&output).contains(name), "{name}: {}", told(&output));
    }
    for (name, packed) in pack(b"") {
        let output = desk.replay(&desk.put(name, &packed), &[]);
        assert!(output.status.code() == Some(1) && told(&output).contains("empty"), "{name}: {}", told(&output));
    }
    for (name, packed) in pack(&pack(b"packed twice")[0].1) {
        let output = desk.replay(&desk.put(name, &packed), &[]);
        assert!(told(&output).contains("packed twice"), "{name}: {}", told(&output));
    }
    let output = desk.replay(desk.folder.path(), &[]);
    assert!(output.status.code() == Some(1) && told(&output).contains("is a directory"), "{}", told(&output));
}

#[test]
fn a_venue_does_not_play_a_file_that_holds_nothing() {
    let desk = Desk::new();
    let file = desk.put("passwd", b"root:x:0:0:root:/root:/bin/bash\n");
    for run in [vec!["demo", "--itch"], vec!["demo", "--virtual", "--itch"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_firelane")).args(&run).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output).contains("it is text"), "{}", told(&output));
    }
}

#[test]
fn a_packed_file_that_breaks_off_is_read_as_far_as_it_goes() {
    let desk = Desk::new();
    // Many blocks of each packing.
    let plain: Vec<u8> = (0..8).flat_map(|seed| days::hostile(seed, true).binary_file()).collect();
    let messages = desk.json(&desk.put("plain.itch", &plain), &[])["messages"].as_u64().unwrap();
    for (name, packed) in pack(&plain) {
        let mut before = 0;
        for eighths in [1, 4, 7] {
            let cut = &packed[..packed.len() * eighths / 8];
            let file = desk.put(&format!("cut.{name}"), cut);
            let output = desk.replay(&file, &["--json"]);
            let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            // A block or two of the packing are not whole.
            let got = report["messages"].as_u64().unwrap_or(0);
            assert!(got >= before && got < messages, "{name}: {got} of {messages} at {eighths}/8");
            if eighths == 7 {
                assert!(got > messages / 2, "{name}: {got} of {messages}");
            }
            if got > 0 {
                assert_eq!((output.status.code(), &report["errors"]["truncated"]), (Some(0), &1.into()), "{name}");
                assert_eq!(desk.replay(&file, &["--strict"]).status.code(), Some(2), "{name}");
            }
            before = got;
        }
        // Damage is another matter than an end.
        let mut damaged = packed.clone();
        let at = damaged.len() - 5;
        damaged[at] ^= 0x40;
        let output = desk.replay(&desk.put(&format!("damaged.{name}"), &damaged), &["--json"]);
        assert_ne!(output.status.code(), Some(0), "{name}: {}", told(&output));
        assert!(told(&output).contains("damaged"), "{name}: {}", told(&output));
    }
}

#[test]
fn standard_input_is_a_file_too() {
    let desk = Desk::new();
    let day = days::hostile(3, true).binary_file();
    let expected = desk.json(&desk.put("day.itch", &day), &[]);
    for (_, packed) in pack(&day) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_firelane"))
            .args(["replay", "-", "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&packed).unwrap();
        let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!((&report["counts"], &report["errors"]), (&expected["counts"], &expected["errors"]));
    }
}

#[test]
fn books_fit_what_a_file_holds() {
    let desk = Desk::new();
    for symbols in [1, 63, 64, 65, 100, 3_000] {
        let names: Vec<String> = (0..symbols).map(|n| format!("S{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let report = desk.json(&desk.put("day.itch", &opened(&names).binary_file()), &[]);
        assert_eq!((errors(&report), report["symbols"].as_u64()), (vec![], Some(symbols)));
    }
    // More than one batch of adds, in more books than there was room for.
    let names: Vec<String> = (0..70).map(|n| format!("S{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut day = opened(&names);
    for n in 0..40_000u32 {
        let side = if n % 2 == 0 { Side::Buy } else { Side::Sell };
        let cents = 30_000 + i64::from(n / 70) * if n % 2 == 0 { -1 } else { 1 };
        day.add(names[n as usize % 70], u64::from(n), side, 100, cents);
    }
    let report = desk.json(&desk.put("adds.itch", &day.binary_file()), &[]);
    assert_eq!((errors(&report), report["live_orders"].as_u64()), (vec![], Some(40_000)));
    for n in 0..40_000u32 {
        day.delete(names[n as usize % 70], u64::from(n));
    }
    let report = desk.json(&desk.put("adds.itch", &day.binary_file()), &["--bench"]);
    assert_eq!((errors(&report), report["live_orders"].as_u64()), (vec![], Some(0)));
    assert_eq!(report["peak_live_orders"].as_u64(), Some(40_000));
}

#[test]
fn a_symbol_that_is_not_there_is_an_error_that_says_which_are() {
    let desk = Desk::new();
    let file = desk.put("day.itch", &moving(&["AAPL", "MSFT"], 10).binary_file());
    let output = desk.replay(&file, &["--symbol", "MSTF", "--bbo", "bbo.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("MSTF") && told(&output).contains("AAPL, MSFT"), "{}", told(&output));
    assert!(!desk.path("bbo.csv").exists(), "and nothing is left behind");
    assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().count(), 1);

    let report = desk.json(&file, &["--symbols"]);
    assert_eq!(report["symbol_list"], serde_json::json!(["AAPL", "MSFT"]));
    let listed = desk.replay(&file, &["--symbols"]).stdout;
    assert!(String::from_utf8(listed).unwrap().contains("\n    AAPL\n    MSFT\n"));

    desk.json(&file, &["--symbol", "AAPL", "--bbo", "upper.csv", "--orders", "upper.ouch"]);
    desk.json(&file, &["--symbol", "aapl", "--bbo", "lower.csv", "--orders", "lower.ouch"]);
    assert!(!desk.get("upper.csv").is_empty());
    assert_eq!(desk.get("upper.csv"), desk.get("lower.csv"));
    assert_eq!(desk.get("upper.ouch"), desk.get("lower.ouch"));
}

#[test]
fn best_prices_of_several_symbols_come_with_their_names() {
    let desk = Desk::new();
    let file = desk.put("day.itch", &moving(&["AAPL", "IBM", "MSFT"], 50).binary_file());
    let one = |symbol| {
        desk.json(&file, &["--symbol", symbol, "--bbo", "one.csv"]);
        String::from_utf8(desk.get("one.csv")).unwrap()
    };
    let (apple, soft) = (one("AAPL"), one("MSFT"));
    desk.json(&file, &["--symbol", "AAPL,MSFT", "--bbo", "two.csv", "--columns", "symbol,time_ns,stale"]);
    let two = String::from_utf8(desk.get("two.csv")).unwrap();
    let mut lines = two.lines();
    assert_eq!(lines.next(), Some("index,ask_px,ask_sz,bid_px,bid_sz,symbol,time_ns,stale"));
    let (mut ours, mut last) = ([String::new(), String::new()], 0);
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let time: u64 = fields[6].parse().unwrap();
        assert!(time >= last && time >= 34_200_000_000_000, "{line}");
        last = time;
        assert_eq!(fields[7], "0");
        ours[usize::from(fields[5] == "MSFT")] += &(fields[..5].join(",") + "\n");
    }
    assert_eq!(ours, [apple, soft]);

    let report = desk.json(&file, &["--bbo", "all.csv", "--columns", "symbol"]);
    assert_eq!(
        report["bbo_states"].as_u64(),
        Some(String::from_utf8(desk.get("all.csv")).unwrap().lines().count() as u64 - 1)
    );
    assert_eq!(desk.replay(&file, &["--bbo", "x.csv", "--symbol", "AAPL,MSFT"]).status.code(), Some(2));
    assert_eq!(desk.replay(&file, &["--columns", "stale"]).status.code(), Some(2));
}

/// Of 2,000 packets 40 are lost: what a book shows after that is no best price of anybody's.
#[test]
fn best_prices_after_a_loss_are_marked_or_left_out() {
    let desk = Desk::new();
    let day = moving(&["AAPL"], 3_000);
    let packets = day.packets();
    assert!(packets.len() >= 1_900);
    let mut pcap = PcapWriter::new(Vec::new()).unwrap();
    let (source, line) = ("10.0.0.1:1".parse().unwrap(), "233.54.12.111:26400".parse().unwrap());
    let (mut lost, mut there) = (0, 0);
    for (at, packet) in packets.iter().enumerate() {
        let messages = u64::from(u16::from_be_bytes([packet[18], packet[19]]));
        if at % 48 == 47 {
            lost += messages;
        } else {
            there += messages;
            pcap.write_udp(at as u64 * 1_000, source, line, packet).unwrap();
        }
    }
    let file = desk.put("holes.pcap", &pcap.into_inner());
    let sound = desk.put("sound.itch", &day.binary_file());

    let output = desk.replay(&file, &["--symbol", "AAPL", "--bbo", "left.csv", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["messages"].as_u64(), Some(there), "every message that is there");
    assert_eq!(
        (report["errors"]["lost"].as_u64(), report["feed"]["gaps"].as_u64()),
        (Some(lost), Some((packets.len() / 48) as u64))
    );
    let stale = report["bbo_stale"].as_u64().unwrap();
    assert!(stale > 1_000 && told(&output).contains("after a loss"), "{stale}: {}", told(&output));
    desk.json(&sound, &["--symbol", "AAPL", "--bbo", "sound.csv"]);
    let (left, all) = (desk.get("left.csv"), desk.get("sound.csv"));
    assert!(left.len() > 200 && all.starts_with(&left), "what is left is as it was before the loss");

    let report = desk.json(&file, &["--symbol", "AAPL", "--bbo", "marked.csv", "--columns", "stale"]);
    let marked = String::from_utf8(desk.get("marked.csv")).unwrap();
    assert_eq!(marked.lines().filter(|line| line.ends_with(",1")).count() as u64, stale);
    assert_eq!(
        marked.lines().filter(|line| line.ends_with(",0")).count(),
        left.iter().filter(|b| **b == b'\n').count()
    );
    assert_eq!(report["bbo_states"].as_u64(), Some(marked.lines().count() as u64 - 1));
}

#[test]
fn nothing_is_written_over_unless_told_to_and_never_what_is_read() {
    let desk = Desk::new();
    let bytes = moving(&["AAPL"], 10).binary_file();
    let file = desk.put("day.itch", &bytes);
    desk.put("there.csv", b"mine");
    std::fs::hard_link(&file, desk.path("hard.csv")).unwrap();
    symlink(&file, desk.path("soft.csv")).unwrap();
    for option in ["--bbo", "--orders"] {
        let write = |to: &str, more: &[&str]| desk.replay(&file, &[&["--symbol", "AAPL", option, to], more].concat());
        assert_eq!(write("there.csv", &[]).status.code(), Some(1));
        assert_eq!(desk.get("there.csv"), b"mine");
        for input in ["day.itch", "./day.itch", "hard.csv", "soft.csv"] {
            for more in [&[][..], &["--force"]] {
                let output = write(input, more);
                assert!(output.status.code() == Some(1) && told(&output).contains("that is read"), "{}", told(&output));
            }
        }
        assert_eq!(desk.get("day.itch"), bytes);
        assert_eq!(write("new.out", &[]).status.code(), Some(0));
        assert_eq!(write("new.out", &["--force"]).status.code(), Some(0));
        std::fs::remove_file(desk.path("new.out")).unwrap();
        assert_eq!(write("no/such/folder", &[]).status.code(), Some(1));
        assert_eq!(write(".", &[]).status.code(), Some(1));
        // What is no file is written to, and what it refuses is an error.
        assert_eq!(write("/dev/null", &[]).status.code(), Some(0));
        let full = write("/dev/full", &[]);
        assert!(option == "--orders" || full.status.code() == Some(1), "{}", told(&full));
    }
    let names: Vec<_> =
        std::fs::read_dir(desk.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{names:?}");
    // On standard output, the report makes way.
    let output = desk.replay(&file, &["--symbol", "AAPL", "--bbo", "-"]);
    assert!(output.stdout.iter().all(|byte| matches!(byte, b'0'..=b'9' | b',' | b'\n')), "{output:?}");
    assert!(told(&output).contains("messages"));
}

#[test]
fn both_outputs_cannot_be_one() {
    let desk = Desk::new();
    let file = desk.put("day.itch", &moving(&["AAPL"], 10).binary_file());
    for options in [["--bbo", "x", "--orders", "x"], ["--bbo", "-", "--orders", "-"]] {
        let output = desk.replay(&file, &[&["--symbol", "AAPL"], &options[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    }
    assert_eq!(desk.replay(&file, &["--symbol", "AAPL", "--bbo", "-", "--json"]).status.code(), Some(2));
}
