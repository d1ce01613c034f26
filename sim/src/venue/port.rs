//! One OUCH 5.0 port: the account's orders, the numbers it has used, and every answer it was ever given.
//!
//! A request becomes a call of the [`Market`]; what the market says happened becomes answers. The port decides which
//! requests are acted on at all (each `UserRefNum` once), what is valid, and what quantities mean; the market decides
//! what trades. The answers are kept in order, so that the session can be replayed from any number.

use super::answers::Answers;
use super::farewell::Remark;
use super::market::{CancelReason, Effect, Liquidity, Market, Owner, Refusal, What};
use super::rules::{self, Entitlements, Spent, Terms};
use firelane_gateway::base::{ExchangeTime, Nanos, Price, Symbol, VenueRef};
use firelane_gateway::flow::wire::ouch50::{
    Appendage, AppendageOption, CancelOrder, CorrectionReason, DisableOrderEntry, Display, EnableOrderEntry,
    EnterOrder, Inbound, MassCancel, ModifyOrder, RejectReason, ReplaceOrder, RestatedReason, Side,
};
use std::collections::{BTreeMap, BTreeSet};

/// An order of the port: its channel and its number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderKey {
    /// `UserRefIdx`; 0 where a request names none.
    pub channel: u8,
    /// `UserRefNum`.
    pub urn: u32,
}

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderState {
    /// In the market.
    Live,
    /// Executed or cancelled, to the last share.
    Done,
    /// Replaced by that one.
    Replaced(OrderKey),
}

/// An order that was accepted, and what became of its shares:
/// `entered = executed + prevented + canceled + moved + open`, always.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderRecord {
    /// Its terms.
    pub terms: Terms,
    /// The venue's number, as of now.
    pub reference: VenueRef,
    /// Where it stands.
    pub state: OrderState,
    /// Shares open when it was accepted.
    pub entered: u32,
    /// Shares it executed.
    pub executed: u32,
    /// Shares that self-match prevention took off.
    pub prevented: u32,
    /// Shares cancelled, for any other reason.
    pub canceled: u32,
    /// Shares that were open when it was replaced.
    pub moved: u32,
    /// Shares open.
    pub open: u32,
    /// What the orders before it in its chain of replaces had spent.
    pub before: Spent,
    /// The order it replaces.
    replaces: Option<OrderKey>,
    /// A late cross order that will be cancelled after the cross.
    cancel_pending: bool,
    /// A partial cancel of a late cross order was refused once.
    cancel_refused: bool,
}

impl OrderRecord {
    fn new(terms: Terms, before: Spent, replaces: Option<OrderKey>) -> Self {
        OrderRecord {
            terms,
            reference: VenueRef(0),
            state: OrderState::Live,
            entered: 0,
            executed: 0,
            prevented: 0,
            canceled: 0,
            moved: 0,
            open: 0,
            before,
            replaces,
            cancel_pending: false,
            cancel_refused: false,
        }
    }

    /// What the whole chain up to and with this order has spent.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent { executed: self.before.executed + self.executed, prevented: self.before.prevented + self.prevented }
    }

    fn settle(&mut self, shares: u32) {
        self.open -= shares;
        if self.open == 0 {
            self.state = OrderState::Done;
        }
    }
}

/// One execution of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fill {
    /// The order.
    pub order: OrderKey,
    /// Match number.
    pub trade: u64,
    /// Symbol.
    pub symbol: Symbol,
    /// Shares, positive for a buy, negative for a sale.
    pub shares: i64,
    /// Price, as last corrected.
    pub price: Price,
    /// Maker, taker, or auction.
    pub liquidity: Liquidity,
    /// Was it broken? Then it counts for nothing.
    pub broken: bool,
}

/// Requests that had no effect.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ignored {
    /// Not an OUCH message.
    pub malformed: u64,
    /// Its `UserRefNum` was used before.
    pub resent: u64,
    /// About an order that is not live, or an answer that does not exist.
    pub silent: u64,
}

/// A port.
#[derive(Debug)]
pub struct Port {
    index: u16,
    may: Entitlements,
    answers: Answers,
    /// Last number used, by channel.
    used: BTreeMap<u8, u32>,
    orders: BTreeMap<OrderKey, OrderRecord>,
    fills: Vec<Fill>,
    /// Firms whose order entry is disabled.
    disabled: BTreeSet<[u8; 4]>,
    expiries: BTreeSet<(ExchangeTime, OrderKey)>,
    ignored: Ignored,
    /// What its clients did that had no effect or another one, by its key; and what of that is to be said.
    remarks: BTreeMap<String, u64>,
    news: Vec<(Remark, u64)>,
}

