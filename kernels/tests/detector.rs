//! A detector on books made by hand: what it hears of an event, by which clock it steps, what it says, and that it says the same
//! beside the lane.

use firelane_gateway::base::{ExchangeTime, InstrumentId, Price, Qty, Reader, Side, State, VenueId, VenueRef, Writer};
use firelane_gateway::flow::book::StaleReason;
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::record::{self, Kind, SignalBody};
use firelane_gateway::flow::signal::Signal;
use firelane_gateway::shell::made::{MadeLane, equity};
use firelane_kernels::detector::encoder::{RATE, RESTART};
use firelane_kernels::detector::tape::{Beside, LAST, SEEN, Told};
use firelane_kernels::detector::watcher::{LAGGING, Raised, SAID, WARM, Watcher};
use firelane_kernels::detector::{Detector, Place, Settings};
use firelane_kernels::spikes::{Device, Software, Spike, Variable};
use zerocopy::IntoBytes;

const MS: u64 = 1_000_000;
const NINE: u64 = 9 * 3_600 * 1_000 * MS;

/// A network whose `n` neurons each hear one unit of `in`: a neuron fires in the step in which its unit does.
fn relay(n: usize) -> String {
    let rows: Vec<String> = (0..n)
        .map(|row| format!("[{}]", (0..n).map(|c| if c == row { "100" } else { "0" }).collect::<Vec<_>>().join(",")))
        .collect();
    format!(
        "{{\"populations\":[{{\"id\":\"out\",\"n\":{n},\"du\":4095,\"dv\":4095,\"vth\":90}}],\"connections\":[{{\"src\":\"in\",\
         \"dst\":\"out\",\"weights\":[{}]}}]}}",
        rows.join(",")
    )
}

/// One neuron that keeps what it hears: it fires when it has heard four events, however long that takes.
const COUNTS: &str = "{\"populations\":[{\"id\":\"out\",\"n\":1,\"du\":4095,\"dv\":0,\"vth\":350}],\"connections\":[{\"src\":\"in\",\
                      \"dst\":\"out\",\"weights\":[[100]]}]}";

/// One neuron that leaks: two events within about a millisecond of 100 us steps.
const LEAKS: &str = "{\"populations\":[{\"id\":\"out\",\"n\":1,\"du\":4095,\"dv\":400,\"vth\":150}],\"connections\":[{\"src\":\"in\",\
                     \"dst\":\"out\",\"weights\":[[100]]}]}";

fn settings(network: &str, rest: &str) -> Settings {
    Settings::parse(&text(network, rest)).unwrap()
}

fn text(network: &str, rest: &str) -> String {
    format!("network = '{network}'\n{rest}")
}

/// Every kind, both sides, two levels and the rest, two sizes: 72 units, each with a neuron that says so.
fn all_units(time: &str) -> Settings {
    let alerts: String =
        (0..32).map(|n| format!("[[alert]]\nname = \"{n}\"\npopulation = \"out\"\nunit = {n}\n")).collect();
    settings(
        &relay(72),
        &format!(
            "{time}\n[address]\ninput = \"in\"\nkinds = [\"add\", \"execute\", \"reduce\", \"delete\", \"replace\", \
             \"trade\"]\nlevels = 2\nsizes = [200]\n{alerts}"
        ),
    )
}

fn one(network: &str, time: &str) -> Settings {
    settings(
        network,
        &format!(
            "{time}\n[address]\ninput = \"in\"\nkinds = [\"add\"]\nsides = false\n[[alert]]\nname = \"a\"\npopulation = \"out\"\n"
        ),
    )
}

fn lane(settings: &Settings) -> (MadeLane<Detector>, InstrumentId) {
    MadeLane::of(equity("FIRE"), Detector::new(settings, Place::Lane, 1).unwrap())
}

/// What was said, but that it is warm.
fn said(lane: &mut MadeLane<Detector>) -> Vec<(u32, i64, i64)> {
    let said = lane.said().into_iter().map(|one| (one.code.get(), one.first.get(), one.second.get()));
    said.filter(|(code, ..)| *code != WARM).collect()
}

/// The unit of a kind (by its place in the list), a side, a level and a size.
fn unit(kind: usize, sell: bool, level: usize, large: bool) -> usize {
    ((kind * 2 + usize::from(sell)) * 3 + level) * 2 + usize::from(large)
}

fn order_of(event: Event) -> VenueRef {
    let EventKind::Add { order, .. } = event.kind else { panic!("{event:?}") };
    order
}

/// Which unit fired last, told by the neuron's current: each hears one unit alone.
fn fired(lane: &MadeLane<Detector>, id: InstrumentId) -> Vec<usize> {
    let device = lane.signal().watcher().unwrap().device(id).unwrap();
    (0..72).filter(|unit| device.probe(Variable::Current, 0, *unit).unwrap() > 0).collect()
}

