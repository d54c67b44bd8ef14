//! A PostgreSQL of its own for each test process, from Debian's package `postgresql`.
//!
//! The first test that asks starts a server in a new folder, as an ordinary user, on a socket in that
//! folder: no port, no password, nothing shared with a server that the machine may run. fsync is on, as
//! for a city. A shell waits beside it for the test process to end, however it ends, and then stops the
//! server and removes the folder.
//!
//! For tests only, so its setting must fail loudly: it panics where something is wrong, and says
//! `SKIPPED` where the package is missing.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "only tests call this"
)]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs as an ordinary user; its standard input ends when the test process does. Until then it takes a
/// word a line: `stop`, `crash` (at once, without a checkpoint, as a machine that fails), `start`.
const KEEPER: &str = r#"
set -eu
BIN="$1"
PORT="$2"
DATA="$3"
WAL="$4"
shift 4
DIR=$(mktemp -d "${TMPDIR:-/tmp}/haetae-postgres-XXXXXX")
cd "$DIR"
DATA="${DATA:-$DIR/data}"
"$BIN/initdb" --pgdata="$DATA" --username=haetae --auth=trust --encoding=UTF8 --locale=C --no-sync \
    --wal-segsize=4 ${WAL:+--waldir="$WAL"} >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
if [ -z "$PORT" ]; then
    set -- "$@" -c listen_addresses= -c unix_socket_directories="$DIR"
    READY="$DIR"
else
    umask 077
    NEW="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    echo "subjectAltName=IP:127.0.0.1" >names
    {
        openssl req -x509 $NEW -keyout authority.key -out authority.pem -days 2 -subj /CN=authority
        openssl req $NEW -keyout server.key -out server.csr -subj /CN=server
        openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
            -days 2 -extfile names -out server.pem
    } >openssl.log 2>&1 || { cat openssl.log >&2; exit 1; }
    echo "hostssl all all 127.0.0.1/32 trust" >"$DATA/pg_hba.conf"
    set -- "$@" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -p "$PORT" -c ssl=on \
        -c ssl_cert_file="$DIR/server.pem" -c ssl_key_file="$DIR/server.key"
    READY="127.0.0.1"
fi
SERVER=
alive() {
    grep -qs "^State:[[:space:]]*[^ZX]" "/proc/${SERVER:-none}/status"
}
begin() {
    if ! alive; then
        "$BIN/postgres" -D "$DATA" -c fsync=on -c max_connections=400 -c shared_buffers=64MB \
            -c min_wal_size=8MB -c max_wal_size=256MB -c log_min_messages=warning "$@" \
            >>server.log 2>&1 </dev/null &
        SERVER=$!
    fi
    for STEP in $(seq 1 1000); do
        "$BIN/pg_isready" -q -h "$READY" -p "${PORT:-5432}" -U haetae && return
        alive || break
        sleep 0.01
    done
    cat server.log >&2
    exit 1
}
end() {
    kill "-$1" "$SERVER" 2>/dev/null || true
    wait "$SERVER" 2>/dev/null || true
}
begin "$@"
echo "$DIR"
while read -r WORD; do
    case "$WORD" in
        stop) end INT ;;
        crash) end QUIT ;;
        start) begin "$@" ;;
    esac
    echo done
done
end INT
cd /
rm -rf "$DIR"
"#;

/// A server of one's own, until dropped.
pub struct Server {
    /// Its socket's folder.
    dir: PathBuf,
    /// Its files.
    data: PathBuf,
    bin: PathBuf,
    /// The keeper stops the server when the pipe to it closes, with this process.
    keeper: Child,
    answers: BufReader<ChildStdout>,
    databases: AtomicU32,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The newest `/usr/lib/postgresql/<version>/bin`.
fn bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest = versions
        .filter_map(|it| it.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|it| installed(*it).join("postgres").exists())
        .max()?;
    Some(installed(newest))
}

