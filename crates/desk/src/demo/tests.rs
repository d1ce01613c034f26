//! The demo as a whole: its report, its files, its market of either kind.

use super::*;
use crate::beside::BesideLive;
use crate::detector::Watched;
use crate::wirings;
use firelane_gateway::base::{ExchangeTime, Mono};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::log::{FileHeader, FileReader};
use firelane_gateway::shell::verify::verify;
use firelane_sim::capture::binary_file::write_binary_file;
use firelane_sim::crowd::Crowd;
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::server::Addresses;
use firelane_sim::venue::Venue;
use firelane_sim::venue::engine::EngineConfig;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

fn options() -> Demo {
    Demo {
        seconds: 3,
        seed: 1,
        symbols: 4,
        rate: 2_000,
        faults: None,
        layout: None,
        itch: None,
        speed: None,
        virtual_clock: true,
        config: None,
        set: Vec::new(),
        detector: None,
        print_config: false,
        force: false,
        log: None,
        tape: None,
        json: false,
    }
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("firelane-demo-{}-{name}", std::process::id()))
}

/// The lane that a log's header describes.
fn rebuilt(header: &FileHeader) -> Result<Box<dyn Lane>, String> {
    let config = wirings::parse(&header.config).map_err(|error| error.to_string())?;
    wirings::build(&config, None).map_err(|error| error.to_string())
}

/// Scripts read it: what is here stays.
#[test]
fn the_layout_of_the_json_is_stable() {
    let report = serde_json::to_value(play(&options()).unwrap()).unwrap();
    assert_eq!(report["reconciled"], true);
    for number in ["seed", "symbols", "messages", "published", "gaps", "orders", "fills", "shares", "audited_books"] {
        assert!(report[number].is_u64(), "{number}");
    }
    assert!(report["pnl"].is_i64() && report["cash"].is_i64(), "{report}");
    let of: Vec<&serde_json::Value> = report["by_symbol"].as_object().unwrap().values().collect();
    let sum = |key: &str| of.iter().map(|row| row[key].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("pnl"), sum("cash")), (report["pnl"].as_i64().unwrap(), report["cash"].as_i64().unwrap()));
    assert_eq!((sum("bought") + sum("sold")).try_into(), Ok(report["shares"].as_u64().unwrap()));
    assert!(of.iter().all(
        |row| row["bought"].as_i64().unwrap() - row["sold"].as_i64().unwrap() == row["position"].as_i64().unwrap()
    ));
    assert!(report["rejects"].is_object() && report["differences"].is_array());
    for detail in ["recovery", "order_steps", "faults", "digests"] {
        assert!(report[detail].is_object(), "{detail}");
    }
    assert!(report["messages"].as_u64() > Some(1_000) && report["fills"].as_u64() > Some(0));
    assert_eq!((&report["gaps"], &report["market"]), (&0.into(), &"synthetic".into()));
}

#[test]
fn the_same_options_give_the_same_run_and_another_seed_another() {
    let digests = |seed| {
        let options = Demo { seed, faults: Some(Faults::Heavy), ..options() };
        let report = play(&options).unwrap();
        assert!(report.reconciled, "{report:?}");
        serde_json::to_string(&report.digests).unwrap()
    };
    assert_eq!(digests(1), digests(1));
    assert_ne!(digests(1), digests(2));
}

#[test]
fn both_strategies_trade_and_quote() {
    let path = temporary("maker.toml");
    std::fs::write(&path, "wiring = \"market-maker\"\n").unwrap();
    let maker = play(&Demo { config: Some(path.clone()), ..options() }).unwrap();
    std::fs::remove_file(path).unwrap();
    let steps = serde_json::to_value(&maker.order_steps).unwrap();
    assert!(maker.reconciled && maker.fills > 0 && steps["replaced"].as_u64() > Some(0), "{maker:?}");
    // It knows its own orders: one a side and symbol.
    assert!(!maker.rejects.contains_key("SelfTrade") && !maker.rejects.contains_key("Position"), "{maker:?}");
}

