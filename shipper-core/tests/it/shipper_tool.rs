//! The shipper tool can read every line that we write, except those of our own types: its lines and ours may be in one
//! directory of evidence, and its programs decode a whole line or fail. Its types, with their required members, are those of
//! its development branch (0.5) of August 2026.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use shipper_events::Timestamp;
use shipper_testkit::fake_publisher::{LookupFault, PublishFault, ReleaseTool, plan};

/// A time, which the tool parses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Time;

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<Timestamp>().map(|_| Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "E: DeserializeOwned"))]
struct Line<E> {
    #[serde(rename = "timestamp")]
    _timestamp: Time,
    event_type: E,
    #[serde(rename = "package")]
    _package: String,
}

/// Defines the types of events, and a second enum of the same types with one more variant for all others.
macro_rules! event_types {
    ($($Variant:ident { $($member:ident: $Type:ty),* })*) => {
        /// The types that the tool knows.
        #[derive(Debug, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[expect(dead_code, reason = "the test only decodes them")]
        enum Strict { $($Variant { $($member: $Type),* },)* }

        /// The same types, and one variant for all others: the change that `docs/embedding.md` proposes.
        #[derive(Debug, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[expect(dead_code, reason = "the test only decodes them")]
        enum WithCatchAll {
            $($Variant { $($member: $Type),* },)*
            #[serde(other)]
            Other,
        }

        /// The names of the types.
        const KNOWN: &[&str] = &[$(stringify!($Variant)),*];
    };
}

