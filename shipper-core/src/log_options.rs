//! Options that a caller chooses for the log of a state directory.

use std::time::Duration;

use shipper_events::Head;
use shipper_events::write::WriterOptions;

/// Options that a caller chooses for a log. The entry points decide the rest: only a rehearsal repairs a torn tail, and a
/// run never creates a log.
///
/// ```
/// use std::time::Duration;
/// use shipper_core::LogOptions;
/// let options = LogOptions::default().with_lock_timeout(Duration::ZERO).with_lock_holder_note("release of 1.2.0");
/// assert_eq!(options.expected_head, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogOptions {
    /// Time to wait for a process that holds the lock of the log. The default is ten seconds.
    pub lock_timeout: Duration,
    /// Text that other processes report while this one holds the lock. The default is `process` and the process ID.
    pub lock_holder_note: String,
    /// Head that the caller kept: a log that does not begin with exactly these bytes is refused. `None`, the default,
    /// accepts any log.
    pub expected_head: Option<Head>,
}

impl Default for LogOptions {
    fn default() -> Self {
        let WriterOptions { patience, note, .. } = WriterOptions::default();
        Self { lock_timeout: patience, lock_holder_note: note, expected_head: None }
    }
}

impl LogOptions {
    /// Sets the time to wait for the lock.
    #[must_use]
    pub fn with_lock_timeout(self, lock_timeout: Duration) -> Self {
        Self { lock_timeout, ..self }
    }

    /// Sets the text that other processes report while this one holds the lock.
    #[must_use]
    pub fn with_lock_holder_note(self, note: impl Into<String>) -> Self {
        Self { lock_holder_note: note.into(), ..self }
    }

    /// Sets the head that the log must extend.
    #[must_use]
    pub fn with_expected_head(self, head: impl Into<Option<Head>>) -> Self {
        Self { expected_head: head.into(), ..self }
    }

    /// Options of a writer that creates a missing log and refuses a torn tail.
    pub(crate) fn refusing_torn_tail(&self) -> WriterOptions {
        WriterOptions {
            create: true,
            repair: false,
            patience: self.lock_timeout,
            note: self.lock_holder_note.clone(),
            extends: self.expected_head,
        }
    }

    /// Options of a writer that creates a missing log and repairs a torn tail.
    pub(crate) fn repairing_torn_tail(&self) -> WriterOptions {
        WriterOptions { repair: true, ..self.refusing_torn_tail() }
    }

    /// Options of a writer that continues an existing log after `head`.
    pub(crate) fn continuing_after(&self, head: Head) -> WriterOptions {
        WriterOptions { create: false, extends: Some(head), ..self.refusing_torn_tail() }
    }
}
