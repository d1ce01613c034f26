//! The spins of several replicas at once, by site, and their energies.

use super::super::job::Spins;
use super::super::problem::Problem;

/// Spins of replicas: a bit each, the words of a site side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    lanes: usize,
    words: usize,
    bits: Vec<u64>,
}

impl Block {
    /// Of so many replicas, all down.
    pub(crate) fn new(sites: usize, lanes: usize) -> Self {
        let words = lanes.div_ceil(64);
        Block { lanes, words, bits: vec![0; sites * words] }
    }

    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Of a site: bit `r % 64` of word `r / 64` is replica `r`'s.
    pub(crate) fn site(&self, site: usize) -> &[u64] {
        &self.bits[site * self.words..(site + 1) * self.words]
    }

    pub(crate) fn site_mut(&mut self, site: usize) -> &mut [u64] {
        &mut self.bits[site * self.words..(site + 1) * self.words]
    }

    /// Takes the replicas of another block for which a bit is set here.
    pub(crate) fn take(&mut self, from: &Block, those: &[u64]) {
        for (mine, theirs) in self.bits.chunks_exact_mut(self.words).zip(from.bits.chunks_exact(self.words)) {
            for ((mine, theirs), those) in mine.iter_mut().zip(theirs).zip(those) {
                *mine = (*mine & !those) | (theirs & those);
            }
        }
    }

    /// One replica's.
    pub(crate) fn replica(&self, lane: usize) -> Spins {
        self.bits.chunks_exact(self.words).map(|site| site[lane / 64] >> (lane % 64) & 1 == 1).collect()
    }

    /// The energy of each replica, exactly, reckoned from the problem.
    pub(crate) fn energies(&self, problem: &Problem, energies: &mut [i64]) {
        let energies = &mut energies[..self.lanes];
        if self.lanes < 32 {
            for (lane, energy) in energies.iter_mut().enumerate() {
                *energy = problem.energy(&self.replica(lane).signs());
            }
            return;
        }
        match (problem.one_size(), self.words) {
            (Some(size), 1) => self.counted::<1>(problem, size, energies),
            (Some(size), 2) => self.counted::<2>(problem, size, energies),
            (Some(size), 4) => self.counted::<4>(problem, size, energies),
            (Some(size), 8) => self.counted::<8>(problem, size, energies),
            _ => self.added_up(problem, energies),
        }
    }

    /// Couplings of one size: a pair is happy or not, and what is counted is how many are not, in counters of a bit of each replica to a word.
    fn counted<const W: usize>(&self, problem: &Problem, size: u32, energies: &mut [i64]) {
        let mut counters = Counters::<W>::default();
        let mut pairs = 0_i64;
        for site in 0..problem.sites() {
            let here: [u64; W] = self.site(site).try_into().expect("as many words as a block has");
            for link in problem.links(site).iter().filter(|link| (link.to as usize) < site) {
                let there = self.site(link.to as usize);
                let unlike = if link.coupling > 0 { 0 } else { u64::MAX };
                counters.count(std::array::from_fn(|word| here[word] ^ there[word] ^ unlike));
                pairs += 1;
            }
        }
        for (lane, energy) in energies.iter_mut().enumerate() {
            *energy = i64::from(size) * (2 * counters.of(lane) - pairs);
        }
    }

    fn added_up(&self, problem: &Problem, energies: &mut [i64]) {
        energies.fill(0);
        for site in 0..problem.sites() {
            let here = self.site(site);
            // A field is a coupling to a site that is always up.
            let field = (i64::from(problem.fields()[site]), None);
            let links = problem.links(site).iter().filter(|link| (link.to as usize) < site);
            let links = links.map(|link| (i64::from(link.coupling), Some(self.site(link.to as usize))));
            for (coupling, there) in links.chain([field]).filter(|(coupling, _)| *coupling != 0) {
                for (word, lanes) in energies.chunks_mut(64).enumerate() {
                    let unlike = here[word] ^ there.map_or(u64::MAX, |there| there[word]);
                    for (lane, energy) in lanes.iter_mut().enumerate() {
                        *energy += coupling * (2 * (unlike >> lane & 1) as i64 - 1);
                    }
                }
            }
        }
    }
}

/// Counters of a bit of each replica to a word: eight inputs are added at once by full adders, and carried on from there.
struct Counters<const W: usize> {
    /// Of 1, 2, 4 and so on.
    planes: [[u64; W]; 32],
    waiting: [[u64; W]; 8],
    full: usize,
}

