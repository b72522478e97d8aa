//! Scanner of a block of lines: it checks every line and builds only the events of interest.
//!
//! A reader needs few lines of a log: the gate's fold reads three in a hundred. A [`ScannedBlock`] contains the results
//! of [`parse_line`] and the links, but only for the lines that the caller is [interested](Interest) in:
//!
//! 1. The block is divided into windows of whole lines. One pass over a window, sixty-four bytes at a time, finds its
//!    quotes, line feeds, backslashes and control characters.
//! 2. Each line is tried in the form that every writer uses, which allocates nothing. An event of interest is built
//!    from the result. A line in another form goes to [`parse_line`], which alone decides that a line is corrupt.
//! 3. Chained lines are compared with the hashes of their predecessors and divided into segments.
//!
//! The result depends on nothing but the block: blocks can be scanned in any order and on any thread.

use std::borrow::Cow;
use std::ops::Range;

use super::interest::{Interest, Wanted, WantedTypes};
use crate::event::{Event, EventKind};
use crate::integrity::ChainLink;
use crate::line::canonical::{CanonicalParser, TypeHint};
use crate::line::error::LineError;
use crate::line::member_names::KnownNames;
use crate::line::parse::{ParsedLine, parse_line};
use crate::line::structural_index::{BitCursor, LINE_FEEDS, StructuralIndex};

/// The number of bytes that are indexed at a time: few enough to stay in the processor's cache while they are read twice.
const WINDOW_LEN: usize = 64 * 1024;

/// The content of a line of a block `'b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineContent<'b> {
    /// An event.
    Event(Box<Event>),
    /// An event of which only the package was of interest.
    Package {
        /// The event's type.
        kind: EventKind,
        /// The package that the event concerns, `name@version`, or `all`.
        package: Cow<'b, str>,
        /// The content of the package, as [`Event::content`] returns it.
        content: Option<Box<str>>,
    },
    /// The first of consecutive lines that have only spaces, tabs and CR, and their number. More such lines may follow
    /// as another content.
    Blank {
        /// The number of lines; at least 1.
        lines: u64,
    },
    /// No event. Later lines are not checked.
    Corrupt(Box<LineError>),
}

impl LineContent<'_> {
    /// Returns the content without a reference to the block.
    pub fn into_owned(self) -> LineContent<'static> {
        match self {
            Self::Event(event) => LineContent::Event(event),
            Self::Package { kind, package, content } => {
                LineContent::Package { kind, package: Cow::Owned(package.into_owned()), content }
            }
            Self::Blank { lines } => LineContent::Blank { lines },
            Self::Corrupt(error) => LineContent::Corrupt(error),
        }
    }
}

/// A line with content for the caller.
#[derive(Debug)]
pub(crate) struct ScannedLine {
    /// The number of lines of the block that precede it.
    pub(crate) position: u64,
    /// `None` while a visitor has it.
    content: Option<ScannedContent>,
}

/// The content of a scanned line.
#[derive(Debug)]
enum ScannedContent {
    Built(LineContent<'static>),
    /// A [`LineContent::Package`] without content, whose package is a part of the block's packages.
    Package {
        kind: EventKind,
        range: Range<usize>,
    },
}

impl ScannedLine {
    fn new(position: u64, content: ScannedContent) -> Self {
        Self { position, content: Some(content) }
    }

    /// Removes and returns the content. `packages` must be those of the block.
    pub(crate) fn take_content<'b>(&mut self, packages: &'b str) -> Option<LineContent<'b>> {
        Some(match self.content.take()? {
            ScannedContent::Built(content) => content,
            ScannedContent::Package { kind, range } => {
                let package = packages.get(range).unwrap_or_default().into();
                LineContent::Package { kind, package, content: None }
            }
        })
    }

    /// Takes the event back, to be freed with the block.
    pub(crate) fn return_event(&mut self, event: Box<Event>) {
        self.content = Some(ScannedContent::Built(LineContent::Event(event)));
    }
}

/// Consecutive lines that are all unchained, or of which each but the first links to its predecessor. A segment ends
/// where the next one begins.
#[derive(Debug)]
pub(crate) struct ChainSegment {
    /// The number of lines of the block that precede it.
    pub(crate) position: u64,
    /// The link of its first line; `None` for unchained lines.
    pub(crate) link: Option<ChainLink>,
    /// The hash of the line before its first line; `None` if that line is not in the block.
    pub(crate) prev_line: Option<blake3::Hash>,
}

