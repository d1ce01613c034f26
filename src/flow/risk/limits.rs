//! The limits of the gate: what may be configured, in which units, within which range.
//!
//! Quantities and prices are in the instrument's own units. Notionals are in money units, of which the lane has one for all
//! its currencies: 10^exponent of each (1/10,000 where US equities are traded alone). A value *at* a limit passes; one unit
//! beyond is refused.

use super::money::MoneyIn;
use crate::base::{Currency, LoadError, Nanos, Notional, OutOfRange, Price, Qty};

/// The limits of a lane, and of each instrument that has none of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RiskLimits {
    /// The base currency: the lane's limit and, unless an instrument has its own, each instrument's are amounts of it. An
    /// instrument in another currency is refused until that one has a rate ([`Gate::set_currencies`](super::Gate::set_currencies)):
    /// sums must mean something.
    pub currency: Currency,
    /// A money unit is 10^`exponent` of a currency: -18 to 0 (-4 for US equities). Price exponent plus quantity exponent of an
    /// instrument must not be less, so that each of its amounts is so many whole units. The finer it is, the less the
    /// highest limit, 2^100 units, allows: 10^26 at -4, 10^12 at -18.
    pub exponent: i8,
    /// Sustained rate of enters and replaces, messages a second: 1 to 1,000,000.
    pub orders_per_second: u32,
    /// How many enters and replaces may leave at one instant: 1 to 4,096 (a split sale takes two).
    pub burst: u32,
    /// Within this time a second enter of the same instrument, side, price and quantity is refused: 0 (off) up to what
    /// 4,096 orders at the order rate fill.
    pub duplicate_window: Nanos,
    /// Within this time a cancel that asks for no more than the one before is refused: 0 (off) to 60 s.
    pub cancel_repeat: Nanos,
    /// Open notional over all instruments and both sides: 1 to 2^100.
    pub max_total_open: Notional,
    /// Parent orders that may have something open or not be flat at once, in each instrument that they trade: 0 to
    /// 1,048,576. Beyond, orders of another parent are refused.
    pub parents: u32,
    /// What holds for an instrument that has no limits of its own.
    pub each: InstrumentLimits,
}

/// The limits of one instrument: in two cache lines, wherever they are in a row of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(align(32))]
pub struct InstrumentLimits {
    /// Largest size of one order, quantity units: 1 to 2^40. Of a replace: what it would leave open.
    pub max_order_qty: Qty,
    /// In which currency `max_order_notional` and `max_open` count.
    pub money: MoneyIn,
    /// Largest value of one order: 1 to 2^100.
    pub max_order_notional: Notional,
    /// Refuse sizes that are not whole round lots.
    pub whole_lots: bool,
    /// Largest position, long or short, if everything open on one side executed: 0 to 2^40.
    pub max_position: Qty,
    /// Open notional of both sides: 1 to 2^100.
    pub max_open: Notional,
    /// How far from the book a price may be.
    pub collar: PriceCollar,
    /// May shares that are not held be sold?
    pub short: ShortSale,
    /// Shares located for the day: 0 to 2^40. Sold short they are used up; covering does not bring them back.
    pub locates: Qty,
    /// What becomes of a sell that is larger than the long position.
    pub zero_cross: ZeroCross,
}

const _: () = assert!(size_of::<InstrumentLimits>() == 96);

// What commands change is no configuration alone.
crate::state! {
    InstrumentLimits { max_order_qty, max_order_notional, max_position, max_open, short, locates }
    without { money, whole_lots, collar, zero_cross } then sound
}
crate::state! {
    RiskLimits { orders_per_second, burst, max_total_open }
    without { currency, exponent, duplicate_window, cancel_repeat, parents, each } then sound
}
crate::value! { enum ShortSale { 0 => Forbidden, 1 => Located, 2 => MarketMaker } }

/// How far from the book a price may be. The book is taken without own orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PriceCollar {
    /// Furthest through the opposite best (buying above the ask, selling below the bid).
    pub through: Distance,
    /// Furthest behind the best of the own side.
    pub behind: Distance,
    /// When one side of the book is empty.
    pub one_sided: OneSided,
    /// When both are.
    pub empty: EmptyBook,
}

/// A distance from a price. With both given the shorter holds; with neither, none does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Distance {
    /// Basis points of the reference price, rounded down to a price unit: 0 to 1,000,000.
    pub bps: Option<u32>,
    /// Ticks.
    pub ticks: Option<u32>,
}

impl Distance {
    /// The distance from `reference` in price units, saturating.
    #[inline(always)]
    #[must_use]
    pub fn reach(self, reference: Price, tick: i64) -> i64 {
        let ticks = self.ticks.map_or(i64::MAX, |n| i64::from(n).saturating_mul(tick));
        let share = self.bps.map_or(i64::MAX, |n| {
            let units = u128::from(reference.0.unsigned_abs()).wrapping_mul(u128::from(n));
            // A division of 128 bits is a slow call, and for no price of this world.
            match u64::try_from(units) {
                Ok(units) => i64::try_from(units / 10_000),
                Err(_) => i64::try_from(units / 10_000),
            }
            .unwrap_or(i64::MAX)
        });
        ticks.min(share)
    }
}

