//! Following a log, block by block: its chain, its recorded heads and its own head.

use crate::chain::{Chain, Followed, Hold, broken_head};
use crate::head::{Head, HeadHasher};
use crate::survey::{Stretch, Survey, What};
use crate::vocabulary::EventType;

/// Follows a log from its first block to its last, in order: judges the chain and the recorded heads, and computes the
/// log's own.
///
/// ```
/// use shipper_events::{ChainError, Follower, Regard, survey};
/// let block = br#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}
/// {"seq":7,"prev":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}
/// "#;
/// let mut follower = Follower::new();
/// let mut found = Vec::new();
/// follower.take(survey(block, |_| Regard::<()>::Quiet), |seen, _| {
///     found.push((seen.line, seen.followed.breaks));
///     Ok::<(), ()>(())
/// })?;
/// assert_eq!(found, [(2, vec![ChainError::SeqMismatch { said: 7.into(), stands: 1 }])]);
/// assert_eq!(follower.head().lines, 2);
/// # Ok::<(), ()>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Follower {
    prefix: HeadHasher,
    chain: Chain,
    kept: Vec<Kept>,
}

/// A number of lines of which the head is to be kept.
#[derive(Debug, Clone)]
struct Kept {
    lines: u64,
    head: Option<Head>,
}

/// A line that says something to whoever follows a log.
#[derive(Debug)]
pub struct Seen<K> {
    /// Its number; the first is 1.
    pub line: u64,
    /// What it is; `None` for an event that is passed over.
    pub what: Option<What<K>>,
    /// How it follows the lines before it. Of a corrupt line nothing is said here.
    pub followed: Followed,
}

/// The log up to and including a line that is seen.
#[derive(Debug)]
pub struct Place<'p> {
    prefix: &'p mut HeadHasher,
    block: Block<'p>,
    lines: u64,
}

impl Place<'_> {
    /// The head of the log up to and including the line.
    pub fn head(&mut self) -> Head {
        self.block.head(self.prefix, self.lines)
    }
}

/// A block, and how much of the log stands before it.
#[derive(Debug, Clone, Copy)]
struct Block<'b> {
    bytes: &'b [u8],
    first_line: u64,
    first_byte: u64,
}

impl Block<'_> {
    /// The head after so many lines of the log, which end in this block and not before what was asked for last. Bytes
    /// are hashed in long pieces, since that is several times faster than line by line.
    fn head(self, prefix: &mut HeadHasher, lines: u64) -> Head {
        self.advance(prefix, lines);
        prefix.head()
    }

    fn advance(self, prefix: &mut HeadHasher, lines: u64) {
        let Some(count) = lines.checked_sub(prefix.lines()).filter(|count| *count > 0) else {
            return;
        };
        let done = usize::try_from(prefix.bytes() - self.first_byte).unwrap_or(usize::MAX);
        let rest = self.bytes.get(done..).unwrap_or_default();
        let last = usize::try_from(count - 1).unwrap_or(usize::MAX);
        let end = memchr::memchr_iter(b'\n', rest).nth(last).map_or(rest.len(), |end| end + 1);
        prefix.push_lines(rest.get(..end).unwrap_or(rest), count);
    }

    /// Takes all of it into the prefix.
    fn finish(self, prefix: &mut HeadHasher, lines: u64) {
        let done = usize::try_from(prefix.bytes() - self.first_byte).unwrap_or(usize::MAX);
        prefix.push_lines(self.bytes.get(done..).unwrap_or_default(), self.first_line + lines - prefix.lines());
    }
}

impl Follower {
    /// A follower at the start of a log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Complete lines so far.
    pub fn lines(&self) -> u64 {
        self.prefix.lines()
    }

    /// Bytes of those lines.
    pub fn bytes(&self) -> u64 {
        self.prefix.bytes()
    }

    /// The head of the log so far.
    pub fn head(&self) -> Head {
        self.prefix.head()
    }

    /// The chain so far.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Has the head of the first so many lines kept on the way. Call it before the first block.
    pub fn keep(&mut self, lines: u64) {
        let head = (lines == self.lines()).then(|| self.head());
        self.kept.push(Kept { lines, head });
        self.kept.sort_by_key(|kept| kept.lines);
    }

    /// The head of the first so many lines, if it was to be kept and the log has come so far.
    pub fn kept(&self, lines: u64) -> Option<Head> {
        self.kept.iter().find(|kept| kept.lines == lines)?.head
    }

