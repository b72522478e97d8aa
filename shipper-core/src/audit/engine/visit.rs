//! The auditor as the visitor of its scanner: passes each line to the trackers that it concerns.

use std::ops::ControlFlow;

use shipper_events::scan::{Interest, LineContent, LineCursor, LogVisitor, VerifiedLine};
use shipper_events::{Event, EventKind, EventType};

use super::auditor::Auditor;
use super::decisions::BeforeEvent;
use super::gate_events::{affects_gate, unknown_event};
use super::index::LoggedAs;
use super::integrity::report_chain_errors;
use super::packages::PackageAction;
use super::runs::RunEnd;
use super::timeline::is_on_timeline;
use crate::audit::policy::Policy;
use crate::audit::report::{Finding, FindingCode, Label, paths};

impl Auditor {
    /// Visits an event that the fold or a decision depends on.
    fn visit_gate_event(&mut self, line: u64, event: &Event, cursor: &mut LineCursor<'_>, basis_matches: bool) {
        self.gate_events.check(line, event, &self.state, &mut self.findings);
        self.names.record(event);
        match &event.event_type {
            EventType::RehearsalStarted(_) => self.commits.rehearsal_started(line, event),
            EventType::GateEvaluated(evaluated) => {
                self.decisions.record(line, evaluated, basis_matches, &self.state, &mut self.findings);
                self.commits.decided(event, &mut self.decisions);
            }
            EventType::PlanCreated(plan) => {
                self.end_run(line);
                self.packet.run_started(&plan.plan_id);
                let (state, findings) = (&self.state, &mut self.findings);
                self.runs.start(line, plan, state, &self.authorities, &mut self.decisions, findings);
                if let Some(decision) = self.runs.active_decision() {
                    self.commits.run_started(line, event, decision, &mut self.decisions, findings);
                }
            }
            EventType::Unknown(_) => self.decisions.unknown_gate_event = line,
            EventType::LogContinued(continued) if line == 1 => self.continues = Some(continued.head()),
            _ => {}
        }
        let before = BeforeEvent::new(event, &self.state);
        self.state.evolve(line, event);
        self.decisions.gate_event(line, event, before, &self.state);
        if let Some(policy) = &mut self.policy {
            policy.gate_event(line, event, self.decisions.decisions.len(), &self.state);
            let run = self.runs.active_key().filter(|_| matches!(event.event_type, EventType::PlanCreated(_)));
            if let Some(run) = run {
                policy.act(run, line, &event.timestamp);
            }
        }
        if matches!(event.event_type, EventType::RehearsalComplete(_))
            && let Some(receipt) = self.state.receipt()
        {
            self.sidecar.rehearsal_completed(receipt, || cursor.head());
        }
    }

    /// Visits an event that neither the fold nor a decision depends on.
    fn visit_run_event(&mut self, line: u64, event: &Event) {
        match &event.event_type {
            EventType::ExecutionStarted(_) => {
                self.packet.run_ended();
                self.end_run(line);
            }
            EventType::ExecutionFinished(finished) => {
                self.packet.run_finished(line, finished.result.get());
                self.end_run_at(line, &RunEnd::Finished(&finished.result));
            }
            EventType::ExecutionStopped(stopped) => {
                self.packet.run_ended();
                self.end_run_at(line, &RunEnd::Stopped(&stopped.reason));
            }
            EventType::RegistryPolicyApplied(applied) => {
                let rehearsal = self.state.open_rehearsal().map(|open| open.start.line);
                self.authorities.policy_applied(rehearsal, applied);
            }
            EventType::AuthEvidenceRecorded(recorded) => {
                let evidence = recorded.evidence.get();
                if let Some(registry) = evidence.and_then(|evidence| evidence.registry.get()) {
                    self.runs.name_live_registry(registry);
                }
            }
            EventType::PublishReconciled(reconciled) => {
                let outcome = reconciled.outcome.get().and_then(|outcome| outcome.member("outcome"));
                let is_published = outcome.as_deref() == Some("published");
                self.packages.reconciled(&event.package, is_published);
                if is_published {
                    if let Some(index) = &mut self.index {
                        index.record(line, &event.package, LoggedAs::Published, None);
                    }
                    self.packet.record(line, EventKind::PackagePublished, &event.package);
                }
            }
            EventType::PackageContentMismatch(mismatch) => {
                let package = format!("{}@{}", mismatch.name, mismatch.version);
                self.report_content_mismatch(line, &package);
            }
            EventType::Unknown(unknown) => {
                self.findings.push(unknown_event(FindingCode::UnknownEvent, line, &unknown.name));
            }
            event_type => {
                if let Some(kind) = event_type.kind().filter(|kind| is_package_action(*kind)) {
                    let is_already_published = matches!(event_type, EventType::PackageSkipped(skipped)
                        if skipped.reason.get().is_some_and(|reason| reason.contains("already published")));
                    let (package, content) = (event.package.as_str(), event.content());
                    if let Some(index) = &mut self.index {
                        index.record_event(line, event, is_already_published);
                    }
                    let timestamp = Some(&event.timestamp);
                    self.visit_action(&PackageAction { line, kind, package, timestamp, content, is_already_published });
                }
            }
        }
    }

