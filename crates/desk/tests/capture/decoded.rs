//! A capture as tshark decodes it, and a judgement of it.
//!
//! tshark marks a MoldUDP64 packet whose blocks and count contradict each other, but of SoupBinTCP it marks almost
//! nothing: a wrong length only makes it look for the next packet in the wrong place. So the judge also adds up the
//! lengths that tshark reads: every byte of a port's traffic must lie in exactly one packet of its protocol, each of a
//! kind and length that the protocol allows there.
//!
//! Two habits of tshark 4.0 (`packet-soupbintcp.c`) matter. From a Login Accepted on it counts the connection as
//! another one, with a `tcp.stream` and relative numbers of its own; so connections are told apart by their SYN, and
//! bytes placed by the raw sequence numbers. And when the segment that ends a Login Accepted also begins the next
//! packet, it forgets that beginning and reads on from the middle. This is legal on a stream, which has no boundaries
//! but the lengths, and rare; such a connection is counted and not judged, and the test takes another day.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

pub(super) const ORDERS: u16 = 26400;
pub(super) const LINE_A: u16 = 26401;
pub(super) const LINE_B: u16 = 26402;
pub(super) const REREQUEST: u16 = 26403;
pub(super) const GLIMPSE: u16 = 26404;

/// Which protocol is spoken at which port.
const NAMED: [(&str, u16, &str); 5] = [
    ("udp", LINE_A, "moldudp64"),
    ("udp", LINE_B, "moldudp64"),
    ("udp", REREQUEST, "moldudp64"),
    ("tcp", GLIMPSE, "soupbintcp"),
    ("tcp", ORDERS, "soupbintcp"),
];

/// The fields that tshark is asked for, in the order of [`Row`].
const FIELDS: [&str; 21] = [
    "frame.protocols",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.flags",
    "tcp.payload",
    "moldudp64.session",
    "moldudp64.sequence",
    "moldudp64.count",
    "moldudp64.msgseq",
    "moldudp64.msglen",
    "soupbintcp.packet_length",
    "soupbintcp.packet_type",
    "soupbintcp.message",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.group",
    "_ws.expert.message",
];

/// Values of `_ws.expert.severity` and `_ws.expert.group`.
const SEVERITY_ERROR: u32 = 0x0080_0000;
const GROUP_MALFORMED: u32 = 0x0700_0000;

/// MoldUDP64's count that is no count.
const END_OF_SESSION: u16 = 0xFFFF;

/// An end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Client = 0,
    Server = 1,
}

/// What tshark says of one frame on the wire.
struct Row<'a>(Vec<&'a str>);

impl<'a> Row<'a> {
    fn text(&self, field: &str) -> &'a str {
        let at = FIELDS.iter().position(|name| *name == field).unwrap_or_else(|| panic!("{field} was not asked for"));
        self.0[at]
    }

    fn all<T: FromStr>(&self, field: &str) -> Vec<T> {
        let values = self.text(field).split(',').filter(|value| !value.is_empty());
        values.map(|value| value.parse().unwrap_or_else(|_| panic!("{field} = {value:?}"))).collect()
    }

    fn one<T: FromStr>(&self, field: &str) -> Option<T> {
        self.all(field).into_iter().next()
    }

    fn bytes(&self, field: &str) -> Vec<Vec<u8>> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let values = self.text(field).split(',').filter(|value| !value.is_empty());
        values.map(|value| value.replace(':', "").as_bytes().chunks(2).map(byte).collect()).collect()
    }

    /// What tshark itself holds against the frame.
    fn marks(&self) -> Option<String> {
        let group = self.all::<u32>("_ws.expert.group").contains(&GROUP_MALFORMED);
        let error = self.all::<u32>("_ws.expert.severity").iter().any(|severity| *severity >= SEVERITY_ERROR);
        let cut_short = self.text("frame.protocols").contains("_ws.") || !self.text("_ws.malformed").is_empty();
        let said = || format!("{} {}", self.text("_ws.malformed"), self.text("_ws.expert.message"));
        (group || error || cut_short).then(said)
    }
}

