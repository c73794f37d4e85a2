//! Owns tokens: where words, sentences and asides begin and end in a normalised text.
//! Knows no vocabulary; whether a token means something is asked in `cues`.

use std::ops::Range;

use super::bounds::{joins, pieces};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word, a number, one Han, kana or Thai character, an emoji.
    Word,
    /// A word with letters hidden behind symbols (`f***`, `b@stards`).
    Masked,
    /// The end of a sentence or paragraph; `true` for a question.
    Stop(bool),
    /// A comma, colon, dash, bracket or line break: an aside, not an end.
    Soft,
    /// A quotation mark, in the one form left by normalisation.
    Quote,
}

/// A stretch of normalised text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the normalised text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// Splits normalised text into tokens by Unicode word bounds (UAX #29), with five differences:
/// katakana one by one, elided articles split off (`l'avocat`), masked words kept whole, runs of
/// dots are no end, white space is left out.
#[must_use]
pub fn segment(text: &str, elisions: &[String]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 4);
    let mut pieces = pieces(text).peekable();
    while let Some((start, piece)) = pieces.next() {
        let end = start + piece.len();
        let Some(first) = piece.chars().next() else { continue };
        if is_mask(first) && stands_between_han(text, start, end) {
            tokens.push(Token { span: start..end, kind: Kind::Masked });
            continue;
        }
        if is_of_word(first) && !is_single(first) || is_mask(first) && !matches!(first, '!' | '#') {
            let followed_by_mask = text.get(end..).and_then(|t| t.chars().next()).is_some_and(is_mask);
            if followed_by_mask || is_mask(first) {
                let whole = masked_end(text, start);
                if whole > end {
                    tokens.push(Token { span: start..whole, kind: Kind::Masked });
                    while pieces.next_if(|(at, _)| *at < whole).is_some() {}
                    continue;
                }
            }
            if is_of_word(first) {
                push_word(piece, start, elisions, &mut tokens);
            }
            continue;
        }
        if is_single(first) {
            if is_of_word(first) {
                tokens.extend(
                    piece
                        .char_indices()
                        .map(|(at, c)| Token { span: start + at..start + at + c.len_utf8(), kind: Kind::Word }),
                );
            }
            continue;
        }
        match first {
            '\n' => {
                let blank_line =
                    text.get(end..).is_some_and(|t| t.trim_start_matches([' ', '\t', '\r']).starts_with('\n'));
                tokens.push(Token { span: start..end, kind: if blank_line { Kind::Stop(false) } else { Kind::Soft } });
            }
            '.' => {
                let run = text.get(start..).map_or(1, |t| t.len() - t.trim_start_matches('.').len());
                let inside = text.get(start + run..).and_then(|t| t.chars().next()).is_some_and(char::is_alphanumeric);
                while pieces.next_if(|(at, _)| *at < start + run).is_some() {}
                let kind = if run > 1 || inside || is_ordinal(text, start) { Kind::Soft } else { Kind::Stop(false) };
                tokens.push(Token { span: start..start + run, kind });
            }
            '?' | '\u{061F}' | '\u{037E}' => tokens.push(Token { span: start..end, kind: Kind::Stop(true) }),
            '!' | '\u{3002}' | '\u{06D4}' | '\u{0964}' | '\u{00A1}' | '\u{00BF}' => {
                tokens.push(Token { span: start..end, kind: Kind::Stop(false) });
            }
            '"' | '\'' => tokens.push(Token { span: start..end, kind: Kind::Quote }),
            ',' | ';' | ':' | '-' | '/' | '(' | ')' | '[' | ']' | '\u{3001}' | '\u{060C}' | '\u{061B}' | '\u{2022}'
            | '|' => {
                tokens.push(Token { span: start..end, kind: Kind::Soft });
            }
            _ if is_pictograph(first) => tokens.push(Token { span: start..end, kind: Kind::Word }),
            _ => {}
        }
    }
    tokens
}

