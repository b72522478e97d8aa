//! Lookups of the crates of a plan on the live registry, for the preflight check.

use std::collections::{BTreeMap, BTreeSet};

use super::config::CargoConfig;
use super::crates_io::CRATES_IO;
use super::index::SparseIndex;
use super::preflight::{PublishedCrate, other_spellings};
use crate::release::plan::{Plan, PlannedPackage};
use crate::release::publisher::{Failure, StepContext};

/// Looks up crates on the live registry, up to the first failure, which is returned too: cargo may reach a registry that
/// this program cannot reach. `differs` compares a package with the version on the registry.
pub(super) fn published_crates(
    plan: &Plan,
    names: &BTreeSet<&str>,
    config: &CargoConfig,
    differs: impl Fn(&PlannedPackage, &StepContext<'_>) -> Result<bool, Failure>,
    context: &StepContext<'_>,
) -> (BTreeMap<String, PublishedCrate>, Option<Failure>) {
    let mut published = BTreeMap::new();
    let looked_up = SparseIndex::new(plan.live(), config).and_then(|index| {
        let is_crates_io = plan.live().name.as_str() == CRATES_IO;
        names.iter().try_for_each(|name| {
            let mut one = published_crate(&index, name, is_crates_io, context)?;
            let package = plan.packages().iter().find(|package| package.name == *name);
            if let Some(package) = package.filter(|package| one.shows(&package.version)) {
                one.has_other_content = differs(package, context)?;
            }
            published.insert((*name).to_owned(), one);
            Ok(())
        })
    });
    (published, looked_up.err())
}

/// Looks up a crate, on crates-io also by other spellings that it takes for the same name.
fn published_crate(
    index: &SparseIndex,
    name: &str,
    is_crates_io: bool,
    context: &StepContext<'_>,
) -> Result<PublishedCrate, Failure> {
    let mut entries = index.versions(name, context)?;
    let spellings = if is_crates_io { other_spellings(name) } else { Vec::new() };
    for spelling in spellings {
        if entries.is_empty() {
            entries = index.versions(&spelling, context)?;
        }
    }
    Ok(PublishedCrate {
        name: entries.first().map(|entry| entry.name.clone()),
        versions: entries.iter().filter_map(|entry| Some((entry.version.parse().ok()?, entry.yanked))).collect(),
        has_other_content: false,
    })
}
