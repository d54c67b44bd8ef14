//! Batches against a real store: once, in any order, counts that add up.

use std::sync::Arc;

use contracts::code::{Colour, TypedAnswer};
use contracts::gate::{Device as DeviceId, Place as PlaceId, Verdict};
use credential::sealed::QueueKey;
use credential::{DeviceKey, ShortCode};
use kernel::{Id, Instant, ManualClock, Seed, Zone};
use store::{By, Context, Keyring, Options, Registry, Store};
use web::Questions;
use web::testing::Databases;

use super::queue::{device_key, plain, seal};
use crate::command::{DeviceCommand, PlaceCommand};
use crate::count::{self, Window};
use crate::door;
use crate::intake::{Answer, prepare, take};
use crate::model::{Device, DevicePhase, Place, PlaceKind};
use crate::queue::{Batch, Plain};
use crate::refusal::Refusal;
use crate::view;

const PLACE: Id<PlaceId> = Id::from_u128(1);
const DEVICE: Id<DeviceId> = Id::from_u128(2);
const OWNER: Id<contracts::person::Staff> = Id::from_u128(3);
const CONTEXT: Context = Context::by(By::System("test"));

fn registry() -> Registry {
    let slice = crate::slice();
    Registry {
        streams: slice.streams.to_vec(),
        observations: slice.observations.to_vec(),
        views: slice.views.to_vec(),
        migrations: slice.migrations.iter().map(|it| (slice.name, *it)).collect(),
        reactions: Vec::new(),
    }
}

struct Lab {
    dir: tempfile::TempDir,
    databases: Databases,
    clock: ManualClock,
    store: Store,
    region: QueueKey,
    device: DeviceKey,
    questions: Questions,
}

impl Lab {
    /// A city with one open place and one device that waits there.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let databases = Databases::of(dir.path());
        let clock = ManualClock::at(Instant::parse("2026-03-10T03:00:00Z").unwrap());
        let keyring = Keyring::open(&dir.path().join("keys"), Seed::fixed(1)).unwrap();
        let options = Options {
            backend: databases.backend.clone(),
            region: "kr-11".parse().unwrap(),
            origin: "haetae.example/log".to_owned(),
            clock: Arc::new(clock.clone()),
            seed: Seed::fixed(2),
            keyring: Arc::new(keyring),
            registry: registry(),
        };
        let store = Store::open(options).unwrap().store;
        let (device, public_key) = device_key();
        let region = QueueKey::from_scalar(&[8; 32]).unwrap();
        let questions = Questions::default();
        let lab = Self { dir, databases, clock, store, region, device, questions };
        lab.open_place(PLACE, PlaceKind::Shop, "해태 시장");
        let ask = DeviceCommand::AskEnrolment {
            place: PLACE,
            label: "정문 1".to_owned(),
            public_key,
            waiting: 0,
        };
        lab.tell(ask);
        lab
    }

    fn open_place(&self, place: Id<PlaceId>, kind: PlaceKind, name: &str) {
        let command = PlaceCommand::Open {
            name: name.to_owned(),
            organisation: Id::from_u128(9),
            kind,
            sensitive: false,
            code: ShortCode::from_bits(u64::try_from(place.to_u128()).unwrap()),
        };
        self.store.execute_blocking::<Place>(CONTEXT, place.to_u128(), command).unwrap();
    }

    fn tell(&self, command: DeviceCommand) {
        self.store.execute_blocking::<Device>(CONTEXT, DEVICE.to_u128(), command).unwrap();
    }

    fn approved() -> Self {
        let lab = Self::new();
        lab.tell(DeviceCommand::Approve { by: Id::from_u128(3) });
        lab
    }

    /// A batch with these claims of time, sealed with the numbers 0, 1, 2 …
    fn batch(&self, id: u128, entries: &[Plain]) -> Batch {
        let texts: Vec<_> = entries.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
        seal(&self.region, id, &texts)
    }

    fn send(&self, batch: &Batch) -> Result<Answer, Refusal> {
        let signature = self.device.sign(&batch.signed_bytes()).unwrap();
        self.send_signed(batch, &signature)
    }

    fn send_signed(&self, batch: &Batch, signature: &[u8; 64]) -> Result<Answer, Refusal> {
        let (now, keys) = (self.now(), std::slice::from_ref(&self.region));
        let prepared = self
            .store
            .read_blocking(|it| prepare(it, &self.questions, keys, batch, signature, now))
            .unwrap()?;
        self.store.write_blocking(move |tx| take(tx, &prepared)).unwrap()
    }

    fn now(&self) -> Instant {
        self.store.clock().now()
    }

    fn visits(&self) -> i64 {
        let sql = "SELECT COALESCE(SUM(count), 0) FROM gate_visit WHERE region = $1";
        self.store.read_blocking(|it| it.query_visits(sql, &[])?[0].int(0)).unwrap()
    }

    fn check_audit(self) {
        self.store.close();
        let keyring = Keyring::open(&self.dir.path().join("keys"), Seed::fixed(1)).unwrap();
        let region = "kr-11".parse().unwrap();
        let (backend, origin) = (&self.databases.backend, "haetae.example/log");
        let audit =
            store::audit(backend, &region, origin, &keyring, &registry(), |_, _| {}).unwrap();
        assert_eq!(audit.wrong, []);
    }
}

