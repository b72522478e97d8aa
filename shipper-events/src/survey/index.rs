//! Where the bytes stand that matter to a JSON reader: one look at each, sixty-four at a time.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// How many bytes one word of an index tells of.
const WORD: usize = 64;

/// A bit for each byte of a window, in words of sixty-four.
#[derive(Debug)]
pub(super) struct Index {
    level: Level,
    quotes: Vec<u64>,
    ends: Vec<u64>,
    backslashes: Vec<u64>,
    odd: Vec<u64>,
    /// Whether all bytes are ASCII.
    pub(super) ascii: bool,
}

/// A kind of byte in a window, looked for from the front to the back.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'i> {
    words: &'i [u64],
    word: usize,
    bits: u64,
}

/// What stands in sixty-four bytes.
struct Kinds {
    quotes: u64,
    backslashes: u64,
    ends: u64,
    controls: u64,
    /// The characters that stand for themselves or one other after a backslash: all escapes but `\u`.
    escapable: u64,
    beyond_ascii: u64,
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            level: Level::new(),
            quotes: Vec::new(),
            ends: Vec::new(),
            backslashes: Vec::new(),
            odd: Vec::new(),
            ascii: true,
        }
    }

    /// Looks through a window, which begins where a line begins.
    pub(super) fn fill(&mut self, window: &[u8]) {
        let level = self.level;
        dispatch!(level, simd => self.fill_with(simd, window));
    }

    /// Quotes that open or close a string, and are not escaped.
    pub(super) fn quotes(&self) -> Cursor<'_> {
        Cursor::new(&self.quotes)
    }

    /// Line feeds.
    pub(super) fn ends(&self) -> Cursor<'_> {
        Cursor::new(&self.ends)
    }

    /// Backslashes.
    pub(super) fn backslashes(&self) -> Cursor<'_> {
        Cursor::new(&self.backslashes)
    }

    /// What wants a closer look: control characters other than the line feed, and what stands escaped that is none of
    /// the short escapes.
    pub(super) fn odd(&self) -> Cursor<'_> {
        Cursor::new(&self.odd)
    }

    #[inline(always)]
    fn fill_with<S: Simd>(&mut self, simd: S, window: &[u8]) {
        self.quotes.clear();
        self.ends.clear();
        self.backslashes.clear();
        self.odd.clear();
        let (words, rest) = window.as_chunks::<WORD>();
        let mut beyond_ascii = 0;
        // Whether the first byte of the next word is escaped: 0 or 1.
        let mut carry = 0;
        for word in words {
            let kinds = kinds(simd, word);
            beyond_ascii |= kinds.beyond_ascii;
            carry = self.push(&kinds, carry);
        }
        if !rest.is_empty() {
            let mut word = [b' '; WORD];
            for (to, from) in word.iter_mut().zip(rest) {
                *to = *from;
            }
            let kinds = kinds(simd, &word);
            beyond_ascii |= kinds.beyond_ascii;
            self.push(&kinds, carry);
        }
        self.ascii = beyond_ascii == 0;
    }

    #[inline(always)]
    fn push(&mut self, kinds: &Kinds, carry: u64) -> u64 {
        let (escaped, carry) = if kinds.backslashes | carry == 0 { (0, 0) } else { escaped(kinds.backslashes, carry) };
        self.quotes.push(kinds.quotes & !escaped);
        self.ends.push(kinds.ends);
        self.backslashes.push(kinds.backslashes);
        self.odd.push((kinds.controls & !kinds.ends) | (escaped & !kinds.escapable));
        carry
    }
}

#[inline(always)]
fn kinds<S: Simd>(simd: S, word: &[u8; WORD]) -> Kinds {
    let bytes: u8x64<S> = (*word).simd_into(simd);
    let is = |byte: u8| bytes.simd_eq(byte).to_bitmask();
    let (quotes, backslashes) = (is(b'"'), is(b'\\'));
    let escapable = if backslashes == 0 {
        // Only the first byte can be escaped, from the word before.
        u64::from(matches!(word.first(), Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')))
    } else {
        quotes | backslashes | is(b'/') | is(b'b') | is(b'f') | is(b'n') | is(b'r') | is(b't')
    };
    Kinds {
        quotes,
        backslashes,
        ends: is(b'\n'),
        controls: bytes.simd_lt(0x20).to_bitmask(),
        escapable,
        beyond_ascii: bytes.simd_ge(0x80).to_bitmask(),
    }
}

/// The bytes that a backslash stands before that is not escaped itself, and whether the next word begins with one.
#[inline(always)]
fn escaped(backslashes: u64, carry: u64) -> (u64, u64) {
    let (mut escaped, mut next) = (carry, 0);
    let mut left = backslashes & !carry;
    while left != 0 {
        let backslash = left & left.wrapping_neg();
        let follows = backslash << 1;
        next = u64::from(follows == 0);
        escaped |= follows;
        left &= !(backslash | follows);
    }
    (escaped, next)
}

impl<'i> Cursor<'i> {
    fn new(words: &'i [u64]) -> Self {
        Self { words, word: 0, bits: words.first().copied().unwrap_or_default() }
    }

    /// Goes on at that offset.
    #[inline(always)]
    pub(super) fn skip_to(&mut self, offset: usize) {
        self.word = offset / WORD;
        self.bits = self.words.get(self.word).copied().unwrap_or_default() & (u64::MAX << (offset % WORD));
    }

    /// The offset of the next one.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<usize> {
        let next = self.peek()?;
        self.bits &= self.bits - 1;
        Some(next)
    }

    /// The offset of the next one, which stays the next one.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.word += 1;
            self.bits = *self.words.get(self.word)?;
        }
        Some(self.word * WORD + self.bits.trailing_zeros() as usize)
    }
}
