//! Discrete bifurcation of one replica of a dense problem, with AVX-512 or AVX2: what sites feel is kept, and changed where a sign has.
//!
//! From one step to the next few signs change, and each adds one row of couplings: much less to read than all of them. Sums of 16 bits
//! hold what anybody can feel.

use super::super::super::philox::Random;
use super::super::super::plan::{self, Bifurcating};
use super::super::super::problem::Problem;
use super::super::block::Block;
use super::super::engine::Engine;
use super::words::{Rule, Words};
use std::marker::PhantomData;
use std::ops::Range;

/// Most sites: their couplings are kept as a square, twice.
const MOST_SITES: usize = 2_048;
/// Vectors of sums that are in registers at once.
const AT_ONCE: usize = 8;
/// What sites are padded to: a vector of the wider sort.
const LINE: usize = 32;
/// Lines of which all that moves is kept in registers.
const FEW: usize = 8;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([i16; LINE]);

/// A row of couplings, by lines.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Row([i8; LINE]);

/// One replica.
pub(super) struct Flipped<W> {
    plan: Bifurcating,
    sites: usize,
    lines: usize,
    /// Of each site its couplings, and then what they are if it is down: `2 * lines` rows.
    couplings: Vec<Row>,
    fields: Vec<Line>,
    positions: Vec<Line>,
    momenta: Vec<Line>,
    felt: Vec<Line>,
    /// Which sites are below 0, by lines.
    down: Vec<u32>,
    /// The first rows of sites whose sign has changed in a step.
    changed: Vec<u32>,
    words: PhantomData<W>,
}

impl<W: Words> Flipped<W> {
    /// If the problem is one for it: discrete, at least a fifth of its pairs coupled, couplings of 8 bits and sums of 16. For a processor
    /// with the instructions of `W`, which whoever calls has seen.
    pub(super) fn new(problem: &Problem, plan: &Bifurcating) -> Option<Flipped<W>> {
        let sites = problem.sites();
        let fits = problem.strongest() <= i64::from(i16::MAX) && sites <= MOST_SITES && problem.density() >= 0.2;
        if !plan.discrete || !fits {
            return None;
        }
        let lines = sites.div_ceil(LINE);
        let mut couplings = vec![Row([0; LINE]); sites * 2 * lines];
        let mut fields = vec![Line([0; LINE]); lines];
        for site in 0..sites {
            fields[site / LINE].0[site % LINE] = problem.fields()[site] as i16;
            for link in problem.links(site) {
                let (coupling, to) = (i8::try_from(link.coupling).ok()?, link.to as usize);
                let row = 2 * lines * site + to / LINE;
                couplings[row].0[to % LINE] = coupling;
                couplings[row + lines].0[to % LINE] = coupling.checked_neg()?;
            }
        }
        let nothing = vec![Line([0; LINE]); lines];
        let (positions, momenta, felt) = (nothing.clone(), nothing.clone(), nothing);
        Some(Flipped {
            plan: plan.clone(),
            sites,
            lines,
            couplings,
            fields,
            positions,
            momenta,
            felt,
            down: vec![0; lines],
            changed: vec![0; sites],
            words: PhantomData,
        })
    }

    /// # Safety
    /// The processor has the instructions of `W`, and they are compiled for.
    #[inline(always)]
    pub(super) unsafe fn steps(&mut self, steps: Range<usize>) {
        // SAFETY: as of this function; so many vectors there are.
        unsafe {
            match self.lines * (LINE / W::LANES) {
                _ if self.lines > FEW => steps.for_each(|step| self.step(step)),
                1 => self.few::<1>(steps),
                2 => self.few::<2>(steps),
                3 => self.few::<3>(steps),
                4 => self.few::<4>(steps),
                5 => self.few::<5>(steps),
                6 => self.few::<6>(steps),
                7 => self.few::<7>(steps),
                8 => self.few::<8>(steps),
                10 => self.few::<10>(steps),
                12 => self.few::<12>(steps),
                14 => self.few::<14>(steps),
                _ => self.few::<16>(steps),
            }
        }
    }

