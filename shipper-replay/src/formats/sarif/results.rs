//! The results: the findings, and the issues of whole logs.

use std::collections::{BTreeMap, HashMap};

use serde_sarif::sarif::{
    ArtifactContent, ArtifactLocation, Location, Message, PhysicalLocation, Region, Result as SarifResult, ResultLevel,
};
use shipper_core::audit::{Decision, Finding, Level, LogReport, Report};

use super::artifacts::Artifacts;
use super::properties;
use super::rules;
use super::text::{message, number};
use crate::excerpt::Excerpt;
use crate::formats::level_counts::LevelCounts;
use crate::formats::log_issue::{LogIssue, log_issues, path_of};
use crate::formats::text::decisions::DecisionsByLine;
use crate::view::LogExcerpts;

/// Name and version of the fingerprints.
const FINGERPRINT: &str = "shipperReplay/v1";

/// The issues and findings of a log that become results.
pub(super) struct Selected<'a> {
    issues: Vec<LogIssue>,
    /// The findings, each with its position in the report.
    findings: Vec<(usize, &'a Finding)>,
}

impl<'a> Selected<'a> {
    /// Selects as many as the quota allows.
    pub(super) fn new(log: &'a LogReport, report: &Report, quota: &mut LevelCounts) -> Self {
        let mut issues = log_issues(log, report);
        issues.retain(|issue| quota.take_one(issue.kind.level()));
        let findings = log.audit.iter().flat_map(|audit| audit.findings.iter().enumerate());
        Self { issues, findings: findings.filter(|(_, finding)| quota.take_one(finding.level)).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.issues.is_empty() && self.findings.is_empty()
    }

    /// Returns the results with their levels: first the issues, then the findings.
    pub(super) fn results(
        self,
        log: &LogReport,
        excerpts: &LogExcerpts,
        log_at: &ArtifactLocation,
        artifacts: &mut Artifacts,
    ) -> Vec<(Level, SarifResult)> {
        let mut counts = HashMap::new();
        let gate = log.audit.as_ref().and_then(|audit| audit.gate.as_ref());
        let plan: Vec<&str> = gate.iter().filter_map(|gate| Some(gate.query.as_ref()?.plan_id.as_str())).collect();
        let issues = self.issues.into_iter().map(|LogIssue { kind, message: text }| {
            let text = message(&format!("{text}. Help: {}.", kind.help()));
            let fingerprint = fingerprint(&mut counts, kind.as_str(), None, &plan);
            let place = location(log_at.clone(), None);
            (kind.level(), result(kind.as_str(), kind.level(), text, place, fingerprint, log, None))
        });
        let mut results: Vec<(Level, SarifResult)> = issues.collect();
        let Some(audit) = &log.audit else { return results };
        let decisions = DecisionsByLine::new(audit);
        for (position, finding) in self.findings {
            let (own, others) = excerpts.split(position, finding);
            let file = match path_of(finding, audit, &log.path) {
                path if path == log.path => log_at.clone(),
                path => artifacts.add_file(path),
            };
            let related = related(others, log_at);
            let shown = own.or(others.first()).map_or(Vec::new(), |it| vec![&*it.before, &it.target, &it.after]);
            let code = finding.code.as_str();
            let fingerprint = fingerprint(&mut counts, code, finding.line, &shown);
            let place = location(file.clone(), finding.line.map(|line| (line, own)));
            let text = message_with_links(finding, &related);
            let mut result = result(code, finding.level, text, place, fingerprint, log, decisions.of_finding(finding));
            // The log, if the location is in another file.
            result.analysis_target = (file != *log_at).then(|| log_at.clone());
            result.related_locations = (!related.is_empty()).then_some(related);
            results.push((finding.level, result));
        }
        results
    }
}

fn result(
    rule: &str,
    level: Level,
    message: Message,
    location: Location,
    fingerprint: String,
    log: &LogReport,
    decision: Option<&Decision>,
) -> SarifResult {
    let level = match level {
        Level::Error => ResultLevel::Error,
        Level::Warning => ResultLevel::Warning,
        Level::Note => ResultLevel::Note,
    };
    SarifResult::builder()
        .rule_id(rule)
        .rule_index(number(rules::index_of(rule)))
        .level(level)
        .message(message)
        .locations(vec![location])
        .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), fingerprint)]))
        .properties(properties::of_result(log, decision))
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

/// Returns the other locations of a finding without repeats, as the schema requires, numbered from 1.
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

/// Returns a line of a file with its excerpt, or the whole file without a line.
fn location(file: ArtifactLocation, place: Option<(u64, Option<&Excerpt>)>) -> Location {
    let [region, context_region] = place.map_or([None, None], |(line, excerpt)| regions(line, excerpt));
    let place =
        PhysicalLocation { artifact_location: Some(file), region, context_region, ..PhysicalLocation::default() };
    Location::builder().physical_location(place).build()
}

/// Returns the target of an excerpt, and the text around it if there is any.
fn regions(line: u64, excerpt: Option<&Excerpt>) -> [Option<Region>; 2] {
    let whole_line = |text: &str| {
        let snippet = (!text.is_empty()).then(|| ArtifactContent::builder().text(text).build());
        Region { start_line: Some(number(line)), snippet, ..Region::default() }
    };
    let Some(Excerpt { columns: (column, end), before, target, after, .. }) = excerpt else {
        return [Some(whole_line("")), None];
    };
    if before.is_empty() && after.is_empty() {
        return [Some(whole_line(target)), None];
    }
    let snippet = Some(ArtifactContent::builder().text(target).build());
    let columns = (Some(number(*column)), Some(number(*end)));
    let region = Region { start_column: columns.0, end_column: columns.1, snippet, ..whole_line("") };
    [Some(region), Some(whole_line(&format!("{before}{target}{after}")))]
}

/// Returns the fingerprint of a result: a hash of rule, line and text, and the number of results with that hash so far.
/// It differs between the results of a log, and between logs of one path. Appended lines do not change it.
fn fingerprint(counts: &mut HashMap<blake3::Hash, u64>, rule: &str, line: Option<u64>, text: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    let line = line.map_or(String::new(), |line| line.to_string());
    for part in [&[rule, line.as_str()], text].concat() {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let hash = hasher.finalize();
    let count = counts.entry(hash).or_insert(0);
    *count += 1;
    format!("{:.32}:{count}", hash.to_hex().as_str())
}
