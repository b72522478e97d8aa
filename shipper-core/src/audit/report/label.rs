//! Labels: the places in the log that show a finding, by line and member. The auditor stores no lines, so a renderer
//! reads the labelled lines again.

use crate::fold::EvidenceFlaw;
use crate::gate::{RefusalReason, Verdict};

/// A place in the log that a finding points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The number of the line; the first is 1.
    pub line: u64,
    /// The place in the line.
    pub target: LabelTarget,
    /// Short description of the place; empty if the message of the finding suffices.
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

    pub(in crate::audit) const LINE: LabelTarget = LabelTarget::Line;
    pub(in crate::audit) const END: LabelTarget = LabelTarget::End;
    pub(in crate::audit) const PACKAGE: LabelTarget = LabelTarget::Member(&["package"]);
    pub(in crate::audit) const TIMESTAMP: LabelTarget = LabelTarget::Member(&["timestamp"]);
    pub(in crate::audit) const SEQ: LabelTarget = LabelTarget::Member(&["seq"]);
    pub(in crate::audit) const PREV: LabelTarget = LabelTarget::Member(&["prev"]);
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
    pub(in crate::audit) const GIT: LabelTarget = LabelTarget::Member(&["event_type", "git"]);
    pub(in crate::audit) const BASIS: LabelTarget = LabelTarget::Member(&["event_type", "basis"]);
    pub(in crate::audit) const FOUND: LabelTarget = LabelTarget::Member(&["event_type", "found"]);
    pub(in crate::audit) const CONTENT: LabelTarget = LabelTarget::Member(&["event_type", "content"]);
    pub(in crate::audit) const BLAKE3: LabelTarget = LabelTarget::Member(&["event_type", "blake3"]);
    pub(in crate::audit) const REHEARSAL_REGISTRY: LabelTarget =
        LabelTarget::Member(&["event_type", "rehearsal_registry"]);
}

impl Label {
    pub(in crate::audit) fn new(line: u64, target: LabelTarget, text: &'static str) -> Self {
        Self { line, target, text }
    }

    /// Returns the places that show the permission or each reason of a refusal.
    pub(in crate::audit) fn for_verdict(verdict: &Verdict) -> Vec<Self> {
        let basis =
            verdict.receipt().map(|receipt| Self::new(receipt.line, paths::PASSED, "the rehearsal used as evidence"));
        basis.into_iter().chain(verdict.reasons().iter().flat_map(reason_labels).flatten()).collect()
    }
}

fn reason_labels(reason: &RefusalReason) -> [Option<Label>; 2] {
    let label = |line, target, text| Some(Label::new(line, target, text));
    match reason {
        RefusalReason::NoRehearsal | RefusalReason::UntrustedLog => [None, None],
        RefusalReason::StalePlan(receipt) => {
            [label(receipt.line, paths::PLAN_ID, "the plan of the latest rehearsal"), None]
        }
        RefusalReason::RegistryMismatch(receipt) => {
            [label(receipt.line, paths::REGISTRY, "the registry of the latest rehearsal"), None]
        }
        RefusalReason::RehearsalFailed { receipt, open } => [
            receipt.as_ref().and_then(|receipt| match receipt.abandoned {
                true => label(receipt.line, paths::TYPE, "the failed rehearsal was abandoned here"),
                false => label(receipt.line, paths::PASSED, "the latest rehearsal did not pass"),
            }),
            open.and_then(|line| label(line, paths::TYPE, "a failure is recorded in this rehearsal")),
        ],
        RefusalReason::UnsoundEvidence(receipt) => {
            let counts_differ = receipt.unsound.contains(&EvidenceFlaw::PackageCountMismatch);
            let start = receipt.start.as_ref().filter(|_| counts_differ);
            [
                label(receipt.line, paths::PASSED, "its events contradict this result"),
                start.and_then(|start| label(start.line, paths::PACKAGE_COUNT, "not the number of published packages")),
            ]
        }
        RefusalReason::UnknownGateEvent(event) => [label(event.line, paths::TYPE, "unknown to this version"), None],
    }
}
