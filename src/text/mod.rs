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

/// How wide a text is in columns (UAX #11): Han, kana and Hangul take two, so that columns compare
/// how much is said across scripts better than characters do.
#[must_use]
pub fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}
