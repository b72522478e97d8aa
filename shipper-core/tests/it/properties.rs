//! Laws of the fold, the gate, the sidecar and the audit for every history and every input. Embedding tools and
//! auditors rely on them.

use proptest::prelude::*;
use shipper_core::audit::{
    AsOf, AuditError, AuditOptions, Auditor, Conclusion, LogAudit, LogReport, Report, SidecarInput, SidecarStatus,
    audit_path, resolve_as_of,
};
use shipper_core::{GateProjection, GateState, Sidecar, Verdict, evaluate, strategies};
use shipper_events::{EventReader, Head, HeadHasher, LogEntry};
use shipper_testkit::lines::split_lines;
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::proptest_config;

/// Returns the head of the first `lines` lines.
fn head(log: &[u8], lines: u64) -> Head {
    let mut prefix = HeadHasher::new();
    for line in split_lines(log).0.take(usize::try_from(lines).expect("small")) {
        prefix.push_line(line);
    }
    prefix.head()
}

fn beside(text: impl Into<Vec<u8>>) -> SidecarInput {
    SidecarInput::Found { path: "rehearsal.json".to_owned(), bytes: text.into() }
}

/// Audits a log that arrives in pieces of these sizes.
fn audit_in_pieces(log: &[u8], demand: &AuditOptions, sizes: &[usize]) -> LogAudit {
    let feed = |take: &mut dyn FnMut(&[u8])| {
        let (mut rest, mut turn) = (log, 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes[turn % sizes.len()].min(rest.len()));
            take(piece);
            (rest, turn) = (after, turn + 1);
        }
    };
    let mut demand = demand.clone();
    if let Some(AsOf::Timestamp(until)) = &demand.at {
        demand.at = Some(AsOf::Line(resolve_as_of(log, until).expect("bytes in memory")));
    }
    let mut auditor = Auditor::new(demand, SidecarInput::NotRequested).expect("the time is resolved");
    feed(&mut |piece| auditor.feed(piece));
    auditor.finish().expect("no line was demanded")
}

/// A name of the list, or none.
fn one_of<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>(
    texts: &'static [&'static str],
) -> impl Strategy<Value = Option<T>> {
    prop::option::of(prop::sample::select(texts).prop_map(|text| text.parse().expect("a name")))
}

/// Audit options of every kind, some of which match a generated log.
fn demand() -> impl Strategy<Value = AuditOptions> {
    let at = prop::option::weighted(
        0.2,
        (0..60_i64).prop_map(|seconds| format!("2026-11-19T00:00:{seconds:02}Z").parse().expect("a time")),
    );
    (one_of(strategies::REGISTRIES), one_of(strategies::PLANS), at, any::<bool>()).prop_map(
        |(registry, plan_id, at, strict)| {
            let mut options = AuditOptions::default().with_strict(strict);
            (options.registry, options.plan_id, options.at) = (registry, plan_id, at);
            options
        },
    )
}

/// A log with some changed bytes.
fn damaged_log() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4), 0..3);
    (strategies::entries(0..12), changes).prop_map(|(entries, changes)| {
        let mut log = strategies::to_log(&entries);
        for (at, byte, how) in changes {
            if log.is_empty() {
                break;
            }
            let at = at.index(log.len());
            match how {
                0 => log[at] = byte,
                1 => drop(log.remove(at)),
                2 => log.insert(at, byte),
                _ => log.truncate(at),
            }
        }
        log
    })
}

