//! Whom the region believes: the files that two officers agreed on, and the region's own lists.
//!
//! A store of keys is built once for each set of files and kept, because a file of the whole of Europe
//! takes longer to read than a pass takes to judge. Which set is in force is asked each time.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::code::OwnLists;
use credential::pass::{self, Format, Trust};
use credential::{IssuerSigner, RevocationList, TrustList};
use kernel::{Id, Instant};
use sha2::{Digest as _, Sha256};
use store::{Fault, Reader};
use web::App;

use crate::kept::Kept;
use crate::model::{Material, SourceId, SourceKind};
use crate::refusal::Refusal;
use crate::{judge, lists, rulebook, view};

/// Bytes of a file of trust: the keys of all of Europe are 1 to 2 MB.
pub const FILE_MAX: usize = 8 * 1024 * 1024;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// Keys, or revocations.
    pub kind: SourceKind,
    /// How many.
    pub items: u64,
    /// The hash of the file in hexadecimal digits.
    pub sha256: String,
}

/// What a file holds; refused when that is nothing that is known here, and when it is both keys and
/// revocations: each has its own rule of who may end it.
pub fn recognise(file: &[u8]) -> Result<Recognised, Refusal> {
    if FILE_MAX < file.len() {
        return Err(Refusal::TooLarge);
    }
    let mut trust = Trust::default();
    let found = trust.add(file);
    // A region's own lists are nobody's to import: they are signed by its root and fetched.
    if found.regions > 0 {
        return Err(Refusal::SourceInvalid);
    }
    let (kind, items) = match (found.signers + found.authorities, found.revocations) {
        (0, 0) => return Err(Refusal::SourceInvalid),
        (0, lists) => (SourceKind::Revocations, lists),
        (keys, 0) => (SourceKind::Keys, keys),
        (_, _) => return Err(Refusal::SourceInvalid),
    };
    let items = u64::try_from(items).unwrap_or(u64::MAX);
    Ok(Recognised { kind, items, sha256: hex::encode(Sha256::digest(file)) })
}

/// Stores that were built, by the hashes of their files.
static BUILT: Kept<Vec<String>, Trust> = Kept::new(4);

/// The store of the files in force. The same files give the same store, whoever asks.
pub fn foreign(reader: &mut Reader<'_>) -> Result<Arc<Trust>, Fault> {
    let sources = view::in_force(reader)?;
    let files: Vec<String> = sources.iter().map(|(_, sha256)| sha256.clone()).collect();
    if let Some(trust) = BUILT.find(&files) {
        return Ok(trust);
    }
    let mut trust = Trust::default();
    for (source, sha256) in sources {
        let file = file(reader, source, &sha256)?;
        trust.add(&file);
    }
    Ok(BUILT.keep(files, trust))
}

/// How long a gate may rely on the material, in seconds: as on the region's other lists.
const MATERIAL_S: i64 = 96 * 3_600;
/// New material that often at most: it can be megabytes, and a gate asks every five minutes.
const STEP_S: i64 = 600;

/// What gates carry to judge the passes of others, signed by the region's root: the files in force and
/// the rules by which places judge.
pub fn for_gates(
    app: &App,
    reader: &mut Reader<'_>,
    now: Instant,
) -> Result<(pass::Material, Vec<u8>), Fault> {
    let region = reader.region().clone();
    let mut files = Vec::new();
    // What organisations here sign needs nobody's agreement: the region's authority vouches for it.
    let own = lists::own(app, reader, now)?;
    if own.is_used {
        files.push(own.signers.clone());
        files.extend(own.lists.iter().map(|it| it.cwt.clone()));
    }
    for (source, sha256) in view::in_force(reader)? {
        files.push(file(reader, source, &sha256)?);
    }
    let (rules, value_sets) = rulebook::in_force(reader)?.for_gates();
    let issued_at = now.seconds().max(0) / STEP_S * STEP_S;
    let material = pass::Material {
        region: region.as_str().chars().take(16).collect(),
        version: u64::try_from(issued_at / STEP_S).unwrap_or(0),
        issued_at,
        valid_until: issued_at + MATERIAL_S,
        files,
        rules,
        value_sets,
    };
    let root = IssuerSigner::from_seed(&*app.keyring.key("root")?)
        .map_err(|error| Fault::caused("reading the root key", error))?;
    let signed = root
        .sign_material(&material)
        .map_err(|error| Fault::caused("signing what gates carry", error))?;
    Ok((material, signed))
}

/// A file in force, checked against what was agreed on.
fn file(reader: &mut Reader<'_>, source: Id<SourceId>, sha256: &str) -> Result<Vec<u8>, Fault> {
    let material = reader.state::<Material>(source.to_u128())?;
    let file = material.data.and_then(|it| STANDARD.decode(it).ok()).unwrap_or_default();
    if hex::encode(Sha256::digest(&file)) == sha256 {
        Ok(file)
    } else {
        Err(Fault::new("a file of trust is not the one that was agreed on"))
    }
}

/// What these texts are judged by: the region's own lists for its own codes, its own signers for what
/// organisations issued here, the files in force for every other.
pub fn of(
    app: &App,
    reader: &mut Reader<'_>,
    texts: &[String],
    now: Instant,
) -> Result<Arc<Trust>, Fault> {
    let format = judge::format(texts);
    let is_bound = format == Format::Haetae && texts.iter().all(|it| pass::is_bound(it));
    if format == Format::Dcc || is_bound {
        let own = lists::own(app, reader, now)?;
        if lists::is_ours(&own, texts) {
            return Ok(Arc::clone(&own.trust));
        }
    }
    if format != Format::Haetae {
        return foreign(reader);
    }
    let lists = (app.questions.own_lists)(reader, &app.keyring, now)?;
    lists.map_or_else(|| Ok(Arc::default()), |it| own(&it).map(Arc::new))
}

/// A store of the region's own lists alone, for its own codes.
pub fn own(lists: &OwnLists) -> Result<Trust, Fault> {
    let list = TrustList::open(&lists.trust, &lists.root, 0)
        .map_err(|error| Fault::caused("opening our own trust list", error))?;
    let revocations = RevocationList::open(&lists.revocations, &lists.root, 0)
        .map_err(|error| Fault::caused("opening our own revocation list", error))?;
    let mut trust = Trust::default();
    trust.regions.push(credential::Trust { list, revocations: Some(revocations) });
    Ok(trust)
}
