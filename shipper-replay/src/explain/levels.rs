//! The levels of findings.

use shipper_core::audit::Level;

use super::{Entry, Group, Subject};

explained! {
    every
    /// How much a finding weighs.
    LEVELS: Level(Level), "Levels of findings", "`findings[].level`" {
        Error {
            means: "The finding makes the log `violated`. Only `unknown-rules` does not: it makes it `unjudged`.",
            arises: "The log contradicts itself, the gate, its sidecar or a head that was kept; or a package was \
                published where no run was open. Under `--strict` every warning is an error, too.",
            concludes: "What the code says, no more and no less: `--explain CODE` tells. An error is no proof of an \
                attack, and the decisions that it is not about keep their status.",
            next: "Take the errors in the order of their lines: the first is often the cause of the others. When they \
                are dealt with, `--since HEAD` lowers those up to a head, but none without a line and none that breaks \
                the integrity of the log: such a log is moved aside.",
        }
        Warning {
            means: "The finding is something to look at and contradicts nothing by itself. Only under `--strict` does \
                it make a log `violated`; what it tells of may make it `inconclusive`.",
            arises: "A run went on without a rehearsal or without being asked about, a crash or a second writer left \
                something odd behind, somebody edited a file, or a newer tool wrote it.",
            concludes: "Somebody should be able to say why it is there. A log with warnings may be `verified`, and \
                each warning may have a harmless cause; that it has one does not follow.",
            next: "Look at each, and write down the answer. `shipper-replay --strict events.jsonl` makes them count, \
                for a pipeline that is to stop at them.",
        }
        Note {
            means: "The finding is something to know. It never changes a conclusion.",
            arises: "The log or the demand leaves something open, as always without `--registry` or `--extends`. With \
                `--since`, findings that were dealt with are lowered to notes.",
            concludes: "How far the report reaches. A log without notes is no better for it.",
            next: "Nothing, or give what is missing. `-v` shows notes.",
        }
    }
}
