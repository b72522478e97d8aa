//! Integration tests of `shipper-replay`, one module for each promise of the crate.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unreachable,
    reason = "a failed check must stop the test"
)]

mod accept_flag;
mod baseline_flag;
mod bundle;
mod cli;
mod commits;
mod compare;
mod compressed;
mod docs_commands;
mod explain;
mod fixtures_expected;
#[cfg(target_os = "linux")]
mod follow;
mod format_snapshots;
mod github;
#[cfg(unix)]
mod github_action;
#[cfg(unix)]
mod github_workflow;
mod gitlab_pipeline;
mod glossary;
mod goldens;
mod html_chromium;
mod html_page;
mod html_timeline;
mod human_headline;
mod human_report;
mod index;
mod injection;
mod manual;
mod many_logs;
mod markdown_report;
mod merge;
mod output_limits;
mod packet;
mod policy_flag;
#[cfg(target_os = "linux")]
mod release_binaries;
mod report_schema;
mod require_flag;
mod sarif;
mod signed_heads;
#[cfg(target_os = "linux")]
mod streams;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
mod tutorial;
mod vsa;
mod walkthrough;
