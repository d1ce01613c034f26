//! Orders of an earlier run that can't be taken over never live beside trading.

use super::market::{APPROVED, refused};
use super::rig::*;
use firelane_gateway::base::{Name, Nanos, SessionId, Symbol, Token, VenueId};
use firelane_gateway::flow::Word;
use firelane_gateway::flow::entry::{Away, OrderEntry, Stage};
use firelane_gateway::flow::record::{Alert, AlertBody, Kind};
use firelane_gateway::flow::risk::Refusal;

/// A venue at which so many orders of 100 in `S1` live, the first of them partly filled and replaced, and one in `S2`.
fn earlier(orders: u16) -> Venue {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    let first = rig.newest().1;
    let report = rig.venue.execute(first, 40, 99_000);
    rig.say(report);
    rig.tell(1, Do::Replace, 140, 98_900);
    for n in 1..u32::from(orders) {
        rig.tell(1, Do::Buy, 100, 98_000 - 100 * n);
    }
    rig.tell(2, Do::Buy, 100, 99_000);
    assert_eq!(rig.live(), u32::from(orders) + 1);
    rig.venue
}

/// The next run against that venue, not yet started.
fn next_run(setup: &Setup, venue: Venue) -> Rig {
    let mut rig = Rig::new(setup);
    rig.venue = venue.restarted();
    rig.market(&opening(2));
    rig.look();
    rig
}

/// A lane that follows `S2` alone.
fn other_symbol() -> Setup {
    Setup { listed: Some(vec![2]), ..Setup::default() }
}

fn orphans(rig: &Rig) -> Vec<(u32, Name)> {
    rig.lane.core().orders().orphans(VenueId(0)).iter().map(|o| (u32::try_from(o.token.0).unwrap(), o.name)).collect()
}

/// Symbols of the orphans that were said to live.
fn said(rig: &Rig) -> Vec<Name> {
    let alerts = rig.tape(Kind::Alert, |body: &AlertBody| (body.alert.get(), Name(body.name)));
    alerts.into_iter().filter(|(alert, _)| *alert == Alert::Orphan as u16).map(|(_, name)| name).collect()
}

/// Would it let an order in `S2` pass?
fn tries(rig: &mut Rig) -> (char, u16) {
    rig.tell(2, Do::Buy, 100, 97_000);
    *rig.decisions().last().unwrap()
}

#[test]
fn an_order_in_a_symbol_that_is_not_followed_is_cancelled_by_token_before_anything_is_traded() {
    let mut rig = next_run(&other_symbol(), earlier(1));
    rig.start();
    // The orphan, whose token is that of its replacement, and the adopted one.
    assert_eq!(rig.asked(), "QXX");
    assert_eq!((said(&rig), rig.lost_for()), (vec![Symbol(symbol(1)).into()], vec![Away::Incomplete]));
    assert_eq!((orphans(&rig), rig.live(), rig.venue.orders.len()), (vec![], 0, 0));
    assert_eq!(rig.lane.core().entry(VenueId::FIRST).unwrap().stage(), Stage::Ready);
    assert_eq!(rig.alerts().last(), Some(&(Alert::EntryReady as u16)));
    assert_eq!(tries(&mut rig), APPROVED);
    let counters = rig.lane.core().orders().counters();
    assert_eq!((counters.not_adopted, counters.orphan_fills, counters.unknown), (1, 1, 0));
}

#[test]
fn while_one_lives_nothing_is_entered_and_its_cancel_is_sent_again() {
    let mut rig = next_run(&other_symbol(), earlier(1));
    rig.venue.answers = false;
    rig.start();
    let (token, _) = orphans(&rig)[0];
    let adopted = rig.newest().1;
    rig.pass(Nanos::from_millis(2_500));
    let cancels = |rig: &Rig| {
        let of = |r: &&Vec<u8>| r[0] == b'X' && r[1..5] == token.to_be_bytes() && r[5..9] == [0; 4];
        rig.venue.asked.iter().filter(of).count()
    };
    assert_eq!(cancels(&rig), 3, "at once, and each second");
    let cancelled = rig.venue.cancel(adopted).unwrap();
    rig.say(cancelled);
    assert_eq!(
        (rig.live(), rig.lane.core().entry(VenueId::FIRST).unwrap().stage()),
        (0, Stage::Sweeping),
        "not over: the other one lives"
    );
    assert_eq!(tries(&mut rig), refused(Refusal::EntryNotReady));
    assert_eq!((said(&rig).len(), rig.lost_for().len()), (1, 1), "said once");
    let cancelled = rig.venue.cancel(token).unwrap();
    rig.say(cancelled);
    assert_eq!((orphans(&rig), rig.lane.core().entry(VenueId::FIRST).unwrap().stage()), (vec![], Stage::Ready));
    assert_eq!(tries(&mut rig), APPROVED);
    rig.pass(Nanos::from_millis(5_000));
    assert_eq!(cancels(&rig), 3, "nothing more about it");
}

