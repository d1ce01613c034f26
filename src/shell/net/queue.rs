//! Whole frames that wait for the kernel, or for the lane: a bounded queue whose bytes lie in one piece.

use crate::flow::outbox::Class;
use std::collections::VecDeque;

/// A frame's place among the bytes: they lie one behind the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Frame {
    class: Class,
    /// Bytes that are still here.
    length: usize,
    /// Has a part of it left? Then the rest must follow.
    begun: bool,
}

/// The queue. Allocates in its constructor only.
pub(super) struct FrameQueue {
    bytes: Box<[u8]>,
    /// What waits: `bytes[head..tail]`.
    head: usize,
    tail: usize,
    frames: VecDeque<Frame>,
    most_frames: usize,
}

impl FrameQueue {
    /// Room for `bytes` bytes, in at most one frame for each 16 of them.
    pub(super) fn new(bytes: usize) -> Self {
        let most_frames = bytes / 16 + 1;
        let mut buffer = vec![0; bytes].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        buffer.fill(std::hint::black_box(0xA5));
        FrameQueue { bytes: buffer, head: 0, tail: 0, frames: VecDeque::with_capacity(most_frames), most_frames }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Everything that waits, in one piece.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.head..self.tail]
    }

    /// Puts a frame at the end; `begun`: these are the last bytes of one of which the rest has left. False: no room.
    pub(super) fn push(&mut self, class: Class, bytes: &[u8], begun: bool) -> bool {
        let used = self.tail - self.head;
        if bytes.len() > self.bytes.len() - used || self.frames.len() == self.most_frames {
            return false;
        }
        if bytes.len() > self.bytes.len() - self.tail {
            // There is room, but at the front.
            self.bytes.copy_within(self.head..self.tail, 0);
            (self.head, self.tail) = (0, used);
        }
        self.bytes[self.tail..self.tail + bytes.len()].copy_from_slice(bytes);
        self.tail += bytes.len();
        self.frames.push_back(Frame { class, length: bytes.len(), begun });
        true
    }

    /// The bytes of the frame that was pushed last.
    pub(super) fn last_mut(&mut self) -> &mut [u8] {
        let length = self.frames.back().map_or(0, |frame| frame.length);
        &mut self.bytes[self.tail - length..self.tail]
    }

    /// The first `count` bytes have left.
    pub(super) fn advance(&mut self, mut count: usize) {
        self.head += count;
        while let Some(first) = self.frames.front_mut() {
            if first.length > count {
                first.length -= count;
                first.begun |= count > 0;
                return;
            }
            count -= first.length;
            self.frames.pop_front();
        }
        (self.head, self.tail) = (0, 0);
    }

    /// Takes the first frame out. Its bytes stay where they are until the next push.
    pub(super) fn take_first(&mut self) -> Option<&[u8]> {
        let first = self.frames.pop_front()?;
        let start = self.head;
        self.head += first.length;
        if self.frames.is_empty() {
            (self.head, self.tail) = (0, 0);
        }
        Some(&self.bytes[start..start + first.length])
    }

    /// Moves every order of which nothing has left to `dropped`; answers how many, and whether all found room there.
    pub(super) fn drop_orders(&mut self, dropped: &mut FrameQueue) -> (u64, bool) {
        let (mut count, mut all) = (0, true);
        let (mut from, mut to, mut kept) = (self.head, self.head, 0);
        for n in 0..self.frames.len() {
            let frame = self.frames[n];
            let bytes = from..from + frame.length;
            from = bytes.end;
            if frame.class == Class::Order && !frame.begun {
                count += 1;
                all &= dropped.push(frame.class, &self.bytes[bytes], false);
            } else {
                self.bytes.copy_within(bytes, to);
                to += frame.length;
                self.frames[kept] = frame;
                kept += 1;
            }
        }
        self.frames.truncate(kept);
        self.tail = to;
        if kept == 0 {
            (self.head, self.tail) = (0, 0);
        }
        (count, all)
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        (self.head, self.tail) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_capacity_is_exact() {
        let mut queue = FrameQueue::new(32);
        assert!(queue.push(Class::Cancel, &[1; 20], false) && !queue.push(Class::Cancel, &[2; 13], false));
        assert!(queue.push(Class::Cancel, &[2; 12], false) && !queue.push(Class::Cancel, &[3; 1], false));
        queue.advance(5);
        assert!(!queue.push(Class::Cancel, &[3; 6], false) && queue.push(Class::Cancel, &[3; 5], false));
        assert_eq!(queue.waiting(), [&[1; 15][..], &[2; 12], &[3; 5]].concat());
        // Three frames is the most for 32 bytes, however short they are.
        queue.advance(15);
        assert!(queue.push(Class::Cancel, &[4], false) && !queue.push(Class::Cancel, &[5], false));
    }

    type Model = Vec<(Class, Vec<u8>, bool)>;

    proptest! {
        /// Against vectors of vectors: whatever is pushed, written in part and swept, frames stay whole and in order.
        #[test]
        fn frames_stay_whole(steps in prop::collection::vec((0u8..4, 1usize..40, 0usize..3), 1..200)) {
            let classes = [Class::Session, Class::Cancel, Class::Order];
            let (mut queue, mut dropped) = (FrameQueue::new(200), FrameQueue::new(200));
            let mut model: Model = Vec::new();
            for (n, (step, length, class)) in steps.into_iter().enumerate() {
                let used: usize = model.iter().map(|f| f.1.len()).sum();
                match step {
                    0 | 1 => {
                        let frame = vec![n as u8; length];
                        let fits = used + length <= 200 && model.len() < 13;
                        prop_assert_eq!(queue.push(classes[class], &frame, false), fits);
                        if fits {
                            prop_assert_eq!(queue.last_mut(), &frame[..]);
                            model.push((classes[class], frame, false));
                        }
                    }
                    2 => {
                        let mut count = length.min(used);
                        queue.advance(count);
                        while let Some(first) = model.first_mut().filter(|_| count > 0) {
                            let taken = count.min(first.1.len());
                            first.1.drain(..taken);
                            first.2 = true;
                            count -= taken;
                            if first.1.is_empty() {
                                model.remove(0);
                            }
                        }
                    }
                    _ => {
                        let expected: Vec<_> = model.iter().filter(|f| f.0 == Class::Order && !f.2).cloned().collect();
                        prop_assert_eq!(queue.drop_orders(&mut dropped), (expected.len() as u64, true));
                        model.retain(|f| f.0 != Class::Order || f.2);
                        for (_, frame, _) in expected {
                            prop_assert_eq!(dropped.take_first(), Some(&frame[..]));
                        }
                        prop_assert!(dropped.take_first().is_none());
                    }
                }
                let all: Vec<u8> = model.iter().flat_map(|f| f.1.clone()).collect();
                prop_assert_eq!(queue.waiting(), &all[..]);
                prop_assert_eq!(queue.is_empty(), model.is_empty());
            }
        }
    }
}
