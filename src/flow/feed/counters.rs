//! What the feed counts. Every packet and every message it does not deliver is in one of these.

use crate::base::counters;

counters! {
    /// Counters of one line.
    pub struct LineCounters {
        /// Packets heard, of any kind.
        pub packets: u64,
        /// Heartbeats and ends of session among them.
        pub heartbeats: u64,
        /// Messages that the headers announced.
        pub messages: u64,
        /// Messages that this line was the first to bring.
        pub won: u64,
        /// Messages that had been delivered, or were waiting, already.
        pub duplicates: u64,
        /// Messages that came before their turn.
        pub out_of_order: u64,
        /// Packets with messages that had been given up before.
        pub late: u64,
        /// Messages of a known type with a wrong length or an impossible field: counted as not received.
        pub malformed: u64,
        /// Packets that end before the messages that they announce: dropped whole.
        pub truncated: u64,
        /// Packets with bytes behind the messages that they announce: dropped whole.
        pub trailing: u64,
        /// Messages that this line brought with other bytes than the copy that counts.
        pub contradictions: u64,
        /// Packets without a whole header, or with sequence numbers that cannot be (0, beyond 64 bits).
        pub bad_header: u64,
        /// Packets of another session, the one before the current among them.
        pub foreign: u64,
        /// Packets so far ahead that they were not believed, and ends of session that lie before what exists.
        pub implausible: u64,
    }
}

counters! {
    /// Counters of a feed.
    pub struct FeedCounters with {
        /// By line: A, B, replies of the re-request server.
        pub lines: [LineCounters; 3],
    } {
        /// Packets of a line that this feed does not have.
        pub unknown_line: u64,
        /// Gaps that the lines showed. The stream that waits for a snapshot, or is behind one, is none.
        pub gaps: u64,
        /// Numbers that were named and turned out to be wrong: the stream went on before them.
        pub jumps_dropped: u64,
        /// Times that no line said how the stream goes on, for longer than one may be silent.
        pub silences: u64,
        /// Notices for which there was no room.
        pub notices_dropped: u64,
        /// Missing messages that line A or B brought in the end.
        pub filled_by_line: u64,
        /// Missing messages that the re-request server brought.
        pub filled_by_rerequest: u64,
        /// Messages given up.
        pub lost: u64,
        /// Messages that the window had no room for (or that no cell can hold): dropped, to be asked for in their turn.
        pub window_full: u64,
        /// Re-requests sent.
        pub requests: u64,
        /// Replies that held fewer messages than were asked for.
        pub partial_replies: u64,
        /// Re-requests that were not answered in time.
        pub reply_timeouts: u64,
        /// New sessions, the first not counted.
        pub session_changes: u64,
        /// Connections to the snapshot server that were asked for.
        pub snapshot_attempts: u64,
        /// Attempts that failed: refused, rejected, torn, stalled, malformed, or of no use.
        pub snapshot_failures: u64,
        /// Snapshots whose first message came.
        pub snapshots_begun: u64,
        /// Snapshots spliced.
        pub snapshots_ended: u64,
        /// Messages of snapshots delivered.
        pub snapshot_messages: u64,
        /// Messages of a snapshot that were malformed, each the end of its attempt.
        pub snapshot_malformed: u64,
        /// Messages of a snapshot, of unknown type, that were longer than a cell: skipped.
        pub snapshot_skipped: u64,
    }
}
