//! Both sides against the [`Account`] that was kept from the bytes between them.

use super::{Difference, Dollars, TapeLedger};
use crate::account::{Account, Chain, Standing};
use crate::exchange::Exchange;
use crate::venue::port::{OrderKey, OrderState};
use firelane_gateway::base::{ClientId, InstrumentId, Side, VenueId};
use firelane_gateway::flow::action::SellMark;
use firelane_gateway::flow::orders::{Cursor, Order, Status, Visibility};
use firelane_gateway::shell::lane::Lane;
use std::collections::BTreeMap;
use std::fmt;

/// A live order as the lane, or the account, has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Live {
    token: u64,
    buy: bool,
    short: bool,
    asked: bool,
    limit: i64,
    price: i64,
    open: i64,
    executed: i64,
    prevented: i64,
    reference: Option<u64>,
    display: Visibility,
    /// Number, limit and liability of a replace on its way.
    replace: Option<(u64, i64, i64)>,
    /// What a cancel on its way would keep, and whether it waits for a cross.
    cancel: Option<(i64, bool)>,
}

impl Live {
    fn of_lane(order: &Order) -> Self {
        Live {
            token: order.token.0,
            buy: order.side == Side::Buy,
            short: matches!(order.mark, SellMark::Short { .. }),
            asked: order.status == Status::Pending,
            limit: order.limit.0,
            price: order.price.0,
            open: order.open.0,
            executed: order.executed.0,
            prevented: order.decremented.0,
            reference: order.venue_ref.map(|reference| reference.0),
            display: order.display,
            replace: order.replacing.map(|replace| (replace.token.0, replace.price.0, replace.qty.0)),
            cancel: order.cancelling.map(|cancel| (cancel.keep.0, cancel.deferred)),
        }
    }

    fn of_account(chain: &Chain) -> Self {
        Live {
            token: chain.token.into(),
            buy: chain.buy,
            short: chain.short,
            asked: chain.standing == Standing::Asked,
            limit: chain.limit,
            price: chain.price,
            open: chain.open,
            executed: chain.executed,
            prevented: chain.prevented,
            reference: chain.reference,
            display: match chain.display {
                b'Y' => Visibility::Displayed,
                b'N' => Visibility::Hidden,
                b'A' => Visibility::Attributed,
                b'Z' => Visibility::Conformed,
                _ => Visibility::Other,
            },
            replace: chain.replace.map(|replace| (replace.token.into(), replace.price, replace.qty)),
            cancel: chain.cancel.map(|cancel| (cancel.keep, cancel.deferred)),
        }
    }
}

impl fmt::Display for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.buy { "buy" } else { "sell" };
        let short = if self.short { " short" } else { "" };
        let dollars = |units: i64| Dollars(units.into());
        write!(f, "{side}{short} {} as {}", self.open, self.token)?;
        write!(f, " at {} (limit {})", dollars(self.price), dollars(self.limit))?;
        write!(f, ", {} executed, {} prevented", self.executed, self.prevented)?;
        write!(f, ", reference {:?}, display {}", self.reference, self.display.name())?;
        if self.asked {
            f.write_str(", not answered")?;
        }
        if let Some((token, price, qty)) = self.replace {
            write!(f, ", to be {qty} in all at {} as {token}", dollars(price))?;
        }
        if let Some((keep, deferred)) = self.cancel {
            write!(f, ", to keep {keep}{}", if deferred { " after the cross" } else { "" })?;
        }
        Ok(())
    }
}

/// Exposure of one side of an instrument.
#[derive(Clone, Copy, Default)]
struct Exposed {
    shares: i64,
    worth: i128,
    short: i64,
}

/// What was heard between a lane and what it calls this venue.
pub type AtVenue<'a> = (VenueId, &'a Account);

