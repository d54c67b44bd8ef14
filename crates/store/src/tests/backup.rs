//! Backups of the guest book: brought back whole on either engine, refused when damaged, silent about
//! the forgotten.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use kernel::Clock as _;

use super::*;
use crate::backup::{
    Backup, BackupError, Identity, Published, Recipient, Restore, Restored, Source, Target, backup,
    last, restore,
};

struct Safe {
    dir: tempfile::TempDir,
    identity: Identity,
    recipient: Recipient,
}

impl Safe {
    fn new() -> Self {
        let (identity, recipient) = Identity::generate();
        Self { dir: tempfile::tempdir().unwrap(), identity, recipient }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn keys(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    fn target(&self) -> Target {
        let recipients = vec![self.recipient.clone()];
        Target { to: self.data(), keys_to: Some(self.keys()), recipients, whole: false }
    }

    fn take(&self, lab: &Lab) -> Result<Backup, BackupError> {
        take_to(lab, &self.target())
    }

    /// Restores into files in a folder.
    fn bring(&self, to: &Path, published: Option<Published<'_>>) -> Result<Restored, BackupError> {
        self.bring_to(to, None, published)
    }

    fn bring_to(
        &self,
        to: &Path,
        store: Option<&Backend>,
        published: Option<Published<'_>>,
    ) -> Result<Restored, BackupError> {
        let verify = published.is_some();
        let restore_of = Restore {
            from: &self.data(),
            keys_from: &self.keys(),
            to,
            keys_to: None,
            store,
            identities: std::slice::from_ref(&self.identity),
            registry: &registry(),
            verify,
            accept_findings: false,
        };
        restore(&restore_of, published, &mut |_, _, _| {})
    }

    /// The names of all files of the backups.
    fn files(&self) -> Vec<String> {
        let read = |dir: PathBuf| std::fs::read_dir(dir).unwrap().map(|it| it.unwrap().file_name());
        let names = read(self.data()).chain(read(self.keys()));
        let mut names: Vec<String> = names.map(|it| it.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Everything that the backups hold, decrypted.
    fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        for folder in [self.data(), self.keys()] {
            for entry in std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
                let bytes = std::fs::read(&entry).unwrap();
                if entry.extension().is_some_and(|it| it == "age") {
                    plain.extend(self.identity.opened(&bytes));
                } else {
                    plain.extend(bytes);
                }
            }
        }
        plain
    }
}

fn take_to(lab: &Lab, target: &Target) -> Result<Backup, BackupError> {
    let keyring = lab.keyring();
    let source = Source {
        dir: lab.dir.path(),
        backend: &lab.backend,
        region: &"kr-11".parse().unwrap(),
        origin: "haetae.example/log",
        keyring: &keyring,
        registry: &registry(),
        transient: &[],
        go_on: &|| true,
    };
    backup(&source, target, lab.clock.now())
}

fn new_folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("restored");
    (dir, path)
}

/// Where a test restores to: a new folder, and on a server new databases.
struct Site {
    _keep: tempfile::TempDir,
    dir: PathBuf,
    store: Option<Backend>,
}

impl Site {
    fn new(on: On) -> Self {
        let (keep, dir) = new_folder();
        let store = match on {
            On::Sqlite => None,
            On::Postgres => {
                let url = testdb::databases().unwrap();
                Some(Backend::postgres(&url, None, None).unwrap())
            }
        };
        Self { _keep: keep, dir, store }
    }

    fn bring(
        &self,
        safe: &Safe,
        published: Option<Published<'_>>,
    ) -> Result<Restored, BackupError> {
        safe.bring_to(&self.dir, self.store.as_ref(), published)
    }

    fn open(&self, lab: &Lab) -> Store {
        open_at(lab, &self.dir, self.store.clone().unwrap_or_else(|| self.dir.as_path().into()))
    }
}

/// The store in a restored folder.
fn open(lab: &Lab, dir: &Path) -> Store {
    open_at(lab, dir, dir.into())
}

fn open_at(lab: &Lab, dir: &Path, backend: Backend) -> Store {
    let opened = Store::open(Options {
        backend,
        region: "kr-11".parse().unwrap(),
        origin: "haetae.example/log".to_owned(),
        clock: Arc::new(lab.clock.clone()),
        seed: Seed::fixed(3),
        keyring: Arc::new(Keyring::open(&dir.join("keys"), Seed::fixed(3)).unwrap()),
        registry: registry(),
    });
    opened.unwrap().store
}

fn checkpoint_of(store: &Store) -> String {
    store.read_blocking(|reader| reader.head()).unwrap().checkpoint
}

/// Which of `needles` lie in `bytes`: how many.
fn held(bytes: &[u8], needles: &[Vec<u8>]) -> usize {
    // One pass, by the first bytes of each: there are many needles and megabytes.
    let begin: HashMap<&[u8], &[u8]> = needles.iter().map(|it| (&it[..8], it.as_slice())).collect();
    let starts = bytes.windows(8).enumerate().filter_map(|(at, it)| Some((at, *begin.get(it)?)));
    starts
        .filter(|(at, it)| bytes[*at..].starts_with(it))
        .map(|(_, it)| it)
        .collect::<HashSet<_>>()
        .len()
}

fn observe(store: &Store, day: i32, who: &str) {
    let batch = vec![seen(day, who)];
    store.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch)).unwrap();
}

