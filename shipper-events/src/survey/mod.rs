//! Surveying: everything in a block of lines is checked, and only what somebody asks for is built.
//!
//! Of a log's lines few matter to whoever reads it: a gate's fold looks at three in a hundred. A [`survey`] of a block
//! of complete lines holds exactly what [`parse_line`] and the chain's rules say of each of them, but hands out only
//! what is [regarded](Regard), in this way:
//!
//! 1. The block is cut into windows of whole lines. One look at a window's bytes, sixty-four at a time, tells where its
//!    quotes, line feeds, backslashes and control characters stand (`index`).
//! 2. Each line is tried in the form in which writers write it (`prove`): that proves it an event without building
//!    anything, and what is to be built is built from what the proof has found. A line of another form goes to
//!    [`parse_line`]. So there is one meaning of *corrupt*, and a shorter way to see that a line is not.
//! 3. Chained lines are compared with the hashes of those before them (`stretch`).
//!
//! A survey depends on nothing but its block: blocks can be surveyed in any order and on any thread
//! ([`survey_stream`](crate::survey_stream)). [`Follower`](crate::Follower) puts them together in order.

mod index;
mod prove;
mod stretch;

use std::ops::Range;

use index::{Ends, Index};
use prove::Prover;
pub use stretch::Stretch;
use stretch::Stretches;

use crate::event::Event;
use crate::fault::LineError;
use crate::line::{ParsedLine, parse_line};
use crate::link::ChainLink;
use crate::vocabulary::EventType;

/// How many bytes are indexed at a time: few enough that they stay in the processor's cache while they are read twice.
const WINDOW: usize = 64 * 1024;

/// There is seldom more than one line of interest in so many bytes.
const BYTES_A_NOTABLE: usize = 1024;

/// What is wanted of the events of a type. Events of a type with members that are read are always built: building is
/// what checks those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regard<K> {
    /// They are checked, and passed over.
    Quiet,
    /// Only their package is of interest, and what they mean to whoever asks.
    Brief(K),
    /// They are built.
    Whole,
}

/// What a survey says of a line that is not passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notable<K> {
    /// How many lines of the block stand before it.
    pub position: u64,
    /// What it is.
    pub what: What<K>,
}

/// What a line is that is not passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What<K> {
    /// An event that was to be built.
    Event(Box<Event>),
    /// An event of which only this was wanted.
    Brief {
        /// What it means to whoever asked.
        kind: K,
        /// The package it concerns.
        package: Box<str>,
    },
    /// No event: the line is blank.
    Blank,
    /// The line is corrupt. Of what stands after it in the block nothing is said.
    Corrupt(Box<LineError>),
}

/// A block of complete lines and what is said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey<'b, K> {
    bytes: &'b [u8],
    said: Said<K>,
}

/// What a survey says, without the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said<K> {
    pub(crate) lines: u64,
    /// How many of them were read: those before a corrupt one.
    pub(crate) read: u64,
    pub(crate) notables: Vec<Notable<K>>,
    pub(crate) stretches: Vec<Stretch>,
    /// The hash of the last line.
    pub(crate) last: blake3::Hash,
    /// The first line that ends with CR LF.
    pub(crate) first_crlf: Option<u64>,
}

/// Surveys a block of complete lines, each with its LF and none longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN). Bytes after
/// the last LF are left out.
///
/// `regard` gets the name of an event's type.
///
/// ```
/// use shipper_events::{Regard, What, survey};
/// let block = br#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"readiness_started","method":"api"},"package":"a@0.1.0"}
/// {"timestamp":"2026-11-23T08:12:27Z","event_type":{"type":"package_uploaded"},"package":"a@0.1.0"}
/// "#;
/// let survey = survey(block, |name| if name == "package_uploaded" { Regard::Brief(()) } else { Regard::Quiet });
/// assert_eq!(survey.lines(), 2);
/// let [uploaded] = survey.notables() else { panic!("one line is of interest") };
/// assert_eq!(uploaded.what, What::Brief { kind: (), package: "a@0.1.0".into() });
/// ```
pub fn survey<K: Copy>(block: &[u8], regard: impl Fn(&str) -> Regard<K>) -> Survey<'_, K> {
    Surveyor::new(regard).survey(block)
}

impl<'b, K> Survey<'b, K> {
    pub(crate) fn from_parts(bytes: &'b [u8], said: Said<K>) -> Self {
        Self { bytes, said }
    }

