//! A whole program around one plug: `run::<Mine>()` is all that its `main` says.
//!
//! It has what a lane needs to trade and to be stopped: a configuration, log and tape, signals, an orderly end. `firelane`, as
//! a library (`firelane_desk::main`), has the rest: demo, replay, status, kill by a socket, verification of logs.

use super::clock::Clock;
use super::config::{Config, Fleet, lane_path};
use super::lane::Lane;
use super::lanes::{self, Ended, LaneHandle, LaneSetup, Lanes, LanesHandle, Phase};
use super::live::{Outcome, Setup, Sheet};
use super::log::FileHeader;
use super::plan::Cores;
use super::plug::{Plug, Plugged, plugged, sample};
use super::share::SharedTape;
use super::signals::{self, LastWords};
use super::sync::Stop;
use crate::flow::Gateway;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

/// The whole program: reads the command line, runs `P` in a live lane until it is told to end, and says what came of it. A
/// configuration with `[[lane]]` rows runs it in several ([`Lanes`]): one that fails ends alone.
///
/// SIGINT, SIGTERM or SIGHUP ends it in order: what rests is cancelled, the venue's answers are waited for, log and tape
/// ended; a second one ends it at once. SIGUSR1 throws the kill switch. Its exit code is 0 if it ended as asked or with the
/// venue's day, 1 if it failed (one of its lanes, where there are several) or orders may still live at the venue, 2 for wrong
/// arguments.
///
/// ```no_run
/// use firelane_gateway::shell::plugs::Taker;
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     firelane_gateway::run::<Taker>()
/// }
/// ```
#[must_use]
pub fn run<P: Plug>() -> ExitCode
where
    Gateway<P::Wiring>: Lane,
{
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let program = arguments.first().map(PathBuf::from).unwrap_or_default();
    let program = program.file_name().map_or(P::NAME.into(), |name| name.to_string_lossy().into_owned());
    let plug = plugged::<P>();
    let said = match Asked::of(arguments.into_iter().skip(1)) {
        Ok(Asked::Help) => Ok(help(&program, &plug)),
        Ok(Asked::Version) => Ok(format!("{program} {}\n", FileHeader::BUILD)),
        Ok(Asked::Sample) => Ok(sample(&[plug])),
        Ok(Asked::Run(options)) => match Running::start(&plug, &options) {
            Ok(running) => return running.watch(&program),
            Err(error) => Err((1, error.to_string())),
        },
        Err(wrong) => Err((2, format!("{wrong}\n{}", usage(&program)))),
    };
    match said {
        // What was asked for, and could not be had.
        Ok(text) => ExitCode::from(u8::from(io::stdout().write_all(text.as_bytes()).is_err())),
        Err((code, text)) => {
            tell(&format!("{program}: {text}"));
            ExitCode::from(code)
        }
    }
}

/// Nobody may be there to hear it.
fn tell(text: &str) {
    let _unheard = writeln!(io::stderr(), "{text}");
}

fn usage(program: &str) -> String {
    format!("Usage: {program} CONFIG [--log FILE] [--tape FILE] [--seconds N] | --print-config | --help | --version")
}

fn help(program: &str, plug: &Plugged) -> String {
    let mut text = format!("{}: {}\n\n{}\n\n", plug.name, plug.about, usage(program));
    for (option, about) in [
        ("CONFIG", "the configuration (TOML)"),
        ("--print-config", "print the default configuration, every key explained, and stop"),
        ("--log FILE", "keep the input log here, in a new file"),
        ("--tape FILE", "keep the output tape here, in a new file"),
        ("--seconds N", "end after so many seconds; without it, on SIGINT, SIGTERM or SIGHUP"),
        ("--version", "print the version and stop"),
    ] {
        let _infallible = writeln!(text, "  {option:<16}{about}");
    }
    text.push_str(
        "\nA configuration with [[lane]] rows runs a lane for each; the log of lane NAME is then FILE with NAME before its ending\n\
         (run.log: run.NAME.log), and so is the tape.\n",
    );
    text.push_str("A second signal ends it at once; SIGUSR1 throws the kill switch, that of all lanes.\n");
    text.push_str(
        "Exit codes: 0 ended as asked; 1 it failed, or orders may still live at the venue; 2 wrong arguments.\n",
    );
    text
}

/// What the command line asks for.
#[derive(PartialEq, Debug)]
enum Asked {
    Help,
    Version,
    Sample,
    Run(Options),
}

