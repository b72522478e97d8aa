//! Standard input and output: descriptors that are closed, and pipes that do not block.

use std::io::{self, Read, Write};
use std::time::Duration;

/// Time between two reads of a non-blocking pipe without data, or two writes to one without space.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// Reader that waits for data where a non-blocking descriptor has none.
pub(crate) struct WaitingReader<R>(pub(crate) R);

impl<R: Read> Read for WaitingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| self.0.read(buffer))
    }
}

/// Writer that waits for space where a non-blocking descriptor has none.
pub(crate) struct WaitingWriter<W>(W);

impl<W: Write> Write for WaitingWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        retry(|| self.0.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        retry(|| self.0.flush())
    }
}

/// Repeats a step until it does not fail because it would block.
fn retry<T>(mut step: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match step() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(RETRY_INTERVAL),
            result => return result,
        }
    }
}

/// Opens standard input.
///
/// # Errors
///
/// An error if it is closed, or not open for reading.
pub(crate) fn stdin() -> io::Result<WaitingReader<io::Stdin>> {
    match is_closed(0, AccessMode::WRITE) {
        true => Err(io::Error::other("standard input is closed")),
        false => Ok(WaitingReader(io::stdin())),
    }
}

/// Opens standard output.
///
/// # Errors
///
/// An error if it is closed, or not open for writing.
pub(crate) fn stdout() -> io::Result<WaitingWriter<io::Stdout>> {
    match is_closed(1, AccessMode::READ) {
        true => Err(io::Error::other("standard output is closed")),
        false => Ok(WaitingWriter(io::stdout())),
    }
}

/// Returns an error if standard output is a pipe or socket whose reader has closed it. Without this check, a program that
/// writes rarely would not notice.
#[cfg(unix)]
pub(crate) fn check_reader() -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut descriptors = [PollFd::new(&stdout, PollFlags::empty())];
    // A failed poll says nothing about the reader.
    let _ = poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    let closed = PollFlags::ERR | PollFlags::HUP;
    match descriptors.iter().any(|descriptor| descriptor.revents().intersects(closed)) {
        true => Err(io::ErrorKind::BrokenPipe.into()),
        false => Ok(()),
    }
}

#[cfg(not(unix))]
pub(crate) fn check_reader() -> io::Result<()> {
    Ok(())
}

/// Access mode in the flags of a descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
struct AccessMode(u32);

impl AccessMode {
    const READ: Self = Self(0);
    const WRITE: Self = Self(1);
    #[cfg(target_os = "linux")]
    const READ_AND_WRITE: Self = Self(2);
}

/// Returns whether a standard descriptor has the mode `wrong`, or was closed when the program started. The standard
/// library ignores the error of both.
///
/// Before `main`, the runtime of Rust opens `/dev/null` for reading and writing in place of each closed standard
/// descriptor, so that no file gets its number. A shell opens `/dev/null` for only one of the two. A caller that passes
/// `/dev/null` open for both, as Python's `subprocess.DEVNULL` does, cannot be distinguished from one that closes the
/// descriptor: without `unsafe`, no code can run before the runtime.
#[cfg(target_os = "linux")]
fn is_closed(descriptor: u8, wrong: AccessMode) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    let is_null = || std::fs::read_link(format!("/proc/self/fd/{descriptor}")).is_ok_and(|path| path == *"/dev/null");
    match flags.map(|flags| AccessMode(flags & 3)) {
        Some(AccessMode::READ_AND_WRITE) => is_null(),
        mode => mode == Some(wrong),
    }
}

/// Returns false: this system does not show how a descriptor was opened.
#[cfg(not(target_os = "linux"))]
fn is_closed(_descriptor: u8, _wrong: AccessMode) -> bool {
    false
}
