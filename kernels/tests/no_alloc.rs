//! A detector allocates in its constructor only: a while of events, under an allocator that counts.

#[path = "../../tests/counting/mod.rs"]
mod counting;

use firelane_gateway::base::{ExchangeTime, Price, Qty, Side, VenueRef};
use firelane_gateway::flow::event::EventKind;
use firelane_gateway::shell::made::{MadeLane, equity};
use firelane_kernels::detector::{Detector, Place, Settings};

/// Everything that a detector can hear, in the lane and beside it, by events and by a clock with silences within and over the bound.
#[test]
fn a_detector_allocates_when_it_is_built_and_never_again() {
    let before = counting::calls();
    drop(std::hint::black_box(vec![1u8]));
    assert_eq!(counting::calls() - before, 2, "the counter counts");

    let row: Vec<String> = (0..16).map(|n| (n * 5).to_string()).collect();
    let network = format!(
        "{{\"populations\":[{{\"id\":\"out\",\"n\":1,\"du\":3000,\"dv\":300,\"vth\":900}}],\"connections\":[{{\"src\":\"in\",\"dst\":\"out\",\
         \"weights\":[[{}]],\"delays\":2}}]}}",
        row.join(",")
    );
    for (time, place) in [
        ("time = \"event\"", Place::Lane),
        ("time = \"dt\"\ndt_us = 100\ncatch_up = 50", Place::Lane),
        ("time = \"event\"", Place::Beside),
    ] {
        let text = format!(
            "network = '{network}'\n{time}\n[[delta]]\nof = \"mid\"\ninput = \"in\"\nthreshold = 100\n[[rate]]\nof = \
             \"imbalance\"\ninput = \"in\"\nunit = 2\nunits = 14\nlow = -1000000\nhigh = 1000000\n[[alert]]\nname = \"a\"\npopulation \
             = \"out\"\ngates = true"
        );
        let settings = Settings::parse(&text).unwrap();
        let (mut lane, id) = MadeLane::of(equity("FIRE"), Detector::new(&settings, place, 1).unwrap());
        let (mut calls, mut said) = (0, 0);
        for n in 0..2_000_u64 {
            lane.stamps(ExchangeTime(n * n * 1_000));
            let (side, price) = if n % 2 == 0 { (Side::Buy, 99_900) } else { (Side::Sell, 100_100) };
            let qty = Qty(1 + (n * n % 700) as i64);
            let before = counting::calls();
            lane.event(
                id,
                EventKind::Add { order: VenueRef(n + 1), side, qty, price: Price(price - (n % 3) as i64 * 100) },
            );
            if n > 20 {
                lane.event(id, EventKind::Delete { order: VenueRef(n - 20) });
            }
            calls += counting::calls() - before;
            said += lane.said().len();
        }
        assert_eq!(calls, 0, "{time} {place:?}");
        assert!(said > 50, "{time} {place:?}: {said}");
    }
}
