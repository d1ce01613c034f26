//! `firelane log dump`: every record of a log or tape in words, and the messages within, field by field.

mod command;
mod itch;
mod levels;
mod ouch;
mod pick;
mod session;
mod tape;
mod words;

pub(crate) use pick::When;

use crate::cli::Dump;
use crate::layout::{self, laid_out};
use crate::log;
use crate::output;
use crate::paint;
use anyhow::{Context, Result, bail};
use firelane_gateway::base::{LineId, SessionId, Utc, VenueId};
use firelane_gateway::flow::outbox::{Class, Output};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::flow::record::log::{effect_of, input_of};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::{itch50, moldudp64};
use firelane_gateway::flow::{Arrival, Input, Machine};
use firelane_gateway::shell::log::{FileHeader, FileReader, Record};
use levels::Levels;
use pick::Pick;
use serde::ser::{Serialize, SerializeMap, Serializer};
use session::Stream;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use tape::Instruments;
use words::{Fields, Said, Value, time_of_day};

/// One message of a record, or what is wrong with it.
#[derive(Debug)]
struct Item {
    protocol: &'static str,
    /// Its number in the stream, where it has one.
    number: Option<u64>,
    /// Where it begins: in the packet, or in the stream since the connection.
    byte: Option<u64>,
    what: Result<Said, String>,
    symbol: Option<String>,
}

impl Item {
    fn said(protocol: &'static str, number: Option<u64>, byte: Option<u64>, said: Said) -> Self {
        Item { protocol, number, byte, what: Ok(said), symbol: None }
    }

    fn error(protocol: &'static str, number: Option<u64>, byte: Option<u64>, error: String) -> Self {
        Item { protocol, number, byte, what: Err(error), symbol: None }
    }

    fn text(&self, width: usize) -> String {
        let number = self.number.map_or(String::new(), |n| format!(" {n}"));
        let mut parts = vec![format!("      {}{number}", self.protocol)];
        match &self.what {
            Err(error) => {
                let place = self.byte.map_or(String::new(), |byte| format!(" at byte {byte}"));
                parts.push(paint::bad(&format!("ERROR{place}:")));
                parts.extend(error.split(' ').map(str::to_owned));
            }
            Ok(said) => {
                let own = said.fields.symbol().is_some();
                let symbol = self.symbol.as_ref().filter(|_| !own).map_or(String::new(), |s| format!(" of {s}"));
                let shown = said.fields.0.iter().filter(|(name, value)| !is_noise(name, value));
                let fields: Vec<String> = shown.map(|(name, value)| format!("{name} {value}")).collect();
                parts.push(format!("{}{symbol}{}", paint::strong(said.name), if fields.is_empty() { "" } else { ":" }));
                parts.extend(with_commas(fields));
            }
        }
        laid_out(&parts, 10, width)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("protocol", self.protocol)?;
        if let Some(number) = self.number {
            map.serialize_entry("number", &number)?;
        }
        if let Some(byte) = self.byte {
            map.serialize_entry("byte", &byte)?;
        }
        if let Some(symbol) = &self.symbol {
            map.serialize_entry("symbol", symbol)?;
        }
        match &self.what {
            Ok(said) => {
                map.serialize_entry("name", said.name)?;
                map.serialize_entry("fields", &said.fields)?;
            }
            Err(error) => map.serialize_entry("error", error)?,
        }
        map.end()
    }
}

/// What people need not see: the JSON has it.
fn is_noise(name: &str, value: &Value) -> bool {
    match name {
        "message_type" => true,
        "tracking_number" => *value == Value::Number(0),
        "reserved" => *value == Value::Text(String::new()),
        _ => false,
    }
}

/// What says nothing in a record of ours.
fn is_nothing(name: &str, value: &Value) -> bool {
    match value {
        _ if name == "instrument" => false,
        Value::Number(n) | Value::Order(n) | Value::Own(n) => *n == 0,
        Value::Signed(n) | Value::Dollars(n) => *n == 0,
        Value::Text(text) => text.is_empty() || text == "\\x00",
        _ => false,
    }
}

