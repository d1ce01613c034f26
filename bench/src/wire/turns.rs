//! The thread that is measured: on one core it is the lane, then the echo, then the lane again, as it is told.
//!
//! So both run on the same thread and core with nothing else spinning there, and neither has to be stopped: whose turn it
//! is not is not called.

use anyhow::{Context, Result, anyhow};
use firelane_gateway::shell::agent::Agent;
use firelane_gateway::shell::clock::Clock;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

/// What the thread is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Turn {
    /// Nothing.
    Rest = 0,
    /// The lane's duty cycle.
    Lane = 1,
    /// The echo.
    Echo = 2,
    /// How long duty cycles and receive calls take that find nothing.
    Empty = 3,
    /// It ends.
    End = 4,
}

/// Whose turn it is. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Baton(Arc<AtomicU8>);

impl Baton {
    /// From now on it is this one's.
    pub(super) fn give(&self, turn: Turn) {
        self.0.store(turn as u8, Ordering::Release);
    }

    #[inline]
    fn turn(&self) -> Turn {
        match self.0.load(Ordering::Acquire) {
            1 => Turn::Lane,
            2 => Turn::Echo,
            3 => Turn::Empty,
            4 => Turn::End,
            _ => Turn::Rest,
        }
    }

    /// Has it come back from a turn that ends by itself?
    #[must_use]
    pub(super) fn is_back(&self) -> bool {
        self.turn() == Turn::Rest
    }
}

/// What the echo does with one datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turnaround {
    /// The receive call returned.
    pub(super) received: u64,
    /// The send call returned.
    pub(super) sent: u64,
}

/// A raw echo: spins on one datagram socket, and answers each datagram with so many bytes on a connection.
#[derive(Debug)]
pub(super) struct Echo {
    feed: UdpSocket,
    stream: TcpStream,
    length: Arc<AtomicUsize>,
    clock: Clock,
    datagram: Vec<u8>,
    message: Vec<u8>,
    /// One a datagram, in their order.
    pub(super) turnarounds: Vec<Turnaround>,
}

impl Echo {
    /// Over these sockets, which do not block. `length` says how long a message is.
    #[must_use]
    pub(super) fn new(feed: UdpSocket, stream: TcpStream, length: Arc<AtomicUsize>, clock: Clock, most: usize) -> Self {
        let (datagram, message) = (vec![0; 64 * 1024], vec![b'E'; 1024]);
        Echo { feed, stream, length, clock, datagram, message, turnarounds: Vec::with_capacity(most) }
    }

    #[inline]
    fn step(&mut self) -> Result<()> {
        match self.feed.recv(&mut self.datagram) {
            Ok(_) => {
                let received = self.clock.now().0;
                let length = self.length.load(Ordering::Relaxed).clamp(1, self.message.len());
                self.stream.write_all(&self.message[..length])?;
                self.turnarounds.push(Turnaround { received, sent: self.clock.now().0 });
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::hint::spin_loop();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads what the far end has answered, which nobody looks at.
    fn drain(&mut self) -> Result<()> {
        loop {
            match self.stream.read(&mut self.datagram) {
                // The far end is done, and the end of the turns about to come.
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What finding nothing costs, in nanoseconds: the middle of many stretches.
#[derive(Clone, Copy, PartialEq, Debug, Default, serde::Serialize)]
pub struct Empty {
    /// A duty cycle of the lane.
    pub cycle: f64,
    /// A receive call on a datagram socket.
    pub datagram: f64,
    /// A receive call on a connection.
    pub connection: f64,
}

/// Calls in one stretch, stretches that are measured, and those before, in which the lane calms down after its start.
const STRETCH: u64 = 1_000;
const STRETCHES: usize = 100;
const BEFORE: usize = 100;

fn empty(agent: &mut impl Agent, echo: &mut Echo) -> Result<Empty> {
    echo.drain()?;
    let clock = echo.clock.clone();
    let median = |step: &mut dyn FnMut() -> Result<()>| -> Result<f64> {
        let mut stretches = Vec::new();
        for n in 0..BEFORE + STRETCHES {
            let begun = clock.now();
            for _ in 0..STRETCH {
                step()?;
            }
            if n >= BEFORE {
                stretches.push(clock.now().since(begun).0);
            }
        }
        stretches.sort_unstable();
        Ok(stretches[stretches.len() / 2] as f64 / STRETCH as f64)
    };
    let cycle = median(&mut || {
        agent.do_work().map_err(|error| anyhow!("the lane: {error}"))?;
        std::hint::spin_loop();
        Ok(())
    })?;
    let datagram = median(&mut || echo.step())?;
    let connection = median(&mut || echo.drain())?;
    Ok(Empty { cycle, datagram, connection })
}

/// Runs until the end of its turns.
pub(super) fn run<A: Agent>(agent: &mut A, mut echo: Echo, baton: &Baton, core: usize) -> Result<(Echo, Empty)> {
    pin(core)?;
    let mut found = Empty::default();
    loop {
        match baton.turn() {
            // The same steps as a thread of `Runner` with idle strategy spin.
            Turn::Lane => {
                if agent.do_work().map_err(|error| anyhow!("the lane: {error}"))? == 0 {
                    std::hint::spin_loop();
                }
            }
            Turn::Echo => echo.step()?,
            Turn::Empty => {
                found = empty(agent, &mut echo)?;
                baton.give(Turn::Rest);
            }
            Turn::Rest => {
                echo.drain()?;
                std::thread::sleep(Duration::from_micros(100));
            }
            Turn::End => return Ok((echo, found)),
        }
    }
}

/// Puts this thread on a core.
pub(super) fn pin(id: usize) -> Result<()> {
    core_affinity::set_for_current(core_affinity::CoreId { id })
        .then_some(())
        .with_context(|| format!("core {id} cannot be had: --cores names two of this process's"))
}
