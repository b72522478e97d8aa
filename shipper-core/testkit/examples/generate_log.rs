//! `generate_log SEED EVENTS [--chained]` writes a log of `EVENTS` events to standard output, for measurements. The
//! same arguments give the same bytes on every system. The events are invented.
//!
//! ```sh
//! cargo run --release -p shipper-testkit --features core --example generate_log -- 1 2000000 > big.jsonl
//! ```
//!
//! The log is the history of a workspace, release after release, in lines as the shipper tool writes them: 183 bytes on
//! average, from 105 to 430. A release is a plan of 3 to 8 packages:
//!
//! - It is rehearsed. One plan in eight fails at a package, is repaired and rehearsed again.
//! - It is published, with about 60 events for each package, most of them polls of the registry. One attempt in ten is
//!   retried. One run in twelve stops at a package, and a second run resumes it.
//!
//! So an audit judges about 3 decisions per 1,000 events, by 3 % of the events, and reports no violation. The log ends
//! after `EVENTS` events, within a release: a longer log begins with the shorter one.
//!
//! With `--chained`, every line is chained (about 90 bytes more), the gate is asked after each rehearsal, and each run
//! names its decision. The generator derives the decisions with the real gate: a failed rehearsal is refused.
//!
//! Exit status 0: the log is complete. 1: the log is incomplete, or the arguments are invalid.

use std::fmt;
use std::io::{self, BufWriter, StdoutLock, Write, stderr, stdout};
use std::process::ExitCode;

use shipper_core::{GateQuery, GateState, evaluate};
use shipper_events::{ChainLink, HeadHasher, ParsedLine, parse_line};
use time::OffsetDateTime;

const USAGE: &str = "usage: generate_log SEED EVENTS [--chained]";

/// The packages of the workspace, in the order in which they are published.
const PACKAGES: &str = "obsidian-base obsidian-syntax obsidian-store obsidian-index obsidian-query obsidian-protocol \
                        obsidian-server obsidian-cli";

const FIRST_DAY: Time = Time(1_577_836_800_000 * MILLISECOND);
const MILLISECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600_000 * MILLISECOND;

/// Random numbers from BLAKE3, whose output is specified completely. The output of a crate for random numbers may
/// change between versions.
struct Chance(blake3::OutputReader);

impl Chance {
    fn draw(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// Nanoseconds since 1970.
#[derive(Clone, Copy)]
struct Time(u64);

impl Time {
    fn after(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    fn milliseconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / MILLISECOND
    }
}

/// The form of the shipper tool, always with nine digits after the second.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp_nanos(self.0.into()).map_err(|_| fmt::Error)?;
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second, nanosecond) = at.to_hms_nano();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanosecond:09}Z")
    }
}

/// The log that is being written. A full log ignores further events, so a release need not check for the end.
struct Log {
    out: BufWriter<StdoutLock<'static>>,
    left: u64,
    chained: bool,
    /// The last line.
    line: Vec<u8>,
    prefix: HeadHasher,
    state: GateState,
}

impl Log {
    /// Writes an event; `members` are those of its type, a comma before each.
    fn event(&mut self, now: Time, type_name: &str, members: fmt::Arguments<'_>, package: &str) -> io::Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let link = self.chained.then(|| ChainLink::to_previous(self.prefix.lines(), &self.line));
        let line = &mut self.line;
        line.clear();
        match link {
            Some(link) => write!(line, "{link}")?,
            None => line.push(b'{'),
        }
        write!(line, r#""timestamp":"{now}","event_type":{{"type":"{type_name}"{members}}},"package":"{package}"}}"#)?;
        line.push(b'\n');
        self.prefix.push_line(line);
        // No other event of this program changes the fold, and parsing them all would take most of the time.
        if type_name.starts_with("rehearsal_")
            && let ParsedLine::Event(record) = parse_line(line).map_err(io::Error::other)?
        {
            self.state.evolve(self.prefix.lines(), &record.into_event());
        }
        self.out.write_all(line)
    }
}

struct Plan {
    id: String,
    packages: Vec<Package>,
}

struct Package {
    name: &'static str,
    version: String,
    /// `name@version`.
    id: String,
}

/// A workspace that is released repeatedly.
struct History {
    log: Log,
    chance: Chance,
    now: Time,
}

impl History {
    /// Writes releases until the log is full.
    fn write(&mut self) -> io::Result<()> {
        let mut number = 0;
        while self.log.left > 0 {
            self.release(number)?;
            number += 1;
        }
        self.log.out.flush()
    }

