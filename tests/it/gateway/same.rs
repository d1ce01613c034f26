//! The same inputs give the same outputs: whatever the size of the outbox, however TCP cut the bytes, in any lane.

use super::rig::*;
use firelane_gateway::base::{InstrumentId, Nanos, Reader, SessionId, Side, Token, VenueId, Writer};
use firelane_gateway::flow::Word;
use firelane_gateway::flow::outbox::{Class, Outbox, Output, Progress};
use firelane_gateway::flow::strategy::{MarketMaker, MarketMakerConfig};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

pub(super) fn maker() -> MarketMaker {
    let config = MarketMakerConfig { pause: Nanos(1), skew: 2_000, ..MarketMakerConfig::default() };
    MarketMaker::new(&config, 8).unwrap()
}

/// A day of a market maker: random flow on two symbols, fills, a gap of thousands of messages filled by re-request, a
/// lost session, a kill.
pub(super) fn a_day(seed: u64, gap: usize) -> Rig<MarketMaker> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut rig = Rig::of(&Setup::default(), maker());
    rig.open(2);
    let mut live: Vec<(u16, u64)> = Vec::new();
    let mut reference = 100_000;
    let mut some = |random: &mut Xoshiro256PlusPlus, n: usize| -> Vec<Vec<u8>> {
        (0..n)
            .map(|_| {
                let locate = random.random_range(1..=2);
                match random.random_range(0..5) {
                    0 | 1 if !live.is_empty() => {
                        let (locate, order) = live.swap_remove(random.random_range(0..live.len()));
                        delete(locate, order)
                    }
                    2 if !live.is_empty() => {
                        let (locate, order) = live[random.random_range(0..live.len())];
                        execute(locate, order, 1, reference)
                    }
                    _ => {
                        reference += 1;
                        live.push((locate, reference));
                        let ticks = random.random_range(0..8) * 100;
                        let shares = random.random_range(100..900);
                        if random.random() {
                            add(locate, reference, b"B", shares, 100_500 - ticks)
                        } else {
                            add(locate, reference, b"S", shares, 100_600 + ticks)
                        }
                    }
                }
            })
            .collect()
    };
    for round in 0..40 {
        let messages = some(&mut random, 5);
        rig.market(&messages);
        rig.pass(Nanos::from_millis(5));
        if let Some((token, open)) = rig.venue.orders.iter().next().map(|(t, o)| (*t, o.open))
            && round % 3 == 0
        {
            // At its limit: beyond it the venue would say what cannot be, and trading would stop.
            let limit = rig.lane.core().orders().by_token(VenueId(0), Token(token.into())).unwrap().limit.0;
            let report = rig.venue.execute(token, open.min(40), limit.unsigned_abs());
            rig.say(report);
        }
        match round {
            10 => {
                let (missing, first) = (some(&mut random, gap), rig.next);
                rig.next += gap as u64;
                rig.beat();
                // The messages behind the first fill the window, then the first comes and releases them all.
                for (n, chunk) in missing.chunks(500).enumerate().skip(1) {
                    rig.give(Given::Packet(A, packet(DAY, first + 500 * n as u64, chunk)));
                }
                rig.give(Given::Packet(R, packet(DAY, first, &missing[..500])));
                assert_eq!(rig.lane.feeds().first().next_sequence(), rig.next);
            }
            20 => rig.cut(),
            30 => rig.command(Word::Kill),
            32 => rig.command(Word::Release),
            _ => {}
        }
    }
    rig.pass(Nanos::from_secs(3));
    rig
}

#[test]
fn a_tiny_outbox_gives_the_same_outputs_as_a_large_one() {
    for seed in 0..4 {
        let rig = a_day(seed, 3_500);
        let digest = rig.lane.digest();
        let sent = |rig: &Rig<MarketMaker>| {
            rig.trace.effects.iter().filter(|e| matches!(e, Effect::Send(_, Class::Order, _))).count()
        };
        assert!(sent(&rig) > 20, "the maker was at work");
        for capacity in [0, 40 * 1024, 1 << 22] {
            let mut lane = lane(&Setup::default(), maker());
            let (trace, resumed) = replay(&mut lane, &rig.given, capacity, usize::MAX);
            assert!(trace == rig.trace && lane.digest() == digest, "seed {seed} capacity {capacity}");
            assert!(resumed >= 3_500 / 256 - 1, "the gap was released in many calls");
        }
    }
}

/// The maker remembers with which facts there was nothing to do. One that remembers nothing, for it was loaded a moment ago, asks
/// for the same.
#[test]
fn a_maker_without_a_memory_gives_the_same_outputs() {
    let rig = a_day(7, 600);
    let mut lane = lane(&Setup::default(), maker());
    let mut trace = Trace::default();
    for one in rig.given.chunks(1) {
        let (one, _) = replay(&mut lane, one, 1 << 22, usize::MAX);
        trace.effects.extend(one.effects);
        let saved = Writer::of(&lane);
        lane.load(&mut Reader(&saved)).unwrap();
    }
    assert!(trace.effects == rig.trace.effects && lane.digest() == rig.lane.digest());
}

