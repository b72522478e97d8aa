//! Findings about a line, a run, a decision or the log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::label::{Label, LabelTarget, paths};
use crate::words::word_enums;

/// One finding of an audit. Two findings are equal if their JSON forms are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// Its code; `docs/codes.md` explains each.
    pub code: FindingCode,
    /// Its level in this report.
    pub level: Level,
    /// The line that shows it. `None` where no single line does.
    pub line: Option<u64>,
    /// The facts. Text from the log in it is safe to display.
    pub message: Cow<'static, str>,
    /// The next step for the reader.
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

    /// Returns whether it contradicts the log: true for every error but unknown rules.
    pub(in crate::audit) fn is_violation(&self) -> bool {
        self.level == Level::Error && self.code != FindingCode::UnknownRules
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
        /// Something to check; an error under `--strict`.
        Warning = "warning",
        /// Something to know.
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
                    #[doc = concat!("`", $name, "`: ", $help, ".")]
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

            /// Returns the next step for the reader.
            pub fn help(self) -> &'static str {
                match self {
                    $(Self::$FindingCode => $help,)*
                }
            }
        }
    };
}

codes! {
    CorruptLine "corrupt-line" Error LINE "keep the file as it is, find out what wrote or changed this line, and move the log aside; nothing from here on was judged"
    ChainBroken "chain-broken" Error TYPE "keep the file as it is and compare it with a copy or a kept head; lines were changed, removed, added or reordered here"
    HeadMismatch "head-mismatch" Error BLAKE3 "the bytes that were recorded or kept are not the ones that stand here now; compare the log with a copy of it"
    LogTruncated "log-truncated" Error TYPE "lines are gone from the end of the log; look for a copy that still has them"
    BasisMismatch "basis-mismatch" Error BASIS "the bytes that this decision was folded from are not the ones that stand here now; compare the log with a copy of it"
    VerdictMismatch "verdict-mismatch" Error VERDICT "find out what wrote this decision; by the rules, the events before it give another one"
    RegistryNotDemanded "registry-not-demanded" Error REHEARSAL_REGISTRY "the permission was given under another configuration than the one you demand; rehearse and ask again under yours"
    GateNotFound "gate-not-found" Error GATE "find out what wrote this run; the decision that it names does not exist"
    PublishedDespiteRefusal "published-despite-refusal" Error PLAN_ID "find out who published, and why the refusal did not stop them"
    DecisionOutdated "decision-outdated" Error PLAN_ID "ask the gate again right before every run; what it was told has changed"
    UngatedPublish "ungated-publish" Error PLAN_ID "find out who published without asking the gate that this log knows"
    PublishNotAuthorized "publish-not-authorized" Error PLAN_ID "rehearse this plan on the rehearsal registry before publishing it, and let the gate refuse when that did not pass"
    NotWhatWasRehearsed "not-what-was-rehearsed" Error PLAN_ID "rehearse exactly the packages that are to be published"
    UnknownRules "unknown-rules" Error RULES "use a version of shipper-replay that knows these rules; this one does not judge by them"
    SidecarDrift "sidecar-drift" Error TYPE "do not trust rehearsal.json; the log holds no rehearsal that it could be a snapshot of"
    PublishOutsideRun "publish-outside-run" Error PACKAGE "find out what published here; no plan_created says which plan these packages belong to"
    TornTail "torn-tail" Warning TYPE "a writer died in the middle of a line, or is still at work; look again when it is done, and rehearse again before publishing, since the lost line may have told of a failure"
    TailRepaired "tail-repaired" Warning TYPE "a writer died here; what it left of its last line is saved beside the log"
    BlankLine "blank-line" Warning LINE "no tool writes blank lines; find out who edited the log"
    CrlfLineEndings "crlf-line-endings" Warning END "lines end with CR LF; no tool writes that, so find out what converted the file"
    UnprovenPublish "unproven-publish" Warning PLAN_ID "this run rests on no rehearsal; find out why it went on without one, and rehearse before publishing"
    GateBypassed "gate-bypassed" Warning VERDICT "somebody asked to publish without a rehearsal; ask them why"
    GateNotAskedAgain "gate-not-asked-again" Warning PLAN_ID "the rehearsal would have let this run go, but nobody asked; ask the gate right before every run"
    RehearsalUnfinished "rehearsal-unfinished" Warning PLAN_ID "a rehearsal of this plan was started and not completed before this run; find out whether it died or would have failed"
    UnknownGateEvent "unknown-gate-event" Warning TYPE "a newer version may have meant something by it for the gate; use a version that knows it"
    SidecarOrphan "sidecar-orphan" Warning TYPE "do not trust rehearsal.json; no rehearsal in this log was completed"
    SidecarUnreadable "sidecar-unreadable" Warning TYPE "mend or remove rehearsal.json, or rehearse again, which writes it anew; the log alone decides"
    SidecarUnsupported "sidecar-unsupported" Warning TYPE "use a version of shipper-replay that knows this schema; the sidecar was not compared"
    SidecarBehind "sidecar-behind" Warning TYPE "rehearsal.json tells of an earlier rehearsal than the log's latest; do not decide by it"
    RehearsalAbandoned "rehearsal-abandoned" Warning TYPE "the rehearsal before this one died, or two ran at once; run one at a time"
    StrayRehearsalEvent "stray-rehearsal-event" Warning TYPE "no rehearsal was open here; two rehearsals may have written into one log at once"
    SharedAuthority "shared-authority" Warning PLAN_ID "the rehearsal may have gone to the live registry itself; check that the two registries differ by URL"
    TimeWentBackwards "time-went-backwards" Warning TIMESTAMP "a clock was set back, or lines were moved or written by two tools at once; times in a log are claims"
    UnknownEvent "unknown-event" Note TYPE "nothing to do; the event was kept and has no effect on the gate"
    ForeignLines "foreign-lines" Note TYPE "lines of a tool that does not chain stand here; they are trusted as they stand"
    SelfDeclaredRegistry "self-declared-registry" Note TYPE "pass --registry NAME to demand the registry that you have configured"
    NoHeadGiven "no-head-given" Note TYPE "pass --extends with a head that you kept elsewhere; without one, a cut or wholly rewritten log cannot be seen"
}

impl FindingCode {
    /// Returns whether the finding means that the log's integrity is broken.
    pub fn breaks_integrity(self) -> bool {
        matches!(
            self,
            Self::CorruptLine | Self::ChainBroken | Self::HeadMismatch | Self::LogTruncated | Self::BasisMismatch
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
