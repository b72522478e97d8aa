//! Text from a log reaches a terminal only in a form that has no effect there. An auditor must see the content of the
//! log, and not a display that its writer forged.

use proptest::prelude::*;
use shipper_events::{display_safe, is_display_safe};
use shipper_testkit::settings::proptest_config;

proptest! {
    #![proptest_config(proptest_config(256))]

    /// Display-safe text is printable, on one line and bounded, for any input.
    #[test]
    fn escaped_text_is_printable_and_bounded(text in any::<String>(), most in 0_usize..200) {
        let shown = display_safe(&text).max_chars(most).quoted().to_string();
        prop_assert!(shown.chars().all(is_display_safe), "{:?}", shown);
        prop_assert!(shown.chars().count() <= 10 * most + 3);
    }

    /// Two different texts are displayed differently, unless they are truncated.
    #[test]
    fn different_texts_are_escaped_differently(left in ".{0,12}", right in ".{0,12}") {
        prop_assume!(left != right);
        prop_assert_ne!(display_safe(&left).quoted().to_string(), display_safe(&right).quoted().to_string());
    }
}

/// Characters that a hostile writer would use are escaped.
#[test]
fn control_and_bidi_characters_are_escaped() {
    for hostile in [
        '\u{0}',
        '\u{7}',
        '\u{8}',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{9d}',
        '\u{ad}',
        '\u{200b}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202b}',
        '\u{202c}',
        '\u{202d}',
        '\u{202e}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{600}',
        '\u{6dd}',
        '\u{5b0}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e000}',
        '\u{e0041}',
        '\u{301}',
        '\u{61c}',
        '\u{a0}',
        '\u{3164}',
        '\u{115f}',
        '\u{2800}',
        '\u{3000}',
    ] {
        assert!(!is_display_safe(hostile), "{:x}", u32::from(hostile));
    }
    for plain in ['a', '~', ' ', 'é', 'ß', '語', '😀', '…', 'Ω', 'я'] {
        assert!(is_display_safe(plain), "{plain}");
    }
}

/// Names in right-to-left scripts are shown as they are, and only the marks that change the direction are escaped.
#[test]
fn right_to_left_names_stay_readable() {
    for name in [
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        "\u{633}\u{644}\u{627}\u{645} \u{664}\u{662}",
        "\u{fb1d}\u{fe8d}\u{10800}\u{1e900}",
    ] {
        let shown = display_safe(name).to_string();
        assert_eq!(shown, name, "{}", name.escape_unicode());
    }
    assert_eq!(display_safe("\u{5d0}\u{202e}\u{5d1}\u{61c}").to_string(), "\u{5d0}\\u{202e}\u{5d1}\\u{61c}");
}
