//! The write door from outside: a small guest book as the slice.

mod backup;
mod stopping;

use std::sync::Arc;

use contracts::person::Staff;
use contracts::trace::CaseGrounds;
use kernel::{Aggregate, Fact, Id, Instant, ManualClock, Refusal, Seed};
use serde::{Deserialize, Serialize};

use crate::backend::Part;
use crate::registry::{keep, refold, silent};
use crate::*;

/// Each test once on each engine.
macro_rules! on_both {
    ($($test:ident)*) => {
        mod on_sqlite {
            $(#[test] fn $test() { super::$test(super::On::Sqlite); })*
        }
        mod on_postgres {
            $(#[test] fn $test() { super::$test(super::On::Postgres); })*
        }
    };
}

mod lost;
mod members;
mod rotation;
mod unknown;
mod upgrade;

#[derive(Debug, Clone, Default)]
struct Book {
    lines: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    Written { line: String },
}

impl Fact for Event {
    fn kind(&self) -> &'static str {
        "book.written.v1"
    }
}

#[derive(Debug)]
struct Full;

impl Refusal for Full {
    fn code(&self) -> &'static str {
        "book-full"
    }
    fn status(&self) -> u16 {
        409
    }
}

impl Aggregate for Book {
    const STREAM: &'static str = "book.page";
    type Command = String;
    type Event = Event;
    type Refusal = Full;

    fn decide(&self, line: String, _now: Instant) -> Result<Vec<Event>, Full> {
        assert_ne!(line, "panic", "a rule that panics");
        if self.lines < 3 { Ok(vec![Event::Written { line }]) } else { Err(Full) }
    }

    fn fold(&mut self, _: &Event) {
        self.lines += 1;
    }
}

fn project(views: &mut Projection<'_>, it: &Recorded) -> Result<(), Fault> {
    let Some(Event::Written { line }) = it.event()? else { return Ok(()) };
    let sealed = views.seal(it.stream_id, "book_line.line", it.seq, &line)?;
    let values = [Value::from(it.seq), Value::from(it.stream_id.to_be_bytes()), sealed];
    views.execute(
        "INSERT INTO book_line (region, seq, page, line) VALUES ($1, $2, $3, $4)",
        &values,
    )?;
    Ok(())
}

const SEEN_ADD: Insert = crate::insert!("book_seen": "seq" 2, "day" 3, "count" 4);

const SEEN: ObservationKind = ObservationKind {
    kind: "book.seen.v1",
    retention_days: 28,
    rows: &[&SEEN_ADD],
    project: |add, block| {
        let count = u64::try_from(block.items.len()).unwrap();
        add(&SEEN_ADD, &[block.seq.into(), block.day.into(), count.into()])?;
        Ok(block.items.iter().map(|it| Some(it.to_vec())).collect())
    },
};

fn registry() -> Registry {
    let identity = "CREATE TABLE book_line (region TEXT NOT NULL, seq BIGINT NOT NULL, \
        page BYTEA NOT NULL, line BYTEA, PRIMARY KEY (region, seq));";
    let visits = "CREATE TABLE book_seen (region TEXT NOT NULL, seq BIGINT NOT NULL, \
        day BIGINT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (region, seq));";
    Registry {
        streams: vec![StreamKind {
            name: Book::STREAM,
            sealing: Sealing::Subject,
            retention_days: keep,
            project,
            publish: silent,
            refold: refold::<Event>,
        }],
        observations: vec![SEEN],
        views: vec![
            View { table: "book_line", side: Side::Identity, subject: Some("page"), day: None },
            View {
                table: "book_seen",
                side: Side::Visits,
                subject: None,
                day: Some(("day", "book.seen.v1")),
            },
        ],
        migrations: vec![
            ("book", Migration { number: 1, side: Side::Identity, sql: identity }),
            ("book", Migration { number: 1, side: Side::Visits, sql: visits }),
        ],
        reactions: Vec::new(),
    }
}

/// The engine that a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Sqlite,
    Postgres,
}

struct Lab {
    dir: tempfile::TempDir,
    backend: Backend,
    clock: ManualClock,
}

