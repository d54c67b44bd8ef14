//! Telling people that there is news about their code: a text message with no health data in it. Who
//! has no number sees the news on their page.

use contracts::person::Person;
use kernel::{Arg, Id, Locale};
use serde_json::{Value, json};
use store::{Fault, Tx};
use web::App;

use crate::door::Answer;

/// The message for this person; `None` without a number.
pub async fn message(app: &App, person: Id<Person>) -> Result<Option<Value>, Fault> {
    let phone_of = app.questions.phone_of;
    let phone = app.store.read(move |it| phone_of(it, person)).await?;
    let line = |locale: Locale| {
        let region = Arg::Text(app.config.region_name(locale).to_owned());
        app.texts.format(locale, "code-told", &[("region", region)])
    };
    // The person's language is not known here: both that most phones can show.
    let text =
        format!("{}\n{}\n{}/code", line(Locale::Ko), line(Locale::En), app.config.origin_text());
    Ok(phone.map(|to| json!({ "to": to, "text": text })))
}

/// Sends the message in the transaction of what it tells of: once, and only if anything happened.
pub fn told(tx: &mut Tx<'_>, answer: &Answer, message: Option<&Value>) -> Result<(), Fault> {
    if let (Ok(done), Some(message)) = (answer, message)
        && !done.repeated
        && !done.events.is_empty()
    {
        tx.send("sms", message, tx.now())?;
    }
    Ok(())
}
