//! Where a command that goes on for long writes: lines for people, around one line that moves, and beside a JSON object.

use indicatif::ProgressBar;
use std::io::{self, Write};
use std::time::Duration;

/// Lines go to standard output, or to standard error where a JSON object is to come; the one that moves is shown only
/// where a person looks.
pub(crate) struct Screen {
    json: bool,
    bar: ProgressBar,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Screen { json, bar: ProgressBar::new_spinner() }
    }

    /// A line that stays.
    pub(crate) fn line(&self, text: &str) {
        self.bar.suspend(|| {
            if self.json {
                // Whoever read it may have gone; what runs does not stop for that.
                let _unread = writeln!(io::stderr().lock(), "{text}");
            } else {
                say!("{text}");
            }
        });
    }

    /// A line that stays, and when that was.
    pub(crate) fn line_at(&self, elapsed: Duration, text: &str) {
        self.line(&format!("{:>8.1} s  {text}", elapsed.as_secs_f64()));
    }

    /// What stands in the line that moves.
    pub(crate) fn now(&self, text: String) {
        self.bar.set_message(text);
        self.bar.tick();
    }

    /// The line that moves is gone.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