#[test]
fn each_kind_of_event_has_its_unit_by_side_level_and_size() {
    let (mut lane, id) = lane(&all_units("time = \"event\""));
    let add = |side, price, qty| (side, Price(price), Qty(qty));
    // Level and size of an order that enters: where it stands once it is there.
    for (n, ((side, price, qty), expected)) in [
        (add(Side::Buy, 100_000, 199), unit(0, false, 0, false)),
        (add(Side::Buy, 100_100, 200), unit(0, false, 0, true)),
        (add(Side::Buy, 99_000, 300), unit(0, false, 2, true)),
        (add(Side::Buy, 100_000, 100), unit(0, false, 1, false)),
        (add(Side::Sell, 100_500, 100), unit(0, true, 0, false)),
        (add(Side::Sell, 100_600, 500), unit(0, true, 1, true)),
    ]
    .into_iter()
    .enumerate()
    {
        let order = VenueRef(1_000 + n as u64);
        lane.event(id, EventKind::Add { order, side, qty, price });
        assert_eq!(fired(&lane, id), [expected], "add {n}");
    }
    let order = |n: u64| VenueRef(1_000 + n);
    // What leaves or shrinks: as it stood before, and for a delete all that stood.
    for (kind, expected) in [
        (
            EventKind::Execute { order: order(1), qty: Qty(50), price: None, printable: true, trade: 1 },
            unit(1, false, 0, false),
        ),
        (
            EventKind::Execute { order: order(2), qty: Qty(250), price: None, printable: true, trade: 2 },
            unit(1, false, 2, true),
        ),
        (EventKind::Reduce { order: order(5), qty: Qty(10) }, unit(2, true, 1, false)),
        (EventKind::Reduce { order: order(5), qty: Qty(200) }, unit(2, true, 1, true)),
        // The last shares of the best ask.
        (EventKind::Delete { order: order(4) }, unit(3, true, 0, false)),
        (EventKind::Delete { order: order(5) }, unit(3, true, 0, true)),
        (EventKind::Delete { order: order(1) }, unit(3, false, 0, false)),
        (
            EventKind::Replace { order: order(0), new: order(9), qty: Qty(400), price: Price(98_000) },
            unit(4, false, 2, true),
        ),
    ] {
        lane.event(id, kind);
        assert_eq!(fired(&lane, id), [expected], "{kind:?}");
    }
    // A trade that nothing displayed took part in has the side that was hidden.
    lane.shows(id, Side::Sell, Price(100_400), Qty(100));
    for (price, sell) in [(100_400, true), (100_201, true), (100_200, false), (100_000, false)] {
        lane.event(id, EventKind::Trade { qty: Qty(1), price: Price(price), trade: 3 });
        assert_eq!(fired(&lane, id), [unit(5, sell, 0, false)], "{price}");
    }
    // Own orders are none of it, wherever they rest: at the best, at a level that has units of its own, and deeper.
    for price in [100_000, 99_900, 90_000] {
        lane.rests(id, Side::Buy, Price(price), Qty(100));
    }
    let counters = lane.signal().watcher().unwrap().counters();
    assert_eq!((counters.steps, counters.faults, counters.clipped), (19, 0, 0));
}

/// Of a book of levels: what is more or less than before, and by how much; where it stands once it is there, or stood before it left.
#[test]
fn a_level_that_changes_is_an_order_that_comes_or_leaves() {
    let (mut lane, id) = lane(&all_units("time = \"event\""));
    for (side, price, qty, expected) in [
        (Side::Buy, 100_000, 150, unit(0, false, 0, false)),
        (Side::Buy, 99_900, 600, unit(0, false, 1, true)),
        (Side::Buy, 99_000, 900, unit(0, false, 2, true)),
        (Side::Buy, 98_000, 500, unit(0, false, 2, true)),
        (Side::Buy, 100_100, 100, unit(0, false, 0, false)),
        (Side::Sell, 100_300, 100, unit(0, true, 0, false)),
        // More of what is there is so much more, and less is so much less: near the best, and as deep as one likes.
        (Side::Buy, 99_900, 700, unit(0, false, 2, false)),
        (Side::Buy, 100_000, 400, unit(0, false, 1, true)),
        (Side::Buy, 100_000, 300, unit(2, false, 1, false)),
        (Side::Buy, 99_000, 850, unit(2, false, 2, false)),
        (Side::Buy, 98_000, 100, unit(2, false, 2, true)),
        (Side::Buy, 98_000, 250, unit(0, false, 2, false)),
        // All of it.
        (Side::Buy, 98_000, 0, unit(3, false, 2, true)),
        (Side::Buy, 100_100, 0, unit(3, false, 0, false)),
        (Side::Buy, 100_000, 0, unit(3, false, 0, true)),
        (Side::Sell, 100_300, 0, unit(3, true, 0, false)),
    ] {
        let (price, qty) = (Price(price), Qty(qty));
        lane.event(id, EventKind::Level { side, price, qty, orders: 0 });
        assert_eq!(fired(&lane, id), [expected], "{qty:?} at {price:?}");
    }
}

