//! Owns the normal form in which rules and models read text, and the way back to the original.
//! Knows characters only; tokens are found in the normal form by `segment`.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::han;

/// A text in normal form, with a map from its bytes to those of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised {
    /// The normal form.
    pub text: String,
    steps: Vec<Step>,
    original_len: usize,
}

/// From `normal` on, the original continues at `original`. A solid step is a cluster whose
/// length changed: a position inside it belongs to all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    normal: usize,
    original: usize,
    solid: bool,
}

impl Normalised {
    /// Bytes of the original that the bytes `span` of the normal form came from.
    /// A cluster that changed its length is covered whole.
    #[must_use]
    pub fn original_span(&self, span: &Range<usize>) -> Range<usize> {
        if span.end <= span.start {
            let at = self.start(span.start);
            return at..at;
        }
        self.start(span.start)..self.end(span.end)
    }

    /// Bytes of the normal form that the bytes `span` of the original became. Both ends are taken
    /// to lie between clusters (line breaks do).
    #[must_use]
    pub fn normal_span(&self, span: &Range<usize>) -> Range<usize> {
        self.normal_at(span.start)..self.normal_at(span.end)
    }

    fn normal_at(&self, original: usize) -> usize {
        let next = self.steps.partition_point(|s| s.original <= original);
        let Some(step) = next.checked_sub(1).and_then(|i| self.steps.get(i)) else {
            return original.min(self.text.len());
        };
        let inside = if step.solid {
            usize::from(original > step.original) * self.solid_len(next)
        } else {
            original - step.original
        };
        (step.normal + inside).min(self.text.len())
    }

    /// Bytes of the normal form of the solid cluster before step `next`.
    fn solid_len(&self, next: usize) -> usize {
        let from = next.checked_sub(1).and_then(|i| self.steps.get(i)).map_or(0, |s| s.normal);
        self.steps.get(next).map_or(self.text.len(), |s| s.normal) - from
    }

    fn step_at(&self, normal: usize) -> (Step, Option<Step>) {
        let next = self.steps.partition_point(|s| s.normal <= normal);
        let current = next.checked_sub(1).and_then(|i| self.steps.get(i)).copied();
        let current = current.unwrap_or(Step { normal: 0, original: 0, solid: false });
        (current, self.steps.get(next).copied())
    }

    fn start(&self, normal: usize) -> usize {
        let (step, _) = self.step_at(normal);
        let at = if step.solid { step.original } else { step.original + (normal - step.normal) };
        at.min(self.original_len)
    }

    fn end(&self, normal: usize) -> usize {
        let (step, next) = self.step_at(normal - 1);
        let at = if step.solid {
            next.map_or(self.original_len, |n| n.original)
        } else {
            step.original + (normal - step.normal)
        };
        at.min(self.original_len)
    }
}

struct Builder {
    text: String,
    steps: Vec<Step>,
    original: usize,
}

impl Builder {
    /// From the normal position `normal` on, the original continues at the current position.
    fn mark(&mut self, normal: usize, solid: bool) {
        self.steps.push(Step { normal, original: self.original, solid });
    }

    fn after_solid(&self) -> bool {
        self.steps.last().is_some_and(|s| s.solid)
    }

    /// Appends what became of `cluster`, which stands at the current position of the original.
    fn cluster(&mut self, cluster: &str, write: impl FnOnce(&mut String)) {
        let before = self.text.len();
        write(&mut self.text);
        let written = self.text.get(before..).unwrap_or_default();
        if written.is_empty() {
            if self.after_solid() {
                // What vanishes after a cluster is no part of it.
                self.mark(before, false);
            }
            self.original += cluster.len();
            self.mark(before, false);
            return;
        }
        let like_for_like = written.len() == cluster.len() && is_one_char(written) && is_one_char(cluster);
        if !like_for_like {
            self.mark(before, true);
        } else if self.after_solid() {
            self.mark(before, false);
        }
        self.original += cluster.len();
    }
}

fn is_one_char(text: &str) -> bool {
    text.chars().nth(1).is_none()
}

/// Brings a text to normal form: NFKC, lower case, Latin without diacritics, one form for quotes
/// and dashes, no zero-width or direction marks, Arabic without vowel signs and with one form of
/// alef, yaa and taa marbuta, Simplified for Traditional characters, no skin tones.
///
/// Line breaks are kept; every other white space becomes a blank. The result is never longer than
/// a small multiple of the input, and equal inputs give equal results.
#[must_use]
pub fn normalise(original: &str) -> Normalised {
    let mut out = Builder { text: String::with_capacity(original.len() + 16), steps: Vec::new(), original: 0 };
    let bytes = original.as_bytes();
    while let Some(&byte) = bytes.get(out.original) {
        // An ASCII character followed by another one is its own cluster.
        let next_is_ascii = bytes.get(out.original + 1).is_none_or(u8::is_ascii);
        if byte.is_ascii() && next_is_ascii {
            if out.after_solid() {
                out.mark(out.text.len(), false);
            }
            out.text.push(fold_ascii(byte));
            out.original += 1;
            continue;
        }
        let rest = original.get(out.original..).unwrap_or_default();
        let len = cluster_len(rest);
        let cluster = rest.get(..len).unwrap_or(rest);
        if cluster.is_empty() {
            break;
        }
        out.cluster(cluster, |text| fold_cluster(cluster, text));
    }
    Normalised { text: out.text, steps: out.steps, original_len: original.len() }
}

