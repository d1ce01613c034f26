//! Commands and the answers to them, in words.

use super::tape::Instruments;
use super::words::Value;
use firelane_gateway::base::{Mono, Side};
use firelane_gateway::flow::command::{Command, Detected, ParentOrder, ParentStep, To, Word};
use firelane_gateway::flow::record::command::Answer;
use firelane_gateway::flow::risk::{LaneLimitChange, LimitChange, ShortSale};

type Field = (&'static str, Value);

fn word(name: &str) -> Value {
    Value::Text(name.to_owned())
}

fn hex(bytes: &[u8]) -> Value {
    Value::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The fields of a command, but for its venue.
pub(super) fn command(command: &Command<'_>, instruments: &Instruments<'_>) -> Vec<Field> {
    let Command { from, ticket, to: To { venue: _, instrument, strategy }, expires, word: said } = *command;
    let mut fields = vec![("command", word(said.name()))];
    fields.extend(instrument.map(|id| instruments.field(id.0)));
    fields.extend(strategy.map(|id| ("strategy", Value::Number(id.0.into()))));
    arguments(&said, &mut fields);
    // Those of the shell's own have neither.
    if from.0 != 0 || ticket != 0 {
        fields.push(("from", Value::Number(from.0.into())));
        fields.push(("ticket", Value::Number(ticket)));
    }
    if expires != Mono::NEVER {
        fields.push(("expires_ns", Value::Number(expires.0)));
    }
    fields
}

fn arguments(said: &Word<'_>, fields: &mut Vec<Field>) {
    let whole = |number: i128| Value::Text(number.to_string());
    match *said {
        Word::Limits(LimitChange { order_qty, order_notional, position, open, short }) => {
            fields.extend(order_qty.map(|qty| ("max_order_qty", Value::Signed(qty.0))));
            fields.extend(order_notional.map(|worth| ("max_order_notional", whole(worth.0))));
            fields.extend(position.map(|qty| ("max_position", Value::Signed(qty.0))));
            fields.extend(open.map(|worth| ("max_open", whole(worth.0))));
            let short = short.map(|short| match short {
                ShortSale::Forbidden => "forbidden",
                ShortSale::Located => "located",
                ShortSale::MarketMaker => "market maker",
            });
            fields.extend(short.map(|short| ("short", word(short))));
        }
        Word::LaneLimits(LaneLimitChange { total_open, orders_per_second, burst }) => {
            fields.extend(total_open.map(|worth| ("max_total_open", whole(worth.0))));
            fields.extend(orders_per_second.map(|rate| ("orders_per_second", Value::Number(rate.into()))));
            fields.extend(burst.map(|burst| ("burst", Value::Number(burst.into()))));
        }
        Word::Locates { shares } => fields.push(("shares", Value::Signed(shares.0))),
        Word::CarryIn { shares, cost } => {
            fields.extend([("shares", Value::Signed(shares.0)), ("cost", whole(cost.0))]);
        }
        Word::Target { position } => fields.push(("position", Value::Signed(position.0))),
        Word::Alert(Detected { detector, value, at }) => fields.extend([
            ("detector", Value::Number(detector.into())),
            ("value", Value::Signed(value)),
            ("at_ns", Value::Number(at.0)),
        ]),
        Word::Parameter { key, value } => {
            fields.extend([("key", word(key.as_str())), ("value", Value::Signed(value))]);
        }
        Word::Parent(ref order) => parent(order, fields),
        Word::Own(own) => fields.push(("bytes", hex(own.bytes()))),
        Word::Unknown(foreign) => {
            fields.extend([("code", Value::Number(foreign.code().into())), ("bytes", hex(foreign.bytes()))]);
        }
        Word::Kill | Word::Release | Word::Enable | Word::Disable | Word::Shutdown => {}
        Word::Snapshot | Word::Start | Word::Hold | Word::Resume => {}
    }
}

fn parent(order: &ParentOrder, fields: &mut Vec<Field>) {
    let ParentOrder { what, parent, side, qty, limit, start, end, urgency, algorithm, account } = *order;
    let what = match what {
        ParentStep::New => "new",
        ParentStep::Amend => "amend",
        ParentStep::Pause => "pause",
        ParentStep::Resume => "resume",
        ParentStep::Cancel => "cancel",
    };
    fields.extend([
        ("what", word(what)),
        ("parent", Value::Own(parent.0)),
        ("side", word(if side == Side::Buy { "buy" } else { "sell" })),
        ("shares", Value::Signed(qty.0)),
    ]);
    fields.extend(limit.map(|price| ("limit", Value::Dollars(price.0))));
    fields.extend([
        ("start_ns", Value::Number(start.0)),
        ("end_ns", Value::Number(end.0)),
        ("urgency", Value::Number(urgency.into())),
        ("algorithm", Value::Number(algorithm.into())),
        ("account", Value::Number(account.0.into())),
    ]);
}

/// The fields of an answer. `None`: its body is none.
pub(super) fn answer(body: &[u8]) -> Option<Vec<Field>> {
    let Answer { from, ticket, code, said, why: _, text } = Answer::read(body)?;
    let name = Word::name_of(code).map_or_else(|| Value::Number(code.into()), word);
    let mut fields = vec![("command", name), ("outcome", word(said.name()))];
    if !text.is_empty() {
        fields.push(("why", word(text)));
    }
    if from.0 != 0 || ticket != 0 {
        fields.extend([("from", Value::Number(from.0.into())), ("ticket", Value::Number(ticket))]);
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::{Instrument, InstrumentId, Notional, Qty, StrategyId, Symbol};
    use firelane_gateway::flow::CommandBuf;
    use firelane_gateway::flow::command::{Commander, Key};
    use firelane_gateway::shell::rows::InstrumentRow;

    fn said(fields: &[Field]) -> String {
        fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn commands_are_said_with_their_arguments() {
        let symbols = [InstrumentRow::from(&Instrument::us_equity(Symbol(*b"AAPL    ")))];
        let spell = |one: Command<'_>| said(&command(&CommandBuf::of(&one).read(), &Instruments(&symbols)));
        assert_eq!(spell(Command::of(Word::Kill)), "command=Kill");
        let limits = LimitChange { position: Some(Qty(500)), open: Some(Notional(1 << 70)), ..LimitChange::default() };
        let aapl = To::instrument(InstrumentId(0));
        let by = |word| Command { from: Commander(3), ticket: 8, ..Command::of(word).to(aapl) };
        assert_eq!(
            spell(by(Word::Limits(limits))),
            "command=Limits symbol=AAPL max_position=500 max_open=1180591620717411303424 from=3 ticket=8"
        );
        let size = Word::Parameter { key: Key::new("size").unwrap(), value: -1 };
        let second = Command { expires: Mono(7), ..Command::of(size).to(To::strategy(StrategyId(2))) };
        assert_eq!(spell(second), "command=Parameter strategy=2 key=size value=-1 expires_ns=7");
    }
}
