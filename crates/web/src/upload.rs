//! A form with files (`multipart/form-data`, RFC 7578). Bounded like every body, read whole, strict
//! about its shape: what a browser would not send is refused.

use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;

use crate::form::{self, CSRF_FIELD, ONCE_FIELD, is_type};
use crate::problem::Problem;
use crate::{Actor, App};

/// Bytes that a form with files may have: a photograph of a telephone, or a dozen smaller ones.
pub const UPLOAD_MAX: usize = 12 * 1024 * 1024;
/// Parts that a form may have.
const PARTS_MAX: usize = 64;
/// Bytes of a part's headers.
const HEAD_MAX: usize = 2_048;
/// Characters of a boundary (RFC 2046, 5.1.1).
const BOUNDARY_MAX: usize = 70;

/// A submitted form with files. Its token is checked; `_once` goes to [`Actor::context`]. The route
/// says [`crate::Route::with_files`], or the body is cut at the ordinary size.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// Fields with their texts.
    pub fields: Vec<(String, String)>,
    /// Fields with files that were chosen, in the order in which they were sent.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Upload {
    /// The text of a field; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, text)| text.as_str())
    }
}

impl FromRequest<App> for Upload {
    type Rejection = Problem;

    async fn from_request(req: Request, app: &App) -> Result<Self, Problem> {
        let actor = req.extensions().get::<Actor>().cloned().unwrap_or_default();
        // A form of texts alone may come as every other does.
        let plain = is_type(req.headers(), "application/x-www-form-urlencoded");
        let kind = req.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let boundary = kind.and_then(boundary).filter(|_| !plain);
        if !plain && boundary.is_none() {
            return Err(Problem::own("web-media-type"));
        }
        let body = form::body(req, app).await?;
        let read = match boundary {
            Some(boundary) => parse(&body, &boundary),
            None => form::decode(&body).map(|fields| Self { fields, files: Vec::new() }),
        };
        let mut upload = read.ok_or_else(Problem::form_invalid)?;
        let token = upload.text(CSRF_FIELD).to_owned();
        if let Some((_, once)) = upload.fields.iter().find(|(name, _)| name == ONCE_FIELD) {
            // The header, when there is one, was first.
            let _ = actor.request.once.set(once.clone());
        }
        upload.fields.retain(|(name, _)| name != CSRF_FIELD && name != ONCE_FIELD);
        if !app.key.csrf_fits(&actor.request.secret, &token) {
            return Err(Problem::own("web-csrf"));
        }
        Ok(upload)
    }
}

/// The boundary that a content type names, if it is a form with files.
fn boundary(kind: &str) -> Option<String> {
    let (name, rest) = kind.split_once(';')?;
    if !name.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = rest.split(';').find_map(|it| {
        let (key, value) = it.split_once('=')?;
        key.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&it);
    let sound = (1..=BOUNDARY_MAX).contains(&value.len()) && value.bytes().all(allowed);
    sound.then(|| value.to_owned())
}

/// The parts between the boundaries; `None` when it is no such body.
fn parse(body: &[u8], boundary: &str) -> Option<Upload> {
    let (first, between) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut rest = body.strip_prefix(first.as_bytes())?;
    let mut upload = Upload::default();
    for _ in 0..=PARTS_MAX {
        if rest.starts_with(b"--") {
            return Some(upload);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, between.as_bytes())?;
        let (part, after) = rest.split_at_checked(end)?;
        rest = after.get(between.len()..)?;
        let blank = find(part.get(..HEAD_MAX.min(part.len()))?, b"\r\n\r\n")?;
        let head = std::str::from_utf8(part.get(..blank)?).ok()?;
        let content = part.get(blank + 4..)?;
        let (name, is_file) = named(head)?;
        if !is_file {
            upload.fields.push((name, String::from_utf8(content.to_vec()).ok()?));
        } else if !content.is_empty() {
            // Nothing chosen comes as a file without a name and without content.
            upload.files.push((name, content.to_vec()));
        }
    }
    None
}

/// The field's name, and whether it is a file's.
fn named(head: &str) -> Option<(String, bool)> {
    let line = head.split("\r\n").find_map(|it| {
        let (name, value) = it.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let mut name = None;
    let mut is_file = false;
    let mut parts = line.split(';');
    if !parts.next()?.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    for it in parts {
        // A file's own name may hold anything, and is not looked at.
        match it.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            Some(("name", value)) if name.is_none() => {
                name = Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned());
            }
            Some(("filename" | "filename*", _)) => is_file = true,
            _ => {}
        }
    }
    Some((name?, is_file))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut from = 0;
    loop {
        let at = text.get(from..)?.iter().position(|it| it == first)? + from;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        b"--xy\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\xea\xb0\x80\r\n\
        --xy\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a; name=b.png\"\r\n\
        Content-Type: image/png\r\n\r\n\x89PNG\r\n--x\r\n--xy\r\n\
        Content-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n--xy--\r\n";

    #[test]
    fn texts_and_files_come_through_exactly() {
        let it = parse(BODY, "xy").unwrap();
        assert_eq!(it.fields, [("text".to_owned(), "가".to_owned())]);
        assert_eq!(it.files, [("file".to_owned(), b"\x89PNG\r\n--x".to_vec())]);
    }

    #[test]
    fn what_is_cut_or_changed_anywhere_is_read_or_refused_and_never_a_panic() {
        for end in 0..BODY.len() - 4 {
            assert!(parse(&BODY[..end], "xy").is_none(), "{end}");
        }
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 0x15;
            let _ = parse(&body, "xy");
        }
    }

    #[test]
    fn a_text_that_is_not_utf_8_and_a_nameless_part_are_refused() {
        let body = |head: &str, text: &[u8]| {
            let head = format!("--xy\r\n{head}\r\n\r\n");
            [head.as_bytes(), text, b"\r\n--xy--"].concat()
        };
        let named = "Content-Disposition: form-data; name=\"a\"";
        assert!(parse(&body(named, b"ok"), "xy").is_some());
        assert!(parse(&body(named, b"\xff"), "xy").is_none());
        assert!(parse(&body("Content-Disposition: form-data", b"ok"), "xy").is_none());
        assert!(parse(&body("Content-Disposition: inline; name=\"a\"", b"ok"), "xy").is_none());
        let many = [b"--xy".to_vec(), body(named, b"")[4..12].to_vec()].concat();
        assert!(parse(&many, "xy").is_none());
        let part = format!("\r\n{named}\r\n\r\n\r\n--xy");
        let many = format!("--xy{}--", part.repeat(PARTS_MAX + 1));
        assert!(parse(many.as_bytes(), "xy").is_none(), "more parts than any form has");
    }

    #[test]
    fn only_a_sound_boundary_counts() {
        assert_eq!(boundary("multipart/form-data; boundary=\"a-b\"").as_deref(), Some("a-b"));
        assert_eq!(boundary("Multipart/Form-Data; charset=x; boundary=ab").as_deref(), Some("ab"));
        for wrong in
            ["multipart/form-data", "text/plain; boundary=a", "multipart/form-data; boundary="]
        {
            assert_eq!(boundary(wrong), None, "{wrong}");
        }
        let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
        assert_eq!(boundary(&long), None);
    }
}
