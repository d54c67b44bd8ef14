//! Korean particles: which of a pair fits depends on whether the word before it ends in a
//! consonant, as it is read aloud.

/// How a word's last sound ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Vowel,
    /// The consonant ㄹ, after which 으로 becomes 로.
    Rieul,
    Consonant,
    /// A sign whose Korean reading is not known.
    Unknown,
}

/// `word` followed by the fitting one of `pair`, which is written consonant first: `은/는`, `이/가`,
/// `을/를`, `과/와`, `으로/로`. Digits are read as Korean numbers, capital letters by their names,
/// other Latin words by a rule of thumb; where no reading is known both are shown, `은(는)`.
pub fn josa(word: &str, pair: &str) -> String {
    let Some((closed, open)) = pair.split_once('/') else {
        return format!("{word}{pair}");
    };
    match ending(word) {
        Ending::Rieul if closed.starts_with("으로") => format!("{word}{open}"),
        Ending::Consonant | Ending::Rieul => format!("{word}{closed}"),
        Ending::Vowel => format!("{word}{open}"),
        Ending::Unknown if closed.starts_with("으로") => format!("{word}(으)로"),
        Ending::Unknown => format!("{word}{closed}({open})"),
    }
}

fn ending(word: &str) -> Ending {
    // Closing quotes and brackets are not read.
    let mut letters = word.chars().rev().skip_while(|it| !it.is_alphanumeric());
    let Some(last) = letters.next() else { return Ending::Unknown };
    let before = letters.next();
    match last {
        '가'..='힣' => hangul(last),
        // 일, 칠, 팔; 엘, 알; -l.
        '1' | '7' | '8' | 'L' | 'R' | 'l' => Ending::Rieul,
        // 영, 삼, 육; 엠, 엔; -b, -c, -k and the like.
        '0' | '3' | '6' | 'M' | 'N' | 'b' | 'c' | 'k' | 'm' | 'n' | 'p' | 't' => Ending::Consonant,
        'g' if before == Some('n') => Ending::Consonant,
        '2' | '4' | '5' | '9' | 'A'..='Z' | 'a'..='z' => Ending::Vowel,
        _ => Ending::Unknown,
    }
}

/// Hangul syllables lie in Unicode so that the final consonant is the remainder by 28; 8 is ㄹ.
fn hangul(syllable: char) -> Ending {
    match (u32::from(syllable) - u32::from('가')) % 28 {
        0 => Ending::Vowel,
        8 => Ending::Rieul,
        _ => Ending::Consonant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_words_take_the_particle_of_their_last_syllable() {
        assert_eq!(josa("해태", "은/는"), "해태는");
        assert_eq!(josa("홍길동", "은/는"), "홍길동은");
        assert_eq!(josa("서울", "을/를"), "서울을");
        assert_eq!(josa("나라", "이/가"), "나라가");
        assert_eq!(josa("문", "과/와"), "문과");
    }

    #[test]
    fn after_rieul_the_direction_has_no_vowel() {
        assert_eq!(josa("서울", "으로/로"), "서울로");
        assert_eq!(josa("부산", "으로/로"), "부산으로");
        assert_eq!(josa("제주", "으로/로"), "제주로");
    }

    #[test]
    fn digits_are_read_as_korean_numbers() {
        let by_digit = ["은", "은", "는", "은", "는", "는", "은", "은", "은", "는"];
        for (digit, particle) in by_digit.iter().enumerate() {
            assert_eq!(josa(&digit.to_string(), "은/는"), format!("{digit}{particle}"));
        }
        assert_eq!(josa("1", "으로/로"), "1로");
    }

    #[test]
    fn latin_letters_are_read_by_name_and_words_by_rule_of_thumb() {
        assert_eq!(josa("PCR", "을/를"), "PCR을");
        assert_eq!(josa("QR", "으로/로"), "QR로");
        assert_eq!(josa("DNA", "은/는"), "DNA는");
        assert_eq!(josa("Kim", "이/가"), "Kim이");
        assert_eq!(josa("Smith", "이/가"), "Smith가");
        assert_eq!(josa("Jiang", "이/가"), "Jiang이");
    }

    #[test]
    fn closing_signs_are_skipped_and_unknown_readings_show_both() {
        assert_eq!(josa("「서울」", "은/는"), "「서울」은");
        assert_eq!(josa("王", "은/는"), "王은(는)");
        assert_eq!(josa("王", "으로/로"), "王(으)로");
        assert_eq!(josa("", "은/는"), "은(는)");
    }
}
