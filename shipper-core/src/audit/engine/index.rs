//! Tracker that compares the versions that a log publishes with a registry's index: `docs/evidence.md`, "The index".

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use semver::Version;
use shipper_events::{Event, EventType, display_safe};

use super::findings::Findings;
use crate::audit::report::{Finding, FindingCode, IndexReport};
use crate::registry_index::{IndexPackage, RegistryIndex, checksum};

/// Most versions that a message lists.
const MAX_LISTED: usize = 5;

/// The strongest statement of the log about a version. `Ord` sorts the strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LoggedAs {
    /// Uploaded. The upload may not have arrived.
    Uploaded,
    /// Skipped as already published.
    AlreadyPublished,
    /// Published by a run.
    Published,
}

/// A version in the log.
#[derive(Debug, Clone)]
struct Logged {
    state: LoggedAs,
    /// The first line with this state.
    line: u64,
    /// The latest checksum and its line.
    cksum: Option<(u64, String)>,
}

/// The versions in the log so far.
#[derive(Debug, Clone)]
pub(super) struct IndexTracker {
    index: Arc<RegistryIndex>,
    /// By `name@version`.
    logged: HashMap<Box<str>, Logged>,
}

/// The versions of one package in the log, by line.
type Versions<'a> = BTreeMap<(u64, &'a str), &'a Logged>;

impl IndexTracker {
    pub(super) fn new(index: Arc<RegistryIndex>) -> Self {
        Self { index, logged: HashMap::new() }
    }

    /// Records an event about a package, if it uploads, publishes or skips it as already published.
    pub(super) fn record_event(&mut self, line: u64, event: &Event, is_already_published: bool) {
        let (state, cksum) = match &event.event_type {
            EventType::PackageUploaded(uploaded) => (LoggedAs::Uploaded, uploaded.cksum.get()),
            EventType::PackagePublished(published) => (LoggedAs::Published, published.cksum.get()),
            EventType::PackageSkipped(_) if is_already_published => (LoggedAs::AlreadyPublished, None),
            _ => return,
        };
        // Another tool may use the name for something else.
        let cksum = cksum.and_then(|text| checksum(text));
        self.record(line, &event.package, state, cksum);
    }

    /// Records the state of a package, `name@version`.
    pub(super) fn record(&mut self, line: u64, package: &str, state: LoggedAs, cksum: Option<String>) {
        if !package.contains('@') {
            return;
        }
        let new = || Logged { state, line, cksum: None };
        let logged = self.logged.entry(package.into()).or_insert_with(new);
        if logged.state < state {
            (logged.state, logged.line) = (state, line);
        }
        logged.cksum = cksum.map(|cksum| (line, cksum)).or(logged.cksum.take());
    }

    /// Reports the differences. `is_whole` is false if the audit leaves out later lines of the log.
    pub(super) fn finish(self, is_whole: bool, findings: &mut Findings) -> IndexReport {
        let mut packages: BTreeMap<&str, Versions<'_>> = BTreeMap::new();
        for (package, logged) in &self.logged {
            let (name, version) = package.split_once('@').unwrap_or((package, ""));
            packages.entry(name).or_default().insert((logged.line, version), logged);
        }
        packages.retain(|_, versions| versions.values().any(|logged| logged.state > LoggedAs::Uploaded));
        let mut files = BTreeSet::new();
        for (name, versions) in &packages {
            let indexed = self.index.package(name);
            files.extend(indexed.into_iter().flat_map(|package| self.index.files_of(package)).cloned());
            for ((_, version), logged) in versions {
                let package = format!("{name}@{version}");
                let entry = indexed.zip(Version::parse(version).ok());
                let entries = entry.and_then(|(indexed, version)| indexed.versions.get(&version));
                match entries {
                    None if logged.state == LoggedAs::Uploaded => {}
                    None => findings.push(self.missing(&package, name, logged, indexed.is_some())),
                    Some(entries) => {
                        let yanked = entries.iter().any(|entry| entry.is_yanked);
                        let other = logged.cksum.as_ref().and_then(|(line, cksum)| {
                            let other = entries.iter().find(|entry| entry.cksum != *cksum)?;
                            Some(different_checksum(&package, *line, cksum, &other.cksum))
                        });
                        findings.extend(other.into_iter().chain(yanked.then(|| is_yanked(&package, logged.line))));
                    }
                }
            }
            let unlogged = indexed.filter(|_| is_whole).and_then(|indexed| unlogged(name, versions, indexed));
            findings.extend(unlogged);
        }
        let versions = packages.values().map(|versions| versions.len() as u64).sum();
        IndexReport::new(files.into_iter().collect(), packages.len() as u64, versions)
    }

    fn missing(&self, package: &str, name: &str, logged: &Logged, has_package: bool) -> Finding {
        let claim = match logged.state {
            LoggedAs::AlreadyPublished => "skips as already published",
            LoggedAs::Uploaded | LoggedAs::Published => "publishes",
        };
        let other = self.index.other_spelling(name).map(|other| display_safe(other).max_chars(60).quoted().to_string());
        let lacks = match (has_package, other) {
            (true, _) => "the index has no such version".to_owned(),
            (false, Some(other)) => format!("the index has only the name {other}"),
            (false, None) => "no file of --index has this package".to_owned(),
        };
        let message = format!("the log {claim} {}, but {lacks}", quoted(package));
        Finding::new(FindingCode::IndexMissing, logged.line, message)
    }
}

fn different_checksum(package: &str, line: u64, logged: &str, indexed: &str) -> Finding {
    let message = format!("{} has the SHA-256 {logged} in the log and {indexed} in the index", quoted(package));
    Finding::new(FindingCode::IndexChecksum, line, message)
}

fn is_yanked(package: &str, line: u64) -> Finding {
    Finding::new(FindingCode::IndexYanked, line, format!("{} is yanked in the index", quoted(package)))
}

/// Returns the finding about the versions in the index that are newer than the first published one of the log and that
/// no event explains. Build metadata does not make a version newer.
fn unlogged(name: &str, versions: &Versions<'_>, indexed: &IndexPackage) -> Option<Finding> {
    let ((line, first), _) = versions.iter().find(|(_, logged)| logged.state > LoggedAs::Uploaded)?;
    let first = Version::parse(first).ok()?;
    let known: BTreeSet<Version> = versions.keys().filter_map(|(_, version)| Version::parse(version).ok()).collect();
    let is_newer = |version: &&Version| version.cmp_precedence(&first) == Ordering::Greater;
    let new: Vec<&Version> = indexed.versions.keys().filter(is_newer).filter(|it| !known.contains(*it)).collect();
    let (name, count) = (quoted(name), new.len());
    let listed: Vec<String> = new.iter().take(MAX_LISTED).map(|it| quoted(&it.to_string())).collect();
    let more = if count > MAX_LISTED { format!(" and {} more", count - MAX_LISTED) } else { String::new() };
    let message = format!("the index has versions of {name} that no event published: {}{more}", listed.join(", "));
    (count > 0).then(|| Finding::new(FindingCode::IndexUnlogged, *line, message))
}

fn quoted(text: &str) -> String {
    display_safe(text).max_chars(80).quoted().to_string()
}
