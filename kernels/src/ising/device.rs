//! What a solver is. Everything that makes the energy of spins small for Firelane is one of these, and whoever uses one uses nothing
//! else.

use super::job::{Algorithm, Answer, Job, Progress};
use super::plan::Misplanned;
use super::problem::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use thiserror::Error;

/// What a device can hold and do.
#[derive(Clone, Debug, PartialEq)]
pub struct Capabilities {
    /// What it is called: `cpu/avx512`.
    pub name: String,
    /// Most sites.
    pub sites: usize,
    /// Most couplings, each counted twice.
    pub links: usize,
    /// Most replicas of a job.
    pub replicas: u32,
    /// The names of the algorithms that it has.
    pub algorithms: Vec<&'static str>,
}

impl Capabilities {
    /// Does it solve by this?
    #[must_use]
    pub fn has(&self, algorithm: &Algorithm) -> bool {
        self.algorithms.contains(&algorithm.name())
    }
}

/// What a device can't do, or was asked wrongly.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Fault {
    /// Nothing has been loaded.
    #[error("no problem is loaded")]
    Empty,
    /// A job came while another was being done.
    #[error("a job has been submitted, and not yet fetched")]
    Busy,
    /// Something was fetched while no job was being done.
    #[error("no job has been submitted")]
    Nothing,
    /// A problem that it can't hold.
    #[error("{device} holds {most} {what}, and the problem has {has}")]
    TooLarge {
        /// Which device.
        device: String,
        /// Of what it has too many.
        what: &'static str,
        /// How many.
        has: usize,
        /// How many it holds.
        most: usize,
    },
    /// A job that is none.
    #[error(transparent)]
    Job(#[from] Misplanned),
    /// The device itself failed.
    #[error("the device failed: {0}")]
    Device(String),
}

/// What a job that is being done is asked and told through.
#[derive(Debug)]
pub struct Watch {
    cancelled: AtomicBool,
    done: AtomicU64,
    best: AtomicI64,
}

impl Default for Watch {
    fn default() -> Self {
        Watch { cancelled: AtomicBool::new(false), done: AtomicU64::new(0), best: AtomicI64::new(i64::MAX) }
    }
}

impl Watch {
    /// Has somebody asked for its end?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Asks for its end: the answer will be what was found until then.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Says which share is done, and an energy that was found.
    pub fn tell(&self, done: f64, energy: i64) {
        self.done.store(done.to_bits(), Ordering::Relaxed);
        self.best.fetch_min(energy, Ordering::Relaxed);
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let best = self.best.load(Ordering::Relaxed);
        let done = f64::from_bits(self.done.load(Ordering::Relaxed));
        Progress { done, best: (best != i64::MAX).then_some(best) }
    }
}

/// What has become of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Polled {
    /// It is being done.
    Running(Progress),
    /// It is answered.
    Answered(Box<Answer>),
}

/// Something that makes the energy of spins small.
///
/// The same problem, job and seed have the same answer on every device, bit for bit, but for the times in it.
pub trait Device {
    /// What it can hold and do.
    fn capabilities(&self) -> Capabilities;

    /// Takes a problem in the place of the one that it has.
    ///
    /// # Errors
    /// [`Fault::TooLarge`], [`Fault::Busy`]; what was loaded before is still there.
    fn load(&mut self, problem: &Arc<Problem>) -> Result<(), Fault>;

    /// Starts a job, to be fetched with [`poll`](Self::poll). One can be under way.
    ///
    /// # Errors
    /// [`Fault::Job`], [`Fault::Busy`], [`Fault::Empty`].
    fn submit(&mut self, job: &Job) -> Result<(), Fault>;

    /// Asks what has become of the job; fetches the answer if there is one.
    ///
    /// # Errors
    /// [`Fault::Nothing`], [`Fault::Device`]; then there is no job any more.
    fn poll(&mut self) -> Result<Polled, Fault>;

    /// Asks for the end of the job. Its answer, with what was found until then, is still to be fetched.
    ///
    /// # Errors
    /// [`Fault::Nothing`].
    fn cancel(&mut self) -> Result<(), Fault>;

    /// Does a job, and waits for it.
    ///
    /// # Errors
    /// [`Fault`].
    fn solve(&mut self, job: &Job) -> Result<Answer, Fault> {
        self.submit(job)?;
        loop {
            match self.poll()? {
                Polled::Answered(answer) => return Ok(*answer),
                Polled::Running(_) => std::thread::sleep(std::time::Duration::from_micros(50)),
            }
        }
    }
}
