//! The fold of a whole log, with the head of the latest completion.

use std::io::{self, Read};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::scan::{LineCursor, Projection, read_projection};
use shipper_events::write::{Markers, markers};
use shipper_events::{EventType, Head, LogEntry, ReadError};
use thiserror::Error;

use crate::fold::receipt::Receipt;
use crate::fold::state::{GateState, is_reserved_event_type};

/// Projection of a log to its [`GateState`] and its latest completion.
#[derive(Debug, Clone, Default)]
pub struct GateProjection {
    state: GateState,
    completion: Option<(Arc<Receipt>, Head)>,
}

/// The error of [`GateProjection::open`]. If it occurs, the caller must decide nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenGateError {
    /// The file cannot be opened, or a marker beside it cannot be looked up.
    #[error("cannot open the log {path}")]
    Io {
        /// Path of the log.
        path: Utf8PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
    /// The log cannot be read, or is not valid.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A torn tail was cut off and saved, but the repair is not recorded: the log may lack a failure.
    #[error("cannot trust the log {path}: {marker} marks a repair that is not recorded")]
    RepairInterrupted {
        /// Path of the log.
        path: Utf8PathBuf,
        /// Path of the marker.
        marker: Utf8PathBuf,
    },
    /// A sync of the log failed: its lines may not be on the disk.
    #[error("cannot trust the log {path}: {marker} marks an earlier failed sync")]
    SyncFailed {
        /// Path of the log.
        path: Utf8PathBuf,
        /// Path of the marker.
        marker: Utf8PathBuf,
    },
}

impl GateProjection {
    /// Reads the log at a path to its end. Looks for a marker beside the log, before and after it reads it.
    ///
    /// # Errors
    ///
    /// [`OpenGateError::Io`] if the file cannot be opened. [`OpenGateError::Read`] if it cannot be read or is not valid,
    /// as for [`read`](Self::read). [`OpenGateError::RepairInterrupted`] or [`OpenGateError::SyncFailed`] if a marker
    /// exists. The caller must then decide nothing.
    pub fn open(path: impl AsRef<Utf8Path>) -> Result<Self, OpenGateError> {
        let path = path.as_ref();
        refuse_marked(path)?;
        let failed = |source| OpenGateError::Io { path: path.to_owned(), source };
        let file = fs_err::File::open(path).map_err(failed)?;
        let gate = Self::read(file)?;
        // A repair may have begun since the first look.
        refuse_marked(path)?;
        Ok(gate)
    }

    /// Reads a log to its end. A stream has no path, so this cannot find a marker of an interrupted repair or of a
    /// failed sync: a caller that knows the path uses [`open`](Self::open), or looks with [`markers`].
    ///
    /// # Errors
    ///
    /// As for [`read_projection`]: [`ReadError::Corrupt`], [`ReadError::Chain`], [`ReadError::TornTail`] or
    /// [`ReadError::Io`]. The caller must then decide nothing.
    pub fn read(stream: impl Read) -> Result<Self, ReadError> {
        read_projection(stream, Self::default()).map(|(gate, _)| gate)
    }

    /// Returns the state of the gate.
    pub fn state(&self) -> &GateState {
        &self.state
    }

    /// Returns the receipt of the latest `rehearsal_complete` and the head of the log up to that line: the content of the
    /// sidecar. `None` if there is no completion. It is not the receipt of the state if a later rehearsal was abandoned
    /// after a failure.
    pub fn latest_completion(&self) -> Option<&(Arc<Receipt>, Head)> {
        self.completion.as_ref()
    }
}

/// Fails if a marker exists beside the log.
fn refuse_marked(path: &Utf8Path) -> Result<(), OpenGateError> {
    let path = path.to_owned();
    match markers(&path) {
        Ok(Markers { repair_interrupted: Some(marker), .. }) => Err(OpenGateError::RepairInterrupted { path, marker }),
        Ok(Markers { sync_failed: Some(marker), .. }) => Err(OpenGateError::SyncFailed { path, marker }),
        Ok(_) => Ok(()),
        Err(source) => Err(OpenGateError::Io { path, source }),
    }
}

impl Projection for GateProjection {
    // Every event type that `GateState::evolve` handles must be accepted.
    fn reads(event_type: &str) -> bool {
        is_reserved_event_type(event_type) || event_type == "tail_repaired"
    }

    /// A lost line can be a failure only while a rehearsal is open: `docs/log-format.md`, "Writing".
    fn depends_on_next_line(&self) -> bool {
        self.state.open_rehearsal().is_some()
    }

    fn apply(&mut self, entry: &LogEntry, cursor: &mut LineCursor<'_>) {
        self.state.evolve(entry.line, &entry.event);
        if let EventType::RehearsalComplete(_) = entry.event.event_type {
            self.completion = self.state.receipt().map(|receipt| (Arc::clone(receipt), cursor.head()));
        }
    }
}
