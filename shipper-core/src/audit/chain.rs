//! The chain: does each line follow the one before it? `docs/log-format.md`, "The chain".

use shipper_events::{Link, Prefix};

use super::finding::Code;

/// What stands before a line, as far as the chain is concerned.
#[derive(Debug, Clone, Default)]
pub(super) struct ChainWatch {
    previous: Vec<u8>,
    previous_is_foreign: bool,
    chained: u64,
    foreign: u64,
}

/// A line, as far as the chain is concerned.
pub(super) struct Linked<'l> {
    pub(super) link: Option<&'l Link>,
    /// The type's name; `None` for a blank line.
    pub(super) type_name: Option<&'l str>,
}

impl ChainWatch {
    /// Judges a line against those before it: what breaks the chain, and whether a foreign stretch begins.
    pub(super) fn judge(&mut self, line: &Linked<'_>, before: &Prefix) -> [Option<(Code, String)>; 2] {
        let broken = match line.link {
            Some(link) => self.judge_chained(link, line.type_name, before),
            None => line
                .type_name
                .filter(|name| is_ours(name))
                .map(|name| format!("a {name} that is not chained; this type is only written chained")),
        };
        let begins_stretch = line.link.is_none() && self.chained > 0 && !self.previous_is_foreign;
        self.previous_is_foreign = line.link.is_none();
        if line.link.is_some() {
            self.chained += 1;
        } else {
            self.foreign += 1;
        }
        let stretch = "lines that are not chained begin here, after chained ones";
        [
            broken.map(|message| (Code::ChainBroken, message)),
            begins_stretch.then(|| (Code::ForeignLines, stretch.to_owned())),
        ]
    }

    /// Keeps the line's bytes: the next chained line names their hash.
    pub(super) fn push(&mut self, line: &[u8]) {
        self.previous.clear();
        self.previous.extend_from_slice(line);
    }

    /// Whether any line so far is chained, and whether any is foreign.
    pub(super) fn seen(&self) -> (bool, bool) {
        (self.chained > 0, self.foreign > 0)
    }

    fn judge_chained(&self, link: &Link, type_name: Option<&str>, before: &Prefix) -> Option<String> {
        let lines = before.lines();
        if link.seq() != Some(lines) {
            let seq = link.seq().map_or("a number beyond 64 bits".to_owned(), |seq| seq.to_string());
            return Some(format!("it says that {seq} lines stand before it, and {lines} do"));
        }
        let prev = blake3::hash(&self.previous);
        if link.prev() != prev {
            let said = link.prev();
            return Some(format!("it says that the line before it has the hash {said}, and that is {prev}"));
        }
        if type_name == Some("log_continued") && lines > 0 {
            return Some("a log_continued here; only the first line of a log is one".to_owned());
        }
        if self.previous_is_foreign && type_name != Some("log_adopted") {
            return Some("it follows a foreign line without a log_adopted that takes on what stands before".to_owned());
        }
        None
    }
}

fn is_ours(type_name: &str) -> bool {
    matches!(type_name, "gate_evaluated" | "log_adopted" | "tail_repaired" | "log_continued")
}
