//! Files that commands write: never over what they read, over another only when told to, and never half unless it is a
//! stream of a process that lives (a log, a tape).

use crate::cli::{self, dash};
use crate::output;
use anyhow::{Context, Result, bail};
use firelane_gateway::shell::signals;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a file that is to be written finds at its place.
enum Place {
    /// Nothing: it is made.
    Free,
    /// Another file, which may be written over.
    Taken,
    /// A pipe or a device, which is written to as it is.
    Special,
}

/// Standard input and output are one thing each. `reads` and `writes` are what a command was given; beside what it writes to
/// standard output there is no JSON object. What does not go together is a wrong argument.
pub(crate) fn check_dashes(reads: &[Option<&Path>], writes: &[Option<&Path>], json: bool) {
    let dashes = |paths: &[Option<&Path>]| paths.iter().filter(|path| path.is_some_and(dash)).count();
    if dashes(reads) > 1 {
        cli::wrong("standard input (-) is one file: name the other");
    }
    if dashes(writes) + usize::from(json) > 1 && dashes(writes) > 0 {
        cli::wrong("standard output (-) takes one thing: one file, or --json");
    }
}

/// Standard output as a file, unless that is one of `others`: whoever wrote to it would destroy, or read, it all again.
fn standard_output(others: &[&Path]) -> Result<File> {
    let file = output::taken().context("standard output")?;
    let there = file.metadata().context("standard output")?;
    if there.is_file() && others.iter().any(|other| same(&there, other)) {
        bail!("standard output is a file that is read or written by this command already; name another");
    }
    Ok(file)
}

/// `others`: what the command reads, and what else it writes.
fn place(path: &Path, others: &[&Path], force: bool, remedy: &str) -> Result<Place> {
    let there = match fs::metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::Free),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    if there.is_dir() {
        bail!("{}: is a directory; name a file in it", path.display());
    }
    if !there.is_file() {
        return Ok(Place::Special);
    }
    if others.iter().any(|other| same(&there, other)) {
        bail!("{}: is a file that is read or written by this command already; name another", path.display());
    }
    if !force {
        bail!("{}: exists already; {remedy}", path.display());
    }
    Ok(Place::Taken)
}

/// By device and number, whatever the names are.
fn same(there: &fs::Metadata, other: &Path) -> bool {
    let other = if dash(other) { Path::new("/dev/stdin") } else { other };
    fs::metadata(other).is_ok_and(|other| (other.dev(), other.ino()) == (there.dev(), there.ino()))
}

/// Are both there, and one file?
pub(crate) fn are_one(path: &Path, other: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| there.is_file() && same(&there, other))
}

/// A file that is written as things happen, by its own name from the start. See [`place`] for `others`; `remedy`: what to do
/// about a file that exists. `-` is standard output.
pub(crate) fn stream(path: &Path, others: &[&Path], force: bool, remedy: &str) -> Result<File> {
    if dash(path) {
        return standard_output(others);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    match place(path, others, force, remedy)? {
        Place::Free => drop(options.create_new(true)),
        Place::Taken => drop(options.truncate(true)),
        Place::Special => {}
    }
    options.open(path).with_context(|| path.display().to_string())
}

/// A file that is being written. Until it is finished it has a temporary name; what is not finished leaves nothing, not even
/// when a signal ends the process.
pub(crate) struct OutFile {
    to: Box<dyn Write>,
    names: Option<Names>,
}

#[derive(Clone, PartialEq, Eq)]
struct Names {
    temporary: PathBuf,
    path: PathBuf,
}

/// Files that are not finished.
static UNFINISHED: Mutex<Vec<Names>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<Names>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Before a signal ends the process. Nothing is begun or finished any more.
fn discard_all() {
    let names = unfinished();
    for Names { temporary, .. } in names.iter() {
        let _gone = fs::remove_file(temporary);
    }
    // Whoever would finish one waits for the end.
    std::mem::forget(names);
}

impl OutFile {
    /// `-` is standard output. See [`place`] for `others`.
    pub(crate) fn create(path: &Path, others: &[&Path], force: bool) -> Result<OutFile> {
        if dash(path) {
            return Ok(OutFile { to: Box::new(Table(standard_output(others)?)), names: None });
        }
        let named = || path.display().to_string();
        let name = path.file_name().with_context(|| format!("{}: names no file", path.display()))?;
        if let Place::Special = place(path, others, force, "--force writes it over")? {
            let to = OpenOptions::new().write(true).open(path).with_context(named)?;
            return Ok(OutFile { to: Box::new(to), names: None });
        }
        // Behind a link stands the file that is meant.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut temporary = name.to_owned();
        temporary.push(format!(".{}.part", std::process::id()));
        let names = Names { temporary: path.with_file_name(temporary), path };
        signals::before_an_end(discard_all)?;
        let mut all = unfinished();
        if all.iter().any(|other| other.path == names.path) {
            bail!("{}: is a file that is read or written by this command already; name another", named());
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&names.temporary).with_context(named)?;
        all.push(names.clone());
        Ok(OutFile { to: Box::new(file), names: Some(names) })
    }

    /// All is written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.to.flush()?;
        let Some(names) = self.names.take() else { return Ok(()) };
        let mut all = unfinished();
        all.retain(|other| *other != names);
        fs::rename(&names.temporary, names.path).inspect_err(|_| drop(fs::remove_file(&names.temporary)))
    }
}

