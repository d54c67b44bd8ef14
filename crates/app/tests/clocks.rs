//! Wrong clocks and hard days: the server steps back, days are leap days, zones change.

use contracts::person::Person;
use http::StatusCode;
use kernel::{Date, Id, Instant, Zone};
use web::Who;

use crate::city::City;
use crate::journeys::{DECLARATIONS, healthy, inbox};

async fn entries(city: &City, person: Id<Person>) -> Vec<(u64, Instant)> {
    let sql = "SELECT seq, at FROM event WHERE region = $1 AND stream_id = $2 \
         AND kind = 'code.declared.v1' ORDER BY seq";
    let id = person.to_bytes();
    let rows = city.house.app.read(move |it| it.query(sql, store::values![id])).await.unwrap();
    rows.iter().map(|row| (row.count(0).unwrap(), row.instant(1).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_steps_back_a_day_keeps_order_sessions_limits_codes_and_keys() {
    const PHONE: &str = "+821055570001";
    let city = City::behind_proxy(true);
    let start = city.house.app.now();
    let person = city.register(7).await;
    let mut me = city.signed_in(Who::Citizen(person)).await;
    let declared = me.post_json(DECLARATIONS, &healthy("시민")).await;
    assert_eq!(declared.status, StatusCode::CREATED);
    let young = keys(&city);
    // A number that has had its share of codes, and a code that was just sent.
    let mut other = city.anonymous().await;
    for _ in 0..web::otp::SENT_MAX {
        let sent = other.form("/sign-in", &[("phone", PHONE), ("next", "")]).await;
        assert_eq!(sent.status, StatusCode::OK, "{}", sent.text);
    }
    let refused = other.form("/sign-in", &[("phone", PHONE), ("next", "")]).await;
    assert_eq!(refused.code(), "web-too-many");
    let old = code_in(&inbox(&city, PHONE).await[0]);

    city.clock.set(start.plus_days(-1));
    // The session holds, writing goes on, and the newest entry is the last one on the log, whatever
    // its clock says.
    let mut ill = healthy("시민");
    ill["symptoms"]["cough"] = serde_json::json!("yes");
    assert_eq!(me.post_json(DECLARATIONS, &ill).await.status, StatusCode::CREATED);
    let seen = entries(&city, person).await;
    assert!(seen.len() == 2 && seen[0].0 < seen[1].0, "{seen:?}");
    assert!(seen[0].1 > seen[1].1, "the clock did step back");
    let colour = me.get_json("/api/v1/code").await.json()["colour"].clone();
    assert_eq!(colour, "yellow", "the later declaration counts, not the one with the later time");
    // A code of before does not hold for a day, and nobody waits for a day to get a new one.
    let tried = other.form("/sign-in/code", &[("phone", PHONE), ("code", &old)]).await;
    assert_eq!(tried.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", tried.text);
    let sent = other.form("/sign-in", &[("phone", PHONE), ("next", "")]).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text);
    // Retention destroys nothing that is young, and what closes by the hour closes.
    let app = city.house.app.clone();
    app.store.write(|tx| tx.retain()).await.unwrap();
    app.store.write(|tx| tx.close_access_hours()).await.unwrap();
    let kept = keys(&city);
    assert!(young.iter().all(|it| kept.contains(it)), "{young:?} {kept:?}");

    city.clock.set(start.plus_days(1));
    assert_eq!(me.post_json(DECLARATIONS, &healthy("시민")).await.status, StatusCode::CREATED);
    app.store.write(|tx| tx.close_access_hours()).await.unwrap();
    let seen = entries(&city, person).await;
    assert!(seen.is_sorted_by(|one, next| one.0 < next.0) && seen.len() == 3, "{seen:?}");
    assert_eq!(app::house::audit(&city.house.config, |_, _| {}).unwrap().wrong, []);
}

fn code_in(text: &str) -> String {
    let digits = text.split(|it: char| !it.is_ascii_digit()).find(|it| it.len() == 6);
    digits.unwrap().to_owned()
}

/// The scopes that have a key.
fn keys(city: &City) -> Vec<String> {
    let backend = city.house.config.backend().unwrap();
    let mut engine = backend.reader(store::backend::Part::Keys).unwrap();
    let mut found = Vec::new();
    let mut each = |row: &mut store::Row| {
        found.push(row.text(0)?.to_owned());
        Ok(true)
    };
    let sql = "SELECT scope FROM vault_key";
    engine.query(sql, &[], &mut each).unwrap();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colour_that_lasts_fourteen_days_lasts_them_over_a_leap_day_to_the_microsecond() {
    let city = City::behind_proxy(true);
    for (number, (begun, end)) in [
        ("2028-02-20T15:00:00Z", "2028-03-05T15:00:00Z"),
        ("2027-02-20T15:00:00Z", "2027-03-06T15:00:00Z"),
        ("2100-02-20T15:00:00Z", "2100-03-06T15:00:00Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let (begun, end) = (Instant::parse(begun).unwrap(), Instant::parse(end).unwrap());
        city.clock.set(begun);
        let person = city.register(20 + u32::try_from(number).unwrap()).await;
        let mut me = city.signed_in(Who::Citizen(person)).await;
        assert_eq!(me.post_json(DECLARATIONS, &healthy("시민")).await.status, StatusCode::CREATED);
        let code = me.get_json("/api/v1/code").await.json();
        assert_eq!(code["until"].as_str().and_then(Instant::parse), Some(end), "{code}");
        city.clock.set(Instant::from_micros(end.micros() - 1));
        assert_eq!(
            me.get_json("/api/v1/code").await.json()["colour"],
            "green",
            "{}",
            end.rfc3339()
        );
        city.clock.set(end);
        assert_ne!(
            me.get_json("/api/v1/code").await.json()["colour"],
            "green",
            "{}",
            end.rfc3339()
        );
    }
}

#[test]
fn a_day_begins_once_and_holds_its_own_hours_in_every_zone_and_over_every_change() {
    // Leap days, a century that is none, summer times of both halves, a zone of half hours that
    // moved for good (Pyongyang), and an island that left out a whole day (Apia, 2011-12-30).
    let zones = [
        "Asia/Seoul",
        "America/New_York",
        "Europe/London",
        "Australia/Lord_Howe",
        "Asia/Pyongyang",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "America/St_Johns",
        "Africa/Casablanca",
    ];
    let left_out: Date = "2011-12-30".parse().unwrap();
    for name in zones {
        let zone = Zone::try_new(name).unwrap();
        for (year, days) in [(2011, 366), (2015, 366), (2018, 366), (2028, 370), (2100, 370)] {
            let mut date = Date::from_calendar(year, 1, 1).unwrap();
            for _ in 0..days {
                let (begin, next) = (zone.start_of(date), zone.start_of(date.plus_days(1)));
                let hours = next.seconds_since(begin) / 3_600;
                if name == "Pacific/Apia" && date == left_out {
                    assert_eq!(hours, 0, "a day that never was");
                } else {
                    assert!((23..=25).contains(&hours), "{name} {date}: {hours} h");
                    assert_eq!(zone.date(begin), date, "{name}");
                    let last = Instant::from_micros(next.micros() - 1);
                    assert_eq!(zone.date(last), date, "{name}");
                }
                date = date.plus_days(1);
            }
        }
    }
}
