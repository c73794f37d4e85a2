//! Owns the words of the model card: what was learnt from what, and how well on held-out authors.
//! Knows figures and names, not how they came about.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::domain::{Sentiment, Stance};
use crate::packs::schema::{ModelSpec, TrainSpec};

use super::evaluation::{auc, expected_calibration_error, stance_macro_f1};
use super::{HeldOut, Labelled};

/// A message with what a model says of it that never saw its author.
pub(super) struct HeldOutRow<'a> {
    pub message: &'a Labelled,
    pub sentiment: [f64; 3],
    pub anger: [f64; 4],
    pub escalation: f64,
}

/// Writes the card.
pub(super) fn write(
    spec: &ModelSpec,
    config: &TrainSpec,
    heads: &BTreeMap<String, HeldOut>,
    rows: &[HeldOutRow<'_>],
    bytes: usize,
) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# Model card: {}\n\n\
         Written by `defuse train`; do not edit.\n\n\
         **What it is.** A linear model over hashed character n-grams ({} to {}) and word n-grams (up to {}), \
         {} buckets, {} heads (three stances, anger from 1, 2 and 3, «high or urgent», «urgent», one per cue), \
         weights of eight bits, {:.1} MB. Licence: {}.\n\n\
         **What it is for.** The stance and anger of customer messages in the languages below. The cue heads give \
         no spans; they show where rules are missing. Outside customer service, and in other languages, its \
         figures do not hold.\n\n\
         **Training.** Squared hinge loss with L2, cost {}, at most {} passes, seed {}; buckets seen in fewer than \
         {} messages are dropped. The same data, configuration and seed give the same weights.\n",
        config.name,
        spec.char_ngrams[0],
        spec.char_ngrams[1],
        spec.word_ngrams,
        spec.buckets,
        spec.calibration.len(),
        bytes as f64 / 1e6,
        spec.licence,
        config.cost,
        config.passes,
        spec.seed,
        config.min_count,
    );
    let _ = writeln!(out, "## Data\n\n| set | licence | texts | weight |\n|---|---|---|---|");
    for data in &spec.data {
        let _ = writeln!(out, "| {} | {} | {} | {} |", data.set, data.licence, data.texts, data.weight);
    }
    let _ = writeln!(
        out,
        "\n## Quality on authors held out\n\nEach message is scored by a model that never saw its author.\n\n\
         | language | messages | sentiment macro-F1 | «anger ≥ 2» AUC | «high or urgent» AUC |\n|---|---|---|---|---|"
    );
    let mut languages: BTreeMap<&str, Vec<&HeldOutRow<'_>>> = BTreeMap::new();
    for row in rows {
        languages.entry("all").or_default().push(row);
        languages.entry(row.message.primary()).or_default().push(row);
    }
    for (language, rows) in &languages {
        let _ = writeln!(
            out,
            "| {language} | {} | {:.3} | {:.3} | {:.3} |",
            rows.len(),
            stances(rows),
            anger(rows),
            escalation(rows)
        );
    }
    let cases: Vec<(f64, bool)> = rows.iter().filter_map(certainty).collect();
    let _ = writeln!(
        out,
        "\nExpected calibration error of the stance: {:.3}.\n\n\
         | said | messages | right |\n|---|---|---|",
        expected_calibration_error(&cases)
    );
    for tenth in 3..10 {
        let low = f64::from(tenth) / 10.0;
        let bin: Vec<bool> =
            cases.iter().filter(|(c, _)| *c >= low && (*c < low + 0.1 || tenth == 9)).map(|c| c.1).collect();
        if !bin.is_empty() {
            let right = bin.iter().filter(|r| **r).count() as f64 / bin.len() as f64;
            let _ = writeln!(
                out,
                "| {:.0}–{:.0} % | {} | {:.0} % |",
                low * 100.0,
                low * 100.0 + 10.0,
                bin.len(),
                right * 100.0
            );
        }
    }
    let _ = writeln!(out, "\n## Heads\n\n| head | positive messages | AUC |\n|---|---|---|");
    for (name, head) in heads {
        let _ = writeln!(out, "| {name} | {} | {:.3} |", head.positives, head.auc);
    }
    let _ = writeln!(
        out,
        "\n## Limits\n\nOne reader per label, some scenes recur across languages, and cues are far more frequent than in a \
         real queue: probabilities are too high there until they are calibrated on outcomes. Sarcasm without a \
         fixed form is mostly missed."
    );
    out
}

fn certainty(row: &HeldOutRow<'_>) -> Option<(f64, bool)> {
    let gold = row.message.sentiment?;
    let sentiment = Sentiment { probabilities: row.sentiment };
    Some((row.sentiment.iter().copied().fold(0.0, f64::max), sentiment.label() == gold))
}

fn stances(rows: &[&HeldOutRow<'_>]) -> f64 {
    let label = |row: &HeldOutRow<'_>| Sentiment { probabilities: row.sentiment }.label();
    let pairs: Vec<(Stance, Stance)> = rows.iter().filter_map(|r| Some((r.message.sentiment?, label(r)))).collect();
    stance_macro_f1(&pairs)
}

fn anger(rows: &[&HeldOutRow<'_>]) -> f64 {
    let pairs: Vec<(f64, bool)> =
        rows.iter().filter_map(|r| Some((r.anger[2] + r.anger[3], r.message.anger? >= 2))).collect();
    auc(&pairs)
}

fn escalation(rows: &[&HeldOutRow<'_>]) -> f64 {
    let pairs: Vec<(f64, bool)> =
        rows.iter().filter_map(|r| Some((r.escalation, r.message.priority? >= crate::domain::Level::High))).collect();
    auc(&pairs)
}
