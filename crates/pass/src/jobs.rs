//! What repeats by itself: telling people that a pass ends, and erasing what was taken out.

use contracts::person::Person;
use kernel::{Arg, Id, Locale};
use serde_json::{Value, json};
use store::{By, Context, Fault};
use web::slice::later;
use web::{App, BoxFuture, Job};

use crate::command::WalletCommand;
use crate::decide::UNDO_HOURS;
use crate::model::Wallet;
use crate::{door, view};

/// The jobs of this slice.
pub const JOBS: &[Job] = &[
    Job { name: "pass-warn", every_s: 300, run: |app| boxed(warn(app)) },
    Job { name: "pass-erase", every_s: 600, run: |app| boxed(erase(app)) },
];

fn boxed(
    job: impl Future<Output = Result<(), Fault>> + Send + 'static,
) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(job)
}

const SYSTEM: Context = Context::by(By::System("pass"));

/// Passes looked at in one run: the next comes soon.
const BATCH: u32 = 500;

/// Tells the holders of passes that end soon, each warning once: what was said stands on the log, in
/// the same transaction as the message. A server that was off for days says the nearest one only.
pub async fn warn(app: App) -> Result<(), Fault> {
    let now = app.now();
    let due = app.store.read(move |it| view::due(it, now, BATCH)).await?;
    for (card, person) in due {
        let message = message(&app, person).await?;
        let write = app.store.write(move |tx| {
            let command = WalletCommand::Warn { card };
            let ran = tx.run::<Wallet>(&SYSTEM, person.to_u128(), command)?;
            if let (Ok(ran), Some(message)) = (&ran, &message)
                && !ran.events.is_empty()
            {
                tx.send("sms", message, tx.now())?;
            }
            Ok(())
        });
        later(write.await)?;
    }
    Ok(())
}

/// A text message that says nothing about health; `None` for who has no number: they see it on
/// their page.
async fn message(app: &App, person: Id<Person>) -> Result<Option<Value>, Fault> {
    let phone_of = app.questions.phone_of;
    let phone = app.store.read(move |it| phone_of(it, person)).await?;
    let line = |locale: Locale| {
        let region = Arg::Text(app.config.region_name(locale).to_owned());
        app.texts.format(locale, "pass-told", &[("region", region)])
    };
    // The person's language is not known here: both that most phones can show.
    let text =
        format!("{}\n{}\n{}/passes", line(Locale::Ko), line(Locale::En), app.config.origin_text());
    Ok(phone.map(|to| json!({ "to": to, "text": text })))
}

/// Erases what was taken out a day ago.
pub async fn erase(app: App) -> Result<(), Fault> {
    let before = app.now().plus_seconds(-UNDO_HOURS * 3_600);
    let over = app.store.read(move |it| view::over(it, before, BATCH)).await?;
    for (card, person) in over {
        later(app.store.write(move |tx| door::erase(tx, &SYSTEM, person, card)).await)?;
    }
    Ok(())
}
