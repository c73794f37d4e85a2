//! Owns the question whether a cue is meant: who says it, is it denied, imagined, quoted.
//! Knows token positions and triggers; the words themselves are data of the language.

use crate::domain::Suppression;
use crate::text::{Kind, Token};

use super::matcher::Groups;

/// A trigger that stands in the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trigger<'a> {
    pub reason: Suppression,
    pub spec: &'a Rules,
    /// First token, and the token after the last one.
    pub tokens: (usize, usize),
}

/// What a trigger of `scope.toml` says, with the cues as a mask.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub reach: usize,
    pub back: usize,
    pub sentence: bool,
    pub question: bool,
    /// Bit per cue it concerns.
    pub cues: Groups,
}

/// Where the sentences, clauses, quotations and barriers of a message lie.
#[derive(Debug)]
pub(super) struct Layout {
    /// Words before each token, so that a distance in words is a difference.
    words: Vec<usize>,
    /// Number of the sentence each token stands in.
    sentence: Vec<usize>,
    /// Number of the clause each token stands in; barriers begin a new one.
    clause: Vec<usize>,
    /// Whether a sentence ends in a question mark.
    question: Vec<bool>,
    /// Token ranges between quotation marks.
    quotes: Vec<(usize, usize)>,
}

/// Longest quotation in tokens; beyond it a mark has no partner.
const MAX_QUOTE: usize = 60;

impl Layout {
    pub(super) fn new(text: &str, tokens: &[Token], barriers: &[usize]) -> Self {
        let mut layout = Self {
            words: Vec::with_capacity(tokens.len() + 1),
            sentence: Vec::with_capacity(tokens.len()),
            clause: Vec::with_capacity(tokens.len()),
            question: vec![false],
            quotes: Vec::new(),
        };
        let (mut words, mut clause) = (0, 0);
        let mut barriers = barriers.iter().peekable();
        let mut open: Option<(usize, char)> = None;
        for (at, token) in tokens.iter().enumerate() {
            while barriers.next_if(|&&b| b < at).is_some() {}
            if barriers.peek() == Some(&&at) {
                clause += 1;
            }
            layout.words.push(words);
            layout.sentence.push(layout.question.len() - 1);
            layout.clause.push(clause);
            match token.kind {
                Kind::Word | Kind::Masked => words += 1,
                Kind::Soft => clause += 1,
                Kind::Stop(question) => {
                    if let Some(last) = layout.question.last_mut() {
                        *last |= question;
                    }
                    // «???» and «?!» are one end.
                    let again = tokens.get(at + 1).is_some_and(|t| matches!(t.kind, Kind::Stop(_)));
                    if again {
                        continue;
                    }
                    layout.question.push(false);
                    clause += 1;
                }
                Kind::Quote => {
                    let mark = text.get(token.span.clone()).and_then(|t| t.chars().next()).unwrap_or('"');
                    let before = text.get(..token.span.start).and_then(|t| t.chars().next_back());
                    let after = text.get(token.span.end..).and_then(|t| t.chars().next());
                    let can_open = mark == '"' || before.is_none_or(|c| !c.is_alphanumeric());
                    let can_close = mark == '"' || after.is_none_or(|c| !c.is_alphanumeric());
                    match open {
                        Some((start, m)) if m == mark && can_close && at - start <= MAX_QUOTE => {
                            layout.quotes.push((start + 1, at));
                            open = None;
                        }
                        Some((start, _)) if at - start <= MAX_QUOTE => {}
                        _ => open = can_open.then_some((at, mark)),
                    }
                }
            }
        }
        layout.words.push(words);
        layout
    }

    /// Whether the tokens `from..to` stand between quotation marks.
    pub(super) fn quoted(&self, from: usize, to: usize) -> bool {
        let after = self.quotes.partition_point(|q| q.1 < to);
        self.quotes.get(after).is_some_and(|q| q.0 <= from && to <= q.1)
    }

    /// Whether the trigger reaches the hit on the tokens `from..to`.
    pub(super) fn reaches(&self, trigger: &Trigger<'_>, from: usize, to: usize) -> bool {
        let rules = trigger.spec;
        let (start, end) = trigger.tokens;
        if rules.question && !self.asks(from) {
            return false;
        }
        if rules.reach == 0 && rules.back == 0 {
            return start < to && from < end;
        }
        if end <= from {
            return rules.reach > 0 && self.together(end - 1, from, rules) && self.distance(end, from) < rules.reach;
        }
        to <= start && rules.back > 0 && self.together(to - 1, start, rules) && self.distance(to, start) < rules.back
    }

    fn asks(&self, token: usize) -> bool {
        self.sentence.get(token).and_then(|&s| self.question.get(s)).copied().unwrap_or(false)
    }

    fn together(&self, first: usize, second: usize, rules: &Rules) -> bool {
        let same = |of: &[usize]| of.get(first).is_some() && of.get(first) == of.get(second);
        if rules.sentence { same(&self.sentence) } else { same(&self.clause) && same(&self.sentence) }
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        let words = |at: usize| self.words.get(at).copied().unwrap_or(0);
        words(to).saturating_sub(words(from))
    }
}
