//! Projections: folds over the verified events of a log.

use std::io::Read;

use super::block::Interest;
use super::lines::Tail;
use super::reader::{ReadError, read_events};
use super::scanner::LogScanner;
use crate::event::LogEntry;
use crate::integrity::{Head, LineCursor};

/// A fold over the events of a verified log, in order. [`read_projection`] folds a log that is only read, a
/// [`LogWriter`](crate::write::LogWriter) one that is written.
pub trait Projection {
    /// Returns whether the projection reads events of this type. Every line is verified; events of other types are not
    /// built, which is several times faster.
    fn reads(event_type: &str) -> bool;

    /// Takes an event of a type that the projection reads. The cursor gives the head of the log up to and including the
    /// event's line.
    fn apply(&mut self, entry: &LogEntry, cursor: &mut LineCursor<'_>);
}

/// The projection that reads no event.
impl Projection for () {
    fn reads(_: &str) -> bool {
        false
    }

    fn apply(&mut self, _: &LogEntry, _: &mut LineCursor<'_>) {}
}

/// Returns the interest of a projection in a type of event.
pub(crate) fn interest<P: Projection>(event_type: &str) -> Interest {
    if P::reads(event_type) { Interest::Full } else { Interest::Skip }
}

/// Reads and verifies a whole log, on several threads if it is long, and returns the projection of its
/// events and the head of the log.
///
/// # Errors
///
/// If the log cannot be read, has a corrupt line or a torn tail, or a line contradicts those before it.
///
/// ```
/// use shipper_events::LogEntry;
/// use shipper_events::scan::{LineCursor, Projection, read_projection};
///
/// #[derive(Default)]
/// struct Uploads(u64);
///
/// impl Projection for Uploads {
///     fn reads(event_type: &str) -> bool {
///         event_type == "package_uploaded"
///     }
///
///     fn apply(&mut self, _: &LogEntry, _: &mut LineCursor<'_>) {
///         self.0 += 1;
///     }
/// }
///
/// let log = br#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_uploaded"},"package":"a@0.1.0"}
/// "#;
/// let (uploads, head) = read_projection(&log[..], Uploads::default())?;
/// assert_eq!((uploads.0, head.lines), (1, 1));
/// # Ok::<(), shipper_events::ReadError>(())
/// ```
pub fn read_projection<P: Projection>(read: impl Read, mut projection: P) -> Result<(P, Head), ReadError> {
    let mut scanner = LogScanner::new();
    match read_events(&mut scanner, read, interest::<P>, |entry, cursor| projection.apply(&entry, cursor))? {
        Tail::Clean => Ok((projection, scanner.head())),
        Tail::Torn { bytes } => Err(ReadError::TornTail { line: scanner.lines(), bytes }),
    }
}
