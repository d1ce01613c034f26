//! All contestants over days of known manipulations: the table of `firelane spikes score`.

use crate::contest::chance::Chance;
use crate::contest::network::{Network, NetworkError};
use crate::contest::{ALERTS, Build, Contestant, Heard, Scores, Spent};
use crate::curve::{AtRate, Count, Curve, Quartiles, Recall};
use crate::detector::Detector;
use crate::matching::{Judged, Met, Rules, Target};
use crate::models::{Baselines, ModelError};
use crate::traces::{Constants, Traces};
use crate::watch::{Track, Units, WatchError, watch};
use firelane_gateway::base::Nanos;
use firelane_sim::manipulation::{self, Alert, Day, DayConfig, Kind, Strength};
use serde::Serialize;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use thiserror::Error;

/// How days are judged. No two episodes of a symbol are nearer to each other than two seconds: alarms of one merge, those of two don't.
/// Four times as many false alarms are told apart as the highest rate has.
pub const RULES: Rules = Rules { merge: Nanos::from_secs(2).0, most: 240 };
/// False alarms a symbol-hour at which recall is told of.
pub const RATES: [f64; 3] = [1.0, 10.0, 60.0];
/// The one of them at which delays are told of, and by which thresholds are chosen on the days of validation.
pub const CHOSEN: f64 = 10.0;
/// Of the days that are drawn anew for intervals.
const SEED: u64 = 1;

/// Why there is no score.
#[derive(Debug, Error)]
pub enum ScoreError {
    /// The days of a range are none.
    #[error("there is no seed from {0} to {1}: name a first one and, behind it, the one after the last, as in 1..4")]
    NoSeeds(u64, u64),
    /// The detector is no contestant.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The baselines are wrong.
    #[error("baselines: {0}")]
    Models(#[from] ModelError),
    /// A day is wrong.
    #[error("day of seed {seed}: {error}")]
    Day {
        /// Its seed.
        seed: u64,
        /// What is wrong with it.
        error: WatchError,
    },
}

/// What an episode is: what results are grouped by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct What {
    /// What was done.
    pub kind: Kind,
    /// How plainly.
    pub strength: Strength,
}

/// The episodes of a day that are of an alert, with their decoys, in a symbol.
#[must_use]
pub fn targets(day: &Day, symbol: usize, alert: Alert) -> Vec<Target<What>> {
    let of_it = day.episodes.iter().filter(|one| one.symbol == symbol && one.kind.alert() == alert);
    of_it
        .map(|one| Target {
            what: What { kind: one.kind, strength: one.strength },
            decoy: one.decoy,
            from: one.start,
            until: one.end + one.kind.grace().0,
        })
        .collect()
}

/// A book of a day, as it is heard and as it is judged.
#[derive(Clone, Debug)]
pub struct Book {
    /// What is heard of it.
    pub track: Track,
    /// What there is to meet, by alert.
    pub targets: [Vec<Target<What>>; ALERTS.len()],
    /// For how long it is watched.
    pub hours: f64,
}

/// The books of the day of a seed.
///
/// # Errors
/// [`ScoreError::Day`].
pub fn books(seed: u64, config: DayConfig, detector: &Detector) -> Result<Vec<Book>, ScoreError> {
    let day = Day::play(config, seed);
    let tracks =
        watch(&day.file, &day.symbols, detector.settings()).map_err(|error| ScoreError::Day { seed, error })?;
    let hours = day.symbol_hours() / tracks.len() as f64;
    let book = |(symbol, track)| Book { track, targets: ALERTS.map(|alert| targets(&day, symbol, alert)), hours };
    Ok(tracks.into_iter().enumerate().map(book).collect())
}

/// Everybody who is in the contest, the detector last.
///
/// # Errors
/// [`ScoreError`]: the detector is no contestant, or the baselines do not fit each other.
pub fn contestants(detector: &Detector, baselines: &Baselines) -> Result<Vec<Box<dyn Contestant>>, ScoreError> {
    let mut all: Vec<Box<dyn Contestant>> = vec![Box::new(Chance::new(SEED))];
    if let Some((rule, logistic, trees)) = baselines.contestants(detector)? {
        all.push(Box::new(rule));
        all.push(Box::new(logistic));
        all.push(Box::new(trees));
    }
    all.push(Box::new(Network::new(detector)?));
    Ok(all)
}

