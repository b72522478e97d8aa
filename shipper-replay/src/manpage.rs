//! Manual page and shell completions, generated from the command line definition.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::{AFTER_HELP, Cli, VERSION};

/// Writes a completion script.
pub(crate) fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // The generator panics on a write error.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    out.write_all(&script)
}

/// Writes the manual page.
pub(crate) fn write(out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(Cli::command().after_help(None::<&str>).after_long_help(None::<&str>)).section("1");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut page = Roff::new();
    for section in AFTER_HELP.split("\n\n") {
        let (head, items) = section.split_once(":\n").unwrap_or((section, ""));
        page.control("SH", [head.to_uppercase().as_str()]);
        for line in items.lines() {
            match line.strip_prefix("      ") {
                Some(text) => page.text([roman(text)]),
                None => page.control("TP", []).text([bold(line.trim_start())]),
            };
        }
    }
    page.control("SH", ["VERSION"]).control("nf", []);
    for line in VERSION.lines() {
        page.text([roman(line)]);
    }
    page.control("fi", []).to_writer(out)
}
