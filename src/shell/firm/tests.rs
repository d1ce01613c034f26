//! Leases by hand, and by chance: whatever is lost, delayed or dies on the way, no more counts than the firm has, and no lane
//! has more than counts for it.

use super::*;
use proptest::prelude::*;

fn lease(open: i128, rate: u32, burst: u32) -> Lease {
    Lease::new(Notional(open), rate, burst)
}

fn open(to: i128) -> LaneLimitChange {
    LaneLimitChange { total_open: Some(Notional(to)), ..LaneLimitChange::default() }
}

fn limits(open: i128) -> FirmLimits {
    FirmLimits { max_total_open: Some(Notional(open)), ..FirmLimits::default() }
}

/// Two lanes with 60 and 40 of 100.
fn firm() -> Firm {
    Firm::new(limits(100), 0, &[lease(60, 10, 5), lease(40, 10, 5)]).unwrap()
}

fn counted(firm: &Firm) -> Vec<i128> {
    firm.lanes().map(|lane| lane.counted.values()[0]).collect()
}

const LATE: Mono = Mono(1_000);

#[test]
fn a_lease_is_lowered_first_and_raised_when_there_is_room() {
    let mut firm = firm();
    let ticket = firm.lease(&[(1, open(70)), (0, open(30))]).unwrap();
    assert_eq!((firm.next(0), firm.next(1)), (Some(lease(30, 10, 5)), None), "there is no room yet");
    firm.sent(0, lease(30, 10, 5), 7, LATE);
    assert_eq!((firm.next(0), firm.next(1), firm.waits_for(0)), (None, None, Some(7)));
    firm.answered(0, 8, Mono(5), None);
    assert_eq!(firm.waits_for(0), Some(7), "that is another answer");
    firm.answered(0, 7, Mono(5), None);
    assert_eq!((counted(&firm), firm.next(1)), (vec![60, 40], None), "it may have more open than that");
    for (at, has, is_open) in [(5, 30, 0), (6, 60, 0), (7, 30, 31)] {
        firm.heard(0, Mono(at), lease(has, 10, 5), Notional(is_open));
        assert_eq!(counted(&firm), [60, 40], "at {at} with {has}, {is_open}");
    }
    firm.heard(0, Mono(8), lease(30, 10, 5), Notional(30));
    assert_eq!((counted(&firm), firm.next(1)), (vec![30, 40], Some(lease(70, 10, 5))));
    firm.sent(1, lease(70, 10, 5), 1, LATE);
    assert_eq!((counted(&firm), firm.outcome(ticket)), (vec![30, 70], Some(&Moved::Pending)));
    firm.answered(1, 1, Mono(9), None);
    assert_eq!((firm.outcome(ticket), firm.outcome(ticket + 1)), (Some(&Moved::Taken), None));
    assert_eq!((firm.next(0), firm.next(1), counted(&firm)), (None, None, vec![30, 70]));
}

#[test]
fn a_slower_rate_counts_once_the_old_one_can_have_no_part_in_it() {
    let limits = FirmLimits { orders_per_second: Some(20), burst: Some(10), ..FirmLimits::default() };
    let mut firm = Firm::new(limits, 0, &[lease(1, 10, 5), lease(1, 10, 5)]).unwrap();
    let rate = |n| LaneLimitChange { orders_per_second: Some(n), ..LaneLimitChange::default() };
    firm.lease(&[(0, rate(4)), (1, rate(16))]).unwrap();
    firm.sent(0, lease(1, 4, 5), 1, LATE);
    firm.answered(0, 1, Mono(10), None);
    let half = 500_000_000; // an empty bucket of 5 at 10 a second is full again
    firm.heard(0, Mono(9 + half), lease(1, 4, 5), Notional(0));
    assert_eq!(firm.next(1), None);
    firm.heard(0, Mono(10 + half), lease(1, 4, 5), Notional(0));
    assert_eq!(firm.next(1), Some(lease(1, 16, 5)));
}

