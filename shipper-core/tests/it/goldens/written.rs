//! The bytes of the written logs and sidecars equal the golden files, because other tools read them.
//!
//! Every scenario uses the public API on the simulated disk with a fixed clock. Set `SHIPPER_UPDATE_GOLDENS=1` to write
//! the files again.

use std::time::Duration;

use super::{LOG, SIDECAR, STATE, SimStorage, StateDirectory, skip_request};
use camino::Utf8Path;
use shipper_core::rehearsal::OpenRehearsal;
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateAnswer, GateQuery, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::write::{LockOptions, LogWriter, NewEvent, WriterOptions, rotate_log};

/// Two lines of a tool that does not chain.
const UNCHAINED: &str = concat!(
    r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1},"package":"all"}"#,
    "\n",
    r#"{"timestamp":"2026-11-23T08:00:01.5+00:00","event_type":{"type":"weather_observed","wind":1e999},"package":"a@1.0.0"}"#,
    "\n",
);

/// Options that adopt the lines of a tool that does not chain.
fn adopting() -> StateOptions {
    StateOptions::default().adopt_unchained(true)
}

impl StateDirectory {
    /// Records a rehearsal of plan `p` on registry `r`.
    fn rehearse(&self, package_count: u64, record: impl FnOnce(&Self, OpenRehearsal<'_, SimStorage>)) {
        let mut recorder = RehearsalRecorder::open(self.later(), Utf8Path::new(STATE), adopting()).expect("opened");
        self.later();
        let plan_id = "p".parse().expect("a name");
        let rehearsing = recorder.start(plan_id, "r".parse().expect("a name"), package_count);
        record(self, rehearsing.expect("recorded"));
    }

    fn pass(&self) {
        self.rehearse(1, |state, mut rehearsing| {
            state.later();
            rehearsing.published("a", "1.0.0", Duration::from_millis(71)).expect("recorded");
            state.later();
            assert!(rehearsing.complete(true, "rehearsed 1 package").expect("recorded").sidecar.is_none());
        });
    }

    /// Asks the gate about plan `p`.
    fn ask(&self, registry: Option<&str>, skip: Option<&SkipRequest>) {
        self.ask_about("p", registry, skip);
    }

    fn ask_about(&self, plan: &str, registry: Option<&str>, skip: Option<&SkipRequest>) {
        let registry = registry.map(|name| name.parse().expect("a name"));
        let query = GateQuery::new(plan.parse().expect("a name"), registry).with_skip(skip.is_some());
        let asker = skip.cloned().unwrap_or_default();
        let answer = ask_gate(self.later(), Utf8Path::new(STATE), &query, &asker, None, adopting());
        assert!(matches!(answer.expect("asked"), GateAnswer::Recorded { .. }));
    }

    /// Appends events, all in one write.
    fn append(&self, events: &[&str]) {
        let mut log = LogWriter::open(self.later(), LOG.into(), WriterOptions::default(), ()).expect("opened");
        let drafts: Vec<NewEvent> = events.iter().map(|event| event.parse().expect("an event")).collect();
        log.append(&drafts).expect("appended");
    }

    fn run(&self, gate: u64) {
        self.append(&[
            r#"{"event_type":{"type":"execution_started"},"package":"all"}"#,
            &format!(
                r#"{{"event_type":{{"type":"plan_created","plan_id":"p","package_count":1,"gate":{gate}}},"package":"all"}}"#
            ),
        ]);
        self.append(&[r#"{"event_type":{"type":"package_published","duration_ms":90},"package":"a@1.0.0"}"#]);
        self.append(&[r#"{"event_type":{"type":"execution_finished","result":"success"},"package":"all"}"#]);
    }
}

/// A passed rehearsal with every kind of event, some with hostile text.
#[test]
fn passed_rehearsal_equals_the_goldens() {
    let state = StateDirectory::new(b"");
    state.rehearse(2, |state, mut rehearsing| {
        let recorded = "recorded";
        state.later();
        rehearsing.policy_applied(Some("https://r.example"), None).expect(recorded);
        state.later();
        rehearsing.published("a", "1.0.0", Duration::from_micros(71_999)).expect(recorded);
        state.later();
        rehearsing.output("b", "1.0.0-rc.1+x", "ü\u{1b}[0m\t\"\\\u{2028}\u{1f980}\u{7f}/\n", "").expect(recorded);
        state.later();
        rehearsing.output("b", "1.0.0-rc.1+x", "", "").expect(recorded);
        state.later();
        rehearsing.output("b", "1.0.0-rc.1+x", "", &"ü".repeat(32 * 1024 + 1)).expect(recorded);
        state.later();
        rehearsing.published("b", "1.0.0-rc.1+x", Duration::MAX).expect(recorded);
        state.later();
        rehearsing.smoke_check_started("b", "1.0.0-rc.1+x").expect(recorded);
        state.later();
        rehearsing.smoke_check_succeeded("b", "1.0.0-rc.1+x", Duration::ZERO).expect(recorded);
        state.later();
        rehearsing.complete(true, "rehearsed \"2\" packages\n").expect(recorded);
    });
    state.assert_matches("rehearsal-passed");
}

/// Failures of a package and of an installation, a completion without packages, and an unfinished rehearsal.
#[test]
fn failed_rehearsals_equal_the_goldens() {
    let state = StateDirectory::new(b"");
    state.rehearse(2, |state, mut rehearsing| {
        state.later();
        rehearsing.published("a", "1.0.0", Duration::from_secs(1)).expect("recorded");
        state.later();
        rehearsing.failed("b", "1.0.0", "permanent", "it does\nnot compile").expect("recorded");
        state.later();
        rehearsing.complete(false, "rehearsal stopped at 2/2").expect("recorded");
    });
    state.assert_matches("rehearsal-failed");
    state.rehearse(1, |state, mut rehearsing| {
        state.later();
        rehearsing.published("a", "1.0.0", Duration::ZERO).expect("recorded");
        state.later();
        rehearsing.smoke_check_started("a", "1.0.0").expect("recorded");
        state.later();
        rehearsing.smoke_check_failed("a", "1.0.0", "no").expect("recorded");
        state.later();
        rehearsing.complete(false, "a could not be installed").expect("recorded");
    });
    state.assert_matches("rehearsal-smoke-failed");
    let state = StateDirectory::new(b"");
    state.rehearse(0, |_, rehearsing| drop(rehearsing.complete(true, "").expect("recorded")));
    state.assert_matches("rehearsal-empty");
    let state = StateDirectory::new(b"");
    state.rehearse(1, |_, rehearsing| drop(rehearsing));
    state.assert_matches("rehearsal-abandoned");
    state.pass();
    state.assert_matches("rehearsal-abandoned-then-passed");
}

/// Every verdict, and the run that names its decision.
#[test]
fn gate_decisions_equal_the_goldens() {
    let state = StateDirectory::new(b"");
    state.ask(Some("r"), None);
    state.pass();
    state.ask(Some("r"), None);
    state.run(5);
    state.assert_matches("gate-authorized");
    let state = StateDirectory::new(b"");
    state.rehearse(1, |state, rehearsing| {
        state.later();
        rehearsing.complete(true, "claims that it passed").expect("recorded");
    });
    state.ask(Some("r"), None);
    state.ask_about("q", Some("s"), None);
    state.rehearse(1, |_, rehearsing| drop(rehearsing));
    state.append(&[r#"{"event_type":{"type":"rehearsal_unknown"},"package":"all"}"#]);
    state.ask_about("q", Some("s"), None);
    state.assert_matches("gate-refused");
    let state = StateDirectory::new(b"");
    state.ask(Some("r"), Some(&skip_request()));
    state.ask(None, Some(&skip_request()));
    state.run(2);
    state.ask(None, None);
    state.assert_matches("gate-skipped");
}

/// The gate replaces a sidecar that differs, and keeps one without a rehearsal.
#[test]
fn sidecars_equal_the_goldens() {
    let state = StateDirectory::new(b"");
    state.pass();
    let state = state.with_file(SIDECAR, b"{");
    state.ask(Some("r"), None);
    state.assert_matches("sidecar-rewritten");
    let state = StateDirectory::new(b"").with_file(SIDECAR, b"{\"passed\":true}");
    state.ask(Some("r"), None);
    state.assert_matches("sidecar-orphan");
}

/// Events of a run, with unknown members and types, several in one write.
#[test]
fn appended_events_equal_the_goldens() {
    let state = StateDirectory::new(b"");
    state.append(&[
        r#" { "event_type":{"type":"plan_created","x":[1.0,-0,1E+2,{"a\u0062":null}],"plan_id":"\u0070\/\ud83e\udd80","package_count":1,"gate":18446744073709551616},"package":"all","z":{"b":1,"a":2},"y":true}"#,
        r#"{"event_type":{"name":"zq","type":"weather_observed","wind": 1e999 , "text":"\u001b\u2028/"},"package":"a@1.0.0"}"#,
    ]);
    state.append(&[
        r#"{"event_type":{"type":"package_started","name":3,"version":"1.0.0"},"package":"a@1.0.0"}"#,
        r#"{"event_type":{"type":"package_failed","class":"permanent","message":"\u0000"},"package":"a@1.0.0"}"#,
        r#"{"event_type":{"type":"execution_finished","result":"partial_failure"},"package":"all"}"#,
    ]);
    state.assert_matches("appended");
}

/// A torn tail is saved, cut off and recorded, also a second time with the same bytes.
#[test]
fn repaired_tails_equal_the_goldens() {
    let state = StateDirectory::new(b"");
    state.pass();
    let state = state.with_log_tail(b"{\"seq\":3,\"prev\":\"\xff");
    drop(RehearsalRecorder::open(state.later(), Utf8Path::new(STATE), adopting()).expect("repaired"));
    state.assert_matches("torn-tail-repaired");
    state.rehearse(1, |_, rehearsing| drop(rehearsing));
    let state = state.with_log_tail(b"{\"seq\":3,\"prev\":\"\xff");
    state.pass();
    state.assert_matches("torn-tail-repaired-twice");
    let state = StateDirectory::new(&UNCHAINED.as_bytes()[..100]);
    drop(RehearsalRecorder::open(state.later(), Utf8Path::new(STATE), adopting()).expect("repaired"));
    state.assert_matches("torn-tail-of-first-line");
}

/// Unchained lines are adopted, before the first chained line and after it.
#[test]
fn adopted_lines_equal_the_goldens() {
    let state = StateDirectory::new(UNCHAINED.as_bytes());
    state.ask(Some("r"), None);
    let state = state.with_log_tail(UNCHAINED.as_bytes());
    state.pass();
    state.assert_matches("adopted");
    let state = StateDirectory::new(&[UNCHAINED.as_bytes(), b"{\"timestamp\""].concat());
    drop(RehearsalRecorder::open(state.later(), Utf8Path::new(STATE), adopting()).expect("repaired"));
    state.assert_matches("adopted-and-repaired");
}

/// A log that cannot be continued is moved aside, and the new log contains its head.
#[test]
fn rotated_logs_equal_the_goldens() {
    let state = StateDirectory::new(b"");
    state.pass();
    let state = state.with_log_tail(b"{\"seq\":3,\"prev\"");
    drop(RehearsalRecorder::open(state.later(), Utf8Path::new(STATE), adopting()).expect("repaired"));
    let state = state.with_log_tail(b"{\nhalf");
    drop(rotate_log(state.later(), Utf8Path::new(LOG), LockOptions::default(), ()).expect("rotated"));
    state.assert_matches("rotated");
    state.ask(Some("r"), None);
    state.pass();
    state.ask(Some("r"), None);
    state.run(6);
    state.assert_matches("rotated-then-published");
}
