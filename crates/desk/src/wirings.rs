//! The one visible list of what is plugged in, and what follows from it: which configurations there are, and the lane of
//! each.

use crate::detector::{Mixed, addition};
use crate::nearest::did_you_mean;
use anyhow::{Context, Result, bail};
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, ConfigError, Fleet};
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::log::FileHeader;
use firelane_gateway::shell::plug::mix::{self, Catalogue, Mix, SignalEntry, StrategyEntry};
use firelane_gateway::shell::plug::{self, Plugged, plugged, plugged_anywhere};
use firelane_gateway::shell::plugs::{Leaning, Listener, Maker, Taker, Tracker};
use std::sync::OnceLock;

/// Everything that `firelane` has: the first is what the demo trades, and a backtest, where no wiring is named.
/// Each can have a detector.
pub const ALL: &[Plugged] = &[
    plugged::<Taker>().with(addition::<Taker>()),
    plugged::<Maker>().with(addition::<Maker>()),
    plugged::<Tracker>().with(addition::<Tracker>()),
    plugged::<Listener>().with(addition::<Listener>()),
    plugged_anywhere::<Mix<Combined>>().with(addition::<Mixed<Combined>>()),
];

/// What `wiring = "mix"` can combine.
#[derive(Debug)]
pub struct Combined;

impl Catalogue for Combined {
    const SIGNALS: &'static [SignalEntry] = &[mix::signal::<Leaning>()];
    const STRATEGIES: &'static [StrategyEntry] =
        &[mix::strategy::<Taker>(), mix::strategy::<Maker>(), mix::strategy::<Tracker>()];
}

/// What a program of somebody else's has instead.
static OTHERS: OnceLock<Vec<Plugged>> = OnceLock::new();

/// What this program has.
pub(crate) fn all() -> &'static [Plugged] {
    OTHERS.get().map_or(ALL, Vec::as_slice)
}

/// What this program has, said once and before anything else.
pub(crate) fn plug_in(plugs: &[Plugged]) -> Result<()> {
    for (n, plug) in plugs.iter().enumerate() {
        if plugs.iter().take(n).any(|other| other.name == plug.name) {
            bail!("two of the plugs are named {:?}: a name stands for one", plug.name);
        }
    }
    if plugs.is_empty() {
        bail!("nothing is plugged in: name at least one plug");
    }
    OTHERS.set(plugs.to_vec()).ok().context("the program's plugs are named twice")
}

/// Version and commit of this program.
pub(crate) const VERSION: &str = env!("FIRELANE_BUILD");
/// What logs and tapes have for it.
pub(crate) const BUILD: &str = concat!("firelane ", env!("FIRELANE_BUILD"));

/// What the files of a lane say of themselves.
pub(crate) fn header(config: &Config, lane: &dyn Lane) -> FileHeader {
    FileHeader::new(&config.wiring, &config.text, Vec::new(), config.effects).built_by(BUILD).of_lane(lane)
}

/// A configuration of this program.
pub(crate) fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse_with(text, all())
}

/// The same of one lane or several.
pub(crate) fn fleet(text: &str) -> Result<Fleet, ConfigError> {
    Fleet::parse_with(text, all())
}

/// The default configuration of this program with every key explained.
pub(crate) fn sample() -> String {
    plug::sample(all())
}

/// What the demo trades, and a backtest, where no wiring is named.
pub(crate) fn first() -> &'static str {
    all().first().map_or("", |plug| plug.name)
}

/// What is plugged in under the name that a configuration has.
pub(crate) fn named(name: &str) -> Option<&'static Plugged> {
    all().iter().find(|plug| plug.name == name)
}

/// The lane that a configuration names. With a clock, every stage of an order's way is stamped.
pub(crate) fn build(config: &Config, clock: Option<Clock>) -> Result<Box<dyn Lane>> {
    let Some(plug) = named(&config.wiring) else {
        let known: Vec<String> = all().iter().map(|plug| format!("{:?} ({})", plug.name, plug.about)).collect();
        let known = known.join(", ");
        if config.wiring.is_empty() {
            bail!("wiring is not named, and no strategy is started by default: wiring = one of {known}");
        }
        let near = did_you_mean(&config.wiring, all().iter().map(|plug| plug.name));
        bail!("wiring = {:?}: must be one of {known}{near}", config.wiring);
    };
    plug.build(config, clock).with_context(|| format!("building the wiring {:?}", config.wiring))
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::{Currency, InstrumentId};
    use firelane_gateway::flow::book::BookKind;
    use firelane_gateway::shell::config::MIX;

    #[test]
    fn listed_rows_have_their_fields_their_books_and_their_limits() {
        let text = "wiring = \"listener\"\n[instruments]\nlisted = [\"A\"]\n[[instrument]]\nname = \"B-OF-LEVELS\"\n\
                    tick = \"0.05\"\nbook = \"levels\"\n[risk.symbols.B-OF-LEVELS]\nmax_position = 7\n\
                    [[currency]]\ncode = \"EUR\"\nrate = \"1.1\"\n";
        let lane = build(&parse(text).unwrap(), None).unwrap();
        let (a, b) = (InstrumentId(0), InstrumentId(1));
        assert_eq!(lane.instruments().get(b).map(|row| row.tick), Some(500));
        assert_eq!((lane.book(a).kind(), lane.book(b).kind()), (None, Some(BookKind::Levels)));
        assert_eq!(lane.gate().limits_of(b).max_position.0, 7);
        let open = |code| lane.gate().ledger().open_in(Currency::new(code).unwrap());
        assert_eq!(["USD", "EUR", "JPY"].map(|code| open(code).is_some()), [true, true, false]);
        let there = text.replace("tick", "venue = 1\ntick");
        let error = format!("{:#}", build(&parse(&there).unwrap(), None).err().unwrap());
        assert!(error.contains("risk.symbols.B-OF-LEVELS: must be the name of"), "{error}");
        let there = there.split("[risk").next().unwrap();
        let error = format!("{:#}", build(&parse(there).unwrap(), None).err().unwrap());
        assert!(error.contains("of the lane's venues"), "{error}");
    }

    #[test]
    fn every_wiring_builds_from_the_default_configuration() {
        for plug in ALL {
            let mix =
                if plug.name == MIX { "strategies = [\"maker\", \"taker\"]\nsignals = [\"imbalance\"]" } else { "" };
            let config = parse(&format!("wiring = {:?}\n{mix}", plug.name)).unwrap();
            assert!(build(&config, None).is_ok(), "{}", plug.name);
        }
        assert_eq!(parse(&sample()).unwrap().wiring, first());
        let error = build(&parse("wiring = \"none\"").unwrap(), None).err().unwrap().to_string();
        assert!(error.contains("\"market-maker\""), "{error}");
        let error = build(&parse("wiring = \"listner\"").unwrap(), None).err().unwrap().to_string();
        assert!(error.contains("did you mean \"listener\"?"), "{error}");
        let error = build(&parse("").unwrap(), None).err().unwrap().to_string();
        assert!(error.contains("no strategy is started by default") && error.contains("\"listener\""), "{error}");
    }
    #[test]
    fn a_list_has_something_and_no_name_twice() {
        let twice = plug_in(&[plugged::<Taker>(), plugged::<Maker>(), plugged::<Taker>()]).unwrap_err().to_string();
        assert!(twice.contains("\"imbalance-taker\""), "{twice}");
        assert!(plug_in(&[]).unwrap_err().to_string().contains("nothing is plugged in"));
        assert_eq!(all().len(), ALL.len());
    }
}
