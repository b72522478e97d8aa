//! A reader finds the marker of an interrupted repair or a failed sync where the writer left it. Otherwise it would
//! trust a log that lacks lines.

use camino::Utf8PathBuf;
use shipper_events::write::markers;

fn directory() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::try_from(directory.path().canonicalize().expect("a path")).expect("UTF-8");
    (directory, path)
}

#[test]
fn each_marker_is_found_beside_the_log() {
    let (_directory, path) = directory();
    let log = path.join("events.jsonl");
    assert!(!markers(&log).expect("looked").any(), "also without a log");
    let (repairing, unsynced) = (path.join("events.jsonl.repairing"), path.join("events.jsonl.unsynced"));
    std::fs::write(&unsynced, "").expect("a marker");
    let found = markers(&log).expect("looked");
    assert_eq!((found.repair_interrupted, found.sync_failed), (None, Some(unsynced.clone())));
    std::fs::create_dir(&repairing).expect("a marker of an unusual kind");
    let found = markers(&log).expect("looked");
    assert_eq!((found.repair_interrupted, found.sync_failed), (Some(repairing), Some(unsynced)));
    markers(&path.join("missing/events.jsonl")).expect_err("the directory does not exist");
}

#[cfg(unix)]
#[test]
fn markers_of_the_target_of_a_link_are_found() {
    let (_directory, path) = directory();
    std::fs::create_dir(path.join("real")).expect("a directory");
    std::fs::write(path.join("real/log"), "").expect("a log");
    let link = path.join("events.jsonl");
    std::os::unix::fs::symlink("real/log", &link).expect("a link");
    std::fs::write(path.join("events.jsonl.repairing"), "").expect("a marker of another log");
    assert!(!markers(&link).expect("looked").any());
    let marker = path.join("real/log.repairing");
    std::fs::write(&marker, "").expect("a marker");
    assert_eq!(markers(&link).expect("looked").repair_interrupted, Some(marker));
}
