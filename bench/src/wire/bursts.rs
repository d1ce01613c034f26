//! Bursts of datagrams: one receive call for each, beside one call for many (`recvmmsg`).
//!
//! A burst waits in the socket when the clock starts, as after a pause of the reader. Beside how long all of it takes a
//! datagram, it counts how long the first is waited for: the call for many returns when it has copied the last.

use super::{Burst, Way};
use anyhow::{Context, Result};
use firelane_gateway::shell::clock::Clock;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg};
use std::hint::black_box;
use std::io::{ErrorKind, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Sizes of bursts.
const SIZES: [usize; 5] = [1, 2, 4, 16, 64];
/// The most that one call for many takes.
const MANY: usize = 32;
/// Bytes of a datagram: one order in a MoldUDP64 packet.
const LENGTH: usize = 58;
/// Bursts of each size.
const BURSTS: usize = 1_001;

/// What a burst took.
struct Took {
    first: u64,
    all: u64,
}

fn one_by_one(socket: &UdpSocket, clock: &Clock, buffer: &mut [u8]) -> Result<(usize, Took)> {
    let begun = clock.now();
    let (mut count, mut first) = (0, 0);
    loop {
        match socket.recv(buffer) {
            Ok(length) => {
                black_box(&buffer[..length]);
                count += 1;
                if count == 1 {
                    first = clock.now().since(begun).0;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok((count, Took { first, all: clock.now().since(begun).0 }))
}

fn many_at_once(socket: &UdpSocket, clock: &Clock, buffers: &mut [Vec<u8>]) -> Result<(usize, Took)> {
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(buffers.len(), None);
    let (mut begun, mut count, mut first) = (None, 0, 0);
    loop {
        let mut parts: Vec<_> = buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let most = parts.len();
        // The first call's list is made beforehand; the crate wants a new one for each.
        let begun = *begun.get_or_insert_with(|| clock.now());
        let received = match recvmmsg(socket.as_raw_fd(), &mut headers, parts.iter_mut(), MsgFlags::empty(), None) {
            Ok(received) => received.fold(0, |count, one| count + usize::from(black_box(one.bytes) > 0)),
            Err(Errno::EAGAIN) => 0,
            Err(error) => return Err(error.into()),
        };
        if count == 0 {
            first = clock.now().since(begun).0;
        }
        count += received;
        // Fewer than there was room for: the socket was empty.
        if received < most {
            return Ok((count, Took { first, all: clock.now().since(begun).0 }));
        }
    }
}

fn way(size: usize, mut took: Vec<Took>) -> Way {
    took.sort_unstable_by_key(|one| one.first);
    let first = took[took.len() / 2].first as f64;
    took.sort_unstable_by_key(|one| one.all);
    Way { first, each: took[took.len() / 2].all as f64 / size as f64 }
}

/// Measures, on this thread alone, both ways by turns.
pub(super) fn measure(clock: &Clock) -> Result<Vec<Burst>> {
    let near = super::datagrams()?;
    near.set_nonblocking(true)?;
    let far = super::towards(near.local_addr()?)?;
    let mut buffers = vec![vec![0; 2_048]; MANY];
    SIZES
        .into_iter()
        .map(|size| {
            let (mut one, mut many) = (Vec::new(), Vec::new());
            for n in 0..2 * BURSTS {
                (0..size).try_for_each(|_| far.send(&[n as u8; LENGTH]).map(drop))?;
                let (count, took) = match n % 2 {
                    0 => one_by_one(&near, clock, &mut buffers[0])?,
                    _ => many_at_once(&near, clock, &mut buffers)?,
                };
                (count == size).then_some(()).with_context(|| format!("{count} of {size} datagrams"))?;
                if n % 2 == 0 { one.push(took) } else { many.push(took) }
            }
            Ok(Burst { size, one_by_one: way(size, one), many_at_once: way(size, many) })
        })
        .collect()
}
