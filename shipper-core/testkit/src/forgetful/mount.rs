//! Mounting, and unmounting on every way out of a test.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};

use fuser::{BackgroundSession, Config, MountOption};
use rustix::mount::{UnmountFlags, unmount};

use super::filesystem::{Forgetful, Lie};
use super::tree::{Tree, Volume};
use crate::settings::print_figure;

/// A mounted file system. Dropping it aborts all its operations and unmounts it.
pub(super) struct Mounted {
    pub(super) files: Forgetful,
    session: Option<BackgroundSession>,
    directory: Option<tempfile::TempDir>,
}

impl Mounted {
    /// Mounts a volume: see [`Forgetful::new`].
    pub(super) fn new(
        volume: &Volume,
        cut_at: Option<usize>,
        lie: Option<Lie>,
        on_cut: Sender<()>,
    ) -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let owner = directory.path().metadata()?;
        let files = Forgetful::new(volume, (owner.uid(), owner.gid()), cut_at, lie, on_cut);
        let mut config = Config::default();
        config.mount_options = vec![
            // The kernel compares owner and mode with the user of a program.
            MountOption::DefaultPermissions,
            MountOption::FSName("forgetful".to_owned()),
        ];
        let session = fuser::spawn_mount(files.clone(), directory.path(), &config)?;
        Ok(Self { files, session: Some(session), directory: Some(directory) })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.as_ref().expect("it is mounted").path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let Some(directory) = self.directory.take() else {
            return;
        };
        // An operation that waits for a program that was not killed.
        self.files.killed();
        // Every operation ends with an error, and the mount goes even if a program has a file open. A user who may not do
        // this mounted with `fusermount3`, and the session unmounts with it.
        let _ = unmount(directory.path(), UnmountFlags::FORCE | UnmountFlags::DETACH);
        let ended = self.session.take().map(BackgroundSession::umount_and_join);
        if is_mounted(directory.path()) {
            // Removing the directory would go through the file system.
            let path: PathBuf = directory.keep();
            assert!(std::thread::panicking(), "{} is still mounted: {ended:?}", path.display());
        }
    }
}

fn is_mounted(directory: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().any(|mount| mount.split(' ').nth(1) == directory.to_str())
}

/// Returns `true` if this user can mount the file system here. If not, it prints that the current test is skipped, and why.
#[must_use]
pub fn can_mount() -> bool {
    let (on_cut, _) = mpsc::channel();
    let Err(error) = Mounted::new(&Volume::from(&Tree::default()), None, None, on_cut) else {
        return true;
    };
    let test = std::thread::current();
    print_figure(&format!("skipped: {} needs FUSE: {error}", test.name().unwrap_or("a test")));
    false
}
