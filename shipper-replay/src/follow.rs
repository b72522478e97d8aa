//! Printer of the events of a log as it grows (`--follow`), with the report at the end.

use std::collections::HashSet;
use std::io::{self, Read, Write};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err::File;
use shipper_core::audit::{
    AuditOptions, Auditor, Conclusion, Finding, FindingCode, Level, LogAudit, LogReport, Report, SidecarInput,
};
use shipper_events::is_display_safe;

use crate::audit::{AuditCommandError, select_inputs};
use crate::cli::Cli;
use crate::formats::human::{TimelinePrinter, finding_filter};
use crate::formats::text::phrases::path_text;
use crate::inputs::Input;
use crate::log_source::{READ_LEN, read_chunks, reread};
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
    /// The user interrupted the program, or the file has changed in the way that the text describes.
    File(File, Option<&'static str>),
    /// The log cannot be read.
    Unreadable(io::Error),
}

/// Follows a log until the user interrupts the program. Returns the view of the bytes that were read.
pub(crate) fn run_follow(cli: &Cli, out: &mut dyn Write) -> Result<ReportView, AuditCommandError> {
    let (inputs, _) = select_inputs(cli)?;
    let path = Utf8Path::new(inputs.first().map_or("-", Input::path));
    let options = cli.audit_options();
    let auditor = Auditor::new(options.clone(), SidecarInput::NotRequested)?;
    let interrupt = || {
        INTERRUPTS.fetch_add(1, Ordering::Relaxed);
    };
    let mut session = FollowSession {
        auditor: auditor.with_timeline(),
        options,
        out,
        timeline: TimelinePrinter::default(),
        findings: HashSet::new(),
        conclusion: None,
        is_behind: false,
        next_update: None,
    };
    let reason = match ctrlc::set_handler(interrupt) {
        Err(error) => StopReason::Unreadable(io::Error::other(error)),
        Ok(()) if path == "-" => session.read_stream(io::stdin())?,
        Ok(()) => session.read_path(path)?,
    };
    session.finish(path, reason, cli)
}

