//! How wide texts are.

use std::io::{self, IsTerminal};

/// Columns of the terminal, at least 60 and at most 120; 80 where there is none and `COLUMNS` says nothing.
pub(crate) fn width() -> usize {
    let terminal = io::stdout().is_terminal().then(terminal_columns).flatten();
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(named).map_or(80, |columns: usize| columns.clamp(60, 120))
}

fn terminal_columns() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size()?;
    Some(usize::from(width.0))
}
