//! The portfolio of a live lane: its account on the thread that reads the tape, its searches on one of their own.

use super::account::{Account, Question};
use super::adviser::Adviser;
use super::report::{Report, Tally};
use anyhow::Result;
use firelane_gateway::base::Mono;
use firelane_gateway::flow::command::Commander;
use firelane_gateway::flow::record::RecordHeader;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::live::{Handle, Inbox, Observer};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use zerocopy::FromBytes;

/// How long words wait for room in the inbox, all of an answer's together.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks for room.
const LOOK: Duration = Duration::from_millis(1);

/// What both threads know.
#[derive(Debug)]
struct Known {
    account: Account,
    tally: Tally,
}

/// The portfolio of a live lane.
#[derive(Debug)]
pub(crate) struct Rebalanced {
    known: Arc<Mutex<Known>>,
    /// Who searches, once the lane is there.
    adviser: Option<Adviser>,
    deadline: Duration,
    questions: SyncSender<Question>,
    asked: Option<Receiver<Question>>,
}

/// Hears the tape.
pub(crate) struct Ear {
    known: Arc<Mutex<Known>>,
    questions: SyncSender<Question>,
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rebalanced {
    /// Of a configuration; `None`: it has no portfolio.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>> {
        let Some(settings) = super::of(config)? else { return Ok(None) };
        // One waits at most: what is older than that is not worth an answer.
        let (questions, asked) = sync_channel(1);
        let known = Known { account: Account::new(&settings), tally: Tally::default() };
        Ok(Some(Rebalanced {
            known: Arc::new(Mutex::new(known)),
            adviser: Some(Adviser::new(&settings)),
            deadline: Duration::from_millis(settings.params.deadline_ms),
            questions,
            asked: Some(asked),
        }))
    }

    /// What hears the tape for it.
    pub(crate) fn ear(&self) -> Ear {
        Ear { known: Arc::clone(&self.known), questions: self.questions.clone() }
    }

    /// Targets are told to this lane from now on.
    ///
    /// # Errors
    /// No thread can be had.
    pub(crate) fn commands(&mut self, lane: &Handle) -> std::io::Result<()> {
        // It is said once.
        let (Some(adviser), Some(asked)) = (self.adviser.take(), self.asked.take()) else { return Ok(()) };
        let Some(inbox) = lane.inbox(Commander::PORTFOLIO).cloned() else { return Ok(()) };
        let (known, deadline) = (Arc::clone(&self.known), self.deadline);
        let search = move || search(adviser, &asked, &inbox, deadline, &known);
        // It ends with the last who asks.
        thread::Builder::new().name("portfolio".to_owned()).spawn(search).map(|_| ())
    }

    /// What it comes to.
    pub(crate) fn report(&self) -> Report {
        let known = lock(&self.known);
        known.tally.report(&known.account)
    }
}

/// Answers one question after the other, until nobody asks any more.
fn search(mut adviser: Adviser, asked: &Receiver<Question>, inbox: &Inbox, deadline: Duration, known: &Mutex<Known>) {
    while let Ok(question) = asked.recv() {
        let began = Instant::now();
        let answer = adviser.answer(&question, began.checked_add(deadline));
        let took = began.elapsed();
        let mut unsent = 0;
        for word in answer.iter().flat_map(|target| adviser.commands(target)) {
            let command = word.bytes().read();
            while inbox.send(command.to, command.expires, command.word).is_err() {
                if began.elapsed() > deadline + PATIENCE {
                    unsent += 1;
                    break;
                }
                thread::sleep(LOOK);
            }
        }
        let mut known = lock(known);
        known.tally.took(took);
        known.tally.unsent += unsent;
        known.tally.answered(&answer);
    }
}

impl Observer for Ear {
    fn name(&self) -> &'static str {
        "portfolio"
    }

    fn on_record(&mut self, record: &[u8]) {
        let Ok((header, _)) = RecordHeader::ref_from_prefix(record) else { return };
        let now = Mono(header.time.get());
        let mut known = lock(&self.known);
        let Known { account, tally } = &mut *known;
        account.on_record(record, tally);
        // None is sent where the last one is still being answered, or where nobody answers any more.
        if let Some(question) = account.question(now, tally) {
            tally.busy += u64::from(self.questions.try_send(question).is_err());
        }
    }

    fn on_lost(&mut self, _: u64, _: u64) {
        lock(&self.known).account.on_lost();
    }
}
