//! A package that an older version of cargo published is recognized, and one with another meaning is not.

use super::*;
use crate::release::cargo::crate_file::CrateFile;

const ORIGINAL: &str = "[package]\nname = \"a\"\nversion = \"0.1.0\"\ndescription.workspace = true\n[[bench]]\nname = \"b\"\n\
     harness = false\n";
const OURS: &str = "[package]\nname = \"a\"\nversion = \"0.1.0\"\ndescription = \"d\"\nbuild = false\nautobins = false\n\
     [lib]\nname = \"a\"\npath = \"src/lib.rs\"\n[[bench]]\nname = \"b\"\npath = \"benches/b.rs\"\nharness = false\n\
     [[bench]]\nname = \"c\"\npath = \"benches/c.rs\"\n[dependencies]\nused = \"1\"\n";
const OLDER: &str = "[package]\nname = \"a\"\nversion = \"0.1.0\"\ndescription = \"d\"\n[[bench]]\nname = \"b\"\n\
     harness = false\n[dependencies.used]\nversion = \"1\"\n";

fn package(manifest: &str, original: Option<&str>) -> CrateFiles {
    let file = |text: &str| CrateFile { bytes: text.as_bytes().to_vec(), executable: false };
    let original = original.map(|original| (ORIGINAL_MANIFEST.to_owned(), file(original)));
    [(MANIFEST.to_owned(), file(manifest))].into_iter().chain(original).collect()
}

fn is_same(published: &str, original: Option<&str>, ours: &str) -> bool {
    have_same_manifest(&package(published, original), &package(ours, Some(ORIGINAL)))
}

/// The published manifest may lack the targets and settings that cargo finds, if the original manifests are equal.
#[test]
fn older_manifest_is_the_same() {
    let older = OLDER.replace("[dependencies.used]\nversion = \"1\"", "[dependencies]\nused = \"1\"");
    assert!(is_same(&older, Some(ORIGINAL), OURS));
    let resolver = older.replace("description", "resolver = \"2\"\ndescription");
    assert!(is_same(&resolver, Some(ORIGINAL), OURS), "the workspace had one");
    assert!(is_same(&format!("# A comment\n{OURS}"), None, OURS), "the values are the same");
    assert!(!is_same(&older, None, OURS) && !is_same(&older, Some(&format!("{ORIGINAL}\n")), OURS));
    assert!(!is_same(OURS, Some(ORIGINAL), &older), "ours is older");
}

/// Everything else in the published manifest must be ours, although the original manifests are equal: values come from
/// the workspace, and the publisher may have changed the manifest alone.
#[test]
fn other_values_are_not_the_same() {
    let older = OLDER.replace("[dependencies.used]\nversion = \"1\"", "[dependencies]\nused = \"1\"");
    for (from, to) in [
        ("used = \"1\"", "used = \"2\""),
        ("used = \"1\"", "used = \"1\"\nmore = \"1\""),
        ("used = \"1\"", ""),
        ("description = \"d\"\n", ""),
        ("description = \"d\"", "description = \"d\"\nbuild = \"benches/b.rs\""),
        ("harness = false", ""),
        ("name = \"b\"", "name = \"b\"\npath = \"src/lib.rs\""),
        ("name = \"b\"", "name = \"x\""),
        ("[dependencies]", "[lib]\npath = \"src/other.rs\"\n[dependencies]"),
        ("[dependencies]", "[[bin]]\nname = \"x\"\npath = \"src/x.rs\"\n[dependencies]"),
        ("[dependencies]", "[features]\nx = []\n[dependencies]"),
        ("[package]", "["),
    ] {
        let changed = older.replacen(from, to, 1);
        assert_ne!(changed, older);
        assert!(!is_same(&changed, Some(ORIGINAL), OURS), "{changed}");
    }
}
