//! All the lock-free code of ours: a flag to stop threads, a switch to stop orders, and a counter. Everything else that
//! crosses a thread does so through a ring or a queue of others.
//!
//! The atomics come through [`atomic`] and [`Arc`], which package `tests/loom` swaps for those of the model checker. Its
//! tests stand below, in `loom_tests`.

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
///
/// Releases are counted: whoever looks now and then, with a [`KillWatch`], also learns of a throw that was released before
/// it looked, and whose orders were dropped all the same.
///
/// Several may stand [below](Self::below) a general one, which stops what is behind any of them: each lane of a process has its
/// own, and there is one for all. Orders leave where neither is thrown; each is released for itself.
#[derive(Clone, Debug, Default)]
pub struct KillSwitch {
    own: Lever,
    /// The general one, and what it can do.
    general: Option<Lever>,
    /// Releases before the throw that has been answered, and one more.
    answered: Arc<AtomicU64>,
}

/// What is thrown and released, and how often it was.
#[derive(Clone, Debug, Default)]
struct Lever {
    thrown: Arc<AtomicBool>,
    releases: Arc<AtomicU64>,
}

impl KillSwitch {
    /// A switch that is not thrown.
    #[must_use]
    pub fn new() -> Self {
        KillSwitch::default()
    }

    /// A new switch for a part of what `general` stops. Those above `general` do not count.
    #[must_use]
    pub fn below(general: &KillSwitch) -> Self {
        KillSwitch { general: Some(general.own.clone()), ..KillSwitch::default() }
    }

    /// From now on orders are dropped.
    pub fn throw(&self) {
        self.own.thrown.store(true, Ordering::Release);
    }

    /// Orders may leave again, unless the general switch is thrown.
    pub fn release(&self) {
        // Counted after the fact: one that was not thrown is not released, and whoever misses the count now sees it later.
        if self.own.thrown.swap(false, Ordering::AcqRel) {
            self.own.releases.fetch_add(1, Ordering::Release);
        }
    }

    /// Are orders being dropped, because of this switch or of the general one?
    #[inline]
    #[must_use]
    pub fn is_thrown(&self) -> bool {
        // Neither is derived from the other, so that no release of one opens what the other stops. Whoever sees that the general
        // one was released looks again at what may have been thrown before that.
        let own = || self.own.thrown.load(Ordering::Acquire);
        own() || self.general.as_ref().is_some_and(|general| general.thrown.load(Ordering::Acquire) || own())
    }

    /// Is this one itself thrown, whatever the general one is?
    #[must_use]
    pub fn is_thrown_itself(&self) -> bool {
        self.own.thrown.load(Ordering::Acquire)
    }

    /// Is the general one thrown?
    #[inline]
    #[must_use]
    pub fn is_thrown_above(&self) -> bool {
        self.general.as_ref().is_some_and(|general| general.thrown.load(Ordering::Acquire))
    }

    /// How often orders have been let leave again, by this one or the general one.
    #[inline]
    fn releases(&self) -> u64 {
        let general = self.general.as_ref().map_or(0, |general| general.releases.load(Ordering::Acquire));
        self.own.releases.load(Ordering::Acquire).wrapping_add(general)
    }

    /// Is it thrown, and whoever watches it has not done yet what a throw asks for? See [`KillWatch::answer`].
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.is_thrown() && self.answered.load(Ordering::Acquire) <= self.releases()
    }

    /// The flag itself, for a signal handler to set.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.own.thrown)
    }
}

/// What was done to a kill switch since the last look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KillNews {
    /// It was thrown.
    Thrown,
    /// It was released.
    Released,
    /// It was thrown and released.
    ThrownAndReleased,
}

/// Looks at a [`KillSwitch`] now and then, and misses no throw.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct KillWatch {
    thrown: bool,
    /// Releases that are known: the last may not be counted yet.
    releases: u64,
}

