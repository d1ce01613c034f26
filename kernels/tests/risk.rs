//! Scenarios of the twin against its suite, formulas, QuantLib, and limits.

use firelane_kernels::risk::book::{Asset, Book, Instrument, LATEST, NoBook, Position, Right};
use firelane_kernels::risk::closed::{self, Closed};
use firelane_kernels::risk::conformance::{Verdict, run};
use firelane_kernels::risk::device::{Device, Loss};
use firelane_kernels::risk::estimate::{self, Estimate, Risk};
use firelane_kernels::risk::file::{self, FileError};
use firelane_kernels::risk::normal::{below, upper};
use firelane_kernels::risk::plan::{Job, MOST_SCENARIOS, MOST_STEPS, NoPlan, Plan, Sampling};
use firelane_kernels::risk::twin::Software;
use serde::Deserialize;
use std::num::NonZero;
use std::sync::Arc;

fn asset(volatility: f64, dividend: f64, drift: f64) -> Asset {
    Asset { name: "A".into(), spot: 100.0, volatility, dividend, drift }
}

fn stock(quantity: f64) -> Position {
    Position { asset: 0, quantity, instrument: Instrument::Stock }
}

fn option(quantity: f64, right: Right, strike: f64, expiry: f64) -> Position {
    Position { asset: 0, quantity, instrument: Instrument::Option { right, strike, expiry } }
}

fn one(positions: Vec<Position>) -> Book {
    Book::new(vec![asset(0.3, 0.02, 0.08)], positions, 0.04, &[vec![1.0]]).unwrap()
}

fn job(sampling: Sampling, scenarios: u32) -> Job {
    Job { horizon: 10.0, steps: 1, scenarios, seed: 5, sampling }
}

fn losses(book: &Book, job: &Job) -> (Arc<Plan>, Vec<Loss>) {
    let plan = Arc::new(Plan::new(book, job).unwrap());
    let mut device = Software::default();
    device.load(&plan).unwrap();
    let losses = device.losses(0, job.scenarios).unwrap();
    (plan, losses)
}

fn ends(losses: &[Loss]) -> Vec<f64> {
    losses.iter().map(|loss| loss.end).collect()
}

fn estimated(book: &Book, job: &Job, confidence: f64) -> Risk {
    let (plan, losses) = losses(book, job);
    estimate::of(&plan, &mut ends(&losses), confidence)
}

/// Within twice its interval: of 95 %, so that a seed that misses is one in ten thousand.
#[track_caller]
fn assert_holds(what: &str, estimate: Estimate, truth: f64) {
    let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
    let value = estimate.value;
    assert!(low <= value && value <= high, "{what}: {estimate:?}");
    let rounding = 1e-9 * truth.abs();
    let (low, high) = (2.0 * low - value - rounding, 2.0 * high - value + rounding);
    assert!((low..=high).contains(&truth), "{what}: {truth} is not in {estimate:?}");
}

#[test]
fn the_twin_passes_the_suite_on_any_number_of_threads() {
    for threads in [1, 3] {
        let report = run(&mut Software::on(NonZero::new(threads).unwrap()), "");
        let failed: Vec<_> = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).collect();
        assert!(failed.is_empty() && report.conforms(), "{failed:#?}");
        let skipped: Vec<_> = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Skipped(_))).collect();
        assert_eq!(
            skipped.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(),
            ["what can't be held changes nothing"]
        );
    }
}

/// VaR and ES of a stock: of the lognormal distribution.
fn lognormal(value: f64, confidence: f64) -> Closed {
    let years: f64 = 10.0 / 252.0;
    let (mean, deviation) = ((0.08 - 0.045) * years, 0.3 * years.sqrt());
    let at = upper(1.0 - confidence);
    let side = value.signum();
    let var = value * (1.0 - (mean - side * deviation * at).exp());
    let beyond = below(-at - side * deviation) / (1.0 - confidence);
    Closed { var, es: value * (1.0 - (mean + 0.5 * deviation * deviation).exp() * beyond) }
}

