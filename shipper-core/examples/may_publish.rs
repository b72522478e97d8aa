//! `may_publish LOG_FILE_NAME PLAN_ID REGISTRY`: folds a log and looks at the gate. Looking is not asking: see `docs/gate.md`.

use shipper_core::{GateQuery, GateState, Verdict, evaluate};
use shipper_events::EventReader;

fn look(log: &str, plan_id: &str, registry: &str) -> Result<Verdict, Box<dyn std::error::Error>> {
    let mut state = GateState::default();
    for entry in EventReader::new(std::fs::File::open(log)?) {
        state.evolve(&entry?); // fails at a corrupt line, a broken chain or a torn tail: decide nothing on such a log
    }
    let (plan_id, registry) = (plan_id.parse()?, registry.parse()?);
    let query = GateQuery { plan_id, rehearsal_registry: Some(registry), skip: false };
    Ok(evaluate(&state, &query))
}

use std::process::ExitCode;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [log, plan_id, registry] = args.as_slice() else {
        eprintln!("usage: may_publish LOG PLAN_ID REGISTRY");
        return ExitCode::from(2);
    };
    let verdict = match look(log, plan_id, registry) {
        Ok(verdict) => verdict,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    println!("{}", verdict.code());
    for reason in verdict.reasons() {
        println!("{}: {reason}; {}", reason.code(), reason.code().advice());
    }
    ExitCode::from(u8::from(!verdict.may_publish()))
}
