//! Text from a log stays text in every format: it adds no element, link, heading or unsafe character. Browsers,
//! terminals and CI systems would act on these.

use std::fs;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};
use shipper_events::{display_safe, is_display_safe};

use crate::support::replay;

/// Elements of the page, and attributes that they may have.
const ELEMENTS: &str = "a article body code dd div dl dt figcaption figure footer h1 h2 h3 h4 head header html li main \
    mark meta p pre section span strong style table tbody td th thead time title tr ul wbr";
const ATTRIBUTES: &str = "aria-hidden aria-label aria-labelledby charset class colspan content data-label data-line \
    href http-equiv id lang name role scope style tabindex title";

/// Text with a meaning in HTML, Markdown, a terminal or GitHub's logs.
fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onload='alert(1)",
        "</title><svg onload=alert(1)>",
        "</style><style>*{display:none}",
        "</pre></details><!-- -->",
        "javascript:alert(1)",
        "&lt;b&gt; &#64;",
        "![a](http://a.example/b.png)",
        "[a](javascript:alert(1)) [^1]",
        "| a | b |\n|---|---|",
        "\n# a\n",
        "\n\n---\n\n1. a\n- [ ] a\n    a",
        "@octocat #1 GH-1 a/b#2 deadbeef1 :+1: $x$ a@b.example www.a.example",
        "```\n",
        "`` ` \\` \\| ",
        "\u{202e}gnp.exe",
        "\u{1b}[2J",
        "\r\n::error::a",
    ]);
    let pieces = prop_oneof![
        known.prop_map(str::to_owned),
        ".{1,20}",
        "[-`*_~#|<>@!\\[\\](){}.:;$&^=+\"'\\\\ \\t\\n0-9a-f]{1,20}"
    ];
    prop::collection::vec(pieces, 1..3).prop_map(|pieces| pieces.concat())
}

/// Returns a log with the text in every member that may contain any text.
fn log(text: &str, package: &str) -> String {
    let event = |second: u32, event_type: Value, package: &str| {
        let timestamp = format!("2026-11-23T08:00:{second:02}Z");
        json!({"timestamp": timestamp, "event_type": event_type, "package": package}).to_string() + "\n"
    };
    let rehearsed = json!({"type": "rehearsal_package_published", "name": package, "version": text});
    let complete =
        json!({"type": "rehearsal_complete", "passed": false, "registry": text, "plan_id": text, "summary": text});
    let basis = json!({"lines": 1, "bytes": 1, "blake3": text});
    let asked = json!({"type": "gate_evaluated", "rules": 1, "plan_id": text, "rehearsal_registry": text, "skip": false,
        "verdict": text, "reasons": [text, package], "basis": basis});
    [
        event(1, json!({"type": "rehearsal_started", "registry": text, "plan_id": text, "package_count": 1}), "all"),
        event(2, rehearsed, package),
        event(3, complete, "all"),
        event(4, asked, "all"),
        event(5, json!({"type": format!("gate_{text}")}), "all"),
        event(6, json!({"type": "plan_created", "plan_id": text, "package_count": 1}), "all"),
        event(7, json!({"type": "auth_evidence_recorded", "evidence": {"registry": text}}), "all"),
        event(8, json!({"type": "package_published", "duration_ms": 1}), package),
        event(9, json!({"type": "execution_finished", "result": text}), "all"),
        event(10, json!({"type": "package_published", "duration_ms": 1}), package),
        format!("{text}\n").replace('\r', ""),
    ]
    .concat()
}

/// This log, and the paths of missing ones, in directories named like the texts.
struct Logs {
    _directory: tempfile::TempDir,
    paths: Vec<String>,
}