/// The scores that a contestant gives a track, by alert.
pub fn scores(contestant: &mut dyn Contestant, track: &Track, traces: &mut Traces) -> [Vec<f32>; ALERTS.len()] {
    traces.restart();
    contestant.restart();
    let mut all = ALERTS.map(|_| Vec::with_capacity(track.stamps().len()));
    for (at, spikes) in track.events() {
        traces.hear(spikes);
        let given: Scores = contestant.hear(&Heard { at, spikes, traces: traces.values() });
        all.iter_mut().zip(given).for_each(|(scores, score)| scores.push(score));
    }
    all
}

/// A day, judged: of each contestant its alerts, and what it has spent.
struct JudgedDay {
    events: u64,
    hours: f64,
    by_contestant: Vec<([Judged<What>; ALERTS.len()], Spent)>,
}

fn judge_day(
    seed: u64,
    config: DayConfig,
    detector: &Detector,
    baselines: &Baselines,
) -> Result<JudgedDay, ScoreError> {
    let books = books(seed, config, detector)?;
    let mut traces = Traces::new(Units::of(detector.settings()), &baselines.constants);
    let mut by_contestant = Vec::new();
    for mut contestant in contestants(detector, baselines)? {
        let judged = books.iter().map(|Book { track, targets, hours }| {
            let scores = scores(contestant.as_mut(), track, &mut traces);
            let judge = |alert: usize| RULES.judge(track.stamps(), &scores[alert], &targets[alert], *hours);
            std::array::from_fn(judge)
        });
        let whole = judged.reduce(|whole: [Judged<What>; ALERTS.len()], book| {
            let mut book = book.into_iter();
            whole.map(|one| book.next().into_iter().fold(one, Judged::and))
        });
        by_contestant.extend(whole.map(|whole| (whole, contestant.spent())));
    }
    let events = books.iter().map(|book| book.track.stamps().len() as u64).sum();
    Ok(JudgedDay { events, hours: books.iter().map(|book| book.hours).sum(), by_contestant })
}

/// Days of these seeds, on as many threads as there are cores. `done` is called after each, with how many are.
fn judge_days(
    seeds: &[u64],
    config: DayConfig,
    detector: &Detector,
    baselines: &Baselines,
    done: &(impl Fn(usize) + Sync),
) -> Result<Vec<JudgedDay>, ScoreError> {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let days: Mutex<Vec<(usize, Result<JudgedDay, ScoreError>)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(seeds.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, &seed)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    seeds.get(number).map(|seed| (number, seed))
                } {
                    let day = judge_day(seed, config, detector, baselines);
                    days.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, day));
                    done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let mut days = days.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    days.sort_by_key(|(number, _)| *number);
    days.into_iter().map(|(_, day)| day).collect()
}

/// A recall of a group of episodes. What is `None` is not told apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupRecall {
    /// False alarms a symbol-hour that each alert keeps to.
    pub per_hour: f64,
    /// The alert.
    pub alert: Option<&'static str>,
    /// The kind of episodes.
    pub kind: Option<&'static str>,
    /// How plain they are.
    pub strength: Option<&'static str>,
    /// The recall.
    #[serde(flatten)]
    pub recall: Recall,
}

/// How long it takes from an episode's start to the first alert of it, where there is one: at [`CHOSEN`] false alarms a symbol-hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Delay {
    /// The kind of episodes.
    pub kind: &'static str,
    /// Events of the book.
    pub events: Option<Quartiles>,
    /// Nanoseconds.
    pub ns: Option<Quartiles>,
}

/// What a threshold does that was chosen on the days of validation, for [`CHOSEN`] false alarms a symbol-hour there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Transfer {
    /// The alert.
    pub alert: &'static str,
    /// The threshold; `None`: it never gave so many false alarms, so that all scores are alerts.
    pub threshold: Option<f32>,
    /// Episodes that were met.
    pub episodes: Count,
    /// False alarms a symbol-hour.
    pub false_alarms_per_hour: f64,
    /// Decoys that were taken for the real thing; all of that is in the false alarms, too.
    pub decoys: Count,
}

