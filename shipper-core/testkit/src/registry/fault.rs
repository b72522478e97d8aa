//! What can go wrong with a registry, in a form that a test can order beforehand.

use std::time::Duration;

/// Which kind of request a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// The upload of a version.
    Publish,
    /// A look at a crate's file in the index.
    Index,
    /// The download of a version.
    Download,
}

/// How an ordered request ends. Without an order it ends well.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whether an upload is kept. What goes wrong afterwards then hides from the client that it was.
    pub(super) kept: bool,
    pub(super) shown: Shown,
    pub(super) ending: Ending,
}

/// When the index shows a version that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    AtOnce,
    /// After this many looks at the crate's file.
    After(u64),
    Never,
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
        Self { kept: true, shown: Shown::AtOnce, ending }
    }

    /// Answers with this status and detail; keeps nothing.
    pub fn refuse(status: u16, detail: &str) -> Self {
        Self { kept: false, ..Self::kept(Ending::Refuse(status, detail.to_owned())) }
    }

    /// Accepts an upload that the index never shows.
    pub fn hide() -> Self {
        Self { shown: Shown::Never, ..Self::kept(Ending::Answer) }
    }

    /// Accepts an upload that the index shows after that many looks at the crate's file.
    pub fn show_after(looks: u64) -> Self {
        Self { shown: Shown::After(looks), ..Self::kept(Ending::Answer) }
    }

    /// Answers only after that time.
    pub fn late(delay: Duration) -> Self {
        Self::kept(Ending::Late(delay))
    }

    /// Never answers: the client waits until it gives up or the registry is gone.
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

    /// Whatever was done about the request, this is what the client is told.
    pub fn and_answer(mut self, status: u16, detail: &str) -> Self {
        self.ending = Ending::Refuse(status, detail.to_owned());
        self
    }

    /// An upload is lost as well: what arrived is not kept.
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
    /// How many more such requests end well; none once it is for every one.
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
