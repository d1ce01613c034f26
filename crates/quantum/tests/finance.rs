//! Option, loans and portfolio against Qiskit's numbers, and intervals against exact values.

mod common;

use common::{close, number, numbers, vector};
use firelane_quantum::Error;
use firelane_quantum::estimation::{Amplified, Method, Settings, estimate, interval};
use firelane_quantum::finance::credit::{Book, Loan, MOST_LOSS};
use firelane_quantum::finance::option::{Call, MOST_GRID_QUBITS};
use firelane_quantum::finance::portfolio::Portfolio;
use firelane_quantum::observable::PauliSum;
use firelane_quantum::{Circuit, Gate};

fn call() -> Call {
    let document = vector("option.json");
    let of = |name: &str| number(&document[name]);
    Call { spot: of("spot"), volatility: of("volatility"), rate: of("rate"), years: of("years"), strike: of("strike") }
}

fn book() -> Book {
    let document = vector("credit.json");
    let (default, sensitivity) = (numbers(&document["default"]), numbers(&document["sensitivity"]));
    let loss = numbers(&document["loss"]);
    let loan = |k: usize| Loan { default: default[k], sensitivity: sensitivity[k], loss: loss[k] as usize };
    Book::new((0..2).map(loan).collect(), 2, number(&document["scale"])).unwrap()
}

#[test]
fn the_call_has_the_numbers_of_the_tutorial() {
    let document = vector("option.json");
    let priced = call().priced(3, 0.25).unwrap();
    for (name, ours) in [("values", &priced.grid().values), ("probabilities", &priced.grid().probabilities)] {
        for (ours, theirs) in ours.iter().zip(numbers(&document[name])) {
            close(*ours, theirs, 1e-14);
        }
    }
    close(priced.exact(), number(&document["exact"]), 1e-14);
    close(priced.exact(), 0.162_276_093_5, 5e-11);
    close(priced.exact_delta(), 0.809_797_399_1, 5e-11);
    let mut payoff = priced.payoff().unwrap();
    close(payoff.amplitude(), number(&document["amplitude"]), 1e-13);
    close(payoff.amplitude(), 0.375_881_127_1, 5e-11);
    close(priced.value(payoff.amplitude()), number(&document["value"]), 1e-12);
    close(priced.value(payoff.amplitude()), 0.168_735_562_5, 5e-11);
    for (k, theirs) in numbers(&document["powers"]).into_iter().enumerate() {
        close(payoff.probability(k + 1).unwrap(), theirs, 1e-12);
    }
    close(priced.delta().unwrap().amplitude(), number(&document["delta_amplitude"]), 1e-13);
    // The grid is as fine as one likes, and the line as straight: then it is Black and Scholes' formula, but for the tails.
    let fine = call().priced(10, 0.01).unwrap();
    close(fine.value(fine.payoff().unwrap().amplitude()), fine.exact(), 2e-5);
    let tails = call().black_scholes() - fine.exact();
    assert!((0.0..5e-3).contains(&tails), "{tails}");
}

#[test]
fn the_powers_of_grover_turn_by_twice_the_angle() {
    let mut payoff = call().priced(3, 0.25).unwrap().payoff().unwrap();
    let theta = payoff.amplitude().sqrt().asin();
    for k in [0, 1, 2, 7, 40] {
        close(payoff.probability(k).unwrap(), ((2 * k + 1) as f64 * theta).sin().powi(2), 1e-11);
        let circuit = payoff.circuit(k).unwrap();
        assert_eq!(circuit.qubits(), 5);
        let state = firelane_quantum::State::of(&circuit).unwrap();
        close(state.probability_of_one(4).unwrap(), payoff.probability(k).unwrap(), 1e-11);
    }
}

#[test]
fn the_loans_have_the_numbers_of_the_tutorial() {
    let document = vector("credit.json");
    let book = book();
    // The quantiles of the normal distribution are SciPy's to so many digits.
    for (ours, theirs) in book.losses().iter().zip(numbers(&document["pdf"])) {
        close(*ours, theirs, 1e-11);
    }
    let page = [0.647_928_27, 0.104_187, 0.206_974_31, 0.040_910_42];
    book.losses().iter().zip(page).for_each(|(ours, page)| close(*ours, page, 5e-9));
    close(book.mean(), number(&document["mean"]), 1e-11);
    close(book.mean(), 0.6409, 5e-5);
    assert_eq!(book.value_at_risk(0.95).unwrap(), 2);
    close(book.not_above(2), 0.9591, 5e-5);
    close(book.mean_above(2).unwrap(), 3.0, 1e-14);
    assert_eq!((book.mean_above(3), book.mean_above(usize::MAX)), (None, None));
    close(book.not_above(usize::MAX), 1.0, 1e-14);
    // The circuits that add up.
    close(book.loss_circuit().unwrap().amplitude(), number(&document["mean_amplitude"]), 1e-11);
    close(book.loss_of(number(&document["mean_amplitude"])), number(&document["mean_value"]), 1e-13);
    for loss in 0..=3 {
        close(book.not_above_circuit(loss).unwrap().amplitude(), book.not_above(loss), 1e-13);
    }
    let above = book.above_circuit(2).unwrap();
    close(above.amplitude(), number(&document["above_amplitude"]), 1e-11);
    let beyond = 2.0 + number(&document["above_value"]) / (1.0 - book.not_above(2));
    close(book.mean_above_of(2, above.amplitude(), book.not_above(2)), beyond, 1e-9);
    assert!(book.above_circuit(3).is_err());
}

