//! What is chosen on the days of validation: constants of the rules, the penalty, the size of the trees, and what of an episode is learnt.

use super::fit;
use super::rows::{Learnt, Rows, Sample, rows};
use firelane_sim::manipulation::DayConfig;
use firelane_surveillance::contest::logistic::{Logistic, Weights};
use firelane_surveillance::contest::meaning::Meanings;
use firelane_surveillance::contest::rule::{IcebergRule, IgnitionRule, LayeringRule, Rule, Rules};
use firelane_surveillance::contest::trees::{Tree, Trees};
use firelane_surveillance::contest::{ALERTS, Contestant};
use firelane_surveillance::curve::{Count, Curve};
use firelane_surveillance::detector::Detector;
use firelane_surveillance::models::Baselines;
use firelane_surveillance::score::{Book, CHOSEN, RULES, books, scores};
use firelane_surveillance::traces::{Constants, Traces};
use firelane_surveillance::watch::Units;
use std::error::Error;
use std::ops::Range;

/// Events of the book in which a trace loses itself.
const CONSTANTS: [u32; 4] = [4, 16, 64, 256];
/// The grids, all of them.
const WINDOWS: [u32; 5] = [6, 12, 25, 50, 100];
const MOVES: [i32; 4] = [0, 1, 2, 4];
const WITHIN: [u32; 4] = [1, 3, 10, 30];
const PENALTIES: [f64; 2] = [10.0, 1_000.0];
/// Trees of an alert, which is what can be committed, and what part of each counts.
const TREES: usize = 50;
const STEP: f64 = 0.2;
const LEARNT: [Learnt; 2] = [Learnt::Whole, Learnt::SecondHalf];

/// Recall at [`CHOSEN`] false alarms a symbol-hour.
struct Judge<'a> {
    detector: &'a Detector,
    constants: Constants,
    days: Vec<Vec<Book>>,
}

impl Judge<'_> {
    /// By alert.
    fn met(&self, contestant: &mut dyn Contestant) -> [Count; ALERTS.len()] {
        let mut traces = Traces::new(Units::of(self.detector.settings()), &self.constants);
        let mut judged = ALERTS.map(|_| Vec::new());
        for book in self.days.iter().flatten() {
            let all = scores(contestant, &book.track, &mut traces);
            for ((judged, scores), targets) in judged.iter_mut().zip(all).zip(&book.targets) {
                judged.push(RULES.judge(book.track.stamps(), &scores, targets, book.hours));
            }
        }
        judged.map(|days| {
            let curve = Curve::new(days);
            curve.met(curve.threshold(CHOSEN), |met| !met.decoy)
        })
    }
}

/// The best so far; of equals the first.
struct Best<T>(Option<(u64, T)>);

impl<T> Best<T> {
    fn offer(&mut self, met: Count, what: T) {
        if self.0.as_ref().is_none_or(|(best, _)| met.met > *best) {
            self.0 = Some((met.met, what));
        }
    }

    fn take(self) -> Result<T, Box<dyn Error>> {
        Ok(self.0.ok_or("nothing was tried")?.1)
    }
}

/// What is trained on.
pub(crate) struct Plan {
    pub(crate) day: DayConfig,
    pub(crate) train: Range<u64>,
    pub(crate) validation: Range<u64>,
    pub(crate) sample: Sample,
}

/// Trains all baselines.
pub(crate) fn train(
    detector: &Detector,
    plan: &Plan,
    tell: &mut dyn FnMut(String),
) -> Result<Baselines, Box<dyn Error>> {
    let constants = Constants(CONSTANTS.to_vec());
    let days = plan.validation.clone().map(|seed| books(seed, plan.day, detector)).collect::<Result<_, _>>()?;
    let judge = Judge { detector, constants: constants.clone(), days };
    let rules = rules(&judge, tell)?;
    let mut learnt = Vec::new();
    for seed in plan.train.clone() {
        learnt.extend(books(seed, plan.day, detector)?);
    }
    // Alerts have nothing to do with each other.
    let (judge, learnt) = (&judge, &learnt);
    let fitted: Vec<Result<Fitted, String>> = std::thread::scope(|scope| {
        let one =
            |alert| scope.spawn(move || fitted(alert, judge, learnt, plan.sample).map_err(|error| error.to_string()));
        let all: Vec<_> = (0..ALERTS.len()).map(one).collect();
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| Err("a trainer broke off".to_owned()))).collect()
    });
    let mut baselines =
        Baselines { hears: detector.hears(), constants, rules, logistic: Vec::new(), trees: Vec::new() };
    for fitted in fitted {
        let Fitted { weights, trees, told } = fitted?;
        told.into_iter().for_each(&mut *tell);
        baselines.logistic.push(weights);
        baselines.trees.push(trees);
    }
    Ok(baselines)
}

