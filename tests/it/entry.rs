//! Order entry over OUCH: bytes out, bytes in, and every way in which a session is lost and found again.

mod lost;
mod numbered;
mod rig;

use firelane_gateway::base::{
    AccountId, ClientId, InstrumentId, Mono, Nanos, Price, Qty, Side, StrategyId, Token, VenueId, VenueRef,
};
use firelane_gateway::flow::action::{CancelToken, Enter, Happening, MassCancel, SellMark, Tags, TimeInForce};
use firelane_gateway::flow::entry::{
    Away, Fault, MAX_ACCOUNT, MAX_CLIENT_ID, MAX_STRATEGY, OrderEntry, OuchConfig, OuchEntry, Refused, Stage,
    cl_ord_id, origin_of, report_of,
};
use firelane_gateway::flow::orders::{AnomalyKind, DayEvent, Reason, ReasonClass, Report, Status};
use firelane_gateway::flow::outbox::{Class, Outbox};
use firelane_gateway::flow::risk::{Gate, RiskLimits, ShortSale};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::ouch50::{
    self, AiqCanceled, AiqStrategy, Appendage, AppendageBuilder, AppendageOption, BrokenReason, BrokenTrade,
    CancelPending, CancelReason, CancelReject, CorrectionReason, DisableResponse, Display, EnableResponse, EventCode,
    Inbound, LiquidityFlag, MassCancelResponse, MatchNumber, MessageType, OrderModified, OrderPriorityUpdate,
    OrderRestated, OrderState, Outbound, RejectReason, Rejected, RestatedReason, Timestamp, TradeCorrection,
    UserRefNum, WirePrice, WireQty,
};
use firelane_gateway::flow::wire::soupbintcp::reject;
use rig::{
    HERE, Rig, SECOND, SESSION, SYMBOL, accepted, canceled, config, encode, event, executed, name, next_token,
    order_facts, replaced,
};

// ---- what leaves ---------------------------------------------------------------------------------------------------

#[test]
fn an_enter_leaves_as_these_very_bytes() {
    let mut rig = Rig::ready();
    let tags = Tags { account: AccountId(2), strategy: StrategyId(33), ..Tags::default() };
    let tif = TimeInForce::ImmediateOrCancel;
    rig.enter(Enter { post_only: true, tif, tags, ..Rig::asked(Side::Buy, 1_234_500, 300) }).unwrap();
    rig.settle();
    let (class, bytes) = rig.sent.last().unwrap();
    let mut expected = b"\0\x39UO\0\0\0\x01B\0\0\x01\x2cTEST    \0\0\0\0\0\x12\xd6\x44".to_vec();
    // Id 1; account 2 and strategy 33, in 15 bits each (2 * 32^3 + 33); Firm (6 bytes) and Post Only (3 bytes).
    expected.extend_from_slice(b"3YPNN00000001002011\0\x09\x05\x02LANE\x02\x0cP");
    assert_eq!((*class, bytes.as_slice()), (Class::Order, expected.as_slice()));
}

#[test]
fn the_clients_text_carries_id_account_and_strategy() {
    let tags =
        |account, strategy| Tags { account: AccountId(account), strategy: StrategyId(strategy), ..Tags::default() };
    for (id, account, strategy) in [(0, 0, 0), (1, 2, 33), (MAX_CLIENT_ID, MAX_ACCOUNT, MAX_STRATEGY), (1 << 39, 1, 0)]
    {
        let text = cl_ord_id(ClientId(id), tags(account, strategy)).unwrap();
        assert!(text.iter().all(u8::is_ascii_alphanumeric));
        let origin = origin_of(&text).unwrap();
        assert_eq!((origin.client, origin.tags), (ClientId(id), tags(account, strategy)));
    }
    assert_eq!(&cl_ord_id(ClientId(MAX_CLIENT_ID), tags(0, 1)).unwrap(), b"VVVVVVVV000001");
    assert_eq!(cl_ord_id(ClientId(MAX_CLIENT_ID + 1), tags(0, 0)), None);
    assert_eq!(cl_ord_id(ClientId(0), tags(MAX_ACCOUNT + 1, 0)), None);
    assert_eq!(cl_ord_id(ClientId(0), tags(0, MAX_STRATEGY + 1)), None);
    assert_eq!(origin_of(b"H8FUB8IV      "), None, "a text from a real capture, not ours");
    assert_eq!(origin_of(b"0000000w000000"), None);
}

/// The decoded request that left last.
fn last(rig: &Rig) -> &[u8] {
    &rig.sent.last().unwrap().1[3..]
}

