//! What a pass says, in plain words: whose it is, what happened, when and by whom.
//!
//! Read from the content that was verified, by the kind's own specification. Codes become words where
//! the words are known here, and stay codes where they are not: a wrong word is worse than a code.

use credential::pass::{Format, Kind, holder};
use serde_json::Value;

/// One person, as a pass names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// Given names and surname.
    pub name: String,
    /// The name in the letters of passports, where the pass has it.
    pub latin: Option<String>,
    /// The date of birth as the pass has it: `YYYY-MM-DD`, or less.
    pub birth: Option<String>,
    /// Given names and surname apart, to find the passes of one person: in the letters of passports
    /// where the pass has those.
    pub parts: [String; 2],
}

impl Holder {
    /// Whether two passes are one person's, as far as names and dates of birth tell.
    pub fn is_same(&self, other: &Self) -> bool {
        let of = |it: &Self| {
            let [given, surname] = &it.parts;
            holder::Holder::new(given, surname, it.birth.as_deref().unwrap_or_default())
        };
        of(self).is_same(&of(other))
    }
}

/// A value on a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// As it stands there.
    Text(String),
    /// The key of a text of ours.
    Key(&'static str),
    /// "2 of 3".
    Of(i64, i64),
    /// An instant in unix seconds.
    At(i64),
}

/// What a pass says of one thing: the key of its label, and the value.
pub type Fact = (&'static str, Word);

/// One thing that a pass says: a vaccination, a test, a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What.
    pub kind: Kind,
    /// In the order in which a person would tell it.
    pub facts: Vec<Fact>,
}

/// All that a pass says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Whose it is.
    pub holder: Option<Holder>,
    /// What it says; empty for a pass that says only that there is one.
    pub entries: Vec<Entry>,
}

/// What this content says. Never fails: what is not understood is left out.
pub fn read(format: Format, payload: &Value) -> Said {
    match format {
        Format::Dcc => dcc(payload),
        Format::Shc => shc(payload),
        Format::Nzcp => nzcp(payload),
        Format::Vdsnc => vdsnc(payload),
        Format::Haetae | Format::Unknown => Said::default(),
    }
}

/// Characters of one value: longer is not shown.
const VALUE_MAX: usize = 120;

fn text(value: &Value, path: &str) -> Option<String> {
    let found = value.pointer(path)?;
    let text = match found {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let clean: String = text.chars().filter(|it| !it.is_control()).take(VALUE_MAX).collect();
    (!clean.is_empty()).then_some(clean)
}

/// The holder of these given names and surname, as written and in the letters of passports.
fn named(
    written: [Option<String>; 2],
    latin: [Option<String>; 2],
    birth: Option<String>,
) -> Option<Holder> {
    let joined = |parts: &[Option<String>; 2]| {
        parts.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ").replace('<', " ")
    };
    let (name, letters) = (joined(&written), joined(&latin));
    let name = if name.is_empty() { letters.clone() } else { name };
    if name.is_empty() && birth.is_none() {
        return None;
    }
    let parts = if letters.is_empty() { written } else { latin };
    let latin = (!letters.is_empty() && letters != name).then_some(letters);
    Some(Holder { name, latin, birth, parts: parts.map(Option::unwrap_or_default) })
}

/// Collects facts, leaving out what the pass does not say.
#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn text(mut self, label: &'static str, value: Option<String>) -> Self {
        self.0.extend(value.map(|it| (label, Word::Text(it))));
        self
    }

    fn word(mut self, label: &'static str, value: Option<Word>) -> Self {
        self.0.extend(value.map(|it| (label, it)));
        self
    }
}

