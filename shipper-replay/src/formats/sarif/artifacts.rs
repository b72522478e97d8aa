//! The artifacts: the logs, and the other files that findings concern.

use std::collections::{BTreeMap, HashMap};

use serde_sarif::sarif::{Artifact, ArtifactLocation};
use shipper_core::audit::{AuditOptions, Conclusion, LogReport, TailStatus};

use super::properties;
use super::text::number;
use crate::uri;

/// The artifacts of a run, without repeats.
#[derive(Default)]
pub(super) struct Artifacts {
    pub(super) all: Vec<Artifact>,
    /// The indexes of the artifacts of a URI.
    indexes: HashMap<String, Vec<usize>>,
}

impl Artifacts {
    /// Adds a log and returns its location.
    pub(super) fn add_log(&mut self, log: &LogReport, demand: &AuditOptions) -> ArtifactLocation {
        let roles: &[&str] = match (&log.audit, log.path.as_str()) {
            (_, "-") => &["analysisTarget", "standardStream"],
            (None, _) if log.conclusion != Conclusion::Unjudged => &["analysisTarget", "directory"],
            _ => &["analysisTarget"],
        };
        // The head covers the complete lines. It covers the whole file if the file has no other bytes.
        let whole = log.audit.as_ref().filter(|audit| audit.tail == TailStatus::Clean && demand.at.is_none());
        let artifact = Artifact {
            length: whole.map(|audit| number(audit.bytes)),
            hashes: whole.map(|audit| BTreeMap::from([("blake3".to_owned(), audit.blake3.clone())])),
            properties: Some(properties::of_log(log)),
            ..Artifact::default()
        };
        self.add(&log.path, roles, artifact)
    }

    /// Adds a sidecar or a file of the packet and returns its location.
    pub(super) fn add_file(&mut self, path: &str) -> ArtifactLocation {
        self.add(path, &["analysisTarget"], Artifact::default())
    }

    fn add(&mut self, path: &str, roles: &[&str], mut artifact: Artifact) -> ArtifactLocation {
        let uri = file_uri(path);
        artifact.location = Some(ArtifactLocation::builder().uri(&uri).build());
        artifact.roles = Some(roles.iter().map(|role| (*role).into()).collect());
        // The standard requires that each artifact occurs once, but a log may be given twice.
        let same_uri = self.indexes.entry(uri.clone()).or_default();
        let known = same_uri.iter().copied().find(|index| self.all.get(*index) == Some(&artifact));
        let index = known.unwrap_or(self.all.len());
        if known.is_none() {
            same_uri.push(index);
            self.all.push(artifact);
        }
        ArtifactLocation::builder().uri(uri).index(number(index)).build()
    }
}

/// Returns the URI of a path: relative as it was given, or absolute. Standard input stays `-`.
fn file_uri(path: &str) -> String {
    let path = path.strip_prefix("./").map_or(path, |rest| rest.trim_start_matches('/'));
    let uri = uri::from_path(if path.is_empty() { "." } else { path });
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}
