//! The software twin: the specification, in `f64`.

use super::book::{Book, Instrument};
use super::cholesky;
use super::device::{Capabilities, Device, Fault, Loss, Precision, within};
use super::normal;
use super::plan::{MOST_TERMS, Plan, Sampling, Term, worth, worth_at};
use super::sobol;
use crate::philox::philox4x32;
use std::num::NonZero;
use std::sync::Arc;

/// What random numbers are drawn for: the last word of a counter.
pub const USE: u32 = 3;
/// Scenarios that a thread takes at least.
const SHARE: u32 = 256;

/// What scenarios are reckoned in.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// A number for each asset.
    drawn: Vec<f64>,
    /// `W` of the plan.
    walk: Vec<f64>,
    /// What options that have expired paid, less what they were worth.
    settled: f64,
}

impl Scratch {
    /// For a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let zero = vec![0.0; plan.assets()];
        Scratch { drawn: zero.clone(), walk: zero, settled: 0.0 }
    }
}

/// The key of Philox's, of a seed.
#[must_use]
pub fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// The normal numbers of a scenario at a time, one for each asset.
pub(crate) fn draw(plan: &Plan, scenario: u32, time: usize, into: &mut [f64]) {
    if plan.job.sampling == Sampling::Sobol {
        return sobol::draw(plan, scenario, time, into);
    }
    let key = key(plan.job.seed);
    for (block, four) in into.chunks_mut(4).enumerate() {
        let words = philox4x32([scenario, time as u32, block as u32, USE], key);
        for (number, word) in four.iter_mut().zip(words) {
            *number = normal::of_word(word);
        }
    }
}

/// A scenario: `found` is told, for each time, what the book has gained by then.
fn walked(plan: &Plan, scenario: u32, scratch: &mut Scratch, mut found: impl FnMut(usize, f64)) {
    scratch.walk.fill(0.0);
    scratch.settled = 0.0;
    for (time, root) in plan.roots.iter().enumerate() {
        draw(plan, scenario, time, &mut scratch.drawn);
        for (walk, drawn) in scratch.walk.iter_mut().zip(&scratch.drawn) {
            *walk += root * drawn;
        }
        found(time, gained(plan, time, scratch));
    }
}

/// The return of an asset.
#[inline]
fn moved(plan: &Plan, time: usize, asset: usize, walk: &[f64]) -> f64 {
    let row = &plan.factor[cholesky::row(asset)..=cholesky::row(asset) + asset];
    let sum = row.iter().zip(walk).map(|(factor, walk)| factor * walk).sum::<f64>();
    plan.drift[time * plan.assets() + asset] + sum
}

/// What the book has gained at a time.
fn gained(plan: &Plan, time: usize, scratch: &mut Scratch) -> f64 {
    let terms = plan.terms_at(time);
    let (mut gained, mut expired) = (0.0, 0.0);
    for (asset, options) in plan.of_asset.iter().enumerate() {
        let stock = plan.stock[asset];
        if stock == 0.0 && options.is_empty() {
            continue;
        }
        let x = moved(plan, time, asset, &scratch.walk);
        let more = x.exp_m1();
        gained += stock * more;
        for (option, term) in plan.options[options.clone()].iter().zip(&terms[options.clone()]) {
            let change = match term {
                Term::Gone => continue,
                term => worth_at(term, option.sign, x, 1.0 + more) - option.now,
            };
            if matches!(term, Term::Expires { .. }) {
                expired += change;
            } else {
                gained += change;
            }
        }
    }
    scratch.settled += expired;
    gained + scratch.settled
}

/// The loss of a scenario.
#[must_use]
pub fn loss(plan: &Plan, scenario: u32, scratch: &mut Scratch) -> Loss {
    let mut loss = Loss { end: 0.0, deepest: f64::NEG_INFINITY };
    walked(plan, scenario, scratch, |_, gained| {
        loss.end = -gained;
        loss.deepest = loss.deepest.max(-gained);
    });
    loss
}

/// What each position of a book loses in a scenario at the horizon.
pub fn by_position(plan: &Plan, book: &Book, scenario: u32, scratch: &mut Scratch, into: &mut [f64]) {
    scratch.walk.fill(0.0);
    let last = plan.times.len() - 1;
    for (time, root) in plan.roots.iter().enumerate() {
        draw(plan, scenario, time, &mut scratch.drawn);
        for (walk, drawn) in scratch.walk.iter_mut().zip(&scratch.drawn) {
            *walk += root * drawn;
        }
        for (option, term) in plan.options.iter().zip(plan.terms_at(time)) {
            let counts = matches!(term, Term::Expires { .. }) || (time == last && *term != Term::Gone);
            if counts {
                let x = moved(plan, time, option.asset, &scratch.walk);
                into[option.position] = option.now - worth(term, option.sign, x);
            }
        }
    }
    for (held, into) in book.positions().iter().zip(into) {
        if held.instrument == Instrument::Stock {
            let x = moved(plan, last, held.asset, &scratch.walk);
            *into = -held.quantity * book.assets()[held.asset].spot * x.exp_m1();
        }
    }
}

/// The twin as a device, on all cores that there are (or as many as it is given).
#[derive(Clone, Debug)]
pub struct Software {
    threads: NonZero<usize>,
    plan: Option<Arc<Plan>>,
}

impl Default for Software {
    fn default() -> Self {
        let one = NonZero::<usize>::MIN;
        Software { threads: std::thread::available_parallelism().unwrap_or(one), plan: None }
    }
}

impl Software {
    /// On so many threads. How many changes no loss.
    #[must_use]
    pub fn on(threads: NonZero<usize>) -> Self {
        Software { threads, plan: None }
    }
}

impl Device for Software {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "cpu".into(),
            precision: Precision::Double,
            sobol: true,
            assets: super::book::MOST_ASSETS,
            terms: MOST_TERMS,
        }
    }

    fn load(&mut self, plan: &Arc<Plan>) -> Result<(), Fault> {
        self.plan = Some(Arc::clone(plan));
        Ok(())
    }

    fn losses(&mut self, first: u32, count: u32) -> Result<Vec<Loss>, Fault> {
        let plan = self.plan.as_deref().ok_or(Fault::Empty)?;
        within(plan, first, count)?;
        let mut losses = vec![Loss::default(); count as usize];
        let share = count.div_ceil(self.threads.get() as u32).max(SHARE) as usize;
        let fill = |first: u32, losses: &mut [Loss]| {
            let mut scratch = Scratch::new(plan);
            for (scenario, into) in (first..).zip(losses) {
                *into = loss(plan, scenario, &mut scratch);
            }
        };
        if losses.len() <= share {
            fill(first, &mut losses);
            return Ok(losses);
        }
        std::thread::scope(|scope| {
            for (number, share_of) in losses.chunks_mut(share).enumerate() {
                let fill = &fill;
                scope.spawn(move || fill(first + (number * share) as u32, share_of));
            }
        });
        Ok(losses)
    }
}