#[test]
fn own_orders_and_books_that_are_not_to_be_trusted_are_not_seen() {
    let (mut lane, id) = lane(&one(COUNTS, "time = \"event\""));
    let seen = |lane: &MadeLane<Detector>| lane.signal().watcher().unwrap().counters().steps;
    lane.shows(id, Side::Buy, Price(100_000), Qty(100));
    lane.rests(id, Side::Buy, Price(100_000), Qty(100));
    assert_eq!(seen(&lane), 1);
    lane.shows(id, Side::Buy, Price(100_000), Qty(100));
    for reason in [StaleReason::Malformed, StaleReason::Fault, StaleReason::Full, StaleReason::Snapshot] {
        lane.doubts(reason);
        lane.shows(id, Side::Buy, Price(100_000), Qty(100));
        lane.trusts(reason);
    }
    assert_eq!((seen(&lane), said(&mut lane)), (2, vec![]));
    // Behind it the network starts over: four more, and not two.
    // In a gap nothing is missing that does not come, or is said to be lost.
    for (reason, expected) in [
        (StaleReason::Gap, vec![]),
        (StaleReason::Silent, vec![]),
        (StaleReason::Gap, vec![]),
        (StaleReason::Gap, vec![(1, 1, 4)]),
    ] {
        lane.doubts(reason);
        lane.shows(id, Side::Buy, Price(100_000), Qty(100));
        lane.trusts(reason);
        assert_eq!(said(&mut lane), expected);
    }
    // And likewise where its books were made anew, though it heard of no event in between.
    lane.shows(id, Side::Buy, Price(100_000), Qty(100));
    lane.signal_mut().on_anew(VenueId::FIRST);
    for expected in [vec![], vec![], vec![], vec![(1, 1, 4)]] {
        lane.shows(id, Side::Buy, Price(100_000), Qty(100));
        assert_eq!(said(&mut lane), expected);
    }
    let mut counts = std::collections::BTreeMap::new();
    lane.signal().counters(&mut |name, value| {
        counts.insert(name, value);
    });
    let of = |name| counts[name];
    assert_eq!((of("detector_own"), of("detector_stale"), of("detector_restarts")), (1, 4, 2));
    assert_eq!((of("network_restarts"), of("network_alerts"), of("network_steps")), (2, 2, 11));
}

/// All events of one dt share a step, which is taken when the next event comes; silence is stepped through, bit for bit.
#[test]
fn by_a_clock_events_of_one_dt_share_a_step_and_silence_is_caught_up() {
    let settings = one(LEAKS, "time = \"dt\"\ndt_us = 100\ncatch_up = 1000");
    let (mut detected, id) = lane(&settings);
    // In steps of 100 us: two in one step are one spike, two in neighbouring steps reach the threshold, three apart leak.
    let times = [0, 10, 99, 5_000, 5_150, 9_000, 9_900, 20_000, 20_199, 20_230, 90_000, 90_100, 99_999];
    let mut by_hand = Software::best();
    Device::load(&mut by_hand, settings.program()).unwrap();
    let (mut out, mut expected, mut next) = ([Spike::default(); 1], Vec::new(), 0);
    for at in times {
        detected.stamps(ExchangeTime(NINE + at * 1_000));
        detected.shows(id, Side::Buy, Price(100_000), Qty(100));
        // The steps before this event's, by hand, one after the other.
        for step in next..at / 100 {
            let heard = times.iter().any(|other| other / 100 == step);
            let events = [Spike::of(0, 0)];
            if by_hand.step(&events[..usize::from(heard)], &mut out).unwrap().spikes > 0 {
                expected.push((1, 1, (NINE + step * 100_000) as i64));
            }
        }
        next = at / 100;
        let device = detected.signal().watcher().unwrap().device(id).unwrap();
        assert_eq!(device.probe(Variable::Voltage, 0, 0), by_hand.probe(Variable::Voltage, 0, 0), "{at}");
    }
    assert_eq!(said(&mut detected), expected);
    assert_eq!(expected.len(), 3, "{expected:?}");
    let counters = *detected.signal().watcher().unwrap().counters();
    assert_eq!((counters.steps, counters.silent, counters.lagging), (999, 999 - 10, 0), "{counters:?}");
}

#[test]
fn a_silence_over_the_bound_lags_and_gates_nothing_until_it_is_warm() {
    let settings = settings(
        COUNTS,
        "time = \"dt\"\ndt_us = 1000\ncatch_up = 5\nwarm_up = 3\n[address]\ninput = \"in\"\nkinds = [\"add\"]\nsides = \
         false\n[[alert]]\nname = \"a\"\npopulation = \"out\"\ngates = true\nhold_ms = 4",
    );
    let (mut lane, id) = lane(&settings);
    let at = |lane: &mut MadeLane<Detector>, ms: u64| {
        lane.stamps(ExchangeTime(NINE + ms * MS));
        lane.shows(id, Side::Buy, Price(100_000), Qty(100));
        (said(lane), lane.value(id).0)
    };
    // Four in a row: the fourth step is taken as the fifth event comes.
    for ms in 0..4 {
        assert_eq!(at(&mut lane, ms), (vec![], false), "{ms}");
    }
    assert_eq!(at(&mut lane, 4), (vec![(1, 1, (NINE + 3 * MS) as i64)], true));
    // Held for 4 ms from the event with which it came on: 8 is over.
    assert_eq!(at(&mut lane, 7), (vec![], true));
    assert_eq!(at(&mut lane, 8), (vec![], false));
    // Five steps of silence are stepped through, and what it had heard counts: of 4, 7, 8 and 14 it fires.
    assert_eq!(at(&mut lane, 14), (vec![], false));
    assert_eq!(at(&mut lane, 15), (vec![(1, 1, (NINE + 14 * MS) as i64)], true));
    // Six are not: it starts over, holds nothing, and what would fire while it is cold is counted and not told.
    assert_eq!(at(&mut lane, 22), (vec![(LAGGING, 6, (NINE + 22 * MS) as i64)], false));
    let before = *lane.signal().watcher().unwrap().counters();
    assert_eq!((before.lagging, before.missed, before.restarts), (1, 6, 1));
    for ms in 23..26 {
        assert_eq!(at(&mut lane, ms), (vec![], false), "{ms}");
    }
    // Steps 22 to 25: the fourth is the first that is warm.
    assert_eq!(at(&mut lane, 26), (vec![(1, 1, (NINE + 25 * MS) as i64)], true));
    // An earlier stamp shares the step at hand; one of another day starts over.
    assert_eq!(at(&mut lane, 25).0, vec![]);
    lane.stamps(ExchangeTime(MS));
    lane.shows(id, Side::Buy, Price(100_000), Qty(100));
    assert_eq!(said(&mut lane), [(LAGGING, 0, MS as i64)]);
    assert!(!lane.value(id).0);
}