/// A sale larger than the position leaves as two orders: also when the outbox has just room for the step.
#[test]
fn both_parts_of_a_split_sale_leave_however_full_the_outbox_is() {
    let mut setup = Setup::default();
    setup.orders.capacity = 256;
    // So many orders before it in the same packet that the sale meets every fill of the smallest outbox.
    for before in 64u32..=127 {
        let mut rig = Rig::trading(&setup);
        rig.tell(1, Do::Buy, 100, 99_000);
        let report = rig.venue.execute(rig.newest().1, 100, 99_000);
        rig.say(report);
        let mut messages: Vec<_> = [32, 32, (before - 64).min(32), before.saturating_sub(96)]
            .map(|count| tell(1, Do::BuyMany, count, 99_000))
            .to_vec();
        messages.push(tell(1, Do::Sell, 200, 103_000));
        rig.market(&messages);
        assert_eq!(rig.live(), before + 2);
        let mut lane = lane(&setup, Told::default());
        let (trace, _) = replay(&mut lane, &rig.given, 1 << 22, usize::MAX);
        assert!(trace == rig.trace && lane.digest() == rig.lane.digest(), "after {before} orders");
    }
}

/// An enter, both parts of a sale, a replace and a cancel are in the outbox, for the shell to send, before table, ledger or tape
/// know of them; one more call, and all do.
#[test]
fn an_order_is_sent_before_anything_is_written_down() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    let report = rig.venue.execute(rig.newest().1, 100, 99_000);
    rig.say(report);
    rig.tell(1, Do::Buy, 50, 98_000);
    let open = |rig: &Rig| {
        let account = rig.lane.core().gate().ledger().account(InstrumentId(0));
        [Side::Buy, Side::Sell].map(|side| account.open(side).qty.0)
    };
    // What is asked for; how many messages leave, how many orders take a step, and how many live then. (One that is being
    // replaced is cancelled under both of its numbers.)
    for (what, shares, price, messages, steps, after) in [
        (Do::Buy, 10, 97_000, 1, 1, 2),
        (Do::Sell, 150, 103_000, 2, 2, 4),
        (Do::Replace, 40, 97_500, 1, 1, 4),
        (Do::Cancel, 0, 0, 2, 1, 4),
    ] {
        let before = (rig.live(), open(&rig));
        let bytes = packet(DAY, rig.next, &[tell(1, what, shares, price)]);
        rig.next += 1;
        let given = Given::Packet(A, bytes);
        let (now, mut out) = (rig.now, Outbox::new(0));
        let first = rig.lane.on_input(now, given.as_input(), &mut out);
        let sent = |out: &Outbox| {
            let mut sent = (0, 0);
            for output in out.outputs() {
                match output {
                    Output::Send { class: Class::Order | Class::Cancel, .. } => sent.0 += 1,
                    Output::Tape(record) if matches!(record[4], 128 | 129) => sent.1 += 1,
                    _ => {}
                }
            }
            sent
        };
        assert_eq!((first, sent(&out)), (Progress::Again, (messages, 0)), "{what:?}");
        assert_eq!((rig.live(), open(&rig)), before, "{what:?}");
        out.clear();
        let second = rig.lane.resume(given.as_input(), &mut out);
        assert_eq!((second, sent(&out).0, rig.live()), (Progress::Done, 0, after), "{what:?}");
        assert_eq!(sent(&out).1, 2 * steps, "{what:?}: an order's step and a decision for each");
        assert_eq!(open(&rig) == before.1, matches!(what, Do::Cancel | Do::Replace), "{what:?}");
    }
}

#[test]
fn outputs_do_not_depend_on_how_tcp_cuts_the_bytes() {
    /// Bytes by session, in order; and what became of orders.
    fn told(trace: &Trace) -> (Vec<u8>, Vec<Vec<u8>>) {
        let sent = trace.effects.iter().filter_map(|e| match e {
            Effect::Send(SessionId::ORDERS, _, bytes) => Some(bytes.clone()),
            _ => None,
        });
        let steps = trace.tape.iter().filter(|(kind, _)| matches!(kind, 128 | 129)).map(|(_, body)| body.clone());
        (sent.collect::<Vec<_>>().concat(), steps.collect())
    }
    for seed in 10..13 {
        let rig = a_day(seed, 600);
        for cut in [1, 2, 3, 7, 50] {
            let mut lane = lane(&Setup::default(), maker());
            let (trace, _) = replay(&mut lane, &rig.given, 0, cut);
            assert!(told(&trace) == told(&rig.trace), "seed {seed} cut {cut}");
        }
    }
}

#[test]
fn two_lanes_fed_alike_are_alike_and_one_fed_otherwise_is_not() {
    let rig = a_day(21, 600);
    let digest_after = |given: &[_]| {
        let mut lane = lane(&Setup::default(), maker());
        let _ = replay(&mut lane, given, 0, usize::MAX);
        lane.digest()
    };
    assert_eq!(digest_after(&rig.given), rig.lane.digest());
    assert_eq!(digest_after(&rig.given), digest_after(&rig.given));
    let mut other = rig.given.clone();
    let (n, byte) = other
        .iter_mut()
        .enumerate()
        .find_map(|(n, (_, g))| match g {
            Given::Packet(A, bytes) if bytes.len() > 100 => bytes.last_mut().map(|b| (n, b)),
            _ => None,
        })
        .unwrap();
    *byte ^= 4;
    // The copy on B comes too late to matter.
    assert_ne!(digest_after(&other), rig.lane.digest(), "input {n}");
}

/// Two lanes are built and run for each, a whole script long: so it is two thousand here and not a million. The fuzzer
/// goes on from there.
#[test]
fn mutated_scripts() {
    use crate::targets_gateway::{operation, sample, whole_lane};
    let start = [operation(b'k', &[6]), operation(b'C', &[]), operation(b't', &[255])].concat();
    whole_lane(&sample());
    crate::mutations::mutations(2_000, 0x6A7E, &[sample(), start], whole_lane);
}
