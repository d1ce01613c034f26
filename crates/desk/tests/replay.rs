//! `firelane replay`, run as a user runs it: exact books and errors, every kind of file, and the orders of a strategy.

#[path = "../../../tests/it/data.rs"]
mod data;
#[path = "replay/days.rs"]
mod days;
#[path = "replay/files.rs"]
mod files;
#[path = "replay/naive.rs"]
mod naive;
#[path = "../../../tests/it/skip.rs"]
mod skip;

use days::{Recording, opened, pack, synthetic};
use firelane_gateway::base::{Side, Symbol};
use firelane_gateway::flow::wire::ouch50::{Inbound, TimeInForce};
use firelane_sim::capture::PcapWriter;
use naive::Naive;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with a recording in it, and the program to run there.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// `firelane replay FILE OPTIONS`, in the folder.
    fn replay(&self, file: &Path, options: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_firelane"));
        program.arg("replay").arg(file).args(options).current_dir(self.folder.path()).output().unwrap()
    }

    /// The same with `--json`, over what was written before; it must succeed.
    fn json(&self, file: &Path, options: &[&str]) -> Value {
        let output = self.replay(file, &[options, &["--json", "--force"]].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}", file.display());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

// ---- Counts, errors, best prices -----------------------------------------------------------------------------------

const ERRORS: [&str; 10] = [
    "unknown_type",
    "bad_length",
    "bad_field",
    "truncated",
    "unknown_ref",
    "duplicate_ref",
    "over_reduce",
    "no_room",
    "lost",
    "trailing_bytes",
];

/// The errors that are not zero.
fn errors(report: &Value) -> Vec<(&str, u64)> {
    let errors = report["errors"].as_object().unwrap();
    assert_eq!(errors.len(), ERRORS.len());
    ERRORS.into_iter().map(|kind| (kind, errors[kind].as_u64().unwrap())).filter(|(_, n)| *n > 0).collect()
}

#[test]
fn every_type_decodes_and_each_damaged_sibling_has_its_one_error() {
    let desk = Desk::new();
    for (name, error) in [
        ("all23.itch", None),
        ("all23_plus_unknown.itch", Some("unknown_type")),
        ("all23_plus_badlen.itch", Some("bad_length")),
        ("all23_truncated.itch", Some("truncated")),
    ] {
        let Some(file) = data::shared(&format!("itch/{name}")) else { return };
        let report = desk.json(&file, &[]);
        assert_eq!(errors(&report), error.map(|kind| (kind, 1)).into_iter().collect::<Vec<_>>(), "{name}");
        let counts = report["counts"].as_object().unwrap();
        assert!(counts.len() >= 22 && counts.values().all(|n| n.as_u64() >= Some(1)), "{name} goes on: {counts:?}");
        assert_eq!(desk.replay(&file, &[]).status.code(), Some(0), "{name}");
        let strict = if error.is_some() { 2 } else { 0 };
        assert_eq!(desk.replay(&file, &["--strict"]).status.code(), Some(strict), "{name}");
    }
}

#[test]
fn the_json_has_its_documented_keys() {
    let desk = Desk::new();
    let file = desk.put("day.itch", &opened(&["AAA"]).binary_file());
    let options = ["--symbol", "AAA", "--bbo", "bbo.csv", "--orders", "out.ouch"];
    let report = desk.json(&file, &[&options[..], &["--bench"]].concat());
    for key in ["messages", "counts", "errors", "symbols", "live_orders", "peak_live_orders", "skipped_packets"] {
        assert!(!report[key].is_null(), "{key}");
    }
    for clock in ["cold", "warm"] {
        assert!(report["ns_per_message"][clock].as_f64().unwrap() > 0.0, "{clock}");
    }
    // The field is there without the passes that fill it.
    let quick = desk.json(&file, &options);
    assert!(quick["ns_per_message"].as_object().unwrap()["warm"].is_null());
    assert_eq!(report["bbo_states"], 0);
    assert!(report["orders"]["by_symbol"].is_object());
    for key in ["frames", "entered", "replaced", "cancelled", "fills", "pnl", "cash"] {
        assert_eq!(report["orders"][key], 0, "{key}");
    }
}

#[test]
fn best_prices_of_the_aapl_hour_are_the_exchanges() {
    let (Some(file), Some(oracle)) =
        (data::shared("itch/aapl_20120621_da.itch.xz"), data::shared("itch/aapl_20120621_bbo_oracle.csv.xz"))
    else {
        return;
    };
    let desk = Desk::new();
    let report = desk.json(&file, &["--symbol", "AAPL", "--bbo", "bbo.csv"]);
    assert_eq!((report["bbo_states"].as_u64(), errors(&report)), (Some(23_441), vec![]));
    let ours = String::from_utf8(desk.get("bbo.csv")).unwrap();
    let ours: Vec<&str> = ours.lines().collect();
    assert_eq!(ours.len(), 23_441);
    let oracle = String::from_utf8(firelane_sim::capture::read_all(&oracle).unwrap()).unwrap();
    let oracle: Vec<&str> = oracle.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert_eq!(oracle.len(), 15_999);
    assert!(ours[0].starts_with("4,") && ours[1].starts_with("16,"));
    for (ours, exchange) in ours[2..].iter().zip(oracle) {
        assert_eq!(*ours, exchange);
    }
}

#[test]
fn hostile_streams_give_the_naive_books_best_prices_and_errors() {
    for seed in 0..4 {
        let desk = Desk::new();
        let recording = days::hostile(seed, true);
        let file = desk.put("day.itch", &recording.binary_file());
        let mut all = Naive::default();
        for message in recording.messages() {
            all.apply(message);
        }
        let report = desk.json(&file, &[]);
        let messages = recording.messages().count() as u64;
        assert_eq!(report["messages"].as_u64(), Some(messages), "seed {seed}");
        assert_eq!(report["live_orders"].as_u64(), Some(all.live() as u64), "seed {seed}");
        for (kind, n) in all.errors() {
            assert!(n > 0, "seed {seed} has no {kind}");
            assert_eq!(report["errors"][kind].as_u64(), Some(n), "{kind}, seed {seed}");
        }
        for (letter, n) in all.counts() {
            assert_eq!(report["counts"][letter.to_string()].as_u64(), Some(*n), "{letter}, seed {seed}");
        }
        assert_eq!(desk.replay(&file, &["--strict"]).status.code(), Some(2));
        for symbol in days::SYMBOLS {
            desk.json(&file, &["--symbol", symbol, "--bbo", "bbo.csv"]);
            let expected = naive::bbo(recording.messages(), Symbol::new(symbol).unwrap());
            assert!(expected.lines().count() > 60, "{} lines prove little", expected.lines().count());
            assert_eq!(String::from_utf8(desk.get("bbo.csv")).unwrap(), expected, "{symbol}, seed {seed}");
        }
    }
}

// ---- Kinds of files ------------------------------------------------------------------------------------------------

/// Nothing ever leaves, and every order stands on a level of its own: the most that a file of its length can leave resting.
#[test]
fn books_have_room_for_a_file_of_adds_alone() {
    let desk = Desk::new();
    let mut recording = opened(&["ADDS"]);
    for n in 0..5_000u32 {
        let side = if n % 2 == 0 { Side::Buy } else { Side::Sell };
        let cents = if n % 2 == 0 { 20_000 - i64::from(n) } else { 20_001 + i64::from(n) };
        recording.add("ADDS", u64::from(n + 1) << 40, side, 100, cents);
    }
    let file = desk.put("adds.itch", &recording.binary_file());
    for options in [&[][..], &["--symbol", "ADDS"]] {
        let report = desk.json(&file, options);
        assert_eq!((errors(&report), report["live_orders"].as_u64()), (vec![], Some(5_000)), "{options:?}");
    }
}

#[test]
fn a_packed_file_is_the_file() {
    let desk = Desk::new();
    let plain = days::hostile(7, true).binary_file();
    let expected = results(&desk, &desk.put("plain.itch", &plain));
    for (name, packed) in pack(&plain) {
        // The name says nothing: what is in the file does.
        let file = desk.put(&format!("{name}.itch"), &packed);
        assert_ne!(packed, plain);
        assert_eq!(results(&desk, &file), expected, "{name}");
    }
}

/// A capture may begin in the middle of the day, and whoever took it may have missed hours of it.
#[test]
fn a_capture_with_a_hole_says_what_is_lost_and_keeps_the_rest() {
    let desk = Desk::new();
    let recording = days::opened(&["HOLE"]);
    let packets = recording.packets();
    let mut pcap = PcapWriter::new(Vec::new()).unwrap();
    let (source, line) = ("10.0.0.1:1".parse().unwrap(), "233.54.12.111:26400".parse().unwrap());
    let mut messages = 0;
    for (time, first) in [(0, 14_764_496u64), (38_000_000_000, 19_009_117)] {
        let mut packet = packets[0].clone();
        packet[10..18].copy_from_slice(&first.to_be_bytes());
        messages = u64::from(u16::from_be_bytes([packet[18], packet[19]]));
        pcap.write_udp(time, source, line, &packet).unwrap();
    }
    let report = desk.json(&desk.put("hole.pcap", &pcap.into_inner()), &[]);
    assert_eq!(report["messages"].as_u64(), Some(2 * messages));
    assert_eq!(errors(&report), [("lost", 19_009_117 - 14_764_496 - messages)]);
    assert_eq!(report["feed"]["packets"].as_u64(), Some(2));
}

#[test]
fn a_capture_of_two_lossy_lines_is_the_file() {
    let desk = Desk::new();
    let recording = days::hostile(8, false);
    let expected = results(&desk, &desk.put("plain.itch", &recording.binary_file()));
    let mut pcap = PcapWriter::new(Vec::new()).unwrap();
    let source = "10.0.0.1:1".parse().unwrap();
    let lines = ["233.54.12.111:26400", "233.86.230.111:26400"].map(|line| line.parse().unwrap());
    let packets = recording.packets();
    for (now, a) in packets.iter().map(Some).chain([None, None]).enumerate() {
        // Line B is two packets behind. Each line loses one packet in eight, never both the same.
        let b = now.checked_sub(2).and_then(|at| packets.get(at));
        for (line, packet, lost) in [(0, a, now % 8 == 1), (1, b, now % 8 == 7)] {
            if let Some(packet) = packet.filter(|_| !lost) {
                pcap.write_udp(1_000_000 + now as u64 * 1_000, source, lines[line], packet).unwrap();
            }
        }
    }
    let pcap = pcap.into_inner();
    let file = desk.put("lines.pcap", &pcap);
    assert_eq!(results(&desk, &file), expected);
    let report = desk.json(&file, &[]);
    assert!(report["feed"]["gaps"].as_u64() > Some(0) && report["feed"]["lost"] == 0, "{}", report["feed"]);
    for (name, packed) in pack(&pcap) {
        assert_eq!(results(&desk, &desk.put(&format!("lines.{name}"), &packed)), expected, "{name}");
    }
}

/// What a recording gives, times left out: counts, errors, best prices, order bytes.
fn results(desk: &Desk, file: &Path) -> (Value, Value, Vec<u8>, Vec<u8>) {
    let mut report = desk.json(file, &["--symbol", days::SYMBOLS[0], "--bbo", "bbo.csv", "--orders", "out.ouch"]);
    (report["counts"].take(), report["errors"].take(), desk.get("bbo.csv"), desk.get("out.ouch"))
}

// ---- Orders --------------------------------------------------------------------------------------------------------

/// The messages in a file of SoupBinTCP frames. Each must be an unsequenced packet.
fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (frame, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        assert_eq!(frame[0], b'U', "no login, heartbeat or logout");
        messages.push(&frame[1..]);
        bytes = rest;
    }
    assert_eq!(bytes, b"", "whole frames");
    messages
}

