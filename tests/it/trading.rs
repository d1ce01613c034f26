//! Trading state: each rule by itself, as "TotalView-ITCH 5.0", "Glimpse 5.0" and the module's doc give them.

use firelane_gateway::base::{Digest, ExchangeTime, InstrumentId, Price, Qty, Reader, State, Writer};
use firelane_gateway::flow::event::{SessionPhase, Status, TradingAction};
use firelane_gateway::flow::trading::{NotInSnapshot, NotTradable, Permit, Trading, TradingConfig, UnknownState};

const ID: InstrumentId = InstrumentId(0);
const OTHER: InstrumentId = InstrumentId(1);

/// Ten o'clock of some day.
const NOW: ExchangeTime = ExchangeTime::new(15_512, 36_000_000_000_000);

const fn clock(hours: u64, minutes: u64) -> u64 {
    (hours * 60 + minutes) * 60_000_000_000
}

const RELEASE: u64 = clock(10, 30);
const BEFORE_RELEASE: ExchangeTime = ExchangeTime::new(15_512, RELEASE - 1);
const AT_RELEASE: ExchangeTime = ExchangeTime::new(15_512, RELEASE);

fn one(trading: &mut Trading, status: Status) {
    trading.apply(NOW, Some(ID), &status);
}

fn market(trading: &mut Trading, status: Status) {
    trading.apply(NOW, None, &status);
}

fn act(trading: &mut Trading, action: TradingAction) {
    one(trading, Status::Trading(action));
}

const LIVE: Status = Status::Directory { live: true, lot: Qty(100) };
const OPEN: Status = Status::Session(SessionPhase::StartOfMarketHours);

/// Two instruments, both tradable.
fn open_with(config: TradingConfig) -> Trading {
    let mut trading = Trading::new(config, 2);
    market(&mut trading, OPEN);
    for id in [ID, OTHER] {
        trading.apply(NOW, Some(id), &LIVE);
        trading.apply(NOW, Some(id), &Status::Trading(TradingAction::Trading));
        assert_eq!(trading.tradable(id, NOW), Ok(()));
    }
    trading
}

fn open() -> Trading {
    open_with(TradingConfig::default())
}

#[track_caller]
fn refused(trading: &Trading, why: NotTradable) {
    assert_eq!(trading.tradable(ID, NOW), Err(why));
    assert_eq!(trading.tradable(OTHER, NOW), Ok(()), "the other one is not concerned");
}

