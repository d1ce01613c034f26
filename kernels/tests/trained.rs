//! Networks that were trained elsewhere: files of snnTorch and of the package `nir` (`tests/nir/make.py`), as integers against what
//! snnTorch itself computed; what is refused, and how it is said; files that are broken.

use firelane_kernels::spikes::nir::{Graph, Options, import};

const SMALL: &str = r#"{"type":"NIRGraph","edges":[["in","fc"],["fc","lif"],["lif","out"]],"nodes":{"in":{"type":"Input","shape":[2]},
    "fc":{"type":"Affine","weight":[[0.5,-0.25]],"bias":[0.125]},
    "lif":{"type":"LIF","tau":[0.01],"r":[10],"v_leak":[0],"v_threshold":[1]},"out":{"type":"Output","shape":[1]}}}"#;

fn error(text: &str, options: &Options) -> String {
    Graph::from_json(text).and_then(|graph| import(&graph, options)).unwrap_err().to_string()
}

fn small(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replace(from, to)
}

#[test]
fn what_is_wrong_with_a_graph_is_said_with_its_node() {
    let options = Options::new(1e-3);
    let lif = "\"lif\":{\"type\":\"LIF\",\"tau\":[0.01],\"r\":[10],\"v_leak\":[0],\"v_threshold\":[1]}";
    for (from, to, expected) in [
        (
            "Affine",
            "Conv2d",
            "fc: nodes of the type Conv2d are not known; Input, Output, Linear, Affine, Scale, Threshold, Flatten, IF, LIF, LI, CubaLIF, CubaLI, Delay, NIRGraph are",
        ),
        ("[[0.5,-0.25]]", "[[0.5,-0.25,1]]", "fc: in gives it 2 units; it takes 3"),
        ("[[0.5,-0.25]]", "[0.5,-0.25]", "fc: weight has 1 dimensions; it must have 2"),
        ("[[0.5,-0.25]]", "[[0.5],[1,2]]", "fc: weight has lists of 1 and of 2 values; they must be equally long"),
        ("[[0.5,-0.25]]", "[[0.5,null]]", "fc: weight holds null, which is no number"),
        ("[0.125]", "[1,2]", "fc: bias has 2 values; weight has 1 rows"),
        ("[0.125]", "[]", "fc: bias has no values"),
        ("\"bias\"", "\"bais\"", "fc: Affine has no key \"bais\"; it has weight, bias"),
        (",\"bias\":[0.125]", "", "fc: Affine needs the key bias"),
        ("\"tau\":[0.01]", "\"tau\":[0]", "lif: tau holds 0; a time constant is above 0"),
        (
            "\"tau\":[0.01]",
            "\"tau\":[0.0001]",
            "lif: tau is 0.0001 s, which is less than a step of 0.001 s; take a smaller dt, or the exponential discretisation",
        ),
        (
            "\"tau\":[0.01]",
            "\"tau\":[9]",
            "lif: tau is 9 s, which is 9000 steps; a decay has 12 bits, so that 8,192 steps is the longest: take a larger dt",
        ),
        ("\"tau\":[0.01]", "\"tau\":[0.01,0.02]", "lif: fc gives it 1 units; it takes 2"),
        ("\"tau\":[0.01],\"r\":[10]", "\"tau\":[1,2],\"r\":[1,2,3]", "lif: tau has 2 values; others have 3"),
        ("\"v_threshold\":[1]", "\"v_threshold\":[-1]", "lif: its threshold holds -1; it must be 0 or more"),
        ("\"v_leak\":[0]", "\"v_leak\":[900]", "lif: v_leak comes to"),
        ("\"shape\":[2]", "\"shape\":[0]", "in: shape is [0.0]; it must be whole numbers from 1 to 65536"),
        ("\"shape\":[2]", "\"shape\":[65536,2]", "in: 131072 units; there may be 65536 at most"),
        ("[\"fc\",\"lif\"]", "[\"fc\",\"fil\"]", ": an edge names \"fil\", which is no node of the graph"),
        ("[\"in\",\"fc\"],", "", "fc: nothing leads to it"),
        ("[\"in\",\"fc\"],", "[\"in\",\"fc\"],[\"lif\",\"in\"],", "in: lif gives it 1 units; it takes 2"),
        (
            "[\"in\",\"fc\"],",
            "[\"in\",\"fc\"],[\"fc\",\"out\"],",
            "out: fc leads to it; only spikes and voltages of neurons come out",
        ),
        ("[\"in\",\"fc\"]", "[\"in\"]", "graph: the edge [\"in\"] is not two names"),
        ("\"type\":\"NIRGraph\"", "\"type\":\"LIF\"", "nodes"),
        (
            lif,
            "\"lif\":{\"type\":\"Scale\",\"scale\":[1]}",
            "graph: it has no neurons: a node of the type LIF, IF, CubaLIF, LI, CubaLI or Threshold",
        ),
        ("\"lif\":{\"type\":\"LIF\"", "\"lif\":{\"type\":7", "lif: it has no type"),
    ] {
        let said = error(&small(from, to), &options);
        assert!(said.starts_with(expected) || expected == "nodes" && !said.is_empty(), "{said}");
    }
    for (options, expected) in [
        (Options { dt: 0.0, ..options }, "dt: it must be a number of seconds above 0"),
        (Options { dt: f64::NAN, ..options }, "dt: it must be a number of seconds above 0"),
        (Options { bits: 5, ..options }, "bits: it must be 8, 6 or 4"),
        (Options { message_bits: 25, ..options }, "message bits: it must be 0 to 24"),
    ] {
        assert_eq!(error(SMALL, &options), expected);
    }
}

