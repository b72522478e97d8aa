//! The writer of a bundle. It writes a temporary file beside OUT, which gets the name OUT when it is complete.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, Write};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use sha2::{Digest, Sha256};
use shipper_core::audit::{ComparedFiles, FindingCode, LogAudit, SidecarInput};
use shipper_events::display_safe;
use thiserror::Error;

use super::format::{BLOCK_LEN, MAX_INDEX_FILES, MAX_OTHER_LEN, Member, header, padding};
use super::read::sum_line;
use super::readme::readme;
use crate::chunks::read_chunks;
use crate::cli::Cli;
use crate::digest::{hex, sha256};
use crate::formats::{json, vsa};
use crate::index_files::IndexFiles;
use crate::signed_head::SignedHead;
use crate::view::ReportView;

/// The error for a bundle that cannot be written.
#[derive(Debug, Error)]
pub(crate) enum BundleWriteError {
    #[error("the bundle {} exists", display_safe(path.as_str()).quoted())]
    Exists { path: Utf8PathBuf },
    #[error("the bundle {} would be in the directory {} of --index", display_safe(path.as_str()).quoted(),
        display_safe(index.as_str()).quoted())]
    InIndex { path: Utf8PathBuf, index: Utf8PathBuf },
    #[error("cannot write the bundle {}", display_safe(path.as_str()).quoted())]
    Write { path: Utf8PathBuf, source: io::Error },
    #[error("cannot read the policy {} again for the bundle", display_safe(path.as_str()).quoted())]
    Policy { path: Utf8PathBuf, source: io::Error },
    #[error("the policy {} changed during the audit", display_safe(path.as_str()).quoted())]
    PolicyChanged { path: Utf8PathBuf },
    #[error("a bundle has at most {MAX_INDEX_FILES} files of an index, not {count}")]
    IndexFiles { count: usize },
    #[error("{name} would be longer than {max} bytes in the bundle")]
    TooLong { name: String, max: u64 },
    #[error("the files for the bundle are longer than 1 GiB together, without the log")]
    TooLongTogether,
}

impl BundleWriteError {
    /// Returns the remedy, or `None` if the message is enough.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("pass the path of a new file; a bundle is never replaced"),
            Self::InIndex { .. } => Some("pass a path outside the index, which has only files of the index"),
            Self::IndexFiles { .. } | Self::TooLongTogether => {
                Some("pass only the index files of the packages in the log")
            }
            Self::PolicyChanged { .. } => Some("try again while no process writes to the policy"),
            Self::Write { .. } | Self::Policy { .. } | Self::TooLong { .. } => None,
        }
    }
}

/// The bundle that `--bundle` requests, with the files that the audit has used so far.
#[derive(Debug)]
pub(crate) struct BundleOut<'c> {
    path: &'c Utf8Path,
    cli: &'c Cli,
    /// The files that were compared with the log; empty before the audit.
    compared: OnceLock<BTreeMap<Member, Vec<u8>>>,
    /// The contents of the head, the signature and the list of signers; empty without a signed head.
    signed: Vec<(Member, Vec<u8>)>,
    /// Number of files of the index.
    index_files: OnceLock<usize>,
}

impl<'c> BundleOut<'c> {
    /// Returns `None` without `--bundle`. It checks the path early, before a long audit.
    ///
    /// # Errors
    ///
    /// [`BundleWriteError::Exists`] and [`BundleWriteError::InIndex`].
    pub(crate) fn from_cli(cli: &'c Cli) -> Result<Option<Self>, BundleWriteError> {
        let Some(path) = cli.bundle.bundle.as_deref() else {
            return Ok(None);
        };
        if path.symlink_metadata().is_ok() {
            return Err(BundleWriteError::Exists { path: path.to_owned() });
        }
        let directory = directory_of(path).canonicalize_utf8();
        for index in &cli.index.paths {
            // An error is reported when the index is read, or when the bundle is written.
            if let (Ok(directory), Ok(found)) = (&directory, index.canonicalize_utf8())
                && directory.starts_with(&found)
            {
                return Err(BundleWriteError::InIndex { path: path.to_owned(), index: index.clone() });
            }
        }
        Ok(Some(Self { path, cli, compared: OnceLock::new(), signed: Vec::new(), index_files: OnceLock::new() }))
    }

