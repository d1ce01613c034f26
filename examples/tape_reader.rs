//! A reader of the tape in a process of its own: says what happens to orders, and at the end how much it saw.
//!
//! Start a gateway whose configuration shares its tape, then this:
//!
//! ```text
//! firelane run gateway.toml --set tape.shared=/dev/shm/firelane.tape
//! cargo run --example tape_reader -- /dev/shm/firelane.tape
//! ```
//!
//! It maps the ring and reads it in place; the gateway does not know of it but for a slot in which it says how far it is
//! (`firelane status`). If it is too slow it loses records, and is told how many; nobody else is concerned.

use firelane_gateway::flow::action::Happening;
use firelane_gateway::flow::record::{Kind, OrderBody};
use firelane_gateway::shell::broadcast::{Begin, Got};
use firelane_gateway::shell::log::Record;
use firelane_gateway::shell::share::{SharedReader, WriterState};
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;
use zerocopy::FromBytes;

/// What it has seen.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sum {
    /// Records read.
    pub records: u64,
    /// Fills among them.
    pub fills: u64,
    /// Records that came too fast.
    pub lost: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: tape_reader TAPE (the gateway's tape.shared)")?;
    let sum = follow(Path::new(&path), &mut io::stdout())?;
    println!("{} records, {} fills, {} records lost", sum.records, sum.fills, sum.lost);
    Ok(())
}

/// Reads a tape from its oldest record to its end; says each fill.
///
/// # Errors
/// There is no tape, it is damaged, its records are of another build, or its writer died.
pub fn follow(path: &Path, to: &mut impl Write) -> Result<Sum, Box<dyn Error>> {
    let mut tape = SharedReader::open(path, Begin::Oldest, "example")?;
    let names: Vec<String> = tape.header().instruments.iter().map(|row| row.name.clone()).collect();
    let (mut sum, mut died) = (Sum::default(), false);
    loop {
        match tape.read()? {
            Got::Record(bytes) => {
                // A kind that has another version here is refused, one that is not known is none of ours.
                let record = Record::parse(bytes, sum.records, 0)?;
                sum.records += 1;
                if record.kind == Some(Kind::Order)
                    && let Ok(order) = OrderBody::read_from_bytes(&record.body)
                    && order.what == Happening::Filled as u8
                {
                    sum.fills += 1;
                    let name = names.get(order.instrument.get() as usize).map_or("?", String::as_str);
                    let (qty, price) = (order.fill_qty.get(), order.fill_price.get());
                    writeln!(to, "order {}: {qty} of {name} at {price}", order.order)?;
                }
            }
            Got::Lost { records, .. } => sum.lost += records,
            // Read once more after it was seen to be gone: what it wrote last is there.
            Got::Nothing if died => return Err("the gateway is gone: the end of its tape may be missing".into()),
            Got::Nothing => {
                // A pause of your own choosing: the ring holds what comes meanwhile.
                std::thread::sleep(Duration::from_millis(5));
                died = tape.writer() == WriterState::Died;
            }
            Got::End => return Ok(sum),
        }
    }
}
