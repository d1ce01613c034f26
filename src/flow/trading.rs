//! Trading state: may an order be sent in this instrument now?
//!
//! An instrument is tradable in market hours (S `Q` to `M`), when the directory names it as live (R authenticity `P`),
//! its primary market trades it (H `T`; a symbol without an H is halted), this venue has not halted it (h), and nothing
//! of the following is pending. Each is ended by an H `T` that comes after it, for that is how the venue says that
//! trading goes on (Nasdaq, "TotalView-ITCH 5.0" and "Glimpse 5.0"):
//!
//! - **A market-wide breaker (W)** of level 1 or 2: until the instrument's own H `T`. Level 3: for the rest of the day.
//! - **An IPO (K)**: anticipated, until its release time has come *and* an H `T`; cancelled, until an H `T`.
//! - **A direct listing (O)** that is not eligible: until it is, or an H `T`.
//!
//! A **limit-up-limit-down auction (J)** gives price bounds instead ([`Trading::collar`]): an order outside of them cannot
//! take part in the auction that reopens a paused security. Read so: they bind from the J until the H `T` that ends the
//! auction, so that they matter where a configuration lets orders out before that.
//!
//! A Glimpse snapshot carries S, R, H, Y and h. What it does not carry is *unknown* after a splice
//! ([`Trading::after_snapshot`]) until the feed says it: by a message of that kind, or, for what an H `T` ends, by an
//! H `T`. What being unknown does is configured by kind; to allow is sound, because a security that waits for a breaker,
//! an auction, an IPO or a listing is not in state `T`, and the snapshot has its H.

use super::event::{SessionPhase, Status, TradingAction};
use crate::base::{ExchangeTime, InstrumentId, LoadError, Price};
use alloc::boxed::Box;
use alloc::vec;

/// Why an order must not be sent now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotTradable {
    /// Outside of market hours, or the hour is not known.
    MarketClosed,
    /// The directory has not named it.
    NotInDirectory,
    /// A test symbol.
    TestSymbol,
    /// A market-wide breaker stopped it, and it has not resumed.
    Breaker,
    /// Halted, or no trading action heard.
    Halted,
    /// Paused.
    Paused,
    /// Quotes only.
    QuotationOnly,
    /// Halted on this venue.
    OperationalHalt,
    /// An IPO that is not released, or cancelled.
    IpoNotReleased,
    /// A direct listing that may not open yet.
    NotEligible,
    /// The own market participant is not active in it.
    NotActive,
    /// Not known since a snapshot, and configured to block.
    Unknown(NotInSnapshot),
}

/// What a Glimpse snapshot does not carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum NotInSnapshot {
    /// L: the own market participant's state.
    Participant = 0,
    /// V: breaker levels.
    BreakerLevels = 1,
    /// W: breaches of them.
    Breaker = 2,
    /// K: IPO releases.
    Ipo = 3,
    /// J: auction collars.
    Collar = 4,
    /// O: direct listings.
    DirectListing = 5,
}

impl NotInSnapshot {
    /// All kinds, in the order of their bits.
    pub const ALL: [NotInSnapshot; 6] = [
        NotInSnapshot::Participant,
        NotInSnapshot::BreakerLevels,
        NotInSnapshot::Breaker,
        NotInSnapshot::Ipo,
        NotInSnapshot::Collar,
        NotInSnapshot::DirectListing,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What being unknown does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum UnknownState {
    /// Trade as if there were nothing.
    #[default]
    Allow,
    /// Do not trade until the feed says it.
    Block,
}

/// Unknown kinds, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Kinds(u8);

impl Kinds {
    /// What concerns each instrument by itself.
    const PER_INSTRUMENT: Kinds = Kinds(
        NotInSnapshot::Participant.bit()
            | NotInSnapshot::Breaker.bit()
            | NotInSnapshot::Ipo.bit()
            | NotInSnapshot::Collar.bit()
            | NotInSnapshot::DirectListing.bit(),
    );
    /// What an H `T` answers.
    const ENDED_BY_TRADING: Kinds = Kinds(
        NotInSnapshot::Breaker.bit()
            | NotInSnapshot::Ipo.bit()
            | NotInSnapshot::Collar.bit()
            | NotInSnapshot::DirectListing.bit(),
    );
    const LEVELS: Kinds = Kinds(NotInSnapshot::BreakerLevels.bit());

    fn first(self) -> Option<NotInSnapshot> {
        NotInSnapshot::ALL.into_iter().find(|kind| self.0 & kind.bit() != 0)
    }

    fn remove(&mut self, kinds: Kinds) {
        self.0 &= !kinds.0;
    }

    fn heard(&mut self, kind: NotInSnapshot) {
        self.0 &= !kind.bit();
    }
}

/// How trading state is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TradingConfig {
    /// The gateway's own market, whose operational halts matter: `Q` Nasdaq, `B` BX, `X` PSX.
    pub market: u8,
    /// The own market participant, if it makes markets: only then does L matter.
    pub mpid: Option<[u8; 4]>,
    /// What being unknown after a splice does, by [`NotInSnapshot`] in the order of [`NotInSnapshot::ALL`].
    pub unknown: [UnknownState; 6],
}

impl Default for TradingConfig {
    /// Nasdaq, no market maker, unknown allows.
    fn default() -> Self {
        TradingConfig { market: b'Q', mpid: None, unknown: [UnknownState::Allow; 6] }
    }
}

/// An initial public offering.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ipo {
    /// None, or long done.
    None,
    /// Quoting starts at `release` at the earliest, trading with the next H `T`.
    Anticipated { release: ExchangeTime, resumed: bool },
    /// Cancelled or postponed.
    Cancelled,
}

