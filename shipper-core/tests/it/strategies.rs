//! Readers accept every log of the published strategies, and its meaning is that of its entries: embedding tools test
//! with them.

use camino::Utf8PathBuf;
use proptest::prelude::*;
use shipper_core::shipper_events::{EventReader, LogEntry};
use shipper_core::{GateProjection, GateState, Sidecar, strategies};
use shipper_testkit::settings::proptest_config;

proptest! {
    #[test]
    fn the_sidecar_matches_the_events(entries in strategies::entries(0..20)) {
        let log = strategies::to_log(&entries);
        let gate = GateProjection::read(&log[..]).expect("a valid log");
        if let Some((receipt, head)) = gate.latest_completion() {
            let sidecar = Sidecar::parse(Sidecar::render(receipt, *head).as_bytes()).expect("a sidecar");
            prop_assert_eq!(sidecar.differences(receipt, || *head), []);
        }
    }
}

proptest! {
    #![proptest_config(proptest_config(200))]

    /// A generated log is accepted and has the meaning of its entries, whether they are collected by value or by
    /// reference.
    #[test]
    fn a_generated_log_is_accepted(entries in strategies::entries(0..30), chained in any::<bool>()) {
        let entries = if chained { strategies::chained(entries) } else { entries };
        let log = strategies::to_log(&entries);
        let read: Vec<LogEntry> = EventReader::new(&log[..]).collect::<Result<_, _>>().expect("a valid log");
        let state: GateState = EventReader::new(&log[..]).collect::<Result<_, _>>().expect("a valid log");
        prop_assert_eq!(&state, &entries.iter().collect());
        prop_assert_eq!(&state, &read.into_iter().collect());
        let gate = GateProjection::read(&log[..]).expect("a valid log");
        prop_assert_eq!(gate.state(), &state);
    }
}

/// A log that is missing or cannot be trusted has no projection.
#[test]
fn a_log_that_cannot_be_trusted_is_not_read() {
    for log in ["{\n", "{\"torn", "{}\n"] {
        GateProjection::read(log.as_bytes()).expect_err(log);
    }
    GateProjection::open("no/such/events.jsonl").expect_err("there is no log");
    let directory = tempfile::tempdir().expect("a directory");
    let log = Utf8PathBuf::try_from(directory.path().join("events.jsonl")).expect("UTF-8");
    std::fs::write(&log, "").expect("a log");
    GateProjection::open(&log).expect("no marker exists");
    for marker in ["repairing", "unsynced"] {
        let marker = log.with_file_name(format!("events.jsonl.{marker}"));
        std::fs::write(&marker, "").expect("a marker");
        let error = GateProjection::open(&log).expect_err("a marker exists").to_string();
        assert!(error.contains(marker.as_str()), "{error}");
        std::fs::remove_file(&marker).expect("removed");
    }
    let empty = GateProjection::read(&b""[..]).expect("an empty log");
    assert_eq!(*empty.state(), GateState::default());
}
