//! The names of the members of an object on the fast path: no two of an object are equal.

/// The limit of members in an object here: their names are compared in pairs.
const MAX_MEMBERS: usize = 16;

/// The limit of known members of a type of event; few types have more.
const MAX_KNOWN: usize = 6;

/// The number of types of event whose names are known.
pub(crate) const SLOTS: usize = 256;

/// The number of bytes that are compared at a time.
const WORD_LEN: usize = 16;

/// Hashes the first and the last bytes of a name. Different names may have one hash: then the line is not canonical.
#[inline(always)]
pub(super) fn hash_name(first: u64, last: u64, len: usize) -> u64 {
    first ^ last.rotate_left(21).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((len as u64) << 56)
}

/// The hashes of the names in one object.
#[derive(Default)]
pub(super) struct NameSet {
    hashes: [u64; MAX_MEMBERS],
    len: usize,
}

impl NameSet {
    /// Inserts a name; `None` if the set contains its hash or is full.
    #[inline(always)]
    pub(super) fn insert(&mut self, hash: u64) -> Option<()> {
        let (earlier, free) = self.hashes.split_at_mut_checked(self.len)?;
        if earlier.contains(&hash) {
            return None;
        }
        *free.first_mut()? = hash;
        self.len += 1;
        Some(())
    }
}

/// The names that earlier lines had in `event_type`, in their order, by a number for the type. A line with the same names
/// is compared with them instead of comparing its names in pairs.
///
/// A line with other names replaces them, so it does not matter which lines share a number.
pub(crate) struct KnownNames {
    /// The position of a type in `types`.
    positions: [Option<u8>; SLOTS],
    types: Vec<TypeNames>,
}

#[derive(Default)]
struct TypeNames {
    names: [KnownName; MAX_KNOWN],
    /// The number of names; more than the limit if they are not known.
    count: usize,
}

/// A name with its quotes, the comma before it and the colon after it.
#[derive(Clone, Copy, Default)]
pub(super) struct KnownName {
    text: u128,
    /// The bits of the bytes that the text has.
    mask: u128,
    len: usize,
}

impl KnownNames {
    pub(crate) fn new() -> Self {
        Self { positions: [None; SLOTS], types: Vec::new() }
    }

    /// Returns the known names of a type; `None` if none were learned.
    #[inline(always)]
    pub(super) fn of_type(&self, slot: usize) -> Option<&[KnownName]> {
        let position = (*self.positions.get(slot)?)?;
        let known = self.types.get(usize::from(position))?;
        known.names.get(..known.count)
    }

    /// Keeps the names of an accepted line: no two are equal, none is `type`, and none has an escape. Longer and more names
    /// than are compared quickly are not kept.
    pub(super) fn learn<'n>(&mut self, slot: usize, names: impl Iterator<Item = &'n [u8]>) {
        let Some(position) = self.position(slot) else {
            return;
        };
        if let Some(known) = self.types.get_mut(position) {
            known.count = 0;
            for name in names {
                match known.names.get_mut(known.count).zip(KnownName::new(name)) {
                    Some((place, name)) => (*place, known.count) = (name, known.count + 1),
                    None => known.count = usize::MAX,
                }
            }
        }
    }

    /// Returns the position of a type, which may be new.
    fn position(&mut self, slot: usize) -> Option<usize> {
        let position = self.positions.get_mut(slot)?;
        if position.is_none() {
            *position = Some(u8::try_from(self.types.len()).ok()?);
            self.types.push(TypeNames::default());
        }
        position.map(usize::from)
    }
}

impl KnownName {
    /// Returns the length of the name with the characters around it if the text begins with them.
    #[inline(always)]
    pub(super) fn match_len(&self, text: &[u8]) -> Option<usize> {
        let start = u128::from_le_bytes(*text.first_chunk::<WORD_LEN>()?);
        (start & self.mask == self.text).then_some(self.len)
    }

    /// Returns `None` for a name that is too long.
    fn new(name: &[u8]) -> Option<Self> {
        let (mut text, len) = ([0; WORD_LEN], name.len() + 4);
        text.get_mut(..2)?.copy_from_slice(b",\"");
        text.get_mut(2..len - 2)?.copy_from_slice(name);
        text.get_mut(len - 2..len)?.copy_from_slice(b"\":");
        let mask = u128::MAX >> (8 * (WORD_LEN - len));
        Some(Self { text: u128::from_le_bytes(text), mask, len })
    }
}
