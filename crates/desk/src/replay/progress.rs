//! How far the reading is, while it goes on: a bar in a terminal, a line now and then where there is none.

use super::report::group;
use firelane_sim::capture::Position;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a line is written where no terminal is.
const EVERY: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    position: Position,
    bar: Option<ProgressBar>,
    began: Instant,
    next: Instant,
}

impl Progress {
    pub(super) fn new(position: Position) -> Self {
        let began = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| {
            let (_, of) = position.get();
            let bar = ProgressBar::with_draw_target(of, ProgressDrawTarget::stderr());
            let template =
                if of.is_some() { "{bar:20} {percent:>3} %  {wide_msg}" } else { "{spinner} {bytes}  {wide_msg}" };
            bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Progress { position, bar, began, next: began + EVERY }
    }

    /// So many messages were read.
    pub(super) fn tell(&mut self, messages: u64) {
        let (read, of) = self.position.get();
        if let Some(bar) = &self.bar {
            bar.set_position(read);
            bar.set_message(say(messages, self.began.elapsed(), read, of));
        } else if Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            let percent = of.map_or(String::new(), |of| format!("{} %, ", (read * 100).checked_div(of).unwrap_or(100)));
            complain!("firelane: {percent}{}", say(messages, self.began.elapsed(), read, of));
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Messages, messages a second, time left.
fn say(messages: u64, since: Duration, read: u64, of: Option<u64>) -> String {
    let seconds = since.as_secs_f64().max(1e-3);
    let mut text = format!("{} messages, {}/s", group(messages), group((messages as f64 / seconds) as u64));
    if let Some(of) = of.filter(|of| read > 0 && *of > read) {
        let left = seconds * (of - read) as f64 / read as f64;
        let (minutes, seconds) = (left as u64 / 60, left as u64 % 60);
        text += &if minutes > 0 { format!(", {minutes} min {seconds} s left") } else { format!(", {seconds} s left") };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_where_the_end_is_known() {
        let second = Duration::from_secs(1);
        assert_eq!(say(2_000_000, 2 * second, 50, Some(100)), "2,000,000 messages, 1,000,000/s, 2 s left");
        assert_eq!(say(1_000, second, 1, Some(91)), "1,000 messages, 1,000/s, 1 min 30 s left");
        assert_eq!(say(1_000, second, 100, Some(100)), "1,000 messages, 1,000/s");
        assert_eq!(say(0, Duration::ZERO, 0, None), "0 messages, 0/s");
    }
}
