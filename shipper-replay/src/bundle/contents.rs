//! The files of a checked bundle, as inputs of an audit.

use std::io::{BufReader, Read};

use camino::Utf8Path;
use fs_err::File;
use serde::Deserialize;
use shipper_core::audit::{BundleReport, Conclusion, LogSurroundings, SidecarInput};
use shipper_core::packet::PacketKind;

use super::format::{DIRECTORY, Member};
use super::read::{BundleError, Members, read_members};
use crate::index_files::{IndexFiles, Keep};
use crate::log_source::LogSource;

/// A bundle whose files match their sums.
#[derive(Debug)]
pub(crate) struct Bundle {
    path: String,
    log: File,
    members: Members,
    sender: Sender,
}

/// The members of the sender's report that are shown. They are never trusted.
#[derive(Debug, Deserialize)]
struct Sender {
    conclusion: Conclusion,
}

/// Returns whether the file at a path begins as a bundle does; false for one that cannot be opened.
pub(crate) fn is_bundle(path: &Utf8Path) -> bool {
    // Only a regular file can be read from its start again.
    if path == "-" || !path.metadata().is_ok_and(|file| file.is_file()) {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(DIRECTORY.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == DIRECTORY.as_bytes()
}

/// Opens and checks the bundle at a path; `None` for any other file, and for one that cannot be opened.
///
/// # Errors
///
/// [`BundleError`] for a file that begins as a bundle does.
pub(crate) fn open(path: &Utf8Path) -> Result<Option<Bundle>, BundleError> {
    if !is_bundle(path) {
        return Ok(None);
    }
    let file = File::open(path).map_err(BundleError::Read)?;
    let log = tempfile::tempfile().map_err(BundleError::Copy)?;
    let log = File::from_parts(log, "a temporary file");
    let members = read_members(BufReader::new(file), &log)?;
    let report = members.others.get(&Member::Report).map_or(&[][..], Vec::as_slice);
    let sender = serde_json::from_slice(report).map_err(|_| BundleError::Report)?;
    Ok(Some(Bundle { path: path.to_string(), log, members, sender }))
}

/// Opens the log at a path, or the log in the bundle at a path, without a copy.
///
/// # Errors
///
/// The error of [`LogSource::open`], or one about the bundle.
pub(crate) fn open_log(path: &Utf8Path) -> std::io::Result<LogSource> {
    match open(path).map_err(std::io::Error::other)? {
        Some(bundle) => bundle.log_source(),
        None => LogSource::open(path, false),
    }
}

impl Bundle {
    /// Returns the log.
    pub(crate) fn log_source(&self) -> std::io::Result<LogSource> {
        LogSource::from_copy(self.log.try_clone()?)
    }

    /// Returns what the report on the log says about the bundle.
    pub(crate) fn report(&self) -> BundleReport {
        let has = |member| self.members.others.contains_key(&member);
        let mut report = BundleReport::new(self.members.log.name(), self.sender.conclusion);
        // The log and SHA256SUMS are not among the others.
        report.files = self.members.others.len() as u64 + 2;
        (report.sender_policy, report.sender_signers) = (has(Member::Policy), has(Member::Signers));
        report
    }

    /// Returns the sidecar.
    pub(crate) fn sidecar(&self) -> SidecarInput {
        self.compared(Member::Sidecar)
    }

    /// Returns a file of the packet.
    pub(crate) fn packet(&self, kind: PacketKind) -> SidecarInput {
        self.compared(match kind {
            PacketKind::State => Member::State,
            PacketKind::Receipt => Member::Receipt,
        })
    }

    /// Returns the index; `None` if the bundle contains none.
    ///
    /// # Errors
    ///
    /// [`BundleError::Index`] for a file that is not one of an index.
    pub(crate) fn index(&self, keep: Keep) -> Result<Option<IndexFiles>, BundleError> {
        let mut index = IndexFiles::default();
        for (member, bytes) in &self.members.others {
            if let Member::Index(_) = member {
                let added = index.add(&self.path_of(*member), bytes.clone(), keep);
                added.map_err(|source| BundleError::Index { name: member.name(), source })?;
            }
        }
        Ok((!index.is_empty()).then_some(index))
    }

    /// Returns the markers that were beside the log.
    pub(crate) fn surroundings(&self) -> LogSurroundings {
        let has = |member| self.members.others.contains_key(&member);
        let mut found = LogSurroundings::default();
        (found.repair_interrupted, found.sync_failed) = (has(Member::Repairing), has(Member::Unsynced));
        found
    }

    /// A file that the bundle does not contain was not compared by the sender, so its absence proves nothing.
    fn compared(&self, member: Member) -> SidecarInput {
        match self.members.others.get(&member) {
            Some(bytes) => SidecarInput::Found { path: self.path_of(member), bytes: bytes.clone() },
            None => SidecarInput::NotRequested,
        }
    }

    fn path_of(&self, member: Member) -> String {
        format!("{}/{}", self.path, member.name())
    }
}
