//! The market maker.

use super::{ImbalanceParams, sizes};
use crate::base::{Nanos, Qty};
use crate::flow::signal::Imbalance;
use crate::flow::strategy::{MarketMaker, MarketMakerConfig, Reference};
use crate::flow::wiring::Parts;
use crate::shell::config::check::{within, word};
use crate::shell::config::{Config, ConfigError};
use crate::shell::plug::mix::StrategyPlug;
use crate::shell::plug::{BuildError, House, Nasdaq, Plug};

crate::params! {
    /// of the wiring "market-maker"
    pub struct MakerParams in "maker" {
        /// quote from the "best" of the side or from the "mid"
        reference: String = "best".into(),
        /// ticks from it
        offset: u32 = 0,
        /// both quotes move against the position, thousandths of a tick a lot
        skew: u32 = 500,
        /// shares of each quote
        size: i64 = 100,
        /// a quote with fewer shares is filled up
        refill: i64 = 1,
        /// largest position that it builds, long or short
        max_position: i64 = 500,
        /// a quote stays while it is no further off than this, in ticks
        requote: u32 = 0,
        /// after a refusal
        pause_us: u64 = 100_000,
    }
    check = |params| {
        within("maker.pause_us", params.pause_us, 0..=3_600_000_000, "0 to 3600000000")?;
        Ok(params.config()?.check()?)
    };
}

impl MakerParams {
    /// As the strategy takes them.
    ///
    /// # Errors
    /// [`ConfigError`]: the reference is neither word.
    pub fn config(&self) -> Result<MarketMakerConfig, ConfigError> {
        let references = [("mid", Reference::Mid), ("best", Reference::Best)];
        Ok(MarketMakerConfig {
            reference: word("maker.reference", &self.reference, &references, "\"mid\" or \"best\"")?,
            offset: self.offset,
            skew: self.skew,
            size: Qty(self.size),
            refill: Qty(self.refill),
            max_position: Qty(self.max_position),
            requote: self.requote,
            pause: Nanos::from_micros(self.pause_us),
        })
    }
}

/// Quotes both sides and leans against its inventory: see [`MarketMaker`].
#[derive(Debug)]
pub struct Maker;

impl Plug for Maker {
    const NAME: &'static str = "market-maker";
    const ABOUT: &'static str = "quotes both sides and leans against its inventory";
    type Params = (MakerParams, ImbalanceParams);
    type Wiring = Nasdaq<Imbalance, MarketMaker>;

    fn parts((maker, imbalance): Self::Params, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        let instruments = house.instruments();
        house.with(Imbalance::new(&imbalance.config())?, MarketMaker::new(&maker.config()?, instruments)?)
    }

    fn warnings((maker, _): &Self::Params, config: &Config) -> Vec<String> {
        sizes::warnings("maker", maker.size, maker.max_position, config)
    }
}

impl StrategyPlug for Maker {
    const NAME: &'static str = "maker";
    type Params = MakerParams;
    type Signal = Imbalance;
    type Strategy = MarketMaker;

    fn strategy(params: Self::Params, config: &Config) -> Result<Self::Strategy, BuildError> {
        Ok(MarketMaker::new(&params.config()?, config.instruments)?)
    }
}