fn with_commas(mut words: Vec<String>) -> Vec<String> {
    let last = words.len().saturating_sub(1);
    words.iter_mut().take(last).for_each(|word| word.push(','));
    words
}

/// One record.
#[derive(Debug)]
struct Entry {
    input: u64,
    time_ns: u64,
    /// Where the file knows it.
    time: Option<String>,
    kind: &'static str,
    /// Whose it is, for whoever names what is in it.
    venue: VenueId,
    fields: Fields,
    items: Vec<Item>,
    /// What is wrong with the record itself.
    error: Option<String>,
}

impl Entry {
    /// It is about a venue: said of all but the first, for most lanes have no other.
    fn at(&mut self, venue: VenueId) {
        self.venue = venue;
        if venue != VenueId::FIRST {
            self.fields.0.push(("venue", Value::Number(venue.0.into())));
        }
    }

    fn text(&self, width: usize) -> String {
        let time = self
            .time
            .clone()
            .unwrap_or_else(|| format!("+{}.{:09}", self.time_ns / 1_000_000_000, self.time_ns % 1_000_000_000));
        let mut parts = vec![format!("{:>9} {time:>18} {}", self.input, self.kind)];
        let shown = self.fields.0.iter().filter(|(name, value)| !is_nothing(name, value));
        parts.extend(with_commas(shown.map(|(name, value)| format!("{name} {value}")).collect()));
        parts.extend(self.error.iter().map(|error| format!("{} {error}", paint::bad("ERROR:"))));
        let mut text = laid_out(&parts, 10, width);
        for item in &self.items {
            text.push('\n');
            text.push_str(&item.text(width));
        }
        text
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("input", &self.input)?;
        map.serialize_entry("time_ns", &self.time_ns)?;
        if let Some(time) = &self.time {
            map.serialize_entry("time", time)?;
        }
        map.serialize_entry("kind", self.kind)?;
        map.serialize_entry("fields", &self.fields)?;
        if !self.items.is_empty() {
            map.serialize_entry("messages", &self.items)?;
        }
        if let Some(error) = &self.error {
            map.serialize_entry("error", error)?;
        }
        map.end()
    }
}

/// What must be remembered from one record to the next.
struct Reading<'a> {
    header: &'a FileHeader,
    /// Nanoseconds of the day at which the lane's clock began, where the file says so.
    began: Option<u64>,
    /// Received and sent, of each venue's sessions.
    streams: HashMap<(VenueId, SessionId), [Stream; 2]>,
    levels: HashMap<VenueId, Levels>,
    /// Numbers are a venue's own.
    by_locate: HashMap<(VenueId, u16), String>,
    by_own: HashMap<(VenueId, u64), String>,
    seen: BTreeSet<String>,
}

impl<'a> Reading<'a> {
    fn new(header: &'a FileHeader) -> Self {
        Reading {
            header,
            began: header.began_ns_of_day(),
            streams: HashMap::new(),
            levels: HashMap::new(),
            by_locate: HashMap::new(),
            by_own: HashMap::new(),
            seen: header.instruments.iter().map(|row| row.name.clone()).collect(),
        }
    }

    fn entry(&mut self, record: &Record) -> Entry {
        const DAY: u64 = 86_400_000_000_000;
        let time_ns = record.header.time.get();
        let mut entry = Entry {
            input: record.header.sequence.get(),
            time_ns,
            time: self.began.map(|began| time_of_day(began.saturating_add(time_ns) % DAY)),
            kind: record.kind.map_or("Unknown", Kind::name),
            venue: VenueId::FIRST,
            fields: Fields::default(),
            items: Vec::new(),
            error: None,
        };
        match record.kind {
            None => entry.error = Some("a kind of record that this build does not know".to_owned()),
            Some(kind) => self.fill(&mut entry, kind, &record.body),
        }
        if let Some(symbol) = entry.fields.symbol() {
            self.seen.insert(symbol.to_owned());
        }
        for item in &mut entry.items {
            self.name(entry.venue, item);
        }
        entry
    }

