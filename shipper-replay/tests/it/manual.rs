//! The help, the manual page, the completions and the docs describe the same options, so that packages and readers get
//! what the program does.
//!
//! `UPDATE_PAGES=1 cargo test -p shipper-replay --test it manual` updates the manual page.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{replay, report};
use shipper_core::sidecar::SIDECAR_SCHEMA;
use shipper_testkit::program::binary;

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn printed(args: &[&str]) -> String {
    let output = replay(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", crate::support::seen(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns every long option of the help.
fn options() -> Vec<String> {
    let help = printed(&["--help"]);
    let option = |line: &str| {
        let line = line.trim_start();
        let (_, from) = line.strip_prefix('-').and(line.split_once("--"))?;
        let name: String = from.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        Some(name).filter(|name| !name.is_empty())
    };
    let options: Vec<String> = help.lines().filter(|line| line.starts_with("  ")).filter_map(option).collect();
    assert!(options.len() >= 20, "{options:?}");
    options
}

/// No line of the help of either program is longer than 100 columns.
#[test]
fn help_fits_100_columns() {
    let mut helps = vec![printed(&["--help"]), printed(&["-h"])];
    for command in [&["--help"][..], &["rehearse", "--help"], &["publish", "--help"], &["plan", "--help"]] {
        let output = Command::new(binary("shipper-core", "shipper-release")).args(command).output().expect("it starts");
        assert!(output.status.success(), "{command:?}");
        helps.push(String::from_utf8(output.stdout).expect("UTF-8"));
    }
    for line in helps.iter().flat_map(|help| help.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

/// The committed manual page equals the output of the program and contains every option.
#[test]
fn manual_page_is_up_to_date() {
    let page = printed(&["--manual"]);
    let path = top().join("docs/shipper-replay.1");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&path, &page).expect("it can be written");
    }
    assert_eq!(fs::read_to_string(&path).expect("the page"), page, "UPDATE_PAGES=1 updates it");
    let plain = page.replace("\\-", "-");
    for option in options() {
        assert!(plain.contains(&format!("--{option}")), "{option}");
    }
    for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert!(
            page.lines().any(|line| line.trim_matches(['.', '"']).replace('"', "") == format!("SH {section}")),
            "{section}"
        );
    }
}

/// The completions for every shell contain every option.
#[test]
fn completions_contain_every_option() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["--completions", shell]);
        for option in options() {
            let known = script.contains(&format!("--{option}")) || script.contains(&format!("-l {option}"));
            assert!(known, "{shell}: {option}");
        }
    }
}

/// The docs mention every option.
#[test]
fn docs_mention_every_option() {
    let docs = fs::read_dir(top().join("docs")).expect("docs/").map(|entry| entry.expect("a page").path());
    let pages: String = docs
        .chain([top().join("README.md")])
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| fs::read_to_string(path).expect("a page"))
        .collect();
    for option in options() {
        assert!(pages.contains(&format!("--{option}")), "no page mentions --{option}");
    }
}

/// The version output lists the rules versions that are judged, and the schemas that are written and compared.
#[test]
fn version_lists_rules_and_schemas() {
    let version = printed(&["--version"]);
    assert!(version.starts_with(&format!("shipper-replay {}\n", env!("CARGO_PKG_VERSION"))), "{version}");
    let rules = shipper_events::event::RULES_VERSION;
    assert!(
        version.lines().any(|line| line.starts_with("rules:") && line.contains(&format!(" {rules} "))),
        "{version}"
    );
    let schema = report(&["real/pass-1crate/events.jsonl"])["schema"].as_str().expect("a schema").to_owned();
    for schema in [&schema, SIDECAR_SCHEMA] {
        assert!(version.lines().any(|line| line.ends_with(&format!(" {schema}"))), "{schema}: {version}");
    }
    assert_eq!(printed(&["-V"]), format!("shipper-replay {}\n", env!("CARGO_PKG_VERSION")));
}
