//! Problems whose couplings are of one size, laid out for counting: who is with a site, and who against it.

use super::super::super::problem::Problem;

/// Sites in an order that suits whoever counts, and for each those that pull it their way and those that push it away.
pub(super) struct Layout {
    /// The size of the couplings.
    pub(super) size: i32,
    /// By place: which site.
    pub(super) sites: Vec<u32>,
    /// By place: where the list of those with it begins, then of those against it; and where the last ends.
    starts: Vec<u32>,
    /// Where the words of places begin.
    lists: Vec<u32>,
    words: usize,
    /// Is every pair coupled? Then those against a site are all others, and aren't listed.
    pub(super) complete: bool,
    /// By site: its place.
    pub(super) places: Vec<u32>,
    /// What a site feels at most.
    pub(super) strongest: usize,
}

impl Layout {
    /// If the couplings are of one size, and no site feels more than 16 bits hold. `in_order`: by site; otherwise by the lengths of lists, so
    /// that neighbours are counted alike.
    pub(super) fn of(problem: &Problem, in_order: bool, words: usize) -> Option<Layout> {
        let size = i32::try_from(problem.one_size()?).ok()?;
        if problem.strongest() > i64::from(i16::MAX) {
            return None;
        }
        let all = problem.sites();
        let complete = !in_order && all > 2 && problem.pairs() == all * (all - 1) / 2;
        let with = |site: usize| problem.links(site).iter().filter(|link| link.coupling > 0).count();
        let mut sites: Vec<u32> = (0..all as u32).collect();
        if !in_order {
            sites.sort_by_key(|site| {
                let with = with(*site as usize);
                let against = problem.links(*site as usize).len() - with;
                (planes(with.max(against)), with, against)
            });
        }
        let mut places = vec![0_u32; all];
        for (place, site) in sites.iter().enumerate() {
            places[*site as usize] = place as u32;
        }
        let (mut starts, mut lists) = (vec![0], Vec::new());
        for site in &sites {
            for sign in [1, -1] {
                let begin = lists.len();
                if sign > 0 || !complete {
                    let links = problem.links(*site as usize).iter().filter(|link| link.coupling.signum() == sign);
                    lists.extend(links.map(|link| places[link.to as usize] * words as u32));
                    lists[begin..].sort_unstable();
                }
                starts.push(lists.len() as u32);
            }
        }
        let strongest = problem.strongest() as usize;
        Some(Layout { size, sites, starts, lists, words, complete, places, strongest })
    }

    pub(super) fn len(&self) -> usize {
        self.sites.len()
    }

    /// Those with the site at this place.
    #[inline]
    pub(super) fn with(&self, place: usize) -> &[u32] {
        &self.lists[self.starts[2 * place] as usize..self.starts[2 * place + 1] as usize]
    }

    /// Those against it.
    #[inline]
    pub(super) fn against(&self, place: usize) -> &[u32] {
        &self.lists[self.starts[2 * place + 1] as usize..self.starts[2 * place + 2] as usize]
    }

    /// All places.
    pub(super) fn everyone(&self) -> Vec<u32> {
        (0..self.len() as u32).map(|place| place * self.words as u32).collect()
    }

    /// The lists of those with each site, by tiles of [`TILE`] places; of complete problems.
    pub(super) fn tiles(&self) -> Vec<Tile> {
        if !self.complete {
            return Vec::new();
        }
        let of = |first: usize| {
            let (mut starts, mut list) = (vec![0], Vec::new());
            for place in 0..self.len() {
                let with = self.with(place);
                let [from, to] =
                    [first, first + TILE].map(|end| with.partition_point(|other| (*other as usize) < end * self.words));
                list.extend(with[from..to].iter().map(|other| (*other as usize - first * self.words) as u16));
                starts.push(list.len() as u32);
            }
            Tile { first, starts, list }
        };
        (0..self.len()).step_by(TILE).map(of).collect()
    }

    /// How many planes a place is counted with.
    #[inline]
    pub(super) fn planes(&self, place: usize) -> usize {
        planes(self.with(place).len().max(self.against(place).len()))
    }

    /// Runs of places that are counted with as many planes.
    pub(super) fn runs(&self) -> Vec<(usize, std::ops::Range<usize>)> {
        let mut runs: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        for place in 0..self.len() {
            match runs.last_mut() {
                Some((planes, run)) if *planes == self.planes(place) => run.end = place + 1,
                _ => runs.push((self.planes(place), place..place + 1)),
            }
        }
        runs
    }
}

/// Places of a tile: so many that 512 replicas' bits of them are 32 KiB.
const TILE: usize = 512;

/// Some places, as all others hear them.
pub(super) struct Tile {
    /// The first of them.
    pub(super) first: usize,
    starts: Vec<u32>,
    /// Where the words of places begin, from the first on.
    list: Vec<u16>,
}

impl Tile {
    /// Those of them that are with this place.
    #[inline]
    pub(super) fn list(&self, place: usize) -> &[u16] {
        &self.list[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
}

/// Bits of a count up to this, of the numbers that there is code for.
fn planes(most: usize) -> usize {
    match usize::BITS - most.leading_zeros() {
        0..=3 => 3,
        4 => 4,
        5 => 5,
        6 => 6,
        7..=8 => 8,
        9..=11 => 11,
        _ => 15,
    }
}
