//! Contact tracing: what the store must see before it joins identity with visits.

use kernel::{Id, Kind};

use crate::person::Staff;

/// A case: one confirmed person's illness, from opening to closing.
#[derive(Debug)]
pub struct Case;
impl Kind for Case {
    const PREFIX: &'static str = "case";
}

/// An open case as grounds for a join. Two different officers stand for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseGrounds {
    /// The case.
    pub case: Id<Case>,
    /// The officer who asks.
    pub asked_by: Id<Staff>,
    /// The officer who agreed. Must differ from the first.
    pub agreed_by: Id<Staff>,
}
