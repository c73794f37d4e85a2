//! Owns finding cues: from a normalised message to hits with spans, and near misses with reasons.
//! Knows one language at a time and nothing of models, priority or advice.

mod matcher;
mod nodes;
mod pattern;
mod proof;
mod scope;
mod vocabulary;

use std::ops::Range;
use std::sync::Arc;

use crate::domain::{CueHit, Suppressed, Suppression};
use crate::packs::schema::{CueTable, LanguageSpec, ScopeSpec};
use crate::packs::{Finding, Language};
use crate::text::{Kind, Normalised, OwnWords, Token, segment};

use matcher::{Found, Groups, Matcher};
use pattern::Pattern;
use scope::{Layout, Trigger};
use vocabulary::{Class, OTHER, STOP, Vocabulary};

pub use proof::prove;

/// What was found in one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Cues the author performs, in order of position.
    pub hits: Vec<CueHit>,
    /// Cues that nearly fired, in order of position.
    pub suppressed: Vec<Suppressed>,
}

/// The compiled rules of one language.
#[derive(Debug)]
pub struct Lexicon {
    elisions: Vec<String>,
    vocabulary: Vocabulary,
    /// The rules, numbered as in `rules`.
    cues: Matcher,
    rules: Vec<CompiledRule>,
    /// What takes a hit back or bounds it, numbered as in `roles`.
    context: Matcher,
    roles: Vec<Role>,
}

/// What a pattern of the context is for.
#[derive(Debug)]
enum Role {
    Void(usize),
    Scope(Suppression, scope::Rules),
    Barrier,
}

impl Role {
    /// The cues on which it bears.
    fn concerns(&self, rules: &[CompiledRule]) -> Groups {
        match self {
            Self::Void(rule) => rules.get(*rule).map_or(0, |r| cue_bit(r.number)),
            Self::Scope(_, spec) => spec.cues,
            Self::Barrier => Groups::MAX,
        }
    }
}

#[derive(Debug)]
struct CompiledRule {
    id: Arc<str>,
    cue: Arc<str>,
    /// Number of the cue.
    number: usize,
    level: u8,
    signal: Option<Arc<str>>,
    /// Suppressions that apply, as bits in the order of `Suppression::ALL`.
    scopes: u8,
}

/// A rule's pattern, or one that voids it, on tokens.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    rule: usize,
    tokens: (usize, usize),
}

/// A candidate of which it is known whether it is meant.
#[derive(Debug)]
struct Judged<'a> {
    rule: &'a CompiledRule,
    /// In the normalised text.
    span: Range<usize>,
    reason: Option<Suppression>,
}

