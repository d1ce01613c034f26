//! What is taken at each fill of the log's ring, and what leaves when the log is lost: with a lane that does as it is told.

use super::super::scribe::LogSink;
use super::super::{Handle, SharedBoard};
use super::*;
use crate::base::LineId;
use crate::flow::Arrival;
use crate::flow::command::To;
use crate::flow::session::SessionInput;
use crate::shell::config::Config;
use crate::shell::journal::Sink;
use crate::shell::log::Effects;
use crate::shell::ring::{FrameReader, ring};
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For each input it sends an order and a cancel, in two calls if so told.
#[derive(Default)]
struct Lane {
    commands: Vec<CommandBuf>,
    inputs: u64,
    twice: bool,
    /// As much as an outbox holds, in the smallest records there are: those that grow most on their way into the log.
    floods: bool,
    over: bool,
    /// At which venue.
    venue: VenueId,
    /// The sessions of which it has heard.
    heard: Vec<(VenueId, SessionId)>,
}

fn speak(out: &mut Outbox) {
    assert!(out.send(SessionId::ORDERS, Class::Order, &[b"order "]));
    assert!(out.send(SessionId::ORDERS, Class::Cancel, &[b"cancel "]));
}

impl Driven for Lane {
    fn take(&mut self, _now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.inputs += 1;
        out.towards(self.venue);
        if let Input::Session(venue, session, _) = input {
            self.heard.push((venue, session));
        }
        if let Input::Command(command) = input {
            self.commands.push(command.into());
        }
        if self.floods {
            (0..OUTBOX / Outbox::HEADER).for_each(|_| assert!(out.send(SessionId::ORDERS, Class::Cancel, &[])));
            return Progress::Done;
        }
        speak(out);
        if self.twice { Progress::Again } else { Progress::Done }
    }
    fn resume(&mut self, _input: Input<'_>, out: &mut Outbox) -> Progress {
        out.towards(self.venue);
        speak(out);
        Progress::Done
    }
    fn inputs(&self) -> u64 {
        self.inputs
    }
    fn core_deadline(&self) -> Mono {
        Mono::NEVER
    }
    fn traces(&self) -> &[TraceBody] {
        &[]
    }
    fn forget_traces(&mut self) {}
    fn is_over(&self) -> bool {
        self.over
    }
    fn status(&self, _into: &mut StatusBody) {}
    fn venue_status(&self, _venue: VenueId, _into: &mut VenueStatusBody) {}
    fn counters(&self, _into: &mut Tally) {}
}

struct Rig {
    side: CoreSide,
    lane: Lane,
    handle: Handle,
    log: FrameReader,
}

fn rig(port: Option<&TcpListener>) -> Rig {
    rig_of(port, Effects::Bytes)
}

fn rig_of(port: Option<&TcpListener>, effects: Effects) -> Rig {
    let mut config = Config::parse("[log]\nring_bytes = 2097152\n").unwrap().live;
    let net = config.net.first_mut();
    net.orders = port.map_or(net.orders, |port| port.local_addr().unwrap());
    rig_with(&config, effects)
}

fn rig_with(config: &LiveConfig, effects: Effects) -> Rig {
    let (kill, board) = (KillSwitch::new(), SharedBoard::default());
    let handle = Handle {
        inboxes: super::super::inboxes(vec![Commander(7)], 4, &kill, &board),
        kill,
        over: Stop::new(),
        failing: Stop::new(),
        board,
        tape: crate::shell::broadcast::Shared::new(0),
        shared_tape: None,
    };
    let (writer, log) = ring(config.log_ring);
    let mut journal = Journal::default();
    journal.log_into(Box::new(LogSink::new(writer, handle.kill.clone())), effects);
    let side = CoreSide::new(config, |_| None, journal, Clock::new(), &handle, Counter::default());
    Rig { side, lane: Lane::default(), handle, log }
}

impl Rig {
    /// Leaves exactly so much room in the log.
    fn leave(&mut self, room: usize) {
        while self.log.read().is_some() {}
        let free = self.side.journal.log_room().unwrap();
        // A record's header, and that of its frame.
        let body = vec![0; free - room - logged(2)];
        self.side.journal.input(1, Mono(0), &Input::Packet(Arrival::on(VenueId::FIRST, LineId::A), &body)).unwrap();
        assert_eq!(self.side.journal.log_room().unwrap(), room);
    }

