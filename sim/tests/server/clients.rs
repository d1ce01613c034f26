//! Clients that behave, and some that do not.

use super::rig::{ByHand, Line, Rig, SNAPSHOT, Trader, enter, far_end, login};
use firelane_gateway::base::{Nanos, VenueRef};
use firelane_gateway::flow::wire::itch50::{self, Message};
use firelane_gateway::flow::wire::moldudp64::{Packet, Request};
use firelane_gateway::flow::wire::soupbintcp::Refused;
use firelane_sim::far_end::Door;
use firelane_sim::net::Faults;
use firelane_sim::server::{Command, Ended, Phase, Setup, Speed, VenueEvent};
use firelane_sim::venue::farewell::Why;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream, UdpSocket};

/// A symbol of the market.
fn symbol(rig: &Rig) -> [u8; 8] {
    let directory = rig.lines[0].messages.values().find(|message| message[0] == b'R').unwrap();
    directory[11..19].try_into().unwrap()
}

#[test]
fn both_lines_carry_the_same_messages() {
    let mut rig = Rig::new(1, far_end(1, 2_000, 1, Faults::None), |_| ());
    rig.until("a thousand messages on both lines", |rig| rig.lines.iter().all(|line| line.messages.len() > 1_000));
    rig.tell(Command::Stop);
    rig.tell(Command::EndSession);
    rig.until("the end on both lines", |rig| rig.lines.iter().all(|line| line.ended));
    let [a, b] = &rig.lines;
    assert_eq!(a.messages, b.messages);
    assert!(a.messages.keys().copied().eq(1..a.next), "nothing is missing");
    let status = rig.status();
    assert_eq!((status.next_sequence, status.far_end.published), (rig.lines[0].next, rig.lines[0].next - 1));
    assert_eq!((status.phase, status.healed), (Phase::Ended, true));
    assert!(status.datagrams[0].sent == rig.lines[0].datagrams && status.datagrams[0].lost == 0);
    rig.finish().check().unwrap();
}

