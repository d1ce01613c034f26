//! Where the shared data lie: real captures and files, too large or not ours to commit.

use std::path::{Path, PathBuf};

/// The file `data/<rel>` under `FIRELANE_DATA`, else under `shared` beside the repository. Where it is absent: `None`
/// after a line that says so, so that a test can return; a failure in CI.
pub(crate) fn shared(rel: &str) -> Option<PathBuf> {
    let base = std::env::var_os("FIRELANE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = base.join("data").join(rel);
    if path.exists() {
        return Some(path);
    }
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(!ci, "{} is absent", path.display());
    println!("skipped: {} is absent", path.display());
    None
}
