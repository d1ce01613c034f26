//! What the venue said that cannot be, in words: symbol, order, what was said, what was known, and what to do.

use crate::money::price;
use crate::replay::group;
use firelane_gateway::base::Token;
use firelane_gateway::flow::orders::{AnomalyKind, ReportKind};

/// One of them, with its instrument's symbol where that is known.
pub(super) struct Said<'a> {
    pub(super) what: AnomalyKind,
    pub(super) report: ReportKind,
    pub(super) symbol: &'a str,
    pub(super) token: Token,
    pub(super) order: u64,
    pub(super) said: i64,
    pub(super) known: i64,
}

impl Said<'_> {
    /// The order as people find it: in the log and tape by its id, at the venue by its token.
    fn subject(&self) -> String {
        match (self.order, self.symbol) {
            (0, _) => format!("token {}, which this gateway never sent", group(self.token.0)),
            (order, symbol) => format!("order {order} in {symbol} (token {})", group(self.token.0)),
        }
    }

    /// The venue's own code of a message: a letter as such, anything else as a number.
    fn code(&self) -> String {
        match u8::try_from(self.said) {
            Ok(letter) if letter > 0 => format!("\"{}\"", letter.escape_ascii()),
            _ => self.said.to_string(),
        }
    }

    /// A report: our word for it, and the venue's code where it has one.
    fn report(&self) -> String {
        let name = self.report.name();
        if self.said == 0 { format!("a report ({name})") } else { format!("a report ({name}, {})", self.code()) }
    }

    pub(super) fn text(&self) -> String {
        let subject = self.subject();
        let number = |n: i64| group(n.max(0).unsigned_abs());
        let (said, known) = (number(self.said), number(self.known));
        let (code, report) = (self.code(), self.report());
        match self.what {
            AnomalyKind::UnknownAccepted => format!("an order over {said} shares stands under {subject}"),
            AnomalyKind::UnknownReplaced => format!("a replacement over {said} shares stands under {subject}"),
            AnomalyKind::UnknownFill => format!(
                "{said} shares at {} traded under {subject}: the positions here do not hold them",
                price(self.known)
            ),
            AnomalyKind::UnknownOrder => format!("{report} is about {subject}"),
            AnomalyKind::UnknownTrade => format!(
                "a trade is broken or corrected that is not known here (match number {}, {subject}): the positions here \
                 do not follow",
                self.said.cast_unsigned()
            ),
            AnomalyKind::Overfill => format!("{said} shares of {subject} traded, of which {known} could"),
            AnomalyKind::OverCancel => format!("{said} shares of {subject} are cancelled, of which {known} were open"),
            AnomalyKind::RejectedAfterAccept => {
                format!("{subject} is rejected (reason {said}) after it had been accepted")
            }
            AnomalyKind::FinishedOrder => {
                format!("{report} is about {subject}, which is finished or has another token by now")
            }
            AnomalyKind::AcceptedAfterReject => {
                format!("{subject} stands with {said} shares, after it had been rejected or was lost")
            }
            AnomalyKind::StandsOtherwise => format!(
                "{subject} stands otherwise than it was sent: {said} shares of {known}, or another price, side or symbol"
            ),
            AnomalyKind::ReplacedUnasked => {
                format!("{subject} is replaced by one over {said} shares, which nobody asked for")
            }
            AnomalyKind::BeyondLimit => {
                format!("{subject} traded at {}, beyond its limit {}", price(self.said), price(self.known))
            }
            AnomalyKind::TradeTwice => {
                format!("{subject} traded twice under one match number: {said} shares, and {known} before")
            }
            AnomalyKind::EmptyTrade => format!("{subject} traded no shares"),
            AnomalyKind::Grown => format!("{subject} has {said} shares open, of which {known} were"),
            AnomalyKind::Malformed => {
                format!(
                    "a message {code} of {known} bytes has a wrong length or an impossible field: what it said is lost"
                )
            }
            AnomalyKind::Empty => "a numbered message has no bytes: what it was to say is lost".to_owned(),
            AnomalyKind::UnknownType => format!("a message {code} of {known} bytes is of an unknown type"),
            AnomalyKind::UnknownPacket => {
                format!("a session packet {code} with {known} bytes of payload is unknown, or has a wrong length")
            }
            AnomalyKind::Unsequenced => {
                format!("a message {code} of {known} bytes came outside the numbered ones")
            }
            AnomalyKind::NumbersTaken => format!(
                "the venue has received tokens up to {}, of which this gateway sent none from {known} on: the port has \
                 another client",
                number(self.said.saturating_sub(1))
            ),
            AnomalyKind::Repeated => format!("{report} about {subject} says again what it had said"),
        }
    }
}

/// What follows the words; `lane`: the name of one of several.
pub(super) fn remedy(stops: bool, lane: &str) -> String {
    if !stops {
        return String::new();
    }
    let lane = if lane.is_empty() { String::new() } else { format!(" --lane {lane}") };
    format!(
        " TRADING IS STOPPED: no new order leaves, what rests is cancelled. Compare orders and positions with the venue; \
         `firelane enable CONFIG{lane}` lets it trade again."
    )
}
