//! Checks of the place of a log: who else can write it, and whether the shipper tool does.

use camino::Utf8Path;

use super::access::{AccessRisk, ROOT};
use super::coexist::ShipperSign;
use super::error::LogError;
use super::paths::parent_dir;
use super::storage::{Storage, if_found};

/// Files that the shipper tool keeps beside its log.
const SHIPPER_FILES: [&str; 2] = ["state.json", "receipt.json"];

/// Checks a log, its directory, and the directory of the link that was given. Returns the risks as warnings if the
/// superuser runs this process: containers often mount a checkout that another user owns.
pub(super) fn check_access<S: Storage>(
    storage: &S,
    given: &Utf8Path,
    log: &Utf8Path,
) -> Result<Vec<AccessRisk>, LogError> {
    let link_directory = storage.resolve(parent_dir(given)).map_err(LogError::io("look up", parent_dir(given)))?;
    let mut warnings = Vec::new();
    for path in [&*link_directory, parent_dir(log), log] {
        let access = if_found(storage.access(path)).map_err(LogError::io("read the permissions of", path))?;
        let Some(access) = access.flatten() else {
            continue;
        };
        match access.risk(path) {
            Some(risk) if access.process_user != ROOT => return Err(LogError::OthersCanWrite { risk }),
            Some(risk) if !warnings.contains(&risk) => warnings.push(risk),
            _ => {}
        }
    }
    Ok(warnings)
}

/// Refuses to begin a log beside a file of the shipper tool.
pub(super) fn refuse_shipper_files<S: Storage>(storage: &S, log: &Utf8Path) -> Result<(), LogError> {
    let directory = parent_dir(log);
    let names = if_found(storage.read_dir(directory)).map_err(LogError::io("list the directory", directory))?;
    let found = names.unwrap_or_default().into_iter().find(|name| SHIPPER_FILES.contains(&name.as_str()));
    found.map_or(Ok(()), |name| Err(coexists(log, ShipperSign::File { path: directory.join(name) })))
}

/// Returns the error for a log with that sign.
pub(super) fn coexists(log: &Utf8Path, sign: ShipperSign) -> LogError {
    LogError::NotAdopted { path: log.to_owned(), sign }
}
