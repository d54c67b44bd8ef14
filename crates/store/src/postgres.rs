//! PostgreSQL 15 or later behind [`Engine`]: the same texts, over the binary protocol.
//!
//! The trait is synchronous, because the writer is a thread and readers run on blocking threads. The
//! connections' own work (sockets, timers) runs on a small runtime of this module's; whoever calls
//! waits for it with its thread parked, which is allowed on any thread.

mod address;
mod rows;
mod wire;

use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, RowStream, Statement};

use crate::engine::Shape;
use crate::fault::Doing as _;
use crate::{Engine, Fault, Row, Value};
pub use address::Address;
use rows::Insert;
use wire::Bound;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The writer's. When it is made anew, what the lost one had under way is ended first.
    Writer,
    /// A reader's: the server itself refuses to write on it.
    Reader,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No transaction.
    Idle,
    /// A transaction is open.
    Open,
    /// A statement of the open transaction failed. PostgreSQL would answer COMMIT with success and
    /// roll back: nobody may mistake that for a commit.
    Broken,
}

/// Which session of the server a connection is.
#[derive(Debug, Clone, Copy)]
struct Session {
    pid: i64,
    /// The server's clock when it was asked, in microseconds: pids are used again.
    at: i64,
}

/// One connection.
pub struct Postgres {
    address: Address,
    role: Role,
    client: Arc<Client>,
    session: Session,
    state: State,
    statements: HashMap<String, Statement>,
    /// Statements of the open transaction that were sent and whose answers were not looked at yet, in
    /// their order.
    sent: Vec<Sent>,
}

struct Sent {
    sql: String,
    answer: Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send>>,
}

/// Answers that may wait to be looked at.
const SENT_MAX: usize = 256;

/// Prepared texts that a connection keeps.
const STATEMENTS_MAX: usize = 512;
/// What a session is told first. A writer that stands still in a transaction is ended by the server,
/// so that it cannot hold its region's rows for longer than its lease (15 s).
const WRITER: &str = "SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET jit = off; \
    SET synchronous_commit = on; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '15s'; \
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3";
const READER: &str = "SET TIME ZONE 'UTC'; SET client_min_messages = warning; SET jit = off; \
    SET default_transaction_read_only = on; \
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3";

/// What we rest on: texts in byte order as in SQLite, and commits that survive power loss.
const ABOUT: &str = "SELECT current_setting('server_version_num')::bigint, \
    pg_encoding_to_char(encoding)::text, datlocprovider::text, datcollate::text, \
    current_setting('fsync'), current_setting('full_page_writes'), pg_backend_pid()::bigint, \
    (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint \
    FROM pg_database WHERE datname = current_database()";
/// Ends a session of ours that was lost, and counts what is left of it.
const END_SESSION: &str = "SELECT pid FROM (SELECT pid, pg_terminate_backend(pid) AS ended \
    FROM pg_stat_activity WHERE pid = $1::bigint \
    AND backend_start <= to_timestamp($2::bigint / 1000000.0)) AS left_over WHERE ended";

/// Every column of every table of ours, and whether it is of the key.
const COLUMNS: &str = "SELECT t.relname::text, c.attname::text, \
    COALESCE(c.attnum = ANY (x.indkey), FALSE) FROM pg_class t \
    JOIN pg_namespace n ON n.oid = t.relnamespace \
    JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped \
    LEFT JOIN pg_index x ON x.indrelid = t.oid AND x.indisprimary \
    WHERE n.nspname = current_schema() AND t.relkind IN ('r', 'p') ORDER BY t.relname, c.attnum";
/// Every index of them that is not the key's.
const INDEXES: &str = "SELECT t.relname::text, i.relname::text, pg_get_indexdef(i.oid) FROM pg_index x \
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
    JOIN pg_namespace n ON n.oid = t.relnamespace \
    WHERE n.nspname = current_schema() AND NOT x.indisprimary ORDER BY i.relname";