impl<const W: usize> Default for Counters<W> {
    fn default() -> Self {
        Counters { planes: [[0; W]; 32], waiting: [[0; W]; 8], full: 0 }
    }
}

impl<const W: usize> Counters<W> {
    fn count(&mut self, bits: [u64; W]) {
        self.waiting[self.full] = bits;
        self.full += 1;
        if self.full == 8 {
            self.add();
        }
    }

    fn add(&mut self) {
        let w = &self.waiting;
        let [mut one, mut two, mut four] = [self.planes[0], self.planes[1], self.planes[2]];
        let mut pair = |a, b| full_adder(&mut one, a, b);
        let twos = [pair(w[0], w[1]), pair(w[2], w[3]), pair(w[4], w[5]), pair(w[6], w[7])];
        let fours = [full_adder(&mut two, twos[0], twos[1]), full_adder(&mut two, twos[2], twos[3])];
        let mut carry = full_adder(&mut four, fours[0], fours[1]);
        [self.planes[0], self.planes[1], self.planes[2]] = [one, two, four];
        for plane in &mut self.planes[3..] {
            let both: [u64; W] = std::array::from_fn(|word| plane[word] & carry[word]);
            for word in 0..W {
                plane[word] ^= carry[word];
            }
            carry = both;
            if carry.iter().all(|word| *word == 0) {
                break;
            }
        }
        self.waiting = [[0; W]; 8];
        self.full = 0;
    }

    fn of(&mut self, lane: usize) -> i64 {
        if self.full > 0 {
            self.add();
        }
        let bit = |(place, plane): (usize, &[u64; W])| ((plane[lane / 64] >> (lane % 64) & 1) as i64) << place;
        self.planes.iter().enumerate().map(bit).sum()
    }
}

/// Adds two to `sum`; what is carried.
fn full_adder<const W: usize>(sum: &mut [u64; W], a: [u64; W], b: [u64; W]) -> [u64; W] {
    std::array::from_fn(|word| {
        let unlike = sum[word] ^ a[word];
        let carry = (sum[word] & a[word]) | (unlike & b[word]);
        sum[word] = unlike ^ b[word];
        carry
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::philox::{Random, Use};
    use super::super::super::problem::{Meaning, Pair};
    use super::*;

    fn random_problem(sites: u32, size: Option<i32>, fields: bool) -> Problem {
        let draw = |i: u32, j: u32| Random::new(5).eight(Use::Flip, i, j, 0);
        let pairs =
            (0..sites).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|(i, j)| draw(*i, *j)[0].is_multiple_of(3));
        let coupling = |(i, j): (u32, u32)| {
            let number = i32::from(draw(i, j)[1]);
            let coupling = size.map_or(number % 99 - 49, |size| if number % 2 == 0 { size } else { -size });
            Pair { i, j, coupling }
        };
        let fields: Vec<i32> = (0..sites).map(|site| if fields { site as i32 * 7 - 90 } else { 0 }).collect();
        Problem::new(sites as usize, &pairs.map(coupling).collect::<Vec<_>>(), &fields, Meaning::Ising).unwrap()
    }

    #[test]
    fn energies_of_all_replicas_at_once_are_those_of_one_at_a_time() {
        for problem in
            [random_problem(41, Some(3), false), random_problem(41, None, true), random_problem(2, Some(1), false)]
        {
            for lanes in [1, 31, 32, 64, 70, 128, 256, 512] {
                let mut block = Block::new(problem.sites(), lanes);
                for site in 0..problem.sites() {
                    for (word, bits) in block.site_mut(site).iter_mut().enumerate() {
                        let eight = Random::new(9).eight(Use::Start, site as u32, word as u32, 0);
                        *bits = eight[..4].iter().fold(0, |bits, part| bits << 16 | u64::from(*part));
                    }
                }
                let mut energies = vec![0; lanes];
                block.energies(&problem, &mut energies);
                for (lane, energy) in energies.iter().enumerate() {
                    assert_eq!(*energy, problem.energy(&block.replica(lane).signs()), "{lane} of {lanes}");
                }
            }
        }
    }

    #[test]
    fn only_the_replicas_that_are_named_are_taken() {
        let (mut to, mut from) = (Block::new(3, 128), Block::new(3, 128));
        from.site_mut(1).copy_from_slice(&[u64::MAX; 2]);
        to.take(&from, &[1 << 5, 1 << 63]);
        assert_eq!(to.site(1), [1 << 5, 1 << 63]);
        assert!(to.replica(5).up(1) && !to.replica(5).up(0) && !to.replica(6).up(1));
    }
}