    fn release(&mut self, number: u64) -> io::Result<()> {
        let plan = self.plan(number);
        if let Some(fails) = self.any(&plan, 8) {
            self.rehearse(&plan, Some(fails))?;
            self.ask(&plan)?;
        }
        self.rehearse(&plan, None)?;
        let gate = self.ask(&plan)?;
        let failed = self.any(&plan, 12);
        if failed.is_some() {
            self.run(&plan, gate, None, failed)?;
        }
        self.run(&plan, gate, failed, None)
    }

    fn plan(&mut self, number: u64) -> Plan {
        let id = (0..4).map(|_| format!("{:016x}", self.chance.draw())).collect();
        let version = format!("1.{}.{}", number / 10, number % 10);
        let package = |(name, _)| Package { name, version: version.clone(), id: format!("{name}@{version}") };
        Plan { id, packages: PACKAGES.split(' ').zip(0..3 + self.chance.below(6)).map(package).collect() }
    }

    /// Returns the position of a random package of the plan, with a probability of one in `many`, else `None`.
    fn any(&mut self, plan: &Plan, many: u64) -> Option<u64> {
        self.chance.one_in(many).then(|| self.chance.below(plan.packages.len() as u64))
    }

    fn event(&mut self, type_name: &str, members: fmt::Arguments<'_>, package: &str) -> io::Result<()> {
        self.log.event(self.now, type_name, members, package)?;
        self.pass(MILLISECOND);
        Ok(())
    }

    /// Advances the clock by about this number of nanoseconds, and returns the milliseconds.
    fn pass(&mut self, about: u64) -> u64 {
        let before = self.now;
        self.now = before.after(about / 2 + self.chance.below(about));
        self.now.milliseconds_since(before)
    }

