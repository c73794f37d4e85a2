//! Owns learning: labelled messages in, weights, calibration and a model card out.
//! Knows the compact model's features and file shape, never the engine that uses it.

mod card;
pub mod evaluation;
pub mod functional;
mod labelled;
mod solver;

use std::collections::BTreeMap;

use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};

use crate::domain::{Level, Stance};
use crate::packs::hex;
use crate::packs::schema::{DataSpec, ModelSpec, TrainSpec};
use crate::sentiment::compact::{FIXED_HEADS, HEAD_NAMES, IDF_STEPS, levels, normalised, sigmoid};
use crate::sentiment::features::Extractor;
use crate::text::{MailMarkers, normalise, separate};

pub use labelled::{Labelled, LabelledCue, LabelledError, parse};
use solver::Matrix;

/// One set of labelled messages with the weight of each.
#[derive(Debug, Clone)]
pub struct Set {
    /// Where it comes from.
    pub spec: DataSpec,
    /// Its messages.
    pub messages: Vec<Labelled>,
}

/// A trained model, ready to be written.
#[derive(Debug)]
pub struct Trained {
    /// Contents of `model.toml`.
    pub spec: ModelSpec,
    /// Contents of the weights file.
    pub weights: Vec<u8>,
    /// Contents of `MODEL_CARD.md`.
    pub card: String,
}

/// Why training stopped.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration cannot work.
    #[error("{0}")]
    Config(String),
    /// The weights could not be serialised.
    #[error("the weights could not be written: {0}")]
    Weights(String),
}

/// What training is doing, for a progress display: done, of so many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Figures of one head, measured on messages of authors it was not trained on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HeldOut {
    pub auc: f64,
    pub positives: usize,
}

/// Trains all heads on all sets.
///
/// Every head is a linear classifier (one against the rest; squared hinge loss, L2) over the same
/// binary n-gram features, weighted by inverse document frequency. Margins on held-out authors
/// give the calibration (Platt 1999) and the figures of the card. The result depends on the data,
/// the configuration and its seed only, not on the number of threads.
///
/// # Errors
/// The configuration is impossible, or there is nothing to learn from.
pub fn train(config: &TrainSpec, sets: &[Set], cues: &[String], progress: Progress<'_>) -> Result<Trained, TrainError> {
    let task = Task::new(config, sets, cues)?;
    let Fitted { weights, margins } = task.fit(config, progress);
    let mut calibration = BTreeMap::new();
    let mut figures = BTreeMap::new();
    let mut probabilities = Vec::new();
    for ((name, labels), margins) in task.names.iter().zip(&task.labels).zip(&margins) {
        let pairs: Vec<(f64, bool)> = margins.iter().zip(labels).filter_map(|(&m, l)| Some((m, (*l)?))).collect();
        let [slope, offset] = solver::platt(&pairs);
        calibration.insert(name.clone(), [slope, offset]);
        let positives = pairs.iter().filter(|p| p.1).count();
        figures.insert(name.clone(), HeldOut { auc: evaluation::auc(&pairs), positives });
        probabilities.push(margins.iter().map(|m| sigmoid(m * slope + offset)).collect());
    }
    let held_out: Vec<card::HeldOutRow<'_>> =
        task.messages.iter().enumerate().map(|(row, m)| held_out_row(m, row, &probabilities)).collect();

    let bytes = serialise(&weights, &task.idf, config.buckets).map_err(|e| TrainError::Weights(e.to_string()))?;
    let spec = ModelSpec {
        kind: "compact".to_owned(),
        weights: "weights.safetensors".to_owned(),
        sha256: hex(&Sha256::digest(&bytes)),
        licence: config.licence.clone(),
        labels: Stance::ALL.iter().map(|s| s.name().to_owned()).collect(),
        cues: cues.to_vec(),
        buckets: config.buckets,
        char_ngrams: config.char_ngrams,
        word_ngrams: config.word_ngrams,
        seed: config.seed,
        calibration,
        data: sets.iter().map(|s| DataSpec { texts: s.messages.len(), ..s.spec.clone() }).collect(),
    };
    let card = card::write(&spec, config, &figures, &held_out, bytes.len());
    Ok(Trained { spec, weights: bytes, card })
}

/// All that is fitted: features, and what each message says of each head.
struct Task<'a> {
    messages: Vec<&'a Labelled>,
    folds: Vec<usize>,
    matrix: Matrix,
    idf: Vec<u8>,
    names: Vec<String>,
    labels: Vec<Vec<Option<bool>>>,
}

/// Weights of each head, and margins of each message by weights that never saw its author.
struct Fitted {
    weights: Vec<Vec<f32>>,
    margins: Vec<Vec<f64>>,
}

impl<'a> Task<'a> {
    fn new(config: &TrainSpec, sets: &'a [Set], cues: &[String]) -> Result<Self, TrainError> {
        let extractor =
            Extractor::new(config.buckets, config.char_ngrams, config.word_ngrams).map_err(TrainError::Config)?;
        let messages: Vec<&Labelled> = sets.iter().flat_map(|s| &s.messages).collect();
        let weights = sets.iter().flat_map(|s| s.messages.iter().map(|_| s.spec.weight)).collect();
        let folds: Vec<usize> = messages.iter().map(|m| m.fold()).collect();
        if folds.iter().all(|f| Some(f) == folds.first()) {
            let what = format!("{} messages of one author: nothing to learn from and test on", messages.len());
            return Err(TrainError::Config(what));
        }
        let rows: Vec<Vec<u32>> = messages.par_iter().map(|m| features(&extractor, &m.text)).collect();
        let idf = frequencies(&rows, config.buckets, config.min_count);
        let names: Vec<String> = HEAD_NAMES.iter().map(|n| (*n).to_owned()).chain(cues.iter().cloned()).collect();
        let labels = (0..names.len()).map(|head| targets(&messages, head, cues)).collect();
        Ok(Self { matrix: Matrix::new(&rows, &idf, weights), messages, folds, idf, names, labels })
    }

