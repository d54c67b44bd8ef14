//! Our log in the hands of strangers: a copy of the public files verified by programs in other
//! languages with other people's libraries, and refused by them when anything was altered.
//!
//! Go: `golang.org/x/mod/sumdb`, the client of Go's own checksum database (Debian `golang-go`,
//! `golang-golang-x-mod-dev`). Python: `cryptography` (Debian `python3-cryptography`). Both from the
//! system's packages, without a network. JavaScript: `@sigstore/verify` (npm, by Debian's `nodejs` and
//! `npm`), which checks Sigstore's own log: its signed note and inclusion in it. That our entries are no
//! signatures of artefacts, as Sigstore's are, it is not asked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in tests a panic is the message"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use web::testing::Browser;

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers");
/// Where Debian puts Go's libraries.
const GO_PATH: &str = "/usr/share/gocode";

/// What an outsider has: a copy of the log, a checkpoint of before, a proof, a receipt.
struct Brought {
    dir: tempfile::TempDir,
    data: PathBuf,
}

impl Brought {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let it = Self { data: dir.path().join("region"), dir };
        let house = sim::bench_house(&it.data).unwrap();
        let exercise = sim::Exercise::prepare(&house, 8).unwrap();
        exercise.fill(300).unwrap();
        let old = house.app.store.read_blocking(|it| it.head()).unwrap();
        std::fs::write(it.path("old"), &old.checkpoint).unwrap();
        exercise.fill(500).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut browser = Browser::new(&house.app, house.router());
        let path = format!("/api/v1/log/proof/consistency?old={}", old.size);
        let answer = runtime.block_on(browser.get_json(&path));
        assert!(answer.status.is_success(), "{}", answer.text);
        let proof: Vec<String> = serde_json::from_value(answer.json()["proof"].clone()).unwrap();
        std::fs::write(it.path("consistency"), proof.join("\n")).unwrap();
        let answer = runtime.block_on(browser.get("/log/receipt/299"));
        assert!(answer.status.is_success(), "{}", answer.text);
        std::fs::write(it.path("receipt"), &answer.text).unwrap();
        house.app.store.close();
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = 'kr-bench'\ndata = '{}'\n",
            it.data.display()
        );
        std::fs::write(it.path("haetae.toml"), text).unwrap();
        let copy = it.text("copy");
        let ran = haetae(&["log", "export", &copy, "--config", &it.text("haetae.toml")]);
        assert_eq!(ran.0, 0, "{}", ran.1);
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Changes one byte of a file, runs `work`, and puts the byte back.
    fn with_flip<T>(&self, file: &str, place: usize, work: impl FnOnce() -> T) -> T {
        let path = self.path(file);
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let answer = work();
        std::fs::write(&path, whole).unwrap();
        answer
    }
}

fn haetae(arguments: &[&str]) -> (i32, String) {
    ran(Command::new(env!("CARGO_BIN_EXE_haetae")).args(arguments).env_clear())
}

/// Exit status and everything that was printed.
fn ran(command: &mut Command) -> (i32, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

fn has(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|it| it.success())
}

/// A copy is good in the eyes of a peer, and every altered one is not.
fn compare(brought: &Brought, peer: &str, mut run: impl FnMut() -> (i32, String)) {
    let (code, said) = run();
    assert!(code == 0 && said.starts_with("good "), "{peer}: {said}");
    // An entry's commitment, hashes of two levels, the signed size, the signature, the old
    // checkpoint, the receipt's entry and its path.
    let note = std::fs::read_to_string(brought.path("copy/checkpoint")).unwrap();
    let size = note.find('\n').unwrap() + 1;
    let receipt = std::fs::read_to_string(brought.path("receipt")).unwrap();
    let path = receipt.find("index ").unwrap() + "index 299\n".len();
    for (file, place) in [
        ("copy/tile/entries/001", 100),
        ("copy/tile/0/000", 77),
        ("copy/tile/0/002", 32 * 200),
        ("copy/checkpoint", size),
        ("copy/checkpoint", note.len() - 20),
        ("old", size),
        ("receipt", "c2sp.org/tlog-proof@v1\nextra ".len() + 9),
        ("receipt", path + 5),
    ] {
        let (code, said) = brought.with_flip(file, place, &mut run);
        assert!(code != 0, "{peer} took byte {place} of {file} altered: {said}");
    }
    let (code, said) = run();
    assert_eq!(code, 0, "{peer}, put back: {said}");
}

#[test]
fn a_copy_of_the_log_is_verified_by_strangers_and_an_altered_one_is_refused() {
    let brought = Brought::new();
    let [copy, old, consistency, receipt] =
        ["copy", "old", "consistency", "receipt"].map(|it| brought.text(it));
    let python = "/usr/bin/python3";
    if has(python, &["-c", "import cryptography"]) {
        let program = format!("{PEERS}/verify.py");
        compare(&brought, "python", || {
            ran(Command::new(python).args([&program, &copy, &old, &receipt]))
        });
    } else {
        eprintln!("SKIPPED: Python's verifier needs Debian's python3-cryptography");
    }
    if has("go", &["version"]) && Path::new(GO_PATH).join("src/golang.org/x/mod/sumdb").exists() {
        let (program, source) = (brought.text("verify"), format!("{PEERS}/verify.go"));
        let (code, said) = ran(Command::new("go")
            .args(["build", "-o", &program, &source])
            .env("GO111MODULE", "off")
            .env("GOFLAGS", "")
            .env("GOPROXY", "off")
            .env("GOPATH", GO_PATH)
            .env("GOCACHE", brought.path("go-cache")));
        assert_eq!(code, 0, "the Go verifier: {said}");
        compare(&brought, "go", || {
            ran(Command::new(&program).args([&copy, &old, &consistency, &receipt]))
        });
    } else {
        eprintln!("SKIPPED: Go's verifier needs Debian's golang-go and golang-golang-x-mod-dev");
    }
    if let Some(folder) = sigstore(&brought) {
        compare(&brought, "sigstore", || {
            let arguments = ["verify.js", &copy, &old, &receipt];
            ran(Command::new("node").args(arguments).current_dir(&folder))
        });
    }
}