/// An hour in which the book leans to the bid once, 10 ms after the opening.
fn leaning() -> Recording {
    let mut day = opened(&["AAA"]);
    day.add("AAA", 10, Side::Sell, 100, 1_002);
    day.add("AAA", 11, Side::Sell, 300, 1_001);
    day.at(10_000_000);
    day.add("AAA", 12, Side::Buy, 3_000, 1_000);
    day
}

#[test]
fn the_bytes_of_an_order_are_these() {
    let desk = Desk::new();
    let mut day = leaning();
    day.at(1_000_000_000);
    day.note();
    let file = desk.put("day.itch", &day.binary_file());
    let report = desk.json(&file, &["--orders", "out.ouch"]);
    assert_eq!((report["orders"]["frames"].as_u64(), report["orders"]["fills"].as_u64()), (Some(1), Some(1)));
    // Enter Order 1: buy 100 AAA at 10.01, immediate or cancel, visible, principal, for firm FIRE (tag 2).
    let order = [
        &b"\x00\x36U"[..],
        b"O\x00\x00\x00\x01B\x00\x00\x00\x64AAA     \x00\x00\x00\x00\x00\x01\x87\x043YPNN00000001001001",
        b"\x00\x06\x05\x02FIRE",
    ];
    assert_eq!(desk.get("out.ouch"), order.concat());
}