    fn tend(&mut self) -> usize {
        self.side.tend(&mut self.lane, &mut ()).unwrap()
    }
}

/// At the start, and when it has moved: looked at with the status, taken when the log has room for what cannot wait.
#[test]
fn universal_time_is_told_at_the_start_and_again_when_it_has_moved() {
    let mut rig = rig(None);
    let tell = |rig: &mut Rig| rig.side.tell_time(&mut rig.lane, &mut ());
    let report = |rig: &mut Rig| {
        let now = rig.side.status_at;
        rig.side.report(&rig.lane, &Nothing, now);
    };
    rig.leave(LAST_RESERVE - 1);
    assert_eq!(tell(&mut rig), 0, "it waits for the log");
    rig.leave(LAST_RESERVE);
    assert_eq!((tell(&mut rig), tell(&mut rig), rig.lane.inputs), (1, 0, 1));
    report(&mut rig);
    rig.leave(LAST_RESERVE);
    assert_eq!(tell(&mut rig), 0, "it has not moved");
    // As if somebody had set the system's time since.
    rig.side.utc = UtcWatch::default();
    assert!(rig.side.utc.look(crate::flow::UtcOffset(0)).is_some());
    assert_eq!(tell(&mut rig), 0, "not before the next status");
    report(&mut rig);
    rig.leave(LAST_RESERVE);
    assert_eq!((tell(&mut rig), rig.lane.inputs), (1, 2));
}

/// A market side with nothing to say.
struct Nothing;

impl Market for Nothing {
    fn status(&self, _into: &mut StatusBody) {}
    fn venue_status(&self, _venue: VenueId, _into: &mut VenueStatusBody) {}
    fn counters(&self, _into: &mut Tally) {}
}

#[test]
fn the_market_waits_below_one_reserve_and_everything_below_the_other() {
    let mut rig = rig(None);
    rig.leave(LOG_RESERVE);
    assert!(rig.side.takes_market() && rig.side.takes_urgent());
    rig.leave(LOG_RESERVE - 1);
    assert!(!rig.side.takes_market() && rig.side.takes_urgent());
    assert_eq!((rig.tend(), rig.side.stalls), (1, 1));
    assert_eq!(rig.lane.commands, [Word::Hold]);
    // Not before there is enough again.
    rig.leave(LOG_ENOUGH - 1);
    assert_eq!((rig.tend(), rig.side.takes_market()), (0, false));
    rig.leave(LOG_ENOUGH);
    assert_eq!((rig.tend(), rig.side.takes_market()), (1, true));
    assert_eq!(rig.lane.commands, [Word::Hold, Word::Resume]);

    rig.leave(LAST_RESERVE);
    assert!(rig.side.takes_urgent());
    rig.leave(LAST_RESERVE - 1);
    assert!(!rig.side.takes_urgent());
    assert!(rig.handle.command(Word::Disable));
    assert_eq!(rig.side.serve(&mut rig.lane, &mut ()), 0, "commands wait too");
    assert_eq!(rig.lane.commands.len(), 2);
}

/// An input is begun when there is room for it at its longest and for all that one call of the lane can write: it never waits
/// in the middle of that for a disk that may be stuck.
#[test]
fn the_last_reserve_holds_the_longest_input_and_the_fullest_outbox() {
    let longest = vec![0; MAX_BODY - 2];
    for (effects, digest) in [(Effects::Bytes, 0), (Effects::Digest, logged(8))] {
        let mut rig = rig_of(None, effects);
        rig.leave(LAST_RESERVE);
        rig.lane.floods = true;
        let input = Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Dropped(&longest));
        rig.side.input(&mut rig.lane, &mut (), Mono(1), input);
        assert!(!rig.side.has_lost_log());
        let kept = if effects == Effects::Bytes { logged_outbox(OUTBOX) } else { 0 };
        let left = LAST_RESERVE - logged(MAX_BODY) - kept - digest;
        assert_eq!(rig.side.journal.log_room().unwrap(), left, "{effects:?}");
    }
}

