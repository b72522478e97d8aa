//! Audits of a whole log in one call.

use std::io::{self, Read, Seek};

use camino::Utf8Path;
use shipper_events::scan::LineReader;
use shipper_events::{ParsedLine, Timestamp, parse_line};

use super::auditor::{AuditError, Auditor};
use crate::audit::options::{AsOf, AuditOptions, ComparedFiles};
use crate::audit::report::LogAudit;
use crate::audit::surroundings::LogSurroundings;

/// Audits a log without a path: markers and earlier logs beside it are not known. Reads from the current position of
/// `read` to its end. A long log is scanned on several threads.
///
/// # Errors
///
/// [`AuditError::BeyondEnd`] if the options name a line that the log does not have, [`AuditError::UnresolvedTime`] if they
/// name a time, [`AuditError::Read`] if `read` fails.
///
/// ```
/// use shipper_core::audit::{AuditOptions, Conclusion, SidecarInput, audit_reader};
/// let audit = audit_reader(&b""[..], SidecarInput::NotRequested, &AuditOptions::default())?;
/// assert_eq!(audit.conclusion(), Conclusion::Inconclusive, "an empty log proves nothing");
/// # Ok::<(), shipper_core::audit::AuditError>(())
/// ```
pub fn audit_reader(
    read: impl Read,
    files: impl Into<ComparedFiles>,
    options: &AuditOptions,
) -> Result<LogAudit, AuditError> {
    Auditor::new(options.clone(), files)?.read_to_end(read)
}

/// Audits the log at a path, with the [files beside it](LogSurroundings). If the options name a time, it reads the file twice, so it must be a regular file.
///
/// # Errors
///
/// [`AuditError::BeyondEnd`] if the options name a line that the log does not have, [`AuditError::Read`] if the file cannot
/// be opened or read.
///
/// ```no_run
/// use shipper_core::audit::{AuditOptions, Conclusion, SidecarInput, audit_path};
/// let audit = audit_path("events.jsonl", SidecarInput::NotRequested, &AuditOptions::default())?;
/// if audit.conclusion() != Conclusion::Verified {
///     audit.findings.iter().for_each(|finding| eprintln!("{}: {}", finding.code, finding.message));
/// }
/// # Ok::<(), shipper_core::audit::AuditError>(())
/// ```
pub fn audit_path(
    path: impl AsRef<Utf8Path>,
    files: impl Into<ComparedFiles>,
    options: &AuditOptions,
) -> Result<LogAudit, AuditError> {
    let (auditor, surroundings) = LogSurroundings::around(path.as_ref(), || {
        let mut file = fs_err::File::open(path.as_ref())?;
        let mut options = options.clone();
        if let Some(AsOf::Timestamp(until)) = &options.at {
            options.at = Some(AsOf::Line(resolve_as_of(&mut file, until)?));
            file.rewind()?;
        }
        let mut auditor = Auditor::new(options, files)?;
        auditor.feed_all(file)?;
        Ok::<_, AuditError>(auditor)
    })?;
    auditor.with_surroundings(surroundings).finish()
}

/// Returns the number of lines up to the last one whose timestamp is not later than `until`; 0 if there is none. A
/// corrupt line is counted, but has no timestamp. Reads the whole log, because times in it may go backwards.
///
/// # Errors
///
/// Returns the error of `read`.
pub fn resolve_as_of(read: impl Read, until: &Timestamp) -> io::Result<u64> {
    let (mut lines, mut line, mut resolved) = (LineReader::new(read), 0, 0);
    while let Some(bytes) = lines.next_line()? {
        line += 1;
        if let Ok(ParsedLine::Event(event)) = parse_line(bytes)
            && event.instant() <= until.instant()
        {
            resolved = line;
        }
    }
    Ok(resolved)
}
