//! What the venue is asked and what it answers, as literal bytes written from OUCH 5.0: no codec of ours between. Each
//! field has another value, each number another one in every byte.

use crate::harness::*;
use firelane_gateway::base::{Mono, Price, Side as Way, VenueRef};
use firelane_gateway::flow::wire::ouch50::{AppendageOption, RestatedReason};
use firelane_sim::venue::engine::Phase;
use firelane_sim::venue::market::{BreakReason, CrossKind, NewOrder};
use firelane_sim::venue::port::OrderKey;

/// 9:31:06.24..., in ns since midnight.
const AT: &[u8; 8] = b"\x00\x00\x1f\x2a\x3b\x4c\x5d\x6e";
/// Fifty dollars.
const PRICE: &[u8; 8] = b"\x00\x00\x00\x00\x00\x07\xa1\x20";

/// A world at that time.
fn world() -> World {
    let mut w = World::open();
    w.now = Mono(0x0000_1f2a_3b4c_5d6e - 34_200_000_000_000);
    w
}

/// What the trader is told in answer to this.
fn told(w: &mut World, message: &[u8]) -> Vec<Vec<u8>> {
    let before = w.traders[w.me].heard.len();
    w.send_raw(message);
    w.traders[w.me].heard[before..].to_vec()
}

/// What it was told since it last read anything.
fn news(w: &mut World) -> Vec<Vec<u8>> {
    w.settle();
    w.heard_raw()
}

#[track_caller]
fn is(told: &[Vec<u8>], expected: &[Vec<u8>]) {
    let text = |messages: &[Vec<u8>]| messages.iter().map(|m| m.escape_ascii().to_string()).collect::<Vec<_>>();
    assert_eq!(text(told), text(expected));
}

/// An Enter Order for AAPL at fifty dollars: number, side, shares, then time in force, display, capacity, sweep and cross,
/// and options.
fn enter(urn: u8, side: u8, shares: u16, letters: &[u8; 5], options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'O', 0, 0, 0, urn, side, 0, 0];
    bytes.extend(shares.to_be_bytes());
    bytes.extend(b"AAPL    ");
    bytes.extend(PRICE);
    bytes.extend(letters);
    bytes.extend(b"a text        ");
    bytes.extend([0, options.len() as u8]);
    bytes.extend(options);
    bytes
}

/// The venue's number of an order.
fn reference(w: &World, urn: u32) -> [u8; 8] {
    w.record(urn).reference.0.to_be_bytes()
}

#[test]
fn accepted() {
    let mut w = world();
    // Every letter another than the usual one; Group ID 0x0102 and Post Only.
    let answer = told(
        &mut w,
        b"O\x01\x02\x03\x04T\x00\x00\x02\x01AAPL    \x00\x00\x00\x00\x00\x07\xa1\x206AAYNa text        \
        \x00\x16\x05\x02FIRE\x05\x0f\x00\x00\x0e\x10\x03\x18\x01\x02\x02\x0cP\x02\x1cZ",
    );
    let venue_ref = w.venue.port(0).unwrap().orders()[&OrderKey { channel: b'Z', urn: 0x0102_0304 }].reference;
    let mut expected = [b"A", &AT[..], b"\x01\x02\x03\x04T\x00\x00\x02\x01AAPL    ", PRICE, b"6A"].concat();
    expected.extend(venue_ref.0.to_be_bytes());
    // Capacity, sweep, cross, live, the text; Firm, Post Only, lifetime, group and channel.
    expected
        .extend(b"AYNLa text        \x00\x16\x05\x02FIRE\x02\x0cP\x05\x0f\x00\x00\x0e\x10\x03\x18\x01\x02\x02\x1cZ");
    is(&answer, &[expected]);
    assert!(venue_ref > VenueRef(0));
}

/// 0x0201 shares, 0x0102 of them bought; a replace with a liability of 0x0203 leaves 0x0101 open.
#[test]
fn executed_and_replaced() {
    let mut w = world();
    told(&mut w, &enter(1, b'B', 0x0201, b"0YPNN", b"\x03\x18\x01\x02"));
    w.background(Way::Sell, 0x0102, P50);
    let executed = [b"E", &AT[..], b"\0\0\0\x01\0\0\x01\x02", PRICE, b"A\0\0\0\0\0\0\0\x01\0\0"].concat();
    is(&news(&mut w), &[executed]);
    let answer = told(&mut w, b"U\0\0\0\x01\0\0\0\x05\0\0\x02\x03\0\0\0\0\0\x07\xa0\xbc5NYother text    \0\0");
    let mut expected = [b"U", &AT[..], b"\0\0\0\x01\0\0\0\x05B\0\0\x01\x01AAPL    \0\0\0\0\0\x07\xa0\xbc5N"].concat();
    expected.extend(reference(&w, 5));
    // Group ID is kept, and not said again.
    expected.extend(b"PYNLother text    \0\x06\x05\x02FIRE");
    is(&answer, &[expected]);
}

