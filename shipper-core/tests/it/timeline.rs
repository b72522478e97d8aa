//! The state in a timeline entry equals that of an audit up to its line, and recording the timeline changes nothing
//! else. Otherwise the timeline would contradict the verdict that it explains.

use proptest::prelude::*;
use shipper_core::audit::{
    AsOf, AuditOptions, Auditor, Integrity, LogAudit, RehearsalStatus, SidecarInput, StateAfter, TailStatus,
    TimelineEntry,
};
use shipper_core::fold::{Evidence, EvidenceFlaw};
use shipper_core::{RefusalCode, VerdictKind};
use shipper_testkit::log_builder::audit;
use shipper_testkit::log_builder::log_with_changed_byte;
use shipper_testkit::settings::proptest_config;

/// Audits a log and records the timeline.
fn audit_in_time(log: &[u8], demand: &AuditOptions) -> (LogAudit, Vec<TimelineEntry>) {
    let auditor = Auditor::new(demand.clone(), SidecarInput::NotRequested).expect("no time is demanded");
    let mut auditor = auditor.with_timeline();
    auditor.feed(log);
    let mut audit = auditor.finish().expect("no line is demanded");
    let moments = audit.timeline.take().expect("it was kept");
    audit.clear_timeline();
    (audit, moments)
}

fn plain(log: &[u8], demand: &AuditOptions) -> LogAudit {
    audit(log, SidecarInput::NotRequested, demand).expect("the line is there")
}

/// The receipt by its line and evidence, and the gate's answer.
type Comparable = (Option<(u64, bool, Evidence, Vec<EvidenceFlaw>)>, Option<(VerdictKind, Vec<RefusalCode>)>);

fn state_of_entry(after: &StateAfter) -> Comparable {
    let receipt = after.receipt.as_ref().map(|one| (one.line, one.passed, one.evidence, one.unsound.clone()));
    (receipt, after.gate.as_ref().map(|gate| (gate.verdict, gate.reasons.clone())))
}

fn state_of_audit(audit: &LogAudit) -> Comparable {
    let receipt = audit.receipt.as_ref().map(|one| (one.line, one.passed, one.evidence, one.unsound.clone()));
    (receipt, audit.gate.as_ref().map(|gate| (gate.verdict, gate.reasons.clone())))
}

fn check_timeline(log: &[u8], demand: &AuditOptions) -> Result<(), TestCaseError> {
    let (with_timeline, moments) = audit_in_time(log, demand);
    prop_assert_eq!(&with_timeline, &plain(log, demand), "a timeline changes nothing else");
    prop_assert!(moments.windows(2).all(|two| two[0].line < two[1].line));
    for moment in &moments {
        let then = plain(log, &demand.clone().with_at(AsOf::Line(moment.line)));
        prop_assert_eq!(state_of_entry(&moment.after), state_of_audit(&then), "line {}", moment.line);
    }
    // Lines after the last entry do not change the gate's answer, unless the log cannot be trusted: the whole log may
    // have a torn tail, and an audit up to a line has none.
    let trusted = with_timeline.integrity != Integrity::Broken && with_timeline.tail == TailStatus::Clean;
    if let Some(last) = moments.last().filter(|_| trusted) {
        prop_assert_eq!(state_of_entry(&last.after), state_of_audit(&with_timeline));
    }
    Ok(())
}

proptest! {
    #![proptest_config(proptest_config(200))]

    /// Histories of gate events, unchained and chained, intact and with changed bytes.
    #[test]
    fn timeline_entry_equals_an_audit_up_to_its_line(
        log in log_with_changed_byte(0..25),
        demanded in prop::option::of(prop::sample::select(vec!["p", "q"])),
    ) {
        let demand = demanded.map_or_else(AuditOptions::default, |plan| {
            AuditOptions::default().with_plan_id(plan.parse().expect("a name"))
        });
        check_timeline(&log, &demand)?;
    }
}

