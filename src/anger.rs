//! Owns how angry the author is: rules, loudness and the model, weighed by the policy.
//! Knows findings and weights, not how they were found. Pure.

use crate::domain::{Anger, AngerPart, CueHit, Sentiment, Stance};
use crate::packs::schema::AngerSpec;
use crate::text::Intensity;

/// What anger is read from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Cues the author performs.
    pub cues: &'a [CueHit],
    /// How loudly the author's own words are written.
    pub intensity: &'a Intensity,
    /// The model's probabilities of levels 0…3, if it has that head.
    pub model: Option<[f64; 4]>,
    /// Stance of the author.
    pub sentiment: &'a Sentiment,
}

/// Level of an anger rule that states none.
const PLAIN: u8 = 2;

/// The parts of the sum that decides the level, in the order of the weights in `policy.toml`.
fn parts(evidence: &Evidence<'_>, weights: &AngerSpec) -> Vec<AngerPart> {
    let has = |cue: &str| evidence.cues.iter().any(|h| &*h.cue == cue);
    let rules = || evidence.cues.iter().filter(|h| &*h.cue == "anger");
    let strongest = rules().map(|h| if h.level == 0 { PLAIN } else { h.level }).max().unwrap_or(0);
    let expected = evidence.model.map_or(0.0, |[_, one, two, three]| one + 2.0 * two + 3.0 * three);
    // Loud writing alone is no anger: it strengthens what is there.
    let there = f64::from(u8::from(strongest > 0 || has("profanity") || has("insult"))).max((expected / 2.0).min(1.0));
    let when = |holds: bool, weight: f64| if holds { weight } else { 0.0 };
    let all = [
        ("rule", weights.rule * f64::from(strongest)),
        ("further", when(rules().count() > 1, weights.further)),
        ("profanity", when(has("profanity"), weights.profanity)),
        ("insult", when(has("insult"), weights.insult)),
        ("violence", when(has("threat_violence"), weights.violence)),
        ("loud", weights.loud * loudness(evidence.intensity) * there),
        ("model", weights.model * expected),
        ("positive", when(evidence.sentiment.label() == Stance::Positive, -weights.positive)),
    ];
    all.into_iter().filter(|(_, value)| *value != 0.0).map(|(name, value)| AngerPart { name, value }).collect()
}

/// Level and score: the parts' sum, cut at the bounds of the policy. The score is a logistic of
/// the distance to the bound of level 2.
#[must_use]
pub fn weigh(evidence: &Evidence<'_>, weights: &AngerSpec) -> Anger {
    let parts = parts(evidence, weights);
    let sum: f64 = parts.iter().map(|p| p.value).sum();
    let level = weights.bounds.iter().filter(|bound| sum >= **bound).count();
    let [_, clear, _] = weights.bounds;
    Anger { level: u8::try_from(level).unwrap_or(3), score: 1.0 / (1.0 + (-3.0 * (sum - clear)).exp()), parts }
}

/// How loud the writing is, 0…1.
fn loudness(seen: &Intensity) -> f64 {
    let capitals = if seen.capitals > 0.6 && seen.cased_words > 2 { 0.5 } else { 0.1 * (seen.shouted.min(3) as f64) };
    let marks = match seen.marks {
        0 | 1 => 0.0,
        2 => 0.25,
        _ => 0.5,
    };
    let faces = if seen.angry_faces > 0 { 0.5 } else { 0.0 };
    let elongation = if seen.elongations > 0 { 0.25 } else { 0.0 };
    (capitals + marks + faces + elongation).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: AngerSpec = AngerSpec {
        rule: 0.6,
        further: 0.2,
        profanity: 0.5,
        insult: 0.6,
        violence: 0.5,
        loud: 0.5,
        model: 0.5,
        positive: 1.0,
        bounds: [0.5, 1.5, 2.5],
    };

    fn hit(cue: &str, level: u8) -> CueHit {
        CueHit { cue: cue.into(), rule: "".into(), span: 0..1, level, signal: None }
    }

    fn level(cues: &[CueHit], text: &str, model: Option<[f64; 4]>) -> u8 {
        let sentiment = Sentiment { probabilities: [0.8, 0.1, 0.1] };
        let intensity = Intensity::measure(text, std::slice::from_ref(&(0..text.len())));
        weigh(&Evidence { cues, intensity: &intensity, model, sentiment: &sentiment }, &WEIGHTS).level
    }

    #[test]
    fn evidence_adds_up() {
        assert_eq!(level(&[], "", None), 0);
        assert_eq!(level(&[hit("anger", 1)], "", None), 1);
        assert_eq!(level(&[hit("anger", 3)], "", None), 2);
        assert_eq!(level(&[hit("anger", 3), hit("insult", 0), hit("profanity", 0)], "", None), 3);
        assert_eq!(level(&[], "", Some([0.0, 0.0, 0.5, 0.5])), 1);
    }

    #[test]
    fn capitals_alone_are_no_anger() {
        assert_eq!(level(&[], "MY CAPS LOCK KEY IS STUCK!!!", Some([1.0, 0.0, 0.0, 0.0])), 0);
    }
}
