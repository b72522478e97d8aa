//! Marks: where in the log to look, beside the line that a finding names.
//!
//! A mark names a place by line and member, never by text: the auditor keeps no line. Whoever shows a finding reads
//! the lines that are marked once more.

use crate::fold::{EvidenceFlaw, Receipt};
use crate::gate::{RefusalReason, Verdict};

/// A place in the log that a finding points at, and what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The line.
    pub line: u64,
    /// Where in the line.
    pub spot: LabelTarget,
    /// What stands there, in a few words; empty where the finding's own message says it.
    pub label: &'static str,
}

/// A place in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelTarget {
    /// The whole line.
    Line,
    /// The end of the line.
    End,
    /// So many bytes from its start.
    Offset(usize),
    /// The value of a member: the names that lead to it, from the line's own object.
    Member(&'static [&'static str]),
}

/// Members that findings point at.
pub(super) mod member {
    use super::LabelTarget;

    pub(in super::super) const TYPE: LabelTarget = LabelTarget::Member(&["event_type", "type"]);
    pub(in super::super) const PLAN_ID: LabelTarget = LabelTarget::Member(&["event_type", "plan_id"]);
    pub(in super::super) const REGISTRY: LabelTarget = LabelTarget::Member(&["event_type", "registry"]);
    pub(in super::super) const PASSED: LabelTarget = LabelTarget::Member(&["event_type", "passed"]);
    pub(in super::super) const SUMMARY: LabelTarget = LabelTarget::Member(&["event_type", "summary"]);
    pub(in super::super) const PACKAGE_COUNT: LabelTarget = LabelTarget::Member(&["event_type", "package_count"]);
    pub(in super::super) const VERDICT: LabelTarget = LabelTarget::Member(&["event_type", "verdict"]);
    pub(in super::super) const REASONS: LabelTarget = LabelTarget::Member(&["event_type", "reasons"]);
    pub(in super::super) const RULES: LabelTarget = LabelTarget::Member(&["event_type", "rules"]);
    pub(in super::super) const GATE: LabelTarget = LabelTarget::Member(&["event_type", "gate"]);
    pub(in super::super) const BASIS: LabelTarget = LabelTarget::Member(&["event_type", "basis"]);
    pub(in super::super) const BLAKE3: LabelTarget = LabelTarget::Member(&["event_type", "blake3"]);
    pub(in super::super) const REHEARSAL_REGISTRY: LabelTarget =
        LabelTarget::Member(&["event_type", "rehearsal_registry"]);
    pub(in super::super) const PACKAGE: LabelTarget = LabelTarget::Member(&["package"]);
    pub(in super::super) const TIMESTAMP: LabelTarget = LabelTarget::Member(&["timestamp"]);
    pub(in super::super) const SEQ: LabelTarget = LabelTarget::Member(&["seq"]);
    pub(in super::super) const PREV: LabelTarget = LabelTarget::Member(&["prev"]);
}

impl Label {
    pub(super) fn new(line: u64, spot: LabelTarget, label: &'static str) -> Self {
        Self { line, spot, label }
    }

    /// The rehearsal that a permission rests on.
    pub(super) fn ground(receipt: &Receipt) -> Self {
        Self::new(receipt.line, member::PASSED, "the rehearsal that it rests on")
    }

    /// What shows each reason of a verdict.
    pub(super) fn of_verdict(verdict: &Verdict) -> Vec<Self> {
        let ground = verdict.receipt().map(|receipt| Self::ground(receipt));
        ground.into_iter().chain(verdict.reasons().iter().flat_map(Self::of_reason)).collect()
    }

    fn of_reason(reason: &RefusalReason) -> Vec<Self> {
        match reason {
            RefusalReason::NoRehearsal | RefusalReason::UntrustedLog => Vec::new(),
            RefusalReason::StalePlan { receipt } => {
                vec![Self::new(receipt.line, member::PLAN_ID, "the plan of the latest rehearsal")]
            }
            RefusalReason::RegistryMismatch { receipt } => {
                vec![Self::new(receipt.line, member::REGISTRY, "the registry of the latest rehearsal")]
            }
            RefusalReason::RehearsalFailed { receipt, open } => {
                let failed = receipt
                    .as_ref()
                    .map(|receipt| Self::new(receipt.line, member::PASSED, "the latest rehearsal did not pass"));
                let open = open.map(|line| Self::new(line, member::TYPE, "a failure is marked in this rehearsal"));
                failed.into_iter().chain(open).collect()
            }
            RefusalReason::UnsoundEvidence { receipt } => {
                let start =
                    receipt.start.as_ref().filter(|_| receipt.unsound.contains(&EvidenceFlaw::PackageCountMismatch));
                let start = start
                    .map(|start| Self::new(start.line, member::PACKAGE_COUNT, "another number of packages followed"));
                let says = Self::new(receipt.line, member::PASSED, "it says so, and its events do not bear it out");
                vec![says].into_iter().chain(start).collect()
            }
            RefusalReason::UnknownGateEvent { event } => {
                vec![Self::new(event.line, member::TYPE, "this version does not know it")]
            }
        }
    }
}
