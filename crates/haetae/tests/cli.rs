//! The real binary, as an operator and an auditor type it: what it prints, and its exit status.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use contracts::person::Person;
use kernel::Id;
use rusqlite::Connection;
use serde_json::{Value, json};

/// What a run of the binary left.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    error: String,
}

/// Runs the binary with these arguments and nothing of this environment but `variables`.
fn haetae_with(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

fn haetae(arguments: &[&str]) -> Ran {
    haetae_with(arguments, &[])
}

/// Asserts a status; what was printed is the message.
#[track_caller]
fn ends(arguments: &[&str], code: i32) -> Ran {
    let ran = haetae(arguments);
    assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
    assert!(!ran.error.contains("panicked"), "{arguments:?}: {ran:?}");
    if code == 2 {
        assert!(!ran.error.trim().is_empty(), "{arguments:?} failed without a word");
    }
    ran
}

/// A region with people, declarations and visits, closed.
struct Region {
    dir: tempfile::TempDir,
    /// Where its databases are, when not in the folder.
    store: Option<String>,
}

impl Region {
    /// On files: for tests that alter or copy them.
    fn new() -> Self {
        Self::at(None)
    }

    /// On the engine that the suite is asked to run on.
    fn on_either() -> Self {
        Self::at(testdb::wanted())
    }

    fn at(store: Option<String>) -> Self {
        let region = Self { dir: tempfile::tempdir().unwrap(), store };
        let house = region.open();
        let exercise = sim::Exercise::prepare(&house, 8).unwrap();
        for _ in 0..16 {
            exercise.single().unwrap();
        }
        exercise.fill(40).unwrap();
        house.app.store.close();
        let store =
            region.store.as_ref().map_or_else(String::new, |it| format!("store = '{it}'\n"));
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = 'kr-bench'\ndata = '{0}'\nkeys = '{0}/keys'\n{store}",
            region.data().display()
        );
        std::fs::write(region.data().join("haetae.toml"), text).unwrap();
        region
    }

    /// In this process, as a server would have it.
    fn open(&self) -> app::House {
        let site = sim::Site { store: self.store.clone(), ..sim::Site::at(self.data()) };
        site.open().unwrap()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("region")
    }

    fn text(&self) -> String {
        self.data().display().to_string()
    }

    fn config(&self) -> String {
        self.data().join("haetae.toml").display().to_string()
    }

    /// The same folder under another name, to be altered.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.dir.path().join(name);
        std::fs::create_dir(&copy).unwrap();
        for entry in std::fs::read_dir(self.data()).unwrap().map(|it| it.unwrap()) {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
            }
        }
        copy
    }

    /// The entry of the first decision, and whose it is.
    fn decision(&self) -> (u64, Id<Person>) {
        let sql = "SELECT seq, stream_id FROM event WHERE region = $1 AND kind LIKE '%decided%' \
             ORDER BY seq LIMIT 1";
        let house = self.open();
        let rows = house.app.store.read_blocking(|reader| reader.query(sql, &[])).unwrap();
        house.app.store.close();
        let whose: [u8; 16] = rows[0].bytes(1).unwrap().try_into().unwrap();
        (rows[0].count(0).unwrap(), Id::from_bytes(whose))
    }

    fn audit(&self) -> Value {
        let ran = ends(&["audit", "--config", &self.config(), "--json"], 0);
        serde_json::from_str(&ran.out).unwrap()
    }
}

fn open(folder: &Path) -> Connection {
    Connection::open(folder.join("identity.db")).unwrap()
}

#[test]
fn help_lists_the_commands_and_a_wrong_word_is_refused_in_words() {
    let help = ends(&["--help"], 0).out;
    for word in ["demo", "serve", "audit", "replay", "rebuild", "forget", "config", "bench"] {
        assert!(help.lines().any(|it| it.trim_start().starts_with(word)), "{word} in {help}");
        assert!(ends(&[word, "--help"], 0).out.contains("Usage"), "{word}");
    }
    assert!(!help.contains("exercise"), "what only tests use is not offered");
    assert!(ends(&["--version"], 0).out.starts_with("haetae "));
    for wrong in [&["serv"][..], &[], &["audit", "--jsno"], &["forget"], &["bench", "nothing"]] {
        ends(wrong, 2);
    }
}

