//! The index of a private registry is read with the token that cargo would use, from the same provider.

use std::time::Instant;

use super::*;
use crate::release::publisher::CancelToken;

/// A provider's answer is a token, or that it has none, or an error without the answer.
#[test]
fn answers_of_a_provider_are_parsed() {
    let token = |line: &str| parse_response(line).map(|found| found.map(|found| (found.token, found.valid_until)));
    let (never, later) = (Some(SystemTime::UNIX_EPOCH), SystemTime::UNIX_EPOCH + Duration::from_secs(1_693_942_857));
    for (line, expected) in [
        (r#"{"Ok":{"kind":"get","token":"x","cache":"session","operation_independent":true}}"#, Some(None)),
        (r#"{"Ok":{"kind":"get","token":"x","cache":"expires","expiration":1693942857}}"#, Some(Some(later))),
        (r#"{"Ok":{"kind":"get","token":"x","cache":"never","operation_independent":false}}"#, Some(never)),
        (r#"{"Err":{"kind":"not-found"}}"#, None),
        (r#"{"Err":{"kind":"url-not-supported"}}"#, None),
    ] {
        assert_eq!(token(line), Ok(expected.map(|until| ("x".to_owned(), until))), "{line}");
    }
    for (line, expected) in [
        (r#"{"Err":{"kind":"other","message":"it is locked","caused-by":[]}}"#, "it is locked"),
        (r#"{"Err":{"kind":"operation-not-supported"}}"#, "it does not support reading"),
        (r#"{"Ok":{"kind":"login"}}"#, "it answered without a token"),
        (r#"{"token":"secret"}"#, "its answer is not of cargo's protocol"),
        ("", "its answer is not of cargo's protocol"),
    ] {
        assert_eq!(token(line), Err(expected.to_owned()), "{line}");
    }
}

/// The provider of the registry, an alias, or the global ones are asked, as by cargo. One that hangs is killed at the
/// deadline.
#[cfg(unix)]
#[test]
fn providers_are_asked_as_by_cargo() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
    let script = |name: &str, lines: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = root.join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("written");
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    };
    let ok = r#"{"Ok":{"kind":"get","token":"from-program","cache":"session","operation_independent":true}}"#;
    // The program answers only the request of cargo's protocol, and counts its calls.
    script(
        "provider",
        &format!(
            "echo call >> {root}/calls\necho '{{\"v\":[1]}}'\nread request\ncase \"$1 $request\" in\n  \
             *--cargo-plugin*'\"args\":[\"deep\"]'*'\"operation\":\"read\"'*'\"index-url\":\"sparse+https://p.example/\"'*) \
             echo '{ok}' ;;\n  *) echo '{{\"Err\":{{\"kind\":\"not-found\"}}}}' ;;\nesac"
        ),
    );
    script("hangs", "exec sleep 600");
    script("fails", "exit 3");
    fs_err::create_dir(root.join(".cargo")).expect("created");
    let config = "[registry]\nglobal-credential-providers = [\"cargo:token\", \"cargo:libsecret\", \"./provider\"]\n\
         [registries.p]\ncredential-provider = \"vault\"\n\
         [registries.out]\ncredential-provider = [\"cargo:token-from-stdout\", \"echo\", \"of {index_url}\"]\n\
         [registries.set]\ntoken = \"from-settings\"\n\
         [registries.hangs]\ncredential-provider = \"./hangs\"\n\
         [registries.fails]\ncredential-provider = \"./fails\"\n\
         [credential-alias]\nvault = [\"./provider\", \"deep\"]\n";
    fs_err::write(root.join(".cargo/config.toml"), config).expect("written");
    let config = CargoConfig::read(root).expect("it is valid");
    let cancel = CancelToken::default();
    let ask = |name: &str, limit: Duration| {
        let registry =
            Registry { name: name.parse().expect("a name"), index: format!("sparse+https://{name}.example/") };
        let context = StepContext { deadline: Instant::now() + limit, cancel: &cancel, progress: &mut () };
        read_token(&config, &registry, &context).map_err(|failure| failure.message)
    };
    let minute = Duration::from_secs(60);
    assert_eq!(ask("p", minute), Ok(Some("from-program".to_owned())));
    assert_eq!(ask("p", minute), Ok(Some("from-program".to_owned())));
    assert_eq!(fs_err::read_to_string(root.join("calls")).expect("calls").lines().count(), 1, "the token is kept");
    assert_eq!(ask("out", minute), Ok(Some("of sparse+https://out.example/".to_owned())));
    assert_eq!(ask("set", minute), Ok(Some("from-settings".to_owned())));
    assert!(ask("other", minute).is_err_and(|error| error.contains("only cargo can ask cargo:libsecret")));
    assert!(ask("fails", minute).is_err_and(|error| error.contains("does not know version 1")));
    assert!(ask("hangs", Duration::from_millis(100)).is_err_and(|error| error.contains("exceeded its time limit")));
    assert_eq!(config.provided_secrets(), ["of sparse+https://out.example/", "from-program"]);
}
