//! A rehearsal builds with every setting of registries and with no other one of the workspace, and no token gets into a
//! file.

use std::collections::BTreeSet;

use super::*;

fn parse(text: &str) -> Value {
    toml_edit::de::from_str(text).expect("TOML")
}

/// Merges two files, the nearer first, while these variables are set.
fn merged(near: &str, far: &str, set: &[&str]) -> (Value, Vec<(String, String)>) {
    let (near, far) = (parse(near), parse(far));
    let set: BTreeSet<&str> = set.iter().copied().collect();
    let files = [(Utf8Path::new("/far/near/.cargo/config.toml"), &near), (Utf8Path::new("/far/.cargo/config"), &far)];
    registry_settings(&files, |variable| set.contains(variable))
}

/// Settings of registries are merged as cargo does, with absolute paths, and other settings are left out.
#[test]
fn settings_of_registries_are_kept() {
    let near = r#"
        paths = ["x"]
        [env]
        A = "1"
        [build]
        rustflags = ["--cfg", "x"]
        [registry]
        global-credential-providers = ["cargo:token", "bin/near --flag a/b"]
        [registries.x]
        index = "sparse+https://x.example/"
        credential-provider = ["bin/x", "a/b"]
        [http]
        cainfo = "ca.pem"
        timeout = 5
        [source.vendored]
        directory = "vendor"
    "#;
    let far = r#"
        [registry]
        default = "x"
        global-credential-providers = ["far"]
        [registries.x]
        index = "sparse+https://old.example/"
        credential-provider = ["cargo:token"]
        [http]
        timeout = 6
        multiplexing = false
        [net]
        offline = true
    "#;
    let (settings, secrets) = merged(near, far, &["CARGO_HTTP_TIMEOUT"]);
    let expected = r#"
        [registry]
        default = "x"
        global-credential-providers = ["far", "cargo:token", "/far/near/bin/near --flag a/b"]
        [registries.x]
        index = "sparse+https://x.example/"
        credential-provider = ["/far/near/bin/x", "a/b"]
        [http]
        cainfo = "/far/near/ca.pem"
        multiplexing = false
        [net]
        offline = true
        [source.vendored]
        directory = "/far/near/vendor"
    "#;
    assert_eq!((&settings, secrets), (&parse(expected), Vec::new()));
    assert_eq!(parse(&toml_edit::ser::to_string(&settings).expect("TOML")), settings);
}

/// Secrets become variables, the nearest one first, and a variable that is set stays.
#[test]
fn secrets_become_variables() {
    let near = "[registries.my-own]\ntoken = \"near\"\n[registry]\ntoken = \"main\"\n";
    let far = "[registries.my-own]\ntoken = \"far\"\nsecret-key = \"k\"\n[http]\nproxy = \"http://me:pw@p\"\n";
    let (settings, mut secrets) = merged(near, far, &["CARGO_REGISTRY_TOKEN"]);
    secrets.sort();
    let expected = [
        ("CARGO_HTTP_PROXY", "http://me:pw@p"),
        ("CARGO_REGISTRIES_MY_OWN_SECRET_KEY", "k"),
        ("CARGO_REGISTRIES_MY_OWN_TOKEN", "near"),
    ];
    assert_eq!(secrets, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let text = settings.to_string();
    assert!(["near", "far", "main", "pw"].iter().all(|secret| !text.contains(secret)), "{text}");
}

/// Settings that users do not have are named, and variables with flags are left out.
#[test]
fn settings_that_users_do_not_have_are_named() {
    let file = parse(
        "[env]\nA = \"1\"\nB = { value = \"2\", force = true }\n[target.x]\nlinker = \"l\"\n[build]\nrustflags = []\njobs = 1\n\
         [registries.x]\nindex = \"y\"\n[profile]\n",
    );
    let files = [(Utf8Path::new("config.toml"), &file)];
    assert_eq!(build_settings(&files), ["env", "target", "build.rustflags"]);
    assert!(is_set_by_workspace(&files, "A", "1") && is_set_by_workspace(&files, "B", "2"));
    assert!(!is_set_by_workspace(&files, "A", "2") && !is_set_by_workspace(&files, "C", "1"));
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_X_RUSTFLAGS", "RUSTC_BOOTSTRAP"] {
        assert!(is_build_variable(name), "{name}");
    }
    for name in ["RUSTC_WRAPPER", "CARGO_HTTP_TIMEOUT", "CARGO_REGISTRY_TOKEN", "PATH"] {
        assert!(!is_build_variable(name), "{name}");
    }
}
