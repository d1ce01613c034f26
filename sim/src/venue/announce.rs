//! What the market tells everyone: ITCH 5.0 messages, in the order in which things happened.
//!
//! Layouts are the gateway's (`wire::itch50`); what is said, and when, is decided here and in the engine.

use super::market::CrossKind;
use firelane_gateway::base::{ExchangeTime, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::wire::itch50::{
    AddOrder, AddOrderMpid, BrokenTrade, CrossTrade, Header, OperationalHalt, OrderCancel, OrderDelete, OrderExecuted,
    OrderExecutedWithPrice, OrderReplace, RegShoRestriction, StockDirectory, StockTradingAction, SystemEvent, Trade,
    U32, U64,
};
use zerocopy::IntoBytes;

/// What a displayed order shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its reference.
    pub reference: VenueRef,
    /// Its side.
    pub side: Side,
    /// Its displayed shares.
    pub shares: u32,
    /// Its price.
    pub price: Price,
    /// The name it shows, if any.
    pub attributed: Option<[u8; 4]>,
}

/// An instrument on the tape: the day's locate number and the symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// ITCH stock locate.
    pub locate: u16,
    /// Symbol.
    pub symbol: Symbol,
}

/// Messages made and not yet taken by the publisher.
#[derive(Debug, Default)]
pub struct Tape {
    messages: Vec<Vec<u8>>,
}

/// A Price(4) field. Prices enter the engine through its own check, so none is out of range.
fn price4(price: Price) -> U32 {
    U32::new(u32::try_from(price.0).unwrap_or(u32::MAX))
}

fn letter(side: Side) -> u8 {
    match side {
        Side::Buy => b'B',
        Side::Sell => b'S',
    }
}

impl Line {
    fn header(self, message_type: u8, now: ExchangeTime) -> Header {
        Header::new(message_type, self.locate, now.ns_since_midnight())
    }
}

