//! The portfolio beside a lane: its table, what it makes of records, and what it says.

use super::*;
use firelane_gateway::flow::command::{To, Word};
use firelane_gateway::flow::record::{self, Kind, PositionBody, TopBody};
use std::time::{Duration, Instant};
use zerocopy::IntoBytes;

const SECOND: u64 = 1_000_000_000;

/// Two shares and an instrument that counts otherwise, and a portfolio of what `table` says.
fn config(table: &str) -> Result<Config, ConfigError> {
    let text = format!(
        "wiring = \"target-tracker\"\n[instruments]\nlisted = [\"A\", \"B\"]\n\
         [[instrument]]\nname = \"C-FINE\"\ntick = \"0.01\"\nprice_exponent = -6\nmultiplier = 10\n\
         [[instrument]]\nname = \"C-EURO\"\ntick = \"0.01\"\ncurrency = \"EUR\"\n\
         [[currency]]\ncode = \"EUR\"\nrate = \"1.1\"\n[risk]\nmoney_exponent = -6\n[portfolio]\n{table}"
    );
    crate::wirings::parse(&text)
}

fn settings(table: &str) -> Settings {
    of(&config(table).unwrap()).unwrap().unwrap()
}

/// What is wrong with a table, said when it is read or when its lane is built.
fn error(table: &str) -> String {
    config(table).and_then(|config| of(&config)).unwrap_err().to_string()
}

fn record(kind: Kind, body: &[u8]) -> Vec<u8> {
    [record::header(kind, 0, 1, Mono(0), body.len()).as_bytes(), body].concat()
}

fn top(id: u32, at: u64, bid: i64, ask: i64, stale: bool) -> Vec<u8> {
    let body = TopBody {
        instrument: id.into(),
        stale: u8::from(stale),
        at: at.into(),
        bid_price: bid.into(),
        bid_qty: 100.into(),
        ask_price: ask.into(),
        ask_qty: 100.into(),
    };
    record(Kind::Top, body.as_bytes())
}

fn position(id: u32, position: i64, cash: i128) -> Vec<u8> {
    let body = PositionBody { instrument: id.into(), strategy: 1.into(), position: position.into(), cash: cash.into() };
    record(Kind::Position, body.as_bytes())
}

const TWO: &str = "symbols = [\"A\", \"B\"]\ncapital = 1000\ngrid_ms = 1000\nleast = 3\nwindow = 8\nevery_ms = 2000\nvalid_ms = 5000\n";

/// Both names move a little, apart, from second to second.
fn moved(account: &mut Account, tally: &mut Tally, seconds: std::ops::Range<u64>) {
    for second in seconds {
        let step = |period: u64| if second % period == 0 { 100 } else { 0 };
        for (id, price) in [(0, 100_000 + step(2)), (1, 50_000 + step(3))] {
            account.on_record(&top(id, second * SECOND, price - 100, price + 100, false), tally);
        }
    }
}

#[test]
fn without_symbols_there_is_no_portfolio() {
    assert!(of(&config("").unwrap()).unwrap().is_none());
    assert!(Rebalance::of(&config("").unwrap()).unwrap().report().is_none());
    let settings = settings("symbols = [\"B\", \"C-FINE\"]");
    assert_eq!(settings.names.iter().map(|name| name.id.0).collect::<Vec<_>>(), [1, 2]);
    // A price unit of B is 100 of the finest; one of C-FINE is of ten shares.
    assert_eq!(settings.names.iter().map(|name| name.scale).collect::<Vec<_>>(), [100, 10]);
    assert_eq!(settings.capital, 1_000_000 * 1_000_000);
}

#[test]
fn every_limit_of_the_table_holds_at_itself_and_not_beyond() {
    let day = 86_400_000u64;
    let cases: [(&str, u64, u64); 9] = [
        ("horizon_s", 1, 366 * 86_400),
        ("grid_ms", 1, day),
        ("least", 2, 600),
        ("every_ms", 1, day),
        ("valid_ms", 1, day),
        ("deadline_ms", 1, 60_000),
        ("descents", 0, 100_000),
        ("lot", 0, 1_000_000),
        ("capital", 1, 9_007_199_254),
    ];
    let with = |key: &str, value: u64| {
        let table = format!("symbols = [\"A\", \"C-FINE\"]\n{key} = {value}");
        config(&table).and_then(|config| of(&config)).map_err(|error| error.to_string())
    };
    for (key, least, most) in cases {
        for value in [least, least + 1, most - 1, most] {
            assert!(with(key, value).is_ok(), "{key} = {value}");
        }
        let beyond = [(least > 0).then(|| least - 1), Some(most + 1)];
        for value in beyond.into_iter().flatten() {
            let error = with(key, value).unwrap_err();
            assert!(error.starts_with(&format!("portfolio.{key}: is {value}")), "{error}");
        }
    }
    for (window, fits) in [(1, false), (2, true), (100_000, true), (100_001, false)] {
        let table = format!("symbols = [\"A\"]\nleast = 2\nwindow = {window}");
        assert_eq!(config(&table).is_ok(), fits, "{window}");
    }
}

