//! A bundle: no bytes make the check panic, and an accepted bundle has exactly the bytes that the writer writes for its
//! files. A bundle with the required files in their order and with correct sums is accepted. A damaged one is not.
//!
//! The first byte selects one of two kinds of input: the bytes of an archive, or files that the target packs. No fuzzer
//! finds hashes, so the target adds the sums.

// The program's modules name each other by `super`.
#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../../../shipper-replay/src/bundle/format.rs"]
mod format;
#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../../../shipper-replay/src/bundle/read.rs"]
mod read;

use std::collections::BTreeMap;

use format::{Member, header};
use read::{Members, read_members, sum_line};
use shipper_testkit::tar_archive::tar_archive;

use crate::digest::sha256;
use crate::pieces::Pieces;

const MEMBERS: [Member; 18] = [
    Member::Readme,
    Member::Sums,
    Member::Log,
    Member::GzipLog,
    Member::ZstdLog,
    Member::Repairing,
    Member::Unsynced,
    Member::Sidecar,
    Member::State,
    Member::Receipt,
    Member::Head,
    Member::Signature,
    Member::Signers,
    Member::Policy,
    Member::Report,
    Member::Statement,
    Member::Index(1),
    Member::Index(2),
];

type Files = Vec<(Member, Vec<u8>)>;

pub fn check(bytes: &[u8]) {
    let Some(([choice, size, position], rest)) = bytes.split_first_chunk::<3>() else { return };
    if choice & 1 == 0 {
        check_archive(*size, rest);
        return;
    }
    let files = files(choice & 2 == 0, rest);
    let archive = archive(&files);
    let accepted = check_archive(*size, &archive);
    assert_eq!(accepted, is_complete(&files), "{:?}", files.iter().map(|(member, _)| member).collect::<Vec<_>>());
    if accepted {
        let at = archive.len() * usize::from(*position) / 256;
        let mut changed = archive.clone();
        changed[at] ^= 1 << (choice >> 2 & 7);
        assert!(!check_archive(*size, &changed), "a flipped bit at {at}");
        assert!(!check_archive(*size, &archive[..at]), "cut at {at}");
        let spliced = [&archive[..at], &archive[archive.len() - at..]].concat();
        assert!(spliced == archive || !check_archive(*size, &spliced), "spliced at {at}");
    }
}

/// Returns whether the bytes are accepted.
fn check_archive(size: u8, bytes: &[u8]) -> bool {
    let mut log = Vec::new();
    let found = read_members(bytes, &mut log);
    let mut log_in_pieces = Vec::new();
    let in_pieces = read_members(Pieces(bytes, u64::from(size) + 1), &mut log_in_pieces);
    let text = |found: &Result<Members, read::BundleError>| match found {
        Ok(members) => format!("{:?}", members.others),
        Err(error) => error.to_string(),
    };
    assert_eq!((text(&found), &log), (text(&in_pieces), &log_in_pieces), "in pieces");
    let Ok(Members { log: member, others }) = found else { return false };
    let mut files: BTreeMap<Member, Vec<u8>> = others;
    files.insert(member, log);
    files.insert(Member::Sums, sums(files.iter()));
    assert!(archive(&files.into_iter().collect::<Files>()) == bytes, "accepted other bytes than those of the writer");
    true
}

/// Returns the files of an input, each with a number, a length and its bytes. If `is_sound`, the required files and the
/// sums are added, in the order of a bundle.
fn files(is_sound: bool, mut input: &[u8]) -> Files {
    let mut files = Files::new();
    while let Some(([member, len], rest)) = input.split_first_chunk::<2>() {
        let (bytes, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        input = rest;
        files.push((MEMBERS[usize::from(*member) % MEMBERS.len()], bytes.to_vec()));
    }
    if is_sound {
        let mut sorted: BTreeMap<Member, Vec<u8>> = files.into_iter().collect();
        for member in [Member::Readme, Member::Report, Member::Statement] {
            sorted.entry(member).or_default();
        }
        if !sorted.keys().any(|member| member.is_log()) {
            sorted.insert(Member::Log, Vec::new());
        }
        sorted.remove(&Member::Sums);
        sorted.insert(Member::Sums, sums(sorted.iter()));
        files = sorted.into_iter().collect();
    }
    files
}

fn sums<'f>(files: impl Iterator<Item = (&'f Member, &'f Vec<u8>)>) -> Vec<u8> {
    files.flat_map(|(member, bytes)| sum_line(&member.name(), &sha256(bytes)).into_bytes()).collect()
}

/// Returns an archive of these files.
fn archive(files: &Files) -> Vec<u8> {
    tar_archive(files.iter().map(|(member, bytes)| (*header(*member, bytes.len() as u64).as_bytes(), &bytes[..])))
}

/// Returns whether `docs/evidence.md`, "A bundle", allows these files in this order.
fn is_complete(files: &Files) -> bool {
    let has = |member| files.iter().any(|(found, _)| *found == member);
    let required = [Member::Readme, Member::Sums, Member::Report, Member::Statement];
    let is_marker = |member: &Member| matches!(member, Member::Repairing | Member::Unsynced);
    let others = files.iter().filter(|(member, _)| *member != Member::Sums);
    files.is_sorted_by(|one, next| one.0 < next.0)
        && required.into_iter().all(has)
        && files.iter().filter(|(member, _)| member.is_log()).count() == 1
        && files.iter().all(|(member, bytes)| bytes.is_empty() || !is_marker(member))
        && files.contains(&(Member::Sums, sums(others.map(|(member, bytes)| (member, bytes)))))
}
