//! What is wrong with a configuration is said, all of it, each with its line.

use super::*;

fn wrong(text: &str, role: Role) -> Vec<String> {
    problems(&text.into(), role, |_| Ok(())).iter().map(ToString::to_string).collect()
}

#[test]
fn all_that_is_wrong_is_said_with_its_line_and_what_was_meant() {
    let text = "wirring = \"listener\"\n[risk]\nbrust = 3\nmax_order_qty = 0\nthreshold = 5\n[taker]\nsize = \"many\"\n\
                [threads]\nlayout = \"both\"\n[net]\norders = \"nowhere\"\n[risk.symbols.\"BRK.A\"]\nmax_postion = 1\nlocates = -1\n";
    let all = wrong(text, Role::Gateway);
    for (line, says) in [
        (1, "wirring: there is no such key; did you mean \"wiring\"?"),
        (3, "risk.brust: there is no such key; did you mean \"burst\"?"),
        (4, "risk.max_order_qty"),
        (5, "risk.threshold: there is no such key; [taker] has one"),
        (7, "taker.size: must be a whole number"),
        (9, "threads.layout = \"both\": must be \"fused\" or \"split\""),
        (11, "net.orders: "),
        (13, "risk.symbols.BRK.A.max_postion: there is no such key; did you mean \"max_position\"?"),
        (14, "risk.symbols.BRK.A.locates"),
    ] {
        let found = all.iter().any(|one| one.starts_with(&format!("line {line}: {says}")));
        assert!(found, "line {line}: {says}\nis not among {all:#?}");
    }
    assert_eq!(all.len(), 9, "{all:#?}");
}

#[test]
fn a_venue_has_its_own_keys_and_ports_by_number() {
    let text = "[market]\nsymbol = 3\nspeed = 0.0\nday = 1\n[[port]]\nfirm = \"fire\"\n[[port]]\nlissen = \"x\"\nusername = \"SEVENCH\"\n";
    let all = wrong(text, Role::Venue);
    for says in [
        "line 2: market.symbol: there is no such key; did you mean \"symbols\"?",
        "line 3: market.speed = 0: must be 0.001 to 1000",
        "line 4: market.day",
        "line 6: port[0].firm = \"fire\": must be four capital letters",
        "line 8: port[1].lissen: there is no such key; did you mean \"listen\"?",
        "line 9: port[1].username",
    ] {
        assert!(all.iter().any(|one| one.starts_with(says)), "{says}\nis not among {all:#?}");
    }
    assert_eq!((Role::of(text), Role::of("[net]\n"), Role::of("")), (Role::Venue, Role::Gateway, Role::Gateway));
    assert_eq!((Role::of(&wirings::sample()), Role::of(server::SAMPLE)), (Role::Gateway, Role::Venue));
}

#[test]
fn rows_of_instruments_are_known_by_number() {
    let text =
        "[[instrument]]\nname = \"A\"\ntik = \"0.01\"\ntick = \"1\"\n[[instrument]]\nname = \"A\"\ntick = \"0\"\n";
    let all = wrong(text, Role::Gateway);
    for says in [
        "line 3: instrument[0].tik: there is no such key; did you mean \"tick\"?",
        "line 7: instrument[1].tick = \"0\": must be a decimal number in quotes above 0",
    ] {
        assert!(all.iter().any(|one| one.starts_with(says)), "{says}\nis not among {all:#?}");
    }
    let twice = wrong(
        "[[instrument]]\nname = \"A\"\ntick = \"1\"\n[[instrument]]\nname = \"A\"\ntick = \"1\"\n",
        Role::Gateway,
    );
    assert!(twice[0].starts_with("line 5: instrument[1].name = \"A\": must be listed once"), "{twice:#?}");
    let lacks = wrong("[[instrument]]\nname = \"A\"\n", Role::Gateway);
    assert!(lacks.len() == 1 && lacks[0].contains("instrument: missing field `tick`"), "{lacks:#?}");
}

#[test]
fn a_venue_that_is_told_of_a_wiring_hears_it_once() {
    assert_eq!(wrong("wiring = \"listener\"\n[market]\nsymbols = 3\n", Role::Venue).len(), 1);
}

