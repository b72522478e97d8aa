//! Anchors of lines, decisions, runs and findings on the page.

/// The anchors of one log's section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchors {
    /// The log's position in the report.
    log: usize,
}

impl Anchors {
    pub(super) fn of_log(log: usize) -> Self {
        Self { log }
    }

    /// The section.
    pub(super) fn section(self) -> String {
        format!("log-{}", self.log + 1)
    }

    pub(super) fn timeline(self) -> String {
        format!("{}-timeline", self.section())
    }

    /// The row of an event in the table of the timeline.
    pub(super) fn event(self, line: u64) -> String {
        format!("{}-line-{line}", self.section())
    }

    pub(super) fn decision(self, line: u64) -> String {
        format!("{}-decision-{line}", self.section())
    }

    pub(super) fn run(self, line: u64) -> String {
        format!("{}-run-{line}", self.section())
    }

    /// The finding of that position in the report.
    pub(super) fn finding(self, position: usize) -> String {
        format!("{}-finding-{}", self.section(), position + 1)
    }
}
