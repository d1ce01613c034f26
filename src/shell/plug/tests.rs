//! Parameters and lists, as a program has them.

use super::*;
use crate::flow::signal::{Imbalance, ImbalanceConfig};
use crate::flow::wiring::Wiring;
use crate::shell::plugs::{Listener, Maker, Taker};
use crate::shell::trace::StageProbe;

crate::params! {
    /// Of the wiring "probing".
    struct ProbingParams in "probing" {
        /// Levels.
        levels: u32 = 2,
        /// One line.
        /// And another, which does not fit behind a key.
        names: Vec<String> = vec!["a".into()],
        /// None by default.
        most: Option<i64> = None,
        deep_and_very_long_name: bool = false,
    }
    check = |params| match params.levels {
        1..=64 => Ok(()),
        levels => Err(crate::shell::config::check::refuse("probing.levels", levels, "1 to 64")),
    };
}

struct Probing;

impl Plug for Probing {
    const NAME: &'static str = "probing";
    const ABOUT: &'static str = "has every kind of key";
    type Params = ProbingParams;
    type Wiring = Nasdaq<Imbalance, ()>;

    fn parts(params: ProbingParams, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        if let Some(most) = params.most {
            return Err(BuildError::Other(format!("no more than {most}").into()));
        }
        house.with(Imbalance::new(&ImbalanceConfig { levels: params.levels })?, ())
    }

    fn warnings(params: &ProbingParams, config: &Config) -> Vec<String> {
        vec![format!("{} levels, {} instruments", params.levels, config.instruments)]
    }
}

const ALL: &[Plugged] = &[plugged::<Taker>(), plugged::<Maker>(), plugged::<Listener>(), plugged::<Probing>()];
const MINE: &[Plugged] = &[plugged::<Probing>()];

#[test]
fn a_sample_has_every_table_once_with_its_defaults_and_comments() {
    let text = sample(ALL);
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["wiring"].as_str(), Some("imbalance-taker"));
    for name in ["imbalance", "taker", "maker", "probing", "risk", "log", "replay"] {
        assert_eq!(text.matches(&format!("\n[{name}]")).count(), 1, "[{name}] of {text}");
    }
    assert_eq!(table["probing"]["levels"].as_integer(), Some(2));
    assert_eq!(table["probing"]["names"][0].as_str(), Some("a"));
    for line in [
        "[probing]                  # Of the wiring \"probing\".",
        "levels = 2                 # Levels.",
        "# One line.\n# And another, which does not fit behind a key.\nnames = [\"a\"]",
        "# most =                   # None by default.",
        "\ndeep_and_very_long_name = false\n",
        "#   \"imbalance-taker\"  takes the opposite best when the book leans\n",
        "#   \"probing\"          has every kind of key\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    // It is what it says: the default, with something that trades.
    let config = Config::parse_with(&text, ALL).unwrap();
    for plug in ALL {
        assert!(plug.build(&config, None).is_ok(), "{plug:?}");
        assert!(plug.check(&text).is_ok());
    }
    assert_eq!(ProbingParams::read(&text).unwrap(), ProbingParams::default());
    // Nothing of another program's.
    assert!(!sample(MINE).contains("taker"), "{}", sample(MINE));
}

#[test]
fn an_error_names_the_key_and_what_is_allowed() {
    let error = |text: &str, plugs: &[Plugged]| Config::parse_with(text, plugs).unwrap_err();
    for (text, key, allowed) in [
        ("[taker]\nthreshold = 0", "taker.threshold", "1 to 1000000"),
        ("[taker]\ncooldown_us = 3600000001", "taker.cooldown_us", "0 to 3600000000"),
        ("[maker]\nreference = \"x\"", "maker.reference", "\"mid\" or \"best\""),
        ("[maker]\npause_us = 3600000001", "maker.pause_us", "0 to 3600000000"),
        ("[imbalance]\nlevels = 65", "imbalance.levels", "1 to 64"),
        ("[probing]\nlevels = 65", "probing.levels", "1 to 64"),
        ("nonsense = 1", "nonsense", "probing"),
        ("[prober]\nlevels = 1", "prober", "probing"),
        ("[taker]\nthreshhold = 1", "threshhold", "threshold"),
        ("[probing]\nlevel = 1", "level", "`levels`, `names`"),
        ("[probing]\nlevels = \"many\"", "levels", "expected u32"),
    ] {
        let said = error(text, ALL);
        assert!(said.to_string().contains(key) && said.to_string().contains(allowed), "{text:?} gives {said}");
        assert!(said.key().is_none_or(|named| named == key), "{said:?}");
    }
    // What stands in a table of a plug is found by its place in the whole text.
    let text = "# A line.\n[risk]\nburst = 3\n[probing]\nlevels = 1\nlevel = 1\n";
    let ConfigError::Toml(said) = error(text, ALL) else { panic!("no place") };
    assert_eq!(&text[said.span().unwrap()], "level");
    // A table of what is not plugged in is none of this program's.
    assert_eq!(error("[taker]\nsize = 1", MINE).key(), Some("taker"));
    assert_eq!(error("[taker]\nsize = 1", &[]).key(), Some("taker"));
    for good in ["[taker]\ncooldown_us = 3600000000", "[maker]\npause_us = 3600000000", "[probing]\nlevels = 64"] {
        Config::parse_with(good, ALL).unwrap();
    }
}