/// A MoldUDP64 packet.
struct Mold {
    session: String,
    sequence: u64,
    count: u16,
    /// Number and length of each message.
    blocks: Vec<(u64, u16)>,
}

struct Datagram {
    from: u16,
    to: u16,
    /// Of the UDP payload.
    bytes: usize,
    mold: Option<Mold>,
    protocols: String,
    marks: Option<String>,
}

/// A SoupBinTCP packet.
pub(super) struct Frame {
    /// The bytes behind the length.
    length: u16,
    kind: u8,
    /// Of sequenced and unsequenced data.
    pub(super) message: Vec<u8>,
}

/// One direction of a connection.
#[derive(Default)]
struct Direction {
    /// The sequence number of its SYN.
    syn: Option<u32>,
    /// Where its segments end.
    segments: Vec<usize>,
    /// Every byte that it carried, by its place; sent again or not.
    bytes: Vec<Option<u8>>,
    frames: Vec<Frame>,
    /// It was closed, or the connection was reset.
    ended: bool,
    marks: Vec<String>,
}

/// A decoded capture.
pub(super) struct Decoded {
    datagrams: Vec<Datagram>,
    /// In the order in which they began.
    connections: Vec<Connection>,
}

struct Connection {
    /// Ports of client and server.
    ports: (u16, u16),
    /// From the client, from the server.
    directions: [Direction; 2],
}

/// What is wrong with a capture.
pub(super) struct Judgement {
    /// In words, each behind the place: `datagram 7: ` or `connection 2, `.
    pub(super) complaints: Vec<String>,
    /// Connections that end inside of a packet from the server.
    pub(super) torn_frames: u64,
    /// Connections that tshark cannot follow.
    pub(super) not_judged: u64,
}