/// Liquidity flags: who rested displayed, who rested hidden, who came.
#[test]
fn liquidity_flags() {
    let mut w = world();
    told(&mut w, &enter(1, b'B', 10, b"0YPNN", b""));
    told(&mut w, &enter(2, b'B', 10, b"0NPNN", b""));
    w.background(Way::Sell, 20, P50);
    let flags = |messages: &[Vec<u8>]| messages.iter().filter(|m| m[0] == b'E').map(|m| m[25]).collect::<Vec<u8>>();
    assert_eq!(flags(&news(&mut w)), b"AJ");
    // Taking from a displayed and from a hidden order is the same.
    w.background(Way::Sell, 5, P50);
    w.background_order(NewOrder { hidden: true, ..NewOrder::limit(symbol(AAPL), Way::Sell, 5, Price(500_000)) });
    assert_eq!(flags(&told(&mut w, &enter(3, b'B', 10, b"0YPNN", b""))), b"RR");
    // A trade that is corrected keeps its flag.
    for (trade, flag, urn) in [(1, b'A', 1), (2, b'J', 2), (3, b'R', 3)] {
        assert!(w.venue.correct_trade(w.now, trade, Price(0x0001_0203)));
        let shares = if urn == 3 { 5 } else { 10 };
        let mut expected = [b"F", &AT[..], &[0, 0, 0, urn, 0, 0, 0, shares, 0, 0, 0, 0, 0, 1, 2, 3, flag]].concat();
        expected.extend([0, 0, 0, 0, 0, 0, 0, trade as u8]);
        expected.extend(b"Na text        ");
        is(&news(&mut w), &[expected]);
    }
    w.venue.break_trade(w.now, 2, BreakReason::Consent).unwrap();
    is(&news(&mut w), &[[b"B", &AT[..], b"\0\0\0\x02\0\0\0\0\0\0\0\x02Ca text        "].concat()]);
}

#[test]
fn flags_of_crosses() {
    for (kind, letter, flag) in
        [(CrossKind::Open, b'O', b'O'), (CrossKind::Close, b'C', b'C'), (CrossKind::Halt, b'H', b'H')]
    {
        let mut w = World::closed(|_| {});
        for phase in [Phase::Messages, Phase::System] {
            w.set_phase(phase);
        }
        w.login(0);
        if kind != CrossKind::Open {
            w.set_phase(Phase::Market);
        }
        if kind == CrossKind::Halt {
            use firelane_sim::venue::engine::TradingState;
            w.venue.set_state(w.now, symbol(AAPL), TradingState::Halted, *b"T1  ").unwrap();
        }
        let letters = [b'0', b'Y', b'P', b'N', letter];
        told(&mut w, &enter(1, b'B', 10, &letters, b""));
        told(&mut w, &enter(2, b'S', 10, &letters, b""));
        match kind {
            CrossKind::Open => w.set_phase(Phase::Market),
            CrossKind::Close => w.set_phase(Phase::After),
            CrossKind::Halt => {
                use firelane_sim::venue::engine::TradingState;
                w.venue.set_state(w.now, symbol(AAPL), TradingState::Trading, *b"    ").unwrap();
            }
        }
        let flags: Vec<u8> = news(&mut w).iter().filter(|m| m[0] == b'E').map(|m| m[25]).collect();
        assert_eq!(flags, [flag, flag], "{kind:?}");
    }
}

/// Self-match prevention: what is taken off each order, what did not trade, at which price, and what it would have been.
/// The incoming order is the larger one here, and the smaller one in the second half.
#[test]
fn aiq_canceled() {
    let d = |urn: u8, decrement: u8, prevented: u8, flag: u8, strategy: u8| {
        let mut bytes = [b"D", &AT[..], &[0, 0, 0, urn, 0, 0, 0, decrement], b"Q", &[0, 0, 0, prevented]].concat();
        bytes.extend(PRICE);
        bytes.extend([flag, strategy]);
        bytes
    };
    for (resting, incoming, display, flag) in [(30, 50, b'Y', b'A'), (50, 30, b'N', b'J')] {
        let least = resting.min(incoming);
        // Decrement both, cancel newest, cancel oldest.
        let both = vec![d(1, least, least, flag, b'D'), d(2, least, least, b'R', b'D')];
        let newest = vec![d(2, incoming, least, b'R', b'W')];
        let oldest = vec![d(1, resting, least, flag, b'O')];
        for (strategy, expected) in [(b'D', both), (b'W', newest), (b'O', oldest)] {
            let mut w = world();
            let option = [2, 0x1d, strategy];
            told(&mut w, &enter(1, b'B', resting.into(), &[b'0', display, b'P', b'N', b'N'], &option));
            let answer = told(&mut w, &enter(2, b'S', incoming.into(), b"0YPNN", &option));
            is(&answer[1..], &expected);
        }
    }
}

