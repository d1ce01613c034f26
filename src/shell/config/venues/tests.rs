//! Rows over the tables at the top: what they take over, what is their own, and what is refused by which name.

use super::super::Config;
use super::*;
use crate::base::VenueId;

/// Three of different kinds, each with what it cannot share.
const THREE: &str = r#"
utc_offset_minutes = -360
[feed]
lines = 1
gap_timeout_us = 700
[feed.rerequest]
retries = 3
[entry]
username = "ABC"
firm = "ABCD"
account = 5
[net]
orders = "10.0.0.1:1"
[books]
orders = 64
[[venue]]
name = "XNAS"
[[venue]]
name = "XBOS"
day = 2026-11-20
utc_offset_minutes = 60
trading = { market = "B" }
[venue.net]
orders = "10.0.0.2:1"
line_a = ":7001"
[venue.feed]
lines = 2
[venue.feed.rerequest]
max_messages = 9
[venue.entry]
password_env = "BOS"
[[venue]]
name = "FAR.1"
kind = "levels"
books = { levels = 32 }
stream = { retries = 0, instruments = 7 }
net = { orders = "10.0.0.3:1", stream = "10.0.0.3:2" }
entry = { username = "FAR", reconnect_delay_ms = 9 }
"#;

fn said(text: &str) -> String {
    Config::parse(text).unwrap_err().to_string()
}

#[test]
fn without_rows_there_is_one_venue_without_a_name_of_the_tables_at_the_top() {
    let config = Config::parse("[net]\norders = \"10.0.0.1:1\"\n[feed]\nlines = 1\n").unwrap();
    let (venue, net) = (config.venues.first(), config.live.net.first());
    assert_eq!((config.venues.count(), config.live.net.count(), config.orders.venues), (1, 1, 1));
    assert_eq!(
        (venue.kind, venue.is_named(), venue.key("entry.firm")),
        (VenueKind::Nasdaq, false, "entry.firm".into())
    );
    assert_eq!((net.orders.port(), net.line_count, net.stream, net.key("orders")), (1, 1, None, "net.orders".into()));
    assert_eq!((venue.to_string(), venue.utc_offset_minutes), ("the venue".to_owned(), -300));
}

#[test]
fn a_row_has_what_it_says_and_the_rest_from_the_top() {
    let config = Config::parse(THREE).unwrap();
    assert_eq!((config.venues.count(), config.orders.venues, config.tags.account.0), (3, 3, 5));
    let of = |at: u8| (config.venues.get(VenueId(at)).unwrap(), config.live.net.get(VenueId(at)).unwrap());
    let all = [0, 1, 2].map(|at| {
        let (venue, net) = of(at);
        (venue.to_string(), venue.kind, venue.day, venue.utc_offset_minutes, net.orders.to_string(), net.line_count)
    });
    let row =
        |name: &str, kind, day, offset, orders: &str, lines| (name.into(), kind, day, offset, orders.into(), lines);
    let expected = [
        row("XNAS", VenueKind::Nasdaq, 0, -360, "10.0.0.1:1", 1),
        row("XBOS", VenueKind::Nasdaq, 20_777, 60, "10.0.0.2:1", 2),
        row("FAR.1", VenueKind::Levels, 0, -360, "10.0.0.3:1", 0),
    ];
    assert_eq!(all, expected);
    let (xbos, net) = of(1);
    assert_eq!(
        (xbos.feed.rerequest.retries, xbos.feed.rerequest.max_messages, xbos.feed.gap_timeout.0),
        (3, 9, 700_000)
    );
    assert_eq!(
        (net.lines[0].to.port(), net.lines[1].to.port(), net.key("line_b")),
        (7001, 26402, "venue[1].net.line_b".into())
    );
    assert_eq!((xbos.entry.firm, xbos.entry.login.username), (Some(*b"ABCD"), *b"ABC   "));
    assert_eq!((xbos.trading.market, xbos.secrets.entry.as_str(), xbos.key.as_str()), (b'B', "BOS", "venue[1]."));
    let (far, net) = of(2);
    assert_eq!((far.stream.retries, far.stream.timeout, far.stream_instruments), (0, Nanos::from_secs(2), 7));
    assert_eq!((far.books.orders, far.books.levels, far.entry.login.username), (64, 32, *b"FAR   "));
    assert_eq!((net.stream.map(|at| at.port()), of(0).1.stream), (Some(2), None));
}

