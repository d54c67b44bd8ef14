//! How commands reach the write door: with the rules in force, read in the same transaction.

use contracts::person::Person;
use kernel::{Id, Refusal as _};
use store::{Context, Done, Fault, Store, Tx};
use web::{App, Problem};

use crate::command::{Ask, Command};
use crate::event::Event;
use crate::keys;
use crate::model::{Holder, Ruling};
use crate::policy::{POLICY, Policy, PolicyCommand};
use crate::refusal::Refusal;

/// What a command on a person's code gives: its events or the refusal.
pub type Answer = Result<Done<Event>, Refusal>;

/// Decides one command while the write door is held. The shipped rules go on the log first if none
/// are there, so that no decision stands on the log before its rules.
pub fn run(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    ask: &Ask,
    decision: Id<Ruling>,
) -> Result<Answer, Fault> {
    let mut policy = tx.state::<Policy>(POLICY)?;
    if !policy.recorded {
        let system = Context::by(store::By::System("code"));
        let begun = tx.run::<Policy>(&system, POLICY, PolicyCommand::Begin)?;
        begun.map_err(|refusal| Fault::new(refusal.code()))?;
        policy = tx.state::<Policy>(POLICY)?;
    }
    let issuer = match ask {
        Ask::IssuePass { .. } => {
            let now = tx.now();
            Some(keys::signing(tx, now)?)
        }
        _ => None,
    };
    let command = Command { ask: ask.clone(), policy, decision, issuer };
    tx.run::<Holder>(context, person.to_u128(), command)
}

/// [`run`] from a handler; answers when durable.
pub async fn execute(
    app: &App,
    context: Context,
    person: Id<Person>,
    ask: Ask,
) -> Result<Done<Event>, Problem> {
    let decision = app.random_id();
    let answer = app.write(move |tx| run(tx, &context, person, &ask, decision)).await?;
    answer.map_err(|refusal| Problem::refused(&refusal))
}

/// [`run`] for threads outside of the async world: simulations, imports, tests.
pub fn execute_blocking(
    store: &Store,
    context: Context,
    person: Id<Person>,
    ask: Ask,
) -> Result<Done<Event>, store::Error<Refusal>> {
    let decision = Id::random(store.seed());
    match store.write_blocking(move |tx| run(tx, &context, person, &ask, decision)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(refusal)) => Err(store::Error::Refused(refusal)),
        Err(store::Error::Busy { retry_after_s }) => Err(store::Error::Busy { retry_after_s }),
        Err(store::Error::Fault(fault)) => Err(store::Error::Fault(fault)),
        Err(store::Error::Refused(never)) => match never {},
    }
}
