//! Names the build: the version, the commit, and whether the sources are others than the commit's. Without git, or outside a
//! checkout of this repository (sources from an archive), it is the version alone.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program is made from, seen from the repository's root.
const SOURCES: [&str; 7] =
    ["src", "sim/src", "crates/desk/src", "crates/desk/build.rs", "Cargo.toml", "Cargo.lock", ".cargo"];

fn main() {
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = own.join("../..");
    // What is not there is not named: Cargo would run this again every time.
    let watch = |path: &Path| {
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    };
    SOURCES.iter().for_each(|source| watch(&root.join(source)));
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    // A repository around it may be anybody's.
    let commit = root.join(".git").exists().then(|| commit(&root, watch)).flatten();
    println!("cargo::rustc-env=FIRELANE_BUILD={version}{}", commit.unwrap_or_default());
}

/// The commit in brackets. `None`: git is not there, or there is no commit.
fn commit(root: &Path, watch: impl Fn(&Path)) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // Where the branch's name, its commit and all commits made here are kept, in a linked worktree too.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for file in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        watch(&root.join(git(&["rev-parse", "--git-path", file])?));
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    // Index and stat times are left as they are.
    let changed =
        git(&[&["--no-optional-locks", "status", "--porcelain", "--untracked-files=no", "--"][..], &SOURCES].concat())?;
    Some(if changed.is_empty() { format!(" ({commit})") } else { format!(" ({commit}, dirty)") })
}
