//! Where a region's three databases are, and the one place that opens them.

use std::path::{Path, PathBuf};

use crate::fault::Doing as _;
use crate::postgres::{Address, Postgres, Role};
use crate::registry::Registry;
use crate::sqlite::Sqlite;
use crate::{Engine, Fault, Side, schema};

/// One of the three databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Events, the log, views about people, operational tables.
    Identity,
    /// Observations and their views.
    Visits,
    /// Wrapped keys.
    Keys,
}

impl Part {
    /// All, in the order in which their leases are taken.
    pub const ALL: [Self; 3] = [Self::Identity, Self::Visits, Self::Keys];

    /// The part that a slice's side lies in.
    pub const fn of(side: Side) -> Self {
        match side {
            Side::Identity => Self::Identity,
            Side::Visits => Self::Visits,
        }
    }

    /// The file's name in a data folder.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Identity => "identity.db",
            Self::Visits => "visits.db",
            Self::Keys => "keys.db",
        }
    }
}

/// The files of a data folder.
pub const FILES: [&str; 3] = [Part::Identity.file(), Part::Visits.file(), Part::Keys.file()];

/// Where the databases of a region are.
#[derive(Debug, Clone)]
pub enum Backend {
    /// SQLite files in a folder.
    Folder(PathBuf),
    /// Databases on PostgreSQL servers.
    Postgres(Box<Addresses>),
}

/// The addresses of the three databases.
#[derive(Debug, Clone)]
pub struct Addresses {
    identity: Address,
    visits: Address,
    keys: Address,
}

/// Two connections each; more threads wait for one of these to be done.
const READERS_MAX: usize = 16;

impl From<&Path> for Backend {
    fn from(dir: &Path) -> Self {
        Self::Folder(dir.to_owned())
    }
}

impl From<PathBuf> for Backend {
    fn from(dir: PathBuf) -> Self {
        Self::Folder(dir)
    }
}

impl Backend {
    /// PostgreSQL at `url`; visits and keys lie beside it, in the databases `<name>_visits` and
    /// `<name>_keys`, unless they have addresses of their own.
    pub fn postgres(url: &str, visits: Option<&str>, keys: Option<&str>) -> Result<Self, Fault> {
        let identity = Address::parse(url)?;
        let visits = visits
            .map_or_else(|| Ok(identity.beside("_visits")), Address::parse)
            .doing("visits")?;
        let keys =
            keys.map_or_else(|| Ok(identity.beside("_keys")), Address::parse).doing("keys")?;
        Ok(Self::Postgres(Box::new(Addresses { identity, visits, keys })))
    }

    /// The names of the three databases.
    pub fn names(&self) -> [String; 3] {
        Part::ALL.map(|part| match self {
            Self::Folder(_) => part.file().to_owned(),
            Self::Postgres(all) => all.at(part).name().to_owned(),
        })
    }

    /// How many threads may read at once. A file can be opened as often as there are threads; a server
    /// counts its connections.
    pub(crate) fn readers_max(&self) -> usize {
        match self {
            Self::Folder(_) => usize::MAX,
            Self::Postgres(_) => READERS_MAX,
        }
    }

    /// A connection for reading.
    pub fn reader(&self, part: Part) -> Result<Box<dyn Engine>, Fault> {
        Ok(match self {
            Self::Folder(dir) => Box::new(Sqlite::reader(&dir.join(part.file()))?),
            Self::Postgres(all) => Box::new(Postgres::open(all.at(part), Role::Reader)?),
        })
    }

    /// The writer's connection.
    pub(crate) fn writer(&self, part: Part) -> Result<Box<dyn Engine>, Fault> {
        Ok(match (self, part) {
            (Self::Folder(dir), Part::Keys) => {
                Box::new(Sqlite::erasing_writer(&dir.join(part.file()))?)
            }
            (Self::Folder(dir), _) => Box::new(Sqlite::writer(&dir.join(part.file()))?),
            (Self::Postgres(all), _) => Box::new(Postgres::open(all.at(part), Role::Writer)?),
        })
    }
}

impl Backend {
    /// A connection for filling databases that are not a region's yet.
    pub(crate) fn filler(&self, part: Part) -> Result<Box<dyn Engine>, Fault> {
        match self {
            Self::Folder(dir) => Ok(Box::new(Sqlite::filling_writer(&dir.join(part.file()))?)),
            Self::Postgres(_) => self.writer(part),
        }
    }
}

impl Addresses {
    fn at(&self, part: Part) -> &Address {
        match part {
            Part::Identity => &self.identity,
            Part::Visits => &self.visits,
            Part::Keys => &self.keys,
        }
    }
}

/// Brings one database to the newest schema.
pub(crate) fn migrate(
    engine: &mut dyn Engine,
    part: Part,
    registry: &Registry,
) -> Result<(), Fault> {
    schema::migrate(engine, &schema::migrations(registry, part))
}
