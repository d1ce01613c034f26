//! What is a universe, and how OR-Library's files are read.

use crate::made::universe;
use firelane_portfolio::orlib::{self, MOST_POINTS, OrLibError};
use firelane_portfolio::universe::{MOST_NAMES, SEMIDEFINITE, Universe, UniverseError};
use proptest::prelude::*;

fn said<T: std::fmt::Debug>(outcome: Result<T, UniverseError>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn what_is_no_universe_is_refused_by_name() {
    let sound: &[&[f64]] = &[&[4.0, 1.0], &[1.0, 1.0]];
    assert!(universe(&[0.1, 0.2], sound).is_ok());
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(said(universe(&[0.1, wrong], sound)).starts_with("the mean of `B` is not finite"));
        assert!(
            said(universe(&[0.1, 0.2], &[&[4.0, wrong], &[1.0, 1.0]])).starts_with("the covariance of `A` and `B`")
        );
    }
    assert!(said(universe(&[0.1, 0.2], &[&[4.0, 1.0], &[1.0, -1.0]])).starts_with("the variance of `B` is -1e0"));
    assert_eq!(Universe::new(Vec::new(), Vec::new(), Vec::new()), Err(UniverseError::Names(0)));
    let names = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    let length = Universe::new(names(MOST_NAMES), Vec::new(), Vec::new());
    assert!(matches!(length, Err(UniverseError::Length { is: 0, must: MOST_NAMES, .. })), "at the limit: {length:?}");
    let more = Universe::new(names(MOST_NAMES + 1), Vec::new(), Vec::new());
    assert_eq!(more, Err(UniverseError::Names(MOST_NAMES + 1)));
    let twice = Universe::new(vec!["X".into(), "X".into()], vec![0.0; 2], vec![1.0, 0.0, 0.0, 1.0]);
    assert_eq!(twice, Err(UniverseError::Twice("X".into())));
    let short = Universe::new(names(2), vec![0.0; 2], vec![1.0; 3]);
    assert!(said(short).contains("the covariance has 3 numbers, and must have 4"));
}

#[test]
fn halves_that_differ_are_said_and_rounding_is_mended() {
    let with = |apart: f64| universe(&[0.0; 2], &[&[4.0, 1.0 + apart], &[1.0, 1.0]]);
    // 1e-12 of the largest variance.
    assert_eq!(with(3.9e-12).unwrap().covariances(0)[1], with(3.9e-12).unwrap().covariances(1)[0]);
    assert!(said(with(4.1e-12)).contains("it must be symmetric"));
}

#[test]
fn a_variance_may_be_negative_only_by_rounding() {
    // Eigenvalues 1 ± ρ.
    let with = |beyond: f64| universe(&[0.0; 2], &[&[1.0, 1.0 + beyond], &[1.0 + beyond, 1.0]]);
    assert!(with(0.0).is_ok());
    assert!(with(SEMIDEFINITE * 0.9).is_ok());
    let text = said(with(SEMIDEFINITE * 1.1));
    assert!(text.contains("combination of `B` and the names before it") && text.contains("shrink it"), "{text}");
    assert!(universe(&[0.0; 2], &[&[0.0, 0.0], &[0.0, 0.0]]).is_ok(), "cash does not vary");
    assert!(said(universe(&[0.0; 2], &[&[0.0, 1.0], &[1.0, 0.0]])).contains("not positive semidefinite"));
}

#[test]
fn returns_and_variances_are_those_of_the_weights() {
    let universe = universe(&[0.1, 0.2], &[&[4.0, 1.0], &[1.0, 9.0]]).unwrap();
    assert!((universe.return_of(&[0.25, 0.75]) - 0.175).abs() < 1e-15);
    assert!((universe.variance_of(&[0.25, 0.75]) - (0.25 + 0.375 + 5.0625)).abs() < 1e-15);
    assert_eq!(
        (universe.len(), universe.is_empty(), universe.index_of("B"), universe.index_of("C")),
        (2, false, Some(1), None)
    );
}

const PORT: &str = " 3\n .01 .04\n .02 .05\n -.01 .06\n 1 1 1.0\n 1 2 .5\n 1 3 -.25\n 2 2 1\n 2 3 0\n 3 3 1.\n";

