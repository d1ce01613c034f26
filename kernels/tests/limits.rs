//! What is checked of a network: each limit at, below and above itself, and errors that name the node.

use firelane_kernels::spikes::program::{DELAY, NODES, UNITS};
use firelane_kernels::spikes::{
    Connection, Each, Kind, Learning, Network, Overflow, Population, Program, Refused, Reset, Reward, Rules, Schedule,
    Source,
};

const WRAP: Rules = Rules { schedule: Schedule::Cascade, overflow: Overflow::Wrap };

/// One input of two units, one population of two neurons that forget their current at once.
fn small() -> Network {
    let mut network = Network::new("small");
    let input = network.input("in", 2);
    let cell = network.population(Population { du: 4_095, ..Population::lif("cell", 2) });
    network.connect(input, cell, vec![vec![10, -10]; 2]);
    network
}

fn error(rules: &Rules, change: impl FnOnce(&mut Network)) -> Option<String> {
    let mut network = small();
    change(&mut network);
    Program::check(&network, rules).err().map(|refused| refused.to_string())
}

/// `set` at `low` and `high` is taken; one beyond is refused, and `key` named.
fn limits(node: &str, key: &str, (low, high): (i64, i64), set: impl Fn(&mut Network, i64)) {
    for fine in [low, high] {
        assert_eq!(error(&WRAP, |network| set(network, fine)), None, "{key} = {fine}");
    }
    for beyond in [low - 1, high + 1] {
        let expected = format!("{node}: {key} is {beyond}; it must be {low} to {high}");
        assert_eq!(error(&WRAP, |network| set(network, beyond)), Some(expected));
    }
}

#[test]
fn every_number_of_a_population_has_its_range() {
    let cell = |network: &mut Network, change: &dyn Fn(&mut Population)| change(&mut network.populations[0]);
    limits("cell", "du", (0, 4_095), |n, value| cell(n, &|one| one.du = value));
    limits("cell", "dv", (0, 4_095), |n, value| cell(n, &|one| one.dv = value));
    limits("cell", "vth", (0, 131_071), |n, value| cell(n, &|one| one.vth = value));
    limits("cell", "refractory", (0, 63), |n, value| cell(n, &|one| one.refractory = value));
    limits("cell", "bias_mant[1]", (-4_096, 4_095), |n, value| cell(n, &|one| one.bias_mant = vec![0, value]));
    limits("cell", "bias_exp[0]", (-15, 7), |n, value| cell(n, &|one| one.bias_exp = vec![value, 0]));
    limits("cell", "v0[1]", (-8_388_607, 8_388_607), |n, value| cell(n, &|one| one.v0 = vec![0, value]));
    limits("cell", "u0[1]", (-8_388_607, 8_388_608), |n, value| cell(n, &|one| one.u0 = vec![0, value]));
    limits("cell", "reset", (-8_388_607, 640), |n, value| cell(n, &|one| one.reset = Reset::To(value)));
    let ternary = |vth_hi, vth_lo| Kind::TernaryLif { vth_hi, vth_lo };
    limits("cell", "vth_hi", (-8_388_608, 8_388_607), |n, value| cell(n, &|one| one.kind = ternary(value, -8_388_608)));
    limits("cell", "vth_lo", (-8_388_608, 9), |n, value| cell(n, &|one| one.kind = ternary(9, value)));
    let reset = |interval| Kind::LifReset { interval, offset: 0 };
    limits("cell", "reset_interval", (1, 4_294_967_295), |n, value| cell(n, &|one| one.kind = reset(value)));
}

