//! Corruption that no checksum catches: books and orders may then be anything, but nothing panics, nothing stands
//! still, and everything that can be seen to be wrong is counted.

use super::rig::{Buffer, Run};
use firelane_gateway::base::{Mono, VenueId};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::flow::wire::moldudp64::Packet;
use firelane_gateway::shell::log::FileReader;
use firelane_sim::net::Corruption;
use firelane_sim::rng::Ppm;
use firelane_sim::world::{Seat, WorldError};

/// Messages that packets of a log announce and do not hold.
fn cut_off(log: &[u8]) -> u64 {
    let mut reader = FileReader::new(log).unwrap();
    let mut missing = 0;
    while let Some(record) = reader.next_record().unwrap() {
        if let (Some(Kind::Packet), Some((_, bytes))) = (record.kind, record.tagged())
            && let Ok(packet) = Packet::parse(bytes)
        {
            let torn = packet.messages().find_map(Result::err);
            missing += torn.map_or(0, |torn| u64::from(torn.missing));
        }
    }
    missing
}

#[test]
fn what_no_checksum_catches_is_counted_and_harms_nothing_but_the_books() {
    let (mut rested, mut books_wrong) = (0, 0);
    let (mut malformed, mut unknown, mut truncated, mut elsewhere) = (0, 0, 0, 0);
    for seed in 0..16 {
        let run = Run {
            network: |network| {
                for line in &mut network.lines {
                    (line.corrupt, line.corruption) = (Ppm::percent(4), Corruption::Undetected);
                }
            },
            ..Run::heavy(seed)
        };
        let log = Buffer::default();
        let mut world = run.world_without_audits(Some(&log));
        match world.run(|_: Mono| ()) {
            Ok(()) => rested += 1,
            // A number that is wrong may be waited for in vain, and a book that is known to be wrong with it. Order entry
            // is not.
            Err(WorldError::NotAtRest { waiting, .. }) => {
                let of_the_market =
                    ["the lane waits for message ", "stale books: ", "the end of the market-data session"];
                assert!(of_the_market.iter().any(|of| waiting.starts_with(of)), "{run:?}: {waiting}");
            }
            Err(error) => panic!("{run:?}: {error}"),
        }
        // A book that is wrong and does not look it stays so. Everything else agrees.
        let wrong: Vec<String> = world.reconcile().iter().map(ToString::to_string).collect();
        let not_books = wrong.iter().filter(|text| !text.starts_with("bids of ") && !text.starts_with("asks of "));
        assert_eq!(not_books.collect::<Vec<_>>(), [""; 0], "{run:?}");
        books_wrong += wrong.len();
        let feed = *world.lane(Seat::FIRST).feed_counters(VenueId::FIRST).unwrap();
        let core = *world.lane(Seat::FIRST).core_counters();
        world.finish().unwrap();

        // Every message of a believed packet went one way: delivered first, known already, malformed, without room, or
        // not in the packet that announced it.
        let sum = |of: fn(&firelane_gateway::flow::feed::LineCounters) -> u64| feed.lines.iter().map(of).sum::<u64>();
        let told = sum(|l| l.won) + sum(|l| l.duplicates) + sum(|l| l.malformed) + feed.window_full;
        let untold = sum(|l| l.messages).checked_sub(told).expect("no message is counted twice");
        assert!(untold <= cut_off(&log.0.lock().unwrap()), "{run:?}: {untold} messages are nowhere");
        // What the feed let pass is of a length and of fields that it knows.
        assert_eq!((core.bad_length, core.bad_field), (0, 0), "{run:?}");
        malformed += sum(|l| l.malformed);
        unknown += core.unknown_type;
        truncated += sum(|l| l.truncated);
        elsewhere += sum(|l| l.bad_header) + sum(|l| l.foreign) + sum(|l| l.implausible);
    }
    // Corruption does something to the books, and does not make every world wait for ever.
    assert!(books_wrong > 0 && rested > 0, "{rested} at rest, {books_wrong} books wrong");
    assert!(malformed > 0 && unknown > 0 && truncated > 0 && elsewhere > 0);
}
