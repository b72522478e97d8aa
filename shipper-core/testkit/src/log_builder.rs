//! Logs that tests make line by line, foreign or chained, and short summaries of their audits.

use std::fmt::Write;

use proptest::prelude::*;
use shipper_core::audit::{
    AsOf, AuditError, AuditOptions, Level, LogAudit, LogReport, SidecarInput, audit_reader, resolve_as_of,
};
use shipper_core::strategies;
use shipper_events::{Head, HeadHasher};

/// Logs of gate events, foreign or chained; one byte of some is changed.
pub fn log_with_changed_byte(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let damage = proptest::option::of((any::<proptest::sample::Index>(), any::<u8>()));
    (strategies::entries(length), any::<bool>(), damage).prop_map(|(entries, chained, damage)| {
        let entries = if chained { strategies::chained(entries) } else { entries };
        let mut log = strategies::to_log(&entries);
        if let Some((at, byte)) = damage.filter(|_| !log.is_empty()) {
            let at = at.index(log.len());
            log[at] = byte;
        }
        log
    })
}

/// A log under construction; its events are a second apart.
#[derive(Clone, Default)]
pub struct LogBuilder {
    bytes: Vec<u8>,
    prefix: HeadHasher,
    previous: Vec<u8>,
    chains: bool,
}

impl LogBuilder {
    /// A log whose lines are all foreign, unless a line is chained explicitly.
    pub fn foreign() -> Self {
        Self::default()
    }