/// A full stop after one or two digits, with a word on the same line after it: «zum 3. Mal», «15. Mai».
fn is_ordinal(text: &str, dot: usize) -> bool {
    let before = text.get(..dot).unwrap_or_default();
    let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    let letter_first =
        before.get(..dot - digits).and_then(|b| b.chars().next_back()).is_none_or(|c| !c.is_alphanumeric());
    let after = text.get(dot + 1..).unwrap_or_default();
    (1..=2).contains(&digits)
        && letter_first
        && after.strip_prefix(' ').is_some_and(|a| a.starts_with(char::is_alphabetic))
}

/// Splits `l'avocat` after the apostrophe when the language elides `l'`; drops nothing.
fn push_word(piece: &str, start: usize, elisions: &[String], tokens: &mut Vec<Token>) {
    if !elisions.is_empty()
        && let Some(at) = piece.find('\'')
        && let Some(head) = piece.get(..at)
        && elisions.iter().any(|e| e == head)
        && at + 1 < piece.len()
    {
        tokens.push(Token { span: start..start + at + 1, kind: Kind::Word });
        tokens.push(Token { span: start + at + 1..start + piece.len(), kind: Kind::Word });
        return;
    }
    tokens.push(Token { span: start..start + piece.len(), kind: Kind::Word });
}

/// Symbols that stand for letters in masked words.
fn is_mask(c: char) -> bool {
    matches!(c, '*' | '@' | '$' | '#' | '!' | '\u{2022}' | '\u{25CB}' | '\u{00D7}' | '\u{25CF}' | '_' | '%' | '&')
}

/// End of the masked word that starts at `start`, or `start` if it is none: letters and mask
/// symbols without a blank, a mask symbol before a letter or at least two of them at the end.
fn masked_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut end = start;
    let mut letters = 0_usize;
    let mut inside = false;
    let mut pending = 0_usize;
    for (at, c) in rest.char_indices().take(40) {
        if is_single(c) || c == '!' && !hides_a_letter(rest, at) {
            break;
        }
        if c.is_alphanumeric() {
            if pending > 0 && letters > 0 {
                inside = true;
            }
            letters += usize::from(c.is_alphabetic());
            pending = 0;
            end = start + at + c.len_utf8();
        } else if is_mask(c) {
            pending += 1;
        } else {
            break;
        }
    }
    // Before the tail is read: in a long run of symbols each of them comes here.
    if letters == 0 {
        return start;
    }
    let tail: usize = rest
        .get(end - start..)
        .map_or(0, |t| t.chars().take_while(|&c| is_mask(c) && c != '!').map(char::len_utf8).sum());
    let tail_count = rest.get(end - start..).map_or(0, |t| t.chars().take_while(|&c| is_mask(c) && c != '!').count());
    if tail_count >= 2 {
        return end + tail;
    }
    if inside { end } else { start }
}

/// An exclamation mark inside a short word (`sh!t`), not between two words.
fn hides_a_letter(rest: &str, at: usize) -> bool {
    let letters = |t: &str| t.chars().take_while(|c| c.is_alphabetic()).count();
    let after = rest.get(at + 1..).map_or(0, letters);
    (1..=3).contains(&at) && (1..=4).contains(&after)
}

/// A letter or digit; the common ones without tables.
fn is_of_word(c: char) -> bool {
    joins(c) || c.is_alphanumeric()
}

/// Scripts written without blanks, read one character at a time: Han, kana, Thai.
fn is_single(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' | '\u{0E00}'..='\u{0E7F}')
}

/// A symbol that hides one character of a Chinese word (`他*的`).
fn stands_between_han(text: &str, start: usize, end: usize) -> bool {
    let han = |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'));
    han(text.get(..start).and_then(|t| t.chars().next_back())) && han(text.get(end..).and_then(|t| t.chars().next()))
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B50}' | '\u{2B55}' | '\u{2B1B}' | '\u{2B1C}' | '\u{2190}'..='\u{21FF}')
}

/// The token with every run of more than `keep` equal letters cut to `keep` («sooooo» → «soo»,
/// «so»), or `None` if there is no run of three.
#[must_use]
pub fn collapse(token: &str, keep: usize) -> Option<String> {
    let mut out = String::with_capacity(token.len());
    let mut last = None;
    let mut run = 0_usize;
    let mut elongated = false;
    for c in token.chars() {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        elongated |= run >= 3 && !c.is_ascii_digit();
        if run <= keep || c.is_ascii_digit() {
            out.push(c);
        }
    }
    elongated.then_some(out)
}

