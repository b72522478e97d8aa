//! The report as SARIF 2.1.0, for code scanning and other tools that read results: `docs/formats.md`, "SARIF".
//!
//! One run. Every code is a rule, and every finding a result; a log of which too little is known has one more. All
//! results say that something failed: tools that heed other kinds drop them, and those that do not take them for
//! failures. What is in order gives no result.

mod artifacts;
mod message;
mod model;
mod results;
mod rules;

use std::io;

use shipper_core::audit::{AuditOptions, Conclusion, LogReport, RequiredVerdict};
use shipper_events::display_safe;

use self::artifacts::Artifacts;
use self::message::{message, name};
use self::model::{
    ArtifactLocation, Demanded, Driver, Invocation, Location, Notification, OfRun, PhysicalLocation, Reference, Run,
    Sarif, Tool,
};
use super::json;
use super::whole::path_of;
use crate::view::ReportView;

/// The schema that a log of this version follows.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the view.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let report = &view.report;
    let mut artifacts = Artifacts::default();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for (log, excerpts) in report.logs.iter().zip(&view.excerpts) {
        let log_at = artifacts.log(log, &report.demand);
        notifications.extend(notification(log, &log_at));
        results.extend(results::results(log, excerpts, report, &log_at, |finding, audit| {
            match path_of(finding, audit, &log.path) {
                path if path == log.path => log_at.clone(),
                path => artifacts.sidecar(path),
            }
        }));
    }
    let unread = |log: &LogReport| log.audit.is_none() && log.conclusion == Conclusion::Unjudged;
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "shipper-replay",
                version: env!("CARGO_PKG_VERSION"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                rules: rules::rules(),
                notifications: rules::notifications(),
            },
        },
        invocations: [Invocation {
            execution_successful: !report.logs.iter().any(unread),
            exit_code: report.exit_code,
            exit_code_description: report.conclusion.as_str(),
            tool_execution_notifications: notifications,
        }],
        artifacts: artifacts.all,
        results,
        column_kind: "unicodeCodePoints",
        newline_sequences: ["\n"],
        default_encoding: "UTF-8",
        properties: OfRun { conclusion: report.conclusion.as_str(), demand: demanded(&report.demand) },
    };
    json::write(&Sarif { schema: SCHEMA, version: "2.1.0", runs: [run] }, out)
}

/// What the tool has to say of itself: that it could not read a log, or found none.
fn notification(log: &LogReport, log_at: &ArtifactLocation) -> Option<Notification> {
    let error = log.error.as_ref()?.as_str();
    let index = if log.conclusion == Conclusion::Unjudged { rules::UNREADABLE } else { rules::NO_LOGS };
    let (id, _, _, level) = rules::NOTIFICATIONS.get(index)?;
    let place = PhysicalLocation { artifact_location: log_at.clone(), region: None, context_region: None };
    Some(Notification {
        descriptor: Reference { id, index },
        level: level.as_str(),
        message: message(&format!("{}.", display_safe(error).max_chars(400))),
        locations: [Location { id: None, physical_location: place, message: None }],
    })
}

fn demanded(demand: &AuditOptions) -> Demanded {
    Demanded {
        registry: demand.registry.as_ref().map(|registry| name(registry.as_str())),
        plan_id: demand.plan_id.as_ref().map(|plan_id| name(plan_id.as_str())),
        at: demand.at.as_ref().map(ToString::to_string),
        extends: demand.extends.map(|head| head.to_string()),
        since: demand.since.map(|head| head.to_string()),
        strict: demand.strict,
        require: demand.require.map(RequiredVerdict::as_str),
    }
}
