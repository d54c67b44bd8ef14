//! The region's keys: one file each, readable by the server alone, backed up apart from the data.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kernel::Seed;
use zeroize::Zeroizing;

use crate::fault::Doing as _;
use crate::{Fault, Side, queue, wrap};

/// 32 secret bytes that leave no copy behind when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// The keys that a region has from its first day and for good.
const NAMES: [&str; 4] = ["blind-index", "log", "root", "web"];

/// The region's keys.
pub struct Keyring {
    dir: PathBuf,
    seed: Seed,
}

impl Keyring {
    /// The key folder `dir`, made when absent; new keys are drawn from `seed`.
    pub fn open(dir: &Path, seed: Seed) -> Result<Self, Fault> {
        fs::create_dir_all(dir).doing("making the key folder")?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
            .doing("closing the key folder to others")?;
        Ok(Self { dir: dir.to_owned(), seed })
    }

    /// The key with this name, made on first use. Names in use: `blind-index`, `log`, `root`, `web`. Keys
    /// with a number or a kid in their name are made by [`Keyring::make`] alone.
    pub fn key(&self, name: &str) -> Result<Secret, Fault> {
        match self.find(name)? {
            Some(key) => Ok(key),
            None => self.make(name),
        }
    }

    /// The key with this name, if it is there.
    pub fn find(&self, name: &str) -> Result<Option<Secret>, Fault> {
        find(&self.dir, name)
    }

    /// Makes the key with this name; durable when it returns. The one that is there already is left
    /// as it is and given: a making that was killed is simply made again.
    pub fn make(&self, name: &str) -> Result<Secret, Fault> {
        let key: Secret = Zeroizing::new(self.seed.bytes());
        self.keep(name, &key)
    }

    /// Keeps a key that was just drawn under this name; see [`Keyring::make`].
    pub fn keep(&self, name: &str, key: &Secret) -> Result<Secret, Fault> {
        if self.write(name, &Zeroizing::new(hex::encode(key.as_ref())))? {
            return Ok(key.clone());
        }
        let found = self.find(name)?;
        found.ok_or_else(|| Fault::new(format!("the key {name} vanished while it was made")))
    }

    /// A new secret that is no key of this folder yet: for keys whose name comes from the key itself.
    pub fn draw(&self) -> Secret {
        Zeroizing::new(self.seed.bytes())
    }

    /// Destroys the key with this name, if it is there: overwritten, then removed.
    pub fn destroy(&self, name: &str) -> Result<(), Fault> {
        let path = self.path(name);
        let doing = format!("destroying {}", path.display());
        match fs::OpenOptions::new().write(true).open(&path) {
            Ok(mut file) => {
                file.write_all(&[b'0'; 64]).doing(&doing)?;
                file.sync_all().doing(&doing)?;
                fs::remove_file(&path).doing(&doing)?;
                self.sync()
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Fault::caused(doing, error)),
        }
    }

    /// Makes the keys that are missing: before others copy the folder.
    pub(crate) fn make_all(&self) -> Result<(), Fault> {
        NAMES.iter().try_for_each(|it| self.key(it).map(|_| ()))?;
        self.queue().map(|_| ())
    }