/// Whatever is said, and whatever a configuration makes of what is not known: what an order asks is what the reasons say.
#[test]
fn what_an_order_asks_in_one_look_is_what_the_reasons_say() {
    let actions = [TradingAction::Halted, TradingAction::Paused, TradingAction::QuotationOnly, TradingAction::Trading];
    let of_one = |n: u64| {
        let even = (n / 12).is_multiple_of(2);
        match n % 12 {
            0..3 => Status::Trading(actions[(n / 12 % 4) as usize]),
            3 => Status::Directory { live: !(n / 12).is_multiple_of(5), lot: Qty(100) },
            4 => Status::OperationalHalt { market: b'Q', halted: even },
            5 => Status::ShortSaleRestricted(even),
            6 => Status::Collar { reference: Price(10), lower: Price(9), upper: Price(11) },
            7 => Status::Ipo { anticipated: !(n / 12).is_multiple_of(3), release_ns: RELEASE, price: Price(10) },
            8 => Status::DirectListing { eligible: even, lower: Price(9), upper: Price(11) },
            9 => Status::Participant { mpid: *b"FIRE", active: even },
            _ => Status::Trading(TradingAction::Trading),
        }
    };
    let (mut fit, mut unfit) = (0, 0);
    for seed in 0..200u64 {
        let unknown = [0, 1, 2, 3, 4, 5].map(|kind| match seed >> kind & 1 {
            0 => UnknownState::Allow,
            _ => UnknownState::Block,
        });
        let mpid = seed.is_multiple_of(2).then_some(*b"FIRE");
        let mut trading = open_with(TradingConfig { unknown, mpid, ..TradingConfig::default() });
        let mut rolls = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for _ in 0..200 {
            rolls ^= rolls << 13;
            rolls ^= rolls >> 7;
            rolls ^= rolls << 17;
            let roll = rolls >> 11;
            match roll % 40 {
                0 => market(&mut trading, Status::Breaker(1 + (roll / 40 % 2) as u8)),
                1 => market(&mut trading, Status::BreakerLevels([3, 2, 1])),
                2 => trading.before_snapshot(),
                3 => trading.after_snapshot(),
                4 => market(&mut trading, OPEN),
                5 if roll.is_multiple_of(9) => market(&mut trading, Status::Session(SessionPhase::EndOfMarketHours)),
                6 if roll.is_multiple_of(7) => trading.reset(),
                7 => {
                    let saved = Writer::of(&trading);
                    trading.load(&mut Reader(&saved)).unwrap();
                }
                _ => trading.apply(NOW, Some(InstrumentId((roll / 40 % 2) as u32)), &of_one(roll / 80)),
            }
            for (id, now) in
                [ID, OTHER, InstrumentId(2)].into_iter().flat_map(|id| [(id, BEFORE_RELEASE), (id, AT_RELEASE)])
            {
                let tradable = trading.tradable(id, now).is_ok();
                let (collar, short_restricted) = (trading.collar(id), trading.short_restricted(id));
                assert_eq!(
                    trading.permit(id, now),
                    Permit { tradable, collar, short_restricted },
                    "{id:?}, seed {seed}"
                );
                *(if tradable { &mut fit } else { &mut unfit }) += 1;
            }
        }
    }
    assert!(fit > 10_000 && unfit > 10_000, "{fit} and {unfit}");
}

/// Section 6, S: "Q/M start/end of market hours".
#[test]
fn only_market_hours_are_tradable() {
    let mut trading = open();
    for (phase, tradable) in [
        (SessionPhase::Unknown, false),
        (SessionPhase::StartOfMessages, false),
        (SessionPhase::StartOfSystemHours, false),
        (SessionPhase::StartOfMarketHours, true),
        (SessionPhase::EndOfMarketHours, false),
        (SessionPhase::EndOfSystemHours, false),
        (SessionPhase::EndOfMessages, false),
    ] {
        market(&mut trading, Status::Session(phase));
        assert_eq!(trading.phase(), phase);
        assert_eq!(trading.tradable(ID, NOW), if tradable { Ok(()) } else { Err(NotTradable::MarketClosed) });
    }
}

/// Section 6, H: "H halted, P paused, Q quotes only, T trading; no H at start = halted".
#[test]
fn only_state_t_is_tradable_and_a_symbol_without_a_state_is_halted() {
    let mut trading = open();
    act(&mut trading, TradingAction::Halted);
    refused(&trading, NotTradable::Halted);
    act(&mut trading, TradingAction::Paused);
    refused(&trading, NotTradable::Paused);
    act(&mut trading, TradingAction::QuotationOnly);
    refused(&trading, NotTradable::QuotationOnly);
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, NOW), Ok(()));

    let mut silent = Trading::new(TradingConfig::default(), 1);
    market(&mut silent, OPEN);
    one(&mut silent, LIVE);
    assert_eq!(silent.tradable(ID, NOW), Err(NotTradable::Halted));
}

/// Section 6, R: "Authenticity P live, T test".
#[test]
fn a_symbol_must_be_in_the_directory_and_live() {
    let mut trading = Trading::new(TradingConfig::default(), 1);
    market(&mut trading, OPEN);
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, NOW), Err(NotTradable::NotInDirectory));
    one(&mut trading, Status::Directory { live: false, lot: Qty(100) });
    assert_eq!(trading.tradable(ID, NOW), Err(NotTradable::TestSymbol));
    one(&mut trading, LIVE);
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
    // Beyond the capacity nothing is tradable, and nothing is kept.
    trading.apply(NOW, Some(InstrumentId(1)), &LIVE);
    assert_eq!(trading.tradable(InstrumentId(1), NOW), Err(NotTradable::NotInDirectory));
    assert!(trading.short_restricted(InstrumentId(1)));
}

