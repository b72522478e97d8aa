//! Findings about a line, a run, a decision or the log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::label::{Label, LabelTarget, paths};
use crate::words::word_enums;

/// One finding of an audit. Two findings are equal if their JSON forms are equal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// Its kind; `docs/codes.md` explains each code.
    pub code: FindingCode,
    /// Its level in this report, which the options can change.
    pub level: Level,
    /// The line that shows it. `None` where no single line does.
    pub line: Option<u64>,
    /// The facts. Text that comes from the log is escaped, so that it is safe to display.
    pub message: Cow<'static, str>,
    /// The remedy.
    pub help: Cow<'static, str>,
    /// Places other than the finding's own line; [`labels`](Self::labels) returns all places. Empty if read from JSON.
    #[serde(skip)]
    pub labels: Box<[Label]>,
    /// True for a [`FindingCode::HeadMismatch`] of the head of `--since`. Always false in a finding that was read from JSON.
    #[serde(skip)]
    pub(in crate::audit) is_about_since: bool,
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        let json = |finding: &Self| (finding.code, finding.level, finding.line);
        json(self) == json(other) && self.message == other.message && self.help == other.help
    }
}

impl Eq for Finding {}

impl Finding {
    /// Creates a finding at the level of its code.
    pub(in crate::audit) fn new(
        code: FindingCode,
        line: impl Into<Option<u64>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            level: code.level(),
            line: line.into(),
            message: message.into(),
            help: code.help().into(),
            labels: Box::default(),
            is_about_since: false,
        }
    }

    /// Adds labels.
    pub(in crate::audit) fn with_labels(self, labels: impl IntoIterator<Item = Label>) -> Self {
        Self { labels: self.labels.iter().copied().chain(labels).collect(), ..self }
    }

    /// Returns whether it makes the log violated: true for every error except those about what this version cannot judge.
    pub fn is_violation(&self) -> bool {
        self.level == Level::Error && !matches!(self.code, FindingCode::UnknownRules | FindingCode::UnjudgedRun)
    }

    /// Returns whether it forbids the conclusion `verified` although it is no error.
    pub(in crate::audit) fn is_doubt(&self) -> bool {
        let is_doubt = self.code.is_marker() || self.code == FindingCode::ContinuesEarlierLog;
        is_doubt && self.level != Level::Note
    }

    /// Returns the places that show the finding, one a line; the place on its own line, if it has one, is first.
    pub fn labels(&self) -> Vec<Label> {
        let named = self.labels.iter().copied().find(|label| Some(label.line) == self.line);
        let own = named.or(self.line.map(|line| Label::new(line, self.code.default_target(), "")));
        let mut labels: Vec<Label> = own.into_iter().collect();
        for label in &*self.labels {
            if labels.iter().all(|known| known.line != label.line) {
                labels.push(*label);
            }
        }
        labels
    }
}

word_enums! {
    /// The level of a finding.
    #[derive(PartialOrd, Ord)]
    pub enum Level {
        /// The log contradicts itself or the gate.
        Error = "error",
        /// The reader must check it. An error under `--strict`.
        Warning = "warning",
        /// Information that needs no action.
        Note = "note",
    }
}

macro_rules! codes {
    ($($FindingCode:ident $name:literal $level:ident $target:ident $help:literal)*) => {
        word_enums! {
            /// The kind of a finding. Each code is explained in `docs/codes.md`, and by `shipper-replay --explain CODE`.
            #[non_exhaustive]
            pub enum FindingCode {
                $(
                    #[doc = concat!("Finding `", $name, "`. Help: ", $help, ".")]
                    $FindingCode = $name,
                )*
            }
        }

        impl FindingCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$FindingCode),*];

            /// Returns the default level, which the audit's options can change.
            pub fn level(self) -> Level {
                match self {
                    $(Self::$FindingCode => Level::$level,)*
                }
            }

            /// Returns the place on its own line that usually shows it.
            fn default_target(self) -> LabelTarget {
                match self {
                    $(Self::$FindingCode => paths::$target,)*
                }
            }

            /// Returns the remedy.
            pub fn help(self) -> &'static str {
                match self {
                    $(Self::$FindingCode => $help,)*
                }
            }
        }
    };
}

