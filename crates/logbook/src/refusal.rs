//! What is asked of the log and is not there.

use kernel::Arg;

/// A request that the log cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The log has no entry with this index.
    EntryUnknown {
        /// Entries that it has.
        size: u64,
    },
    /// The path is not a tile's in its only spelling, or the log has not grown that far.
    TileUnknown,
    /// Two sizes between which nothing can be proven.
    SizesOutOfOrder {
        /// The present size.
        size: u64,
    },
    /// No entry about the asker has this index. The same for entries about others: whether they
    /// concern somebody else is nobody's business.
    ReceiptUnknown,
}

/// Every code with its status.
pub const REFUSALS: &[(&str, u16)] = &[
    ("logbook-entry-unknown", 404),
    ("logbook-receipt-unknown", 404),
    ("logbook-sizes-out-of-order", 422),
    ("logbook-tile-unknown", 404),
];

impl kernel::Refusal for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::EntryUnknown { .. } => "logbook-entry-unknown",
            Self::TileUnknown => "logbook-tile-unknown",
            Self::SizesOutOfOrder { .. } => "logbook-sizes-out-of-order",
            Self::ReceiptUnknown => "logbook-receipt-unknown",
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::SizesOutOfOrder { .. } => 422,
            Self::EntryUnknown { .. } | Self::TileUnknown | Self::ReceiptUnknown => 404,
        }
    }

    fn args(&self) -> Vec<(&'static str, Arg)> {
        match self {
            Self::EntryUnknown { size } | Self::SizesOutOfOrder { size } => {
                vec![("size", Arg::Number(i64::try_from(*size).unwrap_or(i64::MAX)))]
            }
            Self::TileUnknown | Self::ReceiptUnknown => Vec::new(),
        }
    }
}