#[test]
fn a_stock_is_lognormal() {
    for (quantity, confidence) in [(10.0, 0.99), (-10.0, 0.99), (10.0, 0.95), (-3.0, 0.999)] {
        let book = one(vec![stock(quantity)]);
        let wanted = lognormal(100.0 * quantity, confidence);
        let formula = closed::one_asset(&book, 10.0, confidence).unwrap().unwrap();
        assert!((formula.var - wanted.var).abs() < 1e-9 * wanted.var, "{formula:?} {wanted:?}");
        assert!((formula.es - wanted.es).abs() < 1e-7 * wanted.es, "{formula:?} {wanted:?}");
        for sampling in [Sampling::Pseudo, Sampling::Sobol] {
            let risk = estimated(&book, &job(sampling, 1 << 16), confidence);
            assert_holds("VaR", risk.var, wanted.var);
            assert_holds("ES", risk.es, wanted.es);
        }
    }
}

#[test]
fn a_book_that_rises_with_its_price_loses_what_it_loses_at_one_quantile() {
    for positions in [
        vec![option(10.0, Right::Call, 105.0, 60.0)],
        vec![option(-10.0, Right::Call, 95.0, 20.0)],
        vec![option(10.0, Right::Put, 100.0, 10.0)],
        vec![stock(10.0), option(10.0, Right::Put, 95.0, 40.0), option(-10.0, Right::Call, 110.0, 40.0)],
    ] {
        let book = one(positions);
        let formula = closed::one_asset(&book, 10.0, 0.99).unwrap().unwrap();
        let risk = estimated(&book, &job(Sampling::Pseudo, 1 << 16), 0.99);
        assert_holds("VaR", risk.var, formula.var);
        let even = estimated(&book, &job(Sampling::Sobol, 1 << 16), 0.99);
        assert_holds("VaR by Sobol", even.var, formula.var);
        // A put that is owned loses its price at most: there is nothing beyond VaR then.
        if risk.es.high > risk.es.low {
            assert_holds("ES", risk.es, formula.es);
            assert_holds("ES by Sobol", even.es, formula.es);
        }
    }
}

#[test]
fn other_books_have_no_formula_but_deltas() {
    let straddle = one(vec![option(1.0, Right::Call, 100.0, 40.0), option(1.0, Right::Put, 100.0, 40.0)]);
    assert_eq!(closed::one_asset(&straddle, 10.0, 0.99), Ok(None));
    let expires = one(vec![option(1.0, Right::Call, 100.0, 5.0)]);
    assert_eq!(closed::one_asset(&expires, 10.0, 0.99), Ok(None));
}

/// Two stocks for a quarter of a second: what a lognormal price is bent by is a ten-thousandth of VaR.
#[test]
fn a_linear_book_is_normal() {
    let assets = [("A", 0.4, 0.1), ("B", 0.2, -0.2)].map(|(name, volatility, drift)| Asset {
        name: name.into(),
        spot: 50.0,
        volatility,
        dividend: 0.0,
        drift,
    });
    let held = [(0, 100.0), (1, -60.0)].map(|(asset, quantity)| Position { asset, ..stock(quantity) });
    let book = Book::new(assets.into(), held.into(), 0.0, &[vec![1.0, 0.5], vec![0.5, 1.0]]).unwrap();
    let horizon = 1e-5;
    let years = horizon / 252.0;
    let (a, b): (f64, f64) = (5_000.0 * 0.4, -3_000.0 * 0.2);
    let deviation = (years * (a * a + b * b + a * b)).sqrt();
    let mean = years * (5_000.0 * 0.1 + 3_000.0 * 0.2);
    let wanted = deviation * 2.326_347_874_040_841 - mean;
    let formula = closed::delta_normal(&book, horizon, 0.99).unwrap();
    assert!((formula.var - wanted).abs() < 1e-10);
    assert!((formula.es - (deviation * 2.665_214_220_345_808 - mean)).abs() < 1e-9, "{formula:?}");
    for sampling in [Sampling::Pseudo, Sampling::Sobol] {
        let risk = estimated(&book, &Job { horizon, ..job(sampling, 1 << 16) }, 0.99);
        assert_holds(&format!("VaR {sampling:?}"), risk.var, formula.var);
        assert_holds("ES", risk.es, formula.es);
    }
}

