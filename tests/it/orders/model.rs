//! A naive venue: OUCH's rules on order life, each from "OUCH 5.0", over
//! plain vectors and in the plainest arithmetic. It shares no code with the order table.

use super::{letter, part, why};
use firelane_gateway::base::{Name, Price, Qty, Side, Token, VenueRef};
use firelane_gateway::flow::action::{SellMark, TimeInForce};
use firelane_gateway::flow::orders::{Report, Standing, Visibility};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    Enter { token: Token, side: Side, price: i64, qty: i64 },
    Replace { orig: Token, token: Token, price: i64, qty: i64 },
    Cancel { token: Token, keep: i64 },
    Query { settles: u64 },
}

/// What chance decides at the venue while it works on a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mood {
    Plain,
    /// Rejects an enter, kills the original of a replace.
    Invalid,
    /// Accepts at a better price, or dead.
    Better,
    Dead,
}

#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) first: Token,
    pub(super) token: Token,
    pub(super) side: Side,
    pub(super) price: i64,
    pub(super) limit: i64,
    pub(super) open: i64,
    pub(super) executed: i64,
    pub(super) decremented: i64,
    pub(super) reference: u64,
    /// Every token it has had.
    tokens: Vec<Token>,
    /// Not cancellable until the cross.
    pub(super) late: bool,
    pub(super) cancel_after_cross: bool,
    refused_once: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Trade {
    pub(super) number: u64,
    pub(super) token: Token,
    pub(super) qty: i64,
    pub(super) price: i64,
    pub(super) side: Side,
    pub(super) broken: bool,
}

#[derive(Debug, Default)]
pub(super) struct Venue {
    pub(super) chains: Vec<Chain>,
    pub(super) trades: Vec<Trade>,
    pub(super) last_token: Token,
    pub(super) inbox: VecDeque<Request>,
    pub(super) sent: VecDeque<Report>,
    references: u64,
}

impl Venue {
    fn standing(&mut self, index: usize, live: bool) -> Standing {
        self.references += 1;
        let chain = &mut self.chains[index];
        chain.reference = self.references;
        Standing {
            token: chain.token,
            origin: None,
            name: Name::new("TEST").unwrap(),
            side: chain.side,
            mark: SellMark::Long,
            qty: Qty(chain.open),
            price: Price(chain.price),
            tif: TimeInForce::Day,
            display: Visibility::Displayed,
            venue_ref: VenueRef(chain.reference),
            live,
        }
    }

    fn alive(&self, token: Token) -> Option<usize> {
        self.chains.iter().position(|c| c.token == token && c.open > 0)
    }

    /// "a port works in order".
    pub(super) fn work(&mut self, mood: Mood) {
        match self.inbox.pop_front() {
            None => {}
            // "lower than the last: ignored as a resend (equal too)".
            Some(Request::Enter { token, .. } | Request::Replace { token, .. }) if token <= self.last_token => {}
            Some(Request::Enter { token, side, price, qty }) => {
                self.last_token = token;
                // "J: URN consumed".
                if mood == Mood::Invalid {
                    return self.sent.push_back(Report::Rejected { token, reason: why(0x13) });
                }
                let better = if mood == Mood::Better { -side.sign() } else { 0 };
                self.chains.push(Chain {
                    first: token,
                    token,
                    side,
                    price: price + better,
                    limit: price,
                    open: qty,
                    executed: 0,
                    decremented: 0,
                    reference: 0,
                    tokens: vec![token],
                    late: false,
                    cancel_after_cross: false,
                    refused_once: false,
                });
                // "after state D nothing follows".
                let standing = self.standing(self.chains.len() - 1, mood != Mood::Dead);
                if mood == Mood::Dead {
                    self.chains.last_mut().unwrap().open = 0;
                }
                self.sent.push_back(Report::Accepted(standing));
            }
            Some(Request::Replace { orig, token, price, qty }) => {
                // "original dead: silence, URN free".
                let Some(index) = self.alive(orig) else { return };
                let chain = &mut self.chains[index];
                // "Original not cancellable (late cross): J, original intact, URN consumed".
                if chain.late {
                    self.last_token = token;
                    return self.sent.push_back(Report::Rejected { token, reason: why(0x15) });
                }
                // "liability of the whole chain, incl. executed and self-match-decremented shares".
                let open = qty - chain.executed - chain.decremented;
                // "Details invalid: C kills the original, URN free".
                if mood == Mood::Invalid || open <= 0 {
                    let decrement = Qty(std::mem::take(&mut chain.open));
                    return self.sent.push_back(Report::Canceled { token: orig, decrement, reason: letter(b'Z') });
                }
                self.last_token = token;
                (chain.token, chain.price, chain.limit, chain.open) = (token, price, price, open);
                chain.tokens.push(token);
                let now = self.standing(index, true);
                self.sent.push_back(Report::Replaced { orig, now });
            }
            Some(Request::Cancel { token, keep }) => {
                let Some(index) = self.alive(token) else { return };
                let chain = &mut self.chains[index];
                if chain.late {
                    // "Late cross: full gives P once (cancelled after the cross), partial gives I once".
                    if keep == 0 && !chain.cancel_after_cross {
                        chain.cancel_after_cross = true;
                        self.sent.push_back(Report::CancelPending { token });
                    } else if keep > 0 && !chain.refused_once {
                        chain.refused_once = true;
                        self.sent.push_back(Report::CancelRejected { token });
                    }
                    return;
                }
                // "Open = min(open, max(0, Quantity - executed))"; "no effect: silence".
                let open = chain.open.min((keep - chain.executed).max(0));
                let decrement = Qty(chain.open - open);
                chain.open = open;
                if decrement.0 > 0 {
                    self.sent.push_back(Report::Canceled { token, decrement, reason: letter(b'U') });
                }
            }
            Some(Request::Query { settles }) => {
                self.sent.push_back(Report::Settled {
                    upto: settles,
                    next: Some(Token(self.last_token.0 + 1)),
                    unused: None,
                });
            }
        }
    }