#[allow(clippy::unnecessary_wraps, reason = "stands where an answer is expected")]
fn taken(accepted: u64) -> Result<Answer, Refusal> {
    Ok(Answer { accepted, rejected: Vec::new() })
}

fn codes(answer: &Answer) -> Vec<(u64, &str)> {
    answer.rejected.iter().map(|it| (it.n, it.code.as_str())).collect()
}

#[test]
fn only_an_approved_device_hands_in_and_its_queue_is_taken_once_it_is() {
    let lab = Lab::new();
    let batch = lab.batch(1, &[plain(lab.now().seconds())]);
    assert_eq!(lab.send(&batch), Err(Refusal::DeviceNotApproved));
    lab.tell(DeviceCommand::Approve { by: Id::from_u128(3) });
    assert_eq!(lab.send(&batch), taken(1));
    lab.tell(DeviceCommand::Withdraw { by: Id::from_u128(3) });
    let late = lab.batch(2, &[plain(lab.now().seconds())]);
    assert_eq!(lab.send(&late), Err(Refusal::DeviceWithdrawn));
    let unknown = Batch { device: Id::from_u128(77), ..late };
    assert_eq!(lab.send(&unknown), Err(Refusal::DeviceUnknown));
    assert_eq!(lab.visits(), 1);
    lab.check_audit();
}

#[test]
fn a_device_withdrawn_between_reading_and_writing_hands_in_nothing() {
    let lab = Lab::approved();
    let batch = lab.batch(1, &[plain(lab.now().seconds())]);
    let signature = lab.device.sign(&batch.signed_bytes()).unwrap();
    let now = lab.now();
    let prepared = lab
        .store
        .read_blocking(|it| {
            prepare(it, &lab.questions, std::slice::from_ref(&lab.region), &batch, &signature, now)
        })
        .unwrap()
        .unwrap();
    lab.tell(DeviceCommand::Withdraw { by: Id::from_u128(3) });
    let answer = lab.store.write_blocking(move |tx| take(tx, &prepared)).unwrap();
    assert_eq!(answer, Err(Refusal::DeviceWithdrawn));
    assert_eq!(lab.visits(), 0);
}

#[test]
fn a_wrong_signature_learns_nothing_and_leaves_nothing() {
    let lab = Lab::new();
    let batch = lab.batch(1, &[plain(lab.now().seconds())]);
    // Not even that the device waits: the signature comes first.
    assert_eq!(lab.send_signed(&batch, &[1; 64]), Err(Refusal::SignatureBad));
    assert_eq!(lab.visits(), 0);
}

#[test]
fn a_batch_sent_again_has_one_effect_and_one_answer() {
    let lab = Lab::approved();
    let mut batch = lab.batch(1, &vec![plain(lab.now().seconds()); 3]);
    batch.entries[1].data = "x".to_owned();
    let first = lab.send(&batch).unwrap();
    assert_eq!(first.accepted, 2);
    assert_eq!(codes(&first), [(1, "gate-entry-unreadable")]);
    let size = lab.store.size();
    for _ in 0..5 {
        assert_eq!(lab.send(&batch).as_ref(), Ok(&first));
    }
    assert_eq!((lab.visits(), lab.store.size()), (2, size));
    lab.check_audit();
}

