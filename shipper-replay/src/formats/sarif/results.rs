//! The results: what was found, and of which logs too little is known.

use std::collections::{BTreeMap, HashMap};

use shipper_core::audit::{Decision, Finding, LogAudit, LogReport, Report};
use shipper_events::display_safe;

use super::message::{link, message, name, plain};
use super::model::{
    Answered, ArtifactLocation, Location, OfDecision, OfResult, Outcome, PhysicalLocation, Region, Text,
};
use super::rules;
use crate::excerpt::Excerpt;
use crate::formats::human::decisions::DecisionsByLine;
use crate::formats::whole::{Whole, whole};
use crate::view::LogExcerpts;

/// The name and version of how results are told apart.
const FINGERPRINT: &str = "shipperReplay/v1";

/// How many reasons of a recorded verdict are shown.
const REASONS: usize = 8;

/// The results of a log: first what is to be said of the whole, then finding by finding. `at` says where a finding's
/// file is.
pub(super) fn results(
    log: &LogReport,
    excerpts: &LogExcerpts,
    report: &Report,
    log_at: &ArtifactLocation,
    mut at: impl FnMut(&Finding, &LogAudit) -> ArtifactLocation,
) -> Vec<Outcome> {
    let mut seen = HashMap::new();
    let mut results = Vec::new();
    let gate = log.audit.as_ref().and_then(|audit| audit.gate.as_ref());
    let plan: Vec<&str> = gate.iter().map(|gate| gate.query.plan_id.as_str()).collect();
    for Whole { matter, message: said } in whole(log, report) {
        results.push(Outcome {
            rule_id: matter.as_str(),
            rule_index: rules::of_matter(matter),
            level: matter.level().as_str(),
            message: message(&format!("{said}. Help: {}.", matter.help())),
            analysis_target: None,
            locations: [location(log_at.clone(), None)],
            related_locations: Vec::new(),
            partial_fingerprints: fingerprint(matter.as_str(), None, &plan, &mut seen),
            properties: OfResult { conclusion: log.conclusion.as_str(), decision: None },
        });
    }
    if let Some(audit) = &log.audit {
        let decisions = DecisionsByLine::new(audit);
        for (position, finding) in audit.findings.iter().enumerate() {
            let excerpts = excerpts.of_finding(position);
            let (own, others) = match excerpts.split_first() {
                Some((own, others)) if Some(own.line) == finding.line => (Some(own), others),
                _ => (None, excerpts),
            };
            let file = at(finding, audit);
            let stands: Vec<&str> =
                excerpts.first().map_or(Vec::new(), |Excerpt { before, target: marked, after, .. }| {
                    vec![before.as_str(), marked.as_str(), after.as_str()]
                });
            let related = related(others, log_at);
            results.push(Outcome {
                rule_id: finding.code.as_str(),
                rule_index: rules::of_code(finding.code),
                level: finding.level.as_str(),
                message: said(finding, &related),
                analysis_target: (file != *log_at).then(|| log_at.clone()),
                locations: [location(file, finding.line.map(|line| (line, own)))],
                related_locations: related,
                partial_fingerprints: fingerprint(finding.code.as_str(), finding.line, &stands, &mut seen),
                properties: OfResult {
                    conclusion: log.conclusion.as_str(),
                    decision: decisions.of_finding(finding).map(of_decision),
                },
            });
        }
    }
    results
}

/// What was found, what to do, and links to where else to look.
fn said(finding: &Finding, related: &[Location]) -> Text {
    let mut said = message(&format!("{}. Help: {}.", finding.message, finding.help));
    let links = related.iter().filter_map(|location| {
        let line = location.physical_location.region.as_ref()?.start_line;
        Some(link(&format!("line {line}"), location.id?))
    });
    let links: Vec<String> = links.collect();
    if !links.is_empty() {
        said.text += &format!(" See {}.", links.join(", "));
    }
    said
}

/// Where else to look.
fn related(excerpts: &[Excerpt], log_at: &ArtifactLocation) -> Vec<Location> {
    let mut related: Vec<Location> = Vec::new();
    for excerpt in excerpts {
        let label = Some(excerpt.label).filter(|label| !label.is_empty()).map(message);
        let location = Location { message: label, ..location(log_at.clone(), Some((excerpt.line, Some(excerpt)))) };
        // The schema wants each but once.
        let known = |other: &Location| {
            other.physical_location == location.physical_location && other.message == location.message
        };
        if !related.iter().any(known) {
            let id = Some(related.len() + 1);
            related.push(Location { id, ..location });
        }
    }
    related
}

/// A place in a file; the whole file where no line is named.
fn location(file: ArtifactLocation, place: Option<(u64, Option<&Excerpt>)>) -> Location {
    let (region, context_region) = match place {
        Some((line, excerpt)) => region(line, excerpt),
        None => (None, None),
    };
    Location {
        id: None,
        physical_location: PhysicalLocation { artifact_location: file, region, context_region },
        message: None,
    }
}

/// A place in a line, and the line around it where there is more of it.
fn region(line: u64, excerpt: Option<&Excerpt>) -> (Option<Region>, Option<Region>) {
    let whole_line = |snippet| Region { start_line: line, start_column: None, end_column: None, snippet };
    let Some(Excerpt { columns: (column, end), before, target: marked, after, .. }) = excerpt else {
        return (Some(whole_line(None)), None);
    };
    let snippet = Some(marked).filter(|marked| !marked.is_empty()).map(plain);
    if before.is_empty() && after.is_empty() {
        return (Some(whole_line(snippet)), None);
    }
    let region =
        Region { start_line: line, start_column: Some(*column), end_column: Some(*end), snippet: Some(plain(marked)) };
    (Some(region), Some(whole_line(Some(plain(format!("{before}{marked}{after}"))))))
}

/// What tells a result from others of its log, and from the like in another log of the same path: what was found, on
/// which line, what stands there, and how many like it were found before. Lines that are appended change none of it.
fn fingerprint(
    word: &str,
    line: Option<u64>,
    stands: &[&str],
    seen: &mut HashMap<blake3::Hash, u64>,
) -> BTreeMap<&'static str, String> {
    let mut hasher = blake3::Hasher::new();
    let line = line.map_or(String::new(), |line| line.to_string());
    for part in [&[word, line.as_str()], stands].concat() {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let hash = hasher.finalize();
    let count = seen.entry(hash).or_insert(0);
    *count += 1;
    let short: String = hash.to_hex().chars().take(32).collect();
    BTreeMap::from([(FINGERPRINT, format!("{short}:{count}"))])
}

fn of_decision(decision: &Decision) -> OfDecision {
    let derived = decision.derived.as_ref().map(|derived| Answered {
        verdict: derived.verdict.to_string(),
        reasons: derived.reasons.iter().map(ToString::to_string).collect(),
    });
    let short = |text: &String| display_safe(text).max_chars(40).to_string();
    let recorded = decision.recorded.as_ref().map(|recorded| Answered {
        verdict: short(&recorded.verdict),
        reasons: recorded.reasons.iter().take(REASONS).map(short).collect(),
    });
    OfDecision {
        line: decision.line,
        plan_id: name(decision.plan_id.as_str()),
        status: decision.status.as_str(),
        registry: decision.registry.as_ref().map(|registry| name(registry.as_str())),
        registry_source: decision.registry_source,
        receipt_line: decision.receipt_line,
        derived,
        recorded,
    }
}