/// The result of scanning a block.
#[derive(Debug)]
pub(crate) struct ScannedBlock {
    /// The number of lines in the block.
    pub(crate) lines: u64,
    /// The number of lines that were checked: those before the first corrupt line.
    pub(crate) checked: u64,
    pub(crate) of_interest: Vec<ScannedLine>,
    /// The packages of those lines, one after the other. Another processor reads them faster here than in their lines.
    pub(crate) packages: String,
    pub(crate) segments: Vec<ChainSegment>,
    /// The hash of the last checked line.
    pub(crate) last_line: blake3::Hash,
    /// The number of lines that precede the first one that ends with CR LF.
    pub(crate) first_crlf: Option<u64>,
}

/// Scans blocks and reuses its buffers.
pub(crate) struct BlockScanner {
    interest: fn(&str) -> Interest,
    index: StructuralIndex,
    known_names: KnownNames,
    /// The number of lines of interest in the last block: the next one has about as many.
    last_count: usize,
}

impl BlockScanner {
    /// Builds a scanner. `interest` returns the interest in the event type of that name.
    pub(crate) fn new(interest: fn(&str) -> Interest) -> Self {
        Self { interest, index: StructuralIndex::new(), known_names: KnownNames::new(), last_count: 0 }
    }

    /// Scans complete lines, each with its LF.
    pub(crate) fn scan(&mut self, block: &[u8]) -> ScannedBlock {
        let mut state = ScanState {
            block,
            types: WantedTypes::new(self.interest),
            offset: 0,
            position: 0,
            prev_line: None,
            of_interest: Vec::with_capacity(self.last_count),
            packages: String::new(),
            segments: Vec::new(),
            is_unchained: false,
            next_seq: None,
            first_crlf: None,
            ended: false,
        };
        while let Some(window) = state.next_window().filter(|_| !state.ended) {
            if window.len() > WINDOW_LEN {
                // One line.
                state.parse_line(window);
            } else {
                self.index.fill(window);
                state.scan_window(window, &self.index, &mut self.known_names);
            }
        }
        self.last_count = state.of_interest.len();
        state.finish()
    }
}

/// A block that is being scanned.
struct ScanState<'b> {
    block: &'b [u8],
    /// The part that is built of each type of event of the block.
    types: WantedTypes<'b>,
    /// The number of bytes and of lines that were scanned.
    offset: usize,
    position: u64,
    prev_line: Option<&'b [u8]>,
    of_interest: Vec<ScannedLine>,
    packages: String,
    segments: Vec<ChainSegment>,
    /// True if the last line is unchained.
    is_unchained: bool,
    /// The `seq` of the next line if it continues the segment; `None` after an unchained line.
    next_seq: Option<u64>,
    first_crlf: Option<u64>,
    /// True if a corrupt line ended the scan.
    ended: bool,
}

