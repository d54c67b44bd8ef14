//! The real binary: backed up while it works, brought back, audited, compared with what was
//! published; and every way in which that must be refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// An age identity made for this test, which protects nothing, and its recipient.
const IDENTITY: &str = "AGE-SECRET-KEY-1NG7GNKXF3AXA80WXRMNHATZL8SFW60DXAPDFJEQLVHADZDCD72DSRR85MN";
const RECIPIENT: &str = "age1m777y9z57409qg2e2a7r6x00xvs6jxmuz7sx6axexfmvx9rexvfqj3tg63";

struct Ran {
    code: i32,
    out: String,
    error: String,
}

fn haetae(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
    let output = command.args(arguments).env_clear().stdin(Stdio::null()).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn ends(arguments: &[&str], code: i32) -> Ran {
    let ran = haetae(arguments);
    assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.out, ran.error);
    assert!(!ran.error.contains("panicked"), "{arguments:?}: {}", ran.error);
    ran
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A region that is configured to be backed up.
struct Region {
    dir: tempfile::TempDir,
}

impl Region {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn new() -> Self {
        let region = Self { dir: tempfile::tempdir().unwrap() };
        let configuration = format!(
            "origin = 'http://localhost:8080'\nregion = 'kr-bench'\ndata = '{0}/region'\n\
             keys = '{0}/region/keys'\nbackup_to = '{0}/backups'\nbackup_keys_to = '{0}/safe'\n\
             backup_recipients = ['{RECIPIENT}']\n",
            region.dir.path().display()
        );
        std::fs::write(region.path("haetae.toml"), configuration).unwrap();
        std::fs::write(region.path("identity.txt"), format!("# a comment\n{IDENTITY}\n")).unwrap();
        region
    }

    fn config(&self) -> String {
        text(&self.path("haetae.toml"))
    }

    fn backup(&self, json: bool) -> Ran {
        let config = self.config();
        let mut arguments = vec!["backup", "--config", &config];
        arguments.extend(json.then_some("--json"));
        ends(&arguments, 0)
    }
}

#[test]
fn a_working_region_is_backed_up_and_comes_back_as_what_was_published() {
    let region = Region::new();
    let house = sim::bench_house(&region.path("region")).unwrap();
    let exercise = sim::Exercise::prepare(&house, 8).unwrap();
    exercise.fill(300).unwrap();
    let words = region.backup(false).out;
    assert!(words.contains("backup 1:") && words.contains("keys in"), "{words}");
    for step in 0..60 {
        exercise.mixed(step).unwrap();
    }
    let second: Value = serde_json::from_str(&region.backup(true).out).unwrap();
    assert_eq!(second["number"], 2);
    let size = second["entries"].as_u64().unwrap();
    assert_eq!(size, house.app.store.size());
    let checkpoint = house.app.store.read_blocking(|reader| reader.head()).unwrap().checkpoint;
    std::fs::write(region.path("checkpoint"), checkpoint).unwrap();
    exercise.fill(3).unwrap();
    let later = house.app.store.read_blocking(|reader| reader.head()).unwrap().checkpoint;
    std::fs::write(region.path("later"), later).unwrap();
    house.app.store.close();
    drop(exercise);
    drop(house);

    let [config, identity, backups, to, keys] =
        ["haetae.toml", "identity.txt", "backups", "restored", "restored-keys"]
            .map(|it| text(&region.path(it)));
    let kept = text(&region.path("checkpoint"));
    let restore = ["restore", &backups, "--to", &to, "--keys-to", &keys, "--identity", &identity];
    let and = ["--config", &config, "--verify", "--checkpoint"];
    let arguments = [restore.as_slice(), &and, &[&kept]].concat();
    let words = ends(&arguments, 0).out;
    for said in ["proven", "0 entries, which are lost", "everything is as the log says"] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let audit: Value = serde_json::from_str(&ends(&["audit", &to, "--json"], 0).out).unwrap();
    assert_eq!((&audit["entries"], &audit["wrong"]), (&size.into(), &Value::Array(vec![])));
    let modes = std::fs::metadata(&keys).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&modes.permissions()) & 0o77, 0);

    let again = ends(&arguments, 2).error;
    assert!(again.contains("restore-occupied"), "{again}");
    let ahead = text(&region.path("later"));
    let drill = ["restore-drill", "--identity", &identity, "--config", &config];
    let figures = ends(&drill, 0).out;
    assert!(figures.contains("the drill succeeded") && figures.contains("took"), "{figures}");
    let refused =
        ends(&[drill.as_slice(), &["--verify", "--checkpoint", &ahead]].concat(), 1).error;
    assert!(refused.contains("restore-not-proven"), "{refused}");
    let said = ends(&[drill.as_slice(), &["--checkpoint", &ahead]].concat(), 0).out;
    assert!(said.contains("NOT PROVEN") && !said.contains("  0 entries, which"), "{said}");
    let alone =
        ends(&["restore-drill", "--identity", &identity, "--config", &config, "--verify"], 2);
    assert!(alone.error.contains("--checkpoint"), "{}", alone.error);

    let segment = region.path("backups").join("000001.segment.age");
    let whole = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &whole[..whole.len() - 1]).unwrap();
    let damaged = ends(&drill, 1).error;
    assert!(damaged.contains("backup-damaged") && damaged.contains("000001"), "{damaged}");
    std::fs::remove_file(&segment).unwrap();
    assert!(ends(&drill, 1).error.contains("backup-missing"));
}

