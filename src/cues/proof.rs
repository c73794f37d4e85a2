//! Owns the proof of the rules: every example in the data is run, every failure is told.
//! Knows the data's examples and the lexicon; the same function serves tests, start-up and `check`.

use crate::packs::{Finding, Language};
use crate::text::{MailMarkers, normalise, separate};

use super::{Lexicon, Reading};

/// Runs the examples of a language's own rules. Returns all failures.
#[must_use]
pub fn prove(language: &Language, lexicon: &Lexicon) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own = format!("{}/", language.tag);
    for rule in language.rules.iter().filter(|r| r.id.starts_with(&own)) {
        let place = format!("languages/{}/cues.toml: {}", language.tag, rule.id);
        for example in &rule.spec.matches {
            let reading = read(lexicon, example);
            // Another rule of the cue may give the longer span; the rule must be able to give it.
            if !reading.hits.iter().any(|h| *h.cue == *rule.cue) {
                let near = reading.suppressed.iter().find(|s| *s.hit.cue == *rule.cue);
                let why =
                    near.map_or("no pattern matches".to_owned(), |s| format!("suppressed as {}", s.reason.name()));
                findings.push(Finding::error(&place, format!("should match {example:?}, but {why}")));
            }
        }
        for example in &rule.spec.ignores {
            if let Some(hit) = read(lexicon, example).hits.iter().find(|h| *h.cue == *rule.cue) {
                let words = example.get(hit.span.clone()).unwrap_or_default();
                findings.push(Finding::error(
                    &place,
                    format!("should ignore {example:?}, but {} gives {words:?}", hit.rule),
                ));
            }
        }
    }
    for (kind, spec) in crate::packs::scopes(&language.scope) {
        for example in &spec.voids {
            let reading = read(lexicon, example);
            let names = |list: &[String], cue: &str| list.iter().any(|c| c == cue);
            let concerned = |cue: &str| (spec.cues.is_empty() || names(&spec.cues, cue)) && !names(&spec.not_cues, cue);
            if let Some(hit) = reading.hits.iter().find(|h| concerned(&h.cue)) {
                let words = example.get(hit.span.clone()).unwrap_or_default();
                findings.push(Finding::error(
                    format!("languages/{}/scope.toml: {kind}", language.tag),
                    format!(
                        "{:?} should take back the cue in {example:?}, but {} gives {words:?}",
                        spec.pattern, hit.rule
                    ),
                ));
            } else if reading.suppressed.is_empty() {
                findings.push(Finding::warning(
                    format!("languages/{}/scope.toml: {kind}", language.tag),
                    format!("nothing to take back in {example:?}: the example proves nothing"),
                ));
            }
        }
    }
    findings
}

fn read(lexicon: &Lexicon, example: &str) -> Reading {
    let normal = normalise(example);
    let own = separate(&normal.text, &MailMarkers::default());
    lexicon.read(&normal, &own)
}