impl Logs {
    fn new(text: &str, package: &str, unreadable: usize) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| {
            let name = format!("a{}", name.replace(['/', '\0'], "_"));
            directory.path().join(name).to_str().expect("UTF-8").to_owned()
        };
        let paths: Vec<String> = std::iter::once(path(text))
            .chain((0..unreadable).map(|number| path(&format!("{number}{package}"))))
            .collect();
        fs::write(&paths[0], log(text, package)).expect("it can be written");
        Self { _directory: directory, paths }
    }

    /// Returns the output in a format.
    fn output(&self, format: &str) -> String {
        let paths = self.paths.iter().map(String::as_str);
        let output =
            replay(&["--format", format, "--verbose", "--color", "never"].into_iter().chain(paths).collect::<Vec<_>>());
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

/// Returns `true` if a style is a position on the time axis, with or without the length of a bar.
fn is_position(style: &str) -> bool {
    let percent = |number: &str| number.ends_with('%') && number.trim_end_matches('%').parse::<f64>().is_ok();
    style
        .split(';')
        .all(|part| part.split_once(':').is_some_and(|(name, of)| matches!(name, "left" | "width") && percent(of)))
}

/// Checks every element and attribute of a page.
fn check_page(page: &str) -> Result<(), String> {
    let page = page.strip_prefix("<!DOCTYPE html>").ok_or("no document type")?;
    let (_, page) = page.split_once("</style>").ok_or("no style")?;
    for after in page.split('<').skip(1) {
        let (tag, text) = after.split_once('>').ok_or_else(|| format!("an open tag: {after}"))?;
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !ELEMENTS.split_whitespace().any(|element| element == name.trim_start_matches('/')) {
            return Err(format!("an element {name}"));
        }
        while !attributes.is_empty() {
            let (attribute, rest) = attributes.split_once("=\"").ok_or_else(|| format!("an attribute in {tag}"))?;
            let (value, rest) = rest.split_once('"').ok_or_else(|| format!("an open value in {tag}"))?;
            if !ATTRIBUTES.split_whitespace().any(|known| known == attribute.trim()) {
                return Err(format!("an attribute {attribute}"));
            }
            if attribute.trim() == "href" && !value.starts_with("#log-") {
                return Err(format!("a link to {value}"));
            }
            if attribute.trim() == "style" && !is_position(value) {
                return Err(format!("a style {value}"));
            }
            attributes = rest;
        }
        if text.contains('>') {
            return Err(format!("a loose end: {text}"));
        }
    }
    Ok(())
}

/// Returns the headings and the code of a document, or an element that is not one of the report's own.
fn check_markdown(markdown: &str) -> Result<(usize, Vec<String>), String> {
    let (mut headings, mut code) = (0, Vec::new());
    // The Markdown for a job's summary is read without smart punctuation.
    for event in Parser::new_ext(markdown, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Start(Tag::Heading { .. }) => headings += 1,
            Event::Code(text) => code.push(text.into_string()),
            Event::Html(html) if is_fold(&html) => {}
            Event::InlineHtml(html) if &*html == "<br>" => {}
            Event::Start(
                Tag::Paragraph
                | Tag::List(None)
                | Tag::Item
                | Tag::Strong
                | Tag::HtmlBlock
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell,
            )
            | Event::End(_)
            | Event::Text(_)
            | Event::Rule
            | Event::SoftBreak => {}
            other => return Err(format!("{other:?}")),
        }
    }
    Ok((headings, code))
}

/// Returns `true` for a line of HTML that collapses a section.
fn is_fold(html: &str) -> bool {
    let summary = html.trim_end().strip_prefix("<summary><b>").and_then(|rest| rest.strip_suffix("</summary>"));
    let elements: Vec<&str> = summary.into_iter().flat_map(|summary| summary.split('<').skip(1)).collect();
    let ours = ["/b> ", "code>", "/code>: ", "code>", "/code>"];
    matches!(html.trim_end(), "<details>" | "</details>")
        || elements.len() == ours.len() && elements.iter().zip(ours).all(|(element, ours)| element.starts_with(ours))
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|character| character == '\n' || is_display_safe(character))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Text from a log is no element, attribute or link of the page, and no character of any format is unsafe.
    #[test]
    fn log_text_stays_text(text in hostile(), package in hostile()) {
        let logs = Logs::new(&text, &package, 1);
        let page = logs.output("html");
        prop_assert_eq!(check_page(&page), Ok(()));
        prop_assert!(page.contains("<article class=\"finding"));
        for format in ["human", "json", "ndjson", "sarif", "github", "markdown", "html"] {
            let output = logs.output(format);
            prop_assert!(is_plain(&output), "{}: {}", format, output);
        }
    }

    /// Text from a log is code of the Markdown, unchanged, also in collapsed sections.
    #[test]
    fn log_text_is_code_in_markdown(text in hostile(), package in hostile(), unreadable in 0..5_usize) {
        let logs = Logs::new(&text, &package, unreadable);
        let (headings, code) = check_markdown(&logs.output("markdown")).map_err(TestCaseError::fail)?;
        let tame = Logs::new("text", "package", unreadable).output("markdown");
        prop_assert_eq!(headings, check_markdown(&tame).map_err(TestCaseError::fail)?.0);
        let path = display_safe(&logs.paths[0]).max_chars(200).to_string();
        let registry = display_safe(&text).max_chars(60).quoted().to_string();
        prop_assert!(code.contains(&path) && code.iter().any(|span| span.contains(&registry)), "{} and {} in {:?}", path, registry, code);
    }
}

/// The checks find markup.
#[test]
fn the_checks_find_markup() {
    let page = |body: &str| format!("<!DOCTYPE html><style></style>{body}");
    assert_eq!(check_page(&page("<p>a</p>")), Ok(()));
    for hostile in [
        "<script>",
        "<p onclick=\"a\">",
        "<a href=\"http://a\">",
        "<p class=\"a\"b\">",
        "<p style=\"left:0%;a:b\">",
        "<p>>",
    ] {
        check_page(&page(hostile)).unwrap_err();
    }
    for hostile in ["<b>", "[a](b)", "![a](b)", "```\na\n```", "> a", "<summary><b>a</b> <i>", "1. a", "~~a~~", "$x$"] {
        check_markdown(hostile).unwrap_err();
    }
}
