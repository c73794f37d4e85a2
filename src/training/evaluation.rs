//! Owns how quality is counted: labels against analyses, figures with intervals.
//! Knows labelled messages and finished analyses, not how an analysis is made.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::{Analysis, Level, Stance};

use super::Labelled;

/// A share with its 95 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The value, 0…1; 1 where there was nothing to get wrong.
    pub value: f64,
    /// Lower bound of the interval.
    pub low: f64,
    /// Upper bound of the interval.
    pub high: f64,
    /// Cases behind it.
    pub n: usize,
}

/// Precision, recall and F1 of something found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Found {
    /// Share of what was given that is right.
    pub precision: Figure,
    /// Share of what is right that was given.
    pub recall: Figure,
    /// Their harmonic mean.
    pub f1: Figure,
}

/// Every figure of a set of messages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// Messages.
    pub messages: usize,
    /// First subtag of the language is right.
    pub language: Figure,
    /// Macro-F1 of the three stances.
    pub sentiment_macro_f1: Figure,
    /// Mean gap between stated probability and share right, in ten bins.
    pub sentiment_calibration_error: f64,
    /// Anger level exactly right.
    pub anger_exact: Figure,
    /// Anger level right or one beside it.
    pub anger_within_one: Figure,
    /// Area under the curve for «anger ≥ 2».
    pub anger_auc: f64,
    /// All cues, per message and cue type.
    pub cues: Found,
    /// The same with overlapping spans.
    pub spans: Found,
    /// Each cue.
    pub per_cue: BTreeMap<String, Found>,
    /// Hard negatives without any cue beyond the labelled ones.
    pub hard_negatives_clean: Figure,
    /// Violence and self-harm together.
    pub safety: Found,
    /// Priority exactly right.
    pub priority: Figure,
    /// «High or urgent».
    pub high_or_urgent: Found,
    /// «Urgent».
    pub urgent: Found,
    /// Area under the curve of the escalation score for «high or urgent».
    pub escalation_auc: f64,
}

/// Quality over all messages and per language.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// All messages.
    pub all: Quality,
    /// By first subtag of the labelled language.
    pub languages: BTreeMap<String, Quality>,
}

/// Cases of one kind: right and given, given but wrong, missed.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    hit: f64,
    false_alarm: f64,
    miss: f64,
}

/// What one message adds to every figure.
#[derive(Debug, Clone, Default)]
struct Row {
    language: Option<bool>,
    stance: Option<(Stance, Stance)>,
    confidence: f64,
    anger: Option<(u8, u8)>,
    anger_score: Option<(f64, bool)>,
    cues: BTreeMap<String, Tally>,
    spans: Tally,
    hard_negative: Option<bool>,
    priority: Option<(Level, Level)>,
    escalation: Option<(f64, bool)>,
}

/// Counts analyses against labels.
#[must_use]
pub fn report(pairs: &[(Labelled, Analysis)]) -> Report {
    let rows: Vec<(String, Row)> = pairs.iter().map(|(l, a)| (l.primary().to_owned(), row(l, a))).collect();
    let all: Vec<&Row> = rows.iter().map(|(_, r)| r).collect();
    let mut languages: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for (language, row) in &rows {
        languages.entry(language.clone()).or_default().push(row);
    }
    Report { all: quality(&all), languages: languages.into_iter().map(|(l, r)| (l, quality(&r))).collect() }
}

fn row(labelled: &Labelled, analysis: &Analysis) -> Row {
    let given: BTreeSet<&str> = analysis.cues.iter().map(|h| &*h.cue).collect();
    let mut row = Row {
        language: Some(crate::packs::primary(&analysis.language.tag) == labelled.primary()),
        stance: labelled.sentiment.map(|s| (s, analysis.sentiment.label())),
        confidence: analysis.sentiment.probabilities.iter().copied().fold(0.0, f64::max),
        anger: labelled.anger.map(|a| (a, analysis.anger.level)),
        anger_score: labelled.anger.map(|a| (analysis.anger.score, a >= 2)),
        priority: labelled.priority.map(|p| (p, analysis.priority.level)),
        escalation: labelled.priority.map(|p| (analysis.escalation, p >= Level::High)),
        ..Row::default()
    };
    if let Some(cues) = &labelled.cues {
        let wanted: BTreeSet<&str> = cues.iter().map(|c| c.cue.as_str()).collect();
        for &cue in given.union(&wanted) {
            row.cues.insert(cue.to_owned(), tally(wanted.contains(cue), given.contains(cue)));
        }
        row.spans = spans(labelled, analysis);
        row.hard_negative = labelled.is_hard_negative().then(|| given.is_subset(&wanted));
    }
    row
}