#[test]
fn deltas_of_options_are_their_slopes() {
    let call = one(vec![option(1.0, Right::Call, 105.0, 60.0), option(-2.0, Right::Put, 95.0, 30.0)]);
    let price = |spot: f64| {
        let assets = vec![Asset { spot, ..asset(0.3, 0.02, 0.08) }];
        let book = Book::new(assets, call.positions().to_vec(), 0.04, &[vec![1.0]]).unwrap();
        Plan::new(&book, &job(Sampling::Pseudo, 2)).unwrap().options.iter().map(|option| option.now).sum::<f64>()
    };
    let slope = (price(100.001) - price(99.999)) / 0.002;
    let formula = closed::delta_normal(&call, 10.0, 0.99).unwrap();
    let years: f64 = 10.0 / 252.0;
    let wanted = 100.0 * slope * (0.3 * years.sqrt() * 2.326_347_874_040_841 - 0.08 * years);
    assert!((formula.var - wanted).abs() < 1e-4, "{} {wanted}", formula.var);
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let book = one(vec![stock(10.0)]);
    let wanted = lognormal(1_000.0, 0.95);
    let (mut var, mut es, mut even) = (0, 0, 0);
    for seed in 0..400 {
        let of = |sampling, scenarios| estimated(&book, &Job { seed, ..job(sampling, scenarios) }, 0.95);
        let risk = of(Sampling::Pseudo, 2_000);
        let holds = |estimate: Estimate, truth: f64| {
            usize::from(estimate.low.unwrap() <= truth && truth <= estimate.high.unwrap())
        };
        var += holds(risk.var, wanted.var);
        es += holds(risk.es, wanted.es);
        even += holds(of(Sampling::Sobol, 4_096).es, wanted.es);
    }
    // Of 400, 380 with a deviation of 4.4.
    for (what, count) in [("VaR", var), ("ES", es), ("ES by Sobol", even)] {
        assert!((362..=396).contains(&count), "{what}: {count} of 400");
    }
}

#[test]
fn sobol_sequences_are_nearer_than_chance() {
    let book = one(vec![stock(10.0), option(10.0, Right::Put, 95.0, 40.0)]);
    let [chance, even] = [Sampling::Pseudo, Sampling::Sobol].map(|sampling| {
        let es = estimated(&book, &job(sampling, 1 << 15), 0.99).es;
        es.high.unwrap() - es.low.unwrap()
    });
    assert!(even < 0.2 * chance, "{even} {chance}");
}

#[test]
fn contributions_add_up_to_the_shortfall() {
    let third = one(vec![stock(10.0), option(-30.0, Right::Call, 100.0, 20.0), option(5.0, Right::Put, 90.0, 5.0)]);
    for sampling in [Sampling::Pseudo, Sampling::Sobol] {
        for confidence in [0.975, 0.99] {
            let (plan, losses) = losses(&third, &job(sampling, 4_096));
            let es = estimate::of(&plan, &mut ends(&losses), confidence).es.value;
            let parts = estimate::contributions(&plan, &third, &ends(&losses), confidence, es);
            assert!((parts.iter().sum::<f64>() - es).abs() < 1e-9 * es, "{parts:?} {es}");
            // What is owed loses where the price rises, and there the stock gains.
            assert!(parts[1] > es && parts[0] < 0.0, "{parts:?}");
        }
    }
}