#[test]
fn every_constant_of_a_neuron_has_its_range() {
    let each = |network: &mut Network, change: &dyn Fn(&mut Each)| change(&mut network.populations[0].each);
    limits("cell", "du[1]", (0, 4_095), |n, value| each(n, &|one| one.du = vec![0, value]));
    limits("cell", "dv[1]", (0, 4_095), |n, value| each(n, &|one| one.dv = vec![0, value]));
    limits("cell", "vth[0]", (0, 131_071), |n, value| each(n, &|one| one.vth = vec![value, 0]));
    limits("cell", "reset[1]", (-8_388_607, 64), |n, value| {
        n.populations[0].reset = Reset::To(9_999);
        each(n, &|one| (one.vth, one.reset) = (vec![2, 1], vec![0, value]));
    });
    limits("cell", "reset", (0, 8_388_607), |n, value| n.populations[0].reset = Reset::By(value));
    limits("cell", "sum_bias[1]", (-8_388_607, 8_388_607), |n, value| n.populations[0].sum_bias = vec![0, value]);
    let refused = |change: &dyn Fn(&mut Population)| error(&WRAP, |network| change(&mut network.populations[0]));
    let said = refused(&|one| one.each.dv = vec![1, 2, 3]);
    assert_eq!(said.as_deref(), Some("cell: dv has 3 values; it must have 2"));
    let said = refused(&|one| one.each.reset = vec![1, 2]);
    assert_eq!(said.as_deref(), Some("cell: values of reset, where it has none, is 2; it must be 0 to 0"));
    let ternary = Kind::TernaryLif { vth_hi: 1, vth_lo: -1 };
    let said = refused(&|one| (one.kind, one.each.vth) = (ternary.clone(), vec![1, 2]));
    assert_eq!(said.as_deref(), Some("cell: values of vth is 2; it must be 0 to 0"));
    let said = refused(&|one| (one.kind, one.reset) = (ternary.clone(), Reset::By(1)));
    assert_eq!(said.as_deref(), Some("cell: reset is 1; it must be 0 to 0"));
}

/// The neuron that is nearest to its own limit is the one that is named; what a sum begins with counts.
#[test]
fn a_current_is_bounded_for_each_neuron() {
    // 10 stays below 32 (du + 1) = 32; with a bias of 21, 31 does, and of 22 it does not. Down, -10 - 21 the same.
    for (bias, sum) in [(21, None), (22, Some(32)), (-21, None), (-22, Some(32))] {
        let refused = error(&Rules::default(), |n| {
            n.populations[0].each.du = vec![4_095, 0];
            n.populations[0].sum_bias = vec![5_000, bias];
        });
        let said = sum.map(|sum| {
            format!("the inputs of neuron 1 can sum to {sum} in a step, and with du = 0 they must stay below 32")
        });
        assert_eq!(refused.is_some(), said.is_some(), "{bias}");
        assert!(said.is_none_or(|said| refused.unwrap().contains(&said)), "{bias}");
    }
}

#[test]
fn every_number_of_a_connection_has_its_range() {
    limits("in->cell", "weight_exp", (-31, 31), |n, value| n.connections[0].weight_exp = value);
    limits("in->cell", "num_weight_bits", (0, 9), |n, value| n.connections[0].num_weight_bits = value);
    limits("in->cell", "num_message_bits", (0, 24), |n, value| n.connections[0].num_message_bits = value);
    limits("in->cell", "weights", (-2_147_483_647, 2_147_483_647), |n, value| n.connections[0].weights[1][0] = value);
    limits("in->cell", "delays[1][0]", (0, DELAY), |n, value| {
        n.connections[0].delays = Some(vec![vec![0, 0], vec![value, 0]]);
    });
}

#[test]
fn sizes_and_counts_are_bounded() {
    let units = |n| {
        error(&WRAP, |network| {
            network.input("more", n);
        })
    };
    assert_eq!((units(1), units(UNITS)), (None, None));
    assert_eq!(units(0).unwrap(), "more: n is 0; it must be 1 to 65536");
    assert_eq!(units(UNITS + 1).unwrap(), "more: n is 65537; it must be 1 to 65536");
    let inputs = |all| {
        error(&WRAP, |network| {
            (1..all).for_each(|at| {
                network.input(&format!("in{at}"), 1);
            })
        })
    };
    assert_eq!(inputs(NODES), None);
    assert_eq!(inputs(NODES + 1).unwrap(), "small: number of inputs is 1025; it must be 0 to 1024");
    let empty = Program::check(&Network::new("empty"), &WRAP).unwrap_err().to_string();
    assert_eq!(empty, "empty: number of populations is 0; it must be 1 to 1024");
    let populations = |all| {
        error(&WRAP, |network| {
            (1..all).for_each(|at| {
                network.population(Population::lif(&format!("p{at}"), 1));
            })
        })
    };
    assert_eq!(populations(NODES), None);
    assert_eq!(populations(NODES + 1).unwrap(), "small: number of populations is 1025; it must be 1 to 1024");
}