/// The name in the login says whose port it is.
#[test]
fn two_users_share_an_address_and_each_has_its_own_port() {
    for faults in [Faults::None, Faults::Light] {
        let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut rig = Rig::new(2, far_end(2, 500, 6, faults), |setup| {
            setup.addresses.orders = vec![free; 2];
            setup.faults = faults;
            setup.limits.connections = 3;
        });
        assert_eq!(rig.handle.addresses().orders, [free; 2]);
        // One of them comes byte by byte, as the network likes.
        let mut silent = TcpStream::connect(free).unwrap();
        let (two, one) = (rig.trader(1, 1), rig.trader(0, 1));
        rig.until("both logins", |rig| rig.traders.iter().all(|t| t.logged_in.is_some()));
        silent.write_all(&[0, 47, b'L', b'F']).unwrap();
        let status = rig.status();
        let seen: Vec<_> = status.ports.iter().map(|p| (p.connections, p.logged_in)).collect();
        assert_eq!(seen, [(1, true); 2], "whoever has said nothing yet is no port's");
        rig.until("the directory", |rig| rig.lines[0].messages.len() > 30);
        let symbol = symbol(&rig);
        rig.traders[two].enter(1, b'B', 100, &symbol, 10_000);
        rig.until("an answer", |rig| rig.traders[two].count(b'A') == 1);
        assert_eq!((rig.traders[one].got.len() < rig.traders[two].got.len(), rig.status().ports[1].orders), (true, 1));
        // Nobody's name is the first port's to refuse.
        rig.traders.push(Trader::new(free, login(7), 1));
        let last = rig.traders.len() - 1;
        rig.until("a refusal", |rig| rig.traders[last].rejected && rig.traders[last].closed);
        // Too many that say nothing: the oldest goes.
        let more: Vec<_> = (0..3).map(|_| TcpStream::connect(free).unwrap()).collect();
        silent.set_nonblocking(true).unwrap();
        rig.until("its end", |_| {
            !matches!(std::io::Read::read(&mut silent, &mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
        });
        drop(more);
        rig.finish().check().unwrap();
    }
}

#[test]
fn two_gateways_trade_at_once_each_on_its_own_port() {
    let mut rig = Rig::new(2, far_end(2, 500, 2, Faults::None), |_| ());
    let (one, two) = (rig.trader(0, 1), rig.trader(1, 1));
    rig.until("both logins", |rig| rig.traders.iter().all(|t| t.logged_in == Some(1)));
    rig.until("the directory", |rig| rig.lines[0].messages.len() > 30);
    let symbol = symbol(&rig);
    // The first buys at a price at which somebody will sell: the second does.
    rig.traders[one].enter(1, b'B', 100, &symbol, 20_000_000);
    rig.until("an answer to the first", |rig| rig.traders[one].count(b'A') == 1);
    rig.traders[two].enter(1, b'S', 300, &symbol, 100);
    rig.until("answers to the second", |rig| rig.traders[two].count(b'A') == 1 && rig.traders[two].count(b'E') > 0);
    let status = rig.status();
    assert_eq!(
        status.ports.iter().map(|p| (p.connections, p.logged_in, p.orders)).collect::<Vec<_>>(),
        [(1, true, 1); 2]
    );
    let of = |port: usize| status.ports[port].positions.values().sum::<i64>();
    assert!(of(0) >= 0 && of(1) < 0, "{status:?}");
    assert_eq!(rig.traders[one].count(b'J') + rig.traders[two].count(b'J'), 0);
    // A wrong password, and the right one at the wrong port, are refused and closed.
    let orders = rig.handle.addresses().orders.clone();
    rig.traders.push(Trader::new(orders[0], login(1), 1));
    rig.until("a rejected login", |rig| rig.traders[2].rejected && rig.traders[2].closed);
    // Whoever logs in a second time takes the session over, and gets what it lacks.
    let messages = rig.traders[two].got.clone();
    let again = rig.trader(1, 1);
    rig.until("the takeover", |rig| rig.traders[two].closed && rig.traders[again].got.len() >= messages.len());
    assert!(rig.traders[again].got.starts_with(&messages));
    let told = |event: fn(&VenueEvent) -> bool| rig.seen.iter().filter(|e| event(e)).count();
    assert_eq!(told(|e| matches!(e, VenueEvent::Connected { .. })), 4);
    assert_eq!(told(|e| matches!(e, VenueEvent::LoggedIn { door: Door::Orders(1), .. })), 2);
    // In the order of their coming: it is the first user's name on the other port that was right, and nothing else.
    let gone = rig.seen.iter().filter_map(|e| match e {
        VenueEvent::Disconnected { user, why, .. } => Some((user.unwrap().0, *why)),
        _ => None,
    });
    let wrong = Ended::ByVenue(Why::Refused(Refused::Username));
    assert_eq!(
        gone.collect::<Vec<_>>(),
        [(login(1).username, wrong), (login(1).username, Ended::ByVenue(Why::Displaced))]
    );
    rig.finish().check().unwrap();
}

#[test]
fn a_client_that_does_not_read_is_cut_and_harms_nobody() {
    let mut rig = Rig::new(2, far_end(2, 200, 3, Faults::None), |setup| {
        setup.limits.write_buffer = 100_000;
        setup.limits.send_buffer = Some(8_192);
    });
    let good = rig.trader(1, 1);
    // Asks for rejects and never reads them.
    let Trader { mut socket, .. } = {
        let mut greedy = Trader::new(rig.handle.addresses().orders[0], login(0), 1);
        greedy.poll();
        greedy
    };
    socket2::SockRef::from(&socket).set_recv_buffer_size(4_096).unwrap();
    let (mut urn, mut rest) = (0, Vec::new());
    rig.until("the cut", |rig| {
        if rest.is_empty() {
            for _ in 0..100 {
                urn += 1;
                let order = enter(urn, b'B', 0, b"NONE    ", 100);
                rest.extend(u16::try_from(order.len() + 1).unwrap().to_be_bytes());
                rest.push(b'U');
                rest.extend(order);
            }
        }
        if let Ok(length) = socket.write(&rest) {
            rest.drain(..length);
        }
        rig.handle.status().stalled == 1
    });
    assert!(rig.seen.iter().any(|e| matches!(e, VenueEvent::Disconnected { why: Ended::Stalled, .. })));
    let before = rig.lines[0].next;
    rig.until("the market goes on", |rig| rig.lines[0].next > before + 100 && rig.traders[good].logged_in.is_some());
    assert!(!rig.traders[good].closed);
    assert!(rig.status().ports[0].messages > 1_000);
}

#[test]
fn a_client_that_is_to_be_closed_and_does_not_read_gives_its_place_up() {
    for needed in [true, false] {
        gives_its_place_up(needed);
    }
}

fn gives_its_place_up(needed: bool) {
    let clock = ByHand::default();
    let market = far_end(1, 100, 10, Faults::None);
    let change = |setup: &mut Setup| {
        setup.limits.connections = 1;
        setup.limits.send_buffer = Some(8_192);
    };
    let mut rig = Rig::with_clock(1, market, change, Some(clock.clone()));
    let address = rig.handle.addresses().orders[0];
    let Trader { mut socket, .. } = {
        let mut greedy = Trader::new(address, login(0), 1);
        greedy.poll();
        greedy
    };
    socket2::SockRef::from(&socket).set_recv_buffer_size(4_096).unwrap();
    // Asks for more rejects than its socket takes, reads none, and logs out.
    let mut rest = Vec::new();
    for urn in 1..=5_000 {
        let order = enter(urn, b'B', 0, b"NONE    ", 100);
        rest.extend(u16::try_from(order.len() + 1).unwrap().to_be_bytes());
        rest.push(b'U');
        rest.extend(order);
    }
    rest.extend(b"\0\x01O");
    rig.until("the logout", |rig| {
        if let Ok(length) = socket.write(&rest) {
            rest.drain(..length);
        }
        rig.seen.iter().any(|e| matches!(e, VenueEvent::Disconnected { why: Ended::ByVenue(Why::Logout), .. }))
    });
    assert_eq!(rig.status().ports[0].connections, 0);
    if needed {
        let next = rig.trader(0, 0);
        rig.until("a login in its place", |rig| rig.traders[next].logged_in.is_some() || rig.traders[next].closed);
        assert!(!rig.traders[next].closed, "whoever does not read keeps its place");
    } else {
        // Nobody asks for its place: it has 15 s.
        rig.until("what its socket takes", |rig| rig.cycle() <= 1);
        clock.pass(Nanos::from_secs(14));
        rig.cycle();
        let open = socket.peer_addr().is_ok() && socket.write(b"x").is_ok();
        assert!(open);
        clock.pass(Nanos::from_secs(2));
        rig.until("the cut", |_| socket.write(b"x").is_err());
    }
    assert_eq!(rig.status().full, 0);
}

#[test]
fn a_half_sent_login_holds_nobody_up_and_is_closed_in_time() {
    let clock = ByHand::default();
    let mut rig = Rig::with_clock(1, far_end(1, 100, 4, Faults::None), |_| (), Some(clock.clone()));
    let address = rig.handle.addresses().orders[0];
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"\0\x2fLFIRE0").unwrap();
    let mut gone = TcpStream::connect(address).unwrap();
    gone.write_all(b"\0\x2fL").unwrap();
    drop(gone);
    let good = rig.trader(0, 0);
    rig.until("the login", |rig| rig.traders[good].logged_in.is_some());
    let half_from = half.local_addr().unwrap();
    let closed = move |rig: &Rig, half: bool| {
        rig.seen.iter().find_map(|e| match e {
            VenueEvent::Disconnected { peer, why, .. } if (*peer == half_from) == half => Some(*why),
            _ => None,
        })
    };
    rig.until("the client that went away", |rig| closed(rig, false) == Some(Ended::ByClient));
    assert_eq!(closed(&rig, true), None);
    // After 30 s its time to log in is up.
    clock.pass(Nanos::from_secs(31));
    rig.until("the end of the half login", |rig| closed(rig, true) == Some(Ended::ByVenue(Why::NoLogin)));
}

#[test]
fn idle_connections_lock_nobody_out() {
    let mut rig = Rig::new(1, far_end(1, 100, 5, Faults::None), |setup| setup.limits.connections = 8);
    let address = rig.handle.addresses().orders[0];
    let mut idle = Vec::new();
    for _ in 0..4 {
        idle.extend((0..25).map(|_| TcpStream::connect(address).unwrap()));
        rig.until("so many", |rig| rig.seen.len() >= idle.len());
    }
    rig.until("the limit", |rig| rig.status().ports[0].connections == 8);
    let one = rig.trader(0, 0);
    rig.until("its login", |rig| rig.traders[one].logged_in.is_some() || rig.traders[one].closed);
    assert!(!rig.traders[one].closed, "it is locked out by connections that do nothing");
    // Nor do more of them put out whoever is logged in, nor keep its next login from taking its place.
    idle.extend((0..25).map(|_| TcpStream::connect(address).unwrap()));
    rig.until("these too", |rig| {
        rig.seen.iter().filter(|e| matches!(e, VenueEvent::Connected { .. })).count() == idle.len() + 1
    });
    let again = rig.trader(0, 0);
    rig.until("another login", |rig| rig.traders[again].logged_in.is_some() || rig.traders[again].closed);
    assert!(!rig.traders[again].closed);
    let status = rig.status();
    assert_eq!((status.full, status.gone.get("displaced")), (0, Some(&1)));
    // Eight idle ones are left, one less for the place that the second login had before it was one.
    let left = status.ports[0].connections;
    assert_eq!((left, status.gone["made_room"]), (8, idle.len() as u64 - 7), "{status:?}");
}

#[test]
fn one_place_is_enough_for_who_is_logged_in_and_its_next_login() {
    let mut rig = Rig::new(1, far_end(1, 100, 5, Faults::None), |setup| setup.limits.connections = 1);
    let one = rig.trader(0, 0);
    rig.until("its login", |rig| rig.traders[one].logged_in.is_some());
    let two = rig.trader(0, 0);
    rig.until("its next login", |rig| rig.traders[two].logged_in.is_some());
    rig.until("the end of the first", |rig| rig.traders[one].closed);
    assert!(!rig.traders[two].closed);
}

#[test]
fn snapshot_clients_that_are_being_served_keep_their_places_and_served_ones_do_not() {
    let clock = ByHand::default();
    let change = |setup: &mut Setup| setup.limits.connections = 2;
    let mut rig = Rig::with_clock(1, far_end(1, 1_000, 7, Faults::None), change, Some(clock.clone()));
    let address = rig.handle.addresses().snapshot;
    for _ in 0..2 {
        rig.traders.push(Trader::new(address, SNAPSHOT, 1));
    }
    let ended = |t: &Trader| t.got.last().is_some_and(|message| message[0] == b'G');
    rig.until("their snapshots", |rig| rig.traders.iter().all(ended));
    // Both linger on. A third one takes the place of the first.
    rig.traders.push(Trader::new(address, SNAPSHOT, 1));
    rig.until("a third snapshot", |rig| rig.traders[0].closed && ended(&rig.traders[2]));
    assert!(!rig.traders[1].closed);
    assert_eq!(rig.status().full, 0);
    assert!(rig.seen.iter().any(|e| matches!(e, VenueEvent::Disconnected { why: Ended::MadeRoom, .. })));
}

#[test]
fn what_was_published_can_be_asked_for_again() {
    let mut rig = Rig::new(1, far_end(1, 1_000, 6, Faults::None), |_| ());
    rig.until("some messages", |rig| rig.lines[0].messages.len() > 200);
    let asking = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asking.set_nonblocking(true).unwrap();
    let request = Request::new(rig.lines[0].session, 50, 10);
    asking.send_to(request.encode(), rig.handle.addresses().rerequest).unwrap();
    // No request, one for nothing, one of another session, one for what is not there.
    let session = rig.lines[0].session;
    let odd = |session: [u8; 10], first, count| Request::new(session, first, count).encode().to_vec();
    let beyond = odd(session, 1 << 40, 1);
    for bad in [b"nonsense".to_vec(), odd(session, 1, 0), odd(*b"YESTERDAY ", 1, 1), beyond] {
        asking.send_to(&bad, rig.handle.addresses().rerequest).unwrap();
    }
    let mut buffer = [0; 2_000];
    let mut length = 0;
    rig.until("the reply", |_| asking.recv_from(&mut buffer).map(|(got, _)| length = got).is_ok());
    let packet = Packet::parse(&buffer[..length]).unwrap();
    let again: Vec<(u64, Vec<u8>)> = packet.messages().map(|m| m.map(|(n, m)| (n, m.to_vec())).unwrap()).collect();
    let known: Vec<(u64, Vec<u8>)> = rig.lines[0].messages.range(50..60).map(|(n, m)| (*n, m.clone())).collect();
    assert_eq!(again, known);
    rig.until("all requests", |rig| rig.status().far_end.rerequest.requests == 5);
    let stats = rig.status();
    let r = stats.far_end.rerequest;
    assert_eq!((r.answered, r.malformed, r.no_count, r.wrong_session, r.out_of_range), (1, 1, 1, 1, 1));
    assert_eq!((stats.datagrams[3].delivered, stats.datagrams[2].delivered), (5, 1));
    let said: Vec<String> = rig.seen.iter().map(ToString::to_string).filter(|s| s.contains("no reply")).collect();
    for (said, why) in said.iter().zip([
        "8 bytes instead of the 20 of a request",
        "a request for no messages",
        "a request for session \"YESTERDAY\", which is not this one",
        "a request from message 1099511627776 on",
    ]) {
        let peer = asking.local_addr().unwrap();
        assert!(said.starts_with(&format!("re-requests: {peer} gets no reply: {why}")), "{said}");
    }
    assert_eq!(said.len(), 4);
    // The fourth of a kind is said, the third is not.
    for _ in 0..3 {
        asking.send_to(b"more", rig.handle.addresses().rerequest).unwrap();
    }
    rig.until("three more", |rig| rig.status().far_end.rerequest.malformed == 4);
    let said: Vec<String> =
        rig.seen.iter().map(ToString::to_string).filter(|s| s.contains("4 bytes instead")).collect();
    assert_eq!(said.len(), 2);
    assert!(said[1].ends_with("(4 of these by now)"), "{said:?}");
}

/// Displayed orders: what is left of each.
type Orders = BTreeMap<VenueRef, u32>;

fn follow(orders: &mut Orders, message: &[u8]) {
    let mut take = |reference: VenueRef, shares: u32| {
        let left = orders[&reference] - shares;
        if left == 0 {
            orders.remove(&reference)
        } else {
            orders.insert(reference, left)
        };
    };
    match itch50::decode(message).unwrap() {
        Message::AddOrder(m) => drop(orders.insert(m.order_ref(), m.shares.get())),
        Message::AddOrderMpid(m) => drop(orders.insert(m.order_ref(), m.shares.get())),
        Message::OrderExecuted(m) => take(m.order_ref(), m.shares.get()),
        Message::OrderExecutedWithPrice(m) => take(m.order_ref(), m.shares.get()),
        Message::OrderCancel(m) => take(m.order_ref(), m.shares.get()),
        Message::OrderDelete(m) => drop(orders.remove(&m.order_ref())),
        Message::OrderReplace(m) => {
            orders.remove(&m.original_ref());
            orders.insert(m.new_ref(), m.shares.get());
        }
        _ => {}
    }
}

#[test]
fn snapshots_join_the_stream_at_their_number_for_several_clients_at_once() {
    let mut rig = Rig::new(1, far_end(1, 3_000, 7, Faults::None), |_| ());
    rig.until("a market", |rig| rig.lines[0].messages.len() > 1_000);
    let address = rig.handle.addresses().snapshot;
    for _ in 0..3 {
        rig.traders.push(Trader::new(address, SNAPSHOT, 1));
    }
    let ended = |t: &Trader| t.got.last().is_some_and(|message| message[0] == b'G');
    rig.until("three snapshots", |rig| rig.traders.iter().all(ended));
    rig.traders.push(Trader::new(address, SNAPSHOT, 1));
    rig.until("one more", |rig| rig.traders.iter().all(ended));
    rig.tell(Command::Stop);
    rig.until("all messages", |rig| rig.lines[0].next == rig.handle.status().next_sequence);
    for trader in &rig.traders {
        let (end, state) = trader.got.split_last().unwrap();
        let number: u64 = std::str::from_utf8(&end[1..]).unwrap().trim().parse().unwrap();
        assert!(number > 1_000);
        let (mut spliced, mut whole) = (Orders::new(), Orders::new());
        state.iter().for_each(|message| follow(&mut spliced, message));
        rig.lines[0].messages.range(..number).for_each(|(_, message)| follow(&mut whole, message));
        assert_eq!(spliced, whole, "at {number}");
    }
    assert_eq!(rig.status().far_end.glimpse.completed, 4);
}

#[test]
fn a_faster_clock_trades_faster() {
    let clock = ByHand::default();
    let mut rig =
        Rig::with_clock(1, far_end(1, 1_000, 8, Faults::None), |setup| setup.speed = Speed(20_000), Some(clock));
    for _ in 0..1_000 {
        rig.cycle();
    }
    // A tenth of a second here is two there.
    assert!((1_900_000_000..=2_100_000_000).contains(&rig.status().at.0), "{:?}", rig.status().at);
    assert!(rig.status().far_end.published > 1_000);
}

#[test]
fn lines_reach_every_address_of_a_list_and_members_of_a_group() {
    let other = Line::new();
    let port = {
        // A group's port is everyone's: any that is free will do.
        let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        probe.local_addr().unwrap().port()
    };
    let group = Ipv4Addr::new(239, 255, 26, 1);
    let member = UdpSocket::bind((group, port)).unwrap();
    member.set_nonblocking(true).unwrap();
    member.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
    let mut rig = Rig::new(1, far_end(1, 1_000, 9, Faults::None), |setup| {
        setup.addresses.lines[0].extend([other.address(), (group, port).into()]);
    });
    let mut lines = [other, Line::of(member)];
    rig.until("messages everywhere", |rig| {
        for line in &mut lines {
            line.poll();
        }
        rig.lines[0].messages.len() > 100 && lines.iter().all(|line| line.messages.len() > 100)
    });
    for line in &lines {
        for (number, message) in &line.messages {
            assert!(rig.lines[0].messages.get(number).is_none_or(|known| known == message));
        }
    }
}