    /// A key that is missing. A process that does not write the region must not make one: it would be
    /// another than the writer's.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        let names = self.names().unwrap_or_default();
        let has =
            |side: Side| names.iter().any(|it| wrap::parse(it).is_some_and(|it| it.0 == side));
        let wraps = [Side::Identity, Side::Visits].into_iter().find(|it| !has(*it));
        let own = NAMES.into_iter().find(|it| !names.iter().any(|name| name == it));
        let has_queue = names.iter().any(|it| queue::parse(it).is_some());
        own.or_else(|| wraps.map(wrap::base)).or((!has_queue).then_some("queue"))
    }

    /// Where the key with this name lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.key"))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The names of all keys, in order.
    pub fn names(&self) -> Result<Vec<String>, Fault> {
        names(&self.dir)
    }

    /// All keys, by name, as they stand in their files. A key that is destroyed meanwhile is left out.
    pub(crate) fn all(&self) -> Result<Vec<(String, Zeroizing<String>)>, Fault> {
        let mut keys = Vec::new();
        for name in self.names()? {
            let path = self.path(&name);
            match fs::read_to_string(&path) {
                Ok(text) => keys.push((name, Zeroizing::new(text))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Fault::caused(format!("reading {}", path.display()), error));
                }
            }
        }
        Ok(keys)
    }

    /// Writes a key that comes from a backup.
    pub(crate) fn put(&self, name: &str, text: &str) -> Result<(), Fault> {
        if name.is_empty() || !name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-') {
            return Err(Fault::new(format!("{name:?} is no name of a key")));
        }
        if self.write(name, text)? {
            return Ok(());
        }
        Err(Fault::new(format!("{} is there already", self.path(name).display())))
    }

    /// Writes a key file whole or not at all, durable with its name; `false` when there is one.
    fn write(&self, name: &str, text: &str) -> Result<bool, Fault> {
        let doing = "making a key file";
        // Not `.key` until it is whole: who is killed here leaves nothing that passes for a key.
        let unique = hex::encode(self.seed.bytes::<8>());
        let beside = self.dir.join(format!(".{name}.{unique}.new"));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .doing(doing)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::hard_link(&beside, self.path(name)));
        fs::remove_file(&beside).doing(doing)?;
        match written {
            Ok(()) => self.sync().map(|()| true),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Fault::caused(doing, error)),
        }
    }

    /// Makes names durable, not only what they name.
    fn sync(&self) -> Result<(), Fault> {
        let doing = "making the key folder durable";
        fs::File::open(&self.dir).doing(doing)?.sync_all().doing(doing)
    }
}

/// The key with this name in a key folder, if it is there.
pub(crate) fn find(dir: &Path, name: &str) -> Result<Option<Secret>, Fault> {
    let path = dir.join(format!("{name}.key"));
    match fs::read_to_string(&path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let mut key = Zeroizing::new([0; 32]);
            hex::decode_to_slice(text.trim(), key.as_mut())
                .doing(&format!("reading {}", path.display()))?;
            Ok(Some(key))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::caused(format!("reading {}", path.display()), error)),
    }
}

/// The names of the keys in a key folder, in order.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).doing("reading the key folder")? {
        let name = entry.doing("reading the key folder")?.file_name();
        // One that begins with a dot is still being made.
        let name = name.to_str().and_then(|it| it.strip_suffix(".key"));
        names.extend(name.filter(|it| !it.starts_with('.')).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_its_folder_and_file_are_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(&dir.path().join("keys"), Seed::fixed(1)).unwrap();
        assert!(keyring.find("log").unwrap().is_none());
        let key = keyring.key("log").unwrap();
        assert_eq!(key, keyring.key("log").unwrap());
        assert_eq!(key, keyring.make("log").unwrap(), "the one that is there is left as it is");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(keyring.dir()), mode(&keyring.path("log"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(keyring.dir()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_a_killed_making_left_is_no_key_and_a_destroyed_key_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(dir.path(), Seed::fixed(1)).unwrap();
        fs::write(dir.path().join(".log.0123.new"), "half").unwrap();
        assert_eq!(keyring.names().unwrap(), Vec::<String>::new());
        keyring.make("log").unwrap();
        assert_eq!(keyring.names().unwrap(), ["log"]);
        keyring.destroy("log").unwrap();
        keyring.destroy("log").unwrap();
        assert!(keyring.find("log").unwrap().is_none());
    }

    #[test]
    fn threads_that_make_the_same_key_at_once_all_get_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(dir.path(), Seed::fixed(1)).unwrap();
        let keys: Vec<Secret> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| keyring.key("log").unwrap())).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|it| it[0] == it[1]));
    }
}