#[test]
fn shapes_are_those_of_the_populations() {
    let rows = error(&WRAP, |network| network.connections[0].weights = vec![vec![1, 1]; 3]);
    assert_eq!(rows.unwrap(), "in->cell: weights has 3 rows; it must have 2");
    let columns = error(&WRAP, |network| network.connections[0].weights[1].push(7));
    assert_eq!(columns.unwrap(), "in->cell: weights[1] has 3 columns; it must have 2");
    let delays = error(&WRAP, |network| network.connections[0].delays = Some(vec![vec![0, 0]]));
    assert_eq!(delays.unwrap(), "in->cell: delays has 1 rows; it must have 2");
    let bias = error(&WRAP, |network| network.populations[0].bias_mant = vec![1, 2, 3]);
    assert_eq!(bias.unwrap(), "cell: bias_mant has 3 values; it must have 2");
    // One for all is a list of one.
    assert_eq!(error(&WRAP, |network| network.populations[0].bias_mant = vec![1]), None);
}

#[test]
fn names_are_there_and_lead_somewhere() {
    let twice = error(&WRAP, |network| {
        network.input("cell", 1);
    });
    assert!(twice.unwrap().starts_with("\"cell\" names more than one input or population"));
    assert!(error(&WRAP, |network| network.inputs[0].id.clear()).unwrap().starts_with("\"\" names"));
    let lost = error(&WRAP, |network| network.connections[0].source = Source::Population(1));
    assert_eq!(lost.unwrap(), "?->cell: there is no population number 1");
    let lost = error(&WRAP, |network| network.connections[0].source = Source::Input(1));
    assert_eq!(lost.unwrap(), "?->cell: there is no input number 1");
    let lost = error(&WRAP, |network| network.connections[0].target = 1);
    assert_eq!(lost.unwrap(), "in->?: there is no population number 1");
}

/// 32 (du + 1), at and below; over several connections; with a connection's exponent.
#[test]
fn a_network_that_might_overflow_is_refused_and_the_neuron_named() {
    let rules = Rules::default();
    let with = |du: i64, weights: [i64; 2], exp: i64| {
        error(&rules, |network| {
            network.populations[0].du = du;
            network.connections[0].weights[1] = weights.to_vec();
            network.connections[0].weight_exp = exp;
        })
    };
    // 512 is 32 x 16; mixed weights are even, so that the sum below it is 510.
    assert_eq!(with(15, [255, 255], 0), None);
    let text = with(14, [255, 255], 0).unwrap();
    assert!(text.starts_with("cell: its current could overflow: the inputs of neuron 1 can sum to 508 in a step, and with du = 14 they must stay below 480;"), "{text}");
    // Positive and negative inputs do not add up.
    assert_eq!(with(15, [255, -256], 0), None);
    assert!(with(15, [255, 255], 1).is_some());
    assert_eq!(with(7, [255, 255], -1), None);
    let two = error(&rules, |network| {
        network.populations[0].du = 31;
        network.connections[0].weights = vec![vec![200, 200]; 2];
        let again = network.connections[0].clone();
        network.connections.extend([again.clone(), again]);
    });
    assert!(two.unwrap().contains("can sum to 1200 in a step, and with du = 31 they must stay below 1024"));
    // What has no input has nothing to overflow with, and Lava's wrap is for whoever asks for it.
    assert_eq!(
        error(&rules, |network| {
            network.connections.clear();
            network.populations[0].du = 0;
        }),
        None
    );
    assert_eq!(error(&WRAP, |network| network.populations[0].du = 0), None);
}