#[test]
fn short_sales_say_so_and_repeat_the_locate_in_a_replace() {
    let mut rig = Rig::new(OuchConfig {
        locate_broker: Some(*b"BRKR"),
        aiq: Some(AiqStrategy::FIRM_DECREMENT),
        firm: None,
        ..config()
    });
    rig.start();
    rig.pass(3 * SECOND);
    let mut limits = RiskLimits::widest();
    (limits.each.short, limits.each.locates) = (ShortSale::Located, Qty(1_000));
    rig.gate = Gate::new(&limits, 2).unwrap();
    let order = rig.enter(Rig::asked(Side::Sell, 100, 10)).unwrap();
    rig.settle();
    let Inbound::EnterOrder(message, appendage) = Inbound::decode(last(&rig)).unwrap() else { panic!() };
    assert_eq!(message.side, ouch50::Side::SELL_SHORT);
    assert_eq!(appendage.bytes(), b"\x02\x19Y\x05\x1aBRKR\x02\x1dD");

    rig.replace(order, 101, 20).unwrap();
    rig.settle();
    let Inbound::ReplaceOrder(message, appendage) = Inbound::decode(last(&rig)).unwrap() else { panic!() };
    // All else is kept by the venue; Shares Located and Locate Broker are not.
    assert_eq!(appendage.bytes(), b"\x02\x19Y\x05\x1aBRKR");
    assert_eq!((message.orig_user_ref_num.get(), message.user_ref_num.get()), (UserRefNum(1), UserRefNum(2)));
    assert_eq!((message.quantity.shares(), message.price.bits(), message.cl_ord_id), (20, 101, name(1)));
}

#[test]
fn a_cancel_leaves_in_the_form_of_the_revision() {
    for (long, length) in [(false, 9), (true, 11)] {
        let mut rig = Rig::new(OuchConfig { appendage_lengths: long, ..config() });
        rig.start();
        rig.pass(3 * SECOND);
        assert_eq!(rig.heard(b'Q')[0].len(), length - 8);
        let order = rig.buy(100, 10);
        rig.settle();
        rig.cancel(order, 4).unwrap();
        rig.settle();
        assert_eq!((rig.sent.last().unwrap().0, last(&rig).len()), (Class::Cancel, length));
        assert_eq!(last(&rig)[..9], *b"X\0\0\0\x01\0\0\0\x04");
    }
}

#[test]
fn a_cancel_names_the_replacement_on_its_way_too() {
    let mut rig = Rig::ready();
    rig.venue.deaf = vec![b'U'];
    let order = rig.buy(100, 10);
    rig.settle();
    rig.replace(order, 101, 10).unwrap();
    rig.cancel(order, 0).unwrap();
    rig.settle();
    assert_eq!(rig.heard(b'X'), [b"X\0\0\0\x01\0\0\0\0", b"X\0\0\0\x02\0\0\0\0"]);
    assert_eq!(rig.orders.get(order).unwrap().status, Status::Cancelled);
}

#[test]
fn a_number_that_the_protocol_cannot_say_does_not_leave() {
    let mut rig = Rig::ready();
    let most = u64::from(u32::MAX);
    for (token, expected) in [(most - 1, Ok(())), (most, Ok(())), (most + 1, Err(Refused::CannotSay))] {
        let before = rig.heard(b'X').len();
        let approved = rig.gate.cancel_token(CancelToken { token: Token(token) }, rig.now);
        assert_eq!(rig.entry.cancel_token(rig.now, approved, &mut rig.out), expected, "{token}");
        rig.settle();
        assert_eq!(rig.heard(b'X').len() - before, usize::from(expected.is_ok()), "{token}");
    }
    assert_eq!(last(&rig), b"X\xFF\xFF\xFF\xFF\0\0\0\0");
}

#[test]
fn a_mass_cancel_names_firm_and_symbol() {
    let mut rig = Rig::ready();
    let send = |rig: &mut Rig, instrument| {
        let approved = rig.gate.mass_cancel(MassCancel { instrument }, rig.now).unwrap();
        let sent = rig.entry.mass_cancel(rig.now, approved, &rig.table, &mut rig.out);
        rig.settle();
        sent
    };
    let first = send(&mut rig, None).unwrap();
    assert_eq!(last(&rig), b"C\0\0\0\x01LANE        \0\0");
    assert_eq!(rig.sent.last().unwrap().0, Class::Cancel);
    assert_eq!(send(&mut rig, Some(HERE)).unwrap().token, Token(first.token.0 + 1));
    assert_eq!(last(&rig), b"C\0\0\0\x02LANETEST    \0\0");
    // One that is not there, and one whose name is longer than the protocol's field.
    for none in [9, 2] {
        assert_eq!(send(&mut rig, Some(InstrumentId(none))), Err(Refused::CannotSay));
    }
    for lacking in [OuchConfig { firm: None, ..config() }, OuchConfig { mass_cancel: false, ..config() }] {
        let mut rig = Rig::new(lacking);
        rig.start();
        rig.pass(3 * SECOND);
        assert_eq!(send(&mut rig, None), Err(Refused::Unsupported));
    }
}

