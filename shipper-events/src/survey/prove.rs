//! Proof that a line is an event, in the form in which every writer writes it, and nothing built but what is wanted.
//!
//! The form is: the link if the line is chained, then `timestamp`, `event_type` with `type` first, and `package`,
//! compactly, and nothing else on the line's own level. Whatever has another form is not proven, which says nothing
//! against it: then [`parse_line`](crate::parse_line) decides. So this may give up at any doubt, and must never prove a
//! line that `parse_line` refuses.

use std::ops::Range;

use super::index::{Backslashes, BeyondAscii, Index, Odd, Quotes, Special};
use crate::event::Event;
use crate::event::EventType;
use crate::event::ExtraMembers;
use crate::event::{Timestamp, parse_instant};
use crate::integrity::ChainLink;
use crate::line::strict_json::{Member, ValueKind};

/// How deep objects and arrays are followed; no event of this version comes near it.
const DEPTH: u32 = 16;

/// How deep the members of the event's type stand.
const OWN: u32 = 2;

/// How many members of one object are compared with each other.
const MEMBERS: usize = 16;

/// Where a member of the event's type stands.
struct Found {
    name: Range<usize>,
    value: Range<usize>,
    shape: ValueKind,
}

/// Proves the lines of one window, from the first to the last.
pub(crate) struct Prover<'w, 'i> {
    window: &'w [u8],
    index: &'i Index,
    at: usize,
    end: usize,
    quotes: Quotes<'i>,
    special: Special<'i>,
    /// Where the next special byte stands, at or after the line's start.
    next_special: usize,
    /// Whether the line has a backslash.
    any_backslash: bool,
    /// Date, hour and minute of the last timestamp that was read in full.
    minute: [u8; 16],
    // What is proven of the line: where its parts stand, and how it begins.
    link: Option<ChainLink>,
    timestamp: Range<usize>,
    type_name: Range<usize>,
    package: Range<usize>,
    /// Whether the members of the event's type are wanted.
    collects: bool,
    found: Vec<Found>,
}

impl<'w, 'i> Prover<'w, 'i> {
    pub(crate) fn new(window: &'w [u8], index: &'i Index) -> Self {
        let mut special = Special::new(index, 0);
        Self {
            window,
            index,
            at: 0,
            end: 0,
            quotes: Quotes::new(index, 0),
            next_special: special.peek().unwrap_or(usize::MAX),
            special,
            any_backslash: false,
            minute: [0; 16],
            link: None,
            timestamp: 0..0,
            type_name: 0..0,
            package: 0..0,
            collects: false,
            found: Vec::new(),
        }
    }

    /// Proves the line that stands there, its LF at `end`: then the other methods tell of it. `builds` gets the name of
    /// its type and says whether [`event`](Self::event) will be called.
    #[inline(always)]
    pub(crate) fn line(&mut self, start: usize, end: usize, builds: impl FnOnce(&'w [u8]) -> bool) -> bool {
        self.prove(start, end, builds).is_some()
    }

    #[inline(always)]
    fn prove(&mut self, start: usize, end: usize, builds: impl FnOnce(&'w [u8]) -> bool) -> Option<()> {
        (self.at, self.end) = (start, end);
        if self.window.get(end.wrapping_sub(1)) == Some(&b'\r') && start < end {
            self.end = end - 1;
        }
        if self.next_special < start {
            self.special.skip_to(start);
            self.next_special = self.special.peek().unwrap_or(usize::MAX);
        }
        self.any_backslash = false;
        if self.next_special < self.end && !self.is_plain(start) {
            return None;
        }
        self.link = None;
        if !self.takes(b"{\"timestamp\":\"") {
            let (link, length) = ChainLink::parse(self.window.get(start..end)?)?;
            self.link = Some(link);
            self.at += length;
            self.takes(b"\"timestamp\":\"").then_some(())?;
        }
        let stamp = self.at;
        self.timestamp()?;
        self.timestamp = stamp..self.at;
        self.takes(b"\",\"event_type\":{\"type\":\"").then_some(())?;
        self.quotes.skip_to(self.at);
        self.type_name = self.at..self.quotes.next_before(self.end)?;
        self.collects = builds(self.plain(&self.type_name)?);
        self.found.clear();
        self.at = self.type_name.end + 1;
        let mut names = Names::new();
        names.push(name(b"type"))?;
        self.members(&mut names, OWN)?;
        self.takes(b",\"package\":\"").then_some(())?;
        self.quotes.skip_to(self.at);
        self.package = self.at..self.quotes.next_before(self.end)?;
        self.at = self.package.end + 1;
        (self.takes(b"}") && self.at == self.end).then_some(())
    }

    /// The link of the line; `None` if it is foreign.
    #[inline(always)]
    pub(crate) fn take_link(&mut self) -> Option<ChainLink> {
        self.link.take()
    }

    /// The package of the line, unless it is written with an escape.
    pub(crate) fn package(&self) -> Option<&'w str> {
        std::str::from_utf8(self.plain(&self.package)?).ok()
    }

    /// The event of the line, unless it wants a member of another kind.
    pub(crate) fn event(&self) -> Option<Event> {
        let text = |range: &Range<usize>| std::str::from_utf8(self.window.get(range.clone())?).ok();
        let member = |found: &Found| Some(Member::checked(text(&found.name)?, text(&found.value)?, found.shape));
        let members: Vec<Member<'_>> = self.found.iter().map(member).collect::<Option<_>>()?;
        let stamp = text(&self.timestamp)?;
        Some(Event {
            link: self.link.clone(),
            timestamp: Timestamp::from_parts(stamp, parse_instant(stamp)?),
            event_type: EventType::from_members(text(&self.type_name)?, &members).ok()?,
            package: self.package()?.to_owned(),
            extra: ExtraMembers::default(),
        })
    }

    /// Whether the text is without an escape: then it is what its bytes say. Gives the bytes.
    fn plain(&self, text: &Range<usize>) -> Option<&'w [u8]> {
        let text = self.window.get(text.clone())?;
        (!self.any_backslash || memchr::memchr(b'\\', text).is_none()).then_some(text)
    }

