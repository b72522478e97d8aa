//! A rehearsal and a run record the commit that cargo packed, and only if all packages are of one commit.

use super::*;

const FIRST: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

fn file(commit: &str, more: &str) -> Option<Vec<u8>> {
    Some(format!(r#"{{"git":{{"sha1":"{commit}"{more}}},"path_in_vcs":"a"}}"#).into_bytes())
}

/// Returns the commit and its mark for uncommitted changes.
fn commit(files: &[Option<Vec<u8>>]) -> Option<(String, bool)> {
    let commit = commit_of(files.iter().map(Option::as_deref));
    commit.map(|commit| (commit.commit.to_string(), commit.dirty))
}

/// The packages agree, or there is no commit. One dirty package, or one without a commit, makes the workspace dirty.
#[test]
fn packages_agree_on_the_commit() {
    let dirty = || file(FIRST, r#","dirty":true"#);
    let found = |dirty| Some((FIRST.to_owned(), dirty));
    assert_eq!(commit(&[file(FIRST, ""), file(FIRST, r#","dirty":false"#)]), found(false));
    assert_eq!(commit(&[file(FIRST, ""), dirty()]), found(true));
    assert_eq!(commit(&[None, file(FIRST, "")]), found(true));
    assert_eq!(commit(&[file(FIRST, ""), file(OTHER, "")]), None);
    assert_eq!(commit(&[None, None]), None);
    assert_eq!(commit(&[]), None);
}

/// A file that cargo does not write gives no commit.
#[test]
fn invalid_files_give_no_commit() {
    for text in ["", "{}", "[]", r#"{"git":{}}"#, r#"{"git":{"sha1":7}}"#, r#"{"git":{"sha1":"1","dirty":1}}"#] {
        assert_eq!(commit(&[Some(text.into())]), None, "{text}");
    }
    for hostile in ["", "ABC", "../x", &"1".repeat(65)] {
        assert_eq!(commit(&[file(hostile, "")]), None, "{hostile}");
    }
}
