//! Cargo's cache of a registry. Cargo never downloads a version again, so it would rehearse with old packages of a registry
//! that was set up anew at the same address.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::config::cargo_home;
use crate::release::plan::PlannedPackage;
use crate::release::registry::Registry;

/// Removes the packages from cargo's cache of that registry's host.
pub(super) fn evict(registry: &Registry, packages: &[PlannedPackage]) -> io::Result<()> {
    let (Some(home), Some(host)) = (cargo_home(), registry.host()) else {
        return Ok(());
    };
    let is_of_host = |directory: &Utf8PathBuf| {
        let rest = directory.file_name().and_then(|name| name.strip_prefix(&host)?.strip_prefix('-'));
        rest.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    for kind in ["cache", "src"] {
        for cache_dir in entries(&home.join("registry").join(kind))?.into_iter().filter(is_of_host) {
            for package in packages {
                let unpacked = cache_dir.join(format!("{}-{}", package.name, package.version));
                ignore_missing(fs_err::remove_file(format!("{unpacked}.crate")))?;
                ignore_missing(fs_err::remove_dir_all(unpacked))?;
            }
        }
    }
    Ok(())
}

fn entries(directory: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    match directory.read_dir_utf8() {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path().to_owned())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(error),
        _ => Ok(()),
    }
}