#[test]
fn what_cannot_be_is_said_with_its_key() {
    for (table, expected) in [
        ("symbols = [\"A\", \"A\"]", "portfolio.symbols"),
        ("symbols = [\"A\", \"NONE\"]", "portfolio.symbols: \"NONE\" is not listed (A, B, C-FINE, C-EURO is)"),
        ("symbols = [\"C-EURO\"]", "C-EURO trades in EUR, and the capital is in USD"),
        ("symbols = [\"A\"]\nmeans = [0.1, 0.2]", "portfolio.means: are 2"),
        ("symbols = [\"A\"]\nmeans = [nan]", "portfolio.symbols: the mean of `A` is not finite"),
        ("symbols = [\"A\"]\nfile = \"m.toml\"", "portfolio.file: names a file that nobody has read"),
        ("symbols = [\"A\"]\ndocument = \"lamda = 1\"", "portfolio.document: line 1: unknown field `lamda`"),
        (
            "symbols = [\"A\"]\ndocument = \"[[holding]]\\nnames = ['B']\\nnever = true\"",
            "line 2: there is no name `B`",
        ),
        ("symbols = [\"A\"]\n[policy]\ntape_tops = false", "policy.tape_tops must be true"),
    ] {
        let error = error(table);
        assert!(error.contains(expected), "{table}: {error}");
    }
}

#[test]
fn a_question_is_asked_when_all_is_known_and_it_is_time() {
    let mut tally = Tally::default();
    let mut account = Account::new(&settings(TWO));
    // Four points give three rows.
    moved(&mut account, &mut tally, 1..5);
    assert_eq!((account.rows(), account.question(Mono(4 * SECOND), &mut tally)), (2, None));
    moved(&mut account, &mut tally, 5..6);
    account.on_record(&position(1, -7, 35_000), &mut tally);
    // Of an instrument that is none of its names.
    account.on_record(&position(2, 99, 99), &mut tally);
    account.on_record(&top(2, 5 * SECOND, 1, 3, false), &mut tally);
    let question = account.question(Mono(5 * SECOND), &mut tally).unwrap();
    assert_eq!((question.shares, question.price), (vec![0, -7], vec![100_000, 50_000]));
    assert_eq!(question.cash, 10_000_000 + 35_000);
    assert_eq!(question.returns.added(), 3);
    for (at, is_due) in [(5 * SECOND, false), (7 * SECOND - 1, false), (7 * SECOND, true)] {
        assert_eq!(account.question(Mono(at), &mut tally).is_some(), is_due, "{at}");
    }
    let mut now = 7 * SECOND;
    // A book that can't be trusted has no price; nor one with a side alone, nor one that is locked.
    for bad in [
        top(0, 6 * SECOND, 99_900, 100_100, true),
        top(0, 6 * SECOND, 0, 100_100, false),
        top(0, 6 * SECOND, 9, 9, false),
    ] {
        now += 2 * SECOND;
        account.on_record(&bad, &mut tally);
        let before = tally.unpriced;
        assert_eq!((account.question(Mono(now), &mut tally), tally.unpriced), (None, before + 1));
        // It is asked again soon: it may be a matter of moments.
        for (later, counted) in [(199_999_999, 1), (200_000_000, 2)] {
            assert_eq!(account.question(Mono(now + later), &mut tally), None);
            assert_eq!(tally.unpriced, before + counted);
        }
        account.on_record(&top(0, 6 * SECOND, 99_900, 100_101, false), &mut tally);
    }
    now += 2 * SECOND;
    assert_eq!(account.question(Mono(now), &mut tally).unwrap().price[0], 100_000);
    // What is held is not known behind a loss.
    account.on_lost();
    now += 2 * SECOND;
    assert_eq!((account.question(Mono(now), &mut tally), tally.lost), (None, 1));
}

#[test]
fn another_day_begins_without_a_return_from_the_last() {
    let mut tally = Tally::default();
    let mut account = Account::new(&settings(TWO));
    moved(&mut account, &mut tally, 50_000..50_010);
    let rows = account.rows();
    // A little late is of the same day: it is taken as of now.
    account.on_record(&top(0, 50_008 * SECOND, 99_900, 100_100, false), &mut tally);
    assert_eq!(account.rows(), rows);
    moved(&mut account, &mut tally, 30_000..30_003);
    assert_eq!(account.rows(), rows + 1, "three points, the first of which has nothing to be measured from");
}