#[test]
fn a_larger_book_adds_up_as_its_loans_do() {
    let loan = |default, sensitivity, loss| Loan { default, sensitivity, loss };
    let loans = vec![loan(0.1, 0.2, 3), loan(0.3, 0.0, 0), loan(0.02, 0.5, 6), loan(0.9, 0.1, 1)];
    let book = Book::new(loans, 3, 0.5).unwrap();
    assert_eq!(book.total(), 10);
    close(book.losses().iter().sum(), 1.0, 1e-13);
    for loss in [0, 1, 3, 5, 9, 10, 11] {
        close(book.not_above_circuit(loss).unwrap().amplitude(), book.not_above(loss), 1e-12);
    }
    let fine = |scale| {
        let loans = vec![loan(0.1, 0.2, 3), loan(0.02, 0.5, 6)];
        let book = Book::new(loans, 2, scale).unwrap();
        (book.loss_of(book.loss_circuit().unwrap().amplitude()) - book.mean()).abs()
    };
    assert!(fine(0.02) < 1e-3 && fine(0.02) < fine(0.5) / 100.0, "the line is straight where the scale is small");
}

/// Misses of `seeds` estimates: the interval's promise is that they are at most alpha of them.
fn misses(problem: &mut Amplified, exact: f64, settings: Settings, seeds: u64) -> (usize, usize) {
    let (mut misses, mut queries) = (0, 0);
    for seed in 0..seeds {
        let found = estimate(problem, &Settings { seed, ..settings }).unwrap();
        assert!(found.interval.high - found.interval.low <= 2.0 * settings.epsilon);
        assert!(found.interval.contains(found.value));
        misses += usize::from(!found.interval.contains(exact));
        queries += found.queries;
    }
    (misses, queries)
}

#[test]
fn intervals_hold_the_exact_value_as_often_as_they_promise() {
    let priced = call().priced(3, 0.25).unwrap();
    let mut payoff = priced.payoff().unwrap();
    let exact = payoff.amplitude();
    let settings = Settings { epsilon: 0.01, alpha: 0.05, ..Settings::default() };
    for method in [Method::ClopperPearson, Method::Chernoff] {
        let (missed, queries) = misses(&mut payoff, exact, Settings { method, ..settings }, 200);
        assert!(missed <= 10, "{method:?}: {missed} of 200");
        assert!(queries < 200 * 4_000, "{method:?}: {queries}");
    }
    // The price that amplitude estimation aims at, 0.1687.
    let found = estimate(&mut payoff, &settings).unwrap();
    let price = found.interval.map(|amplitude| priced.value(amplitude));
    assert!(price.contains(0.168_735_562_5), "{price:?}");
    // A wide promise is kept, too, and misses are seen where it is no promise.
    let (half, _) = misses(&mut payoff, exact, Settings { alpha: 0.5, ..settings }, 200);
    assert!(half <= 100, "{half}");
    let (all, _) = misses(&mut payoff, exact + 0.03, settings, 20);
    assert_eq!(all, 20);
}

#[test]
fn other_amplitudes_are_held_too_even_those_at_the_ends() {
    for amplitude in [0.0, 1e-4, 0.1, 0.5, 0.75, 0.999, 1.0_f64] {
        let mut circuit = Circuit::new(1).unwrap();
        circuit.one(Gate::Ry(2.0 * amplitude.sqrt().asin()), 0).unwrap();
        let mut problem = Amplified::new(circuit, 0).unwrap();
        let settings = Settings { epsilon: 0.002, ..Settings::default() };
        let (missed, queries) = misses(&mut problem, amplitude.clamp(1e-15, 1.0 - 1e-15), settings, 40);
        assert!(missed <= 3, "{amplitude}: {missed} of 40");
        // Shots alone would take a quarter of a million for this at one half.
        assert!(queries < 40 * 60_000, "{amplitude}: {queries}");
    }
}

