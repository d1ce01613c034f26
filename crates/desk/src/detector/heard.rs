//! A reader of a lane's tape that counts what the detector says, and answers for one that is beside the lane: with commands.

use super::{Report, Tally, Told};
use anyhow::Result;
use firelane_gateway::base::Mono;
use firelane_gateway::flow::command::{Command, Detected, To};
use firelane_gateway::flow::{CommandBuf, Word};
use firelane_gateway::shell::config::Config;

/// What a run does about its detector, if it has one.
#[derive(Debug)]
pub(crate) struct Heard {
    tally: Option<Tally>,
    /// What is to be said to the lane.
    commands: Vec<CommandBuf>,
}

impl Heard {
    /// Of the lane of a configuration.
    pub(crate) fn of(config: &Config) -> Result<Self> {
        Ok(Heard { tally: Tally::of(config)?, commands: Vec::new() })
    }

    /// A record of the tape. `tell` is told of alerts, with what they are called.
    pub(crate) fn on_record(&mut self, now: Mono, record: &[u8], mut tell: impl FnMut(&Told, &str)) {
        let Heard { tally: Some(tally), commands } = self else { return };
        let mut told = Vec::new();
        tally.on_record(record, |one| told.push(*one));
        for one in &told {
            let (name, hold) = tally.meaning(one.raised.code);
            tell(one, name);
            if hold > 0 && tally.commands() {
                // How long it holds, on the lane's clock.
                let (detector, value) = (one.raised.code as u16, hold.cast_signed());
                let command = Command::of(Word::Alert(Detected { detector, value, at: now }));
                commands.push(CommandBuf::of(&command.to(To::instrument(one.instrument))));
            }
        }
    }

    /// Records of the tape are missing.
    pub(crate) fn on_lost(&mut self, records: u64) {
        if let Some(tally) = &mut self.tally {
            tally.on_lost(records);
        }
    }

    /// What is to be said to the lane since it was asked last.
    pub(crate) fn commands(&mut self) -> std::vec::Drain<'_, CommandBuf> {
        self.commands.drain(..)
    }

    /// What it comes to; `None`: there is no detector.
    pub(crate) fn report(&self) -> Option<Report> {
        self.tally.as_ref().map(Tally::report)
    }
}
