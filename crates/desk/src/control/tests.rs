//! The socket under clients that behave, and under those that do not.

use super::*;
use std::io::{BufRead, BufReader};

/// Echoes what it was asked.
fn echo(line: &str) -> Reply {
    match line {
        "no" => Reply::unknown(line, &["yes"]),
        line => Reply::done(line),
    }
}

fn open(path: &Path) -> Served {
    bind(path).unwrap().serve(echo).unwrap()
}

struct Caller {
    stream: UnixStream,
    answers: BufReader<UnixStream>,
}

impl Caller {
    fn new(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Caller { answers: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn send(&mut self, bytes: &[u8]) {
        // It may have been closed already.
        let _sent = self.stream.write_all(bytes);
    }

    /// The next answer. `None`: closed.
    fn answer(&mut self) -> Option<Reply> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))),
        }
    }

    fn error(&mut self) -> String {
        self.answer().unwrap().error.unwrap()
    }
}

#[test]
fn several_clients_are_answered_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control");
    let _served = open(&path);
    let mut callers: Vec<Caller> = (0..CLIENTS).map(|_| Caller::new(&path)).collect();
    for (n, caller) in callers.iter_mut().enumerate() {
        // Cut anywhere, several at once, with a carriage return.
        caller.send(format!("first {n}\r\nsec").as_bytes());
    }
    for (n, caller) in callers.iter_mut().enumerate() {
        assert_eq!(caller.answer(), Some(Reply::done(format!("first {n}"))));
        caller.send(b"ond\nno\n");
        assert_eq!(caller.answer(), Some(Reply::done("second")));
        assert_eq!(caller.error(), "\"no\" is no command; there are: yes");
    }
    // One more is told that there are too many; when another has gone there is room.
    let mut late = Caller::new(&path);
    assert!(late.error().contains("16 clients"));
    assert!(late.answer().is_none());
    callers.pop();
    loop {
        let mut late = Caller::new(&path);
        late.send(b"there\n");
        match late.answer() {
            Some(Reply { ok: true, said, .. }) => break assert_eq!(said.as_deref(), Some("there")),
            _ => thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[test]
fn garbage_gets_an_error_and_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control");
    let _served = open(&path);
    let mut good = Caller::new(&path);
    let mut endless = Caller::new(&path);
    endless.send(&[b'x'; 10 * LONGEST]);
    assert!(endless.error().contains("at most 1024 bytes"));
    assert!(endless.answer().is_none(), "and is closed");
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..50 {
        let bytes: Vec<u8> = (0..600)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (random >> 32) as u8
            })
            .collect();
        let mut caller = Caller::new(&path);
        caller.send(&bytes);
        // Each line of it gets an answer that can be read; what has no end is refused, or waits until the caller goes.
        let _closed = caller.stream.shutdown(std::net::Shutdown::Write);
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let mut answers = 0;
        while caller.answer().is_some() {
            answers += 1;
        }
        assert!(answers <= lines + 1, "{answers} answers to {lines} lines");
        good.send(b"still here\n");
        assert_eq!(good.answer(), Some(Reply::done("still here")));
    }
    let mut torn = Caller::new(&path);
    torn.send(b"kil");
    torn.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(torn.answer().is_none(), "what has no end is no line");
}

#[test]
fn the_file_is_its_owners_and_goes_away_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control");
    let served = open(&path);
    let file = fs::metadata(&path).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    let taken = bind(&path).err().unwrap().to_string();
    assert!(taken.contains("control.socket") && taken.contains("a process listens there already"), "{taken}");
    drop(served);
    assert!(!path.exists());

    // One that a killed process left behind.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let served = open(&path);
    let mut caller = Caller::new(&path);
    caller.send(b"new\n");
    assert_eq!(caller.answer(), Some(Reply::done("new")));
    // It takes nothing away that is not its own.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "a file").unwrap();
    drop(served);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
    let refused = bind(&path).err().unwrap().to_string();
    assert!(refused.contains("no socket"), "{refused}");
    let nowhere = format!("{:#}", bind(&folder.path().join("no/such/folder")).err().unwrap());
    assert!(nowhere.contains("No such file"), "{nowhere}");
    let long = folder.path().join("s".repeat(107));
    let refused = format!("{:#}", bind(&long).err().unwrap());
    assert!(refused.contains("control.socket") && refused.contains("shorter") && !long.exists(), "{refused}");
}

#[test]
fn a_client_finds_the_socket_by_its_path_or_by_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control");
    let _served = open(&socket);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let control = format!("[control]\nsocket = {:?}\n", socket.display().to_string());
    let gateway = file("gateway.toml", &format!("{control}[entry]\nusername = \"ME\""));
    let venue = file("venue.toml", &format!("{control}[market]\nsymbols = 2"));
    for path in [&socket, &gateway, &venue] {
        let target = Target::of(path, &[]).unwrap();
        assert_eq!(ask(&target, "hello").unwrap(), Reply::done("hello"));
    }
    let says = |path: &Path| format!("{:#}", Target::of(path, &[]).unwrap_err());
    let none = says(&file("none.toml", "wiring = \"listener\""));
    assert!(none.contains("names no control socket"), "{none}");
    let neither = says(&file("neither.toml", "nonsense = 1"));
    assert!(
        neither.contains("neither a socket nor a sound configuration") && neither.contains("nonsense"),
        "{neither}"
    );
    assert!(says(&folder.path().join("nothing")).contains("does not exist"));
    let gone = Target { socket: folder.path().join("gone") };
    assert!(ask(&gone, "status").unwrap_err().to_string().contains("nobody listens"));
}