#[test]
fn what_is_no_toml_is_said_with_every_place() {
    let all = wrong("[risk\nburst = 3\n[taker]\nsize = = 1\n", Role::Gateway);
    assert!(
        all.len() >= 2 && all[0].starts_with("line 1: ") && all.iter().any(|one| one.starts_with("line 4: ")),
        "{all:#?}"
    );
}

#[test]
fn settings_take_the_place_of_what_stands_there() {
    let set = |text: &str| text.parse::<Set>().unwrap();
    let with = |text: &str, sets: &[&str]| {
        let sets: Vec<Set> = sets.iter().map(|text| set(text)).collect();
        with_settings(text, &sets).unwrap().text.parse::<Table>().unwrap()
    };
    let table =
        with("[risk]\nburst = 3\n", &["risk.burst=4", "wiring=listener", "taker.size = 7", "feed.start=\"next\""]);
    assert_eq!(table["risk"]["burst"].as_integer(), Some(4));
    assert_eq!((table["wiring"].as_str(), table["taker"]["size"].as_integer()), (Some("listener"), Some(7)));
    assert_eq!(table["feed"]["start"].as_str(), Some("next"));
    let table =
        with("", &["risk.symbols.\"BRK.A\".locates=5", "instruments.listed=[\"A\"]", "instruments.directory=false"]);
    assert_eq!(table["risk"]["symbols"]["BRK.A"]["locates"].as_integer(), Some(5));
    assert_eq!(
        (table["instruments"]["listed"][0].as_str(), table["instruments"]["directory"].as_bool()),
        (Some("A"), Some(false))
    );
    let table = with("[[port]]\n[[port]]\n", &["port[1].firm=ABCD"]);
    assert_eq!(table["port"][1]["firm"].as_str(), Some("ABCD"));
    assert_eq!(with("", &["port.listen=127.0.0.1:1"])["port"][0]["listen"].as_str(), Some("127.0.0.1:1"));
    for (text, key) in
        [("[[port]]\n[[port]]\n", "port.firm=A"), ("[[port]]\n", "port[1].firm=A"), ("day = 1\n", "day.x=1")]
    {
        assert!(with_settings(text, &[set(key)]).is_err(), "{key}");
    }
    for wrong in ["", "a", "=1", "a b=1", "a..b=1"] {
        assert!(wrong.parse::<Set>().is_err(), "{wrong}");
    }
}

#[test]
fn an_unknown_key_that_was_set_is_said() {
    let sets = ["taker.sise=1".parse().unwrap()];
    let error = crate::explain(&gateway(None, &sets, None).unwrap_err());
    assert_eq!(error, "--set taker.sise: there is no such key; did you mean \"size\"?");
}

#[test]
fn what_keeps_a_command_from_starting_is_short() {
    let said = |text: &str, role| crate::explain(&refused(&text.into(), role));
    let text: String = (0..12).map(|n| format!("nosuch{n} = 1\n")).collect();
    let long = said(&text, Role::Gateway);
    assert!(long.starts_with("12 things are wrong:\n  line 1: nosuch0") && long.lines().count() == 12, "{long}");
    assert!(long.ends_with("and 2 more: firelane check says all"), "{long}");
    let neither = said("[markt]\nsymbols = 3\n", Role::Venue);
    assert!(neither.contains("did you mean \"market\"?"), "{neither}");
    assert_eq!(said(&wirings::sample(), Role::Venue), "this is the configuration of a gateway, not of a venue");
    assert_eq!(said(server::SAMPLE, Role::Gateway), "this is the configuration of a venue, not of a gateway");
}

/// Lines are those of the file, whatever was set; and what was set is no line of it.
#[test]
fn what_was_set_is_told_from_what_stands_in_the_file() {
    let file = "# A comment.\n\nwiring = \"listener\"\n[taker]\nsize = 1 # share\n[risk]\nbrust = 3\n";
    let sets = ["taker.size=many", "maker.sise=1", "nosuch.key=1", "risk.burst=2"].map(|set| set.parse().unwrap());
    let all = problems(&with_settings(file, &sets).unwrap(), Role::Gateway, |_| Ok(()));
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    for says in [
        "line 7: risk.brust: there is no such key",
        "--set taker.size: must be a whole number",
        "--set maker.sise: there is no such key",
        "--set nosuch: there is no such key",
    ] {
        assert!(all.iter().any(|one| one.starts_with(says)), "{says}\nis not among {all:#?}");
    }
    assert_eq!(all.len(), 4, "{all:#?}");
}

