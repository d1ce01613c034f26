//! Random streams of order entry, sensible and not, against a model that knows answers and one formula each.

use crate::engine::{FeedBook, displayed};
use crate::harness::{AAPL, FIRM, World, bytes, cancellation, order, replacement, symbol, tail};
use firelane_gateway::base::{Nanos, Price, Side as Way};
use firelane_gateway::flow::wire::ouch50::{
    AccountQuery, AiqStrategy, Appendage, AppendageOption, CrossType, DisableOrderEntry, Display, EnableOrderEntry,
    Inbound, MassCancel, MessageType, ModifyOrder, Outbound, Side, TimeInForce, UserRefNum, WireQty,
};
use firelane_sim::venue::engine::{Phase, TradingState};
use firelane_sim::venue::market::{BreakReason, CrossKind, NewOrder};
use firelane_sim::venue::port::{OrderKey, OrderState};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus as Rng;
use std::collections::{BTreeMap, BTreeSet};

/// What a client can know of an order from its answers alone.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Known {
    open: i64,
    /// Executed and prevented, by the whole chain of replaces.
    executed: i64,
    prevented: i64,
}

/// A client's books, kept from its answers: nothing in it is the venue's.
#[derive(Default)]
struct Model {
    orders: BTreeMap<(u8, u32), Known>,
    trades: BTreeMap<u64, i64>,
    /// The quantity of each replace asked for.
    asked: BTreeMap<(u8, u32), i64>,
    dead: BTreeSet<(u8, u32)>,
    read: usize,
}

impl Model {
    /// Reads what is new; panics where an answer contradicts the ones before.
    fn read(&mut self, heard: &[Vec<u8>]) {
        for message in &heard[self.read..] {
            let message = Outbound::decode(message).expect("the venue speaks OUCH");
            let (_, about) = message.about();
            let key = (message.appendage().user_ref_idx(), about.map_or(0, |urn| urn.0));
            assert!(!self.dead.contains(&key), "{message:?} follows state D");
            match message {
                Outbound::OrderAccepted(m, _) => {
                    let open = m.quantity.get().0;
                    let known = Known { open, ..Known::default() };
                    assert!(self.orders.insert(key, known).is_none(), "accepted twice: {message:?}");
                    self.bury(key, m.order_state.0);
                }
                Outbound::OrderReplaced(m, _) => {
                    let old = (key.0, m.orig_user_ref_num.get().0);
                    let original = self.orders.get_mut(&old).expect("replaces what it knows");
                    assert!(original.open > 0, "replaces what is dead");
                    let known = Known { open: m.quantity.get().0, ..*original };
                    original.open = 0;
                    let liability = known.open + known.executed + known.prevented;
                    assert_eq!(liability, self.asked[&key], "total liability");
                    assert!(liability <= 999_999);
                    assert!(self.orders.insert(key, known).is_none(), "accepted twice: {message:?}");
                    self.bury(key, m.order_state.0);
                }
                Outbound::OrderExecuted(m, _) => {
                    let shares = m.quantity.get().0;
                    let known = self.take(key, shares);
                    known.executed += shares;
                    assert!(known.executed <= 999_999, "a chain executes at most 999,999");
                    self.trades.insert(m.match_number.get().0, shares);
                }
                Outbound::OrderCanceled(m, _) => {
                    let known = self.take(key, m.quantity.get().0);
                    if m.reason.0 == b'Q' {
                        known.prevented += m.quantity.get().0;
                    }
                }
                Outbound::AiqCanceled(m, _, _) => {
                    self.take(key, m.decrement.get().0).prevented += m.decrement.get().0;
                }
                Outbound::OrderModified(m, _) => {
                    let known = self.orders.get_mut(&key).expect("an order");
                    assert!(m.quantity.get().0 <= known.open, "a modify never increases");
                    known.open = m.quantity.get().0;
                }
                Outbound::BrokenTrade(m, _) => {
                    assert!(self.trades.contains_key(&m.match_number.get().0), "B follows its E");
                }
                _ => {}
            }
        }
        self.read = heard.len();
    }