/// The EU Digital COVID Certificate, schema 1.3.
fn dcc(it: &Value) -> Said {
    let names = [text(it, "/nam/gn"), text(it, "/nam/fn")];
    let latin = [text(it, "/nam/gnt"), text(it, "/nam/fnt")];
    let mut entries = Vec::new();
    let of = |list: &str| it.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    for v in of("v") {
        let number = |path: &str| v.pointer(path).and_then(Value::as_i64);
        let doses = number("/dn").zip(number("/sd")).map(|(dose, of)| Word::Of(dose, of));
        let product = text(&v, "/mp").map(|code| known(&PRODUCTS, code));
        entries.push(Entry {
            kind: Kind::Vaccination,
            facts: Facts::default()
                .text("pass-said-date", text(&v, "/dt"))
                .word("pass-said-dose", doses)
                .text("pass-said-product", product)
                .word("pass-said-disease", text(&v, "/tg").map(disease))
                .text("pass-said-country", text(&v, "/co"))
                .text("pass-said-issuer", text(&v, "/is"))
                .text("pass-said-number", text(&v, "/ci"))
                .0,
        });
    }
    for t in of("t") {
        entries.push(Entry {
            kind: Kind::Test,
            facts: Facts::default()
                .text("pass-said-sampled", text(&t, "/sc"))
                .word("pass-said-result", text(&t, "/tr").map(|it| result(&it)))
                .word("pass-said-test", text(&t, "/tt").map(|it| test_kind(&it)))
                .text("pass-said-test-name", text(&t, "/nm"))
                .word("pass-said-disease", text(&t, "/tg").map(disease))
                .text("pass-said-centre", text(&t, "/tc"))
                .text("pass-said-country", text(&t, "/co"))
                .text("pass-said-issuer", text(&t, "/is"))
                .text("pass-said-number", text(&t, "/ci"))
                .0,
        });
    }
    for r in of("r") {
        entries.push(Entry {
            kind: Kind::Recovery,
            facts: Facts::default()
                .text("pass-said-positive", text(&r, "/fr"))
                .text("pass-said-from", text(&r, "/df"))
                .text("pass-said-until", text(&r, "/du"))
                .word("pass-said-disease", text(&r, "/tg").map(disease))
                .text("pass-said-country", text(&r, "/co"))
                .text("pass-said-issuer", text(&r, "/is"))
                .text("pass-said-number", text(&r, "/ci"))
                .0,
        });
    }
    // Ours alone (ADR 0040).
    for x in of("x") {
        entries.push(Entry {
            kind: Kind::Exemption,
            facts: Facts::default()
                .text("pass-said-from", text(&x, "/df"))
                .text("pass-said-until", text(&x, "/du"))
                .word("pass-said-disease", text(&x, "/tg").map(disease))
                .text("pass-said-country", text(&x, "/co"))
                .text("pass-said-issuer", text(&x, "/is"))
                .text("pass-said-number", text(&x, "/ci"))
                .0,
        });
    }
    Said { holder: named(names, latin, text(it, "/dob")), entries }
}

/// A SMART Health Card: a FHIR bundle in a verifiable credential.
fn shc(it: &Value) -> Said {
    let bundle = it.pointer("/vc/credentialSubject/fhirBundle").unwrap_or(it);
    let resources = bundle.get("entry").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut said = Said::default();
    for resource in resources.iter().filter_map(|it| it.get("resource")) {
        let code = |path: &str| text(resource, path);
        let performer = code("/performer/0/actor/display").or(code("/performer/0/display"));
        match resource.get("resourceType").and_then(Value::as_str) {
            Some("Patient") if said.holder.is_none() => {
                let given = resource.pointer("/name/0/given").and_then(Value::as_array);
                let given: Vec<String> =
                    given.into_iter().flatten().filter_map(|it| text(it, "")).collect();
                let given = Some(given.join(" ")).filter(|it| !it.is_empty());
                let names = [given, code("/name/0/family")];
                said.holder = named(names, [None, None], code("/birthDate"));
            }
            Some("Immunization") => said.entries.push(Entry {
                kind: Kind::Vaccination,
                facts: Facts::default()
                    .text("pass-said-date", code("/occurrenceDateTime"))
                    .text(
                        "pass-said-product",
                        code("/vaccineCode/coding/0/code").map(|code| known(&CVX, code)),
                    )
                    .text("pass-said-lot", code("/lotNumber"))
                    .text("pass-said-issuer", performer)
                    .0,
            }),
            Some("Observation") => {
                let result_code = code("/valueCodeableConcept/coding/0/code");
                said.entries.push(Entry {
                    kind: Kind::Test,
                    facts: Facts::default()
                        .text("pass-said-sampled", code("/effectiveDateTime"))
                        .word(
                            "pass-said-result",
                            result_code
                                .map(|it| result(&it))
                                .or(code("/valueString").map(Word::Text)),
                        )
                        .text("pass-said-test-name", code("/code/coding/0/code"))
                        .text("pass-said-issuer", performer)
                        .0,
                });
            }
            _ => {}
        }
    }
    said
}

/// The NZ COVID Pass: a name, a birthday, and that there is a pass.
fn nzcp(it: &Value) -> Said {
    let subject = it.pointer("/vc/credentialSubject").or(it.get("credentialSubject")).unwrap_or(it);
    let names = [text(subject, "/givenName"), text(subject, "/familyName")];
    Said { holder: named(names, [None, None], text(subject, "/dob")), entries: Vec::new() }
}

