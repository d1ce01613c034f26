//! The program as it is typed where it runs now, so that what is suggested can be typed as it stands.

/// Its name once it is installed, `cargo run --release --` from a checkout, else the path that was typed.
pub(crate) fn me() -> String {
    let by_cargo = std::env::var_os("CARGO").is_some() && std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    name(by_cargo, cfg!(debug_assertions), &std::env::args().next().unwrap_or_default())
}

fn name(by_cargo: bool, debug: bool, typed: &str) -> String {
    match (by_cargo, debug) {
        (true, false) => "cargo run --release --".to_owned(),
        (true, true) => "cargo run --".to_owned(),
        _ if typed.is_empty() => "firelane".to_owned(),
        _ if typed.contains(char::is_whitespace) => format!("{typed:?}"),
        _ => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_command_is_suggested_as_it_can_be_typed() {
        assert_eq!(name(true, false, "target/release/firelane"), "cargo run --release --");
        assert_eq!(name(true, true, "target/debug/firelane"), "cargo run --");
        assert_eq!(name(false, false, "firelane"), "firelane");
        assert_eq!(name(false, false, ""), "firelane");
        assert_eq!(name(false, false, "own"), "own");
        assert_eq!(name(false, false, "target/release/firelane"), "target/release/firelane");
        assert_eq!(name(false, false, "./my own/firelane"), "\"./my own/firelane\"");
    }
}
