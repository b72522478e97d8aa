//! The comparison of two logs (`--compare`).

use std::io::{self, Write};

use camino::Utf8Path;
use shipper_core::audit::{CompareError, compare_logs};

use crate::audit::AuditCommandError;
use crate::bundle;
use crate::cli::{Cli, Format};
use crate::formats::{comparison, json};
use crate::inputs::{NOT_UTF8, check_stdin};

/// Compares the two logs of the arguments, prints the result, and returns the exit status.
pub(crate) fn run_compare(cli: &Cli, mut out: impl Write) -> Result<u8, AuditCommandError> {
    if !matches!(cli.format, Format::Human | Format::Json) {
        return Err(AuditCommandError::CompareFormat);
    }
    let [first, second] = &cli.logs[..] else {
        return Err(AuditCommandError::NotTwoLogs { count: cli.logs.len() });
    };
    let unreadable = |path: &str, source| AuditCommandError::UnreadableLog { path: path.to_owned(), source };
    let utf8 = |path: &std::ffi::OsString| match path.to_str() {
        Some(path) => Ok(path.to_owned()),
        None => Err(unreadable(&path.to_string_lossy(), io::Error::other(NOT_UTF8))),
    };
    let (first, second) = (utf8(first)?, utf8(second)?);
    check_stdin([first.as_str(), second.as_str()].into_iter())?;
    let open = |path: &str| bundle::open_log(Utf8Path::new(path)).map_err(|source| unreadable(path, source));
    let (mut first_log, mut second_log) = (open(&first)?, open(&second)?);
    let mut compared = compare_logs(&mut first_log, &mut second_log).map_err(|error| match error {
        CompareError::First { source } => unreadable(&first, source),
        CompareError::Second { source } => unreadable(&second, source),
        error => unreadable(&first, io::Error::other(error)),
    })?;
    (compared.first.path, compared.first.compression) = (first, first_log.compression);
    (compared.second.path, compared.second.compression) = (second, second_log.compression);
    match cli.format {
        Format::Json => json::write(&compared, &mut out)?,
        _ => out.write_all(comparison::render(&compared).as_bytes())?,
    }
    Ok(compared.exit_code)
}
