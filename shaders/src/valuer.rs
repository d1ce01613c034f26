//! What values scenarios: a device of `firelane_kernels::risk`, on an adapter.

use crate::adapter::{Adapter, Sort, Unavailable};
use crate::host::Host;
use crate::scenarios::{MOST_ASSETS, Scenarios};
use firelane_kernels::risk::device::{Capabilities, Device, Fault, Loss, Precision, within};
use firelane_kernels::risk::plan::{MOST_TERMS, Plan, Sampling, Term};
use firelane_kernels::risk::twin::{Software, key};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wgpu::{Buffer, BufferUsages};

/// A submission takes about so long at most, so that displays on the same GPU move and no driver takes it for hung.
const LONGEST: Duration = Duration::from_millis(50);
/// Scenarios of the first submission of a shader, of which nobody knows how fast it is.
const FIRST: u32 = 4_096;
/// Most scenarios of a submission: 8 MiB of losses.
const MOST: u32 = 1 << 20;
/// Turns of all loops of a thread that software adapters do: they end them after 65,535 without a word.
const MOST_TURNS: usize = 49_152;
/// Words of the job, as `risk.wgsl` has it.
const JOB_WORDS: usize = 8;

/// A plan in the adapter's memory.
#[derive(Debug)]
struct Loaded {
    plan: Arc<Plan>,
    shader: Scenarios,
    bound: wgpu::BindGroup,
    losses: Buffer,
    room: u32,
    /// Scenarios a second, once it is known.
    rate: Option<f64>,
}

/// What values books on an adapter, in `f32`: losses are within the [bound](firelane_kernels::risk::bound) of the twin's.
#[derive(Debug)]
pub struct RiskGpu {
    adapter: Adapter,
    host: Host<Scenarios>,
    job: Buffer,
    loaded: Option<Loaded>,
}

impl RiskGpu {
    /// Opens the adapter of this number or name, or with this in its name; without any, the best.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn open(wanted: Option<&str>) -> Result<Self, Unavailable> {
        let (adapter, host) = Host::choose(wanted)?;
        let job = host.buffer(4 * JOB_WORDS as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
        let job = job.map_err(|failed| Unavailable::Refused { name: adapter.name.clone(), why: failed.0 })?;
        Ok(RiskGpu { adapter, host, job, loaded: None })
    }

    /// What it runs on.
    #[must_use]
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    fn name(&self) -> String {
        format!("gpu/{}", self.adapter.name)
    }

    fn fits(&self, what: &'static str, has: usize, most: usize) -> Result<(), Fault> {
        if has <= most { Ok(()) } else { Err(Fault::TooLarge { device: self.name(), what, has, most }) }
    }
}

/// Assets, as `risk.wgsl` has them.
fn assets(plan: &Plan) -> Vec<u32> {
    let own = |(stock, options): (&f64, &std::ops::Range<usize>)| {
        [((stock / plan.gross) as f32).to_bits(), options.start as u32, options.end as u32]
    };
    plan.stock.iter().zip(&plan.of_asset).flat_map(own).collect()
}

/// Roots, means, and the triangle.
fn numbers(plan: &Plan) -> Vec<u32> {
    let all = plan.roots.iter().chain(&plan.drift).chain(&plan.factor);
    all.map(|number| (*number as f32).to_bits()).collect()
}

/// What options are worth, as parts of the gross value.
fn terms(plan: &Plan) -> Vec<u32> {
    let options = plan.options.iter().cycle();
    let term = |(term, option): (&Term, &firelane_kernels::risk::plan::Contract)| {
        let part = |money: f64| ((money / plan.gross) as f32).to_bits();
        let plain = |number: f64| (number as f32).to_bits();
        let (sign, now) = (plain(option.sign), part(option.now));
        match *term {
            Term::Lives { slope, offset, spread, spot, strike } => {
                [0, sign, plain(slope), plain(offset), plain(spread), part(spot), part(strike), now]
            }
            Term::Expires { spot, strike } => [1, sign, 0, 0, 0, part(spot), part(strike), now],
            Term::Gone => [2, sign, 0, 0, 0, 0, 0, now],
        }
    };
    plan.terms.iter().zip(options).flat_map(term).collect()
}

