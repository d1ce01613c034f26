//! A problem that is loaded, and submissions of steps of groups of replicas of it.

use crate::adapter::Sort;
use crate::host::Host;
use crate::kernel::{Form, Kernel};
use crate::layout::{self, Extent};
use crate::memory::{JOB_WORDS, Memory, Needs};
use crate::pace::{self, Load};
use crate::turns::{TooMany, Turns};
use firelane_kernels::ising::device::Fault;
use firelane_kernels::ising::job::Job;
use firelane_kernels::ising::philox::Random;
use firelane_kernels::ising::plan::{Logarithms, ONE, Plan};
use firelane_kernels::ising::problem::Problem;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use wgpu::Buffer;

/// The most bytes that replicas take at once, even where an adapter has more.
const MOST_STATE: u64 = 1 << 30;
/// The most bytes of spins, which are read back.
const MOST_SPINS: u64 = 1 << 28;

/// A problem in the adapter's memory.
#[derive(Debug)]
struct Loaded {
    problem: Arc<Problem>,
    extent: Extent,
    links: Buffer,
    rows: Buffer,
    /// Bits, if they are what it is best held in, and the size of its couplings.
    packed: Option<(Buffer, u32)>,
}

/// Replicas that are done at once.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) replicas: u32,
    pub(crate) load: Load,
    kernel: Kernel,
    bound: wgpu::BindGroup,
    look_every: u32,
    /// Words of a replica's spins.
    words: usize,
    /// What submissions have in common, as `job.wgsl` has it.
    job: [u32; JOB_WORDS],
}

impl Group {
    /// Where a word of a replica's spins is among those of all.
    pub(crate) fn word(&self, replica: usize, word: usize) -> usize {
        match self.kernel.form {
            Form::Annealing => word * self.replicas as usize + replica,
            _ => replica * self.words + word,
        }
    }

    /// After which of these steps there is a look.
    pub(crate) fn looks(&self, steps: Range<u32>, last: u32) -> impl Iterator<Item = u32> + use<> {
        looks(self.look_every, steps, last)
    }
}

fn looks(every: u32, steps: Range<u32>, last: u32) -> impl Iterator<Item = u32> {
    let regular = (steps.start / every + 1..=steps.end / every).map(move |number| number * every);
    let at_the_end = steps.end == last && !last.is_multiple_of(every);
    regular.chain(at_the_end.then_some(last))
}

/// What a submission found.
pub(crate) struct Found {
    /// Two words of each replica for each look.
    pub(crate) looks: Vec<u32>,
    /// The spins of the best look of each replica, where it was the last submission.
    pub(crate) spins: Option<Vec<u32>>,
}

/// A device, and a problem.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) host: Host<Kernel>,
    name: String,
    pub(crate) sort: Sort,
    /// Most steps of a submission.
    pub(crate) at_once: u32,
    memory: Memory,
    loaded: Option<Loaded>,
}

impl Engine {
    pub(crate) fn new(host: Host<Kernel>, name: String, sort: Sort) -> Result<Self, Fault> {
        let logarithms = Logarithms::default();
        let words: Vec<u32> =
            logarithms.table().chunks(2).map(|two| u32::from(two[0]) | u32::from(two[1]) << 16).collect();
        let memory = Memory::new(&host, &words)?;
        Ok(Engine { host, name, sort, at_once: pace::MOST_STEPS, memory, loaded: None })
    }

    /// Most words of a buffer.
    pub(crate) fn most_words(&self) -> usize {
        (self.host.most_bytes() / 4) as usize
    }

    pub(crate) fn load(&mut self, problem: &Arc<Problem>) -> Result<(), Fault> {
        self.host.check()?;
        let extent = Extent::of(problem);
        let (has, most) = (extent.words(), self.most_words());
        if has > most {
            let what = "words of links, with what lies empty between them,";
            return Err(Fault::TooLarge { device: self.name.clone(), what, has, most });
        }
        let (links, rows) = layout::sliced(problem, extent);
        let size = layout::one_size(problem).filter(|_| layout::packed_words(problem) <= most);
        let packed = size.map(|size| self.host.holding(&layout::packed(problem)).map(|bits| (bits, size)));
        self.loaded = Some(Loaded {
            problem: Arc::clone(problem),
            extent,
            links: self.host.holding(&links)?,
            rows: self.host.holding(&rows)?,
            packed: packed.transpose()?,
        });
        Ok(())
    }

