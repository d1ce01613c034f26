//! A lane that only watches.

use super::ImbalanceParams;
use crate::flow::signal::Imbalance;
use crate::flow::wiring::Parts;
use crate::shell::plug::{BuildError, House, Nasdaq, Plug};

/// Keeps exact books and sends nothing.
#[derive(Debug)]
pub struct Listener;

impl Plug for Listener {
    const NAME: &'static str = "listener";
    const ABOUT: &'static str = "keeps exact books and sends nothing";
    type Params = ImbalanceParams;
    type Wiring = Nasdaq<Imbalance, ()>;

    fn parts(params: Self::Params, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        house.with(Imbalance::new(&params.config())?, ())
    }
}
