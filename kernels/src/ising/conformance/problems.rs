//! Problems that a device is judged by.

use super::super::philox::philox4x32;
use super::super::problem::{Meaning, Pair, Problem};
use std::sync::Arc;

/// Random numbers of a problem, one after another.
struct Draw {
    key: u32,
    count: u32,
}

impl Draw {
    fn below(&mut self, most: u32) -> u32 {
        self.count += 1;
        let [word, ..] = philox4x32([self.count, 0, 0, u32::MAX], [self.key, 0]);
        ((u64::from(word) * u64::from(most)) >> 32) as u32
    }

    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u32) as i32
    }
}

/// What couplings of a random problem are.
#[derive(Clone, Copy)]
enum Couplings {
    /// This, or minus this.
    OneSize(i32),
    /// All alike.
    Alike(i32),
    /// Anything up to this, in size.
    UpTo(i32),
}

/// Of so many sites, of whose pairs so many in a hundred are coupled; fields up to so much.
fn random(seed: u32, sites: u32, percent: u32, couplings: Couplings, fields: i32) -> Arc<Problem> {
    let mut draw = Draw { key: seed, count: 0 };
    let mut pairs = Vec::new();
    for i in 0..sites {
        for j in 0..i {
            if draw.below(100) < percent {
                let coupling = match couplings {
                    Couplings::OneSize(size) => [size, -size][draw.below(2) as usize],
                    Couplings::Alike(coupling) => coupling,
                    Couplings::UpTo(most) => draw.between(-most, most),
                };
                pairs.push(Pair { i, j, coupling });
            }
        }
    }
    let fields: Vec<i32> = (0..sites).map(|_| draw.between(-fields, fields)).collect();
    made(sites, &pairs, &fields)
}

fn made(sites: u32, pairs: &[Pair], fields: &[i32]) -> Arc<Problem> {
    Arc::new(Problem::new(sites as usize, pairs, fields, Meaning::Ising).expect("a problem made here is one"))
}

/// Sites of a graph that is too large for kernels of small ones.
pub(super) const LARGER: u32 = 523;

/// One of each sort: every kernel that somebody might write has one that it is for, and one just beside it. With an `extent`, more random ones.
pub(super) fn all(extent: u32) -> Vec<(String, Arc<Problem>)> {
    use Couplings::{Alike, OneSize, UpTo};
    let hub: Vec<Pair> = (1..300).map(|i| Pair { i, j: i / 290, coupling: if i % 3 == 0 { 1 } else { -1 } }).collect();
    let grid: Vec<Pair> = (0..120)
        .flat_map(|i| [(i, (i + 1) % 120), (i, (i + 11) % 120)])
        .map(|(i, j)| Pair { i, j, coupling: -1 })
        .collect();
    let mut all = vec![
        ("a sparse graph".into(), random(1, 97, 8, Alike(-1), 0)),
        ("a complete graph of two signs".into(), random(2, 70, 100, OneSize(1), 0)),
        ("couplings of 8 bits and fields".into(), random(3, 33, 100, UpTo(127), 127)),
        ("couplings of 9 bits".into(), random(4, 40, 60, UpTo(255), 0)),
        ("couplings of 20 bits and fields".into(), random(5, 21, 70, UpTo(1 << 20), 1 << 20)),
        ("couplings of one size, not 1".into(), random(6, 90, 50, OneSize(7), 0)),
        ("couplings of one size, and one field".into(), random(7, 50, 50, OneSize(1), 1)),
        ("a hub with 289 neighbours".into(), made(300, &hub, &[])),
        ("a grid on a torus".into(), made(120, &grid, &[])),
        ("dense, and not complete".into(), random(8, 66, 98, OneSize(1), 0)),
        ("sites that nothing is coupled to".into(), random(9, 80, 1, OneSize(3), 0)),
        ("fields alone".into(), random(10, 17, 0, UpTo(1), 1000)),
        ("nothing at all".into(), made(5, &[], &[])),
        ("one site".into(), made(1, &[], &[-3])),
        ("two sites".into(), made(2, &[Pair { i: 0, j: 1, coupling: -1 }], &[])),
        ("three, each with each".into(), random(11, 3, 100, OneSize(1), 0)),
        ("a larger complete graph of two signs".into(), random(12, LARGER, 100, OneSize(1), 0)),
    ];
    for seed in 0..extent {
        let mut draw = Draw { key: 1_000 + seed, count: 0 };
        let (sites, percent) = (2 + draw.below(160), [3, 20, 50, 100][draw.below(4) as usize]);
        let couplings = [OneSize(1), OneSize(3), Alike(-1), UpTo(3), UpTo(100), UpTo(30_000)][draw.below(6) as usize];
        let fields = [0, 0, 2, 500][draw.below(4) as usize];
        all.push((format!("random problem {seed}"), random(2_000 + seed, sites, percent, couplings, fields)));
    }
    all
}

/// Problems that are small enough to be searched.
pub(super) fn small() -> Vec<(String, Arc<Problem>)> {
    let mut all = Vec::new();
    for sites in [1, 2, 5, 9, 12] {
        for (percent, fields) in [(100, 0), (100, 9), (50, 3)] {
            let problem = random(sites * 100 + percent, sites, percent, Couplings::UpTo(9), fields);
            all.push((format!("{sites} sites, {percent} % coupled, fields up to {fields}"), problem));
        }
    }
    all
}
