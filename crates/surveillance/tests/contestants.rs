//! What each contestant makes of spikes that are made by hand.

use firelane_gateway::base::Side;
use firelane_kernels::detector::encoder::{Feature, RATE, RESTART, What};
use firelane_kernels::spikes::Spike;
use firelane_surveillance::contest::logistic::{Logistic, Weights};
use firelane_surveillance::contest::meaning::{Meaning, Meanings};
use firelane_surveillance::contest::network::{Network, NetworkError};
use firelane_surveillance::contest::rule::{IcebergRule, IgnitionRule, LayeringRule, Rule, Rules};
use firelane_surveillance::contest::trees::{Node, Tree, Trees};
use firelane_surveillance::contest::{Contestant, Heard, Scores};
use firelane_surveillance::detector::Detector;
use firelane_surveillance::traces::{Constants, Traces};
use firelane_surveillance::watch::Units;

/// Two levels and sizes of three kinds on two sides: 24 units, and two of the middle.
fn detector(weights: &str, more: &str) -> Detector {
    let text = format!(
        r#"
        name = "made"
        time = "event"
        network = '''{{"populations": [{{"id": "out", "n": 2, "du": 4095, "dv": 0, "vth": 3}}{more}],
            "connections": [{{"src": "orders", "dst": "out", "weights": {weights}}},
                            {{"src": "moves", "dst": "out", "weights": [[0, 0], [9, 9]]}}{}]}}'''
        [address]
        input = "orders"
        kinds = ["add", "execute", "delete"]
        levels = 1
        sizes = [500]
        [[delta]]
        of = "mid"
        input = "moves"
        threshold = 100
        [[alert]]
        name = "layering"
        population = "out"
        [[alert]]
        name = "iceberg"
        population = "out"
        unit = 1
        "#,
        if more.is_empty() { "" } else { r#", {"src": "out", "dst": "behind", "weights": [[1, 1]]}"# }
    );
    Detector::parse(&text).unwrap()
}

fn made() -> Detector {
    let row = |weight: i32| vec![weight; 24];
    detector(&format!("[{:?}, {:?}]", row(2), row(0)), "")
}

/// The spike of an event of an order.
fn order(detector: &Detector, what: What, side: Side, level: u16, size: u16) -> Spike {
    let meanings = Meanings::new(detector.settings());
    let all = (0..24).map(|unit| Spike::of(0, unit));
    all.into_iter().find(|spike| meanings.of(spike) == Some(Meaning::Order { what, side, level, size })).unwrap()
}

fn hear(contestant: &mut dyn Contestant, spikes: &[Spike]) -> Scores {
    contestant.hear(&Heard { at: 0, spikes, traces: &[] })
}

#[test]
fn a_units_meaning_is_what_the_encoder_says_with_it() {
    let detector = made();
    let meanings = Meanings::new(detector.settings());
    let of = |node, unit| meanings.of(&Spike::of(node, unit));
    // The size runs fastest, then levels, sides, kinds.
    let order = |what, side, level, size| Some(Meaning::Order { what, side, level, size });
    assert_eq!(of(0, 0), order(What::Add, Side::Buy, 0, 0));
    assert_eq!(of(0, 1), order(What::Add, Side::Buy, 0, 1));
    assert_eq!(of(0, 2), order(What::Add, Side::Buy, 1, 0));
    assert_eq!(of(0, 4), order(What::Add, Side::Sell, 0, 0));
    assert_eq!(of(0, 8), order(What::Execute, Side::Buy, 0, 0));
    assert_eq!(of(0, 23), order(What::Delete, Side::Sell, 1, 1));
    assert_eq!(of(1, 0), Some(Meaning::Moved { of: Feature::Mid, up: true }));
    assert_eq!(of(1, 1), Some(Meaning::Moved { of: Feature::Mid, up: false }));
    assert_eq!((of(RATE, 0), of(RESTART, 0)), (None, None));
    let units = Units::of(detector.settings());
    assert_eq!((units.count(), units.unit(&Spike::of(1, 1))), (26, Some(25)), "inputs stand one behind the other");
}

#[test]
fn a_trace_loses_its_part_in_each_event_and_gains_spikes() {
    let detector = made();
    let mut traces = Traces::new(Units::of(detector.settings()), &Constants(vec![2, 4]));
    assert_eq!(traces.values().len(), 52);
    traces.hear(&[Spike::of(0, 3), Spike { node: 1, unit: 1, value: 5 }, Spike { node: RATE, unit: 0, value: 9 }]);
    traces.hear(&[]);
    traces.hear(&[Spike::of(0, 3)]);
    let at = |constant: usize, unit: usize| traces.values()[constant * 26 + unit];
    assert_eq!((at(0, 3), at(0, 25)), (1.25, 1.25));
    assert_eq!((at(1, 3), at(1, 25)), (1.5625, 2.8125));
    assert_eq!(traces.values().iter().filter(|value| **value != 0.0).count(), 4);
    traces.restart();
    assert!(traces.values().iter().all(|value| *value == 0.0));
}

const RULES: Rules = Rules {
    layering: LayeringRule { window: 5, large: 1, gone: true },
    ignition: IgnitionRule { window: 3, moves: 2 },
    iceberg: IcebergRule { window: 20, within: 2 },
};

fn rule(detector: &Detector, rules: Rules) -> Rule {
    Rule::new(rules, Meanings::new(detector.settings()))
}

#[test]
fn the_rule_of_layering_counts_large_orders_that_come_and_go_while_the_other_side_trades() {
    let detector = made();
    let add = order(&detector, What::Add, Side::Buy, 1, 1);
    let small = order(&detector, What::Add, Side::Buy, 1, 0);
    let delete = order(&detector, What::Delete, Side::Buy, 0, 1);
    let trade = order(&detector, What::Execute, Side::Sell, 0, 0);
    let score = |rules, events: &[Spike]| {
        let mut rule = rule(&detector, rules);
        events.iter().map(|spike| hear(&mut rule, &[*spike])[0]).collect::<Vec<_>>()
    };
    // Twice the pairs, and one more for the trade; five events back the first is forgotten.
    assert_eq!(score(RULES, &[add, add, trade, delete, delete, delete]), [0.0, 0.0, 1.0, 3.0, 5.0, 3.0]);
    assert_eq!(score(RULES, &[small, delete]), [0.0, 0.0], "small ones don't count");
    let other = order(&detector, What::Delete, Side::Sell, 0, 1);
    assert_eq!(score(RULES, &[add, other]), [0.0, 0.0], "nor the other side's");
    let own = order(&detector, What::Execute, Side::Buy, 0, 0);
    assert_eq!(score(RULES, &[add, own, delete]), [0.0, 1.0, 2.0], "the trade of its own side is the other side's");
    let come = Rules { layering: LayeringRule { gone: false, ..RULES.layering }, ..RULES };
    assert_eq!(score(come, &[add, add, small]), [2.0, 4.0, 4.0]);
    let all = Rules { layering: LayeringRule { large: 0, ..RULES.layering }, ..RULES };
    let gone = order(&detector, What::Delete, Side::Buy, 1, 0);
    assert_eq!(score(all, &[small, gone]), [0.0, 2.0]);
}

#[test]
fn the_rule_of_ignition_counts_trades_of_a_side_and_moves_in_their_direction() {
    let detector = made();
    let asks = order(&detector, What::Execute, Side::Sell, 0, 0);
    let bids = order(&detector, What::Execute, Side::Buy, 1, 1);
    let (up, down) = (Spike::of(1, 0), Spike::of(1, 1));
    let mut rule = rule(&detector, RULES);
    let mut score = |spikes: &[Spike]| hear(&mut rule, spikes)[1];
    assert_eq!(score(&[asks]), 1.0);
    assert_eq!(score(&[asks, up]), 4.0);
    assert_eq!(score(&[bids]), 3.0);
    assert_eq!(score(&[]), 2.0, "the first is forgotten");
    assert_eq!(score(&[down]), 3.0, "down: a trade with a bid, and a move");
    assert_eq!(score(&[down]), 4.0);
}

#[test]
fn only_moves_of_prices_are_moves_to_the_rule_of_ignition() {
    let shipped = Detector::shipped().unwrap();
    let meanings = Meanings::new(shipped.settings());
    let inputs = shipped.settings().program().inputs();
    let moves = inputs.iter().position(|(name, _)| name == "moves").unwrap() as u16;
    for unit in 0..10 {
        let spike = Spike::of(moves, unit);
        let Some(Meaning::Moved { of, .. }) = meanings.of(&spike) else { panic!("unit {unit} of moves is none") };
        let price = [Feature::Bid, Feature::Ask, Feature::Last].contains(&of);
        let score = hear(&mut rule(&shipped, RULES), &[spike])[1];
        assert_eq!(score, if price { 2.0 } else { 0.0 }, "{of:?}");
    }
}

#[test]
fn the_rule_of_icebergs_counts_orders_just_behind_trades() {
    let detector = made();
    let trade = order(&detector, What::Execute, Side::Buy, 0, 0);
    let add = order(&detector, What::Add, Side::Buy, 0, 1);
    let deeper = order(&detector, What::Add, Side::Buy, 1, 1);
    let other = order(&detector, What::Add, Side::Sell, 0, 0);
    let score = |events: &[&[Spike]]| {
        let mut rule = rule(&detector, RULES);
        events.iter().map(|spikes| hear(&mut rule, spikes)[2]).fold(0.0, f32::max)
    };
    assert_eq!(score(&[&[trade], &[add]]), 1.0);
    assert_eq!(score(&[&[trade], &[], &[add]]), 1.0);
    assert_eq!(score(&[&[trade], &[], &[], &[add]]), 0.0, "too late");
    assert_eq!(score(&[&[trade], &[add], &[add]]), 1.0, "one for each trade");
    assert_eq!(score(&[&[trade], &[add], &[trade], &[add]]), 2.0);
    assert_eq!(score(&[&[trade], &[deeper]]), 0.0);
    assert_eq!(score(&[&[trade], &[other]]), 0.0);
}

#[test]
fn a_rule_forgets_all_with_the_next_book() {
    let detector = made();
    let mut rule = rule(&detector, RULES);
    let trade = order(&detector, What::Execute, Side::Buy, 0, 0);
    let add = order(&detector, What::Add, Side::Buy, 0, 1);
    hear(&mut rule, &[trade]);
    rule.restart();
    assert_eq!(hear(&mut rule, &[add]), [0.0, 0.0, 0.0]);
    assert_eq!(rule.spent().events, 2);
}

#[test]
fn logistic_regression_is_a_weighted_sum() {
    let weights = |bias, of: [f32; 2]| Weights { bias, of: of.to_vec() };
    let mut logistic =
        Logistic::new(vec![weights(1.0, [2.0, 0.0]), weights(0.0, [0.0, 1.0]), weights(-1.0, [0.5, 0.5])]);
    let scores = logistic.hear(&Heard { at: 0, spikes: &[], traces: &[3.0, 4.0] });
    assert_eq!(scores, [7.0, 4.0, 2.5]);
    logistic.hear(&Heard { at: 0, spikes: &[], traces: &[3.0, 0.0] });
    // A trace that is 0 is multiplied with nothing.
    assert_eq!((logistic.spent().multiplies, logistic.spent().events), (9, 2));
    let build = logistic.build();
    assert_eq!((build.dense_operations, build.connection_sparsity, build.footprint_bytes), (6, Some(2.0 / 6.0), 44));
}

#[test]
fn trees_part_at_their_bounds_and_add_up() {
    let tree = |bound| Tree::new(vec![Node::Split(1, bound, 1, 2), Node::Leaf(1.0), Node::Leaf(10.0)], 2).unwrap();
    let none = || vec![Tree::new(vec![Node::Leaf(0.5)], 2).unwrap()];
    let mut trees = Trees::new(vec![vec![tree(4.0), tree(5.0)], none(), Vec::new()], 2);
    let mut score = |value| trees.hear(&Heard { at: 0, spikes: &[], traces: &[9.0, value] });
    assert_eq!(score(4.0_f32.next_down()), [2.0, 0.5, 0.0]);
    assert_eq!(score(4.0)[0], 11.0);
    assert_eq!(score(5.0)[0], 20.0);
    assert_eq!((trees.spent().comparisons, trees.spent().events), (6, 3));
    assert_eq!(trees.build().footprint_bytes, (7 * size_of::<Node>() + 8) as u64);
}

#[test]
fn a_tree_that_leads_nowhere_is_refused() {
    let lost = |nodes: Vec<Node>| Tree::new(nodes, 2).is_err();
    assert!(!lost(vec![Node::Leaf(1.0)]));
    assert!(lost(Vec::new()));
    assert!(lost(vec![Node::Split(0, 1.0, 1, 2), Node::Leaf(1.0)]));
    assert!(lost(vec![Node::Split(0, 1.0, 0, 1), Node::Leaf(1.0)]), "back to itself");
    assert!(lost(vec![Node::Split(2, 1.0, 1, 1), Node::Leaf(1.0)]), "no such trace");
    assert!(!lost(vec![Node::Split(1, 1.0, 1, 1), Node::Leaf(1.0)]));
}

#[test]
fn a_networks_score_is_a_voltage_that_its_own_threshold_does_not_stop() {
    let detector = made();
    let mut network = Network::new(&detector).unwrap();
    // Weights of 2 in units of 64; as its file has it it would fire, and begin again, at 3 of them.
    let spikes = [Spike::of(0, 0), Spike::of(0, 1)];
    let scores: Vec<Scores> = (0..3).map(|_| hear(&mut network, &spikes)).collect();
    assert_eq!(scores.iter().map(|scores| scores[0] / 64.0).collect::<Vec<_>>(), [4.0, 8.0, 12.0]);
    assert!(scores[0][1].is_nan(), "it has no alert of ignition");
    assert_eq!(scores[2][2], 0.0);
    assert_eq!(hear(&mut network, &[Spike::of(1, 0)])[2], 9.0 * 64.0);
    let before = network.spent();
    // Of each spike the synapses with a weight: one of an order, one of a move.
    assert_eq!((before.events, before.adds, before.multiplies, before.spikes), (4, 7, 0, 0));
    network.restart();
    assert_eq!(hear(&mut network, &spikes)[0], 4.0 * 64.0, "from the beginning");
    assert_eq!(network.spent().adds, 9, "what it has done is not forgotten");
    let build = network.build();
    assert_eq!((build.dense_operations, build.neurons, build.footprint_bytes), (52, 2, 68));
    assert_eq!(build.connection_sparsity, Some(26.0 / 52.0));
}

#[test]
fn a_network_whose_thresholds_cannot_be_varied_is_refused() {
    let weights = format!("[{:?}, {:?}]", vec![1; 24], vec![1; 24]);
    let behind = detector(&weights, r#", {"id": "behind", "n": 1, "du": 4095, "vth": 3}"#);
    let error = Network::new(&behind).unwrap_err();
    assert!(matches!(&error, NetworkError::LeadsOn(name) if name == "out"), "{error}");
    let text = include_str!("../../../examples/detectors/sweeps.toml");
    let network = include_str!("../../../examples/detectors/sweeps.json");
    let whole = firelane_kernels::detector::file::whole(text, |_| Ok(network.to_owned())).unwrap();
    let error = Network::new(&Detector::parse(&whole).unwrap()).unwrap_err();
    assert!(error.to_string().contains("layering, ignition or iceberg"), "{error}");
}

#[test]
fn what_is_heard_is_told_apart_from_what_is_made_of_it() {
    let one = made();
    let other = detector(&format!("[{:?}, {:?}]", vec![1; 24], vec![5; 24]), "");
    assert_eq!(one.hears(), other.hears(), "other weights hear the same");
    let shipped = Detector::shipped().unwrap();
    assert_ne!(one.hears(), shipped.hears());
}
