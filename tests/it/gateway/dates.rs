//! Session dates: a lane that lives over midnight has the new session's.

use super::rig::*;
use firelane_gateway::base::{Nanos, Reader, VenueId, Writer};
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
use firelane_gateway::flow::wire::moldudp64::end_of_session;
use firelane_gateway::flow::{Gateway, Input, UtcOffset};
use firelane_gateway::shell::plug::House;
use zerocopy::IntoBytes;

const HOUR: u64 = 3_600_000_000_000;

/// A lane of New York, with the first session's date, if any.
fn rig(day: u32) -> Rig<Told> {
    let mut config = Setup::default().config();
    let venue = config.venues.first_mut();
    (venue.day, venue.utc_offset_minutes) = (day, -300);
    let signal = Imbalance::new(&ImbalanceConfig::default()).unwrap();
    Rig::with(House::new(&config, ()).with(signal, Told::default()).unwrap())
}

/// Universal time is so many hours after this day began.
fn clock(rig: &mut Rig<Told>, day: u64, hour: u64) {
    let offset = ((day * 24 + hour) * HOUR).cast_signed() - rig.now.0.cast_signed();
    let (now, input) = (rig.now, Input::Clock(UtcOffset(offset)));
    feed(&mut rig.lane, now, input, &mut Outbox::new(0), |out| out.clear());
}

/// The date of the last message.
fn date(rig: &Rig<Told>) -> u32 {
    rig.lane.core().market(VenueId::FIRST).unwrap().at.day()
}

/// The session ends, and another one begins.
fn next_session(rig: &mut Rig<Told>) {
    rig.give(Given::Packet(A, end_of_session(DAY, rig.next).as_bytes().to_vec()));
    begin_next(rig);
}

fn begin_next(rig: &mut Rig<Told>) {
    for line in [A, B] {
        rig.give(Given::Packet(line, packet(NEXT_DAY, 1, &[phase(b"O")])));
    }
}

#[test]
fn without_universal_time_the_first_session_has_the_configured_date_and_the_next_one_none() {
    for day in [0, 20_000] {
        let mut rig = rig(day);
        rig.market(&opening(1));
        assert_eq!(date(&rig), day);
        next_session(&mut rig);
        assert_eq!(date(&rig), 0);
    }
}

#[test]
fn a_session_after_midnight_has_the_new_date_and_the_one_that_goes_on_keeps_its_own() {
    let mut rig = rig(20_000);
    clock(&mut rig, 20_000, 20);
    rig.market(&opening(1));
    // Past midnight in London, and then in New York; the session goes on.
    for hour in [24, 30] {
        clock(&mut rig, 20_000, hour);
        rig.market(&[tell(1, Do::Nothing, 0, 0)]);
        assert_eq!(date(&rig), 20_000, "{hour}");
    }
    clock(&mut rig, 20_001, 8);
    next_session(&mut rig);
    assert_eq!(date(&rig), 20_001, "three in the morning");
    // Over a weekend.
    let mut friday = self::rig(20_000);
    clock(&mut friday, 20_000, 20);
    friday.market(&opening(1));
    clock(&mut friday, 20_003, 8);
    next_session(&mut friday);
    assert_eq!(date(&friday), 20_003);
    // Past midnight in London alone.
    let mut early = self::rig(20_000);
    clock(&mut early, 20_001, 4);
    early.market(&opening(1));
    next_session(&mut early);
    assert_eq!(date(&early), 20_000);
}

#[test]
fn a_first_session_without_a_configured_date_has_that_of_when_it_is_first_heard() {
    let mut rig = rig(0);
    // Started in the evening; all is quiet until the morning.
    clock(&mut rig, 20_000, 20);
    clock(&mut rig, 20_001, 8);
    rig.market(&opening(1));
    assert_eq!(date(&rig), 20_001);
    // Told too late: a date would come in the middle of a session.
    let mut late = self::rig(0);
    late.market(&opening(1));
    clock(&mut late, 20_001, 8);
    late.market(&[tell(1, Do::Nothing, 0, 0)]);
    late.pass(Nanos::from_secs(4_000));
    late.market(&[tell(1, Do::Nothing, 0, 0)]);
    assert_eq!(date(&late), 0, "nor after a silence");
    next_session(&mut late);
    assert_eq!(date(&late), 20_001, "the next one has its own");
}

#[test]
fn a_lane_that_is_restored_before_or_after_midnight_goes_on_with_the_right_date() {
    let mut rig = rig(0);
    clock(&mut rig, 20_000, 20);
    rig.market(&opening(1));
    rig.give(Given::Packet(A, end_of_session(DAY, rig.next).as_bytes().to_vec()));
    let restored = |from: &Gateway<Desk<Told>>, at: &Rig<Told>| {
        let mut twin = self::rig(0);
        let mut saved = Writer::default();
        from.save(&mut saved);
        twin.lane.load(&mut Reader(&saved.0)).unwrap();
        (twin.now, twin.next) = (at.now, at.next);
        twin
    };
    // Saved before it, with what was known of the time: it need not be told again.
    rig.now = rig.now.after(Nanos::from_secs(12 * 3_600));
    let mut twin = restored(&rig.lane, &rig);
    for rig in [&mut rig, &mut twin] {
        begin_next(rig);
        assert_eq!(date(rig), 20_001);
    }
    assert_eq!(rig.lane.digest(), twin.lane.digest());
    // And after it: the date is the session's, whatever the time is now.
    let mut later = restored(&twin.lane, &twin);
    clock(&mut later, 20_005, 8);
    later.give(Given::Packet(A, packet(NEXT_DAY, 2, &opening(1))));
    assert_eq!(date(&later), 20_001);
}