#[test]
fn one_that_trades_away_is_gone_too_and_its_fill_counts_where_there_is_a_position() {
    // Followed, but the table is full when it is heard of.
    let mut setup = Setup::default();
    (setup.orders.capacity, setup.orders.retained) = (1, 1);
    let mut rig = next_run(&setup, earlier(2));
    rig.venue.answers = false;
    rig.start();
    let (token, of) = orphans(&rig)[0];
    assert_eq!((of, rig.position(X), orphans(&rig).len()), (Symbol(symbol(2)).into(), 40, 1), "S1's are adopted");
    let report = rig.venue.execute(token, 60, 99_000);
    rig.say(report.clone());
    assert_eq!((rig.position(Y), orphans(&rig).len()), (60, 1));
    rig.say(report);
    assert_eq!(rig.position(Y), 60, "a fill counts once");
    assert_eq!(tries(&mut rig), refused(Refusal::EntryNotReady));
    let report = rig.venue.execute(token, 40, 99_000);
    rig.say(report);
    assert_eq!((rig.position(Y), orphans(&rig).len()), (100, 0));
}

#[test]
fn more_than_can_be_followed_keep_the_lane_from_trading_for_good() {
    let mut setup = Setup::default();
    (setup.orders.capacity, setup.orders.retained) = (1, 1);
    // Two in the table, two followed by token, one beyond.
    let mut rig = next_run(&setup, earlier(4));
    rig.start();
    assert_eq!((orphans(&rig).len(), rig.live(), rig.venue.orders.len()), (0, 0, 1));
    assert_eq!((rig.lane.core().orders().orphan_count(), rig.lane.core().ready(VenueId::FIRST)), (1, false));
    rig.pass(Nanos::from_secs(60));
    assert_eq!((tries(&mut rig), rig.lost_for()), (refused(Refusal::EntryNotReady), vec![Away::Incomplete]));
    // With room for all, it is adopted, cancelled, and trading begins.
    let mut rig = next_run(&Setup::default(), rig.venue);
    rig.start();
    assert_eq!((rig.venue.orders.len(), tries(&mut rig)), (0, APPROVED));
}

#[test]
fn a_shutdown_waits_until_none_lives() {
    let mut rig = next_run(&other_symbol(), earlier(1));
    rig.venue.answers = false;
    rig.start();
    rig.command(Word::Shutdown);
    let (token, adopted) = (orphans(&rig)[0].0, rig.newest().1);
    let cancelled = rig.venue.cancel(adopted).unwrap();
    rig.say(cancelled);
    assert_eq!(rig.lane.core().entry(VenueId::FIRST).unwrap().stage(), Stage::Sweeping);
    let cancelled = rig.venue.cancel(token).unwrap();
    rig.say(cancelled);
    assert_eq!(rig.lane.core().entry(VenueId::FIRST).unwrap().stage(), Stage::Over);
}

#[test]
fn a_lost_connection_forgets_none() {
    let mut rig = next_run(&other_symbol(), earlier(1));
    rig.venue.answers = false;
    rig.start();
    rig.cut();
    assert_eq!(orphans(&rig).len(), 1);
    rig.venue.answers = true;
    rig.pass(Nanos::from_millis(3_500));
    assert_eq!((orphans(&rig).len(), rig.venue.orders.len(), rig.lane.core().ready(VenueId::FIRST)), (0, 0, true));
}

#[test]
fn what_is_not_known_is_adopted_while_the_venue_tells_of_earlier_runs_and_never_later() {
    for away in ["blocked", "disabled", "day over", "closing", "ready"] {
        let mut rig = Rig::trading(&Setup::default());
        rig.tell(1, Do::Buy, 100, 99_000);
        // An order that this lane did not send.
        let mut request = rig.venue.asked.last().unwrap().clone();
        request[1..5].copy_from_slice(&77u32.to_be_bytes());
        let accepted = rig.venue.accept(&request);
        match away {
            "blocked" => rig.give(Given::Blocked(SessionId::ORDERS)),
            "disabled" => rig.say(Venue::disabled()),
            "day over" => rig.say(Venue::event(b'E')),
            "closing" => {
                rig.venue.answers = false;
                rig.command(Word::Shutdown);
            }
            _ => {}
        }
        assert_eq!(rig.lane.core().ready(VenueId::FIRST), away == "ready", "{away}");
        // It is cancelled by its number; what the venue would say of that is of an order that nobody knows, too.
        rig.venue.answers = false;
        rig.say(accepted);
        let orders = rig.lane.core().orders();
        assert_eq!((orders.by_token(VenueId(0), Token(77)).is_some(), orders.counters().unknown), (false, 1), "{away}");
        assert!(rig.lane.core().is_stopped(), "what the venue says it has is not known here: {away}");
    }
}
