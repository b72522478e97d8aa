//! Every label of a finding points at a value that exists in its line, because an auditor checks the value there.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use shipper_core::audit::{AuditOptions, Finding, FindingCode, LabelTarget, Level, LogAudit, SidecarInput};
use shipper_events::json::Object;
use shipper_testkit::lines::split_lines;
use shipper_testkit::log_builder::{LogBuilder, audit, log_with_changed_byte};
use shipper_testkit::settings::proptest_config;

/// Returns `true` if the target exists: a member of the line, a byte in it, or its end.
fn target_exists(line: &[u8], target: LabelTarget) -> bool {
    match target {
        LabelTarget::Line | LabelTarget::End => true,
        LabelTarget::Offset(offset) => offset <= line.len(),
        LabelTarget::Member(path) => {
            let Ok(mut object) = Object::parse(line.trim_ascii_end()) else {
                return false;
            };
            let (last, parents) = path.split_last().expect("a path has a name");
            for name in parents {
                object = object.get(name).and_then(shipper_events::json::Value::as_object).expect("an object");
            }
            object.get(last).is_some()
        }
    }
}

fn check(log: &[u8], audited: &LogAudit, pointed_at: &mut BTreeMap<String, usize>) {
    let lines: Vec<&[u8]> = split_lines(log).0.collect();
    for finding in &audited.findings {
        let places = finding.labels();
        assert_eq!(places.first().map(|place| place.line), finding.line.or(places.first().map(|place| place.line)));
        for place in &places {
            let line = lines[usize::try_from(place.line).expect("small") - 1];
            // A missing member of an unchained or skipped line is shown as the whole line.
            let exists = target_exists(line, place.target) || may_be_missing(finding);
            assert!(exists, "{}: {place:?} in {}", finding.code, String::from_utf8_lossy(line));
        }
        *pointed_at.entry(finding.code.to_string()).or_default() += places.len();
    }
}

/// Returns `true` for a finding that compares the demanded registry with one that may be missing.
fn may_be_missing(finding: &Finding) -> bool {
    finding.code.as_str() == "registry-not-demanded"
}

/// Labels in all real, damaged and recorded logs.
#[test]
fn labels_point_at_values_in_every_fixture() {
    let mut pointed_at = BTreeMap::new();
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");
    for collection in ["real", "damaged", "recorded"] {
        for case in fs::read_dir(format!("{top}/{collection}")).expect("the fixtures") {
            let case = case.expect("a case").path();
            let Ok(log) = fs::read(case.join("events.jsonl")) else {
                continue;
            };
            let path = case.join("rehearsal.json").display().to_string();
            let sidecar = match fs::read(case.join("rehearsal.json")) {
                Ok(bytes) => SidecarInput::Found { path, bytes },
                Err(_) => SidecarInput::Absent { path },
            };
            for registry in [None, Some("another")] {
                let mut demand = AuditOptions::default();
                demand.registry = registry.map(|name| name.parse().expect("a name"));
                check(&log, &audit(&log, sidecar.clone(), &demand).expect("no line is demanded"), &mut pointed_at);
            }
        }
    }
    let kinds = pointed_at.values().filter(|places| **places > 0).count();
    assert!(kinds >= 15, "{pointed_at:?}");
}

/// A finding has one label for each line, with the one on its own line first.
#[test]
fn labels_are_one_a_line() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r").fail("p", "r").plan("p", 1).published("a");
    let audited = log.audit(&AuditOptions::default());
    let outdated = audited.findings.iter().find(|finding| finding.code.as_str() == "decision-outdated");
    let lines: Vec<u64> = outdated.expect("a finding").labels().iter().map(|label| label.line).collect();
    assert_eq!(lines, [8, 4, 7, 9], "the run, the permission, the rehearsal that failed, and the act");
}

/// Findings are equal if everything that a report states of them is equal.
#[test]
fn findings_differ_in_every_stated_value() {
    let mut log = LogBuilder::foreign();
    log.publish("p");
    let finding = log.audit(&AuditOptions::default()).findings.remove(0);
    let changes: [fn(&mut Finding); 5] = [
        |finding| finding.code = FindingCode::BlankLine,
        |finding| finding.level = Level::Note,
        |finding| finding.line = None,
        |finding| finding.message = "another".into(),
        |finding| finding.help = "another".into(),
    ];
    assert_eq!(finding.clone(), finding);
    for change in changes {
        let mut other = finding.clone();
        change(&mut other);
        assert_ne!(other, finding);
    }
}

/// The codes about the sidecar are those whose names say so.
#[test]
fn codes_of_the_sidecar_are_known() {
    for code in FindingCode::ALL {
        assert_eq!(code.is_about_sidecar(), code.as_str().starts_with("sidecar-"), "{code}");
    }
}

proptest! {
    #![proptest_config(proptest_config(400))]

    /// Labels in random histories of gate events, unchained and chained, also after a change of one byte.
    #[test]
    fn labels_point_at_values_in_random_histories(
        log in log_with_changed_byte(0..40),
    ) {
        let audited = audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
        check(&log, &audited, &mut BTreeMap::new());
    }
}
