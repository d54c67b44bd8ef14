//! A fault: something that should not have happened. Opaque to callers, logged once with its chain.

use std::fmt;

/// An infrastructure or invariant failure, with what was being done.
#[derive(Debug)]
pub struct Fault {
    doing: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    paused: bool,
    elsewhere: bool,
    unknown: bool,
}

impl Fault {
    /// A fault with no deeper cause.
    pub fn new(doing: impl Into<String>) -> Self {
        Self { doing: doing.into(), source: None, paused: false, elsewhere: false, unknown: false }
    }

    /// Nothing was written because nothing can be at present: the disk is full or read-only, or
    /// writing has stopped. The caller may come again.
    pub(crate) fn paused(doing: impl Into<String>) -> Self {
        Self { paused: true, ..Self::new(doing) }
    }

    /// Whether nothing was written because nothing can be written at present. Said once by the
    /// writer's log; callers need not repeat it.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Nothing was written because another process writes this region, or nobody does at present.
    pub(crate) fn elsewhere(doing: impl Into<String>) -> Self {
        Self { elsewhere: true, ..Self::new(doing) }
    }

    /// Whether nothing was written because this process is not the region's writer: another is, or
    /// will be soon.
    pub fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// Perhaps it was written, perhaps not: the region moved to another process in between.
    pub(crate) fn unknown(doing: impl Into<String>) -> Self {
        Self { unknown: true, ..Self::new(doing) }
    }

    /// Whether nobody can say whether it was written. Sent again with the same command id, it gets
    /// its one true answer.
    pub fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// The cause, for the engine that knows its own errors.
    pub(crate) fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The same fault for one more caller.
    pub(crate) fn retold(&self) -> Self {
        let Self { paused, elsewhere, unknown, .. } = *self;
        Self { doing: self.chain(), source: None, paused, elsewhere, unknown }
    }

    /// A fault caused by `source` while `doing`.
    pub fn caused(
        doing: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::new(doing) }
    }

    /// The whole chain on one line, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.doing.clone();
        for cause in self.causes() {
            // What follows says the rest of a fault's chain.
            let fault = cause.downcast_ref::<Self>();
            let said = fault.map_or_else(|| cause.to_string(), |it| it.doing.clone());
            // Some errors say their cause themselves.
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
        }
        text
    }

    fn causes(&self) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
        let first: Option<&(dyn std::error::Error + 'static)> =
            self.source.as_deref().map(|it| -> &(dyn std::error::Error + 'static) { it });
        std::iter::successors(first, |it| it.source())
    }

    fn of_postgres(&self, says: fn(&tokio_postgres::Error) -> bool) -> bool {
        self.causes().filter_map(|it| it.downcast_ref::<tokio_postgres::Error>()).any(says)
    }

    /// Whether the connection to the database was lost. What was asked of it last may or may not
    /// have been done.
    pub fn is_lost(&self) -> bool {
        self.of_postgres(crate::postgres::is_lost)
    }

    /// Whether the database takes no writes at present, for its disk's sake or because somebody told it
    /// so; it may again later.
    pub(crate) fn is_unwritable(&self) -> bool {
        crate::sqlite::failed_by_disk(self) || self.of_postgres(crate::postgres::is_unwritable)
    }

    /// Whether a lock was waited for in vain.
    pub(crate) fn is_locked(&self) -> bool {
        self.of_postgres(crate::postgres::is_locked)
    }

    /// Whether a table is not there.
    pub(crate) fn is_missing_table(&self) -> bool {
        self.of_postgres(crate::postgres::is_missing_table)
    }

    /// Whether another transaction was in the way: nothing was done, and the same may succeed now.
    pub fn is_in_the_way(&self) -> bool {
        self.of_postgres(crate::postgres::is_in_the_way)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|it| -> &(dyn std::error::Error + 'static) { it })
    }
}

/// Adds what was being done to an error that becomes a [`Fault`].
pub trait Doing<T> {
    /// `self`, with `doing` said of its error.
    fn doing(self, doing: &str) -> Result<T, Fault>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, doing: &str) -> Result<T, Fault> {
        self.map_err(|source| Fault::caused(doing, source))
    }
}
