//! What cards and seals attest, said as a DCC says it, so that the rules of a place can read it: the one
//! place where codes of other systems become codes of the DCC.
//!
//! Only what says the same in both is carried over. What is not known here (another product, a product
//! that one code leaves open, a date without a day, a course that is not whole) becomes nothing, and
//! rules that get nothing are open: "cannot tell", never "no". A card lists what its issuer knows of;
//! what it does not list it does not deny.

use serde_json::{Value, json};

use super::json::Json;
use super::time;

/// SNOMED CT: COVID-19.
const COVID: &str = "840539006";
/// SNOMED CT: detected, and not detected.
const DETECTED: &str = "260373001";
const NOT_DETECTED: &str = "260415000";
/// LOINC parts, as the DCC names kinds of tests: amplification of nucleic acid, and rapid antigen.
const AMPLIFICATION: &str = "LP6464-4";
const ANTIGEN: &str = "LP217198-3";

/// SNOMED CT: the kinds of vaccines, as the DCC's encoding instructions give them for each product (edition
/// of May 2023).
const MRNA: &str = "1119349007";
const VECTOR: &str = "29061000087103";
const PROTEIN: &str = "1162643001";
const WHOLE: &str = "1157024006";

/// A product of the DCC's value sets (`vaccine-medicinal-product`).
#[derive(Debug, PartialEq, Eq)]
struct Product {
    code: &'static str,
    kind: &'static str,
    /// Doses of the first course; 0 where the product begins none.
    course: i64,
}

const fn product(code: &'static str, kind: &'static str, course: i64) -> Product {
    Product { code, kind, course }
}

/// CDC's CVX codes of vaccines against COVID-19. Left out: what CVX leaves open (213, 500; 210, which
/// stands for Vaxzevria and for Covishield, two products of the DCC), and what is given to small children
/// in courses of other lengths (219, 228, 302).
static CVX: [(&str, Product); 13] = [
    ("207", product("EU/1/20/1507", MRNA, 2)),
    ("208", product("EU/1/20/1528", MRNA, 2)),
    ("211", product("EU/1/21/1618", PROTEIN, 2)),
    ("212", product("EU/1/20/1525", VECTOR, 1)),
    ("217", product("EU/1/20/1528", MRNA, 2)),
    ("218", product("EU/1/20/1528", MRNA, 2)),
    ("221", product("EU/1/20/1507", MRNA, 2)),
    // Against two variants: given after a course.
    ("229", product("EU/1/20/1507", MRNA, 0)),
    ("300", product("EU/1/20/1528", MRNA, 0)),
    ("301", product("EU/1/20/1528", MRNA, 0)),
    ("502", product("Covaxin", WHOLE, 2)),
    ("510", product("BBIBP-CorV", WHOLE, 2)),
    ("511", product("CoronaVac", WHOLE, 2)),
];

/// Trade names as seals write them, in small letters: ICD-11, which seals use for codes, names kinds of
/// vaccines and no products.
static NAMES: [(&str, Product); 9] = [
    ("comirnaty", product("EU/1/20/1528", MRNA, 2)),
    ("spikevax", product("EU/1/20/1507", MRNA, 2)),
    ("vaxzevria", product("EU/1/21/1529", VECTOR, 2)),
    ("janssen", product("EU/1/20/1525", VECTOR, 1)),
    ("nuvaxovid", product("EU/1/21/1618", PROTEIN, 2)),
    ("covishield", product("Covishield", VECTOR, 2)),
    ("coronavac", product("CoronaVac", WHOLE, 2)),
    ("bbibp", product("BBIBP-CorV", WHOLE, 2)),
    ("covaxin", product("Covaxin", WHOLE, 2)),
];

/// LOINC codes of tests for the virus, by what they look for. Antibodies are not among them. The DCC has one
/// code for all antigen tests and one for all amplification: `96119-3` (not said to be rapid) and `94565-9`
/// (without a probe) have no other.
const TESTS: [(&str, &str); 9] = [
    ("94309-2", AMPLIFICATION),
    ("94500-6", AMPLIFICATION),
    ("94565-9", AMPLIFICATION),
    ("94759-8", AMPLIFICATION),
    ("94845-5", AMPLIFICATION),
    ("95406-5", AMPLIFICATION),
    ("94558-4", ANTIGEN),
    ("96119-3", ANTIGEN),
    ("97097-0", ANTIGEN),
];