    /// A log whose lines are chained, unless a line is foreign explicitly.
    pub fn chained() -> Self {
        Self { chains: true, ..Self::default() }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn lines(&self) -> u64 {
        self.prefix.lines()
    }

    pub fn head(&self) -> Head {
        self.prefix.head()
    }

    /// Adds bytes as they are; they should end with LF.
    pub fn raw(&mut self, line: &str) -> &mut Self {
        self.bytes.extend_from_slice(line.as_bytes());
        self.prefix.push_line(line.as_bytes());
        self.previous = line.as_bytes().to_vec();
        self
    }

    fn body(&self, event_type: &str, package: &str) -> String {
        let (minute, second) = (self.lines() / 60, self.lines() % 60);
        format!(
            r#""timestamp":"2026-11-23T08:{minute:02}:{second:02}Z","event_type":{event_type},"package":"{package}"}}"#
        )
    }

    pub fn foreign_line(&mut self, event_type: &str, package: &str) -> &mut Self {
        let line = format!("{{{}\n", self.body(event_type, package));
        self.raw(&line)
    }

    pub fn chained_line(&mut self, event_type: &str, package: &str) -> &mut Self {
        let (seq, prev) = (self.lines(), blake3::hash(&self.previous));
        let line = format!("{{\"seq\":{seq},\"prev\":\"{prev}\",{}\n", self.body(event_type, package));
        self.raw(&line)
    }

    pub fn event_on(&mut self, event_type: &str, package: &str) -> &mut Self {
        if self.chains { self.chained_line(event_type, package) } else { self.foreign_line(event_type, package) }
    }

    pub fn event(&mut self, event_type: &str) -> &mut Self {
        self.event_on(event_type, "all")
    }

    pub fn start(&mut self, plan: &str, registry: &str, count: u64) -> &mut Self {
        self.event(&format!(
            r#"{{"type":"rehearsal_started","registry":"{registry}","plan_id":"{plan}","package_count":{count}}}"#
        ))
    }

    pub fn rehearsed(&mut self, name: &str) -> &mut Self {
        let event_type =
            format!(r#"{{"type":"rehearsal_package_published","name":"{name}","version":"1.0.0","duration_ms":7}}"#);
        self.event_on(&event_type, &format!("{name}@1.0.0"))
    }

    pub fn rehearsal_failure(&mut self) -> &mut Self {
        self.event(
            r#"{"type":"rehearsal_package_failed","name":"a","version":"1.0.0","class":"permanent","message":"no"}"#,
        )
    }

    pub fn complete(&mut self, plan: &str, registry: &str, passed: bool) -> &mut Self {
        self.event(&format!(
            r#"{{"type":"rehearsal_complete","passed":{passed},"registry":"{registry}","plan_id":"{plan}","summary":"done"}}"#
        ))
    }

    /// A rehearsal of the package `a@1.0.0` that passes: three lines.
    pub fn pass(&mut self, plan: &str, registry: &str) -> &mut Self {
        self.start(plan, registry, 1).rehearsed("a").complete(plan, registry, true)
    }

    /// A rehearsal of the package `a@1.0.0` that fails: three lines.
    pub fn fail(&mut self, plan: &str, registry: &str) -> &mut Self {
        self.start(plan, registry, 1).rehearsal_failure().complete(plan, registry, false)
    }

    /// A recorded decision whose basis is the head of the lines before it.
    pub fn gate(
        &mut self,
        plan: &str,
        registry: Option<&str>,
        skip: bool,
        verdict: &str,
        reasons: &[&str],
    ) -> &mut Self {
        let head = self.head();
        self.gate_on(plan, registry, skip, verdict, reasons, &head)
    }

    pub fn gate_on(
        &mut self,
        plan: &str,
        registry: Option<&str>,
        skip: bool,
        verdict: &str,
        reasons: &[&str],
        basis: &Head,
    ) -> &mut Self {
        let json = |value: serde_json::Result<String>| value.expect("JSON");
        let event_type = format!(
            r#"{{"type":"gate_evaluated","rules":1,"plan_id":"{plan}","rehearsal_registry":{},"skip":{skip},"verdict":"{verdict}","reasons":{},"basis":{}}}"#,
            json(serde_json::to_string(&registry)),
            json(serde_json::to_string(reasons)),
            json(serde_json::to_string(basis)),
        );
        self.event(&event_type)
    }

    /// The gate authorizes the plan under the registry.
    pub fn authorized(&mut self, plan: &str, registry: &str) -> &mut Self {
        self.gate(plan, Some(registry), false, "authorized", &[])
    }

    /// A run begins.
    pub fn plan(&mut self, plan: &str, count: u64) -> &mut Self {
        self.event(&format!(r#"{{"type":"plan_created","plan_id":"{plan}","package_count":{count}}}"#))
    }

    /// A run begins that acts on the decision of that line.
    pub fn plan_on(&mut self, plan: &str, count: u64, gate: u64) -> &mut Self {
        self.event(&format!(r#"{{"type":"plan_created","plan_id":"{plan}","package_count":{count},"gate":{gate}}}"#))
    }

    pub fn published(&mut self, name: &str) -> &mut Self {
        self.event_on(r#"{"type":"package_published","duration_ms":7}"#, &format!("{name}@1.0.0"))
    }

    pub fn finished(&mut self, result: &str) -> &mut Self {
        self.event(&format!(r#"{{"type":"execution_finished","result":"{result}"}}"#))
    }

    /// A run that publishes `a@1.0.0` with success: three lines.
    pub fn publish(&mut self, plan: &str) -> &mut Self {
        self.plan(plan, 1).published("a").finished("success")
    }

    /// The chained line that adopts the lines before it.
    pub fn adopted(&mut self) -> &mut Self {
        let head = self.head();
        self.adopted_as(&head)
    }

    pub fn adopted_as(&mut self, head: &Head) -> &mut Self {
        let event_type = format!(
            r#"{{"type":"log_adopted","lines":{},"bytes":{},"blake3":"{}"}}"#,
            head.lines, head.bytes, head.blake3
        );
        self.chained_line(&event_type, "all")
    }

    pub fn audit(&self, demand: &AuditOptions) -> LogAudit {
        audit(&self.bytes, SidecarInput::NotRequested, demand).expect("the line is there")
    }

    /// The summary of an audit: conclusion and integrity, then decisions, then findings (notes left out).
    pub fn summary(&self, demand: &AuditOptions) -> String {
        summarize(self.audit(demand))
    }
}

/// Audits a log in memory; a time in the options is resolved first.
///
/// # Errors
///
/// Those of [`audit_reader`].
pub fn audit(log: &[u8], sidecar: SidecarInput, options: &AuditOptions) -> Result<LogAudit, AuditError> {
    let mut options = options.clone();
    if let Some(AsOf::Timestamp(until)) = &options.at {
        options.at = Some(AsOf::Line(resolve_as_of(log, until)?));
    }
    audit_reader(log, sidecar, &options)
}

/// Checks the summary of an audit without demands.
#[track_caller]
pub fn assert_summary(log: &LogBuilder, expected: &str) {
    assert_eq!(log.summary(&AuditOptions::default()), expected);
}

/// See [`LogBuilder::summary`].
pub fn summarize(audit: LogAudit) -> String {
    let log = LogReport::audited("log", audit);
    let audit = log.audit.as_ref().expect("it was judged");
    let mut text = format!("{} {:?}", log.conclusion, audit.integrity).to_lowercase();
    for decision in &audit.decisions {
        let because = decision.because.map(|because| format!("({because:?})").to_lowercase()).unwrap_or_default();
        let runs: Vec<String> = decision.runs.iter().map(|run| run.line.to_string()).collect();
        write!(text, "; {}:{}{because}", decision.line, decision.status.as_str()).expect("a string");
        if !runs.is_empty() {
            write!(text, "<-{}", runs.join(",")).expect("a string");
        }
    }
    for finding in audit.findings.iter().filter(|finding| finding.level != Level::Note) {
        let line = finding.line.map_or("-".to_owned(), |line| line.to_string());
        write!(text, "; {line}!{}", finding.code).expect("a string");
    }
    text
}
