//! The lane that is measured: `firelane`'s imbalance taker on Nasdaq equities, with the probe of the measurement.

use anyhow::Result;
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::ImbalanceTaker;
use firelane_gateway::flow::wiring::Probe;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::plug::{House, Nasdaq, Params, Plug, Plugged, plugged};
use firelane_gateway::shell::plugs;

/// ITCH in, OUCH out, stages told to a `P`.
pub type Taker<P> = Nasdaq<Imbalance, ImbalanceTaker, P>;

/// What is plugged in.
pub const PLUGS: &[Plugged] = &[plugged::<plugs::Taker>()];

/// The lane of a configuration.
///
/// # Errors
/// What the parts say of their settings.
pub fn gateway<P: Probe>(config: &Config, probe: P) -> Result<Gateway<Taker<P>>> {
    let (taker, imbalance) = <plugs::Taker as Plug>::Params::read(&config.text)?;
    let strategy = ImbalanceTaker::new(&taker.config(), config.instruments)?;
    Ok(Gateway::new(House::new(config, probe).with(Imbalance::new(&imbalance.config())?, strategy)?)?)
}
