//! The parts of events that a caller needs, by type.

use crate::event::EventKind;
use crate::line::member_names::SLOTS;

/// The part of an event that the caller needs. Events with required members are always built: building checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// The line is checked, and nothing is built.
    Skip,
    /// Only the kind and the package. An event of a type that this version does not know is built completely.
    PackageOnly,
    /// The whole event.
    Full,
}

/// The part of an event that is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Nothing,
    Package(EventKind),
    Event,
}

/// The parts that are built of the types of a block `'b`.
pub(super) struct WantedTypes<'b> {
    interest: fn(&str) -> Interest,
    /// The types so far, by a hash of the name. A type may replace another one.
    slots: [Option<WantedType<'b>>; SLOTS],
}

#[derive(Clone, Copy)]
struct WantedType<'b> {
    name: &'b [u8],
    /// The first and the last eight bytes of a name of at least that length: all of most names.
    ends: (u64, u64),
    wanted: (Wanted, bool),
}

impl<'b> WantedTypes<'b> {
    pub(super) fn new(interest: fn(&str) -> Interest) -> Self {
        Self { interest, slots: [None; SLOTS] }
    }

    /// Returns the slot of a name, and what [`ask`](Self::ask) returns for it. If the name is not UTF-8, building the event
    /// fails.
    #[inline(always)]
    pub(super) fn lookup(&mut self, name: &'b [u8]) -> (usize, (Wanted, bool)) {
        let ends = ends_of(name);
        let slot = slot_of(ends, name.len());
        if let Some(Some(known)) = self.slots.get(slot)
            && known.ends == ends
            && known.name.len() == name.len()
            && is_equal(known.name, name)
        {
            return (slot, known.wanted);
        }
        let wanted = std::str::from_utf8(name).map_or((Wanted::Event, false), |name| self.ask(name));
        if let Some(known) = self.slots.get_mut(slot) {
            *known = Some(WantedType { name, ends, wanted });
        }
        (slot, wanted)
    }

    /// Returns the part of an event that is built, and whether its type may have content.
    pub(super) fn ask(&self, name: &str) -> (Wanted, bool) {
        let kind = EventKind::from_name(name);
        let wanted = match (self.interest)(name) {
            _ if kind.is_some_and(EventKind::has_required_members) => Wanted::Event,
            Interest::Skip => Wanted::Nothing,
            Interest::PackageOnly => kind.map_or(Wanted::Event, Wanted::Package),
            Interest::Full => Wanted::Event,
        };
        (wanted, kind.is_some_and(EventKind::has_content))
    }
}

/// Returns the first and the last eight bytes of a name, each 0 if it is shorter.
#[inline(always)]
fn ends_of(name: &[u8]) -> (u64, u64) {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (word(name.first_chunk()), word(name.last_chunk()))
}

/// Returns whether two names are equal that have the same length and [the same ends](ends_of).
#[inline(always)]
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    match one.len() {
        8..=16 => true,
        // Two words that overlap. A comparison of any length is a call.
        17..=32 => one.first_chunk::<16>() == other.first_chunk() && one.last_chunk::<16>() == other.last_chunk(),
        _ => one == other,
    }
}

/// Returns the slot of a name with these ends. This multiplier gives each known type a slot of its own.
#[inline(always)]
fn slot_of(ends: (u64, u64), len: usize) -> usize {
    let mixed = (ends.0 ^ ends.1.rotate_left(29)).wrapping_add(len as u64).wrapping_mul(0xA8EA_37F7_523D_2A55);
    usize::try_from(mixed >> (u64::BITS - SLOTS.ilog2())).unwrap_or_default()
}

#[cfg(test)]
#[path = "../../tests/unit/interest.rs"]
mod tests;
