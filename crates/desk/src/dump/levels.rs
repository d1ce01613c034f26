//! The normalised protocol of adapters, frame by frame, as a connection brings it.

use super::Item;
use super::words::{Said, Value, trimmed};
use firelane_gateway::base::Side;
use firelane_gateway::flow::wire::normal::{self, Body, Frame, Header, Malformed, State};
use std::collections::HashMap;
use zerocopy::FromBytes;

const PROTOCOL: &str = "Levels";
const SIDES: &[(u8, &str)] = &[(b'B', "buy"), (b'S', "sell"), (0, "both")];

/// What must be remembered of a connection.
#[derive(Default)]
pub(super) struct Levels {
    /// Bytes of a frame whose end has not come yet.
    waiting: Vec<u8>,
    /// Bytes of the stream before those.
    offset: u64,
    broken: bool,
    /// By the stream's number: the name, and what prices are in.
    instruments: HashMap<u32, (String, i8)>,
}

impl Levels {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The frames that `bytes` end.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        if self.broken {
            return items;
        }
        self.waiting.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.waiting);
        let mut rest = &all[..];
        loop {
            let length = match normal::length_of(rest) {
                Ok(Some(length)) if length <= rest.len() => length,
                Ok(_) => break,
                Err(_) => {
                    self.broken = true;
                    let what = "no frame begins so: this is no stream of an adapter from here on".to_owned();
                    items.push(Item::error(PROTOCOL, None, Some(self.offset), what));
                    return items;
                }
            };
            let (frame, behind) = rest.split_at(length);
            items.push(self.told(frame));
            self.offset += length as u64;
            rest = behind;
        }
        self.waiting = rest.to_vec();
        items
    }

    fn told(&mut self, frame: &[u8]) -> Item {
        let at = Some(self.offset);
        let Ok((header, _)) = Header::ref_from_prefix(frame) else {
            return Item::error(PROTOCOL, None, at, "it has no header".to_owned());
        };
        let number = Some(header.sequence.get());
        let mut item = match normal::decode(frame) {
            Ok(frame) => Item::said(PROTOCOL, number, at, self.said(&frame)),
            Err(error) => Item::error(PROTOCOL, number, at, trouble(error)),
        };
        item.symbol = self.instruments.get(&header.instrument.get()).map(|(name, _)| name.clone());
        item
    }

    fn said(&mut self, Frame { header, body }: &Frame<'_>) -> Said {
        let number = header.instrument.get();
        let exponent = self.instruments.get(&number).map(|(_, exponent)| *exponent);
        // As everywhere here, in 1/10,000 where that is what the venue counts in.
        let price = |units: i64| if exponent == Some(-4) { Value::Dollars(units) } else { Value::Signed(units) };
        let side = |side: Option<Side>| match side {
            Some(Side::Buy) => Value::letter(b'B', SIDES),
            Some(Side::Sell) => Value::letter(b'S', SIDES),
            None => Value::letter(0, SIDES),
        };
        let (name, mut fields) = match body {
            Body::SnapshotBegin => ("Snapshot Begin", vec![]),
            Body::SnapshotEnd => ("Snapshot End", vec![]),
            Body::Heartbeat => ("Heartbeat", vec![]),
            Body::Instrument(body) => {
                let name = trimmed(&body.name);
                self.instruments.insert(number, (name.clone(), body.price_exponent));
                let fields = vec![
                    ("symbol", Value::Symbol(name)),
                    ("tick", Value::Signed(body.tick.get())),
                    ("lot", Value::Signed(body.lot.get())),
                    ("multiplier", Value::Signed(body.multiplier.get())),
                    ("price_exponent", Value::Signed(body.price_exponent.into())),
                    ("qty_exponent", Value::Signed(body.qty_exponent.into())),
                    ("currency", Value::text(&body.currency)),
                    ("live", Value::letter(body.live, &[(b'Y', "live"), (b'N', "test")])),
                ];
                ("Instrument", fields)
            }
            Body::Level(of, level) => {
                let orders = Value::Number(level.orders.get().into());
                let qty = Value::Signed(level.qty.get());
                let fields = vec![
                    ("side", side(Some(*of))),
                    ("price", price(level.price.get())),
                    ("qty", qty),
                    ("orders", orders),
                ];
                ("Level", fields)
            }
            Body::Clear(of) => ("Clear", vec![("side", side(*of))]),
            Body::Trade(trade) => {
                let qty = Value::Signed(trade.qty.get());
                (
                    "Trade",
                    vec![
                        ("price", price(trade.price.get())),
                        ("qty", qty),
                        ("match_number", Value::Number(trade.trade.get())),
                    ],
                )
            }
            Body::Status(state) => {
                let state = match state {
                    State::Open => "open",
                    State::Halted => "halted",
                    State::Closed => "closed",
                };
                ("Status", vec![("state", Value::Text(state.to_owned()))])
            }
        };
        if number != 0 {
            fields.push(("instrument_number", Value::Number(number.into())));
        }
        fields.push(("timestamp", Value::Time(header.time().ns_since_midnight())));
        Said::new(name, fields)
    }
}

fn trouble(error: Malformed) -> String {
    match error {
        Malformed::Length => "not the length of its type".to_owned(),
        Malformed::Field => "a field that cannot be".to_owned(),
        Malformed::UnknownType(kind) => format!("a type that this build does not know: {}", kind.escape_ascii()),
    }
}