#[test]
fn what_is_refused_or_not_answered_is_as_it_was() {
    let mut firm = firm();
    let ticket = firm.lease(&[(0, open(30)), (1, open(70))]).unwrap();
    firm.sent(0, lease(30, 10, 5), 1, LATE);
    firm.answered(0, 1, Mono(5), Some("out of range"));
    assert_eq!(firm.outcome(ticket), Some(&Moved::Rejected("out of range".to_owned())));
    assert_eq!((firm.next(0), firm.next(1), counted(&firm)), (None, None, vec![60, 40]));
    assert!(firm.lease(&[(0, open(61))]).is_err(), "nothing was given up");
    assert!(firm.lease(&[(0, open(60))]).is_ok(), "and what was to be raised for it is promised no more");

    // Without an answer: the larger counts until it can't be taken any more; then what the lane has.
    for (has, outcome) in [(30, Moved::Taken), (60, Moved::Rejected("the lane has not answered in time".to_owned()))] {
        let mut firm = self::firm();
        let ticket = firm.lease(&[(0, open(30))]).unwrap();
        firm.sent(0, lease(30, 10, 5), 1, LATE);
        firm.heard(0, LATE, lease(has, 10, 5), Notional(0));
        assert_eq!((firm.outcome(ticket), counted(&firm)), (Some(&Moved::Pending), vec![60, 40]));
        firm.heard(0, Mono(1_001), lease(has, 10, 5), Notional(0));
        assert_eq!(firm.outcome(ticket), Some(&outcome));
        firm.heard(0, Mono(1_002), lease(has, 10, 5), Notional(0));
        assert_eq!(counted(&firm), [has, 40]);
    }
}

#[test]
fn a_lane_that_ended_with_nothing_open_frees_its_lease_and_no_other_does() {
    for (left, rest) in [(Some(Notional(0)), [0, 40]), (Some(Notional(1)), [60, 40]), (None, [60, 40])] {
        let mut firm = firm();
        let ticket = firm.lease(&[(0, open(50)), (1, open(50))]).unwrap();
        firm.ended(0, left);
        assert_eq!(firm.outcome(ticket), Some(&Moved::Rejected("the lane has ended".to_owned())));
        assert_eq!(counted(&firm), rest);
        assert_eq!(firm.lease(&[(0, open(1))]), Err(LeaseError::Ended));
        assert_eq!((firm.lease(&[(1, open(41))]).is_ok(), firm.next(0)), (left == Some(Notional(0)), None));
    }
    // What was on its way to a lane that died may have been taken.
    let mut firm = Firm::new(limits(100), 0, &[lease(10, 1, 1), lease(40, 1, 1)]).unwrap();
    firm.lease(&[(0, open(60))]).unwrap();
    firm.sent(0, lease(60, 1, 1), 1, LATE);
    firm.ended(0, None);
    assert_eq!((counted(&firm), firm.lease(&[(1, open(41))]).is_ok()), (vec![60, 40], false));
}

#[test]
fn what_cannot_be_is_refused_in_words_and_moves_nothing() {
    let mut firm = Firm::new(limits(1_000_000), -4, &[lease(600_000, 10, 5), lease(400_000, 10, 5)]).unwrap();
    assert!(Firm::new(limits(99), 0, &[lease(60, 1, 1), lease(40, 1, 1)]).is_none());
    let none = LaneLimitChange::default();
    for (changes, says) in [
        (vec![], "which lane is to have what?"),
        (vec![(0, none)], "which lane"),
        (vec![(2, open(1))], "no such lane"),
        (vec![(0, open(1)), (0, open(2))], "twice"),
        (vec![(0, open(0))], "max_total_open must be 1 at least"),
        (vec![(0, open(-5)), (1, open(9))], "max_total_open must be 1 at least"),
        (
            vec![(0, open(600_001))],
            "all lanes would have max_total_open 100 together, and the firm has 100: lower another",
        ),
        (vec![(1, open(1_000_000))], "would have max_total_open 160 together, and the firm has 100"),
    ] {
        let error = firm.lease(&changes).unwrap_err().to_string();
        assert!(error.contains(says), "{changes:?}: {error}");
    }
    let error = firm.lower(0, &open(600_001)).unwrap_err().to_string();
    assert_eq!(error, "max_total_open is leased to the lane up to 60: the command lease raises it");
    assert!((firm.next(0), firm.next(1)) == (None, None) && firm.outcome(Firm::TICKETS).is_none());
    assert_eq!(firm.lower(0, &open(600_000)), Ok(Firm::TICKETS));
    assert_eq!(firm.outcome(Firm::TICKETS), Some(&Moved::Taken), "it has it already");
    assert_eq!(firm.lower(0, &open(1)), Ok(Firm::TICKETS + 1));
    assert_eq!(firm.next(0), Some(lease(1, 10, 5)));
    assert!(firm.lower(0, &open(2)).is_err(), "what is given up is the firm's");
}