/// What was fitted for an alert, and what there is to tell of it.
struct Fitted {
    weights: Weights,
    trees: Vec<Tree>,
    told: Vec<String>,
}

fn fitted(alert: usize, judge: &Judge<'_>, learnt: &[Book], sample: Sample) -> Result<Fitted, Box<dyn Error>> {
    let (mut weights, mut trees, mut told) = (Best(None), Best(None), Vec::new());
    for part in LEARNT {
        let rows = rows(learnt, alert, part, sample, judge.detector, &judge.constants);
        let name = format!("{} ({part:?}, {} rows)", ALERTS[alert].name(), rows.count());
        if !rows.wanted.contains(&true) {
            return Err(format!("the days of training have no event of {name} among their rows: take more").into());
        }
        for penalty in PENALTIES {
            let fitted = fit::logistic(&rows, penalty)?;
            let met = judge.met(&mut Logistic::new(alone(alert, fitted.clone(), || silent(&rows))))[alert];
            told.push(format!("logistic, {name}, penalty {penalty}: {} of {}", met.met, met.of));
            weights.offer(met, fitted);
        }
        let fitted = fit::trees(&rows, STEP, TREES)?;
        let met = judge.met(&mut Trees::new(alone(alert, fitted.clone(), Vec::new), rows.columns))[alert];
        told.push(format!("trees, {name}: {} of {}", met.met, met.of));
        trees.offer(met, fitted);
    }
    Ok(Fitted { weights: weights.take()?, trees: trees.take()?, told })
}

/// What looks for one alert alone.
fn alone<T>(alert: usize, of_it: T, other: impl Fn() -> T) -> Vec<T> {
    let mut of_it = Some(of_it);
    let each = |number| if number == alert { of_it.take() } else { None }.unwrap_or_else(&other);
    (0..ALERTS.len()).map(each).collect()
}

fn silent(rows: &Rows) -> Weights {
    Weights { bias: 0.0, of: vec![0.0; rows.columns] }
}

/// The rules do not hear each other: all three grids are walked side by side.
fn rules(judge: &Judge<'_>, tell: &mut dyn FnMut(String)) -> Result<Rules, Box<dyn Error>> {
    let large = judge.detector.settings().address().map_or(0, |address| address.sizes.len() as u16);
    let layering = WINDOWS.into_iter().flat_map(|window| {
        (0..=large).flat_map(move |large| [true, false].map(|gone| LayeringRule { window, large, gone }))
    });
    let ignition = WINDOWS.into_iter().flat_map(|window| MOVES.map(|moves| IgnitionRule { window, moves }));
    let iceberg = WINDOWS.into_iter().flat_map(|window| WITHIN.map(|within| IcebergRule { window, within }));
    let (layering, ignition, iceberg) = (Vec::from_iter(layering), Vec::from_iter(ignition), Vec::from_iter(iceberg));
    let (mut best_layering, mut best_ignition, mut best_iceberg) = (Best(None), Best(None), Best(None));
    for number in 0..layering.len().max(ignition.len()).max(iceberg.len()) {
        // A grid that is shorter is walked again, which changes nothing.
        let layering = layering[number % layering.len()];
        let ignition = ignition[number % ignition.len()];
        let iceberg = iceberg[number % iceberg.len()];
        let meanings = Meanings::new(judge.detector.settings());
        let met = judge.met(&mut Rule::new(Rules { layering, ignition, iceberg }, meanings));
        best_layering.offer(met[0], layering);
        best_ignition.offer(met[1], ignition);
        best_iceberg.offer(met[2], iceberg);
    }
    let rules =
        Rules { layering: best_layering.take()?, ignition: best_ignition.take()?, iceberg: best_iceberg.take()? };
    tell(format!("rules: {rules:?}"));
    Ok(rules)
}
