//! A forgotten person no longer helps anybody: the helps on other people's records end.

use contracts::Published;
use contracts::person::Published as Told;
use store::{Context, Fault, Tx};

use crate::command::{Asker, CitizenCommand};
use crate::model::Citizen;
use crate::view;

pub(crate) fn react(
    tx: &mut Tx<'_>,
    context: &Context,
    published: &Published,
) -> Result<(), Fault> {
    let Published::Person(Told::Forgotten { person }) = published else { return Ok(()) };
    for help in view::helped_by(tx, *person)? {
        let end = CitizenCommand::EndHelp { helper: *person, asker: Asker::System };
        // A refusal means that it has ended already.
        let _ = tx.run::<Citizen>(context, help.helped.to_u128(), end)?;
    }
    Ok(())
}
