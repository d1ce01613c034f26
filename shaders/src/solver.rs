//! The solver: a device of `firelane_kernels::ising`, on an adapter.

use crate::adapter::{Adapter, Unavailable};
use crate::engine::Engine;
use crate::host::Host;
use crate::run;
use firelane_kernels::ising::background::{Background, Fetched};
use firelane_kernels::ising::device::{Capabilities, Device, Fault, Polled, Watch};
use firelane_kernels::ising::job::{Answer, Job, MOST_REPLICAS};
use firelane_kernels::ising::plan::{Misplanned, Plan};
use firelane_kernels::ising::problem::{MOST_SITES, Problem};
use firelane_kernels::ising::twin::Software;
use std::sync::Arc;
use std::time::Instant;

/// What a thread hands back: what it drove, and what came of it.
type Driven = (Engine, Result<Answer, Fault>);

/// A solver on an adapter, by simulated bifurcation (`dsb`, `bsb`) and simulated annealing (`sa`). A job that is submitted is driven by a thread of
/// its own, so that nobody who asks about it waits; [`solve`](Device::solve) drives it on the caller's.
#[derive(Debug)]
pub struct Gpu {
    adapter: Adapter,
    capabilities: Capabilities,
    /// It is with the job that is being done.
    engine: Option<Engine>,
    running: Background<Driven>,
}

impl Gpu {
    /// Opens the adapter of this number or name, or with this in its name; without any, the best.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn open(wanted: Option<&str>) -> Result<Self, Unavailable> {
        let (adapter, host) = Host::choose(wanted)?;
        let name = format!("gpu/{}", adapter.name);
        let refused = |fault: Fault| Unavailable::Refused { name: adapter.name.clone(), why: fault.to_string() };
        let engine = Engine::new(host, name.clone(), adapter.sort).map_err(refused)?;
        let capabilities = Capabilities {
            name,
            sites: MOST_SITES,
            links: engine.most_words(),
            replicas: MOST_REPLICAS,
            algorithms: vec!["dsb", "bsb", "sa"],
        };
        Ok(Gpu { adapter, capabilities, engine: Some(engine), running: Background::default() })
    }

    /// What it runs on.
    #[must_use]
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The engine, if no job has it.
    pub(crate) fn idle(&mut self) -> Result<&mut Engine, Fault> {
        if self.running.is_busy() {
            return Err(Fault::Busy);
        }
        let gone = "its driver broke off in the middle of a job: open it again, or solve on the CPU";
        self.engine.as_mut().ok_or_else(|| Fault::Device(gone.into()))
    }

    fn planned(&mut self, job: &Job) -> Result<Plan, Fault> {
        let has = self.capabilities.has(&job.algorithm);
        let engine = self.idle()?;
        let problem = engine.problem()?;
        if !has {
            return Err(Fault::Job(Misplanned::Algorithm(job.algorithm.name())));
        }
        let plan = Plan::of(problem, job)?;
        engine.kernel(job, &plan)?;
        Ok(plan)
    }
}

impl Device for Gpu {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn load(&mut self, problem: &Arc<Problem>) -> Result<(), Fault> {
        self.idle()?.load(problem)
    }

    fn submit(&mut self, job: &Job) -> Result<(), Fault> {
        let submitted = Instant::now();
        let plan = self.planned(job)?;
        let Some(mut engine) = self.engine.take() else { return Err(Fault::Busy) };
        let job = *job;
        self.running.start("ising gpu", move |watch| {
            let answer = run::solve(&mut engine, &job, &plan, watch, submitted);
            (engine, answer)
        })
    }

    fn poll(&mut self) -> Result<Polled, Fault> {
        match self.running.poll()? {
            Fetched::Running(progress) => Ok(Polled::Running(progress)),
            Fetched::Done((engine, answer)) => {
                self.engine = Some(engine);
                answer.map(|answer| Polled::Answered(Box::new(answer)))
            }
        }
    }

    fn cancel(&mut self) -> Result<(), Fault> {
        self.running.cancel()
    }

    fn solve(&mut self, job: &Job) -> Result<Answer, Fault> {
        let submitted = Instant::now();
        let plan = self.planned(job)?;
        run::solve(self.idle()?, job, &plan, &Watch::default(), submitted)
    }
}

/// The adapter that is meant, or the processor if it can't be had, and why: for whoever wants an answer rather than a GPU.
#[must_use]
pub fn open_or_cpu(wanted: Option<&str>) -> (Box<dyn Device + Send>, Option<Unavailable>) {
    match Gpu::open(wanted) {
        Ok(gpu) => (Box::new(gpu), None),
        Err(why) => (Box::new(Software::best()), Some(why)),
    }
}
