//! A compressed log is audited like the log that it contains, and a file of another type is never a violation. Logs are
//! archived with gzip and zstd, and a wrong accusation would send an operator to search for an attack.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression as GzipLevel;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use crate::support::{fixtures, replay, replay_stdin, report, seen};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), GzipLevel::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A skippable frame, as pzstd writes before each frame.
const SKIPPABLE: &[u8] = b"\x53\x2a\x4d\x18\x03\0\0\0abc";

/// Two members of gzip, or two frames of zstd after skippable ones, with the parts of a log.
fn in_parts(suffix: &str, log: &[u8]) -> Vec<u8> {
    let (first, second) = log.split_at(log.len() / 3);
    match suffix {
        "gz" => [gzip(first), gzip(second)].concat(),
        _ => [SKIPPABLE, &zstd(first), SKIPPABLE, &zstd(second), SKIPPABLE].concat(),
    }
}

fn fixture(case: &str) -> Vec<u8> {
    fs::read(fixtures().join(case).join("events.jsonl")).expect("the fixture")
}

fn write(path: &Path, bytes: &[u8]) -> String {
    fs::write(path, bytes).expect("the file");
    path.to_str().expect("UTF-8").to_owned()
}

/// Removes the members that name the file.
fn content(mut report: Value) -> Value {
    let log = report["logs"][0].as_object_mut().expect("a log");
    log.remove("path");
    log.remove("compression");
    log["sidecar"]["path"] = Value::Null;
    report
}

/// The audit of an archive equals that of its content, with a sidecar, up to a time, from a file and from a stream.
#[test]
fn archives_are_audited_like_their_content() {
    let top = tempfile::tempdir().expect("a directory");
    for case in ["real/pass-3crate", "real/skip-over-failed", "damaged/crlf", "real/torn-log-gate"] {
        let sidecar = fixtures().join(case).join("rehearsal.json");
        let _ = fs::copy(&sidecar, top.path().join("rehearsal.json"));
        let plain = fixture(case);
        for (suffix, name) in [("gz", "gzip"), ("zst", "zstd")] {
            let bytes = in_parts(suffix, &plain);
            let log = write(&top.path().join(format!("events.jsonl.{suffix}")), &bytes);
            let plain_log = write(&top.path().join("events.jsonl"), &plain);
            for args in [&[][..], &["--timeline"], &["--at", "2026-11-23T08:12:27Z"], &["--at", "1"]] {
                let found = report(&[args, &[&log]].concat());
                assert_eq!(found["logs"][0]["compression"], name, "{case} {args:?}");
                let expected = report(&[args, &[&plain_log]].concat());
                assert_eq!(expected["logs"][0].get("compression"), None);
                assert_eq!(content(found), content(expected), "{case} {suffix} {args:?}");
                let stream = |bytes: &[u8]| {
                    let output = replay_stdin(&[args, &["--format", "json", "-"]].concat(), bytes);
                    serde_json::from_slice(&output.stdout).expect("a report")
                };
                assert_eq!(content(stream(&bytes)), content(stream(&plain)), "{case} {suffix} {args:?}");
            }
        }
        let _ = fs::remove_file(top.path().join("rehearsal.json"));
    }
}

/// The report for people says that the file is compressed, and that the head is of the decompressed bytes. It quotes the
/// lines, and a statement has the digests of the decompressed bytes.
#[test]
fn reports_name_the_compression_and_quote_the_lines() {
    let top = tempfile::tempdir().expect("a directory");
    let plain = fixture("real/skip-over-failed");
    for (suffix, name) in [("gz", "gzip"), ("zst", "zstd")] {
        let bytes = in_parts(suffix, &plain);
        let log = write(&top.path().join(format!("events.jsonl.{suffix}")), &bytes);
        for output in [replay(&["-v", "--no-sidecar", &log]), replay_stdin(&["-v", "-"], &bytes)] {
            let text = seen(&output);
            assert_eq!(output.status.code(), Some(1), "{text}");
            let head = format!("36:{}:{} (of the decompressed", plain.len(), blake3::hash(&plain));
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [&format!("(decompressed from {name})"), &head] {
                assert!(words.contains(part), "{part}: {text}");
            }
            assert!(text.contains(" | "), "the lines are quoted: {text}");
        }
        for format in ["markdown", "html"] {
            let text = seen(&replay(&["--format", format, "--no-sidecar", &log]));
            assert!(text.contains(&format!("decompressed from {name}")), "{format}: {text}");
        }
        let statement = |log: &str| -> Value {
            let output = replay(&["--format", "vsa", "--no-sidecar", log]);
            serde_json::from_slice(&output.stdout).expect("a statement")
        };
        let plain_log = write(&top.path().join("events.jsonl"), &plain);
        assert_eq!(statement(&log)["subject"][0]["digest"], statement(&plain_log)["subject"][0]["digest"]);
    }
}

