//! Files of a registry's sparse index, as downloaded: one JSON object a line, one line a version of a package.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use semver::Version;
use shipper_events::json::{Object, Value};
use shipper_events::{LineError, MAX_LINE_LEN};
use thiserror::Error;

/// Versions of packages in a registry, from files of its index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryIndex {
    files: Vec<String>,
    packages: HashMap<String, IndexPackage>,
    /// The names that a registry may treat as one: without case, and with `_` for `-`.
    spellings: HashMap<String, BTreeSet<String>>,
}

/// A package in an index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct IndexPackage {
    /// The entries of each version; more than one only if files or lines repeat it.
    pub(crate) versions: BTreeMap<Version, BTreeSet<IndexEntry>>,
    /// Positions of the files that contain the package.
    files: BTreeSet<usize>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IndexEntry {
    /// SHA-256 of the package's file, 64 lowercase hex digits.
    pub(crate) cksum: String,
    pub(crate) is_yanked: bool,
}

/// The error for a file that is not one of a sparse index.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The file is longer than 16 MiB.
    #[error("the file is longer than 16 MiB")]
    TooLong,
    /// A line is not one JSON object.
    #[error("line {line} is not one JSON object ({corruption})")]
    NotAnObject {
        /// The line; the first is 1.
        line: usize,
        /// The syntax error.
        corruption: LineError,
    },
    /// A member is missing or has the wrong type.
    #[error("line {line}: the member \"{member}\" is missing or is not {expected}")]
    Member {
        /// The line; the first is 1.
        line: usize,
        /// Name of the member.
        member: &'static str,
        /// Values that the member must have.
        expected: &'static str,
    },
}

impl RegistryIndex {
    /// Adds the lines of a file. Blank lines and unknown members are ignored. A version may be in several files, for
    /// example in an older download: it is then compared with each.
    ///
    /// # Errors
    ///
    /// [`IndexError`] if a line is not an entry of a sparse index. The file is then not added.
    ///
    /// ```
    /// use shipper_core::registry_index::RegistryIndex;
    /// let line = format!(r#"{{"name":"zq-a","vers":"0.1.0","deps":[],"cksum":"{}","yanked":false}}"#, "0".repeat(64));
    /// let mut index = RegistryIndex::default();
    /// index.add_file("zq/-a/zq-a", line.as_bytes())?;
    /// assert!(index.add_file("page.html", b"<html>").is_err());
    /// # Ok::<(), shipper_core::registry_index::IndexError>(())
    /// ```
    pub fn add_file(&mut self, path: impl Into<String>, bytes: &[u8]) -> Result<(), IndexError> {
        if bytes.len() > MAX_LINE_LEN {
            return Err(IndexError::TooLong);
        }
        let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
        let lines = lines.filter(|(bytes, _)| !bytes.trim_ascii().is_empty());
        let entries: Vec<_> = lines.map(|(bytes, line)| parse_line(bytes, line)).collect::<Result<_, _>>()?;
        let file = self.files.len();
        self.files.push(path.into());
        for (name, version, entry) in entries {
            self.spellings.entry(one_spelling(&name)).or_default().insert(name.clone());
            let package = self.packages.entry(name).or_default();
            package.files.insert(file);
            package.versions.entry(version).or_default().insert(entry);
        }
        Ok(())
    }

    /// Returns the package of exactly this name.
    pub(crate) fn package(&self, name: &str) -> Option<&IndexPackage> {
        self.packages.get(name)
    }

    /// Returns the first other name that a registry may treat as this one.
    pub(crate) fn other_spelling(&self, name: &str) -> Option<&str> {
        let spellings = self.spellings.get(&one_spelling(name))?;
        spellings.iter().map(String::as_str).find(|other| *other != name)
    }

    /// Returns the paths of the files that contain a package.
    pub(crate) fn files_of<'i>(&'i self, package: &'i IndexPackage) -> impl Iterator<Item = &'i String> {
        package.files.iter().filter_map(|file| self.files.get(*file))
    }
}

/// Returns the same text for the names of which crates-io accepts only one.
fn one_spelling(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

fn parse_line(bytes: &[u8], line: usize) -> Result<(String, Version, IndexEntry), IndexError> {
    let object = Object::parse(bytes).map_err(|corruption| IndexError::NotAnObject { line, corruption })?;
    let text = |member| object.get(member).and_then(Value::as_str);
    let wrong = |member, expected| IndexError::Member { line, member, expected };
    let name = text("name").filter(|name| !name.is_empty()).ok_or(wrong("name", "a non-empty string"))?;
    let version = text("vers").and_then(|version| Version::parse(&version).ok());
    let version = version.ok_or(wrong("vers", "a semantic version"))?;
    let cksum = text("cksum").as_deref().and_then(checksum).ok_or(wrong("cksum", "64 hex digits"))?;
    let is_yanked = match object.get("yanked") {
        None => false,
        Some(yanked) => yanked.as_bool().ok_or(wrong("yanked", "true or false"))?,
    };
    Ok((name.into_owned(), version, IndexEntry { cksum, is_yanked }))
}

/// Returns a SHA-256 in lower case; `None` for another text.
pub(crate) fn checksum(text: &str) -> Option<String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_ascii_lowercase())
}
