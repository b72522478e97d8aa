//! Parser of a policy in TOML. Every error has its line and column.

use std::ops::Range;

use shipper_events::{PlanId, RegistryName};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::duration::parse_duration;
use super::model::{LevelRule, Policy, SkipRule};
use super::problem::{PolicyError, PolicyProblem};
use crate::audit::accepted_cause::AcceptedCause;
use crate::audit::report::{FindingCode, Level};

const KEYS: &[&str] = &[
    "registry",
    "max-rehearsal-age",
    "require-smoke-install",
    "require-chained",
    "require-sealed",
    "skips",
    "accept",
    "levels",
];

const CAUSES: [AcceptedCause; 4] =
    [AcceptedCause::Dormant, AcceptedCause::Bypassed, AcceptedCause::Unrecorded, AcceptedCause::NoDecision];

const LEVELS: [Level; 3] = [Level::Error, Level::Warning, Level::Note];

/// Most characters of a name or of a reason.
const MAX_TEXT: usize = 1000;

/// A problem with its place in the text.
type Placed<T> = Result<T, (PolicyProblem, Range<usize>)>;

impl Policy {
    /// Parses a policy in TOML: `docs/policy.md`, "A policy", explains the keys.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with the first problem in the text, of any variant of [`PolicyProblem`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let max = Self::MAX_BYTES;
        if text.len() > max {
            return Err(PolicyError { line: 1, column: 1, problem: PolicyProblem::TooLong { max } });
        }
        let syntax = |error: &toml::de::Error| {
            (PolicyProblem::Syntax { message: error.message().to_owned() }, error.span().unwrap_or_default())
        };
        let policy = DeTable::parse(text).map_err(|error| syntax(&error));
        policy.and_then(|table| read_policy(table.get_ref())).map_err(|(problem, span)| {
            let (line, column) = position(text, span.start);
            PolicyError { line, column, problem }
        })
    }
}

/// Returns the line and the column, in characters, of a byte; both begin with 1.
fn position(text: &str, offset: usize) -> (u64, u64) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.matches('\n').count() as u64 + 1;
    (line, before.get(line_start..).unwrap_or_default().chars().count() as u64 + 1)
}

fn read_policy(table: &DeTable<'_>) -> Placed<Policy> {
    check_keys(table, KEYS)?;
    let mut policy = Policy::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "registry" => policy.registry = Some(name::<RegistryName>(value)?),
            "max-rehearsal-age" => policy.max_rehearsal_age = Some(duration(value)?),
            "require-smoke-install" => policy.require_smoke_install = boolean(value)?,
            "require-chained" => policy.require_chained = boolean(value)?,
            "require-sealed" => policy.require_sealed = boolean(value)?,
            "skips" => policy.skips = Some(array(value)?.iter().map(skip_rule).collect::<Placed<_>>()?),
            "accept" => policy.accept = array(value)?.iter().map(accepted_cause).collect::<Placed<_>>()?,
            _ => policy.levels = level_rules(value)?,
        }
    }
    policy.levels.sort_by_key(|rule| rule.code.as_str());
    Ok(policy)
}

fn skip_rule(value: &Spanned<DeValue<'_>>) -> Placed<SkipRule> {
    let entry = table(value)?;
    check_keys(entry, &["actor", "plans"])?;
    let actor = text(required(entry, "actor", value)?)?.to_owned();
    let plans = match entry.get("plans") {
        None => None,
        Some(plans) if array(plans)?.is_empty() => return Err((PolicyProblem::NoPlans, plans.span())),
        Some(plans) => Some(array(plans)?.iter().map(name::<PlanId>).collect::<Placed<_>>()?),
    };
    Ok(SkipRule { actor, plans })
}

fn accepted_cause(value: &Spanned<DeValue<'_>>) -> Placed<AcceptedCause> {
    word("cause", text(value)?, value.span(), CAUSES, AcceptedCause::as_str)
}

fn level_rules(value: &Spanned<DeValue<'_>>) -> Placed<Vec<LevelRule>> {
    table(value)?.iter().map(|(code, rule)| level_rule(code, rule)).collect()
}

