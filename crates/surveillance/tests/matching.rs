//! Scores against labels on days made by hand, at every limit, and against a naive count on random ones.

use firelane_surveillance::matching::{Judged, Rules, Target};
use proptest::prelude::*;

const MERGE: u64 = 100;
const RULES: Rules = Rules { merge: MERGE, most: 1_000 };

fn target(from: u64, until: u64, decoy: bool) -> Target<u8> {
    Target { what: 7, decoy, from, until }
}

/// A day of one book, an hour long.
fn day(events: &[(u64, f32)], targets: &[Target<u8>]) -> Judged<u8> {
    let (stamps, scores): (Vec<u64>, Vec<f32>) = events.iter().copied().unzip();
    RULES.judge(&stamps, &scores, targets, 1.0)
}

#[test]
fn an_alert_is_of_a_target_from_its_start_to_its_end_and_grace() {
    for (at, met, false_alarms) in
        [(999, false, 1), (1_000, true, 0), (1_250, true, 0), (1_500, true, 0), (1_501, false, 1)]
    {
        let day = day(&[(0, 0.0), (at, 1.0)], &[target(1_000, 1_500, false)]);
        assert_eq!(day.met[0].at(1.0).is_some(), met, "an alert at {at}");
        assert_eq!(day.false_alarms_at(1.0), false_alarms, "an alert at {at}");
        assert_eq!(day.met[0].what, 7);
    }
}

#[test]
fn a_score_is_an_alert_at_its_own_threshold_and_below_and_not_above() {
    let day = day(&[(10, 2.0), (1_200, 3.0)], &[target(1_000, 1_500, false)]);
    for (threshold, met, false_alarms) in
        [(1.0, true, 1), (2.0, true, 1), (2.0_f32.next_up(), true, 0), (3.0, true, 0), (3.0_f32.next_up(), false, 0)]
    {
        assert_eq!(
            (day.met[0].at(threshold).is_some(), day.false_alarms_at(threshold)),
            (met, false_alarms),
            "{threshold}"
        );
    }
    assert_eq!(day.met[0].highest(), Some(3.0));
}

#[test]
fn the_delay_is_to_the_first_event_that_comes_so_high() {
    let events = [(990, 9.0), (1_000, 0.5), (1_100, 0.5), (1_200, 2.0), (1_300, 1.0), (1_400, 5.0)];
    let day = day(&events, &[target(1_000, 1_500, false)]);
    let at = |threshold| day.met[0].at(threshold).map(|reach| (reach.events, reach.ns));
    assert_eq!(at(0.5), Some((0, 0)));
    assert_eq!(at(1.0), Some((2, 200)), "passed on the way to 2");
    assert_eq!(at(2.0), Some((2, 200)));
    assert_eq!(at(5.0), Some((4, 400)));
    assert_eq!(at(9.0), None, "that was before it began");
    assert_eq!(day.met[0].reached.len(), 3, "what is no higher than before is left out");
}

#[test]
fn false_alarms_within_the_merging_time_are_one_and_one_over_it_is_another() {
    let count = |at: u64| day(&[(0, 1.0), (at, 1.0)], &[]).false_alarms_at(1.0);
    assert_eq!((count(MERGE - 1), count(MERGE), count(MERGE + 1)), (1, 1, 2));
    // From the one that was counted, not from the last.
    assert_eq!(day(&[(0, 1.0), (80, 1.0), (120, 1.0)], &[]).false_alarms_at(1.0), 2);
    // At a threshold over the first, the second one is the one that counts.
    let day = day(&[(0, 1.0), (80, 2.0), (160, 2.0), (200, 1.0)], &[]);
    assert_eq!((day.false_alarms_at(1.0), day.false_alarms_at(2.0), day.false_alarms_at(3.0)), (2, 1, 0));
    assert_eq!(day.false_alarms, [2.0, 1.0]);
}

#[test]
fn an_alert_in_a_decoy_alone_is_false_and_one_in_both_is_not() {
    let targets = [target(1_000, 1_500, true), target(1_400, 1_600, false)];
    let day = day(&[(1_100, 1.0), (1_450, 2.0)], &targets);
    assert!(day.met[0].decoy && !day.met[1].decoy);
    assert_eq!((day.met[0].highest(), day.met[1].highest()), (Some(2.0), Some(2.0)));
    assert_eq!((day.false_alarms_at(2.0), day.false_alarms_at(1.0)), (0, 1));
}

#[test]
fn targets_may_lie_in_any_order_and_in_each_other() {
    let targets = [target(3_000, 3_100, false), target(1_000, 2_000, false), target(1_200, 1_300, false)];
    let day = day(&[(900, 1.0), (1_250, 1.0), (1_900, 1.0), (2_001, 1.0), (3_050, 1.0)], &targets);
    assert_eq!(
        day.met.iter().map(|met| met.at(1.0).map(|reach| reach.ns)).collect::<Vec<_>>(),
        [Some(50), Some(250), Some(50)]
    );
    assert_eq!(day.false_alarms_at(1.0), 2);
}