#[test]
fn what_the_protocol_can_not_say_does_not_leave() {
    let mut rig = Rig::ready();
    let buy = |price, qty| Rig::asked(Side::Buy, price, qty);
    let tags = Tags { strategy: StrategyId(MAX_STRATEGY + 1), ..Tags::default() };
    let refused = [
        buy(1_999_999_901, 1),
        buy(100, 1_000_000),
        Enter { tags, ..buy(100, 1) },
        Enter { instrument: InstrumentId(1), ..buy(100, 1) },
        Enter { instrument: InstrumentId(2), ..buy(100, 1) },
    ];
    let before = rig.sent.len();
    for enter in refused {
        assert_eq!(rig.enter(enter), Err(Refused::CannotSay), "{enter:?}");
    }
    assert_eq!((rig.entry.next_token(), rig.sent.len()), (1, before), "no token was used");
    let order = rig.enter(buy(1_999_999_900, 999_999)).unwrap();
    rig.settle();
    assert_eq!(rig.replace(order, 100, 1_000_000), Err(Refused::CannotSay));
    assert_eq!(rig.entry.next_token(), 2);
}

#[test]
fn a_request_in_the_wrong_state_does_not_leave() {
    let mut rig = Rig::ready();
    rig.venue.answers = false;
    let order = rig.buy(100, 10);
    rig.settle();
    assert_eq!(rig.replace(order, 101, 10), Err(Refused::WrongState), "not accepted yet");
    rig.say(encode(Outbound::OrderAccepted(&accepted(1, ouch50::Side::BUY, 10, 100, name(1)), Appendage::EMPTY)));
    let other = rig.buy(100, 10);
    let (known, now) = (*rig.orders.get(other).unwrap(), rig.now);
    let cancel = firelane_gateway::flow::action::Cancel { order, keep: Qty(0) };
    let approved = rig.gate.cancel(cancel, &order_facts(&known), now).unwrap();
    assert_eq!(rig.entry.cancel(now, approved, &known, &mut rig.out), Err(Refused::WrongState), "another order's");
    rig.say(canceled(1, 10));
    let dead = *rig.orders.get(order).unwrap();
    let approved = rig.gate.cancel(cancel, &order_facts(&known), now).unwrap();
    assert_eq!(rig.entry.cancel(now, approved, &dead, &mut rig.out), Err(Refused::WrongState), "finished");
}

#[test]
fn without_room_nothing_leaves_in_part() {
    let mut rig = Rig::ready();
    let order = rig.buy(100, 10);
    rig.settle();
    let frame = [0; 32];
    while rig.out.fits_message() {
        rig.out.tape(&[&frame]);
    }
    let token = rig.entry.next_token();
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 100, 10)), Err(Refused::NoRoom));
    assert_eq!(rig.cancel(order, 0), Err(Refused::NoRoom));
    assert_eq!((rig.entry.next_token(), rig.out.overflowed()), (token, 0));
}

#[test]
fn tokens_rise_and_run_out() {
    let mut rig = Rig::ready();
    rig.buy(100, 10);
    rig.buy(100, 10);
    rig.settle();
    // The venue's word on another request lifts them over what it names; nothing lowers them.
    rig.say(next_token(1));
    let reject = |token: u32| {
        let message = Rejected {
            message_type: MessageType::NEW,
            timestamp: Timestamp(1).into(),
            user_ref_num: UserRefNum(token).into(),
            reason: RejectReason::OTHER.into(),
            cl_ord_id: name(9),
        };
        encode(Outbound::Rejected(&message, Appendage::NONE))
    };
    assert_eq!(rig.entry.next_token(), 3);
    rig.say(reject(u32::MAX - 1));
    rig.buy(100, 10);
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 100, 10)), Err(Refused::OutOfTokens));
}

#[test]
fn frames_that_the_kill_switch_dropped_are_told_as_never_lived() {
    let mut rig = Rig::ready();
    let resting = rig.buy(100, 10);
    rig.settle();
    let lost = rig.buy(100, 20);
    rig.replace(resting, 101, 90).unwrap();
    rig.cancel(resting, 0).unwrap();
    let frames: Vec<u8> = rig
        .out
        .outputs()
        .flat_map(|o| match o {
            firelane_gateway::flow::outbox::Output::Send { bytes, .. } => bytes.to_vec(),
            other => panic!("{other:?}"),
        })
        .collect();
    rig.out.clear();
    let mut rest = frames.as_slice();
    let reports: Vec<_> = std::iter::from_fn(|| rig.entry.dropped(&mut rest)).collect();
    let dropped = |token| Report::Rejected { token, reason: Reason::NO_ANSWER };
    assert_eq!((reports.as_slice(), rest), ([dropped(Token(2)), dropped(Token(3))].as_slice(), [].as_slice()));
    for report in &reports {
        rig.orders.report(VenueId(0), report).unwrap();
    }
    assert_eq!(rig.orders.get(lost).unwrap().status, Status::Rejected);
    assert_eq!(rig.orders.get(resting).unwrap().exposure().qty, Qty(10));
}

