//! Where the bytes stand that matter to a JSON reader: one look at each, sixty-four at a time.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// How many bytes one word of an index tells of.
const WORD: usize = 64;

/// What stands where in a window.
#[derive(Debug)]
pub(crate) struct Index {
    level: Level,
    words: Vec<Word>,
}

/// What stands in sixty-four bytes: for each kind a bit for each byte, the lowest for the first.
type Word = [u64; 6];

const QUOTES: usize = 0;
const ENDS: usize = 1;
const SPECIAL: usize = 2;
const BACKSLASHES: usize = 3;
const ODD: usize = 4;
const BEYOND_ASCII: usize = 5;

/// Quotes that open or close a string, and are not escaped.
pub(crate) type Quotes<'i> = Cursor<'i, QUOTES>;

/// Line feeds.
pub(crate) type Ends<'i> = Cursor<'i, ENDS>;

/// Whatever is of one of the kinds that follow: most lines have none.
pub(crate) type Special<'i> = Cursor<'i, SPECIAL>;

/// Backslashes.
pub(crate) type Backslashes<'i> = Cursor<'i, BACKSLASHES>;

/// What wants a closer look: control characters other than the line feed, and what stands escaped that is none of the
/// short escapes.
pub(crate) type Odd<'i> = Cursor<'i, ODD>;

/// Bytes that are not ASCII.
pub(crate) type BeyondAscii<'i> = Cursor<'i, BEYOND_ASCII>;

/// A kind of byte in a window, looked for from the front to the back.
#[derive(Debug)]
pub(crate) struct Cursor<'i, const KIND: usize> {
    words: &'i [Word],
    word: usize,
    bits: u64,
}

/// What stands in sixty-four bytes, looked at by themselves.
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
    pub(crate) fn new() -> Self {
        Self { level: Level::new(), words: Vec::new() }
    }

    /// Looks through a window, which begins where a line begins.
    pub(crate) fn fill(&mut self, window: &[u8]) {
        self.words.clear();
        self.words.reserve(window.len() / WORD + 1);
        let level = self.level;
        dispatch!(level, simd => self.fill_with(simd, window));
    }

    #[inline(always)]
    fn fill_with<S: Simd>(&mut self, simd: S, window: &[u8]) {
        let (words, rest) = window.as_chunks::<WORD>();
        // Whether the first byte of the next word is escaped: 0 or 1.
        let mut carry = 0;
        for word in words {
            carry = self.push(&kinds(simd, word), carry);
        }
        if !rest.is_empty() {
            let mut word = [b' '; WORD];
            for (to, from) in word.iter_mut().zip(rest) {
                *to = *from;
            }
            self.push(&kinds(simd, &word), carry);
        }
    }

    #[inline(always)]
    fn push(&mut self, kinds: &Kinds, carry: u64) -> u64 {
        let (escaped, carry) = if kinds.backslashes | carry == 0 { (0, 0) } else { escaped(kinds.backslashes, carry) };
        let odd = (kinds.controls & !kinds.ends) | (escaped & !kinds.escapable);
        let special = odd | kinds.backslashes | kinds.beyond_ascii;
        let quotes = kinds.quotes & !escaped;
        self.words.push([quotes, kinds.ends, special, kinds.backslashes, odd, kinds.beyond_ascii]);
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

impl<'i, const KIND: usize> Cursor<'i, KIND> {
    /// Begins at that offset.
    #[inline(always)]
    pub(crate) fn new(index: &'i Index, offset: usize) -> Self {
        let mut cursor = Self { words: &index.words, word: 0, bits: 0 };
        cursor.skip_to(offset);
        cursor
    }

    /// Goes on at that offset.
    #[inline(always)]
    pub(crate) fn skip_to(&mut self, offset: usize) {
        self.word = offset / WORD;
        self.bits = self.bits_of(self.word).unwrap_or_default() & (u64::MAX << (offset % WORD));
    }

    /// The offset of the next one.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<usize> {
        self.next_before(usize::MAX)
    }

    /// The offset of the next one that stands before `end`. What stands behind is not looked at: whoever asks about every
    /// line of a window must not go through the window each time.
    #[inline(always)]
    pub(crate) fn next_before(&mut self, end: usize) -> Option<usize> {
        let next = self.peek_before(end)?;
        self.bits &= self.bits - 1;
        Some(next)
    }

    /// The offset of the next one, which stays the next one.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<usize> {
        self.peek_before(usize::MAX)
    }

    #[inline(always)]
    fn peek_before(&mut self, end: usize) -> Option<usize> {
        while self.bits == 0 {
            if (self.word + 1) * WORD >= end {
                return None;
            }
            self.word += 1;
            self.bits = self.bits_of(self.word)?;
        }
        let next = self.word * WORD + self.bits.trailing_zeros() as usize;
        (next < end).then_some(next)
    }

    #[inline(always)]
    fn bits_of(&self, word: usize) -> Option<u64> {
        self.words.get(word)?.get(KIND).copied()
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;
    use proptest::prelude::*;

    use super::{Cursor, Index};

    /// All that are told apart, and some others.
    const BYTES: &[u8] = b"\"\\\\\\nu/a {\n\t\x00\x1f\x7f\x80\xff";

    fn all<const KIND: usize>(index: &Index) -> Vec<usize> {
        let mut cursor = Cursor::<KIND>::new(index, 0);
        std::iter::from_fn(|| cursor.next()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        /// (Pass) Every kind of byte is where a look at one byte after the other finds it, whichever instructions the
        /// processor has: escapes that cross from one word into the next are easily lost.
        #[test]
        fn as_byte_by_byte(line in prop::collection::vec(prop::sample::select(BYTES.to_vec()), 0..300)) {
            // A window ends with a line.
            let window = [line, vec![b'\n']].concat();
            let (mut quotes, mut odd, mut escaped) = (Vec::new(), Vec::new(), false);
            for (at, byte) in window.iter().enumerate() {
                if *byte == b'"' && !escaped {
                    quotes.push(at);
                }
                let unusual = if escaped { !b"\"\\/bfnrt".contains(byte) } else { *byte < 0x20 && *byte != b'\n' };
                if unusual {
                    odd.push(at);
                }
                escaped = *byte == b'\\' && !escaped;
            }
            let of = |is: fn(u8) -> bool| (0..window.len()).filter(|at| is(window[*at])).collect::<Vec<_>>();
            for level in [Level::new(), Level::baseline()] {
                let mut index = Index { level, words: Vec::new() };
                index.fill(&window);
                prop_assert_eq!(all::<{ super::QUOTES }>(&index), quotes.clone());
                prop_assert_eq!(all::<{ super::ODD }>(&index), odd.clone());
                prop_assert_eq!(all::<{ super::ENDS }>(&index), of(|byte| byte == b'\n'));
                prop_assert_eq!(all::<{ super::BACKSLASHES }>(&index), of(|byte| byte == b'\\'));
                prop_assert_eq!(all::<{ super::BEYOND_ASCII }>(&index), of(|byte| byte >= 0x80));
            }
        }
    }
}
