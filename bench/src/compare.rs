//! Is one build slower than another?
//!
//! Both are started anew for each pair, the one and the other first by turns, and do some passes by turns; a pair is the
//! medians of these. For where a process happens to lie in memory is worth several hundredths, and is the same in all of its
//! passes: thousands of them would be sure of what chance gave it.

use crate::contest::{Course, Entrant, Running};
use crate::paired::{CONFIDENCE, Paired};
use crate::stats::Rounds;
use anyhow::{Context, Result, ensure};
use firelane_contest::Pass;
use serde::Serialize;

/// What is compared, and how.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plan {
    /// Pairs: so often both are started.
    pub starts: usize,
    /// Passes of each start, the first of which warms up.
    pub passes: usize,
    /// By which share the second may be slower.
    pub tolerance: f64,
    /// How often an equal build may be called slower.
    pub alpha: f64,
}

/// The verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was compared.
    pub what: String,
    /// The builds.
    pub builds: [String; 2],
    /// Nanoseconds a message (or an order) of each.
    pub times: [Rounds; 2],
    /// The second's time over the first's.
    pub second_to_first: Paired,
    /// By which share it may be slower.
    pub tolerance: f64,
    /// How often an equal build would be called slower.
    pub alpha: f64,
    /// Is it slower?
    pub slower: bool,
}

/// Compares two programs that do the same.
///
/// # Errors
/// If one of them is broken, or they do not do the same.
pub fn run(what: &str, builds: [&Entrant; 2], course: &Course<'_>, plan: &Plan) -> Result<Report> {
    let mut pairs = Vec::new();
    for start in 0..plan.starts.max(1) {
        let first = start % 2;
        let mut two = [None, None];
        for n in [first, 1 - first] {
            let named = || builds[n].0.first().cloned().unwrap_or_default();
            two[n] = Some(Running::start(builds[n], course).with_context(named)?);
        }
        let [Some(mut one), Some(mut other)] = two else { unreachable!("both were started") };
        let mut times = [Vec::new(), Vec::new()];
        for pass in 0..plan.passes.max(2) {
            for n in [(first + pass) % 2, (first + pass + 1) % 2] {
                let (build, name) = (if n == 0 { &mut one } else { &mut other }, || builds[n].0.first().cloned());
                let Pass { messages, ns } = build.pass().with_context(|| name().unwrap_or_default())?;
                ensure!(messages > 0, "{}: a pass of no messages", name().unwrap_or_default());
                if pass > 0 {
                    times[n].push(ns as f64 / messages as f64);
                }
            }
        }
        if start == 0 {
            let difference = one.digest()?.difference(&other.digest()?);
            ensure!(
                difference.is_none(),
                "the second does not do what the first does: {}",
                difference.unwrap_or_default()
            );
        }
        let [a, b] = times.map(|times| Rounds::of(times).median);
        pairs.push((a, b));
    }
    let second_to_first =
        Paired::of(&pairs, plan.tolerance, CONFIDENCE).context("a time of nothing can't be compared")?;
    let (firsts, seconds) = pairs.into_iter().unzip();
    Ok(Report {
        what: what.to_owned(),
        builds: builds.map(|build| build.0.first().cloned().unwrap_or_default()),
        times: [Rounds::of(firsts), Rounds::of(seconds)],
        second_to_first,
        tolerance: plan.tolerance,
        alpha: plan.alpha,
        slower: second_to_first.is_slower(plan.alpha),
    })
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Paired { pairs, ratio, low, high, p } = self.second_to_first;
        writeln!(f, "{}, {pairs} starts of each by turns", self.what)?;
        for (build, times) in self.builds.iter().zip(&self.times) {
            writeln!(f, "  {times}  {build}")?;
        }
        writeln!(f, "  second / first: {ratio:.3}, {low:.3} to {high:.3} at {CONFIDENCE}")?;
        let verdict = if self.slower { "SLOWER" } else { "not slower" };
        let (tolerance, alpha) = (self.tolerance * 100.0, self.alpha);
        write!(f, "  the second is {verdict} by more than {tolerance} %: p {p:.4}, asked below {alpha}")
    }
}