impl Lab {
    /// `None` where the engine is not installed.
    fn new(on: On) -> Option<Self> {
        let clock = ManualClock::at(Instant::parse("2026-03-01T00:00:00Z").unwrap());
        let dir = tempfile::tempdir().unwrap();
        let backend = match on {
            On::Sqlite => dir.path().into(),
            On::Postgres => Backend::postgres(&testdb::databases()?, None, None).unwrap(),
        };
        Some(Self { dir, backend, clock })
    }

    fn keyring(&self) -> Arc<Keyring> {
        Arc::new(Keyring::open(&self.dir.path().join("keys"), Seed::fixed(1)).unwrap())
    }

    fn open(&self) -> Store {
        self.try_open().unwrap().store
    }

    fn try_open(&self) -> Result<Opened, Fault> {
        self.try_open_with(registry())
    }

    /// As another version of the program.
    fn try_open_with(&self, registry: Registry) -> Result<Opened, Fault> {
        Store::open(Options {
            backend: self.backend.clone(),
            region: "kr-11".parse().unwrap(),
            origin: "haetae.example/log".to_owned(),
            clock: Arc::new(self.clock.clone()),
            seed: Seed::fixed(2),
            keyring: self.keyring(),
            registry,
        })
    }

    fn audit(&self) -> Audit {
        self.audit_with(&registry())
    }

    fn audit_with(&self, registry: &Registry) -> Audit {
        let region = "kr-11".parse().unwrap();
        let origin = "haetae.example/log";
        audit(&self.backend, &region, origin, &self.keyring(), registry, |_, _| {}).unwrap()
    }

    /// Runs a statement past our own code, as somebody else might; gives the rows it touched. `ZEROS(n)`
    /// is n zero bytes.
    fn sql(&self, part: Part, sql: &str) -> usize {
        match &self.backend {
            Backend::Folder(dir) => {
                let connection = rusqlite::Connection::open(dir.join(part.file())).unwrap();
                connection.execute(&sql.replace("ZEROS", "zeroblob"), []).unwrap()
            }
            Backend::Postgres(_) => {
                let zeros = "CREATE OR REPLACE FUNCTION zeros(n integer) RETURNS bytea \
                     LANGUAGE SQL AS $$ SELECT decode(repeat('00', n), 'hex') $$";
                let sql = format!("WITH it AS ({sql} RETURNING 1) SELECT COUNT(*) FROM it");
                let [identity, visits, keys] = self.backend.names();
                let name = match part {
                    Part::Identity => identity,
                    Part::Visits => visits,
                    Part::Keys => keys,
                };
                testdb::psql(&name, zeros);
                testdb::psql(&name, &sql).parse().unwrap()
            }
        }
    }

    /// Whether any file of the databases holds these bytes as they stand.
    fn files_hold(&self, needle: &str) -> bool {
        match &self.backend {
            Backend::Folder(dir) => testdb::files_hold(dir, needle.as_bytes()),
            Backend::Postgres(_) => {
                testdb::databases_hold(&self.backend.names(), needle.as_bytes())
            }
        }
    }
}

const CONTEXT: Context = Context::by(By::System("test"));

fn write(store: &Store, page: u128, line: &str) -> Result<Done<Event>, Error<Full>> {
    store.execute_blocking::<Book>(CONTEXT, page, line.to_owned())
}

fn lines(store: &Store, page: u128) -> Vec<Option<String>> {
    let sql = "SELECT line FROM book_line WHERE region = $1 AND page = $2 ORDER BY seq";
    let read = store.read_blocking(|reader| {
        let rows = reader.query(sql, values![page.to_be_bytes()])?;
        rows.iter().map(|row| reader.open(page, "book_line.line", row.maybe_bytes(0)?)).collect()
    });
    read.unwrap()
}

fn seen(day: i32, who: &str) -> Observation {
    Observation { day, payload: serde_json::to_vec(who).unwrap() }
}

fn what_was_acknowledged_is_there_after_opening_again(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    assert_eq!(write(&store, 7, "하나").unwrap().first, 0);
    assert_eq!(write(&store, 7, "둘").unwrap().first, 1);
    store.close();
    let store = lab.open();
    assert_eq!(store.size(), 2);
    assert_eq!(lines(&store, 7), [Some("하나".to_owned()), Some("둘".to_owned())]);
    assert!(!lab.files_hold("하나"), "personal data lie sealed");
    let report = lab.audit();
    assert_eq!((report.wrong, report.opened), (vec![], 2));
}