#[test]
fn batches_arrive_in_any_order_and_from_many_threads() {
    let lab = Lab::approved();
    let whole = lab.batch(0, &vec![plain(lab.now().seconds()); 40]);
    let parts: Vec<Batch> = whole
        .entries
        .chunks(10)
        .zip(1..)
        .map(|(entries, id)| Batch {
            id,
            first_n: entries[0].n,
            entries: entries.to_vec(),
            ..whole.clone()
        })
        .collect();
    let lab_ref = &lab;
    std::thread::scope(|scope| {
        for part in parts.iter().rev().chain(&parts) {
            scope.spawn(move || assert_eq!(lab_ref.send(part), taken(10)));
        }
    });
    assert_eq!(lab.visits(), 40);
    lab.check_audit();
}

#[test]
fn an_entry_in_two_batches_counts_once() {
    let lab = Lab::approved();
    let batch = lab.batch(1, &vec![plain(lab.now().seconds()); 4]);
    let begin = Batch { entries: batch.entries[..2].to_vec(), ..batch.clone() };
    assert_eq!(lab.send(&begin), taken(2));
    let all = Batch { id: 2, ..batch };
    let answer = lab.send(&all).unwrap();
    assert_eq!(answer.accepted, 2);
    assert_eq!(codes(&answer), [(0, "gate-entry-repeated"), (1, "gate-entry-repeated")]);
    assert_eq!(lab.visits(), 4);
    lab.check_audit();
}

#[test]
fn the_day_s_counts_are_by_hour_of_the_city_and_by_the_device_s_claim() {
    let lab = Lab::approved();
    let zone = Zone::try_new("Asia/Seoul").unwrap();
    let now = lab.now(); // noon in Seoul
    let claim = |text: &str| Instant::parse(text).unwrap().seconds();
    let entry = |text: &str, verdict| Plain { verdict, ..plain(claim(text)) };
    let batch = lab.batch(
        1,
        &[
            entry("2026-03-10T00:00:00+09:00", Verdict::Pass),
            entry("2026-03-09T23:59:59+09:00", Verdict::Pass),
            entry("2026-03-10T09:59:59+09:00", Verdict::NoPass),
            entry("2026-03-10T10:00:00+09:00", Verdict::CannotTell),
            entry("2026-03-10T10:59:59+09:00", Verdict::Pass),
        ],
    );
    assert_eq!(lab.send(&batch), taken(5));
    let date = zone.date(now);
    let counts = |date| {
        let window = Window::of(date, zone.date(now), &zone);
        lab.store.read_blocking(|it| count::of_day(it, PLACE, &window)).unwrap()
    };
    let today = counts(date);
    let totals = Verdict::ALL.map(|it| today.total(it));
    assert_eq!(totals, [2, 1, 1]);
    assert_eq!([0, 9, 10, 11].map(|it| today.at_hour(it)), [1, 1, 2, 0]);
    assert_eq!(today.devices.len(), 1);
    assert_eq!((today.devices[0].device, today.devices[0].count), (DEVICE, 4));
    assert_eq!(counts(date.plus_days(-1)).total(Verdict::Pass), 1);
    assert_eq!(counts(date.plus_days(1)).total(Verdict::Pass), 0);
}

/// Sends one entry for each claim; every date of the month before and after is asked for.
#[track_caller]
fn check_each_stands_under_one_date(zone: &str, now: &str, claims: &[&str], late: u64) {
    let lab = Lab::approved();
    let now = Instant::parse(now).unwrap();
    lab.clock.set(now);
    let entries: Vec<Plain> =
        claims.iter().map(|it| plain(Instant::parse(it).unwrap().seconds())).collect();
    let sent = u64::try_from(entries.len()).unwrap();
    assert_eq!(lab.send(&lab.batch(1, &entries)), taken(sent));
    let zone = Zone::try_new(zone).unwrap();
    let today = zone.date(now);
    let (mut shown, mut without_hour, mut of_device, mut totals) = (0, 0, 0, 0);
    for back in 0..=28 {
        let window = Window::of(today.plus_days(-back), today, &zone);
        let counts = lab.store.read_blocking(|it| count::of_day(it, PLACE, &window)).unwrap();
        shown += Verdict::ALL.iter().map(|it| counts.total(*it)).sum::<u64>();
        without_hour += counts.late();
        of_device += counts.devices.iter().map(|it| it.count).sum::<u64>();
        totals += lab.store.read_blocking(|it| count::total(it, PLACE, &window)).unwrap();
    }
    assert_eq!((shown, of_device, totals, without_hour), (sent, sent, sent, late), "{claims:?}");
}