/// Whether `masked` can stand for `word`: look-alikes count as the letter (`0` o, `@` a, `$` s …),
/// a run of other symbols stands for one letter per symbol, give or take two.
#[must_use]
pub fn unmask(masked: &str, word: &str) -> bool {
    let symbols: Vec<char> = masked.chars().collect();
    let letters: Vec<char> = word.chars().collect();
    let shown = symbols.iter().filter(|c| c.is_alphabetic()).count();
    if shown == 0
        || symbols.len() > letters.len() + 3
        || symbols.first().is_none_or(|&c| !letters.first().is_some_and(|&l| stands_for(c, l)))
    {
        return false;
    }
    matches_masked(&symbols, &letters)
}

fn matches_masked(symbols: &[char], letters: &[char]) -> bool {
    match (symbols.split_first(), letters.split_first()) {
        (None, None) => true,
        (Some((&c, rest)), Some((&letter, left))) if stands_for(c, letter) && matches_masked(rest, left) => true,
        (Some((&c, _)), Some(_)) if is_mask(c) => {
            let run = symbols.iter().take_while(|&&s| is_mask(s)).count();
            let after = symbols.get(run..).unwrap_or_default();
            let least = run.saturating_sub(2).max(1);
            (least..=run + 2).any(|n| letters.get(n..).is_some_and(|left| matches_masked(after, left)))
        }
        _ => false,
    }
}

fn stands_for(symbol: char, letter: char) -> bool {
    symbol == letter
        || match symbol {
            '0' => letter == 'o',
            '1' | '!' => matches!(letter, 'i' | 'l'),
            '3' => letter == 'e',
            '4' | '@' => letter == 'a',
            '5' | '$' => letter == 's',
            '7' => letter == 't',
            '8' => letter == 'b',
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold;

    fn words(text: &str) -> Vec<String> {
        let normal = fold(text);
        segment(&normal, &["l".to_owned(), "d".to_owned()])
            .into_iter()
            .filter(|t| matches!(t.kind, Kind::Word | Kind::Masked))
            .map(|t| normal.get(t.span).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn splits_like_a_reader() {
        for (text, expected) in [
            ("I don't want it.", vec!["i", "don't", "want", "it"]),
            ("l'avocat d'ici", vec!["l'", "avocat", "d'", "ici"]),
            ("退錢！マジで", vec!["退", "钱", "マ", "ジ", "で"]),
            ("他*的 他X的", vec!["他", "*", "的", "他", "x", "的"]),
            ("ok!thanks amazing!love", vec!["ok", "thanks", "amazing", "love"]),
            ("f*** you, b@stards, c0ño sh!t", vec!["f***", "you", "b@stards", "c0no", "sh!t"]),
            ("price* 4.50$ and #1", vec!["price", "4.50", "and", "1"]),
            ("WTF 😡😡", vec!["wtf", "😡", "😡"]),
            ("wow!!! great", vec!["wow", "great"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn elongation_collapses_only_runs_of_three() {
        assert_eq!(collapse("sooooo", 1).as_deref(), Some("so"));
        assert_eq!(collapse("goooood", 2).as_deref(), Some("good"));
        assert_eq!(collapse("جدااا", 1).as_deref(), Some("جدا"));
        assert_eq!(collapse("good", 1), None);
        assert_eq!(collapse("1000", 1), None);
    }

    #[test]
    fn masked_words_stand_for_words() {
        for (masked, word, expected) in [
            ("f***", "fuck", true),
            ("f**king", "fucking", true),
            ("sch***e", "scheisse", true),
            ("c0no", "cono", true),
            ("b@stards", "bastards", true),
            ("p*to", "puto", true),
            ("a**holes", "assholes", true),
            ("sh!t", "shit", true),
            ("f***", "shit", false),
            ("***", "fuck", false),
            ("m****", "messenger", false),
        ] {
            assert_eq!(unmask(masked, word), expected, "{masked} {word}");
        }
    }
}
