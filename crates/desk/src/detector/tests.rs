//! The table of a configuration, and what is put into it.

use super::*;
use crate::wirings;
use toml::Table;

const SWEEPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/detectors/sweeps.toml");

fn read(text: &str) -> Result<Table> {
    let mut table: Table = text.parse().unwrap();
    crate::settings::documents(&mut table)?;
    Ok(table)
}

#[test]
fn a_file_is_put_into_the_table_that_names_it_whole() {
    let row =
        |name: &str| format!("[[lane]]\nname = \"{name}\"\n[lane.detector]\nfile = {SWEEPS:?}\nplace = \"beside\"\n");
    let table = read(&format!("[detector]\nfile = {SWEEPS:?}\n{}{}", row("a"), row("b"))).unwrap();
    let rows = table["lane"].as_array().unwrap().iter().map(|row| row["detector"].as_table().unwrap());
    let all: Vec<&Table> = rows.chain([table["detector"].as_table().unwrap()]).collect();
    for detector in &all {
        assert!(!detector.contains_key("file"), "{detector:?}");
        assert_eq!(detector["document"], all[0]["document"]);
        let settings = Settings::parse(detector["document"].as_str().unwrap()).unwrap();
        assert_eq!((settings.name(), settings.alerts().len()), ("sweeps", 4));
    }
    assert_eq!(all[0]["place"].as_str(), Some("beside"));
    // Nothing to read: nothing is changed.
    for text in ["[detector]\nplace = \"lane\"", "[detector]\nfile = \"\"", "[taker]\nsize = 1"] {
        assert_eq!(read(text).unwrap(), text.parse::<Table>().unwrap());
    }
    let both = read(&format!("[detector]\nfile = {SWEEPS:?}\ndocument = \"x\"")).unwrap_err().to_string();
    assert_eq!(both, "detector.file: is there, and so is detector.document: leave one of them out");
}

/// Both places save and load, and are of one shape with their log's: what a configuration says is what is built.
#[test]
fn a_lane_with_a_detector_goes_on_from_its_saved_state() {
    for place in ["lane", "beside"] {
        let table =
            read(&format!("wiring = \"imbalance-taker\"\n[detector]\nfile = {SWEEPS:?}\nplace = {place:?}")).unwrap();
        let config = wirings::parse(&table.to_string()).unwrap();
        let (lane, mut other) = (wirings::build(&config, None).unwrap(), wirings::build(&config, None).unwrap());
        let mut saved = firelane_gateway::base::Writer::default();
        lane.save(&mut saved);
        other.load(&mut firelane_gateway::base::Reader(&saved.0)).unwrap();
        assert_eq!(lane.digest(), other.digest());
        let plain = wirings::build(&wirings::parse("wiring = \"imbalance-taker\"").unwrap(), None).unwrap();
        assert_ne!(lane.digest(), plain.digest());
        let named = |lane: &dyn Lane| {
            crate::counters::of(lane, Default::default()).keys().filter(|name| name.starts_with("signal.")).count()
        };
        assert_eq!((named(&*plain), named(&*lane)), (0, if place == "lane" { 18 } else { 5 }));
    }
}

/// A file that nobody read is no detector that is silently left out.
#[test]
fn a_table_that_is_wrong_is_refused_by_its_key() {
    for (text, expected) in [
        ("file = \"x.toml\"", "detector.file: names a file that nobody has read"),
        ("place = \"\"", "detector.place: is \"\""),
        ("budget_ns = 1000001", "detector.budget_ns: is 1000001; it must be 1 to 1000000"),
        ("document = \"x = 1\"", "detector.document: "),
        ("flie = \"x\"", "unknown field `flie`"),
    ] {
        let error = wirings::parse(&format!("wiring = \"listener\"\n[detector]\n{text}")).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(wirings::parse("wiring = \"listener\"\n[detector]\nbudget_ns = 1000000\nplace = \"beside\"").is_ok());
}

#[test]
fn a_step_is_timed_and_a_budget_holds_in_the_lane_alone() {
    let config = |budget: u64, place: &str| {
        let text =
            format!("wiring = \"listener\"\n[detector]\nfile = {SWEEPS:?}\nbudget_ns = {budget}\nplace = {place:?}");
        wirings::parse(&read(&text).unwrap().to_string()).unwrap()
    };
    let (settings, _) = of(&config(1, "lane")).unwrap().unwrap();
    assert!(step_ns(&settings).unwrap() > 1);
    assert!(within_budget(&config(1, "lane")).unwrap_err().to_string().contains("a step of \"sweeps\" takes"));
    assert!(within_budget(&config(1_000_000, "lane")).is_ok() && within_budget(&config(1, "beside")).is_ok());
    assert!(within_budget(&wirings::parse("wiring = \"listener\"").unwrap()).is_ok());
}
