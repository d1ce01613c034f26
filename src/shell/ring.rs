//! A bounded ring of byte frames between two threads: one writes, one reads, neither waits.
//!
//! The ring itself is `rtrb`'s; what is here makes frames of its bytes: a length (u32, native order: it never leaves
//! the process) and the body. A frame is committed whole, so that a reader never sees a part of one, and read in
//! place; only one that wraps around the end is copied, into a buffer made at construction.
//!
//! A frame of `n` bytes takes `n` + [`HEADER`]. A ring of capacity `c` therefore holds one frame of `c` - [`HEADER`]
//! bytes, or that much less for each frame more; longer frames never fit.

use rtrb::chunks::{ReadChunk, WriteChunk};
use rtrb::{Consumer, Producer, RingBuffer};
use std::fmt;
use std::ops::Deref;

/// Bytes that each frame takes beyond its own.
pub const HEADER: usize = size_of::<u32>();

/// A ring of `capacity` bytes (see the module's documentation for what that holds). Never smaller than one empty frame.
///
/// # Panics
/// At a capacity of 4 GiB or more: lengths are 32 bits wide.
#[must_use]
pub fn ring(capacity: usize) -> (FrameWriter, FrameReader) {
    let capacity = capacity.max(HEADER);
    assert!(u32::try_from(capacity).is_ok(), "a ring of {capacity} bytes: its frames' lengths are 32 bits wide");
    let (mut producer, mut consumer) = RingBuffer::new(capacity);
    // Every byte is written once now, so that no page fault happens on the lane.
    if let Ok(mut all) = producer.write_chunk(capacity) {
        all.as_mut_slices().0.fill(std::hint::black_box(0xA5));
        all.commit_all();
    }
    if let Ok(all) = consumer.read_chunk(capacity) {
        all.commit_all();
    }
    let mut wrapped = vec![0; capacity].into_boxed_slice();
    wrapped.fill(std::hint::black_box(0xA5));
    (FrameWriter { bytes: producer }, FrameReader { bytes: consumer, wrapped })
}

/// The end that writes.
pub struct FrameWriter {
    bytes: Producer<u8>,
}

impl fmt::Debug for FrameWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameWriter").field("capacity", &self.capacity()).field("free", &self.free()).finish()
    }
}

impl FrameWriter {
    /// Bytes in all, headers included.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.buffer().capacity()
    }

    /// The longest frame that would fit now. 0 may also mean that none would: see [`Self::fits`].
    #[must_use]
    pub fn free(&self) -> usize {
        self.bytes.slots().saturating_sub(HEADER)
    }

    /// Would a frame of `length` bytes fit now? It will still fit later: only this end fills the ring.
    #[inline]
    #[must_use]
    pub fn fits(&self, length: usize) -> bool {
        let needed = length.saturating_add(HEADER);
        // What was free when last looked is free now; the reader's cache line is touched only when that is too little.
        self.bytes.cached_slots() >= needed || self.bytes.slots() >= needed
    }

    /// Writes the parts as one frame. False: it does not fit, and nothing is written.
    #[inline]
    pub fn write(&mut self, parts: &[&[u8]]) -> bool {
        let length = parts.iter().fold(0usize, |n, part| n.saturating_add(part.len()));
        let Ok(header) = u32::try_from(length) else { return false };
        let Ok(mut room) = self.bytes.write_chunk(length.saturating_add(HEADER)) else { return false };
        let mut at = 0;
        put(&mut room, &mut at, &header.to_ne_bytes());
        for part in parts {
            put(&mut room, &mut at, part);
        }
        room.commit_all();
        true
    }

    /// Is the reader gone? Then whatever is written is lost.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.bytes.is_abandoned()
    }
}

