//! A secret must not reach the output or the log in any usual form, and ordinary text must stay.

use proptest::prelude::*;

use super::*;

fn redact(secrets: &[&str], text: &str) -> String {
    Redactor::new(secrets.iter().map(|secret| (*secret).to_owned())).redact(text)
}

/// A token is hidden without its scheme, encoded, and as one line of several.
#[test]
fn each_form_of_a_secret_is_hidden() {
    let basic = format!("Basic {}", STANDARD.encode("me:t0psecret"));
    for (secret, text, expected) in [
        ("Bearer abc/def+ghi", "Bearer abc/def+ghi, abc/def+ghi", "[hidden], [hidden]"),
        ("Bearer abc/def+ghi", "x=abc%2Fdef%2bghi&y", "x=[hidden]&y"),
        ("abc/def+ghi", "100% abc%2fdef+ghi %zz %", "100% [hidden] %zz %"),
        (&basic, "t0psecret", "[hidden]"),
        ("one-line\nother-line\n", "x other-line one-line", "x [hidden] [hidden]"),
        (" padded-secret\n", "padded-secret", "[hidden]"),
        ("short", "short", "short"),
        ("s3cret-token", "s3cret-tokens s3cret", "[hidden]s s3cret"),
    ] {
        assert_eq!(redact(&[secret], text), expected, "{secret}");
    }
    assert_eq!(redact(&["s3cret", "s3cret-token"], "s3cret-token s3cret"), "[hidden] [hidden]");
}

/// A token that is known later is hidden in the same forms.
#[test]
fn added_secret_is_hidden() {
    let mut redactor = Redactor::new(["s3cret".to_owned()]);
    for _ in 0..2 {
        redactor.add(["Bearer abc/def+ghi".to_owned()]);
    }
    assert_eq!(redactor.redact("s3cret abc/def+ghi abc%2Fdef%2bghi"), "[hidden] [hidden] [hidden]");
}

/// The password of each URL is hidden, and the user without a password only where it is a token.
#[test]
fn passwords_in_urls_are_hidden() {
    for (text, expected) in [
        ("see https://me:pw@a.example/x?y=1@2 now", "see https://me:[hidden]@a.example/x?y=1@2 now"),
        ("sparse+http://me:p@w@a.example", "sparse+http://me:[hidden]@a.example"),
        ("https://ghp_x@a.example, ssh://git@a.example", "https://[hidden]@a.example, ssh://git@a.example"),
        ("postgres://me:pw@db \"https://a.example\" b@c", "postgres://me:[hidden]@db \"https://a.example\" b@c"),
        ("https://a.example/@scope http://a/b:c@d ://", "https://a.example/@scope http://a/b:c@d ://"),
    ] {
        assert_eq!(redact(&[], text), expected);
    }
    assert_eq!(url_passwords("http://me:p%40ssword@proxy:8080"), ["p%40ssword", "p@ssword"]);
    assert!(url_passwords("http://proxy:8080/a@b").is_empty() && url_passwords("ssh://deploy@a.example").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The encoded forms of a secret are hidden wherever they are in a longer text.
    #[test]
    fn encoded_secret_is_hidden(secret in "[!-~]{12,40}", before in "[a-z]{0,5}", after in "[a-z]{0,5}") {
        let text = [&*before, ":", &*secret, &*after].concat();
        let percent = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
        for encoded in [text.clone(), percent, STANDARD.encode(&text), URL_SAFE.encode(&text)] {
            let hidden = redact(&[&secret], &encoded);
            prop_assert!(hidden.contains(HIDDEN), "{} {}", secret, hidden);
            prop_assert!(hidden.len() <= text.len() * 2 - secret.len() + 24, "{} {}", secret, hidden);
        }
    }

    /// Text without a secret, a URL or an escape stays.
    #[test]
    fn other_text_stays(text in "[a-zA-Z0-9 .,=+%-]{0,80}") {
        prop_assert_eq!(redact(&["#secret#secret#"], &text), text);
    }
}
