//! Owner and permissions of a log and its directory. A user who can write either can replace the log.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

/// The number of the superuser.
pub(super) const ROOT: u32 = 0;

/// The owner and the permissions of a file or directory, and the user of this process. Users and groups are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a storage of a caller builds it")]
pub struct FileAccess {
    /// The permission bits.
    pub mode: u32,
    /// The user who owns the file.
    pub owner: u32,
    /// The group of the file.
    pub group: u32,
    /// The effective user of this process.
    pub process_user: u32,
    /// The effective group of this process.
    pub process_group: u32,
}

/// A way in which another user can change a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessRisk {
    /// The owner is neither the user of this process nor the superuser.
    #[non_exhaustive]
    ForeignOwner {
        /// Path of the file or directory.
        path: Utf8PathBuf,
        /// The owner.
        owner: u32,
        /// The effective user of this process.
        user: u32,
    },
    /// The members of a group can write. The private group of the user does not count: its number is that of the user.
    #[non_exhaustive]
    GroupWritable {
        /// Path of the file or directory.
        path: Utf8PathBuf,
        /// The group.
        group: u32,
    },
    /// Every user can write.
    #[non_exhaustive]
    WorldWritable {
        /// Path of the file or directory.
        path: Utf8PathBuf,
    },
}

impl fmt::Display for AccessRisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignOwner { path, owner, user } => {
                write!(f, "{path} belongs to user {owner}, and this process runs as user {user}")
            }
            Self::GroupWritable { path, group } => write!(f, "group {group} can write {path}"),
            Self::WorldWritable { path } => write!(f, "every user can write {path}"),
        }
    }
}

impl FileAccess {
    /// Returns the gravest risk; `None` if only this user and the superuser can write.
    pub(super) fn risk(self, path: &Utf8Path) -> Option<AccessRisk> {
        let path = path.to_owned();
        let has_private_group = self.group == self.process_group && self.group == self.process_user;
        if self.owner != self.process_user && self.owner != ROOT {
            Some(AccessRisk::ForeignOwner { path, owner: self.owner, user: self.process_user })
        } else if self.mode & 0o002 != 0 {
            Some(AccessRisk::WorldWritable { path })
        } else if self.mode & 0o020 != 0 && !has_private_group {
            Some(AccessRisk::GroupWritable { path, group: self.group })
        } else {
            None
        }
    }
}
