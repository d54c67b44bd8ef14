//! Backups of a configured region, and what a restore must not bring back.

use kernel::{Instant, Seed};
use store::backup::{Backup, BackupError, Source, Target};
use store::{Fault, Keyring};

use crate::config::Config;
use crate::slices;

/// Tables that are left out of backups. A session that was ended, a code that was used and a link
/// that was followed must not be valid again after a restore; whoever was signed in signs in again.
pub const TRANSIENT: [&str; 4] = ["web_session", "web_otp", "web_link", "web_challenge"];

/// Backs up what is new in the databases of `config`, while they are served or not, as long as
/// `go_on` says so.
pub fn backup(
    config: &Config,
    target: &Target,
    now: Instant,
    go_on: &dyn Fn() -> bool,
) -> Result<Backup, BackupError> {
    let wrong = |error: crate::ConfigError| Fault::caused("reading the configuration", error);
    let slices = slices::slices();
    let source = Source {
        dir: &config.data,
        backend: &config.backend().map_err(wrong)?,
        region: &config.region().map_err(wrong)?,
        origin: &config.log_name().map_err(wrong)?,
        keyring: &Keyring::open(&config.keys(), Seed::fixed(0))?,
        registry: &slices::registry(&slices),
        transient: &TRANSIENT,
        go_on,
    };
    store::backup::backup(&source, target, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_that_is_left_out_is_there_and_no_view() {
        let registry = slices::registry(&slices::slices());
        for table in TRANSIENT {
            let created = format!("CREATE TABLE {table} ");
            assert!(registry.migrations.iter().any(|(_, it)| it.sql.contains(&created)), "{table}");
            assert!(registry.views.iter().all(|it| it.table != table), "{table}");
        }
    }
}
