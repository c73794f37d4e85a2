//! Owns models: what one must be able to do, and which one answers.
//! Knows text and data files; nothing of cues, priority or the service.

pub mod compact;
pub mod features;

use crate::domain::{ModelId, ModelScores};
use crate::packs::{PackError, Packs};

pub use compact::Compact;

/// Something that reads texts and says how they feel.
pub trait Backend: Send + Sync {
    /// Which model it is.
    fn id(&self) -> &ModelId;

    /// Scores of each text, in order. The same text has the same scores in every batch.
    ///
    /// # Errors
    /// The model could not answer; no text of the batch was scored.
    fn score(&self, texts: &[Input<'_>]) -> Result<Vec<ModelScores>, BackendError>;
}

/// One text to be scored.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The author's own words as written.
    pub original: &'a str,
    /// The same in normal form.
    pub normal: &'a str,
}

/// Why a model could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The weights do not have the shape that `model.toml` states.
    #[error("{0}")]
    Weights(String),
    /// The model's files are missing or damaged.
    #[error(transparent)]
    Files(#[from] PackError),
}

/// Opens the model `name` of the packs.
///
/// # Errors
/// The model is missing, damaged or of a kind this build does not know.
pub fn open(packs: &Packs, name: &str) -> Result<Box<dyn Backend>, BackendError> {
    let file = packs.model(name)?;
    match file.spec.kind.as_str() {
        "compact" => Ok(Box::new(Compact::open(file)?)),
        other => {
            let what = format!("kind {other:?} is not known to this build; known: compact");
            Err(PackError::new(&format!("sentiment/{name}/model.toml"), what).into())
        }
    }
}