    /// Whether the special bytes of a line are such as may stand in strings: valid UTF-8, short escapes, and escapes that
    /// name a character by themselves.
    fn is_plain(&mut self, start: usize) -> bool {
        let beyond_ascii = BeyondAscii::new(self.index, start).next_before(self.end).is_some();
        if beyond_ascii && self.window.get(start..self.end).is_none_or(|line| std::str::from_utf8(line).is_err()) {
            return false;
        }
        let mut odd = Odd::new(self.index, start);
        while let Some(offset) = odd.next_before(self.end) {
            let Some([b'u', unit @ ..]) = self.window.get(offset..offset + 5) else {
                return false;
            };
            // Of D800 to DFFF every unit is half of a pair.
            let half = matches!(unit, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
            if half || !unit.iter().all(u8::is_ascii_hexdigit) {
                return false;
            }
        }
        self.any_backslash = Backslashes::new(self.index, start).next_before(self.end).is_some();
        true
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.window.get(self.at).copied()
    }

    /// Passes over these bytes, if they stand here.
    #[inline(always)]
    fn takes<const N: usize>(&mut self, bytes: &[u8; N]) -> bool {
        let there = self.window.get(self.at..).and_then(<[u8]>::first_chunk::<N>) == Some(bytes);
        if there {
            self.at += N;
        }
        there
    }

    /// Passes over a time in UTC, up to its closing quote.
    #[inline(always)]
    fn timestamp(&mut self) -> Option<()> {
        let rest = self.window.get(self.at..)?;
        let (minute, rest) = rest.split_first_chunk::<16>()?;
        let ([b':', tens @ b'0'..=b'5', ones @ b'0'..=b'9'], rest) = rest.split_first_chunk::<3>()? else {
            return None;
        };
        let mut length = 19;
        let mut rest = rest;
        if let [b'.', fraction @ ..] = rest {
            let digits = digits(fraction);
            if digits == 0 {
                return None;
            }
            length += 1 + digits;
            rest = fraction.get(digits..)?;
        }
        if rest.first() != Some(&b'Z') {
            return None;
        }
        if *minute != self.minute {
            let [tens, ones] = [*tens, *ones];
            let mut whole = *b"0000-00-00T00:00:00Z";
            whole.first_chunk_mut::<16>()?.copy_from_slice(minute);
            whole.last_chunk_mut::<3>()?.copy_from_slice(&[tens, ones, b'Z']);
            parse_instant(std::str::from_utf8(&whole).ok()?)?;
            self.minute = *minute;
        }
        self.at += length + 1;
        Some(())
    }

    /// Passes over the rest of an object, of which at least one member was read.
    #[inline(always)]
    fn members(&mut self, names: &mut Names, depth: u32) -> Option<()> {
        loop {
            match self.peek()? {
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                _ => return None,
            }
            self.member(names, depth)?;
        }
    }

    #[inline(always)]
    fn member(&mut self, names: &mut Names, depth: u32) -> Option<()> {
        let text = self.string()?;
        let new = self.name(text.clone())?;
        names.push(new)?;
        self.takes(b":").then_some(())?;
        let start = self.at;
        let shape = self.value(depth)?;
        if self.collects && depth == OWN {
            self.found.push(Found { name: text, value: start..self.at, shape });
        }
        Some(())
    }

    /// Passes over a string; gives what stands between its quotes.
    #[inline(always)]
    fn string(&mut self) -> Option<Range<usize>> {
        let open = self.quotes.next_before(self.end)?;
        let close = self.quotes.next_before(self.end)?;
        if open != self.at {
            return None;
        }
        self.at = close + 1;
        Some(open + 1..close)
    }

    #[inline(always)]
    fn value(&mut self, depth: u32) -> Option<ValueKind> {
        match self.peek()? {
            b'"' => {
                self.string()?;
                Some(ValueKind::String { escaped: self.any_backslash })
            }
            b'0' => {
                self.at += 1;
                self.ends_number()
            }
            b'1'..=b'9' => {
                while let Some(b'0'..=b'9') = self.peek() {
                    self.at += 1;
                }
                self.ends_number()
            }
            b't' => self.takes(b"true").then_some(ValueKind::True),
            b'f' => self.takes(b"false").then_some(ValueKind::False),
            b'n' => self.takes(b"null").then_some(ValueKind::Null),
            b'{' | b'[' if depth > DEPTH => None,
            b'{' => self.object(depth).map(|()| ValueKind::Object),
            b'[' => self.array(depth).map(|()| ValueKind::Array),
            _ => None,
        }
    }

    /// An integer ends where the value ends; other numbers are rare and left to the reader.
    #[inline(always)]
    fn ends_number(&self) -> Option<ValueKind> {
        matches!(self.peek()?, b',' | b'}' | b']').then_some(ValueKind::Number { digits_only: true })
    }

    fn object(&mut self, depth: u32) -> Option<()> {
        self.at += 1;
        if self.takes(b"}") {
            return Some(());
        }
        let mut names = Names::new();
        self.member(&mut names, depth + 1)?;
        self.members(&mut names, depth + 1)
    }

    fn array(&mut self, depth: u32) -> Option<()> {
        self.at += 1;
        if self.takes(b"]") {
            return Some(());
        }
        loop {
            self.value(depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// What a name is compared by.
    #[inline(always)]
    fn name(&self, text: Range<usize>) -> Option<u64> {
        self.plain(&text)?;
        let length = text.len();
        let word = |from: usize| self.window.get(from..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let first = word(text.start)?;
        Some(if length < 8 {
            mix(first & ((1 << (length * 8)) - 1), 0, length)
        } else {
            mix(first, word(text.end - 8)?, length)
        })
    }
}

/// What the name of so few bytes is compared by.
fn name(text: &[u8; 4]) -> u64 {
    mix(u64::from(u32::from_le_bytes(*text)), 0, 4)
}

/// Equal for equal names; for different ones it may be equal, too, and then nothing is proven.
#[inline(always)]
fn mix(first: u64, last: u64, length: usize) -> u64 {
    first ^ last.rotate_left(21).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((length as u64) << 56)
}

/// The names in one object.
struct Names {
    seen: [u64; MEMBERS],
    count: usize,
}

impl Names {
    #[inline(always)]
    fn new() -> Self {
        Self { seen: [0; MEMBERS], count: 0 }
    }

    /// Remembers a name, unless it stands there already or there is no room for it.
    #[inline(always)]
    fn push(&mut self, name: u64) -> Option<()> {
        let (before, [free, ..]) = self.seen.split_at_mut_checked(self.count)? else {
            return None;
        };
        if before.contains(&name) {
            return None;
        }
        *free = name;
        self.count += 1;
        Some(())
    }
}

/// How many digits the text begins with.
#[inline(always)]
fn digits(text: &[u8]) -> usize {
    let mut count = 0;
    // Eight at a time: a byte that is a digit is at most 9 once the bits of `0` are taken away.
    while let Some(eight) = text.get(count..).and_then(<[u8]>::first_chunk) {
        let worth = u64::from_le_bytes(*eight) ^ 0x3030_3030_3030_3030;
        if (worth | worth.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
            break;
        }
        count += 8;
    }
    while let Some(b'0'..=b'9') = text.get(count) {
        count += 1;
    }
    count
}
