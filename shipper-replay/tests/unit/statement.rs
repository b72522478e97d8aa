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
