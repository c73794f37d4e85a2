//! Owns the one automaton of a language: all patterns at once, in time linear in the message.
//! Knows classes and pattern numbers, not what a pattern is for.

use regex_automata::hybrid::dfa::{Cache, DFA, OverlappingState};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, MatchKind, PatternID};
use regex_syntax::hir::{Class as HirClass, ClassBytes, ClassBytesRange, Hir, Repetition};

use super::pattern::Pattern;
use super::vocabulary::{Class, OTHER, STOP, Vocabulary};

/// A pattern found in a stream of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Number of the pattern, in the order given to [`Automaton::new`].
    pub pattern: usize,
    /// First token, as a position in the stream.
    pub start: usize,
    /// Token after the last one.
    pub end: usize,
}

/// All patterns of one language.
///
/// A class is written as two bytes, the first one above 127 and the second one below, so that no
/// match can begin between them; then the lazily built DFA of `regex-automata` does the rest.
pub struct Automaton {
    forward: DFA,
    backward: DFA,
    lengths: Vec<Option<usize>>,
    caches: Pool<Caches, Box<dyn Fn() -> Caches + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>>,
}

struct Caches {
    forward: Cache,
    backward: Cache,
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Automaton").field("patterns", &self.lengths.len()).finish_non_exhaustive()
    }
}

/// Bytes of built states kept per thread and direction before the oldest are thrown away.
const FORWARD_CACHE: usize = 6 << 20;
const BACKWARD_CACHE: usize = 1 << 20;

impl Automaton {
    /// Compiles patterns over a vocabulary.
    ///
    /// # Errors
    /// The patterns are too many or too large for an automaton.
    pub fn new(patterns: &[Pattern], vocabulary: &Vocabulary) -> Result<Self, String> {
        let hirs: Vec<Hir> = patterns.iter().map(|p| hir(p, vocabulary)).collect();
        let forward = build(&hirs, false).map_err(|e| e.to_string())?;
        let backward = build(&hirs, true).map_err(|e| e.to_string())?;
        let lengths = patterns.iter().map(|p| (p.min_tokens() == p.max_tokens()).then(|| p.min_tokens())).collect();
        let (forward_dfa, backward_dfa) = (forward.clone(), backward.clone());
        let caches = Pool::new(Box::new(move || Caches {
            forward: Cache::new(&forward_dfa),
            backward: Cache::new(&backward_dfa),
        }) as Box<_>);
        Ok(Self { forward, backward, lengths, caches })
    }

    /// Finds every pattern in a stream of classes, in order of the end.
    ///
    /// For each pattern and end the longest match is given.
    #[must_use]
    pub fn find(&self, stream: &[Class]) -> Vec<Found> {
        let bytes: Vec<u8> = stream.iter().flat_map(|&c| encode(c)).collect();
        let mut found = Vec::new();
        let mut caches = self.caches.get();
        let mut state = OverlappingState::start();
        let input = Input::new(&bytes);
        // The lazy DFA is configured to clear its cache rather than give up, so there is no error
        // to pass on; a match is never lost.
        while self.forward.try_search_overlapping_fwd(&mut caches.forward, &input, &mut state).is_ok() {
            let Some(hit) = state.get_match() else { break };
            let end = hit.offset() / 2;
            if let Some(start) = self.start(&mut caches.backward, &bytes, hit.pattern(), end) {
                found.push(Found { pattern: hit.pattern().as_usize(), start, end });
            }
        }
        found
    }

    fn start(&self, cache: &mut Cache, bytes: &[u8], pattern: PatternID, end: usize) -> Option<usize> {
        if let Some(length) = self.lengths.get(pattern.as_usize()).copied().flatten() {
            return end.checked_sub(length);
        }
        let input = Input::new(bytes).range(..end * 2).anchored(Anchored::Pattern(pattern));
        let half = self.backward.try_search_rev(cache, &input).ok().flatten()?;
        Some(half.offset() / 2)
    }
}

fn build(hirs: &[Hir], reverse: bool) -> Result<DFA, Box<dyn std::error::Error>> {
    let nfa = thompson::Compiler::new()
        .configure(thompson::Config::new().utf8(false).reverse(reverse).which_captures(WhichCaptures::None))
        .build_many_from_hir(hirs)?;
    let capacity = if reverse { BACKWARD_CACHE } else { FORWARD_CACHE };
    let config = DFA::config()
        .match_kind(MatchKind::All)
        .starts_for_each_pattern(reverse)
        .skip_cache_capacity_check(true)
        .cache_capacity(capacity);
    Ok(DFA::builder().configure(config).build_from_nfa(nfa)?)
}

fn encode(class: Class) -> [u8; 2] {
    let [_, high] = (class >> 7).to_be_bytes();
    let [_, low] = (class & 0x7F).to_be_bytes();
    [0x80 | high, low]
}

fn hir(pattern: &Pattern, vocabulary: &Vocabulary) -> Hir {
    match pattern {
        Pattern::Literal(word) => classes(vocabulary.ranges(word, false)),
        Pattern::Prefix(word) => classes(vocabulary.ranges(word, true)),
        Pattern::Gap(n) => Hir::repetition(Repetition { min: 0, max: Some(*n), greedy: true, sub: Box::new(inside_a_sentence()) }),
        Pattern::Sequence(parts) => Hir::concat(parts.iter().map(|p| hir(p, vocabulary)).collect()),
        Pattern::Either(parts) => Hir::alternation(parts.iter().map(|p| hir(p, vocabulary)).collect()),
        Pattern::Optional(part) => Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(hir(part, vocabulary)) }),
    }
}

/// Any token but the end of a sentence.
fn inside_a_sentence() -> Hir {
    let [first, low] = encode(STOP);
    Hir::alternation(vec![
        Hir::concat(vec![Hir::literal([first]), byte_range(0, low - 1)]),
        Hir::concat(vec![Hir::literal([first]), byte_range(low + 1, 0x7F)]),
        Hir::concat(vec![byte_range(first + 1, 0xFF), byte_range(0, 0x7F)]),
    ])
}

const _: () = assert!(OTHER < STOP);

fn classes(ranges: Vec<std::ops::RangeInclusive<Class>>) -> Hir {
    let mut branches = Vec::new();
    for range in ranges {
        let ([first, from], [last, to]) = (encode(*range.start()), encode(*range.end()));
        if first == last {
            branches.push(Hir::concat(vec![Hir::literal([first]), byte_range(from, to)]));
            continue;
        }
        branches.push(Hir::concat(vec![Hir::literal([first]), byte_range(from, 0x7F)]));
        if first + 1 < last {
            branches.push(Hir::concat(vec![byte_range(first + 1, last - 1), byte_range(0, 0x7F)]));
        }
        branches.push(Hir::concat(vec![Hir::literal([last]), byte_range(0, to)]));
    }
    if branches.is_empty() { Hir::fail() } else { Hir::alternation(branches) }
}

fn byte_range(from: u8, to: u8) -> Hir {
    Hir::class(HirClass::Bytes(ClassBytes::new([ClassBytesRange::new(from, to)])))
}
