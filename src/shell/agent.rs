//! Agents: pieces of work with a duty cycle, called again and again by a thread, or by a test.
//!
//! What a thread does when there is nothing to do is its [`Idle`] strategy; [`Runner`] is the thread. Which agent gets
//! which core and strategy is decided by a [`Plan`](super::plan::Plan).

use super::sync::Stop;
use std::error::Error;
use std::fmt;
use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

/// Why an agent cannot go on.
pub type AgentError = Box<dyn Error + Send + Sync>;

/// A piece of work that a thread calls again and again: its duty cycle. Which thread, and whether it has it for itself,
/// is configuration; tests call it themselves.
pub trait Agent: Send {
    /// Its name in thread lists and reports.
    fn name(&self) -> &'static str;

    /// One duty cycle: whatever can be done without waiting. Answers how much was done; 0 lets the thread idle.
    ///
    /// # Errors
    /// It cannot go on.
    fn do_work(&mut self) -> Result<usize, AgentError>;

    /// Called once, after the last duty cycle.
    fn on_close(&mut self) {}
}

impl<A: Agent + ?Sized> Agent for Box<A> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        (**self).do_work()
    }

    fn on_close(&mut self) {
        (**self).on_close();
    }
}

/// Two agents in one duty cycle, in this order; a pair of pairs makes more. The first error ends the cycle; both are
/// closed, in this order.
impl<A: Agent, B: Agent> Agent for (A, B) {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        Ok(self.0.do_work()? + self.1.do_work()?)
    }

    fn on_close(&mut self) {
        self.0.on_close();
        self.1.on_close();
    }
}

/// Any number of agents in one duty cycle, in their order. The first error ends the cycle; all are closed.
impl<A: Agent> Agent for Vec<A> {
    fn name(&self) -> &'static str {
        self.first().map_or("nothing", Agent::name)
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let mut done = 0;
        for agent in self {
            done += agent.do_work()?;
        }
        Ok(done)
    }

    fn on_close(&mut self) {
        self.iter_mut().for_each(Agent::on_close);
    }
}

/// What a thread does when its agents have nothing to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Idle {
    /// Asks again at once. The quickest, and takes a whole core always.
    Spin,
    /// Lets other threads have the core first. Takes what others leave.
    Yield,
    /// A few spins, a few yields, then sleeps that double from 4 us to 1 ms as long as there is nothing to do. No thread
    /// spins when it is idle: after 30 empty cycles it sleeps between any two, a thousand times a second at most.
    Park,
    /// Sleeps a millisecond whenever there is nothing to do: for agents that write down what has happened, and whose rings
    /// hold more than that. They wake a thousand times a second, work or not, and so disturb whoever shares their core the
    /// least.
    Nap,
}

impl Idle {
    /// As a configuration says it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Idle::Spin => "spin",
            Idle::Yield => "yield",
            Idle::Park => "park",
            Idle::Nap => "nap",
        }
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// An [`Idle`] strategy with its memory of how long there has been nothing to do. Allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Idler {
    idle: Idle,
    empty: u32,
}

impl Idler {
    /// Empty duty cycles that park answers with a spin.
    const SPINS: u32 = 20;
    /// And then with a yield.
    const YIELDS: u32 = 10;
    /// Its first sleep.
    const FIRST: Duration = Duration::from_micros(4);
    /// Its longest.
    const LONGEST: Duration = Duration::from_millis(1);

    /// A thread that has just been busy.
    #[must_use]
    pub const fn new(idle: Idle) -> Self {
        Idler { idle, empty: 0 }
    }

    /// After each duty cycle, with what it answered.
    #[inline]
    pub fn after(&mut self, work: usize) {
        if work > 0 {
            self.empty = 0;
            return;
        }
        match self.idle {
            Idle::Spin => std::hint::spin_loop(),
            Idle::Yield => std::thread::yield_now(),
            Idle::Park => self.park(),
            Idle::Nap => std::thread::park_timeout(Self::LONGEST),
        }
    }

    fn park(&mut self) {
        self.empty = self.empty.saturating_add(1);
        match self.sleep() {
            Some(sleep) => std::thread::park_timeout(sleep),
            None if self.empty <= Self::SPINS => std::hint::spin_loop(),
            None => std::thread::yield_now(),
        }
    }

    /// How long it sleeps after this many empty duty cycles, if it does.
    fn sleep(&self) -> Option<Duration> {
        let doublings = self.empty.checked_sub(Self::SPINS + Self::YIELDS + 1)?;
        Some((Self::FIRST * 2u32.pow(doublings.min(16))).min(Self::LONGEST))
    }
}

