//! BLAKE3 of many short lines at once, sixteen side by side.
//!
//! A chain wants the hash of every line by itself, and lines are short: hashed one after the other they leave most of
//! the processor idle, since BLAKE3 finds its parallelism in long inputs only. Sixteen lines take it about as long as
//! three. Whatever is longer than one chunk of BLAKE3, and whatever does not compare equal, is left to the `blake3`
//! crate: what is computed here can confirm a link, and never break one.
//!
//! The constants and the order of steps are those of the BLAKE3 specification, sections 2.1 to 2.3.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u32x16};

/// How many lines are hashed side by side.
const LANES: usize = 16;

/// The longest input that is one chunk, in bytes.
pub(super) const CHUNK: usize = 1024;

/// How many bytes are compressed at a time.
const BLOCK: usize = 64;

const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;

const IV: [u32; 8] =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

const ROUNDS: usize = 7;

/// One word of each lane.
type Lanes = [u32; LANES];

/// The hashes of these lines, each of at most [`CHUNK`] bytes; nothing of a longer one.
pub(super) fn hashes(level: Level, lines: &[&[u8]]) -> Vec<Option<blake3::Hash>> {
    let mut hashes = vec![None; lines.len()];
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let blocks = |position: &usize| lines.get(*position).map_or(0, |line| line.len().div_ceil(BLOCK));
    // Lines of as many blocks go side by side, so that no lane waits for another.
    order.sort_unstable_by_key(blocks);
    order.retain(|position| lines.get(*position).is_some_and(|line| line.len() <= CHUNK));
    for group in order.chunks(LANES) {
        let mut side_by_side = [&[][..]; LANES];
        for (lane, position) in side_by_side.iter_mut().zip(group) {
            *lane = lines.get(*position).copied().unwrap_or_default();
        }
        let hashed = dispatch!(level, simd => hash_lanes(simd, &side_by_side));
        for (hash, position) in hashed.into_iter().zip(group) {
            if let Some(place) = hashes.get_mut(*position) {
                *place = Some(hash);
            }
        }
    }
    hashes
}

#[inline(always)]
fn hash_lanes<S: Simd>(simd: S, lines: &[&[u8]; LANES]) -> [blake3::Hash; LANES] {
    let mut hashes = [blake3::Hash::from_bytes([0; 32]); LANES];
    let mut value: [u32x16<S>; 8] = IV.map(|word| u32x16::splat(simd, word));
    let blocks = lines.map(|line| line.len().div_ceil(BLOCK).max(1));
    let most = blocks.into_iter().max().unwrap_or_default();
    for block in 0..most {
        let mut message = [[0; LANES]; 16];
        let (mut lengths, mut flags): (Lanes, Lanes) = ([0; LANES], [0; LANES]);
        for (lane, (line, blocks)) in lines.iter().zip(blocks).enumerate() {
            let bytes = line.get(block * BLOCK..).unwrap_or_default();
            let length = load(bytes, lane, &mut message);
            let start = if block == 0 { CHUNK_START } else { 0 };
            let end = if block + 1 == blocks { CHUNK_END | ROOT } else { 0 };
            if let (Some(lane_length), Some(lane_flags)) = (lengths.get_mut(lane), flags.get_mut(lane)) {
                (*lane_length, *lane_flags) = (length, start | end);
            }
        }
        let message = message.map(|word| u32x16::simd_from(simd, word));
        let (lengths, flags) = (u32x16::simd_from(simd, lengths), u32x16::simd_from(simd, flags));
        value = compress(simd, value, &message, lengths, flags);
        if blocks.contains(&(block + 1)) {
            let words: [Lanes; 8] = value.map(Into::into);
            for (lane, (hash, blocks)) in hashes.iter_mut().zip(blocks).enumerate() {
                if blocks == block + 1 {
                    *hash = gather(&words, lane);
                }
            }
        }
    }
    hashes
}

/// Sets the words of a lane's next block, and gives its length in bytes.
#[inline(always)]
fn load(bytes: &[u8], lane: usize, message: &mut [Lanes; 16]) -> u32 {
    let mut padded = [0; BLOCK];
    let (block, length) = match bytes.first_chunk::<BLOCK>() {
        Some(block) => (block, BLOCK),
        None => {
            for (to, from) in padded.iter_mut().zip(bytes) {
                *to = *from;
            }
            (&padded, bytes.len())
        }
    };
    for (word, bytes) in message.iter_mut().zip(block.as_chunks::<4>().0) {
        if let Some(word) = word.get_mut(lane) {
            *word = u32::from_le_bytes(*bytes);
        }
    }
    u32::try_from(length).unwrap_or_default()
}

