//! From a configuration to a venue on a thread of its own, and back to its far end.

use super::rig::{Line, Trader};
use firelane_sim::far_end::Login;
use firelane_sim::server::{Command, Phase, StartError, VenueConfig, VenueEvent, start};
use std::path::Path;
use std::time::{Duration, Instant};

fn secret(name: &str) -> Option<String> {
    match name {
        "FIRELANE_ENTRY_PASSWORD" => Some("ORDERS".to_owned()),
        "FIRELANE_SNAPSHOT_PASSWORD" => Some("STATE".to_owned()),
        "TOO_LONG" => Some("more than ten".to_owned()),
        _ => None,
    }
}

const ORDERS: Login = Login { username: *b"FIRE  ", password: *b"ORDERS    " };

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn poll(lines: &mut [Line; 2]) {
    for line in lines {
        line.poll();
    }
}

fn config(lines: &[Line; 2], market: &str, journal: Option<&Path>) -> VenueConfig {
    let [a, b] = lines.each_ref().map(Line::address);
    let text = format!(
        "{}[addresses]\nline_a = \"{a}\"\nline_b = \"{b}\"\nrerequest = \"127.0.0.1:0\"\nsnapshot = \"127.0.0.1:0\"\n\
         [market]\nsymbols = 2\nrate = 1000\n{market}\n[[port]]\nlisten = \"127.0.0.1:0\"\n",
        journal.map_or(String::new(), |path| format!("journal = {:?}\n", path.display().to_string()))
    );
    VenueConfig::parse(&text).unwrap()
}

#[test]
fn a_venue_runs_on_its_own_thread_and_comes_to_rest() {
    let mut lines = [Line::new(), Line::new()];
    let venue = start(&config(&lines, "", None), &secret).unwrap();
    let mut trader = Trader::new(venue.handle().addresses().orders[0], ORDERS, 1);
    until("a login and a market", || {
        trader.poll();
        poll(&mut lines);
        trader.logged_in == Some(1) && lines[0].messages.len() > 100
    });
    let mut events = Vec::new();
    until("both events", || {
        events.extend(venue.events().try_iter());
        events.len() == 2
    });
    assert!(matches!(events[..], [VenueEvent::Connected { .. }, VenueEvent::LoggedIn { .. }]), "{events:?}");
    for command in [Command::Stop, Command::Heal, Command::EndSession] {
        assert!(venue.tell(command));
    }
    until("the end", || {
        poll(&mut lines);
        lines.iter().all(|line| line.ended) && venue.status().phase == Phase::Ended
    });
    assert!(venue.status().ports[0].logged_in);
    let handle = venue.handle().clone();
    let far_end = venue.shutdown().unwrap();
    far_end.check().unwrap();
    assert_eq!(handle.status().phase, Phase::Over);
    assert_eq!(far_end.publisher().next_sequence(), lines[0].next);
    until("the connection's end", || {
        trader.poll();
        trader.closed
    });
}

#[test]
fn a_journaled_venue_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("venue.journal");
    let lines = [Line::new(), Line::new()];
    let config = config(&lines, "", Some(&journal));
    let first = start(&config, &secret).unwrap();
    until("a market", || first.status().next_sequence > 100);
    assert!(matches!(start(&config, &secret), Err(StartError::Journal(_))), "one venue at a time");
    let next = first.shutdown().unwrap().publisher().next_sequence();
    let second = start(&config, &secret).unwrap();
    assert!(second.status().next_sequence >= next);
    until("it goes on", || second.status().next_sequence > next + 100);
    second.shutdown().unwrap();
    // Another password is the same day, and the only one that counts.
    let changed = |name: &str| secret(name).map(|text| format!("NEW{text}"));
    let third = start(&config, &changed).unwrap();
    assert!(third.status().next_sequence > next + 100, "it goes on");
    let address = third.handle().addresses().orders[0];
    let mut traders =
        [ORDERS, Login { password: *b"NEWORDERS ", ..ORDERS }].map(|login| Trader::new(address, login, 1));
    until("both answers", || {
        traders.iter_mut().for_each(|trader| _ = trader.poll());
        traders[0].rejected && traders[1].logged_in == Some(1)
    });
    third.shutdown().unwrap();
    let written = std::fs::read(&journal).unwrap();
    assert!(!written.windows(9).any(|bytes| bytes.eq_ignore_ascii_case(b"NEWORDERS")));
    // Another market is another day.
    let mut other = config.clone();
    other.market.rate += 1;
    let error = start(&other, &secret).unwrap_err().to_string();
    assert!(error.contains("another configuration"), "{error}");
}

#[test]
fn what_keeps_a_venue_from_starting_is_named() {
    let lines = [Line::new(), Line::new()];
    let mut config = config(&lines, "", None);
    let why = |config: &VenueConfig| start(config, &secret).unwrap_err().to_string();
    config.ports[0].password_env = "NOT_SET".to_owned();
    assert_eq!(why(&config), "port[0].password_env names the environment variable NOT_SET, which is not set");
    config.ports[0].password_env = "TOO_LONG".to_owned();
    assert!(why(&config).ends_with("which does not hold one to ten printable characters"), "{}", why(&config));
    config.ports[0].password_env = "FIRELANE_ENTRY_PASSWORD".to_owned();
    config.market.itch = Some("no such file".into());
    assert!(why(&config).contains("no such file"), "{}", why(&config));
    config.market.itch = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into());
    assert!(why(&config).contains("it is text"), "{}", why(&config));
    config.market.itch = None;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    config.setup.addresses.orders[0] = taken.local_addr().unwrap();
    let error = why(&config);
    assert!(error.contains("order entry, port 0") && error.contains("127.0.0.1:"), "{error}");
}

#[test]
fn a_recorded_day_plays_at_a_multiple_of_its_speed() {
    use firelane_sim::capture::binary_file::write_binary_file;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.itch");
    // A system event, and then one a second for a hundred seconds.
    let event = |second: u64| {
        let mut message = vec![b'S', 0, 0, 0, 0];
        message.extend(&(34_200_000_000_000 + second * 1_000_000_000).to_be_bytes()[2..]);
        message.push(b'Q');
        message
    };
    let messages: Vec<Vec<u8>> = (0..100).map(event).collect();
    let mut bytes = Vec::new();
    write_binary_file(&mut bytes, messages.iter().map(Vec::as_slice)).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let mut lines = [Line::new(), Line::new()];
    let market = format!("itch = {:?}\nspeed = 100.0", file.display().to_string());
    let venue = start(&config(&lines, &market, None), &secret).unwrap();
    until("the whole day", || {
        poll(&mut lines);
        lines.iter().all(|line| line.messages.len() == 100)
    });
    assert!(lines[1].messages.values().eq(messages.iter()), "as they were recorded");
    // The last message is due in the day's hundredth second, and not before.
    let far_end = venue.shutdown().unwrap();
    assert!(far_end.latest().unwrap().0 >= 99_000_000_000);
}
