//! What trading brought, for people and programs: cash, what is held, at which average prices it was traded, and what it is
//! worth. One account for `run`, `demo` and `replay --orders`.

use crate::layout;
use crate::replay::group;
use firelane_gateway::base::{Currency, InstrumentId, Price, Side};
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::live::Observer;
use firelane_sim::reconcile::{Traded, Volume};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that a report shows; a program has all.
const MOST: usize = 12;

/// Amounts are 1/10,000 of a dollar. What trades in another currency or in other units has its own, and is in no sum.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Money {
    /// Cash, and what is held at the middle of its book (at the last trade where a side is empty).
    pub(crate) pnl: i128,
    /// Got for sells less paid for buys, before fees.
    pub(crate) cash: i128,
    /// Symbols that were traded or are held.
    pub(crate) by_symbol: BTreeMap<String, Holding>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Holding {
    /// Net shares held.
    pub(crate) position: i64,
    pub(crate) cash: i128,
    pub(crate) pnl: i128,
    /// Shares bought and sold, by the fills as they came: a trade that was broken or corrected later changes cash alone.
    pub(crate) bought: i64,
    pub(crate) sold: i64,
    /// Average prices of these.
    pub(crate) average_bought: Option<i64>,
    pub(crate) average_sold: Option<i64>,
    /// What a share held is worth; absent if the book says nothing.
    pub(crate) mark: Option<i64>,
    /// The currency of all that, where it is not 1/10,000 of a dollar: in the instrument's own units of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
}

impl Money {
    pub(crate) fn of(lane: &dyn Lane, traded: &Traded) -> Self {
        let mut all = Money::default();
        for (id, row) in (0..).map(InstrumentId).zip(lane.instruments().rows()) {
            let account = lane.gate().ledger().account(id);
            let [bought, sold] = traded.of(id);
            let mark = mark(lane, id);
            let profit = account.profit(mark.unwrap_or_default(), row.multiplier).map_or(0, |profit| profit.0);
            let in_dollars = row.currency == Currency::USD && (row.price_exponent, row.qty_exponent) == (-4, 0);
            if in_dollars {
                all.pnl += profit;
                all.cash += account.cash.0;
            }
            let is_flat = account.position.0 == 0 && account.cash.0 == 0;
            if is_flat && bought == Volume::default() && sold == Volume::default() {
                continue;
            }
            let holding = Holding {
                position: account.position.0,
                cash: account.cash.0,
                pnl: profit,
                bought: bought.shares,
                sold: sold.shares,
                average_bought: bought.average().map(|price| price.0),
                average_sold: sold.average().map(|price| price.0),
                mark: mark.map(|price| price.0),
                currency: (!in_dollars).then(|| row.currency.to_string()),
            };
            all.by_symbol.insert(row.to_string(), holding);
        }
        all
    }

    /// Rows of a report: the sum, and a table with a line for each symbol. None where nothing was traded or is held.
    pub(crate) fn rows(&self) -> Vec<String> {
        if self.by_symbol.is_empty() {
            return Vec::new();
        }
        let note = format!("cash {}, positions marked at the last mid", dollars(self.cash));
        let mut lines = vec![layout::row("P&L", &dollars(self.pnl), &note)];
        lines.push(format!(
            "    {:<8}{:>9}{:>9}{:>12}{:>9}{:>12}{:>14}",
            "symbol", "position", "bought", "average", "sold", "average", "P&L"
        ));
        let shares = |n: i64| group(n.unsigned_abs());
        for (symbol, of) in self.by_symbol.iter().take(MOST) {
            let sign = if of.position < 0 { "-" } else { "" };
            // Amounts in other units are a program's to read.
            let average =
                |average: Option<i64>| average.filter(|_| of.currency.is_none()).map_or("-".to_owned(), price);
            lines.push(format!(
                "    {symbol:<8}{:>9}{:>9}{:>12}{:>9}{:>12}{:>14}",
                format!("{sign}{}", shares(of.position)),
                shares(of.bought),
                average(of.average_bought),
                shares(of.sold),
                average(of.average_sold),
                of.currency.clone().unwrap_or_else(|| dollars(of.pnl))
            ));
        }
        let more = self.by_symbol.len().saturating_sub(MOST);
        if more > 0 {
            lines.push(format!("    and {more} more; --json has all"));
        }
        lines
    }
}

