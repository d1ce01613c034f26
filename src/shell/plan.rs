//! Which thread spins, yields or parks, and on which core: decided once at start, from what the configuration wishes
//! and what the machine has. There are never more spinning threads than cores.
//!
//! The rules, in this order:
//!
//! 1. `yield` and `park` are as wished. `spin` is as wished while there is a core for it; the threads come in the order
//!    in which they are given, so that the most important one stands first.
//! 2. A thread that is told a core is pinned to it, if the process may use that core and no other spinning thread is
//!    pinned to it.
//! 3. `auto` spins while one core at least remains for everything else: the log, the tape, the system. The first thread
//!    that comes too late for that yields, the others park: two threads that yield would mostly pass the last core to
//!    each other.
//! 4. A spinning thread whose core is `auto` is pinned where the process has four cores or more, to the highest that is
//!    free (systems like to serve interrupts on the lowest). With fewer, and whenever it does not spin, the
//!    system places it. Two processes with `auto` choose the same cores: tell them theirs, or `any`.
//!
//! A wish that cannot be had is an error under [`Missing::Refuse`]; under [`Missing::Replace`] it is replaced and the
//! plan says so.

use super::agent::{Idle, core_ids};
use std::borrow::Cow;
use std::fmt;

/// What a configuration wishes of a thread's idling.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum IdleWish {
    /// As good as the machine allows.
    #[default]
    Auto,
    /// This.
    Exactly(Idle),
}

impl IdleWish {
    /// Every wish as a configuration writes it.
    pub const WORDS: [(&'static str, IdleWish); 4] = [
        ("auto", IdleWish::Auto),
        ("spin", IdleWish::Exactly(Idle::Spin)),
        ("yield", IdleWish::Exactly(Idle::Yield)),
        ("park", IdleWish::Exactly(Idle::Park)),
    ];
}

/// What a configuration wishes of a thread's place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum CoreWish {
    /// A core of its own, if it spins and there are enough.
    #[default]
    Auto,
    /// Wherever the system puts it.
    Any,
    /// This one, as the system numbers them.
    Exactly(usize),
}

/// One hot thread and what is wished of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// The thread's name: the agent's, behind that of its lane where there are several.
    pub name: Cow<'static, str>,
    /// How it idles.
    pub idle: IdleWish,
    /// Where it runs.
    pub core: CoreWish,
}

impl Wish {
    /// The best that the machine allows.
    #[must_use]
    pub const fn auto(name: &'static str) -> Self {
        Wish { name: Cow::Borrowed(name), idle: IdleWish::Auto, core: CoreWish::Auto }
    }
}

/// What becomes of a wish that cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Missing {
    /// An error.
    Refuse,
    /// The next best, and a line that says so.
    #[default]
    Replace,
}

/// The cores that this process may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cores {
    ids: Vec<usize>,
    count: usize,
}

impl Cores {
    /// What the system grants to this process now: affinity and quota.
    #[must_use]
    pub fn here() -> Self {
        let ids = core_ids();
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        // A quota may allow the time of fewer cores than there are to run on.
        let count = if ids.is_empty() { count } else { count.min(ids.len()) };
        Cores { ids, count }
    }

    /// `count` cores, numbered from 0.
    #[must_use]
    pub fn of(count: usize) -> Self {
        Cores { ids: (0..count).collect(), count: count.max(1) }
    }

    /// How many threads can run at once.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }
}

/// A wish that cannot be had, and that the configuration does not allow to be replaced.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{thread} wishes for {wish}: {reason}")]
pub struct PlanError {
    /// Whose.
    pub thread: Cow<'static, str>,
    /// What.
    pub wish: String,
    /// Why not.
    pub reason: String,
}

/// What was decided for one thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seat {
    /// The thread's name, as its wish has it.
    pub name: Cow<'static, str>,
    /// How it idles.
    pub idle: Idle,
    /// The core that it is pinned to.
    pub core: Option<usize>,
    /// Why, for people.
    pub why: &'static str,
}

