//! Where a command that goes on for long writes: lines for people, around one line that moves, and beside a JSON object.
//!
//! A thread of its own writes. A terminal that is stopped, or a pipe that nobody reads, keeps that thread waiting and
//! nobody else: what finds no room meanwhile is dropped and counted.

use crate::{output, progress};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

/// Lines that may wait.
const WAITING: usize = 1_024;
/// How long the end waits for them to be written.
const AT_THE_END: Duration = Duration::from_secs(1);

enum Shown {
    Line(String),
    Now(String),
    /// The line that moves is gone; everything before this has been written.
    Clear(SyncSender<()>),
}

/// Lines go to standard output, or to standard error where a JSON object is to come; the one that moves is shown only
/// where a person looks.
pub(crate) struct Screen {
    to: SyncSender<Shown>,
    /// Lines that wait to be written, or found no room to wait.
    unwritten: Arc<AtomicU64>,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        let (to, shown) = mpsc::sync_channel(WAITING);
        let unwritten = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&unwritten);
        // Without a thread nothing is shown, and all of it counted.
        let _shown = thread::Builder::new().name("screen".to_owned()).spawn(move || show(json, &shown, &count));
        Screen { to, unwritten }
    }

    /// A line that stays.
    pub(crate) fn line(&self, text: &str) {
        self.unwritten.fetch_add(1, Ordering::Relaxed);
        let _full = self.to.try_send(Shown::Line(text.to_owned()));
    }

    /// A line that stays, and when that was.
    pub(crate) fn line_at(&self, elapsed: Duration, text: &str) {
        self.line(&format!("{:>8.1} s  {text}", elapsed.as_secs_f64()));
    }

    /// What stands in the line that moves.
    pub(crate) fn now(&self, text: String) {
        let _full = self.to.try_send(Shown::Now(text));
    }

    /// The line that moves is gone, and what was said is written, unless that takes too long.
    pub(crate) fn clear(&self) {
        let (done, written) = mpsc::sync_channel(1);
        if self.to.try_send(Shown::Clear(done)).is_ok() {
            let _late = written.recv_timeout(AT_THE_END);
        }
    }

    /// Lines that were not written.
    pub(crate) fn lost(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed) + output::notices_lost()
    }
}

fn show(json: bool, shown: &Receiver<Shown>, unwritten: &AtomicU64) {
    let bar = progress::line();
    for what in shown {
        match what {
            Shown::Line(text) => {
                bar.suspend(|| {
                    let write = if json { output::complain } else { output::notice };
                    write(format_args!("{text}"));
                });
                unwritten.fetch_sub(1, Ordering::Relaxed);
            }
            Shown::Now(text) => {
                bar.set_message(text);
                bar.tick();
            }
            Shown::Clear(done) => {
                bar.finish_and_clear();
                let _gone = done.try_send(());
            }
        }
    }
}
