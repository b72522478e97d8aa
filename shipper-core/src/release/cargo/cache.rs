//! What cargo remembers of a registry. It takes a name and version for unchanging, so a registry that was set up anew at the
//! same address, or that lost a package and got another, would be rehearsed with what it once had.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::config::home;
use crate::release::plan::PlannedPackage;
use crate::release::registry::Registry;

/// Removes what cargo keeps of the packages from that registry's host.
pub(super) fn forget(registry: &Registry, packages: &[PlannedPackage]) -> io::Result<()> {
    let (Some(home), Some(host)) = (home(), registry.host()) else {
        return Ok(());
    };
    let of_host = |place: &Utf8PathBuf| {
        let rest = place.file_name().and_then(|name| name.strip_prefix(&host)?.strip_prefix('-'));
        rest.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    for places in ["cache", "src"] {
        for place in entries(&home.join("registry").join(places))?.into_iter().filter(of_host) {
            for package in packages {
                let kept = format!("{}-{}", package.name, package.version);
                gone(fs_err::remove_file(place.join(format!("{kept}.crate"))))?;
                gone(fs_err::remove_dir_all(place.join(&kept)))?;
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

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(error),
        _ => Ok(()),
    }
}
