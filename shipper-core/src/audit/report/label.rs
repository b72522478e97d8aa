//! Labels: the places in the log that show a finding.
//!
//! A label names a place by line and member, never by text, because the auditor keeps no line. A renderer reads the
//! labelled lines again.

use crate::fold::{EvidenceFlaw, Receipt};
use crate::gate::{RefusalReason, Verdict};

/// A place in the log that a finding points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The line.
    pub line: u64,
    /// The place in the line.
    pub target: LabelTarget,
    /// A few words about the place; empty where the finding's message suffices.
    pub text: &'static str,
}

/// A place in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelTarget {
    /// The whole line.
    Line,
    /// The end of the line.
    End,
    /// The byte at this offset from its start.
    Offset(usize),
    /// The value of a member, by the names that lead to it from the line's object.
    Member(&'static [&'static str]),
}

/// Paths of the members that findings point at.
pub(in crate::audit) mod paths {
    use super::LabelTarget;

    pub(in crate::audit) const TYPE: LabelTarget = LabelTarget::Member(&["event_type", "type"]);
    pub(in crate::audit) const PLAN_ID: LabelTarget = LabelTarget::Member(&["event_type", "plan_id"]);
    pub(in crate::audit) const REGISTRY: LabelTarget = LabelTarget::Member(&["event_type", "registry"]);
    pub(in crate::audit) const PASSED: LabelTarget = LabelTarget::Member(&["event_type", "passed"]);
    pub(in crate::audit) const SUMMARY: LabelTarget = LabelTarget::Member(&["event_type", "summary"]);
    pub(in crate::audit) const PACKAGE_COUNT: LabelTarget = LabelTarget::Member(&["event_type", "package_count"]);
    pub(in crate::audit) const VERDICT: LabelTarget = LabelTarget::Member(&["event_type", "verdict"]);
    pub(in crate::audit) const REASONS: LabelTarget = LabelTarget::Member(&["event_type", "reasons"]);
    pub(in crate::audit) const RULES: LabelTarget = LabelTarget::Member(&["event_type", "rules"]);
    pub(in crate::audit) const GATE: LabelTarget = LabelTarget::Member(&["event_type", "gate"]);
    pub(in crate::audit) const BASIS: LabelTarget = LabelTarget::Member(&["event_type", "basis"]);
    pub(in crate::audit) const BLAKE3: LabelTarget = LabelTarget::Member(&["event_type", "blake3"]);
    pub(in crate::audit) const REHEARSAL_REGISTRY: LabelTarget =
        LabelTarget::Member(&["event_type", "rehearsal_registry"]);
    pub(in crate::audit) const PACKAGE: LabelTarget = LabelTarget::Member(&["package"]);
    pub(in crate::audit) const TIMESTAMP: LabelTarget = LabelTarget::Member(&["timestamp"]);
    pub(in crate::audit) const SEQ: LabelTarget = LabelTarget::Member(&["seq"]);
    pub(in crate::audit) const PREV: LabelTarget = LabelTarget::Member(&["prev"]);
}

impl Label {
    pub(in crate::audit) fn new(line: u64, target: LabelTarget, text: &'static str) -> Self {
        Self { line, target, text }
    }

    /// The rehearsal that a permission rests on.
    fn basis(receipt: &Receipt) -> Self {
        Self::new(receipt.line, paths::PASSED, "the rehearsal that it rests on")
    }

    /// The places that show the permission or each reason of a refusal.
    pub(in crate::audit) fn for_verdict(verdict: &Verdict) -> Vec<Self> {
        let basis = verdict.receipt().map(|receipt| Self::basis(receipt));
        basis.into_iter().chain(verdict.reasons().iter().flat_map(Self::for_reason)).collect()
    }

    fn for_reason(reason: &RefusalReason) -> Vec<Self> {
        match reason {
            RefusalReason::NoRehearsal | RefusalReason::UntrustedLog => Vec::new(),
            RefusalReason::StalePlan { receipt } => {
                vec![Self::new(receipt.line, paths::PLAN_ID, "the plan of the latest rehearsal")]
            }
            RefusalReason::RegistryMismatch { receipt } => {
                vec![Self::new(receipt.line, paths::REGISTRY, "the registry of the latest rehearsal")]
            }
            RefusalReason::RehearsalFailed { receipt, open } => {
                let failed = receipt
                    .as_ref()
                    .map(|receipt| Self::new(receipt.line, paths::PASSED, "the latest rehearsal did not pass"));
                let open = open.map(|line| Self::new(line, paths::TYPE, "a failure is marked in this rehearsal"));
                failed.into_iter().chain(open).collect()
            }
            RefusalReason::UnsoundEvidence { receipt } => {
                let start =
                    receipt.start.as_ref().filter(|_| receipt.unsound.contains(&EvidenceFlaw::PackageCountMismatch));
                let start = start
                    .map(|start| Self::new(start.line, paths::PACKAGE_COUNT, "another number of packages followed"));
                let says = Self::new(receipt.line, paths::PASSED, "it says so, and its events do not bear it out");
                vec![says].into_iter().chain(start).collect()
            }
            RefusalReason::UnknownGateEvent { event } => {
                vec![Self::new(event.line, paths::TYPE, "this version does not know it")]
            }
        }
    }
}
