//! The control socket: a Unix stream socket on which a running process is asked and told. One line of text in, one line
//! of JSON out.
//!
//! It is served by a thread of its own, beside the lane. Whoever may open the socket's file may control the process:
//! the file is its owner's alone. Everything a client can take is bounded: its line, its time, and how many there are.

pub(crate) mod at_venue;
mod client;
mod fleet;
mod gateway;
mod tape;
mod venue;
mod words;

pub(crate) use at_venue::AtVenue;
pub(crate) use client::{Target, answer, ask, connect, to_lane};
pub(crate) use fleet::Fleet;
#[cfg(test)]
pub(crate) use gateway::Log;
pub(crate) use gateway::{Followed, Gateway, GatewayStatus, LeaseStatus, Market, TapeReader};
pub(crate) use tape::{Tapes, lapped};
#[cfg(test)]
pub(crate) use venue::PortState;
pub(crate) use venue::{VenueState, venue};
pub(crate) use words::SAID;

use anyhow::{Context, Result, bail};
use firelane_gateway::shell::sync::Stop;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest line that is taken.
const LONGEST: usize = 1024;
/// Clients at a time; more are told so and closed.
const CLIENTS: usize = 16;
/// How long a client may take for a line.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks, with and without clients.
const PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(20)];

/// What is answered to one line.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// Was it done?
    pub(crate) ok: bool,
    /// What was done, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) said: Option<String>,
    /// Why it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Of a command that the lane answers: ask `answer TICKET` what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<u64>,
    /// What became of it: `pending`, `taken`, `expired`, `unknown` or `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
    /// Of `status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
}

/// How a process is doing.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub(crate) enum Status {
    /// `firelane run`.
    Gateway(Box<GatewayStatus>),
    /// `firelane venue`.
    Venue(Box<VenueState>),
}

impl Reply {
    pub(crate) fn done(said: impl Into<String>) -> Self {
        Reply { ok: true, said: Some(said.into()), ..Reply::default() }
    }

    pub(crate) fn status(status: Status) -> Self {
        Reply { ok: true, status: Some(status), ..Reply::default() }
    }

    pub(crate) fn error(error: impl Into<String>) -> Self {
        Reply { error: Some(error.into()), ..Reply::default() }
    }

    /// To a line that is none of `known`.
    pub(crate) fn unknown(line: &str, known: &[&str]) -> Self {
        Reply::error(format!("{line:?} is no command; there are: {}", known.join(", ")))
    }

    fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// A socket that is bound, and served by nobody yet: clients wait.
pub(crate) struct Bound {
    listener: UnixListener,
    file: OwnFile,
}

/// The socket's file. It goes away with whoever made it, unless another has taken its place.
struct OwnFile {
    path: PathBuf,
    id: (u64, u64),
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == self.id) {
            // Whoever starts next replaces one that is left.
            let _gone = fs::remove_file(&self.path);
        }
    }
}

/// Why a socket could not be bound at `path`, as far as it can be told without binding it.
pub(crate) fn cannot_bind(path: &Path) -> Option<String> {
    if SocketAddr::from_pathname(path).is_err() {
        return Some(format!("{} bytes are too long a path for a socket", path.as_os_str().len()));
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Some(format!("there is no folder {}", folder.display()));
    }
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => Some("there is a file that is no socket".to_owned()),
        Ok(_) if UnixStream::connect(path).is_ok() => Some("a process listens there already".to_owned()),
        _ => None,
    }
}

/// Binds the socket at `path`, for its owner alone. One that a process left behind is replaced; one that is in use, and
/// a file that is no socket, is not.
pub(crate) fn bind(path: &Path) -> Result<Bound> {
    let at = || format!("control.socket = {:?}", path.display());
    // Binding elsewhere and moving would get round the system's limit, and nobody could connect.
    SocketAddr::from_pathname(path).with_context(at)?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(at),
        Ok(file) if !file.file_type().is_socket() => bail!("{}: there is a file that is no socket", at()),
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Ok(_) => bail!("{}: a process listens there already (firelane status {})", at(), path.display()),
            Err(error) => return Err(error).context("is it in use?").with_context(at),
        },
    }
    // Bound in a folder that nobody else may enter, and moved to its place only once its rights are set.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = parent.join(format!(".{}", std::process::id()));
    // A process of this number may have been killed just here.
    let _old = fs::remove_file(folder.join("s")).and_then(|()| fs::remove_dir(&folder));
    DirBuilder::new().mode(0o700).create(&folder).with_context(at)?;
    let made = bind_in(&folder, path);
    let _gone = fs::remove_dir(&folder);
    made.with_context(at)
}

