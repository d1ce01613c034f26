//! Where test data that is not in the repository lies: `$FIRELANE_DATA/data`, else `../shared/data`.

use std::path::{Path, PathBuf};

/// The path of a shared data file. Where there is none, says that the caller's test skips, and fails in CI.
pub(crate) fn shared(rel: &str) -> Option<PathBuf> {
    let base = std::env::var_os("FIRELANE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = base.join("data").join(rel);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing, and CI must have it", path.display());
    eprintln!("skipped: {} is not here", path.display());
    None
}
