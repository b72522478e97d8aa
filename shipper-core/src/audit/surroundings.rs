//! The files beside a log that an audit must know: markers of writers, and an earlier log that was moved aside.

use std::io::{self, Read};

use camino::Utf8Path;
use fs_err::File;
use shipper_events::scan::LineReader;
use shipper_events::write::markers;
use shipper_events::{ClaimedHead, EventType, HeadHasher, ParsedLine, parse_line};

/// Most bytes of a `log_continued` line of which the earlier log is looked for. Those of our writers have about 300.
const MAX_CONTINUATION_LEN: u64 = 4096;

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
    /// Reads what is beside the log at a path now. [`around`](Self::around) is for a log that a writer may change.
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

    /// Calls `read`, which reads the log at the path, and returns its result with the files that are beside the log before
    /// or after that. A repair at work cuts off a torn tail after it made its marker, so one look could miss both.
    ///
    /// # Errors
    ///
    /// The error of `read`, or of [`read`](Self::read).
    pub fn around<T, E: From<io::Error>>(log: &Utf8Path, read: impl FnOnce() -> Result<T, E>) -> Result<(T, Self), E> {
        let before = Self::read(log)?;
        let result = read()?;
        let after = Self::read(log)?;
        let surroundings = Self {
            repair_interrupted: before.repair_interrupted || after.repair_interrupted,
            sync_failed: before.sync_failed || after.sync_failed,
            earlier_log: before.earlier_log.or(after.earlier_log),
        };
        Ok((result, surroundings))
    }

    /// Returns whether a marker forbids the gate to authorize.
    pub fn has_marker(&self) -> bool {
        self.repair_interrupted || self.sync_failed
    }
}

/// Returns the head that the first line of a log continues.
fn continued_head(log: &Utf8Path) -> io::Result<Option<ClaimedHead>> {
    let mut start = Vec::new();
    File::open(log)?.take(MAX_CONTINUATION_LEN).read_to_end(&mut start)?;
    let line = start.split_inclusive(|byte| *byte == b'\n').next().filter(|line| line.ends_with(b"\n"));
    let parsed = line.map(parse_line);
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