/// One JSON object a line.
fn lines(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

#[test]
fn rules_are_evaluated_and_what_differs_or_cannot_be_read_ends_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let plain = file(
        "plain.jsonl",
        "{\"logic\":{\"var\":\"a\"},\"data\":{\"a\":[null]}}\n\n{\"logic\":{\"+\":[1,\"2\"]},\"data\":null}\n",
    );
    let ran = ends(&["rules", "eval", "--json", &plain], 0);
    let rows = lines(&ran);
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["result"], &rows[0]["line"]), (&json!([null]), &json!(1)));
    assert_eq!((&rows[1]["error"], &rows[1]["at"]), (&json!("not_an_integer"), &json!("")));

    let suite = file(
        "suite.json",
        &json!({ "name": "suite", "cases": [{ "name": "sum", "certLogicExpression": { "+": [{ "var": "" }, 1] },
            "assertions": [{ "data": 1, "expected": 2 }, { "data": 1, "expected": 3 }] }] })
        .to_string(),
    );
    let rows = lines(&ends(&["rules", "eval", "--json", &suite], 1));
    assert_eq!((&rows[0]["agrees"], &rows[1]["agrees"]), (&json!(true), &json!(false)));
    let told = ends(&["rules", "eval", "--trace", "--lang", "ko", &suite], 1).out;
    assert!(told.contains("NOT AS EXPECTED") && told.contains("1 더하기 1은 2입니다."), "{told}");

    let rule = json!({ "Identifier": "VR-KR-0001", "Logic": { "var": "payload.a" } }).to_string();
    let rule = file("rule/rule.json", &rule);
    let test = json!({ "payload": { "a": true }, "external": {}, "expected": true }).to_string();
    let test = file("rule/tests/test1.json", &test);
    for what in [&test, &rule, &folder.path().join("rule").display().to_string()] {
        let rows = lines(&ends(&["rules", "eval", "--json", what], 0));
        assert_eq!((rows.len(), &rows[0]["agrees"]), (1, &json!(true)), "{what}");
    }

    let broken = file("broken.json", "{\"logic\": ");
    assert_eq!(lines(&ends(&["rules", "eval", "--json", &broken], 2))[0]["error"], "unreadable");
    ends(&["rules", "eval", "--json", "no-such-file.json"], 2);
    ends(&["rules", "eval", "--lang", "tlh", &plain], 2);
}

#[test]
fn rules_are_checked_and_the_ones_that_ship_have_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.json").display().to_string();
    let names = ends(&["rules", "print"], 0).out;
    assert_eq!(names.lines().count(), 2);
    for name in names.lines().map(|it| it.split_whitespace().next().unwrap()) {
        std::fs::write(&path, ends(&["rules", "print", name], 0).out).unwrap();
        assert_eq!(ends(&["rules", "check", "--json", &path], 0).out, "");
    }
    ends(&["rules", "print", "no-such-set"], 2);
    let mut rules: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    rules[1]["Logic"] = json!({ "and": [true, { "or": [] }, null] });
    rules[1]["Country"] = json!("Korea");
    std::fs::write(&path, rules.to_string()).unwrap();
    let rows = lines(&ends(&["rules", "check", "--json", "--lang", "zh-Hans", &path], 1));
    let found = |at: &str| rows.iter().find(|it| it["at"] == at).map(|it| &it["code"]);
    assert_eq!(found("/1/Country"), Some(&json!("malformed_field")));
    assert_eq!(found("/1/Logic/and/1"), Some(&json!("unknown_operator")));
    assert_eq!(found("/1/Logic/and/2"), Some(&json!("not_an_expression")));
    assert!(rows.iter().any(|it| it["text"] == "没有这个运算符。"));
    let told = ends(&["rules", "check", &path], 1).out;
    assert!(
        told.contains("unknown_operator at \"/1/Logic/and/1\": There is no such operator."),
        "{told}"
    );
}

