//! Owns labelled messages: the form of `fixtures/**/*.jsonl`.
//! Knows one line at a time; files are opened by the caller.

use serde::Deserialize;

use crate::domain::{Level, Stance};

/// A message with what a person says of it. Labels may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// Its id, unique in its file.
    pub id: String,
    /// BCP 47 tag.
    pub lang: String,
    /// The message.
    pub text: String,
    /// Stance of the author.
    pub sentiment: Option<Stance>,
    /// Anger 0…3.
    pub anger: Option<u8>,
    /// Priority.
    pub priority: Option<Level>,
    /// Cues the author performs.
    pub cues: Option<Vec<LabelledCue>>,
    /// Remark; «HN …» marks a hard negative.
    pub note: String,
}

/// A labelled cue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LabelledCue {
    /// Cue id.
    pub cue: String,
    /// Exact words of the message.
    pub text: String,
}

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct LabelledError {
    /// File it stands in.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    lang: String,
    text: String,
    sentiment: Option<String>,
    anger: Option<u8>,
    priority: Option<String>,
    cues: Option<Vec<LabelledCue>>,
    #[serde(default)]
    note: String,
}

impl Labelled {
    /// Number of folds that authors are dealt into.
    pub const FOLDS: usize = 4;

    /// The fold of its author: the `r2` of `en-r2-0087`, else a hash of the id.
    #[must_use]
    pub fn fold(&self) -> usize {
        let author = self.id.split('-').find_map(|part| part.strip_prefix('r')?.parse::<usize>().ok());
        let hash = || self.id.bytes().fold(7_usize, |h, b| h.wrapping_mul(31).wrapping_add(usize::from(b)));
        author.unwrap_or_else(hash) % Self::FOLDS
    }

    /// Whether it was written to lead rules astray.
    #[must_use]
    pub fn is_hard_negative(&self) -> bool {
        self.note.starts_with("HN")
    }

    /// First subtag of its language.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.lang.split('-').next().unwrap_or(&self.lang)
    }
}

/// Parses a file of labelled messages, one JSON object a line. Empty lines are skipped.
///
/// # Errors
/// The first line that is no labelled message.
pub fn parse(file: &str, text: &str) -> Result<Vec<Labelled>, LabelledError> {
    let error = |line: usize, what: String| LabelledError { file: file.to_owned(), line: line + 1, what };
    let mut messages = Vec::new();
    for (line, row) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let row: Row = serde_json::from_str(row).map_err(|e| error(line, e.to_string()))?;
        let named = |field: &str, value: &str| error(line, format!("{field} {value:?} is not known"));
        let sentiment = row.sentiment.map(|s| Stance::parse(&s).ok_or_else(|| named("sentiment", &s))).transpose()?;
        let priority = row.priority.map(|p| Level::parse(&p).ok_or_else(|| named("priority", &p))).transpose()?;
        if let Some(anger) = row.anger.filter(|a| *a > 3) {
            return Err(named("anger", &anger.to_string()));
        }
        if let Some(cue) = row.cues.iter().flatten().find(|c| !row.text.contains(&c.text)) {
            return Err(error(line, format!("the words {:?} of cue {} do not stand in the text", cue.text, cue.cue)));
        }
        messages.push(Labelled {
            id: row.id,
            lang: row.lang,
            text: row.text,
            sentiment,
            anger: row.anger,
            priority,
            cues: row.cues,
            note: row.note,
        });
    }
    Ok(messages)
}