#[test]
fn canceled_and_modified() {
    let mut w = world();
    told(&mut w, &enter(1, b'S', 0x0203, b"0YPNN", b"\x02\x1c\x07"));
    // The most that it may execute: 0x0101, so that 0x0102 go.
    let answer = told(&mut w, b"X\0\0\0\x01\0\0\x01\x01\0\x03\x02\x1c\x07");
    is(&answer, &[[b"C", &AT[..], b"\0\0\0\x01\0\0\x01\x02U\0\x03\x02\x1c\x07"].concat()]);
    let answer = told(&mut w, b"M\0\0\0\x01E\0\0\x01\x00\0\x03\x02\x1c\x07");
    is(&answer, &[[b"M", &AT[..], b"\0\0\0\x01E\0\0\x01\0\0\x03\x02\x1c\x07"].concat()]);
    let mut w = world();
    told(&mut w, &enter(1, b'S', 0x0203, b"0YPNN", b""));
    let answer = told(&mut w, b"X\0\0\0\x01\0\0\x01\x01");
    is(&answer, &[[b"C", &AT[..], b"\0\0\0\x01\0\0\x01\x02U"].concat()]);
}

#[test]
fn rejected() {
    let mut w = world();
    let mut order = enter(1, b'B', 1, b"0YPNN", b"");
    order[10..18].copy_from_slice(b"NONE    ");
    is(&told(&mut w, &order), &[[b"J", &AT[..], b"\0\0\0\x01\0\x17a text        "].concat()]);
}

#[test]
fn administration() {
    let mut w = world();
    is(&told(&mut w, b"Q"), &[[b"Q", &AT[..], b"\0\0\0\x01"].concat()]);
    is(
        &told(&mut w, b"C\0\0\0\x01FIREAAPL    \0\x03\x02\x1bB"),
        &[[b"X", &AT[..], b"\0\0\0\x01FIREAAPL    \0\x03\x02\x1bB"].concat()],
    );
    is(&told(&mut w, b"D\0\0\0\x02FIRE\0\0"), &[[b"G", &AT[..], b"\0\0\0\x02FIRE\0\0"].concat()]);
    is(&told(&mut w, b"E\0\0\0\x03FIRE\0\0"), &[[b"K", &AT[..], b"\0\0\0\x03FIRE\0\0"].concat()]);
    is(&told(&mut w, b"Q\0\x03\x02\x1c\x09"), &[[b"Q", &AT[..], b"\0\0\0\x01\0\x03\x02\x1c\x09"].concat()]);
    is(&told(&mut w, b"Q\0\0"), &[[b"Q", &AT[..], b"\0\0\0\x04"].concat()]);
}

#[test]
fn what_the_staff_does() {
    let mut w = world();
    told(&mut w, &enter(1, b'B', 100, b"0NPNN", b""));
    let key = OrderKey { channel: 0, urn: 1 };
    w.venue.reprioritise(w.now, 0, key).unwrap();
    let mut expected = [b"T", &AT[..], b"\0\0\0\x01", PRICE, b"N"].concat();
    expected.extend(reference(&w, 1));
    is(&news(&mut w), &[expected]);
    let options = [AppendageOption::DisplayQuantity(0x0102_0304)];
    assert!(w.venue.restate(w.now, 0, key, RestatedReason::DISPLAY_REFRESH, &options));
    is(&news(&mut w), &[[b"R", &AT[..], b"\0\0\0\x01R\0\x06\x05\x16\x01\x02\x03\x04"].concat()]);
    w.venue.end_day(w.now);
    is(&news(&mut w), &[[b"C", &AT[..], b"\0\0\0\x01\0\0\0\x64E"].concat(), [b"S", &AT[..], b"E"].concat()]);
}

#[test]
fn late_for_the_cross() {
    let mut w = world();
    told(&mut w, &enter(1, b'B', 100, b"0YPNC", b""));
    w.venue.freeze(symbol(AAPL), CrossKind::Close).unwrap();
    is(&told(&mut w, b"X\0\0\0\x01\0\0\0\x0a"), &[[b"I", &AT[..], b"\0\0\0\x01"].concat()]);
    is(&told(&mut w, b"X\0\0\0\x01\0\0\0\0"), &[[b"P", &AT[..], b"\0\0\0\x01"].concat()]);
}

/// A replacement of a displayed order by one under another name is no `U`, which could not say the name.
#[test]
fn a_replacement_under_another_name_is_a_delete_and_an_add() {
    let mut w = world();
    told(&mut w, &enter(1, b'B', 100, b"0YPNN", b""));
    told(&mut w, b"U\0\0\0\x01\0\0\0\x02\0\0\0\x64\0\0\0\0\0\x07\xa1\x200ANother text    \0\0");
    told(&mut w, b"U\0\0\0\x02\0\0\0\x03\0\0\0\x64\0\0\0\0\0\x07\xa1\x200ANother text    \0\0");
    let published = w.published();
    assert!(published.ends_with("ADFU"), "{published}");
}