#[test]
fn an_order_that_comes_too_late_finds_nothing() {
    let desk = Desk::new();
    let mut day = leaning();
    // The offers leave 20 us later.
    day.at(20_000);
    day.delete("AAA", 11);
    day.delete("AAA", 10);
    day.at(1_000_000_000);
    day.note();
    let file = desk.put("day.itch", &day.binary_file());
    for (latency, fills) in [(0, 1), (19_999, 1), (20_000, 0), (500_000_000, 0)] {
        desk.put("late.toml", format!("[replay]\norder_latency_ns = {latency}\n").as_bytes());
        let report = desk.json(&file, &["--orders", "out.ouch", "--config", "late.toml"]);
        let orders = &report["orders"];
        assert_eq!((&orders["entered"], &orders["fills"]), (&Value::from(1), &Value::from(fills)), "{latency} ns");
    }
}

#[test]
fn only_the_symbol_asked_for_is_traded() {
    let desk = Desk::new();
    let mut day = opened(&["AAA", "BBB"]);
    for (symbol, first) in [("AAA", 1), ("BBB", 101)] {
        day.add(symbol, first, Side::Sell, 100, 1_001);
        day.add(symbol, first + 1, Side::Buy, 2_000, 1_000);
    }
    let file = desk.put("day.itch", &day.binary_file());
    let traded = |options: &[&str]| -> Vec<[u8; 8]> {
        desk.json(&file, &[&["--orders", "out.ouch"], options].concat());
        let symbol = |message: &&[u8]| match Inbound::decode(message) {
            Ok(Inbound::EnterOrder(order, _)) => order.symbol,
            other => panic!("{other:?}"),
        };
        frames(&desk.get("out.ouch")).iter().map(symbol).collect()
    };
    assert_eq!(traded(&[]), [*b"AAA     ", *b"BBB     "]);
    assert_eq!(traded(&["--symbol", "BBB"]), [*b"BBB     "]);
}

