//! Each known type has a slot of its own: otherwise the types that share one are looked up again for every line.

use std::collections::BTreeMap;

use super::{ends_of, slot_of};
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