/// Section 6, h: "Q Nasdaq, B BX-Texas, X PSX; H halted, T resumed".
#[test]
fn an_operational_halt_counts_on_the_own_market_alone() {
    let halt = |market, halted| Status::OperationalHalt { market, halted };
    let mut trading = open();
    one(&mut trading, halt(b'B', true));
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
    one(&mut trading, halt(b'Q', true));
    refused(&trading, NotTradable::OperationalHalt);
    one(&mut trading, halt(b'B', false));
    refused(&trading, NotTradable::OperationalHalt);
    // Another market's H T does not lift it either: it is this venue's own.
    act(&mut trading, TradingAction::Trading);
    refused(&trading, NotTradable::OperationalHalt);
    one(&mut trading, halt(b'Q', false));
    assert_eq!(trading.tradable(ID, NOW), Ok(()));

    let mut texas = open_with(TradingConfig { market: b'B', ..TradingConfig::default() });
    one(&mut texas, halt(b'Q', true));
    assert_eq!(texas.tradable(ID, NOW), Ok(()));
    one(&mut texas, halt(b'B', true));
    refused(&texas, NotTradable::OperationalHalt);
}

/// Section 6, Y: "0 none, 1 intraday drop, 2 remains".
#[test]
fn reg_sho_marks_but_does_not_stop() {
    let mut trading = open();
    assert!(!trading.short_restricted(ID));
    one(&mut trading, Status::ShortSaleRestricted(true));
    assert!(trading.short_restricted(ID) && !trading.short_restricted(OTHER));
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
    one(&mut trading, Status::ShortSaleRestricted(false));
    assert!(!trading.short_restricted(ID));
}

/// Section 6, J "LULD Auction Collar"; read as binding until the H `T` that ends the auction.
#[test]
fn an_auction_collar_binds_until_trading_resumes() {
    let mut trading = open();
    let collar = |lower, upper| Status::Collar { reference: Price(100), lower: Price(lower), upper: Price(upper) };
    act(&mut trading, TradingAction::Paused);
    one(&mut trading, collar(95, 105));
    assert_eq!(trading.collar(ID), Some((Price(95), Price(105))));
    assert_eq!(trading.collar(OTHER), None);
    one(&mut trading, collar(90, 110));
    act(&mut trading, TradingAction::QuotationOnly);
    assert_eq!(trading.collar(ID), Some((Price(90), Price(110))), "an extension widens it; Q does not end it");
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.collar(ID), None);
}

/// Section 6, K: "IPO Quotation Release Time (s since midnight)", "A anticipated, C cancelled".
#[test]
fn an_ipo_trades_after_its_release_time_and_an_h_t() {
    let ipo = |anticipated, release_ns| Status::Ipo { anticipated, release_ns, price: Price(0) };
    // H T first, then the time comes.
    let mut trading = open();
    one(&mut trading, ipo(true, RELEASE));
    refused(&trading, NotTradable::IpoNotReleased);
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, BEFORE_RELEASE), Err(NotTradable::IpoNotReleased));
    assert_eq!(trading.tradable(ID, AT_RELEASE), Ok(()));
    // The time comes first, then H T; an H T from before the K does not count.
    let mut trading = open();
    one(&mut trading, ipo(true, RELEASE));
    assert_eq!(trading.tradable(ID, AT_RELEASE), Err(NotTradable::IpoNotReleased));
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, AT_RELEASE), Ok(()));
    // Another K begins anew.
    one(&mut trading, ipo(true, RELEASE));
    assert_eq!(trading.tradable(ID, AT_RELEASE), Err(NotTradable::IpoNotReleased));
    // Cancelled: only an H T opens it, at any time.
    one(&mut trading, ipo(false, 0));
    refused(&trading, NotTradable::IpoNotReleased);
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
}

