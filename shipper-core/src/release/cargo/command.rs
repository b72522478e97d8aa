//! Running cargo: its output is read while it runs, its tails are kept, and it ends when it must, with everything that it
//! started.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};

use super::said::Said;
use crate::release::world::{Failure, FailureClass, OutputTails, StepContext};

/// How much of each stream is kept, in bytes.
const TAIL: usize = 8 * 1024;

/// How much of a line is passed on, in bytes.
const LINE: usize = 8 * 1024;

/// How much more of it is looked at, in bytes: a secret that begins in what is passed on must be whole to be known.
const BEYOND: usize = 8 * 1024;

/// How many lines may wait for whoever hears them; then the command waits.
const WAITING: usize = 1024;

/// How often to look whether the command must end.
const LOOK: Duration = Duration::from_millis(50);

/// How long output may still come after the command has ended: something that it left behind may hold the pipe.
const AFTERMATH: Duration = Duration::from_secs(2);

/// What must never be told: it is replaced wherever a command prints it.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of(secrets: impl IntoIterator<Item = String>) -> Self {
        // A short one would hide ordinary text; no registry gives such a token.
        let secrets = secrets.into_iter().map(|secret| secret.trim().to_owned()).filter(|secret| secret.len() >= 6);
        let mut secrets: Vec<String> = secrets.collect();
        // One may begin with another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[hidden]"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

/// The last lines of a stream.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Tail {
    fn push(&mut self, line: &str) {
        self.lines.push_back(line.to_owned());
        self.bytes += line.len() + 1;
        while self.bytes > TAIL && self.lines.len() > 1 {
            self.bytes -= self.lines.pop_front().map_or(0, |line| line.len() + 1);
        }
    }

    fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

/// Runs cargo to its end, or ends it. Gives what it printed last, and fails as cargo did.
pub(super) fn run(command: Command, context: &mut StepContext<'_>, secrets: &Secrets) -> Result<OutputTails, Failure> {
    run_into(command, Stdio::piped(), context, secrets)
}

/// The same for a command whose standard output is wanted whole: it goes there, and is not looked at.
pub(super) fn run_into(
    mut command: Command,
    stdout: Stdio,
    context: &mut StepContext<'_>,
    secrets: &Secrets,
) -> Result<OutputTails, Failure> {
    // What it says tells why it failed.
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_QUIET", "false");
    let mut wrap = CommandWrap::from(command);
    wrap.command_mut().stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    // What it starts ends with it.
    #[cfg(unix)]
    wrap.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    wrap.wrap(process_wrap::std::JobObject);
    let mut child = wrap.spawn().map_err(|error| {
        Failure::new(
            FailureClass::Permanent,
            format!("cargo could not be started: {error}; is it installed and on the path?"),
        )
    })?;
    let (give, lines) = sync_channel(WAITING);
    if let Some(stdout) = child.stdout().take() {
        listen(stdout, Stream::Stdout, give.clone());
    }
    if let Some(stderr) = child.stderr().take() {
        listen(stderr, Stream::Stderr, give);
    }
    let mut heard = Heard { stdout: Tail::default(), stderr: Tail::default(), said: Said::default(), secrets };
    let ended = wait(&mut *child, &lines, context, &mut heard);
    let tails = OutputTails { stdout: heard.stdout.text(), stderr: heard.stderr.text() };
    match ended {
        Ok(status) if status.success() => Ok(tails),
        Ok(status) => {
            let class = heard.said.class(status.code().is_none());
            let message = format!("cargo failed ({status}): {}", heard.said.why());
            Err(Failure { class, message, tails })
        }
        Err(failure) => Err(Failure { tails, ..failure }),
    }
}

struct Heard<'s> {
    stdout: Tail,
    stderr: Tail,
    said: Said,
    secrets: &'s Secrets,
}

impl Heard<'_> {
    fn hear(&mut self, (stream, line): (Stream, String), context: &mut StepContext<'_>) {
        let mut line = self.secrets.hide(&line);
        let end = (0..=LINE.min(line.len())).rev().find(|end| line.is_char_boundary(*end));
        line.truncate(end.unwrap_or(0));
        context.progress.output(&line);
        match stream {
            Stream::Stdout => self.stdout.push(&line),
            Stream::Stderr => {
                self.said.hear(&line);
                self.stderr.push(&line);
            }
        }
    }
}