impl Lexicon {
    /// Compiles the rules of a language.
    ///
    /// # Errors
    /// Every pattern that cannot be read, with its place and what is wrong.
    pub fn compile(language: &Language, cues: &CueTable) -> Result<Self, Vec<Finding>> {
        let context = pattern::Context { lists: &language.spec.words, elisions: &language.spec.elisions };
        let mut findings = Vec::new();
        let (mut patterns, mut around): (Vec<Pattern>, Vec<Pattern>) = (Vec::new(), Vec::new());
        let mut roles = Vec::new();
        let mut compiled = Vec::new();
        let mut maskable = Vec::new();
        let mut read = |text: &str, place: &str| {
            let parsed = pattern::parse(text, context);
            parsed.map_err(|what| findings.push(Finding::error(place, format!("pattern {text:?}: {what}")))).ok()
        };
        for rule in &language.rules {
            let place = format!("languages/{}/cues.toml: {}", language.tag, rule.id);
            let spec = cues.get(&rule.cue);
            for parsed in rule.spec.void.iter().filter_map(|void| read(void, &place)) {
                around.push(parsed);
                roles.push(Role::Void(compiled.len()));
            }
            let Some(parsed) = read(&rule.spec.rule, &place) else { continue };
            if spec.is_some_and(|s| s.unmask) {
                let mut words = Vec::new();
                parsed.single_words(&mut words);
                maskable.extend(words.into_iter().map(str::to_owned));
            }
            patterns.push(parsed);
            compiled.push(CompiledRule {
                id: rule.id.as_str().into(),
                cue: rule.cue.as_str().into(),
                number: cue_number(cues, &rule.cue),
                level: rule.spec.level,
                signal: rule.spec.signal.as_deref().map(Arc::from),
                scopes: spec.map_or(0, |s| mask_of(&s.scopes)) & !mask_of(&rule.spec.immune),
            });
        }
        let place = format!("languages/{}/scope.toml", language.tag);
        for parsed in language.scope.barriers.iter().filter_map(|barrier| read(barrier, &place)) {
            around.push(parsed);
            roles.push(Role::Barrier);
        }
        let scope = &language.scope;
        let kinds: [(Suppression, &Vec<ScopeSpec>); 4] = [
            (Suppression::Negated, &scope.negated),
            (Suppression::Hypothetical, &scope.hypothetical),
            (Suppression::Reported, &scope.reported),
            (Suppression::Excepted, &scope.excepted),
        ];
        for (reason, specs) in kinds {
            for spec in specs {
                if let Some(parsed) = read(&spec.pattern, &format!("{place}: {}", reason.name())) {
                    around.push(parsed);
                    roles.push(Role::Scope(reason, compile_scope(spec, cues)));
                }
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let LanguageSpec { proclitics, markers, elisions, .. } = &language.spec;
        let fillers: Vec<String> =
            language.spec.fillers.split_whitespace().map(|w| pattern::spelling(&crate::text::fold(w))).collect();
        let passed: Vec<Pattern> = fillers.iter().cloned().map(Pattern::Literal).collect();
        let words = patterns.iter().chain(&around).chain(&passed);
        let vocabulary = Vocabulary::new(words, proclitics, &maskable, markers)
            .map_err(|what| vec![Finding::error(format!("languages/{}", language.tag), what)])?;
        Ok(Self {
            elisions: elisions.clone(),
            cues: Matcher::new(patterns.iter().map(|p| (p, Groups::MAX)), &vocabulary)
                .passing_over(fillers.iter().map(String::as_str), &vocabulary),
            context: Matcher::new(around.iter().zip(roles.iter().map(|r| r.concerns(&compiled))), &vocabulary)
                .passing_over(fillers.iter().map(String::as_str), &vocabulary),
            rules: compiled,
            roles,
            vocabulary,
        })
    }

    /// Number of compiled patterns and of words they tell apart.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.rules.len() + self.roles.len(), self.vocabulary.len())
    }

    /// Finds the cues of a message. `own` divides the normalised text.
    #[must_use]
    pub fn read(&self, normal: &Normalised, own: &OwnWords) -> Reading {
        let text = normal.text.as_str();
        let tokens = segment(text, &self.elisions);
        let (stream, positions) = self.stream(text, &tokens);
        let found = self.cues.find(&stream);
        if found.is_empty() {
            return Reading::default();
        }
        let context = Context::new(self, &stream, &positions, &found);
        let layout = Layout::new(text, &tokens, &context.barriers);
        let judged = found.iter().filter_map(|hit| {
            let (from, to) = tokens_of(hit, &positions)?;
            let span = tokens.get(from)?.span.start..tokens.get(to - 1)?.span.end;
            let rule = self.rules.get(hit.pattern)?;
            let candidate = Candidate { rule: hit.pattern, tokens: (from, to) };
            let reason = context.suppression(rule, &candidate, &span, own, &layout);
            Some(Judged { rule, span, reason })
        });
        settle(judged.collect(), normal)
    }

    /// The classes of the words and sentence ends, and the token each one came from.
    fn stream(&self, text: &str, tokens: &[Token]) -> (Vec<Class>, Vec<usize>) {
        let mut stream = Vec::with_capacity(tokens.len());
        let mut positions = Vec::with_capacity(tokens.len());
        for (at, token) in tokens.iter().enumerate() {
            let class = match token.kind {
                Kind::Stop(_) => STOP,
                Kind::Soft | Kind::Quote => continue,
                kind => text.get(token.span.clone()).map_or(OTHER, |t| self.vocabulary.class(t, kind == Kind::Masked)),
            };
            stream.push(class);
            positions.push(at);
        }
        (stream, positions)
    }
}

/// What stands around the candidates of a message and says whether they are meant.
struct Context<'a> {
    voids: Vec<Candidate>,
    triggers: Vec<Trigger<'a>>,
    /// First tokens.
    barriers: Vec<usize>,
}

