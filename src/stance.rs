//! Owns the stance of the author: what the model says, moved by the cues the author performs.
//! Knows probabilities and findings, not how they came about. Pure.

use crate::domain::{CueHit, Sentiment, Suppressed};
use crate::packs::schema::{CueTable, StanceSpec};

/// Moves the model's stance: a cue that is a complaint in itself adds to the log-odds of
/// «negative», thanks for a solution to those of «positive»; complaints that were all taken back
/// take from «negative». Where complaint and thanks stand together, the model judges.
#[must_use]
pub fn weigh(
    model: &Sentiment,
    cues: &[CueHit],
    near: &[Suppressed],
    table: &CueTable,
    weights: &StanceSpec,
) -> Sentiment {
    let complaint = |h: &CueHit| table.get(&*h.cue).is_some_and(|c| c.complaint);
    let performed = cues.iter().any(complaint);
    let taken_back = near.iter().any(|s| complaint(&s.hit));
    let thanks = cues.iter().any(|h| &*h.cue == "resolved_thanks");
    let [negative, neutral, positive] = model.probabilities;
    let odds = match (performed, thanks) {
        (true, false) => [negative * weights.complaint.exp(), neutral, positive],
        (false, true) => [negative, neutral, positive * weights.thanks.exp()],
        (false, false) if taken_back => [negative * (-weights.taken_back).exp(), neutral, positive],
        _ => return *model,
    };
    let sum: f64 = odds.iter().sum();
    if sum > 0.0 { Sentiment { probabilities: odds.map(|o| o / sum) } } else { *model }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Stance;
    use crate::packs::{Packs, Source};

    #[test]
    fn cues_move_the_stance_and_probabilities_still_sum_to_one() {
        let table = Packs::load(&Source::Embedded).unwrap().cues;
        let weights = StanceSpec { complaint: 2.0, thanks: 2.0, taken_back: 1.0 };
        let model = Sentiment { probabilities: [0.3, 0.3, 0.4] };
        let hit = |cue: &str| CueHit { cue: cue.into(), rule: "".into(), span: 0..1, level: 0, signal: None };
        for (cues, label) in [
            (vec![], Stance::Positive),
            (vec![hit("manager_demand")], Stance::Negative),
            (vec![hit("urgency")], Stance::Positive),
            (vec![hit("resolved_thanks")], Stance::Positive),
            (vec![hit("resolved_thanks"), hit("anger")], Stance::Positive),
        ] {
            let weighed = weigh(&model, &cues, &[], &table, &weights);
            assert_eq!(weighed.label(), label, "{cues:?}");
            assert!((weighed.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