#[test]
fn strategies_combine_by_configuration() {
    let with = |sets: &[&str], log: Option<PathBuf>| {
        let set = sets.iter().map(|set| set.parse().unwrap()).collect();
        play(&Demo { set, log, ..options() })
    };
    let mix = |strategies: &str, log| {
        let strategies = format!("strategies={strategies}");
        with(&[&strategies, "signals=[\"imbalance\"]", "taker.size=200"], log).unwrap()
    };
    let alone = with(&["taker.size=200"], None).unwrap();
    let one = mix("[\"taker\"]", None);
    // The very bytes, sent at the very times.
    assert_eq!((&alone.digests.effects, alone.fills), (&one.digests.effects, one.fills));
    let log = temporary("mix.log");
    let both = mix("[\"maker\", \"taker\"]", Some(log.clone()));
    // The maker moves its quotes, and the taker meets them: the gate keeps both from trading with themselves.
    let steps = serde_json::to_value(&both.order_steps).unwrap();
    assert!(both.reconciled && both.fills > 0 && steps["replaced"].as_u64() > Some(0), "{both:?}");
    assert!(both.rejects.contains_key("SelfTrade"), "{both:?}");
    let verified = verify(File::open(&log).unwrap(), rebuilt, |_| ()).unwrap();
    std::fs::remove_file(log).unwrap();
    assert!(verified.complete && verified.inputs > 1_000);
    for (sets, says) in [
        (&["wiring=mix"][..], "strategies: must be a list of at least one"),
        (&["signals=[\"imbalance\"]"], "strategies: must be a list of at least one"),
        (&["strategies=[\"taker\"]"], "signals lacks the one that the strategy \"taker\" reads"),
        (&["strategies=[\"takr\"]"], "strategies: there is no \"takr\", only \"taker\", \"maker\""),
        (&["signals=[\"imbalance\", \"imbalance\"]"], "nothing stands twice"),
        (&["strategy=[\"taker\"]"], "did you mean \"strategies\"?"),
        (&["wiring=market-maker", "strategies=[\"taker\"]"], "unless wiring is \"mix\""),
    ] {
        let error = crate::explain(&with(sets, None).unwrap_err());
        assert!(error.contains(says), "{sets:?}: {error}");
    }
}

/// A log needs nothing beside it, whatever room the demo made for its market.
#[test]
fn log_and_tape_are_whole_and_the_log_verifies() {
    let (log, tape) = (temporary("run.log"), temporary("run.tape"));
    let faults = Some(Faults::Heavy);
    let options =
        Demo { symbols: 1_100, seconds: 2, faults, log: Some(log.clone()), tape: Some(tape.clone()), ..options() };
    assert!(play(&options).unwrap().reconciled);
    let verified = verify(File::open(&log).unwrap(), rebuilt, |_| ()).unwrap();
    assert!(verified.complete && verified.inputs > 1_000);
    let mut records = FileReader::new(File::open(&tape).unwrap()).unwrap();
    let mut tops = 0;
    while let Some(record) = records.next_record().unwrap() {
        tops += u64::from(record.kind == Some(Kind::Top));
    }
    assert!(tops > 0);
    std::fs::remove_file(log).unwrap();
    std::fs::remove_file(tape).unwrap();
}

#[test]
fn log_and_tape_are_not_one_file() {
    let path = temporary("both");
    let error = play(&Demo { log: Some(path.clone()), tape: Some(path.clone()), ..options() }).unwrap_err().to_string();
    assert!(error.contains("written by this command already"), "{error}");
    let _made = std::fs::remove_file(&path);
}

/// A recorded day: here one that the synthetic market made.
#[test]
fn a_recorded_day_is_traded_against() {
    let mut crowd = Crowd::new(FlowConfig { symbols: 3, rate: 2_000, live_orders: 300, ..FlowConfig::default() }, 1);
    let epoch = ExchangeTime::new(0, 34_200 * 1_000_000_000);
    let mut venue = Venue::new(epoch, &EngineConfig::new(crowd.symbols()), vec![]);
    venue.open(Mono(0));
    while crowd.next_deadline() < Mono(5_000_000_000) {
        crowd.on_timer(crowd.next_deadline(), &mut venue);
    }
    let messages = venue.take_messages();
    let path = temporary("day.itch");
    write_binary_file(File::create(&path).unwrap(), messages.iter().map(Vec::as_slice)).unwrap();
    let mut fills = [0; 2];
    for (seed, faults) in [(1, None), (1, Some(Faults::Heavy)), (2, Some(Faults::Heavy)), (3, Some(Faults::Heavy))] {
        let report = play(&Demo { seconds: 6, seed, faults, itch: Some(path.clone()), ..options() }).unwrap();
        assert!(report.reconciled && report.market == "recorded" && report.symbols == 3, "{report:?}");
        assert!(report.published >= messages.len() as u64, "{report:?}");
        fills[usize::from(faults.is_some())] += report.fills;
    }
    assert!(fills[0] > 0 && fills[1] > 0);
    std::fs::remove_file(path).unwrap();
}

