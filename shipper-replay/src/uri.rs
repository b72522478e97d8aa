//! URIs of RFC 3986 in the form that in-toto requires: scheme and host in lower case.

use fluent_uri::UriRef;
use fluent_uri::component::{Authority, Scheme};
use fluent_uri::pct_enc::EString;
use fluent_uri::pct_enc::encoder::Path;

/// The error for text that is not a URI of this form.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum UriError {
    #[error("expected a URI such as https://example.com/verifier or pkg:cargo/name")]
    Absolute,
    #[error("expected a URI or a relative path such as releases/events.jsonl, percent-encoded")]
    Reference,
    #[error("the scheme and the host must be in lower case")]
    UpperCase,
}

/// Parses a URI with a scheme.
pub(crate) fn absolute(text: &str) -> Result<String, UriError> {
    let uri = UriRef::parse(text).ok().filter(UriRef::has_scheme);
    in_lower_case(&uri.ok_or(UriError::Absolute)?)
}

/// Parses a URI with or without a scheme.
pub(crate) fn reference(text: &str) -> Result<String, UriError> {
    let uri = UriRef::parse(text).ok().filter(|_| !text.is_empty());
    in_lower_case(&uri.ok_or(UriError::Reference)?)
}

fn in_lower_case(uri: &UriRef<&str>) -> Result<String, UriError> {
    let authority = uri.authority();
    let parts = [uri.scheme().map(Scheme::as_str), authority.as_ref().map(Authority::as_str)];
    let is_upper = parts.into_iter().flatten().any(|part| part.bytes().any(|byte| byte.is_ascii_uppercase()));
    if is_upper { Err(UriError::UpperCase) } else { Ok(uri.to_string()) }
}

/// Returns the relative URI of a path: the path with reserved characters percent-encoded.
pub(crate) fn from_path(path: &str) -> String {
    let mut encoded = EString::<Path>::new();
    encoded.encode_str::<Path>(path);
    let encoded = encoded.into_string();
    // RFC 3986 (4.2): a dot precedes a first segment that would be parsed as a scheme or a host.
    let first = encoded.split('/').next().unwrap_or_default();
    if first.contains(':') {
        format!("./{encoded}")
    } else if encoded.starts_with("//") {
        format!("/.{encoded}")
    } else {
        encoded
    }
}
