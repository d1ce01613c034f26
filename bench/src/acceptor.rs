//! A scripted OUCH port: it lets everyone in, and answers every request at once so that the lane keeps trading.
//!
//! An immediate-or-cancel order is accepted and cancelled; one for the day rests, until it is replaced or cancelled. Nothing is ever
//! filled, so positions stay zero and a strategy never stops at its limits. What a venue really does is in the simulator;
//! here it must only be quick.

use firelane_gateway::base::{Mono, VenueRef};
use firelane_gateway::flow::wire::ouch50::{
    AccountQueryResponse, CancelOrder, CancelReason, EnterOrder, Inbound, MessageType, OrderAccepted, OrderCanceled,
    OrderReplaced, OrderState, ReplaceOrder, Side, TimeInForce, Timestamp, UserRefNum, WireUserRefNum, WireVenueRef,
};
use firelane_gateway::flow::wire::soupbintcp::{Password, Server, ServerConfig, ServerEvent, Sink};
use zerocopy::IntoBytes;

/// The port.
#[derive(Debug)]
pub struct Acceptor {
    server: Server,
    book: Book,
    /// Orders taken.
    pub orders: u64,
}

/// What it knows of orders.
#[derive(Debug)]
struct Book {
    next_token: u32,
    next_order: u64,
    bought: bool,
    sold: bool,
    /// Those that rest: a few.
    rest: Vec<EnterOrder>,
    /// Answers to one request, each behind its length; kept for the next.
    answers: Vec<u8>,
}

/// Bytes on their way to the lane.
#[derive(Debug, Default)]
pub struct Frames(pub Vec<u8>);

impl Sink for Frames {
    fn write(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }
}

impl Acceptor {
    /// For a login with this name and password.
    #[must_use]
    pub fn new(username: [u8; 6], password: Password) -> Self {
        let server = Server::new(ServerConfig::new(username, password, *b"   BENCH01"));
        let (rest, answers) = (Vec::new(), Vec::new());
        Acceptor {
            server,
            book: Book { next_token: 1, next_order: 1, bought: false, sold: false, rest, answers },
            orders: 0,
        }
    }

    /// The lane has connected.
    pub fn on_connected(&mut self, now: Mono) {
        self.server.on_connected(now);
    }

    /// Has it taken orders of both sides?
    #[must_use]
    pub fn took_both_sides(&self) -> bool {
        self.book.bought && self.book.sold
    }

    /// Time has passed: a heartbeat may be due.
    pub fn on_timer(&mut self, now: Mono, to_lane: &mut Frames) {
        self.server.on_timer(now, to_lane);
    }

    /// When to call [`on_timer`](Self::on_timer) next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.server.next_deadline()
    }

    /// Bytes of the lane: whole frames, answered in `to_lane`.
    pub fn on_bytes(&mut self, now: Mono, mut bytes: &[u8], to_lane: &mut Frames) {
        while !bytes.is_empty() {
            let taken = self.server.on_bytes(now, bytes);
            bytes = &bytes[taken..];
            while let Some(event) = self.server.next_event(now, 1, to_lane) {
                if let ServerEvent::Unsequenced(message) = event
                    && let Ok(request) = Inbound::decode(message)
                {
                    self.book.answer(&request, now);
                }
            }
            let mut answers = self.book.answers.as_slice();
            while let Some((&length, rest)) = answers.split_first() {
                let (message, rest) = rest.split_at(length.into());
                answers = rest;
                self.orders += u64::from(message.first() == Some(&b'A'));
                self.server.send_sequenced(now, &[message], to_lane).expect("logged in, and short");
            }
            self.book.answers.clear();
        }
    }
}

/// An Accepted or a Replaced always has an appendage; this one is empty.
const NO_APPENDAGE: &[u8] = &[0, 0];

impl Book {
    fn say(&mut self, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.answers.push(u8::try_from(length).expect("the answers of OUCH are short"));
        parts.iter().for_each(|part| self.answers.extend_from_slice(part));
    }

