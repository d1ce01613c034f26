//! `firelane venue` as a process: what it prints, how it ends, and how it comes back from being killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

fn firelane(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    command
        .arg("venue")
        .args(arguments)
        .env("FIRELANE_ENTRY_PASSWORD", "ORDERS")
        .env("FIRELANE_SNAPSHOT_PASSWORD", "STATE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A configuration with free ports, whose lines nobody listens to.
fn config(folder: &Path, extra: &str) -> PathBuf {
    let path = folder.join("venue.toml");
    let text = format!(
        "{extra}\n[addresses]\nline_a = \"127.0.0.1:9\"\nline_b = \"127.0.0.1:9\"\nrerequest = \"127.0.0.1:0\"\n\
         snapshot = \"127.0.0.1:0\"\n[market]\nsymbols = 2\nrate = 1000\n[[port]]\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn finish(child: Child) -> Output {
    child.wait_with_output().unwrap()
}

/// A venue that has said where it is.
struct Started {
    child: Child,
    out: BufReader<ChildStdout>,
    greeting: String,
}

impl Started {
    fn new(config: &Path) -> Self {
        let mut child = firelane(&[config.to_str().unwrap()]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        let last =
            if std::fs::read_to_string(config).unwrap().contains("journal") { "journal" } else { "order port 0" };
        while !greeting.lines().any(|line| line.trim_start().starts_with(last)) {
            assert!(out.read_line(&mut greeting).unwrap() > 0, "it ended early: {greeting}");
        }
        Started { child, out, greeting }
    }

    fn orders(&self) -> SocketAddr {
        let line = self.greeting.lines().find(|line| line.contains("order port 0")).unwrap();
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
    }

    /// Logs in at the latest message and returns the connection and its number.
    fn log_in(&self) -> (TcpStream, u64) {
        let mut client = TcpStream::connect(self.orders()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let login = format!("L{:6}{:10}{:10}{:>20}", "FIRE", "ORDERS", "", 0);
        client.write_all(&u16::try_from(login.len()).unwrap().to_be_bytes()).unwrap();
        client.write_all(login.as_bytes()).unwrap();
        let mut answer = [0; 33];
        client.read_exact(&mut answer).unwrap();
        assert_eq!((answer[2], &answer[3..13]), (b'A', b"ORDERS0001".as_slice()));
        (client, std::str::from_utf8(&answer[13..]).unwrap().trim().parse().unwrap())
    }

    /// Everything that it still says, once it has ended.
    fn rest(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        self.out.read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap().code(), text)
    }
}

fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

#[test]
fn it_ends_by_itself_with_one_json_object() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "");
    let output = finish(firelane(&[path.to_str().unwrap(), "--seconds", "1", "--json"]).spawn().unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["published"].as_u64().unwrap() > 10, "{report}");
    assert_eq!(
        (report["ports"][0]["username"].as_str(), report["ports"][0]["orders"].as_u64()),
        (Some("FIRE"), Some(0))
    );
    assert!(report.get("error").is_none());
    for (key, empty) in [("gone", "{}"), ("full", "0"), ("rerequests_unanswered", "{}")] {
        assert_eq!(report[key].to_string(), empty, "{key}");
    }
    assert_eq!(report["ports"][0]["requests_without_effect"].to_string(), "{}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("order port 0  on 127.0.0.1:"));
}

#[test]
fn a_signal_ends_it_in_order_with_a_statement() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["-INT", "-TERM"] {
        let venue = Started::new(&config(folder.path(), ""));
        let (client, next) = venue.log_in();
        assert_eq!(next, 1, "the start of the day is the session's first message");
        // A login with another password, and one that breaks off.
        let mut wrong = TcpStream::connect(venue.orders()).unwrap();
        let login = format!("\0\x2fL{:6}{:10}{:10}{:>20}", "FIRE", "S3CRET", "", 1);
        wrong.write_all(login.as_bytes()).unwrap();
        let mut answer = Vec::new();
        wrong.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"\0\x02JA");
        signal(&venue.child, name);
        let (code, text) = venue.rest();
        assert_eq!(code, Some(0), "{text}");
        let peer = wrong.local_addr().unwrap();
        for part in [
            "(user \"FIRE\") logged in",
            &format!("{peer} (user \"FIRE\") gone: login rejected: wrong password"),
            "ending the day: the lines say so for 1 s (end_seconds)",
            "gone: the session has ended",
            "Venue closed after",
            "order port 0 (FIRE): no orders",
            "connections gone: session ended 1, wrong password 1",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        // Who connected has logged in, or was refused: that is told.
        assert!(!text.contains("connected") && !text.contains("snapshots,"), "{text}");
        assert!(!text.contains("S3CRET"), "not even a wrong password is shown");
        // The session's messages, its end, and the connection's.
        let (mut client, mut last) = (client, Vec::new());
        client.read_to_end(&mut last).unwrap();
        let end = last.len() - 16;
        assert_eq!((&last[end..end + 4], &last[end + 12..]), (&b"\0\x0bSS"[..], &b"E\0\x01Z"[..]), "{last:?}");
        assert!(!text.contains("ORDERS\n") && !text.contains("STATE"), "no password is shown");
    }
}

/// As much as is asked for, for people or for programs, as `firelane run` says it.
#[test]
fn it_says_as_much_as_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "");
    let lines = |more: &[&str]| -> Vec<String> {
        let output = finish(firelane(&[&[path.to_str().unwrap(), "--seconds", "1"], more].concat()).spawn().unwrap());
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    };
    let quiet = lines(&["-q"]);
    assert!(quiet[0].starts_with("Venue closed after"), "{quiet:#?}");
    let programs = lines(&["--log-format", "json"]);
    let objects: Vec<serde_json::Value> = programs.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (report, events) = objects.split_last().unwrap();
    assert!(report["ports"].is_array() && events.len() > 5, "{programs:#?}");
    assert!(events.iter().all(|event| event["level"] == "info" && event["time"].is_string()), "{programs:#?}");

    let mut child = firelane(&[path.to_str().unwrap(), "-v"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut line, mut client) = (String::new(), None);
    while !line.contains(" connected") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "it ended early");
        if line.contains("order port 0  on") {
            let address: SocketAddr = line.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
            client = Some(TcpStream::connect(address).unwrap());
        }
    }
    assert!(line.contains("detail") && client.is_some(), "{line}");
    signal(&child, "-TERM");
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    assert!(finish(child).status.success());
}

