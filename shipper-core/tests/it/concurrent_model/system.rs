//! The model. A step of a process goes from one change of the log to the next.

use std::collections::BTreeSet;

use stateright::{Model, Property};

/// The events of a line. All rehearsals are of one plan, with one package, on one registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Started,
    Published,
    Failed,
    Completed {
        passed: bool,
    },
    Decided {
        authorized: bool,
    },
    Repaired(Torn),
    Adopted,
    /// An unchained failure.
    Foreign,
    /// Parts of several lines.
    Garbage,
}

/// The bytes after the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Torn {
    /// The first half of a line of the program without locks.
    ForeignHalf,
    /// A part of the line with this ID.
    PartOf(u8),
    /// Zeros, after the program without locks shortened the log that a process was about to cut.
    Zeros,
}

/// A line. Two lines have the same bytes if they have the same ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Line {
    id: u8,
    pub(super) kind: Kind,
    /// The position that the line claims, and the ID of the line before it; `None` if it is unchained.
    link: Option<(usize, u8)>,
}

/// Every line of the program without locks has the same bytes.
const FOREIGN_LINE: Line = Line { id: 1, kind: Kind::Foreign, link: None };

/// The limits of the model: questions to the gate, actions of the program without locks, and kills and crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Limits {
    pub(super) asks: u8,
    pub(super) foreign: u8,
    pub(super) faults: u8,
}

pub(super) const PASSING: usize = 0;
pub(super) const FAILING: usize = 1;
pub(super) const GATE: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    /// A process goes on to its next change of the log, or to its end.
    Step(usize),
    /// A process is killed.
    Kill(usize),
    /// The program without locks writes a line, half a line or the rest of it, or restores the first lines.
    ForeignLine,
    ForeignHalf,
    ForeignRest,
    Restore,
    /// The machine stops. That many lines survive, and a part of the next line if `torn`.
    Crash {
        lines: usize,
        torn: bool,
    },
    /// The machine stops, and the cut of a torn tail is lost.
    CrashUncut,
}

/// The result of an operation of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Busy,
    Refused,
    Opened,
    Acknowledged { lines: usize },
    Authorized { lines: usize },
    Denied { lines: usize },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    /// Before the torn tail is cut off.
    Cut,
    /// Before the cut is synced.
    SyncCut,
    /// Before these lines are written.
    Write {
        lines: Vec<Line>,
        repairs: bool,
    },
    /// Before these lines, from that position, are synced.
    SyncLines {
        at: usize,
        lines: Vec<Line>,
        repairs: bool,
    },
    /// Before the last sync of opening.
    SyncOpened,
    /// The gate has opened the log and waits for the lock to decide.
    Opened,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Process {
    phase: Phase,
    /// The next operation. Of a recorder: open, start, publish or fail, complete. Of the gate: open, decide, and again.
    operation: u8,
    /// The lines that its writer has read; `None` without a writer.
    known: Option<Vec<u8>>,
    is_done: bool,
}

/// The state of the log and of all processes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct System {
    pub(super) log: Vec<Line>,
    pub(super) torn: Option<Torn>,
    /// The number of lines that survive a crash, and whether bytes after them do.
    durable: usize,
    torn_durable: bool,
    /// The end of the log before a cut that is not synced.
    uncut: Option<(Vec<Line>, Option<Torn>)>,
    /// The marker of a repair, and the saved tails.
    marker: Option<Torn>,
    saved: BTreeSet<Torn>,
    lock: Option<usize>,
    run_lock: Option<usize>,
    processes: [Process; 3],
    limits: Limits,
    has_half: bool,
    restored: bool,
    next_id: u8,
    acknowledged: Vec<(usize, u8)>,
    authorized: Vec<usize>,
    /// The head that the caller of the gate keeps: lines, and the ID of the last.
    kept: Option<(usize, u8)>,
    broke_kept_head: bool,
}

