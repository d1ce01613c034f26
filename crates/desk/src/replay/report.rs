//! What `replay` says. The layout of its JSON is stable: fields are added, never renamed or removed.

use crate::beside::Reports;
use crate::layout::sentence;
use crate::money::Money;
use crate::paint;
use firelane_sim::capture::merge::Counts;
use firelane_sim::capture::packets;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Messages without which a time per message is that of the start.
const ENOUGH_TO_TIME: u64 = 1_000;

/// The report.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Messages, unknown and malformed ones counted.
    pub(crate) messages: u64,
    /// Well-formed messages of a known type, by their letter.
    pub(crate) counts: BTreeMap<char, u64>,
    /// What was wrong.
    pub(crate) errors: Errors,
    /// Where the file could not be read on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) damaged: Option<Damage>,
    /// Instruments seen (with `--symbol`: those asked for).
    pub(crate) symbols: u64,
    /// With `--symbols`: their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) symbol_list: Option<Vec<String>>,
    /// Orders resting at the end.
    pub(crate) live_orders: u64,
    /// The most orders that rested at once.
    pub(crate) peak_live_orders: u64,
    /// Times that the books began anew: a new session, or a new day.
    pub(crate) new_books: u64,
    /// Decode and full book, a message.
    pub(crate) ns_per_message: NsPerMessage,
    /// Packets that were read and not used.
    pub(crate) skipped_packets: u64,
    /// The same by kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<Skipped>,
    /// Arbitration, where the file held packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feed: Option<Lines>,
    /// Lines of `--bbo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bbo_states: Option<u64>,
    /// Of a book that may be wrong: marked where there is a column for it, and else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bbo_stale: Option<u64>,
    /// What `--orders` did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) orders: Option<Orders>,
    /// What those beside the lane came to: `--detector`, a portfolio.
    #[serde(flatten)]
    pub(crate) beside: Reports,
}

/// Where and why a file could not be read on.
#[derive(Debug, Serialize)]
pub(crate) struct Damage {
    /// The byte, decompressed, of the record that could not be read.
    pub(crate) byte: Option<u64>,
    /// What is wrong.
    pub(crate) why: String,
    /// The file ends there; nothing is wrong with what there is of it.
    pub(crate) cut: bool,
}

/// Packets that were not used, by kind.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Skipped {
    /// UDP that is no MoldUDP64 of the feed: clocks, name services, own re-requests.
    not_of_the_feed: u64,
    /// Of a multicast group beside the two lines.
    third_line: u64,
    /// Of a session that is over, or of which there is nothing else.
    other_session: u64,
    /// TCP.
    tcp: u64,
    /// Fragments of which others are missing.
    fragments: u64,
    /// Neither UDP nor TCP.
    other: u64,
    /// With headers that cannot be.
    malformed: u64,
}

impl Skipped {
    pub(crate) fn of(packets: packets::Skipped, counts: Counts) -> Self {
        Skipped {
            not_of_the_feed: counts.foreign,
            third_line: counts.third_line,
            other_session: counts.other_session,
            tcp: packets.other_transport,
            fragments: packets.fragments,
            other: packets.other,
            malformed: packets.malformed,
        }
    }

    pub(crate) fn rows(&self) -> [(&'static str, u64); 7] {
        [
            ("TCP", self.tcp),
            ("no MoldUDP64 of the feed", self.not_of_the_feed),
            ("of a third line", self.third_line),
            ("of another session", self.other_session),
            ("incomplete fragments", self.fragments),
            ("neither UDP nor TCP", self.other),
            ("malformed", self.malformed),
        ]
    }

    pub(crate) fn total(&self) -> u64 {
        self.rows().iter().map(|(_, n)| n).sum()
    }
}

/// Errors by kind.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Errors {
    /// Of a type that this build does not know.
    pub(crate) unknown_type: u64,
    /// Of a known type with a wrong length.
    pub(crate) bad_length: u64,
    /// With a field that cannot be.
    pub(crate) bad_field: u64,
    /// Cut off by the end of the file or of its packet.
    pub(crate) truncated: u64,
    /// About an order that does not rest.
    pub(crate) unknown_ref: u64,
    /// Adding an order that rests already.
    pub(crate) duplicate_ref: u64,
    /// Executing or cancelling more than is left.
    pub(crate) over_reduce: u64,
    /// For which the books had no room.
    pub(crate) no_room: u64,
    /// Missing on every line of a packet capture.
    pub(crate) lost: u64,
    /// Bytes after the end-of-session mark of a BinaryFILE.
    pub(crate) trailing_bytes: u64,
}

