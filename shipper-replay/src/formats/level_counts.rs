//! Numbers of items by level, for formats that contain only the most severe items of a report.

use std::fmt;

use shipper_core::audit::{Level, Report};

use super::log_issue::log_issues;
use crate::formats::text::phrases::plural;

/// Numbers of findings, and of issues of whole logs, by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LevelCounts {
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl LevelCounts {
    /// Counts the findings of all logs, and their issues.
    pub(crate) fn of(report: &Report) -> Self {
        let mut counts = Self::default();
        for log in &report.logs {
            let issues = log_issues(log, report).into_iter().map(|issue| issue.kind.level());
            let findings = log.audit.iter().flat_map(|audit| &audit.findings).map(|finding| finding.level);
            issues.chain(findings).for_each(|level| *counts.of_level(level) += 1);
        }
        counts
    }

    /// Returns the counts of the `max` most severe items.
    pub(crate) fn most_severe(self, max: usize) -> Self {
        let errors = self.errors.min(max);
        let warnings = self.warnings.min(max - errors);
        let notes = self.notes.min(max - errors - warnings);
        Self { errors, warnings, notes }
    }

    /// Returns the counts of the items that `kept` does not count.
    pub(crate) fn without(self, kept: Self) -> Self {
        Self {
            errors: self.errors.saturating_sub(kept.errors),
            warnings: self.warnings.saturating_sub(kept.warnings),
            notes: self.notes.saturating_sub(kept.notes),
        }
    }

    /// Returns true if an item of this level is left, and counts one less.
    pub(crate) fn take_one(&mut self, level: Level) -> bool {
        let count = self.of_level(level);
        let is_left = *count > 0;
        *count = count.saturating_sub(1);
        is_left
    }

    /// Returns the number of all items.
    pub(crate) fn total(self) -> usize {
        self.errors + self.warnings + self.notes
    }

    fn of_level(&mut self, level: Level) -> &mut usize {
        match level {
            Level::Error => &mut self.errors,
            Level::Warning => &mut self.warnings,
            Level::Note => &mut self.notes,
        }
    }
}

impl fmt::Display for LevelCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: usize, level: Level| plural(count as u64, level.as_str());
        let [errors, warnings] = [count(self.errors, Level::Error), count(self.warnings, Level::Warning)];
        write!(f, "{errors}, {warnings}, {}", count(self.notes, Level::Note))
    }
}
