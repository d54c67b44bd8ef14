//! Wrapping keys that change while the region is served, and what a kill leaves of that.

use kernel::Clock as _;

use super::*;
use crate::wrap::{OVER_S, wraps};

fn finish(store: &Store) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.finish_rotation(|| true)).unwrap()
}

fn rotate(store: &Store, side: Side) -> u32 {
    store.write_blocking(move |tx| tx.rotate_wrap(side)).unwrap()
}

fn observe(store: &Store, day: i32, who: &str) {
    let batch = vec![seen(day, who)];
    store.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch)).unwrap();
}

/// How many rows are wrapped by each number.
fn counts(lab: &Lab) -> Vec<(i64, i64)> {
    let mut engine = lab.backend.reader(Part::Keys).unwrap();
    let mut found = Vec::new();
    let sql = "SELECT wrap, COUNT(*) FROM vault_key GROUP BY wrap ORDER BY wrap";
    engine
        .query(sql, &[], &mut |row| {
            found.push((row.int(0)?, row.int(1)?));
            Ok(true)
        })
        .unwrap();
    found
}

pub(super) fn a_wrapping_key_changes_under_load_and_the_old_one_is_destroyed(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let day = tx::utc_day(lab.clock.now());
    for page in 0..600 {
        write(&store, page, "before").unwrap();
    }
    observe(&store, day, "pass");
    store.write_blocking(|tx| tx.send("sms", &serde_json::json!("on its way"), tx.now())).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3_u128)
            .map(|thread| {
                let (store, done) = (&store, &done);
                scope.spawn(move || {
                    let mut count = 0;
                    while !done.load(std::sync::atomic::Ordering::Relaxed) || count < 5 {
                        // New people and old ones: none of it may fail.
                        write(store, 10_000 * (thread + 1) + count, "during").unwrap();
                        assert_eq!(lines(store, count % 600)[0], Some("before".to_owned()));
                        count += 1;
                    }
                })
            })
            .collect();
        assert_eq!(rotate(&store, Side::Identity), 2);
        assert_eq!(rotate(&store, Side::Visits), 2);
        // Those of 600 people, of the day, of the region.
        assert!(finish(&store) >= 602);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for writer in writers {
            writer.join().unwrap();
        }
    });
    assert_eq!(counts(&lab).iter().map(|it| it.0).collect::<Vec<_>>(), [2]);
    assert_eq!(finish(&store), 0, "it is at its end");
    assert!(store.destroy_over(&lab.keyring()).unwrap().is_empty(), "an older picture may be open");
    lab.clock.advance_seconds(OVER_S);
    let destroyed = store.destroy_over(&lab.keyring()).unwrap();
    assert_eq!(destroyed, ["identity-wrap", "visits-wrap"]);
    store.close();
    let store = lab.open();
    assert_eq!(lines(&store, 599), [Some("before".to_owned())]);
    write(&store, 7, "after").unwrap();
    let now = lab.clock.now();
    let due = store.read_blocking(|reader| reader.due_messages(now, 9)).unwrap();
    assert_eq!(due[0].body, "on its way");
    let names = lab.keyring().names().unwrap();
    assert_eq!(names, ["blind-index", "identity-wrap-2", "log", "visits-wrap-2"]);
    store.close();
    let audit = lab.audit();
    assert_eq!(audit.wrong, vec![]);
    assert!(audit.opened > 600 && audit.keys > 602, "{audit:?}");
}

pub(super) fn a_rotation_killed_after_any_step_goes_on_and_loses_nothing(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    for page in 0..300 {
        write(&store, page, "line").unwrap();
    }
    store.close();
    // Killed when the file was there and nothing else: that key is taken, not another one made.
    let early = lab.keyring().make("identity-wrap-2").unwrap();
    let store = lab.open();
    assert_eq!(lab.keyring().find("identity-wrap-2").unwrap().unwrap(), early);
    assert_eq!(counts(&lab), [(1, 301)], "a file alone makes no key current");
    // Killed when it was current and no row was wrapped anew.
    assert_eq!(rotate(&store, Side::Identity), 2);
    assert_eq!(lab.keyring().find("identity-wrap-2").unwrap().unwrap(), early);
    store.close();
    let store = lab.open();
    write(&store, 1_000, "new").unwrap();
    assert_eq!(counts(&lab), [(1, 301), (2, 1)]);
    // Killed between two batches.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let left = std::cell::Cell::new(1);
    let anew =
        runtime.block_on(store.finish_rotation(|| left.replace(left.get() - 1) > 0)).unwrap();
    assert_eq!(anew, 256 - u64::from(counts(&lab)[1].1 == 256));
    store.close();
    let store = lab.open();
    assert_eq!(lines(&store, 299), [Some("line".to_owned())]);
    finish(&store);
    assert_eq!(counts(&lab), [(2, 302)]);
    // Killed before the old file was destroyed: the next start does it.
    store.close();
    lab.clock.advance_seconds(OVER_S);
    let store = lab.open();
    assert_eq!(store.destroy_over(&lab.keyring()).unwrap(), ["identity-wrap"]);
    store.close();
    assert_eq!(lab.audit().wrong, vec![]);
}