#[test]
fn an_answer_is_a_word_for_each_name_that_expires() {
    let mut tally = Tally::default();
    // Nearly all of it is to be invested: $1,000 buy one or the other.
    let settings = settings(&format!("{TWO}document = \"lambda = 1.0\\nnet = {{ min = 0.5, max = 1.0 }}\"\n"));
    let (mut account, mut adviser) = (Account::new(&settings), Adviser::new(&settings));
    moved(&mut account, &mut tally, 1..9);
    let question = account.question(Mono(8 * SECOND), &mut tally).unwrap();
    let target = adviser.answer(&question, None).unwrap();
    let spent: i64 = target.shares.iter().zip([100_000, 50_000]).map(|(shares, price)| shares * price).sum();
    assert!((4_000_000..=10_000_000).contains(&spent), "{target:?}");
    assert_eq!(target.until, 13 * SECOND);
    let words: Vec<CommandBuf> = adviser.commands(&target).collect();
    for (n, word) in words.iter().enumerate() {
        let command = word.bytes().read();
        assert_eq!((command.to, command.expires), (To::instrument(InstrumentId(n as u32)), Mono(13 * SECOND)));
        let Word::Target { position } = command.word else { panic!("{command:?}") };
        assert_eq!(position.0, target.shares[n]);
        assert_eq!((command.from.0, command.ticket), (2, n as u64 + 1));
    }
    assert_eq!(words.len(), 2);
    // The same question has the same answer; a deadline that has passed has one, too.
    assert_eq!(Adviser::new(&settings).answer(&question, None).unwrap(), target);
    let past = Instant::now().checked_sub(Duration::from_secs(1));
    assert!(adviser.answer(&question, past).is_ok());
}

#[test]
fn limits_that_cannot_be_met_are_named_and_nothing_is_said() {
    let document = "exactly = 2\\nlong = { min = 0.1, max = 0.2 }";
    let config = config(&format!("{TWO}document = \"{document}\"\n")).unwrap();
    let mut rebalance = Rebalance::of(&config).unwrap();
    for second in 1..9 {
        for id in [0, 1] {
            let price = 100_000 + (second % (2 + u64::from(id))) as i64 * 100;
            let at = second * SECOND;
            rebalance.on_record(Mono(at), &top(id, at, price - 100, price + 100, false));
        }
    }
    assert_eq!(rebalance.commands().count(), 0);
    let report = serde_json::to_value(rebalance.report().unwrap()).unwrap();
    assert_eq!((&report["targets"], &report["refused"]), (&0.into(), &2.into()));
    let why = report["why_refused"].as_str().unwrap();
    assert!(why.contains("can't be met together") && why.contains("exactly 2 names"), "{why}");
    let rows = rebalance.report().unwrap().rows();
    assert!(rows.iter().any(|(name, n, note)| name == "refused" && *n == 2 && note == why), "{rows:?}");
}

#[test]
fn money_is_counted_in_the_finest_unit_of_all_names() {
    let mut tally = Tally::default();
    let table = TWO.replace("\"A\", \"B\"", "\"B\", \"C-FINE\"");
    let mut account = Account::new(&settings(&table));
    for second in 1..6 {
        for (id, bid) in [(1, 50_000), (2, 7_000_001 + second as i64)] {
            account.on_record(&top(id, second * SECOND, bid, bid + 2, false), &mut tally);
        }
    }
    for (id, shares, cash) in [(1, 3, -150_003), (2, -2, 140_000_000)] {
        account.on_record(&position(id, shares, cash), &mut tally);
    }
    let question = account.question(Mono(SECOND), &mut tally).unwrap();
    assert_eq!(question.price, [5_000_100, 70_000_070]);
    assert_eq!(question.cash, 1_000_000_000 - 15_000_300 + 140_000_000);
    // What a number can't hold is no question.
    account.on_record(&position(1, 0, i128::MAX), &mut tally);
    assert_eq!((account.question(Mono(9 * SECOND), &mut tally), tally.unpriced), (None, 1));
}

#[test]
fn a_live_portfolio_asks_one_thing_at_a_time_and_nothing_behind_a_loss() {
    use firelane_gateway::shell::live::Observer;
    let rebalanced = Rebalanced::of(&config(TWO).unwrap()).unwrap().unwrap();
    let mut ear = rebalanced.ear();
    let report = |key: &str| serde_json::to_value(rebalanced.report()).unwrap()[key].clone();
    // Nobody answers yet: one question waits, and those that come after it are not asked.
    for second in 1..12u64 {
        for id in [0, 1] {
            let price = 100_000 + (second % (2 + u64::from(id))) as i64 * 100;
            let mut top = top(id, second * SECOND, price - 100, price + 100, false);
            // The lane's clock.
            top[16..24].copy_from_slice(&(second * SECOND).to_le_bytes());
            ear.on_record(&top);
        }
        assert_eq!(report("busy"), second.saturating_sub(5).div_euclid(2), "{second}");
    }
    assert_eq!((report("targets"), report("rows"), report("lost")), (0.into(), 9.into(), 0.into()));
    ear.on_lost(5, 500);
    let mut late = top(0, 20 * SECOND, 99_900, 100_100, false);
    late[16..24].copy_from_slice(&(20 * SECOND).to_le_bytes());
    ear.on_record(&late);
    assert_eq!((report("lost"), report("busy")), (1.into(), 3.into()));
    // What is no record at all says nothing.
    ear.on_record(&[]);
    ear.on_record(&late[..30]);
}
