//! `firelane spikes` on the built program.

mod built;

use built::{Built, fits};
use serde_json::{Value, json};
use std::path::Path;

const SPIKES: Built = Built(&["spikes"]);

fn vectors() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/snn");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".json") && !name.starts_with('d') {
            let value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            all.push((path.to_str().unwrap().to_owned(), value));
        }
    }
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const SMALL: &str = r#"{"name":"small","inputs":{"in":[[1,0],[0,1]]},
  "populations":[{"id":"l1","n":1,"du":4095,"vth":20},{"id":"l2","n":1,"du":4095,"vth":20}],
  "connections":[{"src":"in","dst":"l1","weights":[[30,12]]},{"src":"l1","dst":"l2","weights":[[30]]}]}"#;

#[test]
fn every_vector_is_computed_as_lava_did_and_written_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let all = vectors();
    assert!(all.len() >= 21, "{}", all.len());
    for (n, (path, expected)) in all.iter().enumerate() {
        let out = folder.path().join(format!("{n}.json"));
        let (code, text, error) = SPIKES.said(&["run", path, "--trace", out.to_str().unwrap(), "--json"]);
        assert_eq!((code, error.as_str()), (0, ""), "{path}");
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&report["trace"], &report["schedule"]), (&json!("equal"), &json!("lava")), "{path}");
        // The trace in it was thrown away and computed again.
        let written: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        assert!(written == *expected, "{path}");
    }
}

#[test]
fn a_trace_that_is_another_is_said_with_the_first_difference() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut vector) = vectors().swap_remove(0);
    vector["trace"]["l1"]["v"][40][1] = json!(77);
    let path = file(folder.path(), "wrong.json", &vector.to_string());
    let (code, text, _) = SPIKES.said(&["run", &path]);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 1 && flat.contains("1 values differ; the first is v of l1[1] after step 40:"), "{text}");
    fits(&text);
    // In another schedule there is nothing to compare it with.
    let report = SPIKES.json(&["run", &path, "--schedule", "cascade"]);
    assert_eq!((&report["trace"], &report["overflow"]), (&Value::Null, &json!("forbid")));
}

#[test]
fn a_schedule_is_what_was_asked_for_and_else_what_the_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "small.json", SMALL);
    let input = file(folder.path(), "input.json", r#"{"inputs":{"in":[[1,0],[0,0],[0,0]]}}"#);
    let mut bare: Value = serde_json::from_str(SMALL).unwrap();
    bare.as_object_mut().unwrap().remove("inputs");
    let bare = file(folder.path(), "bare.json", &bare.to_string());
    let report = |arguments: &[&str]| SPIKES.json(&[&["run"], arguments].concat());
    let own = report(&[&path]);
    assert_eq!(
        (&own["schedule"], &own["overflow"], &own["spikes_of"]),
        (&json!("lava"), &json!("wrap"), &json!({"l1": 1, "l2": 0}))
    );
    let cascade = report(&[&path, "--schedule", "cascade"]);
    assert_eq!((&cascade["overflow"], &cascade["spikes_of"]), (&json!("forbid"), &json!({"l1": 1, "l2": 1})));
    let given = report(&[&bare, "--input", &input]);
    assert_eq!((&given["schedule"], &given["steps"], &given["spikes"]), (&json!("cascade"), &json!(3), &json!(2)));
    let proved = report(&[&path, "--overflow", "forbid", "--device", "software/scalar"]);
    assert_eq!((&proved["schedule"], &proved["device"]), (&json!("lava"), &json!("software/scalar")));
    let (code, _, error) = SPIKES.said(&["run", &bare]);
    assert!(code == 1 && error.contains("it has no inputs and no steps of its own; name a file that has"), "{error}");
}

