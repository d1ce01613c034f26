//! A bad day of the demo: both sides in one process that is stopped, told to stop trading, and finds no room for what it
//! writes. In the end both sides are equal, or it says why not.

use super::given;
use crate::rig::{Process, firelane, limited, until};
use firelane_sim::rng::Rng;
use std::fs::OpenOptions;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// How the console is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Console {
    Read,
    Full,
    Closed,
}

/// For what it writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Room {
    Enough,
    NoneForTape,
    NoneForLog,
}

/// One run, and what is done to it meanwhile.
fn run(seed: u64, seconds: u64) {
    let mut rng = Rng::new(seed, "bad day of the demo");
    let kept = Kept { seed, folder: tempfile::tempdir().unwrap() };
    let file = |name: &str| kept.folder.path().join(name).display().to_string();
    let layout = if seed.is_multiple_of(2) { "fused" } else { "split" };
    let faults = [None, Some("light"), Some("heavy")][usize::try_from(seed % 3).unwrap()];
    let console = [Console::Read, Console::Full, Console::Closed][rng.index(3)];
    let room = [Room::Enough, Room::NoneForTape, Room::NoneForLog][rng.index(3)];
    println!("seed {seed}: demo, layout {layout}, faults {faults:?}, console {console:?}, room {room:?}");
    let (log, tape) = (file("demo.log"), file("demo.tape"));
    let (number, time) = (seed.to_string(), seconds.to_string());
    let mut arguments = vec!["demo", "--seconds", &time, "--seed", &number, "--layout", layout, "--rate", "2000"];
    arguments.extend(["--json", "--set", "threads.idle=park"]);
    // The limit under a file is one of every other file, too.
    arguments.extend((room != Room::NoneForTape).then_some(["--log", &log]).into_iter().flatten());
    arguments.extend((room != Room::NoneForLog).then_some(["--tape", &tape]).into_iter().flatten());
    arguments.extend(faults.into_iter().flat_map(|faults| ["--faults", faults]));
    let command = match room {
        Room::Enough => firelane(&arguments),
        Room::NoneForTape => limited(40, &arguments),
        Room::NoneForLog => limited(600, &arguments),
    };
    let stream = || match console {
        Console::Read => None,
        Console::Full => Some(Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap())),
        Console::Closed => Some(Stdio::from(std::io::pipe().unwrap().1)),
    };
    let mut demo = match stream().zip(stream()) {
        None => Process::start(command),
        Some((out, err)) => Process::unheard(command, out, err),
    };
    let written = |file| std::fs::metadata(file).is_ok_and(|file| file.len() > 0);
    until("a file of it", || demo.is_over().then_some(()).or((written(&log) || written(&tape)).then_some(())));
    let began = Instant::now();
    thread::sleep(Duration::from_millis(500));
    while began.elapsed() < Duration::from_secs(seconds) && !demo.is_over() {
        let what =
            ["-STOP", "-USR1", "-INT", ""][rng.index(if began.elapsed().as_secs() * 2 < seconds { 1 } else { 4 })];
        println!("seed {seed}: {:>6.1} s  demo {what}", began.elapsed().as_secs_f64());
        match what {
            "" => {}
            "-STOP" => {
                demo.signal(what);
                thread::sleep(Duration::from_millis(rng.between(100, 2_500)));
                demo.signal("-CONT");
            }
            "-INT" => {
                demo.signal(what);
                break;
            }
            _ => demo.signal(what),
        }
        thread::sleep(Duration::from_millis(rng.between(200, 1_000)));
    }
    // A result that nobody can read is no success.
    let full_log = room == Room::NoneForLog;
    let code = i32::from(full_log || console != Console::Read);
    if console == Console::Read {
        let report = demo.report(code);
        assert_eq!(report["reconciled"], !full_log, "{report}");
        assert_eq!(report["error"].is_string(), full_log, "{report}");
        assert_eq!(report["tape_error"].is_string(), room == Room::NoneForTape, "{report}");
    } else {
        assert_eq!(demo.ended().code(), Some(code));
    }
    if room != Room::NoneForTape {
        let verified = firelane(&["log", "verify", &log]).output().unwrap();
        assert_eq!(verified.status.code(), Some(if full_log { 3 } else { 0 }), "{verified:?}");
    }
}

/// The folder of a run that went wrong stays.
struct Kept {
    seed: u64,
    folder: tempfile::TempDir,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("---- the demo of seed {} is kept in {}", self.seed, self.folder.path().display());
        }
    }
}

#[test]
fn a_bad_day_of_the_demo_is_equal_on_both_sides_or_said() {
    let began = Instant::now();
    let (time, mut seed) = (given("FIRELANE_BAD_DAY"), given("FIRELANE_SEED").unwrap_or(1));
    let long = time.map(Duration::from_secs);
    loop {
        run(seed, if long.is_some() { 20 } else { 3 });
        seed += 1;
        if long.is_none_or(|long| began.elapsed() >= long) {
            break;
        }
    }
}