#[test]
fn steps_see_more_than_the_end() {
    let book = one(vec![stock(10.0)]);
    let (_, once) = losses(&book, &job(Sampling::Pseudo, 4_000));
    assert!(once.iter().all(|loss| loss.end == loss.deepest));
    let (plan, often) = losses(&book, &Job { steps: 10, ..job(Sampling::Pseudo, 4_000) });
    assert_eq!(plan.times.len(), 10);
    assert!(often.iter().all(|loss| loss.deepest >= loss.end));
    let worse = often.iter().filter(|loss| loss.deepest > loss.end).count();
    assert!(worse > 2_000, "{worse}");
    // The end is the same distribution.
    let [a, b] = [&once, &often].map(|losses| estimate::independent(&mut ends(losses), 0.95).var);
    assert!(a.low.unwrap() < b.high.unwrap() && b.low.unwrap() < a.high.unwrap());
}

#[test]
fn expiries_before_the_horizon_are_times_of_their_own() {
    let held = vec![option(1.0, Right::Call, 100.0, 2.5), option(1.0, Right::Put, 100.0, 5.0), stock(1.0)];
    let plan = Plan::new(&one(held), &Job { steps: 4, ..job(Sampling::Pseudo, 2) }).unwrap();
    let days: Vec<f64> = plan.times.iter().map(|time| (time * 2_520.0).round() / 10.0).collect();
    assert_eq!(days, [2.5, 5.0, 7.5, 10.0], "those that fall on a step are no further ones");
    // A call that has expired is worth what it paid, whatever comes then.
    let call = one(vec![option(1.0, Right::Call, 100.0, 2.5)]);
    let until = |horizon| losses(&call, &Job { horizon, ..job(Sampling::Pseudo, 500) }).1;
    for (at, later) in until(2.5).iter().zip(until(200.0)) {
        assert!((at.end - later.end).abs() < 1e-12);
    }
}

#[derive(Deserialize)]
struct Vectors {
    prices: Vec<Price>,
    books: Vec<Valued>,
}

#[derive(Deserialize)]
struct Price {
    right: String,
    spot: f64,
    strike: f64,
    volatility: f64,
    rate: f64,
    dividend: f64,
    days: f64,
    value: f64,
    delta: f64,
}

#[derive(Deserialize)]
struct Valued {
    book: String,
    horizon: f64,
    confidence: f64,
    var: f64,
    var_error: f64,
    es: f64,
    es_error: f64,
}

fn quantlib() -> Vectors {
    serde_json::from_str(include_str!("risk/quantlib.json")).unwrap()
}

#[test]
fn options_cost_what_quantlib_says() {
    let prices = quantlib().prices;
    assert!(prices.len() > 100);
    for price in prices {
        let right = if price.right == "call" { Right::Call } else { Right::Put };
        let held = vec![option(1.0, right, price.strike, price.days)];
        let asset = Asset { spot: price.spot, ..asset(price.volatility, price.dividend, 0.0) };
        let book = Book::new(vec![asset], held, price.rate, &[vec![1.0]]).unwrap();
        let plan = Plan::new(&book, &Job { horizon: 1e-3, ..job(Sampling::Pseudo, 2) }).unwrap();
        assert!((plan.options[0].now - price.value).abs() < 1e-11 * (price.spot + price.strike), "{}", price.value);
        // A book of a delta has the delta's VaR.
        let formula = closed::delta_normal(&book, 1.0, 0.99).unwrap();
        let wanted = (price.delta * price.spot).abs() * price.volatility * (1.0_f64 / 252.0).sqrt() * upper(0.01);
        assert!((formula.var - wanted).abs() < 1e-11 * price.spot, "{} {wanted}", formula.var);
    }
}