impl Decoded {
    /// Has tshark decode a file, with the protocol of each port named.
    pub(super) fn read(file: &Path) -> Self {
        let mut command = Command::new("tshark");
        command.env("LC_ALL", "C").arg("-r").arg(file);
        for (transport, port, protocol) in NAMED {
            command.args(["-d", &format!("{transport}.port=={port},{protocol}")]);
        }
        // The payload of order entry is OUCH 5.0. tshark 4.0 knows 4.2, and takes what has the same length for it.
        command.args(["--disable-protocol", "ouch", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]);
        for field in FIELDS {
            command.args(["-e", field]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut decoded = Decoded { datagrams: Vec::new(), connections: Vec::new() };
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let row = Row(line.split('\t').collect());
            assert_eq!(row.0.len(), FIELDS.len(), "{line}");
            // Not by field alone: an ICMP message repeats the headers of the datagram that it is about.
            let protocols = row.text("frame.protocols");
            if protocols.starts_with("eth:ethertype:ip:udp") {
                decoded.datagram(&row);
            } else if protocols.starts_with("eth:ethertype:ip:tcp") {
                decoded.segment(&row);
            }
        }
        decoded
    }

    fn datagram(&mut self, row: &Row<'_>) {
        let port = |field| row.one(field).unwrap();
        let (from, to) = (port("udp.srcport"), port("udp.dstport"));
        if ![from, to].iter().any(|port| NAMED.contains(&("udp", *port, "moldudp64"))) {
            return;
        }
        let mold = row.one("moldudp64.count").map(|count| Mold {
            session: row.text("moldudp64.session").to_owned(),
            sequence: row.one("moldudp64.sequence").unwrap(),
            count,
            blocks: row.all("moldudp64.msgseq").into_iter().zip(row.all("moldudp64.msglen")).collect(),
        });
        self.datagrams.push(Datagram {
            from,
            to,
            bytes: row.one::<usize>("udp.length").unwrap() - 8,
            mold,
            protocols: row.text("frame.protocols").to_owned(),
            marks: row.marks(),
        });
    }

    fn segment(&mut self, row: &Row<'_>) {
        let ports: [u16; 2] = ["tcp.srcport", "tcp.dstport"].map(|field| row.one(field).unwrap());
        let named = |port: &u16| NAMED.contains(&("tcp", *port, "soupbintcp"));
        let (end, port) = match ports {
            [from, _] if named(&from) => (End::Server, from),
            [_, to] if named(&to) => (End::Client, to),
            _ => return,
        };
        let ports = if end == End::Server { (ports[1], port) } else { (ports[0], port) };
        let flags = u16::from_str_radix(row.text("tcp.flags").trim_start_matches("0x"), 16).unwrap();
        let [fin, syn, reset] = [0, 1, 2].map(|bit| flags & (1 << bit) != 0);
        if syn && end == End::Client {
            self.connections.push(Connection { ports, directions: Default::default() });
        }
        let latest = self.connections.iter_mut().rev().find(|connection| connection.ports == ports);
        let connection = latest.expect("a connection begins with a SYN");
        connection.directions.iter_mut().for_each(|direction| direction.ended |= reset);
        let direction = &mut connection.directions[end as usize];
        direction.ended |= fin;
        direction.marks.extend(row.marks());
        let number = row.one("tcp.seq_raw").unwrap();
        if syn {
            direction.syn = Some(number);
        }
        let payload = row.bytes("tcp.payload").concat();
        if !payload.is_empty() {
            // The SYN takes a number itself.
            let first = direction.syn.expect("a SYN before any bytes").wrapping_add(1);
            let start = usize::try_from(number.wrapping_sub(first)).unwrap();
            let all = direction.bytes.len().max(start + payload.len());
            direction.segments.push(start + payload.len());
            direction.bytes.resize(all, None);
            for (place, byte) in direction.bytes[start..].iter_mut().zip(payload) {
                *place = Some(byte);
            }
        }
        let mut messages = row.bytes("soupbintcp.message").into_iter();
        let kinds = row.text("soupbintcp.packet_type").split(',').filter(|kind| !kind.is_empty());
        for (length, kind) in row.all("soupbintcp.packet_length").into_iter().zip(kinds) {
            // As tshark writes a character: 'S', or '\0' and the like.
            let kind = match kind.as_bytes() {
                [b'\'', kind, b'\''] => *kind,
                _ => 0,
            };
            let message = if matches!(kind, b'S' | b'U') { messages.next().unwrap_or_default() } else { Vec::new() };
            direction.frames.push(Frame { length, kind, message });
        }
    }

    /// What is wrong with it.
    pub(super) fn judge(&self) -> Judgement {
        let mut judgement = Judgement { complaints: Vec::new(), torn_frames: 0, not_judged: 0 };
        for (n, datagram) in self.datagrams.iter().enumerate() {
            let complaints = datagram.complaints();
            judgement.complaints.extend(complaints.into_iter().map(|text| format!("datagram {}: {text}", n + 1)));
        }
        for (n, connection) in self.connections.iter().enumerate() {
            if connection.directions[End::Server as usize].loses_tshark() {
                judgement.not_judged += 1;
                continue;
            }
            let port = connection.ports.1;
            let frames = self.connections.iter().filter(|other| other.ports.1 == port).flat_map(Connection::frames);
            let longest = frames.filter(|frame| frame.is_well_formed()).map(|frame| frame.length).max().unwrap_or(0);
            for (end, direction) in [End::Client, End::Server].into_iter().zip(&connection.directions) {
                let complaints = direction.complaints(end, longest, &mut judgement.torn_frames);
                let at = format!("connection {}, {end:?} at port {port}", n + 1);
                judgement.complaints.extend(complaints.into_iter().map(|text| format!("{at}: {text}")));
            }
        }
        judgement
    }

    /// Requests of missing messages.
    pub(super) fn requests(&self) -> u64 {
        self.datagrams.iter().filter(|datagram| datagram.to == REREQUEST).count() as u64
    }

    /// What a line (or the re-request server) sent.
    pub(super) fn line(&self, port: u16) -> Line {
        let mut line = Line::default();
        let sent = |datagram: &&Datagram| if port == REREQUEST { datagram.from == port } else { datagram.to == port };
        for mold in self.datagrams.iter().filter(sent).filter_map(|datagram| datagram.mold.as_ref()) {
            line.datagrams += 1;
            match mold.count {
                0 => line.heartbeats.push((mold.sequence, line.have.last(&mold.session))),
                END_OF_SESSION => line.ends.push(mold.sequence),
                count => {
                    line.messages += u64::from(count);
                    line.have.add(&mold.session, mold.sequence, mold.sequence + u64::from(count));
                }
            }
        }
        line
    }

    /// SoupBinTCP packets of a kind that an end of the connections to a port sent.
    pub(super) fn frames(&self, port: u16, from: End, kind: u8) -> impl Iterator<Item = &Frame> {
        let there = self.connections.iter().filter(move |connection| connection.ports.1 == port);
        let frames = there.flat_map(move |connection| &connection.directions[from as usize].frames);
        frames.filter(move |frame| frame.kind == kind)
    }

    /// Of these, packets whose message is of a type.
    pub(super) fn messages(&self, port: u16, from: End, kind: u8, message: u8) -> u64 {
        self.frames(port, from, kind).filter(|frame| frame.message.first() == Some(&message)).count() as u64
    }
}

impl Connection {
    fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.directions.iter().flat_map(|direction| &direction.frames)
    }
}

