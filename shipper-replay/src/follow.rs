//! Audit of a log as it grows (`--follow`), with the report at the end.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err::File;
use shipper_core::audit::{
    AuditOptions, Auditor, Conclusion, Finding, FindingCode, Level, LogAudit, LogReport, LogSurroundings, Report,
    SidecarInput,
};
use shipper_events::is_display_safe;

use crate::audit::{AuditCommandError, audit_options, select_inputs};
use crate::bundle;
use crate::chunks::{READ_LEN, read_chunks};
use crate::cli::{Cli, Detail, Format};
use crate::compression::{MAGIC_LEN, detect};
use crate::follow_file::{FileChange, FollowedFile, Growth};
use crate::formats::human::TimelinePrinter;
use crate::formats::text::phrases::path_text;
use crate::formats::{finding_filter, timeline};
use crate::inputs::Input;
use crate::streams::{WaitingReader, check_reader, stdin};
use crate::view::ReportView;

/// Interval at which a file that has not grown is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Most new findings that an update prints. The report contains all.
const MAX_FINDINGS_PER_UPDATE: usize = 20;

/// Least time between two updates while the log grows without a pause.
const MIN_UPDATE_INTERVAL: Duration = Duration::from_secs(1);

/// Most chunks of a stream that are read ahead of the audit.
const CHANNEL_CAPACITY: usize = 4;

/// Number of interrupts (Ctrl-C) by the user.
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// Reason why the program stops reading.
enum StopReason {
    /// The stream has ended, or the user interrupted the program.
    EndOfStream,
    /// The user interrupted the program. The text describes what the report does not cover, if anything.
    Interrupted(File, Option<&'static str>),
    /// The log cannot be read or followed.
    Unreadable(io::Error),
}

/// The end of a step: the reason to stop, or an error for a command without a report.
enum Stop {
    Reason(StopReason),
    Error(AuditCommandError),
}

impl From<FileChange> for Stop {
    fn from(change: FileChange) -> Self {
        io::Error::other(change).into()
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Reason(StopReason::Unreadable(error))
    }
}

impl From<AuditCommandError> for Stop {
    fn from(error: AuditCommandError) -> Self {
        Self::Error(error)
    }
}

/// Follows a log until the user interrupts the program. Returns the view of the bytes that were read.
pub(crate) fn run_follow(cli: &Cli, out: &mut dyn Write) -> Result<ReportView, AuditCommandError> {
    if !matches!(cli.format, Format::Human | Format::Ndjson) {
        return Err(AuditCommandError::FollowFormat);
    }
    let (inputs, _) = select_inputs(cli)?;
    let path = Utf8Path::new(inputs.first().map_or("-", Input::path));
    if bundle::is_bundle(path) {
        return Err(AuditCommandError::FollowBundle);
    }
    let (options, _) = audit_options(cli)?;
    let auditor = Auditor::new(options.clone(), SidecarInput::NotRequested)?;
    let prints_events = cli.format == Format::Human && cli.detail() != Detail::Quiet;
    let interrupt = || {
        INTERRUPTS.fetch_add(1, Ordering::Relaxed);
    };
    let mut session = FollowSession {
        auditor: if prints_events || timeline(cli) { auditor.with_timeline() } else { auditor },
        options,
        out,
        prints_events,
        start: Vec::new(),
        timeline: TimelinePrinter::default(),
        findings: HashSet::new(),
        conclusion: None,
        is_behind: false,
        next_update: None,
    };
    let stop = match ctrlc::set_handler(interrupt) {
        Err(error) => Err(io::Error::other(error).into()),
        Ok(()) if path == "-" => stdin().map_err(Stop::from).and_then(|stream| session.read_stream(stream)),
        Ok(()) => session.read_path(path),
    };
    match stop {
        Ok(reason) | Err(Stop::Reason(reason)) => session.finish(path, reason, cli),
        Err(Stop::Error(error)) => Err(error),
    }
}

/// An audit of a log that is still written, and the record of what is printed already.
struct FollowSession<'o> {
    auditor: Auditor,
    options: AuditOptions,
    out: &'o mut dyn Write,
    /// True if events, findings and conclusions are printed before the report.
    prints_events: bool,
    /// The first bytes of the log.
    start: Vec<u8>,
    timeline: TimelinePrinter,
    findings: HashSet<(FindingCode, Option<u64>, String)>,
    /// The conclusion of the last update.
    conclusion: Option<Conclusion>,
    /// True if bytes were read after the last update.
    is_behind: bool,
    /// Time of the next update while the log grows; `None` before the first bytes.
    next_update: Option<Instant>,
}