fn wait(
    child: &mut dyn ChildWrapper,
    lines: &Receiver<(Stream, String)>,
    context: &mut StepContext<'_>,
    heard: &mut Heard<'_>,
) -> Result<ExitStatus, Failure> {
    let gone =
        |error: std::io::Error| Failure::new(FailureClass::Ambiguous, format!("cargo cannot be waited for: {error}"));
    let mut silent = false;
    let status = loop {
        if silent {
            std::thread::sleep(LOOK);
        } else {
            match lines.recv_timeout(LOOK) {
                Ok(line) => {
                    heard.hear(line, context);
                    if context.check().is_ok() {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => silent = true,
            }
        }
        if let Some(status) = child.try_wait().map_err(gone)? {
            break status;
        }
        if let Err(over) = context.check() {
            // The group may be gone already.
            let _ = child.start_kill();
            let _ = child.wait();
            return Err(over);
        }
    };
    let until = Instant::now() + AFTERMATH;
    while Instant::now() < until
        && let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        heard.hear(line, context);
    }
    Ok(status)
}

/// Reads a stream to its end, line by line, also when nobody listens any more: a pipe that nobody reads stops the command.
fn listen(stream: impl Read + Send + 'static, which: Stream, give: SyncSender<(Stream, String)>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        while let Ok(Some(line)) = begin_of_line(&mut stream) {
            let _ = give.send((which, line));
        }
    });
}

/// Reads a line to its end, and gives what it begins with.
fn begin_of_line(stream: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let looked_at = (LINE + BEYOND) as u64;
    if stream.by_ref().take(looked_at).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() as u64 == looked_at && !line.ends_with(b"\n") {
        stream.skip_until(b'\n')?;
    }
    let text = String::from_utf8_lossy(&line);
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::world::Stop;

    /// (Pass) A secret is hidden wherever it stands, and what is too short to be one hides nothing.
    #[test]
    fn secrets_are_hidden() {
        let secrets = Secrets::of(["s3cret-token\n".to_owned(), "a".to_owned()]);
        assert_eq!(secrets.hide("a token=s3cret-token, s3cret-tokens"), "a token=[hidden], [hidden]s");
        let secrets = Secrets::of(["s3cret", "s3cret-token"].map(str::to_owned));
        assert_eq!(secrets.hide("s3cret-token"), "[hidden]", "one begins with the other");
    }

    /// (Pass) Of a long line only the beginning is told, and no part of a secret that reaches beyond it.
    #[test]
    fn long_lines_are_cut() {
        let secret = "s3cret-token";
        let secrets = Secrets::of([secret.to_owned()]);
        for before in LINE - secret.len()..=LINE {
            let line = format!("{}{secret}{}\nnext\n", "x".repeat(before), "y".repeat(LINE * 4));
            let mut stream = line.as_bytes();
            let begin = begin_of_line(&mut stream).expect("it reads").expect("a line");
            let (stdout, stderr) = (Tail::default(), Tail::default());
            let mut heard = Heard { stdout, stderr, said: Said::default(), secrets: &secrets };
            let stop = Stop::default();
            let mut context = StepContext { until: Instant::now(), stop: &stop, progress: &mut () };
            heard.hear((Stream::Stdout, begin), &mut context);
            let told = heard.stdout.text();
            assert!(told.len() <= LINE + 1 && !told.contains("s3c"), "{before}");
            assert_eq!(begin_of_line(&mut stream).expect("it reads").as_deref(), Some("next"));
            assert_eq!(begin_of_line(&mut stream).expect("it reads"), None);
        }
    }

    /// (Pass) The tail is the end of what was printed, however much that was.
    #[test]
    fn tails_are_bounded() {
        let mut tail = Tail::default();
        (0..10_000).for_each(|line| tail.push(&format!("line {line}")));
        let text = tail.text();
        assert!(text.len() <= TAIL && text.ends_with("line 9999\n"), "{}", text.len());
    }
}