/// Graded values count with all their bits, delays with what can arrive together, and sums ahead of a shift with 32 bits.
#[test]
fn the_bound_knows_values_delays_and_wide_sums() {
    let rules = Rules::default();
    let graded = |bits: i64, du: i64| {
        error(&rules, |network| {
            network.populations[0].du = du;
            network.connections[0].num_message_bits = bits;
        })
    };
    // 20 x (2^8 - 1) = 5,100 < 32 x 160 = 5,120.
    assert_eq!(graded(8, 159), None);
    assert!(graded(8, 158).unwrap().contains("can sum to 5100"));
    let delayed = |exp: i64, du: i64| {
        error(&rules, |network| {
            network.populations[0].du = du;
            network.connections[0].weights = vec![vec![-101, -101]; 2];
            network.connections[0].weight_exp = exp;
            network.connections[0].delays = Some(vec![vec![0, 3]; 2]);
        })
    };
    // -101 >> 1 is -51, for each of the delays.
    assert_eq!((delayed(0, 6), delayed(-1, 3)), (None, None));
    assert!(delayed(-1, 2).unwrap().contains("can sum to 102 in a step, and with du = 2 they must stay below 96"));
    let wide = |units: usize| {
        let mut network = Network::new("wide");
        let input = network.input("in", units);
        let cell = network.population(Population { du: 4_095, ..Population::lif("cell", 1) });
        let one = network.connect(input, cell, vec![vec![128; units]]);
        (one.weight_exp, one.num_message_bits) = (-31, 24);
        Program::check(&network, &rules).err().map(|refused| refused.to_string())
    };
    // 128 x (2^24 - 1) is 128 below 2^31.
    assert_eq!(wide(1), None);
    assert!(
        wide(2)
            .unwrap()
            .starts_with("in->cell: the largest sum of its weighted inputs, ahead of weight_exp, is 4294967040;")
    );
}

#[test]
fn an_edge_leads_back_that_begins_at_its_target_or_behind_it() {
    let mut network = small();
    let other = network.population(Population { du: 4_095, ..Population::lif("other", 2) });
    for (source, target) in [(Source::Population(0), other), (Source::Population(1), other), (Source::Population(1), 0)]
    {
        network.connect(source, target, vec![vec![1, 1]; 2]);
    }
    let lags = |schedule| {
        let program = Program::check(&network, &Rules { schedule, ..Rules::default() }).unwrap();
        program.synapses().iter().map(|one| one.lag).collect::<Vec<_>>()
    };
    assert_eq!((lags(Schedule::Cascade), lags(Schedule::Lava)), (vec![0, 0, 1, 1], vec![1, 1, 1, 1]));
}

#[test]
fn what_an_input_may_have_follows_from_its_connections() {
    let mut network = small();
    let of = |network: &Network, rules: &Rules| Program::check(network, rules).unwrap().most_value(0);
    assert_eq!(of(&network, &Rules::default()), i32::MAX);
    network.connections[0].num_message_bits = 5;
    assert_eq!((of(&network, &Rules::default()), of(&network, &WRAP)), (31, 1 << 23));
    let mut again = network.connections[0].clone();
    again.num_message_bits = 3;
    network.connections.push(again);
    assert_eq!(of(&network, &Rules::default()), 7);
    let refused = Refused::Name(String::new());
    assert_eq!(refused.clone(), refused);
}

/// A connection that learns, from one input to a neuron, with a reward.
fn learning() -> Network {
    let mut network = Network::new("learning");
    let input = network.input("in", 2);
    let cell = network.population(Population { du: 4_095, ..Population::lif("cell", 2) });
    let reward = Some(Reward { input: 1, decay: 1, every: 1, shift: 0 });
    network.connect(input, cell, vec![vec![10, 20]; 2]).learning = Some(Learning { reward, ..Learning::default() });
    network.input("reward", 1);
    network
}

