//! What goes to standard output. A reader that has seen enough closes the pipe (`firelane demo | head`): that is no
//! error, and certainly no reason to stop a gateway in the middle of its work.

use std::fmt;
use std::io::{self, ErrorKind, Write};

/// One line to standard output.
macro_rules! say {
    () => { $crate::output::line(format_args!("")) };
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}

/// See [`say!`].
pub(crate) fn line(text: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout().lock(), "{text}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("firelane: standard output: {error}");
    }
}
