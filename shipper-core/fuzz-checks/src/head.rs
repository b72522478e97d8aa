//! Heads: a log begins with its heads in both forms, and not with a damaged one. A signed head is only accepted if it is
//! the one that the key in the list signed, whatever the files contain.
//!
//! The first byte selects one of three kinds of input: the text of a head, a log, or changes of a signed head.

#[path = "../../../shipper-replay/src/signed_head/allowed_signers.rs"]
mod allowed_signers;
#[path = "../../../shipper-replay/src/signed_head/verify.rs"]
mod verify;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use shipper_core::audit::{
    AuditOptions, FindingCode, HeadDigest, HeadSigner, SidecarInput, TrustedHead, audit_reader, read_heads,
    unsealed_cause,
};
use shipper_events::{blake3, is_display_safe};
use time::OffsetDateTime;
use verify::{Evidence, EvidenceFile, verify};

use crate::pieces::Pieces;

const HEAD: &[u8] = b"38:6928:c7321c0a3d4dea1faf2368d7efa116a35d5734deed37d0073e9e3bd5d6a72114\n";

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILWi9ALnC9FS6Sc9twhgMemNrvYdqoVgeisP9i2KMkas";

/// The base64 of the output of `ssh-keygen -Y sign -n shipper-head` with the key.
const SIGNATURE: &str = "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgtaL0AucL0VLpJz23CGAx6Y2u9h2qhWB6Kw/2LYoyRqwAAAAMc2hp\
                         cHBlci1oZWFkAAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5AAAAQB7Pp7SJThSXraPfP9Qmw29F3bZJRfYj+aj+z\
                         KfHK3ZTn5NMuooxwVbe5EfblGYoIcx2lcY+JXipRapp/nTNeQY=";

pub fn check(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else { return };
    match choice & 3 {
        0 => check_text(rest),
        1 => check_log(choice >> 2, rest),
        _ => check_signed(*choice, rest),
    }
}

/// A text that is accepted as a head is written as a head, which is the same.
fn check_text(text: &[u8]) {
    let head = std::str::from_utf8(text).ok().and_then(|text| text.parse::<TrustedHead>().ok());
    if let Some(head) = head {
        assert_eq!(head.to_string().parse(), Ok(head));
    }
}

/// The heads of a log, and of its prefix; each whole and damaged.
fn check_log(choice: u8, input: &[u8]) {
    let Some(([damage, at], log)) = input.split_first_chunk::<2>() else { return };
    let heads = read_heads(log).expect("memory can be read");
    assert_eq!(read_heads(Pieces(log, u64::from(*at) + 1)).expect("memory can be read"), heads, "in pieces");
    let end = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let lines = log[..end].iter().filter(|byte| **byte == b'\n').count() as u64;
    let of = |digest| TrustedHead { lines, bytes: end as u64, digest };
    assert_eq!(heads.sha256, of(HeadDigest::Sha256(Sha256::digest(&log[..end]).into())));
    assert_eq!(TrustedHead::from(heads.blake3), of(HeadDigest::Blake3(blake3::hash(&log[..end]))));
    // The head of a prefix, at the line feed after a position.
    let from = log.len() * usize::from(*at) / 256;
    let cut = log[from..].iter().position(|byte| *byte == b'\n').map_or(0, |position| from + position + 1);
    let prefix = read_heads(&log[..cut]).expect("memory can be read");
    let head = if choice & 1 == 0 { prefix.blake3.into() } else { prefix.sha256 };
    assert!(begins_with(log, head), "the head {head}");
    assert!(!begins_with(log, damaged(head, *damage)), "the damaged head {}", damaged(head, *damage));
}

