//! The state of the twin between two steps: saved, restored and digested as the lane's parts are.

use super::Software;
use super::block::{get, ones, set};
use super::late::Late;
use super::loaded::{Layer, Loaded, Weights};
use super::train::Train;
use crate::spikes::device::Counters;
use crate::spikes::program::STATE;
use firelane_gateway::base::{LoadError, Reader, Save, State};

fn number(from: &mut Reader<'_>) -> Result<i32, LoadError> {
    Ok(from.value::<u32>()?.cast_signed())
}

/// What is loaded into a device must be of the program that it has: sizes are checked, names and weights are not.
impl State for Software {
    fn save(&self, into: &mut dyn Save) {
        into.u8(u8::from(self.loaded.is_some()));
        if let Some(loaded) = &self.loaded {
            loaded.save(into);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.pending = false;
        match (from.value::<bool>()?, &mut self.loaded) {
            (true, Some(loaded)) => loaded.load(from),
            (false, None) => Ok(()),
            (there, _) => {
                Err(LoadError::Capacity { of: "Software.program", built: u64::from(!there), saved: there.into() })
            }
        }
    }
}

impl State for Loaded {
    fn save(&self, into: &mut dyn Save) {
        // The layers have their overflows.
        let Counters { steps, events, spikes, synaptic_operations, overflows: _, lost, cycles } = self.counted;
        for count in [steps, events, spikes, synaptic_operations, lost, cycles] {
            into.u64(count);
        }
        // Of this step and of the one before, whichever of the two is which.
        for (node, trains) in self.trains.iter().enumerate() {
            for which in [self.now, 1 - self.now] {
                match &self.small {
                    Some(small) => save_bits(small.fired[node][which], into),
                    None => trains[which].save(into),
                }
            }
        }
        self.layers.iter().for_each(|layer| layer.save(into));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut next = || from.value::<u64>();
        self.counted = Counters {
            steps: next()?,
            events: next()?,
            spikes: next()?,
            synaptic_operations: next()?,
            overflows: 0,
            lost: next()?,
            cycles: next()?,
        };
        self.now = 0;
        self.trains.iter_mut().flatten().try_for_each(|train| train.load(from))?;
        if let Some(small) = &mut self.small {
            for (fired, train) in small.fired.as_flattened_mut().iter_mut().zip(self.trains.as_flattened()) {
                *fired = train.units().iter().fold(0, |bits, &unit| bits | 1 << unit);
            }
        }
        self.layers.iter_mut().try_for_each(|layer| layer.load(from))
    }
}

impl State for Layer {
    fn save(&self, into: &mut dyn Save) {
        into.count(self.n);
        into.u64(self.overflows);
        for unit in 0..self.n {
            into.u32(get(&self.u, unit).unwrap_or_default().cast_unsigned());
            into.u32(get(&self.v, unit).unwrap_or_default().cast_unsigned());
            into.u8(get(&self.still, unit).unwrap_or_default());
        }
        self.late().for_each(|late| late.save(into));
        for wires in &self.wires {
            if let Weights::Plastic(plastic) = &wires.kind {
                into.count(plastic.values());
                plastic.saved().for_each(|value| into.u32(value));
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        LoadError::unless_equal(self.n, from.value()?).map_err(|error| error.within("Layer.n"))?;
        self.overflows = from.value()?;
        for unit in 0..self.n {
            let (u, v, still) = (number(from)?, number(from)?, from.value::<u8>()?);
            // Lava lets a current of more than three times 2^23 stay outside.
            let fits = self.rule.wraps || (1 - STATE..STATE).contains(&u);
            if !fits || !(1 - STATE..STATE).contains(&v) || still > self.rule.refractory {
                return Err(LoadError::OutOfRange("Layer.units"));
            }
            set(&mut self.u, unit, u);
            set(&mut self.v, unit, v);
            set(&mut self.still, unit, still);
        }
        self.late_mut().try_for_each(|late| late.load(from))?;
        for wires in &mut self.wires {
            if let Weights::Plastic(plastic) = &mut wires.kind {
                LoadError::unless_equal(plastic.values(), from.value()?)
                    .map_err(|error| error.within("Plastic.values"))?;
                if !plastic.restore(|| from.value::<u32>())? {
                    return Err(LoadError::OutOfRange("Plastic.values"));
                }
            }
        }
        Ok(())
    }
}

impl Layer {
    fn late(&self) -> impl Iterator<Item = &Late> {
        self.wires.iter().filter_map(|wires| if let Weights::Late(late) = &wires.kind { Some(late) } else { None })
    }

    fn late_mut(&mut self) -> impl Iterator<Item = &mut Late> {
        self.wires
            .iter_mut()
            .filter_map(|wires| if let Weights::Late(late) = &mut wires.kind { Some(late) } else { None })
    }
}

/// As a [`Train`] of the same units.
fn save_bits(fired: u64, into: &mut dyn Save) {
    into.count(fired.count_ones() as usize);
    for unit in ones(fired) {
        into.u32(unit);
        into.u32(1);
    }
}

impl State for Train {
    fn save(&self, into: &mut dyn Save) {
        into.count(self.len());
        for (&unit, &value) in self.units().iter().zip(self.values()) {
            into.u32(unit);
            into.u32(value.cast_unsigned());
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.clear();
        let fired: u64 = from.value()?;
        for _ in 0..fired {
            let (unit, value) = (from.value()?, number(from)?);
            if !self.restore(unit, value) {
                return Err(LoadError::OutOfRange("Train.units"));
            }
        }
        Ok(())
    }
}

impl State for Late {
    fn save(&self, into: &mut dyn Save) {
        into.count(self.waiting().count());
        self.waiting().for_each(|sum| into.u32(sum.cast_unsigned()));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.restart();
        LoadError::unless_equal(self.waiting().count(), from.value()?).map_err(|error| error.within("Late.ring"))?;
        self.waiting_mut().try_for_each(|sum| {
            *sum = number(from)?;
            Ok(())
        })
    }
}
