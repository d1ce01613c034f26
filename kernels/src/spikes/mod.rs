//! Spiking networks: what they are, what runs them, and what proves that it runs them exactly.
//!
//! ```text
//! Network ── Program::check ──> Program ── Device::load ──> Device ── step(events in, spikes out)
//! (names, numbers)   │          (proved)                      │
//!                    └─ Refused: the node, and the limit      └─ Software (the twin: scalar, AVX2, AVX-512, NEON), or hardware
//! ```
//!
//! The arithmetic is that of Lava 0.10's fixed-point models (`select_tag="fixed_pt"` of its `LIF`, `LIFReset`, `TernaryLIF`,
//! `Dense` and `DelayDense`), bit for bit; Lava is <https://github.com/lava-nc/lava>. That is no statement about Loihi itself.
//!
//! 1. [`network`]: a network as somebody writes it down. 2. [`program`]: the same, checked. 3. [`device`]: what runs it.
//!    4. [`twin`]: the software twin. 5. [`golden`]: networks with inputs and traces, as files. 6. [`conformance`]: the suite.
//!    7. [`nir`]: networks that were trained elsewhere. 8. [`learning`]: weights that change as it runs.
//!
//! ```
//! use firelane_kernels::spikes::{Device, Network, Population, Program, Rules, Software, Spike};
//!
//! let mut network = Network::new("two inputs, one neuron");
//! let input = network.input("in", 2);
//! let cell = network.population(Population { du: 4095, dv: 4095, vth: 150, ..Population::lif("cell", 1) });
//! network.connect(input, cell, vec![vec![100, 60]]);
//! let program = Program::check(&network, &Rules::default())?;
//!
//! let mut device = Software::best();
//! device.load(&program)?;
//! let mut out = [Spike::default(); 1];
//! // One input alone does not reach the threshold of 150; both together do, in the same step: the schedule is `cascade`.
//! assert_eq!(device.step(&[Spike::of(0, 0)], &mut out)?.spikes, 0);
//! assert_eq!(device.step(&[Spike::of(0, 0), Spike::of(0, 1)], &mut out)?.spikes, 1);
//! assert_eq!(out[0], Spike { node: 0, unit: 0, value: 1 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod conformance;
pub mod device;
pub mod encode;
pub mod golden;
pub mod learning;
pub mod network;
pub mod nir;
pub mod program;
pub mod random;
pub mod twin;

pub use device::{Capabilities, Counters, Device, Fault, Spike, Step, Variable};
pub use learning::{Learning, Reward};
pub use network::{Connection, Each, Kind, Network, Population, Reset, SignMode, Source};
pub use program::{Overflow, Program, Refused, Rules, Schedule};
pub use twin::{Path, Software};