fn bind_in(folder: &Path, path: &Path) -> Result<Bound> {
    let first = folder.join("s");
    let listener = UnixListener::bind(&first)?;
    let made = (|| {
        fs::set_permissions(&first, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let file = fs::symlink_metadata(&first)?;
        fs::rename(&first, path)?;
        Ok((file.dev(), file.ino()))
    })();
    match made {
        Ok(id) => Ok(Bound { listener, file: OwnFile { path: path.to_owned(), id } }),
        Err(error) => {
            let _gone = fs::remove_file(&first);
            Err(error)
        }
    }
}

impl Bound {
    /// Serves it on a thread of its own; `answer` is asked one line after the other.
    pub(crate) fn serve(self, answer: impl FnMut(&str) -> Reply + Send + 'static) -> Result<Served> {
        self.serve_with(answer, None)
    }

    /// The same; whoever asks for the tape gets it, on a thread of its own.
    pub(crate) fn serve_with(
        self,
        answer: impl FnMut(&str) -> Reply + Send + 'static,
        tapes: Option<Tapes>,
    ) -> Result<Served> {
        let Bound { listener, file } = self;
        let stop = Stop::new();
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || serve(&listener, answer, tapes, &stopped))
            .context("no thread for the control socket")?;
        Ok(Served { stop, thread: Some(thread), _file: file })
    }
}

/// A socket that is served, until it is dropped.
pub(crate) struct Served {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
    _file: OwnFile,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// One who is being served.
struct Client {
    stream: UnixStream,
    line: Vec<u8>,
    since: Instant,
}

fn serve(listener: &UnixListener, mut answer: impl FnMut(&str) -> Reply, mut tapes: Option<Tapes>, stop: &Stop) {
    let mut clients: Vec<Client> = Vec::new();
    while !stop.is_stopped() {
        while let Ok((stream, _)) = listener.accept() {
            let mut client = Client { stream, line: Vec::new(), since: Instant::now() };
            if client.stream.set_nonblocking(true).is_err() {
                continue;
            }
            if clients.len() == CLIENTS {
                client.tell(&Reply::error(format!("{CLIENTS} clients are served already: try again")));
                continue;
            }
            clients.push(client);
        }
        clients.retain_mut(|client| client.serve(&mut answer, &mut tapes));
        thread::sleep(PAUSES[usize::from(clients.is_empty())]);
    }
}

impl Client {
    /// Whatever has come. False: it is gone, or to be sent away.
    fn serve(&mut self, answer: &mut impl FnMut(&str) -> Reply, tapes: &mut Option<Tapes>) -> bool {
        let mut bytes = [0; LONGEST];
        match self.stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(length) => self.line.extend(&bytes[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => return false,
        }
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            let line = std::mem::replace(&mut self.line, rest);
            self.since = Instant::now();
            if line.len() > LONGEST {
                self.line = line;
                break;
            }
            let reply = match std::str::from_utf8(&line) {
                Ok(text) if tape::is_asked_for(text) => match tape::take(tapes.as_mut(), text.trim(), &self.stream) {
                    Ok(()) => return false,
                    Err(reply) => reply,
                },
                Ok(text) => answer(text.trim()),
                Err(_) => Reply::error("that is no text"),
            };
            if !self.tell(&reply) {
                return false;
            }
        }
        if self.line.len() > LONGEST {
            self.tell(&Reply::error(format!("a line holds at most {LONGEST} bytes")));
            return false;
        }
        if self.since.elapsed() > PATIENCE {
            self.tell(&Reply::error(format!("no line within {} s", PATIENCE.as_secs())));
            return false;
        }
        true
    }

    /// False: it does not read what it asked for.
    fn tell(&mut self, reply: &Reply) -> bool {
        self.stream.write_all(&reply.line()).is_ok()
    }
}

#[cfg(test)]
mod tests;
