//! A registry on the loopback interface for tests. It has the part of cargo's sparse-index and publish protocols with which
//! the real cargo publishes, resolves, downloads and installs.
//!
//! ```text
//! let registry = Registry::start();                                  // 127.0.0.1, a free port, until the last clone drops
//! let sandbox = CargoSandbox::new("rehearsal", &registry);                    // a cargo home with it and its token
//! registry.order(On::Publish, "b", 1, Fault::refuse(500, "no"));     // the next upload of b fails
//! sandbox.cargo(&workspace, &["publish", "-p", "a", "--registry", "rehearsal"]);
//! assert_eq!(registry.versions("a"), ["0.1.0"]);
//! ```
//!
//! It has no search, no owners and no git protocol. It answers `GET` of a version with status 400, as kellnr does.

mod cargo_sandbox;
mod fault;
mod http;
mod index;
mod serve;
mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use cargo_sandbox::{CargoSandbox, CommandResult, edit, members, three_members, three_members_for, write};
pub use fault::{Fault, On};
use serde_json::Value;
use serve::Shared;

/// The default token of a registry.
pub const TOKEN: &str = "loopback-token-4711";

/// A running registry. Clones are handles to the same registry, which stops when the last of them drops.
#[derive(Clone)]
pub struct Registry(Arc<Running>);

struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.vanish();
        self.0.wait_for_connections();
    }
}

/// The requirements of a registry, and the addresses that it announces.
#[derive(Clone, Debug)]
pub struct Demands {
    /// The port on the loopback interface; 0 for a free one.
    pub port: u16,
    /// The token that an upload must carry.
    pub token: String,
    /// `true` if requests of the index and downloads must carry the token too.
    pub private: bool,
    /// The address of uploads in its `config.json`; `None` for its own.
    pub api: Option<String>,
    /// `true` if the host of its downloads has another name.
    pub downloads_elsewhere: bool,
}

impl Default for Demands {
    fn default() -> Self {
        Self { port: 0, token: TOKEN.to_owned(), private: false, api: None, downloads_elsewhere: false }
    }
}

/// A request that arrived completely, recorded before the registry acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub at: SystemTime,
    pub method: String,
    pub path: String,
    /// The value of `Authorization`, unchanged.
    pub token: Option<String>,
}

/// An upload that arrived completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The time of its arrival.
    pub at: SystemTime,
    pub name: String,
    pub version: String,
    pub token: Option<String>,
    /// `true` if the registry keeps it, even if the client got an error.
    pub kept: bool,
}

impl Registry {
    /// Starts a registry that requires [`TOKEN`] for uploads, and no token for reads.
    pub fn start() -> Self {
        Self::start_with(Demands::default())
    }

    pub fn start_with(demands: Demands) -> Self {
        Self(Arc::new(Running(Shared::start(demands))))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }

    pub fn address(&self) -> SocketAddr {
        self.shared().address
    }

    pub fn base_url(&self) -> String {
        self.shared().base_url()
    }

    /// The value of `index` in cargo's configuration.
    pub fn index_url(&self) -> String {
        format!("sparse+{}/index/", self.base_url())
    }

    pub fn token(&self) -> &str {
        &self.shared().demands.token
    }

    /// Returns the versions of a crate, in the order of their uploads, including those that the index does not show.
    pub fn versions(&self, name: &str) -> Vec<String> {
        self.shared().state().store.versions(name)
    }

    pub fn crate_bytes(&self, name: &str, version: &str) -> Option<Vec<u8>> {
        self.shared().state().store.bytes(name, version)
    }

    /// Replaces the file of a version, as if it was uploaded.
    pub fn replace_crate(&self, name: &str, version: &str, bytes: Vec<u8>) {
        self.shared().state().store.replace(name, version, bytes);
    }

    /// Returns the index's line for a version, even if the index does not show it.
    pub fn index_entry(&self, name: &str, version: &str) -> Option<Value> {
        self.shared().state().store.entry(name, version)
    }

    /// Returns all uploads that arrived, in order, including refused ones.
    pub fn uploads(&self) -> Vec<Upload> {
        self.shared().state().uploads.clone()
    }

    /// All requests that arrived, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared().state().requests.clone()
    }

    /// Waits until the requests fulfil a condition. Returns `false` if they do not within `patience`.
    pub fn wait_until(&self, patience: Duration, reached: impl Fn(&[Request]) -> bool) -> bool {
        self.shared().wait_until(patience, |state| reached(&state.requests))
    }

    /// Adds a hook for uploads that arrived completely. It is called before the registry keeps or answers an upload,
    /// and sees the files that the client wrote before. It must not own the registry itself.
    pub fn at_upload(&self, hook: impl Fn(&Upload) + Send + Sync + 'static) {
        self.shared().state().at_upload.push(Arc::new(hook));
    }

    /// Orders a fault for the `nth` such request from now on. The next request is number 1.
    pub fn order(&self, on: On, name: &str, nth: u64, fault: Fault) {
        self.shared().state().plan.add(on, name, nth, fault);
    }

    /// Orders a fault for every such request from now on.
    pub fn order_for_every(&self, on: On, name: &str, fault: Fault) {
        self.shared().state().plan.add_for_every(on, name, fault);
    }

    /// Cancels all orders that are still open.
    pub fn mend(&self) {
        self.shared().state().plan.clear();
    }

    /// Stops at once: open connections are closed, and new ones are refused. The registry keeps its packages.
    pub fn vanish(&self) {
        self.shared().vanish();
    }

    /// Starts again at the same address after it vanished.
    pub fn come_back(&self) {
        self.shared().come_back();
    }

    /// Removes every crate, as if the registry was set up anew. The lists of requests and uploads stay.
    ///
    /// Cargo keeps a version that it downloaded from this address or built, and does not request it again.
    pub fn wipe(&self) {
        self.shared().state().store = store::Store::default();
    }
}
