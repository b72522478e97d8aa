//! Cargo's cache of a registry. Cargo never downloads a version again. If a new registry has the address of an earlier
//! one, cargo would build with the packages of the earlier one.

use std::io;

use camino::Utf8DirEntry;
use url::Url;

use super::config::{cargo_home, if_exists};
use crate::release::endpoint::parse_address;
use crate::release::plan::PlannedPackage;
use crate::release::registry::Registry;

/// Removes the packages from cargo's cache of that registry's host.
pub(super) fn evict(registry: &Registry, packages: &[PlannedPackage]) -> io::Result<()> {
    let index = parse_address(&registry.index);
    let (Some(home), Some(host)) = (cargo_home(), index.as_ref().and_then(Url::host_str)) else {
        return Ok(());
    };
    let is_of_host = |directory: &Utf8DirEntry| {
        let hash = directory.file_name().strip_prefix(host).and_then(|rest| rest.strip_prefix('-'));
        hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    for kind in ["cache", "src"] {
        for directory in if_exists(home.join("registry").join(kind).read_dir_utf8())?.into_iter().flatten() {
            let directory = directory?;
            for package in packages.iter().filter(|_| is_of_host(&directory)) {
                let unpacked = directory.path().join(format!("{}-{}", package.name, package.version));
                if_exists(fs_err::remove_file(format!("{unpacked}.crate")))?;
                if_exists(fs_err::remove_dir_all(unpacked))?;
            }
        }
    }
    Ok(())
}
