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
