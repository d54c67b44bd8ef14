//! Small strict parsers shared by the text formats. C2SP numbers have exactly one spelling; a
//! second spelling of the same checkpoint would let two different texts claim one tree.

/// ASCII decimal without sign, spaces or leading zeroes.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}
