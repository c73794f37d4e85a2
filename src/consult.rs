//! Owns what the model may add to the cues of the rules, and what it may take back.
//! Knows the policy's bounds and a model behind its trait; finds nothing by itself.

use std::ops::Range;

use crate::cues::Reading;
use crate::domain::{CueHit, ModelScores, Suppressed, Suppression};
use crate::packs::schema::ModelBounds;
use crate::sentiment::{Backend, Input};
use crate::text::{normalise, sentences};

/// A message whose author's own words stand in `parts`.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The text as written.
    pub text: &'a str,
    /// Bytes of it that the author wrote, in order, not overlapping.
    pub parts: &'a [Range<usize>],
}

/// Takes back and adds cues as far as the policy trusts the model to.
pub fn consult(
    reading: &mut Reading,
    words: Words<'_>,
    scores: &ModelScores,
    backend: &dyn Backend,
    bounds: &ModelBounds,
) {
    settle(reading, scores, bounds);
    let hits = unseen_by_rules(reading, words, scores, backend, bounds);
    reading.join(Reading { hits, ..Reading::default() });
}

/// Takes back what a contented author only tells of; never what raises a signal such as danger.
fn settle(reading: &mut Reading, scores: &ModelScores, bounds: &ModelBounds) {
    let [_, _, positive] = scores.sentiment.probabilities;
    let settled = |hit: &CueHit| hit.signal.is_none() && bounds.settles.get(&*hit.cue).is_some_and(|b| positive >= *b);
    let (settled, hits): (Vec<_>, Vec<_>) = std::mem::take(&mut reading.hits).into_iter().partition(settled);
    reading.hits = hits;
    reading.suppressed.extend(settled.into_iter().map(|hit| Suppressed { hit, reason: Suppression::Excepted }));
    reading.suppressed.sort_by_key(|s| (s.hit.span.start, s.hit.span.end));
}

/// Cues that the model may give by itself, where no rule found or took back one.
fn unseen_by_rules(
    reading: &Reading,
    words: Words<'_>,
    scores: &ModelScores,
    backend: &dyn Backend,
    bounds: &ModelBounds,
) -> Vec<CueHit> {
    let mut hits = Vec::new();
    for (head, (cue, p)) in backend.id().cues.iter().zip(&scores.cues).enumerate() {
        let given = bounds.gives.get(cue).is_some_and(|bound| p >= bound);
        let known = reading.hits.iter().chain(reading.suppressed.iter().map(|s| &s.hit)).any(|h| *h.cue == **cue);
        if given
            && !known
            && let Some(span) = evidence(words, head, backend)
        {
            let rule = format!("model/{cue}").into();
            hits.push(CueHit { cue: cue.as_str().into(), rule, span, level: 0, signal: None });
        }
    }
    hits.sort_by_key(|h| h.span.start);
    hits
}

/// The sentence in which a head of the model sees its cue most; the first of them if the model does
/// not answer again, for the cue itself is sure.
fn evidence(words: Words<'_>, head: usize, backend: &dyn Backend) -> Option<Range<usize>> {
    let sentences: Vec<Range<usize>> = sentences(words.text, words.parts).collect();
    let own: Vec<&str> = sentences.iter().map(|s| words.text.get(s.clone()).unwrap_or_default()).collect();
    let normal: Vec<String> = own.iter().map(|s| normalise(s).text).collect();
    let inputs: Vec<Input<'_>> = own.iter().zip(&normal).map(|(original, normal)| Input { original, normal }).collect();
    let seen = |s: &ModelScores| s.cues.get(head).copied().unwrap_or(0.0);
    let scores = backend.score(&inputs).unwrap_or_default();
    let most = scores.iter().zip(&sentences).max_by(|a, b| seen(a.0).total_cmp(&seen(b.0)));
    most.map(|(_, span)| span).or(sentences.first()).cloned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{ModelId, Sentiment};
    use crate::sentiment::BackendError;

    /// Sees self-harm wherever a bridge is named.
    struct Bridge(ModelId);

    impl Backend for Bridge {
        fn id(&self) -> &ModelId {
            &self.0
        }

        fn score(&self, texts: &[Input<'_>]) -> Result<Vec<ModelScores>, BackendError> {
            Ok(texts.iter().map(|t| scores(0.1, if t.normal.contains("bridge") { 0.9 } else { 0.1 })).collect())
        }
    }

    fn scores(positive: f64, self_harm: f64) -> ModelScores {
        ModelScores {
            sentiment: Sentiment { probabilities: [0.9 - positive, 0.1, positive] },
            anger: None,
            escalation: None,
            cues: vec![self_harm],
            characters: 100,
        }
    }

    fn hit(cue: &str, signal: Option<&str>) -> CueHit {
        CueHit { cue: cue.into(), rule: "xx".into(), span: 0..4, level: 0, signal: signal.map(Into::into) }
    }

    fn after(reading: Reading, text: &str, scores: &ModelScores) -> Reading {
        let model = ModelId { id: "m".into(), revision: String::new(), cues: vec!["threat_self_harm".into()] };
        let bounds = ModelBounds {
            escalation: 1.0,
            cue: 1.0,
            gives: BTreeMap::from([("threat_self_harm".into(), 0.6)]),
            settles: BTreeMap::from([("urgency".into(), 0.5)]),
            least_columns: 0,
        };
        let mut reading = reading;
        let own = 0..text.len();
        let words = Words { text, parts: std::slice::from_ref(&own) };
        consult(&mut reading, words, scores, &Bridge(model), &bounds);
        reading
    }

    #[test]
    fn what_the_model_is_sure_of_is_given_with_its_sentence() {
        let text = "The parcel is late. I stand on the bridge. Goodbye.";
        let given = after(Reading::default(), text, &scores(0.1, 0.9)).hits;
        assert_eq!(
            given.iter().map(|h| (&*h.rule, text.get(h.span.clone()).unwrap_or_default())).collect::<Vec<_>>(),
            [("model/threat_self_harm", "I stand on the bridge.")]
        );
        assert!(after(Reading::default(), text, &scores(0.1, 0.5)).hits.is_empty());
    }

    #[test]
    fn what_a_rule_took_back_stays_taken_back() {
        let near = Suppressed { hit: hit("threat_self_harm", None), reason: Suppression::Quoted };
        let reading = Reading { hits: Vec::new(), suppressed: vec![near] };
        assert!(after(reading, "He wrote of a bridge.", &scores(0.1, 0.9)).hits.is_empty());
    }

    #[test]
    fn a_contented_author_tells_of_what_is_settled() {
        let read = |signal| Reading { hits: vec![hit("urgency", signal)], suppressed: Vec::new() };
        let settled = after(read(None), "All is well again.", &scores(0.8, 0.0));
        assert!(settled.hits.is_empty());
        assert_eq!(settled.suppressed.len(), 1);
        assert_eq!(after(read(None), "All is not well.", &scores(0.2, 0.0)).hits.len(), 1);
        assert_eq!(
            after(read(Some("danger")), "I smell gas.", &scores(0.8, 0.0)).hits.len(),
            1,
            "danger is never settled"
        );
    }
}
