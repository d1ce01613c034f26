//! Networks as files: what is read, what is refused and how it is said.

use firelane_kernels::spikes::conformance::VECTORS;
use firelane_kernels::spikes::golden::{Golden, compare, document};
use firelane_kernels::spikes::learning::learnt;
use firelane_kernels::spikes::random::Random;
use firelane_kernels::spikes::{
    Device, Each, Kind, Learning, Network, Path, Program, Reset, Reward, Rules, SignMode, Software, Source,
};

const SMALL: &str = r#"{"format":"lava-golden-1","name":"small","steps":3,
  "inputs":{"in":[[1,0],[0,1],[1,1]]},
  "populations":[{"id":"l1","n":2,"du":4095,"dv":4095,"vth":20}],
  "connections":[{"src":"in","dst":"l1","weights":[[10,12],[30,-30]]}]}"#;

fn error(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    let golden = Golden::parse(&SMALL.replace(from, to));
    golden.and_then(|golden| golden.run(&mut Software::best(), &Rules::LAVA)).unwrap_err().to_string()
}

#[test]
fn a_trace_is_written_into_the_document_that_it_belongs_to() {
    let golden = Golden::parse(SMALL).unwrap();
    let traces = golden.run(&mut Software::on(Path::Scalar).unwrap(), &Rules::LAVA).unwrap();
    let trace = &traces["l1"];
    // One step after its inputs: 10, 30; then 12, -30; then nothing is asked any more.
    assert_eq!(trace.u, [[0, 0], [640, 1_920], [768, -1_920]]);
    assert_eq!(
        (&trace.v, &trace.s),
        (&vec![vec![0, 0], vec![640, 0], vec![768, -1_920]], &vec![vec![0, 0], vec![0, 1], vec![0, 0]])
    );
    let written = golden.with_trace(&traces);
    assert_eq!(written["trace"]["l1"]["s"][1], serde_json::json!([0, 1]));
    let mut rest = written.clone();
    rest.as_object_mut().unwrap().remove("trace");
    assert_eq!(rest, serde_json::from_str::<serde_json::Value>(SMALL).unwrap());
    let again = Golden::parse(&written.to_string()).unwrap();
    assert_eq!(compare(again.trace().unwrap(), &traces), Ok(()));
}

#[test]
fn all_layers_of_a_cascade_are_one_step() {
    let golden = Golden::parse(SMALL).unwrap();
    let traces = golden.run(&mut Software::best(), &Rules::default()).unwrap();
    assert_eq!(traces["l1"].s, [[0, 1], [0, 0], [1, 0]]);
}

#[test]
fn a_difference_is_counted_and_the_first_is_named() {
    let golden = Golden::parse(SMALL).unwrap();
    let right = golden.run(&mut Software::best(), &Rules::LAVA).unwrap();
    let mut wrong = right.clone();
    let trace = wrong.get_mut("l1").unwrap();
    (trace.v[1][0], trace.u[2][1]) = (7, 8);
    trace.s.pop();
    let differs = compare(&right, &wrong).unwrap_err();
    assert_eq!(differs.to_string(), "4 values differ; the first is u of l1[1] after step 2: 8, not -1920");
    wrong.clear();
    assert_eq!(compare(&right, &wrong).unwrap_err().count, 18);
}

#[test]
fn every_key_is_read() {
    let text = r#"{"inputs":{"in":[[1]]},"populations":[
      {"id":"a","n":2,"kind":"LIFReset","du":[1],"dv":2,"vth":[3,3],"bias_mant":5,"bias_exp":[6,7],"u0":8,"v0":[9,10],
       "reset_interval":11,"reset_offset":12,"reset":13,"refractory":14},
      {"id":"b","n":1,"kind":"TernaryLIF","vth_hi":15,"vth_lo":-16,"reset":"subtract"},
      {"id":"c","n":1,"kind":"TernaryLIF","reset":"zero"}],
     "connections":[{"src":"in","dst":"a","weights":[[1],[2]],"weight_exp":-3,"num_weight_bits":4,"num_message_bits":5,
        "sign_mode":"MIXED","delays":[[6],[7]],"eff_weights":[[0],[2]]},
       {"src":"a","dst":"b","weights":[[1,2]],"sign_mode":3,"delays":9}]}"#;
    let golden = Golden::parse(text).unwrap();
    let [a, b, c] = &golden.network().populations[..] else { panic!() };
    assert_eq!(a.kind, Kind::LifReset { interval: 11, offset: 12 });
    assert_eq!((a.du, a.dv, a.vth, &a.bias_mant[..], &a.bias_exp[..]), (1, 2, 3, &[5][..], &[6, 7][..]));
    assert_eq!((&a.u0[..], &a.v0[..], a.reset, a.refractory), (&[8][..], &[9, 10][..], Reset::To(13), 14));
    assert_eq!((&b.kind, b.reset), (&Kind::TernaryLif { vth_hi: 15, vth_lo: -16 }, Reset::Subtract));
    assert_eq!((&c.kind, c.reset), (&Kind::TernaryLif { vth_hi: 10, vth_lo: -10 }, Reset::Zero));
    let [first, second] = &golden.network().connections[..] else { panic!() };
    assert_eq!((first.weight_exp, first.num_weight_bits, first.num_message_bits), (-3, 4, 5));
    assert_eq!((first.sign_mode, first.delays.as_deref()), (Some(SignMode::Mixed), Some(&[vec![6], vec![7]][..])));
    assert_eq!((second.sign_mode, second.delays.as_deref()), (Some(SignMode::Inhibitory), Some(&[vec![9, 9]][..])));
    assert_eq!(golden.steps(), 1);
}

