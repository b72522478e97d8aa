//! The report as SARIF 2.1.0, for code scanning: `docs/formats.md`, "SARIF".
//!
//! There is one run. Every code is a rule, and every finding a result. An unjudged or inconclusive log has one more
//! result. All results have the kind `fail`, because some tools drop other kinds, and others treat them as failures.

mod artifacts;
mod properties;
mod results;
mod rules;
mod text;

use std::io;

use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, Notification, PhysicalLocation, ReportingDescriptorReference, Run, Sarif,
    ToolComponent,
};
use shipper_core::audit::{Conclusion, LogReport};
use shipper_events::display_safe;

use super::json;
use super::level_counts::LevelCounts;
use crate::view::ReportView;
use artifacts::Artifacts;
use results::Selected;
use text::{message, number};

/// The schema of this version.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Most results, the most severe ones, and most artifacts of logs. Code scanning accepts as many results in a file.
const MAX_RESULTS: usize = 25_000;

/// Writes the report. The results are sorted by level, then log by log. If results are left out, or if there are too many
/// logs, the artifacts are only those of logs with a result.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let report = &view.report;
    let all = LevelCounts::of(report);
    let kept = all.most_severe(MAX_RESULTS);
    let left_out = all.without(kept);
    let lists_every_log = left_out.total() == 0 && report.logs.len() <= MAX_RESULTS;
    let mut artifacts = Artifacts::default();
    let (mut quota, mut results) = (kept, Vec::new());
    let mut notifications: Vec<Notification> = notification_about_rest(left_out).into_iter().collect();
    for (log, excerpts) in report.logs.iter().zip(&view.excerpts) {
        let selected = Selected::new(log, report, &mut quota);
        if lists_every_log || !selected.is_empty() {
            let log_at = artifacts.add_log(log, &report.demand);
            notifications.extend(notification(log, &log_at));
            results.extend(selected.results(log, excerpts, &log_at, &mut artifacts));
        }
    }
    results.sort_by_key(|(level, _)| *level);
    let results: Vec<_> = results.into_iter().map(|(_, result)| result).collect();
    let unread = |log: &LogReport| log.audit.is_none() && log.conclusion == Conclusion::Unjudged;
    let invocation = Invocation::builder()
        .execution_successful(!report.logs.iter().any(unread))
        .exit_code(report.exit_code)
        .exit_code_description(report.conclusion.as_str())
        .tool_execution_notifications(notifications);
    let driver = ToolComponent::builder()
        .name("shipper-replay")
        .version(env!("CARGO_PKG_VERSION"))
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(rules::rules())
        .notifications(rules::notifications());
    let run = Run::builder()
        .tool(driver.build())
        .invocations(vec![invocation.build()])
        .artifacts(artifacts.all)
        .results(results)
        .column_kind("unicodeCodePoints")
        .newline_sequences(vec!["\n".to_owned()])
        .default_encoding("UTF-8")
        .properties(properties::of_run(report));
    json::write(&Sarif::builder().schema(SCHEMA).version("2.1.0").runs(vec![run.build()]).build(), out)
}

/// Returns the notification about the results that are left out; `None` if there are none.
fn notification_about_rest(left_out: LevelCounts) -> Option<Notification> {
    let (id, _, _, level) = rules::NOTIFICATIONS.get(rules::LEFT_OUT).filter(|_| left_out.total() > 0)?;
    let total = left_out.total();
    let text = format!("{total} results are left out ({left_out}). The option --format json lists all.");
    let descriptor = ReportingDescriptorReference::builder().id(*id).index(number(rules::LEFT_OUT)).build();
    let notification = Notification::builder().descriptor(descriptor).level(level.as_str()).message(message(&text));
    Some(notification.build())
}

/// Returns the notification about an unreadable log, or about a directory without logs.
fn notification(log: &LogReport, log_at: &ArtifactLocation) -> Option<Notification> {
    let error = log.error.as_ref()?.as_str();
    let index = if log.conclusion == Conclusion::Unjudged { rules::UNREADABLE } else { rules::NO_LOGS };
    let (id, _, _, level) = rules::NOTIFICATIONS.get(index)?;
    let place = PhysicalLocation::builder().artifact_location(log_at.clone()).build();
    let notification = Notification::builder()
        .descriptor(ReportingDescriptorReference::builder().id(*id).index(number(index)).build())
        .level(level.as_str())
        .message(message(&format!("{}.", display_safe(error).max_chars(400))))
        .locations(vec![Location::builder().physical_location(place).build()]);
    Some(notification.build())
}
