//! Owns finding cues: from a normalised message to hits with spans, and near misses with reasons.
//! Knows one language at a time and nothing of models, priority or advice.

mod matcher;
mod pattern;
mod proof;
mod scope;
mod vocabulary;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::{CueHit, Suppressed, Suppression};
use crate::packs::schema::{CueTable, ScopeSpec};
use crate::packs::{Finding, Language, Packs};
use crate::text::{Kind, Normalised, OwnWords, Token, segment};

use matcher::{Found, Matcher};
use pattern::{Context, Pattern};
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
    matcher: Matcher,
    roles: Vec<Role>,
    rules: Vec<CompiledRule>,
}

/// What a pattern is for.
#[derive(Debug)]
enum Role {
    Rule(usize),
    Void(usize),
    Scope(Suppression, scope::Rules),
    Barrier,
}

#[derive(Debug)]
struct CompiledRule {
    id: String,
    cue: String,
    bit: u64,
    level: u8,
    signal: Option<String>,
    /// Suppressions that apply, as bits in the order of `Suppression::ALL`.
    scopes: u8,
}

/// A cue hit on tokens, before it is known whether it is meant.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    rule: usize,
    tokens: (usize, usize),
}

impl Lexicon {
    /// Compiles the rules of a language.
    ///
    /// # Errors
    /// Every pattern that cannot be read, with its place and what is wrong.
    pub fn compile(language: &Language, cues: &CueTable) -> Result<Self, Vec<Finding>> {
        let context = Context { lists: &language.spec.words, elisions: &language.spec.elisions };
        let mut findings = Vec::new();
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut roles = Vec::new();
        let mut compiled = Vec::new();
        let mut maskable = Vec::new();
        let mut add = |text: &str, role: Role, place: &str, masks: bool| match pattern::parse(text, context) {
            Ok(parsed) => {
                if masks {
                    let mut words = Vec::new();
                    parsed.single_words(&mut words);
                    maskable.extend(words.into_iter().map(str::to_owned));
                }
                patterns.push(parsed);
                roles.push(role);
            }
            Err(what) => findings.push(Finding::error(place, format!("pattern {text:?}: {what}"))),
        };
        for rule in &language.rules {
            let place = format!("languages/{}/cues.toml: {}", language.tag, rule.id);
            let number = compiled.len();
            let spec = cues.get(&rule.cue);
            let scopes = spec.map_or(0, |s| mask_of(&s.scopes)) & !mask_of(&rule.spec.immune);
            compiled.push(CompiledRule {
                id: rule.id.clone(),
                cue: rule.cue.clone(),
                bit: cue_bit(cues, &rule.cue),
                level: rule.spec.level,
                signal: rule.spec.signal.clone(),
                scopes,
            });
            add(&rule.spec.rule, Role::Rule(number), &place, spec.is_some_and(|s| s.unmask));
            for void in &rule.spec.void {
                add(void, Role::Void(number), &place, false);
            }
        }
        let place = format!("languages/{}/scope.toml", language.tag);
        for barrier in &language.scope.barriers {
            add(barrier, Role::Barrier, &place, false);
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
                add(
                    &spec.pattern,
                    Role::Scope(reason, compile_scope(spec, cues)),
                    &format!("{place}: {}", reason.name()),
                    false,
                );
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let common = &language.spec.markers;
        match Vocabulary::new(patterns.iter(), &language.spec.proclitics, &maskable, common) {
            Ok(vocabulary) => {
                let matcher = Matcher::new(&patterns, &vocabulary);
                Ok(Self { elisions: language.spec.elisions.clone(), vocabulary, matcher, roles, rules: compiled })
            }
            Err(what) => Err(vec![Finding::error(format!("languages/{}", language.tag), what)]),
        }
    }

    /// Number of compiled patterns and of words they tell apart.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.roles.len(), self.vocabulary.len())
    }

