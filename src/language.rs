//! Owns the question in which of the loaded languages a message is written.
//! Knows the packs' tags and marker words; never fails, whatever the text.

use rustc_hash::FxHashMap;

use crate::domain::{LanguageGuess, LanguageSource};
use crate::packs::{Packs, primary};
use crate::text::{Kind, is_traditional, segment};

/// Characters looked at: enough to know a language, bounded for long mails.
const LOOK_AT: usize = 1500;
/// The pack that serves text without evidence, if it is loaded.
const DEFAULT: &str = "en";

/// Whether the statistic knows a language by this ISO 639-3 code.
#[must_use]
pub fn knows(iso639_3: &str) -> bool {
    whatlang::Lang::from_code(iso639_3).is_some()
}

/// Recognises the loaded languages.
///
/// Trigram statistics of `whatlang`, restricted to the loaded languages, are weighed against the
/// marker words of the packs, which decide for short, mixed and romanised text.
#[derive(Debug)]
pub struct Recogniser {
    detector: Option<whatlang::Detector>,
    /// Loaded tag by the detector's language.
    tags: FxHashMap<&'static str, String>,
    /// Languages (as positions in `names`) in which a word is a marker.
    markers: FxHashMap<String, Vec<usize>>,
    names: Vec<String>,
    default: String,
    traditional: Option<String>,
    simplified: Option<String>,
}

impl Recogniser {
    /// Prepares the recognition of all loaded languages.
    #[must_use]
    pub fn new(packs: &Packs) -> Self {
        let mut tags = FxHashMap::default();
        let mut markers: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        let mut allowed = Vec::new();
        let mut names = Vec::new();
        for language in packs.languages.values().filter(|l| l.spec.extends.is_none()) {
            let number = names.len();
            names.push(language.tag.clone());
            for word in language.spec.markers.split_whitespace() {
                let known = markers.entry(crate::text::fold(word).replace('\'', "")).or_default();
                if !known.contains(&number) {
                    known.push(number);
                }
            }
            if let Some(lang) = whatlang::Lang::from_code(&language.spec.iso639_3) {
                allowed.push(lang);
                tags.insert(lang.code(), language.tag.clone());
            }
        }
        let tagged = |tag: &str| packs.languages.contains_key(tag).then(|| tag.to_owned());
        Self {
            detector: (!allowed.is_empty()).then(|| whatlang::Detector::with_allowlist(allowed)),
            tags,
            markers,
            default: tagged(DEFAULT).or_else(|| names.first().cloned()).unwrap_or_default(),
            names,
            traditional: tagged("zh-Hant"),
            simplified: tagged("zh-Hans"),
        }
    }

    /// The language of a text: `original` as written, `normal` its normal form.
    #[must_use]
    pub fn recognise(&self, original: &str, normal: &str) -> LanguageGuess {
        let original = head(original);
        let statistic = self.statistic(original);
        let votes = self.votes(head(normal));
        let (marked, share) = votes.best(&self.names);
        let guess = match (statistic, marked) {
            (Some((tag, confidence)), Some(other)) if tag != other => {
                // Markers speak against the statistic: believe them where they are dense.
                if share >= 0.12 * (0.5 + confidence) { Some((other, share.min(1.0))) } else { Some((tag, confidence)) }
            }
            (Some((tag, confidence)), Some(_)) => Some((tag, confidence.max(share.min(1.0)))),
            (Some(found), None) => Some(found),
            (None, Some(tag)) => Some((tag, share.min(1.0))),
            (None, None) => None,
        };
        match guess {
            Some((tag, confidence)) => LanguageGuess {
                also: votes.mixed_in(&self.names, &tag),
                tag: self.script(tag, original),
                confidence,
                source: LanguageSource::Detected,
            },
            None => LanguageGuess {
                tag: self.default.clone(),
                confidence: 0.0,
                source: LanguageSource::Default,
                also: None,
            },
        }
    }

