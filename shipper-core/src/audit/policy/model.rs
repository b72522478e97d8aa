//! The policy as data, with its JSON form in a report.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName, display_safe};
use thiserror::Error;

use super::duration::{MAX_SECONDS, format_duration};
use crate::audit::accepted_cause::AcceptedCause;
use crate::audit::report::{Finding, FindingCode, Level};

/// The rules of an auditor for a log. [`Policy::parse`] reads them from TOML.
///
/// ```
/// use shipper_core::audit::{AuditOptions, Conclusion, Policy, SidecarInput, audit_reader};
/// let policy = Policy::parse("registry = \"rehearsal\"\nrequire-chained = true")?;
/// let options = AuditOptions::default().with_policy(policy)?;
/// let log = br#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}
/// "#;
/// let audit = audit_reader(&log[..], SidecarInput::NotRequested, &options)?;
/// assert_eq!(audit.conclusion(), Conclusion::Violated);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "PolicyJson")]
#[non_exhaustive]
pub struct Policy {
    /// SHA-256 of the policy file, 64 lowercase hex digits. `None` if the caller has not set it.
    pub sha256: Option<String>,
    /// The registry that rehearsals must have used, as in the options. `None` adds no rule.
    pub registry: Option<RegistryName>,
    /// The longest time, in seconds, from the completion of a rehearsal to a decision that it backs, and to each attempt,
    /// upload and publish with that permission. The log claims the times. `None` adds no rule.
    pub max_rehearsal_age: Option<u64>,
    /// True if a rehearsal that backs a permission must contain a successful smoke check of one of its packages.
    pub require_smoke_install: bool,
    /// True if every line must be chained.
    pub require_chained: bool,
    /// True if a signed head must cover the whole log: `extends` and `head_signer` of
    /// [`AuditOptions`](crate::audit::AuditOptions).
    pub require_sealed: bool,
    /// The permitted skips. A recorded skip that no entry permits is a finding. `None` adds no rule.
    pub skips: Option<Vec<SkipRule>>,
    /// The accepted causes, as in the options.
    pub accept: BTreeSet<AcceptedCause>,
    /// The levels of findings that differ from the default, sorted by code.
    pub levels: Vec<LevelRule>,
}

/// A permission to skip the rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SkipRule {
    /// The actor that a recorded skip must name. The log claims it.
    pub actor: String,
    /// The plans that the actor may skip. `None` permits every plan.
    pub plans: Option<Vec<PlanId>>,
}

/// The level of the findings with one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LevelRule {
    /// The code.
    pub code: FindingCode,
    /// The level.
    pub level: Level,
    /// The reason, which is not empty.
    pub reason: String,
}

/// The error for a policy and options that name different registries.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the policy requires the registry {}, but the option names {}",
    display_safe(policy.as_str()).max_chars(60).quoted(),
    display_safe(option.as_str()).max_chars(60).quoted()
)]
#[non_exhaustive]
pub struct PolicyConflict {
    /// The registry of the policy.
    pub policy: RegistryName,
    /// The registry of the options.
    pub option: RegistryName,
}

impl Policy {
    /// The longest text of a policy, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Returns the level that the policy sets for a code; `None` if it sets none.
    pub(in crate::audit) fn level(&self, code: FindingCode) -> Option<&LevelRule> {
        self.levels.iter().find(|rule| rule.code == code)
    }

    /// Sets the level of a finding, unless another option has changed it.
    pub(in crate::audit) fn set_level(&self, finding: &mut Finding) {
        let default = finding.code.level();
        if let Some(rule) = self.level(finding.code).filter(|_| finding.level == default) {
            finding.level = rule.level;
            let reason = display_safe(&rule.reason).max_chars(200);
            finding.help = format!("{}; the policy changes the level from {default}: {reason}", finding.help).into();
        }
    }

    /// Returns whether it has a rule about the times of runs, or about smoke checks. Other rules need no more events than
    /// an audit without a policy.
    pub(in crate::audit) fn needs_more_events(&self) -> bool {
        self.max_rehearsal_age.is_some() || self.require_smoke_install
    }

    /// Returns its rules as a list, each with the key of the policy file. Texts are safe to display.
    pub fn rules(&self) -> Vec<String> {
        let shown = |text: &str| display_safe(text).max_chars(60).quoted().to_string();
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        [
            self.registry.as_ref().map(|registry| format!("registry {}", shown(registry.as_str()))),
            self.max_rehearsal_age.map(|seconds| format!("max-rehearsal-age {}", format_duration(seconds))),
            self.require_smoke_install.then(|| "require-smoke-install".to_owned()),
            self.require_chained.then(|| "require-chained".to_owned()),
            self.require_sealed.then(|| "require-sealed".to_owned()),
            self.skips
                .as_ref()
                .map(|skips| format!("skips ({})", count(skips.len(), "entry").replace("entrys", "entries"))),
            (!self.accept.is_empty()).then(|| {
                let causes: Vec<&str> = self.accept.iter().map(|cause| cause.as_str()).collect();
                format!("accept {}", causes.join(","))
            }),
            (!self.levels.is_empty()).then(|| format!("levels of {}", count(self.levels.len(), "code"))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl LevelRule {
    /// Returns whether the rule lowers the level of findings that decide the conclusion about a log.
    pub(super) fn is_forbidden(code: FindingCode, level: Level) -> bool {
        let decides = code.level() == Level::Error || code.is_marker() || code == FindingCode::ContinuesEarlierLog;
        decides && level > code.level()
    }
}

/// The JSON form, which may come from an edited report.
#[derive(Deserialize)]
struct PolicyJson {
    sha256: Option<String>,
    registry: Option<RegistryName>,
    max_rehearsal_age: Option<u64>,
    require_smoke_install: bool,
    require_chained: bool,
    require_sealed: bool,
    skips: Option<Vec<SkipRule>>,
    accept: BTreeSet<AcceptedCause>,
    levels: Vec<LevelRule>,
}

impl TryFrom<PolicyJson> for Policy {
    type Error = &'static str;

    fn try_from(json: PolicyJson) -> Result<Self, &'static str> {
        if json.levels.iter().any(|rule| LevelRule::is_forbidden(rule.code, rule.level)) {
            return Err("a policy lowers a level that decides the conclusion");
        }
        if json.max_rehearsal_age.is_some_and(|seconds| !(1..=MAX_SECONDS).contains(&seconds)) {
            return Err("`max_rehearsal_age` is out of range");
        }
        Ok(Self {
            sha256: json.sha256,
            registry: json.registry,
            max_rehearsal_age: json.max_rehearsal_age,
            require_smoke_install: json.require_smoke_install,
            require_chained: json.require_chained,
            require_sealed: json.require_sealed,
            skips: json.skips,
            accept: json.accept,
            levels: json.levels,
        })
    }
}