/// Lines of the log at first: a rehearsal that passed.
pub(super) const INITIAL: usize = 3;

impl System {
    pub(super) fn initial(limits: Limits) -> Self {
        let kinds = [Kind::Started, Kind::Published, Kind::Completed { passed: true }];
        let process = Process { phase: Phase::Idle, operation: 0, known: None, is_done: false };
        let mut state = Self {
            log: Vec::new(),
            torn: None,
            durable: INITIAL,
            torn_durable: false,
            uncut: None,
            marker: None,
            saved: BTreeSet::new(),
            lock: None,
            run_lock: None,
            processes: [process.clone(), process.clone(), process],
            limits,
            has_half: false,
            restored: false,
            next_id: 1,
            acknowledged: Vec::new(),
            authorized: Vec::new(),
            kept: None,
            broke_kept_head: false,
        };
        state.log = state.encode(&[], &kinds);
        state
    }

    /// Returns the lines of these events after the known lines; after an unchained line, an adoption precedes them.
    fn encode(&mut self, known: &[Line], kinds: &[Kind]) -> Vec<Line> {
        let adopts = known.last().is_some_and(|line| line.link.is_none());
        let kinds = adopts.then_some(Kind::Adopted).into_iter().chain(kinds.iter().copied());
        let (mut position, mut previous) = (known.len(), known.last().map_or(0, |line| line.id));
        let mut lines = Vec::new();
        for kind in kinds {
            let id = self.new_id();
            lines.push(Line { id, kind, link: Some((position, previous)) });
            (position, previous) = (position + 1, id);
        }
        lines
    }

    fn new_id(&mut self) -> u8 {
        self.next_id += 1;
        self.next_id
    }

    fn can_step(&self, process: usize) -> bool {
        let Process { phase, is_done, .. } = &self.processes[process];
        let takes_lock = matches!(phase, Phase::Idle | Phase::Opened);
        !is_done && (!takes_lock || self.lock.is_none())
    }

    fn is_valid(lines: &[Line]) -> bool {
        lines.iter().enumerate().all(|(position, line)| {
            let previous = position.checked_sub(1).map_or(0, |before| lines[before].id);
            line.kind != Kind::Garbage && line.link.is_none_or(|link| link == (position, previous))
        })
    }

    /// The gate's rules, for one plan, registry and package.
    fn permits(lines: &[Line]) -> bool {
        // The open rehearsal: its packages, and whether it failed. The receipt: whether it passed soundly.
        let (mut open, mut receipt) = (None::<(usize, bool)>, None);
        for line in lines {
            match line.kind {
                Kind::Started => {
                    if open.is_some_and(|(_, failed)| failed) {
                        receipt = Some(false);
                    }
                    open = Some((0, false));
                }
                Kind::Published => open = open.map(|(packages, failed)| (packages + 1, failed)),
                Kind::Failed | Kind::Foreign => match &mut open {
                    Some((_, failed)) => *failed = true,
                    None => receipt = receipt.map(|_| false),
                },
                Kind::Repaired(_) => open = open.map(|(packages, _)| (packages, true)),
                Kind::Completed { passed } => receipt = Some(passed && open.take() == Some((1, false))),
                Kind::Decided { .. } | Kind::Adopted | Kind::Garbage => {}
            }
        }
        receipt == Some(true) && !open.is_some_and(|(_, failed)| failed)
    }

    // Steps of a process.