/// SNOMED CT codes of results: detected and positive, not detected and negative.
const RESULTS: [(&str, &str); 4] = [
    (DETECTED, DETECTED),
    ("10828004", DETECTED),
    (NOT_DETECTED, NOT_DETECTED),
    ("260385009", NOT_DETECTED),
];

/// One dose.
struct Dose<'a> {
    product: &'static Product,
    day: &'a str,
    /// Which of the course it says it is; 0 where it does not.
    number: i64,
}

fn known<T: Copy>(table: &[(&str, T)], code: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == code).map(|(_, means)| *means)
}

/// The code of a FHIR `CodeableConcept` in that system, looked up.
fn coded<'j>(concept: Option<&'j Json>, system: &str) -> impl Iterator<Item = &'j str> {
    let codings = concept.and_then(|it| it.get("coding")?.list()).unwrap_or_default();
    let system = system.to_owned();
    let of_system = move |it: &&Json| it.text_at("system") == Some(&*system);
    codings.iter().filter(of_system).filter_map(|it| it.text_at("code"))
}

/// The day of a date or of a moment, if it says one.
fn day(text: &str) -> Option<&str> {
    let day = text.get(..10)?;
    time::date(day).map(|_| day)
}

/// A SMART card's bundle as a DCC would say it.
pub(super) fn of_card(resources: &[&Json]) -> Option<Value> {
    let of = |kind: &'static str| {
        resources.iter().copied().filter(move |it| it.text_at("resourceType") == Some(kind))
    };
    // Whose dose it is is only clear where there is one person.
    let mut patients = of("Patient");
    let birth = patients.next()?.text_at("birthDate").unwrap_or_default();
    if patients.next().is_some() {
        return None;
    }
    if of("Immunization").next().is_some() {
        let given = of("Immunization").filter(|it| it.text_at("status") == Some("completed"));
        return vaccinated(given.map(card_dose).collect::<Option<_>>()?, birth);
    }
    let mut tests = of("Observation");
    let test = tests.next()?;
    let is_done = matches!(test.text_at("status")?, "final" | "amended" | "corrected");
    if !is_done || tests.next().is_some() {
        return None;
    }
    let kind = coded(test.get("code"), "http://loinc.org").find_map(|it| known(&TESTS, it))?;
    let result = coded(test.get("valueCodeableConcept"), "http://snomed.info/sct");
    let result = { result }.find_map(|it| known(&RESULTS, it))?;
    tested(kind, result, test.text_at("effectiveDateTime")?, birth)
}

fn card_dose(it: &Json) -> Option<Dose<'_>> {
    let mut codes = coded(it.get("vaccineCode"), "http://hl7.org/fhir/sid/cvx");
    let (_, product) = codes.find_map(|code| CVX.iter().find(|(known, _)| *known == code))?;
    Some(Dose { product, day: day(it.text_at("occurrenceDateTime")?)?, number: 0 })
}

/// A seal's message as a DCC would say it.
pub(super) fn of_seal(kind: &str, message: &Json) -> Option<Value> {
    let birth = message.at(&["pid", "dob"]).and_then(Json::text).unwrap_or_default();
    if kind == "icao.vacc" {
        let mut doses = Vec::new();
        for event in message.get("ve")?.list()? {
            // ICD-11: COVID-19, the virus found or not.
            if event.text_at("dis").is_some_and(|it| !it.starts_with("RA01")) {
                return None;
            }
            let name = event.text_at("nam")?.to_lowercase();
            let mut products = NAMES.iter().filter(|(known, _)| name.contains(known));
            let (Some((_, product)), None) = (products.next(), products.next()) else {
                return None;
            };
            for dose in event.get("vd")?.list()? {
                let number = dose.get("seq").and_then(Json::integer).unwrap_or_default();
                doses.push(Dose { product, day: day(dose.text_at("dvc")?)?, number });
            }
        }
        return vaccinated(doses, birth);
    }
    let text = |path: &[&str]| message.at(path).and_then(Json::text);
    let kind = match text(&["tr", "tc"])? {
        "molecular(PCR)" => AMPLIFICATION,
        "antigen" => ANTIGEN,
        _ => return None,
    };
    let result = match text(&["tr", "r"])? {
        "positive" => DETECTED,
        "negative" => NOT_DETECTED,
        _ => return None,
    };
    tested(kind, result, text(&["dat", "sc"])?, birth)
}

