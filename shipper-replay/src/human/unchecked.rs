//! What nobody looked at: no report may leave a reader with more certainty than the log gives.

use shipper_core::audit::{AuditOptions, FindingCode, Integrity, LogAudit, SidecarStatus};

use super::words::{count, judged_to};

/// What was not checked, the widest first.
pub(crate) fn unchecked(audit: &LogAudit, demand: &AuditOptions) -> Vec<String> {
    let mut unchecked = left_out(audit, demand);
    if audit.lines == 0 {
        return unchecked;
    }
    let found = |code: FindingCode| audit.findings.iter().filter(|finding| finding.code == code).count() as u64;
    let mut say = |what: &str| unchecked.push(what.to_owned());
    if found(FindingCode::SelfDeclaredRegistry) > 0 {
        say("which registry was configured: its name is the log's own word (--registry NAME demands one)");
    }
    match audit.integrity {
        Integrity::Unchained => {
            say("edits: no line is chained, so each is trusted as it stands, and a careful change would not show");
        }
        Integrity::PartlyChained => say("edits of lines that are not chained: each is trusted as it stands"),
        Integrity::Broken | Integrity::Chained => {}
    }
    match demand.extends {
        None => say("whether the end was cut off or everything rewritten: no head was given (--extends HEAD)"),
        Some(head) if head.lines < audit.lines => {
            let line = head.lines;
            say(&format!("whether anything after line {line} was cut off or rewritten: the head given ends there"));
        }
        Some(_) => {}
    }
    match found(FindingCode::UnknownEvent) {
        0 => {}
        unknown => {
            let events = count(unknown, "event");
            say(&format!("{events} of types that this version does not know (-v names them)"));
        }
    }
    if !audit.decisions.is_empty() || audit.gate.is_some() {
        say(
            "content: what a plan_id names is not in the log; that of the shipper tool names packages and versions only",
        );
    }
    say("clocks: the times in events are claims");
    if audit.sidecar.status == SidecarStatus::NotChecked {
        say("the sidecar");
    }
    unchecked
}

/// What the demand or a corrupt line left out.
fn left_out(audit: &LogAudit, demand: &AuditOptions) -> Vec<String> {
    let corrupt = audit.findings.iter().any(|finding| finding.code == FindingCode::CorruptLine);
    // One that does not fit leaves nothing out. The other head that can be kept has a finding of the same code.
    let of_since = |message: &str| message.contains("--since");
    let since_fits =
        !audit.findings.iter().any(|finding| finding.code == FindingCode::HeadMismatch && of_since(&finding.message));
    let mut left_out = Vec::new();
    if let Some(line) = judged_to(audit, demand) {
        let why = if corrupt { "judging stops at a corrupt line" } else { "--at leaves it out" };
        left_out.push(format!("everything after line {line}: {why}"));
    }
    if demand.plan_id.is_some() {
        left_out.push("other plans: --plan-id leaves them out".to_owned());
    }
    if demand.since.is_some() && since_fits {
        left_out.push("what was dealt with before: --since leaves it out".to_owned());
    }
    left_out
}
