//! Running cargo: its output is read while it runs, its tails are kept, and it ends when it must, with everything that it
//! started.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};

use crate::release::world::{Class, Failure, Moment, Tails};

/// How much of each stream is kept, in bytes.
const TAIL: usize = 8 * 1024;

/// How much of a line is passed on, in bytes.
const LINE: u64 = 8 * 1024;

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
        Self(secrets.into_iter().map(|secret| secret.trim().to_owned()).filter(|secret| secret.len() >= 6).collect())
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

/// Runs a command to its end, or ends it.
pub(super) fn run(
    command: Command,
    moment: &mut Moment<'_>,
    secrets: &Secrets,
) -> Result<(ExitStatus, Tails), Failure> {
    let mut wrap = CommandWrap::from(command);
    wrap.command_mut().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What it starts ends with it.
    #[cfg(unix)]
    wrap.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    wrap.wrap(process_wrap::std::JobObject);
    let mut child = wrap.spawn().map_err(|error| {
        Failure::new(Class::Permanent, format!("cargo could not be started: {error}; is it installed and on the path?"))
    })?;
    let (give, lines) = channel();
    if let Some(stdout) = child.stdout().take() {
        listen(stdout, Stream::Stdout, give.clone());
    }
    if let Some(stderr) = child.stderr().take() {
        listen(stderr, Stream::Stderr, give);
    }
    let mut heard = Heard { stdout: Tail::default(), stderr: Tail::default(), secrets };
    let ended = wait(&mut *child, &lines, moment, &mut heard);
    let tails = Tails { stdout: heard.stdout.text(), stderr: heard.stderr.text() };
    match ended {
        Ok(status) => Ok((status, tails)),
        Err(failure) => Err(Failure { tails, ..failure }),
    }
}

struct Heard<'s> {
    stdout: Tail,
    stderr: Tail,
    secrets: &'s Secrets,
}

impl Heard<'_> {
    fn hear(&mut self, (stream, line): (Stream, String), moment: &mut Moment<'_>) {
        let line = self.secrets.hide(&line);
        moment.progress.output(&line);
        match stream {
            Stream::Stdout => self.stdout.push(&line),
            Stream::Stderr => self.stderr.push(&line),
        }
    }
}

fn wait(
    child: &mut dyn ChildWrapper,
    lines: &Receiver<(Stream, String)>,
    moment: &mut Moment<'_>,
    heard: &mut Heard<'_>,
) -> Result<ExitStatus, Failure> {
    let gone = |error: std::io::Error| Failure::new(Class::Ambiguous, format!("cargo cannot be waited for: {error}"));
    let mut silent = false;
    let status = loop {
        if silent {
            std::thread::sleep(LOOK);
        } else {
            match lines.recv_timeout(LOOK) {
                Ok(line) => {
                    heard.hear(line, moment);
                    if moment.check().is_ok() {
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
        if let Err(over) = moment.check() {
            // The group may be gone already.
            let _ = child.start_kill();
            let _ = child.wait();
            return Err(over);
        }
    };
    let until = Instant::now() + AFTERMATH;
    while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
        heard.hear(line, moment);
    }
    Ok(status)
}

/// Reads a stream to its end, line by line, also when nobody listens any more: a pipe that nobody reads stops the command.
fn listen(stream: impl Read + Send + 'static, which: Stream, give: Sender<(Stream, String)>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut stream).take(LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    let text = String::from_utf8_lossy(&line);
                    let _ = give.send((which, text.trim_end_matches(['\n', '\r']).to_owned()));
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Pass) A secret is hidden wherever it stands, and what is too short to be one hides nothing.
    #[test]
    fn secrets_are_hidden() {
        let secrets = Secrets::of(["s3cret-token\n".to_owned(), "a".to_owned()]);
        assert_eq!(secrets.hide("a token=s3cret-token, s3cret-tokens"), "a token=[hidden], [hidden]s");
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
