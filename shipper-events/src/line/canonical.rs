//! The fast path: accepts a line in the canonical form, which every writer uses, and allocates nothing for it.
//!
//! The canonical form is: the link if the line is chained, then `timestamp`, `event_type` with `type` first, and `package`,
//! compactly, and no other member of the line. A line in another form may be valid:
//! [`parse_line`](crate::parse_line) decides. So this parser may reject any line, and must never accept one that
//! `parse_line` rejects.

use std::ops::Range;

use super::member_names::{KnownName, KnownNames, NameSet, hash_name};
use super::strict_json::Member;
use super::structural_index::{BitCursor, IRREGULAR, SPECIAL, StructuralIndex};
use crate::event::{Event, EventType, ExtraMembers, Timestamp, parse_instant};
use crate::integrity::ChainLink;

/// The depth limit of objects and arrays here; no event of this version comes near it.
const MAX_DEPTH: u32 = 16;

/// The depth of the members of `event_type`.
const EVENT_TYPE_DEPTH: u32 = 2;

/// The facts about the type of an event that the caller has, when the parser has read its name.
pub(crate) struct TypeHint {
    /// True if the caller needs the [`event`](CanonicalParser::event).
    pub(crate) needs_event: bool,
    /// A small number, the same for most lines of this type and for few lines of others.
    pub(crate) slot: usize,
}

/// Parses the lines of one window in order.
pub(crate) struct CanonicalParser<'w, 'i> {
    window: &'w [u8],
    index: &'i StructuralIndex,
    offset: usize,
    end: usize,
    special: BitCursor<'i, SPECIAL>,
    /// The offset of the first special byte at or after the line's start.
    next_special: usize,
    has_backslash: bool,
    /// Date, hour and minute of the last timestamp that was parsed in full.
    last_minute: [u8; 16],
    // The parts of the line.
    link: Option<ChainLink>,
    timestamp: Range<usize>,
    type_name: Range<usize>,
    package: Range<usize>,
    /// The members of `event_type`, name and value of each.
    members: Vec<(Range<usize>, Range<usize>)>,
}

impl<'w, 'i> CanonicalParser<'w, 'i> {
    pub(crate) fn new(window: &'w [u8], index: &'i StructuralIndex) -> Self {
        let mut special = BitCursor::new(index, 0);
        Self {
            window,
            index,
            offset: 0,
            end: 0,
            next_special: special.peek_before(usize::MAX).unwrap_or(usize::MAX),
            special,
            has_backslash: false,
            last_minute: [0; 16],
            link: None,
            timestamp: 0..0,
            type_name: 0..0,
            package: 0..0,
            members: Vec::new(),
        }
    }

    /// Parses the line at `start`, its LF at `end`. `None` if it is not canonical; otherwise the other methods return its
    /// parts. `hint` gets the name of the event's type and whether the line is chained.
    /// `known_names` are of any other lines.
    #[inline(always)]
    pub(crate) fn parse_line(
        &mut self,
        start: usize,
        end: usize,
        known_names: &mut KnownNames,
        hint: impl FnOnce(&'w [u8], bool) -> TypeHint,
    ) -> Option<()> {
        (self.offset, self.end, self.has_backslash) = (start, end, false);
        if self.next_special < start {
            self.special.skip_to(start);
            self.next_special = self.special.peek_before(usize::MAX).unwrap_or(usize::MAX);
        }
        // Most lines have no special byte, so no CR either.
        if self.next_special < end {
            self.end -= usize::from(self.window.get(start..end)?.ends_with(b"\r"));
            if self.next_special < self.end && !self.special_bytes_are_valid(start) {
                return None;
            }
        }
        self.link = None;
        if self.consume(b"{\"timestamp\":\"").is_none() {
            let (link, len) = ChainLink::parse(self.window.get(start..end)?)?;
            self.link = Some(link);
            self.offset += len;
            self.consume(b"\"timestamp\":\"")?;
        }
        self.timestamp = self.consume_timestamp()?;
        self.consume(b"\",\"event_type\":{\"type\":\"")?;
        self.type_name = self.consume_opened_string()?;
        let TypeHint { needs_event, slot } = hint(self.unescaped(&self.type_name)?, self.link.is_some());
        self.members.clear();
        let start = self.offset;
        let known = known_names.of_type(slot).and_then(|names| self.consume_known_members(names, needs_event));
        if known.is_none() {
            self.offset = start;
            self.members.clear();
            let mut names = NameSet::default();
            names.insert(hash_name(u64::from(u32::from_le_bytes(*b"type")), 0, 4))?;
            self.consume_members(&mut names, EVENT_TYPE_DEPTH)?;
            let names = self.members.iter().map(|(name, _)| self.window.get(name.clone()).unwrap_or_default());
            known_names.learn(slot, names);
        }
        self.consume(b",\"package\":\"")?;
        self.package = self.consume_opened_string()?;
        self.consume(b"}")?;
        (self.offset == self.end).then_some(())
    }

    /// Takes the link of the line; `None` if the line is unchained.
    #[inline(always)]
    pub(crate) fn take_link(&mut self) -> Option<ChainLink> {
        self.link.take()
    }

    /// Returns the package; `None` if it contains an escape.
    pub(crate) fn package(&self) -> Option<&'w str> {
        std::str::from_utf8(self.unescaped(&self.package)?).ok()
    }

