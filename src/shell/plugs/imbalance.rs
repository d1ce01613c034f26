//! The table of the imbalance signal.

use crate::flow::signal::ImbalanceConfig;

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