/// Every key that a symbol may have is known here; the table of them is not in the sample.
#[test]
fn the_keys_of_a_symbol_are_all_known() {
    let keys = Role::Gateway.keys_of(&["risk", "symbols", "A"].map(str::to_owned));
    let error = Config::parse("[risk.symbols.A]\nx = 1").unwrap_err().to_string();
    assert!(keys.iter().all(|key| error.contains(&format!("`{key}`"))), "{error}");
    let expected = error.split("expected one of").nth(1).unwrap().matches('`').count() / 2;
    assert_eq!(expected, keys.len(), "{error}");
}

#[test]
fn printed_samples_have_a_socket_and_stay_what_they_are() {
    for (sample, role) in [(&*wirings::sample(), Role::Gateway), (server::SAMPLE, Role::Venue)] {
        let text = printed(sample, "firelane-test");
        assert!(wrong(&text, role).is_empty(), "{text}");
        let mut table: Table = text.parse().unwrap();
        assert!(table["control"]["socket"].as_str().unwrap().contains("firelane-test"), "{text}");
        table["control"]["socket"] = "".into();
        assert_eq!(table, sample.parse::<Table>().unwrap());
    }
}

#[test]
fn rows_of_venues_are_known_by_number_and_have_the_tables_at_the_top() {
    let text = "[[venue]]\nname = \"A\"\n[venue.net]\nline_c = \":1\"\n[[venue]]\nname = \"B\"\nkindd = \"levels\"\n[venue.net]\n\
                orders = \":2\"\n[venue.feed.rerequest]\nretrys = 3\nmax_messages = 0\n[venue.entry]\nfirm = 5\naccount = 2\n";
    let all = wrong(text, Role::Gateway);
    for says in [
        "line 4: venue[0].net.line_c: there is no such key; did you mean \"line_a\"?",
        "line 7: venue[1].kindd: there is no such key; did you mean \"kind\"?",
        "line 11: venue[1].feed.rerequest.retrys: there is no such key; did you mean \"retries\"?",
        "line 12: venue[1].feed.rerequest.max_messages",
        "line 14: venue[1].entry.firm: must be a text in quotes",
        "line 15: venue[1].entry.account: must be given in [entry] alone",
    ] {
        assert!(all.iter().any(|one| one.starts_with(says)), "{says}\nis not among {all:#?}");
    }
    assert_eq!(all.len(), 6, "{all:#?}");
    let set = |text: &str, key: &str| {
        let sets = [key.parse().unwrap()];
        with_settings(text, &sets).map(|written| wirings::parse(&written.text).unwrap())
    };
    let two = "wiring = \"listener\"\n[[venue]]\nname = \"A\"\n[[venue]]\nname = \"B\"\nnet = { orders = \":2\" }\n";
    let config = set(two, "venue[1].net.orders=\":9\"").unwrap();
    let ports: Vec<u16> = config.live.net.iter().map(|(_, net)| net.orders.port()).collect();
    assert_eq!(ports, [26400, 9]);
    assert!(set(two, "venue.net.orders=\":9\"").unwrap_err().to_string().contains("--set venue.net.orders"));
}

#[test]
fn a_demo_and_a_replay_have_one_venue_of_nasdaqs_kind() {
    let said = |text: &str| of_one_venue(&wirings::parse(text).unwrap(), "a demo").map_err(|error| error.to_string());
    let row = |name: &str| format!("[[venue]]\nname = {name:?}\nentry = {{ username = {name:?} }}\n");
    assert_eq!((said(""), said(&row("A"))), (Ok(()), Ok(())));
    let two = said(&(row("A") + &row("B"))).unwrap_err();
    assert_eq!(two, "a demo has one venue, and this configuration has 2 of [[venue]]");
    let levels = said(&(row("A") + "kind = \"levels\"\n")).unwrap_err();
    assert_eq!(levels, "a demo has a venue of kind \"nasdaq\", and A is of kind \"levels\"");
}
