//! Instructions of each piece, under callgrind: machines differ and neighbours disturb, instructions do not.
//!
//! Each piece is run with some passes and with three times as many, in processes of their own: the difference has no set-up in
//! it. The figures stand in `bench/counts.json`; one that has grown by more than [`SLACK`] fails.

use crate::book::{Hints, Rig, Setup};
use crate::decode::{By, Decoding};
use crate::market::{Market, market, messages};
use crate::orders;
use crate::pieces::{EncodeWork, GateWork};
use crate::stream;
use anyhow::{Context, Result, anyhow, bail, ensure};
use firelane_contest::Contestant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

/// By which share a figure may grow.
pub const SLACK: f64 = 0.05;

/// What is counted.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Piece {
    /// A message decoded.
    Decode,
    /// A message decoded and booked.
    Book,
    /// An order judged by the gate, every control on.
    Gate,
    /// An approved order framed in the outbox.
    Encode,
    /// A packet through the whole lane, and what its order causes; the scripted port included.
    Lane,
}

impl Piece {
    /// All of them.
    pub const ALL: [Piece; 5] = [Piece::Decode, Piece::Book, Piece::Gate, Piece::Encode, Piece::Lane];

    /// Its name, in the file and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Piece::Decode => "decode",
            Piece::Book => "book",
            Piece::Gate => "gate",
            Piece::Encode => "encode",
            Piece::Lane => "lane",
        }
    }

    /// What a figure is of.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Piece::Decode | Piece::Book => "a message",
            Piece::Gate | Piece::Encode => "an order",
            Piece::Lane => "a packet",
        }
    }

    /// Does it so many times; answers how many units that were.
    ///
    /// # Errors
    /// If the piece can't be set up.
    pub fn work(self, passes: usize) -> Result<u64> {
        const MADE: Market = Market { symbols: 20, live: 2_000, messages: 10_000, seed: 5 };
        const ORDERS: usize = 2_000;
        let mut units = 0;
        match self {
            Piece::Decode => {
                let (stream, mut decoding) = (market(MADE), Decoding::by(By::Firelane));
                for _ in 0..passes {
                    black_box(&mut decoding).apply(&stream.bytes);
                }
                units = (passes * messages(&stream.bytes).count()) as u64;
            }
            Piece::Book => {
                let stream = market(MADE);
                let mut rig =
                    Rig::new(&Setup { instruments: 20, orders: 8_192, hints: Hints::Never, batch: 1, passes: 0 });
                for _ in 0..passes {
                    rig.clear();
                    units += black_box(rig.apply(&stream.bytes));
                }
            }
            Piece::Gate => {
                let mut gate = GateWork::new()?;
                for _ in 0..passes * ORDERS {
                    let approvals = gate.enter().map_err(|refusal| anyhow!("{refusal:?}"))?;
                    black_box(&approvals);
                    units += 1;
                }
            }
            Piece::Encode => {
                let mut work = EncodeWork::new()?;
                // As many approvals however many passes: what makes them is not what is counted.
                let mut approved = work.approved(3 * ORDERS)?;
                for order in approved.drain(..passes.min(3) * ORDERS) {
                    ensure!(work.encode(order), "an order did not leave");
                    work.clear();
                    units += 1;
                }
            }
            Piece::Lane => {
                let stream = stream::open(Market { symbols: 20, live: 2_000, messages: 6_000, seed: 5 });
                // Small, for each pass has a lane of its own.
                let settings = "feed.snapshot.enabled = false\nfeed.window_messages = 1024\nbooks.orders = 8192\n\
                                books.levels = 8192\ninstruments.capacity = 32\norders.fills = 1024\n\
                                taker.threshold = 300000\ntaker.cooldown_us = 1";
                units = (0..passes).map(|_| orders::through_a_lane(&stream.bytes, settings)).sum::<Result<u64>>()?;
            }
        }
        Ok(units)
    }
}

/// Figures, by piece: instructions a unit.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// The compiler of the build.
    pub rustc: String,
    /// Instructions a unit.
    pub counts: BTreeMap<String, f64>,
}

/// Figures beside those that are kept.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// Now.
    pub now: Figures,
    /// Kept; none is kept yet where it is empty.
    pub kept: Figures,
    /// Those that have grown too much.
    pub grown: Vec<String>,
}

impl Report {
    /// Compares.
    #[must_use]
    pub fn of(now: Figures, kept: Figures) -> Report {
        let too_many = |name: &str, n: f64| kept.counts.get(name).is_some_and(|kept| n > kept * (1.0 + SLACK));
        let grown = now.counts.iter().filter(|(name, n)| too_many(name, **n)).map(|(name, _)| name.clone()).collect();
        Report { now, kept, grown }
    }

    /// Fails if one has grown too much, or none is kept.
    ///
    /// # Errors
    /// Says which, and from what to what.
    pub fn verdict(&self) -> Result<()> {
        for piece in Piece::ALL.map(Piece::name) {
            ensure!(self.kept.counts.contains_key(piece), "no figure is kept of {piece}: --write keeps those of now");
        }
        let both = |name: &String| format!("{name} {:.1} -> {:.1}", self.kept.counts[name], self.now.counts[name]);
        let list: Vec<String> = self.grown.iter().map(both).collect();
        ensure!(
            list.is_empty(),
            "more than {:.0} % more instructions: {}. If it is worth them, --write keeps the new figures",
            SLACK * 100.0,
            list.join(", ")
        );
        Ok(())
    }
}

