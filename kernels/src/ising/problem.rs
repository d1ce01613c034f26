//! What is to be made small: the energy of spins.
//!
//! ```text
//! E(s) = - sum over pairs of J_ij s_i s_j - sum of h_i s_i,    s_i = 1 or -1
//! ```
//!
//! Couplings and fields are integers, in units that the problem's [`Meaning`] gives back their sense: energies are exact.

use thiserror::Error;

/// Most sites.
pub const MOST_SITES: usize = 1 << 20;
/// Most pairs that are coupled.
pub const MOST_PAIRS: usize = 1 << 26;
/// The most that the couplings and the field of one site may add up to, in size: what a site feels, and twice that, is within 32 bits.
pub const MOST_FIELD: i64 = (1 << 30) - 1;

/// Two sites, and what couples them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// A site, from 0 on.
    pub i: u32,
    /// Another.
    pub j: u32,
    /// `J_ij`: above 0, they want to be alike.
    pub coupling: i32,
}

/// A coupling of a site, as the site sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The other site.
    pub to: u32,
    /// `J`.
    pub coupling: i32,
}

/// What the energy of spins stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// Itself.
    Ising,
    /// A cut of a graph, whose weights are `-J`: the larger, the better. `cut = (total - E) / 2`.
    Cut {
        /// The sum of all weights.
        total: i64,
    },
    /// A quadratic function of bits `x_i = (1 + s_i) / 2`, to be made small: `(E + constant) / 4`.
    Qubo {
        /// What is added.
        constant: i64,
    },
}

/// A term of a function, in the numbers that it was written down in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// A site.
    pub i: u32,
    /// Another, or the same.
    pub j: u32,
    /// Its weight.
    pub value: f64,
}

/// Why something is no problem that can be solved here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unfit {
    /// No site, or too many.
    #[error("{sites} sites: from 1 to {MOST_SITES} can be solved")]
    Sites {
        /// How many.
        sites: usize,
    },
    /// Too many pairs.
    #[error("{pairs} coupled pairs: {MOST_PAIRS} can be solved")]
    Pairs {
        /// How many.
        pairs: usize,
    },
    /// A pair with a site that is not there.
    #[error("site {site} is coupled, and the last is {last}")]
    NoSite {
        /// The site.
        site: u32,
        /// The last one.
        last: usize,
    },
    /// A term whose weight is no finite number.
    #[error("the term of sites {i} and {j} is no finite number")]
    NotFinite {
        /// A site.
        i: u32,
        /// Another, or the same.
        j: u32,
    },
    /// A site coupled to itself: the square of a spin is 1, so that it would mean nothing.
    #[error("site {site} is coupled to itself")]
    Itself {
        /// The site.
        site: u32,
    },
    /// A site with more in all than 31 bits hold.
    #[error("what site {site} feels adds up to {sum} in size, over {MOST_FIELD}: scale the numbers down")]
    TooStrong {
        /// The site.
        site: usize,
        /// The sum.
        sum: i64,
    },
    /// Fields for another number of sites.
    #[error("{fields} fields for {sites} sites")]
    Fields {
        /// Of fields.
        fields: usize,
        /// Of sites.
        sites: usize,
    },
}

/// A problem that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where each site's links begin; one more than there are sites.
    starts: Vec<u32>,
    /// Every pair twice, by site and then by the other site.
    links: Vec<Link>,
    fields: Vec<i32>,
    meaning: Meaning,
    /// How many units are 1 in the numbers of whoever wrote it down.
    scale: f64,
    /// The terms as they were written down, where integers could not hold them.
    terms: Vec<Term>,
}

