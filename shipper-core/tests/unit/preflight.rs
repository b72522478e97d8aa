//! A problem that would stop a run after its first uploads is found before them, and healthy plans have none.

use cargo_metadata::semver::Version;
use serde_json::{Value, json};

use super::*;

/// Returns a package that has no problem, with these members in place of its own.
fn package(name: &str, members: Value) -> Package {
    let mut package = json!({
        "name": name, "version": "0.2.0", "id": format!("path+file:///w/{name}#0.2.0"), "source": null,
        "description": "A test", "license": "MIT", "dependencies": [], "targets": [], "features": {},
        "manifest_path": format!("/w/{name}/Cargo.toml"), "keywords": ["a", "b", "c", "d", "e"],
    });
    let Value::Object(members) = members else { panic!("members") };
    package.as_object_mut().unwrap().extend(members);
    serde_json::from_value(package).unwrap()
}

/// Returns a package with one dependency on a package beside it.
fn depends(name: &str, on: &str, kind: Option<&str>, requirement: &str) -> Package {
    package(name, json!({ "dependencies": [dependency(on, kind, requirement)] }))
}

fn dependency(on: &str, kind: Option<&str>, requirement: &str) -> Value {
    json!({
        "name": on, "source": null, "req": requirement, "kind": kind, "optional": false, "uses_default_features": true,
        "features": [], "target": null, "rename": null, "registry": null, "path": format!("/w/{on}"),
    })
}

/// Returns a crate on the live registry with these versions, of which those with `!` are yanked.
fn published(name: &str, versions: &[&str]) -> (String, PublishedCrate) {
    let version = |text: &&str| (Version::parse(text.trim_end_matches('!')).unwrap(), text.ends_with('!'));
    let found = PublishedCrate {
        name: (!versions.is_empty()).then(|| name.to_owned()),
        versions: versions.iter().map(version).collect(),
        has_other_content: false,
    };
    (name.to_owned(), found)
}

/// The values of a check, by default of a user's plan for crates-io.
struct Setup {
    live: &'static str,
    planned: Vec<Package>,
    others: Vec<Package>,
    published: BTreeMap<String, PublishedCrate>,
    sizes: BTreeMap<String, u64>,
    token: TokenKind,
}

impl Setup {
    /// The live registry has an old version of each package.
    fn of(planned: Vec<Package>) -> Self {
        let published = planned.iter().map(|package| published(&package.name, &["0.1.0"])).collect();
        let (others, sizes) = (Vec::new(), BTreeMap::new());
        Self { live: "crates-io", planned, others, published, sizes, token: TokenKind::User }
    }

    fn problems(&self) -> Vec<Problem> {
        let live = Registry {
            name: self.live.parse().unwrap(),
            index: format!("sparse+https://{}.example/index/", self.live),
        };
        let members: Vec<Package> = self.planned.iter().chain(&self.others).cloned().collect();
        check(&PreflightInput {
            live: &live,
            root: Utf8Path::new("/w"),
            planned: &self.planned.iter().collect::<Vec<_>>(),
            members: &members,
            sizes: &self.sizes,
            published: &self.published,
            token: self.token,
        })
    }

    /// Asserts that the texts of the problems, each after its level, begin with these.
    #[track_caller]
    fn expect(&self, texts: &[&str]) {
        let found: Vec<String> = self.problems().iter().map(|one| format!("{:?} {one}", one.level)).collect();
        let fits = found.len() == texts.len() && found.iter().zip(texts).all(|(found, text)| found.starts_with(text));
        assert!(fits, "{found:#?}");
    }
}

