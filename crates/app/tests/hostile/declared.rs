//! What citizens and devices write about themselves: refused, or kept exactly.

use std::collections::BTreeSet;

use super::*;

/// Sends a declaration; when it is taken, compares what is kept with what was sent, byte for byte.
/// White space at both ends is taken off (`kernel::clean` says so), and nothing else is changed.
pub(super) async fn check_kept(
    client: &mut Browser,
    place: &str,
    text: &str,
    answer: &Answer,
) -> Option<String> {
    let (code, shown) = (answer.code(), short(text));
    if answer.status.is_client_error() {
        // A form's own page says which field; the JSON interface says it by its code.
        let said = answer.status == 422 || !code.is_empty();
        return (!said).then(|| format!("{place}={shown} was refused without a word"));
    }
    if !answer.status.is_success() && !answer.status.is_redirection() {
        return Some(format!("{place}={shown}: {}", answer.status));
    }
    let kept = client.get_json("/api/v1/code/declarations").await.json();
    let kept = kept[0]["declaration"].pointer(place).cloned().unwrap_or_default();
    let export = client.get_json("/api/v1/me/export").await.json();
    let exported = export["events"].as_array().unwrap().iter().rev();
    let mut exported =
        exported.filter_map(|it| it["event"].pointer(&format!("/declaration{place}")));
    let exported = exported.next().cloned().unwrap_or_default();
    let sent = json!(text.trim());
    (kept != sent || exported != sent)
        .then(|| format!("{place}={shown} was kept as {kept} and exported as {exported}"))
}

#[test]
fn what_is_declared_is_refused_or_kept_exactly() {
    run(async |town| {
        let person = town.city.register(1).await;
        let mut client = town.city.signed_in(Who::Citizen(person)).await;
        let mut taken = BTreeSet::new();
        let mut wrong = Vec::new();
        let fields = [
            ("/name", "name"),
            ("/document", "document"),
            ("/residence", "residence"),
            ("/stays/0/place", "stay_1_place"),
        ];
        let form = [
            ("name", "홍길동"),
            ("document", "M12345678"),
            ("residence", "해태시"),
            ("stay_1_place", "대구"),
            ("stay_1_from", "2026-03-01"),
            ("stay_1_to", "2026-03-01"),
            ("contact_confirmed", "no"),
            ("contact_symptomatic", "no"),
            ("fever", "no"),
            ("cough", "no"),
            ("sore_throat", "no"),
            ("breathlessness", "no"),
            ("smell_or_taste", "no"),
            ("temperature", "36.5"),
        ];
        for text in texts() {
            for (place, field) in fields {
                let mut body = declaration();
                *body.pointer_mut(place).unwrap() = json!(text);
                let answer = client.post_json("/api/v1/code/declarations", &body).await;
                if answer.status == 201 {
                    taken.insert(text.clone());
                }
                wrong.extend(check_kept(&mut client, place, &text, &answer).await);
                let filled = form
                    .map(|(name, value)| (name, if name == field { text.as_str() } else { value }));
                let answer = client.form("/code/declare", &filled).await;
                wrong.extend(check_kept(&mut client, place, &text, &answer).await);
            }
        }
        report(&wrong);
        for text in ["=1+1", "аdmin", "Αβ가王ييא", "e\u{301}\u{1100}\u{1161}", "{ $name }"]
        {
            assert!(taken.contains(text), "{text} is somebody's name");
        }
        for hidden in ["김\0하늘", "김\u{200b}하늘", "\u{202e}gnp.exe", "\u{feff}김하늘"] {
            assert!(!taken.contains(hidden), "{hidden:?} was taken");
        }
        let sheet = client.get_json("/account/export.csv").await;
        assert_eq!(sheet.status, 200);
        let text = sheet.text;
        assert!(text.contains("'=1+1") || text.contains("=1+1"), "the export holds the name");
        for cell in text.lines().flat_map(|line| line.trim_start_matches('\u{feff}').split(',')) {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '@']), "a spreadsheet would run {cell}");
        }
    });
}

#[test]
fn days_and_temperatures_out_of_this_world_are_refused() {
    run(async |town| {
        let person = town.city.register(1).await;
        let mut client = town.city.signed_in(Who::Citizen(person)).await;
        for (from, to) in [
            ("1970-01-01", "1970-01-02"),
            ("9999-12-31", "9999-12-31"),
            ("2026-03-03", "2026-03-03"),
            ("2026-03-02", "2026-03-01"),
            ("2026-02-30", "2026-03-01"),
            ("0000-00-00", "x"),
            ("-9999-01-01", "2026-03-01"),
            ("2026-3-1", "2026-3-1"),
            ("", ""),
        ] {
            let mut body = declaration();
            body["stays"][0] = json!({ "place": "대구", "from": from, "to": to });
            let answer = client.post_json("/api/v1/code/declarations", &body).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (422, "code-stay-invalid"),
                "{from} {to}"
            );
        }
        for (temperature, status) in [
            (json!(0), 422),
            (json!(339), 422),
            (json!(431), 422),
            (json!(65535), 422),
            (json!(65536), 400),
            (json!(-365), 400),
            (json!(36.5), 400),
            (json!("365"), 400),
            (json!(1e300), 400),
            (json!(true), 400),
        ] {
            let mut body = declaration();
            body["temperature_tenths"] = temperature.clone();
            let answer = client.post_json("/api/v1/code/declarations", &body).await;
            assert_eq!(answer.status, status, "{temperature}");
        }
        let mut body = declaration();
        body["stays"] = json!(vec![body["stays"][0].clone(); 15]);
        let answer = client.post_json("/api/v1/code/declarations", &body).await;
        assert_eq!(answer.code(), "code-too-many-stays");
        assert_eq!(client.get_json("/api/v1/code/declarations").await.json(), json!([]));
    });
}

#[test]
fn a_phone_s_name_is_refused_or_kept_exactly_however_well_it_is_signed() {
    run(async |town| {
        let (place, code) = (town.told.places[1].0, town.told.places[1].1.to_string());
        let mut client = town.city.anonymous().await;
        let key = credential::DeviceKey::from_scalar(&[7; 32]).unwrap();
        let public = gate::model::PublicKey::from_bytes(&key.public_uncompressed()).unwrap();
        let mut wrong = Vec::new();
        for (number, label) in (1_u128..).zip(texts()) {
            let now = town.city.house.app.now();
            let signed = gate::queue::enrolment_bytes(&code, &label, &public, now.seconds());
            let body = json!({
                "place_code": code, "label": label, "made_at": now.seconds(),
                "public_key": base64url(public.as_bytes()),
                "signature": base64url(&key.sign(&signed).unwrap()),
            });
            let answer = client.post_json("/api/v1/gate/devices", &body).await;
            if let Some(it) = town.judge("/api/v1/gate/devices", true, &answer) {
                wrong.push(format!("{}: {it}", short(&label)));
            }
            if answer.status == 201 {
                let device: Id<Device> = answer.json()["device"].as_str().unwrap().parse().unwrap();
                let kept = town.city.house.app.read(move |it| gate::view::device(it, device)).await;
                let kept = kept.unwrap().unwrap();
                assert_eq!((kept.place, kept.label.as_str()), (place, label.trim()));
            }
            // A place takes few waiting phones at a time; a day later it takes the next.
            if number % 3 == 0 {
                town.city.clock.set(now.plus_days(2));
            }
        }
        report(&wrong);
    });
}
