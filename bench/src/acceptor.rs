//! A scripted OUCH port: it lets everyone in, and answers every order at once so that the lane keeps trading.
//!
//! It takes an immediate-or-cancel order and cancels it: nothing is ever filled, so positions stay zero and the
//! strategy never stops at its limits. What a venue really does is in the simulator; here it must only be quick.

use firelane_gateway::base::{Mono, VenueRef};
use firelane_gateway::flow::wire::ouch50::{
    AccountQueryResponse, CancelReason, Inbound, MessageType, OrderAccepted, OrderCanceled, OrderState, Timestamp,
    UserRefNum,
};
use firelane_gateway::flow::wire::soupbintcp::{Password, Server, ServerConfig, ServerEvent, Sink};
use zerocopy::IntoBytes;

/// The port.
#[derive(Debug)]
pub struct Acceptor {
    server: Server,
    next_token: u32,
    next_order: u64,
    /// Orders taken.
    pub orders: u64,
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
        Acceptor { server, next_token: 1, next_order: 1, orders: 0 }
    }

    /// The lane has connected.
    pub fn on_connected(&mut self, now: Mono) {
        self.server.on_connected(now);
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
            let mut answers: Vec<Vec<u8>> = Vec::new();
            while let Some(event) = self.server.next_event(now, 1, to_lane) {
                if let ServerEvent::Unsequenced(message) = event
                    && let Ok(request) = Inbound::decode(message)
                {
                    answer(&request, now, &mut self.next_token, &mut self.next_order, &mut answers);
                }
            }
            for message in answers {
                self.orders += u64::from(message.first() == Some(&b'A'));
                self.server.send_sequenced(now, &[&message], to_lane).expect("logged in, and short");
            }
        }
    }
}

fn answer(request: &Inbound<'_>, now: Mono, next_token: &mut u32, next_order: &mut u64, answers: &mut Vec<Vec<u8>>) {
    let timestamp = Timestamp(now.0).into();
    match request {
        Inbound::AccountQuery(..) => answers.push(
            AccountQueryResponse {
                message_type: MessageType::NEW,
                timestamp,
                next_user_ref_num: UserRefNum(*next_token).into(),
            }
            .as_bytes()
            .to_vec(),
        ),
        Inbound::EnterOrder(order, _) => {
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
                order_reference: VenueRef(u64::MAX - *next_order).into(),
                capacity: order.capacity,
                inter_market_sweep: order.inter_market_sweep,
                cross_type: order.cross_type,
                order_state: OrderState::LIVE,
                cl_ord_id: order.cl_ord_id,
            };
            let cancelled = OrderCanceled {
                message_type: MessageType::NEW,
                timestamp,
                user_ref_num: order.user_ref_num,
                quantity: order.quantity,
                reason: CancelReason::IMMEDIATE,
            };
            // An Accepted always has an appendage; this one is empty.
            answers.push([accepted.as_bytes(), &[0, 0]].concat());
            answers.push(cancelled.as_bytes().to_vec());
            *next_token = order.user_ref_num.get().0 + 1;
            *next_order += 1;
        }
        _ => {}
    }
}
