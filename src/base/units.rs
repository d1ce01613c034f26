//! Money and sizes. Integers in the instrument's own units; only codecs convert.

/// A price in the instrument's own units (for Nasdaq equities 1/10,000 of a dollar). May be negative: spreads are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Price(pub i64);

/// A number of shares or lots in the instrument's own units. A signed type, so that positions and differences fit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Qty(pub i64);

/// Price times quantity (times the instrument's multiplier), in price units. Wide enough that no product of a
/// [`Price`] and a [`Qty`] overflows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Notional(pub i128);

crate::value! { Price(_) Qty(_) Notional(_) }

impl Price {
    /// `self + ticks`, saturating: the far ends mean "no price can be beyond".
    #[must_use]
    pub const fn offset(self, units: i64) -> Self {
        Price(self.0.saturating_add(units))
    }

    /// How far `self` is above `other`, in price units.
    #[must_use]
    pub const fn above(self, other: Price) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl Qty {
    /// Nothing.
    pub const ZERO: Qty = Qty(0);

    /// Sum, saturating at the ends of `i64` (2^63 shares are beyond any market).
    #[must_use]
    pub const fn plus(self, other: Qty) -> Self {
        Qty(self.0.saturating_add(other.0))
    }

    /// Difference, saturating at the ends of `i64`.
    #[must_use]
    pub const fn minus(self, other: Qty) -> Self {
        Qty(self.0.saturating_sub(other.0))
    }

    /// The other direction.
    #[must_use]
    pub const fn negated(self) -> Self {
        Qty(self.0.saturating_neg())
    }

    /// Is anything left?
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Notional {
    /// Nothing.
    pub const ZERO: Notional = Notional(0);

    /// `price * qty * multiplier`. `None` on overflow, which a caller treats as "over every limit".
    #[inline]
    #[must_use]
    pub fn of(price: Price, qty: Qty, multiplier: i64) -> Option<Self> {
        // Two numbers of 64 bits can't overflow 128; that is one instruction, a checked product of 128 bits a call.
        let times = |a: i64, b: i64| i128::from(a).wrapping_mul(i128::from(b));
        let value = times(price.0, qty.0);
        match i64::try_from(value) {
            Ok(value) => Some(Notional(times(value, multiplier))),
            Err(_) => value.checked_mul(i128::from(multiplier)).map(Notional),
        }
    }

    /// Checked sum.
    #[inline]
    #[must_use]
    pub fn plus(self, other: Notional) -> Option<Self> {
        self.0.checked_add(other.0).map(Notional)
    }

    /// Checked difference.
    #[inline]
    #[must_use]
    pub fn minus(self, other: Notional) -> Option<Self> {
        self.0.checked_sub(other.0).map(Notional)
    }
}

/// Which side of the market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Side {
    /// Buys, bids.
    Buy = 0,
    /// Sells, asks.
    Sell = 1,
}

crate::value! { enum Side { 0 => Buy, 1 => Sell } }

impl Side {
    /// The side that one trades against.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// +1 for a buy, -1 for a sell: what a fill does to a position.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Side::Buy => 1,
            Side::Sell => -1,
        }
    }

    /// Is `a` a better price to be resting at on this side than `b` (higher for a bid, lower for an ask)?
    #[must_use]
    pub const fn is_better(self, a: Price, b: Price) -> bool {
        match self {
            Side::Buy => a.0 > b.0,
            Side::Sell => a.0 < b.0,
        }
    }

    /// Would an order of this side at `limit` trade with a resting order of the other side at `resting`?
    #[must_use]
    pub const fn crosses(self, limit: Price, resting: Price) -> bool {
        match self {
            Side::Buy => limit.0 >= resting.0,
            Side::Sell => limit.0 <= resting.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notional_is_exact_at_the_ends() {
        let n = Notional::of(Price(i64::MAX), Qty(i64::MIN), 1).unwrap();
        assert_eq!(n.0, i128::from(i64::MAX) * i128::from(i64::MIN));
        assert_eq!(Notional::of(Price(i64::MAX), Qty(i64::MAX), i64::MAX), None);
    }

    #[test]
    fn a_side_knows_what_it_crosses() {
        assert!(Side::Buy.crosses(Price(10), Price(10)) && !Side::Buy.crosses(Price(9), Price(10)));
        assert!(Side::Sell.crosses(Price(10), Price(10)) && !Side::Sell.crosses(Price(11), Price(10)));
        assert!(Side::Buy.is_better(Price(2), Price(1)) && Side::Sell.is_better(Price(1), Price(2)));
    }
}
