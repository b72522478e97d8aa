//! The lane of findings: each at the time of its line.

use shipper_core::audit::{Finding, Level};

use super::lanes::{Lane, Source};
use super::mark::{Figure, Mark, Shape, Tone, instant};
use crate::formats::human::phrases::plural;

pub(super) fn lane(source: &Source<'_>) -> Lane {
    let all = &source.audit.findings;
    let findings = || source.shown.findings.iter().filter_map(|position| Some((*position, all.get(*position)?)));
    let mut marks: Vec<Mark> = findings().filter_map(|(position, finding)| mark(position, finding, source)).collect();
    marks.sort_by_key(|mark| mark.line);
    let without_line = all.iter().filter(|finding| finding.line.is_none()).count() as u64;
    let names = if without_line == 1 { "names" } else { "name" };
    let remark = (without_line > 0)
        .then(|| format!("Not drawn: {} that {names} no line of the log.", plural(without_line, "finding")));
    let lane = Lane::new("findings", "Findings", marks);
    let with_line = all.iter().filter(|finding| finding.line.is_some()).count();
    Lane { remark, left_out: with_line - lane.marks.len(), ..lane }
}

fn mark(position: usize, finding: &Finding, source: &Source<'_>) -> Option<Mark> {
    let line = finding.line?;
    let moment = source.nearest(line)?;
    let (figure, tone, weight) = match finding.level {
        Level::Error => (Figure::Diamond, Tone::Bad, 0),
        Level::Warning => (Figure::Triangle, Tone::Doubt, 1),
        Level::Note => (Figure::Dot, Tone::Plain, 2),
    };
    let nearest = if moment.line == line {
        String::new()
    } else {
        format!(" (drawn at line {}, the nearest event that has a place here)", moment.line)
    };
    let (level, code, message) = (finding.level.as_str(), finding.code, &finding.message);
    Some(Mark {
        line,
        at: instant(moment),
        shape: Shape::One(figure),
        tone,
        label: format!("{code}, line {line}"),
        title: format!("line {line}: {level} {code}: {message}{nearest}; {}", moment.timestamp),
        target: source.anchors.finding(position),
        weight,
        ticks: Vec::new(),
    })
}
