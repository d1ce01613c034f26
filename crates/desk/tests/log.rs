//! The commands about logs, on the built program: what they say, and their exit codes.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

fn firelane(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    command.args(arguments).env_remove("COLUMNS").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Log and tape of one run on a virtual clock, made once.
fn run() -> &'static [PathBuf; 2] {
    static RUN: OnceLock<(tempfile::TempDir, [PathBuf; 2])> = OnceLock::new();
    let (_, files) = RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let files = ["run.log", "run.tape"].map(|name| folder.path().join(name));
        let [log, tape] = files.each_ref().map(|file| file.to_str().unwrap());
        let demo = ["demo", "--virtual", "--seconds", "2", "--symbols", "2", "--log", log, "--tape", tape];
        assert!(firelane(&demo).status.success());
        (folder, files)
    });
    files
}

fn dump(file: &Path, filters: &[&str]) -> String {
    let output = firelane(&[&["log", "dump", file.to_str().unwrap()], filters].concat());
    assert!(output.status.success(), "{filters:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn objects(file: &Path, filters: &[&str]) -> Vec<Value> {
    let lines = dump(file, &[filters, &["--json"]].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn messages(objects: &[Value]) -> Vec<&Value> {
    objects.iter().filter_map(|object| object["messages"].as_array()).flatten().collect()
}

#[test]
fn a_dump_has_words_and_money_and_fits_eighty_columns() {
    let [log, tape] = run();
    for file in [log, tape] {
        let long: Vec<String> =
            dump(file, &[]).lines().filter(|line| line.chars().count() > 80).map(str::to_owned).collect();
        assert!(long.is_empty(), "{long:#?}");
    }
    let all = dump(log, &[]);
    for word in [
        "ITCH 2 Stock Directory: stock ",
        "OUCH Enter Order: symbol ",
        "side B (buy)",
        "Order Accepted: symbol ",
        "SoupBinTCP Login Request: username FIRE, password never in a log",
        "timestamp 09:30:00.",
        "price $",
        "end_of_session",
    ] {
        assert!(all.contains(word), "{word}");
    }
    assert!(dump(tape, &["--kind", "decision"]).contains("gate approved"));
}

#[test]
fn filters_pick_what_they_name_and_nothing_else() {
    let [log, _] = run();
    let adds = objects(log, &["--kind", "add-order"]);
    let adds = messages(&adds);
    assert!(!adds.is_empty() && adds.iter().all(|m| m["name"] == "Add Order"));
    let symbol = adds[0]["symbol"].as_str().unwrap();
    let of_symbol = objects(log, &["--symbol", &symbol.to_lowercase()]);
    let of_symbol = messages(&of_symbol);
    let names: Vec<&str> = of_symbol.iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert!(of_symbol.iter().all(|m| m["symbol"] == symbol));
    // By its own field, by the locate of the directory, and by the firm's number of its order.
    for name in ["Stock Directory", "Add Order", "Order Delete", "Enter Order", "Order Executed"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let order = adds[0]["fields"]["order_ref"].as_u64().unwrap();
    let followed = objects(log, &["--order", &order.to_string(), "--kind", "itch"]);
    let followed = messages(&followed);
    assert_eq!(followed[0]["name"], "Add Order");
    assert!(followed.iter().all(|m| m["symbol"] == symbol), "{followed:?}");
    let some = objects(log, &["--from", "0.2s", "--to", "0.4s"]);
    assert!(some.iter().all(|r| (200_000_000..=400_000_000).contains(&r["time_ns"].as_u64().unwrap())));
    assert!(!some.is_empty() && some.len() < objects(log, &[]).len());
}

#[test]
fn a_filter_that_cannot_pick_says_what_there_is() {
    let [log, _] = run();
    let path = log.to_str().unwrap();
    for (filter, code, says) in [
        (["--kind", "ad-order"], 1, "did you mean \"add-order\"?"),
        (["--symbol", "NOSUCH"], 1, "nothing in it is about NOSUCH; it names "),
        (["--from", "09:31"], 1, "--from 1.5s"),
        (["--from", "25:00"], 2, "must be a time of day"),
    ] {
        let output = firelane(&["log", "dump", path, filter[0], filter[1]]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{filter:?}: {said}");
    }
}

/// The file says who wrote it; another build, or another shape of the wiring, is said and refuses nothing.
#[test]
fn a_log_names_its_build_and_another_one_is_told() {
    let [log, tape] = run();
    let said = |arguments: &[&str]| {
        let output = firelane(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let version = said(&["--version"]).trim().to_owned();
    assert!(version.starts_with(concat!("firelane ", env!("CARGO_PKG_VERSION"))), "{version}");
    for file in [log, tape] {
        let path = file.to_str().unwrap();
        assert!(said(&["log", "stat", path]).contains(&format!("  written by {version}\n")));
        let stat: Value = serde_json::from_str(&said(&["log", "stat", path, "--json"])).unwrap();
        assert!(stat["build"] == *version && stat["wiring_hash"].as_str().unwrap().len() == 16, "{stat}");
    }
    let verify =
        |path: &Path| serde_json::from_str::<Value>(&said(&["log", "verify", path.to_str().unwrap(), "--json"]));
    let own = verify(log).unwrap();
    assert!(own["build"] == *version && own["notes"].as_array().unwrap().is_empty(), "{own}");

    let bytes = std::fs::read(log).unwrap();
    let length = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as usize;
    let head = text(&bytes[20..20 + length]);
    let (folder, other) = (tempfile::tempdir().unwrap(), "firelane 0.0.1 (0123456789ab)");
    let at = head.find("wiring_hash = \"").unwrap() + 15;
    let hash = format!("{}{}{}", &head[..at], "0".repeat(16), &head[at + 16..]);
    for (name, head, says) in [
        ("build", head.replace(&version, other), format!("written by {other}; this is {version}")),
        ("none", head.replace(&format!("build = \"{version}\"\n"), ""), "written by a build that does not name".into()),
        ("shape", hash, "wiring \"imbalance-taker\" had another shape (hash 0000000000000000)".into()),
    ] {
        let file = folder.path().join(name);
        let frame = [&bytes[..16], &(head.len() as u32).to_le_bytes(), head.as_bytes()].concat();
        let crc = crc32c::crc32c(head.as_bytes()).to_le_bytes();
        std::fs::write(&file, [&frame[..], &crc, &bytes[24 + length..]].concat()).unwrap();
        let outcome = verify(&file).unwrap();
        assert_eq!(outcome["verified"], true, "{outcome}");
        let [note] = &outcome["notes"].as_array().unwrap()[..] else { panic!("{outcome}") };
        assert!(note.as_str().unwrap().contains(&says), "{note} {says}");
        assert!(said(&["log", "verify", file.to_str().unwrap()]).contains(&says));
    }
}

#[test]
fn a_log_that_was_cut_off_has_words_and_an_exit_code_of_its_own() {
    let [log, _] = run();
    let bytes = std::fs::read(log).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let verify = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let output = firelane(&["log", "verify", file.to_str().unwrap()]);
        let json = firelane(&["log", "verify", file.to_str().unwrap(), "--json"]);
        assert_eq!(output.status.code(), json.status.code());
        (output.status.code().unwrap(), text(&output.stdout), serde_json::from_slice::<Value>(&json.stdout).unwrap())
    };
    let (code, said, json) = verify("whole", &bytes);
    assert_eq!((code, &json["verified"], &json["cut"]), (0, &true.into(), &false.into()), "{said}");
    // Within a record, and between the last input and the end.
    for less in [bytes.len() / 2, 1] {
        let (code, said, json) = verify("cut", &bytes[..bytes.len() - less]);
        assert_eq!((code, &json["verified"], &json["cut"]), (3, &false.into(), &true.into()), "{said}");
        let inputs = json["inputs"].as_u64().unwrap();
        assert!(
            inputs > 0 && said.contains("verified as far as input ") && said.contains("then the log ends"),
            "{said}"
        );
        assert!(!said.contains("NOT"), "{said}");
    }
    let mut differs = bytes.clone();
    let middle = differs.len() / 2;
    differs[middle] ^= 1;
    let (code, said, json) = verify("differs", &differs);
    assert_eq!((code, &json["cut"]), (1, &false.into()), "{said}");
    assert!(said.contains("NOT verified") && said.contains(" at byte "), "{said}");
}

#[test]
fn a_file_that_is_no_log_is_told_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.itch");
    std::fs::write(&file, b"\x00\x0cS").unwrap();
    for command in ["dump", "stat", "verify"] {
        let output = firelane(&["log", command, file.to_str().unwrap()]);
        let said = [output.stdout, output.stderr].concat();
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&said).contains("not a Firelane file"), "{}", text(&said));
    }
    let output = firelane(&["log", "dump", folder.path().to_str().unwrap()]);
    assert!(text(&output.stderr).contains("a directory"), "{}", text(&output.stderr));
}

fn export(words: &[&str]) -> Output {
    firelane(&[&["tape", "export"], words].concat())
}

#[test]
fn a_tape_is_exported_as_lines_or_as_it_is() {
    let [log, tape] = run();
    let name = tape.to_str().unwrap();
    assert_eq!(text(&export(&[name]).stdout), dump(tape, &["--json"]), "one formatter");
    assert_eq!(text(&export(&[name, "--text"]).stdout), dump(tape, &[]));
    let orders = export(&[name, "--kind", "order", "--json"]);
    assert_eq!(text(&orders.stdout), dump(tape, &["--kind", "order", "--json"]));
    let count = dump(tape, &["--kind", "order"]).lines().filter(|line| line.contains(" Order ")).count();
    assert!(count > 10 && text(&orders.stderr).contains(" records read, none lost"), "{}", text(&orders.stderr));
    let folder = tempfile::tempdir().unwrap();
    let (to, other) = (folder.path().join("out"), folder.path().join("other"));
    let (out, other_out) = (to.to_str().unwrap(), other.to_str().unwrap());
    assert!(export(&[name, "--raw", "-o", out]).status.success());
    assert_eq!(std::fs::read(&to).unwrap(), std::fs::read(tape).unwrap());
    // Nothing that exists is written over unless it is said, and never what is read.
    let again = export(&[name, "-o", out]);
    assert!(again.status.code() == Some(1) && text(&again.stderr).contains("--force writes it over"));
    assert!(export(&[name, "-o", out, "--force"]).status.success());
    assert_eq!(text(&std::fs::read(&to).unwrap()), dump(tape, &["--json"]));
    let own = export(&[name, "-o", name, "--force"]);
    assert!(own.status.code() == Some(1) && text(&own.stderr).contains("read or written by this command already"));
    // A tape that breaks off is exported not at all.
    let whole = std::fs::read(tape).unwrap();
    std::fs::write(&to, &whole[..whole.len() - 3]).unwrap();
    let cut = export(&[out, "-o", other_out]);
    assert!(cut.status.code() == Some(1) && text(&cut.stderr).contains("the file ends inside record"), "{cut:?}");
    assert!(!other.exists());
    for (words, code, why) in [
        (&[log.to_str().unwrap()][..], 1, "this is not a tape file"),
        (&[name, "--raw", "--kind", "order"], 2, "--raw gives every record as it is"),
        (&[name, "--raw", "--text"], 2, "cannot be used with"),
        (&[name, "--kind", "nonsense"], 1, "no record and no message is called so"),
        (&["no.tape"], 1, "no.tape does not exist"),
        (&[name, "--name", "two words"], 2, "1 to 32 printable"),
    ] {
        let output = export(words);
        assert!(
            output.status.code() == Some(code) && text(&output.stderr).contains(why),
            "{words:?}: {}",
            text(&output.stderr)
        );
    }
    let tail = firelane(&["tape", "tail", name]);
    assert!(
        tail.status.code() == Some(1) && text(&tail.stderr).contains("firelane tape export"),
        "{}",
        text(&tail.stderr)
    );
}
