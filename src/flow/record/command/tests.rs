//! Any command survives the log, and any bytes are read as one.

use super::*;
use crate::flow::command::Why;
use proptest::collection::vec;
use proptest::num;
use std::vec::Vec;

fn word(kind: u8, n: i64, wide: i128, bytes: &[u8]) -> Word<'_> {
    let some = |bit: u32| n.rotate_left(bit) & 1 == 1;
    let at = Mono(n as u64);
    match kind % 19 {
        0 => Word::Kill,
        1 => Word::Release,
        2 => Word::Enable,
        3 => Word::Disable,
        4 => Word::Shutdown,
        5 => Word::Snapshot,
        6 => Word::Start,
        7 => Word::Hold,
        8 => Word::Resume,
        9 => Word::Limits(LimitChange {
            order_qty: some(1).then_some(Qty(n)),
            order_notional: some(2).then_some(Notional(wide)),
            position: some(3).then_some(Qty(!n)),
            open: some(4).then_some(Notional(!wide)),
            short: some(5).then_some(SHORT[(n & 1) as usize + usize::from(some(6))]),
        }),
        10 => Word::LaneLimits(LaneLimitChange {
            total_open: some(1).then_some(Notional(wide)),
            orders_per_second: some(2).then_some(n as u32),
            burst: some(3).then_some(!n as u32),
        }),
        11 => Word::Locates { shares: Qty(n) },
        12 => Word::CarryIn { shares: Qty(n), cost: Notional(wide) },
        13 => Word::Target { position: Qty(n) },
        14 => Word::Alert(Detected { detector: n as u16, value: !n, at }),
        15 => Word::Parameter { key: Key::new("taker.size").unwrap(), value: n },
        16 => Word::Parent(ParentOrder {
            what: ParentStep::ALL[n.rem_euclid(5) as usize],
            parent: ParentId(n as u64),
            side: if some(1) { Side::Buy } else { Side::Sell },
            qty: Qty(!n),
            limit: some(2).then_some(Price(n)),
            start: at,
            end: Mono(!at.0),
            urgency: n as u8,
            algorithm: n as u16,
            account: AccountId(!n as u16),
        }),
        17 => Word::Own(Own::new(bytes).unwrap()),
        _ => Word::Unknown(Foreign::new(200, bytes).unwrap()),
    }
}

proptest::proptest! {
    /// What is said is what is read, and what is read again is the same bytes.
    #[test]
    fn every_command_survives_the_log(
        (kind, n, wide, bytes) in (0..19_u8, num::i64::ANY, num::i128::ANY, vec(num::u8::ANY, 0..=Own::MOST)),
        (from, ticket, expires, named) in (num::u16::ANY, num::u64::ANY, num::u64::ANY, 0..8_u8),
        (venue, instrument, strategy) in (num::u8::ANY, num::u32::ANY, num::u16::ANY),
    ) {
        let to = To {
            venue: (named & 1 != 0).then_some(VenueId(venue)),
            instrument: (named & 2 != 0).then_some(InstrumentId(instrument)),
            strategy: (named & 4 != 0).then_some(StrategyId(strategy)),
        };
        let word = word(kind, n, wide, &bytes);
        let command = Command { from: Commander(from), ticket, to, expires: Mono(expires), word };
        let buf = CommandBuf::of(&command);
        assert_eq!(buf.read(), command);
        assert_eq!(CommandBytes::new(buf.bytes().bytes()), Some(buf.bytes()));
        assert_eq!(CommandBuf::from(buf.bytes()), buf);
        let snapshot = word == Word::Snapshot && named == 1;
        assert_eq!(buf.bytes().snapshot_of(), snapshot.then_some(VenueId(venue)));
        for now in [0, expires.saturating_sub(1), expires, expires.saturating_add(1)] {
            assert_eq!(buf.bytes().is_expired(Mono(now)), now > expires);
        }
    }

    /// Any bytes are a command or too short or too long for one; what is read of them is written as the same bytes, but for
    /// fields that name nobody.
    #[test]
    fn any_bytes_are_read_as_one_command(mut bytes in vec(num::u8::ANY, 0..CommandBytes::MOST + 9), code in 0..22_u8) {
        if let Some(first) = bytes.first_mut() {
            *first = code;
        }
        let Some(read) = CommandBytes::new(&bytes) else {
            assert!(bytes.len() < HEAD || bytes.len() > CommandBytes::MOST);
            return Ok(());
        };
        let command = read.read();
        assert_eq!(command.word.code(), code);
        let again = CommandBuf::of(&command);
        assert_eq!(again.bytes().bytes()[HEAD..], bytes[HEAD..], "{command:?}");
        if bytes[1] < 8 {
            assert_eq!(again.read(), command);
        } else {
            assert!(matches!(command.word, Word::Unknown(_)), "addressees of another build");
        }
    }
}

