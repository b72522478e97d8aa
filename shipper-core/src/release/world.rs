//! The world outside: the three things that a release does to a registry, and what may be heard of them meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use shipper_events::Name;
use thiserror::Error;
use url::{Host, Url};

use super::plan::Planned;

/// The registry that cargo knows by this name only: the address of a [`Target`] that stands for it.
pub(super) const CRATES_IO: &str = "crates-io";

/// A registry: its name in cargo's configuration, and the address of its index, which tells registries apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name, which the log and the gate know it by.
    pub name: Name,
    /// The address of its index, as in cargo's configuration, such as `sparse+https://registry.example/index/`; `crates-io` for the
    /// registry that cargo knows by that name.
    pub index: String,
}

impl Target {
    /// Whether both are the same registry, by address: a name says nothing.
    pub fn is_same_registry(&self, other: &Self) -> bool {
        normal(&self.index) == normal(&other.index)
    }

    /// The host that it is on, for the log: no user, password or path is in it.
    pub(super) fn authority(&self) -> String {
        address(&self.index).map_or_else(String::new, |url| url.origin().ascii_serialization())
    }
}

impl Target {
    /// The name of the machine that it is on.
    #[cfg(feature = "cargo")]
    pub(super) fn host(&self) -> Option<String> {
        address(&self.index)?.host_str().map(str::to_owned)
    }
}

/// An index's address, without the word that names the protocol.
fn address(index: &str) -> Option<Url> {
    Url::parse(index.strip_prefix("sparse+").unwrap_or(index)).ok()
}

/// An index's address without what does not tell registries apart.
fn normal(index: &str) -> String {
    let Some(url) = address(index) else {
        return index.to_owned();
    };
    // Cargo knows crates-io by its name, and others may have configured its address under another.
    let domain = CRATES_IO.replace('-', ".");
    let is_its_host = |host: &str| host == domain || host.ends_with(&format!(".{domain}"));
    if url.host_str().is_some_and(is_its_host) || url.path().contains(&format!("/{domain}-index")) {
        return CRATES_IO.to_owned();
    }
    let host = match url.host() {
        Some(Host::Ipv4(host)) if host.is_loopback() => "loopback".to_owned(),
        Some(Host::Ipv6(host)) if host.is_loopback() => "loopback".to_owned(),
        Some(Host::Domain("localhost")) => "loopback".to_owned(),
        Some(host) => host.to_string(),
        None => String::new(),
    };
    let port = url.port_or_known_default().unwrap_or(0);
    format!("{}://{host}:{port}{}", url.scheme(), url.path().trim_end_matches('/'))
}

/// What a registry shows of a package's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// It is there, with the content of the plan.
    Same,
    /// It is there, with another content.
    Other,
    /// It is there; its content was not compared.
    There,
}

/// What a command printed last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tails {
    /// On standard output.
    pub stdout: String,
    /// On standard error.
    pub stderr: String,
}

/// Why a step did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Failure {
    /// What it means for a second try.
    pub class: Class,
    /// What went wrong, for the log: no secret is in it.
    pub message: String,
    /// What the command printed last, if there was one.
    pub tails: Tails,
}

impl Failure {
    /// A failure of no command.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), tails: Tails::default() }
    }
}

/// What a failure means for a second try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It may pass: the network, or a registry that is overloaded.
    Retryable,
    /// It will not pass until somebody mends something.
    Permanent,
    /// Nobody knows whether it was done: look before trying again.
    Ambiguous,
}

impl Class {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Permanent => "permanent",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// What a release does to registries, one package at a time: cargo does it, or a test.
pub trait Publisher {
    /// Whether the registry shows that version.
    ///
    /// # Errors
    ///
    /// When the registry cannot be asked, or does not answer as one.
    fn find(&mut self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<Found, Failure>;

    /// Publishes one package. It must publish what the plan says, and fail if that is no longer what is there.
    ///
    /// # Errors
    ///
    /// When it was not published, or nobody knows.
    fn publish(&mut self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<Tails, Failure>;

    /// Installs the program of a package from a registry, to see that it can be.
    ///
    /// # Errors
    ///
    /// When it cannot.
    fn install(&mut self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<(), Failure>;

    /// The command that publishes, for the log.
    fn command(&self, package: &Planned, on: &Target) -> String;
}

/// The step at work: how long it may take, whether somebody asked to stop, and who hears of it.
pub struct Moment<'m> {
    /// When it must be over.
    pub until: Instant,
    /// Whether somebody asked to stop.
    pub stop: &'m Stop,
    /// Who hears of it.
    pub progress: &'m mut dyn Progress,
}

impl Moment<'_> {
    /// Goes on, unless the step must end now.
    ///
    /// # Errors
    ///
    /// When somebody asked to stop, or the time is up.
    pub fn check(&self) -> Result<(), Failure> {
        if self.stop.is_asked() {
            return Err(Failure::new(Class::Ambiguous, "somebody asked to stop"));
        }
        if Instant::now() >= self.until {
            let message = "it took longer than it may; look what hangs, or give it more time";
            return Err(Failure::new(Class::Ambiguous, message));
        }
        Ok(())
    }
}

/// Asks a release to stop: at once, in order, and with everything recorded. Clones ask the same release.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks. It can be called from a signal handler's thread.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Hears how a release goes on. Every method does nothing unless it is implemented.
pub trait Progress {
    /// A step begins: a package, and what is done to it.
    fn begins(&mut self, step: Step, package: &Planned) {
        let _ = (step, package);
    }

    /// A step is over, after that time; `failure` says why it did not succeed.
    fn ends(&mut self, step: Step, package: &Planned, took: Duration, failure: Option<&Failure>) {
        let _ = (step, package, took, failure);
    }

    /// A command printed a line.
    fn output(&mut self, line: &str) {
        let _ = line;
    }
}

/// Nobody hears.
impl Progress for () {}

/// What is done to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is published.
    Publish,
    /// The registry is asked until it shows it.
    Await,
    /// Its program is installed.
    Install,
    /// It is there already, and passed over.
    Skip,
}