impl Problem {
    /// Of these pairs and fields; no fields at all stand for fields of 0. What couples one pair more than once is added up.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn new(sites: usize, pairs: &[Pair], fields: &[i32], meaning: Meaning) -> Result<Self, Unfit> {
        if sites == 0 || sites > MOST_SITES {
            return Err(Unfit::Sites { sites });
        }
        if pairs.len() > MOST_PAIRS {
            return Err(Unfit::Pairs { pairs: pairs.len() });
        }
        if !fields.is_empty() && fields.len() != sites {
            return Err(Unfit::Fields { fields: fields.len(), sites });
        }
        for pair in pairs {
            if let Some(site) = [pair.i, pair.j].into_iter().find(|site| *site as usize >= sites) {
                return Err(Unfit::NoSite { site, last: sites - 1 });
            }
            if pair.i == pair.j {
                return Err(Unfit::Itself { site: pair.i });
            }
        }
        let fields = if fields.is_empty() { vec![0; sites] } else { fields.to_vec() };
        let mut problem =
            Problem { starts: Vec::new(), links: Vec::new(), fields, meaning, scale: 1.0, terms: Vec::new() };
        problem.link(sites, pairs)?;
        Ok(problem)
    }

    /// The pairs by site: counted, laid down, sorted, and added up where one comes again.
    fn link(&mut self, sites: usize, pairs: &[Pair]) -> Result<(), Unfit> {
        let mut ends = vec![0_u32; sites + 1];
        for pair in pairs {
            ends[pair.i as usize + 1] += 1;
            ends[pair.j as usize + 1] += 1;
        }
        for site in 0..sites {
            ends[site + 1] += ends[site];
        }
        let mut at = ends.clone();
        let mut laid = vec![Link { to: 0, coupling: 0 }; 2 * pairs.len()];
        for pair in pairs {
            for (from, to) in [(pair.i, pair.j), (pair.j, pair.i)] {
                let place = &mut at[from as usize];
                laid[*place as usize] = Link { to, coupling: pair.coupling };
                *place += 1;
            }
        }
        self.starts = Vec::with_capacity(sites + 1);
        self.starts.push(0);
        for site in 0..sites {
            let of = &mut laid[ends[site] as usize..ends[site + 1] as usize];
            of.sort_unstable_by_key(|link| link.to);
            let mut felt = i64::from(self.fields[site].unsigned_abs());
            for alike in of.chunk_by(|a, b| a.to == b.to) {
                let sum: i64 = alike.iter().map(|link| i64::from(link.coupling)).sum();
                felt += sum.abs();
                match i32::try_from(sum) {
                    Ok(0) => {}
                    Ok(coupling) => self.links.push(Link { to: alike[0].to, coupling }),
                    Err(_) => return Err(Unfit::TooStrong { site, sum: felt }),
                }
            }
            if felt > MOST_FIELD {
                return Err(Unfit::TooStrong { site, sum: felt });
            }
            self.starts.push(self.links.len() as u32);
        }
        self.links.shrink_to_fit();
        Ok(())
    }

    /// The cut of a graph with these weights: pairs as of [`Problem::new`], with the weight in the place of the coupling.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn max_cut(vertices: usize, edges: &[Pair]) -> Result<Self, Unfit> {
        let total = edges.iter().map(|edge| i64::from(edge.coupling)).sum();
        let pairs: Vec<Pair> =
            edges.iter().map(|edge| Pair { coupling: edge.coupling.saturating_neg(), ..*edge }).collect();
        Self::new(vertices, &pairs, &[], Meaning::Cut { total })
    }

    /// A function of bits: the sum of these terms' values where both sites are 1; a term of one site twice counts where it is 1.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn qubo(sites: usize, terms: &[Pair]) -> Result<Self, Unfit> {
        if sites == 0 || sites > MOST_SITES {
            return Err(Unfit::Sites { sites });
        }
        let mut fields = vec![0_i64; sites];
        let mut constant = 0;
        let mut pairs = Vec::new();
        for term in terms {
            if let Some(site) = [term.i, term.j].into_iter().find(|site| *site as usize >= sites) {
                return Err(Unfit::NoSite { site, last: sites - 1 });
            }
            let value = i64::from(term.coupling);
            if term.i == term.j {
                fields[term.i as usize] -= 2 * value;
                constant += 2 * value;
            } else {
                fields[term.i as usize] -= value;
                fields[term.j as usize] -= value;
                constant += value;
                pairs.push(Pair { coupling: term.coupling.saturating_neg(), ..*term });
            }
        }
        Self::new(sites, &pairs, &narrowed(&fields)?, Meaning::Qubo { constant })
    }

    /// A function of spins, to be made small: the sum of `value s_i s_j` over these terms, and of `value s_i` where a site comes twice.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn of_spins(sites: usize, terms: &[Pair]) -> Result<Self, Unfit> {
        if sites == 0 || sites > MOST_SITES {
            return Err(Unfit::Sites { sites });
        }
        let (alone, pairs): (Vec<Pair>, Vec<Pair>) = terms.iter().partition(|term| term.i == term.j);
        let mut fields = vec![0_i64; sites];
        for term in alone {
            let last = sites - 1;
            *fields.get_mut(term.i as usize).ok_or(Unfit::NoSite { site: term.i, last })? -= i64::from(term.coupling);
        }
        let pairs: Vec<Pair> =
            pairs.iter().map(|pair| Pair { coupling: pair.coupling.saturating_neg(), ..*pair }).collect();
        Self::new(sites, &pairs, &narrowed(&fields)?, Meaning::Ising)
    }

    /// The same, whose units are ten to the minus `decimals`.
    #[must_use]
    pub fn in_units_of(mut self, decimals: u32) -> Self {
        self.scale = 10_f64.powi(decimals as i32);
        self
    }

    /// A problem of numbers that 31 bits need not hold: `make` is given them rounded to a unit that leaves the strongest site just room.
    /// [`value`](Self::value) is reckoned from the terms as they are.
    ///
    /// # Errors
    /// [`Unfit`]: of the terms, or what `make` says.
    pub fn rounded(
        sites: usize,
        terms: Vec<Term>,
        make: impl FnOnce(usize, &[Pair]) -> Result<Self, Unfit>,
    ) -> Result<Self, Unfit> {
        if sites == 0 || sites > MOST_SITES {
            return Err(Unfit::Sites { sites });
        }
        let mut felt = vec![0.0_f64; sites];
        for term in &terms {
            if !term.value.is_finite() {
                return Err(Unfit::NotFinite { i: term.i, j: term.j });
            }
            for site in [term.i, term.j] {
                let last = sites - 1;
                *felt.get_mut(site as usize).ok_or(Unfit::NoSite { site, last })? += 4.0 * term.value.abs();
            }
        }
        let most = felt.into_iter().fold(f64::MIN_POSITIVE, f64::max).min(f64::MAX);
        // A power of two, so that scaling adds no error of its own; the largest is 2^1023.
        let scale = 2_f64.powi((28.0 - most.log2()).floor().min(1023.0) as i32);
        let round = |term: &Term| Pair { i: term.i, j: term.j, coupling: (term.value * scale).round() as i32 };
        let pairs: Vec<Pair> = terms.iter().map(round).collect();
        Ok(Problem { terms, scale, ..make(sites, &pairs)? })
    }

    /// Are the integers the numbers that were written down, or rounded?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.terms.is_empty()
    }

    /// How many sites.
    #[must_use]
    pub fn sites(&self) -> usize {
        self.fields.len()
    }

    /// How many pairs are coupled.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.links.len() / 2
    }

    /// A site's couplings, by the other site.
    #[must_use]
    #[inline]
    pub fn links(&self, site: usize) -> &[Link] {
        &self.links[self.starts[site] as usize..self.starts[site + 1] as usize]
    }

    /// The field of each site.
    #[must_use]
    pub fn fields(&self) -> &[i32] {
        &self.fields
    }

    /// What the energy stands for.
    #[must_use]
    pub fn meaning(&self) -> &Meaning {
        &self.meaning
    }

    /// If all couplings are of one size, and there are no fields: that size.
    #[must_use]
    pub fn one_size(&self) -> Option<u32> {
        let size = self.links.first()?.coupling.unsigned_abs();
        let alike = self.links.iter().all(|link| link.coupling.unsigned_abs() == size);
        (alike && self.fields.iter().all(|field| *field == 0)).then_some(size)
    }

    /// What a site can feel at most: the sizes of its couplings and of its field, added up.
    #[must_use]
    pub fn felt_at_most(&self, site: usize) -> i64 {
        let links: i64 = self.links(site).iter().map(|link| i64::from(link.coupling.unsigned_abs())).sum();
        links + i64::from(self.fields[site].unsigned_abs())
    }

    /// What the site of these spins that feels most could feel.
    #[must_use]
    pub fn strongest(&self) -> i64 {
        (0..self.sites()).map(|site| self.felt_at_most(site)).max().unwrap_or(0)
    }

    /// What a site feels: `sum of J_ij s_j + h_i`. Twice that and its spin is what a flip costs.
    #[must_use]
    #[inline]
    pub fn felt(&self, site: usize, spins: &[i8]) -> i32 {
        self.links(site)
            .iter()
            .fold(self.fields[site], |sum, link| sum + link.coupling * i32::from(spins[link.to as usize]))
    }

    /// The energy of these spins, exactly. Spins are 1 and -1, one a site.
    #[must_use]
    pub fn energy(&self, spins: &[i8]) -> i64 {
        assert_eq!(spins.len(), self.sites(), "a spin for each site");
        let twice: i64 = (0..self.sites())
            .map(|site| {
                let of = i64::from(self.felt(site, spins)) + i64::from(self.fields[site]);
                of * i64::from(spins[site])
            })
            .sum();
        // Every pair was counted twice, and each field, too.
        -twice / 2
    }

    /// What an energy stands for, in the units that the problem was written down in. For a problem that
    /// [is not exact](Self::is_exact), of its approximation.
    #[must_use]
    pub fn value_of(&self, energy: i64) -> f64 {
        let units = match self.meaning {
            Meaning::Ising => energy as f64,
            Meaning::Cut { total } => ((total - energy) / 2) as f64,
            Meaning::Qubo { constant } => (energy + constant) as f64 / 4.0,
        };
        units / self.scale
    }

    /// An energy in the units that the problem was written down in.
    #[must_use]
    pub fn in_units(&self, energy: i64) -> f64 {
        energy as f64 / self.scale
    }

    /// What these spins are worth, in the units that the problem was written down in, from the terms that were.
    #[must_use]
    pub fn value(&self, spins: &[i8]) -> f64 {
        if self.is_exact() {
            return self.value_of(self.energy(spins));
        }
        let spin = |site: u32| f64::from(spins[site as usize]);
        let bit = |site: u32| (1.0 + spin(site)) / 2.0;
        let of = |term: &Term| match self.meaning {
            Meaning::Qubo { .. } => term.value * bit(term.i) * bit(term.j),
            Meaning::Cut { .. } => term.value * (1.0 - spin(term.i) * spin(term.j)) / 2.0,
            Meaning::Ising if term.i == term.j => term.value * spin(term.i),
            Meaning::Ising => term.value * spin(term.i) * spin(term.j),
        };
        self.terms.iter().map(of).sum()
    }

    /// The energy at which the [value](Self::value_of) is this one or better; of a value between two, of the better.
    #[must_use]
    pub fn energy_of(&self, value: f64) -> i64 {
        let units = value * self.scale;
        // A hair's breadth, so that a value that was printed is met by itself.
        let slack = units.abs() * 1e-12;
        match self.meaning {
            Meaning::Ising => (units + slack).floor() as i64,
            Meaning::Cut { total } => total - 2 * (units - slack).ceil() as i64,
            Meaning::Qubo { constant } => (4.0 * (units + slack)).floor() as i64 - constant,
        }
    }

    /// The share of all pairs that are coupled.
    #[must_use]
    pub fn density(&self) -> f64 {
        let sites = self.sites() as f64;
        self.links.len() as f64 / (sites * (sites - 1.0)).max(1.0)
    }
}

