//! What stands beside the log and its views: the access log, who was forgotten, keys, command ids,
//! outgoing messages, migrations.

use std::collections::{BTreeMap, HashSet};

use ledger::Hash;

use super::{Auditor, Closed, Said};
use crate::backend::Part;
use crate::fault::Doing as _;
use crate::projection::select;
use crate::vault::Scope;
use crate::{Engine, Fault, Value, access, schema};

const HOURS: &str = "SELECT hour, count, root, seq FROM access_hour WHERE region = $1";
const OPEN_ROWS: &str = "SELECT hour, number, at, subject FROM access WHERE region = $1 \
     AND hour NOT IN (SELECT hour FROM access_hour WHERE region = $1) ORDER BY hour, number";
const COMMANDS: &str = "SELECT command, first, count FROM command WHERE region = $1";
const MESSAGES: &str = "SELECT message, topic, sealed, state FROM outbox WHERE region = $1";

impl Auditor<'_> {
    /// Everything of this file; `size` is the log's.
    pub(super) fn tables(&mut self, said: &Said, size: u64) -> Result<(), Fault> {
        let hours = self.access_hours(&said.closed);
        self.findings.part("access", hours)?;
        let open = self.open_hours();
        self.findings.part("access", open)?;
        let forgotten = self.forgotten(&said.forgotten);
        self.findings.part("forgotten", forgotten)?;
        let commands = self.commands(size);
        self.findings.part("command", commands)?;
        let outbox = self.outbox();
        self.findings.part("outbox", outbox)?;
        let keys = self.keys();
        self.findings.part("key", keys)?;
        Ok(())
    }

    /// The hours that the log says were closed, no other, and the rows that were in them.
    fn access_hours(&mut self, closed: &BTreeMap<i64, Closed>) -> Result<(), Fault> {
        let mut noted = BTreeMap::new();
        for row in select(self.identity, &self.value, HOURS, &[])? {
            let root = hex::encode(row.bytes(2)?);
            noted.insert(row.int(0)?, (row.int(1)?, root, row.count(3)?));
        }
        for hour in noted.keys().filter(|it| !closed.contains_key(it)) {
            let what =
                format!("hour {hour} of the access log is closed, and the log does not say so");
            self.findings.wrong(None, "access", what);
        }
        for (hour, said) in closed {
            let rows = select(self.identity, &self.value, access::HOUR_ROWS, &[(*hour).into()])
                .and_then(|rows| {
                    rows.iter().map(access::access_row).collect::<Result<Vec<_>, _>>()
                });
            let root = rows.and_then(|rows| access::root_of(&rows));
            let stands = root.as_ref().map(Hash::to_hex).is_ok_and(|it| it == said.1);
            if !stands || noted.get(hour) != Some(said) {
                let what = format!("the access log of hour {hour} differs from its root");
                self.wrong(Some(said.2), "access", what);
            }
            self.findings.0.access_hours += 1;
        }
        Ok(())
    }

    /// The hour that is not over has no root yet: only its form can be looked at.
    fn open_hours(&mut self) -> Result<(), Fault> {
        let (mut hour, mut number) = (i64::MIN, 0);
        for row in select(self.identity, &self.value, OPEN_ROWS, &[])? {
            number = if row.int(0)? == hour { number + 1 } else { 1 };
            hour = row.int(0)?;
            let whole = row.int(1)? == number
                && access::hour_of(row.instant(2)?) == hour
                && row.bytes(3)?.len() == 16;
            if !whole {
                let what = format!("row {number} of hour {hour} of the access log is out of order");
                self.wrong(None, "access", what);
            }
        }
        Ok(())
    }

    /// Whose keys must be gone is what the log says, to the subject.
    fn forgotten(&mut self, said: &HashSet<u128>) -> Result<(), Fault> {
        let sql = "SELECT subject FROM forgotten WHERE region = $1";
        let mut noted = HashSet::new();
        for row in select(self.identity, &self.value, sql, &[])? {
            noted.insert(u128::from_be_bytes(row.bytes(0)?.try_into().doing("reading an id")?));
        }
        if noted != *said {
            let what = "those who were forgotten are others than the log says";
            self.wrong(None, "forgotten", what);
        }
        Ok(())
    }

    /// A command id stands for entries that are there. Which ones, the log does not say.
    fn commands(&mut self, size: u64) -> Result<(), Fault> {
        let mut odd = 0_u64;
        let parameters = [&self.value];
        self.identity.query(COMMANDS, &parameters, &mut |row| {
            let end = row.count(1).and_then(|first| Ok(first.saturating_add(row.count(2)?)));
            odd += u64::from(row.bytes(0)?.len() != 16 || !end.is_ok_and(|it| it <= size));
            Ok(true)
        })?;
        if odd > 0 {
            self.wrong(None, "command", format!("{odd} command ids lie beyond the log"));
        }
        Ok(())
    }

    /// A message that waits can be opened, and is text.
    fn outbox(&mut self) -> Result<(), Fault> {
        for row in select(self.identity, &self.value, MESSAGES, &[])? {
            let topic = format!("outbox/{}", row.text(1)?);
            let opened = self.vault.open_own(&topic, row.bytes(2)?);
            let whole = opened.is_ok_and(|it| {
                serde_json::from_slice::<&serde_json::value::RawValue>(&it).is_ok()
            });
            if !whole || row.bytes(0)?.len() != 16 || !(0..=2).contains(&row.int(3)?) {
                self.wrong(None, "outbox", "a message cannot be opened");
            }
        }
        Ok(())
    }

    /// Every wrapped key opens, and as the key of what it says.
    fn keys(&mut self) -> Result<(), Fault> {
        let sql = "SELECT scope FROM vault_key WHERE region = $1";
        let scopes = self.vault.reading(|engine, region| {
            let rows = select(engine, region, sql, &[])?;
            rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<Vec<_>, _>>()
        });
        for scope in scopes? {
            let found = self.scope(&scope).map(|it| (self.vault.find(&it), it));
            match found {
                Some((Ok(_), it)) if it.column() == scope => self.findings.0.keys += 1,
                // Whose key it is, an audit does not say.
                _ if scope.starts_with("subject/") => {
                    self.wrong(None, "key", "the key of a subject cannot be opened");
                }
                _ => self.wrong(None, "key", format!("the key of {scope:?} cannot be opened")),
            }
        }
        Ok(())
    }

    fn scope(&self, column: &str) -> Option<Scope> {
        Scope::parse(column, self.registry)
    }

    /// The migrations that have run are those that this program knows.
    pub(super) fn migrations(&mut self, visits: &mut dyn Engine) -> Result<(), Fault> {
        let registry = self.registry;
        let run = [
            (run_in(self.identity)?, schema::migrations(registry, Part::Identity)),
            (run_in(visits)?, schema::migrations(registry, Part::Visits)),
            (
                self.vault.reading(|engine, _| run_in(engine))?,
                schema::migrations(registry, Part::Keys),
            ),
        ];
        for (run, known) in run {
            let mut known: Vec<(String, i64)> = known
                .into_iter()
                .map(|(owner, it)| (owner.to_owned(), i64::from(it.number)))
                .collect();
            known.sort();
            if run != known {
                let what = "the migrations that have run are not those of this program: if it is \
                     newer than the folder, start it once; if older, audit with the newer one";
                self.findings.wrong(None, "schema", what);
            }
        }
        Ok(())
    }
}

fn run_in(engine: &mut dyn Engine) -> Result<Vec<(String, i64)>, Fault> {
    let mut run = Vec::new();
    let none: [&Value; 0] = [];
    engine.query(
        "SELECT owner, number FROM migration ORDER BY owner, number",
        &none,
        &mut |row| {
            run.push((row.text(0)?.to_owned(), row.int(1)?));
            Ok(true)
        },
    )?;
    run.sort();
    Ok(run)
}
