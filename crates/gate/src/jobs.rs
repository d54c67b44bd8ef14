//! Work that repeats by itself.

use store::{Fault, values};
use web::{App, BoxFuture, Job};

use crate::view;

/// Days for which the answer to a batch is remembered: longer than any entry lives. Afterwards the
/// entry numbers still keep a batch from counting twice.
const ANSWER_DAYS: i64 = 35;

/// All jobs.
pub const JOBS: &[Job] = &[Job { name: "gate-sweep-batches", every_s: 3_600, run: sweep }];

fn sweep(app: App) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let write = app.store.write(|tx| {
            let before = tx.now().plus_days(-ANSWER_DAYS);
            tx.execute(view::BATCH_SWEEP, values![before])
        });
        match write.await {
            // When the writer is busy, the next hour will do.
            Ok(_) | Err(store::Error::Busy { .. }) => Ok(()),
            Err(store::Error::Fault(fault)) => Err(fault),
            Err(store::Error::Refused(never)) => match never {},
        }
    })
}
