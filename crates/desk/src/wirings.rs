//! The one visible list of what is plugged in: named wirings, each built from a checked configuration.

use crate::nearest::did_you_mean;
use anyhow::{Context, Result, bail};
use firelane_gateway::base::{InstrumentTable, PerVenue, State};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::book::{BookKind, Books};
use firelane_gateway::flow::entry::OuchEntry;
use firelane_gateway::flow::feed::Mold;
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::orders::Orders;
use firelane_gateway::flow::risk::Gate;
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::{ImbalanceTaker, MarketMaker, Strategy};
use firelane_gateway::flow::trading::Trading;
use firelane_gateway::flow::venue::{Multicast, VenueParts};
use firelane_gateway::flow::wiring::{Parts, Wiring};
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::log::FileHeader;
use firelane_gateway::shell::trace::StageProbe;
use std::marker::PhantomData;

/// Version and commit of this program.
pub(crate) const VERSION: &str = env!("FIRELANE_BUILD");
/// What logs and tapes have for it.
pub(crate) const BUILD: &str = concat!("firelane ", env!("FIRELANE_BUILD"));

/// What the files of a lane say of themselves.
pub(crate) fn header(config: &Config, lane: &dyn Lane) -> FileHeader {
    FileHeader::new(&config.wiring, &config.text, Vec::new(), config.effects).built_by(BUILD).of_lane(lane)
}

/// A wiring by name.
struct Named {
    name: &'static str,
    what: &'static str,
    build: fn(&Config, StageProbe) -> Result<Box<dyn Lane>>,
}

/// Every wiring there is.
const WIRINGS: [Named; 3] = [
    Named {
        name: "imbalance-taker",
        what: "takes the opposite best when the book leans",
        build: |config, probe| lane(config, probe, ImbalanceTaker::new(&config.taker, config.instruments)?),
    },
    Named {
        name: "market-maker",
        what: "quotes both sides and leans against its inventory",
        build: |config, probe| lane(config, probe, MarketMaker::new(&config.maker, config.instruments)?),
    },
    Named {
        name: "listener",
        what: "keeps exact books and sends nothing",
        build: |config, probe| lane(config, probe, ()),
    },
];

/// Nasdaq equities: ITCH 5.0 in, OUCH 5.0 out, book imbalance as the signal.
struct Nasdaq<S>(PhantomData<S>);

impl<S: Strategy<Imbalance>> Wiring for Nasdaq<S> {
    type Venue = Multicast<ItchLine, OuchEntry>;
    type Signal = Imbalance;
    type Strategy = S;
    type Probe = StageProbe;
}

/// What the demo trades, and a backtest, where no other wiring is named.
pub(crate) const DEMO: &str = "imbalance-taker";

/// The lane that a configuration names. With a clock, every stage of an order's way is stamped.
pub(crate) fn build(config: &Config, clock: Option<Clock>) -> Result<Box<dyn Lane>> {
    let Some(wiring) = WIRINGS.iter().find(|w| w.name == config.wiring) else {
        let known: Vec<String> = WIRINGS.iter().map(|w| format!("{:?} ({})", w.name, w.what)).collect();
        let known = known.join(", ");
        if config.wiring.is_empty() {
            bail!("wiring is not named, and no strategy is started by default: wiring = one of {known}");
        }
        let near = did_you_mean(&config.wiring, WIRINGS.iter().map(|w| w.name));
        bail!("wiring = {:?}: must be one of {known}{near}", config.wiring);
    };
    (wiring.build)(config, StageProbe::new(clock)).with_context(|| format!("building the wiring {:?}", config.wiring))
}

fn lane<S>(config: &Config, probe: StageProbe, strategy: S) -> Result<Box<dyn Lane>>
where
    S: Strategy<Imbalance> + State + Send + 'static,
{
    let instruments = InstrumentTable::new(&config.listed, config.instruments, config.directory);
    let mut gate = Gate::new(&config.risk, config.instruments)?;
    gate.set_currencies(&config.currencies)?;
    for ((venue, name), limits) in &config.risk_of {
        let Some(id) = instruments.find(*venue, *name) else {
            bail!("risk.symbols.{name}: limits of its own need it in instruments.listed or an [[instrument]]");
        };
        gate.set_limits(id, *limits)?;
    }
    let mut books = Books::new(config.books);
    for (venue, name) in &config.of_levels {
        if let Some(id) = instruments.find(*venue, *name) {
            books.set_kind(id, BookKind::Levels);
        }
    }
    let parts = Parts {
        lane: 0,
        tags: config.tags,
        venues: PerVenue::one(VenueParts {
            feed: Mold::new(config.feed)?,
            line: ItchLine::new(config.day),
            books,
            trading: Trading::new(config.trading, config.instruments),
            entry: OuchEntry::new(config.entry.clone())?,
        }),
        signal: Imbalance::new(&config.imbalance)?,
        strategy,
        gate,
        orders: Orders::new(&config.orders)?,
        instruments,
        probe,
        policy: config.policy,
    };
    Ok(Box::new(Gateway::<Nasdaq<S>>::new(parts)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::{Currency, InstrumentId};

    #[test]
    fn listed_rows_have_their_fields_their_books_and_their_limits() {
        let text = "wiring = \"listener\"\n[instruments]\nlisted = [\"A\"]\n[[instrument]]\nname = \"B-OF-LEVELS\"\n\
                    tick = \"0.05\"\nbook = \"levels\"\n[risk.symbols.B-OF-LEVELS]\nmax_position = 7\n\
                    [[currency]]\ncode = \"EUR\"\nrate = \"1.1\"\n";
        let lane = build(&Config::parse(text).unwrap(), None).unwrap();
        let (a, b) = (InstrumentId(0), InstrumentId(1));
        assert_eq!(lane.instruments().get(b).map(|row| row.tick), Some(500));
        assert_eq!((lane.book(a).kind(), lane.book(b).kind()), (None, Some(BookKind::Levels)));
        assert_eq!(lane.gate().limits_of(b).max_position.0, 7);
        let open = |code| lane.gate().ledger().open_in(Currency::new(code).unwrap());
        assert_eq!(["USD", "EUR", "JPY"].map(|code| open(code).is_some()), [true, true, false]);
        let there = text.replace("tick", "venue = 1\ntick");
        let error = format!("{:#}", build(&Config::parse(&there).unwrap(), None).err().unwrap());
        assert!(error.contains("risk.symbols.B-OF-LEVELS: limits of its own need it"), "{error}");
        let there = there.split("[risk").next().unwrap();
        let error = format!("{:#}", build(&Config::parse(there).unwrap(), None).err().unwrap());
        assert!(error.contains("of the lane's venues"), "{error}");
    }

    #[test]
    fn every_wiring_builds_from_the_default_configuration() {
        for wiring in WIRINGS {
            let config = Config::parse(&format!("wiring = {:?}", wiring.name)).unwrap();
            assert!(build(&config, None).is_ok(), "{}", wiring.name);
        }
        let error = build(&Config::parse("wiring = \"none\"").unwrap(), None).err().unwrap().to_string();
        assert!(error.contains("\"market-maker\""), "{error}");
        let error = build(&Config::parse("wiring = \"listner\"").unwrap(), None).err().unwrap().to_string();
        assert!(error.contains("did you mean \"listener\"?"), "{error}");
        let error = build(&Config::parse("").unwrap(), None).err().unwrap().to_string();
        assert!(error.contains("no strategy is started by default") && error.contains("\"listener\""), "{error}");
    }
}