/// A thread that runs an agent's duty cycle until it is stopped or the agent errs, and then closes it. An agent that errs
/// ends its own thread alone: whoever holds the runners sees [`Runner::is_finished`] and decides what becomes of the others.
///
/// An agent that panics takes the process down in a release build (`panic = "abort"`); in others the panic is printed
/// and [`Runner::join`] goes on with it.
pub struct Runner<A: Agent> {
    name: String,
    stop: Stop,
    /// There until it is joined.
    thread: Option<JoinHandle<Ended<A>>>,
}

/// Nobody is left who could stop it: its flag is raised.
impl<A: Agent> Drop for Runner<A> {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop.stop();
        }
    }
}

/// What a thread leaves behind.
pub struct Ended<A> {
    /// The agent, closed.
    pub agent: A,
    /// Why it could not go on, unless it was stopped.
    pub error: Option<AgentError>,
    /// Duty cycles.
    pub cycles: u64,
    /// Is there a core that it was to be pinned to, and the system refused?
    pub unpinned: bool,
}

impl<A> fmt::Debug for Ended<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("error", &self.error)
            .field("cycles", &self.cycles)
            .field("unpinned", &self.unpinned)
            .finish_non_exhaustive()
    }
}

impl<A: Agent> fmt::Debug for Runner<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("name", &self.name).field("finished", &self.is_finished()).finish()
    }
}

impl<A: Agent + 'static> Runner<A> {
    /// Starts a thread called after the agent, on `core` if told so.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(agent: A, idle: Idle, core: Option<usize>, stop: Stop) -> io::Result<Self> {
        let name = agent.name();
        Self::named(name, agent, idle, core, stop)
    }

    /// The same with a name of its own: for several agents in one duty cycle.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn named(name: &str, mut agent: A, idle: Idle, core: Option<usize>, stop: Stop) -> io::Result<Self> {
        let flag = stop.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let unpinned = core.is_some_and(|id| !pin(id));
            let (cycles, error) = run(&mut agent, idle, &flag);
            agent.on_close();
            Ended { agent, error, cycles, unpinned }
        })?;
        Ok(Runner { name: name.to_owned(), stop, thread: Some(thread) })
    }
}

impl<A: Agent> Runner<A> {
    /// The thread's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Has it ended, stopped or not?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Raises the stop flag that it was started with, for everyone who shares it.
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Waits for the end of the thread, which somebody must have asked for, and gives the agent back.
    ///
    /// # Panics
    /// With the agent's panic, if it panicked.
    pub fn join(mut self) -> Ended<A> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("only this takes the thread, and it takes the runner too"),
        }
    }
}

fn run(agent: &mut impl Agent, idle: Idle, stop: &Stop) -> (u64, Option<AgentError>) {
    let mut idler = Idler::new(idle);
    let mut cycles = 0;
    while !stop.is_stopped() {
        cycles += 1;
        match agent.do_work() {
            Ok(work) => idler.after(work),
            Err(error) => return (cycles, Some(error)),
        }
    }
    (cycles, None)
}

/// The system's numbers of the cores that this thread may run on; empty where it does not say.
pub(super) fn core_ids() -> Vec<usize> {
    core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect()
}

