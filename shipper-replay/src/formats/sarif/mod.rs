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
use crate::view::ReportView;
use artifacts::Artifacts;
use text::{message, number};

/// The schema of this version.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the report.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let report = &view.report;
    let mut artifacts = Artifacts::default();
    let (mut results, mut notifications) = (Vec::new(), Vec::new());
    for (log, excerpts) in report.logs.iter().zip(&view.excerpts) {
        let log_at = artifacts.add_log(log, &report.demand);
        notifications.extend(notification(log, &log_at));
        results.extend(results::results(log, excerpts, report, &log_at, &mut artifacts));
    }
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
