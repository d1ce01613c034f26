//! The other end of a control socket: `firelane status`, `firelane kill`.

use super::Reply;
use crate::cli::dash;
use crate::settings::{self, Role, Set};
use anyhow::{Context, Result, bail};
use firelane_sim::server::VenueConfig;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// No answer is longer.
const LONGEST: u64 = 1 << 20;

/// Who is to be asked.
#[derive(Debug)]
pub(crate) struct Target {
    /// The socket.
    pub(crate) socket: PathBuf,
}

impl Target {
    /// `path` is a socket, or a configuration that names one.
    pub(crate) fn of(path: &Path, sets: &[Set]) -> Result<Self> {
        let name = path.display();
        match fs::metadata(path) {
            Ok(file) if file.file_type().is_socket() => return Ok(Target { socket: path.to_owned() }),
            Ok(_) => {}
            Err(_) if dash(path) => {}
            // A gateway that has ended takes its socket with it.
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "{name} does not exist. Give the configuration of a running `firelane run` or `firelane venue`, or its \
                 control.socket, which is there while it runs."
            ),
            Err(error) => return Err(error).context(name.to_string()),
        }
        let text = settings::text(path, sets)?;
        let role = Role::of(text.as_str());
        let control = match role {
            Role::Gateway => crate::wirings::fleet(text.as_str())
                .map(|fleet| fleet.lanes.into_iter().next().and_then(|config| config.live.control)),
            Role::Venue => VenueConfig::parse(text.as_str()).map(|venue| venue.control),
        };
        let control = control.map_err(|_| settings::refused(&text, role));
        match control.with_context(|| format!("{name} is neither a socket nor a sound configuration"))? {
            Some(socket) => Ok(Target { socket }),
            None => bail!(
                "{name} names no control socket: set socket in its [control] table, as in socket = \
                 \"/run/user/1000/firelane.sock\", and start the process again."
            ),
        }
    }
}

/// A line for one of several lanes, or as it is.
pub(crate) fn to_lane(lane: Option<&str>, line: &str) -> String {
    lane.map_or_else(|| line.to_owned(), |lane| format!("lane {lane} {line}"))
}

/// A connection that has been asked one line, and is waited for as long as is usual.
pub(crate) fn connect(target: &Target, line: &str) -> Result<UnixStream> {
    let path = target.socket.display();
    let mut stream = match UnixStream::connect(&target.socket) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            bail!("nobody listens at {path}: the process that it belongs to does not run (any more)")
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("{path} belongs to another user: only who started the process may ask it")
        }
        Err(error) => return Err(error).with_context(|| path.to_string()),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{line}\n").as_bytes()).with_context(|| path.to_string())?;
    Ok(stream)
}

/// Asks one line.
pub(crate) fn ask(target: &Target, line: &str) -> Result<Reply> {
    let stream = connect(target, line)?;
    answer(target, &mut BufReader::new(stream.take(LONGEST)))
}

/// The answer to what was asked.
pub(crate) fn answer(target: &Target, from: &mut impl BufRead) -> Result<Reply> {
    let path = target.socket.display();
    let mut answer = String::new();
    match from.read_line(&mut answer) {
        Ok(0) => bail!("{path} closed without an answer: its process is just ending"),
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => bail!(
            "{path} did not answer within {} s: its process is there, but stopped (kill -CONT lets it go on) or stuck",
            PATIENCE.as_secs()
        ),
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
            bail!("{path} closed without an answer: its process has just ended")
        }
        Err(error) => return Err(error).with_context(|| path.to_string()),
    }
    serde_json::from_str(&answer).with_context(|| format!("{path} answers in another way than this firelane knows"))
}
