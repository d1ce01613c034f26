//! What goes to standard output and standard error. Nobody who watches may hurt what trades: a *notice* that cannot be
//! written (a full disk under a log of the console, a pipe that is closed) is dropped and counted. A *result* that cannot be
//! written, the report or JSON object that a command was called for, makes its exit code 1.
//!
//! The printing macros of the standard library panic when they cannot write, and a panic ends the process with its orders
//! alive; lints ban them here.

use anyhow::Result;
use serde::Serialize;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Notices that could not be written.
static NOTICES_LOST: AtomicU64 = AtomicU64::new(0);
/// A result could not be written.
static RESULT_LOST: AtomicBool = AtomicBool::new(false);
/// Standard output is a pipe that nobody reads any more.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Standard output is a file that the command writes (`--log -`): what is said goes to standard error.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// One line of a result, to standard output.
macro_rules! say {
    () => { $crate::output::line(format_args!("")) };
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}

/// A notice on standard error.
macro_rules! complain {
    ($($text:tt)*) => { $crate::output::complain(format_args!($($text)*)) };
}

/// See [`say!`]. A reader that has seen enough closes the pipe (`firelane demo | head`): that is no error.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    text_written(&writeln!(to(), "{text}"));
}

/// Where text for people goes.
fn to() -> Box<dyn Write> {
    if TAKEN.load(Ordering::Relaxed) { Box::new(io::stderr().lock()) } else { Box::new(io::stdout().lock()) }
}

/// Standard output as a file that the command writes, and nothing else from now on.
pub(crate) fn taken() -> io::Result<File> {
    let file = io::stdout().as_fd().try_clone_to_owned()?;
    TAKEN.store(true, Ordering::Relaxed);
    Ok(file.into())
}

/// Text in one piece, as it is. See [`line()`].
pub(crate) fn text(bytes: &[u8]) {
    let mut out = to();
    text_written(&out.write_all(bytes).and_then(|()| out.flush()));
}

/// What became of text for people on its way to standard output.
pub(crate) fn text_written(written: &io::Result<()>) {
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => CLOSED.store(true, Ordering::Relaxed),
        Err(error) => result_lost(error),
    }
}

/// A result for programs, on one line of standard output. Half of it is of no use: a closed pipe is an error here.
pub(crate) fn json(result: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(result)?;
    if let Err(error) = writeln!(io::stdout().lock(), "{text}") {
        result_lost(&error);
    }
    Ok(())
}

fn result_lost(error: &io::Error) {
    if !RESULT_LOST.swap(true, Ordering::Relaxed) {
        let error = crate::without_number(&error.to_string());
        let name = if TAKEN.load(Ordering::Relaxed) { "error" } else { "output" };
        complain(format_args!("firelane: the result could not be written to standard {name}: {error}"));
    }
}

/// Does nobody take any more of the result? Then there is no sense in going on with it.
pub(crate) fn is_over() -> bool {
    CLOSED.load(Ordering::Relaxed) || RESULT_LOST.load(Ordering::Relaxed)
}

/// A notice on standard output.
pub(crate) fn notice(text: fmt::Arguments<'_>) {
    count(&writeln!(to(), "{text}"));
}

/// See [`complain!`].
pub(crate) fn complain(text: fmt::Arguments<'_>) {
    count(&writeln!(io::stderr().lock(), "{text}"));
}

fn count(written: &io::Result<()>) {
    NOTICES_LOST.fetch_add(written.is_err().into(), Ordering::Relaxed);
}

/// Notices that could not be written so far.
pub(crate) fn notices_lost() -> u64 {
    NOTICES_LOST.load(Ordering::Relaxed)
}

/// The exit code, which is 1 for a result that nobody could read.
pub(crate) fn code(code: ExitCode) -> ExitCode {
    if RESULT_LOST.load(Ordering::Relaxed) { ExitCode::from(1) } else { code }
}
