//! A sheet with the pass as its issuer made it, for who has no phone or does not trust its battery.

use askama::Template;
use axum::extract::State;
use kernel::{Id, Instant, Locale};
use web::{Actor, App, Frame, Page, Path, Problem, sample_frame};

use super::{card, kind_text};
use crate::judge::Judged;
use crate::model::Card;
use crate::refusal::Refusal;

/// One QR code.
struct Code {
    label: Option<String>,
    /// The side of the picture in modules, with its quiet zone.
    side: usize,
    path: String,
}

#[derive(Template)]
#[template(path = "pass/print.html")]
pub(crate) struct Sheet {
    frame: Frame,
    title: String,
    whose: Vec<(String, String)>,
    codes: Vec<Code>,
    back: String,
}

/// The white edge that a reader needs, in modules.
const QUIET: usize = 4;

/// The QR as one SVG path, dark runs of a row at a time, and the side with the quiet zone. Nothing when
/// the text is longer than a QR code holds: a card in JSON, which has no code of its own.
fn picture(text: &str) -> Option<(usize, String)> {
    use std::fmt::Write as _;
    let qr = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::L).build().ok()?;
    let mut path = String::new();
    for y in 0..qr.size {
        let row = qr.data.get(y * qr.size..(y + 1) * qr.size)?;
        let mut x = 0;
        while let Some(module) = row.get(x) {
            let run = row.iter().skip(x).take_while(|it| it.value() == module.value()).count();
            if module.value() {
                write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET).ok()?;
            }
            x += run.max(1);
        }
    }
    Some((qr.size + 2 * QUIET, path))
}

fn page(frame: Frame, card: Id<Card>, texts: &[String], judged: &Judged) -> Sheet {
    let many = texts.len() > 1;
    let codes = texts.iter().enumerate().filter_map(|(at, text)| {
        let (side, path) = picture(text)?;
        let label = many.then(|| format!("{} / {}", at + 1, texts.len()));
        Some(Code { label, side, path })
    });
    Sheet {
        title: kind_text(&frame, judged.verdict.kind, judged.verdict.format),
        whose: card::whose(&frame, judged),
        codes: codes.collect(),
        back: format!("/passes/{card}"),
        frame,
    }
}

/// The sheet.
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
) -> Result<Page<Sheet>, Problem> {
    let (person, now, inside) = (actor.person()?, app.now(), app.clone());
    let found = app.read(move |reader| card::find(&inside, reader, person, card, now)).await?;
    let (_, texts, judged) = found.ok_or_else(|| Problem::refused(&Refusal::CardUnknown))?;
    Ok(Page(page(Frame::new(&app, &actor, "pass-print-title"), card, &texts, &judged)))
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let (held, judged) = card::sample_seen(0, Instant::from_seconds(1_795_316_400));
    page(sample_frame(locale), held.card, &["HC1:6BF EXAMPLE".to_owned()], &judged).render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_its_quiet_zone_and_what_does_not_fit_is_not() {
        let (side, path) = picture("HC1:6BF EXAMPLE").unwrap();
        assert_eq!(side, 21 + 2 * QUIET);
        assert!(path.starts_with("M4 4h7v1h-7z"), "the finder pattern");
        assert_eq!(picture(&"가".repeat(4_000)), None);
    }
}