    /// Records the files of a signed head.
    pub(crate) fn with_signed_head(self, signed: Option<&SignedHead>) -> Self {
        let contents = signed.into_iter().flat_map(|signed| signed.files.iter().map(|(_, bytes)| bytes.clone()));
        let members = [Member::Head, Member::Signature, Member::Signers];
        Self { signed: members.into_iter().zip(contents).collect(), ..self }
    }

    /// Records the files that the audit compares with the log.
    pub(crate) fn record(&self, files: &ComparedFiles, index: Option<&IndexFiles>) {
        let ComparedFiles { sidecar, packet, .. } = files;
        let found = [(Member::Sidecar, sidecar), (Member::State, &packet.state), (Member::Receipt, &packet.receipt)];
        let found = found.into_iter().filter_map(|(member, file)| match file {
            SidecarInput::Found { bytes, .. } => Some((member, bytes.clone())),
            _ => None,
        });
        let contents = index.map_or(&[][..], |index| &index.contents);
        let index = (1..=MAX_INDEX_FILES).map(Member::Index).zip(contents.iter().cloned());
        self.compared.get_or_init(|| found.chain(index).collect());
        self.index_files.get_or_init(|| contents.len());
    }

    /// Writes the bundle. The view contains one audited log and the inputs of its statement; `log` has its bytes.
    ///
    /// # Errors
    ///
    /// [`BundleWriteError`]. Then there is no file at the path, unless another process created it.
    pub(crate) fn write(&self, view: &ReportView, mut log: &File) -> Result<(), BundleWriteError> {
        let failed = |source| BundleWriteError::Write { path: self.path.to_owned(), source };
        let (len, digest) = measure(log).map_err(failed)?;
        let audit = view.report.logs.iter().find_map(|log| log.audit.as_ref());
        let log_member = Member::log(audit.and_then(|audit| audit.compression));
        let mut others = self.others(view, audit)?;
        let mut names: Vec<Member> = others.keys().copied().chain([Member::Readme, Member::Sums, log_member]).collect();
        names.sort_unstable();
        let text = readme(&names, &view.report.demand, self.cli.heads.verify_time.as_ref());
        others.insert(Member::Readme, text.into_bytes());
        let mut digests: BTreeMap<Member, String> = others.iter().map(|(name, bytes)| (*name, sha256(bytes))).collect();
        digests.insert(log_member, digest);
        let sums: String = digests.iter().map(|(member, digest)| sum_line(&member.name(), digest)).collect();
        others.insert(Member::Sums, sums.into_bytes());
        check_lengths(&others, (log_member, len))?;
        let mut file = create_beside(self.path).map_err(failed)?;
        let written = log.rewind().and_then(|()| write_archive(file.as_file_mut(), &names, &others, (len, log)));
        written.and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist_noclobber(self.path).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => BundleWriteError::Exists { path: self.path.to_owned() },
            _ => failed(error.error),
        })?;
        sync_directory(directory_of(self.path)).map_err(failed)
    }

    /// Returns the files of the bundle without the log, README and SHA256SUMS.
    fn others(
        &self,
        view: &ReportView,
        audit: Option<&LogAudit>,
    ) -> Result<BTreeMap<Member, Vec<u8>>, BundleWriteError> {
        let failed = |source| BundleWriteError::Write { path: self.path.to_owned(), source };
        let count = self.index_files.get().copied().unwrap_or_default();
        if count > usize::from(MAX_INDEX_FILES) {
            return Err(BundleWriteError::IndexFiles { count });
        }
        let mut others = self.compared.get().cloned().unwrap_or_default();
        others.extend(self.signed.iter().cloned());
        for (code, marker) in
            [(FindingCode::RepairInterrupted, Member::Repairing), (FindingCode::SyncFailed, Member::Unsynced)]
        {
            let is_found = audit.is_some_and(|audit| audit.findings.iter().any(|finding| finding.code == code));
            others.extend(is_found.then(|| (marker, Vec::new())));
        }
        others.extend(self.policy(view)?.map(|bytes| (Member::Policy, bytes)));
        let mut report = view.report.clone();
        if !self.cli.timeline {
            // The report does not depend on --format.
            report.logs.iter_mut().filter_map(|log| log.audit.as_mut()).for_each(LogAudit::clear_timeline);
        }
        let (mut json, mut statement) = (Vec::new(), Vec::new());
        json::write(&report, &mut json).and_then(|()| vsa::write(view, &mut statement)).map_err(failed)?;
        others.extend([(Member::Report, json), (Member::Statement, statement)]);
        Ok(others)
    }

    /// Reads the policy again, and compares it with the one of the audit.
    fn policy(&self, view: &ReportView) -> Result<Option<Vec<u8>>, BundleWriteError> {
        let (Some(path), Some(policy)) = (&self.cli.policy.policy, &view.report.demand.policy) else {
            return Ok(None);
        };
        let bytes = fs_err::read(path).map_err(|source| BundleWriteError::Policy { path: path.clone(), source })?;
        match policy.sha256 == Some(sha256(&bytes)) {
            true => Ok(Some(bytes)),
            false => Err(BundleWriteError::PolicyChanged { path: path.clone() }),
        }
    }
}

