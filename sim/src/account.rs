//! An account of every order, kept from the bytes that pass between lane and venue, and from nothing else.
//!
//! It stands on the wire at the lane's end: it reads what the lane writes and what the lane is given, with offsets of
//! its own, and reckons as OUCH 5.0 says. It uses no codec, no order table, no ledger and no record of the two
//! that it is to judge: a lane that loses a fill, counts one twice, frees what it still owes or forgets what it asked
//! for differs from it at once, and so does a venue that says other than it does.
//!
//! ```text
//!   lane ── requests ──┬──> venue
//!     ↑                │      │
//!     │             account   │
//!     └──── answers ───┴──────┘
//! ```
//!
//! The account is true whenever the lane has worked through what it was given. [`reconcile`](crate::reconcile) compares
//! it with the lane then, order by order and instrument by instrument, and with the venue's own books when nothing is
//! under way from there.
//!
//! Two rules are not the venue's but the client's, which alone decides how long it waits for an answer: requests are
//! settled by the answer to an Account Query that was asked later on the same connection, and those of one order
//! together with the last of them.

mod wire;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::{Answer, Frames, Request, Stands, Traded};

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Asked for, and not answered.
    Asked,
    /// Taken, with shares open.
    Live,
    /// Executed, cancelled or refused, to the last share.
    Done,
}

/// A replace that was asked for and not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskedReplace {
    /// Its number.
    pub token: u32,
    /// Its limit.
    pub price: i64,
    /// The liability of the whole chain.
    pub qty: i64,
}

/// A cancel that was asked for and not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskedCancel {
    /// The most that the order shall execute in all.
    pub keep: i64,
    /// The venue has said that it will act after the cross.
    pub deferred: bool,
}

/// An order over its whole chain of replaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// Its name in the client's text.
    pub id: u64,
    /// Symbol, padded with spaces.
    pub symbol: [u8; 8],
    /// A purchase?
    pub buy: bool,
    /// A short sale, as the venue has it?
    pub short: bool,
    /// Where it stands.
    pub standing: Standing,
    /// The venue took it, at some time.
    pub lived: bool,
    /// The number under which it stands.
    pub token: u32,
    /// The limit that was asked for.
    pub limit: i64,
    /// The price at which the venue works it.
    pub price: i64,
    /// Shares open.
    pub open: i64,
    /// Shares executed, trades broken since included.
    pub executed: i64,
    /// Shares that self-match prevention took off.
    pub prevented: i64,
    /// The venue's reference.
    pub reference: Option<u64>,
    /// How it is displayed.
    pub display: u8,
    /// A replace on its way.
    pub replace: Option<AskedReplace>,
    /// A cancel on its way.
    pub cancel: Option<AskedCancel>,
    /// Its last request's place among all.
    last_request: u64,
}

impl Chain {
    /// Shares that may still execute, a replace on its way counted where it opens more, and the highest price at which.
    #[must_use]
    pub fn exposure(&self) -> (i64, i64) {
        if self.standing == Standing::Done {
            return (0, 0);
        }
        let (qty, price) = (self.open, self.limit.max(self.price));
        self.replace.map_or((qty, price), |replace| {
            (qty.max(replace.qty - self.executed - self.prevented), price.max(replace.price))
        })
    }

    fn is_owed(&self) -> bool {
        self.standing == Standing::Asked || self.replace.is_some() || self.cancel.is_some_and(|c| !c.deferred)
    }

    fn stand(&mut self, stands: &Stands) {
        (self.token, self.price, self.open) = (stands.token, stands.price, stands.qty);
        (self.display, self.reference) = (stands.display, Some(stands.reference));
        self.short = matches!(stands.side, b'T' | b'E');
        self.lived = true;
        self.standing = if stands.live && stands.qty > 0 { Standing::Live } else { Standing::Done };
    }

    fn take_off(&mut self, shares: i64) {
        self.open -= shares;
        if self.open <= 0 {
            self.standing = Standing::Done;
        }
    }
}

/// A fill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fill {
    /// Shares, negative for a sale.
    pub shares: i64,
    /// Price, as last corrected.
    pub price: i64,
    /// Liquidity flag.
    pub liquidity: u8,
    /// Was it a short sale?
    pub short: bool,
    /// Was it broken? Then it counts for nothing.
    pub broken: bool,
}

