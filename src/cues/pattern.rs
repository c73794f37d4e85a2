//! Owns the token-pattern language: literals, `prefix*`, `(a|b c)`, `[optional]`, `..n`, `{list}`,
//! `^` and `$`.
//! Knows how data is split and folded, not how patterns are matched.

use std::collections::BTreeMap;

use crate::text::{Kind, fold, segment};

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// One token that reads exactly so.
    Literal(String),
    /// One token that begins so.
    Prefix(String),
    /// Up to so many tokens, none of them the end of a sentence.
    Gap(u32),
    /// The place before the first word of a sentence (`^`).
    Start,
    /// The place after the last word of a sentence (`$`).
    End,
    /// All of them, one after the other.
    Sequence(Vec<Pattern>),
    /// One of them.
    Either(Vec<Pattern>),
    /// It, or nothing.
    Optional(Box<Pattern>),
}

/// Longest pattern in tokens.
const MAX_TOKENS: usize = super::matcher::MAX_TOKENS;
/// Longest gap: scope of a rule, not of a message.
const MAX_GAP: u32 = 12;

/// What a pattern is parsed with: named lists, and how the language elides.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Named lists, used as `{name}`.
    pub lists: &'a BTreeMap<String, String>,
    /// Elided articles.
    pub elisions: &'a [String],
}

/// Parses a pattern.
///
/// # Errors
/// What is wrong, with the position in characters.
pub fn parse(text: &str, context: Context<'_>) -> Result<Pattern, String> {
    parse_nested(text, context, 0)
}

fn parse_nested(text: &str, context: Context<'_>, depth: usize) -> Result<Pattern, String> {
    if depth > 4 {
        return Err("lists are nested more than four deep".to_owned());
    }
    let chars: Vec<char> = text.chars().collect();
    let mut parser = Parser { chars: &chars, at: 0, context, depth };
    let pattern = parser.either()?;
    if parser.at < chars.len() {
        return Err(parser.error("unexpected"));
    }
    if pattern.min_tokens() == 0 {
        return Err("it would match nothing: at least one token must be required".to_owned());
    }
    if pattern.max_tokens() > MAX_TOKENS {
        return Err(format!("it can be {} tokens long; at most {MAX_TOKENS}", pattern.max_tokens()));
    }
    Ok(pattern)
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    context: Context<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, what: &str) -> String {
        let found = self.chars.get(self.at).map_or("the end".to_owned(), |c| format!("{c:?}"));
        format!("{what} {found} at character {}", self.at + 1)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn either(&mut self) -> Result<Pattern, String> {
        let mut branches = vec![self.sequence()?];
        while self.peek() == Some('|') {
            self.at += 1;
            branches.push(self.sequence()?);
        }
        match branches.pop() {
            Some(only) if branches.is_empty() => Ok(only),
            Some(last) => {
                branches.push(last);
                Ok(Pattern::Either(branches))
            }
            None => Err(self.error("a branch is missing before")),
        }
    }

    fn sequence(&mut self) -> Result<Pattern, String> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '|' | ')' | ']' => break,
                c if c.is_whitespace() => self.at += 1,
                '(' => parts.push(self.bracketed(')')?),
                '[' => parts.push(Pattern::Optional(Box::new(self.bracketed(']')?))),
                '{' => parts.push(self.list()?),
                '^' if !parts.is_empty() => {
                    return Err(self.error("a sentence begins only before the first word, not at"));
                }
                _ if parts.last() == Some(&Pattern::End) => {
                    return Err(self.error("a sentence ends only after the last word, not before"));
                }
                '^' | '$' => {
                    self.at += 1;
                    parts.push(if c == '^' { Pattern::Start } else { Pattern::End });
                }
                '.' if self.chars.get(self.at + 1) == Some(&'.') => parts.push(self.gap()?),
                _ => self.words(&mut parts)?,
            }
        }
        if parts.is_empty() {
            return Err(self.error("an empty branch before"));
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Pattern::Sequence(parts)
            }
            None => Pattern::Sequence(parts),
        })
    }

    fn bracketed(&mut self, close: char) -> Result<Pattern, String> {
        self.at += 1;
        let inside = self.either()?;
        if self.peek() != Some(close) {
            return Err(self.error(&format!("{close:?} expected before")));
        }
        self.at += 1;
        Ok(inside)
    }

    fn list(&mut self) -> Result<Pattern, String> {
        let rest = self.chars.get(self.at + 1..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&c| c == '}') else { return Err(self.error("'}' missing after")) };
        let name: String = rest.iter().take(length).collect();
        self.at += length + 2;
        let Some(list) = self.context.lists.get(&name) else {
            let known = self.context.lists.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(format!("the list {{{name}}} is not defined under [words] of language.toml; known: {known}"));
        };
        parse_nested(list, self.context, self.depth + 1).map_err(|e| format!("in the list {{{name}}}: {e}"))
    }

    fn gap(&mut self) -> Result<Pattern, String> {
        self.at += 2;
        let digits: String = self.chars.iter().skip(self.at).take_while(|c| c.is_ascii_digit()).collect();
        self.at += digits.len();
        match digits.parse() {
            Ok(n) if (1..=MAX_GAP).contains(&n) => Ok(Pattern::Gap(n)),
            _ => Err(self.error(&format!("`..` needs a number from 1 to {MAX_GAP} before"))),
        }
    }

    /// A stretch of letters up to the next sign of the language, split like any message.
    fn words(&mut self, parts: &mut Vec<Pattern>) -> Result<(), String> {
        let start = self.at;
        while let Some(c) = self.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '|' | '*' | '^' | '$') {
                break;
            }
            self.at += 1;
        }
        let prefix = self.peek() == Some('*');
        let raw: String = self.chars.get(start..self.at).unwrap_or_default().iter().collect();
        if prefix {
            self.at += 1;
        }
        if !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_lowercase()) {
            // Nothing to fold or to split: most words of Latin patterns.
            parts.push(if prefix { Pattern::Prefix(raw) } else { Pattern::Literal(raw) });
            return Ok(());
        }
        let folded = fold(&raw);
        let tokens: Vec<String> = segment(&folded, self.context.elisions)
            .into_iter()
            .filter(|t| matches!(t.kind, Kind::Word | Kind::Masked))
            .filter_map(|t| folded.get(t.span).map(spelling))
            .collect();
        let Some((last, first)) = tokens.split_last() else {
            self.at = start;
            return Err(self.error("no word in"));
        };
        parts.extend(first.iter().cloned().map(Pattern::Literal));
        parts.push(if prefix { Pattern::Prefix(last.clone()) } else { Pattern::Literal(last.clone()) });
        Ok(())
    }
}