fn three_backups_while_serving_bring_back_every_entry_every_view_and_every_id(on: On, into: On) {
    let (Some(lab), safe) = (Lab::new(on), Safe::new()) else { return };
    let store = lab.open();
    for page in 0..300 {
        write(&store, page, "first").unwrap();
    }
    let done = safe.take(&lab).unwrap();
    assert_eq!((done.number, done.entries, done.new_entries), (1, 300, 300));
    let context = Context { command: Some(99), ..CONTEXT };
    store.execute_blocking::<Book>(context, 7, "second".to_owned()).unwrap();
    observe(&store, 20_000, "pass");
    let reading = Reading {
        reader: By::Staff(Id::<Staff>::from_u128(1)),
        subject: 7,
        record: "book.page",
        purpose: "appeal",
        grounds: "A-1".to_owned(),
    };
    store.write_blocking(move |tx| tx.record_readings(std::slice::from_ref(&reading))).unwrap();
    let done = safe.take(&lab).unwrap();
    assert_eq!((done.number, done.entries, done.new_entries), (2, 302, 2));
    lab.clock.advance_seconds(3_600);
    store.write_blocking(|tx| tx.close_access_hours()).unwrap();
    let done = safe.take(&lab).unwrap();
    assert_eq!((done.number, done.entries), (3, 303));
    assert_eq!(last(lab.dir.path()), Some(lab.clock.now()));
    let published = checkpoint_of(&store);
    write(&store, 7, "after the backup").unwrap();
    let later = checkpoint_of(&store);

    let site = Site::new(into);
    let published = Published { checkpoint: published, tiles: None };
    let restored = site.bring(&safe, Some(published)).unwrap();
    assert_eq!((restored.entries, restored.missing, restored.proven), (303, Some(0), true));
    assert_eq!((restored.audit.wrong, restored.audit.access_hours), (vec![], 1));
    let again = site.open(&lab);
    assert_eq!(lines(&again, 7), [Some("first".to_owned()), Some("second".to_owned())]);
    let repeated = again.execute_blocking::<Book>(context, 7, "second".to_owned()).unwrap();
    assert!(repeated.repeated && again.size() == 303, "the id has had its effect");
    write(&again, 8, "it goes on").unwrap();
    again.close();
    let error = site.bring(&safe, None).unwrap_err();
    assert_eq!(error.code(), "restore-occupied", "{error}");

    let site = Site::new(into);
    let ahead = Published { checkpoint: later.clone(), tiles: None };
    let error = site.bring(&safe, Some(ahead)).unwrap_err();
    assert_eq!(error.code(), "restore-not-proven", "{error}");
    let mut tiles = |id: ledger::TileId| {
        let found = store.read_blocking(|reader| reader.resource(ledger::Resource::Tile(id)));
        found.unwrap().ok_or_else(|| "no such tile".to_owned())
    };
    let ahead = Published { checkpoint: later, tiles: Some(&mut tiles) };
    let restored = site.bring(&safe, Some(ahead)).unwrap();
    assert_eq!((restored.missing, restored.proven), (Some(1), true));
}

fn a_backup_taken_in_the_middle_of_many_writes_is_one_moment(on: On, into: On) {
    let (Some(lab), safe) = (Lab::new(on), Safe::new()) else { return };
    let store = lab.open();
    write(&store, 1_000, "one").unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut entries = Vec::new();
    std::thread::scope(|scope| {
        for thread in 0..3_u128 {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || {
                let mut page = thread << 32;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    page += 1;
                    write(store, page, "line").unwrap();
                    observe(store, 20_000 + i32::try_from(page & 15).unwrap(), "pass");
                    if page % 5 == 0 {
                        store.write_blocking(move |tx| tx.forget(page)).unwrap();
                    }
                }
            });
        }
        entries.extend((0..4).map(|_| safe.take(&lab).unwrap().entries));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(entries.is_sorted() && entries[0] > 0, "{entries:?}");
    let restored = Site::new(into).bring(&safe, None).unwrap();
    assert_eq!(restored.audit.wrong, []);
    assert_eq!(Some(restored.entries), entries.pop());
}