#[test]
fn what_cannot_be_read_ends_the_trading_of_its_book() {
    let desk = Desk::new();
    let mut day = opened(&["AAA"]);
    day.raw(b"Z unknown types hurt nobody");
    let mut hurt = opened(&["AAA"]);
    hurt.raw(b"A\x00\x01 an add that is too short");
    for (day, entered) in [(day, 1), (hurt, 0)] {
        let mut day = day;
        day.add("AAA", 1, Side::Sell, 100, 1_001);
        day.add("AAA", 2, Side::Buy, 2_000, 1_000);
        day.at(1_000_000_000);
        day.note();
        let file = desk.put("day.itch", &day.binary_file());
        assert_eq!(desk.json(&file, &["--orders", "out.ouch"])["orders"]["entered"], entered);
    }
}

/// What is lost are words of no meaning; but who could know that?
#[test]
fn messages_that_a_capture_lost_end_the_trading() {
    let desk = Desk::new();
    let mut day = leaning();
    for _ in 0..12 {
        day.at(1_000_000_000);
        day.note();
    }
    day.delete("AAA", 12);
    day.at(1_000_000_000);
    day.add("AAA", 13, Side::Buy, 3_000, 1_000);
    day.at(1_000_000_000);
    day.note();
    let packets = day.packets();
    let without = |lost: Option<usize>| {
        let mut pcap = PcapWriter::new(Vec::new()).unwrap();
        let (source, line) = ("10.0.0.1:1".parse().unwrap(), "233.54.12.111:26400".parse().unwrap());
        for (_, packet) in packets.iter().enumerate().filter(|(at, _)| Some(*at) != lost) {
            pcap.write_udp(1, source, line, packet).unwrap();
        }
        let file = desk.put("day.pcap", &pcap.into_inner());
        desk.json(&file, &["--orders", "out.ouch"])["orders"]["entered"].as_u64().unwrap()
    };
    // A packet that holds nothing but notes, which are twelve bytes long and end alike.
    let notes = |packet: &Vec<u8>| packet[20..].chunks(14).all(|block| block.len() == 14 && block[13] == b'?');
    let lost = packets.iter().position(notes).unwrap();
    assert_eq!((without(None), without(Some(lost))), (2, 1));
}