/// The hash that a lane holds.
fn gather(words: &[Lanes; 8], lane: usize) -> blake3::Hash {
    let mut bytes = [0; 32];
    for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *to = word.get(lane).copied().unwrap_or_default().to_le_bytes();
    }
    blake3::Hash::from_bytes(bytes)
}

#[inline(always)]
fn compress<S: Simd>(
    simd: S,
    value: [u32x16<S>; 8],
    message: &[u32x16<S>; 16],
    lengths: u32x16<S>,
    flags: u32x16<S>,
) -> [u32x16<S>; 8] {
    let zero = u32x16::splat(simd, 0);
    let [v0, v1, v2, v3, v4, v5, v6, v7] = value;
    let [i0, i1, i2, i3, ..] = IV.map(|word| u32x16::splat(simd, word));
    let (mut a, mut b, mut c, mut d) =
        ([v0, v1, v2, v3], [v4, v5, v6, v7], [i0, i1, i2, i3], [zero, zero, lengths, flags]);
    let mut message = *message;
    for _ in 0..ROUNDS {
        let [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = message;
        mix(&mut a, &mut b, &mut c, &mut d, [m0, m2, m4, m6], [m1, m3, m5, m7]);
        // The same along the diagonals.
        b.rotate_left(1);
        c.rotate_left(2);
        d.rotate_left(3);
        mix(&mut a, &mut b, &mut c, &mut d, [m8, m10, m12, m14], [m9, m11, m13, m15]);
        b.rotate_right(1);
        c.rotate_right(2);
        d.rotate_right(3);
        message = [m2, m6, m3, m10, m7, m0, m4, m13, m1, m11, m12, m5, m9, m14, m15, m8];
    }
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a, b);
    let ([c0, c1, c2, c3], [d0, d1, d2, d3]) = (c, d);
    [a0 ^ c0, a1 ^ c1, a2 ^ c2, a3 ^ c3, b0 ^ d0, b1 ^ d1, b2 ^ d2, b3 ^ d3]
}

/// The four mixings of a column or diagonal step.
#[inline(always)]
fn mix<S: Simd>(
    a: &mut [u32x16<S>; 4],
    b: &mut [u32x16<S>; 4],
    c: &mut [u32x16<S>; 4],
    d: &mut [u32x16<S>; 4],
    first: [u32x16<S>; 4],
    second: [u32x16<S>; 4],
) {
    for ((((a, b), c), d), (first, second)) in a.iter_mut().zip(b).zip(c).zip(d).zip(first.into_iter().zip(second)) {
        *a += *b + first;
        *d = rotate::<S, 16>(*d ^ *a);
        *c += *d;
        *b = rotate::<S, 12>(*b ^ *c);
        *a += *b + second;
        *d = rotate::<S, 8>(*d ^ *a);
        *c += *d;
        *b = rotate::<S, 7>(*b ^ *c);
    }
}

#[inline(always)]
fn rotate<S: Simd, const RIGHT: u32>(word: u32x16<S>) -> u32x16<S> {
    (word >> RIGHT) | (word << (32 - RIGHT))
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;

    use super::{CHUNK, LANES, hashes};

    /// (Pass) The hash of every length of line is that of the `blake3` crate, whatever stands beside it and whichever
    /// instructions the processor has: a wrong one would only cost time, since the crate has the last word, and nobody would
    /// notice.
    #[test]
    fn every_length_beside_any_other() {
        let bytes: Vec<u8> = (0..=250).cycle().step_by(31).take(CHUNK + 2).collect();
        for level in [Level::new(), Level::baseline()] {
            for step in [1, 7, 64, 333] {
                let lengths = (0..bytes.len() * 3).map(|position| position * step % bytes.len());
                let lines: Vec<&[u8]> = lengths.map(|length| &bytes[bytes.len() - length..]).collect();
                for (line, hash) in lines.iter().zip(hashes(level, &lines)) {
                    let expected = (line.len() <= CHUNK).then(|| blake3::hash(line));
                    assert_eq!(hash, expected, "{} bytes, {level:?}", line.len());
                }
            }
            for count in 0..LANES * 2 {
                let lines = vec![&bytes[..100]; count];
                assert_eq!(hashes(level, &lines), vec![Some(blake3::hash(&bytes[..100])); count]);
            }
        }
    }
}
