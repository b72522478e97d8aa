//! A log and a demand: the audit never panics, says the same however the bytes are cut, and a report survives JSON. The
//! first byte chooses the demand.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shipper_core::audit::{Auditor, Begin, AuditOptions, LogReport, Report, SidecarInput, audit};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, log)) = bytes.split_first() else { return };
    let given = |bit: u8| choice >> bit & 1 == 1;
    let demand = AuditOptions {
        registry: given(0).then(|| "rehearsal".parse().expect("a name")),
        plan_id: given(1).then(|| "p".parse().expect("a name")),
        at: given(2).then(|| "2026-11-23T08:12:27Z".parse().expect("a time")),
        strict: given(3),
        ..AuditOptions::default()
    };
    let sidecar = || match given(4) {
        true => SidecarInput::Found { path: "rehearsal.json".to_owned(), bytes: log.to_vec() },
        false => SidecarInput::NotRequested,
    };
    let whole = audit(log, sidecar(), &demand).expect("no line is demanded");
    let pieces = || log.chunks(usize::from(*choice).max(1));
    let mut auditor = match Auditor::begin(demand.clone(), sidecar()) {
        Begin::Audit(auditor) => auditor,
        Begin::Locate(locator) => locator.locate(log).expect("memory can be read"),
    };
    pieces().for_each(|piece| auditor.feed(piece));
    assert_eq!(auditor.finish().expect("no line is demanded"), whole);
    let report = Report::new(demand, vec![LogReport::judged("log", whole)]);
    let json = serde_json::to_string(&report).expect("JSON");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("a report"), report);
});
