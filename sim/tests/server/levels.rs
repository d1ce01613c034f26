//! A venue of levels on its sockets: a stream for whoever connects, order entry, and nothing else.

use firelane_gateway::flow::wire::normal::{self, Body, Frame};
use firelane_gateway::shell::agent::Agent;
use firelane_sim::server::{Setup, StartError, VenueConfig, build};
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Instant;

fn config(text: &str) -> VenueConfig {
    let mut config =
        VenueConfig::parse(&format!("kind = \"levels\"\n[market]\nsymbols = 3\nrate = 5000\n{text}")).unwrap();
    let free: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let at = &mut config.setup.addresses;
    (at.levels, at.orders) = (Some(free), vec![free]);
    config
}

#[test]
fn it_serves_a_stream_and_has_no_other_door_to_its_market() {
    let mut config = config("");
    // All that a venue of Nasdaq's kind would need is somebody else's.
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    udp.set_nonblocking(true).unwrap();
    let at = &mut config.setup.addresses;
    let line = udp.local_addr().unwrap();
    (at.lines, at.rerequest, at.snapshot) = ([vec![line], vec![line]], line, tcp.local_addr().unwrap());
    let setup: Setup = config.setup.clone();
    // And no password of a snapshot server.
    let secret = |name: &str| (name == "FIRELANE_ENTRY_PASSWORD").then(|| "x".to_owned());
    let mut server = build(&config, None, &secret).unwrap();
    let addresses = server.handle().addresses().clone();
    assert_eq!((addresses.lines.concat().len(), addresses.orders.len()), (0, 1));
    assert_ne!(addresses.levels, setup.addresses.levels, "a port that is free");

    let mut client = TcpStream::connect(addresses.levels.unwrap()).unwrap();
    client.set_nonblocking(true).unwrap();
    let (mut bytes, mut buffer, mut told, mut next) = (Vec::new(), [0; 4_096], String::new(), 1);
    let began = Instant::now();
    while told.matches('L').count() < 200 {
        assert!(began.elapsed().as_secs() < 60, "only {told}");
        server.do_work().unwrap();
        match client.read(&mut buffer) {
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        while let Ok(Some(length)) = normal::length_of(&bytes)
            && length <= bytes.len()
        {
            let Frame { header, body } = normal::decode(&bytes[..length]).unwrap();
            assert_eq!(header.sequence.get(), next);
            next += 1;
            told.push(match body {
                Body::SnapshotBegin => 'B',
                Body::SnapshotEnd => 'E',
                Body::Instrument(_) => 'I',
                Body::Level(..) => 'L',
                _ => '.',
            });
            bytes.drain(..length);
        }
    }
    let (snapshot, after) = told.split_once('E').unwrap();
    assert!(snapshot.starts_with('B') && snapshot.matches('I').count() == 3 && after.contains('L'), "{told}");
    assert_eq!(udp.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock, "nothing is sent on lines");
    server.on_close();
}

#[test]
fn without_the_password_of_order_entry_it_does_not_start() {
    let refused = build(&config(""), None, &|_| None).unwrap_err();
    assert!(matches!(&refused, StartError::Password { key, .. } if key.contains("port[0]")), "{refused}");
    // A port that is somebody's is named.
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut config = config("");
    config.setup.addresses.levels = Some(taken.local_addr().unwrap());
    let refused = build(&config, None, &|_| Some("x".to_owned())).unwrap_err().to_string();
    assert!(refused.starts_with("levels on 127.0.0.1:"), "{refused}");
}