/// All of a file that was created at `path`, if one was.
pub(crate) fn finish(to: Option<OutFile>, path: Option<&Path>, bytes: &[u8]) -> Result<()> {
    let (Some(mut to), Some(path)) = (to, path) else { return Ok(()) };
    let written = to.write_all(bytes).and_then(|()| to.finish());
    written.with_context(|| format!("writing {}", path.display()))
}

/// Standard output for lines of which a reader may have seen enough: a pipe that it has closed takes the rest.
struct Table(File);

impl Write for Table {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                output::text_written(&Err(error));
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(names) = &self.names {
            unfinished().retain(|other| other != names);
            let _gone = fs::remove_file(&names.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T>(outcome: Result<T>) -> String {
        outcome.err().map_or_else(String::new, |error| format!("{error:#}"))
    }

    #[test]
    fn what_is_read_is_never_written_over_by_whatever_name_and_another_when_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["read", "other"] {
            fs::write(at(name), "kept").unwrap();
        }
        fs::hard_link(at("read"), at("linked")).unwrap();
        std::os::unix::fs::symlink(at("read"), at("pointed")).unwrap();
        let read = at("read");
        for name in ["read", "linked", "pointed"] {
            for force in [false, true] {
                let stream = said(stream(&at(name), &[&read], force, "remedy"));
                let whole = said(OutFile::create(&at(name), &[&read], force));
                assert!([stream, whole].iter().all(|text| text.contains("by this command already")), "{name}");
            }
        }
        assert!(said(stream(&at("other"), &[&read], false, "remedy")).ends_with("exists already; remedy"));
        assert!(said(OutFile::create(&at("other"), &[&read], false)).contains("--force"));
        assert_eq!(fs::read_to_string(at("other")).unwrap(), "kept");
        let mut out = OutFile::create(&at("other"), &[&read], true).unwrap();
        assert!(said(OutFile::create(&at("other"), &[&read], true)).contains("by this command already"));
        out.write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(at("other")).unwrap(), "kept", "until it is finished");
        out.finish().unwrap();
        assert_eq!(fs::read_to_string(at("other")).unwrap(), "new");
        stream(&at("other"), &[&read], true, "remedy").unwrap().write_all(b"n").unwrap();
        assert_eq!(fs::read_to_string(at("other")).unwrap(), "n", "nothing of the old one is left");
        drop(OutFile::create(&at("dropped"), &[], false).unwrap());
        assert!(said(stream(folder.path(), &[], true, "")).contains("is a directory"));
        stream(Path::new("/dev/null"), &[Path::new("/dev/null")], false, "").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "nothing else is left");
        assert_eq!(fs::read_to_string(&read).unwrap(), "kept");
    }
}
