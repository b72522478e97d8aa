//! What a statement needs beside the report: when it is made, by whom, of what, and the digests of exactly the bytes
//! that were judged.
//!
//! The digests are taken in a second reading, which also computes the BLAKE3 again: a log that changed meanwhile gets
//! no statement.

use std::io::{self, Read, Write};
use std::sync::OnceLock;

use clap::Args;
use fs_err::File;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shipper_core::audit::{LogAudit, LogReport, Report, SidecarInput, SidecarStatus};
use shipper_events::{MAX_LINE_LEN, Timestamp, display_safe};
use thiserror::Error;

use crate::cli::{Cli, Format};
use crate::clock::{ClockError, time_verified};
use crate::input::open_again;
use crate::uri;

/// Who verified, unless `--verifier-id` says otherwise: this program.
const VERIFIER: &str = "pkg:cargo/shipper-replay";

/// The options of `--format vsa`.
#[derive(Debug, Args)]
pub(crate) struct StatementOptions {
    /// With --format vsa: what the log is the log of, as those who use the statement will ask for it; by default the
    /// log's path as given
    #[arg(long, value_name = "URI", value_parser = uri::reference, conflicts_with = "follow")]
    resource_uri: Option<String>,

    /// With --format vsa: who verified; by default pkg:cargo/shipper-replay
    #[arg(long, value_name = "URI", value_parser = uri::absolute, conflicts_with = "follow")]
    verifier_id: Option<String>,

    /// With --format vsa: when it was verified; by default SOURCE_DATE_EPOCH, else now
    #[arg(long, value_name = "TIMESTAMP", conflicts_with = "follow")]
    time: Option<Timestamp>,
}

impl StatementOptions {
    /// Those that were given.
    fn given(&self) -> Vec<&'static str> {
        [
            ("--resource-uri", self.resource_uri.is_some()),
            ("--verifier-id", self.verifier_id.is_some()),
            ("--time", self.time.is_some()),
        ]
        .into_iter()
        .filter_map(|(option, given)| given.then_some(option))
        .collect()
    }
}

/// No statement can be made.
#[derive(Debug, Error)]
pub(crate) enum AttestError {
    #[error("{options} is for --format vsa; add that, or leave it out")]
    NoStatement { options: String },
    #[error("a statement says what was done, and --require asks what may be done; leave out --require or --format vsa")]
    Require,
    #[error(transparent)]
    Clock(#[from] ClockError),
    #[error("no statement can be made of {}: {error}", display_safe(path).quoted())]
    NotJudged { path: String, error: String },
    #[error(
        "no statement: {} could not be read a second time for its digests; try again on a file that nothing writes to",
        display_safe(path).quoted()
    )]
    NotReadAgain { path: String, source: io::Error },
    #[error(
        "no statement: {} changed while it was judged; try again when nothing writes to it",
        display_safe(path).quoted()
    )]
    Changed { path: String },
}

/// The digests of some bytes, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Digests {
    /// What other tools ask for.
    pub(crate) sha256: String,
    /// What the report, heads and the chain are made of.
    pub(crate) blake3: String,
}

/// A sidecar that was read.
#[derive(Debug, Clone)]
pub(crate) struct SidecarRead {
    /// Where it is.
    pub(crate) uri: String,
    /// Of what was read of it.
    pub(crate) digests: Digests,
    /// Whether that was all of it: of one that is too long to be one, only the beginning is read.
    pub(crate) whole: bool,
}

/// What a statement vouches for.
#[derive(Debug)]
pub(crate) struct Vouched {
    /// When it was verified, in UTC.
    pub(crate) time: String,
    /// Who verified.
    pub(crate) verifier_id: String,
    /// What the log is the log of.
    pub(crate) resource_uri: String,
    /// Of the bytes that were judged.
    pub(crate) digests: Digests,
    /// The sidecar that was compared.
    pub(crate) sidecar: Option<SidecarRead>,
}

/// What is known of a statement while its log is judged.
#[derive(Debug)]
pub(crate) struct Attesting {
    time: String,
    verifier_id: String,
    resource_uri: Option<String>,
    sidecar: OnceLock<SidecarRead>,
}

impl Attesting {
    /// None where no statement is asked for.
    pub(crate) fn of(cli: &Cli) -> Result<Option<Self>, AttestError> {
        let options = &cli.statement;
        if cli.format != Format::Vsa {
            let given = options.given();
            let none = given.is_empty().then_some(None);
            return none.ok_or_else(|| AttestError::NoStatement { options: given.join(", ") });
        }
        if cli.demand().require.is_some() {
            return Err(AttestError::Require);
        }
        Ok(Some(Self {
            time: time_verified(options.time.as_ref())?,
            verifier_id: options.verifier_id.clone().unwrap_or_else(|| VERIFIER.to_owned()),
            resource_uri: options.resource_uri.clone(),
            sidecar: OnceLock::new(),
        }))
    }

