//! Where the shared test data is.

use std::path::{Path, PathBuf};

/// A file or folder of the shared data, which stands beside the repository or where `FIRELANE_DATA` says.
///
/// `None` where it is absent, as on a user's machine: the test says that it [skips](crate::skip), and returns.
#[track_caller]
pub(crate) fn shared(rel: &str) -> Option<PathBuf> {
    let base = std::env::var_os("FIRELANE_DATA").map_or_else(|| repository().join("../shared"), PathBuf::from);
    let path = base.join("data").join(rel);
    if path.exists() {
        return Some(path);
    }
    crate::skip::skip(&format!("no {}", path.display()));
    None
}

/// The root of the repository, whichever package's tests these are.
fn repository() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("Cargo.lock").exists()).unwrap_or(package)
}
