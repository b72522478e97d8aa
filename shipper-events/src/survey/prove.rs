//! Proof that a line is an event, in the form in which every writer writes it, without building anything.
//!
//! The form is: the link if the line is chained, then `timestamp`, `event_type` with `type` first, and `package`,
//! compactly, and nothing else on the line's own level. Whatever has another form is not proven, which says nothing
//! against it: then [`parse_line`](crate::parse_line) decides. So this may give up at any doubt, and must never prove a
//! line that `parse_line` refuses.

use std::ops::Range;

use super::index::{Cursor, Index};
use crate::link::Link;
use crate::timestamp;

/// How deep objects and arrays are followed; no event of this version comes near it.
const DEPTH: u32 = 16;

/// How many members of one object are compared with each other.
const MEMBERS: usize = 16;

/// What is proven of a line: where its package stands, and how it begins.
pub(super) struct Proof {
    pub(super) package: Range<usize>,
    pub(super) link: Option<Link>,
}

/// Proves the lines of one window, from the first to the last.
pub(super) struct Prover<'w, 'i> {
    window: &'w [u8],
    at: usize,
    end: usize,
    quotes: Cursor<'i>,
    backslashes: Cursor<'i>,
    odd: Cursor<'i>,
    /// Where the next odd byte stands, at or after the line's start.
    next_odd: usize,
    next_backslash: usize,
    /// Date, hour and minute of the last timestamp that was read in full.
    minute: [u8; 16],
    any_backslash: bool,
}

impl<'w, 'i> Prover<'w, 'i> {
    pub(super) fn new(window: &'w [u8], index: &'i Index) -> Self {
        Self {
            window,
            at: 0,
            end: 0,
            quotes: index.quotes(),
            backslashes: index.backslashes(),
            odd: index.odd(),
            next_odd: 0,
            next_backslash: 0,
            minute: [0; 16],
            any_backslash: false,
        }
    }

    /// Proves the line that stands there, its LF at `end`. `matters` may end the proof once the type is known.
    #[inline(always)]
    pub(super) fn line(&mut self, start: usize, end: usize, goes_on: impl FnOnce(&'w [u8]) -> bool) -> Option<Proof> {
        (self.at, self.end) = (start, end);
        if self.window.get(end.wrapping_sub(1)) == Some(&b'\r') && start < end {
            self.end = end - 1;
        }
        self.look_ahead(start);
        if self.next_odd < self.end && !self.only_units() {
            return None;
        }
        self.any_backslash = self.next_backslash < self.end;
        let link = if self.takes(b"{\"timestamp\":\"") {
            None
        } else {
            let (link, length) = Link::split(self.window.get(start..end)?)?;
            self.at += length;
            if !self.takes(b"\"timestamp\":\"") {
                return None;
            }
            Some(link)
        };
        self.timestamp()?;
        self.takes(b"\",\"event_type\":{\"type\":\"").then_some(())?;
        self.quotes.skip_to(self.at);
        let type_name = self.at..self.quotes.next().filter(|close| *close < self.end)?;
        if !goes_on(self.plain(&type_name)?) {
            return None;
        }
        self.at = type_name.end + 1;
        let mut names = Names::new();
        names.push(name(b"type"));
        self.members(&mut names, 2)?;
        self.takes(b",\"package\":\"").then_some(())?;
        self.quotes.skip_to(self.at);
        let package = self.at..self.quotes.next().filter(|close| *close < self.end)?;
        self.at = package.end + 1;
        (self.takes(b"}") && self.at == self.end).then_some(Proof { package, link })
    }

    /// Whether the text is without an escape: then it is what its bytes say. Gives the bytes.
    pub(super) fn plain(&self, text: &Range<usize>) -> Option<&'w [u8]> {
        let text = self.window.get(text.clone())?;
        (!self.any_backslash || memchr::memchr(b'\\', text).is_none()).then_some(text)
    }

    /// Brings what is known of bytes to come up to the line's start.
    #[inline(always)]
    fn look_ahead(&mut self, start: usize) {
        let next = |cursor: &mut Cursor<'_>, known: &mut usize| {
            if *known < start || start == 0 {
                cursor.skip_to(start);
                *known = cursor.peek().unwrap_or(usize::MAX);
            }
        };
        next(&mut self.odd, &mut self.next_odd);
        next(&mut self.backslashes, &mut self.next_backslash);
    }

    /// Whether every odd byte of the line is the `u` of an escape that names a character by itself.
    fn only_units(&mut self) -> bool {
        let mut odd = self.odd.clone();
        while let Some(offset) = odd.next().filter(|offset| *offset < self.end) {
            let Some([b'u', unit @ ..]) = self.window.get(offset..offset + 5) else {
                return false;
            };
            // Of D800 to DFFF every unit is half of a pair.
            let half = matches!(unit, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
            if half || !unit.iter().all(u8::is_ascii_hexdigit) {
                return false;
            }
        }
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
            timestamp::instant(std::str::from_utf8(&whole).ok()?)?;
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
        let new = self.name(text)?;
        if names.push(new) != Fits::Yes {
            return None;
        }
        self.takes(b":").then_some(())?;
        self.value(depth)
    }

    /// Passes over a string; gives what stands between its quotes.
    #[inline(always)]
    fn string(&mut self) -> Option<Range<usize>> {
        let open = self.quotes.next()?;
        let close = self.quotes.next()?;
        if open != self.at || close >= self.end {
            return None;
        }
        self.at = close + 1;
        Some(open + 1..close)
    }

    #[inline(always)]
    fn value(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'0' => {
                self.at += 1;
                self.ends_number()
            }
            b'1'..=b'9' => {
                self.at += digits(self.window.get(self.at..)?);
                self.ends_number()
            }
            b't' => self.takes(b"true").then_some(()),
            b'f' => self.takes(b"false").then_some(()),
            b'n' => self.takes(b"null").then_some(()),
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            _ => None,
        }
    }

    /// An integer ends where the value ends; other numbers are rare and left to the reader.
    #[inline(always)]
    fn ends_number(&self) -> Option<()> {
        matches!(self.peek()?, b',' | b'}' | b']').then_some(())
    }

    fn object(&mut self, depth: u32) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        self.at += 1;
        if self.takes(b"}") {
            return Some(());
        }
        let mut names = Names::new();
        self.member(&mut names, depth + 1)?;
        self.members(&mut names, depth + 1)
    }

    fn array(&mut self, depth: u32) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
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
        if self.any_backslash && memchr::memchr(b'\\', self.window.get(text.clone())?).is_some() {
            return None;
        }
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

#[derive(PartialEq, Eq)]
enum Fits {
    Yes,
    No,
}

impl Names {
    #[inline(always)]
    fn new() -> Self {
        Self { seen: [0; MEMBERS], count: 0 }
    }

    /// Remembers a name, unless it stands there already or there is no room for it.
    #[inline(always)]
    fn push(&mut self, name: u64) -> Fits {
        let Some((before, [free, ..])) = self.seen.split_at_mut_checked(self.count) else {
            return Fits::No;
        };
        if before.contains(&name) {
            return Fits::No;
        }
        *free = name;
        self.count += 1;
        Fits::Yes
    }
}

/// How many digits the text begins with.
#[inline(always)]
fn digits(text: &[u8]) -> usize {
    let mut count = 0;
    while let Some(b'0'..=b'9') = text.get(count) {
        count += 1;
    }
    count
}
