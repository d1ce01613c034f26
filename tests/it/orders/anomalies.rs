//! What a venue says that cannot be, kind by kind, beside what is only rare.

use super::*;
use firelane_gateway::flow::orders::{AnomalyKind, ReportKind, Unreadable};

/// What a report has of that cannot be: kind, and the two numbers.
fn odd(desk: &mut Desk, report: &Report) -> Option<(AnomalyKind, i64, i64)> {
    desk.orders.report(VENUE, report);
    let found = desk.orders.take_anomaly().map(|a| {
        assert!(!a.what.says_code() || a.said == 0, "a code is order entry's to say");
        (a.what, if a.what.says_code() { a.report as i64 } else { a.said }, a.known)
    });
    assert_eq!(desk.orders.take_anomaly(), None, "once");
    found
}

#[test]
fn what_cannot_be_is_told_by_kind_and_what_can_is_not() {
    use AnomalyKind as Kind;
    let mut desk = Desk::new();
    let (_, buy) = desk.live(Side::Buy, 100, 100);
    assert_eq!(odd(&mut desk, &executed(buy, 60, 100, 1)), None, "at its limit");
    assert_eq!(odd(&mut desk, &executed(buy, 60, 100, 1)), Some((Kind::Repeated, ReportKind::Executed as i64, 0)));
    assert_eq!(odd(&mut desk, &executed(buy, 61, 100, 1)), Some((Kind::TradeTwice, 61, 60)));
    assert_eq!(odd(&mut desk, &executed(buy, 10, 101, 2)), Some((Kind::BeyondLimit, 101, 100)));
    assert_eq!(odd(&mut desk, &executed(buy, 0, 100, 3)), Some((Kind::EmptyTrade, 0, 0)));
    assert_eq!(odd(&mut desk, &executed(buy, 30, 100, 4)), None, "all of it");
    assert_eq!(odd(&mut desk, &executed(buy, 1, 100, 5)), Some((Kind::Overfill, 1, 0)), "101 of 100, though late");
    assert_eq!(odd(&mut desk, &canceled(buy, 1)), Some((Kind::FinishedOrder, ReportKind::Canceled as i64, 0)));
    // What was cancelled may have traded before: late, and possible. One share more is not.
    let (_, sell) = desk.live(Side::Sell, 100, 50);
    assert_eq!(odd(&mut desk, &canceled(sell, 50)), None);
    assert_eq!(odd(&mut desk, &executed(sell, 50, 100, 6)), None);
    assert_eq!(desk.orders.counters().late_fills, 2);
    assert_eq!(odd(&mut desk, &executed(sell, 1, 100, 7)), Some((Kind::Overfill, 1, 0)));
    assert_eq!(
        odd(&mut desk, &Report::Rejected { token: sell, reason: why(9) }),
        Some((Kind::RejectedAfterAccept, 9, 0))
    );
    let (_, open) = desk.live(Side::Sell, 100, 50);
    assert_eq!(odd(&mut desk, &canceled(open, 51)), Some((Kind::OverCancel, 51, 50)));
    // Orders that stand otherwise than they were sent.
    for (side, price, qty, is_odd) in [
        (Side::Buy, 100, 10, false),
        (Side::Buy, 99, 10, false),
        (Side::Buy, 101, 10, true),
        (Side::Buy, 100, 11, true),
        (Side::Sell, 100, 10, true),
    ] {
        let (_, token) = desk.enter(Side::Buy, 100, 10);
        let found = odd(&mut desk, &Report::Accepted(accepted(token, side, price, qty)));
        assert_eq!(found, is_odd.then_some((Kind::StandsOtherwise, qty, 10)), "{side:?} {qty} @ {price}");
    }
    // Replacements: as asked, larger than asked, and not asked for.
    let (order, token) = desk.live(Side::Buy, 100, 10);
    let new = desk.replace(order, 101, 10);
    let report = |orig, new, qty| Report::Replaced { orig, now: accepted(new, Side::Buy, 101, qty) };
    assert_eq!(odd(&mut desk, &report(token, new, 10)), None);
    assert_eq!(odd(&mut desk, &report(token, new, 10)), Some((Kind::Repeated, ReportKind::Replaced as i64, 0)));
    let next = desk.replace(order, 101, 10);
    assert_eq!(odd(&mut desk, &report(new, next, 11)), Some((Kind::StandsOtherwise, 11, 10)));
    assert_eq!(odd(&mut desk, &report(next, Token(900), 11)), Some((Kind::ReplacedUnasked, 11, 0)));
    // A refused replace of an order that is gone meanwhile is no contradiction.
    let last = desk.replace(order, 102, 11);
    assert_eq!(odd(&mut desk, &canceled(Token(900), 11)), None);
    assert_eq!(odd(&mut desk, &Report::Rejected { token: last, reason: why(1) }), None);
    assert_eq!(desk.orders.counters().late_refusals, 1);
    // Numbers that were never sent.
    assert_eq!(odd(&mut desk, &executed(Token(7_000), 5, 9, 8)), Some((Kind::UnknownFill, 5, 9)));
    let stranger = accepted(Token(7_001), Side::Buy, 9, 5);
    assert_eq!(odd(&mut desk, &Report::Accepted(stranger)), Some((Kind::UnknownAccepted, 5, 9)));
    assert_eq!(odd(&mut desk, &report(Token(7_001), Token(7_002), 5)), Some((Kind::UnknownReplaced, 5, 101)));
    assert_eq!(odd(&mut desk, &canceled(Token(7_000), 5)), Some((Kind::UnknownOrder, ReportKind::Canceled as i64, 0)));
    let reject = Report::Rejected { token: Token(7_000), reason: why(1) };
    assert_eq!(odd(&mut desk, &reject), Some((Kind::UnknownOrder, ReportKind::Rejected as i64, 0)));
    // Of an earlier run it is nothing.
    assert_eq!((adopt(&mut desk, &reject), desk.orders.take_anomaly()), (None, None));
    assert_eq!((desk.orders.counters().unknown, desk.orders.counters().earlier_refusals), (5, 1));
    let broken = Report::Broken { token: buy, trade: 99, reason: letter(b'E') };
    assert_eq!(odd(&mut desk, &broken), Some((Kind::UnknownTrade, 99, 0)));
    let unreadable = Unreadable { why: Kind::Malformed, code: 69, length: 3 };
    assert_eq!(odd(&mut desk, &Report::Unreadable(unreadable)), Some((Kind::Malformed, 69, 3)));
}

