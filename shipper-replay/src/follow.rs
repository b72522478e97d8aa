//! Following a log that is being written: what comes is told as it comes, and the report when somebody ends it.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err::File;
use same_file::Handle;
use shipper_core::audit::{
    AuditOptions, Auditor, Conclusion, FindingCode, Level, LogAudit, LogReport, Report, SidecarInput,
};
use shipper_events::{display_safe, is_display_safe};

use crate::account::{Account, Again};
use crate::cli::Cli;
use crate::human::{Style, Telling, showing};
use crate::input::Input;
use crate::judge::{JudgeError, inputs};

/// How long to wait before a look at whether more was written.
const PAUSE: Duration = Duration::from_millis(100);

/// How much is read at a time, in bytes.
const BUFFER: usize = 256 * 1024;

/// How many new findings are told at a time; the report has them all.
const TOLD: usize = 20;

/// How often to tell at least what was found, while more and more comes.
const SELDOM: Duration = Duration::from_secs(1);

/// How many pieces of a stream may wait to be judged.
const WAITING: usize = 4;

/// What ended the following.
enum End {
    /// The stream is at its end, or somebody asked for it.
    Stream,
    /// Somebody asked for it, and the file is still there.
    Asked(File),
    /// The file is no longer the one that was read, or was not read to its end.
    Gone(File, &'static str),
    /// It cannot be read.
    Unreadable(io::Error),
}

/// Follows a log to its end, telling what comes; gives the account of what was read and the exit status.
pub(crate) fn follow(cli: &Cli, out: &mut dyn Write) -> Result<(Account, Conclusion), JudgeError> {
    let (inputs, _) = inputs(cli)?;
    let path = Utf8Path::new(inputs.first().map_or("-", Input::path));
    let demand = cli.demand();
    let auditor = Auditor::new(demand.clone(), SidecarInput::NotRequested).map_err(|_| JudgeError::NotFollowed)?;
    let asked = Arc::new(AtomicU32::new(0));
    let ask = Arc::clone(&asked);
    let ask = move || {
        ask.fetch_add(1, Ordering::Relaxed);
    };
    let mut follower = Follower { auditor: auditor.with_timeline(), demand, asked, told: Told::default() };
    let style = Style::of(cli);
    let end = match ctrlc::set_handler(ask) {
        Err(error) => End::Unreadable(io::Error::other(error)),
        Ok(()) if path == "-" => follower.read_stream(io::stdin(), out)?,
        Ok(()) => follower.read_file(path, out)?,
    };
    let mut audit = follower.auditor.finish()?;
    // It was told already.
    audit.clear_timeline();
    let mut conclusion = audit.conclusion();
    let file = match end {
        End::Unreadable(error) => {
            let unreadable = LogReport::unreadable(path.as_str(), error.to_string());
            let report = Report::new(follower.demand, vec![unreadable]);
            let conclusion = report.conclusion;
            return Ok((Account::new(report, HashMap::new(), None, &[]), conclusion));
        }
        End::Stream => None,
        End::Asked(mut file) => {
            if file.rewind().and_then(|()| Again::of(&mut file, &audit).agrees()).unwrap_or(false) {
                Some(file)
            } else {
                conclusion = Conclusion::combine([conclusion, Conclusion::Unjudged]);
                let path = display_safe(path.as_str()).max_chars(400).to_string();
                say(
                    out,
                    &format!("{path}: the log was changed while it was followed; this is the report on what was read"),
                )?;
                None
            }
        }
        End::Gone(file, why) => {
            // What was read is no longer what is there.
            conclusion = Conclusion::combine([conclusion, Conclusion::Unjudged]);
            say(
                out,
                &format!("{}: {why}; this is the report on what was read", display_safe(path.as_str()).max_chars(400)),
            )?;
            file.metadata().is_ok_and(|now| now.len() >= audit.bytes).then_some(file)
        }
    };
    say(out, "")?;
    let report = Report::new(follower.demand, vec![LogReport::audited(path.as_str(), audit)]);
    let copies = file.map(|file| (0, file)).into_iter().collect();
    Ok((Account::new(report, copies, showing(style.detail), &[0]), conclusion))
}

struct Follower {
    auditor: Auditor,
    demand: AuditOptions,
    /// How often somebody asked for the end.
    asked: Arc<AtomicU32>,
    told: Told,
}

/// What was told already.
#[derive(Default)]
struct Told {
    telling: Telling,
    findings: HashSet<(FindingCode, Option<u64>, String)>,
    conclusion: Option<Conclusion>,
    /// Whether something came since.
    is_behind: bool,
    /// When it is to be told what was found, though more comes.
    due: Option<Instant>,
}

impl Follower {
    fn read_stream(&mut self, stream: impl Read + Send + 'static, out: &mut dyn Write) -> Result<End, JudgeError> {
        let (give, pieces) = sync_channel(WAITING);
        // A look whether there is more would wait for it.
        std::thread::spawn(move || read_pieces(stream, &give));
        while self.asked() == 0 {
            match pieces.recv_timeout(PAUSE) {
                Ok(Ok(piece)) => self.take(&piece, out)?,
                Ok(Err(error)) => return Ok(End::Unreadable(error)),
                Err(RecvTimeoutError::Timeout) => self.tell(out)?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.tell(out)?;
        Ok(End::Stream)
    }

    fn read_file(&mut self, path: &Utf8Path, out: &mut dyn Write) -> Result<End, JudgeError> {
        let opened = File::open(path).and_then(|file| {
            let handle = Handle::from_file(file.file().try_clone()?)?;
            Ok((file.metadata()?.is_file(), file, handle))
        });
        match opened {
            Ok((true, file, opened)) => self.read_opened(file, path, &opened, out),
            Ok((false, file, _)) => self.read_stream(file, out),
            Err(error) => Ok(End::Unreadable(error)),
        }
    }

    fn read_opened(
        &mut self,
        mut file: File,
        path: &Utf8Path,
        opened: &Handle,
        out: &mut dyn Write,
    ) -> Result<End, JudgeError> {
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        // How long the log was when somebody asked for the end: what was there then is judged.
        let mut wanted = None;
        loop {
            let (count, length) = match file.read(&mut buffer).and_then(|count| Ok((count, file.metadata()?.len()))) {
                Ok(read) => read,
                Err(error) => return Ok(End::Unreadable(error)),
            };
            bytes += count as u64;
            if count > 0 {
                self.take(buffer.get(..count).unwrap_or_default(), out)?;
            } else {
                self.tell(out)?;
            }
            match self.asked() {
                0 => {}
                1 if bytes < *wanted.get_or_insert(length) && count > 0 => {}
                1 => {
                    self.tell(out)?;
                    return Ok(End::Asked(file));
                }
                _ => return Ok(End::Gone(file, "it was ended before the log was read to its end")),
            }
            if count > 0 {
                continue;
            }
            if length < bytes {
                return Ok(End::Gone(file, "the log was cut while it was followed"));
            }
            match Handle::from_path(path) {
                Ok(named) if named == *opened => {}
                Ok(_) => return Ok(End::Gone(file, "another file was put in the log's place")),
                Err(_) => return Ok(End::Gone(file, "the log was moved away or removed")),
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Takes the next bytes and tells the events in them; what was found is told when nothing more comes, or seldom.
    fn take(&mut self, bytes: &[u8], out: &mut dyn Write) -> Result<(), JudgeError> {
        self.auditor.feed(bytes);
        for moment in &self.auditor.drain_entries() {
            write_plain(out, &self.told.telling.tell(moment))?;
        }
        out.flush().map_err(not_written)?;
        self.told.is_behind = true;
        let now = Instant::now();
        if now < *self.told.due.get_or_insert(now + SELDOM) { Ok(()) } else { self.tell(out) }
    }

    /// Tells what was found since the last time, and what it comes to.
    fn tell(&mut self, out: &mut dyn Write) -> Result<(), JudgeError> {
        if !std::mem::take(&mut self.told.is_behind) {
            return Ok(());
        }
        let begun = Instant::now();
        // A writer at work may be in the middle of a line.
        let so_far = self.auditor.audit_so_far()?;
        let kept = [self.demand.extends, self.demand.since];
        // Before a head that was kept is reached, nobody knows whether the log has it.
        if kept.into_iter().flatten().all(|head| head.lines <= so_far.lines) {
            self.tell_audit(&so_far, out)?;
        }
        // The more there is, the longer this takes: it shall not take more than a tenth of the time.
        self.told.due = Instant::now().checked_add(SELDOM.max(begun.elapsed() * 9));
        Ok(())
    }

    fn tell_audit(&mut self, so_far: &LogAudit, out: &mut dyn Write) -> Result<(), JudgeError> {
        let mut new = 0;
        for finding in so_far.findings.iter().filter(|finding| finding.level != Level::Note) {
            let key = (finding.code, finding.line, finding.message.to_string());
            if self.told.findings.insert(key) {
                new += 1;
                if new <= TOLD {
                    let place = finding.line.map_or(String::new(), |line| format!(" line {line}:"));
                    let (level, message) = (finding.level.as_str(), &finding.message);
                    write_plain(out, &format!("  {level}[{}]{place} {message}\n", finding.code))?;
                }
            }
        }
        if new > TOLD {
            write_plain(out, &format!("  and {} more findings; the report has them\n", new - TOLD))?;
        }
        let conclusion = so_far.conclusion();
        if self.told.conclusion.replace(conclusion) != Some(conclusion) {
            write_plain(out, &format!("  conclusion so far: {conclusion}\n"))?;
        }
        out.flush().map_err(not_written)
    }
}

/// Reads a stream to its end, for as long as somebody takes the pieces.
fn read_pieces(mut stream: impl Read, give: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let piece = match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => Ok(buffer.get(..count).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if give.send(piece).is_err() || is_last {
            return;
        }
    }
}

fn not_written(source: io::Error) -> JudgeError {
    JudgeError::NotWritten { source }
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), JudgeError> {
    write_plain(out, &format!("{line}\n"))
}

/// Texts from a log are made safe where they are put in; what is not plain all the same is shown as `?`.
fn write_plain(out: &mut dyn Write, text: &str) -> Result<(), JudgeError> {
    let shown = |character| if character == '\n' || is_display_safe(character) { character } else { '?' };
    out.write_all(text.chars().map(shown).collect::<String>().as_bytes()).map_err(not_written)
}