event_types! {
    PlanCreated { plan_id: String, package_count: usize }
    ExecutionStarted {}
    ExecutionFinished { result: ExecutionResult }
    AuthEvidenceRecorded { evidence: AuthEvidence }
    RegistryPolicyApplied { evidence: RegistryPolicy }
    PackageStarted { name: String, version: String }
    PackageUploaded {}
    PackageAttempted { attempt: u32, command: String }
    PackageOutput { stdout_tail: String, stderr_tail: String }
    PackagePublished { duration_ms: u64 }
    PackageFailed { class: ErrorClass, message: String }
    PackageSkipped { reason: String }
    PublishWaiting { reason: String, delay_ms: u64, until: Time }
    RateLimitObserved { is_new_crate: bool, retry_after_ms: Option<u64>, message: String }
    PublishReconciling { method: ReadinessMethod }
    PublishReconciled { outcome: ReconciliationOutcome }
    RehearsalStarted { registry: String, plan_id: String, package_count: usize }
    RehearsalPackagePublished { name: String, version: String, duration_ms: u64 }
    RehearsalPackageFailed { name: String, version: String, class: ErrorClass, message: String }
    RehearsalComplete { passed: bool, registry: String, plan_id: String, summary: String }
    RehearsalSmokeCheckStarted { name: String, version: String, registry: String }
    RehearsalSmokeCheckSucceeded { name: String, version: String, duration_ms: u64 }
    RehearsalSmokeCheckFailed { name: String, version: String, message: String }
    RetryScheduled {
        attempt: u32, max_attempts: u32, delay_ms: u64, next_attempt_at: Time, reason: ErrorClass, message: String
    }
    ReadinessStarted { method: ReadinessMethod }
    ReadinessPoll { attempt: u32, visible: bool }
    ReadinessComplete { duration_ms: u64, attempts: u32 }
    ReadinessTimeout { max_wait_ms: u64 }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExecutionResult {
    Success,
    PartialFailure,
    CompleteFailure,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ErrorClass {
    Retryable,
    Permanent,
    Ambiguous,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReadinessMethod {
    Api,
    Index,
    Both,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[expect(dead_code, reason = "the test only decodes them")]
enum ReconciliationOutcome {
    Published { attempts: u32, elapsed_ms: u64 },
    NotPublished { attempts: u32, elapsed_ms: u64 },
    StillUnknown { attempts: u32, elapsed_ms: u64, reason: String },
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the test only decodes it")]
struct AuthEvidence {
    schema_version: String,
    registry: String,
    auth_mode: AuthMode,
    token_detected: bool,
    oidc_request_url_present: bool,
    oidc_request_token_present: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AuthMode {
    CargoToken,
    TrustedPublishingContext,
    CargoTokenWithOidcContext,
    PartialOidcContext,
    Missing,
    Unknown,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the test only decodes it")]
struct RegistryPolicy {
    posture: Posture,
    allow_private: bool,
    allow_loopback: bool,
    credential_authority: String,
    index_authority: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Posture {
    PublicDefault,
    PrivateOptIn,
    RehearsalOrTest,
}

/// The types of events that only we write.
const OURS: [&str; 5] = ["gate_evaluated", "tail_repaired", "log_adopted", "log_continued", "package_content_mismatch"];

/// Returns our lines of the golden logs, which have the events of rehearsals, runs, decisions, repairs and new logs. Their
/// hashes, times and durations are masked.
fn our_lines() -> Vec<String> {
    let goldens = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens");
    let directories = std::fs::read_dir(goldens).expect("the goldens").map(|entry| entry.expect("a directory").path());
    // A caller chose those events.
    let logs = directories.filter(|directory| !directory.ends_with("appended"));
    let lines = logs.filter_map(|directory| std::fs::read_to_string(directory.join("events.jsonl")).ok());
    let lines: Vec<String> = lines.flat_map(|log| log.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let ours = lines.into_iter().filter(|line| line.starts_with("{\"seq\":") && line.ends_with('}'));
    // A type of a newer version.
    let ours = ours.filter(|line| !line.contains("rehearsal_unknown"));
    let time = "\"next_attempt_at\":\"2026-11-23T09:00:01Z\"";
    ours.map(|line| line.replace("\"next_attempt_at\":_", time).replace("\":_", "\":0")).collect()
}

/// Returns the lines of a release of which the registry limits the rate, and of which it then shows nothing.
fn lines_of_slow_release() -> Vec<String> {
    let (mut release, plan) = (ReleaseTool::create(), plan(1, 1));
    assert!(release.rehearse(&plan, false, &[]));
    // The first lookup is before the upload.
    release.publisher.lookup_faults = vec![LookupFault::Hidden; 10_000];
    let limited = PublishFault::RateLimited(Some(Duration::from_millis(1)));
    assert_eq!(release.publish(&plan, false, &[limited]), Ok(false));
    release.log_text().lines().map(str::to_owned).collect()
}

fn type_name(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
    value["event_type"]["type"].as_str().expect("a type").to_owned()
}

/// The strict reader reads all events of rehearsals and runs. It reads every line but those of our own types, which it refuses. With the catch-all, it reads all.
#[test]
fn shipper_tool_reads_our_lines() {
    let mut seen = std::collections::BTreeSet::new();
    for line in our_lines().into_iter().chain(lines_of_slow_release()) {
        let name = type_name(&line);
        let strict = serde_json::from_str::<Line<Strict>>(&line);
        if OURS.contains(&&*name) {
            let refusal = strict.expect_err("an unknown type").to_string();
            assert!(refusal.contains("unknown variant"), "{refusal}");
        } else {
            assert!(strict.is_ok(), "{line}: {strict:?}");
        }
        let tolerant = serde_json::from_str::<Line<WithCatchAll>>(&line).expect("the catch-all reads it");
        assert_eq!(matches!(tolerant.event_type, WithCatchAll::Other), OURS.contains(&&*name), "{line}");
        seen.insert(name);
    }
    let known = KNOWN.iter().map(|name| snake_case(name));
    let missing: Vec<String> = known.chain(OURS.map(str::to_owned)).filter(|name| !seen.contains(name)).collect();
    assert_eq!(missing, ["package_content_mismatch"]);
}

fn snake_case(name: &str) -> String {
    let separated = name.chars().flat_map(|letter| letter.is_uppercase().then_some('_').into_iter().chain([letter]));
    separated.collect::<String>().trim_start_matches('_').to_lowercase()
}

/// Version 0.5 declares the durations of rehearsals as `u128`, which serde does not decode within a tagged enum: it cannot
/// read its own log after a rehearsal. So the types above have `u64`.
#[test]
fn duration_of_128_bits_cannot_be_read_in_a_tagged_enum() {
    #[derive(Debug, Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    #[expect(dead_code, reason = "the test only decodes it")]
    enum As128 {
        RehearsalPackagePublished { name: String, version: String, duration_ms: u128 },
    }
    let line = our_lines().into_iter().find(|line| type_name(line) == "rehearsal_package_published").expect("one");
    assert!(serde_json::from_str::<Line<Strict>>(&line).is_ok());
    let refusal = serde_json::from_str::<Line<As128>>(&line).expect_err("not decoded").to_string();
    assert!(refusal.contains("u128"), "{refusal}");
}