#[test]
fn value_at_risk_is_found_by_estimates() {
    let book = book();
    let settings = Settings { epsilon: 0.003, ..Settings::default() };
    let found = book.search_value_at_risk(0.95, &settings).unwrap();
    assert_eq!((found.value, found.decided), (2, true));
    for (loss, estimate) in &found.tried {
        assert!(estimate.interval.contains(book.not_above(*loss)), "{loss}");
    }
    // An interval that holds the level decides nothing.
    let level = book.not_above(2);
    assert!(!book.search_value_at_risk(level, &Settings { epsilon: 0.05, ..settings }).unwrap().decided);
}

#[test]
fn intervals_of_a_binomial_are_those_of_the_tables() {
    // Clopper and Pearson's interval of 5 in 20 at 95 %, as scipy.stats.binomtest(5, 20).proportion_ci() has it.
    let found = interval(5, 20, 0.05, Method::ClopperPearson).unwrap();
    close(found.low, 0.086_571_47, 1e-8);
    close(found.high, 0.491_045_87, 1e-8);
    // The same of scipy's for many shots and small alphas.
    for (hits, shots, alpha, low, high) in [
        (1, 100_000, 0.05, 2.531_784_274_393_282_6e-7, 5.571_516_034_432_556e-5),
        (50_000, 100_000, 0.01, 0.495_922_334_242_562_53, 0.504_077_665_757_437_4),
        (99_999, 100_000, 0.001, 0.999_900_017_723_754_3, 0.999_999_994_998_734_3),
        (37, 100, 0.0083, 0.246_855_212_648_717_4, 0.506_437_890_753_957_7),
    ] {
        let found = interval(hits, shots, alpha, Method::ClopperPearson).unwrap();
        close(found.low, low, 1e-10);
        close(found.high, high, 1e-10);
    }
    let (none, all) = (interval(0, 20, 0.05, Method::ClopperPearson), interval(20, 20, 0.05, Method::ClopperPearson));
    assert_eq!(none.as_ref().unwrap().low, 0.0);
    assert_eq!(all.unwrap().high, 1.0);
    close(none.unwrap().high, 1.0 - 0.025_f64.powf(1.0 / 20.0), 1e-9);
    let half = ((2.0 / 0.05_f64).ln() / 40.0).sqrt();
    let found = interval(10, 20, 0.05, Method::Chernoff).unwrap();
    close(found.high - 0.5, half, 1e-14);
    assert_eq!(interval(1, 20, 0.05, Method::Chernoff).unwrap().low, 0.0);
    for (hits, shots, alpha) in [(1, 0, 0.1), (3, 2, 0.1), (1, 2, 0.0), (1, 2, 1.0), (1, 2, f64::NAN)] {
        assert!(interval(hits, shots, alpha, Method::ClopperPearson).is_err(), "{hits} {shots} {alpha}");
    }
}