/// The last dose, and which it is of how many.
fn vaccinated(mut doses: Vec<Dose<'_>>, birth: &str) -> Option<Value> {
    doses.sort_by_key(|it| it.day);
    // Two records of one day are two records of one dose.
    doses.dedup_by_key(|it| it.day);
    let (first, last) = (doses.first()?, doses.last()?);
    let counted = i64::try_from(doses.len()).ok()?;
    let number = doses.iter().map(|it| it.number).max()?.max(counted);
    // What came before the first one that is listed is not known, so neither is its course.
    let course = first.product.course;
    if course == 0 || number < course {
        return None;
    }
    Some(json!({ "ver": "1.3.0", "dob": birth, "v": [{
        "tg": COVID, "vp": last.product.kind, "mp": last.product.code, "dn": number, "sd": course,
        "dt": last.day,
    }] }))
}

/// A date without a time could be any hour of its day, and rules count hours.
fn tested(kind: &str, result: &str, sampled: &str, birth: &str) -> Option<Value> {
    let has_time = sampled.get(10..11) == Some("T");
    has_time.then(|| time::moment(sampled)).flatten().map(|second| {
        json!({ "ver": "1.3.0", "dob": birth, "t": [{
            "tg": COVID, "tt": kind, "tr": result, "sc": time::text(second),
        }] })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::tests::data;

    fn card(resources: &[Value]) -> Option<Value> {
        let read = |it: &Value| Json::read(it.to_string().as_bytes()).unwrap();
        let patient = json!({"resourceType": "Patient", "birthDate": "1951-01-20"});
        let all: Vec<Json> = std::iter::once(&patient).chain(resources).map(read).collect();
        of_card(&all.iter().collect::<Vec<_>>())
    }

    fn dose(code: &str, when: &str) -> Value {
        let coding = json!([{"system": "http://hl7.org/fhir/sid/cvx", "code": code}]);
        json!({
            "resourceType": "Immunization", "status": "completed",
            "vaccineCode": {"coding": coding}, "occurrenceDateTime": when,
        })
    }

    fn entry(product: &str, number: i64, of: i64, last: &str) -> [Value; 4] {
        [json!(product), json!(number), json!(of), json!(last)]
    }

    fn course(doses: &[Value]) -> Option<[Value; 4]> {
        let said = card(doses)?;
        Some(["mp", "dn", "sd", "dt"].map(|field| said["v"][0][field].clone()))
    }

    #[test]
    fn a_course_is_its_last_dose_and_which_it_is_of_how_many() {
        let moderna = "EU/1/20/1507";
        let two = [dose("207", "2021-01-29T10:00:00Z"), dose("207", "2021-01-01")];
        assert_eq!(course(&two), Some(entry(moderna, 2, 2, "2021-01-29")));
        let booster = [two.as_slice(), &[dose("229", "2022-09-05")]].concat();
        assert_eq!(course(&booster), Some(entry(moderna, 3, 2, "2022-09-05")));
        let one = [dose("212", "2021-05-01")];
        assert_eq!(course(&one), Some(entry("EU/1/20/1525", 1, 1, "2021-05-01")));
        // A record that stands there twice is one dose.
        let twice = [two.as_slice(), &[dose("207", "2021-01-01")]].concat();
        assert_eq!(course(&twice), Some(entry(moderna, 2, 2, "2021-01-29")));
        // What was entered in error was not given.
        let mut wrong = dose("208", "2021-02-28");
        wrong["status"] = json!("entered-in-error");
        let three = [two.as_slice(), &[wrong]].concat();
        assert_eq!(course(&three), Some(entry(moderna, 2, 2, "2021-01-29")));
    }

    #[test]
    fn products_are_of_the_kinds_that_the_encoding_instructions_give() {
        let Some(folder) = data("dcc-valuesets") else { return };
        let read = |name: &str| -> Value {
            serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
        };
        let (how, types) = (read("vaccine-encoding-instructions.json"), read("test-type.json"));
        let entries = how["valueSetValues"].as_object().unwrap();
        for product in CVX.iter().chain(&NAMES).map(|(_, it)| it) {
            let is_it = |it: &&Value| it["vaccine-code"] == product.code;
            let entry = entries.values().find(is_it).unwrap_or_else(|| panic!("{product:?}"));
            let kinds = entry["sct-codes"].as_array().unwrap();
            assert!(kinds.contains(&json!(product.kind)), "{product:?} {kinds:?}");
        }
        for (_, kind) in TESTS {
            assert!(types["valueSetValues"].get(kind).is_some(), "{kind}");
        }
    }

    #[test]
    fn what_is_not_known_is_nothing() {
        let good = dose("207", "2021-01-01");
        for doses in [
            vec![good.clone()],
            vec![good.clone(), dose("207", "2021-02")],
            vec![good.clone(), dose("213", "2021-02-01")],
            vec![dose("210", "2021-01-01"), dose("210", "2021-03-01")],
            vec![dose("229", "2022-09-05")],
            vec![good.clone(), dose("207", "2021-02-01"), json!({"resourceType": "Patient"})],
            vec![],
        ] {
            assert_eq!(card(&doses), None, "{doses:?}");
        }
        let mut other = dose("207", "2021-02-01");
        other["vaccineCode"]["coding"][0]["system"] = json!("http://example.org");
        assert_eq!(card(&[good, other]), None);
    }

    #[test]
    fn a_test_needs_its_kind_its_result_and_its_time() {
        let observation = |code: &str, result: &str, when: &str| {
            json!({
                "resourceType": "Observation", "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueCodeableConcept":
                    {"coding": [{"system": "http://snomed.info/sct", "code": result}]},
                "effectiveDateTime": when,
            })
        };
        let said = |code, result, when| {
            let said = card(&[observation(code, result, when)])?;
            Some(["tt", "tr", "sc"].map(|field| said["t"][0][field].clone()))
        };
        let at = "2022-01-10T09:30:00+09:00";
        let utc = "2022-01-10T00:30:00Z";
        let pcr = [AMPLIFICATION, NOT_DETECTED, utc].map(Value::from);
        assert_eq!(said("94500-6", "260415000", at), Some(pcr));
        let rapid = [ANTIGEN, DETECTED, utc].map(Value::from);
        assert_eq!(said("94558-4", "10828004", at), Some(rapid));
        // Antibodies; a result in doubt; a day without a time.
        assert_eq!(said("94563-4", "260415000", at), None);
        assert_eq!(said("94500-6", "419984006", at), None);
        assert_eq!(said("94500-6", "260415000", "2022-01-10"), None);
        let mut early = observation("94500-6", "260415000", at);
        early["status"] = json!("preliminary");
        assert_eq!(card(&[early]), None);
    }

    #[test]
    fn the_published_seal_is_two_doses_and_a_trade_name_that_is_not_known_is_nothing() {
        let Some(folder) = data("vdsnc/dfat") else { return };
        let text = std::fs::read_to_string(folder.join("valid.json")).unwrap();
        let said = |text: &str| {
            let json = Json::read(text.as_bytes()).unwrap();
            of_seal("icao.vacc", json.at(&["data", "msg"]).unwrap())
        };
        let entry = &said(&text).unwrap()["v"][0];
        assert_eq!(
            [&entry["mp"], &entry["dn"], &entry["sd"], &entry["dt"]],
            [&json!("EU/1/20/1507"), &json!(2), &json!(2), &json!("2021-10-03")]
        );
        assert_eq!(said(&text.replace("Vaxzevria", "Vaccine")), None);
        assert_eq!(said(&text.replace("Spikevax", "Spikevax or Comirnaty")), None);
        assert_eq!(said(&text.replace("RA01.0", "1F03")), None);
    }

    #[test]
    fn a_seal_of_a_test_says_its_kind_as_icao_names_it() {
        let said = |kind: &str, result: &str| {
            let message = json!({
                "pid": {"n": "CITIZEN  JOHN"}, "dat": {"sc": "2022-01-10T00:30:00Z"},
                "tr": {"tc": kind, "r": result},
            });
            let said = of_seal("icao.test", &Json::read(message.to_string().as_bytes()).unwrap())?;
            Some(["tt", "tr"].map(|field| said["t"][0][field].clone()))
        };
        let negative = Some([AMPLIFICATION, NOT_DETECTED].map(Value::from));
        assert_eq!(said("molecular(PCR)", "negative"), negative);
        assert_eq!(said("antigen", "positive"), Some([ANTIGEN, DETECTED].map(Value::from)));
        assert_eq!(said("antibody", "negative"), None);
        assert_eq!(said("molecular(PCR)", "unclear"), None);
    }
}
