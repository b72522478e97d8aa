//! `loopback_registry NAME=PORT...` serves an empty registry at each port of the loopback interface until it is killed. It is
//! for trying `shipper-release`: a registry keeps its packages in memory.
//!
//! ```sh
//! cargo run -p shipper-testkit --features registry --example loopback_registry -- rehearsal=8731 live=8732
//! ```
//!
//! It prints the variables that make the registries known to cargo. The port 0 stands for a free one.

use std::io::{self, Write, stderr, stdout};
use std::process::ExitCode;

use shipper_testkit::registry::{Demands, Registry};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(ports) = arguments.iter().map(|argument| parse(argument)).collect::<Option<Vec<_>>>() else {
        let _ = writeln!(stderr(), "usage: loopback_registry NAME=PORT...");
        return ExitCode::FAILURE;
    };
    let start = |(name, port)| (name, Registry::start_with(Demands { port, ..Demands::default() }));
    let registries: Vec<(&str, Registry)> = ports.into_iter().map(start).collect();
    if let Err(error) = print_variables(&registries) {
        let _ = writeln!(stderr(), "error: cannot write to standard output: {error}");
        return ExitCode::FAILURE;
    }
    loop {
        std::thread::park();
    }
}

fn parse(argument: &str) -> Option<(&str, u16)> {
    let (name, port) = argument.split_once('=')?;
    Some((name, port.parse().ok()?))
}

fn print_variables(registries: &[(&str, Registry)]) -> io::Result<()> {
    let mut out = stdout();
    for (name, registry) in registries {
        let name = name.to_uppercase().replace('-', "_");
        writeln!(out, "export CARGO_REGISTRIES_{name}_INDEX={}", registry.index_url())?;
        writeln!(out, "export CARGO_REGISTRIES_{name}_TOKEN={}", registry.token())?;
    }
    out.flush()
}
