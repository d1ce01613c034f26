//! One clear line for each change, and none for what only goes on.

use super::*;
use firelane_gateway::base::{InstrumentId, LineId};
use firelane_gateway::flow::feed::FeedConfig;
use firelane_gateway::flow::record::MarketBody;
use zerocopy::byteorder::little_endian::U64;

const ORDERS: SessionId = SessionId::ORDERS;

/// Everything that is said of notices a second apart.
struct Told {
    notices: Notices,
    at: u64,
}

impl Told {
    fn new() -> Self {
        let text = "[instruments]\nlisted = [\"AAPL\"]\n[entry]\nusername = \"TRADER\"\npassword_env = \"MY_SECRET\"";
        Told { notices: Notices::new(&crate::wirings::parse(text).unwrap()), at: 0 }
    }

    fn hear(&mut self, notices: &[Notice]) -> Vec<String> {
        let mut lines = Vec::new();
        for notice in notices {
            self.at += 1_000_000_000;
            lines.extend(self.notices.tell(Mono(self.at), notice));
        }
        lines
    }

    /// The one line that is said of all this.
    fn one(&mut self, notices: &[Notice]) -> String {
        let lines = self.hear(notices);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.into_iter().next().unwrap()
    }
}

fn alert(alert: Alert, first: u64) -> Notice {
    about(alert, None, first, 0)
}

fn about(alert: Alert, instrument: Option<InstrumentId>, first: u64, second: u64) -> Notice {
    let name = instrument.map_or(Name::BLANK, |_| Name::new("ZVZZT").unwrap());
    Notice::Alert { alert, venue: None, instrument, name, first, second }
}

fn away(why: Away) -> Notice {
    alert(Alert::EntryLost, why as u64)
}

fn down(why: Why) -> Notice {
    Notice::Link(VenueId::FIRST, ORDERS, Some(why))
}

const UP: Notice = Notice::Link(VenueId::FIRST, ORDERS, None);

fn ready() -> Notice {
    alert(Alert::EntryReady, 0)
}

fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn an_absent_venue_is_one_line_however_often_it_is_tried() {
    let mut told = Told::new();
    let line = told.one(&[down(Why::Refused); 50]);
    holds(&line, &["127.0.0.1:26400", "nobody listens", "every 1.0 s", "net.orders"]);
    // Another reason is news, once; and so is its coming.
    holds(&told.one(&[down(Why::TimedOut), down(Why::TimedOut)]), &["timed out"]);
    holds(&told.one(&[UP, ready()]), &["ready: logged in to 127.0.0.1:26400 as TRADER"]);
    assert!(told.hear(&[ready()]).is_empty());
}

#[test]
fn a_refused_login_is_one_line_that_says_what_to_check() {
    let mut told = Told::new();
    let fault = Fault::NotAuthorized as u64 + 1;
    let line = told.one(&[UP, down(Why::AskedFor), alert(Alert::EntryOver, fault), alert(Alert::EntryOver, fault)]);
    holds(&line, &["refuses the login", "entry.username = \"TRADER\"", "environment variable MY_SECRET"]);
    assert_eq!(told.notices.fault(), Some(Fault::NotAuthorized));
    assert!(!told.notices.was_ever_ready());
}

#[test]
fn a_venue_that_does_not_read_is_one_line_until_it_reads_again() {
    let mut told = Told::new();
    told.one(&[UP, ready()]);
    let line = told.one(&[
        away(Away::Blocked),
        down(Why::Overflow),
        away(Away::Closed),
        UP,
        away(Away::LoginUnanswered),
        down(Why::AskedFor),
        UP,
        away(Away::LoginUnanswered),
    ]);
    holds(&line, &["stalled", "does not read", "65,536 bytes"]);
    holds(&told.one(&[UP, ready()]), &["ready again", "after 9.0 s without"]);
    // One that reads again in time.
    assert_eq!(told.hear(&[away(Away::Blocked), ready()]).len(), 2);
    // The connection's end alone, where the alert was lost.
    holds(&told.one(&[down(Why::Overflow), away(Away::Closed)]), &["does not read"]);
}

