//! Owns the built-in model: hashed n-grams, linear heads, eight-bit weights.
//! Knows `model.toml` and its weights file; how they were learnt is `training`'s.

use std::borrow::Cow;

use safetensors::{Dtype, SafeTensors};

use crate::domain::{ModelId, ModelScores, Sentiment, Stance};
use crate::packs::{ModelFile, short};

use super::features::Extractor;
use super::{Backend, BackendError, Input};

/// Heads before those of the cues: three stances, anger ≥ 1, 2, 3, «high or urgent», «urgent».
pub const FIXED_HEADS: usize = 8;
/// Names of the heads before those of the cues, as in the calibration table.
pub const HEAD_NAMES: [&str; FIXED_HEADS] =
    ["negative", "neutral", "positive", "anger_1", "anger_2", "anger_3", "escalation", "urgent"];
/// An inverse document frequency of 1 is written as this many steps of the first column.
pub const IDF_STEPS: f64 = 20.0;

/// The built-in model.
///
/// A row of the table has one byte for the inverse document frequency of the bucket and one per
/// head for frequency × weight. The margin of a head is the sum of its column over the buckets of
/// the text, divided by the length of the frequency vector.
#[derive(Debug)]
pub struct Compact {
    id: ModelId,
    extractor: Extractor,
    weights: Cow<'static, [u8]>,
    table: std::ops::Range<usize>,
    heads: usize,
    /// Step of each head's column.
    scales: Vec<f64>,
    biases: Vec<f64>,
    /// Slope and offset of each head's calibration.
    calibration: Vec<[f64; 2]>,
}

impl Compact {
    /// Opens a model from its description and weights.
    ///
    /// # Errors
    /// The weights do not fit the description.
    pub fn open(file: ModelFile) -> Result<Self, BackendError> {
        let place = format!("sentiment/{}/model.toml", file.name);
        let wrong = |what: String| BackendError::Weights(format!("{place}: {what}"));
        let spec = &file.spec;
        let expected: Vec<&str> = Stance::ALL.iter().map(|s| s.name()).collect();
        if spec.labels != expected {
            return Err(wrong(format!("labels must be {expected:?}, not {:?}", spec.labels)));
        }
        let extractor = Extractor::new(spec.buckets, spec.char_ngrams, spec.word_ngrams).map_err(&wrong)?;
        let heads = FIXED_HEADS + spec.cues.len();
        let tensors = SafeTensors::deserialize(&file.weights).map_err(|e| wrong(format!("{}: {e}", spec.weights)))?;
        let tensor = |name: &str, dtype: Dtype, shape: &[usize]| {
            let found = tensors.tensor(name).map_err(|e| wrong(format!("{}: tensor {name}: {e}", spec.weights)))?;
            if found.dtype() != dtype || found.shape() != shape {
                return Err(wrong(format!(
                    "{}: tensor {name} is {:?} {:?}, expected {dtype:?} {shape:?}",
                    spec.weights,
                    found.dtype(),
                    found.shape()
                )));
            }
            Ok(found.data().to_vec())
        };
        let floats = |name: &str| {
            tensor(name, Dtype::F32, &[heads]).map(|bytes| {
                let of = |b: &[u8]| b.try_into().map_or(0.0, |b| f64::from(f32::from_le_bytes(b)));
                bytes.chunks_exact(4).map(of).collect::<Vec<f64>>()
            })
        };
        let scales = floats("scales")?;
        let biases = floats("biases")?;
        let shape = [spec.buckets, heads + 1];
        let view = tensors.tensor("table").map_err(|e| wrong(format!("{}: tensor table: {e}", spec.weights)))?;
        if view.dtype() != Dtype::U8 || view.shape() != shape {
            return Err(wrong(format!(
                "{}: tensor table is {:?} {:?}, expected U8 {shape:?}",
                spec.weights,
                view.dtype(),
                view.shape()
            )));
        }
        // The table stays where it is (in the binary or the file's buffer): only its place is kept.
        let from = view.data().as_ptr().addr() - file.weights.as_ptr().addr();
        let table = from..from + view.data().len();
        let names = HEAD_NAMES.into_iter().chain(spec.cues.iter().map(String::as_str));
        let calibration = names
            .map(|name| spec.calibration.get(name).copied().ok_or_else(|| wrong(format!("no calibration for {name}"))))
            .collect::<Result<_, _>>()?;
        let revision = spec.sha256.chars().take(short(&[0; 32]).len()).collect();
        let id = ModelId { id: file.name.clone(), revision, cues: spec.cues.clone() };
        Ok(Self { id, extractor, table, heads, scales, biases, calibration, weights: file.weights })
    }

    /// Calibrated margins of all heads, and the characters looked at.
    fn margins(&self, input: &Input<'_>) -> (Vec<f64>, usize) {
        let (buckets, seen) = self.extractor.extract(input.original, input.normal);
        let table = self.weights.get(self.table.clone()).unwrap_or_default();
        let width = self.heads + 1;
        let mut sums = vec![0_i32; self.heads];
        let mut length = 0_u64;
        for bucket in buckets {
            let at = bucket as usize * width;
            let Some((&frequency, row)) = table.get(at..at + width).and_then(<[u8]>::split_first) else { continue };
            length += u64::from(frequency) * u64::from(frequency);
            for (sum, &weight) in sums.iter_mut().zip(row) {
                *sum += i32::from(weight.cast_signed());
            }
        }
        let length = (length as f64).sqrt() / IDF_STEPS;
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        let margins = sums
            .iter()
            .zip(&self.scales)
            .zip(&self.biases)
            .zip(&self.calibration)
            .map(|(((&sum, step), bias), [slope, offset])| {
                let margin = f64::from(sum) * step * scale + bias;
                margin * slope + offset
            })
            .collect();
        (margins, seen)
    }
}

impl Backend for Compact {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn score(&self, texts: &[Input<'_>]) -> Result<Vec<ModelScores>, BackendError> {
        let score = |input: &Input<'_>| {
            let (margins, characters) = self.margins(input);
            let p: Vec<f64> = margins.iter().map(|&m| sigmoid(m)).collect();
            let at = |i: usize| p.get(i).copied().unwrap_or(0.0);
            ModelScores {
                sentiment: Sentiment { probabilities: normalised([at(0), at(1), at(2)]) },
                anger: Some(levels([at(3), at(4), at(5)])),
                escalation: Some(at(6)),
                cues: p.get(FIXED_HEADS..).unwrap_or_default().to_vec(),
                characters,
            }
        };
        Ok(texts.iter().map(score).collect())
    }
}

/// The logistic function.
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One-against-rest probabilities made to sum to 1.
#[must_use]
pub fn normalised(p: [f64; 3]) -> [f64; 3] {
    let sum: f64 = p.iter().sum();
    if sum > 0.0 { p.map(|x| x / sum) } else { [0.0, 1.0, 0.0] }
}

/// Probabilities of levels 0…3 from those of «at least 1, 2, 3», which are made to fall.
#[must_use]
pub fn levels(at_least: [f64; 3]) -> [f64; 4] {
    let [one, two, three] = at_least;
    let two = two.min(one);
    let three = three.min(two);
    [1.0 - one, one - two, two - three, three]
}
