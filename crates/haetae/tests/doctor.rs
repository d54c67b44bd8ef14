//! `haetae doctor` on a region with one thing wrong at a time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kernel::{Clock as _, SystemClock};
use serde_json::Value;

/// A region with a server's configuration, as it should be.
struct Patient {
    dir: tempfile::TempDir,
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

impl Patient {
    fn new() -> Self {
        let patient = Self { dir: tempfile::tempdir().unwrap() };
        let data = patient.path("data");
        let house = sim::bench_house(&data).unwrap();
        staff(&house);
        house.app.store.close();
        std::fs::rename(data.join("keys"), patient.path("keys")).unwrap();
        mode(&data, 0o700);
        for name in ["last_backup", "last_audit"] {
            std::fs::write(data.join(name), SystemClock.now().rfc3339()).unwrap();
        }
        patient.configure("");
        patient
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = 'kr-bench'\nsms_url = \
             'https://sms.example'\ndisk_low_percent = 0\ndisk_full_mib = 0\ndata = '{}'\nkeys = \
             '{}'\n{more}",
            self.path("data").display(),
            self.path("keys").display()
        );
        std::fs::write(self.path("haetae.toml"), text).unwrap();
        mode(&self.path("haetae.toml"), 0o640);
    }

    fn sql(&self, sql: &str) {
        let file = self.path("data").join("identity.db");
        rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
    }

    /// The exit status and the findings that are not well.
    fn examine(&self) -> (i32, Vec<(String, String, String)>) {
        let config = self.path("haetae.toml");
        let run = |json: bool| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
            command.arg("doctor").arg("--config").arg(&config).env_clear().stdin(Stdio::null());
            if json {
                command.arg("--json");
            }
            command.output().unwrap()
        };
        let (words, json) = (run(false), run(true));
        assert_eq!(words.status.code(), json.status.code());
        let words = String::from_utf8(words.stdout).unwrap();
        let said: Value = serde_json::from_slice(&json.stdout).unwrap();
        let mut ill = Vec::new();
        for it in said["findings"].as_array().unwrap() {
            let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
            // Free space changes from one run to the next.
            let same = text("check") == "disk" || words.contains(&text("says"));
            assert!(same, "{it} {words}");
            if text("state") != "well" {
                assert!(!text("mend").is_empty(), "{it} says what mends it");
                if text("state") != "unknown" {
                    ill.push((text("check"), text("state"), text("says")));
                }
            }
        }
        (json.status.code().unwrap(), ill)
    }

    #[track_caller]
    fn suffers(&self, check: &str, state: &str, word: &str) {
        let (code, ill) = self.examine();
        let found = ill.iter().any(|it| it.0 == check && it.1 == state && it.2.contains(word));
        assert!(found, "{check} {state} {word}: {ill:?}");
        assert_eq!(code, if state == "broken" { 2 } else { 1 }, "{ill:?}");
    }
}

/// Two administrators and two health officers.
fn staff(house: &app::House) {
    use contracts::person::{Grant, Role, Scope};
    let seed = house.app.seed().clone();
    let written = house.app.store.write_blocking(move |tx| {
        let first = person::setup(tx, "관리자", "")?.expect("the first administrator");
        let context = store::Context::by(store::By::Staff(first));
        let until = tx.now().plus_days(100);
        let roles = [Role::Administrator, Role::HealthOfficer, Role::HealthOfficer];
        for (number, role) in roles.into_iter().enumerate() {
            let phone = Some(format!("+821000000{number:03}"));
            let id = kernel::Id::random(&seed);
            let appointed = person::door::appoint(tx, &context, id, "담당자", phone, None, first)?;
            appointed.expect("appointed");
            let grant = Grant { role, scope: Scope::Region, until };
            person::door::grant_role(tx, &context, id, grant, first)?.expect("granted");
        }
        Ok(())
    });
    written.unwrap();
}