/// An audit of a log that is still written, and the record of what is printed already.
struct FollowSession<'o> {
    auditor: Auditor,
    options: AuditOptions,
    out: &'o mut dyn Write,
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
    fn read_stream(&mut self, stream: impl Read + Send + 'static) -> Result<StopReason, AuditCommandError> {
        let (sender, chunks) = sync_channel(CHANNEL_CAPACITY);
        // A read on this thread would block updates and interrupts.
        std::thread::spawn(move || {
            if let Err(error) = read_chunks(stream, |chunk| sender.send(Ok(chunk.to_vec())).is_ok()) {
                let _ = sender.send(Err(error));
            }
        });
        while INTERRUPTS.load(Ordering::Relaxed) == 0 {
            match chunks.recv_timeout(POLL_INTERVAL) {
                Ok(Ok(chunk)) => self.feed(&chunk)?,
                Ok(Err(error)) => return Ok(StopReason::Unreadable(error)),
                Err(RecvTimeoutError::Timeout) => self.print_update()?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.print_update()?;
        Ok(StopReason::EndOfStream)
    }

    fn read_path(&mut self, path: &Utf8Path) -> Result<StopReason, AuditCommandError> {
        match File::open(path).and_then(|file| Ok((file.metadata()?.is_file(), file))) {
            Ok((true, file)) => self.read_file(file, path),
            Ok((false, file)) => self.read_stream(file),
            Err(error) => Ok(StopReason::Unreadable(error)),
        }
    }

    fn read_file(&mut self, mut file: File, path: &Utf8Path) -> Result<StopReason, AuditCommandError> {
        let changed = |file, change| Ok(StopReason::File(file, Some(change)));
        let (mut buffer, mut bytes) = (vec![0; READ_LEN], 0);
        // Length of the file at the first interrupt: the bytes up to it are audited.
        let mut end = None;
        loop {
            let (count, length) = match file.read(&mut buffer).and_then(|count| Ok((count, file.metadata()?.len()))) {
                Ok(read) => read,
                Err(error) => return Ok(StopReason::Unreadable(error)),
            };
            bytes += count as u64;
            if count > 0 {
                self.feed(buffer.get(..count).unwrap_or_default())?;
            } else {
                self.print_update()?;
            }
            match INTERRUPTS.load(Ordering::Relaxed) {
                0 => {}
                1 if bytes < *end.get_or_insert(length) && count > 0 => {}
                1 => {
                    self.print_update()?;
                    return Ok(StopReason::File(file, None));
                }
                _ => return changed(file, "the user interrupted the program before the end of the log"),
            }
            if count > 0 {
                continue;
            }
            if length < bytes {
                return changed(file, "the log became shorter during the audit");
            }
            match is_at_path(&file, path) {
                Ok(true) => {}
                Ok(false) => return changed(file, "another file replaced the log"),
                Err(_) => return changed(file, "the log is no longer at this path"),
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Audits the next bytes and prints their events. Findings are printed when the log pauses, and at intervals.
    fn feed(&mut self, bytes: &[u8]) -> Result<(), AuditCommandError> {
        self.auditor.feed(bytes);
        for entry in &self.auditor.drain_entries() {
            print(self.out, &self.timeline.print(entry))?;
        }
        self.out.flush()?;
        self.is_behind = true;
        let now = Instant::now();
        if now < *self.next_update.get_or_insert(now + MIN_UPDATE_INTERVAL) { Ok(()) } else { self.print_update() }
    }

    /// Prints the new findings, and the conclusion if it changed.
    fn print_update(&mut self) -> Result<(), AuditCommandError> {
        if !std::mem::take(&mut self.is_behind) {
            return Ok(());
        }
        let started = Instant::now();
        // The tail is not torn: another process may be writing the line.
        let audit = self.auditor.audit_so_far()?;
        let heads = [self.options.extends, self.options.since];
        // A head of more lines than the log has so far is not a mismatch yet.
        if heads.into_iter().flatten().all(|head| head.lines <= audit.lines) {
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

    /// Returns the view of the bytes that were read. If the file has changed, the exit status is not 0.
    fn finish(self, path: &Utf8Path, reason: StopReason, cli: &Cli) -> Result<ReportView, AuditCommandError> {
        let mut audit = self.auditor.finish()?;
        // The timeline is printed already.
        audit.clear_timeline();
        let (file, change) = match reason {
            StopReason::Unreadable(error) => {
                let unreadable = LogReport::unreadable(path.as_str(), error.to_string());
                return Ok(ReportView::new(Report::new(self.options, vec![unreadable])));
            }
            StopReason::EndOfStream => (None, None),
            StopReason::File(file, Some(change)) => (Some(file), Some(change)),
            StopReason::File(file, None) => {
                let is_intact =
                    reread(path.as_str(), Some(&file), &audit, |_| Ok(())).is_ok_and(|bytes| bytes.is_some());
                (Some(file), (!is_intact).then_some("the log changed during the audit"))
            }
        };
        let mut view = ReportView::new(Report::new(self.options, vec![LogReport::audited(path.as_str(), audit)]));
        if let Some(change) = change {
            view.report.exit_code = Conclusion::combine([view.report.conclusion, Conclusion::Unjudged]).exit_code();
            print(self.out, &format!("{}: {change}; the report covers what was read\n", path_text(path.as_str())))?;
        }
        print(self.out, "\n")?;
        if let Some(filter) = finding_filter(cli.detail()) {
            view.load_excerpts(filter, &[0], &file.map(|file| (0, file)).into_iter().collect());
        }
        Ok(view)
    }
}

/// Returns whether the path still names the open file. It does not open the path: another process may have put a named pipe
/// there, and opening that would block.
#[cfg(unix)]
fn is_at_path(file: &File, path: &Utf8Path) -> io::Result<bool> {
    let (opened, now) = (file.metadata()?, path.metadata()?);
    Ok((opened.dev(), opened.ino()) == (now.dev(), now.ino()))
}

#[cfg(not(unix))]
fn is_at_path(file: &File, path: &Utf8Path) -> io::Result<bool> {
    Ok(same_file::Handle::from_file(file.file().try_clone()?)? == same_file::Handle::from_path(path)?)
}

/// Writes text. The caller escapes texts from a log; any other character that is not safe to display becomes `?`.
fn print(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let shown = |character| if character == '\n' || is_display_safe(character) { character } else { '?' };
    let text: String = text.chars().map(shown).collect();
    out.write_all(text.as_bytes())
}
