//! The small trait that a database implements. Engine differences live behind it and nowhere else.
//!
//! Every SQL text is written once for SQLite and PostgreSQL: parameters are `$1`, `$2` …, types are
//! BIGINT, TEXT and BYTEA, `region` is the first column of every primary key and `$1` everywhere.

use crate::{Fault, Row, Value};

/// A table as it stands in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// Its columns in their order, `region` among them.
    pub columns: Vec<String>,
    /// The columns of its primary key.
    pub key: Vec<String>,
    /// Its other indexes: name, and the statement that makes it.
    pub indexes: Vec<(String, String)>,
}

/// One connection to one database.
pub trait Engine: Send {
    /// Runs one statement; gives the number of rows it touched. Parameters are `$1`… in order.
    fn execute(&mut self, sql: &str, parameters: &[&Value]) -> Result<u64, Fault>;

    /// [`Engine::execute`] where nobody asks how many rows it touched. It takes its place in the order at
    /// once; that it failed may be said by any later call, at COMMIT at the latest. (PostgreSQL does
    /// not wait for the answer: a batch would wait for each of its rows.)
    fn put(&mut self, sql: &str, parameters: &[&Value]) -> Result<(), Fault> {
        self.execute(sql, parameters).map(|_| ())
    }

    /// Runs one statement once per row of parameters; `first` is `$1` of every row, and no two rows
    /// have the same key. (PostgreSQL sends multi-row VALUES; SQLite loops over one prepared
    /// statement.)
    fn execute_many(&mut self, sql: &str, first: &Value, rows: &[Vec<Value>]) -> Result<(), Fault>;

    /// Runs one query, lending each row to `each` until it says `false`. Whoever keeps a row takes it
    /// ([`std::mem::take`]); the room of one that was left is used for the next.
    fn query(
        &mut self,
        sql: &str,
        parameters: &[&Value],
        each: &mut dyn FnMut(&mut Row) -> Result<bool, Fault>,
    ) -> Result<(), Fault>;

    /// Runs the statements of a migration as they stand.
    fn migrate(&mut self, sql: &str) -> Result<(), Fault>;

    /// Called once all migrations have run: whatever the engine needs to plan queries well on tables
    /// whose keys all begin with `region`.
    fn settle(&mut self) -> Result<(), Fault>;

    /// Begins a transaction that may write.
    fn begin(&mut self) -> Result<(), Fault>;

    /// Begins a transaction that only reads: one consistent picture until [`Engine::rollback`].
    fn begin_read(&mut self) -> Result<(), Fault>;

    /// Commits; when it returns, what was written survives power loss. A fault that
    /// [`Fault::is_lost`] leaves open whether it was committed; see [`Engine::revive`].
    fn commit(&mut self) -> Result<(), Fault>;

    /// Rolls back.
    fn rollback(&mut self) -> Result<(), Fault>;

    /// Checks that a text prepares, without running it (conformance law 7).
    fn check(&mut self, sql: &str) -> Result<(), Fault>;

    /// The tables of the database, by name.
    fn tables(&mut self) -> Result<Vec<Shape>, Fault>;

    /// Removes from the files what deleted rows of a table have left in them, above all in this column
    /// of bytes. Outside of a transaction. An engine that overwrites what it deletes has nothing to do.
    fn erase(&mut self, _table: &str, _column: &str) -> Result<(), Fault> {
        Ok(())
    }

    /// Makes a lost connection anew. When it returns, whatever the lost one had under way has ended,
    /// committed or not, and nothing more can come of it. An engine without connections has nothing
    /// to do.
    fn revive(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}
