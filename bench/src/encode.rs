//! From an approved action to framed bytes in the outbox, beside crates that frame the same order.
//!
//! Every contestant has its orders ready, in the form in which its own program has them then (here what the gate approved),
//! and frames them one after another: a SoupBinTCP packet with OUCH 5.0's Enter Order. Their bytes must be the same.

use crate::contest::Right;
use crate::pieces::EncodeWork;
use anyhow::{Result, ensure};
use firelane_contest::orders::{self, Order, Packets};
use firelane_contest::{Contestant, Digest, Pass};
use firelane_gateway::flow::wire::ouch50::Inbound;
use std::time::Instant;

/// Orders of a pass.
pub const ORDERS: usize = 20_000;

/// A file of orders: those that the gate lets pass first, as this build frames them.
///
/// # Errors
/// None, unless one does not leave.
pub fn file(count: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count * orders::LENGTH);
    frames(count, |frame| {
        if let Some(Ok(Inbound::EnterOrder(m, _))) = frame.get(3..).map(Inbound::decode) {
            let order = Order {
                token: m.user_ref_num.get().0,
                side: m.side.0,
                shares: m.quantity.shares(),
                symbol: m.symbol,
                price: m.price.bits(),
                text: m.cl_ord_id,
            };
            bytes.extend_from_slice(&order.bytes());
        }
    })?;
    ensure!(bytes.len() == count * orders::LENGTH, "what was framed is not Enter Orders");
    Ok(bytes)
}

/// What is right of it, by the frames as the specification has them.
#[must_use]
pub fn right(file: &[u8]) -> Right {
    let digest = Digest { lines: Packets::right(file).lines(), ..Digest::default() };
    Right { messages: (file.len() / orders::LENGTH) as u64, digest }
}

/// Frames so many from the first on.
fn frames(count: usize, mut see: impl FnMut(&[u8])) -> Result<()> {
    let mut work = EncodeWork::new()?;
    for order in work.approved(count)? {
        ensure!(work.encode(order), "an order did not leave");
        work.drain(&mut see);
    }
    Ok(())
}

/// The lane's order entry as a contestant.
#[derive(Debug, Default)]
pub struct Encoding {
    count: usize,
}

impl Encoding {
    fn timed(&self) -> Result<u64> {
        let mut work = EncodeWork::new()?;
        let approved = work.approved(self.count)?;
        let start = Instant::now();
        let mut left = 0;
        for order in approved {
            left += usize::from(work.encode(order));
            work.clear();
        }
        let took = start.elapsed().as_nanos();
        ensure!(left == self.count, "an order did not leave");
        Ok(u64::try_from(took)?)
    }
}

impl Contestant for Encoding {
    fn clear(&mut self) {}

    fn apply(&mut self, bytes: &[u8]) -> u64 {
        (bytes.len() / orders::LENGTH) as u64
    }

    /// Order entry logs in anew for each pass, and its approvals are made before: neither is timed.
    fn pass(&mut self, bytes: &[u8], _: usize) -> Pass {
        self.count = bytes.len() / orders::LENGTH;
        Pass { messages: self.count as u64, ns: self.timed().unwrap_or(0) }
    }

    fn digest(&self) -> Digest {
        let mut packets = Packets::default();
        let framed = frames(self.count, |frame| packets.take(frame));
        let lines = framed.map_or_else(|error| vec![error.to_string()], |()| packets.lines());
        Digest { lines, ..Digest::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_entry_frames_what_the_specification_says() {
        let file = file(500).unwrap();
        let (right, mut ours) = (right(&file), Encoding::default());
        let pass = ours.pass(&file, 0);
        assert!(pass.messages == 500 && pass.ns > 0);
        assert_eq!(right.digest.difference(&ours.digest()), None);
        let sides: Vec<u8> = Order::all(&file).iter().map(|order| order.side).collect();
        assert!(sides.contains(&b'B') && sides.contains(&b'T'), "{sides:?}");
    }
}
