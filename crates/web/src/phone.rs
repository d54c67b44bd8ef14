//! Phone numbers in one form.

/// Digits that a number may have (E.164: at most 15).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// The number as E.164, e.g. `+821012345678`: spaces, hyphens, dots and brackets removed, a Korean
/// trunk `0` replaced by `+82`, full-width digits read. `None` when it is no phone number.
pub fn normal(text: &str) -> Option<String> {
    if text.chars().nth(40).is_some() {
        return None;
    }
    let mut digits = String::new();
    let mut international = false;
    for it in text.trim().chars() {
        match it {
            '0'..='9' => digits.push(it),
            '\u{ff10}'..='\u{ff19}' => {
                digits.push(char::from_digit(u32::from(it) - 0xff10, 10)?);
            }
            '+' | '\u{ff0b}' if digits.is_empty() && !international => international = true,
            ' ' | '-' | '.' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{3000}' | '\u{ff0d}' => {}
            _ => return None,
        }
    }
    let number = match (international, digits.strip_prefix("00"), digits.strip_prefix('0')) {
        (true, _, _) => digits,
        (false, Some(rest), _) => rest.to_owned(),
        (false, None, Some(rest)) => format!("82{rest}"),
        (false, None, None) => return None,
    };
    (DIGITS.contains(&number.len()) && !number.starts_with('0')).then(|| format!("+{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_in_many_forms_is_one() {
        for form in
            ["010-1234-5678", "01012345678", "+82 10 1234 5678", "0082-10-1234-5678", "０１０ー"]
        {
            let expected = if form.contains('ー') { None } else { Some("+821012345678") };
            assert_eq!(normal(form).as_deref(), expected, "{form}");
        }
        assert_eq!(normal("０１０１２３４５６７８").as_deref(), Some("+821012345678"));
        assert_eq!(normal("+86 138 0013 8000").as_deref(), Some("+8613800138000"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in [
            "",
            "12345678",
            "010",
            "+0123456789",
            "010-1234-567a",
            "++821012345678",
            &"0".repeat(41),
        ] {
            assert_eq!(normal(wrong), None, "{wrong}");
        }
    }
}