    fn policy(&mut self, host: &str) -> io::Result<()> {
        let posture = r#""posture":"rehearsal_or_test","allow_private":false,"allow_loopback":true"#;
        let hosts = format_args!(r#""credential_authority":"{host}","index_authority":"{host}""#);
        self.event("registry_policy_applied", format_args!(r#","evidence":{{{posture},{hosts}}}"#), "all")
    }

    /// Rehearses a plan. The rehearsal fails at the package with the position `fails`, if any.
    fn rehearse(&mut self, plan: &Plan, fails: Option<u64>) -> io::Result<()> {
        self.pass(HOUR);
        let (count, what) = (plan.packages.len(), format!(r#","registry":"rehearsal","plan_id":"{}""#, plan.id));
        self.event("rehearsal_started", format_args!(r#"{what},"package_count":{count}"#), "all")?;
        self.policy("http://127.0.0.1:46779")?;
        let mut summary = format!("rehearsed {count} packages against 'rehearsal' successfully");
        for (position, Package { name, version, id }) in (0..).zip(&plan.packages) {
            let took = self.pass(100 * MILLISECOND);
            let package = format!(r#","name":"{name}","version":"{version}""#);
            if fails == Some(position) {
                let why = "permanent failure (fix required)";
                let failure = format_args!(r#"{package},"class":"permanent","message":"{why}""#);
                self.event("rehearsal_package_failed", failure, id)?;
                summary = format!("rehearsal stopped at {}/{count}: {id}: {why}", position + 1);
                break;
            }
            self.event("rehearsal_package_published", format_args!(r#"{package},"duration_ms":{took}"#), id)?;
        }
        let passed = fails.is_none();
        self.event("rehearsal_complete", format_args!(r#","passed":{passed}{what},"summary":"{summary}""#), "all")
    }

    /// Asks the gate if the log is chained, and returns the line of the decision.
    fn ask(&mut self, plan: &Plan) -> io::Result<Option<u64>> {
        if !self.log.chained {
            return Ok(None);
        }
        let plan_id = plan.id.parse().map_err(io::Error::other)?;
        let registry = "rehearsal".parse().map_err(io::Error::other)?;
        let query = GateQuery::new(plan_id, Some(registry));
        let (verdict, basis) = (evaluate(&self.log.state, &query), self.log.prefix.head());
        let query = serde_json::to_string(&query)?;
        let (query, word) = (query.trim_matches(['{', '}']), verdict.code());
        let (reasons, head) = (serde_json::to_string(&verdict.reason_codes())?, serde_json::to_string(&basis)?);
        let answer = format_args!(r#","rules":1,{query},"verdict":"{word}","reasons":{reasons},"basis":{head}"#);
        self.event("gate_evaluated", answer, "all")?;
        Ok(Some(basis.lines + 1))
    }

    /// Publishes a plan, from the package at which the earlier run `failed`, up to the package at which this run
    /// `fails`.
    fn run(&mut self, plan: &Plan, gate: Option<u64>, failed: Option<u64>, fails: Option<u64>) -> io::Result<()> {
        self.pass(HOUR);
        self.event("execution_started", format_args!(""), "all")?;
        // Another host than that of the rehearsals: a writer to one of them cannot write to the other.
        self.policy("http://127.0.0.2:36595")?;
        let (id, count) = (&plan.id, plan.packages.len());
        let gate = gate.map_or_else(String::new, |line| format!(r#","gate":{line}"#));
        self.event("plan_created", format_args!(r#","plan_id":"{id}","package_count":{count}{gate}"#), "all")?;
        let whom = r#""schema_version":"shipper.auth_evidence.v1","registry":"crates-io","auth_mode":"cargo_token""#;
        let how = r#""token_detected":true,"oidc_request_url_present":false,"oidc_request_token_present":false"#;
        self.event("auth_evidence_recorded", format_args!(r#","evidence":{{{whom},{how}}}"#), "all")?;
        for (position, package) in (0..).zip(&plan.packages) {
            if failed.is_some_and(|failed| position < failed) {
                let why = format_args!(r#","reason":"resume: state already published""#);
                self.event("package_skipped", why, &package.id)?;
            } else if fails == Some(position) {
                self.attempt(package, 1)?;
                self.output(r"error: permission denied\n", &package.id)?;
                let why = format_args!(r#","class":"permanent","message":"permanent failure (fix required)""#);
                return self.event("package_failed", why, &package.id);
            } else {
                self.publish(package)?;
            }
        }
        self.event("execution_finished", format_args!(r#","result":"success""#), "all")
    }

    fn publish(&mut self, package: &Package) -> io::Result<()> {
        let (id, began) = (&package.id, self.now);
        let mut attempt = 1;
        self.attempt(package, attempt)?;
        while attempt < 4 && self.chance.one_in(10) {
            let timeout = r"    Updating `crates-io` index\nerror: failed to publish to registry at https://crates-io\n\nCaused by:\n  [28] Timeout was reached\n";
            self.output(timeout, id)?;
            let delay = 1_000 + self.chance.below(1_000);
            let at = self.now.after(delay * MILLISECOND);
            let why = r#""reason":"retryable","message":"transient failure (retryable)""#;
            let when = format_args!(r#""delay_ms":{delay},"next_attempt_at":"{at}""#);
            let retry = format!(r#","attempt":{attempt},"max_attempts":4,{when},{why}"#);
            self.event("retry_scheduled", format_args!("{retry}"), id)?;
            let waiting = format_args!(r#","reason":"retry backoff","delay_ms":{delay},"until":"{at}""#);
            self.event("publish_waiting", waiting, id)?;
            self.event("retry_backoff_started", format_args!("{retry}"), id)?;
            self.now = at;
            attempt += 1;
            self.attempt(package, attempt)?;
        }
        let uploaded = self.uploaded(package);
        self.output(&uploaded, id)?;
        self.event("package_uploaded", format_args!(""), id)?;
        self.poll(id)?;
        let took = self.now.milliseconds_since(began);
        self.event("package_published", format_args!(r#","duration_ms":{took}"#), id)
    }

    fn attempt(&mut self, Package { name, version, id }: &Package, attempt: u64) -> io::Result<()> {
        if attempt == 1 {
            self.event("package_started", format_args!(r#","name":"{name}","version":"{version}""#), id)?;
        }
        let command = format_args!(r#""command":"cargo publish -p {name} --registry crates-io""#);
        let attempted = format_args!(r#","attempt":{attempt},{command},"max_attempts":4"#);
        self.event("package_attempted", attempted, id)?;
        self.pass(3_000 * MILLISECOND);
        Ok(())
    }

    fn output(&mut self, tail: &str, package: &str) -> io::Result<()> {
        self.event("package_output", format_args!(r#","stdout_tail":"","stderr_tail":"{tail}""#), package)
    }

    /// Returns output of cargo, escaped as in JSON: plain, coloured, or with quotes and a name that is not ASCII.
    fn uploaded(&mut self, Package { name, version, .. }: &Package) -> String {
        match self.chance.below(8) {
            0 => format!(
                r"\u001b[1m\u001b[32m   Packaging\u001b[0m {name} v{version}\n\u001b[1m\u001b[32m    Uploaded\u001b[0m {name} v{version} to registry `crates-io`\n"
            ),
            1 => format!(
                r#"warning: manifest has no \"documentation\", \"homepage\" or \"repository\"\n   Packaging {name} v{version} (/home/zoë/obsidian/{name})\n    Uploaded {name} v{version} to registry `crates-io`\n"#
            ),
            _ => format!(
                r"    Updating `crates-io` index\n   Packaging {name} v{version} (/builds/obsidian/{name})\n    Packaged 3 files, 1.1KiB (0.8KiB compressed)\n   Uploading {name} v{version}\n    Uploaded {name} v{version} to registry `crates-io`\n"
            ),
        }
    }

    /// Polls the registry until it shows the package, mostly for a minute or two.
    fn poll(&mut self, package: &str) -> io::Result<()> {
        let (began, polls) = (self.now, 4 + self.chance.below(44));
        self.event("readiness_started", format_args!(r#","method":"api""#), package)?;
        for attempt in 1..=polls {
            let delay = (250 << attempt.min(4)) + self.chance.below(250);
            let at = self.now.after(delay * MILLISECOND);
            let next = format_args!(r#","attempt":{attempt},"delay_ms":{delay},"next_poll_at":"{at}""#);
            self.event("readiness_poll_scheduled", next, package)?;
            self.now = at;
            self.pass(60 * MILLISECOND);
            let visible = attempt == polls;
            self.event("readiness_poll", format_args!(r#","attempt":{attempt},"visible":{visible}"#), package)?;
        }
        let took = self.now.milliseconds_since(began);
        self.event("readiness_complete", format_args!(r#","duration_ms":{took},"attempts":{polls}"#), package)
    }
}

fn run() -> Result<(), String> {
    let (options, arguments): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg == "--chained");
    let [seed, events] = arguments.as_slice() else {
        return Err(USAGE.to_owned());
    };
    let left = events.parse().map_err(|_| USAGE)?;
    let (out, chained) = (BufWriter::with_capacity(1 << 20, stdout().lock()), !options.is_empty());
    let log = Log { out, left, chained, line: Vec::new(), prefix: HeadHasher::new(), state: GateState::default() };
    let chance = Chance(blake3::Hasher::new().update(seed.as_bytes()).finalize_xof());
    let mut history = History { log, chance, now: FIRST_DAY };
    history.write().map_err(|error| format!("the log is not complete: {error}"))
}

fn main() -> ExitCode {
    let Err(error) = run() else {
        return ExitCode::SUCCESS;
    };
    let _ = writeln!(stderr(), "error: {error}");
    ExitCode::FAILURE
}
