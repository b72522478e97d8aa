//! The results: the findings, and the issues of logs as a whole.

use std::collections::{BTreeMap, HashMap};

use serde_sarif::sarif::{
    ArtifactContent, ArtifactLocation, Location, Message, PhysicalLocation, Region, Result as SarifResult,
};
use shipper_core::audit::{Decision, Finding, Level, LogReport, Report};

use super::artifacts::Artifacts;
use super::properties::{ResultProperties, bag};
use super::rules;
use super::text::{message, number, result_level};
use crate::excerpt::Excerpt;
use crate::formats::human::decisions::DecisionsByLine;
use crate::formats::log_issue::{LogIssue, log_issues, path_of};
use crate::view::LogExcerpts;

/// Name and version of the fingerprints.
const FINGERPRINT: &str = "shipperReplay/v1";

/// Returns the results of a log: first the issues of the whole, then the findings.
pub(super) fn results(
    log: &LogReport,
    excerpts: &LogExcerpts,
    report: &Report,
    log_at: &ArtifactLocation,
    artifacts: &mut Artifacts,
) -> Vec<SarifResult> {
    let mut fingerprints = Fingerprints::default();
    let gate = log.audit.as_ref().and_then(|audit| audit.gate.as_ref());
    let plan: Vec<&str> = gate.iter().map(|gate| gate.query.plan_id.as_str()).collect();
    let issues = log_issues(log, report).into_iter().map(|LogIssue { kind, message: text }| {
        let rule = (kind.as_str(), rules::index_of_issue(kind));
        let text = message(&format!("{text}. Help: {}.", kind.help()));
        let fingerprint = fingerprints.next(kind.as_str(), None, &plan);
        result(rule, kind.level(), text, location(log_at.clone(), None), fingerprint, log, None)
    });
    let mut results: Vec<SarifResult> = issues.collect();
    let Some(audit) = &log.audit else { return results };
    let decisions = DecisionsByLine::new(audit);
    for (position, finding) in audit.findings.iter().enumerate() {
        let excerpts = excerpts.of_finding(position);
        let (own, others) = match excerpts.split_first() {
            Some((own, others)) if Some(own.line) == finding.line => (Some(own), others),
            _ => (None, excerpts),
        };
        let file = match path_of(finding, audit, &log.path) {
            path if path == log.path => log_at.clone(),
            path => artifacts.add_sidecar(path),
        };
        let related = related(others, log_at);
        let excerpt = excerpts.first().map(|own| [own.before.as_str(), own.target.as_str(), own.after.as_str()]);
        let code = finding.code.as_str();
        let fingerprint = fingerprints.next(code, finding.line, excerpt.as_ref().map_or(&[], |parts| parts));
        let rule = (code, rules::index_of_code(finding.code));
        let place = location(file.clone(), finding.line.map(|line| (line, own)));
        let text = message_with_links(finding, &related);
        let mut result = result(rule, finding.level, text, place, fingerprint, log, decisions.of_finding(finding));
        // The log, where the location is in another file.
        result.analysis_target = (file != *log_at).then(|| log_at.clone());
        result.related_locations = (!related.is_empty()).then_some(related);
        results.push(result);
    }
    results
}

fn result(
    (id, index): (&str, usize),
    level: Level,
    message: Message,
    location: Location,
    fingerprint: String,
    log: &LogReport,
    decision: Option<&Decision>,
) -> SarifResult {
    let properties = ResultProperties { conclusion: log.conclusion, decision: decision.map(Into::into) };
    SarifResult::builder()
        .rule_id(id)
        .rule_index(number(index))
        .level(result_level(level))
        .message(message)
        .locations(vec![location])
        .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), fingerprint)]))
        .properties(bag(&properties))
        .build()
}

/// Returns the message of a finding, its help, and links to the related locations.
fn message_with_links(finding: &Finding, related: &[Location]) -> Message {
    let text = message(&format!("{}. Help: {}.", finding.message, finding.help)).text.unwrap_or_default();
    let links = related.iter().filter_map(|location| {
        let line = location.physical_location.as_ref()?.region.as_ref()?.start_line?;
        Some(format!("[line {line}]({})", location.id?))
    });
    let links: Vec<String> = links.collect();
    let see = if links.is_empty() { String::new() } else { format!(" See {}.", links.join(", ")) };
    Message::from(&(text + &see))
}

/// Returns the other locations of a finding, each once as the schema demands, numbered from 1.
fn related(excerpts: &[Excerpt], log_at: &ArtifactLocation) -> Vec<Location> {
    let mut related: Vec<Location> = Vec::new();
    for excerpt in excerpts {
        let label = Some(excerpt.label).filter(|label| !label.is_empty()).map(message);
        let location = Location { message: label, ..location(log_at.clone(), Some((excerpt.line, Some(excerpt)))) };
        let same = |other: &Location| *other == Location { id: other.id, ..location.clone() };
        if !related.iter().any(same) {
            related.push(Location { id: Some(number(related.len() + 1)), ..location });
        }
    }
    related
}

/// Returns a place in a file, or the whole file where no line is named.
fn location(file: ArtifactLocation, place: Option<(u64, Option<&Excerpt>)>) -> Location {
    let [region, context_region] = place.map_or([None, None], |(line, excerpt)| regions(line, excerpt));
    let place =
        PhysicalLocation { artifact_location: Some(file), region, context_region, ..PhysicalLocation::default() };
    Location::builder().physical_location(place).build()
}

/// Returns a place in a line, and the line around it where there is more of it.
fn regions(line: u64, excerpt: Option<&Excerpt>) -> [Option<Region>; 2] {
    let whole_line = |snippet: Option<String>| {
        let snippet = snippet.map(|text| ArtifactContent::builder().text(text).build());
        Region { start_line: Some(number(line)), snippet, ..Region::default() }
    };
    let Some(Excerpt { columns: (column, end), before, target: marked, after, .. }) = excerpt else {
        return [Some(whole_line(None)), None];
    };
    if before.is_empty() && after.is_empty() {
        return [Some(whole_line(Some(marked.clone()).filter(|marked| !marked.is_empty()))), None];
    }
    let region = Region {
        start_column: Some(number(*column)),
        end_column: Some(number(*end)),
        ..whole_line(Some(marked.clone()))
    };
    [Some(region), Some(whole_line(Some(format!("{before}{marked}{after}"))))]
}

/// Fingerprints of the results of a log. A fingerprint differs between results, and from those of another log of the
/// same path; appended lines change none.
#[derive(Default)]
struct Fingerprints {
    /// How often each hash occurred.
    counts: HashMap<blake3::Hash, u64>,
}

impl Fingerprints {
    /// Hashes the rule, the line and the text there, and appends how many equal results came before.
    fn next(&mut self, rule: &str, line: Option<u64>, text: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new();
        let line = line.map_or(String::new(), |line| line.to_string());
        for part in [&[rule, line.as_str()], text].concat() {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let hash = hasher.finalize();
        let count = self.counts.entry(hash).or_insert(0);
        *count += 1;
        format!("{:.32}:{count}", hash.to_hex().as_str())
    }
}
