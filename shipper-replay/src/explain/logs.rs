//! The integrity of a log, and its tail.

use shipper_core::audit::{Integrity, TailStatus};

use super::{Entry, Group, Subject};

explained! {
    every
    /// What can be said of the chain.
    INTEGRITY: Integrity(Integrity), "Integrity of a log", "`integrity`, and in the `log` row of the human report" {
        Broken {
            means: "The bytes are not what the log, or a head that you gave, says they are. There is a `corrupt-line`, \
                `chain-broken`, `head-mismatch`, `log-truncated` or `basis-mismatch`.",
            arises: "See the finding. A wrong head given by flag is enough.",
            concludes: "The gate refuses as `untrusted-log`. Decisions are still judged, up to a corrupt line, on the \
                events as they stand now.",
            next: "Keep the file, compare it with copies and kept heads, then move it aside and continue it by a new \
                log. `--since` never leaves this behind.",
        }
        Unchained {
            means: "No line is chained.",
            arises: "Only the shipper tool wrote it, or another that does not chain. Or the log is empty. Or somebody \
                stripped the chain from every line and left out the events that are only written chained.",
            concludes: "Every line is trusted as it stands: whoever could write the file could write any of them. \
                Nothing is wrong with it because of that.",
            next: "Keep heads of it elsewhere, `shipper-replay -v events.jsonl` prints one, and demand them with \
                `--extends HEAD`.",
        }
        Chained {
            means: "Every line is chained, and each fits the one before it.",
            arises: "Every writer of the log chains. Or somebody wrote all of it anew, chain and all.",
            concludes: "Whoever changed, removed or added a line wrote everything after it anew; the last line can be \
                changed without a trace. That the end was not cut off, and that nothing was rewritten, only a kept \
                head shows.",
            next: "Keep a head from after each release elsewhere, and demand it with `--extends HEAD`.",
        }
        PartlyChained {
            means: "Some lines are chained, and each of those fits.",
            arises: "The gate is asked by a tool that chains, and the publishing is done by one that does not.",
            concludes: "For chained lines, and for those that a `log_adopted` has taken over, as much holds as in a \
                chained log. Foreign lines after the last chained one are trusted as they stand.",
            next: "Keep a head from after the last foreign line, and demand it with `--extends HEAD`.",
        }
    }
}

explained! {
    every
    /// How the log ends.
    TAILS: Tail(TailStatus), "Tail of a log", "`tail`, and in the `log` row of the human report" {
        Clean {
            means: "The log ends with a complete line, or was judged up to a place that you named.",
            arises: "The last writer finished its line. With `--at` the tail always counts as clean.",
            concludes: "No half line stands at the end. That whole lines were cut off does not show here.",
            next: "Nothing. `--extends HEAD` shows a cut.",
        }
        Torn {
            means: "Bytes stand after the last complete line.",
            arises: "A writer died in the middle of a line, or is at work. See `torn-tail`.",
            concludes: "An event may be lost. The log is not `verified`, and the gate refuses as `untrusted-log`.",
            next: "See `torn-tail`.",
        }
    }
}