/// What is held in a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Held {
    /// Shares, negative when short.
    pub shares: i64,
    /// Money: what sales brought less what purchases cost.
    pub cash: i128,
    /// Shares sold short.
    pub sold_short: i64,
}

/// What was out of the ordinary, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Fills.
    pub fills: u64,
    /// Executions that the venue said again.
    pub repeats: u64,
    /// Fills of an order that was done, or of a number that another had replaced.
    pub late_fills: u64,
    /// Orders whose requests were settled without an answer.
    pub settled: u64,
    /// Trades broken.
    pub broken: u64,
    /// Trades corrected.
    pub corrected: u64,
    /// Shares that self-match prevention took off.
    pub prevented: u64,
    /// Replaces refused.
    pub replaces_refused: u64,
    /// Cancels that wait for a cross.
    pub cancels_deferred: u64,
    /// Cancels refused.
    pub cancels_refused: u64,
    /// Answers to queries that were not asked on this connection.
    pub stale_answers: u64,
}

impl Counts {
    /// Of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Counts {
            fills: self.fills + other.fills,
            repeats: self.repeats + other.repeats,
            late_fills: self.late_fills + other.late_fills,
            settled: self.settled + other.settled,
            broken: self.broken + other.broken,
            corrected: self.corrected + other.corrected,
            prevented: self.prevented + other.prevented,
            replaces_refused: self.replaces_refused + other.replaces_refused,
            cancels_deferred: self.cancels_deferred + other.cancels_deferred,
            cancels_refused: self.cancels_refused + other.cancels_refused,
            stale_answers: self.stale_answers + other.stale_answers,
        }
    }
}

/// The account.
#[derive(Clone, Default, Debug)]
pub struct Account {
    from_lane: Frames,
    from_venue: Frames,
    /// The next number that the venue says on this connection.
    said: Option<u64>,
    /// Messages heard, over all connections.
    heard: u64,
    requests: u64,
    /// Requests and answers.
    steps: u64,
    /// Answers that the lane was given at once: what it asks for meanwhile may be older than the last of them.
    at_once: u32,
    /// Queries of this connection that have no answer yet: the requests before each.
    queries: VecDeque<u64>,
    highest_token: u32,
    chains: Vec<Chain>,
    by_token: BTreeMap<u32, usize>,
    live: BTreeSet<usize>,
    fills: BTreeMap<(usize, u64), Fill>,
    held: BTreeMap<[u8; 8], Held>,
    counts: Counts,
    odd: Vec<String>,
}

impl Account {
    /// Orders that may still execute, in the order in which they were asked for.
    pub fn live(&self) -> impl Iterator<Item = &Chain> {
        self.live.iter().map(|at| &self.chains[*at])
    }

