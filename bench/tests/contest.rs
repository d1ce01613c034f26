//! The contest as its user runs it: the lab and other programs, sound and broken.

use firelane_bench::contest::{Course, Entrant, Entry, Report, Right, run};
use firelane_bench::course::PlainFile;
use firelane_bench::market::{Market, Stream, market};
use firelane_contest::Kind;
use std::process::{Command, Output};
use std::time::Duration;

const LAB: &str = env!("CARGO_BIN_EXE_lab");
const PLAIN: &str = env!("CARGO_BIN_EXE_plain-contestant");

fn stream() -> Stream {
    market(Market { symbols: 20, live: 1_000, messages: 5_000, seed: 3 })
}

/// The lab and one other, which is a line of `sh`: FILE and BUILT are its arguments $0 and $1.
fn against(script: &str) -> Report {
    let stream = stream();
    let plain = PlainFile::of(&stream, None).unwrap();
    let course = Course { file: plain.path(), built: stream.built, patience: Duration::from_secs(5) };
    let right = Right::of(&stream.bytes, stream.built);
    let ours = Entrant::of(&format!("{LAB} serve book --orders 4096")).unwrap();
    let other = Entrant(vec!["sh".into(), "-c".into(), script.replace("PLAIN", PLAIN)]);
    run(&[ours, other], &[Kind::L3, Kind::L2], &course, &right, 3)
}

fn broken(script: &str) -> String {
    let report = against(script);
    assert!(report.is_sound(), "{report}");
    let Entry { broken, cold, warm, first_to_it, .. } = &report.entries[1];
    assert_eq!((cold, warm, first_to_it), (&None, &None, &None), "a broken one has no time: {report}");
    let text = report.to_string();
    assert!(text.contains("BROKEN\n"), "{text}");
    broken.clone().unwrap()
}

#[test]
fn the_worked_example_is_sound_and_compared() {
    let report = against("exec PLAIN $0 $1");
    assert!(report.is_sound(), "{report}");
    let [ours, example] = &report.entries[..] else { panic!("{report}") };
    assert_eq!((ours.name.as_str(), ours.kind.as_str(), ours.broken.as_ref()), ("firelane", "L3", None));
    assert_eq!((example.name.as_str(), example.kind.as_str(), example.broken.as_ref()), ("plain maps", "L2", None));
    assert_eq!(
        (report.messages, report.passes, example.without.as_slice()),
        (5_000, 3, &["any care for speed".into()][..])
    );
    assert!(ours.first_to_it.is_none() && example.first_to_it.unwrap().pairs == 2);
    assert!(report.to_string().lines().all(|line| line.len() <= 80), "{report}");
}

#[test]
fn one_whose_books_are_wrong_is_broken_by_the_first_difference() {
    // What an add that forgets its price does: one level, and a value of nothing.
    let why = broken(r#"PLAIN $0 $1 | sed -uE 's/^book ([0-9]+) ([BS]) [0-9]+ ([0-9]+) [0-9]+/book \1 \2 1 \3 0/'"#);
    assert!(why.starts_with("symbol 1 bids: 1 levels, "), "{why}");
    assert!(why.contains(" shares, 0 price times shares; right: ") && why.ends_with("price times shares"), "{why}");
    // One share too many, in the last book alone.
    let why = broken(r#"PLAIN $0 $1 | sed -uE 's/^(book 20 S [0-9]+ [0-9]+)/\11/'"#);
    assert!(why.starts_with("symbol 20 asks: "), "{why}");
    let why = broken("PLAIN $0 $1 | sed -u '/^book 7 B/d'");
    assert!(why.starts_with("symbol 7 bids: 0 levels, 0 shares"), "{why}");
}

#[test]
fn one_that_is_sound_until_its_last_pass_is_broken() {
    let again = r#"n=0; PLAIN $0 $1 | while read -r line; do
        case "$line" in end) n=$((n + 1));; "book 3 B "*) [ $n -lt 2 ] || line="book 3 B 1 2 3";; esac; echo "$line"; done"#;
    let why = broken(again);
    assert!(why.starts_with("symbol 3 bids: "), "{why}");
}