/// Each rule of crates-io for metadata accepts its limit and rejects what exceeds it. All violations are found at once.
#[test]
fn metadata_is_checked_by_the_rules_of_crates_io() {
    let (long, long_key) = ("x".repeat(1000), "k".repeat(20));
    let fine = json!({
        "description": long, "license": "MIT/Apache-2.0 OR (GPL-3.0+ WITH x AND LicenseRef-y)",
        "keywords": [long_key, "c++", "1-_"], "categories": ["a", "a-1::b", "c", "d", "e"],
        "homepage": "https://x.example", "repository": "http://x.example",
    });
    let mut setup = Setup::of(vec![package("a", fine)]);
    setup.sizes.insert("a".to_owned(), 10 << 20);
    setup.expect(&[]);
    let bad = json!({
        "description": format!("{long}x"), "license": "apache 2.0",
        "keywords": [format!("{long_key}k"), "", "-a", "á", "a b", "c"],
        "categories": ["A", "b::", "c", "d", "e", "f"], "homepage": "www.x.example",
        "dependencies": [{ "name": "any", "source": "registry+https://github.com/rust-lang/crates.io-index", "req": "*",
            "kind": null, "optional": false, "uses_default_features": true, "features": [], "target": "cfg(unix)",
            "rename": "one", "registry": null, "path": null }],
    });
    setup = Setup::of(vec![package("-a", bad.clone()), package("b", json!({ "description": "", "license": null }))]);
    setup.sizes.insert("-a".to_owned(), (10 << 20) + 1);
    setup.expect(&[
        "Error -a: the description has 1001 bytes, more than 1000 (package.description in -a/Cargo.toml); shorten it",
        "Error -a: the license \"apache 2.0\" is not an SPDX expression (package.license ",
        "Error -a: there are 6 keywords, more than 5 (package.keywords in -a/Cargo.toml); remove some",
        "Error -a: the keyword \"kkkkkkkkkkkkkkkkkkkkk\" is invalid",
        "Error -a: the keyword \"\"",
        "Error -a: the keyword \"-a\"",
        "Error -a: the keyword \"á\"",
        "Error -a: the keyword \"a b\"",
        "Error -a: crates-io does not accept this name (package.name ",
        "Error -a: there are 6 categories, more than 5",
        "Error -a: the category \"A\" is invalid",
        "Error -a: the category \"b::\" is invalid",
        "Error -a: \"www.x.example\" is not an address on the web (package.homepage ",
        "Error -a: the dependency any permits every version (target.'cfg(unix)'.dependencies.one ",
        "Warning -a: the packed crate has 10485761 bytes, more than 10 MiB (package.exclude in -a/Cargo.toml); exclude \
         files, unless",
        "Error b: there is no description (package.description in b/Cargo.toml); add ",
        "Error b: there is no license (package.license in b/Cargo.toml); add ",
    ]);
    // The limit of a new crate cannot have been raised.
    setup = Setup::of(vec![package("a", json!({ "license": "", "license_file": "L" }))]);
    setup.sizes.insert("a".to_owned(), (10 << 20) + 1);
    setup.published.clear();
    setup.published.extend([published("a", &[])]);
    setup.expect(&["Error a: the packed crate has 10485761 bytes"]);
    // Another registry may have other rules.
    setup = Setup { live: "live", ..Setup::of(vec![package("-a", bad)]) };
    assert!(setup.problems().iter().all(|problem| problem.level == Level::Warning));
    assert_eq!(setup.problems().len(), 8, "{:#?}", setup.problems());
}

/// The form of a license expression is checked, not its identifiers.
#[test]
fn license_expressions_have_operators_between_identifiers() {
    let accepted = ["MIT", "MIT OR X", "MIT/X", "(MIT)", "MIT AND (X OR Y)", "A WITH B", "GPL-2.0+"];
    let rejected = ["MIT X", "MIT OR", "OR MIT", "(MIT", "MIT)", "()", "MIT, X", "MIT or X", "A OR (B", " "];
    for (expressions, problems) in [(&accepted[..], 0), (&rejected[..], 1)] {
        for expression in expressions {
            let setup = Setup::of(vec![package("a", json!({ "license": expression }))]);
            assert_eq!(setup.problems().len(), problems, "{expression}");
        }
    }
}

/// A token of trusted publishing creates no crate. Crates that exist need nothing.
#[test]
fn new_crates_need_a_token_of_a_user() {
    let mut setup =
        Setup::of(vec![package("a", json!({ "categories": ["no-such-category"] })), package("b", json!({}))]);
    setup.published.extend([published("a", &[])]);
    let categories = "Warning a: crates-io refuses unknown categories, which this check cannot find: \
        [\"no-such-category\"] (package.categories in a/Cargo.toml); compare ";
    setup.expect(&[categories]);
    setup.token = TokenKind::of(Some("cio_tp_0123"));
    let new = "a: crates-io does not have this crate, and a token of trusted publishing (`cio_tp_…`) cannot create it \
        (package.name in a/Cargo.toml); publish the first version with a user's token";
    setup.expect(&[&format!("Error {new}"), categories]);
    setup.token = TokenKind::of(None);
    setup.expect(&[&format!("Warning {new}"), categories]);
    setup.live = "live";
    setup.expect(&[]);
    assert_eq!(TokenKind::of(Some("cio0123")), TokenKind::User);
}

