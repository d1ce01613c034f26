//! Numbers as they lie in a packet (big-endian, unaligned) and as the rest of the program says them.

use core::fmt;
use zerocopy::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::RejectReason;
use crate::base::{Price, Qty, VenueRef};

/// The client's number of an order: from 1, strictly increasing per port (or per UserRefIdx channel).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct UserRefNum(pub u32);

/// The venue's number of a match, shared by both sides of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct MatchNumber(pub u64);

/// A time of day at the exchange: ns since its local midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Timestamp(pub u64);

/// The highest limit price: 199,999.9900 dollars.
pub const MAX_LIMIT_PRICE: Price = Price(1_999_999_900);
/// Marks a market order for a cross (`7FFFFFFF`).
pub const MARKET_PRICE: Price = Price(0x7FFF_FFFF);
/// Marks a market order for a cross, the decimal form: 200,000.0000 dollars.
pub const MARKET_PRICE_DECIMAL: Price = Price(2_000_000_000);
/// The fewest shares of an order.
pub const MIN_QUANTITY: u32 = 1;
/// The most shares of an order, and the most that a chain of replaces executes.
pub const MAX_QUANTITY: u32 = 999_999;

/// A field of a packet that is exactly one native newtype.
macro_rules! wire_fields {
    ($($(#[$doc:meta])* $wire:ident($order:ident) = $native:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        #[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
        #[repr(transparent)]
        pub struct $wire($order);

        impl $wire {
            /// The native value.
            #[inline]
            #[must_use]
            pub const fn get(self) -> $native {
                $native(self.0.get())
            }
        }

        impl From<$native> for $wire {
            #[inline]
            fn from(value: $native) -> Self {
                $wire($order::new(value.0))
            }
        }

        impl fmt::Debug for $wire {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.get().fmt(f)
            }
        }
    )*};
}

wire_fields! {
    /// [`UserRefNum`] in a packet: u32, big-endian.
    WireUserRefNum(U32) = UserRefNum,
    /// [`MatchNumber`] in a packet: u64, big-endian.
    WireMatchNumber(U64) = MatchNumber,
    /// [`Timestamp`] in a packet: u64, big-endian.
    WireTimestamp(U64) = Timestamp,
    /// Order Reference Number in a packet: u64, big-endian.
    WireVenueRef(U64) = VenueRef,
    /// [`RejectReason`] in a packet: u16, big-endian.
    WireRejectReason(U16) = RejectReason,
}

/// A price in a packet: u64, big-endian, 4 implied decimals.
#[derive(Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(transparent)]
pub struct WirePrice(U64);

impl WirePrice {
    /// For the wire. `None` if the price is negative.
    #[inline]
    #[must_use]
    pub fn new(price: Price) -> Option<Self> {
        u64::try_from(price.0).ok().map(Self::from_bits)
    }

    /// From the number on the wire, in 1/10,000 of a dollar.
    #[inline]
    #[must_use]
    pub const fn from_bits(units: u64) -> Self {
        WirePrice(U64::new(units))
    }

    /// The number on the wire.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0.get()
    }

    /// The price, in 1/10,000 of a dollar. `None` if it does not fit (2^63 and up): no venue sends that.
    #[inline]
    #[must_use]
    pub fn get(self) -> Option<Price> {
        i64::try_from(self.bits()).ok().map(Price)
    }

    /// Does it mark a market order for a cross?
    #[inline]
    #[must_use]
    pub const fn is_market(self) -> bool {
        matches!(self.bits(), 0x7FFF_FFFF | 2_000_000_000)
    }
}

impl fmt::Debug for WirePrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WirePrice({})", self.bits())
    }
}

/// A number of shares in a packet: u32, big-endian.
#[derive(Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(transparent)]
pub struct WireQty(U32);

impl WireQty {
    /// For the wire. `None` if negative or beyond `u32`.
    #[inline]
    #[must_use]
    pub fn new(qty: Qty) -> Option<Self> {
        u32::try_from(qty.0).ok().map(Self::from_shares)
    }

    /// From a number of shares.
    #[inline]
    #[must_use]
    pub const fn from_shares(shares: u32) -> Self {
        WireQty(U32::new(shares))
    }

    /// The number of shares.
    #[inline]
    #[must_use]
    pub const fn shares(self) -> u32 {
        self.0.get()
    }

    /// The number of shares as a quantity.
    #[inline]
    #[must_use]
    pub const fn get(self) -> Qty {
        Qty(self.0.get() as i64)
    }
}

impl fmt::Debug for WireQty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireQty({})", self.shares())
    }
}

/// The first byte of a message, fixed by its type: `EnterOrder { message_type: MessageType::NEW, .. }` cannot be
/// given another letter.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(transparent)]
pub struct MessageType<const LETTER: u8>(u8);

impl<const LETTER: u8> MessageType<LETTER> {
    /// The letter.
    pub const NEW: Self = MessageType(LETTER);
}

impl<const LETTER: u8> Default for MessageType<LETTER> {
    fn default() -> Self {
        Self::NEW
    }
}

impl<const LETTER: u8> fmt::Debug for MessageType<LETTER> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", char::from(self.0))
    }
}
