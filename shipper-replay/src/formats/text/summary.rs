//! Summary of a log: its length, integrity, rehearsal, sidecar and packet.

use std::collections::BTreeMap;

use shipper_core::audit::{
    AuditOptions, BundleReport, Conclusion, Counts, Decision, IndexReport, Integrity, LogAudit, Report, SidecarReport,
    SidecarStatus, TailStatus,
};
use shipper_core::fold::EvidenceFlaw;
use shipper_events::{PlanId, display_safe};

use super::decisions::sort_rank;
use super::packet::packet_facts;
use super::phrases::{
    audited_up_to, confirmed_heads, diff_text, gate_text, in_parentheses, plural, policy_text, quoted, refusal_text,
};

/// Returns the integrity of the chain.
fn integrity_text(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Broken => "integrity broken",
        Integrity::Unchained => "not chained",
        Integrity::Chained => "every line chained",
        Integrity::PartlyChained => "partly chained",
    }
}

/// Returns the length of the log and its compression, the integrity of its chain, and a torn tail.
pub(crate) fn extent(audit: &LogAudit) -> String {
    let tail = match audit.tail {
        TailStatus::Clean => "",
        TailStatus::Torn => ", torn tail",
    };
    let (lines, bytes) = (plural(audit.lines, "line"), plural(audit.bytes, "byte"));
    let decompressed = audit.compression.map(|compression| format!(" (decompressed from {compression})"));
    format!("{lines}, {bytes}{}, {}{tail}", decompressed.unwrap_or_default(), integrity_text(audit.integrity))
}

/// One fact about a log.
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) text: String,
    /// Reasons and differences, one a line.
    pub(crate) details: Vec<String>,
}

/// Returns the facts about a log. `plan` formats a plan's ID.
pub(crate) fn facts(audit: &LogAudit, demand: &AuditOptions, plan: impl Fn(&PlanId) -> String) -> Vec<Fact> {
    let (lines, bytes, blake3) = (audit.lines, audit.bytes, &audit.blake3);
    let of = audit.compression.map_or("", |_| " (of the decompressed bytes)");
    let up_to = audited_up_to(audit, demand).map(|line| format!(", audited up to line {line}"));
    let rehearsal = audit.receipt.as_ref().map_or("none was completed".to_owned(), |receipt| {
        let (line, outcome) = (receipt.line, outcome(receipt.passed, &receipt.unsound));
        let (plan, registry) = (plan(&receipt.plan_id), quoted(receipt.registry.as_str()));
        let published = plural(receipt.packages_published, "package");
        format!("line {line}: {outcome}, plan {plan} on {registry}, {published} published")
    });
    let gate = audit.gate.as_ref();
    let reasons = gate.iter().flat_map(|gate| &gate.reasons).map(|reason| refusal_text(*reason).to_owned());
    let fact = |label, text| Fact { label, text, details: Vec::new() };
    [
        Some(fact("log", format!("{}{}", extent(audit), up_to.unwrap_or_default()))),
        Some(fact("head", format!("{lines}:{bytes}:{blake3}{of}"))),
        confirmed_heads(audit, demand).map(|heads| fact("confirmed", heads)),
        policy_text(demand).map(|policy| fact("policy", policy)),
        audit.bundle.as_ref().map(|bundle| fact("bundle", bundle_text(bundle))),
        Some(fact("rehearsal", rehearsal)),
        gate.map(|gate| Fact { details: reasons.collect(), ..fact("gate now", gate_text(gate, plan)) }),
        Some(Fact {
            details: audit.sidecar.differences.iter().map(diff_text).collect(),
            ..fact("sidecar", sidecar(&audit.sidecar))
        }),
    ]
    .into_iter()
    .flatten()
    .chain(audit.index.as_ref().map(|index| fact("index", index_text(index))))
    .chain(packet_facts(audit).map(|(label, text, details)| Fact { label, text, details }))
    .collect()
}

/// Returns the outcome of a completed rehearsal.
pub(crate) fn outcome(passed: bool, unsound: &[EvidenceFlaw]) -> String {
    match (passed, unsound) {
        (true, []) => "passed".to_owned(),
        (true, flaws) => unsound_text(flaws),
        (false, _) => "failed".to_owned(),
    }
}

/// Returns the outcome of a rehearsal whose events contradict its success.
pub(crate) fn unsound_text(flaws: &[EvidenceFlaw]) -> String {
    format!("passed, but unsound{}", in_parentheses(flaws.iter().map(|flaw| flaw.as_str())))
}

/// Returns the result of the comparison with the sidecar.
pub(crate) fn sidecar(sidecar: &SidecarReport) -> String {
    let Some(path) = sidecar.path.as_deref().map(display_safe) else {
        return "not checked".to_owned();
    };
    match sidecar.status {
        SidecarStatus::NotChecked => format!("{path} was not compared with the log"),
        SidecarStatus::Absent => format!("no file {path}"),
        SidecarStatus::Match => format!("{path} matches the log"),
        SidecarStatus::Drift => format!("{path} differs from the log"),
        SidecarStatus::Behind => format!("{path} is older than the latest rehearsal"),
        SidecarStatus::Orphan => format!("{path} exists, but the log contains no completed rehearsal"),
        SidecarStatus::Unreadable => format!("{path} cannot be read, or is not a valid sidecar"),
        SidecarStatus::Unsupported => format!("{path} has a schema that this version does not know"),
    }
}

/// Returns the extent of the comparison with a registry's index.
fn index_text(index: &IndexReport) -> String {
    let (versions, packages) = (plural(index.versions, "version"), plural(index.packages, "package"));
    format!("{versions} of {packages} compared with {}", plural(index.files.len() as u64, "file"))
}

/// Returns the size of a bundle, and what its sender concluded.
fn bundle_text(bundle: &BundleReport) -> String {
    let with = [(bundle.sender_policy, "a policy"), (bundle.sender_signers, "a signed head")];
    let with: Vec<&str> = with.into_iter().filter_map(|(has, what)| has.then_some(what)).collect();
    let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(" and ")) };
    let files = plural(bundle.files, "file");
    format!("{files} match SHA256SUMS; the sender concluded{with}: {}", bundle.sender_conclusion.as_str())
}

/// Returns the number of decisions by status, the most severe status first.
pub(crate) fn decision_counts(decisions: &[Decision]) -> String {
    let mut counts: BTreeMap<(u8, &str), u64> = BTreeMap::new();
    for decision in decisions {
        *counts.entry((sort_rank(decision.status), decision.status.as_str())).or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|((_, status), count)| format!("{count} {status}")).collect();
    counts.join(", ")
}

/// Returns the number of logs by conclusion, the most severe first.
pub(crate) fn conclusions(report: &Report) -> String {
    let mut counts = Counts::default();
    report.logs.iter().for_each(|log| counts.add(log.conclusion));
    counts_text(counts)
}

/// Returns the counts that are not 0, the most severe conclusion first.
pub(crate) fn counts_text(counts: Counts) -> String {
    let counts = counts.by_conclusion().into_iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(conclusion, count)| format!("{count} {conclusion}")).collect();
    counts.join(", ")
}

/// Returns the positions of all logs, those of one conclusion in their order.
pub(crate) fn most_severe_first(report: &Report) -> Vec<usize> {
    let mut logs: Vec<(Conclusion, usize)> = report.logs.iter().map(|log| log.conclusion).zip(0..).collect();
    logs.sort_unstable();
    logs.into_iter().map(|(_, position)| position).collect()
}