#[test]
fn alerts_close_by_merge_and_cold_ones_are_counted() {
    let settings = settings(
        &relay(1),
        "time = \"event\"\nwarm_up = 2\n[address]\ninput = \"in\"\nkinds = [\"add\"]\nsides = false\n[[alert]]\nname = \
         \"a\"\npopulation = \"out\"\nmerge = 2",
    );
    let (mut lane, id) = lane(&settings);
    let mut codes = Vec::new();
    for _ in 0..9 {
        lane.shows(id, Side::Buy, Price(100_000), Qty(100));
        codes.extend(lane.said().into_iter().map(|one| (one.code.get(), one.second.get())));
    }
    assert_eq!(codes, [(WARM, 3), (1, 3), (1, 6), (1, 9)]);
    let counters = lane.signal().watcher().unwrap().counters();
    assert_eq!((counters.cold, counters.merged, counters.alerts), (2, 4, 3));
}

/// Delta modulation of the middle and a rate of the imbalance, with what a network then hears looked at by its neurons.
#[test]
fn channels_follow_values_of_the_book() {
    let units = 2 + 64;
    let rates = "[[rate]]\nof = \"imbalance\"\ninput = \"in\"\nunit = 2\nunits = 64\nlow = 0\nhigh = 1000000\n";
    let settings = settings(
        &relay(units),
        &format!(
            "time = \"event\"\nseed = 7\n[[delta]]\nof = \"mid\"\ninput = \"in\"\nthreshold = 100\n{rates}[[alert]]\nname = \
             \"a\"\npopulation = \"out\"\n"
        ),
    );
    let (mut lane, id) = lane(&settings);
    let heard = |lane: &MadeLane<Detector>| -> Vec<bool> {
        let device = lane.signal().watcher().unwrap().device(id).unwrap();
        (0..units).map(|unit| device.probe(Variable::Current, 0, unit).unwrap() > 0).collect()
    };
    let moves = |lane: &MadeLane<Detector>| (heard(lane)[0], heard(lane)[1]);
    let firing = |lane: &MadeLane<Detector>| heard(lane)[2..].iter().filter(|fired| **fired).count();
    lane.shows(id, Side::Buy, Price(100_000), Qty(100));
    assert_eq!((moves(&lane), firing(&lane)), ((false, false), 0));
    // The first middle is where it begins; half of the imbalance's range is half of the units.
    lane.shows(id, Side::Sell, Price(100_400), Qty(100));
    assert_eq!((moves(&lane), firing(&lane)), ((false, false), 0));
    let first = order_of(lane.shows(id, Side::Buy, Price(100_190), Qty(300)));
    assert_eq!(moves(&lane), (false, false), "95, which is below the threshold");
    let half = firing(&lane);
    assert!((20..=44).contains(&half), "{half}");
    let second = order_of(lane.shows(id, Side::Buy, Price(100_200), Qty(700)));
    assert_eq!(moves(&lane), (true, false), "5 more make 100");
    let most = firing(&lane);
    assert!(most > half, "{most}");
    lane.event(id, EventKind::Delete { order: second });
    assert_eq!(moves(&lane), (false, false));
    lane.event(id, EventKind::Delete { order: first });
    assert_eq!(moves(&lane), (false, true));
    assert_eq!(firing(&lane), 0, "as much is bid as asked");
}

/// A neuron for each unit of two inputs; they leak, and fire at the third event or so.
fn two_inputs(first: usize, second: usize) -> String {
    let n = first + second;
    let matrix = |from: usize, units: usize| {
        let row = |row: usize| (0..units).map(|unit| if from + unit == row { "100" } else { "0" }).collect::<Vec<_>>();
        (0..n).map(|at| format!("[{}]", row(at).join(","))).collect::<Vec<_>>().join(",")
    };
    format!(
        "{{\"populations\":[{{\"id\":\"out\",\"n\":{n},\"du\":4095,\"dv\":60,\"vth\":220}}],\"connections\":[{{\"src\":\"orders\",\"dst\":\
         \"out\",\"weights\":[{}]}},{{\"src\":\"values\",\"dst\":\"out\",\"weights\":[{}]}}]}}",
        matrix(0, first),
        matrix(first, second)
    )
}

/// Hears orders, the middle and the imbalance; each of its 30 neurons is an alert.
fn everything(time: &str) -> Settings {
    let alerts: String = (0..30)
        .map(|n| format!("[[alert]]\nname = \"{n}\"\npopulation = \"out\"\nunit = {n}\nmerge = 3\ngates = true\n"))
        .collect();
    settings(
        &two_inputs(24, 6),
        &format!(
            "{time}\ncopies = 2\n[address]\ninput = \"orders\"\nkinds = [\"add\", \"delete\"]\nlevels = 1\nsizes = [200, 500]\n\
             [[delta]]\nof = \"mid\"\ninput = \"values\"\nthreshold = 100\n[[rate]]\nof = \"imbalance\"\ninput = \"values\"\nunit = \
             2\nunits = 4\nlow = -1000000\nhigh = 1000000\n{alerts}"
        ),
    )
}

