//! What a log says must stay text: whatever stands in it, the page and the Markdown hold the elements that we put there
//! and no other, since both are opened by programs that act on what they find.

use std::collections::HashMap;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::json;
use shipper_core::audit::{AuditOptions, Auditor, LogReport, Report, SidecarInput};

use super::{html, markdown};
use crate::view::{FindingFilter, ReportView};

/// Elements of the page, and attributes that they may have.
const ELEMENTS: &str = "a article body caption code dd div dl dt figcaption figure footer h1 h2 h3 h4 head header html \
    li main mark meta p pre section span strong style table tbody td th thead time title tr ul wbr";
const ATTRIBUTES: &str = "aria-hidden aria-label aria-labelledby charset class colspan content data-label data-lane \
    data-line href http-equiv id lang name role scope style tabindex title";

/// Text that tries to be more than text.
fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onload='alert(1)",
        "</title><svg onload=alert(1)>",
        "</style><style>*{display:none}",
        "</pre></details>",
        "javascript:alert(1)",
        "&lt;b&gt;",
        "![a](http://a.example/b.png)",
        "[a](javascript:alert(1))",
        "| a | b |\n|---|---|",
        "\n# a\n",
        "\n\n---\n\n",
        "@octocat #1 GH-1 a/b#2",
        "```\n",
        "\u{202e}gnp.exe",
        "\u{1b}[2J",
    ]);
    prop_oneof![known.prop_map(str::to_owned), ".{1,20}", "[<>&\"'`|\\[\\]()!*_#@\\\\\n -]{1,20}"]
}

/// A log that says it wherever a log says something.
fn log(text: &str, package: &str) -> String {
    let event = |second: u32, event_type: serde_json::Value, package: &str| {
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
        format!("{text}\n").replace('\r', ""),
    ]
    .concat()
}

/// The view of that log, and of some that could not be read, under paths that say the same.
fn view(text: &str, package: &str, unreadable: usize) -> ReportView {
    let log = log(text, package);
    let mut auditor = Auditor::new(AuditOptions::default(), SidecarInput::NotRequested).unwrap().with_timeline();
    auditor.feed(log.as_bytes());
    let audit = auditor.finish().unwrap();
    assert!(audit.findings.iter().any(|finding| finding.line.is_some()), "something is wrong with it");
    let mut copy = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut copy, log.as_bytes()).unwrap();
    let mut logs = vec![LogReport::audited(text, audit)];
    logs.extend((0..unreadable).map(|_| LogReport::unreadable(package, text)));
    let copies = HashMap::from([(0, fs_err::File::from_parts(copy, "a copy"))]);
    let mut view = ReportView::new(Report::new(AuditOptions::default(), logs));
    view.load_excerpts(FindingFilter { max: 100, notes: true }, &[0, 1], &copies);
    view
}

/// Whether a style is a position on the time axis, and the length of a bar.
fn is_position(style: &str) -> bool {
    let percent = |number: &str| number.ends_with('%') && number.trim_end_matches('%').parse::<f64>().is_ok();
    style
        .split(';')
        .all(|part| part.split_once(':').is_some_and(|(name, of)| matches!(name, "left" | "width") && percent(of)))
}

/// Every element and attribute of a page that is written as ours is.
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

/// That Markdown holds nothing that a log put there.
fn check_markdown(markdown: &str) -> Result<(), String> {
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM)
    {
        match event {
            Event::Html(ref html) if !is_fold(html) => return Err(format!("{event:?}")),
            Event::FootnoteReference(_) | Event::InlineMath(_) => return Err(format!("{event:?}")),
            Event::InlineHtml(html) if &*html != "<br>" => return Err(format!("{html:?}")),
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_)) => {
                return Err(format!("{event:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a line of HTML is one of those that fold a section up.
fn is_fold(html: &str) -> bool {
    let summary = html.trim_end().strip_prefix("<summary><b>").and_then(|rest| rest.strip_suffix("</summary>"));
    let elements: Vec<&str> = summary.into_iter().flat_map(|summary| summary.split('<').skip(1)).collect();
    let ours = ["/b> ", "code>", "/code>: ", "code>", "/code>"];
    matches!(html.trim_end(), "<details>" | "</details>")
        || elements.len() == ours.len() && elements.iter().zip(ours).all(|(element, ours)| element.starts_with(ours))
}

/// How many headings a document has.
fn headings(markdown: &str) -> usize {
    Parser::new(markdown).filter(|event| matches!(event, Event::Start(Tag::Heading { .. }))).count()
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

proptest! {
    /// (Pass) Nothing from a log makes an element, an attribute, a link or a character that is not plain.
    #[test]
    fn a_log_adds_nothing_to_the_page(text in hostile(), package in hostile()) {
        let view = view(&text, &package, 1);
        let page = written(|out| html::write(&view, out));
        prop_assert_eq!(check_page(&page), Ok(()));
        prop_assert!(page.chars().all(|character| character == '\n' || shipper_events::is_display_safe(character)));
    }

    /// (Pass) Nothing from a log makes a link, an image, HTML or a heading in Markdown, nor a character that is not
    /// plain; also where sections are folded up.
    #[test]
    fn a_log_adds_nothing_to_the_markdown(text in hostile(), package in hostile(), unreadable in 1..6_usize) {
        let document = written(|out| markdown::write(&view(&text, &package, unreadable), out));
        prop_assert_eq!(check_markdown(&document), Ok(()));
        prop_assert!(document.chars().all(|character| character == '\n' || shipper_events::is_display_safe(character)));
        let tame = written(|out| markdown::write(&view("text", "package", unreadable), out));
        prop_assert_eq!(headings(&document), headings(&tame));
    }
}

/// (Fail) The checks see what they are there for.
#[test]
fn the_checks_see_markup() {
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
    for hostile in ["<b>", "[a](b)", "![a](b)", "```\na\n```", "> a", "<summary><b>a</b> <i>"] {
        check_markdown(hostile).unwrap_err();
    }
}
