//! The program that was built, and what it says.

use serde_json::Value;
use std::process::Command;

/// `firelane` with the words of a command, before what each run adds.
pub(crate) struct Built(pub(crate) &'static [&'static str]);

impl Built {
    /// Exit code, standard output and standard error.
    pub(crate) fn said(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
        let output = command.env_remove("COLUMNS").args(self.0).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// With `--json`, where nothing is to complain of.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let (code, text, error) = self.said(&[arguments, &["--json"]].concat());
        assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
        serde_json::from_str(&text).unwrap()
    }
}

/// A terminal of eighty columns takes it, and no line ends with blanks.
pub(crate) fn fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80 && line == line.trim_end(), "{line}");
    }
}