/// What happens on three instruments in a while: adds and deletes at prices that walk.
fn a_while(lane: &mut MadeLane<Detector>, events: u64, mut each: impl FnMut(&mut MadeLane<Detector>)) {
    let mut chance = 7_u64;
    let mut draw = |below: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % below
    };
    let (mut at, mut live): (u64, Vec<(InstrumentId, VenueRef)>) = (0, Vec::new());
    for n in 0..events {
        at += draw(100) * draw(100) * 10;
        lane.stamps(ExchangeTime(NINE + at * 1_000));
        let id = InstrumentId(draw(3) as u32);
        if live.len() > 40 {
            let (id, order) = live.swap_remove(draw(40) as usize);
            lane.event(id, EventKind::Delete { order });
        } else {
            let (order, side) = (VenueRef(10_000 + n), if draw(2) == 0 { Side::Buy } else { Side::Sell });
            let price = Price(100_000 + side.sign() * -100 * (1 + draw(4) as i64));
            lane.event(id, EventKind::Add { order, side, qty: Qty(1 + draw(800) as i64), price });
            live.push((id, order));
        }
        each(lane);
    }
}

fn three(settings: &Settings, place: Place) -> MadeLane<Detector> {
    MadeLane::new(&[equity("A"), equity("B"), equity("C")], Detector::new(settings, place, 3).unwrap())
}

/// A record of a tape that says this.
fn as_record(body: &SignalBody) -> Vec<u8> {
    let header = record::header(Kind::Signal, 0, 0, firelane_gateway::base::Mono(0), size_of::<SignalBody>());
    [header.as_bytes(), body.as_bytes()].concat()
}

const TIMES: [&str; 2] = ["time = \"event\"\nwarm_up = 20", "time = \"dt\"\ndt_us = 1000\ncatch_up = 90\nwarm_up = 20"];

#[test]
fn beside_the_lane_it_says_what_it_says_in_the_lane() {
    for time in TIMES {
        let settings = everything(time);
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        a_while(&mut three(&settings, Place::Lane), 4_000, |lane| {
            let said = lane.said().into_iter();
            inside.extend(
                said.map(|one| (one.instrument.get(), one.at.get(), one.code.get(), one.first.get(), one.second.get())),
            );
        });
        let mut beside = Beside::new(&settings, 3, 0, Software::best).unwrap();
        a_while(&mut three(&settings, Place::Beside), 4_000, |lane| {
            for body in lane.said() {
                beside.on_record(&as_record(&body), |told| {
                    let Told { instrument, at, raised: Raised { code, first, second }, .. } = told;
                    outside.push((instrument.0, at, code, first, second));
                });
            }
        });
        let alerts = inside.iter().filter(|(_, _, code, ..)| *code < 1_000).count();
        assert!(alerts > 50, "{time}: {alerts}");
        assert_eq!(inside, outside, "{time}");
    }
}

#[test]
fn behind_a_lost_record_it_starts_over_and_raises_nothing_until_it_is_warm() {
    let settings = everything(TIMES[0]);
    let mut beside = Beside::new(&settings, 3, 0, Software::best).unwrap();
    let (mut records, mut since, mut alerts, mut cold) = (0_u64, 1_000_000_u64, 0, 0);
    let mut by = [0_u64; 3];
    a_while(&mut three(&settings, Place::Beside), 4_000, |lane| {
        for body in lane.said() {
            records += 1;
            if records == 1_500 {
                beside.on_lost(5);
                (since, by) = (0, [0; 3]);
                assert!((0..3).all(|id| !beside.watcher().holds(InstrumentId(id))), "gates nothing");
                continue;
            }
            let is_last = (body.code.get() - SEEN) & LAST != 0;
            since += u64::from(is_last);
            by[body.instrument.get() as usize] += u64::from(is_last);
            beside.on_record(&as_record(&body), |told| {
                if told.raised.code < 1_000 {
                    alerts += 1;
                    // Its first whole event may be the second one that ends.
                    assert!(by[told.instrument.0 as usize] > 20, "{told:?} after {by:?}");
                }
            });
            cold += u64::from(since < 20);
        }
    });
    let counters = beside.watcher().counters();
    assert!(alerts > 50 && cold >= 15, "{alerts} {cold}");
    assert_eq!((counters.lost, counters.restarts), (5, 2), "two networks start over");
    // Records of others, and damaged ones, say nothing.
    let mut other = three(&settings, Place::Beside);
    other.shows(InstrumentId(0), Side::Buy, Price(100_000), Qty(100));
    let mut body = other.said()[0];
    let steps = beside.watcher().counters().steps;
    body.signal.set(1);
    beside.on_record(&as_record(&body), |_| panic!());
    body.signal.set(0);
    body.code.set(1);
    beside.on_record(&as_record(&body), |_| panic!());
    beside.on_record(&as_record(&body)[..20], |_| panic!());
    beside.on_record(&[], |_| panic!());
    assert_eq!(beside.watcher().counters().steps, steps);
}

