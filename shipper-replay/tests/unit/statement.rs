//! A statement names exactly the audited bytes, because its reader does not see the log.

use shipper_core::audit::{AuditOptions, audit_reader};

use super::*;

/// If one bit of the audited bytes changes, there is no statement. Appended bytes change nothing.
#[test]
fn log_changed_since_audit_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("events.jsonl");
    let path = path.to_str().expect("UTF-8");
    let bytes = b"{}\n";
    let audited =
        audit_reader(&bytes[..], SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is missing");
    let log = LogReport::audited(path, audited);
    let digests_of = |now: &[u8]| {
        fs_err::write(path, now).expect("it can be written");
        audited_digests(&log, None)
    };
    let expected = Some(Digests { sha256: sha256(bytes), blake3: Some(blake3::hash(bytes).to_string()) });
    assert_eq!(digests_of(bytes).ok(), expected);
    assert_eq!(digests_of(&[&bytes[..], b"{}\n"].concat()).ok(), expected);
    let mut changed = *bytes;
    changed[2] ^= 1;
    assert!(matches!(digests_of(&changed), Err(StatementError::Changed { .. })));
    assert!(matches!(digests_of(&bytes[1..]), Err(StatementError::Reread { .. })));
    fs_err::remove_file(path).expect("it exists");
    assert!(matches!(audited_digests(&log, None), Err(StatementError::Reread { .. })));
}

/// A clock beyond the year 9999 has no time, and causes no panic.
#[test]
fn clock_beyond_the_year_9999_has_no_time() {
    let at = |seconds| seconds_of(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
    assert_eq!(at(253_402_300_799).map(OffsetDateTime::year), Some(9999));
    assert_eq!(at(253_402_300_800), None);
    assert_eq!(at(9_000_000_000_000), None);
    assert_eq!(seconds_of(SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1)), None);
}