/// A graph of these nodes (with `in` and `out`, of one unit) and edges.
fn graph(nodes: &str, edges: &str) -> String {
    format!(
        r#"{{"type":"NIRGraph","nodes":{{"in":{{"type":"Input","shape":[1]}},"out":{{"type":"Output","shape":[1]}},{nodes}}},"edges":[{edges}]}}"#
    )
}

const IF: &str = r#""if":{"type":"IF","r":[1000],"v_threshold":[1]}"#;

#[test]
fn a_loop_without_neurons_is_refused_and_one_with_them_is_not() {
    let options = Options::new(1e-3);
    let nodes = format!(r#"{IF},"a":{{"type":"Scale","scale":[0.5]}},"b":{{"type":"Linear","weight":[[1]]}}"#);
    let edges = r#"["in","a"],["a","b"],["b","a"],["b","if"],["if","out"]"#;
    let said = error(&graph(&nodes, edges), &options);
    assert!(said.starts_with("a, b: a loop of nodes without state; a loop must pass neurons"), "{said}");
    let edges = r#"["in","a"],["a","if"],["if","b"],["b","if"],["if","out"]"#;
    let network = import(&Graph::from_json(&graph(&nodes, edges)).unwrap(), &options).unwrap().network;
    assert_eq!(network.connections.len(), 2);
}

#[test]
fn what_does_not_fire_leads_nowhere_and_limits_are_named() {
    let options = Options::new(1e-3);
    let nodes = format!(r#"{IF},"li":{{"type":"LI","tau":[0.01],"r":[1],"v_leak":[0]}}"#);
    let said = error(&graph(&nodes, r#"["in","li"],["li","if"],["if","out"]"#), &options);
    assert_eq!(said, "if: li leads to it, whose neurons do not fire; only spikes lead on");
    let delay = |seconds: f64| format!(r#"{IF},"d":{{"type":"Delay","delay":[{seconds}]}}"#);
    let edges = r#"["in","d"],["d","if"],["if","out"]"#;
    let said = error(&graph(&delay(0.064), edges), &options);
    assert_eq!(said, "if: a delay of 0.064 s on the way to it is 64 steps; 63 is the longest");
    assert_eq!(error(&graph(&delay(-0.001), edges), &options), "d: delay holds -0.001; a delay is 0 or more seconds");
    let made = import(&Graph::from_json(&graph(&delay(0.063), edges)).unwrap(), &options).unwrap();
    assert_eq!(made.network.connections[0].delays, Some(vec![vec![63]]));
    // More synapses than a program may have: 8,193 x 8,193 of an identity.
    let wide = graph(IF, r#"["in","if"],["if","out"]"#).replace("\"shape\":[1]", "\"shape\":[8193]");
    let said = error(&wide, &options);
    assert_eq!(said, "if: 67125249 synapses up to here; there may be 67108864 at most");
}

/// Ways that meet again are one matrix: twenty of them one behind another are not a million.
#[test]
fn ways_that_part_and_meet_are_one() {
    let mut nodes = IF.to_owned();
    let mut edges = String::from(r#"["in","a0"],"#);
    for at in 0..40 {
        nodes += &format!(r#","a{at}":{{"type":"Scale","scale":[0.5]}},"b{at}":{{"type":"Scale","scale":[1]}}"#);
        edges += &format!(r#"["a{at}","b{at}"],["a{at}","a{}"],["b{at}","a{}"],"#, at + 1, at + 1);
    }
    nodes += r#","a40":{"type":"Scale","scale":[1]}"#;
    edges += r#"["a40","if"],["if","out"]"#;
    let made = import(&Graph::from_json(&graph(&nodes, &edges)).unwrap(), &Options::new(1e-3)).unwrap();
    // Each halves what it gets, and gives it on twice: 1 of 1, against a threshold of 1 that is not passed, and then is.
    let far = made.compare(&[vec![vec![1]; 10]]).unwrap();
    assert_eq!((made.network.connections.len(), far[0].float_spikes, far[0].integer_spikes), (1, 5, 5));
}

/// Of the same kind of neurons in one population each has its own constants; a graph with one number for all has it for all.
#[test]
fn one_number_is_of_all_neurons() {
    let text = small("[[0.5,-0.25]]", "[[0.5,-0.25],[1,1]]")
        .replace("[0.125]", "[0.125,0]")
        .replace("\"shape\":[1]", "\"shape\":[2]");
    let made = import(&Graph::from_json(&text).unwrap(), &Options::new(1e-3)).unwrap();
    let lif = &made.network.populations[0];
    assert_eq!((lif.n, lif.dv, lif.each.dv.len(), lif.sum_bias.len()), (2, 410, 0, 2));
    // The largest weight is 127 of 127, with the lowest bit left out: 254.
    assert_eq!(made.network.connections[0].weights[1], [254, 254]);
    let four = import(&Graph::from_json(&text).unwrap(), &Options { bits: 4, ..Options::new(1e-3) }).unwrap();
    assert_eq!(four.network.connections[0].weights, [[128, -64], [224, 224]]);
}

/// Events with values weigh what they say, in both.
#[test]
fn events_may_have_values() {
    let options = Options { message_bits: 4, ..Options::new(1e-3) };
    let made = import(&Graph::from_json(SMALL).unwrap(), &options).unwrap();
    assert_eq!(made.network.connections[0].num_message_bits, 4);
    let far = made.compare(&[vec![vec![3, 1], vec![-3, 2], vec![9, 15]]]).unwrap();
    assert!(far[0].float_spikes == 1 && far[0].together == 1 && far[0].voltage < 0.03, "{far:?}");
    let plain = import(&Graph::from_json(SMALL).unwrap(), &Options::new(1e-3)).unwrap();
    assert_eq!(plain.compare(&[vec![vec![3, 1], vec![-3, 2]]]).unwrap()[0].float_spikes, 0);
    let error = made.compare(&[vec![vec![3]]]).unwrap_err().to_string();
    assert_eq!(error, "in: step 0 has 1 values; the input has 2 units");
    assert_eq!(
        made.compare(&[vec![vec![16, 0]]]).unwrap_err().to_string(),
        "events: step 0: an event of unit 0 of input 0 has the value 16; it may have 15 at most, in size"
    );
}

#[cfg(feature = "hdf5")]
mod files {
    use super::*;
    use firelane_kernels::spikes::nir::{Discretisation, Imported, ResetMode};
    use firelane_kernels::spikes::{Device, Kind, Program, Reset, Rules, Software, Source, Spike};
    use serde_json::Value;
    use std::path::PathBuf;

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/nir")
    }

    fn file(name: &str) -> Vec<u8> {
        std::fs::read(folder().join(name)).unwrap()
    }

    fn graph(name: &str) -> Graph {
        Graph::from_hdf5(file(name)).unwrap()
    }

    type Rows = Vec<Vec<i32>>;

    /// What snnTorch was given and did: rows of inputs, and of spikes by layer.
    fn recorded(name: &str) -> (Rows, Vec<(String, Rows)>) {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let rows = |value: &Value| serde_json::from_value(value.clone()).unwrap();
        let spikes = value["spikes"].as_object().unwrap();
        (rows(&value["inputs"]), spikes.iter().map(|(layer, value)| (layer.clone(), rows(value))).collect())
    }

    /// Spikes of the integers and of snnTorch: all of snnTorch's, all of ours, and those of both.
    fn counts(imported: &Imported, name: &str) -> Vec<(u64, u64, u64)> {
        let (inputs, layers) = recorded(name);
        let program = Program::check(&imported.network, &Rules::default()).unwrap();
        let mut device = Software::best();
        device.load(&program).unwrap();
        let mut out = vec![Spike::default(); program.neurons()];
        let mut all = vec![(0, 0, 0); layers.len()];
        for (step, row) in inputs.iter().enumerate() {
            let fired = row.iter().enumerate().filter(|&(_, &value)| value != 0);
            let events: Vec<Spike> = fired.map(|(unit, _)| Spike::of(0, unit as u16)).collect();
            let done = device.step(&events, &mut out).unwrap();
            for (count, (layer, spikes)) in all.iter_mut().zip(&layers) {
                let node = program.cells().iter().position(|cells| cells.id == *layer).unwrap();
                count.0 += spikes[step].iter().filter(|&&spike| spike != 0).count() as u64;
                let ours = out[..done.spikes].iter().filter(|spike| usize::from(spike.node) == node);
                for spike in ours {
                    count.1 += 1;
                    count.2 += u64::from(spikes[step][usize::from(spike.unit)] != 0);
                }
            }
        }
        all
    }

    fn options(reset: ResetMode, reset_delay: bool) -> Options {
        Options { reset, reset_delay, ..Options::new(1e-4) }
    }

    #[test]
    fn networks_of_snntorch_do_in_integers_what_snntorch_does() {
        for (name, options, agree) in [
            ("snn_subtract", options(ResetMode::Subtract, true), [95, 70]),
            ("snn_zero", options(ResetMode::File, false), [88, 60]),
            ("snn_late", options(ResetMode::File, true), [80, 0]),
        ] {
            let imported = import(&graph(&format!("{name}.nir")), &options).unwrap();
            let (inputs, layers) = recorded(&format!("{name}.json"));
            // Floating point is what snnTorch has, but for numbers of 64 bits where it has 32: a threshold is passed a step earlier or later.
            for (population, rows) in imported.in_floating_point(&[inputs]).unwrap() {
                let theirs = &layers.iter().find(|(layer, _)| *layer == population).unwrap().1;
                let apart = rows
                    .iter()
                    .flatten()
                    .zip(theirs.iter().flatten())
                    .filter(|(ours, theirs)| **ours != (**theirs != 0));
                let (apart, all) = (apart.count(), rows.len() * rows[0].len());
                assert!(apart * 1_000 < all, "{name} {population}: {apart} of {all}");
            }
            let counts = counts(&imported, &format!("{name}.json"));
            println!("{name}: {counts:?}");
            for ((theirs, ours, both), agree) in counts.iter().zip(agree) {
                assert!(*theirs > 400 && both * 100 >= theirs.max(ours) * agree, "{name}: {counts:?}");
            }
            let other = Options { reset_delay: !options.reset_delay, ..options };
            let wrong =
                super::files::counts(&import(&graph(&format!("{name}.nir")), &other).unwrap(), &format!("{name}.json"));
            // The delay of the reset matters, and is the one that was said.
            assert!(wrong[0].2 < counts[0].2, "{name}: {wrong:?} {counts:?}");
        }
    }

    /// Sinabs counts time in steps, decays exponentially, and subtracts the threshold at once; its spikes come at the threshold, not above it.
    #[test]
    fn networks_of_sinabs_do_in_integers_what_sinabs_does() {
        let options =
            Options { discretisation: Discretisation::Exponential, reset: ResetMode::Subtract, ..Options::new(1.0) };
        let imported = import(&graph("sinabs.nir"), &options).unwrap();
        assert_eq!(imported.network.populations[0].reset, Reset::Subtract);
        let counts = counts(&imported, "sinabs.json");
        println!("sinabs: {counts:?}");
        for (theirs, ours, both) in &counts {
            assert!(*theirs > 100 && both * 100 >= theirs.max(ours) * 75, "{counts:?}");
        }
    }

    #[test]
    fn every_node_that_is_known_is_folded_into_the_network() {
        let imported = import(&graph("all.nir"), &Options::new(1e-3)).unwrap();
        let network = &imported.network;
        let names: Vec<&str> = network.populations.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(names, ["rec/lif", "cuba", "if", "threshold", "cubali", "li"]);
        assert_eq!(imported.outputs, ["cubali", "li"]);
        let [lif, cuba, integrate, threshold, cubali, li] = &network.populations[..] else { panic!() };
        // dv is 4096 dt / tau; constants of their own stay so.
        assert_eq!((&lif.each.dv[..], lif.du), (&[1_024, 683, 512, 410][..], 4_095));
        assert!(matches!(lif.reset, Reset::To(_)) && lif.each.reset[0] == 0 && lif.each.reset[3] > 0);
        assert_eq!((lif.bias_mant.len(), lif.sum_bias.len()), (4, 4));
        assert_eq!((cuba.du, cuba.dv, integrate.du, integrate.dv), (1_364, 819, 4_095, 0));
        assert_eq!(threshold.kind, Kind::LifReset { interval: 1, offset: 0 });
        assert!(matches!(li.kind, Kind::TernaryLif { .. }) && matches!(cubali.kind, Kind::TernaryLif { .. }));
        assert_eq!((li.dv, cubali.du, cubali.bias_mant.len()), (410, 2_047, 3));
        let input = network.connections.iter().find(|one| one.source == Source::Input(0)).unwrap();
        assert_eq!(input.delays.as_ref().unwrap()[3], [0, 1, 2, 3, 4, 5]);
        assert!(network.connections.iter().any(|one| one.source == Source::Population(0) && one.target == 0));
        assert_eq!(network.connections.len(), 7);
    }

    /// Both ways of writing steps, and all bits: near to floating point, and the nearer the more bits there are.
    #[test]
    fn the_distance_from_floating_point_is_small_and_grows_with_fewer_bits() {
        let graph = graph("all.nir");
        let rows: Vec<Vec<i32>> =
            (0..600).map(|step| (0..6).map(|unit| i32::from((step * 7 + unit * 5) % 11 < 2)).collect()).collect();
        for discretisation in [Discretisation::Euler, Discretisation::Exponential] {
            let mut before = 0.0;
            for bits in [8, 6, 4] {
                let options = Options { discretisation, bits, ..Options::new(1e-3) };
                let far = import(&graph, &options).unwrap().compare(std::slice::from_ref(&rows)).unwrap();
                let [lif, .., li] = &far[..] else { panic!() };
                assert!(lif.float_spikes > 100, "{far:?}");
                if bits == 8 {
                    assert!(lif.together * 100 >= lif.float_spikes.max(lif.integer_spikes) * 97, "{far:#?}");
                    assert!(lif.voltage < 0.03 && li.voltage < 0.15, "{far:#?}");
                }
                assert!(lif.voltage > before, "{bits}: {far:#?}");
                before = lif.voltage;
            }
        }
    }

    #[test]
    fn a_number_that_is_none_is_named() {
        let error = import(&graph("nan.nir"), &Options::new(1e-3)).unwrap_err().to_string();
        assert_eq!(error, "fc: weight holds NaN at 1; it must be a finite number");
    }

    /// No memory is asked for on the word of a file.
    #[test]
    fn files_that_lie_about_their_size_are_refused() {
        let said = |name: &str| Graph::from_hdf5(file(name)).unwrap_err().to_string();
        assert_eq!(said("lie.nir"), "fc/weight: 1099511627776 values; there may be 67108864 at most");
        let room = file("thin.nir").len() * 1_032;
        let expected =
            format!("fc/weight: 256000000 bytes of values, in a file of this size,; there may be {room} at most");
        assert_eq!(said("thin.nir"), expected);
    }

    /// A file that is cut anywhere, or a byte of which is another, is refused or read: nothing panics, nor asks for much memory.
    #[test]
    fn broken_files_are_refused() {
        let (mut refused, mut read) = (0, 0);
        let mut look = |bytes: Vec<u8>| match Graph::from_hdf5(bytes)
            .and_then(|graph| import(&graph, &Options::new(1e-3)).map(drop))
        {
            Ok(()) => read += 1,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        };
        let whole = file("nan.nir");
        // At every length, and in each byte; of the quick run, at some.
        let every = if std::env::var("FIRELANE_TESTS").as_deref() == Ok("quick") { 20 } else { 1 };
        for len in (0..whole.len()).step_by(every) {
            look(whole[..len].to_vec());
        }
        let whole = file("all.nir");
        for at in (0..whole.len()).step_by(37 * every) {
            for change in [0xff, 0x01, 0x80] {
                let mut other = whole.clone();
                other[at] ^= change;
                look(other);
            }
        }
        assert!(refused * every > 25_000 && read * every > 500, "{refused} {read}");
    }
}
