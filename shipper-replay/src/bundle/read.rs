//! The check of a bundle. Every byte of the archive must be the one that the writer of bundles writes for the same files,
//! so links, other names, extensions of the format and hidden bytes have no place in it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};
use shipper_core::registry_index::IndexError;
use shipper_events::display_safe;
use tar::Header;
use thiserror::Error;

use super::format::{BLOCK_LEN, DIRECTORY, MAX_OTHER_LEN, Member, header, padding};
use crate::chunks::read_chunks;
use crate::digest::{hex, sha256};

/// The files that every bundle contains, besides a log and SHA256SUMS.
const REQUIRED: [Member; 3] = [Member::Readme, Member::Report, Member::Statement];

/// The error for a bundle that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum BundleError {
    #[error("cannot read the bundle: {0}")]
    Read(io::Error),
    #[error("cannot copy the log of the bundle to a temporary file: {0}")]
    Copy(io::Error),
    #[error("the bundle is truncated in {0}")]
    Truncated(String),
    #[error("the header at byte {offset} of the bundle {problem}")]
    Header { offset: u64, problem: HeaderProblem },
    #[error("the bundle contains {0} twice")]
    Twice(String),
    #[error("the bundle contains {0} out of order")]
    OutOfOrder(String),
    #[error("the bundle contains more than one log")]
    TwoLogs,
    #[error("{name} in the bundle is longer than {max} bytes")]
    TooLong { name: String, max: u64 },
    #[error("the files in the bundle are longer than 1 GiB together, without the log")]
    TooLongTogether,
    #[error("the bundle has other bytes than zeros after {0}")]
    Padding(String),
    #[error("bytes follow the end of the bundle")]
    Trailing,
    #[error("the bundle does not contain {0}")]
    Missing(String),
    #[error("line {line} of SHA256SUMS in the bundle is not the sum of {name}")]
    Sum { line: usize, name: String },
    #[error("SHA256SUMS in the bundle does not list {0}")]
    Unlisted(String),
    #[error("line {line} of SHA256SUMS in the bundle lists no further file")]
    Surplus { line: usize },
    #[error("{0} in the bundle does not match its sum in SHA256SUMS")]
    Changed(String),
    #[error("{name} in the bundle is not a file of a sparse index: {source}")]
    Index { name: String, source: IndexError },
    #[error("report.json in the bundle is not a report on one log")]
    Report,
}

/// The reason why a header is not one of a bundle.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum HeaderProblem {
    #[error("has the name {}, which is not one of a bundle", display_safe(.0).max_chars(120).quoted())]
    Name(String),
    #[error("is of a link, a directory or another entry that is not a plain file ({})", display_safe(.0).quoted())]
    Kind(String),
    #[error("has no valid size")]
    Size,
    #[error("has other fields than --bundle writes")]
    Fields,
}

/// The files of a bundle without its log, and the name of the log.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) log: Member,
    pub(super) others: BTreeMap<Member, Vec<u8>>,
}

/// Parses a header. Returns the file and its length in bytes.
///
/// # Errors
///
/// [`HeaderProblem`] if any byte differs from the header that the writer makes.
pub(super) fn parse_header(block: &[u8; BLOCK_LEN]) -> Result<(Member, u64), HeaderProblem> {
    let found = Header::from_byte_slice(block);
    // Of an entry with another type, the name may be that of an extension of the format.
    let kind = found.as_old().linkflag;
    if kind != *b"0" {
        return Err(HeaderProblem::Kind(String::from_utf8_lossy(&kind).into_owned()));
    }
    let name = String::from_utf8_lossy(&found.path_bytes()).into_owned();
    let Some(member) = name.strip_prefix(DIRECTORY).and_then(Member::from_name) else {
        return Err(HeaderProblem::Name(name));
    };
    let len = found.size().map_err(|_| HeaderProblem::Size)?;
    let is_expected = len <= Member::Log.max_len() && header(member, len).as_bytes() == block;
    if is_expected { Ok((member, len)) } else { Err(HeaderProblem::Fields) }
}

/// Compares the text of SHA256SUMS with the digests of all other files, in their order.
///
/// # Errors
///
/// [`BundleError::Sum`], `Unlisted`, `Missing`, `Surplus` and `Changed`.
pub(super) fn check_sums(text: &[u8], digests: &BTreeMap<Member, String>) -> Result<(), BundleError> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').zip(1..);
    for (member, digest) in digests {
        let name = member.name();
        let Some((found, line)) = lines.next() else {
            return Err(BundleError::Unlisted(name));
        };
        if found != sum_line(&name, digest).as_bytes() {
            return Err(match listed_name(found) {
                Some(listed) if listed == name => BundleError::Changed(name),
                Some(listed) if !contains(digests, listed) => BundleError::Missing(listed.to_owned()),
                Some(_) => BundleError::Unlisted(name),
                None => BundleError::Sum { line, name },
            });
        }
    }
    match lines.next().map(|(found, line)| (listed_name(found), line)) {
        None => Ok(()),
        Some((Some(listed), _)) if !contains(digests, listed) => Err(BundleError::Missing(listed.to_owned())),
        Some((_, line)) => Err(BundleError::Surplus { line }),
    }
}

