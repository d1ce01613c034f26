//! Who proposes where descents begin: chance, swap annealing, or an Ising device that is given the penalty QUBO.

use crate::cli::{Searching, StartByArg};
use crate::ising::device;
use anyhow::{Context, Result};
use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::job::{Algorithm, Job, Spins};
use firelane_kernels::ising::problem::{self, Term};
use firelane_portfolio::equal::Choice;
use firelane_portfolio::mandate::Count;
use firelane_portfolio::model::{Held, Problem, Side};
use firelane_portfolio::qubo::Qubo;
use firelane_portfolio::search::{Annealed, Random, Starts};
use std::cmp::Reverse;
use std::sync::Arc;

/// Swaps that an annealed start proposes.
const SWAPS: usize = 2_000;
/// Of a job: what each replica does, and how many there are.
const STEPS: u32 = 300;
const REPLICAS: u32 = 64;

/// As was asked.
pub(super) enum Proposer {
    Random(Random),
    Swaps(Annealed),
    Ising(Box<Ising>),
}

impl Proposer {
    pub(super) fn new(searching: &Searching) -> Result<Proposer> {
        let seed = searching.seed;
        Ok(match searching.start_by {
            StartByArg::Random => Proposer::Random(Random::new(seed)),
            StartByArg::Swaps => Proposer::Swaps(Annealed::new(seed, SWAPS)),
            StartByArg::Ising => {
                let device = device::open(&searching.device)?;
                Proposer::Ising(Box::new(Ising::new(device, searching.solver.algorithm(), seed)))
            }
        })
    }

    /// If a device has failed, what came of the search is not what was asked for.
    pub(super) fn end(self) -> Result<()> {
        let failed = if let Proposer::Ising(ising) = self { ising.failed } else { None };
        failed.map_or(Ok(()), |error| Err(error).context("the device that proposes starts"))
    }

    fn of(&mut self) -> &mut dyn Starts {
        match self {
            Proposer::Random(random) => random,
            Proposer::Swaps(annealed) => annealed,
            Proposer::Ising(ising) => ising.as_mut(),
        }
    }
}

impl Starts for Proposer {
    fn next(&mut self, problem: &Problem<'_>, best: Option<&[Held]>) -> Vec<Held> {
        self.of().next(problem, best)
    }

    fn draw(&mut self, end: usize) -> usize {
        self.of().draw(end)
    }
}

/// What an Ising device finds of the choice of names at equal weights: of each job its replicas, the best first, each support once.
pub(super) struct Ising {
    device: Box<dyn Device>,
    algorithm: Algorithm,
    lot: Random,
    seed: u64,
    /// For which λ these are, and what is left of them; the best is the last.
    lambda: f64,
    left: Vec<Spins>,
    failed: Option<anyhow::Error>,
}

impl Ising {
    fn new(device: Box<dyn Device>, algorithm: Algorithm, seed: u64) -> Ising {
        Ising { device, algorithm, lot: Random::new(seed), seed, lambda: f64::NAN, left: Vec::new(), failed: None }
    }

    /// A job for this problem; none of its limits but the count is known to the QUBO.
    fn solve(&mut self, problem: &Problem<'_>) -> Result<()> {
        let names = problem.universe().len();
        let most = problem.mandate().most_names(names);
        let count = if problem.mandate().count == Count::Any { 1 + self.lot.draw(most) } else { most };
        let qubo = Qubo::new(&Choice::new(problem.universe(), count, problem.lambda())?, None);
        let terms = qubo.terms().map(|(i, j, value)| Term { i: i as u32, j: j as u32, value }).collect();
        self.device.load(&Arc::new(problem::Problem::rounded(names, terms, problem::Problem::qubo)?))?;
        let mut found = self.device.solve(&Job::new(self.algorithm, STEPS, REPLICAS, self.seed))?.replicas;
        // Other random numbers the next time.
        self.seed = self.seed.wrapping_add(1);
        found.sort_by_key(|replica| Reverse(replica.energy));
        self.left.clear();
        for replica in found {
            if !self.left.contains(&replica.spins) {
                self.left.push(replica.spins);
            }
        }
        self.lambda = problem.lambda();
        Ok(())
    }
}

