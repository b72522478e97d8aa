//! The files beside a log that an audit must know: markers of writers, and an earlier log that was moved aside.

use std::io;

use camino::Utf8Path;
use fs_err::File;
use shipper_events::scan::LineReader;
use shipper_events::write::markers;
use shipper_events::{ClaimedHead, EventType, HeadHasher, ParsedLine, parse_line};

/// The files beside a log. The default is for a log without a path, such as a stream: an audit then cannot know them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogSurroundings {
    /// True if a marker shows that a repair of a torn tail was interrupted.
    pub repair_interrupted: bool,
    /// True if a marker shows that a sync of the log failed.
    pub sync_failed: bool,
    /// Path of the file beside the log that has the head that its `log_continued` records. `None` if there is none.
    pub earlier_log: Option<String>,
}

impl LogSurroundings {
    /// Reads what is beside the log at a path. Read it before the log: a writer may complete a repair in between.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system if the log, its directory or a candidate for the earlier log cannot be read.
    pub fn read(log: &Utf8Path) -> io::Result<Self> {
        // A pipe is beside nothing, and its bytes can be read only once.
        if !log.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(Self::default());
        }
        let markers = markers(log)?;
        let earlier_log = match continued_head(log)? {
            Some(head) => find_beside(log, &head)?,
            None => None,
        };
        let (repair_interrupted, sync_failed) = (markers.repair_interrupted.is_some(), markers.sync_failed.is_some());
        Ok(Self { repair_interrupted, sync_failed, earlier_log })
    }

    /// Returns whether a marker forbids the gate to authorize.
    pub fn has_marker(&self) -> bool {
        self.repair_interrupted || self.sync_failed
    }
}

/// Returns the head that the first line of a log continues.
fn continued_head(log: &Utf8Path) -> io::Result<Option<ClaimedHead>> {
    let mut lines = LineReader::new(File::open(log)?);
    let parsed = lines.next_line()?.map(parse_line);
    let Some(Ok(ParsedLine::Event(event))) = parsed.filter(is_continuation) else {
        return Ok(None);
    };
    Ok(match event.into_event().event_type {
        EventType::LogContinued(continued) => Some(continued.head()),
        _ => None,
    })
}

fn is_continuation<E>(parsed: &Result<ParsedLine<'_>, E>) -> bool {
    matches!(parsed, Ok(ParsedLine::Event(event)) if event.type_name() == "log_continued")
}

/// Returns the path of the file that was moved aside from the log and has that head.
fn find_beside(log: &Utf8Path, head: &ClaimedHead) -> io::Result<Option<String>> {
    let (Some(name), Some(directory)) = (log.file_name(), log.parent()) else {
        return Ok(None);
    };
    let directory = if directory.as_str().is_empty() { Utf8Path::new(".") } else { directory };
    let mut found: Vec<_> = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let Ok(entry_name) = entry.file_name().into_string() else { continue };
        let is_candidate = entry_name.strip_prefix(name).is_some_and(|suffix| suffix.starts_with(".aside-"));
        let metadata = entry.metadata()?;
        if is_candidate && metadata.is_file() && head.bytes == metadata.len() {
            found.push(log.with_file_name(entry_name));
        }
    }
    found.sort_unstable();
    for path in found {
        let (mut lines, mut hasher) = (LineReader::new(File::open(&path)?), HeadHasher::new());
        while let Some(line) = lines.next_line()? {
            hasher.push_line(line);
        }
        if head.matches(&hasher.head()) {
            return Ok(Some(path.into_string()));
        }
    }
    Ok(None)
}
