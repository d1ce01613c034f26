//! Which adapters are there, and which one is meant.

use pollster::block_on;
use std::fmt;
use thiserror::Error;

/// What an adapter is made of; the first are chosen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A card of its own.
    Discrete,
    /// A part of the processor.
    Integrated,
    /// A share of one, lent to a virtual machine.
    Virtual,
    /// It does not say.
    Other,
    /// The processor itself, in the place of a GPU: right, and slow.
    Software,
}

impl Sort {
    fn of(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::DiscreteGpu => Sort::Discrete,
            wgpu::DeviceType::IntegratedGpu => Sort::Integrated,
            wgpu::DeviceType::VirtualGpu => Sort::Virtual,
            wgpu::DeviceType::Cpu => Sort::Software,
            wgpu::DeviceType::Other => Sort::Other,
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sort::Discrete => "discrete GPU",
            Sort::Integrated => "integrated GPU",
            Sort::Virtual => "virtual GPU",
            Sort::Other => "adapter",
            Sort::Software => "software, on the processor",
        })
    }
}

/// An adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Its place among all of them, from 0 on.
    pub index: usize,
    /// What it calls itself.
    pub name: String,
    /// What it is made of.
    pub sort: Sort,
    /// What drives it.
    pub driver: String,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Adapter { index, name, sort, driver } = self;
        write!(f, "{index}: {name} ({sort}; {driver})")
    }
}

/// Why there is no adapter to solve on.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unavailable {
    /// There is none at all.
    #[error(
        "no Vulkan adapter was found: install the GPU's driver (or, on Debian, mesa-vulkan-drivers: a GPU in software), \
         or solve on the CPU"
    )]
    Nothing,
    /// There is none of this name.
    #[error("no adapter is called {wanted:?}; there are: {}", listed(.found))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What is there.
        found: Vec<Adapter>,
    },
    /// There is more than one.
    #[error("{wanted:?} could be more than one adapter: name its number; there are: {}", listed(.found))]
    Several {
        /// What was asked for.
        wanted: String,
        /// What could be meant.
        found: Vec<Adapter>,
    },
    /// It is there, and does not serve.
    #[error("{name} can't be opened: {why}; name another adapter, or solve on the CPU")]
    Refused {
        /// The adapter.
        name: String,
        /// What it said.
        why: String,
    },
}

fn listed(found: &[Adapter]) -> String {
    found.iter().map(Adapter::to_string).collect::<Vec<_>>().join("; ")
}

fn described((index, adapter): (usize, &wgpu::Adapter)) -> Adapter {
    let info = adapter.get_info();
    let driver = format!("{} {}", info.driver, info.driver_info);
    Adapter { index, name: info.name, sort: Sort::of(info.device_type), driver: driver.trim().to_owned() }
}

/// The adapters of Vulkan, and what they are.
pub(crate) fn all() -> Vec<(Adapter, wgpu::Adapter)> {
    let mut asked = wgpu::InstanceDescriptor::new_without_display_handle();
    asked.backends = wgpu::Backends::VULKAN;
    // No layers that check: what they would find, wgpu refuses itself.
    asked.flags = wgpu::InstanceFlags::empty();
    let found = block_on(wgpu::Instance::new(asked).enumerate_adapters(wgpu::Backends::VULKAN));
    found.into_iter().enumerate().map(|(index, adapter)| (described((index, &adapter)), adapter)).collect()
}

/// The adapters that there are, in the order of their numbers.
#[must_use]
pub fn adapters() -> Vec<Adapter> {
    all().into_iter().map(|(adapter, _)| adapter).collect()
}

/// Which of these is meant by a number, a name or a part of a name, whatever its case; without any, the best.
///
/// # Errors
/// [`Unavailable`].
pub fn choose(found: &[Adapter], wanted: Option<&str>) -> Result<usize, Unavailable> {
    let Some(wanted) = wanted else {
        return found.iter().min_by_key(|adapter| adapter.sort).map(|best| best.index).ok_or(Unavailable::Nothing);
    };
    if found.is_empty() {
        return Err(Unavailable::Nothing);
    }
    let of_number = |adapter: &&Adapter| wanted.parse() == Ok(adapter.index);
    let small = wanted.to_lowercase();
    let of_name = |adapter: &&Adapter| adapter.name.to_lowercase() == small;
    let of_part = |adapter: &&Adapter| !small.is_empty() && adapter.name.to_lowercase().contains(&small);
    let [numbered, named, alike]: [Vec<Adapter>; 3] = [
        found.iter().filter(of_number).cloned().collect(),
        found.iter().filter(of_name).cloned().collect(),
        found.iter().filter(of_part).cloned().collect(),
    ];
    let meant = [numbered, named, alike].into_iter().find(|some| !some.is_empty()).unwrap_or_default();
    match meant.as_slice() {
        [] => Err(Unavailable::Unknown { wanted: wanted.to_owned(), found: found.to_vec() }),
        [one] => Ok(one.index),
        _ => Err(Unavailable::Several { wanted: wanted.to_owned(), found: meant }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(index: usize, name: &str, sort: Sort) -> Adapter {
        Adapter { index, name: name.into(), sort, driver: "driver 1.0".into() }
    }

    fn four() -> Vec<Adapter> {
        vec![
            adapter(0, "llvmpipe (LLVM 15.0.6, 256 bits)", Sort::Software),
            adapter(1, "Maker H200", Sort::Discrete),
            adapter(2, "Maker H200 NVL", Sort::Discrete),
            adapter(3, "Graphics 770", Sort::Integrated),
        ]
    }

    #[test]
    fn a_card_is_chosen_before_the_processor() {
        assert_eq!(choose(&four(), None), Ok(1));
        assert_eq!(choose(&four()[..1], None), Ok(0), "and software, where nothing else is");
        assert_eq!(choose(&[], None), Err(Unavailable::Nothing));
        assert_eq!(choose(&[], Some("h200")), Err(Unavailable::Nothing));
    }

    #[test]
    fn an_adapter_is_meant_by_number_name_or_a_part_of_it() {
        for (wanted, index) in [("2", 2), ("maker h200", 1), ("NVL", 2), ("LLVM", 0), ("770", 3)] {
            assert_eq!(choose(&four(), Some(wanted)), Ok(index), "{wanted}");
        }
    }

    #[test]
    fn what_is_not_there_or_could_be_two_is_said_with_what_is_there() {
        for wanted in ["4", "radeon", ""] {
            let refused = choose(&four(), Some(wanted)).unwrap_err();
            assert_eq!(refused, Unavailable::Unknown { wanted: wanted.into(), found: four() });
            assert!(refused.to_string().contains("3: Graphics 770 (integrated GPU; driver 1.0)"), "{refused}");
        }
        let both = Unavailable::Several { wanted: "maker".into(), found: four()[1..3].to_vec() };
        assert_eq!(choose(&four(), Some("maker")), Err(both));
    }
}