    /// Keeps what a sidecar was, before it is compared.
    pub(crate) fn note(&self, sidecar: &SidecarInput) {
        if let SidecarInput::Found { path, bytes } = sidecar {
            let read = || SidecarRead {
                uri: uri::of_path(path),
                digests: Hashers::over(bytes),
                whole: bytes.len() <= MAX_LINE_LEN,
            };
            self.sidecar.get_or_init(read);
        }
    }

    /// Takes the digests of what was judged. `copy` is what was kept of a log that can be read only once.
    pub(crate) fn vouch(self, report: &Report, copy: Option<File>) -> Result<Vouched, AttestError> {
        let (log, audit) = match &report.logs[..] {
            [log @ LogReport { audit: Some(audit), .. }] => (log, audit),
            logs => {
                let (path, error) =
                    logs.first().map(|log| (log.path.clone(), log.error.clone().map(String::from))).unwrap_or_default();
                return Err(AttestError::NotJudged { path, error: error.unwrap_or_default() });
            }
        };
        let path = log.path.clone();
        let digests = read_again(log, audit, copy)
            .map_err(|source| AttestError::NotReadAgain { path: path.clone(), source })?
            .ok_or(AttestError::Changed { path })?;
        let compared = audit.sidecar.status != SidecarStatus::NotChecked;
        Ok(Vouched {
            time: self.time,
            verifier_id: self.verifier_id,
            resource_uri: self.resource_uri.unwrap_or_else(|| uri::of_path(&log.path)),
            digests,
            sidecar: self.sidecar.into_inner().filter(|_| compared),
        })
    }
}

/// The digests of the bytes that were judged; none if they are no longer the same.
fn read_again(log: &LogReport, audit: &LogAudit, copy: Option<File>) -> io::Result<Option<Digests>> {
    let bytes = open_again(&log.path, copy, audit.bytes)?;
    let mut hashers = Hashers::default();
    io::copy(&mut bytes.take(audit.bytes), &mut hashers)?;
    Ok(Some(hashers.finish()).filter(|digests| digests.blake3 == audit.blake3))
}

/// Both digests at once.
#[derive(Default)]
struct Hashers {
    sha256: Sha256,
    blake3: blake3::Hasher,
}

impl Hashers {
    fn over(bytes: &[u8]) -> Digests {
        let mut hashers = Self::default();
        hashers.take(bytes);
        hashers.finish()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.blake3.update(bytes);
    }

    fn finish(self) -> Digests {
        Digests { sha256: hex(&self.sha256.finalize()), blake3: self.blake3.finalize().to_hex().to_string() }
    }
}

impl Write for Hashers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use shipper_core::audit::{AuditOptions, audit_reader};

    use super::*;

    /// (Fail) Bytes that are no longer those that were judged, be it by one bit, get no statement; what was appended
    /// meanwhile is no part of them.
    #[test]
    fn a_log_that_changed_meanwhile() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("events.jsonl");
        let path = path.to_str().expect("UTF-8");
        let bytes = b"{\"timestamp\":\"2026-11-23T09:00:01Z\",\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\n";
        let judged = audit_reader(&bytes[..], SidecarInput::NotRequested, &AuditOptions::default())
            .expect("there is no place to miss");
        let report = Report::new(AuditOptions::default(), vec![LogReport::audited(path, judged)]);
        let vouch = |now: &[u8]| {
            fs_err::write(path, now).expect("it can be written");
            let attesting = Attesting {
                time: String::new(),
                verifier_id: String::new(),
                resource_uri: None,
                sidecar: OnceLock::new(),
            };
            attesting.vouch(&report, None).map(|vouched| vouched.digests)
        };
        assert_eq!(vouch(bytes).ok(), Some(Hashers::over(bytes)));
        assert_eq!(vouch(&[&bytes[..], b"{}\n"].concat()).ok(), Some(Hashers::over(bytes)));
        let mut changed = *bytes;
        changed[2] ^= 1;
        assert!(matches!(vouch(&changed), Err(AttestError::Changed { .. })));
        assert!(matches!(vouch(&bytes[1..]), Err(AttestError::NotReadAgain { .. })));
        fs_err::remove_file(path).expect("it is there");
        let gone =
            Attesting { time: String::new(), verifier_id: String::new(), resource_uri: None, sidecar: OnceLock::new() };
        assert!(matches!(gone.vouch(&report, None), Err(AttestError::NotReadAgain { .. })));
    }
}