#[test]
fn a_region_that_is_well_is_said_to_be_and_each_illness_is_named_with_its_cure() {
    let patient = Patient::new();
    assert_eq!(patient.examine(), (0, Vec::new()));
    let (data, keys) = (patient.path("data"), patient.path("keys"));

    let key = keys.join("log.key");
    mode(&key, 0o644);
    patient.suffers("keys", "broken", "others can open");
    mode(&key, 0o600);
    mode(&keys, 0o755);
    patient.suffers("keys", "broken", "open to others");
    mode(&keys, 0o700);
    let good = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "0".repeat(64)).unwrap();
    patient.suffers("keys", "broken", "random");
    std::fs::write(&key, good).unwrap();
    let file = std::fs::File::options().write(true).open(&key).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified - std::time::Duration::from_hours(24_000)).unwrap();
    patient.suffers("keys", "warning", "1000 days old");
    file.set_modified(modified).unwrap();
    std::fs::rename(&key, keys.join("gone")).unwrap();
    patient.suffers("keys", "broken", "log is missing");
    std::fs::rename(keys.join("gone"), &key).unwrap();

    mode(&data, 0o755);
    patient.suffers("data", "warning", "open to others");
    mode(&data, 0o700);
    patient.configure("sms_token = 'secret'\n");
    mode(&patient.path("haetae.toml"), 0o644);
    patient.suffers("config", "broken", "sms_token");
    patient.configure("disk_low_percent_is_set_below = 1");
    assert_eq!(patient.examine_fails(), 2, "a configuration that cannot be read");
    let full = std::fs::read_to_string(patient.path("haetae.toml")).unwrap();
    let full = full.replace("disk_low_percent_is_set_below = 1", "");
    std::fs::write(patient.path("haetae.toml"), full.replace("mib = 0", "mib = 999999999"))
        .unwrap();
    patient.suffers("disk", "broken", "refused");
    std::fs::write(patient.path("haetae.toml"), full.replace("percent = 0", "percent = 100"))
        .unwrap();
    patient.suffers("disk", "warning", "free");
    patient.configure("");

    let now = SystemClock.now();
    for (name, days, state) in
        [("backup", 3, "warning"), ("backup", 30, "broken"), ("audit", 40, "warning")]
    {
        let file = data.join(format!("last_{name}"));
        std::fs::write(&file, now.plus_days(-days).rfc3339()).unwrap();
        patient.suffers(name, state, &format!("{days} days ago"));
        std::fs::remove_file(&file).unwrap();
        patient.suffers(name, "warning", "never");
        std::fs::write(&file, now.rfc3339()).unwrap();
    }

    patient.sql("UPDATE log_head SET at = at + 86400000000");
    patient.suffers("log", "broken", "stepped back");
    patient.sql("UPDATE log_head SET at = at - 86400000000");
    let message = "INSERT INTO outbox (region, message, topic, state, due_at, attempts, made_at, \
         sealed, error) VALUES ('kr-bench', x'01', 'sms', 2, 0, 8, 0, x'', 'status 500')";
    patient.sql(message);
    patient.suffers("messages", "warning", "1 messages were given up");
    patient.sql("UPDATE outbox SET state = 0");
    patient.suffers("messages", "warning", "more than an hour");
    patient.sql("DELETE FROM outbox");
    let until = now.plus_days(3).micros();
    let role = "UPDATE person_role SET until_at = ";
    patient.sql(&format!("{role}{until} WHERE role = 'health_officer'"));
    patient.suffers("roles", "warning", "end within two weeks");
    patient.sql(&format!("{role}0 WHERE role = 'administrator'"));
    patient.suffers("roles", "broken", "nobody is administrator");
    let until = now.plus_days(100).micros();
    patient.sql(&format!("{role}{until}"));

    let days_ago = now.plus_days(-3).micros();
    patient.sql(&format!("INSERT INTO trusted_clock (region, at) VALUES ('kr-bench', {days_ago})"));
    patient.suffers("retention", "broken", "72 hours ago");
    assert_eq!(patient.clock(&[]), 1, "three days without the service, or a jump: it waits");
    assert_eq!(patient.clock(&["--confirm"]), 0);
    assert_eq!(patient.clock(&["--json"]), 0, "and stays confirmed");

    let keys = rusqlite::Connection::open(data.join("keys.db")).unwrap();
    let old = "INSERT INTO vault_key (region, scope, wrapped) SELECT region, 'epoch/gate.entered.v1/100', wrapped FROM \
         vault_key LIMIT 1";
    keys.execute_batch(old).unwrap();
    patient.suffers("erasure", "broken", "1 days' keys");
    keys.execute_batch("DELETE FROM vault_key WHERE scope LIKE '%/100'").unwrap();

    let row = "INSERT INTO vault_wrap VALUES ('kr-bench', 0, 1, 0, 0), ('kr-bench', 0, 2, 1, 0)";
    keys.execute_batch(row).unwrap();
    patient.suffers("wrapping", "broken", "identity-wrap-2 is in use and not in the key folder");
    let file = |name: &str| patient.path("keys").join(name);
    std::fs::copy(file("identity-wrap.key"), file("identity-wrap-2.key")).unwrap();
    patient.suffers(
        "wrapping",
        "warning",
        "still wrapped by identity-wrap, not by identity-wrap-2",
    );
    keys.execute_batch("UPDATE vault_wrap SET over_at = 1 WHERE number = 1").unwrap();
    patient.suffers("wrapping", "warning", "identity-wrap is over");
    keys.execute_batch("DELETE FROM vault_wrap").unwrap();
    std::fs::remove_file(file("identity-wrap-2.key")).unwrap();
    std::fs::write(file(".log.0123.new"), "").unwrap();
    patient.suffers("keys", "warning", "left by a making that was killed");
    std::fs::remove_file(file(".log.0123.new")).unwrap();
    signing(&patient);
    assert_eq!(patient.examine(), (0, Vec::new()), "it recovered from everything");
}

