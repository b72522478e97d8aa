//! A compressed log: no bytes make the readers panic, and pieces give the same result as the whole. The audit of a file
//! equals the audit of its decompressed bytes. A damaged file is an error, or has the same content.
//!
//! The first byte selects one of two kinds of input: the bytes of a file, or a log that the target compresses.

use std::io::{Read, Write};

use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use shipper_core::audit::{AuditOptions, Compression, SidecarInput, audit_reader};

use crate::compression::{ContentReader, detect};
use crate::pieces::Pieces;

/// Most decompressed bytes that are read: a file of 4 KiB may have hundreds of megabytes.
const MAX_CONTENT: u64 = 2 << 20;

/// A frame of zstd without content.
const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18\x02\0\0\0xx";

/// Returns the content, or the text of the error: a log that cannot be read to its end is not judged.
fn read(compression: Compression, file: impl Read) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let mut reader = ContentReader::new(file, Some(compression)).take(MAX_CONTENT);
    reader.read_to_end(&mut content).map_err(|error| error.to_string())?;
    Ok(content)
}

/// The bytes of a file from anywhere.
fn check_file(size: u8, file: &[u8]) {
    let Ok(Some(compression)) = detect(file) else { return };
    let content = read(compression, file);
    let pieces = || Pieces(file, u64::from(size) + 1);
    assert_eq!(read(compression, pieces()), content, "in pieces");
    if let Some(content) = content.ok().filter(|content| (content.len() as u64) < MAX_CONTENT) {
        let audit = |log: &mut dyn Read| {
            audit_reader(log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded")
        };
        let streamed = audit(&mut ContentReader::new(pieces(), Some(compression)));
        assert_eq!(streamed, audit(&mut &content[..]), "the audit of the content");
    }
}

/// Compresses a log as several members or frames, and returns the length of the content and of the file after each.
fn compress(compression: Compression, log: &[u8], members: usize) -> (Vec<u8>, Vec<(usize, usize)>) {
    let (mut file, mut ends, mut bytes) = (Vec::new(), vec![(0, 0)], 0);
    for part in log.chunks(log.len().div_ceil(members).max(1)) {
        match compression {
            Compression::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(part).expect("memory");
                file.extend(encoder.finish().expect("memory"));
            }
            _ => {
                let level =
                    if members.is_multiple_of(2) { CompressionLevel::Fastest } else { CompressionLevel::Uncompressed };
                file.extend_from_slice(SKIPPABLE);
                file.extend(compress_to_vec(part, level));
            }
        }
        bytes += part.len();
        ends.push((bytes, file.len()));
    }
    (file, ends)
}

/// A log that is compressed, and then damaged.
fn check_log(choice: u8, position: u8, log: &[u8]) {
    let compression = if choice & 2 == 0 { Compression::Gzip } else { Compression::Zstd };
    let (mut file, ends) = compress(compression, log, usize::from(choice >> 5) + 1);
    if file.is_empty() {
        return;
    }
    assert_eq!(read(compression, &file[..]), Ok(log.to_vec()), "undamaged");
    check_file(position, &file);
    let at = file.len() * usize::from(position) / 256;
    if choice & 4 == 0 {
        // A file that ends between frames is complete. A skippable frame may be the last one.
        if let Ok(content) = read(compression, &file[..at]) {
            let is_end =
                |end: &(usize, usize)| content.len() == end.0 && [end.1, end.1 + SKIPPABLE.len()].contains(&at);
            assert!(ends.iter().any(is_end) && log.starts_with(&content), "cut at {at}");
        }
    } else {
        file[at] ^= 1 << (choice >> 2 & 7);
        assert!(read(compression, &file[..]).map_or(true, |content| content == log), "a flipped bit at {at}");
    }
}

pub fn check(bytes: &[u8]) {
    let Some(([choice, size], rest)) = bytes.split_first_chunk::<2>() else { return };
    match choice & 1 {
        0 => check_file(*size, rest),
        _ => check_log(*choice, *size, rest),
    }
}
