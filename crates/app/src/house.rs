//! Keys, store, application, router.

use std::sync::Arc;

use kernel::{Clock, Seed};
use store::audit::Public;
use store::{Audit, Fault, Keyring, Opened, Options, Store, wrap};
use web::{App, Parts, Slice};

use crate::config::Config;
use crate::slices;

/// A region's house, open.
pub struct House {
    /// What handlers hold.
    pub app: App,
    /// The slices it is made of.
    pub slices: Vec<Slice>,
    /// How it is set up.
    pub config: Config,
}

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::caused("reading the configuration", error)
}

impl House {
    /// Opens or makes the region's store and puts the house together.
    pub fn open(config: Config, clock: Arc<dyn Clock>, seed: Seed) -> Result<Self, Fault> {
        Self::with(config, clock, seed, Store::open)
    }

    /// The same for one process of several that share the region; `url` is where it takes what the others
    /// pass on to it. It writes, or stands by.
    pub fn join(
        config: Config,
        clock: Arc<dyn Clock>,
        seed: Seed,
        url: String,
    ) -> Result<Self, Fault> {
        Self::with(config, clock, seed, |options| Store::join(options, url))
    }

    fn with(
        config: Config,
        clock: Arc<dyn Clock>,
        seed: Seed,
        open: impl FnOnce(Options) -> Result<Opened, Fault>,
    ) -> Result<Self, Fault> {
        let slices = slices::slices();
        let keyring = Arc::new(Keyring::open(&config.keys(), seed.fork())?);
        // Also where the databases are on a server: the disk that is watched, and the keys, lie here.
        std::fs::create_dir_all(&config.data)
            .map_err(|error| Fault::caused("making the data folder", error))?;
        let opened = open(Options {
            backend: config.backend().map_err(fault)?,
            region: config.region().map_err(fault)?,
            origin: config.log_name().map_err(fault)?,
            clock,
            seed,
            keyring: Arc::clone(&keyring),
            registry: slices::registry(&slices),
        })?;
        opened.store.keep_free(config.disk_full_mib.saturating_mul(1024 * 1024));
        if opened.orphans > 0 {
            tracing::warn!(
                orphans = opened.orphans,
                "removed observations that the log does not cover"
            );
        }
        let app = App::try_new(Parts {
            store: opened.store,
            config: config.web().map_err(fault)?,
            keyring,
            questions: slices::questions(),
            slices: slices.clone(),
        })?;
        Ok(Self { app, slices, config })
    }

    /// The whole service.
    pub fn router(&self) -> axum::Router {
        web::build_router(&self.slices, self.app.clone())
    }

    /// The same, for what other processes of the region pass on.
    pub fn member_router(&self) -> axum::Router {
        web::build_member_router(&self.slices, self.app.clone())
    }
}

/// Audits the databases of `config`; `progress` is told how many entries of how many.
pub fn audit(config: &Config, progress: impl FnMut(u64, u64)) -> Result<Audit, Fault> {
    audit_since(config, None, progress)
}

/// [`audit`], going on from the checkpoint that an earlier one gave.
pub fn audit_since(
    config: &Config,
    since: Option<&str>,
    progress: impl FnMut(u64, u64),
) -> Result<Audit, Fault> {
    let keyring = keyring(config, &["log", "identity-wrap", "visits-wrap", "blind-index"])?;
    let registry = slices::registry(&slices::slices());
    let (region, origin) = (config.region().map_err(fault)?, config.log_name().map_err(fault)?);
    let backend = config.backend().map_err(fault)?;
    store::audit::audit_since(&backend, &region, &origin, &keyring, &registry, since, progress)
}

/// Hands out the public files of the region's log (see [`store::audit::export()`]) and gives its size
/// and its key.
pub fn export(
    config: &Config,
    wanted: impl Fn(&Public) -> bool,
    each: impl FnMut(&Public, &[u8]) -> Result<(), Fault>,
) -> Result<(u64, String), Fault> {
    let keyring = keyring(config, &["log"])?;
    let (region, origin) = (config.region().map_err(fault)?, config.log_name().map_err(fault)?);
    let backend = config.backend().map_err(fault)?;
    let size = store::audit::export(&backend, &region, wanted, each)?;
    Ok((size, keyring.log_key(&origin)?))
}

/// The key folder, with these keys in it: one that is missing must not be made by who only looks.
fn keyring(config: &Config, names: &[&str]) -> Result<Keyring, Fault> {
    if !config.keys().exists() {
        return Err(Fault::new(format!("there is no key folder at {}", config.keys().display())));
    }
    let keyring = Keyring::open(&config.keys(), Seed::fixed(0))?;
    let there = keyring.names()?;
    for name in names {
        // Of a wrapping key, any number.
        let is =
            |it: &String| it == name || wrap::parse(it).is_some_and(|it| wrap::base(it.0) == *name);
        if !there.iter().any(is) {
            let path = keyring.path(name);
            return Err(Fault::new(format!("there is no key at {}", path.display())));
        }
    }
    Ok(keyring)
}
