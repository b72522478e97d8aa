//! Each reason of a refusal names the line of its evidence and has a remedy, because a program shows both to the person
//! whose publish the gate refused.

use shipper_core::{GateQuery, GateState, RefusalReason, evaluate};
use shipper_events::EventReader;
use shipper_testkit::log_builder::LogBuilder;

/// Returns the texts of the refusal of `p` on `r`, each with its remedy.
fn texts(log: &LogBuilder) -> Vec<String> {
    let state: GateState = EventReader::new(log.bytes()).collect::<Result<_, _>>().expect("a valid log");
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    evaluate(&state, &query).reasons().iter().map(text).collect()
}

fn text(reason: &RefusalReason) -> String {
    format!("{reason}: {}", reason.code().help())
}

/// The text of every reason, of each kind of failed rehearsal, and of two reasons at once.
#[test]
fn reasons_name_their_evidence_and_a_remedy() {
    let fix = "fix what failed, and rehearse this plan again before the next publish";
    let mut log = LogBuilder::chained();
    assert_eq!(texts(&log), ["no rehearsal was completed: rehearse this plan before the next publish"]);
    log.pass(r"q\u001b", "r");
    assert_eq!(
        texts(&log),
        ["the rehearsal on line 3 is of another plan, q\\u{1b}: rehearse this plan before the next publish"]
    );
    log.pass("p", "s");
    assert_eq!(
        texts(&log),
        ["the rehearsal on line 6 used another registry, \"s\": rehearse this plan on the configured registry before \
          the next publish"]
    );
    log.fail("p", "r");
    assert_eq!(texts(&log), [format!("the rehearsal on line 9 did not pass: {fix}")]);
    log.pass("p", "r").start("p", "r", 1).rehearsal_failure();
    assert_eq!(texts(&log), [format!("the rehearsal that started on line 13 has a failure and is still open: {fix}")]);
    log.start("p", "r", 1);
    assert_eq!(
        texts(&log),
        [format!("the rehearsal that started on line 13 failed and was abandoned on line 15: {fix}")]
    );
    log.complete("p", "r", true).event(r#"{"type":"gate_paused"}"#);
    assert_eq!(
        texts(&log),
        [
            "the rehearsal on line 16 claims to have passed, but its events contradict that (package-count-mismatch, \
             empty-rehearsal): rehearse this plan again before the next publish, one rehearsal at a time",
            "line 17 has the event type gate_paused, which this version does not know: use a version that knows this \
             event, or rehearse this plan again before the next publish; the event may record a failure"
        ]
    );
    assert_eq!(
        text(&RefusalReason::UntrustedLog),
        "the log cannot be trusted: for example, it is torn, corrupt or broken: find the cause; the next rehearsal \
         repairs a torn tail, but a corrupt, broken or unsynced log must be moved aside"
    );
}