fn installed(version: u32) -> PathBuf {
    Path::new("/usr/lib/postgresql").join(version.to_string()).join("bin")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.trim_ascii() == b"0"
}

/// initdb and postgres refuse to run as root: then the package's own user runs them.
fn shell() -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
        command
    } else {
        Command::new("sh")
    }
}

/// How a server is set up.
#[derive(Debug, Default, Clone, Copy)]
struct Wish<'a> {
    /// By TLS alone, on this port; without, on a socket in its folder.
    port: Option<u16>,
    /// Where its files go; by default into its folder.
    data: Option<&'a Path>,
    /// Where its journal goes; by default to its files.
    journal: Option<&'a Path>,
}

fn start(wish: Wish<'_>) -> Option<Server> {
    let Some(bin) = bin() else {
        eprintln!(
            "SKIPPED: no PostgreSQL here (apt-get install postgresql): its tests did not run"
        );
        return None;
    };
    let mut keeper = shell()
        .arg("-c")
        .arg(KEEPER)
        .arg("sh")
        .arg(&bin)
        .arg(wish.port.map(|it| it.to_string()).unwrap_or_default())
        .arg(wish.data.unwrap_or(Path::new("")))
        .arg(wish.journal.unwrap_or(Path::new("")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .current_dir("/")
        .spawn()
        .expect("a shell starts");
    let mut dir = String::new();
    let mut answers = BufReader::new(keeper.stdout.take().expect("it has an output"));
    answers.read_line(&mut dir).expect("the keeper answers");
    assert!(!dir.trim().is_empty(), "PostgreSQL did not start: see above");
    let dir = PathBuf::from(dir.trim());
    let data = wish.data.map_or_else(|| dir.join("data"), Path::to_owned);
    Some(Server { dir, data, bin, keeper, answers, databases: AtomicU32::new(1) })
}

/// The server that all tests of this process share.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| start(Wish::default())).as_ref()
}

impl Server {
    /// A server for one test, which may stop it.
    pub fn of_its_own() -> Option<Self> {
        start(Wish::default())
    }

    /// A server for one test, with its files and its journal in these folders, which are given to the
    /// user that it runs as.
    pub fn at(data: &Path, journal: &Path) -> Option<Self> {
        for folder in [data, journal] {
            if is_root() {
                let given = Command::new("chown").arg("postgres:postgres").arg(folder).status();
                assert!(given.is_ok_and(|it| it.success()), "the folder is the server's user's");
            }
        }
        start(Wish { port: None, data: Some(data), journal: Some(journal) })
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        let dir = self.dir.to_str().expect("a plain path").replace('/', "%2F");
        format!("postgres://haetae@{dir}/{database}")
    }

    /// The address of a fresh database; beside it lie `<name>_visits` and `<name>_keys`.
    pub fn databases(&self) -> String {
        let name = format!("city_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let make = |suffix| format!("CREATE DATABASE {name}{suffix} TEMPLATE template0");
        self.psql("postgres", &["", "_visits", "_keys"].map(make));
        self.url(&name)
    }

    /// Runs statements in a database, past our own code: what somebody else may do. Gives what psql
    /// prints, one row a line, columns parted by `|`.
    pub fn psql<S: AsRef<str>>(&self, database: &str, statements: &[S]) -> String {
        let mut command = Command::new(self.bin.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "haetae", "-h"]);
        command.arg(&self.dir).args(["-d", database]);
        for it in statements {
            command.args(["-c", it.as_ref()]);
        }
        let output = command.output().expect("psql runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{database}: {errors}");
        String::from_utf8(output.stdout).expect("psql prints UTF-8").trim().to_owned()
    }

    /// The folder of its socket.
    pub fn socket(&self) -> &Path {
        &self.dir
    }

    /// Stops in good order: every session is ended, what was written is brought to the files.
    pub fn stop(&mut self) {
        self.say("stop");
    }

    /// Stops at once, without a checkpoint, as a machine does that fails.
    pub fn crash(&mut self) {
        self.say("crash");
    }

    /// Starts again if it does not run, and has recovered when this returns.
    pub fn start(&mut self) {
        self.say("start");
    }

    fn say(&mut self, word: &str) {
        let keeper = self.keeper.stdin.as_mut().expect("the keeper listens");
        keeper.write_all(format!("{word}\n").as_bytes()).expect("the keeper listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the keeper answers");
        assert_eq!(answer.trim(), "done", "the server did not {word}: see above");
    }
}

/// The address of a fresh database of the test's own; beside it lie `<name>_visits` and `<name>_keys`.
/// `None`, and said so loudly, where PostgreSQL is not installed.
pub fn databases() -> Option<String> {
    server().map(Server::databases)
}

/// The address of a database of this process's server.
pub fn url(database: &str) -> String {
    server().expect("PostgreSQL runs").url(database)
}

/// A server that is reached by TLS alone, until dropped.
pub struct OverTls {
    /// A database's address, without parameters.
    pub url: String,
    /// The file with the certificate of the authority that vouches for it.
    pub authority: PathBuf,
    _server: Server,
}

/// A server of the test's own that is reached by TLS alone.
pub fn over_tls() -> Option<OverTls> {
    // Somebody else may take the port before the server does: then it does not start, and says so.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = free.local_addr().expect("it has an address").port();
    drop(free);
    let server = start(Wish { port: Some(port), ..Wish::default() })?;
    let url = format!("postgres://haetae@127.0.0.1:{port}/postgres");
    Some(OverTls { url, authority: server.dir.join("authority.pem"), _server: server })
}

/// [`Server::psql`] of one statement on this process's server.
pub fn psql(database: &str, sql: &str) -> String {
    server().expect("PostgreSQL runs").psql(database, &[sql])
}

/// The folder of the server's socket.
pub fn socket() -> PathBuf {
    server().expect("PostgreSQL runs").dir.clone()
}

/// The folder of the server's files, what it has written brought to them.
pub fn folder() -> PathBuf {
    psql("postgres", "CHECKPOINT");
    server().expect("PostgreSQL runs").data.clone()
}

/// Whether the files of these databases, or the server's journal, hold these bytes as they stand, what
/// was written brought to them.
pub fn databases_hold(names: &[String], needle: &[u8]) -> bool {
    let data = folder();
    let names: Vec<String> = names.iter().map(|it| format!("'{it}'")).collect();
    let sql = format!("SELECT oid FROM pg_database WHERE datname IN ({})", names.join(", "));
    let oids = psql("postgres", &sql);
    let folders = oids.lines().map(|it| format!("base/{it}")).chain(["pg_wal".to_owned()]);
    folders.into_iter().any(|it| files_hold(&data.join(it), needle))
}

/// Whether any file below `dir` holds these bytes as they stand. Of bytes with a zero or a line's end
/// among them, which grep cannot be asked for, the longest stretch without is looked for.
pub fn files_hold(dir: &Path, needle: &[u8]) -> bool {
    let stretches = needle.split(|it| matches!(it, 0 | b'\n'));
    let longest = stretches.max_by_key(|it| it.len()).unwrap_or_default();
    assert!(longest.len() >= 8 || longest == needle, "too little to be found by");
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C").args(["-r", "-q", "-s", "-a", "-F", "-e"]);
    grep.arg(OsStr::from_bytes(longest)).arg(dir);
    grep.status().expect("grep runs").success()
}

/// The address of fresh databases where the suites that run on either engine are asked to run on
/// PostgreSQL (`HAETAE_TEST_STORE=postgres`); `None` where they are not.
pub fn wanted() -> Option<String> {
    let asked_for = std::env::var("HAETAE_TEST_STORE").is_ok_and(|it| it == "postgres");
    asked_for.then(|| databases().expect("PostgreSQL is asked for, so it has to be there"))
}