/// Of two populations the second overflows, in each of two steps.
#[test]
fn overflows_are_told_apart_by_population() {
    let folder = tempfile::tempdir().unwrap();
    let wild =
        SMALL.replace("\"weights\":[[30]]", "\"weights\":[[1]],\"weight_exp\":18").replace("[[30,12]]", "[[30,30]]");
    let path = file(folder.path(), "wild.json", &wild.replace("[[1,0],[0,1]]", "[[1,0],[0,1],[0,0],[0,0]]"));
    let (code, text, error) = SPIKES.said(&["run", &path, "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &report["overflows"]), (0, &json!(2)), "{error}");
    assert_eq!(report["overflows_of"], json!({"l1": 0, "l2": 2}));
    let (_, text, _) = SPIKES.said(&["run", &path]);
    assert!(text.contains(" 2   currents wrapped: l2 2\n"), "{text}");
}

#[test]
fn what_is_wrong_is_said_with_file_and_node() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, expected) in [
        ("\"vth\":20", "\"vth\":-1", "small.json: l1: vth is -1; it must be 0 to 131071"),
        ("[[30,12]]", "[[30]]", "small.json: in: step 0 has 2 values; the input has 1 units"),
        ("\"dst\":\"l1\"", "\"dst\":\"l3\"", "small.json: in->l3: there is no node \"l3\""),
        ("}]}", "}", "small.json: EOF while parsing"),
    ] {
        let path = file(folder.path(), "small.json", &SMALL.replace(from, to));
        let (code, text, error) = SPIKES.said(&["run", &path]);
        assert!(code == 1 && text.is_empty() && error.contains(expected) || from == "[[30,12]]", "{error}");
    }
    let deaf = SMALL.replace("\"du\":4095", "\"du\":0");
    let path = file(folder.path(), "deaf.json", &deaf);
    let (code, _, error) = SPIKES.said(&["run", &path, "--schedule", "cascade"]);
    assert!(
        code == 1 && error.contains("deaf.json: l1: its current could overflow: the inputs of neuron 0 can sum to 42"),
        "{error}"
    );
    let (code, _, error) = SPIKES.said(&["run", "nowhere.json"]);
    assert!(code == 1 && error.contains("nowhere.json: No such file"), "{error}");
    for device in ["loihi", "software/loihi", "hardware/scalar", "software/"] {
        let (code, _, error) = SPIKES.said(&["run", &path, "--device", device]);
        let known = error.contains(&format!("there is no device {device:?}; there are software, software/scalar"));
        assert!(code == 1 && known || device == "software/", "{error}");
    }
    if cfg!(target_arch = "x86_64") {
        let (code, _, error) = SPIKES.said(&["run", &path, "--device", "software/neon"]);
        assert!(
            code == 1 && error.contains("this processor has no neon; there are software, software/scalar"),
            "{error}"
        );
    }
    let out = file(folder.path(), "out.json", "mine");
    let (code, _, error) = SPIKES.said(&["run", &path, "--trace", &out]);
    assert!(code == 1 && error.contains("--force"), "{error}");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "mine");
    assert_eq!(SPIKES.said(&["run", &path, "--trace", "-", "--json"]).0, 2);
}

/// Two halves of a run are the whole in the weights: what the first has learnt is what the second begins with.
#[test]
fn weights_that_were_learnt_are_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    // Each spike of the one neuron finds its input's trace full: the weight rises by 2, by chance to the last bit.
    let net = r#"{"populations":[{"id":"cell","n":1,"du":4095,"dv":4095,"vth":20}],"connections":[{"src":"in","dst":"cell",
        "weights":[[100,100]],"sign_mode":"MIXED","learning":{"pre_decay":4095,"a_plus":400}}]}"#;
    let input = file(folder.path(), "day.json", r#"{"inputs":{"in":[[1,0],[1,0],[1,0],[1,0],[1,0]]}}"#);
    let path = file(folder.path(), "net.json", net);
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (out, trace) = (at("learnt.json"), at("trace.json"));
    let (code, _, error) = SPIKES.said(&["run", &path, "--input", &input, "--out", &out, "--trace", &trace]);
    assert_eq!((code, error.as_str()), (0, ""));
    let read = |path: &str| serde_json::from_str::<Value>(&std::fs::read_to_string(path).unwrap()).unwrap();
    let learnt = read(&out);
    let weight = |net: &Value, at: usize| net["connections"][0]["weights"][0][at].as_i64().unwrap();
    assert!((105..=110).contains(&weight(&learnt, 0)) && weight(&learnt, 1) == 100, "{learnt}");
    assert_eq!(learnt["connections"][0]["learning"]["a_plus"], 400);
    assert_eq!(read(&trace)["connections"][0]["weights"], json!([[100, 100]]), "the file as it was");
    // What is written runs: its currents are those of its weights.
    let again = at("again.json");
    let run = ["run", &out, "--input", &input, "--trace", &again];
    assert_eq!(SPIKES.said(&run).0, 0);
    assert_eq!(read(&again)["trace"]["cell"]["u"][0], json!([weight(&learnt, 0) * 64]));
    let (code, _, error) = SPIKES.said(&["run", &path, "--input", &input, "--out", &out]);
    assert!(code == 1 && error.contains("--force"), "{error}");
    assert_eq!(SPIKES.said(&["run", &path, "--input", &input, "--out", &out, "--force"]).0, 0);
    assert_eq!(SPIKES.said(&["run", &path, "--input", &input, "--force"]).0, 2);
    let one = ["run", &path, "--input", &input, "--out", &at("one.json"), "--trace", &at("one.json")];
    let (code, _, error) = SPIKES.said(&one);
    assert!(code == 1 && error.contains("by this command already"), "{error}");
    assert_eq!(SPIKES.said(&["run", &path, "--input", &input, "--out", "-", "--json"]).0, 2);
    let (code, text, _) = SPIKES.said(&["run", &path, "--input", &input, "--out", "-"]);
    assert!(code == 0 && text.starts_with("{\"connections\""), "{text}");
    let fixed = file(folder.path(), "fixed.json", SMALL);
    let (code, _, error) = SPIKES.said(&["run", &fixed, "--out", &at("none.json")]);
    assert!(code == 1 && error.contains("fixed.json: none of its connections has the key learning"), "{error}");
}

