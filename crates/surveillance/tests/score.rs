//! The whole contest on minutes of days, and what a day sounds like.

use firelane_gateway::base::Nanos;
use firelane_sim::manipulation::{Alert, Day, DayConfig, Kind};
use firelane_surveillance::detector::Detector;
use firelane_surveillance::models::Baselines;
use firelane_surveillance::score::{Options, Report, ScoreError, score, targets};
use firelane_surveillance::watch::{WatchError, watch};
use std::sync::atomic::{AtomicUsize, Ordering};

fn short() -> DayConfig {
    let every = (Nanos::from_millis(500), Nanos::from_secs(2));
    DayConfig { symbols: 2, length: Nanos::from_secs(120), every, ..DayConfig::default() }
}

fn scored(detector: &Detector) -> Report {
    let options = Options { seeds: 11..13, validation: 14..15, day: short() };
    let days = AtomicUsize::new(0);
    let report = score(detector, &Baselines::shipped().unwrap(), &options, |done, of| {
        assert!(done <= of && of == 3);
        days.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(days.into_inner(), 3);
    report.unwrap()
}

#[test]
fn all_contestants_are_scored_on_the_same_episodes() {
    let report = scored(&Detector::shipped().unwrap());
    let names: Vec<_> = report.contestants.iter().map(|one| one.name).collect();
    assert_eq!(names, ["chance", "rule", "logistic", "trees", "network"]);
    assert_eq!((report.seeds, report.validation, report.seen_before), ([11, 13], [14, 15], false));
    assert!((report.hours - 2.0 * 2.0 / 30.0).abs() < 1e-9, "two days of two symbols, two minutes each");
    let days: Vec<Day> = (11..13).map(|seed| Day::play(short(), seed)).collect();
    for kind in &report.kinds {
        let of = |decoy| {
            let all = days.iter().flat_map(|day| &day.episodes);
            all.filter(|one| one.kind.name() == kind.kind && one.decoy == decoy).count() as u64
        };
        assert_eq!((kind.episodes, kind.decoys), (of(false), of(true)), "{}", kind.kind);
    }
    let episodes: u64 = report.kinds.iter().map(|kind| kind.episodes).sum();
    for contestant in &report.contestants {
        let of = |alert: Option<&str>, kind: Option<&str>, strength: Option<&str>| {
            let all = contestant.recall.iter();
            let found = all.filter(|one| (one.alert, one.kind, one.strength) == (alert, kind, strength));
            found.map(|one| one.recall.count).collect::<Vec<_>>()
        };
        let all = of(None, None, None);
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|count| count.of == episodes));
        assert!(all.is_sorted_by_key(|count| count.met), "more false alarms meet no fewer");
        // Groups add up to all.
        for (rate, count) in all.iter().enumerate() {
            let alerts = Alert::ALL.map(|alert| of(Some(alert.name()), None, None)[rate].met);
            let kinds = Kind::ALL.map(|kind| of(None, Some(kind.name()), None)[rate].met);
            assert_eq!((alerts.iter().sum::<u64>(), kinds.iter().sum::<u64>()), (count.met, count.met));
        }
        assert_eq!(contestant.transfer.len(), 3);
        assert_eq!(contestant.delay.len(), 4);
    }
    let cost = |name: usize| report.contestants[name].cost;
    assert_eq!(cost(2).build.dense_operations, 3 * 4 * 64);
    assert!(cost(3).comparisons > 0.0 && cost(3).effective_macs == 0.0);
    assert!(cost(4).effective_acs > 0.0 && cost(4).activation_sparsity.is_some_and(|part| part > 0.5 && part < 1.0));
}

#[test]
fn the_same_days_give_the_same_report_on_any_threads() {
    let detector = Detector::shipped().unwrap();
    assert_eq!(scored(&detector), scored(&detector));
}

#[test]
fn another_encoder_leaves_the_baselines_out() {
    let report = scored(&Detector::parse(include_str!("large.toml")).unwrap());
    assert!(!report.baselines);
    let names: Vec<_> = report.contestants.iter().map(|one| one.name).collect();
    assert_eq!(names, ["chance", "network"]);
    // It looks for layering alone.
    assert_eq!(report.contestants[1].alerts, ["layering"]);
    assert_eq!(report.contestants[1].transfer.len(), 1);
}

#[test]
fn no_days_are_refused_before_any_is_played() {
    let detector = Detector::shipped().unwrap();
    for options in [Options { seeds: 5..5, ..Options::default() }, Options { validation: 9..9, ..Options::default() }] {
        let error = score(&detector, &Baselines::shipped().unwrap(), &options, |_, _| panic!("a day was played"));
        assert!(matches!(error, Err(ScoreError::NoSeeds(..))));
    }
}

#[test]
fn a_test_that_is_none_is_said() {
    let detector = Detector::shipped().unwrap();
    let seen = |seeds: std::ops::Range<u64>, validation: std::ops::Range<u64>| {
        let day = DayConfig { length: Nanos::from_secs(40), symbols: 1, ..short() };
        score(&detector, &Baselines::shipped().unwrap(), &Options { seeds, validation, day }, |_, _| ())
            .unwrap()
            .seen_before
    };
    assert!(seen(1_000..1_001, 14..15) && seen(2_007..2_008, 14..15) && seen(14..15, 14..15));
    assert!(!seen(900..901, 14..15));
}

#[test]
fn a_day_is_heard_event_by_event() {
    let detector = Detector::shipped().unwrap();
    let day = Day::play(short(), 11);
    let tracks = watch(&day.file, &day.symbols, detector.settings()).unwrap();
    assert_eq!(tracks.len(), 2);
    for track in &tracks {
        assert!(track.stamps().len() > 100 && track.stamps().is_sorted());
        assert_eq!(track.events().count(), track.stamps().len());
        assert!(track.events().zip(track.stamps()).all(|((at, spikes), stamp)| at == *stamp && spikes.len() <= 6));
        assert!(track.events().map(|(_, spikes)| spikes.len()).sum::<usize>() > track.stamps().len() / 2);
    }
    // The same symbol alone sounds the same.
    let alone = watch(&day.file, &day.symbols[1..], detector.settings()).unwrap();
    assert!(alone[0].events().eq(tracks[1].events()));
    // Each episode has an event at its first stamp and at its last one.
    for (symbol, track) in tracks.iter().enumerate() {
        for alert in Alert::ALL {
            for target in targets(&day, symbol, alert) {
                assert!(track.stamps().binary_search(&target.from).is_ok());
                let end = target.until - target.what.kind.grace().0;
                assert!(track.stamps().binary_search(&end).is_ok());
            }
        }
    }
}

#[test]
fn a_broken_day_is_refused() {
    let detector = Detector::shipped().unwrap();
    let day = Day::play(DayConfig { length: Nanos::from_secs(30), ..short() }, 11);
    let watched = |file: &[u8]| watch(file, &day.symbols, detector.settings()).err();
    assert_eq!(watched(&day.file), None);
    let cut = watched(&day.file[..day.file.len() - 1]);
    assert!(matches!(cut, Some(WatchError::Truncated(at)) if at < day.file.len()), "{cut:?}");
    // Without its first half, orders are named that nobody has entered.
    let mut messages = firelane_sim::capture::binary_file::Messages::new(&day.file);
    let half = day.file.len() / 2;
    while messages.offset() < half {
        messages.next();
    }
    assert!(matches!(watched(&day.file[messages.offset()..]), Some(WatchError::Unsound(_))));
}
