//! One line: the strict reader never panics and accepts exactly what a general JSON reader accepts. A rewrite of an
//! accepted line keeps its meaning.

use shipper_events::json::Object;
use shipper_events::{Event, ParsedLine, parse_line};
use shipper_testkit::json_oracle;

pub fn check(bytes: &[u8]) {
    let object = Object::parse(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with('\u{feff}') => {
            // The general reader allows one level of nesting less.
            let deep = matches!(&object, Err(corruption) if corruption.kind == shipper_events::LineErrorKind::TooDeep);
            let nested = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() > 100;
            if let Some(expected) = json_oracle::oracle(text).filter(|_| !deep && !nested) {
                assert_eq!(object.is_ok(), expected, "{text}");
            }
        }
        _ => assert!(object.is_err()),
    }
    if let Ok(ParsedLine::Event(record)) = parse_line(bytes) {
        let event = record.into_event();
        let written = event.to_line();
        let again: Event = written.parse().expect("what is written can be read");
        assert_eq!(again, event);
        assert_eq!(again.to_line(), written);
    }
}
