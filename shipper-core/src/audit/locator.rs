//! Finding the line that a demand names by time.

use std::io::{self, Read};

use shipper_events::scan::LineReader;
use shipper_events::{ParsedLine, Timestamp, parse_line};

use super::auditor::Auditor;

/// Looks for the last line that is stamped not later than a time; then the same bytes are audited up to it.
///
/// Times in a log may go backwards, so the place is known only when the whole log has been seen.
#[derive(Debug, Clone)]
pub struct Locator {
    auditor: Auditor,
    until: Timestamp,
}

impl Locator {
    pub(super) fn new(auditor: Auditor, until: Timestamp) -> Self {
        Self { auditor, until }
    }

    /// Reads the log and returns the auditor for the prefix that was found: feed it the same log from its start.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub fn locate(self, read: impl Read) -> io::Result<Auditor> {
        let (mut lines, mut line, mut found) = (LineReader::new(read), 0, 0);
        while let Some(bytes) = lines.next_line()? {
            line += 1;
            if let Ok(ParsedLine::Event(event)) = parse_line(bytes)
                && event.instant() <= self.until.instant()
            {
                found = line;
            }
        }
        Ok(self.auditor.up_to(found))
    }
}
