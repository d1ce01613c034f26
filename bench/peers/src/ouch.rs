//! The messages of `ouch_model`, framed with its SoupBinTCP: as published, and with the one field mended that is wrong.

use byteserde::prelude::*;
use byteserde_derive::{ByteDeserializeSlice, ByteSerializeStack, ByteSerializedLenOf, ByteSerializedSizeOf};
use byteserde_types::string_ascii_fixed;
use firelane_contest::orders::{Order, Packets};
use firelane_contest::{Contestant, Digest, Pass};
use ouch_model::prelude::*;
use std::hint::black_box;
use std::time::Instant;

/// A packet on the stack, and how long it is.
type Frame = ([u8; CLT_OUCH_MAX_FRAME_SIZE], usize);

/// The orders of the last pass, and what frames them.
pub(crate) struct Ouch<F> {
    orders: Vec<Order>,
    frame: F,
}

pub(crate) fn published() -> Ouch<impl Fn(&Order) -> Frame> {
    Ouch { orders: Vec::new(), frame: as_published }
}

pub(crate) fn mended() -> Ouch<impl Fn(&Order) -> Frame> {
    Ouch { orders: Vec::new(), frame: as_mended }
}

#[inline(always)]
fn options(order: &Order) -> EnterOrderAppendage {
    let short = order.side == b'T';
    EnterOrderAppendage {
        firm: Some(b"FIRE".into()),
        shares_located: short.then(|| SharesLocated::yes().into()),
        ..EnterOrderAppendage::default()
    }
}

#[inline(always)]
fn side(order: &Order) -> Side {
    if order.side == b'T' { Side::sell_short() } else { Side::buy() }
}

/// As its benchmark does: a message, and its bytes on the stack.
#[inline(always)]
fn as_published(order: &Order) -> Frame {
    let mut enter = EnterOrder::new(
        UserRefNumber::new(order.token),
        Quantity::new(order.shares),
        Symbol::from(order.symbol.as_slice()),
        Price::new(order.price),
        TimeInForce::immediate_or_cancel(),
        Display::visible(),
        Capacity::principal(),
        IntMktSweepEligibility::not_eligible(),
        CrossType::continuous_market(),
        CltOrderId::from(order.text.as_slice()),
        options(order),
    );
    enter.side = side(order);
    let message: CltOuchMsg = enter.into();
    to_bytes_stack(&message).unwrap_or(([0; CLT_OUCH_MAX_FRAME_SIZE], 0))
}

string_ascii_fixed!(Symbol8, 8, b' ', false, true, #[derive(ByteSerializeStack, ByteDeserializeSlice, ByteSerializedSizeOf, ByteSerializedLenOf, PartialEq, Clone, Copy)]);

/// Its Enter Order, field for field, but for the symbol.
#[derive(ByteSerializeStack, ByteDeserializeSlice, ByteSerializedLenOf, PartialEq, Clone, Debug)]
#[byteserde(endian = "be")]
struct Mended {
    packet_type: PacketTypeEnterOrder,
    user_ref_number: UserRefNumber,
    side: Side,
    quantity: Quantity,
    symbol: Symbol8,
    price: Price,
    time_in_force: TimeInForce,
    display: Display,
    capacity: Capacity,
    int_mkt_sweep_eligibility: IntMktSweepEligibility,
    cross_type: CrossType,
    clt_order_id: CltOrderId,
    #[byteserde(replace( appendages.byte_len() ))]
    appendage_length: u16,
    #[byteserde(deplete(appendage_length))]
    appendages: EnterOrderAppendage,
}

impl SoupBinTcpPayload<Mended> for Mended {}

#[inline(always)]
fn as_mended(order: &Order) -> Frame {
    let appendages = options(order);
    let enter = Mended {
        packet_type: PacketTypeEnterOrder::default(),
        user_ref_number: UserRefNumber::new(order.token),
        side: side(order),
        quantity: Quantity::new(order.shares),
        symbol: Symbol8::from(order.symbol.as_slice()),
        price: Price::new(order.price),
        time_in_force: TimeInForce::immediate_or_cancel(),
        display: Display::visible(),
        capacity: Capacity::principal(),
        int_mkt_sweep_eligibility: IntMktSweepEligibility::not_eligible(),
        cross_type: CrossType::continuous_market(),
        clt_order_id: CltOrderId::from(order.text.as_slice()),
        appendage_length: appendages.byte_len() as u16,
        appendages,
    };
    to_bytes_stack(&UPayload::new(enter)).unwrap_or(([0; CLT_OUCH_MAX_FRAME_SIZE], 0))
}

impl<F: Fn(&Order) -> Frame> Contestant for Ouch<F> {
    fn clear(&mut self) {}

    fn apply(&mut self, _: &[u8]) -> u64 {
        for order in &self.orders {
            black_box((self.frame)(order));
        }
        self.orders.len() as u64
    }

    fn pass(&mut self, bytes: &[u8], _: usize) -> Pass {
        self.orders = Order::all(bytes);
        let start = Instant::now();
        let messages = self.apply(bytes);
        Pass { messages, ns: u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX) }
    }

    fn digest(&self) -> Digest {
        let mut packets = Packets::default();
        for order in &self.orders {
            let (bytes, length) = (self.frame)(order);
            packets.take(&bytes[..length]);
        }
        Digest { lines: packets.lines(), ..Digest::default() }
    }
}
