//! How a problem lies in an adapter's memory.
//!
//! Links by slices of 32 sites, and in a slice the first links of all, the second ones, and so on ("sliced ELLPACK": Monakov, Lokhmotov and
//! Avetisyan, *HiPEAC* 2010): threads of neighbouring sites read side by side. A link is a word (20 bits of a site, 12 of a coupling), or two where
//! couplings take more.

use firelane_kernels::ising::problem::Problem;

/// Sites of a slice.
pub(crate) const SLICE: usize = 32;
/// Links that are followed at a turn: there is room for a multiple of them.
pub(crate) const AT_A_TURN: usize = 4;
/// Of a dense problem whose couplings are of one size, bits are fewer bytes than links are from this share of coupled pairs on.
const DENSE: f64 = 1.0 / 16.0;

/// What a problem needs, before it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Places for links, some of which stay empty.
    pub(crate) places: usize,
    /// Do links take two words?
    pub(crate) wide: bool,
}

/// The sites of each slice, and the places for each of them.
pub(crate) fn slices(problem: &Problem) -> impl Iterator<Item = (std::ops::Range<usize>, usize)> {
    (0..problem.sites()).step_by(SLICE).map(move |first| {
        let sites = first..(first + SLICE).min(problem.sites());
        let width = sites.clone().map(|site| problem.links(site).len()).max().unwrap_or(0).next_multiple_of(AT_A_TURN);
        (sites, width)
    })
}

impl Extent {
    pub(crate) fn of(problem: &Problem) -> Self {
        let places = slices(problem).map(|(_, width)| SLICE * width).sum();
        let links = || (0..problem.sites()).flat_map(|site| problem.links(site));
        Extent { places, wide: links().any(|link| !(-2_048..2_048).contains(&link.coupling)) }
    }

    /// Words of all links.
    pub(crate) fn words(self) -> usize {
        if self.wide { 2 * self.places } else { self.places }
    }
}

/// The words of the links, and three of each site: where its links begin, how many they are, and its field.
pub(crate) fn sliced(problem: &Problem, extent: Extent) -> (Vec<u32>, Vec<u32>) {
    let mut links = vec![0; extent.words()];
    let mut rows = Vec::with_capacity(3 * problem.sites());
    let mut start = 0;
    for (sites, width) in slices(problem) {
        for (lane, site) in sites.enumerate() {
            let own = problem.links(site);
            rows.extend([(start + lane) as u32, own.len() as u32, problem.fields()[site] as u32]);
            for (number, link) in own.iter().enumerate() {
                let at = start + lane + SLICE * number;
                if extent.wide {
                    links[2 * at..2 * at + 2].copy_from_slice(&[link.to, link.coupling as u32]);
                } else {
                    links[at] = link.to << 12 | (link.coupling as u32 & 0xfff);
                }
            }
        }
        start += SLICE * width;
    }
    (links, rows)
}

/// The size of all couplings, if they have one and bits are what the problem is best held in.
pub(crate) fn one_size(problem: &Problem) -> Option<u32> {
    problem.one_size().filter(|_| problem.density() >= DENSE)
}

/// Words of [`packed`].
pub(crate) fn packed_words(problem: &Problem) -> usize {
    2 * problem.sites() * problem.sites().div_ceil(32)
}

/// For each word of 32 sites and each site, two words: which of them it is coupled to, and to which of those by a positive coupling.
pub(crate) fn packed(problem: &Problem) -> Vec<u32> {
    let mut words = vec![0; packed_words(problem)];
    for site in 0..problem.sites() {
        for link in problem.links(site) {
            let at = 2 * (link.to as usize / 32 * problem.sites() + site);
            words[at] |= 1 << (link.to % 32);
            words[at + 1] |= u32::from(link.coupling > 0) << (link.to % 32);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_kernels::ising::problem::{Meaning, Pair};

    fn star(leaves: u32, coupling: i32) -> Problem {
        let pairs: Vec<Pair> = (1..=leaves).map(|j| Pair { i: 0, j, coupling }).collect();
        Problem::new(leaves as usize + 1, &pairs, &[], Meaning::Ising).unwrap()
    }

    #[test]
    fn links_lie_where_their_site_looks_for_them() {
        for coupling in [-2_048, -1, 1, 2_047, -2_049, 2_048] {
            let problem = star(40, coupling);
            let extent = Extent::of(&problem);
            assert_eq!(extent, Extent { places: 32 * 40 + 32 * 4, wide: !(-2_048..=2_047).contains(&coupling) });
            let (links, rows) = sliced(&problem, extent);
            for (site, row) in rows.chunks(3).enumerate() {
                assert_eq!(row[1] as usize, problem.links(site).len());
                for (number, link) in problem.links(site).iter().enumerate() {
                    let at = row[0] as usize + 32 * number;
                    let (to, found) = if extent.wide {
                        (links[2 * at], links[2 * at + 1] as i32)
                    } else {
                        (links[at] >> 12, (links[at] << 20) as i32 >> 20)
                    };
                    assert_eq!((to, found), (link.to, coupling), "link {number} of {site}");
                }
            }
        }
    }

    #[test]
    fn bits_are_for_dense_problems_of_one_size() {
        let pairs: Vec<Pair> =
            (0..33).flat_map(|i| (0..i).map(move |j| Pair { i, j, coupling: [3, -3][(i + j) as usize % 2] })).collect();
        let dense = Problem::new(33, &pairs, &[], Meaning::Ising).unwrap();
        assert_eq!((one_size(&dense), one_size(&star(40, 3))), (Some(3), None));
        // Exactly a sixteenth, and a little less.
        assert_eq!((one_size(&star(31, -3)), one_size(&star(32, -3))), (Some(3), None));
        let words = packed(&dense);
        for site in 0..33 {
            for to in 0..33 {
                let at = 2 * (to / 32 * 33 + site);
                let bit = |word: u32| word >> (to % 32) & 1 == 1;
                assert_eq!((bit(words[at]), bit(words[at + 1])), (site != to, site != to && (site + to) % 2 == 0));
            }
        }
    }
}