/// Over sockets, in both layouts: the usual layout of the JSON, what it adds, and a log that verifies.
#[test]
fn over_sockets_both_layouts_reconcile_say_how_long_orders_took_and_their_logs_verify() {
    for (layout, faults) in [(Layout::Fused, None), (Layout::Split, Some(Faults::Heavy))] {
        let log = temporary(&format!("{layout:?}.log"));
        let options = Demo {
            virtual_clock: false,
            layout: Some(layout),
            faults,
            log: Some(log.clone()),
            tape: Some(temporary(&format!("{layout:?}.tape"))),
            ..options()
        };
        let report = serde_json::to_value(play(&options).unwrap()).unwrap();
        assert_eq!(report["reconciled"], true, "{report}");
        assert!(report["orders"].as_u64() > Some(0) && report["messages"].as_u64() > Some(1_000), "{report}");
        let total = &report["tick_to_trade_ns"];
        for percentile in ["p50", "p99", "p999", "max"] {
            assert!(total[percentile].as_u64() > Some(0), "{percentile}: {report}");
            for stage in ["gap", "decoded", "booked", "decided", "approved", "encoded", "sent"] {
                assert!(report["stages_ns"][stage][percentile].is_u64(), "{stage} {percentile}");
            }
        }
        let explained = report["run"]["stages_explain"].as_f64().unwrap();
        assert!((explained - 1.0).abs() <= 0.05, "the stages explain {explained}");
        assert_eq!(report["run"]["layout"], format!("{layout:?}").to_lowercase());
        let verified = verify(File::open(&log).unwrap(), rebuilt, |_| {}).unwrap();
        assert!(verified.complete && verified.effects > 0, "{verified:?}");
        let mut tape = FileReader::new(File::open(options.tape.as_ref().unwrap()).unwrap()).unwrap();
        let mut traces = 0;
        while let Some(record) = tape.next_record().unwrap() {
            traces += u64::from(record.kind == Some(Kind::Trace));
        }
        // One of which not even the first byte could be sent at once has no last stamp: it is counted apart.
        let timed = total["count"].as_u64().unwrap() + report["run"]["orders_that_waited"].as_u64().unwrap();
        assert_eq!(traces, timed, "every order that is timed is on the tape");
        for file in [Some(log), options.tape] {
            std::fs::remove_file(file.unwrap()).unwrap();
        }
    }
}

/// A neuron that fires in each step, a step for each event: while it is warm, each event is an alert that gates.
const NOISY: &str = r#"
name = "noisy"
network = '{"populations": [{"id": "all", "n": 1, "bias_mant": 1000}], "connections": [{"src": "in", "dst": "all", "weights": [[0, 0]]}]}'
time = "event"
warm_up = 200

[address]
input = "in"
kinds = ["add"]
levels = 0
sizes = []

[[alert]]
name = "noise"
population = "all"
unit = 0
merge = 0
gates = true
hold_ms = 1
"#;

