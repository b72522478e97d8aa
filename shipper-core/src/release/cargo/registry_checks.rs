//! Comparison of the workspace with a registry: the content of a published version, and the rules of the live registry.

use cargo_metadata::Package;

use super::crate_file::have_same_files;
use super::index::SparseIndex;
use super::live_lookup::published_crates;
use super::manifest::have_same_manifest;
use super::preflight::{PreflightInput, TokenKind, check, error_summary, names_to_look_up};
use super::problem::Level;
use super::publisher::CargoPublisher;
use super::stage::is_staged;
use super::workspace::planned_files;
use crate::release::plan::{Plan, PlannedPackage, content_of};
use crate::release::publisher::{Failure, PublishedState, StepContext, StepTarget};
use crate::release::registry::RegistryRole;

impl CargoPublisher {
    /// Compares a registry's content of a package's version with the workspace.
    pub(super) fn lookup_published(
        &self,
        target: StepTarget<'_>,
        context: &StepContext<'_>,
    ) -> Result<PublishedState, Failure> {
        let StepTarget { package, role } = target;
        let index = SparseIndex::new(role.registry(), &self.workspace.config)?;
        let entry = index.find_version(&package.name, &package.version, context)?;
        self.endpoints.check_redirect(role, &index)?;
        let Some(entry) = entry else {
            return Ok(PublishedState::Absent);
        };
        let different = |expected: &str, found: &str| PublishedState::DifferentContent {
            expected: expected.to_owned(),
            found: shipper_events::display_safe(found).max_chars(200).to_string(),
        };
        if (&entry.name, &entry.version) != (&package.name, &package.version) {
            return Ok(different(&package.id(), &format!("{}@{}", entry.name, entry.version)));
        }
        let approved = self.approved.get(&package.id()).filter(|_| matches!(role, RegistryRole::Live(_)));
        if let Some(approved) = approved.filter(|approved| !approved.eq_ignore_ascii_case(&entry.cksum)) {
            return Ok(different(approved, &entry.cksum));
        }
        let published = index.download(&entry, context)?;
        self.endpoints.check_redirect(role, &index)?;
        let same = self.workspace.files(&package.name).is_some_and(|ours| match role {
            RegistryRole::Rehearsal(_) => is_staged(&published, ours),
            RegistryRole::Live(_) => have_same_files(&published, ours) && have_same_manifest(&published, ours),
        });
        if same {
            return Ok(PublishedState::SameContent { cksum: Some(entry.cksum.to_ascii_lowercase()) });
        }
        let found = content_of(&planned_files(&published)).to_string();
        Ok(different(&package.content().to_string(), &found))
    }

    /// Applies the rules of the live registry to the manifests, and shows warnings.
    pub(super) fn check_manifests(&self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure> {
        let (workspace, live) = (&self.workspace, plan.live());
        let planned: Vec<&Package> =
            plan.packages().iter().filter_map(|package| workspace.member(&package.name)).collect();
        let size = |package: &PlannedPackage| Some((package.name.clone(), workspace.packed(&package.name)?.len));
        let differs = |package: &PlannedPackage, context: &StepContext<'_>| {
            let state = self.lookup_published(StepTarget { package, role: RegistryRole::Live(live) }, context)?;
            Ok(matches!(state, PublishedState::DifferentContent { .. }))
        };
        let (published, failure) =
            published_crates(plan, &names_to_look_up(&planned), &workspace.config, differs, context);
        // A request to stop is no answer of the registry.
        context.check()?;
        let problems = check(&PreflightInput {
            live,
            root: workspace.root(),
            planned: &planned,
            members: &workspace.members,
            sizes: &plan.packages().iter().filter_map(size).collect(),
            published: &published,
            token: TokenKind::of(workspace.config.token(live.name.as_str()).as_deref()),
        });
        let unanswered = failure.map(|failure| {
            format!("cannot compare the plan with the registry {}: {}", live.name, self.redacted(failure))
        });
        let warnings = problems.iter().filter(|problem| problem.level == Level::Warning).map(ToString::to_string);
        for warning in unanswered.into_iter().chain(warnings) {
            context.progress.warning(&shipper_events::display_safe(&warning).max_chars(1_000).to_string());
        }
        error_summary(&problems).map_or(Ok(()), |summary| Err(Failure::permanent(summary)))
    }
}
