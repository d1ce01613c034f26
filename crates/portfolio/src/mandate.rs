//! What a portfolio must keep to.

pub mod file;

use crate::universe::Universe;
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

/// No weight, and no sum of them, may be larger: what is owned, as a part of the capital.
pub const MOST_WEIGHT: f64 = 1_000.0;

/// From and to, both included.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Span {
    /// From here.
    pub min: f64,
    /// To here.
    pub max: f64,
}

impl Span {
    /// Exactly this.
    #[must_use]
    pub fn exactly(value: f64) -> Span {
        Span { min: value, max: value }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{} to {}", self.min, self.max) }
    }
}

/// How many names may be held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// Any number.
    Any,
    /// So many or fewer.
    AtMost(usize),
    /// So many. Where holdings have no minimum, some of them may weigh 0.
    Exactly(usize),
}

/// Names whose weights, added (shorts count negative), stay within limits.
#[derive(Clone, PartialEq, Debug)]
pub struct Sector {
    /// What it is called.
    pub name: String,
    /// Its names, by index.
    pub members: Vec<usize>,
    /// Net weight.
    pub net: Span,
}

/// A name with limits of its own, in the place of the general ones.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Own {
    /// By index.
    pub name: usize,
    /// Size of a long holding, if it may be held long.
    pub long: Option<Span>,
    /// Size of a short holding, if it may be held short.
    pub short: Option<Span>,
}

/// What trading costs, as a part of what is traded.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Costs {
    /// Of what is bought (and of shorts that are bought back).
    pub buy: f64,
    /// Of what is sold (and sold short).
    pub sell: f64,
}

/// What a portfolio must keep to. Weights are parts of the capital; the rest of it is cash.
#[derive(Clone, PartialEq, Debug)]
pub struct Mandate {
    /// The sum of all weights, shorts counted negative: 1 is fully invested.
    pub net: Span,
    /// The sum of all sizes, at most.
    pub gross: Option<f64>,
    /// Size of a long holding, if a name is held at all.
    pub long: Span,
    /// Size of a short holding, if names may be held short.
    pub short: Option<Span>,
    /// Names with limits of their own, each once.
    pub own: Vec<Own>,
    /// How many names.
    pub count: Count,
    /// Groups of names with limits.
    pub sectors: Vec<Sector>,
    /// Weights that are held now, by index; none at all if nothing is.
    pub current: Vec<f64>,
    /// The sum of what is bought and what is sold, at most, as a part of the capital.
    pub turnover: Option<f64>,
    /// What trading costs; it is taken off the return.
    pub costs: Costs,
}

impl Default for Mandate {
    /// Fully invested, long, and nothing else.
    fn default() -> Self {
        Mandate {
            net: Span::exactly(1.0),
            gross: None,
            long: Span { min: 0.0, max: 1.0 },
            short: None,
            own: Vec::new(),
            count: Count::Any,
            sectors: Vec::new(),
            current: Vec::new(),
            turnover: None,
            costs: Costs::default(),
        }
    }
}

/// A mandate that says what cannot be meant.
#[derive(Clone, PartialEq, Debug, Error)]
#[error("{key}: {why}")]
pub struct Refused {
    /// Of which part, as a mandate's file calls it.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

fn refuse<T>(key: impl Into<String>, why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { key: key.into(), why: why.into() })
}

/// A size: finite, not negative, not absurd, in order.
fn sizes(key: &str, span: Span) -> Result<(), Refused> {
    for (end, value) in [("min", span.min), ("max", span.max)] {
        if !(0.0..=MOST_WEIGHT).contains(&value) {
            return refuse(key, format!("{end} is {value}, and must be 0 to {MOST_WEIGHT}"));
        }
    }
    if span.min > span.max {
        return refuse(key, format!("min {} is above max {}", span.min, span.max));
    }
    Ok(())
}

/// A net weight.
fn net(key: &str, span: Span) -> Result<(), Refused> {
    for (end, value) in [("min", span.min), ("max", span.max)] {
        if !(-MOST_WEIGHT..=MOST_WEIGHT).contains(&value) {
            return refuse(key, format!("{end} is {value}, and must be -{MOST_WEIGHT} to {MOST_WEIGHT}"));
        }
    }
    if span.min > span.max {
        return refuse(key, format!("min {} is above max {}", span.min, span.max));
    }
    Ok(())
}

