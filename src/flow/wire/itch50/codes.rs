//! What the one-byte fields of ITCH 5.0 may say (Nasdaq, "TotalView-ITCH 5.0").
//!
//! Plain constants, not enums: a value outside the list is readable, and what it means is the reader's decision.

/// Event Code of [`SystemEvent`](super::SystemEvent).
pub mod event {
    /// The first message of the day.
    pub const START_OF_MESSAGES: u8 = b'O';
    /// Orders may be entered.
    pub const START_OF_SYSTEM_HOURS: u8 = b'S';
    /// The market opens.
    pub const START_OF_MARKET_HOURS: u8 = b'Q';
    /// The market closes.
    pub const END_OF_MARKET_HOURS: u8 = b'M';
    /// No more orders. Deletes and broken trades may still come.
    pub const END_OF_SYSTEM_HOURS: u8 = b'E';
    /// The last message of the day.
    pub const END_OF_MESSAGES: u8 = b'C';
}

/// Authenticity of [`StockDirectory`](super::StockDirectory).
pub mod authenticity {
    /// A real security.
    pub const LIVE: u8 = b'P';
    /// A test security: never trade it.
    pub const TEST: u8 = b'T';
}

/// Trading State of [`StockTradingAction`](super::StockTradingAction).
pub mod trading_state {
    /// Halted in all US markets.
    pub const HALTED: u8 = b'H';
    /// Paused in all US markets.
    pub const PAUSED: u8 = b'P';
    /// Quotes are accepted, nothing trades.
    pub const QUOTATION_ONLY: u8 = b'Q';
    /// Trading.
    pub const TRADING: u8 = b'T';
}

/// Reg SHO Action of [`RegShoRestriction`](super::RegShoRestriction).
pub mod reg_sho {
    /// No price test.
    pub const NONE: u8 = b'0';
    /// In force after an intraday drop.
    pub const RESTRICTED_TODAY: u8 = b'1';
    /// Still in force from the day before.
    pub const RESTRICTION_REMAINS: u8 = b'2';
}

/// Breached Level of [`MwcbStatus`](super::MwcbStatus).
pub mod breached {
    /// 7 percent.
    pub const LEVEL_1: u8 = b'1';
    /// 13 percent.
    pub const LEVEL_2: u8 = b'2';
    /// 20 percent: trading ends for the day.
    pub const LEVEL_3: u8 = b'3';
}

/// IPO Quotation Release Qualifier of [`QuotingPeriodUpdate`](super::QuotingPeriodUpdate).
pub mod release {
    /// The time given is expected.
    pub const ANTICIPATED: u8 = b'A';
    /// The IPO is cancelled or postponed; time and price are 0.
    pub const CANCELLED: u8 = b'C';
}

/// Market Code of [`OperationalHalt`](super::OperationalHalt).
pub mod market {
    /// Nasdaq.
    pub const NASDAQ: u8 = b'Q';
    /// BX (Nasdaq Texas).
    pub const BX: u8 = b'B';
    /// PSX.
    pub const PSX: u8 = b'X';
}

/// Operational Halt Action of [`OperationalHalt`](super::OperationalHalt).
pub mod operational {
    /// Halted on the market named.
    pub const HALTED: u8 = b'H';
    /// The halt is lifted.
    pub const RESUMED: u8 = b'T';
}

/// Cross Type of [`CrossTrade`](super::CrossTrade) and [`Noii`](super::Noii).
pub mod cross {
    /// Opening.
    pub const OPENING: u8 = b'O';
    /// Closing.
    pub const CLOSING: u8 = b'C';
    /// IPO, or the reopening of a halted or paused security.
    pub const HALT_OR_IPO: u8 = b'H';
    /// Extended trading close (NOII only).
    pub const EXTENDED_CLOSE: u8 = b'A';
}

/// Imbalance Direction of [`Noii`](super::Noii).
pub mod imbalance {
    /// More to buy.
    pub const BUY: u8 = b'B';
    /// More to sell.
    pub const SELL: u8 = b'S';
    /// None.
    pub const NONE: u8 = b'N';
    /// Too few orders to tell.
    pub const INSUFFICIENT: u8 = b'O';
    /// The security is paused.
    pub const PAUSED: u8 = b'P';
}

/// Interest Flag of [`RetailInterest`](super::RetailInterest).
pub mod interest {
    /// To buy.
    pub const BUY: u8 = b'B';
    /// To sell.
    pub const SELL: u8 = b'S';
    /// On both sides.
    pub const BOTH: u8 = b'A';
    /// None.
    pub const NONE: u8 = b'N';
}