#[test]
fn a_later_lease_of_the_same_lane_takes_the_place_of_one_that_waits() {
    let mut firm = firm();
    let first = firm.lease(&[(0, open(30)), (1, open(70))]).unwrap();
    firm.sent(0, lease(30, 10, 5), 1, LATE);
    // It is given back: what the other was promised goes with it.
    let second = firm.lease(&[(0, open(60))]).unwrap();
    assert_eq!(firm.outcome(first), Some(&Moved::Rejected("another lease has taken its place".to_owned())));
    firm.answered(0, 1, Mono(5), None);
    assert_eq!((firm.next(0), firm.next(1)), (Some(lease(60, 10, 5)), None));
    firm.sent(0, lease(60, 10, 5), 2, LATE);
    firm.answered(0, 2, Mono(6), None);
    assert_eq!((firm.outcome(second), counted(&firm)), (Some(&Moved::Taken), vec![60, 40]));
}

#[test]
fn outcomes_are_kept_for_a_while_and_the_oldest_go_first() {
    let mut firm = firm();
    let tickets: Vec<u64> = (0..=ASKS).map(|_| firm.lease(&[(0, open(60))]).unwrap()).collect();
    assert_eq!((firm.outcome(tickets[0]), firm.outcome(tickets[1])), (None, Some(&Moved::Taken)));
}