#[test]
fn a_venue_that_falls_silent_is_one_line_until_it_speaks_again() {
    for (why, says) in [
        (Away::Silent, "for 15.0 s"),
        (Away::Unconfirmed, "does not say what it has received"),
        (Away::LoginUnanswered, "not answered the login for 30.0 s"),
    ] {
        let mut told = Told::new();
        told.one(&[UP, ready()]);
        let line = told.one(&[away(why), down(Why::AskedFor), UP, away(Away::LoginUnanswered), down(Why::AskedFor)]);
        holds(&line, &["stalled", says, "trying again"]);
        holds(&told.one(&[UP, ready()]), &["ready again"]);
    }
    // From the first login on.
    let mut told = Told::new();
    told.one(&[UP, away(Away::LoginUnanswered), down(Why::AskedFor), UP, away(Away::LoginUnanswered)]);
}

#[test]
fn a_lost_connection_says_how_and_then_how_it_goes_on() {
    let mut told = Told::new();
    told.one(&[UP, ready()]);
    holds(&told.one(&[down(Why::Reset), away(Away::Closed)]), &["lost", "reset by the peer", "trying again"]);
    holds(&told.one(&[down(Why::Refused), down(Why::Refused)]), &["nobody listens"]);
    holds(&told.one(&[UP, ready()]), &["ready again"]);
    for (why, says) in [
        (Away::Disabled, "disabled by the venue"),
        (Away::DayOver, "day is over"),
        (Away::Garbled, "no SoupBinTCP"),
        (Away::LoginRejected, "no session to join"),
        (Away::Incomplete, "instruments.listed"),
    ] {
        holds(&told.one(&[away(why), away(why)]), &[says]);
        told.one(&[ready()]);
    }
}

#[test]
fn an_orderly_end_is_one_line() {
    let mut told = Told::new();
    told.one(&[UP, ready()]);
    let line = told.one(&[away(Away::Closing), down(Why::ByPeer), alert(Alert::EntryOver, 0), down(Why::ByPeer)]);
    holds(&line, &["closed, as asked"]);
    assert_eq!((told.notices.fault(), told.notices.was_ever_ready()), (None, true));
    for fault in [Fault::SessionGone, Fault::MessagesLost, Fault::Ended] {
        let mut told = Told::new();
        holds(&told.one(&[alert(Alert::EntryOver, fault as u64 + 1)]), &["Order entry is over", "127.0.0.1:26400"]);
        assert_eq!(told.notices.fault(), Some(fault));
    }
}

#[test]
fn the_market_is_told_of_where_it_matters() {
    let mut told = Told::new();
    let everyday = [alert(Alert::GapOpened, 5), alert(Alert::GapClosed, 0)];
    assert!(everyday.iter().all(|notice| Notices::level(notice) == Level::Detail));
    holds(&told.one(&everyday[..1]), &["message 5 is missing"]);
    holds(&told.one(&[alert(Alert::LineSilent, LineId::B.0.into())]), &["Line B (127.0.0.1:26402)", "3.0 s"]);
    holds(&told.one(&[alert(Alert::LineBack, LineId::A.0.into())]), &["Line A (127.0.0.1:26401) speaks"]);
    let tried = Notice::Link(VenueId::FIRST, SessionId::SNAPSHOT, Some(Why::Refused));
    let line = told.one(&[tried, tried, tried, alert(Alert::SnapshotFailed, 0)]);
    holds(&line, &["127.0.0.1:26404: refused", "net.snapshot"]);
    holds(&told.one(&[alert(Alert::SnapshotBegin, 0)]), &["snapshot begins"]);
    holds(&told.one(&[alert(Alert::SnapshotEnd, 12_345)]), &["message 12,345"]);
    holds(&told.one(&[alert(Alert::SessionChanged, 0)]), &["another session"]);
    holds(&told.one(&[alert(Alert::EndOfSession, 0)]), &["ended", "cancelled", "none enters"]);
    holds(&told.one(&[alert(Alert::SessionGoesOn, 0)]), &["goes on", "fresh"]);
    holds(&told.one(&[alert(Alert::Killed, 0)]), &["KILL SWITCH", "--release"]);
    holds(&told.one(&[alert(Alert::Released, 0)]), &["released"]);
    // A symbol that only the exchange's directory named.
    let contradiction = about(Alert::BookFault, Some(InstrumentId(0)), 7, 1);
    holds(&told.one(&[contradiction; 9]), &["book of ZVZZT", "order 7"]);
    told.at += Seldom::PAUSE.0;
    holds(&told.one(&[contradiction]), &["8 more since"]);
    let one = |alert, first, second| about(alert, Some(InstrumentId(0)), first, second);
    // In what the lane does not follow, and knows no number of.
    let name = Name::new("BTC-USDT-PERP").unwrap();
    let orphan = Notice::Alert { alert: Alert::Orphan, venue: None, instrument: None, name, first: 7, second: 0 };
    holds(&told.one(&[orphan; 3]), &["order 7", "in BTC-USDT-PERP and", "cancelled"]);
    holds(&told.one(&[one(Alert::Fault, 7, 0)]), &["KILL SWITCH", "order 7 in ZVZZT", "Ask the venue"]);
    holds(&told.one(&[one(Alert::Stuck, 7, 0)]), &["disabled", "ZVZZT", "cancelled", "fault of the strategy"]);
    holds(&told.one(&[about(Alert::Stuck, None, 7, 1)]), &["disabled", "cancelled", "fault of the signal"]);
    let skipped = |instrument| about(Alert::Skipped, instrument, b'?'.into(), 1);
    holds(&told.one(&[skipped(None); 3]), &["a message of an unknown type", "\"?\""]);
    told.at += Seldom::PAUSE.0;
    holds(&told.one(&[skipped(Some(InstrumentId(9)))]), &["about ZVZZT of an unknown type"]);
    holds(&told.one(&[about(Alert::Lost, Some(InstrumentId(9)), 5, 1)]), &["1 messages from 5", "about ZVZZT"]);
}

