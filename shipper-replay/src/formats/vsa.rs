//! The report as an unsigned in-toto Statement (v1) with a SLSA Verification Summary (v1): `docs/attesting.md`.
//!
//! It states of exactly the audited bytes that they are verified or not, and by which policy. It omits the members that
//! concern builds: levels of SLSA's own, dependencies, and the version of SLSA.

use std::collections::BTreeSet;
use std::io;

use serde::Serialize;
use shipper_core::audit::{AuditOptions, Conclusion, Integrity, Level, LogAudit, LogReport, TailStatus, VerifiedLevel};
use shipper_events::event::RULES_VERSION;
use shipper_events::{Head, PlanId, RegistryName};

use super::json;
use crate::statement::{Digests, SidecarDigest, StatementInputs, sha256};
use crate::view::ReportView;

/// Name of a subject whose path means nothing to others.
const UNNAMED: &str = "_";

/// Writes the statement, on one line.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let report = &view.report;
    let ([log @ LogReport { audit: Some(audit), .. }], Some(inputs)) = (&report.logs[..], &view.statement) else {
        return Err(io::Error::other("a statement is of one log that was judged"));
    };
    json::write(&Statement::of(log, audit, &report.demand, inputs)?, out)
}

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: [Subject<'a>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Summary<'a>,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    digest: &'a Digests,
    annotations: SubjectAnnotations,
}

/// Annotations of the subject: the bytes of the log that the digests cover.
#[derive(Serialize)]
struct SubjectAnnotations {
    shipper_head: String,
    shipper_extent: Coverage,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Coverage {
    Whole,
    Prefix,
}

impl Coverage {
    fn of(whole: bool) -> Self {
        if whole { Self::Whole } else { Self::Prefix }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    verifier: Verifier<'a>,
    time_verified: &'a str,
    resource_uri: &'a str,
    policy: Policy<'a>,
    input_attestations: Vec<Input<'a>>,
    verification_result: &'static str,
    verified_levels: Vec<&'static str>,
    #[serde(rename = "pkg:cargo/shipper-replay")]
    audit: AuditSummary,
}

#[derive(Serialize)]
struct Verifier<'a> {
    id: &'a str,
    version: Version,
}

#[derive(Serialize)]
struct Version {
    #[serde(rename = "shipper-replay")]
    shipper_replay: &'static str,
}

#[derive(Serialize)]
struct Policy<'a> {
    uri: String,
    digest: PolicyDigest,
    annotations: PolicyAnnotations<'a>,
}

#[derive(Serialize)]
struct PolicyDigest {
    sha256: String,
}

#[derive(Serialize)]
struct PolicyAnnotations<'a> {
    shipper_policy: PolicyJson<'a>,
}

/// Policy. Its digest is that of this object as compact JSON, with the members in this order.
#[derive(Serialize)]
struct PolicyJson<'a> {
    rules: u64,
    registry: Option<&'a RegistryName>,
    plan_id: Option<&'a PlanId>,
    extends: Option<String>,
    since: Option<String>,
    strict: bool,
}

#[derive(Serialize)]
struct Input<'a> {
    uri: &'a str,
    digest: &'a Digests,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<InputAnnotations>,
}

#[derive(Serialize)]
struct InputAnnotations {
    shipper_extent: Coverage,
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

impl<'a> Statement<'a> {
    fn of(
        log: &'a LogReport,
        audit: &LogAudit,
        demand: &'a AuditOptions,
        inputs: &'a StatementInputs,
    ) -> io::Result<Self> {
        // With --at the log may go on, and a torn tail does.
        let whole = demand.at.is_none() && audit.tail == TailStatus::Clean;
        let subject = Subject {
            name: if log.path == "-" { UNNAMED } else { &log.path },
            digest: &inputs.digests,
            annotations: SubjectAnnotations {
                shipper_head: format!("{}:{}:{}", audit.lines, audit.bytes, audit.blake3),
                shipper_extent: Coverage::of(whole),
            },
        };
        Ok(Self {
            kind: "https://in-toto.io/Statement/v1",
            subject: [subject],
            predicate_type: "https://slsa.dev/verification_summary/v1",
            predicate: Summary::of(log, audit, demand, inputs)?,
        })
    }
}

impl<'a> Summary<'a> {
    fn of(
        log: &LogReport,
        audit: &LogAudit,
        demand: &'a AuditOptions,
        inputs: &'a StatementInputs,
    ) -> io::Result<Self> {
        let passed = log.conclusion == Conclusion::Verified;
        let verified = VerifiedLevel::of(log, demand).into_iter().map(VerifiedLevel::as_str);
        let read = Input { uri: &inputs.resource_uri, digest: &inputs.digests, annotations: None };
        Ok(Self {
            verifier: Verifier {
                id: &inputs.verifier_id,
                version: Version { shipper_replay: env!("CARGO_PKG_VERSION") },
            },
            time_verified: &inputs.time,
            resource_uri: &inputs.resource_uri,
            policy: Policy::of(demand)?,
            input_attestations: [read].into_iter().chain(inputs.sidecar.as_ref().map(Into::into)).collect(),
            verification_result: if passed { "PASSED" } else { "FAILED" },
            verified_levels: if passed { verified.collect() } else { vec!["FAILED"] },
            audit: AuditSummary::of(log.conclusion, audit),
        })
    }
}

impl<'a> Policy<'a> {
    fn of(demand: &'a AuditOptions) -> io::Result<Self> {
        let text = |head: Option<Head>| head.map(|head| head.to_string());
        let policy = PolicyJson {
            rules: RULES_VERSION,
            registry: demand.registry.as_ref(),
            plan_id: demand.plan_id.as_ref(),
            extends: text(demand.extends),
            since: text(demand.since),
            strict: demand.strict,
        };
        Ok(Self {
            uri: format!("pkg:cargo/shipper-replay#rules/{RULES_VERSION}"),
            digest: PolicyDigest { sha256: sha256(&serde_json::to_vec(&policy)?) },
            annotations: PolicyAnnotations { shipper_policy: policy },
        })
    }
}

impl<'a> From<&'a SidecarDigest> for Input<'a> {
    fn from(sidecar: &'a SidecarDigest) -> Self {
        let annotations = (!sidecar.whole).then_some(InputAnnotations { shipper_extent: Coverage::Prefix });
        Self { uri: &sidecar.uri, digest: &sidecar.digests, annotations }
    }
}

impl AuditSummary {
    fn of(conclusion: Conclusion, audit: &LogAudit) -> Self {
        let weighty = audit.findings.iter().filter(|finding| finding.level != Level::Note);
        let findings = weighty.map(|finding| finding.code.as_str()).collect();
        Self { conclusion, integrity: audit.integrity, tail: audit.tail, findings }
    }
}