#[test]
fn a_configuration_that_holds_together_is_said_so_and_a_wrong_one_is_named() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/haetae.toml");
    let ran = ends(&["config", "check", "--config", sample], 0);
    assert!(ran.out.contains("https://code.city.example") && ran.out.contains("kr-11"), "{ran:?}");
    let ran = ends(&["config", "check", "--config", sample, "--json"], 0);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json["ok"], &json["region"]), (&true.into(), &"kr-11".into()));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("haetae.toml");
    let file = path.display().to_string();
    for (text, word) in [
        (&b""[..], "origin"),
        (b"origin = 'http://city.example'", "https"),
        (b"origin = 'https://a.example'\nregoin = 'kr-11'", "regoin"),
        (b"origin = 'https://a.example'\nregion = '../x'", "region"),
        (b"origin = 'https://a.example'\nzone = 'Asia/Soul'", "zone"),
        (b"origin = 'https://a.example'\nlisten = 'everywhere'", "listen"),
        (b"origin = ", "origin"),
        (b"\xff\xfe\x00", "haetae.toml"),
    ] {
        std::fs::write(&path, text).unwrap();
        let ran = ends(&["config", "check", "--config", &file], 2);
        assert!(ran.error.contains(word), "{word}: {ran:?}");
        assert!(ran.out.is_empty(), "{ran:?}");
    }
    let ran = ends(&["config", "check", "--config", "/nowhere/haetae.toml"], 2);
    assert!(ran.error.contains("/nowhere/haetae.toml"), "{ran:?}");
    let wins = [("HAETAE_LISTEN", "nonsense")];
    let ran = haetae_with(&["config", "check", "--config", sample], &wins);
    assert!(ran.code == 2 && ran.error.contains("HAETAE_LISTEN"), "{ran:?}");
}

#[test]
fn the_plan_of_a_server_s_databases_is_printed_and_its_password_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("haetae.toml");
    std::fs::write(&file, "origin = 'https://code.city.example'").unwrap();
    let arguments = ["store", "plan", "--config", file.to_str().unwrap()];
    assert!(ends(&arguments, 2).error.contains("nothing to plan"));
    let url = "postgres://haetae:secret@db.city.example/city?sslmode=disable";
    let ran = haetae_with(&arguments, &[("HAETAE_STORE", url)]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("CREATE DATABASE city_keys"), "{ran:?}");
    assert!(ran.out.contains("create_distributed_table('event', 'region'"), "{ran:?}");
    assert!(!ran.out.contains("secret"), "{ran:?}");
}

#[test]
fn a_region_is_audited_replayed_rebuilt_and_forgets() {
    let region = Region::on_either();
    let (config, before) = (region.config(), region.audit());
    assert_eq!(before["wrong"], serde_json::json!([]));
    assert!(before["entries"].as_u64().unwrap() > 80, "{before}");
    let words = ends(&["audit", "--config", &config], 0).out;
    assert!(words.contains("everything is as the log says"), "{words}");
    let (seq, person) = region.decision();
    let person = person.to_string();

    let ran = ends(&["replay", &person, "--config", &config], 0);
    assert!(ran.out.contains("agrees") && ran.out.contains(" 0 differ"), "{ran:?}");
    let ran = ends(&["replay", &seq.to_string(), "--config", &config, "--json"], 0);
    let one: Value = serde_json::from_str(&ran.out).unwrap();
    let decisions = one["decisions"].as_array().unwrap();
    assert_eq!((decisions.len(), &decisions[0]["agrees"]), (1, &true.into()));
    let decision = decisions[0]["decision"].as_str().unwrap();
    let ran = ends(&["replay", decision, "--config", &config, "--json"], 0);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), one, "by its own id, too");
    let unknown = "decision_00000000000000000000000000";
    for wrong in ["0", "99999999", "-1", "person_", "nobody", "", unknown] {
        ends(&["replay", "--config", &config, "--", wrong], 2);
    }

    let ran = ends(&["rebuild", "--config", &config], 0);
    assert!(ran.out.contains("folded"), "{ran:?}");
    assert_eq!(region.audit(), before, "rebuilding changes nothing");

    let ran = ends(&["forget", &person, "--config", &config], 2);
    assert!(ran.error.contains("--yes"), "{ran:?}");
    assert_eq!(region.audit(), before, "nothing was forgotten without --yes");
    for wrong in ["nobody", "person_00000000000000000000000000"] {
        ends(&["forget", wrong, "--yes", "--config", &config], 2);
    }
    ends(&["forget", &person, "--yes", "--config", &config], 0);
    let after = region.audit();
    assert_eq!(after["wrong"], serde_json::json!([]));
    assert!(after["entries"].as_u64() > before["entries"].as_u64(), "the log says so");
    assert!(after["erased"].as_u64() > before["erased"].as_u64(), "{after}");
    assert!(after["opened"].as_u64() < before["opened"].as_u64(), "{after}");
    ends(&["forget", &person, "--yes", "--config", &config], 2);
    for gone in [&person, &seq.to_string()] {
        let ran = ends(&["replay", gone, "--config", &config], 0);
        assert!(ran.out.contains("erased") && ran.out.contains("0 decisions"), "{ran:?}");
    }
    let ran = ends(&["replay", decision, "--config", &config], 2);
    assert!(ran.error.contains("erased"), "{ran:?}");
    let ran = ends(&["rebuild", "--config", &config, "--json"], 0);
    assert!(serde_json::from_str::<Value>(&ran.out).unwrap()["events"].is_u64());
    assert_eq!(region.audit(), after, "rebuilding brings nobody back");
}