impl Starts for Ising {
    fn next(&mut self, problem: &Problem<'_>, best: Option<&[Held]>) -> Vec<Held> {
        if self.failed.is_none()
            && (self.left.is_empty() || self.lambda != problem.lambda())
            && let Err(error) = self.solve(problem)
        {
            self.failed = Some(error);
        }
        let Some(spins) = self.left.pop() else { return self.lot.next(problem, best) };
        let mut names: Vec<usize> = (0..problem.universe().len()).filter(|name| spins.up(*name)).collect();
        // Where there are too many, those that are cut are to be any.
        for end in (1..names.len()).rev() {
            names.swap(end, self.lot.draw(end + 1));
        }
        names.into_iter().map(|name| Held { name, side: Side::Long }).collect()
    }

    fn draw(&mut self, end: usize) -> usize {
        self.lot.draw(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_kernels::ising::device::{Capabilities, Fault, Polled};
    use firelane_kernels::ising::twin::Software;
    use firelane_portfolio::mandate::Mandate;
    use firelane_portfolio::universe::Universe;

    fn six() -> Universe {
        Universe::parse(include_str!("../../tests/portfolio/six.txt")).unwrap()
    }

    fn three() -> Mandate {
        Mandate { count: Count::Exactly(3), ..Mandate::default() }
    }

    fn ising(device: impl Device + 'static) -> Ising {
        Ising::new(Box::new(device), Algorithm::of("sa").unwrap(), 1)
    }

    fn names(support: &[Held]) -> Vec<usize> {
        let mut names: Vec<usize> = support.iter().map(|held| held.name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_supports_of_a_job_come_once_each_the_best_first_and_of_another_lambda_anew() {
        let (universe, mandate) = (six(), three());
        let mut starts = ising(Software::best());
        for lambda in [0.0, 1.0] {
            let problem = Problem::new(&universe, &mandate, lambda).unwrap();
            let choice = Choice::new(&universe, 3, lambda).unwrap();
            let all = (0..6).flat_map(|a| (0..a).flat_map(move |b| (0..b).map(move |c| [c, b, a])));
            let best = all.min_by(|a, b| choice.objective_of(a).total_cmp(&choice.objective_of(b))).unwrap();
            let first = names(&starts.next(&problem, None));
            assert_eq!(first, best, "lambda {lambda}: of twenty supports, an annealer finds the best");
            let mut seen = vec![first];
            while !starts.left.is_empty() {
                let next = names(&starts.next(&problem, None));
                assert!(!seen.contains(&next), "{next:?} comes twice");
                seen.push(next);
            }
            // One that is left over is not for another lambda.
            starts.left.push(Spins::down(6));
        }
        let any = Mandate::default();
        let problem = Problem::new(&universe, &any, 0.5).unwrap();
        for _ in 0..40 {
            assert!(!starts.next(&problem, None).is_empty(), "where any number may be held, it is drawn");
        }
    }

    /// A driver that is gone.
    struct Gone;

    impl Device for Gone {
        fn capabilities(&self) -> Capabilities {
            Software::best().capabilities()
        }
        fn load(&mut self, _: &Arc<problem::Problem>) -> Result<(), Fault> {
            Ok(())
        }
        fn submit(&mut self, _: &Job) -> Result<(), Fault> {
            Err(Fault::Device("it is gone".into()))
        }
        fn poll(&mut self) -> Result<Polled, Fault> {
            Err(Fault::Nothing)
        }
        fn cancel(&mut self) -> Result<(), Fault> {
            Err(Fault::Nothing)
        }
    }

    #[test]
    fn a_device_that_fails_is_no_silent_chance() {
        let (universe, mandate) = (six(), three());
        let problem = Problem::new(&universe, &mandate, 0.5).unwrap();
        let mut starts = Proposer::Ising(Box::new(ising(Gone)));
        assert_eq!(starts.next(&problem, None).len(), 3, "the search goes on to its end");
        let error = format!("{:#}", starts.end().unwrap_err());
        assert!(error.contains("the device that proposes starts") && error.contains("it is gone"), "{error}");
        assert!(Proposer::Ising(Box::new(ising(Software::best()))).end().is_ok());
    }
}
