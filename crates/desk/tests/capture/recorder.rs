//! Everything on the loopback into a file, by dumpcap, from the first packet to the last.
//!
//! Nothing waits for a time: the recorder sends a mark of its own until it is in the file, and at the end another one,
//! behind which nothing of the demo comes. Marks go over TCP, so that they are no third line for `firelane replay`.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a mark may be on its way into the file.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running capture. Stopped when dropped.
pub(super) struct Recorder {
    child: Child,
    file: PathBuf,
    told: PathBuf,
    marks: (TcpStream, TcpStream),
}

impl Recorder {
    /// Captures into `file` once this returns.
    pub(super) fn start(file: &Path) -> Self {
        let told = file.with_extension("told");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let marks = (TcpStream::connect(listener.local_addr().unwrap()).unwrap(), listener.accept().unwrap().0);
        // A buffer of 64 MiB: the cores may be busy with the demo for a while. Ten minutes end it whatever happens.
        let child = Command::new("dumpcap")
            .args(["-i", "lo", "-B", "64", "-a", "duration:600", "-w"])
            .arg(file)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&told).unwrap())
            .spawn()
            .unwrap();
        let mut recorder = Recorder { child, file: file.to_owned(), told, marks };
        recorder.mark("it has begun");
        recorder
    }

    /// Stops it. All that was on the loopback before is in the file; panics if anything was dropped.
    pub(super) fn finish(mut self) {
        self.mark("it is over");
        let stop = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(stop.success());
        let status = self.child.wait().unwrap();
        let told = std::fs::read_to_string(&self.told).unwrap();
        assert!(status.success(), "{told}");
        // Packets received/dropped on interface 'Loopback: lo': 5947/0 (pcap:0/dumpcap:0/flushed:0/...) (100.0%)
        let counts = told.split_once("received/dropped on interface").and_then(|(_, rest)| rest.split_once("': "));
        let (received, dropped) = counts
            .and_then(|(_, counts)| counts.split_whitespace().next())
            .and_then(|counts| counts.split_once('/'))
            .unwrap_or_else(|| panic!("it does not say what it dropped: {told}"));
        assert!(received.parse::<u64>().unwrap() > 0 && dropped == "0", "{told}");
    }

    /// Sends a mark again and again, until it is in the file.
    fn mark(&mut self, text: &str) {
        let began = Instant::now();
        let mark = format!("[mark of the recorder: {text}]");
        loop {
            self.marks.0.write_all(mark.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            let bytes = std::fs::read(&self.file).unwrap_or_default();
            if bytes.windows(mark.len()).any(|window| window == mark.as_bytes()) {
                return;
            }
            let told = std::fs::read_to_string(&self.told).unwrap();
            assert!(self.child.try_wait().unwrap().is_none(), "it has ended: {told}");
            assert!(began.elapsed() < PATIENCE, "{mark} is not in the capture: {told}");
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Of no effect once it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