/// NeuroBench's columns. What happens is of an event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// What it is made of.
    #[serde(flatten)]
    pub build: Build,
    /// The part of its neurons that is silent in an event; `None`: it has none.
    pub activation_sparsity: Option<f64>,
    /// Synaptic operations with a value that is more than yes or no.
    pub effective_macs: f64,
    /// Synaptic operations of spikes.
    pub effective_acs: f64,
    /// Comparisons, which NeuroBench does not count: what trees do.
    pub comparisons: f64,
}

/// A contestant's part of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// Who.
    pub name: &'static str,
    /// Alerts that it gives.
    pub alerts: Vec<&'static str>,
    /// Recall, of all episodes and of groups of them.
    pub recall: Vec<GroupRecall>,
    /// How long it takes.
    pub delay: Vec<Delay>,
    /// What the threshold chosen on the days of validation does.
    pub transfer: Vec<Transfer>,
    /// What it costs.
    pub cost: Cost,
}

/// Episodes and decoys of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The kind.
    pub kind: &'static str,
    /// Episodes.
    pub episodes: u64,
    /// Decoys.
    pub decoys: u64,
    /// An alert counts until so many nanoseconds after an episode's end.
    pub grace_ns: u64,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The detector's name.
    pub detector: String,
    /// Seeds of the days that are reported of: the first one, and the one after the last.
    pub seeds: [u64; 2],
    /// Of the days by which thresholds were chosen.
    pub validation: [u64; 2],
    /// Some of the seeds are of days that contestants were trained with or chosen by: this is no test.
    pub seen_before: bool,
    /// Were the baselines trained on what this detector hears? If not, they are left out.
    pub baselines: bool,
    /// Symbol-hours.
    pub hours: f64,
    /// Events of books.
    pub events: u64,
    /// A false alarm within so many nanoseconds of one that was counted is part of it.
    pub merge_ns: u64,
    /// Episodes and decoys.
    pub kinds: Vec<Counted>,
    /// The contestants.
    pub contestants: Vec<Scored>,
}

/// What is scored.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seeds of the days that are reported of.
    pub seeds: Range<u64>,
    /// Seeds of the days by which thresholds are chosen.
    pub validation: Range<u64>,
    /// How each day is played.
    pub day: DayConfig,
}

impl Default for Options {
    fn default() -> Self {
        Options { seeds: manipulation::TEST, validation: manipulation::VALIDATION, day: DayConfig::default() }
    }
}

/// Scores a detector against the baselines. `done` is called after each day, with how many of how many are.
///
/// # Errors
/// [`ScoreError`].
pub fn score(
    detector: &Detector,
    baselines: &Baselines,
    options: &Options,
    done: impl Fn(usize, usize) + Sync,
) -> Result<Report, ScoreError> {
    for range in [&options.seeds, &options.validation] {
        if range.is_empty() {
            return Err(ScoreError::NoSeeds(range.start, range.end));
        }
    }
    // What can't be is said before the first day is made.
    let contestants = contestants(detector, baselines)?;
    let seeds: Vec<u64> = options.seeds.clone().chain(options.validation.clone()).collect();
    let mut days = judge_days(&seeds, options.day, detector, baselines, &|finished| done(finished, seeds.len()))?;
    let validation = days.split_off((options.seeds.end - options.seeds.start) as usize);
    let scored = contestants.iter().enumerate().map(|(n, one)| scored(one.as_ref(), n, &days, &validation));
    let overlaps = |other: &Range<u64>| options.seeds.start < other.end && other.start < options.seeds.end;
    Ok(Report {
        detector: detector.settings().name().to_owned(),
        seeds: [options.seeds.start, options.seeds.end],
        validation: [options.validation.start, options.validation.end],
        seen_before: [&manipulation::TRAIN, &manipulation::VALIDATION, &options.validation].into_iter().any(overlaps),
        baselines: baselines.hears == detector.hears(),
        hours: days.iter().map(|day| day.hours).sum(),
        events: days.iter().map(|day| day.events).sum(),
        merge_ns: RULES.merge,
        kinds: Kind::ALL.map(|kind| counted(kind, &days)).to_vec(),
        contestants: scored.collect(),
    })
}

fn counted(kind: Kind, days: &[JudgedDay]) -> Counted {
    let judged = days.iter().filter_map(|day| day.by_contestant.first()).flat_map(|(alerts, _)| alerts);
    let all: Vec<&Met<What>> = judged.flat_map(|one| &one.met).filter(|met| met.what.kind == kind).collect();
    let decoys = all.iter().filter(|met| met.decoy).count() as u64;
    Counted { kind: kind.name(), episodes: all.len() as u64 - decoys, decoys, grace_ns: kind.grace().0 }
}

