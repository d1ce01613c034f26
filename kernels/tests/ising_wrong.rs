//! Ising devices that are wrong, each in one way: the suite must find every one, or it proves nothing.

use firelane_kernels::ising::conformance::{Extent, Verdict, run};
use firelane_kernels::ising::device::{Capabilities, Device, Fault, Polled};
use firelane_kernels::ising::job::{Answer, Job, Progress, Spins};
use firelane_kernels::ising::problem::{Meaning, Pair, Problem};
use firelane_kernels::ising::twin::Software;
use std::sync::Arc;

/// What is wrong with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Nothing,
    SaysLessThanItFound,
    TurnsASpinOfALateReplica,
    SaysWhenTooEarly,
    CountsReplicasFromZero,
    TakesHalfOfTheSeed,
    LooksOnceAlone,
    DoesNotSeeTheTarget,
    GoesOnAfterTheTarget,
    GoesOnAfterTheDeadline,
    DoesNotCancel,
    TakesASecondJob,
    AnswersTwice,
    DoesWhatIsNoJob,
    DropsFields,
    HasShortCouplings,
    KeepsTheProblemItHas,
    ForgetsTheProblemForOneTooLarge,
    LosesTheTrajectory,
    LosesAReplica,
    GoesBack,
    SolvesByWhatItHasNot,
}

struct Wrong {
    twin: Software,
    flaw: Flaw,
    loaded: bool,
    job: Option<Job>,
    answered: Option<Answer>,
    polls: u32,
}

impl Wrong {
    fn new(flaw: Flaw) -> Self {
        Wrong { twin: Software::best(), flaw, loaded: false, job: None, answered: None, polls: 0 }
    }

    /// A job that the twin does in the place of the one that was asked for.
    fn instead(&self, job: &Job) -> Job {
        let short = Job { steps: job.steps.min(100), ..*job };
        match self.flaw {
            Flaw::CountsReplicasFromZero => Job { first: 0, ..*job },
            Flaw::TakesHalfOfTheSeed => Job { seed: job.seed & 0xffff_ffff, ..*job },
            Flaw::LooksOnceAlone => Job { look_every: job.steps.max(1), ..*job },
            Flaw::DoesNotSeeTheTarget => Job { target: None, until_target: false, ..short },
            Flaw::GoesOnAfterTheTarget => Job { until_target: false, ..if job.until_target { short } else { *job } },
            Flaw::GoesOnAfterTheDeadline => Job { deadline: None, ..if job.deadline.is_some() { short } else { *job } },
            Flaw::DoesNotCancel if job.steps > 1_000_000 && job.deadline.is_none() => short,
            Flaw::DoesWhatIsNoJob if self.twin.capabilities().has(&job.algorithm) => {
                let fine = job.steps > 0 && job.replicas > 0 && job.look_every > 0 && job.first < u32::MAX;
                if fine { *job } else { Job::new(job.algorithm, 1, 1, 0) }
            }
            _ => *job,
        }
    }

    fn spoil(&self, mut answer: Answer) -> Answer {
        match self.flaw {
            Flaw::SaysLessThanItFound => answer.replicas.iter_mut().for_each(|replica| replica.energy += 2),
            Flaw::TurnsASpinOfALateReplica => {
                if let Some(late) = answer.replicas.get_mut(128) {
                    late.spins = late
                        .spins
                        .signs()
                        .iter()
                        .enumerate()
                        .map(|(site, sign)| (*sign > 0) ^ (site == 0))
                        .collect::<Spins>();
                }
            }
            Flaw::SaysWhenTooEarly => answer.replicas.iter_mut().for_each(|replica| replica.best.step = 1),
            Flaw::LosesTheTrajectory => answer.trajectory.clear(),
            Flaw::LosesAReplica if answer.replicas.len() > 64 => drop(answer.replicas.pop()),
            _ => {}
        }
        answer
    }
}

fn without_fields(problem: &Problem, shorten: bool) -> Problem {
    let mut pairs = Vec::new();
    for site in 0..problem.sites() {
        for link in problem.links(site).iter().filter(|link| (link.to as usize) < site) {
            let coupling = if shorten { link.coupling.clamp(-127, 127) } else { link.coupling };
            pairs.push(Pair { i: site as u32, j: link.to, coupling });
        }
    }
    let fields: &[i32] = if shorten { problem.fields() } else { &[] };
    Problem::new(problem.sites(), &pairs, fields, Meaning::Ising).unwrap()
}

impl Device for Wrong {
    fn capabilities(&self) -> Capabilities {
        let mut has = Capabilities { name: format!("{:?}", self.flaw), ..self.twin.capabilities() };
        match self.flaw {
            Flaw::ForgetsTheProblemForOneTooLarge => has.sites = 1_000,
            Flaw::SolvesByWhatItHasNot => has.algorithms.retain(|name| *name != "sqa"),
            _ => {}
        }
        has
    }

