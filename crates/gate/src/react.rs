//! What this slice does when others publish, in the same transaction.

use contracts::{Published, code};
use store::{Context, Fault, Tx};

use crate::command::ListsCommand;
use crate::decide::WHY_MAX;
use crate::model::{LISTS, Lists};

/// A signing key was compromised: gates must not go on with lists that do not know it.
pub fn react(tx: &mut Tx<'_>, context: &Context, published: &Published) -> Result<(), Fault> {
    let Published::Code(code::Published::KeyCompromised { why, at }) = published else {
        return Ok(());
    };
    let why = why.chars().take(WHY_MAX).collect();
    let follow = ListsCommand::Follow { why, at: *at };
    let ran = tx.run::<Lists>(context, LISTS, follow)?;
    // The reason was clean where it was stated; if it is refused, the whole must not stand.
    ran.map(|_| ()).map_err(|refusal| Fault::new(format!("a reaction was refused: {refusal:?}")))
}
