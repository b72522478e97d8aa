//! The gate's verdicts, and who named the registry that one was derived under.

use shipper_core::VerdictKind;
use shipper_core::audit::RegistrySource;

use super::{Entry, Group, Subject};

explained! {
    every
    /// What the gate answers.
    VERDICTS: Verdict(VerdictKind), "Verdicts of the gate",
    "`gate.verdict` (`gate now` in the human report), `decisions[].derived.verdict` and `.recorded.verdict`. The first \
     that holds counts, in this order" {
        Dormant {
            means: "No rehearsal registry is configured, so the plan may be published and nothing was checked.",
            arises: "The question names no registry. An audit never asks so by itself: it is the answer to a question \
                that was recorded.",
            concludes: "The gate looked at no rehearsal at all, not even at one that failed. It is a permission, and \
                no evidence.",
            next: "Configure a rehearsal registry if there should be one. `--registry NAME` makes a recorded one \
                `registry-not-demanded`.",
        }
        Bypassed {
            means: "Somebody asked to skip the gate, so the plan may be published and nothing was checked.",
            arises: "A recorded question with `skip`. An audit never asks so by itself.",
            concludes: "It is a permission, and no evidence. It makes no receipt: the next question without a skip is \
                answered as if it had not been.",
            next: "See who asked and why: `gate-bypassed` at the decision's line.",
        }
        Refused {
            means: "The plan must not be published. At least one reason holds; the first is the headline.",
            arises: "No completed rehearsal backs the plan on that registry, or what stands in the log speaks against \
                it. Under `gate now` also because the log itself is not to be trusted (`untrusted-log`).",
            concludes: "By the events up to that place, with the registry that was asked about. It is no finding: a \
                refusal that is heeded is what a gate is for, and `gate now` changes no conclusion, and the exit \
                status only under `--require`.",
            next: "Explain the reasons, `shipper-replay --explain REASON`; `next` in the report says what to do, and \
                `shipper-replay --timeline events.jsonl` how it came to this. `shipper-replay --require authorized \
                --plan-id ID --registry NAME events.jsonl` stops a script at it.",
        }
        Authorized {
            means: "The plan may be published. The latest completed rehearsal is of this plan and registry, passed and \
                is sound; none that is open has a failure, and no unknown gate event stands against it.",
            arises: "The plan was rehearsed, and nothing came after that speaks against it. Also where somebody wrote \
                such lines by hand into a log that is not chained.",
            concludes: "It holds at that place in the log, for that registry name. A rehearsal that is still open \
                without a failure does not hinder it. That the contents are those that were rehearsed does not follow.",
            next: "Under `gate now` it is a look and no permission: ask the gate right before the run, which records \
                the answer.",
        }
    }
}

explained! {
    every
    /// Who named the registry.
    REGISTRIES: Registry(RegistrySource), "Who named the registry",
    "`decisions[].registry_source` and `gate.registry_source`: whose word the registry is under which a verdict was \
     derived" {
        Recorded {
            means: "A recorded decision names the registry: this one, or the latest of the plan.",
            arises: "The gate was asked with a registry configured, and its answer stands in the log.",
            concludes: "It is the word of whoever asked, at that time. That it was the right configuration is not \
                shown.",
            next: "`--registry NAME` makes an error of a permission that was given under another name.",
        }
        Demanded {
            means: "You named the registry, by `--registry`.",
            arises: "A run without a recorded decision, and `gate now`, are then asked about under your registry. A \
                recorded decision keeps its own, and is `registry-not-demanded` if it permits under another.",
            concludes: "The verdict is about that name. That a registry of that name is the one that you mean is \
                between you and the tool's configuration.",
            next: "Nothing. Take care to write the name exactly as it is configured: it is compared byte for byte.",
        }
        SelfDeclared {
            means: "The registry is the one on which the latest completed rehearsal says it ran.",
            arises: "No `--registry` was given. `gate now` then asks so whenever a rehearsal was completed; a decision \
                is asked so where no recorded one of its plan names a registry.",
            concludes: "The registry always fits then, since it is compared with itself: `registry-mismatch` cannot \
                come up. `gate now` goes by it even where a recorded decision of the plan names another registry, so \
                it may say `authorized` where the gate itself refuses.",
            next: "Compare the name with your configuration, or let `--registry NAME` do it: see \
                `self-declared-registry`.",
        }
    }
}
