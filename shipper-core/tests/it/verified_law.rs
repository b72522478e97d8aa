//! A verified log published nothing that was not rehearsed: at every act of a run, the latest rehearsal of its plan was a
//! sound pass. An auditor relies on that word alone, so the law is checked on every short history.

use shipper_core::audit::{AuditOptions, Conclusion};
use shipper_events::{EventReader, EventType, LogEntry};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::settings::{print_figure, scaled};

use crate::fold_oracle::latest_is_sound_pass;

/// The steps that extend a history.
const STEPS: [fn(&mut LogBuilder); 10] = [
    |log| _ = log.start("p", "r", 1),
    |log| _ = log.start("q", "r", 1),
    |log| _ = log.rehearsed("a"),
    |log| _ = log.rehearsal_failure(),
    |log| _ = log.complete("p", "r", true),
    |log| _ = log.complete("p", "r", false),
    |log| _ = log.complete("q", "r", true),
    |log| _ = log.plan("p", 1),
    |log| _ = log.published("a"),
    |log| _ = log.authorized("p", "r"),
];

/// Extends the log by every sequence of steps, and returns the numbers of histories and of verified ones.
fn explore(log: &LogBuilder, length: usize) -> (u64, u64) {
    let (mut histories, mut verified) = (1, u64::from(check(log)));
    if length > 0 {
        for step in STEPS {
            let mut next = log.clone();
            step(&mut next);
            let (more, more_verified) = explore(&next, length - 1);
            histories += more;
            verified += more_verified;
        }
    }
    (histories, verified)
}

/// Checks the law on one log, and returns whether it is verified.
fn check(log: &LogBuilder) -> bool {
    if log.audit(&AuditOptions::default()).conclusion() != Conclusion::Verified {
        return false;
    }
    let entries: Vec<LogEntry> = EventReader::new(log.bytes()).collect::<Result<_, _>>().expect("a valid log");
    let mut plan = None;
    for (position, entry) in entries.iter().enumerate() {
        match &entry.event.event_type {
            EventType::PlanCreated(created) => plan = Some(&created.plan_id),
            EventType::PackagePublished(_) => {
                let plan = plan.expect("a publish outside every run is a violation").as_str();
                let text = String::from_utf8_lossy(log.bytes());
                assert!(latest_is_sound_pass(&entries[..position], plan), "verified, but not rehearsed:\n{text}");
            }
            _ => {}
        }
    }
    true
}

/// Every history that begins with a passed rehearsal, and every one from nothing.
#[test]
fn a_verified_log_published_only_what_had_passed() {
    let length = scaled(4, 6);
    let mut passed = LogBuilder::chained();
    passed.pass("p", "r");
    let (histories, verified) = explore(&passed, length);
    let (more, more_verified) = explore(&LogBuilder::chained(), length);
    print_figure(&format!(
        "of {} histories, {} are verified, and published only what had passed",
        histories + more,
        verified + more_verified
    ));
    assert!(verified > 0);
}
