//! Scores by chance: what is met without looking.

use super::{ALERTS, Build, Contestant, Heard, Scores, Spent};
use firelane_sim::rng::Rng;

/// Gives every event a score by chance.
#[derive(Clone, Debug)]
pub struct Chance {
    rng: Rng,
    spent: Spent,
}

impl Chance {
    /// Of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Chance { rng: Rng::new(seed, "chance"), spent: Spent::default() }
    }
}

impl Contestant for Chance {
    fn name(&self) -> &'static str {
        "chance"
    }

    fn restart(&mut self) {}

    fn hear(&mut self, _: &Heard<'_>) -> Scores {
        self.spent.events += 1;
        // 24 bits: each is a number of its own.
        ALERTS.map(|_| (self.rng.u64() >> 40) as f32)
    }

    fn build(&self) -> Build {
        Build::default()
    }

    fn spent(&self) -> Spent {
        self.spent
    }
}