impl Datagram {
    fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> = self.marks.iter().map(|mark| format!("tshark: {mark}")).collect();
        let Some(mold) = self.mold.as_ref().filter(|_| self.protocols.ends_with(":udp:moldudp64")) else {
            complaints.push(format!("tshark takes it for {}", self.protocols));
            return complaints;
        };
        let mut told = 20;
        for (n, (number, length)) in (mold.sequence..).zip(&mold.blocks) {
            told += 2 + usize::from(*length);
            if n != *number {
                complaints.push(format!("message {number} where {n} should be"));
            }
        }
        if told != self.bytes {
            complaints.push(format!("{} bytes, and {told} in header and blocks", self.bytes));
        }
        let blocks = match mold.count {
            _ if self.to == REREQUEST => 0,
            END_OF_SESSION => 0,
            count => usize::from(count),
        };
        if blocks != mold.blocks.len() {
            complaints.push(format!("{} blocks, and {} announced", mold.blocks.len(), mold.count));
        }
        if mold.session.len() != 10 || mold.sequence == 0 || (self.to == REREQUEST && mold.count == 0) {
            complaints.push(format!("session {:?}, {} from {}", mold.session, mold.count, mold.sequence));
        }
        complaints
    }
}

impl Frame {
    fn may_come_from(&self, end: End) -> bool {
        match end {
            End::Client => matches!(self.kind, b'L' | b'U' | b'R' | b'O' | b'+'),
            End::Server => matches!(self.kind, b'A' | b'J' | b'S' | b'H' | b'Z' | b'+'),
        }
    }

    fn is_well_formed(&self) -> bool {
        match self.kind {
            b'L' => self.length == 47,
            b'A' => self.length == 31,
            b'J' => self.length == 2,
            b'H' | b'R' | b'Z' | b'O' => self.length == 1,
            b'S' | b'U' => self.length > 1 && self.message.len() + 1 == usize::from(self.length),
            b'+' => self.length > 0,
            _ => false,
        }
    }
}

/// What stands behind the last whole packet of a direction.
enum Rest {
    Nothing,
    /// The beginning of one more.
    Torn,
}

impl Direction {
    /// Does the segment of the first packet (the server's: Login Accepted) end inside of another one?
    fn loses_tshark(&self) -> bool {
        let length_at = |at: usize| match self.bytes.get(at..at + 2) {
            Some([Some(high), Some(low)]) => Some(2 + usize::from(u16::from_be_bytes([*high, *low]))),
            _ => None,
        };
        let Some(first) = length_at(0) else { return false };
        let Some(end) = self.segments.iter().copied().find(|end| *end >= first) else { return false };
        let mut at = 0;
        while at < end
            && let Some(length) = length_at(at)
        {
            at += length;
        }
        // At the very end it is a torn packet, behind which nothing can be misread.
        at != end && end < self.bytes.len()
    }

