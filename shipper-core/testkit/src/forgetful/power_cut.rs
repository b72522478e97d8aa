//! A program runs until the power fails.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::filesystem::Lie;
use super::mount::Mounted;
use super::tree::Volume;

/// The longest run of a program, unless a test needs another limit.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A run of a program on a mounted volume, and the operation at which the power fails.
#[derive(Clone, Copy, Default)]
pub struct PowerCut<'a> {
    /// The standard input of the program.
    pub input: &'a str,
    /// The number of the operation, from 0; `None` if the power fails after the end of the program.
    pub at: Option<usize>,
    pub lie: Option<Lie>,
    /// The longest run of the program; `None` is a minute.
    pub time_limit: Option<Duration>,
}

/// The end of a run.
pub struct CutRun {
    /// The exit status; `None` if the program was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The number of operations before the cut that changed the volume or synced it.
    pub operations: usize,
    /// The volume at the moment of the cut.
    pub volume: Volume,
}

enum Message {
    Cut,
    /// Both outputs have ended.
    Ended(String, String),
}

impl PowerCut<'_> {
    /// Mounts the volume, and runs the program that `program` returns for the mounted directory.
    pub fn run(&self, volume: &Volume, program: impl FnOnce(&Path) -> Command) -> CutRun {
        let (on_cut, cut) = mpsc::channel();
        let mounted = Mounted::new(volume, self.at, self.lie, on_cut).expect("it can be mounted");
        let mut command = program(mounted.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Running(command.spawn().expect("it starts"));
        // The program may end before it reads.
        let _ = child.0.stdin.take().expect("a standard input").write_all(self.input.as_bytes());
        let messages = messages(&mut child.0, cut);
        let limit = self.time_limit.unwrap_or(TIME_LIMIT);
        let (stdout, stderr) = outputs(&mut child.0, &mounted, &messages, limit).unwrap_or_else(|| {
            panic!("it did not end within {limit:?}: {command:?}");
        });
        let code = child.0.wait().expect("it ended").code();
        let operations = mounted.files.operations();
        CutRun { code, stdout, stderr, operations, volume: mounted.files.volume() }
    }
}

/// A program that is killed when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for the power cut and for the end of the outputs, in two threads.
fn messages(child: &mut Child, cut: Receiver<()>) -> Receiver<Message> {
    let (sender, messages) = mpsc::channel();
    let on_cut: Sender<Message> = sender.clone();
    std::thread::spawn(move || cut.recv().map(|()| on_cut.send(Message::Cut)));
    let mut stdout = child.stdout.take().expect("a standard output");
    let mut stderr = child.stderr.take().expect("a standard error");
    std::thread::spawn(move || {
        let mut texts = (String::new(), String::new());
        let _ = stdout.read_to_string(&mut texts.0);
        let _ = stderr.read_to_string(&mut texts.1);
        sender.send(Message::Ended(texts.0, texts.1))
    });
    messages
}

/// Kills the program when the power fails, and returns its outputs; `None` if it takes too long.
fn outputs(
    child: &mut Child,
    mounted: &Mounted,
    messages: &Receiver<Message>,
    limit: Duration,
) -> Option<(String, String)> {
    let end = Instant::now() + limit;
    loop {
        match messages.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Message::Cut) => {
                // It may have ended before.
                let _ = child.kill();
                mounted.files.killed();
            }
            Ok(Message::Ended(stdout, stderr)) => return Some((stdout, stderr)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
}
