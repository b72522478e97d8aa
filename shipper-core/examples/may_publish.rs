//! `may_publish LOG PLAN_ID REGISTRY`: folds a log and looks at the gate. Looking is not asking: see `docs/gate.md`.

use shipper_core::{Query, State, Verdict, evaluate};
use shipper_events::Reader;

fn look(log: &str, plan_id: &str, registry: &str) -> Result<Verdict, Box<dyn std::error::Error>> {
    let mut state = State::default();
    for entry in Reader::new(std::fs::File::open(log)?) {
        state.evolve(&entry?); // fails at a corrupt line or a torn tail: such a log lets nothing pass
    }
    let (plan_id, registry) = (plan_id.parse()?, registry.parse()?);
    let query = Query { plan_id, rehearsal_registry: Some(registry), skip: false };
    Ok(evaluate(&state, &query))
}

use std::process::ExitCode;

#[expect(clippy::print_stdout, reason = "it is a program")]
fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [log, plan_id, registry] = args.as_slice() else {
        return Err("usage: may_publish LOG PLAN_ID REGISTRY".into());
    };
    let verdict = look(log, plan_id, registry)?;
    println!("{}", verdict.code());
    for reason in verdict.reasons() {
        println!("{}: {reason}; {}", reason.code(), reason.code().advice());
    }
    Ok(if verdict.may_publish() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