/// Its reader is held up until the ring of the tape has gone round, and then knows that it has lost something.
#[test]
fn behind_a_lap_a_detector_beside_a_live_lane_starts_over_and_holds_nobody_until_it_is_warm() {
    const WARM_UP: u64 = 200;
    let (file, log) = (temporary("noisy.toml"), temporary("noisy.log"));
    std::fs::write(&file, NOISY).unwrap();
    let sets = ["detector.place=beside", "tape.readers_bytes=1048576", "wiring=\"imbalance-taker\""];
    let options = Demo {
        seconds: 10,
        symbols: 1,
        rate: 6_000,
        virtual_clock: false,
        set: sets.iter().map(|set| set.parse().unwrap()).collect(),
        detector: Some(file.clone()),
        log: Some(log.clone()),
        ..options()
    };
    let config = read_config(&options, None).unwrap();
    let watched = Watched::of(&config).unwrap().unwrap();
    let reads = watched.clone();
    let run = std::thread::spawn(move || {
        sockets::play_beside(&options, config, None, BesideLive::watched_by(reads)).unwrap()
    });
    let report = || serde_json::to_value(watched.report().unwrap()).unwrap();
    let count = |report: &serde_json::Value, name: &str| report["counters"][name].as_u64().unwrap();
    let alerts = |report: &serde_json::Value| report["alerts"]["noise"].as_u64().unwrap();
    while alerts(&report()) == 0 && !run.is_finished() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let before = alerts(&report());
    // Longer each time: how soon a lap is done is a matter of the machine.
    for seconds in 1.. {
        if count(&report(), "network_lost") > 0 || run.is_finished() {
            break;
        }
        let held_up = watched.heard();
        std::thread::sleep(Duration::from_secs(seconds));
        drop(held_up);
        std::thread::sleep(Duration::from_millis(50));
    }
    let report = serde_json::to_value(run.join().unwrap()).unwrap();
    let (detector, warm) = (&report["detector"], alerts(&report["detector"]));
    let [steps, cold, lost, restarts] =
        ["network_steps", "network_cold", "network_lost", "network_restarts"].map(|name| count(detector, name));
    assert!(lost > 0 && restarts > 0, "{detector}");
    // Each event is an alert, but for those behind the start and behind the loss.
    assert!(cold >= 2 * WARM_UP && cold <= WARM_UP * (1 + restarts), "{detector}");
    assert!(warm == steps - cold && warm > before + WARM_UP, "{before} {detector}");
    // What it was cold for held nobody: the lane was told of alerts, and of how the demo begins and ends.
    let commands = report["counters"]["core.commands_taken"].as_u64().unwrap();
    assert!(commands > WARM_UP && commands <= warm + 100, "{commands} {detector}");
    // The lane has not been hurt: whoever compares says that its own reader lost something, and nothing else.
    let differences: Vec<&str> =
        report["differences"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(differences.iter().all(|one| one.contains("came too fast")), "{differences:?}");
    assert!(verify(File::open(&log).unwrap(), rebuilt, |_| ()).unwrap().complete);
    for file in [file, log] {
        std::fs::remove_file(file).unwrap();
    }
}

/// Whoever looks for free ports while another one has found them free, and has not opened them yet, must not find them:
/// he gets the next ones.
#[test]
fn a_demos_ports_are_its_own() {
    let usual = Addresses {
        lines: [vec![([127, 0, 0, 1], 31_001).into()], vec![([127, 0, 0, 1], 31_002).into()]],
        rerequest: ([127, 0, 0, 1], 31_003).into(),
        snapshot: ([127, 0, 0, 1], 31_004).into(),
        levels: None,
        orders: vec![([127, 0, 0, 1], 31_000).into()],
    };
    let ports = |of: &Addresses| {
        let lines = of.lines.iter().flatten();
        let all: Vec<u16> =
            lines.chain([&of.rerequest, &of.snapshot]).chain(&of.orders).map(SocketAddr::port).collect();
        all
    };
    let (first, claim) = sockets::claim_near(&usual).unwrap();
    let (second, _claim) = sockets::claim_near(&usual).unwrap();
    for (at, port) in [31_001, 31_002, 31_003, 31_004, 31_000].into_iter().enumerate() {
        assert_eq!((ports(&first)[at], ports(&second)[at]), (port, port + 16));
    }
    drop(claim);
    let taken = UdpSocket::bind(usual.rerequest).unwrap();
    assert_eq!(sockets::claim_near(&usual).unwrap().0.rerequest.port(), 31_003 + 32);
    drop(taken);
    assert_eq!(sockets::claim_near(&usual).unwrap().0.rerequest.port(), 31_003);
    // There is no port above the last one.
    let last = Addresses { rerequest: ([127, 0, 0, 1], u16::MAX).into(), ..usual };
    let _last = UdpSocket::bind(last.rerequest).unwrap();
    assert!(sockets::claim_near(&last).is_none());
}