    fn loaded(&self) -> Result<&Loaded, Fault> {
        self.loaded.as_ref().ok_or(Fault::Empty)
    }

    pub(crate) fn problem(&self) -> Result<&Arc<Problem>, Fault> {
        self.loaded().map(|loaded| &loaded.problem)
    }

    /// The kernel of a plan, and how many steps of it can be done in one go.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] if not even one can.
    pub(crate) fn kernel(&self, job: &Job, plan: &Plan) -> Result<(Kernel, u32), Fault> {
        let loaded = self.loaded()?;
        let form = match plan {
            Plan::Bifurcating(plan) if plan.discrete && loaded.packed.is_some() => Form::Packed,
            Plan::Bifurcating(plan) if plan.discrete => Form::Discrete,
            Plan::Bifurcating(_) => Form::Ballistic,
            _ => Form::Annealing,
        };
        let limits = &self.host.limits;
        let threads = limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
        let bytes = limits.max_compute_workgroup_storage_size;
        let made = |form| Kernel::new(form, loaded.problem.sites() as u32, loaded.extent.wide, threads, bytes);
        let kernel = match made(form) {
            // Not even the bits of so many sites fit.
            packed if packed.form == Form::Packed && packed.bytes() > u64::from(bytes) => made(Form::Discrete),
            kernel => kernel,
        };
        let steps = Turns::of(&loaded.problem, &kernel).most_steps(self.sort, job.look_every);
        let what = "turns of loops in a step";
        let device = || self.name.clone();
        steps.map(|steps| (kernel, steps.min(self.at_once))).map_err(|TooMany { has, most }| Fault::TooLarge {
            device: device(),
            what,
            has: has as usize,
            most: most as usize,
        })
    }

    /// As many replicas of a job as fit, from this one on.
    pub(crate) fn group(&mut self, job: &Job, plan: &Plan, first: u32) -> Result<Group, Fault> {
        let (kernel, most_steps) = self.kernel(job, plan)?;
        let loaded = self.loaded.as_ref().ok_or(Fault::Empty)?;
        let (form, limits, sites) = (kernel.form, &self.host.limits, loaded.problem.sites());
        let (links, size) = match &loaded.packed {
            Some((bits, size)) if form == Form::Packed => (bits, *size),
            _ => (&loaded.links, 0),
        };
        let words = sites.div_ceil(32);
        let state = 4 * match form {
            Form::Annealing => words,
            _ if kernel.near => sites,
            _ => 2 * sites,
        } as u64;
        let spins = 4 * words as u64;
        let most = self.host.most_bytes();
        let groups = u64::from(limits.max_compute_workgroups_per_dimension);
        let fit = [
            most.min(MOST_STATE) / state,
            most.min(MOST_SPINS) / spins,
            if form == Form::Annealing { groups * u64::from(kernel.threads) } else { groups },
            u64::from(pace::MOST_SEEN / 2),
            u64::from(job.replicas - first),
        ];
        let replicas = fit.into_iter().min().unwrap_or(1).max(1);
        let places = match form {
            Form::Packed => sites * words,
            _ => sites * 8 + 2 * loaded.problem.pairs(),
        };
        let load = Load::new(form, self.sort, places, replicas as u32, job.look_every, most_steps);
        let needs = Needs {
            schedule: 4 * u64::from(job.steps.min(pace::MOST_STEPS)),
            state: state * replicas,
            best: 8 * replicas,
            spins: spins * replicas,
            // A submission that begins between two looks can have one more than its steps have room for.
            looks: 8
                * replicas
                * (u64::from(job.steps.div_ceil(job.look_every)).min(u64::from(pace::MOST_SEEN) / replicas) + 1),
        };
        let bound = self.memory.bound(&self.host, needs, links, &loaded.rows)?;
        let [low, high] = Random::new(job.seed).key();
        let mut words_of_job = [0; JOB_WORDS];
        words_of_job[..6].copy_from_slice(&[job.first + first, replicas as u32, sites as u32, words as u32, low, high]);
        words_of_job[8] = job.look_every;
        if let Plan::Bifurcating(plan) = plan {
            let force = plan.force;
            words_of_job[11..17].copy_from_slice(&[
                plan.deaf,
                (ONE >> plan.deaf) as u32,
                force.shift,
                i32::from(force.gain) as u32,
                i32::from(force.clip) as u32,
                size,
            ]);
        }
        Ok(Group {
            replicas: replicas as u32,
            load,
            kernel,
            bound,
            look_every: job.look_every,
            words,
            job: words_of_job,
        })
    }