    fn fill(&mut self, entry: &mut Entry, kind: Kind, body: &[u8]) {
        if (kind as u8) < 64 {
            match input_of(kind, body) {
                Some(input) => self.fill_input(entry, input),
                None => entry.error = Some(none_of_this_kind(body)),
            }
        } else if matches!(kind, Kind::Sent | Kind::Datagram | Kind::Connect | Kind::Disconnect | Kind::Snapshot) {
            match effect_of(kind, body) {
                Some(effect) => self.fill_effect(entry, effect),
                None => entry.error = Some(none_of_this_kind(body)),
            }
        } else {
            match tape::fields(kind, body, &Instruments(&self.header.instruments)) {
                Some(fields) => entry.fields = fields,
                None => entry.error = Some(none_of_this_kind(body)),
            }
        }
    }

    fn fill_input(&mut self, entry: &mut Entry, input: Input<'_>) {
        match input {
            Input::Packet(Arrival { venue, line, stamp }, packet) => {
                entry.at(venue);
                entry.fields.0.push(("line", line_name(line)));
                if let Some(Utc(stamp)) = stamp {
                    entry.fields.0.push(("stamped_unix_ns", Value::Number(stamp)));
                }
                match moldudp64::Packet::parse(packet) {
                    Ok(packet) => fill_packet(entry, &packet),
                    Err(_) => {
                        entry.error = Some(format!("{} bytes are no MoldUDP64: its header has 20", packet.len()));
                    }
                }
            }
            Input::Session(venue, session, input) => {
                entry.at(venue);
                match input {
                    SessionInput::Bytes(bytes) => self.fill_stream(entry, venue, session, 0, bytes),
                    SessionInput::Dropped(bytes) => {
                        entry.fields.0.push(("session", tape::session(session)));
                        entry.fields.0.push(("bytes", Value::Number(bytes.len() as u64)));
                        let why = "the kill switch took it out before it left";
                        entry.fields.0.push(("why", Value::Text(why.to_owned())));
                        entry.items = Stream::new(session, false).take(bytes);
                    }
                    SessionInput::Connected | SessionInput::Closed => {
                        entry.fields.0.push(("session", tape::session(session)));
                        self.streams.remove(&(venue, session));
                        if session == SessionId::STREAM {
                            self.levels.remove(&venue);
                        }
                    }
                    SessionInput::Blocked | SessionInput::Writable => {
                        entry.fields.0.push(("session", tape::session(session)));
                    }
                }
            }
            Input::Command(command) => {
                let command = command.read();
                if let Some(venue) = command.to.venue {
                    entry.at(venue);
                }
                entry.fields.0.extend(command::command(&command, &Instruments(&self.header.instruments)));
            }
            Input::Timer(machine) => {
                let name = match machine {
                    Machine::Feed(venue) => {
                        entry.at(venue);
                        "feed"
                    }
                    Machine::Core => "core",
                };
                entry.fields.0.push(("machine", Value::Text(name.to_owned())));
            }
            Input::Clock(offset) => entry.fields.0.push(("utc_offset_ns", Value::Signed(offset.0))),
        }
    }

    fn fill_effect(&mut self, entry: &mut Entry, effect: Output<'_>) {
        match effect {
            Output::Send { venue, session, class, bytes } => {
                entry.at(venue);
                self.fill_stream(entry, venue, session, 1, bytes);
                if class == Class::Cancel {
                    entry.fields.0.push(("class", Value::Text("cancel".to_owned())));
                }
            }
            Output::Datagram(venue, bytes) => {
                entry.at(venue);
                match moldudp64::Request::parse(bytes) {
                    Ok(request) => {
                        let first = request.sequence.get();
                        let last = first.saturating_add(u64::from(request.count.get())).saturating_sub(1);
                        entry.fields.0.extend([
                            ("re-request", Value::text(&request.session)),
                            ("first", Value::Number(first)),
                            ("last", Value::Number(last)),
                        ]);
                    }
                    Err(_) => entry.error = Some(format!("a re-request of {} bytes: it has 20", bytes.len())),
                }
            }
            Output::Connect(venue, session) | Output::Disconnect(venue, session) => {
                entry.at(venue);
                entry.fields.0.push(("session", tape::session(session)));
            }
            Output::Snapshot(venue) => entry.at(venue),
            Output::Tape(_) => {}
        }
    }

