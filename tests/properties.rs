//! What must hold for any text at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where its premise fails")]

use std::sync::LazyLock;

use defuse::domain::{DocumentId, Message};
use defuse::engine::{Engine, Options, Request};
use defuse::wire::{self, OffsetUnit, Style};
use proptest::prelude::*;
use serde_json::Value;

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::open(&Options { threads: 2, ..Options::default() }).unwrap());
static SINGLE: LazyLock<Engine> =
    LazyLock::new(|| Engine::open(&Options { threads: 1, ..Options::default() }).unwrap());

/// Stretches that rules, scripts and mail programs care about, to be glued together at random.
const PIECES: &[&str] = &[
    "I want my money back",
    "third time I'm writing",
    "get me your manager",
    "f***",
    "😡",
    "👨‍👩‍👧",
    "!!!",
    "???",
    "sooooo",
    "\u{200B}",
    "\u{202E}",
    "e\u{301}",
    "\n> ",
    "\n\n",
    "\r\n",
    "On Monday, Support wrote:\n",
    "-- \n",
    "\"",
    "«",
    "’",
    "quiero hablar con su jefe",
    "estoy harta",
    "Ich will mein Geld zurück",
    "Scheiße",
    "退钱",
    "我要投訴",
    "气死我了",
    "أريد المدير",
    "نصابين",
    "مش عايز",
    "ﷺ",
    "İ",
    "ß",
    "ﬀ",
    "한국",
    "ไทย",
    "हिन्दी",
    "\u{0}",
    "\u{FEFF}",
    "a@b.example",
    "c0ño",
    "not",
    "no",
    "don't",
    "if",
    "?",
    ",",
    " ",
    "  ",
    "…",
    "—",
];

fn glued() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![3 => proptest::sample::select(PIECES).prop_map(str::to_owned), 1 => ".{0,12}", 1 => "\\PC{0,6}"];
    proptest::collection::vec((piece, prop_oneof![Just(""), Just(" ")]), 0..30)
        .prop_map(|pieces| pieces.into_iter().flat_map(|(p, s)| [p, s.to_owned()]).collect())
}

fn message(text: &str) -> Message {
    Message::new(DocumentId::Text("t".to_owned()), text)
}

fn request() -> Request {
    Request { explain: true, ..Request::default() }
}

fn view(engine: &Engine, text: &str, unit: OffsetUnit) -> Option<Value> {
    let message = message(text);
    let analysis = engine.analyze(&message, &request()).ok()?;
    let style = Style { unit, explain: true, strategies: true, helpdesk: None };
    Some(serde_json::to_value(wire::result(&message, 0, analysis, &style)).unwrap())
}

/// The slice of `text` between two offsets, cut by a client that counts in `unit`.
fn cut(text: &str, start: usize, end: usize, unit: OffsetUnit) -> String {
    match unit {
        OffsetUnit::Codepoint => text.chars().skip(start).take(end - start).collect(),
        OffsetUnit::Utf8 => String::from_utf8(text.as_bytes()[start..end].to_vec()).unwrap(),
        OffsetUnit::Utf16 => {
            let units: Vec<u16> = text.encode_utf16().collect();
            String::from_utf16(&units[start..end]).unwrap()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn spans_slice_the_original_in_every_unit(text in glued()) {
        for unit in [OffsetUnit::Codepoint, OffsetUnit::Utf8, OffsetUnit::Utf16] {
            let Some(view) = view(&ENGINE, &text, unit) else { continue };
            for key in ["cues", "suppressed"] {
                for cue in view[key].as_array().unwrap() {
                    let offset = |name: &str| usize::try_from(cue[name].as_u64().unwrap()).unwrap();
                    prop_assert_eq!(cut(&text, offset("start"), offset("end"), unit), cue["text"].as_str().unwrap());
                    prop_assert!(offset("start") < offset("end"));
                }
            }
        }
    }

    #[test]
    fn figures_stay_in_their_ranges(text in glued()) {
        let Some(view) = view(&ENGINE, &text, OffsetUnit::Codepoint) else { return Ok(()) };
        let p = &view["sentiment"]["probabilities"];
        let sum: f64 = ["negative", "neutral", "positive"].iter().map(|n| p[n].as_f64().unwrap()).sum();
        prop_assert!((sum - 1.0).abs() < 1e-6);
        prop_assert!((0.0..=100.0).contains(&view["priority"]["score"].as_f64().unwrap()));
        prop_assert!((0.0..=1.0).contains(&view["escalation"]["score"].as_f64().unwrap()));
        prop_assert!(view["anger"]["level"].as_u64().unwrap() <= 3);
        prop_assert!(view["strategies"].as_array().unwrap().len() <= 5);
    }

    #[test]
    fn any_string_has_an_answer(text in "\\PC*|.*|[\u{0}-\u{2FF}]*") {
        let answer = ENGINE.analyze(&message(&text), &request());
        prop_assert_eq!(answer.is_err(), text.trim().is_empty());
    }

    #[test]
    fn a_batch_is_its_messages_one_by_one(texts in proptest::collection::vec(glued(), 1..40)) {
        let messages: Vec<Message> = texts.iter().map(|t| message(t)).collect();
        let together = ENGINE.analyze_batch(&messages, &request());
        prop_assert_eq!(together.len(), messages.len());
        for (one, from_batch) in messages.iter().zip(together) {
            prop_assert_eq!(&SINGLE.analyze(one, &request()), &from_batch);
        }
    }
}

#[test]
fn the_worst_long_texts_have_an_answer() {
    for text in [
        "a".repeat(300_000),
        "no ".repeat(40_000),
        "\"".repeat(50_000),
        "> ".repeat(50_000),
        "f*".repeat(50_000),
        "*".repeat(100_000),
        "\u{301}".repeat(90_000),
        "退".repeat(100_001),
    ] {
        let analysis = ENGINE.analyze(&message(&text), &request()).unwrap();
        assert_eq!(analysis.truncated, text.chars().count() > 100_000);
        assert_eq!(analysis.characters_scored, text.chars().count().min(100_000));
    }
}