    fn answer(&mut self, request: &Inbound<'_>, now: Mono) {
        match request {
            Inbound::AccountQuery(..) => {
                let answer = AccountQueryResponse {
                    message_type: MessageType::NEW,
                    timestamp: Timestamp(now.0).into(),
                    next_user_ref_num: UserRefNum(self.next_token).into(),
                };
                self.say(&[answer.as_bytes()]);
            }
            Inbound::EnterOrder(order, _) => self.enter(order, now),
            Inbound::ReplaceOrder(replace, _) => self.replace(replace, now),
            Inbound::CancelOrder(cancel, _) => self.cancel(cancel, now),
            _ => {}
        }
    }

    fn enter(&mut self, order: &EnterOrder, now: Mono) {
        let timestamp = Timestamp(now.0).into();
        let accepted = OrderAccepted {
            message_type: MessageType::NEW,
            timestamp,
            user_ref_num: order.user_ref_num,
            side: order.side,
            quantity: order.quantity,
            symbol: order.symbol,
            price: order.price,
            time_in_force: order.time_in_force,
            display: order.display,
            order_reference: self.next_reference(),
            capacity: order.capacity,
            inter_market_sweep: order.inter_market_sweep,
            cross_type: order.cross_type,
            order_state: OrderState::LIVE,
            cl_ord_id: order.cl_ord_id,
        };
        self.say(&[accepted.as_bytes(), NO_APPENDAGE]);
        self.bought |= order.side == Side::BUY;
        self.sold |= order.side != Side::BUY;
        self.next_token = order.user_ref_num.get().0 + 1;
        if order.time_in_force == TimeInForce::IOC {
            let cancelled = OrderCanceled {
                message_type: MessageType::NEW,
                timestamp,
                user_ref_num: order.user_ref_num,
                quantity: order.quantity,
                reason: CancelReason::IMMEDIATE,
            };
            self.say(&[cancelled.as_bytes()]);
        } else {
            self.rest.push(*order);
        }
    }

    /// OUCH 5.0, "Replace Order Request": the old order is gone, the rest of the new one is the old one's.
    fn replace(&mut self, request: &ReplaceOrder, now: Mono) {
        let Some(old) = self.take(request.orig_user_ref_num) else { return };
        let new = EnterOrder {
            user_ref_num: request.user_ref_num,
            quantity: request.quantity,
            price: request.price,
            time_in_force: request.time_in_force,
            display: request.display,
            inter_market_sweep: request.inter_market_sweep,
            cl_ord_id: request.cl_ord_id,
            ..old
        };
        let replaced = OrderReplaced {
            message_type: MessageType::NEW,
            timestamp: Timestamp(now.0).into(),
            orig_user_ref_num: request.orig_user_ref_num,
            user_ref_num: new.user_ref_num,
            side: new.side,
            quantity: new.quantity,
            symbol: new.symbol,
            price: new.price,
            time_in_force: new.time_in_force,
            display: new.display,
            order_reference: self.next_reference(),
            capacity: new.capacity,
            inter_market_sweep: new.inter_market_sweep,
            cross_type: new.cross_type,
            order_state: OrderState::LIVE,
            cl_ord_id: new.cl_ord_id,
        };
        self.say(&[replaced.as_bytes(), NO_APPENDAGE]);
        self.next_token = new.user_ref_num.get().0 + 1;
        self.rest.push(new);
    }

    /// All of it: nobody here asks for less.
    fn cancel(&mut self, request: &CancelOrder, now: Mono) {
        let Some(old) = self.take(request.user_ref_num) else { return };
        let cancelled = OrderCanceled {
            message_type: MessageType::NEW,
            timestamp: Timestamp(now.0).into(),
            user_ref_num: old.user_ref_num,
            quantity: old.quantity,
            reason: CancelReason::USER,
        };
        self.say(&[cancelled.as_bytes()]);
    }

    /// The one that rests under this token, which does not any more.
    fn take(&mut self, token: WireUserRefNum) -> Option<EnterOrder> {
        let at = self.rest.iter().rposition(|order| order.user_ref_num == token)?;
        Some(self.rest.swap_remove(at))
    }

    fn next_reference(&mut self) -> WireVenueRef {
        self.next_order += 1;
        VenueRef(u64::MAX - self.next_order + 1).into()
    }
}
