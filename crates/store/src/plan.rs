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
