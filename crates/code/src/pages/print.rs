//! The printed code, for people without a phone: a lower class that says so at the gate and asks for
//! a glance at an ID. No phone is present, so the server draws this one.

use askama::Template;
use axum::extract::State;
use kernel::{Instant, Locale};
use web::{Actor, App, Form, Frame, Page, Problem, sample_frame};

use super::colour_key;
use crate::api::issue_for;
use crate::issue::Signed;

#[derive(Template)]
#[template(path = "code/print.html")]
pub(crate) struct Ask {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "code/sheet.html")]
pub(crate) struct Sheet {
    frame: Frame,
    colour: &'static str,
    word: String,
    until: String,
    short: String,
    /// The side of the picture in modules, with its quiet zone.
    side: usize,
    path: String,
}

/// What a printed code is, and the button.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Ask>, Problem> {
    actor.person()?;
    Ok(Page(Ask { frame: Frame::new(&app, &actor, "code-print-title") }))
}

/// Issues a printed code and shows its sheet. Sent again, it is the same code.
pub(crate) async fn submit(
    State(app): State<App>,
    actor: Actor,
    Form(_): Form<web::form::Empty>,
) -> Result<Page<Sheet>, Problem> {
    let signed = issue_for(&app, &actor, None).await?;
    let frame = Frame::new(&app, &actor, "code-print-title");
    Ok(Page(sheet(frame, &signed)?))
}

fn sheet(frame: Frame, signed: &Signed) -> Result<Sheet, store::Fault> {
    let (side, path) = picture(&signed.printed_text())
        .ok_or_else(|| store::Fault::new("a printed code does not fit a QR code"))?;
    let pass = &signed.pass;
    Ok(Sheet {
        colour: pass.colour.word(),
        word: frame.t(colour_key(pass.colour)),
        until: super::until(&frame, pass.valid_until),
        short: pass.short.to_string(),
        side,
        path,
        frame,
    })
}

/// The white edge that a reader needs, in modules.
const QUIET: usize = 4;

/// The QR as one SVG path, dark runs of a row at a time, and the side with the quiet zone.
fn picture(text: &str) -> Option<(usize, String)> {
    use std::fmt::Write as _;
    let qr = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::M).build().ok()?;
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

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    Ask { frame: sample_frame(locale) }.render()
}

pub(crate) fn sample_sheet(locale: Locale) -> Result<String, askama::Error> {
    let pass = crate::model::HeldPass {
        pass: kernel::Id::from_u128(1),
        device_key: None,
        colour: contracts::code::Colour::Green,
        issued_at: Instant::from_seconds(1_795_300_000),
        valid_until: Instant::from_seconds(1_795_559_200),
        short: credential::ShortCode::from_bits(7),
        issuer: None,
    };
    let signed = Signed { pass, code: vec![7; 120] };
    sheet(sample_frame(locale), &signed).map_err(askama::Error::custom)?.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_code_fits_version_12_at_level_m() {
        let code = credential::Presentation { signed: vec![0xa5; 150], moment: None };
        let (side, path) = picture(&code.to_text()).unwrap();
        assert!(side <= 65 + 2 * QUIET, "{side}");
        assert!(path.starts_with("M4 4h7v1h-7z"), "the finder pattern");
    }
}