/// A lane as it is: what it may have, what it has open, and what waits for it.
#[derive(Debug, Default)]
struct Truth {
    has: [i128; 3],
    open: i128,
    inbox: VecDeque<(u64, Lease, Mono)>,
    answers: VecDeque<(u64, Mono, bool)>,
    /// The latest status that was heard of, which may be old.
    status: (Mono, [i128; 3], i128),
    dead: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Ask(Vec<(usize, i128)>),
    Lower(usize, i128),
    Send(usize, bool),
    Take(usize, bool),
    Answer(usize, bool),
    Trade(usize, i128),
    Say(usize),
    Hear(usize),
    End(usize, bool),
    Time(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let lane = || 0..3_usize;
    let amount = || 1..120_i128;
    prop_oneof![
        3 => prop::collection::vec((lane(), amount()), 1..4).prop_map(Step::Ask),
        1 => (lane(), amount()).prop_map(|(lane, to)| Step::Lower(lane, to)),
        6 => (lane(), prop::bool::weighted(0.9)).prop_map(|(lane, room)| Step::Send(lane, room)),
        6 => (lane(), prop::bool::weighted(0.85)).prop_map(|(lane, takes)| Step::Take(lane, takes)),
        5 => (lane(), prop::bool::weighted(0.8)).prop_map(|(lane, heard)| Step::Answer(lane, heard)),
        6 => (lane(), amount()).prop_map(|(lane, open)| Step::Trade(lane, open)),
        4 => lane().prop_map(Step::Say),
        6 => lane().prop_map(Step::Hear),
        1 => (lane(), any::<bool>()).prop_map(|(lane, clean)| Step::End(lane, clean)),
        5 => (1..40_u64).prop_map(Step::Time),
    ]
}

/// The lanes' side of a step, with a clock that goes on with each.
fn play(firm: &mut Firm, truth: &mut [Truth], now: Mono, ticket: u64, step: Step) {
    match step {
        Step::Ask(moves) => drop(firm.lease(&moves.into_iter().map(|(lane, to)| (lane, open(to))).collect::<Vec<_>>())),
        Step::Lower(lane, to) => drop(firm.lower(lane, &open(to))),
        Step::Send(lane, has_room) => {
            if let Some(to) = firm.next(lane).filter(|_| has_room) {
                let expires = now.after(Nanos(60));
                firm.sent(lane, to, ticket, expires);
                truth[lane].inbox.push_back((ticket, to, expires));
            }
        }
        Step::Take(lane, takes) => {
            let lane = &mut truth[lane];
            let Some((ticket, to, expires)) = lane.inbox.pop_front().filter(|_| !lane.dead) else { return };
            let takes = takes && now <= expires;
            if takes {
                lane.has = to.values();
            }
            lane.answers.push_back((ticket, now, takes));
        }
        Step::Answer(lane, heard) => {
            if let Some((ticket, at, taken)) = truth[lane].answers.pop_front().filter(|_| heard) {
                firm.answered(lane, ticket, at, (!taken).then_some("no"));
            }
        }
        // What is open may become less at any time, and more up to what it may have.
        Step::Trade(lane, open) => {
            let lane = &mut truth[lane];
            lane.open = if open > lane.open { open.min(lane.has[OPEN].max(lane.open)) } else { open };
        }
        Step::Say(lane) => {
            let lane = &mut truth[lane];
            if !lane.dead {
                lane.status = (now, lane.has, lane.open);
            }
        }
        // An answer comes over the same tape, before a later status.
        Step::Hear(lane) => {
            let (at, has, open) = truth[lane].status;
            let answers = &mut truth[lane].answers;
            while answers.front().is_some_and(|(_, answered, _)| *answered <= at) {
                let Some((ticket, at, taken)) = answers.pop_front() else { break };
                firm.answered(lane, ticket, at, (!taken).then_some("no"));
            }
            firm.heard(lane, at, Lease(has), Notional(open));
        }
        Step::End(lane, clean) => {
            let lane_is = &mut truth[lane];
            lane_is.dead = true;
            if clean {
                lane_is.open = 0;
                lane_is.has = [0; 3];
            }
            let left = if clean { Some(Notional(0)) } else { None };
            firm.ended(lane, left);
        }
        Step::Time(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// What counts is never more than the firm has; and whatever a lane may have, or has open, counts.
    #[test]
    fn the_sum_is_never_above_the_firms(steps in prop::collection::vec(step(), 1..120)) {
        let limits = FirmLimits { max_total_open: Some(Notional(120)), orders_per_second: Some(30), burst: None };
        let leases = [lease(50, 10, 5), lease(40, 10, 5), lease(30, 10, 5)];
        let mut firm = Firm::new(limits, 0, &leases).unwrap();
        let mut truth: Vec<Truth> = leases.iter().map(|lease| Truth { has: lease.values(), ..Truth::default() }).collect();
        let mut now = Mono(1);
        for (ticket, step) in (1..).zip(steps) {
            now = now.after(Nanos(if let Step::Time(ns) = step { ns } else { 1 }));
            play(&mut firm, &mut truth, now, ticket, step);
            let leased: Vec<Leased> = firm.lanes().collect();
            prop_assert!(limits.exceeded_by(leased.iter().map(|lane| lane.counted)).is_none(), "{leased:?}");
            let mut may_be_open = 0;
            for (lane, truth) in leased.iter().zip(&truth) {
                prop_assert!(truth.has[OPEN] <= lane.counted.values()[OPEN], "{lane:?} {truth:?}");
                prop_assert!(truth.open <= lane.counted.values()[OPEN], "{lane:?} {truth:?}");
                may_be_open += truth.open.max(truth.has[OPEN]);
            }
            prop_assert!(may_be_open <= 120, "{truth:?}");
        }
    }

    /// Where nothing is lost, what is asked for comes about.
    #[test]
    fn what_is_asked_for_comes_about((first, second) in (1..118_i128).prop_flat_map(|n| (Just(n), 1..120 - n))) {
        let mut firm = Firm::new(limits(120), 0, &[lease(50, 1, 1), lease(40, 1, 1), lease(30, 1, 1)]).unwrap();
        let third = 120 - first - second;
        let ticket = firm.lease(&[(0, open(first)), (1, open(second)), (2, open(third))]).unwrap();
        let mut now = 1;
        for _ in 0..4 {
            for lane in 0..3 {
                if let Some(to) = firm.next(lane) {
                    firm.sent(lane, to, now, Mono::NEVER);
                    firm.answered(lane, now, Mono(now), None);
                    firm.heard(lane, Mono(now + 1), to, Notional(0));
                    now += 2;
                }
            }
        }
        prop_assert_eq!(firm.outcome(ticket), Some(&Moved::Taken));
        prop_assert_eq!(counted(&firm), [first, second, third]);
    }
}
