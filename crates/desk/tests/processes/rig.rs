//! Processes of the built program, their configurations, and what they say.

use serde_json::Value;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The passwords of both sides; no output and no file may hold them.
pub(crate) const PASSWORDS: [&str; 2] = ["ENTRYxyz1", "STATExyz2"];

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until there is something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Each of them on a thread of its own: processes mostly wait.
pub(crate) fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, case: impl Fn(T) + Sync) {
    let case = &case;
    thread::scope(|scope| cases.into_iter().for_each(|one| drop(scope.spawn(move || case(one)))));
}

/// Ports that are free now, below those that the system hands out by itself.
pub(crate) fn free_ports() -> [u16; 5] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Each process begins elsewhere: a test that runs this program again looks for ports, too.
    static FIRST: OnceLock<u16> = OnceLock::new();
    let first = *FIRST.get_or_init(|| (RandomState::new().hash_one(std::process::id()) % 8_400) as u16);
    let mut found = Vec::new();
    while found.len() < 5 {
        // Those from 26,400 on are what a demo likes best.
        let port = 18_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_400;
        let free = |result: bool| result.then_some(port);
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        found.extend(free(tcp && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()));
    }
    found.try_into().unwrap()
}

/// A folder with a configuration of each side.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) ports: [u16; 5],
    runs: u32,
}

impl World {
    /// `gateway` and `venue` come before the tables, `port` into the venue's `[[port]]`.
    pub(crate) fn new(gateway: &str, venue: &str, port: &str) -> Self {
        let world = World { folder: tempfile::tempdir().unwrap(), ports: free_ports(), runs: 0 };
        let [a, b, rerequest, snapshot, orders] = world.ports.map(|port| format!("127.0.0.1:{port}"));
        let socket = |name: &str| format!("[control]\nsocket = {:?}\n", world.path(name).display().to_string());
        world.write(
            "gateway.toml",
            &format!(
                "{gateway}\n[net]\nline_a = {a:?}\nline_b = {b:?}\nrerequest = {rerequest:?}\nsnapshot = {snapshot:?}\n\
                 orders = {orders:?}\n{}[tape]\nstatus_ms = 20\n",
                socket("gateway.sock")
            ),
        );
        world.write(
            "venue.toml",
            &format!(
                "{venue}\n[addresses]\nline_a = {a:?}\nline_b = {b:?}\nrerequest = {rerequest:?}\n\
                 snapshot = {snapshot:?}\n[market]\nsymbols = 3\nrate = 1000\n{}[[port]]\nlisten = {orders:?}\n{port}\n",
                socket("venue.sock")
            ),
        );
        world
    }