impl KillWatch {
    /// What happened since the last look.
    #[inline]
    pub fn look(&mut self, switch: &KillSwitch) -> Option<KillNews> {
        let releases = switch.releases();
        let thrown = switch.is_thrown();
        if thrown == self.thrown && releases <= self.releases {
            return None;
        }
        self.news(switch, thrown, releases)
    }

    #[cold]
    fn news(&mut self, switch: &KillSwitch, thrown: bool, releases: u64) -> Option<KillNews> {
        let news = match (self.thrown, thrown) {
            (false, true) => Some(KillNews::Thrown),
            (true, false) => Some(KillNews::Released),
            (false, false) => Some(KillNews::ThrownAndReleased),
            // Released and thrown again, or of the two that were thrown one is left: nothing has changed for whoever thinks
            // it thrown.
            (true, true) => None,
        };
        let known = self.releases + u64::from(news == Some(KillNews::Released));
        *self = KillWatch { thrown, releases: releases.max(known) };
        if news.is_none() {
            self.answer(switch);
        }
        news
    }

    /// What the last throw seen asks for is done: nobody needs to hurry for it any more.
    pub fn answer(&self, switch: &KillSwitch) {
        if self.thrown {
            switch.answered.store(self.releases + 1, Ordering::Release);
        }
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

    /// Raises it by one, and answers what it is now: a number that nobody else gets.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
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

#[cfg(all(test, not(loom)))]
mod watching {
    use super::*;

    #[test]
    fn every_throw_is_news_once() {
        let (kill, mut watch) = (KillSwitch::new(), KillWatch::default());
        let mut look = || watch.look(&kill);
        assert_eq!(look(), None);
        // What is not thrown cannot be released.
        kill.release();
        assert_eq!(look(), None);
        // A signal throws by the flag alone.
        kill.flag().store(true, Ordering::Release);
        assert_eq!((look(), look()), (Some(KillNews::Thrown), None));
        kill.release();
        assert_eq!((look(), look()), (Some(KillNews::Released), None));
        for _ in 0..2 {
            kill.throw();
            kill.release();
        }
        assert_eq!((look(), look()), (Some(KillNews::ThrownAndReleased), None));
        kill.throw();
        assert_eq!(look(), Some(KillNews::Thrown));
        kill.release();
        kill.throw();
        assert_eq!(look(), None, "it is thrown, as it was");
        kill.release();
        assert_eq!((look(), look()), (Some(KillNews::Released), None));
    }

    #[test]
    fn a_throw_is_answered_once_whoever_watches_says_so() {
        let (kill, mut watch) = (KillSwitch::new(), KillWatch::default());
        assert!(!kill.is_unanswered());
        for _ in 0..3 {
            kill.throw();
            assert!(watch.look(&kill) == Some(KillNews::Thrown) && kill.is_unanswered());
            watch.answer(&kill);
            assert!(!kill.is_unanswered());
            // The same throw, as far as a watch can tell that does not look in between.
            kill.release();
            kill.throw();
            assert!(kill.is_unanswered());
            assert!(watch.look(&kill).is_none() && !kill.is_unanswered());
            kill.release();
            assert!(!kill.is_unanswered());
            assert_eq!(watch.look(&kill), Some(KillNews::Released));
            // Thrown and released between two looks.
            kill.throw();
            kill.release();
            assert_eq!(watch.look(&kill), Some(KillNews::ThrownAndReleased));
            watch.answer(&kill);
        }
    }

    #[test]
    fn of_two_switches_each_stops_and_is_released_for_itself() {
        let general = KillSwitch::new();
        let [one, other] = [(); 2].map(|()| KillSwitch::below(&general));
        let thrown = || [&general, &one, &other].map(KillSwitch::is_thrown);
        one.throw();
        assert_eq!((thrown(), one.is_thrown_itself(), one.is_thrown_above()), ([false, true, false], true, false));
        general.flag().store(true, Ordering::Release);
        assert_eq!((thrown(), other.is_thrown_itself(), other.is_thrown_above()), ([true; 3], false, true));
        // The general one releases nobody's own.
        general.release();
        assert_eq!(thrown(), [false, true, false]);
        general.throw();
        one.release();
        assert_eq!(thrown(), [true; 3], "a lane's own opens nothing that the general one stops");
        general.release();
        assert_eq!(thrown(), [false; 3]);
    }

    #[test]
    fn a_watch_below_a_general_switch_misses_no_throw_of_either() {
        let general = KillSwitch::new();
        let (kill, mut watch) = (KillSwitch::below(&general), KillWatch::default());
        let mut look = || watch.look(&kill);
        general.throw();
        assert_eq!((look(), look()), (Some(KillNews::Thrown), None));
        assert!(kill.is_unanswered());
        // One of two is released: it is as it was, and nobody need hurry.
        kill.throw();
        general.release();
        assert_eq!(look(), None);
        assert!(!kill.is_unanswered());
        kill.release();
        assert_eq!((look(), look()), (Some(KillNews::Released), None));
        general.throw();
        general.release();
        assert_eq!((look(), look()), (Some(KillNews::ThrownAndReleased), None));
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

    /// Thrown and released while another looks now and then: sooner or later it learns that there was a throw, and never
    /// of one that there was not.
    #[test]
    fn loom_a_throw_between_two_looks_is_seen() {
        loom::model(|| {
            let kill = KillSwitch::new();
            let operator = kill.clone();
            let writer = thread::spawn(move || {
                operator.throw();
                operator.release();
            });
            let (mut throws, mut releases) = (0, 0);
            let mut watch = KillWatch::default();
            let mut look = || {
                let news = watch.look(&kill);
                throws += u32::from(matches!(news, Some(KillNews::Thrown | KillNews::ThrownAndReleased)));
                releases += u32::from(matches!(news, Some(KillNews::Released | KillNews::ThrownAndReleased)));
            };
            look();
            look();
            writer.join().unwrap();
            look();
            look();
            assert_eq!((throws, releases), (1, 1));
        });
    }

    /// A throw that nobody has acted on is unanswered, whatever was answered before it; and nothing stays so for ever.
    #[test]
    fn loom_a_throw_is_unanswered_until_it_is_answered() {
        loom::model(|| {
            let kill = KillSwitch::new();
            let operator = kill.clone();
            let writer = thread::spawn(move || {
                operator.throw();
                operator.release();
                operator.throw();
            });
            let mut watch = KillWatch::default();
            if watch.look(&kill) == Some(KillNews::Thrown) {
                watch.answer(&kill);
            }
            writer.join().unwrap();
            let unanswered = kill.is_unanswered();
            if watch.look(&kill) == Some(KillNews::Thrown) {
                assert!(unanswered);
                watch.answer(&kill);
            }
            assert!(!kill.is_unanswered());
        });
    }
    /// A general switch and a lane's own: while one is thrown, the release of the other lets no order leave.
    #[test]
    fn loom_a_release_opens_nothing_that_the_other_switch_stops() {
        loom::model(|| {
            let general = KillSwitch::new();
            let kill = KillSwitch::below(&general);
            kill.throw();
            let (own, all) = (kill.clone(), general.clone());
            // Whoever lifts the lane's own has seen that the general one is thrown.
            let operator = thread::spawn(move || {
                all.throw();
                own.release();
            });
            assert!(kill.is_thrown(), "between the two switches an order left");
            operator.join().unwrap();
            assert!(kill.is_thrown());
            // And the other way about.
            let (own, all) = (kill.clone(), general.clone());
            let operator = thread::spawn(move || {
                own.throw();
                all.release();
            });
            assert!(kill.is_thrown(), "between the two switches an order left");
            operator.join().unwrap();
            assert!(kill.is_thrown());
            kill.release();
            assert!(!kill.is_thrown());
        });
    }
}