impl Errors {
    /// Was anything wrong?
    pub(crate) fn any(&self) -> bool {
        self.rows().iter().any(|(_, n)| *n > 0)
    }

    fn rows(&self) -> [(&'static str, u64); 10] {
        [
            ("unknown type", self.unknown_type),
            ("wrong length", self.bad_length),
            ("impossible field", self.bad_field),
            ("truncated", self.truncated),
            ("unknown order reference", self.unknown_ref),
            ("duplicate order reference", self.duplicate_ref),
            ("more taken than was left", self.over_reduce),
            ("no room in the books", self.no_room),
            ("lost on every line", self.lost),
            ("bytes after the end of session", self.trailing_bytes),
        ]
    }
}

/// Nanoseconds a message.
#[derive(Debug, Default, Serialize)]
pub(crate) struct NsPerMessage {
    /// The first pass, in a fresh process, into empty books; reading and unpacking not counted.
    pub(crate) cold: f64,
    /// With `--bench`: the median of later passes over memory, the books reset before each.
    pub(crate) warm: Option<f64>,
}

/// What arbitration counted.
#[derive(Debug, Serialize)]
pub(crate) struct Lines {
    packets: u64,
    duplicates: u64,
    gaps: u64,
    filled_by_other_line: u64,
    lost: u64,
    filled_by_rerequest: u64,
    replies: u64,
    session_changes: u64,
    healed: u64,
}

impl Lines {
    fn rows(&self) -> [(&'static str, u64); 8] {
        [
            ("answers to re-requests", self.replies),
            ("duplicate messages", self.duplicates),
            ("gaps", self.gaps),
            ("filled by the other line", self.filled_by_other_line),
            ("filled by re-request", self.filled_by_rerequest),
            ("filled by a sound copy", self.healed),
            ("lost on every line", self.lost),
            ("changes of the session", self.session_changes),
        ]
    }
}

impl From<Counts> for Lines {
    fn from(c: Counts) -> Self {
        Lines {
            packets: c.packets,
            duplicates: c.duplicates,
            gaps: c.gaps,
            filled_by_other_line: c.filled_by_line,
            lost: c.lost,
            filled_by_rerequest: c.filled_by_rerequest,
            replies: c.replies,
            session_changes: c.session_changes,
            healed: c.healed,
        }
    }
}

/// What the strategy would have done.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Orders {
    /// Frames written.
    pub(crate) frames: u64,
    /// Enters, replaces and cancels among them.
    pub(crate) entered: u64,
    pub(crate) replaced: u64,
    pub(crate) cancelled: u64,
    /// Virtual fills.
    pub(crate) fills: u64,
    /// What they brought.
    #[serde(flatten)]
    pub(crate) money: Money,
}

impl Report {
    /// For people.
    pub(crate) fn text(&self, file: &Path) -> String {
        let mut text = String::new();
        let mut line = |line: fmt::Arguments<'_>| text += &format!("{line}\n");
        line(format_args!("{}", file.display()));
        line(format_args!("  messages          {:>14}", group(self.messages)));
        for (letter, n) in &self.counts {
            line(format_args!("    {letter}  {:<24}{:>14}", name(*letter), group(*n)));
        }
        let errors: Vec<_> = self.errors.rows().into_iter().filter(|(_, n)| *n > 0).collect();
        if errors.is_empty() {
            line(format_args!("  errors            {:>14}", "none"));
        } else {
            line(format_args!("  {}", paint::amber("errors")));
            for (what, n) in errors {
                line(format_args!("    {what:<27}{}", paint::amber(&format!("{:>14}", group(n)))));
            }
        }
        if let Some(damage) = &self.damaged {
            let what = if damage.cut { "file breaks off" } else { "file damaged" };
            let at = damage.byte.map_or("at its beginning".to_owned(), |byte| format!("at byte {}", group(byte)));
            let what = paint::bad(&format!("{what:<17}"));
            line(format_args!("  {what} {at}; what stands before it is counted here"));
        }
        if let Some(feed) = &self.feed {
            line(format_args!("  packets           {:>14}   of the lines", group(feed.packets)));
            for (what, n) in feed.rows().into_iter().filter(|(_, n)| *n > 0) {
                line(format_args!("    {what:<27}{:>14}", group(n)));
            }
        }
        if let Some(skipped) = self.skipped.as_ref().filter(|_| self.skipped_packets > 0) {
            line(format_args!("  packets not used  {:>14}", group(self.skipped_packets)));
            for (what, n) in skipped.rows().into_iter().filter(|(_, n)| *n > 0) {
                line(format_args!("    {what:<27}{:>14}", group(n)));
            }
        }
        if self.new_books > 0 {
            line(format_args!("  books begun anew  {:>14}   a new session, or a new day", group(self.new_books)));
        }
        if self.symbols > 0 {
            line(format_args!("  symbols           {:>14}", group(self.symbols)));
        }
        if let Some(symbols) = &self.symbol_list {
            for symbol in symbols {
                line(format_args!("    {symbol}"));
            }
        }
        if self.peak_live_orders > 0 {
            line(format_args!(
                "  live orders       {:>14}   peak {}",
                group(self.live_orders),
                group(self.peak_live_orders)
            ));
        }
        if let Some(n) = self.bbo_states {
            line(format_args!("  best bid or offer {:>14}   changes written", group(n)));
        }
        if let Some(n) = self.bbo_stale.filter(|n| *n > 0) {
            let n = paint::amber(&format!("{:>14}", group(n)));
            line(format_args!("                    {n}   of a book that may be wrong, after a loss"));
        }
        if let Some(o) = &self.orders {
            line(format_args!(
                "  order frames      {:>14}   {}",
                group(o.frames),
                counted(&[(o.entered, "enters"), (o.replaced, "replaces"), (o.cancelled, "cancels")])
            ));
            line(format_args!("  virtual fills     {:>14}", group(o.fills)));
            o.money.rows().iter().for_each(|row| line(format_args!("{row}")));
        }
        for (name, value, note) in self.beside.rows() {
            line(format_args!("{}", sentence(&format!("  {name:<18}{:>14}   {note}", group(value)), 35)));
        }
        let NsPerMessage { cold, warm } = self.ns_per_message;
        // The first messages find cold caches and pages that nobody touched: so few say nothing of the rest.
        if self.messages >= ENOUGH_TO_TIME {
            line(format_args!("  ns per message    {cold:>14.1}   cold (first pass, empty books)"));
        } else if self.messages > 0 {
            let few = format!("too few messages to time: it takes {}", group(ENOUGH_TO_TIME));
            line(format_args!("  ns per message    {:>14}   {few}", "-"));
        }
        if let Some(warm) = warm {
            line(format_args!("                    {warm:>14.1}   warm (median of later passes)"));
        }
        text
    }
}

/// 1234567 as 1,234,567.
pub(crate) fn group(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// Counts with their names, those that are zero left out.
pub(crate) fn counted(counts: &[(u64, &str)]) -> String {
    let words: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", group(*n))).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn name(letter: char) -> &'static str {
    match letter {
        'S' => "system event",
        'R' => "stock directory",
        'H' => "trading action",
        'Y' => "Reg SHO restriction",
        'L' => "participant position",
        'V' => "circuit breaker levels",
        'W' => "circuit breaker status",
        'K' => "IPO quoting period",
        'J' => "LULD auction collar",
        'h' => "operational halt",
        'A' => "add order",
        'F' => "add order, attributed",
        'E' => "executed",
        'C' => "executed with price",
        'X' => "cancelled",
        'D' => "deleted",
        'U' => "replaced",
        'P' => "trade",
        'Q' => "cross trade",
        'B' => "broken trade",
        'I' => "imbalance",
        'N' => "retail interest",
        'O' => "direct listing",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_only_say_zero_is_left_out_and_few_messages_are_not_timed() {
        let text = |report: &Report| report.text(Path::new("DAY.itch"));
        let nothing = text(&Report::default());
        for name in ["symbols", "live orders", "ns per message", "packets"] {
            assert!(!nothing.contains(name), "{nothing}");
        }
        let report = |messages| Report { messages, symbols: 1, peak_live_orders: 2, ..Report::default() };
        let few = text(&report(ENOUGH_TO_TIME - 1));
        assert!(few.contains("             -   too few messages to time: it takes 1,000\n"), "{few}");
        let enough = text(&report(ENOUGH_TO_TIME));
        assert!(enough.contains("0.0   cold") && enough.contains("peak 2"), "{enough}");
        assert!(few.lines().all(|line| line.chars().count() <= 80), "{few}");
    }
}