proptest! {
    #![proptest_config(proptest_config(300))]

    /// A sidecar that is made from the fold matches its log, with and without its head. After further events it still
    /// matches or is behind.
    #[test]
    fn rendered_sidecar_matches_its_log(entries in strategies::entries(0..30), more in strategies::entries(0..6)) {
        let log = strategies::to_log(&entries);
        let gate = GateProjection::read(&log[..]).expect("a valid log");
        if let Some((receipt, _)) = gate.latest_completion() {
            let text = Sidecar::render(receipt, head(&log, receipt.line));
            let audited = audit(&log, beside(text.clone()), &AuditOptions::default()).expect("no line is demanded");
            prop_assert_eq!(audited.sidecar.status, SidecarStatus::Match, "{:?}", audited.sidecar.differences);
            let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            value.as_object_mut().expect("an object").remove("log");
            let audited = audit(&log, beside(value.to_string()), &AuditOptions::default()).expect("no line is demanded");
            prop_assert_eq!(audited.sidecar.status, SidecarStatus::Match);
            let longer = [log, strategies::to_log(&more)].concat();
            let audited = audit(&longer, beside(text), &AuditOptions::default()).expect("no line is demanded");
            let still = [SidecarStatus::Match, SidecarStatus::Behind].contains(&audited.sidecar.status);
            prop_assert!(still, "{:?}", audited.sidecar);
        }
    }

    /// A sidecar with any one changed member does not match.
    #[test]
    fn changed_sidecar_does_not_match(entries in strategies::entries(1..30), member in 0_usize..9) {
        let log = strategies::to_log(&entries);
        let gate = GateProjection::read(&log[..]).expect("a valid log");
        if let Some((receipt, _)) = gate.latest_completion() {
            let mut value: serde_json::Value = serde_json::from_str(&Sidecar::render(receipt, head(&log, receipt.line))).expect("JSON");
            let members = ["plan_id", "registry", "passed", "packages_attempted", "packages_published", "summary", "started_at", "completed_at", "log"];
            let changed = match member {
                2 => serde_json::json!(!receipt.passed),
                3 | 4 => serde_json::json!(99),
                6 | 7 => serde_json::json!("2031-01-01T00:00:00Z"),
                8 => serde_json::json!({"lines": 1, "bytes": 1, "blake3": "no"}),
                _ => serde_json::json!("something else"),
            };
            value[members[member]] = changed;
            let audited = audit(&log, beside(value.to_string()), &AuditOptions::default()).expect("no line is demanded");
            let not_compared = receipt.start.is_none() && [3, 4, 6].contains(&member);
            let expected = if not_compared { SidecarStatus::Match } else { SidecarStatus::Drift };
            prop_assert_eq!(audited.sidecar.status, expected);
            if !not_compared {
                let fields: Vec<String> = audited.sidecar.differences.into_iter().map(|difference| difference.field).collect();
                prop_assert_eq!(fields, [members[member]]);
            }
        }
    }

    /// A history that is folded in two parts gives the same state as in one.
    #[test]
    fn fold_can_be_split_anywhere(entries in strategies::entries(0..40), at in any::<prop::sample::Index>()) {
        let direct: GateState = entries.iter().collect();
        let (first, rest) = entries.split_at(at.index(entries.len() + 1));
        let mut state: GateState = first.iter().collect();
        state.extend(rest);
        prop_assert_eq!(state, direct);
    }

    /// The events in memory and the bytes of their log give the same fold.
    #[test]
    fn fold_of_the_bytes_equals_fold_of_the_events(entries in strategies::entries(0..20)) {
        let entries = strategies::chained(entries);
        let log = strategies::to_log(&entries);
        let read: Vec<LogEntry> = EventReader::new(&log[..]).collect::<Result<_, _>>().expect("a valid log");
        prop_assert_eq!(read, entries);
    }

    /// Each authorization has a sound, passed receipt of the queried plan and registry, and each refusal has a reason.
    #[test]
    fn authorization_requires_a_valid_receipt(entries in strategies::entries(0..40), query in strategies::query()) {
        let state: GateState = entries.iter().collect();
        match evaluate(&state, &query) {
            Verdict::Authorized { receipt } => {
                prop_assert!(receipt.is_valid_evidence());
                prop_assert_eq!(&receipt.plan_id, &query.plan_id);
                prop_assert_eq!(Some(&receipt.registry), query.rehearsal_registry.as_ref());
                prop_assert_eq!(state.receipt(), Some(&receipt));
                prop_assert!(receipt.start.as_ref().is_some_and(|start| start.package_count == receipt.packages_published()));
                prop_assert!(state.unknown_gate_events().is_empty() && !query.skip);
            }
            Verdict::Refused { reasons } => prop_assert!(!reasons.is_empty()),
            Verdict::Bypassed => prop_assert!(query.skip && query.rehearsal_registry.is_some()),
            Verdict::Dormant => prop_assert_eq!(query.rehearsal_registry, None),
            _ => prop_assert!(false, "an unknown verdict"),
        }
    }

    /// A skip changes the verdict of one query only, and creates no receipt.
    #[test]
    fn evaluation_does_not_change_the_state(entries in strategies::entries(0..20), query in strategies::query()) {
        let state: GateState = entries.iter().collect();
        let before = state.clone();
        let first = evaluate(&state, &query.clone().with_skip(true));
        prop_assert!(first.may_publish());
        prop_assert_eq!(evaluate(&state, &query), evaluate(&before, &query));
        prop_assert_eq!(state, before);
    }

    /// The same bytes and options give the same report, for any cuts of the bytes, and the report survives JSON.
    #[test]
    fn audit_is_independent_of_chunking(log in damaged_log(), demand in demand(), sizes in prop::collection::vec(1_usize..200, 1..6)) {
        let direct = audit(&log, SidecarInput::NotRequested, &demand).expect("no line is demanded");
        let pieces = audit_in_pieces(&log, &demand, &sizes);
        prop_assert_eq!(&pieces, &direct);
        let report = Report::new(demand, vec![LogReport::audited("log", direct), LogReport::unreadable("gone", "it is gone")]);
        let json = serde_json::to_string(&report).expect("JSON");
        let read: Report = serde_json::from_str(&json).expect("a report");
        prop_assert_eq!(serde_json::to_string(&read).expect("JSON"), json);
        prop_assert_eq!(read, report);
    }

    /// For any bytes and any sidecar, an audit ends without a panic, and verifies nothing that no decision in the log
    /// supports.
    #[test]
    fn arbitrary_bytes_are_never_verified(log in prop::collection::vec(any::<u8>(), 0..300), sidecar in prop::collection::vec(any::<u8>(), 0..60), demand in demand()) {
        let audited = audit(&log, beside(sidecar), &demand).expect("no line is demanded");
        prop_assert_ne!(LogReport::audited("log", audited).conclusion, Conclusion::Verified);
    }

    /// A damaged log is verified only if it is intact to its last line, and its decisions have receipts in it.
    #[test]
    fn verified_log_is_sound_to_its_last_line(log in damaged_log()) {
        let audited = audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
        let entries: Vec<LogEntry> = EventReader::new(&log[..]).map_while(Result::ok).collect();
        if LogReport::audited("log", audited.clone()).conclusion == Conclusion::Verified {
            prop_assert!(!audited.decisions.is_empty());
            for decision in &audited.decisions {
                let line = decision.receipt_line.expect("a verified decision rests on a receipt");
                let before: GateState = entries.iter().filter(|entry| entry.line <= line).collect();
                prop_assert!(before.receipt().is_some_and(|receipt| receipt.is_valid_evidence() && receipt.plan_id == decision.plan_id));
            }
        }
    }

    /// An audit up to a line equals an audit of a log with only these lines.
    #[test]
    fn audit_of_a_prefix_equals_audit_of_the_shorter_log(entries in strategies::entries(0..20), at in any::<prop::sample::Index>(), demand in demand()) {
        let log = strategies::to_log(&entries);
        let lines: Vec<&[u8]> = split_lines(&log).0.collect();
        let line = at.index(lines.len() + 1);
        let mut demand = demand;
        demand.at = None;
        let prefix = audit(&lines[..line].concat(), SidecarInput::NotRequested, &demand).expect("no line is demanded");
        let demand = demand.with_at(AsOf::Line(line as u64));
        prop_assert_eq!(audit(&log, SidecarInput::NotRequested, &demand).expect("the line is there"), prefix);
    }
}

