//! What one node fired in one step.

use super::block::{Block, blocks};
use super::kernels::Kernels;
use crate::spikes::device::{Fault, Spike};

/// Which units fired, and with what value. Its memory is as large as its node.
#[derive(Clone, Debug)]
pub(super) struct Train {
    units: Vec<u32>,
    values: Vec<i32>,
    len: usize,
    /// Where in the list a unit stands, and one more; 0: nowhere. Of inputs whose values matter alone: there a unit can be named
    /// twice.
    place: Vec<u32>,
    /// Who was named, of inputs whose values do not matter; who fired, up or down, of populations.
    masks: Vec<u64>,
    /// Units of the node.
    n: usize,
    /// The largest value, in size.
    most: i32,
    /// Units were named twice: values may have cancelled out.
    doubled: bool,
}

impl Train {
    /// Of a node of `n` units, no value of which is over `most`, in size; `i32::MAX`: they do not matter.
    pub(super) fn of(n: usize, most: i32) -> Self {
        Train {
            // A vector is written whole, behind the last unit, too.
            units: vec![0; blocks(n) * Block::<u8>::UNITS + Kernels::BEHIND],
            values: vec![1; n],
            len: 0,
            place: if most == i32::MAX { Vec::new() } else { vec![0; n] },
            masks: vec![0; blocks(n)],
            n,
            most,
            doubled: false,
        }
    }

    /// Of a population of `n` neurons, which may fire negative spikes.
    pub(super) fn of_population(n: usize, signed: bool) -> Self {
        if signed { Train { place: Vec::new(), ..Self::of(n, 1) } } else { Self::of(n, i32::MAX) }
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
        self.masks.fill(0);
        if self.place.is_empty() {
            self.len = 0;
            return;
        }
        for &unit in self.units.get(..self.len).unwrap_or_default() {
            if let Some(place) = self.place.get_mut(unit as usize) {
                *place = 0;
            }
        }
        (self.len, self.doubled) = (0, false);
    }

    /// Takes an event.
    #[inline]
    pub(super) fn add(&mut self, event: &Spike) -> Result<(), Fault> {
        let unit = usize::from(event.unit);
        let nowhere = Fault::Nowhere { node: usize::from(event.node), unit };
        if self.place.is_empty() {
            let mask = self.masks.get_mut(unit / Block::<u8>::UNITS).filter(|_| unit < self.n).ok_or(nowhere)?;
            *mask |= u64::from(event.value != 0) << (unit % Block::<u8>::UNITS);
            return Ok(());
        }
        let place = self.place.get_mut(unit).ok_or(nowhere)?;
        if *place != 0 || event.value.unsigned_abs() > self.most.unsigned_abs() {
            return self.add_again(event);
        }
        if event.value != 0
            && let (Some(to), Some(value)) = (self.units.get_mut(self.len), self.values.get_mut(self.len))
        {
            (*to, *value) = (unit as u32, event.value);
            self.len += 1;
            *place = self.len as u32;
        }
        Ok(())
    }

    /// Of a unit that has fired in this step, or with a value that may be too large.
    #[cold]
    fn add_again(&mut self, event: &Spike) -> Result<(), Fault> {
        let (node, unit) = (usize::from(event.node), usize::from(event.unit));
        let place = self.place.get(unit).map_or(0, |&place| place as usize);
        let before = place.checked_sub(1).and_then(|at| self.values.get_mut(at));
        let value = before.as_deref().map_or(0, |&value| i64::from(value)) + i64::from(event.value);
        if value.unsigned_abs() > u64::from(self.most.unsigned_abs()) {
            return Err(Fault::Value { node, unit, value, most: self.most });
        }
        if let Some(before) = before {
            *before = value as i32;
            self.doubled = true;
        }
        Ok(())
    }

