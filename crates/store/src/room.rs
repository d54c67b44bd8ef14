//! Room on the disk: the door refuses work before the disk is so full that a commit would fail.
//!
//! A commit that meets a full disk is undone and hurts nobody, but the database's own shared
//! memory file, its checkpoints and the keys need room too, and fail less gracefully. So a reserve
//! is kept, and what asks for the last of it is refused while everything still works.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Backend, Fault};

/// The reserve that the writer leaves free where the data folder lies.
pub(crate) struct Room {
    /// None where the databases are on a server, which looks after its own disk.
    folder: Option<PathBuf>,
    keep_free: AtomicU64,
}

impl Room {
    pub(crate) fn of(backend: &Backend) -> Self {
        let folder = match backend {
            Backend::Folder(dir) => Some(dir.clone()),
            Backend::Postgres(_) => None,
        };
        Self { folder, keep_free: AtomicU64::new(0) }
    }

    pub(crate) fn keep_free(&self, bytes: u64) {
        self.keep_free.store(bytes, Ordering::Relaxed);
    }

    /// Refuses when the disk takes no writes, or less than the reserve is free. Asking costs about a
    /// microsecond, once a batch.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let Some(folder) = &self.folder else { return Ok(()) };
        // A file system that does not answer will say so better itself, when it is written to.
        let Ok(it) = rustix::fs::statvfs(folder) else { return Ok(()) };
        if it.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
            return Err(Fault::paused("the disk is read-only"));
        }
        let keep_free = self.keep_free.load(Ordering::Relaxed);
        if it.f_bavail.saturating_mul(it.f_frsize) < keep_free {
            return Err(Fault::paused("the disk is full"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_that_nobody_asked_for_refuses_nobody() {
        let room = Room::of(&std::env::temp_dir().into());
        room.check().unwrap();
        room.keep_free(u64::MAX);
        assert!(room.check().unwrap_err().is_paused());
        let gone = Room::of(&Backend::Folder("/no/such/folder".into()));
        gone.keep_free(u64::MAX);
        gone.check().unwrap();
    }
}
