//! Scanning a stream chunk by chunk, on several threads where that pays, with results in order.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::thread;

use crossbeam_channel::Sender;

use super::block::{BlockScanner, Interest, ScannedBlock};
use super::chunks::{Chunk, ChunkKind, ChunkReader, ReadMode};

/// How many bytes of a log are read first: most logs are shorter.
pub(crate) const INITIAL_READ: usize = 16 * 1024;

/// How many bytes of a log are read before threads are started: for fewer they cost more than they save.
const PARALLEL_THRESHOLD: usize = 256 * 1024;

/// How many bytes are read and scanned at a time.
pub(crate) const BLOCK_LEN: usize = 512 * 1024;

/// How many bytes are read ahead of those that were returned; one line may exceed it.
const MAX_READ_AHEAD: usize = 8 * 1024 * 1024;

/// How many threads work on a log, at most: one of them also reads, and reading soon becomes the limit.
const MAX_WORKERS: usize = 4;

/// Reads a stream to its end, scans its chunks, and passes them to `take` in order, on the calling thread. A part of an
/// oversized line comes without a scan. `read` fills a buffer as [`io::Read::read`] does.
///
/// # Errors
///
/// Those of `read`.
pub(crate) fn scan_reader(
    chunks: &mut ChunkReader,
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    interest: fn(&str) -> Interest,
    mut take: impl FnMut(&Chunk, Option<ScannedBlock>) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let mut scanner = BlockScanner::new(interest);
    let (mut spare, mut size, mut bytes_read) = (Vec::new(), INITIAL_READ, 0);
    let mut workers = None;
    while chunks.ended() || bytes_read < PARALLEL_THRESHOLD || workers == Some(1) {
        let Some(chunk) = chunks.next(&mut read, spare, size, ReadMode::Full)? else {
            return Ok(ControlFlow::Continue(()));
        };
        let scanned = scan_chunk(&chunk, &mut scanner);
        if take(&chunk, scanned).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        bytes_read += chunk.bytes().len();
        size = PARALLEL_THRESHOLD;
        spare = chunk.into_buffer();
        if bytes_read >= PARALLEL_THRESHOLD && workers.is_none() {
            workers = Some(thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS));
        }
    }
    scan_parallel(workers.unwrap_or(1), chunks, scanner, read, interest, take)
}

/// Continues with that many threads, the calling one included.
fn scan_parallel(
    workers: usize,
    chunks: &mut ChunkReader,
    mut scanner: BlockScanner,
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    interest: fn(&str) -> Interest,
    mut take: impl FnMut(&Chunk, Option<ScannedBlock>) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let (jobs, waiting) = crossbeam_channel::unbounded();
    thread::scope(|scope| {
        // The calling thread also scans while it would wait: alone if the system starts no other.
        for _ in 1..workers {
            let worker = || {
                let mut scanner = BlockScanner::new(interest);
                waiting.iter().for_each(|job: ScanJob| job.run(&mut scanner));
            };
            if thread::Builder::new().spawn_scoped(scope, worker).is_err() {
                break;
            }
        }
        // Dropped at the end of this closure, so that the workers end.
        let jobs = jobs;
        let (mut scans, mut read_ahead, mut spares) = (VecDeque::new(), 0, Vec::new());
        loop {
            while scans.len() < 2 * workers && read_ahead < MAX_READ_AHEAD {
                let spare = spares.pop().unwrap_or_default();
                let Some(chunk) = chunks.next(&mut read, spare, BLOCK_LEN, ReadMode::Full)? else {
                    break;
                };
                read_ahead += chunk.bytes().len();
                let (done, scan) = crossbeam_channel::bounded(1);
                jobs.send(ScanJob { chunk, done }).map_err(|_| worker_panicked())?;
                scans.push_back(scan);
            }
            let Some(next) = scans.pop_front() else {
                return Ok(ControlFlow::Continue(()));
            };
            while next.is_empty()
                && let Ok(job) = waiting.try_recv()
            {
                job.run(&mut scanner);
            }
            let (chunk, scanned) = next.recv().map_err(|_| worker_panicked())?;
            read_ahead -= chunk.bytes().len();
            if take(&chunk, scanned).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            spares.push(chunk.into_buffer());
        }
    })
}

/// A chunk to scan, and where to send it with the result.
struct ScanJob {
    chunk: Chunk,
    done: Sender<(Chunk, Option<ScannedBlock>)>,
}

impl ScanJob {
    fn run(self, scanner: &mut BlockScanner) {
        let scanned = scan_chunk(&self.chunk, scanner);
        // The receiver is gone if the visitor stopped the scan.
        let _ = self.done.send((self.chunk, scanned));
    }
}

fn worker_panicked() -> io::Error {
    io::Error::other("a thread that was to survey the log has died; this is a defect of this program")
}

/// Scans a chunk; `None` for a part of an oversized line.
pub(crate) fn scan_chunk(chunk: &Chunk, scanner: &mut BlockScanner) -> Option<ScannedBlock> {
    (chunk.kind == ChunkKind::Lines).then(|| scanner.scan(chunk.bytes()))
}
