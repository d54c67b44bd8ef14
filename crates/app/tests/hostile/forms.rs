//! Every field of every form of ours, filled with what no form of ours sends.

use std::collections::BTreeMap;

use kernel::Locale;

use super::*;

/// A field of a form with something that it takes.
pub(super) type Fields = BTreeMap<String, String>;

/// What a page of ours sends to `path`, read from the samples of all pages.
pub(super) fn fields_of(town: &Town, forms: &[(String, Fields)], route: &str) -> Option<Fields> {
    let fits = |action: &str| {
        let (given, pattern): (Vec<&str>, Vec<&str>) =
            (action.split('/').collect(), route.split('/').collect());
        let same = |(a, b): (&&str, &&str)| a == b || b.starts_with('{');
        given.len() == pattern.len() && given.iter().zip(&pattern).all(same)
    };
    let mut found: Option<Fields> = None;
    for (_, fields) in forms.iter().filter(|(action, _)| fits(action)) {
        let all = found.get_or_insert_default();
        for (name, value) in fields {
            all.entry(name.clone()).or_insert_with(|| valid(town, name, value));
        }
    }
    found
}

/// Something that a field of this name takes.
fn valid(town: &Town, name: &str, sample: &str) -> String {
    let part = name.rsplit('_').next().unwrap_or(name);
    let text = match name {
        "name" => "홍길동",
        "document" => "M12345678",
        "residence" => "서울 강남구",
        "temperature" => "36.5",
        "birth_date" => "1980-05-05",
        "phone" => "010-5555-6666",
        "email" => "someone@example.org",
        "who" | "person" | "helper" | "helped" => return town.told.citizens[2].to_string(),
        "number" => "강남-2026-7",
        "until" => "2026-03-05",
        "day" | "exposed" => "2026-03-01",
        "grounds" | "why" | "text" => "2026-3 사건",
        "decision" => "decision_00000000000000000000000000",
        _ if part == "place" => "대구",
        _ if part == "from" || part == "to" => "2026-03-01",
        _ if sample.is_empty() => "1",
        _ => sample,
    };
    text.to_owned()
}

/// Every form of every page: where it goes, and what is in it.
pub(super) fn forms(town: &Town) -> Vec<(String, Fields)> {
    web::sample::use_slices(&town.city.house.slices).unwrap();
    let mut forms = Vec::new();
    for sample in town.city.house.slices.iter().flat_map(|it| (it.samples)()) {
        let page = (sample.render)(Locale::Ko).unwrap();
        for form in page.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let Some(action) = attribute(form, "action") else { continue };
            let mut fields = Fields::new();
            for tag in form.split('<').skip(1) {
                let Some(name) = attribute(tag, "name") else { continue };
                if name.starts_with('_') {
                    continue;
                }
                let mut value = attribute(tag, "value").unwrap_or_default();
                if tag.starts_with("select") {
                    let rest = &form[form.find(&format!("name=\"{name}\"")).unwrap()..];
                    let options = rest.split("<option").skip(1);
                    let mut options = options.filter_map(|it| attribute(it, "value"));
                    value = options.find(|it| !it.is_empty()).unwrap_or_default();
                }
                fields.entry(name).or_insert(value);
            }
            forms.push((action, fields));
        }
    }
    forms
}

/// The value of an attribute of the tag that `text` begins with.
fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = text.split('>').next()?;
    let (_, after) = tag.split_once(&format!("{name}=\""))?;
    after.split('"').next().map(str::to_owned)
}

impl Town {
    /// Every command that pages and programs can give, once, with something that it takes or
    /// nearly. And help with consent, which needs two people.
    pub(crate) async fn live(&self) {
        self.live_phone().await;
        let forms = forms(self);
        for (number, route) in (5_000..).zip(self.routes(false)) {
            let mut client = self.who(route.access, number).await;
            let path = self.path(route.path);
            if let Some(body) = routes::body_of(self, route.path) {
                let headers = [("accept", JSON), ("content-type", JSON)];
                let bytes = body.to_string().into_bytes();
                client.raw(route.method.as_str(), &path, &headers, bytes).await;
            } else {
                let mut fields = fields_of(self, &forms, route.path).unwrap_or_default();
                fields.entry("confirm".to_owned()).and_modify(|it| "삭제".clone_into(it));
                let all: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                client.form(&path, &all).await;
            }
        }
        let (mut elder, mut child) =
            (self.who(Access::Citizen, 6_000).await, self.who(Access::Citizen, 6_001).await);
        let offer = elder.form("/account/help/offer", &[]).await.text;
        let code = between(&offer, "class=\"code-short\">", "<").unwrap();
        let accept = [("code", code.as_str()), ("kin", "parent"), ("days", "30")];
        assert_eq!(child.form("/account/help/accept", &accept).await.status, 303);
        self.live_passes().await;
    }