/// What came before it joined is not lost, and a server that was not asked is not named.
#[test]
fn what_came_before_is_not_lost_and_only_a_server_that_was_asked_is_named() {
    let mut told = Told::new();
    let joined = told.one(&[about(Alert::Joined, None, 40, 0)]);
    holds(&joined, &["joined at message 40", "stale until a snapshot"]);
    assert!(!joined.contains("lost") && !joined.contains("server"), "{joined}");
    let most = FeedConfig::default().max_gap;
    for (enabled, count, asked) in [(true, most, true), (true, most + 1, false), (false, 1, false)] {
        let mut told = Told::new();
        told.notices.venues.first_mut().asks_up_to = enabled.then_some(most);
        let lost = told.one(&[about(Alert::Lost, None, 5, count)]);
        assert_eq!(lost.contains("and from the re-request server"), asked, "{lost}");
        assert_eq!(lost.contains("were not asked for"), !asked, "{lost}");
    }
}

#[test]
fn silence_is_said_with_what_it_means_and_so_is_its_end() {
    let mut told = Told::new();
    let silent = told.one(&[about(Alert::MarketSilent, None, 42, 0)]);
    holds(&silent, &["every line is silent for 3.0 s", "books are stale", "orders are cancelled", "none enters"]);
    holds(&told.one(&[about(Alert::MarketBack, None, 42, 0)]), &["lines speak again", "message 42"]);
    holds(&told.one(&[about(Alert::MarketSilent, None, 42, 1)]), &["follows on message 41", "for 3.0 s"]);
}

#[test]
fn what_the_lines_get_wrong_is_named() {
    let mut told = Told::new();
    let jump = about(Alert::JumpDropped, None, u64::MAX, 42);
    holds(&told.one(&[jump; 3]), &["18,446,744,073,709,551,615", "goes on at 42"]);
    holds(&told.one(&[about(Alert::LinesDiffer, None, 7, 1)]), &["message 7", "Line B (127.0.0.1:26402)"]);
    holds(&told.one(&[about(Alert::LinesDiffer, None, 7, 2)]), &["the re-request server"]);
    let ahead = told.one(&[about(Alert::SnapshotAhead, None, 50, 42)]);
    holds(&ahead, &["snapshot stands at message 50", "lines at 42", "waiting"]);
    holds(&told.one(&[alert(Alert::FeedOverrun, 0)]), &["stale until a snapshot"]);
}