impl Mandate {
    /// Is each part of it, by itself, something that can be meant for this universe? Whether all can be met together is
    /// another question ([`crate::feasible`]).
    ///
    /// # Errors
    /// The first part that is not.
    pub fn check(&self, universe: &Universe) -> Result<(), Refused> {
        let names = universe.len();
        let name = |at: usize| universe.names().get(at).cloned().unwrap_or_else(|| format!("#{at}"));
        net("net", self.net)?;
        sizes("long", self.long)?;
        self.short.map_or(Ok(()), |short| sizes("short", short))?;
        for (key, value) in [("gross", self.gross), ("turnover", self.turnover)] {
            if let Some(value) = value.filter(|value| !(0.0..=MOST_WEIGHT).contains(value)) {
                return refuse(key, format!("is {value}, and must be 0 to {MOST_WEIGHT}"));
            }
        }
        if let Count::AtMost(0) | Count::Exactly(0) = self.count {
            return refuse("count", "no name may be held; name a count of 1 or more");
        }
        let mut own = BTreeSet::new();
        for one in &self.own {
            let key = format!("holding {}", name(one.name));
            if one.name >= names {
                return refuse(key, format!("there are {names} names"));
            }
            if !own.insert(one.name) {
                return refuse(key, "is there twice; give a name one row");
            }
            [one.long, one.short].into_iter().flatten().try_for_each(|span| sizes(&key, span))?;
        }
        let mut called = BTreeSet::new();
        for sector in &self.sectors {
            let key = format!("sector {}", sector.name);
            if !called.insert(&sector.name) {
                return refuse(key, "is there twice; give a sector one row");
            }
            net(&key, sector.net)?;
            let mut members = BTreeSet::new();
            for member in &sector.members {
                if *member >= names {
                    return refuse(key, format!("has the name #{member}, and there are {names}"));
                }
                if !members.insert(member) {
                    return refuse(key, format!("has `{}` twice", name(*member)));
                }
            }
        }
        if !self.current.is_empty() && self.current.len() != names {
            return refuse("current", format!("has {} weights, and there are {names} names", self.current.len()));
        }
        if let Some(at) = self.current.iter().position(|w| !(-MOST_WEIGHT..=MOST_WEIGHT).contains(w)) {
            let why =
                format!("`{}` weighs {}, and must be -{MOST_WEIGHT} to {MOST_WEIGHT}", name(at), self.current[at]);
            return refuse("current", why);
        }
        for (key, rate) in [("costs.buy", self.costs.buy), ("costs.sell", self.costs.sell)] {
            if !(0.0..=1.0).contains(&rate) {
                return refuse(key, format!("is {rate}, and must be 0 to 1 of what is traded"));
            }
        }
        Ok(())
    }

    /// Size of a long holding of this name, if it may be held long.
    #[must_use]
    pub fn long_of(&self, name: usize) -> Option<Span> {
        self.own.iter().find(|own| own.name == name).map_or(Some(self.long), |own| own.long)
    }

    /// Size of a short holding of this name, if it may be held short.
    #[must_use]
    pub fn short_of(&self, name: usize) -> Option<Span> {
        self.own.iter().find(|own| own.name == name).map_or(self.short, |own| own.short)
    }

    /// What is held of this name now.
    #[must_use]
    pub fn current_of(&self, name: usize) -> f64 {
        self.current.get(name).copied().unwrap_or(0.0)
    }

    /// The names, at most.
    #[must_use]
    pub fn most_names(&self, names: usize) -> usize {
        match self.count {
            Count::Any => names,
            Count::AtMost(count) | Count::Exactly(count) => count.min(names),
        }
    }

    /// Must trades be told apart from weights: do they cost, or are they limited?
    #[must_use]
    pub fn minds_trades(&self) -> bool {
        self.turnover.is_some() || self.costs.buy > 0.0 || self.costs.sell > 0.0
    }

    /// What trading from what is held now to `weights` costs, as a part of the capital.
    #[must_use]
    pub fn cost_of(&self, weights: &[f64]) -> f64 {
        let trades = weights.iter().enumerate().map(|(name, w)| w - self.current_of(name));
        trades.map(|trade| if trade > 0.0 { trade * self.costs.buy } else { -trade * self.costs.sell }).sum()
    }

    /// What is bought and sold to get to `weights`, as a part of the capital.
    #[must_use]
    pub fn turnover_of(&self, weights: &[f64]) -> f64 {
        weights.iter().enumerate().map(|(name, w)| (w - self.current_of(name)).abs()).sum()
    }

    /// By how much `weights`, one for each name, miss the limit that they miss most; 0 if they keep to all. What a name's
    /// weight is that is not held is 0 exactly.
    ///
    /// # Panics
    /// If there are fewer weights than a sector has names for.
    #[must_use]
    pub fn violation_of(&self, weights: &[f64]) -> f64 {
        let beyond = |value: f64, span: Span| (span.min - value).max(value - span.max);
        let mut most = beyond(weights.iter().sum(), self.net);
        let gross: f64 = weights.iter().map(|w| w.abs()).sum();
        most = most.max(self.gross.map_or(0.0, |limit| gross - limit));
        most = most.max(self.turnover.map_or(0.0, |limit| self.turnover_of(weights) - limit));
        for sector in &self.sectors {
            most = most.max(beyond(sector.members.iter().map(|name| weights[*name]).sum(), sector.net));
        }
        for (name, w) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            let span = if *w > 0.0 { self.long_of(name) } else { self.short_of(name) };
            most = most.max(span.map_or(w.abs(), |span| beyond(w.abs(), span)));
        }
        let held = weights.iter().filter(|w| **w != 0.0).count();
        let free = |name: usize| [self.long_of(name), self.short_of(name)].into_iter().flatten().any(|s| s.min == 0.0);
        let miscounted = match self.count {
            Count::Any => false,
            Count::AtMost(count) => held > count,
            // One without a minimum may be held with a weight of 0.
            Count::Exactly(count) => {
                let more = || (0..weights.len()).filter(|name| weights[*name] == 0.0 && free(*name)).count();
                held > count || (held < count && held + more() < count)
            }
        };
        most.max(f64::from(u8::from(miscounted))).max(0.0)
    }
}
