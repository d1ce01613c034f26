//! The table of the imbalance signal.

use crate::flow::signal::{Imbalance, ImbalanceConfig};
use crate::shell::config::Config;
use crate::shell::plug::BuildError;
use crate::shell::plug::mix::SignalPlug;

crate::params! {
    /// the signal: which side of the book is heavier
    pub struct ImbalanceParams in "imbalance" {
        /// levels of each side that are weighed
        levels: u32 = 1,
    }
    check = |params| Ok(params.config().check()?);
}

impl ImbalanceParams {
    /// As the signal takes it.
    #[must_use]
    pub fn config(&self) -> ImbalanceConfig {
        ImbalanceConfig { levels: self.levels }
    }
}

/// What a mix names to have it.
#[derive(Debug)]
pub struct Leaning;

impl SignalPlug for Leaning {
    const NAME: &'static str = "imbalance";
    type Params = ImbalanceParams;
    type Signal = Imbalance;

    fn signal(params: Self::Params, _: &Config) -> Result<Self::Signal, BuildError> {
        Ok(Imbalance::new(&params.config())?)
    }
}