#[test]
fn configuration_out_of_range_is_named() {
    let bad = [
        (OuchConfig { firm: Some(*b"lane"), ..config() }, "orders.firm"),
        (OuchConfig { locate_broker: Some(*b"B KR"), ..config() }, "orders.locate_broker"),
        (OuchConfig { capacity: ouch50::Capacity(b'x'), ..config() }, "orders.capacity_code"),
        (OuchConfig { display: Display::CONFORMANT, ..config() }, "orders.display"),
        (OuchConfig { query_timeout: Nanos(0), ..config() }, "orders.query_timeout"),
    ];
    for (config, field) in bad {
        assert_eq!(OuchEntry::new(config).unwrap_err().field, field);
    }
}

// ---- what comes ----------------------------------------------------------------------------------------------------

#[test]
fn every_message_of_the_venue_acts_on_its_order() {
    let mut rig = Rig::ready();
    rig.venue.answers = false;
    let (timestamp, urn) = (Timestamp(1).into(), |token| UserRefNum(token).into());
    let none = Appendage::NONE;
    let order = rig.buy(100, 500);
    rig.settle();
    let id = |change: firelane_gateway::flow::action::Change| {
        assert_eq!(change.order, order);
        (change.what, change.after.qty.0)
    };

    let a = accepted(1, ouch50::Side::BUY, 500, 100, name(1));
    assert_eq!(id(rig.told(encode(Outbound::OrderAccepted(&a, Appendage::EMPTY)))), (Happening::Accepted, 500));
    assert_eq!(id(rig.told(executed(1, 50, 99, 7))), (Happening::Filled, 450));
    let change = rig.told(canceled(1, 20));
    assert_eq!(
        (id(change), change.reason),
        ((Happening::Reduced, 430), Reason::new(ReasonClass::ByRequest, u32::from(b'U')))
    );

    let aiq = AiqCanceled {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(1),
        decrement: WireQty::from_shares(30),
        reason: CancelReason::SELF_MATCH,
        prevented: WireQty::from_shares(70),
        price: WirePrice::from_bits(100),
        liquidity: LiquidityFlag::ADDED,
    };
    // Of every length that a revision has: 31, 32, 34.
    for (strategy, appendage) in
        [(None, none), (Some(AiqStrategy::FIRM_DECREMENT), none), (Some(AiqStrategy::FIRM_DECREMENT), Appendage::EMPTY)]
    {
        let open = rig.orders.get(order).unwrap().open.0;
        let change = rig.told(encode(Outbound::AiqCanceled(&aiq, strategy, appendage)));
        assert_eq!(
            (id(change), change.reason),
            ((Happening::Reduced, open - 30), Reason::new(ReasonClass::SelfMatch, u32::from(b'Q')))
        );
    }
    assert_eq!(rig.orders.get(order).unwrap().decremented, Qty(90));

    let broken = BrokenTrade {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(1),
        match_number: MatchNumber(7).into(),
        reason: BrokenReason::ERRONEOUS,
        cl_ord_id: name(1),
    };
    let correction = TradeCorrection {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(1),
        quantity: WireQty::from_shares(50),
        price: WirePrice::from_bits(98),
        liquidity: LiquidityFlag::ADDED,
        match_number: MatchNumber(7).into(),
        reason: CorrectionReason::NAV,
        cl_ord_id: name(1),
    };
    let change = rig.told(encode(Outbound::TradeCorrection(&correction)));
    assert_eq!((change.what, change.fill.unwrap().price), (Happening::TradeCorrected, Price(98)));
    let change = rig.told(encode(Outbound::BrokenTrade(&broken, none)));
    assert_eq!((change.what, change.reversed.unwrap().price), (Happening::TradeBroken, Price(98)));

    let update = OrderPriorityUpdate {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(1),
        price: WirePrice::from_bits(99),
        display: Display::CONFORMANT,
        order_reference: VenueRef(5_000).into(),
    };
    let change = rig.told(encode(Outbound::OrderPriorityUpdate(&update, none)));
    assert_eq!((change.what, change.joined), (Happening::Revised, Some(VenueRef(5_000))));

    let mut tags = AppendageBuilder::<32>::new();
    tags.push(AppendageOption::SecondaryOrdRefNum(VenueRef(6_000))).unwrap();
    tags.push(AppendageOption::DisplayQuantity(100)).unwrap();
    tags.push(AppendageOption::DisplayPrice(99)).unwrap();
    let restated = OrderRestated {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(1),
        reason: RestatedReason::DISPLAY_REFRESH,
    };
    let change = rig.told(encode(Outbound::OrderRestated(&restated, tags.appendage())));
    assert_eq!((change.what, change.joined), (Happening::Revised, Some(VenueRef(6_000))));
    let expected = Report::Restated {
        token: Token(1),
        reason: Reason::new(ReasonClass::Refreshed, u32::from(b'R')),
        displayed: Some(VenueRef(6_000)),
        qty: Some(Qty(100)),
        price: Some(Price(99)),
    };
    assert_eq!(*rig.reports.last().unwrap(), expected);

    let modified = OrderModified {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(1),
        side: ouch50::Side::BUY,
        quantity: WireQty::from_shares(300),
    };
    assert_eq!(id(rig.told(encode(Outbound::OrderModified(&modified, none)))), (Happening::Reduced, 300));

    rig.cancel(order, 100).unwrap();
    let refused = CancelReject { message_type: MessageType::NEW, timestamp, user_ref_num: urn(1) };
    assert_eq!(id(rig.told(encode(Outbound::CancelReject(&refused, none)))), (Happening::RequestRefused, 300));
    let pending = CancelPending { message_type: MessageType::NEW, timestamp, user_ref_num: urn(1) };
    assert_eq!(id(rig.told(encode(Outbound::CancelPending(&pending, none)))), (Happening::CancelPending, 300));

    // A replace, refused, then one that is taken; a late cross order can't be replaced while it waits for its cancel.
    let second = rig.buy(100, 500);
    rig.settle();
    let a = accepted(2, ouch50::Side::BUY, 500, 100, name(2));
    rig.told(encode(Outbound::OrderAccepted(&a, Appendage::EMPTY)));
    rig.replace(second, 101, 500).unwrap();
    let rejected = Rejected {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(3),
        reason: RejectReason::REPLACE_NOT_ALLOWED.into(),
        cl_ord_id: name(2),
    };
    let change = rig.told(encode(Outbound::Rejected(&rejected, none)));
    assert_eq!(
        (change.what, change.reason, change.order),
        (Happening::RequestRefused, Reason::new(ReasonClass::NotAllowed, 0x15), second)
    );
    rig.replace(second, 101, 400).unwrap();
    let u = replaced(2, accepted(4, ouch50::Side::BUY, 400, 101, name(2)));
    let change = rig.told(encode(Outbound::OrderReplaced(&u, Appendage::EMPTY)));
    assert_eq!((change.what, change.after.qty, change.order), (Happening::Replaced, Qty(400), second));
    let dead = accepted(5, ouch50::Side::SELL_SHORT, 10, 100, name(3));
    let third = rig.enter(Rig::asked(Side::Sell, 100, 10)).unwrap();
    let dead = ouch50::OrderAccepted { order_state: OrderState::DEAD, ..dead };
    let change = rig.told(encode(Outbound::OrderAccepted(&dead, Appendage::EMPTY)));
    assert_eq!((change.what, change.order, change.finished), (Happening::Cancelled, third, true));

    // Whether shares were located comes back in tag 25.
    for (tags, located) in [(Appendage::EMPTY, false), (Appendage::new(b"\x02\x19Y").unwrap(), true)] {
        let report = report_of(&encode(Outbound::OrderAccepted(&dead, tags))).unwrap();
        let Report::Accepted(standing) = report else { panic!("{report:?}") };
        assert_eq!(standing.mark, SellMark::Short { located });
    }

    // What is about no order: reported as it is.
    let before = rig.changes.len();
    let x = MassCancelResponse {
        message_type: MessageType::NEW,
        timestamp,
        user_ref_num: urn(6),
        firm: *b"LANE",
        symbol: SYMBOL.0,
    };
    rig.say(encode(Outbound::MassCancelResponse(&x, Appendage::EMPTY)));
    assert_eq!(*rig.reports.last().unwrap(), Report::MassCancelled { token: Token(6), name: Some(SYMBOL.into()) });
    rig.say(event(EventCode::START_OF_DAY));
    assert_eq!(*rig.reports.last().unwrap(), Report::Day(DayEvent::Begins));
    rig.say(next_token(9));
    assert_eq!(rig.changes.len(), before);
}