#[test]
fn the_shells_own_are_what_they_are_called() {
    for (bytes, word) in [
        (CommandBytes::KILL, Word::Kill),
        (CommandBytes::RELEASE, Word::Release),
        (CommandBytes::ENABLE, Word::Enable),
        (CommandBytes::DISABLE, Word::Disable),
        (CommandBytes::SHUTDOWN, Word::Shutdown),
        (CommandBytes::START, Word::Start),
        (CommandBytes::HOLD, Word::Hold),
        (CommandBytes::RESUME, Word::Resume),
    ] {
        assert_eq!(CommandBuf::from(word), CommandBuf::from(bytes));
        assert_eq!(bytes.read(), Command::of(word));
        assert!(bytes.is(word) && !bytes.is(Word::Snapshot));
    }
    let one = CommandBuf::of(&Command::of(Word::Kill).to(To::venue(VenueId(0))));
    assert!(!one.bytes().is(Word::Kill), "that of a venue is not the lane's");
}

#[test]
fn what_cannot_be_a_word_is_unknown() {
    let with = |code: u8, body: &[u8]| {
        let bytes = [&plain(code)[..], body].concat();
        matches!(CommandBytes::new(&bytes).unwrap().read().word, Word::Unknown(_))
    };
    assert!(!with(1, b"") && with(1, b"x") && with(0, b"") && with(19, b"") && with(255, b""));
    let sound = limits(&LimitChange { short: Some(ShortSale::MarketMaker), ..LimitChange::default() });
    assert!(!with(10, sound.as_bytes()));
    assert!(with(10, LimitsBody { short: 3, ..sound }.as_bytes()));
    assert!(with(10, LimitsBody { set: 48, ..sound }.as_bytes()), "a limit that this build does not have");
    assert!(with(10, LimitsBody { set: 0, ..sound }.as_bytes()), "a value that is not set");
    let key = ParameterBody { key: [b'k'; Key::MOST], value: I64::new(1) };
    assert!(!with(16, key.as_bytes()) && with(16, ParameterBody { key: [0; Key::MOST], ..key }.as_bytes()));
    assert!(with(12, &[0; 7]) && !with(12, &[0; 8]) && with(12, &[0; 9]));
}

#[test]
fn an_answer_says_who_asked_what_became_of_it_and_why() {
    let command = Command { from: Commander(7), ticket: 9, ..Command::of(Word::Locates { shares: Qty(1) }) };
    for (outcome, said, why, text) in [
        (Outcome::Taken, Said::Taken, 0, ""),
        (Outcome::Expired, Said::Expired, 0, ""),
        (Outcome::Unknown, Said::Unknown, 0, ""),
        (Outcome::Rejected(Why::NoSuchVenue), Said::Rejected, 1, "the lane has no such venue"),
        (Outcome::Rejected(Why::Refused("not on a Sunday")), Said::Rejected, 8, "not on a Sunday"),
    ] {
        let (body, words) = AnswerBody::of(&command, outcome);
        let bytes: Vec<u8> = [body.as_bytes(), words.concat().as_bytes()].concat();
        let answer = Answer { from: Commander(7), ticket: 9, code: 12, said, why, text };
        assert_eq!(Answer::read(&bytes), Some(answer));
    }
    assert_eq!(Answer::read(&[0; size_of::<AnswerBody>() - 1]), None);
    let mut other = [0; size_of::<AnswerBody>()];
    other[11] = 4;
    assert_eq!(Answer::read(&other), None);
}
