//! Commands that take more than one step, while the write door is held: a place that closes takes its
//! devices with it, what is removed is forgotten, and a code typed without a scanner is an entry.

use contracts::code::TypedAnswer;
use contracts::gate::{Device as DeviceId, Place as PlaceId, Verdict};
use contracts::person::Staff;
use kernel::Id;
use store::{Context, Fault, Observation, Tx};
use web::{Actor, App, Problem};

use crate::command::{DeviceCommand, PlaceCommand};
use crate::decide::{day_of, judge_typed};
use crate::model::{Device, DevicePhase, Place, PlacePhase};
use crate::queue::{self, Plain};
use crate::refusal::Refusal;
use crate::view;

/// What a command gives: nothing, or the refusal.
pub type Answer = Result<Result<(), Refusal>, Fault>;

/// Takes one of these steps for the member of staff who asks; answers when it is durable.
pub async fn by_staff(
    app: &App,
    actor: &Actor,
    mut step: impl FnMut(&mut Tx<'_>, &Context, Id<Staff>) -> Answer + Send + 'static,
) -> Result<(), Problem> {
    let (context, by) = (actor.context(), actor.staff()?);
    let answer = app.write(move |tx| step(tx, &context, by)).await?;
    answer.map_err(|refusal| Problem::refused(&refusal))
}

/// Closes a place: its devices are refused or withdrawn, so nothing more is taken from its door.
pub fn close(tx: &mut Tx<'_>, context: &Context, place: Id<PlaceId>, by: Id<Staff>) -> Answer {
    if let Err(refusal) = tx.run::<Place>(context, place.to_u128(), PlaceCommand::Close)? {
        return Ok(Err(refusal));
    }
    for (device, phase) in view::devices_held(tx, place)? {
        let command = match phase {
            DevicePhase::Waiting => DeviceCommand::Refuse { by },
            DevicePhase::Approved => DeviceCommand::Withdraw { by },
            DevicePhase::Absent | DevicePhase::Refused | DevicePhase::Withdrawn => continue,
        };
        if let Err(refusal) =
            tx.run::<Device>(&Context::by(context.by), device.to_u128(), command)?
        {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(()))
}

/// Removes a device: its label and its key are gone for good.
pub fn remove_device(
    tx: &mut Tx<'_>,
    context: &Context,
    device: Id<DeviceId>,
    by: Id<Staff>,
) -> Answer {
    let id = device.to_u128();
    match tx.run::<Device>(context, id, DeviceCommand::Remove { by })? {
        Ok(ran) if ran.repeated => Ok(Ok(())),
        Ok(_) => tx.forget(id).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Removes a closed place with its devices: its name and their labels are gone for good.
pub fn remove_place(
    tx: &mut Tx<'_>,
    context: &Context,
    place: Id<PlaceId>,
    by: Id<Staff>,
) -> Answer {
    let (id, closed_at) = (place.to_u128(), view::closed_at(tx, place)?);
    match tx.run::<Place>(context, id, PlaceCommand::Remove { by, closed_at })? {
        Ok(ran) if ran.repeated => return Ok(Ok(())),
        Ok(_) => {}
        Err(refusal) => return Ok(Err(refusal)),
    }
    for (device, _) in view::devices_held(tx, place)? {
        tx.forget(device.to_u128())?;
    }
    tx.forget(id).map(Ok)
}

/// In the place of a device, where a code was typed at the desk of a place and not on an enrolled
/// phone: the place's own number. Who typed is nobody's business but the log's.
pub fn desk_of(place: Id<PlaceId>) -> Id<DeviceId> {
    Id::from_u128(place.to_u128())
}

/// Judges a code that staff typed at the desk of a place, and records the entry before anybody is
/// told: the same command has one entry.
pub fn check_typed(
    tx: &mut Tx<'_>,
    context: &Context,
    place: Id<PlaceId>,
    answer: Option<&TypedAnswer>,
) -> Result<Result<(Verdict, Vec<&'static str>), Refusal>, Fault> {
    match tx.state::<Place>(place.to_u128())?.phase {
        PlacePhase::Open => {}
        PlacePhase::Closed => return Ok(Err(Refusal::PlaceClosed)),
        PlacePhase::Absent => return Ok(Err(Refusal::PlaceUnknown)),
    }
    let now = tx.now();
    let (verdict, reasons) = judge_typed(answer, now);
    let plain = Plain {
        pass: answer.map(|it| hex::encode(it.pass.to_bytes())),
        at: now.seconds(),
        verdict,
        reasons: reasons.iter().map(|it| (*it).to_owned()).collect(),
        class: None,
        typed: true,
        short: None,
    };
    // Two entries of one microsecond would have one number, and differ in their place on the log.
    let n = u64::try_from(now.micros()).unwrap_or_default();
    let payload = queue::payload(place, desk_of(place), n, plain, None)?;
    let entry = Observation { day: day_of(now.seconds(), now), payload };
    tx.observe(context, view::OBSERVATION.kind, &[entry])?;
    Ok(Ok((verdict, reasons)))
}
