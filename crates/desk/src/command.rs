//! `firelane command`: says one word to a running gateway's lane, and waits for what becomes of it.

use crate::cli::Say;
use crate::control::{Reply, SAID, Target, ask, to_lane};
use anyhow::{Result, bail};
use serde::Serialize;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for the lane's answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// `command --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Done {
    /// As it was said.
    command: String,
    /// `taken`, `expired`, `unknown`, `rejected`, or `pending` if the lane has not answered in time.
    outcome: String,
    /// Why, unless it was taken.
    why: Option<String>,
    /// Its number in the log, with commander 1.
    ticket: u64,
}

pub(crate) fn run(options: &Say) -> Result<ExitCode> {
    if options.words.is_empty() {
        for (said, does) in SAID {
            say!("{said}\n    {does}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let target = Target::of(&options.target, &options.set)?;
    tell(&target, options.lane.as_deref(), &options.words.join(" "), options.json)
}

/// Says a line and prints what became of it. Success: it was taken.
pub(crate) fn tell(target: &Target, lane: Option<&str>, line: &str, json: bool) -> Result<ExitCode> {
    let reply = told(target, lane, line)?;
    let Some(ticket) = reply.ticket else {
        match (reply.error.filter(|_| !reply.ok), reply.said) {
            (Some(error), _) => bail!("{}: {error}", target.socket.display()),
            // What is for several lanes at once is answered by none of them.
            (None, Some(said)) if !json => {
                say!("{}.", capital(&said));
                return Ok(ExitCode::SUCCESS);
            }
            (None, _) => bail!("{line:?} is nothing that a lane answers: ask it by firelane status"),
        }
    };
    let outcome = reply.outcome.unwrap_or_default();
    let taken = outcome == "taken";
    if json {
        crate::output::json(&Done { command: line.to_owned(), outcome, why: reply.error, ticket })?;
    } else {
        match (outcome.as_str(), reply.error) {
            ("taken", _) => say!("Taken: {line}"),
            ("pending", _) => {
                say!("The lane has not answered within {} s; the log has what became of it.", PATIENCE.as_secs());
            }
            (_, Some(why)) if why != outcome => say!("{}: {why}", capital(&outcome)),
            _ => say!("{}: {line}", capital(&outcome)),
        }
    }
    Ok(if taken { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

/// Says a line; of one that the lane answers, its answer, or `pending` after a while.
fn told(target: &Target, lane: Option<&str>, line: &str) -> Result<Reply> {
    let reply = ask(target, &to_lane(lane, line))?;
    let Some(ticket) = reply.ticket.filter(|_| reply.ok) else { return Ok(reply) };
    let began = Instant::now();
    loop {
        let answer = ask(target, &to_lane(lane, &format!("answer {ticket}")))?;
        if answer.outcome.as_deref() != Some("pending") || began.elapsed() > PATIENCE {
            return Ok(answer);
        }
        thread::sleep(LOOK);
    }
}
