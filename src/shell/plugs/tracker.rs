//! The target tracker.

use super::sizes;
use crate::base::{Nanos, Qty};
use crate::flow::strategy::{Expired, TargetTracker, TargetTrackerConfig};
use crate::flow::wiring::Parts;
use crate::shell::config::check::{within, word};
use crate::shell::config::{Config, ConfigError};
use crate::shell::plug::mix::StrategyPlug;
use crate::shell::plug::{BuildError, House, Nasdaq, Plug};

crate::params! {
    /// of the wiring "target-tracker"
    pub struct TrackerParams in "tracker" {
        /// most shares of an order
        size: i64 = 100,
        /// a position so near its target is left alone
        band: i64 = 0,
        /// after an order, nothing more in the instrument for so long
        cooldown_us: u64 = 10_000,
        /// once a target has expired: "hold" the position, or go "flat"
        expired: String = "hold".into(),
    }
    check = |params| {
        within("tracker.cooldown_us", params.cooldown_us, 0..=3_600_000_000, "0 to 3600000000")?;
        Ok(params.config()?.check()?)
    };
}

impl TrackerParams {
    /// As the strategy takes them.
    ///
    /// # Errors
    /// [`ConfigError`]: what is to become of expired targets is neither word.
    pub fn config(&self) -> Result<TargetTrackerConfig, ConfigError> {
        let words = [("hold", Expired::Hold), ("flat", Expired::Flat)];
        Ok(TargetTrackerConfig {
            size: Qty(self.size),
            band: Qty(self.band),
            cooldown: Nanos::from_micros(self.cooldown_us),
            expired: word("tracker.expired", &self.expired, &words, "\"hold\" or \"flat\"")?,
        })
    }
}

/// Trades towards the positions that it is told to hold: see [`TargetTracker`].
#[derive(Debug)]
pub struct Tracker;

impl Plug for Tracker {
    const NAME: &'static str = "target-tracker";
    const ABOUT: &'static str = "trades towards the positions that it is told to hold";
    type Params = TrackerParams;
    type Wiring = Nasdaq<(), TargetTracker>;

    fn parts(tracker: Self::Params, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        let instruments = house.instruments();
        house.with((), TargetTracker::new(&tracker.config()?, instruments)?)
    }

    fn warnings(tracker: &Self::Params, config: &Config) -> Vec<String> {
        // How far a position goes is for whoever says the targets.
        sizes::warnings("tracker", tracker.size, tracker.size, config)
    }
}

impl StrategyPlug for Tracker {
    const NAME: &'static str = "tracker";
    type Params = TrackerParams;
    type Signal = ();
    type Strategy = TargetTracker;

    fn strategy(params: Self::Params, config: &Config) -> Result<Self::Strategy, BuildError> {
        Ok(TargetTracker::new(&params.config()?, config.instruments)?)
    }
}
