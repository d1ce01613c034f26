//! Where a command that goes on for long writes: lines for people, around one line that moves, and beside a JSON object.
//!
//! A thread of its own writes. A terminal that is stopped, or a pipe that nobody reads, keeps that thread waiting and
//! nobody else: what finds no room meanwhile is dropped and counted.

use crate::cli::{LogFormat, Telling};
use crate::{output, paint, progress, times};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// Lines that may wait.
const WAITING: usize = 1_024;
/// How long the end waits for them to be written.
const AT_THE_END: Duration = Duration::from_secs(1);

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Everyday life, said with `-v` alone.
    Detail,
    /// How things go on.
    Info,
    /// What should not be, and may heal.
    Warn,
    /// What somebody has to look after.
    Error,
}

impl Level {
    fn word(self) -> String {
        match self {
            Level::Detail => "detail".to_owned(),
            Level::Info => "info".to_owned(),
            Level::Warn => paint::amber("warn"),
            Level::Error => paint::bad("error"),
        }
    }
}

/// How lines look, and which there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// A JSON object is to come on standard output: lines go to standard error.
    pub(crate) json: bool,
    pub(crate) format: LogFormat,
    /// What matters less is not said.
    pub(crate) least: Level,
    /// When the clock began by which times are told: nanoseconds since 1970 UTC.
    pub(crate) epoch: u64,
}

/// A line as programs read it. The layout is stable: fields are added, never renamed or removed.
#[derive(Serialize)]
struct Event<'a> {
    /// UTC.
    time: &'a str,
    /// The same since the start.
    seconds: f64,
    level: Level,
    text: &'a str,
}

impl Style {
    /// As it is asked for on the command line.
    pub(crate) fn of(telling: &Telling, json: bool, epoch: u64) -> Self {
        let least = match (telling.quiet, telling.verbose) {
            (true, _) => Level::Warn,
            (_, true) => Level::Detail,
            _ => Level::Info,
        };
        Style { json, format: telling.log_format, least, epoch }
    }

    /// Is the report an object, too? Whoever reads lines as JSON reads the last one so.
    pub(crate) fn ends_with_an_object(&self) -> bool {
        self.json || self.format == LogFormat::Json
    }

    /// The line for what happened, if it is said.
    fn line(&self, level: Level, elapsed: Duration, text: &str) -> Option<String> {
        if level < self.least {
            return None;
        }
        let ns = self.epoch.saturating_add(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
        let time = times::utc(ns);
        Some(match self.format {
            LogFormat::Json => {
                let text = text.trim_start();
                let event = Event { time: &time, seconds: elapsed.as_secs_f64(), level, text };
                serde_json::to_string(&event).unwrap_or_default()
            }
            // The date stands in the greeting; words have one width, whatever their colour.
            LogFormat::Text => {
                let word = level.word();
                let pad = 6_usize.saturating_sub(paint::columns(&word));
                format!("{} {word}{:pad$} {text}", time.get(11..23).unwrap_or(&time), "")
            }
        })
    }
}

enum Shown {
    Line(String),
    Now(String),
    /// The line that moves is gone; everything before this has been written.
    Clear(SyncSender<()>),
}

/// Lines go to standard output, or to standard error where a JSON object is to come; the one that moves is shown only
/// where a person looks.
pub(crate) struct Screen {
    style: Style,
    began: Instant,
    to: SyncSender<Shown>,
    /// Lines that wait to be written, or found no room to wait.
    unwritten: Arc<AtomicU64>,
}

impl Screen {
    pub(crate) fn new(style: Style) -> Self {
        let json = style.json;
        let (to, shown) = mpsc::sync_channel(WAITING);
        let unwritten = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&unwritten);
        // Without a thread nothing is shown, and all of it counted.
        let _shown = thread::Builder::new().name("screen".to_owned()).spawn(move || show(json, &shown, &count));
        Screen { style, began: Instant::now(), to, unwritten }
    }

    /// How its lines look.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// A line of a greeting, which stays.
    pub(crate) fn line(&self, text: &str) {
        match self.style.format {
            LogFormat::Text if self.style.least <= Level::Info => self.put(text),
            LogFormat::Text => {}
            LogFormat::Json => self.event(Level::Info, self.began.elapsed(), text),
        }
    }

    fn put(&self, text: &str) {
        self.unwritten.fetch_add(1, Ordering::Relaxed);
        let _full = self.to.try_send(Shown::Line(text.to_owned()));
    }

    /// A line that stays: what happened, when that was since the clock began, and how much it matters.
    pub(crate) fn event(&self, level: Level, elapsed: Duration, text: &str) {
        if let Some(line) = self.style.line(level, elapsed, text) {
            self.put(&line);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_its_level_and_no_less_than_is_asked_for() {
        let style = |format, least| Style { json: false, format, least, epoch: 1_000_000_000_000_000_000 };
        let at = Duration::from_millis(1_500);
        let text = style(LogFormat::Text, Level::Info);
        assert_eq!(text.line(Level::Warn, at, "It rains.").unwrap(), "01:46:41.500 warn   It rains.");
        assert_eq!(text.line(Level::Info, at, "It rains.").unwrap(), "01:46:41.500 info   It rains.");
        assert!(text.line(Level::Detail, at, "It rains.").is_none());
        let json = style(LogFormat::Json, Level::Warn);
        assert_eq!(
            json.line(Level::Error, at, "  It \"rains\".").unwrap(),
            r#"{"time":"2001-09-09T01:46:41.500000Z","seconds":1.5,"level":"error","text":"It \"rains\"."}"#
        );
        assert!(json.line(Level::Info, at, "It rains.").is_none());
    }
}
