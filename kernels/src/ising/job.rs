//! What is asked of a solver, and what it answers.

use super::plan::Misplanned;
use std::time::Duration;

/// How a problem is solved, with what can be set; what is `None` is chosen from the problem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// Simulated bifurcation whose forces come from positions (bSB): Goto et al., *Science Advances* 7, eabe7953 (2021).
    Ballistic(Bifurcation),
    /// Simulated bifurcation whose forces come from the signs of positions (dSB): the same paper.
    Discrete(Bifurcation),
    /// Simulated annealing: Metropolis sweeps in the order of sites, `1 / T` rising evenly.
    Annealing(Cooling),
    /// Parallel tempering: every replica is a ladder of temperatures whose spins are exchanged.
    Tempering(Ladder),
    /// Simulated quantum annealing: every replica is a ring of slices, a path integral under a transverse field that goes away.
    Quantum(Transverse),
}

impl Algorithm {
    /// All of them, with everything chosen from the problem.
    pub const ALL: [Algorithm; 5] = [
        Algorithm::Discrete(Bifurcation { time_step: None, gain: None }),
        Algorithm::Ballistic(Bifurcation { time_step: None, gain: None }),
        Algorithm::Annealing(Cooling { hot: None, cold: None }),
        Algorithm::Tempering(Ladder { rungs: 16, hot: None, cold: None }),
        Algorithm::Quantum(Transverse { slices: 16, field: None, temperature: None }),
    ];

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Algorithm::Ballistic(_) => "bsb",
            Algorithm::Discrete(_) => "dsb",
            Algorithm::Annealing(_) => "sa",
            Algorithm::Tempering(_) => "pt",
            Algorithm::Quantum(_) => "sqa",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Algorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Of simulated bifurcation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bifurcation {
    /// The time step, above 0 and at most 1.4.
    pub time_step: Option<f64>,
    /// What couplings are multiplied with, beside the detuning of 1 (`c0`), above 0.
    pub gain: Option<f64>,
}

/// Of simulated annealing. Temperatures are in units of the energy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cooling {
    /// Of the first sweep.
    pub hot: Option<f64>,
    /// Of the last.
    pub cold: Option<f64>,
}

/// Of parallel tempering.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ladder {
    /// Temperatures, from 2 to 64, spaced evenly in their logarithm.
    pub rungs: u32,
    /// The highest.
    pub hot: Option<f64>,
    /// The lowest.
    pub cold: Option<f64>,
}

/// Of simulated quantum annealing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transverse {
    /// Slices of imaginary time, from 3 to 64.
    pub slices: u32,
    /// The transverse field at the beginning, in units of the energy; it falls evenly to near 0.
    pub field: Option<f64>,
    /// The temperature, which stays.
    pub temperature: Option<f64>,
}

/// Most replicas of a job.
pub const MOST_REPLICAS: u32 = 1 << 20;
/// Most steps of a job.
pub const MOST_STEPS: u32 = 1 << 24;

/// A job: the same job has the same answer on every device, bit for bit, unless its time is up before its steps are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// How.
    pub algorithm: Algorithm,
    /// Steps, or sweeps, of each replica.
    pub steps: u32,
    /// Independent runs: they differ in their random numbers alone.
    pub replicas: u32,
    /// The number of the first of them: a job of replicas 64 to 127 is the second half of one of 128.
    pub first: u32,
    /// Of all random numbers.
    pub seed: u64,
    /// Steps between two looks at the energies: the best is the best that a look saw. The last step is always looked at.
    pub look_every: u32,
    /// The energy that is wanted: when was it first seen?
    pub target: Option<i64>,
    /// Is the job done once a replica has reached the target?
    pub until_target: bool,
    /// When it is to be answered, whatever has been found by then, reckoned from its being submitted.
    pub deadline: Option<Duration>,
}

impl Job {
    /// So many steps of so many replicas, looked at 16 times.
    #[must_use]
    pub fn new(algorithm: Algorithm, steps: u32, replicas: u32, seed: u64) -> Self {
        let look_every = steps.div_ceil(16).max(1);
        let (first, target, until_target, deadline) = (0, None, false, None);
        Job { algorithm, steps, replicas, first, seed, look_every, target, until_target, deadline }
    }

    /// Is it one?
    ///
    /// # Errors
    /// [`Misplanned`], which says what can't be.
    pub fn check(&self) -> Result<(), Misplanned> {
        let within = |what, value: u32, most: u32| {
            let fits = (1..=most).contains(&value);
            fits.then_some(()).ok_or(Misplanned::Count { what, value, most })
        };
        within("replicas", self.replicas, MOST_REPLICAS)?;
        within("steps", self.steps, MOST_STEPS)?;
        within("steps between looks", self.look_every, MOST_STEPS)?;
        if self.first.checked_add(self.replicas).is_none() {
            return Err(Misplanned::Count { what: "first replica", value: self.first, most: u32::MAX - self.replicas });
        }
        Ok(())
    }
}