fn tally(wanted: bool, given: bool) -> Tally {
    let one = |yes: bool| if yes { 1.0 } else { 0.0 };
    Tally { hit: one(wanted && given), false_alarm: one(given && !wanted), miss: one(wanted && !given) }
}

/// Each labelled span is found by an overlapping hit of its cue; each hit is right by the same.
fn spans(labelled: &Labelled, analysis: &Analysis) -> Tally {
    let mut gold: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for cue in labelled.cues.iter().flatten() {
        let from = seen.get(&(cue.cue.as_str(), cue.text.as_str())).copied().unwrap_or(0);
        let Some(at) = labelled.text.get(from..).and_then(|t| t.find(&cue.text)) else { continue };
        let start = from + at;
        let end = start + cue.text.len();
        seen.insert((&cue.cue, &cue.text), end);
        gold.push((&cue.cue, start..end));
    }
    let overlap = |a: &std::ops::Range<usize>, b: &std::ops::Range<usize>| a.start < b.end && b.start < a.end;
    let found = gold.iter().filter(|(c, s)| analysis.cues.iter().any(|h| *h.cue == **c && overlap(&h.span, s))).count();
    let right = analysis.cues.iter().filter(|h| gold.iter().any(|(c, s)| *h.cue == **c && overlap(&h.span, s))).count();
    Tally {
        hit: found.max(right) as f64,
        false_alarm: (analysis.cues.len() - right) as f64,
        miss: (gold.len() - found) as f64,
    }
}

fn quality(rows: &[&Row]) -> Quality {
    let share = |of: &dyn Fn(&Row) -> Option<bool>| {
        interval(rows, &|sample| {
            let cases: Vec<bool> = sample.iter().filter_map(|r| of(r)).collect();
            ratio(cases.iter().filter(|c| **c).count() as f64, cases.len() as f64)
        })
        .with(rows.iter().filter(|r| of(r).is_some()).count())
    };
    let level = |least: Level, exact: bool| {
        found(rows, &|r: &Row| {
            r.priority.map_or(Tally::default(), |(gold, given)| {
                if exact { tally(gold == least, given == least) } else { tally(gold >= least, given >= least) }
            })
        })
    };
    let cue_names: BTreeSet<&String> = rows.iter().flat_map(|r| r.cues.keys()).collect();
    let of_cue = |r: &Row, cue: &str| r.cues.get(cue).copied().unwrap_or_default();
    let safety = |r: &Row| sum(&[of_cue(r, "threat_violence"), of_cue(r, "threat_self_harm")]);
    Quality {
        messages: rows.len(),
        language: share(&|r| r.language),
        sentiment_macro_f1: interval(rows, &macro_f1).with(rows.iter().filter(|r| r.stance.is_some()).count()),
        sentiment_calibration_error: calibration_error(rows),
        anger_exact: share(&|r| r.anger.map(|(a, b)| a == b)),
        anger_within_one: share(&|r| r.anger.map(|(a, b)| a.abs_diff(b) <= 1)),
        anger_auc: auc(&rows.iter().filter_map(|r| r.anger_score).collect::<Vec<_>>()),
        cues: found(rows, &|r| sum(&r.cues.values().copied().collect::<Vec<_>>())),
        spans: found(rows, &|r| r.spans),
        per_cue: cue_names.into_iter().map(|cue| (cue.clone(), found(rows, &|r| of_cue(r, cue)))).collect(),
        hard_negatives_clean: share(&|r| r.hard_negative),
        safety: found(rows, &safety),
        priority: share(&|r| r.priority.map(|(a, b)| a == b)),
        high_or_urgent: level(Level::High, false),
        urgent: level(Level::Urgent, true),
        escalation_auc: auc(&rows.iter().filter_map(|r| r.escalation).collect::<Vec<_>>()),
    }
}

fn sum(tallies: &[Tally]) -> Tally {
    tallies.iter().fold(Tally::default(), |a, b| Tally {
        hit: a.hit + b.hit,
        false_alarm: a.false_alarm + b.false_alarm,
        miss: a.miss + b.miss,
    })
}

/// Nothing to get wrong counts as right.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 1.0 }
}

