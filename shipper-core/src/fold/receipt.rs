//! The outcome of a completed rehearsal, and the soundness of its evidence.

use std::collections::{BTreeMap, BTreeSet};

use shipper_events::{JsonUint, PlanId, RegistryName, Timestamp};

use crate::words::word_enums;

/// The outcome, passed or failed, of a completed rehearsal, or of one that was abandoned after a failure: `docs/gate.md`,
/// "The receipt".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// Line of the `rehearsal_complete`, or of the `rehearsal_started` that abandoned the rehearsal; the first line is 1.
    pub line: u64,
    /// Plan that was rehearsed.
    pub plan_id: PlanId,
    /// Registry that the plan was rehearsed on.
    pub registry: RegistryName,
    /// True if the completion claims that the rehearsal passed.
    pub passed: bool,
    /// Summary that the completion records: any text, which no rule reads.
    pub summary: String,
    /// Packages that were published to the rehearsal registry, each `name@version`. Empty without a start.
    pub packages: BTreeSet<String>,
    /// Content of those packages that record one: see [`Event::content`](shipper_events::Event::content).
    pub contents: BTreeMap<String, String>,
    /// Those packages that the live registry had already, so that the rehearsal did not build them: see
    /// [`Event::is_already_published`](shipper_events::Event::is_already_published).
    pub already_published: BTreeSet<String>,
    /// Start of the rehearsal; `None` for a completion without a matching start.
    pub start: Option<RehearsalStart>,
    /// Time of that line.
    pub completed_at: Timestamp,
    /// True if another rehearsal started after a failure and before the completion. Such a receipt has no sidecar.
    pub abandoned: bool,
    /// Flaws that make a passed receipt unsound, in the order of [`EvidenceFlaw`]. Empty if the evidence is sound.
    pub unsound: Vec<EvidenceFlaw>,
}

/// The start of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RehearsalStart {
    /// Line of the `rehearsal_started`.
    pub line: u64,
    /// Time of the start.
    pub at: Timestamp,
    /// Number of packages to rehearse, as recorded.
    pub package_count: JsonUint,
}

word_enums! {
    /// The soundness of a receipt's evidence.
    pub enum Evidence {
        /// The events before the completion do not contradict it.
        Sound = "sound",
        /// The completion claims that the rehearsal passed, and the events before it contradict that.
        Unsound = "unsound",
    }

    /// A flaw in the evidence of a passed receipt.
    #[derive(PartialOrd, Ord)]
    pub enum EvidenceFlaw {
        /// No rehearsal of the same plan and registry was open, so the events before the completion belong to others.
        CompletionWithoutStart = "completion-without-start",
        /// The number of published packages differs from the number at the start.
        PackageCountMismatch = "package-count-mismatch",
        /// A package or a smoke check failed in the rehearsal, or a torn tail was repaired.
        FailureRecorded = "failure-recorded",
        /// The rehearsal published a package twice.
        DuplicatePackage = "duplicate-package",
        /// The rehearsal published no package.
        EmptyRehearsal = "empty-rehearsal",
        /// A package or a smoke check failed after the completion, while no rehearsal was open. The failure may belong to
        /// this rehearsal.
        FailureAfterCompletion = "failure-after-completion",
    }
}

impl Receipt {
    /// Returns the soundness of the evidence.
    pub fn evidence(&self) -> Evidence {
        if self.unsound.is_empty() { Evidence::Sound } else { Evidence::Unsound }
    }

    /// Returns whether the rehearsal passed and its evidence is sound. No other receipt authorizes a publish.
    pub fn is_valid_evidence(&self) -> bool {
        self.passed && self.unsound.is_empty()
    }

    /// Returns the number of published packages; 0 without a start.
    pub fn packages_published(&self) -> u64 {
        self.packages.len() as u64
    }

    /// Returns the number of published packages, plus one failed package if the rehearsal did not pass.
    pub fn packages_attempted(&self) -> u64 {
        self.packages_published() + u64::from(!self.passed)
    }

    /// Returns the start time; the completion time if no start matches.
    pub fn started_at(&self) -> &Timestamp {
        self.start.as_ref().map_or(&self.completed_at, |start| &start.at)
    }
}