#[test]
fn a_detector_that_is_saved_goes_on_as_it_would_have() {
    for place in [Place::Lane, Place::Beside] {
        let settings = everything(TIMES[1]);
        let (mut first, mut second) = (three(&settings, place), three(&settings, place));
        let mut n = 0;
        let mut half = Vec::new();
        let mut rest = Vec::new();
        a_while(&mut first, 2_000, |lane| {
            n += 1;
            if n == 1_000 {
                half = Writer::of(lane.signal());
            }
            let said = lane.said();
            if n > 1_000 {
                rest.extend(said);
            }
        });
        // The other lane has lived the same half, with a detector that is fresh then.
        let mut again = Vec::new();
        let mut n = 0;
        a_while(&mut second, 2_000, |lane| {
            n += 1;
            let said = lane.said();
            if n == 1_000 {
                let mut fresh = Detector::new(&settings, place, 3).unwrap();
                let mut reader = Reader(&half);
                State::load(&mut fresh, &mut reader).unwrap();
                assert!(reader.0.is_empty());
                assert_eq!(Writer::of(&fresh), half);
                *lane.signal_mut() = fresh;
            }
            if n > 1_000 {
                again.extend(said);
            }
        });
        assert!(rest.len() > 100, "{}", rest.len());
        assert_eq!(rest, again);
        assert_eq!(Writer::of(first.signal()), Writer::of(second.signal()));
        // Cut anywhere, it is refused and does not panic.
        for length in (0..half.len()).step_by(7) {
            let mut fresh = Detector::new(&settings, place, 3).unwrap();
            assert!(State::load(&mut fresh, &mut Reader(&half[..length])).is_err(), "{length}");
        }
    }
}

/// As many instruments as it has networks for, those that speak first; what one event may say is bounded.
#[test]
fn room_runs_out_and_is_counted() {
    let settings = everything(TIMES[0]);
    let mut lane = three(&settings, Place::Lane);
    for id in [2, 0, 1, 1] {
        lane.shows(InstrumentId(id), Side::Buy, Price(100_000), Qty(100));
    }
    let device = |lane: &MadeLane<Detector>, id| lane.signal().watcher().unwrap().device(InstrumentId(id)).is_some();
    assert_eq!([0, 1, 2].map(|id| device(&lane, id)), [true, false, true]);
    let mut counts = std::collections::BTreeMap::new();
    lane.signal().counters(&mut |name, value| {
        counts.insert(name, value);
    });
    assert_eq!((counts["detector_unwatched"], counts["network_steps"]), (2, 2));

    // 12 neurons fire at once, every time.
    let alerts: String =
        (0..12).map(|n| format!("[[alert]]\nname = \"{n}\"\npopulation = \"out\"\nunit = {n}\n")).collect();
    let network = format!(
        "{{\"populations\":[{{\"id\":\"out\",\"n\":12,\"du\":4095,\"dv\":4095,\"vth\":90}}],\"connections\":[{{\"src\":\"in\",\"dst\":\"out\",\
         \"weights\":[{}]}}]}}",
        ["[100]"; 12].join(",")
    );
    let settings = self::settings(
        &network,
        &format!("time = \"event\"\n[address]\ninput = \"in\"\nkinds = [\"add\"]\nsides = false\n{alerts}"),
    );
    let mut watcher = Watcher::new(&settings, 1, Software::best).unwrap();
    watcher.on_seen(InstrumentId(0), 0, &[Spike::of(0, 0)]);
    assert_eq!((watcher.raised().len(), watcher.raised()[0].code, watcher.raised()[1].code), (SAID, WARM, 1));
    watcher.on_seen(InstrumentId(0), 0, &[Spike::of(0, 0)]);
    assert_eq!(watcher.raised()[0].code, 1);
    assert_eq!((watcher.counters().unsaid, watcher.counters().alerts), (5 + 4, 24));
    watcher.on_seen(InstrumentId(1), 0, &[]);
    assert_eq!(watcher.counters().unwatched, 1);
}

/// What waited for its step, what fires by chance and where values began are void behind a restart; rates are said again.
#[test]
fn a_restart_leaves_nothing_behind() {
    let events = |time: &str| {
        let rate =
            "[[rate]]\nof = \"imbalance\"\ninput = \"in\"\nunit = 2\nunits = 1\nlow = -1000000\nhigh = 1000000\n";
        settings(
            &relay(3),
            &format!(
                "{time}\n[[delta]]\nof = \"mid\"\ninput = \"in\"\nthreshold = 100\n{rate}[[alert]]\nname = \"a\"\npopulation = \"out\"\n"
            ),
        )
    };
    let id = InstrumentId(0);
    let restart = Spike { node: RESTART, unit: 0, value: 0 };
    let always = Spike { node: RATE, unit: 1, value: 1 << 16 };
    let fired = |watcher: &Watcher<Software>| {
        let device = watcher.device(id).unwrap();
        [0, 1, 2].map(|unit| device.probe(Variable::Current, 0, unit).unwrap() > 0)
    };
    // By a clock, the step of unit 0 has not been taken yet, and never is.
    let mut watcher = Watcher::new(&events("time = \"dt\"\ndt_us = 1000"), 1, Software::best).unwrap();
    watcher.on_seen(id, NINE, &[Spike::of(0, 0)]);
    watcher.on_seen(id, NINE, &[restart, Spike::of(0, 1)]);
    watcher.on_seen(id, NINE + MS, &[]);
    assert_eq!(fired(&watcher), [false, true, false]);
    // What fires by chance does no more, behind a restart and behind a loss.
    let mut watcher = Watcher::new(&events("time = \"event\""), 1, Software::best).unwrap();
    for void in [true, false] {
        watcher.on_seen(id, NINE, &[always]);
        watcher.on_seen(id, NINE, &[]);
        assert_eq!(fired(&watcher), [false, false, true]);
        if void {
            watcher.on_seen(id, NINE, &[restart]);
        } else {
            watcher.on_lost(1);
            watcher.on_seen(id, NINE, &[]);
        }
        assert_eq!(fired(&watcher), [false; 3]);
    }
    // Where the book was wrong in between, the value begins anew, and the rate is said again.
    let full = events("time = \"event\"");
    let (mut lane, id) = MadeLane::of(equity("FIRE"), Detector::new(&full, Place::Lane, 1).unwrap());
    lane.shows(id, Side::Buy, Price(100_000), Qty(1_000_000_000));
    lane.shows(id, Side::Sell, Price(100_400), Qty(1));
    lane.shows(id, Side::Buy, Price(90_000), Qty(1));
    assert_eq!(fired(lane.signal().watcher().unwrap()), [false, false, true]);
    lane.doubts(StaleReason::Fault);
    lane.shows(id, Side::Sell, Price(100_100), Qty(1));
    lane.trusts(StaleReason::Fault);
    lane.shows(id, Side::Buy, Price(90_000), Qty(1));
    assert_eq!(fired(lane.signal().watcher().unwrap()), [false, false, true]);
}

