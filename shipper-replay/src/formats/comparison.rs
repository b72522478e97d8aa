//! The comparison of two logs as text.

use shipper_core::audit::{AddedDecision, ComparedLog, Difference, LogComparison, LogRelation, TailStatus};

use super::text::phrases::{path_text, plural, reasons_text, short_plan_id};

/// Most decisions of a log.
const MAX_DECISIONS: usize = 20;

/// Renders the comparison for people. Texts of the logs are safe to display.
pub(crate) fn render(comparison: &LogComparison) -> String {
    let LogComparison { relation, common, difference, first, second, .. } = comparison;
    let headline = match relation {
        LogRelation::Identical => "Identical: the logs have the same content.".to_owned(),
        LogRelation::FirstExtendsSecond => extended("first", "second", first),
        LogRelation::SecondExtendsFirst => extended("second", "first", second),
        LogRelation::Different => {
            format!(
                "Different: neither log begins with the other; they have {} in common.",
                plural(common.lines, "line")
            )
        }
    };
    let mut text = format!("{headline}\n");
    row(&mut text, "common", &format!("{}, {}", plural(common.lines, "line"), plural(common.bytes, "byte")));
    row(&mut text, "head", &format!("{}:{}:{}", common.lines, common.bytes, common.blake3));
    log(&mut text, "first", first);
    log(&mut text, "second", second);
    if let Some(Difference { line, column, first, second, .. }) = difference {
        let quote = |line: &Option<String>| line.as_ref().map_or("the log ends".to_owned(), |line| format!("`{line}`"));
        row(&mut text, &format!("line {line}"), &format!("the first difference is at byte {column} of this line"));
        row(&mut text, "", &format!("first:  {}", quote(first)));
        row(&mut text, "", &format!("second: {}", quote(second)));
    }
    text
}

fn extended(longer: &str, shorter: &str, log: &ComparedLog) -> String {
    let added = match (log.added.lines, log.tail) {
        (0, _) => "only an incomplete line".to_owned(),
        (lines, _) => plural(lines, "line"),
    };
    format!("Extended: the {longer} log begins with the {shorter} log, and adds {added}.")
}

fn row(text: &mut String, label: &str, value: &str) {
    *text += &format!("  {label:<10} {value}\n");
}

fn log(text: &mut String, label: &str, log: &ComparedLog) {
    let ComparedLog { path, lines, bytes, compression, tail, conclusion, added, .. } = log;
    let compression = compression.map(|compression| format!(" (decompressed from {compression})")).unwrap_or_default();
    let tail = if *tail == TailStatus::Torn { ", torn tail" } else { "" };
    let (lines, bytes) = (plural(*lines, "line"), plural(*bytes, "byte"));
    row(text, label, &format!("{}: {lines}, {bytes}{compression}{tail}, {conclusion}", path_text(path)));
    if added.lines == 0 {
        return;
    }
    row(text, "", &format!("adds {}", plural(added.lines, "line")));
    let mut events: Vec<String> = added.events.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if added.other_events > 0 {
        events.push(format!("{} of other types", added.other_events));
    }
    if !events.is_empty() {
        row(text, "", &format!("events: {}", events.join(", ")));
    }
    if let Some(line) = added.corrupt_line {
        row(text, "", &format!("line {line} is corrupt; events after it are not counted"));
    }
    for decision in added.decisions.iter().take(MAX_DECISIONS) {
        row(text, "", &decision_text(decision));
    }
    let rest = added.decisions.len().saturating_sub(MAX_DECISIONS);
    if rest > 0 {
        row(text, "", &format!("and {} more; --format json lists all", plural(rest as u64, "decision")));
    }
}

fn decision_text(decision: &AddedDecision) -> String {
    let AddedDecision { line, plan_id, derived, status, .. } = decision;
    let derived = derived
        .as_ref()
        .map_or("unknown rules".to_owned(), |derived| format!("{}{}", derived.verdict, reasons_text(&derived.reasons)));
    format!("decision on line {line}: {status}, {derived}, plan {}", short_plan_id(plan_id.as_str()))
}
