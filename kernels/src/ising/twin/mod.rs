//! The software twin: a solver on the processor. Scalar Rust is the specification (`scalar.rs`); `simd` does many replicas at once,
//! with the same bits.

mod block;
mod engine;
mod feeling;
mod ladders;
mod scalar;
mod simd;

use super::background::{Background, Fetched};
use super::device::{Capabilities, Device, Fault, Polled, Watch};
use super::job::{Algorithm, Answer, Job, MOST_REPLICAS};
use super::plan::{Misplanned, Plan};
use super::problem::{MOST_PAIRS, MOST_SITES, Problem};
use engine::Engine;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub use crate::path::Path;

/// A solver on the processor. A job that is submitted is done by a thread of its own; [`solve`](Device::solve) does it on the caller's.
#[derive(Debug)]
pub struct Software {
    unit: simd::Unit,
    problem: Option<Arc<Problem>>,
    /// What did the last job: one like it needs no more than to begin.
    ready: Option<Ready>,
    running: Background<(Answer, Ready)>,
}

/// An engine with what it was made for.
struct Ready {
    algorithm: Algorithm,
    steps: u32,
    replicas: u32,
    engine: Box<dyn Engine>,
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready({:?} of {} steps, {} replicas)", self.algorithm, self.steps, self.replicas)
    }
}

impl Ready {
    fn new(unit: simd::Unit, problem: &Problem, job: &Job) -> Result<Ready, Misplanned> {
        let Job { algorithm, steps, replicas, .. } = *job;
        Ok(Ready { algorithm, steps, replicas, engine: engine(unit, problem, &Plan::of(problem, job)?, replicas) })
    }

    fn is_for(&self, job: &Job) -> bool {
        (self.algorithm, self.steps, self.replicas) == (job.algorithm, job.steps, job.replicas)
    }
}

impl Software {
    /// With the widest vectors that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::with(simd::Unit::best())
    }

    /// On this path, if the processor has it.
    #[must_use]
    pub fn on(path: Path) -> Option<Self> {
        simd::Unit::of(path).map(Self::with)
    }

    fn with(unit: simd::Unit) -> Self {
        Software { unit, problem: None, ready: None, running: Background::default() }
    }

    /// The problem, and what can do this job.
    fn ready(&mut self, job: &Job) -> Result<(Arc<Problem>, Ready), Fault> {
        if self.running.is_busy() {
            return Err(Fault::Busy);
        }
        let problem = Arc::clone(self.problem.as_ref().ok_or(Fault::Empty)?);
        job.check()?;
        let ready = match self.ready.take_if(|ready| ready.is_for(job)) {
            Some(ready) => ready,
            None => Ready::new(self.unit, &problem, job)?,
        };
        Ok((problem, ready))
    }
}

fn engine(unit: simd::Unit, problem: &Problem, plan: &Plan, replicas: u32) -> Box<dyn Engine> {
    if let Some(engine) = unit.engine(problem, plan, replicas) {
        return engine;
    }
    match plan {
        Plan::Bifurcating(plan) => Box::new(scalar::Bifurcated::new(problem, plan)),
        Plan::Annealing(temperatures) => Box::new(scalar::Annealed::new(temperatures)),
        Plan::Tempering(temperatures, exchanges) => Box::new(ladders::Tempered::new(temperatures, exchanges)),
        Plan::Quantum { fraction, slices, temperature, bonds } => {
            Box::new(ladders::Sliced::new(*fraction, *slices, *temperature, bonds))
        }
    }
}

impl Device for Software {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: format!("cpu/{}", self.unit.path().name()),
            sites: MOST_SITES,
            links: 2 * MOST_PAIRS,
            replicas: MOST_REPLICAS,
            algorithms: Algorithm::ALL.iter().map(Algorithm::name).collect(),
        }
    }

    fn load(&mut self, problem: &Arc<Problem>) -> Result<(), Fault> {
        if self.running.is_busy() {
            return Err(Fault::Busy);
        }
        self.problem = Some(Arc::clone(problem));
        self.ready = None;
        Ok(())
    }

    fn submit(&mut self, job: &Job) -> Result<(), Fault> {
        let submitted = Instant::now();
        let (problem, mut ready) = self.ready(job)?;
        let job = *job;
        self.running.start("ising", move |watch| {
            let answer = engine::solve(&problem, &job, ready.engine.as_mut(), watch, submitted);
            (answer, ready)
        })
    }

    fn poll(&mut self) -> Result<Polled, Fault> {
        match self.running.poll()? {
            Fetched::Running(progress) => Ok(Polled::Running(progress)),
            Fetched::Done((answer, ready)) => {
                self.ready = Some(ready);
                Ok(Polled::Answered(Box::new(answer)))
            }
        }
    }

    fn cancel(&mut self) -> Result<(), Fault> {
        self.running.cancel()
    }

    fn solve(&mut self, job: &Job) -> Result<Answer, Fault> {
        let submitted = Instant::now();
        let (problem, mut ready) = self.ready(job)?;
        let answer = engine::solve(&problem, job, ready.engine.as_mut(), &Watch::default(), submitted);
        self.ready = Some(ready);
        Ok(answer)
    }
}