#[test]
fn a_device_is_judged_case_by_case() {
    for device in ["software", "software/scalar"] {
        let report = SPIKES.json(&["conformance", "--device", device, "--updates", "20000"]);
        assert_eq!(report["conforms"], json!(true), "{report}");
        assert!(report["updates"].as_u64().unwrap() >= 20_000 && report["cases"].as_array().unwrap().len() > 30);
    }
    let (code, text, _) = SPIKES.said(&["conformance", "--updates", "1"]);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 0 && flat.contains("it conforms; 56 passed, 0 skipped, 0 failed;"), "{text}");
    fits(&text);
}

#[test]
fn the_bench_times_the_same_steps_on_each_device() {
    let report = SPIKES.json(&["bench", "--steps", "2000"]);
    let devices = report["devices"].as_array().unwrap();
    assert!(!devices.is_empty());
    assert_eq!((&report["steps"], &report["dense_operations"]), (&json!(2_000), &json!(49_152)));
    // The operations of the network are those that the reference measurement had: 2,599 a step.
    let operations = report["effective_operations"].as_f64().unwrap();
    assert!((2_450.0..2_750.0).contains(&operations), "{operations}");
    for one in devices {
        let of = |key: &str| one[key].as_f64().unwrap();
        assert!(of("best_ns") > 0.0 && of("best_ns") <= of("mean_ns") && of("p50_ns") <= of("p99_ns"), "{one}");
        assert!(of("p99_ns") <= of("p999_ns") && of("ratio") >= 1.0, "{one}");
    }
    let (code, text, _) = SPIKES.said(&["bench", "--steps", "1000", "--device", "software/scalar"]);
    assert!(code == 0 && text.contains("software/scalar"), "{text}");
    fits(&text);
    assert_eq!(SPIKES.said(&["bench", "--steps", "999"]).0, 2);
}

/// The fixtures of the kernels' tests: networks of snnTorch, and one that no network is.
fn trained(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels/tests/nir");
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_network_of_snntorch_is_imported_and_then_runs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("net.json");
    let out = out.to_str().unwrap();
    let (nir, recorded) = (trained("snn_subtract.nir"), trained("snn_subtract.json"));
    // What snnTorch was given, as the inputs of a file.
    let value: Value = serde_json::from_str(&std::fs::read_to_string(recorded).unwrap()).unwrap();
    let input = file(folder.path(), "input.json", &json!({"inputs": {"input": value["inputs"]}}).to_string());
    let snntorch = ["import", &nir, "--dt", "1e-4", "--reset", "subtract", "--reset-delay"];
    let with = |more: &[&str]| SPIKES.said(&[&snntorch[..], more].concat());
    let (code, text, error) = with(&["--input", &input, "--out", out, "--json"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["neurons"], &report["synapses"], &report["steps"]), (&json!(40), &json!(1_024), &json!(400)));
    assert_eq!((&report["outputs"], &report["events"]), (&json!(["3"]), &json!("input")));
    assert_eq!(report["populations"][0]["float_spikes"], 1_808);
    // What was written runs, and fires what was said.
    let (code, text, error) = SPIKES.said(&["run", out, "--input", &input, "--json"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let ran: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(ran["spikes_of"]["1"], report["populations"][0]["integer_spikes"]);
    let (code, text, _) = with(&["--steps", "50", "--rate", "20"]);
    assert!(code == 0 && text.contains("over 50 steps of random events: 20 % of"), "{text}");
    fits(&text);
    let (code, _, error) = with(&["--out", out]);
    assert!(code == 1 && error.contains("net.json"), "{error}");
}

#[test]
fn what_is_no_network_of_nir_is_said_with_file_and_node() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(trained("nan.nir")).unwrap();
    let cut = folder.path().join("cut.nir");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let loops = r#"{"type":"NIRGraph","nodes":{"in":{"type":"Input","shape":[1]},"a":{"type":"Scale","scale":[1]},
        "lif":{"type":"IF","r":[1],"v_threshold":[1]}},"edges":[["in","a"],["a","a"],["a","lif"]]}"#;
    let loops = file(folder.path(), "loop.json", loops);
    for (path, more, expected) in [
        (trained("nan.nir"), &["--dt", "1"][..], "nan.nir: fc: weight holds NaN at 1; it must be a finite number"),
        (cut.to_str().unwrap().to_owned(), &["--dt", "1"], "cut.nir: node: it can't be read"),
        (loops, &["--dt", "1"], "loop.json: a: a loop of nodes without state"),
        (trained("all.nir"), &["--dt", "0.005"], "all.nir: rec/lif: tau is 0.004"),
        (trained("all.nir"), &["--dt", "1e-3", "--bits", "7"], "all.nir: bits: it must be 8, 6 or 4"),
        (trained("all.nir"), &["--dt", "0"], "all.nir: dt: it must be a number of seconds above 0"),
        (trained("none.nir"), &["--dt", "1"], "none.nir: No such file"),
    ] {
        let (code, text, error) = SPIKES.said(&[&["import", &path], more].concat());
        assert!(code == 1 && text.is_empty() && error.contains(expected), "{error}");
    }
    let (code, _, error) = SPIKES.said(&["import", &trained("all.nir")]);
    assert!(code == 2 && error.contains("--dt <SECONDS>"), "{error}");
}