    fn visit_action(&mut self, action: &PackageAction<'_>) {
        self.packet.record(action.line, action.kind, action.package);
        let Self { runs, state, packages, decisions, policy, findings, .. } = self;
        if let (Some(policy), Some(run), Some(at)) = (policy, runs.active_key(), action.timestamp)
            && action.publishes()
        {
            policy.act(run, action.line, at);
        }
        runs.record_action(action, state, packages, decisions, findings);
    }

    fn end_run_at(&mut self, line: u64, end: &RunEnd<'_>) {
        self.runs.end(line, Some(end), &mut self.decisions, &mut self.findings);
    }

    /// Reports that a registry has other content than the latest run that uploaded the package.
    fn report_content_mismatch(&mut self, line: u64, package: &str) {
        let name = shipper_events::display_safe(package).quoted();
        let run = self.packages.latest_run(package);
        let origin = run.map_or_else(String::new, |(run, _)| format!(" than the run on line {run} uploaded"));
        let message = format!("a registry has other content of {name}{origin}");
        let label = run.map(|(run, _)| Label::new(run, paths::PLAN_ID, "the run that uploaded the package"));
        let finding = Finding::new(FindingCode::PublishedContentDiffers, line, message).with_labels(label);
        match run {
            Some((_, decision)) => self.findings.extend_about(decision, [finding]),
            None => self.findings.push(finding),
        }
    }
}

impl LogVisitor for Auditor {
    fn interest(&self) -> fn(&str) -> Interest {
        let needs_more = self.options.policy.as_ref().is_some_and(Policy::needs_more_events);
        match (needs_more, &self.index, &self.timeline) {
            (true, _, _) => policy_interest,
            (false, Some(_), _) => index_interest,
            (false, None, Some(_)) => timeline_interest,
            (false, None, None) => interest,
        }
    }

    fn visit(&mut self, verified: &mut VerifiedLine<'_>, cursor: &mut LineCursor<'_>) -> ControlFlow<()> {
        let VerifiedLine { line, content, errors, starts_unchained_segment, .. } = verified;
        let line = *line;
        if *starts_unchained_segment {
            if let Some(policy) = &mut self.policy {
                policy.unchained_from(line);
            }
            let message = "unchained lines begin here, after chained lines";
            self.findings.push(Finding::new(FindingCode::ForeignLines, line, message));
        }
        let basis_matches = report_chain_errors(line, errors, &mut self.findings);
        match content {
            None => {}
            Some(LineContent::Corrupt(error)) => {
                self.integrity.corrupt_line(line, error, &self.start, &mut self.findings);
            }
            Some(LineContent::Blank { lines }) => self.integrity.blank_lines(line, *lines, &mut self.findings),
            Some(LineContent::Package { kind, package, content }) => {
                let (kind, package, content) = (*kind, &**package, content.as_deref());
                let (timestamp, is_already_published) = (None, false);
                self.visit_action(&PackageAction { line, kind, package, timestamp, content, is_already_published });
            }
            Some(LineContent::Event(event)) => {
                if affects_gate(event.event_type.name()) {
                    self.visit_gate_event(line, event, cursor, basis_matches);
                } else {
                    self.visit_run_event(line, event);
                }
                if let Some(timeline) = self.timeline.as_mut().filter(|_| is_on_timeline(&event.event_type)) {
                    let trusted = !self.findings.breaks_integrity();
                    let gate = self.decisions.gate_report(self.options.plan_id.as_ref(), &self.state, trusted);
                    timeline.push(line, event, &self.state, gate.map(Into::into));
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Returns whether events of this kind record an action on a package.
fn is_package_action(kind: EventKind) -> bool {
    use EventKind::{PackageAttempted, PackageFailed, PackagePublished, PackageSkipped, PackageUploaded};
    matches!(kind, PackageAttempted | PackageUploaded | PackagePublished | PackageSkipped | PackageFailed)
}

/// Returns the part of an event that the audit needs: of most actions on a package, only the package.
fn interest(type_name: &str) -> Interest {
    match EventKind::from_name(type_name) {
        Some(EventKind::PackageSkipped | EventKind::PublishReconciled) => Interest::Full,
        Some(kind) if is_package_action(kind) => Interest::PackageOnly,
        None
        | Some(
            EventKind::ExecutionStarted
            | EventKind::ExecutionFinished
            | EventKind::ExecutionStopped
            | EventKind::RegistryPolicyApplied
            | EventKind::AuthEvidenceRecorded,
        ) => Interest::Full,
        Some(_) if affects_gate(type_name) => Interest::Full,
        Some(_) => Interest::Skip,
    }
}

/// Returns the part of an event that an audit with a timeline needs: also the times of publishes.
fn timeline_interest(type_name: &str) -> Interest {
    if type_name == EventKind::PackagePublished.name() { Interest::Full } else { interest(type_name) }
}

/// Returns the part of an event that a comparison with an index needs: also the checksums of uploads and publishes.
fn index_interest(type_name: &str) -> Interest {
    if type_name == EventKind::PackageUploaded.name() { Interest::Full } else { timeline_interest(type_name) }
}

/// Returns the part of an event that the rules of a policy need: also the times of all actions, and so what an index and
/// a timeline need.
fn policy_interest(type_name: &str) -> Interest {
    if EventKind::from_name(type_name).is_some_and(is_package_action) { Interest::Full } else { interest(type_name) }
}
