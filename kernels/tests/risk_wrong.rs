//! Devices that are wrong in one way each, and the cases of the suite that find them.

use firelane_kernels::risk::book::{Asset, Book, Instrument, Position};
use firelane_kernels::risk::conformance::{Verdict, run};
use firelane_kernels::risk::device::{Capabilities, Device, Fault, Loss, Precision};
use firelane_kernels::risk::plan::{Plan, Sampling, Term};
use firelane_kernels::risk::twin::Software;
use std::num::NonZero;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Nothing,
    IgnoresCorrelation,
    TakesHalfOfTheSeed,
    DropsDividends,
    TakesGainsForLosses,
    TakesDeltasAlone,
    LosesTheDrift,
    ForgetsWhatExpired,
    SeesTheEndAlone,
    CountsFromZero,
    GoesBeyond,
    KeepsThePlan,
    LosesTheLast,
    RoundsMoreThanItSays,
    TakesPutsForCalls,
    DrawsAnewEachTime,
    ForgetsThePlanBefore,
    TakesOneStep,
}

struct Wrong {
    flaw: Flaw,
    twin: Software,
    plan: Option<Arc<Plan>>,
    calls: u64,
}

impl Wrong {
    fn new(flaw: Flaw) -> Self {
        Wrong { flaw, twin: Software::on(NonZero::<usize>::MIN), plan: None, calls: 0 }
    }

    /// The plan as the flaw has it.
    fn spoilt(&self, plan: &Plan) -> Plan {
        let mut spoilt = plan.clone();
        let assets = plan.assets();
        match self.flaw {
            Flaw::IgnoresCorrelation => {
                for i in 0..assets {
                    let row = &mut spoilt.factor[i * (i + 1) / 2..(i + 1) * (i + 2) / 2];
                    let size = row.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
                    row.fill(0.0);
                    row[i] = size;
                }
            }
            Flaw::TakesHalfOfTheSeed => spoilt.job.seed &= 0xffff_ffff,
            Flaw::DropsDividends => {
                for term in &mut spoilt.terms {
                    if let Term::Lives { spot, strike, spread, offset, .. } = term {
                        // Of options at the money: what is left of both is the same.
                        *spot *= (0.04 * *spread * *spread / 0.0625).exp();
                        let _same = (strike, offset);
                    }
                }
            }
            Flaw::LosesTheDrift => spoilt.drift.fill(0.0),
            Flaw::ForgetsWhatExpired => {
                for term in &mut spoilt.terms {
                    if matches!(term, Term::Expires { .. }) {
                        *term = Term::Gone;
                    }
                }
            }
            Flaw::TakesPutsForCalls => spoilt.options.iter_mut().for_each(|option| option.sign = 1.0),
            Flaw::TakesOneStep => spoilt.roots.iter_mut().for_each(|root| *root = plan.roots[0]),
            Flaw::TakesDeltasAlone => {
                for term in &mut spoilt.terms {
                    if let Term::Lives { slope, .. } = term {
                        *slope = 0.0;
                    }
                }
            }
            _ => {}
        }
        spoilt
    }
}

impl Device for Wrong {
    fn capabilities(&self) -> Capabilities {
        Capabilities { sobol: self.flaw != Flaw::ForgetsThePlanBefore, ..self.twin.capabilities() }
    }

    fn load(&mut self, plan: &Arc<Plan>) -> Result<(), Fault> {
        if self.flaw == Flaw::ForgetsThePlanBefore && plan.job.sampling == Sampling::Sobol {
            self.twin = Software::on(NonZero::<usize>::MIN);
            return Err(Fault::NoSobol { device: "wrong".into() });
        }
        if self.flaw == Flaw::KeepsThePlan && self.plan.is_some() {
            return Ok(());
        }
        self.plan = Some(Arc::clone(plan));
        self.twin.load(&Arc::new(self.spoilt(plan)))
    }

    fn losses(&mut self, first: u32, count: u32) -> Result<Vec<Loss>, Fault> {
        self.calls += 1;
        let plan = self.plan.clone();
        let mut losses = match (self.flaw, &plan) {
            (Flaw::CountsFromZero, _) if count > 0 => {
                self.twin.losses(first, count)?;
                self.twin.losses(0, count)?
            }
            (Flaw::GoesBeyond, Some(plan)) => {
                let end = (u64::from(first) + u64::from(count)).min(u64::from(plan.job.scenarios)) as u32;
                let first = first.min(end);
                self.twin.losses(first, end - first)?
            }
            (Flaw::DrawsAnewEachTime, Some(plan)) if self.calls > 1 && count > 0 => {
                self.twin.losses(first, count)?;
                let mut other = (**plan).clone();
                other.job.seed += self.calls;
                let mut twin = Software::on(NonZero::<usize>::MIN);
                twin.load(&Arc::new(other))?;
                twin.losses(first, count)?
            }
            _ => self.twin.losses(first, count)?,
        };
        let gross = plan.map_or(0.0, |plan| plan.gross);
        match self.flaw {
            Flaw::TakesGainsForLosses => losses.iter_mut().for_each(|loss| loss.end = -loss.end),
            Flaw::SeesTheEndAlone => losses.iter_mut().for_each(|loss| loss.deepest = loss.end),
            Flaw::LosesTheLast => drop(losses.pop()),
            Flaw::RoundsMoreThanItSays => losses.iter_mut().for_each(|loss| loss.end += 1e-9 * gross),
            _ => {}
        }
        Ok(losses)
    }
}