/// A list says what each neuron has; a list of one value says nothing else than the value.
#[test]
fn constants_may_be_each_neurons_own() {
    let text = r#"{"populations":[{"id":"a","n":2,"du":[1,2],"dv":[3,3],"vth":[5,6],"reset":[-7,8],"sum_bias":[9,-10]},
        {"id":"b","n":2,"reset":[4,4],"sum_bias":11},{"id":"c","n":2,"reset":{"subtract":[5,6]}}]}"#;
    let golden = Golden::parse(text).unwrap();
    let [a, b, c] = &golden.network().populations[..] else { panic!() };
    assert_eq!((&a.each.du[..], &a.each.dv[..], &a.each.vth[..]), (&[1, 2][..], &[][..], &[5, 6][..]));
    assert_eq!((a.dv, &a.each.reset[..], a.reset, &a.sum_bias[..]), (3, &[-7, 8][..], Reset::To(0), &[9, -10][..]));
    assert_eq!((b.reset, &b.each, &b.sum_bias[..]), (Reset::To(4), &Each::default(), &[11][..]));
    assert_eq!((c.reset, &c.each.reset[..]), (Reset::By(0), &[5, 6][..]));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_node() {
    for (from, to, expected) in [
        ("\"vth\":20", "\"vth\":200000", "l1: vth is 200000; it must be 0 to 131071"),
        ("\"vth\":20", "\"vth\":[1,2,3]", "l1: vth has 3 values; it must have 2"),
        (
            "\"vth\":20",
            "\"kind\":\"Izhikevich\"",
            "l1: there is no kind \"Izhikevich\"; LIF, LIFReset and TernaryLIF are known",
        ),
        ("\"vth\":20", "\"kind\":\"TernaryLIF\",\"vth\":20", "l1: TernaryLIF has no vth, but vth_hi and vth_lo"),
        ("\"vth\":20", "\"vth_hi\":20", "l1: LIF has no vth_hi or vth_lo"),
        ("\"vth\":20", "\"reset_interval\":2", "l1: LIF has no reset_interval or reset_offset"),
        ("\"vth\":20", "\"reset\":\"half\"", "l1: reset is \"half\"; it must be \"zero\", \"subtract\" or a voltage"),
        ("\"dst\":\"l1\"", "\"dst\":\"l2\"", "in->l2: there is no node \"l2\""),
        ("\"src\":\"in\"", "\"src\":\"on\"", "on->l1: there is no node \"on\""),
        ("\"dst\":\"l1\"", "\"dst\":\"l1\",\"sign_mode\":4", "in->l1: there is no sign mode 4"),
        ("\"dst\":\"l1\"", "\"dst\":\"l1\",\"sign_mode\":\"both\"", "in->l1: there is no sign mode \"both\""),
        ("[30,-30]", "[30]", "in->l1: weights[1] has 1 columns; it must have 2"),
        ("[0,1]", "[0]", "in: step 1 has 1 values; the input has 2 units"),
        ("[0,1]", "[0,4294967296]", "in: step 1 has a value of more than 32 bits"),
        ("\"steps\":3", "\"steps\":4", "in: 3 steps have values; steps is 4"),
    ] {
        assert_eq!(error(from, to), expected);
    }
    for (from, to, part) in [
        ("\"vth\":20", "\"vth\":2.5", "an integer, or a list of integers"),
        ("\"vth\":20", "\"vht\":20", "unknown field `vht`"),
        ("[30,-30]", "[30,null]", "invalid type: null"),
        ("}]}", "}", "EOF"),
    ] {
        assert!(error(from, to).contains(part), "{}", error(from, to));
    }
}