/// The normal form of a short piece of data (a pattern's word, a marker).
#[must_use]
pub fn fold(text: &str) -> String {
    normalise(text).text
}

/// Bytes of the first character with the marks that combine with it. At most 32 marks are taken,
/// so that a pile of thousands of accents stays a sequence of small clusters.
fn cluster_len(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return 0 };
    let jamo = is_jamo(first);
    for (count, (at, c)) in chars.enumerate() {
        if is_plain(c) {
            return at;
        }
        let joins = canonical_combining_class(c) != 0 || matches!(c, '\u{FF9E}' | '\u{FF9F}') || (jamo && is_jamo(c));
        if !joins || count >= 32 {
            return at;
        }
    }
    text.len()
}

/// The commonest characters that neither combine nor decompose and have no case.
fn is_plain(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{40}' | '\u{61}'..='\u{7F}' | '\u{0430}'..='\u{0438}' | '\u{043A}'..='\u{044F}'
            | '\u{0621}' | '\u{0627}' | '\u{0628}' | '\u{062A}'..='\u{063A}' | '\u{0641}'..='\u{0648}' | '\u{064A}'
            | '\u{0904}'..='\u{0928}' | '\u{092A}'..='\u{0930}' | '\u{0935}'..='\u{0939}' | '\u{093E}'..='\u{0948}'
            | '\u{3001}' | '\u{3002}' | '\u{3041}'..='\u{304A}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}'
    )
}

fn is_jamo(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}')
}

fn fold_cluster(cluster: &str, out: &mut String) {
    let mut chars = cluster.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        fold_char(c, out);
    } else {
        for c in cluster.nfkc() {
            fold_char(c, out);
        }
    }
}

fn fold_ascii(byte: u8) -> char {
    match byte {
        b'\n' => '\n',
        0..=31 | 127 => ' ',
        b'`' => '\'',
        _ => char::from(byte.to_ascii_lowercase()),
    }
}

fn fold_char(c: char, out: &mut String) {
    match c {
        '\n' => out.push('\n'),
        '\u{4E00}'..='\u{9FFF}' => out.push(han::simplify(c)),
        '\u{AC00}'..='\u{D7A3}' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FF}' => out.push(c),
        _ if c.is_ascii() => out.push(u8::try_from(c).map_or(c, fold_ascii)),
        _ if is_plain(c) => out.push(c),
        _ if is_invisible(c) => {}
        _ => fold_general(c, out),
    }
}

/// Marks that carry no reading: zero-width, direction, soft hyphen, variation, skin tone,
/// Arabic vowel signs and tatweel, Hebrew points, Devanagari nukta.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}'
            | '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06DC}'
            | '\u{0591}'..='\u{05BD}' | '\u{05BF}'..='\u{05C7}' | '\u{093C}'
    )
}

