//! A job that a thread does: what `submit`, `poll` and `cancel` come to for a device that has no other way to go on by itself.

use super::device::{Fault, Watch};
use super::job::Progress;
use std::sync::Arc;
use std::thread::JoinHandle;

/// At most one job, whose outcome is an `R`: the answer, with what the thread had borrowed.
#[derive(Debug)]
pub struct Background<R>(Option<(Arc<Watch>, JoinHandle<R>)>);

/// What has become of the job.
#[derive(Debug)]
pub enum Fetched<R> {
    /// It is being done.
    Running(Progress),
    /// It is done.
    Done(R),
}

impl<R> Default for Background<R> {
    fn default() -> Self {
        Background(None)
    }
}

impl<R: Send + 'static> Background<R> {
    /// Is there a job?
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.is_some()
    }

    /// Starts it, on a thread of this name.
    ///
    /// # Errors
    /// [`Fault::Busy`]; [`Fault::Device`] if there is no thread to be had.
    pub fn start(&mut self, name: &str, work: impl FnOnce(&Watch) -> R + Send + 'static) -> Result<(), Fault> {
        if self.is_busy() {
            return Err(Fault::Busy);
        }
        let watch = Arc::new(Watch::default());
        let shared = Arc::clone(&watch);
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || work(&shared));
        let thread = thread.map_err(|error| Fault::Device(format!("no thread for it: {error}")))?;
        self.0 = Some((watch, thread));
        Ok(())
    }

    /// Asks for the outcome.
    ///
    /// # Errors
    /// [`Fault::Nothing`]; [`Fault::Device`] if the thread panicked.
    pub fn poll(&mut self) -> Result<Fetched<R>, Fault> {
        match self.0.take() {
            None => Err(Fault::Nothing),
            Some((watch, thread)) if !thread.is_finished() => {
                let progress = watch.progress();
                self.0 = Some((watch, thread));
                Ok(Fetched::Running(progress))
            }
            Some((_, thread)) => {
                let panicked = |_| Fault::Device("its thread panicked".into());
                thread.join().map(Fetched::Done).map_err(panicked)
            }
        }
    }

    /// Asks for its end.
    ///
    /// # Errors
    /// [`Fault::Nothing`].
    pub fn cancel(&self) -> Result<(), Fault> {
        self.0.as_ref().map(|(watch, _)| watch.cancel()).ok_or(Fault::Nothing)
    }
}

impl<R> Drop for Background<R> {
    /// Nobody will fetch the outcome; nothing is left in the middle of it.
    fn drop(&mut self) {
        if let Some((watch, thread)) = self.0.take() {
            watch.cancel();
            let _outcome = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Works until it is told not to.
    fn endless(watch: &Watch) {
        while !watch.is_cancelled() {
            std::thread::yield_now();
        }
    }

    fn outcome<R: Send + 'static>(background: &mut Background<R>) -> Result<R, Fault> {
        loop {
            if let Fetched::Done(outcome) = background.poll()? {
                return Ok(outcome);
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_job_at_a_time_whose_outcome_is_fetched_once() {
        let mut background = Background::default();
        assert!(!background.is_busy());
        assert_eq!(background.cancel(), Err(Fault::Nothing));
        background.start("test", endless).unwrap();
        assert!(background.is_busy());
        assert_eq!(background.start("test", |_| ()), Err(Fault::Busy));
        assert!(matches!(background.poll(), Ok(Fetched::Running(Progress { best: None, .. }))));
        background.cancel().unwrap();
        outcome(&mut background).unwrap();
        assert!(!background.is_busy());
        assert_eq!(outcome(&mut background), Err(Fault::Nothing));
    }

    #[test]
    fn who_drops_it_waits_for_its_end() {
        let over = Arc::new(AtomicBool::new(false));
        let mut background = Background::default();
        let shared = Arc::clone(&over);
        let work = move |watch: &Watch| {
            endless(watch);
            shared.store(true, Ordering::Relaxed);
        };
        background.start("test", work).unwrap();
        drop(background);
        assert!(over.load(Ordering::Relaxed));
    }

    #[test]
    fn a_thread_that_panics_is_a_fault_and_the_next_job_can_begin() {
        let mut background = Background::default();
        background.start("test", |_| panic!("on purpose")).unwrap();
        assert_eq!(outcome(&mut background), Err(Fault::Device("its thread panicked".into())));
        background.start("test", |_| ()).unwrap();
        outcome(&mut background).unwrap();
    }
}
