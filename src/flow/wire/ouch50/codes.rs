//! The code letters of OUCH 5.0. What a venue adds tomorrow stays representable: each is a number with names, not
//! an enum, and an unlisted value is never a decode error. (Nasdaq, "OUCH 5.0".)

use core::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::base;

/// One-byte codes: a transparent newtype, its listed values, and a name for each.
macro_rules! letters {
    ($($(#[$doc:meta])* $code:ident { $($value:ident = $byte:literal $name:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
        #[repr(transparent)]
        pub struct $code(pub u8);

        impl $code {
            $(#[doc = concat!("`", stringify!($byte), "`: ", $name, ".")] pub const $value: $code = $code($byte);)*

            /// Every value that the specification lists.
            pub const LISTED: &'static [$code] = &[$($code::$value),*];

            /// For humans; `"unlisted"` for what the specification does not know.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $($code::$value => $name,)*
                    _ => "unlisted",
                }
            }
        }

        impl fmt::Debug for $code {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?} {})", stringify!($code), char::from(self.0), self.name())
            }
        }
    )*};
}

letters! {
    /// Side of an order, with the kinds of sale that Regulation SHO tells apart.
    Side {
        BUY = b'B' "buy",
        SELL = b'S' "sell",
        SELL_SHORT = b'T' "sell short",
        SELL_SHORT_EXEMPT = b'E' "sell short exempt",
    }
    /// How long an order lives.
    TimeInForce {
        DAY = b'0' "day (market hours)",
        IOC = b'3' "immediate or cancel",
        GTX = b'5' "extended hours",
        GTT = b'6' "until the expire time (appendage tag 15)",
        AFTER_HOURS = b'E' "after hours (not on a replace)",
    }
    /// Who sees an order.
    Display {
        VISIBLE = b'Y' "visible",
        HIDDEN = b'N' "hidden",
        ATTRIBUTABLE = b'A' "attributable",
        CONFORMANT = b'Z' "conformant (outbound only)",
    }
    /// In whose interest the firm acts.
    Capacity {
        AGENCY = b'A' "agency",
        PRINCIPAL = b'P' "principal",
        RISKLESS = b'R' "riskless principal",
        OTHER = b'O' "other",
    }
    /// Intermarket sweep eligibility.
    InterMarketSweep {
        ELIGIBLE = b'Y' "eligible",
        NOT_ELIGIBLE = b'N' "not eligible",
    }
    /// The auction that an order is for.
    CrossType {
        CONTINUOUS = b'N' "continuous market",
        OPEN = b'O' "opening cross",
        CLOSE = b'C' "closing cross",
        HALT = b'H' "halt or IPO cross",
        SUPPLEMENTAL = b'S' "supplemental",
        RETAIL = b'R' "retail (BX)",
        EXTENDED_LIFE = b'E' "extended life",
        AFTER_HOURS_CLOSE = b'A' "after-hours close",
    }
    /// State of an order in Accepted and Replaced. After dead nothing follows.
    OrderState {
        LIVE = b'L' "live",
        DEAD = b'D' "dead",
    }
    /// System events. After the end of day breaks and cancels may still come.
    EventCode {
        START_OF_DAY = b'S' "start of day",
        END_OF_DAY = b'E' "end of day",
    }
    /// Why an order, or part of one, was cancelled.
    CancelReason {
        REGULATORY = b'D' "regulatory restriction",
        CLOSED = b'E' "closed",
        POST_ONLY_NMS = b'F' "post-only would lock or cross a protected quote (NMS)",
        POST_ONLY_CONTRA = b'G' "post-only would trade with a contra order",
        HALTED = b'H' "halted",
        IMMEDIATE = b'I' "immediate or cancel",
        COLLARS = b'K' "market collars",
        SELF_MATCH = b'Q' "self-match prevention",
        SUPERVISORY = b'S' "supervisory",
        TIMEOUT = b'T' "time in force expired",
        USER = b'U' "requested by the user",
        OPEN_PROTECTION = b'X' "open protection",
        SYSTEM = b'Z' "system",
        DLCR_EXCESS = b'e' "excess of a direct listing with capital raise",
    }
    /// Whether an execution added or removed liquidity, and where. (Revision 1.05 also has 2, 3, 5 and 9, of
    /// unpublished meaning.)
    LiquidityFlag {
        ADDED = b'A' "added",
        REMOVED = b'R' "removed",
        HIDDEN_ADDED = b'J' "added, hidden",
        MIDPOINT_ADDED = b'k' "added, midpoint",
        MIDPOINT_REMOVED = b'm' "removed, midpoint",
        RESERVE_ADDED = b'u' "added, reserve",
        PASSIVE_MIDPOINT = b'N' "passive midpoint",
        MIDPOINT_EXTENDED_LIFE = b'n' "midpoint extended life",
        IMPROVES_NBBO = b'7' "displayed, improves the NBBO",
        SETS_QBBO = b'8' "displayed, sets the QBBO",
        SUPPLEMENTAL = b'0' "supplemental order",
        OPENING_CROSS = b'O' "opening cross",
        CLOSING_CROSS = b'C' "closing cross",
        HALT_CROSS = b'H' "halt or IPO cross",
        HALT = b'K' "halt cross",
        AFTER_HOURS_CROSS = b'i' "after-hours closing cross",
        IMBALANCE_ONLY_OPEN = b'M' "opening imbalance-only",
        IMBALANCE_ONLY_CLOSE = b'L' "closing imbalance-only",
        RETAIL_ADDED = b'e' "retail order added",
        RPI_ADDED = b'j' "retail price improvement added (BX)",
        RPI_ADDED_NO_RPII = b'1' "retail price improvement added, no interest indicator (BX)",
        HIDDEN_IMPROVING_REMOVED = b'p' "removed price-improving hidden (BX)",
        RETAIL_REMOVED_MIDPOINT = b'q' "retail removed midpoint (BX)",
        RETAIL_REMOVED_RPI = b'r' "retail removed retail price improvement (BX)",
        RETAIL_REMOVED_IMPROVING = b't' "retail removed price-improving (BX)",
    }
    /// Why a trade was broken.
    BrokenReason {
        ERRONEOUS = b'E' "erroneous",
        CONSENT = b'C' "consent",
        SUPERVISORY = b'S' "supervisory",
        EXTERNAL = b'X' "external",
    }
    /// What changed in a restated order.
    RestatedReason {
        DISPLAY_REFRESH = b'R' "refresh of the displayed size",
        DISPLAYED_PRICE = b'P' "update of the displayed price",
    }
    /// Why a trade was corrected.
    CorrectionReason {
        NAV = b'N' "adjusted to net asset value",
    }
    /// Self-match prevention (anti-internalisation qualifier): whose orders match, and what then happens.
    AiqStrategy {
        FIRM_DECREMENT_QUIETLY = b'Y' "firm: decrement both, no details",
        FIRM_DECREMENT = b'D' "firm: decrement both",
        FIRM_CANCEL_OLDEST = b'O' "firm: cancel oldest",
        FIRM_CANCEL_NEWEST = b'W' "firm: cancel newest",
        FIRM_USE_REMOVER = b'R' "firm: use remover",
        ORGANIZATION_DECREMENT_QUIETLY = b'y' "organization: decrement both, no details",
        ORGANIZATION_DECREMENT = b'd' "organization: decrement both",
        ORGANIZATION_CANCEL_OLDEST = b'o' "organization: cancel oldest",
        ORGANIZATION_CANCEL_NEWEST = b'w' "organization: cancel newest",
        ORGANIZATION_USE_REMOVER = b'r' "organization: use remover",
        AFFILIATE_DECREMENT_QUIETLY = b'Z' "affiliate: decrement both, no details",
        AFFILIATE_DECREMENT = b'E' "affiliate: decrement both",
        AFFILIATE_CANCEL_OLDEST = b'P' "affiliate: cancel oldest",
        AFFILIATE_CANCEL_NEWEST = b'X' "affiliate: cancel newest",
        AFFILIATE_USE_REMOVER = b'S' "affiliate: use remover",
        ANY_DECREMENT_QUIETLY = b'0' "any match: decrement both, no details",
        ANY_DECREMENT = b'1' "any match: decrement both",
        ANY_CANCEL_OLDEST = b'2' "any match: cancel oldest",
        ANY_CANCEL_NEWEST = b'4' "any match: cancel newest",
        ANY_USE_REMOVER = b'5' "any match: use remover",
        DISABLED = b'N' "disabled",
        PORT_DEFAULT = b'*' "port default",
    }
}

