//! The cost of a hostile log is proportional to its size, whatever its long names and many references: a file must not
//! exhaust the auditor's machine.

use std::time::Duration;

use shipper_core::audit::{AuditOptions, SidecarInput};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::cpu_time;

/// The limit of the processor time of each audit. It takes a fraction of a second, or minutes if the cost is a product
/// of sizes.
const LIMIT: Duration = Duration::from_secs(10);

#[track_caller]
fn audits_quickly(log: &[u8], sidecar: SidecarInput) {
    let started = cpu_time();
    let audit = audit(log, sidecar, &AuditOptions::default()).expect("no line is demanded");
    let taken = cpu_time() - started;
    assert!(taken < LIMIT, "{taken:?} for {} lines", audit.lines);
}

/// An unknown gate event with a name of megabytes precedes many runs.
#[test]
fn long_unknown_event_name_before_many_runs() {
    let mut log = LogBuilder::foreign();
    log.event(&format!(r#"{{"type":"rehearsal_{}"}}"#, "x".repeat(8 << 20)));
    for _ in 0..20_000 {
        log.plan("p", 1);
    }
    audits_quickly(log.bytes(), SidecarInput::NotRequested);
}

/// Many runs depend on a registry with a name of megabytes.
#[test]
fn long_registry_name_under_many_runs() {
    let mut log = LogBuilder::foreign();
    log.pass("p", &"r".repeat(8 << 20));
    for _ in 0..20_000 {
        log.plan("p", 1);
    }
    audits_quickly(log.bytes(), SidecarInput::NotRequested);
}

/// A sidecar with a summary of megabytes is compared with many completions.
#[test]
fn long_sidecar_summary_against_many_completions() {
    let mut log = LogBuilder::foreign();
    for _ in 0..20_000 {
        log.complete("p", "r", true);
    }
    let bytes = format!(
        r#"{{"schema_version":"shipper.rehearsal.v1","plan_id":"p","registry":"r","passed":true,"packages_attempted":0,"packages_published":0,"summary":"{}","started_at":"2026-11-23T08:00:00Z","completed_at":"2026-11-23T08:00:00Z"}}"#,
        "s".repeat(8 << 20)
    );
    let path = "rehearsal.json".to_owned();
    audits_quickly(log.bytes(), SidecarInput::Found { path, bytes: bytes.into_bytes() });
}

/// A log with very many odd lines has a finding for each, and messages truncate numbers of many digits.
#[test]
fn many_findings_with_bounded_messages() {
    audits_quickly(&vec![b'\n'; 500_000], SidecarInput::NotRequested);
    let mut log = LogBuilder::chained();
    let digits = "9".repeat(1 << 20);
    log.event(&format!(r#"{{"type":"gate_evaluated","rules":{digits},"plan_id":"p"}}"#));
    log.event(&format!(r#"{{"type":"tail_repaired","bytes":{digits},"blake3":""}}"#));
    log.event(&format!(r#"{{"type":"plan_created","plan_id":"p","package_count":{digits},"gate":{digits}}}"#));
    for finding in log.audit(&AuditOptions::default()).findings {
        assert!(finding.message.len() < 1_000, "{}: {} bytes", finding.code, finding.message.len());
    }
}

/// Many decisions of one plan, many runs that name old ones, and many failed rehearsals between them.
#[test]
fn many_decisions_that_refer_to_each_other() {
    let mut log = LogBuilder::foreign();
    let basis = log.head();
    for round in 0..4_000 {
        log.gate_on("p", Some("r"), false, "authorized", &[], &basis);
        log.plan_on("p", 1, 1 + round / 2).published("a").complete("p", "r", false);
        log.start("p", "r", 1).event(r#"{"type":"rehearsal_paused"}"#);
    }
    audits_quickly(log.bytes(), SidecarInput::NotRequested);
}