/// A version with the same content is skipped, and another one cannot be published. A name has one spelling.
#[test]
fn published_names_and_versions_are_compared() {
    let setup = |found: (String, PublishedCrate)| {
        let mut setup = Setup { live: "live", ..Setup::of(vec![package("a-b", json!({}))]) };
        setup.published.extend([found]);
        setup
    };
    let (name, same) = published("a-b", &["0.1.0!", "0.2.0+build"]);
    assert!(same.shows("0.2.0") && !same.shows("0.1.0") && !same.shows("0.3.0"));
    setup((name.clone(), same.clone())).expect(&[]);
    setup((name.clone(), PublishedCrate { has_other_content: true, ..same.clone() })).expect(&[
        "Error a-b: the registry live has 0.2.0+build with another content (package.version in a-b/Cargo.toml); bump ",
    ]);
    setup(published("a-b", &["0.2.0!"])).expect(&["Error a-b: 0.2.0 was yanked from the registry live"]);
    setup((name, PublishedCrate { name: Some("a_b".to_owned()), ..same }))
        .expect(&["Error a-b: the registry live has this crate as a_b (package.name in a-b/Cargo.toml); name it a_b"]);
    assert_eq!(other_spellings("a-b_c"), ["a_b_c", "a-b-c"]);
    assert_eq!(other_spellings("a-b"), ["a_b"]);
    assert!(other_spellings("ab").is_empty());
}

/// In a cycle, a dev-dependency with a version needs a published one. Without it, cargo removes the dev-dependency.
#[test]
fn late_dev_dependency_needs_a_published_version() {
    let cycle = |requirement: &str| {
        let plan =
            vec![depends("core-a", "facade", Some("dev"), requirement), depends("facade", "core-a", None, "^0.2")];
        Setup::of(plan)
    };
    cycle("*").expect(&[]);
    cycle("^0.1.0").expect(&[]);
    let edge = "core-a: the dev-dependency facade is published after this package, in a cycle, and ";
    let place = "(dev-dependencies.facade in core-a/Cargo.toml); declare it there with `path` only: ";
    let mut setup = cycle("^0.2.0");
    setup.expect(&[&format!("Error {edge}the registry crates-io has no version ^0.2.0 {place}")]);
    setup.published.extend([published("facade", &["0.2.0!"])]);
    setup.expect(&[&format!("Error {edge}"), "Error facade: 0.2.0 was yanked"]);
    setup.published.clear();
    setup.expect(&[&format!("Warning {edge}it is not known if the registry crates-io has a version ^0.2.0 {place}")]);
    // For another live registry, the registry that they name is the problem.
    setup.live = "live";
    setup.expect(&[
        "Error core-a: the dependency facade is one of crates-io",
        "Error facade: the dependency core-a is one of crates-io",
    ]);
    Setup::of(vec![depends("a", "a", Some("dev"), "^0.2")]).expect(&[
        "Error a: the dev-dependency a is the package itself, and the registry crates-io has no version ^0.2",
    ]);
    // A dev-dependency that is published before is available.
    Setup::of(vec![package("a", json!({})), depends("b", "a", Some("dev"), "^0.2")]).expect(&[]);
}

/// A dependency outside the plan must be on the live registry already.
#[test]
fn dependency_outside_the_plan_needs_a_published_version() {
    let plan = || {
        vec![
            depends("a", "helper", None, "^0.2"),
            depends("b", "helper", Some("build"), "^0.2"),
            depends("c", "helper", Some("dev"), "^0.2"),
            depends("d", "helper", Some("dev"), "*"),
        ]
    };
    let mut setup = Setup::of(plan());
    assert_eq!(
        names_to_look_up(&setup.planned.iter().collect::<Vec<_>>()),
        BTreeSet::from(["a", "b", "c", "d", "helper"])
    );
    setup.others = vec![package("helper", json!({ "publish": [] }))];
    setup.published.extend([published("helper", &["0.1.0"])]);
    let text = |package: &str, table: &str, or: &str| {
        format!(
            "Error {package}: the dependency helper may not be published, by its `publish`, and the registry crates-io \
             has no version ^0.2 ({table}.helper in {package}/Cargo.toml); permit crates-io in `publish` of helper, or {or}"
        )
    };
    let path_only = "declare it there with `path` only, without a version";
    setup.expect(&[
        &text("a", "dependencies", "remove the dependency"),
        &text("b", "build-dependencies", "remove the dependency"),
        &text("c", "dev-dependencies", path_only),
    ]);
    setup.others = vec![package("helper", json!({}))];
    let left_out = "is left out of the release, and the registry crates-io has no version ^0.2";
    assert!(setup.problems()[0].to_string().contains(left_out), "{:#?}", setup.problems());
    setup.others.clear();
    assert!(setup.problems()[0].message.contains("is not a member of the workspace"), "{:#?}", setup.problems());
    setup.published.extend([published("helper", &["0.2.7"])]);
    setup.expect(&[]);
    setup.published.clear();
    assert!(setup.problems().iter().all(|problem| problem.level == Level::Warning));
}

