//! A head that a file contains and that OpenSSH signed (`--signed-head`): `docs/attesting.md`, "Signed heads".

mod allowed_signers;
mod verify;

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::{HeadSigner, TrustedHead};
use shipper_events::{Timestamp, display_safe};
use thiserror::Error;
use verify::{Evidence, EvidenceFile, VerifyError, verify};

use crate::cli::HeadArgs;

/// Longest file of a head, in bytes. The longest head has 121.
const MAX_HEAD_LEN: usize = 256;

/// Longest signature, in bytes. One of an RSA key with 16384 bits has less than 8 KiB.
const MAX_SIGNATURE_LEN: usize = 16 * 1024;

/// Longest list of allowed signers, in bytes.
const MAX_SIGNERS_LEN: usize = 1024 * 1024;

/// The error for a signed head that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum SignedHeadError {
    #[error("cannot read {}", display_safe(path.as_str()).quoted())]
    Read { path: Utf8PathBuf, source: io::Error },
    #[error("cannot read {}: longer than {max} bytes", display_safe(path.as_str()).quoted())]
    TooLong { path: Utf8PathBuf, max: usize },
    #[error(transparent)]
    Untrusted(#[from] VerifyError),
}

impl SignedHeadError {
    /// Returns the remedy, or `None` if the message is enough.
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Untrusted(VerifyError::NotAHead { .. }) => "write one line of: shipper-replay --head LOG",
            Self::Untrusted(VerifyError::Namespace { .. }) => {
                "sign with: ssh-keygen -Y sign -n shipper-head -f KEY FILE"
            }
            Self::Untrusted(VerifyError::NoVerifyTime { .. }) => "pass the time of the signature with --verify-time",
            Self::Untrusted(VerifyError::BadSignature { .. }) => "trust neither file; get both from the signer again",
            Self::Untrusted(VerifyError::UnknownSigner { .. }) => {
                "add the key to the list only if its owner confirms the fingerprint"
            }
            _ => return None,
        })
    }
}

/// A head whose signature was verified, and the files that prove it.
#[derive(Debug)]
pub(crate) struct SignedHead {
    pub(crate) head: TrustedHead,
    pub(crate) signer: HeadSigner,
    /// Paths and contents of the head, the signature and the list of signers.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// Reads and verifies the head of `--signed-head`; `None` without that option.
///
/// # Errors
///
/// [`SignedHeadError`]: a file cannot be read, or the head cannot be trusted.
pub(crate) fn read(args: &HeadArgs) -> Result<Option<SignedHead>, SignedHeadError> {
    // The command line requires both or none.
    let (Some(head), Some(signers)) = (&args.signed_head, &args.allowed_signers) else {
        return Ok(None);
    };
    let signature = Utf8PathBuf::from(format!("{head}.sig"));
    let evidence = Evidence {
        head: read_file(head, MAX_HEAD_LEN)?,
        signature: read_file(&signature, MAX_SIGNATURE_LEN)?,
        signers: read_file(signers, MAX_SIGNERS_LEN)?,
    };
    let (head, signer) = verify(&evidence, args.verify_time.as_ref().map(Timestamp::instant))?;
    let files = [evidence.head, evidence.signature, evidence.signers];
    Ok(Some(SignedHead { head, signer, files: files.map(|file| (file.path, file.bytes)).into() }))
}

fn read_file(path: &Utf8Path, max: usize) -> Result<EvidenceFile, SignedHeadError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(max as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| SignedHeadError::Read { path: path.to_owned(), source })?;
    if bytes.len() > max {
        return Err(SignedHeadError::TooLong { path: path.to_owned(), max });
    }
    Ok(EvidenceFile { path: path.to_string(), bytes })
}

#[cfg(test)]
#[path = "../../tests/unit/signed_head.rs"]
mod tests;
