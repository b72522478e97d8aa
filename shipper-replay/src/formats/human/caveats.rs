//! Caveats: what an audit cannot or did not check.

use shipper_core::audit::{AuditOptions, FindingCode, Integrity, LogAudit, SidecarStatus};

use super::phrases::{audited_up_to, plural};

/// Returns what was not checked, the widest first.
pub(crate) fn caveats(audit: &LogAudit, demand: &AuditOptions) -> Vec<String> {
    let mut caveats = left_out(audit, demand);
    if audit.lines == 0 {
        return caveats;
    }
    let found = |code: FindingCode| audit.findings.iter().filter(|finding| finding.code == code).count() as u64;
    let mut add = |caveat: &str| caveats.push(caveat.to_owned());
    if found(FindingCode::SelfDeclaredRegistry) > 0 {
        add("which registry was configured: its name is the log's own word (--registry NAME demands one)");
    }
    match audit.integrity {
        Integrity::Unchained => {
            add("edits: no line is chained, so each is trusted as it stands, and a careful change would not show");
        }
        Integrity::PartlyChained => add("edits of lines that are not chained: each is trusted as it stands"),
        Integrity::Broken | Integrity::Chained => {}
    }
    match demand.extends {
        None => add("whether the end was cut off or everything rewritten: no head was given (--extends HEAD)"),
        Some(head) if head.lines < audit.lines => {
            let line = head.lines;
            add(&format!("whether anything after line {line} was cut off or rewritten: the head given ends there"));
        }
        Some(_) => {}
    }
    match found(FindingCode::UnknownEvent) {
        0 => {}
        unknown => {
            let events = plural(unknown, "event");
            add(&format!("{events} of types that this version does not know (-v names them)"));
        }
    }
    if !audit.decisions.is_empty() || audit.gate.is_some() {
        add(
            "content: what a plan_id names is not in the log; that of the shipper tool names packages and versions only",
        );
    }
    add("clocks: the times in events are claims");
    if audit.sidecar.status == SidecarStatus::NotChecked {
        add("the sidecar");
    }
    caveats
}

/// Returns what the options or a corrupt line left out.
fn left_out(audit: &LogAudit, demand: &AuditOptions) -> Vec<String> {
    let corrupt = audit.findings.iter().any(|finding| finding.code == FindingCode::CorruptLine);
    let mut left_out = Vec::new();
    if let Some(line) = audited_up_to(audit, demand) {
        let why = if corrupt { "judging stops at a corrupt line" } else { "--at leaves it out" };
        left_out.push(format!("everything after line {line}: {why}"));
    }
    if demand.plan_id.is_some() {
        left_out.push("other plans: --plan-id leaves them out".to_owned());
    }
    if audit.applies_since(demand) {
        left_out.push("what was dealt with before: --since leaves it out".to_owned());
    }
    left_out
}

#[cfg(test)]
mod tests {
    use shipper_core::audit::{AuditOptions, FindingCode, SidecarInput, audit_reader};

    use super::caveats;

    const HEAD: &str = "0:0:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    const OTHER: &str = "1:1:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    const LOG: &[u8] = b"{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\n";

    /// Whether `--since` is said to leave something out. The messages of findings do not matter.
    fn since_leaves_out(extends: Option<&str>, since: &str) -> bool {
        let mut options = AuditOptions::default().with_since(since.parse().unwrap());
        options.extends = extends.map(|head| head.parse().unwrap());
        let mut audit = audit_reader(LOG, SidecarInput::NotRequested, &options).unwrap();
        for finding in audit.findings.iter_mut().filter(|finding| finding.code == FindingCode::HeadMismatch) {
            finding.message = "other words".into();
        }
        caveats(&audit, &options).iter().any(|caveat| caveat.contains("--since leaves it out"))
    }

    /// (Pass) The caveat is given exactly if the log begins with the head of `--since`.
    #[test]
    fn caveat_of_since_depends_on_the_head() {
        assert!(since_leaves_out(None, HEAD));
        assert!(!since_leaves_out(None, OTHER));
        assert!(!since_leaves_out(Some(HEAD), OTHER));
        assert!(since_leaves_out(Some(OTHER), HEAD));
        assert!(!since_leaves_out(Some(OTHER), OTHER));
    }
}
