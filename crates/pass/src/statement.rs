//! What staff of a clinic or a test centre attest, from what they typed to what is signed.
//!
//! Vaccines are chosen by name; the codes that other countries' verifiers read come from the value sets
//! of the eHealth Network (version of 5 May 2023, with its encoding instructions). Every field is looked
//! at, so that a form comes back with all that is wrong with it at once.

use contracts::pass::LONGEST_DAYS;
use credential::issue::{Attested, Person};
use kernel::{Date, Instant, Zone, clean};
use serde::{Deserialize, Serialize};

use crate::model::{Because, Issuable, TestKind};
use crate::refusal::Refusal;

/// A vaccine: its code and name (value set "vaccines-covid-19-names"), the kind of vaccine ("sct-vaccines-
/// covid-19") and who answers for it ("vaccines-covid-19-auth-holders").
pub struct Vaccine {
    /// Its code in passes.
    pub product: &'static str,
    /// As people know it.
    pub name: &'static str,
    prophylaxis: &'static str,
    manufacturer: &'static str,
}

/// Of messenger RNA, by a viral vector, of the spike protein, of whole inactivated virus; of any kind.
const MRNA: &str = "1119349007";
const VECTOR: &str = "29061000087103";
const PROTEIN: &str = "1162643001";
const WHOLE: &str = "1157024006";
const ANY: &str = "28531000087107";

const fn vaccine(
    product: &'static str,
    name: &'static str,
    prophylaxis: &'static str,
    manufacturer: &'static str,
) -> Vaccine {
    Vaccine { product, name, prophylaxis, manufacturer }
}

/// The vaccines that can be attested, by name.
pub const VACCINES: [Vaccine; 12] = [
    vaccine("BBIBP-CorV", "BBIBP-CorV (Sinopharm)", WHOLE, "ORG-100020693"),
    vaccine("EU/1/20/1528", "Comirnaty (Pfizer–BioNTech)", MRNA, "ORG-100030215"),
    vaccine("Convidecia", "Convidecia (CanSino)", VECTOR, "ORG-100013793"),
    vaccine("CoronaVac", "CoronaVac (Sinovac)", WHOLE, "Sinovac-Biotech"),
    vaccine("Covaxin", "Covaxin (Bharat)", WHOLE, "Bharat-Biotech"),
    vaccine("Covishield", "Covishield (Serum Institute)", VECTOR, "ORG-100001981"),
    vaccine("EU/1/20/1525", "Jcovden (Janssen)", VECTOR, "ORG-100001417"),
    vaccine("EU/1/21/1618", "Nuvaxovid (Novavax)", PROTEIN, "ORG-100032020"),
    vaccine("EU/1/20/1507", "Spikevax (Moderna)", MRNA, "ORG-100031184"),
    vaccine("Sputnik-V", "Sputnik V (Gamaleya)", VECTOR, "Gamaleya-Research-Institute"),
    vaccine("EU/1/21/1624", "Valneva", ANY, "ORG-100036422"),
    vaccine("EU/1/21/1529", "Vaxzevria (AstraZeneca)", VECTOR, "ORG-100001699"),
];

/// The vaccine with this code.
pub fn vaccine_of(product: &str) -> Option<&'static Vaccine> {
    VACCINES.iter().find(|it| it.product == product)
}

/// Whose pass it is, as the identity document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Surname, in any script.
    pub surname: String,
    /// Given names, in any script.
    pub given: String,
    /// Surname in Latin letters, as in the passport.
    pub surname_latin: String,
    /// Given names in Latin letters, as in the passport.
    pub given_latin: String,
    /// Day of birth.
    pub birth: Date,
}

/// What is attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Statement {
    /// One dose.
    Vaccination {
        /// The product's code.
        vaccine: String,
        /// Which dose it was.
        dose: u8,
        /// How many make a series.
        of_doses: u8,
        /// When it was given.
        day: Date,
    },
    /// A test.
    Test {
        /// How it was tested.
        test: TestKind,
        /// A rapid test's number in the EU's list of devices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
        /// Whether it was detected.
        detected: bool,
        /// When the sample was taken.
        sampled_at: Instant,
    },
    /// A recovery.
    Recovery {
        /// Day of the first positive test.
        first_positive: Date,
        /// First day.
        from: Date,
        /// Last day.
        until: Date,
    },
    /// An exemption. Why in classes: a diagnosis is nobody's business at a door, and not ours.
    Exemption {
        /// The class of reasons. It is not in the pass.
        because: Because,
        /// First day.
        from: Date,
        /// Last day.
        until: Date,
    },
}