codes! {
    CorruptLine "corrupt-line" Error LINE "the audit stops at this line; keep the file unchanged, find out what wrote or changed the line, and move the log aside"
    ChainBroken "chain-broken" Error TYPE "keep the file unchanged and compare it with a copy or a kept head; lines were changed, removed, added or reordered"
    HeadMismatch "head-mismatch" Error BLAKE3 "compare the log with a copy to find the bytes that changed after the head was computed"
    LogTruncated "log-truncated" Error TYPE "find a copy with the lines that are missing from the end of this log"
    BasisMismatch "basis-mismatch" Error BASIS "compare the log with a copy; this line or a line before it was changed after the decision"
    VerdictMismatch "verdict-mismatch" Error VERDICT "find out what wrote this decision; the events before it give another verdict"
    RegistryNotDemanded "registry-not-demanded" Error REHEARSAL_REGISTRY "find out why the gate was asked about another registry; before the next publish, rehearse on the demanded one and ask again"
    GateNotFound "gate-not-found" Error GATE "find out what wrote this run; the decision that it names does not exist"
    PublishedDespiteRefusal "published-despite-refusal" Error PLAN_ID "find out why the refusal did not stop this run; check what it published, yank bad versions, and publish fixes from a rehearsed plan"
    DecisionOutdated "decision-outdated" Error PLAN_ID "ask the gate right before every run; check what this run published, yank bad versions, and publish fixes from a rehearsed plan"
    UngatedPublish "ungated-publish" Error PLAN_ID "find out why this run did not ask the gate; check what it published, yank bad versions, and publish fixes from a rehearsed plan"
    PublishNotAuthorized "publish-not-authorized" Error PLAN_ID "ask the gate before every run; check what this run published, yank bad versions, and publish fixes from a rehearsed plan"
    NotWhatWasRehearsed "not-what-was-rehearsed" Error PLAN_ID "compare what this run published with the rehearsal; yank bad versions, and publish fixes from a plan that was rehearsed whole"
    RehearsedOnLiveRegistry "rehearsed-on-live-registry" Error PLAN_ID "configure another registry for rehearsals; this rehearsal published to the live registry, so check what it published, and yank bad versions"
    PublishedContentDiffers "published-content-differs" Error FOUND "find out who published the other content; yank this version, and check the tokens that can publish it"
    UnjudgedRun "unjudged-run" Error PLAN_ID "use a version of shipper-replay that knows the unknown event; this version cannot judge the run"
    UnknownRules "unknown-rules" Error RULES "use a version of shipper-replay that knows these rules; this version did not check the decision"
    SidecarDrift "sidecar-drift" Error TYPE "do not trust rehearsal.json; it is not a snapshot of any rehearsal in this log"
    StateDrift "state-drift" Error TYPE "do not trust state.json; find out who changed it, and look up in the live registry what was published"
    ReceiptDrift "receipt-drift" Error TYPE "do not trust receipt.json; find out who changed it, and look up in the live registry what was published"
    IndexMissing "index-missing" Error PACKAGE "check that the index is that of the live registry and is newer than the log; then find out whether this version was ever published"
    IndexChecksum "index-checksum" Error PACKAGE "download this version and compare it with the source; the registry has another file than the log records"
    PublishOutsideRun "publish-outside-run" Error PACKAGE "find out what published here, and check the packages; yank bad versions, and publish fixes from a rehearsed plan"
    PolicyRehearsalAge "policy-rehearsal-age" Error TIMESTAMP "rehearse right before each publish; check what was published with the old rehearsal"
    PolicySmokeInstall "policy-smoke-install" Error PLAN_ID "rehearse with a smoke check, which installs a rehearsed package, before the next publish"
    PolicySkip "policy-skip" Error VERDICT "find out why the rehearsal was skipped; check what was published, and rehearse before the next publish"
    PolicyUnchained "policy-unchained" Error TYPE "find out what wrote these lines; write the log only with tools that chain its lines"
    PolicySealed "policy-sealed" Error TYPE "sign the head of the whole log, and pass the signed head to the audit"
    RepairInterrupted "repair-interrupted" Warning TYPE "rehearse again, which completes the repair; until then the gate refuses, because the removed bytes may record a failure"
    SyncFailed "sync-failed" Warning TYPE "check the disk and compare the log with a copy; then move the log aside, because it may have lost events"
    ContinuesEarlierLog "continues-earlier-log" Warning TYPE "audit the earlier log, too: pass the directory, or both files; pass --acknowledge-earlier HEAD if it was dealt with"
    TornTail "torn-tail" Warning TYPE "if a writer is active, audit again later; otherwise rehearse before the next publish, because the lost line may record a failure"
    TailRepaired "tail-repaired" Warning TYPE "read the removed bytes, which the repair saved beside the log; they may record a failure or a publish"
    BlankLine "blank-line" Warning LINE "find out what edited the log; no known release tool writes blank lines"
    CrlfLineEndings "crlf-line-endings" Warning END "convert the line endings back, for example with dos2unix or a .gitattributes line `*.jsonl -text`, and audit again; the conversion changes every hash"
    UnprovenPublish "unproven-publish" Warning PLAN_ID "find out why this run was not rehearsed; check what it published, yank bad versions, and rehearse before the next publish"
    GateBypassed "gate-bypassed" Warning VERDICT "find out why the rehearsal was skipped, and whether that was permitted"
    GateNotAskedAgain "gate-not-asked-again" Warning PLAN_ID "ask the gate right before every run"
    RehearsalUnfinished "rehearsal-unfinished" Warning PLAN_ID "find out whether the open rehearsal was interrupted or would have failed"
    UnknownGateEvent "unknown-gate-event" Warning TYPE "use a version of shipper-replay that knows this event; it may affect the verdict"
    SidecarOrphan "sidecar-orphan" Warning TYPE "do not trust rehearsal.json; this log has no completed rehearsal"
    SidecarUnreadable "sidecar-unreadable" Warning TYPE "repair or remove rehearsal.json; the next rehearsal writes a new one, and the gate uses only the log"
    SidecarUnsupported "sidecar-unsupported" Warning TYPE "use a version of shipper-replay that knows this schema; this version did not compare the sidecar"
    SidecarBehind "sidecar-behind" Warning TYPE "do not use rehearsal.json; the log has a later rehearsal"
    RehearsalAbandoned "rehearsal-abandoned" Warning TYPE "find out whether the earlier rehearsal was interrupted; run one rehearsal at a time"
    StrayRehearsalEvent "stray-rehearsal-event" Warning TYPE "run one rehearsal at a time; two may have written to this log at once"
    SharedAuthority "shared-authority" Warning PLAN_ID "check that the two registries have different URLs; the rehearsal may have published to the live registry"
    UploadUnconfirmed "upload-unconfirmed" Warning PLAN_ID "look for these versions in the live registry; an upload without a recorded outcome may have arrived"
    RegistryNeverNamed "registry-never-named" Warning TYPE "check the value of --registry; if it is right, no rehearsal used the configured registry"
    ConfusableName "confusable-name" Warning TYPE "find out which name is right; two names that look alike may hide a change of the plan or the registry"
    IndexUnlogged "index-unlogged" Warning PACKAGE "find out who published these versions; no event of this log did"
    TimeWentBackwards "time-went-backwards" Warning TIMESTAMP "find out whether a clock was set back, lines were moved, or two tools wrote at once; the audit does not trust timestamps"
    PlanNeverNamed "plan-never-named" Note TYPE "check the value of --plan-id, unless the plan was never rehearsed"
    SkipUnexplained "skip-unexplained" Note PLAN_ID "find out who published these versions before this run"
    ContentNotCompared "content-not-compared" Note PLAN_ID "rehearse and publish with the same tool, so that both record the content"
    OtherCommit "other-commit" Note PLAN_ID "compare the two commits; the packages of the plan are the same, but other files may differ"
    UnknownEvent "unknown-event" Note TYPE "no action is needed; the event has no effect on the gate"
    ForeignLines "foreign-lines" Note TYPE "keep a head from after these lines; without one, the audit may not detect a change of an unchained line"
    StateOrphan "state-orphan" Note TYPE "find the log of this state.json; this log has no run of its plan"
    StateUnreadable "state-unreadable" Note TYPE "decrypt or repair state.json if you need the comparison; this audit did not compare it"
    StateUnsupported "state-unsupported" Note TYPE "use a version of shipper-replay that knows this schema; this version did not compare state.json"
    StateBehind "state-behind" Note TYPE "no action is needed; the release tool stopped before it wrote state.json again"
    ReceiptOrphan "receipt-orphan" Note TYPE "find the log of this receipt.json; this log has no run of its plan"
    ReceiptUnreadable "receipt-unreadable" Note TYPE "decrypt or repair receipt.json if you need the comparison; this audit did not compare it"
    ReceiptUnsupported "receipt-unsupported" Note TYPE "use a version of shipper-replay that knows this schema; this version did not compare receipt.json"
    ReceiptBehind "receipt-behind" Note TYPE "no action is needed; the release tool stopped before it wrote receipt.json again"
    IndexYanked "index-yanked" Note PACKAGE "find out why this version was yanked, and whether a fixed version is needed"
    SelfDeclaredRegistry "self-declared-registry" Note TYPE "pass --registry NAME with the rehearsal registry that you have configured"
    NoHeadGiven "no-head-given" Note TYPE "pass --extends with a head that you kept elsewhere; without one, the audit cannot detect a truncated or rewritten log"
}