    fn load(&mut self, problem: &Arc<Problem>) -> Result<(), Fault> {
        let most = self.capabilities().sites;
        if problem.sites() > most {
            self.twin = Software::best();
            return Err(Fault::TooLarge { device: "wrong".into(), what: "sites", has: problem.sites(), most });
        }
        match self.flaw {
            Flaw::DropsFields => self.twin.load(&Arc::new(without_fields(problem, false))),
            Flaw::HasShortCouplings => self.twin.load(&Arc::new(without_fields(problem, true))),
            Flaw::KeepsTheProblemItHas if self.loaded => Ok(()),
            _ => {
                self.loaded = true;
                self.twin.load(problem)
            }
        }
    }

    fn submit(&mut self, job: &Job) -> Result<(), Fault> {
        let mut instead = self.instead(job);
        if self.flaw == Flaw::DoesWhatIsNoJob && self.twin.submit(&instead).is_ok() {
            return Ok(());
        }
        if self.flaw == Flaw::SolvesByWhatItHasNot {
            instead = *job;
        }
        match self.twin.submit(&instead) {
            Err(Fault::Busy) if self.flaw == Flaw::TakesASecondJob => Ok(()),
            other => {
                self.job = Some(instead);
                self.polls = 0;
                other
            }
        }
    }

    fn poll(&mut self) -> Result<Polled, Fault> {
        self.polls += 1;
        if self.flaw == Flaw::GoesBack && self.job.is_some() && self.polls <= 2 {
            // However late it is asked: a twin may be done by then, and would have nothing to go back from.
            return Ok(Polled::Running(Progress { done: 0.5 / f64::from(self.polls), best: None }));
        }
        match self.twin.poll() {
            Ok(Polled::Answered(answer)) => {
                let answer = self.spoil(*answer);
                self.answered = Some(answer.clone());
                Ok(Polled::Answered(Box::new(answer)))
            }
            Err(Fault::Nothing) if self.flaw == Flaw::AnswersTwice => match self.answered.take() {
                Some(answer) => Ok(Polled::Answered(Box::new(answer))),
                None => Err(Fault::Nothing),
            },
            other => other,
        }
    }

    fn cancel(&mut self) -> Result<(), Fault> {
        if self.flaw == Flaw::DoesNotCancel && self.job.is_some() { Ok(()) } else { self.twin.cancel() }
    }
}

#[test]
fn every_wrong_device_is_found() {
    for (flaw, case) in [
        (Flaw::SaysLessThanItFound, "sa: a sparse graph"),
        (Flaw::TurnsASpinOfALateReplica, "dsb: a sparse graph"),
        (Flaw::SaysWhenTooEarly, "looks see what they say"),
        (Flaw::CountsReplicasFromZero, "sa: a job in two halves is the job"),
        (Flaw::TakesHalfOfTheSeed, "another seed is another answer"),
        (Flaw::LooksOnceAlone, "looks see what they say"),
        (Flaw::DoesNotSeeTheTarget, "a target is seen when it is reached"),
        (Flaw::GoesOnAfterTheTarget, "a job is done once its target is reached"),
        (Flaw::GoesOnAfterTheDeadline, "a deadline ends a job with what was found"),
        (Flaw::DoesNotCancel, "a job that is cancelled is answered"),
        (Flaw::TakesASecondJob, "one job at a time"),
        (Flaw::AnswersTwice, "one job at a time"),
        (Flaw::DoesWhatIsNoJob, "what is no job is refused, and changes nothing"),
        (Flaw::DropsFields, "bsb: fields alone"),
        (Flaw::HasShortCouplings, "pt: couplings of 20 bits and fields"),
        (Flaw::KeepsTheProblemItHas, "a problem takes the place of the one before"),
        (Flaw::ForgetsTheProblemForOneTooLarge, "a problem that is too large is refused, and changes nothing"),
        (Flaw::LosesTheTrajectory, "looks see what they say"),
        (Flaw::LosesAReplica, "bsb: a grid on a torus"),
        (Flaw::GoesBack, "a deadline ends a job with what was found"),
        (Flaw::SolvesByWhatItHasNot, "what is no job is refused, and changes nothing"),
    ] {
        let extent = Extent { random: 0, only: case };
        let failed = |flaw| {
            let report = run(&mut Wrong::new(flaw), &extent);
            assert_eq!(report.cases.len(), 1, "{case}");
            matches!(report.cases[0].verdict, Verdict::Failed(_))
        };
        assert!(!failed(Flaw::Nothing), "{case} fails a device that is right");
        assert!(failed(flaw), "{flaw:?} was not found by {case:?}");
    }
}
