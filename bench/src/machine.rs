//! On what the numbers were measured.

use crate::raw::stamp;
use serde::Serialize;
use std::time::{Duration, Instant};

/// The machine, as far as it tells.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Machine {
    /// What the processor calls itself.
    pub processor: String,
    /// What it is, by [`core_name`].
    pub core: String,
    /// Family and model.
    pub family_model: (u32, u32),
    /// Second-level cache of a core, in kB.
    pub l2_kb: Option<u32>,
    /// Cores that this process may use.
    pub cores: usize,
    /// One-minute load average: what else ran.
    pub load: Option<f64>,
    /// Nanoseconds a tick of [`stamp`].
    pub ns_per_tick: f64,
    /// What two stamps after one another differ by, in nanoseconds: part of every latency below. The median.
    pub stamp_ns: f64,
    /// And the least.
    pub stamp_least_ns: f64,
}

/// What `/proc/cpuinfo` and the processor say of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Said {
    vendor: String,
    name: String,
    family: u32,
    model: u32,
    /// Matrix tiles, which came with Sapphire Rapids.
    amx: bool,
    /// AVX10, which came with Granite Rapids.
    avx10: bool,
}

impl Said {
    /// From the text of `/proc/cpuinfo`.
    #[must_use]
    pub fn of(cpuinfo: &str) -> Said {
        let of = |key: &str| {
            let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|k| k.trim() == key));
            line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
        };
        // On aarch64, implementer and part in their places, hexadecimal.
        let hex = |key: &str| u32::from_str_radix(of(key).trim_start_matches("0x"), 16).unwrap_or(0);
        let number = |key: &str, other: &str| of(key).parse().unwrap_or_else(|_| hex(other));
        Said {
            vendor: of("vendor_id").to_owned(),
            name: of("model name").to_owned(),
            family: number("cpu family", "CPU implementer"),
            model: number("model", "CPU part"),
            amx: of("flags").split(' ').any(|flag| flag == "amx_tile"),
            avx10: false,
        }
    }
}

/// What a server's core is called, by vendor, family and model. Hypervisors may give a wrong model: where it has what
/// such a core has not, the features are believed, and the name says so.
#[must_use]
pub fn core_name(said: &Said) -> String {
    let &Said { family, model, amx, avx10, .. } = said;
    let (name, has_amx) = match (said.vendor.as_str(), family, model) {
        ("GenuineIntel", 6, 63) => ("Haswell server", false),
        ("GenuineIntel", 6, 79) => ("Broadwell server", false),
        ("GenuineIntel", 6, 85) => ("Skylake, Cascade Lake or Cooper Lake server", false),
        ("GenuineIntel", 6, 106 | 108) => ("Ice Lake server", false),
        ("GenuineIntel", 6, 143) => ("Sapphire Rapids", true),
        ("GenuineIntel", 6, 151 | 154) => ("Alder Lake", false),
        ("GenuineIntel", 6, 167) => ("Rocket Lake", false),
        ("GenuineIntel", 6, 173 | 174) => ("Granite Rapids", true),
        ("GenuineIntel", 6, 175) => ("Sierra Forest", false),
        ("GenuineIntel", 6, 183 | 186) => ("Raptor Lake", false),
        ("GenuineIntel", 6, 207) => ("Emerald Rapids", true),
        ("AuthenticAMD", 23, 49) => ("Zen 2 server (Rome)", false),
        ("AuthenticAMD", 25, 1) => ("Zen 3 server (Milan)", false),
        ("AuthenticAMD", 25, 17) => ("Zen 4 server (Genoa)", false),
        ("AuthenticAMD", 26, 2) => ("Zen 5 server (Turin)", false),
        ("", 0x41, 0xD0C) => ("Neoverse N1", false),
        ("", 0x41, 0xD40) => ("Neoverse V1", false),
        ("", 0x41, 0xD49) => ("Neoverse N2", false),
        ("", 0x41, 0xD4F) => ("Neoverse V2", false),
        _ => return format!("family {family} model {model}, not in the lab's table"),
    };
    match amx && !has_amx {
        true if avx10 => format!("Granite Rapids or later by its features, {name} by its model"),
        true => format!("Sapphire or Emerald Rapids by its features, {name} by its model"),
        false => name.to_owned(),
    }
}