/// Copies `part` to position `at` of the room, around the ring's end where it must.
#[inline]
fn put(room: &mut WriteChunk<'_, u8>, at: &mut usize, part: &[u8]) {
    let (first, second) = room.as_mut_slices();
    let start = *at;
    *at += part.len();
    if *at <= first.len() {
        first[start..*at].copy_from_slice(part);
        return;
    }
    let cut = first.len().saturating_sub(start);
    let (head, tail) = part.split_at(cut);
    if cut > 0 {
        first[start..].copy_from_slice(head);
    }
    let begin = start.saturating_sub(first.len());
    second[begin..begin + tail.len()].copy_from_slice(tail);
}

/// The end that reads.
pub struct FrameReader {
    bytes: Consumer<u8>,
    /// A frame that wraps is put together here.
    wrapped: Box<[u8]>,
}

impl fmt::Debug for FrameReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameReader").field("capacity", &self.wrapped.len()).field("empty", &self.is_empty()).finish()
    }
}

impl FrameReader {
    /// The oldest frame. Its room is free again when the [`Frame`] is dropped.
    #[inline]
    pub fn read(&mut self) -> Option<Frame<'_>> {
        let mut header = [0; HEADER];
        let chunk = self.bytes.read_chunk(HEADER).ok()?;
        let (first, second) = chunk.as_slices();
        header[..first.len()].copy_from_slice(first);
        header[first.len()..].copy_from_slice(second);
        let length = u32::from_ne_bytes(header) as usize;
        // Frames are committed whole: where there is a header there is the body.
        let chunk = self.bytes.read_chunk(HEADER + length).ok()?;
        let (first, second) = chunk.as_slices();
        let wraps = !second.is_empty();
        if wraps {
            self.wrapped[..first.len()].copy_from_slice(first);
            self.wrapped[first.len()..first.len() + second.len()].copy_from_slice(second);
        }
        let wrapped = if wraps { Some(&self.wrapped[HEADER..HEADER + length]) } else { None };
        Some(Frame { chunk: Some(chunk), wrapped })
    }

    /// Nothing to read?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Is the writer gone? There may still be frames to read: see [`Self::is_over`].
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.bytes.is_abandoned()
    }

    /// Is the writer gone, and everything read that it wrote?
    #[must_use]
    pub fn is_over(&self) -> bool {
        // In this order: what the writer wrote last, it wrote before it went.
        self.is_abandoned() && self.is_empty()
    }
}

/// A frame, in place. Dropped, it leaves the ring.
pub struct Frame<'r> {
    /// Header and body; there until the drop.
    chunk: Option<ReadChunk<'r, u8>>,
    /// The body, if it had to be put together.
    wrapped: Option<&'r [u8]>,
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Frame").field(&&**self).finish()
    }
}

impl Deref for Frame<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match (self.wrapped, &self.chunk) {
            (Some(body), _) => body,
            (None, Some(chunk)) => &chunk.as_slices().0[HEADER..],
            (None, None) => &[],
        }
    }
}

impl Drop for Frame<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(chunk) = self.chunk.take() {
            chunk.commit_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[test]
    fn the_capacity_is_exact() {
        let (mut writer, mut reader) = ring(32);
        assert_eq!((writer.capacity(), writer.free()), (32, 28));
        // At: one frame that takes all of it.
        assert!(writer.fits(28) && writer.write(&[&[1; 20], &[2; 8]]));
        assert!(!writer.fits(0) && !writer.write(&[]));
        assert_eq!(reader.read().as_deref(), Some(&[[1; 20].as_slice(), &[2; 8]].concat()[..]));
        // Above: never, not even when empty.
        assert!(!writer.fits(29) && !writer.write(&[&[3; 29]]));
        assert!(reader.is_empty() && reader.read().is_none());
        // Below: what is left is the rest less one header.
        assert!(writer.write(&[&[4; 11]]));
        assert_eq!(writer.free(), 32 - 15 - 4);
        assert!(!writer.write(&[&[5; 14]]) && writer.write(&[&[5; 13]]));
        assert!(!writer.fits(0));
        assert_eq!(reader.read().as_deref(), Some(&[4; 11][..]));
        assert_eq!(reader.read().as_deref(), Some(&[5; 13][..]));
        assert!(reader.read().is_none());
    }