fn narrowed(fields: &[i64]) -> Result<Vec<i32>, Unfit> {
    let narrow =
        |(site, field): (usize, &i64)| i32::try_from(*field).map_err(|_| Unfit::TooStrong { site, sum: field.abs() });
    fields.iter().enumerate().map(narrow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(i: u32, j: u32, coupling: i32) -> Pair {
        Pair { i, j, coupling }
    }

    #[test]
    fn an_energy_is_the_sum_that_it_says() {
        let problem = Problem::new(3, &[pair(0, 1, 5), pair(2, 1, -7)], &[1, 2, 4], Meaning::Ising).unwrap();
        for bits in 0..8_u32 {
            let spins: Vec<i8> = (0..3).map(|site| if bits >> site & 1 == 1 { 1 } else { -1 }).collect();
            let s: Vec<i64> = spins.iter().map(|spin| i64::from(*spin)).collect();
            let by_hand = -(5 * s[0] * s[1] - 7 * s[1] * s[2]) - (s[0] + 2 * s[1] + 4 * s[2]);
            assert_eq!(problem.energy(&spins), by_hand);
            assert_eq!(problem.value(&spins), by_hand as f64);
        }
        assert_eq!(problem.felt(1, &[1, 1, -1]), 5 + 7 + 2);
        assert_eq!((problem.felt_at_most(1), problem.strongest(), problem.pairs()), (14, 14, 2));
    }

    #[test]
    fn a_cut_counts_the_weights_between_the_sides() {
        let triangle = [pair(0, 1, 3), pair(1, 2, 1), pair(0, 2, -2)];
        let problem = Problem::max_cut(3, &triangle).unwrap();
        for (spins, cut) in [([1, 1, 1], 0.0), ([-1, 1, 1], 1.0), ([1, -1, 1], 4.0), ([1, 1, -1], -1.0)] {
            assert_eq!(problem.value(&spins), cut);
            let energy = problem.energy(&spins);
            assert_eq!(problem.energy_of(cut), energy, "a target is met by itself");
            assert!(problem.energy_of(cut - 0.5) >= energy && problem.energy_of(cut + 0.5) < energy);
        }
    }

    #[test]
    fn a_function_of_bits_is_what_it_is_at_every_point() {
        let terms = [pair(0, 0, 3), pair(1, 1, -4), pair(0, 1, 5), pair(2, 1, -6), pair(1, 2, 1)];
        let problem = Problem::qubo(3, &terms).unwrap().in_units_of(1);
        for bits in 0..8_u32 {
            let x: Vec<i32> = (0..3).map(|site| (bits >> site & 1) as i32).collect();
            let spins: Vec<i8> = x.iter().map(|bit| 2 * *bit as i8 - 1).collect();
            let by_hand: i32 = terms.iter().map(|term| term.coupling * x[term.i as usize] * x[term.j as usize]).sum();
            assert_eq!(problem.value(&spins), f64::from(by_hand) / 10.0);
            assert_eq!(problem.energy_of(f64::from(by_hand) / 10.0), problem.energy(&spins));
        }
        assert_eq!(problem.pairs(), 2, "a pair that comes twice is one");
    }

    #[test]
    fn where_integers_round_the_terms_count() {
        let term = |i, j, value| Term { i, j, value };
        let rounded = |sites, terms| Problem::rounded(sites, terms, Problem::qubo);
        let problem = rounded(2, vec![term(0, 0, 0.1), term(0, 1, 1.0 / 3.0)]).unwrap();
        assert!(!problem.is_exact());
        assert_eq!(problem.value(&[1, 1]), 0.1 + 1.0 / 3.0);
        assert_eq!(problem.value(&[1, -1]), 0.1);
        for spins in [[1, 1], [1, -1], [-1, 1]] {
            // The room is used: units are as small as 31 bits allow.
            assert!((problem.value_of(problem.energy(&spins)) - problem.value(&spins)).abs() < 1e-7);
        }
        for large in [f64::MAX, -f64::MAX, 1e-300, f64::MIN_POSITIVE] {
            assert_eq!(rounded(2, vec![term(0, 1, large)]).unwrap().pairs(), 1, "{large}");
        }
        assert_eq!(rounded(2, vec![term(0, 1, f64::NAN)]), Err(Unfit::NotFinite { i: 0, j: 1 }));
        assert_eq!(rounded(2, vec![term(1, 1, f64::INFINITY)]), Err(Unfit::NotFinite { i: 1, j: 1 }));
        assert_eq!(rounded(2, vec![term(0, 2, 1.0)]), Err(Unfit::NoSite { site: 2, last: 1 }));
        assert_eq!(rounded(0, Vec::new()), Err(Unfit::Sites { sites: 0 }));
        assert_eq!(rounded(MOST_SITES + 1, Vec::new()), Err(Unfit::Sites { sites: MOST_SITES + 1 }));
    }

    #[test]
    fn couplings_of_one_size_are_known_as_such() {
        let alike = [pair(0, 1, 2), pair(1, 2, -2)];
        assert_eq!(Problem::new(3, &alike, &[], Meaning::Ising).unwrap().one_size(), Some(2));
        assert_eq!(Problem::new(3, &alike, &[0, 1, 0], Meaning::Ising).unwrap().one_size(), None);
        let unlike = [pair(0, 1, 2), pair(1, 2, -1)];
        assert_eq!(Problem::new(3, &unlike, &[], Meaning::Ising).unwrap().one_size(), None);
        assert_eq!(Problem::new(3, &[], &[], Meaning::Ising).unwrap().one_size(), None);
    }

    #[test]
    fn what_is_no_problem_is_refused_by_name() {
        let new = |sites, pairs: &[Pair], fields: &[i32]| Problem::new(sites, pairs, fields, Meaning::Ising);
        assert_eq!(new(0, &[], &[]), Err(Unfit::Sites { sites: 0 }));
        assert!(new(1, &[], &[]).is_ok());
        assert!(new(MOST_SITES, &[], &[]).is_ok());
        assert_eq!(new(MOST_SITES + 1, &[], &[]), Err(Unfit::Sites { sites: MOST_SITES + 1 }));
        assert_eq!(Problem::qubo(0, &[]), Err(Unfit::Sites { sites: 0 }));
        assert_eq!(Problem::qubo(2, &[pair(2, 2, 1)]), Err(Unfit::NoSite { site: 2, last: 1 }));
        assert!(new(2, &[pair(0, 1, 1)], &[]).is_ok());
        assert_eq!(new(2, &[pair(0, 2, 1)], &[]), Err(Unfit::NoSite { site: 2, last: 1 }));
        assert_eq!(new(2, &[pair(1, 1, 1)], &[]), Err(Unfit::Itself { site: 1 }));
        assert_eq!(new(2, &[], &[1]), Err(Unfit::Fields { fields: 1, sites: 2 }));
        let most = MOST_FIELD as i32;
        assert!(new(2, &[pair(0, 1, most - 1)], &[-1, 0]).is_ok());
        assert!(new(2, &[pair(0, 1, most)], &[]).is_ok());
        assert_eq!(new(2, &[pair(0, 1, most)], &[0, -1]), Err(Unfit::TooStrong { site: 1, sum: MOST_FIELD + 1 }));
        let twice = [pair(0, 1, i32::MAX), pair(1, 0, i32::MAX)];
        assert!(matches!(new(2, &twice, &[]), Err(Unfit::TooStrong { site: 0, .. })));
        assert!(matches!(
            Problem::qubo(1, &[pair(0, 0, i32::MAX), pair(0, 0, 9)]),
            Err(Unfit::TooStrong { site: 0, .. })
        ));
    }
}
