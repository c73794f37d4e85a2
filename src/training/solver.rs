//! Owns fitting: one linear head by dual coordinate descent, one calibration curve by Newton steps.
//! Knows numbers only.

/// Sparse rows of unit length with a weight each.
#[derive(Debug)]
pub(super) struct Matrix {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    weights: Vec<f64>,
    width: usize,
}

impl Matrix {
    /// Rows of buckets become unit vectors of their frequencies. Buckets of frequency 0 vanish.
    pub(super) fn new(rows: &[Vec<u32>], idf: &[u8], weights: Vec<f64>) -> Self {
        let mut matrix = Self { starts: vec![0], columns: Vec::new(), values: Vec::new(), weights, width: idf.len() };
        for row in rows {
            let known: Vec<(u32, f64)> = row
                .iter()
                .filter_map(|&b| idf.get(b as usize).map(|&f| (b, f64::from(f))))
                .filter(|(_, f)| *f > 0.0)
                .collect();
            let length = known.iter().map(|(_, f)| f * f).sum::<f64>().sqrt().max(1e-9);
            for (bucket, frequency) in known {
                matrix.columns.push(bucket);
                matrix.values.push(super::narrow(frequency / length));
            }
            matrix.starts.push(matrix.columns.len());
        }
        matrix
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (usize, f32)> {
        let from = self.starts.get(row).copied().unwrap_or(0);
        let to = self.starts.get(row + 1).copied().unwrap_or(from);
        let columns = self.columns.get(from..to).unwrap_or_default();
        let values = self.values.get(from..to).unwrap_or_default();
        columns.iter().map(|&c| c as usize).zip(values.iter().copied())
    }

    /// Margin of a row; the last weight is the bias.
    pub(super) fn margin(&self, row: usize, weights: &[f32]) -> f32 {
        let bias = weights.get(self.width).copied().unwrap_or(0.0);
        self.row(row).fold(bias, |sum, (c, v)| weights.get(c).map_or(sum, |w| w.mul_add(v, sum)))
    }
}

/// A small generator with a fixed sequence (`SplitMix64`, Steele et al. 2014): the order of the
/// rows must not depend on the version of a library.
struct Shuffler(u64);

impl Shuffler {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn shuffle(&mut self, items: &mut [usize]) {
        for last in (1..items.len()).rev() {
            let bound = last as u64 + 1;
            let other = usize::try_from(self.next() % bound).unwrap_or(0);
            items.swap(last, other);
        }
    }
}

/// Fits one head: L2-regularised squared hinge loss by dual coordinate descent
/// (Hsieh et al. 2008, algorithm 1). `cost` is C for a row of weight 1.
pub(super) fn solve(
    matrix: &Matrix,
    labels: &[Option<bool>],
    include: &dyn Fn(usize) -> bool,
    cost: f64,
    passes: usize,
    seed: u64,
) -> Vec<f32> {
    let mut weights = vec![0.0_f32; matrix.width + 1];
    let mut rows: Vec<usize> =
        (0..matrix.len()).filter(|&r| labels.get(r).copied().flatten().is_some() && include(r)).collect();
    let mut alphas = vec![0.0_f64; matrix.len()];
    let mut order = Shuffler(seed);
    for _ in 0..passes {
        order.shuffle(&mut rows);
        let mut largest = 0.0_f64;
        for &row in &rows {
            let Some(label) = labels.get(row).copied().flatten() else { continue };
            let weight = matrix.weights.get(row).copied().unwrap_or(1.0);
            let Some(alpha) = alphas.get_mut(row) else { continue };
            let sign = if label { 1.0 } else { -1.0 };
            let diagonal = 0.5 / (cost * weight);
            let gradient = sign * f64::from(matrix.margin(row, &weights)) - 1.0 + diagonal * *alpha;
            // Rows have unit length and the bias feature is 1.
            let updated = (*alpha - gradient / (2.0 + diagonal)).max(0.0);
            let step = updated - *alpha;
            if step.abs() < 1e-12 {
                continue;
            }
            largest = largest.max(step.abs());
            *alpha = updated;
            let change = super::narrow(step * sign);
            for (column, value) in matrix.row(row) {
                if let Some(w) = weights.get_mut(column) {
                    *w = change.mul_add(value, *w);
                }
            }
            if let Some(bias) = weights.last_mut() {
                *bias += change;
            }
        }
        if largest < 1e-3 {
            break;
        }
    }
    weights
}

/// Slope and offset of the logistic curve through margins and outcomes (Platt 1999, with his
/// smoothed targets; Newton's method after Lin et al. 2007).
pub(super) fn platt(pairs: &[(f64, bool)]) -> [f64; 2] {
    let positives = pairs.iter().filter(|p| p.1).count() as f64;
    let negatives = pairs.len() as f64 - positives;
    let (yes, no) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let (mut slope, mut offset) = (1.0, ((positives + 1.0) / (negatives + 1.0)).ln());
    let loss = |slope: f64, offset: f64| -> f64 {
        pairs
            .iter()
            .map(|&(m, y)| {
                let z = m * slope + offset;
                let t = if y { yes } else { no };
                z.max(0.0) - z * t + (-z.abs()).exp().ln_1p()
            })
            .sum()
    };
    let mut current = loss(slope, offset);
    for _ in 0..100 {
        let (mut ga, mut gb, mut aa, mut ab, mut bb) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for &(m, y) in pairs {
            let p = crate::sentiment::compact::sigmoid(m * slope + offset);
            let d = p - if y { yes } else { no };
            let h = p * (1.0 - p);
            ga += m * d;
            gb += d;
            aa += m * m * h;
            ab += m * h;
            bb += h;
        }
        if ga.abs() < 1e-6 && gb.abs() < 1e-6 {
            break;
        }
        let determinant = aa * bb - ab * ab;
        let (da, db) = (-(bb * ga - ab * gb) / determinant, -(aa * gb - ab * ga) / determinant);
        let mut stride = 1.0;
        while stride > 1e-10 {
            let next = loss(slope + stride * da, offset + stride * db);
            if next < current + 1e-4 * stride * (ga * da + gb * db) {
                current = next;
                slope += stride * da;
                offset += stride * db;
                break;
            }
            stride /= 2.0;
        }
        if stride <= 1e-10 {
            break;
        }
    }
    [slope, offset]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separates_what_can_be_separated() {
        let rows = vec![vec![0, 1], vec![0, 2], vec![3, 4], vec![3, 5]];
        let matrix = Matrix::new(&rows, &[20; 6], vec![1.0; 4]);
        let labels = [Some(true), Some(true), Some(false), None];
        let weights = solve(&matrix, &labels, &|_| true, 1.0, 50, 7);
        assert!(matrix.margin(1, &weights) > 0.3);
        assert!(matrix.margin(2, &weights) < -0.3);
        assert!(matrix.margin(3, &weights) < 0.0, "the unlabelled row shares a feature with the negative one");
    }

    #[test]
    fn calibration_recovers_a_known_curve() {
        let pairs: Vec<(f64, bool)> = (0..4000)
            .map(|i| {
                let m = f64::from(i % 40) / 10.0 - 2.0;
                let p = crate::sentiment::compact::sigmoid(2.0 * m - 0.5);
                (m, f64::from(i / 40) / 100.0 < p)
            })
            .collect();
        let [slope, offset] = platt(&pairs);
        assert!((slope - 2.0).abs() < 0.1 && (offset + 0.5).abs() < 0.1, "{slope} {offset}");
    }
}
