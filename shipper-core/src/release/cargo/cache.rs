//! What cargo remembers of a registry. It takes a name and version for unchanging, so a registry that was set up anew at the
//! same address, or that lost a package and got another, would be rehearsed with what it once had.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::release::plan::Planned;
use crate::release::world::Target;

/// Removes what cargo keeps of these packages from that registry's host.
pub(super) fn forget(registry: &Target, packages: &[Planned]) -> io::Result<()> {
    let (Some(home), Some(host)) = (home(), registry.host()) else {
        return Ok(());
    };
    let of_host = format!("{host}-");
    for kept in ["cache", "src"] {
        for place in entries(&home.join("registry").join(kept))? {
            if !place.file_name().is_some_and(|name| name.starts_with(&of_host)) {
                continue;
            }
            for package in packages {
                let (name, version) = (&package.name, &package.version);
                gone(fs_err::remove_file(place.join(format!("{name}-{version}.crate"))))?;
                gone(fs_err::remove_dir_all(place.join(format!("{name}-{version}"))))?;
            }
        }
    }
    Ok(())
}

/// Cargo's home.
pub(super) fn home() -> Option<Utf8PathBuf> {
    let home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from);
    home.or_else(|| std::env::var("HOME").ok().map(|home| Utf8Path::new(&home).join(".cargo")))
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
