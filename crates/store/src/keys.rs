//! The region's keys: one file each, readable by the server alone, backed up apart from the data.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kernel::Seed;
use zeroize::Zeroizing;

use crate::Fault;
use crate::fault::Doing as _;

/// 32 secret bytes that leave no copy behind when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

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

    /// The key with this name, made on first use. Names in use: `identity-wrap`, `visits-wrap`,
    /// `blind-index`, `log`, `root`, `issuer`, `queue`.
    pub fn key(&self, name: &str) -> Result<Secret, Fault> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let mut key = Zeroizing::new([0; 32]);
                hex::decode_to_slice(text.trim(), key.as_mut()).doing("reading a key file")?;
                Ok(key)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.make(name),
            Err(error) => Err(Fault::caused(format!("reading {}", path.display()), error)),
        }
    }

    /// Where the key with this name lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.key"))
    }

    /// All keys, by name, as they stand in their files.
    pub(crate) fn all(&self) -> Result<Vec<(String, Zeroizing<String>)>, Fault> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(&self.dir).doing("reading the key folder")? {
            let path = entry.doing("reading the key folder")?.path();
            let name = path.file_name().and_then(|it| it.to_str()?.strip_suffix(".key"));
            if let Some(name) = name {
                let text =
                    fs::read_to_string(&path).doing(&format!("reading {}", path.display()))?;
                keys.push((name.to_owned(), Zeroizing::new(text)));
            }
        }
        keys.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(keys)
    }

    /// Writes a key that comes from a backup.
    pub(crate) fn put(&self, name: &str, text: &str) -> Result<(), Fault> {
        if name.is_empty() || !name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-') {
            return Err(Fault::new(format!("{name:?} is no name of a key")));
        }
        self.write(name, text)
    }

    fn make(&self, name: &str) -> Result<Secret, Fault> {
        let key: Secret = Zeroizing::new(self.seed.bytes());
        self.write(name, &Zeroizing::new(hex::encode(key.as_ref())))?;
        Ok(key)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Fault> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.path(name))
            .doing("making a key file")?;
        file.write_all(text.as_bytes()).doing("writing a key file")?;
        file.sync_all().doing("writing a key file")
    }
}
