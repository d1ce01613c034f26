//! `firelane log verify|stat|dump`.

use crate::cli::{Log, dash};
use crate::dump;
use crate::paint;
use crate::progress;
use crate::replay::group;
use crate::wirings;
use anyhow::{Context, Result, bail};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::shell::log::FileReader;
use firelane_gateway::shell::verify::verify;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

/// Exit code for a log that is equal as far as it goes, and ends too early.
const CUT: u8 = 3;

pub(crate) fn run(command: &Log) -> Result<ExitCode> {
    match command {
        Log::Verify { file, json } => run_verify(file, *json),
        Log::Stat { file, json } => stat(file, *json),
        Log::Dump(options) => dump::run(options),
    }
}

/// A file to read; `-` is standard input.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>> {
    if dash(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    if file.metadata().is_ok_and(|there| there.is_dir()) {
        bail!("{}: this is a directory, no log or tape", path.display());
    }
    Ok(Box::new(BufReader::with_capacity(1 << 18, file)))
}

/// What a file that is none of ours may be.
pub(crate) fn hint(path: &Path) -> String {
    format!(
        "{} (logs and tapes are what --log and --tape write; firelane replay reads recorded market data)",
        path.display()
    )
}

/// `verify --json`.
#[derive(Default, Serialize)]
struct Verdict {
    /// Every byte and digest was equal, and the log ends in order.
    verified: bool,
    /// Every byte was equal as far as the log goes, but it ends too early: whatever wrote it was cut off.
    cut: bool,
    /// Inputs fed.
    inputs: u64,
    /// Effects compared.
    effects: u64,
    /// Bytes of them.
    bytes: u64,
    /// The build that wrote it.
    build: String,
    /// In what that build and its wiring are other than these: what may explain a difference.
    notes: Vec<String>,
    /// What differed, or what is wrong with the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn run_verify(path: &Path, json: bool) -> Result<ExitCode> {
    let spinner = progress::spinner("running the lane again");
    let (mut build, mut notes) = (String::new(), Vec::new());
    let outcome = verify(
        open(path)?,
        |header| {
            let config = wirings::parse(&header.config).map_err(|e| e.to_string())?;
            if config.wiring != header.wiring {
                return Err(format!("the header names wiring {:?}, its configuration another", header.wiring));
            }
            build.clone_from(&header.build);
            let lane = wirings::build(&config, None).map_err(|e| format!("{e:#}"))?;
            notes = header.unlike(wirings::BUILD, &*lane);
            Ok(lane)
        },
        |n| spinner.set_message(format!("running the lane again: input {n}")),
    );
    spinner.finish_and_clear();
    let verdict = match outcome {
        Ok(done) => Verdict {
            verified: done.complete,
            cut: !done.complete,
            inputs: done.inputs,
            effects: done.effects,
            bytes: done.bytes,
            build,
            notes,
            error: (!done.complete).then(|| {
                format!("verified as far as input {}, then the log ends: its run was cut off", group(done.inputs))
            }),
        },
        Err(error) => Verdict { build, notes, error: Some(error.to_string()), ..Verdict::default() },
    };
    if json {
        crate::output::json(&verdict)?;
    } else {
        verdict.print(path);
    }
    Ok(match (verdict.verified, verdict.cut) {
        (true, _) => ExitCode::SUCCESS,
        (_, true) => ExitCode::from(CUT),
        _ => ExitCode::from(1),
    })
}

impl Verdict {
    fn print(&self, path: &Path) {
        let name = path.display();
        let (inputs, effects, bytes) = (group(self.inputs), group(self.effects), group(self.bytes));
        match &self.error {
            None => {
                say!("{name}: {}.", paint::good("verified"));
                say!("  {inputs} inputs gave the same {effects} effects ({bytes} bytes) and the same final state.");
            }
            Some(error) if self.cut => {
                say!("{name}: {}.", paint::amber(error));
                say!("  All that is in it was equal: {effects} effects ({bytes} bytes). It has no end to compare the");
                say!("  final state with, as after a kill, a crash or a full disk. Exit code {CUT}.");
            }
            Some(error) => say!("{name}: {}: {error}", paint::bad("NOT verified")),
        }
        for note in &self.notes {
            say!("  {note}.");
        }
    }
}

/// `stat --json`.
#[derive(Default, Serialize)]
struct Stat {
    /// "log" or "tape".
    role: &'static str,
    /// The wiring that ran.
    wiring: String,
    /// The build that wrote it.
    build: String,
    /// Hash of the wiring's name and shape.
    wiring_hash: String,
    /// Records by kind.
    records: BTreeMap<&'static str, u64>,
    /// Bytes of their bodies by kind.
    bytes: BTreeMap<&'static str, u64>,
    /// The last input number.
    inputs: u64,
    /// Nanoseconds from the first to the last record.
    span_ns: u64,
    /// Where and how the file ends too early, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn stat(path: &Path, json: bool) -> Result<ExitCode> {
    let mut reader = FileReader::new(open(path)?).with_context(|| path.display().to_string())?;
    let mut stat = Stat {
        role: if reader.is_log() { "log" } else { "tape" },
        wiring: reader.header().wiring.clone(),
        build: reader.header().build.clone(),
        wiring_hash: reader.header().wiring_hash.clone(),
        ..Stat::default()
    };
    let mut first = None;
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                let name = record.kind.map_or("Unknown", Kind::name);
                *stat.records.entry(name).or_default() += 1;
                *stat.bytes.entry(name).or_default() += record.body.len() as u64;
                stat.inputs = record.header.sequence.get();
                let time = record.header.time.get();
                stat.span_ns = time.saturating_sub(*first.get_or_insert(time));
            }
            Ok(None) => break,
            Err(error) => {
                stat.error = Some(error.to_string());
                break;
            }
        }
    }
    if json {
        crate::output::json(&stat)?;
    } else {
        say!("{} of wiring {:?}: {}", stat.role, stat.wiring, path.display());
        say!("  written by {}", if stat.build.is_empty() { "a build that does not name itself" } else { &stat.build });
        for (kind, n) in &stat.records {
            say!("  {kind:<16}{:>14} records {:>16} bytes", group(*n), group(stat.bytes[kind]));
        }
        say!("  {} inputs over {:.3} s", group(stat.inputs), stat.span_ns as f64 / 1e9);
        if let Some(error) = &stat.error {
            say!("  {error}");
        }
    }
    Ok(if stat.error.is_some() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
