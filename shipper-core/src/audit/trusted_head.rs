//! Heads that an auditor keeps elsewhere, with either of two hashes, and the person who signed one.

use std::fmt;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shipper_events::scan::{Interest, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use shipper_events::{Head, Tail, blake3};
use thiserror::Error;

/// The mark of a SHA-256 in the text of a head, with the colons around it.
const SHA256_MARK: &str = ":sha256:";

/// A head that the auditor kept elsewhere. Its text is `LINES:BYTES:BLAKE3`, or `LINES:BYTES:sha256:SHA256`, which
/// `head -c BYTES events.jsonl | sha256sum` checks.
///
/// ```
/// use shipper_core::audit::{HeadDigest, TrustedHead};
/// let text = format!("38:6928:sha256:{}", "5a".repeat(32));
/// let head: TrustedHead = text.parse()?;
/// assert_eq!((head.lines, head.bytes, head.digest), (38, 6928, HeadDigest::Sha256([0x5a; 32])));
/// assert_eq!(head.to_string(), text);
/// # Ok::<(), shipper_core::audit::ParseTrustedHeadError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrustedHead {
    /// Number of complete lines in the prefix.
    pub lines: u64,
    /// Number of bytes in the prefix.
    pub bytes: u64,
    /// Hash of those bytes.
    pub digest: HeadDigest,
}

/// The hash of a [`TrustedHead`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeadDigest {
    /// BLAKE3, as in chains and recorded heads.
    Blake3(blake3::Hash),
    /// SHA-256, which more programs can compute. The audit computes it only if a head has it.
    Sha256([u8; 32]),
}

/// The error for a text that is no [`TrustedHead`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected a head LINES:BYTES:BLAKE3 or LINES:BYTES:sha256:SHA256: two decimal numbers and 64 lowercase hex digits, \
     such as 38:6928:c8f1…"
)]
#[non_exhaustive]
pub struct ParseTrustedHeadError;

impl fmt::Display for TrustedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.lines, self.bytes)?;
        match self.digest {
            HeadDigest::Blake3(hash) => write!(f, ":{hash}"),
            // The type only formats the digits.
            HeadDigest::Sha256(hash) => write!(f, "{SHA256_MARK}{}", blake3::Hash::from_bytes(hash)),
        }
    }
}

impl FromStr for TrustedHead {
    type Err = ParseTrustedHeadError;

    fn from_str(text: &str) -> Result<Self, ParseTrustedHeadError> {
        let parse = |text: &str| text.parse::<Head>().map_err(|_| ParseTrustedHeadError);
        let Some((numbers, digits)) = text.split_once(SHA256_MARK) else {
            return parse(text).map(Self::from);
        };
        let Head { lines, bytes, blake3: digits } = parse(&format!("{numbers}:{digits}"))?;
        Ok(Self { lines, bytes, digest: HeadDigest::Sha256(*digits.as_bytes()) })
    }
}

impl From<Head> for TrustedHead {
    fn from(Head { lines, bytes, blake3 }: Head) -> Self {
        Self { lines, bytes, digest: HeadDigest::Blake3(blake3) }
    }
}

/// The signer of the head of the options. The caller must have verified the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadSigner {
    /// The names that the list of allowed signers gives to the key; at least one.
    pub principals: Vec<String>,
    /// The fingerprint of the key, as `ssh-keygen -l` prints it: `SHA256:` and base64.
    pub key: String,
}

/// The head of a log in both forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogHeads {
    /// The head with BLAKE3.
    pub blake3: Head,
    /// The same head with SHA-256.
    pub sha256: TrustedHead,
    /// The bytes after the last complete line; the heads do not cover them.
    pub tail: Tail,
}

/// Reads a log to its end and returns the heads of its complete lines. Checks no line: a corrupt one counts, too.
///
/// # Errors
///
/// The error of `read`.
///
/// ```
/// let heads = shipper_core::audit::read_heads(&b"{}\nno end"[..])?;
/// assert_eq!((heads.blake3.lines, heads.sha256.bytes), (1, 3));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_heads(read: impl Read) -> io::Result<LogHeads> {
    struct Ignore;

    impl LogVisitor for Ignore {
        fn interest(&self) -> fn(&str) -> Interest {
            |_| Interest::Skip
        }

        fn visit(&mut self, _: &mut VerifiedLine<'_>, _: &mut LineCursor<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    let mut complete = CompleteLinesSha256::default();
    let mut log = LogScanner::new().with_cutoff(0);
    // The visitor never stops early.
    let _ = log.read_to_end(Tee { read, take: |bytes: &[u8]| complete.update(bytes) }, &mut Ignore)?;
    let blake3 = log.head();
    let digest = HeadDigest::Sha256(complete.lines.finalize().into());
    let sha256 = TrustedHead { lines: blake3.lines, bytes: blake3.bytes, digest };
    Ok(LogHeads { blake3, sha256, tail: log.tail() })
}

/// Computes the SHA-256 of the complete lines of a log.
#[derive(Default)]
struct CompleteLinesSha256 {
    /// The state after the last LF.
    lines: Sha256,
    /// The state after the last byte.
    all: Sha256,
}

impl CompleteLinesSha256 {
    fn update(&mut self, bytes: &[u8]) {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let (lines, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        if !lines.is_empty() {
            self.all.update(lines);
            self.lines = self.all.clone();
        }
        self.all.update(rest);
    }
}

/// Reader that passes on what it reads.
pub(super) struct Tee<R, F> {
    pub(super) read: R,
    pub(super) take: F,
}

impl<R: Read, F: FnMut(&[u8])> Read for Tee<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read.read(buffer)?;
        (self.take)(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Computes the SHA-256 of prefixes of a log whose length is known before.
#[derive(Debug, Clone, Default)]
pub(super) struct PrefixSha256 {
    /// For each prefix: its length, the number of its bytes that are still to come, and the state.
    prefixes: Vec<(u64, u64, Sha256)>,
}

impl PrefixSha256 {
    /// Builds the hasher of the prefixes of those heads that have a SHA-256.
    pub(super) fn of(heads: impl IntoIterator<Item = TrustedHead>) -> Self {
        let has_sha256 = |head: &TrustedHead| matches!(head.digest, HeadDigest::Sha256(_));
        let heads = heads.into_iter().filter(has_sha256);
        Self { prefixes: heads.map(|head| (head.bytes, head.bytes, Sha256::new())).collect() }
    }

    /// Takes the next bytes of the log.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        for (_, left, hasher) in self.prefixes.iter_mut().filter(|(_, left, _)| *left > 0) {
            let count = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
            hasher.update(bytes.get(..count).unwrap_or_default());
            *left -= count as u64;
        }
    }

    /// Returns the hash of the first `bytes` bytes; `None` if it was not requested or the log is shorter.
    pub(super) fn digest(&self, bytes: u64) -> Option<[u8; 32]> {
        let (_, _, hasher) = self.prefixes.iter().find(|(len, left, _)| *len == bytes && *left == 0)?;
        Some(hasher.clone().finalize().into())
    }
}
