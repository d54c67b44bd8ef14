//! The codes that stricter rules end.
//!
//! A colour follows new rules by itself: it is computed at each look. A code is a promise that was
//! signed under the rules of then, and gates believe it with no network; so after each change of the
//! rules every code that may still be good is looked at once, and those that say a better colour
//! than its person has now are revoked. Gates learn it with their next list, within a minute where
//! there is a network; a code that no list reaches ends by itself, after three days at most.
//!
//! Bounded: a batch is read beside the writer, and only the codes that must go are written. Killed
//! half-way, it begins again and finds what it has ended already gone. When it is through, that
//! stands on the public log.

use contracts::code::Pass;
use contracts::person::Person;
use kernel::{Id, Instant};
use store::{By, Context, Error, Fault, Reader};
use web::{App, Job};

use crate::command::Ask;
use crate::event::Event;
use crate::policy::{POLICY, Policy, PolicyCommand};
use crate::{decision, door, tell, view};

/// The job of this module.
pub const JOB: Job = Job { name: "code-review", every_s: 15, run: |app| Box::pin(review(app)) };

/// Codes looked at in one read.
const BATCH: u32 = 200;

/// One run: nothing, unless the rules changed since the last one that came to its end.
pub async fn review(app: App) -> Result<(), Fault> {
    let policy = app.store.read(view::policy).await?;
    if policy.reviewed == policy.version() || !policy.recorded {
        return Ok(());
    }
    let (mut after, mut ended) = (Id::from_u128(0), 0);
    loop {
        let (rules, now) = (policy.clone(), app.now());
        let (last, outdone) = app.store.read(move |it| batch(it, &rules, after, now)).await?;
        for person in outdone {
            match review_one(&app, person).await? {
                Some(count) => ended += count,
                // The next run begins again.
                None => return Ok(()),
            }
        }
        let Some(last) = last else { break };
        after = last;
    }
    let done = PolicyCommand::Reviewed { version: policy.version(), ended };
    let done = move |tx: &mut store::Tx<'_>| tx.run::<Policy>(&SYSTEM, POLICY, done.clone());
    written(app.store.write(done).await).map(|_| ())
}

const SYSTEM: Context = Context::by(By::System("review"));

/// The last pass that was looked at, and whose passes say a better colour than the rules give.
type Batch = (Option<Id<Pass>>, Vec<Id<Person>>);

fn batch(
    reader: &mut Reader<'_>,
    policy: &Policy,
    after: Id<Pass>,
    now: Instant,
) -> Result<Batch, Fault> {
    let passes = view::live_passes(reader, after, now, BATCH)?;
    let mut outdone = Vec::new();
    for (pass, person) in &passes {
        let holder = view::holder(reader, *person)?;
        let colour = decision::colour(&holder.facts, policy, now);
        let held = holder.passes.iter().find(|it| it.pass == *pass);
        if held.is_some_and(|it| decision::is_worse(colour, it.colour)) {
            outdone.push(*person);
        }
    }
    Ok((passes.last().map(|(pass, _)| *pass), outdone))
}

/// Decides one person's colour anew and tells them. How many passes were ended; `None` when the
/// store is busy.
async fn review_one(app: &App, person: Id<Person>) -> Result<Option<u64>, Fault> {
    let message = tell::message(app, person).await?;
    let decision = app.random_id();
    let answer = app.store.write(move |tx| {
        let answer = door::run(tx, &SYSTEM, person, &Ask::Review, decision)?;
        tell::told(tx, &answer, message.as_ref())?;
        Ok(answer)
    });
    let Some(answer) = written(answer.await)? else { return Ok(None) };
    let events = answer.map_or_else(|_| Vec::new(), |it| it.events);
    let revoked = events.iter().filter(|it| matches!(it, Event::PassRevoked { .. })).count();
    Ok(Some(u64::try_from(revoked).unwrap_or(u64::MAX)))
}

/// A busy store is no fault of a job: it comes again.
fn written<T>(answer: Result<T, Error<store::door::Never>>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(it) => Ok(Some(it)),
        Err(Error::Busy { .. }) => Ok(None),
        Err(Error::Fault(fault)) => Err(fault),
        Err(Error::Refused(never)) => match never {},
    }
}