fn who_was_forgotten_and_which_day_ended_is_in_no_file_and_in_no_backup(on: On, into: On) {
    let (Some(lab), safe) = (Lab::new(on), Safe::new()) else { return };
    let store = lab.open();
    let today = tx::utc_day(store.clock().now());
    // Enough keys, in the order of chance, that pages of the key database split: a split leaves
    // copies of rows behind that deleting the row later does not reach.
    let many = |number: u128| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
    std::thread::scope(|scope| {
        for thread in 0..16_u128 {
            let store = &store;
            scope.spawn(move || {
                for number in (thread + 1..1_600).step_by(16) {
                    write(store, many(number), "canary of the many").unwrap();
                }
            });
        }
    });
    write(&store, 7, "canary of the forgotten").unwrap();
    observe(&store, today, "canary of the day");
    safe.take(&lab).unwrap();
    let wrapped = |scope: &str| -> Vec<u8> {
        let sql = "SELECT wrapped FROM vault_key WHERE region = $1 AND scope LIKE $2";
        let mut keys = lab.backend.reader(Part::Keys).unwrap();
        let region = Value::from("kr-11");
        let rows = projection::select(keys.as_mut(), &region, sql, &[scope.into()]).unwrap();
        rows[0].bytes(0).unwrap().to_vec()
    };
    let mut doomed = vec![wrapped("subject/%0007"), wrapped("epoch/%")];
    doomed.extend((1..=100).map(|number| wrapped(&format!("subject/{:032x}", many(number)))));
    let live = || -> Vec<u8> {
        let names = backend::FILES.iter().flat_map(|it| [(*it).to_owned(), format!("{it}-wal")]);
        names.filter_map(|it| std::fs::read(lab.dir.path().join(it)).ok()).flatten().collect()
    };
    if on == On::Sqlite {
        assert_eq!(held(&live(), &doomed), doomed.len(), "the region holds the keys that live");
    }
    assert_eq!(held(&safe.plain(), &doomed), doomed.len(), "so does its backup");

    let forget = |page: u128| store.write_blocking(move |tx| tx.forget(page)).unwrap();
    (1..=100).map(many).chain([7]).for_each(forget);
    lab.clock.advance_seconds(30 * 86_400);
    assert_eq!(store.write_blocking(|tx| tx.retain()).unwrap(), 1);
    let live = live();
    safe.take(&lab).unwrap();
    let plain = safe.plain();
    let canary = vec![b"canary of the".to_vec()];
    for (place, bytes) in [("a backup", &plain), ("the region's folder", &live)] {
        // (The files of a server's databases are looked at in `lost`, its journal is its own.)
        assert_eq!(held(bytes, &canary), 0, "a payload lies open in {place}");
        assert_eq!(held(bytes, &doomed), 0, "a destroyed key lives on in {place}");
    }
    assert!(safe.files().contains(&"000002.keys.age".to_owned()));
    assert!(!safe.files().contains(&"000001.keys.age".to_owned()), "{:?}", safe.files());

    let site = Site::new(into);
    let restored = site.bring(&safe, None).unwrap();
    assert_eq!((restored.audit.wrong, restored.audit.erased), (vec![], 102));
    let again = site.open(&lab);
    assert_eq!(lines(&again, 7), []);
    assert!(matches!(write(&again, 7, "again"), Err(Error::Fault(_))), "forgetting is for good");
}

#[test]
fn what_is_missing_damaged_or_of_another_log_is_refused_and_leaves_nothing() {
    let (lab, safe) = (Lab::new(On::Sqlite).unwrap(), Safe::new());
    let store = lab.open();
    for round in 0..3 {
        write(&store, round, "line").unwrap();
        safe.take(&lab).unwrap();
    }
    store.close();
    let (_keep, dir) = new_folder();
    let names = safe.files();
    let expected = [
        "000001.manifest",
        "000001.segment.age",
        "000002.manifest",
        "000002.segment.age",
        "000003.keys.age",
        "000003.manifest",
        "000003.segment.age",
        "000003.state.age",
        "backup.lock",
    ];
    assert_eq!(names, expected);
    for name in names.iter().filter(|it| *it != "backup.lock") {
        let folder = if name.contains("keys") { safe.keys() } else { safe.data() };
        let path = folder.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for (how, bytes) in [("flipped", flipped), ("cut", whole[..middle].to_vec())] {
            std::fs::write(&path, bytes).unwrap();
            let error = safe.bring(&dir, None).unwrap_err();
            let codes = ["backup-damaged", "backup-other-log", "backup-missing"];
            assert!(codes.contains(&error.code()), "{name} {how}: {} {error}", error.code());
        }
        std::fs::remove_file(&path).unwrap();
        // Without its newest manifest a folder is simply one of an older backup, whose keys are gone.
        let error = safe.bring(&dir, None).unwrap_err();
        assert_eq!(error.code(), "backup-missing", "{name} removed: {error}");
        std::fs::write(&path, whole).unwrap();
        let left: Vec<_> = std::fs::read_dir(dir.parent().unwrap()).unwrap().collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
    let stranger = Safe { identity: Identity::generate().0, ..safe };
    assert_eq!(stranger.bring(&dir, None).unwrap_err().code(), "backup-identity");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("something"), "x").unwrap();
    assert_eq!(stranger.bring(&dir, None).unwrap_err().code(), "restore-occupied");
}

