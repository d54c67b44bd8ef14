//! Text from outside: kept exactly or refused, never mangled.
//!
//! What cannot be shown safely is refused rather than silently removed: control characters,
//! zero-width and bidirectional-override characters (they make two names that look alike differ,
//! or one name look like another), and texts that a spreadsheet would run as a formula are kept
//! but neutralised where they leave for a spreadsheet (see [`for_spreadsheet`]).

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// More than the allowed number of characters.
    #[error("the text is longer than {max} characters")]
    TooLong {
        /// The limit, in Unicode scalar values.
        max: usize,
    },
    /// A control, zero-width, bidirectional or non-character code point.
    #[error("the text contains a character that cannot be shown")]
    Unprintable,
}

/// A text that passed [`clean`].
pub type Clean = String;

/// White space at both ends removed; refused when empty, longer than `max` characters, or holding
/// anything that cannot be shown. Everything else is kept exactly, in any script.
pub fn clean(text: &str, max: usize) -> Result<Clean, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().nth(max).is_some() {
        return Err(TextError::TooLong { max });
    }
    if text.chars().any(is_unprintable) {
        return Err(TextError::Unprintable);
    }
    Ok(text.to_owned())
}

/// Characters of Unicode's Cc, Cf-like invisible, bidirectional, tag and non-character ranges.
/// ZWJ and ZWNJ are refused too: no Korean, Chinese or Latin name needs them.
fn is_unprintable(it: char) -> bool {
    matches!(
        it,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{10ffff}'
    )
}

/// The text as a spreadsheet may hold it: a leading `'` where it would be run as a formula
/// (ASVS 5.0, 1.2.10; a guest's name ran code in officials' spreadsheets in 2021).
pub fn for_spreadsheet(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_are_kept_exactly() {
        for name in ["홍길동", "王小明", "O’Brien-Søren", "Нина", "=1+1", "가\u{1100}\u{1161}"]
        {
            assert_eq!(clean(name, 40).as_deref(), Ok(name));
        }
    }

    #[test]
    fn invisible_and_overlong_texts_are_refused() {
        assert_eq!(clean(" \t ", 9), Err(TextError::Empty));
        assert_eq!(clean("가나다", 2), Err(TextError::TooLong { max: 2 }));
        for hidden in ["a\u{200b}b", "a\u{202e}b", "a\0b", "a\nb", "\u{feff}a"] {
            assert_eq!(clean(hidden, 40), Err(TextError::Unprintable), "{hidden:?}");
        }
    }

    #[test]
    fn formulas_are_neutralised_on_the_way_out() {
        assert_eq!(for_spreadsheet("=cmd()"), "'=cmd()");
        assert_eq!(for_spreadsheet("김"), "김");
    }
}