#[test]
fn one_that_times_other_messages_or_claims_what_cannot_be_is_broken() {
    let why = broken(r#"PLAIN $0 $1 | sed -uE 's/^pass 5000/pass 4999/'"#);
    assert_eq!(why, "it timed 4999 messages of 5000");
    let why = broken(r#"PLAIN $0 $1 | sed -uE 's/^(pass [0-9]+) .*/\1 0/'"#);
    assert!(why.starts_with("it says a pass took 0 ns"), "{why}");
    let why = broken(r#"PLAIN $0 $1 | sed -uE 's/^(pass [0-9]+) .*/\1 99999999999/'"#);
    assert!(why.starts_with("it says a pass took 99999999999 ns; its answer came after "), "{why}");
}

#[test]
fn one_that_does_not_keep_the_protocol_is_broken_and_says_how() {
    for (script, starts) in [
        ("echo hello; sleep 60", r#"its first line is "hello", not `contestant 1 KIND NAME`"#),
        ("echo contestant 2 L3 x; cat", "it speaks version 2 of the protocol; this lab speaks 1"),
        ("echo contestant 1 L4 x; cat", r#""L4" is no kind: L3, L2, decode, orders, encode or quotes"#),
        ("echo contestant 1 decode x; echo ready; cat", "it is of kind decode, which is not what is compared here"),
        ("echo contestant 1 L3 x; echo go; cat", r#""go" comes before `ready`"#),
        ("echo contestant 1 L3 x; echo ready; cat", r#""pass" is not `pass MESSAGES NANOSECONDS`"#),
        ("echo contestant 1 L3 x; echo error no memory", "it says: no memory"),
        ("echo no file >&2; exit 3", "it ended (exit status: 3): no file"),
        ("PLAIN $0 $1 | sed -u 's/^book 1 B.*/book 1 B x/'", r#""book 1 B x" is not `book"#),
        ("PLAIN $0 $1 | sed -u 's/^book 2 B/book 1 B/'", r#""book 1 B "#),
        ("exec head -c 9000 /dev/zero", "a line of more than 4096 bytes"),
    ] {
        let why = broken(script);
        assert!(why.starts_with(starts), "{script}: {why}");
    }
}

#[test]
fn one_that_hangs_is_waited_for_no_longer_than_the_patience() {
    let stream = stream();
    let plain = PlainFile::of(&stream, None).unwrap();
    let course = Course { file: plain.path(), built: stream.built, patience: Duration::from_millis(300) };
    let right = Right::of(&stream.bytes, stream.built);
    let hangs = Entrant(vec!["sh".into(), "-c".into(), "echo contestant 1 L2 x; echo ready; exec sleep 60".into()]);
    let began = std::time::Instant::now();
    let report = run(&[hangs], &[Kind::L2], &course, &right, 3);
    assert_eq!(report.entries[0].broken.as_deref(), Some("no answer in 0.3 s"));
    assert!(!report.is_sound() && began.elapsed() < Duration::from_secs(10));
}

fn lab(arguments: &[&str]) -> Output {
    Command::new(LAB).args(arguments).output().unwrap()
}

const MADE: [&str; 9] = ["book", "--symbols", "20", "--live", "1000", "--messages", "5000", "--passes", "3"];

#[test]
fn the_command_shows_all_and_fails_for_nobody_elses_books() {
    let output = lab(&[&MADE[..], &["--against", PLAIN, "--against", "no-such-program"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("firelane ") && text.contains("plain maps"), "{text}");
    assert!(text.contains("no-such-program") && text.contains("can't start no-such-program"), "{text}");
    let output = lab(&[&MADE[..], &["--json", "--against", PLAIN]].concat());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["report"]["entries"][1]["name"], "plain maps");
    assert!(json["report"]["entries"][1]["first_to_it"]["ratio"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_labs_own_books_must_be_sound() {
    // No room for the orders that rest.
    let output = lab(&[&MADE[..], &["--orders", "64", "--against", PLAIN]].concat());
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && error.contains("the lab's own is not sound"), "{error}");
    assert!(text.contains("BROKEN"), "{text}");
}

#[test]
fn decoders_are_compared_by_what_they_read() {
    let made = ["decode", "--symbols", "20", "--live", "1000", "--messages", "5000", "--rounds", "3", "--against"];
    let reads = "contestant 1 decode liar\\nready\\n";
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("liar");
    let text = format!(
        "printf '{reads}'; while read -r q; do [ $q = pass ] && echo pass 5000 1 || printf 'read 1 2\\nend\\n'; done"
    );
    std::fs::write(&script, text).unwrap();
    let output = lab(&[&made[..], &[&format!("sh {}", script.display()), "--json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let entries = json["report"]["entries"].as_array().unwrap();
    assert_eq!((&entries[0]["name"], &entries[0]["broken"]), (&"firelane".into(), &serde_json::Value::Null));
    assert_eq!((&entries[1]["name"], &entries[1]["broken"]), (&"itch5 0.1.5".into(), &serde_json::Value::Null));
    let why = entries[2]["broken"].as_str().unwrap();
    assert!(why.starts_with("says read 1 2; right: read "), "{why}");
}

#[test]
fn a_contestant_that_is_started_wrongly_says_so() {
    let output = lab(&["serve", "book", "no-such-file", "0"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("No such file"), "{output:?}");
}