#[test]
fn a_log_that_takes_nothing_for_too_long_is_lost() {
    let mut rig = rig(None);
    rig.leave(LAST_RESERVE - 1);
    let since = Mono(1_000);
    rig.side.wait_for_log(since);
    rig.side.wait_for_log(Mono(since.after(LOG_PATIENCE).0 - 1));
    assert!(!rig.side.has_lost_log() && !rig.handle.is_failing());
    rig.side.wait_for_log(since.after(LOG_PATIENCE));
    assert!(rig.side.has_lost_log() && rig.handle.is_failing());
    // Told to end, once, without the log; nothing else is taken but the kill switch.
    assert!(rig.handle.command(Word::Enable));
    assert!(rig.side.takes_urgent() && !rig.side.takes_market());
    assert_eq!((rig.tend(), rig.tend()), (1, 0));
    rig.handle.kill.throw();
    rig.side.serve(&mut rig.lane, &mut ());
    assert_eq!(rig.lane.commands, [Word::Shutdown, Word::Kill]);
}

/// A throw ends the wait for a log, as what rests is to be cancelled; one that has been answered does not.
#[test]
fn a_kill_is_in_a_hurry_until_it_is_answered() {
    for answered in [false, true] {
        let mut rig = rig(None);
        rig.handle.kill.throw();
        if answered {
            rig.side.serve(&mut rig.lane, &mut ());
            assert_eq!(rig.lane.commands, [Word::Kill]);
        }
        rig.leave(LAST_RESERVE - 1);
        assert_eq!(rig.tend(), 0);
        assert_eq!((rig.side.has_lost_log(), rig.handle.is_failing()), (!answered, !answered));
    }
    // Nor in the middle of an input.
    for answered in [false, true] {
        let (writer, mut log) = ring(64);
        let (kill, mut watch) = (KillSwitch::new(), KillWatch::default());
        let mut sink = LogSink::new(writer, kill.clone());
        sink.put(&[&[0; 40]]).unwrap();
        kill.throw();
        watch.look(&kill);
        if answered {
            watch.answer(&kill);
        }
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(if answered { 20 } else { 2_000 }));
                log.read().unwrap();
                // Not gone while the other end looks.
                std::thread::sleep(Duration::from_millis(500));
            });
            assert_eq!(sink.put(&[&[0; 40]]).is_ok(), answered);
        });
    }
}

#[test]
fn an_end_that_the_venue_does_not_answer_has_its_time() {
    let mut rig = rig(None);
    rig.side.end();
    assert_eq!((rig.tend(), rig.tend()), (1, 0), "with its log");
    rig.side.course = Course::Ending(Mono(0));
    rig.lane.over = true;
    assert_eq!(rig.tend(), 0);
    rig.lane.over = false;
    assert!(rig.side.tend(&mut rig.lane, &mut ()).is_err());
}

#[test]
fn no_order_leaves_once_the_log_is_lost() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut rig = rig(Some(&port));
    rig.side.orders.first_mut().connect(Mono(0));
    let mut peer = port.accept().unwrap().0;
    peer.set_nonblocking(true).unwrap();
    let began = Instant::now();
    while !rig.side.orders.first().is_up() {
        assert!(began.elapsed() < Duration::from_secs(30));
        rig.side.poll_orders(VenueId::FIRST, &mut Lane::default(), &mut ());
    }
    let mut heard = || {
        let (mut all, mut some, began) = (String::new(), [0; 256], Instant::now());
        // Nothing for a moment is all there is.
        while began.elapsed() < Duration::from_millis(50) {
            match peer.read(&mut some) {
                Ok(length) => all.push_str(std::str::from_utf8(&some[..length]).unwrap()),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        all
    };
    heard();
    let snapshot = CommandBuf::snapshot(VenueId::FIRST);
    let input = Input::Command(snapshot.bytes());
    rig.side.input(&mut rig.lane, &mut (), Mono(1), input);
    assert_eq!(heard(), "order cancel ");
    // Nobody writes it any more, which shows in the middle of an input: the first call's order has left by then, as the
    // sockets come first; the second one's stays here.
    let (_, other) = ring(16);
    drop(std::mem::replace(&mut rig.log, other));
    rig.leave_no_room();
    rig.lane.twice = true;
    rig.side.input(&mut rig.lane, &mut (), Mono(2), input);
    assert!(rig.side.has_lost_log());
    assert_eq!(heard(), "order cancel cancel ");
    rig.lane.twice = false;
    rig.side.input(&mut rig.lane, &mut (), Mono(3), input);
    assert_eq!(heard(), "cancel ");
}

impl Rig {
    /// What nobody reads any more is taken as long as there is room.
    fn leave_no_room(&mut self) {
        for length in [1 << 16, 0] {
            let body = vec![0; length];
            while self.side.journal.effect(1, Mono(0), Kind::Datagram, &[], &body).is_ok() {}
        }
    }
}

/// A tape that keeps what it is given.
#[derive(Clone, Default)]
struct Kept(Arc<std::sync::Mutex<Vec<u8>>>);

impl Sink for Kept {
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        *self.0.lock().unwrap() = parts.concat();
        Ok(())
    }
    fn finish(self: Box<Self>) -> Result<(), LogError> {
        Ok(())
    }
}