/// The ICAO visible digital seal: proof of vaccination or of testing.
fn vdsnc(it: &Value) -> Said {
    let message = it.pointer("/data/msg").or(it.get("msg")).unwrap_or(it);
    let mut entries = Vec::new();
    let events = message.get("ve").and_then(Value::as_array).cloned().unwrap_or_default();
    for event in &events {
        let doses = event.get("vd").and_then(Value::as_array).cloned().unwrap_or_default();
        for dose in &doses {
            let number = dose.get("seq").and_then(Value::as_i64).map(|it| it.to_string());
            entries.push(Entry {
                kind: Kind::Vaccination,
                facts: Facts::default()
                    .text("pass-said-date", text(dose, "/dvc"))
                    .text("pass-said-dose-number", number)
                    .text("pass-said-product", text(event, "/nam"))
                    .text("pass-said-lot", text(dose, "/lot"))
                    .text("pass-said-centre", text(dose, "/adm"))
                    .text("pass-said-country", text(dose, "/ctr"))
                    .0,
            });
        }
    }
    if let Some(test) = message.get("dat") {
        entries.push(Entry {
            kind: Kind::Test,
            facts: Facts::default()
                .text("pass-said-sampled", text(test, "/sc"))
                .text("pass-said-result", text(message, "/tr/r"))
                .text("pass-said-test-name", text(message, "/tr/tc"))
                .text("pass-said-centre", text(message, "/ser/spn"))
                .text("pass-said-country", text(message, "/ser/ctr"))
                .0,
        });
    }
    // One line for the whole name: which part is which, it does not say.
    let names = [None, text(message, "/pid/n")];
    let birth = text(message, "/pid/dob");
    Said { holder: named(names, [None, None], birth), entries }
}

fn known(names: &[(&'static str, &'static str)], code: String) -> String {
    let found = names.iter().find(|(known, _)| *known == code);
    found.map_or(code, |(_, name)| (*name).to_owned())
}

fn disease(code: String) -> Word {
    if code == "840539006" { Word::Key("pass-said-covid") } else { Word::Text(code) }
}

/// Results in SNOMED CT, as the DCC value set and FHIR bundles have them.
fn result(code: &str) -> Word {
    match code {
        "260415000" | "260385009" => Word::Key("pass-said-negative"),
        "260373001" | "10828004" => Word::Key("pass-said-positive-result"),
        other => Word::Text(other.to_owned()),
    }
}

/// Kinds of tests in LOINC parts, as the DCC value set has them.
fn test_kind(code: &str) -> Word {
    match code {
        "LP6464-4" => Word::Key("pass-said-pcr"),
        "LP217198-3" => Word::Key("pass-said-rapid"),
        other => Word::Text(other.to_owned()),
    }
}

/// Product codes of the Union register of medicines, and names that the value set uses as codes.
const PRODUCTS: [(&str, &str); 13] = [
    ("EU/1/20/1507", "Spikevax (Moderna)"),
    ("EU/1/20/1525", "Jcovden (Janssen)"),
    ("EU/1/20/1528", "Comirnaty (Pfizer–BioNTech)"),
    ("EU/1/21/1529", "Vaxzevria (AstraZeneca)"),
    ("EU/1/21/1580", "VidPrevtyn Beta (Sanofi)"),
    ("EU/1/21/1618", "Nuvaxovid (Novavax)"),
    ("EU/1/21/1624", "COVID-19 Vaccine Valneva"),
    ("BBIBP-CorV", "BBIBP-CorV (Sinopharm)"),
    ("CoronaVac", "CoronaVac (Sinovac)"),
    ("Convidecia", "Convidecia (CanSino)"),
    ("Covaxin", "Covaxin (Bharat)"),
    ("Covishield", "Covishield (Serum Institute)"),
    ("Sputnik-V", "Sputnik V (Gamaleya)"),
];

/// Vaccine codes of the CDC (CVX) that SMART Health Cards carry.
const CVX: [(&str, &str); 17] = [
    ("207", "Spikevax (Moderna)"),
    ("208", "Comirnaty (Pfizer–BioNTech)"),
    ("210", "Vaxzevria / Covishield (AstraZeneca)"),
    ("211", "Nuvaxovid (Novavax)"),
    ("212", "Jcovden (Janssen)"),
    ("217", "Comirnaty (Pfizer–BioNTech)"),
    ("218", "Comirnaty (Pfizer–BioNTech), 5–11"),
    ("219", "Comirnaty (Pfizer–BioNTech), 0–4"),
    ("221", "Spikevax (Moderna)"),
    ("227", "Spikevax (Moderna), 6–11"),
    ("228", "Spikevax (Moderna), 0–5"),
    ("229", "Spikevax (Moderna)"),
    ("300", "Comirnaty (Pfizer–BioNTech)"),
    ("301", "Comirnaty (Pfizer–BioNTech), 5–11"),
    ("502", "Covaxin (Bharat)"),
    ("510", "BBIBP-CorV (Sinopharm)"),
    ("511", "CoronaVac (Sinovac)"),
];
