//! What this slice does when others publish, in the same transaction.

use contracts::{Published, person};
use store::{Context, Fault, Tx};

use crate::model::Wallet;

/// A forgotten person's passes go with them, each with its key.
pub fn react(tx: &mut Tx<'_>, _: &Context, published: &Published) -> Result<(), Fault> {
    let Published::Person(person::Published::Forgotten { person }) = published else {
        return Ok(());
    };
    for held in tx.state::<Wallet>(person.to_u128())?.cards {
        tx.forget(held.card.to_u128())?;
    }
    Ok(())
}
