//! What this slice does when others publish, in the same transaction.

use contracts::{Published, person};
use kernel::Refusal as _;
use store::{Context, Fault, Tx};

use crate::command::StatusCommand;
use crate::model::{Issues, Place, Wallet, place_id};

/// A forgotten person's passes go with them, each with its key. What was issued to them may still be on
/// paper: its place in the status lists says what it said and is nobody else's, ever.
pub fn react(tx: &mut Tx<'_>, context: &Context, published: &Published) -> Result<(), Fault> {
    let Published::Person(person::Published::Forgotten { person }) = published else {
        return Ok(());
    };
    for held in tx.state::<Wallet>(person.to_u128())?.cards {
        tx.forget(held.card.to_u128())?;
    }
    for issued in tx.state::<Issues>(person.to_u128())?.passes {
        let place = place_id(issued.list, issued.place);
        let retired = tx.run::<Place>(&Context::by(context.by), place, StatusCommand::Retire)?;
        retired.map_err(|refusal| Fault::new(refusal.code()))?;
    }
    Ok(())
}
