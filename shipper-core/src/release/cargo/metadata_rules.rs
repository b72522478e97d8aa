//! The rules of crates-io for the metadata of a package, as its server checks them in August 2026.
//!
//! The server refuses an upload that violates one of them. Rules that need its data are left out: the lists of
//! categories and of licenses, and reserved names.

use cargo_metadata::Package;

use super::problem::{Level, Problem, dependency_key};

/// The greatest number of keywords, and of categories.
const MAX_WORDS: usize = 5;
/// The greatest length of a keyword, in bytes.
const MAX_KEYWORD_LEN: usize = 20;
/// The greatest length of a description, in bytes.
const MAX_DESCRIPTION_LEN: usize = 1000;
/// The greatest length of a name, in bytes.
const MAX_NAME_LEN: usize = 64;
/// The greatest size of a `.crate` file, in bytes. Crates-io may permit more for a crate that exists.
const MAX_CRATE_LEN: u64 = 10 * 1024 * 1024;

/// Returns the violations of rules that most registries have. `level` is theirs.
pub(super) fn common_problems(package: &Package, level: Level) -> Vec<Problem> {
    let problem = |key, message, help| Problem::new(level, package, key, message, help);
    let mut problems = Vec::new();
    let description = package.description.as_deref().unwrap_or_default();
    if description.is_empty() {
        let message = "there is no description".to_owned();
        problems.push(problem("package.description", message, "add one of a sentence"));
    }
    if description.len() > MAX_DESCRIPTION_LEN {
        let message = format!("the description has {} bytes, more than {MAX_DESCRIPTION_LEN}", description.len());
        problems.push(problem("package.description", message, "shorten it"));
    }
    let license = package.license.as_deref().unwrap_or_default();
    let has_file = package.license_file.as_ref().is_some_and(|path| !path.as_str().is_empty());
    if license.is_empty() && !has_file {
        let message = "there is no license".to_owned();
        problems.push(problem("package.license", message, "add an SPDX expression, or `license-file`"));
    }
    if !license.is_empty() && !is_license_expression(license) {
        let message = format!("the license {license:?} is not an SPDX expression");
        let help = "write identifiers with OR, AND and WITH, such as \"MIT OR Apache-2.0\"";
        problems.push(problem("package.license", message, help));
    }
    if package.keywords.len() > MAX_WORDS {
        let message = format!("there are {} keywords, more than {MAX_WORDS}", package.keywords.len());
        problems.push(problem("package.keywords", message, "remove some"));
    }
    problems.extend(package.keywords.iter().filter(|keyword| !is_keyword(keyword)).map(|keyword| {
        let message = format!("the keyword {keyword:?} is invalid");
        let help = "use at most 20 ASCII letters, digits, `_`, `-` and `+`, the first a letter or digit";
        problem("package.keywords", message, help)
    }));
    problems
}

/// Returns the violations of rules that only crates-io has. `size` is that of the `.crate` file, in bytes; `is_new` is
/// `true` if crates-io does not have the crate.
pub(super) fn crates_io_problems(package: &Package, size: Option<u64>, is_new: bool) -> Vec<Problem> {
    let problem = |level, key: &str, message, help| Problem::new(level, package, key, message, help);
    let error = |key: &str, message, help| problem(Level::Error, key, message, help);
    let mut problems = Vec::new();
    if !is_crate_name(&package.name) {
        let message = "crates-io does not accept this name".to_owned();
        let help = "use at most 64 ASCII letters, digits, `_` and `-`, the first a letter";
        problems.push(error("package.name", message, help));
    }
    if package.categories.len() > MAX_WORDS {
        let message = format!("there are {} categories, more than {MAX_WORDS}", package.categories.len());
        problems.push(error("package.categories", message, "remove some"));
    }
    problems.extend(package.categories.iter().filter(|category| !is_category(category)).map(|category| {
        let help = "use a slug from the list of crates-io, such as \"development-tools::testing\"";
        error("package.categories", format!("the category {category:?} is invalid"), help)
    }));
    let urls = [
        ("homepage", &package.homepage),
        ("documentation", &package.documentation),
        ("repository", &package.repository),
    ];
    problems.extend(urls.into_iter().filter_map(|(name, url)| {
        let url = url.as_deref().filter(|url| !url.starts_with("http://") && !url.starts_with("https://"))?;
        let message = format!("{url:?} is not an address on the web");
        Some(error(&format!("package.{name}"), message, "begin it with `https://`, or remove it"))
    }));
    // Cargo removes such a dev-dependency only if it has a path or a repository.
    let from_registry = |source: &str| source.starts_with("registry+") || source.starts_with("sparse+");
    let wildcards = package.dependencies.iter().filter(|dependency| {
        let source = dependency.source.as_ref().map(ToString::to_string).unwrap_or_default();
        dependency.req.comparators.is_empty() && dependency.path.is_none() && from_registry(&source)
    });
    problems.extend(wildcards.map(|dependency| {
        let message = format!("the dependency {} permits every version", dependency.name);
        error(&dependency_key(dependency), message, "name the versions that it works with")
    }));
    problems.extend(size.filter(|size| *size > MAX_CRATE_LEN).map(|size| {
        // The exact size, because it may exceed the limit by a few bytes.
        let message = format!("the packed crate has {size} bytes, more than 10 MiB");
        if is_new {
            return error("package.exclude", message, "exclude files");
        }
        let help = "exclude files, unless crates-io raised the limit for this crate";
        problem(Level::Warning, "package.exclude", message, help)
    }));
    problems
}

fn is_keyword(text: &str) -> bool {
    let follows = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
    text.len() <= MAX_KEYWORD_LEN
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(follows)
}

fn is_crate_name(text: &str) -> bool {
    let follows = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.len() <= MAX_NAME_LEN
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && text.bytes().all(follows)
}

/// Returns `true` if text has the form of a category: lowercase words with `-`, and `::` before a subcategory.
pub(super) fn is_category(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.split("::").all(|part| !part.is_empty() && part.bytes().all(fits))
}

/// Returns `true` if text has the form of an SPDX expression. Its identifiers are not checked. Crates-io accepts `/` for
/// `OR`.
fn is_license_expression(text: &str) -> bool {
    let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let (mut depth, mut expects_operand) = (0_u32, true);
    for word in spaced.split_whitespace() {
        match (word, expects_operand) {
            ("(", true) => depth += 1,
            (")", false) if depth > 0 => depth -= 1,
            ("OR" | "AND" | "WITH", false) => expects_operand = true,
            ("(" | ")" | "OR" | "AND" | "WITH", _) | (_, false) => return false,
            (_, true) => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'+' | b':');
                if !word.bytes().all(fits) {
                    return false;
                }
                expects_operand = false;
            }
        }
    }
    depth == 0 && !expects_operand
}