/// A silence that was noticed and not yet told of: the session writes nothing any more, and no token is lost.
#[test]
fn nothing_leaves_on_a_session_that_has_just_been_given_up() {
    let mut rig = Rig::ready();
    let order = rig.buy(100, 10);
    rig.settle();
    let token = rig.entry.next_token();
    rig.now = Mono(rig.now.0 + 60 * SECOND);
    rig.entry.on_timer(rig.now, &mut rig.out);
    rig.out.clear();
    assert!(rig.entry.ready(), "nobody has asked for what happened");
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 1, 1)), Err(Refused::NotReady));
    assert_eq!(rig.replace(order, 101, 10), Err(Refused::NotReady));
    assert_eq!((rig.entry.next_token(), rig.out.is_empty()), (token, true));
}

#[test]
fn order_entry_that_the_venue_disables_takes_cancels_only() {
    let mut rig = Rig::ready();
    let order = rig.buy(100, 10);
    rig.settle();
    let (timestamp, user_ref_num, firm) = (Timestamp(1).into(), UserRefNum(2).into(), *b"LANE");
    let off = DisableResponse { message_type: MessageType::NEW, timestamp, user_ref_num, firm };
    let on = EnableResponse { message_type: MessageType::NEW, timestamp, user_ref_num, firm };
    rig.say(encode(Outbound::DisableResponse(&off, Appendage::EMPTY)));
    assert_eq!(*rig.reports.last().unwrap(), Report::EntryDisabled { token: Token(2) });
    assert_eq!((rig.entry.ready(), rig.enter(Rig::asked(Side::Buy, 1, 1))), (false, Err(Refused::NotReady)));
    assert_eq!(rig.replace(order, 101, 10), Err(Refused::NotReady));
    assert!(rig.cancel(order, 0).is_ok());
    rig.say(encode(Outbound::EnableResponse(&on, Appendage::EMPTY)));
    assert!(rig.entry.ready());
    // After the end of the day breaks and cancels may follow, orders may not.
    rig.say(event(EventCode::END_OF_DAY));
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 1, 1)), Err(Refused::NotReady));
}

