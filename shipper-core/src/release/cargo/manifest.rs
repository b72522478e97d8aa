//! Comparison of the manifests of two packages with the same other files. Versions of cargo normalize them differently.

use serde_json::{Map, Value};

use super::crate_file::{CrateFiles, MANIFEST, ORIGINAL_MANIFEST, bytes};

/// The tables of targets. Newer versions of cargo write every target that cargo finds by the names of the files.
const TARGETS: [&str; 5] = ["lib", "bin", "example", "test", "bench"];

/// The keys of `package` that newer versions of cargo write with the value that cargo finds by itself.
const FOUND_KEYS: [&str; 7] = ["build", "readme", "autolib", "autobins", "autoexamples", "autotests", "autobenches"];

/// Returns `true` if the manifest of a published package has the same meaning as ours: its values are the same, or an older
/// version of cargo wrote it.
///
/// In the second case, the original manifests are equal byte for byte, and the published one lacks nothing but targets and
/// settings of targets which the original does not contain. Cargo then finds these by the names of the files, and the
/// packages have the same files. Everything that the published manifest has, except for the `resolver`, must be equal to
/// ours: its original manifest alone proves nothing, because cargo does not read it, and values may come from the
/// workspace.
pub(super) fn have_same_manifest(published: &CrateFiles, ours: &CrateFiles) -> bool {
    if bytes(published, MANIFEST) == bytes(ours, MANIFEST) {
        return true;
    }
    let values = |files, path| toml_edit::de::from_slice::<Value>(bytes(files, path)?).ok();
    let (Some(theirs), Some(own)) = (values(published, MANIFEST), values(ours, MANIFEST)) else {
        return false;
    };
    if theirs == own {
        return true;
    }
    let original = bytes(ours, ORIGINAL_MANIFEST);
    let is_original = original.is_some() && original == bytes(published, ORIGINAL_MANIFEST);
    let original = values(ours, ORIGINAL_MANIFEST).filter(|_| is_original);
    let tables = (theirs.as_object(), own.as_object(), original.as_ref().and_then(Value::as_object));
    let (Some(theirs), Some(own), Some(original)) = tables else {
        return false;
    };
    is_older(theirs, own, |key, theirs, own| {
        let written = original.get(key);
        match (key, theirs, own, written) {
            (_, theirs, own, _) if theirs == own => true,
            ("package", Some(Value::Object(theirs)), Some(Value::Object(own)), Some(Value::Object(written))) => {
                is_older(theirs, own, |key, theirs, own| {
                    let is_found = theirs.is_none() && FOUND_KEYS.contains(&key);
                    // Older versions of cargo wrote that of the workspace. Dependents do not read it.
                    let is_inherited = own.is_none() && key == "resolver";
                    theirs == own || ((is_found || is_inherited) && !written.contains_key(key))
                })
            }
            _ => TARGETS.contains(&key) && is_older_target(theirs, own, written),
        }
    })
}

/// Returns `true` if each key of two tables fulfils the condition, which gets the values.
fn is_older(
    theirs: &Map<String, Value>,
    own: &Map<String, Value>,
    is_same: impl Fn(&str, Option<&Value>, Option<&Value>) -> bool,
) -> bool {
    let keys = theirs.keys().chain(own.keys().filter(|key| !theirs.contains_key(*key)));
    keys.into_iter().all(|key| is_same(key, theirs.get(key), own.get(key)))
}

/// Returns `true` if the tables of targets are the same, or if only ours has targets, or names and paths of targets, that
/// the original manifest does not contain.
fn is_older_target(theirs: Option<&Value>, own: Option<&Value>, written: Option<&Value>) -> bool {
    match (theirs, own, written) {
        (theirs, own, _) if theirs == own => true,
        (None, Some(_), None) => true,
        // The library: one table.
        (Some(Value::Object(theirs)), Some(Value::Object(own)), Some(Value::Object(written))) => {
            lacks_found_keys(theirs, own, written)
        }
        (Some(Value::Array(theirs)), Some(Value::Array(own)), Some(Value::Array(written))) => {
            theirs.iter().all(|target| find_target(own, target).is_some())
                && own.iter().all(|target| {
                    match (find_target(theirs, target), target.as_object(), find_target(written, target)) {
                        (None, _, None) => true,
                        (Some(theirs), Some(own), Some(written)) => lacks_found_keys(theirs, own, written),
                        _ => false,
                    }
                })
        }
        _ => false,
    }
}

/// Returns the target that has the name of another one.
fn find_target<'t>(targets: &'t [Value], like: &Value) -> Option<&'t Map<String, Value>> {
    let name = like.get("name")?;
    targets.iter().find(|target| target.get("name") == Some(name))?.as_object()
}

/// Returns `true` if their target is ours, but may lack the name and the path unless the original manifest contains them.
fn lacks_found_keys(theirs: &Map<String, Value>, own: &Map<String, Value>, written: &Map<String, Value>) -> bool {
    is_older(theirs, own, |key, theirs, own| {
        theirs == own || (theirs.is_none() && matches!(key, "name" | "path") && !written.contains_key(key))
    })
}

#[cfg(test)]
#[path = "../../../tests/unit/manifest.rs"]
mod tests;
