//! All the lock-free code of ours: two flags, one to stop threads, one to stop orders, and a counter. Everything else that
//! crosses a thread does so through a ring or a queue of others.
//!
//! The atomics come through [`atomic`] and [`Arc`], which a build with `--cfg loom` swaps for those of the model
//! checker. Its tests are named `loom_..` and run alone:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p firelane-gateway --lib --release loom_ --target-dir target/loom
//! ```

#[cfg(loom)]
pub use loom::sync::{Arc, atomic};
#[cfg(not(loom))]
pub use std::sync::{Arc, atomic};

use atomic::{AtomicBool, AtomicU64, Ordering};

/// Asks threads to end. Clones are the same flag.
///
/// Whoever sees that it is raised also sees what was written before it was raised.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A flag that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Stop(Arc::new(AtomicBool::new(false)))
    }

    /// Raises it, for good.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Is it raised?
    #[inline]
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The flag itself, for a signal handler to raise.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// The shell's kill switch: while it is thrown, no order that has not begun to leave leaves. Clones are the same switch.
/// It is looked at before each write to a session (see [`net::Session`](super::net::Session)).
///
/// It acts at once and without the lane's help; the lane's gate has a switch of its own, thrown by a command. Whoever
/// throws both throws this one first: whoever sees the command also sees this switch thrown.
#[derive(Clone, Debug, Default)]
pub struct KillSwitch(Arc<AtomicBool>);

impl KillSwitch {
    /// A switch that is not thrown.
    #[must_use]
    pub fn new() -> Self {
        KillSwitch(Arc::new(AtomicBool::new(false)))
    }

    /// From now on orders are dropped.
    pub fn throw(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Orders may leave again.
    pub fn release(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Are orders being dropped?
    #[inline]
    #[must_use]
    pub fn is_thrown(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The flag itself, for a signal handler to set.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// A number that one thread raises and others read. Clones are the same number.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Raises it.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// As far as it has come.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_flag() {
        let (stop, kill) = (Stop::new(), KillSwitch::new());
        let (other, same) = (stop.clone(), kill.clone());
        assert!(!other.is_stopped() && !same.is_thrown());
        stop.stop();
        kill.throw();
        assert!(other.is_stopped() && same.is_thrown());
        kill.release();
        assert!(!same.is_thrown());
        other.flag().store(false, Ordering::Release);
        assert!(!stop.is_stopped());
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use atomic::AtomicU32;
    use loom::thread;

    /// What a thread wrote before it raised the flag is there for whoever sees the flag.
    #[test]
    fn loom_what_was_written_before_the_stop_is_seen_after_it() {
        loom::model(|| {
            let stop = Stop::new();
            let last_words = Arc::new(AtomicU32::new(0));
            let (raised, words) = (stop.clone(), Arc::clone(&last_words));
            let writer = thread::spawn(move || {
                words.store(7, Ordering::Relaxed);
                raised.stop();
            });
            if stop.is_stopped() {
                assert_eq!(last_words.load(Ordering::Relaxed), 7);
            }
            writer.join().unwrap();
            assert!(stop.is_stopped());
        });
    }

    /// Whoever has seen the command that follows the switch never lets an order pass.
    #[test]
    fn loom_no_order_leaves_once_the_command_is_seen() {
        loom::model(|| {
            let kill = KillSwitch::new();
            let command = Stop::new();
            let (switch, inbox) = (kill.clone(), command.clone());
            let operator = thread::spawn(move || {
                switch.throw();
                inbox.stop();
            });
            let seen = command.is_stopped();
            let writes = !kill.is_thrown();
            assert!(!(seen && writes), "an order left after the command was seen");
            operator.join().unwrap();
            assert!(kill.is_thrown());
        });
    }

    /// Thrown and released by one thread, read by two: at rest everybody sees the last word.
    #[test]
    fn loom_the_last_word_holds() {
        loom::model(|| {
            let kill = KillSwitch::new();
            let (a, b) = (kill.clone(), kill.clone());
            let writer = thread::spawn(move || {
                a.throw();
                a.release();
            });
            let reader = thread::spawn(move || {
                let (first, second) = (b.is_thrown(), b.is_thrown());
                (first, second)
            });
            writer.join().unwrap();
            let _ = reader.join().unwrap();
            assert!(!kill.is_thrown());
        });
    }
}