#[derive(Default, PartialEq, Debug)]
struct Options {
    config: PathBuf,
    log: Option<PathBuf>,
    tape: Option<PathBuf>,
    seconds: Option<u64>,
}

impl Asked {
    fn of(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let (mut options, mut config) = (Options::default(), None);
        let mut rest = arguments.into_iter();
        while let Some(word) = rest.next() {
            let shown = word.to_string_lossy().into_owned();
            let mut value = || rest.next().ok_or_else(|| format!("{shown} wants a value"));
            match &*shown {
                "-h" | "--help" => return Ok(Asked::Help),
                "-V" | "--version" => return Ok(Asked::Version),
                "--print-config" => return Ok(Asked::Sample),
                "--log" => options.log = Some(value()?.into()),
                "--tape" => options.tape = Some(value()?.into()),
                "--seconds" => {
                    let text = value()?;
                    let number = text.to_str().and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
                    options.seconds = Some(number.ok_or("--seconds must be a whole number from 1 on")?);
                }
                option if option.starts_with('-') => return Err(format!("there is no option {option}")),
                _ if config.is_some() => return Err(format!("one configuration alone, and {shown} is another")),
                _ => config = Some(PathBuf::from(word)),
            }
        }
        options.config = config.ok_or("which configuration?")?;
        Ok(Asked::Run(options))
    }
}

/// A configuration that is this plug's, in each of its lanes.
fn read(path: &Path, plug: Plugged) -> Result<Fleet, Box<dyn Error>> {
    let said = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| said(&error))?;
    let fleet = Fleet::parse_with(&text, &[plug]).map_err(|error| said(&error))?;
    if let Some(config) = fleet.lanes.iter().find(|config| config.wiring != plug.name) {
        let (name, lane) = (path.display(), before(&config.lane.name));
        return Err(format!(
            "{name}: {lane}wiring = {:?}: must be {:?}, for nothing else trades here",
            config.wiring, plug.name
        )
        .into());
    }
    Ok(fleet)
}

/// Before what is said of a lane; nothing of one that is alone.
fn before(lane: &str) -> String {
    if lane.is_empty() { String::new() } else { format!("lane {lane:?}: ") }
}

/// New files, which none was before: a log or tape is never written over.
struct Files(Vec<PathBuf>);