#[test]
fn a_score_that_is_no_number_raises_nothing() {
    let day =
        day(&[(10, f32::NAN), (1_200, f32::NAN), (1_300, 1.0), (1_400, f32::NAN)], &[target(1_000, 1_500, false)]);
    assert_eq!(day.met[0].at(f32::NEG_INFINITY).map(|reach| reach.events), Some(1));
    assert!(day.false_alarms.is_empty() && day.is_scored());
    let day = RULES.judge(&[10, 1_200], &[f32::NAN; 2], &[target(1_000, 1_500, false)], 1.0);
    assert!(!day.is_scored());
    let all_alike = Rules { merge: MERGE, most: 1 }.judge::<u8>(&[0, 500], &[1.0; 2], &[], 1.0);
    assert!(all_alike.is_scored() && all_alike.false_alarms.is_empty());
}

#[test]
fn a_day_without_events_or_targets_is_one_all_the_same() {
    let day = day(&[], &[target(1, 2, false)]);
    assert_eq!((day.met[0].highest(), day.false_alarms.len()), (None, 0));
}

#[test]
fn false_alarms_are_told_apart_up_to_the_most() {
    let events: Vec<(u64, f32)> = (1_u16..=6).map(|n| (u64::from(n) * 1_000, f32::from(n))).collect();
    let (stamps, scores): (Vec<u64>, Vec<f32>) = events.into_iter().unzip();
    let judged = |most| Rules { merge: MERGE, most }.judge::<u8>(&stamps, &scores, &[], 1.0);
    assert_eq!((judged(6).false_alarms.len(), judged(6).floor), (6, f32::NEG_INFINITY));
    assert_eq!((judged(5).false_alarms, judged(5).floor), (vec![6.0, 5.0, 4.0, 3.0, 2.0], 1.0_f32.next_up()));
    assert_eq!((judged(0).false_alarms.len(), judged(0).floor), (0, 6.0_f32.next_up()));
    assert_eq!(judged(5).and(judged(2)).floor, 4.0_f32.next_up());
}

#[test]
fn books_of_a_day_add_up() {
    let one = day(&[(0, 1.0), (500, 3.0)], &[target(900, 901, false)]);
    let both = one.and(day(&[(0, 2.0)], &[target(5, 6, true)]));
    assert_eq!(both.false_alarms, [3.0, 2.0, 1.0]);
    assert_eq!((both.met.len(), both.hours), (2, 2.0));
}

/// What the definition says, one threshold at a time.
fn naive(events: &[(u64, f32)], targets: &[Target<u8>], threshold: f32) -> (Vec<bool>, usize) {
    let inside = |at: u64, one: &Target<u8>| at >= one.from && at <= one.until;
    let alerts = || events.iter().filter(|(_, score)| *score >= threshold).map(|(at, _)| *at);
    let met = targets.iter().map(|one| alerts().any(|at| inside(at, one))).collect();
    let mut told: Option<u64> = None;
    let mut count = 0;
    for at in alerts().filter(|at| !targets.iter().any(|one| !one.decoy && inside(*at, one))) {
        if told.is_none_or(|told| at - told > MERGE) {
            told = Some(at);
            count += 1;
        }
    }
    (met, count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn all_thresholds_at_once_are_each_of_them_by_itself(
        gaps in prop::collection::vec((0_u64..60, 0_u8..12), 0..400),
        targets in prop::collection::vec((0_u64..8_000, 0_u64..400, any::<bool>()), 0..6),
    ) {
        let mut now = 0;
        let events: Vec<(u64, f32)> = gaps.into_iter().map(|(gap, score)| { now += gap; (now, f32::from(score)) }).collect();
        let targets: Vec<_> = targets.into_iter().map(|(from, long, decoy)| target(from, from + long, decoy)).collect();
        let day = day(&events, &targets);
        let mut before: Option<(Vec<bool>, usize)> = None;
        for threshold in (0_u8..13).map(|step| f32::from(step) - 0.5) {
            let (met, false_alarms) = naive(&events, &targets, threshold);
            let found: Vec<bool> = day.met.iter().map(|met| met.at(threshold).is_some()).collect();
            prop_assert_eq!(&found, &met);
            prop_assert_eq!(day.false_alarms_at(threshold), false_alarms);
            // A higher threshold meets nothing more, and gives no more false alarms.
            if let Some((lower_met, lower_alarms)) = before {
                prop_assert!(met.iter().zip(lower_met).all(|(met, lower)| lower || !met));
                prop_assert!(false_alarms <= lower_alarms);
            }
            before = Some((met, false_alarms));
        }
    }
}
