//! Each known type has a slot of its own: otherwise the types that share one are looked up again for every line. No name is
//! taken for another one: otherwise an event that matters is not built.

use std::collections::BTreeMap;

use super::{ends_of, is_equal, slot_of};
use crate::event::EventKind;

#[test]
fn known_types_have_different_slots() {
    let source = include_str!("../../src/event/types.rs");
    let names = source.split('"').filter(|text| EventKind::from_name(text).is_some());
    let mut slots = BTreeMap::new();
    for name in names {
        let other = slots.insert(slot_of(ends_of(name.as_bytes()), name.len()), name);
        assert!(other.is_none_or(|other| other == name), "{name} and {other:?}");
    }
    assert!(slots.len() >= 47, "{}", slots.len());
}

#[test]
fn names_that_differ_in_one_byte_are_not_equal() {
    for len in 0..70 {
        let name: Vec<u8> = (b'0'..).take(len).collect();
        assert!(is_equal(&name, &name.clone()), "{len}");
        for at in 0..len {
            let mut other = name.clone();
            other[at] = b' ';
            assert!(ends_of(&name) != ends_of(&other) || !is_equal(&name, &other), "byte {at} of {len}");
        }
    }
}