    fn step(&mut self, process: usize) -> Option<Outcome> {
        let phase = std::mem::replace(&mut self.processes[process].phase, Phase::Idle);
        match phase {
            Phase::Idle => self.begin(process),
            Phase::Opened => {
                self.lock = Some(process);
                self.prepare(process)
            }
            Phase::Cut => {
                self.uncut = Some((self.log.clone(), self.torn));
                if self.extends_known(process) {
                    let length = self.known(process).len();
                    self.log.truncate(length);
                    self.torn = None;
                } else {
                    self.torn = Some(Torn::Zeros);
                }
                self.torn_durable = false;
                self.processes[process].phase = Phase::SyncCut;
                None
            }
            Phase::SyncCut => {
                self.sync();
                self.prepare(process)
            }
            Phase::Write { lines, repairs } => {
                let at = self.known(process).len();
                self.append(&lines);
                self.processes[process].phase = Phase::SyncLines { at, lines, repairs };
                None
            }
            Phase::SyncLines { at, lines, repairs } => {
                self.sync();
                self.acknowledge(process, at, &lines, repairs)
            }
            Phase::SyncOpened => {
                self.sync();
                self.lock = None;
                self.processes[process].operation += 1;
                if process == GATE {
                    self.processes[GATE].phase = Phase::Opened;
                    return None;
                }
                Some(Outcome::Opened)
            }
        }
    }

    fn known(&self, process: usize) -> &[u8] {
        self.processes[process].known.as_deref().unwrap_or_default()
    }

    /// Returns true if the log begins with the lines that the process has read.
    fn extends_known(&self, process: usize) -> bool {
        let known = self.known(process);
        self.log.len() >= known.len() && self.log.iter().zip(known).all(|(line, id)| line.id == *id)
    }

    fn begin(&mut self, process: usize) -> Option<Outcome> {
        let opens = process == GATE || self.processes[process].operation == 0;
        if opens && process != GATE {
            if self.run_lock.is_some() {
                self.processes[process].is_done = true;
                return Some(Outcome::Busy);
            }
            self.run_lock = Some(process);
        }
        if opens {
            self.processes[process].known = Some(Vec::new());
        }
        self.lock = Some(process);
        self.prepare(process)
    }

    /// Reads the log. Repairs a torn tail if the process may.
    fn prepare(&mut self, process: usize) -> Option<Outcome> {
        if !self.extends_known(process) || !Self::is_valid(&self.log) {
            return self.refuse(process);
        }
        self.processes[process].known = Some(self.log.iter().map(|line| line.id).collect());
        if let Some(torn) = self.torn {
            if process == GATE {
                return self.refuse(process);
            }
            self.saved.insert(torn);
            self.marker = Some(torn);
            self.processes[process].phase = Phase::Cut;
            return None;
        }
        if process == GATE {
            return if self.marker.is_some() { self.refuse(process) } else { self.go_on(process) };
        }
        if self.processes[process].operation == 0 || self.marker.is_some() {
            let is_recorded = |torn: &Torn| self.log.iter().any(|line| line.kind == Kind::Repaired(*torn));
            let saved = self.saved.iter().filter(|torn| !is_recorded(torn) && self.marker != Some(**torn));
            let kinds: Vec<Kind> = self.marker.iter().chain(saved).map(|torn| Kind::Repaired(*torn)).collect();
            if !kinds.is_empty() {
                let lines = self.encode(&self.log.clone(), &kinds);
                self.processes[process].phase = Phase::Write { lines, repairs: true };
                return None;
            }
        }
        self.go_on(process)
    }

    /// Goes on with a log that is valid and complete.
    fn go_on(&mut self, process: usize) -> Option<Outcome> {
        let known = self.known(process).to_vec();
        let lines: Vec<Line> = self.log.iter().take(known.len()).copied().collect();
        let kind = match (process, self.processes[process].operation) {
            (GATE, operation) if operation % 2 == 0 => {
                if self.kept.is_some_and(|(lines, id)| known.get(lines - 1) != Some(&id)) {
                    return self.refuse(process);
                }
                None
            }
            (GATE, _) => Some(Kind::Decided { authorized: Self::permits(&lines) }),
            (_, 0) => None,
            (_, 1) => Some(Kind::Started),
            (PASSING, 2) => Some(Kind::Published),
            (_, 2) => Some(Kind::Failed),
            _ => Some(Kind::Completed { passed: process == PASSING }),
        };
        self.processes[process].phase = match kind {
            None => Phase::SyncOpened,
            Some(kind) => Phase::Write { lines: self.encode(&lines, &[kind]), repairs: false },
        };
        None
    }

