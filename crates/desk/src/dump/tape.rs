//! The records of the tape, and those of the log that hold no message, in words.

use super::words::{Fields, Value};
use firelane_gateway::base::{Name, SessionId};
use firelane_gateway::flow::orders::{AnomalyKind, LiquidityKind, ReasonClass, ReportKind};
use firelane_gateway::flow::record::{
    Alert, AlertBody, AnomalyBody, BookEventBody, DecisionBody, FinalBody, Kind, LappedBody, LinkBody, MarketBody,
    OrderBody, PositionBody, SignalBody, StatusBody, TopBody, TraceBody, VenueStatusBody,
};
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::shell::counters::counts;
use firelane_gateway::shell::rows::InstrumentRow;
use zerocopy::FromBytes;

/// The instruments of a file's header.
pub(super) struct Instruments<'a>(pub(super) &'a [InstrumentRow]);

impl Instruments<'_> {
    /// The instrument as a field: its symbol if the header has it, else its number.
    pub(super) fn field(&self, id: u32) -> (&'static str, Value) {
        match self.0.get(id as usize) {
            Some(row) => ("symbol", Value::Symbol(row.name.clone())),
            None if id == u32::MAX => ("instrument", Value::Text("all".to_owned())),
            None => ("instrument", Value::Number(id.into())),
        }
    }

    /// The same of a record that names the symbol itself: one that the directory named stands in no header.
    fn named(&self, id: u32, name: [u8; 16]) -> (&'static str, Value) {
        match Name(name).to_string() {
            name if !name.is_empty() => ("symbol", Value::Symbol(name)),
            _ => self.field(id),
        }
    }
}

const SIDE: &[(u8, &str)] = &[(b'B', "buy"), (b'S', "sell"), (b' ', "none")];
const HAPPENINGS: [&str; 13] = [
    "sent",
    "accepted",
    "replaced",
    "filled",
    "reduced",
    "cancelled",
    "rejected",
    "request refused",
    "cancel pending",
    "revised",
    "trade broken",
    "trade corrected",
    "timed out",
];

fn flag(byte: u8) -> Value {
    Value::Text(if byte == 0 { "no" } else { "yes" }.to_owned())
}