    fn complaints(&self, end: End, longest: u16, torn_frames: &mut u64) -> Vec<String> {
        let mut complaints: Vec<String> = self.marks.iter().map(|mark| format!("tshark: {mark}")).collect();
        for (n, frame) in self.frames.iter().enumerate() {
            let is_login = matches!(frame.kind, b'L' | b'A' | b'J');
            if !frame.may_come_from(end) || !frame.is_well_formed() || is_login != (n == 0) {
                complaints.push(format!("frame {n} is {:?} with length {}", char::from(frame.kind), frame.length));
            }
        }
        match self.rest(longest) {
            Ok(Rest::Nothing) => {}
            Ok(Rest::Torn) if end == End::Server => *torn_frames += 1,
            Ok(Rest::Torn) => complaints.push("the client tears its own frame".to_owned()),
            Err(text) => complaints.push(text),
        }
        complaints
    }

    /// A cut leaves the beginning of a packet, and then the end of the connection: that is no malformed packet, as
    /// long as the beginning does not contradict it. A wrong length leaves the same when it lies in the last packet, or
    /// when it leads tshark past the end. Then it is told by what it claims: more than any whole packet of that port
    /// has, a kind that has another length, or less than what is there. What could still be either counts as torn, and
    /// the test admits no more of these than there were cuts, none in a day without faults.
    fn rest(&self, longest: u16) -> Result<Rest, String> {
        if let Some(hole) = self.bytes.iter().position(Option::is_none) {
            return Err(format!("byte {hole} is not in the capture"));
        }
        let bytes: Vec<u8> = self.bytes.iter().copied().flatten().collect();
        let whole: usize = self.frames.iter().map(|frame| 2 + usize::from(frame.length)).sum();
        let Some(rest) = bytes.get(whole..) else {
            return Err(format!("{} bytes, and {whole} in packets", bytes.len()));
        };
        let claims = match rest {
            [] => return Ok(Rest::Nothing),
            [high, low, ..] => u16::from_be_bytes([*high, *low]),
            _ => 1,
        };
        let frame = rest.get(2).map(|kind| Frame {
            length: claims,
            kind: *kind,
            message: vec![0; usize::from(claims.max(1)) - 1],
        });
        let possible = frame.is_none_or(|frame| frame.is_well_formed() && frame.may_come_from(End::Server));
        if !self.ended || !possible || claims == 0 || claims > longest || usize::from(claims) + 2 <= rest.len() {
            return Err(format!("{} bytes are left over, whose beginning claims a frame of {claims}", rest.len()));
        }
        Ok(Rest::Torn)
    }
}

/// What a line said.
#[derive(Default)]
pub(super) struct Line {
    pub(super) datagrams: u64,
    /// Sent again or not.
    pub(super) messages: u64,
    pub(super) have: Sessions,
    /// What each said comes next, and the last message before it.
    pub(super) heartbeats: Vec<(u64, u64)>,
    /// What each end of session said would come next.
    pub(super) ends: Vec<u64>,
}

/// Numbers of messages, by session: the start of each range, and the number behind it. Apart and in order.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<String, BTreeMap<u64, u64>>);

impl Sessions {
    fn add(&mut self, session: &str, mut start: u64, mut end: u64) {
        let ranges = self.0.entry(session.to_owned()).or_default();
        while let Some((from, to)) = ranges.range(..=end).next_back().map(|(from, to)| (*from, *to))
            && to >= start
        {
            ranges.remove(&from);
            (start, end) = (start.min(from), end.max(to));
        }
        ranges.insert(start, end);
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for (session, ranges) in &other.0 {
            ranges.iter().for_each(|(start, end)| self.add(session, *start, *end));
        }
    }

    pub(super) fn sessions(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn count(&self) -> u64 {
        self.0.values().flatten().map(|(start, end)| end - start).sum()
    }

    /// How many numbers from `first` to before `end` no session has.
    pub(super) fn missing(&self, first: u64, end: u64) -> u64 {
        let among = |(start, stop): (&u64, &u64)| (*stop).min(end).saturating_sub((*start).max(first));
        end.saturating_sub(first).saturating_sub(self.0.values().flatten().map(among).sum())
    }

    /// The last message of a session; 0: none.
    fn last(&self, session: &str) -> u64 {
        self.0.get(session).and_then(|ranges| ranges.last_key_value()).map_or(0, |(_, end)| end - 1)
    }
}
