//! Inputs of a statement (`--format vsa`) that are not in the report: time, verifier, resource and digests.
//!
//! The program reads the audited bytes again to compute the digests. If the log has changed since the audit, there is
//! no statement.

use std::env;
use std::io;
use std::sync::OnceLock;
use std::time::SystemTime;

use fs_err::File;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shipper_core::audit::{ComparedFiles, LogReport, SidecarInput};
use shipper_events::{MAX_LINE_LEN, Timestamp, display_safe};
use thiserror::Error;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::chunks::read_chunks;
use crate::cli::{Cli, Format};
use crate::digest::{hex, sha256};
use crate::log_source::reread;
use crate::signed_head::SignedHead;
use crate::uri;

/// The error for a statement that cannot be made.
#[derive(Debug, Error)]
pub(crate) enum StatementError {
    #[error("{options} requires --format vsa or --bundle")]
    NotRequested { options: String },
    #[error("--format vsa cannot be used with --require")]
    Require,
    #[error("SOURCE_DATE_EPOCH is {}, not seconds since 1970 up to the year 9999", display_safe(value).quoted())]
    Epoch { value: String },
    #[error("the system's clock is not between the years 1970 and 9999")]
    Clock,
    #[error("the time is outside the years 0 to 9999 in UTC")]
    TimeOutOfRange,
    #[error("cannot make a statement about {}: {error}", display_safe(path).quoted())]
    NotAudited { path: String, error: String },
    #[error("cannot read {} again to compute its digests", display_safe(path).quoted())]
    Reread { path: String, source: io::Error },
    #[error("cannot make a statement about {}: it changed during the audit", display_safe(path).quoted())]
    Changed { path: String },
}

impl StatementError {
    /// Returns the remedy, or `None` if the message is enough.
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotRequested { .. } => "add one of them, or leave out these options",
            Self::Require => "leave out --require or --format vsa",
            Self::Epoch { .. } => "unset SOURCE_DATE_EPOCH, or pass --time",
            Self::TimeOutOfRange => "pass another --time",
            Self::Clock => "set the clock, or pass --time",
            Self::Reread { .. } | Self::Changed { .. } => "try again while no process writes to the log",
            Self::NotAudited { .. } => return None,
        })
    }
}

/// Digests of the same bytes, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Digests {
    /// SHA-256, for other tools.
    pub(crate) sha256: String,
    /// BLAKE3, as in reports, heads and chains. `None` for bytes without a head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blake3: Option<String>,
}

impl Digests {
    /// Computes both digests.
    fn of(bytes: &[u8]) -> Self {
        Self { sha256: sha256(bytes), blake3: Some(blake3::hash(bytes).to_string()) }
    }
}

/// Location and digests of a file that is compared with the log.
#[derive(Debug, Clone)]
pub(crate) struct FileDigest {
    /// Its path.
    pub(crate) path: String,
    /// Relative URI of its path.
    pub(crate) uri: String,
    /// Digests of the bytes that were read.
    pub(crate) digests: Digests,
    /// True if the whole file was read. Of a file above the maximum length, only the beginning is.
    pub(crate) is_whole: bool,
}

/// Content of a statement that is not in the report, without the digests of the log.
#[derive(Debug)]
pub(crate) struct StatementInputs {
    /// Time of the verification, RFC 3339 in UTC.
    pub(crate) time: String,
    /// URI of the verifier.
    pub(crate) verifier_id: String,
    /// URI of the log; `None` for its path.
    pub(crate) resource_uri: Option<String>,
    /// The files that the audit compared with the log; empty before the audit.
    pub(crate) files: OnceLock<Vec<FileDigest>>,
    /// The URIs and the digests of a signed head, its signature and the list of signers; empty without one.
    pub(crate) head_files: Vec<(String, Digests)>,
}

impl StatementInputs {
    /// Returns `None` without `--format vsa` and `--bundle`.
    ///
    /// # Errors
    ///
    /// [`StatementError::NotRequested`] and `Require`; `Epoch` and `TimeOutOfRange` for an invalid time.
    pub(crate) fn from_cli(cli: &Cli) -> Result<Option<Self>, StatementError> {
        if cli.format != Format::Vsa && cli.bundle.bundle.is_none() {
            let options = cli.statement_options();
            return if options.is_empty() { Ok(None) } else { Err(StatementError::NotRequested { options }) };
        }
        if cli.audit_options().require_list().is_some() {
            return Err(StatementError::Require);
        }
        Ok(Some(Self {
            time: verification_time(cli.time.as_ref())?,
            verifier_id: cli.verifier_id.clone().unwrap_or_else(|| "pkg:cargo/shipper-replay".to_owned()),
            resource_uri: cli.resource_uri.clone(),
            files: OnceLock::new(),
            head_files: Vec::new(),
        }))
    }

