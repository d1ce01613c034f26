//! Thresholds by rate, recall, delays and intervals, of days with answers that are known.

use firelane_surveillance::curve::{AtRate, Count, Curve, Quartiles, RESAMPLES};
use firelane_surveillance::matching::{Judged, Met, Reach};

/// A day of an hour: false alarms at these scores, and targets that reach these.
fn day(false_alarms: &[f32], reached: &[f32]) -> Judged<()> {
    let met = |score: &f32| Met { what: (), decoy: false, reached: vec![Reach { score: *score, events: 3, ns: 40 }] };
    Judged {
        hours: 1.0,
        met: reached.iter().map(met).collect(),
        false_alarms: false_alarms.to_vec(),
        floor: f32::NEG_INFINITY,
    }
}

fn all(_: &Met<()>) -> bool {
    true
}

#[test]
fn the_threshold_is_the_lowest_that_keeps_to_the_rate() {
    let curve = Curve::new(vec![day(&[9.0, 7.0, 5.0], &[]), day(&[8.0, 6.0], &[])]);
    assert_eq!(curve.hours(), 2.0);
    for (rate, alarms) in [(0.0, 0.0), (0.5, 0.5), (0.9, 0.5), (1.0, 1.0), (2.0, 2.0)] {
        let threshold = curve.threshold(rate);
        assert_eq!(curve.false_alarms_per_hour(threshold), alarms, "at {rate}");
        assert!(curve.false_alarms_per_hour(threshold.next_down()) > rate, "a lower one does not keep to {rate}");
    }
    // Five alarms in two hours are all that there are.
    assert_eq!(curve.threshold(2.5), f32::NEG_INFINITY);
    assert!(curve.threshold(2.4999) > f32::NEG_INFINITY);
}

#[test]
fn alarms_of_one_score_come_and_go_together() {
    let curve = Curve::new(vec![day(&[5.0, 5.0, 5.0, 1.0], &[])]);
    assert_eq!(curve.threshold(2.0), 5.0_f32.next_up(), "two of the three can't be had");
    assert_eq!(curve.threshold(3.0), 1.0_f32.next_up());
}

#[test]
fn a_rate_that_is_reached_exactly_is_kept_whatever_the_last_bits_of_hours_are() {
    let third = |score: f32| Judged { hours: 0.1, ..day(&[score], &[]) };
    let curve = Curve::new((0..10).map(|n| third(n as f32)).collect());
    // Ten times 0.1 is less than 1 in these numbers.
    assert!(curve.hours() < 1.0);
    assert_eq!(curve.threshold(10.0), f32::NEG_INFINITY);
    assert_eq!(curve.threshold(9.0), 0.0_f32.next_up());
}

#[test]
fn no_threshold_is_below_what_was_counted() {
    let curve = Curve::new(vec![Judged { floor: 6.5, ..day(&[9.0, 7.0], &[]) }, day(&[8.0, 6.0], &[])]);
    assert_eq!(curve.threshold(1.0), 7.0_f32.next_up(), "above the floor it does not matter");
    assert_eq!(curve.threshold(1.5), 6.5, "6 would keep to it, as far as is known");
    assert_eq!(curve.threshold(2.0), 6.5);
}

#[test]
fn recall_counts_what_reaches_the_threshold_of_the_rate() {
    let curves = [Curve::new(vec![day(&[5.0], &[4.0, 5.0, 6.0]), day(&[3.0, 2.0], &[3.0, 3.5])])];
    let recall = |rate| AtRate::new(&curves, rate, 1).recall(|_, _| true).count;
    assert_eq!(recall(0.0), Count { met: 1, of: 5 });
    assert_eq!(recall(0.5), Count { met: 4, of: 5 });
    assert_eq!(recall(1.0), Count { met: 5, of: 5 });
    assert_eq!(curves[0].met(5.0, all), Count { met: 2, of: 5 });
    assert_eq!(curves[0].first_alerts(5.0, all).len(), 2);
}

