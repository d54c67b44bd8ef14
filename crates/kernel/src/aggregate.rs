//! Commands are decided, events are folded.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Instant, Refusal};

/// Something that has happened. Append-only: a variant is never edited or removed.
pub trait Fact: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + 'static {
    /// The name on the log with its version, `<slice>.<past participle>.v<n>`, e.g.
    /// `code.declared.v1`. Public: it must tell nothing about a person.
    fn kind(&self) -> &'static str;
}

/// The state of one thing, as its past adds up to it.
pub trait Aggregate: Default + Clone + Send + 'static {
    /// The stream's name, `<slice>.<thing>`, e.g. `code.holder`.
    const STREAM: &'static str;
    /// What may be asked of it.
    type Command: Clone + Send + 'static;
    /// What can happen to it.
    type Event: Fact;
    /// How it says no.
    type Refusal: Refusal;

    /// The rules: what the past and the command make happen, or why not. Pure; the caller brings
    /// time and ids.
    fn decide(
        &self,
        command: Self::Command,
        now: Instant,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Adds one event. Never refuses: an event is a fact.
    fn fold(&mut self, event: &Self::Event);
}

/// The state that `past` adds up to: the first line of a given/when/then test.
pub fn given<A: Aggregate>(past: &[A::Event]) -> A {
    let mut state = A::default();
    for event in past {
        state.fold(event);
    }
    state
}
