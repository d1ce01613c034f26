//! What trades in a lane, as one thing: a name, its parameters with their own tables of the configuration, and how its parts
//! are built. A list of them is what a program can run: [`run`](crate::run) takes one, `firelane` many.
//!
//! ```
//! use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
//! use firelane_gateway::flow::wiring::Parts;
//! use firelane_gateway::shell::config::Config;
//! use firelane_gateway::shell::plug::{BuildError, House, Nasdaq, Plug, plugged, sample};
//!
//! firelane_gateway::params! {
//!     /// Watches how far the book leans.
//!     pub struct WatchParams in "watch" {
//!         /// Levels of each side that are weighed: 1 to 64.
//!         levels: u32 = 3,
//!     }
//! }
//!
//! struct Watch;
//!
//! impl Plug for Watch {
//!     const NAME: &'static str = "watch";
//!     const ABOUT: &'static str = "weighs the book and sends nothing";
//!     type Params = WatchParams;
//!     type Wiring = Nasdaq<Imbalance, ()>;
//!
//!     fn parts(params: WatchParams, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
//!         house.with(Imbalance::new(&ImbalanceConfig { levels: params.levels })?, ())
//!     }
//! }
//!
//! let mine = plugged::<Watch>();
//! let config = Config::parse_with("wiring = \"watch\"\n[watch]\nlevels = 5\n", &[mine])?;
//! assert_eq!(mine.build(&config, None)?.inputs(), 0);
//! assert!(Config::parse_with("[watch]\nlevel = 5\n", &[mine]).is_err());
//! assert!(sample(&[mine]).contains("levels = 3                 # Levels of each side that are weighed"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod house;
pub mod mix;
pub mod params;

pub use house::{AnyKind, Ends, House, Nasdaq, OfAnyKind, OfLevels, OfNasdaq};
pub use params::{Key, Params, Table};
/// For [`params!`](crate::params).
pub use serde;
/// For [`params!`](crate::params).
pub use toml;

use super::clock::Clock;
use super::config::{Config, ConfigError, SAMPLE, VenueKind};
use super::lane::Lane;
use super::trace::StageProbe;
use crate::base::OutOfRange;
use crate::flow::Gateway;
use crate::flow::wiring::{Parts, Wiring};
use std::error::Error;
use std::fmt::{self, Write};

/// Something that can trade in a lane, and all that is to be known of it.
pub trait Plug: 'static {
    /// Its name, which `wiring` says in a configuration. A log is run again by whoever has this name.
    const NAME: &'static str;
    /// What it does, in half a line.
    const ABOUT: &'static str;
    /// Its parameters: a struct made by [`params!`](crate::params), several as a tuple, or `()`.
    type Params: Params;
    /// The parts of its lanes, by type: [`Nasdaq`], or [`AnyKind`] for venues of several kinds, unless it has ends of its own.
    type Wiring: Wiring;

    /// Builds a lane's parts. Everything is allocated here.
    ///
    /// # Errors
    /// [`BuildError`]: what the parts say of their settings, naming the key.
    fn parts(params: Self::Params, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError>;

    /// What can be built and cannot work, or will surprise, as `firelane check` says it and a run at its start.
    fn warnings(params: &Self::Params, config: &Config) -> Vec<String> {
        let _ = (params, config);
        Vec::new()
    }
}

/// Why a lane cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Its configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A part refuses a value.
    #[error(transparent)]
    Range(#[from] OutOfRange),
    /// What a plug says itself: a file of its own that cannot be read.
    #[error(transparent)]
    Other(#[from] Box<dyn Error + Send + Sync>),
}

impl BuildError {
    /// The key of the configuration that is refused, with its table.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            BuildError::Config(error) => error.key(),
            BuildError::Range(range) => Some(range.field),
            BuildError::Other(_) => None,
        }
    }
}

/// A lane without its type, or why there is none.
pub type Built = Result<Box<dyn Lane>, BuildError>;

type Build = fn(&Config, StageProbe) -> Built;

/// A [`Plug`] without its type: an entry of a program's list. See [`plugged`].
#[derive(Clone, Copy)]
pub struct Plugged {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    tables: fn() -> Vec<Table>,
    check: fn(&str) -> Result<(), ConfigError>,
    warnings: fn(&Config) -> Vec<String>,
    build: Build,
    addition: Option<Addition>,
}

/// What a program adds to a plug of its list: tables of its own, and a lane that is built otherwise where these ask for it. See
/// [`Plugged::with`].
#[derive(Clone, Copy, Debug)]
pub struct Addition {
    /// Its tables of the configuration.
    pub tables: fn() -> Vec<Table>,
    /// Reads them, and says what is wrong with them.
    pub check: fn(&str) -> Result<(), ConfigError>,
    /// Builds the lane, if the configuration asks for what is added; `None`: it does not, and the plug builds its own.
    pub build: fn(&Config, StageProbe) -> Option<Built>,
}

