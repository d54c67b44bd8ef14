//! A refusal: an expected "no" to what somebody asked.
//!
//! Clients branch on the code, so a code is never changed once published. The text for people is
//! looked up by the code in the reader's language; each has a page at `/problems/<code>`.

/// A value that a refusal's text mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A number, formatted in the reader's language.
    Number(i64),
    /// A text, shown as it is.
    Text(String),
}

/// An expected refusal of one slice.
pub trait Refusal: std::fmt::Debug + Send + 'static {
    /// The stable code: `<slice>-<state of affairs>`, e.g. `gate-device-unknown`. Also the key of
    /// the text.
    fn code(&self) -> &'static str;

    /// The HTTP status that fits: 4xx.
    fn status(&self) -> u16;

    /// What the text mentions, by the names the text uses.
    fn args(&self) -> Vec<(&'static str, Arg)> {
        Vec::new()
    }
}