/// The login is blamed for what a login can cause, and for nothing else.
#[test]
fn a_missing_snapshot_is_said_with_its_reason() {
    for (why, says) in [
        (SnapshotTrouble::Unreachable, "net.snapshot"),
        (SnapshotTrouble::Refused, "refuses the snapshot login. Check feed.snapshot.username = \"FIRE\""),
        (SnapshotTrouble::Unanswered, "does not answer the snapshot login"),
        (SnapshotTrouble::Torn, "before their end"),
        (SnapshotTrouble::Garbled, "malformed"),
        (SnapshotTrouble::Unfit, "goes on at message 1,234"),
        (SnapshotTrouble::Fruitless, "stale again soon after"),
    ] {
        let line = Told::new().one(&[about(Alert::SnapshotFailed, None, why as u64, 1_234)]);
        holds(&line, &["127.0.0.1:26404", says, "tried again"]);
        assert_eq!(line.contains("FIRELANE_SNAPSHOT_PASSWORD"), why == SnapshotTrouble::Refused, "{line}");
        // A refusal is said at the first; whatever else, after the quick attempts.
        assert_eq!(line.contains("at long intervals"), why != SnapshotTrouble::Refused, "{line}");
    }
}

#[test]
fn a_full_log_and_a_lossy_tape_are_told_of_now_and_then() {
    let mut notices = Told::new().notices;
    let status =
        |stalls, lost| StatusBody { log_stalls: U64::new(stalls), tape_lost: U64::new(lost), ..StatusBody::default() };
    assert!(notices.status(Mono(1), &status(0, 0), &[]).is_empty());
    let lines = notices.status(Mono(2), &status(3, 1_000), &[]);
    assert_eq!(lines.len(), 2);
    holds(&lines[0].1, &["full 3 times", "log.ring_bytes"]);
    holds(&lines[1].1, &["1,000 records", "tape.ring_bytes"]);
    assert!(lines.iter().all(|(level, _)| *level == Level::Warn));
    assert!(notices.status(Mono(3), &status(4, 1_000), &[]).is_empty());
    let later = Mono(3).after(Seldom::PAUSE);
    assert!(notices.status(later, &status(4, 1_000), &[]).is_empty(), "nothing new");
    assert_eq!(notices.status(later, &status(5, 1_000), &[]).len(), 1);
}

#[test]
fn how_the_market_goes_on_is_said_once_and_then_now_and_then() {
    let mut told = Told::new();
    let second = |n: u64| Mono(n * 1_000_000_000);
    let status = |messages, live, gaps| StatusBody {
        messages: U64::new(messages),
        live_market: live,
        stale: U64::new(u64::from(live == 0) * 3),
        market: MarketBody {
            next_sequence: U64::new(100 + messages),
            gaps: U64::new(gaps),
            filled_by_line: U64::new(gaps * 10),
            filled_by_rerequest: U64::new(gaps / 4),
            ..MarketBody::default()
        },
        ..StatusBody::default()
    };
    let mut at = |n, messages, live, gaps| told.notices.status(second(n), &status(messages, live, gaps), &[]);
    assert!(at(1, 0, 0, 0).is_empty(), "nothing was heard yet");
    let joined = at(2, 5, 1, 0);
    holds(&joined[0].1, &["joined at message 100"]);
    holds(&joined[1].1, &["Market: live, the next message is 105"]);
    assert!(joined.len() == 2 && joined.iter().all(|(level, _)| *level == Level::Info));
    assert!(at(3, 9, 1, 0).is_empty());
    let filled = at(4, 9, 1, 2);
    holds(&filled[0].1, &["2 gaps so far", "20 by the other line", "0 given up"]);
    assert!(!filled[0].1.contains("re-request") && at(5, 9, 1, 3).is_empty(), "now and then");
    holds(&at(15, 9, 1, 5)[0].1, &["5 gaps", "50 by the other line, 1 by re-request"]);
    // Of a market that flickers, the first time; and that it is back only if it was said to be gone.
    let gone = at(16, 9, 0, 5);
    assert_eq!((gone.len(), gone[0].0), (1, Level::Warn));
    holds(&gone[0].1, &["not live", "3 books"]);
    holds(&at(17, 9, 1, 5)[0].1, &["live again"]);
    assert!(at(18, 9, 0, 5).is_empty() && at(19, 9, 1, 5).is_empty());
    // Whose book it is, where that was said.
    told.hear(&[about(Alert::BookFault, Some(InstrumentId(0)), 7, 1)]);
    holds(&told.notices.status(second(40), &status(9, 0, 5), &[])[0].1, &["among them ZVZZT (1 more"]);
}

