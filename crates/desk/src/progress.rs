//! What long work shows while it goes on: on standard error, and only where a person looks.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A spinner with a word of what is being done.
pub(crate) fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A bar of `length` milliseconds.
pub(crate) fn time(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:10} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// A line that moves, and never takes more than one line of the terminal.
pub(crate) fn line() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
