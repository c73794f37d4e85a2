//! Owns where data comes from: a folder, or the copy embedded in the binary.
//! Knows paths and TOML, not what the files say.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use include_dir::{Dir, include_dir};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models");

/// Where data is read from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// The copy in the binary.
    #[default]
    Embedded,
    /// A folder of the same layout.
    Folder(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("the data in the binary"),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What is wrong with a data file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}", line.map_or(String::new(), |l| format!(":{l}")))]
pub struct PackError {
    /// Path below the data folder.
    pub file: String,
    /// Line in it, counted from 1, where known.
    pub line: Option<usize>,
    /// What is wrong and what to do about it.
    pub what: String,
}

impl PackError {
    /// An error that belongs to a file as a whole.
    #[must_use]
    pub fn new(file: &str, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, what: what.into() }
    }
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// The file is missing or unreadable.
    pub fn bytes(&self, path: &str) -> Result<Cow<'static, [u8]>, PackError> {
        match self {
            Self::Embedded => EMBEDDED
                .get_file(path)
                .map(|f| Cow::Borrowed(f.contents()))
                .ok_or_else(|| PackError::new(path, "not in the binary; give a folder with --models")),
            Self::Folder(root) => std::fs::read(root.join(path)).map(Cow::Owned).map_err(|e| {
                PackError::new(
                    &root.join(path).display().to_string(),
                    format!("{e}; --models names a folder laid out like models/ in the repository"),
                )
            }),
        }
    }

    /// Reads a UTF-8 file.
    ///
    /// # Errors
    /// The file is missing, unreadable or not UTF-8.
    pub fn text(&self, path: &str) -> Result<String, PackError> {
        let bytes = self.bytes(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
            let line = before.split(|b| *b == b'\n').count();
            PackError {
                file: path.to_owned(),
                line: Some(line),
                what: "not valid UTF-8; save the file as UTF-8".to_owned(),
            }
        })?;
        Ok(text.trim_start_matches('\u{FEFF}').to_owned())
    }

    /// Whether a file is there.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        match self {
            Self::Embedded => EMBEDDED.get_file(path).is_some(),
            Self::Folder(root) => root.join(path).is_file(),
        }
    }

    /// Names of the files in a folder, sorted.
    #[must_use]
    pub fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Embedded => EMBEDDED
                .get_dir(folder)
                .map(|d| d.files().filter_map(|f| Some(f.path().file_name()?.to_str()?.to_owned())).collect())
                .unwrap_or_default(),
            Self::Folder(root) => entries(&root.join(folder), false),
        };
        names.sort();
        names
    }

    /// Names of the folders in a folder, sorted.
    #[must_use]
    pub fn folders(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Embedded => EMBEDDED
                .get_dir(folder)
                .map(|d| d.dirs().filter_map(|f| Some(f.path().file_name()?.to_str()?.to_owned())).collect())
                .unwrap_or_default(),
            Self::Folder(root) => entries(&root.join(folder), true),
        };
        names.sort();
        names
    }
}

fn entries(folder: &std::path::Path, folders: bool) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|e| e.path().is_dir() == folders)
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// Parses TOML, naming file and line of what is wrong.
pub(super) fn parse<T: serde::de::DeserializeOwned>(path: &str, text: &str) -> Result<T, PackError> {
    toml::from_str(text).map_err(|e| PackError {
        file: path.to_owned(),
        line: e.span().map(|s| text.get(..s.start).unwrap_or_default().matches('\n').count() + 1),
        what: e.message().to_owned(),
    })
}