impl<'a> Context<'a> {
    /// Reads the sentences in which something was found; no other can matter.
    fn new(lexicon: &'a Lexicon, stream: &[Class], positions: &[usize], found: &[Found]) -> Self {
        let mut context = Self { voids: Vec::new(), triggers: Vec::new(), barriers: Vec::new() };
        let mut around = Vec::new();
        let mut hits: Vec<(usize, Groups)> =
            found.iter().filter_map(|f| Some((f.start, cue_bit(lexicon.rules.get(f.pattern)?.number)))).collect();
        hits.sort_unstable();
        let mut from = 0;
        for sentence in stream.split(|&class| class == STOP) {
            let to = from + sentence.len();
            let before = hits.partition_point(|h| h.0 < from);
            let cues = hits.iter().skip(before).take_while(|h| h.0 < to).fold(0, |all, h| all | h.1);
            if cues != 0 {
                lexicon.context.find_in_sentence(sentence, from, cues, &mut around);
            }
            from = to + 1;
        }
        for hit in &around {
            let Some(tokens) = tokens_of(hit, positions) else { continue };
            match lexicon.roles.get(hit.pattern) {
                Some(Role::Void(rule)) => context.voids.push(Candidate { rule: *rule, tokens }),
                Some(Role::Scope(reason, spec)) => context.triggers.push(Trigger { reason: *reason, spec, tokens }),
                Some(Role::Barrier) => context.barriers.push(tokens.0),
                None => {}
            }
        }
        context.voids.sort_by_key(|v| v.tokens.0);
        context.triggers.sort_by_key(|t| t.tokens.0);
        context.barriers.sort_unstable();
        context
    }

    /// Why a candidate is not meant, if it is not.
    fn suppression(
        &self,
        rule: &CompiledRule,
        candidate: &Candidate,
        span: &Range<usize>,
        own: &OwnWords,
        layout: &Layout,
    ) -> Option<Suppression> {
        let (from, to) = candidate.tokens;
        // Quoted mail is nobody's cue, whatever the rule.
        if !own.contains(span) {
            return Some(Suppression::Quoted);
        }
        if near(&self.voids, from, |v| v.tokens.0)
            .iter()
            .any(|v| v.rule == candidate.rule && v.tokens.0 < to && from < v.tokens.1)
        {
            return Some(Suppression::Excepted);
        }
        let applies = |reason: Suppression| rule.scopes & scope_bit(reason) != 0;
        if applies(Suppression::Quoted) && layout.quoted(from, to) {
            return Some(Suppression::Quoted);
        }
        near(&self.triggers, from, |t| t.tokens.0)
            .iter()
            .filter(|t| t.spec.cues & cue_bit(rule.number) != 0 && applies(t.reason))
            .find(|t| layout.reaches(t, from, to))
            .map(|t| t.reason)
    }
}

/// First token of a match, and the one after its last.
fn tokens_of(hit: &Found, positions: &[usize]) -> Option<(usize, usize)> {
    let (&first, &last) = positions.get(hit.start).zip(positions.get(hit.end.checked_sub(1)?))?;
    Some((first, last + 1))
}

/// Farthest that a trigger can stand from a hit, in tokens: keeps the search for it bounded.
const HORIZON: usize = 80;

/// The part of a list sorted by token that lies within the horizon of a token.
fn near<T>(list: &[T], token: usize, at: impl Fn(&T) -> usize) -> &[T] {
    let from = list.partition_point(|t| at(t) + HORIZON < token);
    let to = list.partition_point(|t| at(t) <= token + HORIZON);
    list.get(from..to).unwrap_or_default()
}

impl Reading {
    /// Adds what the rules of another language found, where this one found and took back nothing.
    pub fn join(&mut self, other: Self) {
        let known = |hit: &CueHit, seen: &Self| {
            beside(&seen.hits, hit, |h| h) || beside(&seen.suppressed, hit, |s: &Suppressed| &s.hit)
        };
        let hits: Vec<CueHit> = other.hits.into_iter().filter(|h| !known(h, self)).collect();
        let near: Vec<Suppressed> = other.suppressed.into_iter().filter(|s| !known(&s.hit, self)).collect();
        self.hits.extend(hits);
        self.suppressed.extend(near);
        self.hits.sort_by_key(|h| (h.span.start, h.span.end));
        self.suppressed.sort_by_key(|s| (s.hit.span.start, s.hit.span.end));
    }
}