/// An audit of a path up to a time equals an audit of the lines up to that time.
#[test]
fn path_is_audited_up_to_a_time() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/recorded/refused-and-published/events.jsonl");
    let until = |at: &str| AuditOptions::default().with_at(at.parse().expect("a line or a time"));
    let audited = |options: &AuditOptions| audit_path(path, SidecarInput::NotRequested, options).expect("a log");
    assert_eq!(audited(&until("2026-11-23T09:00:05Z")), audited(&until("5")));
    assert_eq!(audited(&until("5")).conclusion(), Conclusion::Verified, "the refusal of the gate is confirmed");
    assert_eq!(audited(&AuditOptions::default()).conclusion(), Conclusion::Violated);
    let missing = audit_path("no/such/file", SidecarInput::NotRequested, &AuditOptions::default());
    assert!(matches!(missing, Err(AuditError::Read { .. })), "{missing:?}");
}

/// The help about a first line that is corrupt does not depend on the bytes after it, which may not have arrived yet.
#[test]
fn help_is_independent_of_chunking() {
    for log in [
        "{\"timestamp\":1}\n{\"schema_version\":1}\n",
        "\n {\"timestamp\":1}\n\n\"schema_version\"\n",
        "\u{feff}\n<html>\n",
        "\u{c}\n<!doctype html>\n",
        "\n\n <!doctype html>\n<html>\n",
        "{\n  \"schema_version\": 1\n}\n",
    ] {
        let demand = AuditOptions::default();
        let direct = audit(log.as_bytes(), SidecarInput::NotRequested, &demand).expect("no line is demanded");
        assert!(direct.findings.iter().any(|finding| finding.code.as_str() == "corrupt-line"), "{log:?}");
        assert_eq!(audit_in_pieces(log.as_bytes(), &demand, &[1]), direct, "{log:?}");
    }
}