/// What can be wrong with a key that signs.
fn signing(patient: &Patient) {
    let (now, file) = (SystemClock.now(), patient.path("keys").join("issuer-0123456789abcdef.key"));
    let event = |seq: u32, kind: &str, fields: &str| {
        let json = format!(r#"{{"event":{{"type":"{kind}",{fields}}}}}"#);
        patient.sql(&format!(
            "INSERT INTO event (region, seq, stream, stream_id, kind, at, sealed, epoch, payload) \
             VALUES ('kr-bench', {seq}, 'code.issuer', zeroblob(16), 'x', 0, 0, NULL, \
             CAST('{json}' AS BLOB))"
        ));
    };
    let (from, until) = (now.plus_days(-28).micros(), now.plus_days(2).micros());
    let public = "a1".repeat(32);
    let added = format!(
        r#""kid":"0123456789abcdef","public":"{public}","uses":"codes","signs_from":{from},"signs_until":{until},"at":{from}"#
    );
    event(900_001, "issuer_added", &added);
    patient.suffers("signing", "broken", "issuer 0123456789abcdef is not in the key folder");
    std::fs::copy(patient.path("keys").join("log.key"), &file).unwrap();
    patient.suffers("signing", "warning", "ends in 1 days and nothing follows it");
    patient.suffers("signing", "warning", "the use of keys was last stated for: never");
    let refused = format!(
        r#""kid":"0123456789abcdef","since":{from},"honest_until":{from},"why":"x","at":{from}"#
    );
    event(900_002, "issuer_compromised", &refused);
    patient.suffers("signing", "broken", "issuer has no key that signs");
    patient.sql("DELETE FROM event WHERE seq > 900000");
    patient.suffers("keys", "warning", "nothing refers to the key issuer-0123456789abcdef");
    std::fs::remove_file(&file).unwrap();
}

impl Patient {
    fn clock(&self, more: &[&str]) -> i32 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
        command.args(["clock", "--config"]).arg(self.path("haetae.toml")).args(more).env_clear();
        command.output().unwrap().status.code().unwrap()
    }

    /// The exit status where the question cannot be answered.
    fn examine_fails(&self) -> i32 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
        command.args(["doctor", "--config"]).arg(self.path("haetae.toml")).env_clear();
        command.output().unwrap().status.code().unwrap()
    }
}
