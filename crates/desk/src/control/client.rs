//! The other end of a control socket: `firelane status`, `firelane kill`.

use super::Reply;
use anyhow::{Context, Result, bail};
use firelane_gateway::shell::config::Config;
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
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let name = path.display();
        match fs::metadata(path) {
            Ok(file) if file.file_type().is_socket() => return Ok(Target { socket: path.to_owned() }),
            Ok(_) => {}
            // A gateway that has ended takes its socket with it.
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "{name} does not exist. Give the configuration of a running `firelane run` or `firelane venue`, or its \
                 control.socket, which is there while it runs."
            ),
            Err(error) => return Err(error).context(name.to_string()),
        }
        let text = fs::read_to_string(path).with_context(|| name.to_string())?;
        let control = match (Config::parse(&text), VenueConfig::parse(&text)) {
            (Ok(config), _) => config.live.control,
            (Err(_), Ok(venue)) => venue.control,
            (Err(error), Err(_)) => {
                return Err(error).with_context(|| format!("{name} is neither a socket nor a configuration"));
            }
        };
        match control {
            Some(socket) => Ok(Target { socket }),
            None => bail!(
                "{name} names no control socket: set socket in its [control] table, as in socket = \
                 \"/run/user/1000/firelane.sock\", and start the process again."
            ),
        }
    }
}

/// Asks one line.
pub(crate) fn ask(target: &Target, line: &str) -> Result<Reply> {
    let path = target.socket.display();
    let mut stream = match UnixStream::connect(&target.socket) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            bail!("nobody listens at {path}: the process that it belongs to does not run (any more)")
        }
        Err(error) => return Err(error).with_context(|| path.to_string()),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{line}\n").as_bytes()).with_context(|| path.to_string())?;
    let mut answer = String::new();
    BufReader::new(stream.take(LONGEST))
        .read_line(&mut answer)
        .with_context(|| format!("{path} did not answer within {} s", PATIENCE.as_secs()))?;
    serde_json::from_str(&answer).with_context(|| format!("{path} answers in another way than this firelane knows"))
}
