//! Two lanes in one process: what the firm may have is leased to them, and moves from one to the other while they run; there is
//! a kill switch for each and one for all.
//!
//! `cargo run --example lanes`. Nobody trades here: there is no venue at the other end.

use firelane_gateway::base::Notional;
use firelane_gateway::flow::risk::LaneLimitChange;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Fleet;
use firelane_gateway::shell::firm::Moved;
use firelane_gateway::shell::lanes::{self, LaneSetup, Lanes};
use firelane_gateway::shell::live::Setup;
use firelane_gateway::shell::net::KillSwitch;
use firelane_gateway::shell::plan::Cores;
use firelane_gateway::shell::plug::plugged;
use firelane_gateway::shell::plugs::Taker;
use std::error::Error;
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
wiring = "imbalance-taker"
instruments.directory = false
threads.idle = "park"
net = { line_a = "127.0.0.1:0", line_b = "127.0.0.1:0", orders = "127.0.0.1:9" }

[firm]                      # what all lanes may have together
max_total_open = 10_000_000

[[lane]]
name = "north"
instruments.listed = ["AAPL"]
entry.username = "NORTH"
risk.max_total_open = 6_000_000

[[lane]]
name = "south"
instruments.listed = ["MSFT"]
entry.username = "SOUTH"
risk.max_total_open = 4_000_000
"#;

/// Money units in a dollar: risk.money_exponent is -4.
const UNIT: i128 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let plug = plugged::<Taker>();
    let fleet = Fleet::parse_with(CONFIG, &[plug])?;
    let clock = Clock::new();
    let mut setups = Vec::new();
    for config in &fleet.lanes {
        let lane = plug.build(config, Some(clock.clone()))?;
        setups.push(LaneSetup { config, lane, setup: Setup::default() });
    }
    let plan = lanes::plan(&fleet, &Cores::here())?;
    let mut lanes = Lanes::start(setups, &clock, KillSwitch::new(), fleet.firm.as_ref(), &plan)?;
    println!("{plan}");

    // Five millions move from south to north: south is lowered first, and once it is within that, north is raised.
    let handle = lanes.handle().clone();
    let open = |whole: i128| LaneLimitChange { total_open: Some(Notional(whole * UNIT)), ..Default::default() };
    let ticket = handle.firm().ok_or("there is a [firm]")?.lease(&[(0, open(9_000_000)), (1, open(1_000_000))])?;
    let refused = handle.firm().ok_or("there is a [firm]")?.lease(&[(0, open(9_000_001))]);
    println!("more than there is: {}", refused.err().ok_or("it was to be refused")?);
    let began = Instant::now();
    loop {
        lanes.tend();
        match handle.firm().and_then(|firm| firm.outcome(ticket).cloned()) {
            Some(Moved::Pending) if began.elapsed() < Duration::from_secs(10) => {}
            Some(Moved::Taken) => break,
            other => return Err(format!("the leases have not moved: {other:?}").into()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    for (member, leased) in handle.members().iter().zip(handle.firm().iter().flat_map(|firm| firm.lanes())) {
        println!("{}: {} may be open", member.name, leased.has.values()[0] / UNIT);
    }

    // One for all; a lane's own is below it.
    handle.kill_switch().throw();
    assert!(handle.members().iter().all(|member| member.handle.kill_switch().is_thrown()));
    handle.members()[0].handle.kill_switch().throw();
    handle.kill_switch().release();
    assert!(handle.members()[0].handle.kill_switch().is_thrown(), "its own is thrown still");
    for ended in lanes.finish() {
        println!("{}: {:?}", ended.name, ended.why);
    }
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
