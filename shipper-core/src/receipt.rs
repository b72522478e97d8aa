//! The outcome of a completed rehearsal, and what its evidence is worth.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shipper_events::{JsonUint, PlanId, RegistryName, Timestamp};

/// The outcome of a completed rehearsal: `docs/gate.md`, "The receipt".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The line of the `rehearsal_complete` that made it.
    pub line: u64,
    /// The plan that was rehearsed.
    pub plan_id: PlanId,
    /// The registry that it was rehearsed on.
    pub registry: RegistryName,
    /// Whether the rehearsal says that it passed.
    pub passed: bool,
    /// What it says of itself.
    pub summary: String,
    /// The packages that were published to the rehearsal registry, each `name@version`.
    pub packages: Arc<BTreeSet<String>>,
    /// How the rehearsal began; `None` for a completion without a matching start.
    pub start: Option<RehearsalStart>,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// Why a passed receipt is no evidence, in the contract's order. Empty: it is sound.
    pub unsound: Vec<EvidenceFlaw>,
}

/// The start of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalStart {
    /// The line of the `rehearsal_started`.
    pub line: u64,
    /// When it was started.
    pub at: Timestamp,
    /// How many packages it set out to rehearse.
    pub package_count: JsonUint,
}

/// Whether a receipt is borne out by the events before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Nothing speaks against it.
    Sound,
    /// It says that it passed and the events say otherwise.
    Unsound,
}

impl Evidence {
    /// The contract's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Unsound => "unsound",
        }
    }
}

/// Why a passed receipt is no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceFlaw {
    /// No start of the same plan and registry was open: the events between start and end belong to others.
    CompletionWithoutStart,
    /// It published another number of packages than it set out to.
    PackageCountMismatch,
    /// A package or a smoke check failed in it, or its log was torn.
    FailureRecorded,
    /// A package was published twice in it.
    DuplicatePackage,
}

impl EvidenceFlaw {
    /// The contract's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CompletionWithoutStart => "completion-without-start",
            Self::PackageCountMismatch => "package-count-mismatch",
            Self::FailureRecorded => "failure-recorded",
            Self::DuplicatePackage => "duplicate-package",
        }
    }
}

impl Receipt {
    /// Whether the events bear it out.
    pub fn evidence(&self) -> Evidence {
        if self.unsound.is_empty() { Evidence::Sound } else { Evidence::Unsound }
    }

    /// Whether it passed and its evidence is sound: the only kind of receipt that lets anything be published.
    pub fn is_valid_evidence(&self) -> bool {
        self.passed && self.unsound.is_empty()
    }

    /// How many packages were published in it; 0 without a start.
    pub fn packages_published(&self) -> u64 {
        self.packages.len() as u64
    }

    /// That, plus one if it did not pass.
    pub fn packages_attempted(&self) -> u64 {
        self.packages_published() + u64::from(!self.passed)
    }

    /// When it was started; when it was completed, without a start.
    pub fn started_at(&self) -> &Timestamp {
        self.start.as_ref().map_or(&self.completed_at, |start| &start.at)
    }
}