    fn fill_stream(&mut self, entry: &mut Entry, venue: VenueId, session: SessionId, direction: usize, bytes: &[u8]) {
        entry.fields.0.push(("session", tape::session(session)));
        entry.fields.0.push(("bytes", Value::Number(bytes.len() as u64)));
        if session == SessionId::STREAM && direction == 0 {
            let stream = self.levels.entry(venue).or_default();
            entry.items = stream.take(bytes);
            if stream.waiting() > 0 {
                entry.fields.0.push(("of_a_packet_to_come", Value::Number(stream.waiting() as u64)));
            }
            return;
        }
        if ![SessionId::ORDERS, SessionId::SNAPSHOT].contains(&session) {
            entry.error = Some("a session that this build does not know".to_owned());
            return;
        }
        let both = self.streams.entry((venue, session));
        let both = both.or_insert_with(|| [true, false].map(|from_venue| Stream::new(session, from_venue)));
        let stream = &mut both[direction];
        entry.items = stream.take(bytes);
        if stream.waiting() > 0 {
            entry.fields.0.push(("of_a_packet_to_come", Value::Number(stream.waiting() as u64)));
        }
    }

    /// Finds out which symbol a message is about.
    fn name(&mut self, venue: VenueId, item: &mut Item) {
        let Ok(said) = &item.what else { return };
        let mut own = None;
        let mut locate = None;
        for (name, value) in &said.fields.0 {
            match value {
                Value::Own(n) if *name != "next_user_ref_num" => own = Some(*n),
                Value::Number(n) if *name == "stock_locate" => locate = u16::try_from(*n).ok(),
                _ => {}
            }
        }
        if let Some(symbol) = said.fields.symbol() {
            self.seen.insert(symbol.to_owned());
            if let Some(locate) = locate.filter(|_| said.name == "Stock Directory") {
                self.by_locate.insert((venue, locate), symbol.to_owned());
            }
            if let Some(own) = own {
                self.by_own.insert((venue, own), symbol.to_owned());
            }
            item.symbol = Some(symbol.to_owned());
            return;
        }
        let by_locate = locate.and_then(|locate| self.by_locate.get(&(venue, locate)));
        let known = by_locate.or_else(|| own.and_then(|own| self.by_own.get(&(venue, own)))).cloned();
        item.symbol = known.or(item.symbol.take());
        // A replace names its symbol by the order that it replaces.
        let original = said.fields.0.iter().find_map(|(name, value)| match value {
            Value::Own(n) if *name == "orig_user_ref_num" => Some(*n),
            _ => None,
        });
        if let (Some(original), Some(own)) = (original, own)
            && let Some(symbol) = self.by_own.get(&(venue, original)).cloned()
        {
            self.by_own.insert((venue, own), symbol.clone());
            item.symbol = Some(symbol);
        }
    }
}

fn line_name(line: LineId) -> Value {
    Value::Text(match line {
        LineId::A => "A".to_owned(),
        LineId::B => "B".to_owned(),
        LineId::REREQUEST => "re-request reply".to_owned(),
        LineId(other) => other.to_string(),
    })
}

fn none_of_this_kind(body: &[u8]) -> String {
    format!("a body of {} bytes is none of this kind", body.len())
}

