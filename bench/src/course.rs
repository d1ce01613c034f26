//! What a contest needs around it: the bytes as a plain file, and who takes part.

use crate::compare;
use crate::contest::{self, Course, Entrant, Report, Right};
use crate::encode;
use crate::market::Stream;
use anyhow::{Context, Result, ensure};
use firelane_contest::{Kind, QUOTED};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The program of the peers that a package registry has, where `cargo build` puts it beside the lab.
pub const PEERS: &str = "firelane-peers";

/// What to say where it is missing.
pub const HOW_TO_BUILD_PEERS: &str =
    "build them with `cargo build --release --manifest-path bench/peers/Cargo.toml --target-dir target`";

/// The bytes of a stream as a plain file.
#[derive(Debug)]
pub struct PlainFile {
    path: PathBuf,
    /// Removed when this is dropped.
    made: Option<tempfile::TempPath>,
}

impl PlainFile {
    /// The file itself if it is plain; else a temporary one with what was in it.
    ///
    /// # Errors
    /// If none can be written.
    pub fn of(stream: &Stream, file: Option<&Path>) -> Result<PlainFile> {
        let plain = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() == stream.bytes.len() as u64);
        if let Some(path) = file.filter(|path| plain(path)) {
            return Ok(PlainFile { path: path.to_owned(), made: None });
        }
        let mut made = tempfile::Builder::new().suffix(".itch").tempfile()?;
        let place = made.path().display().to_string();
        made.write_all(&stream.bytes).with_context(|| format!("{place}: the messages, for all contestants to read"))?;
        let made = made.into_temp_path();
        Ok(PlainFile { path: made.to_path_buf(), made: Some(made) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.made.as_deref().unwrap_or(&self.path)
    }
}

/// Who takes part besides the lab itself.
#[derive(Clone, Debug)]
pub struct Others {
    /// Programs, each with its arguments in one line.
    pub against: Vec<String>,
    /// The program of the peers, if it is wanted.
    pub peers: Option<PathBuf>,
    /// How long one answer may take.
    pub patience: Duration,
}

impl Others {
    /// Is there anybody?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.against.is_empty() && self.peers.is_none()
    }

    /// Each one's program and arguments. The peers' program is asked which it has of a kind: `--list KIND`.
    ///
    /// # Errors
    /// If the peers' program can't be asked.
    pub fn entrants(&self, kind: &str) -> Result<Vec<Entrant>> {
        let mut all = Vec::new();
        if let Some(program) = &self.peers {
            let name = program.display().to_string();
            let output = Command::new(program)
                .args(["--list", kind])
                .output()
                .with_context(|| format!("{name}: {HOW_TO_BUILD_PEERS}"))?;
            ensure!(output.status.success(), "{name} --list: {}", String::from_utf8_lossy(&output.stderr).trim());
            let list = String::from_utf8_lossy(&output.stdout);
            all.extend(list.split_whitespace().map(|peer| Entrant(vec![name.clone(), peer.to_owned()])));
        }
        for line in &self.against {
            all.push(Entrant::of(line)?);
        }
        Ok(all)
    }
}

/// The peers' program beside this one.
#[must_use]
pub fn peers_beside() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name(PEERS);
    beside.exists().then_some(beside)
}

/// This program, serving the protocol.
///
/// # Errors
/// If it does not know where it is.
pub fn myself(arguments: &[String]) -> Result<Entrant> {
    let program = std::env::current_exe()?.display().to_string();
    Ok(Entrant([&[program, "serve".to_owned()], arguments].concat()))
}

/// The books of all, the lab's own first.
///
/// # Errors
/// If the messages can't be handed to them.
pub fn books(stream: &Stream, file: Option<&Path>, ours: &[String], others: &Others, passes: usize) -> Result<Report> {
    let plain = PlainFile::of(stream, file)?;
    let right = Right::of(&stream.bytes, stream.built);
    let course = Course { file: plain.path(), built: stream.built, patience: others.patience };
    let entrants = [vec![myself(ours)?], others.entrants("book")?].concat();
    Ok(contest::run(&entrants, &[Kind::L3, Kind::L2], &course, &right, passes))
}

