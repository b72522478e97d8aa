//! The packages of the registry.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::index;

/// The crates by name, each with its versions in the order of their uploads.
#[derive(Default)]
pub(super) struct Store(BTreeMap<String, Vec<Version>>);

struct Version {
    number: String,
    entry: Value,
    bytes: Vec<u8>,
    /// The number of further requests that do not show the version.
    hidden_looks: u64,
}

/// A parsed upload: length and metadata, length and `.crate` file.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    metadata: Value,
    bytes: Vec<u8>,
}

impl Package {
    /// Appends a byte after the end of the archive.
    pub(super) fn tamper(&mut self) {
        self.bytes.push(0);
    }

    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (metadata, rest) = counted(body)?;
        let (bytes, rest) = counted(rest)?;
        let metadata: Value = serde_json::from_slice(metadata).ok()?;
        let text = |member: &str| metadata[member].as_str().map(str::to_owned);
        let (name, version) = (text("name")?, text("vers")?);
        rest.is_empty().then(|| Self { name, version, metadata, bytes: bytes.to_vec() })
    }
}

/// Splits off a length of four bytes, little-endian, and this number of bytes. Returns these bytes and the rest.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Store {
    /// Keeps an upload, or returns the reason for refusing it.
    pub(super) fn keep(&mut self, package: Package, hidden_looks: u64) -> Result<(), String> {
        let Package { name, version, metadata, bytes } = package;
        if self.find(&name, &version).is_some() {
            return Err(format!("crate version `{version}` is already uploaded"));
        }
        let entry = index::entry(&metadata, &checksum(&bytes));
        self.0.entry(name).or_default().push(Version { number: version, entry, bytes, hidden_looks });
        Ok(())
    }

    /// Replaces the file of a version.
    pub(super) fn replace(&mut self, name: &str, version: &str, bytes: Vec<u8>) {
        let kept = self.0.get_mut(name).and_then(|all| all.iter_mut().find(|kept| kept.number == version));
        let kept = kept.expect("a version");
        kept.entry["cksum"] = checksum(&bytes).into();
        kept.bytes = bytes;
    }

    /// Returns the crate's file in the index for this request.
    pub(super) fn look(&mut self, place: &str) -> Option<String> {
        let (_, versions) = self.0.iter_mut().find(|(name, _)| index::place(name) == place)?;
        let mut file = String::new();
        for version in versions {
            if version.hidden_looks > 0 {
                version.hidden_looks -= 1;
            } else {
                let _ = writeln!(file, "{}", version.entry);
            }
        }
        (!file.is_empty()).then_some(file)
    }

    pub(super) fn yank(&mut self, name: &str, version: &str, yanked: bool) -> bool {
        let versions = self.0.get_mut(name).into_iter().flatten();
        let found = versions.into_iter().find(|kept| kept.number == version);
        found.map(|kept| kept.entry["yanked"] = yanked.into()).is_some()
    }

    pub(super) fn versions(&self, name: &str) -> Vec<String> {
        self.0.get(name).into_iter().flatten().map(|version| version.number.clone()).collect()
    }

    pub(super) fn bytes(&self, name: &str, version: &str) -> Option<Vec<u8>> {
        self.find(name, version).map(|version| version.bytes.clone())
    }

    pub(super) fn entry(&self, name: &str, version: &str) -> Option<Value> {
        self.find(name, version).map(|version| version.entry.clone())
    }

    fn find(&self, name: &str, version: &str) -> Option<&Version> {
        self.0.get(name)?.iter().find(|kept| kept.number == version)
    }
}