    /// A trading gateway: `wiring` on `layout`, on threads that sleep when there is nothing to do.
    pub(crate) fn of(wiring: &str, layout: &str, venue: &str, port: &str) -> Self {
        let threads = format!("[threads]\nlayout = {layout:?}\nidle = \"park\"\n");
        World::new(&format!("wiring = {wiring:?}\n{threads}"), venue, port)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn venue(&self) -> Process {
        let venue = Process::start(firelane(&["venue", self.text("venue.toml").as_str(), "--json"]));
        venue.says("order port 0");
        venue
    }

    /// Starts the gateway with the next log.
    pub(crate) fn gateway(&mut self) -> Process {
        let gateway = Process::start(self.next_gateway());
        gateway.says("Ctrl-C");
        gateway
    }

    /// How to start it with the next log.
    pub(crate) fn next_gateway(&mut self) -> Command {
        self.next_log();
        self.gateway_command()
    }

    /// Where the next run's log is to be.
    pub(crate) fn next_log(&mut self) -> String {
        self.runs += 1;
        self.text(&self.log())
    }

    pub(crate) fn gateway_command(&self) -> Command {
        firelane(&["run", &self.text("gateway.toml"), "--json", "--log", &self.text(&self.log())])
    }

    /// The latest log's name.
    pub(crate) fn log(&self) -> String {
        format!("run{}.log", self.runs)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// `firelane status`, of `gateway` or `venue`.
    pub(crate) fn status(&self, of: &str) -> Value {
        let output = firelane(&["status", &self.text(&format!("{of}.toml")), "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Waits until a side's status is so.
    pub(crate) fn until(&self, of: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        until(what, || Some(self.status(of)).filter(&is))
    }

    /// `firelane kill`: its exit code, and what it says.
    pub(crate) fn kill(&self, extra: &[&str]) -> (i32, String) {
        let output = firelane(&["kill", &self.text("gateway.toml")]).args(extra).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    /// The latest log reproduces, and holds no secret.
    pub(crate) fn assert_log_verifies(&self) {
        self.assert_log_ends(0);
    }

    /// The latest log reproduces as far as it goes, and holds no secret. The exit code says how it ends: 3, where its run
    /// was cut off.
    pub(crate) fn assert_log_ends(&self, code: i32) {
        let log = self.text(&self.log());
        let output = firelane(&["log", "verify", &log]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{log}: {said}{}", String::from_utf8_lossy(&output.stderr));
        let bytes = std::fs::read(&log).unwrap();
        for secret in PASSWORDS {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "a log holds {secret}");
        }
    }

    /// Sequenced messages of the order port, as far as the latest log tells of them.
    pub(crate) fn messages_of_the_port(&self) -> u64 {
        let output = firelane(&["log", "dump", &self.text(&self.log()), "--kind", "ouch"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers =
            text.lines().filter_map(|line| line.trim_start().strip_prefix("OUCH ")?.split(' ').next()?.parse().ok());
        numbers.max().unwrap_or(0)
    }

    /// Commands in the latest log, in order.
    pub(crate) fn commands(&self) -> Vec<String> {
        let log = self.text(&self.log());
        let output = firelane(&["log", "dump", &log, "--kind", "Command", "--json"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let record = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        text.lines().map(|line| record(line)["fields"]["command"].as_str().unwrap().to_owned()).collect()
    }

    /// Ends the gateway and then the venue, both in order, and compares what they say they hold, and the fills. Answers the
    /// gateway's report.
    pub(crate) fn end_and_compare(&self, gateway: Process, venue: Process) -> Value {
        gateway.signal("-INT");
        let mine = gateway.report(0);
        venue.signal("-INT");
        let theirs = venue.report(0);
        let port = &theirs["ports"][0];
        assert_eq!(mine["positions"], port["positions"], "{mine}\n{theirs}");
        assert_eq!(mine["fills"], port["fills"], "{mine}\n{theirs}");
        assert_eq!((mine["ended"].as_str(), number(&mine, "/live_orders")), (Some("asked"), 0), "{mine}");
        assert_eq!(number(&theirs, "/ports/0/live"), 0, "{theirs}");
        mine
    }
}

/// The program with arguments, and passwords in its environment.
pub(crate) fn firelane(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    command.args(arguments);
    with_passwords(&mut command);
    command
}

pub(crate) fn with_passwords(command: &mut Command) {
    command
        .env("FIRELANE_ENTRY_PASSWORD", PASSWORDS[0])
        .env("FIRELANE_SNAPSHOT_PASSWORD", PASSWORDS[1])
        .stdin(Stdio::null());
}

/// The program under the shell's limit of a file's size, in blocks of 512 bytes or more: writes beyond it fail, as on a
/// disk that is full.
pub(crate) fn limited(blocks: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string(), env!("CARGO_BIN_EXE_firelane")]);
    command.args(arguments);
    with_passwords(&mut command);
    command
}

/// What becomes of what a process writes to its console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Console {
    Read,
    /// Nobody reads: what finds no room has to wait.
    Unread,
    /// For good.
    Closed,
}

/// The reading end of a process's standard error.
struct Listener {
    console: Arc<AtomicU8>,
    /// The process has another one of it.
    to: PipeWriter,
}

impl Listener {
    fn start(from: PipeReader, to: PipeWriter, lines: Arc<Mutex<Vec<String>>>) -> (Self, JoinHandle<Vec<u8>>) {
        let listener = Listener { console: Arc::default(), to };
        let console = Arc::clone(&listener.console);
        let thread = thread::spawn(move || {
            let mut from = BufReader::new(from);
            loop {
                match console.load(Ordering::Relaxed) {
                    state if state == Console::Closed as u8 => break,
                    state if state == Console::Unread as u8 => thread::sleep(Duration::from_millis(10)),
                    _ => {
                        let mut line = String::new();
                        if !from.read_line(&mut line).is_ok_and(|length| length > 0) {
                            break;
                        }
                        let line = line.trim_end_matches('\n');
                        if !line.is_empty() {
                            lines.lock().unwrap().push(line.to_owned());
                        }
                    }
                }
            }
            Vec::new()
        });
        (listener, thread)
    }

    fn turn(&mut self, state: Console) {
        let before = self.console.swap(state as u8, Ordering::Relaxed);
        if before == Console::Read as u8 && state != Console::Read {
            // The thread looks again.
            self.to.write_all(b"\n").unwrap();
        }
        if state == Console::Unread {
            let mut to = self.to.try_clone().unwrap();
            // More than a pipe holds.
            thread::spawn(move || drop(to.write_all(&[b'\n'; 1 << 17])));
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A process whose lines are read as they come. It is killed when the test drops it.
pub(crate) struct Process {
    child: Child,
    /// On standard error: with `--json`, what happens.
    lines: Arc<Mutex<Vec<String>>>,
    listener: Option<Listener>,
    readers: Vec<JoinHandle<Vec<u8>>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
        if thread::panicking() {
            eprintln!("---- a process said:\n{}", self.lines.lock().unwrap().join("\n"));
        }
    }
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let (from, to) = io::pipe().unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(to.try_clone().unwrap()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let lines = Arc::default();
        let (listener, heard) = Listener::start(from, to, Arc::clone(&lines));
        let read = thread::spawn(move || {
            let mut bytes = Vec::new();
            out.read_to_end(&mut bytes).unwrap();
            bytes
        });
        Process { child, lines, listener: Some(listener), readers: vec![read, heard] }
    }

    /// What becomes of what it writes to standard error from now on.
    pub(crate) fn console(&mut self, state: Console) {
        self.listener.as_mut().unwrap().turn(state);
    }

    /// With its streams elsewhere: nothing of it is heard.
    pub(crate) fn unheard(mut command: Command, out: Stdio, err: Stdio) -> Self {
        let child = command.stdout(out).stderr(err).spawn().unwrap();
        Process { child, lines: Arc::default(), listener: None, readers: Vec::new() }
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end: how it ended.
    pub(crate) fn ended(mut self) -> ExitStatus {
        until("the end of a process", || self.child.try_wait().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn assert_alive(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert_eq!(ended, None, "it has ended:\n{}", self.lines().join("\n"));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Lines that hold `part`.
    pub(crate) fn with(&self, part: &str) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.contains(part)).collect()
    }

    /// Waits for a line that holds `part`.
    pub(crate) fn says(&self, part: &str) -> String {
        until(&format!("a line with {part:?}"), || self.with(part).first().cloned())
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args([name, &self.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Kills it, as a power cut would.
    pub(crate) fn cut_off(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end: exit code, standard output, and the lines of standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<u8>, Vec<String>) {
        let status = until("the end of a process", || self.child.try_wait().unwrap());
        let mut out = Vec::new();
        // Its lines end where no writer is left.
        self.listener = None;
        for reader in self.readers.drain(..) {
            out.extend(reader.join().unwrap());
        }
        let lines = self.lines();
        for secret in PASSWORDS {
            assert!(!lines.iter().any(|line| line.contains(secret)), "a password is shown");
            assert!(!String::from_utf8_lossy(&out).contains(secret), "a password is shown");
        }
        (status.code(), out, lines)
    }

    /// Its end with this exit code, and the JSON object that it prints then.
    pub(crate) fn report(self, code: i32) -> Value {
        let (ended, out, lines) = self.end();
        let text = String::from_utf8_lossy(&out).into_owned();
        assert_eq!(ended, Some(code), "{text}\n{}", lines.join("\n"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}\n{}", lines.join("\n")))
    }
}

/// A number in a report or status.
pub(crate) fn number(value: &Value, key: &str) -> u64 {
    value.pointer(key).and_then(Value::as_u64).unwrap_or_else(|| panic!("{key} is no number in {value}"))
}

/// Does the program of this process exist under the path?
pub(crate) fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