impl<'b> ScanState<'b> {
    /// Returns the next lines that fit into a window; a longer line is a window by itself.
    fn next_window(&self) -> Option<&'b [u8]> {
        let rest = self.block.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let fits = rest.get(..WINDOW_LEN).unwrap_or(rest);
        let end = memchr::memrchr(b'\n', fits).or_else(|| memchr::memchr(b'\n', rest))?;
        rest.get(..=end)
    }

    fn scan_window(&mut self, window: &'b [u8], index: &StructuralIndex, known_names: &mut KnownNames) {
        let (mut parser, mut ends, mut start) =
            (CanonicalParser::new(window, index), BitCursor::<LINE_FEEDS>::new(index, 0), 0);
        while let Some(end) = ends.next_before(usize::MAX) {
            let Some(line) = window.get(start..=end) else {
                return;
            };
            let (mut wanted, mut may_have_content) = (Wanted::Nothing, false);
            let canonical = parser.parse_line(start, end, known_names, |type_name, is_chained| {
                let (slot, (interest, has_content)) = self.types.lookup(type_name);
                wanted = interest;
                may_have_content = is_chained && has_content && mentions_content(line);
                TypeHint { needs_event: may_have_content || matches!(wanted, Wanted::Event), slot }
            });
            // `None` if the fast path cannot build the content.
            let content = canonical.and_then(|()| match wanted {
                Wanted::Nothing if !may_have_content => Some(None),
                Wanted::Package(kind) if !may_have_content => parser.package().map(|package| {
                    let start = self.packages.len();
                    self.packages.push_str(package);
                    Some(ScannedContent::Package { kind, range: start..self.packages.len() })
                }),
                _ => {
                    let event = parser.event()?;
                    // A chained line with an optional member of another type is corrupt.
                    let is_ill_typed = event.link.is_some() && event.event_type.ill_typed_member().is_some();
                    let is_valid = (!may_have_content || event.content().is_some()) && !is_ill_typed;
                    is_valid.then(|| select(wanted, event).map(ScannedContent::Built))
                }
            });
            match content {
                Some(content) => self.push(line, parser.take_link(), content),
                None => self.parse_line(line),
            }
            if self.ended {
                return;
            }
            start = end + 1;
        }
    }

    /// Takes the slow path.
    fn parse_line(&mut self, line: &'b [u8]) {
        match parse_line(line) {
            Ok(ParsedLine::Event(event)) => {
                let link = event.link().cloned();
                let content = match self.types.ask(event.type_name()).0 {
                    Wanted::Nothing => None,
                    wanted => select(wanted, Box::new(event.into_event())),
                };
                self.push(line, link, content.map(ScannedContent::Built));
            }
            Ok(ParsedLine::Blank) => self.push_blank(line),
            Err(error) => {
                self.ended = true;
                let content = ScannedContent::Built(LineContent::Corrupt(Box::new(error)));
                self.of_interest.push(ScannedLine::new(self.position, content));
            }
        }
    }

    /// Takes a blank line. Consecutive ones have one content.
    fn push_blank(&mut self, line: &'b [u8]) {
        if let Some(ScannedLine { position, content: Some(ScannedContent::Built(LineContent::Blank { lines })) }) =
            self.of_interest.last_mut()
            && *position + *lines == self.position
        {
            *lines += 1;
            self.push(line, None, None);
        } else {
            self.push(line, None, Some(ScannedContent::Built(LineContent::Blank { lines: 1 })));
        }
    }

    /// Takes a line that is not corrupt.
    #[inline(always)]
    fn push(&mut self, line: &'b [u8], link: Option<ChainLink>, content: Option<ScannedContent>) {
        if let Some(content) = content {
            self.of_interest.push(ScannedLine::new(self.position, content));
        }
        if line.ends_with(b"\r\n") {
            self.first_crlf.get_or_insert(self.position);
        }
        if let Some(link) = link {
            let (seq, prev_line) = (link.seq().as_u64(), self.prev_line.map(blake3::hash));
            if seq.is_none() || seq != self.next_seq || prev_line != Some(link.prev()) {
                self.segments.push(ChainSegment { position: self.position, link: Some(link), prev_line });
            }
            self.next_seq = seq.and_then(|seq| seq.checked_add(1));
            self.is_unchained = false;
        } else if !self.is_unchained {
            self.segments.push(ChainSegment { position: self.position, link: None, prev_line: None });
            self.next_seq = None;
            self.is_unchained = true;
        }
        self.prev_line = Some(line);
        self.offset += line.len();
        self.position += 1;
    }

    fn finish(self) -> ScannedBlock {
        let unchecked = self.block.get(self.offset..).unwrap_or_default();
        ScannedBlock {
            segments: self.segments,
            lines: self.position + memchr::memchr_iter(b'\n', unchecked).count() as u64,
            checked: self.position,
            of_interest: self.of_interest,
            packages: self.packages,
            last_line: blake3::hash(self.prev_line.unwrap_or_default()),
            first_crlf: self.first_crlf,
        }
    }
}

/// Returns the wanted part of an event.
fn select(wanted: Wanted, event: Box<Event>) -> Option<LineContent<'static>> {
    match wanted {
        Wanted::Nothing => None,
        Wanted::Package(kind) => {
            let content = event.content().map(Box::from);
            Some(LineContent::Package { kind, package: event.package.into(), content })
        }
        Wanted::Event => Some(LineContent::Event(event)),
    }
}

/// Returns whether a line may have a member `content`. Its name may be escaped.
fn mentions_content(line: &[u8]) -> bool {
    memchr::memmem::find(line, b"\"content\"").is_some() || memchr::memchr(b'\\', line).is_some()
}