    /// Fits each head once on everything, and once without each fold.
    fn fit(&self, config: &TrainSpec, progress: Progress<'_>) -> Fitted {
        let held_out: Vec<Option<usize>> =
            (0..Labelled::FOLDS).filter(|f| self.folds.contains(f)).map(Some).chain([None]).collect();
        let total = self.names.len() * held_out.len();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let per_head: Vec<(Vec<f32>, Vec<f64>)> = self
            .labels
            .par_iter()
            .map(|labels| {
                let mut margins = vec![0.0; self.matrix.len()];
                let mut weights = Vec::new();
                for &fold in &held_out {
                    let include = |row: usize| fold.is_none() || self.folds.get(row).copied() != fold;
                    weights = solver::solve(&self.matrix, labels, &include, config.cost, config.passes, config.seed);
                    for (row, margin) in margins.iter_mut().enumerate() {
                        if fold.is_some() && self.folds.get(row).copied() == fold {
                            *margin = f64::from(self.matrix.margin(row, &weights));
                        }
                    }
                    progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, total);
                }
                // The last one was fitted on everything.
                (weights, margins)
            })
            .collect();
        let (weights, margins) = per_head.into_iter().unzip();
        Fitted { weights, margins }
    }
}

/// The features of a message: of the author's own words only.
fn features(extractor: &Extractor, text: &str) -> Vec<u32> {
    let own = separate(text, &MailMarkers::default()).join(text);
    extractor.extract(&own, &normalise(&own).text).0
}

/// Inverse document frequency of each bucket, in steps; 0 for buckets seen too seldom.
fn frequencies(rows: &[Vec<u32>], buckets: usize, min_count: u32) -> Vec<u8> {
    let mut counts = vec![0_u32; buckets];
    for &bucket in rows.iter().flatten() {
        if let Some(count) = counts.get_mut(bucket as usize) {
            *count += 1;
        }
    }
    let all = rows.len() as f64;
    let step = |count: u32| {
        if count < min_count {
            return 0;
        }
        let idf = ((1.0 + all) / (1.0 + f64::from(count))).ln() + 1.0;
        quantise(idf * IDF_STEPS)
    };
    counts.into_iter().map(step).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u8 first")]
fn quantise(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// What each message says of a head; `None` where its labels say nothing.
fn targets(messages: &[&Labelled], head: usize, cues: &[String]) -> Vec<Option<bool>> {
    let of = |m: &Labelled| match head {
        0..=2 => m.sentiment.map(|s| Stance::ALL.get(head) == Some(&s)),
        3..=5 => m.anger.map(|a| usize::from(a) >= head - 2),
        6 => m.priority.map(|p| p >= Level::High),
        7 => m.priority.map(|p| p == Level::Urgent),
        _ => {
            let cue = cues.get(head - FIXED_HEADS)?;
            m.cues.as_ref().map(|found| found.iter().any(|c| &c.cue == cue))
        }
    };
    messages.iter().map(|m| of(m)).collect()
}

fn held_out_row<'a>(message: &'a Labelled, row: usize, probabilities: &[Vec<f64>]) -> card::HeldOutRow<'a> {
    let p = |head: usize| probabilities.get(head).and_then(|r| r.get(row)).copied().unwrap_or(0.0);
    card::HeldOutRow {
        message,
        sentiment: normalised([p(0), p(1), p(2)]),
        anger: levels([p(3), p(4), p(5)]),
        escalation: p(6),
    }
}

/// Packs frequencies and weights into one table, a row per bucket.
fn serialise(weights: &[Vec<f32>], idf: &[u8], buckets: usize) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let heads = weights.len();
    let value = |head: usize, bucket: usize| -> f64 {
        let weight = weights.get(head).and_then(|w| w.get(bucket)).copied().unwrap_or(0.0);
        f64::from(weight) * f64::from(idf.get(bucket).copied().unwrap_or(0)) / IDF_STEPS
    };
    let scales: Vec<f64> =
        (0..heads).map(|head| (0..buckets).map(|b| value(head, b).abs()).fold(1e-9, f64::max) / 127.0).collect();
    let mut table = Vec::with_capacity(buckets * (heads + 1));
    for bucket in 0..buckets {
        table.push(idf.get(bucket).copied().unwrap_or(0));
        for (head, scale) in scales.iter().enumerate() {
            table.push(signed(value(head, bucket) / scale).cast_unsigned());
        }
    }
    let floats = |values: Vec<f64>| values.into_iter().flat_map(|v| narrow(v).to_le_bytes()).collect::<Vec<u8>>();
    let biases = floats(
        (0..heads).map(|h| weights.get(h).and_then(|w| w.get(buckets)).copied().map_or(0.0, f64::from)).collect(),
    );
    let scales = floats(scales);
    let tensors = [
        ("table", TensorView::new(Dtype::U8, vec![buckets, heads + 1], &table)?),
        ("scales", TensorView::new(Dtype::F32, vec![heads], &scales)?),
        ("biases", TensorView::new(Dtype::F32, vec![heads], &biases)?),
    ];
    safetensors::serialize(tensors, None)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i8 first")]
fn signed(value: f64) -> i8 {
    value.round().clamp(-127.0, 127.0) as i8
}

#[expect(clippy::cast_possible_truncation, reason = "weights are stored in single precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}
