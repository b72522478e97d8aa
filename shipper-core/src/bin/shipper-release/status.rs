//! `shipper-release status`: the packages of the plan on the live registry, the gate's answer, and the next step. It
//! records and publishes nothing.

use std::io;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::{Value, json};
use shipper_core::fold::OpenGateError;
use shipper_core::release::cargo::{CargoPublisher, ConfigError};
use shipper_core::release::{
    CancelToken, PublishedState, Publisher, RegistryRole, StepContext, StepTarget, error_chain,
};
use shipper_core::{GateProjection, GateQuery, RefusalCode, Verdict, VerdictKind, evaluate};
use shipper_events::event::GitCommit;

/// The time limit for the lookup of one package.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(60);

/// A package of the plan on the live registry.
enum OnLiveRegistry {
    Absent,
    Published,
    OtherContent,
    /// The registry gave no valid answer, for this reason.
    Unknown(String),
}

/// The gate's answer if it was asked now.
enum GateNow {
    Verdict(Verdict),
    /// The log cannot be trusted, for this reason.
    Untrusted(String),
}

pub(crate) struct Status {
    plan_id: String,
    live: String,
    packages: Vec<(String, OnLiveRegistry)>,
    gate: GateNow,
    /// The commit of the workspace; `None` outside git.
    git: Option<GitCommit>,
    /// The options of the next command.
    options: String,
    /// `true` if the next command permits uncommitted files.
    allow_dirty: bool,
}

impl Status {
    /// Reads the log, and looks every package up on the live registry. Without a rehearsal registry, the gate is
    /// dormant.
    pub(crate) fn read(
        publisher: &mut CargoPublisher,
        log: &Utf8Path,
        rehearsal_registry: Option<&str>,
        cancel: &CancelToken,
    ) -> Result<Self, ConfigError> {
        let rehearsal = rehearsal_registry.map(|name| publisher.workspace().registry(name)).transpose()?;
        let plan = publisher.workspace().plan().clone();
        let query = GateQuery::new(plan.plan_id().clone(), rehearsal.map(|registry| registry.name));
        let gate = match GateProjection::open(log) {
            Ok(gate) => GateNow::Verdict(evaluate(gate.state(), &query)),
            Err(OpenGateError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                GateNow::Verdict(evaluate(GateProjection::default().state(), &query))
            }
            Err(error) => GateNow::Untrusted(error_chain(&error)),
        };
        let role = RegistryRole::Live(plan.live());
        let packages = plan.packages().iter().map(|package| {
            let mut context = StepContext { deadline: Instant::now() + LOOKUP_TIMEOUT, cancel, progress: &mut () };
            let state = match publisher.lookup(StepTarget { package, role }, &mut context) {
                Ok(PublishedState::Absent) => OnLiveRegistry::Absent,
                Ok(PublishedState::SameContent { .. }) => OnLiveRegistry::Published,
                Ok(_) => OnLiveRegistry::OtherContent,
                Err(failure) => {
                    OnLiveRegistry::Unknown(shipper_events::display_safe(&failure.message).max_chars(400).to_string())
                }
            };
            (package.id(), state)
        });
        let (plan_id, live) = (plan.plan_id().to_string(), plan.live().name.to_string());
        let (packages, git) = (packages.collect(), plan.git().cloned());
        Ok(Self { plan_id, live, packages, gate, git, options: String::new(), allow_dirty: false })
    }

    /// Sets the options of the next command.
    pub(crate) fn with_options(self, options: String, allow_dirty: bool) -> Self {
        Self { options, allow_dirty, ..self }
    }

    /// Returns `true` if cargo refuses to pack the workspace as it is.
    fn is_uncommitted(&self) -> bool {
        !self.allow_dirty && self.git.as_ref().is_some_and(|git| git.dirty)
    }

    /// Returns `true` if nothing is left to publish, or if a publish would begin now.
    pub(crate) fn is_ready(&self) -> bool {
        let may_publish = matches!(&self.gate, GateNow::Verdict(verdict) if verdict.may_publish());
        let clear = |state: &OnLiveRegistry| matches!(state, OnLiveRegistry::Absent | OnLiveRegistry::Published);
        self.is_complete()
            || may_publish && !self.is_uncommitted() && self.packages.iter().all(|(_, state)| clear(state))
    }

    fn is_complete(&self) -> bool {
        self.packages.iter().all(|(_, state)| matches!(state, OnLiveRegistry::Published))
    }

