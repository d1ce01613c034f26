//! A line of datagrams: multicast line A or B, or one way of a re-request conversation.

use crate::clock::Agenda;
use crate::rng::{Ppm, Rng};
use firelane_gateway::base::{Mono, Nanos};

/// What becomes of a corrupted datagram.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Corruption {
    /// A checksum catches it: it is dropped.
    #[default]
    Detected,
    /// Nothing catches it: it arrives with flipped bits.
    Undetected,
}

/// The faults of a line. Chances are per datagram.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DatagramFaults {
    /// Time on the way.
    pub delay: Nanos,
    /// What each takes longer than that, drawn (exponentially) with this mean; nothing overtakes by it. Zero: nothing.
    pub jitter: Nanos,
    /// Lost, each for itself.
    pub loss: Ppm,
    /// Lost, and begins a burst.
    pub burst: Ppm,
    /// In a burst: the next is lost too.
    pub burst_goes_on: Ppm,
    /// Arrives twice, the copy up to `reorder_by` later.
    pub duplicate: Ppm,
    /// Is held up, so that later ones may overtake it.
    pub reorder: Ppm,
    /// By at most so long.
    pub reorder_by: Nanos,
    /// Is corrupted on the way.
    pub corrupt: Ppm,
    /// What that leads to.
    pub corruption: Corruption,
}

impl DatagramFaults {
    /// A perfect line that takes its time.
    #[must_use]
    pub fn none(delay: Nanos) -> Self {
        DatagramFaults { delay, ..Self::default() }
    }

    /// The same line without its faults: as long a way.
    #[must_use]
    pub fn healed(self) -> Self {
        let DatagramFaults { delay, jitter, .. } = self;
        DatagramFaults { delay, jitter, ..Self::default() }
    }
}

/// What happened on a line, in datagrams. Once all is quiet,
/// `delivered = sent + duplicated - lost - lost_in_burst - corrupt_dropped`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LinkStats {
    /// Put in.
    pub sent: u64,
    /// Came out, copies included.
    pub delivered: u64,
    /// Lost, each for itself.
    pub lost: u64,
    /// Lost in a burst.
    pub lost_in_burst: u64,
    /// Copied.
    pub duplicated: u64,
    /// Came out after one that was put in later.
    pub overtaken: u64,
    /// Corrupted, and dropped by a checksum.
    pub corrupt_dropped: u64,
    /// Corrupted, and delivered.
    pub corrupt_delivered: u64,
}

impl LinkStats {
    /// Of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        LinkStats {
            sent: self.sent + other.sent,
            delivered: self.delivered + other.delivered,
            lost: self.lost + other.lost,
            lost_in_burst: self.lost_in_burst + other.lost_in_burst,
            duplicated: self.duplicated + other.duplicated,
            overtaken: self.overtaken + other.overtaken,
            corrupt_dropped: self.corrupt_dropped + other.corrupt_dropped,
            corrupt_delivered: self.corrupt_delivered + other.corrupt_delivered,
        }
    }
}

/// One direction of a datagram path.
#[derive(Debug)]
pub struct DatagramLink {
    faults: DatagramFaults,
    rng: Rng,
    in_flight: Agenda<(u64, Vec<u8>)>,
    /// When the last one that was not held up arrives: without a fault nothing overtakes.
    last_arrival: Mono,
    in_burst: bool,
    latest_out: u64,
    stats: LinkStats,
}

impl DatagramLink {
    /// A quiet line.
    #[must_use]
    pub fn new(faults: DatagramFaults, rng: Rng) -> Self {
        DatagramLink {
            faults,
            rng,
            in_flight: Agenda::new(),
            last_arrival: Mono(0),
            in_burst: false,
            latest_out: 0,
            stats: LinkStats::default(),
        }
    }

    /// Other faults from now on; what is under way is not touched.
    pub fn set_faults(&mut self, faults: DatagramFaults) {
        self.faults = faults;
    }