fn nth(number: usize, words: &[&'static str]) -> Value {
    Value::Text(words.get(number).map_or(format!("{number} (of another build)"), |word| (*word).to_owned()))
}

/// Words of a name that is written in one: `OrderQuantity` is `order quantity`.
fn spaced(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// The fields of a record without messages. `None`: its body is not what its kind says.
pub(super) fn fields(kind: Kind, body: &[u8], instruments: &Instruments<'_>) -> Option<Fields> {
    Some(Fields(match kind {
        Kind::Order => order(&OrderBody::read_from_bytes(body).ok()?, instruments),
        Kind::Decision => decision(&DecisionBody::read_from_bytes(body).ok()?, instruments),
        Kind::Alert => {
            let b = AlertBody::read_from_bytes(body).ok()?;
            let name = Alert::from_number(b.alert.get()).map_or("of another build".to_owned(), |a| spaced(a.name()));
            let mut fields = vec![("alert", Value::Text(name)), instruments.named(b.instrument.get(), b.name)];
            // Of the first venue, or of the lane as a whole, as most are.
            if ![0, u8::MAX].contains(&b.venue) {
                fields.push(("venue", Value::Number(b.venue.into())));
            }
            fields.extend([("first", Value::Number(b.first.get())), ("second", Value::Number(b.second.get()))]);
            fields
        }
        Kind::Anomaly => {
            let b = AnomalyBody::read_from_bytes(body).ok()?;
            let what = AnomalyKind::from_number(b.what);
            vec![
                ("what", Value::Text(what.map_or("of another build".to_owned(), |what| spaced(&format!("{what:?}"))))),
                instruments.named(b.instrument.get(), b.name),
                ("order", Value::Own(b.order.get())),
                ("user_ref_num", Value::Number(b.token.get())),
                ("venue", Value::Number(b.venue.into())),
                ("report", named(ReportKind::from_number(b.report).map(ReportKind::name))),
                ("said", Value::Signed(b.said.get())),
                ("known", Value::Signed(b.known.get())),
                ("stops_trading", flag(b.stops)),
            ]
        }
        Kind::Top => {
            let b = TopBody::read_from_bytes(body).ok()?;
            vec![
                instruments.field(b.instrument.get()),
                ("bid", Value::Dollars(b.bid_price.get())),
                ("bid_shares", Value::Signed(b.bid_qty.get())),
                ("ask", Value::Dollars(b.ask_price.get())),
                ("ask_shares", Value::Signed(b.ask_qty.get())),
                ("stale", flag(b.stale)),
                ("timestamp", Value::Time(b.at.get())),
            ]
        }
        Kind::BookEvent => {
            let b = BookEventBody::read_from_bytes(body).ok()?;
            let events: &[(u8, &str)] = &[
                (b'A', "add"),
                (b'E', "execute"),
                (b'X', "reduce"),
                (b'D', "delete"),
                (b'U', "replace"),
                (b'P', "trade"),
                (b'Q', "cross"),
                (b'B', "broken trade"),
                (b'L', "level"),
                (b'C', "clear"),
            ];
            vec![
                instruments.field(b.instrument.get()),
                ("event", Value::letter(b.what, events)),
                ("side", Value::letter(b.side, SIDE)),
                ("order_ref", Value::Order(b.order.get())),
                ("shares", Value::Signed(b.qty.get())),
                ("price", Value::Dollars(b.price.get())),
                // The new reference of a replace; of a trade, the match; of a level, its orders.
                ("other", if b.what == b'U' { Value::Order(b.other.get()) } else { Value::Number(b.other.get()) }),
                ("timestamp", Value::Time(b.at.get())),
            ]
        }
        Kind::Signal => {
            let b = SignalBody::read_from_bytes(body).ok()?;
            vec![
                ("signal", Value::Number(b.signal.get().into())),
                instruments.field(b.instrument.get()),
                ("code", Value::Number(b.code.get().into())),
                ("first", Value::Signed(b.first.get())),
                ("second", Value::Signed(b.second.get())),
                ("timestamp", Value::Time(b.at.get())),
            ]
        }
        Kind::Position => {
            let b = PositionBody::read_from_bytes(body).ok()?;
            // Nobody's has no strategy.
            let strategy = Some(b.strategy.get()).filter(|strategy| *strategy != u16::MAX);
            let strategy = strategy.map(|strategy| ("strategy", Value::Number(strategy.into())));
            // Beyond what a number here can say there is no money.
            let cash = i64::try_from(b.cash.get()).unwrap_or(if b.cash.get() < 0 { i64::MIN } else { i64::MAX });
            let mut fields = vec![instruments.field(b.instrument.get())];
            fields.extend(strategy);
            fields.extend([("position", Value::Signed(b.position.get())), ("cash", Value::Dollars(cash))]);
            fields
        }
        Kind::Answer => super::command::answer(body)?,
        Kind::Trace => {
            let b = TraceBody::read_from_bytes(body).ok()?;
            let stamps = [b.arrived, b.released, b.decoded, b.booked, b.decided, b.approved, b.encoded, b.sent];
            let names = ["waited_ns", "decode_ns", "book_ns", "decide_ns", "approve_ns", "encode_ns", "send_ns"];
            let mut fields = vec![("arrived_ns", Value::Number(b.arrived.get()))];
            let steps = stamps.windows(2).map(|pair| pair[1].get().saturating_sub(pair[0].get()));
            fields.extend(names.into_iter().zip(steps.map(Value::Number)));
            fields
        }
        Kind::Status => status(&StatusBody::read_from_bytes(body).ok()?),
        Kind::VenueStatus => venue_status(&VenueStatusBody::read_from_bytes(body).ok()?),
        Kind::Counters => {
            let all = counts(body).map(|(name, value)| (name.to_owned(), value)).collect();
            vec![("counters", Value::Counts(all))]
        }
        Kind::Link => {
            let b = LinkBody::read_from_bytes(body).ok()?;
            let what = [
                "connected",
                "refused",
                "timed out",
                "unreachable",
                "reset",
                "closed by the peer",
                "closed: the peer does not read",
                "closed, as asked",
                "closed by an error",
            ];
            vec![
                ("venue", Value::Number(b.venue.into())),
                ("session", session(SessionId(b.session))),
                ("what", nth(b.what.into(), &what)),
                ("error", Value::Number(b.error.get().into())),
            ]
        }
        Kind::Lapped => {
            let b = LappedBody::read_from_bytes(body).ok()?;
            vec![("records", Value::Number(b.records.get())), ("bytes", Value::Number(b.bytes.get()))]
        }
        Kind::Final => {
            let b = FinalBody::read_from_bytes(body).ok()?;
            let digest = |n: u64| Value::Text(format!("{n:016x}"));
            vec![
                ("inputs", Value::Number(b.inputs.get())),
                ("effects", digest(b.effects.get())),
                ("tape", digest(b.tape.get())),
                ("state", digest(b.state.get())),
            ]
        }
        Kind::EffectsDigest => {
            let digest: [u8; 8] = body.try_into().ok()?;
            vec![("digest", Value::Text(format!("{:016x}", u64::from_le_bytes(digest))))]
        }
        _ => Vec::new(),
    }))
}

/// A session by what it is for.
pub(super) fn session(session: SessionId) -> Value {
    nth(session.0.into(), &["order entry", "snapshot", "market data"])
}

/// A word that stands on the tape as its number.
fn named(word: Option<&'static str>) -> Value {
    Value::Text(word.unwrap_or("of another build").to_owned())
}

/// A venue's own code: letters as such, anything else as a number.
fn code(code: u32) -> Value {
    let bytes = code.to_be_bytes();
    let letters = bytes.iter().position(|b| *b != 0).map_or(&[][..], |first| &bytes[first..]);
    if letters.iter().all(u8::is_ascii_graphic) { Value::text(letters) } else { Value::Number(code.into()) }
}

fn order(b: &OrderBody, instruments: &Instruments<'_>) -> Vec<(&'static str, Value)> {
    let OrderBody {
        order,
        parent,
        venue,
        account,
        strategy,
        reason,
        liquidity,
        reason_code,
        liquidity_code,
        instrument,
        side,
        what,
        finished,
        open,
        price,
        fill_qty,
        fill_price,
        trade,
        venue_ref,
    } = *b;
    vec![
        instruments.field(instrument.get()),
        ("order", Value::Own(order.get())),
        ("what", nth(what.into(), &HAPPENINGS)),
        ("side", Value::letter(side, SIDE)),
        ("open", Value::Signed(open.get())),
        ("price", Value::Dollars(price.get())),
        ("fill_shares", Value::Signed(fill_qty.get())),
        ("fill_price", Value::Dollars(fill_price.get())),
        ("match_number", Value::Number(trade.get())),
        ("venue_ref", Value::Order(venue_ref.get())),
        ("finished", flag(finished)),
        ("reason", Value::Number(reason_code.get().into())),
        ("reason_class", named(ReasonClass::from_number(reason).map(ReasonClass::name))),
        ("liquidity", code(liquidity_code.get())),
        ("liquidity_kind", named(LiquidityKind::from_number(liquidity).map(LiquidityKind::name))),
        ("parent", Value::Number(parent.get())),
        ("venue", Value::Number(venue.get().into())),
        ("account", Value::Number(account.get().into())),
        ("strategy", Value::Number(strategy.get().into())),
    ]
}

fn decision(b: &DecisionBody, instruments: &Instruments<'_>) -> Vec<(&'static str, Value)> {
    let actions: &[(u8, &str)] = &[(b'E', "enter"), (b'R', "replace"), (b'C', "cancel"), (b'M', "mass cancel")];
    let refusal = match b.refusal.get() {
        0 => "approved".to_owned(),
        n => {
            let refused = Refusal::ALL.get(usize::from(n) - 1);
            format!("refused: {}", refused.map_or(n.to_string(), |refused| spaced(&format!("{refused:?}"))))
        }
    };
    vec![
        instruments.field(b.instrument.get()),
        ("action", Value::letter(b.action, actions)),
        ("side", Value::letter(b.side, SIDE)),
        ("shares", Value::Signed(b.qty.get())),
        ("price", Value::Dollars(b.price.get())),
        ("gate", Value::Text(refusal)),
        ("order", Value::Own(b.order.get())),
    ]
}

/// Stages of order entry.
const STAGES: [&str; 7] = ["down", "connecting", "replaying", "querying", "sweeping", "ready", "over"];

fn market(b: &MarketBody) -> [(&'static str, Value); 6] {
    let MarketBody { next_sequence, gaps, filled_by_line, filled_by_rerequest, lost, snapshots } = b;
    [
        ("next_sequence", next_sequence),
        ("gaps", gaps),
        ("filled_by_line", filled_by_line),
        ("filled_by_rerequest", filled_by_rerequest),
        ("lost", lost),
        ("snapshots", snapshots),
    ]
    .map(|(name, value)| (name, Value::Number(value.get())))
}

fn venue_status(b: &VenueStatusBody) -> Vec<(&'static str, Value)> {
    let n = |value: u64| Value::Number(value);
    let mut fields = vec![
        ("venue", n(b.venue.into())),
        ("entry", nth(b.entry.into(), &STAGES)),
        ("ready", flag(b.ready)),
        ("live_market", flag(b.live_market)),
    ];
    fields.extend(market(&b.market));
    fields.extend([("live", n(b.live.get())), ("stale", n(b.stale.get()))]);
    fields
}

fn status(b: &StatusBody) -> Vec<(&'static str, Value)> {
    let n = |value: u64| Value::Number(value);
    // Money units of the base currency: beyond what a number here can say there is no limit worth the name.
    let units = |value: i128| Value::Number(u64::try_from(value.max(0)).unwrap_or(u64::MAX));
    let mut fields = vec![
        ("entry", nth(b.entry.into(), &STAGES)),
        ("ready", flag(b.ready)),
        ("killed", flag(b.killed)),
        ("live_market", flag(b.live_market)),
        ("inputs", n(b.inputs.get())),
        ("messages", n(b.messages.get())),
    ];
    fields.extend(market(&b.market));
    fields.extend([
        ("orders", n(b.orders.get())),
        ("cancels", n(b.cancels.get())),
        ("fills", n(b.fills.get())),
        ("refused", n(b.refused.get())),
        ("live", n(b.live.get())),
        ("stale", n(b.stale.get())),
        ("log_free", n(b.log_free.get())),
        ("log_stalls", n(b.log_stalls.get())),
        ("tape_lost", n(b.tape_lost.get())),
        ("open", units(b.open.get())),
        ("max_total_open", units(b.max_total_open.get())),
        ("orders_per_second", n(b.orders_per_second.get().into())),
        ("burst", n(b.burst.get().into())),
    ]);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::flow::action::Happening;

    #[test]
    fn numbers_have_their_words() {
        assert_eq!(HAPPENINGS[Happening::Sent as usize], "sent");
        assert_eq!(HAPPENINGS[Happening::TradeCorrected as usize], "trade corrected");
        assert_eq!(HAPPENINGS.len(), Happening::TimedOut as usize + 1);
        assert_eq!(spaced("OrderQuantity"), "order quantity");
        assert_eq!(nth(99, &["a"]).to_string(), "99 (of another build)");
    }

    fn zvzzt() -> InstrumentRow {
        use firelane_gateway::base::{Instrument, Symbol};
        InstrumentRow::from(&Instrument::us_equity(Symbol(*b"ZVZZT   ")))
    }

    #[test]
    fn what_a_signal_says_is_in_words() {
        use firelane_gateway::flow::record::SignalBody;
        use zerocopy::IntoBytes;
        let body = SignalBody {
            signal: 2.into(),
            instrument: 0.into(),
            code: 7.into(),
            at: 34_200_000_000_001.into(),
            first: (-5).into(),
            second: 6.into(),
        };
        let symbols = [zvzzt()];
        let fields = fields(Kind::Signal, body.as_bytes(), &Instruments(&symbols)).unwrap().0;
        let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let expected = ["signal 2", "symbol ZVZZT", "code 7", "first -5", "second 6", "timestamp 09:30:00.000000001"];
        assert_eq!(text, expected);
        assert!(super::fields(Kind::Signal, &[0; 3], &Instruments(&symbols)).is_none());
    }

    #[test]
    fn what_happens_to_a_book_of_levels_is_in_words() {
        use zerocopy::IntoBytes;
        let body = BookEventBody {
            instrument: 0.into(),
            what: b'L',
            side: b'S',
            at: 0.into(),
            order: 0.into(),
            other: 3.into(),
            qty: 500.into(),
            price: 100_100.into(),
        };
        let symbols = [zvzzt()];
        let words = |body: &BookEventBody| {
            let fields = fields(Kind::BookEvent, body.as_bytes(), &Instruments(&symbols)).unwrap().0;
            fields.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
        };
        let level = words(&body);
        let expected = ["event L (level), side S (sell)", "shares 500", "other 3"];
        assert!(expected.iter().all(|words| level.contains(words)), "{level}");
        let clear = words(&BookEventBody { what: b'C', side: b' ', ..body });
        assert!(clear.contains("event C (clear)") && clear.contains("(none)"), "{clear}");
    }
}
