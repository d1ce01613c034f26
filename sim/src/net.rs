//! The network between venue and gateway, with the faults of a real one: datagram lines that lose, repeat, reorder,
//! delay and corrupt ([`DatagramLink`]), byte streams that split, stall, go half-open and are cut ([`StreamLink`]).
//!
//! A link is a machine on the virtual clock: what is put in at one end comes out of the other when it is due. Every
//! fault is drawn from the link's own generator and counted.

mod datagram;
mod stream;

pub use datagram::{Corruption, DatagramFaults, DatagramLink, LinkStats};
pub use stream::{End, Split, StreamEvent, StreamFaults, StreamLink, StreamStats};

use crate::rng::Ppm;
use firelane_gateway::base::{LineId, Nanos};

/// How bad the world is. Every faulty component says for itself what a profile means to it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Faults {
    /// Delays only.
    #[default]
    None,
    /// A good day: a datagram in a thousand goes wrong, a session breaks every few minutes.
    Light,
    /// Several percent loss, duplication and reordering on both lines, sessions that break within seconds.
    Heavy,
}

impl Faults {
    /// The faults of a market-data line. Line B is the longer way.
    #[must_use]
    pub fn line(self, line: LineId) -> DatagramFaults {
        let delay = if line == LineId::A { Nanos::from_micros(10) } else { Nanos::from_micros(14) };
        match self {
            Faults::None => DatagramFaults::none(delay),
            Faults::Light => DatagramFaults {
                loss: Ppm(1_000),
                duplicate: Ppm(1_000),
                reorder: Ppm(2_000),
                reorder_by: Nanos::from_micros(200),
                corrupt: Ppm(100),
                ..DatagramFaults::none(delay)
            },
            Faults::Heavy => DatagramFaults {
                loss: Ppm::percent(3),
                burst: Ppm(1_000),
                burst_goes_on: Ppm::percent(95),
                duplicate: Ppm::percent(3),
                reorder: Ppm::percent(4),
                reorder_by: Nanos::from_millis(2),
                corrupt: Ppm(5_000),
                ..DatagramFaults::none(delay)
            },
        }
    }

    /// The faults of the way to the re-request server, or back.
    #[must_use]
    pub fn rerequest(self) -> DatagramFaults {
        let none = DatagramFaults::none(Nanos::from_micros(100));
        match self {
            Faults::None => none,
            Faults::Light => DatagramFaults { loss: Ppm(5_000), ..none },
            Faults::Heavy => DatagramFaults {
                loss: Ppm::percent(5),
                duplicate: Ppm::percent(3),
                reorder: Ppm::percent(5),
                reorder_by: Nanos::from_millis(1),
                corrupt: Ppm(5_000),
                ..none
            },
        }
    }

    /// The faults of a session: order entry, snapshot.
    #[must_use]
    pub fn session(self) -> StreamFaults {
        let none = StreamFaults::none(Nanos::from_micros(15));
        match self {
            Faults::None => none,
            Faults::Light => StreamFaults {
                split: Split::Random,
                coalesce: Ppm::percent(10),
                stall: Ppm(1_000),
                stall_for: Nanos::from_micros(500),
                cut_every: Nanos::from_secs(180),
                down_for: Nanos::from_millis(100),
                ..none
            },
            Faults::Heavy => StreamFaults {
                split: Split::Random,
                coalesce: Ppm::percent(30),
                stall: Ppm::percent(2),
                stall_for: Nanos::from_millis(5),
                cut_every: Nanos::from_secs(10),
                half_open_every: Nanos::from_secs(40),
                down_for: Nanos::from_millis(300),
                ..none
            },
        }
    }
}