/// Spins, a bit each: 1 is up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spins {
    sites: usize,
    words: Vec<u64>,
}

impl Spins {
    /// All down.
    #[must_use]
    pub fn down(sites: usize) -> Self {
        Spins { sites, words: vec![0; sites.div_ceil(64)] }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sites
    }

    /// Of no site?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites == 0
    }

    /// Turns the spin of a site up or down.
    #[inline]
    pub fn set(&mut self, site: usize, up: bool) {
        assert!(site < self.sites, "site {site} of {}", self.sites);
        let bit = 1 << (site % 64);
        self.words[site / 64] = if up { self.words[site / 64] | bit } else { self.words[site / 64] & !bit };
    }

    /// Is this one up?
    #[must_use]
    #[inline]
    pub fn up(&self, site: usize) -> bool {
        assert!(site < self.sites, "site {site} of {}", self.sites);
        self.words[site / 64] >> (site % 64) & 1 == 1
    }

    /// As 1 and -1.
    #[must_use]
    pub fn signs(&self) -> Vec<i8> {
        (0..self.sites).map(|site| if self.up(site) { 1 } else { -1 }).collect()
    }
}

impl FromIterator<bool> for Spins {
    fn from_iter<I: IntoIterator<Item = bool>>(up: I) -> Self {
        let mut spins = Spins::default();
        for up in up {
            if spins.sites.is_multiple_of(64) {
                spins.words.push(0);
            }
            spins.sites += 1;
            spins.set(spins.sites - 1, up);
        }
        spins
    }
}

/// When something was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// After how many steps.
    pub step: u32,
    /// How long after the job was submitted.
    pub after: Duration,
}

/// The best of one replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Replica {
    /// The spins.
    pub spins: Spins,
    /// Their energy, reckoned from the problem.
    pub energy: i64,
    /// When they were seen.
    pub best: Seen,
    /// When an energy at or below the target was first seen.
    pub target: Option<Seen>,
}

/// A new best of all replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Of this energy.
    pub energy: i64,
    /// When.
    pub seen: Seen,
}

/// Why a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All steps of all replicas were done.
    Done,
    /// The target was reached, and that was enough.
    Target,
    /// Its time was up.
    Deadline,
    /// It was cancelled.
    Cancelled,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Every replica that was begun, in order, from the job's first on. Some are missing if it was stopped.
    pub replicas: Vec<Replica>,
    /// How the best of all went down.
    pub trajectory: Vec<Point>,
    /// Why it ended.
    pub stopped: Stopped,
    /// How long it took, from its being submitted.
    pub elapsed: Duration,
}

impl Answer {
    /// The best replica; of equals, the first. There is one, unless it was stopped before the first look.
    #[must_use]
    pub fn best(&self) -> Option<&Replica> {
        self.replicas.iter().min_by_key(|replica| replica.energy)
    }
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The share of its work that is done.
    pub done: f64,
    /// The best energy so far.
    pub best: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_known_by_its_name() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::of(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::of("tabu"), None);
    }

    #[test]
    fn spins_are_what_they_were_set_to() {
        let mut spins = Spins::down(70);
        for site in [0, 63, 64, 69] {
            spins.set(site, true);
        }
        spins.set(63, false);
        let up: Vec<usize> = (0..70).filter(|site| spins.up(*site)).collect();
        assert_eq!(up, [0, 64, 69]);
        assert_eq!((0..70).map(|site| spins.up(site)).collect::<Spins>(), spins);
        assert_eq!(spins.signs().iter().filter(|sign| **sign == 1).count(), 3);
    }

    #[test]
    fn a_job_of_nothing_or_too_much_is_none() {
        let job = Job::new(Algorithm::ALL[0], 1, 1, 0);
        assert_eq!(job.check(), Ok(()));
        assert_eq!(Job { replicas: MOST_REPLICAS, steps: MOST_STEPS, look_every: MOST_STEPS, ..job }.check(), Ok(()));
        let refused = |job: Job, name| match job.check() {
            Err(Misplanned::Count { what, .. }) => assert_eq!(what, name),
            other => panic!("{other:?}"),
        };
        refused(Job { replicas: 0, ..job }, "replicas");
        refused(Job { replicas: MOST_REPLICAS + 1, ..job }, "replicas");
        refused(Job { steps: 0, ..job }, "steps");
        refused(Job { steps: MOST_STEPS + 1, ..job }, "steps");
        refused(Job { look_every: 0, ..job }, "steps between looks");
        refused(Job { look_every: MOST_STEPS + 1, ..job }, "steps between looks");
        assert_eq!(Job { first: u32::MAX - 1, ..job }.check(), Ok(()));
        refused(Job { first: u32::MAX, ..job }, "first replica");
    }
}