    /// How fast a group's kernel is: work a second.
    pub(crate) fn rate(&mut self, group: &Group) -> Result<f64, Fault> {
        let guessed = pace::guessed(self.sort);
        Ok(self.host.pipeline(group.kernel)?.rate.unwrap_or(guessed))
    }

    /// Does these steps in one submission. After the last there is a look in any case, and the spins come with it.
    pub(crate) fn advance(&mut self, group: &Group, plan: &Plan, steps: Range<u32>, last: u32) -> Result<Found, Fault> {
        let mut words = group.job;
        (words[6], words[7], words[9], words[10]) = (steps.start, steps.end, last, u32::from(steps.start == 0));
        let those = steps.start as usize..steps.end as usize;
        let schedule: Vec<u32> = match plan {
            Plan::Bifurcating(plan) => plan.pull[those].iter().map(|pull| i32::from(*pull) as u32).collect(),
            Plan::Annealing(temperatures) => {
                temperatures[those].iter().map(|temperature| temperature.mantissa | temperature.shift << 16).collect()
            }
            _ => Vec::new(),
        };
        self.host.write(&self.memory.job, &words);
        self.host.write(&self.memory.schedule, &schedule);
        let seen = group.looks(steps.clone(), last).count() * 2 * group.replicas as usize;
        let spins = if steps.end == last { group.words * group.replicas as usize } else { 0 };
        let reading = [(&self.memory.looks, 4 * seen as u64), (&self.memory.spins, 4 * spins as u64)];
        let groups = match group.kernel.form {
            Form::Annealing => group.replicas.div_ceil(group.kernel.threads),
            _ => group.replicas,
        };
        let begun = Instant::now();
        let mut looks = self.host.submit(group.kernel, &group.bound, groups, &reading)?;
        let rate = group.load.work(steps.end - steps.start) / begun.elapsed().as_secs_f64().max(1e-6);
        let last = self.rate(group)?;
        // What was in its way once (its first run compiles it) is not in its way again.
        self.host.pipeline(group.kernel)?.rate = Some(if rate > last { rate } else { (rate + last) / 2.0 });
        let spins = (spins > 0).then(|| looks.split_off(seen));
        Ok(Found { looks, spins })
    }

    /// The spins of the best look so far.
    pub(crate) fn spins(&mut self, group: &Group) -> Result<Vec<u32>, Fault> {
        let bytes = 4 * group.words as u64 * u64::from(group.replicas);
        Ok(self.host.submit(group.kernel, &group.bound, 0, &[(&self.memory.spins, bytes)])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_where_they_are_however_steps_are_cut() {
        for (every, last) in [(1, 5), (3, 10), (7, 21), (9, 4)] {
            let all: Vec<u32> = (1..=last).filter(|step| step % every == 0 || *step == last).collect();
            for cut in 1..last {
                let [first, second]: [Vec<u32>; 2] =
                    [0..cut, cut..last].map(|steps| looks(every, steps, last).collect());
                assert_eq!([first, second.clone()].concat(), all, "{cut} of {last}, every {every}");
                assert!(second.len() as u32 <= (last - cut).div_ceil(every) + 1);
            }
        }
    }
}