fn found(rows: &[&Row], of: &dyn Fn(&Row) -> Tally) -> Found {
    let total = |sample: &[&Row]| sum(&sample.iter().map(|r| of(r)).collect::<Vec<_>>());
    let t = total(rows);
    let (given, wanted) = (t.hit + t.false_alarm, t.hit + t.miss);
    let whole = |n: f64| rows.len().min(count(n));
    Found {
        precision: interval(rows, &|s| {
            let t = total(s);
            ratio(t.hit, t.hit + t.false_alarm)
        })
        .with(whole(given)),
        recall: interval(rows, &|s| {
            let t = total(s);
            ratio(t.hit, t.hit + t.miss)
        })
        .with(whole(wanted)),
        f1: interval(rows, &|s| {
            let t = total(s);
            ratio(2.0 * t.hit, 2.0 * t.hit + t.false_alarm + t.miss)
        })
        .with(whole(wanted)),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of cases, never negative")]
fn count(n: f64) -> usize {
    n as usize
}

impl Figure {
    fn with(self, n: usize) -> Self {
        Self { n, ..self }
    }
}

/// Resamples drawn for an interval.
const RESAMPLES: usize = 200;

/// Value over all rows, with the 2.5th and 97.5th percentile over bootstrap resamples (Efron 1979).
fn interval(rows: &[&Row], of: &dyn Fn(&[&Row]) -> f64) -> Figure {
    let value = of(rows);
    let mut state = 0x5EED_u64;
    let mut values: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sample: Vec<&Row> = (0..rows.len())
                .filter_map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let drawn = usize::try_from(state >> 33).unwrap_or(0) % rows.len().max(1);
                    rows.get(drawn).copied()
                })
                .collect();
            of(&sample)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(count(share * (RESAMPLES - 1) as f64)).copied().unwrap_or(value);
    Figure { value, low: at(0.025), high: at(0.975), n: rows.len() }
}

fn macro_f1(rows: &[&Row]) -> f64 {
    let stances: Vec<(Stance, Stance)> = rows.iter().filter_map(|r| r.stance).collect();
    stance_macro_f1(&stances)
}

/// Macro-F1 of the three stances over (label, given) pairs; stances without a case are left out.
#[must_use]
pub fn stance_macro_f1(pairs: &[(Stance, Stance)]) -> f64 {
    let scores: Vec<f64> = Stance::ALL
        .iter()
        .filter_map(|stance| {
            let t = sum(&pairs.iter().map(|(gold, given)| tally(gold == stance, given == stance)).collect::<Vec<_>>());
            (t.hit + t.miss > 0.0).then(|| ratio(2.0 * t.hit, 2.0 * t.hit + t.false_alarm + t.miss))
        })
        .collect();
    ratio(scores.iter().sum(), scores.len() as f64)
}

/// Expected calibration error of the most probable stance over ten bins (Guo et al. 2017).
fn calibration_error(rows: &[&Row]) -> f64 {
    let cases: Vec<(f64, bool)> = rows.iter().filter_map(|r| r.stance.map(|(a, b)| (r.confidence, a == b))).collect();
    expected_calibration_error(&cases)
}

/// Mean absolute gap between confidence and share right over ten bins, weighted by their size.
#[must_use]
pub fn expected_calibration_error(cases: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); 10];
    for &(confidence, right) in cases {
        if let Some(bin) = bins.get_mut(count((confidence * 10.0).clamp(0.0, 9.0))) {
            bin.0 += 1.0;
            bin.1 += confidence;
            bin.2 += f64::from(u8::from(right));
        }
    }
    let gap: f64 = bins.iter().map(|(_, confidence, right)| (confidence - right).abs()).sum();
    if cases.is_empty() { 0.0 } else { gap / cases.len() as f64 }
}

/// Area under the receiver operating characteristic: the chance that a positive case scores
/// higher than a negative one, ties counting half (Hanley and `McNeil` 1982). Without both kinds, 0.5.
#[must_use]
pub fn auc(cases: &[(f64, bool)]) -> f64 {
    let mut sorted: Vec<(f64, bool)> = cases.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|c| c.1).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return 0.5;
    }
    let mut below = 0.0;
    let mut area = 0.0;
    for ties in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let up = ties.iter().filter(|c| c.1).count() as f64;
        let down = ties.len() as f64 - up;
        area += up * (below + down / 2.0);
        below += down;
    }
    area / (positives * negatives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_counts_ties_half() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(auc(&[(0.1, false), (0.9, true)]), 1.0));
        assert!(close(auc(&[(0.9, false), (0.1, true)]), 0.0));
        assert!(close(auc(&[(0.5, false), (0.5, true)]), 0.5));
        assert!(close(auc(&[(0.1, false), (0.4, true), (0.4, false), (0.8, true)]), 0.875));
    }

    #[test]
    fn macro_f1_is_the_mean_over_stances() {
        use Stance::{Negative, Neutral, Positive};
        let pairs = [(Negative, Negative), (Neutral, Negative), (Positive, Positive)];
        assert!((stance_macro_f1(&pairs) - (2.0 / 3.0 + 0.0 + 1.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn calibration_error_is_the_mean_gap() {
        let cases = [(0.95, true), (0.95, false)];
        assert!((expected_calibration_error(&cases) - 0.45).abs() < 1e-12);
    }
}