/// The state of one instrument: a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct One {
    /// Live, test, or not named.
    directory: Option<bool>,
    action: TradingAction,
    halted_here: bool,
    short_restricted: bool,
    ipo: Ipo,
    collar: Option<(Price, Price)>,
    eligible: bool,
    active: bool,
    /// How many breaches the market had had when this instrument last began to trade.
    resumed: u64,
    unknown: Kinds,
    /// Nothing of its own is in the way, at any time of the day: what orders ask on their way.
    clear: bool,
}

const _: () = assert!(size_of::<One>() == 64);

impl One {
    const NEW: One = One {
        directory: None,
        action: TradingAction::Halted,
        halted_here: false,
        short_restricted: false,
        ipo: Ipo::None,
        collar: None,
        eligible: true,
        active: true,
        resumed: 0,
        unknown: Kinds(0),
        clear: false,
    };
}

/// What an order must know of the trading state of its instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permit {
    /// [`Trading::tradable`], without a reason.
    pub tradable: bool,
    /// [`Trading::collar`].
    pub collar: Option<(Price, Price)>,
    /// [`Trading::short_restricted`].
    pub short_restricted: bool,
}

/// Trading state of the market and of every instrument of a lane.
#[derive(Debug)]
pub struct Trading {
    config: TradingConfig,
    blocking: Kinds,
    phase: SessionPhase,
    /// How many breaches so far.
    breaches: u64,
    /// Level 3: no more trading today.
    stopped: bool,
    levels: Option<[u64; 3]>,
    unknown: Kinds,
    instruments: Box<[One]>,
}

impl Trading {
    /// Room for `instruments`, all not yet named. An instrument beyond is never tradable.
    #[must_use]
    pub fn new(config: TradingConfig, instruments: usize) -> Self {
        let mut all = vec![One::NEW; instruments].into_boxed_slice();
        all.fill(core::hint::black_box(One::NEW));
        let mut blocking = Kinds::default();
        for (kind, effect) in NotInSnapshot::ALL.into_iter().zip(config.unknown) {
            let matters = kind != NotInSnapshot::Participant || config.mpid.is_some();
            if effect == UnknownState::Block && matters {
                blocking.0 |= kind.bit();
            }
        }
        Trading {
            config,
            blocking,
            phase: SessionPhase::Unknown,
            breaches: 0,
            stopped: false,
            levels: None,
            unknown: Kinds::default(),
            instruments: all,
        }
    }

