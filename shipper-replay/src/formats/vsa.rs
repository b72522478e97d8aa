//! The report as an unsigned in-toto Statement (v1) with a SLSA Verification Summary (v1): `docs/attesting.md`.
//!
//! It contains the result for exactly the audited bytes, and the policy. It omits the members that concern builds: the
//! levels of SLSA, dependencies, and the version of SLSA.

use std::collections::BTreeSet;
use std::io;

use serde::Serialize;
use serde_json::{Value, json};
use shipper_core::audit::{
    self, AcceptedCause, AuditOptions, Conclusion, HeadSigner, Integrity, Level, LogAudit, LogReport, PacketStatus,
    SidecarStatus, TailStatus, VerifiedLevel,
};
use shipper_events::event::RULES_VERSION;
use shipper_events::{PlanId, RegistryName};

use super::json;
use crate::digest::sha256;
use crate::statement::{Digests, FileDigest};
use crate::uri;
use crate::view::ReportView;

#[derive(Serialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: [Resource; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Summary,
}

/// The verification summary.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    verifier: Value,
    time_verified: String,
    resource_uri: String,
    policy: Resource,
    input_attestations: Vec<Resource>,
    verification_result: &'static str,
    verified_levels: Vec<&'static str>,
    #[serde(rename = "pkg:cargo/shipper-replay")]
    audit: AuditSummary,
}

/// Details beyond `PASSED` and `FAILED`.
#[derive(Serialize)]
struct AuditSummary {
    conclusion: Conclusion,
    integrity: Integrity,
    tail: TailStatus,
    /// The codes of errors and warnings.
    findings: BTreeSet<&'static str>,
}

/// An in-toto `ResourceDescriptor`.
#[derive(Default, Serialize)]
struct Resource {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    digest: Digests,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Annotations {
    /// Of a log: the head of the bytes that the digests cover, and `whole` or `prefix` for their part of the file.
    Log { shipper_head: String, shipper_extent: &'static str },
    /// Of a file whose digests do not cover all bytes.
    Prefix { shipper_extent: &'static str },
    /// Of the policy.
    Policy { shipper_policy: Box<Policy> },
}

/// The policy. Its digest is that of this object as compact JSON, with the members in this order.
#[derive(Serialize)]
struct Policy {
    rules: u64,
    registry: Option<RegistryName>,
    plan_id: Option<PlanId>,
    extends: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_signer: Option<HeadSigner>,
    since: Option<String>,
    strict: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    accept: BTreeSet<AcceptedCause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledge_earlier: Option<String>,
    /// The rules of the policy file.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<audit::Policy>,
}

/// Writes the statement, on one line.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let demand = &view.report.demand;
    let ([log @ LogReport { audit: Some(audit), .. }], Some((inputs, digests))) =
        (&view.report.logs[..], &view.statement)
    else {
        return Err(io::Error::other("a statement requires exactly one audited log"));
    };
    // With --at or with a torn tail, the file may contain more bytes.
    let is_whole = demand.at.is_none() && audit.tail == TailStatus::Clean;
    // Of a bundle, the digests are those of the log in it.
    let path = audit.bundle.as_ref().map_or(log.path.clone(), |bundle| format!("{}/{}", log.path, bundle.log));
    let subject = Resource {
        // Standard input has no path that other programs can use.
        name: Some(if path == "-" { "_".to_owned() } else { path.clone() }),
        digest: digests.clone(),
        annotations: Some(Annotations::Log {
            shipper_head: audit.head(),
            shipper_extent: if is_whole { "whole" } else { "prefix" },
        }),
        ..Resource::default()
    };
    let passed = log.conclusion == Conclusion::Verified;
    let verified = VerifiedLevel::of(log, demand).into_iter().map(VerifiedLevel::as_str);
    let resource_uri = inputs.resource_uri.clone().unwrap_or_else(|| uri::from_path(&path));
    let log_input = Resource { uri: Some(resource_uri.clone()), digest: digests.clone(), ..Resource::default() };
    let compared = inputs.files.get().into_iter().flatten().filter(|file| is_compared(file, audit));
    let head_files = inputs.head_files.iter().cloned();
    let head_inputs = head_files.map(|(uri, digest)| Resource { uri: Some(uri), digest, ..Resource::default() });
    let weighty = audit.findings.iter().filter(|finding| finding.level != Level::Note);
    let predicate = Summary {
        verifier: json!({"id": inputs.verifier_id, "version": {"shipper-replay": env!("CARGO_PKG_VERSION")}}),
        time_verified: inputs.time.clone(),
        resource_uri,
        policy: policy(demand)?,
        input_attestations: [log_input].into_iter().chain(compared.map(file_input)).chain(head_inputs).collect(),
        verification_result: if passed { "PASSED" } else { "FAILED" },
        verified_levels: if passed { verified.collect() } else { vec!["FAILED"] },
        audit: AuditSummary {
            conclusion: log.conclusion,
            integrity: audit.integrity,
            tail: audit.tail,
            findings: weighty.map(|finding| finding.code.as_str()).collect(),
        },
    };
    let statement = Statement {
        kind: "https://in-toto.io/Statement/v1",
        subject: [subject],
        predicate_type: "https://slsa.dev/verification_summary/v1",
        predicate,
    };
    json::write(&statement, out)
}

/// Returns whether the report has a result for the file.
fn is_compared(file: &FileDigest, audit: &LogAudit) -> bool {
    let is_at = |path: &Option<String>| path.as_ref() == Some(&file.path);
    let packet = audit.packet_files().any(|(_, it)| is_at(&it.path) && it.status != PacketStatus::NotChecked);
    let index = audit.index.as_ref().is_some_and(|index| index.files.contains(&file.path));
    index || packet || is_at(&audit.sidecar.path) && audit.sidecar.status != SidecarStatus::NotChecked
}

fn file_input(file: &FileDigest) -> Resource {
    let annotations = (!file.is_whole).then_some(Annotations::Prefix { shipper_extent: "prefix" });
    Resource { name: None, uri: Some(file.uri.clone()), digest: file.digests.clone(), annotations }
}

fn policy(demand: &AuditOptions) -> io::Result<Resource> {
    let policy = Policy {
        rules: RULES_VERSION,
        registry: demand.registry.clone(),
        plan_id: demand.plan_id.clone(),
        extends: demand.extends.map(|head| head.to_string()),
        head_signer: demand.head_signer.clone(),
        since: demand.since.map(|head| head.to_string()),
        strict: demand.strict,
        accept: demand.accept.clone(),
        acknowledge_earlier: demand.acknowledge_earlier.map(|head| head.to_string()),
        policy: demand.policy.clone(),
    };
    Ok(Resource {
        uri: Some(format!("pkg:cargo/shipper-replay#rules/{RULES_VERSION}")),
        digest: Digests { sha256: sha256(&serde_json::to_vec(&policy)?), blake3: None },
        annotations: Some(Annotations::Policy { shipper_policy: Box::new(policy) }),
        ..Resource::default()
    })
}