    /// All have come: units whose values have cancelled out did not fire.
    pub(super) fn settle(&mut self, kernels: Kernels) {
        if self.place.is_empty() {
            self.len = kernels.units(&self.masks, &mut self.units);
        }
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

    /// One more that fired, as it was saved: behind those before it, or anywhere in an input whose values matter. False: it can't be.
    pub(super) fn restore(&mut self, unit: u32, value: i32) -> bool {
        let rises = self.units().last().is_none_or(|&last| last < unit);
        let named = self.place.get(unit as usize).is_some_and(|&place| place != 0);
        let fits = match (self.place.is_empty(), self.most) {
            (true, i32::MAX) => rises && value == 1,
            (true, _) => rises && value.unsigned_abs() == 1,
            (false, most) => value != 0 && value.unsigned_abs() <= most.unsigned_abs(),
        };
        if unit as usize >= self.n || named || !fits {
            return false;
        }
        if let (Some(to), Some(worth)) = (self.units.get_mut(self.len), self.values.get_mut(self.len)) {
            (*to, *worth) = (unit, value);
            self.len += 1;
        }
        if let Some(place) = self.place.get_mut(unit as usize) {
            *place = self.len as u32;
        }
        true
    }

    /// Those whose bits are set, in place of what there was. `down` is empty where no spike is negative.
    pub(super) fn collect(&mut self, kernels: Kernels, up: &[u64], down: &[u64]) {
        if down.is_empty() {
            // All values are 1, and have been so since this train was made.
            self.len = kernels.units(up, &mut self.units);
            return;
        }
        for ((mask, up), down) in self.masks.iter_mut().zip(up).zip(down) {
            *mask = up | down;
        }
        self.len = kernels.units(&self.masks, &mut self.units);
        for (&unit, value) in self.units.iter().zip(&mut self.values).take(self.len) {
            let word = down.get(unit as usize / Block::<u8>::UNITS).copied().unwrap_or_default();
            *value = if (word >> (unit % 64)) & 1 == 1 { -1 } else { 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spikes::Software;

    fn kernels() -> Kernels {
        Kernels::on(crate::spikes::Path::Scalar).unwrap()
    }

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
        train.settle(kernels());
        assert_eq!(fired(&train), [(2, 100), (3, -100)]);
        // What cancelled out can fire again, and what is cleared is forgotten.
        train.add(&event(1, 7)).unwrap();
        assert_eq!(fired(&train), [(2, 100), (3, -100), (1, 7)]);
        train.clear();
        train.add(&event(2, 1)).unwrap();
        train.settle(kernels());
        assert_eq!(fired(&train), [(2, 1)]);
    }

    /// Where values do not matter, only that there is one: nothing cancels out.
    #[test]
    fn without_values_a_unit_fires_once() {
        let mut train = Train::of(70, i32::MAX);
        for (unit, value) in [(69, 60), (0, 0), (1, 5), (69, i32::MIN), (1, -5), (64, 1)] {
            train.add(&event(unit, value)).unwrap();
        }
        train.settle(kernels());
        assert_eq!(fired(&train), [(1, 1), (64, 1), (69, 1)]);
        assert_eq!(train.add(&event(70, 1)).unwrap_err().to_string(), "there is no unit 70 of node 3");
        train.clear();
        train.settle(kernels());
        assert_eq!(fired(&train), []);
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
        let mut train = Train::of_population(130, true);
        for path in Software::paths() {
            let kernels = Kernels::on(path).unwrap();
            train.collect(kernels, &[1 | 1 << 63, 0, 2], &[2, 0, 0]);
            assert_eq!(fired(&train), [(0, 1), (1, -1), (63, 1), (129, 1)], "{path:?}");
            train.collect(kernels, &[u64::MAX, u64::MAX, 3], &[0, 0, 0]);
            assert_eq!(fired(&train), (0..130).map(|unit| (unit, 1)).collect::<Vec<_>>(), "{path:?}");
            let mut positive = Train::of_population(130, false);
            positive.collect(kernels, &[1 << 63, 0, 1], &[]);
            assert_eq!(fired(&positive), [(63, 1), (128, 1)], "{path:?}");
        }
    }
}