#[test]
fn every_wrong_device_is_found() {
    for (flaw, case) in [
        (Flaw::IgnoresCorrelation, "correlated stocks"),
        (Flaw::IgnoresCorrelation, "stocks that move as one"),
        (Flaw::TakesHalfOfTheSeed, "both halves of a seed count"),
        (Flaw::TakesHalfOfTheSeed, "a stock"),
        (Flaw::DropsDividends, "a call with dividends"),
        (Flaw::TakesGainsForLosses, "a stock that is owed"),
        (Flaw::TakesDeltasAlone, "a put that is owed"),
        (Flaw::LosesTheDrift, "a stock that is owed"),
        (Flaw::ForgetsWhatExpired, "options that expire before"),
        (Flaw::ForgetsWhatExpired, "options that expire at"),
        (Flaw::SeesTheEndAlone, "stocks and options, for a quarter"),
        (Flaw::CountsFromZero, "a call in parts"),
        (Flaw::DrawsAnewEachTime, "a call in parts"),
        (Flaw::GoesBeyond, "scenarios beyond"),
        (Flaw::KeepsThePlan, "a plan takes the place"),
        (Flaw::LosesTheLast, "forty assets"),
        (Flaw::RoundsMoreThanItSays, "options a moment before"),
        (Flaw::TakesPutsForCalls, "options far in and out"),
        (Flaw::ForgetsThePlanBefore, "what can't be held"),
        (Flaw::TakesOneStep, "options that expire before"),
    ] {
        let failed = |flaw| {
            let report = run(&mut Wrong::new(flaw), case);
            assert!(!report.cases.is_empty(), "{case}");
            report.cases.iter().any(|case| matches!(case.verdict, Verdict::Failed(_)))
        };
        assert!(!failed(Flaw::Nothing), "{case} fails a device that is right");
        assert!(failed(flaw), "{flaw:?} was not found by {case:?}");
    }
}

/// A device that says it reckons in `f32` may be off by so much, and no more.
#[test]
fn the_bound_of_single_precision_is_a_bound() {
    struct Off {
        twin: Software,
        plan: Option<Arc<Plan>>,
        by: f64,
    }
    impl Device for Off {
        fn capabilities(&self) -> Capabilities {
            Capabilities { precision: Precision::Single, ..self.twin.capabilities() }
        }
        fn load(&mut self, plan: &Arc<Plan>) -> Result<(), Fault> {
            self.plan = Some(Arc::clone(plan));
            self.twin.load(plan)
        }
        fn losses(&mut self, first: u32, count: u32) -> Result<Vec<Loss>, Fault> {
            let gross = self.plan.as_ref().map_or(0.0, |plan| plan.gross);
            let mut losses = self.twin.losses(first, count)?;
            losses.iter_mut().for_each(|loss| loss.end += self.by * gross);
            Ok(losses)
        }
    }
    let judged = |by| {
        let mut off = Off { twin: Software::default(), plan: None, by };
        let report = run(&mut off, "stocks and options");
        report.conforms()
    };
    assert!(judged(0.0) && judged(1e-7) && judged(-1e-7));
    // Of a whole quarter's ten millionths nothing is explained by rounding.
    assert!(!judged(2e-5) && !judged(-2e-5));
}

#[test]
fn a_stock_alone_is_bounded_by_a_few_roundings() {
    use firelane_kernels::risk::{bound, plan::Job};
    let asset = Asset { name: "A".into(), spot: 100.0, volatility: 0.2, dividend: 0.0, drift: 0.0 };
    let held = Position { asset: 0, quantity: 1.0, instrument: Instrument::Stock };
    let book = Book::new(vec![asset], vec![held], 0.0, &[vec![1.0]]).unwrap();
    let job = Job { horizon: 10.0, steps: 1, scenarios: 1_000, seed: 1, sampling: Sampling::Pseudo };
    let plan = Plan::new(&book, &job).unwrap();
    let most = (0..1_000).map(|scenario| bound::of(&plan, scenario)).fold(0.0, f64::max) / plan.gross;
    assert!(most > 3e-7 && most < 1.5e-6, "{most}");
}
