//! What `replay` says. The layout of its JSON is stable: fields are added, never renamed or removed.

use firelane_gateway::flow::feed::FeedCounters;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The report.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Messages, unknown and malformed ones counted.
    pub(crate) messages: u64,
    /// Well-formed messages of a known type, by their letter.
    pub(crate) counts: BTreeMap<char, u64>,
    /// What was wrong.
    pub(crate) errors: Errors,
    /// Instruments seen (with `--symbol`: 1).
    pub(crate) symbols: u64,
    /// Orders resting at the end.
    pub(crate) live_orders: u64,
    /// The most orders that rested at once.
    pub(crate) peak_live_orders: u64,
    /// Decode and full book, a message.
    pub(crate) ns_per_message: NsPerMessage,
    /// Packets passed over: no MoldUDP64, fragments, a third line.
    pub(crate) skipped_packets: u64,
    /// Arbitration, where the file held packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feed: Option<Lines>,
    /// Lines of `--bbo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bbo_states: Option<u64>,
    /// What `--orders` did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) orders: Option<Orders>,
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
    /// The first pass over the decompressed bytes, in a fresh process, into empty books.
    pub(crate) cold: f64,
    /// The median of later passes, the books reset before each.
    pub(crate) warm: f64,
}

/// What arbitration counted.
#[derive(Debug, Serialize)]
pub(crate) struct Lines {
    packets: u64,
    duplicates: u64,
    gaps: u64,
    filled_by_other_line: u64,
    lost: u64,
}

impl From<FeedCounters> for Lines {
    fn from(c: FeedCounters) -> Self {
        Lines {
            packets: c.lines.iter().map(|l| l.packets).sum(),
            duplicates: c.lines.iter().map(|l| l.duplicates).sum(),
            gaps: c.gaps,
            filled_by_other_line: c.filled_by_line,
            lost: c.lost,
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
}

impl Report {
    /// For people.
    pub(crate) fn print(&self, file: &Path) {
        say!("{}", file.display());
        say!("  messages          {:>14}", group(self.messages));
        for (letter, n) in &self.counts {
            say!("    {letter}  {:<24}{:>14}", name(*letter), group(*n));
        }
        let errors: Vec<_> = self.errors.rows().into_iter().filter(|(_, n)| *n > 0).collect();
        if errors.is_empty() {
            say!("  errors            {:>14}", "none");
        } else {
            say!("  errors");
            for (what, n) in errors {
                say!("    {what:<27}{:>14}", group(n));
            }
        }
        if let Some(feed) = &self.feed {
            say!(
                "  packets           {:>14}   duplicates {}, gaps {}, filled by the other line {}, lost {}",
                group(feed.packets),
                group(feed.duplicates),
                group(feed.gaps),
                group(feed.filled_by_other_line),
                group(feed.lost)
            );
        }
        say!("  symbols           {:>14}", group(self.symbols));
        say!("  live orders       {:>14}   peak {}", group(self.live_orders), group(self.peak_live_orders));
        if let Some(n) = self.bbo_states {
            say!("  best bid or offer {:>14}   changes written", group(n));
        }
        if let Some(o) = &self.orders {
            say!(
                "  order frames      {:>14}   enters {}, replaces {}, cancels {}; virtual fills {}",
                group(o.frames),
                group(o.entered),
                group(o.replaced),
                group(o.cancelled),
                group(o.fills)
            );
        }
        let NsPerMessage { cold, warm } = self.ns_per_message;
        say!("  ns per message    {cold:>14.1}   cold (first pass, empty books)");
        say!("                    {warm:>14.1}   warm (median of later passes)");
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