    fn append(&mut self, lines: &[Line]) {
        let mut lines = lines.to_vec();
        if self.torn.take().is_some() {
            let id = self.new_id();
            lines[0] = Line { id, kind: Kind::Garbage, link: None };
        }
        self.log.extend(lines);
    }

    fn sync(&mut self) {
        self.durable = self.log.len();
        self.torn_durable = self.torn.is_some();
        self.uncut = None;
    }

    fn acknowledge(&mut self, process: usize, at: usize, lines: &[Line], repairs: bool) -> Option<Outcome> {
        if self.log.get(at..).is_none_or(|written| !written.starts_with(lines)) {
            return self.refuse(process);
        }
        self.processes[process].known.as_mut().expect("it has a writer").extend(lines.iter().map(|line| line.id));
        let positions = lines.iter().enumerate().map(|(position, line)| (at + position, line.id));
        self.acknowledged.extend(positions);
        if repairs {
            self.marker = None;
            return self.go_on(process);
        }
        self.lock = None;
        let count = at + lines.len();
        let last = lines.last().expect("there are lines");
        let Kind::Decided { authorized } = last.kind else {
            self.processes[process].operation += 1;
            if self.processes[process].operation == 4 {
                self.end(process);
            }
            return Some(Outcome::Acknowledged { lines: count });
        };
        self.broke_kept_head |=
            self.kept.is_some_and(|(lines, id)| self.log.get(lines - 1).is_none_or(|line| line.id != id));
        self.kept = Some((count, last.id));
        self.end_question();
        if authorized {
            self.authorized.push(count - 1);
            return Some(Outcome::Authorized { lines: count });
        }
        Some(Outcome::Denied { lines: count })
    }

    fn refuse(&mut self, process: usize) -> Option<Outcome> {
        self.end(process);
        Some(Outcome::Refused)
    }

    /// Ends a recorder, or a question to the gate.
    fn end(&mut self, process: usize) {
        if self.lock == Some(process) {
            self.lock = None;
        }
        if process == GATE {
            self.end_question();
            return;
        }
        if self.run_lock == Some(process) {
            self.run_lock = None;
        }
        let recorder = &mut self.processes[process];
        (recorder.phase, recorder.known, recorder.is_done) = (Phase::Idle, None, true);
    }

    fn end_question(&mut self) {
        let asks = self.limits.asks;
        let gate = &mut self.processes[GATE];
        gate.operation = gate.operation / 2 * 2 + 2;
        (gate.phase, gate.known, gate.is_done) = (Phase::Idle, None, gate.operation >= 2 * asks);
    }

    // Actions of others.

    /// Applies an action. Returns the result of the operation that it completes.
    pub(super) fn apply(&mut self, action: Action) -> Option<Outcome> {
        match action {
            Action::Step(process) => return self.step(process),
            Action::Kill(process) => {
                self.limits.faults -= 1;
                self.end(process);
            }
            Action::ForeignLine => self.append(&[FOREIGN_LINE]),
            Action::ForeignHalf => {
                self.torn = Some(Torn::ForeignHalf);
                self.has_half = true;
            }
            Action::ForeignRest => {
                let is_whole = self.torn == Some(Torn::ForeignHalf);
                let garbage = Line { id: self.new_id(), kind: Kind::Garbage, link: None };
                (self.torn, self.has_half) = (None, false);
                self.log.push(if is_whole { FOREIGN_LINE } else { garbage });
            }
            Action::Restore => {
                self.log.truncate(INITIAL);
                self.torn = None;
                self.sync();
                self.restored = true;
            }
            Action::Crash { lines, torn } => {
                let next = self.log.get(lines).map(|line| Torn::PartOf(line.id)).or(self.torn);
                self.log.truncate(lines);
                self.torn = next.filter(|_| torn);
                self.stop();
            }
            Action::CrashUncut => {
                (self.log, self.torn) = self.uncut.take().expect("a cut is not synced");
                self.stop();
            }
        }
        if matches!(action, Action::ForeignLine | Action::ForeignHalf | Action::Restore) {
            self.limits.foreign -= 1;
        }
        None
    }