#[test]
fn another_log_or_another_past_is_not_backed_up_into_the_same_folder() {
    let (lab, safe) = (Lab::new(On::Sqlite).unwrap(), Safe::new());
    let store = lab.open();
    write(&store, 1, "line").unwrap();
    safe.take(&lab).unwrap();
    let (_keep, dir) = new_folder();
    safe.bring(&dir, None).unwrap();
    write(&store, 1, "the region goes on").unwrap();
    safe.take(&lab).unwrap();
    store.close();
    // A restored region goes on from the first backup: another past than the second one's.
    let fork = Lab { clock: lab.clock.clone(), ..Lab::new(On::Sqlite).unwrap() };
    let inside = fork.dir.path().join("x");
    std::fs::rename(&dir, &inside).unwrap();
    for entry in std::fs::read_dir(&inside).unwrap().map(|it| it.unwrap()) {
        std::fs::rename(entry.path(), fork.dir.path().join(entry.file_name())).unwrap();
    }
    let store = fork.open();
    assert_eq!(safe.take(&fork).unwrap_err().code(), "backup-other-log", "the log is shorter");
    write(&store, 2, "another").unwrap();
    assert_eq!(safe.take(&fork).unwrap_err().code(), "backup-other-log", "the log is another");
    let stranger = Lab { clock: lab.clock.clone(), ..Lab::new(On::Sqlite).unwrap() };
    std::fs::create_dir(stranger.dir.path().join("keys")).unwrap();
    std::fs::write(stranger.dir.path().join("keys/log.key"), "11".repeat(32)).unwrap();
    stranger.open().close();
    assert_eq!(safe.take(&stranger).unwrap_err().code(), "backup-other-log", "another key");
}

#[test]
fn data_and_keys_are_not_put_together_and_somebody_must_be_able_to_open_them() {
    let (lab, safe) = (Lab::new(On::Sqlite).unwrap(), Safe::new());
    lab.open().close();
    let together = Target { keys_to: Some(safe.data().join("keys")), ..safe.target() };
    assert_eq!(take_to(&lab, &together).unwrap_err().code(), "backup-together");
    let nobody = Target { recipients: Vec::new(), ..safe.target() };
    assert_eq!(take_to(&lab, &nobody).unwrap_err().code(), "backup-recipient");
    assert_eq!("age1nobody".parse::<Recipient>().err().unwrap().code(), "backup-recipient");
    assert_eq!(Identity::all_in("# only a comment").err().unwrap().code(), "backup-identity");
}

#[test]
fn a_backup_without_keys_is_restored_with_copies_of_them() {
    let (lab, safe) = (Lab::new(On::Sqlite).unwrap(), Safe::new());
    let store = lab.open();
    write(&store, 7, "line").unwrap();
    take_to(&lab, &Target { keys_to: None, ..safe.target() }).unwrap();
    store.close();
    let (_keep, dir) = new_folder();
    std::fs::create_dir(safe.keys()).unwrap();
    assert_eq!(safe.bring(&dir, None).unwrap_err().code(), "backup-no-keys");
    std::fs::copy(lab.dir.path().join("keys.db"), safe.keys().join("keys.db")).unwrap();
    for entry in std::fs::read_dir(lab.dir.path().join("keys")).unwrap().map(|it| it.unwrap()) {
        std::fs::copy(entry.path(), safe.keys().join(entry.file_name())).unwrap();
    }
    safe.bring(&dir, None).unwrap();
    assert_eq!(lines(&open(&lab, &dir), 7), [Some("line".to_owned())]);
}

