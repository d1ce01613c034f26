//! A program that commands a lane of its own process: it has an inbox, the log knows it by its number, and it hears what
//! became of what it said.
//!
//! `cargo run --example commander`. Nobody trades here: there is no venue at the other end.

use firelane_gateway::base::{InstrumentId, Nanos, Qty, StrategyId};
use firelane_gateway::flow::command::{Commander, Key, To, Word};
use firelane_gateway::flow::risk::LimitChange;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::live::{Answered, Inbox, Live, Setup, wishes};
use firelane_gateway::shell::plan::{Cores, Plan};
use firelane_gateway::shell::plug::plugged;
use firelane_gateway::shell::plugs::Taker;
use std::error::Error;
use std::time::{Duration, Instant};

/// Numbers are the programs' own, from 2 on: 0 is the shell, 1 the control socket.
const RISK: Commander = Commander(2);

const CONFIG: &str = r#"
wiring = "imbalance-taker"
[instruments]
listed = ["AAPL"]
[net]
line_a = "127.0.0.1:0"
line_b = "127.0.0.1:0"
orders = "127.0.0.1:9"
[threads]
idle = "park"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let plug = plugged::<Taker>();
    let config = Config::parse_with(CONFIG, &[plug])?;
    let clock = Clock::new();
    let lane = plug.build(&config, Some(clock.clone()))?;
    let plan = Plan::new(&wishes(&config.live.threads), &Cores::here(), config.live.threads.missing)?;
    let setup = Setup { commanders: vec![RISK], ..Setup::default() };
    let live = Live::start(lane, &config.live, clock.clone(), setup, &plan)?;
    let inbox = live.handle().inbox(RISK).ok_or("an inbox was asked for")?;

    let (aapl, taker) = (To::instrument(InstrumentId(0)), To::strategy(config.tags.strategy));
    let limit = |shares| Word::Limits(LimitChange { position: Some(Qty(shares)), ..LimitChange::default() });
    let size = Word::Parameter { key: Key::new("size").ok_or("a sound name")?, value: 200 };
    for (what, to, word) in [
        ("at most 300 shares", aapl, limit(300)),
        ("fewer than none", aapl, limit(-1)),
        ("200 shares an order", taker, size),
        ("stop what is not there", To::strategy(StrategyId(99)), Word::Kill),
    ] {
        // Whoever is late for this long is not to be obeyed any more.
        let expires = clock.now().after(Nanos::from_secs(2));
        let ticket = inbox.send(to, expires, word)?;
        let Answered { said, why, .. } = answer(inbox, ticket)?;
        println!("{what}: {}{}{why}", said.name(), if why.is_empty() { "" } else { ", " });
    }
    live.finish()?;
    Ok(())
}

/// The lane answers within a duty cycle; the tape, over which the answer comes, may lose one.
fn answer(inbox: &Inbox, ticket: u64) -> Result<Answered, &'static str> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        if let Some(answer) = inbox.answer(ticket) {
            return Ok(answer);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("no answer was heard; the log has what became of it")
}

#[test]
fn it_runs() {
    main().unwrap();
}