/// A damaged or truncated archive is unreadable, whatever its first lines say.
#[test]
fn damaged_archives_are_unreadable() {
    let top = tempfile::tempdir().expect("a directory");
    let plain = fixture("real/skip-over-failed");
    for suffix in ["gz", "zst"] {
        let whole = if suffix == "gz" { gzip(&plain) } else { zstd(&plain) };
        let mut flipped = whole.clone();
        *flipped.last_mut().expect("bytes") ^= 1;
        let damaged = [
            (whole[..whole.len() - 1].to_vec(), "truncated"),
            (whole[..whole.len() / 2].to_vec(), "truncated"),
            (whole[..6].to_vec(), "truncated"),
            (flipped, "damaged"),
            ([&whole[..], b"{}\n"].concat(), "damaged"),
        ];
        for (bytes, word) in damaged {
            let log = write(&top.path().join("events.jsonl"), &bytes);
            for output in [replay(&[&log]), replay_stdin(&["-"], &bytes)] {
                let text = seen(&output);
                assert_eq!(output.status.code(), Some(2), "{suffix} {}: {text}", bytes.len());
                assert!(text.contains(word) || text.contains("truncated"), "{suffix} {word}: {text}");
            }
        }
    }
}

/// A zstd frame that needs more than 128 MiB of memory is refused.
#[test]
fn large_windows_are_refused() {
    let window_of_256_mib = b"\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00";
    let output = replay_stdin(&["-"], window_of_256_mib);
    let text = seen(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("window of 268435456 bytes"), "{text}");
    let empty_with_128_mib = b"\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00";
    let output = replay_stdin(&["-"], empty_with_128_mib);
    assert_eq!(output.status.code(), Some(3), "an empty log: {}", seen(&output));
}

/// A zip archive and UTF-16 text are unjudged, and the error says what to do.
#[test]
fn other_types_are_unjudged() {
    let text = String::from_utf8(fixture("real/skip-over-failed")).expect("UTF-8");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    for (bytes, words) in [
        (b"PK\x03\x04\x14\0\0\0".to_vec(), "unpack it"),
        (b"PK\x05\x06\0\0\0\0".to_vec(), "unpack it"),
        (utf16(u16::to_le_bytes), "UTF-16"),
        (utf16(u16::to_be_bytes), "UTF-16"),
    ] {
        let output = replay_stdin(&["-"], &bytes);
        assert_eq!(output.status.code(), Some(2), "{}", seen(&output));
        assert!(seen(&output).contains(words), "{}", seen(&output));
    }
}

/// A search of a directory finds archives, and compares them with the sidecar beside them.
#[test]
fn search_of_a_directory_finds_archives() {
    let top = tempfile::tempdir().expect("a directory");
    let plain = fixture("real/pass-3crate");
    write(&top.path().join("events.jsonl.gz"), &gzip(&plain));
    write(&top.path().join("events.jsonl.zst"), &zstd(&plain));
    write(&top.path().join("events.jsonl.xz"), b"not searched");
    fs::copy(fixtures().join("real/pass-3crate/rehearsal.json"), top.path().join("rehearsal.json")).expect("copied");
    let report = report(&[top.path().to_str().expect("UTF-8")]);
    let logs = report["logs"].as_array().expect("logs");
    assert_eq!(logs.len(), 2, "{report}");
    for log in logs {
        assert_eq!((&log["conclusion"], &log["sidecar"]["status"]), (&"verified".into(), &"match".into()), "{log}");
    }
}

/// If no line of a file can be read, the finding says that the file does not look like an event log, and what it is.
#[test]
fn help_says_what_the_file_is() {
    for (text, words) in [
        ("<!DOCTYPE html>\n<html>\n", "an HTML page"),
        ("\n\n <HTML>\n", "an HTML page"),
        ("{\n  \"schema_version\": \"shipper.rehearsal.v1\"\n}\n", "a JSON document"),
        ("{\"schema_version\":\"shipper.state.v1\"}\n", "a JSON document"),
        ("BZh91AY\n", "does not look like an event log"),
        ("{\"timestamp\":1}\n", "does not look like an event log"),
    ] {
        let output = replay_stdin(&["--format", "json", "-"], text.as_bytes());
        assert_eq!(output.status.code(), Some(1), "{}", seen(&output));
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let findings = report["logs"][0]["findings"].as_array().expect("findings");
        let corrupt = findings.iter().find(|finding| finding["code"] == "corrupt-line").expect("it is corrupt");
        let help = corrupt["help"].as_str().expect("a text");
        assert!(help.contains(words) && help.contains("does not look like an event log"), "{text:?}: {help}");
    }
    let log = [&fixture("real/pass-3crate")[..], b"<html>\n"].concat();
    let output = replay_stdin(&["-"], &log);
    assert!(!seen(&output).contains("does not look like"), "{}", seen(&output));
}
