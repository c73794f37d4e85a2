//! Owns the classes of tokens that the patterns of one language can tell apart.
//! Knows spellings only; order and meaning are the automaton's and the rules'.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::text::{collapse, unmask};

use super::pattern::{Pattern, spelling};

/// A class of tokens that no pattern tells apart.
pub type Class = u16;

/// Any token that no pattern names.
pub const OTHER: Class = 0;
/// The end of a sentence.
pub const STOP: Class = 1;
/// First class of a named word; the words follow in their order.
const FIRST: Class = 2;
/// Two bytes of seven bits name a class.
pub const MAX_CLASSES: usize = 1 << 14;

/// The words of one language's patterns, sorted, so that a prefix is a range of classes.
#[derive(Debug)]
pub struct Vocabulary {
    entries: Vec<Entry>,
    literals: FxHashMap<String, Class>,
    prefixes: Vec<PrefixEntry>,
    /// Where the prefixes stand that begin with a letter.
    prefix_starts: FxHashMap<char, Range<usize>>,
    proclitics: Vec<String>,
    /// Words of the patterns that are another one with a proclitic before it, by that other one.
    with_proclitic: FxHashMap<String, Vec<Class>>,
    maskable: FxHashMap<char, Vec<(String, Class)>>,
    /// Frequent little words of the language.
    common: FxHashSet<String>,
}

#[derive(Debug)]
struct Entry {
    word: String,
    prefix: bool,
}

#[derive(Debug)]
struct PrefixEntry {
    word: String,
    class: Class,
    /// Position of the longest other prefix that this one begins with.
    parent: Option<usize>,
}