/// Counts all pieces with this program under valgrind.
///
/// # Errors
/// If there is no valgrind, or it says nothing.
pub fn count() -> Result<Figures> {
    let mut counts = BTreeMap::new();
    for piece in Piece::ALL {
        let [(few, one), (more, three)] =
            [1, 3].map(|passes| under_callgrind(piece, passes)).map(|r| r.unwrap_or_default());
        if more <= few || three <= one {
            // Asked again for the error.
            under_callgrind(piece, 1)?;
            bail!("{} counts {few} and {more} instructions for {one} and {three}", piece.name());
        }
        counts.insert(piece.name().to_owned(), (more - few) as f64 / (three - one) as f64);
    }
    Ok(Figures { rustc: env!("LAB_RUSTC").to_owned(), counts })
}

/// Instructions, and units of work.
fn under_callgrind(piece: Piece, passes: usize) -> Result<(u64, u64)> {
    let file = tempfile::NamedTempFile::new()?;
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.path().display()))
        .arg(std::env::current_exe()?)
        .args(["work", piece.name(), &passes.to_string()])
        .output()
        .context("valgrind can't be started: apt-get install valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} under valgrind: {said}", piece.name());
    let units = String::from_utf8_lossy(&output.stdout).trim().parse().context("no number of units")?;
    let text = std::fs::read_to_string(file.path())?;
    Ok((summary(&text).with_context(|| format!("no summary in callgrind's file: {said}"))?, units))
}

/// The sum of a callgrind file.
fn summary(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Reads figures; none if there is no file.
///
/// # Errors
/// If it is something else.
pub fn read(path: &Path) -> Result<Figures> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Figures::default()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Keeps figures, to a tenth.
///
/// # Errors
/// What the file says.
pub fn write(path: &Path, figures: &Figures) -> Result<()> {
    let counts = figures.counts.iter().map(|(name, n)| (name.clone(), (n * 10.0).round() / 10.0)).collect();
    let text = serde_json::to_string_pretty(&Figures { rustc: figures.rustc.clone(), counts })? + "\n";
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "instructions under callgrind, {}", self.now.rustc)?;
        if self.kept.rustc != self.now.rustc {
            writeln!(
                f,
                "  (kept figures are of {})",
                if self.kept.rustc.is_empty() { "nothing" } else { &self.kept.rustc }
            )?;
        }
        write!(f, "  {:<8} {:>10} {:>10}", "", "now", "kept")?;
        for piece in Piece::ALL {
            let [now, kept] = [&self.now, &self.kept].map(|figures| figures.counts.get(piece.name()).copied());
            let (now, name) = (now.unwrap_or(f64::NAN), piece.name());
            write!(f, "\n  {name:<8} {now:>10.1}")?;
            match kept {
                Some(kept) => write!(f, " {kept:>10.1} {:>+6.1} %", (now / kept - 1.0) * 100.0)?,
                None => write!(f, " {:>10} {:>8}", "-", "")?,
            }
            let more = if self.grown.iter().any(|grown| grown == name) { "  MORE" } else { "" };
            write!(f, "  {}{more}", piece.unit())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(book: f64) -> Figures {
        let mut counts: BTreeMap<String, f64> = Piece::ALL.map(|piece| (piece.name().to_owned(), 100.0)).into();
        counts.insert("book".to_owned(), book);
        Figures { rustc: "rustc 1".to_owned(), counts }
    }

    #[test]
    fn five_per_cent_more_fails_with_both_figures() {
        assert!(Report::of(figures(105.0), figures(100.0)).verdict().is_ok());
        assert!(Report::of(figures(50.0), figures(100.0)).verdict().is_ok());
        let report = Report::of(figures(105.1), figures(100.0));
        let error = report.verdict().unwrap_err().to_string();
        assert!(error.contains("more than 5 % more instructions: book 100.0 -> 105.1."), "{error}");
        assert!(report.to_string().contains("+5.1 %  a message  MORE"), "{report}");
        assert!(report.to_string().lines().all(|line| line.len() <= 80));
        let error = Report::of(figures(1.0), Figures::default()).verdict().unwrap_err().to_string();
        assert!(error.contains("no figure is kept of decode: --write"), "{error}");
    }

    #[test]
    fn every_piece_works_and_says_how_much() {
        for piece in Piece::ALL {
            let (one, three) = (piece.work(1).unwrap(), piece.work(3).unwrap());
            assert!(one > 1_000 && three == 3 * one, "{piece:?}: {one} and {three}");
        }
    }

    #[test]
    fn figures_are_kept_to_a_tenth_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("counts.json");
        assert_eq!(read(&path).unwrap(), Figures::default());
        write(&path, &figures(12.34)).unwrap();
        assert_eq!(read(&path).unwrap(), figures(12.3));
        std::fs::write(&path, "{").unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("counts.json"));
    }

    #[test]
    fn a_callgrind_file_has_a_sum() {
        assert_eq!(summary("version: 1\nsummary: 123 4\nfn=x\n"), Some(123));
        assert_eq!(summary("totals: 7\n"), Some(7));
        assert_eq!(summary("nothing"), None);
    }
}
