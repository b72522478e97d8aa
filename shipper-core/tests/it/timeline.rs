//! The timeline is time travel: what it says holds after an event is what an audit of the log up to that line says, and
//! keeping it changes nothing else. Whoever asks how a verdict came about must not be told another story than the
//! verdict's own.

use proptest::prelude::*;
use shipper_core::audit::{
    AsOf, AuditOptions, Auditor, Begin, Integrity, LogAudit, SidecarInput, StateAfter, TailStatus, TimelineEntry, audit,
};
use shipper_core::fold::{Evidence, EvidenceFlaw};
use shipper_core::{RefusalCode, VerdictKind};
use shipper_testkit::log_builder::log_with_changed_byte;
use shipper_testkit::settings::proptest_config;

/// An audit that keeps the timeline.
fn audit_in_time(log: &[u8], demand: &AuditOptions) -> (LogAudit, Vec<TimelineEntry>) {
    let Begin::Audit(auditor) = Auditor::begin(demand.clone(), SidecarInput::NotRequested) else {
        panic!("no time was demanded");
    };
    let mut auditor = auditor.with_timeline();
    auditor.feed(log);
    let mut audit = auditor.finish().expect("no line is demanded");
    let moments = audit.timeline.take().expect("it was kept");
    (audit, moments)
}

fn plain(log: &[u8], demand: &AuditOptions) -> LogAudit {
    audit(log, SidecarInput::NotRequested, demand).expect("the line is there")
}

/// A receipt by its line and worth, and what the gate would answer.
type Holds = (Option<(u64, bool, Evidence, Vec<EvidenceFlaw>)>, Option<(VerdictKind, Vec<RefusalCode>)>);

fn held(after: &StateAfter) -> Holds {
    let receipt = after.receipt.as_ref().map(|one| (one.line, one.passed, one.evidence, one.unsound.clone()));
    (receipt, after.gate.as_ref().map(|gate| (gate.verdict, gate.reasons.clone())))
}

fn said(audit: &LogAudit) -> Holds {
    let receipt = audit.receipt.as_ref().map(|one| (one.line, one.passed, one.evidence, one.unsound.clone()));
    (receipt, audit.gate.as_ref().map(|gate| (gate.verdict, gate.reasons.clone())))
}

fn agrees(log: &[u8], demand: &AuditOptions) -> Result<(), TestCaseError> {
    let (in_time, moments) = audit_in_time(log, demand);
    prop_assert_eq!(&in_time, &plain(log, demand), "a timeline changes nothing else");
    prop_assert!(moments.windows(2).all(|two| two[0].line < two[1].line));
    for moment in &moments {
        let then = plain(log, &AuditOptions { at: Some(AsOf::Line(moment.line)), ..demand.clone() });
        prop_assert_eq!(held(&moment.after), said(&then), "line {}", moment.line);
    }
    // What stands after the last moment changes nothing that the gate is about, unless the log is not to be trusted: an
    // audit up to a line has no tail, the whole log may have a torn one.
    let trusted = in_time.integrity != Integrity::Broken && in_time.tail == TailStatus::Clean;
    if let Some(last) = moments.last().filter(|_| trusted) {
        prop_assert_eq!(held(&last.after), said(&in_time));
    }
    Ok(())
}

proptest! {
    #![proptest_config(proptest_config(400))]

    /// (Pass) Histories of gate events, foreign and chained, whole and with bytes changed.
    #[test]
    fn timeline_entry_equals_an_audit_up_to_its_line(
        log in log_with_changed_byte(0..25),
        demanded in prop::option::of(prop::sample::select(vec!["p", "q"])),
    ) {
        let demand = AuditOptions { plan_id: demanded.map(|plan| plan.parse().expect("a name")), ..AuditOptions::default() };
        agrees(&log, &demand)?;
    }
}

/// (Pass) Moments can be taken as they come, each once: the way a log is followed.
#[test]
fn timeline_entries_are_drained_once() {
    let started = r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1},"package":"all"}"#;
    let published = r#"{"timestamp":"2026-11-23T08:00:01Z","event_type":{"type":"package_published","duration_ms":1},"package":"a@1.0.0"}"#;
    let Begin::Audit(auditor) = Auditor::begin(AuditOptions::default(), SidecarInput::NotRequested) else {
        panic!("no time was demanded");
    };
    let mut auditor = auditor.with_timeline();
    auditor.feed(format!("{started}\n{published}").as_bytes());
    let taken = auditor.take_moments();
    assert_eq!(taken.iter().map(|moment| moment.event.as_str()).collect::<Vec<_>>(), ["rehearsal_started"]);
    assert!(taken[0].after.open.is_some());
    auditor.feed(b"\n");
    let taken = auditor.take_moments();
    assert_eq!(taken[0].package.as_deref(), Some("a@1.0.0"));
    assert_eq!(auditor.take_moments(), []);
}