/// Where a port's requests go and what they cause.
pub(super) struct Desk<'a> {
    pub(super) now: ExchangeTime,
    pub(super) market: &'a mut dyn Market,
    pub(super) effects: &'a mut Vec<Effect>,
}

impl Port {
    /// A port that has seen nothing.
    #[must_use]
    pub(super) fn new(index: u16, may: Entitlements) -> Self {
        Port {
            index,
            may,
            answers: Answers::default(),
            used: BTreeMap::new(),
            orders: BTreeMap::new(),
            fills: Vec::new(),
            disabled: BTreeSet::new(),
            expiries: BTreeSet::new(),
            ignored: Ignored::default(),
            remarks: BTreeMap::new(),
            news: Vec::new(),
        }
    }

    // ---- What others read ------------------------------------------------------------------------------------

    /// Every message of the session so far; the first has number 1.
    #[must_use]
    pub fn messages(&self) -> &[Vec<u8>] {
        self.answers.messages()
    }

    /// Every order that was accepted.
    #[must_use]
    pub fn orders(&self) -> &BTreeMap<OrderKey, OrderRecord> {
        &self.orders
    }

    /// Every execution, in order.
    #[must_use]
    pub fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// Net shares by symbol, of all executions that were not broken.
    #[must_use]
    pub fn positions(&self) -> BTreeMap<Symbol, i64> {
        let mut positions = BTreeMap::new();
        for fill in self.fills.iter().filter(|fill| !fill.broken) {
            *positions.entry(fill.symbol).or_insert(0) += fill.shares;
        }
        positions
    }

    /// Requests that had no effect.
    #[must_use]
    pub fn ignored(&self) -> Ignored {
        self.ignored
    }

    /// What its clients did that had no effect, or another one than they wanted: how often, by its key.
    #[must_use]
    pub fn remarks(&self) -> &BTreeMap<String, u64> {
        &self.remarks
    }

    /// What is to be said of that since the last call. Each first of its kind is, and then each that doubles how often
    /// it was so: a client that does nothing else fills no screen.
    pub(super) fn take_remarks(&mut self) -> impl Iterator<Item = (Remark, u64)> + use<> {
        std::mem::take(&mut self.news).into_iter()
    }

    pub(super) fn remark(&mut self, what: Remark) {
        let count = self.remarks.entry(what.key()).or_insert(0);
        *count += 1;
        if count.is_power_of_two() {
            self.news.push((what, *count));
        }
    }

    /// The lowest number that a new request on a channel may take.
    #[must_use]
    pub fn next_urn(&self, channel: u8) -> u32 {
        self.used.get(&channel).copied().unwrap_or(0).saturating_add(1)
    }