/// A folder with `@sigstore/verify` in it, of the versions and hashes that the lock file names; `None`,
/// and said so loudly, where it cannot be had.
fn sigstore(brought: &Brought) -> Option<PathBuf> {
    if !has("node", &["--version"]) || !has("npm", &["--version"]) {
        eprintln!("SKIPPED: @sigstore/verify needs Debian's nodejs and npm");
        return None;
    }
    let folder = brought.path("sigstore");
    std::fs::create_dir(&folder).unwrap();
    for file in ["package.json", "package-lock.json", "verify.js"] {
        std::fs::copy(format!("{PEERS}/sigstore/{file}"), folder.join(file)).unwrap();
    }
    let (code, said) = ran(Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"])
        .args(["--fetch-retries=1", "--fetch-timeout=20000"])
        .current_dir(&folder));
    if code != 0 {
        assert!(!said.contains("EINTEGRITY"), "another package than the one locked: {said}");
        eprintln!("SKIPPED: npm's registry does not give @sigstore/verify: {said}");
        return None;
    }
    Some(folder)
}

#[test]
fn a_copy_of_the_public_files_is_audited_without_the_region() {
    let brought = Brought::new();
    let copy = brought.text("copy");
    let key = std::fs::read_to_string(brought.path("copy/key")).unwrap().trim().to_owned();
    let (key_file, kept, old) =
        (brought.text("trusted"), brought.text("kept"), brought.text("old"));
    std::fs::write(&key_file, &key).unwrap();
    // The region itself is not needed any more.
    std::fs::rename(&brought.data, brought.path("elsewhere")).unwrap();
    let audit = |more: &[&str]| haetae(&[&["audit", &copy], more].concat());
    let (code, said) = audit(&[]);
    assert!(code == 0 && said.contains("the key came from the log itself"), "{said}");
    let (code, said) = audit(&["--key", &key_file, "--since", &old, "--keep", &kept, "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["wrong"]), (0, &serde_json::json!([])));
    assert!(report["entries"].as_u64() < report["size"].as_u64(), "only what is new: {said}");
    let newest = std::fs::read_to_string(&kept).unwrap();
    assert_eq!(newest, std::fs::read_to_string(brought.path("copy/checkpoint")).unwrap());
    let other = ledger::Signer::try_new("localhost:8080/log/kr-bench", &[1; 32]).unwrap().vkey();
    assert_eq!(audit(&["--key", &other]).0, 1, "another key");
    assert_eq!(audit(&["--key", "no key"]).0, 2);
    std::fs::remove_file(brought.path("copy/key")).unwrap();
    assert_eq!(audit(&[]).0, 2, "without any key");
    assert_eq!(audit(&["--key", &key]).0, 0);
    for (file, entry) in [("copy/tile/entries/001", "entry 2"), ("copy/tile/0/000", "entry ")] {
        let (code, said) = brought.with_flip(file, 100, || audit(&["--key", &key]));
        assert!(code == 1 && said.contains(entry), "{file}: {said}");
    }
    std::fs::remove_file(brought.path("copy/tile/0/001")).unwrap();
    let (code, said) = audit(&["--key", &key]);
    assert!(code == 1 && said.contains("is missing"), "{said}");
}

#[test]
fn a_receipt_is_verified_offline_and_an_altered_one_is_refused() {
    let brought = Brought::new();
    let key = std::fs::read_to_string(brought.path("copy/key")).unwrap().trim().to_owned();
    let (receipt, key_file) = (brought.text("receipt"), brought.text("copy/key"));
    let verify =
        |more: &[&str]| haetae(&[&["receipt", "verify", &receipt, "--key"], more].concat());
    let (code, said) = verify(&[&key]);
    assert!(code == 0 && said.contains("the entry is on the log"), "{said}");
    let (code, said) = verify(&[&key_file, "--json"]);
    let verdict: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &verdict["ok"], &verdict["index"]), (0, &true.into(), &299.into()));
    let entry = verdict["entry"].as_str().unwrap().to_owned();
    std::fs::write(brought.path("entry"), &entry).unwrap();
    assert_eq!(verify(&[&key, "--entry", &brought.text("entry")]).0, 0, "the entry beside");
    std::fs::write(brought.path("entry"), entry.replace("gate", "gave")).unwrap();
    let (code, said) = verify(&[&key, "--entry", &brought.text("entry")]);
    assert!(code == 1 && said.contains("WRONG"), "{said}");
    let other = ledger::Signer::try_new("localhost:8080/log/kr-bench", &[1; 32]).unwrap().vkey();
    assert_eq!(verify(&[&other]).0, 1, "signed by another key");
    let whole = std::fs::read_to_string(&receipt).unwrap();
    let signature = whole.len() - 20;
    for place in [40, whole.find("index ").unwrap() + 12, signature] {
        let (code, said) = brought.with_flip("receipt", place, || verify(&[&key]));
        assert!(code == 1 || code == 2, "byte {place}: {said}");
        assert!(!said.contains("panicked"), "byte {place}: {said}");
    }
    for nonsense in ["", "{}", "c2sp.org/tlog-proof@v1\n\n", "\u{0}"] {
        std::fs::write(&receipt, nonsense).unwrap();
        assert_eq!(verify(&[&key]).0, 2, "{nonsense:?}");
    }
}