#[test]
fn what_is_no_message_is_counted_and_the_next_one_is_read() {
    let mut rig = Rig::ready();
    let order = rig.buy(100, 10);
    rig.settle();
    rig.say(b"?what".to_vec());
    rig.say(executed(1, 5, 100, 1)[..20].to_vec());
    rig.say(Vec::new());
    let no_side = accepted(9, ouch50::Side(b'?'), 1, 1, name(9));
    rig.say(encode(Outbound::OrderAccepted(&no_side, Appendage::EMPTY)));
    rig.say(executed(1, 5, u64::MAX, 1));
    rig.say(executed(1, 4, 100, 2));
    let counters = rig.entry.counters();
    assert_eq!((counters.unknown_types, counters.malformed, counters.empty), (1, 3, 1));
    let unreadable = rig.reports.iter().filter_map(|report| match report {
        Report::Unreadable(what) => Some((what.why, what.code, what.length)),
        _ => None,
    });
    let expected = [
        (AnomalyKind::UnknownType, u32::from(b'?'), 5),
        (AnomalyKind::Malformed, u32::from(b'E'), 20),
        (AnomalyKind::Empty, 0, 0),
        (AnomalyKind::Malformed, u32::from(b'A'), 64),
        (AnomalyKind::Malformed, u32::from(b'E'), 36),
    ];
    assert_eq!(unreadable.collect::<Vec<_>>(), expected);
    assert_eq!((rig.orders.get(order).unwrap().open, rig.entry.stage()), (Qty(6), Stage::Ready));
}

#[test]
fn a_million_mutated_sessions_leave_the_orders_whole() {
    let mut rig = Rig::ready();
    yesterday(&mut rig);
    lost::busy_minute(&mut rig);
    let frame = |message: &Vec<u8>| {
        let length = u16::try_from(message.len() + 1).unwrap().to_be_bytes();
        [length.as_slice(), b"S", message].concat()
    };
    let said: Vec<_> = rig.venue.said.iter().map(frame).collect();
    let mut samples: Vec<_> = said.chunks(4).map(<[_]>::concat).collect();
    samples.push(b"\0\x01H".to_vec());
    samples.push([b"\0\x01H".as_slice(), &frame(&next_token(9)), b"\0\x01Z"].concat());
    crate::mutations::million(71, &samples, crate::targets_orders::order_session);
}

// ---- coming up -----------------------------------------------------------------------------------------------------

/// What an earlier run has left at the venue: two orders of ours alive, fills, and answers to its own queries.
fn yesterday(rig: &mut Rig) {
    let tags = Tags { account: AccountId(7), strategy: StrategyId(3), ..Tags::default() };
    let named = |id| cl_ord_id(ClientId(id), tags).unwrap();
    let a = |token, side, qty, price, id| {
        encode(Outbound::OrderAccepted(&accepted(token, side, qty, price, named(id)), Appendage::EMPTY))
    };
    let u = replaced(4, accepted(5, ouch50::Side::SELL_SHORT, 40, 103, named(12)));
    for message in [
        event(EventCode::START_OF_DAY),
        next_token(1),
        a(1, ouch50::Side::BUY, 100, 100, 10),
        executed(1, 30, 100, 1),
        next_token(2),
        a(3, ouch50::Side::BUY, 50, 99, 11),
        canceled(3, 50),
        a(4, ouch50::Side::SELL_SHORT, 60, 102, 12),
        executed(4, 20, 102, 2),
        encode(Outbound::OrderReplaced(&u, Appendage::EMPTY)),
        next_token(4),
    ] {
        rig.venue.say(rig.now, message);
    }
    rig.venue.last = 7;
    rig.venue.open = [(1, 70), (5, 40)].into();
}

