//! The files beside a log that an audit must know: markers of writers, and an earlier log that was moved aside.

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
    /// Returns whether a marker forbids the gate to authorize.
    pub fn has_marker(&self) -> bool {
        self.repair_interrupted || self.sync_failed
    }
}
