//! Parser of a list of allowed signers: the part of the format of `ssh-keygen` (ALLOWED SIGNERS) that needs no name to
//! look for.

use ssh_key::PublicKey;
use ssh_key::public::KeyData;
use thiserror::Error;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// The namespace of the signatures, so that one that was made for another purpose is never one of a head.
pub(super) const NAMESPACE: &str = "shipper-head";

/// A key that may sign.
#[derive(Debug)]
pub(super) struct AllowedSigner {
    /// The number of its line; the first is 1.
    pub(super) line: u64,
    pub(super) principals: Vec<String>,
    pub(super) key: KeyData,
    /// The namespaces that it may sign in; `None` for all.
    namespaces: Option<Vec<String>>,
    valid_after: Option<OffsetDateTime>,
    valid_before: Option<OffsetDateTime>,
}

/// The reason why a line of the list cannot be used.
#[derive(Debug, Error)]
pub(super) enum LineProblem {
    #[error("not valid UTF-8")]
    NotUtf8,
    #[error("expected names, options and a key")]
    Incomplete,
    #[error("names must not be empty, quoted, or patterns with *, ? or !")]
    Principals,
    #[error("not a public key: {0}")]
    Key(ssh_key::Error),
    #[error("unsupported option; expected namespaces, valid-after or valid-before")]
    Option,
    #[error("an option is given twice")]
    Twice,
    #[error("expected a value in double quotes after an option")]
    Unquoted,
    #[error("namespaces must not be empty, or patterns with *, ? or !")]
    Namespaces,
    #[error("expected a date in UTC, such as 20261123Z or 20261123081226Z; a time without Z depends on the machine")]
    Date,
    #[error("valid-before must be later than valid-after")]
    Dates,
}

/// The reason why a key may not sign a head.
#[derive(Debug, Error)]
pub(crate) enum NotAllowed {
    #[error("its namespaces do not include {}", NAMESPACE)]
    Namespace,
    #[error("the key is not valid yet at the time of --verify-time")]
    NotYet,
    #[error("the key is not valid any more at the time of --verify-time")]
    Expired,
}

impl AllowedSigner {
    /// Returns true if a validity date limits the signer.
    pub(super) fn has_dates(&self) -> bool {
        self.valid_after.is_some() || self.valid_before.is_some()
    }

    /// Checks that the key may sign in `namespace` at a time. Without a time, it must have no [dates](Self::has_dates).
    pub(super) fn check(&self, namespace: &str, at: Option<OffsetDateTime>) -> Result<(), NotAllowed> {
        if self.namespaces.as_ref().is_some_and(|allowed| !allowed.iter().any(|name| name == namespace)) {
            return Err(NotAllowed::Namespace);
        }
        if self.valid_after.is_some_and(|after| at.is_none_or(|at| at < after)) {
            return Err(NotAllowed::NotYet);
        }
        if self.valid_before.is_some_and(|before| at.is_none_or(|at| at > before)) {
            return Err(NotAllowed::Expired);
        }
        Ok(())
    }
}

/// Parses a list of allowed signers. Blank lines and those that begin with `#` are comments.
///
/// # Errors
///
/// The number of the first line that cannot be used, and the reason.
pub(super) fn parse(list: &[u8]) -> Result<Vec<AllowedSigner>, (u64, LineProblem)> {
    let mut signers = Vec::new();
    for (line, bytes) in (1..).zip(list.split(|byte| *byte == b'\n')) {
        let text = std::str::from_utf8(bytes).map_err(|_| (line, LineProblem::NotUtf8))?;
        let text = text.trim_matches([' ', '\t', '\r']);
        if !text.is_empty() && !text.starts_with('#') {
            signers.push(parse_line(line, text).map_err(|problem| (line, problem))?);
        }
    }
    Ok(signers)
}