#[test]
fn a_restart_takes_everything_from_the_replay_cancels_all_and_then_trades() {
    let mut rig = Rig::new(config());
    yesterday(&mut rig);
    rig.start();
    assert_eq!(rig.entry.stage(), Stage::Replaying);
    assert_eq!(rig.position(), 30 - 20);
    assert_eq!(rig.orders.live_count(), 2);
    let known = rig.orders.get(ClientId(12)).unwrap();
    assert_eq!((known.token, known.open, known.executed), (Token(5), Qty(40), Qty(20)));
    assert_eq!((known.tags.account, known.mark), (AccountId(7), SellMark::Short { located: false }));
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 100, 1)), Err(Refused::NotReady));

    // Old answers prove nothing: three were in the replay, and the question has not been asked.
    assert_eq!((rig.entry.counters().stale_answers, rig.heard(b'Q').len()), (3, 0));
    assert!(!rig.reports.iter().any(|r| matches!(r, Report::Settled { .. })));

    // The server's heartbeat says that nothing is left to replay. Then the question, the sweep, and trading.
    rig.sweeps = false;
    rig.pass(SECOND + 2);
    assert_eq!((rig.heard(b'Q').len(), rig.entry.stage()), (1, Stage::Sweeping));
    assert_eq!((rig.entry.next_token(), rig.orders.next_id()), (8, ClientId(13)));
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 100, 1)), Err(Refused::NotReady));
    rig.sweeps = true;
    rig.settle();
    assert_eq!(rig.heard(b'X'), [b"X\0\0\0\x01\0\0\0\0", b"X\0\0\0\x05\0\0\0\0"]);
    assert_eq!((rig.entry.stage(), rig.orders.live_count(), rig.venue.open.len()), (Stage::Ready, 0, 0));
    assert!(rig.entry.ready());
    rig.buy(100, 5);
    rig.settle();
    assert_eq!((rig.venue.open.get(&8), rig.position()), (Some(&5), 10));
}

#[test]
fn cancels_may_leave_as_soon_as_the_session_is_up() {
    let mut rig = Rig::new(config());
    yesterday(&mut rig);
    rig.start();
    assert_eq!(rig.entry.stage(), Stage::Replaying);
    rig.cancel(ClientId(10), 0).unwrap();
    rig.settle();
    assert_eq!((rig.orders.get(ClientId(10)).unwrap().status, rig.venue.open.len()), (Status::Cancelled, 1));
}

#[test]
fn a_sweep_that_is_not_heard_is_repeated() {
    let mut rig = Rig::new(config());
    yesterday(&mut rig);
    rig.venue.deaf = vec![b'X'];
    rig.start();
    rig.pass(4 * SECOND);
    assert_eq!(rig.entry.stage(), Stage::Sweeping);
    rig.venue.deaf.clear();
    rig.pass(2 * SECOND);
    assert_eq!((rig.entry.stage(), rig.orders.live_count(), rig.venue.connections), (Stage::Ready, 0, 1));
}

#[test]
fn the_replay_may_come_a_byte_at_a_time_or_all_at_once() {
    let digests = [1, 7, usize::MAX].map(|chunk| {
        let mut rig = Rig::new(config());
        rig.chunk = chunk;
        yesterday(&mut rig);
        rig.start();
        rig.pass(3 * SECOND);
        assert_eq!(rig.entry.stage(), Stage::Ready);
        rig.digest()
    });
    assert!(digests[0] == digests[1] && digests[1] == digests[2]);
}

#[test]
fn a_replay_larger_than_the_buffer_is_taken_in_parts() {
    let mut small = config();
    small.login.capacity = 64;
    let mut rig = Rig::new(small);
    for trade in 0..50 {
        rig.venue.say(rig.now, executed(1, 1, 100, trade));
    }
    rig.start();
    rig.pass(3 * SECOND);
    assert_eq!((rig.reports.len(), rig.entry.stage()), (51, Stage::Ready));
}

// ---- the end of a session ------------------------------------------------------------------------------------------

/// A connection whose login is answered with this packet.
fn answered(rig: &mut Rig, packet: &[u8]) {
    rig.now = Mono(rig.now.0 + 1);
    rig.close();
    rig.entry.on_session(rig.now, SessionInput::Connected, &mut rig.out);
    rig.out.clear();
    rig.connected = true;
    rig.bytes(packet);
    rig.settle();
}

fn login_accepted(session: &[u8; 10], sequence: u64) -> Vec<u8> {
    let mut packet = b"\0\x1fA".to_vec();
    packet.extend_from_slice(session);
    packet.extend_from_slice(format!("{sequence:>20}").as_bytes());
    packet
}

#[test]
fn a_session_that_is_over_is_over() {
    let rejected = |reason| vec![0, 2, b'J', reason];
    let cases = [
        (rejected(reject::NOT_AUTHORIZED), Fault::NotAuthorized),
        (rejected(reject::SESSION_NOT_AVAILABLE), Fault::SessionGone),
        (login_accepted(b"     DAY02", 1), Fault::SessionGone),
        (login_accepted(&SESSION, 99), Fault::MessagesLost),
        (b"\0\x01Z".to_vec(), Fault::Ended),
    ];
    for (packet, fault) in cases {
        let mut rig = Rig::ready();
        let order = rig.buy(100, 20);
        rig.settle();
        answered(&mut rig, &packet);
        assert_eq!((rig.entry.fault(), rig.entry.stage()), (Some(fault), Stage::Over), "{fault:?}");
        assert_eq!(rig.entry.away(), Away::Over);
        rig.pass(60 * SECOND);
        assert_eq!((rig.connected, rig.entry.ready()), (false, false), "{fault:?}: no reconnect");
        // Whether it lives at the venue is not known, so it counts.
        assert_eq!(rig.orders.get(order).unwrap().exposure().qty, Qty(20));
        rig.start();
        assert!(!rig.connected && rig.entry.next_deadline() == Mono::NEVER);
    }
}

