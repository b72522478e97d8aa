//! Findings about recorded decisions.

use shipper_core::audit::FindingCode;

use crate::explain::{Entry, Group, Subject};

explained! {
    /// What was found about `gate_evaluated` lines.
    DECISIONS: Finding(FindingCode), "Findings about recorded decisions",
    "`findings[].code`, at the line of a `gate_evaluated`" {
        VerdictMismatch {
            means: "A recorded decision is not what the events before it give. Its verdict, its reasons or their order \
                differ from those that are derived again by the rules under which it was made.",
            arises: "Somebody edited the recorded answer, a refusal into an `authorized`, or edited the events before \
                it. A tool recorded its own opinion instead of the gate's answer. Or one of the two programs, the gate \
                or this one, has a defect.",
            concludes: "The record and the events contradict each other, so the decision allows nothing. Which of them \
                is false is not shown here: `basis-mismatch` at the same line points to the events before it, \
                `chain-broken` at the next line to this line.",
            next: "The message gives both answers. `shipper-replay --at LINE --plan-id ID --registry NAME \
                events.jsonl`, with the line before the decision and its own plan and registry, shows the state in \
                which it was asked. Ask again before anything is published on it.",
        }
        RegistryNotDemanded {
            means: "A recorded permission was given under another registry than the demanded one, or under none.",
            arises: "The configuration was changed between the decision and the audit, or the gate was asked with none \
                and was `dormant`. Whoever can change the configuration can point it at a registry on which every \
                rehearsal passes. Or `--registry` was mistyped: names are compared byte for byte.",
            concludes: "The permission does not count under your configuration, nor do runs on it. It may have been \
                right under its own: drop `--registry`, and it is judged there. That the other registry was a worse \
                one does not follow.",
            next: "Make sure of the name that is configured, and since when. If the demand is right, rehearse on that \
                registry and ask the gate again under it.",
        }
        UnknownRules {
            means: "A decision was made under rules that this version does not know. Neither it nor the runs that took \
                it are judged; the message gives the number of the rules.",
            arises: "A newer version of the gate wrote it. Somebody who wants a publish left unjudged can write such a \
                line, too.",
            concludes: "Nothing about this decision and its runs, neither that they are right nor that they are wrong. \
                The conclusion is `unjudged`, unless another error makes it `violated`: the rest of the log is judged.",
            next: "Audit with a version that knows these rules. If none exists, somebody made the line up: find out \
                who.",
        }
        GateBypassed {
            means: "Somebody asked the gate to be skipped, and it was. The message says who and why, as far as it was \
                recorded.",
            arises: "A release could not wait for a rehearsal, the rehearsal registry was down, or a failure was held \
                to be harmless. This project's gate takes no skip without a name and a reason. The shipper tool \
                records no `--skip-rehearsal` at all, so that one never shows here.",
            concludes: "A person let the plan pass, not a rehearsal. A skip makes no receipt and mends no failed one. \
                Name and reason are the asker's own words; that the asker was allowed to skip is not in the log.",
            next: "Ask that person, and write down the answer. When it is dealt with, leave it behind: `shipper-replay \
                --since HEAD events.jsonl`, with a head from after the run.",
        }
    }
}