fn level_rule(key: &Spanned<impl AsRef<str>>, value: &Spanned<DeValue<'_>>) -> Placed<LevelRule> {
    let codes = FindingCode::ALL.iter().copied();
    let code = word("code of a finding", key.get_ref().as_ref(), key.span(), codes, FindingCode::as_str)?;
    let rule = table(value)?;
    check_keys(rule, &["level", "reason"])?;
    let given = required(rule, "level", value)?;
    let level = word("level", text(given)?, given.span(), LEVELS, Level::as_str)?;
    if LevelRule::is_forbidden(code, level) {
        let problem = PolicyProblem::CannotLower { code: code.as_str(), level: code.level().as_str() };
        return Err((problem, given.span()));
    }
    let reason = required(rule, "reason", value)?;
    let trimmed = text(reason)?.trim();
    if trimmed.is_empty() {
        return Err((PolicyProblem::EmptyText, reason.span()));
    }
    Ok(LevelRule { code, level, reason: trimmed.to_owned() })
}

/// Returns the word of a list that equals a text.
fn word<T: Copy>(
    what: &'static str,
    text: &str,
    span: Range<usize>,
    words: impl IntoIterator<Item = T>,
    as_str: impl Fn(T) -> &'static str,
) -> Placed<T> {
    let words: Vec<T> = words.into_iter().collect();
    words.iter().copied().find(|word| as_str(*word) == text).ok_or_else(|| {
        let nearest = nearest(text, words.into_iter().map(as_str));
        (PolicyProblem::UnknownWord { what, word: text.to_owned(), nearest }, span)
    })
}

/// Returns an error for the first unknown key.
fn check_keys(table: &DeTable<'_>, known: &[&'static str]) -> Placed<()> {
    let unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
    unknown.min_by_key(|key| key.span().start).map_or(Ok(()), |key| {
        let nearest = nearest(key.get_ref(), known.iter().copied());
        Err((PolicyProblem::UnknownKey { key: key.get_ref().to_string(), nearest }, key.span()))
    })
}

/// Returns the most similar word; `None` if none is similar.
fn nearest(text: &str, words: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    // The similarity of long texts costs the product of their lengths.
    let text: String = text.chars().take(60).collect();
    let similarity = |word: &str| strsim::jaro_winkler(&text.to_lowercase(), word);
    let scored = words.into_iter().map(|word| (similarity(word), word)).filter(|(score, _)| *score > 0.7);
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, word)| word)
}

fn required<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &'static str,
    of: &Spanned<DeValue<'_>>,
) -> Placed<&'t Spanned<DeValue<'i>>> {
    table.get(key).ok_or_else(|| (PolicyProblem::MissingKey { key }, of.span()))
}

fn wrong_type<T>(expected: &'static str, value: &Spanned<DeValue<'_>>) -> Placed<T> {
    Err((PolicyProblem::WrongType { expected, found: value.get_ref().type_str() }, value.span()))
}

fn table<'t, 'i>(value: &'t Spanned<DeValue<'i>>) -> Placed<&'t DeTable<'i>> {
    value.get_ref().as_table().map_or_else(|| wrong_type("a table", value), Ok)
}

fn array<'t, 'i>(value: &'t Spanned<DeValue<'i>>) -> Placed<&'t DeArray<'i>> {
    value.get_ref().as_array().map_or_else(|| wrong_type("an array", value), Ok)
}

fn boolean(value: &Spanned<DeValue<'_>>) -> Placed<bool> {
    value.get_ref().as_bool().map_or_else(|| wrong_type("true or false", value), Ok)
}

fn text<'t>(value: &'t Spanned<DeValue<'_>>) -> Placed<&'t str> {
    let text = value.get_ref().as_str().map_or_else(|| wrong_type("a string", value), Ok)?;
    match text.chars().nth(MAX_TEXT) {
        _ if text.is_empty() => Err((PolicyProblem::EmptyText, value.span())),
        Some(_) => Err((PolicyProblem::LongText { max: MAX_TEXT }, value.span())),
        None => Ok(text),
    }
}

fn name<T: std::str::FromStr>(value: &Spanned<DeValue<'_>>) -> Placed<T> {
    // A name can be any text that is not empty.
    text(value)?.parse().map_err(|_| (PolicyProblem::EmptyText, value.span()))
}

fn duration(value: &Spanned<DeValue<'_>>) -> Placed<u64> {
    parse_duration(text(value)?).ok_or_else(|| (PolicyProblem::Duration, value.span()))
}
