//! The parts of SARIF that are written, with the members of its schema, and the properties that are our own.

use std::collections::BTreeMap;

use serde::Serialize;
use shipper_core::audit::{Integrity, RegistrySource, TailStatus};

#[derive(Serialize)]
pub(super) struct Sarif {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    pub(super) runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub(super) tool: Tool,
    pub(super) invocations: [Invocation; 1],
    pub(super) artifacts: Vec<Artifact>,
    pub(super) results: Vec<Outcome>,
    pub(super) column_kind: &'static str,
    pub(super) newline_sequences: [&'static str; 1],
    pub(super) default_encoding: &'static str,
    pub(super) properties: OfRun,
}

#[derive(Serialize)]
pub(super) struct Tool {
    pub(super) driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Driver {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) semantic_version: &'static str,
    pub(super) rules: Vec<Descriptor>,
    pub(super) notifications: Vec<Descriptor>,
}

/// What SARIF calls a reporting descriptor: of a rule, or of a notification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) id: &'static str,
    pub(super) name: String,
    pub(super) short_description: Text,
    pub(super) full_description: Text,
    pub(super) help: Help,
    pub(super) default_configuration: Configuration,
    pub(super) properties: Tags,
}

#[derive(Serialize)]
pub(super) struct Help {
    pub(super) text: String,
    pub(super) markdown: String,
}

#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) level: &'static str,
}

#[derive(Serialize)]
pub(super) struct Tags {
    pub(super) tags: Vec<&'static str>,
}

/// A message, or another text. In a message, braces and links have a meaning: see `message.rs`.
#[derive(Serialize, PartialEq)]
pub(super) struct Text {
    pub(super) text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    pub(super) execution_successful: bool,
    pub(super) exit_code: u8,
    pub(super) exit_code_description: &'static str,
    pub(super) tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
pub(super) struct Notification {
    pub(super) descriptor: Reference,
    pub(super) level: &'static str,
    pub(super) message: Text,
    pub(super) locations: [Location; 1],
}

#[derive(Serialize)]
pub(super) struct Reference {
    pub(super) id: &'static str,
    pub(super) index: usize,
}

#[derive(Serialize, PartialEq)]
pub(super) struct Artifact {
    pub(super) location: ArtifactLocation,
    pub(super) roles: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) length: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) hashes: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) properties: Option<OfLog>,
}

#[derive(Serialize, PartialEq, Clone)]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<usize>,
}

/// What SARIF calls a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) rule_id: &'static str,
    pub(super) rule_index: usize,
    pub(super) level: &'static str,
    pub(super) message: Text,
    /// What was judged, where that is not the file of the location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) analysis_target: Option<ArtifactLocation>,
    pub(super) locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) related_locations: Vec<Location>,
    pub(super) partial_fingerprints: BTreeMap<&'static str, String>,
    pub(super) properties: OfResult,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<usize>,
    pub(super) physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Text>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    /// None: the whole artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<Region>,
    /// More than the region, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context_region: Option<Region>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) start_line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_column: Option<u64>,
    /// One more than the last column of the region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_column: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) snippet: Option<Text>,
}

/// The properties of the run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfRun {
    pub(super) conclusion: &'static str,
    pub(super) demand: Demanded,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Demanded {
    pub(super) registry: Option<String>,
    pub(super) plan_id: Option<String>,
    pub(super) at: Option<String>,
    pub(super) extends: Option<String>,
    pub(super) since: Option<String>,
    pub(super) strict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) require: Option<&'static str>,
}

/// The properties of a log.
#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfLog {
    pub(super) conclusion: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) judged: Option<Judged>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Judged {
    /// `LINES:BYTES:BLAKE3` of the complete lines.
    pub(super) head: String,
    pub(super) integrity: Integrity,
    pub(super) tail: TailStatus,
    pub(super) gate: Option<Asked>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    pub(super) plan_id: String,
    pub(super) registry: Option<String>,
    pub(super) registry_source: Option<RegistrySource>,
    #[serde(flatten)]
    pub(super) answer: Answered,
}

#[derive(Serialize, PartialEq)]
pub(super) struct Answered {
    pub(super) verdict: String,
    pub(super) reasons: Vec<String>,
}

/// The properties of a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfResult {
    /// Of the log.
    pub(super) conclusion: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<OfDecision>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfDecision {
    pub(super) line: u64,
    pub(super) plan_id: String,
    pub(super) status: &'static str,
    pub(super) registry: Option<String>,
    pub(super) registry_source: Option<RegistrySource>,
    pub(super) receipt_line: Option<u64>,
    pub(super) derived: Option<Answered>,
    pub(super) recorded: Option<Answered>,
}
