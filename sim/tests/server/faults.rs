//! Faults at the socket: what a profile promises happens to real datagrams and connections, and is counted.

use super::rig::{ByHand, Rig, SNAPSHOT, Trader, far_end};
use firelane_gateway::flow::wire::moldudp64::Request;
use firelane_sim::net::Faults;
use firelane_sim::server::{Command, Ended, Phase, VenueEvent};
use std::net::{Ipv4Addr, UdpSocket};

#[test]
fn heavy_faults_lose_datagrams_cut_connections_and_heal() {
    let clock = ByHand::default();
    let market = far_end(1, 1_000, 11, Faults::Heavy);
    let mut rig = Rig::with_clock(1, market, |setup| setup.faults = Faults::Heavy, Some(clock));
    let asking = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asking.set_nonblocking(true).unwrap();
    let address = rig.handle.addresses().orders[0];
    let (mut replies, mut logins, mut cycles, mut heard) = (0, 0, 0u64, (0, 0));
    rig.until("all kinds of faults", |rig| {
        cycles += 1;
        // Whoever is cut comes back, and asks for everything; and a snapshot is always on its way. So does whoever hears
        // nothing for two seconds: the other end may be gone without a word.
        let got: usize = rig.traders.iter().map(|trader| trader.got.len()).sum();
        if got != heard.0 {
            heard = (got, cycles);
        }
        if rig.traders.iter().all(|trader| trader.closed) || cycles > heard.1 + 20_000 {
            heard = (0, cycles);
            logins += rig.traders.iter().filter(|trader| trader.logged_in.is_some()).count();
            rig.traders = vec![
                Trader::new(address, super::rig::login(0), 1),
                Trader::new(rig.handle.addresses().snapshot, SNAPSHOT, 1),
            ];
        }
        if cycles.is_multiple_of(20) {
            let request = Request::new(rig.lines[0].session, 1, 3);
            asking.send_to(request.encode(), rig.handle.addresses().rerequest).unwrap();
        }
        let mut buffer = [0; 2_000];
        while asking.recv_from(&mut buffer).is_ok() {
            replies += 1;
        }
        let status = rig.handle.status();
        let [a, b, back, there] = status.datagrams;
        let lines = [a, b].iter().all(|l| l.lost > 0 && l.duplicated > 0 && l.overtaken > 0 && l.corrupt_dropped > 0);
        let ways = back.lost > 0 && there.lost > 0 && replies > 0;
        let streams = status.streams[0].cuts > 1 && status.streams[1].cuts > 0 && status.streams[0].refused > 0;
        lines && ways && streams && logins > 0 && status.far_end.session_changes > 0 && status.far_end.hang_ups > 0
    });
    assert!(rig.seen.iter().any(|e| matches!(e, VenueEvent::Disconnected { why: Ended::ByFault, .. })));
    // What arrives is a prefix of what the port was told, whatever was cut.
    let told = rig.traders[0].got.clone();
    rig.tell(Command::Stop);
    rig.tell(Command::Heal);
    let before = rig.status();
    assert!(before.healed && before.phase == Phase::Stopped);
    rig.traders =
        vec![Trader::new(address, super::rig::login(0), 1), Trader::new(rig.handle.addresses().snapshot, SNAPSHOT, 1)];
    rig.until("a healthy session and snapshot", |rig| {
        rig.traders[0].logged_in.is_some() && rig.traders[1].got.last().is_some_and(|message| message[0] == b'G')
    });
    assert!(rig.traders[0].got.starts_with(&told[..told.len().min(rig.traders[0].got.len())]));
    rig.tell(Command::EndSession);
    rig.until("the end on both lines", |rig| rig.lines.iter().all(|line| line.ended));
    let after = rig.status();
    assert_eq!(after.datagrams[0].lost, before.datagrams[0].lost, "a healthy line loses nothing");
    rig.finish().check().unwrap();
}