/// Returns the name in a line of SHA256SUMS; `None` if the line is not one of it, or the name is not one of a bundle.
fn listed_name(line: &[u8]) -> Option<&str> {
    let (digest, name) = str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once("  ")?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    Member::from_name(name).filter(|_| is_digest).map(|_| name)
}

fn contains(digests: &BTreeMap<Member, String>, name: &str) -> bool {
    Member::from_name(name).is_some_and(|member| digests.contains_key(&member))
}

/// Returns a line of SHA256SUMS, which `sha256sum -c` reads.
pub(super) fn sum_line(name: &str, digest: &str) -> String {
    format!("{digest}  {name}\n")
}

/// Reads the whole archive, checks it, and writes its log to `log`.
///
/// # Errors
///
/// [`BundleError`], except those about the content of a file.
pub(super) fn read_members(mut archive: impl Read, mut log: impl Write) -> Result<Members, BundleError> {
    let (mut others, mut digests) = (BTreeMap::new(), BTreeMap::new());
    let (mut offset, mut other_len, mut log_member) = (0, 0, None);
    while let Some((member, len)) = next_member(&mut archive, offset)? {
        let name = member.name();
        check_order(member, &digests, &others)?;
        if len > member.max_len() {
            return Err(BundleError::TooLong { name, max: member.max_len() });
        }
        if member.is_log() {
            if log_member.replace(member).is_some() {
                return Err(BundleError::TwoLogs);
            }
            digests.insert(member, copy_log(&mut archive, &mut log, len, &name)?);
        } else {
            other_len += len;
            if other_len > MAX_OTHER_LEN {
                return Err(BundleError::TooLongTogether);
            }
            let bytes = read_exactly(&mut archive, len, &name)?;
            if member != Member::Sums {
                digests.insert(member, sha256(&bytes));
            }
            others.insert(member, bytes);
        }
        if read_exactly(&mut archive, padding(len), &name)?.iter().any(|byte| *byte != 0) {
            return Err(BundleError::Padding(name));
        }
        offset += BLOCK_LEN as u64 + len + padding(len);
    }
    let missing = |what: &str| BundleError::Missing(what.to_owned());
    let log = log_member.ok_or_else(|| missing("a log"))?;
    if let Some(absent) = REQUIRED.iter().find(|member| !others.contains_key(member)) {
        return Err(missing(&absent.name()));
    }
    let sums = others.remove(&Member::Sums).ok_or_else(|| missing("SHA256SUMS"))?;
    check_sums(&sums, &digests)?;
    Ok(Members { log, others })
}

/// Returns the next file, or `None` at the end, which is two blocks of zeros without any byte after them.
fn next_member(archive: &mut impl Read, offset: u64) -> Result<Option<(Member, u64)>, BundleError> {
    let block = read_block(archive)?;
    if block.iter().any(|byte| *byte != 0) {
        return parse_header(&block).map(Some).map_err(|problem| BundleError::Header { offset, problem });
    }
    if read_block(archive)?.iter().any(|byte| *byte != 0) {
        return Err(BundleError::Trailing);
    }
    let mut rest = Vec::new();
    archive.take(1).read_to_end(&mut rest).map_err(BundleError::Read)?;
    if rest.is_empty() { Ok(None) } else { Err(BundleError::Trailing) }
}

fn check_order(
    member: Member,
    digests: &BTreeMap<Member, String>,
    others: &BTreeMap<Member, Vec<u8>>,
) -> Result<(), BundleError> {
    let last = digests.keys().chain(others.keys()).max();
    if digests.contains_key(&member) || others.contains_key(&member) {
        Err(BundleError::Twice(member.name()))
    } else if last.is_some_and(|last| member < *last) {
        Err(BundleError::OutOfOrder(member.name()))
    } else {
        Ok(())
    }
}

fn read_block(archive: &mut impl Read) -> Result<[u8; BLOCK_LEN], BundleError> {
    let bytes = read_exactly(archive, BLOCK_LEN as u64, "a header")?;
    bytes.try_into().map_err(|_| BundleError::Truncated("a header".to_owned()))
}

/// Reads `len` bytes. It reserves no memory for bytes that do not exist.
fn read_exactly(archive: &mut impl Read, len: u64, name: &str) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    archive.take(len).read_to_end(&mut bytes).map_err(BundleError::Read)?;
    if bytes.len() as u64 == len { Ok(bytes) } else { Err(BundleError::Truncated(name.to_owned())) }
}

/// Copies the log, and returns its SHA-256.
fn copy_log(archive: &mut impl Read, log: &mut impl Write, len: u64, name: &str) -> Result<String, BundleError> {
    let (mut hasher, mut copied, mut written) = (Sha256::new(), 0, Ok(()));
    let read = read_chunks(archive.take(len), |chunk| {
        hasher.update(chunk);
        copied += chunk.len() as u64;
        written = log.write_all(chunk);
        written.is_ok()
    });
    read.map_err(BundleError::Read)?;
    written.map_err(BundleError::Copy)?;
    if copied == len { Ok(hex(&hasher.finalize())) } else { Err(BundleError::Truncated(name.to_owned())) }
}

#[cfg(test)]
#[path = "../../tests/unit/bundle.rs"]
mod tests;
