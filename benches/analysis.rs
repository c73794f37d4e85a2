//! Two things compared in each group, in one run: ratios hold where absolute times do not.
//!
//! - `cue_pass`: the whole cue pass of a text against bare word segmentation of the same text;
//! - `batch`: all fixture messages on one core against two;
//! - `near_misses`: many near misses against plain words of the same length.
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
use defuse::packs::{Packs, Source};
use defuse::text::{MailMarkers, normalise, separate};
use defuse::training;
use divan::{Bencher, black_box};
use unicode_segmentation::UnicodeSegmentation;

const LANGUAGES: [&str; 5] = ["en", "es", "de", "zh", "ar"];

static LEXICONS: LazyLock<BTreeMap<String, Lexicon>> = LazyLock::new(|| {
    let packs = Packs::load(&Source::Embedded).unwrap();
    let own = packs.languages.values().filter(|l| l.spec.extends.is_none());
    own.map(|l| (l.tag.clone(), Lexicon::compile(l, &packs.cues).unwrap())).collect()
});

fn main() {
    divan::main();
}

fn texts(language: &str) -> Vec<String> {
    let path = format!("{}/fixtures/messages/{language}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    training::parse(&path, &text).unwrap().into_iter().map(|m| m.text).collect()
}

fn lexicon(language: &str) -> &'static Lexicon {
    LEXICONS.iter().find(|(tag, _)| tag.starts_with(language)).unwrap().1
}

fn cue_pass(lexicon: &Lexicon, text: &str) -> usize {
    let normal = normalise(text);
    let own = separate(&normal.text, &MailMarkers::default());
    lexicon.read(&normal, &own).hits.len()
}

#[divan::bench_group]
mod against_segmentation {
    use super::*;

    #[divan::bench(args = LANGUAGES)]
    fn segmentation(bencher: Bencher<'_, '_>, language: &str) {
        let texts = texts(language);
        bencher.bench(|| texts.iter().map(|t| black_box(t).split_word_bounds().count()).sum::<usize>());
    }

    #[divan::bench(args = LANGUAGES)]
    fn cues(bencher: Bencher<'_, '_>, language: &str) {
        let (texts, lexicon) = (texts(language), lexicon(language));
        bencher.bench(|| texts.iter().map(|t| cue_pass(lexicon, black_box(t))).sum::<usize>());
    }
}

#[divan::bench(args = [1, 2])]
fn batch(bencher: Bencher<'_, '_>, threads: usize) {
    let engine = Engine::open(&Options { threads, ..Options::default() }).unwrap();
    let messages: Vec<Message> =
        LANGUAGES.into_iter().flat_map(texts).map(|text| Message::new(DocumentId::Number(0), text)).collect();
    bencher.bench(|| engine.analyze_batch(black_box(&messages), &Request::default()).len());
}

#[divan::bench(args = [10_000, 100_000])]
fn near_misses(bencher: Bencher<'_, '_>, bytes: usize) {
    let text: String = "I don't want to speak to my ".repeat(bytes / 28);
    let lexicon = lexicon("en");
    bencher.bench(|| cue_pass(lexicon, black_box(&text)));
}

#[divan::bench(args = [10_000, 100_000])]
fn plain_words(bencher: Bencher<'_, '_>, bytes: usize) {
    let text: String = "a green table near four chairs ".repeat(bytes / 28);
    let lexicon = lexicon("en");
    bencher.bench(|| cue_pass(lexicon, black_box(&text)));
}