    fn take(&mut self, key: (u8, u32), shares: i64) -> &mut Known {
        let known = self.orders.get_mut(&key).expect("an order");
        known.open -= shares;
        assert!(shares > 0 && known.open >= 0, "{key:?}: more goes than is open");
        known
    }

    fn bury(&mut self, key: (u8, u32), state: u8) {
        if state == b'D' {
            self.orders.get_mut(&key).expect("just put in").open = 0;
            self.dead.insert(key);
        }
    }
}

/// One random request. Most are sensible; the model is told what a replace asks for.
fn request(rng: &mut Rng, next: u32, model: &mut Model) -> Vec<u8> {
    let side = [Side::BUY, Side::SELL, Side::SELL_SHORT, Side::SELL_SHORT_EXEMPT, Side(b'?')]
        [[0, 0, 0, 1, 1, 1, 2, 3, 4][rng.random_range(0..9)]];
    let urn = if rng.random_ratio(9, 10) { next + rng.random_range(0..3) } else { rng.random_range(0..=next) };
    let old = rng.random_range(next.saturating_sub(30)..=next);
    let shares = match rng.random_range(0..20) {
        0 => 0,
        1 => 999_999,
        2 => rng.random_range(900_000..1_100_000),
        _ => rng.random_range(1..600),
    };
    let price = match rng.random_range(0..30) {
        0 => 0,
        1 => u64::from(rng.random::<u32>()),
        2 => 0x7FFF_FFFF,
        _ => 500_000 + 100 * rng.random_range(0..10),
    };
    let mut options = Vec::new();
    let strategies =
        [AiqStrategy::FIRM_DECREMENT, AiqStrategy::FIRM_DECREMENT_QUIETLY, AiqStrategy::FIRM_CANCEL_OLDEST];
    for (chance, option) in [
        (5, AppendageOption::UserRefIdx(rng.random_range(0..3))),
        (6, AppendageOption::PostOnly(b'P')),
        (3, AppendageOption::AiqStrategy(strategies[rng.random_range(0..3)])),
        (8, AppendageOption::GroupId(rng.random_range(0..3))),
        (5, AppendageOption::ExpireTime(rng.random_range(0..5))),
        (60, AppendageOption::MaxFloor(rng.random_range(0..2))),
        (60, AppendageOption::Firm(*b"NONE")),
        (30, AppendageOption::Side(side)),
    ] {
        if rng.random_ratio(1, chance) {
            options.push(option);
        }
    }
    let options = tail(&options);
    let (always, channel) = (options.appendage(), options.appendage().user_ref_idx());
    let optional = if channel == 0 && rng.random() { Appendage::NONE } else { always };
    let time_in_force = [TimeInForce::DAY, TimeInForce::DAY, TimeInForce::IOC, TimeInForce::GTX, TimeInForce::GTT]
        [rng.random_range(0..5)];
    let display = if rng.random_ratio(1, 5) { Display::HIDDEN } else { Display::VISIBLE };
    let user_ref_num = UserRefNum(urn).into();
    match rng.random_range(0..100) {
        0..50 => {
            let mut request = order(urn, side, shares, price);
            (request.time_in_force, request.display) = (time_in_force, display);
            if rng.random_ratio(1, 12) {
                request.cross_type = [CrossType::CLOSE, CrossType::HALT, CrossType::OPEN][rng.random_range(0..3)];
                request.time_in_force = TimeInForce::DAY;
            }
            bytes(Inbound::EnterOrder(&request, always))
        }
        50..70 => {
            let mut request = replacement(old, urn, shares, price);
            (request.time_in_force, request.display) = (time_in_force, display);
            if !model.orders.contains_key(&(channel, urn)) {
                model.asked.insert((channel, urn), i64::from(shares));
            }
            bytes(Inbound::ReplaceOrder(&request, always))
        }
        70..85 => bytes(Inbound::CancelOrder(&cancellation(old, shares % 700), optional)),
        85..90 => {
            let (user_ref_num, quantity) = (UserRefNum(old).into(), WireQty::from_shares(shares));
            let request = ModifyOrder { message_type: MessageType::NEW, user_ref_num, side, quantity };
            bytes(Inbound::ModifyOrder(&request, optional))
        }
        90..92 => {
            let symbol = [*b"        ", *b"AAPL    ", *b"MSFT    "][rng.random_range(0..3)];
            let request = MassCancel { message_type: MessageType::NEW, user_ref_num, firm: FIRM, symbol };
            bytes(Inbound::MassCancel(&request, always))
        }
        92 => {
            let request = DisableOrderEntry { message_type: MessageType::NEW, user_ref_num, firm: FIRM };
            bytes(Inbound::DisableOrderEntry(&request, always))
        }
        93..96 => {
            let request = EnableOrderEntry { message_type: MessageType::NEW, user_ref_num, firm: FIRM };
            bytes(Inbound::EnableOrderEntry(&request, always))
        }
        96 => bytes(Inbound::AccountQuery(&AccountQuery { message_type: MessageType::NEW }, optional)),
        _ => {
            let length = rng.random_range(0..80);
            (0..length).map(|_| rng.random()).collect()
        }
    }
}

