//! No bytes make the readers of compressed files panic or run without end: archives come from anywhere.

use std::io::Write;

use proptest::prelude::*;

use super::*;

/// Lines that compress like those of a log.
fn content() -> Vec<u8> {
    (0..400)
        .flat_map(|number| format!("{{\"number\":{number},\"name\":\"package {}\"}}\n", number % 7).into_bytes())
        .collect()
}

fn archives() -> [(Compression, Vec<u8>); 2] {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&content()).expect("memory");
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    [
        (Compression::Gzip, encoder.finish().expect("memory")),
        (Compression::Zstd, ruzstd::encoding::compress_to_vec(&content()[..], level)),
    ]
}

/// Reads everything, at most 16 MiB.
fn read(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    ContentReader::new(bytes, Some(compression)).take(1 << 24).read_to_end(&mut content)?;
    Ok(content)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Flipped bits are an error, or do not change the content. A truncated archive is an error.
    #[test]
    fn damage_is_an_error(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        for (compression, archive) in archives() {
            prop_assert!(read(compression, &archive).is_ok_and(|found| found == content()));
            let cut = cut.index(archive.len() - 1) + 1;
            prop_assert!(read(compression, &archive[..cut]).is_err(), "{compression} cut at {cut}");
            let mut flipped = archive.clone();
            for (position, bit) in &flips {
                flipped[position.index(archive.len())] ^= 1 << bit;
            }
            // The header of gzip has bytes without a checksum.
            if let Ok(found) = read(compression, &flipped) {
                prop_assert!(found == content(), "{compression} {flips:?}");
            }
        }
    }

    /// Any bytes after the magic are read to an end.
    #[test]
    fn other_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for magic in [&b"\x1f\x8b\x08\0\0\0\0\0\0\0"[..], b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd\x20\x40", b"\x50\x2a\x4d\x18"] {
            let bytes = [magic, &bytes].concat();
            if let Ok(Some(compression)) = detect(&bytes) {
                let _ = read(compression, &bytes);
            }
        }
    }
}
