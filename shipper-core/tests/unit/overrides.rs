//! A release must begin only if cargo reads the registries themselves: a replacement that users do not have is found in
//! every form, and other sources are accepted.

use super::*;

const LIVE: &str = "sparse+http://127.0.0.1:8000/index/";

/// Finds an override for a registry. The files are `0`, `1` and so on, the nearest first.
fn find(registry: (&str, &str), files: &[&str], variables: &[(&str, &str)]) -> Option<String> {
    let files: Vec<(Utf8PathBuf, Value)> = files
        .iter()
        .enumerate()
        .map(|(number, text)| (number.to_string().into(), toml_edit::de::from_str(text).expect("TOML")))
        .collect();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let registry = Registry { name: registry.0.parse().expect("a name"), index: registry.1.to_owned() };
    find_override(&files, &variables, &registry).map(|found| format!("{} {}", found.place, found.key))
}

/// Every replacement of the registry is found, with its file and key.
#[test]
fn replacement_of_the_registry_is_found() {
    let (live, crates_io) = (("live", LIVE), (CRATES_IO, CRATES_IO_INDEX));
    let by_index = "[source.\"sparse+http://localhost:8000/index\"]\n\
         registry = \"sparse+http://localhost:8000/index\"\nreplace-with = \"x\"\n[source.x]\ndirectory = \"vendor\"\n";
    let chain = "[source.crates-io]\nreplace-with = \"one\"\n[source.one]\nreplace-with = \"two\"\n\
         registry = \"https://mirror.example\"\n[source.two]\nlocal-registry = \"two\"\n";
    let mirror = "[source.crates-io]\nreplace-with = \"m\"\n[registries.m]\nindex = \"sparse+https://m.example/\"\n";
    for (registry, files, expected) in [
        (live, &[by_index][..], "0 source.\"sparse+http://localhost:8000/index\".replace-with"),
        (live, &["", "[source.live]\nreplace-with = \"live\"\n"], "1 source.live.replace-with"),
        (live, &["", "paths = [\"../a\"]\n"], "1 paths"),
        (crates_io, &[chain], "0 source.crates-io.replace-with"),
        (crates_io, &[mirror], "0 source.crates-io.replace-with"),
        (crates_io, &["", "[source.crates-io]\ndirectory = \"vendor\"\n"], "1 source.crates-io.directory"),
        (crates_io, &["[source.crates-io]\nregistry = \"https://m.example\"\n"], "0 source.crates-io.registry"),
        // The registry of another name with the address of crates-io.
        (("other", CRATES_IO_INDEX), &[chain], "0 source.crates-io.replace-with"),
    ] {
        assert_eq!(find(registry, files, &[]).as_deref(), Some(expected), "{files:?}");
    }
}

/// Sources of other registries, and replacements that lead back to the registry, are accepted.
#[test]
fn other_sources_are_accepted() {
    let (live, crates_io) = (("live", LIVE), (CRATES_IO, CRATES_IO_INDEX));
    let back = "[source.crates-io]\nreplace-with = \"again\"\n[source.again]\nregistry = ";
    for (registry, file) in [
        (live, "[source.crates-io]\nreplace-with = \"x\"\n[source.x]\ndirectory = \"vendor\"\n".to_owned()),
        (live, format!("paths = []\n[source.mine]\nregistry = {LIVE:?}\n")),
        (crates_io, format!("{back}{CRATES_IO_INDEX:?}\n")),
        (crates_io, format!("{back}{CRATES_IO_GIT_INDEX:?}\n")),
        (crates_io, format!("[source.x]\nregistry = {LIVE:?}\nreplace-with = \"y\"\n[source.y]\ndirectory = \"y\"\n")),
    ] {
        assert_eq!(find(registry, &[&file], &[]), None, "{file}");
    }
}

/// A variable is found, and takes precedence over the files.
#[test]
fn variables_take_precedence() {
    let crates_io = (CRATES_IO, CRATES_IO_INDEX);
    let replaced = [("CARGO_SOURCE_CRATES_IO_REPLACE_WITH", "x")];
    assert_eq!(find(crates_io, &[], &replaced).as_deref(), Some("the environment CARGO_SOURCE_CRATES_IO_REPLACE_WITH"));
    let file = "[source.crates-io]\nreplace-with = \"x\"\n[source.x]\nregistry = \"https://m.example\"\n";
    assert!(find(crates_io, &[file], &[]).is_some());
    assert_eq!(find(crates_io, &[file], &[("CARGO_SOURCE_X_REGISTRY", CRATES_IO_INDEX)]), None);
}