    /// Puts a datagram in.
    pub fn send(&mut self, now: Mono, mut bytes: Vec<u8>) {
        let faults = self.faults;
        self.stats.sent += 1;
        if self.rng.chance(if self.in_burst { faults.burst_goes_on } else { faults.burst }) {
            self.in_burst = true;
            self.stats.lost_in_burst += 1;
            return;
        }
        self.in_burst = false;
        if self.rng.chance(faults.loss) {
            self.stats.lost += 1;
            return;
        }
        if self.rng.chance(faults.corrupt) {
            match faults.corruption {
                Corruption::Detected => {
                    self.stats.corrupt_dropped += 1;
                    return;
                }
                Corruption::Undetected => {
                    self.stats.corrupt_delivered += 1;
                    flip_bits(&mut self.rng, &mut bytes);
                }
            }
        }
        let number = self.stats.sent;
        let drawn = if faults.jitter.0 > 0 { self.rng.exponential(faults.jitter) } else { Nanos(0) };
        let straight = now.after(faults.delay).after(drawn).max(self.last_arrival);
        if self.rng.chance(faults.duplicate) {
            self.stats.duplicated += 1;
            let copy_at = straight.after(self.hold_up());
            self.in_flight.at(copy_at, (number, bytes.clone()));
        }
        if self.rng.chance(faults.reorder) {
            let held_up = straight.after(self.hold_up());
            self.in_flight.at(held_up, (number, bytes));
        } else {
            self.last_arrival = straight;
            self.in_flight.at(straight, (number, bytes));
        }
    }

    fn hold_up(&mut self) -> Nanos {
        Nanos(self.rng.between(1, self.faults.reorder_by.0.max(1)))
    }

    /// A datagram on a line that takes no time and has no faults, on which none is under way: it is there at once. Else it
    /// is put in.
    pub fn pass(&mut self, now: Mono, bytes: Vec<u8>) -> Option<Vec<u8>> {
        if self.faults == DatagramFaults::default() && self.in_flight.is_empty() && self.last_arrival <= now {
            self.stats.sent += 1;
            self.stats.delivered += 1;
            self.latest_out = self.stats.sent;
            return Some(bytes);
        }
        self.send(now, bytes);
        None
    }

    /// When the next datagram comes out.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.in_flight.next_deadline()
    }

    /// The next datagram due by `now`.
    pub fn receive(&mut self, now: Mono) -> Option<Vec<u8>> {
        let (_, (number, bytes)) = self.in_flight.due(now)?;
        self.stats.delivered += 1;
        self.stats.overtaken += u64::from(number < self.latest_out);
        self.latest_out = self.latest_out.max(number);
        Some(bytes)
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        self.stats
    }
}

