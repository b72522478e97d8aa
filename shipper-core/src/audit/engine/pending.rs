//! Findings before the options of the audit decide on their levels.

use std::borrow::Cow;

use crate::audit::report::{FindingCode, GivenHead, Label};

/// The subject of a finding: the options may leave out a decision, and then the findings about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FindingScope {
    /// The log itself.
    Log,
    /// The decision at this position of the tracker, or one of its runs.
    Decision(usize),
}

/// A finding whose level is not decided yet.
#[derive(Debug, Clone)]
pub(super) struct PendingFinding {
    pub(super) code: FindingCode,
    pub(super) line: Option<u64>,
    pub(super) message: Cow<'static, str>,
    pub(super) scope: FindingScope,
    pub(super) labels: Vec<Label>,
    pub(super) given_head: Option<GivenHead>,
}

impl PendingFinding {
    /// A finding about the log.
    pub(super) fn for_log(code: FindingCode, line: Option<u64>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, line, message: message.into(), scope: FindingScope::Log, labels: Vec::new(), given_head: None }
    }

    /// A finding at a line about the decision at a position, or one of its runs.
    pub(super) fn for_decision(
        decision: usize,
        code: FindingCode,
        line: u64,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { scope: FindingScope::Decision(decision), ..Self::for_log(code, Some(line), message) }
    }

    pub(super) fn with_labels(self, labels: impl IntoIterator<Item = Label>) -> Self {
        Self { labels: labels.into_iter().collect(), ..self }
    }
}

/// The findings so far, in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub(super) struct PendingFindings {
    all: Vec<PendingFinding>,
    breaks_integrity: bool,
}

impl PendingFindings {
    pub(super) fn push(&mut self, finding: PendingFinding) {
        self.breaks_integrity |= finding.code.breaks_integrity();
        self.all.push(finding);
    }

    /// Adds a finding about the log, at a line.
    pub(super) fn push_at(&mut self, line: u64, code: FindingCode, message: impl Into<Cow<'static, str>>) {
        self.push(PendingFinding::for_log(code, Some(line), message));
    }

    /// Whether one of them breaks the integrity of the log.
    pub(super) fn breaks_integrity(&self) -> bool {
        self.breaks_integrity
    }

    pub(super) fn into_vec(self) -> Vec<PendingFinding> {
        self.all
    }
}