/// Pins the calling thread. False: the system refuses, or does not offer this core.
fn pin(id: usize) -> bool {
    core_ids().contains(&id) && core_affinity::set_for_current(core_affinity::CoreId { id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    /// Counts its cycles, tells of some of them, errs or panics at one if told so.
    #[derive(Debug)]
    struct Counting {
        name: &'static str,
        cycles: u64,
        closed: u32,
        work: usize,
        errs_at: u64,
        panics_at: u64,
        tell: Option<(u64, mpsc::Sender<Option<String>>)>,
    }

    impl Counting {
        fn new(name: &'static str) -> Self {
            Counting { name, cycles: 0, closed: 0, work: 0, errs_at: 0, panics_at: 0, tell: None }
        }
    }

    impl Agent for Counting {
        fn name(&self) -> &'static str {
            self.name
        }

        fn do_work(&mut self) -> Result<usize, AgentError> {
            self.cycles += 1;
            assert!(self.cycles != self.panics_at, "told to");
            if self.cycles == self.errs_at {
                return Err("told to".into());
            }
            if let Some((at, tell)) = &self.tell
                && *at == self.cycles
            {
                tell.send(std::thread::current().name().map(str::to_owned))?;
            }
            Ok(self.work)
        }

        fn on_close(&mut self) {
            self.closed += 1;
        }
    }

    #[test]
    fn it_runs_until_stopped_closes_once_and_gives_the_agent_back() {
        for idle in [Idle::Spin, Idle::Yield, Idle::Park, Idle::Nap] {
            let (tell, told) = mpsc::channel();
            let agent = Counting { tell: Some((100, tell)), ..Counting::new("counting") };
            let runner = Runner::start(agent, idle, None, Stop::new()).unwrap();
            // A hundred empty cycles pass under every strategy, on a thread of this name.
            assert_eq!(told.recv().unwrap().as_deref(), Some("counting"));
            assert!(!runner.is_finished());
            runner.stop();
            let ended = runner.join();
            assert!(ended.error.is_none() && ended.agent.closed == 1, "{ended:?}");
            assert!(ended.agent.cycles >= 100 && ended.agent.cycles == ended.cycles);
        }
    }

    #[test]
    fn a_runner_that_is_dropped_stops_its_thread() {
        let (tell, told) = mpsc::channel::<Option<String>>();
        let agent = Counting { tell: Some((u64::MAX, tell)), ..Counting::new("dropped") };
        drop(Runner::start(agent, Idle::Park, None, Stop::new()).unwrap());
        // The agent, and its end of the channel, go with the thread.
        assert!(told.recv_timeout(Duration::from_secs(60)).is_err_and(|e| e == mpsc::RecvTimeoutError::Disconnected));
    }

    #[test]
    fn an_error_ends_the_thread_and_is_handed_on() {
        let runner = Runner::start(Counting { errs_at: 3, ..Counting::new("errs") }, Idle::Park, None, Stop::new());
        let ended = runner.unwrap().join();
        assert_eq!(ended.error.unwrap().to_string(), "told to");
        assert_eq!((ended.cycles, ended.agent.closed), (3, 1));
    }

    #[test]
    fn a_panic_is_not_lost() {
        let agent = Counting { panics_at: 2, ..Counting::new("panics") };
        let runner = Runner::start(agent, Idle::Yield, None, Stop::new()).unwrap();
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runner.join())).is_err());
    }

    #[test]
    fn several_agents_share_a_duty_cycle() {
        let (tell, told) = mpsc::channel();
        let first = Counting { tell: Some((10, tell)), ..Counting::new("first") };
        let second = Counting { work: 1, ..Counting::new("second") };
        let rest: Vec<Box<dyn Agent>> = vec![Box::new(Counting::new("third")), Box::new(Counting::new("fourth"))];
        let runner = Runner::named("all", (first, (second, rest)), Idle::Park, None, Stop::new()).unwrap();
        assert_eq!(told.recv().unwrap().as_deref(), Some("all"));
        runner.stop();
        let (first, (second, rest)) = runner.join().agent;
        assert_eq!((first.cycles, first.closed, second.closed, rest.len()), (second.cycles, 1, 1, 2));

        // An error ends the cycle where it happens, and everybody is closed all the same.
        let agents = vec![Counting::new("a"), Counting { errs_at: 1, ..Counting::new("b") }, Counting::new("c")];
        let ended = Runner::start(agents, Idle::Spin, None, Stop::new()).unwrap().join();
        assert!(ended.error.is_some());
        assert_eq!(ended.agent.iter().map(|a| (a.cycles, a.closed)).collect::<Vec<_>>(), [(1, 1), (1, 1), (0, 1)]);
    }

    #[test]
    fn sleeps_grow_to_a_millisecond_and_work_ends_them() {
        let mut idler = Idler::new(Idle::Park);
        let mut sleeps = Vec::new();
        for _ in 0..45 {
            idler.after(0);
            sleeps.extend(idler.sleep());
        }
        assert_eq!(sleeps.len(), 45 - (Idler::SPINS + Idler::YIELDS) as usize);
        assert_eq!(sleeps[0], Duration::from_micros(4));
        assert_eq!(sleeps[1], Duration::from_micros(8));
        assert!(sleeps.is_sorted() && sleeps.last() == Some(&Duration::from_millis(1)));
        idler.after(1);
        assert_eq!(idler.sleep(), None);
    }

    #[test]
    fn a_thread_that_parks_or_naps_does_not_spin() {
        for idle in [Idle::Park, Idle::Nap] {
            let runner = Runner::start(Counting::new("resting"), idle, None, Stop::new()).unwrap();
            let since = Instant::now();
            std::thread::sleep(Duration::from_millis(200));
            runner.stop();
            let ended = runner.join();
            // It sleeps for at least a millisecond a cycle once it is idle; a machine under load only makes them fewer. A
            // thread that spins does millions.
            let most = since.elapsed().as_millis() as u64 + 100;
            assert!(ended.cycles <= most, "{idle}: {} cycles, expected at most {most}", ended.cycles);
        }
    }

    #[test]
    fn it_runs_where_it_is_told_or_says_that_it_cannot() {
        let ids = core_ids();
        if let Some(&last) = ids.last() {
            let runner = Runner::start(Counting::new("pinned"), Idle::Park, Some(last), Stop::new()).unwrap();
            runner.stop();
            assert!(!runner.join().unpinned);
        } else {
            println!("skipped: this system does not say which cores it has");
        }
        let runner = Runner::start(Counting::new("nowhere"), Idle::Park, Some(1 << 20), Stop::new()).unwrap();
        runner.stop();
        assert!(runner.join().unpinned);
    }
}
