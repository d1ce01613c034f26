//! The program `firelane`: see the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    firelane_desk::main(firelane_desk::ALL)
}