#[test]
fn every_number_of_what_learns_has_its_range() {
    let limits = |key: &str, (low, high): (i64, i64), set: &dyn Fn(&mut Connection, i64)| {
        let said = |value| {
            let mut network = learning();
            set(&mut network.connections[0], value);
            Program::check(&network, &WRAP).err().map(|refused| refused.to_string())
        };
        assert_eq!((said(low), said(high)), (None, None), "{key}");
        for beyond in [low - 1, high + 1] {
            let expected = format!("in->cell: {key} is {beyond}; it must be {low} to {high}");
            assert_eq!(said(beyond), Some(expected));
        }
    };
    fn rule(one: &mut Connection) -> &mut Learning {
        one.learning.as_mut().unwrap()
    }
    fn reward(one: &mut Connection) -> &mut Reward {
        rule(one).reward.as_mut().unwrap()
    }
    limits("learning.pre_decay", (0, 4_095), &|one, value| rule(one).pre_decay = value);
    limits("learning.post_decay", (0, 4_095), &|one, value| rule(one).post_decay = value);
    limits("learning.impulse", (1, 65_535), &|one, value| rule(one).impulse = value);
    limits("learning.a_plus", (0, 65_535), &|one, value| rule(one).a_plus = value);
    limits("learning.a_minus", (0, 65_535), &|one, value| rule(one).a_minus = value);
    limits("learning.a_fire", (0, 65_535), &|one, value| rule(one).a_fire = value);
    limits("learning.seed", (1, 4_294_967_295), &|one, value| rule(one).seed = value);
    limits("learning.reward.decay", (0, 4_096), &|one, value| reward(one).decay = value);
    limits("learning.reward.every", (1, 65_535), &|one, value| reward(one).every = value);
    limits("learning.reward.shift", (0, 15), &|one, value| reward(one).shift = value);
    let said = |change: &dyn Fn(&mut Network)| {
        let mut network = learning();
        change(&mut network);
        Program::check(&network, &WRAP).err().map_or(String::new(), |refused| refused.to_string())
    };
    let one = |change: fn(&mut Connection)| said(&|network| change(&mut network.connections[0]));
    assert_eq!(one(|one| rule(one).high = 19), "in->cell: a weight at the start is 20; it must be 0 to 19");
    assert_eq!(one(|one| rule(one).low = 11), "in->cell: a weight at the start is 10; it must be 11 to 255");
    assert_eq!(one(|one| rule(one).low = -1), "in->cell: learning.high is 255; it must be -1 to 0");
    assert_eq!(one(|one| rule(one).high = 256), "in->cell: learning.high is 256; it must be 0 to 255");
    assert!(
        one(|one| one.num_weight_bits = 7)
            .contains("num_weight_bits, of a connection that learns, is 7; it must be 8 to")
    );
    assert!(one(|one| one.num_message_bits = 1).contains("num_message_bits, of a connection that learns, is 1"));
    assert!(one(|one| one.delays = Some(vec![vec![0; 2]; 2])).contains("delays, of a connection that learns, is 1"));
    assert!(one(|one| reward(one).input = 2).contains("there is no input number 2"));
    assert!(said(&|network| network.inputs[1].n = 2).contains("reward: n, of an input that is a reward, is 2"));
    let heard = said(&|network| {
        network.connect(Source::Input(1), 0, vec![vec![1]; 2]);
    });
    assert_eq!(heard, "reward: number of connections, of an input that is a reward, is 1; it must be 0 to 0");
}

/// What is proved is what could be learnt, not what there is at the start.
#[test]
fn a_current_is_bounded_by_what_its_weights_can_become() {
    for (high, du, fine) in [(255, 15, true), (256 - 1, 14, false), (239, 14, true), (240, 14, false)] {
        let mut network = learning();
        network.populations[0].du = du;
        network.connections[0].learning.as_mut().unwrap().high = high;
        assert_eq!(Program::check(&network, &Rules::default()).is_ok(), fine, "{high} {du}");
    }
}
