//! What a portfolio beside a lane came to.

use super::account::Account;
use crate::replay::group;
use anyhow::Result;
use firelane_gateway::flow::record::command::{Answer, Said};
use firelane_portfolio::rebalance::Target;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Names that a report shows; a program has all.
const MOST: usize = 8;

/// What is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    targets: u64,
    stopped: u64,
    refused: u64,
    why_refused: Option<String>,
    /// Due while records were missing.
    pub(super) lost: u64,
    /// Due while a name had no price that can be trusted.
    pub(super) unpriced: u64,
    /// Due while the last question was still being answered.
    pub(super) busy: u64,
    /// Words that found no room in the inbox.
    pub(super) unsent: u64,
    taken: u64,
    expired: u64,
    rejected: u64,
    why_rejected: Option<String>,
    longest: Option<Duration>,
    last: Option<Target>,
}

/// What a portfolio beside a lane came to. The layout is stable: fields are added, never renamed or removed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Targets that were found.
    targets: u64,
    /// Of these, searches that their deadline ended.
    stopped: u64,
    /// Questions without an answer: limits that can't be met, say.
    refused: u64,
    /// Why the last of them had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_refused: Option<String>,
    /// Times that no question was asked: records of the tape had been missed, so that what is held is not known.
    lost: u64,
    /// The same: a name had no two-sided book that can be trusted.
    unpriced: u64,
    /// The same: the last question was still being answered.
    busy: u64,
    /// Words for the lane that found no room.
    unsent: u64,
    /// What became of the words, as far as the tape has said.
    taken: u64,
    expired: u64,
    rejected: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_rejected: Option<String>,
    /// Rows of returns that the covariance has seen.
    rows: u64,
    /// The longest search, where there is a clock: milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_ms: Option<f64>,
    /// Of the last target, by symbol.
    names: BTreeMap<String, Name>,
}

/// A name of the last target.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Name {
    /// Of the capital then.
    weight: f64,
    /// Shares that are wanted.
    target: i64,
    /// Shares that are held now.
    held: i64,
}

impl Tally {
    /// A question was answered.
    pub(super) fn answered(&mut self, answer: &Result<Target>) {
        match answer {
            Ok(target) => {
                self.targets += 1;
                self.stopped += u64::from(target.stopped);
                self.last = Some(target.clone());
            }
            Err(why) => {
                self.refused += 1;
                self.why_refused = Some(format!("{why:#}"));
            }
        }
    }

    /// It took so long.
    pub(super) fn took(&mut self, time: Duration) {
        self.longest = self.longest.max(Some(time));
    }

    /// What became of a word.
    pub(super) fn became(&mut self, answer: &Answer<'_>) {
        match answer.said {
            Said::Taken => self.taken += 1,
            Said::Expired => self.expired += 1,
            Said::Unknown | Said::Rejected => {
                self.rejected += 1;
                self.why_rejected = Some(answer.text.to_owned());
            }
        }
    }

    pub(super) fn report(&self, account: &Account) -> Report {
        let symbols = &account.settings().params.symbols;
        let mut names = BTreeMap::new();
        if let Some(target) = &self.last {
            for (at, symbol) in symbols.iter().enumerate() {
                let (weight, target) = (target.portfolio.weights[at], target.shares[at]);
                names.insert(symbol.clone(), Name { weight, target, held: account.shares()[at] });
            }
        }
        Report {
            targets: self.targets,
            stopped: self.stopped,
            refused: self.refused,
            why_refused: self.why_refused.clone(),
            lost: self.lost,
            unpriced: self.unpriced,
            busy: self.busy,
            unsent: self.unsent,
            taken: self.taken,
            expired: self.expired,
            rejected: self.rejected,
            why_rejected: self.why_rejected.clone(),
            rows: account.rows(),
            longest_ms: self.longest.map(|time| time.as_secs_f64() * 1_000.0),
            names,
        }
    }
}

impl Report {
    /// For people: names with values and notes; more of them where there is more to say.
    pub(crate) fn rows(&self) -> Vec<(String, u64, String)> {
        let some = |n: u64, what: &str| (n > 0).then(|| format!("{} {what}", group(n)));
        let words = [
            some(self.taken, "words taken"),
            some(self.expired, "expired"),
            some(self.rejected, "rejected"),
            some(self.unsent, "unsent"),
            some(self.stopped, "searches ended by their deadline"),
            self.longest_ms.map(|ms| format!("{ms:.1} ms at most")),
        ];
        let note = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let note = if note.is_empty() { format!("{} rows of returns", group(self.rows)) } else { note };
        let mut rows = vec![("targets".to_owned(), self.targets, note)];
        let named: Vec<_> = self.names.iter().filter(|(_, name)| (name.target, name.held) != (0, 0)).collect();
        for (symbol, name) in named.iter().take(MOST) {
            let way = if name.held < 0 { "short" } else { "held" };
            let short = if name.target < 0 { "-" } else { "" };
            let (wanted, part) = (group(name.target.unsigned_abs()), 100.0 * name.weight);
            let note = format!("{way}, {short}{wanted} wanted: {part:.1} % of the capital");
            rows.push((format!("  {symbol}"), name.held.unsigned_abs(), note));
        }
        let more = named.len().saturating_sub(MOST) as u64;
        if more > 0 {
            rows.push(("  more".to_owned(), more, "names; --json has all".to_owned()));
        }
        let unasked = self.lost + self.unpriced + self.busy;
        if unasked > 0 {
            let why = [
                some(self.unpriced, "without a price of each name"),
                some(self.busy, "while one was being answered"),
                some(self.lost, "behind a loss of records"),
            ];
            rows.push(("not asked".to_owned(), unasked, why.into_iter().flatten().collect::<Vec<_>>().join(", ")));
        }
        for (what, n, why) in
            [("refused", self.refused, &self.why_refused), ("rejected", self.rejected, &self.why_rejected)]
        {
            if let Some(why) = why.as_ref().filter(|_| n > 0) {
                rows.push((what.to_owned(), n, why.clone()));
            }
        }
        rows
    }
}
