//! A rehearsal proves what users get: it uses no setting that only the workspace has, and its registry is not the live
//! one under another address.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};

use shipper_testkit::registry::{CommandResult, write};
use shipper_testkit::release_fixture::ReleaseFixture;

/// Starts a server that redirects each request to another one, except for `/some/index/config.json`. It ends with the
/// tests.
fn redirect_to(target: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines().map_while(Result::ok);
            let path = lines.next().and_then(|line| Some(line.split(' ').nth(1)?.to_owned())).unwrap_or_default();
            lines.find(String::is_empty);
            let own = format!("http://{address}/some");
            let config = format!(r#"{{"dl":"{own}/crates","api":"{own}"}}"#);
            let location = path.replacen("/some", "", 1).replacen("/all", "", 1);
            let _ = if path == "/some/index/config.json" {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{config}",
                    config.len()
                )
            } else {
                let head = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close";
                write!(stream, "{head}\r\nLocation: {target}{location}\r\n\r\n")
            };
        }
    });
    address
}

/// A registry that redirects to the live registry, for its index or only for packages, gets no upload.
#[test]
fn redirect_to_the_live_registry_is_refused() {
    let fixture = ReleaseFixture::create();
    let server = redirect_to(fixture.live.base_url());
    let config =
        ["all", "some"].map(|name| format!("[registries.{name}]\nindex = \"sparse+http://{server}/{name}/index/\"\n"));
    write(&fixture.root.join(".cargo/config.toml"), &config.concat());
    let rehearse = |name: &str, status: i32, message: &str| {
        fixture.run("rehearse", &["--rehearsal-registry", name]).expect_status(status, message);
    };
    rehearse(
        "all",
        2,
        "the redirect of the index of the rehearsal registry and the index of the live registry are the same",
    );
    rehearse("some", 1, "the registry some redirects to the other registry");
    assert!(fixture.live.uploads().is_empty());
}

/// A replaced live or rehearsal registry is refused before anything begins, with the file and the key.
#[test]
fn replaced_registry_is_refused() {
    let fixture = ReleaseFixture::create();
    let replace = |index: String| {
        let source = format!("[source.{index:?}]\nregistry = {index:?}\nreplace-with = \"vendored\"\n");
        write(
            &fixture.root.join(".cargo/config.toml"),
            &format!("{source}[source.vendored]\ndirectory = \"vendor\"\n"),
        );
        fixture.rehearse(&[]).expect_status(2, &format!("source.\"{index}\".replace-with in "))
    };
    let output = replace(fixture.live.index_url());
    assert!(output.contains(".cargo/config.toml replaces packages of the registry live"), "{output}");
    let output = replace(fixture.rehearsal.index_url());
    assert!(output.contains(".cargo/config.toml replaces packages of the registry rehearsal"), "{output}");
    assert!(!fixture.log().exists(), "nothing is recorded");
}

/// Variables and flags of the workspace reach neither the build nor the installation. A package that needs
/// them fails the rehearsal, and the message names them.
#[test]
fn settings_of_the_workspace_do_not_reach_builds() {
    let fixture = ReleaseFixture::create();
    let root = fixture.sandbox.path("one");
    let manifest = "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"A test\"\n\
        license = \"MIT\"\npublish = [\"live\"]\n";
    write(&root.join("Cargo.toml"), manifest);
    let config = "[env]\nNEEDED = \"yes\"\n[build]\nrustflags = [\"--cfg\", \"special\"]\n\
        [target.'cfg(all())']\nrustflags = [\"--cfg\", \"special\"]\n";
    write(&root.join(".cargo/config.toml"), config);
    let refuses = "const _: () = assert!(option_env!(\"NEEDED\").is_none() && cfg!(not(special)));\nfn main() {}\n";
    write(&root.join("src/main.rs"), refuses);
    let fixture = ReleaseFixture { root: root.clone(), ..fixture };
    let rehearse = |args: &[&str]| {
        let mut command = fixture.command("rehearse", &["--rehearsal-registry", "rehearsal"]);
        // As if a cargo of the workspace had started the program.
        command.args(args).env("NEEDED", "yes").env("RUSTFLAGS", "--cfg special");
        CommandResult::run(&mut command)
    };
    let output = rehearse(&["--smoke-install", "one"]).expect_success();
    assert!(output.contains("warning: the rehearsal registry (index this machine:"), "{output}");

    fixture.rehearsal.wipe();
    write(&root.join("src/main.rs"), "const IT: &str = env!(\"NEEDED\");\nfn main() { println!(\"{IT}\"); }\n");
    let output = rehearse(&[]).expect_status(1, "environment variable `NEEDED` not defined");
    let hint = "it may need settings of the workspace's .cargo/config.toml (env, target, build.rustflags) or of the \
        environment (RUSTFLAGS), which users do not have";
    assert!(output.contains(hint), "{output}");
}
