//! Inputs of an audit: its options, and the files that it compares with the log.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shipper_events::{Head, PlanId, RegistryName, Timestamp};
use thiserror::Error;

use super::accepted_cause::AcceptedCause;
use super::policy::{Policy, PolicyConflict};
use super::trusted_head::{HeadSigner, TrustedHead};
use crate::registry_index::RegistryIndex;
use crate::words::word_enums;

/// The options of an audit and the trusted values that it compares with the log. The JSON report names them `demand`.
/// The default audits the whole log and trusts the registry that the log names.
///
/// ```
/// use shipper_core::audit::AuditOptions;
/// let options = AuditOptions::default().with_registry("rehearsal".parse()?).with_strict(true);
/// assert!(options.strict);
/// # Ok::<(), shipper_events::event::EmptyNameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditOptions {
    /// The registry that rehearsals must have used. If it is `None`, the audit uses the one that the log names.
    pub registry: Option<RegistryName>,
    /// The only plan that is audited. If it is `None`, the audit includes every plan.
    pub plan_id: Option<PlanId>,
    /// The prefix that is audited: its lines, or a time. If it is `None`, the audit includes the whole log.
    #[serde(default, with = "as_text")]
    pub at: Option<AsOf>,
    /// A trusted head with which the log must begin. If it is `None`, the audit compares no head.
    #[serde(with = "as_text")]
    pub extends: Option<TrustedHead>,
    /// The signer of `extends`. `None` if no signature was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_signer: Option<HeadSigner>,
    /// A head up to which decisions and findings were reviewed before. The audit leaves out those decisions and lowers
    /// those findings to notes, except broken integrity and runs that end after the head. `None` changes nothing.
    #[serde(with = "as_text")]
    pub since: Option<TrustedHead>,
    /// True if warnings are errors; false by default.
    pub strict: bool,
    /// The verdict that decides the exit status. If it is `None`, the conclusion decides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<RequiredVerdict>,
    /// True to make the exit status 1 unless the log is [sealed](super::unsealed_cause); false by default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_sealed: bool,
    /// The causes for which an inconclusive log has the exit status 0; empty by default. `docs/auditing.md`, "Accepted
    /// causes", has the conditions.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accept: BTreeSet<AcceptedCause>,
    /// The head of the earlier log that this log continues, if that log was reviewed. `None` acknowledges no earlier log.
    #[serde(default, with = "as_text", skip_serializing_if = "Option::is_none")]
    pub acknowledge_earlier: Option<Head>,
    /// The rules of the auditor for a log. Set it with [`with_policy`](Self::with_policy), which also sets what the policy
    /// demands elsewhere in these options. `None` adds no rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

impl AuditOptions {
    /// Adds the rules of a policy. It also sets [`registry`](Self::registry), and adds to [`accept`](Self::accept).
    ///
    /// # Errors
    ///
    /// [`PolicyConflict`] if these options have another registry than the policy.
    pub fn with_policy(mut self, policy: Policy) -> Result<Self, PolicyConflict> {
        match (policy.registry.clone(), &self.registry) {
            (Some(policy), Some(option)) if policy != *option => {
                return Err(PolicyConflict { policy, option: option.clone() });
            }
            (Some(policy), _) => self.registry = Some(policy),
            (None, _) => {}
        }
        self.accept.extend(policy.accept.iter().copied());
        self.policy = Some(policy);
        Ok(self)
    }

    /// Returns whether the registry and the accepted causes are what [`with_policy`](Self::with_policy) sets.
    pub(in crate::audit) fn fits_policy(&self) -> bool {
        self.policy.as_ref().is_none_or(|policy| {
            let same_registry = policy.registry.is_none() || policy.registry == self.registry;
            same_registry && policy.accept.is_subset(&self.accept)
        })
    }

    /// Returns the accepted causes, separated by commas; `None` if there are none.
    pub fn accept_list(&self) -> Option<String> {
        let causes: Vec<&str> = self.accept.iter().map(|cause| cause.as_str()).collect();
        (!causes.is_empty()).then(|| causes.join(","))
    }

