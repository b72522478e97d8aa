//! Logs of the fixtures, with the files beside them.

use std::sync::LazyLock;

use shipper_core::audit::{
    AuditOptions, ComparedFiles, LogReport, NdjsonMerger, PacketInput, Report, SidecarInput, Summary, audit_reader,
};

/// A log, and the files that an audit compares with it.
pub(crate) struct Sample {
    pub(crate) log: &'static [u8],
    pub(crate) files: ComparedFiles,
}

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../../../fixtures/", $path))
    };
}

pub(crate) static SAMPLES: LazyLock<[Sample; 6]> = LazyLock::new(|| {
    let with = |log: &'static [u8], files| Sample { log, files };
    let drift = PacketInput {
        state: found(fixture!("packets/drift/state.json")),
        receipt: found(fixture!("packets/drift/receipt.json")),
    };
    let packet = ComparedFiles { packet: drift, ..ComparedFiles::default() };
    [
        with(fixture!("real/pass-3crate/events.jsonl"), found(fixture!("real/pass-3crate/rehearsal.json")).into()),
        with(fixture!("packets/drift/events.jsonl"), packet),
        with(fixture!("recorded/authorized/events.jsonl"), ComparedFiles::default()),
        with(fixture!("recorded/bypassed/events.jsonl"), ComparedFiles::default()),
        with(fixture!("recorded/refused-and-published/events.jsonl"), ComparedFiles::default()),
        with(fixture!("recorded/newer-rules/events.jsonl"), ComparedFiles::default()),
    ]
});

pub(crate) fn found(bytes: &[u8]) -> SidecarInput {
    SidecarInput::Found { path: "file.json".to_owned(), bytes: bytes.to_vec() }
}

impl Sample {
    /// Returns the report on the log.
    pub(crate) fn report(&self, options: &AuditOptions) -> Report {
        let audit = audit_reader(self.log, self.files.clone(), options).expect("no line is demanded");
        Report::new(options.clone(), vec![LogReport::audited("log", audit)])
    }
}

/// Returns the lines of a report in ndjson.
pub(crate) fn ndjson(report: &Report) -> Vec<String> {
    let logs = report.logs.iter().map(|log| serde_json::to_string(log).expect("JSON"));
    let summary = serde_json::json!({ "summary": Summary::new(report, &[]) });
    logs.chain([summary.to_string()]).collect()
}

/// Reads the lines of a complete report.
pub(crate) fn read_ndjson(lines: &[String]) -> shipper_core::audit::MergedReport {
    let mut merger = NdjsonMerger::default();
    lines.iter().for_each(|line| merger.push_line(line.as_bytes()).expect("a line of a report"));
    merger.finish().expect("a complete report")
}