/// Returns the length and the SHA-256 of a file.
fn measure(mut file: &File) -> io::Result<(u64, String)> {
    let (mut hasher, mut len) = (Sha256::new(), 0);
    file.rewind()?;
    read_chunks(file, |chunk| {
        hasher.update(chunk);
        len += chunk.len() as u64;
        true
    })?;
    Ok((len, hex(&hasher.finalize())))
}

/// Returns an error if a reader of bundles would refuse the lengths.
fn check_lengths(others: &BTreeMap<Member, Vec<u8>>, log: (Member, u64)) -> Result<(), BundleWriteError> {
    let lens = others.iter().map(|(member, bytes)| (*member, bytes.len() as u64));
    if let Some((member, _)) = lens.clone().chain([log]).find(|(member, len)| *len > member.max_len()) {
        return Err(BundleWriteError::TooLong { name: member.name(), max: member.max_len() });
    }
    match lens.map(|(_, len)| len).sum::<u64>() > MAX_OTHER_LEN {
        true => Err(BundleWriteError::TooLongTogether),
        false => Ok(()),
    }
}

/// Writes the archive. `names` are sorted, and `log` is the length and the content of the file that `others` lacks.
fn write_archive(
    out: &mut impl Write,
    names: &[Member],
    others: &BTreeMap<Member, Vec<u8>>,
    mut log: (u64, impl Read),
) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    for member in names {
        let bytes = others.get(member);
        let len = bytes.map_or(log.0, |bytes| bytes.len() as u64);
        out.write_all(header(*member, len).as_bytes())?;
        match bytes {
            Some(bytes) => out.write_all(bytes)?,
            None => {
                io::copy(&mut log.1, &mut out)?;
            }
        }
        io::copy(&mut io::repeat(0).take(padding(len)), &mut out)?;
    }
    out.write_all(&[0; 2 * BLOCK_LEN])?;
    out.flush()
}

fn directory_of(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    }
}

/// Creates a temporary file in the directory of a path, with the permissions of a new file.
fn create_beside(path: &Utf8Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".shipper-bundle-");
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(directory_of(path))
}

#[cfg(unix)]
fn sync_directory(directory: &Utf8Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Other systems cannot open a directory.
#[cfg(not(unix))]
fn sync_directory(_directory: &Utf8Path) -> io::Result<()> {
    Ok(())
}