/// The middle of the book, or the last trade where a side is empty.
fn mark(lane: &dyn Lane, id: InstrumentId) -> Option<Price> {
    let book = lane.book(id);
    let best = |side| book.top(side).map(|level| level.price.0);
    let mid = best(Side::Buy).zip(best(Side::Sell)).map(|(bid, ask)| Price((bid + ask) / 2));
    mid.or(book.last_trade().map(|(price, _)| price))
}

/// An amount of 1/10,000 of a dollar, to the cent: the middle of a book may lie between two. Programs have all of it.
pub(crate) fn dollars(amount: i128) -> String {
    let cents = amount.unsigned_abs().saturating_add(50) / 100;
    let sign = if amount < 0 && cents > 0 { "-" } else { "" };
    format!("{sign}${}.{:02}", group(u64::try_from(cents / 100).unwrap_or(u64::MAX)), cents % 100)
}

/// A price of 1/10,000 of a dollar, with all four digits, as the venue has them.
pub(crate) fn price(price: i64) -> String {
    let (sign, units) = (if price < 0 { "-" } else { "" }, price.unsigned_abs());
    format!("{sign}${}.{:04}", group(units / 10_000), units % 10_000)
}

/// Keeps the account of what was traded, on a thread of its own beside the tape's.
#[derive(Clone, Default)]
pub(crate) struct Fills(Arc<Mutex<Traded>>);

impl Fills {
    pub(crate) fn traded(&self) -> Traded {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Fills {
    fn name(&self) -> &'static str {
        "fills"
    }

    fn on_record(&mut self, record: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).on_record(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_cents_and_prices_four_digits() {
        let texts = [0, 49, -49, 50, -50, 10_000, -12_345_678, 12_345_600_000].map(dollars);
        let right = ["$0.00", "$0.00", "$0.00", "$0.01", "-$0.01", "$1.00", "-$1,234.57", "$1,234,560.00"];
        assert_eq!(texts, right);
        let texts = [0, 1, -12_345, 1_000_000, 12_345_678].map(price);
        assert_eq!(texts, ["$0.0000", "$0.0001", "-$1.2345", "$100.0000", "$1,234.5678"]);
    }

    #[test]
    fn a_table_fits_eighty_columns_and_says_how_many_it_leaves_out() {
        let holding = |position| Holding {
            position,
            pnl: -123_456_789,
            bought: 1_234_567,
            sold: 1_234_567,
            average_bought: Some(12_345_678),
            average_sold: None,
            ..Holding::default()
        };
        let by_symbol = (0..14).map(|n| (format!("SYMBOL{n:02}"), holding(-100_000))).collect();
        let mut money = Money { pnl: 5, cash: -10_000, by_symbol };
        money.by_symbol.insert("A".into(), Holding { currency: Some("USDT".into()), ..holding(5) });
        let rows = money.rows();
        assert!(rows.iter().all(|row| row.chars().count() <= 80), "{rows:#?}");
        assert!(rows[0].contains("$0.00 ") && rows[0].contains("cash -$1.00"), "{rows:#?}");
        assert!(rows[2].contains("A ") && rows[2].ends_with(" USDT") && !rows[2].contains('$'), "{rows:#?}");
        assert!(
            rows[3].contains("-100,000") && rows[3].contains("$1,234.5678") && rows[3].contains(" - "),
            "{rows:#?}"
        );
        assert_eq!((rows.len(), rows[14].trim()), (15, "and 3 more; --json has all"));
        assert!(Money::default().rows().is_empty());
    }
}