fn a_refused_command_writes_nothing_and_the_rule_sees_the_whole_past(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    for _ in 0..3 {
        write(&store, 7, "x").unwrap();
    }
    assert!(matches!(write(&store, 7, "x"), Err(Error::Refused(Full))));
    store.close();
    let store = lab.open();
    assert!(matches!(write(&store, 7, "x"), Err(Error::Refused(Full))));
    assert_eq!(store.size(), 3);
}

fn one_command_id_sent_a_thousand_times_has_one_effect_and_one_answer(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let answers: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let context = Context { command: Some(99), ..CONTEXT };
                    let once = || {
                        store.execute_blocking::<Book>(context, 7, "x".to_owned()).unwrap().first
                    };
                    (0..125).map(|_| once()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    assert_eq!((answers.len(), store.size()), (1000, 1));
    assert!(answers.iter().all(|it| *it == 0));
}

fn a_fault_in_one_job_does_not_touch_the_others_of_its_batch(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    write(&store, 1, "before").unwrap();
    std::thread::scope(|scope| {
        for page in 10..40 {
            let store = &store;
            scope.spawn(move || {
                let line = if page == 20 { "panic" } else { "fine" };
                let answer = write(store, page, line);
                assert_eq!(answer.is_ok(), page != 20, "{answer:?}");
            });
        }
    });
    assert_eq!(store.size(), 30);
    store.close();
    assert_eq!(lab.audit().wrong, []);
}

fn observations_are_taken_once_and_end_with_their_day(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let day = 20_000;
    lab.clock.set(Instant::from_seconds(i64::from(day) * 86_400));
    let context = Context { command: Some(5), ..CONTEXT };
    let take = |day: i32| {
        let batch = vec![seen(day, "pass one"), seen(day, "pass two")];
        store.write_blocking(move |tx| tx.observe(&context, "book.seen.v1", &batch)).unwrap()
    };
    assert_eq!(take(day), (0, false));
    assert_eq!(take(day), (0, true));
    assert_eq!(store.size(), 1, "a batch of one day is one leaf");
    let count = "SELECT COALESCE(SUM(count), 0) FROM book_seen WHERE region = $1";
    let rows = || store.read_blocking(|it| it.query_visits(count, &[])?[0].int(0)).unwrap();
    assert_eq!(rows(), 2);
    assert_eq!(lab.audit().wrong, []);
    lab.clock.advance_seconds(28 * 86_400);
    assert_eq!(store.write_blocking(|tx| tx.retain()).unwrap(), 0, "day 28 is still kept");
    lab.clock.advance_seconds(86_400);
    assert_eq!(store.write_blocking(|tx| tx.retain()).unwrap(), 1);
    let report = lab.audit();
    assert_eq!((report.wrong, report.erased), (vec![], 1));
    assert_eq!(rows(), 0);
}

fn a_clock_that_jumps_ahead_destroys_nothing_until_it_is_set_or_confirmed(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let day = tx::utc_day(store.clock().now());
    let context = Context { command: Some(5), ..CONTEXT };
    let first = vec![seen(day, "pass")];
    let taken = |store: &Store, batch: Vec<Observation>| {
        store.write_blocking(move |tx| tx.observe(&context, SEEN.kind, &batch)).unwrap()
    };
    assert_eq!(taken(&store, first.clone()), (0, false));
    let ended = |store: &Store| store.write_blocking(|tx| tx.retain()).unwrap();
    let swept = |store: &Store| store.write_blocking(|tx| tx.sweep_commands()).unwrap();
    assert_eq!(ended(&store), 0);
    lab.clock.jump_seconds(40 * 86_400);
    assert_eq!((ended(&store), swept(&store)), (0, 0), "40 days in no time");
    assert_eq!(taken(&store, first.clone()), (0, true), "the command is still known");
    // What was written meanwhile bears the wrong time; that does not make it right, nor does a restart.
    write(&store, 7, "in the future").unwrap();
    store.close();
    let store = lab.open();
    assert_eq!((ended(&store), swept(&store)), (0, 0), "after a restart");
    lab.clock.jump_seconds(-40 * 86_400);
    assert_eq!(ended(&store), 0, "nothing is old");
    // Two days without the service, and forty: nobody here can tell them from a jump.
    for days in [2, 38] {
        store.close();
        lab.clock.jump_seconds(days * 86_400);
        let store = lab.open();
        assert_eq!(ended(&store), 0, "{days} days later, unconfirmed");
        let region = "kr-11".parse().unwrap();
        trust::confirm(&lab.backend, &region, store.clock().now()).unwrap();
        assert_eq!(ended(&store), u64::from(days == 38), "{days} days later, confirmed");
        assert_eq!(swept(&store), u64::from(days == 38));
        store.close();
    }
    assert_eq!(lab.audit().wrong, []);
}

fn time_that_passes_is_no_jump_and_a_clock_that_is_too_fast_gains_a_day_at_most(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let believed = || store.write_blocking(|tx| tx.clock_is_believed()).unwrap();
    lab.clock.advance_seconds(30 * 86_400);
    assert!(believed());
    lab.clock.jump_seconds(trust::LEEWAY_S);
    assert!(believed(), "a zone's width");
    lab.clock.jump_seconds(1);
    assert!(!believed(), "not twice: each time that was believed is no new beginning");
    lab.clock.advance_seconds(86_400);
    assert!(!believed());
    lab.clock.jump_seconds(-1);
    assert!(believed());
}

fn a_forgotten_subject_is_unreadable_everywhere_and_the_log_still_verifies(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    write(&store, 7, "forget me").unwrap();
    write(&store, 8, "keep me").unwrap();
    store.write_blocking(|tx| tx.forget(7)).unwrap();
    assert_eq!(lines(&store, 7), []);
    assert_eq!(lines(&store, 8), [Some("keep me".to_owned())]);
    let event = store.read_blocking(|it| it.event(0)).unwrap().unwrap();
    assert_eq!(event.json, None);
    store.write_blocking(|tx| tx.rebuild()).unwrap();
    assert_eq!(lines(&store, 8), [Some("keep me".to_owned())]);
    store.close();
    let report = lab.audit();
    assert_eq!((report.wrong, report.erased, report.opened), (vec![], 1, 1));
}

fn a_rebuild_in_the_same_batch_does_not_bring_a_forgotten_subject_back(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    write(&store, 7, "forget me").unwrap();
    store
        .write_blocking(|tx| {
            tx.forget(7)?;
            tx.rebuild()
        })
        .unwrap();
    assert_eq!(lines(&store, 7), []);
    assert!(matches!(write(&store, 7, "again"), Err(Error::Fault(_))), "forgetting is for good");
    write(&store, 8, "others go on").unwrap();
    store.close();
    assert_eq!(lab.audit().wrong, []);
    let store = lab.open();
    assert_eq!(store.size(), 3);
    assert!(matches!(write(&store, 7, "again"), Err(Error::Fault(_))));
}

fn the_audit_finds_and_names_what_was_altered(on: On) {
    let alterations: [(Part, &str, &str, Option<u64>); 9] = [
        (Part::Keys, "DELETE FROM vault_key WHERE scope LIKE 'subject/%3'", "key", Some(3)),
        (Part::Identity, "UPDATE event SET at = at + 1 WHERE seq = 3", "event", Some(3)),
        (Part::Identity, "UPDATE event SET payload = ZEROS(90) WHERE seq = 2", "payload", Some(2)),
        (Part::Identity, "DELETE FROM event WHERE seq = 4", "event", Some(4)),
        (Part::Identity, "UPDATE log_tile SET bytes = ZEROS(length(bytes))", "tile", Some(0)),
        (Part::Identity, "UPDATE log_head SET size = size - 1", "checkpoint", None),
        (Part::Identity, "UPDATE book_line SET line = ZEROS(9) WHERE seq = 1", "view", None),
        (Part::Visits, "UPDATE book_seen SET day = 1", "view", None),
        (Part::Visits, "UPDATE observation_tag SET tags = ZEROS(16)", "view", None),
    ];
    for (part, sql, place, entry) in alterations {
        let Some(lab) = Lab::new(on) else { return };
        let store = lab.open();
        for page in 0..5 {
            write(&store, page, "a line").unwrap();
        }
        let batch = vec![seen(20_000, "pass")];
        store.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch)).unwrap();
        store.close();
        assert_eq!(lab.audit().wrong, [], "before {sql}");
        assert!(lab.sql(part, sql) > 0, "{sql}");
        let wrong = lab.audit().wrong;
        assert!(wrong.iter().any(|it| it.place == place), "{sql}: {wrong:?}");
        if entry.is_some() {
            assert_eq!(wrong[0].entry, entry, "{sql}: {wrong:?}");
        }
    }
}

