//! The devices that there are, by their names on the command line.

use anyhow::{Result, bail};
use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::twin::{Path, Software};

/// The device of this name.
pub(crate) fn open(uri: &str) -> Result<Box<dyn Device>> {
    if uri == "cpu" {
        return Ok(Box::new(Software::best()));
    }
    if let Some(adapter) = uri.strip_prefix("gpu") {
        match adapter.strip_prefix('/') {
            None if adapter.is_empty() => return gpu(None),
            Some(name) => return gpu(Some(name)),
            None => {}
        }
    }
    let path = uri.strip_prefix("cpu/").and_then(|name| Path::ALL.into_iter().find(|path| path.name() == name));
    let Some(path) = path else {
        bail!("there is no device {uri:?}; there are {}", all().join(", "));
    };
    match Software::on(path) {
        Some(device) => Ok(Box::new(device)),
        None => bail!("there is nothing for {} here; there are {}", path.name(), all().join(", ")),
    }
}

#[cfg(feature = "gpu")]
fn gpu(adapter: Option<&str>) -> Result<Box<dyn Device>> {
    Ok(Box::new(firelane_shaders::Gpu::open(adapter)?))
}

#[cfg(not(feature = "gpu"))]
fn gpu(_: Option<&str>) -> Result<Box<dyn Device>> {
    bail!("this program was built without GPUs; build it with `cargo build --release --features gpu`")
}

/// What can be opened here.
fn all() -> Vec<String> {
    let paths = Path::ALL.into_iter().filter(|path| Software::on(*path).is_some());
    let gpus = cfg!(feature = "gpu").then(|| "gpu, gpu/NAME (an adapter's name or number)".to_owned());
    std::iter::once("cpu".to_owned()).chain(paths.map(|path| format!("cpu/{}", path.name()))).chain(gpus).collect()
}
