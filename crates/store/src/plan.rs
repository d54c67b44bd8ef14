//! What a database administrator types once before the first start: databases, and on a Citus cluster
//! which tables are spread by region.
//!
//! Cities hardly ever need each other's rows, so the region is the shard: `region` is first in every
//! key, and the tables of one database lie together, region by region (`colocate_with`). `migration` is
//! small and the same everywhere.

use crate::backend::{Backend, Part};
use crate::registry::Registry;
use crate::schema;

/// The tables that `sql` makes, in its order.
pub fn tables(sql: &str) -> impl Iterator<Item = &str> {
    sql.split("CREATE TABLE ")
        .skip(1)
        .filter_map(|it| it.trim_start_matches("IF NOT EXISTS ").split([' ', '(', '\n']).next())
}

/// The lines for the databases of `backend`, in the order in which they are to be run: `psql` reads
/// them as they stand.
pub fn plan(backend: &Backend, registry: &Registry) -> Vec<String> {
    let mut lines = vec!["-- Once, before the first start of haetae:".to_owned()];
    let names = backend.names();
    for name in &names {
        lines
            .push(format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';"));
    }
    lines.push(
        "-- Only on a Citus cluster, once, after the first start (it makes the tables):".to_owned(),
    );
    for (part, name) in Part::ALL.into_iter().zip(&names) {
        lines.push(format!("\\connect {name}"));
        lines.push("CREATE EXTENSION IF NOT EXISTS citus;".to_owned());
        lines.push("SELECT create_reference_table('migration');".to_owned());
        let mut first = None;
        for table in tables(crate::lease::TABLE)
            .chain(schema::migrations(registry, part).iter().flat_map(|(_, it)| tables(it.sql)))
        {
            lines.push(match first {
                None => format!("SELECT create_distributed_table('{table}', 'region');"),
                Some(first) => format!(
                    "SELECT create_distributed_table('{table}', 'region', colocate_with => '{first}');"
                ),
            });
            first.get_or_insert(table);
        }
    }
    lines
}

/// What neither a table nor a text may use: on a cluster it needs several regions at once, an order
/// that nobody keeps, or a lock that is no row's.
const FORBIDDEN: [&str; 12] = [
    "FOREIGN KEY",
    "REFERENCES",
    "SERIAL",
    "SEQUENCE",
    "NEXTVAL",
    "GENERATED",
    "AUTOINCREMENT",
    "TRIGGER",
    "MERGE",
    "ADVISORY",
    "UNNEST",
    "COPY",
];

fn forbidden(sql: &str) -> impl Iterator<Item = String> {
    let sql = sql.to_uppercase();
    FORBIDDEN
        .into_iter()
        .filter(move |it| {
            sql.split(|c: char| !c.is_alphanumeric() && c != ' ').any(|part| {
                format!(" {part} ").contains(&format!(" {it} "))
                    || part.split(' ').any(|word| it.len() > 5 && word.contains(it))
            })
        })
        .map(|it| format!("{it} is used"))
}

/// The text without its comments.
fn bare(sql: &str) -> String {
    sql.lines().map(|it| it.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

/// What is wrong with a migration's tables: every key, unique or not, begins with `region`.
pub fn wrong_in_schema(sql: &str) -> Vec<String> {
    let sql = bare(sql);
    let mut wrong: Vec<String> = forbidden(&sql).collect();
    for statement in sql.split(';').map(str::trim).filter(|it| !it.is_empty()) {
        let name: String = statement.chars().take(60).collect();
        let keys = ["PRIMARY KEY", "UNIQUE ("].iter().flat_map(|it| statement.match_indices(it));
        for (at, _) in keys {
            let key = statement.get(at..).and_then(|it| it.split_once('(')).unwrap_or_default().1;
            if !first_is_region(key) {
                wrong.push(format!("{name}: a key does not begin with region"));
            }
        }
        if statement.starts_with("CREATE TABLE") {
            if !statement.contains("PRIMARY KEY") {
                wrong.push(format!("{name}: there is no primary key"));
            }
        } else if let Some((_, on)) = statement.split_once(" ON ")
            && statement.starts_with("CREATE")
            && !on.split_once('(').is_some_and(|(_, columns)| first_is_region(columns))
        {
            wrong.push(format!("{name}: the index does not begin with region"));
        }
    }
    wrong
}

fn first_is_region(columns: &str) -> bool {
    columns.split([',', ')']).next().is_some_and(|it| it.trim() == "region")
}

/// What is wrong with a text: it names its one region for every table it touches.
pub fn wrong_in_text(sql: &str) -> Vec<String> {
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut wrong: Vec<String> = forbidden(&sql).collect();
    let inserts = sql.split("INSERT INTO ").skip(1).count();
    if sql.starts_with("WITH ") && !sql.contains("SELECT") {
        wrong.push("a WITH that writes".to_owned());
    }
    if inserts > 0 && !(sql.contains(" (region") && sql.contains("($1")) {
        wrong.push("the rows that are inserted do not begin with the region".to_owned());
    }
    let tables = sql.matches(" FROM ").count()
        + sql.matches(" JOIN ").count()
        + usize::from(sql.starts_with("UPDATE "));
    let said = sql.matches("region = ").count();
    if said < tables || (tables > 0 && !sql.contains("region = $1")) {
        wrong.push(format!("{tables} tables, and the region is said of {said}"));
    }
    wrong.into_iter().map(|it| format!("{it}: {sql}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_which_a_shard_could_not_be_made_are_found() {
        let good = "CREATE TABLE t (region TEXT, a BIGINT, PRIMARY KEY (region, a));
            CREATE UNIQUE INDEX t_a ON t (region, a);";
        assert_eq!(wrong_in_schema(good), Vec::<String>::new());
        for bad in [
            "CREATE TABLE t (region TEXT, a BIGINT, PRIMARY KEY (a, region));",
            "CREATE TABLE t (region TEXT, a BIGINT);",
            "CREATE TABLE t (region TEXT, a BIGINT, PRIMARY KEY (region), UNIQUE (a));",
            "CREATE TABLE t (region TEXT, a BIGSERIAL, PRIMARY KEY (region, a));",
            "CREATE TABLE t (region TEXT, a BIGINT REFERENCES u (a), PRIMARY KEY (region, a));",
            "CREATE INDEX t_a ON t (a, region);",
            "CREATE SEQUENCE s;",
            "CREATE TRIGGER t BEFORE INSERT ON t (region) EXECUTE f;",
        ] {
            assert!(!wrong_in_schema(bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn texts_that_would_ask_every_shard_are_found() {
        for good in [
            "SELECT a FROM t WHERE region = $1 AND b = $2",
            "SELECT a FROM t r JOIN u s ON s.region = r.region WHERE r.region = $1",
            "INSERT INTO t (region, a) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            "UPDATE t SET a = $2 WHERE region = $1",
        ] {
            assert_eq!(wrong_in_text(good), Vec::<String>::new());
        }
        for bad in [
            "SELECT a FROM t WHERE b = $1",
            "SELECT a FROM t r JOIN u s ON s.a = r.a WHERE r.region = $1",
            "SELECT a FROM t WHERE region = $1 AND b IN (SELECT b FROM u)",
            "INSERT INTO t (a, region) VALUES ($2, $1)",
            "DELETE FROM t WHERE a = $1",
            "MERGE INTO t USING u ON t.region = $1",
            "SELECT pg_advisory_lock($1)",
        ] {
            assert!(!wrong_in_text(bad).is_empty(), "{bad}");
        }
    }
}
