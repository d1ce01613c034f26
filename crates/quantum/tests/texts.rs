//! Graphs, points and portfolios as text, and the problems that are built in.

use firelane_quantum::Error;
use firelane_quantum::finance::portfolio::Portfolio;
use firelane_quantum::graph::Graph;
use firelane_quantum::points::Points;
use firelane_quantum::references;
use proptest::prelude::*;

#[test]
fn a_graph_is_read_with_and_without_weights() {
    let graph = Graph::parse("3 2\n1 2\n\n 2 3 -0.5 \n").unwrap();
    assert_eq!(graph, Graph { nodes: 3, edges: vec![(0, 1, 1.0), (1, 2, -0.5)] });
    for (text, line, word) in [
        ("", 1, "number of nodes"),
        ("x 1\n", 1, "number of nodes"),
        ("2 1 1\n1 2\n", 1, "number of nodes"),
        ("\n2 1\n1\n", 3, "must be an edge"),
        ("2 1\n1 2 3 4\n", 2, "must be an edge"),
        ("2 1\n0 1\n", 2, "not there"),
        ("2 1\n1 3\n", 2, "not there"),
        ("2 1\n1 1\n", 2, "itself"),
        ("2 1\n1 2 x\n", 2, "weight"),
        ("2 1\n1 2 inf\n", 2, "weight"),
    ] {
        let error = Graph::parse(text).unwrap_err();
        assert!(matches!(error, Error::Line { line: at, .. } if at == line), "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
    assert_eq!(Graph::parse("27 0\n").unwrap_err(), Error::TooManyQubits { asked: 27 });
    assert!(Graph::parse("26 0\n").is_ok() && Graph::parse("0 0\n").is_err());
    assert!(matches!(Graph::parse("2 2\n1 2\n").unwrap_err(), Error::Size { given: 1, needed: 2, .. }));
}

#[test]
fn points_are_read_and_split() {
    let points = Points::parse("# two features\n0.5, 1.5, 1\n\n-1,2,0\n").unwrap();
    assert_eq!(points, Points { features: vec![vec![0.5, 1.5], vec![-1.0, 2.0]], classes: vec![true, false] });
    let (first, rest) = points.clone().split(1);
    assert_eq!((first.classes, rest.features), (vec![true], vec![vec![-1.0, 2.0]]));
    assert_eq!(points.clone().split(9).0, points);
    for (text, line, word) in [
        ("", 1, "must be a point"),
        ("1,2\n", 1, "class"),
        ("1,1\nx,0\n", 2, "feature"),
        ("nan,0\n", 1, "feature"),
        ("0\n", 1, "at least one"),
        ("1,1\n\n1,2,0\n", 3, "as many features"),
    ] {
        let error = Points::parse(text).unwrap_err();
        assert!(matches!(error, Error::Line { line: at, .. } if at == line), "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
}

#[test]
fn what_is_built_in_can_be_read() {
    assert_eq!(references::portfolio().unwrap().mu.len(), 4);
    assert_eq!(references::call().unwrap().strike, 1.896);
    assert_eq!(references::loans().unwrap().iter().map(|loan| loan.loss).sum::<usize>(), 3);
    let (graph, angles) = references::graph().unwrap();
    assert_eq!((graph.nodes, graph.edges.len(), angles.layers().unwrap()), (20, 30, 4));
    let (train, test) = references::rings().unwrap();
    assert_eq!((train.classes.len(), test.classes.len()), (40, 20));
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s)[-0-9a-z.,# \n\\[\\]{}:\"]{0,80}|(?s).{0,40}") {
        let _ = Graph::parse(&text);
        let _ = Points::parse(&text);
        let _ = Portfolio::parse(&text);
    }

    #[test]
    fn a_graph_with_one_byte_changed_does_not_panic(at in 0_usize..20, byte in any::<char>()) {
        let text: String = "4 3\n1 2 1\n2 3\n3 4 -2\n".chars().enumerate().map(|(n, c)| if n == at { byte } else { c }).collect();
        let _ = Graph::parse(&text);
    }
}