/// What else happens at a venue.
fn world(rng: &mut Rng, w: &mut World, model: &Model) {
    let aapl = symbol(AAPL);
    match rng.random_range(0..40) {
        0..30 => {
            let side = if rng.random() { Way::Buy } else { Way::Sell };
            let shares = if rng.random_ratio(1, 20) { 900_000 } else { rng.random_range(1..800) };
            let price = Price(500_000 + 100 * rng.random_range(0..10));
            let hidden = rng.random_ratio(1, 6);
            let _ = w.venue.enter(w.now, NewOrder { hidden, ..NewOrder::limit(aapl, side, shares, price) });
        }
        30 => {
            let state = [TradingState::Halted, TradingState::QuotationOnly, TradingState::Paused];
            let _ = w.venue.set_state(w.now, aapl, state[rng.random_range(0..3)], *b"    ");
        }
        31..34 => {
            let _ = w.venue.set_state(w.now, aapl, TradingState::Trading, *b"    ");
        }
        34 => {
            let _ = w.venue.freeze(aapl, [CrossKind::Halt, CrossKind::Close][rng.random_range(0..2)]);
        }
        35 => {
            let trade = model.trades.keys().nth(rng.random_range(0..=model.trades.len())).copied();
            let _ = w.venue.break_trade(w.now, trade.unwrap_or(1), BreakReason::Consent);
        }
        36 => {
            let any = model.orders.keys().nth(rng.random_range(0..=model.orders.len())).copied().unwrap_or((0, 1));
            let _ = w.venue.reprioritise(w.now, 0, OrderKey { channel: any.0, urn: any.1 });
        }
        37 => w.pass(Nanos(rng.random_range(0..3_000_000_000)), true),
        38 => {
            let _ = w.venue.set_reg_sho(w.now, aapl, [b'0', b'1'][rng.random_range(0..2)]);
        }
        _ => {
            w.cut(0);
            w.login(0);
        }
    }
    w.settle();
}

/// The venue's record of every order is the model's, and its fills are what the client was told.
fn agree(w: &World, model: &Model, seed: u64) {
    let port = w.venue.port(0).expect("a port");
    assert_eq!(port.orders().len(), model.orders.len(), "seed {seed}");
    for (key, record) in port.orders() {
        let known = model.orders[&(key.channel, key.urn)];
        assert_eq!(i64::from(record.open), known.open, "seed {seed}: {key:?}");
        assert_eq!(i64::from(record.spent().executed), known.executed, "seed {seed}: {key:?}");
        assert_eq!(i64::from(record.spent().prevented), known.prevented, "seed {seed}: {key:?}");
        assert_eq!(record.state == OrderState::Live, known.open > 0, "seed {seed}: {key:?}");
        let in_market = w.venue.engine().order(record.reference).map_or(0, |order| order.open);
        assert_eq!(in_market, record.open, "seed {seed}: {key:?} in the engine");
    }
}

