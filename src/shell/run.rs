//! A whole program around one plug: `run::<Mine>()` is all that its `main` says.
//!
//! It has what a lane needs to trade and to be stopped: a configuration, log and tape, signals, an orderly end. `firelane`, as
//! a library (`firelane_desk::main`), has the rest: demo, replay, status, kill by a socket, verification of logs.

use super::clock::Clock;
use super::config::Config;
use super::lane::Lane;
use super::live::{Handle, Live, Outcome, Setup, Sheet, wishes};
use super::log::FileHeader;
use super::plan::{Cores, Plan};
use super::plug::{Plug, Plugged, plugged, sample};
use super::share::SharedTape;
use super::signals::{self, LastWords};
use super::sync::Stop;
use crate::flow::{Gateway, Word};
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

/// The whole program: reads the command line, runs `P` in a live lane until it is told to end, and says what came of it.
///
/// SIGINT, SIGTERM or SIGHUP ends it in order: what rests is cancelled, the venue's answers are waited for, log and tape
/// ended; a second one ends it at once. SIGUSR1 throws the kill switch. Its exit code is 0 if it ended as asked or with the
/// venue's day, 1 if it failed or orders may still live at the venue, 2 for wrong arguments.
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
    text.push_str("\nA second signal ends it at once; SIGUSR1 throws the kill switch.\n");
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

/// A configuration that is this plug's.
fn read(path: &Path, plug: Plugged) -> Result<Config, Box<dyn Error>> {
    let said = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| said(&error))?;
    let config = Config::parse_with(&text, &[plug]).map_err(|error| said(&error))?;
    if config.wiring != plug.name {
        let name = path.display();
        return Err(format!(
            "{name}: wiring = {:?}: must be {:?}, for nothing else trades here",
            config.wiring, plug.name
        )
        .into());
    }
    Ok(config)
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

/// A lane at work.
struct Running {
    live: Live,
    end: Stop,
    until: Option<Instant>,
}

impl Running {
    fn start(plug: &Plugged, options: &Options) -> Result<Self, Box<dyn Error>> {
        let config = read(&options.config, *plug)?;
        let passwords = config.passwords(|name| std::env::var(name).ok())?;
        let threads = &config.live.threads;
        let plan = Plan::new(&wishes(threads), &Cores::here(), threads.missing)?;
        let words = LastWords::default();
        let (end, kill) = (signals::asked_to_end(words.clone())?, signals::kill_switch()?);
        let clock = Clock::new();
        // Whatever is wrong with it is said before a file is made.
        let lane = plug.build(&config, Some(clock.clone()))?;
        plug.warnings(&config).iter().for_each(|warning| tell(&format!("Warning: {warning}.")));
        let header = FileHeader::new(&config.wiring, &config.text, Vec::new(), config.effects).of_lane(&*lane);
        let header = header.began_at(clock.began());
        let mut files = Files(Vec::new());
        let sheets = files.sheet(options.log.as_deref(), &header).and_then(|log| {
            let tape = files.sheet(options.tape.as_deref(), &header)?;
            Ok((log, tape))
        });
        let live = sheets.and_then(|(log, tape)| {
            let share = SharedTape::of(&config.live, &header).unwrap_or_else(|why| {
                tell(&why);
                None
            });
            let setup = Setup { kill, logins: passwords.into(), log, tape, share, ..Setup::default() };
            Ok(Live::start(lane, &config.live, clock, setup, &plan)?)
        });
        let live = match live {
            Ok(live) => live,
            Err(error) => {
                files.discard();
                return Err(error);
            }
        };
        words.are(last_words(live.handle().clone()));
        tell(&format!("{} runs as process {}: {}.", plug.name, std::process::id(), orders_to(&config)));
        let _started = live.handle().command(Word::Start);
        Ok(Running { live, end, until: options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)) })
    }

    fn watch(self, program: &str) -> ExitCode {
        let Running { live, end, until } = self;
        while !live.has_failed()
            && !live.handle().is_over()
            && !end.is_stopped()
            && until.is_none_or(|until| Instant::now() < until)
        {
            std::thread::sleep(LOOK);
        }
        let answered = live.shut_down(|| ());
        let mut wrong = Vec::new();
        if live.handle().is_failing() {
            wrong.push("the lane could not go on".to_owned());
        }
        if !answered {
            wrong.push("the venue has not answered in time: orders may still live there".to_owned());
        }
        match live.finish() {
            Ok(outcome) => report(&outcome, &mut wrong),
            Err(error) => wrong.push(error.to_string()),
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

fn last_words(handle: Handle) -> impl Fn() -> String + Send + 'static {
    move || match handle.board().try_lock().map(|board| board.status.live.get()) {
        Some(0) if handle.is_over() => "Ended at once: order entry was closed before, and nothing lives.".to_owned(),
        Some(live) => format!("Ended at once: {live} orders were alive when last seen. Ask the venue."),
        None => "Ended at once: how many orders live is not known. Ask the venue.".to_owned(),
    }
}

/// What came of it.
fn report(outcome: &Outcome, wrong: &mut Vec<String>) {
    let counters = outcome.lane.core_counters();
    let orders = counters.entered + counters.replaced;
    tell(&format!("{} messages, {orders} orders, {} fills.", counters.messages, counters.fills));
    // Why the tape's file is not whole concerns nothing that traded.
    if let Some(error) = &outcome.tape_lost {
        tell(&format!("Warning: {error}."));
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
        assert_eq!(read("wiring = \"imbalance-taker\"\n[taker]\nsize = 7").unwrap().wiring, "imbalance-taker");
        for (text, says) in [
            ("", "wiring = \"\": must be \"imbalance-taker\""),
            ("wiring = \"listener\"", "must be \"imbalance-taker\""),
            ("[maker]\nsize = 7", "maker"),
            ("[taker]\nsize = 0", "taker.size"),
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