impl fmt::Debug for Plugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugged").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The entry of a list for `P`.
#[must_use]
pub const fn plugged<P: Plug>() -> Plugged
where
    Gateway<P::Wiring>: Lane,
{
    Plugged {
        name: P::NAME,
        about: P::ABOUT,
        tables: P::Params::tables,
        check: |text| P::Params::read(text).map(|_| ()),
        warnings: |config| P::Params::read(&config.text).map_or(Vec::new(), |params| P::warnings(&params, config)),
        build: |config, probe| Ok(Box::new(gateway::<P>(config, probe)?)),
        addition: None,
    }
}

/// A plug for venues of any kind that pays for no other kind where it has Nasdaq's alone: its wiring is chosen by what is
/// configured. One whose [`Wiring`](Plug::Wiring) is [`AnyKind`] needs none of this.
pub trait Anywhere: Plug {
    /// The parts of its lanes where there is a venue of another kind than Nasdaq's.
    type Any: Wiring;

    /// Builds them.
    ///
    /// # Errors
    /// [`BuildError`]: what the parts say of their settings, naming the key.
    fn parts_anywhere(params: Self::Params, house: House<'_>) -> Result<Parts<Self::Any>, BuildError>;
}

/// The entry of a list for `P`, at venues of any kind.
#[must_use]
pub const fn plugged_anywhere<P: Anywhere>() -> Plugged
where
    Gateway<P::Wiring>: Lane,
    Gateway<P::Any>: Lane,
{
    Plugged {
        build: |config, probe| {
            if config.venues.iter().all(|(_, venue)| venue.kind == VenueKind::Nasdaq) {
                return Ok(Box::new(gateway::<P>(config, probe)?));
            }
            let params = P::Params::read(&config.text)?;
            Ok(Box::new(Gateway::new(P::parts_anywhere(params, House::new(config, probe))?)?))
        },
        ..plugged::<P>()
    }
}

/// The lane of a plug, with its type.
///
/// # Errors
/// [`BuildError`].
pub fn gateway<P: Plug>(config: &Config, probe: StageProbe) -> Result<Gateway<P::Wiring>, BuildError> {
    let params = P::Params::read(&config.text)?;
    Ok(Gateway::new(P::parts(params, House::new(config, probe))?)?)
}

impl Plugged {
    /// The same, with something added.
    #[must_use]
    pub const fn with(self, addition: Addition) -> Self {
        Plugged { addition: Some(addition), ..self }
    }

    /// Its tables of the configuration.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        let added = self.addition.map_or(Vec::new(), |addition| (addition.tables)());
        (self.tables)().into_iter().chain(added).collect()
    }

    /// Reads its tables of a configuration, and says what is wrong with them.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key that is wrong.
    pub fn check(&self, text: &str) -> Result<(), ConfigError> {
        (self.check)(text)?;
        self.addition.map_or(Ok(()), |addition| (addition.check)(text))
    }

    /// See [`Plug::warnings`].
    #[must_use]
    pub fn warnings(&self, config: &Config) -> Vec<String> {
        (self.warnings)(config)
    }

    /// A lane of its own, whatever `wiring` says. With a clock, every stage of an order's way is stamped.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(&self, config: &Config, clock: Option<Clock>) -> Result<Box<dyn Lane>, BuildError> {
        let added = self.addition.and_then(|addition| (addition.build)(config, StageProbe::new(clock.clone())));
        added.unwrap_or_else(|| (self.build)(config, StageProbe::new(clock)))
    }
}

/// The tables of a list, each once: plugs may share one.
#[must_use]
pub fn tables(plugs: &[Plugged]) -> Vec<Table> {
    let mut all: Vec<Table> = Vec::new();
    for table in plugs.iter().flat_map(Plugged::tables) {
        if !all.iter().any(|known| known.name == table.name) {
            all.push(table);
        }
    }
    all
}

/// The default configuration of a program with these plugs, with every key explained; it names the first of them.
#[must_use]
pub fn sample(plugs: &[Plugged]) -> String {
    let mut wiring = String::new();
    let width = plugs.iter().map(|plug| plug.name.len() + 2).max().unwrap_or(0);
    for plug in plugs {
        let _infallible = writeln!(wiring, "#   {:width$}  {}", format!("{:?}", plug.name), plug.about);
    }
    let _infallible = write!(wiring, "wiring = {:?}", plugs.first().map_or("", |plug| plug.name));
    let text = SAMPLE.replacen("wiring = \"\"", &wiring, 1);
    // What trades stands before the log: behind that comes what a lane needs that is live.
    let (before, behind) = text.split_once("\n[log]").unwrap_or((&text, ""));
    let own: String = tables(plugs).iter().map(|table| format!("\n{table}")).collect();
    format!("{before}{own}\n[log]{behind}")
}

#[cfg(test)]
mod tests;