#[test]
fn what_a_plug_says_of_itself_arrives() {
    let config = Config::parse_with("[probing]\nmost = 3\nlevels = 4\n[instruments]\ncapacity = 9\n", MINE).unwrap();
    assert_eq!(MINE[0].warnings(&config), ["4 levels, 9 instruments"]);
    let error = MINE[0].build(&config, None).err().unwrap();
    assert_eq!((error.key(), error.to_string()), (None, "no more than 3".to_owned()));
    let limits = "wiring = \"listener\"\n[risk.symbols.AAPL]\nmax_order_qty = 1\n";
    let error = plugged::<Listener>().build(&Config::parse(limits).unwrap(), None).err().unwrap();
    assert_eq!(error.key(), Some("risk.symbols.AAPL"), "{error}");
    assert!(error.to_string().contains("instruments.listed"), "{error}");
    let limits = format!("{limits}[instruments]\nlisted = [\"AAPL\"]\n");
    assert!(plugged::<Listener>().build(&Config::parse(&limits).unwrap(), None).is_ok());
}

/// A log names the digest of the text that all was read from.
#[test]
fn parameters_are_in_the_digest_of_a_log() {
    use crate::shell::log::{Effects, FileHeader};
    let digest = |text: &str| {
        let config = Config::parse_with(text, MINE).unwrap();
        FileHeader::new("probing", &config.text, Vec::new(), Effects::Bytes).config_digest
    };
    assert_ne!(digest("[probing]\nlevels = 1"), digest("[probing]\nlevels = 2"));
}

/// At venues of either kind.
struct Roaming;

impl Plug for Roaming {
    const NAME: &'static str = "roaming";
    const ABOUT: &'static str = "watches any venue";
    type Params = ();
    type Wiring = AnyKind<(), ()>;

    fn parts((): (), house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        house.with_any((), ())
    }
}

struct FarAway;

impl Wiring for FarAway {
    type Venue = OfLevels;
    type Signal = ();
    type Strategy = ();
    type Probe = StageProbe;
}

const KINDS: &str = "[instruments]\ncapacity = 4\n[books]\norders = 16\nlevels = 16\nown = 4\n[[venue]]\nname = \"NEAR\"\n\
    [[venue]]\nname = \"FAR\"\nkind = \"levels\"\nentry = { username = \"FAR\" }\nbooks = { levels = 32 }\n\
    [[instrument]]\nname = \"X\"\nvenue = \"FAR\"\ntick = \"0.01\"\nbook = \"levels\"\n";

#[test]
fn each_venue_is_built_by_its_kind_or_refused_by_key_and_name() {
    use crate::base::{InstrumentId, VenueId};
    use crate::flow::book::BookKind;
    let config = Config::parse(KINDS).unwrap();
    let lane = plugged::<Roaming>().build(&config, None).unwrap();
    assert_eq!((lane.markets().count(), lane.book(InstrumentId(0)).kind()), (2, Some(BookKind::Levels)));
    let error = plugged::<Listener>().build(&config, None).err().unwrap();
    let said = "venue[1].kind = \"levels\" (of FAR): must be \"nasdaq\" for this wiring, which speaks nothing else";
    assert_eq!((error.key(), error.to_string().as_str()), (Some("venue[1].kind"), said));
    // One of levels alone.
    let error = House::new(&config, StageProbe::new(None)).wired::<FarAway>((), ()).err().unwrap();
    assert!(error.to_string().starts_with("venue[0].kind = \"nasdaq\" (of NEAR): must be \"levels\""), "{error}");
    let house = House::new(&config, StageProbe::new(None));
    assert!(OfLevels::of(&config, VenueId(1)).is_ok() && house.venue(VenueId(0)).is_ok());
    let none = house.venue(VenueId(2)).err().unwrap().to_string();
    assert_eq!(none, "venue = 2 tables: must be a table for each venue of the lane");
    // What a part refuses is named with its row.
    for (from, to, key) in [
        ("username = \"FAR\"", "username = \"FAR\", firm = \"far\"", "venue[1].entry.firm"),
        ("username = \"FAR\"", "username = \"FAR\", capacity = \"x\"", "venue[1].entry.capacity"),
        ("username = \"FAR\"", "username = \"FAR\", query_timeout_ms = 0", "venue[1].entry.query_timeout_ms"),
    ] {
        let config = Config::parse(&KINDS.replace(from, to)).unwrap();
        let error = plugged::<Roaming>().build(&config, None).err().unwrap();
        assert_eq!(error.key(), Some(key), "{error}");
    }
    let alone = plugged::<Listener>().build(&Config::parse("[entry]\nfirm = \"far\"").unwrap(), None).err().unwrap();
    assert_eq!(alone.key(), Some("entry.firm"));
}

/// By what is configured: where all are Nasdaq's it is the very lane that it would be without the others.
#[test]
fn one_that_can_be_anywhere_is_of_nasdaqs_wiring_where_that_suffices() {
    struct Either;
    impl Plug for Either {
        const NAME: &'static str = "either";
        const ABOUT: &'static str = "watches";
        type Params = ();
        type Wiring = Nasdaq<(), ()>;
        fn parts((): (), house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
            house.with((), ())
        }
    }
    impl Anywhere for Either {
        type Any = AnyKind<(), ()>;
        fn parts_anywhere((): (), house: House<'_>) -> Result<Parts<Self::Any>, BuildError> {
            house.with_any((), ())
        }
    }
    let shape = |plug: Plugged, text: &str| {
        let mut digest = crate::base::Digest::default();
        plug.build(&Config::parse(text).unwrap(), None).unwrap().shape(&mut digest);
        digest.value()
    };
    let near = KINDS.replace("kind = \"levels\"\n", "");
    let (anywhere, plain, roaming) = (plugged_anywhere::<Either>(), plugged::<Either>(), plugged::<Roaming>());
    assert_eq!(shape(anywhere, &near), shape(plain, &near));
    assert_eq!(shape(anywhere, KINDS), shape(roaming, KINDS));
    assert_ne!(shape(plain, &near), shape(roaming, &near));
}
