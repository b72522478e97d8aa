//! Runs cargo: reads its output while it runs, keeps the ends of it, and kills cargo and its children at the deadline.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use process_wrap::std::{ChildWrapper, CommandWrap};
use tempfile::TempDir;

use super::redact::Redactor;
use super::stderr::StderrClassifier;
use crate::release::publisher::{Failure, FailureClass, OutputTails, StepContext, Wait};

/// The maximum length of the tail of each stream, in bytes.
const MAX_TAIL_LEN: usize = 8 * 1024;

/// The length to which lines are truncated, in bytes.
const MAX_LINE_LEN: usize = 8 * 1024;

/// The length of the text after a truncated line that is redacted too, in bytes: only a whole secret is recognized.
const REDACTION_MARGIN: usize = 8 * 1024;

/// The number of lines in the channel. If it is full, the command waits.
const CHANNEL_CAPACITY: usize = 1024;

/// The time between two checks of the deadline.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The time for output after the command ended: a process that it left behind may hold the pipe.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The beginning of the line that cargo prints if another cargo holds a lock. The name of the lock follows.
const LOCK_MESSAGE: &str = "Blocking waiting for file lock on ";

/// Returns the path of cargo: the environment variable `CARGO`, or `cargo`.
pub(super) fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A temporary directory, which is removed when it is dropped.
pub(super) struct WorkDir {
    path: Utf8PathBuf,
    _directory: TempDir,
}

impl WorkDir {
    pub(super) fn create() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("shipper-").tempdir()?;
        let path = Utf8PathBuf::from_path_buf(directory.path().to_owned());
        let path = path.map_err(|_| io::Error::other("the temporary directory's path is not UTF-8"))?;
        Ok(Self { path, _directory: directory })
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// Runs a command to its end or its deadline. Returns the tails of its output, or the reason why it failed. Standard output
/// goes to `stdout`, and is read if that is a pipe.
pub(super) fn run(
    mut command: Command,
    stdout: Stdio,
    context: &mut StepContext<'_>,
    redactor: &Redactor,
) -> Result<OutputTails, Failure> {
    // The classification of a failure reads cargo's messages.
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_QUIET", "false");
    let mut wrap = CommandWrap::from(command);
    wrap.command_mut().stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    // The children of cargo are killed with it.
    #[cfg(unix)]
    wrap.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    wrap.wrap(process_wrap::std::JobObject);
    let mut child = wrap.spawn().map_err(|error| Failure::permanent(format!("cannot start cargo: {error}")))?;
    let (sender, lines) = sync_channel(CHANNEL_CAPACITY);
    if let Some(stdout) = child.stdout().take() {
        spawn_line_reader(stdout, Stream::Stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr().take() {
        spawn_line_reader(stderr, Stream::Stderr, sender);
    }
    let (tails, classifier) = (OutputTails::default(), StderrClassifier::default());
    let mut output = OutputCollector { tails, classifier, redactor };
    let status = wait(&mut *child, &lines, context, &mut output);
    let OutputCollector { tails, classifier, .. } = output;
    match status {
        Ok(status) if status.success() => Ok(tails),
        Ok(status) => {
            let class = classifier.class(status.code().is_none());
            let message = format!("cargo failed ({status}): {}", classifier.message());
            let rate_limit = classifier.rate_limit(SystemTime::now()).filter(|_| class == FailureClass::Retryable);
            Err(Failure { class, message, tails, rate_limit })
        }
        Err(failure) => Err(Failure { tails, ..failure }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

/// The output of a command, without secrets.
struct OutputCollector<'r> {
    tails: OutputTails,
    classifier: StderrClassifier,
    redactor: &'r Redactor,
}

impl OutputCollector<'_> {
    fn push_line(&mut self, (stream, line): (Stream, String), context: &mut StepContext<'_>) {
        let mut line = self.redactor.redact(&line);
        let end = (0..=MAX_LINE_LEN.min(line.len())).rev().find(|end| line.is_char_boundary(*end));
        line.truncate(end.unwrap_or(0));
        context.progress.output_line(&line);
        if let Some(lock) = line.trim_start().strip_prefix(LOCK_MESSAGE)
            && stream == Stream::Stderr
        {
            context.progress.waiting(Wait::CargoLock { lock: lock.trim() });
        }
        let tail = match stream {
            Stream::Stdout => &mut self.tails.stdout,
            Stream::Stderr => {
                self.classifier.push_line(&line);
                &mut self.tails.stderr
            }
        };
        tail.extend([&line, "\n"]);
        while tail.len() > MAX_TAIL_LEN
            && let Some((_, rest)) = tail.split_once('\n')
            && !rest.is_empty()
        {
            *tail = rest.to_owned();
        }
    }
}

fn wait(
    child: &mut dyn ChildWrapper,
    lines: &Receiver<(Stream, String)>,
    context: &mut StepContext<'_>,
    output: &mut OutputCollector<'_>,
) -> Result<ExitStatus, Failure> {
    let wait_failure =
        |error: io::Error| Failure::new(FailureClass::Ambiguous, format!("cannot wait for cargo: {error}"));
    let status = loop {
        if let Some(status) = child.try_wait().map_err(wait_failure)? {
            break status;
        }
        if let Err(over) = context.check() {
            // The process group may have ended already.
            let _ = child.start_kill();
            let _ = child.wait();
            return Err(over);
        }
        match lines.recv_timeout(POLL_INTERVAL) {
            Ok(line) => output.push_line(line, context),
            Err(RecvTimeoutError::Timeout) => {}
            // Its streams are closed, and the command goes on.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(POLL_INTERVAL),
        }
    };
    let drain_end = Instant::now() + DRAIN_TIMEOUT;
    while Instant::now() < drain_end
        && let Ok(line) = lines.recv_timeout(drain_end.saturating_duration_since(Instant::now()))
    {
        output.push_line(line, context);
    }
    Ok(status)
}

/// Reads a stream to its end, also after the receiver has gone: a full pipe would stop the command.
fn spawn_line_reader(stream: impl Read + Send + 'static, which: Stream, sender: SyncSender<(Stream, String)>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        while let Ok(Some(line)) = read_truncated_line(&mut stream) {
            let _ = sender.send((which, line));
        }
    });
}

/// Reads a line to its end, and returns its beginning.
fn read_truncated_line(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let limit = (MAX_LINE_LEN + REDACTION_MARGIN) as u64;
    if stream.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() as u64 == limit && !line.ends_with(b"\n") {
        stream.skip_until(b'\n')?;
    }
    let text = String::from_utf8_lossy(&line);
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}
