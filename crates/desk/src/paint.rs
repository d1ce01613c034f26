//! Colour for what matters, by the usual rules: `--color`, then `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb`, then whether
//! a person looks.

use clap::ValueEnum;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;

/// `--color`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, ValueEnum)]
pub(crate) enum Color {
    // Where a terminal is and nothing asks for none. (No help of their own: it would make every help a long one.)
    #[default]
    Auto,
    Always,
    Never,
}

static ON: OnceLock<bool> = OnceLock::new();

/// Decides, once.
pub(crate) fn choose(color: Color) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let on = decide(color, &variable, io::stdout().is_terminal());
    // Whoever asks first decides: that is here.
    let _known = ON.set(on);
}

fn decide(color: Color, variable: &dyn Fn(&str) -> Option<String>, terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if variable("NO_COLOR").is_some() => false,
        Color::Auto if variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        Color::Auto => terminal && variable("TERM").is_none_or(|term| term != "dumb"),
    }
}

fn painted(code: &str, text: &str) -> String {
    if ON.get().copied().unwrap_or(false) { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// What is as it should be, where that is news.
pub(crate) fn good(text: &str) -> String {
    painted("32", text)
}

/// What is wrong.
pub(crate) fn bad(text: &str) -> String {
    painted("1;31", text)
}

/// What is to be looked at.
pub(crate) fn amber(text: &str) -> String {
    painted("33", text)
}

/// What a line is about.
pub(crate) fn strong(text: &str) -> String {
    painted("1", text)
}

/// Columns that a text takes: those of its colours are none.
pub(crate) fn columns(text: &str) -> usize {
    let mut columns = 0;
    let mut in_code = false;
    for c in text.chars() {
        match c {
            '\x1b' => in_code = true,
            'm' if in_code => in_code = false,
            _ if in_code => {}
            _ => columns += 1,
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_usual_rules() {
        let on = |color, set: &[(&str, &str)], terminal| {
            let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            decide(color, &variable, terminal)
        };
        assert!(on(Color::Auto, &[], true) && !on(Color::Auto, &[], false));
        assert!(!on(Color::Auto, &[("NO_COLOR", "1")], true) && on(Color::Always, &[("NO_COLOR", "1")], false));
        assert!(!on(Color::Auto, &[("TERM", "dumb")], true) && on(Color::Auto, &[("CLICOLOR_FORCE", "1")], false));
        assert!(!on(Color::Never, &[("CLICOLOR_FORCE", "1")], true));
        assert_eq!((columns("\x1b[1;31mred\x1b[0m!"), columns("plain")), (4, 5));
    }
}