#[test]
fn value_at_risk_is_quantlibs() {
    for valued in quantlib().books {
        let book = file::parse(&valued.book).unwrap();
        for sampling in [Sampling::Pseudo, Sampling::Sobol] {
            let job = Job { horizon: valued.horizon, ..job(sampling, 1 << 17) };
            let risk = estimated(&book, &job, valued.confidence);
            for (what, ours, theirs, error) in
                [("VaR", risk.var, valued.var, valued.var_error), ("ES", risk.es, valued.es, valued.es_error)]
            {
                // Both are estimates: four of their common errors.
                let own = (ours.high.unwrap() - ours.low.unwrap()) / 3.92;
                let off = (ours.value - theirs) / own.hypot(error);
                assert!(off.abs() < 4.0, "{what} of {sampling:?}: {ours:?}, and {theirs} +- {error}");
            }
        }
    }
}

const GOOD: &str = r#"
rate = 0.04
correlation = [[1, 0.5], [0.5, 1]]
asset = [{ name = "A", spot = 100, volatility = 0.2 }, { name = "B", spot = 50.5, volatility = 0.3, dividend = 0.01, drift = -0.1 }]
stock = [{ asset = "A", quantity = 3 }]
option = [{ asset = "B", kind = "put", strike = 45, expiry = 63, quantity = -2, multiplier = 100 }]
"#;

#[test]
fn a_file_is_what_it_says() {
    let book = file::parse(GOOD).unwrap();
    assert_eq!((book.rate(), book.assets().len()), (0.04, 2));
    assert_eq!(book.assets()[1].drift, -0.1);
    let put = Instrument::Option { right: Right::Put, strike: 45.0, expiry: 63.0 };
    assert_eq!(book.positions()[1], Position { asset: 1, quantity: -200.0, instrument: put });
    assert_eq!(book.factor()[..2], [1.0, 0.5]);
}