impl Side {
    /// The side of the market; `None` for an unlisted letter.
    #[must_use]
    pub const fn of_market(self) -> Option<base::Side> {
        match self {
            Side::BUY => Some(base::Side::Buy),
            Side::SELL | Side::SELL_SHORT | Side::SELL_SHORT_EXEMPT => Some(base::Side::Sell),
            _ => None,
        }
    }
}

/// Why a request was rejected. Revision 1.04 unless its document says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RejectReason(pub u16);

macro_rules! reject_reasons {
    ($($value:ident = $code:literal $name:literal,)*) => {
        impl RejectReason {
            $(#[doc = concat!("`", stringify!($code), "`: ", $name, ".")] pub const $value: RejectReason = RejectReason($code);)*

            /// Every reason that the specification lists.
            pub const LISTED: &'static [RejectReason] = &[$(RejectReason::$value),*];

            /// For humans; `"unlisted"` for what the specification does not know.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(RejectReason::$value => $name,)*
                    _ => "unlisted",
                }
            }
        }
    };
}

reject_reasons! {
    QUOTE_UNAVAILABLE = 0x01 "quote unavailable",
    DESTINATION_CLOSED = 0x02 "destination closed",
    INVALID_DISPLAY = 0x03 "invalid display",
    INVALID_MAX_FLOOR = 0x04 "invalid max floor",
    INVALID_PEG_TYPE = 0x05 "invalid peg type",
    FAT_FINGER = 0x06 "fat finger",
    HALTED = 0x07 "halted",
    ISO_NOT_ALLOWED = 0x08 "intermarket sweep not allowed",
    INVALID_SIDE = 0x09 "invalid side",
    PROCESSING_ERROR = 0x0A "processing error",
    CANCEL_PENDING = 0x0B "cancel pending",
    FIRM_NOT_AUTHORIZED = 0x0C "firm not authorized",
    INVALID_MIN_QUANTITY = 0x0D "invalid minimum quantity",
    NO_CLOSING_REFERENCE_PRICE = 0x0E "no closing reference price",
    OTHER = 0x0F "other",
    CANCEL_NOT_ALLOWED = 0x10 "cancel not allowed",
    PEGGING_NOT_ALLOWED = 0x11 "pegging not allowed",
    CROSSED_MARKET = 0x12 "crossed market",
    INVALID_QUANTITY = 0x13 "invalid quantity",
    INVALID_CROSS_ORDER = 0x14 "invalid cross order",
    REPLACE_NOT_ALLOWED = 0x15 "replace not allowed",
    ROUTING_NOT_ALLOWED = 0x16 "routing not allowed",
    INVALID_SYMBOL = 0x17 "invalid symbol",
    TEST = 0x18 "test mode",
    LATE_LOC_TOO_AGGRESSIVE = 0x19 "late limit-on-close order too aggressive",
    RETAIL_NOT_ALLOWED = 0x1A "retail not allowed",
    INVALID_MIDPOINT_POST_ONLY_PRICE = 0x1B "invalid midpoint post-only price",
    INVALID_DESTINATION = 0x1C "invalid destination",
    INVALID_PRICE = 0x1D "invalid price",
    SHARES_EXCEED_THRESHOLD = 0x1E "shares exceed threshold",
    EXCEEDS_MAX_NOTIONAL = 0x1F "exceeds maximum notional value",
    RISK_AGGREGATE_EXPOSURE = 0x20 "risk: aggregate exposure exceeded",
    RISK_MARKET_IMPACT = 0x21 "risk: market impact",
    RISK_RESTRICTED_STOCK = 0x22 "risk: restricted stock",
    RISK_SHORT_SELL_RESTRICTED = 0x23 "risk: short sell restricted",
    RISK_ISO_NOT_ALLOWED = 0x24 "risk: intermarket sweep not allowed (2023: order type restricted)",
    RISK_ADV_LIMIT = 0x25 "risk: exceeds average daily volume limit",
    RISK_FAT_FINGER = 0x26 "risk: fat finger",
    RISK_LOCATE_REQUIRED = 0x27 "risk: locate required",
    RISK_SYMBOL_MESSAGE_RATE = 0x28 "risk: symbol message rate",
    RISK_PORT_MESSAGE_RATE = 0x29 "risk: port message rate",
    RISK_DUPLICATE_MESSAGE_RATE = 0x2A "risk: duplicate message rate",
    RISK_SHORT_SELL_NOT_ALLOWED = 0x2B "risk: short sell not allowed",
    RISK_MARKET_ORDER_NOT_ALLOWED = 0x2C "risk: market order not allowed",
    RISK_PRE_MARKET_NOT_ALLOWED = 0x2D "risk: pre-market not allowed",
    RISK_POST_MARKET_NOT_ALLOWED = 0x2E "risk: post-market not allowed",
    RISK_SHORT_SELL_EXEMPT_NOT_ALLOWED = 0x2F "risk: short sell exempt not allowed",
    RISK_ORDER_NOTIONAL = 0x30 "risk: order notional exceeded",
    RISK_MAX_QUANTITY = 0x31 "risk: maximum quantity exceeded",
    REG_SHO_STATE_NOT_AVAILABLE = 0x32 "Regulation SHO state not available",
    RISK_IPO_MARKET_BUY_NOT_ALLOWED = 0x33 "risk: market buy in an IPO not allowed",
    INVALID_AIQ = 0x40 "invalid self-match prevention (revision 1.05)",
}

impl fmt::Debug for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RejectReason({:#04x} {})", self.0, self.name())
    }
}