#[test]
fn an_audit_names_the_entry_that_was_altered() {
    let region = Region::new();
    region.audit();
    let (seq, person) = region.decision();
    // Another last byte than there was.
    let flip = |table: &str, column: &str, condition: &str| {
        format!(
            "UPDATE {table} SET {column} = CAST(substr({column}, 1, length({column}) - 1) || \
             CASE WHEN substr({column}, -1) = X'41' THEN X'42' ELSE X'41' END AS BLOB) \
             WHERE {condition}"
        )
    };
    let of_entry = format!("seq = {seq}");
    let changes = [
        ("a payload", flip("event", "payload", &of_entry), true),
        (
            "whose it is",
            format!("UPDATE event SET stream_id = zeroblob(16) WHERE {of_entry}"),
            true,
        ),
        ("when", format!("UPDATE event SET at = at + 1 WHERE {of_entry}"), true),
        ("an entry removed", format!("DELETE FROM event WHERE {of_entry}"), true),
        ("the log", flip("log_bundle", "bytes", "position = 0"), false),
        ("the root", flip("log_head", "root", "1 = 1"), false),
        ("the size", "UPDATE log_head SET size = size - 1".to_owned(), false),
        (
            "a view",
            "DELETE FROM code_decision WHERE decision = (SELECT min(decision) FROM code_decision)"
                .to_owned(),
            false,
        ),
    ];
    for (number, (what, sql, named)) in changes.iter().enumerate() {
        let copy = region.copy(&format!("altered-{number}"));
        let rows = open(&copy).execute(sql, []).unwrap_or_else(|it| panic!("{what}: {it}"));
        assert_eq!(rows, 1, "{what}");
        let text = copy.display().to_string();
        let ran = ends(&["audit", &text, "--json"], 1);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let wrong = report["wrong"].as_array().unwrap();
        assert!(!wrong.is_empty(), "{what}");
        let words = ends(&["audit", &text], 1).out;
        assert!(words.contains("WRONG"), "{what}: {words}");
        if *named {
            assert_eq!(wrong[0]["entry"].as_u64(), Some(seq), "{what}: {report}");
            assert!(words.contains(&format!("entry {seq}: ")), "{what}: {words}");
        }
        assert!(!words.contains(&person.to_string()), "an audit names nobody: {words}");
    }
    region.audit();
}

#[test]
fn a_folder_that_is_none_or_is_damaged_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().display().to_string();
    ends(&["audit", &text], 2);
    ends(&["audit", "/nowhere"], 2);
    ends(&["audit", "http://127.0.0.1:9"], 2);
    let region = Region::new();
    let copy = region.copy("damaged");
    std::fs::write(copy.join("identity.db"), b"not a database").unwrap();
    let _ = std::fs::remove_file(copy.join("identity.db-wal"));
    let ran = haetae(&["audit", &copy.display().to_string()]);
    assert!(ran.code == 1 || ran.code == 2, "{ran:?}");
    assert!(!ran.error.contains("panicked"), "{ran:?}");
}

