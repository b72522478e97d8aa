//! The tutorial of docs/operating.md works as written, because it is the first thing that users do: each command prints
//! the shown output, apart from hashes and lengths.

use std::process::Command;

use shipper_testkit::program::{binary, installed};
use shipper_testkit::registry::{CargoSandbox, Registry};

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns the commands of the tutorial, each with its output.
fn commands() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(format!("{TOP}/docs/operating.md")).expect("the page");
    let (_, block) = page.split_once("```shell-session\n").expect("the tutorial");
    let (block, _) = block.split_once("```").expect("its end");
    let commands = block.split("$ ").filter(|text| !text.is_empty());
    commands.map(|text| text.split_once('\n').expect("a line")).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// Replaces hashes and the lengths of logs, which depend on the versions of programs, addresses and times.
fn normalized(text: &str) -> String {
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let hash = |word: &str| {
        word.len() > 11 && word.trim_end_matches(',').chars().all(|digit| digit.is_ascii_hexdigit() || digit == '…')
    };
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for index in 0..words.len() {
        let (word, after) = (words[index].clone(), words.get(index + 1).cloned().unwrap_or_default());
        let parts: Vec<&str> = word.split(':').collect();
        words[index] = match parts[..] {
            [lines, bytes, _] if number(lines) && number(bytes) => format!("{lines}:BYTES:HASH"),
            [_] if hash(&word) => "HASH".to_owned(),
            [_] if number(&word) && after.starts_with("bytes") => "LENGTH".to_owned(),
            _ => word,
        };
    }
    words.join(" ")
}

/// The output of every command is as shown, and the last one is an audit without a doubt.
#[test]
fn tutorial_prints_the_shown_output() {
    if !installed(&["bash"]) {
        return;
    }
    let (live, rehearsal) = (Registry::start(), Registry::start());
    let sandbox = CargoSandbox::with(&[("live", &live), ("rehearsal", &rehearsal)]);
    let workspace = sandbox.path("tutorial");
    let copied = Command::new("cp").args(["-r", &format!("{TOP}/fixtures/tutorial")]).arg(&workspace).status();
    assert!(copied.expect("cp").success());
    let programs = binary("shipper-core", "shipper-release");
    let programs = programs.parent().expect("a directory");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").expect("a path"));
    let commands = commands();
    for (command, shown) in &commands {
        let output = sandbox.command("bash").args(["-c", command]).env("PATH", &path).current_dir(&workspace).output();
        let output = output.expect("bash");
        let lines = |text: &str| text.lines().map(normalized).collect::<Vec<_>>();
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(lines(&printed), lines(shown), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(commands.len() == 5 && commands[4].1.starts_with("Verified"), "{commands:?}");
    assert_eq!(
        (live.versions("greet"), live.versions("greeting")),
        (vec!["0.1.0".to_owned()], vec!["0.1.0".to_owned()])
    );
}
