//! Faults that a test orders for later requests to the registry.

use std::time::Duration;

/// The kind of request that a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// The upload of a version.
    Publish,
    /// A request of a crate's file in the index.
    Index,
    /// The download of a version.
    Download,
}

/// The effect of an order on its request. A request without an order succeeds.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `true` if the registry keeps the upload, even if the client gets an error.
    pub(super) kept: bool,
    /// The number of requests of the crate's file that do not show an upload that was kept.
    pub(super) hidden_looks: u64,
    /// `true` if the registry keeps another file than was uploaded, with the same entries.
    pub(super) tampered: bool,
    pub(super) ending: Ending,
}

#[derive(Clone, Debug)]
pub(super) enum Ending {
    Answer,
    Refuse(u16, String),
    Late(Duration),
    Never,
    CutOff,
    Vanish,
}

impl Fault {
    fn kept(ending: Ending) -> Self {
        Self { kept: true, hidden_looks: 0, tampered: false, ending }
    }

    /// Answers with this status and detail, and keeps nothing.
    pub fn refuse(status: u16, detail: &str) -> Self {
        Self { kept: false, ..Self::kept(Ending::Refuse(status, detail.to_owned())) }
    }

    /// Accepts an upload, and keeps another file with the same entries.
    pub fn tamper() -> Self {
        Self { tampered: true, ..Self::kept(Ending::Answer) }
    }

    /// Accepts an upload that the index never shows.
    pub fn hide() -> Self {
        Self::show_after(u64::MAX)
    }

    /// Accepts an upload that the index shows after that many requests of the crate's file.
    pub fn show_after(looks: u64) -> Self {
        Self { hidden_looks: looks, ..Self::kept(Ending::Answer) }
    }

    /// Answers after this delay.
    pub fn late(delay: Duration) -> Self {
        Self::kept(Ending::Late(delay))
    }

    /// Never answers: the client waits until it gives up or the registry stops.
    pub fn never() -> Self {
        Self::kept(Ending::Never)
    }

    /// Closes the connection in the middle of the answer.
    pub fn cut_off() -> Self {
        Self::kept(Ending::CutOff)
    }

    /// The registry vanishes when the request has arrived, as by [`Registry::vanish`](super::Registry::vanish).
    pub fn vanish() -> Self {
        Self::kept(Ending::Vanish)
    }

    /// The client gets this answer, also if the upload is kept.
    pub fn and_answer(mut self, status: u16, detail: &str) -> Self {
        self.ending = Ending::Refuse(status, detail.to_owned());
        self
    }

    /// Drops the upload.
    pub fn and_lose_it(mut self) -> Self {
        self.kept = false;
        self
    }
}

/// The orders that are open.
#[derive(Default)]
pub(super) struct Plan(Vec<Order>);

struct Order {
    on: On,
    name: String,
    /// The number of such requests that still succeed.
    spared: u64,
    every: bool,
    fault: Fault,
}

impl Plan {
    pub(super) fn add(&mut self, on: On, name: &str, nth: u64, fault: Fault) {
        assert!(nth > 0, "the next request is number 1");
        self.0.push(Order { on, name: name.to_owned(), spared: nth - 1, every: false, fault });
    }

    pub(super) fn add_for_every(&mut self, on: On, name: &str, fault: Fault) {
        self.0.push(Order { on, name: name.to_owned(), spared: 0, every: true, fault });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for this request; every order counts it.
    pub(super) fn take(&mut self, on: On, name: &str) -> Option<Fault> {
        let mut due = None;
        self.0.retain_mut(|order| {
            if (order.on, order.name.as_str()) != (on, name) {
                return true;
            }
            if order.spared > 0 {
                order.spared -= 1;
                return true;
            }
            if due.is_some() {
                return true;
            }
            due = Some(order.fault.clone());
            order.every
        });
        due
    }
}
