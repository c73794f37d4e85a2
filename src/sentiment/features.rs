//! Owns the features that the compact model sees: hashed n-grams and how loud the text is.
//! Knows characters and words, no language and no label.

use crate::text::{Intensity, Kind, segment};

/// Which n-grams are taken and into how many buckets they are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extractor {
    mask: u32,
    chars: (usize, usize),
    words: usize,
}

/// Characters of a text that give features; beyond it the text is said to be truncated.
pub const MAX_CHARACTERS: usize = 20_000;

const PRIME: u64 = 0x0000_0100_0000_01B3;
const BASIS: u64 = 0xCBF2_9CE4_8422_2325;

/// FNV-1a over code points, then a final mix so that the low bits depend on all of them.
fn step(hash: u64, value: u32) -> u64 {
    (hash ^ u64::from(value)).wrapping_mul(PRIME)
}

fn finish(hash: u64) -> u32 {
    let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    u32::try_from((mixed >> 32) & u64::from(u32::MAX)).unwrap_or(0)
}

impl Extractor {
    /// `buckets` is a power of two; `chars` the shortest and longest character n-gram; `words` the
    /// longest word n-gram.
    ///
    /// # Errors
    /// A size that is none of these.
    pub fn new(buckets: usize, chars: [usize; 2], words: usize) -> Result<Self, String> {
        let [least, most] = chars;
        if !buckets.is_power_of_two() || !(1 << 10..=1 << 26).contains(&buckets) {
            return Err(format!("buckets is {buckets}, but must be a power of two from 2^10 to 2^26"));
        }
        if least == 0 || least > most || most > 8 || words > 3 {
            return Err("character n-grams go from 1 to 8, word n-grams to 3".to_owned());
        }
        let mask = u32::try_from(buckets - 1).map_err(|e| e.to_string())?;
        Ok(Self { mask, chars: (least, most), words })
    }

    /// The buckets of a text, each once, in rising order, and the characters looked at.
    #[must_use]
    pub fn extract(&self, original: &str, normal: &str) -> (Vec<u32>, usize) {
        let (normal, seen) = match normal.char_indices().nth(MAX_CHARACTERS) {
            Some((at, _)) => (normal.get(..at).unwrap_or(normal), MAX_CHARACTERS),
            None => (normal, normal.chars().count()),
        };
        let mut buckets = Vec::with_capacity(seen * (self.chars.1 - self.chars.0 + 1) + 64);
        self.characters(normal, &mut buckets);
        self.words(normal, &mut buckets);
        let whole = 0..original.len();
        self.loudness(&Intensity::measure(original, std::slice::from_ref(&whole)), &mut buckets);
        buckets.sort_unstable();
        buckets.dedup();
        (buckets, seen)
    }

    fn characters(&self, normal: &str, out: &mut Vec<u32>) {
        // One blank before, between and after words; digits are all alike.
        let mut letters: Vec<u32> = Vec::with_capacity(normal.len() + 2);
        letters.push(32);
        for c in normal.chars() {
            let value = if c.is_whitespace() {
                32
            } else if c.is_ascii_digit() {
                48
            } else {
                u32::from(c)
            };
            if value != 32 || letters.last() != Some(&32) {
                letters.push(value);
            }
        }
        if letters.last() != Some(&32) {
            letters.push(32);
        }
        let (least, most) = self.chars;
        for from in 0..letters.len() {
            let mut hash = BASIS;
            for (length, &value) in letters.iter().skip(from).take(most).enumerate() {
                hash = step(hash, value);
                if length + 1 >= least {
                    out.push(finish(hash) & self.mask);
                }
            }
        }
    }

    fn words(&self, normal: &str, out: &mut Vec<u32>) {
        let words: Vec<u64> = segment(normal, &[])
            .into_iter()
            .filter(|t| matches!(t.kind, Kind::Word | Kind::Masked))
            .filter_map(|t| normal.get(t.span))
            .map(|w| w.chars().fold(BASIS ^ 0x77, |h, c| step(h, u32::from(c))))
            .collect();
        for from in 0..words.len() {
            let mut hash = BASIS ^ 0x5555;
            for &word in words.iter().skip(from).take(self.words) {
                hash = (hash.rotate_left(17) ^ word).wrapping_mul(PRIME);
                out.push(finish(hash) & self.mask);
            }
        }
    }

    fn loudness(&self, loud: &Intensity, out: &mut Vec<u32>) {
        let mut say =
            |kind: u32, degree: u32| out.push(finish(step(step(BASIS ^ 0x1234_5678, kind), degree)) & self.mask);
        let marks = [(1, 2), (2, 3), (4, usize::MAX)];
        for (degree, &(least, most)) in (1..).zip(&marks) {
            if (least..most).contains(&loud.marks) {
                say(1, degree);
            }
        }
        if loud.capitals > 0.6 {
            say(2, 2);
        } else if loud.shouted > 0 {
            say(2, 1);
        }
        if loud.elongations > 0 {
            say(3, 1);
        }
        if loud.angry_faces > 0 {
            say(4, 1);
        }
    }
}
