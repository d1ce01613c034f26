//! The value of every basis state: a diagonal operator as a table, and its phases in one pass.

use crate::error::{Error, MOST_QUBITS, reserved, sized};
use crate::ising::Ising;
use crate::simd::{Half, Unit};
use crate::state::State;

/// Different values for which phases are kept in a table; its index has 16 bits.
const MOST_DIFFERENT: usize = 1 << 12;

/// A value for each basis state.
#[derive(Clone, Debug)]
pub struct Costs {
    values: Vec<f64>,
    /// If few of them differ: each of these, and which one a state has.
    few: Option<Few>,
}

#[derive(Clone, Debug)]
struct Few {
    different: Vec<f64>,
    index: Vec<u16>,
}

/// Which of a few values each is: a small table with open addresses, as a general one would take longer than a layer of gates.
fn few(values: &[f64]) -> Result<Option<Few>, Error> {
    const SLOTS: usize = 4 * MOST_DIFFERENT;
    let mut slots = vec![u16::MAX; SLOTS];
    let mut different = Vec::new();
    let mut index = reserved(values.len().ilog2() as usize)?;
    for &value in values {
        let mut slot = (value.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SLOTS.ilog2())) as usize;
        loop {
            match slots[slot] {
                u16::MAX if different.len() == MOST_DIFFERENT => return Ok(None),
                u16::MAX => {
                    slots[slot] = different.len() as u16;
                    different.push(value);
                }
                at if different[usize::from(at)] == value => {
                    index.push(at);
                    break;
                }
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }
    Ok(Some(Few { different, index }))
}

/// The phases exp(-i angle cost) of all states, ready to be multiplied with.
pub(crate) struct Phases<'a> {
    costs: &'a Costs,
    angle: f64,
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Costs {
    /// Of an Ising problem.
    ///
    /// # Errors
    ///
    /// What is wrong with the problem; more spins than [`MOST_QUBITS`].
    pub fn of(ising: &Ising) -> Result<Costs, Error> {
        ising.checked()?;
        if ising.spins() > MOST_QUBITS {
            return Err(Error::TooManyQubits { asked: ising.spins() });
        }
        let values = ising.values()?;
        Ok(Costs { few: few(&values)?, values })
    }

    /// The value of each basis state.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many qubits they are of.
    #[must_use]
    pub fn qubits(&self) -> usize {
        self.values.len().ilog2() as usize
    }

    /// The least of those states that `counts`, and its value: by looking at all of them. The first of equal ones.
    pub fn least(&self, counts: impl Fn(usize) -> bool) -> Option<(usize, f64)> {
        let all = self.values.iter().copied().enumerate().filter(|(number, _)| counts(*number));
        all.min_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// The mean value of what is measured in a state.
    ///
    /// # Errors
    ///
    /// The state is of another number of qubits.
    pub fn mean(&self, state: &State) -> Result<f64, Error> {
        sized(state.qubits(), self.qubits(), "the state, in qubits,")?;
        // In rows, so that rounding does not grow with the number of states.
        let rows = self.values.chunks(512).zip(state.re.chunks(512)).zip(state.im.chunks(512));
        let row = |((values, re), im): ((&[f64], &[f64]), &[f64])| -> f64 {
            let mut sums = [0.0; 8];
            for (k, ((value, re), im)) in values.iter().zip(re).zip(im).enumerate() {
                sums[k % 8] += value * (re * re + im * im);
            }
            sums.iter().sum()
        };
        Ok(rows.map(row).sum())
    }

    pub(crate) fn phases(&self, angle: f64) -> Phases<'_> {
        let different = self.few.as_ref().map_or(&[][..], |few| &few.different);
        let (im, re) = different.iter().map(|value| (-angle * value).sin_cos()).unzip();
        Phases { costs: self, angle, re, im }
    }
}

impl Phases<'_> {
    /// Multiplies the amplitudes from number `first` on.
    pub(crate) fn act(&self, unit: Unit, first: usize, half: &mut Half<'_>) {
        let range = first..first + half.re.len();
        if let Some(few) = &self.costs.few {
            unit.phases(&few.index[range], &self.re, &self.im, half);
            return;
        }
        for ((re, im), value) in half.re.iter_mut().zip(half.im.iter_mut()).zip(&self.costs.values[range]) {
            let (s, c) = (-self.angle * value).sin_cos();
            (*re, *im) = (c * *re - s * *im, c * *im + s * *re);
        }
    }
}
