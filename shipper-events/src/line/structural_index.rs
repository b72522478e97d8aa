//! Index of the bytes that a JSON parser needs, sixty-four bytes at a time (simdjson's term: structural index).

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// The number of bytes that a word of the index covers.
const WORD_LEN: usize = 64;

/// The index of a window of whole lines.
#[derive(Debug)]
pub(crate) struct StructuralIndex {
    level: Level,
    words: Vec<BitmapWord>,
}

/// A bitmap of sixty-four bytes for each class, the lowest bit for the first byte.
type BitmapWord = [u64; 4];

/// The class of quotes that open or close a string: those that are not escaped.
const QUOTES: usize = 0;

/// The class of line feeds.
pub(crate) const LINE_FEEDS: usize = 1;

/// The class of irregular bytes, backslashes, and bytes that are not ASCII: most lines have none.
pub(crate) const SPECIAL: usize = 2;

/// The class of control characters other than the line feed, and of escaped bytes that make no short escape.
pub(crate) const IRREGULAR: usize = 3;

/// Iterates over the offsets of one class of bytes in a window.
#[derive(Debug)]
pub(crate) struct BitCursor<'i, const CLASS: usize> {
    words: &'i [BitmapWord],
    word: usize,
    /// The bits of that word that are still to come.
    bits: u64,
}

impl StructuralIndex {
    pub(crate) fn new() -> Self {
        Self { level: Level::new(), words: Vec::new() }
    }

    /// Indexes a window, which begins where a line begins.
    pub(crate) fn fill(&mut self, window: &[u8]) {
        self.words.clear();
        self.words.reserve(window.len() / WORD_LEN + 2);
        let level = self.level;
        dispatch!(level, simd => self.fill_with(simd, window));
    }

    #[inline(always)]
    fn fill_with<S: Simd>(&mut self, simd: S, window: &[u8]) {
        let (words, rest) = window.as_chunks::<WORD_LEN>();
        // 1 if the first byte of the next word is escaped.
        let mut carry = 0;
        for word in words {
            let (bitmaps, escapes) = index_word(simd, word, carry);
            self.words.push(bitmaps);
            carry = escapes;
        }
        let mut word = [b' '; WORD_LEN];
        if let Some(start) = word.get_mut(..rest.len()).filter(|start| !start.is_empty()) {
            start.copy_from_slice(rest);
            self.words.push(index_word(simd, &word, carry).0);
        }
        // For `next_quote`.
        self.words.push([0; 4]);
    }

    /// Returns the first quote from `start` on that is before `end`.
    #[inline(always)]
    pub(crate) fn next_quote(&self, start: usize, end: usize) -> Option<usize> {
        let [[quotes, ..], [next_quotes, ..]] = self.words.get(start / WORD_LEN..)?.first_chunk()?;
        // Those of sixty-four bytes, in which nearly every string ends: a loop over the words is more difficult to predict.
        let skipped = start % WORD_LEN;
        let near = quotes >> skipped | next_quotes << (WORD_LEN - 1 - skipped) << 1;
        if near == 0 {
            return BitCursor::<QUOTES>::new(self, start + WORD_LEN).peek_before(end);
        }
        Some(start + near.trailing_zeros() as usize).filter(|quote| *quote < end)
    }
}

/// Indexes a word. `carry` is 1 if its first byte is escaped; the same of the next word is returned.
#[inline(always)]
fn index_word<S: Simd>(simd: S, word: &[u8; WORD_LEN], carry: u64) -> (BitmapWord, u64) {
    let bytes: u8x64<S> = (*word).simd_into(simd);
    let is = |byte: u8| bytes.simd_eq(byte).to_bitmask();
    let (quotes, line_feeds, backslashes) = (is(b'"'), is(b'\n'), is(b'\\'));
    let (controls, non_ascii) = (bytes.simd_lt(0x20).to_bitmask(), bytes.simd_ge(0x80).to_bitmask());
    let (mut irregular, mut escaped, mut next_carry) = (controls & !line_feeds, 0, 0);
    if backslashes | carry != 0 {
        (escaped, next_carry) = find_escaped(backslashes, carry);
        // After a backslash, these make a short escape.
        let short = quotes | backslashes | is(b'/') | is(b'b') | is(b'f') | is(b'n') | is(b'r') | is(b't');
        irregular |= escaped & !short;
    }
    ([quotes & !escaped, line_feeds, irregular | backslashes | non_ascii, irregular], next_carry)
}

/// Returns the bytes that follow a backslash which is not escaped itself, and whether the next word begins with one.
#[inline(always)]
fn find_escaped(backslashes: u64, carry: u64) -> (u64, u64) {
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

impl<'i, const CLASS: usize> BitCursor<'i, CLASS> {
    /// Starts at that offset.
    #[inline(always)]
    pub(crate) fn new(index: &'i StructuralIndex, offset: usize) -> Self {
        let mut cursor = Self { words: &index.words, word: 0, bits: 0 };
        cursor.skip_to(offset);
        cursor
    }

    /// Continues at that offset.
    #[inline(always)]
    pub(crate) fn skip_to(&mut self, offset: usize) {
        self.word = offset / WORD_LEN;
        self.bits = self.bits_of(self.word).unwrap_or_default() & (u64::MAX << (offset % WORD_LEN));
    }

    /// Returns the next offset if it is less than `end`. It reads no word behind `end`: a caller that asks for every line of
    /// a window must not read the whole window each time.
    #[inline(always)]
    pub(crate) fn next_before(&mut self, end: usize) -> Option<usize> {
        let next = self.peek_before(end)?;
        self.bits &= self.bits - 1;
        Some(next)
    }

    /// Returns what [`next_before`](Self::next_before) would, without advancing.
    #[inline(always)]
    pub(crate) fn peek_before(&mut self, end: usize) -> Option<usize> {
        while self.bits == 0 {
            if (self.word + 1) * WORD_LEN >= end {
                return None;
            }
            self.word += 1;
            self.bits = self.bits_of(self.word)?;
        }
        let next = self.word * WORD_LEN + self.bits.trailing_zeros() as usize;
        (next < end).then_some(next)
    }

    #[inline(always)]
    fn bits_of(&self, word: usize) -> Option<u64> {
        self.words.get(word)?.get(CLASS).copied()
    }
}

#[cfg(test)]
#[path = "../../tests/unit/structural_index.rs"]
mod tests;
