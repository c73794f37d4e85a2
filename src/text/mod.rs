//! Owns what is true of any text: its normal form, its tokens, whose words they are.
//! Knows no language, no cue and no model.

mod bounds;
mod han;
mod intensity;
mod normalise;
mod own_words;
mod segment;

pub use han::{is_traditional, script_votes};
pub use intensity::Intensity;
pub use normalise::{Normalised, fold, normalise};
pub use own_words::{MailMarkers, OwnWords, sentences, separate};
pub use segment::{Kind, Token, collapse, segment, unmask};