#[test]
fn what_matters_more_has_a_higher_level() {
    let level = |alert, first| Notices::level(&super::tests::alert(alert, first));
    assert_eq!((level(Alert::EntryReady, 0), level(Alert::LineSilent, 0)), (Level::Info, Level::Warn));
    assert_eq!((level(Alert::EntryOver, 0), level(Alert::EntryOver, 1)), (Level::Info, Level::Error));
    assert_eq!(level(Alert::EntryOver, Fault::Ended as u64 + 1), Level::Warn);
    assert_eq!((level(Alert::Fault, 0), Notices::level(&down(Why::Refused))), (Level::Error, Level::Warn));
}

#[test]
fn nothing_that_is_said_is_a_secret_or_more_than_a_line() {
    let mut told = Told::new();
    let every = (0..=u16::MAX).filter_map(Alert::from_number);
    let mut notices: Vec<Notice> = every.map(|one| about(one, None, 1, 1)).collect();
    for why in [Why::Refused, Why::Unreachable, Why::ByPeer, Why::Other(113), Why::Overflow, Why::AskedFor] {
        notices.push(down(why));
    }
    notices.extend(Away::ALL.iter().map(|why| away(*why)));
    for line in told.hear(&notices) {
        assert!(!line.contains('\n') && line.ends_with(['.', '?']) && !line.contains("  "), "{line:?}");
    }
}

#[test]
fn what_cannot_be_names_symbol_order_and_what_was_said() {
    use firelane_gateway::base::{ClientId, Token, VenueId};
    use firelane_gateway::flow::orders::{AnomalyKind, ReportKind};
    let mut told = Told::new();
    let mut say = |what: AnomalyKind, order: u64, stops: bool| {
        let instrument = (order > 0).then_some(InstrumentId(0));
        let order = Some(order).filter(|id| *id > 0).map(ClientId);
        let (venue, report) = (VenueId(0), ReportKind::Executed);
        let anomaly = Anomaly { what, venue, report, token: Token(12), order, instrument, said: 150, known: 100 };
        told.one(&[Notice::Anomaly { anomaly, name: Name::new("ZVZZT").unwrap(), stops }])
    };
    let line = say(AnomalyKind::Overfill, 7, true);
    holds(&line, &["127.0.0.1:26400", "150 shares of order 7 in ZVZZT (token 12) traded, of which 100 could"]);
    holds(&line, &["TRADING IS STOPPED", "firelane enable"]);
    holds(&say(AnomalyKind::UnknownFill, 0, true), &["150 shares at $0.01", "token 12, which this gateway never sent"]);
    for what in AnomalyKind::ALL {
        for order in [0, 7] {
            let line = say(*what, order, false);
            assert!(!line.contains('\n') && line.ends_with('.') && !line.contains("  "), "{line:?}");
            assert!(!line.contains("STOPPED"), "{line:?}");
        }
    }
}