    fn stop(&mut self) {
        self.limits.faults -= 1;
        self.sync();
        (self.lock, self.run_lock, self.has_half) = (None, None, false);
        for process in [PASSING, FAILING] {
            let recorder = &mut self.processes[process];
            // A recorder that had begun does not go on after a crash; the other one may begin.
            if recorder.operation > 0 || recorder.known.is_some() {
                self.end(process);
            }
        }
        if self.processes[GATE].known.is_some() {
            self.end_question();
        }
    }
}

/// The processes as a model for the checker.
#[derive(Debug, Clone)]
pub(super) struct Processes {
    pub(super) limits: Limits,
}

impl Model for Processes {
    type State = System;
    type Action = Action;

    fn init_states(&self) -> Vec<System> {
        vec![System::initial(self.limits)]
    }

    fn actions(&self, state: &System, actions: &mut Vec<Action>) {
        actions.extend((0..3).filter(|process| state.can_step(*process)).map(Action::Step));
        if state.has_half {
            actions.push(Action::ForeignRest);
        }
        if state.limits.foreign > 0 && !state.has_half {
            actions.push(Action::ForeignLine);
            if state.torn.is_none() {
                actions.push(Action::ForeignHalf);
            }
            if state.log.len() > INITIAL && !state.restored {
                actions.push(Action::Restore);
            }
        }
        if state.limits.faults > 0 {
            let killable = |process: &usize| state.processes[*process].known.is_some();
            actions.extend((0..3).filter(killable).map(Action::Kill));
            let durable = state.durable.min(state.log.len());
            for lines in durable..=state.log.len() {
                let is_last = lines == state.log.len();
                if !(lines == durable && state.torn_durable) {
                    actions.push(Action::Crash { lines, torn: false });
                }
                if !is_last || state.torn.is_some() {
                    actions.push(Action::Crash { lines, torn: true });
                }
            }
            if state.uncut.is_some() {
                actions.push(Action::CrashUncut);
            }
        }
    }

    fn next_state(&self, state: &System, action: Action) -> Option<System> {
        let mut next = state.clone();
        next.apply(action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no acknowledged event is lost", |_, state: &System| {
                let is_kept =
                    |(position, id): &(usize, u8)| state.log.get(*position).is_some_and(|line| line.id == *id);
                state.restored || state.acknowledged.iter().all(is_kept)
            }),
            Property::always("the log supports every authorization", |_, state: &System| {
                let supports = |position: &usize| {
                    let before = &state.log[..*position];
                    System::is_valid(before) && System::permits(before)
                };
                state.restored || state.authorized.iter().all(supports)
            }),
            Property::always(
                "no decision is recorded on a log that does not extend the kept head",
                |_, state: &System| !state.broke_kept_head,
            ),
            Property::always("a process that waits can go on", |_, state: &System| {
                state.processes.iter().all(|process| process.is_done) || (0..3).any(|process| state.can_step(process))
            }),
            Property::sometimes("the gate authorizes", |_, state: &System| !state.authorized.is_empty()),
            Property::sometimes("a repair is recorded", |_, state: &System| {
                state.log.iter().any(|line| matches!(line.kind, Kind::Repaired(_)))
            }),
            Property::sometimes("a failure of the program without locks revokes a permission", |_, state: &System| {
                state.log.iter().any(|line| line.kind == Kind::Decided { authorized: false })
            }),
        ]
    }
}