    /// Takes the next block. `see` gets, in order, every line that is not passed over or does not follow the one before
    /// it; its error ends the following.
    ///
    /// # Errors
    ///
    /// Those of `see`. Where it gave one, this follower is of no more use.
    pub fn take<K, E>(
        &mut self,
        survey: Survey<'_, K>,
        mut see: impl FnMut(Seen<K>, &mut Place<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (bytes, said) = survey.into_parts();
        let block = Block { bytes, first_line: self.lines(), first_byte: self.bytes() };
        let mut stretches = said.stretches.into_iter().peekable();
        let mut notables = said.notables.into_iter().peekable();
        // The next line of a stretch of which every line is wrong about how many stand before it, and what it says.
        let mut skewed: Option<(u64, u64)> = None;
        loop {
            let (stretch, notable) =
                (stretches.peek().map(|next| next.position), notables.peek().map(|next| next.position));
            let next = [stretch, notable, skewed.map(|(position, _)| position)];
            let Some(position) = next.into_iter().flatten().min() else {
                break;
            };
            let before = block.first_line + position;
            self.keep_up_to(block, before);
            let stretch = stretches.next_if(|next| next.position == position);
            let what = notables.next_if(|next| next.position == position).map(|notable| notable.what);
            let says = match &stretch {
                Some(stretch) => {
                    stretch.link.as_ref().and_then(|link| link.seq().as_u64()).filter(|says| *says != before)
                }
                None => skewed.filter(|(at, _)| *at == position).map(|(_, says)| says),
            };
            if stretch.is_some() || says.is_some() {
                skewed = says.filter(|_| position + 1 < said.read).map(|says| (position + 1, says.wrapping_add(1)));
            }
            let followed = self.follow(block, before, stretch.as_ref(), says, what.as_ref());
            if what.is_none() && followed == Followed::default() {
                continue;
            }
            let line = before + 1;
            let mut place = Place { prefix: &mut self.prefix, block, lines: line };
            see(Seen { line, what, followed }, &mut place)?;
        }
        self.keep_up_to(block, block.first_line + said.lines);
        block.finish(&mut self.prefix, said.lines);
        if said.read > 0 {
            self.chain.set_previous(said.last);
        }
        Ok(())
    }

    /// Takes the next complete lines without a look at what they say: only their number and bytes count.
    pub fn pass(&mut self, bytes: &[u8]) {
        let block = Block { bytes, first_line: self.lines(), first_byte: self.bytes() };
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.keep_up_to(block, block.first_line + lines);
        block.finish(&mut self.prefix, lines);
    }

    /// Takes a part of a line that is longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN). Such a line is corrupt, and nothing
    /// else is said of it.
    pub fn take_long(&mut self, part: &[u8], ends_line: bool) {
        self.prefix.push_part(part, ends_line);
        for kept in &mut self.kept {
            if ends_line && kept.lines == self.prefix.lines() {
                kept.head = Some(self.prefix.head());
            }
        }
    }

    /// Keeps the heads that were asked for, up to so many lines.
    fn keep_up_to(&mut self, block: Block<'_>, lines: u64) {
        for kept in &mut self.kept {
            if kept.head.is_none() && kept.lines <= lines && kept.lines >= self.prefix.lines() {
                kept.head = Some(block.head(&mut self.prefix, kept.lines));
            }
        }
    }

    /// How a line follows what stands before it.
    fn follow<K>(
        &mut self,
        block: Block<'_>,
        before: u64,
        stretch: Option<&Stretch>,
        says: Option<u64>,
        what: Option<&What<K>>,
    ) -> Followed {
        let event_type = match what {
            Some(What::Corrupt(_)) => return Followed::default(),
            Some(What::Event(event)) => Some(&event.event_type),
            Some(What::Brief { .. } | What::Blank) | None => None,
        };
        let hold = match (stretch, says) {
            (Some(Stretch { link: Some(link), follows, .. }), _) => {
                Hold::Link(link, follows.unwrap_or_else(|| self.chain.previous()))
            }
            (None, Some(says)) => Hold::Skewed(says),
            (None, None) if !self.chain.ends_foreign() => Hold::Fits,
            _ => Hold::Foreign,
        };
        let type_name = event_type.map_or("", EventType::name);
        let (broken_link, begins_foreign_stretch) = self.chain.judge(hold, type_name, before);
        let prefix = &mut self.prefix;
        let broken_head = event_type.and_then(|event_type| broken_head(event_type, || block.head(prefix, before)));
        Followed { breaks: broken_link.into_iter().chain(broken_head).collect(), begins_foreign_stretch }
    }
}