/// Settings of a package become arguments of cargo. Unknown or invalid ones are errors, all at once.
#[test]
fn package_options_are_read_strictly() {
    let with =
        |settings: Value| package("a", json!({ "metadata": { "shipper": settings }, "features": { "arch": [] } }));
    let options = |settings| PackageOptions::of(&with(settings)).cargo_args();
    assert!(PackageOptions::of(&package("a", json!({ "metadata": null }))).cargo_args().is_empty());
    let all = json!({ "features": ["arch", "b/x"], "no-default-features": true, "no-verify": true });
    assert_eq!(options(all.clone()), ["--features", "arch,b/x", "--no-default-features", "--no-verify"]);
    let no_verify = "Warning a: the package is not built before it is published (package.metadata.shipper.no-verify ";
    Setup::of(vec![with(all)]).expect(&[no_verify]);
    assert!(options(json!({ "features": [], "no-verify": false })).is_empty());
    let wrong = json!({ "feature": ["arch"], "features": ["arc"], "no-default-features": 1, "no_verify": true });
    Setup::of(vec![with(wrong)]).expect(&[
        "Error a: unknown key (package.metadata.shipper.feature in a/Cargo.toml); use `features`, ",
        "Error a: the value is not a boolean (package.metadata.shipper.no-default-features in a/Cargo.toml); write ",
        "Error a: unknown key (package.metadata.shipper.no_verify in a/Cargo.toml); use `features`, ",
        "Error a: the package has no feature \"arc\" (package.metadata.shipper.features in a/Cargo.toml); correct ",
    ]);
    Setup::of(vec![with(json!({ "features": "arch" }))]).expect(&["Error a: the value is not an array of strings "]);
    Setup::of(vec![with(json!(true))]).expect(&["Error a: the value is not a table (package.metadata.shipper in "]);
}

/// The summary has every error that fits, the number of the others, and no warning.
#[test]
fn summary_is_bounded() {
    let plan = |count: u32| {
        let bad = |index| package(&format!("p{index}"), json!({ "description": null }));
        Setup::of((0..count).map(bad).collect())
    };
    assert_eq!(error_summary(&Setup { live: "live", ..plan(1) }.problems()), None);
    let text = |index| {
        format!("p{index}: there is no description (package.description in p{index}/Cargo.toml); add one of a sentence")
    };
    let two = format!("2 problems in the manifests: {}; and {}", text(0), text(1));
    assert_eq!(error_summary(&plan(2).problems()), Some(two));
    let summary = error_summary(&plan(100).problems()).unwrap();
    let shown = summary.matches("there is no description").count();
    assert!(
        summary.len() < 2_000 && shown > 15 && summary.ends_with(&format!("; and {} more", 100 - shown)),
        "{summary}"
    );
}

/// A dependency between packages of the plan names the registry that gets them: a registry refuses the dependent, or cannot
/// find what it needs, after the first upload.
#[test]
fn dependencies_name_the_registry_of_the_release() {
    let on = |registry: Value, kind: Option<&str>, requirement: &str| {
        let mut dependency = dependency("a", kind, requirement);
        dependency["registry"] = registry;
        vec![package("a", json!({})), package("b", json!({ "dependencies": [dependency] }))]
    };
    let live = json!("sparse+https://live.example/index/");
    let refused = |registry: &Value, live: &'static str, kind, requirement| {
        let setup = Setup { live, ..Setup::of(on(registry.clone(), kind, requirement)) };
        let problems = setup.problems().into_iter().filter(|one| one.level == Level::Error);
        problems.map(|one| one.to_string()).collect::<Vec<_>>()
    };
    let missing = refused(&Value::Null, "live", None, "^0.2");
    assert_eq!(
        missing,
        ["b: the dependency a is one of crates-io, but this release publishes it to live (dependencies.a in \
          /w/b/Cargo.toml); add `registry = \"live\"` to it"
            .replace("/w/", "")]
    );
    let foreign = refused(&live, "crates-io", None, "^0.2");
    assert!(foreign[0].contains("crates-io takes no dependencies of other registries"), "{foreign:?}");
    let other = json!("sparse+https://group.example/index/");
    for (registry, to) in [(&live, "live"), (&other, "live"), (&Value::Null, "crates-io")] {
        assert_eq!(refused(registry, to, None, "^0.2"), [""; 0], "{registry} {to}");
    }
    // Cargo leaves it out of the published manifest.
    assert_eq!(refused(&Value::Null, "live", Some("dev"), "*"), [""; 0]);
}
