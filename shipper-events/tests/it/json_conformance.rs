//! The strict reader accepts exactly the JSON that a general reader accepts, duplicate names in ignored members
//! excepted. Otherwise its grammar would be a dialect that other tools cannot read.

use proptest::prelude::*;
use shipper_events::json::Object;
use shipper_testkit::json_oracle::oracle;
use shipper_testkit::settings::proptest_config;

/// Text like JSON: mostly valid, with names that are often equal.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        "[-+0-9.eE]{1,6}",
        "\"[a-z\\\\/\"ué ]{0,6}\"",
        r#""(\\["\\/bfnrt]|\\u00[0-9a-f]{2}|\\ud83d\\ude00|\\u[d][89cd]00|x){0,3}""#,
    ];
    let name =
        prop_oneof![Just("\"a\""), Just("\"\\u0061\""), Just("\"b\""), Just("\"\""), Just("\"c\\n\""), Just("d")];
    scalar.prop_recursive(4, 24, 4, move |inner| {
        let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("{name} : {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|elements| format!("[{}]", elements.join(" ,"))),
            prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(proptest_config(2_000))]

    /// Generated text gives the same answer in both readers.
    #[test]
    fn generated_text_agrees(text in json()) {
        if let Some(expected) = oracle(&text) {
            prop_assert_eq!(Object::parse(text.as_bytes()).is_ok(), expected, "{}", text);
        }
    }

    /// A real line with changed, removed or doubled bytes gives the same answer in both readers.
    #[test]
    fn mutated_lines_agree(at in 0_usize..300, byte in prop::sample::select(&b"\"\\{}[],:0-.eEtfn u9\xc3\xff\x1f"[..]), how in 0..3) {
        let mut line = br#"{"timestamp":"2026-11-23T08:12:27.165472372Z","event_type":{"type":"rehearsal_complete","passed":true,"n":[1,-2.5e3,null],"summary":"caf\u00e9 \ud83d\ude00"},"package":"all"}"#.to_vec();
        let at = at % line.len();
        match how {
            0 => line[at] = byte,
            1 => drop(line.remove(at)),
            _ => line.insert(at, byte),
        }
        let ours = Object::parse(&line).is_ok();
        match std::str::from_utf8(&line) {
            Ok(text) => if let Some(expected) = oracle(text) {
                prop_assert_eq!(ours, expected, "{}", text);
            },
            Err(_) => prop_assert!(!ours),
        }
    }

    /// Arbitrary bytes cause no panic, and accepted bytes are JSON.
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = shipper_events::parse_line(&bytes);
        if Object::parse(&bytes).is_ok() {
            let text = std::str::from_utf8(&bytes).expect("JSON is UTF-8");
            prop_assert_ne!(oracle(text), Some(false));
        }
    }
}
