//! Owns archives: files of tickets in, rows of results out, one row or one error per ticket.
//! Knows file formats and the JSON shapes of `wire`, nothing of how a ticket is scored.

mod read;
mod write;

use serde::Serialize;

pub use read::{Columns, Tickets, tickets};
pub use write::Rows;

/// Format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// Comma-, semicolon- or tab-separated values with a header.
    Csv,
}

impl Format {
    /// The format of a file name, by its extension.
    ///
    /// # Errors
    /// What the extension should be.
    pub fn of(name: &str) -> Result<Self, ArchiveError> {
        let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" => Ok(Self::JsonLines),
            "csv" | "tsv" => Ok(Self::Csv),
            _ => Err(ArchiveError::Format(name.to_owned())),
        }
    }
}

/// Why an archive cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file name says nothing of the format.
    #[error(
        "{0}: the format is not known by its extension; use .jsonl, .ndjson, .csv or .tsv, or name it with --format"
    )]
    Format(String),
    /// The table has no column for the text.
    #[error("line {line}: no column {wanted}; the columns are: {found}. Name it with --text-column")]
    Column {
        /// Line of the header.
        line: u64,
        /// What was looked for.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Reading or writing a table failed.
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// A ticket that has no result (contract §4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorRecord {
    /// Line of the archive where the ticket begins, counted from 1.
    pub line: u64,
    /// Position among the tickets, counted from 0.
    pub index: usize,
    /// Its id, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<crate::wire::IdView>,
    /// Stable code.
    pub code: String,
    /// For people.
    pub message: String,
}
