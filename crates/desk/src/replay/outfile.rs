//! Files that `replay` writes: never over its input, over another only when told to, and never half.

use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that is being written. Until it is finished it has a temporary name; what is not finished leaves nothing.
pub(super) struct OutFile {
    to: Box<dyn Write>,
    /// Its temporary name, and the one that it gets.
    names: Option<(PathBuf, PathBuf)>,
}

impl OutFile {
    /// `-` is standard output. What is no regular file (a pipe, a device) is written to as it is.
    pub(super) fn create(path: &Path, input: &Path, force: bool) -> Result<OutFile> {
        if path == Path::new("-") {
            return Ok(OutFile { to: Box::new(io::stdout()), names: None });
        }
        let named = || path.display().to_string();
        let name = path.file_name().with_context(|| format!("{}: names no file", path.display()))?;
        match fs::metadata(path) {
            Ok(there) if there.is_dir() => bail!("{}: is a directory; name a file in it", path.display()),
            Ok(there) if same(&there, input) => {
                bail!("{}: is the file that is read; name another one for what is written", path.display())
            }
            Ok(there) if !there.is_file() => {
                let to = OpenOptions::new().write(true).open(path).with_context(named)?;
                return Ok(OutFile { to: Box::new(to), names: None });
            }
            Ok(_) if !force => bail!("{}: exists; --force writes it over", path.display()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(named),
            _ => {}
        }
        // Behind a link stands the file that is meant.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut temporary = name.to_owned();
        temporary.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(temporary);
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary).with_context(named)?;
        Ok(OutFile { to: Box::new(file), names: Some((temporary, path)) })
    }

    /// All is written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.to.flush()?;
        if let Some((temporary, path)) = self.names.take() {
            fs::rename(&temporary, path).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        }
        Ok(())
    }
}

/// By device and number, whatever the names are.
fn same(there: &fs::Metadata, input: &Path) -> bool {
    let input =
        if input == Path::new("-") { File::open("/dev/stdin").and_then(|f| f.metadata()) } else { fs::metadata(input) };
    input.is_ok_and(|input| (input.dev(), input.ino()) == (there.dev(), there.ino()) && there.is_file())
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
        if let Some((temporary, _)) = &self.names {
            let _ = fs::remove_file(temporary);
        }
    }
}
