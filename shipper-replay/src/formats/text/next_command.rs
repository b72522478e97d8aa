//! The command to run next about a finding.

use shipper_core::audit::{AuditOptions, Finding, FindingCode, HeadDigest, LogAudit, TrustedHead};
use shipper_events::is_display_safe;

/// Returns the command that shows more about a finding, or settles what is open.
pub(crate) fn next_command(finding: &Finding, path: &str, audit: &LogAudit, demand: &AuditOptions) -> String {
    let log = shell_word(path, "LOG");
    let before = finding.line.map_or(0, |line| line.saturating_sub(1));
    let head = demand.extends.or(demand.since);
    let head_bytes = head.map_or(audit.bytes, |head| head.bytes);
    let is_sha256 = head.is_some_and(|head| matches!(head.digest, HeadDigest::Sha256(_)));
    let sum = if is_sha256 { "sha256sum" } else { "b3sum" };
    match finding.code {
        FindingCode::CorruptLine if before == 0 => format!("sed -n 1p {log} | cat -v | head -c 200"),
        FindingCode::CorruptLine => format!("shipper-replay --at {before} {log}"),
        FindingCode::ChainBroken | FindingCode::ForeignLines if before > 0 => format!("sed -n {before}p {log} | b3sum"),
        FindingCode::BasisMismatch | FindingCode::HeadMismatch if before > 0 => {
            format!("head -n {before} {log} | b3sum")
        }
        FindingCode::BlankLine | FindingCode::CrlfLineEndings | FindingCode::TailRepaired if before > 0 => {
            format!("sed -n {before},{}p {log} | cat -vet", before.saturating_add(2))
        }
        FindingCode::HeadMismatch if finding.line.is_none() && head_bytes <= audit.bytes => {
            format!("head -c {head_bytes} {log} | {sum}")
        }
        FindingCode::TornTail => format!("tail -c +{} {log} | cat -v", audit.bytes.saturating_add(1)),
        FindingCode::UnknownRules
        | FindingCode::UnknownGateEvent
        | FindingCode::UnknownEvent
        | FindingCode::SidecarUnsupported
        | FindingCode::StateUnsupported
        | FindingCode::ReceiptUnsupported => "shipper-replay --version".to_owned(),
        FindingCode::SelfDeclaredRegistry => format!("shipper-replay --registry NAME {log}"),
        FindingCode::NoHeadGiven => format!("shipper-replay --extends LINES:BYTES:BLAKE3 {log}"),
        code if audit.timeline.is_some()
            || code.packet_file().is_some()
            || matches!(
                code,
                FindingCode::HeadMismatch | FindingCode::LogTruncated | FindingCode::SidecarUnreadable
            ) =>
        {
            format!("shipper-replay --explain {code}")
        }
        _ => format!("shipper-replay --timeline{} {log}", option_args(demand)),
    }
}

/// Returns the options of the audit as arguments, each after a space.
fn option_args(demand: &AuditOptions) -> String {
    let heads = [
        ("--extends", demand.extends),
        ("--since", demand.since),
        ("--acknowledge-earlier", demand.acknowledge_earlier.map(TrustedHead::from)),
    ];
    let heads = heads.into_iter().filter_map(|(option, head)| Some(format!(" {option} {}", head?)));
    let strict = demand.strict.then(|| " --strict".to_owned());
    let registry = demand.registry.as_ref().map(|name| format!(" --registry {}", shell_word(name.as_str(), "NAME")));
    let plan_id = demand.plan_id.as_ref().map(|name| format!(" --plan-id {}", shell_word(name.as_str(), "ID")));
    let at = demand.at.as_ref().map(|at| format!(" --at {}", shell_word(&at.to_string(), "TIMESTAMP")));
    let accept = demand.accept_list().map(|causes| format!(" --accept {causes}"));
    [registry, plan_id, at, strict, accept].into_iter().flatten().chain(heads).collect()
}

/// Quotes a text for a shell. Returns `placeholder` if it is not safe to display, or would be parsed as an option.
fn shell_word(text: &str, placeholder: &str) -> String {
    match shlex::try_quote(text) {
        Ok(word) if !text.starts_with('-') && text.chars().all(is_display_safe) => word.into_owned(),
        _ => placeholder.to_owned(),
    }
}
