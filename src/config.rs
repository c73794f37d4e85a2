//! Owns settings: defaults < `defuse.toml` < environment (`DEFUSE_…`) < flags.
//! Knows names and values, not what a setting does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// File with settings, in the working directory unless `DEFUSE_CONFIG` names another.
pub const FILE: &str = "defuse.toml";

/// What is wrong with a settings file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", file.display())]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong and what to do about it, with the line where known.
    pub what: String,
}

/// Settings as written in a file: the value of each key, as a flag would take it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Values by the name of the flag (`max-body-bytes`).
    pub values: BTreeMap<String, String>,
    /// Where they come from.
    pub file: PathBuf,
}

/// Reads a file of settings: one flat table, keys named like flags, with `-` or `_`.
///
/// # Errors
/// The file is unreadable, no TOML, or nested.
pub fn settings(file: &Path) -> Result<Settings, ConfigError> {
    let table: toml::Table = read(file)?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            _ => {
                let what = format!("{key} must be a string, a number or true/false");
                return Err(ConfigError { file: file.to_owned(), what });
            }
        };
        values.insert(key.replace('_', "-"), text);
    }
    Ok(Settings { values, file: file.to_owned() })
}

/// Reads any TOML file of a known shape.
///
/// # Errors
/// The file is unreadable or does not have the shape; the message names the line.
pub fn read<T: DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let error = |what: String| ConfigError { file: file.to_owned(), what };
    let text = std::fs::read_to_string(file).map_err(|e| error(e.to_string()))?;
    toml::from_str(&text).map_err(|e| error(e.to_string().trim_end().to_owned()))
}

/// Writes a value as TOML.
///
/// # Errors
/// The value has a shape that TOML cannot hold.
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, String> {
    toml::to_string(value).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_like_flags() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, "port = 9000\nmax_batch = 5\nquiet = true\nhost = \"::1\"\n").unwrap();
        let read = settings(&file).unwrap();
        let pairs: Vec<_> = read.values.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("host", "::1"), ("max-batch", "5"), ("port", "9000"), ("quiet", "true")]);
        std::fs::write(&file, "[serve]\nport = 1\n").unwrap();
        assert!(settings(&file).unwrap_err().to_string().contains("serve must be"));
        std::fs::write(&file, "port = \n").unwrap();
        assert!(settings(&file).unwrap_err().to_string().contains("line 1"));
    }
}
