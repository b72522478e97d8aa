//! Removes secrets from text.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

/// The text in place of a secret.
const HIDDEN: &str = "[hidden]";

/// The least length of a secret, in bytes. A shorter one would hide ordinary text, and tokens of registries are longer.
const MIN_SECRET_LEN: usize = 6;

/// The least length of a part of an encoded secret, in bytes.
const MIN_ENCODED_LEN: usize = 8;

/// The schemes that precede a token in the header `Authorization`.
const AUTH_SCHEMES: [&str; 3] = ["bearer", "basic", "token"];

/// Secrets, and their replacement wherever a command or a registry prints them.
#[derive(Clone, Default)]
pub(super) struct Redactor(Vec<String>);

impl Redactor {
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut redactor = Self::default();
        redactor.add(secrets);
        redactor
    }

    pub(super) fn add(&mut self, secrets: impl IntoIterator<Item = String>) {
        let plain: BTreeSet<String> = secrets.into_iter().flat_map(|secret| plain_forms(&secret)).collect();
        let plain = plain.into_iter().filter(|secret| secret.len() >= MIN_SECRET_LEN);
        for secret in plain.flat_map(|secret| base64_forms(&secret).into_iter().chain([secret])) {
            if !self.0.contains(&secret) {
                self.0.push(secret);
            }
        }
        // A secret may begin with another one.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// Replaces the secrets, also where they are percent-encoded, and the passwords in URLs.
    pub(super) fn redact(&self, text: &str) -> String {
        let plain = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN));
        let decoded = if plain.contains('%') {
            self.0.iter().fold(plain, |text, secret| replace_percent_encoded(&text, secret))
        } else {
            plain
        };
        hide_url_passwords(&decoded)
    }
}

/// Returns the texts of a secret that are secret alone: without its scheme, and each line.
fn plain_forms(secret: &str) -> Vec<String> {
    let mut forms: Vec<String> = secret.lines().map(|line| line.trim().to_owned()).collect();
    if let Some((scheme, token)) = secret.trim().split_once(char::is_whitespace)
        && AUTH_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())
    {
        let token = token.trim();
        forms.push(token.to_owned());
        let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        forms.extend(decoded.as_deref().and_then(|pair| Some(pair.split_once(':')?.1.to_owned())));
    }
    forms
}

/// Returns the Base64 of a secret, and the part of it that is the same within a longer text. The bytes before the secret
/// decide about its position in a group of three bytes.
fn base64_forms(secret: &str) -> BTreeSet<String> {
    let whole = [STANDARD.encode(secret), URL_SAFE.encode(secret)];
    let within = (0..3).flat_map(|before| {
        let padded = [&vec![0; before], secret.as_bytes()].concat();
        let (begin, end) = ((8 * before).div_ceil(6), 8 * padded.len() / 6);
        let encoded = STANDARD_NO_PAD.encode(padded);
        let part = encoded.get(begin..end).unwrap_or_default().to_owned();
        [part.replace('+', "-").replace('/', "_"), part]
    });
    let long_enough = |form: &String| form.len() >= MIN_ENCODED_LEN;
    whole.into_iter().chain(within).filter(long_enough).collect()
}

/// Replaces a secret of which any bytes may be percent-encoded.
fn replace_percent_encoded(text: &str, secret: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = strip_percent_encoded(rest, secret) {
            replaced.push_str(HIDDEN);
            rest = after;
        } else {
            replaced.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    replaced
}

/// Returns the text after a secret at its beginning.
fn strip_percent_encoded<'t>(text: &'t str, secret: &str) -> Option<&'t str> {
    let mut at = 0;
    for byte in secret.bytes() {
        let escape = || {
            let digits = text.get(at..)?.strip_prefix('%')?.get(..2)?;
            u8::from_str_radix(digits, 16).ok()
        };
        // A secret may contain the sign itself, which is escaped too.
        at += match text.as_bytes().get(at) {
            Some(b'%') if escape() == Some(byte) => 3,
            Some(found) if *found == byte => 1,
            _ => return None,
        };
    }
    text.get(at..)
}

/// Replaces the password in each URL, or the user of an `http` URL without a password: it is a token.
pub(super) fn hide_url_passwords(text: &str) -> String {
    let mut parts = text.split("://");
    let mut hidden = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_http = hidden.ends_with("http") || hidden.ends_with("https");
        hidden.push_str("://");
        match user_info(part) {
            Some((user, Some(_), rest)) => hidden.extend([user, ":", HIDDEN, "@", rest]),
            Some((user, None, rest)) if is_http && !user.is_empty() => hidden.extend([HIDDEN, "@", rest]),
            _ => hidden.push_str(part),
        }
    }
    hidden
}

/// Returns the password in a URL as it is written and as it is meant. For an `http` URL without a password, that is the
/// user.
pub(super) fn url_passwords(url: &str) -> Vec<String> {
    let (scheme, part) = url.split_once("://").unwrap_or_default();
    let secret = match user_info(part) {
        Some((_, Some(password), _)) => password,
        Some((user, None, _)) if scheme.ends_with("http") || scheme.ends_with("https") => user,
        _ => return Vec::new(),
    };
    let meant = percent_encoding::percent_decode_str(secret).decode_utf8_lossy().into_owned();
    vec![secret.to_owned(), meant]
}

/// Returns user, password and the text after them at the beginning of a URL without its scheme.
fn user_info(part: &str) -> Option<(&str, Option<&str>, &str)> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`');
    let authority = part.split(ends).next().unwrap_or_default();
    let (user_info, _) = authority.rsplit_once('@')?;
    let rest = part.get(user_info.len() + 1..)?;
    let (user, password) = user_info.split_once(':').map_or((user_info, None), |(user, pw)| (user, Some(pw)));
    Some((user, password, rest))
}

#[cfg(test)]
#[path = "../../../tests/unit/redact.rs"]
mod tests;
