//! A network as a file, for [`Golden::parse`](super::Golden::parse) to read again: without inputs.

use crate::spikes::network::{Connection, Kind, Network, Population, Reset, SignMode, Source};
use serde_json::{Map, Value, json};

/// The file of a network. What is as it would be without being said is left out.
#[must_use]
pub fn document(network: &Network) -> Value {
    let mut whole = Map::new();
    if !network.name.is_empty() {
        whole.insert("name".to_owned(), json!(network.name));
    }
    whole.insert("populations".to_owned(), network.populations.iter().map(population).collect());
    let connections = network.connections.iter().map(|one| connection(network, one));
    whole.insert("connections".to_owned(), connections.collect());
    Value::Object(whole)
}

fn population(one: &Population) -> Value {
    let mut keys = Map::new();
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    // A value for all, or one for each.
    let either = |one: i64, each: &[i64]| if each.is_empty() { json!(one) } else { json!(each) };
    put("id", json!(one.id));
    put("n", json!(one.n));
    match one.kind {
        Kind::Lif => {}
        Kind::LifReset { interval, offset } => {
            put("kind", json!("LIFReset"));
            put("reset_interval", json!(interval));
            put("reset_offset", json!(offset));
        }
        Kind::TernaryLif { vth_hi, vth_lo } => {
            put("kind", json!("TernaryLIF"));
            put("vth_hi", json!(vth_hi));
            put("vth_lo", json!(vth_lo));
        }
    }
    put("du", either(one.du, &one.each.du));
    put("dv", either(one.dv, &one.each.dv));
    if !matches!(one.kind, Kind::TernaryLif { .. }) {
        put("vth", either(one.vth, &one.each.vth));
    }
    let lists = [
        ("bias_mant", &one.bias_mant),
        ("bias_exp", &one.bias_exp),
        ("u0", &one.u0),
        ("v0", &one.v0),
        ("sum_bias", &one.sum_bias),
    ];
    for (key, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
        put(key, json!(values));
    }
    match one.reset {
        Reset::Zero => {}
        Reset::To(value) => {
            put("reset", either(value, &one.each.reset));
        }
        Reset::Subtract => {
            put("reset", json!("subtract"));
        }
        Reset::By(value) => {
            put("reset", json!({ "subtract": either(value, &one.each.reset) }));
        }
    }
    if one.refractory != 0 {
        put("refractory", json!(one.refractory));
    }
    Value::Object(keys)
}

fn connection(network: &Network, one: &Connection) -> Value {
    let mut keys = Map::new();
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("src", json!(network.source_name(one.source)));
    put("dst", json!(network.source_name(one.target.into())));
    put("weights", json!(one.weights));
    put("weight_exp", json!(one.weight_exp));
    put("num_weight_bits", json!(one.num_weight_bits));
    if one.num_message_bits != 0 {
        put("num_message_bits", json!(one.num_message_bits));
    }
    let mode = one.sign_mode.map(|mode| match mode {
        SignMode::Null => "NULL",
        SignMode::Mixed => "MIXED",
        SignMode::Excitatory => "EXCITATORY",
        SignMode::Inhibitory => "INHIBITORY",
    });
    if let Some(mode) = mode {
        put("sign_mode", json!(mode));
    }
    if let Some(delays) = &one.delays {
        put("delays", json!(delays));
    }
    if one.at_once {
        put("at_once", json!(true));
    }
    if let Some(rule) = &one.learning {
        let mut keys = json!({
            "pre_decay": rule.pre_decay, "post_decay": rule.post_decay, "impulse": rule.impulse, "nearest": rule.nearest,
            "a_plus": rule.a_plus, "a_minus": rule.a_minus, "a_fire": rule.a_fire, "low": rule.low, "high": rule.high, "seed": rule.seed,
        });
        if let Some(reward) = &rule.reward {
            let input = network.source_name(Source::Input(reward.input));
            keys["reward"] =
                json!({"input": input, "decay": reward.decay, "every": reward.every, "shift": reward.shift});
        }
        put("learning", keys);
    }
    Value::Object(keys)
}