#[test]
fn reasons_have_numbers_and_one_that_is_silent_at_the_login_is_left() {
    for why in Away::ALL {
        assert_eq!(Away::from_number(*why as u64), Some(*why));
    }
    assert_eq!(Away::from_number(u64::MAX), None);
    let mut rig = Rig::new(config());
    rig.entry.start(rig.now, &mut rig.out);
    rig.out.clear();
    assert_eq!(rig.entry.away(), Away::Opening);
    rig.entry.on_session(rig.now, SessionInput::Connected, &mut rig.out);
    rig.now = Mono(rig.now.0 + 31 * SECOND);
    rig.entry.on_timer(rig.now, &mut rig.out);
    assert!(rig.entry.next_report(rig.now, &mut rig.out).is_none());
    assert_eq!((rig.entry.away(), rig.entry.stage()), (Away::LoginUnanswered, Stage::Connecting));
    rig.entry.on_session(rig.now, SessionInput::Closed, &mut rig.out);
    assert_eq!((rig.entry.away(), rig.entry.stage()), (Away::LoginUnanswered, Stage::Down));
    rig.entry.on_session(rig.now, SessionInput::Connected, &mut rig.out);
    assert_eq!(rig.entry.away(), Away::Opening);
}

#[test]
fn a_venue_that_is_not_open_yet_is_asked_again() {
    let mut rig = Rig::new(config());
    rig.entry.start(rig.now, &mut rig.out);
    rig.out.clear();
    answered(&mut rig, &[0, 2, b'J', reject::SESSION_NOT_AVAILABLE]);
    assert_eq!((rig.entry.fault(), rig.entry.stage()), (None, Stage::Down));
    assert_eq!(rig.entry.away(), Away::LoginRejected);
    // Nor can it be reached at all.
    rig.entry.on_session(rig.now, SessionInput::Closed, &mut rig.out);
    assert_eq!(rig.entry.stage(), Stage::Down);
    rig.pass(4 * SECOND);
    assert_eq!(rig.entry.stage(), Stage::Ready);
}

#[test]
fn a_shutdown_cancels_waits_and_logs_out() {
    let mut rig = Rig::ready();
    let orders = [rig.buy(100, 10), rig.buy(101, 20)];
    rig.settle();
    rig.venue.deaf = vec![b'X'];
    rig.entry.shutdown(rig.now, &mut rig.out);
    rig.settle();
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 1, 1)), Err(Refused::NotReady));
    assert_eq!(rig.entry.stage(), Stage::Sweeping, "their cancels are not answered yet");
    // A connection lost meanwhile is made again, to finish.
    rig.close();
    rig.venue.deaf.clear();
    rig.pass(5 * SECOND);
    assert_eq!((rig.entry.stage(), rig.venue.open.len(), rig.connected), (Stage::Over, 0, false));
    assert_eq!(rig.entry.counters().disconnects, 1, "the end of a session that is over is none");
    assert!(orders.iter().all(|id| rig.orders.get(*id).unwrap().status == Status::Cancelled));
    assert_eq!(rig.sent.last().unwrap(), &(Class::Session, b"\0\x01O".to_vec()));
}

#[test]
fn a_shutdown_with_nothing_alive_logs_out_at_once() {
    let mut rig = Rig::ready();
    rig.entry.shutdown(rig.now, &mut rig.out);
    rig.settle();
    assert_eq!(rig.sent.last().unwrap(), &(Class::Session, b"\0\x01O".to_vec()));
    assert_eq!((rig.entry.stage(), rig.entry.fault(), rig.connected), (Stage::Over, None, false));
    rig.pass(60 * SECOND);
    assert_eq!(rig.venue.connections, 1);
    let mut rig = Rig::new(config());
    rig.entry.shutdown(rig.now, &mut rig.out);
    assert_eq!(rig.entry.stage(), Stage::Over, "never begun");
}

#[test]
fn equal_sessions_have_equal_digests() {
    let run = |price| {
        let mut rig = Rig::ready();
        rig.buy(price, 10);
        rig.settle();
        rig.digest()
    };
    assert_eq!(run(100), run(100));
    assert_ne!(run(100), run(101));
    let mut out = Outbox::new(0);
    let mut entry = OuchEntry::new(config()).unwrap();
    entry.start(Mono(0), &mut out);
    entry.start(Mono(0), &mut out);
    assert_eq!(out.outputs().count(), 1, "one connection is asked for, however often");
}
