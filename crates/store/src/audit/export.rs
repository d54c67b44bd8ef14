//! The public files of a log (C2SP tlog-tiles), for outsiders to audit from a copy.
//!
//! Exactly what the log's pages serve: the checkpoint, its tiles of hashes, its bundles of entries.
//! No key but the log's public one is needed to check them, and none to write them.

use kernel::Region;
use ledger::tile::BundleId;
use ledger::{Resource, Signer, TileId};

use super::HEAD;
use crate::backend::Part;
use crate::fault::Doing as _;
use crate::open::stored;
use crate::projection::select;
use crate::{Backend, Fault, Keyring, Value};

pub(super) const BUNDLE_LIST: &str =
    "SELECT position, width FROM log_bundle WHERE region = $1 ORDER BY position";
pub(super) const TILE_LIST: &str =
    "SELECT level, position, width FROM log_tile WHERE region = $1 ORDER BY level, position";

/// One public file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Public {
    /// A tile or a bundle, which never changes again under this name.
    Resource(Resource),
    /// The signed checkpoint; comes last, so that a copy that was cut off has the one of before.
    Checkpoint,
}

impl std::fmt::Display for Public {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resource(it) => it.fmt(f),
            Self::Checkpoint => f.write_str("checkpoint"),
        }
    }
}

impl Keyring {
    /// The public half of the log's key (C2SP vkey), which those files are checked with.
    pub fn log_key(&self, origin: &str) -> Result<String, Fault> {
        let signer = Signer::try_new(origin, &*self.key("log")?).doing("making the log key")?;
        Ok(signer.vkey())
    }
}

/// Hands out every public file of the log of one moment; may run beside a serving process. `wanted`
/// says which are not there yet, `each` takes their bytes. Gives the log's size.
pub fn export(
    backend: &Backend,
    region: &Region,
    wanted: impl Fn(&Public) -> bool,
    mut each: impl FnMut(&Public, &[u8]) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let mut engine = backend.reader(Part::Identity)?;
    let region = Value::from(region.as_str());
    engine.begin_read()?;
    let head = select(engine.as_mut(), &region, HEAD, &[])?;
    let head = head.first().ok_or_else(|| Fault::new("the log has no head"))?;
    let mut files = Vec::new();
    for row in select(engine.as_mut(), &region, TILE_LIST, &[])? {
        let (level, width) = (u8::try_from(row.int(0)?), u16::try_from(row.int(2)?));
        let (level, width) = (level.doing("reading a level")?, width.doing("reading a width")?);
        files.push(Resource::Tile(TileId { level, index: row.count(1)?, width }));
    }
    for row in select(engine.as_mut(), &region, BUNDLE_LIST, &[])? {
        let width = u16::try_from(row.int(1)?).doing("reading a width")?;
        files.push(Resource::Bundle(BundleId { index: row.count(0)?, width }));
    }
    for resource in files {
        let file = Public::Resource(resource);
        if wanted(&file) {
            each(&file, &stored(engine.as_mut(), &region, resource)?)?;
        }
    }
    each(&Public::Checkpoint, head.text(2)?.as_bytes())?;
    head.count(0)
}