/// A form as it was typed. Fields of other kinds stay empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// Surname.
    pub surname: String,
    /// Given names.
    pub given: String,
    /// Surname in Latin letters.
    pub surname_latin: String,
    /// Given names in Latin letters.
    pub given_latin: String,
    /// `YYYY-MM-DD`.
    pub birth: String,
    /// A vaccine's code.
    pub vaccine: String,
    /// A number.
    pub dose: String,
    /// A number.
    pub of_doses: String,
    /// `YYYY-MM-DD`.
    pub day: String,
    /// A kind of test.
    pub test: String,
    /// A number.
    pub device: String,
    /// `positive` or `negative`.
    pub result: String,
    /// `HH:MM` in the city's zone.
    pub time: String,
    /// `YYYY-MM-DD`.
    pub first_positive: String,
    /// `YYYY-MM-DD`.
    pub from: String,
    /// `YYYY-MM-DD`.
    pub until: String,
    /// A class of reasons.
    pub because: String,
    /// In whose name, where there are several.
    pub organisation: String,
    /// What is wished: a look (nothing), `change` or `sign`.
    pub step: String,
}

impl Typed {
    /// A form with these names filled in.
    pub fn of(it: &Named) -> Self {
        Self {
            surname: it.surname.clone(),
            given: it.given.clone(),
            surname_latin: it.surname_latin.clone(),
            given_latin: it.given_latin.clone(),
            birth: it.birth.to_string(),
            ..Self::default()
        }
    }

    /// All fields that are filled in, for a page that hands them on.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("surname", &self.surname),
            ("given", &self.given),
            ("surname_latin", &self.surname_latin),
            ("given_latin", &self.given_latin),
            ("birth", &self.birth),
            ("vaccine", &self.vaccine),
            ("dose", &self.dose),
            ("of_doses", &self.of_doses),
            ("day", &self.day),
            ("test", &self.test),
            ("device", &self.device),
            ("result", &self.result),
            ("time", &self.time),
            ("first_positive", &self.first_positive),
            ("from", &self.from),
            ("until", &self.until),
            ("because", &self.because),
            ("organisation", &self.organisation),
        ];
        let filled = all.into_iter().filter(|(_, value)| !value.is_empty());
        filled.map(|(name, value)| (name, value.clone())).collect()
    }
}

/// What is wrong, by field.
pub type Wrong = Vec<(&'static str, Refusal)>;

/// Characters of a name (ehn-dcc-schema 1.3: 80).
pub const NAME_MAX: usize = 80;
/// Doses that anybody was ever given, with room.
const DOSES_MAX: u8 = 9;
/// The first day of anything that is attested: the first vaccines and tests are of 2020.
const FIRST_DAY: (i16, i8, i8) = (2020, 1, 1);
/// A test says nothing beyond so many days; rules ask for hours.
const TEST_DAYS: i64 = 7;
/// A vaccination's pass is made anew after so many days.
const VACCINATION_DAYS: i64 = 365;

struct Form<'a> {
    typed: &'a Typed,
    today: Date,
    wrong: Wrong,
}