#[test]
fn alerts_together_each_keep_to_the_rate_by_itself() {
    let curves = [Curve::new(vec![day(&[5.0], &[6.0, 1.0])]), Curve::new(vec![day(&[50.0], &[60.0, 70.0, 10.0])])];
    let at = AtRate::new(&curves, 0.0, 1);
    assert_eq!(at.thresholds(), [5.0_f32.next_up(), 50.0_f32.next_up()]);
    assert_eq!(at.recall(|_, _| true).count, Count { met: 3, of: 5 });
    assert_eq!(at.recall(|alert, _| alert == 1).count, Count { met: 2, of: 3 });
}

#[test]
fn an_interval_of_days_that_are_all_alike_is_a_point() {
    let curves = [Curve::new(vec![day(&[5.0], &[4.0, 6.0]); 8])];
    let recall = AtRate::new(&curves, 0.5, 1).recall(|_, _| true);
    assert_eq!((recall.part, recall.low, recall.high), (Some(0.5), Some(0.5), Some(0.5)));
    let none = AtRate::new(&curves, 0.5, 1).recall(|_, _| false);
    assert_eq!((none.part, none.low, none.high), (None, None, None));
}

#[test]
fn an_interval_is_that_of_the_mean_of_so_many_days() {
    // Of 100 days half meet their one target: the part has a deviation of 0.05, and 95 % are within 1.96 of those.
    let days: Vec<_> = (0..100).map(|n| day(&[], &[if n % 2 == 0 { 1.0 } else { f32::NEG_INFINITY }])).collect();
    let curves = [Curve::new(days.iter().cloned().map(|one| Judged { false_alarms: vec![0.5], ..one }).collect())];
    let recall = AtRate::new(&curves, 0.0, 1).recall(|_, _| true);
    assert_eq!(recall.part, Some(0.5));
    let (low, high) = (recall.low.unwrap(), recall.high.unwrap());
    assert!((0.38..=0.42).contains(&low) && (0.58..=0.62).contains(&high), "{low} to {high}");
    let again = AtRate::new(&curves, 0.0, 1).recall(|_, _| true);
    assert_eq!((again.low, again.high), (recall.low, recall.high), "the same seed draws the same days");
    assert_eq!(RESAMPLES, 1_000);
}

#[test]
fn each_set_of_days_has_the_threshold_of_its_own_false_alarms() {
    // One day of two has an alarm over its target. Where it is drawn twice one alarm in two hours is one too many; the other day alone
    // has none, and meets all.
    let curves = [Curve::new(vec![day(&[9.0, 8.0], &[5.0]), day(&[], &[5.0])])];
    let recall = AtRate::new(&curves, 1.0, 1).recall(|_, _| true);
    assert_eq!((recall.part, recall.low, recall.high), (Some(1.0), Some(0.0), Some(1.0)));
}

#[test]
fn a_day_that_is_not_drawn_has_no_say_in_what_was_counted() {
    // A quarter of all sets is the second day twice, of which all is known.
    let curves = [Curve::new(vec![Judged { floor: 100.0, ..day(&[], &[5.0]) }, day(&[], &[5.0])])];
    let recall = AtRate::new(&curves, 1.0, 1).recall(|_, _| true);
    assert_eq!((recall.part, recall.low, recall.high), (Some(0.0), Some(0.0), Some(1.0)));
}

#[test]
fn quarter_points_are_by_rank() {
    assert_eq!(Quartiles::of(Vec::new()), None);
    assert_eq!(Quartiles::of(vec![5]), Some(Quartiles { low: 5, median: 5, high: 5 }));
    assert_eq!(Quartiles::of(vec![4, 1, 3, 2]), Some(Quartiles { low: 1, median: 2, high: 3 }));
    assert_eq!(Quartiles::of(vec![5, 4, 1, 3, 2]), Some(Quartiles { low: 2, median: 3, high: 4 }));
}