    /// Records the files of a signed head.
    pub(crate) fn with_signed_head(self, signed: Option<SignedHead>) -> Self {
        let files = signed.into_iter().flat_map(|signed| signed.files);
        Self { head_files: files.map(|(path, bytes)| (uri::from_path(&path), Digests::of(&bytes))).collect(), ..self }
    }

    /// Records the files that the audit compares with the log, and those of the index.
    pub(crate) fn record_files(&self, files: &ComparedFiles, index: &[FileDigest]) {
        let ComparedFiles { sidecar, packet, .. } = files;
        let digests = [sidecar, &packet.state, &packet.receipt].into_iter().filter_map(FileDigest::new);
        self.files.get_or_init(|| digests.chain(index.iter().cloned()).collect());
    }
}

impl FileDigest {
    /// Returns `None` for a file that was not read.
    fn new(file: &SidecarInput) -> Option<Self> {
        let SidecarInput::Found { path, bytes } = file else {
            return None;
        };
        Some(Self::of(path, bytes))
    }

    /// Computes the digests of a file's bytes.
    pub(crate) fn of(path: &str, bytes: &[u8]) -> Self {
        let digests = Digests::of(bytes);
        let (path, uri) = (path.to_owned(), uri::from_path(path));
        Self { path, uri, digests, is_whole: bytes.len() <= MAX_LINE_LEN }
    }
}

/// Computes the digests of the audited bytes. `copy` contains the bytes of a log that can be read only once.
///
/// # Errors
///
/// [`StatementError::NotAudited`], [`StatementError::Changed`] and [`StatementError::Reread`].
pub(crate) fn audited_digests(log: &LogReport, copy: Option<&File>) -> Result<Digests, StatementError> {
    let path = log.path.clone();
    let Some(audit) = &log.audit else {
        let error = log.error.clone().map(String::from).unwrap_or_default();
        return Err(StatementError::NotAudited { path, error });
    };
    let mut sha256 = Sha256::new();
    let reread = reread(&path, copy, audit, |bytes| {
        read_chunks(bytes, |chunk| {
            sha256.update(chunk);
            true
        })
    });
    match reread {
        Ok(Some(())) => Ok(Digests { sha256: hex(&sha256.finalize()), blake3: Some(audit.blake3.clone()) }),
        Ok(None) => Err(StatementError::Changed { path }),
        Err(source) => Err(StatementError::Reread { path, source }),
    }
}

/// Returns the given time, else `SOURCE_DATE_EPOCH`, else the current time. Only this function reads the clock.
fn verification_time(given: Option<&Timestamp>) -> Result<String, StatementError> {
    // A fixed time, for reproducible statements: <https://reproducible-builds.org/specs/source-date-epoch/>.
    let instant = match (given, env::var_os("SOURCE_DATE_EPOCH")) {
        (Some(given), _) => given.instant(),
        (None, Some(epoch)) => {
            let value = epoch.to_string_lossy();
            parse_epoch(&value).ok_or_else(|| StatementError::Epoch { value: value.into_owned() })?
        }
        (None, None) => seconds_of(SystemTime::now()).ok_or(StatementError::Clock)?,
    };
    let utc = instant.checked_to_offset(UtcOffset::UTC).ok_or(StatementError::TimeOutOfRange)?;
    utc.format(&Rfc3339).map_err(|_| StatementError::TimeOutOfRange)
}

/// Returns a time of the system's clock in whole seconds; `None` before 1970, or after the year 9999, for which
/// `OffsetDateTime::from` panics.
fn seconds_of(clock: SystemTime) -> Option<OffsetDateTime> {
    let elapsed = clock.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    OffsetDateTime::from_unix_timestamp(i64::try_from(elapsed.as_secs()).ok()?).ok()
}

fn parse_epoch(text: &str) -> Option<OffsetDateTime> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    OffsetDateTime::from_unix_timestamp(text.parse().ok().filter(|_| is_decimal)?).ok()
}

#[cfg(test)]
#[path = "../tests/unit/statement.rs"]
mod tests;