/// Orders hits, drops those that a longer hit of the same cue covers or overlaps, and near misses
/// that a hit covers or overlaps.
fn settle(judged: Vec<Judged<'_>>, normal: &Normalised) -> Reading {
    let (missed, meant): (Vec<_>, Vec<_>) = judged.into_iter().partition(|j| j.reason.is_some());
    let (hits, mut missed) = (merge(meant), merge(missed));
    missed.retain(|miss| !overlapped(&hits, &miss.span, |h| &h.span, |h| h.rule.number == miss.rule.number));
    let hit = |j: &Judged<'_>| CueHit {
        cue: j.rule.cue.clone(),
        rule: j.rule.id.clone(),
        span: normal.original_span(&j.span),
        level: j.rule.level,
        signal: j.rule.signal.clone(),
    };
    Reading {
        hits: hits.iter().map(hit).collect(),
        suppressed: missed.iter().filter_map(|j| Some(Suppressed { hit: hit(j), reason: j.reason? })).collect(),
    }
}

/// Whether a hit of the same cue overlaps `hit`, in a list in order of position.
fn beside<T>(list: &[T], hit: &CueHit, of: impl Fn(&T) -> &CueHit) -> bool {
    overlapped(list, &hit.span, |item| &of(item).span, |item| of(item).cue == hit.cue)
}

/// Longest match in bytes that is looked for before a position.
const LONGEST: usize = 4096;

/// Whether an item of a list in order of position overlaps a span.
fn overlapped<T>(
    list: &[T],
    span: &Range<usize>,
    of: impl Fn(&T) -> &Range<usize>,
    alike: impl Fn(&T) -> bool,
) -> bool {
    let from = list.partition_point(|item| of(item).start + LONGEST < span.start);
    let near = list.iter().skip(from).take_while(|item| of(item).start < span.end);
    near.into_iter().any(|item| of(item).end > span.start && alike(item))
}

/// Of overlapping items of one cue keeps the longest; the result is in order of position.
fn merge(mut items: Vec<Judged<'_>>) -> Vec<Judged<'_>> {
    items.sort_by_key(|i| (i.span.start, std::cmp::Reverse(i.span.end)));
    // Per cue the last one kept.
    let mut last: Vec<Option<usize>> = Vec::new();
    let mut kept: Vec<Judged<'_>> = Vec::with_capacity(items.len());
    for item in items {
        let number = item.rule.number;
        if last.len() <= number {
            last.resize(number + 1, None);
        }
        let Some(slot) = last.get_mut(number) else { continue };
        if let Some(old) = slot.and_then(|at| kept.get_mut(at))
            && old.span.end > item.span.start
        {
            let grave = |j: &Judged<'_>| (j.rule.signal.is_some(), j.rule.level);
            if item.span.len() > old.span.len() || item.span == old.span && grave(&item) > grave(old) {
                *old = item;
            }
            continue;
        }
        *slot = Some(kept.len());
        kept.push(item);
    }
    kept.sort_by_key(|i| (i.span.start, i.span.end));
    kept
}

fn cue_number(cues: &CueTable, cue: &str) -> usize {
    cues.keys().position(|c| c == cue).unwrap_or(cues.len())
}

fn cue_bit(number: usize) -> Groups {
    1 << number.min(31)
}

fn mask_of(names: &[String]) -> u8 {
    names.iter().filter_map(|n| Suppression::parse(n)).fold(0, |mask, s| mask | scope_bit(s))
}

fn scope_bit(reason: Suppression) -> u8 {
    Suppression::ALL.iter().position(|(_, s)| *s == reason).map_or(0, |at| 1 << at)
}

fn compile_scope(spec: &ScopeSpec, cues: &CueTable) -> scope::Rules {
    let bits = |names: &[String]| names.iter().fold(0, |mask, cue| mask | cue_bit(cue_number(cues, cue)));
    let included = if spec.cues.is_empty() { Groups::MAX } else { bits(&spec.cues) };
    scope::Rules {
        reach: spec.reach,
        back: spec.back,
        sentence: spec.sentence,
        question: spec.question,
        cues: included & !bits(&spec.not_cues),
    }
}