#[test]
fn a_region_on_a_server_is_backed_up_and_comes_back_on_a_server_and_in_files() {
    let (Some(url), Some(new)) = (testdb::databases(), testdb::databases()) else { return };
    let region = Region::new();
    let configured = std::fs::read_to_string(region.path("haetae.toml")).unwrap();
    let on_server = format!("{configured}store = '{url}'\n");
    std::fs::write(region.path("haetae.toml"), on_server).unwrap();
    let config = app::Config::load(Some(&region.path("haetae.toml")), |_| None).unwrap();
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).unwrap();
    let clock = std::sync::Arc::new(kernel::SystemClock);
    let house = app::House::open(config, clock, kernel::Seed::from_entropy(entropy)).unwrap();
    let exercise = sim::Exercise::prepare(&house, 8).unwrap();
    exercise.fill(300).unwrap();
    assert!(region.backup(false).out.contains("backup 1:"), "while it is served");
    for step in 0..40 {
        exercise.mixed(step).unwrap();
    }
    let second: Value = serde_json::from_str(&region.backup(true).out).unwrap();
    let size = second["entries"].as_u64().unwrap();
    assert_eq!((size, &second["number"]), (house.app.store.size(), &2.into()));
    let checkpoint = house.app.store.read_blocking(|reader| reader.head()).unwrap().checkpoint;
    std::fs::write(region.path("checkpoint"), checkpoint).unwrap();
    house.app.store.close();
    drop(exercise);
    drop(house);

    let [config, identity, backups, kept, safe] =
        ["haetae.toml", "identity.txt", "backups", "checkpoint", "safe"]
            .map(|it| text(&region.path(it)));
    let with = ["--identity", &identity, "--checkpoint", &kept, "--verify"];
    let drill = [["restore-drill", "--config", &config].as_slice(), &with].concat();
    assert!(ends(&drill, 0).out.contains("the drill succeeded"));
    for (to, store) in [("files", None), ("server", Some(&new))] {
        let to = text(&region.path(to));
        let mut arguments = vec!["restore", &backups, "--to", &to, "--keys-from", &safe];
        arguments.extend(with);
        arguments.extend(store.into_iter().flat_map(|it| ["--store", it]));
        let words = ends(&arguments, 0).out;
        assert!(words.contains("proven") && words.contains("as the log says"), "{words}");
        let own = format!("{to}/haetae.toml");
        let audit: Value =
            serde_json::from_str(&ends(&["audit", "--config", &own, "--json"], 0).out).unwrap();
        assert_eq!((&audit["entries"], &audit["wrong"]), (&size.into(), &Value::Array(vec![])));
        let file = Path::new(&to).join("identity.db");
        assert_eq!(file.exists(), store.is_none());
    }
    let occupied = ["restore", &backups, "--to", &text(&region.path("again")), "--keys-from"];
    let refused = ends(&[&occupied, [&*safe].as_slice(), &with, &["--store", &new]].concat(), 2);
    assert!(refused.error.contains("restore-occupied"), "{}", refused.error);
    let without = ["backup", "--config", &config, "--without-keys"];
    assert!(ends(&without, 2).error.contains("backup-no-keys"));
}

#[test]
fn a_backup_says_what_it_lacks() {
    let region = Region::new();
    sim::bench_house(&region.path("region")).unwrap().app.store.close();
    let plain = region.path("plain.toml");
    let configured = std::fs::read_to_string(region.path("haetae.toml")).unwrap();
    let without: Vec<&str> = configured.lines().filter(|it| !it.starts_with("backup")).collect();
    std::fs::write(&plain, without.join("\n")).unwrap();
    let (config, to) = (text(&plain), text(&region.path("elsewhere")));
    let backup = ["backup", "--config", &config];
    assert!(ends(&backup, 2).error.contains("--to"));
    let with_to = [backup.as_slice(), &["--to", &to]].concat();
    assert!(ends(&with_to, 2).error.contains("--keys-to"));
    let without_keys = [with_to.as_slice(), &["--without-keys"]].concat();
    assert!(ends(&without_keys, 2).error.contains("backup-recipient"));
    let strange = [without_keys.as_slice(), &["--recipient", "age1nobody"]].concat();
    assert!(ends(&strange, 2).error.contains("age1nobody"));
    let whole = [without_keys.as_slice(), &["--recipient", RECIPIENT]].concat();
    assert!(ends(&whole, 0).out.contains("without keys"));
}
