//! Findings about the bytes of a log: its lines, its chain, the heads that were taken of it, its end.

use shipper_core::audit::FindingCode;

use crate::explain::{Entry, Group, Subject};

explained! {
    /// What was found in the bytes.
    BYTES: Finding(FindingCode), "Findings about the bytes of a log",
    "`findings[].code`: what is wrong or odd in lines, chain, recorded heads and the end of the file" {
        CorruptLine {
            means: "A complete line cannot be read as one event. Judging stops there: what stands before the line is \
                reported, and nothing from it on is judged. The message gives the first fault and its column.",
            arises: "A writer went on where another had died in the middle of a line: the shipper tool appends to \
                whatever stands at the end, which glues the two events together. An editor saved a byte order mark, a \
                script cut a line, a crashed disk gave back zero bytes. On purpose: a member named twice, because \
                lenient readers differ on which one counts.",
            concludes: "What was decided on the lines before it stands as reported. Of the lines after it nothing is \
                known, neither good nor bad, and a publish may be among them. The fault does not tell an accident from \
                an attack.",
            next: "Keep the file as it is, look at the line with `sed -n LINEp events.jsonl | cat -v`, and find out \
                what wrote it. Do not mend it in place: the file is evidence. Move the log aside whole, continue it by \
                a new one, and rehearse again.",
        }
        ChainBroken {
            means: "A line does not hang on the line before it as the chain demands. Its `seq` or its `prev` is wrong, \
                or it follows a foreign line and is no `log_adopted`; or an event that is only written chained stands \
                on a foreign line, or a `log_continued` elsewhere than on line 1.",
            arises: "A line before it was edited, removed, added or moved. A script that parses and rewrites JSON \
                spaced it otherwise, or line endings were converted. A tool that takes no lock wrote at the instant in \
                which ours did; that append was then not acknowledged.",
            concludes: "The bytes before this line are not those that its writer saw, or the line is not what its \
                writer wrote. Who changed what is not shown, and the events are judged as they stand. A log without \
                this finding is not proven untouched: whoever can write the file can make a chain that fits.",
            next: "Look at the first one: after a line that was removed or added, every later chained line miscounts. \
                `cmp events.jsonl COPY` names the first byte that differs from a copy; without one, compare `prev` \
                with `sed -n LINEp events.jsonl | b3sum` of the line before. Then move the log aside and rehearse \
                again.",
        }
        HeadMismatch {
            means: "A head that was recorded or kept is not that of the bytes that stand there now. With a line, it is \
                the head in a `log_adopted`; without one, that given by `--extends` or `--since`.",
            arises: "A foreign line was edited, added or removed after a `log_adopted` had taken it over, or the \
                `log_adopted` was edited. The log was replaced by another or rewritten, chain and all. By flag also \
                without any fault of the log: the head is of another log, was copied wrongly, or, for `--since` with \
                `--at`, lies beyond what is judged.",
            concludes: "The bytes up to that head differ somewhere from those that were hashed; where, a head does not \
                say. A head given by flag accuses the log only as far as you are sure of the head.",
            next: "Check it by hand: `head -c BYTES events.jsonl | b3sum`, with the `BYTES` of the head. Then try \
                earlier heads that you kept, `shipper-replay --extends HEAD events.jsonl`: what was changed stands \
                after the last one that fits.",
        }
        LogTruncated {
            means: "The log is shorter than the head given by `--extends`. It has fewer lines or fewer bytes than it \
                had when that head was taken.",
            arises: "Lines were cut off the end, to hide a failure or a publish. An older copy was put back, from a \
                backup or a CI cache. The log was deleted, which `shipper clean` does, or moved aside, and a new one \
                was begun. Or the head is of another log.",
            concludes: "If the head is of this log, something that was in it is not in it any more. What it was cannot \
                be known, and the lines that are left were not compared with the head: they may be others, too.",
            next: "Look for copies, and for `events.jsonl.aside-…` beside the log, and judge each with the same head. \
                `head -n 1 events.jsonl` shows whether the log continues another: a `log_continued` there names the \
                head of the old one.",
        }
        BasisMismatch {
            means: "The bytes before a recorded decision are not the ones that it was folded from. Its `basis` is the \
                head of everything before its line, and that head does not fit.",
            arises: "Something before the decision was changed after it was made: a failed rehearsal edited into a \
                pass, a line taken out, line endings converted. Or the decision's own line was changed or forged.",
            concludes: "The recorded answer was not given on the history that stands here, so it proves nothing even \
                if that history would give the same one. Whether the history or the decision was changed is not shown.",
            next: "Check it by hand: `head -c BYTES events.jsonl | b3sum`, with `bytes` and `blake3` of the `basis`. \
                An earlier decision without this finding bounds the place: unless it was forged too, the change stands \
                at or after its line. Compare with a copy of the log.",
        }
        TornTail {
            means: "The file ends in the middle of a line. The bytes after the last LF are not part of the log and are \
                never read as an event.",
            arises: "A writer was killed or ran out of disk in the middle of a write, or it is writing at this moment. \
                An editor that strips the last line end leaves the same, and so does whoever cuts the file at a byte.",
            concludes: "The complete lines are judged as usual. The event that was lost may have told of a failure or \
                of a publish, so a log that ends like this is never `verified`, and the gate refuses it as \
                `untrusted-log`. That more than this one event is missing does not follow.",
            next: "Wait until no writer is at work and look again; read the bytes with `tail -c COUNT events.jsonl`, \
                the count is in the message. Rehearse with a tool that records by this project: it saves the bytes \
                before it goes on. The shipper tool would write right after them and make a `corrupt-line`.",
        }
        TailRepaired {
            means: "A torn tail was cut off the log, and this line names it. What was cut off was saved beside the log \
                as `events.jsonl.torn-` and its BLAKE3.",
            arises: "A writer died in the middle of a line, and the next rehearsal repaired the log, as it should. \
                Somebody who wants an event gone can tear it on purpose and let the repair sweep it out.",
            concludes: "An event was begun and is not in the log. If a rehearsal was open here, this counts as a \
                failure in it; a receipt that was complete before stands. What the event said is shown by the saved \
                bytes alone, and an audit does not read them.",
            next: "Read the saved file, and check that `b3sum` of it gives the hash in its name and in the line. If it \
                tells of a failure or a publish, weigh that by hand. If it is missing, ask who removed it.",
        }
        BlankLine {
            means: "A line holds nothing but spaces, tabs and CR. It is no event and has no effect.",
            arises: "Somebody edited the log, or joined two files. No known release tool writes one, and the shipper \
                tool 0.5 cannot read a log that has one.",
            concludes: "Something else than a release tool wrote to the file. The line itself changes no verdict; that \
                no other line was touched does not follow.",
            next: "Find out who edited the file, and compare it with a copy or with a head that you kept: \
                `shipper-replay --extends HEAD events.jsonl`.",
        }
        CrlfLineEndings {
            means: "Lines end with CR LF instead of LF. It is said once, at the first such line.",
            arises: "Git converted the file on checkout (`core.autocrlf`), an editor saved it so, or it was sent as \
                text. No known release tool writes it.",
            concludes: "The events mean what they meant. But these are not the bytes that were written: no head from \
                after such a line fits any more, and in a chained log the link after each is `chain-broken`.",
            next: "Get the file as its tool wrote it and audit that. Keep logs from being converted: in \
                `.gitattributes`, `events.jsonl -text`.",
        }
        ForeignLines {
            means: "Lines that are not chained begin here, after chained ones. It is said once for each such stretch.",
            arises: "A tool that does not chain goes on in the log: the usual case where the gate is asked by this \
                project and the shipper tool publishes. Somebody who adds lines by hand makes the same stretch.",
            concludes: "These lines are trusted as they stand. Until a `log_adopted` takes them over, one of them can \
                be changed, added or removed without a trace; from then on that shows as `head-mismatch`.",
            next: "Nothing, where such a tool is meant to write. Keep a head from after its last line: `shipper-replay \
                -v events.jsonl` prints it, and `--extends HEAD` demands it later.",
        }
        UnknownEvent {
            means: "This version does not know the type of an event. The event was kept and has no effect on the gate.",
            arises: "A newer release tool wrote it, or a tool of your own. The shipper tool 0.5 cannot read such a log \
                back at all.",
            concludes: "Every verdict was derived without it. What it tells a person, this program cannot say. A type \
                that begins with `rehearsal_` or `gate_` is never passed over like this: see `unknown-gate-event`.",
            next: "Read them: `shipper-replay -v events.jsonl` names each with its line. There is nothing to mend.",
        }
        TimeWentBackwards {
            means: "A rehearsal, gate or plan event is stamped earlier than the one before it. Other events are not \
                compared, since parallel publishing lets them overtake each other.",
            arises: "A clock was set back between two steps, two machines with different clocks wrote into one log, or \
                two rehearsals ran at once. Lines that were moved, or made up later, may give themselves away so.",
            concludes: "At least one of the two stamps is wrong, or the lines do not stand in the order in which \
                things happened. No verdict depends on it: the order of the lines is judged, and times are claims. \
                That anything was moved does not follow.",
            next: "Compare both stamps with what you know of the machines, such as CI job times. In such a log name \
                places by line, not by time: `--at TIMESTAMP` takes everything up to the last line that is stamped not \
                later.",
        }
    }
}
