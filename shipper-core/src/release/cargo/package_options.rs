//! The settings of a package in `[package.metadata.shipper]` of its manifest.

use cargo_metadata::Package;
use serde_json::Value;

use super::problem::{Level, Problem};

/// How a rehearsal builds a package. By default: with its default features.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PackageOptions {
    /// The features to enable (`features`).
    pub(super) features: Vec<String>,
    /// `true` if the default features are disabled (`no-default-features`).
    pub(super) no_default_features: bool,
    /// `true` if the package is not built (`no-verify`).
    pub(super) no_verify: bool,
}

/// The table, as it is written in a manifest.
const TABLE: &str = "package.metadata.shipper";

impl PackageOptions {
    /// Reads the settings of a package. Ignores invalid ones, which [`problems`](Self::problems) returns.
    pub(super) fn of(package: &Package) -> Self {
        Self::read(package).0
    }

    /// Returns the problems of a package's settings.
    pub(super) fn problems(package: &Package) -> Vec<Problem> {
        let (options, mut problems) = Self::read(package);
        let error = |message: String, help: &str| {
            Problem::new(Level::Error, package, format!("{TABLE}.features"), message, help)
        };
        // A feature of a dependency contains a slash. Only cargo knows them.
        let unknown = |feature: &&String| !feature.contains('/') && !package.features.contains_key(*feature);
        problems.extend(options.features.iter().filter(unknown).map(|feature| {
            error(format!("the package has no feature {feature:?}"), "correct its name, or add it to `features`")
        }));
        if options.no_verify {
            let message = "the package is not built before it is published";
            let help = "remove the setting, if the package builds";
            problems.push(Problem::new(Level::Warning, package, format!("{TABLE}.no-verify"), message, help));
        }
        problems
    }

    /// Returns the arguments with which cargo builds the package.
    pub(super) fn cargo_args(&self) -> Vec<String> {
        let features = (!self.features.is_empty()).then(|| ["--features".to_owned(), self.features.join(",")]);
        let flags = [(self.no_default_features, "--no-default-features"), (self.no_verify, "--no-verify")];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.to_owned());
        features.into_iter().flatten().chain(flags).collect()
    }

    fn read(package: &Package) -> (Self, Vec<Problem>) {
        let (mut options, mut problems) = (Self::default(), Vec::new());
        let Some(settings) = package.metadata.get("shipper") else {
            return (options, problems);
        };
        let mut error = |key: String, message: &str, help: &str| {
            problems.push(Problem::new(Level::Error, package, key, message, help));
        };
        let Some(settings) = settings.as_object() else {
            error(TABLE.to_owned(), "the value is not a table", "write it as a table");
            return (options, problems);
        };
        for (name, value) in settings {
            let key = format!("{TABLE}.{name}");
            let flag = match name.as_str() {
                "features" => {
                    match texts(value) {
                        Some(features) => options.features = features,
                        None => error(key, "the value is not an array of strings", "write it as [\"NAME\"]"),
                    }
                    continue;
                }
                "no-default-features" => &mut options.no_default_features,
                "no-verify" => &mut options.no_verify,
                _ => {
                    error(key, "unknown key", "use `features`, `no-default-features` or `no-verify`");
                    continue;
                }
            };
            match value.as_bool() {
                Some(value) => *flag = value,
                None => error(key, "the value is not a boolean", "write `true` or `false`"),
            }
        }
        (options, problems)
    }
}

/// Returns the strings of an array; `None` for another value.
fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
