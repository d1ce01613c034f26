//! Programs on the same bytes by turns, in one run: each does a pass, then the next, and in the next round another is the
//! first. Who holds other books at the end than the judge is broken, and has no time.
//!
//! All join by the same line protocol, the lab itself too: [`firelane_contest`].

use crate::paired::{CONFIDENCE, Paired};
use crate::stats::Rounds;
use anyhow::{Context, Result, bail, ensure};
use firelane_contest::{About, Contestant, Digest, Kind, Model, Pass, VERSION};
use serde::Serialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The longest line that is read: a contestant that writes on and on is broken.
const LINE: u64 = 4_096;
/// How long one contestant may be at it, its untimed work included: then it has no more turns than the two that it needs.
const LONG: Duration = Duration::from_secs(40);
/// For so long at most one that has ended is listened to.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The most lines of a digest: two sides of each locate.
const LINES: usize = 2 * 65_536 + 16;

/// A program that takes part: what to start, without the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entrant(pub Vec<String>);

impl Entrant {
    /// From the words of a line.
    ///
    /// # Errors
    /// If there are none.
    pub fn of(line: &str) -> Result<Entrant> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        ensure!(!words.is_empty(), "a contestant is a program and its arguments: nothing was given");
        Ok(Entrant(words))
    }
}

/// What all are given.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The file.
    pub file: &'a Path,
    /// Its bytes that build the books up, untimed.
    pub built: usize,
    /// How long one answer may take.
    pub patience: Duration,
}

/// What is right.
#[derive(Clone, Debug)]
pub struct Right {
    /// Messages that are timed.
    pub messages: u64,
    /// What is to be held at the end.
    pub digest: Digest,
}

impl Right {
    /// By the judge.
    #[must_use]
    pub fn of(bytes: &[u8], built: usize) -> Right {
        let mut model = Model::default();
        let Pass { messages, .. } = model.pass(bytes, built);
        Right { messages, digest: model.digest() }
    }
}

/// How one did.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// What it does: L3, L2, decode, orders, encode.
    pub kind: String,
    /// What it leaves out.
    pub without: Vec<String>,
    /// Why it has no time, if it is broken.
    pub broken: Option<String>,
    /// The first pass, nanoseconds a message.
    pub cold: Option<f64>,
    /// The others.
    pub warm: Option<Rounds>,
    /// The first contestant's time over its own, by rounds; none of the first itself.
    pub first_to_it: Option<Paired>,
}

/// How all did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Messages timed in each pass.
    pub messages: u64,
    /// Passes of each.
    pub passes: usize,
    /// The contestants, the lab's own first.
    pub entries: Vec<Entry>,
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    /// Taken away to end it.
    input: Option<ChildStdin>,
    lines: Receiver<std::io::Result<String>>,
    errors: Receiver<String>,
    patience: Duration,
    pub(crate) about: About,
}