#[test]
fn what_is_no_book_says_where_and_why() {
    for (from, to, says) in [
        ("rate = 0.04", "rate = nan", "the rate is NaN, and must be -10 to 10"),
        ("rate = 0.04", "rates = 0.04", "line 2: unknown field `rates`"),
        ("spot = 100", "spot = inf", "the spot of A is inf"),
        ("spot = 100", "spot = 0", "the spot of A is 0, and must be 1e-6 to 1e12"),
        ("spot = 100", "spot = \"x\"", "line 4: invalid type"),
        ("volatility = 0.2", "volatility = 10.1", "the volatility of A is 10.1"),
        ("dividend = 0.01", "dividend = 11", "the dividend of B is 11"),
        ("name = \"B\"", "name = \"A\"", "line 6: there is no asset \"B\""),
        ("asset = \"B\"", "asset = \"C\"", "line 6: there is no asset \"C\""),
        ("quantity = 3", "quantity = 0", "a quantity of A is 0, and must be 1e-6 to 1e12, of either sign"),
        ("strike = 45", "strike = -1", "a strike of B is -1"),
        ("expiry = 63", "expiry = 12601", "an expiry of B is 12601"),
        ("kind = \"put\"", "kind = \"straddle\"", "line 6: unknown variant `straddle`"),
        ("[[1, 0.5], [0.5, 1]]", "[[1, 0.5]]", "must have 2 rows of 2 numbers"),
        ("correlation = [[1, 0.5], [0.5, 1]]", "", "must have 2 rows of 2 numbers"),
        ("[[1, 0.5], [0.5, 1]]", "[[1, 0.5], [0.4, 1]]", "both must be the same"),
        ("[[1, 0.5], [0.5, 1]]", "[[1, 1.1], [1.1, 1]]", "the correlation of B and A is 1.1, and must be -1 to 1"),
        ("[[1, 0.5], [0.5, 1]]", "[[1, 0.5], [0.5, 0.9]]", "the correlation of B and B is 0.9, and must be 1"),
        ("stock = [{ asset = \"A\", quantity = 3 }]", "stock = [", "line "),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let error = file::parse(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    let none = file::parse("rate = 0.0").unwrap_err();
    assert_eq!(none, FileError::Book(NoBook::Count { what: "assets", has: 0, most: 256 }));
    assert!(one_sided(-0.501).unwrap_err().to_string().contains("those of C contradict"));
    assert!(one_sided(-0.5).is_ok());
}

fn one_sided(r: f64) -> Result<Book, NoBook> {
    let assets = ["A", "B", "C"].map(|name| Asset { name: name.into(), ..asset(0.2, 0.0, 0.0) });
    Book::new(assets.into(), vec![stock(1.0)], 0.0, &[vec![1.0, r, r], vec![r, 1.0, r], vec![r, r, 1.0]])
}

/// Any bytes are a book or an error, and a book is a plan or an error.
#[test]
fn no_bytes_panic() {
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let words = ["nan", "-inf", "1e308", "0", "-1", "[", "]", "\"", "1e-308", "2520", "{", "=", "\n", "63.0", "\u{e9}"];
    let mut read = 0;
    for _ in 0..4_000 {
        let mut text = GOOD.to_owned();
        for _ in 0..=next() % 3 {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let (from, length) = (next() % places.len(), next() % 4);
            let to = places.get(from + length).copied().unwrap_or(text.len());
            text.replace_range(places[from]..to, words[next() % words.len()]);
        }
        if let Ok(book) = file::parse(&text) {
            read += 1;
            if let Ok(plan) = Plan::new(&book, &Job { steps: 2, ..job(Sampling::Pseudo, 8) }) {
                let mut device = Software::default();
                device.load(&Arc::new(plan)).unwrap();
                assert!(device.losses(0, 8).unwrap().iter().all(|loss| loss.end.is_finite()), "{text}");
            }
            let _formula = closed::one_asset(&book, 10.0, 0.99);
        }
    }
    assert!(read > 40, "{read}");
}

#[test]
fn jobs_have_limits() {
    let book = one(vec![stock(1.0), option(1.0, Right::Call, 100.0, LATEST)]);
    let asked = |change: fn(&mut Job)| {
        let mut job = job(Sampling::Pseudo, 64);
        change(&mut job);
        Plan::new(&book, &job).map(|_| ())
    };
    assert_eq!(asked(|job| job.horizon = 2_520.0), Ok(()));
    for (horizon, change) in [
        (0.0, (|job| job.horizon = 0.0) as fn(&mut Job)),
        (-1.0, |job| job.horizon = -1.0),
        (2_520.1, |job| job.horizon = 2_520.1),
        (f64::INFINITY, |job| job.horizon = f64::INFINITY),
    ] {
        assert_eq!(asked(change), Err(NoPlan::Horizon(horizon)));
    }
    assert!(matches!(asked(|job| job.horizon = f64::NAN), Err(NoPlan::Horizon(_))));
    assert_eq!(asked(|job| job.steps = MOST_STEPS), Ok(()));
    for change in [
        (|job| job.steps = 0) as fn(&mut Job),
        |job| job.steps = MOST_STEPS + 1,
        |job| job.scenarios = 1,
        |job| job.scenarios = MOST_SCENARIOS + 1,
    ] {
        assert!(matches!(asked(change), Err(NoPlan::Count { .. })));
    }
    assert_eq!(asked(|job| (job.scenarios, job.steps) = (2, 1)), Ok(()));
    assert_eq!(asked(|job| job.scenarios = MOST_SCENARIOS), Ok(()));
    let sobol = |scenarios, steps| Plan::new(&book, &Job { steps, ..job(Sampling::Sobol, scenarios) }).map(|_| ());
    assert_eq!((sobol(32, 1), sobol(1 << 20, 256)), (Ok(()), Ok(())));
    for scenarios in [16, 33, 3 << 10, 1 << 21] {
        assert_eq!(sobol(scenarios, 1), Err(NoPlan::Points(scenarios)));
    }
    assert_eq!(sobol(32, 257), Err(NoPlan::Dimensions { assets: 1, times: 257 }));
    let many = one((0..1_049).map(|n| option(1.0, Right::Call, 100.0 + f64::from(n), 200.0)).collect());
    let terms = |steps| Plan::new(&many, &Job { steps, ..job(Sampling::Pseudo, 2) }).map(|_| ());
    assert_eq!((terms(999), terms(1_000)), (Ok(()), Err(NoPlan::Terms { options: 1_049, times: 1_000 })));
    // 20 deviations of 4 in a year are 80.
    let wild = |volatility: f64| {
        let drift = 0.5 * volatility * volatility;
        let book = Book::new(vec![asset(volatility, 0.0, drift)], vec![stock(1.0)], 0.0, &[vec![1.0]]).unwrap();
        Plan::new(&book, &Job { horizon: 252.0, ..job(Sampling::Pseudo, 2) }).map(|_| ())
    };
    assert_eq!((wild(3.99), wild(4.0)), (Ok(()), Ok(())));
    assert!(matches!(wild(4.01), Err(NoPlan::TooFar { .. })));
}

#[test]
fn books_have_limits() {
    let with = |count: usize| {
        let assets = (0..count).map(|n| Asset { name: format!("A{n}"), ..asset(0.2, 0.0, 0.0) }).collect();
        let unit = (0..count).map(|i| (0..count).map(|j| f64::from(u8::from(i == j))).collect()).collect::<Vec<_>>();
        Book::new(assets, vec![stock(1.0)], 0.0, &unit).map(|_| ())
    };
    assert_eq!((with(1), with(256)), (Ok(()), Ok(())));
    assert_eq!(with(257), Err(NoBook::Count { what: "assets", has: 257, most: 256 }));
    let held =
        |count: usize| Book::new(vec![asset(0.2, 0.0, 0.0)], vec![stock(1.0); count], 0.0, &[vec![1.0]]).map(|_| ());
    assert_eq!((held(1), held(10_000)), (Ok(()), Ok(())));
    for count in [0, 10_001] {
        assert_eq!(held(count), Err(NoBook::Count { what: "positions", has: count, most: 10_000 }));
    }
    let elsewhere = Book::new(vec![asset(0.2, 0.0, 0.0)], vec![Position { asset: 1, ..stock(1.0) }], 0.0, &[vec![1.0]]);
    assert_eq!(elsewhere, Err(NoBook::NoAsset { asset: 1, assets: 1 }));
    let sized = |position| Book::new(vec![asset(0.2, 0.0, 0.0)], vec![position], 0.0, &[vec![1.0]]).is_ok();
    assert!(
        sized(stock(1e12))
            && sized(stock(-1e12))
            && sized(stock(-1e-6))
            && !sized(stock(9e-7))
            && !sized(stock(1.1e12))
            && !sized(stock(f64::NAN))
    );
    let strike = |strike| sized(option(1.0, Right::Put, strike, 1.0));
    assert!(strike(1e12) && strike(1e-6) && !strike(9e-7) && !strike(1.1e12) && !strike(0.0) && !strike(f64::NAN));
    let expiry = |expiry| sized(option(1.0, Right::Put, 1.0, expiry));
    assert!(
        expiry(LATEST)
            && expiry(1e-6)
            && !expiry(9e-7)
            && !expiry(LATEST + 1.0)
            && !expiry(0.0)
            && !expiry(f64::INFINITY)
    );
    let volatile = |v| Book::new(vec![asset(v, 0.0, 0.0)], vec![stock(1.0)], 0.0, &[vec![1.0]]).is_ok();
    assert!(
        volatile(10.0) && volatile(1e-4) && !volatile(9e-5) && !volatile(10.1) && !volatile(0.0) && !volatile(f64::NAN)
    );
    let steep = |d, r| Book::new(vec![asset(0.2, d, d)], vec![stock(1.0)], r, &[vec![1.0]]).is_ok();
    assert!(
        steep(10.0, -10.0) && steep(-10.0, 10.0) && !steep(10.1, 0.0) && !steep(0.0, 10.1) && !steep(f64::NAN, 0.0)
    );
}
