//! `check_gate LOG PLAN_ID REGISTRY`: reads a log and evaluates the gate. It records nothing: see `docs/gate.md`.

use shipper_core::{GateProjection, GateQuery, Verdict, evaluate};

fn check(log: &str, plan_id: &str, registry: &str) -> Result<Verdict, Box<dyn std::error::Error>> {
    let gate = GateProjection::open(log)?; // fails on damage and on a marker; decide nothing then
    let query = GateQuery::new(plan_id.parse()?, Some(registry.parse()?));
    Ok(evaluate(gate.state(), &query))
}

use std::process::ExitCode;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [log, plan_id, registry] = args.as_slice() else {
        eprintln!("usage: check_gate LOG PLAN_ID REGISTRY");
        return ExitCode::from(2);
    };
    let verdict = match check(log, plan_id, registry) {
        Ok(verdict) => verdict,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("error: {error}{cause}");
            return ExitCode::from(2);
        }
    };
    println!("{}", verdict.code());
    for reason in verdict.reasons() {
        println!("{}: {reason}\nhelp: {}", reason.code(), reason.code().help());
    }
    ExitCode::from(u8::from(!verdict.may_publish()))
}