/// What the processor itself says besides.
#[cfg(target_arch = "x86_64")]
fn has_avx10() -> bool {
    // Intel's manual, CPUID: leaf 7, subleaf 1, EDX bit 19. Subleaf 0 says in EAX how many there are.
    raw_cpuid::cpuid!(0).eax >= 7 && raw_cpuid::cpuid!(7, 0).eax >= 1 && raw_cpuid::cpuid!(7, 1).edx & (1 << 19) != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx10() -> bool {
    false
}

impl Machine {
    /// Asks the machine, and times its counter for 50 ms.
    #[must_use]
    pub fn ask() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let said = Said { avx10: has_avx10(), ..Said::of(&read("/proc/cpuinfo")) };
        let ns_per_tick = ns_per_tick();
        let mut pairs: Vec<u64> = (0..10_000)
            .map(|_| {
                let first = stamp();
                stamp() - first
            })
            .collect();
        pairs.sort_unstable();
        let l2 = read("/sys/devices/system/cpu/cpu0/cache/index2/size");
        Machine {
            processor: if said.name.is_empty() { std::env::consts::ARCH.to_owned() } else { said.name.clone() },
            core: core_name(&said),
            family_model: (said.family, said.model),
            l2_kb: l2.trim().trim_end_matches('K').parse().ok(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load: read("/proc/loadavg").split(' ').next().and_then(|n| n.parse().ok()),
            ns_per_tick,
            stamp_ns: pairs[pairs.len() / 2] as f64 * ns_per_tick,
            stamp_least_ns: pairs[0] as f64 * ns_per_tick,
        }
    }
}

fn ns_per_tick() -> f64 {
    let (time, first) = (Instant::now(), stamp());
    while time.elapsed() < Duration::from_millis(50) {
        std::hint::spin_loop();
    }
    let (ns, ticks) = (time.elapsed().as_nanos(), stamp() - first);
    ns as f64 / ticks as f64
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Machine { core, family_model: (family, model), l2_kb, cores, load, stamp_ns, .. } = self;
        writeln!(f, "{core}")?;
        write!(f, "family {family} model {model}, ")?;
        if let Some(kb) = l2_kb {
            write!(f, "L2 {kb} kB a core, ")?;
        }
        write!(f, "{cores} cores, ")?;
        if let Some(load) = load {
            write!(f, "load {load}, ")?;
        }
        write!(f, "two stamps {stamp_ns:.0} ns")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpuinfo(vendor: &str, family: u32, model: u32, flags: &str) -> String {
        format!(
            "processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n\
             model name\t: Some Processor\nflags\t\t: fpu {flags} sse2\nprocessor\t: 1\nmodel\t\t: 1\n"
        )
    }

    fn named(vendor: &str, family: u32, model: u32, flags: &str) -> String {
        core_name(&Said::of(&cpuinfo(vendor, family, model, flags)))
    }

    #[test]
    fn a_core_has_the_name_of_its_model() {
        assert_eq!(named("GenuineIntel", 6, 207, "amx_tile"), "Emerald Rapids");
        assert_eq!(named("GenuineIntel", 6, 106, ""), "Ice Lake server");
        assert_eq!(named("GenuineIntel", 6, 143, "amx_tile"), "Sapphire Rapids");
        assert_eq!(named("AuthenticAMD", 25, 17, ""), "Zen 4 server (Genoa)");
        assert_eq!(named("AuthenticAMD", 6, 207, ""), "family 6 model 207, not in the lab's table");
        assert_eq!(named("GenuineIntel", 6, 1, ""), "family 6 model 1, not in the lab's table");
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n";
        assert_eq!(core_name(&Said::of(arm)), "Neoverse V2");
    }

    #[test]
    fn features_that_a_model_has_not_are_believed_and_said() {
        let masked = Said::of(&cpuinfo("GenuineIntel", 6, 167, "amx_tile"));
        assert_eq!(core_name(&masked), "Sapphire or Emerald Rapids by its features, Rocket Lake by its model");
        let masked = Said { avx10: true, ..masked };
        assert_eq!(core_name(&masked), "Granite Rapids or later by its features, Rocket Lake by its model");
        assert_eq!(core_name(&Said { amx: false, ..masked }), "Rocket Lake");
    }

    #[test]
    fn the_machine_tells_of_itself_in_lines_that_fit() {
        let machine = Machine::ask();
        assert!(machine.cores > 0 && machine.stamp_ns >= machine.stamp_least_ns && machine.stamp_least_ns > 0.0);
        assert!(machine.ns_per_tick > 0.01 && machine.ns_per_tick < 100.0);
        assert!(machine.to_string().lines().all(|line| line.len() <= 80), "{machine}");
    }
}
