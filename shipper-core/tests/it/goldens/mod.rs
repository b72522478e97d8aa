//! A state directory on the simulated disk, whose files must equal the golden files.

#[cfg(feature = "release")]
mod release;
mod written;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use shipper_core::SkipRequest;
use shipper_testkit::sim_storage::SimStorage;

pub(super) const STATE: &str = "state";
pub(super) const LOG: &str = "state/events.jsonl";
pub(super) const SIDECAR: &str = "state/rehearsal.json";

/// A state directory on a simulated disk, whose clock advances only on demand of the scenario.
pub(super) struct StateDirectory {
    disk: SimStorage,
    seconds: Cell<u64>,
}

impl StateDirectory {
    pub(super) fn new(log: &[u8]) -> Self {
        let files: &[(&str, &[u8])] = if log.is_empty() { &[] } else { &[(LOG, log)] };
        Self { disk: SimStorage::with(files), seconds: Cell::new(0) }
    }

    /// Returns a later state with the same files, except one.
    pub(super) fn with_file(&self, path: &str, bytes: &[u8]) -> Self {
        let mut files: BTreeMap<String, Vec<u8>> = self.files();
        files.insert(path.to_owned(), bytes.to_vec());
        let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), &bytes[..])).collect();
        Self { disk: SimStorage::with(&files), seconds: self.seconds.clone() }
    }

    pub(super) fn with_log_tail(&self, tail: &[u8]) -> Self {
        let log = self.disk.read(LOG).expect("a log");
        self.with_file(LOG, &[&log, tail].concat())
    }

    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.disk.names().into_iter();
        names.map(|name| (name.to_string(), self.disk.read(name.as_str()).expect("a file"))).collect()
    }

    /// The disk, one second later.
    pub(super) fn later(&self) -> SimStorage {
        self.seconds.set(self.seconds.get() + 1);
        let since_epoch = Duration::new(1_795_424_400 + self.seconds.get(), 120);
        self.disk.set_clock(SystemTime::UNIX_EPOCH + since_epoch);
        self.disk.clone()
    }

    /// Compares every file with the golden directory of this name. Random parts of file names are blanked.
    pub(super) fn assert_matches(&self, scenario: &str) {
        let files = self.files().into_iter().map(|(name, bytes)| {
            let name = name.strip_prefix("state/").expect("a file of the state directory");
            (without_random_parts(name), bytes)
        });
        compare(scenario, files.collect());
    }
}

/// Returns the file name with `RANDOM` in place of a random name of the simulated disk: `r` and digits.
pub(super) fn without_random_parts(name: &str) -> String {
    let parts = name.split('.').map(|part| {
        let random = part.rsplit_once("-r").filter(|(_, digits)| digits.bytes().all(|byte| byte.is_ascii_digit()));
        random.map_or_else(|| part.to_owned(), |(rest, _)| format!("{rest}-RANDOM"))
    });
    parts.collect::<Vec<_>>().join(".")
}

/// Compares files with a directory of goldens, or writes them if the environment variable is set.
pub(super) fn compare(scenario: &str, files: BTreeMap<String, Vec<u8>>) {
    const UPDATE: &str = "if the change is meant, set SHIPPER_UPDATE_GOLDENS=1 and run this test again";
    let directory: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(scenario);
    let entries = |directory: &Path| std::fs::read_dir(directory).into_iter().flatten();
    let frozen: BTreeSet<PathBuf> = entries(&directory).map(|entry| entry.expect("an entry").path()).collect();
    let expected: BTreeSet<PathBuf> = files.keys().map(|name| directory.join(name)).collect();
    if std::env::var_os("SHIPPER_UPDATE_GOLDENS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(&directory).expect("created");
        frozen.difference(&expected).for_each(|path| std::fs::remove_file(path).expect("removed"));
        files.iter().for_each(|(name, bytes)| std::fs::write(directory.join(name), bytes).expect("written"));
        return;
    }
    assert_eq!(frozen, expected, "the files of {directory:?}; {UPDATE}");
    for (name, found) in files {
        let golden = std::fs::read(directory.join(&name)).expect("a golden");
        if golden == found {
            continue;
        }
        let (golden, found) = (String::from_utf8_lossy(&golden), String::from_utf8_lossy(&found));
        let (golden, found): (Vec<&str>, Vec<&str>) = (golden.split('\n').collect(), found.split('\n').collect());
        let line = (0..).find(|line| golden.get(*line) != found.get(*line) || *line >= found.len()).unwrap_or_default();
        panic!(
            "{scenario}/{name}, line {}:\n  - {}\n  + {}\n{UPDATE}",
            line + 1,
            golden.get(line).unwrap_or(&"(end of file)"),
            found.get(line).unwrap_or(&"(end of file)"),
        );
    }
}

pub(super) fn skip_request() -> SkipRequest {
    SkipRequest::new(Some("release\u{1b} bot".to_owned()), Some("no \"time\", ü".to_owned()))
}
