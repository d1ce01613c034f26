//! Log and tape of a run: new files, never written over.

use crate::cli::dash;
use crate::outfile;
use anyhow::Result;
use firelane_gateway::shell::live::Sheet;
use firelane_gateway::shell::log::FileHeader;
use firelane_gateway::shell::sync::Counter;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is written to, or none.
pub(super) struct Kept {
    file: Option<(PathBuf, File)>,
    bytes: Counter,
}

impl Kept {
    /// A new file, which is none of `others`. What is there and is no regular file (a pipe, a device) is taken as it is.
    pub(super) fn at(path: Option<&Path>, others: &[&Path]) -> Result<Self> {
        let Some(path) = path else { return Ok(Kept { file: None, bytes: Counter::default() }) };
        let file = outfile::stream(path, others, false, "a log or tape is never written over; give another name")?;
        Ok(Kept { file: Some((path.to_owned(), file)), bytes: Counter::default() })
    }

    /// For the lane.
    pub(super) fn sheet(&self, header: &FileHeader) -> Option<Sheet> {
        let (_, file) = self.file.as_ref()?;
        let file = Counted { file: file.try_clone().ok()?, bytes: self.bytes.clone() };
        Some(Sheet { file: Box::new(file), header: header.clone() })
    }

    /// Nothing came of the run: neither of the file.
    pub(super) fn discard(&self) {
        if let Some((path, file)) = &self.file
            && !dash(path)
            && file.metadata().is_ok_and(|file| file.is_file())
        {
            // Left with a header and no record otherwise, which harms nobody.
            let _gone = fs::remove_file(path);
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// What it is called where something happens to it.
    pub(super) fn name(&self) -> String {
        self.path().map_or(String::new(), |path| path.display().to_string())
    }

    /// Bytes written.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.value()
    }
}

struct Counted {
    file: File,
    bytes: Counter,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes.add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_exists_is_left_alone_and_one_for_nothing_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        let kept = Kept::at(Some(&path), &[]).unwrap();
        let mut sheet = kept.sheet(&FileHeader::new("w", "", Vec::new(), Default::default())).unwrap();
        sheet.file.write_all(b"four").unwrap();
        assert_eq!((kept.bytes(), fs::read(&path).unwrap()), (4, b"four".to_vec()));
        let again = Kept::at(Some(&path), &[]).err().unwrap().to_string();
        assert!(again.contains("exists already; a log or tape is never written over"), "{again}");
        kept.discard();
        assert!(!path.exists());
        assert!(Kept::at(Some(Path::new("/dev/null")), &[]).unwrap().path().is_some());
        assert!(
            Kept::at(None, &[]).unwrap().sheet(&FileHeader::new("w", "", Vec::new(), Default::default())).is_none()
        );
        let nowhere = format!("{:#}", Kept::at(Some(&folder.path().join("no/log")), &[]).err().unwrap());
        assert!(nowhere.contains("no/log"), "{nowhere}");
    }
}
