//! The state of a lane as a file: it comes back, and what is another lane's, another build's or damaged is refused by name.

use crate::gateway::rig::*;
use crate::targets_gateway::{middle, saved, saved_samples};
use firelane_gateway::base::{Digest, LoadError, Writer};
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::log::{Effects, FileHeader, FileReader, LogError, Role};
use firelane_gateway::shell::saved::{Saved, SavedError, VERSION};

fn header() -> FileHeader {
    FileHeader::new("told", "a = 1\n", vec![], Effects::Bytes)
}

fn file() -> Vec<u8> {
    let mut file = Vec::new();
    Saved::of(&middle(), &header()).save_to(&mut file).unwrap();
    file
}

/// Where the state begins behind the file's header.
fn state_at(file: &[u8]) -> usize {
    24 + u32::from_le_bytes(file[16..20].try_into().unwrap()) as usize
}

#[test]
fn a_state_comes_back_from_its_file() {
    let lane = middle();
    let saved = Saved::load_from(&file()[..]).unwrap();
    assert_eq!((saved.inputs, &saved.header), (lane.core().inputs(), &header()));
    let mut other = middle();
    let (mut out, input) =
        (firelane_gateway::flow::outbox::Outbox::new(0), Given::Timer(firelane_gateway::flow::Machine::Core));
    feed(&mut other, firelane_gateway::base::Mono(u64::MAX >> 1), input.as_input(), &mut out, |out| out.clear());
    assert_ne!(other.digest(), lane.digest());
    saved.restore(&mut other, &header()).unwrap();
    assert_eq!((other.digest(), Lane::inputs(&other)), (lane.digest(), saved.inputs));
    assert!(Writer::of(&other) == Writer::of(&lane));
}

/// What is saved of a small lane in the middle of a day. Where this fails, the lists of fields in `state!` and `value!` (or what
/// this day comes to) are others than before.
#[test]
fn what_is_saved_is_of_this_version() {
    const GOLDEN: (u32, usize, u64) = (4, 3_717, 4_141_981_938_778_554_544);
    let bytes = Writer::of(&middle());
    let found = (VERSION, bytes.len(), Digest::of(&bytes));
    assert_eq!(
        found, GOLDEN,
        "version, length and digest of the saved state: raise VERSION in src/shell/saved.rs, and put here what it is now"
    );
}

#[test]
fn every_cut_and_every_flipped_bit_is_found() {
    let good = file();
    let at = state_at(&good);
    for cut in (0..at).chain((at..good.len()).step_by(7)) {
        let error = Saved::load_from(&good[..cut]).unwrap_err();
        assert_eq!(matches!(error, SavedError::Torn), cut >= at, "cut at {cut}: {error}");
    }
    for bit in (0..at * 8).chain((at * 8..good.len() * 8).step_by(13)) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(Saved::load_from(&bad[..]).is_err(), "bit {bit}");
    }
    let longer = [&good[..], &[0]].concat();
    assert!(matches!(Saved::load_from(&longer[..]), Err(SavedError::Damaged(_))));
}

#[test]
fn what_is_not_this_lanes_is_refused_by_name() {
    let good = file();
    let said = |outcome: Result<Saved, SavedError>| outcome.unwrap_err().to_string();
    let mut newer = good.clone();
    let at = state_at(&good);
    newer[at..at + 4].copy_from_slice(&(VERSION + 1).to_le_bytes());
    assert!(said(Saved::load_from(&newer[..])).contains(&format!("version {}", VERSION + 1)));
    let mut log = good.clone();
    log[12] = 1;
    let other = Saved::load_from(&log[..]);
    assert!(matches!(other, Err(SavedError::File(LogError::Role { wanted: "state", found: 1 }))));
    assert!(FileReader::new(&good[..]).unwrap().expect(Role::Log).is_err(), "and it is no log");

    let saved = Saved::load_from(&good[..]).unwrap();
    let digest = middle().digest();
    let mut lane = middle();
    let wiring = FileHeader { wiring: "other".into(), ..header() };
    assert!(saved.restore(&mut lane, &wiring).unwrap_err().to_string().contains("\"told\"; the lane is of \"other\""));
    let config = FileHeader::new("told", "a = 2\n", vec![], Effects::Bytes);
    let refused = saved.restore(&mut lane, &config).unwrap_err();
    assert!(matches!(refused, SavedError::Config { .. }), "{refused}");
    // A hash that neither or one alone has says nothing.
    let shaped = |hash: &str| FileHeader { wiring_hash: hash.into(), ..header() };
    let of_a_shape = Saved::of(&middle(), &shaped("1"));
    let refused = of_a_shape.restore(&mut lane, &shaped("2")).unwrap_err();
    assert!(
        matches!(&refused, SavedError::Shape { saved, lane, .. } if (&**saved, &**lane) == ("1", "2")),
        "{refused}"
    );
    assert_eq!(lane.digest(), digest, "nothing was changed");
    for (saved, header) in [(&of_a_shape, header()), (&saved, shaped("2")), (&of_a_shape, shaped("1"))] {
        saved.restore(&mut middle(), &header).unwrap();
    }

    // The same configuration as far as the header says, and it is not.
    let mut larger = lane_of(|setup| setup.orders.fills += 1);
    let refused = saved.restore(&mut larger, &header()).unwrap_err();
    let SavedError::Load(LoadError::Capacity { of, built: 257, saved: 2 }) = refused else { panic!("{refused}") };
    assert!(of.ends_with(".fills"), "{of}");
}

fn lane_of(change: impl FnOnce(&mut Setup)) -> impl Lane {
    let mut setup = Setup::default();
    change(&mut setup);
    setup.feed.window_messages = 8;
    setup.books.instruments = 2;
    (setup.orders.capacity, setup.orders.retained, setup.instruments) = (4, 2, 2);
    lane(&setup, Told::default())
}

/// A lane is restored for each, and some go through a day from there: so it is thousands here and not a million. The fuzzer
/// goes on.
#[test]
fn mutated_states_never_panic() {
    let samples = saved_samples();
    samples.iter().for_each(|sample| saved(sample));
    crate::mutations::mutations(4_000, 0x57A7E, &samples, saved);
}