    /// An issued pass on a phone, before forms end it.
    async fn live_phone(&self) {
        // The base point of P-256, compressed.
        let mut patient = self.city.signed_in(Who::Citizen(self.told.citizens[1])).await;
        let codes = format!("/api/v1/passes/{}/codes", self.clinic.card);
        let phone = json!({ "device_key": "A2sX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW" });
        let code = patient.post_json(&codes, &phone).await;
        assert_eq!(code.status, 201, "{}", code.text);
    }

    /// A pass in a wallet, and a file of keys that waits for its second officer.
    async fn live_passes(&self) {
        let mut holder = self.who(Access::Citizen, 6_002).await;
        let (app, person) = (&self.city.house.app, self.told.citizens[2]);
        let ask = Ask::IssuePass {
            pass: Id::random(app.seed()),
            device_key: None,
            short: credential::ShortCode::from_bits(77),
        };
        let decision = Id::random(app.seed());
        let context = Context::by(By::System("test"));
        let done = app.write(move |tx| {
            let answer = code::door::run(tx, &context, person, &ask, decision)?;
            Ok(answer.map(|it| it.events))
        });
        let events = done.await.unwrap().unwrap();
        let issued = code::issue::issued(&events).unwrap();
        let signed = code::issue::sign(&app.keyring, app.store.region(), issued).unwrap();
        let text = signed.printed_text();
        let put = holder.form("/passes/add", &[("text", text.as_str())]).await;
        assert_eq!(put.status, 303, "{}", put.text);
        // The key of RFC 7517, appendix A.1.
        let keys = br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"AAAAAAAAAAA=",
            "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
        let mut officer = self.city.signed_in(Who::Staff(self.told.administrator)).await;
        officer.page("/desk/passes/trust").await;
        let (name, file): ([_; 1], [(&str, &[u8]); 1]) = ([("name", "예시")], [("file", keys)]);
        let sent = officer.upload("/desk/passes/trust", &name, &file).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
    }
}

#[test]
fn no_field_breaks_a_form_and_without_its_token_no_form_is_taken() {
    run(async |town| {
        let (mut wrong, mut tried, texts, forms) = (Vec::new(), 0, texts(), forms(&town));
        let is_json = |path: &str| path.starts_with("/api/") || path.contains("/passkey");
        for (number, route) in (0..).zip(town.routes(false)) {
            let removes = route.path.ends_with("/remove");
            if is_json(route.path) && !removes {
                continue;
            }
            // Shown for a suspended member of staff, and for a place long closed, which no sample
            // has; they have no fields.
            let unseen = ["/desk/staff/{staff}/resume", "/desk/places/{place}/remove"];
            let unseen = unseen.contains(&route.path).then(Fields::new);
            let Some(base) = fields_of(&town, &forms, route.path).or(unseen) else {
                wrong.push(format!("{}: no page has its form", route.path));
                continue;
            };
            let mut client = town.who(route.access, 1_000 + number).await;
            let path = town.path(route.path);
            let pairs = |fields: &Fields| -> Vec<(String, String)> {
                fields.iter().map(|(a, b)| (a.clone(), b.clone())).collect()
            };
            let untouched = pairs(&base);
            let plain: Vec<_> = untouched.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let headers = [("accept", JSON), ("content-type", FORM)];
            let answer = client.raw("POST", &path, &headers, encode(&plain)).await;
            if answer.code() != "web-csrf" {
                wrong.push(format!("{} without its token: {}", route.path, answer.status));
            }
            let mut reached = false;
            let mut sent = vec![base.clone()];
            for text in &texts {
                for name in base.keys() {
                    sent.push(base.clone());
                    sent.last_mut().unwrap().insert(name.clone(), text.clone());
                }
                sent.push(base.keys().map(|name| (name.clone(), text.clone())).collect());
            }
            for name in base.keys() {
                sent.push(base.clone());
                sent.last_mut().unwrap().remove(name);
            }
            for fields in sent {
                let all: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                let answer = client.form(&path, &all).await;
                tried += 1;
                reached |= !AT_THE_DOOR.contains(&answer.code().as_str());
                if let Some(it) = town.judge(&path, true, &answer) {
                    let odd = fields.iter().find(|it| base.get(it.0) != Some(it.1));
                    let odd = odd.map(|(name, value)| format!("{name}={}", short(value)));
                    wrong.push(format!("POST {} {odd:?}: {it}", route.path));
                }
            }
            if !reached && !base.is_empty() {
                wrong.push(format!("{}: nothing came past the door", route.path));
            }
        }
        report(&wrong);
        assert!(tried > 2_000, "{tried} forms are too few to have tried much");
    });
}