pub(super) fn a_rotation_that_is_under_way_is_not_begun_again(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    write(&store, 7, "line").unwrap();
    assert_eq!((rotate(&store, Side::Identity), rotate(&store, Side::Identity)), (2, 2));
    assert_eq!(store.size(), 2, "the line, and that the key was changed once");
    finish(&store);
    assert_eq!(rotate(&store, Side::Identity), 3);
    finish(&store);
    let known = store.wraps().unwrap();
    let over: Vec<_> = known.iter().map(|it| (it.name.as_str(), it.over_at.is_some())).collect();
    let wanted = [
        ("identity-wrap", true),
        ("identity-wrap-2", true),
        ("identity-wrap-3", false),
        ("visits-wrap", false),
    ];
    assert_eq!(over, wanted);
}

pub(super) fn a_key_of_queues_opens_until_its_time_and_is_then_destroyed(on: On) {
    let Some(lab) = Lab::new(on) else { return };
    let store = lab.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let rotate = |at_once: bool| store.write_blocking(move |tx| tx.rotate_queue(at_once)).unwrap();
    let destroyed = || runtime.block_on(store.destroy_over_queue(&lab.keyring())).unwrap();
    let given = || {
        let (known, now) = (store.queue_keys().unwrap(), lab.clock.now());
        queue::current(&known, now).map(|it| it.name.clone()).unwrap()
    };
    let files = || -> Vec<u32> { lab.keyring().queue().unwrap().iter().map(|it| it.0).collect() };
    assert_eq!((given().as_str(), files()), ("queue", vec![1]));
    // Tomorrow, so that every machine has it by then; asked again, it is the same one.
    let tomorrow = lab.clock.now().plus_seconds(queue::AHEAD_S);
    assert_eq!((rotate(false), rotate(false)), (Some((2, tomorrow)), Some((2, tomorrow))));
    assert_eq!((given().as_str(), files()), ("queue", vec![2, 1]));
    lab.clock.advance_seconds(queue::AHEAD_S);
    assert_eq!(given(), "queue-2");
    // Where the file is missing nothing may be called unreadable, as long as it is not over.
    let elsewhere = Keyring::open(&lab.keyring().dir().join("other"), Seed::fixed(1)).unwrap();
    elsewhere.make("queue-2").unwrap();
    assert_eq!(store.queue_lacks(&lab.keyring()).unwrap(), None);
    assert_eq!(store.queue_lacks(&elsewhere).unwrap(), Some("queue".to_owned()));
    // The old one goes when its time has passed, and not by a clock that nobody believes.
    let keep_s = queue::KEEP_DAYS * 86_400;
    lab.clock.advance_seconds(keep_s - 1);
    assert!(store.write_blocking(|tx| tx.clock_is_believed()).unwrap());
    assert!(destroyed().is_empty());
    lab.clock.jump_seconds(3 * 86_400);
    assert!(destroyed().is_empty());
    lab.clock.jump_seconds(-3 * 86_400);
    lab.clock.advance_seconds(1);
    assert_eq!((destroyed(), files()), (vec!["queue".to_owned()], vec![2]));
    assert_eq!(store.queue_lacks(&elsewhere).unwrap(), None);
    // At once, also one that waits; and not without end.
    assert!(rotate(false).is_some());
    let now = lab.clock.now();
    assert_eq!(rotate(true), Some((3, now)));
    assert_eq!(given(), "queue-3");
    assert_eq!((rotate(true), rotate(true), rotate(true)), (Some((4, now)), Some((5, now)), None));
    store.close();
    // A start makes no other first one in its place.
    let store = lab.open();
    assert_eq!(files(), [5, 4, 3, 2]);
    store.close();
    assert_eq!(lab.audit().wrong, vec![]);
}

#[test]
fn another_process_reads_what_was_wrapped_anew_without_being_told() {
    let lab = Lab::new(On::Sqlite).unwrap();
    let store = lab.open();
    write(&store, 7, "line").unwrap();
    // A reader that began before: of its own connection, with the keys of then.
    let reader = lab.backend.reader(Part::Keys).unwrap();
    let region: kernel::Region = "kr-11".parse().unwrap();
    let other = vault::Vault::new(region, &lab.keyring(), Seed::fixed(0), reader).unwrap();
    rotate(&store, Side::Identity);
    finish(&store);
    assert!(other.find(&vault::Scope::Subject(7)).unwrap().is_some());
    let known = other.reading(|engine, region| wraps(engine, region)).unwrap();
    assert_eq!(known.len(), 3);
}

#[test]
fn every_text_on_wrapping_keys_prepares_and_names_its_region() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = sqlite::Sqlite::writer(&dir.path().join("keys.db")).unwrap();
    backend::migrate(&mut engine, Part::Keys, &registry()).unwrap();
    for sql in wrap::QUERIES.iter().chain(queue::QUERIES) {
        engine.check(sql).unwrap();
        assert_eq!(plan::wrong_in_text(sql), Vec::<String>::new());
    }
}