impl Device for RiskGpu {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: self.name(),
            precision: Precision::Single,
            sobol: false,
            assets: MOST_ASSETS,
            terms: MOST_TERMS.min((self.host.most_bytes() / 32) as usize),
        }
    }

    fn load(&mut self, plan: &Arc<Plan>) -> Result<(), Fault> {
        self.host.check()?;
        if plan.job.sampling == Sampling::Sobol {
            return Err(Fault::NoSobol { device: self.name() });
        }
        let has = self.capabilities();
        self.fits("assets", plan.assets(), has.assets)?;
        self.fits("options at all times", plan.terms.len(), has.terms)?;
        let shader = Scenarios::new(plan.assets(), self.host.limits.max_compute_invocations_per_workgroup);
        if self.adapter.sort == Sort::Software {
            let turns = shader.turns(plan.times.len(), plan.options.len());
            self.fits("turns of loops in a scenario", turns, MOST_TURNS)?;
        }
        let groups = self.host.limits.max_compute_workgroups_per_dimension;
        let bytes = (self.host.most_bytes() / 8).min(u64::from(MOST)) as u32;
        let room = bytes.min(groups.saturating_mul(shader.threads)).min(plan.job.scenarios);
        let losses = self.host.buffer(8 * u64::from(room), BufferUsages::STORAGE | BufferUsages::COPY_SRC)?;
        let tables = [assets(plan), numbers(plan), terms(plan)];
        let [assets, numbers, terms] = &tables;
        let (assets, numbers) = (self.host.holding(assets)?, self.host.holding(numbers)?);
        // No option at all is one that nobody reads.
        let none = [0; 8];
        let terms = self.host.holding(if terms.is_empty() { &none } else { terms })?;
        let bound = self.host.bind(&[&self.job, &assets, &numbers, &terms, &losses]);
        self.host.pipeline(shader)?;
        self.loaded = Some(Loaded { plan: Arc::clone(plan), shader, bound, losses, room, rate: None });
        Ok(())
    }

    fn losses(&mut self, first: u32, count: u32) -> Result<Vec<Loss>, Fault> {
        let loaded = self.loaded.as_mut().ok_or(Fault::Empty)?;
        let plan = &loaded.plan;
        within(plan, first, count)?;
        let [low, high] = key(plan.job.seed);
        let mut losses = Vec::with_capacity(count as usize);
        while losses.len() < count as usize {
            let left = count - losses.len() as u32;
            let wanted = loaded.rate.map_or(FIRST, |rate| (rate * LONGEST.as_secs_f64()).max(1.0) as u32);
            let scenarios = left.min(wanted).min(loaded.room);
            let job: [u32; JOB_WORDS] = [
                first + losses.len() as u32,
                scenarios,
                low,
                high,
                plan.times.len() as u32,
                plan.options.len() as u32,
                0,
                0,
            ];
            self.host.write(&self.job, &job);
            let groups = scenarios.div_ceil(loaded.shader.threads);
            let reading = [(&loaded.losses, 8 * u64::from(scenarios))];
            let begun = Instant::now();
            let words = self.host.submit(loaded.shader, &loaded.bound, groups, &reading)?;
            let rate = f64::from(scenarios) / begun.elapsed().as_secs_f64().max(1e-6);
            // A last one that is small says little; what was in the way once is not in the way again.
            loaded.rate = Some(loaded.rate.map_or(rate, |last| if rate > last { rate } else { (rate + last) / 2.0 }));
            let money = |word: u32| f64::from(f32::from_bits(word)) * plan.gross;
            losses.extend(words.chunks_exact(2).map(|two| Loss { end: money(two[0]), deepest: money(two[1]) }));
        }
        match losses.iter().position(|loss| !loss.end.is_finite() || !loss.deepest.is_finite()) {
            None => Ok(losses),
            Some(place) => Err(Fault::Device(format!(
                "scenario {} came out as no number: don't trust it, and value the book on the CPU",
                u64::from(first) + place as u64
            ))),
        }
    }
}

/// The adapter that is meant, or the processor if it can't be had, and why: for whoever wants an answer rather than a GPU.
#[must_use]
pub fn risk_on(wanted: Option<&str>) -> (Box<dyn Device + Send>, Option<Unavailable>) {
    match RiskGpu::open(wanted) {
        Ok(gpu) => (Box::new(gpu), None),
        Err(why) => (Box::new(Software::default()), Some(why)),
    }
}
