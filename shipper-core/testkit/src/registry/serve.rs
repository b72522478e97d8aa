//! The listener, one thread for each connection, and the answers to requests.

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::fault::{Ending, Fault, On, Plan};
use super::http::{Incoming, Reply, receive};
use super::store::{Package, Store};
use super::{Demands, Request, Upload};

type Hook = Arc<dyn Fn(&Upload) + Send + Sync>;

/// The state that the threads and the handles share.
pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) demands: Demands,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) plan: Plan,
    pub(super) requests: Vec<Request>,
    pub(super) uploads: Vec<Upload>,
    pub(super) at_upload: Vec<Hook>,
    /// Counts the stops: a connection from before a stop is closed.
    life: u64,
    listener: Option<JoinHandle<()>>,
    connections: Vec<(TcpStream, JoinHandle<()>)>,
}

impl Shared {
    pub(super) fn start(demands: Demands) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, demands.port)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Self { address, demands, state: Mutex::default(), changed: Condvar::new() });
        shared.listen(listener);
        shared
    }

    /// Returns the state, also after a test panicked while it held the lock.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn wait_until(&self, patience: Duration, reached: impl Fn(&State) -> bool) -> bool {
        let waiting = self.changed.wait_timeout_while(self.state(), patience, |state| !reached(state));
        !waiting.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn listen(self: &Arc<Self>, listener: TcpListener) {
        let (shared, life) = (Arc::clone(self), self.state().life);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut state = shared.state();
                if state.life != life {
                    return;
                }
                let Some((ours, kept)) = stream.ok().and_then(|stream| Some((stream.try_clone().ok()?, stream))) else {
                    continue;
                };
                let server = Arc::clone(&shared);
                let thread = std::thread::spawn(move || server.serve(&ours, life));
                state.connections.retain(|(_, thread)| !thread.is_finished());
                state.connections.push((kept, thread));
            }
        });
        self.state().listener = Some(thread);
    }

    pub(super) fn vanish(&self) {
        let mut state = self.state();
        let Some(listener) = state.listener.take() else { return };
        state.life += 1;
        drop(state);
        // The listener reads its state only after a connection.
        let _ = TcpStream::connect(self.address);
        listener.join().expect("the listener ends");
        // The connections are closed after the listener, so a client that connects again is refused.
        for (stream, _) in &self.state().connections {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    pub(super) fn come_back(self: &Arc<Self>) {
        assert!(self.state().listener.is_none(), "it has not vanished");
        self.listen(TcpListener::bind(self.address).expect("its port is still free"));
    }

    pub(super) fn wait_for_connections(&self) {
        let connections = std::mem::take(&mut self.state().connections);
        for (_, thread) in connections {
            let _ = thread.join();
        }
    }

    fn serve(&self, stream: &TcpStream, life: u64) {
        // The error of a client that disconnects is ignored: the test sees the client's output.
        if let Ok(incoming) = receive(stream) {
            let (reply, ending) = self.answer(&incoming);
            let _ = match ending {
                Ending::Answer => reply.send(stream),
                Ending::Refuse(status, detail) => Reply::error(status, &detail).send(stream),
                Ending::CutOff => reply.send_half(stream),
                Ending::Vanish => {
                    self.vanish();
                    Ok(())
                }
                Ending::Late(delay) => {
                    self.wait_until(delay, |state| state.life != life);
                    reply.send(stream)
                }
                Ending::Never => {
                    self.wait_until(Duration::MAX, |state| state.life != life);
                    Ok(())
                }
            };
        }
        let _ = stream.shutdown(Shutdown::Both);
    }

    fn answer(&self, incoming: &Incoming) -> (Reply, Ending) {
        let Incoming { method, path, token, .. } = incoming;
        let at = SystemTime::now();
        let request = Request { at, method: method.clone(), path: path.clone(), token: token.clone() };
        self.state().requests.push(request);
        self.changed.notify_all();

        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let entitled = token.as_deref() == Some(&self.demands.token);
        let reads = method == "GET" && words != ["index", "config.json"];
        if self.demands.private && reads && !entitled {
            return (Reply::error(401, "this registry wants a token"), Ending::Answer);
        }
        match (method.as_str(), &words[..]) {
            ("GET", ["index", "config.json"]) => (self.config(), Ending::Answer),
            ("GET", ["index", place @ .., name]) => self.look(&[place, &[name]].concat().join("/"), name, incoming),
            ("GET", ["api", "v1", "crates", name, version, "download"]) => self.download(name, version),
            // The answer of kellnr to a health check.
            ("GET", ["api", "v1", "health"]) => (Reply::new(200, "OK"), Ending::Answer),
            // kellnr rejects this request too.
            ("GET", ["api", "v1", "crates", _, _]) => (Reply::error(400, "bad request"), Ending::Answer),
            ("PUT" | "DELETE", _) if !entitled => (Reply::error(403, "authentication failed"), Ending::Answer),
            ("PUT", ["api", "v1", "crates", "new"]) => self.publish(incoming, at),
            ("DELETE", ["api", "v1", "crates", name, version, "yank"]) => {
                (self.yank(name, version, true), Ending::Answer)
            }
            ("PUT", ["api", "v1", "crates", name, version, "unyank"]) => {
                (self.yank(name, version, false), Ending::Answer)
            }
            _ => (Reply::error(404, "not found"), Ending::Answer),
        }
    }

    fn config(&self) -> Reply {
        let base = self.base_url();
        let Demands { private, api, downloads_elsewhere, .. } = &self.demands;
        let api = api.as_ref().unwrap_or(&base);
        let host = if *downloads_elsewhere { base.replace("127.0.0.1", "localhost") } else { base.clone() };
        let config = json!({ "dl": format!("{host}/api/v1/crates"), "api": api, "auth-required": private });
        Reply::new(200, config.to_string())
    }

    fn look(&self, place: &str, name: &str, incoming: &Incoming) -> (Reply, Ending) {
        let mut state = self.state();
        let ending = state.plan.take(On::Index, name).map_or(Ending::Answer, |fault| fault.ending);
        let Some(file) = state.store.look(place) else { return (Reply::error(404, "no such crate"), ending) };
        let etag = format!("\"{}\"", blake3::hash(file.as_bytes()));
        let known = incoming.known_etag.as_ref() == Some(&etag);
        let reply = if known { Reply::new(304, "") } else { Reply::new(200, file) };
        (Reply { etag: Some(etag), ..reply }, ending)
    }

    fn download(&self, name: &str, version: &str) -> (Reply, Ending) {
        let mut state = self.state();
        let ending = state.plan.take(On::Download, name).map_or(Ending::Answer, |fault| fault.ending);
        let bytes = state.store.bytes(name, version);
        (bytes.map_or_else(|| Reply::error(404, "no such version"), |bytes| Reply::new(200, bytes)), ending)
    }

    fn yank(&self, name: &str, version: &str, yanked: bool) -> Reply {
        if self.state().store.yank(name, version, yanked) {
            Reply::new(200, r#"{"ok":true}"#)
        } else {
            Reply::error(404, "no such version")
        }
    }

    fn publish(&self, incoming: &Incoming, at: SystemTime) -> (Reply, Ending) {
        let Some(mut package) = Package::parse(&incoming.body) else {
            return (Reply::error(400, "the upload is not metadata and a crate, each with its length"), Ending::Answer);
        };
        let (name, version) = (package.name.clone(), package.version.clone());
        let mut upload = Upload { at, name, version, token: incoming.token.clone(), kept: false };
        let hooks = self.state().at_upload.clone();
        hooks.iter().for_each(|hook| hook(&upload));
        let mut state = self.state();
        let fault = state.plan.take(On::Publish, &upload.name);
        let (kept, hidden_looks) = fault.as_ref().map_or((true, 0), |fault| (fault.kept, fault.hidden_looks));
        if fault.as_ref().is_some_and(|fault| fault.tampered) {
            package.tamper();
        }
        let outcome = if kept { state.store.keep(package, hidden_looks) } else { Ok(()) };
        upload.kept = kept && outcome.is_ok();
        state.uploads.push(upload);
        let reply = match outcome {
            Ok(()) => Reply::new(200, r#"{"warnings":{"invalid_categories":[],"invalid_badges":[],"other":[]}}"#),
            Err(detail) => Reply::error(400, &detail),
        };
        (reply, fault.map_or(Ending::Answer, |fault: Fault| fault.ending))
    }
}