#[test]
fn random_order_entry_keeps_every_account_straight() {
    let (mut accepted, mut executed, mut replaced) = (0, 0, 0);
    for seed in 0..60 {
        let mut rng = Rng::seed_from_u64(seed);
        let mut w = World::open();
        let mut model = Model::default();
        let mut feed = FeedBook::default();
        model.read(&w.traders[0].heard);
        for _ in 0..400 {
            if rng.random_ratio(1, 3) {
                world(&mut rng, &mut w, &model);
                model.read(&w.traders[0].heard);
            }
            let next = w.venue.port(0).unwrap().next_urn(0);
            let message = request(&mut rng, next, &mut model);
            // What a cancel must leave, by the one formula, if the order is the client's to cancel.
            let expected = match Inbound::decode(&message) {
                Ok(Inbound::CancelOrder(m, tail)) => {
                    let key = (tail.user_ref_idx(), m.user_ref_num.get().0);
                    let record = w.venue.port(0).unwrap().orders().get(&OrderKey { channel: key.0, urn: key.1 });
                    let cross = record.is_some_and(|r| r.terms.cross_type != CrossType::CONTINUOUS);
                    let known = model.orders.get(&key).filter(|_| !cross);
                    known.map(|k| (key, k.open.min((m.quantity.get().0 - k.executed).max(0))))
                }
                _ => None,
            };
            w.send_raw(&message);
            model.read(&w.traders[0].heard);
            if let Some((key, open)) = expected {
                assert_eq!(model.orders[&key].open, open, "seed {seed}: {key:?}");
            }
            // Anything may be repeated: only questions are answered again.
            let asks = matches!(Inbound::decode(&message), Ok(Inbound::AccountQuery(..) | Inbound::ModifyOrder(..)));
            let again = w.send_raw(&message);
            assert!(asks || again.is_empty(), "seed {seed}: {again:?}");
            model.read(&w.traders[0].heard);
            agree(&w, &model, seed);
            w.tape.drain(..).for_each(|message| feed.apply(&message));
            for of in [symbol(AAPL), symbol("MSFT")] {
                assert_eq!(feed.book(of), displayed(w.venue.engine(), of), "seed {seed}");
            }
        }
        for phase in [Phase::After, Phase::Ended] {
            w.set_phase(phase);
        }
        model.read(&w.traders[0].heard);
        agree(&w, &model, seed);
        assert!(model.orders.values().all(|known| known.open == 0), "nothing outlives the day");
        accepted += model.orders.len();
        executed += model.trades.len();
        replaced += model.asked.keys().filter(|key| model.orders.contains_key(key)).count();
    }
    // The streams must reach what they are meant to test.
    assert!(accepted > 3_000 && executed > 1_000 && replaced > 500, "{accepted} {executed} {replaced}");
}

/// Bytes that are no SoupBinTCP at all, and good streams with bytes changed: no panic, and the invariants hold.
#[test]
fn nonsense_on_the_connection_is_survived() {
    for seed in 0..300 {
        let mut rng = Rng::seed_from_u64(seed);
        let mut w = World::open();
        let mut stream = Vec::new();
        let mut model = Model::default();
        for next in 1..30 {
            let message = request(&mut rng, next, &mut model);
            let length = u16::try_from(message.len() + 1).unwrap();
            stream.extend(length.to_be_bytes());
            stream.push(b'U');
            stream.extend(message);
        }
        for _ in 0..rng.random_range(1..8) {
            let at = rng.random_range(0..stream.len());
            stream[at] = rng.random();
        }
        let conn = firelane_sim::venue::acceptor::ConnId(1);
        while !stream.is_empty() {
            let part = rng.random_range(1..=stream.len());
            let part: Vec<u8> = stream.drain(..part).collect();
            w.venue.on_bytes(w.now, conn, &part);
            w.settle();
        }
        w.pass(Nanos::from_secs(20), false);
        assert!(w.venue.port(0).unwrap().orders().values().all(|record| record.open == 0), "cut off and cancelled");
    }
}
