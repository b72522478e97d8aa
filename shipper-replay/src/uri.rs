//! URIs of RFC 3986, in the form that in-toto asks for: scheme and host in lower case.

use fluent_uri::component::{Authority, Scheme};
use fluent_uri::pct_enc::EString;
use fluent_uri::pct_enc::encoder::Path;
use fluent_uri::{Uri, UriRef};

/// A text is not a URI of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UriError {
    /// Not a URI with a scheme.
    #[error("expected a URI such as https://example.com/verifier or pkg:cargo/name")]
    Absolute,
    /// Not a URI reference, or empty.
    #[error(
        "expected a URI, or a relative one such as releases/events.jsonl; percent-encode what is not allowed in one"
    )]
    Reference,
    /// Upper-case letters in scheme or host.
    #[error("scheme and host must be in lower case: other tools compare them letter by letter")]
    UpperCase,
}

/// Parses a URI with a scheme.
pub(crate) fn absolute(text: &str) -> Result<String, UriError> {
    let uri = Uri::parse(text).map_err(|_| UriError::Absolute)?;
    check_lower_case(Some(uri.scheme().as_str()), uri.authority())?;
    Ok(text.to_owned())
}

/// Parses a URI with or without a scheme.
pub(crate) fn reference(text: &str) -> Result<String, UriError> {
    let uri = UriRef::parse(text).map_err(|_| UriError::Reference)?;
    if text.is_empty() {
        return Err(UriError::Reference);
    }
    check_lower_case(uri.scheme().map(Scheme::as_str), uri.authority())?;
    Ok(text.to_owned())
}

fn check_lower_case(scheme: Option<&str>, authority: Option<Authority<'_>>) -> Result<(), UriError> {
    let authority = authority.as_ref().map(Authority::as_str);
    let parts = [scheme.unwrap_or_default(), authority.unwrap_or_default()];
    let upper = parts.iter().any(|part| part.bytes().any(|byte| byte.is_ascii_uppercase()));
    if upper { Err(UriError::UpperCase) } else { Ok(()) }
}

/// Returns the relative URI of a path: the path with reserved characters percent-encoded.
pub(crate) fn from_path(path: &str) -> String {
    let mut encoded = EString::<Path>::new();
    encoded.encode_str::<Path>(path);
    let encoded = encoded.into_string();
    // RFC 3986 (4.2): a dot before the first segment, where it would be parsed as a scheme or a host.
    let first = encoded.split('/').next().unwrap_or_default();
    if first.contains(':') {
        format!("./{encoded}")
    } else if encoded.starts_with("//") {
        format!("/.{encoded}")
    } else {
        encoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Pass) A plain path is its own URI; the URI of any path has no scheme and no host.
    #[test]
    fn paths_become_relative_uris() {
        for (path, uri) in [
            ("fixtures/real/events.jsonl", "fixtures/real/events.jsonl"),
            ("/srv/ci/events.jsonl", "/srv/ci/events.jsonl"),
            ("-", "-"),
            ("a b/é.jsonl", "a%20b/%C3%A9.jsonl"),
            ("50%/x#y?z", "50%25/x%23y%3Fz"),
            ("https://example.com/events.jsonl", "./https://example.com/events.jsonl"),
            ("//host/events.jsonl", "/.//host/events.jsonl"),
            ("\u{1b}[31m\n\u{202e}", "%1B%5B31m%0A%E2%80%AE"),
        ] {
            assert_eq!(from_path(path), uri);
            let parsed = UriRef::parse(uri).expect("it is a URI");
            assert!(!parsed.has_scheme() && !parsed.has_authority() && !parsed.has_query() && !parsed.has_fragment());
        }
    }

    /// (Fail) Texts that are not URIs, or not in lower case.
    #[test]
    fn invalid_uris_are_rejected() {
        for text in ["", "a b", "é", "%zz", "a\n", "<x>"] {
            assert_eq!(reference(text), Err(UriError::Reference), "{text:?}");
            assert_eq!(absolute(text), Err(UriError::Absolute), "{text:?}");
        }
        assert_eq!(absolute("relative/path"), Err(UriError::Absolute));
        for text in ["HTTPS://example.com/", "https://Example.com/"] {
            assert_eq!(reference(text), Err(UriError::UpperCase), "{text:?}");
            assert_eq!(absolute(text), Err(UriError::UpperCase), "{text:?}");
        }
    }

    /// (Pass) Common URIs.
    #[test]
    fn valid_uris_are_accepted() {
        for text in ["https://example.com/Log?run=7", "pkg:cargo/shipper-replay", "urn:uuid:F81D4FAE-7DEC-11D0"] {
            assert_eq!(reference(text).as_deref(), Ok(text));
            assert_eq!(absolute(text).as_deref(), Ok(text));
        }
        assert_eq!(reference("releases/1.0/events.jsonl").as_deref(), Ok("releases/1.0/events.jsonl"));
    }
}