fn the_audit_compares_tiles_that_grew_long_before_the_last_entry(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    // A block for each day, hence a leaf for each.
    let batch: Vec<Observation> = (0..700).map(|day| seen(20_000 + day, "pass")).collect();
    store.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch)).unwrap();
    write(&store, 1, "the level above does not grow with this one").unwrap();
    store.close();
    assert_eq!(lab.audit().wrong, []);
    lab.sql(Part::Identity, "UPDATE log_tile SET bytes = ZEROS(length(bytes)) WHERE level = 1");
    let wrong = lab.audit().wrong;
    assert!(wrong.iter().any(|it| it.place == "tile"), "{wrong:?}");
}

fn closed_hours_of_the_access_log_cannot_be_edited_unseen(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let reading = Reading {
        reader: By::Staff(Id::<Staff>::from_u128(1)),
        subject: 7,
        record: "book.page",
        purpose: "appeal",
        grounds: "A-1".to_owned(),
    };
    store
        .write_blocking(move |tx| tx.record_readings(&[reading.clone(), reading.clone()]))
        .unwrap();
    let rows =
        store.read_blocking(|it| it.readings_of(7, Instant::from_micros(i64::MAX), 9)).unwrap();
    assert_eq!(rows.len(), 2);
    lab.clock.advance_seconds(3_600);
    assert_eq!(store.write_blocking(|tx| tx.close_access_hours()).unwrap(), 1);
    assert_eq!(store.write_blocking(|tx| tx.close_access_hours()).unwrap(), 0);
    store.close();
    assert_eq!(lab.audit().wrong, []);
    lab.sql(Part::Identity, "DELETE FROM access WHERE number = 2");
    assert_eq!(lab.audit().wrong[0].place, "access");
}

