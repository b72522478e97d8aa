//! The artifacts: the logs, and the sidecars that something was found about.

use std::collections::{BTreeMap, HashMap};

use shipper_core::audit::{AuditOptions, Conclusion, GateReport, LogAudit, LogReport, TailStatus, UnauditedReason};
use shipper_events::display_safe;

use super::message::name;
use super::model::{Answered, Artifact, ArtifactLocation, Asked, Judged, OfLog};
use crate::uri;

/// The artifacts of a run, each once.
#[derive(Default)]
pub(super) struct Artifacts {
    pub(super) all: Vec<Artifact>,
    /// Where those of a URI stand.
    positions: HashMap<String, Vec<usize>>,
}

impl Artifacts {
    /// Adds a log, and says where it is.
    pub(super) fn log(&mut self, log: &LogReport, demand: &AuditOptions) -> ArtifactLocation {
        let kind = match (&log.audit, log.path.as_str()) {
            (_, "-") => "standardStream",
            (None, _) if log.conclusion != Conclusion::Unjudged => "directory",
            _ => "analysisTarget",
        };
        // The head is that of the complete lines; it is the whole file's where nothing else stands in it.
        let whole = log.audit.as_ref().filter(|audit| audit.tail == TailStatus::Clean && demand.at.is_none());
        self.add(Artifact {
            location: ArtifactLocation { uri: file_uri(&log.path), index: None },
            roles: if kind == "analysisTarget" { vec![kind] } else { vec!["analysisTarget", kind] },
            length: whole.map(|audit| audit.bytes),
            hashes: whole.map(|audit| BTreeMap::from([("blake3", audit.blake3.clone())])).unwrap_or_default(),
            properties: Some(OfLog {
                conclusion: log.conclusion.as_str(),
                error: log
                    .error
                    .as_ref()
                    .map(UnauditedReason::as_str)
                    .map(|error| display_safe(error).max_chars(400).to_string()),
                judged: log.audit.as_ref().map(judged),
            }),
        })
    }

    /// Adds a sidecar, and says where it is.
    pub(super) fn sidecar(&mut self, path: &str) -> ArtifactLocation {
        self.add(Artifact {
            location: ArtifactLocation { uri: file_uri(path), index: None },
            roles: vec!["analysisTarget"],
            length: None,
            hashes: BTreeMap::new(),
            properties: None,
        })
    }

    fn add(&mut self, artifact: Artifact) -> ArtifactLocation {
        // The standard wants each but once, and a log may be given twice.
        let same = self.positions.entry(artifact.location.uri.clone()).or_default();
        let known = same.iter().copied().find(|position| self.all.get(*position) == Some(&artifact));
        let location = ArtifactLocation { index: Some(known.unwrap_or(self.all.len())), ..artifact.location.clone() };
        if known.is_none() {
            same.push(self.all.len());
            self.all.push(artifact);
        }
        location
    }
}

fn judged(audit: &LogAudit) -> Judged {
    let asked = |gate: &GateReport| Asked {
        plan_id: name(gate.query.plan_id.as_str()),
        registry: gate.query.rehearsal_registry.as_ref().map(|registry| name(registry.as_str())),
        registry_source: gate.registry_source,
        answer: Answered {
            verdict: gate.verdict.to_string(),
            reasons: gate.reasons.iter().map(ToString::to_string).collect(),
        },
    };
    Judged {
        head: format!("{}:{}:{}", audit.lines, audit.bytes, audit.blake3),
        integrity: audit.integrity,
        tail: audit.tail,
        gate: audit.gate.as_ref().map(asked),
    }
}

/// A path as a URI: relative as it was given, for a root that those who read it know, or a file's own. Standard input
/// stays `-`.
fn file_uri(path: &str) -> String {
    let path = path.strip_prefix("./").map_or(path, |rest| rest.trim_start_matches('/'));
    let uri = uri::from_path(if path.is_empty() { "." } else { path });
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}