fn runtime() -> Result<&'static Runtime, Fault> {
    static RUNTIME: OnceLock<Result<Runtime, std::io::Error>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("haetae-postgres")
            .enable_all()
            .build()
    });
    made.as_ref().map_err(|error| Fault::new(format!("starting the runtime: {error}")))
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for `work` with this thread parked. tokio's own `block_on` refuses on threads that serve
/// async tasks; a test that reads there, or a start that opens a store, must not panic.
fn wait<F: Future>(work: F) -> F::Output {
    let waker = Waker::from(Arc::new(Parked(std::thread::current())));
    let mut work = pin!(work);
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Lets `time` pass.
pub(crate) fn pause(time: Duration) {
    let (hold, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
    drop(hold);
}

/// Connects; sockets and timers need the runtime, so the whole of it runs there.
fn connect(address: &Address) -> Result<Client, Fault> {
    let runtime = runtime()?;
    let (send, receive) = mpsc::sync_channel(1);
    let (address, handle) = (address.clone(), runtime.handle().clone());
    runtime.spawn(async move {
        // The receiver waits for nothing else.
        let _ = send.send(address.connect(&handle).await);
    });
    receive.recv().doing("connecting")?
}

/// Refuses a server or a database on which our promises would not hold.
fn fit(about: &Row, name: &str) -> Result<Session, Fault> {
    if about.int(0)? < 150_000 {
        return Err(Fault::new("PostgreSQL 15 or later is needed"));
    }
    let by_bytes = match about.text(2)? {
        "c" => matches!(about.text(3)?, "C" | "POSIX" | "C.UTF-8" | "C.utf8"),
        // The builtin provider (17 and later) orders by code point.
        provider => provider == "b",
    };
    if about.text(1)? != "UTF8" || !by_bytes {
        return Err(Fault::new(format!(
            "the database {name} does not order texts by their bytes: make it with CREATE DATABASE \
             {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        )));
    }
    if about.text(4)? != "on" || about.text(5)? != "on" {
        return Err(Fault::new(
            "fsync or full_page_writes is off on this server: a power loss would lose what was \
             acknowledged",
        ));
    }
    Ok(Session { pid: about.int(6)?, at: about.int(7)? })
}

impl Postgres {
    /// Connects to a database.
    pub fn open(address: &Address, role: Role) -> Result<Self, Fault> {
        let (client, session) = Self::begin_session(address, role)?;
        let (address, statements) = (address.clone(), HashMap::new());
        let client = Arc::new(client);
        Ok(Self {
            address,
            role,
            client,
            session,
            state: State::Idle,
            statements,
            sent: Vec::new(),
        })
    }

    fn begin_session(address: &Address, role: Role) -> Result<(Client, Session), Fault> {
        let client = connect(address)?;
        let setup = if role == Role::Writer { WRITER } else { READER };
        wait(client.batch_execute(setup)).doing("setting up a session")?;
        let about = wait(client.query_one(ABOUT, &[])).doing(ABOUT)?;
        let session = fit(&read(&about)?, address.name())?;
        Ok((client, session))
    }

    /// Ends what the lost session still has under way: as long as it lives, nobody can say whether
    /// its COMMIT will take effect.
    fn end_lost(client: &Client, lost: Session) -> Result<(), Fault> {
        for step in 0..100_u64 {
            let left = wait(client.query(END_SESSION, &[&lost.pid, &lost.at]));
            if left.doing("ending the lost session")?.is_empty() {
                return Ok(());
            }
            pause(Duration::from_millis(step.min(20) * 10));
        }
        Err(Fault::new("the lost session does not end"))
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = wait(self.client.prepare(sql)).doing(sql)?;
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn start(&mut self, sql: &str, parameters: &[&Value]) -> Result<RowStream, Fault> {
        let statement = self.prepare(sql)?;
        let bound: Vec<Bound<'_>> = parameters.iter().map(|it| Bound(it)).collect();
        wait(self.client.query_raw(&statement, &bound)).doing(sql)
    }

    fn change(&mut self, sql: &str, parameters: &[&Value]) -> Result<u64, Fault> {
        let statement = self.prepare(sql)?;
        let bound: Vec<Bound<'_>> = parameters.iter().map(|it| Bound(it)).collect();
        wait(self.client.execute_raw(&statement, &bound)).doing(sql)
    }

    /// Looks at the answers that have been waiting; the first that is a fault is the cause of all after
    /// it.
    fn answers(&mut self) -> Result<(), Fault> {
        let mut all = Ok(());
        for Sent { sql, answer } in self.sent.drain(..) {
            let answer = wait(answer).doing(&sql);
            all = all.and(answer.map(|_| ()));
        }
        all
    }

    /// Outside of a transaction nothing is lost with a connection: it is made anew. Within one, the
    /// caller has to hear of it.
    fn ready(&mut self) -> Result<(), Fault> {
        if self.state == State::Idle && self.client.is_closed() { self.revive() } else { Ok(()) }
    }

    /// Keeps in mind that a statement of the open transaction failed, and says which was the first.
    fn note<T>(&mut self, answer: Result<T, Fault>) -> Result<T, Fault> {
        if answer.is_err() && self.state == State::Open {
            self.state = State::Broken;
            self.answers()?;
        }
        answer
    }

    fn begin_with(&mut self, sql: &str) -> Result<(), Fault> {
        self.ready()?;
        let mut begun = wait(self.client.batch_execute(sql)).doing("beginning a transaction");
        // Nothing has been done in it: a connection that was lost unnoticed costs nothing.
        if begun.as_ref().is_err_and(Fault::is_lost) {
            self.revive()?;
            begun = wait(self.client.batch_execute(sql)).doing("beginning a transaction");
        }
        begun?;
        self.state = State::Open;
        Ok(())
    }

    fn feed(
        stream: RowStream,
        sql: &str,
        each: &mut dyn FnMut(&mut Row) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut stream = pin!(stream);
        while let Some(row) = wait(stream.try_next()).doing(sql)? {
            if !each(&mut read(&row).doing(sql)?)? {
                break;
            }
        }
        Ok(())
    }
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Fault> {
    let values = (0..row.len()).map(|column| row.try_get(column).doing("reading a column"));
    values.collect::<Result<Vec<Value>, Fault>>().map(Row)
}

/// Whether the error says that the connection is gone, or that the server is going.
pub(crate) fn is_lost(error: &tokio_postgres::Error) -> bool {
    let by_code = error.code().is_some_and(|it| {
        it.code().starts_with("08")
            || matches!(
                *it,
                SqlState::ADMIN_SHUTDOWN
                    | SqlState::CRASH_SHUTDOWN
                    | SqlState::CANNOT_CONNECT_NOW
                    | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            )
    });
    let cause = std::error::Error::source(error);
    by_code || error.is_closed() || cause.is_some_and(|it| it.is::<std::io::Error>())
}

/// Whether the error says that the server takes no writes at present: its disk is full or broken, it
/// was told to be read-only, or it has no connection to spare.
pub(crate) fn is_unwritable(error: &tokio_postgres::Error) -> bool {
    let codes = [
        SqlState::DISK_FULL,
        SqlState::IO_ERROR,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::TOO_MANY_CONNECTIONS,
    ];
    error.code().is_some_and(|it| codes.contains(it))
}

/// Whether the error says that two transactions were in each other's way, and nothing was done.
pub(crate) fn is_in_the_way(error: &tokio_postgres::Error) -> bool {
    let codes = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|it| codes.contains(it))
}

/// Whether the error says that a lock was waited for in vain.
pub(crate) fn is_locked(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// Whether the error says that a table is not there.
pub(crate) fn is_missing_table(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::UNDEFINED_TABLE)
}

impl Engine for Postgres {
    fn execute(&mut self, sql: &str, parameters: &[&Value]) -> Result<u64, Fault> {
        self.ready()?;
        let answer = self.change(sql, parameters);
        self.note(answer)
    }

    fn put(&mut self, sql: &str, parameters: &[&Value]) -> Result<(), Fault> {
        if self.state == State::Idle {
            return self.execute(sql, parameters).map(|_| ());
        }
        if self.sent.len() >= SENT_MAX {
            let answers = self.answers();
            self.note(answers)?;
        }
        let statement = self.prepare(sql);
        let statement = self.note(statement)?;
        let owned: Vec<Value> = parameters.iter().map(|it| (*it).clone()).collect();
        let client = Arc::clone(&self.client);
        let mut answer = Box::pin(async move {
            let bound: Vec<Bound<'_>> = owned.iter().map(Bound).collect();
            client.execute_raw(&statement, &bound).await
        });
        // Sent by the first look at it; whether it was answered by then is of no matter.
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => self.note(answer.doing(sql).map(|_| ())),
            Poll::Pending => {
                self.sent.push(Sent { sql: sql.to_owned(), answer });
                Ok(())
            }
        }
    }

    fn execute_many(&mut self, sql: &str, first: &Value, rows: &[Vec<Value>]) -> Result<(), Fault> {
        self.ready()?;
        let insert = Insert::of(sql);
        let mut left = rows;
        while !left.is_empty() {
            let count = insert.as_ref().map_or(1, |it| it.take(left.len()));
            let Some((now, later)) = left.split_at_checked(count) else { break };
            let parameters: Vec<&Value> =
                std::iter::once(first).chain(now.iter().flatten()).collect();
            match &insert {
                Some(insert) => self.put(&insert.text(count), &parameters)?,
                None => self.put(sql, &parameters)?,
            }
            left = later;
        }
        Ok(())
    }

    fn query(
        &mut self,
        sql: &str,
        parameters: &[&Value],
        each: &mut dyn FnMut(&mut Row) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        self.ready()?;
        let mut started = self.start(sql, parameters);
        if self.state == State::Idle && started.as_ref().is_err_and(Fault::is_lost) {
            self.revive()?;
            started = self.start(sql, parameters);
        }
        let answer = started.and_then(|stream| Self::feed(stream, sql, each));
        self.note(answer)
    }

    fn migrate(&mut self, sql: &str) -> Result<(), Fault> {
        self.ready()?;
        self.statements.clear();
        let answer = wait(self.client.batch_execute(sql)).doing("running a migration");
        self.note(answer)
    }

    /// The server's own autovacuum measures tables as they grow.
    fn settle(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// READ COMMITTED is enough: a region has one writer, the lease's row is locked first in every
    /// batch, and the head of the log is a compare-and-set. Nobody else changes what it has read.
    /// Not READ WRITE: who sets `default_transaction_read_only` on a server wants nothing written.
    fn begin(&mut self) -> Result<(), Fault> {
        self.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
    }

    fn begin_read(&mut self) -> Result<(), Fault> {
        self.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    fn commit(&mut self) -> Result<(), Fault> {
        let answers = self.answers();
        if answers.is_err() || self.state == State::Broken {
            self.rollback()?;
            let fault = Fault::new("a statement of the transaction had failed: rolled back");
            return answers.and(Err(fault));
        }
        self.state = State::Idle;
        wait(self.client.batch_execute("COMMIT")).doing("committing")
    }

    fn rollback(&mut self) -> Result<(), Fault> {
        let state = std::mem::replace(&mut self.state, State::Idle);
        self.sent.clear();
        // A connection that is gone has taken its transaction with it.
        if state == State::Idle || self.client.is_closed() {
            return Ok(());
        }
        let answer = wait(self.client.batch_execute("ROLLBACK")).doing("rolling back");
        if answer.as_ref().is_err_and(Fault::is_lost) { Ok(()) } else { answer }
    }

    fn tables(&mut self) -> Result<Vec<Shape>, Fault> {
        let mut shapes: Vec<Shape> = Vec::new();
        self.query(COLUMNS, &[], &mut |row| {
            if shapes.last().is_none_or(|it| row.text(0).is_ok_and(|name| name != it.name)) {
                let (name, columns) = (row.text(0)?.to_owned(), Vec::new());
                shapes.push(Shape { name, columns, key: Vec::new(), indexes: Vec::new() });
            }
            if let Some(it) = shapes.last_mut() {
                it.columns.push(row.text(1)?.to_owned());
                if row.int(2)? != 0 {
                    it.key.push(row.text(1)?.to_owned());
                }
            }
            Ok(true)
        })?;
        self.query(INDEXES, &[], &mut |row| {
            let name = row.text(0)?;
            if let Some(it) = shapes.iter_mut().find(|it| it.name == name) {
                it.indexes.push((row.text(1)?.to_owned(), row.text(2)?.to_owned()));
            }
            Ok(true)
        })?;
        Ok(shapes)
    }

    fn check(&mut self, sql: &str) -> Result<(), Fault> {
        self.ready()?;
        let answer = self.prepare(sql).map(|_| ());
        self.note(answer)
    }

    /// A deleted row lies in its page until it is vacuumed, and its bytes until the page is used again.
    /// Writing the table anew leaves both behind. VACUUM FULL would keep what a transaction in any
    /// database of the server might still see; a column that is computed anew copies the rows that
    /// live, and no others. (The server's own journal keeps the old ones until it is recycled:
    /// `docs/guide/operate.md`.)
    fn erase(&mut self, table: &str, column: &str) -> Result<(), Fault> {
        self.ready()?;
        let sql = format!(
            "ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE BYTEA USING {column} || ''::BYTEA"
        );
        wait(self.client.batch_execute(&sql)).doing("erasing")
    }

    fn revive(&mut self) -> Result<(), Fault> {
        self.state = State::Idle;
        self.statements.clear();
        self.sent.clear();
        let (client, session) = Self::begin_session(&self.address, self.role)?;
        if self.role == Role::Writer {
            Self::end_lost(&client, self.session)?;
        }
        (self.client, self.session) = (Arc::new(client), session);
        Ok(())
    }
}
