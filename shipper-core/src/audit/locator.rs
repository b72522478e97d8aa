//! Finding the line that a demand names by time.

use shipper_events::{Cut, ParsedLine, Splitter, Timestamp, parse_line, scan};

use super::auditor::Auditor;

/// Looks for the last line that is stamped not later than a time; then the same bytes are audited up to it.
///
/// Times in a log may go backwards, so the place is known only when the whole log has been seen.
#[derive(Debug, Clone)]
pub struct Locator {
    auditor: Auditor,
    until: Timestamp,
    splitter: Splitter,
    line: u64,
    found: u64,
}

impl Locator {
    pub(super) fn new(auditor: Auditor, until: Timestamp) -> Self {
        Self { auditor, until, splitter: Splitter::new(), line: 0, found: 0 }
    }

    /// Takes the next bytes of the log, cut anywhere.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while let Some(cut) = self.splitter.next(&mut piece) {
            match cut {
                Cut::Lines(run) => {
                    for line in scan(run).0 {
                        self.line += 1;
                        if let Ok(ParsedLine::Event(record)) = parse_line(line)
                            && record.instant() <= self.until.instant()
                        {
                            self.found = self.line;
                        }
                    }
                }
                Cut::LongPart { ends_line, .. } => self.line += u64::from(ends_line),
            }
        }
    }

    /// The auditor for the prefix that was found: feed it the same log from its start.
    pub fn found(self) -> Auditor {
        self.auditor.up_to(self.found)
    }
}