/// Section 6, W: levels 1 and 2 stop trading until it resumes.
#[test]
fn a_breaker_of_level_one_or_two_asks_each_instrument_for_an_h_t() {
    for level in [1, 2] {
        let mut trading = open();
        market(&mut trading, Status::Breaker(level));
        for id in [ID, OTHER] {
            assert_eq!(trading.tradable(id, NOW), Err(NotTradable::Breaker));
        }
        act(&mut trading, TradingAction::Trading);
        assert_eq!(trading.tradable(ID, NOW), Ok(()));
        assert_eq!(trading.tradable(OTHER, NOW), Err(NotTradable::Breaker), "each by its own");
        market(&mut trading, Status::Breaker(2));
        assert_eq!(trading.tradable(ID, NOW), Err(NotTradable::Breaker), "a second breach asks again");
    }
}

/// Section 6, W: level 3 ends the day.
#[test]
fn a_breaker_of_level_three_ends_the_day() {
    let mut trading = open();
    market(&mut trading, Status::Breaker(3));
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, NOW), Err(NotTradable::Breaker));
    trading.after_snapshot();
    assert_eq!(trading.tradable(ID, NOW), Err(NotTradable::Breaker), "no snapshot makes it undone");
    trading.reset();
    market(&mut trading, OPEN);
    one(&mut trading, LIVE);
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, NOW), Ok(()), "the next day");
}

/// Section 6, O: "Y N eligible".
#[test]
fn a_direct_listing_waits_until_it_is_eligible_or_trades() {
    let listing = |eligible| Status::DirectListing { eligible, lower: Price(0), upper: Price(0) };
    let mut trading = open();
    one(&mut trading, listing(false));
    refused(&trading, NotTradable::NotEligible);
    one(&mut trading, listing(true));
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
    one(&mut trading, listing(false));
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
}

/// Section 6, L: of use where the participant is the own one.
#[test]
fn the_own_market_participant_must_be_active() {
    let l = |mpid: &[u8; 4], active| Status::Participant { mpid: *mpid, active };
    let mut trading = open_with(TradingConfig { mpid: Some(*b"FIRE"), ..TradingConfig::default() });
    one(&mut trading, l(b"ELSE", false));
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
    one(&mut trading, l(b"FIRE", false));
    refused(&trading, NotTradable::NotActive);
    one(&mut trading, l(b"FIRE", true));
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
    let mut trading = open();
    one(&mut trading, l(b"FIRE", false));
    assert_eq!(trading.tradable(ID, NOW), Ok(()), "one that makes no market is not concerned");
}

/// Section 5, Content: a snapshot carries S R H Y h, not L V W K J (nor O).
#[test]
fn what_a_snapshot_does_not_carry_is_unknown_until_the_feed_says_it() {
    let said = |kind| match kind {
        NotInSnapshot::Participant => Status::Participant { mpid: *b"FIRE", active: true },
        NotInSnapshot::BreakerLevels => Status::BreakerLevels([3, 2, 1]),
        NotInSnapshot::Collar => Status::Collar { reference: Price(2), lower: Price(1), upper: Price(3) },
        NotInSnapshot::DirectListing => Status::DirectListing { eligible: true, lower: Price(0), upper: Price(0) },
        // Answered by an H T alone: a K or a W that comes asks for one itself.
        NotInSnapshot::Ipo | NotInSnapshot::Breaker => Status::Trading(TradingAction::Trading),
    };
    for (n, kind) in NotInSnapshot::ALL.into_iter().enumerate() {
        let mut unknown = [UnknownState::Allow; 6];
        unknown[n] = UnknownState::Block;
        let mut trading = open_with(TradingConfig { mpid: Some(*b"FIRE"), unknown, ..TradingConfig::default() });
        trading.after_snapshot();
        for id in [ID, OTHER] {
            assert_eq!(trading.tradable(id, NOW), Err(NotTradable::Unknown(kind)));
        }
        one(&mut trading, said(kind));
        assert_eq!(trading.tradable(ID, NOW), Ok(()), "{kind:?} was said");
        let of_the_market = kind == NotInSnapshot::BreakerLevels;
        let other = if of_the_market { Ok(()) } else { Err(NotTradable::Unknown(kind)) };
        assert_eq!(trading.tradable(OTHER, NOW), other);
        // An H T answers what it ends, and nothing else.
        trading.apply(NOW, Some(OTHER), &Status::Trading(TradingAction::Trading));
        let open = of_the_market || kind != NotInSnapshot::Participant;
        assert_eq!(trading.tradable(OTHER, NOW).is_ok(), open, "{kind:?}");
    }
}

