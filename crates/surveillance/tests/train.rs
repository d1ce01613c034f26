//! Training, on minutes of two days: the same seeds give the same file, and what is read of the file says what the trainers say.

#[path = "../examples/train/choose.rs"]
mod choose;
#[path = "../examples/train/fit.rs"]
mod fit;
#[path = "../examples/train/rows.rs"]
mod rows;

use firelane_gateway::base::Nanos;
use firelane_sim::manipulation::DayConfig;
use firelane_surveillance::contest::trees::score;
use firelane_surveillance::detector::Detector;
use firelane_surveillance::models::{Baselines, ModelError};
use firelane_surveillance::score::books;
use firelane_surveillance::traces::Constants;
use rows::{Learnt, Rows, Sample, rows};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

/// Days of some minutes, in which an episode follows the other.
fn short() -> DayConfig {
    let every = (Nanos::from_millis(500), Nanos::from_secs(2));
    DayConfig { symbols: 2, length: Nanos::from_secs(60), every, ..DayConfig::default() }
}

const SAMPLE: Sample = Sample { targets: 1, others: 20 };

#[test]
fn training_without_an_episode_says_so() {
    let day = DayConfig { length: Nanos::from_secs(15), ..short() };
    let plan = choose::Plan { day, train: 1..2, validation: 2..3, sample: SAMPLE };
    let error = choose::train(&Detector::shipped().unwrap(), &plan, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("no event of layering"), "{error}");
}

#[test]
fn the_same_seeds_give_the_same_file_and_it_can_be_read() {
    let detector = Detector::shipped().unwrap();
    let plan = choose::Plan { day: short(), train: 1..2, validation: 2..3, sample: SAMPLE };
    let train = || choose::train(&detector, &plan, &mut |_| ()).unwrap();
    let (first, second) = (train(), train());
    let text = serde_json::to_string(&first).unwrap();
    assert_eq!(text, serde_json::to_string(&second).unwrap());
    let read = Baselines::parse(&text).unwrap();
    assert_eq!(read, first, "what was written is what is read");
    assert!(read.contestants(&detector).unwrap().is_some());
}

/// Made-up rows of two columns: wanted is what has a large second one.
fn made() -> Rows {
    let (first, second): (Vec<f64>, Vec<f64>) =
        (0..200).map(|n| (f64::from(n * 37 % 101), f64::from(n * 53 % 97))).unzip();
    let wanted = second.iter().zip(&first).map(|(second, first)| *second > 60.0 || (*first > 90.0 && *second > 30.0));
    let wanted = wanted.collect();
    Rows { columns: 2, values: [first, second].concat(), wanted }
}

fn row(rows: &Rows, number: usize) -> Vec<f32> {
    (0..rows.columns).map(|column| rows.values[column * rows.count() + number] as f32).collect()
}

#[test]
fn weights_taken_out_of_the_trainer_say_what_it_says() {
    let rows = made();
    let weights = fit::logistic(&rows, 1.0).unwrap();
    // The trainer itself, on columns of mean 0 and deviation 1.
    let mut values = rows.values.clone();
    for column in values.chunks_mut(rows.count()) {
        let mean = column.iter().sum::<f64>() / 200.0;
        let deviation = (column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 200.0).sqrt();
        column.iter_mut().for_each(|value| *value = (*value - mean) / deviation);
    }
    let matrix = DenseMatrix::new(200, 2, values.clone(), true).unwrap();
    let wanted: Vec<u8> = rows.wanted.iter().map(|wanted| u8::from(*wanted)).collect();
    let model =
        LogisticRegression::fit(&matrix, &wanted, LogisticRegressionParameters::default().with_alpha(1.0)).unwrap();
    for number in 0..200 {
        let by_it = model.intercept().get((0, 0))
            + model.coefficients().get((0, 0)) * values[number]
            + model.coefficients().get((0, 1)) * values[200 + number];
        let ours = f64::from(weights.score(&row(&rows, number)));
        assert!((ours - by_it).abs() < 1e-3, "row {number}: {ours}, {by_it}");
    }
}

#[test]
fn boosted_trees_learn_what_no_weighted_sum_says_exactly() {
    let rows = made();
    let right = |count: usize| {
        let trees = fit::trees(&rows, 0.3, count).unwrap();
        assert_eq!(trees.len(), count);
        (0..200).filter(|number| (score(&trees, &row(&rows, *number)).0 > 0.0) == rows.wanted[*number]).count()
    };
    assert!(right(30) >= 195, "{} of 200", right(30));
    // A first step of Newton's method from even odds is 2 where all are wanted and -2 where none is, of which a part is taken.
    let first = fit::trees(&rows, 0.25, 1).unwrap();
    let highest = (0..200).map(|number| score(&first, &row(&rows, number)).0).fold(f32::MIN, f32::max);
    assert_eq!(highest, 0.5);
}

#[test]
fn rows_are_of_episodes_of_decoys_and_of_all_else() {
    let detector = Detector::shipped().unwrap();
    let books = books(1, short(), &detector).unwrap();
    assert_eq!(books.len(), 2);
    let constants = Constants(vec![4]);
    let of = |learnt| rows(&books, 0, learnt, SAMPLE, &detector, &constants);
    let (whole, half) = (of(Learnt::Whole), of(Learnt::SecondHalf));
    let wanted = |rows: &Rows| rows.wanted.iter().filter(|wanted| **wanted).count();
    assert_eq!(whole.values.len(), whole.count() * whole.columns);
    assert!(wanted(&whole) > wanted(&half) && wanted(&half) > 0, "{} and {}", wanted(&whole), wanted(&half));
    assert!(whole.count() > wanted(&whole));
    assert_eq!(whole.columns, 64);
}

#[test]
fn baselines_that_do_not_fit_are_refused() {
    let detector = Detector::shipped().unwrap();
    let mut shipped = Baselines::shipped().unwrap();
    assert!(shipped.contestants(&detector).unwrap().is_some(), "those that are committed are of the detector that is");
    let other = Baselines { hears: "something else".to_owned(), ..shipped.clone() };
    assert!(other.contestants(&detector).unwrap().is_none());
    shipped.constants.0.push(9);
    let error = shipped.contestants(&detector).err().unwrap();
    assert!(matches!(error, ModelError::Shape { what: "logistic", found: 256, expected: 320 }), "{error}");
    let mut shipped = Baselines::shipped().unwrap();
    shipped.logistic.pop();
    let text = serde_json::to_string(&shipped).unwrap();
    let error = Baselines::parse(&text).unwrap_err().to_string();
    assert!(error.contains("logistic has 2; it must have 3: train again"), "{error}");
}
