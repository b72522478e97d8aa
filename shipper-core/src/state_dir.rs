//! The directory that contains a log and its sidecar.

use std::io;

use camino::Utf8Path;
use shipper_events::write::{FsStorage, LockOptions, Storage, TailRepair, WriterOptions, replace_file};

/// Name of the log in a state directory.
pub const LOG_FILE_NAME: &str = "events.jsonl";

/// Name of the sidecar in a state directory.
pub const SIDECAR_FILE_NAME: &str = "rehearsal.json";

/// Options of opening the log of a state directory. [`LockOptions`] convert to options with all other defaults.
#[derive(Debug, Clone, Default)]
pub struct StateOptions {
    writer: WriterOptions,
}

impl StateOptions {
    /// Creates the default options with these lock options.
    pub fn new(lock: LockOptions) -> Self {
        Self { writer: lock.into() }
    }

    /// Writes to a log that the shipper tool writes if `adopt` is true; false by default. That tool's reader then fails:
    /// see [`WriterOptions::adopt_unchained`].
    #[must_use]
    pub fn adopt_unchained(self, adopt: bool) -> Self {
        Self { writer: self.writer.adopt_unchained(adopt) }
    }

    /// Accepts a log that other users can change if `allow` is true; false by default: see
    /// [`WriterOptions::allow_foreign_owner`].
    #[must_use]
    pub fn allow_foreign_owner(self, allow: bool) -> Self {
        Self { writer: self.writer.allow_foreign_owner(allow) }
    }

    /// Repairs a torn tail when the gate is asked if `repair` is true and no rehearsal is open; false by default. So a
    /// publish continues after a crash: the lost line cannot be a failure of a rehearsal. A rehearsal always repairs.
    #[must_use]
    pub fn repair_torn_tail(self, repair: bool) -> Self {
        let repair = if repair { TailRepair::IfHarmless } else { TailRepair::Never };
        Self { writer: self.writer.tail_repair(repair) }
    }

    /// Returns the note that waiting processes show.
    pub(crate) fn holder_note(&self) -> &str {
        &self.writer.lock_options().holder_note
    }

    /// Returns the options of the log's writer.
    pub(crate) fn writer(self) -> WriterOptions {
        self.writer
    }
}

impl From<LockOptions> for StateOptions {
    fn from(lock: LockOptions) -> Self {
        Self::new(lock)
    }
}

/// Creates a state directory and its missing parents, durably, with mode 0755 less the umask. A new or empty one gets a
/// `.gitignore` for all files: otherwise cargo could pack the log into a package, and every event would change the plan.
///
/// # Errors
///
/// Returns the error of the file system if a directory or file cannot be created.
pub fn create_state_directory(path: &Utf8Path) -> io::Result<()> {
    if create_directory(path)? {
        replace_file(&FsStorage, &path.join(".gitignore"), b"*\n")?;
    }
    Ok(())
}

/// Creates a directory and its missing parents. Returns false if it exists and is not empty.
fn create_directory(path: &Utf8Path) -> io::Result<bool> {
    if path.as_str().is_empty() || path.is_dir() && !is_empty(path) {
        return Ok(false);
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    create_directory(parent)?;
    // An empty directory may be new and not durable: the process that created it may have been killed before the sync.
    let exists = path.is_dir();
    let created = match new_directory(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => exists,
        created => created.map(|()| true)?,
    };
    match FsStorage.sync_directory(parent) {
        // No process of this user created it.
        Err(error) if exists && error.kind() == io::ErrorKind::PermissionDenied => {}
        synced => synced?,
    }
    Ok(created)
}

fn is_empty(directory: &Utf8Path) -> bool {
    directory.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_none())
}

/// Creates a directory that, on Unix, only its owner can write, whatever the umask.
fn new_directory(path: &Utf8Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "other systems have no mode"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot create the directory {path}: {error}"));
    builder.create(path).map_err(named)
}