    /// The block's bytes.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// How many lines the block has.
    pub fn lines(&self) -> u64 {
        self.said.lines
    }

    /// The bytes of the block's first so many lines, or of all if there are fewer, and those of the others.
    pub fn split(&self, lines: u64) -> (&'b [u8], &'b [u8]) {
        let last = lines.checked_sub(1).and_then(|last| usize::try_from(last).ok());
        let end = match last {
            None => 0,
            Some(last) => memchr::memchr_iter(b'\n', self.bytes).nth(last).map_or(self.bytes.len(), |end| end + 1),
        };
        self.bytes.split_at_checked(end).unwrap_or_default()
    }

    /// The lines that are not passed over, in the order in which they stand.
    pub fn notables(&self) -> &[Notable<K>] {
        &self.said.notables
    }

    /// How the lines hang together, in the order in which they stand.
    pub fn stretches(&self) -> &[Stretch] {
        &self.said.stretches
    }

    /// How many lines stand before the first that ends with CR LF.
    pub fn first_crlf(&self) -> Option<u64> {
        self.said.first_crlf
    }

    pub(crate) fn into_parts(self) -> (&'b [u8], Said<K>) {
        (self.bytes, self.said)
    }
}

/// Surveys blocks, one after the other, and keeps its tools.
pub(crate) struct Surveyor<R> {
    regard: R,
    index: Index,
}

impl<K: Copy, R: Fn(&str) -> Regard<K>> Surveyor<R> {
    pub(crate) fn new(regard: R) -> Self {
        Self { regard, index: Index::new() }
    }

    pub(crate) fn survey<'b>(&mut self, block: &'b [u8]) -> Survey<'b, K> {
        let complete = memchr::memrchr(b'\n', block).map_or(0, |last| last + 1);
        let block = block.get(..complete).unwrap_or_default();
        let mut reading = Reading::new(block, &self.regard);
        while let Some(window) = reading.next_window().filter(|_| !reading.ended) {
            if window.len() > WINDOW {
                reading.long_line(window);
            } else {
                self.index.fill(window);
                reading.read(window, &self.index);
            }
        }
        Survey { bytes: block, said: reading.finish() }
    }
}

/// A block that is being read.
struct Reading<'b, 'r, K, R> {
    block: &'b [u8],
    types: Types<'b, 'r, K, R>,
    /// How many bytes and lines were read.
    offset: usize,
    position: u64,
    /// Where the last line stands that was read.
    previous: Option<Range<usize>>,
    notables: Vec<Notable<K>>,
    stretches: Stretches,
    first_crlf: Option<u64>,
    /// Whether a corrupt line ended the reading.
    ended: bool,
}

impl<'b, 'r, K: Copy, R: Fn(&str) -> Regard<K>> Reading<'b, 'r, K, R> {
    fn new(block: &'b [u8], regard: &'r R) -> Self {
        Self {
            block,
            types: Types::new(regard),
            offset: 0,
            position: 0,
            previous: None,
            notables: Vec::with_capacity(block.len() / BYTES_A_NOTABLE),
            stretches: Stretches::default(),
            first_crlf: None,
            ended: false,
        }
    }