/// What was decided for all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    seats: Vec<Seat>,
    notes: Vec<String>,
    cores: usize,
}

const CORES_FOR_PINNING: usize = 4;

impl Plan {
    /// Decides. `wishes` in the order of their importance.
    ///
    /// # Errors
    /// Under [`Missing::Refuse`], the first wish that cannot be had.
    pub fn new(wishes: &[Wish], cores: &Cores, missing: Missing) -> Result<Self, PlanError> {
        let mut plan = Plan { seats: Vec::new(), notes: Vec::new(), cores: cores.count };
        let mut note = |thread: &Cow<'static, str>, wish: String, reason: String, instead: &str| match missing {
            Missing::Refuse => Err(PlanError { thread: thread.clone(), wish, reason }),
            Missing::Replace => {
                plan.notes.push(format!("{thread} wishes for {wish}: {reason}; {instead}"));
                Ok(())
            }
        };
        let mut spinning = 0;
        // Wishes to spin come before what `auto` makes of what is left.
        let mut idles = Vec::new();
        for wish in wishes {
            idles.push(match wish.idle {
                IdleWish::Auto => None,
                IdleWish::Exactly(Idle::Spin) if spinning == cores.count => {
                    let reason = format!("{} already, on {}", spin_count(spinning), core_count(cores.count));
                    note(&wish.name, "spin".to_owned(), reason, "it yields")?;
                    Some((Idle::Yield, "no core left to spin on"))
                }
                IdleWish::Exactly(idle) => {
                    spinning += usize::from(idle == Idle::Spin);
                    Some((idle, "as configured"))
                }
            });
        }
        let (mut yielding, mut taken) = (false, Vec::new());
        for (wish, decided) in wishes.iter().zip(idles) {
            let (idle, why) = decided.unwrap_or_else(|| {
                if spinning + 1 < cores.count {
                    spinning += 1;
                    (Idle::Spin, "a core to itself")
                } else if yielding {
                    (Idle::Park, "cores are short: others go first")
                } else {
                    yielding = true;
                    (Idle::Yield, "cores are short: one is left to the rest")
                }
            });
            let mut core = None;
            if let CoreWish::Exactly(id) = wish.core {
                let asked = format!("core {id}");
                if !cores.ids.contains(&id) {
                    note(&wish.name, asked, "this process has no such core".to_owned(), "the system places it")?;
                } else if idle == Idle::Spin && taken.contains(&id) {
                    note(&wish.name, asked, "another thread spins there".to_owned(), "the system places it")?;
                } else {
                    core = Some(id);
                    if idle == Idle::Spin {
                        taken.push(id);
                    }
                }
            }
            plan.seats.push(Seat { name: wish.name.clone(), idle, core, why });
        }
        if cores.count >= CORES_FOR_PINNING {
            for (seat, wish) in plan.seats.iter_mut().zip(wishes) {
                if seat.idle == Idle::Spin && wish.core == CoreWish::Auto {
                    seat.core = cores.ids.iter().rev().find(|id| !taken.contains(id)).copied();
                    taken.extend(seat.core);
                }
            }
        }
        if spinning > 0 && spinning == cores.count {
            plan.notes.push(format!(
                "{} on {}: nothing is left for log and tape",
                spin_count(spinning),
                core_count(spinning)
            ));
        }
        Ok(plan)
    }

    /// What was decided, in the order of the wishes.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// What was decided for the thread of this name.
    #[must_use]
    pub fn seat(&self, name: &str) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.name == name)
    }

    /// What people should know: wishes that were replaced, cores that are all taken.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

fn core_count(n: usize) -> String {
    format!("{n} {}", if n == 1 { "core" } else { "cores" })
}

fn spin_count(n: usize) -> String {
    format!("{n} {}", if n == 1 { "thread spins" } else { "threads spin" })
}

