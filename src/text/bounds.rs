//! Owns where a text is cut into pieces: the word bounds of UAX #29, found without tables wherever
//! the next character decides. Knows characters only.

use unicode_segmentation::{UWordBoundIndices, UnicodeSegmentation};

/// The pieces of a text with their byte positions. As the word bounds of UAX #29, with two
/// differences: blanks are left out, and katakana may come one by one.
pub(super) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { text, at: 0, hard: None }
}

/// Iterator of [`pieces`].
pub(super) struct Pieces<'a> {
    text: &'a str,
    at: usize,
    /// Where a stretch begins that only `unicode-segmentation` can cut, and its pieces.
    hard: Option<(usize, UWordBoundIndices<'a>)>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((from, stretch)) = &mut self.hard {
                if let Some((at, piece)) = stretch.next() {
                    return Some((*from + at, piece));
                }
                self.hard = None;
            }
            let rest = self.text.get(self.at..)?;
            let first = rest.chars().next()?;
            let start = self.at;
            if first == ' ' {
                self.at += 1;
            } else if let Some(length) = certain(rest, first) {
                self.at += length;
                return Some((start, rest.get(..length)?));
            } else {
                let stretch = rest.get(..rest.find(' ').unwrap_or(rest.len()))?;
                self.at += stretch.len();
                self.hard = Some((start, stretch.split_word_bound_indices()));
            }
        }
    }
}

/// Length in bytes of the piece at the start of `rest`, if the characters at hand decide it.
fn certain(rest: &str, first: char) -> Option<usize> {
    if joins(first) {
        let length = rest.find(|c| !joins(c)).unwrap_or(rest.len());
        let mut after = rest.get(length..)?.chars();
        return match after.next() {
            // Between letters or digits these join them (WB6, WB7, WB11, WB12).
            Some('\'' | '"' | '.' | ':' | ',' | ';' | '\u{60C}' | '\u{61B}') => {
                after.next().is_none_or(|c| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_').then_some(length)
            }
            None => Some(length),
            Some(c) => (stands_alone(c) || is_han_or_kana(c)).then_some(length),
        };
    }
    let length = first.len_utf8();
    let after = rest.get(length..)?.chars().next();
    let alone = stands_alone(first) || is_han_or_kana(first);
    let nothing_joins = after.is_none_or(|c| c == ' ' || stands_alone(c) || is_han_or_kana(c) || joins(c));
    (alone && nothing_joins && (first, after) != ('\r', Some('\n'))).then_some(length)
}

/// Letters and digits between which there is never a bound.
pub(super) fn joins(c: char) -> bool {
    match c {
        '\0'..='\u{7F}' => c.is_ascii_alphanumeric(),
        '\u{C0}'..='\u{24F}' => !matches!(c, '\u{D7}' | '\u{F7}'),
        '\u{400}'..='\u{481}' | '\u{620}'..='\u{64A}' | '\u{AC00}'..='\u{D7A3}' => true,
        _ => false,
    }
}

/// Signs that neither join nor mark what stands beside them.
fn stands_alone(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_'
        || matches!(c, '\u{3001}' | '\u{3002}' | '\u{60C}' | '\u{61B}' | '\u{61F}' | '\u{964}')
}

/// Han and kana, without the combining sound marks.
fn is_han_or_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}' | '\u{3400}'..='\u{9FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Kana one by one and without what is joined to them, no blanks.
    fn fine<'a>(pieces: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, String)> {
        let mut out = Vec::new();
        for (at, piece) in pieces {
            let bare = piece.trim_start_matches(' ');
            let at = at + piece.len() - bare.len();
            if bare.starts_with(is_han_or_kana) {
                let kana = bare.char_indices().filter(|&(_, c)| is_han_or_kana(c));
                out.extend(kana.map(|(i, c)| (at + i, c.to_string())));
            } else if !bare.is_empty() {
                out.push((at, bare.to_owned()));
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn as_the_tables_say(text in "[a-cA-C019éßжЖسل한국谢ひカーのกิह ़््'\"“.,:;!?_@*#$%&()/\\-\n\r ।。、؟،👍🏽\u{200D}\u{FE0F}\u{301}]{0,24}") {
            prop_assert_eq!(fine(pieces(&text)), fine(text.split_word_bound_indices()));
        }
    }
}
