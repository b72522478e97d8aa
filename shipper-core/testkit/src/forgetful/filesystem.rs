//! The operations of the mounted file system.
//!
//! None of them panics: the kernel would wait for the answer of a thread that has ended.

use std::ffi::OsStr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen,
    ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::tree::Volume;
use crate::disk::Disk;

/// The kernel keeps no answer.
const NOT_CACHED: Duration = Duration::ZERO;

/// The longest time that an operation waits until the program is killed.
const KILL_LIMIT: Duration = Duration::from_secs(60);

/// The number of the root directory is 1, and the number of a file is its position on the disk plus this.
const FIRST_FILE: u64 = 2;

/// Syncs that are acknowledged, although nothing becomes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    FileSyncs,
    DirectorySyncs,
}

/// The file system; clones are the same file system.
#[derive(Clone)]
pub(super) struct Forgetful {
    state: Arc<Mutex<State>>,
    killed: Arc<Condvar>,
}

struct State {
    disk: Disk,
    /// The metadata of each file of the disk. It is durable at once.
    nodes: Vec<Node>,
    root: Node,
    /// The number of operations so far that changed the disk or synced it.
    operations: usize,
    cut_at: Option<usize>,
    lie: Option<Lie>,
    /// Gets the message that the power has failed.
    on_cut: Sender<()>,
    is_cut: bool,
    is_killed: bool,
}

#[derive(Clone, Copy)]
struct Node {
    is_directory: bool,
    mode: u16,
    user: u32,
    group: u32,
    modified: SystemTime,
}