    /// Returns what the options require, separated by commas; `None` if that is nothing.
    pub fn require_list(&self) -> Option<String> {
        let sealed = self.require_sealed.then_some("sealed");
        let required: Vec<&str> = self.require.map(RequiredVerdict::as_str).into_iter().chain(sealed).collect();
        (!required.is_empty()).then(|| required.join(","))
    }

    /// Returns the command-line option that gives `extends`.
    pub fn extends_option(&self) -> &'static str {
        if self.head_signer.is_some() { "--signed-head" } else { "--extends" }
    }
}

/// Defines one setter for each member.
macro_rules! setters {
    ($($setter:ident $member:ident: $Type:ty => $value:expr;)*) => {
        impl AuditOptions {
            $(
                #[doc = concat!("Sets [`", stringify!($member), "`](Self::", stringify!($member), ").")]
                #[must_use]
                pub fn $setter(self, $member: $Type) -> Self {
                    Self { $member: $value, ..self }
                }
            )*
        }
    };
}

setters! {
    with_registry registry: RegistryName => Some(registry);
    with_plan_id plan_id: PlanId => Some(plan_id);
    with_at at: AsOf => Some(at);
    with_extends extends: impl Into<TrustedHead> => Some(extends.into());
    with_head_signer head_signer: HeadSigner => Some(head_signer);
    with_since since: impl Into<TrustedHead> => Some(since.into());
    with_strict strict: bool => strict;
    with_require require: RequiredVerdict => Some(require);
    with_require_sealed require_sealed: bool => require_sealed;
    with_accept accept: BTreeSet<AcceptedCause> => accept;
    with_acknowledge_earlier acknowledge_earlier: Head => Some(acknowledge_earlier);
}

/// The prefix of a log that is audited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsOf {
    /// The first lines, by their number; 0 for none.
    Line(u64),
    /// The lines up to the last one whose timestamp is not later. [`resolve_as_of`](super::resolve_as_of) finds it.
    Timestamp(Timestamp),
}

/// The error for text that is neither a line number nor a timestamp.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a line number or an RFC 3339 time such as 2026-11-23T08:12:26Z")]
#[non_exhaustive]
pub struct ParseAsOfError;

impl FromStr for AsOf {
    type Err = ParseAsOfError;

    fn from_str(text: &str) -> Result<Self, ParseAsOfError> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            text.parse().map(Self::Line).map_err(|_| ParseAsOfError)
        } else {
            text.parse().map(Self::Timestamp).map_err(|_| ParseAsOfError)
        }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => line.fmt(f),
            Self::Timestamp(timestamp) => timestamp.fmt(f),
        }
    }
}

word_enums! {
    /// A verdict that the gate must give at the end of the log. It decides the exit status.
    pub enum RequiredVerdict {
        /// The gate authorizes the plan of the options.
        Authorized = "authorized",
    }
}

/// The sidecar, `rehearsal.json`. The caller must read it before the log, because a later one may be ahead of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SidecarInput {
    /// The caller did not look for it.
    #[default]
    NotRequested,
    /// It does not exist.
    Absent {
        /// The path where the caller looked.
        path: String,
    },
    /// It exists and cannot be read.
    Unreadable {
        /// Path of the sidecar.
        path: String,
        /// Text of the error.
        error: String,
    },
    /// It was read.
    Found {
        /// Path of the sidecar.
        path: String,
        /// Bytes of the sidecar.
        bytes: Vec<u8>,
    },
}

/// The packet: the files `state.json` and `receipt.json` of the shipper tool. Their bytes, or why there are none, are as for
/// a sidecar. The caller must read the receipt first, then the state, then the log: the tool writes them in reverse.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PacketInput {
    /// The file `state.json`.
    pub state: SidecarInput,
    /// The file `receipt.json`.
    pub receipt: SidecarInput,
}

/// The files that an audit compares with a log. The default compares none. A [`SidecarInput`] converts to it, without the
/// others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComparedFiles {
    /// The sidecar.
    pub sidecar: SidecarInput,
    /// The packet.
    pub packet: PacketInput,
    /// The index of the live registry. `None` compares no index.
    pub index: Option<Arc<RegistryIndex>>,
}

impl From<SidecarInput> for ComparedFiles {
    fn from(sidecar: SidecarInput) -> Self {
        Self { sidecar, ..Self::default() }
    }
}

/// Serde functions for a value as text, in the form that the command-line flags use.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}