impl Vocabulary {
    /// Collects the words of all patterns. `maskable` words are recognised behind mask symbols;
    /// `common` are frequent little words, blank-separated.
    ///
    /// # Errors
    /// More words than classes can name.
    pub fn new<'a>(
        patterns: impl Iterator<Item = &'a Pattern>,
        proclitics: &[String],
        maskable: &[String],
        common: &str,
    ) -> Result<Self, String> {
        let mut words: Vec<(&str, bool)> = Vec::new();
        for pattern in patterns {
            pattern.each_word(&mut |word, prefix| words.push((word, prefix)));
        }
        words.sort_unstable();
        words.dedup();
        if words.len() + usize::from(FIRST) > MAX_CLASSES {
            return Err(format!("{} different words; at most {MAX_CLASSES} can be told apart", words.len()));
        }
        let entries: Vec<Entry> =
            words.into_iter().map(|(word, prefix)| Entry { word: word.to_owned(), prefix }).collect();
        let mut literals = FxHashMap::default();
        let mut prefixes: Vec<PrefixEntry> = Vec::new();
        for (entry, class) in entries.iter().zip(FIRST..) {
            if entry.prefix {
                let parent = prefixes.iter().rposition(|p| entry.word.starts_with(&p.word));
                prefixes.push(PrefixEntry { word: entry.word.clone(), class, parent });
            } else {
                literals.insert(entry.word.clone(), class);
            }
        }
        let mut prefix_starts: FxHashMap<char, Range<usize>> = FxHashMap::default();
        for (at, first) in prefixes.iter().enumerate().filter_map(|(at, p)| Some((at, p.word.chars().next()?))) {
            prefix_starts.entry(first).or_insert(at..at).end = at + 1;
        }
        let proclitics: Vec<String> = proclitics.iter().map(|p| crate::text::fold(p)).collect();
        let mut with_proclitic: FxHashMap<String, Vec<Class>> = FxHashMap::default();
        for (word, &class) in &literals {
            for rest in proclitics.iter().filter_map(|p| word.strip_prefix(p.as_str())) {
                if literals.contains_key(rest) {
                    with_proclitic.entry(rest.to_owned()).or_default().push(class);
                }
            }
        }
        let common = common.split_whitespace().map(|w| spelling(&crate::text::fold(w))).collect();
        let maskable_words = FxHashMap::default();
        let mut vocabulary = Self {
            entries,
            literals,
            prefixes,
            prefix_starts,
            proclitics,
            with_proclitic,
            maskable: maskable_words,
            common,
        };
        for word in maskable.iter().filter(|w| w.chars().count() >= 3) {
            let class = vocabulary.plain(word);
            if let (Some(first), true) = (word.chars().next(), class != OTHER) {
                vocabulary.maskable.entry(first).or_default().push((word.clone(), class));
            }
        }
        Ok(vocabulary)
    }

    /// Number of classes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() + usize::from(FIRST)
    }

    /// Class of a token of a message. `masked` tokens are also read behind their symbols.
    #[must_use]
    pub fn class(&self, token: &str, masked: bool) -> Class {
        if token.contains('\'') {
            return self.spelled(&spelling(token), masked);
        }
        self.spelled(token, masked)
    }

    fn spelled(&self, token: &str, masked: bool) -> Class {
        // One symbol for one Chinese character reads like the usual Latin one: 他*的 = 他X的.
        let token = if masked && token.chars().nth(1).is_none() { "x" } else { token };
        if let Some(&class) = self.literals.get(token) {
            return class;
        }
        // «stuuupid» before the prefix `st*`: a drawn-out word is the word.
        if token.len() > 3 && has_run(token) {
            let short: Vec<String> = [2, 1].into_iter().filter_map(|keep| collapse(token, keep)).collect();
            let literal = short.iter().find_map(|word| self.literals.get(word.as_str()));
            let prefix = short.iter().filter_map(|word| self.by_prefix(word)).max_by_key(|p| p.word.len());
            if let Some(class) = literal.copied().or(prefix.map(|p| p.class)) {
                return class;
            }
        }
        if let Some(prefix) = self.by_prefix(token) {
            return prefix.class;
        }
        if masked || has_digit_among_letters(token) {
            let class = self.unmasked(token);
            if class != OTHER {
                return class;
            }
        }
        for proclitic in &self.proclitics {
            if let Some(rest) = token.strip_prefix(proclitic.as_str())
                && rest.chars().nth(1).is_some()
            {
                let class = self.plain(rest);
                if class != OTHER {
                    return class;
                }
            }
        }
        OTHER
    }

    fn plain(&self, token: &str) -> Class {
        if let Some(&class) = self.literals.get(token) {
            return class;
        }
        self.by_prefix(token).map_or(OTHER, |p| p.class)
    }

    /// The longest prefix a token begins with.
    fn by_prefix(&self, token: &str) -> Option<&PrefixEntry> {
        let range = self.prefix_starts.get(&token.chars().next()?)?.clone();
        let same_letter = self.prefixes.get(range.clone())?;
        let before = same_letter.partition_point(|p| p.word.as_str() <= token);
        let mut at = before.checked_sub(1).map(|at| at + range.start);
        while let Some(entry) = at.and_then(|i| self.prefixes.get(i)) {
            if token.starts_with(&entry.word) {
                return Some(entry);
            }
            at = entry.parent;
        }
        None
    }

    fn unmasked(&self, token: &str) -> Class {
        // The first letter may itself be hidden behind a look-alike.
        let Some(first) = token.chars().next() else { return OTHER };
        let first = match first {
            '@' | '4' => 'a',
            '$' | '5' => 's',
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            letter => letter,
        };
        let words = self.maskable.get(&first).map_or(&[][..], Vec::as_slice);
        words.iter().find(|(word, _)| unmask(token, word)).map_or(OTHER, |(_, class)| *class)
    }

    /// Roughly how often a class is met in messages, compared with others: little words, short
    /// words and prefixes of many words are common.
    #[must_use]
    pub fn commonness(&self, class: usize) -> u64 {
        let Some(entry) = class.checked_sub(usize::from(FIRST)).and_then(|at| self.entries.get(at)) else {
            return 1000;
        };
        let short = match entry.word.chars().count() {
            0..=2 => 12,
            3 => 5,
            4 => 2,
            _ => 1,
        };
        let little = if self.common.contains(&entry.word) { 20 } else { 1 };
        short * little * if entry.prefix { 2 } else { 1 }
    }

    /// The classes that a pattern's word stands for, as ranges (first and last) in rising order.
    #[must_use]
    pub fn ranges(&self, word: &str, prefix: bool) -> Vec<(Class, Class)> {
        if prefix {
            let from = self.entries.partition_point(|e| e.word.as_str() < word);
            let count = self.entries.iter().skip(from).take_while(|e| e.word.starts_with(word)).count();
            let (Ok(from), Ok(to)) = (Class::try_from(from), Class::try_from(from + count)) else { return Vec::new() };
            return if count == 0 { Vec::new() } else { vec![(FIRST + from, FIRST + to - 1)] };
        }
        let mut classes: Vec<Class> = self.literals.get(word).copied().into_iter().collect();
        classes.extend(self.with_proclitic.get(word).into_iter().flatten());
        classes.sort_unstable();
        classes.dedup();
        classes.into_iter().map(|c| (c, c)).collect()
    }
}

fn has_digit_among_letters(token: &str) -> bool {
    token.bytes().any(|b| b.is_ascii_digit()) && token.chars().any(char::is_alphabetic)
}

fn has_run(token: &str) -> bool {
    let mut run = 0;
    let mut last = '\0';
    token.chars().any(|c| {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        run >= 3
    })
}
