//! What stands between venue and gateway.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// An order as the venue last accepted one (OUCH 5.0).
#[derive(Clone, Copy)]
pub(super) struct Accepted {
    pub(super) user_ref_num: [u8; 4],
    pub(super) price: [u8; 8],
}

/// One order session.
struct Session {
    client: TcpStream,
    server: TcpStream,
    /// Held while whole packets are written to the client.
    answers: Arc<Mutex<TcpStream>>,
}

pub(super) struct Relay {
    lines: Vec<UdpSocket>,
    to: [(Ipv4Addr, u16); 2],
    silent: Arc<AtomicBool>,
    /// The market-data session that the lines last named.
    named: Arc<Mutex<[u8; 10]>>,
    sessions: Arc<Mutex<Vec<Session>>>,
    accepted: Arc<Mutex<Option<Accepted>>>,
}

impl Relay {
    /// `None`: somebody else has taken one of the ports meanwhile.
    pub(super) fn start(lines: [u16; 2], to: [u16; 2], orders: u16, venue: u16) -> Option<Self> {
        let bind = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, orders)).ok()?;
        let relay = Relay {
            lines: lines.into_iter().map(bind).collect::<Option<_>>()?,
            to: to.map(|port| (Ipv4Addr::LOCALHOST, port)),
            silent: Arc::default(),
            named: Arc::default(),
            sessions: Arc::default(),
            accepted: Arc::default(),
        };
        for (line, to) in relay.lines.iter().zip(relay.to) {
            let line = line.try_clone().unwrap();
            let (silent, named) = (Arc::clone(&relay.silent), Arc::clone(&relay.named));
            thread::spawn(move || {
                let mut bytes = [0; 65_536];
                // A gateway that is not there makes the socket say so once: nothing is lost by it.
                loop {
                    let Ok(length) = line.recv(&mut bytes) else { continue };
                    if let Some(name) = bytes[..length].first_chunk() {
                        *named.lock().unwrap() = *name;
                    }
                    if !silent.load(Ordering::Relaxed) {
                        let _lost = line.send_to(&bytes[..length], to);
                    }
                }
            });
        }
        let (sessions, accepted) = (Arc::clone(&relay.sessions), Arc::clone(&relay.accepted));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A venue that is not there is one that hangs up.
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, venue)) else { continue };
                let answers = Arc::new(Mutex::new(client.try_clone().unwrap()));
                requests(client.try_clone().unwrap(), server.try_clone().unwrap());
                hand_over(server.try_clone().unwrap(), Arc::clone(&answers), Arc::clone(&accepted));
                sessions.lock().unwrap().push(Session { client, server, answers });
            }
        });
        Some(relay)
    }

    pub(super) fn silence(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    pub(super) fn named(&self) -> [u8; 10] {
        *self.named.lock().unwrap()
    }

    /// The same on both lines.
    pub(super) fn inject(&self, bytes: &[u8]) {
        for (line, to) in self.lines.iter().zip(self.to) {
            line.send_to(bytes, to).unwrap();
        }
    }

    pub(super) fn accepted(&self) -> Option<Accepted> {
        *self.accepted.lock().unwrap()
    }

    /// Puts a packet into the latest order session, on its way to the gateway and between two of the venue's.
    pub(super) fn answer(&self, letter: u8, payload: &[u8]) {
        let length = u16::try_from(payload.len() + 1).unwrap().to_be_bytes();
        if let Some(session) = self.sessions.lock().unwrap().last() {
            let _gone = session.answers.lock().unwrap().write_all(&[&length[..], &[letter], payload].concat());
        }
    }

    pub(super) fn cut(&self) {
        for Session { client, server, .. } in self.sessions.lock().unwrap().drain(..) {
            let _gone = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        }
    }
}

/// Whatever comes from the client goes to the server, and its end too.
fn requests(mut client: TcpStream, mut server: TcpStream) {
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(length @ 1..) = client.read(&mut bytes) {
            if server.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _gone = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    });
}

/// The other way, packet by packet (SoupBinTCP 3.00).
fn hand_over(mut server: TcpStream, client: Arc<Mutex<TcpStream>>, accepted: Arc<Mutex<Option<Accepted>>>) {
    thread::spawn(move || {
        let (mut bytes, mut waiting) = ([0; 65_536], Vec::new());
        while let Ok(length @ 1..) = server.read(&mut bytes) {
            waiting.extend_from_slice(&bytes[..length]);
            let mut whole = 0;
            while let Some(packet) = packet(&waiting[whole..]) {
                whole += packet.len();
                if let Some(order) = order(&packet[2..]) {
                    *accepted.lock().unwrap() = Some(order);
                }
            }
            if client.lock().unwrap().write_all(&waiting[..whole]).is_err() {
                break;
            }
            waiting.drain(..whole);
        }
        let _gone = (client.lock().unwrap().shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    });
}

/// The first packet, with its length, if all of it is there.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let length = u16::from_be_bytes(*bytes.first_chunk()?);
    bytes.get(..2 + usize::from(length))
}

/// Of Order Accepted and Order Replaced: what stands.
fn order(packet: &[u8]) -> Option<Accepted> {
    let [b'S', message @ ..] = packet else { return None };
    let (number, price) = match message {
        [b'A', ..] => (9, 26),
        [b'U', ..] => (13, 30),
        _ => return None,
    };
    Some(Accepted {
        user_ref_num: *message.get(number..)?.first_chunk()?,
        price: *message.get(price..)?.first_chunk()?,
    })
}