fn fill_packet(entry: &mut Entry, packet: &moldudp64::Packet<'_>) {
    let header = packet.header();
    let first = header.sequence.get();
    entry.fields.0.push(("session", Value::text(&header.session)));
    match header.count.get() {
        moldudp64::HEARTBEAT => entry.fields.0.push(("heartbeat", Value::Text(format!("next {first}")))),
        moldudp64::END_OF_SESSION => entry.fields.0.push(("end_of_session", Value::Text(format!("next {first}")))),
        count => {
            let last = first.saturating_add(u64::from(count)).saturating_sub(1);
            let numbers = if count == 1 { first.to_string() } else { format!("{first} to {last}") };
            entry.fields.0.push(("messages", Value::Text(numbers)));
        }
    }
    let mut messages = packet.messages();
    loop {
        let at = messages.offset() as u64;
        match messages.next() {
            None => break,
            // The message lies behind its length.
            Some(Ok((number, bytes))) => {
                let at = Some(at.saturating_add(2));
                entry.items.push(match itch50::decode(bytes) {
                    Ok(message) => Item::said("ITCH", Some(number), at, itch::said(&message)),
                    Err(error) => Item::error("ITCH", Some(number), at, itch::trouble(error)),
                });
            }
            Some(Err(torn)) => {
                let what = format!("the packet ends here; {} of its messages are missing", torn.missing);
                entry.items.push(Item::error("MoldUDP64", Some(torn.sequence), Some(torn.offset as u64), what));
            }
        }
    }
    if let Some(trailing @ 1..) = packet.trailing().filter(|_| header.messages() > 0) {
        entry.error = Some(format!("{trailing} bytes behind the last message"));
    }
}

/// Records as lines of text or of JSON, as far as they are asked for: what `log dump` prints, and what a tape says live.
pub(crate) struct Printer<'a> {
    reading: Reading<'a>,
    pick: Pick,
    json: bool,
    width: usize,
}

impl<'a> Printer<'a> {
    /// Of the records under a header.
    pub(crate) fn new(header: &'a FileHeader, options: &Dump) -> Result<Self> {
        let reading = Reading::new(header);
        let pick = Pick::new(options, reading.began)?;
        Ok(Printer { reading, pick, json: options.json, width: layout::width() })
    }

    /// The next record. `None`: it is not asked for. Each is read all the same: later ones hang on it.
    pub(crate) fn line(&mut self, record: &Record) -> Result<Option<String>> {
        let entry = self.reading.entry(record);
        // What is missing is said whatever is asked for: it may have been that.
        let entry = if record.kind == Some(Kind::Lapped) { Some(entry) } else { self.pick.picked(entry) };
        let Some(entry) = entry else { return Ok(None) };
        Ok(Some(if self.json { serde_json::to_string(&entry)? } else { entry.text(self.width) }))
    }
}

pub(crate) fn run(options: &Dump) -> Result<ExitCode> {
    let path = &options.file;
    let mut reader = FileReader::new(log::open(path)?).with_context(|| log::hint(path))?;
    let header = reader.header().clone();
    let mut printer = Printer::new(&header, options).with_context(|| path.display().to_string())?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let (mut shown, mut records) = (0_u64, 0_u64);
    loop {
        let record = match reader.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(error) => {
                output::text_written(&out.flush());
                return Err(error).with_context(|| path.display().to_string());
            }
        };
        records += 1;
        let Some(text) = printer.line(&record)? else { continue };
        shown += 1;
        // Each record is whole: whoever has seen enough of them closes the pipe, as of text.
        output::text_written(&writeln!(out, "{text}"));
        if output::is_over() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    output::text_written(&out.flush());
    let reading = &printer.reading;
    if let Some(symbol) = options.symbol.iter().find(|symbol| !reading.seen.contains(&symbol.to_ascii_uppercase())) {
        let there: Vec<&str> = reading.seen.iter().map(String::as_str).collect();
        let some = there.iter().take(20).copied().collect::<Vec<_>>().join(", ");
        let more = there.len().saturating_sub(20);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        bail!("{}: nothing in it is about {symbol}; it names {some}{more}", path.display());
    }
    if shown == 0 && records > 0 {
        output::complain(format_args!("firelane: {}: none of its {records} records is asked for", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
