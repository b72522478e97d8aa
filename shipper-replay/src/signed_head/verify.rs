//! Verification of a signed head. Pure: it opens no file and reads no clock.

use shipper_core::audit::{HeadSigner, TrustedHead};
use shipper_events::display_safe;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, PublicKey, SshSig};
use thiserror::Error;
use time::OffsetDateTime;

use super::allowed_signers::{LineProblem, NAMESPACE, NotAllowed, parse};

/// A file of the evidence.
#[derive(Debug)]
pub(crate) struct EvidenceFile {
    /// The path as it was given.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

/// The files of a signed head.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) head: EvidenceFile,
    pub(crate) signature: EvidenceFile,
    pub(crate) signers: EvidenceFile,
}

/// The error for a head that cannot be trusted. The texts are safe to display.
#[derive(Debug, Error)]
pub(crate) enum VerifyError {
    #[error("{head} is not a head: expected exactly one line that --head prints, with its line feed")]
    NotAHead { head: String },
    #[error("{signature} is not an SSH signature: {problem}")]
    NotASignature { signature: String, problem: String },
    #[error("the signature {signature} is in the namespace {namespace}, not in {}", NAMESPACE)]
    Namespace { signature: String, namespace: String },
    #[error(
        "cannot check the signature {signature}: unsupported type of key {algorithm} (supported: Ed25519, ECDSA with \
         P-256 or P-384, and both types of security keys)"
    )]
    Algorithm { signature: String, algorithm: String },
    #[error(
        "the signature {signature} is not a signature of {head}: one of them was changed, or belongs to another log"
    )]
    BadSignature { signature: String, head: String },
    #[error("the signer of {head} is not allowed: {signers} does not contain the key {key}")]
    UnknownSigner { head: String, signers: String, key: String },
    #[error("the signer of {head} is not allowed by line {line} of {signers}: {problem}")]
    NotAllowed { head: String, signers: String, line: u64, problem: NotAllowed },
    #[error("line {line} of {signers} has a validity date, but --verify-time was not given")]
    NoVerifyTime { signers: String, line: u64 },
    #[error("cannot read line {line} of {signers}: {problem}")]
    Signers { signers: String, line: u64, problem: String },
}

/// Verifies the signature of a head, and that the list allows its signer at a time.
///
/// # Errors
///
/// [`VerifyError`]: see its variants.
pub(crate) fn verify(
    evidence: &Evidence,
    at: Option<OffsetDateTime>,
) -> Result<(TrustedHead, HeadSigner), VerifyError> {
    let shown = |file: &EvidenceFile| display_safe(&file.path).quoted().to_string();
    let (head, signature) = (shown(&evidence.head), shown(&evidence.signature));
    let signers = shown(&evidence.signers);
    let trusted = parse_head(&evidence.head.bytes).ok_or_else(|| VerifyError::NotAHead { head: head.clone() })?;
    let in_list = |(line, problem): (u64, LineProblem)| {
        let problem = display_safe(&problem.to_string()).to_string();
        VerifyError::Signers { signers: signers.clone(), line, problem }
    };
    let allowed = parse(&evidence.signers.bytes).map_err(in_list)?;
    if let Some(dated) = allowed.iter().find(|signer| signer.has_dates() && at.is_none()) {
        return Err(VerifyError::NoVerifyTime { signers, line: dated.line });
    }
    let signed = parse_signature(&evidence.signature.bytes, &signature)?;
    let key = signed.public_key();
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let mut permitted = Err(None);
    for signer in allowed.into_iter().filter(|signer| signer.key == *key) {
        match signer.check(NAMESPACE, at) {
            Ok(()) => {
                permitted = Ok(signer.principals);
                break;
            }
            Err(problem) => permitted = permitted.map_err(|first| first.or(Some((signer.line, problem)))),
        }
    }
    let principals = permitted.map_err(|refused| match refused {
        Some((line, problem)) => VerifyError::NotAllowed { head: head.clone(), signers, line, problem },
        None => VerifyError::UnknownSigner { head: head.clone(), signers, key: fingerprint.clone() },
    })?;
    match PublicKey::from(key.clone()).verify(NAMESPACE, &evidence.head.bytes, &signed) {
        Ok(()) => Ok((trusted, HeadSigner { principals, key: fingerprint })),
        Err(_) => Err(VerifyError::BadSignature { signature, head }),
    }
}

/// Parses a file with one head: exactly the line that `--head` prints.
fn parse_head(bytes: &[u8]) -> Option<TrustedHead> {
    let line = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    line.parse().ok().filter(|head: &TrustedHead| head.to_string() == line)
}

/// Parses a signature in the namespace of heads, of a key whose signatures can be checked.
fn parse_signature(pem: &[u8], signature: &str) -> Result<SshSig, VerifyError> {
    let parsed = SshSig::from_pem(pem).map_err(|error| {
        let problem = display_safe(&error.to_string()).to_string();
        VerifyError::NotASignature { signature: signature.to_owned(), problem }
    })?;
    if parsed.namespace() != NAMESPACE {
        let namespace = display_safe(parsed.namespace()).max_chars(80).quoted().to_string();
        return Err(VerifyError::Namespace { signature: signature.to_owned(), namespace });
    }
    match parsed.public_key().algorithm() {
        Algorithm::Ed25519
        | Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384 }
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256 => Ok(parsed),
        algorithm => {
            let algorithm = display_safe(algorithm.as_str()).max_chars(80).to_string();
            Err(VerifyError::Algorithm { signature: signature.to_owned(), algorithm })
        }
    }
}
