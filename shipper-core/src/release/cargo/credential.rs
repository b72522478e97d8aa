//! Tokens from cargo's credential providers, for registries whose index needs a token.
//!
//! A registry names its provider, or the global ones are asked in turn, as by cargo. Providers inside cargo that keep
//! tokens of the operating system cannot be asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, SystemTime};

use camino::Utf8Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::{CargoConfig, ProvidedToken, token_variable};
use super::crates_io::CRATES_IO;
use crate::release::publisher::{Failure, StepContext};
use crate::release::registry::Registry;

/// The version of the protocol.
const PROTOCOL_VERSION: u64 = 1;

/// The time between two checks of the deadline.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The greatest length of a provider's line, in bytes.
const MAX_LINE: u64 = 64 * 1024;

/// Returns the token that reads a registry; `None` if no provider has one.
pub(super) fn read_token(
    config: &CargoConfig,
    registry: &Registry,
    context: &StepContext<'_>,
) -> Result<Option<String>, Failure> {
    let name = registry.name.as_str();
    let mut inside_cargo = None;
    for provider in providers(config, name) {
        let Some((program, arguments)) = provider.split_first() else { continue };
        let provided = match program.as_str() {
            "cargo:token" => match config.token(name) {
                Some(token) => return Ok(Some(token)),
                None => continue,
            },
            "cargo:token-from-stdout" => ask(config, name, || ask_command(registry, arguments, context).map(Some)),
            program if program.starts_with("cargo:") => {
                inside_cargo.get_or_insert(program.to_owned());
                continue;
            }
            program => ask(config, name, || ask_program(registry, program, arguments, context)),
        };
        let provided = provided.map_err(|error| {
            Failure::permanent(format!("the credential provider {program} of registry {name} failed: {error}"))
        })?;
        if provided.is_some() {
            return Ok(provided);
        }
    }
    let Some(provider) = inside_cargo else {
        return Ok(None);
    };
    let variable = token_variable(name);
    Err(Failure::permanent(format!(
        "only cargo can ask {provider} for the token of registry {name}; set {variable} too, and add `cargo:token` to \
         registry.global-credential-providers"
    )))
}

/// Returns the token that a provider returned before, if it is still valid, or asks it.
fn ask(
    config: &CargoConfig,
    registry: &str,
    provider: impl FnOnce() -> Result<Option<ProvidedToken>, String>,
) -> Result<Option<String>, String> {
    if let Some(kept) = config.provided_token(registry) {
        return Ok(Some(kept.token));
    }
    let provided = provider()?;
    if let Some(provided) = &provided {
        config.keep_provided_token(registry, provided.clone());
    }
    Ok(provided.map(|provided| provided.token))
}

/// Returns the providers of a registry with their arguments, in the order in which they are asked.
fn providers(config: &CargoConfig, registry: &str) -> Vec<Vec<String>> {
    let pointer = match registry {
        CRATES_IO => "/registry/credential-provider".to_owned(),
        name => format!("/registries/{name}/credential-provider"),
    };
    let own = config.nearest(&pointer).map(|(value, directory)| command_in(&words(&value), &directory));
    if let Some(provider) = own {
        return vec![resolve_alias(config, provider)];
    }
    // The last one has the highest precedence.
    let global = config.lists("/registry/global-credential-providers");
    let mut providers: Vec<Vec<String>> = global
        .into_iter()
        .rev()
        .map(|(provider, directory)| command_in(&words(&Value::String(provider)), &directory))
        .map(|provider| resolve_alias(config, provider))
        .collect();
    if providers.is_empty() {
        providers.push(vec!["cargo:token".to_owned()]);
    }
    providers
}

/// Returns the words of a command: those of a list, or of a text, divided by spaces.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_ascii_whitespace().map(ToOwned::to_owned).collect(),
        Value::Array(words) => words.iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect(),
        _ => Vec::new(),
    }
}

/// Returns a command whose program, if it is a path, is in that directory. Another one is searched for as by a shell.
fn command_in(words: &[String], directory: &Utf8Path) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(program) = words.first_mut().filter(|program| program.contains(['/', '\\'])) {
        *program = directory.join(&*program).into_string();
    }
    words
}

/// Replaces the name of an alias by its command. A name that cargo defines is no alias.
fn resolve_alias(config: &CargoConfig, provider: Vec<String>) -> Vec<String> {
    match provider.as_slice() {
        [name] if !name.starts_with("cargo:") => {
            let alias = config.nearest(&format!("/credential-alias/{name}"));
            alias.map_or(provider, |(value, directory)| command_in(&words(&value), &directory))
        }
        _ => provider,
    }
}

/// Runs a command that prints a token.
fn ask_command(registry: &Registry, arguments: &[String], context: &StepContext<'_>) -> Result<ProvidedToken, String> {
    let (program, arguments) = arguments.split_first().ok_or("it has no command")?;
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|argument| argument.replace("{index_url}", &registry.index)));
    command.env("CARGO_REGISTRY_INDEX_URL", &registry.index).env("CARGO_REGISTRY_NAME_OPT", registry.name.as_str());
    let mut output = Conversation::start(command)?.finish(context)?.into_iter();
    match (output.next(), output.next()) {
        (Some(token), None) if !token.is_empty() => Ok(ProvidedToken::of_session(token)),
        (None | Some(_), None) => Err("it printed no token".to_owned()),
        _ => Err("it printed more than one line".to_owned()),
    }
}

