//! Three currencies at one venue: the best cycle, what it gains to the last digit, and how much can be sent around.
//!
//! ```text
//! cargo run -p firelane-arbitrage --example triangle
//! ```

use firelane_arbitrage::cycles::{Graph, best};
use firelane_arbitrage::quotes::Quotes;
use std::error::Error;

const QUOTES: &str = "\
venue,base,quote,bid,bid_size,ask,ask_size,lot,fee_bp
A,EUR,USD,1.10,1000,1.11,1000,1,0.2
A,USD,JPY,150,500,151,1000,1,0.2
A,EUR,JPY,162,1000,163.366,1000,1,0.2
";

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", around()?);
    Ok(())
}

fn around() -> Result<String, Box<dyn Error>> {
    let quotes = Quotes::parse(QUOTES)?;
    let Some(cycle) = best(&Graph::new(&quotes), 3)?.cycle else { return Ok("nothing leads around\n".into()) };
    let names: Vec<&str> = cycle.through.iter().map(|at| quotes.currencies()[*at].as_str()).collect();
    let (gain, filled) = (cycle.product(&quotes).gain(), cycle.filled(&quotes));
    let money = |units: u64| format!("{}.{:04}", units / 10_000, units % 10_000);
    Ok(format!("{} gains {gain:.9}; {} become {}\n", names.join(" > "), money(filled.given), money(filled.got)))
}

#[test]
fn the_triangle_gains() {
    assert_eq!(around().unwrap(), "EUR > USD > JPY gains 0.009941482; 454.5546 become 459.0734\n");
}