/// Of three venues, each has its own story, and it begins with its name.
#[test]
fn of_several_venues_each_line_names_its_own() {
    let text = "[[venue]]\nname = \"XNAS\"\n[[venue]]\nname = \"XBOS\"\nnet = { orders = \"10.0.0.2:1\" }\n\
                [[venue]]\nname = \"FAR\"\nkind = \"levels\"\nnet = { orders = \"10.0.0.3:1\", stream = \"10.0.0.3:2\" }\n";
    let mut told = Told { notices: Notices::new(&crate::wirings::parse(text).unwrap()), at: 0 };
    let at = |venue, alert, first| Notice::Alert {
        alert,
        venue: Some(VenueId(venue)),
        instrument: None,
        name: Name::BLANK,
        first,
        second: 0,
    };
    assert!(!told.notices.was_ever_ready());
    assert_eq!(
        told.one(&[at(1, Alert::EntryReady, 0)]),
        "XBOS: Order entry is ready: logged in to 10.0.0.2:1 as FIRE."
    );
    holds(&told.one(&[Notice::Link(VenueId(1), ORDERS, Some(Why::Reset))]), &["XBOS: Order entry is lost: 10.0.0.2:1"]);
    holds(
        &told.one(&[Notice::Link(VenueId(0), ORDERS, Some(Why::Refused))]),
        &["XNAS: Order entry cannot", "venue[0].net.orders"],
    );
    // Of a stream, the snapshot comes with it.
    let down = Notice::Link(VenueId(2), SessionId::STREAM, Some(Why::Refused));
    holds(
        &told.one(&[down, at(2, Alert::SnapshotFailed, 0)]),
        &["FAR: Market: no snapshot", "10.0.0.3:2: refused", "venue[2].net.stream"],
    );
    holds(&told.one(&[at(2, Alert::MarketSilent, 7)]), &["FAR: Market: the stream is silent for 2.0 s"]);
    holds(&told.one(&[at(2, Alert::MarketBack, 7)]), &["FAR: Market: its connection is whole again"]);
    assert!(told.one(&[alert(Alert::Killed, 0)]).starts_with("KILL SWITCH thrown"));
    holds(&told.one(&[about(Alert::PartKilled, None, 1, 2)]), &["KILL SWITCH of venue 2 (FAR) thrown"]);
    assert!(!told.notices.was_ever_ready(), "at one alone");
    told.hear(&[at(0, Alert::EntryReady, 0), at(2, Alert::EntryReady, 0)]);
    assert!(told.notices.was_ever_ready());
    // A day that has ended at one goes on at the others.
    let ended = Fault::Ended as u64 + 1;
    holds(&told.one(&[at(1, Alert::EntryOver, ended)]), &["XBOS: Order entry is over"]);
    assert_eq!(told.notices.fault(), None);
    told.hear(&[at(0, Alert::EntryOver, ended), at(2, Alert::EntryOver, ended)]);
    assert_eq!(told.notices.fault(), Some(Fault::Ended));

    let mut told = Told { notices: Notices::new(&crate::wirings::parse(text).unwrap()), at: 0 };
    told.hear(&[at(1, Alert::EntryOver, ended), at(2, Alert::EntryOver, Fault::SessionGone as u64 + 1)]);
    assert_eq!(told.notices.fault(), Some(Fault::SessionGone));
    let said = |live: [u8; 3]| -> Vec<VenueStatusBody> {
        let body = |(venue, live_market)| VenueStatusBody {
            venue,
            live_market,
            market: MarketBody { next_sequence: U64::new(7), ..MarketBody::default() },
            ..VenueStatusBody::default()
        };
        (0..).zip(live).map(body).collect()
    };
    let mut status = |n: u64, live| -> Vec<String> {
        let lines = told.notices.status(
            Mono(n * 20_000_000_000),
            &StatusBody { live_market: 1, ..StatusBody::default() },
            &said(live),
        );
        lines.into_iter().map(|(_, text)| text).collect()
    };
    assert_eq!(
        status(1, [1, 0, 1]),
        ["XNAS: Market: live, the next message is 7.", "FAR: Market: live, the next message is 7."]
    );
    assert_eq!(status(2, [1, 0, 0]), ["FAR: Market: not live: 0 books cannot be trusted."]);
    assert!(status(3, [1, 0, 0]).is_empty());
}

/// What to do names the lane, where there are several.
#[test]
fn a_remedy_is_of_the_lane_that_it_is_for() {
    let text = "[lane]\nname = \"north\"\nnumber = 1";
    let mut told = Told { notices: Notices::new(&crate::wirings::parse(text).unwrap()), at: 0 };
    assert!(told.one(&[alert(Alert::Killed, 0)]).contains("kill CONFIG --lane north --release"));
    assert!(Told::new().one(&[alert(Alert::Killed, 0)]).contains("kill CONFIG --release"));
    assert!(anomalies::remedy(true, "north").contains("`firelane enable CONFIG --lane north`"));
    assert!(
        anomalies::remedy(true, "").contains("`firelane enable CONFIG`") && anomalies::remedy(false, "").is_empty()
    );
}