/// A running server, killed at the end.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn new(folder: &Path, keys: &Path) -> Self {
        let config = folder.join("served.toml");
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = 'kr-bench'\nlisten = '127.0.0.1:0'\n\
             data = '{}'\nkeys = '{}'\n",
            folder.display(),
            keys.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_haetae"));
        command.args(["serve", "--config"]).arg(&config).env_clear();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|it| Some(it.unwrap().split_once(" on ")?.1.to_owned()))
            .expect("it says where it serves");
        Self { child, address: format!("http://{address}") }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_auditor_goes_on_from_the_checkpoint_that_they_kept() {
    let region = Region::new();
    let (keys, older) = (region.data().join("keys"), region.copy("older"));
    let kept = region.dir.path().join("kept").display().to_string();
    let begun = region.dir.path().join("begun").display().to_string();
    ends(&["audit", &region.text(), "--keep", &begun], 0);
    let json = |ran: &Ran| serde_json::from_str::<Value>(&ran.out).unwrap();
    let first = {
        let served = Served::new(&region.data(), &keys);
        json(&ends(&["audit", &served.address, "--keep", &kept, "--json"], 0))
    };
    assert_eq!(first["from"], 0);
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), first["checkpoint"].as_str().unwrap());

    let house = sim::bench_house(&region.data()).unwrap();
    sim::Exercise::prepare(&house, 8).unwrap().fill(40).unwrap();
    house.app.store.close();
    {
        let served = Served::new(&region.data(), &keys);
        let since = ["audit", &served.address, "--since", &kept];
        let words = ends(&since, 0).out;
        assert!(words.contains("are those of the kept checkpoint"), "{words}");
        let ran = ends(&[&since[..], &["--keep", &kept, "--json"]].concat(), 0);
        let second = json(&ran);
        assert_eq!(second["from"], first["size"]);
        assert!(second["entries"].as_u64() < second["size"].as_u64(), "only what is new");
        assert!(second["size"].as_u64() > first["size"].as_u64(), "{second}");
    }
    // Yesterday's log in today's place: every signature is good, and it is found out.
    let served = Served::new(&older, &keys);
    ends(&["audit", &served.address], 0);
    let before = std::fs::read_to_string(&kept).unwrap();
    let ran = ends(&["audit", &served.address, "--since", &kept, "--keep", &kept], 1);
    assert!(ran.out.contains("WRONG history"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), before, "what was good stays kept");

    std::fs::write(region.dir.path().join("nonsense"), b"\xff\x00").unwrap();
    let nonsense = region.dir.path().join("nonsense").display().to_string();
    for file in ["/nowhere/kept", &nonsense, &region.config()] {
        ends(&["audit", &served.address, "--since", file], 2);
    }

    // The same from inside: what was kept is proven and not opened again.
    let inside = json(&ends(&["audit", &region.text(), "--since", &kept, "--json"], 0));
    let full = region.audit();
    assert_eq!(inside["root"], full["root"]);
    assert!(inside["from"].as_u64() > Some(80) && full["from"] == 0, "{inside}");
    assert!(inside["opened"].as_u64() < full["opened"].as_u64(), "{inside}");
    let older = older.display().to_string();
    let ran = ends(&["audit", &older, "--since", &kept], 1);
    assert!(ran.out.contains("WRONG history"), "{ran:?}");
    let grown = json(&ends(&["audit", &region.text(), "--since", &begun, "--json"], 0));
    assert!(grown["opened"].as_u64() > Some(0), "{grown}");
    assert!(grown["from"].as_u64() < inside["from"].as_u64(), "{grown}");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_in_words() {
    let region = Region::on_either();
    let (config, (_, person)) = (region.config(), region.decision());
    let house = region.open();
    let (person, data) = (person.to_string(), region.text());
    let exercise = ["exercise", &data, "--store", region.store.as_deref().unwrap_or_default()];
    for arguments in [
        &["rebuild", "--config", &config][..],
        &["replay", &person, "--config", &config],
        &["forget", &person, "--yes", "--config", &config],
        &["serve", "--config", &config],
        &exercise[..if region.store.is_some() { 4 } else { 2 }],
    ] {
        let ran = ends(arguments, 2);
        let says = if region.store.is_some() { "writes this region" } else { "works in" };
        assert!(ran.error.contains(&format!("another haetae process {says}")), "{ran:?}");
    }
    // An audit only reads, and may look while a server works.
    assert_eq!(region.audit()["wrong"], serde_json::json!([]));
    house.app.store.close();
}