#[test]
fn every_entry_that_was_taken_stands_under_exactly_one_date() {
    let seoul_noon = "2026-03-10T03:00:00Z";
    check_each_stands_under_one_date("Asia/Seoul", seoul_noon, &["2026-03-10T02:59:00Z"], 0);
    // To the second 72 hours old, and a second older.
    check_each_stands_under_one_date("Asia/Seoul", seoul_noon, &["2026-03-07T03:00:00Z"], 0);
    check_each_stands_under_one_date("Asia/Seoul", seoul_noon, &["2026-03-07T02:59:59Z"], 1);
    // Clocks that are wrong by years, and by minutes across midnight of UTC.
    let wrong = ["1970-01-02T00:00:00Z", "2030-01-01T00:00:00Z", "2026-02-20T10:00:00Z"];
    check_each_stands_under_one_date("Asia/Seoul", seoul_noon, &wrong, 3);
    let midnight = "2026-03-09T23:58:00Z";
    check_each_stands_under_one_date("Asia/Seoul", midnight, &["2026-03-10T00:05:00Z"], 1);
    // West of Greenwich the day of UTC is ahead of the city's.
    let evening = "2026-03-10T02:00:00Z";
    let claims = ["2026-03-10T01:00:00Z", "2026-03-01T01:00:00Z", "2026-03-09T10:00:00Z"];
    check_each_stands_under_one_date("America/Los_Angeles", evening, &claims, 1);
}

#[test]
fn a_place_that_closes_takes_nothing_more_and_withdraws_its_devices() {
    let lab = Lab::approved();
    let waiting: Id<DeviceId> = Id::from_u128(77);
    let ask = DeviceCommand::AskEnrolment {
        place: PLACE,
        label: "후문".to_owned(),
        public_key: device_key().1,
        waiting: 1,
    };
    lab.store.execute_blocking::<Device>(CONTEXT, waiting.to_u128(), ask).unwrap();
    assert_eq!(lab.send(&lab.batch(1, &[plain(lab.now().seconds())])), taken(1));
    let close = |lab: &Lab| lab.store.write_blocking(|tx| door::close(tx, &CONTEXT, PLACE, OWNER));
    assert_eq!(close(&lab).unwrap(), Ok(()));
    assert_eq!(close(&lab).unwrap(), Err(Refusal::PlaceClosed));
    let late = lab.batch(2, &[plain(lab.now().seconds())]);
    assert_eq!(lab.send(&late), Err(Refusal::DeviceWithdrawn));
    let devices = lab.store.read_blocking(|it| view::devices_of(it, PLACE)).unwrap();
    let phases: Vec<DevicePhase> = devices.iter().map(|it| it.phase).collect();
    assert_eq!(phases, [DevicePhase::Refused, DevicePhase::Withdrawn]);
    let typed = |tx: &mut store::Tx<'_>| door::check_typed(tx, &CONTEXT, PLACE, None);
    assert_eq!(lab.store.write_blocking(typed).unwrap(), Err(Refusal::PlaceClosed));
    assert_eq!(lab.visits(), 1);
    lab.check_audit();
}

/// The label of the device, while there is one.
fn label(lab: &Lab) -> Option<String> {
    let row = lab.store.read_blocking(|it| view::device(it, DEVICE)).unwrap();
    row.map(|it| it.label)
}

