//! The files that an audit compares with a log: `state.json`, `receipt.json`, `rehearsal.json` and pages of a registry's
//! index. A strict reader accepts a file if a general reader finds every member in it, and finds the same values. The
//! audit is the same in pieces, for an index in any order, and for a page that is given twice. Its report is read again.
//!
//! The first byte is the size of the pieces. Zero bytes separate the log and the files. In the log, a letter at the start
//! of a line stands for an event: see `event`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::Version;
use serde_json::{Value, json};
use shipper_core::audit::{
    AuditOptions, Auditor, ComparedFiles, LogAudit, LogReport, PacketInput, ReportLine, SidecarInput, audit_reader,
};
use shipper_core::packet::{PacketFile, PacketKind};
use shipper_core::registry_index::RegistryIndex;
use shipper_events::json::Object;

use crate::samples::found;

pub fn check(bytes: &[u8]) {
    let Some((size, rest)) = bytes.split_first() else { return };
    let mut parts = rest.split(|byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let (log, state, receipt, index, sidecar) = (made(next()), next(), next(), next(), next());
    check_packet_file(PacketKind::State, state);
    check_packet_file(PacketKind::Receipt, receipt);
    let given = |bytes: &[u8]| if bytes.is_empty() { SidecarInput::default() } else { found(bytes) };
    let mut files = ComparedFiles::from(given(sidecar));
    files.packet = PacketInput { state: given(state), receipt: given(receipt) };
    let Some(index) = check_index(index) else { return };
    let [index, reversed] = [index.clone(), reversed(&index)].map(|index| with_index(files.clone(), index));
    let options = AuditOptions::default();
    let audit = audit_reader(&log[..], index.clone(), &options).expect("no line is demanded");
    assert_eq!(audit_reader(&log[..], reversed, &options).as_ref().ok(), Some(&audit), "another order of the index");
    let mut auditor = Auditor::new(options, index).expect("no time is demanded");
    log.chunks(usize::from(*size) + 1).for_each(|piece| auditor.feed(piece));
    assert_eq!(auditor.finish().as_ref().ok(), Some(&audit), "in pieces");
    check_report(audit);
}

/// The strict reader of reports accepts what an audit writes.
fn check_report(audit: LogAudit) {
    let report = LogReport::audited("log", audit);
    let line = serde_json::to_string(&report).expect("JSON");
    assert_eq!(ReportLine::parse(line.as_bytes()), Ok(ReportLine::Log(report.into())));
}

/// Returns the log, in which letters are replaced by events.
fn made(text: &[u8]) -> Vec<u8> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.flat_map(|line| event(line).unwrap_or_else(|| line.to_vec())).collect()
}

/// Returns the line of the event that a letter stands for; the rest of the line is the package, the plan or the result.
fn event(line: &[u8]) -> Option<Vec<u8>> {
    let (letter, rest) = line.strip_suffix(b"\n")?.split_first()?;
    let rest = String::from_utf8_lossy(rest);
    let cksum = |digit: &str| digit.repeat(64);
    let (event, package) = match letter {
        b'P' => (json!({"type": "plan_created", "plan_id": rest, "package_count": 1}), "all"),
        b'E' => (json!({"type": "execution_finished", "result": rest}), "all"),
        b'u' => (json!({"type": "package_uploaded", "cksum": cksum("a")}), &*rest),
        b'p' => (json!({"type": "package_published", "duration_ms": 7, "cksum": cksum("b")}), &*rest),
        b's' => (json!({"type": "package_skipped", "reason": "already published"}), &*rest),
        b'f' => (json!({"type": "package_failed", "class": "permanent", "message": "no"}), &*rest),
        _ => return None,
    };
    let line = json!({"timestamp": "2026-11-23T08:12:26Z", "event_type": event, "package": package});
    Some(format!("{line}\n").into_bytes())
}

/// Plan, states by package, and result of a file of the packet.
type Packet = (String, BTreeMap<String, BTreeSet<String>>, Option<String>);

/// Compares the strict reader of the packet with a general one.
fn check_packet_file(kind: PacketKind, bytes: &[u8]) {
    let found = PacketFile::parse(kind, bytes).ok().map(|file| {
        let words = |states: BTreeSet<shipper_core::packet::PackageState>| {
            states.iter().map(|state| state.as_str().to_owned()).collect()
        };
        let packages = file.packages.into_iter().map(|(name, states)| (name, words(states))).collect();
        (file.plan_id.as_str().to_owned(), packages, file.execution_result)
    });
    match (Object::parse(bytes), serde_json::from_slice::<Value>(bytes)) {
        (Err(_), _) => assert_eq!(found, None, "it is not a JSON object"),
        (Ok(_), Ok(value)) => assert_eq!(found, expected_packet(kind, &value)),
        // The general reader has limits for numbers and for nesting.
        (Ok(_), Err(_)) => {}
    }
}

fn expected_packet(kind: PacketKind, value: &Value) -> Option<Packet> {
    let (version, schema) = match kind {
        PacketKind::State => ("state_version", "shipper.state.v1"),
        PacketKind::Receipt => ("receipt_version", "shipper.receipt.v2"),
    };
    let plan = value[version].as_str().filter(|found| *found == schema).and(value["plan_id"].as_str())?;
    let state = |package: &Value| package["state"]["state"].as_str().map(str::to_owned);
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut result = None;
    match kind {
        PacketKind::State => {
            for (name, package) in value["packages"].as_object()? {
                packages.insert(name.clone(), BTreeSet::from([state(package)?]));
            }
        }
        PacketKind::Receipt => {
            for package in value["packages"].as_array()? {
                let name = format!("{}@{}", package["name"].as_str()?, package["version"].as_str()?);
                packages.entry(name).or_default().insert(state(package)?);
            }
            result = match &value["execution_result"] {
                Value::Null => None,
                result => Some(result.as_str()?.to_owned()),
            };
        }
    }
    Some((plan.to_owned(), packages, result)).filter(|(plan, ..)| !plan.is_empty())
}

/// Compares the strict reader of the index with a general one. Returns the lines of an index that is accepted.
fn check_index(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let accepted = RegistryIndex::default().add_file("index", bytes).is_ok();
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let mut expected = true;
    for line in &lines {
        match (Object::parse(line), serde_json::from_slice::<Value>(line)) {
            (Err(_), _) => expected = false,
            (Ok(_), Ok(value)) => expected &= is_entry(&value),
            (Ok(_), Err(_)) => return accepted.then_some(lines),
        }
    }
    assert_eq!(accepted, expected, "the index");
    accepted.then_some(lines)
}

fn is_entry(value: &Value) -> bool {
    let text = |member: &str| value[member].as_str();
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    text("name").is_some_and(|name| !name.is_empty())
        && text("vers").is_some_and(|version| Version::parse(version).is_ok())
        && text("cksum").is_some_and(is_digest)
        && value.get("yanked").is_none_or(Value::is_boolean)
}

/// Returns the lines in the reverse order, the first of them twice.
fn reversed<'l>(lines: &[&'l [u8]]) -> Vec<&'l [u8]> {
    lines.iter().rev().chain(lines.last()).copied().collect()
}

fn with_index(mut files: ComparedFiles, lines: Vec<&[u8]>) -> ComparedFiles {
    let mut index = RegistryIndex::default();
    for line in lines {
        index.add_file("index", line).expect("an accepted line");
    }
    files.index = Some(Arc::new(index));
    files
}
