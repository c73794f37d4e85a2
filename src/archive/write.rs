//! Owns writing results: JSON Lines as they are, tables flattened with `_`.
//! Knows the names of the columns, not what they mean.

use std::io::Write;

use serde_json::Value;

use super::{ArchiveError, Format};
use crate::wire::ResultView;

/// Columns of a table of results, as paths into a result.
const COLUMNS: [&str; 18] = [
    "id",
    "index",
    "language_code",
    "language_confidence",
    "sentiment_label",
    "sentiment_score",
    "sentiment_probabilities_negative",
    "sentiment_probabilities_neutral",
    "sentiment_probabilities_positive",
    "anger_level",
    "anger_score",
    "cues",
    "priority_level",
    "priority_score",
    "priority_reasons",
    "escalation_score",
    "strategies",
    "truncated",
];

/// Writes results one after the other.
pub enum Rows<W: Write> {
    /// One JSON object a line.
    JsonLines(W),
    /// A table with a header.
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> std::fmt::Debug for Rows<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::JsonLines(_) => "Rows::JsonLines",
            Self::Csv(_) => "Rows::Csv",
        })
    }
}

impl<W: Write> Rows<W> {
    /// Begins a file; a table gets its header.
    ///
    /// # Errors
    /// The header cannot be written.
    pub fn begin(out: W, format: Format) -> Result<Self, ArchiveError> {
        match format {
            Format::JsonLines => Ok(Self::JsonLines(out)),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(COLUMNS)?;
                Ok(Self::Csv(Box::new(writer)))
            }
        }
    }

    /// Writes one result.
    ///
    /// # Errors
    /// The row cannot be written.
    pub fn write(&mut self, result: &ResultView) -> Result<(), ArchiveError> {
        match self {
            Self::JsonLines(out) => {
                serde_json::to_writer(&mut *out, result).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Self::Csv(writer) => {
                let value = serde_json::to_value(result).map_err(std::io::Error::from)?;
                writer.write_record(COLUMNS.map(|column| cell(&value, column)))?;
            }
        }
        Ok(())
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self) -> Result<(), ArchiveError> {
        match self {
            Self::JsonLines(out) => out.flush()?,
            Self::Csv(writer) => writer.flush()?,
        }
        Ok(())
    }
}

/// The cell of a column: lists are joined by `;` under the name of what they list.
fn cell(result: &Value, column: &str) -> String {
    let list = |key: &str, name: &str| {
        let items = result.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut names: Vec<&str> = items.iter().filter_map(|i| i.get(name)?.as_str()).collect();
        names.dedup();
        names.join(";")
    };
    match column {
        "cues" => list("cues", "cue"),
        "strategies" => list("strategies", "id"),
        "priority_reasons" => {
            let reasons = result.get("priority").and_then(|p| p.get("reasons")).and_then(Value::as_array);
            let names: Vec<&str> = reasons.into_iter().flatten().filter_map(|r| r.get("signal")?.as_str()).collect();
            names.join(";")
        }
        _ => plain(value_at(result, column)),
    }
}

/// Follows a flattened name: at each step the longest key that fits.
fn value_at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    let (key, rest) = path.split_once('_')?;
    value_at(value.get(key)?, rest)
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
