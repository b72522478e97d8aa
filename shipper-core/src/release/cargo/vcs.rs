//! The git commit of a workspace, as cargo records it in the packages that it packs.

use std::process::{Command, Stdio};

use camino::Utf8Path;
use serde::Deserialize;
use shipper_events::event::{CommitId, GitCommit};

/// The file `.cargo_vcs_info.json` of a package.
#[derive(Deserialize)]
struct VcsInfo {
    git: GitInfo,
}

#[derive(Deserialize)]
struct GitInfo {
    sha1: String,
    /// Older versions of cargo do not write it.
    #[serde(default)]
    dirty: bool,
}

/// Returns the commit of a workspace, from the file of each of its packages; `None` stands for a package without the file.
///
/// Returns `None` if no package has a commit, or if two packages have different ones. The workspace is dirty if a package
/// is, or if a package has no commit beside others that have one: its files are not those of the commit.
pub(super) fn commit_of<'f>(files: impl Iterator<Item = Option<&'f [u8]>>) -> Option<GitCommit> {
    let infos: Vec<Option<GitInfo>> = files.map(|file| file.and_then(parse)).collect();
    let mut known = infos.iter().flatten();
    let commit = &known.next()?.sha1;
    if known.any(|info| info.sha1 != *commit) {
        return None;
    }
    let is_dirty = infos.iter().any(|info| info.as_ref().is_none_or(|info| info.dirty));
    Some(GitCommit::new(CommitId::new(commit.as_str()).ok()?, is_dirty))
}

/// Returns `true` if git is installed and shows that a file of a directory is changed or not tracked.
pub(super) fn differs_from_commit(directory: &Utf8Path, file: &str) -> bool {
    let mut git = Command::new("git");
    // The configuration of a repository can name a program that watches files.
    git.current_dir(directory).args(["-c", "core.fsmonitor=false", "--no-optional-locks"]);
    git.args(["status", "--porcelain", "--", file]).stdin(Stdio::null());
    git.output().is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

fn parse(file: &[u8]) -> Option<GitInfo> {
    serde_json::from_slice::<VcsInfo>(file).ok().map(|info| info.git)
}

#[cfg(test)]
#[path = "../../../tests/unit/vcs.rs"]
mod tests;
