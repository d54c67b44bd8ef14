//! What this slice does when others publish, in the same transaction.

use contracts::{Published, code, person};
use store::{Context, Fault, Tx};

use crate::command::Ask;
use crate::door;
use crate::model::RevokedBecause;
use crate::revocation::{Revocation, Revoke};

/// A forgotten person's passes end; a pass that ended early is named where every gate looks.
pub fn react(tx: &mut Tx<'_>, context: &Context, published: &Published) -> Result<(), Fault> {
    match published {
        Published::Person(person::Published::Forgotten { person }) => {
            let ask = Ask::RevokePasses { why: RevokedBecause::Forgotten };
            let ran = door::run(tx, context, *person, &ask, kernel::Id::from_u128(0))?;
            ran.map(|_| ()).map_err(|refusal| refused(&refusal))
        }
        Published::Code(code::Published::PassRevoked { pass, valid_until }) => {
            let it = Revoke { pass: *pass, valid_until: *valid_until };
            tx.run::<Revocation>(context, pass.to_u128(), it)?
                .map(|_| ())
                .map_err(|refusal| refused(&refusal))
        }
        _ => Ok(()),
    }
}

/// Neither command can be refused; if one is, the whole transaction must not stand.
fn refused(refusal: &crate::refusal::Refusal) -> Fault {
    Fault::new(format!("a reaction was refused: {refusal:?}"))
}