impl Forgetful {
    /// Returns a file system with this volume, which belongs to a user and a group. The power fails at the operation
    /// `cut_at`, counted from 0.
    pub(super) fn new(
        volume: &Volume,
        (user, group): (u32, u32),
        cut_at: Option<usize>,
        lie: Option<Lie>,
        on_cut: Sender<()>,
    ) -> Self {
        let modified = SystemTime::now();
        let node = |is_directory| {
            let mode = if is_directory { 0o755 } else { 0o644 };
            Node { is_directory, mode, user, group, modified }
        };
        let state = State {
            disk: volume.disk.clone(),
            nodes: volume.is_directory.iter().map(|is_directory| node(*is_directory)).collect(),
            root: node(true),
            operations: 0,
            cut_at,
            lie,
            on_cut,
            is_cut: false,
            is_killed: false,
        };
        Self { state: Arc::new(Mutex::new(state)), killed: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the operation at which the power failed end, because the program is killed.
    pub(super) fn killed(&self) {
        self.lock().is_killed = true;
        self.killed.notify_all();
    }

    /// The number of operations so far that changed the disk or synced it.
    pub(super) fn operations(&self) -> usize {
        self.lock().operations
    }

    /// Returns the volume as it is now.
    pub(super) fn volume(&self) -> Volume {
        let state = self.lock();
        Volume { disk: state.disk.clone(), is_directory: state.nodes.iter().map(|node| node.is_directory).collect() }
    }

    /// Runs an operation that only reads.
    fn look<T>(&self, operation: impl FnOnce(&State) -> Result<T, Errno>) -> Result<T, Errno> {
        let state = self.lock();
        if state.is_cut { Err(Errno::EIO) } else { operation(&state) }
    }

    /// Counts and runs an operation that changes the disk or syncs it, unless the power fails.
    fn change<T>(&self, operation: impl FnOnce(&mut State) -> Result<T, Errno>) -> Result<T, Errno> {
        let mut state = self.lock();
        if state.is_cut {
            return Err(Errno::EIO);
        }
        if state.cut_at == Some(state.operations) {
            state.is_cut = true;
            // Without a receiver, the test has ended.
            let _ = state.on_cut.send(());
            drop(self.killed.wait_timeout_while(state, KILL_LIMIT, |state| !state.is_killed));
            return Err(Errno::EIO);
        }
        state.operations += 1;
        operation(&mut state)
    }
}

impl State {
    /// Returns the file with this number; `None` is the root directory.
    fn file(&self, number: INodeNo) -> Result<Option<usize>, Errno> {
        if number == INodeNo::ROOT {
            return Ok(None);
        }
        let file = number.0.checked_sub(FIRST_FILE).and_then(|file| usize::try_from(file).ok());
        file.filter(|file| *file < self.nodes.len()).map(Some).ok_or(Errno::ENOENT)
    }

    fn regular(&self, number: INodeNo) -> Result<usize, Errno> {
        self.file(number)?.ok_or(Errno::EISDIR)
    }

    fn node(&self, file: Option<usize>) -> &Node {
        file.and_then(|file| self.nodes.get(file)).unwrap_or(&self.root)
    }

    fn node_mut(&mut self, file: Option<usize>) -> &mut Node {
        match file.and_then(|file| self.nodes.get_mut(file)) {
            Some(node) => node,
            None => &mut self.root,
        }
    }

    /// Returns the path of a directory.
    fn directory(&self, number: INodeNo) -> Result<Utf8PathBuf, Errno> {
        let Some(file) = self.file(number)? else {
            return Ok(Utf8PathBuf::new());
        };
        if !self.node(Some(file)).is_directory {
            return Err(Errno::ENOTDIR);
        }
        self.disk.names().into_iter().find(|(_, named)| *named == file).map(|(path, _)| path).ok_or(Errno::ENOENT)
    }

    fn path(&self, directory: INodeNo, name: &OsStr) -> Result<Utf8PathBuf, Errno> {
        Ok(self.directory(directory)?.join(name.to_str().ok_or(Errno::EINVAL)?))
    }

    /// Returns a path that no file has.
    fn new_path(&self, directory: INodeNo, name: &OsStr) -> Result<Utf8PathBuf, Errno> {
        let path = self.path(directory, name)?;
        if self.disk.file(&path).is_some() { Err(Errno::EEXIST) } else { Ok(path) }
    }

    fn named(&self, path: &Utf8Path) -> Result<usize, Errno> {
        self.disk.file(path).ok_or(Errno::ENOENT)
    }

    fn create(&mut self, path: &Utf8Path, request: &Request, is_directory: bool, mode: u32) -> FileAttr {
        let file = self.disk.create(path);
        self.nodes.push(Node {
            is_directory,
            mode: permissions(mode),
            user: request.uid(),
            group: request.gid(),
            modified: SystemTime::now(),
        });
        self.attributes(Some(file))
    }

    fn attributes(&self, file: Option<usize>) -> FileAttr {
        let node = self.node(file);
        let size = file.map_or(0, |file| self.disk.content(file).len() as u64);
        let names = self.disk.names().into_values().filter(|named| Some(*named) == file).count();
        FileAttr {
            ino: file.map_or(INodeNo::ROOT, |file| INodeNo(file as u64 + FIRST_FILE)),
            size,
            blocks: size.div_ceil(512),
            atime: node.modified,
            mtime: node.modified,
            ctime: node.modified,
            crtime: node.modified,
            kind: if node.is_directory { FileType::Directory } else { FileType::RegularFile },
            perm: node.mode,
            nlink: if node.is_directory { 2 } else { u32::try_from(names).unwrap_or(u32::MAX) },
            uid: node.user,
            gid: node.group,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    /// Sets the attributes that are given.
    fn set(&mut self, file: Option<usize>, mode: Option<u32>, (user, group): (Option<u32>, Option<u32>)) {
        let node = self.node_mut(file);
        node.mode = mode.map_or(node.mode, permissions);
        node.user = user.unwrap_or(node.user);
        node.group = group.unwrap_or(node.group);
    }

    fn write(&mut self, file: usize, offset: usize, data: &[u8], flags: OpenFlags) {
        if flags.0 & O_APPEND != 0 {
            self.disk.append(file, data);
        } else {
            self.disk.write(file, offset, data);
        }
        self.node_mut(Some(file)).modified = SystemTime::now();
    }

    fn rename(&mut self, from: &Utf8Path, to: &Utf8Path, flags: RenameFlags) -> Result<(), Errno> {
        self.named(from)?;
        if from.parent() != to.parent() {
            return Err(Errno::EXDEV);
        }
        if flags.contains(RenameFlags::RENAME_EXCHANGE) {
            return Err(Errno::EINVAL);
        }
        if flags.contains(RenameFlags::RENAME_NOREPLACE) && self.disk.file(to).is_some() {
            return Err(Errno::EEXIST);
        }
        self.disk.rename(from, to);
        Ok(())
    }

    /// The names in a directory, each with its number and type.
    fn entries(&self, directory: INodeNo) -> Result<Vec<(INodeNo, FileType, String)>, Errno> {
        let path = self.directory(directory)?;
        let mut entries = vec![
            (directory, FileType::Directory, ".".to_owned()),
            (INodeNo::ROOT, FileType::Directory, "..".to_owned()),
        ];
        for (name, file) in self.disk.names() {
            if name.parent() == Some(&path) {
                let attributes = self.attributes(Some(file));
                entries.push((attributes.ino, attributes.kind, name.file_name().unwrap_or_default().to_owned()));
            }
        }
        Ok(entries)
    }
}

/// The flag of an open file whose writes are at its end, on Linux.
const O_APPEND: i32 = 0o2000;

/// The permission bits of a mode.
fn permissions(mode: u32) -> u16 {
    u16::try_from(mode & 0o7777).unwrap_or_default()
}

fn offset(offset: u64) -> Result<usize, Errno> {
    usize::try_from(offset).map_err(|_| Errno::EFBIG)
}

fn answer(reply: ReplyEmpty, result: Result<(), Errno>) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn answer_entry(reply: ReplyEntry, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.entry(&NOT_CACHED, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn answer_attributes(reply: ReplyAttr, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.attr(&NOT_CACHED, &attributes),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Forgetful {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.look(|state| Ok(state.attributes(Some(state.named(&state.path(parent, name)?)?))));
        answer_entry(reply, found);
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        answer_attributes(reply, self.look(|state| Ok(state.attributes(state.file(number)?))));
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        mode: Option<u32>,
        user: Option<u32>,
        group: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let set = self.change(|state| {
            let file = state.file(number)?;
            state.set(file, mode, (user, group));
            if let Some(size) = size {
                let (file, size) = (state.regular(number)?, offset(size)?);
                state.disk.truncate(file, size);
            }
            Ok(state.attributes(file))
        });
        answer_attributes(reply, set);
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let made = self.change(|state| {
            let path = state.new_path(parent, name)?;
            Ok(state.create(&path, request, true, mode & !umask))
        });
        answer_entry(reply, made);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let created = self.change(|state| {
            let path = state.new_path(parent, name)?;
            Ok(state.create(&path, request, false, mode & !umask))
        });
        match created {
            Ok(attributes) => {
                let flags = FopenFlags::FOPEN_DIRECT_IO;
                reply.created(&NOT_CACHED, &attributes, Generation(0), FileHandle(0), flags);
            }
            Err(error) => reply.error(error),
        }
    }

    fn link(&self, _: &Request, number: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let linked = self.change(|state| {
            let (file, path) = (state.regular(number)?, state.new_path(parent, name)?);
            state.disk.link(file, &path);
            Ok(state.attributes(Some(file)))
        });
        answer_entry(reply, linked);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let renamed = self.change(|state| {
            let (from, to) = (state.path(parent, name)?, state.path(new_parent, new_name)?);
            state.rename(&from, &to, flags)
        });
        answer(reply, renamed);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.change(|state| {
            let path = state.path(parent, name)?;
            state.named(&path)?;
            state.disk.remove(&path);
            Ok(())
        });
        answer(reply, removed);
    }

    fn open(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.look(|state| state.regular(number)) {
            Ok(_) => reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        from: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let content = self.look(|state| {
            let content = state.disk.content(state.regular(number)?);
            Ok(content.into_iter().skip(offset(from)?).take(offset(size.into())?).collect::<Vec<u8>>())
        });
        match content {
            Ok(content) => reply.data(&content),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        at: u64,
        data: &[u8],
        _: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.change(|state| {
            let (file, at) = (state.regular(number)?, offset(at)?);
            state.write(file, at, data, flags);
            u32::try_from(data.len()).map_err(|_| Errno::EFBIG)
        });
        match written {
            Ok(count) => reply.written(count),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // Closing a file makes nothing durable.
        answer(reply, self.look(|_| Ok(())));
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.change(|state| {
            let file = state.regular(number)?;
            if state.lie != Some(Lie::FileSyncs) {
                state.disk.sync(file);
            }
            Ok(())
        });
        answer(reply, synced);
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.change(|state| {
            let directory = state.directory(number)?;
            if state.lie != Some(Lie::DirectorySyncs) {
                state.disk.sync_directory(&directory);
            }
            Ok(())
        });
        answer(reply, synced);
    }

    fn readdir(&self, _: &Request, number: INodeNo, _: FileHandle, from: u64, mut reply: ReplyDirectory) {
        match self.look(|state| Ok((state.entries(number)?, offset(from)?))) {
            Ok((entries, from)) => {
                for (position, (number, kind, name)) in entries.into_iter().enumerate().skip(from) {
                    if reply.add(number, position as u64 + 1, kind, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(error),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let free = 1 << 20;
        reply.statfs(free, free, free, free, free, 4096, 255, 4096);
    }
}