fn self_match(token: Token, decrement: i64) -> Report {
    let (decrement, price) = (Qty(decrement), Price(100));
    Report::SelfMatched { token, decrement, reason: letter(b'D'), prevented: decrement, price, liquidity: part(b'A') }
}

/// An order over 100 that was replaced to `asked` in all and stands with `stands`; its number.
fn replaced(desk: &mut Desk, (order, token): (ClientId, Token), asked: i64, stands: i64) -> Token {
    let new = desk.replace(order, 100, asked);
    let now = accepted(new, Side::Buy, 100, stands);
    assert_eq!(odd(desk, &Report::Replaced { orig: token, now }), None, "{stands} of {asked}");
    new
}

/// What happened to an order over 100, and under which number how many may trade then.
type Story = (&'static str, fn(&mut Desk, (ClientId, Token)) -> (Token, i64));

const STORIES: [Story; 14] = [
    ("nothing", |_, (_, token)| (token, 100)),
    ("partly filled and cancelled", |desk, (_, token)| {
        desk.tell(executed(token, 30, 100, 1));
        desk.tell(canceled(token, 70));
        (token, 70)
    }),
    ("a partial cancel, and it lives", |desk, (order, token)| {
        desk.cancel(order, 60);
        desk.tell(canceled(token, 40));
        (token, 60)
    }),
    ("a partial cancel, and the rest filled", |desk, (order, token)| {
        desk.cancel(order, 60);
        desk.tell(canceled(token, 40));
        desk.tell(executed(token, 60, 100, 1));
        (token, 40)
    }),
    ("self-match prevention took some, a cancel the rest", |desk, (_, token)| {
        desk.tell(self_match(token, 30));
        desk.tell(executed(token, 20, 100, 1));
        desk.tell(canceled(token, 50));
        (token, 50)
    }),
    ("self-match prevention took all", |desk, (_, token)| {
        desk.tell(self_match(token, 100));
        (token, 0)
    }),
    ("replaced, and all that it was asked for is open", |desk, (order, token)| {
        desk.tell(executed(token, 30, 100, 1));
        replaced(desk, (order, token), 150, 120);
        (token, 0)
    }),
    ("replaced, and some of it had traded before and was not told", |desk, (order, token)| {
        desk.tell(executed(token, 30, 100, 1));
        replaced(desk, (order, token), 150, 110);
        (token, 10)
    }),
    ("a replacement replaced", |desk, (order, token)| {
        let second = replaced(desk, (order, token), 150, 150);
        replaced(desk, (order, second), 120, 100);
        (second, 20)
    }),
    ("replaced by less, and cancelled", |desk, (order, token)| {
        let new = replaced(desk, (order, token), 50, 50);
        desk.tell(canceled(new, 50));
        (new, 50)
    }),
    ("partly cancelled, replaced by more, and cancelled", |desk, (order, token)| {
        desk.cancel(order, 40);
        desk.tell(canceled(token, 60));
        let new = replaced(desk, (order, token), 90, 90);
        desk.tell(canceled(new, 90));
        (new, 90)
    }),
    ("self-match prevention took some, replaced, and cancelled", |desk, (order, token)| {
        desk.tell(self_match(token, 30));
        let new = replaced(desk, (order, token), 100, 70);
        desk.tell(canceled(new, 70));
        (new, 70)
    }),
    ("a replacement by more was refused, and it was cancelled", |desk, (order, token)| {
        let new = desk.replace(order, 100, 200);
        desk.tell(Report::Rejected { token: new, reason: why(1) });
        desk.tell(canceled(token, 100));
        (token, 100)
    }),
    ("cancelled before a replacement by more was answered", |desk, (order, token)| {
        desk.replace(order, 100, 200);
        desk.tell(canceled(token, 100));
        (token, 100)
    }),
];

#[test]
fn an_order_may_trade_what_it_was_asked_for_and_not_a_share_more() {
    for (story, happens) in STORIES {
        for more in [-1, 0, 1] {
            let mut desk = Desk::new();
            let order = desk.live(Side::Buy, 100, 100);
            let (token, most) = happens(&mut desk, order);
            let fill = most + more;
            if fill > 0 {
                let expected = (more > 0).then_some((AnomalyKind::Overfill, fill, most));
                assert_eq!(odd(&mut desk, &executed(token, fill, 100, 9)), expected, "{story}: {fill}");
            }
        }
    }
}

/// An order that lives outside of the table may do no more than one within.
#[test]
fn an_orphan_may_trade_or_lose_what_it_has_open_and_not_a_share_more() {
    use AnomalyKind as Kind;
    type Goes = fn(Token, i64) -> Report;
    let kinds: [(Goes, Kind); 3] = [
        (|token, qty| executed(token, qty, 100, 2), Kind::Overfill),
        (|token, qty| canceled(token, qty), Kind::OverCancel),
        (|token, qty| self_match(token, qty), Kind::OverCancel),
    ];
    for (goes, kind) in kinds {
        for (shares, left) in [(69, 1), (70, 0), (71, 0)] {
            let mut desk = Desk::new();
            let sent = desk.sent();
            desk.orders.not_opened(VENUE, &enter(Side::Buy, 100, 100), SellMark::Long, SYMBOL.into(), sent);
            let standing = accepted(sent.token, Side::Buy, 100, 100);
            assert_eq!(odd(&mut desk, &Report::Accepted(standing)), None);
            assert_eq!(odd(&mut desk, &executed(sent.token, 30, 100, 1)), None);
            let expected = (shares > 70).then_some((kind, shares, 70));
            assert_eq!(odd(&mut desk, &goes(sent.token, shares)), expected, "{kind:?}");
            let open: Vec<_> = desk.orders.orphans(VENUE).iter().map(|orphan| orphan.open.0).collect();
            assert_eq!(open, [left].into_iter().filter(|left| *left > 0).collect::<Vec<_>>(), "{kind:?}: {shares}");
        }
    }
}

/// A replacement of an earlier run counts what self-match prevention took before it towards what was asked for, as one of
/// this run does.
#[test]
fn what_an_earlier_run_lost_to_itself_is_counted_in_what_it_asked_for() {
    for (fill, expected) in [(119, None), (120, None), (121, Some((AnomalyKind::Overfill, 121, 120)))] {
        let mut desk = Desk::new();
        adopt(&mut desk, &Report::Accepted(accepted(Token(1), Side::Buy, 100, 100))).unwrap();
        adopt(&mut desk, &self_match(Token(1), 30)).unwrap();
        // To 150 in all, of which 120 stand.
        adopt(&mut desk, &Report::Replaced { orig: Token(1), now: accepted(Token(2), Side::Buy, 100, 120) }).unwrap();
        adopt(&mut desk, &canceled(Token(2), 120)).unwrap();
        assert_eq!(odd(&mut desk, &executed(Token(2), fill, 100, 9)), expected, "{fill}");
    }
}

#[test]
fn a_correction_may_give_a_trade_what_its_order_had_left_and_not_a_share_more() {
    let corrected = |token, qty, trade| Report::Corrected {
        token,
        qty: Qty(qty),
        price: Price(100),
        liquidity: part(b'A'),
        trade,
        reason: letter(b'N'),
    };
    for (qty, expected) in [(10, None), (70, None), (71, Some((AnomalyKind::Overfill, 71, 70)))] {
        let mut desk = Desk::new();
        let (_, token) = desk.live(Side::Buy, 100, 100);
        desk.tell(executed(token, 30, 100, 1));
        desk.tell(executed(token, 30, 100, 2));
        desk.tell(canceled(token, 40));
        assert_eq!(odd(&mut desk, &corrected(token, qty, 2)), expected, "{qty}");
    }
}
