//! No change of a bundle passes the check, and no bytes make it panic.

use proptest::prelude::*;
use shipper_testkit::tar_archive::tar_archive;

use super::*;
use crate::bundle::format::MAX_INDEX_FILES;

/// Returns an archive of these files.
fn archive(files: &[(Member, Vec<u8>)]) -> Vec<u8> {
    tar_archive(files.iter().map(|(member, bytes)| (*header(*member, bytes.len() as u64).as_bytes(), &bytes[..])))
}

/// Returns the files of a small bundle, with correct sums.
fn files() -> Vec<(Member, Vec<u8>)> {
    let text = |member, text: &str| (member, text.as_bytes().to_vec());
    let mut files = vec![
        text(Member::Readme, "page\n"),
        text(Member::Log, "log\n"),
        text(Member::Sidecar, "{}"),
        text(Member::Report, "{}\n"),
        text(Member::Statement, ""),
        text(Member::Index(1), "[]"),
    ];
    let sums: String = files.iter().map(|(member, bytes)| sum_line(&member.name(), &sha256(bytes))).collect();
    files.insert(1, (Member::Sums, sums.into_bytes()));
    files
}

fn read(archive: &[u8]) -> Result<(Members, Vec<u8>), String> {
    let mut log = Vec::new();
    read_members(archive, &mut log).map(|members| (members, log)).map_err(|error| error.to_string())
}

/// The untouched archive is read, and no archive with one changed bit. By default, one bit of each byte that is not zero
/// changes, and of every fifth zero.
#[test]
fn no_changed_bit_passes() {
    let archive = archive(&files());
    let (members, log) = read(&archive).expect("a bundle");
    assert_eq!((members.log, &log[..], members.others.len()), (Member::Log, &b"log\n"[..], 5));
    let is_full = std::env::var_os("SHIPPER_FULL").is_some();
    let mut changed = archive.clone();
    for (position, byte) in archive.iter().enumerate() {
        for bit in 0..8 {
            if is_full || bit == position % 8 && (*byte != 0 || position % 5 == 0) {
                changed[position] ^= 1 << bit;
                assert!(read(&changed).is_err(), "byte {position}, bit {bit}");
                changed[position] = *byte;
            }
        }
    }
}

/// An archive that was cut anywhere is no bundle, and neither is one with more bytes.
#[test]
fn no_other_length_passes() {
    let archive = archive(&files());
    for len in (0..archive.len()).rev().step_by(61) {
        assert!(read(&archive[..len]).is_err(), "{len} bytes");
    }
    for more in [1, BLOCK_LEN, 10 * BLOCK_LEN] {
        let mut longer = archive.clone();
        longer.resize(archive.len() + more, 0);
        assert_eq!(read(&longer).err().as_deref(), Some("bytes follow the end of the bundle"));
    }
}

/// Each name is read as the file that has it; other spellings are none.
#[test]
fn names_have_one_spelling() {
    for (member, _) in files() {
        assert_eq!(Member::from_name(&member.name()), Some(member));
    }
    assert_eq!(Member::from_name("index/9999"), Some(Member::Index(MAX_INDEX_FILES)));
    for name in [
        "",
        "index/",
        "index/1",
        "index/0000",
        "index/+001",
        "index/00001",
        "index/10000",
        "../README",
        "/README",
        "readme",
    ] {
        assert_eq!(Member::from_name(name), None, "{name}");
    }
}

proptest! {
    /// No header of random fields is accepted, and none makes the parser panic.
    #[test]
    fn no_random_header_passes(fields in prop::collection::vec(any::<u8>(), 412..=412), kind in any::<bool>()) {
        let mut block = *header(Member::Report, 7).as_bytes();
        block[100..].copy_from_slice(&fields);
        if kind {
            block[156] = b'0';
        }
        prop_assert!(parse_header(&block).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("SHIPPER_FULL").is_some() { 5000 } else { 60 }))]

    /// Whatever is moved, repeated or overwritten, the check ends without a panic, and passes only the same archive.
    #[test]
    fn no_splice_passes(
        from in 0usize..7000, to in 0usize..7000, len in 1usize..2000, bytes in prop::collection::vec(any::<u8>(), 0..40),
        repeats in any::<bool>(),
    ) {
        let original = archive(&files());
        let mut changed = original.clone();
        let (from, to) = (from.min(changed.len()), to.min(changed.len()));
        let part: Vec<u8> = if repeats {
            original[from..(from + len).min(original.len())].to_vec()
        } else {
            bytes
        };
        let end = (to + part.len()).min(changed.len());
        if repeats {
            changed.splice(to..to, part);
        } else {
            changed.splice(to..end, part);
        }
        prop_assert_eq!(read(&changed).is_ok(), changed == original);
    }
}