fn fold_general(c: char, out: &mut String) {
    match c {
        '\u{2018}'..='\u{201B}' | '\u{02BC}' | '\u{02B9}' | '\u{00B4}' | '\u{2032}' | '\u{02BB}' => out.push('\''),
        '\u{201C}'..='\u{201F}' | '\u{00AB}' | '\u{00BB}' | '\u{300C}'..='\u{300F}' | '\u{2033}' => out.push('"'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
        '\u{0131}' | '\u{0130}' => out.push('i'),
        '\u{00DF}' | '\u{1E9E}' => out.push_str("ss"),
        '\u{00E6}' | '\u{00C6}' => out.push_str("ae"),
        '\u{0153}' | '\u{0152}' => out.push_str("oe"),
        '\u{00F8}' | '\u{00D8}' => out.push('o'),
        '\u{0142}' | '\u{0141}' => out.push('l'),
        '\u{0111}' | '\u{0110}' => out.push('d'),
        '\u{0451}' | '\u{0401}' => out.push('\u{0435}'),
        // Arabic: alef with hamza or madda, alef maqsura, taa marbuta, Persian yeh and kaf.
        '\u{0622}' | '\u{0623}' | '\u{0625}' | '\u{0671}' => out.push('\u{0627}'),
        '\u{0649}' | '\u{06CC}' => out.push('\u{064A}'),
        '\u{0629}' => out.push('\u{0647}'),
        '\u{06A9}' => out.push('\u{0643}'),
        '\u{0901}' => out.push('\u{0902}'),
        _ if c.is_whitespace() => out.push(if matches!(c, '\u{2028}' | '\u{2029}' | '\u{0085}') { '\n' } else { ' ' }),
        _ => decompose(c, out),
    }
}

/// Compatibility form in lower case; Latin and Greek letters lose their marks, others keep them.
fn decompose(c: char, out: &mut String) {
    let mut bare = false;
    let mut whole = true;
    unicode_normalization::char::decompose_compatible(c, |part| {
        if whole {
            bare = is_latin_or_greek(part);
            whole = false;
        }
    });
    let start = out.len();
    if bare {
        unicode_normalization::char::decompose_compatible(c, |part| {
            if canonical_combining_class(part) == 0 {
                out.extend(part.to_lowercase());
            }
        });
    } else {
        out.extend(std::iter::once(c).nfkc().flat_map(char::to_lowercase));
    }
    // Compatibility forms can contain what is folded above (ligatures, presentation forms).
    let again: String = out.get(start..).unwrap_or_default().to_owned();
    if again.chars().any(|p| p != c && !p.is_ascii() && needs_fold(p)) {
        out.truncate(start);
        again.chars().for_each(|p| fold_char(p, out));
    }
}

fn is_latin_or_greek(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{00C0}'..='\u{024F}' | '\u{0370}'..='\u{03FF}')
}

fn needs_fold(c: char) -> bool {
    is_invisible(c)
        || matches!(c, '\u{00DF}' | '\u{00E6}' | '\u{00F8}' | '\u{0111}' | '\u{0131}' | '\u{0142}' | '\u{0153}')
        || matches!(c, '\u{0622}'..='\u{0629}' | '\u{0649}' | '\u{06CC}' | '\u{06A9}' | '\u{4E00}'..='\u{9FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_characters_are_their_own_normal_form() {
        for c in ('\u{80}'..='\u{FFFF}').filter(|&c| is_plain(c) && !matches!(c, '\u{4E00}'..='\u{9FFF}')) {
            let mut general = String::new();
            fold_general(c, &mut general);
            assert_eq!(general, c.to_string());
            assert_eq!(canonical_combining_class(c), 0, "{c:?}");
        }
    }

    #[test]
    fn folds_what_people_write() {
        for (written, read) in [
            ("I WANT", "i want"),
            ("C\u{0327}a", "ca"),
            ("Coño", "cono"),
            ("Scheiße", "scheisse"),
            ("don’t", "don't"),
            ("İADE ıade", "iade iade"),
            ("ｒｅｆｕｎｄ！", "refund!"),
            ("re\u{200B}fu\u{00AD}nd", "refund"),
            ("أُرِيدُ المُدِيرَ", "اريد المدير"),
            ("جـــدا", "جدا"),
            ("退錢", "退钱"),
            ("ﾏｼﾞ", "マジ"),
            ("\u{1112}\u{1161}\u{11AB}", "한"),
            ("Ёлка й", "елка й"),
            ("ﷲ", "الله"),
            ("zażółć", "zazolc"),
            ("Ǽ Ǿ", "ae o"),
        ] {
            assert_eq!(fold(written), read, "{written}");
        }
    }

    #[test]
    fn the_way_back_covers_whole_clusters() {
        let original = "Scheiße \u{200B}f\u{200B}uck! Größe";
        let normal = normalise(original);
        let span = |needle: &str| {
            let at = normal.text.find(needle).unwrap();
            original.get(normal.original_span(&(at..at + needle.len()))).unwrap()
        };
        assert_eq!(span("scheisse"), "Scheiße");
        assert_eq!(span("fuck"), "f\u{200B}uck");
        assert_eq!(span("grosse"), "Größe");
        assert_eq!(normalise("ß\u{200B}x").original_span(&(0..2)), 0..2);
        assert_eq!(span("!"), "!");
    }

    proptest! {
        #[test]
        fn any_text_maps_back_in_order(original in "\\PC*|.*|[aßé\u{200B}\u{0301}한\u{1112}\u{1161}錢 \n]*") {
            let normal = normalise(&original);
            let mut last = 0;
            for (at, c) in normal.text.char_indices() {
                let span = normal.original_span(&(at..at + c.len_utf8()));
                prop_assert!(original.get(span.clone()).is_some(), "{span:?} does not slice");
                prop_assert!(span.start >= last || span.end > last || span.is_empty());
                prop_assert!(!span.is_empty());
                last = span.start;
            }
        }

        #[test]
        fn the_normal_form_is_stable(original in ".*") {
            let once = fold(&original);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