/// A lane goes by locates; an order's reference is unique over the day whatever they say.
#[test]
fn a_wrong_locate_changes_no_order() {
    let desk = Desk::new();
    let mut day = opened(&["AAA", "BBB"]);
    day.add("AAA", 10, Side::Sell, 100, 1_002);
    day.add("AAA", 11, Side::Sell, 300, 1_001);
    day.add("AAA", 9, Side::Sell, 4_000, 1_001);
    day.at(10_000_000);
    day.add("AAA", 12, Side::Buy, 3_000, 1_000);
    day.at(1_000_000_000);
    // Without this the book does not lean to the bid.
    day.delete("AAA", 9);
    day.at(1_000_000_000);
    day.note();
    let right = day.binary_file();
    let expected = desk.json(&desk.put("right.itch", &right), &["--orders", "right.ouch", "--symbol", "AAA"]);
    assert_eq!(expected["orders"]["entered"], 1);
    // The delete stands before the note, and both have lengths before them.
    let delete = right.len() - 14 - 19;
    assert_eq!((right[delete], right[delete + 2]), (b'D', 1));
    for locate in [0, 2, 99] {
        let mut wrong = right.clone();
        wrong[delete + 2] = locate;
        let file = desk.put("wrong.itch", &wrong);
        for options in [&["--orders", "wrong.ouch"][..], &["--orders", "wrong.ouch", "--symbol", "AAA"]] {
            let report = desk.json(&file, options);
            assert_eq!((errors(&report), desk.get("wrong.ouch")), (vec![], desk.get("right.ouch")), "{locate}");
        }
    }
}

#[test]
fn orders_are_those_of_the_first_day() {
    let desk = Desk::new();
    let mut day = leaning();
    day.at(1_000_000_000);
    day.note();
    let one = day.binary_file();
    desk.json(&desk.put("one.itch", &one), &["--orders", "one.ouch"]);
    let report = desk.json(&desk.put("two.itch", &[&one[..], &one].concat()), &["--orders", "two.ouch"]);
    assert_eq!((&report["new_books"], report["orders"]["entered"].as_u64()), (&1.into(), Some(1)));
    assert_eq!(desk.get("one.ouch"), desk.get("two.ouch"));
}