/// The collar when one side of the book is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OneSided {
    /// Nothing leaves.
    Refuse,
    /// Both distances are measured from the side that is there.
    UseOther,
    /// Every price passes.
    Pass,
}

/// The collar when the book is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EmptyBook {
    /// Nothing leaves.
    Refuse,
    /// Every price passes.
    Pass,
}

/// May shares that are not held be sold?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShortSale {
    /// Never.
    Forbidden,
    /// Up to the shares located (Regulation SHO, Rule 203(b)(1)).
    Located,
    /// Without a locate: bona fide market making (Rule 203(b)(2)(iii)).
    MarketMaker,
}

/// What becomes of a sell that is larger than the long position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ZeroCross {
    /// It leaves as two orders: a long one of the shares held, a short one of the rest.
    Split,
    /// It is refused; the strategy must ask for the parts itself.
    Refuse,
}

/// Beyond every real limit, and yet so small that sums of limits can't overflow.
const MOST_QTY: i64 = 1 << 40;
pub(super) const MOST_NOTIONAL: i128 = 1 << 100;
/// Most enters that the duplicate check remembers.
pub(super) const MOST_RECENT: u64 = 4_096;

impl RiskLimits {
    /// The widest limits that can be configured, in the units of US equities. For tests and simulation.
    #[must_use]
    pub const fn widest() -> Self {
        RiskLimits {
            currency: Currency::USD,
            exponent: -4,
            orders_per_second: 1_000_000,
            burst: 4_096,
            duplicate_window: Nanos(0),
            cancel_repeat: Nanos(0),
            max_total_open: Notional(MOST_NOTIONAL),
            parents: 256,
            each: InstrumentLimits {
                max_order_qty: Qty(MOST_QTY),
                money: MoneyIn::Base,
                max_order_notional: Notional(MOST_NOTIONAL),
                whole_lots: false,
                max_position: Qty(MOST_QTY),
                max_open: Notional(MOST_NOTIONAL),
                collar: PriceCollar {
                    through: Distance { bps: None, ticks: None },
                    behind: Distance { bps: None, ticks: None },
                    one_sided: OneSided::Pass,
                    empty: EmptyBook::Pass,
                },
                short: ShortSale::MarketMaker,
                locates: Qty::ZERO,
                zero_cross: ZeroCross::Split,
            },
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let unless = OutOfRange::unless;
        unless(self.currency.is_sound(), "risk.base_currency", "three to eight capital letters and digits")?;
        unless((-18..=0).contains(&self.exponent), "risk.money_exponent", "-18 to 0")?;
        unless((1..=1_000_000).contains(&self.orders_per_second), "risk.orders_per_second", "1 to 1000000")?;
        unless((1..=4_096).contains(&self.burst), "risk.burst", "1 to 4096")?;
        unless(
            self.most_recent() <= MOST_RECENT,
            "risk.duplicate_window",
            "so short that burst + orders_per_second * window is at most 4096 orders (0 switches the check off)",
        )?;
        unless(self.cancel_repeat <= Nanos::from_secs(60), "risk.cancel_repeat", "0 to 60 s")?;
        unless((1..=MOST_NOTIONAL).contains(&self.max_total_open.0), "risk.max_total_open", "1 to 2^100")?;
        unless(self.parents <= 1 << 20, "risk.parents", "0 to 1048576")?;
        self.each.check()
    }

    fn sound(&mut self) -> Result<(), LoadError> {
        self.check().map_err(|_| LoadError::BAD)
    }

    /// Time between two orders at the sustained rate, rounded up to a nanosecond.
    pub(super) fn interval(&self) -> u64 {
        1_000_000_000u64.div_ceil(u64::from(self.orders_per_second.max(1)))
    }

    /// The most enters that the rate can let pass within the duplicate window: what the check must remember.
    pub(super) fn most_recent(&self) -> u64 {
        if self.duplicate_window.0 == 0 {
            return 0;
        }
        let sustained = self.duplicate_window.0.checked_div(self.interval()).unwrap_or(u64::MAX);
        sustained.saturating_add(u64::from(self.burst))
    }
}

impl InstrumentLimits {
    fn sound(&mut self) -> Result<(), LoadError> {
        self.check().map_err(|_| LoadError::BAD)
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let unless = OutOfRange::unless;
        unless((1..=MOST_QTY).contains(&self.max_order_qty.0), "risk.max_order_qty", "1 to 2^40")?;
        unless((1..=MOST_NOTIONAL).contains(&self.max_order_notional.0), "risk.max_order_notional", "1 to 2^100")?;
        unless((0..=MOST_QTY).contains(&self.max_position.0), "risk.max_position", "0 to 2^40")?;
        unless((1..=MOST_NOTIONAL).contains(&self.max_open.0), "risk.max_open", "1 to 2^100")?;
        unless((0..=MOST_QTY).contains(&self.locates.0), "risk.locates", "0 to 2^40")?;
        let bps = |d: Distance| d.bps.is_none_or(|n| n <= 1_000_000);
        unless(bps(self.collar.through), "risk.collar.through.bps", "0 to 1000000")?;
        unless(bps(self.collar.behind), "risk.collar.behind.bps", "0 to 1000000")
    }
}
