//! What one node fired in one step.

use super::block::Block;
use crate::spikes::device::{Fault, Spike};

/// Which units fired, and with what value. Its memory is as large as its node.
#[derive(Clone, Debug)]
pub(super) struct Train {
    units: Vec<u32>,
    values: Vec<i32>,
    len: usize,
    /// Where in the list a unit stands, and one more; 0: nowhere. Of inputs alone, where a unit can be named twice.
    place: Vec<u32>,
    /// The largest value, in size.
    most: i32,
    /// Units were named twice: values may have cancelled out.
    doubled: bool,
}

impl Train {
    /// Of a node of `n` units, no value of which is over `most`, in size.
    pub(super) fn of(n: usize, most: i32) -> Self {
        Train { units: vec![0; n], values: vec![0; n], len: 0, place: vec![0; n], most, doubled: false }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// In rising order, of a population.
    pub(super) fn units(&self) -> &[u32] {
        self.units.get(..self.len).unwrap_or_default()
    }

    pub(super) fn values(&self) -> &[i32] {
        self.values.get(..self.len).unwrap_or_default()
    }

    /// Nobody fired.
    pub(super) fn clear(&mut self) {
        for &unit in self.units.get(..self.len).unwrap_or_default() {
            if let Some(place) = self.place.get_mut(unit as usize) {
                *place = 0;
            }
        }
        (self.len, self.doubled) = (0, false);
    }

    /// Takes an event.
    pub(super) fn add(&mut self, event: &Spike) -> Result<(), Fault> {
        let unit = usize::from(event.unit);
        let node = usize::from(event.node);
        let place = self.place.get_mut(unit).ok_or(Fault::Nowhere { node, unit })?;
        let before = if *place == 0 { None } else { self.values.get_mut(*place as usize - 1) };
        let old = before.as_deref().map_or(0, |&value| i64::from(value));
        let value = old + i64::from(event.value);
        if value.unsigned_abs() > u64::from(self.most.unsigned_abs()) {
            return Err(Fault::Value { node, unit, value, most: self.most });
        }
        if let Some(before) = before {
            *before = value as i32;
            self.doubled = true;
        } else if let (true, Some(to), Some(worth)) =
            (event.value != 0, self.units.get_mut(self.len), self.values.get_mut(self.len))
        {
            (*to, *worth) = (unit as u32, event.value);
            self.len += 1;
            *place = self.len as u32;
        }
        Ok(())
    }

    /// All have come: units whose values have cancelled out did not fire.
    pub(super) fn settle(&mut self) {
        if !self.doubled {
            return;
        }
        let mut kept = 0;
        for at in 0..self.len {
            let (unit, value) = (self.units[at], self.values[at]);
            self.place[unit as usize] = 0;
            if value != 0 {
                (self.units[kept], self.values[kept]) = (unit, value);
                kept += 1;
                self.place[unit as usize] = kept as u32;
            }
        }
        self.len = kept;
    }

    /// Those whose bits are set, in place of what there was.
    pub(super) fn collect(&mut self, up: &[u64], down: &[u64]) {
        let mut room = self.units.iter_mut().zip(&mut self.values);
        let mut len = 0;
        for (at, (&up, &down)) in up.iter().zip(down).enumerate() {
            let mut all = up | down;
            while all != 0 {
                let bit = all.trailing_zeros();
                all &= all - 1;
                let Some((unit, value)) = room.next() else { break };
                *unit = (at * Block::<u8>::UNITS) as u32 + bit;
                *value = if (down >> bit) & 1 == 1 { -1 } else { 1 };
                len += 1;
            }
        }
        self.len = len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(unit: u16, value: i32) -> Spike {
        Spike { node: 3, unit, value }
    }

    fn fired(train: &Train) -> Vec<(u32, i32)> {
        train.units().iter().copied().zip(train.values().iter().copied()).collect()
    }

    #[test]
    fn values_of_one_unit_are_added_and_may_cancel_out() {
        let mut train = Train::of(4, 100);
        for (unit, value) in [(2, 60), (0, 0), (1, 5), (2, 40), (1, -5), (3, -100)] {
            train.add(&event(unit, value)).unwrap();
        }
        train.settle();
        assert_eq!(fired(&train), [(2, 100), (3, -100)]);
        // What cancelled out can fire again, and what is cleared is forgotten.
        train.add(&event(1, 7)).unwrap();
        assert_eq!(fired(&train), [(2, 100), (3, -100), (1, 7)]);
        train.clear();
        train.add(&event(2, 1)).unwrap();
        train.settle();
        assert_eq!(fired(&train), [(2, 1)]);
    }

    #[test]
    fn a_value_over_its_most_is_named_and_so_is_a_unit_that_is_not_there() {
        let mut train = Train::of(4, 100);
        train.add(&event(2, 60)).unwrap();
        let sum = train.add(&event(2, 41)).unwrap_err();
        assert_eq!(
            sum.to_string(),
            "an event of unit 2 of input 3 has the value 101; it may have 100 at most, in size"
        );
        assert!(train.add(&event(0, i32::MIN)).is_err() && train.add(&event(0, -100)).is_ok());
        assert_eq!(train.add(&event(4, 1)).unwrap_err().to_string(), "there is no unit 4 of node 3");
    }

    #[test]
    fn bits_become_units_in_rising_order() {
        let mut train = Train::of(130, 1);
        train.collect(&[1 | 1 << 63, 0, 2], &[2, 0, 0]);
        assert_eq!(fired(&train), [(0, 1), (1, -1), (63, 1), (129, 1)]);
    }
}