impl Files {
    fn sheet(&mut self, path: Option<&Path>, header: &FileHeader) -> Result<Option<Sheet>, Box<dyn Error>> {
        let Some(path) = path else { return Ok(None) };
        let file = File::create_new(path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.0.push(path.to_owned());
        Ok(Some(Sheet { file: Box::new(file), header: header.clone() }))
    }

    /// Nothing came of the run: neither of them.
    fn discard(self) {
        for path in self.0 {
            // Left with a header and no record otherwise, which harms nobody.
            let _gone = fs::remove_file(path);
        }
    }
}

/// Lanes at work: one, or several.
struct Running {
    lanes: Lanes,
    end: Stop,
    until: Option<Instant>,
}

impl Running {
    fn start(plug: &Plugged, options: &Options) -> Result<Self, Box<dyn Error>> {
        let fleet = read(&options.config, *plug)?;
        let plan = lanes::plan(&fleet, &Cores::here())?;
        let words = LastWords::default();
        let (end, kill) = (signals::asked_to_end(words.clone())?, signals::kill_switch()?);
        let clock = Clock::new();
        let mut files = Files(Vec::new());
        let lanes = Self::setups(plug, &fleet, options, &clock, &mut files)
            .and_then(|setups| Ok(Lanes::start(setups, &clock, kill, fleet.firm.as_ref(), &plan)?));
        let lanes = match lanes {
            Ok(lanes) => lanes,
            Err(error) => {
                files.discard();
                return Err(error);
            }
        };
        words.are(last_words(lanes.handle().clone()));
        for config in &fleet.lanes {
            let (of, orders) = (before(&config.lane.name), orders_to(config));
            tell(&format!("{of}{} runs as process {}: {orders}.", plug.name, std::process::id()));
        }
        Ok(Running { lanes, end, until: options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)) })
    }

    /// Everything that a lane is started with, files last: whatever is wrong with any of them is said before one is made.
    fn setups<'a>(
        plug: &Plugged,
        fleet: &'a Fleet,
        options: &Options,
        clock: &Clock,
        files: &mut Files,
    ) -> Result<Vec<LaneSetup<'a>>, Box<dyn Error>> {
        let mut built = Vec::new();
        for config in &fleet.lanes {
            let passwords = config.passwords(|name| std::env::var(name).ok())?;
            let lane = plug.build(config, Some(clock.clone())).map_err(|error| of_lane(config, &error))?;
            let warnings = plug.warnings(config);
            warnings.iter().for_each(|warning| tell(&format!("Warning: {}{warning}.", before(&config.lane.name))));
            built.push((config, passwords, lane));
        }
        let mut setups = Vec::new();
        for (config, passwords, lane) in built {
            let header = FileHeader::new(&config.wiring, &config.text, Vec::new(), config.effects).of_lane(&*lane);
            let header = header.began_at(clock.began());
            let at = |path: &Option<PathBuf>| path.as_ref().map(|path| lane_path(path, &config.lane.name));
            let log = files.sheet(at(&options.log).as_deref(), &header)?;
            let tape = files.sheet(at(&options.tape).as_deref(), &header)?;
            let share = SharedTape::of(&config.live, &header).unwrap_or_else(|why| {
                tell(&format!("{}{why}", before(&config.lane.name)));
                None
            });
            let setup = Setup { logins: passwords.into(), log, tape, share, ..Setup::default() };
            setups.push(LaneSetup { config, lane, setup });
        }
        Ok(setups)
    }

    fn watch(self, program: &str) -> ExitCode {
        let Running { mut lanes, end, until } = self;
        let mut running = vec![true; lanes.handle().members().len()];
        while !lanes.all_ended() {
            if end.is_stopped() || until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            lanes.tend();
            for (lane, running) in running.iter_mut().enumerate() {
                let phase = lanes.phase(lane);
                if *running && let Some(Phase::Ending(why)) = phase {
                    *running = false;
                    let member = &lanes.handle().members()[lane];
                    if !member.name.is_empty() {
                        tell(&format!("{}it ends ({why:?}); the others go on.", before(&member.name)));
                    }
                }
            }
            std::thread::sleep(LOOK);
        }
        let handle = lanes.handle().clone();
        let mut wrong = Vec::new();
        for (ended, member) in lanes.finish().into_iter().zip(handle.members()) {
            wrong.extend(judge(ended, member));
        }
        wrong.iter().for_each(|wrong| tell(&format!("{program}: {wrong}")));
        ExitCode::from(u8::from(!wrong.is_empty()))
    }
}

/// Where orders go: to each venue that has a name, by its name.
fn orders_to(config: &Config) -> String {
    let nets = config.live.net.iter().map(|(_, net)| net.orders);
    let to = config.venues.iter().zip(nets).map(|((_, venue), orders)| match venue.is_named() {
        true => format!("{venue} at {orders}"),
        false => orders.to_string(),
    });
    to.collect::<Vec<_>>().join(", ")
}

fn of_lane(config: &Config, error: &dyn Error) -> String {
    format!("{}{error}", before(&config.lane.name))
}

/// What came of a lane, and what was wrong with it.
fn judge(ended: Ended, member: &LaneHandle) -> Vec<String> {
    let mut wrong = Vec::new();
    if member.handle.is_failing() {
        wrong.push("the lane could not go on".to_owned());
    }
    if !ended.answered {
        wrong.push("the venue has not answered in time: orders may still live there".to_owned());
    }
    match ended.outcome {
        Ok(outcome) => report(&member.name, &outcome, &mut wrong),
        Err(error) => wrong.push(error.to_string()),
    }
    wrong.into_iter().map(|wrong| format!("{}{wrong}", before(&member.name))).collect()
}

fn last_words(handle: LanesHandle) -> impl Fn() -> String + Send + 'static {
    let of = |member: &LaneHandle| match member.handle.board().try_lock().map(|board| board.status.live.get()) {
        Some(0) if member.handle.is_over() => "order entry was closed before, and nothing lives".to_owned(),
        Some(live) => format!("{live} orders were alive when last seen; ask the venue"),
        None => "how many orders live is not known; ask the venue".to_owned(),
    };
    move || {
        let all: Vec<String> =
            handle.members().iter().map(|member| format!("{}{}", before(&member.name), of(member))).collect();
        format!("Ended at once: {}.", all.join("; "))
    }
}