fn a_join_needs_two_officers_and_an_open_case_and_leaves_its_mark(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let today = tx::utc_day(store.clock().now());
    let batch = vec![seen(today, "other"), seen(today, "pass")];
    store.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch)).unwrap();
    let grounds = CaseGrounds {
        case: Id::from_u128(3),
        asked_by: Id::from_u128(1),
        agreed_by: Id::from_u128(2),
    };
    let join = |grounds: CaseGrounds, open: join::CaseIsOpen| {
        store.write_blocking(move |tx| {
            let tags = [br#""pass""#.to_vec()];
            tx.join_identity_and_visits(open, &grounds, 7, SEEN.kind, &tags, 14)
        })
    };
    let alone = CaseGrounds { agreed_by: Id::from_u128(1), ..grounds };
    assert_eq!(join(alone, |_, _| Ok(true)).unwrap().unwrap_err(), join::JoinRefusal::OneOfficer);
    assert_eq!(
        join(grounds, |_, _| Ok(false)).unwrap().unwrap_err(),
        join::JoinRefusal::CaseNotOpen
    );
    assert_eq!(store.size(), 1);
    let visits = join(grounds, |_, _| Ok(true)).unwrap().unwrap();
    assert_eq!(visits.len(), 1);
    assert_eq!(visits[0].payload, br#""pass""#);
    assert_eq!(store.size(), 2, "the join stands on the log");
    let rows =
        store.read_blocking(|it| it.readings_of(7, Instant::from_micros(i64::MAX), 9)).unwrap();
    assert_eq!(rows.len(), 2, "the person sees both officers");
}

fn proofs_made_from_stored_tiles_verify(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    for page in 0..700_u128 {
        write(&store, page, "x").unwrap();
    }
    store
        .read_blocking(|reader| {
            let head = reader.head()?;
            for index in [0, 255, 256, 511, 699] {
                let entry = reader.entry(index)?.unwrap();
                let proof = reader.inclusion_proof(index, head.size)?;
                let leaf = ledger::leaf_hash(&entry);
                ledger::verify_inclusion(&leaf, index, head.size, &proof, &head.root).unwrap();
            }
            let old = ledger::root_at(300, &mut |id: ledger::TileId| {
                reader.resource(ledger::Resource::Tile(id)).map(Option::unwrap)
            });
            let proof = reader.consistency_proof(300, head.size)?;
            ledger::verify_consistency(300, &old.unwrap(), head.size, &head.root, &proof).unwrap();
            Ok(())
        })
        .unwrap();
}

fn the_outbox_tries_again_with_growing_pauses_and_then_lays_aside(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let body = serde_json::json!({ "to": "010-canary" });
    store.write_blocking(move |tx| tx.send("sms", &body, tx.now())).unwrap();
    assert!(!lab.files_hold("010-canary"));
    for attempt in 0..outbox::ATTEMPTS_MAX {
        let now = store.clock().now();
        let due = store.read_blocking(|it| it.due_messages(now, 9)).unwrap();
        assert_eq!(due.len(), 1, "attempt {attempt}");
        store.write_blocking(move |tx| tx.not_delivered(&due[0], "no route")).unwrap();
        let early = store.read_blocking(|it| it.due_messages(now, 9)).unwrap();
        assert!(early.is_empty());
        lab.clock.advance_seconds(outbox::pause_s(attempt));
    }
    let counts = store.read_blocking(|it| it.outbox_counts()).unwrap();
    assert_eq!(counts, [0, 0, 1]);
}

fn a_full_queue_answers_at_once(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    std::thread::scope(|scope| {
        let (begun, has_begun) = std::sync::mpsc::channel();
        let blocker = store.clone();
        scope.spawn(move || {
            blocker.write_blocking(move |_| {
                begun.send(()).unwrap();
                Ok(gate.lock().unwrap().recv().is_err())
            })
        });
        has_begun.recv().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut waiting = Vec::new();
        let busy = loop {
            let mut call = Box::pin(store.write(|_| Ok(())));
            let waker = std::task::Waker::noop();
            let poll = call.as_mut().poll(&mut std::task::Context::from_waker(waker));
            match poll {
                std::task::Poll::Pending => waiting.push(call),
                std::task::Poll::Ready(answer) => break answer,
            }
        };
        assert!(matches!(busy, Err(Error::Busy { retry_after_s: 1.. })));
        assert_eq!(waiting.len(), door::QUEUE_MAX);
        drop(release);
        runtime.block_on(async {
            for call in waiting {
                call.await.unwrap();
            }
        });
    });
}

fn a_database_of_a_newer_program_is_refused_in_words(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    lab.open().close();
    lab.sql(Part::Identity, "INSERT INTO migration (owner, number) VALUES ('book', 9)");
    let error = lab.try_open().err().unwrap();
    assert!(error.chain().contains("newer"), "{error}");
}

/// Rows that change between our hands and the disk, as a failing memory would have it.
#[test]
fn what_was_stored_otherwise_is_never_signed() {
    for (table, width) in [
        ("log_tile", "< 256"),
        ("log_bundle", "< 256"),
        ("log_tile", "= 256"),
        ("log_bundle", "= 256"),
    ] {
        let lab = Lab::new(On::Sqlite).unwrap();
        let store = lab.open();
        write(&store, 0, "the first").unwrap();
        for event in ["INSERT", "UPDATE"] {
            lab.sql(
                Part::Identity,
                &format!(
                    "CREATE TRIGGER flip_{event} AFTER {event} ON {table} WHEN NEW.width {width} BEGIN \
                     UPDATE {table} SET bytes = CAST(SUBSTR(bytes, 1, LENGTH(bytes) - 2) || X'2A2A' AS BLOB) \
                     WHERE region = NEW.region AND position = NEW.position AND width = NEW.width; END"
                ),
            );
        }
        let all = |lines: u128| {
            store.write_blocking(move |tx| {
                for page in 1..=lines {
                    tx.run::<Book>(&CONTEXT, page, "a line".to_owned())?.unwrap();
                }
                Ok(())
            })
        };
        let Err(Error::Fault(fault)) = all(600) else { panic!("{table}: it was signed") };
        assert!(fault.chain().contains("not the log whose root was to be signed"), "{fault}");
        assert_eq!(store.size(), 1);
        for event in ["INSERT", "UPDATE"] {
            lab.sql(Part::Identity, &format!("DROP TRIGGER flip_{event}"));
        }
        all(600).unwrap();
        assert_eq!(store.size(), 601);
        assert_eq!(lab.audit().wrong, []);
    }
}

fn a_second_process_on_the_same_folder_is_refused(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let second = lab.try_open();
    assert!(second.err().unwrap().chain().contains("stop it first"));
    store.close();
    assert_eq!(lab.open().size(), 0);
}

fn every_sql_text_of_the_store_prepares(on: On) {
    let texts = texts();
    match on {
        On::Sqlite => audit::check_queries(&registry(), &texts).unwrap(),
        On::Postgres => {
            let Some(lab) = Lab::new(on) else { return };
            audit::check_queries_at(&lab.backend, &registry(), &texts).unwrap();
        }
    }
}

/// Every text of this crate that has a name.
fn texts() -> Vec<(Side, &'static str)> {
    let own = [access::QUERIES, audit::QUERIES, follow::QUERIES, outbox::QUERIES, read::QUERIES];
    [own.concat(), [trust::QUERIES, tx::QUERIES, upkeep::QUERIES, commit::QUERIES].concat()]
        .concat()
        .into_iter()
        .map(|it| (Side::Identity, it))
        .chain(observe::QUERIES.iter().map(|it| (Side::Visits, *it)))
        .collect()
}

#[test]
fn the_tables_and_texts_of_the_store_can_be_spread_by_region() {
    let own = ["identity", "clock", "visits", "visits-2", "keys", "keys-2"].map(|it| {
        let path = format!("{}/migrations/{it}.sql", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    });
    let wrong: Vec<String> = own
        .iter()
        .map(String::as_str)
        .chain([lease::TABLE])
        .flat_map(plan::wrong_in_schema)
        .chain(texts().into_iter().flat_map(|(_, it)| plan::wrong_in_text(it)))
        .chain(lease::QUERIES.iter().flat_map(|it| plan::wrong_in_text(it)))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_plan_spreads_every_table_once_and_makes_each_database_first() {
    let address = "postgres://haetae@%2Frun/city";
    let lines = plan::plan(&Backend::postgres(address, None, None).unwrap(), &registry());
    let of = |what: &str| lines.iter().filter(|it| it.contains(what)).count();
    assert_eq!((of("CREATE DATABASE city"), of("create_reference_table('migration')")), (3, 3));
    for (table, count) in [
        ("lease", 3),
        ("event", 1),
        ("log_tile", 1),
        ("book_line", 1),
        ("book_seen", 1),
        ("vault_key", 1),
        ("vault_wrap", 1),
    ] {
        assert_eq!(of(&format!("create_distributed_table('{table}', 'region'")), count, "{table}");
    }
}

on_both! {
    what_was_acknowledged_is_there_after_opening_again
    a_refused_command_writes_nothing_and_the_rule_sees_the_whole_past
    one_command_id_sent_a_thousand_times_has_one_effect_and_one_answer
    a_fault_in_one_job_does_not_touch_the_others_of_its_batch
    observations_are_taken_once_and_end_with_their_day
    a_clock_that_jumps_ahead_destroys_nothing_until_it_is_set_or_confirmed
    time_that_passes_is_no_jump_and_a_clock_that_is_too_fast_gains_a_day_at_most
    a_forgotten_subject_is_unreadable_everywhere_and_the_log_still_verifies
    a_rebuild_in_the_same_batch_does_not_bring_a_forgotten_subject_back
    the_audit_finds_and_names_what_was_altered
    the_audit_compares_tiles_that_grew_long_before_the_last_entry
    closed_hours_of_the_access_log_cannot_be_edited_unseen
    a_join_needs_two_officers_and_an_open_case_and_leaves_its_mark
    proofs_made_from_stored_tiles_verify
    the_outbox_tries_again_with_growing_pauses_and_then_lays_aside
    a_full_queue_answers_at_once
    a_database_of_a_newer_program_is_refused_in_words
    a_second_process_on_the_same_folder_is_refused
    every_sql_text_of_the_store_prepares
    a_wrapping_key_changes_under_load_and_the_old_one_is_destroyed
    a_rotation_killed_after_any_step_goes_on_and_loses_nothing
    a_rotation_that_is_under_way_is_not_begun_again
    a_key_of_queues_opens_until_its_time_and_is_then_destroyed
}

use rotation::*;
