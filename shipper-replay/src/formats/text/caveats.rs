//! Caveats: what an audit cannot or did not check.

use std::collections::BTreeSet;

use shipper_core::audit::{AuditOptions, FindingCode, Integrity, LogAudit, SidecarStatus};

use super::phrases::audited_up_to;

/// One limit of an audit. `Ord` sorts the widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caveat {
    LaterLines,
    OtherPlans,
    EarlierDecisions,
    Registry,
    Edits,
    UnchainedEdits,
    NoHead,
    AfterHead,
    UnknownEvents,
    Contents,
    Clocks,
    Actors,
    Sidecar,
    Sender,
}

impl Caveat {
    /// Returns the caveats about a log that was audited with these options.
    pub(crate) fn of(audit: &LogAudit, demand: &AuditOptions) -> BTreeSet<Self> {
        let found = |code| audit.findings.iter().any(|finding| finding.code == code);
        // An empty log contains nothing that could be wrong.
        let has_lines = audit.lines > 0;
        let is_head_earlier = demand.extends.is_some_and(|head| head.lines < audit.lines);
        [
            (Self::LaterLines, audited_up_to(audit, demand).is_some()),
            (Self::OtherPlans, demand.plan_id.is_some()),
            (Self::EarlierDecisions, audit.applies_since(demand)),
            (Self::Registry, has_lines && found(FindingCode::SelfDeclaredRegistry)),
            (Self::Edits, has_lines && audit.integrity == Integrity::Unchained),
            (Self::UnchainedEdits, audit.integrity == Integrity::PartlyChained),
            (Self::NoHead, has_lines && demand.extends.is_none()),
            (Self::AfterHead, is_head_earlier),
            (Self::UnknownEvents, found(FindingCode::UnknownEvent)),
            (Self::Contents, has_lines && (!audit.decisions.is_empty() || audit.gate.is_some())),
            (Self::Clocks, has_lines),
            (Self::Actors, has_lines && demand.policy.as_ref().is_some_and(|policy| policy.skips.is_some())),
            (Self::Sidecar, has_lines && audit.sidecar.status == SidecarStatus::NotChecked),
            (Self::Sender, audit.bundle.as_ref().is_some_and(|bundle| bundle.sender_conclusion != audit.conclusion())),
        ]
        .into_iter()
        .filter_map(|(caveat, applies)| applies.then_some(caveat))
        .collect()
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::LaterLines => "lines after the last audited one",
            Self::OtherPlans => "other plans (--plan-id excludes them)",
            Self::EarlierDecisions => "earlier decisions (--since excludes them)",
            Self::Registry => "which registry was configured (--registry NAME)",
            Self::Edits => "edits, because no line is chained",
            Self::UnchainedEdits => "edits of lines that are not chained",
            Self::NoHead => "a cut or rewritten log (--extends HEAD)",
            Self::AfterHead => "a cut or rewritten log after the head of --extends or --signed-head",
            Self::UnknownEvents => "events of unknown types",
            Self::Contents => "the contents of packages",
            Self::Clocks => "the clocks",
            Self::Actors => "the names of actors",
            Self::Sidecar => "the sidecar",
            Self::Sender => "why the sender of the bundle concluded otherwise",
        }
    }
}
