//! A recorded file as one run of messages: decompressed, and, for packets, arbitrated between its lines.

use crate::progress;
use anyhow::{Context, Result};
use firelane_gateway::base::{LineId, Mono, Nanos};
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::feed::{Feed, FeedConfig, FeedCounters, Notice, Release, RerequestConfig, Start};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::wire::moldudp64;
use firelane_sim::capture::{self, Format, binary_file, packets};
use std::net::SocketAddr;
use std::path::Path;
use zerocopy::IntoBytes;

/// Messages behind two-byte lengths, as in a BinaryFILE.
pub(crate) struct Recording {
    bytes: Vec<u8>,
    /// What arbitration counted, where the file held packets.
    pub(crate) feed: Option<FeedCounters>,
    /// Datagrams that were no MoldUDP64, or were passed over.
    pub(crate) skipped_packets: u64,
    /// Messages after the first that no line of a capture has.
    lost: u64,
    /// A record that the file ends inside of.
    pub(crate) truncated: u64,
}

impl Recording {
    /// The messages in order.
    pub(crate) fn messages(&self) -> binary_file::Messages<'_> {
        binary_file::Messages::new(&self.bytes)
    }

    /// The messages with their length prefixes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, for good.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Room for all that the messages can hold, of one symbol or of all. Told by their length alone, so that nothing of
    /// them has been touched before a cold pass: only an add leaves one more order resting, perhaps on a level of its
    /// own, and takes 38 bytes with its length. Beyond the bounds, some times what a real day needs, the report counts
    /// `no_room`.
    pub(crate) fn capacity(&self, one_symbol: bool) -> BookCapacity {
        const ADD: usize = 38;
        let adds = self.bytes.len() / ADD + 1;
        let instruments = if one_symbol { 1 } else { adds.clamp(64, 16_384) };
        BookCapacity { instruments, orders: adds.clamp(64, 6_000_000), levels: adds.clamp(64, 3_000_000), own: 1 }
    }
}

/// How long the other line of a capture has to fill a gap.
const PATIENCE: Nanos = Nanos::from_millis(200);

/// Loads a file of either kind.
pub(crate) fn load(path: &Path) -> Result<Recording> {
    let spinner = progress::spinner("reading");
    let bytes = capture::read_all(path).with_context(|| path.display().to_string())?;
    let recording = match Format::of(&bytes) {
        Format::BinaryFile => Recording { bytes, feed: None, skipped_packets: 0, truncated: 0, lost: 0 },
        Format::Pcap | Format::PcapNg => arbitrate(&bytes).with_context(|| path.display().to_string())?,
    };
    spinner.finish_and_clear();
    Ok(recording)
}

/// Puts the packets of a capture in order. Its first two destinations are the lines; what both lack is lost, and said.
///
/// Some published captures have session and sequence number zeroed; such packets can't be ordered and are taken as they
/// come.
fn arbitrate(bytes: &[u8]) -> Result<Recording> {
    let config = FeedConfig {
        start: Start::Next,
        gap_timeout: PATIENCE,
        // What is in a file was sent: no jump is too far to be believed.
        max_gap: 1 << 40,
        rerequest: RerequestConfig { enabled: false, ..FeedConfig::default().rerequest },
        ..FeedConfig::default()
    };
    let mut feed = Feed::<ItchLine>::new(config)?;
    let mut out = Outbox::new(0);
    let mut reader = packets::Reader::new(bytes)?;
    let mut recording = Recording { bytes: Vec::new(), feed: None, skipped_packets: 0, truncated: 0, lost: 0 };
    let mut lines: Vec<SocketAddr> = Vec::new();
    let mut now = Mono(0);
    let mut announced = 0;
    loop {
        let datagram = match reader.next_datagram() {
            Ok(Some(datagram)) => datagram,
            Ok(None) => break,
            Err(capture::CaptureError::Truncated { .. }) => {
                recording.truncated += 1;
                break;
            }
            Err(error) => return Err(error.into()),
        };
        let line = lines.iter().position(|l| *l == datagram.destination).unwrap_or_else(|| {
            lines.push(datagram.destination);
            lines.len() - 1
        });
        let Ok(packet) = moldudp64::Packet::parse(datagram.payload) else {
            recording.skipped_packets += 1;
            continue;
        };
        if line > 1 {
            recording.skipped_packets += 1;
            continue;
        }
        if packet.header().sequence.get() == 0 {
            for message in packet.messages() {
                match message {
                    Ok((_, message)) => append(&mut recording.bytes, message),
                    Err(_) => recording.truncated += 1,
                }
            }
            continue;
        }
        now = now.max(Mono(datagram.time_ns));
        if feed.next_deadline() <= now {
            feed.on_timer(now, &mut out);
            drain(&mut feed, &[], &mut recording);
        }
        let line = if line == 0 { LineId::A } else { LineId::B };
        let header = packet.header();
        let ahead = header.sequence.get().saturating_sub(feed.next_sequence());
        if ahead >= config.window_messages as u64 && feed.session() == Some(header.session) {
            // A hole that the window cannot span: whoever recorded missed it. Let it be known and given up, so that the
            // packet behind it finds its turn.
            let announcement = moldudp64::heartbeat(header.session, header.sequence.get());
            feed.on_packet(now, LineId::A, announcement.as_bytes(), &mut out);
            drain(&mut feed, announcement.as_bytes(), &mut recording);
            announced += 1;
            for _ in 0..2 {
                now = now.after(PATIENCE);
                feed.on_timer(now, &mut out);
                drain(&mut feed, &[], &mut recording);
            }
        }
        feed.on_packet(now, line, datagram.payload, &mut out);
        drain(&mut feed, datagram.payload, &mut recording);
        out.clear();
    }
    // What still waits behind a gap waits for nobody any more.
    for _ in 0..4 {
        now = now.after(Nanos::from_secs(1));
        feed.on_timer(now, &mut out);
        drain(&mut feed, &[], &mut recording);
        out.clear();
    }
    let skipped = reader.skipped();
    recording.skipped_packets += skipped.fragments + skipped.malformed;
    let mut counters = FeedCounters { lost: recording.lost, ..*feed.counters() };
    counters.lines[0].packets -= announced;
    recording.feed = Some(counters);
    Ok(recording)
}

/// Takes what the feed releases. What came before the first message is not lost: the recording begins with it.
fn drain(feed: &mut Feed<ItchLine>, packet: &[u8], into: &mut Recording) {
    while let Some(release) = feed.next(packet) {
        match release {
            Release::Message { bytes, .. } => append(&mut into.bytes, bytes),
            Release::Notice(Notice::Lost { count, .. }) if !into.bytes.is_empty() => into.lost += count,
            _ => {}
        }
    }
}

/// An empty message, which a packet may hold and a BinaryFILE may not, is left out.
fn append(into: &mut Vec<u8>, message: &[u8]) {
    if let (Ok(length), false) = (u16::try_from(message.len()), message.is_empty()) {
        into.extend_from_slice(&length.to_be_bytes());
        into.extend_from_slice(message);
    }
}
