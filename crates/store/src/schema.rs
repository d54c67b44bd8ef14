//! The store's own tables, and running migrations.
//!
//! A migration and its row in `migration` are one transaction: killed at any statement, it is as
//! if it had not begun. A database with a number that this program does not know was written by a
//! newer one and is refused.

use crate::backend::Part;
use crate::{Engine, Fault, Migration, Registry, Side, Value};

/// The owner name of the store's own tables.
const OWN: &str = "store";

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS migration (owner TEXT NOT NULL, number BIGINT NOT NULL, \
     PRIMARY KEY (owner, number));";

const MARK: &str =
    "INSERT INTO migration (owner, number) VALUES ($1, $2) ON CONFLICT (owner, number) DO NOTHING";

/// The migrations of one database, the store's own first.
pub(crate) fn migrations(registry: &Registry, part: Part) -> Vec<(&'static str, Migration)> {
    let (side, sql) = match part {
        Part::Identity => (Side::Identity, include_str!("../migrations/identity.sql")),
        Part::Visits => (Side::Visits, include_str!("../migrations/visits.sql")),
        Part::Keys => (Side::Identity, include_str!("../migrations/keys.sql")),
    };
    let mut own = vec![(OWN, Migration { number: 1, side, sql })];
    if part == Part::Keys {
        let sql = include_str!("../migrations/keys-2.sql");
        own.push((OWN, Migration { number: 2, side, sql }));
        // No slice has tables there.
        return own;
    }
    let theirs = registry.migrations.iter().filter(|(_, it)| Part::of(it.side) == part).copied();
    let sql = match part {
        Part::Visits => include_str!("../migrations/visits-2.sql"),
        _ => include_str!("../migrations/clock.sql"),
    };
    own.push((OWN, Migration { number: 2, side, sql }));
    own.into_iter().chain(theirs).collect()
}

/// The migrations that a database has, if this program knows them all.
fn done(
    engine: &mut dyn Engine,
    migrations: &[(&'static str, Migration)],
) -> Result<Vec<(String, i64)>, Fault> {
    let mut done = Vec::new();
    engine.query("SELECT owner, number FROM migration", &[], &mut |row| {
        done.push((row.text(0)?.to_owned(), row.int(1)?));
        Ok(true)
    })?;
    let known = |owner: &str, number: i64| {
        migrations.iter().any(|(name, it)| *name == owner && i64::from(it.number) == number)
    };
    if let Some((owner, number)) = done.iter().find(|(owner, number)| !known(owner, *number)) {
        return Err(Fault::new(format!(
            "this database has migration {number} of {owner}, which this program does not know: \
             it was written by a newer haetae; start that one"
        )));
    }
    Ok(done)
}

/// Whether a database has every migration that this program knows. A newer one is a fault.
pub(crate) fn is_current(
    engine: &mut dyn Engine,
    migrations: &[(&'static str, Migration)],
) -> Result<bool, Fault> {
    Ok(done(engine, migrations)?.len() == migrations.len())
}

/// Brings a database to the newest schema.
pub(crate) fn migrate(
    engine: &mut dyn Engine,
    migrations: &[(&'static str, Migration)],
) -> Result<(), Fault> {
    engine.migrate(LEDGER)?;
    let done = done(engine, migrations)?;
    for (owner, migration) in migrations {
        let number = i64::from(migration.number);
        if done.iter().any(|(name, it)| name == owner && *it == number) {
            continue;
        }
        engine.begin()?;
        // Its row first: of two processes that begin at once (for two regions, on one server) the
        // second waits here, and then finds it done.
        let result = engine
            .execute(MARK, &[&Value::from(*owner), &Value::from(number)])
            .and_then(|touched| if touched == 1 { engine.migrate(migration.sql) } else { Ok(()) });
        if let Err(fault) = result {
            engine.rollback()?;
            return Err(fault);
        }
        engine.commit()?;
    }
    engine.settle()
}