/// The end of the market-data session is heard on the lines, more than once, for as long as it is configured.
#[test]
fn the_lines_say_the_end_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [0, 0].map(|port| UdpSocket::bind(("127.0.0.1", port)).unwrap());
    let text = std::fs::read_to_string(config(folder.path(), "end_seconds = 1")).unwrap();
    let [a, b] = [0, 1].map(|at: usize| lines[at].local_addr().unwrap().to_string());
    let text = text.replacen("127.0.0.1:9\"", &format!("{a}\""), 1).replacen("127.0.0.1:9\"", &format!("{b}\""), 1);
    let path = folder.path().join("venue.toml");
    std::fs::write(&path, text).unwrap();
    let venue = Started::new(&path);
    signal(&venue.child, "-TERM");
    assert_eq!(venue.rest().0, Some(0));
    for line in lines {
        line.set_nonblocking(true).unwrap();
        let (mut buffer, mut ends) = ([0; 2_000], 0);
        // Whatever the socket had room for; the end is last.
        while let Ok(length) = line.recv(&mut buffer) {
            let is_end = length == 20 && buffer[18..20] == [0xff, 0xff];
            assert!(is_end || ends == 0, "something after the end");
            ends += usize::from(is_end);
        }
        assert!(ends >= 3, "said {ends} times");
    }
}

/// What cannot be done stands in the help and in the sample.
#[test]
fn the_help_says_what_it_cannot_do() {
    let help = String::from_utf8(finish(firelane(&["--help"]).spawn().unwrap()).stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let sample = String::from_utf8(finish(firelane(&["--print-config"]).spawn().unwrap()).stdout).unwrap();
    for word in ["MinQty", "MaxFloor", "pegs", "discretion", "routing", "ExpireTime"] {
        assert!(help.contains(word) && sample.contains(word), "{word}");
    }
    assert!(help.contains("how many seconds an order lives, not a time of day"), "{help}");
}

#[test]
fn a_killed_venue_comes_back_from_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("venue.journal");
    let path = config(folder.path(), &format!("journal = {:?}", journal.display().to_string()));
    let mut venue = Started::new(&path);
    assert!(venue.greeting.contains("begins a new day"), "{}", venue.greeting);
    let (mut client, _) = venue.log_in();
    // A symbol that is not listed: the reject is a message of the session.
    let mut order = b"\0\x30UO\0\0\0\x01B\0\0\0\x01NONE    \0\0\0\0\0\0\0\x640YPNN00000000000001\0\0".to_vec();
    order[1] = u8::try_from(order.len() - 2).unwrap();
    client.write_all(&order).unwrap();
    let mut heads = [[0; 4]; 2];
    for head in &mut heads {
        // Heartbeats may come in between.
        while head[2] != b'S' {
            client.read_exact(&mut head[..3]).unwrap();
        }
        client.read_exact(&mut head[3..]).unwrap();
        let length = u64::from(u16::from_be_bytes([head[0], head[1]]));
        std::io::copy(&mut (&mut client).take(length - 2), &mut std::io::sink()).unwrap();
    }
    assert_eq!(heads.map(|head| head[3]), [b'S', b'J']);
    venue.child.kill().unwrap();
    venue.child.wait().unwrap();

    let venue = Started::new(&path);
    assert!(venue.greeting.contains("goes on in session \"DEMO     A\", at message "), "{}", venue.greeting);
    let (_client, next) = venue.log_in();
    assert_eq!(next, 2, "the reject has its number still");
    signal(&venue.child, "-TERM");
    assert_eq!(venue.rest().0, Some(0));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "");
    let output = finish(firelane(&[path.to_str().unwrap()]).env_remove("FIRELANE_ENTRY_PASSWORD").spawn().unwrap());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
    assert!(text.contains("FIRELANE_ENTRY_PASSWORD, which is not set"), "{text}");
    std::fs::write(&path, "[market]\nspeed = 0.0\n").unwrap();
    let output = finish(firelane(&[path.to_str().unwrap()]).spawn().unwrap());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("venue.toml") && text.contains("market.speed = 0: must be 0.001 to 1000"), "{text}");
    let sample = finish(firelane(&["--print-config"]).spawn().unwrap());
    assert!(sample.status.success() && sample.stdout.starts_with(b"# The venue's default configuration."));
}