/// Every difference between the lane and what was heard at each of its venues. The lane must have worked through its
/// inputs.
#[must_use]
pub fn compare_with_lane(accounts: &[AtVenue<'_>], lane: &dyn Lane, tape: &TapeLedger) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut differ = |about: String, lane: String, venue: String| found.push(Difference { about, lane, venue });
    let mut own = BTreeMap::new();
    let mut cursor = Cursor::default();
    while let Some(order) = lane.orders().next_live(&mut cursor) {
        let venue = lane.instruments().get(order.instrument).map(|row| row.venue);
        own.insert((venue, order.id.0), Live::of_lane(order));
    }
    let mut exposed: BTreeMap<(VenueId, [u8; 8], bool), Exposed> = BTreeMap::new();
    let mut open = 0;
    for (venue, chain) in accounts.iter().flat_map(|(venue, account)| account.live().map(|chain| (*venue, chain))) {
        let expected = Live::of_account(chain);
        let has = own.remove(&(Some(venue), chain.id));
        if has != Some(expected) {
            let has = has.map_or("no such live order".to_owned(), |has| has.to_string());
            differ(format!("live order {}", chain.id), has, expected.to_string());
        }
        let (shares, price) = chain.exposure();
        if let Some(told) = tape.orders.get(&ClientId(chain.id))
            && (told.open, told.price, told.finished) != (shares, price, false)
        {
            let words = |shares: i64, price: i64| format!("{shares} shares at {}", Dollars(price.into()));
            differ(format!("tape of order {}", chain.id), words(told.open, told.price), words(shares, price));
        }
        let side = exposed.entry((venue, chain.symbol, chain.buy)).or_default();
        let worth = i128::from(shares) * i128::from(price);
        (side.shares, side.worth) = (side.shares + shares, side.worth + worth);
        side.short += if chain.short { shares } else { 0 };
        open += worth;
    }
    for ((_, id), has) in own {
        differ(format!("live order {id}"), has.to_string(), "no such live order".to_owned());
    }
    let mut number = |about: String, lane: i128, heard: i128| {
        if lane != heard {
            differ(about, lane.to_string(), heard.to_string());
        }
    };
    let ledger = lane.gate().ledger();
    number("open notional".to_owned(), ledger.open().0, open);
    for (id, row) in (0..).map(InstrumentId).zip(lane.instruments().rows()) {
        let symbol = super::symbol_of(row);
        let account = accounts.iter().find(|(venue, _)| *venue == row.venue).map(|(_, account)| *account);
        let (has, held) = (ledger.account(id), account.map(|account| account.held(symbol.0)).unwrap_or_default());
        number(format!("position in {symbol}"), has.position.0.into(), held.shares.into());
        number(format!("cash of {symbol}"), has.cash.0, held.cash);
        let (position, cash) = tape.position_of(id);
        number(format!("position in {symbol} on the tape"), position.into(), held.shares.into());
        number(format!("cash of {symbol} on the tape"), cash, held.cash);
        number(format!("shares of {symbol} sold short"), has.short_sold.0.into(), held.sold_short.into());
        let [buys, sells] =
            [true, false].map(|buy| exposed.get(&(row.venue, symbol.0, buy)).copied().unwrap_or_default());
        for (words, has, heard) in [("to buy", has.buys, buys), ("to sell", has.sells, sells)] {
            number(format!("shares of {symbol} {words}"), has.qty.0.into(), heard.shares.into());
            number(format!("worth of {symbol} {words}"), has.notional.0, heard.worth);
        }
        number(format!("shares of {symbol} to sell short"), has.short_open.0.into(), sells.short.into());
    }
    let fills = accounts.iter().map(|(_, account)| account.counts().fills).sum::<u64>();
    number("fills".to_owned(), lane.core_counters().fills.into(), fills.into());
    number("fills on the tape".to_owned(), tape.counts().fills.into(), fills.into());
    found.extend(accounts.iter().flat_map(|(_, account)| account.odd()).map(|odd| Difference {
        about: "what nobody may say".to_owned(),
        lane: "to do with it".to_owned(),
        venue: odd.clone(),
    }));
    found
}

/// Every difference between what was heard and the venue's own books of a port. None of its messages may be under way.
/// The side called the gateway here is the wire.
#[must_use]
pub fn compare_with_venue(account: &Account, exchange: &dyn Exchange, port: u16) -> Vec<Difference> {
    let mut found = Vec::new();
    let Some(port) = exchange.port(port) else { return found };
    let records = port.orders();
    for chain in account.chains().iter().filter(|chain| chain.lived) {
        // The last of the chain: what it stands as, and what all before it have spent.
        let last = records.get(&OrderKey { channel: 0, urn: chain.token });
        let venue = last.map(|record| {
            let spent = record.spent();
            let live = record.state == OrderState::Live;
            (live, record.open.into(), spent.executed.into(), spent.prevented.into(), record.reference.0)
        });
        let live = chain.standing == Standing::Live;
        let heard = (live, chain.open, chain.executed, chain.prevented, chain.reference.unwrap_or(0));
        if venue != Some(heard) {
            let words = |(live, open, executed, prevented, reference): (bool, i64, i64, i64, u64)| {
                let state = if live { "live" } else { "done" };
                format!("{state}, {open} open, {executed} executed, {prevented} prevented, reference {reference}")
            };
            found.push(Difference {
                about: format!("order {} on the wire", chain.id),
                lane: words(heard),
                venue: venue.map_or("no such order".to_owned(), words),
            });
        }
    }
    let positions = port.positions();
    for symbol in exchange.symbols() {
        let (heard, venue) = (account.held(symbol.0).shares, positions.get(&symbol).copied().unwrap_or(0));
        if heard != venue {
            let about = format!("position in {symbol} on the wire");
            found.push(Difference { about, lane: heard.to_string(), venue: venue.to_string() });
        }
    }
    found
}