#[test]
fn the_portfolio_is_that_of_the_tutorial() {
    let document = vector("portfolio.json");
    let portfolio = Portfolio::parse(&document_of(&document)).unwrap();
    let qubo = portfolio.qubo(0.5, 2, 4.0).unwrap();
    let ising = qubo.ising().unwrap();
    for (bits, theirs) in numbers(&document["values"]).into_iter().enumerate() {
        close(qubo.value(bits), theirs, 1e-12);
        close(ising.value(bits), theirs, 1e-12);
        close(ising.qubo().unwrap().value(bits), theirs, 1e-12);
    }
    close(ising.offset, 3.993_020_582_3, 5e-11);
    // (1, 0, 0, 1) and (1, 0, 1, 0), the first asset being bit 0.
    close(qubo.value(0b1001), -0.014_884_613_1, 5e-11);
    close(qubo.value(0b0101), -0.014_007_260_0, 5e-11);
    let terms: Vec<(String, f64)> = document["terms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|term| (term[0].as_str().unwrap().to_owned(), number(&term[1])))
        .collect();
    let mut terms: Vec<(&str, f64)> = terms.iter().map(|(letters, weight)| (letters.as_str(), *weight)).collect();
    terms.push(("IIII", number(&document["offset"])));
    let (theirs, ours) = (PauliSum::parse(&terms).unwrap(), PauliSum::of(&ising).unwrap());
    for bits in 0..16 {
        let mut circuit = Circuit::new(4).unwrap();
        for qubit in (0..4).filter(|qubit| bits >> qubit & 1 == 1) {
            circuit.one(Gate::X, qubit).unwrap();
        }
        let state = firelane_quantum::State::of(&circuit).unwrap();
        close(ours.mean(&state).unwrap(), qubo.value(bits), 1e-12);
        close(theirs.mean(&state).unwrap(), qubo.value(bits), 1e-12);
    }
}

fn document_of(document: &serde_json::Value) -> String {
    serde_json::json!({ "mu": document["mu"], "sigma": document["sigma"] }).to_string()
}

#[test]
fn what_cannot_be_an_option_is_refused() {
    let good = call();
    for (bad, word) in [
        (Call { spot: 0.0, ..good }, "spot"),
        (Call { volatility: -0.1, ..good }, "volatility"),
        (Call { years: f64::NAN, ..good }, "time to maturity"),
        (Call { strike: f64::INFINITY, ..good }, "strike"),
        (Call { rate: f64::NAN, ..good }, "rate"),
        (Call { volatility: 1e300, ..good }, "finite"),
        (Call { strike: 2.9, ..good }, "strike"),
    ] {
        let error = bad.priced(3, 0.25).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    assert!(good.priced(0, 0.25).is_err() && good.priced(MOST_GRID_QUBITS + 1, 0.25).is_err());
    assert!(good.priced(1, 0.25).is_ok() && good.priced(MOST_GRID_QUBITS, 0.25).is_ok());
    assert!(good.priced(3, 0.0).is_err() && good.priced(3, 1.1).is_err() && good.priced(3, 1.0).is_ok());
    // A strike below all prices: the option is always worth something.
    let low = Call { strike: 0.5, ..good }.priced(3, 0.25).unwrap();
    close(low.delta().unwrap().amplitude(), 1.0, 1e-13);
    close(low.exact_delta(), 1.0, 1e-13);
}

#[test]
fn what_cannot_be_a_book_is_refused() {
    let good = Loan { default: 0.1, sensitivity: 0.1, loss: 1 };
    let of = |loan: Loan| Book::new(vec![loan], 2, 0.25);
    for bad in [
        Loan { default: 0.0, ..good },
        Loan { default: 1.0, ..good },
        Loan { default: f64::NAN, ..good },
        Loan { sensitivity: 1.0, ..good },
        Loan { sensitivity: -0.1, ..good },
        Loan { loss: 0, ..good },
        Loan { loss: MOST_LOSS + 1, ..good },
    ] {
        assert!(of(bad).is_err(), "{bad:?}");
    }
    assert!(of(good).is_ok() && of(Loan { loss: MOST_LOSS, sensitivity: 0.0, ..good }).is_ok());
    assert!(Book::new(vec![good; 2], 0, 0.25).is_err() && Book::new(vec![good; 2], 9, 0.25).is_err());
    assert!(Book::new(Vec::new(), 2, 0.25).is_err());
    assert!(matches!(Book::new(vec![good; 20], 2, 0.25), Err(Error::TooManyQubits { asked: 29 })));
    let book = book();
    for level in [0.0, 1.0, f64::NAN, 1.5] {
        assert!(book.value_at_risk(level).is_err(), "{level}");
        assert!(book.search_value_at_risk(level, &Settings::default()).is_err(), "{level}");
    }
}

#[test]
fn what_cannot_be_estimated_is_refused() {
    let mut circuit = Circuit::new(1).unwrap();
    circuit.one(Gate::Ry(1.0), 0).unwrap();
    assert!(Amplified::new(circuit.clone(), 1).is_err());
    let mut problem = Amplified::new(circuit, 0).unwrap();
    let good = Settings::default();
    for bad in [
        Settings { epsilon: 0.0, ..good },
        Settings { epsilon: 0.6, ..good },
        Settings { epsilon: f64::NAN, ..good },
        Settings { alpha: 0.0, ..good },
        Settings { alpha: 1.0, ..good },
        Settings { shots: 0, ..good },
        Settings { shots: 10_000_001, ..good },
    ] {
        assert!(estimate(&mut problem, &bad).is_err(), "{bad:?}");
    }
    assert!(estimate(&mut problem, &Settings { epsilon: 0.5, ..good }).is_ok());
}

#[test]
fn what_cannot_be_a_portfolio_is_refused() {
    for (text, word) in [
        ("", "EOF"),
        ("{}", "mu"),
        (r#"{"mu": [], "sigma": []}"#, "without assets"),
        (r#"{"mu": [1], "sigma": []}"#, "rows of sigma"),
        (r#"{"mu": [1], "sigma": [[1, 2]]}"#, "row of sigma"),
        (r#"{"mu": [1], "sigma": [[1]], "nu": 1}"#, "nu"),
        (r#"{"mu": [1e999], "sigma": [[1]]}"#, "out of range"),
    ] {
        let error = Portfolio::parse(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
    let good = Portfolio::parse(r#"{"mu": [0.1, 0.2], "sigma": [[0.1, 0], [0, 0.2]]}"#).unwrap();
    assert!(good.qubo(0.5, 2, 1.0).is_ok() && good.qubo(0.5, 3, 1.0).is_err());
    assert!(good.qubo(-0.5, 1, 1.0).is_err() && good.qubo(0.5, 1, f64::NAN).is_err());
    let wrong = Portfolio { mu: vec![f64::NAN], sigma: vec![vec![1.0]] };
    assert!(wrong.qubo(0.5, 1, 1.0).is_err());
}