/// The curves of a contestant, by alert.
fn curves(number: usize, days: &[JudgedDay]) -> Vec<Curve<What>> {
    let of = |alert: usize| days.iter().map(move |day| day.by_contestant[number].0[alert].clone());
    (0..ALERTS.len()).map(|alert| Curve::new(of(alert).collect())).collect()
}

fn real(met: &Met<What>) -> bool {
    !met.decoy
}

fn scored(contestant: &dyn Contestant, number: usize, days: &[JudgedDay], validation: &[JudgedDay]) -> Scored {
    let (curves, before) = (curves(number, days), self::curves(number, validation));
    let given = |alert: usize| curves[alert].days().iter().any(Judged::is_scored);
    let mut recall = Vec::new();
    let mut delay = Vec::new();
    for per_hour in RATES {
        let at = AtRate::new(&curves, per_hour, SEED);
        let mut group = |alert: Option<Alert>, kind: Option<Kind>, strength: Option<Strength>| {
            let wanted = |number: usize, met: &Met<What>| {
                real(met)
                    && alert.is_none_or(|alert| ALERTS[number] == alert)
                    && kind.is_none_or(|kind| met.what.kind == kind)
                    && strength.is_none_or(|strength| met.what.strength == strength)
            };
            let recall_of_it = at.recall(wanted);
            recall.push(GroupRecall {
                per_hour,
                alert: alert.map(Alert::name),
                kind: kind.map(Kind::name),
                strength: strength.map(Strength::name),
                recall: recall_of_it,
            });
        };
        group(None, None, None);
        ALERTS.iter().for_each(|alert| group(Some(*alert), None, None));
        Strength::ALL.iter().for_each(|strength| group(None, None, Some(*strength)));
        for kind in Kind::ALL {
            group(None, Some(kind), None);
            Strength::ALL.iter().for_each(|strength| group(None, Some(kind), Some(*strength)));
        }
        if per_hour == CHOSEN {
            delay = Kind::ALL.map(|kind| delay_of(kind, &curves, at.thresholds())).to_vec();
        }
    }
    let transfer = (0..ALERTS.len()).filter(|alert| given(*alert)).map(|alert| {
        let threshold = before[alert].threshold(CHOSEN);
        Transfer {
            alert: ALERTS[alert].name(),
            threshold: threshold.is_finite().then_some(threshold),
            episodes: curves[alert].met(threshold, real),
            false_alarms_per_hour: curves[alert].false_alarms_per_hour(threshold),
            decoys: curves[alert].met(threshold, |met| met.decoy),
        }
    });
    let spent = days.iter().map(|day| day.by_contestant[number].1).fold(Spent::default(), |sum, one| sum + one);
    Scored {
        name: contestant.name(),
        alerts: (0..ALERTS.len()).filter(|alert| given(*alert)).map(|alert| ALERTS[alert].name()).collect(),
        recall,
        delay,
        transfer: transfer.collect(),
        cost: cost(contestant.build(), spent),
    }
}

fn delay_of(kind: Kind, curves: &[Curve<What>], thresholds: &[f32]) -> Delay {
    let first = curves
        .iter()
        .zip(thresholds)
        .flat_map(|(curve, threshold)| curve.first_alerts(*threshold, |met| real(met) && met.what.kind == kind));
    let (events, ns) = first.map(|reach| (u64::from(reach.events), reach.ns)).unzip();
    Delay { kind: kind.name(), events: Quartiles::of(events), ns: Quartiles::of(ns) }
}

fn cost(build: Build, spent: Spent) -> Cost {
    let events = spent.events.max(1) as f64;
    let silent = |neurons: u64| 1.0 - spent.spikes as f64 / (events * neurons as f64);
    Cost {
        build,
        activation_sparsity: (build.neurons > 0).then(|| silent(build.neurons)),
        effective_macs: spent.multiplies as f64 / events,
        effective_acs: spent.adds as f64 / events,
        comparisons: spent.comparisons as f64 / events,
    }
}

/// The time constants of contestants without baselines: none.
impl Default for Constants {
    fn default() -> Self {
        Constants(Vec::new())
    }
}
