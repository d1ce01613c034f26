//! What a spike means, for whoever thinks in orders: the encoder's addresses, read backwards.

use crate::watch::Units;
use firelane_gateway::base::Side;
use firelane_kernels::detector::Settings;
use firelane_kernels::detector::encoder::{Feature, What};
use firelane_kernels::detector::file::Coding;
use firelane_kernels::spikes::Spike;

/// What a unit's spike says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// An event of an order.
    Order {
        /// Which.
        what: What,
        /// Its side; to buy, where sides are not told apart.
        side: Side,
        /// Its level, from the best on.
        level: u16,
        /// Its bucket of sizes, from the smallest on.
        size: u16,
    },
    /// A value moved.
    Moved {
        /// Which.
        of: Feature,
        /// It rose.
        up: bool,
    },
}

/// What each unit of a detector's inputs says.
#[derive(Clone, Debug)]
pub struct Meanings {
    units: Units,
    of: Vec<Option<Meaning>>,
}

impl Meanings {
    /// Of a detector's encoder. Units of rates say nothing here.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let units = Units::of(settings);
        let mut of = vec![None; units.count()];
        let mut set = |spike: Spike, meaning| {
            if let Some(place) = units.unit(&spike).and_then(|unit| of.get_mut(unit)) {
                *place = Some(meaning);
            }
        };
        if let Some(address) = settings.address() {
            let sides: &[Side] = if address.sides { &[Side::Buy, Side::Sell] } else { &[Side::Buy] };
            let mut unit = 0;
            for &what in &address.kinds {
                for &side in sides {
                    for level in 0..=address.levels {
                        for size in 0..=address.sizes.len() as u16 {
                            set(Spike::of(address.input, unit), Meaning::Order { what, side, level, size });
                            unit += 1;
                        }
                    }
                }
            }
        }
        for channel in settings.channels().iter().filter(|channel| matches!(channel.coding, Coding::Delta { .. })) {
            set(Spike::of(channel.input, channel.unit), Meaning::Moved { of: channel.of, up: true });
            set(Spike::of(channel.input, channel.unit + 1), Meaning::Moved { of: channel.of, up: false });
        }
        Meanings { units, of }
    }

    /// What a spike says; `None`: nothing.
    #[must_use]
    pub fn of(&self, spike: &Spike) -> Option<Meaning> {
        self.units.unit(spike).and_then(|unit| *self.of.get(unit)?)
    }
}
