//! Every command in the README and in docs/ prints the shown output, the examples are compiled programs, and every code
//! is explained. A reader who tries an example must get the shown result.
//!
//! `UPDATE_PAGES=1 cargo test -p shipper-replay --test it docs_commands` updates the pages.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use shipper_core::audit::FindingCode;
use shipper_testkit::program::installed;

/// Prevents two tests from writing one page at once.
static PAGES: Mutex<()> = Mutex::new(());

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the pages of docs/ and those at the top.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(top().join("docs")).expect("docs/ is there");
    let mut pages: Vec<PathBuf> = docs.map(|entry| entry.expect("it can be listed").path()).collect();
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| top().join(page)));
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// Returns the output of a command that runs at the top of the checkout, or `None` for a command that these tests do
/// not run.
fn run(command: &str) -> Option<String> {
    if command.starts_with("cargo test ") || command.starts_with("cargo install ") {
        return None;
    }
    let program = env!("CARGO_BIN_EXE_shipper-replay");
    let script = command
        .replace("cargo run -q -- ", "shipper-replay ")
        .replace("cargo run -q --example check_gate -- ", &format!("{} ", check_gate().display()))
        .replace("shipper-replay ", &format!("{program} "));
    let output =
        Command::new("bash").args(["-c", &format!("{script} 2>&1")]).current_dir(top()).output().expect("a shell");
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// Path of the built example. A test of the whole workspace builds it. Otherwise this function does.
fn check_gate() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_shipper-replay"));
    let example = built.with_file_name("examples").join("check_gate");
    if !example.exists() {
        let build = ["build", "-q", "-p", "shipper-core", "--example", "check_gate"];
        assert!(Command::new(env!("CARGO")).args(build).current_dir(top()).status().expect("cargo").success());
    }
    example
}

/// Returns the page with the current output below every command in its `console` blocks.
fn pasted(page: &str, commands: &mut usize) -> String {
    let mut out = String::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        if line != "```console" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            let Some(command) = line.strip_prefix("$ ") else {
                continue;
            };
            *commands += 1;
            out += &format!("{line}\n{}", run(command).unwrap_or_default());
        }
    }
    out
}

/// Every command of every page prints the output below it.
#[test]
fn every_command_prints_the_shown_output() {
    if !installed(&["bash"]) {
        return;
    }
    let _pages = PAGES.lock().expect("no other test failed");
    let (mut commands, mut stale) = (0, Vec::new());
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        let fresh = pasted(&page, &mut commands);
        if fresh != page {
            if std::env::var_os("UPDATE_PAGES").is_some() {
                fs::write(&path, fresh).expect("it can be written");
            } else {
                stale.push(format!("{}:\n{fresh}", path.display()));
            }
        }
    }
    assert!(stale.is_empty(), "stale pages; UPDATE_PAGES=1 updates them: {}", stale.join("\n"));
    assert!(commands >= 8, "{commands} commands are shown");
}

/// The examples in the pages equal the compiled ones, from the first import or macro to the end.
#[test]
fn the_examples_are_the_ones_that_are_compiled() {
    let _pages = PAGES.lock().expect("no other test failed");
    let examples = [
        ("README.md", "shipper-core/examples/check_gate.rs", "use ", "\nuse std::process"),
        ("docs/embedding.md", "shipper-core/tests/it/strategies.rs", "proptest! {", "\nproptest! {"),
    ];
    for (page, source, start, end) in examples {
        let source = fs::read_to_string(top().join(source)).expect("the source");
        let code = &source[source.find(start).expect("a start")..];
        let code = &code[..code.find(end).expect("an end")];
        let text = fs::read_to_string(top().join(page)).expect("the page");
        let (before, from) = text.split_once("```rust\n").expect("a block");
        let (shown, after) = from.split_once("```").expect("its end");
        if std::env::var_os("UPDATE_PAGES").is_some() {
            fs::write(top().join(page), format!("{before}```rust\n{code}```{after}")).expect("it can be written");
        } else {
            assert_eq!(shown, code, "{page}");
        }
    }
}

/// Every finding code is explained in docs/auditing.md, with its level.
#[test]
fn every_finding_is_explained() {
    let page = fs::read_to_string(top().join("docs/auditing.md")).expect("the page");
    for code in FindingCode::ALL {
        let row = format!("| `{code}` | {} |", code.level().as_str());
        assert!(page.contains(&row), "{row}");
    }
}

/// CI runs the test command of the README.
#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let readme = fs::read_to_string(top().join("README.md")).expect("the README");
    let command = readme.lines().find_map(|line| line.strip_prefix("$ cargo test ")).expect("a test command");
    let ci = fs::read_to_string(top().join(".ci/run")).expect("the script");
    assert!(ci.lines().any(|line| line == format!("cargo test {command}")), "{command}");
}

/// Every link between the pages has a target.
#[test]
fn links_have_targets() {
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().expect("a directory").join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            let has_heading = || {
                let text = fs::read_to_string(&target).expect("a page");
                text.lines().filter_map(|line| line.strip_prefix('#')).any(|heading| slug(heading) == anchor)
            };
            assert!(anchor.is_empty() || has_heading(), "{}: {link}", path.display());
        }
    }
}

/// Returns the anchor of a heading.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
