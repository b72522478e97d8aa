//! The options of the audit, with the policy file of `--policy`.

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::{AuditOptions, Policy, PolicyConflict, PolicyError};
use thiserror::Error;

use crate::cli::Cli;
use crate::digest::sha256;
use crate::formats::text::phrases::path_text;

/// The error for a policy that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum PolicyFileError {
    #[error("cannot read the policy {}", path_text(path.as_str()).quoted())]
    Unreadable { path: Utf8PathBuf, source: io::Error },
    #[error("the policy {} is not UTF-8", path_text(path.as_str()).quoted())]
    NotUtf8 { path: Utf8PathBuf },
    #[error("the policy {} is invalid", path_text(path.as_str()).quoted())]
    Invalid { path: Utf8PathBuf, source: PolicyError },
    #[error("cannot use the policy {} with --registry", path_text(path.as_str()).quoted())]
    Conflict { path: Utf8PathBuf, source: PolicyConflict },
}

impl PolicyFileError {
    /// Returns the remedy, or `None` if the message is enough.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { .. } => None,
            Self::NotUtf8 { .. } => Some("save the policy as UTF-8"),
            Self::Invalid { .. } => Some("docs/policy.md, \"A policy\", explains every key"),
            Self::Conflict { .. } => Some("leave out --registry, or pass the registry of the policy"),
        }
    }
}

/// Adds the policy to the options of the audit, if the command line names one.
pub(crate) fn with_policy_file(options: AuditOptions, cli: &Cli) -> Result<AuditOptions, PolicyFileError> {
    let Some(path) = &cli.policy.policy else {
        return Ok(options);
    };
    let policy = read_policy(path)?;
    options.with_policy(policy).map_err(|source| PolicyFileError::Conflict { path: path.clone(), source })
}

/// Reads a policy, up to one byte more than its maximum length.
fn read_policy(path: &Utf8Path) -> Result<Policy, PolicyFileError> {
    let path = || path.to_owned();
    let mut bytes = Vec::new();
    let read = File::open(path()).and_then(|file| file.take(Policy::MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|source| PolicyFileError::Unreadable { path: path(), source })?;
    let text = str::from_utf8(&bytes).map_err(|_| PolicyFileError::NotUtf8 { path: path() })?;
    let mut policy = Policy::parse(text).map_err(|source| PolicyFileError::Invalid { path: path(), source })?;
    policy.sha256 = Some(sha256(&bytes));
    Ok(policy)
}