    /// Of so few sites that `V` vectors of each are kept in registers from step to step: what the next one waits for is all that counts.
    ///
    /// # Safety
    /// As of [`steps`](Self::steps); there are `V` vectors.
    #[inline(always)]
    unsafe fn few<const V: usize>(&mut self, steps: Range<usize>) {
        let lines = self.lines.min(FEW);
        let couplings: *const i8 = self.couplings.as_ptr().cast();
        let mut before = [0_u32; FEW];
        before[..lines].copy_from_slice(&self.down[..lines]);
        // SAFETY: as of this function; a line is whole vectors, and a row has as many couplings as there are sites in all lines.
        unsafe {
            let [mut x, mut y, mut felt] = [[W::zero(); V]; 3];
            for (lines, vectors) in [(&self.positions, &mut x), (&self.momenta, &mut y), (&self.felt, &mut felt)] {
                let from: *const i16 = lines.as_ptr().cast();
                for (at, vector) in vectors.iter_mut().enumerate() {
                    *vector = W::load(from.add(W::LANES * at));
                }
            }
            for step in steps {
                let rule = W::rule(self.plan.force, self.plan.pull[step]);
                let mut down = [0_u32; FEW];
                for at in 0..V {
                    let below;
                    (x[at], y[at], below) = W::moved(&rule, x[at], y[at], felt[at]);
                    down[at * W::LANES / LINE] |= below << (at * W::LANES % LINE);
                }
                let mut added = [W::zero(); V];
                for pair in 0..(V * W::LANES).div_ceil(2 * LINE) {
                    let is = u64::from(down[2 * pair]) | u64::from(down[2 * pair + 1]) << 32;
                    let was = u64::from(before[2 * pair]) | u64::from(before[2 * pair + 1]) << 32;
                    let mut changed = is ^ was;
                    while changed != 0 {
                        let bit = changed.trailing_zeros() as usize;
                        changed &= changed - 1;
                        // One that there is not never moves from 0, and so never changes.
                        let row = 2 * (2 * LINE * pair + bit) + (is >> bit & 1) as usize;
                        let from = couplings.add(V * W::LANES * row);
                        for (at, added) in added.iter_mut().enumerate() {
                            *added = added.add(W::widened(from.add(W::LANES * at)));
                        }
                    }
                }
                for (felt, added) in felt.iter_mut().zip(added) {
                    *felt = felt.add(added.add(added));
                }
                before = down;
            }
            self.down[..lines].copy_from_slice(&before[..lines]);
            for (lines, vectors) in [(&mut self.positions, x), (&mut self.momenta, y), (&mut self.felt, felt)] {
                let to: *mut i16 = lines.as_mut_ptr().cast();
                for (at, vector) in vectors.into_iter().enumerate() {
                    vector.store(to.add(W::LANES * at));
                }
            }
        }
    }

    /// Of more.
    ///
    /// # Safety
    /// As of [`steps`](Self::steps).
    #[inline(always)]
    unsafe fn step(&mut self, step: usize) {
        let mut count = 0;
        // SAFETY: as of this function.
        let rule = unsafe { W::rule(self.plan.force, self.plan.pull[step]) };
        for line in 0..self.lines {
            // SAFETY: as of this function; a line is whole vectors.
            let down = unsafe { self.moved(&rule, line) };
            let mut changed = down ^ std::mem::replace(&mut self.down[line], down);
            while changed != 0 {
                let bit = changed.trailing_zeros() as usize;
                changed &= changed - 1;
                let site = LINE * line + bit;
                // One that there is not never moves from 0, and so never changes.
                self.changed[count] = (self.lines * (2 * site + (down >> bit & 1) as usize)) as u32;
                count += 1;
            }
        }
        let vectors = self.lines * (LINE / W::LANES);
        let mut first = 0;
        // SAFETY: as of this function; so many vectors are left.
        unsafe {
            while vectors - first >= AT_ONCE {
                self.add::<AT_ONCE>(first, count);
                first += AT_ONCE;
            }
            for at in first..vectors {
                self.add::<1>(at, count);
            }
        }
    }