    /// Finds the cues of a message. `own` divides the normalised text.
    #[must_use]
    pub fn read(&self, normal: &Normalised, own: &OwnWords) -> Reading {
        let text = normal.text.as_str();
        let tokens = segment(text, &self.elisions);
        let (stream, positions) = self.stream(text, &tokens);
        let found = self.matcher.find(&stream);
        let (candidates, voids, triggers, barriers) = self.sort_out(&found, &positions);
        if candidates.is_empty() {
            return Reading::default();
        }
        let layout = Layout::new(text, &tokens, &barriers);
        let mut reading = Reading::default();
        for candidate in candidates {
            let Some(rule) = self.rules.get(candidate.rule) else { continue };
            let (from, to) = candidate.tokens;
            let Some(span) = tokens.get(from).zip(tokens.get(to - 1)).map(|(a, b)| a.span.start..b.span.end) else {
                continue;
            };
            let reason = Self::suppression(rule, &candidate, &span, own, &layout, &voids, &triggers);
            let hit = CueHit {
                cue: rule.cue.clone(),
                rule: rule.id.clone(),
                span: normal.original_span(&span),
                level: rule.level,
                signal: rule.signal.clone(),
            };
            match reason {
                None => reading.hits.push(hit),
                Some(reason) => reading.suppressed.push(Suppressed { hit, reason }),
            }
        }
        reading.settle();
        reading
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
    fn sort_out<'a>(
        &'a self,
        found: &[Found],
        positions: &[usize],
    ) -> (Vec<Candidate>, Vec<Candidate>, Vec<Trigger<'a>>, Vec<usize>) {
        let (mut candidates, mut voids, mut triggers, mut barriers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for hit in found {
            let (Some(&first), Some(&last)) = (positions.get(hit.start), positions.get(hit.end.wrapping_sub(1))) else {
                continue;
            };
            let tokens = (first, last + 1);
            match self.roles.get(hit.pattern) {
                Some(Role::Rule(rule)) => candidates.push(Candidate { rule: *rule, tokens }),
                Some(Role::Void(rule)) => voids.push(Candidate { rule: *rule, tokens }),
                Some(Role::Scope(reason, spec)) => triggers.push(Trigger { reason: *reason, spec, tokens }),
                Some(Role::Barrier) => barriers.push(first),
                None => {}
            }
        }
        voids.sort_by_key(|v| v.tokens.0);
        triggers.sort_by_key(|t| t.tokens.0);
        barriers.sort_unstable();
        (candidates, voids, triggers, barriers)
    }
    fn suppression(
        rule: &CompiledRule,
        candidate: &Candidate,
        span: &Range<usize>,
        own: &OwnWords,
        layout: &Layout,
        voids: &[Candidate],
        triggers: &[Trigger<'_>],
    ) -> Option<Suppression> {
        let (from, to) = candidate.tokens;
        // Quoted mail is nobody's cue, whatever the rule.
        if !own.contains(span) {
            return Some(Suppression::Quoted);
        }
        if near(voids, from, |v| v.tokens.0)
            .iter()
            .any(|v| v.rule == candidate.rule && v.tokens.0 < to && from < v.tokens.1)
        {
            return Some(Suppression::Excepted);
        }
        let applies = |reason: Suppression| rule.scopes & scope_bit(reason) != 0;
        if applies(Suppression::Quoted) && layout.quoted(from, to) {
            return Some(Suppression::Quoted);
        }
        near(triggers, from, |t| t.tokens.0)
            .iter()
            .filter(|t| t.spec.cues & rule.bit != 0 && applies(t.reason))
            .find(|t| layout.reaches(t, from, to))
            .map(|t| t.reason)
    }
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
    /// Orders hits, drops those that a longer hit of the same cue covers or overlaps, and near
    /// misses that a hit covers.
    fn settle(&mut self) {
        self.hits = merge(std::mem::take(&mut self.hits), |h| h);
        self.suppressed = merge(std::mem::take(&mut self.suppressed), |s| &s.hit);
        let hits = &self.hits;
        self.suppressed.retain(|s| {
            let from = hits.partition_point(|h| h.span.start + 4096 < s.hit.span.start);
            !hits
                .iter()
                .skip(from)
                .take_while(|h| h.span.start < s.hit.span.end)
                .any(|h| h.cue == s.hit.cue && h.span.end > s.hit.span.start)
        });
    }
}

/// Of overlapping items of one cue keeps the longest; the result is in order of position.
fn merge<T>(mut items: Vec<T>, hit: impl Fn(&T) -> &CueHit) -> Vec<T> {
    items.sort_by_key(|i| (hit(i).span.start, std::cmp::Reverse(hit(i).span.end)));
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Option<T>> = Vec::with_capacity(items.len());
    for item in items {
        let this = hit(&item);
        let previous = last.get(&this.cue).copied();
        if let Some(slot) = previous.and_then(|at| kept.get_mut(at))
            && let Some(old) = slot.as_ref().map(&hit)
            && old.span.end > this.span.start
        {
            let graver = (this.signal.is_some(), this.level) > (old.signal.is_some(), old.level);
            if this.span.len() > old.span.len() || this.span == old.span && graver {
                *slot = Some(item);
            }
            continue;
        }
        last.insert(this.cue.clone(), kept.len());
        kept.push(Some(item));
    }
    let mut kept: Vec<T> = kept.into_iter().flatten().collect();
    kept.sort_by_key(|i| (hit(i).span.start, hit(i).span.end));
    kept
}

fn cue_bit(cues: &CueTable, cue: &str) -> u64 {
    cues.keys().position(|c| c == cue).map_or(0, |at| 1 << at.min(63))
}

fn mask_of(names: &[String]) -> u8 {
    names.iter().filter_map(|n| Suppression::parse(n)).fold(0, |mask, s| mask | scope_bit(s))
}

fn scope_bit(reason: Suppression) -> u8 {
    Suppression::ALL.iter().position(|(_, s)| *s == reason).map_or(0, |at| 1 << at)
}

fn compile_scope(spec: &ScopeSpec, cues: &CueTable) -> scope::Rules {
    let bits = |names: &[String]| names.iter().fold(0, |mask, cue| mask | cue_bit(cues, cue));
    let included = if spec.cues.is_empty() { u64::MAX } else { bits(&spec.cues) };
    scope::Rules {
        reach: spec.reach,
        back: spec.back,
        sentence: spec.sentence,
        question: spec.question,
        cues: included & !bits(&spec.not_cues),
    }
}

/// Compiles every language of the packs.
///
/// # Errors
/// Every pattern that cannot be read.
pub fn compile_all(packs: &Packs) -> Result<BTreeMap<String, Lexicon>, Vec<Finding>> {
    let mut lexicons = BTreeMap::new();
    let mut findings = Vec::new();
    for (tag, language) in &packs.languages {
        match Lexicon::compile(language, &packs.cues) {
            Ok(lexicon) => {
                lexicons.insert(tag.clone(), lexicon);
            }
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() { Ok(lexicons) } else { Err(findings) }
}