/// Flips one to four different bits.
fn flip_bits(rng: &mut Rng, bytes: &mut [u8]) {
    let first = rng.index(bytes.len() * 8);
    for i in 0..rng.between(1, 4) as usize {
        // Neighbours, as on a real wire; never the same twice, so that something does change.
        let bit = first + i;
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Faults;
    use firelane_gateway::base::LineId;

    /// Sends `n` numbered datagrams 50 us apart and returns what came out, in order.
    fn run(faults: DatagramFaults, seed: u64, n: u64) -> (Vec<(Mono, Vec<u8>)>, LinkStats) {
        let mut link = DatagramLink::new(faults, Rng::new(seed, "line"));
        let mut out = Vec::new();
        let drain = |link: &mut DatagramLink, until: Mono, out: &mut Vec<(Mono, Vec<u8>)>| {
            while link.next_deadline() <= until && link.next_deadline() < Mono::NEVER {
                let at = link.next_deadline();
                while let Some(bytes) = link.receive(at) {
                    out.push((at, bytes));
                }
            }
        };
        for i in 0..n {
            let now = Mono(i * 50_000);
            drain(&mut link, now, &mut out);
            link.send(now, i.to_be_bytes().to_vec());
        }
        drain(&mut link, Mono::NEVER, &mut out);
        (out, link.stats())
    }

    #[test]
    fn without_faults_everything_comes_out_in_order_after_the_delay() {
        let (out, stats) = run(DatagramFaults::none(Nanos(7)), 1, 1_000);
        assert!(out.iter().zip(0u64..).all(|((at, b), i)| *at == Mono(i * 50_000 + 7) && *b == i.to_be_bytes()));
        assert_eq!(stats, LinkStats { sent: 1_000, delivered: 1_000, ..LinkStats::default() });
    }

    #[test]
    fn a_line_that_takes_no_time_passes_on_at_once_unless_something_is_under_way() {
        let mut link = DatagramLink::new(DatagramFaults::none(Nanos(7)), Rng::new(1, "line"));
        assert_eq!(link.pass(Mono(0), vec![1]), None);
        link.set_faults(DatagramFaults::default());
        assert_eq!(link.pass(Mono(1), vec![2]), None, "behind the first");
        assert_eq!((link.receive(Mono(7)), link.receive(Mono(7))), (Some(vec![1]), Some(vec![2])));
        assert_eq!(link.pass(Mono(7), vec![3]), Some(vec![3]));
        assert_eq!(link.stats(), LinkStats { sent: 3, delivered: 3, ..LinkStats::default() });
    }

    #[test]
    fn what_a_line_takes_may_be_drawn_and_nothing_overtakes() {
        let faults = DatagramFaults { jitter: Nanos(100_000), loss: Ppm::ALWAYS, ..DatagramFaults::none(Nanos(7)) };
        let (out, stats) = run(faults.healed(), 1, 2_000);
        let waits: Vec<u64> = out.iter().zip(0u64..).map(|((at, _), i)| at.0 - i * 50_000).collect();
        assert!(out.iter().zip(0u64..).all(|((_, bytes), i)| *bytes == i.to_be_bytes()) && stats.overtaken == 0);
        assert!(waits.iter().all(|ns| *ns >= 7) && waits.iter().sum::<u64>() / 2_000 > 90_000);
    }

    #[test]
    fn a_seed_reproduces_a_line_bit_for_bit() {
        let heavy = Faults::Heavy.line(LineId::A);
        assert_eq!(run(heavy, 5, 20_000), run(heavy, 5, 20_000));
        assert_ne!(run(heavy, 5, 20_000).0, run(heavy, 6, 20_000).0);
    }

    #[test]
    fn heavy_faults_come_at_their_rates() {
        let n = 400_000;
        let (out, s) = run(Faults::Heavy.line(LineId::B), 11, n);
        assert_eq!(s.sent, n);
        assert_eq!(s.delivered, s.sent + s.duplicated - s.lost - s.lost_in_burst - s.corrupt_dropped);
        assert_eq!(out.len() as u64, s.delivered);
        let permille = |x: u64| x * 1_000 / n;
        assert!((27..=31).contains(&permille(s.lost)), "{s:?}");
        assert!((27..=31).contains(&permille(s.duplicated)), "{s:?}");
        // A burst begins once in a thousand and takes 20 on average.
        assert!((15..=25).contains(&permille(s.lost_in_burst)), "{s:?}");
        assert!((4..=5).contains(&permille(s.corrupt_dropped)), "{s:?}");
        // 4 % are held up and 3 % copied; most of these are overtaken, as 2 ms is 40 datagrams.
        assert!((55..=70).contains(&permille(s.overtaken)), "{s:?}");
    }

    #[test]
    fn losses_come_in_bursts() {
        let faults = DatagramFaults { burst: Ppm(1_000), burst_goes_on: Ppm::percent(90), ..Default::default() };
        let (out, s) = run(faults, 2, 200_000);
        let arrived: Vec<u64> = out.iter().map(|(_, b)| u64::from_be_bytes(b[..].try_into().unwrap())).collect();
        let bursts = arrived.windows(2).filter(|w| w[1] != w[0] + 1).count() as u64;
        let mean = s.lost_in_burst as f64 / bursts as f64;
        assert!((8.0..12.5).contains(&mean), "mean length {mean}");
    }

    #[test]
    fn undetected_corruption_arrives_with_bits_flipped() {
        let faults = DatagramFaults { corrupt: Ppm::ALWAYS, corruption: Corruption::Undetected, ..Default::default() };
        let (out, s) = run(faults, 3, 1_000);
        assert_eq!((s.corrupt_delivered, s.corrupt_dropped, s.delivered), (1_000, 0, 1_000));
        for ((_, got), i) in out.iter().zip(0u64..) {
            let flipped = (u64::from_be_bytes(got[..].try_into().unwrap()) ^ i).count_ones();
            assert!((1..=4).contains(&flipped));
        }
        let mut empty = DatagramLink::new(faults, Rng::new(1, "empty"));
        empty.send(Mono(0), Vec::new());
        assert_eq!(empty.receive(Mono(0)), Some(Vec::new()));
    }
}
