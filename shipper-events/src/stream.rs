//! A stream, surveyed block by block on all processors, and handed out in order.

use std::collections::VecDeque;
use std::io;
use std::thread;

use crossbeam_channel::Sender;

use crate::block::{Block, Blocks, Fill};
use crate::split::Tail;
use crate::survey::{Regard, Said, Survey, Surveyor};

/// How much of a log is read first, in bytes: most logs are shorter.
const FIRST: usize = 16 * 1024;

/// How much of a log is read before there are threads: for less they would cost more than they save.
const ALONE: usize = 256 * 1024;

/// How much is read and surveyed at a time, in bytes.
const BLOCK: usize = 512 * 1024;

/// How much is read ahead of what was handed out, in bytes, but for one line.
const AHEAD: usize = 8 * 1024 * 1024;

/// At most so many threads work on a log: one of them reads, and reading is soon the limit.
const MOST_WORKERS: usize = 4;

/// A piece of a log.
#[derive(Debug)]
pub enum Piece<'p, K> {
    /// Complete lines.
    Lines(Survey<'p, K>),
    /// A part of a line that is longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN); its parts follow each other and nothing comes between.
    LongPart {
        /// The bytes.
        part: &'p [u8],
        /// Whether they end with the line's LF.
        ends_line: bool,
    },
}

/// Reads a log to its end, surveys its lines (see [`survey`](crate::survey())) on as many processors as there are, and
/// hands the pieces out in order, on the calling thread. A short log is read without further threads. Memory does not
/// grow with the log.
///
/// `read` fills a buffer as [`io::Read::read`] does.
///
/// # Errors
///
/// Those of `read` and of `take`.
///
/// ```
/// use shipper_events::{Piece, Regard, Tail, survey_stream};
/// let mut log = &b"{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\ntorn"[..];
/// let mut lines = 0;
/// let tail = survey_stream(
///     |buffer| std::io::Read::read(&mut log, buffer),
///     |_| Regard::<()>::Quiet,
///     |piece| {
///         if let Piece::Lines(survey) = piece {
///             lines += survey.lines();
///         }
///         Ok::<(), std::io::Error>(())
///     },
/// )?;
/// assert_eq!((lines, tail), (1, Tail::Torn { bytes: 4 }));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn survey_stream<K, E>(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    regard: impl Fn(&str) -> Regard<K> + Sync,
    mut take: impl FnMut(Piece<'_, K>) -> Result<(), E>,
) -> Result<Tail, E>
where
    K: Copy + Send,
    E: From<io::Error>,
{
    let mut blocks = Blocks::default();
    let regard = &regard;
    let mut surveyor = Surveyor::new(regard);
    let (mut buffer, mut size, mut read_alone) = (Vec::new(), FIRST, 0);
    let mut workers = None;
    while blocks.ended() || read_alone < ALONE || workers.is_some_and(|workers| workers == 1) {
        let Some(block) = blocks.next(&mut read, buffer, size, Fill::Whole)? else {
            return Ok(blocks.tail());
        };
        take(piece(&block, said(&block, &mut surveyor)))?;
        (read_alone, size) = (read_alone + block.filled, ALONE);
        // A buffer of another size is made anew.
        buffer = if block.buffer.len() == size { block.buffer } else { Vec::new() };
        if read_alone >= ALONE && workers.is_none() {
            workers = Some(thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS));
        }
    }
    together(workers.unwrap_or(1), blocks, surveyor, read, regard, take)
}

/// Goes on with so many threads, this one included.
fn together<K, E, R>(
    workers: usize,
    mut blocks: Blocks,
    mut surveyor: Surveyor<&R>,
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    regard: &R,
    mut take: impl FnMut(Piece<'_, K>) -> Result<(), E>,
) -> Result<Tail, E>
where
    R: Fn(&str) -> Regard<K> + Sync,
    K: Copy + Send,
    E: From<io::Error>,
{
    let (jobs, waiting) = crossbeam_channel::unbounded();
    thread::scope(|scope| {
        // This thread surveys, too, while it would wait: also alone, should the system give no other.
        for _ in 1..workers {
            let worker = || {
                let mut surveyor = Surveyor::new(regard);
                waiting.iter().for_each(|job: Job<K>| job.work(&mut surveyor));
            };
            if thread::Builder::new().spawn_scoped(scope, worker).is_err() {
                break;
            }
        }
        // Dropped at the end of this closure, so that the workers end, too.
        let jobs = jobs;
        let (mut surveyed, mut ahead, mut spare) = (VecDeque::new(), 0, Vec::new());
        loop {
            while surveyed.len() < 2 * workers && ahead < AHEAD {
                let buffer = spare.pop().unwrap_or_default();
                let Some(block) = blocks.next(&mut read, buffer, BLOCK, Fill::Whole)? else {
                    break;
                };
                ahead += block.filled;
                let (done, survey) = crossbeam_channel::bounded(1);
                jobs.send(Job { block, done }).map_err(|_| died())?;
                surveyed.push_back(survey);
            }
            let Some(next) = surveyed.pop_front() else {
                return Ok(blocks.tail());
            };
            while next.is_empty()
                && let Ok(job) = waiting.try_recv()
            {
                job.work(&mut surveyor);
            }
            let (block, said) = next.recv().map_err(|_| died())?;
            ahead -= block.filled;
            take(piece(&block, said))?;
            spare.push(block.buffer);
        }
    })
}

/// A block to be surveyed, and where it is sent with what is said of it.
struct Job<K> {
    block: Block,
    done: Sender<(Block, Option<Said<K>>)>,
}

impl<K: Copy> Job<K> {
    fn work<R: Fn(&str) -> Regard<K>>(self, surveyor: &mut Surveyor<R>) {
        let said = said(&self.block, surveyor);
        // Nobody waits for it any more where the log's reader has seen enough.
        let _ = self.done.send((self.block, said));
    }
}

fn died() -> io::Error {
    io::Error::other("a thread that was to survey the log has died; this is a defect of this program")
}

/// What a survey says of a block; nothing of a part of a long line.
fn said<K: Copy, R: Fn(&str) -> Regard<K>>(block: &Block, surveyor: &mut Surveyor<R>) -> Option<Said<K>> {
    block.long.is_none().then(|| surveyor.survey(block.bytes()).into_parts().1)
}

fn piece<K>(block: &Block, said: Option<Said<K>>) -> Piece<'_, K> {
    match said {
        Some(said) => Piece::Lines(Survey::from_parts(block.bytes(), said)),
        None => Piece::LongPart { part: block.bytes(), ends_line: block.long == Some(true) },
    }
}