#[test]
fn what_is_wrong_in_a_row_is_named_with_its_row_and_table() {
    for (from, to, says) in [
        ("line_a = \":7001\"", "line_c = \":7001\"", "venue[1].net.line_c: unknown field `line_c`, expected one of"),
        ("line_a = \":7001\"", "line_a = \"7001\"", "venue[1].net.line_a: \"7001\" is no address"),
        ("line_a = \":7001\"", "line_a = 7001", "venue[1].net.line_a: invalid type"),
        ("stream = \"10.0.0.3:2\"", "stream = \"far\"", "venue[2].net.stream: \"far\" is no address"),
        ("max_messages = 9", "max_messages = 0", "venue[1].feed.rerequest.max_messages: must be 1 to 65534"),
        ("max_messages = 9", "most = 9", "venue[1].feed.rerequest.most: unknown field"),
        ("levels = 32", "levels = 1", "venue[2].books.levels = 1: must be 16 to"),
        ("instruments = 7", "instruments = 0", "venue[2].stream.instruments = 0: must be 1 to 1000000"),
        ("offset_minutes = 60", "offset_minutes = 841", "venue[1].utc_offset_minutes = 841"),
        ("market = \"B\"", "market = \"N\"", "venue[1].trading.market = \"N\""),
        ("\"levels\"", "\"level\"", "venue[2].kind = \"level\": must be \"nasdaq\" or \"levels\""),
        ("\"XBOS\"", "\"XNAS\"", "venue[1].name = \"XNAS\": must be a name that no other venue has"),
        ("\"XBOS\"", "\"\"", "venue[1].name = \"\": must be one to sixteen"),
        ("\"XBOS\"", "\"17\"", "venue[1].name = \"17\": must be one to sixteen"),
        ("\"XBOS\"", "\"A B\"", "venue[1].name = \"A B\""),
        ("\"XBOS\"", "\"0123456789ABCDEFG\"", "venue[1].name"),
        ("name = \"XBOS\"", "", "venue[1].name = missing: must be one to sixteen"),
        ("name = \"XBOS\"", "name = \"XBOS\"\nnames = 1", "venue[1].names: unknown field `names`"),
        ("name = \"XBOS\"", "name = \"XBOS\"\n[venue.nets]", "venue[1].nets: unknown field"),
        ("reconnect_delay_ms = 9", "account = 6", "venue[2].entry.account: must be given in [entry] alone"),
        ("\"BOS\"", "\"hunter 2\"", "venue[1].entry.password_env = (not shown)"),
        ("lines = 1", "lines = 3", "feed.lines: must be 1 or 2"),
        ("[[venue]]\nname = \"XNAS\"", "[[venue]]\nname = \"XNAS\"\nnet = 5", "venue[0].net: invalid type"),
    ] {
        let text = THREE.replacen(from, to, 1);
        assert_ne!(text, THREE, "{from}");
        assert!(said(&text).starts_with(says), "{to}: {}", said(&text));
    }
    let single = "[venue]\nname = \"X\"";
    assert!(said(single).contains("expected a sequence"), "{}", said(single));
    let alone = "[[venue]]\nname = \"X\"\n[venue.net]\nline = 1";
    assert!(said(alone).starts_with("venue.net.line: unknown field"), "{}", said(alone));
    assert!(Config::parse("[[venue]]\nname = \"0123456789ABCDEF\"").is_ok());
}

#[test]
fn a_lane_has_up_to_64_venues_whose_orders_go_to_sessions_of_their_own() {
    let rows = |count: usize| -> String {
        (0..count).map(|n| format!("[[venue]]\nname = \"V{n}\"\nnet = {{ orders = \"10.0.0.1:{n}\" }}\n")).collect()
    };
    assert_eq!(Config::parse(&rows(64)).unwrap().venues.count(), 64);
    assert!(said(&rows(65)).contains("venue = 65: must be 1 to 64 tables"), "{}", said(&rows(65)));
    let same = rows(2).replace("0.1:1", "0.1:0");
    let text = said(&same);
    assert!(text.starts_with("venue[1].net.orders = 10.0.0.1:0 (of V0, too, for the same entry.username)"), "{text}");
    assert!(Config::parse(&format!("{same}entry = {{ username = \"OTHER\" }}\n")).is_ok(), "two users at one port");
}

#[test]
fn instruments_name_their_venue_by_name_or_number() {
    let row = |venue: &str| format!("{THREE}[[instrument]]\nname = \"X\"\ntick = \"0.01\"\nvenue = {venue}\n");
    for (venue, number) in [("\"XNAS\"", 0), ("\"FAR.1\"", 2), ("2", 2), ("0", 0)] {
        assert_eq!(Config::parse(&row(venue)).unwrap().listed[0].venue, VenueId(number), "{venue}");
    }
    for venue in ["3", "63", "-1", "\"xnas\"", "\"2\"", "\"\""] {
        let text = said(&row(venue));
        assert!(text.starts_with("instrument.venue = ") && text.contains("the name of a [[venue]]"), "{text}");
    }
    assert!(said(&row("true")).contains("expected the number or the name of a venue"), "{}", said(&row("true")));
}

/// The example in the sample is one: what stands there commented out is read, and has every key.
#[test]
fn the_venue_in_the_sample_is_one() {
    let sample = super::super::SAMPLE;
    let row: Vec<&str> = sample.lines().skip_while(|line| *line != "# [[venue]]").take(KEYS.len() + 1).collect();
    let text: String = row.iter().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let table: Table = text.parse().unwrap();
    let keys = table["venue"][0].as_table().unwrap();
    assert!(KEYS.iter().all(|key| keys.contains_key(*key)) && keys.len() == KEYS.len(), "{keys:?}");
    assert_eq!(Config::parse(&text).unwrap().venues.first().to_string(), "XNAS");
}

#[test]
fn each_venue_has_passwords_of_its_own() {
    let config = Config::parse(THREE).unwrap();
    let set = |name: &str| Some(name[..3].to_owned());
    let passwords = config.passwords(set).unwrap();
    let all = passwords.map(|_, one| (one.orders.0, one.snapshot.map(|password| password.0)));
    let (fir, bos) = (*b"FIR       ", *b"BOS       ");
    assert_eq!(all, PerVenue::one((fir, Some(fir))).and((bos, Some(fir))).and((fir, None)));
    let missing = config.passwords(|name| (name != "BOS").then(|| "x".to_owned())).unwrap_err().to_string();
    assert!(missing.starts_with("venue[1].entry.password_env names the environment variable BOS"), "{missing}");
}
