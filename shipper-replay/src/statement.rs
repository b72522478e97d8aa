//! Inputs of a statement (`--format vsa`) beside the report: the time, the verifier, the resource and the digests of
//! exactly the bytes that were audited.
//!
//! A second reading computes the digests and compares the BLAKE3 with the audit's: a log that changed meanwhile gets no
//! statement.

use std::env;
use std::io;
use std::sync::OnceLock;

use fs_err::File;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shipper_core::audit::{LogReport, SidecarInput};
use shipper_events::{MAX_LINE_LEN, Timestamp, display_safe};
use thiserror::Error;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::cli::{Cli, Format};
use crate::log_source::{read_chunks, reread};
use crate::uri;

/// A statement cannot be made.
#[derive(Debug, Error)]
pub(crate) enum StatementError {
    #[error("{options} is for --format vsa; add that, or leave it out")]
    NotRequested { options: String },
    #[error("a statement says what was done, and --require asks what may be done; leave out --require or --format vsa")]
    Require,
    #[error("SOURCE_DATE_EPOCH is {}, and no number of seconds since 1970 up to the year 9999; unset it, or pass --time", display_safe(value).quoted())]
    Epoch { value: String },
    #[error("the time is outside the years 0 to 9999 in UTC; name one inside with --time")]
    TimeOutOfRange,
    #[error("no statement can be made of {}: {error}", display_safe(path).quoted())]
    NotAudited { path: String, error: String },
    #[error(
        "no statement: {} could not be read a second time for its digests; try again on a file that nothing writes to",
        display_safe(path).quoted()
    )]
    Reread { path: String, source: io::Error },
    #[error(
        "no statement: {} changed while it was judged; try again when nothing writes to it",
        display_safe(path).quoted()
    )]
    Changed { path: String },
}

/// Digests of the same bytes, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Digests {
    /// SHA-256, which other tools use.
    pub(crate) sha256: String,
    /// BLAKE3, which reports, heads and chains use. `None` for bytes that no report names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blake3: Option<String>,
}

/// Location and digests of a sidecar.
#[derive(Debug, Clone)]
pub(crate) struct SidecarDigest {
    /// Relative URI of its path.
    pub(crate) uri: String,
    /// Digests of the bytes that were read.
    pub(crate) digests: Digests,
    /// True if the whole file was read; only the beginning of a file longer than any sidecar is read.
    pub(crate) is_whole: bool,
}

/// Content of a statement that is neither in the report nor a digest of the log.
#[derive(Debug)]
pub(crate) struct StatementInputs {
    /// Time of the verification, RFC 3339 in UTC.
    pub(crate) time: String,
    /// URI of the verifier.
    pub(crate) verifier_id: String,
    /// URI of the artifact that the log is about; `None` for the path of the log.
    pub(crate) resource_uri: Option<String>,
    /// The sidecar that was read for the audit; empty if none was found.
    pub(crate) sidecar: OnceLock<SidecarDigest>,
}

impl StatementInputs {
    /// Returns `None` without `--format vsa`.
    ///
    /// # Errors
    ///
    /// Options that contradict each other, or a time that is not valid.
    pub(crate) fn from_cli(cli: &Cli) -> Result<Option<Self>, StatementError> {
        if cli.format != Format::Vsa {
            let options = cli.statement_options();
            return if options.is_empty() { Ok(None) } else { Err(StatementError::NotRequested { options }) };
        }
        if cli.audit_options().require.is_some() {
            return Err(StatementError::Require);
        }
        Ok(Some(Self {
            time: verification_time(cli.time.as_ref())?,
            verifier_id: cli.verifier_id.clone().unwrap_or_else(|| "pkg:cargo/shipper-replay".to_owned()),
            resource_uri: cli.resource_uri.clone(),
            sidecar: OnceLock::new(),
        }))
    }

    /// Records the sidecar before it is compared.
    pub(crate) fn record_sidecar(&self, sidecar: &SidecarInput) {
        if let SidecarInput::Found { path, bytes } = sidecar {
            let digests = Digests { sha256: sha256(bytes), blake3: Some(blake3::hash(bytes).to_string()) };
            let digest = || SidecarDigest { uri: uri::from_path(path), digests, is_whole: bytes.len() <= MAX_LINE_LEN };
            self.sidecar.get_or_init(digest);
        }
    }
}

/// Computes the digests of the audited bytes. `copy` contains the bytes of a log that can be read only once.
///
/// # Errors
///
/// The log was not audited, or its audited bytes cannot be read a second time.
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

/// Returns the SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the given time, else `SOURCE_DATE_EPOCH`, else the current time, which only this function reads.
fn verification_time(given: Option<&Timestamp>) -> Result<String, StatementError> {
    // A fixed time, for reproducible statements: <https://reproducible-builds.org/specs/source-date-epoch/>.
    let instant = match (given, env::var_os("SOURCE_DATE_EPOCH")) {
        (Some(given), _) => given.instant(),
        (None, Some(epoch)) => {
            let value = epoch.to_string_lossy();
            parse_epoch(&value).ok_or_else(|| StatementError::Epoch { value: value.into_owned() })?
        }
        (None, None) => {
            let now = OffsetDateTime::now_utc();
            now.replace_nanosecond(0).unwrap_or(now)
        }
    };
    let utc = instant.checked_to_offset(UtcOffset::UTC).ok_or(StatementError::TimeOutOfRange)?;
    utc.format(&Rfc3339).map_err(|_| StatementError::TimeOutOfRange)
}

fn parse_epoch(text: &str) -> Option<OffsetDateTime> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    OffsetDateTime::from_unix_timestamp(text.parse().ok().filter(|_| is_decimal)?).ok()
}

#[cfg(test)]
mod tests {
    use shipper_core::audit::{AuditOptions, audit_reader};

    use super::*;

    /// (Fail) Bytes that differ from the audited ones in one bit get no statement; bytes appended meanwhile are not part
    /// of them.
    #[test]
    fn log_changed_since_audit_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("events.jsonl");
        let path = path.to_str().expect("UTF-8");
        let bytes = b"{}\n";
        let audited =
            audit_reader(&bytes[..], SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is missing");
        let log = LogReport::audited(path, audited);
        let digests_of = |now: &[u8]| {
            fs_err::write(path, now).expect("it can be written");
            audited_digests(&log, None)
        };
        let expected = Some(Digests { sha256: sha256(bytes), blake3: Some(blake3::hash(bytes).to_string()) });
        assert_eq!(digests_of(bytes).ok(), expected);
        assert_eq!(digests_of(&[&bytes[..], b"{}\n"].concat()).ok(), expected);
        let mut changed = *bytes;
        changed[2] ^= 1;
        assert!(matches!(digests_of(&changed), Err(StatementError::Changed { .. })));
        assert!(matches!(digests_of(&bytes[1..]), Err(StatementError::Reread { .. })));
        fs_err::remove_file(path).expect("it exists");
        assert!(matches!(audited_digests(&log, None), Err(StatementError::Reread { .. })));
    }
}