    /// For how many instruments it was built.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.instruments.len()
    }

    /// Takes in one message. `id` is `None` for those about the whole market.
    pub fn apply(&mut self, at: ExchangeTime, id: Option<InstrumentId>, status: &Status) {
        match *status {
            Status::Session(phase) => self.phase = phase,
            Status::BreakerLevels(levels) => {
                self.levels = Some(levels);
                self.unknown.remove(Kinds::LEVELS);
            }
            Status::Breaker(level) => {
                self.breaches = self.breaches.wrapping_add(1);
                self.stopped |= level >= 3;
            }
            _ => {
                let (breaches, config) = (self.breaches, self.config);
                let blocking = self.blocking;
                if let Some(one) = id.and_then(|id| self.instruments.get_mut(id.0 as usize)) {
                    one.apply(at, status, breaches, &config);
                    one.look(blocking);
                }
            }
        }
    }

    /// What an order must know of its instrument, in one look.
    #[inline(always)]
    #[must_use]
    pub fn permit(&self, id: InstrumentId, now: ExchangeTime) -> Permit {
        let one = self.instruments.get(id.0 as usize);
        Permit {
            tradable: self.is_tradable(id, now),
            collar: one.and_then(|one| one.collar),
            short_restricted: one.is_none_or(|one| one.short_restricted),
        }
    }

    /// May an order be sent in this instrument now? [`tradable`](Self::tradable), without a reason.
    #[inline]
    #[must_use]
    pub fn is_tradable(&self, id: InstrumentId, now: ExchangeTime) -> bool {
        let Some(one) = self.instruments.get(id.0 as usize) else { return false };
        let open = self.phase == SessionPhase::StartOfMarketHours && !self.stopped;
        let known = self.unknown.0 & self.blocking.0 == 0 && one.resumed == self.breaches;
        open && one.clear && known || self.tradable(id, now).is_ok()
    }

    /// May an order be sent in this instrument now?
    ///
    /// # Errors
    /// The first reason why not.
    #[inline(never)]
    pub fn tradable(&self, id: InstrumentId, now: ExchangeTime) -> Result<(), NotTradable> {
        if self.phase != SessionPhase::StartOfMarketHours {
            return Err(NotTradable::MarketClosed);
        }
        let one = self.instruments.get(id.0 as usize).ok_or(NotTradable::NotInDirectory)?;
        if !one.directory.ok_or(NotTradable::NotInDirectory)? {
            return Err(NotTradable::TestSymbol);
        }
        if self.stopped {
            return Err(NotTradable::Breaker);
        }
        match one.action {
            TradingAction::Trading => {}
            TradingAction::Halted => return Err(NotTradable::Halted),
            TradingAction::Paused => return Err(NotTradable::Paused),
            TradingAction::QuotationOnly => return Err(NotTradable::QuotationOnly),
        }
        if one.halted_here {
            return Err(NotTradable::OperationalHalt);
        }
        if one.resumed != self.breaches {
            return Err(NotTradable::Breaker);
        }
        match one.ipo {
            Ipo::None => {}
            // Whether it is may change without a message: such a one is never `clear`.
            Ipo::Anticipated { release, resumed: true } if now >= release => {}
            Ipo::Anticipated { .. } | Ipo::Cancelled => return Err(NotTradable::IpoNotReleased),
        }
        if !one.eligible {
            return Err(NotTradable::NotEligible);
        }
        if !one.active {
            return Err(NotTradable::NotActive);
        }
        match Kinds((one.unknown.0 | self.unknown.0) & self.blocking.0).first() {
            Some(kind) => Err(NotTradable::Unknown(kind)),
            None => Ok(()),
        }
    }

    /// Lowest and highest price of a limit-up-limit-down auction that has not ended.
    #[inline]
    #[must_use]
    pub fn collar(&self, id: InstrumentId) -> Option<(Price, Price)> {
        self.instruments.get(id.0 as usize)?.collar
    }

    /// Is the Regulation SHO price test in force (Y `1`, `2`)? So it is for an instrument beyond the capacity.
    #[inline]
    #[must_use]
    pub fn short_restricted(&self, id: InstrumentId) -> bool {
        self.instruments.get(id.0 as usize).is_none_or(|one| one.short_restricted)
    }

    /// Where the trading day stands.
    #[must_use]
    pub const fn phase(&self) -> SessionPhase {
        self.phase
    }

    /// The day's breaker levels (V), in 10^-8 index points.
    #[must_use]
    pub const fn breaker_levels(&self) -> Option<[u64; 3]> {
        self.levels
    }

    /// A snapshot begins: it names every symbol, and one without an H is halted ("Glimpse 5.0").
    pub fn before_snapshot(&mut self) {
        for one in &mut self.instruments {
            one.action = TradingAction::Halted;
            one.look(self.blocking);
        }
    }

    /// A snapshot has just been read, its messages applied: what it does not carry is unknown from now on. A breach of
    /// level 3 stays known: no message of the day can end it.
    pub fn after_snapshot(&mut self) {
        self.levels = None;
        self.unknown = Kinds::LEVELS;
        for one in &mut self.instruments {
            one.ipo = Ipo::None;
            one.collar = None;
            one.eligible = true;
            one.active = true;
            one.resumed = self.breaches;
            one.unknown = Kinds::PER_INSTRUMENT;
            one.look(self.blocking);
        }
    }

    fn follow(&mut self) -> Result<(), LoadError> {
        self.instruments.iter_mut().for_each(|one| one.look(self.blocking));
        Ok(())
    }

    /// Another day: nothing has been said.
    pub fn reset(&mut self) {
        let instruments = core::mem::take(&mut self.instruments);
        *self = Trading { instruments, ..Trading::new(self.config, 0) };
        self.instruments.fill(One::NEW);
    }
}