#[test]
fn a_whole_backup_stands_alone() {
    let (lab, safe) = (Lab::new(On::Sqlite).unwrap(), Safe::new());
    let store = lab.open();
    for round in 0..3 {
        write(&store, round, "line").unwrap();
        let target = Target { whole: round == 1, ..safe.target() };
        take_to(&lab, &target).unwrap();
    }
    for name in ["000001.manifest", "000001.segment.age"] {
        std::fs::remove_file(safe.data().join(name)).unwrap();
    }
    let (_keep, dir) = new_folder();
    assert_eq!(safe.bring(&dir, None).unwrap().entries, 3);
}

#[test]
fn backups_of_before_within_and_after_a_rotation_open_with_the_keys_that_they_hold() {
    let lab = Lab::new(On::Sqlite).unwrap();
    let store = lab.open();
    for page in 0..300 {
        write(&store, page, "line").unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut safes = Vec::new();
    let mut keep = |lab: &Lab| {
        let safe = Safe::new();
        safe.take(lab).unwrap();
        safes.push(safe);
    };
    keep(&lab);
    store.write_blocking(|tx| tx.rotate_wrap(Side::Identity)).unwrap();
    let left = std::cell::Cell::new(1);
    runtime.block_on(store.finish_rotation(|| left.replace(left.get() - 1) > 0)).unwrap();
    keep(&lab);
    runtime.block_on(store.finish_rotation(|| true)).unwrap();
    lab.clock.advance_seconds(wrap::OVER_S);
    assert_eq!(store.destroy_over(&lab.keyring()).unwrap(), ["identity-wrap"]);
    keep(&lab);
    for (safe, names) in safes.iter().zip([1, 2, 1]) {
        let (_dir, to) = new_folder();
        let restored = safe.bring(&to, None).unwrap();
        assert_eq!(restored.audit.wrong, vec![]);
        let store = open(&lab, &to);
        assert_eq!(lines(&store, 299), [Some("line".to_owned())]);
        let keyring = Keyring::open(&to.join("keys"), Seed::fixed(3)).unwrap();
        let wraps = keyring.names().unwrap();
        assert_eq!(wraps.iter().filter(|it| it.starts_with("identity-wrap")).count(), names);
        // And the rotation that a backup caught half-way goes on.
        runtime.block_on(store.finish_rotation(|| true)).unwrap();
        write(&store, 999, "after").unwrap();
    }
}

/// Each test from each engine into each.
macro_rules! from_each_into_each {
    ($($test:ident)*) => {
        mod files_into_files {
            $(#[test] fn $test() { super::$test(super::On::Sqlite, super::On::Sqlite); })*
        }
        mod files_into_a_server {
            $(#[test] fn $test() { super::$test(super::On::Sqlite, super::On::Postgres); })*
        }
        mod a_server_into_files {
            $(#[test] fn $test() { super::$test(super::On::Postgres, super::On::Sqlite); })*
        }
        mod a_server_into_a_server {
            $(#[test] fn $test() { super::$test(super::On::Postgres, super::On::Postgres); })*
        }
    };
}

from_each_into_each! {
    three_backups_while_serving_bring_back_every_entry_every_view_and_every_id
    a_backup_taken_in_the_middle_of_many_writes_is_one_moment
    who_was_forgotten_and_which_day_ended_is_in_no_file_and_in_no_backup
}

#[test]
fn a_restore_into_databases_that_failed_leaves_them_empty_and_one_that_died_keeps_a_store_out() {
    let (Some(lab), safe) = (Lab::new(On::Postgres), Safe::new()) else { return };
    let store = lab.open();
    write(&store, 1, "line").unwrap();
    safe.take(&lab).unwrap();
    let without = Target { keys_to: None, ..safe.target() };
    assert_eq!(take_to(&lab, &without).unwrap_err().code(), "backup-no-keys");
    let site = Site::new(On::Postgres);
    let published = checkpoint_of(&store).replace('\n', " ");
    let wrong = Published { checkpoint: published, tiles: None };
    assert_eq!(site.bring(&safe, Some(wrong)).unwrap_err().code(), "restore-other-key");
    assert!(!site.dir.exists());
    let backend = site.store.clone().unwrap();
    for part in Part::ALL {
        assert_eq!(backend.reader(part).unwrap().tables().unwrap(), [], "{part:?}");
    }
    // A restore that died after it had begun.
    let mark = "CREATE TABLE restoring (region TEXT NOT NULL);";
    backend.writer(Part::Visits).unwrap().migrate(mark).unwrap();
    assert_eq!(site.bring(&safe, None).unwrap_err().code(), "restore-occupied");
    let lab = Lab { backend, ..lab };
    assert!(lab.try_open().err().unwrap().chain().contains("is not finished"));
}