fn parse_line(line: u64, text: &str) -> Result<AllowedSigner, LineProblem> {
    let (principals, rest) = split_word(text)?;
    let principals = names(principals).ok_or(LineProblem::Principals)?;
    let mut signer = match parse_key(rest) {
        Ok(key) => {
            return Ok(AllowedSigner {
                line,
                principals,
                key,
                namespaces: None,
                valid_after: None,
                valid_before: None,
            });
        }
        Err(error) if ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| rest.starts_with(prefix)) => {
            return Err(error);
        }
        Err(_) => {
            let (_, key) = split_word(rest)?;
            AllowedSigner {
                line,
                principals,
                // An unknown option is reported before an unreadable key.
                key: parse_key(key).or_else(|error| check_options(rest).and(Err(error)))?,
                namespaces: None,
                valid_after: None,
                valid_before: None,
            }
        }
    };
    let (options, _) = split_word(rest)?;
    for option in split_options(options) {
        signer.set(option)?;
    }
    match (signer.valid_after, signer.valid_before) {
        (Some(after), Some(before)) if before <= after => Err(LineProblem::Dates),
        _ => Ok(signer),
    }
}

/// Returns an error if the first word of a text has an option that is not supported.
fn check_options(text: &str) -> Result<(), LineProblem> {
    let (options, _) = split_word(text)?;
    split_options(options).try_for_each(|option| option_value(option).map(|_| ()))
}

impl AllowedSigner {
    fn set(&mut self, option: &str) -> Result<(), LineProblem> {
        let (name, value) = option_value(option)?;
        let is_repeated = match name {
            OptionName::Namespaces => self.namespaces.replace(names(value).ok_or(LineProblem::Namespaces)?).is_some(),
            OptionName::ValidAfter => self.valid_after.replace(parse_date(value).ok_or(LineProblem::Date)?).is_some(),
            OptionName::ValidBefore => self.valid_before.replace(parse_date(value).ok_or(LineProblem::Date)?).is_some(),
        };
        if is_repeated { Err(LineProblem::Twice) } else { Ok(()) }
    }
}

enum OptionName {
    Namespaces,
    ValidAfter,
    ValidBefore,
}

/// Returns the name of an option and its value, which is in double quotes and has none.
fn option_value(option: &str) -> Result<(OptionName, &str), LineProblem> {
    let (name, value) = option.split_once('=').ok_or(LineProblem::Option)?;
    let name = match name.to_ascii_lowercase().as_str() {
        "namespaces" => OptionName::Namespaces,
        "valid-after" => OptionName::ValidAfter,
        "valid-before" => OptionName::ValidBefore,
        _ => return Err(LineProblem::Option),
    };
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let value = value.filter(|value| !value.contains(['"', '\\']));
    Ok((name, value.ok_or(LineProblem::Unquoted)?))
}

/// Splits options at the commas that are outside quotes.
fn split_options(options: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    options.split(move |character| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    })
}

/// Splits a text after its first word, in which spaces are allowed inside quotes.
fn split_word(text: &str) -> Result<(&str, &str), LineProblem> {
    let mut is_quoted = false;
    let end = text.find(|character| {
        is_quoted ^= character == '"';
        matches!(character, ' ' | '\t') && !is_quoted
    });
    let (word, rest) = end.and_then(|end| text.split_at_checked(end)).ok_or(LineProblem::Incomplete)?;
    Ok((word, rest.trim_start_matches([' ', '\t'])))
}

/// Returns the names between commas; `None` if one is empty, quoted or a pattern.
fn names(text: &str) -> Option<Vec<String>> {
    let is_name = |name: &str| !name.is_empty() && !name.contains(['*', '?', '!', '"', '\\', ' ', '\t']);
    text.split(',').map(|name| is_name(name).then(|| name.to_owned())).collect()
}

/// Parses the type and the base64 of a key. A comment may follow.
fn parse_key(text: &str) -> Result<KeyData, LineProblem> {
    let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
    let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
        return Err(LineProblem::Incomplete);
    };
    let key = PublicKey::from_openssh(&format!("{kind} {base64}")).map_err(LineProblem::Key)?;
    Ok(key.key_data().clone())
}

/// Parses `YYYYMMDDZ`, `YYYYMMDDHHMMZ` or `YYYYMMDDHHMMSSZ`.
fn parse_date(text: &str) -> Option<OffsetDateTime> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    if !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let number = |from: usize| digits.get(from..from + 2).map_or(Some(0), |digits| digits.parse::<u8>().ok());
    let year = digits.get(..4)?.parse().ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(number(4)?).ok()?, number(6)?).ok()?;
    let time = Time::from_hms(number(8)?, number(10)?, number(12)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

#[cfg(test)]
#[path = "../../tests/unit/allowed_signers.rs"]
mod tests;