/// What came of it.
fn report(lane: &str, outcome: &Outcome, wrong: &mut Vec<String>) {
    let counters = outcome.lane.core_counters();
    let orders = counters.entered + counters.replaced;
    let of = before(lane);
    tell(&format!("{of}{} messages, {orders} orders, {} fills.", counters.messages, counters.fills));
    // Why the tape's file is not whole concerns nothing that traded.
    if let Some(error) = &outcome.tape_lost {
        tell(&format!("Warning: {of}{error}."));
    }
    wrong.extend(outcome.log_lost.iter().map(ToString::to_string));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::plugs::Taker;

    fn asked(words: &[&str]) -> Result<Asked, String> {
        Asked::of(words.iter().map(OsString::from))
    }

    #[test]
    fn a_command_line_says_what_to_do_or_what_is_wrong_with_it() {
        let options = Options { config: "c.toml".into(), ..Options::default() };
        assert_eq!(asked(&["c.toml"]), Ok(Asked::Run(options)));
        let all = asked(&["--log", "l", "c.toml", "--seconds", "3", "--tape", "t"]);
        let options =
            Options { config: "c.toml".into(), log: Some("l".into()), tape: Some("t".into()), seconds: Some(3) };
        assert_eq!(all, Ok(Asked::Run(options)));
        for (words, what) in [
            (&["--help"], Asked::Help),
            (&["-h"], Asked::Help),
            (&["--version"], Asked::Version),
            (&["-V"], Asked::Version),
            (&["--print-config"], Asked::Sample),
        ] {
            assert_eq!(asked(words), Ok(what), "{words:?}");
        }
        for (words, says) in [
            (&[][..], "which configuration?"),
            (&["--log"], "--log wants a value"),
            (&["a", "b"], "b is another"),
            (&["--frobnicate", "a"], "no option --frobnicate"),
            (&["a", "--seconds", "0"], "a whole number from 1 on"),
            (&["a", "--seconds", "x"], "a whole number from 1 on"),
        ] {
            let wrong = asked(words).unwrap_err();
            assert!(wrong.contains(says), "{words:?}: {wrong}");
        }
    }

    #[test]
    fn a_help_names_every_option_and_fits_a_terminal() {
        let text = help("own", &plugged::<Taker>());
        for word in ["--print-config", "--log FILE", "--tape FILE", "--seconds N", "--version", "SIGUSR1", Taker::ABOUT]
        {
            assert!(text.contains(word), "{word} is not in {text}");
        }
        assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    }

    #[test]
    fn a_configuration_must_name_what_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path, plugged::<Taker>()).map_err(|error| error.to_string())
        };
        let fleet = read("wiring = \"imbalance-taker\"\n[taker]\nsize = 7").unwrap();
        assert_eq!((fleet.is_alone(), fleet.lanes[0].wiring.as_str()), (true, "imbalance-taker"));
        for (text, says) in [
            ("", "wiring = \"\": must be \"imbalance-taker\""),
            ("wiring = \"listener\"", "must be \"imbalance-taker\""),
            ("[maker]\nsize = 7", "maker"),
            ("[taker]\nsize = 0", "taker.size"),
            (
                "wiring = \"imbalance-taker\"\n[[lane]]\nname = \"a\"\nwiring = \"\"",
                "lane \"a\": wiring = \"\": must be",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says) && error.contains("c.toml"), "{text}: {error}");
        }
        let nowhere = super::read(&folder.path().join("none.toml"), plugged::<Taker>()).unwrap_err().to_string();
        assert!(nowhere.contains("none.toml"), "{nowhere}");
    }

    #[test]
    fn files_of_a_run_that_did_not_begin_are_gone_and_others_are_left() {
        let folder = tempfile::tempdir().unwrap();
        let (there, new) = (folder.path().join("there.log"), folder.path().join("new.log"));
        fs::write(&there, "kept").unwrap();
        let header = FileHeader::new("w", "", Vec::new(), Default::default());
        let mut files = Files(Vec::new());
        assert!(files.sheet(Some(&new), &header).unwrap().is_some() && new.exists());
        assert!(files.sheet(None, &header).unwrap().is_none());
        assert!(files.sheet(Some(&there), &header).err().unwrap().to_string().contains("there.log"));
        files.discard();
        assert_eq!((new.exists(), fs::read_to_string(&there).unwrap().as_str()), (false, "kept"));
    }
}
