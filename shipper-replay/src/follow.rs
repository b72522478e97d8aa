//! Following a log that is being written: what comes is told as it comes, and the report when somebody ends it.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use camino::Utf8Path;
use fs_err::File;
use same_file::Handle;
use shipper_core::audit::{Auditor, Begin, Code, Conclusion, Demand, Level, LogReport, Report, SidecarInput};
use shipper_events::{Tail, is_plain, neutral};

use crate::account::{Account, Again};
use crate::cli::Cli;
use crate::human::{Style, Telling, showing};
use crate::input::Input;
use crate::judge::{JudgeError, inputs};

/// How long to wait before a look at whether more was written.
const PAUSE: Duration = Duration::from_millis(100);

/// How much is read at a time, in bytes.
const BUFFER: usize = 256 * 1024;

/// How many new findings are told at a time; the report has them all.
const TOLD: usize = 20;

/// What ended the following.
enum End {
    /// The stream is at its end.
    Stream,
    /// Somebody asked for it, and the file is still there.
    Asked(File),
    /// The file is no longer the one that was read.
    Gone(File, &'static str),
}

/// Follows a log to its end, telling what comes; gives the account of what was read and the exit status.
pub(crate) fn follow(cli: &Cli, out: &mut dyn Write) -> Result<(Account, Conclusion), JudgeError> {
    let (inputs, _) = inputs(cli)?;
    let path = Utf8Path::new(inputs.first().map_or("-", Input::path));
    let demand = cli.demand();
    let Begin::Audit(auditor) = Auditor::begin(demand.clone(), SidecarInput::NotLookedFor) else {
        return Err(JudgeError::NotFollowed);
    };
    let mut follower = Follower { auditor: auditor.with_timeline(), demand, told: Told::default() };
    let style = Style::of(cli);
    let end = if path == "-" { follower.read_stream(io::stdin().lock(), out) } else { follower.read_file(path, out) };
    let (mut audit, end) = match end {
        Ok(end) => (follower.auditor.finish()?, end),
        Err(error) => {
            let unreadable = LogReport::unreadable(path.as_str(), error.to_string());
            let report = Report::new(follower.demand, vec![unreadable]);
            let conclusion = report.conclusion;
            return Ok((Account::new(report, HashMap::new(), None, &[]), conclusion));
        }
    };
    // It was told already.
    audit.timeline = None;
    let mut conclusion = audit.conclusion();
    let file = match end {
        End::Stream => None,
        End::Asked(mut file) => {
            if file.rewind().and_then(|()| Again::of(&mut file, &audit).agrees()).unwrap_or(false) {
                Some(file)
            } else {
                conclusion = Conclusion::over([conclusion, Conclusion::Unjudged]);
                let path = neutral(path.as_str()).at_most(400).to_string();
                say(
                    out,
                    &format!("{path}: the log was changed while it was followed; this is the report on what was read"),
                )?;
                None
            }
        }
        End::Gone(file, why) => {
            // What was read is no longer what is there.
            conclusion = Conclusion::over([conclusion, Conclusion::Unjudged]);
            say(out, &format!("{}: {why}; this is the report on what was read", neutral(path.as_str()).at_most(400)))?;
            file.metadata().is_ok_and(|now| now.len() >= audit.bytes).then_some(file)
        }
    };
    say(out, "")?;
    let report = Report::new(follower.demand, vec![LogReport::judged(path.as_str(), audit)]);
    let copies = file.map(|file| (0, file)).into_iter().collect();
    Ok((Account::new(report, copies, showing(style.detail), &[0]), conclusion))
}

struct Follower {
    auditor: Auditor,
    demand: Demand,
    told: Told,
}

/// What was told already.
#[derive(Default)]
struct Told {
    telling: Telling,
    findings: HashSet<(Code, Option<u64>, String)>,
    conclusion: Option<Conclusion>,
}

impl Follower {
    fn read_stream(&mut self, mut stream: impl Read, out: &mut dyn Write) -> io::Result<End> {
        let mut buffer = vec![0; BUFFER];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(End::Stream),
                Ok(count) => self.take(buffer.get(..count).unwrap_or_default(), out)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read_file(&mut self, path: &Utf8Path, out: &mut dyn Write) -> io::Result<End> {
        let mut file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return self.read_stream(file, out);
        }
        let opened = Handle::from_file(file.file().try_clone()?)?;
        let asked = Arc::new(AtomicBool::new(false));
        let ask = Arc::clone(&asked);
        ctrlc::set_handler(move || ask.store(true, Ordering::Relaxed)).map_err(io::Error::other)?;
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count > 0 {
                bytes += count as u64;
                self.take(buffer.get(..count).unwrap_or_default(), out)?;
                continue;
            }
            if asked.load(Ordering::Relaxed) {
                return Ok(End::Asked(file));
            }
            if file.metadata()?.len() < bytes {
                return Ok(End::Gone(file, "the log was cut while it was followed"));
            }
            match Handle::from_path(path) {
                Ok(named) if named == opened => {}
                Ok(_) => return Ok(End::Gone(file, "another file was put in the log's place")),
                Err(_) => return Ok(End::Gone(file, "the log was moved away or removed")),
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Takes the next bytes and tells what they say.
    fn take(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.auditor.feed(bytes);
        let moments = self.auditor.take_moments();
        for moment in &moments {
            write_plain(out, &self.told.telling.tell(moment))?;
        }
        // A writer at work may be in the middle of a line.
        let so_far = self.auditor.clone().end(Tail::Clean).map_err(io::Error::other)?;
        let mut new = 0;
        for finding in so_far.findings.iter().filter(|finding| finding.level != Level::Note) {
            let key = (finding.code, finding.line, finding.message.to_string());
            if self.told.findings.insert(key) {
                new += 1;
                if new <= TOLD {
                    let place = finding.line.map_or(String::new(), |line| format!(" line {line}:"));
                    let (level, message) = (finding.level.as_str(), &finding.message);
                    write_plain(out, &format!("  {level}[{}]{place} {message}\n", finding.code))?;
                }
            }
        }
        if new > TOLD {
            write_plain(out, &format!("  and {} more findings; the report has them\n", new - TOLD))?;
        }
        let conclusion = so_far.conclusion();
        if self.told.conclusion.replace(conclusion) != Some(conclusion) {
            write_plain(out, &format!("  conclusion so far: {conclusion}\n"))?;
        }
        out.flush()
    }
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), JudgeError> {
    write_plain(out, &format!("{line}\n")).map_err(|source| JudgeError::NotWritten { source })
}

/// Texts from a log are made safe where they are put in; what is not plain all the same is shown as `?`.
fn write_plain(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let shown = |character| if character == '\n' || is_plain(character) { character } else { '?' };
    out.write_all(text.chars().map(shown).collect::<String>().as_bytes())
}
