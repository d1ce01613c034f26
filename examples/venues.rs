//! A lane of three venues, two that say every order and one that says levels alone, and a strategy that sees all three at one
//! instant: it buys where a name is offered below what another venue bids for it.
//!
//! `cargo run --example venues`. Nobody trades here: there is no venue at the other end. With
//! `firelane_desk::main(&[plugged::<Bargain>()])` it is a whole program, and `firelane venue` a venue of either kind.

use firelane_gateway::base::{InstrumentId, Qty, Side};
use firelane_gateway::flow::Word;
use firelane_gateway::flow::action::{Action, Enter, TimeInForce};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::strategy::{Actions, Strategy, View};
use firelane_gateway::flow::wiring::Parts;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::live::{Live, Setup, wishes};
use firelane_gateway::shell::plan::{Cores, Plan};
use firelane_gateway::shell::plug::{AnyKind, BuildError, House, Plug, plugged};
use std::error::Error;
use std::time::{Duration, Instant};

/// Buys one round lot at a time, and nothing more where it holds one.
struct Buyer;

firelane_gateway::state! { Buyer {} }

impl Strategy<()> for Buyer {
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, ()>, ask: &mut Actions) {
        let Some(name) = view.row(id).map(|row| row.name) else { return };
        let all = || (0..).map(InstrumentId).zip(view.instruments().rows());
        // The same name at every venue, by its books as they are now.
        let at = || all().filter(|(_, row)| row.name == name).map(|(id, _)| id);
        let offer = |id| view.book(id).top_without_own(Side::Sell).map(|level| level.price);
        let bid = |id| view.book(id).top_without_own(Side::Buy).map(|level| level.price);
        let Some((price, cheap)) = at().filter_map(|id| Some((offer(id)?, id))).min() else { return };
        let dearer = at().any(|id| bid(id) > Some(price) && view.book(id).freshness().is_fresh());
        if dearer && view.position(cheap) == Qty(0) && view.may_trade(cheap).is_ok() {
            let (side, tif) = (Side::Buy, TimeInForce::ImmediateOrCancel);
            let qty = Qty(view.row(cheap).map_or(1, |row| row.lot));
            let enter = Enter { instrument: cheap, side, price, qty, tif, post_only: false, tags: view.tags() };
            let _full = ask.push(Action::Enter(enter));
        }
    }
}

/// As short as a plug at one venue: `AnyKind` where that says `Nasdaq`, `with_any` where that says `with`.
struct Bargain;

impl Plug for Bargain {
    const NAME: &'static str = "bargain";
    const ABOUT: &'static str = "buys where a name is offered below what another venue bids";
    type Params = ();
    type Wiring = AnyKind<(), Buyer>;

    fn parts((): (), house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        house.with_any((), Buyer)
    }
}

/// What the venues have in common stands at the top; each says what it has differently.
const CONFIG: &str = r#"
wiring = "bargain"
threads.idle = "park"
tape.status_ms = 20
net = { line_a = "127.0.0.1:0", line_b = "127.0.0.1:0", orders = "127.0.0.1:9" }

[[venue]]
name = "XNAS"

[[venue]]
name = "XBOS"
entry = { username = "BOS", password_env = "BOS_PASSWORD" }
feed.start = "snapshot"

[[venue]]
name = "FAR"
kind = "levels"
net.stream = "127.0.0.1:9"
entry.username = "FAR"

[[instrument]]
name = "AAPL"
venue = "XNAS"
tick = "0.01"

[[instrument]]
name = "AAPL"
venue = "FAR"
tick = "0.01"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let plug = plugged::<Bargain>();
    let config = Config::parse_with(CONFIG, &[plug])?;
    for ((_, venue), (_, net)) in config.venues.iter().zip(config.live.net.iter()) {
        println!("{venue}, of kind {:?}: orders to {}", venue.kind.word(), net.orders);
    }
    let clock = Clock::new();
    let lane = plug.build(&config, Some(clock.clone()))?;
    let plan = Plan::new(&wishes(&config.live.threads), &Cores::here(), config.live.threads.missing)?;
    let live = Live::start(lane, &config.live, clock, Setup::default(), &plan)?;
    let started = live.handle().command(Word::Start);
    let began = Instant::now();
    while live.handle().board().lock().venues.len() < config.venues.count() {
        if !started || began.elapsed() > Duration::from_secs(10) {
            return Err("the lane does not say how its venues are doing".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    for (said, (_, venue)) in live.handle().board().lock().venues.iter().zip(config.venues.iter()) {
        println!("{venue}: {}", if said.ready == 1 { "orders may be sent" } else { "nobody is there" });
    }
    live.finish()?;
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
