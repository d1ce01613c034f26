//! The imbalance taker.

use super::{ImbalanceParams, sizes};
use crate::base::{Nanos, Qty};
use crate::flow::signal::Imbalance;
use crate::flow::strategy::{ImbalanceTaker, ImbalanceTakerConfig};
use crate::flow::wiring::Parts;
use crate::shell::config::Config;
use crate::shell::config::check::within;
use crate::shell::plug::mix::StrategyPlug;
use crate::shell::plug::{BuildError, House, Nasdaq, Plug};

crate::params! {
    /// of the wiring "imbalance-taker"
    pub struct TakerParams in "taker" {
        /// take at this imbalance, in millionths
        threshold: i64 = 800_000,
        /// close when the imbalance in favour falls below this
        exit: i64 = 0,
        /// most shares of an order
        size: i64 = 100,
        /// largest position that it builds, long or short
        max_position: i64 = 500,
        /// after an order, nothing more in the instrument for so long
        cooldown_us: u64 = 10_000,
    }
    check = |params| {
        within("taker.cooldown_us", params.cooldown_us, 0..=3_600_000_000, "0 to 3600000000")?;
        Ok(params.config().check()?)
    };
}

impl TakerParams {
    /// As the strategy takes them.
    #[must_use]
    pub fn config(&self) -> ImbalanceTakerConfig {
        ImbalanceTakerConfig {
            threshold: self.threshold,
            exit: self.exit,
            size: Qty(self.size),
            max_position: Qty(self.max_position),
            cooldown: Nanos::from_micros(self.cooldown_us),
        }
    }
}

/// Takes the opposite best when the book leans: see [`ImbalanceTaker`].
#[derive(Debug)]
pub struct Taker;

impl Plug for Taker {
    const NAME: &'static str = "imbalance-taker";
    const ABOUT: &'static str = "takes the opposite best when the book leans";
    type Params = (TakerParams, ImbalanceParams);
    type Wiring = Nasdaq<Imbalance, ImbalanceTaker>;

    fn parts((taker, imbalance): Self::Params, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        let instruments = house.instruments();
        house.with(Imbalance::new(&imbalance.config())?, ImbalanceTaker::new(&taker.config(), instruments)?)
    }

    fn warnings((taker, _): &Self::Params, config: &Config) -> Vec<String> {
        sizes::warnings("taker", taker.size, taker.max_position, config)
    }
}

impl StrategyPlug for Taker {
    const NAME: &'static str = "taker";
    type Params = TakerParams;
    type Signal = Imbalance;
    type Strategy = ImbalanceTaker;

    fn strategy(params: Self::Params, config: &Config) -> Result<Self::Strategy, BuildError> {
        Ok(ImbalanceTaker::new(&params.config(), config.instruments)?)
    }
}