impl Form<'_> {
    fn take<T>(&mut self, field: &'static str, found: Result<T, Refusal>) -> Option<T> {
        found.map_err(|refusal| self.wrong.push((field, refusal))).ok()
    }

    fn name(&mut self, field: &'static str, text: &str) -> Option<String> {
        self.take(field, clean(text, NAME_MAX).map_err(|_| Refusal::HolderNameInvalid))
    }

    /// Letters that a passport's machine-readable zone can hold, so that it reads at a border.
    fn latin(&mut self, field: &'static str, text: &str) -> Option<String> {
        let readable = credential::pass::holder::machine_readable(text);
        let simple = text.trim().chars().all(|it| {
            it.is_ascii_alphabetic()
                || matches!(it, ' ' | '-' | '\'' | '.')
                || (it.is_alphabetic() && it < '\u{250}')
        });
        let sound = simple && !readable.is_empty() && readable.len() <= NAME_MAX;
        let found = clean(text, NAME_MAX).ok().filter(|_| sound);
        self.take(field, found.ok_or(Refusal::LatinInvalid))
    }

    fn date(text: &str) -> Option<Date> {
        let first = Date::from_calendar(FIRST_DAY.0, FIRST_DAY.1, FIRST_DAY.2)?;
        text.trim().parse::<Date>().ok().filter(|it| first <= *it)
    }

    /// A day that has come.
    fn past(&mut self, field: &'static str, text: &str) -> Option<Date> {
        let today = self.today;
        let found = Self::date(text).filter(|it| *it <= today);
        self.take(field, found.ok_or(Refusal::DayInvalid))
    }

    /// From one day to another, which has not passed and is not too far.
    fn span(&mut self) -> Option<(Date, Date)> {
        let (typed, today) = (self.typed, self.today);
        let from = self.take("from", Self::date(&typed.from).ok_or(Refusal::DayInvalid));
        let last = today.plus_days(i32::try_from(LONGEST_DAYS).unwrap_or(0) - 1);
        let until = Self::date(&typed.until).filter(|it| today <= *it && *it < last);
        let until = self.take("until", until.ok_or(Refusal::SpanInvalid))?;
        let from = from?;
        self.take(
            "until",
            if from <= until { Ok((from, until)) } else { Err(Refusal::SpanInvalid) },
        )
    }

    fn count(&mut self, field: &'static str, text: &str) -> Option<u8> {
        let found = text.trim().parse::<u8>().ok().filter(|it| (1..=DOSES_MAX).contains(it));
        self.take(field, found.ok_or(Refusal::DoseInvalid))
    }

    fn named(&mut self) -> Option<Named> {
        let typed = self.typed;
        let surname = self.name("surname", &typed.surname);
        let given = self.name("given", &typed.given);
        let surname_latin = self.latin("surname_latin", &typed.surname_latin);
        let given_latin = self.latin("given_latin", &typed.given_latin);
        let (first, today) = (Date::from_calendar(1900, 1, 1), self.today);
        let birth = typed.birth.trim().parse::<Date>().ok();
        let birth = birth.filter(|it| first.is_some_and(|first| first <= *it) && *it <= today);
        let birth = self.take("birth", birth.ok_or(Refusal::BirthInvalid));
        Some(Named {
            surname: surname?,
            given: given?,
            surname_latin: surname_latin?,
            given_latin: given_latin?,
            birth: birth?,
        })
    }

    fn vaccination(&mut self) -> Option<Statement> {
        let typed = self.typed;
        let vaccine = vaccine_of(&typed.vaccine).ok_or(Refusal::VaccineUnknown);
        let vaccine = self.take("vaccine", vaccine);
        let dose = self.count("dose", &typed.dose);
        let of_doses = self.count("of_doses", &typed.of_doses);
        let day = self.past("day", &typed.day);
        let vaccine = vaccine?.product.to_owned();
        Some(Statement::Vaccination { vaccine, dose: dose?, of_doses: of_doses?, day: day? })
    }

    fn test(&mut self, zone: &Zone, now: Instant) -> Option<Statement> {
        let typed = self.typed;
        let test = TestKind::from_word(&typed.test).ok_or(Refusal::TestUnknown);
        let test = self.take("test", test);
        let number = typed.device.trim();
        let is_number =
            !number.is_empty() && number.len() <= 6 && number.bytes().all(|it| it.is_ascii_digit());
        let device = match test {
            Some(TestKind::Rapid) => {
                let found = is_number.then(|| number.to_owned());
                self.take("device", found.ok_or(Refusal::DeviceInvalid)).map(Some)
            }
            _ => Some(None),
        };
        let detected = match typed.result.as_str() {
            "positive" => Ok(true),
            "negative" => Ok(false),
            _ => Err(Refusal::ResultMissing),
        };
        let detected = self.take("result", detected);
        let day = self.past("day", &typed.day);
        let minute = minute(&typed.time).ok_or(Refusal::TimeInvalid);
        let minute = self.take("time", minute);
        let sampled_at = zone.start_of(day?).plus_seconds(minute? * 60);
        let fresh = sampled_at <= now && now < sampled_at.plus_days(TEST_DAYS);
        let fresh = if fresh { Ok(()) } else { Err(Refusal::DayInvalid) };
        self.take("day", fresh)?;
        Some(Statement::Test { test: test?, device: device?, detected: detected?, sampled_at })
    }

    fn recovery(&mut self) -> Option<Statement> {
        let first_positive = self.past("first_positive", &self.typed.first_positive);
        let (from, until) = self.span()?;
        let first_positive = first_positive?;
        let follows = if first_positive <= from { Ok(()) } else { Err(Refusal::SpanInvalid) };
        self.take("from", follows)?;
        Some(Statement::Recovery { first_positive, from, until })
    }

    fn exemption(&mut self) -> Option<Statement> {
        let because = Because::from_word(&self.typed.because).ok_or(Refusal::BecauseMissing);
        let because = self.take("because", because);
        let (from, until) = self.span()?;
        Some(Statement::Exemption { because: because?, from, until })
    }
}

