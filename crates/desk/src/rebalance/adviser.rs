//! From what is known to what should be held, and to the words that say so.

use super::Settings;
use super::account::Question;
use anyhow::{Context, Result};
use firelane_gateway::base::{InstrumentId, Mono, Qty};
use firelane_gateway::flow::CommandBuf;
use firelane_gateway::flow::command::{Command, Commander, To, Word};
use firelane_portfolio::rebalance::{Expired, Now, Rebalancer, Target};
use firelane_portfolio::search::Annealed;
use std::ops::ControlFlow;
use std::time::Instant;

/// Proposed swaps of a start.
const SWAPS: usize = 2_000;

/// Answers questions, and remembers which names were best.
#[derive(Debug)]
pub(super) struct Adviser {
    symbols: Vec<String>,
    ids: Vec<InstrumentId>,
    means: Vec<f64>,
    /// Steps of the grid in the horizon.
    steps: f64,
    lot: Vec<u64>,
    rebalancer: Rebalancer<Annealed>,
}

impl Adviser {
    pub(super) fn new(settings: &Settings) -> Self {
        let Settings { params, mandate, names, valid, .. } = settings;
        let own = |lot: i64| u64::try_from(lot).unwrap_or(1).max(1);
        let starts = Annealed::new(params.seed, SWAPS);
        let (mandate, lambda) = (mandate.mandate.clone(), mandate.lambda);
        Adviser {
            symbols: params.symbols.clone(),
            ids: names.iter().map(|name| name.id).collect(),
            means: params.means(),
            steps: params.horizon_s as f64 * 1_000.0 / params.grid_ms as f64,
            lot: names.iter().map(|name| if params.lot == 0 { own(name.row.lot) } else { params.lot }).collect(),
            // What becomes of an expired target is for whoever trades towards it: the strategy has its own word for that.
            rebalancer: Rebalancer::new(mandate, lambda, starts, params.descents, valid.0, Expired::Hold),
        }
    }

    /// The target of a question. `deadline` ends the search, with the best by then. Where there is none, the last one is good until it
    /// expires.
    pub(super) fn answer(&mut self, question: &Question, deadline: Option<Instant>) -> Result<Target> {
        let Question { at, shares, price, cash, returns } = question;
        let estimate = returns.estimate().context("a covariance needs two rows of returns")?;
        let universe = estimate.universe(self.symbols.clone(), self.means.clone(), self.steps)?;
        let now = Now { at: at.0, universe: &universe, shares, price, lot: &self.lot, cash: *cash };
        Ok(self.rebalancer.target(&now, &mut |_| match deadline {
            Some(deadline) if Instant::now() >= deadline => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })?)
    }

    /// What is said to the lane: one word for each name, all of them each time, for none is good for longer than the others.
    pub(super) fn commands(&self, target: &Target) -> impl Iterator<Item = CommandBuf> + use<> {
        let until = Mono(target.until);
        let words: Vec<CommandBuf> = (1u64..)
            .zip(self.ids.iter().zip(&target.shares))
            .map(|(ticket, (id, shares))| {
                let word = Word::Target { position: Qty(*shares) };
                let to = To::instrument(*id);
                CommandBuf::of(&Command { from: Commander::PORTFOLIO, ticket, to, expires: until, word })
            })
            .collect();
        words.into_iter()
    }
}