    /// Returns the step that comes next.
    fn next_step(&self) -> String {
        for (id, state) in &self.packages {
            match state {
                OnLiveRegistry::OtherContent => {
                    let name = id.split('@').next().unwrap_or(id);
                    return format!("bump the version of {name}, or leave it out with --exclude {name}");
                }
                OnLiveRegistry::Unknown(_) => return format!("make the registry {} answer", self.live),
                OnLiveRegistry::Absent | OnLiveRegistry::Published => {}
            }
        }
        if self.is_complete() {
            return "nothing is left to publish".to_owned();
        }
        if self.is_uncommitted() {
            return "commit the changed files, or pass --allow-dirty".to_owned();
        }
        let options = &self.options;
        match &self.gate {
            // A publish would begin, but without a rehearsal.
            GateNow::Verdict(verdict) if verdict.code() == VerdictKind::Dormant => {
                "name the rehearsal registry with --rehearsal-registry, to see the gate's answer".to_owned()
            }
            GateNow::Verdict(verdict) if verdict.may_publish() => format!("shipper-release publish{options}"),
            GateNow::Verdict(verdict)
                if matches!(verdict.reason_codes()[..], [RefusalCode::NoRehearsal | RefusalCode::StalePlan]) =>
            {
                format!("shipper-release rehearse{options}")
            }
            GateNow::Verdict(verdict) => {
                let help = verdict.reasons().first().map(|reason| reason.code().help()).unwrap_or_default();
                format!("{help}: shipper-release rehearse{options}")
            }
            GateNow::Untrusted(_) => RefusalCode::UntrustedLog.help().to_owned(),
        }
    }

    /// Returns the lines for people.
    pub(crate) fn to_text(&self) -> String {
        let mut lines = vec![format!("plan {}", self.plan_id)];
        if let Some(GitCommit { commit, dirty, .. }) = &self.git {
            let dirty = if *dirty { ", with uncommitted changes" } else { "" };
            lines.push(format!("commit {commit}{dirty}"));
        }
        for (id, state) in &self.packages {
            lines.push(match state {
                OnLiveRegistry::Absent => format!("{id}: not on {}", self.live),
                OnLiveRegistry::Published => format!("{id}: published on {}", self.live),
                OnLiveRegistry::OtherContent => format!("{id}: {} has this version with other content", self.live),
                OnLiveRegistry::Unknown(reason) => format!("{id}: unknown: {reason}"),
            });
        }
        lines.push(match &self.gate {
            GateNow::Verdict(verdict) if verdict.code() == VerdictKind::Dormant => {
                "gate: dormant: without --rehearsal-registry, it requires no rehearsal".to_owned()
            }
            GateNow::Verdict(verdict) => {
                let reasons: Vec<String> = verdict.reasons().iter().map(ToString::to_string).collect();
                let colon = if reasons.is_empty() { "" } else { ": " };
                format!("gate: {}{colon}{}", verdict.code(), reasons.join("; and "))
            }
            GateNow::Untrusted(reason) => format!("gate: refused: {reason}"),
        });
        lines.push(format!("next: {}", self.next_step()));
        lines.join("\n")
    }

    /// Returns the JSON object for programs.
    pub(crate) fn to_json(&self) -> Value {
        let packages = self.packages.iter().map(|(id, state)| {
            let (state, reason) = match state {
                OnLiveRegistry::Absent => ("absent", None),
                OnLiveRegistry::Published => ("published", None),
                OnLiveRegistry::OtherContent => ("other-content", None),
                OnLiveRegistry::Unknown(reason) => ("unknown", Some(reason)),
            };
            json!({ "package": id, "state": state, "reason": reason })
        });
        let (verdict, reasons) = match &self.gate {
            GateNow::Verdict(verdict) => {
                (verdict.code(), verdict.reason_codes().iter().map(ToString::to_string).collect::<Vec<_>>())
            }
            GateNow::Untrusted(_) => (VerdictKind::Refused, vec![RefusalCode::UntrustedLog.to_string()]),
        };
        json!({
            "plan_id": self.plan_id,
            "live_registry": self.live,
            "git": self.git.as_ref().map(|git| json!({ "commit": git.commit.to_string(), "dirty": git.dirty })),
            "packages": packages.collect::<Vec<_>>(),
            "gate": { "verdict": verdict.to_string(), "reasons": reasons },
            "next": self.next_step(),
        })
    }
}
