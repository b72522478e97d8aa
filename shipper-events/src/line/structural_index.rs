//! An index of the bytes that matter to a JSON reader, sixty-four bytes at a time (simdjson's term: structural index).

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

const QUOTES: usize = 0;
const LINE_FEEDS: usize = 1;
const SPECIAL: usize = 2;
const IRREGULAR: usize = 3;

/// Quotes that open or close a string: those that are not escaped.
pub(crate) type Quotes<'i> = BitCursor<'i, QUOTES>;

/// Line feeds.
pub(crate) type LineFeeds<'i> = BitCursor<'i, LINE_FEEDS>;

/// Irregular bytes, backslashes, and bytes that are not ASCII: most lines have none.
pub(crate) type Special<'i> = BitCursor<'i, SPECIAL>;

/// Control characters other than the line feed, and escaped bytes that make no short escape.
pub(crate) type Irregular<'i> = BitCursor<'i, IRREGULAR>;

/// Iterates over the offsets of one class of bytes in a window.
#[derive(Debug)]
pub(crate) struct BitCursor<'i, const CLASS: usize> {
    words: &'i [BitmapWord],
    word: usize,
    /// The bits of that word that are still to come.
    bits: u64,
}

/// Bitmaps of sixty-four bytes, without regard to the bytes before them.
struct ByteClasses {
    quotes: u64,
    backslashes: u64,
    line_feeds: u64,
    controls: u64,
    /// The bytes that make a short escape after a backslash: those of all escapes but `\u`.
    escapable: u64,
    non_ascii: u64,
}

impl StructuralIndex {
    pub(crate) fn new() -> Self {
        Self { level: Level::new(), words: Vec::new() }
    }

    /// Indexes a window, which begins where a line begins.
    pub(crate) fn fill(&mut self, window: &[u8]) {
        self.words.clear();
        self.words.reserve(window.len() / WORD_LEN + 1);
        let level = self.level;
        dispatch!(level, simd => self.fill_with(simd, window));
    }

    #[inline(always)]
    fn fill_with<S: Simd>(&mut self, simd: S, window: &[u8]) {
        let (words, rest) = window.as_chunks::<WORD_LEN>();
        // Whether the first byte of the next word is escaped: 0 or 1.
        let mut carry = 0;
        for word in words {
            carry = self.push(&classify(simd, word), carry);
        }
        let mut word = [b' '; WORD_LEN];
        if let Some(start) = word.get_mut(..rest.len()).filter(|start| !start.is_empty()) {
            start.copy_from_slice(rest);
            self.push(&classify(simd, &word), carry);
        }
    }

    #[inline(always)]
    fn push(&mut self, classes: &ByteClasses, carry: u64) -> u64 {
        let ByteClasses { quotes, backslashes, line_feeds, controls, escapable, non_ascii } = *classes;
        let (escaped, carry) = if backslashes | carry == 0 { (0, 0) } else { find_escaped(backslashes, carry) };
        let irregular = (controls & !line_feeds) | (escaped & !escapable);
        self.words.push([quotes & !escaped, line_feeds, irregular | backslashes | non_ascii, irregular]);
        carry
    }
}

#[inline(always)]
fn classify<S: Simd>(simd: S, word: &[u8; WORD_LEN]) -> ByteClasses {
    let bytes: u8x64<S> = (*word).simd_into(simd);
    let is = |byte: u8| bytes.simd_eq(byte).to_bitmask();
    let (quotes, backslashes) = (is(b'"'), is(b'\\'));
    let escapable = if backslashes == 0 {
        // Only the first byte can be escaped, by a backslash in the previous word.
        u64::from(matches!(word.first(), Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')))
    } else {
        quotes | backslashes | is(b'/') | is(b'b') | is(b'f') | is(b'n') | is(b'r') | is(b't')
    };
    let (controls, non_ascii) = (bytes.simd_lt(0x20).to_bitmask(), bytes.simd_ge(0x80).to_bitmask());
    ByteClasses { quotes, backslashes, line_feeds: is(b'\n'), controls, escapable, non_ascii }
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

    /// Returns the next offset.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<usize> {
        self.next_before(usize::MAX)
    }

    /// Returns the next offset if it is less than `end`. It reads no word behind `end`: a caller that asks for every line of
    /// a window must not read the whole window each time.
    #[inline(always)]
    pub(crate) fn next_before(&mut self, end: usize) -> Option<usize> {
        let next = self.peek_before(end)?;
        self.bits &= self.bits - 1;
        Some(next)
    }

    /// Returns the next offset without advancing.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<usize> {
        self.peek_before(usize::MAX)
    }

    #[inline(always)]
    fn peek_before(&mut self, end: usize) -> Option<usize> {
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
mod tests {
    use fearless_simd::Level;
    use proptest::prelude::*;

    use super::{BitCursor, StructuralIndex};

    /// Bytes of every class, and some others.
    const BYTES: &[u8] = b"\"\\\\\\nu/a {\n\t\x00\x1f\x7f\x80\xff";

    fn all<const CLASS: usize>(index: &StructuralIndex) -> Vec<usize> {
        let mut cursor = BitCursor::<CLASS>::new(index, 0);
        std::iter::from_fn(|| cursor.next()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        /// (Pass) The index equals a byte-by-byte classification, on every instruction set: an escape that crosses from one
        /// word into the next is easily lost.
        #[test]
        fn index_equals_byte_by_byte_classification(line in prop::collection::vec(prop::sample::select(BYTES.to_vec()), 0..300)) {
            // A window ends with a line.
            let window = [line, vec![b'\n']].concat();
            let (mut quotes, mut special, mut irregular, mut escaped) = (Vec::new(), Vec::new(), Vec::new(), false);
            for (at, byte) in window.iter().enumerate() {
                if *byte == b'"' && !escaped {
                    quotes.push(at);
                }
                let unusual = if escaped { !b"\"\\/bfnrt".contains(byte) } else { *byte < 0x20 && *byte != b'\n' };
                if unusual {
                    irregular.push(at);
                }
                if unusual || *byte == b'\\' || !byte.is_ascii() {
                    special.push(at);
                }
                escaped = *byte == b'\\' && !escaped;
            }
            let line_feeds: Vec<usize> = memchr::memchr_iter(b'\n', &window).collect();
            for level in [Level::new(), Level::baseline()] {
                let mut index = StructuralIndex { level, words: Vec::new() };
                index.fill(&window);
                prop_assert_eq!(all::<{ super::QUOTES }>(&index), quotes.clone());
                prop_assert_eq!(all::<{ super::IRREGULAR }>(&index), irregular.clone());
                prop_assert_eq!(all::<{ super::SPECIAL }>(&index), special.clone());
                prop_assert_eq!(all::<{ super::LINE_FEEDS }>(&index), line_feeds.clone());
            }
        }
    }
}
