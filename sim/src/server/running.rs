//! A venue on a thread of its own.

use super::{Command, ServerError, VenueEvent, VenueHandle, VenueServer, VenueStatus};
use crate::far_end::FarEnd;
use firelane_gateway::shell::agent::{Agent, AgentError};
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread that has nothing to do sleeps at most so long: sockets do not wake it.
const NAP: Duration = Duration::from_micros(100);
/// After so many empty duty cycles it sleeps.
const IDLE_CYCLES: u32 = 50;

/// A venue that runs.
#[derive(Debug)]
pub struct Running {
    handle: VenueHandle,
    events: Receiver<VenueEvent>,
    thread: JoinHandle<Result<(), AgentError>>,
}

impl Running {
    /// Gives a server a thread.
    ///
    /// # Errors
    /// [`ServerError::Thread`].
    pub fn spawn(mut server: VenueServer) -> Result<Self, ServerError> {
        let (handle, events) = (server.handle(), server.events());
        let thread = thread::Builder::new().name(server.name().to_owned());
        let thread = thread.spawn(move || {
            let outcome = run(&mut server);
            server.on_close();
            outcome
        });
        Ok(Running { handle, events, thread: thread.map_err(ServerError::Thread)? })
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

    /// Tells it something; waits while it has too much to do. False if it is over.
    pub fn tell(&self, command: Command) -> bool {
        while !self.is_finished() {
            if self.handle.tell(command) {
                return true;
            }
            thread::sleep(NAP);
        }
        false
    }

    /// Has its thread ended?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Closes everything and gives the far end back.
    ///
    /// # Errors
    /// Why it ended of itself.
    pub fn shutdown(self) -> Result<FarEnd, AgentError> {
        self.tell(Command::Shutdown);
        match self.thread.join() {
            Ok(outcome) => outcome?,
            Err(_) => return Err("the venue's thread panicked".into()),
        }
        self.handle.take_far_end().ok_or_else(|| "the far end has been taken already".into())
    }
}

fn run(server: &mut VenueServer) -> Result<(), AgentError> {
    let mut idle = 0;
    while !server.is_over() {
        if server.do_work()? > 0 {
            idle = 0;
            continue;
        }
        idle += 1;
        if idle < IDLE_CYCLES {
            thread::yield_now();
        } else {
            thread::sleep(NAP.min(Duration::from_nanos(server.idle_for().0)));
        }
    }
    Ok(())
}