impl Kept {
    /// Why the last command was refused.
    fn why(&self) -> Option<String> {
        let record = std::mem::take(&mut *self.0.lock().unwrap());
        let body = record.get(size_of::<RecordHeader>()..)?;
        record::command::Answer::read(body).map(|answer| answer.text.to_owned())
    }
}

/// One that never becomes an input is answered all the same, by the shell.
#[test]
fn what_comes_too_late_for_the_lane_is_refused_by_the_shell() {
    let (mut rig, tape) = (rig(None), Kept::default());
    rig.side.journal.tape_into(Box::new(tape.clone()));
    let desk = rig.handle.inbox(Commander(7)).unwrap().clone();
    let send = |rig: &mut Rig, word| {
        desk.send(To::LANE, Mono::NEVER, word).unwrap();
        rig.side.serve(&mut rig.lane, &mut ());
        tape.why()
    };
    assert_eq!((send(&mut rig, Word::Enable), rig.lane.commands.len()), (None, 1));
    assert_eq!(rig.lane.commands[0].read().from, Commander(7));
    let late = Some("the kill switch was thrown or released again since".to_owned());
    for (first, second) in [(Word::Kill, Word::Release), (Word::Release, Word::Kill)] {
        rig.lane.commands.clear();
        // Both before the lane has looked: the second holds.
        desk.send(To::LANE, Mono::NEVER, first).unwrap();
        desk.send(To::LANE, Mono::NEVER, second).unwrap();
        let desks = |rig: &Rig| rig.lane.commands.iter().filter(|c| c.read().from == Commander(7)).count();
        let next = rig.side.inboxes.pop().unwrap();
        rig.side.command(&mut rig.lane, &mut (), next);
        assert_eq!((tape.why(), desks(&rig)), (late.clone(), 0));
        rig.side.serve(&mut rig.lane, &mut ());
        assert_eq!((tape.why(), desks(&rig)), (None, 1));
        assert_eq!(rig.lane.commands.last().unwrap().read().word, second);
    }
    rig.side.end();
    assert_eq!(send(&mut rig, Word::Enable), Some("the lane is ending".to_owned()));
}

/// What somebody asked for is not lost where the feed has no room for it; the lane's own wishes come again by themselves.
#[test]
fn snapshots_that_others_want_wait_for_the_feed() {
    let mut rig = rig(None);
    let desk = rig.handle.inbox(Commander(7)).unwrap().clone();
    let venue = To::venue(VenueId(0));
    rig.side.wants_snapshot.insert(VenueId(0));
    for _ in 0..2 {
        desk.send(venue, Mono::NEVER, Word::Snapshot).unwrap();
    }
    rig.side.serve(&mut rig.lane, &mut ());
    assert!(rig.lane.commands.is_empty(), "they are the feed's");
    let next = |rig: &mut Rig| rig.side.take_wish().map(|wish| (wish, wish.read().from.0, wish.read().ticket));
    let first = next(&mut rig).unwrap();
    assert_eq!((first.1, first.2), (7, 1));
    rig.side.keep_wish(first.0);
    assert_eq!(next(&mut rig).map(|wish| (wish.1, wish.2)), Some((7, 1)));
    assert_eq!(next(&mut rig).map(|wish| (wish.1, wish.2)), Some((7, 2)));
    let own = next(&mut rig).unwrap();
    assert_eq!((own.1, own.2), (0, 0));
    rig.side.keep_wish(own.0);
    assert_eq!(next(&mut rig), None);
    // Others wait while it has enough of them.
    for _ in 0..COMMANDS {
        rig.side.keep_wish(first.0);
    }
    desk.send(To::LANE, Mono::NEVER, Word::Enable).unwrap();
    rig.side.serve(&mut rig.lane, &mut ());
    assert!(rig.lane.commands.is_empty());
    next(&mut rig);
    rig.side.serve(&mut rig.lane, &mut ());
    assert_eq!(rig.lane.commands.len(), 1);
}

