//! A venue on a thread of its own.

use super::{Command, ServerError, VenueEvent, VenueHandle, VenueServer, VenueStatus};
use crate::far_end::FarEnd;
use firelane_gateway::shell::agent::{AgentError, Idle, Runner};
use firelane_gateway::shell::sync::Stop;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

/// A venue that runs.
pub struct Running {
    handle: VenueHandle,
    events: Receiver<VenueEvent>,
    runner: Runner<VenueServer>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Running {
    /// Gives a server a thread, on `core` if told so.
    ///
    /// # Errors
    /// [`ServerError::Thread`].
    pub fn spawn(mut server: VenueServer, idle: Idle, core: Option<usize>) -> Result<Self, ServerError> {
        let (handle, events) = (server.handle(), server.events());
        let runner = Runner::start(server, idle, core, Stop::new()).map_err(ServerError::Thread)?;
        Ok(Running { handle, events, runner })
    }

    /// What can be known and said from any thread.
    #[must_use]
    pub fn handle(&self) -> &VenueHandle {
        &self.handle
    }

    /// Connections, logins and their ends, as they come.
    #[must_use]
    pub fn events(&self) -> &Receiver<VenueEvent> {
        &self.events
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> VenueStatus {
        self.handle.status()
    }

    /// Tells it something; waits while it has too much to do. False if it has ended.
    pub fn tell(&self, command: Command) -> bool {
        while !self.is_finished() {
            if self.handle.tell(command) {
                return true;
            }
            thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// Has its thread ended? Unless it was stopped, something is wrong.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.runner.is_finished()
    }

    /// Closes everything and gives the far end back.
    ///
    /// # Errors
    /// Why it ended of itself.
    pub fn shutdown(self) -> Result<FarEnd, AgentError> {
        self.runner.stop();
        let ended = self.runner.join();
        ended.error.map_or(Ok(()), Err)?;
        self.handle.take_far_end().ok_or_else(|| "the far end has been taken already".into())
    }
}