    /// Every order that was ever asked for.
    #[must_use]
    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }

    /// Every fill, with the name of its order and its match number.
    pub fn fills(&self) -> impl Iterator<Item = (u64, u64, &Fill)> {
        self.fills.iter().map(|((at, trade), fill)| (self.chains[*at].id, *trade, fill))
    }

    /// What is held in a symbol.
    #[must_use]
    pub fn held(&self, symbol: [u8; 8]) -> Held {
        self.held.get(&symbol).copied().unwrap_or_default()
    }

    /// What was out of the ordinary.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Requests and answers so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Messages of the venue's session heard so far.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// Requests that no client may send, and answers that can't be, in words.
    #[must_use]
    pub fn odd(&self) -> &[String] {
        &self.odd
    }

    /// The lane is given something else than the venue's bytes.
    pub fn on_nothing(&mut self) {
        self.at_once = 0;
    }

    fn odd_if(&mut self, odd: bool, what: impl FnOnce() -> String) {
        if odd {
            self.odd.push(what());
        }
    }

    /// The lane has asked for a connection, or has none any more: what was begun on the last one is not finished.
    pub fn on_new_connection(&mut self) {
        self.from_lane.clear();
        self.from_venue.clear();
        self.said = None;
        self.queries.clear();
    }

    // ---- What the lane writes --------------------------------------------------------------------------------

    /// Bytes of the lane, as it hands them to the wire.
    pub fn on_lane(&mut self, bytes: &[u8]) {
        self.from_lane.push(bytes);
        while let Some((letter, payload)) = self.from_lane.next() {
            if letter == b'U' {
                self.on_request(&payload);
            }
        }
    }

    fn on_request(&mut self, message: &[u8]) {
        self.steps += 1;
        let Some(request) = wire::request(message) else {
            return self.odd.push(format!("the lane sent {}", message.escape_ascii()));
        };
        if request == Request::Query {
            self.queries.push_back(self.requests);
            return;
        }
        self.requests += 1;
        let takes = match request {
            Request::Enter { token, .. } | Request::Replace { token, .. } | Request::MassCancel { token } => {
                Some(token)
            }
            Request::Cancel { .. } | Request::Query => None,
        };
        if let Some(token) = takes {
            let highest = self.highest_token;
            self.odd_if(token <= highest, || format!("UserRefNum {token} was sent after {highest}"));
            self.highest_token = token.max(highest);
        }
        match request {
            Request::Enter { token, side, qty, symbol, price, text } => {
                self.check_enter(side, qty, symbol, price);
                let id = wire::name(&text).unwrap_or(0);
                let named = self.chains.iter().rev().take(1_000).any(|chain| chain.id == id);
                self.odd_if(named, || format!("order {id} was entered twice"));
                self.by_token.insert(token, self.chains.len());
                self.live.insert(self.chains.len());
                self.chains.push(Chain {
                    id,
                    symbol,
                    buy: side == b'B',
                    short: matches!(side, b'T' | b'E'),
                    standing: Standing::Asked,
                    lived: false,
                    token,
                    limit: price,
                    price,
                    open: qty,
                    executed: 0,
                    prevented: 0,
                    reference: None,
                    display: 0,
                    replace: None,
                    cancel: None,
                    last_request: self.requests,
                });
            }
            Request::Replace { orig, token, qty, price, text } => {
                let Some(at) = self.find(orig, "a replace") else { return };
                self.check_replace(at, orig, qty, price, &text);
                self.by_token.insert(token, at);
                let chain = &mut self.chains[at];
                chain.replace = Some(AskedReplace { token, price, qty });
                chain.last_request = self.requests;
            }
            Request::Cancel { token, keep } => {
                let Some(at) = self.find(token, "a cancel") else { return };
                let chain = &mut self.chains[at];
                let deferred = chain.cancel.is_some_and(|cancel| cancel.deferred);
                chain.cancel = Some(AskedCancel { keep, deferred });
                chain.last_request = self.requests;
                self.tidy(at);
            }
            Request::MassCancel { .. } | Request::Query => {}
        }
    }

    /// What no order of ours may be: a sale of shares that are not there, marked long; a trade with ourselves.
    fn check_enter(&mut self, side: u8, qty: i64, symbol: [u8; 8], price: i64) {
        self.odd_if(!(1..=999_999).contains(&qty), || format!("an order of {qty} shares"));
        if self.at_once > 1 {
            return;
        }
        self.check_self_trade(symbol, side == b'B', price);
        if side == b'S' {
            let sells = self.live().filter(|c| c.symbol == symbol && !c.buy).map(|c| c.exposure().0).sum::<i64>();
            let held = self.held(symbol).shares;
            self.odd_if(qty > held - sells, || {
                format!("a long sale of {qty} shares, with {held} held and {sells} for sale already")
            });
        }
    }

    fn check_replace(&mut self, at: usize, orig: u32, qty: i64, price: i64, text: &[u8; 14]) {
        let chain = self.chains[at].clone();
        let id = chain.id;
        self.odd_if(wire::name(text) != Some(id), || format!("a replace of order {id} has another's name"));
        if self.at_once > 1 {
            return;
        }
        self.odd_if(chain.token != orig, || {
            format!("a replace of order {id} names {orig}, it stands as {}", chain.token)
        });
        self.odd_if(chain.replace.is_some(), || format!("a second replace of order {id} is under way"));
        self.odd_if(chain.standing == Standing::Asked, || format!("a replace of order {id}, which is not answered"));
        let spent = chain.executed + chain.prevented;
        self.odd_if(chain.standing == Standing::Live && qty <= spent, || {
            format!("a replace of order {id} with {qty} shares in all, of which {spent} are spent")
        });
        self.check_self_trade(chain.symbol, chain.buy, price);
    }

    fn check_self_trade(&mut self, symbol: [u8; 8], buy: bool, price: i64) {
        let meets = |limit: i64| if buy { price >= limit } else { price <= limit };
        let met = self.live().filter(|chain| chain.symbol == symbol && chain.buy != buy).find(|chain| {
            let best = |a: i64, b: i64| if chain.buy { a.max(b) } else { a.min(b) };
            let own = best(chain.limit, chain.price);
            meets(chain.replace.map_or(own, |replace| best(own, replace.price)))
        });
        let met = met.map(|chain| chain.id);
        self.odd_if(met.is_some(), || {
            format!("an order at {price} that would trade with our order {}", met.unwrap_or(0))
        });
    }

    /// The order that has, had or asks for this number.
    fn find(&mut self, token: u32, what: &str) -> Option<usize> {
        let at = self.by_token.get(&token).copied();
        self.odd_if(at.is_none(), || format!("{what} of UserRefNum {token}, which was never sent"));
        at
    }

    // ---- What the venue says ---------------------------------------------------------------------------------

    /// Bytes of the venue, as the lane is given them.
    pub fn on_venue(&mut self, bytes: &[u8]) {
        self.at_once = 0;
        self.from_venue.push(bytes);
        while let Some((letter, payload)) = self.from_venue.next() {
            match (letter, self.said) {
                (b'A', _) => self.said = wire::login_sequence(&payload),
                (b'S', Some(number)) => {
                    self.said = number.checked_add(1);
                    // What was heard on an earlier connection is said again after a login.
                    if number > self.heard {
                        self.odd_if(number > self.heard + 1, || format!("message {number} came too early"));
                        self.heard = number;
                        self.on_answer(&payload);
                    }
                }
                _ => {}
            }
        }
    }

    fn on_answer(&mut self, message: &[u8]) {
        self.at_once += 1;
        self.steps += 1;
        let Some(answer) = wire::answer(message) else {
            return self.odd.push(format!("the venue said {}", message.escape_ascii()));
        };
        match answer {
            Answer::Other => {}
            Answer::Queried => match self.queries.pop_front() {
                Some(requests) => self.settle(requests),
                None => self.counts.stale_answers += 1,
            },
            Answer::Accepted(stands) => self.step(stands.token, "an acceptance", |chain, _| {
                if chain.standing == Standing::Asked {
                    chain.stand(&stands);
                    true
                } else {
                    false
                }
            }),
            Answer::Replaced { orig, now } => {
                self.step(orig, "a replacement", |chain, _| {
                    if chain.token != orig || chain.standing != Standing::Live {
                        return false;
                    }
                    let Some(asked) = chain.replace.take().filter(|asked| asked.token == now.token) else {
                        return false;
                    };
                    chain.limit = asked.price;
                    chain.stand(&now);
                    true
                });
            }
            Answer::Canceled { token, gone } => self.step(token, "a cancel", |chain, _| {
                let possible = chain.is_at(token) && gone <= chain.open;
                chain.take_off(gone);
                possible
            }),
            Answer::Prevented { token, gone } => self.step(token, "a prevented trade", |chain, counts| {
                let possible = chain.is_at(token) && gone <= chain.open;
                counts.prevented += gone.unsigned_abs();
                chain.prevented += gone;
                chain.take_off(gone);
                possible
            }),
            Answer::Executed(traded) => self.executed(traded),
            Answer::Broken { token, trade } => self.revise(token, trade, None),
            Answer::Corrected(traded) => self.revise(traded.token, traded.trade, Some(traded)),
            Answer::Rejected { token } => self.step(token, "a reject", |chain, counts| {
                if chain.replace.is_some_and(|asked| asked.token == token) {
                    chain.replace = None;
                    counts.replaces_refused += 1;
                    return true;
                }
                let possible = chain.standing == Standing::Asked;
                chain.standing = Standing::Done;
                possible
            }),
            Answer::CancelPending { token } => self.step(token, "a pending cancel", |chain, counts| {
                counts.cancels_deferred += 1;
                let keep = chain.cancel.map_or(0, |cancel| cancel.keep);
                chain.cancel = Some(AskedCancel { keep, deferred: true });
                chain.is_at(token)
            }),
            Answer::CancelRejected { token } => self.step(token, "a refused cancel", |chain, counts| {
                counts.cancels_refused += 1;
                chain.cancel = None;
                chain.is_at(token)
            }),
            Answer::Moved { token, price, display, reference } => self.step(token, "a move", |chain, _| {
                (chain.price, chain.display, chain.reference) = (price, display, Some(reference));
                chain.is_at(token)
            }),
            Answer::Restated { token, reference } => self.step(token, "a restatement", |chain, _| {
                chain.reference = reference.or(chain.reference);
                chain.is_at(token)
            }),
        }
    }

    /// One step of one order. `act` says whether it is possible at all.
    fn step(&mut self, token: u32, what: &str, act: impl FnOnce(&mut Chain, &mut Counts) -> bool) {
        let Some(at) = self.find(token, what) else { return };
        let before = self.chains[at].clone();
        let possible = act(&mut self.chains[at], &mut self.counts);
        self.odd_if(!possible, || format!("{what} for {token} of an order that stands so: {before:?}"));
        self.tidy(at);
    }

    /// A cancel that has nothing left to do is granted; what is done asks for nothing more.
    fn tidy(&mut self, at: usize) {
        let chain = &mut self.chains[at];
        if chain.cancel.is_some_and(|cancel| chain.executed + chain.open <= cancel.keep) {
            chain.cancel = None;
        }
        if chain.standing == Standing::Done {
            (chain.open, chain.replace, chain.cancel) = (0, None, None);
            self.live.remove(&at);
        }
    }

    fn executed(&mut self, traded: Traded) {
        let Traded { token, qty, price, liquidity, trade } = traded;
        let Some(at) = self.find(token, "an execution") else { return };
        if self.fills.contains_key(&(at, trade)) {
            self.counts.repeats += 1;
            return;
        }
        let chain = &mut self.chains[at];
        chain.executed += qty;
        let shares = if chain.buy { qty } else { -qty };
        let fill = Fill { shares, price, liquidity, short: chain.short, broken: false };
        let too_much = if chain.is_at(token) {
            let too_much = qty > chain.open;
            chain.take_off(qty);
            too_much
        } else {
            self.counts.late_fills += 1;
            !chain.lived
        };
        self.counts.fills += 1;
        self.odd_if(too_much, || format!("an execution of {qty} shares for {token}, which has not so many"));
        self.fills.insert((at, trade), fill);
        self.book(at, fill, 1);
        self.tidy(at);
    }

    /// A trade is broken, or has another size and price.
    fn revise(&mut self, token: u32, trade: u64, with: Option<Traded>) {
        let Some(at) = self.find(token, "a revised trade") else { return };
        let Some(fill) = self.fills.get_mut(&(at, trade)) else {
            return self.odd.push(format!("trade {trade} of {token} is revised and never was"));
        };
        if fill.broken {
            return self.odd.push(format!("trade {trade} of {token} is revised after it was broken"));
        }
        let old = *fill;
        match with {
            Some(Traded { qty, price, liquidity, .. }) => {
                *fill = Fill { shares: old.shares.signum() * qty, price, liquidity, ..old };
                self.counts.corrected += 1;
            }
            None => {
                fill.broken = true;
                self.counts.broken += 1;
            }
        }
        let new = *fill;
        self.book(at, old, -1);
        if !new.broken {
            self.book(at, new, 1);
        }
    }

    fn book(&mut self, at: usize, fill: Fill, times: i64) {
        let held = self.held.entry(self.chains[at].symbol).or_default();
        held.shares += times * fill.shares;
        held.cash -= i128::from(times * fill.shares) * i128::from(fill.price);
        if fill.short {
            held.sold_short += times * fill.shares.abs();
        }
    }

    /// What was asked before the query and is not answered never will be.
    fn settle(&mut self, requests: u64) {
        let late: Vec<usize> = self.live.iter().copied().collect();
        for at in late {
            let chain = &mut self.chains[at];
            if !chain.is_owed() || chain.last_request > requests {
                continue;
            }
            self.counts.settled += 1;
            chain.replace = None;
            chain.cancel = chain.cancel.filter(|cancel| cancel.deferred);
            if chain.standing == Standing::Asked {
                chain.standing = Standing::Done;
            }
            self.tidy(at);
        }
    }
}

impl Chain {
    /// Does it stand under this number, with shares open?
    fn is_at(&self, token: u32) -> bool {
        self.token == token && self.standing == Standing::Live
    }
}