/// How a token is looked up: without the apostrophes inside it (`don't` = `dont`).
#[must_use]
pub fn spelling(token: &str) -> String {
    match token.strip_suffix('\'') {
        Some(head) => format!("{}'", head.replace('\'', "")),
        None => token.replace('\'', ""),
    }
}

impl Pattern {
    /// Fewest tokens it matches.
    #[must_use]
    pub fn min_tokens(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Prefix(_) => 1,
            Self::Gap(_) | Self::Start | Self::End | Self::Optional(_) => 0,
            Self::Sequence(parts) => parts.iter().map(Self::min_tokens).sum(),
            Self::Either(parts) => parts.iter().map(Self::min_tokens).min().unwrap_or(0),
        }
    }

    /// Most tokens it matches.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Prefix(_) => 1,
            Self::Gap(n) => *n as usize,
            Self::Start | Self::End => 0,
            Self::Optional(part) => part.max_tokens(),
            Self::Sequence(parts) => parts.iter().map(Self::max_tokens).sum(),
            Self::Either(parts) => parts.iter().map(Self::max_tokens).max().unwrap_or(0),
        }
    }

    /// Calls `see` with every literal and prefix; the flag is true for a prefix.
    pub fn each_word<'a>(&'a self, see: &mut impl FnMut(&'a str, bool)) {
        match self {
            Self::Literal(word) => see(word, false),
            Self::Prefix(word) => see(word, true),
            Self::Gap(_) | Self::Start | Self::End => {}
            Self::Optional(part) => part.each_word(see),
            Self::Sequence(parts) | Self::Either(parts) => parts.iter().for_each(|p| p.each_word(see)),
        }
    }

    /// The single words that are the whole of the pattern or of one of its branches.
    pub fn single_words<'a>(&'a self, out: &mut Vec<&'a str>) {
        match self {
            Self::Literal(word) => out.push(word),
            Self::Either(parts) => parts.iter().for_each(|p| p.single_words(out)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Pattern, String> {
        let lists = BTreeMap::from([("want".to_owned(), "want|would like".to_owned())]);
        parse(text, Context { lists: &lists, elisions: &["l".to_owned()] })
    }

    fn literal(word: &str) -> Pattern {
        Pattern::Literal(word.to_owned())
    }

    #[test]
    fn edges_stand_at_the_edges() {
        assert!(parsed("^ enough $").is_ok());
        let error = parsed("manager ^ now").unwrap_err();
        assert!(error.contains("before the first word"), "{error}");
        let error = parsed("manager $ ..2 now").unwrap_err();
        assert!(error.contains("after the last word"), "{error}");
    }

    #[test]
    fn reads_every_sign() {
        let Pattern::Sequence(parts) = parsed("(Speak|talk) ..2 [the] l'Avocat manag* {want}").unwrap() else {
            panic!("no sequence")
        };
        assert_eq!(
            parts,
            vec![
                Pattern::Either(vec![literal("speak"), literal("talk")]),
                Pattern::Gap(2),
                Pattern::Optional(Box::new(literal("the"))),
                literal("l'"),
                literal("avocat"),
                Pattern::Prefix("manag".to_owned()),
                Pattern::Either(vec![literal("want"), Pattern::Sequence(vec![literal("would"), literal("like")])]),
            ]
        );
        assert_eq!(parsed("退錢").unwrap(), Pattern::Sequence(vec![literal("退"), literal("钱")]));
        assert_eq!(parsed("Don’t").unwrap(), literal("dont"));
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, reason) in [
            ("", "empty branch"),
            ("(a|b", "')' expected"),
            ("a)", "unexpected"),
            ("..2", "match nothing"),
            ("a ..99 b", "number from 1 to 12"),
            ("{nope} a", "not defined"),
            ("[a]", "match nothing"),
            ("a | | b", "empty branch"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
