//! The machine may stop at any step, with any legal state of the disk. Then every acknowledged event is in the log, the
//! log opens or is refused with an error, and no new plan is authorized: a gate must not forget a failure in a crash.
//! The gate, a status display and an audit give the same answer about each state.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::audit::{AuditOptions, Conclusion, LogReport, Report, RequiredVerdict, SidecarInput, audit_path};
use shipper_core::rehearsal::RecordError;
use shipper_core::{
    GateProjection, GateQuery, RefusalCode, RehearsalRecorder, SkipRequest, Verdict, ask_gate, evaluate,
};
use shipper_events::Head;
use shipper_events::write::LogError;
use shipper_testkit::crash_scenarios::{
    Acknowledged, DiskFiles, LOG, SCENARIOS, STATE, adopting, disk_files, disk_with, for_each_crash, for_each_failure,
    query, write_files,
};
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::{print_figure, scaled};
use shipper_testkit::sim_storage::SimStorage;

/// Returns `true` if the log begins with the bytes of this head.
fn extends(log: &[u8], head: Head) -> bool {
    let length = usize::try_from(head.bytes).expect("small");
    log.get(..length).is_some_and(|prefix| blake3::hash(prefix) == head.blake3)
}

/// Checks one state after a crash.
fn check(state: &SimStorage, acknowledged: &Acknowledged, what: &str) {
    let log = state.read(LOG);
    let bytes = log.clone().unwrap_or_default();
    if !acknowledged.continued {
        for head in &acknowledged.heads {
            assert!(extends(&bytes, *head), "{what}: the acknowledged {head} is gone");
        }
    } else if let Some(head) = acknowledged.heads.last() {
        assert!(extends(&bytes, *head), "{what}: the acknowledged {head} is gone");
    }
    // The gate does not repair, and must not authorize anything new.
    let answer = ask_gate(state.clone(), Utf8Path::new(STATE), &query(), &SkipRequest::default(), None, adopting());
    let answer = answer.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert!(!(acknowledged.refused && answer.verdict().may_publish()), "{what}: authorized after a crash");
    // A rehearsing writer opens the log, or refuses it with an error and leaves it unchanged.
    let before = state.read(LOG).unwrap_or_default();
    match RehearsalRecorder::open(state.clone(), Utf8Path::new(STATE), adopting()) {
        Ok(recorder) => drop(recorder),
        Err(RecordError::Log(LogError::Corrupt { .. })) => assert_eq!(state.read(LOG).unwrap_or_default(), before),
        Err(error) => panic!("{what}: {error:?}"),
    }
    let after = state.read(LOG).unwrap_or_default();
    let audited = audit(&after, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
    assert!(audited.tail == shipper_core::audit::TailStatus::Clean, "{what}");
    let _: Conclusion = LogReport::audited("log", audited).conclusion;
}

/// The answers of the gate, of [`GateProjection::open`] and of an audit that requires a permission, with the reasons of
/// a refusal. A log that is missing, damaged or marked cannot be opened, and then the caller must decide nothing.
fn assert_same_answers(files: &DiskFiles, what: &str) -> bool {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
    write_files(files, &directory);
    let path = directory.join(LOG);
    let mut authorized = false;
    for (plan, registry) in [("p", "r"), ("p", "other"), ("other", "r")] {
        let (plan, registry) = (plan.parse().expect("a name"), registry.parse().expect("a name"));
        let query = GateQuery::new(plan, Some(registry));
        let gate = disk_with(files);
        let answer = ask_gate(gate, Utf8Path::new(STATE), &query, &SkipRequest::default(), None, adopting());
        let asked = answer.unwrap_or_else(|error| panic!("{what}: {error:?}")).verdict().reason_codes();
        let opened = GateProjection::open(&path).map(|gate| evaluate(gate.state(), &query));
        let mut options = AuditOptions::default();
        options.plan_id = Some(query.plan_id.clone());
        options.registry = query.rehearsal_registry.clone();
        options.require = Some(RequiredVerdict::Authorized);
        let audited = audit_path(&path, SidecarInput::NotRequested, &options);
        let exists = files.contains_key(Utf8Path::new(LOG));
        assert_eq!(audited.is_ok(), exists, "{what}");
        if let Ok(audit) = &audited {
            let reasons = &audit.gate.as_ref().expect("a question").reasons;
            assert_eq!(reasons, &asked, "{what}: audit and gate, {query:?}");
        }
        let log = match audited {
            Ok(audit) => LogReport::audited("log", audit),
            Err(error) => LogReport::unreadable("log", error.to_string()),
        };
        let required = Report::new(options, vec![log]).exit_code == 0;
        assert_eq!(required, asked.is_empty(), "{what}: audit and gate, {query:?}");
        match &opened {
            Ok(verdict) => assert_eq!(verdict.reason_codes(), asked, "{what}: evaluated and asked, {query:?}"),
            Err(_) if !exists => assert_eq!(asked, [RefusalCode::NoRehearsal], "{what}: {query:?}"),
            Err(error) => assert_eq!(asked, [RefusalCode::UntrustedLog], "{what}: {error:?}, {query:?}"),
        }
        authorized |= matches!(opened, Ok(Verdict::Authorized { .. }));
    }
    authorized
}

/// Every scenario is stopped at every step, in every possible state of the disk. A small run tries a quarter of the
/// states.
#[test]
fn no_crash_loses_an_event_or_authorizes_a_plan() {
    let mut states = 0;
    let points = for_each_crash(scaled(12, 1), |state, acknowledged, what| {
        check(state, acknowledged, what);
        states += 1;
    });
    print_figure(&format!(
        "{} scenarios stopped at {points} points: {states} states of the disk, no acknowledged event gone, nothing \
         authorized that was not",
        SCENARIOS.len()
    ));
}

/// The gate, `GateProjection::open` and an audit that requires a permission agree about every state of the disk, each
/// with the same reasons: after a crash, of which a small run takes one of 16 different states, and after an error of the
/// disk.
#[test]
fn gate_status_and_audit_agree_after_a_crash() {
    let (mut states, mut authorized, mut seen) = (0, 0, BTreeSet::new());
    for_each_crash(1, |state, _, what| {
        let files = disk_files(state);
        if !seen.contains(&files) {
            if seen.len() % scaled(64, 1) == 0 {
                authorized += usize::from(assert_same_answers(&files, what));
                states += 1;
            }
            seen.insert(files);
        }
    });
    assert!(authorized > 0 && authorized < states);
    let (different, mut failed, mut marked) = (seen.len(), 0, 0);
    for_each_failure(|state, what| {
        let files = disk_files(state);
        if !seen.contains(&files) {
            assert_same_answers(&files, what);
            failed += 1;
            marked += usize::from(files.keys().any(|path| path.as_str().ends_with(".unsynced")));
            seen.insert(files);
        }
    });
    assert!(marked > 0);
    print_figure(&format!(
        "{states} of {different} different states of the disk after a crash, and {failed} after an error, {marked} with \
         the marker of a failed sync: gate, `GateProjection::open` and audit agree, {authorized} authorized"
    ));
}
