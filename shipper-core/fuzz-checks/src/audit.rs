//! A log and audit options: the audit never panics, gives the same result for any cuts of the bytes, and its report
//! survives JSON. The first byte selects the options.

use shipper_core::audit::{
    AsOf, AuditOptions, Auditor, ComparedFiles, LogReport, PacketInput, Report, SidecarInput, audit_reader,
    resolve_as_of,
};

pub fn check(bytes: &[u8]) {
    let Some((choice, log)) = bytes.split_first() else { return };
    let given = |bit: u8| choice >> bit & 1 == 1;
    let mut options = AuditOptions::default().with_strict(given(3));
    options.registry = given(0).then(|| "rehearsal".parse().expect("a name"));
    options.plan_id = given(1).then(|| "p".parse().expect("a name"));
    let mut resolved = options.clone();
    if given(2) {
        let until = "2026-11-23T08:12:27Z".parse().expect("a time");
        resolved.at = Some(AsOf::Line(resolve_as_of(log, &until).expect("bytes in memory")));
        options.at = Some(AsOf::Timestamp(until));
    }
    let file = || match given(4) {
        true => SidecarInput::Found { path: "rehearsal.json".to_owned(), bytes: log.to_vec() },
        false => SidecarInput::NotRequested,
    };
    let files =
        || ComparedFiles { sidecar: file(), packet: PacketInput { state: file(), receipt: file() }, index: None };
    let at_once = audit_reader(log, files(), &resolved).expect("the line is there");
    let pieces = || log.chunks(usize::from(*choice).max(1));
    let mut auditor = Auditor::new(resolved, files()).expect("the time is resolved");
    pieces().for_each(|piece| auditor.feed(piece));
    assert_eq!(auditor.finish().expect("no line is demanded"), at_once);
    let report = Report::new(options, vec![LogReport::audited("log", at_once)]);
    let json = serde_json::to_string(&report).expect("JSON");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("a report"), report);
}