/// `HH:MM` as minutes of the day.
fn minute(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Reads a form of one kind.
///
/// # Errors
/// Everything that is wrong with it, by field.
pub fn read(
    kind: Issuable,
    typed: &Typed,
    zone: &Zone,
    now: Instant,
) -> Result<(Named, Statement), Wrong> {
    let mut form = Form { typed, today: zone.date(now), wrong: Vec::new() };
    // In the order in which the form asks.
    let statement = match kind {
        Issuable::Vaccination => form.vaccination(),
        Issuable::Test => form.test(zone, now),
        Issuable::Recovery => form.recovery(),
        Issuable::Exemption => form.exemption(),
    };
    let named = form.named();
    if let (Some(named), Some(Statement::Vaccination { day, .. })) = (&named, &statement)
        && *day < named.birth
    {
        form.wrong.push(("day", Refusal::DayInvalid));
    }
    match (named, statement) {
        (Some(named), Some(statement)) if form.wrong.is_empty() => Ok((named, statement)),
        _ => Err(form.wrong),
    }
}

impl Statement {
    /// Of which kind it is.
    pub fn kind(&self) -> Issuable {
        match self {
            Self::Vaccination { .. } => Issuable::Vaccination,
            Self::Test { .. } => Issuable::Test,
            Self::Recovery { .. } => Issuable::Recovery,
            Self::Exemption { .. } => Issuable::Exemption,
        }
    }

    /// When a pass about it ends that is issued at `now`.
    pub fn ends_at(&self, zone: &Zone, now: Instant) -> Instant {
        match self {
            Self::Vaccination { .. } => now.plus_days(VACCINATION_DAYS),
            Self::Test { sampled_at, .. } => sampled_at.plus_days(TEST_DAYS),
            Self::Recovery { until, .. } | Self::Exemption { until, .. } => {
                zone.start_of(until.plus_days(1)).plus_seconds(-1)
            }
        }
    }

    /// In the codes that verifiers read; `centre` is who tested. Nothing for a vaccine that this
    /// program no longer knows.
    pub fn attested(&self, centre: &str) -> Option<Attested> {
        Some(match self {
            Self::Vaccination { vaccine, dose, of_doses, day } => {
                let it = vaccine_of(vaccine)?;
                Attested::Vaccination {
                    prophylaxis: it.prophylaxis.to_owned(),
                    product: it.product.to_owned(),
                    manufacturer: it.manufacturer.to_owned(),
                    dose: *dose,
                    of_doses: *of_doses,
                    day: day.to_string(),
                }
            }
            Self::Test { test, device, detected, sampled_at } => Attested::Test {
                kind: test.code().to_owned(),
                device: device.clone(),
                sampled: sampled_at.rfc3339(),
                detected: *detected,
                centre: centre.to_owned(),
            },
            Self::Recovery { first_positive, from, until } => Attested::Recovery {
                first_positive: first_positive.to_string(),
                from: from.to_string(),
                until: until.to_string(),
            },
            Self::Exemption { from, until, .. } => {
                Attested::Exemption { from: from.to_string(), until: until.to_string() }
            }
        })
    }
}

impl From<&Named> for Person {
    fn from(it: &Named) -> Self {
        Self {
            surname: it.surname.clone(),
            given: it.given.clone(),
            surname_latin: it.surname_latin.clone(),
            given_latin: it.given_latin.clone(),
            birth: it.birth.to_string(),
        }
    }
}