    /// Chinese in Traditional characters is served by the pack for them.
    #[must_use]
    pub fn script(&self, tag: String, text: &str) -> String {
        match (&self.traditional, &self.simplified) {
            (Some(traditional), Some(simplified)) if primary(&tag) == "zh" => {
                if is_traditional(text) {
                    traditional.clone()
                } else {
                    simplified.clone()
                }
            }
            _ => tag,
        }
    }

    fn statistic(&self, text: &str) -> Option<(String, f64)> {
        let letters = dominant_script(text);
        let Some((tag, info)) =
            self.detector.as_ref()?.detect(&letters).and_then(|info| Some((self.tags.get(info.lang().code())?, info)))
        else {
            return self.only_one_of_script(&letters);
        };
        // Two letters are evidence for a script, hardly for one of its languages.
        let few = letters.chars().filter(|c| c.is_alphabetic()).take(12).count() as f64 / 12.0;
        let confidence = if is_latin(&letters) { info.confidence() * few } else { info.confidence() };
        Some((tag.clone(), confidence))
    }

    /// The loaded language of a script that only one loaded language is written in.
    fn only_one_of_script(&self, letters: &str) -> Option<(String, f64)> {
        let script = whatlang::detect_script(letters)?;
        let mut loaded = script.langs().iter().filter_map(|lang| self.tags.get(lang.code()));
        let only = loaded.next().filter(|_| loaded.next().is_none())?;
        Some((only.clone(), 0.9))
    }

    /// Counts the marker words of a text.
    fn votes(&self, normal: &str) -> Votes {
        let mut votes = Votes { all: vec![0.0; self.names.len()], alone: vec![0; self.names.len()], words: 0 };
        for token in segment(normal, &[]) {
            if token.kind != Kind::Word {
                continue;
            }
            votes.words += 1;
            let Some(word) = normal.get(token.span.clone()) else { continue };
            let languages =
                if word.contains('\'') { self.markers.get(&word.replace('\'', "")) } else { self.markers.get(word) };
            let languages = languages.map_or(&[][..], Vec::as_slice);
            for &language in languages {
                if let Some(vote) = votes.all.get_mut(language) {
                    *vote += 1.0 / languages.len() as f64;
                }
            }
            if let [only] = languages
                && let Some(count) = votes.alone.get_mut(*only)
            {
                *count += 1;
            }
        }
        votes
    }
}

/// What the marker words of a message say, by language.
struct Votes {
    /// A word that is a marker in several languages speaks for each by its part.
    all: Vec<f64>,
    /// Words that are markers in one language only.
    alone: Vec<usize>,
    /// Words of the message.
    words: usize,
}

impl Votes {
    /// The language with the most marker words, and their share of all words, 0…1.
    fn best(&self, names: &[String]) -> (Option<String>, f64) {
        let best = self.all.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        match best {
            Some((at, &vote)) if vote > 0.0 => (names.get(at).cloned(), vote / self.words as f64),
            _ => (None, 0.0),
        }
    }

    /// The language beside `tag` that two words or more, and one in ten, belong to alone.
    fn mixed_in(&self, names: &[String], tag: &str) -> Option<String> {
        let others = names.iter().zip(&self.alone).filter(|(name, _)| *name != tag);
        let (name, &count) = others.max_by_key(|(_, count)| **count)?;
        (count >= 2 && count * 10 >= self.words).then(|| name.clone())
    }
}

fn head(text: &str) -> &str {
    match text.char_indices().nth(LOOK_AT) {
        Some((at, _)) => text.get(..at).unwrap_or(text),
        None => text,
    }
}

fn is_latin(text: &str) -> bool {
    text.chars().find(|c| c.is_alphabetic()).is_some_and(|c| u32::from(c) < 0x0250)
}

/// Without Latin letters where a third of the letters or more belong to another script: product
/// names and error codes do not make a Chinese message English.
fn dominant_script(text: &str) -> String {
    let (mut latin, mut other) = (0_usize, 0_usize);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        if u32::from(c) < 0x0250 { latin += 1 } else { other += 1 }
    }
    if latin > 0 && other * 3 >= latin {
        text.chars().filter(|&c| !c.is_alphabetic() || u32::from(c) >= 0x0250).collect()
    } else {
        text.to_owned()
    }
}