impl FindingCode {
    /// Returns whether the finding means that the log's integrity is broken.
    pub fn breaks_integrity(self) -> bool {
        matches!(
            self,
            Self::CorruptLine | Self::ChainBroken | Self::HeadMismatch | Self::LogTruncated | Self::BasisMismatch
        )
    }

    /// Returns whether the finding is about a marker beside the log.
    pub fn is_marker(self) -> bool {
        matches!(self, Self::RepairInterrupted | Self::SyncFailed)
    }

    /// Returns whether the finding is about a registry's index.
    pub fn is_about_index(self) -> bool {
        matches!(self, Self::IndexMissing | Self::IndexChecksum | Self::IndexUnlogged | Self::IndexYanked)
    }

    /// Returns whether the finding names a rule of a policy that the log does not satisfy.
    pub fn is_of_policy(self) -> bool {
        matches!(
            self,
            Self::PolicyRehearsalAge
                | Self::PolicySmokeInstall
                | Self::PolicySkip
                | Self::PolicyUnchained
                | Self::PolicySealed
        )
    }

    /// Returns whether the finding is about the sidecar.
    pub fn is_about_sidecar(self) -> bool {
        matches!(
            self,
            Self::SidecarDrift
                | Self::SidecarOrphan
                | Self::SidecarUnreadable
                | Self::SidecarUnsupported
                | Self::SidecarBehind
        )
    }
}