#[test]
fn inputs_of_another_file_take_the_place_of_its_own() {
    let golden = Golden::parse(SMALL).unwrap();
    let other = golden.clone().with_inputs(r#"{"inputs":{"in":[[0,1],[0,0]]}}"#).unwrap();
    let traces = other.run(&mut Software::best(), &Rules::default()).unwrap();
    assert_eq!((other.steps(), &traces["l1"].u), (2, &vec![vec![768, -1_920], vec![0, 0]]));
    assert_eq!(other.with_trace(&traces)["steps"], 2);
    assert_eq!(other.with_trace(&traces)["inputs"]["in"][0], serde_json::json!([0, 1]));
    // What the file expected was of its own inputs.
    let (_, with_trace) = VECTORS[0];
    let vector = Golden::parse(with_trace).unwrap();
    assert!(vector.trace().is_some());
    assert!(vector.with_inputs(r#"{"inputs":{"in0":[[0,1,0,0]]}}"#).unwrap().trace().is_none());
    for (text, expected) in [
        (r#"{"inputs":{}}"#, "in: there are no values for this input"),
        (
            r#"{"inputs":{"in":[[0,0]],"on":[[1]]}}"#,
            "on: there are values for this input, which the network does not have",
        ),
        (r#"{"inputs":{"in":[[0,0,0]]}}"#, "in: step 0 has 3 values; the input has 2 units"),
    ] {
        assert_eq!(golden.clone().with_inputs(text).unwrap_err().to_string(), expected);
    }
    // A network may come without inputs of its own.
    let bare = SMALL.replace(r#""inputs":{"in":[[1,0],[0,1],[1,1]]},"#, "").replace("\"steps\":3,", "");
    let bare = Golden::parse(&bare).unwrap();
    assert_eq!((bare.network().inputs[0].n, bare.steps()), (2, 0));
    assert_eq!(bare.with_inputs(r#"{"inputs":{"in":[[0,1]]}}"#).unwrap().steps(), 1);
}

/// The vectors must bite: one bit of one weight, and the trace is another.
#[test]
fn a_vector_with_one_weight_changed_is_another() {
    for (name, text) in VECTORS.iter().filter(|(name, _)| name.starts_with('g')) {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        let weight = &mut value["connections"][0]["weights"][0][0];
        *weight = serde_json::json!(if weight.as_i64().unwrap() > 0 { -200 } else { 200 });
        let golden = Golden::parse(&value.to_string()).unwrap();
        let traces = golden.run(&mut Software::best(), &Rules::LAVA).unwrap();
        assert!(compare(golden.trace().unwrap(), &traces).is_err(), "{name}");
    }
}

/// A connection that acts at once is none of Lava's.
#[test]
fn a_connection_may_act_at_once_where_a_file_is_not_lavas() {
    let at_once = SMALL.replace("\"weights\"", "\"at_once\":true,\"weights\"");
    let error = Golden::parse(&at_once).unwrap_err().to_string();
    assert_eq!(
        error,
        "in->l1: it can't act at once: in the format lava-golden-1 a connection takes a step; leave the key format out"
    );
    assert!(!Golden::parse(&at_once.replace("true", "false")).unwrap().network().connections[0].at_once);
    let golden = Golden::parse(&at_once.replace("\"format\":\"lava-golden-1\",", "")).unwrap();
    let traces = golden.run(&mut Software::best(), &Rules::LAVA).unwrap();
    assert_eq!(traces["l1"].s, [[0, 1], [0, 0], [1, 0]]);
}

/// Whatever a network has: written and read again it is the same.
#[test]
fn a_network_that_is_written_is_read_again_as_it_was() {
    let (mut own, mut learns, mut at_once) = (0, 0, 0);
    for seed in 0..300 {
        let network = Random::of(seed, &Rules::LAVA, true).network;
        let text = document(&network).to_string();
        let read = Golden::parse(&text).unwrap();
        let (network, read) = (by_inputs(network), read.network().clone());
        assert!(network == by_inputs(read), "seed {seed}: {network:?}");
        learns += network.connections.iter().filter(|one| one.learning.is_some()).count();
        own += network.populations.iter().filter(|one| one.each != Each::default()).count();
        at_once += network.connections.iter().filter(|one| one.at_once).count();
    }
    assert!(own > 100 && learns > 50 && at_once > 100, "{own} {learns} {at_once}");
}

/// Weights that were learnt act as they are in the device, once they are written and read, of either sign and whatever mode the
/// connection had.
#[test]
fn what_was_learnt_is_read_again_to_the_last_bit() {
    let (mut networks, mut changed, mut below) = (0, 0, 0);
    for seed in 0..150 {
        let mut random = Random::of(seed, &Rules::LAVA, true);
        let mut network = random.network.clone();
        let mut learns = network.connections.iter_mut().filter(|one| one.learning.is_some()).peekable();
        if learns.peek().is_none() {
            continue;
        }
        if seed % 2 == 0 {
            learns.for_each(|one| (one.sign_mode, one.num_weight_bits) = (Some(SignMode::Mixed), 9));
        }
        let before = Program::check(&network, &Rules::LAVA).unwrap();
        let mut device = Software::best();
        Device::load(&mut device, &before).unwrap();
        let mut events = Vec::new();
        for _ in 0..40 {
            random.events(&mut events);
            device.step(&events, &mut []).unwrap();
        }
        let learnt = learnt(&network, &device).unwrap();
        let read = Golden::parse(&document(&learnt).to_string()).unwrap();
        let program = Program::check(read.network(), &Rules::LAVA).unwrap();
        networks += 1;
        for (at, (one, before)) in program.synapses().iter().zip(before.synapses()).enumerate() {
            for (n, &weight) in one.weights.iter().enumerate() {
                let found = device.weight(at, n / one.fan_in, n % one.fan_in).unwrap();
                assert_eq!(i32::from(weight), found, "seed {seed}: {}", one.id);
                changed += usize::from(weight != before.weights[n]);
                below += usize::from(weight < 0 && weight != before.weights[n]);
            }
        }
    }
    assert!(networks > 20 && changed > 1_000 && below > 100, "{networks} {changed} {below}");
}

/// Inputs that nothing hears are not written, and a file has the others in the order in which its connections name them. Lists of one
/// value are that value.
fn by_inputs(mut network: Network) -> Network {
    let mut heard: Vec<usize> = Vec::new();
    let mut place = |at: usize| {
        heard.iter().position(|&known| known == at).unwrap_or_else(|| {
            heard.push(at);
            heard.len() - 1
        })
    };
    for one in &mut network.connections {
        if let Source::Input(at) = one.source {
            one.source = Source::Input(place(at));
        }
        if let Some(reward) = one.learning.as_mut().and_then(|rule| rule.reward.as_mut()) {
            reward.input = place(reward.input);
        }
    }
    network.inputs = heard.iter().map(|&at| network.inputs[at].clone()).collect();
    network.name.clear();
    for one in &mut network.populations {
        let same = |all: &mut Vec<i64>, value: &mut i64| {
            if !all.is_empty() && all.iter().all(|one| *one == all[0]) {
                *value = all[0];
                all.clear();
            }
        };
        let each = &mut one.each;
        same(&mut each.du, &mut one.du);
        same(&mut each.dv, &mut one.dv);
        same(&mut each.vth, &mut one.vth);
        if let Reset::To(value) | Reset::By(value) = &mut one.reset {
            same(&mut each.reset, value);
            *value = if each.reset.is_empty() { *value } else { 0 };
        }
        // Of a list that differs, what stands for all is not written.
        one.du = if each.du.is_empty() { one.du } else { 0 };
        one.dv = if each.dv.is_empty() { one.dv } else { 0 };
        let ternary = matches!(one.kind, Kind::TernaryLif { .. });
        one.vth = if each.vth.is_empty() && !ternary { one.vth } else { 10 };
    }
    network
}

#[test]
fn a_connection_may_learn_and_be_rewarded() {
    let text = r#"{"populations":[{"id":"a","n":1}],"connections":[{"src":"in","dst":"a","weights":[[1,2]],"learning":{"pre_decay":3,"post_decay":4,
        "impulse":5,"nearest":false,"a_plus":6,"a_minus":7,"a_fire":8,"low":1,"high":9,"seed":10,"reward":{"input":"good","decay":11,"every":12,"shift":13}}},
        {"src":"in","dst":"a","weights":[[1,2]],"learning":{}}]}"#;
    let golden = Golden::parse(text).unwrap();
    let [first, second] = &golden.network().connections[..] else { panic!() };
    let expected = Learning {
        pre_decay: 3,
        post_decay: 4,
        impulse: 5,
        nearest: false,
        a_plus: 6,
        a_minus: 7,
        a_fire: 8,
        low: 1,
        high: 9,
        seed: 10,
        reward: Some(Reward { input: 1, decay: 11, every: 12, shift: 13 }),
    };
    assert_eq!((first.learning.as_ref(), second.learning.as_ref()), (Some(&expected), Some(&Learning::default())));
    assert_eq!((&golden.network().inputs[1].id[..], golden.network().inputs[1].n), ("good", 1));
    // Where the file has inputs of its own, the reward must be one of them.
    let lost = text.replacen('{', r#"{"inputs":{"in":[[0,1]]},"#, 1);
    assert_eq!(Golden::parse(&lost).unwrap_err().to_string(), "in->a: there is no input \"good\" for its reward");
    let stray = text.replace("a_plus", "a_pluss");
    assert!(Golden::parse(&stray).unwrap_err().to_string().contains("unknown field `a_pluss`"));
}
