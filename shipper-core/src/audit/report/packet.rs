//! The result of the comparison with the packet.

use serde::{Deserialize, Serialize};

use super::finding::FindingCode;
use crate::packet::{PacketDiff, PacketKind};
use crate::words::word_enums;

word_enums! {
    /// The status of a file of the packet.
    #[derive(Default)]
    pub enum PacketStatus {
        /// The caller did not look for it, the log is torn or corrupt, or it begins with `log_continued`.
        #[default]
        NotChecked = "not-checked",
        /// It does not exist.
        Absent = "absent",
        /// It cannot be read or compared.
        Unreadable = "unreadable",
        /// It has a schema that this version does not know.
        Unsupported = "unsupported",
        /// The log has no run of its plan.
        Orphan = "orphan",
        /// It agrees with the log.
        Match = "match",
        /// It agrees with an earlier part of the log: the log has later events.
        Behind = "behind",
        /// It contradicts the log.
        Drift = "drift",
    }
}

impl PacketStatus {
    /// Returns the code of the finding that a file of this status has.
    pub(in crate::audit) fn finding_code(self, kind: PacketKind) -> Option<FindingCode> {
        let (state, receipt) = match self {
            Self::NotChecked | Self::Absent | Self::Match => return None,
            Self::Unreadable => (FindingCode::StateUnreadable, FindingCode::ReceiptUnreadable),
            Self::Unsupported => (FindingCode::StateUnsupported, FindingCode::ReceiptUnsupported),
            Self::Orphan => (FindingCode::StateOrphan, FindingCode::ReceiptOrphan),
            Self::Behind => (FindingCode::StateBehind, FindingCode::ReceiptBehind),
            Self::Drift => (FindingCode::StateDrift, FindingCode::ReceiptDrift),
        };
        Some(match kind {
            PacketKind::State => state,
            PacketKind::Receipt => receipt,
        })
    }
}

/// The result of the comparison with the packet: `docs/evidence.md`, "The packet".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PacketReport {
    /// The result for `state.json`.
    pub state: PacketFileReport,
    /// The result for `receipt.json`.
    pub receipt: PacketFileReport,
}

/// The result of the comparison with one file of the packet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PacketFileReport {
    /// The status of the file.
    pub status: PacketStatus,
    /// The path where the caller looked for it. `None` if the caller did not look, or if it was not checked and does not
    /// exist.
    pub path: Option<String>,
    /// The first 100 differences from the log; empty unless the status is [`PacketStatus::Drift`].
    pub differences: Vec<PacketDiff>,
}

impl FindingCode {
    /// Returns the file of the packet that the finding is about. `None` if it is about something else.
    pub fn packet_file(self) -> Option<PacketKind> {
        match self {
            Self::StateDrift
            | Self::StateOrphan
            | Self::StateUnreadable
            | Self::StateUnsupported
            | Self::StateBehind => Some(PacketKind::State),
            Self::ReceiptDrift
            | Self::ReceiptOrphan
            | Self::ReceiptUnreadable
            | Self::ReceiptUnsupported
            | Self::ReceiptBehind => Some(PacketKind::Receipt),
            _ => None,
        }
    }
}