/// Of an event whose first record was lost, the rest is no event.
#[test]
fn the_rest_of_a_torn_event_is_not_taken_for_one() {
    let settings = everything(TIMES[0]);
    let body = |spikes: u32, last: bool| SignalBody {
        signal: 0.into(),
        instrument: 0.into(),
        code: (SEEN + spikes + if last { LAST } else { 0 }).into(),
        at: NINE.into(),
        first: 0.into(),
        second: 0.into(),
    };
    let mut beside = Beside::new(&settings, 3, 0, Software::best).unwrap();
    let mut steps = |records: &[(u32, bool)], lost: bool| {
        if lost {
            beside.on_lost(1);
        }
        for (spikes, last) in records {
            beside.on_record(&as_record(&body(*spikes, *last)), |_| ());
        }
        beside.watcher().counters().steps
    };
    assert_eq!(steps(&[(2, false), (1, true)], false), 1);
    assert_eq!(steps(&[(2, false)], false), 1);
    assert_eq!(steps(&[(1, true)], true), 1);
    assert_eq!(steps(&[(0, true), (2, false), (2, false), (1, true)], false), 3);
}

/// A graded event has no more than the network was checked with, whatever adds up.
#[test]
fn graded_values_are_cut_to_what_the_network_takes() {
    let network = "{\"populations\":[{\"id\":\"out\",\"n\":1,\"du\":4095,\"dv\":4095,\"vth\":130000}],\"connections\":[{\"src\":\"v\",\"dst\":\
                   \"out\",\"weights\":[[10,10]],\"num_message_bits\":8}]}";
    let settings = settings(
        network,
        "time = \"event\"\n[[delta]]\nof = \"mid\"\ninput = \"v\"\nthreshold = 1\ngraded = true\n[[alert]]\nname = \"a\"\npopulation = \"out\"",
    );
    let (mut lane, id) = lane(&settings);
    lane.shows(id, Side::Sell, Price(101_000), Qty(100));
    for (bid, current, clipped) in [(100_000, 0, 0), (100_100, 500, 0), (100_610, 255 * 10, 0), (101_122, 2_550, 1)] {
        lane.shows(id, Side::Buy, Price(bid), Qty(100));
        let watcher = lane.signal().watcher().unwrap();
        let found = watcher.device(id).unwrap().probe(Variable::Current, 0, 0).unwrap();
        assert_eq!((found, watcher.counters().clipped), (current << 6, clipped), "{bid}");
    }
    assert_eq!(lane.signal().watcher().unwrap().counters().faults, 0);
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_its_key() {
    let address = "[address]\ninput = \"in\"\nkinds = [\"add\"]\nsides = false\n";
    let alert = "[[alert]]\nname = \"a\"\npopulation = \"out\"\n";
    let fine = format!("time = \"event\"\n{address}{alert}");
    assert!(Settings::parse(&text(COUNTS, &fine)).is_ok());
    let said = |rest: &str| Settings::parse(&text(COUNTS, rest)).err().map_or("fine".to_owned(), |e| e.to_string());
    let with = |from: &str, to: &str| {
        assert!(fine.contains(from), "{from}");
        said(&fine.replacen(from, to, 1))
    };
    for (from, to, expected) in [
        ("\"event\"", "\"evnt\"", "time: is \"evnt\"; it must be \"event\" or \"dt\""),
        ("\"event\"", "\"dt\"", "dt_us: is missing: say how many microseconds a step is, 1 to 60000000"),
        ("\"event\"", "\"event\"\ndt_us = 1", "dt_us: is of time = \"dt\"; leave it out, or change time"),
        ("\"event\"", "\"dt\"\ndt_us = 0", "dt_us: is 0; it must be 1 to 60000000"),
        ("\"event\"", "\"dt\"\ndt_us = 60000001", "dt_us: is 60000001; it must be 1 to 60000000"),
        ("\"event\"", "\"dt\"\ndt_us = 60000000\ncatch_up = 1000000", "fine"),
        ("\"event\"", "\"event\"\ncatch_up = 1000001", "catch_up: is 1000001; it must be 0 to 1000000"),
        ("\"event\"", "\"event\"\ncopies = 0", "copies: is 0; it must be 1 to 65535"),
        ("\"event\"", "\"event\"\nwarm_up = 1000000001", "warm_up: is 1000000001; it must be 0 to 1000000000"),
        ("\"in\"", "\"on\"", "address.input: is \"on\"; the network's inputs are in"),
        ("[\"add\"]", "[]", "address.kinds: is empty; name some of: add, execute, reduce, delete, replace, trade"),
        ("[\"add\"]", "[\"ad\"]", "address.kinds: has \"ad\"; there are: add, execute, reduce, delete, replace, trade"),
        ("[\"add\"]", "[\"add\", \"add\"]", "address.kinds: has \"add\" twice; name each once"),
        ("false", "false\nlevels = 17", "address.levels: is 17; it must be 0 to 16"),
        (
            "false",
            "false\nsizes = [2, 2]",
            "address.sizes: must be at most 15 sizes, each positive and larger than the one before",
        ),
        (
            "false",
            "true\nlevels = 1\nsizes = [100]",
            "address: makes 8 units (1 kinds x 2 sides x 2 levels x 2 sizes); the input \"in\" has 1: they must be as many",
        ),
        (
            "[[alert]]",
            "[[delta]]\nof = \"mid\"\ninput = \"in\"\nthreshold = 1\n[[alert]]",
            "delta[0].unit: takes units 0 to 1; the input \"in\" has 1, numbered from 0",
        ),
        (
            "[[alert]]",
            "[[rate]]\nof = \"mid\"\ninput = \"in\"\nunits = 1\nlow = 1\nhigh = 1\n[[alert]]",
            "rate[0].high: must be larger than low, and both within 2^40 of 0",
        ),
        (
            "[[alert]]",
            "[[rate]]\nof = \"md\"\ninput = \"in\"\nunits = 1\nlow = 1\nhigh = 2\n[[alert]]",
            "rate[0].of: is \"md\"; it must be one of bid, ask, mid, spread, bid_qty, ask_qty, imbalance, last",
        ),
        ("\"out\"", "\"ut\"", "alert[0].population: is \"ut\"; the network's populations are out"),
        ("\"out\"", "\"out\"\nunit = 1", "alert[0].unit: is 1; it must be 0 to 0"),
        ("\"a\"", "\"\"", "alert[0].name: is \"\"; each alert needs a name of its own"),
        ("\"out\"", "\"out\"\nhold_ms = 5", "alert[0].hold_ms: is of gates = true; leave it out, or change gates"),
        (
            "\"out\"",
            "\"out\"\n[[alert]]\nname = \"b\"\npopulation = \"out\"",
            "alert[1].unit: is 0, which another alert has: a neuron means one thing",
        ),
    ] {
        assert_eq!(with(from, to), expected, "{from} -> {to}");
    }
    assert_eq!(
        said(&format!("time = \"event\"\n{address}")),
        "alert: is missing: say with [[alert]] which neuron means what"
    );
    assert!(said(&format!("time = \"event\"\n{alert}")).starts_with("address: is missing"));
    assert!(said(&format!("tme = \"event\"\n{address}{alert}")).contains("unknown field `tme`"));
    let graded = "[[delta]]\nof = \"mid\"\ninput = \"in\"\nthreshold = 1\ngraded = true\n";
    let error =
        Settings::parse(&text(&COUNTS.replace("[[100]]", "[[1,1]]"), &format!("time = \"event\"\n{graded}{alert}")));
    assert!(error.unwrap_err().to_string().contains("delta[0].graded: is true"));
    // What could overflow, and what is no network.
    let error = Settings::parse(&text(&COUNTS.replace("[[100]]", "[[100]],\"weight_exp\":20"), &fine)).unwrap_err();
    assert!(
        error.to_string().starts_with("network: in->out") || error.to_string().starts_with("network: out"),
        "{error}"
    );
    assert!(Settings::parse(&text("net.json", &fine)).unwrap_err().to_string().starts_with("network: is \"net.json\""));
}

/// A file may name its network's; what is made of both stands alone.
#[test]
fn a_file_and_its_network_become_one_document() {
    use firelane_kernels::detector::file::whole;
    let rest = "time = \"event\"\n[address]\ninput = \"in\"\nkinds = [\"add\"]\nsides = false\n[[alert]]\nname = \"a\"\npopulation = \"out\"\n";
    let json = COUNTS.replacen('{', "{\"inputs\": {\"in\": [[1], [0]]}, \"trace\": {}, \"steps\": 2, ", 1);
    let text = format!("network = \"net.json\"\n{rest}");
    let document = whole(&text, |name| {
        assert_eq!(name, "net.json");
        Ok(json.clone())
    })
    .unwrap();
    assert!(!document.contains("trace"), "{document}");
    assert_eq!(Settings::parse(&document).unwrap().program(), settings(COUNTS, rest).program());
    assert_eq!(whole(&document, |_| panic!("it is there")).unwrap(), document);
    let missing = whole(&text, |_| Err(std::io::Error::other("gone"))).unwrap_err().to_string();
    assert_eq!(missing, "network: net.json: gone");
    assert!(whole(&text, |_| Ok("[".to_owned())).unwrap_err().to_string().starts_with("network: "));
    // Something else altogether, in a long line: that it is none, not the line.
    let json = format!("# a comment\n{{\"a\":[{}]}}", "0,".repeat(10_000));
    let error = whole(&json, |_| panic!("nothing is named")).unwrap_err().to_string();
    assert_eq!(error, "line 2: invalid key-value pair, expected key");
    // Of a value of another kind the key is named.
    let other = document.replacen("sides = false", "sides = 3", 1);
    let error = Settings::parse(&other).unwrap_err().to_string();
    assert_eq!(error, "invalid type: integer `3`, expected a boolean in `address.sides`");
}
