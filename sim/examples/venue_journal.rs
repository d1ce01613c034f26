//! How large the venue's journal becomes, and how long a start from it takes.
//!
//! ```text
//! cargo run --release -p firelane-sim --example venue_journal -- [MINUTES [RATE]]
//! ```
//!
//! A far end is driven through so many minutes, as fast as it goes, on a clock that jumps from deadline to deadline: the
//! market of the venue's default configuration, and a client that enters and cancels a hundred orders a second. Then it
//! is dropped, as if killed, and started from its journal.

use firelane_gateway::base::{ExchangeTime, Mono, Nanos};
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::far_end::{Door, FarEnd, FarEndConfig, Login};
use firelane_sim::journal::Journal;
use firelane_sim::net::Faults;
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::server::VenueConfig;
use firelane_sim::venue::acceptor::PortConfig;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

const EPOCH: ExchangeTime = ExchangeTime::new(20_047, 34_200_000_000_000);
const LOGIN: Login = Login { username: *b"FIRE  ", password: *b"OPEN SESAM" };
/// Between two orders of the client.
const EVERY: Nanos = Nanos::from_millis(10);

fn far_end(path: &Path, rate: u32) -> Result<FarEnd, Box<dyn Error>> {
    let market = VenueConfig::parse("")?.market;
    let flow = FlowConfig { symbols: market.symbols.into(), rate, live_orders: 1_000, ..FlowConfig::default() };
    let port = PortConfig::new(LOGIN.username, LOGIN.password, *b"ORDERS0001", *b"FIRE");
    let exchange: Box<dyn Exchange> = Box::new(Synthetic::new(EPOCH, flow, vec![port], Faults::None, 1));
    let journal = Journal::open(path, 1, EPOCH)?;
    Ok(FarEnd::resume(FarEndConfig::under(Faults::None, 1, LOGIN), exchange, journal)?)
}

fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 1).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], &[letter], payload].concat()
}

/// Enter Order and Cancel Order (OUCH 5.0).
fn order(urn: u32, symbol: [u8; 8]) -> Vec<u8> {
    let number = urn.to_be_bytes();
    let id = format!("{urn:014}");
    let terms = [b"B", &100u32.to_be_bytes()[..], &symbol, &1_000u64.to_be_bytes(), b"0YPNN", id.as_bytes(), &[0, 0]];
    let enter = packet(b'U', &[&b"O"[..], &number, &terms.concat()].concat());
    [enter, packet(b'U', &[&b"X"[..], &number, &[0; 4], &[0, 0]].concat())].concat()
}

fn trade(far_end: &mut FarEnd, length: Nanos) -> Result<(), Box<dyn Error>> {
    let (mut now, mut next, mut urn) = (Mono(0), Mono(0).after(Nanos::from_secs(1)), 0);
    far_end.open(now);
    let symbol = far_end.exchange().symbols().first().copied().ok_or("no symbols")?;
    let conn = far_end.on_connect(now, Door::Orders(0));
    let login = [&LOGIN.username[..], &LOGIN.password, &[b' '; 10], format!("{:>20}", 1).as_bytes()].concat();
    far_end.on_bytes(now, conn, &packet(b'L', &login));
    while now.0 < length.0 {
        now = now.max(far_end.next_deadline()).min(next);
        far_end.on_timer(now);
        if now == next {
            urn += 1;
            far_end.on_bytes(now, conn, &order(urn, symbol.0));
            next = next.after(EVERY);
        }
        far_end.settle(now);
        far_end.commit()?;
        drop(far_end.take_outputs());
    }
    if far_end.is_logged_in(conn) { Ok(()) } else { Err("the client is not logged in".into()) }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let minutes: u64 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let rate: u32 = arguments.next().map_or(Ok(VenueConfig::parse("")?.market.rate), |text| text.parse())?;
    let path = std::env::temp_dir().join(format!("venue-{}.journal", std::process::id()));
    let mut first = far_end(&path, rate)?;
    let began = Instant::now();
    trade(&mut first, Nanos::from_secs(60 * minutes))?;
    println!("{minutes} min at {rate} messages/s: driven in {}", seconds(began.elapsed()));
    let (published, told) = (first.stats().published, first.exchange().port(0).map_or(0, |p| p.messages().len()));
    drop(first);
    let bytes = std::fs::metadata(&path)?.len();
    let began = Instant::now();
    let inputs = Journal::open(&path, 1, EPOCH)?.replay(|_, _| ())?;
    println!("journal: {bytes} bytes, {inputs} inputs, read in {}", seconds(began.elapsed()));
    println!("of a day with {published} messages published, {told} answers to the client");
    for _ in 0..3 {
        let began = Instant::now();
        let back = far_end(&path, rate)?;
        let took = began.elapsed();
        back.check()?;
        println!("started from it in {}, with {} messages", seconds(took), back.stats().published);
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
