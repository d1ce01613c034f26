//! What a portfolio knows of its lane, from the tape alone: mids and what they vary together, shares, cash.

use super::Settings;
use super::report::Tally;
use firelane_gateway::base::{InstrumentId, Mono, Nanos};
use firelane_gateway::flow::command::Commander;
use firelane_gateway::flow::record::command::Answer;
use firelane_gateway::flow::record::{Kind, PositionBody, RecordHeader, TopBody};
use firelane_portfolio::covariance::{CovarianceError, Grid, Returns};
use std::collections::HashMap;
use zerocopy::FromBytes;

/// Without a mid for so long there was no market: no return is taken across.
const IDLE_MS: u64 = 600_000;
/// A stamp that is earlier by more is of another day; by less, of a venue whose clock differs.
const ANOTHER_DAY: u64 = 3_600_000_000_000;

/// What is asked: target weights, given all this.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Question {
    /// On the lane's clock.
    pub(super) at: Mono,
    pub(super) shares: Vec<i64>,
    /// Of a share, in units of money.
    pub(super) price: Vec<u64>,
    pub(super) cash: i64,
    /// Over a step of the grid. What they vary together is reckoned by whoever answers.
    pub(super) returns: Returns,
}

/// The account of a portfolio.
#[derive(Debug)]
pub(super) struct Account {
    settings: Settings,
    /// Where each instrument stands among the names.
    places: HashMap<InstrumentId, usize>,
    grid: Grid,
    returns: Returns,
    /// The latest exchange time.
    at: u64,
    /// Best bid and best ask of each name, where its book can be trusted.
    tops: Vec<Option<(i64, i64)>>,
    shares: Vec<i64>,
    /// In the instrument's units of money.
    cash: Vec<i128>,
    /// The next question is due.
    due: Mono,
    /// Records were missed: what is held is not known any more.
    is_lost: bool,
}

impl Account {
    pub(super) fn new(settings: &Settings) -> Self {
        let n = settings.names.len();
        let places = settings.names.iter().enumerate().map(|(at, name)| (name.id, at)).collect();
        let returns = Returns::new(n, settings.weighting).expect("the configuration is checked: names, window");
        let (tops, shares, cash) = (vec![None; n], vec![0; n], vec![0; n]);
        let grid = grid(settings);
        Account {
            settings: settings.clone(),
            places,
            grid,
            returns,
            at: 0,
            tops,
            shares,
            cash,
            due: Mono(0),
            is_lost: false,
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Shares of each name.
    pub(super) fn shares(&self) -> &[i64] {
        &self.shares
    }

    /// Rows of returns so far.
    pub(super) fn rows(&self) -> u64 {
        self.returns.added()
    }

    /// A record of the tape, header and body; those of other kinds say nothing.
    pub(super) fn on_record(&mut self, record: &[u8], tally: &mut Tally) {
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        match Kind::from_byte(header.kind) {
            Some(Kind::Top) => {
                if let Ok(top) = TopBody::ref_from_bytes(body) {
                    self.on_top(top);
                }
            }
            Some(Kind::Position) => {
                if let Ok(body) = PositionBody::ref_from_bytes(body)
                    && let Some(at) = self.places.get(&InstrumentId(body.instrument.get()))
                {
                    (self.shares[*at], self.cash[*at]) = (body.position.get(), body.cash.get());
                }
            }
            Some(Kind::Answer) => {
                if let Some(answer) = Answer::read(body).filter(|answer| answer.from == Commander::PORTFOLIO) {
                    tally.became(&answer);
                }
            }
            _ => {}
        }
    }

    /// Records of the tape are missing: what is held is not known from here on, and no target is asked for.
    pub(super) fn on_lost(&mut self) {
        self.is_lost = true;
    }

    fn on_top(&mut self, top: &TopBody) {
        let Some(&at) = self.places.get(&InstrumentId(top.instrument.get())) else { return };
        let (bid, ask) = (top.bid_price.get(), top.ask_price.get());
        let fit = top.stale == 0 && 0 < bid && bid < ask;
        self.tops[at] = fit.then_some((bid, ask));
        if !fit {
            return;
        }
        let stamp = top.at.get();
        if stamp.saturating_add(ANOTHER_DAY) < self.at {
            // Rows of the day before still count; what lies between the days is no return.
            (self.grid, self.at) = (grid(&self.settings), 0);
        }
        self.at = self.at.max(stamp);
        let mid = (bid as f64 + ask as f64) / 2.0;
        let fed = self.grid.on_mid(self.at, at, mid, &mut self.returns);
        debug_assert!(!matches!(fed, Err(CovarianceError::Order { .. } | CovarianceError::Mid(_))), "{fed:?}");
    }

    /// What is to be asked now, if it is time and all is known.
    pub(super) fn question(&mut self, now: Mono, tally: &mut Tally) -> Option<Question> {
        if now < self.due || self.returns.added() < self.settings.params.least as u64 {
            return None;
        }
        self.due = now.after(self.settings.every);
        if self.is_lost {
            tally.lost += 1;
            return None;
        }
        let question = self.known(now);
        if question.is_none() {
            tally.unpriced += 1;
            // It may be a matter of moments.
            self.due = now.after(Nanos(self.settings.every.0 / 10));
        }
        question
    }

    /// All that is to be known; `None`: a name has no price, or an amount is beyond what is counted with.
    fn known(&self, now: Mono) -> Option<Question> {
        let tops = self.tops.iter().copied().collect::<Option<Vec<_>>>()?;
        let names = &self.settings.names;
        let middle = |(bid, ask): (i64, i64)| u64::midpoint(bid.unsigned_abs(), ask.unsigned_abs());
        let price = names.iter().zip(tops).map(|(name, top)| middle(top).checked_mul(name.scale));
        let cash = names.iter().zip(&self.cash).try_fold(i128::from(self.settings.capital), |sum, (name, cash)| {
            // What the ledger counts is price times shares times the multiplier; the scale has that, too.
            let unit = i128::from(name.scale) / i128::from(name.row.multiplier.max(1));
            sum.checked_add(cash.checked_mul(unit)?)
        });
        Some(Question {
            at: now,
            shares: self.shares.clone(),
            price: price.collect::<Option<_>>()?,
            cash: i64::try_from(cash?).ok()?,
            returns: self.returns.clone(),
        })
    }
}

fn grid(settings: &Settings) -> Grid {
    let step = settings.params.grid_ms;
    let idle = (IDLE_MS / step).clamp(1, firelane_portfolio::covariance::MOST_IDLE);
    Grid::new(settings.names.len(), step * 1_000_000, idle).expect("the configuration is checked: names, step")
}