/// A table, with a line for each note.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.seats.iter().map(|s| s.name.len()).max().unwrap_or(0).max("thread".len());
        write!(f, "{:width$}  idle   core  why ({})", "thread", core_count(self.cores))?;
        for seat in &self.seats {
            let core = seat.core.map_or_else(|| "any".to_owned(), |id| id.to_string());
            write!(f, "\n{:width$}  {:5}  {core:4}  {}", seat.name, seat.idle, seat.why)?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n{note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Idle::{Park, Spin, Yield};
    use proptest::prelude::*;

    const FUSED: [Wish; 1] = [Wish::auto("lane")];
    const FUSED_AND_VENUE: [Wish; 2] = [Wish::auto("lane"), Wish::auto("venue")];
    const SPLIT: [Wish; 2] = [Wish::auto("feed"), Wish::auto("core")];
    const SPLIT_AND_VENUE: [Wish; 3] = [Wish::auto("feed"), Wish::auto("core"), Wish::auto("venue")];

    fn decide(wishes: &[Wish], cores: usize) -> Vec<(Idle, Option<usize>)> {
        let plan = Plan::new(wishes, &Cores::of(cores), Missing::Refuse).unwrap();
        assert!(plan.notes().is_empty(), "{plan}");
        plan.seats().iter().map(|seat| (seat.idle, seat.core)).collect()
    }

    #[test]
    fn auto_takes_what_the_machine_has() {
        assert_eq!(decide(&FUSED, 1), [(Yield, None)]);
        assert_eq!(decide(&FUSED, 2), [(Spin, None)]);
        assert_eq!(decide(&FUSED, 4), [(Spin, Some(3))]);
        assert_eq!(decide(&FUSED, 16), [(Spin, Some(15))]);

        assert_eq!(decide(&FUSED_AND_VENUE, 1), [(Yield, None), (Park, None)]);
        assert_eq!(decide(&FUSED_AND_VENUE, 2), [(Spin, None), (Yield, None)]);
        assert_eq!(decide(&FUSED_AND_VENUE, 4), [(Spin, Some(3)), (Spin, Some(2))]);
        assert_eq!(decide(&FUSED_AND_VENUE, 16), [(Spin, Some(15)), (Spin, Some(14))]);

        assert_eq!(decide(&SPLIT, 1), [(Yield, None), (Park, None)]);
        assert_eq!(decide(&SPLIT, 2), [(Spin, None), (Yield, None)]);
        assert_eq!(decide(&SPLIT, 3), [(Spin, None), (Spin, None)]);
        assert_eq!(decide(&SPLIT, 4), [(Spin, Some(3)), (Spin, Some(2))]);

        assert_eq!(decide(&SPLIT_AND_VENUE, 1), [(Yield, None), (Park, None), (Park, None)]);
        assert_eq!(decide(&SPLIT_AND_VENUE, 2), [(Spin, None), (Yield, None), (Park, None)]);
        assert_eq!(decide(&SPLIT_AND_VENUE, 4), [(Spin, Some(3)), (Spin, Some(2)), (Spin, Some(1))]);
        assert_eq!(decide(&SPLIT_AND_VENUE, 16), [(Spin, Some(15)), (Spin, Some(14)), (Spin, Some(13))]);
    }

    const fn exactly(name: &'static str, idle: Idle, core: CoreWish) -> Wish {
        Wish { name: Cow::Borrowed(name), idle: IdleWish::Exactly(idle), core }
    }

    #[test]
    fn a_wish_to_spin_goes_before_auto_and_stops_at_the_cores() {
        // The venue's wish takes the core that `auto` would have had.
        let wishes = [Wish::auto("lane"), exactly("venue", Spin, CoreWish::Any)];
        assert_eq!(decide(&wishes, 2), [(Yield, None), (Spin, None)]);

        let all = ["a", "b", "c"].map(|name| exactly(name, Spin, CoreWish::Any));
        let plan = Plan::new(&all, &Cores::of(2), Missing::Replace).unwrap();
        assert_eq!(plan.seats().iter().map(|s| s.idle).collect::<Vec<_>>(), [Spin, Spin, Yield]);
        let text = plan.to_string();
        assert!(text.contains("c wishes for spin: 2 threads spin already, on 2 cores; it yields"), "{text}");
        assert!(text.contains("nothing is left for log and tape"), "{text}");
        let error = Plan::new(&all, &Cores::of(2), Missing::Refuse).unwrap_err();
        assert_eq!(error.to_string(), "c wishes for spin: 2 threads spin already, on 2 cores");
    }

    #[test]
    fn a_core_is_had_once_and_only_if_it_is_there() {
        let wishes =
            [exactly("a", Spin, CoreWish::Exactly(3)), exactly("b", Spin, CoreWish::Exactly(3)), Wish::auto("c")];
        let plan = Plan::new(&wishes, &Cores::of(4), Missing::Replace).unwrap();
        assert_eq!(plan.seats().iter().map(|s| s.core).collect::<Vec<_>>(), [Some(3), None, Some(2)]);
        assert!(plan.to_string().contains("b wishes for core 3: another thread spins there; the system places it"));
        let far = [exactly("a", Park, CoreWish::Exactly(9))];
        let error = Plan::new(&far, &Cores::of(4), Missing::Refuse).unwrap_err();
        assert_eq!(error.to_string(), "a wishes for core 9: this process has no such core");
        // A parked thread may share a core.
        let shared = [exactly("a", Spin, CoreWish::Exactly(1)), exactly("b", Park, CoreWish::Exactly(1))];
        assert_eq!(decide(&shared, 2), [(Spin, Some(1)), (Park, Some(1))]);
    }

    #[test]
    fn it_prints_a_table() {
        let plan = Plan::new(&FUSED_AND_VENUE, &Cores::of(2), Missing::Replace).unwrap();
        let expected = "thread  idle   core  why (2 cores)\n\
                        lane    spin   any   a core to itself\n\
                        venue   yield  any   cores are short: one is left to the rest";
        assert_eq!(plan.to_string(), expected);
    }

    #[test]
    fn this_machine_has_a_core() {
        let cores = Cores::here();
        assert!(cores.count() >= 1);
        Plan::new(&SPLIT_AND_VENUE, &cores, Missing::Refuse).unwrap();
    }

    proptest! {
        /// Whatever is wished, on whatever machine: no more spinning threads than cores, no two on one core, and no core
        /// that is not there.
        #[test]
        fn never_more_spinning_threads_than_cores(
            count in 1usize..20,
            wishes in prop::collection::vec((0usize..4, prop::option::of(prop::option::of(0usize..24))), 0..24),
        ) {
            let wishes: Vec<Wish> = wishes
                .into_iter()
                .map(|(idle, core)| Wish {
                    name: "any".into(),
                    idle: IdleWish::WORDS[idle].1,
                    core: core.map_or(CoreWish::Auto, |c| c.map_or(CoreWish::Any, CoreWish::Exactly)),
                })
                .collect();
            let plan = Plan::new(&wishes, &Cores::of(count), Missing::Replace).unwrap();
            prop_assert_eq!(plan.seats().len(), wishes.len());
            let spinning: Vec<&Seat> = plan.seats().iter().filter(|s| s.idle == Spin).collect();
            prop_assert!(spinning.len() <= count);
            let mut pinned: Vec<usize> = spinning.iter().filter_map(|s| s.core).collect();
            pinned.sort_unstable();
            prop_assert!(pinned.windows(2).all(|w| w[0] != w[1]));
            prop_assert!(plan.seats().iter().filter_map(|s| s.core).all(|c| c < count));
            // A wish is granted, or a note says that it is not.
            let refused = plan.seats().iter().zip(&wishes).filter(|(s, w)| {
                matches!(w.idle, IdleWish::Exactly(idle) if idle != s.idle) || matches!(w.core, CoreWish::Exactly(c) if s.core != Some(c))
            });
            prop_assert!(refused.count() <= plan.notes().len());
        }
    }
}