#[test]
fn a_device_is_removed_once_it_is_withdrawn_and_nothing_of_it_can_be_read() {
    let lab = Lab::approved();
    assert_eq!(lab.send(&lab.batch(1, &[plain(lab.now().seconds())])), taken(1));
    let remove =
        |lab: &Lab| lab.store.write_blocking(|tx| door::remove_device(tx, &CONTEXT, DEVICE, OWNER));
    assert_eq!(remove(&lab).unwrap(), Err(Refusal::DeviceInUse));
    assert_eq!(label(&lab).as_deref(), Some("정문 1"));
    lab.tell(DeviceCommand::Withdraw { by: OWNER });
    assert_eq!(remove(&lab).unwrap(), Ok(()));
    assert_eq!(label(&lab), None);
    assert_eq!(remove(&lab).unwrap(), Err(Refusal::DeviceUnknown));
    let events = lab.store.read_blocking(|it| it.events("gate.device", DEVICE.to_u128())).unwrap();
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|it| it.json.is_none()), "the key is gone");
    assert_eq!(lab.visits(), 1, "its entries stay their 28 days");
    lab.store.write_blocking(|tx| tx.rebuild()).unwrap();
    assert_eq!(label(&lab), None);
    lab.check_audit();
}

#[test]
fn a_place_is_removed_with_its_devices_once_its_entries_are_gone() {
    let lab = Lab::approved();
    assert_eq!(lab.send(&lab.batch(1, &[plain(lab.now().seconds())])), taken(1));
    let remove =
        |lab: &Lab| lab.store.write_blocking(|tx| door::remove_place(tx, &CONTEXT, PLACE, OWNER));
    assert_eq!(remove(&lab).unwrap(), Err(Refusal::PlaceInUse));
    lab.store.write_blocking(|tx| door::close(tx, &CONTEXT, PLACE, OWNER)).unwrap().unwrap();
    lab.clock.advance_seconds(29 * 86_400 - 1);
    assert_eq!(remove(&lab).unwrap(), Err(Refusal::PlaceKept));
    lab.clock.advance_seconds(1);
    lab.store.write_blocking(|tx| tx.retain()).unwrap();
    assert_eq!(lab.visits(), 0);
    assert_eq!(remove(&lab).unwrap(), Ok(()));
    assert_eq!(remove(&lab).unwrap(), Err(Refusal::PlaceUnknown));
    assert_eq!(lab.store.read_blocking(|it| view::place(it, PLACE)).unwrap(), None);
    assert_eq!(label(&lab), None);
    lab.check_audit();
}

#[test]
fn a_code_typed_at_the_desk_is_one_entry_however_often_it_is_sent() {
    let lab = Lab::new();
    let context = Context { command: Some(7), ..CONTEXT };
    let answer = TypedAnswer {
        pass: Id::from_u128(255),
        colour: Colour::Red,
        valid_until: lab.now().plus_days(1),
        revoked: false,
    };
    for _ in 0..3 {
        let answer = answer.clone();
        let told = lab
            .store
            .write_blocking(move |tx| door::check_typed(tx, &context, PLACE, Some(&answer)))
            .unwrap();
        assert_eq!(told, Ok((Verdict::NoPass, vec!["colour_red"])));
    }
    assert_eq!(lab.visits(), 1);
    let zone = Zone::utc();
    let window = Window::of(zone.date(lab.now()), zone.date(lab.now()), &zone);
    let counts = lab.store.read_blocking(|it| count::of_day(it, PLACE, &window)).unwrap();
    assert_eq!(counts.total(Verdict::NoPass), 1);
    assert_eq!(counts.devices[0].device, door::desk_of(PLACE));
    lab.check_audit();
}

#[test]
fn entries_end_after_28_days_and_no_table_holds_the_pass_itself() {
    let lab = Lab::approved();
    let entry = plain(lab.now().seconds());
    assert_eq!(lab.send(&lab.batch(1, &[entry])), taken(1));
    let pass = hex::decode("00112233445566778899aabbccddeeff").unwrap();
    assert!(!lab.databases.hold(pass), "a pass id lies open");
    assert!(!lab.databases.hold("00112233445566778899aabbccddeeff"), "a pass id lies open");
    lab.clock.advance_seconds(29 * 86_400);
    lab.store.write_blocking(|tx| tx.retain()).unwrap();
    assert_eq!(lab.visits(), 0);
    lab.check_audit();
}

