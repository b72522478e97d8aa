//! The names, the order and the headers of the files in a bundle.

use shipper_core::audit::{Compression, Policy};
use shipper_events::MAX_LINE_LEN;
use tar::{EntryType, Header};

/// The directory of all files. A file that begins with this name is a bundle.
pub(super) const DIRECTORY: &str = "shipper-bundle/";

/// The length of a header, and of the unit that content is padded to, in bytes.
pub(super) const BLOCK_LEN: usize = 512;

/// The longest log, in bytes: the size in a header has 11 octal digits.
const MAX_LOG_LEN: u64 = 0o777_7777_7777;

/// The longest report and the longest statement, in bytes.
const MAX_REPORT_LEN: u64 = 256 * 1024 * 1024;

/// Most bytes of all files except the log.
pub(super) const MAX_OTHER_LEN: u64 = 1024 * 1024 * 1024;

/// Most files of an index.
pub(super) const MAX_INDEX_FILES: u16 = 9999;

/// A file in a bundle. `Ord` is the order in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Member {
    Readme,
    Sums,
    Log,
    GzipLog,
    ZstdLog,
    /// The marker of an interrupted repair. It is empty: only its name counts.
    Repairing,
    /// The marker of a failed sync. It is empty, too.
    Unsynced,
    Sidecar,
    State,
    Receipt,
    Head,
    Signature,
    Signers,
    Policy,
    Report,
    Statement,
    /// A file of the index; the first is 1.
    Index(u16),
}

/// The files that a bundle has at most once, in their order.
const FIXED: [(Member, &str); 16] = [
    (Member::Readme, "README"),
    (Member::Sums, "SHA256SUMS"),
    (Member::Log, "events.jsonl"),
    (Member::GzipLog, "events.jsonl.gz"),
    (Member::ZstdLog, "events.jsonl.zst"),
    (Member::Repairing, "events.jsonl.repairing"),
    (Member::Unsynced, "events.jsonl.unsynced"),
    (Member::Sidecar, "rehearsal.json"),
    (Member::State, "state.json"),
    (Member::Receipt, "receipt.json"),
    (Member::Head, "head"),
    (Member::Signature, "head.sig"),
    (Member::Signers, "allowed_signers"),
    (Member::Policy, "policy.toml"),
    (Member::Report, "report.json"),
    (Member::Statement, "statement.json"),
];

impl Member {
    /// Returns the log, by its compression.
    pub(super) fn log(compression: Option<Compression>) -> Self {
        match compression {
            None => Self::Log,
            Some(Compression::Gzip) => Self::GzipLog,
            Some(Compression::Zstd) => Self::ZstdLog,
        }
    }

    pub(super) fn is_log(self) -> bool {
        matches!(self, Self::Log | Self::GzipLog | Self::ZstdLog)
    }

    /// Returns the name below [`DIRECTORY`].
    pub(super) fn name(self) -> String {
        match self {
            Self::Index(position) => format!("index/{position:04}"),
            _ => FIXED.iter().find(|(member, _)| *member == self).map_or("", |(_, name)| name).to_owned(),
        }
    }

    /// Returns the file with a name below [`DIRECTORY`]; `None` for another name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let index = || {
            let position = name.strip_prefix("index/")?.parse().ok()?;
            // A sign or another number of digits is another name.
            let is_valid = |member: &Self| (1..=MAX_INDEX_FILES).contains(&position) && member.name() == name;
            Some(Self::Index(position)).filter(is_valid)
        };
        FIXED.iter().find(|(_, fixed)| *fixed == name).map(|(member, _)| *member).or_else(index)
    }

    /// Returns the greatest length, in bytes.
    pub(super) fn max_len(self) -> u64 {
        match self {
            Self::Log | Self::GzipLog | Self::ZstdLog => MAX_LOG_LEN,
            Self::Repairing | Self::Unsynced => 0,
            Self::Readme => 64 * 1024,
            Self::Sums | Self::Signers => 1024 * 1024,
            // A longer sidecar is cut after one more byte than its maximum.
            Self::Sidecar | Self::State | Self::Receipt | Self::Index(_) => MAX_LINE_LEN as u64 + 1,
            Self::Head => 256,
            Self::Signature => 16 * 1024,
            Self::Policy => Policy::MAX_BYTES as u64,
            Self::Report | Self::Statement => MAX_REPORT_LEN,
        }
    }
}

/// Returns the only header that a file of that length can have: a plain file in the format ustar, without times, owners
/// and links.
pub(super) fn header(member: Member, len: u64) -> Header {
    let mut header = Header::new_ustar();
    let path = format!("{DIRECTORY}{}", member.name());
    if let Some(field) = header.as_old_mut().name.get_mut(..path.len()) {
        field.copy_from_slice(path.as_bytes());
    }
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(len);
    header.set_cksum();
    header
}

/// Returns the number of zeros after content of that length.
pub(super) fn padding(len: u64) -> u64 {
    len.next_multiple_of(BLOCK_LEN as u64) - len
}
