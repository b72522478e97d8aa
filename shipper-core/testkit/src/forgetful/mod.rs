//! A mounted file system that forgets in a power cut what was not synced, for real programs.
//!
//! It is a FUSE file system in memory, over [`Disk`](crate::disk::Disk). So the model of a disk that the simulated storage
//! uses decides what may survive. The kernel keeps no names and no content, so every call of a program arrives. File locks
//! are the kernel's own.
//!
//! 1. [`PowerCut::run`] mounts a [`Volume`], starts a program, and counts the operations that change the volume or sync it.
//! 2. At the chosen operation the power fails: the operation waits until the program is killed, and fails with EIO, as
//!    does every later one.
//! 3. [`Volume::survivors`] returns the trees that may be left. A test writes them to a directory, or mounts them again.
//!
//! Operations that only read are not counted: until the next change, the disk stays the same, and the program only prints
//! more. So a cut at that change checks as much as one before.
//!
//! The file system may also lie: it acknowledges a sync without making anything durable. Then a test that checks
//! survivors must fail.

mod filesystem;
mod mount;
mod power_cut;
mod tree;

pub use filesystem::Lie;
pub use mount::can_mount;
pub use power_cut::{CutRun, PowerCut};
pub use tree::{Survivors, Tree, Volume};