impl FollowSession<'_> {
    fn read_stream(&mut self, stream: impl Read + Send + 'static) -> Result<StopReason, Stop> {
        let (sender, chunks) = sync_channel(CHANNEL_CAPACITY);
        // A read on this thread would block updates and interrupts.
        std::thread::spawn(move || {
            if let Err(error) = read_chunks(stream, |chunk| sender.send(Ok(chunk.to_vec())).is_ok()) {
                let _ = sender.send(Err(error));
            }
        });
        while INTERRUPTS.load(Ordering::Relaxed) == 0 {
            match chunks.recv_timeout(POLL_INTERVAL) {
                Ok(chunk) => {
                    self.feed(&chunk?)?;
                    if self.is_update_due() {
                        self.print_update(None)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.print_update(None)?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.print_update(None)?;
        Ok(StopReason::EndOfStream)
    }

    fn read_path(&mut self, path: &Utf8Path) -> Result<StopReason, Stop> {
        let mut is_waiting = false;
        loop {
            match File::open(path).and_then(|file| Ok((file.metadata()?.is_file(), file))) {
                Ok((true, file)) => return self.read_file(&mut FollowedFile::new(file, path)),
                Ok((false, file)) => return self.read_stream(WaitingReader(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound && INTERRUPTS.load(Ordering::Relaxed) == 0 => {
                    if !std::mem::replace(&mut is_waiting, true) {
                        // The report does not depend on the notice.
                        let _ = writeln!(io::stderr(), "waiting for {}", path_text(path.as_str()));
                    }
                    self.pause()?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read_file(&mut self, file: &mut FollowedFile<'_>) -> Result<StopReason, Stop> {
        let mut buffer = vec![0; READ_LEN];
        // Length of the file at the first interrupt: the bytes up to it are audited.
        let mut end = None;
        loop {
            let is_paused = match file.read(&mut buffer)? {
                Growth::Changed(change) => return Err(change.into()),
                Growth::Bytes(bytes) => {
                    self.feed(bytes)?;
                    false
                }
                Growth::Paused => true,
            };
            if is_paused || self.is_update_due() {
                self.print_update(Some(&mut *file))?;
            }
            let left_out = match INTERRUPTS.load(Ordering::Relaxed) {
                0 => {
                    if is_paused {
                        self.pause()?;
                    }
                    continue;
                }
                1 if !is_paused && file.bytes() < *end.get_or_insert(file.file_len()?) => continue,
                1 => None,
                _ => Some("the user interrupted the program before the end of the log"),
            };
            self.print_update(Some(&mut *file))?;
            if !file.is_intact()? {
                return Err(FileChange::Rewritten.into());
            }
            return Ok(StopReason::Interrupted(file.try_clone()?, left_out));
        }
    }

    /// Waits before the next poll. If the reader of standard output has ended, no later report can be written.
    fn pause(&self) -> Result<(), Stop> {
        std::thread::sleep(POLL_INTERVAL);
        check_reader().map_err(|error| AuditCommandError::from(error).into())
    }

    /// Audits the next bytes and prints their events.
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if self.start.len() < MAGIC_LEN {
            self.start.extend(bytes.iter().take(MAGIC_LEN - self.start.len()));
            if let Some(compression) = detect(&self.start).map_err(io::Error::other)? {
                return Err(io::Error::other(format!("cannot follow a compressed log ({compression})")).into());
            }
        }
        self.auditor.feed(bytes);
        self.is_behind = true;
        self.next_update.get_or_insert_with(|| Instant::now() + MIN_UPDATE_INTERVAL);
        if self.prints_events {
            self.print_entries().map_err(AuditCommandError::from)?;
        }
        Ok(())
    }

    fn print_entries(&mut self) -> io::Result<()> {
        for entry in &self.auditor.drain_entries() {
            print(self.out, &self.timeline.print(entry))?;
        }
        self.out.flush()
    }

    /// Returns whether findings are to be printed although the log grows without a pause.
    fn is_update_due(&self) -> bool {
        self.next_update.is_some_and(|next| Instant::now() >= next)
    }

    /// Prints the new findings, and the conclusion if it changed. Before an error is printed, it checks that all bytes are
    /// of one file.
    fn print_update(&mut self, file: Option<&mut FollowedFile<'_>>) -> Result<(), Stop> {
        if !std::mem::take(&mut self.is_behind) || !self.prints_events {
            return check_reader().map_err(|error| AuditCommandError::from(error).into());
        }
        let started = Instant::now();
        // The tail is not torn: another process may be writing the line.
        let audit = self.auditor.audit_so_far().map_err(AuditCommandError::from)?;
        let heads = [self.options.extends, self.options.since];
        // A head of more lines than the log has so far is not a mismatch yet.
        if heads.into_iter().flatten().all(|head| head.lines <= audit.lines) {
            if let Some(file) = file
                && audit.findings.iter().any(|finding| finding.level == Level::Error)
                && !file.is_intact()?
            {
                return Err(FileChange::Rewritten.into());
            }
            self.print_audit(&audit)?;
        }
        // The duration of an update grows with the log. Updates take at most a tenth of the time.
        self.next_update = Instant::now().checked_add(MIN_UPDATE_INTERVAL.max(started.elapsed() * 9));
        Ok(())
    }

    fn print_audit(&mut self, audit: &LogAudit) -> Result<(), AuditCommandError> {
        let mut new: Vec<&Finding> = audit.findings.iter().filter(|finding| finding.level != Level::Note).collect();
        new.retain(|finding| self.findings.insert((finding.code, finding.line, finding.message.to_string())));
        for finding in new.iter().take(MAX_FINDINGS_PER_UPDATE) {
            let place = finding.line.map_or(String::new(), |line| format!(" line {line}:"));
            print(self.out, &format!("  {}[{}]{place} {}\n", finding.level, finding.code, finding.message))?;
        }
        if new.len() > MAX_FINDINGS_PER_UPDATE {
            let more = new.len() - MAX_FINDINGS_PER_UPDATE;
            print(self.out, &format!("  and {more} more findings, see the report\n"))?;
        }
        let conclusion = audit.conclusion();
        if self.conclusion.replace(conclusion) != Some(conclusion) {
            print(self.out, &format!("  conclusion so far: {conclusion}\n"))?;
        }
        Ok(self.out.flush()?)
    }

    fn unreadable(self, path: &Utf8Path, error: &io::Error) -> ReportView {
        let unreadable = LogReport::unreadable(path.as_str(), error.to_string());
        ReportView::new(Report::new(self.options, vec![unreadable]))
    }

    /// Returns the view of the bytes that were read. If they are not all of the log, the exit status is not 0.
    fn finish(self, path: &Utf8Path, reason: StopReason, cli: &Cli) -> Result<ReportView, AuditCommandError> {
        let (file, left_out) = match reason {
            StopReason::Unreadable(error) => return Ok(self.unreadable(path, &error)),
            StopReason::EndOfStream => (None, None),
            StopReason::Interrupted(file, left_out) => (Some(file), left_out),
        };
        // Standard input has no files beside it.
        let surroundings = if path == "-" { Ok(LogSurroundings::default()) } else { LogSurroundings::read(path) };
        let surroundings = match surroundings {
            Ok(surroundings) => surroundings,
            Err(error) => return Ok(self.unreadable(path, &error)),
        };
        let mut audit = self.auditor.with_surroundings(surroundings).finish()?;
        if self.prints_events {
            // The timeline is printed already.
            audit.clear_timeline();
        }
        let mut view = ReportView::new(Report::new(self.options, vec![LogReport::audited(path.as_str(), audit)]));
        if let Some(left_out) = left_out {
            view.report.exit_code = Conclusion::combine([view.report.conclusion, Conclusion::Unjudged]).exit_code();
            // The report is complete without the note.
            let _ = writeln!(io::stderr(), "{}: {left_out}; the report covers what was read", path_text(path.as_str()));
        }
        if self.prints_events {
            print(self.out, "\n")?;
        }
        if let Some(filter) = finding_filter(cli) {
            view.load_excerpts(filter, &[0], &file.map(|file| (0, file)).into_iter().collect());
        }
        Ok(view)
    }
}

/// Writes text. The caller escapes texts from a log; any other character that is not safe to display becomes `?`.
fn print(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let shown = |character| if character == '\n' || is_display_safe(character) { character } else { '?' };
    let text: String = text.chars().map(shown).collect();
    out.write_all(text.as_bytes())
}
