//! Owns how loud a text is: capitals, exclamation marks, elongation, angry faces.
//! Knows nothing of what is said.

use std::ops::Range;

/// How loudly a text is written. All values are counts or shares of the author's own words.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Intensity {
    /// Share of cased letters that are capitals, 0…1; 0 below eight cased letters.
    pub capitals: f64,
    /// Words of three letters and more written wholly in capitals.
    pub shouted: usize,
    /// Words with cased letters.
    pub cased_words: usize,
    /// Longest run of `!` and `?` marks.
    pub marks: usize,
    /// Letters repeated three times or more in a row.
    pub elongations: usize,
    /// Angry and swearing faces.
    pub angry_faces: usize,
}

impl Intensity {
    /// Measures the given stretches of a text.
    #[must_use]
    pub fn measure(text: &str, own: &[Range<usize>]) -> Self {
        let mut seen = Self::default();
        let (mut upper, mut cased) = (0_usize, 0_usize);
        for span in own {
            let part = text.get(span.clone()).unwrap_or_default();
            let (mut marks, mut run, mut last) = (0_usize, 0_usize, '\0');
            let (mut word_upper, mut word_cased) = (0_usize, 0_usize);
            for c in part.chars().chain(Some(' ')) {
                marks = if matches!(c, '!' | '?' | '！' | '？' | '؟') { marks + 1 } else { 0 };
                seen.marks = seen.marks.max(marks);
                run = if c == last { run + 1 } else { 1 };
                last = c;
                if run == 3 && c.is_alphabetic() {
                    seen.elongations += 1;
                }
                if matches!(c, '😠' | '😡' | '🤬' | '👿' | '💢' | '🖕') {
                    seen.angry_faces += 1;
                }
                if c.is_alphabetic() {
                    word_upper += usize::from(c.is_uppercase());
                    word_cased += usize::from(c.is_uppercase() || c.is_lowercase());
                } else if word_cased > 0 && c != '\'' {
                    upper += word_upper;
                    cased += word_cased;
                    seen.cased_words += 1;
                    seen.shouted += usize::from(word_upper == word_cased && word_cased >= 3);
                    (word_upper, word_cased) = (0, 0);
                }
            }
        }
        if cased >= 8 {
            seen.capitals = upper as f64 / cased as f64;
        }
        seen
    }
}