impl One {
    fn apply(&mut self, at: ExchangeTime, status: &Status, breaches: u64, config: &TradingConfig) {
        match *status {
            Status::Directory { live, .. } => self.directory = Some(live),
            Status::Trading(action) => {
                self.action = action;
                if action == TradingAction::Trading {
                    self.resume(breaches);
                }
            }
            Status::OperationalHalt { market, halted } if market == config.market => self.halted_here = halted,
            Status::ShortSaleRestricted(restricted) => self.short_restricted = restricted,
            Status::Collar { lower, upper, .. } => {
                self.collar = Some((lower, upper));
                self.unknown.heard(NotInSnapshot::Collar);
            }
            Status::Ipo { anticipated, release_ns, .. } => {
                let release = ExchangeTime::new(at.day(), release_ns);
                self.ipo = if anticipated { Ipo::Anticipated { release, resumed: false } } else { Ipo::Cancelled };
                self.unknown.heard(NotInSnapshot::Ipo);
            }
            Status::DirectListing { eligible, .. } => {
                self.eligible = eligible;
                self.unknown.heard(NotInSnapshot::DirectListing);
            }
            Status::Participant { mpid, active } if config.mpid == Some(mpid) => {
                self.active = active;
                self.unknown.heard(NotInSnapshot::Participant);
            }
            Status::OperationalHalt { .. }
            | Status::Participant { .. }
            | Status::Session(_)
            | Status::BreakerLevels(_)
            | Status::Breaker(_) => {}
        }
    }

    /// Something is another than before: is it clear now?
    fn look(&mut self, blocking: Kinds) {
        self.clear = self.directory == Some(true)
            && self.action == TradingAction::Trading
            && !self.halted_here
            && self.ipo == Ipo::None
            && self.eligible
            && self.active
            && self.unknown.0 & blocking.0 == 0;
    }

    /// H `T`: ends whatever waits for it.
    fn resume(&mut self, breaches: u64) {
        self.resumed = breaches;
        self.collar = None;
        self.eligible = true;
        self.ipo = match self.ipo {
            Ipo::Anticipated { release, .. } => Ipo::Anticipated { release, resumed: true },
            Ipo::None | Ipo::Cancelled => Ipo::None,
        };
        self.unknown.remove(Kinds::ENDED_BY_TRADING);
    }
}

crate::value! { Kinds(_) }
crate::value! { enum Ipo { 0 => None, 1 => Anticipated { release, resumed }, 2 => Cancelled } }
crate::state! {
    One {
        directory, action, halted_here, short_restricted, ipo, collar, eligible, active, resumed, unknown,
    } without { clear }
}
crate::state! {
    Trading { phase, breaches, stopped, levels, unknown, instruments } without { config, blocking } then follow
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    #[test]
    fn every_field_is_saved_and_restored() {
        const fn bound(lower: i64, upper: i64) -> Option<(Price, Price)> {
            Some((Price(lower), Price(upper)))
        }
        let changes: [fn(&mut Trading); 22] = [
            |_| {},
            |t| t.phase = SessionPhase::StartOfMarketHours,
            |t| t.breaches = 1,
            |t| t.stopped = true,
            |t| t.levels = Some([0; 3]),
            |t| t.levels = Some([0, 0, 1]),
            |t| t.unknown = Kinds::LEVELS,
            |t| t.instruments[0].directory = Some(false),
            |t| t.instruments[0].directory = Some(true),
            |t| t.instruments[1].directory = Some(true),
            |t| t.instruments[0].action = TradingAction::Trading,
            |t| t.instruments[0].halted_here = true,
            |t| t.instruments[0].short_restricted = true,
            |t| t.instruments[0].ipo = Ipo::Cancelled,
            |t| t.instruments[0].ipo = Ipo::Anticipated { release: ExchangeTime(0), resumed: false },
            |t| t.instruments[0].ipo = Ipo::Anticipated { release: ExchangeTime(1), resumed: false },
            |t| t.instruments[0].collar = bound(0, 0),
            |t| t.instruments[0].collar = bound(0, 1),
            |t| t.instruments[0].eligible = false,
            |t| t.instruments[0].active = false,
            |t| t.instruments[0].resumed = 1,
            |t| t.instruments[0].unknown = Kinds::PER_INSTRUMENT,
        ];
        assert_all_saved(|| Trading::new(TradingConfig::default(), 2), &changes);
    }
}
