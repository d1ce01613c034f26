//! What the system's signals mean to a program that goes on for long.

use super::net::KillSwitch;
use super::sync::Stop;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};
use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Signals that ask for an end: the last is that of a terminal that is closed.
const END: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
/// How long the last words may take: whoever ends a process that is stuck shall not have to wait for a stuck terminal.
const LAST_WORDS: Duration = Duration::from_millis(500);

type Words = Box<dyn Fn() -> String + Send>;

/// What is said before the process ends at once: what it leaves behind.
#[derive(Clone, Default)]
pub struct LastWords(Arc<Mutex<Option<Words>>>);

impl fmt::Debug for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastWords").finish_non_exhaustive()
    }
}

impl LastWords {
    /// From now on they are what `words` says.
    pub fn are(&self, words: impl Fn() -> String + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(words));
    }

    fn say(&self) {
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = words.as_ref().map_or_else(|| "Ended at once.".to_owned(), |words| words());
        // Nobody may be there to hear it.
        let _unheard = writeln!(io::stderr(), "{text}");
    }
}

/// Raised by the first of SIGINT, SIGTERM and SIGHUP: end in order. The second one ends the process at once, whatever it
/// is doing, after `words`; the third does not even wait for these.
///
/// # Errors
/// What the system says.
pub fn asked_to_end(words: LastWords) -> io::Result<Stop> {
    // A limit of a file's size is a write that fails, and no reason to die with orders alive.
    flag::register(SIGXFSZ, Stop::new().flag())?;
    let (stop, at_once) = (Stop::new(), Stop::new());
    for signal in END {
        flag::register_conditional_shutdown(signal, 1, at_once.flag())?;
    }
    let mut signals = Signals::new(END)?;
    let asked = stop.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            if !asked.is_stopped() {
                asked.stop();
                continue;
            }
            at_once.stop();
            let (done, said) = mpsc::channel();
            let words = words.clone();
            let speaker = thread::Builder::new().spawn(move || {
                words.say();
                let _late = done.send(());
            });
            if speaker.is_ok() {
                let _late = said.recv_timeout(LAST_WORDS);
            }
            low_level::exit(1);
        }
    })?;
    Ok(stop)
}

/// Has `last` done before a signal ends the process, for commands that end at once. The first call counts.
///
/// # Errors
/// What the system says.
pub fn before_an_end(last: fn()) -> io::Result<()> {
    static ONCE: Mutex<bool> = Mutex::new(false);
    let mut is_set = ONCE.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_set {
        return Ok(());
    }
    let mut signals = Signals::new(END)?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            last();
            // Whoever started it sees by which.
            let _never = low_level::emulate_default_handler(signal);
        }
    })?;
    *is_set = true;
    Ok(())
}

/// A kill switch that SIGUSR1 throws from now on, before there is a lane as well as after.
///
/// # Errors
/// What the system says.
pub fn kill_switch() -> io::Result<KillSwitch> {
    let kill = KillSwitch::new();
    flag::register(SIGUSR1, kill.flag())?;
    Ok(kill)
}