    /// Moves the sites of a line, and says which are below 0.
    ///
    /// # Safety
    /// As of [`steps`](Self::steps).
    #[inline(always)]
    unsafe fn moved(&mut self, rule: &Rule<W>, line: usize) -> u32 {
        let mut all = 0;
        for at in (0..LINE).step_by(W::LANES) {
            // SAFETY: a line is whole vectors.
            unsafe {
                let x = self.positions[line].0.as_mut_ptr().add(at);
                let y = self.momenta[line].0.as_mut_ptr().add(at);
                let felt = W::load(self.felt[line].0.as_ptr().add(at));
                let (new_x, new_y, down) = W::moved(rule, W::load(x), W::load(y), felt);
                new_x.store(x);
                new_y.store(y);
                all |= down << at;
            }
        }
        all
    }

    /// Adds twice the rows of what has changed to what `V` vectors of sites feel, from the `first` on.
    ///
    /// # Safety
    /// As of [`steps`](Self::steps); so many vectors there are.
    #[inline(always)]
    unsafe fn add<const V: usize>(&mut self, first: usize, count: usize) {
        let couplings: *const i8 = self.couplings.as_ptr().cast();
        let felt: *mut i16 = self.felt.as_mut_ptr().cast();
        // SAFETY: a row has as many couplings as there are sites in all lines.
        unsafe {
            let mut added = [W::zero(); V];
            for row in &self.changed[..count] {
                let from = couplings.add(LINE * *row as usize + W::LANES * first);
                for (at, added) in added.iter_mut().enumerate() {
                    *added = added.add(W::widened(from.add(W::LANES * at)));
                }
            }
            for (at, added) in added.into_iter().enumerate() {
                let felt = felt.add(W::LANES * (first + at));
                W::load(felt).add(added.add(added)).store(felt);
            }
        }
    }

    /// What all sites feel, from the beginning.
    fn feel(&mut self) {
        self.felt.copy_from_slice(&self.fields);
        for site in 0..self.sites {
            let is_down = self.down[site / LINE] >> (site % LINE) & 1;
            let first = self.lines * (2 * site + is_down as usize);
            for (felt, row) in self.felt.iter_mut().zip(&self.couplings[first..first + self.lines]) {
                felt.0
                    .iter_mut()
                    .zip(&row.0)
                    .for_each(|(felt, coupling)| *felt = felt.wrapping_add((*coupling).into()));
            }
        }
    }
}

impl<W: Words> Engine for Flipped<W> {
    fn lanes(&self) -> usize {
        1
    }

    fn start(&mut self, _: &Problem, random: Random, first: u32) {
        self.down.fill(0);
        for block in 0..self.sites.div_ceil(4) {
            for (site, (x, y)) in (4 * block..self.sites).zip(plan::start(random, first, block as u32)) {
                self.positions[site / LINE].0[site % LINE] = x as i16;
                self.momenta[site / LINE].0[site % LINE] = y as i16;
                self.down[site / LINE] |= u32::from(x < 0) << (site % LINE);
            }
        }
        self.feel();
    }

    fn advance(&mut self, _: &Problem, from: u32, to: u32) {
        // SAFETY: engines are made where the processor has the instructions of `W`, alone.
        unsafe { W::steps(self, from as usize..to as usize) };
    }

    /// From what is felt: every coupling is in it twice, every field once.
    fn energies(&mut self, _: &Problem, _: &Block, energies: &mut [i64]) {
        let sum = (0..self.sites).map(|site| {
            let (line, at) = (site / LINE, site % LINE);
            let twice = i64::from(self.felt[line].0[at]) + i64::from(self.fields[line].0[at]);
            if self.down[line] >> at & 1 == 1 { -twice } else { twice }
        });
        energies[0] = -sum.sum::<i64>() / 2;
    }

    fn show(&mut self, _: &Problem, block: &mut Block) {
        for site in 0..self.sites {
            block.site_mut(site)[0] = u64::from(self.down[site / LINE] >> (site % LINE) & 1 == 0);
        }
    }
}