/// Asks a program by cargo's protocol.
fn ask_program(
    registry: &Registry,
    program: &str,
    arguments: &[String],
    context: &StepContext<'_>,
) -> Result<Option<ProvidedToken>, String> {
    let mut command = Command::new(program);
    command.arg("--cargo-plugin").stdin(Stdio::piped());
    let mut conversation = Conversation::start(command)?;
    let hello = conversation.read_line(context)?.unwrap_or_default();
    let hello: Result<Hello, _> = serde_json::from_str(&hello);
    if !hello.is_ok_and(|hello| hello.v.contains(&PROTOCOL_VERSION)) {
        return Err("it does not know version 1 of cargo's protocol".to_owned());
    }
    conversation.write_line(&request(registry, arguments).to_string())?;
    let response = conversation.read_line(context)?.unwrap_or_default();
    conversation.finish(context)?;
    parse_response(&response)
}

/// Returns the request for a token that reads a registry.
fn request(registry: &Registry, arguments: &[String]) -> Value {
    let mut request = json!({
        "v": PROTOCOL_VERSION,
        "registry": { "index-url": registry.index, "name": registry.name.as_str() },
        "kind": "get",
        "operation": "read",
    });
    if let Some(request) = request.as_object_mut().filter(|_| !arguments.is_empty()) {
        request.insert("args".to_owned(), json!(arguments));
    }
    request
}

/// The first line of a provider: the versions of the protocol that it knows.
#[derive(Deserialize)]
struct Hello {
    v: Vec<u64>,
}

#[derive(Deserialize)]
enum Response {
    Ok(Answer),
    Err(Refusal),
}

#[derive(Deserialize)]
struct Answer {
    kind: String,
    token: Option<String>,
    /// How long cargo may use the token: `session`, `expires` or `never` again.
    cache: Option<String>,
    /// The end of `expires`, in seconds since 1970.
    expiration: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    kind: String,
    message: Option<String>,
}

/// Returns the token of a response; `None` if the provider has none for this registry. Errors do not contain the response.
fn parse_response(line: &str) -> Result<Option<ProvidedToken>, String> {
    let answer = match serde_json::from_str(line) {
        Ok(Response::Ok(answer)) => answer,
        Ok(Response::Err(Refusal { kind, message })) => {
            return match kind.as_str() {
                "not-found" | "url-not-supported" => Ok(None),
                "operation-not-supported" => Err("it does not support reading".to_owned()),
                _ => Err(message.unwrap_or_else(|| "it answered with an unknown error".to_owned())),
            };
        }
        Err(_) => return Err("its answer is not of cargo's protocol".to_owned()),
    };
    let token = answer.token.filter(|_| answer.kind == "get").ok_or("it answered without a token")?;
    let valid_until = match answer.cache.as_deref() {
        Some("session") => None,
        Some("expires") => {
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(answer.expiration.unwrap_or_default()))
        }
        _ => Some(SystemTime::UNIX_EPOCH),
    };
    Ok(Some(ProvidedToken { token, valid_until }))
}

/// A running provider, which is killed when it is dropped.
struct Conversation {
    child: Child,
    lines: Receiver<String>,
}

impl Conversation {
    fn start(mut command: Command) -> Result<Self, String> {
        // A provider may ask the user on the terminal. So it stays in the process group, and standard error is that of this
        // program.
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("cannot start it: {error}"))?;
        let (sender, lines) = sync_channel(2);
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut stdout = BufReader::new(stdout);
                let mut line = String::new();
                while matches!(stdout.by_ref().take(MAX_LINE).read_line(&mut line), Ok(length) if length > 0) {
                    let read = std::mem::take(&mut line);
                    if sender.send(read.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { child, lines })
    }

    /// Returns the next line; `None` at the end of the output.
    fn read_line(&mut self, context: &StepContext<'_>) -> Result<Option<String>, String> {
        loop {
            context.check().map_err(|over| over.message)?;
            match self.lines.recv_timeout(POLL_INTERVAL) {
                Ok(line) => return Ok(Some(line)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn write_line(&mut self, line: &str) -> Result<(), String> {
        let stdin = self.child.stdin.as_mut().ok_or("its input is closed")?;
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).map_err(|error| error.to_string())
    }

    /// Closes the input, and returns the further lines of a program that succeeds.
    fn finish(mut self, context: &StepContext<'_>) -> Result<Vec<String>, String> {
        drop(self.child.stdin.take());
        let mut lines = Vec::new();
        while let Some(line) = self.read_line(context)? {
            lines.push(line);
        }
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(lines),
                Ok(Some(status)) => return Err(format!("it ended with {status}")),
                Ok(None) => {}
                Err(error) => return Err(error.to_string()),
            }
            context.check().map_err(|over| over.message)?;
            std::thread::sleep(POLL_INTERVAL / 10);
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
#[path = "../../../tests/unit/credential.rs"]
mod tests;