#[test]
fn a_code_typed_offline_is_looked_up_when_it_is_handed_in() {
    fn answer(short: &str, now: Instant) -> Option<TypedAnswer> {
        let known = ShortCode::from_bits(7).to_string();
        (short == known).then(|| TypedAnswer {
            pass: Id::from_u128(255),
            colour: Colour::Green,
            valid_until: now,
            revoked: false,
        })
    }
    let mut lab = Lab::approved();
    lab.questions.typed_code = |_, short, now| Ok(answer(short, now));
    let typed = |bits| Plain {
        pass: None,
        verdict: Verdict::CannotTell,
        typed: true,
        // As a guard may type it.
        short: Some(ShortCode::from_bits(bits).to_string().to_lowercase().replace('-', " ")),
        ..plain(lab.now().seconds())
    };
    let batch = lab.batch(1, &[typed(7), typed(8)]);
    assert_eq!(lab.send(&batch), taken(2));
    let sql = "SELECT tags FROM observation_tag WHERE region = $1";
    let rows = lab.store.read_blocking(|it| it.query_visits(sql, &[])).unwrap();
    let (tags, _) = rows[0].bytes(0).unwrap().as_chunks::<16>();
    assert_eq!(tags.iter().map(|it| *it != [0; 16]).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn sensitive_places_are_in_no_list_and_their_names_in_no_file() {
    let lab = Lab::new();
    lab.open_place(Id::from_u128(5), PlaceKind::Shelter, "canary-shelter");
    let names = |with_sensitive| {
        let rows =
            lab.store.read_blocking(|it| view::places_page(it, None, with_sensitive, 100)).unwrap();
        rows.into_iter().map(|it| it.name).collect::<Vec<_>>()
    };
    assert_eq!(names(false), ["해태 시장"]);
    assert_eq!(names(true), ["해태 시장", "canary-shelter"]);
    assert!(!lab.databases.hold("canary-shelter"));
}

#[test]
fn views_follow_the_events_and_a_rebuild_gives_the_same() {
    let lab = Lab::approved();
    let tell = |command| {
        lab.store.execute_blocking::<Place>(CONTEXT, PLACE.to_u128(), command).unwrap();
    };
    tell(PlaceCommand::Rename { name: "큰 시장".to_owned() });
    tell(PlaceCommand::SetPolicy { printed_allowed: false, stale_hours: 24 });
    let rows = || {
        let place = lab.store.read_blocking(|it| view::place(it, PLACE)).unwrap().unwrap();
        let devices = lab.store.read_blocking(|it| view::devices_of(it, PLACE)).unwrap();
        (place, devices)
    };
    let (place, devices) = rows();
    assert_eq!((place.name.as_str(), place.policy.stale_hours), ("큰 시장", 24));
    assert!(!place.policy.printed_allowed);
    assert_eq!(devices.len(), 1);
    assert_eq!((devices[0].label.as_str(), devices[0].phase), ("정문 1", DevicePhase::Approved));
    let code = ShortCode::from_bits(1).to_string();
    let find = || lab.store.read_blocking(|it| view::place_by_code(it, &code)).unwrap();
    assert_eq!(find().map(|it| it.place), Some(PLACE));
    let before = rows();
    lab.store.write_blocking(|tx| tx.rebuild()).unwrap();
    assert_eq!(rows(), before);
    tell(PlaceCommand::Close);
    assert_eq!(find(), None, "a closed place enrols nobody");
    lab.check_audit();
}

#[test]
fn devices_that_wait_are_counted_within_their_day() {
    let lab = Lab::new();
    let now = lab.now();
    let waiting = |since| lab.store.read_blocking(|it| view::waiting(it, PLACE, since)).unwrap();
    assert_eq!(waiting(now.plus_seconds(-1)), 1);
    assert_eq!(waiting(now), 0);
    lab.tell(DeviceCommand::Refuse { by: Id::from_u128(3) });
    assert_eq!(waiting(now.plus_seconds(-1)), 0);
}

#[test]
fn every_sql_text_prepares_and_every_event_example_comes_back_the_same() {
    store::audit::check_queries(&registry(), view::QUERIES).unwrap();
    let slice = crate::slice();
    for (stream, json) in slice.examples {
        let stream = slice.streams.iter().find(|it| it.name == *stream).unwrap();
        let again = (stream.refold)(json.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), *json);
    }
}