fn damaged(mut head: TrustedHead, damage: u8) -> TrustedHead {
    match damage {
        0 => head.lines += 1,
        1 => head.lines = head.lines.wrapping_sub(1),
        2 => head.bytes += 1,
        3 => head.bytes = head.bytes.wrapping_sub(1),
        bit => {
            let at = usize::from(bit) % 32;
            let changed = |hash: &[u8; 32]| {
                let mut hash = *hash;
                hash[at] ^= 1 << (bit >> 5);
                hash
            };
            head.digest = match head.digest {
                HeadDigest::Blake3(hash) => HeadDigest::Blake3(changed(hash.as_bytes()).into()),
                HeadDigest::Sha256(hash) => HeadDigest::Sha256(changed(&hash)),
            };
        }
    }
    head
}

/// Returns whether an audit finds that a log begins with a head.
fn begins_with(log: &[u8], head: TrustedHead) -> bool {
    let signer = HeadSigner { principals: vec!["a@x".to_owned()], key: "SHA256:x".to_owned() };
    let options = AuditOptions::default().with_extends(head).with_head_signer(signer);
    let audit = audit_reader(log, SidecarInput::NotRequested, &options).expect("no line is demanded");
    let differs = |code| audit.findings.iter().any(|finding| finding.code == code && finding.line.is_none());
    let begins = !differs(FindingCode::HeadMismatch) && !differs(FindingCode::LogTruncated);
    let is_end = log.len() as u64 == head.bytes;
    assert_eq!(unsealed_cause(&audit, &options).is_none(), begins && is_end, "sealed");
    begins
}

/// Changes the files of a signed head.
fn check_signed(choice: u8, input: &[u8]) {
    let Some(([time, size], rest)) = input.split_first_chunk::<2>() else { return };
    let (text, mut edits) = rest.split_at(usize::from(*size).min(rest.len()));
    let mut head = HEAD.to_vec();
    let mut signature = BASE64_STANDARD.decode(SIGNATURE).expect("base64");
    let mut signers = match choice >> 2 & 3 {
        0 => format!("a@x,b@x {KEY}\n").into_bytes(),
        1 => [b"a@x ", text, b" ", KEY.as_bytes()].concat(),
        2 => [text, b"\n", b"b@x ", KEY.as_bytes()].concat(),
        _ => text.to_vec(),
    };
    while let Some(([file, at, kind, byte], rest)) = edits.split_first_chunk::<4>() {
        edits = rest;
        let file = match file % 3 {
            0 => &mut head,
            1 => &mut signature,
            _ => &mut signers,
        };
        edit(file, usize::from(*at), *kind, *byte);
    }
    let pem = format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", wrapped(&signature));
    let pem = if choice & 0x20 == 0 { pem.into_bytes() } else { text.to_vec() };
    let file = |path: &str, bytes: Vec<u8>| EvidenceFile { path: path.to_owned(), bytes };
    let evidence =
        Evidence { head: file("head", head), signature: file("head.sig", pem), signers: file("signers", signers) };
    let at = OffsetDateTime::from_unix_timestamp(1_790_000_000 + i64::from(*time) * 86_400).expect("a time");
    match verify(&evidence, Some(at).filter(|_| choice & 0x10 == 0)) {
        Ok((trusted, signer)) => {
            assert_eq!((&*evidence.head.bytes, format!("{trusted}\n").as_bytes()), (HEAD, HEAD), "another head");
            assert!(!signer.principals.is_empty() && signer.principals.iter().all(|name| !name.is_empty()));
        }
        Err(error) => assert!(error.to_string().chars().all(is_display_safe), "{error}"),
    }
}

fn edit(file: &mut Vec<u8>, at: usize, kind: u8, byte: u8) {
    let at = at.min(file.len());
    match kind % 4 {
        0 => file.insert(at, byte),
        1 => file.truncate(at),
        2 if at < file.len() => drop(file.remove(at)),
        _ => {
            if let Some(found) = file.get_mut(at) {
                *found = byte;
            }
        }
    }
}

/// Returns the base64 of bytes, in lines.
fn wrapped(bytes: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    lines.join("\n")
}
