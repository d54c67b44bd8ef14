//! Files of a backup: encrypted to age recipients, hashed, and destroyed when their time is over.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use age::stream::StreamWriter;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::{BackupError, Identity, Recipient};
use crate::Fault;
use crate::fault::Doing as _;

/// An encrypted file, as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 over its bytes, in hex.
    pub sha256: String,
}

/// Counts and hashes what passes.
struct Hashing<T> {
    inner: T,
    digest: Context,
    bytes: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, digest: Context::new(&SHA256), bytes: 0 }
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
    }

    fn part(self) -> (T, Part) {
        let sha256 = hex::encode(self.digest.finish());
        (self.inner, Part { bytes: self.bytes, sha256 })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.passed(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.passed(bytes.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// An encrypted file that is being written. It bears its name once it is whole and durable.
pub(super) struct Sealed {
    out: StreamWriter<Hashing<BufWriter<File>>>,
    path: PathBuf,
}

/// The name of a file that is not whole yet.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("part")
}

impl Sealed {
    pub(super) fn create(path: &Path, recipients: &[Recipient]) -> Result<Self, BackupError> {
        let file = create(&unfinished(path))?;
        let mut to: Vec<&dyn age::Recipient> = Vec::with_capacity(recipients.len());
        for it in recipients {
            to.push(&it.0);
        }
        let encryptor = age::Encryptor::with_recipients(to.into_iter());
        let encryptor = encryptor.map_err(|_| BackupError::NoRecipient)?;
        let out = Hashing::new(BufWriter::with_capacity(1 << 18, file));
        let out = encryptor.wrap_output(out).doing("writing a backup")?;
        Ok(Self { out, path: path.to_owned() })
    }

    pub(super) fn finish(self) -> Result<Part, Fault> {
        let doing = "writing a backup";
        let (file, part) = self.out.finish().doing(doing)?.part();
        let file = file.into_inner().map_err(io::IntoInnerError::into_error).doing(doing)?;
        place(&file, &self.path)?;
        Ok(part)
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A new file that others cannot read.
fn create(path: &Path) -> Result<File, Fault> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let options =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    options.doing(&format!("making {}", path.display()))
}

/// Gives a file that was written whole its name, durably.
fn place(file: &File, path: &Path) -> Result<(), Fault> {
    let doing = format!("writing {}", path.display());
    file.sync_all().doing(&doing)?;
    fs::rename(unfinished(path), path).doing(&doing)?;
    sync_folder(path)
}

/// Makes the names in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), Fault> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|it| it.sync_all()).doing("making a folder durable")
}

/// Writes a small file that is there whole or not at all.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), Fault> {
    let mut file = create(&unfinished(path))?;
    file.write_all(text.as_bytes()).doing(&format!("writing {}", path.display()))?;
    place(&file, path)
}

/// Overwrites a file and removes it. What a disk or a file system keeps of it beside (wear
/// levelling, snapshots, copies on write) is not in our hand: the guide says so.
pub(super) fn destroy(path: &Path) -> Result<(), Fault> {
    let doing = format!("destroying {}", path.display());
    let mut file = fs::OpenOptions::new().write(true).open(path).doing(&doing)?;
    let length = file.metadata().doing(&doing)?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file).doing(&doing)?;
    file.sync_all().doing(&doing)?;
    fs::remove_file(path).doing(&doing)?;
    sync_folder(path)
}

fn name(path: &Path) -> String {
    path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

fn damaged(path: &Path, why: impl Into<String>) -> BackupError {
    BackupError::Damaged { file: name(path), why: why.into() }
}

/// Decrypts a file for `work`, and checks that it is, whole, the one that the manifest names.
pub(super) fn open<T>(
    path: &Path,
    part: &Part,
    identities: &[Identity],
    work: impl FnOnce(&mut dyn Read) -> Result<T, BackupError>,
) -> Result<T, BackupError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(BackupError::Missing { file: name(path) });
        }
        Err(error) => {
            return Err(Fault::caused(format!("reading {}", path.display()), error).into());
        }
    };
    let length = file.metadata().doing("reading a backup")?.len();
    if length != part.bytes {
        return Err(damaged(path, format!("it has {length} bytes in place of {}", part.bytes)));
    }
    let mut file = Hashing::new(BufReader::with_capacity(1 << 18, file));
    let decryptor = age::Decryptor::new_buffered(BufReader::with_capacity(1 << 16, &mut file))
        .map_err(|error| damaged(path, error.to_string()))?;
    let mut with: Vec<&dyn age::Identity> = Vec::with_capacity(identities.len());
    for it in identities {
        with.push(&it.0);
    }
    let mut plain = match decryptor.decrypt(with.into_iter()) {
        Ok(plain) => plain,
        Err(age::DecryptError::NoMatchingKeys) => {
            return Err(BackupError::Identity { file: name(path) });
        }
        Err(error) => return Err(damaged(path, error.to_string())),
    };
    let answer = work(&mut plain).map_err(|error| match error {
        BackupError::Rows(error) => damaged(path, error.to_string()),
        error => error,
    })?;
    // Whatever comes after what was read is hashed too.
    io::copy(&mut plain, &mut io::sink()).map_err(|error| damaged(path, error.to_string()))?;
    drop(plain);
    io::copy(&mut file, &mut io::sink()).map_err(|error| damaged(path, error.to_string()))?;
    let (_, found) = file.part();
    if found != *part {
        return Err(damaged(path, "it is not the file that the manifest names"));
    }
    Ok(answer)
}