/// What a peer has been sent by now; nothing for a moment is all there is.
fn heard(peer: &mut TcpStream) -> String {
    let (mut all, mut some, began) = (String::new(), [0; 256], Instant::now());
    while began.elapsed() < Duration::from_millis(50) {
        match peer.read(&mut some) {
            Ok(length) => all.push_str(std::str::from_utf8(&some[..length]).unwrap()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    all
}

/// What goes to a venue goes there alone, what comes is that venue's, and what holds orders back holds all of them back.
#[test]
fn each_venue_has_an_order_session_of_its_own() {
    let ports = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let rows: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(n, port)| {
            format!("[[venue]]\nname = \"V{n}\"\nnet = {{ orders = \"{}\" }}\n", port.local_addr().unwrap())
        })
        .collect();
    let config = Config::parse(&format!("[log]\nring_bytes = 2097152\n{}", rows.concat())).unwrap().live;
    let mut rig = rig_with(&config, Effects::Bytes);
    let (one, two) = (VenueId(0), VenueId(1));
    let mut peers = [one, two].map(|venue| {
        rig.side.orders.get_mut(venue).unwrap().connect(Mono(0));
        let peer = ports[usize::from(venue.0)].accept().unwrap().0;
        peer.set_nonblocking(true).unwrap();
        peer
    });
    let began = Instant::now();
    // Nobody sends anything for these: the lane is another one.
    let mut deaf = Lane { floods: false, venue: VenueId(9), ..Lane::default() };
    while !rig.side.orders.iter().all(|(_, session)| session.is_up()) {
        assert!(began.elapsed() < Duration::from_secs(30));
        rig.side.serve(&mut deaf, &mut ());
    }
    assert_eq!(deaf.heard, [(one, SessionId::ORDERS), (two, SessionId::ORDERS)], "in the order of their numbers");
    let input = Input::Timer(Machine::Core);
    for (venue, both) in [(two, ["", "order cancel "]), (one, ["order cancel ", ""]), (VenueId(2), ["", ""])] {
        rig.lane.venue = venue;
        rig.side.input(&mut rig.lane, &mut (), Mono(1), input);
        assert_eq!(peers.each_mut().map(heard), both, "{venue:?}");
    }
    // Both venues' answers are waited for, and each is heard as its own.
    for peer in &mut peers {
        std::io::Write::write_all(peer, b"x").unwrap();
    }
    let began = Instant::now();
    deaf.heard.clear();
    while deaf.heard.len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(30));
        rig.side.serve(&mut deaf, &mut ());
    }
    deaf.heard.sort();
    assert_eq!(deaf.heard, [(one, SessionId::ORDERS), (two, SessionId::ORDERS)]);
    // A wish for a snapshot of one is not lost for one of the other's, which the feed has not taken yet.
    for venue in [one, two] {
        rig.side.wants_snapshot.insert(venue);
    }
    let first = rig.side.take_wish().unwrap();
    let second = rig.side.take_wish().unwrap();
    rig.side.keep_wish(second);
    assert_eq!((first.bytes().snapshot_of(), second.bytes().snapshot_of()), (Some(one), Some(two)));
    assert_eq!(rig.side.take_wish().and_then(|wish| wish.bytes().snapshot_of()), Some(two));
    // Without a log no order leaves, to whichever.
    rig.side.lose_log(stuck());
    for (venue, both) in [(one, ["cancel ", ""]), (two, ["", "cancel "])] {
        rig.lane.venue = venue;
        rig.side.input(&mut rig.lane, &mut (), Mono(2), input);
        assert_eq!(peers.each_mut().map(heard), both, "{venue:?}");
    }
    let mut tally = Tally::new();
    rig.side.count(&rig.lane, &());
    std::mem::swap(&mut tally, &mut rig.side.counters);
    let counts: Vec<(&str, u64)> = crate::shell::counters::counts(tally.body()).collect();
    for name in ["sockets.orders.dropped", "venue1.sockets.orders.dropped"] {
        assert!(counts.contains(&(name, 1)), "{name}: {counts:?}");
    }
}

impl Market for () {
    fn status(&self, _into: &mut StatusBody) {}
    fn venue_status(&self, _venue: VenueId, _into: &mut VenueStatusBody) {}
    fn counters(&self, _into: &mut Tally) {}
}