    pub(super) fn next_expiry(&self) -> Option<ExchangeTime> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// What must be true between any two requests.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), String> {
        for (key, o) in &self.orders {
            let sum = o.executed + o.prevented + o.canceled + o.moved + o.open;
            if sum != o.entered {
                return Err(format!("{key:?}: {} shares entered, {sum} accounted for", o.entered));
            }
            if (o.state == OrderState::Live) != (o.open > 0) {
                return Err(format!("{key:?}: {:?} with {} open", o.state, o.open));
            }
            let liability = o.spent().executed + o.spent().prevented + o.open;
            if liability > rules::MOST_SHARES {
                return Err(format!("{key:?}: its chain may execute {liability}"));
            }
        }
        Ok(())
    }

    // ---- Requests --------------------------------------------------------------------------------------------

    /// Acts on one message from the client.
    pub(super) fn on_message(&mut self, desk: &mut Desk<'_>, message: &[u8]) {
        match Inbound::decode(message) {
            Ok(Inbound::EnterOrder(request, tail)) => self.enter(desk, request, tail),
            Ok(Inbound::ReplaceOrder(request, tail)) => self.replace(desk, request, tail),
            Ok(Inbound::CancelOrder(request, tail)) => self.cancel(desk, request, tail),
            Ok(Inbound::ModifyOrder(request, tail)) => self.modify(desk, request, tail),
            Ok(Inbound::MassCancel(request, tail)) => self.mass_cancel(desk, request, tail),
            Ok(Inbound::DisableOrderEntry(request, tail)) => self.disable(desk.now, request, tail),
            Ok(Inbound::EnableOrderEntry(request, tail)) => self.enable(desk.now, request, tail),
            Ok(Inbound::AccountQuery(_, tail)) => {
                let channel = tail.user_ref_idx();
                self.answers.account_query(desk.now, channel, self.next_urn(channel));
            }
            Err(malformed) => {
                self.ignored.malformed += 1;
                self.remark(Remark::Malformed(malformed));
            }
        }
    }

    /// Takes a number for a request that consumes one. False: used before, a resend to be ignored.
    fn consume(&mut self, key: OrderKey) -> bool {
        if key.urn < self.next_urn(key.channel) {
            self.ignored.resent += 1;
            return false;
        }
        self.used.insert(key.channel, key.urn);
        true
    }

    fn owner(&self, key: OrderKey) -> Owner {
        Owner { port: self.index, channel: key.channel, urn: key.urn }
    }

    /// The order if it is in the market. A request about any other gets no answer.
    fn live(&mut self, key: OrderKey) -> Option<&mut OrderRecord> {
        let found = self.orders.get_mut(&key).filter(|record| record.state == OrderState::Live);
        if found.is_none() {
            self.ignored.silent += 1;
        }
        found
    }

    fn enter(&mut self, desk: &mut Desk<'_>, request: &EnterOrder, tail: Appendage<'_>) {
        let key = OrderKey { channel: tail.user_ref_idx(), urn: request.user_ref_num.get().0 };
        if !self.consume(key) {
            return;
        }
        let terms = match rules::enter(&self.may, request, tail) {
            Ok(terms) if self.disabled.contains(&terms.firm) => {
                return self.rejected(desk.now, key, RejectReason::FIRM_NOT_AUTHORIZED, terms.cl_ord_id);
            }
            Ok(terms) => terms,
            Err(reason) => return self.rejected(desk.now, key, reason, request.cl_ord_id),
        };
        let order = terms.order(&self.may, self.owner(key), request.quantity.shares());
        match desk.market.enter(desk.now, order, desk.effects) {
            Ok(()) => {
                self.orders.insert(key, OrderRecord::new(terms, Spent::default(), None));
            }
            Err(refusal) => {
                let reason = rules::reject_reason(refusal, terms.cross_type);
                self.rejected(desk.now, key, reason, terms.cl_ord_id);
            }
        }
    }

    fn replace(&mut self, desk: &mut Desk<'_>, request: &ReplaceOrder, tail: Appendage<'_>) {
        let channel = tail.user_ref_idx();
        let key = OrderKey { channel, urn: request.user_ref_num.get().0 };
        let old = OrderKey { channel, urn: request.orig_user_ref_num.get().0 };
        if key.urn < self.next_urn(channel) {
            self.ignored.resent += 1;
            return;
        }
        let Some(record) = self.live(old) else { return };
        let (reference, spent) = (record.reference, record.spent());
        let pending = record.cancel_pending;
        let original = record.terms.clone();
        if pending || desk.market.is_frozen(reference) {
            let reason = if pending { RejectReason::CANCEL_PENDING } else { RejectReason::REPLACE_NOT_ALLOWED };
            self.consume(key);
            return self.rejected(desk.now, key, reason, request.cl_ord_id);
        }
        let valid = rules::replace(&self.may, &original, request, tail);
        let open = rules::open_after_replace(request.quantity.shares(), spent);
        if let (Ok(terms), Some(open)) = (valid, open) {
            let order = terms.order(&self.may, self.owner(key), open);
            match desk.market.replace(desk.now, reference, order, desk.effects) {
                Ok(()) => {
                    self.consume(key);
                    self.orders.insert(key, OrderRecord::new(terms, spent, Some(old)));
                    return;
                }
                // Nothing is wrong with the request: the original is intact.
                Err(refusal @ (Refusal::Halted | Refusal::LateForCross)) => {
                    self.consume(key);
                    let reason = rules::reject_reason(refusal, original.cross_type);
                    return self.rejected(desk.now, key, reason, request.cl_ord_id);
                }
                Err(_) => {}
            }
        }
        // Invalid details kill the original, and the number stays free.
        let _ = desk.market.reduce(desk.now, reference, 0, CancelReason::System, desk.effects);
    }

    fn rejected(&mut self, now: ExchangeTime, key: OrderKey, reason: RejectReason, cl_ord_id: [u8; 14]) {
        self.remark(Remark::Rejected(reason));
        self.answers.rejected(now, key, reason, cl_ord_id);
    }

    fn cancel(&mut self, desk: &mut Desk<'_>, request: &CancelOrder, tail: Appendage<'_>) {
        let key = OrderKey { channel: tail.user_ref_idx(), urn: request.user_ref_num.get().0 };
        let Some(record) = self.live(key) else { return };
        let open = rules::open_after_cancel(record.open, request.quantity.shares(), record.spent());
        if open == record.open {
            self.ignored.silent += 1;
            return;
        }
        self.withdraw(desk, key, open);
    }

    /// Cancels down to `open` for the user, or says that a late cross order cannot be.
    fn withdraw(&mut self, desk: &mut Desk<'_>, key: OrderKey, open: u32) {
        let Some(record) = self.orders.get_mut(&key) else { return };
        if !desk.market.is_frozen(record.reference) {
            let _ = desk.market.reduce(desk.now, record.reference, open, CancelReason::User, desk.effects);
        } else if open == 0 && !record.cancel_pending {
            record.cancel_pending = true;
            self.answers.cancel_pending(desk.now, key);
        } else if open > 0 && !record.cancel_refused {
            record.cancel_refused = true;
            self.answers.cancel_reject(desk.now, key);
        } else {
            self.ignored.silent += 1;
        }
    }

    fn modify(&mut self, desk: &mut Desk<'_>, request: &ModifyOrder, tail: Appendage<'_>) {
        let key = OrderKey { channel: tail.user_ref_idx(), urn: request.user_ref_num.get().0 };
        let located = tail.find(25) == Some(b"Y".as_slice());
        let unlocated = self.may.locate_required && request.side == Side::SELL_SHORT && !located;
        let Some(record) = self.live(key) else { return };
        let frozen = desk.market.is_frozen(record.reference);
        if frozen || unlocated || !rules::interchangeable(record.terms.side, request.side) {
            self.ignored.silent += 1;
            return;
        }
        let gone = record.open - rules::open_after_cancel(record.open, request.quantity.shares(), record.spent());
        // The answer is Modified, not Canceled: the market's own account of it goes no further.
        let mut reduction = Vec::new();
        let _ = desk.market.reduce(desk.now, record.reference, record.open - gone, CancelReason::User, &mut reduction);
        record.canceled += gone;
        record.settle(gone);
        record.terms.side = request.side;
        let (side, open) = (record.terms.side, record.open);
        self.answers.modified(desk.now, key, side, open);
    }

    fn mass_cancel(&mut self, desk: &mut Desk<'_>, request: &MassCancel, tail: Appendage<'_>) {
        let key = OrderKey { channel: tail.user_ref_idx(), urn: request.user_ref_num.get().0 };
        if !self.consume(key) {
            return;
        }
        let (mut side, mut group, mut channel) = (None, None, None);
        for option in tail.known().filter_map(Result::ok) {
            match option {
                AppendageOption::Side(wanted) => side = side.or(Some(wanted)),
                AppendageOption::GroupId(wanted) => group = group.or(Some(wanted)),
                AppendageOption::UserRefIdx(wanted) => channel = channel.or(Some(wanted)),
                _ => {}
            }
        }
        self.answers.mass_cancel(desk.now, key, request, side, group);
        let all_symbols = request.symbol.iter().all(|byte| *byte == b' ');
        let meant = self.orders.iter().filter(|(key, record)| {
            record.state == OrderState::Live
                && record.terms.firm == request.firm
                && (all_symbols || record.terms.symbol.0 == request.symbol)
                && side.is_none_or(|side| record.terms.side == side)
                && group.is_none_or(|group| record.terms.group == group)
                && channel.is_none_or(|channel| key.channel == channel)
        });
        let meant: Vec<OrderKey> = meant.map(|(key, _)| *key).collect();
        for key in meant {
            self.withdraw(desk, key, 0);
        }
    }

    fn disable(&mut self, now: ExchangeTime, request: &DisableOrderEntry, tail: Appendage<'_>) {
        let key = OrderKey { channel: tail.user_ref_idx(), urn: request.user_ref_num.get().0 };
        if self.consume(key) {
            self.disabled.insert(request.firm);
            self.answers.disabled(now, key, request.firm);
        }
    }

    fn enable(&mut self, now: ExchangeTime, request: &EnableOrderEntry, tail: Appendage<'_>) {
        let key = OrderKey { channel: tail.user_ref_idx(), urn: request.user_ref_num.get().0 };
        if self.consume(key) {
            self.disabled.remove(&request.firm);
            self.answers.enabled(now, key, request.firm);
        }
    }

    // ---- What the market says --------------------------------------------------------------------------------

    /// Something happened to an order of this port.
    pub(super) fn on_effect(&mut self, now: ExchangeTime, owner: Owner, effect: &Effect) {
        let key = OrderKey { channel: owner.channel, urn: owner.urn };
        let Some(record) = self.orders.get_mut(&key) else { return };
        match effect.what {
            What::Entered { shares, limit, conformed, live, .. } => {
                record.reference = effect.reference;
                (record.entered, record.open, record.terms.limit) = (shares, shares, limit);
                if conformed {
                    record.terms.display = Display::CONFORMANT;
                }
                if !live {
                    record.canceled = shares;
                    record.settle(shares);
                }
                if let Some(seconds) = record.terms.expire_seconds.filter(|_| live && record.terms.is_timed()) {
                    self.expiries.insert((now.after(Nanos::from_secs(u64::from(seconds))), key));
                }
                match record.replaces {
                    None => self.answers.accepted(now, key, record, live),
                    Some(old) => {
                        self.answers.replaced(now, old, key, record, live);
                        if let Some(original) = self.orders.get_mut(&old) {
                            original.moved = std::mem::take(&mut original.open);
                            original.state = OrderState::Replaced(key);
                        }
                    }
                }
            }
            What::Executed { shares, price, trade, liquidity } => {
                record.executed += shares;
                record.settle(shares);
                let sign = record.terms.side.of_market().map_or(0, |side| side.sign());
                let (symbol, shares_signed) = (record.terms.symbol, sign * i64::from(shares));
                let fill = Fill { order: key, trade, symbol, shares: shares_signed, price, liquidity, broken: false };
                self.answers.executed(now, &fill);
                self.fills.push(fill);
            }
            What::Canceled { shares, reason } => {
                record.canceled += shares;
                record.settle(shares);
                let reason = if record.cancel_pending { CancelReason::User } else { reason };
                self.answers.canceled(now, key, shares, reason);
            }
            What::Prevented { decrement, prevented, price, liquidity, action } => {
                record.prevented += decrement;
                record.settle(decrement);
                let aiq = record.terms.aiq;
                self.answers.prevented(now, key, (decrement, prevented, price), liquidity, action, aiq);
            }
            What::Reprioritised { price, .. } => {
                record.reference = effect.reference;
                self.answers.reprioritised(now, key, record, price);
            }
            What::Broken { trade, reason } => {
                let cl_ord_id = record.terms.cl_ord_id;
                for fill in self.fills.iter_mut().filter(|fill| fill.order == key && fill.trade == trade) {
                    fill.broken = true;
                }
                self.answers.broken(now, key, trade, reason, cl_ord_id);
            }
        }
    }

    /// The session's day begins or ends.
    pub(super) fn on_system_event(&mut self, now: ExchangeTime, starts: bool) {
        self.answers.system_event(now, starts);
    }

    /// Cancels the orders whose time limit has passed.
    pub(super) fn expire(&mut self, desk: &mut Desk<'_>) {
        while let Some((at, key)) = self.expiries.first().copied().filter(|(at, _)| *at <= desk.now) {
            self.expiries.remove(&(at, key));
            if let Some(record) = self.orders.get(&key).filter(|record| record.state == OrderState::Live) {
                let _ = desk.market.reduce(desk.now, record.reference, 0, CancelReason::Timeout, desk.effects);
            }
        }
    }

    /// Cancels everything that can be cancelled, as after a disconnect.
    pub(super) fn cancel_all(&mut self, desk: &mut Desk<'_>) {
        for record in self.orders.values().filter(|record| record.state == OrderState::Live) {
            if !desk.market.is_frozen(record.reference) {
                let _ = desk.market.reduce(desk.now, record.reference, 0, CancelReason::System, desk.effects);
            }
        }
    }

    // ---- The exchange's staff --------------------------------------------------------------------------------

    /// Corrects the price of a trade that was not broken. True if this port was party to it.
    pub(super) fn correct_trade(&mut self, now: ExchangeTime, trade: u64, price: Price) -> bool {
        let mut party = false;
        for fill in self.fills.iter_mut().filter(|fill| fill.trade == trade && !fill.broken) {
            party = true;
            fill.price = price;
            let cl_ord_id = self.orders.get(&fill.order).map_or([b' '; 14], |record| record.terms.cl_ord_id);
            self.answers.corrected(now, fill, CorrectionReason::NAV, cl_ord_id);
        }
        party
    }

    /// Restates a live order. True if there is such an order.
    pub(super) fn restate(
        &mut self,
        now: ExchangeTime,
        key: OrderKey,
        reason: RestatedReason,
        options: &[AppendageOption],
    ) -> bool {
        let live = self.live(key).is_some();
        if live {
            self.answers.restated(now, key, reason, options);
        }
        live
    }
}
