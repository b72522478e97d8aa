//! Scans and hashes a stream chunk by chunk, on several threads if it is long, with results in order.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::{Arc, Barrier};
use std::thread::{self, Scope};

use crossbeam_channel::Sender;

use super::block::{BlockScanner, ScannedBlock};
use super::chunks::{Chunk, ChunkReader};
use super::interest::Interest;
use crate::integrity::SubtreeHashes;

/// The number of bytes of a log that are read first: most logs are shorter.
const INITIAL_READ: usize = 16 * 1024;

/// The number of bytes that are then read and scanned at a time. Threads are started after the first such block: for a
/// shorter log, they are slower.
const BLOCK_LEN: usize = 512 * 1024;

/// The number of bytes after which a log is long: longer blocks then save more time than their memory costs.
const LONG_LOG: u64 = 64 * 1024 * 1024;

/// The number of bytes of a long log that are read and scanned at a time.
const LONG_BLOCK_LEN: usize = 1024 * 1024;

/// The number of blocks that are read ahead for each thread.
const BLOCKS_AHEAD: usize = 3;

/// The limit of bytes that are read ahead of those that were returned; one line may exceed it.
const MAX_READ_AHEAD: usize = 8 * 1024 * 1024;

/// The limit of threads that scan a log: one of them also reads, and reading soon becomes the limit.
pub(crate) const MAX_THREADS: usize = 4;

/// Reads a stream to its end, scans its chunks, and passes them to `take` in order, on the calling thread. A part of an
/// oversized line comes without a scan. `offset` is the number of bytes of the log that precede the first chunk.
///
/// # Errors
///
/// The errors of `read`.
pub(crate) fn scan_reader(
    chunks: &mut ChunkReader,
    mut read: impl Read,
    mut offset: u64,
    max_threads: usize,
    interest: fn(&str) -> Interest,
    mut take: impl FnMut(&Chunk, Option<(&mut ScannedBlock, &SubtreeHashes)>) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let (jobs, waiting) = crossbeam_channel::unbounded();
    let scan_all = || {
        let mut scanner = BlockScanner::new(interest);
        waiting.iter().for_each(|job: ScanJob| job.run(&mut scanner));
    };
    thread::scope(|scope| {
        // Dropped at the end of this closure, so that the threads end.
        let jobs = jobs;
        let (mut scans, mut read_ahead, mut spares) = (VecDeque::new(), 0, Vec::new());
        let (mut scanner, mut size, mut max_scans) = (BlockScanner::new(interest), INITIAL_READ, 1);
        loop {
            while scans.len() < max_scans && read_ahead < MAX_READ_AHEAD {
                let Used { buffer, scanned: used } = spares.pop().unwrap_or_else(|| Used::new(size));
                let Some(chunk) = chunks.next(&mut read, buffer, size)? else {
                    break;
                };
                let len = chunk.bytes().len();
                let (done, scan) = crossbeam_channel::bounded(1);
                scans.push_back(scan);
                let _ = jobs.send(ScanJob { chunk, offset, used, done });
                read_ahead += len;
                offset += len as u64;
            }
            let Some(next) = scans.pop_front() else {
                return Ok(ControlFlow::Continue(()));
            };
            // The calling thread also scans while it would wait: alone if there is no other.
            while next.is_empty()
                && let Ok(job) = waiting.try_recv()
            {
                job.run(&mut scanner);
            }
            let Ok((chunk, mut scanned)) = next.recv() else {
                // A thread has panicked: the scope panics, too.
                return Ok(ControlFlow::Break(()));
            };
            read_ahead -= chunk.bytes().len();
            let taken = scanned.as_mut().map(|(block, subtrees)| (block, &*subtrees));
            if take(&chunk, taken).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            // A buffer that grew for a long line is not kept.
            let buffer = if chunk.buffer.len() <= LONG_BLOCK_LEN { chunk.buffer } else { Vec::new() };
            spares.push(Used { buffer, scanned });
            if size == INITIAL_READ {
                size = BLOCK_LEN;
            } else if max_scans == 1 && !chunks.ended {
                let threads = thread::available_parallelism().map_or(1, usize::from).min(max_threads);
                max_scans = BLOCKS_AHEAD * threads;
                // The calling thread is one of them.
                let _ = (1..threads).try_for_each(|_| start(scope, scan_all));
            } else if offset > LONG_LOG {
                size = LONG_BLOCK_LEN;
            }
        }
    })
}

/// The results of a block.
type Scanned = (ScannedBlock, SubtreeHashes);

/// The parts of an earlier block that are no longer needed.
struct Used {
    buffer: Vec<u8>,
    scanned: Option<Scanned>,
}

impl Used {
    /// Returns a new buffer. If blocks of that size may become longer, it has the space: they are not copied then, and space
    /// that is not used takes no memory.
    fn new(size: usize) -> Self {
        Self { buffer: Vec::with_capacity(if size < BLOCK_LEN { 0 } else { LONG_BLOCK_LEN }), scanned: None }
    }
}

/// Starts a thread and waits until it runs. Linux may start a thread on the processor of its creator, where it may share the
/// time for milliseconds, but a thread that is woken gets an idle processor: the new one or the waiting one.
fn start<'s>(scope: &'s Scope<'s, '_>, run: impl FnOnce() + Send + 's) -> io::Result<()> {
    let started = Arc::new(Barrier::new(2));
    let theirs = Arc::clone(&started);
    thread::Builder::new().spawn_scoped(scope, move || {
        theirs.wait();
        run();
    })?;
    started.wait();
    Ok(())
}

/// A chunk to scan, and where to send it with the result: `None` for a part of an oversized line.
struct ScanJob {
    chunk: Chunk,
    /// The number of bytes of the log that precede the chunk.
    offset: u64,
    /// The result of an earlier block. A thread that scans frees it, because it has allocated most of it: to free memory of
    /// another thread takes longer.
    used: Option<Scanned>,
    done: Sender<(Chunk, Option<Scanned>)>,
}

impl ScanJob {
    fn run(self, scanner: &mut BlockScanner) {
        drop(self.used);
        let bytes = self.chunk.bytes();
        let scanned = (!self.chunk.is_oversized).then(|| {
            // The hash is first: it waits less for bytes that are not in the cache of this processor yet.
            let subtrees = SubtreeHashes::of(bytes, self.offset);
            (scanner.scan(bytes), subtrees)
        });
        // The receiver is gone if the visitor stopped the scan.
        let _ = self.done.send((self.chunk, scanned));
    }
}