    /// Builds the event; `None` if a required member is missing or has another type. Boxed at once, because it is large.
    pub(crate) fn event(&self) -> Option<Box<Event>> {
        let start = self.timestamp.start;
        let line = std::str::from_utf8(self.window.get(start..self.end)?).ok()?;
        let text = |range: &Range<usize>| line.get(range.start - start..range.end - start);
        let members = self.members.iter().map(|(name, value)| Some(Member::checked(text(name)?, text(value)?)));
        let members: Vec<Member<'_>> = members.collect::<Option<_>>()?;
        let timestamp: Timestamp = text(&self.timestamp)?.parse().ok()?;
        let event_type = EventType::from_members(text(&self.type_name)?, &members).ok()?;
        let (link, package) = (self.link.clone(), self.package()?.to_owned());
        Some(Box::new(Event { link, timestamp, event_type, package, extra: ExtraMembers::default() }))
    }

    /// Returns the bytes of a string; `None` if it contains an escape.
    fn unescaped(&self, string: &Range<usize>) -> Option<&'w [u8]> {
        let text = self.window.get(string.clone())?;
        (!self.has_backslash || memchr::memchr(b'\\', text).is_none()).then_some(text)
    }

    /// Returns whether the line's special bytes are valid in a string: UTF-8, short escapes, and escapes of one character.
    fn special_bytes_are_valid(&mut self, start: usize) -> bool {
        let Some(line) = self.window.get(start..self.end).filter(|line| std::str::from_utf8(line).is_ok()) else {
            return false;
        };
        self.has_backslash = memchr::memchr(b'\\', line).is_some();
        let mut irregular = BitCursor::<IRREGULAR>::new(self.index, start);
        while let Some(offset) = irregular.next_before(self.end) {
            let Some([b'u', digits @ ..]) = self.window.get(offset..offset + 5) else {
                return false;
            };
            // D800 to DFFF are halves of surrogate pairs.
            let is_half = matches!(digits, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
            if is_half || !digits.iter().all(u8::is_ascii_hexdigit) {
                return false;
            }
        }
        true
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.window.get(self.offset).copied()
    }

    #[inline(always)]
    fn consume<const N: usize>(&mut self, bytes: &[u8; N]) -> Option<()> {
        if self.window.get(self.offset..).and_then(<[u8]>::first_chunk::<N>) != Some(bytes) {
            return None;
        }
        self.offset += N;
        Some(())
    }

    /// Consumes a time in UTC, without the quote that closes it.
    #[inline(always)]
    fn consume_timestamp(&mut self) -> Option<Range<usize>> {
        let start = self.offset;
        let (minute, rest) = self.window.get(start..)?.split_first_chunk::<16>()?;
        let ([b':', tens @ b'0'..=b'5', ones @ b'0'..=b'9'], mut rest) = rest.split_first_chunk::<3>()? else {
            return None;
        };
        let mut len = 19;
        if let [b'.', fraction @ ..] = rest {
            let digits = count_digits(fraction);
            rest = fraction.get(digits..).filter(|_| digits > 0)?;
            len += 1 + digits;
        }
        if rest.first() != Some(&b'Z') {
            return None;
        }
        if *minute != self.last_minute {
            let mut whole = *b"0000-00-00T00:00:00Z";
            whole.first_chunk_mut::<16>()?.copy_from_slice(minute);
            whole.last_chunk_mut::<3>()?.copy_from_slice(&[*tens, *ones, b'Z']);
            parse_instant(std::str::from_utf8(&whole).ok()?)?;
            self.last_minute = *minute;
        }
        self.offset += len + 1;
        Some(start..self.offset)
    }

    /// Consumes the rest of `event_type` if its members have the names that an earlier line had: then no two are equal.
    #[inline(always)]
    fn consume_known_members(&mut self, names: &[KnownName], collects: bool) -> Option<()> {
        for name in names {
            let start = self.offset;
            let value = start + name.match_len(self.window.get(start..)?)?;
            self.offset = value;
            self.consume_value(EVENT_TYPE_DEPTH)?;
            if collects {
                // Without the comma and the quotes, and without the colon.
                self.members.push((start + 2..value - 2, value..self.offset));
            }
        }
        self.consume(b"}")
    }

    /// Consumes the rest of an object that has at least one member.
    #[inline(always)]
    fn consume_members(&mut self, names: &mut NameSet, depth: u32) -> Option<()> {
        loop {
            match self.peek()? {
                b'}' => return self.consume(b"}"),
                b',' => self.offset += 1,
                _ => return None,
            }
            self.consume_member(names, depth)?;
        }
    }

    #[inline(always)]
    fn consume_member(&mut self, names: &mut NameSet, depth: u32) -> Option<()> {
        let name = self.consume_string()?;
        names.insert(self.hash_of_name(&name)?)?;
        self.consume(b":")?;
        let start = self.offset;
        self.consume_value(depth)?;
        if depth == EVENT_TYPE_DEPTH {
            self.members.push((name, start..self.offset));
        }
        Some(())
    }

    /// Consumes a string and returns the range between its quotes.
    #[inline(always)]
    fn consume_string(&mut self) -> Option<Range<usize>> {
        self.consume(b"\"")?;
        self.consume_opened_string()
    }

    /// Consumes the rest of a string whose opening quote is consumed, and returns the range between its quotes.
    #[inline(always)]
    fn consume_opened_string(&mut self) -> Option<Range<usize>> {
        let start = self.offset;
        let close = self.index.next_quote(start, self.end)?;
        self.offset = close + 1;
        Some(start..close)
    }

    #[inline(always)]
    fn consume_value(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.consume_string().map(|_| ()),
            first @ b'0'..=b'9' => {
                let digits = count_digits(self.window.get(self.offset..)?);
                if first == b'0' && digits > 1 {
                    return None;
                }
                self.offset += digits;
                // Other numbers than unsigned integers are rare and left to `parse_line`.
                matches!(self.peek()?, b',' | b'}' | b']').then_some(())
            }
            b't' => self.consume(b"true"),
            b'f' => self.consume(b"false"),
            b'n' => self.consume(b"null"),
            b'{' | b'[' if depth > MAX_DEPTH => None,
            b'{' => self.consume_object(depth),
            b'[' => self.consume_array(depth),
            _ => None,
        }
    }

    fn consume_object(&mut self, depth: u32) -> Option<()> {
        self.offset += 1;
        if self.peek() == Some(b'}') {
            return self.consume(b"}");
        }
        let mut names = NameSet::default();
        self.consume_member(&mut names, depth + 1)?;
        self.consume_members(&mut names, depth + 1)
    }

    fn consume_array(&mut self, depth: u32) -> Option<()> {
        self.offset += 1;
        if self.peek() == Some(b']') {
            return self.consume(b"]");
        }
        loop {
            self.consume_value(depth + 1)?;
            match self.peek()? {
                b',' => self.offset += 1,
                b']' => return self.consume(b"]"),
                _ => return None,
            }
        }
    }

    #[inline(always)]
    fn hash_of_name(&self, name: &Range<usize>) -> Option<u64> {
        self.unescaped(name)?;
        let len = name.len();
        let word = |from: usize| self.window.get(from..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let first = word(name.start)?;
        Some(if len < 8 {
            hash_name(first & ((1 << (len * 8)) - 1), 0, len)
        } else {
            hash_name(first, word(name.end - 8)?, len)
        })
    }
}

/// Returns the number of digits that the text begins with.
#[inline(always)]
fn count_digits(text: &[u8]) -> usize {
    let mut count = 0;
    // Eight at a time: a byte that is a digit is at most 9 once the bits of `0` are taken away.
    while let Some(eight) = text.get(count..).and_then(<[u8]>::first_chunk) {
        let values = u64::from_le_bytes(*eight) ^ 0x3030_3030_3030_3030;
        let others = (values | values.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
        if others != 0 {
            return count + others.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    count + text.iter().skip(count).take_while(|byte| byte.is_ascii_digit()).count()
}
