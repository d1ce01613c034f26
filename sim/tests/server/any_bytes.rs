//! Whatever clients write: nothing panics, nobody is locked out, and whoever is right is let in.

use super::rig::{Rig, SNAPSHOT, enter, far_end, login};
use firelane_gateway::base::{Mono, Nanos};
use firelane_sim::far_end::{Door, FarEnd, Login, Output};
use firelane_sim::net::Faults;
use firelane_sim::rng::Rng;
use firelane_sim::venue::acceptor::ConnId;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// A packet: length, letter, payload.
fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[letter], payload].concat()
}

fn login_packet(login: Login, number: u64) -> Vec<u8> {
    packet(b'L', &[&login.username[..], &login.password, b"          ", format!("{number:>20}").as_bytes()].concat())
}

/// What a client may want to say, some of it well-formed.
fn piece(rng: &mut Rng, login: Login, urn: &mut u32) -> Vec<u8> {
    let mut random = |most: usize| -> Vec<u8> { (0..rng.index(most)).map(|_| rng.u64() as u8).collect() };
    let noise = random(80);
    *urn += 1;
    let price = 1 + rng.below(3_000_000);
    match rng.below(14) {
        0..=2 => login_packet(login, rng.below(4)),
        3 => login_packet(Login { password: *b"WRONG     ", ..login }, 1),
        4 => packet(b'L', &noise),
        5 => packet(b'R', b""),
        6 => packet(b'O', b""),
        7 => packet(rng.u64() as u8, &noise),
        8 => noise,
        9 => packet(b'U', &noise),
        10 => packet(b'U', &[b"X".as_slice(), &(*urn / 2).to_be_bytes(), &noise[..noise.len().min(4)]].concat()),
        11 => {
            packet(b'U', &[&enter(*urn, b'B', 10, b"NONE    ", price)[..45], &[0, noise.len() as u8], &noise].concat())
        }
        12 => packet(b'U', &[b"C".as_slice(), &urn.to_be_bytes(), b"FIRE        \0\0"].concat()),
        _ => packet(b'U', &enter(*urn, if rng.coin() { b'B' } else { b'S' }, 10, b"NONE    ", price)),
    }
}

/// Pieces, some bytes of which are others than they were, or missing.
fn stream(rng: &mut Rng, login: Login, urn: &mut u32) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=rng.index(6)).flat_map(|_| piece(rng, login, urn)).collect();
    for _ in 0..rng.index(3) {
        if bytes.len() > 1 {
            let at = rng.index(bytes.len());
            if rng.coin() {
                bytes[at] = rng.u64() as u8;
            } else {
                bytes.truncate(at);
            }
        }
    }
    bytes
}

/// Where the venue closes a connection, it is forgotten; how often it did.
fn forget_closed(far_end: &mut FarEnd, open: &mut Vec<ConnId>) -> usize {
    let outputs = far_end.take_outputs();
    let closed = outputs.iter().filter_map(|output| match output {
        Output::Close(conn, _) => Some(*conn),
        _ => None,
    });
    let closed: Vec<ConnId> = closed.collect();
    open.retain(|conn| !closed.contains(conn));
    closed.len()
}

#[test]
fn any_bytes_at_the_far_end() {
    let (mut closed, mut let_in, mut remarks) = (0, 0, 0);
    for seed in 0..4 {
        let mut rng = Rng::new(seed, "any bytes");
        let mut far_end = far_end(1, 50, seed, Faults::None);
        let (mut now, mut open, mut urn) = (Mono(0), Vec::new(), 0);
        for _ in 0..400 {
            now = now.after(rng.exponential(Nanos::from_millis(200)));
            far_end.on_timer(now);
            let (door, right) = if rng.below(5) > 0 { (Door::Orders(0), login(0)) } else { (Door::Snapshot, SNAPSHOT) };
            open.push(far_end.on_connect(now, door));
            let bytes = stream(&mut rng, right, &mut urn);
            let conn = open[rng.index(open.len())];
            for chunk in bytes.chunks(1 + rng.index(70)) {
                far_end.on_bytes(now, conn, chunk);
            }
            far_end.settle(now);
            closed += forget_closed(&mut far_end, &mut open);
            if rng.below(4) == 0 && !open.is_empty() {
                let gone = open.swap_remove(rng.index(open.len()));
                far_end.on_close(now, gone);
            }
            let_in += usize::from(open.iter().any(|conn| far_end.is_logged_in(*conn)));
            far_end.check().unwrap();
            assert_eq!(far_end.doors().len(), open.len(), "one that nobody knows of");
        }
        remarks += far_end.take_remarks().len();
        // Whoever is right is let in, whatever went before.
        for (door, login) in [(Door::Orders(0), login(0)), (Door::Snapshot, SNAPSHOT)] {
            let conn = far_end.on_connect(now, door);
            far_end.on_bytes(now, conn, &login_packet(login, 1));
            assert!(far_end.is_logged_in(conn), "seed {seed}: {door:?}");
        }
    }
    assert!(closed > 100 && let_in > 100 && remarks > 10, "{closed} closed, {let_in} let in, {remarks} remarks");
}

#[test]
fn any_bytes_at_the_sockets() {
    let mut rig = Rig::new(1, far_end(1, 50, 21, Faults::None), |setup| setup.limits.connections = 8);
    let addresses = [(rig.handle.addresses().orders[0], login(0)), (rig.handle.addresses().snapshot, SNAPSHOT)];
    let (mut rng, mut urn, mut clients) = (Rng::new(21, "sockets"), 0, Vec::<TcpStream>::new());
    for round in 0..200 {
        let (address, right) = addresses[usize::from(rng.below(4) == 0)];
        let mut client = TcpStream::connect(address).unwrap();
        client.set_nonblocking(true).unwrap();
        // Some of them read, some leave, most just stay.
        let _gone = client.write(&stream(&mut rng, right, &mut urn));
        clients.push(client);
        if rng.coin() {
            let at = rng.index(clients.len());
            let _gone = clients[at].write(&stream(&mut rng, right, &mut urn));
            let mut buffer = [0; 1_000];
            match clients[at].read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => drop(clients.swap_remove(at)),
            }
        }
        for _ in 0..3 {
            rig.cycle();
        }
        if round % 40 == 39 {
            let trader = rig.trader(0, 1);
            rig.until("a right login", |rig| rig.traders[trader].logged_in.is_some() || rig.traders[trader].closed);
            assert!(!rig.traders[trader].closed, "round {round}: it is locked out");
        }
    }
    let status = rig.status();
    assert_eq!(status.full, 0, "an order port or a snapshot server with places taken for ever");
    assert!(status.gone.values().sum::<u64>() > 100 && status.gone.len() > 3, "{:?}", status.gone);
    rig.finish().check().unwrap();
}
