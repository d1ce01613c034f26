//! The devices that there are, by their names on the command line.

use anyhow::{Result, bail};
use firelane_kernels::spikes::{Device, Path, Software};

/// The device of this name.
pub(super) fn open(uri: &str) -> Result<Box<dyn Device>> {
    let Some((kind, path)) = uri.split_once('/').or((uri == "software").then_some((uri, ""))) else {
        bail!("there is no device {uri:?}; there are {}", all().join(", "));
    };
    if kind != "software" {
        bail!("there is no device {uri:?}; there are {}", all().join(", "));
    }
    if path.is_empty() {
        return Ok(Box::new(Software::best()));
    }
    let Some(path) = Path::ALL.into_iter().find(|known| known.name() == path) else {
        bail!("there is no device {uri:?}; there are {}", all().join(", "));
    };
    match Software::on(path) {
        Some(device) => Ok(Box::new(device)),
        None => bail!("this processor has no {}; there are {}", path.name(), all().join(", ")),
    }
}

/// What can be opened here.
pub(super) fn all() -> Vec<String> {
    let paths = Software::paths().map(|path| format!("software/{}", path.name()));
    std::iter::once("software".to_owned()).chain(paths).collect()
}