    pub(super) fn execute(&mut self, index: usize, qty: i64) {
        let chain = &mut self.chains[index];
        let qty = qty.min(chain.open);
        chain.open -= qty;
        chain.executed += qty;
        let number = self.trades.len() as u64 + 1;
        let (token, price, side) = (chain.token, chain.price, chain.side);
        self.trades.push(Trade { number, token, qty, price, side, broken: false });
        self.sent.push_back(Report::Executed {
            token,
            qty: Qty(qty),
            price: Price(price),
            liquidity: part(b'A'),
            trade: number,
        });
    }

    pub(super) fn cancel_by_system(&mut self, index: usize) {
        let chain = &mut self.chains[index];
        let decrement = Qty(std::mem::take(&mut chain.open));
        self.sent.push_back(Report::Canceled { token: chain.token, decrement, reason: letter(b'S') });
    }

    /// "Decrement Shares incremental".
    pub(super) fn self_match(&mut self, index: usize, qty: i64) {
        let chain = &mut self.chains[index];
        let qty = qty.min(chain.open);
        chain.open -= qty;
        chain.decremented += qty;
        self.sent.push_back(Report::SelfMatched {
            token: chain.token,
            decrement: Qty(qty),
            reason: letter(b'Q'),
            prevented: Qty(qty),
            price: Price(chain.price),
            liquidity: part(b'A'),
        });
    }

    /// "T: system changed priority, new ORN": between the limit and something better.
    pub(super) fn reprice(&mut self, index: usize, by: i64) {
        self.references += 1;
        let chain = &mut self.chains[index];
        chain.reference = self.references;
        chain.price = chain.limit - chain.side.sign() * by;
        self.sent.push_back(Report::PriorityUpdated {
            token: chain.token,
            price: Price(chain.price),
            display: Visibility::Conformed,
            venue_ref: VenueRef(chain.reference),
        });
    }

    pub(super) fn break_trade(&mut self, index: usize) {
        let trade = &mut self.trades[index];
        if !std::mem::replace(&mut trade.broken, true) {
            self.sent.push_back(Report::Broken { token: trade.token, trade: trade.number, reason: letter(b'E') });
        }
    }

    pub(super) fn correct_trade(&mut self, index: usize, price: i64) {
        let trade = &mut self.trades[index];
        if !trade.broken {
            trade.price = price;
            self.sent.push_back(Report::Corrected {
                token: trade.token,
                qty: Qty(trade.qty),
                price: Price(price),
                liquidity: part(b'A'),
                trade: trade.number,
                reason: letter(b'N'),
            });
        }
    }

    /// The cross happens: what could not be cancelled now can be, and what waits for it is.
    pub(super) fn cross(&mut self) {
        for chain in &mut self.chains {
            chain.late = false;
            if std::mem::take(&mut chain.cancel_after_cross) && chain.open > 0 {
                let decrement = Qty(std::mem::take(&mut chain.open));
                self.sent.push_back(Report::Canceled { token: chain.token, decrement, reason: letter(b'U') });
            }
        }
    }

    /// The most that an order, entered as `first`, may still do to a position that knows only what was delivered:
    /// what was executed and not yet told, and the most that may be open now or after any of the requests that are on
    /// their way, each of which may succeed or fail. And the highest price of a buy among them.
    pub(super) fn worst(&self, first: Token) -> (i64, i64) {
        let chain = self.chains.iter().find(|c| c.first == first);
        let untold = |report: &Report| match (*report, chain) {
            (Report::Executed { token, qty, .. }, Some(chain)) if chain.tokens.contains(&token) => qty.0,
            _ => 0,
        };
        let told_later: i64 = self.sent.iter().map(untold).sum();
        let (mut open, mut price) = chain.filter(|c| c.open > 0).map_or((0, i64::MIN), |c| (c.open, c.limit));
        let used = chain.map_or(0, |c| c.executed + c.decremented);
        let mut alive = chain.filter(|c| c.open > 0).map(|c| c.token);
        for request in &self.inbox {
            match *request {
                Request::Enter { token, price: p, qty, .. } if token == first && token > self.last_token => {
                    (open, price, alive) = (open.max(qty), price.max(p), Some(token));
                }
                Request::Replace { orig, price: p, qty, .. } if alive == Some(orig) => {
                    open = open.max(qty - used);
                    price = price.max(p);
                }
                _ => {}
            }
        }
        (told_later + open, price)
    }

    pub(super) fn position(&self) -> i64 {
        self.trades.iter().filter(|t| !t.broken).map(|t| t.qty * t.side.sign()).sum()
    }

    pub(super) fn cash(&self) -> i64 {
        self.trades.iter().filter(|t| !t.broken).map(|t| -t.qty * t.price * t.side.sign()).sum()
    }
}
