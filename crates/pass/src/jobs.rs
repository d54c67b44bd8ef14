//! What repeats by itself: telling people that a pass ends, and erasing what was taken out.

use contracts::person::Person;
use kernel::{Arg, Id, Locale};
use serde_json::{Value, json};
use store::{By, Context, Fault, Reader};
use web::slice::later;
use web::{App, BoxFuture, Job};

use crate::command::WalletCommand;
use crate::decide::UNDO_HOURS;
use crate::model::{Standing, Wallet};
use crate::{door, view};

/// The jobs of this slice.
pub const JOBS: &[Job] = &[
    Job { name: "pass-warn", every_s: 300, run: |app| boxed(warn(app)) },
    Job { name: "pass-erase", every_s: 600, run: |app| boxed(erase(app)) },
    Job {
        name: "pass-refuse",
        every_s: 30,
        run: |app| boxed(async move { refuse(&app).await.map(|_| ()) }),
    },
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
        let message = message(&app, person, "pass-told").await?;
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
pub(crate) async fn message(
    app: &App,
    person: Id<Person>,
    text: &str,
) -> Result<Option<Value>, Fault> {
    let phone_of = app.questions.phone_of;
    let phone = app.store.read(move |it| phone_of(it, person)).await?;
    let line = |locale: Locale| {
        let region = Arg::Text(app.config.region_name(locale).to_owned());
        app.texts.format(locale, text, &[("region", region)])
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

/// Ends what compromised keys signed since then and tells the holders, a batch a run: the signers' file
/// refuses it from the first moment, this reaches verifiers that know status lists alone. What a key
/// signed before stays good. Gives how many were ended.
pub async fn refuse(app: &App) -> Result<u64, Fault> {
    let signers = app.store.read(app.questions.pass_signers).await?;
    let (now, mut ended) = (app.now(), 0);
    for (kid, since) in signers.into_iter().filter_map(|it| Some((it.kid, it.refused_from?))) {
        let found = move |it: &mut Reader<'_>| view::signed_since(it, kid, since, now, BATCH);
        for row in app.store.read(found).await? {
            let judge = door::Judge {
                person: row.person,
                card: row.card,
                standing: Standing::Revoked,
                why: String::new(),
                by: None,
                message: message(app, row.person, "pass-told-standing").await?,
            };
            let write = app.store.write(move |tx| door::set_standing(tx, &SYSTEM, &judge)).await;
            // What was not taken now is taken by the next run.
            ended += u64::from(matches!(write, Ok(Ok(()))));
            later(write)?;
        }
    }
    Ok(ended)
}
