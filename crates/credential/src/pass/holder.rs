//! Whether two passes are one person's: names and day of birth compared across passes.
//!
//! Names of one person differ between passes: a second given name is there or not, a title, a hyphen,
//! umlauts written out, surname and given name in each other's place. The rules are those of Germany's
//! wallet (Corona-Warn-App, "same holder"), with its cases; beside them names count as equal if their
//! letters are, transliterated as in passports (ICAO Doc 9303-3, section 6). What that costs: twins
//! with one given name in common are taken for one person. So it groups what somebody has in a wallet,
//! and proves nothing.

/// A person as passes name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    given: Vec<String>,
    surname: Vec<String>,
    birth: String,
}

impl Holder {
    /// From a pass's given names, surname (both as written, or with `<` as in passports) and birth
    /// date.
    pub fn new(given: &str, surname: &str, birth: &str) -> Self {
        let birth = birth.trim().to_owned();
        Self { given: components(given), surname: components(surname), birth }
    }

    /// Whether `self` and `other` are one person's, as far as names and birth dates tell.
    pub fn is_same(&self, other: &Self) -> bool {
        let straight = meet(&self.given, &other.given) && meet(&self.surname, &other.surname);
        let swapped = meet(&self.given, &other.surname) && meet(&self.surname, &other.given);
        self.birth == other.birth && (straight || swapped)
    }
}

/// The parts of a name: upper case, German umlauts written out, without titles.
pub fn components(name: &str) -> Vec<String> {
    components_with_titles(name).into_iter().filter(|part| part != "DR").collect()
}

fn components_with_titles(name: &str) -> Vec<String> {
    let mut spelled = String::with_capacity(name.len());
    for letter in name.to_uppercase().chars() {
        match letter {
            'Ä' => spelled.push_str("AE"),
            'Ö' => spelled.push_str("OE"),
            'Ü' => spelled.push_str("UE"),
            'ß' | 'ẞ' => spelled.push_str("SS"),
            '<' | '.' | '-' => spelled.push(' '),
            other => spelled.push(other),
        }
    }
    spelled.split_whitespace().map(str::to_owned).collect()
}

/// A name in Latin letters as the machine-readable zone has it: `A` to `Z`, and `<` between its parts.
pub fn machine_readable(name: &str) -> String {
    let letters =
        |part: String| transliterated(&part).chars().filter(char::is_ascii_uppercase).collect();
    let parts = components_with_titles(name).into_iter().map(letters);
    parts.filter(|part: &String| !part.is_empty()).collect::<Vec<_>>().join("<")
}

/// Both without a name, or with one in common.
fn meet(one: &[String], other: &[String]) -> bool {
    let plain =
        |names: &[String]| names.iter().map(|name| transliterated(name)).collect::<Vec<_>>();
    let common = |one: &[String], other: &[String]| one.iter().any(|name| other.contains(name));
    (one.is_empty() && other.is_empty()) || common(one, other) || common(&plain(one), &plain(other))
}

/// Upper-case letters as in the machine-readable zone of a passport (Doc 9303-3, section 6.A): those
/// of Latin scripts; others stay.
fn transliterated(name: &str) -> String {
    let mut to = String::with_capacity(name.len());
    for letter in name.chars() {
        to.push_str(match letter {
            'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
            'Å' => "AA",
            'Æ' => "AE",
            'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
            'Ð' | 'Ď' | 'Đ' => "D",
            'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
            'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
            'Ĥ' | 'Ħ' => "H",
            'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
            'Ĳ' => "IJ",
            'Ĵ' => "J",
            'Ķ' => "K",
            'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
            'Ñ' | 'Ń' | 'Ņ' | 'Ň' | 'Ŋ' => "N",
            'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ŏ' | 'Ő' => "O",
            'Ø' | 'Œ' => "OE",
            'Ŕ' | 'Ŗ' | 'Ř' => "R",
            'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
            'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
            'Þ' => "TH",
            'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' => "U",
            'Ŵ' => "W",
            'Ý' | 'Ŷ' | 'Ÿ' => "Y",
            'Ź' | 'Ż' | 'Ž' => "Z",
            '\'' | '’' => "",
            other => {
                to.push(other);
                continue;
            }
        });
    }
    to
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Holder, components};
    use crate::pass::tests::{data, json};

    #[test]
    fn names_fall_into_parts_without_titles_marks_and_umlauts() {
        assert_eq!(components(" DR<<Erika-MARIA  v. Müßig< "), ["ERIKA", "MARIA", "V", "MUESSIG"]);
        for nothing in ["", " ", "<", "<<", "DR", "Dr.", " . - "] {
            assert!(components(nothing).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn every_published_comparison_holds_in_both_directions() {
        let Some(folder) = data("cwa") else { return };
        let cases = json(&folder.join("dcc-holder-comparison.gen.json"));
        let holder = |of: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            Holder::new(&text(&of["nam"]["gnt"]), &text(&of["nam"]["fnt"]), &text(&of["dob"]))
        };
        let cases = cases["data"].as_array().unwrap();
        assert_eq!(cases.len(), 38);
        for case in cases {
            let (one, other) = (holder(&case["actHolderA"]), holder(&case["actHolderB"]));
            let expected = case["expIsSameHolder"].as_bool().unwrap();
            assert_eq!(one.is_same(&other), expected, "{}", case["description"]);
            assert_eq!(other.is_same(&one), expected, "{}", case["description"]);
        }
    }

    #[test]
    fn letters_of_other_languages_count_as_in_passports() {
        let pass = |given: &str, surname: &str| Holder::new(given, surname, "1980-02-03");
        for (one, other) in
            [("Ágnes", "AGNES"), ("Søren", "SOEREN"), ("Þórir", "THORIR"), ("D’Arcy", "DARCY")]
        {
            assert!(pass(one, "NOVAK").is_same(&pass(other, "NOVÁK")), "{one} {other}");
        }
        assert!(pass("민수", "김").is_same(&pass("민수", "김")));
        assert!(!pass("민수", "김").is_same(&pass("민호", "김")));
    }
}