impl Tape {
    /// Takes what was said since the last call.
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.messages)
    }

    /// Says something as it is.
    pub fn raw(&mut self, message: &[u8]) {
        self.messages.push(message.to_vec());
    }

    /// `S`: the trading day moves on.
    pub fn event(&mut self, now: ExchangeTime, event_code: u8) {
        let header = Header::new(SystemEvent::TYPE, 0, now.ns_since_midnight());
        self.raw(SystemEvent { header, event_code }.as_bytes());
    }

    /// `R`: what the locate number stands for.
    pub fn directory(&mut self, now: ExchangeTime, line: Line, lot: u32, authenticity: u8) {
        self.raw(
            StockDirectory {
                header: line.header(StockDirectory::TYPE, now),
                stock: line.symbol.0,
                market_category: b'Q',
                financial_status: b'N',
                round_lot_size: U32::new(lot),
                round_lots_only: b'N',
                issue_classification: b'C',
                issue_sub_type: *b"Z ",
                authenticity,
                short_sale_threshold: b'N',
                ipo_flag: b'N',
                luld_tier: b'1',
                etp_flag: b'N',
                etp_leverage: U32::new(0),
                inverse: b'N',
            }
            .as_bytes(),
        );
    }

    /// `H`: the trading state.
    pub fn trading_state(&mut self, now: ExchangeTime, line: Line, trading_state: u8, reason: [u8; 4]) {
        let header = line.header(StockTradingAction::TYPE, now);
        let stock = line.symbol.0;
        self.raw(StockTradingAction { header, stock, trading_state, reserved: b' ', reason }.as_bytes());
    }

    /// `Y`: the short-sale price test.
    pub fn reg_sho(&mut self, now: ExchangeTime, line: Line, action: u8) {
        let header = line.header(RegShoRestriction::TYPE, now);
        self.raw(RegShoRestriction { header, stock: line.symbol.0, action }.as_bytes());
    }

    /// `h`: this market's own halt.
    pub fn operational(&mut self, now: ExchangeTime, line: Line, halted: bool) {
        let header = line.header(OperationalHalt::TYPE, now);
        let action = if halted { b'H' } else { b'T' };
        self.raw(OperationalHalt { header, stock: line.symbol.0, market_code: b'Q', action }.as_bytes());
    }

    /// `A` or `F`: a displayed order joins the book.
    pub fn add(&mut self, now: ExchangeTime, line: Line, order: Shown) {
        let order_ref = U64::new(order.reference.0);
        let (side, shares, price) = (letter(order.side), U32::new(order.shares), price4(order.price));
        let stock = line.symbol.0;
        match order.attributed {
            None => {
                let header = line.header(AddOrder::TYPE, now);
                self.raw(AddOrder { header, order_ref, side, shares, stock, price }.as_bytes());
            }
            Some(attribution) => {
                let header = line.header(AddOrderMpid::TYPE, now);
                self.raw(AddOrderMpid { header, order_ref, side, shares, stock, price, attribution }.as_bytes());
            }
        }
    }

    /// `E`: a displayed order trades at its own price.
    pub fn executed(&mut self, now: ExchangeTime, line: Line, order: VenueRef, shares: u32, trade: u64) {
        let header = line.header(OrderExecuted::TYPE, now);
        let (order_ref, shares, match_number) = (U64::new(order.0), U32::new(shares), U64::new(trade));
        self.raw(OrderExecuted { header, order_ref, shares, match_number }.as_bytes());
    }

    /// `C`, not printable: a displayed order trades in an auction, which prints as a whole.
    pub fn executed_in_cross(
        &mut self,
        now: ExchangeTime,
        line: Line,
        order: VenueRef,
        sold: (u32, Price),
        trade: u64,
    ) {
        self.executed_at(now, line, order, sold, false, trade);
    }

    /// `C`: a displayed order trades at another price than its own, or in an auction, which prints as a whole.
    pub fn executed_at(
        &mut self,
        now: ExchangeTime,
        line: Line,
        order: VenueRef,
        (shares, price): (u32, Price),
        printable: bool,
        trade: u64,
    ) {
        self.raw(
            OrderExecutedWithPrice {
                header: line.header(OrderExecutedWithPrice::TYPE, now),
                order_ref: U64::new(order.0),
                shares: U32::new(shares),
                match_number: U64::new(trade),
                printable: if printable { b'Y' } else { b'N' },
                price: price4(price),
            }
            .as_bytes(),
        );
    }

    /// `P`: a hidden order trades. The reference is 0 and the side `B`, always.
    pub fn hidden_trade(&mut self, now: ExchangeTime, line: Line, shares: u32, price: Price, trade: u64) {
        self.raw(
            Trade {
                header: line.header(Trade::TYPE, now),
                order_ref: U64::new(0),
                side: b'B',
                shares: U32::new(shares),
                stock: line.symbol.0,
                price: price4(price),
                match_number: U64::new(trade),
            }
            .as_bytes(),
        );
    }

    /// `Q`: an auction's print. Shares and price are 0 when nothing crossed.
    pub fn cross(&mut self, now: ExchangeTime, line: Line, kind: CrossKind, (shares, price): (u64, Price), trade: u64) {
        self.raw(
            CrossTrade {
                header: line.header(CrossTrade::TYPE, now),
                shares: U64::new(shares),
                stock: line.symbol.0,
                price: price4(price),
                match_number: U64::new(trade),
                cross_type: kind as u8,
            }
            .as_bytes(),
        );
    }

    /// `X`: a displayed order shrinks.
    pub fn reduced(&mut self, now: ExchangeTime, line: Line, order: VenueRef, shares: u32) {
        let header = line.header(OrderCancel::TYPE, now);
        self.raw(OrderCancel { header, order_ref: U64::new(order.0), shares: U32::new(shares) }.as_bytes());
    }

    /// `D`: a displayed order leaves.
    pub fn deleted(&mut self, now: ExchangeTime, line: Line, order: VenueRef) {
        let header = line.header(OrderDelete::TYPE, now);
        self.raw(OrderDelete { header, order_ref: U64::new(order.0) }.as_bytes());
    }

    /// `U`: a displayed order takes the place of another, with its side and name.
    pub fn replaced(&mut self, now: ExchangeTime, line: Line, original: VenueRef, new: Shown) {
        self.raw(
            OrderReplace {
                header: line.header(OrderReplace::TYPE, now),
                original_ref: U64::new(original.0),
                new_ref: U64::new(new.reference.0),
                shares: U32::new(new.shares),
                price: price4(new.price),
            }
            .as_bytes(),
        );
    }

    /// `B`: a trade is broken.
    pub fn broken(&mut self, now: ExchangeTime, line: Line, trade: u64) {
        let header = line.header(BrokenTrade::TYPE, now);
        self.raw(BrokenTrade { header, match_number: U64::new(trade) }.as_bytes());
    }
}