#[test]
fn a_file_is_read_as_it_stands() {
    let universe = orlib::universe(PORT).unwrap();
    assert_eq!(universe.names(), ["1", "2", "3"]);
    assert_eq!(universe.mean(), [0.01, 0.02, -0.01]);
    assert_eq!(universe.covariances(0), [0.04 * 0.04, 0.5 * 0.04 * 0.05, -0.25 * 0.04 * 0.06]);
    assert_eq!(universe.covariances(1)[0], universe.covariances(0)[1]);
    let points = orlib::frontier(".01 .002\n .005  .001\n").unwrap();
    assert_eq!((points.len(), points[1].mean, points[1].variance), (2, 0.005, 0.001));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    for (from, to, text) in [
        (" 3\n", " three\n", "line 1: `three` is no count of names"),
        (" 3\n", " 0\n", "line 1: 0 names; 1 to 2000"),
        (" 3\n", " 2001\n", "line 1: 2001 names; 1 to 2000"),
        (" 3\n", " 4\n", "line 5: `1.0` is no first name of a pair"),
        (".02 .05", ".02 -.05", "line 3: -0.05 is no standard deviation, which is finite and 0 or more"),
        (".02 .05", "nan .05", "line 3: NaN is no mean return"),
        (".02 .05", "1e999 .05", "line 3: inf is no mean return"),
        ("1 2 .5", "1 2 1.1", "line 6: 1.1 is no correlation, which is -1 to 1"),
        ("1 2 .5", "1 4 .5", "line 6: the pair 1 4 has a name that is not there"),
        ("1 2 .5", "0 2 .5", "line 6: the pair 0 2 has a name that is not there"),
        ("1 3 -.25", "2 1 -.25", "line 7: the pair 2 1 is there twice"),
        ("2 2 1\n", "2 2 .9\n", "line 8: the pair 2 2 is a name with itself"),
        ("3 3 1.\n", "", "the file ends where first name of a pair should stand"),
        ("3 3 1.\n", "3 3 1. 7\n", "line 10: the file goes on behind its last pair"),
        ("1 2 .5", "1 2 .999", "the covariance is not positive semidefinite"),
    ] {
        let found = orlib::universe(&PORT.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(found.starts_with(text), "{from:?} -> {to:?}: {found}");
    }
    assert!(matches!(orlib::frontier(""), Err(OrLibError::Ends(_))));
    assert!(matches!(orlib::frontier(".1"), Err(OrLibError::Ends("variance"))));
    assert!(orlib::frontier(".1 -1").unwrap_err().to_string().starts_with("line 1: -1 is no variance"));
    let many = ".1 .1\n".repeat(MOST_POINTS);
    assert_eq!(orlib::frontier(&many).unwrap().len(), MOST_POINTS);
    assert_eq!(orlib::frontier(&(many + ".1 .1")), Err(OrLibError::Points));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = orlib::universe(&text);
        let _ = orlib::frontier(&text);
    }

    #[test]
    fn no_mutation_of_a_file_panics(at in 0..PORT.len(), length in 0usize..6, with in "[0-9 .eE\\-+\nnaif]{0,8}") {
        let end = (at + length).min(PORT.len());
        let text = format!("{}{with}{}", &PORT[..at], &PORT[end..]);
        if let Ok(universe) = orlib::universe(&text) {
            prop_assert!(universe.covariance().iter().all(|value| value.is_finite()));
        }
        let _ = orlib::frontier(&text);
    }
}

#[test]
fn json_is_read_too() {
    let text = r#" {"names": ["X", "Y"], "mean": [0.1, 0.2], "covariance": [[4.0, 1.0], [1.0, 9.0]]}"#;
    let universe = Universe::parse(text).unwrap();
    assert_eq!((universe.names()[1].as_str(), universe.mean()[1], universe.covariances(0)[1]), ("Y", 0.2, 1.0));
    assert_eq!(Universe::parse(PORT).unwrap(), orlib::universe(PORT).unwrap());
    for (from, to, said) in [
        ("[4.0, 1.0]", "[4.0]", "row 1 of the covariance has 1 numbers, and there are 2 names"),
        ("\"mean\"", "\"men\"", "unknown field `men`"),
        ("9.0]]", "9.0]", "line 1 column"),
        ("[0.1, 0.2]", "[0.1]", "the mean has 1 numbers, and must have 2"),
        ("\"Y\"", "\"X\"", "`X` is there twice"),
    ] {
        let error = Universe::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