    #[test]
    fn room_is_free_again_when_the_frame_is_dropped() {
        let (mut writer, mut reader) = ring(8);
        assert!(writer.write(&[b"abcd"]));
        let frame = reader.read().unwrap();
        assert_eq!((&*frame, writer.fits(0)), (&b"abcd"[..], false));
        drop(frame);
        assert!(writer.fits(4));
    }

    #[test]
    fn an_empty_frame_is_a_frame() {
        let (mut writer, mut reader) = ring(0);
        assert!(writer.write(&[]) && !writer.write(&[]));
        assert_eq!(reader.read().as_deref(), Some(&[][..]));
        assert!(reader.read().is_none());
    }

    #[test]
    fn each_end_sees_that_the_other_is_gone() {
        let (mut writer, mut reader) = ring(64);
        assert!(!writer.is_abandoned() && !reader.is_abandoned());
        assert!(writer.write(&[b"last"]));
        drop(writer);
        assert!(reader.is_abandoned() && !reader.is_over());
        assert_eq!(reader.read().as_deref(), Some(&b"last"[..]));
        assert!(reader.is_over());
        let (writer, reader) = ring(64);
        drop(reader);
        assert!(writer.is_abandoned());
    }

    proptest! {
        /// Against a queue of vectors: every frame that fits goes in, whole and in order, wherever it wraps.
        #[test]
        fn it_is_a_queue(capacity in 4usize..80, steps in prop::collection::vec((any::<bool>(), 0usize..40, 0usize..40), 1..200)) {
            let (mut writer, mut reader) = ring(capacity);
            let mut model: VecDeque<Vec<u8>> = VecDeque::new();
            for (n, (write, length, cut)) in steps.into_iter().enumerate() {
                let used: usize = model.iter().map(|f| f.len() + HEADER).sum();
                prop_assert_eq!(writer.free(), (capacity - used).saturating_sub(HEADER));
                if write {
                    let frame: Vec<u8> = (0..length).map(|i| (i * 7 + n) as u8).collect();
                    let (a, b) = frame.split_at(cut.min(length));
                    let fits = used + length + HEADER <= capacity;
                    prop_assert_eq!(writer.fits(length), fits);
                    prop_assert_eq!(writer.write(&[a, b]), fits);
                    if fits {
                        model.push_back(frame);
                    }
                } else {
                    let (read, expected) = (reader.read(), model.pop_front());
                    prop_assert_eq!(read.as_deref(), expected.as_deref());
                }
                prop_assert_eq!(reader.is_empty(), model.is_empty());
            }
        }
    }

    #[test]
    fn two_threads_lose_nothing() {
        const FRAMES: u64 = 300_000;
        let (mut writer, mut reader) = ring(1_021);
        let sender = std::thread::spawn(move || {
            let mut all = Digest::default();
            let mut body = [0u8; 100];
            for n in 0..FRAMES {
                // Lengths and bytes that a mix-up of any kind would not survive.
                let mix = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let length = (mix >> 57) as usize % 93;
                body[..length].fill(mix as u8);
                while !writer.write(&[&n.to_ne_bytes(), &body[..length]]) {
                    std::thread::yield_now();
                }
                all.bytes(&n.to_ne_bytes());
                all.bytes(&body[..length]);
            }
            all.value()
        });
        let (mut all, mut next) = (Digest::default(), 0);
        while !reader.is_over() {
            let Some(frame) = reader.read() else {
                std::thread::yield_now();
                continue;
            };
            let (number, body) = frame.split_at(8);
            assert_eq!(number, u64::to_ne_bytes(next));
            next += 1;
            all.bytes(number);
            all.bytes(body);
        }
        assert_eq!((next, all.value()), (FRAMES, sender.join().unwrap()));
    }
}
