//! Manual page and shell completions, generated from the command line definition.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::{Cli, EXIT_STATUSES, VERSION};

/// Writes a completion script.
pub(crate) fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // The generator panics on a write error.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    out.write_all(&script)
}

/// Example commands.
const EXAMPLES: [(&str, &str); 6] = [
    ("shipper-replay events.jsonl", "What the log proves, with the lines that show it."),
    ("shipper-replay --registry rehearsal events.jsonl", "The same, under the registry that you have configured."),
    ("shipper-replay --timeline --at 40 events.jsonl", "How the verdict of line 40 came about."),
    (
        "shipper-replay --format json logs/",
        "One report over every events.jsonl below a directory, for another program.",
    ),
    (
        "shipper-replay --plan-id \"$plan_id\" --registry rehearsal --require authorized events.jsonl && cargo publish",
        "Go on only if the gate would let this plan go.",
    ),
    ("shipper-replay --explain publish-not-authorized", "What a word of the report means, and what to do about it."),
];

/// Environment variables that the program reads.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("NO_COLOR", "If it is set and not empty, nothing is coloured unless --color always is given."),
    ("TERM", "Nothing is coloured on a terminal that is called dumb."),
    ("SOURCE_DATE_EPOCH", "With --format vsa: the time of the verification, in seconds, where --time is not given."),
];

/// Files that the program reads.
const FILES: [(&str, &str); 2] = [
    ("events.jsonl", "A log: what directories are searched for."),
    ("rehearsal.json", "The sidecar beside a log, compared and never believed. There is no configuration file."),
];

/// Writes the manual page.
pub(crate) fn write(out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(Cli::command().after_help(None::<&str>).after_long_help(None::<&str>)).section("1");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut page = Roff::new();
    verbatim_section(&mut page, "EXIT STATUS", EXIT_STATUSES.lines().skip(1));
    for (head, terms) in [("ENVIRONMENT", &ENVIRONMENT[..]), ("FILES", &FILES), ("EXAMPLES", &EXAMPLES)] {
        page.control("SH", [head]);
        for (term, what) in terms {
            page.control("TP", []).text([bold(*term)]).text([roman(*what)]);
        }
    }
    verbatim_section(&mut page, "VERSION", VERSION.lines());
    page.to_writer(out)
}

/// Adds a section whose lines are not filled.
fn verbatim_section<'l>(page: &mut Roff, head: &str, lines: impl Iterator<Item = &'l str>) {
    page.control("SH", [head]);
    page.control("nf", []);
    for line in lines {
        page.text([roman(line)]);
    }
    page.control("fi", []);
}
