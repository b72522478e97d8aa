//! The same logs give the same page, byte for byte, in one file without dependencies. Snapshots show every change of
//! the pages of the ten real cases.

use crate::support::{TEN, replay, replay_stdin};

fn page(args: &[&str]) -> String {
    String::from_utf8(replay(&[&["--format", "html"], args].concat()).stdout).expect("UTF-8")
}

/// Returns the page without its style, one element a line, so that differences are readable.
fn body(page: &str) -> String {
    let body = &page[page.find("</style>").expect("a style")..];
    let starts =
        ["<h", "<p", "<t", "<dt", "<a ", "<li", "<figure", "<article", "<section", "<div", "<footer", "</table"];
    starts.iter().fold(body.to_owned(), |body, start| body.replace(start, &format!("\n{start}")))
}

/// The pages of the ten real cases.
#[test]
fn pages_of_the_ten_cases() {
    for (name, args) in TEN {
        let log = format!("real/{name}/events.jsonl");
        let page = page(&[&[log.as_str()], args].concat());
        insta::assert_snapshot!(format!("page_{name}"), body(&page));
    }
}

/// The same logs give the same bytes.
#[test]
fn output_is_deterministic() {
    assert_eq!(page(&["real", "recorded"]), page(&["real", "recorded"]));
}

/// The policy in the head forbids everything but the page's own style. The page has exactly one style and no script.
#[test]
fn page_is_self_contained() {
    let page = page(&["real", "damaged", "recorded"]);
    let policy =
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">";
    assert!(page.contains(policy) && page.contains("<html lang=\"en\">"));
    assert!(page.contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"));
    assert_eq!(page.matches("<style").count(), 1);
    for forbidden in
        ["<script", "<link", "<img", "<svg", "@import", "@font-face", "src=", "javascript:", " onclick", "url("]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for style in page.split("style=\"").skip(1) {
        let is_position = |of: char| of.is_ascii_digit() || ".%:;".contains(of) || "leftwidth".contains(of);
        assert!(style[..style.find('"').expect("its end")].chars().all(is_position), "a position on the time axis");
    }
}

/// With many logs, those that are not verified come first. The table lists all, and the page states which have no
/// section.
#[test]
fn most_severe_logs_come_first() {
    let page = page(&["real", "damaged", "recorded"]);
    let rows: Vec<usize> = ["status violated", "status unjudged", "status inconclusive", "status verified"]
        .iter()
        .map(|status| page.find(status).expect("a row of each"))
        .collect();
    assert!(rows.is_sorted(), "{rows:?}");
    assert_eq!(page.matches("<section class=\"log\"").count(), 35);
    assert!(page.contains("The page omits 23 log sections."));
}

/// Headings are in order, headers of tables have a scope, and every mark has a name.
#[test]
fn page_is_accessible_to_screen_readers() {
    let page = page(&["recorded/refused-and-published", "real/fail-fix-pass"]);
    let levels: Vec<u32> =
        page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)).collect();
    assert_eq!(levels[0], 1, "{levels:?}");
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert_eq!(page.matches("<th ").count() + page.matches("<th>").count(), page.matches("scope=\"").count());
    assert!(page.find("Findings</h3>") < page.find("Timeline</h3>"), "the findings are the first part");
    let marks = page.matches("role=\"img\"").count();
    assert!(marks > 6);
    assert_eq!(page.matches("role=\"img\" aria-label=\"20").count(), marks, "the name of a mark contains its times");
}

/// A page from merged reports states that they came without a timeline.
#[test]
fn page_of_merged_reports_names_the_missing_timeline() {
    let reports = replay(&["--format", "ndjson", "real/tampered-sidecar"]);
    let merged = replay_stdin(&["--merge", "--format", "html", "-"], &reports.stdout);
    let page = String::from_utf8(merged.stdout).expect("UTF-8");
    assert!(page.contains("<title>Violated: 3 packages were published by the run on line 7"), "{page}");
    assert_eq!(page.matches("shipper-replay --timeline").count(), 1, "two findings share this command");
    assert!(page.contains("The merged report contains no timeline") && !page.contains("The timeline is empty"));
}

/// A log that cannot be read has a section with the cause.
#[test]
fn unreadable_log_has_a_section() {
    let page = page(&["no-such-log.jsonl"]);
    assert!(page.contains("<title>Unjudged: "), "{page}");
    assert!(page.contains("Check the path, and check that you may read the file."));
}