/// Timeline entries can be drained while the log is followed, each once.
#[test]
fn timeline_entries_are_drained_once() {
    let started = r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1},"package":"all"}"#;
    let published = r#"{"timestamp":"2026-11-23T08:00:01Z","event_type":{"type":"package_published","duration_ms":1},"package":"a@1.0.0"}"#;
    let auditor = Auditor::new(AuditOptions::default(), SidecarInput::NotRequested).expect("no time is demanded");
    let mut auditor = auditor.with_timeline();
    auditor.feed(format!("{started}\n{published}").as_bytes());
    let taken = auditor.drain_entries();
    assert_eq!(taken.iter().map(|moment| moment.event.as_str()).collect::<Vec<_>>(), ["rehearsal_started"]);
    assert!(taken[0].after.open.is_some());
    auditor.feed(b"\n");
    let taken = auditor.drain_entries();
    assert_eq!(taken[0].package.as_deref(), Some("a@1.0.0"));
    assert_eq!(auditor.drain_entries(), []);
}

const LOG: &str = r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1},"package":"all"}
{"timestamp":"2026-11-23T08:00:01Z","event_type":{"type":"rehearsal_package_published","name":"a","version":"1.0.0","duration_ms":1},"package":"a@1.0.0"}
{"timestamp":"2026-11-23T08:00:02Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1},"package":"all"}
{"timestamp":"2026-11-23T08:00:03Z","event_type":{"type":"rehearsal_complete","passed":false,"registry":"r","plan_id":"q","summary":"-"},"package":"all"}
{"timestamp":"2026-11-23T08:00:04Z","event_type":{"type":"rehearsal_package_published","name":"a","version":"1.0.0","duration_ms":1},"package":"a@1.0.0"}
{"timestamp":"2026-11-23T08:00:05Z","event_type":{"type":"rehearsal_complete","passed":true,"registry":"r","plan_id":"p","summary":"-"},"package":"all"}
{"timestamp":"2026-11-23T08:00:06Z","event_type":{"type":"plan_created","plan_id":"p","package_count":1},"package":"all"}
{"timestamp":"2026-11-23T08:00:07Z","event_type":{"type":"package_published","duration_ms":1},"package":"a@1.0.0"}
{"timestamp":"2026-11-23T08:00:08Z","event_type":{"type":"execution_finished","result":"success"},"package":"all"}
{"timestamp":"2026-11-23T08:00:09Z","event_type":{"type":"plan_created","plan_id":"q","package_count":1},"package":"all"}

{"timestamp":"2026-11-23T08:00:10Z","event_type":{"type":"execution_started"},"package":"all"}
{"timestamp":"2026-11-23T08:00:11Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"q","package_count":1},"package":"all"}
"#;

/// Rehearsals and runs have their first and last lines, including those of a plan that is not demanded.
#[test]
fn rehearsals_and_runs_come_with_their_lines() {
    let demand = AuditOptions::default().with_plan_id("q".parse().expect("a name"));
    let auditor = Auditor::new(demand, SidecarInput::NotRequested).expect("no time is demanded");
    let mut auditor = auditor.with_timeline();
    auditor.feed(LOG.as_bytes());
    let audit = auditor.finish().expect("no line is demanded");
    let rehearsals = audit.rehearsals.expect("they were kept");
    let rehearsals: Vec<_> = rehearsals
        .iter()
        .map(|one| (one.line, one.end_line, one.plan_id.as_str(), one.status, one.packages_published))
        .collect();
    assert_eq!(
        rehearsals,
        [
            (Some(1), Some(3), "p", RehearsalStatus::Abandoned, 1),
            (Some(3), Some(6), "p", RehearsalStatus::Passed, 1),
            (None, Some(4), "q", RehearsalStatus::Failed, 0),
            (Some(13), None, "q", RehearsalStatus::Open, 0),
        ]
    );
    let runs = audit.runs.expect("they were kept");
    let runs: Vec<_> = runs.iter().map(|run| (run.line, run.last_line, run.finished, run.plan_id.as_str())).collect();
    assert_eq!(runs, [(7, 9, true, "p"), (10, 10, false, "q")]);
}