#[test]
fn a_strategys_orders_are_the_same_every_time() {
    let desk = Desk::new();
    let file = desk.put("day.itch", &synthetic(3).binary_file());
    desk.put("taker.toml", b"[taker]\nthreshold = 600000\ncooldown_us = 1000\n");
    desk.put("maker.toml", b"wiring = \"market-maker\"\n");
    for config in ["taker.toml", "maker.toml"] {
        let options = ["--config", config, "--orders", "out.ouch"];
        let report = desk.json(&file, &options);
        let bytes = desk.get("out.ouch");
        assert_eq!(desk.json(&file, &options)["orders"], report["orders"], "{config}");
        assert!(desk.get("out.ouch") == bytes, "{config}: the same file and configuration, other bytes");

        let (mut last, mut seen) = (0, [0u64; 3]);
        for message in frames(&bytes) {
            let request = Inbound::decode(message).unwrap();
            if let Some(number) = request.takes_user_ref_num() {
                assert!(number.0 > last, "{config}: {} after {last}", number.0);
                last = number.0;
            }
            match request {
                Inbound::EnterOrder(order, _) => {
                    seen[0] += 1;
                    let immediate = order.time_in_force == TimeInForce::IOC;
                    assert_eq!(immediate, config == "taker.toml");
                }
                Inbound::ReplaceOrder(..) => seen[1] += 1,
                Inbound::CancelOrder(..) => seen[2] += 1,
                other => panic!("{config}: {other:?}"),
            }
        }
        let orders = ["entered", "replaced", "cancelled"].map(|key| report["orders"][key].as_u64().unwrap());
        assert_eq!(orders, seen, "{config}");
        assert!(seen[0] > 10 && report["orders"]["fills"].as_u64() > Some(5), "{config}: {}", report["orders"]);
        assert!(config == "taker.toml" || seen[1] > 20, "a maker moves its quotes: {seen:?}");
    }
}

#[test]
fn the_orders_of_the_aapl_hour_take_their_numbers_in_order() {
    let Some(file) = data::shared("itch/aapl_20120621_da.itch.xz") else { return };
    let desk = Desk::new();
    let report = desk.json(&file, &["--symbol", "AAPL", "--orders", "one.ouch"]);
    desk.json(&file, &["--orders", "all.ouch"]);
    let bytes = desk.get("one.ouch");
    assert!(desk.get("all.ouch") == bytes, "the hour has no other symbol");
    let numbers: Vec<u32> =
        frames(&bytes).into_iter().filter_map(|m| Some(Inbound::decode(m).unwrap().takes_user_ref_num()?.0)).collect();
    assert!(numbers.len() > 1_000 && numbers.iter().zip(1..).all(|(n, expected)| *n == expected));
    assert_eq!(report["orders"]["entered"].as_u64(), Some(numbers.len() as u64));
    assert!(report["orders"]["fills"].as_u64() > Some(100));
}

#[test]
fn what_is_wrong_with_the_command_is_said() {
    let desk = Desk::new();
    let file = desk.put("day.itch", &opened(&["AAA"]).binary_file());
    desk.put("bad.toml", b"[replay]\norder_latency = 1\n");
    for (file, options, code, said) in [
        (&*file, &["--orders", "out.ouch", "--config", "bad.toml"][..], 1, "order_latency"),
        (&file, &["--orders", "no/such/folder/out.ouch"], 1, "out.ouch"),
        (&file, &["--bbo", "bbo.csv"], 2, "--symbol"),
        (&file, &["--symbol", "TOO LONG"], 1, "one to eight"),
        (Path::new("absent.itch"), &[], 1, "absent.itch"),
    ] {
        let output = desk.replay(file, options);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(said), "{said}: {told}");
    }
}
