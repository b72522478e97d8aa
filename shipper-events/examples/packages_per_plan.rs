//! `packages_per_plan LOG`: counts the packages that runs of each plan published, each once. Verifies the log as strictly
//! as an audit: a corrupt line, a broken chain or a torn tail is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::process::ExitCode;

use shipper_events::scan::{LineCursor, Projection, read_projection};
use shipper_events::{EventType, LogEntry, PlanId};

#[derive(Default)]
struct PackagesPerPlan {
    current: Option<PlanId>,
    published: BTreeMap<PlanId, BTreeSet<String>>,
}

impl Projection for PackagesPerPlan {
    fn reads(event_type: &str) -> bool {
        let ends_run = matches!(event_type, "execution_started" | "execution_finished" | "execution_stopped");
        ends_run || matches!(event_type, "plan_created" | "package_published")
    }

    fn apply(&mut self, entry: &LogEntry, _: &mut LineCursor<'_>) {
        match (&entry.event.event_type, &self.current) {
            (EventType::PlanCreated(plan), _) => self.current = Some(plan.plan_id.clone()),
            (EventType::PackagePublished(_), Some(plan)) => {
                _ = self.published.entry(plan.clone()).or_default().insert(entry.event.package.clone());
            }
            // A publish outside every run belongs to no plan.
            (EventType::PackagePublished(_), None) => {}
            _ => self.current = None,
        }
    }
}

fn count(log: &str) -> Result<PackagesPerPlan, Box<dyn Error>> {
    let (projection, _head) = read_projection(std::fs::File::open(log)?, PackagesPerPlan::default())?;
    Ok(projection)
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]
fn main() -> ExitCode {
    let Some(log) = std::env::args().nth(1) else {
        eprintln!("usage: packages_per_plan LOG");
        return ExitCode::from(2);
    };
    match count(&log) {
        Ok(PackagesPerPlan { published, .. }) => {
            for (plan, packages) in published {
                println!("{plan} {}", packages.len());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
