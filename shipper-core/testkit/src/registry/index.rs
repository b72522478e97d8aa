//! The index: the paths of its files, and its line for an upload.

use serde_json::{Map, Value, json};

/// Returns the path of a crate's file, which depends on the length and the first letters of its name, in lower case.
pub(super) fn place(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        0..=2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// Returns the index's line for an upload.
///
/// The `registry` of a dependency is copied: null means "this registry" both in an upload and in the index, and a
/// dependency on crates-io has the address of that index.
pub(super) fn entry(metadata: &Value, checksum: &str) -> Value {
    let dependencies: Vec<Value> = list(metadata, "deps").map(dependency).collect();
    let (mut plain, mut newer) = (Map::new(), Map::new());
    for (feature, enables) in metadata["features"].as_object().into_iter().flatten() {
        let speaks_newer = |one: &Value| one.as_str().is_some_and(|one| one.starts_with("dep:") || one.contains("?/"));
        let place =
            if enables.as_array().is_some_and(|all| all.iter().any(speaks_newer)) { &mut newer } else { &mut plain };
        place.insert(feature.clone(), enables.clone());
    }
    let mut entry = json!({
        "name": metadata["name"],
        "vers": metadata["vers"],
        "deps": dependencies,
        "cksum": checksum,
        "features": plain,
        "yanked": false,
        "links": metadata["links"],
        "rust_version": metadata["rust_version"],
    });
    if !newer.is_empty() {
        // The version of the format hides entries that an old cargo would misread.
        entry["features2"] = newer.into();
        entry["v"] = 2.into();
    }
    entry
}

/// Converts a dependency. An upload has the crate's name in `name` and the new name in another member. In the index, it
/// is the reverse.
fn dependency(uploaded: &Value) -> Value {
    let renamed = &uploaded["explicit_name_in_toml"];
    let (name, package) =
        if renamed.is_string() { (renamed, &uploaded["name"]) } else { (&uploaded["name"], &Value::Null) };
    json!({
        "name": name,
        "req": uploaded["version_req"],
        "features": uploaded["features"],
        "optional": uploaded["optional"],
        "default_features": uploaded["default_features"],
        "target": uploaded["target"],
        "kind": uploaded["kind"],
        "registry": uploaded["registry"],
        "package": package,
    })
}

fn list<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value[member].as_array().into_iter().flatten()
}