    /// The next lines that fit into a window; a longer line is one by itself.
    fn next_window(&self) -> Option<&'b [u8]> {
        let rest = self.block.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let fits = rest.get(..WINDOW).unwrap_or(rest);
        let end = memchr::memrchr(b'\n', fits).or_else(|| memchr::memchr(b'\n', rest))?;
        rest.get(..=end)
    }

    fn read(&mut self, window: &'b [u8], index: &Index) {
        let (mut prover, mut ends, mut start) = (Prover::new(window, index), Ends::new(index, 0), 0);
        while let Some(end) = ends.next() {
            let Some(line) = window.get(start..=end) else {
                return;
            };
            let mut regard = Regard::Quiet;
            let proven = prover.line(start, end, |type_name| {
                regard = self.types.remembered(type_name);
                matches!(regard, Regard::Whole)
            });
            // Nothing, where the proof does not say enough.
            let told = match regard {
                _ if !proven => None,
                Regard::Quiet => Some(None),
                Regard::Brief(kind) => {
                    prover.package().map(|package| Some(What::Brief { kind, package: package.into() }))
                }
                Regard::Whole => prover.event().map(|event| Some(What::Event(Box::new(event)))),
            };
            match told {
                Some(Some(what)) => self.note(what),
                Some(None) => {}
                None => self.note_read(line),
            }
            let link = if proven { prover.take_link() } else { ChainLink::of(line) };
            if self.ended {
                return;
            }
            self.place(line, link);
            start = end + 1;
        }
    }

    /// A line that is a window by itself.
    fn long_line(&mut self, line: &'b [u8]) {
        self.note_read(line);
        if !self.ended {
            self.place(line, ChainLink::of(line));
        }
    }

    /// A line was read that is not corrupt.
    #[inline(always)]
    fn place(&mut self, line: &[u8], link: Option<ChainLink>) {
        if line.ends_with(b"\r\n") {
            self.first_crlf.get_or_insert(self.position);
        }
        if let Some(link) = link {
            let previous = self.previous.clone().and_then(|previous| self.block.get(previous));
            self.stretches.chained(self.position, link, previous);
        }
        let end = self.offset + line.len();
        self.previous = Some(self.offset..end);
        self.offset = end;
        self.position += 1;
    }

    /// Reads a line that was not proven, or whose proof does not say enough.
    fn note_read(&mut self, line: &[u8]) {
        let what = match parse_line(line) {
            Ok(ParsedLine::Event(record)) => match self.types.of(record.type_name()) {
                Regard::Quiet => return,
                Regard::Brief(kind) => What::Brief { kind, package: record.package().into() },
                Regard::Whole => What::Event(Box::new(record.into_event())),
            },
            Ok(ParsedLine::Blank) => What::Blank,
            Err(corruption) => {
                self.ended = true;
                What::Corrupt(Box::new(corruption))
            }
        };
        self.note(what);
    }

    fn note(&mut self, what: What<K>) {
        self.notables.push(Notable { position: self.position, what });
    }

    fn finish(self) -> Said<K> {
        let last = self.previous.and_then(|last| self.block.get(last));
        let mut lines = self.position;
        if self.ended {
            // The corrupt line and all after it.
            let unread = self.block.get(self.offset..).unwrap_or_default();
            lines += memchr::memchr_iter(b'\n', unread).count() as u64;
        }
        Said {
            stretches: self.stretches.end(self.position),
            lines,
            read: self.position,
            notables: self.notables,
            last: blake3::hash(last.unwrap_or_default()),
            first_crlf: self.first_crlf,
        }
    }
}

/// What is wanted of each type, remembered for those that a block has.
struct Types<'b, 'r, K, R> {
    regard: &'r R,
    known: [Option<Known<'b, K>>; SLOTS],
}

/// A type that was seen.
#[derive(Clone, Copy)]
struct Known<'b, K> {
    name: &'b [u8],
    /// The first and the last eight bytes of a name of at least so many: all of most names.
    ends: (u64, u64),
    regard: Regard<K>,
}

/// More than there are types in most logs, so that few share a slot.
const SLOTS: usize = 64;

impl<'b, 'r, K: Copy, R: Fn(&str) -> Regard<K>> Types<'b, 'r, K, R> {
    fn new(regard: &'r R) -> Self {
        Self { regard, known: [None; SLOTS] }
    }

    /// The same as [`of`](Self::of), for a name that stands in the block; one that is no text is built, and refused there.
    #[inline(always)]
    fn remembered(&mut self, name: &'b [u8]) -> Regard<K> {
        let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let ends = (word(name.first_chunk()), word(name.last_chunk()));
        let mixed = (ends.0 ^ ends.1.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = usize::try_from(mixed >> (u64::BITS - SLOTS.ilog2())).unwrap_or_default();
        let found = self.known.get(slot).copied().flatten().filter(|known| {
            let alike = known.ends == ends && known.name.len() == name.len();
            alike && ((8..=16).contains(&name.len()) || known.name == name)
        });
        if let Some(known) = found {
            return known.regard;
        }
        let regard = std::str::from_utf8(name).map_or(Regard::Whole, |name| self.of(name));
        if let Some(free) = self.known.get_mut(slot) {
            *free = Some(Known { name, ends, regard });
        }
        regard
    }

    fn of(&self, name: &str) -> Regard<K> {
        if EventType::is_read(name) { Regard::Whole } else { (self.regard)(name) }
    }
}