#[test]
fn what_is_unknown_may_be_allowed() {
    let mut trading = open();
    one(&mut trading, Status::Collar { reference: Price(2), lower: Price(1), upper: Price(3) });
    market(&mut trading, Status::BreakerLevels([3, 2, 1]));
    market(&mut trading, Status::Breaker(1));
    trading.after_snapshot();
    for id in [ID, OTHER] {
        assert_eq!(trading.tradable(id, NOW), Ok(()));
    }
    assert_eq!((trading.collar(ID), trading.breaker_levels()), (None, None));
    // What the snapshot does carry holds: S, R, H, Y, h.
    act(&mut trading, TradingAction::Paused);
    refused(&trading, NotTradable::Paused);
    // And what the feed says after it counts as ever.
    act(&mut trading, TradingAction::Trading);
    market(&mut trading, Status::Breaker(1));
    assert_eq!(trading.tradable(ID, NOW), Err(NotTradable::Breaker));
}

/// Without an own participant nobody has to say that it is active.
#[test]
fn an_unknown_participant_blocks_only_who_makes_a_market() {
    let unknown = [UnknownState::Block; 6];
    let mut trading = open_with(TradingConfig { unknown, ..TradingConfig::default() });
    trading.after_snapshot();
    market(&mut trading, Status::BreakerLevels([3, 2, 1]));
    act(&mut trading, TradingAction::Trading);
    assert_eq!(trading.tradable(ID, NOW), Ok(()));
}

#[test]
fn state_is_saved_restored_and_digested() {
    let digest = |trading: &Trading| Digest::of_state(trading);
    let changes: [(Option<InstrumentId>, Status); 12] = [
        (None, Status::Session(SessionPhase::EndOfMarketHours)),
        (None, Status::BreakerLevels([9, 8, 7])),
        (None, Status::Breaker(1)),
        (None, Status::Breaker(3)),
        (Some(OTHER), Status::Directory { live: false, lot: Qty(1) }),
        (Some(OTHER), Status::Trading(TradingAction::QuotationOnly)),
        (Some(ID), Status::OperationalHalt { market: b'Q', halted: true }),
        (Some(ID), Status::ShortSaleRestricted(true)),
        (Some(ID), Status::Collar { reference: Price(2), lower: Price(1), upper: Price(3) }),
        (Some(ID), Status::Ipo { anticipated: true, release_ns: RELEASE, price: Price(1) }),
        (Some(OTHER), Status::Ipo { anticipated: false, release_ns: 0, price: Price(0) }),
        (Some(OTHER), Status::DirectListing { eligible: false, lower: Price(0), upper: Price(0) }),
    ];
    let mut trading = open();
    for (id, status) in changes {
        let before = digest(&trading);
        trading.apply(NOW, id, &status);
        assert_ne!(digest(&trading), before, "{status:?}");
        let mut saved = Writer::default();
        trading.save(&mut saved);
        let mut loaded = Trading::new(TradingConfig::default(), 2);
        loaded.load(&mut Reader(&saved.0)).unwrap();
        assert_eq!(digest(&loaded), digest(&trading));
        for id in [ID, OTHER] {
            assert_eq!(loaded.tradable(id, NOW), trading.tradable(id, NOW));
            assert_eq!(loaded.collar(id), trading.collar(id));
        }
        for short in 0..saved.0.len() {
            assert!(loaded.load(&mut Reader(&saved.0[..short])).is_err());
        }
    }
    let before = digest(&trading);
    trading.after_snapshot();
    assert_ne!(digest(&trading), before);
    assert!(Trading::new(TradingConfig::default(), 1).load(&mut Reader(&[0; 1_000])).is_err(), "another capacity");
}
