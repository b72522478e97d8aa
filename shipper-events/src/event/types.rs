//! Every event type: see `docs/log-format.md`, "Vocabulary".

use super::commit::GitCommit;
use super::decision::GateEvaluated;
use super::members::{
    ExtraMembers, JsonType, Lenient, MemberCodec, MemberError, MembersCodec, ObjectWriter, RawJson, UnknownEvent, json,
    read_member,
};
use super::names::{PlanId, RegistryName};
use super::number::JsonUint;
use crate::line::strict_json::{Member, Value};

/// Defines a struct: in parentheses the members that its constructor takes, in braces those that may be absent.
/// The docs of a member follow the generated sentence with its name.
macro_rules! object {
    (
        $(#[$doc:meta])* $Object:ident
        (
            $($(#[$required_doc:meta])* $required:ident: $Required:ty),*
        ) {
            $($(#[$optional_doc:meta])* $optional:ident: $Optional:ty),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $Object {
            $(
                #[doc = concat!("Member `", stringify!($required), "`.")]
                $(#[$required_doc])*
                pub $required: $Required,
            )*
            $(
                #[doc = concat!("Member `", stringify!($optional), "`; absent by default.")]
                $(#[$optional_doc])*
                pub $optional: $Optional,
            )*
            /// Members that this version does not know.
            pub extra: ExtraMembers,
        }

        impl $Object {
            /// Builds the object with its required members only.
            #[allow(clippy::new_without_default, reason = "some of these objects have required members")]
            pub fn new($($required: impl Into<$Required>),*) -> Self {
                Self {
                    $($required: $required.into(),)*
                    $($optional: Default::default(),)*
                    extra: ExtraMembers::default(),
                }
            }

            $(
                #[doc = concat!("Sets the member `", stringify!($optional), "`.")]
                #[must_use]
                pub fn $optional(mut self, $optional: impl Into<$Optional>) -> Self {
                    self.$optional = $optional.into();
                    self
                }
            )*
        }

        impl MembersCodec for $Object {
            const ANY_REQUIRED: bool =
                false $(|| <$Required as MemberCodec>::REQUIRED)* $(|| <$Optional as MemberCodec>::REQUIRED)*;

            fn from_members(members: &[Member<'_>]) -> Result<Self, MemberError> {
                Ok(Self {
                    $($required: read_member(members, stringify!($required))?,)*
                    $($optional: read_member(members, stringify!($optional))?,)*
                    extra: ExtraMembers::from_members(members, |name| {
                        matches!(name, "type" $(| stringify!($required))* $(| stringify!($optional))*)
                    }),
                })
            }

            fn write_members(&self, out: &mut ObjectWriter) {
                $(self.$required.write(stringify!($required), out);)*
                $(self.$optional.write(stringify!($optional), out);)*
                self.extra.write(out);
            }
        }
    };
}

/// Defines an object that is the value of a member.
macro_rules! value_object {
    ($(#[$doc:meta])* $Object:ident { $($members:tt)* }) => {
        object! { $(#[$doc])* $Object () { $($members)* } }

        impl JsonType for $Object {
            const EXPECTED: &'static str = "an object";

            fn from_value(value: Value<'_>) -> Option<Self> {
                Self::from_members(value.as_object()?.members()).ok()
            }

            fn to_json(&self) -> String {
                let mut object = ObjectWriter::new();
                self.write_members(&mut object);
                object.finish()
            }
        }
    };
}

/// Defines the event types; those after `--` have structs of their own.
macro_rules! vocabulary {
    (
        $($(#[$doc:meta])* $Event:ident = $name:literal $required:tt $optional:tt)*
        --
        $($(#[$own_doc:meta])* $Own:ident = $own_name:literal)*
    ) => {
        $(object! { $(#[$doc])* $Event $required $optional })*

        event_types! { $($(#[$doc])* $Event = $name,)* $($(#[$own_doc])* $Own = $own_name,)* }
    };
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $Event:ident = $name:literal,)*) => {
        /// The type of an event, without its members. A type that this version does not know has no kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $Event,)*
        }

        impl EventKind {
            /// Returns the kind of that name; `None` if this version does not know it.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$Event),)*
                    _ => None,
                }
            }

            /// Returns the type's name in the log.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$Event => $name,)*
                }
            }

            /// Returns whether a line of this type is corrupt if a member is missing or has another type of value.
            pub(crate) fn has_required_members(self) -> bool {
                match self {
                    $(Self::$Event => $Event::ANY_REQUIRED,)*
                }
            }
        }

        /// The type of an event and the members of that type.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum EventType {
            $($(#[$doc])* $Event($Event),)*
            /// A type that this version does not know. Its members are kept.
            Unknown(UnknownEvent),
        }

        $(
            impl From<$Event> for EventType {
                fn from(event: $Event) -> Self {
                    Self::$Event(event)
                }
            }
        )*

        impl EventType {
            /// Returns the kind; `None` if this version does not know the type.
            pub fn kind(&self) -> Option<EventKind> {
                match self {
                    $(Self::$Event(_) => Some(EventKind::$Event),)*
                    Self::Unknown(_) => None,
                }
            }

            /// Returns the type's name in the log.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$Event(_) => $name,)*
                    Self::Unknown(unknown) => &unknown.name,
                }
            }

            pub(crate) fn from_members(name: &str, members: &[Member<'_>]) -> Result<Self, MemberError> {
                Ok(match EventKind::from_name(name) {
                    $(Some(EventKind::$Event) => Self::$Event($Event::from_members(members)?),)*
                    None => Self::Unknown(UnknownEvent {
                        name: name.into(),
                        extra: ExtraMembers::from_members(members, |member| member == "type"),
                    }),
                })
            }

            pub(crate) fn to_json(&self) -> String {
                let mut object = ObjectWriter::new();
                object.member("type", &json(self.name()));
                match self {
                    $(Self::$Event(event) => event.write_members(&mut object),)*
                    Self::Unknown(unknown) => unknown.extra.write(&mut object),
                }
                object.finish()
            }
        }
    };
}

vocabulary! {
    /// A run begins: one attempt to publish for real. `package_count` is the number of packages in the plan.
    PlanCreated = "plan_created" (plan_id: PlanId, package_count: JsonUint) {
        /// Line of the decision that the run acts on. `None`: the run names no decision.
        gate: Option<JsonUint>,
        git: Lenient<GitCommit>
    }
    /// The release tool starts to publish to the live registry.
    ExecutionStarted = "execution_started" () {}
    /// The release tool has finished publishing. `result` is `"success"` or describes the failure.
    ExecutionFinished = "execution_finished" () { result: Lenient<String> }
    /// The release tool has stopped publishing before the end of the plan.
    ExecutionStopped = "execution_stopped" () { reason: Lenient<String> }
    /// The credentials that the release tool found for the live registry.
    AuthEvidenceRecorded = "auth_evidence_recorded" () { evidence: Lenient<AuthEvidence> }
    /// The hosts that a rehearsal or a run uses, and the host that its credentials are for.
    RegistryPolicyApplied = "registry_policy_applied" () { evidence: Lenient<RegistryPolicy> }
    /// Work on a package begins.
    PackageStarted = "package_started" () { name: Lenient<String>, version: Lenient<String> }
    /// A package was uploaded to the live registry.
    PackageUploaded = "package_uploaded" () {
        /// Hash of the packed files, in lowercase hex digits; see [`Event::content`](super::Event::content).
        content: Lenient<String>,
        /// SHA-256 of the `.crate` file, in lowercase hex digits, as in the index of the registry.
        cksum: Lenient<String>
    }
    /// A package is about to be published for real.
    PackageAttempted = "package_attempted" () {
        attempt: Lenient<JsonUint>,
        /// Command line that publishes the package.
        command: Lenient<String>, max_attempts: Lenient<JsonUint>
    }
    /// The last output of the publishing command.
    PackageOutput = "package_output" () { stdout_tail: Lenient<String>, stderr_tail: Lenient<String> }
    /// A package is on the live registry. Its plan is in the `plan_created` of the run.
    PackagePublished = "package_published" () {
        duration_ms: Lenient<JsonUint>,
        /// As in [`PackageUploaded`].
        content: Lenient<String>,
        /// As in [`PackageUploaded`].
        cksum: Lenient<String>
    }
    /// A package could not be published.
    PackageFailed = "package_failed" () {
        /// Class of the failure: `retryable`, `permanent` or `ambiguous`, or another text.
        class: Lenient<String>,
        message: Lenient<String>
    }
    /// A package was not published, because the live registry has it already.
    PackageSkipped = "package_skipped" () {
        reason: Lenient<String>,
        /// Hash of the packed files that the live registry has, as in [`PackageUploaded`].
        content: Lenient<String>
    }
    /// The release tool waits before it publishes the next package.
    PublishWaiting = "publish_waiting" () {
        reason: Lenient<String>, delay_ms: Lenient<JsonUint>,
        /// End of the wait, an RFC 3339 time.
        until: Lenient<String>
    }
    /// The live registry limited the rate of requests.
    RateLimitObserved = "rate_limit_observed" () {
        is_new_crate: Lenient<bool>,
        /// Wait that the registry asks for.
        retry_after_ms: Lenient<JsonUint>, message: Lenient<String>
    }
    /// The release tool begins to look up the outcome of an upload that it does not know.
    PublishReconciling = "publish_reconciling" () { method: Lenient<String> }
    /// The release tool has looked up the outcome of an upload. `outcome` is any JSON value, such as `"published"`.
    PublishReconciled = "publish_reconciled" () { outcome: Lenient<RawJson> }
    /// The state file of the release tool differs from its log.
    StateEventDriftDetected = "state_event_drift_detected" () { drift: Lenient<RawJson> }
    /// A version was yanked from the live registry.
    PackageYanked = "package_yanked" () { crate_name: Lenient<String>, version: Lenient<String>, reason: Lenient<String>, exit_code: Lenient<RawJson> }
    /// A rehearsal begins. `package_count` is the number of packages to rehearse.
    RehearsalStarted = "rehearsal_started" (registry: RegistryName, plan_id: PlanId, package_count: JsonUint) { git: Lenient<GitCommit> }
    /// A package was published to the rehearsal registry, or was there with the same content.
    RehearsalPackagePublished = "rehearsal_package_published" (name: String, version: String) {
        duration_ms: Lenient<JsonUint>,
        /// As in [`PackageUploaded`].
        content: Lenient<String>,
        /// True if the live registry had this content, so that the rehearsal did not build the package.
        already_published: Lenient<bool>
    }
    /// A package could not be published to the rehearsal registry. `class` is as in [`PackageFailed`].
    RehearsalPackageFailed = "rehearsal_package_failed" () { name: Lenient<String>, version: Lenient<String>, class: Lenient<String>, message: Lenient<String> }
    /// A rehearsal has ended. `passed` is its result.
    RehearsalComplete = "rehearsal_complete" (
        passed: bool, registry: RegistryName, plan_id: PlanId,
        /// Result of the rehearsal in words; no program interprets it.
        summary: String
    ) {}
    /// A rehearsed package is being installed.
    RehearsalSmokeCheckStarted = "rehearsal_smoke_check_started" () { name: Lenient<String>, version: Lenient<String>, registry: Lenient<String> }
    /// A rehearsed package was installed.
    RehearsalSmokeCheckSucceeded = "rehearsal_smoke_check_succeeded" () { name: Lenient<String>, version: Lenient<String>, duration_ms: Lenient<JsonUint> }
    /// A rehearsed package could not be installed.
    RehearsalSmokeCheckFailed = "rehearsal_smoke_check_failed" () { name: Lenient<String>, version: Lenient<String>, message: Lenient<String> }
    /// The release tool waits before it publishes a package again.
    RetryBackoffStarted = "retry_backoff_started" () { attempt: Lenient<JsonUint>, max_attempts: Lenient<JsonUint>, delay_ms: Lenient<JsonUint>, next_attempt_at: Lenient<String>, reason: Lenient<String>, message: Lenient<String> }
    /// The release tool will publish a package again. Our engine sets `attempt` to the one that failed.
    RetryScheduled = "retry_scheduled" () { attempt: Lenient<JsonUint>, max_attempts: Lenient<JsonUint>, delay_ms: Lenient<JsonUint>, next_attempt_at: Lenient<String>, reason: Lenient<String>, message: Lenient<String> }
    /// The release tool begins to look for a published package on the live registry.
    ReadinessStarted = "readiness_started" () {
        /// Where the tool looks, for example `api` or `index`.
        method: Lenient<String>
    }
    /// The release tool looked once for a published package on the live registry.
    ReadinessPoll = "readiness_poll" () { attempt: Lenient<JsonUint>, visible: Lenient<bool> }
    /// The release tool will look again for a published package.
    ReadinessPollScheduled = "readiness_poll_scheduled" () {
        attempt: Lenient<JsonUint>,
        /// Time until the next look.
        delay_ms: Lenient<JsonUint>,
        next_poll_at: Lenient<String>
    }
    /// A published package is visible on the live registry, after `attempts` looks.
    ReadinessComplete = "readiness_complete" () { duration_ms: Lenient<JsonUint>, attempts: Lenient<JsonUint> }
    /// A published package did not become visible in time.
    ReadinessTimeout = "readiness_timeout" () {
        /// Limit of the whole search.
        max_wait_ms: Lenient<JsonUint>
    }
    /// The search for a published package failed.
    ReadinessError = "readiness_error" () { duration_ms: Lenient<JsonUint> }
    /// The release tool begins to look for a published package in the index.
    IndexReadinessStarted = "index_readiness_started" () { crate_name: Lenient<String>, version: Lenient<String> }
    /// The release tool looked once for a published package in the index.
    IndexReadinessCheck = "index_readiness_check" () { crate_name: Lenient<String>, version: Lenient<String>, found: Lenient<bool> }
    /// The release tool has ended the search for a published package in the index.
    IndexReadinessComplete = "index_readiness_complete" () { crate_name: Lenient<String>, version: Lenient<String>, visible: Lenient<bool> }
    /// The checks before publishing begin.
    PreflightStarted = "preflight_started" () {}
    /// The result of packaging and building the workspace.
    PreflightWorkspaceVerify = "preflight_workspace_verify" () { passed: Lenient<bool>, output: Lenient<String> }
    /// A crate is new to the registry.
    PreflightNewCrateDetected = "preflight_new_crate_detected" () { crate_name: Lenient<String> }
    /// The result of checking that the publisher owns a crate.
    PreflightOwnershipCheck = "preflight_ownership_check" () { crate_name: Lenient<String>, verified: Lenient<bool> }
    /// The checks before publishing have ended.
    PreflightComplete = "preflight_complete" () { finishability: Lenient<RawJson> }
    /// The chain starts, or resumes, after an unchained line; the event records the head of all lines before it.
    LogAdopted = "log_adopted" (lines: JsonUint, bytes: JsonUint, blake3: String) {}
    /// A torn tail was cut off, and saved in a file that is named by its hash.
    TailRepaired = "tail_repaired" (
        /// Number of bytes that were cut off.
        bytes: JsonUint,
        /// BLAKE3 hash of those bytes, in lowercase hex digits.
        blake3: String
    ) {}
    /// The log continues an earlier log that was moved aside; the event records that log's head.
    LogContinued = "log_continued" (lines: JsonUint, bytes: JsonUint, blake3: String) {}
    /// A registry has other content under a name and version than was uploaded.
    PackageContentMismatch = "package_content_mismatch" (
        name: String, version: String,
        /// Hash of the uploaded files.
        expected: String,
        /// Hash of the files that the registry has.
        found: String
    ) {}
    --
    /// The gate evaluated a query and recorded its decision.
    GateEvaluated = "gate_evaluated"
}

value_object! {
    /// The credentials that a run would use, and the registry that they are for.
    AuthEvidence {
        schema_version: Lenient<String>,
        registry: Lenient<String>,
        /// Kind of credentials found, for example `missing` or `cargo_token`.
        auth_mode: Lenient<String>,
        token_detected: Lenient<bool>,
        oidc_request_url_present: Lenient<bool>,
        oidc_request_token_present: Lenient<bool>
    }
}

value_object! {
    /// The hosts that a rehearsal or a run uses.
    RegistryPolicy {
        /// Name of the policy, for example `rehearsal_or_test`.
        posture: Lenient<String>,
        allow_private: Lenient<bool>,
        allow_loopback: Lenient<bool>,
        /// Scheme, host and port that the credentials are for, for example `http://127.0.0.1:40005`.
        credential_authority: Lenient<String>,
        /// Scheme, host and port of the index, in the same form.
        index_authority: Lenient<String>
    }
}