/// Decoding by all, the lab's own first and crate itch5 second.
///
/// # Errors
/// If the messages can't be handed to them.
pub fn decoders(stream: &Stream, file: Option<&Path>, others: &Others, passes: usize) -> Result<Report> {
    let plain = PlainFile::of(stream, file)?;
    let right = crate::decode::right(&stream.bytes, stream.built);
    let course = Course { file: plain.path(), built: stream.built, patience: others.patience };
    let ours = ["decode", "itch5"].map(|what| myself(&[what.to_owned()])).into_iter().collect::<Result<Vec<_>>>()?;
    let entrants = [ours, others.entrants("decode")?].concat();
    Ok(contest::run(&entrants, &[Kind::Decode], &course, &right, passes))
}

/// Orders framed by all, the lane's order entry first.
///
/// # Errors
/// If the orders can't be handed to them.
pub fn encoders(count: usize, others: &Others, passes: usize) -> Result<Report> {
    let stream = Stream { bytes: encode::file(count)?, built: 0 };
    let plain = PlainFile::of(&stream, None)?;
    let course = Course { file: plain.path(), built: 0, patience: others.patience };
    let entrants = [vec![myself(&["encode".to_owned()])?], others.entrants("encode")?].concat();
    Ok(contest::run(&entrants, &[Kind::Encode], &course, &encode::right(&stream.bytes), passes))
}

/// The whole lane with its market maker quoting, and other projects' backtests with a strategy that does so.
///
/// # Errors
/// If the messages can't be handed to them.
pub fn quoters(stream: &Stream, file: Option<&Path>, settings: &str, others: &Others, passes: usize) -> Result<Report> {
    let plain = PlainFile::of(stream, file)?;
    let mut right = Right::of(&stream.bytes, 0);
    right.digest.lines.push(QUOTED.to_owned());
    let course = Course { file: plain.path(), built: 0, patience: others.patience };
    let ours = ["quotes", "--settings", settings].map(str::to_owned);
    let entrants = [vec![myself(&ours)?], others.entrants("quotes")?].concat();
    Ok(contest::run(&entrants, &[Kind::Quotes], &course, &right, passes))
}

/// Two builds of the lab, at the same work.
///
/// # Errors
/// If one of them is broken, or they do not do the same.
pub fn builds(
    builds: [&Path; 2],
    words: &[String],
    stream: &Stream,
    file: Option<&Path>,
    plan: &compare::Plan,
    patience: Duration,
) -> Result<compare::Report> {
    let plain = PlainFile::of(stream, file)?;
    let course = Course { file: plain.path(), built: stream.built, patience };
    let [first, second] =
        builds.map(|build| Entrant([&[build.display().to_string(), "serve".to_owned()], words].concat()));
    let what = words.first().map_or("", String::as_str);
    compare::run(what, [&first, &second], &course, plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Market, market};

    #[test]
    fn a_plain_file_is_used_and_any_other_is_written_out() {
        let stream = market(Market { symbols: 3, live: 10, messages: 10, seed: 1 });
        let made = PlainFile::of(&stream, None).unwrap();
        assert_eq!(std::fs::read(made.path()).unwrap(), stream.bytes);
        let path = made.path().to_owned();
        assert_eq!(PlainFile::of(&stream, Some(&path)).unwrap().path(), path);
        let packed = tempfile::NamedTempFile::new().unwrap();
        let other = PlainFile::of(&stream, Some(packed.path())).unwrap();
        assert!(other.path() != packed.path() && std::fs::read(other.path()).unwrap() == stream.bytes);
        drop(made);
        assert!(!path.exists(), "what was made is removed");
    }

    #[test]
    fn peers_that_are_not_built_say_how_to_build_them() {
        let others =
            Others { against: Vec::new(), peers: Some("no-such-program".into()), patience: Duration::from_secs(1) };
        assert!(!others.is_empty());
        let error = format!("{:#}", others.entrants("book").unwrap_err());
        assert!(error.contains("cargo build --release --manifest-path bench/peers/Cargo.toml"), "{error}");
    }
}
