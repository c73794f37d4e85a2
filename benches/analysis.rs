//! Things compared in one run: ratios hold where absolute times do not.
//!
//! - `cue_pass`: finding all cues in normalised messages of all languages, with all languages
//!   loaded, against bare word segmentation (`split_word_bounds`) of the same messages; by language
//!   too; and the whole way from the original text, with normal form and own words;
//! - `rules_doubled`: the same with every second rule of each language, and with all;
//! - `worst`: the worst input we know, 10 kB against 100 kB of it;
//! - `batch`: all fixture messages on one core against two.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_imports,
    missing_docs,
    reason = "a bench stops where its fixtures are not there"
)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use defuse::cues::Lexicon;
use defuse::domain::{DocumentId, Message};
use defuse::engine::{Engine, Options, Request};
use defuse::packs::{Language, Packs, Source};
use defuse::text::{MailMarkers, Normalised, OwnWords, normalise, separate};
use defuse::training;
use divan::{Bencher, black_box};
use unicode_segmentation::UnicodeSegmentation;

const LANGUAGES: [&str; 15] =
    ["en", "es", "de", "zh", "ar", "fr", "pt", "it", "ja", "ko", "ru", "hi", "tr", "nl", "pl"];

static PACKS: LazyLock<Packs> = LazyLock::new(|| Packs::load(&Source::Embedded).unwrap());
static ALL_RULES: LazyLock<BTreeMap<String, Lexicon>> = LazyLock::new(|| lexicons(1));
static HALF_OF_THEM: LazyLock<BTreeMap<String, Lexicon>> = LazyLock::new(|| lexicons(2));

fn main() {
    divan::main();
}

/// The rules of every language, of which every `step`th is taken.
fn lexicons(step: usize) -> BTreeMap<String, Lexicon> {
    let own = PACKS.languages.values().filter(|l| l.spec.extends.is_none());
    own.map(|language| {
        let rules = language.rules.iter().step_by(step).cloned().collect();
        let language = Language { rules, ..language.clone() };
        (language.tag.clone(), Lexicon::compile(&language, &PACKS.cues).unwrap())
    })
    .collect()
}

fn of<'a>(lexicons: &'a BTreeMap<String, Lexicon>, language: &str) -> &'a Lexicon {
    lexicons.iter().find(|(tag, _)| tag.starts_with(language)).unwrap().1
}

fn texts(language: &str) -> Vec<String> {
    let path = format!("{}/fixtures/messages/{language}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    training::parse(&path, &text).unwrap().into_iter().map(|m| m.text).collect()
}

fn prepared(text: &str) -> (Normalised, OwnWords) {
    let normal = normalise(text);
    let own = separate(&normal.text, &MailMarkers::default());
    (normal, own)
}

/// Messages of some languages, ready for the cue pass, each with its language's rules.
fn ready<'a>(lexicons: &'a BTreeMap<String, Lexicon>, languages: &[&str]) -> Vec<(&'a Lexicon, Normalised, OwnWords)> {
    let of_language = |language: &&str| {
        let lexicon = of(lexicons, language);
        texts(language).into_iter().map(move |text| {
            let (normal, own) = prepared(&text);
            (lexicon, normal, own)
        })
    };
    languages.iter().flat_map(of_language).collect()
}

fn find(messages: &[(&Lexicon, Normalised, OwnWords)]) -> usize {
    messages.iter().map(|(lexicon, normal, own)| lexicon.read(black_box(normal), own).hits.len()).sum()
}

fn split(texts: &[String]) -> usize {
    texts.iter().map(|t| black_box(t).split_word_bounds().count()).sum()
}

#[divan::bench_group]
mod cue_pass {
    use super::*;

    #[divan::bench]
    fn all_segmentation(bencher: Bencher<'_, '_>) {
        let texts: Vec<String> = LANGUAGES.into_iter().flat_map(texts).collect();
        bencher.bench(|| split(&texts));
    }

    #[divan::bench]
    fn all_cues(bencher: Bencher<'_, '_>) {
        let messages = ready(&ALL_RULES, &LANGUAGES);
        bencher.bench(|| find(&messages));
    }

    #[divan::bench]
    fn all_cues_from_the_original(bencher: Bencher<'_, '_>) {
        let texts: Vec<(&Lexicon, String)> =
            LANGUAGES.into_iter().flat_map(|l| texts(l).into_iter().map(move |t| (of(&ALL_RULES, l), t))).collect();
        bencher.bench(|| {
            let read = |(lexicon, text): &(&Lexicon, String)| {
                let (normal, own) = prepared(black_box(text));
                lexicon.read(&normal, &own).hits.len()
            };
            texts.iter().map(read).sum::<usize>()
        });
    }

    #[divan::bench(args = LANGUAGES)]
    fn cues(bencher: Bencher<'_, '_>, language: &str) {
        let messages = ready(&ALL_RULES, &[language]);
        bencher.bench(|| find(&messages));
    }

    #[divan::bench(args = LANGUAGES)]
    fn segmentation(bencher: Bencher<'_, '_>, language: &str) {
        let texts = texts(language);
        bencher.bench(|| split(&texts));
    }
}

#[divan::bench(args = [1, 2])]
fn rules_doubled(bencher: Bencher<'_, '_>, times: usize) {
    let lexicons = if times == 2 { &ALL_RULES } else { &HALF_OF_THEM };
    let messages = ready(lexicons, &LANGUAGES);
    bencher.bench(|| find(&messages));
}

#[divan::bench(args = [("one token", 10_000), ("one token", 100_000), ("near misses", 10_000), ("near misses", 100_000),
    ("nested quotes", 10_000), ("nested quotes", 100_000), ("cues", 10_000), ("cues", 100_000)])]
fn worst(bencher: Bencher<'_, '_>, (kind, bytes): (&str, usize)) {
    let unit = match kind {
        "one token" => "refund ",
        "near misses" => "I don't want to speak to my ",
        "nested quotes" => "\"he said 'I want my money back\" ",
        _ => "I want my money back, get me your manager ",
    };
    let (normal, own) = prepared(&unit.repeat(bytes / unit.len()));
    let lexicon = of(&ALL_RULES, "en");
    bencher.bench(|| lexicon.read(black_box(&normal), &own).hits.len());
}

#[divan::bench(args = [1, 2])]
fn batch(bencher: Bencher<'_, '_>, threads: usize) {
    let engine = Engine::open(&Options { threads, ..Options::default() }).unwrap();
    let messages: Vec<Message> =
        LANGUAGES.into_iter().flat_map(texts).map(|text| Message::new(DocumentId::Number(0), text)).collect();
    bencher.bench(|| engine.analyze_batch(black_box(&messages), &Request::default()).len());
}