impl Running {
    /// Starts it, and waits until it is ready.
    pub(crate) fn start(entrant: &Entrant, course: &Course<'_>) -> Result<Running> {
        let (program, arguments) = entrant.0.split_first().context("no program")?;
        let mut child = Command::new(program)
            .args(arguments)
            .arg(course.file)
            .arg(course.built.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {program}"))?;
        let (say, lines) = channel();
        let output = child.stdout.take().context("no output")?;
        std::thread::spawn(move || read_lines(output, |line| say.send(line).is_ok()));
        let (tell, errors) = channel();
        let output = child.stderr.take().context("no output")?;
        std::thread::spawn(move || read_lines(output, |line| line.is_ok_and(|line| tell.send(line).is_ok())));
        let about = About { kind: Kind::L3, name: entrant.0.join(" "), without: Vec::new() };
        let input = child.stdin.take();
        let mut running = Running { child, input, lines, errors, patience: course.patience, about };
        running.greet().map_err(|error| running.why(error))?;
        Ok(running)
    }

    fn greet(&mut self) -> Result<()> {
        let first = self.line()?;
        let words: Vec<&str> = first.splitn(4, ' ').collect();
        let ["contestant", version, kind, name] = words.as_slice() else {
            bail!("its first line is {first:?}, not `contestant {VERSION} KIND NAME`")
        };
        ensure!(
            *version == VERSION.to_string(),
            "it speaks version {version} of the protocol; this lab speaks {VERSION}"
        );
        self.about.kind =
            Kind::of(kind).with_context(|| format!("{kind:?} is no kind: L3, L2, decode, orders, encode or quotes"))?;
        self.about.name = (*name).to_owned();
        loop {
            let line = self.line()?;
            match (line.as_str(), line.strip_prefix("without ")) {
                ("ready", _) => return Ok(()),
                (_, Some(what)) => self.about.without.push(what.to_owned()),
                _ => bail!("{line:?} comes before `ready`"),
            }
        }
    }

    /// The next line of it.
    fn line(&mut self) -> Result<String> {
        let line = match self.lines.recv_timeout(self.patience) {
            Ok(line) => line?,
            Err(RecvTimeoutError::Timeout) => bail!("no answer in {} s", self.patience.as_secs_f64()),
            Err(RecvTimeoutError::Disconnected) => bail!("it ended"),
        };
        match line.strip_prefix("error ") {
            Some(error) => bail!("it says: {error}"),
            None => Ok(line),
        }
    }

    fn ask(&mut self, what: &str) -> Result<()> {
        let input = self.input.as_mut().context("it was ended")?;
        writeln!(input, "{what}").and_then(|()| input.flush()).context("it takes no more questions")
    }

    /// A pass of it.
    pub(crate) fn pass(&mut self) -> Result<Pass> {
        let asked = Instant::now();
        let answer = self.ask("pass").and_then(|()| self.line()).map_err(|error| self.why(error))?;
        let took = asked.elapsed().as_nanos();
        let words: Vec<&str> = answer.split_whitespace().collect();
        let pass = match words.as_slice() {
            ["pass", messages, ns] => messages.parse().ok().zip(ns.parse().ok()),
            _ => None,
        };
        let (messages, ns) = pass.with_context(|| format!("{answer:?} is not `pass MESSAGES NANOSECONDS`"))?;
        ensure!(ns > 0 && u128::from(ns) <= took, "it says a pass took {ns} ns; its answer came after {took}");
        Ok(Pass { messages, ns })
    }

    /// What it holds.
    pub(crate) fn digest(&mut self) -> Result<Digest> {
        self.ask("digest").map_err(|error| self.why(error))?;
        let mut digest = Digest::default();
        for _ in 0..LINES {
            let line = self.line().map_err(|error| self.why(error))?;
            if line == "end" {
                return Ok(digest);
            }
            digest.take(&line).map_err(anyhow::Error::msg)?;
        }
        bail!("its digest has more than {LINES} lines")
    }

    /// An error, with what the program itself wrote and how it ended.
    fn why(&mut self, error: anyhow::Error) -> anyhow::Error {
        self.input = None;
        // What ended by itself has said why; what did not is ended.
        let since = Instant::now();
        let mut ended = None;
        while ended.is_none() && since.elapsed() < Duration::from_millis(200) {
            ended = self.child.try_wait().ok().flatten();
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut text = error.to_string();
        if let Some(status) = ended.filter(|status| !status.success()) {
            text = format!("{text} ({status})");
        }
        let mut said: Vec<String> = self.errors.try_iter().collect();
        // What an ended one wrote may still be on its way here; its end comes behind it, unless a child of it lives on.
        let since = Instant::now();
        while ended.is_some()
            && let Ok(line) = self.errors.recv_timeout(LAST_WORDS.saturating_sub(since.elapsed()))
        {
            said.push(line);
        }
        if let Some(last) = said.iter().rev().find(|line| !line.trim().is_empty()) {
            text = format!("{text}: {last}");
        }
        anyhow::Error::msg(text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.input = None;
        // A contestant ends when its input does; one that hangs is ended.
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(500) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines until nobody wants them; one that is too long is an error, and the last.
fn read_lines(from: impl Read, mut give: impl FnMut(std::io::Result<String>) -> bool) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        let read = (&mut from).take(LINE).read_until(b'\n', &mut line);
        let whole = line.last() == Some(&b'\n');
        let line = match read {
            Ok(0) => return,
            Ok(_) if !whole && line.len() as u64 == LINE => {
                Err(std::io::Error::other(format!("a line of more than {LINE} bytes")))
            }
            Ok(_) => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Err(error) => Err(error),
        };
        let failed = line.is_err();
        if !give(line) || failed {
            return;
        }
    }
}

/// One that takes part, and what it has done so far.
struct Runner {
    about: About,
    state: Result<Running, String>,
    /// Nanoseconds a message of each pass.
    times: Vec<f64>,
    /// What all of its turns took.
    spent: Duration,
}

impl Runner {
    fn new(entrant: &Entrant, course: &Course<'_>, kinds: &[Kind]) -> Runner {
        let started = Running::start(entrant, course).and_then(|running| {
            let kind = running.about.kind;
            ensure!(kinds.contains(&kind), "it is of kind {}, which is not what is compared here", kind.word());
            Ok(running)
        });
        let about = match &started {
            Ok(running) => running.about.clone(),
            Err(_) => About { kind: Kind::L3, name: entrant.0.join(" "), without: Vec::new() },
        };
        Runner { about, state: started.map_err(|error| error.to_string()), times: Vec::new(), spent: Duration::ZERO }
    }

    /// A pass; where `check`ed, with what it holds then.
    fn turn(&mut self, right: &Right, check: bool, long: Duration) {
        // One that takes very long has two turns, checked both.
        let (count, began) = (self.times.len(), Instant::now());
        let Ok(running) = &mut self.state else { return };
        if count >= 2 && self.spent > long {
            return;
        }
        let check = check || count == 1;
        let done = running.pass().and_then(|Pass { messages, ns }| {
            ensure!(messages == right.messages, "it timed {messages} messages of {}", right.messages);
            if check && let Some(difference) = right.digest.difference(&running.digest()?) {
                bail!("{difference}");
            }
            Ok(ns as f64 / messages.max(1) as f64)
        });
        match done {
            Ok(time) => self.times.push(time),
            Err(error) => self.state = Err(error.to_string()),
        }
        self.spent += began.elapsed();
    }
}

/// Lets all run by turns, `passes` passes each, the lab's own first. Those that are of none of `kinds` are broken.
#[must_use]
pub fn run(entrants: &[Entrant], kinds: &[Kind], course: &Course<'_>, right: &Right, passes: usize) -> Report {
    let passes = passes.max(2);
    let mut runners: Vec<Runner> = entrants.iter().map(|one| Runner::new(one, course, kinds)).collect();
    for pass in 0..passes {
        let count = runners.len();
        for turn in 0..count {
            // Each is the first, and behind each other one, equally often. What is checked costs no turn of another.
            runners[(pass + turn) % count].turn(right, pass == 0 || pass + 1 == passes, LONG);
        }
    }
    let first = runners.first().filter(|first| first.state.is_ok()).map(|first| first.times.clone());
    let entries = runners.into_iter().enumerate().map(|(n, runner)| entry(runner, first.as_ref().filter(|_| n > 0)));
    Report { messages: right.messages, passes, entries: entries.collect() }
}

fn entry(Runner { about, state, times, .. }: Runner, first: Option<&Vec<f64>>) -> Entry {
    let About { kind, name, without } = about;
    let sound = state.is_ok();
    let first_to_it = first.filter(|_| sound).and_then(|first| {
        let pairs: Vec<(f64, f64)> = times.iter().copied().zip(first.iter().copied()).skip(1).collect();
        Paired::of(&pairs, 0.0, CONFIDENCE)
    });
    Entry {
        name,
        kind: kind.word().to_owned(),
        without,
        broken: state.err(),
        cold: times.first().copied().filter(|_| sound),
        warm: (sound && times.len() > 1).then(|| Rounds::of(times[1..].to_vec())),
        first_to_it,
    }
}

impl Report {
    /// Is the lab's own sound?
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.entries.first().is_some_and(|first| first.broken.is_none())
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} messages, {} passes each, by turns; ns a message", self.messages, self.passes)?;
        writeln!(f, "  {:<30} {:>6} {:>8} {:>8} {:>8}  first of it", "", "kind", "cold", "warm", "best")?;
        for Entry { name, kind, without, broken, cold, warm, first_to_it } in &self.entries {
            let name: String = name.chars().take(30).collect();
            match (broken, cold, warm) {
                (None, Some(cold), Some(warm)) => {
                    let Rounds { best, median } = warm;
                    write!(f, "  {name:<30} {kind:>6} {cold:8.1} {median:8.1} {best:8.1}")?;
                    match first_to_it {
                        Some(Paired { ratio, low, high, .. }) if high.is_finite() => {
                            writeln!(f, "  {ratio:.2} ({low:.2}-{high:.2})")?;
                        }
                        // Too few rounds to say how sure that is.
                        Some(Paired { ratio, .. }) => writeln!(f, "  {ratio:.2}")?,
                        None => writeln!(f)?,
                    }
                    for what in without {
                        writeln!(f, "      without {what}")?;
                    }
                }
                _ => {
                    writeln!(f, "  {name:<30} {kind:>6}  BROKEN")?;
                    let why: Vec<char> = broken.as_deref().unwrap_or("it had no turn").chars().collect();
                    why.chunks(74).try_for_each(|line| writeln!(f, "      {}", line.iter().collect::<String>()))?;
                }
            }
        }
        write!(f, "first of it: the first's time over its own (interval at {CONFIDENCE})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_it_is_too_long() {
        let mut lines = Vec::new();
        let text = [&b"one\r\ntwo\n"[..], &[b'x'; LINE as usize], b"\nthree\n"].concat();
        read_lines(&text[..], |line| {
            lines.push(line.map_err(|error| error.to_string()));
            true
        });
        assert_eq!(lines[..2], [Ok("one".to_owned()), Ok("two".to_owned())]);
        assert_eq!((lines.len(), lines[2].as_ref().unwrap_err().as_str()), (3, "a line of more than 4096 bytes"));
    }

    #[test]
    fn one_that_takes_very_long_has_two_turns() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let course = Course { file: file.path(), built: 0, patience: Duration::from_secs(5) };
        let script = "echo contestant 1 L2 slow; echo ready; while read -r q; do \
                      [ $q = pass ] && { sleep 0.01; echo pass 0 1000; } || echo end; done";
        let entrant = Entrant(vec!["sh".into(), "-c".into(), script.into()]);
        let right = Right { messages: 0, digest: Digest::default() };
        for (long, turns) in [(Duration::ZERO, 2), (LONG, 4)] {
            let mut runner = Runner::new(&entrant, &course, &[Kind::L2]);
            (0..4).for_each(|_| runner.turn(&right, false, long));
            assert_eq!((runner.times.len(), runner.state.is_ok()), (turns, true), "{:?}", runner.state.err());
        }
    }

    #[test]
    fn an_entrant_is_a_program_and_its_arguments() {
        assert_eq!(Entrant::of(" peers  orderbook-rs ").unwrap(), Entrant(vec!["peers".into(), "orderbook-rs".into()]));
        assert!(Entrant::of("  ").unwrap_err().to_string().contains("nothing was given"));
    }
}
