//! Lines that stand in a log's file, taken into account.

use std::collections::HashSet;
use std::io;

use camino::Utf8Path;

use super::error::LogError;
use super::writer::Projection;
use crate::event::LogEntry;
use crate::follow::{Follower, Seen};
use crate::line::error::LineError;
use crate::survey::{Regard, Survey, What};
use crate::vocabulary::EventType;

/// What is wanted of the events of a log that is written: those that its observer looks at.
pub(super) fn regard<O: Projection>(type_name: &str) -> Regard<()> {
    if O::looks_at(type_name) { Regard::Whole } else { Regard::Quiet }
}

/// Takes lines into account that stand in the file.
pub(super) struct Taking<'w, O> {
    pub(super) path: &'w Utf8Path,
    pub(super) follower: &'w mut Follower,
    pub(super) observer: &'w mut O,
    pub(super) named_tails: &'w mut HashSet<String>,
}

/// Why lines cannot be taken into account.
pub(super) enum Failed {
    Log(LogError),
    Read(io::Error),
}

impl From<io::Error> for Failed {
    fn from(source: io::Error) -> Self {
        Self::Read(source)
    }
}

impl<O: Projection> Taking<'_, O> {
    pub(super) fn take(&mut self, survey: Survey<'_, ()>) -> Result<(), Failed> {
        let Self { path, follower, observer, named_tails } = self;
        follower.take(survey, |seen, place| {
            let Seen { line, what, followed } = seen;
            let path = path.to_owned();
            if let Some(What::Corrupt(corruption)) = what {
                return Err(Failed::Log(LogError::Corrupt { path, line, corruption: *corruption }));
            }
            if let Some(found) = followed.breaks.into_iter().next() {
                return Err(Failed::Log(LogError::Broken { path, line, found }));
            }
            if let Some(What::Event(event)) = what {
                if let EventType::TailRepaired(repaired) = &event.event_type {
                    named_tails.insert(repaired.blake3.clone());
                }
                observer.observe(&LogEntry { line, event: *event }, place);
            }
            Ok(())
        })
    }

    pub(super) fn corrupt(&self, line: u64, corruption: LineError) -> LogError {
        LogError::Corrupt { path: self.path.to_owned(), line, corruption }
    }
}
