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
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs as an ordinary user; its standard input ends when the test process does.
const KEEPER: &str = r#"
set -eu
BIN="$1"
PORT="$2"
DIR=$(mktemp -d "${TMPDIR:-/tmp}/haetae-postgres-XXXXXX")
cd "$DIR"
"$BIN/initdb" --pgdata=data --username=haetae --auth=trust --encoding=UTF8 --locale=C --no-sync \
    >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
if [ -z "$PORT" ]; then
    set -- -c listen_addresses= -c unix_socket_directories="$DIR"
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
    echo "hostssl all all 127.0.0.1/32 trust" >data/pg_hba.conf
    set -- -c listen_addresses=127.0.0.1 -c unix_socket_directories= -p "$PORT" -c ssl=on \
        -c ssl_cert_file="$DIR/server.pem" -c ssl_key_file="$DIR/server.key"
    READY="127.0.0.1"
fi
"$BIN/postgres" -D data "$@" -c fsync=on -c max_connections=400 -c shared_buffers=64MB \
    -c log_min_messages=warning >server.log 2>&1 </dev/null &
SERVER=$!
for STEP in $(seq 1 200); do
    "$BIN/pg_isready" -q -h "$READY" -p "${PORT:-5432}" -U haetae && break
    kill -0 "$SERVER" 2>/dev/null || { cat server.log >&2; exit 1; }
    sleep 0.05
done
echo "$DIR"
cat >/dev/null || true
kill -INT "$SERVER" 2>/dev/null || true
wait "$SERVER" 2>/dev/null || true
cd /
rm -rf "$DIR"
"#;

struct Server {
    /// Its socket's folder.
    dir: PathBuf,
    bin: PathBuf,
    /// The keeper stops the server when the pipe to it closes, with this process.
    keeper: Child,
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

/// initdb and postgres refuse to run as root: then the package's own user runs them.
fn shell() -> Command {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
        command
    } else {
        Command::new("sh")
    }
}

/// With a port, by TLS alone; without, on a socket in its folder.
fn start(port: Option<u16>) -> Option<Server> {
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
        .arg(port.map(|it| it.to_string()).unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .current_dir("/")
        .spawn()
        .expect("a shell starts");
    let mut dir = String::new();
    let answer = keeper.stdout.take().expect("it has an output");
    BufReader::new(answer).read_line(&mut dir).expect("the keeper answers");
    assert!(!dir.trim().is_empty(), "PostgreSQL did not start: see above");
    Some(Server { dir: PathBuf::from(dir.trim()), bin, keeper })
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| start(None)).as_ref()
}

impl Server {
    fn url(&self, database: &str) -> String {
        let dir = self.dir.to_str().expect("a plain path").replace('/', "%2F");
        format!("postgres://haetae@{dir}/{database}")
    }
}

/// The address of a fresh database of the test's own; beside it lie `<name>_visits` and `<name>_keys`.
/// `None`, and said so loudly, where PostgreSQL is not installed.
pub fn databases() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = server()?;
    let name = format!("city_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    for suffix in ["", "_visits", "_keys"] {
        psql("postgres", &format!("CREATE DATABASE {name}{suffix} TEMPLATE template0"));
    }
    Some(server.url(&name))
}

/// A server that is reached by TLS alone, until dropped.
pub struct OverTls {
    /// A database's address, without parameters.
    pub url: String,
    /// The file with the certificate of the authority that vouches for it.
    pub authority: PathBuf,
    server: Server,
}

impl Drop for OverTls {
    fn drop(&mut self) {
        drop(self.server.keeper.stdin.take());
        let _ = self.server.keeper.wait();
    }
}

/// A server of the test's own that is reached by TLS alone.
pub fn over_tls() -> Option<OverTls> {
    // Somebody else may take the port before the server does: then it does not start, and says so.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = free.local_addr().expect("it has an address").port();
    drop(free);
    let server = start(Some(port))?;
    let url = format!("postgres://haetae@127.0.0.1:{port}/postgres");
    Some(OverTls { url, authority: server.dir.join("authority.pem"), server })
}

/// Runs SQL in a database of this process's server, past our own code: what somebody else may do.
/// Gives what psql prints, one row a line, columns parted by `|`.
pub fn psql(database: &str, sql: &str) -> String {
    let server = server().expect("PostgreSQL runs");
    let output = Command::new(server.bin.join("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "haetae", "-h"])
        .arg(&server.dir)
        .args(["-d", database, "-c", sql])
        .output()
        .expect("psql runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{sql}: {errors}");
    String::from_utf8(output.stdout).expect("psql prints UTF-8").trim().to_owned()
}

/// The folder of the server's socket.
pub fn socket() -> PathBuf {
    server().expect("PostgreSQL runs").dir.clone()
}

/// The folder of the server's files, what it has written brought to them.
pub fn folder() -> PathBuf {
    psql("postgres", "CHECKPOINT");
    server().expect("PostgreSQL runs").dir.join("data")
}

/// Whether any file below `dir` holds these bytes as they stand.
pub fn files_hold(dir: &Path, needle: &[u8]) -> bool {
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C").args(["-r", "-q", "-s", "-a"]);
    // A plain search is much faster, and cannot be asked for these.
    if needle.iter().any(|it| matches!(it, 0 | b'\n')) {
        let pattern: Vec<String> = needle.iter().map(|it| format!("\\x{it:02x}")).collect();
        grep.args(["-P", "-e", &pattern.concat()]);
    } else {
        grep.args(["-F", "-e"]).arg(OsStr::from_bytes(needle));
    }
    grep.arg(dir);
    grep.status().expect("grep runs").success()
}

/// Whether the suites that can run on either engine are asked to run on PostgreSQL
/// (`HAETAE_TEST_STORE=postgres`).
pub fn asked_for() -> bool {
    std::env::var("HAETAE_TEST_STORE").is_ok_and(|it| it == "postgres")
}
